#include "command.h"

#include "analysis/figures.h"

#include <stdlib.h>

static const struct option_spec options[] = {
	{"--kind", "-k", "KIND", "which figure (see below); without: every kind that fits the file"},
	{"--kpi", NULL, "KPI", "what it shows, where the kind leaves a choice"},
	{"--by", NULL, "KEY", "the swept key to compare by; without: the first"},
	{"--x", NULL, "KEY", "kind line: the swept number along x; without: that with the most values"},
	{"--where", "-w", "KEY=VALUE", "of these runs alone; several of one key: any of them (repeatable)"},
	{"--log", NULL, "AXES", "logarithmic axes: x, y or x,y (kinds line; box: y; latency-cdf: x)"},
	{"--title", NULL, "TEXT", "instead of the figure's own title; none: without"},
	{"--note", NULL, "TEXT", "instead of the caption below it; none: without"},
	{"--output", "-o", "DIR", "where the figures go; without: figures"},
	{"--format", "-f", "LIST", "svg, png and pdf, separated by commas; without: svg,png"},
	{"--list", NULL, NULL, "lists the kinds"},
	{0},
};

enum { OPTION_KIND, OPTION_KPI, OPTION_BY, OPTION_X, OPTION_WHERE, OPTION_LOG, OPTION_TITLE, OPTION_NOTE,
	OPTION_OUTPUT, OPTION_FORMAT, OPTION_LIST };

static const char *last(const struct option_values *values)
{
	return values->n == 0 ? NULL : values->values[values->n - 1];
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	if (values[OPTION_LIST].n > 0) {
		for (size_t i = 0; figure_kinds[i] != NULL; i++) {
			printf("  %-12s %s\n  %-12s needs %s\n", figure_kinds[i]->name, figure_kinds[i]->summary,
				"", figure_kinds[i]->needs);
		}
		return EXIT_DONE;
	}
	if (n_arguments == 0) {
		complain("usage: synod plot %s", command_plot.usage);
		return EXIT_USAGE;
	}
	unsigned formats = 0;
	if (last(&values[OPTION_FORMAT]) != NULL) {
		formats = figure_formats_parse(last(&values[OPTION_FORMAT]));
		if (formats == 0) {
			complain("--format takes svg, png and pdf, separated by commas, got '%s'",
				last(&values[OPTION_FORMAT]));
			return EXIT_USAGE;
		}
	}
	const char *axes = last(&values[OPTION_LOG]);
	if (axes != NULL && figure_axes_parse(axes) == 0) {
		complain("--log takes x, y or x,y, got '%s'", axes);
		return EXIT_USAGE;
	}
	char *gnuplot_data = data_folder("gnuplot");
	if (gnuplot_data == NULL) {
		complain("the gnuplot style is not where the program expects it: install it again");
		return EXIT_ENVIRONMENT;
	}
	struct figures_request request = {
		.path = arguments[0],
		.kind = last(&values[OPTION_KIND]),
		.directory = last(&values[OPTION_OUTPUT]),
		.formats = formats,
		.kpi = last(&values[OPTION_KPI]),
		.by = last(&values[OPTION_BY]),
		.x = last(&values[OPTION_X]),
		.where = values[OPTION_WHERE].values,
		.n_where = values[OPTION_WHERE].n,
		.title = last(&values[OPTION_TITLE]),
		.note = last(&values[OPTION_NOTE]),
		.logarithmic = axes == NULL ? 0 : figure_axes_parse(axes),
		.gnuplot_data = gnuplot_data,
		.log = stdout,
	};
	struct results_error error = {0};
	int status = figures_plot(&request, &error);
	if (status != 0) {
		complain("%s", error.text);
	}
	free(gnuplot_data);
	return status;
}

const struct command command_plot = {
	.name = "plot",
	.summary = "draws figures of a result file, with script and data beside each",
	.usage = "FILE.h5 [--kind KIND] [--kpi KPI] [--by KEY] [--x KEY] [--log AXES] [--where KEY=VALUE]... [--title TEXT] [--note TEXT] [-o DIR] [--format svg,png,pdf] | --list",
	.example = "  synod plot results/demo.h5 -o figures\n"
			   "  synod plot results/demo.h5 --kind box --kpi latency_p99_s --by protocol --format pdf\n",
	.options = options,
	.arguments_min = 0,
	.arguments_max = 1,
	.run = run,
};
