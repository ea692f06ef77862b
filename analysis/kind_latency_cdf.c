/* latency-cdf: the share of items that had their answer within a time, a curve for each arm. Items that were
 * never answered are items too: their curve levels off at the share that was. */
#include "job.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POINTS 400
#define MAX_PANELS 6

#define SUMS 4

static const struct column latency_column = {.name = "latency", .unit = "s", .sort = SORT_TIME};

/* The latency of one item, in seconds; infinite: it was never answered. */
struct latency {
	size_t cell; /* panel * colours + colour */
	int64_t replication;
	double seconds;
};

struct cdf {
	struct layout layout;
	double *sums[SUMS]; /* of latencies, their squares, the items and the answered ones, one a row: what must agree */
	struct latency *latencies;
	size_t *row_of; /* the row of each latency */
	size_t n, n_answered;
	double *pooled, *own; /* scratch: sorted values of a cell, and of its replications in turn */
	size_t n_min, n_max;
	double least, largest; /* shown: from the least to the slowest arm's 99 % quantile */
	double right;          /* where the axis ends */
	double slowest;        /* of all items */
	double scale;
};

static bool read_latencies(
	struct cdf *cdf, const struct figure_job *job, struct results_error *error)
{
	const struct table_schema *schema;
	const struct block *block = results_table(job->frame->file, TABLE_DECISIONS, &schema, error);
	int run = -1, arrived = -1, decided = -1;
	if (block != NULL) {
		run = schema_find(schema, "run");
		arrived = schema_find(schema, "arrived_s");
		decided = schema_find(schema, "decided_s");
	}
	if (run < 0 || arrived < 0 || decided < 0) {
		return false;
	}
	cdf->latencies = figure_take(block->n_rows, sizeof(*cdf->latencies));
	cdf->row_of = figure_take(block->n_rows, sizeof(*cdf->row_of));
	for (size_t i = 0; i < SUMS; i++) {
		cdf->sums[i] = figure_take(job->frame->n_rows, sizeof(double));
	}
	for (size_t i = 0; i < block->n_rows; i++) {
		size_t row = frame_row(job->frame, block_get(block, schema, i, (size_t)run).integer);
		/* Both are whole nanoseconds: their difference is one too, but for its rounding error. */
		double seconds = nearbyint(1e9 * (block_get(block, schema, i, (size_t)decided).real -
									   block_get(block, schema, i, (size_t)arrived).real)) / 1e9;
		if (row == SIZE_MAX) {
			continue;
		}
		bool answered = isfinite(seconds);
		cdf->latencies[cdf->n].replication = job->frame->replication[row];
		cdf->latencies[cdf->n].seconds = answered ? seconds : INFINITY;
		cdf->row_of[cdf->n++] = row;
		cdf->sums[0][row] += answered ? seconds : 0;
		cdf->sums[1][row] += answered ? seconds * seconds : 0;
		cdf->sums[2][row] += 1;
		cdf->sums[3][row] += answered; /* not the same as answered at once */
		cdf->n_answered += answered;
	}
	return true;
}

static int compare_latencies(const void *a, const void *b)
{
	const struct latency *x = a, *y = b;
	if (x->cell != y->cell) {
		return x->cell > y->cell ? 1 : -1;
	}
	if (x->replication != y->replication) {
		return x->replication > y->replication ? 1 : -1;
	}
	return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* Gives every latency its cell, drops those that are not shown, sorts by cell, replication, value.
 */
static void sort_latencies(struct cdf *cdf)
{
	const struct axis *axes = cdf->layout.axes;
	size_t n = 0;
	for (size_t i = 0; i < cdf->n; i++) {
		size_t row = cdf->row_of[i];
		if (cdf->layout.used[row]) {
			cdf->latencies[n] = cdf->latencies[i];
			cdf->latencies[n++].cell =
				axes[AXIS_PANEL].of_row[row] * axes[AXIS_COLOUR].n + axes[AXIS_COLOUR].of_row[row];
		}
	}
	cdf->n = n;
	qsort(cdf->latencies, n, sizeof(*cdf->latencies), compare_latencies);
}

/* Where a cell's latencies lie. */
static void cell_range(const struct cdf *cdf, size_t cell, size_t *first, size_t *end)
{
	size_t i = 0;
	while (i < cdf->n && cdf->latencies[i].cell < cell) {
		i++;
	}
	*first = i;
	while (i < cdf->n && cdf->latencies[i].cell == cell) {
		i++;
	}
	*end = i;
}

/* Fills `pooled` with the sorted latencies of the range, and `ends` with the ends of its
 * replications within `own`; answers how many replications. */
static size_t split(struct cdf *cdf, size_t first, size_t end, size_t *ends)
{
	size_t n = end - first, n_replications = 0;
	for (size_t i = 0; i < n; i++) {
		cdf->own[i] = cdf->pooled[i] = cdf->latencies[first + i].seconds;
		if (i + 1 == n ||
			cdf->latencies[first + i].replication != cdf->latencies[first + i + 1].replication) {
			ends[n_replications++] = i + 1;
		}
	}
	stats_sort(cdf->pooled, n);
	return n_replications;
}

/* How many of n ascending ones are finite. */
static size_t answered(const double *ascending, size_t n)
{
	while (n > 0 && !isfinite(ascending[n - 1])) {
		n--;
	}
	return n;
}

static void measure(struct cdf *cdf)
{
	size_t n_cells = cdf->layout.axes[AXIS_PANEL].n * cdf->layout.axes[AXIS_COLOUR].n;
	size_t *ends = figure_take(cdf->n, sizeof(*ends));
	cdf->least = INFINITY;
	cdf->n_min = SIZE_MAX;
	for (size_t cell = 0; cell < n_cells; cell++) {
		size_t first, end;
		cell_range(cdf, cell, &first, &end);
		if (first == end) {
			continue;
		}
		size_t n = split(cdf, first, end, ends);
		cdf->n_min = n < cdf->n_min ? n : cdf->n_min;
		cdf->n_max = n > cdf->n_max ? n : cdf->n_max;
		size_t n_answered = answered(cdf->pooled, end - first);
		if (n_answered > 0) {
			cdf->least = fmin(cdf->least, cdf->pooled[0]);
			cdf->largest = fmax(cdf->largest, stats_quantile(cdf->pooled, n_answered, 0.99));
			cdf->slowest = fmax(cdf->slowest, cdf->pooled[n_answered - 1]);
		}
	}
	free(ends);
}

/* The pooled share at x, and the central 95 % of the shares of the single replications. */
static void write_point(struct plot *plot, const struct cdf *cdf, double x, size_t n, const size_t *ends,
	size_t n_replications, double *shares)
{
	for (size_t r = 0; r < n_replications; r++) {
		size_t start = r == 0 ? 0 : ends[r - 1];
		shares[r] = stats_ecdf(cdf->own + start, ends[r] - start, x);
	}
	stats_sort(shares, n_replications);
	fprintf(plot->data, "%.10g %.10g %.10g %.10g\n", x * cdf->scale, 100 * stats_ecdf(cdf->pooled, n, x),
		100 * stats_quantile(shares, n_replications, 0.025),
		100 * stats_quantile(shares, n_replications, 0.975));
}

/* One curve: at most MAX_POINTS values, and, where some item was never answered, on to the axis's end. */
static bool write_curve(struct plot *plot, struct cdf *cdf, size_t cell, size_t *n_written)
{
	*n_written = 1;
	size_t first, end;
	cell_range(cdf, cell, &first, &end);
	size_t n = end - first;
	if (n == 0) {
		fprintf(plot->data, "0 NaN NaN NaN\n");
		return false;
	}
	size_t *ends = figure_take(n, sizeof(*ends));
	size_t n_replications = split(cdf, first, end, ends);
	double *shares = figure_take(n_replications, sizeof(*shares));
	size_t n_answered = answered(cdf->pooled, n);
	size_t n_points = n_answered < MAX_POINTS ? n_answered : MAX_POINTS;
	double before = -INFINITY;
	fprintf(plot->data, "%.10g 0 0 0\n", (n_answered > 0 ? cdf->pooled[0] : cdf->least) * cdf->scale);
	for (size_t k = 1; k <= n_points; k++) {
		double x = cdf->pooled[k * n_answered / n_points - 1];
		if (x > before) { /* many items with one latency are one step */
			write_point(plot, cdf, x, n, ends, n_replications, shares);
			(*n_written)++;
		}
		before = x;
	}
	if (n_answered < n && before < cdf->right) {
		write_point(plot, cdf, cdf->right, n, ends, n_replications, shares);
		(*n_written)++;
	}
	free(shares);
	free(ends);
	return n_replications > 1;
}

static void draw_panel(struct plot *plot, struct cdf *cdf, size_t p)
{
	const struct axis *colours = &cdf->layout.axes[AXIS_COLOUR];
	size_t *blocks = figure_take(colours->n, sizeof(*blocks));
	size_t *lengths = figure_take(colours->n, sizeof(*lengths));
	const char *comma = "plot ";
	for (size_t c = 0; c < colours->n; c++) {
		char comment[400];
		snprintf(comment, sizeof(comment),
			"%s %s: latency, share of items (%%), low, high over replications",
			cdf->layout.axes[AXIS_PANEL].names[p], colours->names[c]);
		blocks[c] = plot_block(plot, comment);
		if (write_curve(plot, cdf, p * colours->n + c, &lengths[c])) {
			fprintf(plot->script,
				"%sdata index %zu using 1:3:4 with filledcurves fc rgb colour(%zu) "
				"fs transparent solid %g noborder",
				comma, blocks[c], plot_style(c), PLOT_BAND);
			comma = ", \\\n\t";
		}
	}
	for (size_t c = 0; c < colours->n; c++) {
		/* Markers sit apart from one another, so that curves that coincide are both seen. */
		size_t every = lengths[c] / 5 + 1;
		fprintf(plot->script,
			"%sdata index %zu using 1:2 with steps ls %zu, \\\n"
			"\tdata index %zu every %zu::%zu using 1:2 with points ls %zu dt 1",
			comma, blocks[c], plot_style(c), blocks[c], every, every * (c % 6 + 1) / 7,
			plot_style(c));
		comma = ", \\\n\t";
	}
	fprintf(plot->script, "\n");
	free(blocks);
	free(lengths);
}

static enum figure_outcome cdf_draw(
	struct cdf *cdf, struct figure_job *job, struct results_error *error)
{
	const struct axis *panels = &cdf->layout.axes[AXIS_PANEL];
	struct quantity quantity = quantity_describe(&latency_column, cdf->largest);
	cdf->scale = quantity.scale;
	char title[400], caption[1500], keys[200], count[64];
	layout_keys(&cdf->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "latency of items%s", keys);
	replications_text(count, sizeof(count), cdf->n_min, cdf->n_max);
	snprintf(caption, sizeof(caption),
		cdf->n_max > 1 ? "Items of %s pooled; band: central 95 %% of the single replications' "
						 "curves, pointwise."
					   : "Items of %s, so without a band.",
		count);
	layout_describe(&cdf->layout, NULL, caption, sizeof(caption));
	size_t length = strlen(caption);
	double range = cdf->largest - cdf->least;
	range = range > PLOT_ALIKE * cdf->largest ? range : fmax(cdf->largest, 1e-6) * 0.5;
	double left = cdf->least < 0.3 * cdf->largest ? 0 : fmax(0, cdf->least - 0.08 * range);
	left = cdf->least <= 0 ? cdf->least - 0.02 * range
						   : left; /* a curve along the frame is not seen */
	bool log_x = (job->request->logarithmic & FIGURE_X) != 0;
	if (log_x && cdf->least <= 0) {
		return job_nothing(error, "a logarithmic axis holds no latency of 0");
	}
	cdf->right = log_x ? cdf->slowest * 1.05 : cdf->largest + 0.08 * range;
	if (cdf->slowest > cdf->right) {
		struct quantity slowest = quantity_describe(&latency_column, cdf->slowest);
		snprintf(caption + length, sizeof(caption) - length,
			" The axis ends at the slowest arm's 99 %% quantile; the slowest item took %.3g %s.",
			cdf->slowest * slowest.scale, slowest.unit);
	}
	layout_describe_runs(&cdf->layout, caption, sizeof(caption));
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1,
		.columns = grid_columns(panels->n),
		.panel_pt = panels->n > 3 ? 100 : 130,
		.panel_titles = panels->n > 1,
		.shared_y = true};
	page.rows = (panels->n + page.columns - 1) / page.columns;
	page.inner_x = panels->n % page.columns != 0;
	legend_fill(&page, &cdf->layout.axes[AXIS_COLOUR], LEGEND_LINE);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	for (size_t p = 0; p < panels->n; p++) {
		struct panel panel = {.column = p % page.columns,
			.row = p / page.columns,
			.title = panels->names[p],
			.x_label = quantity.axis,
			.y_label = "items answered (%)",
			.x_min = (log_x ? cdf->least / 1.05 : left) * quantity.scale,
			.x_max = cdf->right * quantity.scale,
			.log_x = log_x,
			.y_max = 104};
		plot_panel(&plot, &panel);
		draw_panel(&plot, cdf, p);
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct cdf cdf = {0};
	enum figure_outcome outcome = FIGURE_NOTHING;
	error->text[0] = '\0';
	if (!read_latencies(&cdf, job, error)) {
		if (error->text[0] != '\0') {
			return FIGURE_FAILED;
		}
		return job_nothing(error, "the file has no decisions (scenario: `record: [decisions]`)");
	}
	layout_init(&cdf.layout, job->frame, (const double *const *)cdf.sums, SUMS, job_keep(job));
	layout_lines(&cdf.layout, job->by, MAX_PANELS);
	sort_latencies(&cdf);
	if (cdf.n_answered == 0) {
		job_nothing(error, "no item was answered");
	} else if (job_fits(&cdf.layout, false, error)) {
		cdf.pooled = figure_take(cdf.n, sizeof(*cdf.pooled));
		cdf.own = figure_take(cdf.n, sizeof(*cdf.own));
		measure(&cdf);
		outcome = cdf_draw(&cdf, job, error);
	}
	layout_free(&cdf.layout);
	for (size_t i = 0; i < SUMS; i++) {
		free(cdf.sums[i]);
	}
	free(cdf.latencies);
	free(cdf.row_of);
	free(cdf.pooled);
	free(cdf.own);
	return outcome;
}

const struct figure_kind figure_latency_cdf = {
	.name = "latency-cdf",
	.summary = "share of items answered within a time, a curve for each arm, with a 95 % band",
	.needs = "the table of decisions",
	.takes_kpi = false,
	.logarithms = FIGURE_X,
	.draw = draw,
};
