/* Runs random schedules of faults and lies, and says which break something:
 *
 *     soak [--protocol NAME] [--runs N] [--first SEED] [--print SEED] [--wide 1]
 *
 * --wide 1: schedules that also have rules, steps, clocks, members, predictions, and up to 31 validators and 40
 * clients
 *
 * Exit status: 0 where every run completed without a violation, else 1 and the schedules' texts. */
#include "schedule.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

struct job {
	const char *protocol;
	uint64_t first, n, step;
	uint64_t n_failed;
	bool wide;
	mtx_t *output;
};

static int work(void *context)
{
	struct job *job = context;
	char text[SCHEDULE_TEXT_MAX];
	for (uint64_t i = 0; i < job->n; i += job->step) {
		schedule_write(&(struct schedule){.protocol = job->protocol, .seed = job->first + i, .wide = job->wide}, text);
		struct schedule_outcome outcome = schedule_run(text);
		if (strcmp(outcome.verdict, "completed") != 0) {
			job->n_failed++;
			mtx_lock(job->output);
			printf("%s, schedule %llu: %s: %s\n", job->protocol, (unsigned long long)(job->first + i),
				outcome.verdict, outcome.reason);
			fflush(stdout);
			mtx_unlock(job->output);
		}
	}
	return 0;
}

#define THREADS_MAX 64

static uint64_t soak(const char *protocol, uint64_t first, uint64_t n, bool wide)
{
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n_threads = n_cores < 1 ? 1 : n_cores > THREADS_MAX ? THREADS_MAX : (unsigned)n_cores;
	mtx_t output;
	mtx_init(&output, mtx_plain);
	thrd_t threads[THREADS_MAX];
	struct job jobs[THREADS_MAX];
	uint64_t n_failed = 0;
	for (unsigned i = 0; i < n_threads; i++) {
		jobs[i] = (struct job){protocol, first + i, n > i ? n - i : 0, n_threads, 0, wide, &output};
		if (thrd_create(&threads[i], work, &jobs[i]) != thrd_success) {
			fprintf(stderr, "soak: no more threads\n");
			exit(3);
		}
	}
	for (unsigned i = 0; i < n_threads; i++) {
		thrd_join(threads[i], NULL);
		n_failed += jobs[i].n_failed;
	}
	mtx_destroy(&output);
	printf("%s: %llu schedules, %llu failed\n", protocol, (unsigned long long)n,
		(unsigned long long)n_failed);
	fflush(stdout);
	return n_failed;
}

int main(int argc, char **argv)
{
	const char *protocol = NULL;
	uint64_t n = 10000, first = 1;
	bool wide = false;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--protocol") == 0) {
			protocol = argv[i + 1];
		} else if (strcmp(argv[i], "--runs") == 0) {
			n = strtoull(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--first") == 0) {
			first = strtoull(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--wide") == 0) {
			wide = strtoull(argv[i + 1], NULL, 10) != 0;
		} else if (strcmp(argv[i], "--print") == 0) {
			char text[SCHEDULE_TEXT_MAX];
			struct schedule schedule = {
				.protocol = protocol != NULL ? protocol : "pbft",
				.seed = strtoull(argv[i + 1], NULL, 10),
				.wide = wide,
			};
			schedule_write(&schedule, text);
			fputs(text, stdout);
			return 0;
		}
	}
	uint64_t n_failed = 0;
	static const char *const all[] = {"pbft", "raft", "central", "none"};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (protocol == NULL || strcmp(protocol, all[i]) == 0) {
			n_failed += soak(all[i], first, n, wide);
		}
	}
	return n_failed == 0 ? 0 : 1;
}
