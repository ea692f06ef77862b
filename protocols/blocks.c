#include "blocks.h"

#define BUCKETS_MIN 64

static struct block **bucket_of(const struct blocks *blocks, uint64_t id)
{
	return &blocks->buckets[(id >> 8) & (blocks->n_buckets - 1)];
}

static void more_buckets(struct node *node, struct blocks *blocks)
{
	struct blocks larger = *blocks;
	larger.n_buckets = blocks->n_buckets == 0 ? BUCKETS_MIN : blocks->n_buckets * 2;
	larger.buckets = arena_array(node_arena(node), struct block *, larger.n_buckets);
	for (uint32_t i = 0; i < blocks->n_buckets; i++) {
		for (struct block *block = blocks->buckets[i], *next; block != NULL; block = next) {
			struct block **bucket = bucket_of(&larger, block->id);
			next = block->next_in_bucket;
			block->next_in_bucket = *bucket;
			*bucket = block;
		}
	}
	*blocks = larger;
}

struct block *blocks_find(const struct blocks *blocks, uint64_t id)
{
	struct block *block = *bucket_of(blocks, id);
	while (block != NULL && block->id != id) {
		block = block->next_in_bucket;
	}
	return block;
}

struct block *blocks_at(struct node *node, struct blocks *blocks, uint64_t id)
{
	struct block *block = blocks_find(blocks, id);
	if (block != NULL) {
		return block;
	}
	if (blocks->n >= blocks->n_buckets) {
		more_buckets(node, blocks);
	}
	block = arena_new(node_arena(node), struct block);
	block->id = id;
	block->votes = arena_array(node_arena(node), uint64_t, bits_words(node->n_validators));
	block->next_in_bucket = *bucket_of(blocks, id);
	*bucket_of(blocks, id) = block;
	blocks->n++;
	return block;
}

void blocks_start(struct node *node, struct blocks *blocks)
{
	more_buckets(node, blocks);
	blocks->genesis = blocks->tip = blocks->final = blocks_at(node, blocks, 0);
	blocks->genesis->chained = true;
	blocks->genesis->batch = node_batch(node, NULL, 0);
}

/* By its batch's digest. */
static uint64_t id_of(uint64_t parent_id, uint64_t view, uint64_t digest)
{
	const uint64_t said[] = {parent_id, view, digest};
	return node_digest(said, sizeof(said)) | 1;
}

uint64_t block_id(uint64_t parent_id, uint64_t view, const struct batch *batch)
{
	return id_of(parent_id, view, batch->digest);
}

void blocks_fill(struct node *node, struct blocks *blocks, struct block *block, uint64_t parent_id,
	uint64_t view, const struct batch *batch)
{
	block->parent_id = parent_id;
	block->view = view;
	block->batch = batch;
	block->parent = blocks_at(node, blocks, parent_id);
	block->next_open = blocks->open;
	blocks->open = block;
}

void blocks_chain(struct blocks *blocks, uint32_t quorum)
{
	bool any;
	do {
		any = false;
		for (struct block *block = blocks->open; block != NULL; block = block->next_open) {
			if (block->chained || block->n_votes < quorum || !block->parent->chained ||
				block->parent->view >= block->view) {
				continue;
			}
			any = block->chained = true;
			block->height = block->parent->height + 1;
			if (block->height > blocks->tip->height) {
				blocks->tip = block;
			}
		}
	} while (any);
}

bool blocks_finalize(struct node *node, struct blocks *blocks, struct block *block)
{
	uint64_t first = blocks->final->height + 1, n = block->height - blocks->final->height;
	struct block **path = arena_array(node_arena(node), struct block *, n);
	struct block *at = block;
	for (uint64_t i = n; i-- > 0; at = at->parent) {
		path[i] = at;
	}
	if (at != blocks->final) {
		return false;
	}
	blocks->final = block;
	for (struct block **open = &blocks->open; *open != NULL;) {
		if ((*open)->view <= block->view) { /* final, or never any more */
			*open = (*open)->next_open;
		} else {
			open = &(*open)->next_open;
		}
	}
	for (uint64_t i = 0; i < n; i++) {
		node_committed(node, first + i, path[i]->view, path[i]->batch);
		node_apply(node, first + i, path[i]->view, path[i]->batch, true);
	}
	return true;
}

void blocks_request(struct node *node, struct blocks *blocks, struct request_queue *queue,
	const struct message *message, uint64_t view)
{
	transaction_id transaction = (transaction_id)message->instance;
	if (node_executed(node, transaction)) {
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, view);
	} else if (growing_bits_add(&blocks->known, node_arena(node), transaction)) {
		request_queue_push(queue, node_arena(node), transaction);
	}
}

bool blocks_have_work(struct node *node, const struct blocks *blocks, struct request_queue *queue)
{
	while (queue->n > 0 && node_executed(node, request_queue_first(queue))) {
		request_queue_pop(queue);
	}
	if (queue->n > 0) {
		return true;
	}
	for (const struct block *block = blocks->open; block != NULL; block = block->next_open) {
		if (block->batch->n > 0) {
			return true;
		}
	}
	return false;
}

/* Into `transactions`; how many. */
static uint32_t take(struct node *node, struct blocks *blocks, struct request_queue *queue,
	transaction_id *transactions, uint32_t max)
{
	uint32_t n = 0, n_waiting = queue->n;
	growing_bits_clear(&blocks->held);
	for (const struct block *block = blocks->tip; block != blocks->final && block != NULL; block = block->parent) {
		for (uint32_t i = 0; i < block->batch->n; i++) {
			growing_bits_add(&blocks->held, node_arena(node), block->batch->transactions[i]);
		}
	}
	for (uint32_t i = 0; i < n_waiting; i++) { /* around the ring once: what stays is in order again */
		transaction_id transaction = request_queue_pop(queue);
		if (!node_executed(node, transaction)) {
			request_queue_push(queue, node_arena(node), transaction);
			if (n < max && !growing_bits_test(&blocks->held, transaction)) {
				transactions[n++] = transaction;
			}
		}
	}
	return n;
}

struct block *blocks_propose(
	struct node *node, struct blocks *blocks, struct request_queue *queue, uint64_t view, uint32_t max)
{
	transaction_id *transactions = arena_array(node_arena(node), transaction_id, max < queue->n ? max : queue->n + 1);
	uint32_t n = take(node, blocks, queue, transactions, max);
	const struct batch *batch = node_batch(node, transactions, n);
	struct block *block = blocks_at(node, blocks, block_id(blocks->tip->id, view, batch));
	blocks_fill(node, blocks, block, blocks->tip->id, view, batch);
	block->height = blocks->tip->height + 1;
	block->proposed = true;
	if (n > 0) {
		node_proposed(node, block->height, view, batch);
	}
	return block;
}

struct message *block_message(
	struct node *node, unsigned kind, enum message_class class, const struct block *block, bool shows_votes)
{
	struct block_said *said = arena_new(node_arena(node), struct block_said);
	*said = (struct block_said){.parent_id = block->parent_id, .batch = block->batch};
	uint32_t n_shown = shows_votes ? block->n_votes : 0, words = bits_words(node->n_validators);
	struct message *message = node_message(
		node, kind, class, BLOCK_HEADER_BYTES + block->batch->size_bytes + n_shown * BLOCK_SIGNATURE_BYTES);
	if (shows_votes) {
		uint64_t *signers = arena_array(node_arena(node), uint64_t, words);
		memcpy(signers, block->votes, words * sizeof(*signers));
		said->signers = signers;
		said->signatures = node_collect(node, signers, block->id);
		message_shows(message, n_shown);
	}
	message->view = block->view;
	message->instance = block->height;
	message->digest = block->id;
	message->body = said;
	return message;
}

struct block *blocks_hear(struct node *node, struct blocks *blocks, const struct message *message)
{
	const struct block_said *said = message->body;
	if (message->digest != block_id(said->parent_id, message->view, said->batch) ||
		(said->signers != NULL && !node_have_signed(node, said->signers, message->digest, said->signatures))) {
		node_refuse(node, "block of another id, or votes that nobody gave");
		return NULL;
	}
	struct block *block = blocks_at(node, blocks, message->digest);
	if (block->batch == NULL) {
		blocks_fill(node, blocks, block, said->parent_id, message->view, said->batch);
	}
	for (uint32_t i = 0; said->signers != NULL && i < node->n_validators; i++) {
		block->n_votes += bits_test(said->signers, i) && bits_add(block->votes, i);
	}
	return block;
}

void blocks_fetch(struct node *node, const struct blocks *blocks, unsigned kind, struct block *block, uint32_t from,
	uint64_t view)
{
	if (block->asked_in < view && from != node->id) {
		node_log(node, "a block that it lacks -> ask for it");
		block->asked_in = view;
		struct message *message = node_message(node, kind, CLASS_CONTROL, BLOCK_HEADER_BYTES);
		message->digest = block->id;
		message->instance = blocks->final->height;
		node_send(node, from, message);
	}
}

void blocks_answer(struct node *node, const struct blocks *blocks, unsigned kind, const struct message *message)
{
	const struct block *path[BLOCK_FETCH_MAX];
	const struct block *block = message->digest == 0 ? blocks->tip : blocks_find(blocks, message->digest);
	uint32_t n = 0, max = message->digest == 0 ? 1 : BLOCK_FETCH_MAX;
	for (; block != NULL && block->chained && block->height > message->instance && n < max; block = block->parent) {
		path[n++] = block;
	}
	while (n-- > 0) {
		node_send(node, message->from, block_message(node, kind, CLASS_CONTROL, path[n], true));
	}
}

bool blocks_forge_proposal(struct node *node, struct message *copy, forgery_choose choose, void *context)
{
	const struct block_said *honest = copy->body;
	struct block_said *said = arena_new(node_arena(node), struct block_said);
	*said = *honest;
	said->batch = choose(context, copy->instance, copy->view, honest->batch);
	copy->size_bytes = BLOCK_HEADER_BYTES + said->batch->size_bytes;
	copy->digest = block_id(said->parent_id, copy->view, said->batch);
	copy->body = said;
	return true;
}

void blocks_forge_vote(struct node *node, const struct blocks *blocks, struct message *copy, const struct batch *batch)
{
	const struct block *block = blocks_find(blocks, copy->digest);
	if (block != NULL && block->batch != NULL) {
		copy->digest = id_of(block->parent_id, block->view, batch->digest);
	}
}

void blocks_forge_answer(struct node *node, struct message *copy)
{
	const struct block_said *honest = copy->body;
	struct block_said *said = arena_new(node_arena(node), struct block_said);
	uint64_t *signers = arena_array(node_arena(node), uint64_t, bits_words(node->n_validators));
	for (uint32_t i = 0; i < node->n_validators; i++) {
		bits_add(signers, i);
	}
	*said = (struct block_said){.parent_id = honest->parent_id, .batch = node_batch(node, NULL, 0),
		.signers = signers};
	copy->size_bytes = BLOCK_HEADER_BYTES + node->n_validators * BLOCK_SIGNATURE_BYTES;
	copy->digest = block_id(said->parent_id, copy->view, said->batch);
	said->signatures = node_sign(node, copy->digest) * node->n_validators;
	copy->body = said;
}
