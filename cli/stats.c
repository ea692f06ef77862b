#include "command.h"

#include "analysis/compare.h"

static const struct option_spec options[] = {
	{"--kpi", NULL, "KPI", "what is compared"},
	{"--by", NULL, "KEY", "the swept key whose values are compared (default: the first)"},
	{"--against", NULL, "VALUE", "compares the others with this value alone, not all with all"},
	{"--worst-over", NULL, "KEY", "instead: of each setting of the other keys the worst case over this one"},
	{"--where", "-w", "KEY=VALUE", "of these runs alone; several of one key: any of them (repeatable)"},
	{"--csv", NULL, NULL, "one line a comparison, numbers with 17 significant digits"},
	{0},
};

enum { OPTION_KPI, OPTION_BY, OPTION_AGAINST, OPTION_WORST_OVER, OPTION_WHERE, OPTION_CSV };

static const char *last(const struct option_values *values)
{
	return values->n == 0 ? NULL : values->values[values->n - 1];
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	const char *kpi = last(&values[OPTION_KPI]);
	if (kpi == NULL) {
		complain("say what to compare: --kpi KPI, such as latency_mean_s or mae (`synod list kpis`)");
		return EXIT_USAGE;
	}
	if (values[OPTION_WORST_OVER].n > 0 &&
		(values[OPTION_BY].n > 0 || values[OPTION_AGAINST].n > 0 || values[OPTION_CSV].n > 0)) {
		complain("--worst-over looks for the worst case instead of comparing: it goes without --by, --against and --csv");
		return EXIT_USAGE;
	}
	struct compare_request request = {
		.path = arguments[0],
		.kpi = kpi,
		.by = last(&values[OPTION_BY]),
		.against = last(&values[OPTION_AGAINST]),
		.worst_over = last(&values[OPTION_WORST_OVER]),
		.where = values[OPTION_WHERE].values,
		.n_where = values[OPTION_WHERE].n,
		.csv = values[OPTION_CSV].n > 0,
	};
	struct results_error error = {{0}};
	int status = compare_print(&request, stdout, &error);
	if (status != 0) {
		complain("%s", error.text);
	}
	return status;
}

const struct command command_stats = {
	.name = "stats",
	.summary = "compares a KPI between the values of a swept key: intervals, tests, effect sizes",
	.usage = "FILE.h5 --kpi KPI [--by KEY [--against VALUE] | --worst-over KEY] [--where KEY=VALUE]... [--csv]",
	.example = "  synod stats results/compare.h5 --kpi latency_mean_s --by protocol\n"
			   "  synod stats results/ensembles.h5 --kpi mae --by aggregator --against mean\n"
			   "  synod stats results/limit.h5 --kpi corruption_rate --worst-over attacks.0.kind --where aggregator=krum\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
