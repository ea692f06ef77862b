/* Centred clipping: a fixed number of steps from the coordinate-wise median. */
#include "rows.h"

#include <math.h>
#include <string.h>

static uint32_t one(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 1;
}

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
