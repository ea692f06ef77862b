/* What the engine's own files share: handles, packets and the two ways of handing over a message. */
#ifndef SIM_WORLD_INNER_H
#define SIM_WORLD_INNER_H

#include "engine/world.h"

/* A handle: what (4 bits), whom (28 bits), which (32 bits). */
enum event_kind {
	EVENT_ARRIVE,     /* packet `which` is at the network card of `whom` */
	EVENT_ARRIVE_ALL, /* the same for every validator but its sender */
	EVENT_CARD,       /* it has come through the card */
	EVENT_HANDLE,     /* the processor of `whom` has taken it in */
	EVENT_LOCAL,      /* a message to oneself */
	EVENT_LATER,      /* the same, by node_later */
	EVENT_TIMER,      /* timer `which` of `whom` */
	EVENT_CALL,       /* world_call_at's slot `which` */
	EVENT_WRITTEN,    /* a message to oneself, by node_write */
	EVENT_KEPT,       /* packet `which`, that has come while `whom` stood still, goes to its processor */
};

static inline uint64_t handle_make(enum event_kind kind, uint32_t whom, uint32_t which)
{
	return (uint64_t)kind << 60 | (uint64_t)whom << 32 | which;
}

static inline enum event_kind handle_kind(uint64_t handle)
{
	return (enum event_kind)(handle >> 60);
}

static inline uint32_t handle_whom(uint64_t handle)
{
	return (uint32_t)(handle >> 32) & 0xfffffff;
}

static inline uint32_t handle_which(uint64_t handle)
{
	return (uint32_t)handle;
}

/* 4096 packets of 64 bytes a chunk: a packet's address never changes. */
#define PACKET_CHUNK_BITS 12

static inline struct packet *packet_at(const struct world *world, uint32_t index)
{
	return &world->packet_chunks[index >> PACKET_CHUNK_BITS]
								[index & ((1u << PACKET_CHUNK_BITS) - 1)];
}

#define FREE_NONE UINT32_MAX

/* realloc, or the end of the program. */
void *world_grow(void *old, size_t bytes);
void packet_chunk_add(struct world *world);

/* While a packet is being filled in, `next_free` holds its own index. */
static inline struct packet *packet_take(struct world *world)
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

static inline struct packet *packet_copy(struct world *world, const struct message *message)
{
	struct packet *packet = packet_take(world);
	packet->message = *message;
	return packet;
}

static inline void packet_release(struct world *world, uint32_t index, struct packet *packet)
{
	assert(packet->remaining > 0);
	if (--packet->remaining == 0) {
		packet->next_free = world->packet_free;
		world->packet_free = index;
	}
}

/* What arrivals have to be asked has changed. */
static inline void net_filter(struct world *world)
{
	world->watched = world->tracer != NULL || world->shapers != NULL || world->garbled;
	world->filtered = world->lossy || world->watched || world->n_cuts > 0 || world->n_paused > 0;
}

/* Clocks that may be wrong, in fault_clock.c: what a node's shows, the first moment at which it shows so
 * much, and the true time of a timer that is set by it. */
sim_time clock_shown(const struct clock *clock, sim_time now_ns);
sim_time clock_when(const struct clock *clock, sim_time shown_ns);
sim_time clock_timer(struct node *node, unsigned timer, sim_time at_ns);

/* Sets a timer by true time. */
static inline void timer_set(struct node *node, unsigned timer, sim_time at_ns)
{
	struct world *world = node->world;
	struct port *port = &world->ports[node->id];
	if (at_ns < world->now) {
		at_ns = world->now;
	}
	port->timer_at[timer] = at_ns;
	if (at_ns < port->timer_queued[timer]) {
		port->timer_queued[timer] = at_ns;
		queue_push(&world->queue, at_ns, handle_make(EVENT_TIMER, node->id, timer));
	}
}

/* In disk.c. */
void disk_written(struct world *world, uint32_t whom, uint32_t index);
void disk_crash(struct world *world, uint32_t whom);
/* node_later by another name. */
void node_later_as(struct node *node, enum event_kind kind, sim_time delay_ns, struct message *message);

/* In pause.c. Keeps the event, which has come now, where its node stands still. */
bool pause_keeps(struct world *world, uint32_t whom, uint64_t handle);
/* What was kept is gone, and the node stands still no longer. */
void pause_crash(struct world *world, uint32_t whom);

/* The work of a node's processor was to end now: kept, where the node stands still. */
bool pause_keeps_service(struct world *world, uint32_t whom, uint32_t index);

static inline bool world_keeps(struct world *world, enum event_kind kind, uint32_t whom, uint32_t which)
{
	return world->n_paused > 0 && pause_keeps(world, whom, handle_make(kind, whom, which));
}

void world_dispatch(struct world *world, uint64_t handle);
void call_give_back(struct world *world, uint32_t slot);
/* Tells the tracer, if there is one. */
void fault_tell(struct world *world, uint32_t node, const char *what);

/* Somebody leads: who follows the leader may have to move. In fault_cut.c. */
void fault_follow(struct world *world);

/* How long so many bytes take on the wire, to the nearest nanosecond; saturates. */
sim_time wire_ns(const struct world *world, uint32_t size_bytes);

/* In topology.c: the world's links, as its settings say. */
void topology_make(struct world *world);

/* Arrivals, in arrive.c. */
void net_arrive(struct world *world, uint32_t whom, uint32_t index);
void net_arrive_all(struct world *world, uint32_t index);
void net_card(struct world *world, uint32_t whom, uint32_t index);
void net_handle(struct world *world, uint32_t whom, uint32_t index);
void net_local(struct world *world, uint32_t whom, uint32_t index);
void net_later(struct world *world, uint32_t whom, uint32_t index);
void net_kept(struct world *world, uint32_t whom, uint32_t index);
/* A copy that its receiver will never see, since it is down. */
void net_lose(struct world *world, uint32_t to, uint32_t index);
/* Drops what waits at a node that crashes. */
void net_crash(struct world *world, uint32_t whom);

#endif
