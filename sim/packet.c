/* Packets: where messages lie from being made until their last copy has been handled. And batches. */
#include "world_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

void *world_grow(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		_Exit(3); /* no handlers beside other threads' runs */
	}
	return memory;
}

void packet_chunk_add(struct world *world)
{
	if (world->n_packet_chunks == world->packet_chunks_capacity) {
		world->packet_chunks_capacity =
			world->packet_chunks_capacity == 0 ? 16 : world->packet_chunks_capacity * 2;
		world->packet_chunks = world_grow(world->packet_chunks,
			world->packet_chunks_capacity * sizeof(*world->packet_chunks));
	}
	struct packet *chunk =
		aligned_alloc(64, sizeof(struct packet) << PACKET_CHUNK_BITS);
	if (chunk == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		_Exit(3); /* no handlers beside other threads' runs */
	}
	world->packet_chunks[world->n_packet_chunks++] = chunk;
}

struct message *node_message(struct node *node, unsigned kind, enum message_class class,
	uint32_t size_bytes)
{
	static_assert(sizeof(struct packet) == 64, "a packet fills one cache line");
	struct packet *packet = packet_take(node->world);
	packet->message = (struct message){
		.kind = (uint8_t)kind,
		.class = (uint8_t)class,
		.from = node->id,
		.size_bytes = size_bytes,
	};
	return &packet->message;
}

const struct batch *node_batch(struct node *node, const transaction_id *transactions, uint32_t n)
{
	struct batch *batch =
		arena_alloc(&node->world->arena, sizeof(*batch) + n * sizeof(transactions[0]));
	batch->n = n;
	uint64_t size_bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		batch->transactions[i] = transactions[i];
		size_bytes += node_transaction_bytes(node, transactions[i]);
	}
	assert(size_bytes <= UINT32_MAX); /* the workloads bound their transactions */
	batch->size_bytes = (uint32_t)size_bytes;
	batch->digest = n == 0 ? 0 : XXH3_64bits(transactions, n * sizeof(transactions[0])) | 1;
	return batch;
}
