/* Random schedules of faults and lies, as scenario texts: what the soak runs. A schedule keeps what the
 * protocols promise under: at most f validators lie, and by HEALED_S all faults have ended and all liars
 * behave, so that a correct protocol is safe throughout and every item is accepted in the end. */
#ifndef TESTS_SOAK_SCHEDULE_H
#define TESTS_SOAK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_TEXT_MAX 16384
#define HEALED_S 20

struct schedule {
	const char *protocol; /* "pbft", "raft", "none", "central" */
	uint64_t seed;        /* which of them */
	const char *extra;    /* further keys of the protocol: "planted: null-skipped"; NULL: none */
	const char *faults;   /* further lines of the list of faults, each "  - {...}\n"; NULL: none */
	const char *workload; /* its kind; NULL: drawn */
	bool wide;            /* of all that a scenario can say: rules, steps, clocks, members, predictions, many
	                       * clients and validators, too */
	bool lies;            /* without bounds (lies.h), where nothing is promised but an end */
};

/* The same text for the same arguments. */
void schedule_write(const struct schedule *schedule, char text[SCHEDULE_TEXT_MAX]);

struct schedule_outcome {
	char verdict[16];
	char reason[160];
	uint64_t n_violations;
};

/* Runs it. `text` is a scenario; one that is wrong ends the program: the generator is at fault. */
struct schedule_outcome schedule_run(const char *text);

#endif
