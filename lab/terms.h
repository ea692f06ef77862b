/* The views or terms that somebody led or stood for, each of an instance where views begin anew at each (else of 0).
 *
 * The latest are kept, ascending; of the older ones only their numbers are: that the same term is led by two is
 * seen while it is among the latest. Numbers may be any: a liar skips as many as it likes. */
#ifndef LAB_TERMS_H
#define LAB_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMS_KEPT 16384 /* more than the default of `stop.views` */

struct term {
	uint64_t instance, view;
	uint32_t leader; /* NODE_NONE */
	bool candidate;
	bool called; /* somebody called for it: it counts for `stop.views` */
};

struct terms {
	struct term *latest;
	size_t n, capacity;
	uint64_t n_folded;         /* older than those */
	uint64_t n_called;
	uint64_t n_led, n_changes; /* changes: led because the leader before was left */
	uint64_t n_elections;
	uint64_t n_split; /* of those that are not kept */
};

/* The term, a new one if it is not there; NULL: older than all that are kept. O(1) for the latest; else the
 * logarithm of TERMS_KEPT, and a move of what is later than a new one. */
struct term *terms_at(struct terms *terms, uint64_t instance, uint64_t view);
void terms_call(struct terms *terms, struct term *term);
/* Terms with candidates that nobody led. One that is still open at the end has not been split. */
uint64_t terms_split(const struct terms *terms);
void terms_finish(struct terms *terms);

#endif
