/* latency-cdf: the share of items that had their answer within a time, a curve for each arm. Items that were
 * never answered are items too: their curve levels off at the share that was. */
#include "curves.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POINTS 400
#define MAX_PANELS 6

static const struct column latency_column = {.name = "latency", .unit = "s", .sort = SORT_TIME};

struct cdf {
	struct curves curves; /* of a sample x is the item's latency in seconds; infinite: it was never answered */
	size_t n_answered;
	double *pooled, *own; /* scratch: sorted values of a cell, and of its replications in turn */
	double least, largest; /* shown: from the least to the slowest arm's 99 % quantile */
	double left, right;    /* where the axis ends */
	double slowest;        /* of all items */
	struct quantity quantity;
	bool log_x;
};

/* Of latencies the sums, their squares, how many items and how many answered ones must agree. */
static bool take(void *of, size_t i, const double *cells, struct sample *sample, double adds[CURVES_VALUES])
{
	(void)i;
	struct cdf *cdf = of;
	/* Both are whole nanoseconds: their difference is one too, but for its rounding error. */
	double seconds = nearbyint(1e9 * (cells[1] - cells[0])) / 1e9;
	bool answered = isfinite(seconds);
	sample->x = answered ? seconds : INFINITY;
	adds[0] = answered ? seconds : 0;
	adds[1] = answered ? seconds * seconds : 0;
	adds[2] = 1;
	adds[3] = answered; /* not the same as answered at once */
	cdf->n_answered += answered;
	return true;
}

static int compare(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;
	if (a->cell != b->cell) {
		return a->cell > b->cell ? 1 : -1;
	}
	if (a->replication != b->replication) {
		return a->replication > b->replication ? 1 : -1;
	}
	return (a->x > b->x) - (a->x < b->x);
}

/* Fills `pooled` with the sorted latencies of samples [first, end), and `ends` with the ends of its replications
 * within `own`; answers how many replications. */
static size_t split(struct cdf *cdf, size_t first, size_t end, size_t *ends)
{
	const struct sample *samples = cdf->curves.samples + first;
	size_t n = end - first, n_replications = 0;
	for (size_t i = 0; i < n; i++) {
		cdf->own[i] = cdf->pooled[i] = samples[i].x;
		if (i + 1 == n || samples[i].replication != samples[i + 1].replication) {
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
	size_t *ends = figure_take(cdf->curves.n, sizeof(*ends));
	cdf->least = INFINITY;
	for (size_t cell = 0; cell < curves_n_cells(&cdf->curves); cell++) {
		size_t first, end = curves_cell(&cdf->curves, cell, &first);
		if (first == end) {
			continue;
		}
		curves_count(&cdf->curves, split(cdf, first, end, ends));
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
static void write_point(FILE *out, const struct cdf *cdf, double x, size_t n, const size_t *ends,
	size_t n_replications, double *shares)
{
	for (size_t r = 0; r < n_replications; r++) {
		size_t start = r == 0 ? 0 : ends[r - 1];
		shares[r] = stats_ecdf(cdf->own + start, ends[r] - start, x);
	}
	stats_sort(shares, n_replications);
	fprintf(out, "%.10g %.10g %.10g %.10g %zu\n", x * cdf->quantity.scale, 100 * stats_ecdf(cdf->pooled, n, x),
		100 * stats_quantile(shares, n_replications, 0.025), 100 * stats_quantile(shares, n_replications, 0.975),
		n_replications);
}

/* One curve: at most MAX_POINTS values, and, where some item was never answered, on to the axis's end. */
static struct curve write_curve(void *of, size_t row, size_t p, size_t colour, FILE *out)
{
	(void)row;
	struct cdf *cdf = of;
	size_t first, end = curves_cell(&cdf->curves, p * cdf->curves.layout.axes[AXIS_COLOUR].n + colour, &first);
	size_t n = end - first, n_written = 1;
	if (n == 0) {
		fprintf(out, "0 NaN NaN NaN 0\n");
		return (struct curve){false, 1, 0};
	}
	size_t *ends = figure_take(n, sizeof(*ends));
	size_t n_replications = split(cdf, first, end, ends);
	double *shares = figure_take(n_replications, sizeof(*shares));
	size_t n_answered = answered(cdf->pooled, n);
	size_t n_points = n_answered < MAX_POINTS ? n_answered : MAX_POINTS;
	double before = -INFINITY;
	fprintf(out, "%.10g 0 0 0 %zu\n", (n_answered > 0 ? cdf->pooled[0] : cdf->least) * cdf->quantity.scale, n_replications);
	for (size_t k = 1; k <= n_points; k++) {
		double x = cdf->pooled[k * n_answered / n_points - 1];
		if (x > before) { /* many items with one latency are one step */
			write_point(out, cdf, x, n, ends, n_replications, shares);
			n_written++;
		}
		before = x;
	}
	if (n_answered < n && before < cdf->right) {
		write_point(out, cdf, cdf->right, n, ends, n_replications, shares);
		n_written++;
	}
	free(shares);
	free(ends);
	size_t every = n_written / 5 + 1;
	return (struct curve){n_replications > 1, every, every * (colour % 6 + 1) / 7};
}

static void panel(void *of, size_t row, struct panel *panel)
{
	(void)row;
	const struct cdf *cdf = of;
	panel->x_label = cdf->quantity.axis;
	panel->y_label = "items answered (%)";
	panel->x_min = (cdf->log_x ? cdf->least / 1.05 : cdf->left) * cdf->quantity.scale;
	panel->x_max = cdf->right * cdf->quantity.scale;
	panel->log_x = cdf->log_x;
	panel->y_max = 104;
}

static enum figure_outcome cdf_draw(struct cdf *cdf, struct results_error *error)
{
	cdf->quantity = quantity_describe(&latency_column, cdf->largest);
	double range = cdf->largest - cdf->least;
	range = range > PLOT_ALIKE * cdf->largest ? range : fmax(cdf->largest, 1e-6) * 0.5;
	cdf->left = cdf->least < 0.3 * cdf->largest ? 0 : fmax(0, cdf->least - 0.08 * range);
	cdf->left = cdf->least <= 0 ? cdf->least - 0.02 * range : cdf->left; /* a curve along the frame is not seen */
	if (cdf->log_x && cdf->least <= 0) {
		return job_nothing(error, "a logarithmic axis holds no latency of 0");
	}
	cdf->right = cdf->log_x ? cdf->slowest * 1.05 : cdf->largest + 0.08 * range;
	curves_caption(&cdf->curves, "Items of ",
		" pooled; band: central 95 % of the single replications' curves, pointwise.", "Items of ", "");
	if (cdf->slowest > cdf->right) {
		struct quantity slowest = quantity_describe(&latency_column, cdf->slowest);
		char *caption = cdf->curves.caption;
		snprintf(caption + strlen(caption), sizeof(cdf->curves.caption) - strlen(caption),
			" The axis ends at the slowest arm's 99 %% quantile; the slowest item took %.3g %s.",
			cdf->slowest * slowest.scale, slowest.unit);
	}
	const struct curves_drawing drawing = {
		.title = "latency of items", .style = "steps", .panel = panel, .write = write_curve};
	return curves_draw(&cdf->curves, &drawing, cdf, error);
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	static const char *const columns[] = {"arrived_s", "decided_s"};
	static const struct curves_table table = {
		TABLE_DECISIONS, columns, 2, "the file has no decisions (scenario: `record: [decisions]`)", take};
	struct cdf cdf = {.log_x = (job->request->logarithmic & FIGURE_X) != 0};
	struct curves *curves = &cdf.curves;
	curves_init(curves, job);
	enum figure_outcome outcome = curves_read(curves, &table, &cdf, error);
	if (outcome == FIGURE_DRAWN && cdf.n_answered == 0) {
		outcome = job_nothing(error, "no item was answered");
	} else if (outcome == FIGURE_DRAWN) {
		curves_place(curves, MAX_PANELS, compare);
		cdf.pooled = figure_take(curves->n, sizeof(*cdf.pooled));
		cdf.own = figure_take(curves->n, sizeof(*cdf.own));
		measure(&cdf);
		outcome = job_fits(&curves->layout, false, error) ? cdf_draw(&cdf, error) : FIGURE_NOTHING;
	}
	curves_finish(curves);
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
