#include "command.h"
#include "progress.h"
#include "restart.h"
#include "summary.h"

#include "lab/crash.h"
#include "lab/extend.h"
#include "lab/run_all.h"
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
	{"--resume", NULL, NULL, "goes on where an interrupted run stopped: the same command does so anyhow"},
	{"--force", NULL, NULL, "replaces the finished or unfinished result that is there, of whatever scenario"},
	{"--strict", NULL, NULL, "exit status 1 where any run is unsafe or stalled; without: only where one failed"},
	{"--quiet", "-q", NULL, "no progress"},
	{"--verbose", "-v", NULL, "prints what each predictor has learnt (each run, each validator)"},
	{0},
};

enum {
	OPTION_SET,
	OPTION_JOBS,
	OPTION_OUTPUT,
	OPTION_SKIP_UNFIT,
	OPTION_RESUME,
	OPTION_FORCE,
	OPTION_STRICT,
	OPTION_QUIET,
	OPTION_VERBOSE,
};

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal)
{
	interrupts++;
}

/* What is to be run, and where it goes. */
struct job {
	const struct scenario_file *file;
	const char *directory; /* from where relative paths are taken */
	const char *output; /* NULL: no result file */
	const struct results_header *header;
	const struct run_schemas *schemas;
	uint64_t n_runs;
};

struct watcher {
	struct progress *progress;
	struct summary *summary;
};

static void finished(void *context, const struct run_summary *run)
{
	summary_add(((struct watcher *)context)->summary, run);
}

static void tell(void *context, const struct run_all_progress *progress)
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
	struct diagnostics *diagnostics = diagnostics_create();
	summary_remarks(summary, diagnostics);
	diagnostics_print(diagnostics, stderr);
	diagnostics_destroy(diagnostics);
	if (fflush(stdout) != 0) {
		complain("standard output: %s", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	enum summary_alarm alarm = summary_alarm(summary, stderr);
	return alarm == SUMMARY_FAILED || (alarm == SUMMARY_BAD && strict) ? EXIT_NO : EXIT_DONE;
}

/* The finished file is all there is to say: nothing is run. The exit status. */
static int tell_of_finished(const struct job *job, bool strict)
{
	const char *output = job->output;
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
	struct summary *summary = summary_create(job->file, job->schemas);
	summary_read(summary, schema, runs);
	results_close(results);
	summary_print(summary, stdout);
	printf("\nresults: %s, which was finished before: nothing was left to run\n", output);
	int status = conclude(summary, strict);
	summary_destroy(summary);
	return status;
}

/* What an earlier sweep has left of this one: in its journal, and in a finished result that this one holds. */
static bool take_over(struct journal *journal, struct extension *extension, const char *output,
	uint64_t n_runs, struct results_error *error)
{
	uint64_t n_held = journal_count(journal);
	if (n_held > 0) {
		fprintf(stderr, "synod: goes on with %s: %llu of %llu runs were finished before\n", output,
			(unsigned long long)n_held, (unsigned long long)n_runs);
	}
	if (extension == NULL) {
		return true;
	}
	int64_t n_copied = extension_copy(extension, journal, error);
	if (n_copied > 0) {
		fprintf(stderr, "synod: extends %s: %lld of %llu runs are taken over from it\n", output,
			(long long)n_copied, (unsigned long long)n_runs);
	}
	return n_copied >= 0;
}

/* Looks at what is there under the result's name and opens the journal beside it. Unfinished work of this sweep
 * is gone on with, and a finished part of it is taken over; nothing of another's is given up without --force. The
 * exit status, or -1: go on. */
static int open_journal(const struct option_values *values, const struct job *job, struct journal **journal)
{
	const char *output = job->output;
	bool force = values[OPTION_FORCE].n > 0;
	struct results_error error = {0};
	bool begun = results_begun(output);
	enum results_found found = results_find(output, job->header, force, &error);
	if (found == FOUND_FINISHED && !begun) {
		return tell_of_finished(job, values[OPTION_STRICT].n > 0);
	}
	struct extension *extension = found == FOUND_OTHER_SCENARIO
		? extension_open(output, job->directory, job->file, job->schemas)
		: NULL;
	/* An unfinished sweep beside the result of another was begun with --force, or extends it. */
	bool in_the_way = found == FOUND_FOREIGN ||
		(!begun && extension == NULL &&
			(found == FOUND_OTHER_SCENARIO || found == FOUND_OTHER_VERSION || found == FOUND_UNREADABLE));
	if (!in_the_way) {
		*journal = journal_open(output, job->header, job->schemas->tables, job->n_runs, !force, &error);
	}
	if (*journal != NULL && !journal_is_locked(*journal)) {
		fprintf(stderr,
			"synod: note: the file system of %s has no locks: see to it that no other synod writes there\n",
			output);
	}
	bool good = *journal != NULL && take_over(*journal, extension, output, job->n_runs, &error);
	extension_close(extension);
	if (good) {
		return -1;
	}
	complain("%s%s", error.text,
		found == FOUND_UNREADABLE && in_the_way ? "; --force replaces it" : "");
	journal_close(*journal);
	return error.other ? EXIT_USAGE : EXIT_ENVIRONMENT;
}

/* What the environment broke off can be gone on with. */
static void tell_of_kept(uint64_t n_done, uint64_t n_runs, const char *output)
{
	fprintf(stderr,
		"synod: %llu of %llu runs are kept in %s.journal; the same command goes on (with or without --resume)\n",
		(unsigned long long)n_done, (unsigned long long)n_runs, output);
}

/* Opens the journal of the sweep, in the file that is wanted or in memory. The exit status, or -1: go on. */
static int prepare(const struct option_values *values, const struct job *job,
	const struct restart *restart, struct journal **journal)
{
	if (restart == NULL && job->output != NULL) {
		return open_journal(values, job, journal);
	}
	struct results_error error = {0};
	*journal = job->output != NULL
		? journal_open(job->output, job->header, job->schemas->tables, job->n_runs, true, &error)
		: journal_open_nameless(restart == NULL ? -1 : restart->descriptor, job->header,
			  job->schemas->tables, job->n_runs, &error);
	if (*journal == NULL) {
		complain("%s", error.text);
		return EXIT_ENVIRONMENT;
	}
	return -1;
}

/* Runs what is left to run; the journal is its own from here. */
static int sweep(const struct option_values *values, const struct job *job, struct journal *journal,
	const struct run_all_dead *dead, unsigned n_threads)
{
	const char *output = job->output;
	struct results_error error = {0};
	struct summary *summary = summary_create(job->file, job->schemas);
	struct progress *progress = progress_create(values[OPTION_QUIET].n > 0);
	struct watcher watcher = {progress, summary};
	struct run_all_request request = {
		.file = job->file,
		.schemas = job->schemas,
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
	enum run_all_outcome outcome = RUN_ALL_FAILED;
	if (journal_visit(journal, read_back, summary, &error)) {
		outcome = run_all(&request, why);
	} else {
		snprintf(why, sizeof(why), "%s", error.text);
	}
	progress_destroy(progress);
	signal(SIGINT, SIG_DFL); /* what is left to do can be broken off: the runs are kept */
	signal(SIGTERM, SIG_DFL);
	uint64_t n_done = journal_count(journal);
	if (outcome == RUN_ALL_INTERRUPTED) {
		journal_close(journal);
		fprintf(stderr, "synod: interrupted\n");
		if (output != NULL) {
			tell_of_kept(n_done, job->n_runs, output);
		}
		fflush(NULL);
		_exit(130); /* threads may still be in their runs */
	}
	int status = EXIT_DONE;
	if (outcome == RUN_ALL_FAILED || output == NULL) {
		journal_close(journal);
	}
	if (outcome == RUN_ALL_FAILED || (output != NULL && !journal_complete(journal, &error))) {
		complain("%s", outcome == RUN_ALL_FAILED ? why : error.text);
		if (output != NULL) {
			tell_of_kept(n_done, job->n_runs, output);
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

static int execute(const struct option_values *values, const struct scenario_file *file,
	const char *directory, const char *output, unsigned n_threads)
{
	struct run_schemas schemas;
	run_schemas_init(&schemas, file);
	struct results_header header = {
		.scenario = scenario_text(file),
		.synod_version = SYNOD_VERSION,
		.source = SYNOD_SOURCE,
		.seed = scenario_point(file, 0)->seed,
	};
	struct job job = {
		.file = file,
		.directory = directory,
		.output = output,
		.header = &header,
		.schemas = &schemas,
		.n_runs = scenario_n_points(file) * (uint64_t)scenario_point(file, 0)->replications,
	};
	struct restart restart;
	struct run_all_dead dead;
	bool restarted = restart_found(&restart);
	if (restarted) {
		dead = (struct run_all_dead){restart.run, restart.reason};
		fprintf(stderr, "synod: run %llu died: %s; the others go on\n", (unsigned long long)dead.run, dead.reason);
	}
	struct journal *journal = NULL;
	int status = prepare(values, &job, restarted ? &restart : NULL, &journal);
	if (status < 0) {
		status = sweep(values, &job, journal, restarted ? &dead : NULL, n_threads);
	}
	run_schemas_finish(&schemas);
	return status;
}

/* From where relative paths in a scenario are taken: its own folder. The caller frees. */
static char *directory_of(const char *path)
{
	char *directory = strdup(path);
	if (directory == NULL) {
		abort();
	}
	char *slash = strrchr(directory, '/');
	directory[slash == NULL ? 0 : slash - directory + 1] = '\0';
	return directory;
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
		char *directory = directory_of(path);
		status = execute(values, file, directory, output->n == 0 ? NULL : output->values[output->n - 1],
			(unsigned)n_threads);
		free(directory);
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
			 "          [--skip-unfit] [--strict] [--quiet] [--verbose]",
	.example = "  synod run textbook-pbft.yaml\n"
			   "      the shipped scenario of that name; prints a summary\n"
			   "  synod run compare-protocols.yaml -o demo.h5 --set replications=5\n"
			   "      writes a result file as well\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
