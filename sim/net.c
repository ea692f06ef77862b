/* The network: packets, sending, arrival, and the queues of cards and processors. */
#include "latency_models.h"
#include "world.h"

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

/* When a copy leaves: after the processor has sent it and the card has put what is before it on the
 * wire. Multicasts go out copy by copy, in order of receivers. */
static sim_time depart(struct world *world, struct node *node, uint32_t size_bytes)
{
	struct port *port = &world->ports[node->id];
	if (node->id >= world->n_validators) {
		return world->now; /* clients cost nothing */
	}
	work(node, port, world->settings.costs.send_ns);
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

/* One signature a message, however many receivers. */
static void sign(struct world *world, struct node *node)
{
	struct port *port = &world->ports[node->id];
	if (node->id >= world->n_validators) {
		return;
	}
	work_begin(world, port);
	work(node, port, world->settings.costs.sign_ns);
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

/* Returns whether the copy was sent. `is_signed`: so was one before it. */
static bool send_shaped(struct node *node, uint32_t to, const struct message *message, bool is_signed)
{
	struct world *world = node->world;
	struct packet *packet = copy_of(world, message);
	struct shaping shaping = {0};
	for (struct shaper *shaper = world->shapers;
		shaper != NULL && !shaping.unsent && shaping.dropped == NULL; shaper = shaper->next) {
		shaper->shape(shaper->context, node, to, &packet->message, &shaping);
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
		if (!is_signed) {
			sign(world, node);
		}
		at = depart(world, node, packet->message.size_bytes);
	}
	if (shaping.dropped != NULL) {
		world->lost++;
		drop_copy(world, packet, to, shaping.dropped);
		return true;
	}
	if (world->constant_ns >= 0) {
		world->delays[0] = world->constant_ns;
	} else {
		draw(world, message, &to, 1);
	}
	at = sim_time_add(sim_time_add(at, world->delays[0]), shaping.delay_ns);
	at = at < shaping.not_before_ns ? shaping.not_before_ns : at;
	for (uint32_t i = 1; i <= shaping.n_duplicates; i++) {
		sim_time later = sim_time_add(at, shaping.duplicate_after_ns * i);
		push_copy(world, copy_of(world, &packet->message), to, later);
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
		sign(world, node);
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
		sign(world, node);
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
	struct world *world = node->world;
	struct packet *packet = (struct packet *)message;
	assert(packet->remaining == 0); /* a message is given away once */
	assert(node->alive);
	packet->remaining = 1;
	message->number = world->ports[node->id].n_downs | (uint32_t)node->twin << 31;
	queue_push(&world->queue, sim_time_add(world->now, delay_ns),
		handle_make(EVENT_LATER, node->id, packet->next_free));
}

static void trace_dropped(struct world *world, uint32_t to, const struct message *message, const char *why)
{
	if (world->tracer != NULL && world->tracer->dropped != NULL) {
		world->tracer->dropped(world->tracer->context, to, message, why);
	}
}

/* An arrival where somebody listens or lies. False: the receiver refuses the message. */
static __attribute__((noinline, cold)) bool watched_arrival(
	struct world *world, const struct node *node, const struct message *message)
{
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

/* Hands a message to its receiver. */
static inline void give(struct world *world, struct node *node, const struct message *message)
{
	world->events++;
	/* Odd factors: no two values of one field give the same record, and what differs in several fields
	 * meets in one only by chance. */
	uint64_t content = message->view * UINT64_C(0x9e3779b97f4a7c15) +
		message->instance * UINT64_C(0xc2b2ae3d27d4eb4f) + message->digest +
		message->extra * UINT64_C(0x165667b19e3779f9);
	uint64_t way = (uint64_t)node->id << 44 | (uint64_t)message->from << 24 |
		(uint64_t)message->kind << 16 | (message->number & 0xffff);
	digest_add(&world->digest, (uint64_t)world->now, way ^ content * UINT64_C(0xd6e8feb86659fd93));
	if (message->kind == MESSAGE_REPLY || message->kind == MESSAGE_HINT) {
		world->ops->client_receive(node, message);
	} else {
		world->ops->receive(node, message);
	}
}

static bool is_lost(struct world *world, const struct node *node, const struct message *message)
{
	bool among = node->id < world->n_validators && message->from < world->n_validators &&
		message->class != CLASS_CLIENT;
	double probability = among ? world->loss_validators : world->loss_all;
	if (probability <= 0) {
		return false;
	}
	if (random_unit_at(world->ports[message->from].loss, message->number, node->id) < probability) {
		world->lost++;
		trace_dropped(world, node->id, message, "lost");
		return true;
	}
	return false;
}

/* What arrivals are asked in a world that filters them: does this one not come through? Where there is a
 * processor to pass first, whether its receiver refuses it is asked after that. */
static bool is_stopped(struct world *world, const struct node *node, const struct message *message)
{
	if (world->lossy && is_lost(world, node, message)) {
		return true;
	}
	bool at_once = !world->queued || node->id >= world->n_validators;
	return at_once && world->watched && !watched_arrival(world, node, message);
}

/* Starts the next piece of work at a processor that has nothing in service. */
static void serve(struct world *world, struct port *port, struct node *node, uint64_t handle)
{
	sim_time cost =
		sim_time_add(world->settings.costs.receive_ns, world->settings.costs.verify_ns);
	sim_time start = port->depart > world->now ? port->depart : world->now;
	port->in_service = true;
	port->service_handle = handle_make(EVENT_HANDLE, handle_whom(handle), handle_which(handle));
	port->service_at = sim_time_add(start, cost);
	node->busy_ns = sim_time_add(node->busy_ns, cost);
	queue_push(&world->queue, port->service_at, port->service_handle);
}

static void wait_in_line(struct port *port, uint64_t handle)
{
	if (port->waiting_n == port->waiting_capacity) {
		uint32_t capacity = port->waiting_capacity == 0 ? 64 : port->waiting_capacity * 2;
		uint64_t *waiting = grow(NULL, capacity * sizeof(*waiting));
		for (uint32_t i = 0; i < port->waiting_n; i++) {
			waiting[i] = port->waiting[(port->waiting_first + i) % port->waiting_capacity];
		}
		free(port->waiting);
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
		wait_in_line(port, handle);
	} else {
		serve(world, port, node, handle);
	}
}

/* The slow way: the copy passes the receiver's card, then waits for its processor. */
static void arrive_queued(struct world *world, struct node *node, struct packet *packet, uint32_t index)
{
	if (world->ns_per_byte > 0) {
		sim_time at = node->ingress_until > world->now ? node->ingress_until : world->now;
		at = sim_time_add(at, wire_ns(world, packet->message.size_bytes));
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
	if (!node->alive || (world->filtered && is_stopped(world, node, &packet->message))) {
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
	bool filtered = world->filtered;
	for (uint32_t to = 0; to < n && !world->stopped; to++) {
		struct node *node = &world->nodes[to];
		if (to == from || !node->alive || (filtered && is_stopped(world, node, &packet->message))) {
			continue;
		}
		give(world, node, &packet->message);
	}
	packet_release(world, index, packet);
}

void net_card(struct world *world, uint32_t whom, uint32_t index)
{
	struct port *port = &world->ports[whom];
	port->card_n--;
	if (port->card_lost > 0) {
		port->card_lost--; /* it was in the card when the node went down */
		packet_release(world, index, packet_at(world, index));
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
		packet_release(world, index, packet); /* the node went down while it worked on this */
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

void net_later(struct world *world, uint32_t whom, uint32_t index)
{
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
		packet_release(world, handle_which(handle), packet_at(world, handle_which(handle)));
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
