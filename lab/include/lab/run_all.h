/* Many runs: every point and replication of a scenario, over threads.
 *
 * Runs share nothing but the scenario, which is read-only, and each result depends on its run alone, so
 * the file's bytes do not depend on how many threads there were or which finished first. A run that can't be run
 * has the verdict `failed`, and the others go on. */
#ifndef LAB_RUN_ALL_H
#define LAB_RUN_ALL_H

#include "lab/run.h"

struct run_all_progress {
	uint64_t n_runs, n_done, n_resumed;
	uint64_t events;
	double elapsed_s;
};

/* A run that an earlier process died of, as it told when it died (lab/crash.h). */
struct run_all_dead {
	uint64_t run;
	const char *reason;
};

struct run_all_request {
	const struct scenario_file *file;
	const struct run_schemas *schemas;
	unsigned n_threads;
	bool verbose;
	struct journal *journal; /* NULL: nothing is kept */
	const struct run_all_dead *dead; /* is not run again; NULL: none */
	/* Called with each finished run, one at a time. */
	void (*finished)(void *context, const struct run_summary *summary);
	/* Called about every 0.2 s from the calling thread. */
	void (*progress)(void *context, const struct run_all_progress *progress);
	/* Asked as often: true ends the sweep; what is finished is in the journal. */
	bool (*interrupted)(void *context);
	void *context;
};

enum run_all_outcome { RUN_ALL_DONE, RUN_ALL_INTERRUPTED, RUN_ALL_FAILED };

/* On RUN_ALL_FAILED `error` says why. After RUN_ALL_INTERRUPTED runs may still be under way in their threads:
 * the caller closes the journal (no more is appended) and leaves the program. */
enum run_all_outcome run_all(const struct run_all_request *request, char error[512]);

#endif
