/* A leader replicates its log and commits. Raft 5.3, 5.4.2. */
#include "raft.h"

static const struct raft_entries *make_entries(struct node *node, uint64_t first, uint64_t last)
{
	const struct raft *raft = raft_of(node);
	uint32_t n = (uint32_t)(last - first + 1);
	struct raft_entries *entries =
		arena_alloc(node_arena(node), sizeof(*entries) + n * sizeof(entries->entries[0]));
	entries->n = n;
	for (uint32_t i = 0; i < n; i++) {
		entries->entries[i].term = raft->log[first - 1 + i].term;
		entries->entries[i].batch = raft->log[first - 1 + i].batch;
	}
	return entries;
}

/* An append of `entries` (NULL: none) after the entry at `prev`. */
static struct message *make_append(struct node *node, enum message_class class, uint64_t prev,
	const struct raft_entries *entries)
{
	struct raft *raft = raft_of(node);
	uint64_t bytes = RAFT_HEADER_BYTES;
	for (uint32_t i = 0; entries != NULL && i < entries->n; i++) {
		bytes += RAFT_ENTRY_BYTES + entries->entries[i].batch->size_bytes;
	}
	assert(bytes <= UINT32_MAX);
	struct message *message = node_message(node, RAFT_APPEND, class, (uint32_t)bytes);
	message->view = raft->term;
	message->instance = prev;
	message->digest = prev == 0 ? 0 : raft_term_at(raft, prev);
	message->extra = raft->commit;
	message->body = entries;
	return message;
}

/* The last entry that goes into one message to a server that lags. */
static uint64_t last_to_resend(const struct raft *raft, const struct raft_peer *peer)
{
	uint64_t last = peer->next - 1;
	uint64_t bytes = 0;
	while (last < raft->last && last - (peer->next - 1) < RAFT_RESEND_MAX) {
		bytes += RAFT_ENTRY_BYTES + raft->log[last].batch->size_bytes;
		if (last >= peer->next && bytes > peer->resend_bytes) {
			break;
		}
		last++;
	}
	return last;
}

/* An append of what a server lacks from its nextIndex on, up to `last`. */
static struct message *make_append_again(struct node *node, const struct raft_peer *peer, uint64_t last)
{
	const struct raft_entries *entries =
		last < peer->next ? NULL : make_entries(node, peer->next, last);
	return make_append(node, CLASS_CONTROL, peer->next - 1, entries);
}

/* An empty append after what the server is known to hold. Where that has been discarded, after nothing: it
 * then tells nothing of what is committed. */
static struct message *make_heartbeat(struct node *node, uint64_t match)
{
	return make_append(node, CLASS_HEARTBEAT, match < raft_of(node)->base ? 0 : match, NULL);
}

/* Sends a server that is out of step what it should have next; it answers whether that fits. As long as
 * it has not answered it is only asked again, without entries: those sent to a server that is down would
 * fill the leader's link. Such probes have the number of the first, so that one answer to them counts. */
static void probe(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	struct raft_peer *peer = &raft->peers[to];
	struct message *message;
	if (peer->probing) {
		uint64_t prev = peer->next - 1 > raft->base ? peer->next - 1 : raft->base;
		message = make_append(node, CLASS_CONTROL, prev, NULL);
	} else if (peer->next <= raft->base && raft->snapshot_to != NODE_NONE && raft->snapshot_to != to) {
		/* What others wait for would wait for several chunks. */
		node_log(node, "another is being sent a snapshot -> wait");
		node_send(node, to, make_heartbeat(node, peer->match));
		return;
	} else {
		peer->probing = true;
		peer->probe = (peer->probe + 1) & RAFT_PROBE_MASK;
		peer->probed_at = node_now(node);
		if (peer->next <= raft->base) {
			/* Raft 7: what it needs next has been discarded. */
			node_log(node, "next entry is discarded -> send the snapshot");
			raft_send_snapshot(
				node, to, (uint16_t)(RAFT_FLAG_PROBE | peer->probe << RAFT_PROBE_SHIFT));
			return;
		}
		message = make_append_again(node, peer, last_to_resend(raft, peer));
	}
	message->flags = (uint16_t)(RAFT_FLAG_PROBE | peer->probe << RAFT_PROBE_SHIFT);
	node_send(node, to, message);
}

/* No chunk is under way to that server any more: the next one that needs a snapshot has its turn. */
static void end_snapshot(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	if (raft->snapshot_to != to) {
		return;
	}
	raft->snapshot_to = NODE_NONE;
	for (uint32_t k = 1; k < node->n_validators && raft->snapshot_to == NODE_NONE; k++) {
		uint32_t i = (to + k) % node->n_validators;
		const struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && peer->member && !peer->in_step && !peer->probing && peer->next <= raft->base) {
			probe(node, i);
		}
	}
}

static void set_out_of_step(struct raft *raft, struct raft_peer *peer)
{
	assert(peer->in_step);
	peer->in_step = false;
	peer->probing = false;
	peer->heard = false;
	peer->resend_bytes = RAFT_RESEND_BYTES_MIN;
	raft->n_out_of_step++;
}

/* Sends the newest entry to whoever is in step: one multicast where all are. */
static void replicate_last(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_entries *entries = make_entries(node, raft->last, raft->last);
	if (raft->n_out_of_step == 0 && raft->to_all) {
		node_multicast(node, make_append(node, CLASS_AGREEMENT, raft->last - 1, entries));
		return;
	}
	for (uint32_t to = 0; to < node->n_validators; to++) {
		if (to == node->id || !raft->peers[to].member) {
			continue;
		}
		if (raft->peers[to].in_step) {
			node_send(node, to, make_append(node, CLASS_AGREEMENT, raft->last - 1, entries));
		} else if (!raft->peers[to].probing) {
			probe(node, to);
		}
	}
}

/* Raft fig. 2, leaders: if there is an N > commitIndex that a majority of matchIndex reach and
 * log[N].term == currentTerm, set commitIndex = N (5.3, 5.4.2). Entries of older terms are committed by
 * it, never by counting. A majority holds `index`. */
static void commit_to(struct node *node, uint64_t index)
{
	struct raft *raft = raft_of(node);
	if (index > raft->commit && (raft->log[index - 1].term == raft->term ||
									PLANTED(raft_settings_of(node), OLD_TERM_COUNTED))) {
		raft->commit = index;
		raft_apply_committed(node);
		raft_propose(node);
	}
}

void raft_advance_commit(struct node *node)
{
	struct raft *raft = raft_of(node);
	if (raft->plain) {
		if (raft->majority <= 1) { /* a cluster of one */
			commit_to(node, raft->last);
		}
		return;
	}
	for (uint32_t i = 0; i < node->n_validators; i++) {
		raft->values[i] = raft->peers[i].match;
	}
	/* Thesis 10.2.1: a leader counts itself when it has written the entry, and may commit before. */
	raft->values[node->id] = raft_stored(raft);
	uint64_t reached = raft_reached(node, raft->values);
	commit_to(node, reached < raft->last ? reached : raft->last);
}

void raft_append_and_replicate(struct node *node, const struct batch *batch)
{
	struct raft *raft = raft_of(node);
	raft_append_to_log(node, raft->term, batch);
	raft->pace.proposed_at = node_now(node);
	node_proposed(node, raft->last, raft->term, batch);
	replicate_last(node);
	/* Raft 5.2: heartbeats are for idle periods. Each append puts the next one off by a whole interval,
	 * so that no follower ever hears nothing for longer than that. */
	if (raft_settings_of(node)->heartbeat_ns != SIM_NEVER) {
		node_timer_set(node, RAFT_TIMER_HEARTBEAT,
			sim_time_add(node_now(node), raft_settings_of(node)->heartbeat_ns));
	}
	raft_advance_commit(node);
}

void raft_propose_noop(struct node *node)
{
	raft_append_and_replicate(node, node_batch(node, NULL, 0));
}

sim_time raft_gap_ns(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct node_costs costs = node_costs(node);
	/* An append to each and its answer; of a follower one of either. */
	double others = raft->role == RAFT_LEADER ? node->n_validators - 1 : 1;
	double work_ns = (double)costs.sign_ns +
		others * ((double)costs.send_ns + (double)costs.receive_ns + (double)costs.verify_ns);
	struct pace_cost cost = {.work_ns = work_ns > 1e18 ? SIM_NEVER : (sim_time)work_ns,
		.bytes = (uint64_t)others * (RAFT_HEADER_BYTES + RAFT_ENTRY_BYTES)};
	return pace_gap_ns(node, &raft->pace, &cost, raft->applied);
}

/* Waits where another entry so soon would keep processors busy with appends and answers (pace.h). */
static bool is_early(struct node *node)
{
	struct raft *raft = raft_of(node);
	raft_gap_ns(node);
	sim_time due = pace_due(node, &raft->pace, raft->last > raft->commit, raft->majority);
	if (due <= node_now(node)) {
		return false;
	}
	node_log(node, "the last entry keeps processors busy -> collect");
	node_timer_set(node, RAFT_TIMER_BATCH, due);
	return true;
}

void raft_propose(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	while (raft->role == RAFT_LEADER && raft->requests.n > 0) {
		if (raft->transfer_to != NODE_NONE) {
			/* Thesis 3.10: a leader that hands over the lead takes no new requests. */
			node_log(node, "leadership under transfer -> wait");
			return;
		}
		if (raft->last - raft->commit >= (uint64_t)settings->n_in_flight) {
			node_log(node, "window full -> wait");
			return;
		}
		if (settings->batch_delay_ns > 0 && raft->requests.n < (uint32_t)settings->batch &&
			node_timer_runs(node, RAFT_TIMER_BATCH)) {
			return;
		}
		if (raft->pace.on && raft->requests.n < (uint32_t)settings->batch && is_early(node)) {
			return;
		}
		transaction_id transactions[RAFT_BATCH_MAX];
		uint32_t n = 0;
		while (n < (uint32_t)settings->batch && raft->requests.n > 0) {
			transaction_id transaction = request_queue_pop(&raft->requests);
			/* It may have come, been appended by a leader between, and executed, all while it waited. */
			if (PLANTED(settings, REPLY_CACHE_DROPPED) || !node_executed(node, transaction)) {
				transactions[n++] = transaction;
			}
		}
		if (n == 0) {
			return;
		}
		raft_append_and_replicate(node, node_batch(node, transactions, n));
	}
}

void raft_hint(struct node *node, const struct message *request)
{
	struct message *hint = node_message(node, MESSAGE_HINT, CLASS_CLIENT, RAFT_HEADER_BYTES);
	hint->view = raft_of(node)->term;
	hint->instance = request->instance;
	hint->extra = raft_of(node)->leader;
	node_send(node, request->from, hint);
}

/* Departs from thesis 6.2, where a client that hears nothing more of its leader finds out by a timeout of its
 * own: here whoever takes the lead or gives it up tells all clients, as a connection that breaks would. What
 * they asked another, or asked in vain, they ask again. */
void raft_tell_clients(struct node *node, uint32_t leader)
{
	uint32_t n_clients = node_n_clients(node);
	for (uint32_t i = 0; i < n_clients; i++) {
		struct message *hint = node_message(node, MESSAGE_HINT, CLASS_CLIENT, RAFT_HEADER_BYTES);
		hint->view = raft_of(node)->term;
		hint->instance = TRANSACTION_NONE;
		hint->extra = leader;
		node_send(node, node->n_validators + i, hint);
	}
}

void raft_on_request(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	transaction_id transaction = (transaction_id)message->instance;
	if (raft->role != RAFT_LEADER) {
		/* Raft 8: a server that is not the leader says who is, as far as it knows. */
		node_log(node, "request at a follower -> answer with the leader");
		raft_hint(node, message);
		return;
	}
	bool forgets = PLANTED(raft_settings_of(node), REPLY_CACHE_DROPPED);
	if (node_executed(node, transaction)) {
		/* Raft 8, thesis 6.3: the state machine keeps the last answers; a command is executed once. */
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, raft->term);
		if (!forgets) {
			return;
		}
	}
	if (!growing_bits_add(&raft->proposed, node_arena(node), transaction) && !forgets) {
		node_log(node, "request already in the log -> ignore");
		return;
	}
	if (raft->requests.n == 0 && raft_settings_of(node)->batch_delay_ns > 0) {
		node_timer_set(node, RAFT_TIMER_BATCH,
			node_now(node) + raft_settings_of(node)->batch_delay_ns);
	}
	if (raft->pace.on) {
		pace_arrived(node, &raft->pace, raft->requests.n == 0);
	}
	request_queue_push(&raft->requests, node_arena(node), transaction);
	raft_propose(node);
}

/* Finds servers that lack entries and have not come on for a whole interval between heartbeats: they have
 * lost some, or are down. */
static void find_stuck(struct node *node)
{
	struct raft *raft = raft_of(node);
	for (uint32_t i = 0; i < node->n_validators; i++) {
		struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && peer->member && peer->in_step && peer->match < raft->last_at_tick &&
			peer->match == peer->match_at_tick) {
			node_log(node, "no progress since the last heartbeat -> send again");
			set_out_of_step(raft, peer);
			peer->next = peer->match + 1;
		}
		peer->match_at_tick = peer->match;
	}
	raft->last_at_tick = raft->last;
}

/* Raft 5.3: the leader retries appends indefinitely, until all followers store all entries. */
void raft_resend(struct node *node)
{
	struct raft *raft = raft_of(node);
	find_stuck(node);
	if (raft->snapshot_to != NODE_NONE &&
		(node_now(node) - raft->peers[raft->snapshot_to].probed_at) / 4 >= raft_patience_ns(node)) {
		/* It is down; a chunk alone may take about as long as heartbeats may stay away. */
		end_snapshot(node, raft->snapshot_to);
	}
	for (uint32_t i = 0; i < node->n_validators && raft->n_out_of_step > 0; i++) {
		struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && peer->member && !peer->in_step && !peer->heard) {
			probe(node, i); /* else an answer has just led to the next probe */
		}
		peer->heard = false;
	}
}

/* The index up to which all servers match alike; UINT64_MAX where they differ. */
static uint64_t common_match(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	uint64_t match = raft->peers[node->id == 0 ? node->n_validators - 1 : 0].match;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		if (i != node->id && raft->peers[i].match != match) {
			return UINT64_MAX;
		}
	}
	return match;
}

/* Raft 5.2: a leader with nothing to send keeps its followers from becoming candidates. (Those out of step
 * hear from raft_resend.) */
void raft_heartbeat(struct node *node)
{
	struct raft *raft = raft_of(node);
	uint64_t match = raft->n_out_of_step == 0 && raft->to_all ? common_match(node) : UINT64_MAX;
	if (match != UINT64_MAX) {
		node_multicast(node, make_heartbeat(node, match));
		return;
	}
	for (uint32_t i = 0; i < node->n_validators; i++) {
		const struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && peer->member && peer->in_step) {
			node_send(node, i, make_heartbeat(node, peer->match));
		}
	}
}

void raft_say_farewell(struct node *node)
{
	struct raft *raft = raft_of(node);
	for (uint32_t i = 0; i < node->n_validators; i++) {
		if (i != node->id && raft->peers[i].member && !raft_is_member(node, i)) {
			node_send(node, i, make_append(node, CLASS_CONTROL, raft->config->index, NULL));
		}
	}
	raft_recount_members(node);
}

/* A server that was out of step has said where its log matches. What it still lacks is sent at once where
 * it fits in one message, and from then on it gets new entries as they come, like the others: waiting
 * for each answer before the next would keep it a round trip behind for as long as entries come. */
static void catch_up(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	struct raft_peer *peer = &raft->peers[to];
	if (peer->next <= raft->base || last_to_resend(raft, peer) < raft->last) {
		probe(node, to);
		return;
	}
	if (peer->match < raft->last) {
		node_send(node, to, make_append_again(node, peer, raft->last));
	}
	peer->next = raft->last + 1;
	peer->in_step = true;
	raft->n_out_of_step--;
}

/* Whether the answer of a server that is out of step is to the probe under way; notes that there is none
 * any more. An answer to an earlier one says nothing new: going on from it would send entries twice. */
static bool take_probe_answer(
	struct node *node, struct raft_peer *peer, const struct message *message)
{
	if (!peer->probing || (message->flags & RAFT_FLAG_PROBE) == 0 ||
		message->flags >> RAFT_PROBE_SHIFT != peer->probe) {
		return false;
	}
	peer->probing = false;
	peer->heard = true;
	/* What is sent to one holds up what the others wait for where bandwidth is finite: more at a time
	 * only as long as that takes less than half of what makes them candidates. */
	sim_time timeout = raft_settings_of(node)->election_timeout_ns[0];
	bool quick = timeout == SIM_NEVER || node_now(node) - peer->probed_at < timeout / 2;
	if (quick && peer->resend_bytes < RAFT_RESEND_BYTES_MAX) {
		peer->resend_bytes *= 2;
	} else if (!quick && peer->resend_bytes > RAFT_RESEND_BYTES_MIN) {
		peer->resend_bytes /= 2;
	}
	return true;
}

/* A server holds so much more. */
static void matched(struct node *node, struct raft_peer *peer, uint64_t match)
{
	struct raft *raft = raft_of(node);
	if (!raft->plain) {
		peer->match = match;
		raft_advance_commit(node);
		return;
	}
	/* Where nobody but a majority of all counts, each entry's holders are counted: less to look at. */
	uint64_t from = peer->match > raft->commit ? peer->match : raft->commit;
	peer->match = match;
	uint64_t reached = 0;
	for (uint64_t index = from + 1; index <= match; index++) {
		if (++raft->log[index - 1].n_acks + 1 >= raft->majority) {
			reached = index;
		}
	}
	if (reached != 0) {
		commit_to(node, reached);
	}
}

/* Raft fig. 2, leaders: if it fails because of log inconsistency, decrement nextIndex and retry;
 * 5.3: past all entries of the conflicting term at once, or to the leader's last of that term. */
static uint64_t go_back(
	const struct raft *raft, const struct raft_peer *peer, const struct message *answer)
{
	uint64_t next = answer->instance;
	if (answer->digest != 0) {
		uint64_t index = peer->next - 1 < raft->last ? peer->next - 1 : raft->last;
		while (index > answer->instance && index > raft->base &&
			raft_term_at(raft, index) > answer->digest) {
			index--;
		}
		if (index > raft->base && raft_term_at(raft, index) == answer->digest) {
			next = index + 1;
		}
	}
	if (next <= peer->match) {
		next = peer->match + 1;
	}
	return next > raft->last + 1 ? raft->last + 1 : next;
}

void raft_on_append_answer(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
		return;
	}
	/* What a server held in an older term, whose leader this one was too, both may have lost since. */
	bool old = message->view < raft->term && !PLANTED(raft_settings_of(node), OLD_ANSWER_COUNTED);
	if (raft->role != RAFT_LEADER || old) {
		return;
	}
	struct raft_peer *peer = &raft->peers[message->from];
	if (!peer->member) {
		return;
	}
	if (raft->keeps_time) {
		peer->answered_at = node_now(node);
	}
	if (raft->pace.on && message->class == CLASS_AGREEMENT) {
		pace_told(&raft->pace, message->from, message->extra);
	}
	if ((message->flags & RAFT_FLAG_YES) != 0) {
		/* Raft fig. 2, leaders: if successful, update nextIndex and matchIndex. Nobody who tells the truth
		 * holds more of this term's log than its leader; of one who claims it, the leader believes all. */
		uint64_t match = message->instance < raft->last ? message->instance : raft->last;
		if (match > peer->match) {
			matched(node, peer, match);
			if (raft->role != RAFT_LEADER) {
				return; /* it has committed its own removal */
			}
		}
		if (!peer->in_step && peer->member && take_probe_answer(node, peer, message)) {
			peer->next = peer->match + 1;
			catch_up(node, message->from);
			if (peer->next > raft->base) {
				peer->snapshot = NULL;
				end_snapshot(node, message->from);
			}
		}
		if (raft->attentive) {
			raft_attend(node);
		}
		return;
	}
	if (peer->in_step) {
		set_out_of_step(raft, peer);
	} else if (!take_probe_answer(node, peer, message)) {
		return;
	}
	peer->next = go_back(raft, peer, message);
	node_log(node, "append refused -> go back");
	probe(node, message->from);
}

void raft_on_snapshot_answer(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
		return;
	}
	struct raft_peer *peer = &raft->peers[message->from];
	if (raft->role != RAFT_LEADER || message->view < raft->term || !peer->member) {
		return;
	}
	peer->answered_at = node_now(node);
	if (peer->in_step || !take_probe_answer(node, peer, message)) {
		return;
	}
	uint64_t size = (uint64_t)raft_settings_of(node)->snapshot_bytes;
	if (peer->snapshot != NULL && peer->snapshot->index == message->instance) {
		peer->offset = message->extra < size ? message->extra : size;
	}
	probe(node, message->from);
}
