/* The event queue: what is to happen, in order of (time, order of pushing).
 *
 * An entry is a time and a handle of 64 bits that means something to the world alone. Entries of equal
 * time come out in the order in which they went in; nothing else breaks ties. A multicast's arrivals go
 * in at once by queue_push_many. Times never lie before the last one popped (asserted).
 *
 * A monotone radix ladder: an entry waits in the bucket of the highest 8-bit digit in which its time
 * differs from `last`, a time that no entry lies before. The lowest bucket is taken when all before it
 * are done: a small one is sorted into the current array, a large one is dealt out to lower levels, from
 * the smallest time in it. Each entry is moved at most eight times, usually two or three, and always in
 * order: buckets keep the order of pushing, and two entries of equal time are always in the same bucket,
 * so that no sequence number need be stored. After: Ahuja, Mehlhorn, Orlin, Tarjan: Faster algorithms
 * for the shortest path problem, JACM 37 (1990), and the ladder queue of Tang, Goh, Thng (TOMACS 2005).
 *
 * Costs a push and a pop some 30 to 80 ns at up to a million pending, where a binary heap's cache misses
 * grow with the logarithm. Not thread-safe; owns its memory. */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "sim/types.h"

struct queue_entry {
	sim_time time;
	uint64_t handle;
};

/* Entries of a bucket: a list of these, filled in order; 1 KiB each. */
#define QUEUE_CHUNK_ENTRIES 63

struct queue_chunk {
	struct queue_chunk *next;
	uint64_t n;
	struct queue_entry entries[QUEUE_CHUNK_ENTRIES];
};

struct queue_bucket {
	struct queue_chunk *first, *last;
};

#define QUEUE_LEVELS 8
#define QUEUE_DIGITS 256

struct queue {
	/* The current array: entries with times up to current_end, sorted; those before `head` are gone. */
	struct queue_entry *current;
	size_t head, n_current, current_capacity;
	size_t moved; /* by insertions, since the array was made */
	sim_time current_end;
	sim_time last;   /* buckets are relative to it */
	sim_time popped;
	size_t n;        /* all entries */
	uint8_t levels;  /* bit l: some bucket of level l holds entries */
	uint64_t digits[QUEUE_LEVELS][QUEUE_DIGITS / 64];
	size_t counts[QUEUE_LEVELS][QUEUE_DIGITS];
	struct queue_bucket *buckets; /* QUEUE_LEVELS * QUEUE_DIGITS */
	struct queue_chunk *free_chunks;
	void **blocks; /* of chunks */
	size_t n_blocks;
	struct queue_entry *scratch;
	uint32_t *scratch_places;
	size_t scratch_capacity;
};

/* A queue is ready when zeroed. queue_finish leaves a zeroed one. */
void queue_finish(struct queue *queue);

/* Bytes that it has taken. O(1). */
size_t queue_memory(const struct queue *queue);

/* O(1) amortised. Ends the program where memory runs out. */
void queue_push(struct queue *queue, sim_time time, uint64_t handle);
void queue_push_many(struct queue *queue, const struct queue_entry *entries, size_t n);

/* Brings the first entries into the current array; the queue is not empty. */
void queue_advance(struct queue *queue);

/* Takes the first entry; the queue is not empty. */
static inline struct queue_entry queue_pop(struct queue *queue)
{
	assert(queue->n > 0);
	if (queue->head == queue->n_current) {
		queue_advance(queue);
	}
	struct queue_entry entry = queue->current[queue->head++];
	assert(entry.time >= queue->popped);
	queue->popped = entry.time;
	queue->n--;
	return entry;
}

static inline bool queue_is_empty(const struct queue *queue)
{
	return queue->n == 0;
}

/* The first entry's time; SIM_NEVER when empty. */
static inline sim_time queue_next_time(struct queue *queue)
{
	if (queue->n == 0) {
		return SIM_NEVER;
	}
	if (queue->head == queue->n_current) {
		queue_advance(queue);
	}
	return queue->current[queue->head].time;
}

#endif
