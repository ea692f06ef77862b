/* Protocols and sweeps: what a whole run costs. */
#include "bench.h"

#include "lab/run_all.h"
#include "scenarios/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct scenario_file *parse(const char *text)
{
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, strlen(text), "bench", ".", NULL, 0, diagnostics);
	if (file == NULL) {
		diagnostics_print(diagnostics, stderr);
	}
	diagnostics_destroy(diagnostics);
	return file;
}

/* In the child: the run, and what it took, written to the pipe. */
static bool run_and_tell(const char *text, int to)
{
	struct scenario_file *file = parse(text);
	if (file == NULL) {
		return false;
	}
	struct run_schemas schemas;
	run_schemas_init(&schemas, file);
	struct run_request request = {.file = file, .schemas = &schemas};
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char error[256];
	double started = now_s();
	bool ran = run_one(&request, &blocks, &summary, error);
	double elapsed = now_s() - started;
	if (!ran) {
		fprintf(stderr, "synod: %s\n", error);
		return false;
	}
	double messages = kpi_of(&summary, "messages") + kpi_of(&summary, "client_messages");
	double answer[3] = {elapsed, messages, kpi_of(&summary, "decided")};
	bool told = write(to, answer, sizeof(answer)) == (ssize_t)sizeof(answer);
	run_blocks_finish(&blocks);
	run_schemas_finish(&schemas);
	scenario_close(file);
	return told;
}

bool bench_scenario(const char *text, struct bench_protocol *out)
{
	int ends[2];
	if (pipe(ends) != 0) {
		return false;
	}
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(run_and_tell(text, ends[1]) ? 0 : 1);
	}
	close(ends[1]);
	double answer[3];
	bool told = pid > 0 && read(ends[0], answer, sizeof(answer)) == (ssize_t)sizeof(answer);
	close(ends[0]);
	int status;
	struct rusage usage;
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || !told || status != 0) {
		return false;
	}
	*out = (struct bench_protocol){
		.ns_per_message = answer[0] * 1e9 / answer[1],
		.messages_per_s = answer[1] / answer[0],
		.ms_per_decision = answer[0] * 1e3 / answer[2],
		.peak_mb = (double)usage.ru_maxrss / 1024,
		.messages = (uint64_t)answer[1],
	};
	return true;
}

static void ignore_run(void *context, const struct run_summary *summary)
{
}

static void ignore_progress(void *context, const struct run_all_progress *progress)
{
}

static bool never(void *context)
{
	return false;
}

double bench_sweep(unsigned n_threads)
{
	struct scenario_file *file = parse("validators: 4\nprotocol: pbft\nworkload: requests\n"
									   "stop: {items: 100}\nreplications: 2000\n"
									   "network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n");
	struct run_schemas schemas;
	run_schemas_init(&schemas, file);
	struct run_all_request request = {
		.file = file,
		.schemas = &schemas,
		.n_threads = n_threads,
		.finished = ignore_run,
		.progress = ignore_progress,
		.interrupted = never,
	};
	char error[512];
	double started = now_s();
	enum run_all_outcome outcome = run_all(&request, error);
	double elapsed = now_s() - started;
	run_schemas_finish(&schemas);
	scenario_close(file);
	return outcome == RUN_ALL_DONE ? 2000 / elapsed : 0;
}
