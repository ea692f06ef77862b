/* The figures of a made-up sweep: what numbers they show, and that the same numbers give the same
 * bytes. */
#include "sweep_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row-th row of numbers after the comment that begins with `start` (a line of the data file).
 */
static bool data_row(const char *data, const char *start, size_t row, double out[6])
{
	const char *line = strstr(data, start);
	assert_non_null(line);
	for (size_t i = 0; i <= row; i++) {
		line = strchr(line, '\n') + 1;
	}
	for (size_t i = 0; i < 6; i++) {
		char *end;
		out[i] = strtod(line, &end);
		if (end == line) {
			return i > 0;
		}
		line = end;
		if (*line == '\n') {
			return true;
		}
	}
	return true;
}

static char *drawn(void **state, const char *kind, const char *suffix)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures/deep");
	sweep_write(path, &(struct sweep){0});
	assert_int_equal(sweep_plot(path, kind, figures, &error), 0);
	char name[64];
	snprintf(name, sizeof(name), "%s.%s", kind, suffix);
	char *text = file_text(figures, name);
	assert_non_null(text);
	return text;
}

static void test_cost_numbers(void **state)
{
	char *data = drawn(state, "cost", "dat");
	double row[6];
	/* Latency of raft: 200, 210, 220, 230 ms; t(0.975; 3) = 3.182446. Scorers and attacks change
	 * nothing and must not count as further replications. */
	double half = 3.1824463053 * sqrt(500.0 / 3 / 4);
	data_row(data, "# mean latency (ms):  raft", 0, row);
	assert_near(row[0], 1, 1e-9);
	assert_near(row[1], 215, 1e-6);
	assert_near(row[2], 215 - half, 1e-6);
	assert_near(row[3], 215 + half, 1e-6);
	assert_near(row[4], 4, 0);
	data_row(data, "# messages per instance:  pbft", 0, row);
	assert_near(row[1], 36, 1e-9);
	data_row(data, "# traffic per item (kB):  pbft", 0, row);
	assert_near(row[1], 60, 1e-9);
	/* Under attack, averaged over both scorers: (80 + replication + 5) / 2 %. */
	data_row(data, "# corrupted decisions (%):  none 30 % attackers", 0, row);
	assert_near(row[1], (81.5 + 5) / 2, 1e-6);
	free(data);
	char *script = file_text(in_folder(state, "figures/deep"), "cost.gp");
	assert_non_null(strstr(script, "the same whatever"));
	assert_non_null(strstr(script, "averaged over scorer"));
	free(script);
}

static void test_accuracy_numbers(void **state)
{
	char *data = drawn(state, "accuracy", "dat");
	double row[6];
	/* Along x the scorer, pale and full the attack, panels by protocol. */
	data_row(data, "# corrupted decisions (%): raft none 30 % attackers", 0, row);
	assert_near(row[1], 81.5, 1e-6);
	data_row(data, "# corrupted decisions (%): raft mad 30 % attackers", 0, row);
	assert_near(row[1], 5, 1e-6);
	assert_near(row[2], 5, 1e-6);
	data_row(data, "# corrupted decisions (%): pbft mad no attackers", 0, row);
	assert_near(row[1], 0, 0);
	assert_null(strstr(data, "error")); /* mae is NaN everywhere: no panel */
	free(data);
}

static void test_cdf_numbers(void **state)
{
	char *data = drawn(state, "latency-cdf", "dat");
	double row[6];
	/* pbft: 4 replications of 5 items, 300 to 334 ms; after the starting point, the k-th of 20. */
	data_row(data, "# items answered (%):  pbft:", 0, row);
	assert_near(row[1], 0, 0);
	for (size_t k = 1; k <= 20; k++) {
		data_row(data, "# items answered (%):  pbft:", k, row);
		assert_near(row[0], 300 + 10 * (double)((k - 1) / 5) + (double)((k - 1) % 5), 1e-6);
		assert_near(row[1], 5 * (double)k, 1e-6);
	}
	/* At the fifth item the first replication has all and the others none: shares 0, 0, 0, 1, whose
	 * quantiles are 0 and, linear between the last two at place 2.925, 92.5 %. */
	data_row(data, "# items answered (%):  pbft:", 5, row);
	assert_near(row[2], 0, 0);
	assert_near(row[3], 92.5, 1e-6);
	/* One of the 20 items of arm none has no answer: its curve levels off below 100 %, to the axis's end. */
	data_row(data, "# items answered (%):  none:", 1, row);
	assert_near(row[1], 5, 1e-6);
	data_row(data, "# items answered (%):  none:", 19, row);
	assert_near(row[0], 134, 1e-6);
	assert_near(row[1], 95, 1e-6);
	data_row(data, "# items answered (%):  none:", 20, row);
	assert_true(row[0] > 334);
	assert_near(row[1], 95, 1e-6);
	assert_near(row[2], 80 + .075 * 20, 1e-6); /* shares of the replications: 80, 100, 100, 100 % */
	assert_near(row[3], 100, 1e-6);
	free(data);
	char *script = file_text(in_folder(state, "figures/deep"), "latency-cdf.gp");
	assert_non_null(strstr(script, "Never answered: none 5 %"));
	free(script);
}

static void test_box_numbers(void **state)
{
	char *data = drawn(state, "box", "dat");
	double row[6];
	data_row(data, "# mean latency (ms):  none: x, low", 0, row);
	assert_near(row[1], 100, 1e-6);
	assert_near(row[2], 107.5, 1e-6);
	assert_near(row[3], 115, 1e-6);
	assert_near(row[4], 122.5, 1e-6);
	assert_near(row[5], 130, 1e-6);
	free(data);
}

static void test_series_numbers(void **state)
{
	char *data = drawn(state, "series", "dat");
	double row[6];
	data_row(data, "# accepted (1/s):  raft", 3, row);
	double half = 3.1824463053 * sqrt(5.0 / 3 / 4);
	assert_near(row[0], 3, 0);
	assert_near(row[1], 21.5, 1e-6);
	assert_near(row[2], 21.5 - half, 1e-6);
	assert_near(row[4], 4, 0);
	/* In window 2 the first replication accepted nothing: three are left. */
	data_row(data, "# mean latency (ms):  raft", 2, row);
	assert_near(row[1], 220, 1e-6);
	assert_near(row[4], 3, 0);
	/* A rate of 1000 /s over the last millisecond of a run is none. */
	assert_null(strstr(data, "\n6 "));
	free(data);
	char *script = file_text(in_folder(state, "figures/deep"), "series.gp");
	assert_non_null(strstr(script, "Windows of 1 s"));
	free(script);
}

/* In per cent, of four shares a hundredth apart around the mean: Student's t on the logit. */
static void logit_interval(double mean, double *low, double *high)
{
	double half = 3.1824463053 * sqrt(5.0 / 3 / 4) / 100 / (mean * (1 - mean));
	double logit = log(mean / (1 - mean));
	*low = 100 / (1 + exp(half - logit));
	*high = 100 / (1 + exp(-half - logit));
}

/* Curves of three points, (0, 0), (10, c) and (100, 100) %, c = 50 .. 53: straight lines between them, and
 * the mean over replications at each of 101 places. Protocols and attacks change nothing. */
static void test_roc_numbers(void **state)
{
	char *data = drawn(state, "roc", "dat");
	double row[6];
	double low, high;
	data_row(data, "# attacked ones rejected (%):  no scorer: honest", 1, row); /* after the starting point */
	assert_near(row[0], 0, 0);
	assert_near(row[1], 0, 0);
	data_row(data, "# attacked ones rejected (%):  no scorer: honest", 1 + 10, row);
	assert_near(row[0], 10, 1e-9);
	assert_near(row[1], 51.5, 1e-6);
	logit_interval(.515, &low, &high);
	assert_near(row[2], low, 1e-6);
	assert_near(row[3], high, 1e-6);
	assert_near(row[4], 4, 0);
	data_row(data, "# attacked ones rejected (%):  no scorer: honest", 1 + 5, row);
	assert_near(row[1], 51.5 / 2, 1e-6);
	data_row(data, "# attacked ones rejected (%):  mad scorer: honest", 1 + 55, row);
	assert_near(row[1], (81.5 + 100) / 2, 1e-6);
	data_row(data, "# attacked ones rejected (%):  mad scorer: honest", 1 + 100, row);
	assert_near(row[1], 100, 1e-9);
	free(data);
}

static void test_svg_bytes(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5");
	const char *a = in_folder(state, "a"), *b = in_folder(state, "b");
	sweep_write(path, &(struct sweep){0});
	assert_int_equal(sweep_plot(path, NULL, a, &error), 0);
	assert_int_equal(sweep_plot(path, NULL, b, &error), 0);
	for (size_t i = 0; figure_kinds[i] != NULL; i++) {
		char name[64];
		if (figure_kinds[i] == &figure_line) {
			continue; /* no key of this sweep has three numbers */
		}
		snprintf(name, sizeof(name), "%s.svg", figure_kinds[i]->name);
		char *first = file_text(a, name), *second = file_text(b, name);
		assert_non_null(first);
		assert_non_null(strstr(first, "</svg>"));
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
	/* The script alone draws it again. */
	char *before = file_text(a, "cost.svg"), command[700];
	snprintf(command, sizeof(command), "cd '%s' && rm cost.svg && gnuplot cost.gp", a);
	assert_int_equal(system(command), 0);
	char *after = file_text(a, "cost.svg");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void test_formats(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){.n_replications = 1});
	struct figures_request request = {.path = path,
		.kind = "cost",
		.directory = figures,
		.formats = figure_formats_parse("pdf,png"),
		.gnuplot_data = STYLE_FOLDER};
	assert_int_equal(figures_plot(&request, &error), 0);
	char *png = file_text(figures, "cost.png"), *pdf = file_text(figures, "cost.pdf");
	assert_non_null(png);
	assert_memory_equal(png, "\x89PNG", 4);
	assert_non_null(pdf);
	assert_memory_equal(pdf, "%PDF", 4);
	assert_null(file_text(figures, "cost.svg"));
	free(png);
	free(pdf);
	char *script = file_text(figures, "cost.gp");
	assert_non_null(strstr(script, "without intervals"));
	free(script);
	assert_int_equal(figure_formats_parse("svg"), FIGURE_SVG);
	assert_int_equal(figure_formats_parse("svg,jpg"), 0);
	assert_int_equal(figure_formats_parse(""), 0);
	assert_int_equal(figure_formats_parse("svg,"), 0);
}

static void test_by(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){0});
	struct figures_request request = {.path = path,
		.kind = "box",
		.directory = figures,
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER,
		.kpi = "corruption_rate",
		.by = "attacks.0.fraction"};
	assert_int_equal(figures_plot(&request, &error), 0);
	char *data = file_text(figures, "box-corruption_rate-by-attacks.0.fraction.dat");
	double row[6];
	data_row(data, "# corrupted decisions (%):  no scorer: x, low", 1, row);
	assert_near(row[3], 81.5, 1e-6);
	free(data);
}

static void test_line_numbers(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){0});
	struct figures_request request = {.path = path,
		.kind = "line",
		.directory = figures,
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER,
		.by = "scorer",
		.x = "attacks.0.fraction"};
	assert_int_equal(figures_plot(&request, &error), 0);
	char *data = file_text(figures, "line-by-scorer.dat");
	double row[6], low, high;
	/* Without attackers none is wrong, with 30 % of them 80 to 83 % in the four replications. */
	data_row(data, "# corrupted decisions (%):  no scorer", 0, row);
	assert_near(row[0], 0, 0);
	assert_near(row[1], 0, 0);
	data_row(data, "# corrupted decisions (%):  no scorer", 1, row);
	assert_near(row[0], .3, 0);
	assert_near(row[1], 81.5, 1e-6);
	logit_interval(.815, &low, &high);
	assert_near(row[2], low, 1e-6);
	assert_near(row[3], high, 1e-6);
	assert_near(row[4], 4, 0);
	free(data);
	request.x = "scorer"; /* which is no number */
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "`scorer` is no swept key with two numbers"));
	request.x = NULL;
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "three numbers"));
}

/* What most runs met is shaded and said; the partition of a quarter of them is not. A window without a value
 * breaks the line: in the made-up series every replication has latencies but for window 2 of the first. */
static void test_faults(void **state)
{
	char *script = drawn(state, "series", "gp");
	assert_non_null(strstr(script, "set object rectangle from first 2, graph 0 to first 4, graph 1 back"));
	assert_non_null(strstr(script, "set object rectangle from first 2, graph 0 to first 3, graph 1 back"));
	assert_non_null(strstr(script, "set arrow from first 4.5, graph 0 to first 4.5, graph 1 nohead back"));
	assert_null(strstr(script, "from first 0.5, graph 0"));
	free(script);
	script = file_text(in_folder(state, "figures/deep"), "series.gp");
	char joined[4000] = "";
	for (const char *at = script; (at = strstr(at, "left tc rgb grey_note font font_note")) != NULL; at++) {
		const char *line = at;
		while (line > script && line[-1] != '\n') {
			line--;
		}
		line = strchr(line, '\'') + 1;
		strncat(joined, line, strcspn(line, "'"));
		strcat(joined, " ");
	}
	assert_non_null(strstr(joined, "Grey: crash from 2 to 3 s, crash from 2 to 4 s, campaign at 4.5 s."));
	free(script);
}

static int ask(void **state, struct figures_request request, struct results_error *error)
{
	request.path = in_folder(state, "sweep.h5");
	request.directory = in_folder(state, "figures");
	request.formats = FIGURE_SVG;
	request.gnuplot_data = STYLE_FOLDER;
	return figures_plot(&request, error);
}

static void test_logarithmic(void **state)
{
	struct results_error error = {{0}};
	sweep_write(in_folder(state, "sweep.h5"), &(struct sweep){0});
	struct figures_request request = {.kind = "box", .kpi = "latency_mean_s", .by = "protocol",
		.logarithmic = FIGURE_Y};
	assert_int_equal(ask(state, request, &error), 0);
	/* 100 to 330 ms: from the number of 1, 2, 5 below to that above. */
	char *script = file_text(in_folder(state, "figures"), "box-latency_mean_s-by-protocol.gp");
	assert_non_null(strstr(script, "set logscale y\nset yrange [100:500]\nset ytics norotate (100, 200, 500)"));
	free(script);
	request.kpi = "corruption_rate"; /* which is 0 in some runs */
	assert_int_equal(ask(state, request, &error), 2);
	assert_non_null(strstr(error.text, "holds no 0"));
	request = (struct figures_request){.kind = "cost", .logarithmic = FIGURE_Y};
	assert_int_equal(ask(state, request, &error), 2);
	assert_non_null(strstr(error.text, "the y axis can't be logarithmic"));
	assert_int_equal(figure_axes_parse("x,y"), FIGURE_X | FIGURE_Y);
	assert_int_equal(figure_axes_parse("z"), 0);
}

static void test_own_words(void **state)
{
	struct results_error error = {{0}};
	sweep_write(in_folder(state, "sweep.h5"), &(struct sweep){0});
	struct figures_request request = {.kind = "cost", .title = "What it costs", .note = "none"};
	assert_int_equal(ask(state, request, &error), 0);
	char *script = file_text(in_folder(state, "figures"), "cost.gp");
	assert_non_null(strstr(script, "set label 'What it costs'"));
	assert_null(strstr(script, "Mean over"));
	free(script);
	request.title = "none";
	request.note = NULL;
	assert_int_equal(ask(state, request, &error), 0);
	script = file_text(in_folder(state, "figures"), "cost.gp");
	assert_null(strstr(script, "font font_title\n"));
	assert_non_null(strstr(script, "Mean over"));
	free(script);
}

/* Numbers stand at bars only where the widest has room. */
static void test_bar_labels(void **state)
{
	struct results_error error = {{0}};
	sweep_write(in_folder(state, "sweep.h5"), &(struct sweep){0});
	struct figures_request request = {.kind = "cost", .kpi = "messages_per_instance"};
	assert_int_equal(ask(state, request, &error), 0);
	char *script = file_text(in_folder(state, "figures"), "cost-messages_per_instance.gp");
	assert_non_null(strstr(script, "with labels"));
	free(script);
	request.kpi = "latency_mean_s";
	request.where = (const char *const[]){"protocol=raft"};
	request.n_where = 1;
	assert_int_equal(ask(state, request, &error), 0);
	request.where = (const char *const[]){"protocl=raft"};
	assert_int_equal(ask(state, request, &error), 2);
	assert_non_null(strstr(error.text, "swept: protocol, scorer, attacks.0.fraction"));
}

#define FIGURE_TEST(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIGURE_TEST(test_cost_numbers),
		FIGURE_TEST(test_accuracy_numbers),
		FIGURE_TEST(test_cdf_numbers),
		FIGURE_TEST(test_box_numbers),
		FIGURE_TEST(test_series_numbers),
		FIGURE_TEST(test_line_numbers),
		FIGURE_TEST(test_roc_numbers),
		FIGURE_TEST(test_svg_bytes),
		FIGURE_TEST(test_formats),
		FIGURE_TEST(test_by),
		FIGURE_TEST(test_faults),
		FIGURE_TEST(test_logarithmic),
		FIGURE_TEST(test_own_words),
		FIGURE_TEST(test_bar_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
