/* Commands of the program: one small file each. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum exit_status {
	EXIT_DONE = 0,
	/* the answer is no: a difference, an error in a scenario that `check` read, a bad run under --strict */
	EXIT_NO = 1,
	EXIT_USAGE = 2,       /* a usage or scenario error */
	EXIT_ENVIRONMENT = 3, /* disk, file, gnuplot */
};

struct option_spec {
	const char *name; /* "--set" */
	const char *alias; /* "-s", or NULL */
	const char *value; /* "KEY=VALUE": it takes one; NULL: a switch */
	const char *help;
};

#define OPTION_VALUES_MAX 256

/* What the user gave for one option: all values, in order. */
struct option_values {
	size_t n; /* for a switch: how often */
	const char *values[OPTION_VALUES_MAX];
};

struct command {
	const char *name;
	const char *summary;
	const char *usage;   /* after "synod NAME " */
	const char *example; /* lines, each a command with what it does */
	const struct option_spec *options; /* ends with a NULL name; "--help" is implied */
	int arguments_min, arguments_max;  /* -1: any number */
	int (*run)(const struct option_values *options, const char *const *arguments, int n_arguments);
};

extern const struct command command_run, command_check, command_list, command_show, command_diff,
	command_stats, command_plot, command_trace, command_eval, command_bench;

/* A whole number in [min, max] for an option; on failure says so on stderr. */
bool option_number(const char *option, const char *text, long long min, long long max,
	long long *number);

/* The folder of the gnuplot style or of the shipped scenarios, installed or in the source tree, found from
 * where the program is. Returns a buffer that the caller frees, or NULL. */
char *data_folder(const char *name);

/* The scenario's file: the path itself, or that of a shipped scenario of this name, with or
 * without `.yaml`. The caller frees. */
char *scenario_path(const char *path);

/* Reads a scenario with the --set values given; `skip_unfit` stands for one more. NULL with the reasons in
 * `diagnostics` where anything is wrong. */
struct scenario_file;
struct diagnostics;
struct scenario_file *scenario_given(const char *path, const struct option_values *sets, bool skip_unfit,
	struct diagnostics *diagnostics);

/* Prints "synod: error: ..." */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
