/* Membership changes: one server at a time (thesis 4.1, 4.2) or by joint consensus (Raft 6, thesis 4.3). */
#include "raft.h"

static uint32_t role_of(const uint64_t *voters, const uint64_t *learners, uint32_t i)
{
	return bits_test(voters, i) ? 2 : bits_test(learners, i) ? 1 : 0;
}

static bool is_as_wanted(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	size_t bytes = bits_words(node->n_validators) * sizeof(uint64_t);
	return raft->config->old == NULL &&
		memcmp(raft->config->voters, raft->change->voters, bytes) == 0 &&
		memcmp(raft->config->learners, raft->change->learners, bytes) == 0;
}

/* The one server that is next to change: new voters first, the leader itself last; NODE_NONE: none. */
static uint32_t next_server(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	const struct raft_config *now = raft->config;
	const struct raft_change *change = raft->change;
	uint32_t next = NODE_NONE;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		uint32_t wanted = role_of(change->voters, change->learners, i);
		if (wanted == role_of(now->voters, now->learners, i)) {
			continue;
		}
		if (wanted == 2) {
			return i;
		}
		if (next == NODE_NONE || next == node->id) {
			next = i;
		}
	}
	return next;
}

static void set_bit(uint64_t *set, uint32_t i, bool on)
{
	uint64_t mask = UINT64_C(1) << (i & 63);
	set[i >> 6] = on ? set[i >> 6] | mask : set[i >> 6] & ~mask;
}

static void append_config(struct node *node, const uint64_t *voters, const uint64_t *old,
	const uint64_t *learners)
{
	const struct raft_config *config =
		raft_config_make(node, voters, old, learners, raft_of(node)->last + 1);
	raft_append_and_replicate(node, raft_config_batch(config));
}

/* Has a server that is to get a vote caught up? Thesis 4.2.1: entries are replicated to it in rounds, each
 * of those that the log holds at its beginning; when a round takes less than an election timeout, adding
 * the server does not make the others wait. */
static bool has_caught_up(struct node *node, uint32_t i)
{
	struct raft *raft = raft_of(node);
	struct raft_round *round = &raft->change->rounds[i];
	const struct raft_peer *peer = &raft->peers[i];
	sim_time now = node_now(node);
	while (!round->caught_up &&
		(round->n == 0 || (peer->match >= round->end && (peer->match > 0 || peer->in_step)))) {
		if (round->n > 0 && now - round->began < raft_settings_of(node)->election_timeout_ns[0]) {
			node_log(node, "round within an election timeout -> caught up");
			round->caught_up = true;
			break;
		}
		round->n++;
		round->end = raft->last;
		round->began = now;
	}
	return round->caught_up;
}

/* Thesis 4.2.1: a server that is not available, or too slow ever to catch up, is not added. */
static bool is_hopeless(const struct node *node, uint32_t i)
{
	const struct raft_round *round = &raft_of(node)->change->rounds[i];
	sim_time timeout = raft_settings_of(node)->election_timeout_ns[0];
	return !round->caught_up && timeout != SIM_NEVER &&
		(round->n > RAFT_ROUNDS ||
			(round->n > 0 && (node_now(node) - round->began) / RAFT_ROUNDS >= timeout));
}

/* Have all servers that are about to get a vote caught up? False also where the change is given up. */
static bool have_caught_up(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_change *change = raft->change;
	uint32_t only = change->joint ? NODE_NONE : next_server(node);
	bool all = true;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		if ((only != NODE_NONE && i != only) || i == node->id || !bits_test(change->voters, i) ||
			bits_test(raft->config->voters, i)) {
			continue;
		}
		all = has_caught_up(node, i) && all;
		if (is_hopeless(node, i)) {
			node_log(node, "new server does not catch up -> give up the change");
			raft_change_drop(node);
			raft_recount_members(node);
			return false;
		}
	}
	return all;
}

static void append_next(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_config *now = raft->config;
	const struct raft_change *change = raft->change;
	if (change->joint) {
		/* Raft 6: first the joint configuration, C_old,new. */
		node_log(node, "change by joint consensus -> append C_old,new");
		append_config(node, change->voters, now->voters, change->learners);
		return;
	}
	/* Thesis 4.1: one server at a time, so that any two majorities, of before and after, overlap. */
	uint32_t n_words = bits_words(node->n_validators);
	uint32_t next = next_server(node);
	uint64_t *voters = arena_array(node_arena(node), uint64_t, 2 * (size_t)n_words);
	uint64_t *learners = voters + n_words;
	memcpy(voters, now->voters, n_words * sizeof(*voters));
	memcpy(learners, now->learners, n_words * sizeof(*learners));
	set_bit(voters, next, bits_test(change->voters, next));
	set_bit(learners, next, bits_test(change->learners, next));
	node_log(node, bits_test(voters, next) ? "add a voter -> append C_new"
			: bits_test(learners, next)    ? "make a learner -> append C_new"
										   : "remove a server -> append C_new");
	append_config(node, voters, NULL, learners);
}

void raft_change_go_on(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_config *config = raft->config;
	/* Thesis 4.1: the next change begins when the last is committed; and, as its author amended (raft-dev,
	 * "bug in single-server membership changes", 2015), when the leader has committed an entry of its own
	 * term. */
	if (raft->role != RAFT_LEADER || config->index > raft->commit || raft->commit < raft->own_first) {
		return;
	}
	if (config->index > 0 && config->index == raft->applied) {
		/* Departs from thesis 4.2.2, where a server that is left out never hears of the commitment and
		 * goes on with elections: a last append tells it. */
		raft_say_farewell(node);
	}
	if (config->old != NULL) {
		/* Raft 6: once C_old,new is committed, the leader appends C_new. */
		node_log(node, "C_old,new committed -> append C_new");
		append_config(node, config->voters, NULL, config->learners);
		return;
	}
	if (config->index > 0 && !bits_test(config->voters, node->id)) {
		/* Raft 6, thesis 4.2.2: a leader that is not in C_new steps down when it is committed. */
		node_log(node, "C_new without the leader committed -> step down");
		raft_resign(node);
		return;
	}
	if (raft->change == NULL) {
		return;
	}
	if (is_as_wanted(node)) {
		node_log(node, "membership is as wanted -> done");
		raft_change_drop(node);
	} else if (have_caught_up(node)) {
		append_next(node);
	}
}

void raft_change_drop(struct node *node)
{
	struct raft *raft = raft_of(node);
	/* Whoever leads next goes on from C_old,new; what was to follow a single change is forgotten. */
	raft->n_changes_given_up +=
		raft->change != NULL && raft->config->old == NULL && !is_as_wanted(node);
	raft->change = NULL;
	raft->attentive = raft->transfer_to != NODE_NONE;
}

bool raft_change_members(struct node *node, const struct protocol_step_argument *argument)
{
	struct raft *raft = raft_of(node);
	if (raft->role != RAFT_LEADER || raft->change != NULL || raft->transfer_to != NODE_NONE ||
		argument->members.n == 0) {
		return false;
	}
	uint32_t n_words = bits_words(node->n_validators);
	uint64_t *voters = arena_array(node_arena(node), uint64_t, 2 * (size_t)n_words);
	uint64_t *learners = voters + n_words;
	for (size_t i = 0; i < argument->members.n; i++) {
		bits_add(voters, argument->members.nodes[i]);
	}
	for (size_t i = 0; i < argument->learners.n; i++) {
		if (!bits_test(voters, argument->learners.nodes[i])) {
			bits_add(learners, argument->learners.nodes[i]);
		}
	}
	struct raft_change *change = arena_new(node_arena(node), struct raft_change);
	change->joint = argument->joint;
	change->voters = voters;
	change->learners = learners;
	change->rounds = arena_array(node_arena(node), struct raft_round, node->n_validators);
	raft->change = change;
	if (is_as_wanted(node)) {
		raft->change = NULL;
		return false;
	}
	/* From now on matches are compared, and not counted entry by entry: some servers hold entries that
	 * have no say in them. */
	raft->plain = false;
	raft->attentive = true;
	raft_recount_members(node);
	raft_change_go_on(node);
	return true;
}
