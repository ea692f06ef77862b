/* The geometric median: the point of least total distance to the rows, in any number of columns.
 *
 * The total distance is convex, and smooth but at the rows. Its gradient is minus the pull: the sum of the
 * unit vectors to the rows. A point is the answer exactly where the pull of the rows elsewhere is not
 * stronger than the number of rows here (Kuhn 1973), and with that every answer is checked.
 *
 * Weiszfeld's own step converges slowly where a row is the answer or the rows lie almost on a line, so that
 * the steps are Newton's, with the equations solved by conjugate gradients, along which the point at
 * which the pull has turned is looked for. The row that is nearest is tried for being the answer. A step
 * costs some passes over the rows; where these have more columns than there are rows, it is taken in
 * the few dimensions that the rows span.
 *
 * Sources: Vardi, Zhang, The multivariate L1-median and associated data depth, PNAS 97(4), 2000, eq. 2.6
 * (what to do on a row); Nocedal, Wright, Numerical Optimization, 2006, algorithm 7.1 (inexact Newton);
 * Giraud, Langou, Rozloznik, van den Eshof, Rounding error analysis of the classical Gram-Schmidt
 * orthogonalization process, Numerische Mathematik 101, 2005 (twice is enough). */
#include "rows.h"

#include <math.h>
#include <string.h>

#define NEWTON_STEPS_MAX 200
#define CONJUGATE_STEPS_MAX 200
#define LINE_STEPS_MAX 60
/* Finding the span costs as much as a pass over the rows for each of them. */
#define SPANNED_ROWS_MAX 128
/* How strong a pull is rounding, by row. */
#define PULL_ROUNDING 1e-14

struct search {
	uint32_t n, dims;
	const double *points; /* n of dims numbers */
	bool *tried;          /* by point: for being the answer */
	/* The rows as a point feels them. */
	double *distances;  /* n */
	double *units;      /* to each of them; 0 where the row is here */
	double *pull;       /* of those elsewhere */
	double pull_length;
	uint32_t n_here, nearest; /* rows at the point; one that is nearest */
	double *step, *residual, *along, *image, *trial; /* room, dims each */
};

/* Four sums side by side: always the same bits, and four times as fast as one. */
static double dot(const double *a, const double *b, uint32_t n)
{
	double sums[4] = {0, 0, 0, 0};
	uint32_t i = 0;
	for (; i + 4 <= n; i += 4) {
		sums[0] += a[i] * b[i];
		sums[1] += a[i + 1] * b[i + 1];
		sums[2] += a[i + 2] * b[i + 2];
		sums[3] += a[i + 3] * b[i + 3];
	}
	for (; i < n; i++) {
		sums[0] += a[i] * b[i];
	}
	return sums[0] + sums[1] + (sums[2] + sums[3]);
}

/* to += factor * from */
static void add(double *to, double factor, const double *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		to[i] += factor * from[i];
	}
}

static void feel(struct search *search, const double *point)
{
	uint32_t dims = search->dims;
	memset(search->pull, 0, dims * sizeof(*search->pull));
	search->n_here = search->nearest = 0;
	for (uint32_t i = 0; i < search->n; i++) {
		double *unit = search->units + (size_t)i * dims;
		search->distances[i] =
			row_direction(point, search->points + (size_t)i * dims, dims, unit);
		search->n_here += search->distances[i] == 0;
		if (search->distances[i] < search->distances[search->nearest]) {
			search->nearest = i;
		}
		add(search->pull, 1, unit, dims);
	}
	search->pull_length = sqrt(dot(search->pull, search->pull, dims));
}

static bool is_answer(const struct search *search)
{
	return search->pull_length <= search->n_here + PULL_ROUNDING * search->n;
}

/* The second derivative along `direction`: the sum of (direction - unit (unit . direction)) / distance. */
static void bend(const struct search *search, const double *direction, double *out)
{
	uint32_t dims = search->dims;
	double inverse_sum = 0;
	memset(out, 0, dims * sizeof(*out));
	for (uint32_t i = 0; i < search->n; i++) {
		if (search->distances[i] > 0) {
			const double *unit = search->units + (size_t)i * dims;
			add(out, -dot(unit, direction, dims) / search->distances[i], unit, dims);
			inverse_sum += 1 / search->distances[i];
		}
	}
	add(out, inverse_sum, direction, dims);
}

/* Newton's step to where the pull is 0, as exactly as pays; the pull itself where it can't be told. */
static void newton(struct search *search)
{
	uint32_t dims = search->dims;
	double *step = search->step, *residual = search->residual, *along = search->along;
	double rest = search->pull_length * search->pull_length;
	double enough = fmin(.5, search->pull_length / search->n);
	enough *= enough * rest;
	memset(step, 0, dims * sizeof(*step));
	memcpy(residual, search->pull, dims * sizeof(*residual));
	memcpy(along, residual, dims * sizeof(*along));
	for (uint32_t i = 0; i < CONJUGATE_STEPS_MAX && rest > enough; i++) {
		bend(search, along, search->image);
		double curvature = dot(along, search->image, dims);
		double length = rest / curvature;
		if (!(curvature > 0) || !isfinite(length)) {
			break; /* as good as a line */
		}
		add(step, length, along, dims);
		add(residual, -length, search->image, dims);
		double left = dot(residual, residual, dims);
		for (uint32_t k = 0; k < dims; k++) {
			along[k] = residual[k] + left / rest * along[k];
		}
		rest = left;
	}
	if (!(dot(step, search->pull, dims) > 0)) {
		memcpy(step, search->pull, dims * sizeof(*step));
	}
}

/* On a row that is not the answer: the step of Vardi and Zhang. */
static void leave_row(struct search *search)
{
	double inverse_sum = 0;
	for (uint32_t i = 0; i < search->n; i++) {
		inverse_sum += search->distances[i] > 0 ? 1 / search->distances[i] : 0;
	}
	double scale = (1 - search->n_here / search->pull_length) / inverse_sum;
	for (uint32_t k = 0; k < search->dims; k++) {
		search->step[k] = scale * search->pull[k];
	}
}

/* Goes along the step until the pull along it is at most half of what it was, either way; it only falls,
 * since the total distance is convex. False: the point did not move. */
static bool go(struct search *search, double *point)
{
	uint32_t dims = search->dims;
	double share = 1, low = 0, high = INFINITY;
	double first = dot(search->pull, search->step, dims);
	for (int i = 0; i < LINE_STEPS_MAX; i++) {
		memcpy(search->trial, point, dims * sizeof(*point));
		add(search->trial, share, search->step, dims);
		feel(search, search->trial);
		double slope = dot(search->pull, search->step, dims);
		if (fabs(slope) <= first / 2) {
			break;
		}
		if (slope > 0) {
			low = share;
		} else {
			high = share;
		}
		share = isfinite(high) ? (low + high) / 2 : 2 * share;
	}
	bool moved = memcmp(point, search->trial, dims * sizeof(*point)) != 0;
	memcpy(point, search->trial, dims * sizeof(*point));
	return moved;
}

/* Ends at the answer as exactly as numbers can say it, with what is felt there: at a row where that is the
 * answer. `point` is the start, and where nothing moves any more. */
static void find(struct search *search, double *point)
{
	double *row = search->image;
	feel(search, point);
	for (int i = 0; i < NEWTON_STEPS_MAX && !is_answer(search); i++) {
		uint32_t nearest = search->nearest;
		if (!search->tried[nearest]) {
			search->tried[nearest] = true;
			memcpy(row, search->points + (size_t)nearest * search->dims, search->dims * sizeof(*row));
			feel(search, row);
			if (is_answer(search)) {
				return;
			}
			feel(search, point);
		}
		if (search->n_here > 0) {
			leave_row(search);
		} else {
			newton(search);
		}
		if (!go(search, point)) {
			return;
		}
	}
}

/* The rows in the n coordinates that they span at most; `offsets` is used up. Gram and Schmidt, twice. */
static void span(double *offsets, uint32_t n, uint32_t dims, double *out, struct arena *scratch)
{
	double *basis = arena_array(scratch, double, (size_t)n *dims);
	const double *zero = arena_array(scratch, double, dims);
	uint32_t n_basis = 0;
	for (uint32_t i = 0; i < n; i++) {
		double *row = offsets + (size_t)i * dims, *coordinates = out + (size_t)i * n;
		for (int pass = 0; pass < 2; pass++) {
			for (uint32_t b = 0; b < n_basis; b++) {
				const double *axis = basis + (size_t)b * dims;
				double part = dot(axis, row, dims);
				coordinates[b] += part;
				add(row, -part, axis, dims);
			}
		}
		double left = row_direction(zero, row, dims, basis + (size_t)n_basis * dims);
		if (left > 0) {
			coordinates[n_basis++] = left;
		}
	}
}

/* Rows less `centre`, small enough that neither a difference nor a length overflows: nothing else depends on
 * the unit, as what is squared here is directions and pulls. */
static double *offsets_of(const struct rows *rows, const double *centre, struct arena *scratch)
{
	size_t n = (size_t)rows->n * rows->dims;
	double *offsets = arena_array(scratch, double, n);
	for (size_t i = 0; i < n; i++) {
		offsets[i] = rows->values[i] * 0x1p-24 - centre[i % rows->dims] * 0x1p-24;
	}
	return offsets;
}

/* Weiszfeld's step, in the rows themselves: where the pull is 0 a point is the mean of the rows weighted by
 * 1/distance. It stays within each column's range, which rounding might leave. */
static void weigh(const struct search *search, const struct rows *rows, double *out)
{
	double weights = 0, nearest = search->distances[search->nearest];
	for (uint32_t i = 0; i < rows->n; i++) {
		weights += nearest / search->distances[i];
	}
	memset(out, 0, rows->dims * sizeof(*out));
	for (uint32_t i = 0; i < rows->n; i++) {
		add(out, nearest / search->distances[i] / weights / 2, row_at(rows, i), rows->dims);
	}
	for (uint32_t k = 0; k < rows->dims; k++) {
		double low = INFINITY, high = -INFINITY;
		for (uint32_t i = 0; i < rows->n; i++) {
			low = fmin(low, row_at(rows, i)[k]);
			high = fmax(high, row_at(rows, i)[k]);
		}
		out[k] = fmin(fmax(2 * out[k], low), high);
	}
}

/* Where the rows lie on a line and are even in number, all points between the two in the middle are
 * geometric medians, and the start, halfway, is the one that is given. */
static void geometric_median_aggregate(const void *settings, const struct rows *rows,
	uint32_t n_faulty, double *out, struct arena *scratch)
{
	(void)settings;
	(void)n_faulty;
	rows_median(rows, out, scratch);
	if (rows->dims == 1) {
		return;
	}
	uint32_t n = rows->n;
	double *offsets = offsets_of(rows, out, scratch);
	struct search search = {.n = n, .dims = rows->dims, .points = offsets};
	if (n < rows->dims && n <= SPANNED_ROWS_MAX) {
		double *coordinates = arena_array(scratch, double, (size_t)n *n);
		span(offsets, n, rows->dims, coordinates, scratch);
		search.dims = n;
		search.points = coordinates;
	}
	search.tried = arena_array(scratch, bool, n);
	search.distances = arena_array(scratch, double, n);
	search.units = arena_array(scratch, double, (size_t)n *search.dims);
	double **vectors[] = {&search.pull, &search.step, &search.residual, &search.along, &search.image,
		&search.trial};
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		*vectors[i] = arena_array(scratch, double, search.dims);
	}
	double *point = arena_array(scratch, double, search.dims);
	feel(&search, point);
	if (is_answer(&search)) {
		return;
	}
	find(&search, point);
	if (search.n_here > 0) {
		memcpy(out, row_at(rows, search.nearest), rows->dims * sizeof(*out));
	} else {
		weigh(&search, rows, out);
	}
}

static uint32_t one(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 1;
}

static const struct param params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	PARAM_END,
};

const struct aggregator aggregator_geometric_median = {
	.plugin = {.name = "geometric-median",
		.summary = "the point of least total distance to the predictions; of numbers, the median",
		.params = params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = geometric_median_aggregate,
};
