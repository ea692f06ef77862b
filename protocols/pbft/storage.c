/* Stable storage that takes its time. OSDI'99 has none: a replica that forgets what it has promised is one of
 * the f. Where replicas come back from a crash with their log (thesis 4.1 has them keep it on disk), what
 * binds one has to be written before others hear of it: that it has accepted a proposal, before the pre-prepare
 * or prepare that says so; the prepared certificate, before the commit; the view that it has left and what its
 * view change says, before that; the new view likewise.
 *
 * The rules here: whatever a replica sends leaves when all that has changed by then is written; and it counts
 * its own prepare and commit when they leave. An instance that it commits is then prepared on the stable
 * storage of a quorum, as it is committed by the paper. What it has executed is on stable storage, too, as
 * everywhere: checkpoints need no write. Votes of others, requests and what came early are lost in a crash;
 * status messages bring them again.
 *
 * Where writing takes no time (pbft->disk is NULL), none of this file runs. */
#include "pbft.h"

void pbft_storage_start(struct node *node)
{
	if (!node_stores(node, &pbft_settings_of(node)->write_delay)) {
		return;
	}
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	struct pbft_disk *disk = arena_new(node_arena(node), struct pbft_disk);
	disk->slots = arena_array(node_arena(node), struct pbft_stored_slot, window);
	disk->state.next_instance = 1;
	disk->waiting_end = &disk->waiting;
	pbft_of(node)->disk = disk;
}

void pbft_changed(struct node *node, struct pbft_slot *slot)
{
	struct pbft_disk *disk = pbft_of(node)->disk;
	if (!disk->dirty && disk->writing == NULL) {
		node_later(node, 0, node_message(node, PBFT_WRITE, CLASS_CONTROL, 0));
	}
	disk->dirty = true;
	if (slot != NULL && !slot->unwritten) {
		slot->unwritten = true;
		disk->changed = arena_grow(node_arena(node), disk->changed, sizeof(*disk->changed), disk->n_changed,
			disk->n_changed + 1, &disk->changed_capacity);
		disk->changed[disk->n_changed++] = slot->instance;
	}
}

static struct pbft_stored_state state_of(const struct pbft *pbft, uint32_t id)
{
	return (struct pbft_stored_state){
		.view = pbft->view,
		.changing = pbft->changing,
		.view_change = pbft->view_changes[id],
		.new_view = pbft->new_view,
		.plan = pbft->plan,
		.stable = pbft->stable,
		.stable_digest = pbft->stable_digest,
		.stable_proof = pbft->stable_proof,
		.next_instance = pbft->next_instance,
	};
}

static struct pbft_stored_slot stored_slot(struct node *node, struct pbft_slot *slot)
{
	if (slot->prepared) {
		slot->prepared_proof = pbft_prove_prepared(node, slot);
	}
	return (struct pbft_stored_slot){
		.instance = slot->instance,
		.view = slot->view,
		.batch = slot->batch,
		.from_new_view = slot->from_new_view,
		.withheld = slot->withheld,
		.prepared = slot->prepared,
		.prepared_view = slot->prepared_view,
		.prepared_batch = slot->prepared_batch,
		.prepared_proof = slot->prepared_proof,
	};
}

static void begin_write(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct pbft_disk *disk = pbft->disk;
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	struct pbft_write *write = disk->free;
	if (write != NULL) {
		disk->free = write->next_free;
	} else {
		write = arena_new(node_arena(node), struct pbft_write);
	}
	write->state = state_of(pbft, node->id);
	write->slots = arena_grow(
		node_arena(node), write->slots, sizeof(*write->slots), 0, disk->n_changed + 1, &write->capacity);
	uint32_t n = 0;
	for (size_t i = 0; i < disk->n_changed; i++) {
		struct pbft_slot *slot = &pbft->slots[disk->changed[i] % window];
		if (slot->instance == disk->changed[i]) { /* else it is below a stable checkpoint by now */
			slot->unwritten = false;
			write->slots[n++] = stored_slot(node, slot);
		}
	}
	disk->n_changed = 0;
	disk->dirty = false;
	disk->writing = write;
	disk->n_begun++;
	write->record.n_parts = 1 + n;
	node_write(node, &pbft_settings_of(node)->write_delay, &write->record,
		node_message(node, PBFT_WRITTEN, CLASS_CONTROL, 0));
}

void pbft_on_write(struct node *node)
{
	const struct pbft_disk *disk = pbft_of(node)->disk;
	if (disk->dirty && disk->writing == NULL) {
		begin_write(node);
	}
}

static struct pbft_waiting *wait_for_write(struct node *node)
{
	struct pbft_disk *disk = pbft_of(node)->disk;
	struct pbft_waiting *waiting = disk->waiting_free;
	if (waiting != NULL) {
		disk->waiting_free = waiting->next;
	} else {
		waiting = arena_new(node_arena(node), struct pbft_waiting);
	}
	*waiting = (struct pbft_waiting){.write = disk->n_begun + disk->dirty};
	*disk->waiting_end = waiting;
	disk->waiting_end = &waiting->next;
	return waiting;
}

void pbft_post_later(struct node *node, uint32_t to, struct message *message)
{
	struct pbft_waiting *waiting = wait_for_write(node);
	waiting->to = to;
	waiting->message = message;
}

void pbft_vote_later(struct node *node, enum pbft_kind kind, const struct pbft_slot *slot)
{
	struct pbft_waiting *waiting = wait_for_write(node);
	waiting->kind = kind;
	waiting->view = slot->view;
	waiting->instance = slot->instance;
	waiting->digest = slot->batch->digest;
}

/* Does what waits for a write that is done. */
static void go_on(struct node *node)
{
	struct pbft_disk *disk = pbft_of(node)->disk;
	while (disk->waiting != NULL && disk->waiting->write <= disk->n_begun) {
		struct pbft_waiting *first = disk->waiting, waiting = *first;
		disk->waiting = first->next;
		if (disk->waiting == NULL) {
			disk->waiting_end = &disk->waiting;
		}
		first->next = disk->waiting_free;
		disk->waiting_free = first;
		if (waiting.message == NULL) {
			pbft_vote_written(node, waiting.kind, waiting.view, waiting.instance, waiting.digest);
		} else if (waiting.to == NODE_NONE) {
			node_multicast(node, waiting.message);
		} else {
			node_send(node, waiting.to, waiting.message);
		}
	}
}

static void fold(struct node *node, const struct pbft_write *write, uint32_t n_parts)
{
	struct pbft_disk *disk = pbft_of(node)->disk;
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	if (n_parts == 0) {
		return;
	}
	disk->state = write->state;
	for (uint32_t i = 0; i + 1 < n_parts; i++) {
		disk->slots[write->slots[i].instance % window] = write->slots[i];
	}
}

static void give_back(struct pbft_disk *disk, struct pbft_write *write)
{
	write->next_free = disk->free;
	disk->free = write;
}

void pbft_on_written(struct node *node)
{
	struct pbft_disk *disk = pbft_of(node)->disk;
	assert(disk->writing != NULL);
	disk->writing = NULL;
	for (struct disk_record *record; (record = node_settled(node)) != NULL;) {
		struct pbft_write *write = (struct pbft_write *)record;
		fold(node, write, record->n_parts);
		give_back(disk, write);
	}
	node_log(node, "written to stable storage -> send what waits");
	go_on(node);
	pbft_on_write(node); /* what has come up meanwhile */
}

uint64_t pbft_stored_view(const struct node *node)
{
	uint64_t view = pbft_of(node)->disk->state.view;
	for (const struct disk_record *record = node_unsettled(node); record != NULL; record = record->next) {
		view = record->n_left > 0 ? ((const struct pbft_write *)record)->state.view : view;
	}
	return node_wiped(node) ? 0 : view;
}

/* All that is not on stable storage is gone. */
static void forget_volatile(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	uint32_t n = node->n_validators;
	pbft_forget_held(node);
	memset(pbft->ahead_bits, 0, bits_words(n) * sizeof(uint64_t));
	pbft->n_ahead = 0;
	pbft->requests.n = pbft->own.n = pbft->waiting_order.n = pbft->reads.n = 0;
	growing_bits_clear(&pbft->waiting);
	growing_bits_clear(&pbft->proposed);
	pbft->n_waiting = 0;
	memset(pbft->view_changes, 0, n * sizeof(pbft->view_changes[0]));
	for (uint64_t i = 0; i < pbft->n_checkpoints; i++) {
		vote_set_clear(&pbft->checkpoints[i].votes, n);
		pbft->checkpoints[i].instance = 0;
	}
	if (pbft->claims != NULL) {
		memset(pbft->claims, 0, (size_t)PBFT_CLAIMS * n * sizeof(pbft->claims[0]));
	}
	if (pbft->told_of != NULL) {
		memset(pbft->told_of, 0, n * sizeof(pbft->told_of[0]));
	}
	if (pbft->claims_executed != NULL) {
		memset(pbft->claims_executed, 0, n * sizeof(pbft->claims_executed[0]));
	}
	pbft->fetch_target = pbft->fetch_due = pbft->asked = pbft->told = 0;
	pbft->fetched_first = pbft->fetched_n = 0;
	pbft->catching_up = false;
	pbft->heard_of = pbft->sure_of = 0;
	pbft->n_timeouts = 0;
}

static void restore_slot(struct node *node, struct pbft_slot *slot, const struct pbft_stored_slot *stored)
{
	struct pbft *pbft = pbft_of(node);
	vote_set_clear(&slot->prepares, node->n_validators);
	vote_set_clear(&slot->commits, node->n_validators);
	*slot = (struct pbft_slot){
		.instance = stored->instance,
		.view = stored->view,
		.prepares.bits = slot->prepares.bits,
		.commits.bits = slot->commits.bits,
		.fast = slot->fast,
		.batch = stored->batch,
		.from_new_view = stored->from_new_view,
		.withheld = stored->withheld,
		.prepared = stored->prepared,
		.prepared_view = stored->prepared_view,
		.prepared_batch = stored->prepared_batch,
		.prepared_proof = stored->prepared_proof,
	};
	if (slot->batch == NULL || slot->view != pbft->view || slot->instance <= pbft->stable) {
		return;
	}
	uint64_t digest = slot->batch->digest;
	vote_set_settle(&slot->prepares, node_arena(node), digest, node->n_validators);
	vote_set_settle(&slot->commits, node_arena(node), digest, node->n_validators);
	if (!pbft_is_primary(node) && !slot->withheld) {
		vote_set_add(&slot->prepares, node_arena(node), node->id, digest, true, node->n_validators);
	}
	if (slot->prepared) {
		vote_set_add(&slot->commits, node_arena(node), node->id, digest, true, node->n_validators);
	}
	for (uint32_t i = 0; i < slot->batch->n; i++) {
		pbft_wait_for(node, slot->batch->transactions[i]);
		if (pbft_is_primary(node)) {
			growing_bits_add(&pbft->proposed, node_arena(node), slot->batch->transactions[i]);
		}
	}
}

static void take_stored(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_disk *disk = pbft->disk;
	const struct pbft_stored_state *state = &disk->state;
	pbft->view = state->view;
	pbft->changing = state->changing;
	pbft->view_changes[node->id] = state->view_change;
	pbft->new_view = state->new_view;
	pbft->plan = state->plan;
	pbft->stable = pbft->older = state->stable;
	pbft->stable_digest = pbft->older_digest = state->stable_digest;
	pbft->stable_proof = pbft->older_proof = state->stable_proof;
	pbft->next_instance = state->next_instance;
	for (uint64_t i = 0; i < (uint64_t)pbft_settings_of(node)->watermark_window; i++) {
		restore_slot(node, &pbft->slots[i], &disk->slots[i]);
	}
}

/* An amnesia: a new replica under the old one's name. */
static void forget_all(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct pbft_disk *disk = pbft->disk;
	node_log(node, "nothing is left on stable storage");
	node_forget(node);
	disk->state = (struct pbft_stored_state){.next_instance = 1};
	memset(disk->slots, 0,
		(size_t)pbft_settings_of(node)->watermark_window * sizeof(disk->slots[0]));
	pbft->executed = pbft->state_digest = pbft->undone = 0;
}

void pbft_storage_restart(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct pbft_disk *disk = pbft->disk;
	pbft_roll_back(node);
	for (struct disk_record *record; (record = node_survivor(node)) != NULL;) {
		struct pbft_write *write = (struct pbft_write *)record;
		fold(node, write, record->n_left);
		give_back(disk, write);
	}
	disk->dirty = false;
	disk->writing = NULL;
	disk->n_changed = 0;
	disk->waiting = NULL;
	disk->waiting_end = &disk->waiting;
	if (node_wiped(node)) {
		forget_all(node);
	}
	forget_volatile(node);
	take_stored(node);
	pbft_recount_checkpoint(node);
}
