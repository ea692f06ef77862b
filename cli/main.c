/* The program: finds the command, reads its options, runs it. */
#include "command.h"
#include "restart.h"

#include "scenarios/scenario.h"
#include "version.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {&command_run, &command_check, &command_list,
	&command_show, &command_stats, &command_diff, &command_plot, &command_trace, &command_eval,
	&command_bench, NULL};

void complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("synod: error: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

bool option_number(const char *option, const char *text, long long min, long long max,
	long long *number)
{
	char *end;
	errno = 0;
	*number = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *number < min || *number > max) {
		complain("%s takes a whole number from %lld to %lld, got '%s'", option, min, max, text);
		return false;
	}
	return true;
}

static void print_usage(FILE *out)
{
	fputs("synod " SYNOD_VERSION ": a laboratory for consensus\n\n"
		  "usage: synod COMMAND [OPTION...] [ARGUMENT...]\n\n",
		out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	}
	fputs("\n`synod COMMAND --help` tells more, with an example.\n", out);
}

static void print_help(const struct command *command)
{
	printf("synod %s: %s\n\nusage: synod %s %s\n", command->name, command->summary, command->name,
		command->usage);
	printf("\noptions:\n");
	for (const struct option_spec *option = command->options; option->name != NULL; option++) {
		char left[64];
		snprintf(left, sizeof(left), "%s%s%s%s%s", option->alias == NULL ? "" : option->alias,
			option->alias == NULL ? "" : ", ", option->name, option->value == NULL ? "" : " ",
			option->value == NULL ? "" : option->value);
		printf("  %-26s %s\n", left, option->help);
	}
	printf("  %-26s %s\n", "-h, --help", "this text");
	printf("\nexample:\n%s", command->example);
}

static int unknown_option(const struct command *command, const char *text)
{
	const char *names[64];
	size_t n = 0;
	for (const struct option_spec *option = command->options; option->name != NULL && n < 63;
		 option++) {
		names[n++] = option->name;
	}
	names[n++] = "--help";
	const char *nearest = nearest_name(text, names, n);
	if (nearest != NULL) {
		complain("synod %s has no option '%s'; did you mean '%s'?", command->name, text, nearest);
	} else {
		complain("synod %s has no option '%s'; see `synod %s --help`", command->name, text,
			command->name);
	}
	return EXIT_USAGE;
}

/* Finds the option that `text` names; "--name=value" gives the value in *value. */
static int find_option(const struct command *command, const char *text, const char **value)
{
	*value = NULL;
	for (int i = 0; command->options[i].name != NULL; i++) {
		const struct option_spec *option = &command->options[i];
		size_t n = strlen(option->name);
		if (strncmp(text, option->name, n) == 0 && (text[n] == '\0' || text[n] == '=')) {
			*value = text[n] == '=' ? text + n + 1 : NULL;
			return i;
		}
		/* "-j4" as well as "-j 4" */
		if (option->alias != NULL && strncmp(text, option->alias, 2) == 0 && text[1] != '-' &&
			(text[2] == '\0' || option->value != NULL)) {
			*value = text[2] == '\0' ? NULL : text + 2;
			return i;
		}
	}
	return -1;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	static const struct option_values none;
	struct option_values options[16];
	const char **arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	int n_arguments = 0;
	int status = -1;
	for (size_t i = 0; i < 16; i++) {
		options[i] = none;
	}
	bool only_arguments = false;
	for (int i = 0; i < argc && status < 0; i++) {
		if (only_arguments || argv[i][0] != '-' || argv[i][1] == '\0') {
			arguments[n_arguments++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_arguments = true;
			continue;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help(command);
			status = EXIT_DONE;
			continue;
		}
		const char *value;
		int at = find_option(command, argv[i], &value);
		if (at < 0) {
			status = unknown_option(command, argv[i]);
			continue;
		}
		const struct option_spec *option = &command->options[at];
		if (option->value == NULL && value != NULL) {
			complain("%s takes no value", option->name);
			status = EXIT_USAGE;
		} else if (option->value != NULL && value == NULL && i + 1 == argc) {
			complain("%s wants a value: %s %s", option->name, option->name, option->value);
			status = EXIT_USAGE;
		} else if (options[at].n == OPTION_VALUES_MAX) {
			complain("%s was given more than %d times", option->name, OPTION_VALUES_MAX);
			status = EXIT_USAGE;
		} else {
			options[at].values[options[at].n++] =
				option->value == NULL ? "" : value != NULL ? value : argv[++i];
		}
	}
	if (status < 0 && (n_arguments < command->arguments_min ||
						  (command->arguments_max >= 0 && n_arguments > command->arguments_max))) {
		complain("usage: synod %s %s", command->name, command->usage);
		status = EXIT_USAGE;
	}
	if (status < 0) {
		status = command->run(options, arguments, n_arguments);
	}
	free(arguments);
	return status;
}

int main(int argc, char **argv)
{
	restart_keep(argv);
	/* A file that meets `ulimit -f` is an error like a full disk, told by name, not the program's end. */
	signal(SIGXFSZ, SIG_IGN);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		puts("synod " SYNOD_VERSION " (" SYNOD_SOURCE ")");
		return EXIT_DONE;
	}
	const char *names[sizeof(commands) / sizeof(commands[0])];
	size_t n = 0;
	for (; commands[n] != NULL; n++) {
		names[n] = commands[n]->name;
		if (strcmp(name, commands[n]->name) == 0) {
			int status = run_command(commands[n], argc - 2, argv + 2);
			if (fflush(stdout) != 0 && status == EXIT_DONE) {
				complain("standard output: %s", strerror(errno));
				status = EXIT_ENVIRONMENT;
			}
			return status;
		}
	}
	const char *nearest = nearest_name(name, names, n);
	if (nearest != NULL) {
		complain("there is no command '%s'; did you mean '%s'?", name, nearest);
	} else {
		complain("there is no command '%s'; see `synod --help`", name);
	}
	return EXIT_USAGE;
}
