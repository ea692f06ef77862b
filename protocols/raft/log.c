/* The log, and what a follower does with it. Raft 5.3, 5.4.2. */
#include "raft.h"

void raft_append_to_log(struct node *node, uint64_t term, const struct batch *batch)
{
	struct raft *raft = raft_of(node);
	uint64_t prev_term = raft_term_at(raft, raft->last);
	raft->log = arena_grow(node_arena(node), raft->log, sizeof(*raft->log), raft->last, raft->last + 1,
		&raft->log_capacity);
	raft->log[raft->last++] = (struct raft_entry){.term = term, .batch = batch};
	node_appended(node, raft->last, term, prev_term, batch);
	if (raft->disk != NULL) {
		raft_storage_changed(node, raft->last);
	}
	const struct raft_config *config = raft_config_of(batch);
	if (config != NULL) {
		/* Raft 6: a server uses the latest configuration in its log, committed or not. */
		node_log(node, "configuration appended -> use it");
		raft_configure(node, config);
	}
}

void raft_apply_committed(struct node *node)
{
	struct raft *raft = raft_of(node);
	uint64_t commit = raft->commit;
	if (raft->disk != NULL) {
		/* What the application has executed is on stable storage: nothing is that is not in the log
		 * there. */
		uint64_t stored = raft_stored(raft);
		commit = commit < stored ? commit : stored;
	}
	/* Raft fig. 2, all servers: while commitIndex > lastApplied, apply log[lastApplied]. */
	while (raft->applied < commit) {
		uint64_t index = ++raft->applied;
		const struct raft_entry *entry = &raft->log[index - 1];
		const struct batch *batch = entry->batch;
		node_committed(node, index, entry->term, batch);
		node_apply(node, index, raft->log[index - 1].term, batch, raft->role == RAFT_LEADER);
		if (batch->n == 0 && raft->role == RAFT_LEADER) {
			raft_change_go_on(node); /* a no-op or a configuration */
		}
	}
	if (raft->applied >= raft->snapshot_due) {
		raft_take_snapshot(node);
	}
	if (raft->reads_n > 0) {
		raft_serve_reads(node);
	}
}

void raft_answer_append(struct node *node, const struct message *append, bool success, uint64_t index,
	uint64_t conflict_term)
{
	struct message *answer = node_message(
		node, RAFT_APPEND_ANSWER, (enum message_class)append->class, RAFT_HEADER_BYTES);
	answer->view = raft_of(node)->term;
	/* An answer to a probe says to which. */
	answer->flags = (uint16_t)((append->flags & ~RAFT_FLAG_YES) | (success ? RAFT_FLAG_YES : 0));
	answer->instance = index;
	answer->digest = conflict_term;
	if (raft_of(node)->pace.on && append->class == CLASS_AGREEMENT) {
		answer->extra = (uint64_t)raft_gap_ns(node);
	}
	raft_answer(node, append->from, answer);
}

/* Keeps an append that overtook the one before it.
 *
 * Departs from Raft fig. 2, AppendEntries 2, which refuses it: there a connection keeps the order of
 * messages, here links don't. What is really lost, the leader sends again as a probe, which is answered
 * by the paper's rule. */
static void hold(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (raft->n_held >= (uint32_t)raft_settings_of(node)->n_in_flight) {
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

void raft_follow_anew(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (message->view > raft->term || raft->role != RAFT_FOLLOWER) {
		/* Raft 5.2: a candidate that hears from the leader of its term follows it. */
		raft_step_down(node, message->view);
	}
	if (raft->leader != message->from) {
		raft->leader = message->from;
		node_follows(node, raft->term, message->from);
	}
	if (raft->keeps_time) {
		raft->heard_at = node_now(node);
	}
	raft_reset_election_timer(node);
}

/* Cuts what conflicts from `index` on; another entry is about to be appended there. */
static void cut_log(struct node *node, uint64_t index)
{
	struct raft *raft = raft_of(node);
	raft->last = index - 1;
	if (raft->config->index >= index && !PLANTED(raft_settings_of(node), CONFIG_KEPT)) {
		/* Thesis 4.1: a configuration whose entry is cut gives way to the one before. */
		node_log(node, "configuration cut -> back to the one before");
		raft_configure(node, raft_config_at(raft, index - 1));
	}
}

void raft_on_append(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	/* Raft fig. 2, AppendEntries 1: reply false if term < currentTerm. */
	if (!raft_follow(node, message)) {
		node_log(node, "append of an old term -> refuse");
		raft_answer_append(node, message, false, raft->last + 1, 0);
		return;
	}

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
		raft_answer_append(node, message, false, raft->last + 1, 0);
		return;
	}
	/* Raft 7: what is in the snapshot is committed, and so the same in every leader's log. */
	if (prev >= raft->base && raft_term_at(raft, prev) != message->digest) {
		/* Raft fig. 2, AppendEntries 2: the entry there has another term. 5.3: the answer names the
		 * conflicting term and the first index that it holds of it. */
		node_log(node, "entry at prevLogIndex has another term -> refuse");
		uint64_t conflict_term = raft_term_at(raft, prev);
		uint64_t first = prev;
		while (first > raft->base + 1 && raft_term_at(raft, first - 1) == conflict_term) {
			first--;
		}
		raft_answer_append(node, message, false, first, conflict_term);
		return;
	}
	uint32_t n = body == NULL ? 0 : body->n;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t index = prev + 1 + i;
		if (index <= raft->last) {
			if (index <= raft->base || raft_term_at(raft, index) == body->entries[i].term) {
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
			cut_log(node, index);
		}
		raft_append_to_log(node, body->entries[i].term, body->entries[i].batch);
	}
	/* Raft fig. 2, AppendEntries 5: commitIndex = min(leaderCommit, index of last new entry). */
	uint64_t last_new = prev + n;
	uint64_t commit = message->extra < last_new ? message->extra : last_new;
	if (commit > raft->commit) {
		raft->commit = commit;
	}
	raft_answer_append(node, message, true, last_new, 0);
	if (raft->applied < raft->commit) {
		raft_apply_committed(node);
	}
	if (raft->held != NULL) {
		release(node);
	}
}
