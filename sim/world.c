#include "world_inner.h"

#include <stdlib.h>

void world_init(struct world *world, const struct world_settings *settings, const struct host_ops *ops,
	void *host)
{
	static_assert(sizeof(struct port) == 256, "see there");
	assert(settings->n_validators > 0);
	uint64_t n_nodes = (uint64_t)settings->n_validators + settings->n_clients;
	assert(n_nodes <= SIM_NODES_MAX);
	*world = (struct world){
		.settings = *settings,
		.ops = ops,
		.host = host,
		.n_nodes = (uint32_t)n_nodes,
		.n_validators = settings->n_validators,
		.packet_free = FREE_NONE,
		.call_free = FREE_NONE,
		.deadline_ns = SIM_NEVER,
		.constant_ns = -1,
	};
	const struct node_costs *costs = &settings->costs;
	world->queued = settings->bandwidth_bps > 0 || settings->works || costs->send_ns > 0 ||
		costs->receive_ns > 0 || costs->sign_ns > 0 || costs->verify_ns > 0 || costs->mac_ns > 0;
	world->ns_per_byte = settings->bandwidth_bps > 0 ? 8e9 / settings->bandwidth_bps : 0;
	digest_init(&world->digest);
	world->nodes = arena_array(&world->arena, struct node, n_nodes);
	world->ports = arena_array(&world->arena, struct port, n_nodes);
	world->ids = arena_array(&world->arena, uint32_t, n_nodes);
	world->delays = arena_array(&world->arena, sim_time, n_nodes);
	world->entries = arena_array(&world->arena, struct queue_entry, n_nodes);
	for (uint32_t i = 0; i < n_nodes; i++) {
		world->ids[i] = i;
		world->nodes[i] = (struct node){
			.world = world,
			.id = i,
			.n_validators = settings->n_validators,
			.n_faulty = settings->n_faulty,
			.alive = true,
			.settings = settings->protocol_settings,
			.stream = random_stream_make(settings->seed, RANDOM_PROTOCOL, i),
		};
		struct port *port = &world->ports[i];
		port->latency = random_key_make(settings->seed, RANDOM_LATENCY, i);
		port->loss = random_key_make(settings->seed, RANDOM_LOSS, i);
		port->costs = settings->costs;
		for (int t = 0; t < NODE_TIMERS; t++) {
			port->timer_at[t] = SIM_NEVER;
			port->timer_queued[t] = SIM_NEVER;
		}
	}
	if (settings->latency->constant) {
		uint32_t to = 1;
		settings->latency->draw(settings->latency_settings, world->ports[0].latency, 0, 0, &to, 1,
			settings->n_validators, &world->constant_ns);
	}
	topology_make(world);
	world->loss_validators = world->loss_all = settings->loss;
	world->lossy = settings->loss > 0;
	net_filter(world);
}

void world_finish(struct world *world)
{
	queue_finish(&world->queue);
	if (world->digest.state != NULL) {
		digest_finish(&world->digest);
	}
	for (uint32_t i = 0; world->ports != NULL && i < world->n_nodes; i++) {
		free(world->ports[i].waiting);
	}
	for (uint32_t i = 0; i < world->n_packet_chunks; i++) {
		free(world->packet_chunks[i]);
	}
	free(world->packet_chunks);
	free(world->calls);
	arena_finish(&world->arena);
	*world = (struct world){0};
}

uint64_t world_memory(const struct world *world)
{
	return world->arena.bytes + queue_memory(&world->queue) + world->waiting_bytes +
		((uint64_t)world->n_packet_chunks << PACKET_CHUNK_BITS) * sizeof(struct packet) +
		world->calls_capacity * sizeof(*world->calls);
}

/* Timers. One entry in the queue serves a timer however often it is moved later or cancelled: when the
 * entry comes out before the timer is due, it goes in again at the time that then holds. Only moving a
 * timer earlier makes a second entry; the one it replaces is passed over. */

static __attribute__((noinline, cold)) void timer_set_skewed(
	struct node *node, unsigned timer, sim_time at_ns)
{
	timer_set(node, timer, clock_timer(node, timer, at_ns));
}

void node_timer_set(struct node *node, unsigned timer, sim_time at_ns)
{
	assert(timer < NODE_TIMERS);
	if (node->skewed) {
		timer_set_skewed(node, timer, at_ns);
	} else {
		timer_set(node, timer, at_ns);
	}
}

void world_timer_set(struct world *world, uint32_t node, unsigned timer, sim_time at_ns)
{
	assert(timer < NODE_TIMERS && node < world->n_nodes);
	timer_set(&world->nodes[node], timer, at_ns);
}

void node_timer_cancel(struct node *node, unsigned timer)
{
	assert(timer < NODE_TIMERS);
	node->world->ports[node->id].timer_at[timer] = SIM_NEVER;
}

bool node_timer_runs(const struct node *node, unsigned timer)
{
	assert(timer < NODE_TIMERS);
	return node->world->ports[node->id].timer_at[timer] != SIM_NEVER;
}

/* What the digest calls a timer. The client's was number 5 while a node had six, and still is to the digest,
 * so that results of that time can be compared. */
static const uint8_t timer_mark[NODE_TIMERS] = {0, 1, 2, 3, 4, 6, 7, 5};

static void timer_event(struct world *world, uint32_t whom, unsigned timer)
{
	struct port *port = &world->ports[whom];
	if (port->timer_queued[timer] != world->now) {
		return; /* replaced by an earlier one */
	}
	port->timer_queued[timer] = SIM_NEVER;
	sim_time at = port->timer_at[timer];
	if (at > world->now) {
		if (at != SIM_NEVER) {
			port->timer_queued[timer] = at;
			queue_push(&world->queue, at, handle_make(EVENT_TIMER, whom, timer));
		}
		return;
	}
	if (world_keeps(world, EVENT_TIMER, whom, timer)) {
		return;
	}
	port->timer_at[timer] = SIM_NEVER;
	struct node *node = &world->nodes[whom];
	if (!node->alive) {
		return;
	}
	world->events++;
	digest_add(&world->digest, (uint64_t)world->now, (uint64_t)whom << 44 | timer_mark[timer]);
	if (world->tracer != NULL && world->tracer->timer != NULL) {
		world->tracer->timer(world->tracer->context, node, timer);
	}
	if (timer == NODE_TIMER_CLIENT) {
		world->ops->client_timer(node);
	} else {
		world->ops->timer(node, timer);
	}
}

static uint32_t call_slot(struct world *world, world_call function, void *context, uint64_t argument)
{
	uint32_t slot = world->call_free;
	if (slot != FREE_NONE) {
		world->call_free = world->calls[slot].next_free;
	} else {
		if (world->n_calls == world->calls_capacity) {
			world->calls_capacity = world->calls_capacity == 0 ? 64 : world->calls_capacity * 2;
			world->calls = world_grow(world->calls, world->calls_capacity * sizeof(*world->calls));
		}
		slot = world->n_calls++;
	}
	world->calls[slot] = (struct call){function, context, argument, FREE_NONE};
	return slot;
}

void call_give_back(struct world *world, uint32_t slot)
{
	world->calls[slot].next_free = world->call_free;
	world->call_free = slot;
}

void world_call_at(struct world *world, sim_time at_ns, world_call function, void *context,
	uint64_t argument)
{
	if (at_ns != SIM_NEVER) {
		queue_push(&world->queue, at_ns < world->now ? world->now : at_ns,
			handle_make(EVENT_CALL, 0, call_slot(world, function, context, argument)));
	}
}

bool world_defer(struct world *world, uint32_t node, world_call function, void *context, uint64_t argument)
{
	return world_paused(world, node) &&
		world_keeps(world, EVENT_CALL, node, call_slot(world, function, context, argument));
}

static void call_event(struct world *world, uint32_t slot)
{
	struct call call = world->calls[slot];
	call_give_back(world, slot);
	world->events++;
	call.function(world, call.context, call.argument);
}

static inline void dispatch(struct world *world, uint64_t handle)
{
	uint32_t whom = handle_whom(handle);
	uint32_t which = handle_which(handle);
	switch (handle_kind(handle)) {
	case EVENT_ARRIVE:
		net_arrive(world, whom, which);
		break;
	case EVENT_ARRIVE_ALL:
		net_arrive_all(world, which);
		break;
	case EVENT_CARD:
		net_card(world, whom, which);
		break;
	case EVENT_HANDLE:
		net_handle(world, whom, which);
		break;
	case EVENT_LOCAL:
		net_local(world, whom, which);
		break;
	case EVENT_LATER:
		net_later(world, whom, which);
		break;
	case EVENT_TIMER:
		timer_event(world, whom, which);
		break;
	case EVENT_CALL:
		call_event(world, which);
		break;
	case EVENT_WRITTEN:
		disk_written(world, whom, which);
		break;
	case EVENT_KEPT:
		net_kept(world, whom, which);
		break;
	}
}

void world_dispatch(struct world *world, uint64_t handle)
{
	dispatch(world, handle);
}

void world_run(struct world *world)
{
	while (!world->stopped) {
		sim_time next = queue_next_time(&world->queue);
		if (next > world->deadline_ns || next == SIM_NEVER ||
			world->events >= world->settings.events_max) {
			sim_time deadline = world->deadline_ns;
			uint64_t events_max = world->settings.events_max;
			bool spent = world->events >= events_max;
			world->ops->overdue(world, next);
			/* The host stops the world or moves the bound; else this loop would not end. */
			assert(world->stopped || !spent || world->settings.events_max > events_max);
			assert(world->stopped || spent || queue_next_time(&world->queue) < next ||
				(next != SIM_NEVER && world->deadline_ns > deadline));
			continue;
		}
		struct queue_entry entry = queue_pop(&world->queue);
		world->now = entry.time;
		dispatch(world, entry.handle);
	}
}

void world_add_shaper(struct world *world, struct shaper *shaper)
{
	struct shaper **last = &world->shapers;
	while (*last != NULL) {
		last = &(*last)->next;
	}
	shaper->next = NULL;
	*last = shaper;
	world->n_shapers++;
	net_filter(world);
}

void world_add_windowed_shaper(struct world *world, struct shaper *shaper)
{
	world_add_shaper(world, shaper);
	world->n_shapers_windowed++;
}

void world_shape(struct world *world, uint32_t whom)
{
	world->ports[whom].n_shapings++;
	world->nodes[whom].shaped = true;
}

void world_unshape(struct world *world, uint32_t whom)
{
	struct port *port = &world->ports[whom];
	assert(port->n_shapings > 0);
	if (--port->n_shapings == 0 && world->n_shapers == world->n_shapers_windowed) {
		world->nodes[whom].shaped = false;
	}
}

void world_listen(struct world *world, const struct tracer *tracer)
{
	world->tracer = tracer;
	net_filter(world);
}

/* Crash and restart: what is in service or waiting at the node is gone, its timers are off. */

void world_crash(struct world *world, uint32_t whom)
{
	assert(whom < world->n_nodes);
	struct node *node = &world->nodes[whom];
	if (!node->alive) {
		return;
	}
	node->alive = false;
	world->ports[whom].n_downs++;
	fault_tell(world, whom, "crash");
	for (unsigned t = 0; t < NODE_TIMERS; t++) {
		world->ports[whom].timer_at[t] = SIM_NEVER;
	}
	net_crash(world, whom);
	if (whom < world->n_validators) {
		disk_crash(world, whom);
	}
	if (world->inboxes != NULL && whom < world->n_validators) {
		pause_crash(world, whom);
	}
	digest_add(&world->digest, (uint64_t)world->now, (uint64_t)whom << 44 | 0xff01);
	world->ops->changed(world, node);
}

void world_restart(struct world *world, uint32_t whom)
{
	assert(whom < world->n_nodes);
	struct node *node = &world->nodes[whom];
	if (node->alive) {
		return;
	}
	node->alive = true;
	fault_tell(world, whom, "restart");
	world->ports[whom].depart = world->now;
	digest_add(&world->digest, (uint64_t)world->now, (uint64_t)whom << 44 | 0xff02);
	world->ops->restart(node);
	world->ops->changed(world, node);
}

/* The node API's remainder. */

sim_time node_now(const struct node *node)
{
	sim_time now = node->world->now;
	return node->skewed ? clock_shown(node->world->ports[node->id].clock, now) : now;
}

struct arena *node_arena(const struct node *node)
{
	return &node->world->arena;
}

bool node_executed(const struct node *node, transaction_id transaction)
{
	return node->world->ops->executed(node, transaction);
}

uint32_t node_transaction_bytes(const struct node *node, transaction_id transaction)
{
	return node->world->ops->transaction_bytes(node, transaction);
}

uint64_t node_transaction_key(const struct node *node, transaction_id transaction)
{
	const struct host_ops *ops = node->world->ops;
	return ops->transaction_key == NULL ? NODE_KEY_ALL : ops->transaction_key(node, transaction);
}

bool node_valid(const struct node *node, const struct batch *batch)
{
	const struct host_ops *ops = node->world->ops;
	return ops->valid == NULL || ops->valid(node, batch);
}

void node_proposed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	node->world->ops->proposed(node, instance, view, batch);
}

void node_committed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	node->world->ops->committed(node, instance, view, batch);
}

void node_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	node->world->ops->apply(node, instance, view, batch, reply);
}

void node_apply_tentative(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	node->world->ops->apply_tentative(node, instance, view, batch);
}

void node_confirm(struct node *node, uint64_t instance)
{
	node->world->ops->confirm(node, instance);
}

void node_rollback(struct node *node, uint64_t instance)
{
	node->world->ops->rollback(node, instance);
}

void node_revoked(struct node *node, uint64_t instance)
{
	node->world->ops->revoked(node, instance);
}

void node_read(struct node *node, transaction_id transaction, uint64_t view)
{
	node->world->ops->read(node, transaction, view);
}

void node_reply(struct node *node, transaction_id transaction, uint64_t view)
{
	node->world->ops->reply(node, transaction, view);
}

void node_leads(struct node *node, uint64_t view, enum lead_cause cause)
{
	struct world *world = node->world;
	world->ops->leads(node, view, cause);
	if (world->followers != NULL) {
		fault_follow(world);
	}
}

void node_follows(struct node *node, uint64_t view, uint32_t leader)
{
	node->world->ops->follows(node, view, leader);
}

void node_candidate(struct node *node, uint64_t term)
{
	node->world->ops->candidate(node, term);
}

void node_appended(struct node *node, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *batch)
{
	node->world->ops->appended(node, index, term, prev_term, batch);
}

void node_log(const struct node *node, const char *phrase)
{
	const struct tracer *tracer = node->world->tracer;
	if (tracer != NULL && tracer->log != NULL) {
		tracer->log(tracer->context, node, phrase);
	}
}
