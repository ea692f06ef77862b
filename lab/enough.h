/* Whether a set of validators can go on without the others: by what the protocol says of sets (weights, members), or by
 * their number where it says nothing. */
#ifndef LAB_ENOUGH_H
#define LAB_ENOUGH_H

#include "lab.h"

/* Do validators weigh differently, so that a number of them says nothing? */
static inline bool enough_by_weight(const struct lab *lab)
{
	return lab->protocol->enough != NULL && lab->protocol->part == NULL;
}

/* A set of validators is bits, of so many words. */
static inline size_t enough_words(const struct lab *lab)
{
	return (lab->world.n_validators + 63) / 64;
}

/* Where members come and go: as the node knows them. O(validators / 64), and what the protocol's own takes. */
bool enough(const struct lab *lab, const struct node *node, const uint64_t *validators);

/* Are the live ones enough together? For want of membership. O(validators). */
bool enough_live(const struct lab *lab);

/* Is there a live validator that enough of the live, itself included, can tell something, and one (it may be another)
 * that hears enough of them? Over links, or over ways where the protocol passes things on. Necessary for anything to be
 * agreed on, not sufficient. O(validators * links). */
bool enough_in_touch(const struct lab *lab);

#endif
