/* Sending: what it costs, and the copies that come of it. */
#include "latency_models.h"
#include "world_inner.h"

static void count_sent(struct world *world, struct node *node, const struct message *message,
	uint32_t n)
{
	uint64_t bytes = (uint64_t)message->size_bytes * n;
	world->messages[message->class] += n;
	world->bytes[message->class] += bytes;
	node->messages_sent += n;
	node->bytes_sent += bytes;
}

sim_time wire_ns(const struct world *world, uint32_t size_bytes)
{
	return delay_of(world->ns_per_byte * size_bytes);
}

static void work(struct node *node, struct port *port, sim_time cost_ns)
{
	port->depart = sim_time_add(port->depart, cost_ns);
	node->busy_ns = sim_time_add(node->busy_ns, cost_ns);
}

/* Whatever wakes a node (a message, a timer, a request from outside), the processor sends when it is
 * done with what it has in hand: never in the past, and never beside other work. */
static void work_begin(const struct world *world, struct port *port)
{
	sim_time free_at = port->in_service ? port->service_at : world->now;
	if (port->depart < free_at) {
		port->depart = free_at;
	}
}

bool node_may_miss(const struct node *node)
{
	const struct world *world = node->world;
	return world->settings.loss > 0 || world->has_faults || world->shapers != NULL;
}

bool node_costs_something(const struct node *node)
{
	return node->world->queued;
}

struct node_costs node_costs(const struct node *node)
{
	return node->world->ports[node->id].costs;
}

sim_time node_wire_ns(const struct node *node, uint64_t bytes)
{
	return delay_of(node->world->ns_per_byte * (double)bytes);
}

sim_time node_ahead_ns(const struct node *node)
{
	const struct world *world = node->world;
	const struct port *port = &world->ports[node->id];
	sim_time until = port->depart > node->egress_until ? port->depart : node->egress_until;
	if (port->in_service && port->service_at > until) {
		until = port->service_at;
	}
	if (port->waiting_n > 0) {
		/* Those that wait cost about as much as the next of them. */
		const struct message *next =
			&packet_at(world, handle_which(port->waiting[port->waiting_first]))->message;
		sim_time each = port->costs.receive_ns +
			((next->flags & MESSAGE_MACS) != 0 ? port->costs.mac_ns : port->costs.verify_ns);
		until = until > world->now ? until : world->now;
		until = sim_time_add(until, delay_of((double)each * port->waiting_n));
	}
	return until > world->now ? until - world->now : 0;
}

sim_time world_work(struct world *world, struct node *node, sim_time cost_ns)
{
	struct port *port = &world->ports[node->id];
	assert(world->queued && node->id < world->n_validators);
	work_begin(world, port);
	work(node, port, cost_ns);
	return port->depart;
}

/* When a copy leaves: after the processor has sent it and the card has put what is before it on the
 * wire. Multicasts go out copy by copy, in order of receivers. */
static sim_time depart(struct world *world, struct node *node, uint32_t size_bytes)
{
	struct port *port = &world->ports[node->id];
	if (node->id >= world->n_validators) {
		return world->now; /* clients cost nothing */
	}
	work(node, port, port->costs.send_ns);
	sim_time at = port->depart;
	if (world->ns_per_byte > 0) {
		if (at < node->egress_until) {
			at = node->egress_until;
		}
		at = sim_time_add(at, wire_ns(world, size_bytes));
		node->egress_until = at;
	}
	return at;
}

/* One signature a message, however many receivers; or a MAC a receiver. */
static void sign(struct world *world, struct node *node, const struct message *message, uint32_t n)
{
	struct port *port = &world->ports[node->id];
	if (node->id >= world->n_validators) {
		return;
	}
	work_begin(world, port);
	sim_time cost = port->costs.sign_ns;
	if ((message->flags & MESSAGE_MACS) != 0 &&
		__builtin_mul_overflow(port->costs.mac_ns, (sim_time)n, &cost)) {
		cost = SIM_NEVER;
	}
	work(node, port, cost);
}

static void draw(struct world *world, const struct message *message, const uint32_t *to, uint32_t n)
{
	world->settings.latency->draw(world->settings.latency_settings,
		world->ports[message->from].latency, message->number, message->from, to, n,
		world->n_validators, world->delays);
}

/* Sending copy by copy: each is a packet of its own, shown to the shapers. It keeps the number of the
 * message that it is a copy of, and with it the delay that it would have had. */

static void push_copy(struct world *world, struct packet *packet, uint32_t to, sim_time at)
{
	packet->remaining = 1;
	queue_push(&world->queue, at, handle_make(EVENT_ARRIVE, to, packet->next_free));
}

static void push_duplicate(
	struct world *world, const struct packet *packet, uint32_t to, sim_time at, uint32_t i)
{
	struct packet *duplicate = packet_take(world);
	duplicate->message = packet->message;
	push_copy(world, duplicate, to, at);
	duplicate->next_free = PACKET_DUPLICATE | (i < 255 ? i : 255);
}

static void drop_copy(struct world *world, struct packet *packet, uint32_t to, const char *why)
{
	uint32_t index = packet->next_free;
	if (why != NULL && world->tracer != NULL && world->tracer->dropped != NULL) {
		world->tracer->dropped(world->tracer->context, to, &packet->message, why);
	}
	packet->remaining = 1;
	packet_release(world, index, packet);
}

static __attribute__((noinline, cold)) void trace_shaped(const struct node *node, uint32_t to,
	const struct message *message, struct message *copy, const struct shaping *shaping)
{
	const struct tracer *tracer = node->world->tracer;
	copy->from = message->from;
	bool same = copy->kind == message->kind && copy->flags == message->flags &&
		copy->view == message->view && copy->instance == message->instance &&
		copy->digest == message->digest && copy->extra == message->extra && copy->body == message->body;
	bool plain = !shaping->unsent && shaping->delay_ns == 0 && shaping->not_before_ns <= node->world->now &&
		shaping->n_duplicates == 0;
	if (tracer->shaped != NULL && !(same && plain)) {
		tracer->shaped(tracer->context, node, to, message, copy, shaping);
	}
}

/* Returns whether the copy was sent. `is_signed`: so was one before it. */
static bool send_shaped(struct node *node, uint32_t to, const struct message *message, bool is_signed)
{
	struct world *world = node->world;
	struct packet *packet = packet_copy(world, message);
	struct shaping shaping = {0};
	if (world->constant_ns >= 0) {
		shaping.way_ns = world->constant_ns;
	} else {
		draw(world, message, &to, 1);
		shaping.way_ns = world->delays[0];
	}
	for (struct shaper *shaper = world->shapers;
		shaper != NULL && !shaping.unsent && shaping.dropped == NULL; shaper = shaper->next) {
		shaper->shape(shaper->context, node, to, &packet->message, &shaping);
	}
	if (world->tracer != NULL) {
		trace_shaped(node, to, message, &packet->message, &shaping);
	}
	if (shaping.unsent) {
		drop_copy(world, packet, to, NULL);
		return false;
	}
	packet->message.from = node->id; /* nobody sends in another's name */
	packet->message.number = message->number | (uint32_t)node->twin << 31;
	count_sent(world, node, &packet->message, 1);
	sim_time at = world->now;
	if (world->queued) {
		if (!is_signed || (packet->message.flags & MESSAGE_MACS) != 0) {
			sign(world, node, &packet->message, 1);
		}
		at = depart(world, node, packet->message.size_bytes);
	}
	if (shaping.dropped != NULL) {
		world->lost++;
		drop_copy(world, packet, to, shaping.dropped);
		return true;
	}
	at = sim_time_add(sim_time_add(at, shaping.way_ns), shaping.delay_ns);
	at = at < shaping.not_before_ns ? shaping.not_before_ns : at;
	sim_time later = at;
	world->duplicated += shaping.n_duplicates;
	for (uint32_t i = 1; i <= shaping.n_duplicates; i++) {
		later = sim_time_add(later, shaping.duplicate_after_ns);
		push_duplicate(world, packet, to, later, i);
	}
	push_copy(world, packet, to, at);
	return true;
}

/* To each of `to` but the node itself. */
static void send_all_shaped(
	struct node *node, const uint32_t *to, uint32_t n, struct packet *packet, uint32_t index)
{
	bool is_signed = false;
	for (uint32_t i = 0; i < n; i++) {
		if (to[i] != node->id) {
			is_signed |= send_shaped(node, to[i], &packet->message, is_signed);
		}
	}
	packet->remaining = 1;
	packet_release(node->world, index, packet);
}

static inline void trace_sent(struct world *world, const struct node *node, uint32_t to,
	const struct message *message)
{
	if (world->tracer != NULL && world->tracer->sent != NULL) {
		world->tracer->sent(world->tracer->context, node, to, message);
	}
}

void node_send_many(struct node *node, const uint32_t *to, uint32_t n, struct message *message)
{
	struct world *world = node->world;
	struct packet *packet = (struct packet *)message;
	uint32_t index = packet->next_free;
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	message->number = node->n_multicasts++;
	for (uint32_t i = 0; i < n; i++) {
		assert(to[i] < world->n_nodes && to[i] != node->id && node_reaches(node, to[i]));
		trace_sent(world, node, to[i], message);
	}
	if (node->shaped || n == 0) {
		send_all_shaped(node, to, n, packet, index);
		return;
	}
	count_sent(world, node, message, n);
	bool constant = world->constant_ns >= 0;
	if (!constant) {
		draw(world, message, to, n);
	}
	packet->remaining = n;
	if (world->queued) {
		sign(world, node, message, n);
	}
	for (uint32_t i = 0; i < n; i++) {
		sim_time at = world->queued ? depart(world, node, message->size_bytes) : world->now;
		at = sim_time_add(at, constant ? world->constant_ns : world->delays[i]);
		world->entries[i] = (struct queue_entry){at, handle_make(EVENT_ARRIVE, to[i], index)};
	}
	queue_push_many(&world->queue, world->entries, n);
}

/* To whom the node is linked, where that is not everyone. Apart, so that the usual way stays as short. */
static __attribute__((noinline, cold)) void multicast_to_peers(struct node *node, struct message *message)
{
	uint32_t n;
	const uint32_t *to = node_peers(node, &n);
	node_send_many(node, to, n, message);
}

void node_multicast(struct node *node, struct message *message)
{
	struct world *world = node->world;
	if (world->links != NULL && message->kind >= MESSAGE_PROTOCOL) {
		multicast_to_peers(node, message);
		return;
	}
	struct packet *packet = (struct packet *)message;
	uint32_t index = packet->next_free;
	uint32_t n = world->n_validators;
	bool self = node->id < n;
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	message->number = node->n_multicasts++;
	trace_sent(world, node, NODE_NONE, message);
	if (node->shaped) {
		send_all_shaped(node, world->ids, n, packet, index);
		return;
	}
	if (n == 1 && self) {
		packet->remaining = 1;
		packet_release(world, index, packet);
		return;
	}
	count_sent(world, node, message, n - self);
	if (!world->queued && world->constant_ns >= 0) {
		packet->remaining = 1;
		queue_push(&world->queue, sim_time_add(world->now, world->constant_ns),
			handle_make(EVENT_ARRIVE_ALL, 0, index));
		return;
	}
	draw(world, message, world->ids, n);
	packet->remaining = n - self;
	uint32_t n_entries = 0;
	if (world->queued) {
		sign(world, node, message, n - self);
	}
	for (uint32_t to = 0; to < n; to++) {
		if (to == node->id) {
			continue;
		}
		sim_time at = world->queued ? depart(world, node, message->size_bytes) : world->now;
		world->entries[n_entries++] = (struct queue_entry){sim_time_add(at, world->delays[to]),
			handle_make(EVENT_ARRIVE, to, index)};
	}
	queue_push_many(&world->queue, world->entries, n_entries);
}

uint32_t node_n_clients(const struct node *node)
{
	return node->world->n_nodes - node->world->n_validators;
}

void node_send(struct node *node, uint32_t to, struct message *message)
{
	struct world *world = node->world;
	struct packet *packet = (struct packet *)message;
	uint32_t index = packet->next_free;
	assert(to < world->n_nodes);
	assert(world->links == NULL || message->kind < MESSAGE_PROTOCOL || node_reaches(node, to));
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	message->number = node->n_multicasts++;
	packet->remaining = 1;
	if (to == node->id) {
		message->number |= (uint32_t)node->twin << 31;
		queue_push(&world->queue, world->now, handle_make(EVENT_LOCAL, to, index));
		return;
	}
	trace_sent(world, node, to, message);
	if (node->shaped) {
		send_shaped(node, to, message, false);
		packet_release(world, index, packet);
		return;
	}
	count_sent(world, node, message, 1);
	sim_time at = world->now;
	if (world->queued) {
		sign(world, node, message, 1);
		at = depart(world, node, message->size_bytes);
	}
	if (world->constant_ns >= 0) {
		world->delays[0] = world->constant_ns;
	} else {
		draw(world, message, &to, 1);
	}
	queue_push(&world->queue, sim_time_add(at, world->delays[0]), handle_make(EVENT_ARRIVE, to, index));
}

void node_later(struct node *node, sim_time delay_ns, struct message *message)
{
	node_later_as(node, EVENT_LATER, delay_ns, message);
}

void node_later_as(struct node *node, enum event_kind kind, sim_time delay_ns, struct message *message)
{
	struct world *world = node->world;
	struct packet *packet = (struct packet *)message;
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	packet->remaining = 1;
	message->number = world->ports[node->id].n_downs | (uint32_t)node->twin << 31;
	queue_push(&world->queue, sim_time_add(world->now, delay_ns),
		handle_make(kind, node->id, packet->next_free));
}
