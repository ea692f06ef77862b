/* roc: the share of attacked predictions that a threshold rejects against the share of honest ones that it rejects
 * with them, over all thresholds: a curve for each arm, the mean over replications. */
#include "curves.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>

#define MAX_PANELS 6
#define GRID 101 /* false positives at which the curves are averaged: 0, 1, ... 100 % */

/* x: false positives, value: true positives. Their sum, that of true times false ones, and how many points. */
static bool take(void *of, size_t i, const double *cells, struct sample *sample, double adds[CURVES_VALUES])
{
	(void)of, (void)i;
	double x = cells[0], y = cells[1];
	sample->x = x;
	sample->values[0] = y;
	adds[0] = y;
	adds[1] = x * y;
	adds[2] = 1;
	return isfinite(x) && isfinite(y);
}

/* A run's points stand together, and rise. */
static int compare(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;
	if (a->cell != b->cell) {
		return a->cell > b->cell ? 1 : -1;
	}
	if (a->replication != b->replication) {
		return a->replication > b->replication ? 1 : -1;
	}
	if (a->row != b->row) {
		return a->row > b->row ? 1 : -1;
	}
	return a->x != b->x ? (a->x > b->x) - (a->x < b->x)
						: (a->values[0] > b->values[0]) - (a->values[0] < b->values[0]);
}

/* The height of a run's curve of n points over x: between two points a straight line, which is what drawing lots
 * between the two thresholds would give; of several at x the highest. */
static double height_at(const struct sample *points, size_t n, double x)
{
	double height = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sample *right = &points[i];
		if (right->x <= x) {
			height = fmax(height, right->values[0]);
		} else if (i > 0) {
			const struct sample *left = &points[i - 1];
			double share = (x - left->x) / (right->x - left->x);
			return fmax(height, left->values[0] + share * (right->values[0] - left->values[0]));
		}
	}
	return height;
}

/* The heights over x of a cell's curves, averaged within each replication first; answers how many. */
static size_t heights_at(const struct curves *curves, size_t cell, double x, double *heights)
{
	const struct sample *samples = curves->samples;
	size_t n = 0, i, end = curves_cell(curves, cell, &i);
	while (i < end) {
		size_t first = i, n_runs = 0;
		double sum = 0;
		while (i < end && samples[i].replication == samples[first].replication) {
			size_t run = i;
			while (i < end && samples[i].row == samples[run].row) {
				i++;
			}
			sum += height_at(&samples[run], i - run, x);
			n_runs++;
		}
		heights[n++] = sum / (double)n_runs;
	}
	return n;
}

static void panel(void *of, size_t row, struct panel *panel)
{
	(void)of, (void)row;
	panel->x_label = "honest predictions rejected (%)";
	panel->y_label = "attacked ones rejected (%)";
	/* A curve along the frame is not seen. */
	panel->x_min = panel->y_min = -2;
	panel->x_max = 108;
	panel->y_max = 104;
}

static bool chance(void *of, size_t p, struct plot *plot, const struct panel *panel)
{
	(void)of, (void)p, (void)panel;
	size_t block = plot_block(plot, "chance");
	fprintf(plot->data, "0 0\n100 100\n");
	fprintf(plot->script, "plot data index %zu using 1:2 with lines lw 0.7 dt 3 lc rgb '#777777'", block);
	return true;
}

/* Averaged over replications at equal false positives (Fawcett, An introduction to ROC analysis,
 * Pattern Recognition Letters 27, 2006, section 8.1: vertical averaging). */
static struct curve write_curve(void *of, size_t row, size_t p, size_t colour, FILE *out)
{
	(void)row;
	const struct curves *curves = of;
	double *heights = figure_take(curves->n, sizeof(*heights));
	size_t n = 0, every = GRID / 5;
	for (size_t k = 0; k < GRID; k++) {
		double x = (double)k / (GRID - 1);
		n = heights_at(curves, p * curves->layout.axes[AXIS_COLOUR].n + colour, x, heights);
		if (n == 0) {
			fprintf(out, "0 NaN NaN NaN 0\n");
			break;
		}
		struct interval mean = stats_share_interval(heights, n, .95, 0);
		bool edge = n < 2 || mean.mean <= 0 || mean.mean >= 1; /* how many are not known */
		double low = edge ? mean.mean : mean.low, high = edge ? mean.mean : mean.high;
		if (k == 0) {
			fprintf(out, "0 0 0 0 %zu\n", n);
		}
		fprintf(out, "%.10g %.10g %.10g %.10g %zu\n", 100 * x, 100 * mean.mean, 100 * low, 100 * high, n);
	}
	free(heights);
	return (struct curve){n > 1, every, 1 + every * (colour % 6 + 1) / 7};
}

static enum figure_outcome draw_curves(struct curves *curves, struct results_error *error)
{
	double *heights = figure_take(curves->n, sizeof(*heights));
	for (size_t cell = 0; cell < curves_n_cells(curves); cell++) {
		curves_count(curves, heights_at(curves, cell, 0, heights));
	}
	free(heights);
	curves_caption(curves, "Mean over ",
		" at equal false positives; band: 95 % interval (Student's t on the logit), pointwise. Dotted: chance.", "From ",
		" Dotted: chance.");
	const struct curves_drawing drawing = {.title = "what scores tell of attacked predictions",
		.style = "lines",
		.panel_pt = curves->layout.axes[AXIS_PANEL].n > 1 ? 130 : 170,
		.panel = panel,
		.behind = chance,
		.write = write_curve};
	return curves_draw(curves, &drawing, curves, error);
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	static const char *const columns[] = {"false_positive", "true_positive"};
	static const struct curves_table table = {
		TABLE_ROC, columns, 2, "the file has no table of curves (scenario: `record: [roc]`)", take};
	struct curves curves;
	curves_init(&curves, job);
	enum figure_outcome outcome = curves_read(&curves, &table, NULL, error);
	if (outcome == FIGURE_DRAWN && curves.n == 0) {
		outcome = job_nothing(error, "no run has scores of attacked and of honest predictions");
	} else if (outcome == FIGURE_DRAWN) {
		curves_place(&curves, MAX_PANELS, compare);
		outcome = job_fits(&curves.layout, false, error) ? draw_curves(&curves, error) : FIGURE_NOTHING;
	}
	curves_finish(&curves);
	return outcome;
}

const struct figure_kind figure_roc = {
	.name = "roc",
	.summary =
		"attacked against honest predictions rejected, over all thresholds, a curve for each arm",
	.needs = "the table of curves",
	.takes_kpi = false,
	.draw = draw,
};
