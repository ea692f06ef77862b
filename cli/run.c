#include "command.h"
#include "progress.h"
#include "summary.h"

#include "lab/sweep.h"
#include "scenarios/scenario.h"
#include "version.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec options[] = {
	{"--set", NULL, "KEY=VALUE", "sets a key by its dotted path, before anything is checked"},
	{"--jobs", "-j", "N", "threads; without: one a core. The bytes don't depend on it"},
	{"--output", "-o", "FILE.h5", "the result file; without: only the summary"},
	{"--skip-unfit", NULL, NULL, "leaves out and lists points whose settings don't go together, as `skip_unfit: on`"},
	{"--resume", NULL, NULL, "goes on where an interrupted run of the same scenario stopped"},
	{"--strict", NULL, NULL, "exit status 1 where any run is unsafe or stalled; without: 0, as every run is a result"},
	{"--quiet", "-q", NULL, "no progress"},
	{"--verbose", "-v", NULL, "prints what each predictor has learnt (each run, each validator)"},
	{0},
};

enum { OPTION_SET, OPTION_JOBS, OPTION_OUTPUT, OPTION_SKIP_UNFIT, OPTION_RESUME, OPTION_STRICT, OPTION_QUIET, OPTION_VERBOSE };

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
	interrupts++;
}

struct watcher {
	struct progress *progress;
	struct summary *summary;
};

static void finished(void *context, const struct run_summary *run)
{
	summary_add(((struct watcher *)context)->summary, run);
}

static void tell(void *context, const struct sweep_progress *progress)
{
	progress_show(((struct watcher *)context)->progress, progress);
}

static bool interrupted(void *context)
{
	return interrupts > 0;
}

/* Reads back what an earlier, interrupted run has left, so that the summary is whole. */
static void summarise_file(struct summary *summary, const char *path)
{
	struct results_error error = {0};
	struct results_file *results = results_open(path, &error);
	if (results != NULL) {
		summary_read(summary, results);
		results_close(results);
	}
}

/* Is there a file under the result's name that is not a result file? */
static bool is_something_else(const char *path)
{
	static const char hdf5[8] = "\x89HDF\r\n\x1a\n";
	char start[8];
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		return false; /* nothing there, or what opening the journal will tell better */
	}
	size_t n = fread(start, 1, sizeof(start), file);
	fclose(file);
	return n > 0 && (n < sizeof(start) || memcmp(start, hdf5, sizeof(start)) != 0);
}

static void tell_of_old_journal(const char *output)
{
	char *path;
	if (asprintf(&path, "%s.journal", output) >= 0) {
		if (access(path, F_OK) == 0) {
			fprintf(stderr,
				"synod: note: an unfinished run into %s is given up (--resume would go on with it)\n",
				output);
		}
		free(path);
	}
}

/* Says on stderr, after the table, what must not be overlooked. The exit status. */
static int conclude(const struct summary *summary, bool strict)
{
	struct diagnostics *diagnostics = diagnostics_create();
	summary_remarks(summary, diagnostics);
	diagnostics_print(diagnostics, stderr);
	diagnostics_destroy(diagnostics);
	if (fflush(stdout) != 0) {
		complain("standard output: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	return summary_alarm(summary, stderr) && strict ? EXIT_NO : EXIT_DONE;
}

/* Where --resume finds the finished file and no journal: nothing is run. The exit status, or -1: go on. */
static int look_for_finished(const struct scenario_file *file, const char *output,
	const struct results_header *header, bool strict)
{
	struct results_error error = {0};
	switch (results_find(output, header, &error)) {
	case FOUND_NOTHING:
		return -1;
	case FOUND_OTHER:
		complain("%s", error.text);
		return EXIT_USAGE;
	case FOUND_UNREADABLE:
		complain("%s", error.text);
		return EXIT_ENVIRONMENT;
	case FOUND_FINISHED:
		break;
	}
	struct summary *summary = summary_create(file);
	summarise_file(summary, output);
	summary_print(summary, stdout);
	printf("\nresults: %s, which was finished before: nothing was left to run\n", output);
	int status = conclude(summary, strict);
	summary_destroy(summary);
	return status;
}

static int execute(const struct option_values *values, struct scenario_file *file, const char *output,
	unsigned n_threads)
{
	struct run_schemas schemas;
	run_schemas_init(&schemas, file);
	struct results_header header = {
		.scenario = scenario_text(file),
		.synod_version = SYNOD_VERSION,
		.source = SYNOD_SOURCE,
		.seed = scenario_point(file, 0)->seed,
	};
	uint64_t n_runs =
		scenario_n_points(file) * (uint64_t)scenario_point(file, 0)->replications;
	struct results_error error = {0};
	struct journal *journal = NULL;
	if (output != NULL) {
		if (is_something_else(output)) {
			complain("%s: exists and is not a result file; it is not replaced", output);
			run_schemas_finish(&schemas);
			return EXIT_USAGE;
		}
		if (values[OPTION_RESUME].n == 0) {
			tell_of_old_journal(output);
		} else {
			int status = look_for_finished(file, output, &header, values[OPTION_STRICT].n > 0);
			if (status >= 0) {
				run_schemas_finish(&schemas);
				return status;
			}
		}
		journal = journal_open(
			output, &header, schemas.tables, n_runs, values[OPTION_RESUME].n > 0, &error);
		if (journal == NULL) {
			complain("%s", error.text);
			run_schemas_finish(&schemas);
			return error.other ? EXIT_USAGE : EXIT_ENVIRONMENT;
		}
	}
	uint64_t n_resumed = journal == NULL ? 0 : journal_count(journal);
	struct summary *summary = summary_create(file);
	struct progress *progress = progress_create(values[OPTION_QUIET].n > 0);
	struct watcher watcher = {progress, summary};
	struct sweep_request request = {
		.file = file,
		.schemas = &schemas,
		.n_threads = n_threads,
		.verbose = values[OPTION_VERBOSE].n > 0,
		.journal = journal,
		.finished = finished,
		.progress = tell,
		.interrupted = interrupted,
		.context = &watcher,
	};
	char why[512];
	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	enum sweep_outcome outcome = sweep_run(&request, why);
	progress_destroy(progress);
	signal(SIGINT, SIG_DFL); /* what is left to do can be broken off: the runs are kept */
	signal(SIGTERM, SIG_DFL);
	if (outcome == SWEEP_INTERRUPTED) {
		uint64_t n_done = journal == NULL ? 0 : journal_count(journal);
		if (journal != NULL) {
			journal_close(journal);
			fprintf(stderr,
				"synod: interrupted: %llu of %llu runs are kept; the same command with --resume goes on\n",
				(unsigned long long)n_done, (unsigned long long)n_runs);
		} else {
			fprintf(stderr, "synod: interrupted\n");
		}
		fflush(NULL);
		_exit(130); /* threads may still be in their runs */
	}
	int status = EXIT_DONE;
	if (outcome == SWEEP_FAILED) {
		complain("%s", why);
		if (journal != NULL) {
			journal_close(journal);
		}
		status = EXIT_ENVIRONMENT;
	} else if (journal != NULL && !journal_complete(journal, &error)) {
		complain("%s", error.text);
		status = EXIT_ENVIRONMENT;
	}
	if (status == EXIT_DONE) {
		if (n_resumed > 0) {
			summarise_file(summary, output);
		}
		summary_print(summary, stdout);
		if (output != NULL) {
			printf("\nresults: %s\n", output);
		}
		status = conclude(summary, values[OPTION_STRICT].n > 0);
	}
	summary_destroy(summary);
	run_schemas_finish(&schemas);
	return status;
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	long long n_threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (values[OPTION_JOBS].n > 0 && !option_number("-j", values[OPTION_JOBS].values[0], 1, 1024,
										 &n_threads)) {
		return EXIT_USAGE;
	}
	const struct option_values *output = &values[OPTION_OUTPUT];
	if (values[OPTION_RESUME].n > 0 && output->n == 0) {
		complain("--resume wants the result file that was begun: -o FILE.h5");
		return EXIT_USAGE;
	}
	struct diagnostics *diagnostics = diagnostics_create();
	char *path = scenario_path(arguments[0]);
	struct scenario_file *file = scenario_given(
		path, &values[OPTION_SET], values[OPTION_SKIP_UNFIT].n > 0, diagnostics);
	diagnostics_print(diagnostics, stderr);
	int status = EXIT_USAGE;
	if (file != NULL) {
		uint64_t n_runs =
			scenario_n_points(file) * (uint64_t)scenario_point(file, 0)->replications;
		if ((uint64_t)n_threads > n_runs) {
			n_threads = (long long)n_runs;
		}
		status = execute(values, file, output->n == 0 ? NULL : output->values[output->n - 1],
			(unsigned)n_threads);
	}
	scenario_close(file);
	diagnostics_destroy(diagnostics);
	free(path);
	return status;
}

const struct command command_run = {
	.name = "run",
	.summary = "runs a scenario: every point, every replication",
	.usage = "SCENARIO [--set KEY=VALUE]... [-j N] [-o FILE.h5] [--skip-unfit]\n"
			 "          [--resume] [--strict] [--quiet] [--verbose]",
	.example = "  synod run textbook-pbft.yaml\n"
			   "      the shipped scenario of that name; prints a summary\n"
			   "  synod run compare-protocols.yaml -o demo.h5 --set replications=5\n"
			   "      writes a result file as well\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
