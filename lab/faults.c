#include "transactions.h"
#include "enough.h"
#include "faults.h"
#include "items.h"
#include "members.h"
#include "watch.h"

#include "engine/fault.h"

/* Of heads. */
static uint32_t quorum_of(const struct lab *lab)
{
	const struct scenario *scenario = lab->scenario;
	return lab->protocol->quorum(
		scenario->protocol.settings, lab->world.n_validators, (uint32_t)scenario->n_faulty);
}

/* No quorum is live; in words. */
static void say_down(struct lab *lab, uint32_t live)
{
	uint32_t n = lab->world.n_validators;
	double now_s = sim_time_to_s(lab->world.now);
	if (enough_by_weight(lab)) {
		lab_end(lab, "stalled", "from %g s on %u of %u validators are live, and these are no quorum", now_s, live, n);
	} else {
		lab_end(lab, "stalled", "from %g s on %u of %u validators are live; a quorum needs %u", now_s, live, n,
			quorum_of(lab));
	}
}

/* No quorum is in touch with each other; in words. */
static void say_apart(struct lab *lab, uint32_t live)
{
	uint32_t n = lab->world.n_validators;
	double now_s = sim_time_to_s(lab->world.now);
	if (lab->members) {
		lab_end(lab, "stalled",
			"from %g s on %u of %u validators are live, and no quorum of members can reach each other", now_s,
			live, n);
	} else if (enough_by_weight(lab)) {
		lab_end(lab, "stalled",
			"from %g s on no quorum of the %u live validators can reach each other", now_s, live);
	} else {
		uint32_t quorum = quorum_of(lab);
		lab_end(lab, "stalled",
			"from %g s on no %u of the %u live validators can reach each other; a quorum needs %u", now_s,
			quorum, live, quorum);
	}
}

/* Once validators are down or cut for good, a quorum may be out of reach for ever: said at once. */
void faults_links(struct world *world)
{
	struct lab *lab = world->host;
	bool over = lab->items->arrivals_over && lab->items->n_accepted == lab->items->n;
	if (world->n_changes_pending > 0 || over || (lab->members && members_change_to_come(lab))) {
		return;
	}
	uint32_t live = 0;
	for (uint32_t i = 0; i < world->n_validators; i++) {
		live += world->nodes[i].alive;
	}
	bool apart = lab->members || world->n_cuts > 0 || (lab->protocol->relays && world->links != NULL);
	if (!lab->members && !enough_live(lab)) {
		say_down(lab, live);
	} else if (apart && !enough_in_touch(lab)) {
		say_apart(lab, live);
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
		forgery->vote(node, copy, &(const struct batch){.digest = copy->digest ^ 2}); /* odd like any batch's */
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
