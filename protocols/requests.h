/* The transactions that a replica knows of and that are still to be proposed: a first-in, first-out ring.
 *
 * Shared by the protocols with a leader. Memory comes from the arena. */
#ifndef PROTOCOLS_REQUESTS_H
#define PROTOCOLS_REQUESTS_H

#include "sim/node.h"

struct request_queue {
	transaction_id *ring;
	uint32_t first, n, capacity; /* capacity: a power of two */
};

static inline void request_queue_push(
	struct request_queue *queue, struct arena *arena, transaction_id transaction)
{
	if (queue->n == queue->capacity) {
		uint32_t capacity = queue->capacity == 0 ? 64 : queue->capacity * 2;
		transaction_id *ring = arena_array(arena, transaction_id, capacity);
		for (uint32_t i = 0; i < queue->n; i++) {
			ring[i] = queue->ring[(queue->first + i) & (queue->capacity - 1)];
		}
		queue->ring = ring;
		queue->first = 0;
		queue->capacity = capacity;
	}
	queue->ring[(queue->first + queue->n++) & (queue->capacity - 1)] = transaction;
}

static inline transaction_id request_queue_first(const struct request_queue *queue)
{
	assert(queue->n > 0);
	return queue->ring[queue->first];
}

static inline transaction_id request_queue_pop(struct request_queue *queue)
{
	assert(queue->n > 0);
	transaction_id transaction = queue->ring[queue->first];
	queue->first = (queue->first + 1) & (queue->capacity - 1);
	queue->n--;
	return transaction;
}

#endif
