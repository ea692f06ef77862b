#include "engine/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_CHUNKS 64

/* A bucket of at most so many entries is sorted rather than dealt out: a sixteenth of what is pending,
 * within these. A fixed bound is a trap: with few pending all would sit in the current array, where
 * every push is an insertion. */
#define SORT_MIN 48
#define SORT_MAX 1024

/* When insertions into the current array have moved so many entries for each one in it, the later part
 * goes back to the buckets and SPILL_KEEP entries stay. */
#define SPILL_MOVES 16
#define SPILL_KEEP 64

static void *must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory: the event queue cannot grow\n");
		_Exit(3); /* no handlers beside other threads' runs */
	}
	return memory;
}

void queue_finish(struct queue *queue)
{
	for (size_t i = 0; i < queue->n_blocks; i++) {
		free(queue->blocks[i]);
	}
	free(queue->blocks);
	free(queue->buckets);
	free(queue->current);
	free(queue->scratch);
	free(queue->scratch_places);
	*queue = (struct queue){0};
}

size_t queue_memory(const struct queue *queue)
{
	return queue->n_blocks * BLOCK_CHUNKS * sizeof(struct queue_chunk) +
		queue->current_capacity * sizeof(*queue->current) +
		queue->scratch_capacity * (sizeof(*queue->scratch) + sizeof(*queue->scratch_places));
}

static struct queue_chunk *take_chunk(struct queue *queue)
{
	struct queue_chunk *chunk = queue->free_chunks;
	if (chunk == NULL) {
		struct queue_chunk *block = must(malloc(BLOCK_CHUNKS * sizeof(*block)));
		queue->blocks =
			must(realloc(queue->blocks, (queue->n_blocks + 1) * sizeof(*queue->blocks)));
		queue->blocks[queue->n_blocks++] = block;
		for (size_t i = 0; i < BLOCK_CHUNKS; i++) {
			block[i].next = i + 1 < BLOCK_CHUNKS ? &block[i + 1] : NULL;
		}
		chunk = block;
	}
	queue->free_chunks = chunk->next;
	chunk->next = NULL;
	chunk->n = 0;
	return chunk;
}

/* The slot of level and digit in which a time after `last` differs from it. */
static inline unsigned slot_of(const struct queue *queue, sim_time time)
{
	uint64_t difference = (uint64_t)time ^ (uint64_t)queue->last;
	unsigned level = (63 - (unsigned)__builtin_clzll(difference)) >> 3;
	return level << 8 | (unsigned)((uint64_t)time >> (level << 3) & 0xff);
}

static inline void add_to_bucket(struct queue *queue, struct queue_entry entry)
{
	unsigned slot = slot_of(queue, entry.time);
	struct queue_bucket *bucket = &queue->buckets[slot];
	struct queue_chunk *chunk = bucket->last;
	if (chunk == NULL || chunk->n == QUEUE_CHUNK_ENTRIES) {
		struct queue_chunk *fresh = take_chunk(queue);
		if (chunk == NULL) {
			bucket->first = fresh;
			queue->levels |= (uint8_t)(1u << (slot >> 8));
			queue->digits[slot >> 8][(slot & 0xff) >> 6] |= UINT64_C(1) << (slot & 63);
		} else {
			chunk->next = fresh;
		}
		bucket->last = chunk = fresh;
	}
	chunk->entries[chunk->n++] = entry;
	queue->counts[slot >> 8][slot & 0xff]++;
}

static void reserve_current(struct queue *queue, size_t n)
{
	if (n > queue->current_capacity) {
		size_t capacity = queue->current_capacity == 0 ? 256 : queue->current_capacity;
		while (capacity < n) {
			capacity *= 2;
		}
		queue->current = must(realloc(queue->current, capacity * sizeof(*queue->current)));
		queue->current_capacity = capacity;
	}
}

/* Moves all but the first entries of the current array to the buckets. The array covers a bucket's whole
 * range, which may be seconds: made while little was pending, it would else take in, one insertion after
 * the other, all that a burst then pushes. */
static void spill(struct queue *queue)
{
	size_t keep = queue->head + SPILL_KEEP;
	sim_time time = queue->current[keep].time;
	/* Entries of one time stay together, and buckets hold only what is later than `last`. */
	while (keep > queue->head && queue->current[keep - 1].time == time) {
		keep--;
	}
	while (keep < queue->n_current && queue->current[keep].time <= queue->last) {
		keep++;
	}
	size_t n = queue->n_current;
	queue->n_current = keep;
	queue->current_end = time <= queue->last ? queue->last : time - 1;
	for (size_t i = keep; i < n; i++) {
		add_to_bucket(queue, queue->current[i]);
	}
}

/* Puts an entry among those of the current array, after all that are not later. */
static void insert_current(struct queue *queue, struct queue_entry entry)
{
	/* Only where half of the array is free: at most one entry is moved for each one popped. */
	if (queue->n_current == queue->current_capacity && queue->head > queue->n_current / 2) {
		memmove(queue->current, queue->current + queue->head,
			(queue->n_current - queue->head) * sizeof(*queue->current));
		queue->n_current -= queue->head;
		queue->head = 0;
	}
	reserve_current(queue, queue->n_current + 1);
	size_t at = queue->n_current++;
	while (at > queue->head && queue->current[at - 1].time > entry.time) {
		queue->current[at] = queue->current[at - 1];
		at--;
	}
	queue->current[at] = entry;
	size_t n = queue->n_current - queue->head;
	queue->moved += queue->n_current - 1 - at;
	if (queue->moved > SPILL_MOVES * (n + 4 * SPILL_KEEP)) {
		queue->moved = 0;
		if (n > 4 * SPILL_KEEP) {
			spill(queue);
		}
	}
}

static inline void push(struct queue *queue, struct queue_entry entry)
{
	assert(entry.time >= queue->popped);
	if (entry.time <= queue->current_end) {
		insert_current(queue, entry);
	} else {
		add_to_bucket(queue, entry);
	}
}

static void prepare(struct queue *queue)
{
	if (queue->buckets == NULL) {
		queue->buckets = must(calloc(QUEUE_LEVELS * QUEUE_DIGITS, sizeof(*queue->buckets)));
	}
}

void queue_push(struct queue *queue, sim_time time, uint64_t handle)
{
	prepare(queue);
	push(queue, (struct queue_entry){time, handle});
	queue->n++;
}

void queue_push_many(struct queue *queue, const struct queue_entry *entries, size_t n)
{
	prepare(queue);
	for (size_t i = 0; i < n; i++) {
		push(queue, entries[i]);
	}
	queue->n += n;
}

/* The lowest bucket: all its entries lie before all others. */
static unsigned lowest_slot(const struct queue *queue)
{
	unsigned level = (unsigned)__builtin_ctz(queue->levels);
	for (unsigned word = 0;; word++) {
		assert(word < QUEUE_DIGITS / 64);
		if (queue->digits[level][word] != 0) {
			return level << 8 | word << 6 |
				(unsigned)__builtin_ctzll(queue->digits[level][word]);
		}
	}
}

static struct queue_chunk *take_bucket(struct queue *queue, unsigned slot)
{
	unsigned level = slot >> 8;
	uint64_t *digits = queue->digits[level];
	struct queue_chunk *first = queue->buckets[slot].first;
	queue->buckets[slot] = (struct queue_bucket){0};
	queue->counts[level][slot & 0xff] = 0;
	digits[(slot & 0xff) >> 6] &= ~(UINT64_C(1) << (slot & 63));
	if ((digits[0] | digits[1] | digits[2] | digits[3]) == 0) {
		queue->levels &= (uint8_t)~(1u << level);
	}
	return first;
}

static void give_back(struct queue *queue, struct queue_chunk *chunk)
{
	chunk->next = queue->free_chunks;
	queue->free_chunks = chunk;
}

/* Sorts entries stably by time into the current array: one pass by linear interpolation into as many
 * places as there are entries, then insertion, which finds nearly all in place. */
static void sort_into_current(struct queue *queue, const struct queue_entry *entries, size_t n)
{
	sim_time min = entries[0].time;
	sim_time max = min;
	for (size_t i = 1; i < n; i++) {
		min = entries[i].time < min ? entries[i].time : min;
		max = entries[i].time > max ? entries[i].time : max;
	}
	struct queue_entry *sorted = queue->current;
	if (n <= 16 || max == min) {
		memcpy(sorted, entries, n * sizeof(*sorted));
	} else {
		double scale = (double)(n - 1) / (double)(max - min);
		uint32_t *starts = queue->scratch_places;
		uint32_t *places = starts + n + 1;
		memset(starts, 0, (n + 1) * sizeof(*starts));
		for (size_t i = 0; i < n; i++) {
			places[i] = (uint32_t)((double)(entries[i].time - min) * scale);
			starts[places[i] + 1]++;
		}
		for (size_t i = 1; i <= n; i++) {
			starts[i] += starts[i - 1];
		}
		for (size_t i = 0; i < n; i++) {
			sorted[starts[places[i]]++] = entries[i];
		}
	}
	if (max == min) {
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct queue_entry entry = sorted[i];
		size_t at = i;
		while (at > 0 && sorted[at - 1].time > entry.time) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = entry;
	}
}

static void reserve_scratch(struct queue *queue, size_t n)
{
	if (n > queue->scratch_capacity) {
		queue->scratch_capacity = n < SORT_MAX ? SORT_MAX : n;
		queue->scratch =
			must(realloc(queue->scratch, queue->scratch_capacity * sizeof(*queue->scratch)));
		queue->scratch_places = must(realloc(queue->scratch_places,
			(2 * queue->scratch_capacity + 1) * sizeof(*queue->scratch_places)));
	}
}

/* Makes a small bucket the current array. */
static void sort_bucket(struct queue *queue, struct queue_chunk *chunk, size_t n)
{
	reserve_scratch(queue, n);
	reserve_current(queue, n);
	size_t at = 0;
	while (chunk != NULL) {
		struct queue_chunk *next = chunk->next;
		memcpy(queue->scratch + at, chunk->entries, chunk->n * sizeof(*queue->scratch));
		at += chunk->n;
		give_back(queue, chunk);
		chunk = next;
	}
	sort_into_current(queue, queue->scratch, n);
	queue->n_current = n;
}

/* Deals a large bucket out to lower levels, from the smallest time in it; entries of that time are the
 * current array. */
static void deal_out(struct queue *queue, struct queue_chunk *chunk)
{
	sim_time min = SIM_NEVER;
	for (const struct queue_chunk *c = chunk; c != NULL; c = c->next) {
		for (size_t i = 0; i < c->n; i++) {
			min = c->entries[i].time < min ? c->entries[i].time : min;
		}
	}
	queue->last = min;
	queue->current_end = min;
	while (chunk != NULL) {
		struct queue_chunk *next = chunk->next;
		for (size_t i = 0; i < chunk->n; i++) {
			if (chunk->entries[i].time == min) {
				reserve_current(queue, queue->n_current + 1);
				queue->current[queue->n_current++] = chunk->entries[i];
			} else {
				add_to_bucket(queue, chunk->entries[i]);
			}
		}
		give_back(queue, chunk);
		chunk = next;
	}
}

void queue_advance(struct queue *queue)
{
	assert(queue->n > 0 && queue->head == queue->n_current);
	queue->head = queue->n_current = 0;
	queue->moved = 0;
	unsigned slot = lowest_slot(queue);
	unsigned level = slot >> 8;
	size_t n = queue->counts[level][slot & 0xff];
	size_t limit = queue->n / 16;
	limit = limit < SORT_MIN ? SORT_MIN : limit > SORT_MAX ? SORT_MAX : limit;
	struct queue_chunk *chunk = take_bucket(queue, slot);
	if (n > limit && level > 0) {
		deal_out(queue, chunk);
		return;
	}
	/* The bucket's range: `last` above the digit, the digit, anything below. */
	uint64_t below = (UINT64_C(1) << (level << 3)) - 1;
	uint64_t above = level == 7 ? 0 : ~((below << 8) | 0xff);
	uint64_t start = ((uint64_t)queue->last & above) | (uint64_t)(slot & 0xff) << (level << 3);
	queue->last = (sim_time)start;
	queue->current_end = (sim_time)(start | below);
	sort_bucket(queue, chunk, n);
}
