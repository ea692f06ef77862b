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
	if (!node_stores(node, &raft_settings_of(node)->write_delay)) {
		return;
	}
	struct raft_disk *disk = arena_new(node_arena(node), struct raft_disk);
	disk->said.term = raft->term;
	disk->said.voted_for = raft->voted_for;
	disk->safe = &disk->said;
	if (node_caches(node)) {
		disk->safe = arena_new(node_arena(node), struct raft_image);
		*disk->safe = disk->said;
	}
	disk->dirty_from = UINT64_MAX;
	disk->waiting_end = &disk->waiting;
	raft->disk = disk;
	raft->plain = false;
}

void raft_storage_changed(struct node *node, uint64_t from)
{
	struct raft_disk *disk = raft_of(node)->disk;
	if (!disk->dirty && disk->writing == NULL) {
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
	if (disk->writing != NULL && disk->writing->from <= stored) {
		stored = disk->writing->from - 1;
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
		const struct raft_image *said = &disk->said;
		uint64_t stored_term = said->last == 0 ? 0 : said->log[said->last - 1].term;
		if (stored_term < *term || (stored_term == *term && said->last < last)) {
			*term = stored_term;
			last = said->last;
		}
	}
	return last;
}

static struct raft_write *take_write(struct node *node)
{
	struct raft_disk *disk = raft_of(node)->disk;
	struct raft_write *write = disk->free;
	if (write == NULL) {
		return arena_new(node_arena(node), struct raft_write);
	}
	disk->free = write->next_free;
	return write;
}

static void begin_write(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct raft_disk *disk = raft->disk;
	struct raft_write *write = take_write(node);
	disk->dirty = false;
	disk->writing = write;
	disk->n_begun++;
	write->term = raft->term;
	write->voted_for = raft->voted_for;
	write->base = raft->base;
	write->snapshot = raft->snapshot;
	write->from = disk->dirty_from;
	write->last = raft->last;
	disk->dirty_from = UINT64_MAX;
	size_t n = 0;
	if (write->from <= raft->last) {
		n = raft->last - write->from + 1;
		write->entries = arena_grow(
			node_arena(node), write->entries, sizeof(*raft->log), 0, n, &write->capacity);
		memcpy(write->entries, raft->log + (write->from - 1), n * sizeof(*raft->log));
	}
	/* A snapshot takes the place of the one before as a whole. */
	bool whole = write->base != disk->said.base || write->snapshot != disk->said.snapshot;
	write->record.n_parts = whole ? 1 : 1 + (uint32_t)n;
	node_write(node, &raft_settings_of(node)->write_delay, &write->record,
		node_message(node, RAFT_WRITTEN, CLASS_CONTROL, 0));
}

/* Brings an image up to date by the first so many parts of a write. */
static void fold(struct node *node, struct raft_image *image, const struct raft_write *write, uint32_t n_parts)
{
	if (n_parts == 0) {
		return;
	}
	bool all = n_parts == write->record.n_parts;
	uint64_t last = all ? write->last : write->from + n_parts - 2;
	image->term = write->term;
	image->voted_for = write->voted_for;
	image->base = write->base;
	image->snapshot = write->snapshot;
	if (write->from <= last) {
		uint64_t from = write->from;
		image->log = arena_grow(node_arena(node), image->log, sizeof(*image->log), from - 1, last,
			&image->log_capacity);
		memcpy(image->log + (from - 1), write->entries, (last - from + 1) * sizeof(*image->log));
	}
	if (all || write->from <= last) { /* else the old entries are still there */
		image->last = last;
	}
}

static void give_back(struct raft_disk *disk, struct raft_write *write)
{
	write->next_free = disk->free;
	disk->free = write;
}

void raft_on_write(struct node *node)
{
	const struct raft_disk *disk = raft_of(node)->disk;
	if (disk->dirty && disk->writing == NULL) {
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
	assert(disk->writing != NULL);
	fold(node, &disk->said, disk->writing, disk->writing->record.n_parts);
	disk->writing = NULL;
	for (struct disk_record *record; (record = node_settled(node)) != NULL;) {
		struct raft_write *write = (struct raft_write *)record;
		if (disk->safe != &disk->said) {
			fold(node, disk->safe, write, record->n_parts);
		}
		give_back(disk, write);
	}
	node_log(node, "written to stable storage -> answer");
	send_answers(node);
	raft_own_vote_written(node);
	if (raft->role == RAFT_LEADER) {
		raft_advance_commit(node);
	}
	raft_apply_committed(node);
	raft_on_write(node); /* what has come up meanwhile */
}

uint64_t raft_stored_term(const struct node *node)
{
	uint64_t term = raft_of(node)->disk->safe->term;
	for (const struct disk_record *record = node_unsettled(node); record != NULL; record = record->next) {
		term = record->n_left > 0 ? ((const struct raft_write *)record)->term : term;
	}
	return node_wiped(node) ? 0 : term;
}

/* What the device had said was written, and was not, may have been executed: the application goes back to
 * where the log does. Nothing is answered. */
static void execute_anew(struct node *node)
{
	struct raft *raft = raft_of(node);
	int64_t every = raft_settings_of(node)->snapshot_every;
	uint64_t last = raft->applied < raft->last ? raft->applied : raft->last;
	node_log(node, "what was executed is lost -> execute what is left of it anew");
	node_forget(node);
	for (raft->applied = 0; raft->applied < last;) {
		const struct raft_entry *entry = &raft->log[raft->applied++];
		node_apply(node, raft->applied, entry->term, entry->batch, false);
	}
	if (every != SIM_NEVER) {
		raft->snapshot_due = raft->snapshot + (uint64_t)every;
	}
}

void raft_storage_restart(struct node *node)
{
	struct raft *raft = raft_of(node);
	struct raft_disk *disk = raft->disk;
	struct raft_image *safe = disk->safe;
	for (struct disk_record *record; (record = node_survivor(node)) != NULL;) {
		struct raft_write *write = (struct raft_write *)record;
		fold(node, safe, write, record->n_left);
		give_back(disk, write);
	}
	bool wiped = node_wiped(node);
	if (wiped) {
		node_log(node, "nothing is left on stable storage");
		*safe = (struct raft_image){
			.voted_for = NODE_NONE, .log = safe->log, .log_capacity = safe->log_capacity};
	} else if (disk->dirty || disk->writing != NULL) {
		node_log(node, "what was not written is lost");
	}
	if (safe != &disk->said) {
		struct raft_image *said = &disk->said;
		struct raft_entry *log = arena_grow(node_arena(node), said->log, sizeof(*log), 0, safe->last + 1,
			&said->log_capacity);
		if (safe->last > 0) {
			memcpy(log, safe->log, safe->last * sizeof(*log));
		}
		size_t capacity = said->log_capacity;
		*said = *safe;
		said->log = log;
		said->log_capacity = capacity;
	}
	const struct raft_image *left = &disk->said;
	raft->term = left->term;
	raft->voted_for = left->voted_for;
	raft->base = left->base;
	raft->snapshot = left->snapshot;
	if (left->last > 0) {
		raft->log = arena_grow(
			node_arena(node), raft->log, sizeof(*raft->log), 0, left->last, &raft->log_capacity);
		memcpy(raft->log, left->log, left->last * sizeof(*raft->log));
	}
	raft->last = left->last;
	raft->config = raft->first_config;
	for (uint64_t index = raft->last; index > 0; index--) {
		const struct raft_config *config = raft_config_of(raft->log[index - 1].batch);
		if (config != NULL) {
			raft->config = config;
			break;
		}
	}
	disk->dirty = false;
	disk->writing = NULL;
	disk->dirty_from = UINT64_MAX;
	disk->waiting = NULL;
	disk->waiting_end = &disk->waiting;
	if (wiped || raft->applied > raft->last) {
		execute_anew(node);
	}
}
