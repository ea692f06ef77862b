/* Runs random schedules of faults and lies, and says which break something:
 *
 *     soak [--protocol NAME] [--runs N] [--first SEED] [--print SEED] [--wide 1] [--lies 1]
 *
 * --wide 1: schedules that also have rules, steps, clocks, members, predictions, and up to 31 validators and 40
 * clients
 * --lies 1: such schedules, with lies without bounds. They may end in any way, so long as the program goes on
 *
 * Exit status: 0 where every run completed without a violation, else 1 and the schedules' numbers. Where the
 * program dies it says in which schedule. */
#include "schedule.h"

#include "protocols/protocol.h"

#include <signal.h>
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
	bool wide, lies;
	mtx_t *output;
};

/* What this thread has in hand, in case that it dies of it. */
static _Thread_local struct schedule running;

static void died(int sign)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s, schedule %llu: died of signal %d\n", running.protocol,
		(unsigned long long)running.seed, sign);
	if (write(STDOUT_FILENO, text, (size_t)n) < 0) {
		_exit(3);
	}
	signal(sign, SIG_DFL);
	raise(sign);
}

static int work(void *context)
{
	struct job *job = context;
	char text[SCHEDULE_TEXT_MAX];
	for (uint64_t i = 0; i < job->n; i += job->step) {
		running = (struct schedule){
			.protocol = job->protocol, .seed = job->first + i, .wide = job->wide, .lies = job->lies};
		schedule_write(&running, text);
		struct schedule_outcome outcome = schedule_run(text);
		if (strcmp(outcome.verdict, "completed") != 0 && !job->lies) {
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

static uint64_t soak(const char *protocol, uint64_t first, uint64_t n, bool wide, bool lies)
{
	long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n_threads = n_cores < 1 ? 1 : n_cores > THREADS_MAX ? THREADS_MAX : (unsigned)n_cores;
	mtx_t output;
	mtx_init(&output, mtx_plain);
	thrd_t threads[THREADS_MAX];
	struct job jobs[THREADS_MAX];
	uint64_t n_failed = 0;
	for (unsigned i = 0; i < n_threads; i++) {
		jobs[i] = (struct job){protocol, first + i, n > i ? n - i : 0, n_threads, 0, wide, lies, &output};
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

static void refuse(const char *format, const char *word)
{
	fputs("soak: ", stderr);
	fprintf(stderr, format, word);
	fputs("\n", stderr);
	exit(2);
}

/* A whole number, or the end. */
static uint64_t number(const char *option, const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0') {
		refuse("%s wants a whole number", option);
	}
	return value;
}

static const char *known_protocol(const char *name)
{
	for (const struct plugin *const *plugin = protocol_registry.plugins; *plugin != NULL; plugin++) {
		if (strcmp(name, (*plugin)->name) == 0) {
			return name;
		}
	}
	refuse("there is no protocol %s: see synod list protocols", name);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *protocol = NULL;
	uint64_t n = 10000, first = 1, print = 0;
	bool wide = false, lies = false, prints = false;
	for (int i = 1; i < argc; i += 2) {
		const char *option = argv[i];
		if (i + 1 == argc) {
			refuse("%s lacks its value", option);
		} else if (strcmp(option, "--protocol") == 0) {
			protocol = known_protocol(argv[i + 1]);
		} else if (strcmp(option, "--runs") == 0) {
			n = number(option, argv[i + 1]);
		} else if (strcmp(option, "--first") == 0) {
			first = number(option, argv[i + 1]);
		} else if (strcmp(option, "--wide") == 0) {
			wide = number(option, argv[i + 1]) != 0;
		} else if (strcmp(option, "--lies") == 0) {
			lies = number(option, argv[i + 1]) != 0;
			wide |= lies;
		} else if (strcmp(option, "--print") == 0) {
			print = number(option, argv[i + 1]);
			prints = true;
		} else {
			refuse("unknown option %s", option);
		}
	}
	if (prints) {
		char text[SCHEDULE_TEXT_MAX];
		schedule_write(&(struct schedule){.protocol = protocol != NULL ? protocol : "pbft",
						   .seed = print,
						   .wide = wide,
						   .lies = lies},
			text);
		fputs(text, stdout);
		return 0;
	}
	signal(SIGABRT, died);
	signal(SIGSEGV, died);
	uint64_t n_failed = 0;
	for (const struct plugin *const *plugin = protocol_registry.plugins; *plugin != NULL; plugin++) {
		if (protocol == NULL || strcmp(protocol, (*plugin)->name) == 0) {
			n_failed += soak((*plugin)->name, first, n, wide, lies);
		}
	}
	return n_failed == 0 ? 0 : 1;
}
