/* Stable storage that takes its time. Raft fig. 2: term, vote and log are updated on stable storage before
 * a server responds; thesis 10.2.1: a leader may write its log while it replicates it.
 *
 * The rules here: an answer leaves when all that its server holds by then is written; a server counts its
 * own vote and its own entries when they are written; and it executes an entry when the entry is written,
 * since what it has executed outlives a crash. Where writing takes no time (raft->disk is NULL), none of
 * this file runs. */
#include "raft.h"

void raft_storage_start(struct node *node)
{
	struct raft *raft = raft_of(node);
	if (raft_settings_of(node)->write_delay_ns == 0) {
		return;
	}
	struct raft_disk *disk = arena_new(node_arena(node), struct raft_disk);
	disk->term = raft->term;
	disk->voted_for = raft->voted_for;
	disk->dirty_from = UINT64_MAX;
	disk->waiting_end = &disk->waiting;
	raft->disk = disk;
	raft->plain = false;
}

void raft_storage_changed(struct node *node, uint64_t from)
{
	struct raft_disk *disk = raft_of(node)->disk;
	if (!disk->dirty && !disk->writing) {
		node_later(node, 0, node_message(node, RAFT_WRITE, CLASS_CONTROL, 0));
	}
	disk->dirty = true;
	if (from < disk->dirty_from) {
		disk->dirty_from = from;
	}
}

uint64_t raft_stored(const struct raft *raft)
{
	const struct raft_disk *disk = raft->disk;
	if (disk == NULL) {
		return raft->last;
	}
	uint64_t stored = raft->last;
	if (disk->dirty_from <= stored) {
		stored = disk->dirty_from - 1;
	}
	if (disk->writing && disk->write.from <= stored) {
		stored = disk->write.from - 1;
	}
	return stored;
}

/* A candidate that crashes and comes back may ask for the votes of the same term again, and answers to its
 * first request still count: so it claims no more than what a crash leaves it. */
uint64_t raft_claim(const struct raft *raft, uint64_t *term)
{
	uint64_t last = raft->last;
	*term = raft_term_at(raft, last);
	const struct raft_disk *disk = raft->disk;
	if (disk != NULL) {
		uint64_t stored_term = disk->last == 0 ? 0 : disk->log[disk->last - 1].term;
		if (stored_term < *term || (stored_term == *term && disk->last < last)) {
			*term = stored_term;
			last = disk->last;
		}
	}
	return last;
}

static void begin_write(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct raft_disk *disk = raft->disk;
	disk->dirty = false;
	disk->writing = true;
	disk->n_begun++;
	disk->write.term = raft->term;
	disk->write.voted_for = raft->voted_for;
	disk->write.base = raft->base;
	disk->write.snapshot = raft->snapshot;
	disk->write.from = disk->dirty_from;
	disk->write.last = raft->last;
	disk->dirty_from = UINT64_MAX;
	if (disk->write.from <= raft->last) {
		size_t n = raft->last - disk->write.from + 1;
		disk->write.entries = arena_grow(node_arena(node), disk->write.entries,
			sizeof(*raft->log), 0, n, &disk->write.capacity);
		memcpy(disk->write.entries, raft->log + (disk->write.from - 1), n * sizeof(*raft->log));
	}
	node_later(node, raft_settings_of(node)->write_delay_ns,
		node_message(node, RAFT_WRITTEN, CLASS_CONTROL, 0));
}

void raft_on_write(struct node *node)
{
	const struct raft_disk *disk = raft_of(node)->disk;
	if (disk->dirty && !disk->writing) {
		begin_write(node);
	}
}

void raft_answer_later(struct node *node, uint32_t to, struct message *message)
{
	struct raft_disk *disk = raft_of(node)->disk;
	struct raft_waiting *waiting = disk->waiting_free;
	if (waiting != NULL) {
		disk->waiting_free = waiting->next;
	} else {
		waiting = arena_new(node_arena(node), struct raft_waiting);
	}
	waiting->next = NULL;
	waiting->write = disk->n_begun + (disk->dirty ? 1 : 0);
	waiting->to = to;
	waiting->message = message;
	*disk->waiting_end = waiting;
	disk->waiting_end = &waiting->next;
}

/* Sends what waits for a write that is done. */
static void send_answers(struct node *node)
{
	struct raft_disk *disk = raft_of(node)->disk;
	while (disk->waiting != NULL && disk->waiting->write <= disk->n_begun) {
		struct raft_waiting *waiting = disk->waiting;
		disk->waiting = waiting->next;
		if (disk->waiting == NULL) {
			disk->waiting_end = &disk->waiting;
		}
		node_send(node, waiting->to, waiting->message);
		waiting->next = disk->waiting_free;
		disk->waiting_free = waiting;
	}
}

void raft_on_written(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct raft_disk *disk = raft->disk;
	assert(disk->writing);
	disk->writing = false;
	disk->term = disk->write.term;
	disk->voted_for = disk->write.voted_for;
	disk->base = disk->write.base;
	disk->snapshot = disk->write.snapshot;
	uint64_t last = disk->write.last;
	if (disk->write.from <= last) {
		uint64_t from = disk->write.from;
		disk->log = arena_grow(node_arena(node), disk->log, sizeof(*disk->log), from - 1, last,
			&disk->log_capacity);
		memcpy(disk->log + (from - 1), disk->write.entries, (last - from + 1) * sizeof(*disk->log));
	}
	disk->last = last;
	node_log(node, "written to stable storage -> answer");
	send_answers(node);
	raft_own_vote_written(node);
	if (raft->role == RAFT_LEADER) {
		raft_advance_commit(node);
	}
	raft_apply_committed(node);
	raft_on_write(node); /* what has come up meanwhile */
}

void raft_storage_restart(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct raft_disk *disk = raft->disk;
	assert(raft->applied <= disk->last);
	if (disk->dirty || disk->writing) {
		node_log(node, "what was not written is lost");
	}
	raft->term = disk->term;
	raft->voted_for = disk->voted_for;
	raft->base = disk->base;
	raft->snapshot = disk->snapshot;
	if (disk->last > 0) {
		raft->log = arena_grow(
			node_arena(node), raft->log, sizeof(*raft->log), 0, disk->last, &raft->log_capacity);
		memcpy(raft->log, disk->log, disk->last * sizeof(*raft->log));
	}
	raft->last = disk->last;
	raft->config = raft->first_config;
	for (uint64_t index = raft->last; index > 0; index--) {
		const struct raft_config *config = raft_config_of(raft->log[index - 1].batch);
		if (config != NULL) {
			raft->config = config;
			break;
		}
	}
	disk->dirty = disk->writing = false;
	disk->dirty_from = UINT64_MAX;
	disk->waiting = NULL;
	disk->waiting_end = &disk->waiting;
}
