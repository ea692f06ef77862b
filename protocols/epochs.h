/* Time cut into epochs of one length by each node's own clock, for protocols that suppose clocks to agree.
 *
 * They need not quite: a node goes over to an epoch in which f + 1 others say that they are, of which one at least
 * is honest. So no f liars, and no f clocks that are ahead, move anyone; one that is behind catches up. Numbers never
 * fall. Epoch 1 begins at time 0. */
#ifndef PROTOCOLS_EPOCHS_H
#define PROTOCOLS_EPOCHS_H

#include "sim/node.h"

struct epochs {
	sim_time length_ns;
	sim_time ahead_ns; /* of the node's clock */
	uint64_t now;
	uint64_t *heard;   /* by validator: the latest epoch that it has spoken of */
};

static inline void epochs_start(struct node *node, struct epochs *epochs, sim_time length_ns)
{
	epochs->length_ns = length_ns;
	epochs->heard = arena_array(node_arena(node), uint64_t, node->n_validators);
}

static inline uint64_t epochs_now(const struct node *node, struct epochs *epochs)
{
	uint64_t epoch = (uint64_t)(sim_time_add(node_now(node), epochs->ahead_ns) / epochs->length_ns) + 1;
	epochs->now = epoch > epochs->now ? epoch : epochs->now;
	return epochs->now;
}

/* When an epoch begins, by the node's clock; SIM_NEVER beyond the clock's end. */
static inline sim_time epochs_begin_ns(const struct epochs *epochs, uint64_t epoch)
{
	sim_time begin;
	if (__builtin_mul_overflow((sim_time)(epoch - 1), epochs->length_ns, &begin)) {
		return SIM_NEVER;
	}
	return begin > epochs->ahead_ns ? begin - epochs->ahead_ns : 0;
}

/* Another has spoken, in its own name, as of an epoch: O(1), but O(n^2) where that is not this one or the next. */
static inline void epochs_hear(struct node *node, struct epochs *epochs, uint32_t from, uint64_t epoch)
{
	uint64_t now = epochs_now(node, epochs), agreed = 0;
	if (epoch <= now + 1 || epoch > INT32_MAX || epoch <= epochs->heard[from]) {
		return;
	}
	epochs->heard[from] = epoch;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		uint32_t n = 0;
		for (uint32_t k = 0; k < node->n_validators; k++) {
			n += epochs->heard[k] >= epochs->heard[i];
		}
		agreed = n > node->n_faulty && epochs->heard[i] > agreed ? epochs->heard[i] : agreed;
	}
	if (agreed > now + 1) {
		node_log(node, "f + 1 are in a later epoch -> go over to it");
		epochs->ahead_ns = sim_time_add(epochs->ahead_ns, epochs_begin_ns(epochs, agreed) - node_now(node));
	}
}

#endif
