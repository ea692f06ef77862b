/* roc: the share of attacked predictions that a threshold rejects against the share of honest ones
 * that it rejects with them, over all thresholds: a curve for each arm, the mean over replications.
 */
#include "job.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PANELS 6
#define GRID 101 /* false positives at which the curves are averaged: 0, 1, ... 100 % */

/* One point of one run's curve; a run's stand together, and rise. */
struct point {
	size_t row;
	int64_t replication;
	double false_positive, true_positive;
};

struct roc {
	struct layout layout;
	double *sums[3]; /* of true positives, these times false ones, and points, one a row: what must
						agree */
	struct point *points;
	size_t n;
	int64_t *replications; /* scratch: of the heights of a cell */
	double *counts;
	size_t n_min, n_max; /* replications */
};

static bool read_points(struct roc *roc, const struct figure_job *job, struct results_error *error)
{
	const struct table_schema *schema;
	const struct block *block = results_table(job->frame->file, TABLE_ROC, &schema, error);
	int run = -1, attacked = -1, honest = -1;
	if (block != NULL) {
		run = schema_find(schema, "run");
		attacked = schema_find(schema, "true_positive");
		honest = schema_find(schema, "false_positive");
	}
	if (run < 0 || attacked < 0 || honest < 0) {
		return false;
	}
	roc->points = figure_take(block->n_rows, sizeof(*roc->points));
	for (size_t i = 0; i < 3; i++) {
		roc->sums[i] = figure_take(job->frame->n_rows, sizeof(double));
	}
	for (size_t i = 0; i < block->n_rows; i++) {
		size_t row = frame_row(job->frame, block_get(block, schema, i, (size_t)run).integer);
		double x = block_get(block, schema, i, (size_t)honest).real;
		double y = block_get(block, schema, i, (size_t)attacked).real;
		if (row == SIZE_MAX || !isfinite(x) || !isfinite(y)) {
			continue;
		}
		roc->points[roc->n++] = (struct point){row, job->frame->replication[row], x, y};
		roc->sums[0][row] += y;
		roc->sums[1][row] += x * y;
		roc->sums[2][row] += 1;
	}
	return true;
}

/* The height of a run's curve, points[first .. end), over x: between two points a straight line,
 * which is what drawing lots between the two thresholds would give; of several at x the highest. */
static double height_at(const struct roc *roc, size_t first, size_t end, double x)
{
	double height = 0;
	for (size_t i = first; i < end; i++) {
		const struct point *right = &roc->points[i];
		if (right->false_positive <= x) {
			height = fmax(height, right->true_positive);
		} else if (i > first) {
			const struct point *left = &roc->points[i - 1];
			double share =
				(x - left->false_positive) / (right->false_positive - left->false_positive);
			double between =
				left->true_positive + share * (right->true_positive - left->true_positive);
			return fmax(height, between);
		}
	}
	return height;
}

/* The heights over x of a cell's curves, averaged within each replication first; answers how many.
 */
static size_t heights_at(const struct roc *roc, size_t cell, double x, double *heights)
{
	const struct axis *axes = roc->layout.axes;
	size_t n = 0;
	for (size_t i = 0; i < roc->n;) {
		size_t first = i, row = roc->points[i].row;
		while (i < roc->n && roc->points[i].row == row) {
			i++;
		}
		if (roc->layout.used[row] &&
			axes[AXIS_PANEL].of_row[row] * axes[AXIS_COLOUR].n + axes[AXIS_COLOUR].of_row[row] ==
				cell) {
			size_t k = 0;
			while (k < n && roc->replications[k] != roc->points[first].replication) {
				k++;
			}
			if (k == n) {
				roc->replications[n] = roc->points[first].replication;
				roc->counts[n] = heights[n] = 0;
				n++;
			}
			heights[k] += height_at(roc, first, i, x);
			roc->counts[k]++;
		}
	}
	for (size_t k = 0; k < n; k++) {
		heights[k] /= roc->counts[k];
	}
	return n;
}

static void measure(struct roc *roc)
{
	size_t n_cells = roc->layout.axes[AXIS_PANEL].n * roc->layout.axes[AXIS_COLOUR].n;
	double *heights = figure_take(roc->n, sizeof(*heights));
	roc->n_min = SIZE_MAX;
	for (size_t cell = 0; cell < n_cells; cell++) {
		size_t n = heights_at(roc, cell, 0, heights);
		roc->n_min = n > 0 && n < roc->n_min ? n : roc->n_min;
		roc->n_max = n > roc->n_max ? n : roc->n_max;
	}
	free(heights);
}

/* Averaged over replications at equal false positives (Fawcett, An introduction to ROC analysis,
 * Pattern Recognition Letters 27, 2006, section 8.1: vertical averaging). */
static bool write_curve(struct plot *plot, const struct roc *roc, size_t cell)
{
	double *heights = figure_take(roc->n, sizeof(*heights));
	size_t n = 0;
	for (size_t k = 0; k < GRID; k++) {
		double x = (double)k / (GRID - 1);
		n = heights_at(roc, cell, x, heights);
		if (n == 0) {
			fprintf(plot->data, "0 NaN NaN NaN 0\n");
			break;
		}
		struct interval mean = stats_share_interval(heights, n, .95, 0);
		bool edge = n < 2 || mean.mean <= 0 || mean.mean >= 1; /* how many are not known */
		double low = edge ? mean.mean : mean.low, high = edge ? mean.mean : mean.high;
		if (k == 0) {
			fprintf(plot->data, "0 0 0 0 %zu\n", n);
		}
		fprintf(plot->data, "%.10g %.10g %.10g %.10g %zu\n", 100 * x, 100 * mean.mean, 100 * low,
			100 * high, n);
	}
	free(heights);
	return n > 1;
}

static void draw_panel(struct plot *plot, const struct roc *roc, size_t p)
{
	const struct axis *colours = &roc->layout.axes[AXIS_COLOUR];
	size_t *blocks = figure_take(colours->n, sizeof(*blocks));
	size_t chance = plot_block(plot, "chance");
	fprintf(plot->data, "0 0\n100 100\n");
	fprintf(plot->script, "plot data index %zu using 1:2 with lines lw 0.7 dt 3 lc rgb '#777777'",
		chance);
	for (size_t c = 0; c < colours->n; c++) {
		char comment[400];
		snprintf(comment, sizeof(comment),
			"%s %s: false positives (%%), true positives (%%), low, high, replications",
			roc->layout.axes[AXIS_PANEL].names[p], colours->names[c]);
		blocks[c] = plot_block(plot, comment);
		if (write_curve(plot, roc, p * colours->n + c)) {
			fprintf(plot->script,
				", \\\n\tdata index %zu using 1:3:4 with filledcurves fc rgb colour(%zu) "
				"fs transparent solid %g noborder",
				blocks[c], plot_style(c), PLOT_BAND);
		}
	}
	for (size_t c = 0; c < colours->n; c++) {
		/* Markers sit apart from one another, so that curves that coincide are both seen. */
		size_t every = GRID / 5;
		fprintf(plot->script,
			", \\\n\tdata index %zu using 1:2 with lines ls %zu, \\\n"
			"\tdata index %zu every %zu::%zu using 1:2 with points ls %zu dt 1",
			blocks[c], plot_style(c), blocks[c], every, 1 + every * (c % 6 + 1) / 7, plot_style(c));
	}
	fprintf(plot->script, "\n");
	free(blocks);
}

static enum figure_outcome roc_draw(
	struct roc *roc, struct figure_job *job, struct results_error *error)
{
	const struct axis *panels = &roc->layout.axes[AXIS_PANEL];
	char title[400], caption[1500], keys[200], count[64];
	layout_keys(&roc->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "what scores tell of attacked predictions%s", keys);
	replications_text(count, sizeof(count), roc->n_min, roc->n_max);
	snprintf(caption, sizeof(caption),
		roc->n_max > 1
			? "Mean over %s at equal false positives; band: 95 %% interval (Student's t on the logit), "
			  "pointwise. Dotted: chance."
			: "From %s, so without a band. Dotted: chance.",
		count);
	layout_describe(&roc->layout, NULL, caption, sizeof(caption));
	layout_describe_runs(&roc->layout, caption, sizeof(caption));
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1,
		.columns = grid_columns(panels->n),
		.panel_pt = panels->n > 1 ? 130 : 170,
		.panel_titles = panels->n > 1,
		.shared_y = true};
	page.rows = (panels->n + page.columns - 1) / page.columns;
	page.inner_x = panels->n % page.columns != 0;
	legend_fill(&page, &roc->layout.axes[AXIS_COLOUR], LEGEND_LINE);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	for (size_t p = 0; p < panels->n; p++) {
		/* A curve along the frame is not seen. */
		struct panel panel = {.column = p % page.columns,
			.row = p / page.columns,
			.title = panels->names[p],
			.x_label = "honest predictions rejected (%)",
			.y_label = "attacked ones rejected (%)",
			.x_min = -2,
			.x_max = 108,
			.y_min = -2,
			.y_max = 104};
		plot_panel(&plot, &panel);
		draw_panel(&plot, roc, p);
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct roc roc = {0};
	enum figure_outcome outcome = FIGURE_NOTHING;
	error->text[0] = '\0';
	if (!read_points(&roc, job, error)) {
		if (error->text[0] != '\0') {
			return FIGURE_FAILED;
		}
		return job_nothing(error, "the file has no table of curves (scenario: `record: [roc]`)");
	}
	layout_init(&roc.layout, job->frame, (const double *const *)roc.sums, 3, job_keep(job));
	layout_lines(&roc.layout, job->by, MAX_PANELS);
	if (roc.n == 0) {
		job_nothing(error, "no run has scores of attacked and of honest predictions");
	} else if (job_fits(&roc.layout, false, error)) {
		roc.replications = figure_take(roc.n, sizeof(*roc.replications));
		roc.counts = figure_take(roc.n, sizeof(*roc.counts));
		measure(&roc);
		outcome = roc_draw(&roc, job, error);
	}
	layout_free(&roc.layout);
	for (size_t i = 0; i < 3; i++) {
		free(roc.sums[i]);
	}
	free(roc.points);
	free(roc.replications);
	free(roc.counts);
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
