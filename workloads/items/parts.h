/* The digest of what a replica holds of items, of which each part is added and taken away by itself. */
#ifndef WORKLOADS_ITEMS_PARTS_H
#define WORKLOADS_ITEMS_PARTS_H

#include "held.h"

#include <string.h>

/* The digest is a sum over what the replica holds, so that what goes is taken away again: predictions and votes of
 * open items, outcomes, late ones, and what the scorer remembers. */
enum held { HELD_PREDICTION = 1, HELD_VOTE, HELD_OUTCOME, HELD_LATE, HELD_STATE };

#define MIX_ITEM UINT64_C(0xa0761d6478bd642f) /* odd: no two items have one multiple */

/* Both halves of a product, as in wyhash. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product =
		(unsigned __int128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd1b54a32d192ed03));
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t mix_real(uint64_t digest, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return mix(digest, bits);
}

static inline uint64_t mix_reals(uint64_t digest, const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		digest = mix_real(digest, values[i]);
	}
	return digest;
}

static inline uint64_t held(enum held what, uint64_t item, uint64_t of)
{
	return mix((uint64_t)what << 56 | item, of);
}

static inline uint64_t prediction_digest(uint64_t item, const struct open_item *open, uint32_t at, uint32_t dims)
{
	const double *row = open->values + (size_t)at * dims;
	uint64_t confidence;
	memcpy(&confidence, &open->confidence[at], sizeof(confidence));
	uint64_t digest = mix_real(item * MIX_ITEM ^ ((uint64_t)at << 32 | open->nodes[at]),
		*row);
	return mix(dims == 1 ? digest : mix_reals(digest, row + 1, dims - 1), confidence);
}

static inline uint64_t outcome_digest(uint64_t item, const struct item_outcome *outcome, const double *row,
	uint32_t dims)
{
	uint64_t digest = held(HELD_OUTCOME, item, (uint64_t)outcome->n_predictions << 32 | outcome->n_rejected);
	digest = mix_real(mix(digest, (uint64_t)outcome->decided << 32 | outcome->n_disputed), outcome->value);
	return row == NULL ? digest : mix_reals(digest, row, dims);
}

#endif
