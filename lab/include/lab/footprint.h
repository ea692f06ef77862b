/* How much memory runs may take.
 *
 * A run counts what it has asked for: deterministic, so that one that a scenario's own `stop.memory` ends does
 * so at the same event everywhere. The machine's bound is another matter: it ends a run only where the kernel
 * would soon end the program, and looks at what that occupies. */
#ifndef LAB_FOOTPRINT_H
#define LAB_FOOTPRINT_H

#include <stdint.h>

/* What the runs that go side by side may take together. A run ends when it has counted more than its even
 * share and the program occupies more than all of it: of runs that are too large together it is one of the
 * larger that goes, and one alone may take what the others leave. */
struct memory_allowance {
	uint64_t bytes_max; /* 0: no bound */
	unsigned n_jobs;
};

/* Three quarters of what this machine, or the control group that the program is in, has; 0 where neither
 * says. */
uint64_t memory_of_machine(void);

#endif
