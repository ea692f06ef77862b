#include "command.h"

#include "results/show.h"
#include "scenarios/scenario.h"

#include <string.h>

static const struct option_spec options[] = {
	{"--csv", NULL, NULL, "prints a table as CSV, numbers with 17 significant digits"},
	{"--table", NULL, "NAME", "which (runs, decisions, predictions, transactions, validators, series, violations, "
							 "roc, models, importance, faults, observations, training)"},
	{"--where", "-w", "KEY=VALUE", "of these runs alone; several of one key: any of them (repeatable)"},
	{"--scenario", NULL, NULL, "prints the scenario that made the file"},
	{"--transaction", NULL, "N", "tells the life of one transaction (record: [transactions])"},
	{"--run", NULL, "R", "of which run; without: 0"},
	{0},
};

enum { OPTION_CSV, OPTION_TABLE, OPTION_WHERE, OPTION_SCENARIO, OPTION_TRANSACTION, OPTION_RUN };

/* The number that an option was given last, if any. */
static bool last_number(const char *option, const struct option_values *values, long long *number)
{
	return values->n == 0 || option_number(option, values->values[values->n - 1], 0, INT64_MAX, number);
}

static const char *last_text(const struct option_values *values, const char *otherwise)
{
	return values->n == 0 ? otherwise : values->values[values->n - 1];
}

/* One that a file can have; else says which there are. */
static bool is_table(const char *name)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	const char *names[SCENARIO_TABLES_MAX];
	for (size_t i = 0; i < n; i++) {
		names[i] = tables[i]->name;
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	char all[1000];
	names_join(all, sizeof(all), names, n, " and ");
	complain("there is no table '%s'; there are %s", name, all);
	return false;
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	const char *table = last_text(&values[OPTION_TABLE], "runs");
	if (!is_table(table)) {
		return EXIT_USAGE;
	}
	long long transaction = 0;
	long long run_number = 0;
	if (!last_number("--transaction", &values[OPTION_TRANSACTION], &transaction) ||
		!last_number("--run", &values[OPTION_RUN], &run_number)) {
		return EXIT_USAGE;
	}
	if (values[OPTION_RUN].n > 0 && values[OPTION_TRANSACTION].n == 0) {
		complain("--run goes with --transaction");
		return EXIT_USAGE;
	}
	if (values[OPTION_WHERE].n > 0 && values[OPTION_TRANSACTION].n + values[OPTION_SCENARIO].n > 0) {
		complain("--where goes with neither --transaction (--run N) nor --scenario");
		return EXIT_USAGE;
	}
	struct results_error error = {0};
	struct results_file *file = results_open(arguments[0], &error);
	int status = -1;
	if (file != NULL) {
		if (values[OPTION_SCENARIO].n > 0) {
			fputs(results_header(file)->scenario, stdout);
			status = 0;
		} else if (values[OPTION_TRANSACTION].n > 0) {
			status = results_show_transaction(file, run_number, transaction, stdout, &error);
		} else if (values[OPTION_CSV].n > 0 || values[OPTION_TABLE].n > 0) {
			status = results_show_csv(file, table, values[OPTION_WHERE].values, values[OPTION_WHERE].n, stdout, &error);
		} else {
			status = results_show(file, values[OPTION_WHERE].values, values[OPTION_WHERE].n, stdout, &error);
		}
		results_close(file);
	}
	if (status != 0) {
		complain("%s", error.text);
		return status > 0 ? EXIT_USAGE : EXIT_ENVIRONMENT;
	}
	return EXIT_DONE;
}

const struct command command_show = {
	.name = "show",
	.summary = "what is in a result file, what went wrong; its tables; one transaction's life",
	.usage = "FILE.h5 [--csv] [--table NAME] [--where KEY=VALUE]... [--scenario] [--transaction N [--run R]]",
	.example = "  synod show results/demo.h5\n"
			   "  synod show results/demo.h5 --csv --table decisions > decisions.csv\n"
			   "  synod show results/demo.h5 --transaction 12 --run 3\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
