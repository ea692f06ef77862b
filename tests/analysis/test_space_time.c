/* Space-time figures: what stands in the data, and words that keep out of each other's way. */
#include "sweep_file.h"

#include "analysis/space_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {"client", "a", "b"};
static const char *const phases[] = {"request", "offer", "answer"};

static const struct space_time_arrow arrows[] = {
	{.from_s = 0, .until_s = .010, .from = 0, .to = 1, .phase = 0},
	{.from_s = .010, .until_s = .030, .from = 1, .to = 2, .phase = 1},
	{.from_s = .030, .until_s = .040, .from = 2, .to = 0, .phase = 2, .lost = true},
	{.from_s = .050, .until_s = .050, .from = 1, .to = 2, .phase = 1, .lost = true}, /* where it was sent */
};

static struct space_time make(void)
{
	return (struct space_time){
		.title = "t",
		.caption = "c",
		.wide = true,
		.until_s = .1,
		.n_lines = 3,
		.lines = lines,
		.n_phases = 3,
		.phases = phases,
		.n_client_phases = 1,
		.n_arrows = 4,
		.arrows = arrows,
	};
}

static void draw(void **state, const struct space_time *figure)
{
	struct results_error error = {{0}};
	struct figures_request request = {.directory = in_folder(state, "figures"),
		.formats = FIGURE_SVG,
		.gnuplot_data = STYLE_FOLDER};
	if (!space_time_draw(&request, "x", figure, &error)) {
		fail_msg("%s", error.text);
	}
}

static void assert_holds(void **state, const char *file, const char *part, bool wanted)
{
	char *text = file_text(in_folder(state, "figures"), file);
	if ((strstr(text, part) != NULL) != wanted) {
		fail_msg("%s %s \"%s\":\n%s", file, wanted ? "lacks" : "has", part, text);
	}
	free(text);
}

/* What lasts is shaded, at its lifeline or over all; what was over before the window is not. */
static void test_shades(void **state)
{
	static const struct space_time_fault faults[] = {
		{.at_s = -.03, .line = SIZE_MAX, .text = "loss begins"},
		{.at_s = -.02, .line = SIZE_MAX, .text = "loss ends"},
		{.at_s = -.01, .line = SIZE_MAX, .text = "partition begins"},
		{.at_s = .02, .line = 2, .text = "pause"},
		{.at_s = .04, .line = SIZE_MAX, .text = "partition ends"},
		{.at_s = .06, .line = 2, .text = "resume"},
	};
	struct space_time figure = make();
	figure.n_faults = 6;
	figure.faults = faults;
	draw(state, &figure);
	assert_holds(state, "x.gp", "from first 0, first -0.55 to first 40, first 2.55 back", true);
	assert_holds(state, "x.gp", "from first 20, first -0.3 to first 60, first 0.3 back", true);
	assert_holds(state, "x.gp", "partition from -0.01 to 0.04 s, pause from 0.02 to 0.06 s.", true);
	assert_holds(state, "x.gp", "loss from", false);
}

static void test_arrows(void **state)
{
	struct space_time figure = make();
	draw(state, &figure);
	/* Time in ms, height from the bottom, duration, rise. */
	assert_holds(state, "x.dat", "# request: time, height, duration, rise\n0 2 10 -1\n", true);
	assert_holds(state, "x.dat", "# offer: time, height, duration, rise\n10 1 20 -1\n", true);
	/* A lost one stops 6 pt short: of 80 pt here. */
	assert_holds(state, "x.dat", "# answer, lost: time, height, duration, rise\n30 0 9.25 1.85\n", true);
	/* Lost where it was sent: a third of the way, as fast as messages are: (10 + 20 + 10) / 3 ms. */
	assert_holds(state, "x.dat", "# offer, lost: time, height, duration, rise\n50 1 4.666666667 -0.35\n", true);
	assert_holds(state, "x.gp", "set label 'lost'", true);
	assert_holds(state, "x.gp", "set label 'committed'", false);
	assert_holds(state, "x.gp", "'time (ms)'", true);
	assert_holds(state, "x.gp", "set ytics ('client' 2, 'a' 1, 'b' 0)", true);
}

static void test_lifelines(void **state)
{
	static const struct space_time_span downs[] = {{.02, .05, 1}, {.08, .1, 1}};
	static const struct space_time_span leads[] = {{.05, .08, 1}};
	static const struct space_time_mark marks[] = {{.07, 2, SPACE_TIME_COMMIT}};
	struct space_time figure = make();
	figure.n_downs = 2;
	figure.downs = downs;
	figure.n_leads = 1;
	figure.leads = leads;
	figure.n_marks = 1;
	figure.marks = marks;
	draw(state, &figure);
	assert_holds(state, "x.dat", "duration, 0\n0 2 100 0\n0 1 20 0\n50 1 30 0\n0 0 100 0\n", true);
	assert_holds(state, "x.dat", "# down\n20 1 30 0\n80 1 20 0\n", true);
	assert_holds(state, "x.dat", "# leads\n50 1 30 0\n", true);
	assert_holds(state, "x.dat", "# committed\n70 0\n", true);
}

/* A lie is an arrow of its phase with a red end; one that is lost is a lost message. */
static void test_lies_and_restarts(void **state)
{
	static const struct space_time_mark marks[] = {{.07, 2, SPACE_TIME_RESTART}};
	struct space_time_arrow lying[4];
	memcpy(lying, arrows, sizeof(lying));
	struct space_time figure = make();
	figure.arrows = lying;
	lying[2].lie = true;
	draw(state, &figure);
	assert_holds(state, "x.gp", "a lie", false);
	lying[1].lie = true;
	figure.n_marks = 1;
	figure.marks = marks;
	draw(state, &figure);
	assert_holds(state, "x.dat", "# offer, a lie: time, height, duration, rise\n10 1 20 -1\n", true);
	assert_holds(state, "x.dat", "# offer: ", false);
	assert_holds(state, "x.dat", "# answer, lost: ", true);
	assert_holds(state, "x.dat", "# restart\n70 0\n", true);
	assert_holds(state, "x.gp", "noborder ls 49", true);
	assert_holds(state, "x.gp", "set label 'a lie'", true);
	assert_holds(state, "x.gp", "with points ls 50", true);
}

static void test_units(void **state)
{
	struct space_time figure = make();
	figure.n_arrows = 0;
	figure.until_s = 1e-3;
	draw(state, &figure);
	assert_holds(state, "x.gp", "'time (µs)'", true);
	figure.until_s = 100;
	draw(state, &figure);
	assert_holds(state, "x.gp", "'time (s)'", true);
}

/* Of more words than there is room for some are left out; the others stand in order, apart. Text is text. */
static void test_words(void **state)
{
	struct space_time_word words[40];
	for (size_t i = 0; i < 40; i++) {
		words[i] = (struct space_time_word){.at_s = .05, .line = 1};
		snprintf(words[i].text, sizeof(words[i].text), "word's `%02zu`", i);
	}
	struct space_time figure = make();
	figure.n_words = 40;
	figure.words = words;
	figure.title = "'; !touch mark; '";
	draw(state, &figure);
	char *script = file_text(in_folder(state, "figures"), "x.gp");
	double last[2] = {-1e9, -1e9};
	size_t n = 0;
	for (const char *at = script; (at = strstr(at, "set label 'word’s `")) != NULL; at++) {
		double x;
		double y;
		assert_int_equal(sscanf(strstr(at, " at first "), " at first %lf, %lf", &x, &y), 2);
		double wide = 11 * .57 * 7 / 437 * 100; /* of the panel's 437 pt, in ms */
		assert_true(x > last[y > 1] + wide);
		assert_true(x > 50 - wide - 4 && x < 50 + wide + 4); /* near its moment */
		last[y > 1] = x;
		n++;
	}
	assert_in_range(n, 2, 6);
	free(script);
	char left_out[80];
	snprintf(left_out, sizeof(left_out), "c No room for %zu labels: they are left out.", 40 - n);
	assert_holds(state, "x.gp", left_out, true);
	char *svg = file_text(in_folder(state, "figures"), "x.svg");
	assert_non_null(strstr(svg, "!touch mark"));
	free(svg);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_shades),
		IN_FOLDER(test_arrows),
		IN_FOLDER(test_lifelines),
		IN_FOLDER(test_lies_and_restarts),
		IN_FOLDER(test_units),
		IN_FOLDER(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
