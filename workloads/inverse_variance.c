/* `inverse-variance`: who claims to know better counts more. */
#include "rows.h"

#include <math.h>

struct inverse_variance_settings {
	struct aggregator_common common;
	double cap;
};

static uint32_t one(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 1;
}

/* The sd that the middle one claims, of those that claim any; 0: nobody does. */
static double claimed_median(const struct rows *rows, struct arena *scratch)
{
	double *claimed = arena_array(scratch, double, rows->n);
	uint32_t n = 0;
	for (uint32_t i = 0; i < rows->n; i++) {
		if (rows->confidence[i] > 0) {
			claimed[n++] = rows->confidence[i];
		}
	}
	return n > 0 ? median_in_place(claimed, n) : 0;
}

/* sum of w x over the sum of w, w = 1/sd^2: of independent estimates without bias the combination
 * of least variance (Cochran, Problems Arising in the Analysis of a Series of Similar Experiments,
 * Supplement to the Journal of the Royal Statistical Society 4(1), 1937). Departs from it: a weight
 * is at most `cap` times that of the middle one who claims an sd, since a claim costs a liar
 * nothing; who claims none is taken for that middle one. Weights are relative to that, so that none
 * overflows. */
static void inverse_variance_rows(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	const struct inverse_variance_settings *own = settings;
	(void)n_faulty;
	double middle = rows->confidence ? claimed_median(rows, scratch) : 0, total = 0;
	if (middle == 0) {
		rows_mean(rows, NULL, out);
		return;
	}
	double *weights = arena_array(scratch, double, rows->n);
	for (uint32_t i = 0; i < rows->n; i++) {
		double claimed = rows->confidence[i] > 0 ? rows->confidence[i] : middle;
		double ratio = middle / claimed;
		weights[i] = fmin(ratio * ratio, own->cap);
		total += weights[i];
	}
	for (uint32_t k = 0; k < rows->dims; k++) {
		out[k] = 0;
		for (uint32_t i = 0; i < rows->n; i++) {
			out[k] += row_at(rows, i)[k] * (weights[i] / total);
		}
	}
}

static const struct param params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	{.name = "cap",
		.kind = PARAM_REAL,
		.offset = offsetof(struct inverse_variance_settings, cap),
		.min = 1,
		.max = 1e300,
		.fallback = "4",
		.unit = "",
		.help = "the largest weight, in units of that of the middle one of those who claim an sd"},
	PARAM_END,
};

const struct aggregator aggregator_inverse_variance = {
	.plugin = {.name = "inverse-variance",
		.summary =
			"weighted by 1/sd^2 of the sd that each claims, capped; the mean where none claims any",
		.when = "predictor = gp|ensemble",
		.params = params,
		.settings_size = sizeof(struct inverse_variance_settings),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = inverse_variance_rows,
};
