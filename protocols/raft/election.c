/* Elections. Raft 5.2, 5.4.1; thesis 3.10, 4.2.3, 6.2, 9.6. */
#include "raft.h"

void raft_reset_election_timer(struct node *node)
{
	const struct raft_settings *settings = raft_settings_of(node);
	if (settings->election_timeout_ns[0] == SIM_NEVER) {
		return;
	}
	/* Raft 5.2: timeouts are chosen randomly from a fixed interval. */
	sim_time min = settings->election_timeout_ns[0];
	sim_time span = settings->election_timeout_ns[1] - min;
	sim_time timeout =
		min + (span > 0 ? (sim_time)random_below(&node->stream, (uint64_t)span + 1) : 0);
	node_timer_set(node, RAFT_TIMER_ELECTION, sim_time_add(node_now(node), timeout));
}

static void set_term(struct node *node, uint64_t term, uint32_t voted_for)
{
	struct raft *raft = raft_of(node);
	raft->term = term;
	raft->voted_for = voted_for;
	if (raft->disk != NULL) {
		raft_storage_changed(node, UINT64_MAX);
	}
}

static void stop_leading(struct node *node)
{
	struct raft *raft = raft_of(node);
	node_timer_cancel(node, RAFT_TIMER_HEARTBEAT);
	node_timer_cancel(node, RAFT_TIMER_BATCH);
	node_timer_cancel(node, RAFT_TIMER_RESEND);
	node_timer_cancel(node, RAFT_TIMER_TRANSFER);
	raft->requests.n = 0; /* what was not proposed, the clients ask for again */
	raft->reads_n = 0;
	raft->transfer_to = NODE_NONE;
	raft_change_drop(node);
	raft_reset_election_timer(node);
	raft_tell_clients(node, NODE_NONE);
}

void raft_step_down(struct node *node, uint64_t term)
{
	struct raft *raft = raft_of(node);
	assert(term >= raft->term);
	if (term > raft->term) {
		node_log(node, "higher term -> follow");
		set_term(node, term, NODE_NONE);
		raft->leader = NODE_NONE;
		node_follows(node, term, NODE_NONE);
	}
	if (raft->role == RAFT_LEADER) {
		stop_leading(node);
	}
	raft->role = RAFT_FOLLOWER;
}

void raft_resign(struct node *node)
{
	struct raft *raft = raft_of(node);
	assert(raft->role == RAFT_LEADER);
	stop_leading(node);
	raft->role = RAFT_FOLLOWER;
	raft->leader = NODE_NONE;
	node_follows(node, raft->term, NODE_NONE);
}

void raft_lead(struct node *node, bool first)
{
	struct raft *raft = raft_of(node);
	raft->role = RAFT_LEADER;
	raft->leader = node->id;
	node_timer_cancel(node, RAFT_TIMER_ELECTION);
	node_leads(node, raft->term, LEAD_CHANGE);
	node_follows(node, raft->term, node->id);
	raft->requests.n = 0;
	raft->proposed = (struct growing_bits){0};
	for (uint64_t index = raft->applied + 1; index <= raft->last; index++) {
		raft->log[index - 1].n_acks = 0;
		const struct batch *batch = raft->log[index - 1].batch;
		for (uint32_t i = 0; i < batch->n; i++) {
			growing_bits_add(&raft->proposed, node_arena(node), batch->transactions[i]);
		}
	}
	/* Raft fig. 2, volatile state on leaders: nextIndex = last log index + 1, matchIndex = 0. */
	for (uint32_t i = 0; i < node->n_validators; i++) {
		raft->peers[i] = (struct raft_peer){.next = raft->last + 1,
			.in_step = first,
			.member = true,
			.resend_bytes = RAFT_RESEND_BYTES_MIN,
			.answered_at = node_now(node),
			.confirmed_at = -1};
	}
	raft->last_at_tick = raft->last;
	raft->n_out_of_step = first ? 0 : node->n_validators - 1;
	raft->to_all = true;
	if (!raft->plain) {
		raft_recount_members(node);
	}
	raft->snapshot_to = NODE_NONE;
	raft->own_first = first ? 0 : raft->last + 1;
	raft->transferred = false;
	raft->attentive = false;
	raft->reads_n = 0;
	raft->round = raft->round_confirmed = 0;
	sim_time heartbeat_ns = raft_settings_of(node)->heartbeat_ns;
	if (heartbeat_ns != SIM_NEVER) {
		sim_time at = sim_time_add(node_now(node), heartbeat_ns);
		node_timer_set(node, RAFT_TIMER_HEARTBEAT, at);
		node_timer_set(node, RAFT_TIMER_RESEND, at);
	}
	if (first) {
		raft_heartbeat(node);
	} else {
		/* Raft 8: a new leader commits a no-op, to find out which entries are committed. */
		raft_propose_noop(node);
		raft_tell_clients(node, node->id);
	}
}

/* Leads if the votes suffice. Departs from the thesis (10.2.1), where a server votes for itself before it
 * asks: here it asks while its own vote is being written, but leads only when it is, since a restart must
 * not let it lead the same term again. */
static void count_votes(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_disk *disk = raft->disk;
	if (disk != NULL && (disk->said.term != raft->term || disk->said.voted_for != node->id)) {
		return;
	}
	/* Raft 5.2: votes from a majority of the full cluster for the same term. */
	if (raft_is_quorum(node, raft->votes)) {
		node_log(node, "votes from a majority -> lead");
		raft_lead(node, false);
	}
}

void raft_own_vote_written(struct node *node)
{
	struct raft *raft = raft_of(node);
	if (raft->role == RAFT_CANDIDATE && !bits_test(raft->votes, node->id) &&
		raft->disk->said.term == raft->term && raft->disk->said.voted_for == node->id) {
		bits_add(raft->votes, node->id);
		count_votes(node);
	}
}

/* Asks all voters but itself. */
static void ask_for_votes(struct node *node, unsigned kind, uint64_t term, unsigned flags)
{
	struct raft *raft = raft_of(node);
	struct message request = {.view = term, .flags = (uint16_t)flags};
	request.instance = raft_claim(raft, &request.digest);
	uint32_t n_asked = 0;
	for (uint32_t to = 0; to < node->n_validators; to++) {
		n_asked += to != node->id && raft_is_voter(raft->config, to);
	}
	for (uint32_t to = 0; to < node->n_validators; to++) {
		bool all = n_asked == node->n_validators - 1;
		if (!all && (to == node->id || !raft_is_voter(raft->config, to))) {
			continue;
		}
		struct message *message =
			node_message(node, kind, CLASS_CONTROL, RAFT_HEADER_BYTES);
		message->view = request.view;
		message->flags = request.flags;
		message->instance = request.instance;
		message->digest = request.digest;
		if (all) {
			node_multicast(node, message);
			return;
		}
		node_send(node, to, message);
	}
}

static void become_candidate(struct node *node, unsigned flags)
{
	struct raft *raft = raft_of(node);
	/* Raft fig. 2, candidates: increment currentTerm, vote for self, reset the timer, ask all. */
	set_term(node, raft->term + 1, node->id);
	raft->role = RAFT_CANDIDATE;
	raft->leader = NODE_NONE;
	node_candidate(node, raft->term);
	node_follows(node, raft->term, NODE_NONE);
	raft_reset_election_timer(node);
	memset(raft->votes, 0, bits_words(node->n_validators) * sizeof(uint64_t));
	ask_for_votes(node, RAFT_VOTE, raft->term, flags);
	if (raft->disk == NULL) {
		bits_add(raft->votes, node->id);
		count_votes(node);
	}
}

void raft_campaign(struct node *node)
{
	node_log(node, "election timeout -> candidate");
	become_candidate(node, 0);
}

static void campaign(struct node *node, bool by_step)
{
	if (by_step) {
		node_log(node, "step -> candidate");
		become_candidate(node, 0);
	} else {
		raft_campaign(node);
	}
}

void raft_campaign_now(struct node *node)
{
	node_log(node, "told to campaign now -> candidate");
	become_candidate(node, RAFT_FLAG_TRANSFER);
}

/* Thesis 9.6: a server asks first whether it would be elected, and takes the new term only then. */
static void ask_for_pre_votes(struct node *node, bool by_step)
{
	struct raft *raft = raft_of(node);
	node_log(node, by_step ? "step -> ask for pre-votes" : "election timeout -> ask for pre-votes");
	raft->role = RAFT_PRE_CANDIDATE;
	if (raft->leader != NODE_NONE) {
		raft->leader = NODE_NONE;
		node_follows(node, raft->term, NODE_NONE);
	}
	raft_reset_election_timer(node);
	memset(raft->votes, 0, bits_words(node->n_validators) * sizeof(uint64_t));
	bits_add(raft->votes, node->id);
	if (raft_is_quorum(node, raft->votes)) {
		campaign(node, by_step);
		return;
	}
	ask_for_votes(node, RAFT_PRE_VOTE, raft->term + 1, 0);
}

void raft_election_begin(struct node *node, bool by_step, bool force)
{
	struct raft *raft = raft_of(node);
	const struct raft_config *config = raft->config;
	/* Thesis 4.2.2: a server that its latest configuration leaves out may be needed as a leader as long
	 * as that is not committed, and not after. */
	bool may = raft_is_voter(config, node->id) ||
		(config->index > raft->commit && raft_is_voter(config->prev, node->id));
	if (!may) {
		/* Nor does it go on naming to clients a leader that it no longer hears. */
		node_log(node, "no voter -> no election");
		if (raft->leader != NODE_NONE) {
			raft->leader = NODE_NONE;
			node_follows(node, raft->term, NODE_NONE);
		}
	} else if (raft_settings_of(node)->pre_vote && !force) {
		ask_for_pre_votes(node, by_step);
	} else {
		campaign(node, by_step);
	}
}

/* Has it heard from a leader within the smallest election timeout? A leader has. Where that is off, only
 * steps make candidates: they are not refused for ever because of a leader that is down. Without heartbeats
 * no leader looks whether it has a quorum (raft_check_quorum), and so none is one to refuse others for. */
static bool hears_leader(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	sim_time timeout = settings->election_timeout_ns[0];
	return raft->role == RAFT_LEADER ||
		(raft->heard_at >= 0 && timeout != SIM_NEVER && settings->heartbeat_ns != SIM_NEVER &&
			node_now(node) - raft->heard_at < timeout);
}

/* Raft 5.4.1: the candidate's log must be at least as up-to-date. */
static bool is_up_to_date(const struct node *node, const struct message *request)
{
	const struct raft *raft = raft_of(node);
	uint64_t last_term = raft_term_at(raft, raft->last);
	return request->digest > last_term ||
		(request->digest == last_term && request->instance >= raft->last) ||
		PLANTED(raft_settings_of(node), LOCK_DROPPED);
}

/* Thesis 4.2.1: a learner receives the log and is not counted for votes or commitment. A candidate asks
 * whom its own latest configuration calls a voter; that may be newer than the one here (4.1: requests are
 * served without regard to the server's own), but not where both logs end alike. */
static bool is_learner_to(const struct node *node, const struct message *request)
{
	const struct raft *raft = raft_of(node);
	return bits_test(raft->config->learners, node->id) && !raft_is_voter(raft->config, node->id) &&
		request->instance == raft->last && request->digest == raft_term_at(raft, raft->last);
}

static void answer_vote(struct node *node, const struct message *request, bool granted)
{
	bool pre = request->kind == RAFT_PRE_VOTE;
	struct message *answer = node_message(
		node, pre ? RAFT_PRE_VOTE_ANSWER : RAFT_VOTE_ANSWER, CLASS_CONTROL, RAFT_HEADER_BYTES);
	answer->view = raft_of(node)->term;
	answer->instance = pre ? request->view : 0;
	answer->flags = granted ? RAFT_FLAG_YES : 0;
	raft_answer(node, request->from, answer);
}

void raft_on_pre_vote(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	bool granted = false;
	if (message->view <= raft->term) {
		node_log(node, "pre-candidate's term is old -> refuse");
	} else if (hears_leader(node)) {
		/* Thesis 9.6: no pre-vote while a leader is heard. */
		node_log(node, "leader heard of late -> refuse the pre-vote");
	} else if (is_learner_to(node, message)) {
		node_log(node, "a learner does not vote -> refuse");
	} else if (!is_up_to_date(node, message)) {
		node_log(node, "pre-candidate's log is older -> refuse");
	} else {
		node_log(node, "it would be elected -> grant pre-vote");
		granted = true;
	}
	answer_vote(node, message, granted);
}

void raft_on_vote(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	/* Raft 6, thesis 4.2.3 and 6.2: who hears a leader neither takes over a candidate's term nor votes, so
	 * that servers that were removed or cut off don't disturb. Thesis 3.10: unless the leader wants it. */
	if ((raft_settings_of(node)->check_quorum || raft->config->index > 0) &&
		(message->flags & RAFT_FLAG_TRANSFER) == 0 && hears_leader(node)) {
		node_log(node, "leader heard of late -> ignore the candidate");
		return;
	}
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
	}
	bool granted = false;
	if (message->view < raft->term) {
		/* Raft fig. 2, RequestVote 1: reply false if term < currentTerm. */
		node_log(node, "candidate's term is old -> refuse");
	} else if (raft->voted_for != NODE_NONE && raft->voted_for != message->from) {
		/* Raft fig. 2, RequestVote 2: one vote a term. */
		node_log(node, "voted for another -> refuse");
	} else if (is_learner_to(node, message)) {
		node_log(node, "a learner does not vote -> refuse");
	} else if (!is_up_to_date(node, message)) {
		node_log(node, "candidate's log is older -> refuse");
	} else {
		node_log(node, "candidate's log is up to date -> grant vote");
		granted = true;
		if (raft->voted_for != message->from) {
			set_term(node, raft->term, message->from);
		}
		raft_reset_election_timer(node);
	}
	answer_vote(node, message, granted);
}

void raft_on_vote_answer(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
		return;
	}
	if ((message->flags & RAFT_FLAG_YES) == 0) {
		return;
	}
	if (message->kind == RAFT_PRE_VOTE_ANSWER) {
		if (raft->role == RAFT_PRE_CANDIDATE && message->instance == raft->term + 1) {
			bits_add(raft->votes, message->from);
			if (raft_is_quorum(node, raft->votes)) {
				node_log(node, "pre-votes from a majority -> candidate");
				become_candidate(node, 0);
			}
		}
	} else if (raft->role == RAFT_CANDIDATE && message->view == raft->term) {
		bits_add(raft->votes, message->from);
		count_votes(node);
	}
}

void raft_check_quorum(struct node *node)
{
	struct raft *raft = raft_of(node);
	for (uint32_t i = 0; i < node->n_validators; i++) {
		raft->values[i] = (uint64_t)raft->peers[i].answered_at;
	}
	raft->values[node->id] = (uint64_t)node_now(node);
	sim_time heard = (sim_time)raft_reached(node, raft->values);
	if (node_now(node) - heard >= raft_settings_of(node)->election_timeout_ns[0]) {
		/* Thesis 6.2: a leader steps down if an election timeout passes without answers from a majority. */
		node_log(node, "no majority has answered -> step down");
		raft_resign(node);
	}
}
