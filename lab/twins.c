/* Twins: a validator that runs twice under one identity (Bano et al., Twins: BFT Systems Made Robust,
 * arXiv:2004.10617, 2020).
 *
 * There is one node in the world, with one address, processor and gateway. Its second twin is what the
 * protocol keeps at a node: state, timers, random stream, and what the application has executed. All of it
 * is put in the place of the first twin's while the second's handlers run, and taken out again afterwards;
 * outside of handlers the first one's is in place. The node's timers stand at the earlier of what the two
 * want. What comes from a validator goes to the twin whose group that is in; what comes from clients, to
 * both; what a twin sends itself, to that twin; what one of another pair sends, to the one of its side. */
#include "clients.h"
#include "replicas.h"
#include "lab.h"

#include <stdlib.h>

struct twin {
	void *state;
	struct random_stream stream;
	struct replica replica;
	uint32_t n_multicasts; /* its own, so that its messages shift none of the other's random numbers */
	sim_time wanted_at[NODE_TIMER_CLIENT];
};

struct twins {
	bool is_twin;
	bool running;    /* a twin's handler, of `current`; else the gateway's, who speaks to all */
	uint32_t current;
	const struct attack_common *common;
	uint32_t *group; /* by validator; VERSION_GIVEN: both talk with it */
	struct twin second;
	sim_time wanted_at[NODE_TIMER_CLIENT]; /* the first one's timers */
};

static void swap_in_or_out(struct lab *lab, struct node *node, struct twin *twin)
{
	struct replica *replica = replica_of(lab, node->id);
	struct twin first = {.state = node->state,
		.stream = node->stream,
		.replica = *replica,
		.n_multicasts = node->n_multicasts};
	node->state = twin->state;
	node->stream = twin->stream;
	*replica = twin->replica;
	node->n_multicasts = twin->n_multicasts;
	twin->state = first.state;
	twin->stream = first.stream;
	twin->replica = first.replica;
	twin->n_multicasts = first.n_multicasts;
}

/* A twin's step: the protocol sees its own timers only. */
static void enter(struct lab *lab, struct node *node, struct twins *twins, uint32_t which)
{
	const sim_time *wanted = which == 1 ? twins->second.wanted_at : twins->wanted_at;
	assert(!twins->running);
	twins->running = true;
	twins->current = which;
	node->twin = which;
	for (unsigned t = 0; t < NODE_TIMER_CLIENT; t++) {
		lab->world.ports[node->id].timer_at[t] = wanted[t];
	}
	if (which == 1) {
		swap_in_or_out(lab, node, &twins->second);
	}
}

static void leave(struct lab *lab, struct node *node, struct twins *twins)
{
	if (twins->current == 1) {
		swap_in_or_out(lab, node, &twins->second);
	}
	sim_time *wanted = twins->current == 1 ? twins->second.wanted_at : twins->wanted_at;
	for (unsigned t = 0; t < NODE_TIMER_CLIENT; t++) {
		wanted[t] = lab->world.ports[node->id].timer_at[t];
		sim_time a = twins->wanted_at[t], b = twins->second.wanted_at[t];
		sim_time at = a < b ? a : b;
		if (at == SIM_NEVER) {
			node_timer_cancel(node, t);
		} else {
			world_timer_set(&lab->world, node->id, t, at);
		}
	}
	node->twin = 0;
	twins->running = false;
}

static bool is_on(const struct twins *twins, sim_time now)
{
	return now >= twins->common->from_ns && now < twins->common->until_ns;
}

bool twins_may_send(const struct lab *lab, const struct node *node, uint32_t to)
{
	const struct twins *twins = &lab->twins[node->id];
	if (!twins->is_twin || !twins->running) {
		return true;
	}
	if (!is_on(twins, lab->world.now)) {
		return twins->current == 0;
	}
	return to >= lab->world.n_validators || twins->group[to] == VERSION_GIVEN ||
		twins->group[to] == twins->current;
}

static bool hears(const struct lab *lab, const struct twins *twins, uint32_t which,
	const struct node *node, const struct message *message)
{
	if (message->from == node->id && message->kind >= MESSAGE_PROTOCOL) {
		return message->number >> 31 == which;
	}
	if (message->from >= lab->world.n_validators || message->from == node->id ||
		!is_on(twins, lab->world.now)) {
		return true;
	}
	uint32_t group = twins->group[message->from];
	if (group == VERSION_GIVEN && lab->twins[message->from].is_twin) {
		group = message->number >> 31; /* twins of the same side are of one mind */
	}
	return group == VERSION_GIVEN || group == which;
}

void twins_receive(struct node *node, const struct message *message)
{
	struct lab *lab = lab_of(node);
	if (node->id >= lab->world.n_validators || !lab->twins[node->id].is_twin) {
		lab->protocol->receive(node, message);
		return;
	}
	struct twins *twins = &lab->twins[node->id];
	for (uint32_t which = 0; which < 2; which++) {
		if (hears(lab, twins, which, node, message)) {
			enter(lab, node, twins, which);
			lab->protocol->receive(node, message);
			leave(lab, node, twins);
		}
	}
}

void twins_timer(struct node *node, unsigned timer)
{
	struct lab *lab = lab_of(node);
	struct twins *twins = &lab->twins[node->id];
	if (!twins->is_twin) {
		lab->protocol->timer(node, timer);
		return;
	}
	for (uint32_t which = 0; which < 2; which++) {
		sim_time *wanted = which == 1 ? twins->second.wanted_at : twins->wanted_at;
		if (wanted[timer] <= lab->world.now) {
			wanted[timer] = SIM_NEVER;
			enter(lab, node, twins, which);
			lab->protocol->timer(node, timer);
			leave(lab, node, twins);
		}
	}
}

static void both(struct node *node, void (*step)(struct node *node))
{
	struct lab *lab = lab_of(node);
	struct twins *twins = &lab->twins[node->id];
	if (!twins->is_twin) {
		step(node);
		return;
	}
	for (unsigned t = 0; t < NODE_TIMER_CLIENT; t++) {
		twins->wanted_at[t] = twins->second.wanted_at[t] = SIM_NEVER;
	}
	for (uint32_t which = 0; which < 2; which++) {
		enter(lab, node, twins, which);
		step(node);
		leave(lab, node, twins);
	}
}

void twins_restart(struct node *node)
{
	both(node, lab_of(node)->protocol->restart);
}

void twins_start_node(struct node *node)
{
	both(node, lab_of(node)->protocol->start);
}

bool twins_step(
	struct node *node, enum protocol_step step, const struct protocol_step_argument *argument)
{
	struct lab *lab = lab_of(node);
	struct twins *twins = lab->twins == NULL ? NULL : &lab->twins[node->id];
	if (twins == NULL || !twins->is_twin) {
		return lab->protocol->step(node, step, argument);
	}
	bool any = false;
	for (uint32_t which = 0; which < 2; which++) {
		enter(lab, node, twins, which);
		any |= lab->protocol->step(node, step, argument);
		leave(lab, node, twins);
	}
	return any;
}

/* Two copies of the honest protocol: they would draw alike. */
#define SECOND_TWIN (UINT64_C(1) << 40)

void twins_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	uint32_t n = lab->world.n_validators;
	const struct plugin_list *list = &lab->scenario->attacks;
	for (size_t a = 0; a < list->n; a++) {
		const struct attack *attack = (const struct attack *)list->values[a].plugin;
		for (uint32_t i = 0; attack->doubles && i < n; i++) {
			if (!lab->attacking.attackers[a][i]) {
				continue;
			}
			if (lab->twins == NULL) {
				lab->twins = arena_array(arena, struct twins, n);
			}
			struct twins *twins = &lab->twins[i];
			twins->is_twin = true;
			twins->common = list->values[a].settings;
			twins->group = arena_array(arena, uint32_t, n);
			attackers_groups(lab, attack, list->values[a].settings, twins->group);
			twins->second.state = arena_alloc(
				arena, lab->protocol->state_size > 0 ? lab->protocol->state_size : 1);
			twins->second.n_multicasts = UINT32_C(1) << 30;
			twins->second.stream = random_stream_make(lab->seed, RANDOM_PROTOCOL, SECOND_TWIN + i);
			replica_init(lab, &twins->second.replica);
		}
	}
}

void twins_finish(struct lab *lab)
{
	for (uint32_t i = 0; lab->twins != NULL && i < lab->world.n_validators; i++) {
		replica_finish(lab, &lab->twins[i].second.replica);
	}
}
