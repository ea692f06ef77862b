/* Validators that stand still: a process that is stopped, a collector of garbage. Nothing of theirs runs, and
 * all that comes to them meanwhile is kept: what the network brings, timers that fall due, writes that end,
 * what the host would have them do. When they go on it happens in the order in which it came, before all else.
 *
 * What stops is the process, not the machine: the card goes on taking in, and what had been given to it, or to
 * the processor, goes out. A crash ends it. */
#include "world_inner.h"

struct inbox {
	uint32_t n_pauses; /* in force: it goes on when all have ended */
	sim_time service_at; /* when its processor would have ended what it was at; SIM_NEVER: nothing, or kept */
	uint64_t *handles;
	size_t n, capacity;
};

void world_may_pause(struct world *world)
{
	if (world->inboxes == NULL) {
		world->inboxes = arena_array(&world->arena, struct inbox, world->n_validators);
	}
}

bool world_paused(const struct world *world, uint32_t whom)
{
	return world->n_paused > 0 && whom < world->n_validators && world->inboxes[whom].n_pauses > 0;
}

bool pause_keeps(struct world *world, uint32_t whom, uint64_t handle)
{
	if (!world_paused(world, whom)) {
		return false;
	}
	struct inbox *inbox = &world->inboxes[whom];
	inbox->handles = arena_grow(&world->arena, inbox->handles, sizeof(*inbox->handles), inbox->n,
		inbox->n + 1, &inbox->capacity);
	inbox->handles[inbox->n++] = handle;
	return true;
}

void world_pause(struct world *world, uint32_t whom)
{
	struct inbox *inbox = &world->inboxes[whom];
	assert(world->nodes[whom].alive);
	if (inbox->n_pauses++ == 0) {
		struct port *port = &world->ports[whom];
		inbox->service_at = SIM_NEVER;
		if (port->in_service) { /* its end comes to pause_keeps_service */
			inbox->service_at = port->service_at;
			port->service_at = SIM_NEVER;
		}
		world->n_paused++;
		net_filter(world);
		digest_add(&world->digest, (uint64_t)world->now, (uint64_t)whom << 44 | 0xff03);
		fault_tell(world, whom, "pause");
	}
}

bool pause_keeps_service(struct world *world, uint32_t whom, uint32_t index)
{
	uint64_t handle = handle_make(EVENT_HANDLE, whom, index);
	const struct port *port = &world->ports[whom];
	if (!world_paused(world, whom) || !port->in_service || port->service_handle != handle) {
		return false;
	}
	world->inboxes[whom].service_at = SIM_NEVER;
	return pause_keeps(world, whom, handle);
}

static void go_on(struct world *world, uint32_t whom, uint64_t handle)
{
	struct port *port = &world->ports[whom];
	if (handle_kind(handle) == EVENT_TIMER) {
		port->timer_queued[handle_which(handle)] = world->now;
	} else if (handle_kind(handle) == EVENT_HANDLE) {
		port->service_at = world->now; /* the processor was at it when it stopped */
	}
	world_dispatch(world, handle);
}

void world_resume(struct world *world, uint32_t whom)
{
	struct inbox *inbox = &world->inboxes[whom];
	assert(inbox->n_pauses > 0);
	if (--inbox->n_pauses > 0) {
		return;
	}
	world->n_paused--;
	net_filter(world);
	digest_add(&world->digest, (uint64_t)world->now, (uint64_t)whom << 44 | 0xff04);
	fault_tell(world, whom, "resume");
	struct port *port = &world->ports[whom];
	if (port->in_service) { /* what ended meanwhile ends now, and is in hand until its turn comes */
		port->service_at = inbox->service_at != SIM_NEVER ? inbox->service_at : world->now;
	}
	size_t n = inbox->n;
	inbox->n = 0; /* nothing is kept while these run */
	for (size_t i = 0; i < n && !world->stopped; i++) {
		go_on(world, whom, inbox->handles[i]);
	}
}

void pause_crash(struct world *world, uint32_t whom)
{
	struct inbox *inbox = &world->inboxes[whom];
	for (size_t i = 0; i < inbox->n; i++) {
		uint64_t handle = inbox->handles[i];
		if (handle_kind(handle) == EVENT_CALL) {
			call_give_back(world, handle_which(handle));
		} else if (handle_kind(handle) != EVENT_TIMER) {
			uint32_t index = handle_which(handle);
			struct packet *packet = packet_at(world, index);
			if (packet->message.from == whom) {
				packet_release(world, index, packet);
			} else {
				net_lose(world, whom, index);
			}
		}
	}
	inbox->n = 0;
	world->n_paused -= inbox->n_pauses > 0;
	inbox->n_pauses = 0;
	net_filter(world);
}
