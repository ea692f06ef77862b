/* The network: packets, sending, arrival, and the queues of cards and processors. */
#include "latency_models.h"
#include "world_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define FREE_NONE UINT32_MAX

static void *grow(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		_Exit(3); /* no handlers beside other threads' runs */
	}
	return memory;
}

static void packet_chunk_add(struct world *world)
{
	if (world->n_packet_chunks == world->packet_chunks_capacity) {
		world->packet_chunks_capacity =
			world->packet_chunks_capacity == 0 ? 16 : world->packet_chunks_capacity * 2;
		world->packet_chunks = grow(world->packet_chunks,
			world->packet_chunks_capacity * sizeof(*world->packet_chunks));
	}
	struct packet *chunk =
		aligned_alloc(64, sizeof(struct packet) << PACKET_CHUNK_BITS);
	if (chunk == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		_Exit(3); /* no handlers beside other threads' runs */
	}
	world->packet_chunks[world->n_packet_chunks++] = chunk;
}

/* While a packet is being filled in, `next_free` holds its own index. */
struct packet *packet_take(struct world *world)
{
	uint32_t index = world->packet_free;
	struct packet *packet;
	if (index != FREE_NONE) {
		packet = packet_at(world, index);
		world->packet_free = packet->next_free;
	} else {
		index = world->n_packets_used++;
		if (index >> PACKET_CHUNK_BITS == world->n_packet_chunks) {
			packet_chunk_add(world);
		}
		packet = packet_at(world, index);
	}
	packet->next_free = index;
	packet->remaining = 0; /* until it is sent */
	return packet;
}

void packet_release(struct world *world, uint32_t index, struct packet *packet)
{
	assert(packet->remaining > 0);
	if (--packet->remaining == 0) {
		packet->next_free = world->packet_free;
		world->packet_free = index;
	}
}

struct message *node_message(struct node *node, unsigned kind, enum message_class class,
	uint32_t size_bytes)
{
	static_assert(sizeof(struct packet) == 64, "a packet fills one cache line");
	struct packet *packet = packet_take(node->world);
	packet->message = (struct message){
		.kind = (uint8_t)kind,
		.class = (uint8_t)class,
		.from = node->id,
		.size_bytes = size_bytes,
	};
	return &packet->message;
}

static void count_sent(struct world *world, struct node *node, const struct message *message,
	uint32_t n)
{
	uint64_t bytes = (uint64_t)message->size_bytes * n;
	world->messages[message->class] += n;
	world->bytes[message->class] += bytes;
	node->messages_sent += n;
	node->bytes_sent += bytes;
}

/* How long so many bytes take on the wire, to the nearest nanosecond; saturates. */
static sim_time wire_ns(const struct world *world, uint32_t size_bytes)
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

static struct packet *copy_of(struct world *world, const struct message *message)
{
	struct packet *packet = packet_take(world);
	packet->message = *message;
	return packet;
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
	struct packet *packet = copy_of(world, message);
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

static void multicast_shaped(struct node *node, struct message *message)
{
	bool is_signed = false;
	for (uint32_t to = 0; to < node->world->n_validators; to++) {
		if (to != node->id) {
			is_signed |= send_shaped(node, to, message, is_signed);
		}
	}
}

static inline void trace_sent(struct world *world, const struct node *node, uint32_t to,
	const struct message *message)
{
	if (world->tracer != NULL && world->tracer->sent != NULL) {
		world->tracer->sent(world->tracer->context, node, to, message);
	}
}

void node_multicast(struct node *node, struct message *message)
{
	struct world *world = node->world;
	struct packet *packet = (struct packet *)message;
	uint32_t index = packet->next_free;
	uint32_t n = world->n_validators;
	bool self = node->id < n;
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	message->number = node->n_multicasts++;
	trace_sent(world, node, NODE_NONE, message);
	if (node->shaped) {
		multicast_shaped(node, message);
		packet->remaining = 1;
		packet_release(world, index, packet);
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
	struct packet *garbled = copy_of(world, &packet->message);
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
		uint64_t *waiting = grow(NULL, capacity * sizeof(*waiting));
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

const struct batch *node_batch(struct node *node, const transaction_id *transactions, uint32_t n)
{
	struct batch *batch =
		arena_alloc(&node->world->arena, sizeof(*batch) + n * sizeof(transactions[0]));
	batch->n = n;
	uint64_t size_bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		batch->transactions[i] = transactions[i];
		size_bytes += node_transaction_bytes(node, transactions[i]);
	}
	assert(size_bytes <= UINT32_MAX); /* the workloads bound their transactions */
	batch->size_bytes = (uint32_t)size_bytes;
	batch->digest = n == 0 ? 0 : XXH3_64bits(transactions, n * sizeof(transactions[0])) | 1;
	return batch;
}
