/* Many runs: every point and replication of a scenario, over threads.
 *
 * Runs share nothing but the scenario, which is read-only, and each result depends on its run alone, so
 * the file's bytes do not depend on how many threads there were or which finished first. A run that can't be run
 * has the verdict `failed`, and the others go on. */
#ifndef LAB_SWEEP_H
#define LAB_SWEEP_H

#include "lab/run.h"

struct sweep_progress {
	uint64_t n_runs, n_done, n_resumed;
	uint64_t events;
	double elapsed_s;
};

/* A run that an earlier process died of, as it told when it died (lab/crash.h). */
struct sweep_dead {
	uint64_t run;
	const char *reason;
};

struct sweep_request {
	const struct scenario_file *file;
	const struct run_schemas *schemas;
	unsigned n_threads;
	bool verbose;
	struct journal *journal; /* NULL: nothing is kept */
	const struct sweep_dead *dead; /* is not run again; NULL: none */
	/* Called with each finished run, one at a time. */
	void (*finished)(void *context, const struct run_summary *summary);
	/* Called about every 0.2 s from the calling thread. */
	void (*progress)(void *context, const struct sweep_progress *progress);
	/* Asked as often: true ends the sweep; what is finished is in the journal. */
	bool (*interrupted)(void *context);
	void *context;
};

enum sweep_outcome { SWEEP_DONE, SWEEP_INTERRUPTED, SWEEP_FAILED };

/* On SWEEP_FAILED `error` says why. After SWEEP_INTERRUPTED runs may still be under way in their threads:
 * the caller closes the journal (no more is appended) and leaves the program. */
enum sweep_outcome sweep_run(const struct sweep_request *request, char error[512]);

#endif
