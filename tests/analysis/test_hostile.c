/* Names that try to be gnuplot's commands, files that lack what a figure needs, and a machine that
 * lacks gnuplot. */
#include "sweep_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void test_names_are_text(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	char mark[300], inside[700];
	snprintf(mark, sizeof(mark), "%s", in_folder(state, "mark"));
	snprintf(inside, sizeof(inside), "'; !touch %s; '`touch %s`", mark, mark);
	sweep_write(path,
		&(struct sweep){.protocols = {inside, "{/*9 b} $1 @x\\n\n%s <b>&", "it's %s_a^b\xff\x01"},
			.scorer_key = "x'\n!touch mark"});
	assert_int_equal(sweep_plot(path, NULL, figures, &error), 0);
	FILE *touched = fopen(mark, "r");
	assert_null(touched);
	char *svg = file_text(figures, "latency-cdf.svg");
	assert_non_null(strstr(svg, "it’s %s_a^b?"));
	assert_non_null(strstr(svg, "&lt;b"));
	assert_non_null(strstr(svg, "{/*9 b} $1 @x\\n %s"));
	assert_non_null(strstr(svg, "!touch"));
	free(svg);
	/* Along x gnuplot would take it for a number's format. */
	svg = file_text(figures, "box.svg");
	assert_non_null(strstr(svg, "it’s %s_a^b?"));
	free(svg);
}

static void test_missing_tables(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){.no_tables = true});
	char *said = NULL;
	size_t length;
	FILE *log = open_memstream(&said, &length);
	struct figures_request request = {.path = path,
		.directory = figures,
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER,
		.log = log};
	assert_int_equal(figures_plot(&request, &error), 0);
	fclose(log);
	assert_non_null(strstr(said, "skipped latency-cdf: the file has no decisions"));
	assert_non_null(strstr(said, "skipped series: the file has no series"));
	assert_non_null(strstr(said, "cost.svg"));
	free(said);
	request.log = NULL;
	request.kind = "series";
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "no series"));
}

static void test_undefined(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){.no_tables = true, .undefined = true});
	assert_int_equal(sweep_plot(path, NULL, figures, &error), 2);
	assert_non_null(strstr(error.text, "nothing to show"));
}

static void test_verdicts_are_said(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){.verdict = "stalled"});
	assert_int_equal(sweep_plot(path, "accuracy", figures, &error), 0);
	char *script = file_text(figures, "accuracy.gp");
	assert_non_null(strstr(script, "Of 48 runs 1 stalled."));
	free(script);
}

static void test_unknown_names(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	sweep_write(path, &(struct sweep){0});
	assert_int_equal(sweep_plot(path, "bocks", figures, &error), 2);
	assert_non_null(strstr(error.text, "`bocks`; did you mean `box`?"));
	struct figures_request request = {.path = path,
		.directory = figures,
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER,
		.kpi = "latency_mean"};
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "did you mean `latency_mean_s`?"));
	request.kpi = NULL;
	request.by = "protocl";
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "did you mean `protocol`?"));
	request.by = NULL;
	request.kind = "latency-cdf";
	request.kpi = "mae";
	assert_int_equal(figures_plot(&request, &error), 2);
	assert_non_null(strstr(error.text, "takes no KPI"));
}

static void test_environment(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	assert_int_equal(sweep_plot(path, NULL, figures, &error), 3); /* no file */
	sweep_write(path, &(struct sweep){0});
	struct figures_request request = {.path = path,
		.directory = figures,
		.formats = FIGURE_SVG,
		.gnuplot_data = in_folder(state, "nowhere")};
	assert_int_equal(figures_plot(&request, &error), 3);
	assert_non_null(strstr(error.text, "nowhere/style.gp"));
	char *known = strdup(getenv("PATH"));
	setenv("PATH", figures, 1);
	assert_int_equal(sweep_plot(path, "box", figures, &error), 3);
	assert_non_null(strstr(error.text, "gnuplot is missing"));
	setenv("PATH", known, 1);
	free(known);
	/* A file stands where the folder should be. */
	assert_int_equal(sweep_plot(path, "box", path, &error), 3);
	assert_non_null(strstr(error.text, "sweep.h5"));
}

/* Puts a gnuplot of our own before the system's. */
static void plant_gnuplot(const char *folder, const char *script)
{
	char path[512];
	mkdir(folder, 0700);
	snprintf(path, sizeof(path), "%s/gnuplot", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(script, file);
	fclose(file);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", folder);
	setenv("PATH", path, 1);
}

static void test_a_gnuplot_that_does_not_do_its_work(void **state)
{
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	const char *programs = in_folder(state, "programs");
	char *known = strdup(getenv("PATH"));
	sweep_write(path, &(struct sweep){0});
	/* What an earlier one has drawn must not pass for this one's. */
	assert_int_equal(sweep_plot(path, "box", figures, &error), 0);
	plant_gnuplot(programs, "#!/bin/sh\nexit 0\n");
	assert_int_equal(sweep_plot(path, "box", figures, &error), 3);
	assert_non_null(strstr(error.text, "wrote no "));
	assert_non_null(strstr(error.text, "figures/box.svg"));
	plant_gnuplot(programs, "#!/bin/sh\n: > box.svg\n");
	assert_int_equal(sweep_plot(path, "box", figures, &error), 3);
	assert_non_null(strstr(error.text, "wrote no "));
	/* One that hangs, with a child that holds on to what it was given, or having let go of it. */
	static const char *const hanging[] = {"#!/bin/sh\necho wait >&2\nsleep 1000\n",
		"#!/bin/sh\nexec 2> /dev/null\nsleep 1000\n"};
	for (int i = 0; i < 2; i++) {
		plant_gnuplot(programs, hanging[i]);
		struct figures_request request = {.path = path,
			.kind = "box",
			.directory = figures,
			.formats = FIGURE_SVG,
			.gnuplot_data = STYLE_FOLDER,
			.gnuplot_seconds_max = 1};
		assert_int_equal(figures_plot(&request, &error), 3);
		assert_non_null(strstr(error.text, "not done with box.gp after 1 s and was ended"));
		assert_true(i == 1 || strstr(error.text, "it had said: wait"));
	}
	plant_gnuplot(programs, "#!/bin/sh\nkill -SEGV $$\n");
	assert_int_equal(sweep_plot(path, "box", figures, &error), 3);
	assert_non_null(strstr(error.text, "gnuplot failed on box.gp: Segmentation fault"));
	setenv("PATH", known, 1);
	free(known);
}

/* A user's own settings don't reach the figures. */
static void test_settings_of_the_environment(void **state)
{
	static const char *const settings[][2] = {{"GNUTERM", "svg size 100,100 mouse"}, {"GNUTERM", "nonsense"},
		{"GNUPLOT_LIB", "/nowhere"}, {"GDFONTPATH", "/nowhere"}, {"GNUPLOT_DEFAULT_GDFONT", "nothing"}};
	struct results_error error = {{0}};
	const char *path = in_folder(state, "sweep.h5"), *figures = in_folder(state, "figures");
	const char *programs = in_folder(state, "programs");
	sweep_write(path, &(struct sweep){0});
	assert_int_equal(sweep_plot(path, "box", figures, &error), 0);
	char *expected = file_text(figures, "box.svg");
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		setenv(settings[i][0], settings[i][1], 1);
		assert_int_equal(sweep_plot(path, "box", figures, &error), 0);
		char *svg = file_text(figures, "box.svg");
		assert_string_equal(svg, expected);
		free(svg);
	}
	/* Not one of them is passed on; others are. */
	char *known = strdup(getenv("PATH"));
	setenv("SYNOD_TEST", "passed on", 1);
	plant_gnuplot(programs, "#!/bin/sh\nenv > box.svg\n");
	assert_int_equal(sweep_plot(path, "box", figures, &error), 0);
	char *passed = file_text(figures, "box.svg");
	assert_non_null(strstr(passed, "SYNOD_TEST=passed on"));
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		assert_null(strstr(passed, settings[i][0]));
		unsetenv(settings[i][0]);
	}
	setenv("PATH", known, 1);
	free(known);
	free(passed);
	free(expected);
}

#define HOSTILE_TEST(function)                                                                     \
	cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE_TEST(test_names_are_text),
		HOSTILE_TEST(test_missing_tables),
		HOSTILE_TEST(test_undefined),
		HOSTILE_TEST(test_verdicts_are_said),
		HOSTILE_TEST(test_unknown_names),
		HOSTILE_TEST(test_environment),
		HOSTILE_TEST(test_a_gnuplot_that_does_not_do_its_work),
		HOSTILE_TEST(test_settings_of_the_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
