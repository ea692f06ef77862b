/* A small, complete protocol for the tests of what a protocol may be: one decision after the other, each in rounds of
 * its own that begin at 0, and a lead that goes round. Tolerates crashes of less than half of the weight.
 *
 * In round r of height h node (h + r) mod n leads: it proposes, the others vote, and once those that voted are enough
 * it tells all that the height is decided. Who waits in vain goes to the next round, and tells its leader what it has
 * voted for last; that one proposes the latest such batch of enough of them (one decree of Paxos a height). */
#ifndef TESTS_LAB_TOY_H
#define TESTS_LAB_TOY_H

#include "study.h"

#include "protocols/protocol.h"

struct toy {
	struct protocol protocol;
	sim_time timeout_ns;
	const double *weights; /* by validator; NULL: all are alike */
	bool goes_back;        /* planted: it returns to round 0 when round 1 has been in vain */
};

struct toy toy_make(void);

/* Runs a scenario's text (its protocol must be `central`, whose settings the toy does not read) with the toy. */
struct outcome *toy_run(const struct toy *toy, const char *text);

#endif
