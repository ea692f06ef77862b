/* Log compaction and snapshots. Raft 7; thesis 5. */
#include "raft.h"

/* Raft 7: each server takes snapshots on its own, of what it has committed and applied.
 *
 * Departs from Raft 7, which discards all that the snapshot covers: the entries since the snapshot before
 * are kept, so that a server that lags a little gets entries. Taking one costs no time. */
void raft_take_snapshot(struct node *node)
{
	struct raft *raft = raft_of(node);
	node_log(node, "enough applied -> take a snapshot");
	raft->base = raft->snapshot;
	raft->snapshot = raft->applied;
	raft->snapshot_due = raft->applied + (uint64_t)raft_settings_of(node)->snapshot_every;
	if (raft->disk != NULL) {
		raft_storage_changed(node, UINT64_MAX);
	}
}

/* Departs from Raft fig. 13, which sends a snapshot in chunks: here it is one message, and its answer is
 * that of an append, so that the leader goes on from where the snapshot ends. */
void raft_send_snapshot(struct node *node, uint32_t to, uint16_t flags)
{
	struct raft *raft = raft_of(node);
	struct raft_snapshot *snapshot = arena_new(node_arena(node), struct raft_snapshot);
	snapshot->index = raft->snapshot;
	snapshot->entries = raft->log;
	snapshot->config = raft_config_at(raft, raft->snapshot);
	struct message *message = node_message(node, RAFT_SNAPSHOT, CLASS_CONTROL,
		(uint32_t)(RAFT_HEADER_BYTES + raft_settings_of(node)->snapshot_bytes));
	message->view = raft->term;
	message->instance = raft->snapshot;
	message->digest = raft_term_at(raft, raft->snapshot);
	message->flags = flags;
	message->body = snapshot;
	node_send(node, to, message);
}

/* Raft fig. 13, 7, 8: discards the log and takes over state and configuration. */
static void install(struct node *node, const struct raft_snapshot *snapshot)
{
	struct raft *raft = raft_of(node);
	uint64_t from = raft->commit + 1;
	raft->log = arena_grow(node_arena(node), raft->log, sizeof(*raft->log), raft->last,
		snapshot->index, &raft->log_capacity);
	for (uint64_t index = from; index <= snapshot->index; index++) {
		raft->log[index - 1] = snapshot->entries[index - 1];
	}
	raft->last = raft->base = raft->snapshot = snapshot->index;
	if (raft->disk != NULL) {
		raft_storage_changed(node, from);
	}
	int64_t every = raft_settings_of(node)->snapshot_every;
	if (every != SIM_NEVER) {
		raft->snapshot_due = snapshot->index + (uint64_t)every;
	}
	raft_configure(node, snapshot->config);
}

void raft_on_snapshot(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	const struct raft_snapshot *snapshot = message->body;
	/* Raft fig. 13, 1: reply immediately if term < currentTerm. */
	if (!raft_follow(node, message)) {
		node_log(node, "snapshot of an old term -> refuse");
		raft_answer_append(node, message, false, raft->last + 1, 0);
		return;
	}
	if (snapshot->index <= raft->commit) {
		node_log(node, "snapshot of what is committed -> ignore");
	} else if (snapshot->index <= raft->last &&
		raft_term_at(raft, snapshot->index) == message->digest) {
		/* Raft fig. 13, 6: where the log holds the snapshot's last entry, what follows it is kept. */
		node_log(node, "snapshot of what the log holds -> keep the log");
		raft->commit = snapshot->index;
	} else {
		node_log(node, "snapshot goes further -> install it");
		install(node, snapshot);
		raft->commit = snapshot->index;
	}
	raft_answer_append(node, message, true, snapshot->index, 0);
	raft_apply_committed(node);
}
