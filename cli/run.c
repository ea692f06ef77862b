#include "command.h"
#include "progress.h"
#include "restart.h"
#include "summary.h"

#include "lab/crash.h"
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
	{"--resume", NULL, NULL, "goes on where an interrupted run stopped: the same command does so anyhow"},
	{"--force", NULL, NULL, "gives up the finished or unfinished result that is there, whatever it is of"},
	{"--strict", NULL, NULL, "exit status 1 where any run is unsafe or stalled; without: 0, as every run is a result"},
	{"--quiet", "-q", NULL, "no progress"},
	{"--verbose", "-v", NULL, "prints what each predictor has learnt (each run, each validator)"},
	{0},
};

enum { OPTION_SET, OPTION_JOBS, OPTION_OUTPUT, OPTION_RESUME, OPTION_FORCE, OPTION_STRICT, OPTION_QUIET, OPTION_VERBOSE };

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

/* The rows of an earlier, interrupted run. */
static void read_back(void *context, const struct table_schema *schema, const struct block *row)
{
	summary_read(context, schema, row);
}

/* Says on stderr, after the table, what must not be overlooked. The exit status. */
static int conclude(const struct summary *summary, bool strict)
{
	if (fflush(stdout) != 0) {
		complain("standard output: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	enum summary_alarm alarm = summary_alarm(summary, stderr);
	return alarm == SUMMARY_FAILED || (alarm == SUMMARY_BAD && strict) ? EXIT_NO : EXIT_DONE;
}

/* The finished file is all there is to say: nothing is run. The exit status. */
static int tell_of_finished(const struct scenario_file *file, const char *output, bool strict)
{
	struct results_error error = {0};
	struct results_file *results = results_open(output, &error);
	const struct table_schema *schema;
	const struct block *runs =
		results == NULL ? NULL : results_table(results, TABLE_RUNS, &schema, &error);
	if (runs == NULL) {
		complain("%s", error.text);
		results_close(results);
		return EXIT_ENVIRONMENT;
	}
	struct summary *summary = summary_create(file);
	summary_read(summary, schema, runs);
	results_close(results);
	summary_print(summary, stdout);
	printf("\nresults: %s, which was finished before: nothing was left to run\n", output);
	int status = conclude(summary, strict);
	summary_destroy(summary);
	return status;
}

/* Looks at what is there under the result's name and opens the journal beside it; an unfinished one of this
 * sweep is gone on with. Nothing of another's is given up without --force. The exit status, or -1: go on. */
static int open_journal(const struct option_values *values, const struct scenario_file *file,
	const char *output, const struct results_header *header, const struct run_schemas *schemas,
	uint64_t n_runs, struct journal **journal)
{
	bool force = values[OPTION_FORCE].n > 0;
	struct results_error error = {0};
	bool begun = results_begun(output);
	enum results_found found = results_find(output, header, force, &error);
	if (found == FOUND_FINISHED && !begun) {
		return tell_of_finished(file, output, values[OPTION_STRICT].n > 0);
	}
	/* An unfinished sweep beside the result of another was begun with --force. */
	bool in_the_way = found == FOUND_FOREIGN ||
		(!begun && (found == FOUND_OTHER_SCENARIO || found == FOUND_OTHER_VERSION || found == FOUND_UNREADABLE));
	if (!in_the_way) {
		*journal = journal_open(output, header, schemas->tables, n_runs, !force, &error);
	}
	if (*journal == NULL) {
		complain("%s%s", error.text,
			found == FOUND_UNREADABLE && in_the_way ? "; --force replaces it" : "");
		return error.other ? EXIT_USAGE : EXIT_ENVIRONMENT;
	}
	if (!journal_is_locked(*journal)) {
		fprintf(stderr,
			"synod: note: the file system of %s has no locks: see to it that no other synod writes there\n",
			output);
	}
	uint64_t n_held = journal_count(*journal);
	if (n_held > 0) {
		fprintf(stderr, "synod: goes on with %s: %llu of %llu runs were finished before\n", output,
			(unsigned long long)n_held, (unsigned long long)n_runs);
	}
	return -1;
}

/* What the environment broke off can be gone on with. */
static void tell_of_kept(uint64_t n_done, uint64_t n_runs, const char *output)
{
	fprintf(stderr,
		"synod: %llu of %llu runs are kept in %s.journal; the same command goes on (with or without --resume)\n",
		(unsigned long long)n_done, (unsigned long long)n_runs, output);
}

/* Opens the journal of the sweep, in the file that is wanted or in memory. The exit status, or -1: go on. */
static int prepare(const struct option_values *values, const struct scenario_file *file, const char *output,
	const struct results_header *header, const struct run_schemas *schemas, uint64_t n_runs,
	const struct restart *restart, struct journal **journal)
{
	if (restart == NULL && output != NULL) {
		return open_journal(values, file, output, header, schemas, n_runs, journal);
	}
	struct results_error error = {0};
	*journal = output != NULL
		? journal_open(output, header, schemas->tables, n_runs, true, &error)
		: journal_open_nameless(
			  restart == NULL ? -1 : restart->descriptor, header, schemas->tables, n_runs, &error);
	if (*journal == NULL) {
		complain("%s", error.text);
		return EXIT_ENVIRONMENT;
	}
	return -1;
}

/* Runs what is left to run; the journal is the callee's from here. */
static int sweep(const struct option_values *values, const struct scenario_file *file, const char *output,
	const struct run_schemas *schemas, uint64_t n_runs, struct journal *journal,
	const struct sweep_dead *dead, unsigned n_threads)
{
	struct results_error error = {0};
	struct summary *summary = summary_create(file);
	struct progress *progress = progress_create(values[OPTION_QUIET].n > 0);
	struct watcher watcher = {progress, summary};
	struct sweep_request request = {
		.file = file,
		.schemas = schemas,
		.n_threads = n_threads,
		.verbose = values[OPTION_VERBOSE].n > 0,
		.journal = journal,
		.dead = dead,
		.finished = finished,
		.progress = tell,
		.interrupted = interrupted,
		.context = &watcher,
	};
	char why[512];
	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	restart_arm(output == NULL ? journal_descriptor(journal) : -1);
	crash_watch(restart_now);
	enum sweep_outcome outcome = SWEEP_FAILED;
	if (journal_visit(journal, read_back, summary, &error)) {
		outcome = sweep_run(&request, why);
	} else {
		snprintf(why, sizeof(why), "%s", error.text);
	}
	progress_destroy(progress);
	uint64_t n_done = journal_count(journal);
	if (outcome == SWEEP_INTERRUPTED) {
		journal_close(journal);
		fprintf(stderr, "synod: interrupted\n");
		if (output != NULL) {
			tell_of_kept(n_done, n_runs, output);
		}
		fflush(NULL);
		_exit(130); /* threads may still be in their runs */
	}
	int status = EXIT_DONE;
	if (outcome == SWEEP_FAILED || output == NULL) {
		journal_close(journal);
	}
	if (outcome == SWEEP_FAILED || (output != NULL && !journal_complete(journal, &error))) {
		complain("%s", outcome == SWEEP_FAILED ? why : error.text);
		if (output != NULL) {
			tell_of_kept(n_done, n_runs, output);
		}
		status = EXIT_ENVIRONMENT;
	}
	if (status == EXIT_DONE) {
		summary_print(summary, stdout);
		if (output != NULL) {
			printf("\nresults: %s\n", output);
		}
		status = conclude(summary, values[OPTION_STRICT].n > 0);
	}
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
	struct restart restart;
	struct sweep_dead dead;
	bool restarted = restart_found(&restart);
	if (restarted) {
		dead = (struct sweep_dead){restart.run, restart.reason};
		fprintf(stderr, "synod: run %llu died: %s; the others go on\n", (unsigned long long)dead.run, dead.reason);
	}
	struct journal *journal = NULL;
	int status = prepare(
		values, file, output, &header, &schemas, n_runs, restarted ? &restart : NULL, &journal);
	if (status < 0) {
		status = sweep(values, file, output, &schemas, n_runs, journal, restarted ? &dead : NULL, n_threads);
	}
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
	if (values[OPTION_RESUME].n > 0 && values[OPTION_FORCE].n > 0) {
		complain("--resume goes on with what --force gives up: name one of them");
		return EXIT_USAGE;
	}
	struct diagnostics *diagnostics = diagnostics_create();
	char *path = scenario_path(arguments[0]);
	struct scenario_file *file =
		scenario_read(path, values[OPTION_SET].values, values[OPTION_SET].n, diagnostics);
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
	.usage = "SCENARIO [--set KEY=VALUE]... [-j N] [-o FILE.h5] [--resume | --force]\n"
			 "          [--strict] [--quiet] [--verbose]",
	.example = "  synod run textbook-pbft.yaml\n"
			   "      the shipped scenario of that name; prints a summary\n"
			   "  synod run compare-protocols.yaml -o demo.h5 --set replications=5\n"
			   "      writes a result file as well\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
