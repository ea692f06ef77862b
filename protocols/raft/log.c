/* Log replication and commitment. Raft 5.3, 5.4.2. */
#include "raft.h"

static void append_to_log(struct node *node, uint64_t term, const struct batch *batch)
{
	struct raft *raft = raft_of(node);
	uint64_t prev_term = raft_term_at(raft, raft->last);
	raft->log = arena_grow(node_arena(node), raft->log, sizeof(*raft->log), raft->last, raft->last + 1,
		&raft->log_capacity);
	raft->log[raft->last++] = (struct raft_entry){.term = term, .batch = batch};
	node_appended(node, raft->last, term, prev_term, batch);
}

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
	message->digest = raft_term_at(raft, prev);
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

/* Sends a server that is out of step what it should have next; it answers whether that fits. As long as
 * it has not answered it is only asked again, without entries: those sent to a server that is down would
 * fill the leader's link. Such probes have the number of the first, so that one answer to them counts. */
static void probe(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	struct raft_peer *peer = &raft->peers[to];
	struct message *message;
	if (peer->probing) {
		message = make_append(node, CLASS_CONTROL, peer->next - 1, NULL);
	} else {
		message = make_append_again(node, peer, last_to_resend(raft, peer));
		peer->probing = true;
		peer->probe = (peer->probe + 1) & RAFT_PROBE_MASK;
		peer->probed_at = node_now(node);
	}
	message->flags = (uint16_t)(RAFT_FLAG_PROBE | peer->probe << RAFT_PROBE_SHIFT);
	node_send(node, to, message);
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
	if (raft->n_out_of_step == 0) {
		node_multicast(node, make_append(node, CLASS_AGREEMENT, raft->last - 1, entries));
		return;
	}
	for (uint32_t to = 0; to < node->n_validators; to++) {
		if (to == node->id) {
			continue;
		}
		if (raft->peers[to].in_step) {
			node_send(node, to, make_append(node, CLASS_AGREEMENT, raft->last - 1, entries));
		} else if (!raft->peers[to].probing) {
			probe(node, to);
		}
	}
}

static void apply_committed(struct node *node)
{
	struct raft *raft = raft_of(node);
	/* Raft fig. 2, all servers: while commitIndex > lastApplied, apply log[lastApplied]. */
	while (raft->applied < raft->commit) {
		uint64_t index = ++raft->applied;
		const struct raft_entry *entry = &raft->log[index - 1];
		const struct batch *batch = entry->batch;
		node_committed(node, index, entry->term, batch);
		node_apply(node, index, raft->log[index - 1].term, batch, raft->role == RAFT_LEADER);
	}
}

/* Raft fig. 2, leaders: if there is an N > commitIndex that a majority of matchIndex reach and
 * log[N].term == currentTerm, set commitIndex = N (5.3, 5.4.2). Entries of older terms are committed by
 * it, never by counting. */
static void advance_commit(struct node *node, uint64_t index)
{
	struct raft *raft = raft_of(node);
	if (index > raft->commit && raft->log[index - 1].n_acks + 1 >= raft->majority &&
		raft->log[index - 1].term == raft->term) {
		raft->commit = index;
		apply_committed(node);
		raft_propose(node);
	}
}

static void append_and_replicate(struct node *node, const struct batch *batch)
{
	struct raft *raft = raft_of(node);
	append_to_log(node, raft->term, batch);
	node_proposed(node, raft->last, raft->term, batch);
	replicate_last(node);
	/* Raft 5.2: heartbeats are for idle periods. Each append puts the next one off by a whole interval,
	 * so that no follower ever hears nothing for longer than that. */
	if (raft_settings_of(node)->heartbeat_ns != SIM_NEVER) {
		node_timer_set(node, RAFT_TIMER_HEARTBEAT,
			sim_time_add(node_now(node), raft_settings_of(node)->heartbeat_ns));
	}
	advance_commit(node, raft->last); /* a cluster of one */
}

void raft_propose_noop(struct node *node)
{
	append_and_replicate(node, node_batch(node, NULL, 0));
}

void raft_propose(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	while (raft->role == RAFT_LEADER && raft->requests.n > 0) {
		if (raft->last - raft->commit >= (uint64_t)settings->window) {
			node_log(node, "window full -> wait");
			return;
		}
		if (settings->batch_delay_ns > 0 && raft->requests.n < (uint32_t)settings->batch &&
			node_timer_runs(node, RAFT_TIMER_BATCH)) {
			return;
		}
		transaction_id transactions[RAFT_BATCH_MAX];
		uint32_t n = 0;
		while (n < (uint32_t)settings->batch && raft->requests.n > 0) {
			transactions[n++] = request_queue_pop(&raft->requests);
		}
		append_and_replicate(node, node_batch(node, transactions, n));
	}
}

void raft_on_request(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	transaction_id transaction = (transaction_id)message->instance;
	if (raft->role != RAFT_LEADER) {
		/* Raft 8: a server that is not the leader says who is, as far as it knows. */
		node_log(node, "request at a follower -> answer with the leader");
		struct message *hint = node_message(node, MESSAGE_HINT, CLASS_CLIENT, RAFT_HEADER_BYTES);
		hint->view = raft->term;
		hint->instance = transaction;
		hint->extra = raft->leader;
		node_send(node, message->from, hint);
		return;
	}
	if (node_executed(node, transaction)) {
		/* Raft 8: the state machine keeps the last answers; a command is executed once. */
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, raft->term);
		return;
	}
	if (!growing_bits_add(&raft->proposed, node_arena(node), transaction)) {
		node_log(node, "request already in the log -> ignore");
		return;
	}
	if (raft->requests.n == 0 && raft_settings_of(node)->batch_delay_ns > 0) {
		node_timer_set(node, RAFT_TIMER_BATCH,
			node_now(node) + raft_settings_of(node)->batch_delay_ns);
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
		if (i != node->id && peer->in_step && peer->match < raft->last_at_tick &&
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
	for (uint32_t i = 0; i < node->n_validators && raft->n_out_of_step > 0; i++) {
		struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && !peer->in_step && !peer->heard) {
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
	uint64_t match = raft->n_out_of_step == 0 ? common_match(node) : UINT64_MAX;
	if (match != UINT64_MAX) {
		node_multicast(node, make_append(node, CLASS_HEARTBEAT, match, NULL));
		return;
	}
	for (uint32_t i = 0; i < node->n_validators; i++) {
		const struct raft_peer *peer = &raft->peers[i];
		if (i != node->id && peer->in_step) {
			node_send(node, i, make_append(node, CLASS_HEARTBEAT, peer->match, NULL));
		}
	}
}

/* Answers. */

static void answer_append(struct node *node, const struct message *append, bool success,
	uint64_t index, uint64_t conflict_term)
{
	struct message *answer = node_message(
		node, RAFT_APPEND_ANSWER, (enum message_class)append->class, RAFT_HEADER_BYTES);
	answer->view = raft_of(node)->term;
	/* An answer to a probe says to which. */
	answer->flags = (uint16_t)((append->flags & ~RAFT_FLAG_YES) | (success ? RAFT_FLAG_YES : 0));
	answer->instance = index;
	answer->digest = conflict_term;
	node_send(node, append->from, answer);
}

/* Keeps an append that overtook the one before it.
 *
 * Departs from Raft fig. 2, AppendEntries 2, which refuses it: there a connection keeps the order of
 * messages, here links don't. What is really lost, the leader sends again as a probe, which is answered
 * by the paper's rule. */
static void hold(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (raft->n_held >= (uint32_t)raft_settings_of(node)->window) {
		return;
	}
	struct raft_held **at = &raft->held;
	while (*at != NULL && (*at)->message.instance < message->instance) {
		at = &(*at)->next;
	}
	if (*at != NULL && (*at)->message.instance == message->instance &&
		(*at)->message.view >= message->view) {
		return;
	}
	struct raft_held *held = raft->held_free;
	if (held != NULL) {
		raft->held_free = held->next;
	} else {
		held = arena_new(node_arena(node), struct raft_held);
	}
	held->message = *message;
	held->next = *at;
	*at = held;
	raft->n_held++;
}

static void release(struct node *node)
{
	struct raft *raft = raft_of(node);
	while (raft->held != NULL && raft->held->message.instance <= raft->last) {
		struct raft_held *held = raft->held;
		raft->held = held->next;
		raft->n_held--;
		struct message message = held->message;
		held->next = raft->held_free;
		raft->held_free = held;
		if (message.view == raft->term) {
			raft_on_append(node, &message);
			return; /* which has released what comes after it */
		}
	}
}

void raft_on_append(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	/* Raft fig. 2, AppendEntries 1: reply false if term < currentTerm. */
	if (message->view < raft->term) {
		node_log(node, "append of an old term -> refuse");
		answer_append(node, message, false, raft->last + 1, 0);
		return;
	}
	if (message->view > raft->term || raft->role != RAFT_FOLLOWER) {
		/* Raft 5.2: a candidate that hears from the leader of its term follows it. */
		raft_step_down(node, message->view);
	}
	if (raft->leader != message->from) {
		raft->leader = message->from;
		node_follows(node, raft->term, message->from);
	}
	raft_reset_election_timer(node);

	uint64_t prev = message->instance;
	const struct raft_entries *body = message->body;
	if (prev > raft->last) {
		if ((message->flags & RAFT_FLAG_PROBE) == 0 && body != NULL) {
			node_log(node, "append overtook another -> hold");
			hold(node, message);
			return;
		}
		/* Raft fig. 2, AppendEntries 2: no entry at prevLogIndex. */
		node_log(node, "log is too short -> refuse");
		answer_append(node, message, false, raft->last + 1, 0);
		return;
	}
	if (raft_term_at(raft, prev) != message->digest) {
		/* Raft fig. 2, AppendEntries 2: the entry there has another term. 5.3: the answer names the
		 * conflicting term and the first index that it holds of it. */
		node_log(node, "entry at prevLogIndex has another term -> refuse");
		uint64_t conflict_term = raft_term_at(raft, prev);
		uint64_t first = prev;
		while (first > 1 && raft_term_at(raft, first - 1) == conflict_term) {
			first--;
		}
		answer_append(node, message, false, first, conflict_term);
		return;
	}
	uint32_t n = body == NULL ? 0 : body->n;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t index = prev + 1 + i;
		if (index <= raft->last) {
			if (raft_term_at(raft, index) == body->entries[i].term) {
				continue; /* Raft fig. 2, AppendEntries 4: entries already there are not appended */
			}
			if (index <= raft->commit) {
				/* Raft 5.4.3: no leader that was elected by the rules asks for it. What is executed can't
				 * be undone; that two logs differ is for the invariants to say. */
				node_log(node, "entry conflicts with a committed one -> keep it");
				return;
			}
			/* Raft fig. 2, AppendEntries 3: a conflicting entry goes, and all that follow it. */
			node_log(node, "entry conflicts -> cut the log");
			raft->last = index - 1;
		}
		append_to_log(node, body->entries[i].term, body->entries[i].batch);
	}
	/* Raft fig. 2, AppendEntries 5: commitIndex = min(leaderCommit, index of last new entry). */
	uint64_t last_new = prev + n;
	uint64_t commit = message->extra < last_new ? message->extra : last_new;
	if (commit > raft->commit) {
		raft->commit = commit;
	}
	answer_append(node, message, true, last_new, 0);
	apply_committed(node);
	release(node);
}

/* A server that was out of step has said where its log matches. What it still lacks is sent at once where
 * it fits in one message, and from then on it gets new entries as they come, like the others: waiting
 * for each answer before the next would keep it a round trip behind for as long as entries come. */
static void catch_up(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	struct raft_peer *peer = &raft->peers[to];
	if (last_to_resend(raft, peer) < raft->last) {
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

void raft_on_append_answer(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term) {
		raft_step_down(node, message->view);
		return;
	}
	if (raft->role != RAFT_LEADER || message->view < raft->term) {
		return;
	}
	struct raft_peer *peer = &raft->peers[message->from];
	if ((message->flags & RAFT_FLAG_YES) != 0) {
		/* Raft fig. 2, leaders: if successful, update nextIndex and matchIndex. */
		uint64_t match = message->instance;
		if (match > peer->match) {
			uint64_t from = peer->match > raft->commit ? peer->match : raft->commit;
			peer->match = match;
			uint64_t reached = 0;
			for (uint64_t index = from + 1; index <= match; index++) {
				if (++raft->log[index - 1].n_acks + 1 >= raft->majority) {
					reached = index;
				}
			}
			if (reached != 0) {
				advance_commit(node, reached);
			}
		}
		if (!peer->in_step && take_probe_answer(node, peer, message)) {
			peer->next = peer->match + 1;
			catch_up(node, message->from);
		}
		return;
	}
	if (peer->in_step) {
		set_out_of_step(raft, peer);
	} else if (!take_probe_answer(node, peer, message)) {
		return;
	}
	/* Raft fig. 2, leaders: if it fails because of log inconsistency, decrement nextIndex and retry;
	 * 5.3: past all entries of the conflicting term at once, or to the leader's last of that term. */
	uint64_t next = message->instance;
	if (message->digest != 0) {
		uint64_t index = peer->next - 1 < raft->last ? peer->next - 1 : raft->last;
		while (index > message->instance && raft_term_at(raft, index) > message->digest) {
			index--;
		}
		if (index > 0 && raft_term_at(raft, index) == message->digest) {
			next = index + 1;
		}
	}
	if (next <= peer->match) {
		next = peer->match + 1;
	}
	peer->next = next > raft->last + 1 ? raft->last + 1 : next;
	node_log(node, "append refused -> go back");
	probe(node, message->from);
}
