/* Reads that are linearizable and not ordered. Thesis 6.4. */
#include "raft.h"

static void send_round(struct node *node)
{
	struct raft *raft = raft_of(node);
	raft->round++;
	raft->round_at = node_now(node);
	for (uint32_t to = 0; to < node->n_validators; to++) {
		if (!raft->to_all && (to == node->id || !raft_is_voter(raft->config, to))) {
			continue;
		}
		struct message *message =
			node_message(node, RAFT_CONFIRM, CLASS_HEARTBEAT, RAFT_HEADER_BYTES);
		message->view = raft->term;
		message->instance = raft->round;
		message->extra = (uint64_t)node_now(node);
		if (raft->to_all) {
			node_multicast(node, message);
			return;
		}
		node_send(node, to, message);
	}
}

/* How far rounds have been confirmed by a majority. */
static void count_confirmed(struct node *node)
{
	struct raft *raft = raft_of(node);
	for (uint32_t i = 0; i < node->n_validators; i++) {
		raft->values[i] = raft->peers[i].confirmed_round;
	}
	raft->values[node->id] = raft->round;
	raft->round_confirmed = raft_reached(node, raft->values);
}

/* A round of heartbeats. Where the leader is a majority by itself, maybe only since a change of members, it is
 * confirmed at once, and what has waited for an earlier round as well: nobody answers. */
static void confirm(struct node *node)
{
	send_round(node);
	count_confirmed(node);
	raft_serve_reads(node);
}

/* Thesis 6.4.1: after a majority has answered a heartbeat, no other leader is elected for an election
 * timeout from when it was sent, divided by how much faster another's clock may run. */
static bool has_lease(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	/* Thesis 6.4.1: who hands over the lead gives up the lease: TimeoutNow may be under way still. */
	if (settings->reads != RAFT_READS_LEASE || raft->transferred) {
		return false;
	}
	for (uint32_t i = 0; i < node->n_validators; i++) {
		sim_time at = raft->peers[i].confirmed_at;
		raft->values[i] = (uint64_t)(at + 1); /* 0: never */
	}
	raft->values[node->id] = (uint64_t)(node_now(node) + 1);
	sim_time sent_at = (sim_time)raft_reached(node, raft->values) - 1;
	double drift = PLANTED(settings, LEASE_SKEW) ? 0 : settings->clock_drift;
	double lease_ns = settings->lease * (double)settings->election_timeout_ns[0] / (1 + drift);
	return sent_at >= 0 && (double)(node_now(node) - sent_at) < lease_ns;
}

void raft_serve_reads(struct node *node)
{
	struct raft *raft = raft_of(node);
	while (raft->reads_n > 0) {
		const struct raft_read *read = &raft->reads[raft->reads_first];
		if (read->round > raft->round_confirmed || read->index > raft->applied) {
			return;
		}
		node_log(node, "read confirmed and applied -> answer");
		node_read(node, read->transaction, raft->term);
		raft->reads_first++;
		raft->reads_n--;
	}
	raft->reads_first = 0;
}

static void push(struct node *node, struct raft_read read)
{
	struct raft *raft = raft_of(node);
	if (raft->reads_n == 0) {
		raft->reads_first = 0;
	}
	size_t end = raft->reads_first + raft->reads_n;
	if (end == raft->reads_capacity && raft->reads_first > 0) {
		memmove(raft->reads, raft->reads + raft->reads_first, raft->reads_n * sizeof(read));
		raft->reads_first = 0;
		end = raft->reads_n;
	}
	raft->reads = arena_grow(node_arena(node), raft->reads, sizeof(read), end, end + 1,
		&raft->reads_capacity);
	raft->reads[end] = read;
	raft->reads_n++;
}

void raft_on_read(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (raft->role != RAFT_LEADER) {
		node_log(node, "read at a follower -> answer with the leader");
		raft_hint(node, message);
		return;
	}
	/* Thesis 6.4, 1 and 2: the read index is the commit index, once the leader has committed an entry of
	 * its term: before, it may not know all that is committed. */
	struct raft_read read = {.transaction = (transaction_id)message->instance};
	read.index = raft->commit > raft->own_first ? raft->commit : raft->own_first;
	if (has_lease(node)) {
		node_log(node, "read under the lease -> no heartbeats");
		read.round = raft->round_confirmed;
		push(node, read);
		raft_serve_reads(node);
		return;
	}
	/* Thesis 6.4, 3: a round of heartbeats that begins later confirms that nobody else has led by now.
	 * One round serves all that wait for it: the next begins when the last is through. */
	node_log(node, "read -> confirm the lead by heartbeats");
	count_confirmed(node);
	bool idle = raft->round_confirmed == raft->round;
	read.round = raft->round + 1;
	push(node, read);
	if (idle) {
		confirm(node);
	}
}

void raft_on_confirm(struct node *node, const struct message *message)
{
	bool follows = raft_follow(node, message);
	if (!follows) {
		node_log(node, "heartbeat of an old term -> refuse");
	}
	struct message *answer =
		node_message(node, RAFT_CONFIRM_ANSWER, CLASS_HEARTBEAT, RAFT_HEADER_BYTES);
	answer->view = raft_of(node)->term;
	answer->flags = follows ? RAFT_FLAG_YES : 0;
	answer->instance = message->instance;
	answer->extra = message->extra;
	raft_answer(node, message->from, answer);
}

void raft_on_confirm_answer(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
		return;
	}
	/* A refusal confirms nothing: it may answer a round of a term that this server led before. */
	if (raft->role != RAFT_LEADER || message->view < raft->term || (message->flags & RAFT_FLAG_YES) == 0) {
		return;
	}
	struct raft_peer *peer = &raft->peers[message->from];
	peer->answered_at = node_now(node);
	if (message->instance > peer->confirmed_round) {
		peer->confirmed_round = message->instance;
		peer->confirmed_at = PLANTED(raft_settings_of(node), LEASE_RECEIPT)
			? node_now(node)
			: (sim_time)message->extra;
	}
	count_confirmed(node);
	raft_serve_reads(node);
	bool waits = raft->reads_n > 0 &&
		raft->reads[raft->reads_first + raft->reads_n - 1].round > raft->round;
	if (waits && raft->round_confirmed == raft->round) {
		confirm(node);
	}
}

void raft_confirm_again(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	bool waits = raft->reads_n > 0 &&
		raft->reads[raft->reads_first + raft->reads_n - 1].round > raft->round_confirmed &&
		node_now(node) - raft->round_at >= settings->heartbeat_ns;
	/* A round that was lost is repeated; a lease is renewed. */
	if (waits || settings->reads == RAFT_READS_LEASE) {
		confirm(node);
	}
}
