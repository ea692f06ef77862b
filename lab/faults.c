#include "transactions.h"
#include "faults.h"
#include "items.h"
#include "members.h"
#include "watch.h"

#include "engine/fault.h"

#include <string.h>

/* Who can tell `from` something (or, with `back`, whom it can), itself included, over live validators that pass
 * things on. O(links). `reached`, `queue`: scratch, by validator. */
static uint32_t n_in_reach(
	const struct world *world, uint32_t from, bool back, bool *reached, uint32_t *queue)
{
	uint32_t n_reached = 0;
	memset(reached, 0, world->n_validators * sizeof(*reached));
	reached[from] = true;
	queue[n_reached++] = from;
	for (uint32_t i = 0; i < n_reached; i++) {
		uint32_t n_peers;
		const uint32_t *peers = node_peers(&world->nodes[queue[i]], &n_peers);
		for (uint32_t k = 0; k < n_peers; k++) {
			uint32_t to = peers[k];
			if (!reached[to] && world->nodes[to].alive &&
				(back ? world_reaches(world, to, queue[i]) : world_reaches(world, queue[i], to))) {
				reached[to] = true;
				queue[n_reached++] = to;
			}
		}
	}
	return n_reached;
}

/* The same as below of a protocol whose validators pass on what they hear: by ways, not by links alone. */
static bool quorum_on_ways(const struct world *world, uint32_t quorum)
{
	uint32_t n = world->n_validators;
	struct arena scratch = {0};
	bool *reached = arena_array(&scratch, bool, n), heard = false, hears = false;
	uint32_t *queue = arena_array(&scratch, uint32_t, n);
	for (uint32_t a = 0; a < n && !(heard && hears); a++) {
		if (world->nodes[a].alive) {
			heard |= n_in_reach(world, a, false, reached, queue) >= quorum;
			hears |= n_in_reach(world, a, true, reached, queue) >= quorum;
		}
	}
	arena_finish(&scratch);
	return heard && hears;
}

/* Is there a live validator that `quorum` of the live, itself included, can tell something, and one (it may
 * be another) that hears as many? Necessary for anything to be agreed on, not sufficient. */
static bool quorum_in_touch(const struct world *world, uint32_t quorum)
{
	uint32_t n = world->n_validators;
	bool heard = false, hears = false;
	for (uint32_t a = 0; a < n && !(heard && hears); a++) {
		uint32_t n_reached = 0, n_reaching = 0;
		for (uint32_t b = 0; world->nodes[a].alive && b < n; b++) {
			if (world->nodes[b].alive) {
				n_reached += world_reaches(world, a, b);
				n_reaching += world_reaches(world, b, a);
			}
		}
		heard |= n_reached >= quorum;
		hears |= n_reaching >= quorum;
	}
	return heard && hears;
}

/* Once validators are down or cut for good, a quorum may be out of reach for ever: said at once. */
void faults_links(struct world *world)
{
	struct lab *lab = world->host;
	if (world->n_changes_pending > 0 || (lab->items->arrivals_over && lab->items->n_accepted == lab->items->n)) {
		return;
	}
	uint32_t n = world->n_validators, live = 0;
	for (uint32_t i = 0; i < n; i++) {
		live += world->nodes[i].alive;
	}
	if (lab->members != NULL) {
		if (!members_change_to_come(lab) && !members_in_touch(lab)) {
			lab_end(lab, "stalled",
				"from %g s on %u of %u validators are live, and no quorum of members can reach each other",
				sim_time_to_s(world->now), live, n);
		}
		return;
	}
	uint32_t quorum = lab->protocol->quorum(
		lab->scenario->protocol.settings, n, (uint32_t)lab->scenario->n_faulty);
	if (live < quorum) {
		lab_end(lab, "stalled", "from %g s on %u of %u validators are live; a quorum needs %u",
			sim_time_to_s(world->now), live, n, quorum);
	} else if (lab->protocol->relays ? (world->n_cuts > 0 || world->links != NULL) && !quorum_on_ways(world, quorum)
									 : world->n_cuts > 0 && !quorum_in_touch(world, quorum)) {
		lab_end(lab, "stalled",
			"from %g s on no %u of the %u live validators can reach each other; a quorum needs %u",
			sim_time_to_s(world->now), quorum, live, quorum);
	}
}

bool faults_step(struct world *world, struct node *node, const struct fault_step *step)
{
	const struct lab *lab = world->host;
	struct protocol_step_argument argument = {
		.to = step->to < 0 ? NODE_NONE : (uint32_t)step->to,
		.members = step->members,
		.learners = step->learners,
		.joint = step->joint,
		.force = step->force,
	};
	assert(step->action != STEP_RESTART); /* the engine's own */
	return lab->protocol->step != NULL && twins_step(node, (enum protocol_step)step->action, &argument);
}

/* Another batch: the same transactions in another order; or another transaction; or, where there is no
 * other, none. */
static const struct batch *another(
	void *context, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct lab *lab = context;
	struct node *node = &lab->world.nodes[0]; /* for its memory; batches are nobody's */
	transaction_id transactions[1];
	if (batch->n > 1) {
		transaction_id *reversed = arena_array(node_arena(node), transaction_id, batch->n);
		for (uint32_t i = 0; i < batch->n; i++) {
			reversed[i] = batch->transactions[batch->n - 1 - i];
		}
		return node_batch(node, reversed, batch->n);
	}
	uint32_t n = (uint32_t)lab->transactions->n;
	transactions[0] = batch->n == 1 && n > 0 ? (batch->transactions[0] + n - 1) % n : 0;
	bool other = n > 0 && (batch->n == 0 || transactions[0] != batch->transactions[0]);
	return node_batch(node, transactions, other);
}

bool faults_forge(struct node *node, uint32_t to, struct message *copy)
{
	struct lab *lab = lab_of(node);
	const struct protocol_forgery *forgery = lab->protocol->forgery;
	if (forgery == NULL || copy->kind < MESSAGE_PROTOCOL) {
		return false;
	}
	switch (forgery->role(copy)) {
	case ROLE_PROPOSAL:
		return forgery->propose != NULL && forgery->propose(node, copy, another, lab_of(node));
	case ROLE_VOTE:
		if (forgery->vote == NULL) {
			return forgery->grant != NULL && forgery->grant(node, copy);
		}
		forgery->vote(node, copy, copy->digest ^ 2); /* odd like any batch's */
		return true;
	case ROLE_CERTIFICATE:
		if (forgery->claim != NULL) {
			forgery->claim(node, copy);
		}
		return forgery->claim != NULL;
	default:
		return false;
	}
}
