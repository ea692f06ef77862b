/* The geometric median and centred clipping: iterations that start at the coordinate-wise median.
 */
#include "rows.h"

#include <math.h>
#include <string.h>

static uint32_t one(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 1;
}

/* The rows as a point feels them. */
struct pull {
	double *sum;        /* of the unit vectors to the rows that are elsewhere */
	double *unit;       /* room */
	double length;      /* of `sum` */
	uint32_t n_here;    /* rows at the point */
	double inverse_sum; /* of nearest / distance, over the rows elsewhere */
	double nearest;     /* of these distances */
};

static void pull_at(const struct rows *rows, const double *point, struct pull *pull)
{
	double inverse_sum = 0, nearest = INFINITY, length2 = 0;
	memset(pull->sum, 0, rows->dims * sizeof(*pull->sum));
	pull->n_here = 0;
	for (uint32_t i = 0; i < rows->n; i++) {
		double distance = row_direction(point, row_at(rows, i), rows->dims, pull->unit);
		if (distance == 0) {
			pull->n_here++;
			continue;
		}
		for (uint32_t k = 0; k < rows->dims; k++) {
			pull->sum[k] += pull->unit[k];
		}
		/* The sum of 1/d in units of the smallest d, which can't overflow. */
		if (distance < nearest) {
			inverse_sum = isfinite(nearest) ? inverse_sum * (distance / nearest) : 0;
			nearest = distance;
		}
		inverse_sum += nearest / distance;
	}
	for (uint32_t k = 0; k < rows->dims; k++) {
		length2 += pull->sum[k] * pull->sum[k];
	}
	pull->length = sqrt(length2);
	pull->inverse_sum = inverse_sum;
	pull->nearest = nearest;
}

/* A point is the geometric median exactly where the pull of the rows elsewhere is not stronger than
 * the number of rows here (Kuhn 1973); the margin is for rounding. */
static bool is_geometric_median(const struct rows *rows, const struct pull *pull)
{
	return pull->length <= pull->n_here + 1e-13 * rows->n;
}

#define WEISZFELD_STEPS_MAX 100000

/* Weiszfeld's iteration with the step of Vardi and Zhang (The multivariate L1-median and associated
 * data depth, PNAS 97(4), 2000, eq. 2.6) where it lands on a row: y + max(0, 1 - n_here / |R|) R /
 * sum(1/d), R the pull.
 *
 * It is slow where a row itself is the answer, so that the start and every row are tried first.
 * Where the rows lie on a line and are even in number, all points between the two in the middle are
 * geometric medians, and the start, halfway, is the one that is given. */
static void geometric_median_aggregate(const void *settings, const struct rows *rows,
	uint32_t n_faulty, double *out, struct arena *scratch)
{
	(void)settings;
	(void)n_faulty;
	uint32_t dims = rows->dims;
	struct pull pull = {arena_array(scratch, double, dims), arena_array(scratch, double, dims)};
	rows_median(rows, out, scratch);
	pull_at(rows, out, &pull);
	if (dims == 1 || is_geometric_median(rows, &pull)) {
		return;
	}
	for (uint32_t i = 0; i < rows->n; i++) {
		pull_at(rows, row_at(rows, i), &pull);
		if (is_geometric_median(rows, &pull)) {
			memcpy(out, row_at(rows, i), dims * sizeof(*out));
			return;
		}
	}
	for (uint32_t step = 0; step < WEISZFELD_STEPS_MAX; step++) {
		pull_at(rows, out, &pull);
		double rest = pull.n_here < pull.length ? 1 - pull.n_here / pull.length : 0;
		double scale = rest * (pull.nearest / pull.inverse_sum);
		double moved = 0, largest = 0;
		for (uint32_t k = 0; k < dims; k++) {
			double next = out[k] + scale * pull.sum[k];
			moved = fmax(moved, fabs(next - out[k]));
			largest = fmax(largest, fabs(next));
			out[k] = next;
		}
		/* An eighth of the last bit of the largest coordinate. */
		if (moved <= largest * 0x1p-55) {
			return;
		}
	}
}

static const struct param geometric_median_params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	PARAM_END,
};

const struct aggregator aggregator_geometric_median = {
	.plugin = {.name = "geometric-median",
		.summary = "the point of least total distance to the predictions; of numbers, the median",
		.params = geometric_median_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = geometric_median_aggregate,
};

struct clipping_settings {
	struct aggregator_common common;
	double tau;
	int64_t iterations;
};

/* v + (1/n) sum of (x_i - v) min(1, tau / |x_i - v|), again and again: Karimireddy, He, Jaggi:
 * Learning from History for Byzantine Robust Optimization, ICML 2021, section 4. Departs from the
 * paper: v starts at the coordinate-wise median, since an item has no round before it. */
static void centered_clipping_aggregate(const void *settings, const struct rows *rows,
	uint32_t n_faulty, double *out, struct arena *scratch)
{
	const struct clipping_settings *own = settings;
	(void)n_faulty;
	double *sum = arena_array(scratch, double, rows->dims);
	double *unit = arena_array(scratch, double, rows->dims);
	rows_median(rows, out, scratch);
	for (int64_t step = 0; step < own->iterations; step++) {
		memset(sum, 0, rows->dims * sizeof(*sum));
		for (uint32_t i = 0; i < rows->n; i++) {
			const double *row = row_at(rows, i);
			double distance = row_direction(out, row, rows->dims, unit);
			for (uint32_t k = 0; k < rows->dims; k++) {
				sum[k] += (distance <= own->tau ? row[k] - out[k] : own->tau * unit[k]) / rows->n;
			}
		}
		for (uint32_t k = 0; k < rows->dims; k++) {
			out[k] += sum[k];
		}
	}
}

static const struct param clipping_params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	{.name = "tau",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct clipping_settings, tau),
		.min = 0,
		.max = 1e300,
		.fallback = "1",
		.unit = "",
		.help = "how far a prediction may pull, in the predictions' unit"},
	{.name = "iterations",
		.kind = PARAM_INT,
		.offset = offsetof(struct clipping_settings, iterations),
		.min = 1,
		.max = 1000000,
		.fallback = "3",
		.unit = "",
		.help = "steps from the median"},
	PARAM_END,
};

const struct aggregator aggregator_centered_clipping = {
	.plugin = {.name = "centered-clipping",
		.summary = "from the median towards each prediction, by at most tau",
		.params = clipping_params,
		.settings_size = sizeof(struct clipping_settings),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = centered_clipping_aggregate,
};
