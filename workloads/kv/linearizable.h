/* Linearizability of registers whose writes are all of distinct values, so that each read says which write it
 * reads: then it can be decided in O(n log n), where it is NP-complete in general.
 *
 * For each key on its own (linearizability is local: Herlihy, Wing, TOPLAS 1990, 3.3), the operations that
 * write or read one value are a cluster; its zone goes from the earliest end in it to the latest start.
 * The history is linearizable if and only if no read ends before its write starts, and no cluster both
 * ends somewhere before another starts somewhere and starts somewhere after that ends somewhere.
 * Source: Gibbons, Korach, Testing shared memories, SIAM J. Computing 26(4), 1997, section 4 (zones). */
#ifndef LAB_LINEARIZABLE_H
#define LAB_LINEARIZABLE_H

#include "sim/types.h"

#define LINEAR_INITIAL 0 /* the value of a key that nothing has written */
#define LINEAR_PENDING UINT64_MAX

struct linear_operation {
	uint64_t key;
	uint64_t value; /* what it writes or has read */
	uint64_t start; /* moments, from 1: an operation precedes another where its end < the other's start */
	uint64_t end;   /* LINEAR_PENDING: a write without an answer, which may take effect or not */
	uint32_t id;    /* the caller's */
	bool write;
};

enum linear_fault {
	LINEAR_UNWRITTEN, /* a read of what nothing has written */
	LINEAR_EARLY,     /* a read that ends before its write starts */
	LINEAR_STALE,     /* a read of what had been overwritten: `other` says by what */
};

struct linear_violation {
	enum linear_fault fault;
	struct linear_operation read, other; /* `other`: LINEAR_STALE: it ended before `read` started */
};

typedef void linear_tell(void *context, const struct linear_violation *violation);

/* Checks n operations, which it sorts; reads have an end. Tells of at most one violation a key, that of the
 * earliest read of those found. Returns how many keys have one. O(n log n). */
size_t linear_check(
	struct linear_operation *operations, size_t n, linear_tell *tell, void *context);

#endif
