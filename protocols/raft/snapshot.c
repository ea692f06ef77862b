/* Log compaction and snapshots. Raft 7; thesis 5. */
#include "raft.h"

/* Raft 7: each server takes snapshots on its own, of what it has committed and applied.
 *
 * Departs from Raft 7, which discards all that the snapshot covers: the entries since the snapshot before
 * are kept, so that a server that lags a little gets entries; and those after the one that is being sent, or
 * its receiver would need another when it has it. Taking one costs no time. */
void raft_take_snapshot(struct node *node)
{
	struct raft *raft = raft_of(node);
	node_log(node, "enough applied -> take a snapshot");
	uint64_t base = raft->snapshot;
	if (raft->role == RAFT_LEADER && raft->snapshot_to != NODE_NONE) {
		const struct raft_snapshot *sent = raft->peers[raft->snapshot_to].snapshot;
		base = sent != NULL && sent->index < base ? sent->index : base;
	}
	raft->base = base > raft->base ? base : raft->base;
	raft->snapshot = raft->applied;
	raft->snapshot_due = raft->applied + (uint64_t)raft_settings_of(node)->snapshot_every;
	if (raft->disk != NULL) {
		raft_storage_changed(node, UINT64_MAX);
	}
}

/* Raft fig. 13: the leader sends chunks in order, each when the one before has been answered, so that what
 * else it sends waits for one at most. A snapshot whose successors have been discarded is of no use. */
void raft_send_snapshot(struct node *node, uint32_t to, uint16_t flags)
{
	struct raft *raft = raft_of(node);
	struct raft_peer *peer = &raft->peers[to];
	if (peer->snapshot == NULL || peer->snapshot->index < raft->base) {
		struct raft_snapshot *snapshot = arena_new(node_arena(node), struct raft_snapshot);
		snapshot->index = raft->snapshot;
		snapshot->entries = raft->log;
		snapshot->config = raft_config_at(raft, raft->snapshot);
		peer->snapshot = snapshot;
		peer->offset = 0;
	}
	const struct raft_settings *settings = raft_settings_of(node);
	uint64_t left = (uint64_t)settings->snapshot_bytes - peer->offset;
	uint64_t chunk = (uint64_t)settings->snapshot_chunk_bytes;
	bool done = left <= chunk;
	struct message *message = node_message(node, RAFT_SNAPSHOT, CLASS_CONTROL,
		(uint32_t)(RAFT_HEADER_BYTES + (done ? left : chunk)));
	message->view = raft->term;
	message->instance = peer->snapshot->index;
	message->digest = raft_term_at(raft, peer->snapshot->index);
	message->extra = peer->offset;
	message->flags = (uint16_t)(flags | (done ? RAFT_FLAG_DONE : 0));
	message->body = peer->snapshot;
	raft->snapshot_to = to;
	node_send(node, to, message);
}

/* Raft fig. 13, 2 to 4: a chunk joins those before it. Is the snapshot whole? */
static bool takes_chunk(struct node *node, const struct message *message)
{
	struct raft *raft = raft_of(node);
	if (raft->partial != message->instance || raft->partial_term != message->view) {
		raft->partial = message->instance;
		raft->partial_term = message->view;
		raft->partial_bytes = 0;
	}
	uint64_t end = message->extra + message->size_bytes - RAFT_HEADER_BYTES;
	if (message->extra == raft->partial_bytes) {
		raft->partial_bytes = end;
	}
	if ((message->flags & RAFT_FLAG_DONE) != 0 && raft->partial_bytes == end) {
		raft->partial = 0;
		return true;
	}
	node_log(node, "snapshot not whole yet -> ask for the next chunk");
	struct message *answer =
		node_message(node, RAFT_SNAPSHOT_ANSWER, CLASS_CONTROL, RAFT_HEADER_BYTES);
	answer->view = raft->term;
	answer->flags = (uint16_t)(message->flags & ~RAFT_FLAG_DONE);
	answer->instance = message->instance;
	answer->extra = raft->partial_bytes;
	raft_answer(node, message->from, answer);
	return false;
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
	} else if (!takes_chunk(node, message)) {
		return;
	} else {
		node_log(node, "snapshot goes further -> install it");
		install(node, snapshot);
		raft->commit = snapshot->index;
	}
	raft_answer_append(node, message, true, snapshot->index, 0);
	raft_apply_committed(node);
}
