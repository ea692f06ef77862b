/* Arrival: what a copy meets from the end of its way to the handler, and the queues of cards and processors. */
#include "latency_models.h"
#include "world_inner.h"

#include <stdio.h>
#include <stdlib.h>

static __attribute__((noinline, cold)) void trace_dropped(
	struct world *world, uint32_t to, const struct message *message, const char *why)
{
	if (world->tracer != NULL && world->tracer->dropped != NULL) {
		world->tracer->dropped(world->tracer->context, to, message, why);
	}
}

static void garbled_arrival(struct world *world, const struct node *node, const struct message *message)
{
	world->corrupted++;
	trace_dropped(world, node->id, message, "corrupted");
}

/* A copy for a node that is down. */
__attribute__((noinline, cold)) void net_lose(struct world *world, uint32_t to, uint32_t index)
{
	struct packet *packet = packet_at(world, index);
	trace_dropped(world, to, &packet->message, "down");
	packet_release(world, index, packet);
}

/* A multicast comes everywhere at one instant: to those who are down, too. */
static __attribute__((noinline, cold)) void trace_down(struct world *world, const struct message *message)
{
	for (uint32_t to = 0; to < world->n_validators; to++) {
		if (to != message->from && !world->nodes[to].alive) {
			trace_dropped(world, to, message, "down");
		}
	}
}

/* An arrival where somebody listens or lies. False: the receiver refuses the message. */
static __attribute__((noinline, cold)) bool watched_arrival(
	struct world *world, const struct node *node, const struct message *message)
{
	if (((const struct packet *)message)->next_free == PACKET_CORRUPT) {
		garbled_arrival(world, node, message);
		return false;
	}
	if ((message->flags & MESSAGE_FORGED) != 0) {
		world->refused++;
		trace_dropped(world, node->id, message, "refused");
		return false;
	}
	if (world->tracer != NULL && world->tracer->arrived != NULL) {
		world->tracer->arrived(world->tracer->context, node, message);
	}
	return true;
}

/* What the digest takes of a message, but for its receiver. Odd factors: no two values of one field give the
 * same record, and what differs in several fields meets in one only by chance. */
static inline uint64_t mark_of(const struct message *message)
{
	uint64_t content = message->view * UINT64_C(0x9e3779b97f4a7c15) +
		message->instance * UINT64_C(0xc2b2ae3d27d4eb4f) + message->digest +
		message->extra * UINT64_C(0x165667b19e3779f9);
	uint64_t way =
		(uint64_t)message->from << 24 | (uint64_t)message->kind << 16 | (message->number & 0xffff);
	return way ^ content * UINT64_C(0xd6e8feb86659fd93);
}

/* Hands a message to its receiver. */
static inline void give_marked(
	struct world *world, struct node *node, const struct message *message, uint64_t mark)
{
	world->events++;
	digest_add(&world->digest, (uint64_t)world->now, (uint64_t)node->id << 44 ^ mark);
	if (message->kind == MESSAGE_REPLY || message->kind == MESSAGE_HINT) {
		world->ops->client_receive(node, message);
	} else {
		world->ops->receive(node, message);
	}
}

static inline void give(struct world *world, struct node *node, const struct message *message)
{
	give_marked(world, node, message, mark_of(message));
}

/* Whether what strikes with a probability strikes this copy; duplicates are struck on their own. */
static bool is_struck(const struct world *world, const struct node *node, const struct message *message,
	double among_validators, double all, uint32_t domain)
{
	bool among = node->id < world->n_validators && message->from < world->n_validators &&
		message->class != CLASS_CLIENT;
	double probability = among ? among_validators : all;
	if (probability <= 0) {
		return false;
	}
	uint32_t mark = ((const struct packet *)message)->next_free;
	uint64_t duplicate = mark > PACKET_DUPLICATE ? mark - PACKET_DUPLICATE : 0;
	uint64_t counter = (uint64_t)domain << 48 | duplicate << 32 | message->number;
	return random_unit_at(world->ports[message->from].loss, counter, node->id) < probability;
}

static bool is_garbled(const struct world *world, const struct node *node, const struct message *message)
{
	return is_struck(world, node, message, world->corrupt_validators, world->corrupt_all, 1);
}

static __attribute__((noinline)) bool is_cut(
	struct world *world, const struct node *node, const struct message *message)
{
	if (world_reaches(world, message->from, node->id)) {
		return false;
	}
	world->cut++;
	trace_dropped(world, node->id, message, "cut");
	return true;
}

/* A copy that arrives garbled becomes a packet of its own: it costs its receiver what any other does. */
static __attribute__((noinline)) uint32_t garble(
	struct world *world, const struct node *node, uint32_t index)
{
	struct packet *packet = packet_at(world, index);
	if (!is_garbled(world, node, &packet->message)) {
		return index;
	}
	struct packet *garbled = packet_copy(world, &packet->message);
	uint32_t garbled_index = garbled->next_free;
	garbled->remaining = 1;
	garbled->next_free = PACKET_CORRUPT;
	packet_release(world, index, packet);
	return garbled_index;
}

/* What verifying takes that a message's sender has not signed alone. */
static __attribute__((noinline, cold)) sim_time verify_shown_ns(
	const struct node_costs *costs, const struct message *message)
{
	sim_time cost, n = message_n_signatures(message);
	return __builtin_mul_overflow(costs->verify_ns, n, &cost) ? SIM_NEVER : cost;
}

/* A copy that comes while its receiver stands still, and would go to its processor. */
static bool kept_for_processor(
	struct world *world, const struct node *node, struct packet *packet, uint32_t index)
{
	if (!world_paused(world, node->id)) {
		return false;
	}
	packet->remaining++;
	index = world->garbled ? garble(world, node, index) : index;
	return world_keeps(world, EVENT_KEPT, node->id, index);
}

/* What arrivals are asked in a world that filters them: does this one not come through, or not yet? Where
 * there is a processor to pass first, whether its receiver refuses it is asked after that. */
static __attribute__((noinline)) bool is_stopped(
	struct world *world, const struct node *node, struct packet *packet, uint32_t index)
{
	const struct message *message = &packet->message;
	if (world->n_cuts > 0 && is_cut(world, node, message)) {
		return true;
	}
	if (world->lossy && is_struck(world, node, message, world->loss_validators, world->loss_all, 0)) {
		world->lost++;
		trace_dropped(world, node->id, message, "lost");
		return true;
	}
	if (world->queued && node->id < world->n_validators) {
		return world->n_paused > 0 && world->ns_per_byte == 0 && kept_for_processor(world, node, packet, index);
	}
	if (world->garbled && is_garbled(world, node, message)) {
		garbled_arrival(world, node, message);
		return true;
	}
	if (world_keeps(world, EVENT_LOCAL, node->id, index)) {
		packet->remaining++;
		return true;
	}
	return world->watched && !watched_arrival(world, node, message);
}

/* Starts the next piece of work at a processor that has nothing in service. */
static void serve(struct world *world, struct port *port, struct node *node, uint64_t handle)
{
	const struct node_costs *costs = &port->costs;
	const struct message *message = &packet_at(world, handle_which(handle))->message;
	bool macs = (message->flags & MESSAGE_MACS) != 0;
	sim_time cost = sim_time_add(costs->receive_ns, macs ? costs->mac_ns : costs->verify_ns);
	if (message->shown != 0) {
		cost = sim_time_add(cost, verify_shown_ns(costs, message));
	}
	sim_time start = port->depart > world->now ? port->depart : world->now;
	port->in_service = true;
	port->service_handle = handle_make(EVENT_HANDLE, handle_whom(handle), handle_which(handle));
	port->service_at = sim_time_add(start, cost);
	node->busy_ns = sim_time_add(node->busy_ns, cost);
	queue_push(&world->queue, port->service_at, port->service_handle);
}

static void wait_in_line(struct world *world, struct port *port, uint64_t handle)
{
	if (port->waiting_n == port->waiting_capacity) {
		uint32_t capacity = port->waiting_capacity == 0 ? 64 : port->waiting_capacity * 2;
		uint64_t *waiting = world_grow(NULL, capacity * sizeof(*waiting));
		for (uint32_t i = 0; i < port->waiting_n; i++) {
			waiting[i] = port->waiting[(port->waiting_first + i) % port->waiting_capacity];
		}
		free(port->waiting);
		world->waiting_bytes += (capacity - port->waiting_capacity) * sizeof(*waiting);
		port->waiting = waiting;
		port->waiting_first = 0;
		port->waiting_capacity = capacity;
	}
	port->waiting[(port->waiting_first + port->waiting_n++) % port->waiting_capacity] = handle;
}

static void to_processor(struct world *world, struct node *node, uint32_t index)
{
	struct port *port = &world->ports[node->id];
	uint64_t handle = handle_make(EVENT_HANDLE, node->id, index);
	if (port->in_service) {
		wait_in_line(world, port, handle);
	} else {
		serve(world, port, node, handle);
	}
}

/* The slow way: the copy passes the receiver's card, then waits for its processor. */
static __attribute__((noinline)) void arrive_queued(
	struct world *world, struct node *node, const struct packet *packet, uint32_t index)
{
	uint32_t size_bytes = packet->message.size_bytes;
	index = world->garbled ? garble(world, node, index) : index;
	if (world->ns_per_byte > 0) {
		sim_time at = node->ingress_until > world->now ? node->ingress_until : world->now;
		at = sim_time_add(at, wire_ns(world, size_bytes));
		node->ingress_until = at;
		/* An event even where it takes no time: copies leave the card in the order in which they came. */
		world->ports[node->id].card_n++;
		queue_push(&world->queue, at, handle_make(EVENT_CARD, node->id, index));
		return;
	}
	to_processor(world, node, index);
}

void net_arrive(struct world *world, uint32_t whom, uint32_t index)
{
	struct node *node = &world->nodes[whom];
	struct packet *packet = packet_at(world, index);
	if (!node->alive) {
		net_lose(world, whom, index);
		return;
	}
	if (world->filtered && is_stopped(world, node, packet, index)) {
		packet_release(world, index, packet);
		return;
	}
	if (world->queued && whom < world->n_validators) {
		arrive_queued(world, node, packet, index);
		return;
	}
	give(world, node, &packet->message);
	packet_release(world, index, packet);
}

void net_arrive_all(struct world *world, uint32_t index)
{
	struct packet *packet = packet_at(world, index);
	uint32_t n = world->n_validators;
	uint32_t from = packet->message.from;
	uint64_t mark = mark_of(&packet->message);
	bool filtered = world->filtered;
	if (world->tracer != NULL) {
		trace_down(world, &packet->message);
	}
	for (uint32_t to = 0; to < n && !world->stopped; to++) {
		struct node *node = &world->nodes[to];
		if (to == from || !node->alive || (filtered && is_stopped(world, node, packet, index))) {
			continue;
		}
		give_marked(world, node, &packet->message, mark);
	}
	packet_release(world, index, packet);
}

/* To the processor, where somebody stands still. Apart, so that the usual way is a jump. */
static __attribute__((noinline, cold)) void card_paused(struct world *world, uint32_t whom, uint32_t index)
{
	if (!world_keeps(world, EVENT_KEPT, whom, index)) {
		to_processor(world, &world->nodes[whom], index);
	}
}

void net_card(struct world *world, uint32_t whom, uint32_t index)
{
	struct port *port = &world->ports[whom];
	port->card_n--;
	if (port->card_lost > 0) {
		port->card_lost--; /* it was in the card when the node went down */
		net_lose(world, whom, index);
	} else if (world->n_paused > 0) {
		card_paused(world, whom, index);
	} else {
		to_processor(world, &world->nodes[whom], index);
	}
}

void net_handle(struct world *world, uint32_t whom, uint32_t index)
{
	struct node *node = &world->nodes[whom];
	struct port *port = &world->ports[whom];
	struct packet *packet = packet_at(world, index);
	if (!node->alive || !port->in_service || port->service_at != world->now ||
		port->service_handle != handle_make(EVENT_HANDLE, whom, index)) {
		if (!pause_keeps_service(world, whom, index)) {
			net_lose(world, whom, index); /* the node went down while it worked on this */
		}
		return;
	}
	if (!world->watched || watched_arrival(world, node, &packet->message)) {
		give(world, node, &packet->message);
	}
	packet_release(world, index, packet);
	port->in_service = false;
	if (node->alive && port->waiting_n > 0) {
		uint64_t next = port->waiting[port->waiting_first];
		port->waiting_first = (port->waiting_first + 1) % port->waiting_capacity;
		port->waiting_n--;
		serve(world, port, node, next);
	}
}

void net_kept(struct world *world, uint32_t whom, uint32_t index)
{
	to_processor(world, &world->nodes[whom], index);
}

void net_later(struct world *world, uint32_t whom, uint32_t index)
{
	if (world_keeps(world, EVENT_LATER, whom, index)) {
		return;
	}
	struct node *node = &world->nodes[whom];
	struct packet *packet = packet_at(world, index);
	if (node->alive && (packet->message.number & INT32_MAX) == world->ports[whom].n_downs &&
		(!world->watched || watched_arrival(world, node, &packet->message))) {
		give(world, node, &packet->message);
	}
	packet_release(world, index, packet);
}

void net_local(struct world *world, uint32_t whom, uint32_t index)
{
	if (world_keeps(world, EVENT_LOCAL, whom, index)) {
		return;
	}
	struct node *node = &world->nodes[whom];
	struct packet *packet = packet_at(world, index);
	if (node->alive && (!world->watched || watched_arrival(world, node, &packet->message))) {
		give(world, node, &packet->message);
	}
	packet_release(world, index, packet);
}

void net_crash(struct world *world, uint32_t whom)
{
	struct port *port = &world->ports[whom];
	for (uint32_t i = 0; i < port->waiting_n; i++) {
		uint64_t handle = port->waiting[(port->waiting_first + i) % port->waiting_capacity];
		net_lose(world, whom, handle_which(handle));
	}
	port->waiting_n = 0;
	port->in_service = false;
	port->card_lost = port->card_n; /* the first so many to come out: the card is a queue */
}
