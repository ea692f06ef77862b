/* From a point's tree to its settings. */
#ifndef KEYS_H
#define KEYS_H

#include "check.h"

enum point_state {
	POINT_GOOD,
	POINT_WRONG, /* a value is wrong by itself */
	POINT_UNFIT, /* each value is right, but they don't go together: an attack that the protocol has no place for */
};

/* Checks a point's tree and completes it; adds errors where anything is wrong. */
enum point_state check_point(
	struct checker *checker, const struct tree *root, struct scenario *out);

/* Completes a checked point: `auto`, the plugins' own `finish`, the defaults that hang together. */
bool finish_point(struct checker *checker, const struct tree *root, struct scenario *scenario);
/* Moves all that the point holds from scratch memory into the pool. */
void pool_point(struct pool *pool, struct scenario *scenario);

/* fits.c: what a completed point's parts ask of each other; of the protocol and the attacks only where these are
 * good. */
bool check_fits(struct checker *checker, const struct tree *root, const struct scenario *scenario,
	bool protocol, bool attacks);

#endif
