#include "command.h"

#include "scenarios/scenario.h"

#include <stdlib.h>

static const struct option_spec options[] = {
	{"--set", NULL, "KEY=VALUE", "sets a key by its dotted path, before anything is checked"},
	{"--skip-unfit", NULL, NULL, "leaves out and lists points whose settings don't go together, as `skip_unfit: on`"},
	{"--quiet", "-q", NULL, "says only what is wrong"},
	{0},
};

enum { OPTION_SET, OPTION_SKIP_UNFIT, OPTION_QUIET };

static bool check(const struct option_values *values, const char *given)
{
	struct diagnostics *diagnostics = diagnostics_create();
	char *path = scenario_path(given);
	struct scenario_file *file = scenario_given(
		path, &values[OPTION_SET], values[OPTION_SKIP_UNFIT].n > 0, diagnostics);
	diagnostics_print(diagnostics, stderr);
	if (file != NULL && values[OPTION_QUIET].n == 0) {
		size_t n = scenario_n_points(file);
		printf("# %s: %zu point%s of %lld replication%s", given, n, n == 1 ? "" : "s",
			(long long)scenario_point(file, 0)->replications,
			scenario_point(file, 0)->replications == 1 ? "" : "s");
		for (size_t k = 0; k < scenario_n_swept(file); k++) {
			printf("%s%s", k == 0 ? "; swept: " : ", ", scenario_swept_key(file, k));
		}
		printf("%s\n", n > 1 ? "; the first point:" : "");
		scenario_print(file, 0, stdout);
	}
	bool is_good = file != NULL;
	scenario_close(file);
	diagnostics_destroy(diagnostics);
	free(path);
	return is_good;
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	bool all_good = true;
	for (int i = 0; i < n_arguments; i++) {
		all_good = check(values, arguments[i]) && all_good;
	}
	return all_good ? EXIT_DONE : EXIT_NO;
}

const struct command command_check = {
	.name = "check",
	.summary = "reads scenarios, says all that is wrong, and prints them with every default",
	.usage = "SCENARIO... [--set KEY=VALUE]... [--skip-unfit] [--quiet]",
	.example = "  synod check compare-protocols.yaml\n"
			   "      prints the scenario with every key, and what `auto` comes to\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = -1,
	.run = run,
};
