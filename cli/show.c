#include "command.h"

#include "results/show.h"

#include <string.h>

static const struct option_spec options[] = {
	{"--csv", NULL, NULL, "prints a table as CSV, numbers with 17 significant digits"},
	{"--table", NULL, "NAME", "which (runs, decisions, predictions, validators, series, violations, models, "
							 "importance)"},
	{"--scenario", NULL, NULL, "prints the scenario that made the file"},
	{0},
};

enum { OPTION_CSV, OPTION_TABLE, OPTION_SCENARIO };

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	enum table_id table = TABLE_RUNS;
	if (values[OPTION_TABLE].n > 0) {
		const char *name = values[OPTION_TABLE].values[values[OPTION_TABLE].n - 1];
		for (table = 0; table < TABLE_N && strcmp(table_names[table], name) != 0; table++) {
		}
		if (table == TABLE_N) {
			complain("there is no table '%s'; there are runs, decisions, predictions, validators, "
					 "series, violations, models and importance",
				name);
			return EXIT_USAGE;
		}
	}
	struct results_error error = {0};
	struct results_file *file = results_open(arguments[0], &error);
	int status = -1;
	if (file != NULL) {
		if (values[OPTION_SCENARIO].n > 0) {
			fputs(results_header(file)->scenario, stdout);
			status = 0;
		} else if (values[OPTION_CSV].n > 0 || values[OPTION_TABLE].n > 0) {
			status = results_show_csv(file, table, stdout, &error);
		} else {
			status = results_show(file, stdout, &error);
		}
		results_close(file);
	}
	if (status != 0) {
		complain("%s", error.text);
		return EXIT_ENVIRONMENT;
	}
	return EXIT_DONE;
}

const struct command command_show = {
	.name = "show",
	.summary = "tells what is in a result file; prints its tables",
	.usage = "FILE.h5 [--csv] [--table NAME] [--scenario]",
	.example = "  synod show results/demo.h5\n"
			   "  synod show results/demo.h5 --csv --table decisions > decisions.csv\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
