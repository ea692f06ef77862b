/* Signatures that can be shown to others: see sim/node.h. */
#include "world_inner.h"

#include <xxhash.h>

uint64_t node_digest(const void *bytes, size_t size)
{
	return XXH3_64bits(bytes, size);
}

/* SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014): one to one. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t key_of(const struct world *world, uint32_t node)
{
	return mix(world->settings.seed + (node + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Linear in the keys, so that many signatures of one statement are added up without making each. */
static uint64_t sign(uint64_t keys, uint64_t statement)
{
	return keys * (mix(statement) | 1);
}

uint64_t node_sign(const struct node *node, uint64_t statement)
{
	return sign(key_of(node->world, node->id), statement);
}

uint64_t node_collect(const struct node *node, const uint64_t *signers, uint64_t statement)
{
	uint64_t keys = 0;
	for (uint32_t word = 0; word < (node->n_validators + 63) / 64; word++) {
		for (uint64_t bits = signers[word]; bits != 0; bits &= bits - 1) {
			keys += key_of(node->world, 64 * word + (uint32_t)__builtin_ctzll(bits));
		}
	}
	return sign(keys, statement);
}

bool node_has_signed(const struct node *node, uint32_t who, uint64_t statement, uint64_t signature)
{
	return who < node->n_validators && sign(key_of(node->world, who), statement) == signature;
}

bool node_have_signed(
	const struct node *node, const uint64_t *signers, uint64_t statement, uint64_t signatures)
{
	return node_collect(node, signers, statement) == signatures;
}

void node_refuse(struct node *node, const char *phrase)
{
	node->world->refused++;
	node_log(node, phrase);
}
