/* `mean-around-median`: by coordinate, the mean of the n - f values nearest the median.
 *
 * Source: Xie, Koyejo, Gupta, Generalized Byzantine-tolerant SGD, arXiv:1802.10116, 2018 (there MeaMed). Of two values
 * as far below the median as above it the lower one goes, so that the answer is a function of the set alone. */
#include "rows.h"

static uint32_t n_min(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	return 2 * n_faulty + 1;
}

/* What is nearest a place stands together in ascending order: the farther end goes, f times. */
static double mean_around_median(const double *sorted, uint32_t n, uint32_t n_faulty)
{
	double median = sorted_median(sorted, n);
	uint32_t first = 0, end = n;
	for (uint32_t i = 0; i < n_faulty; i++) {
		if (median - sorted[first] >= sorted[end - 1] - median) {
			first++;
		} else {
			end--;
		}
	}
	return sorted_mean(sorted + first, end - first);
}

static void aggregate_rows(
	const void *settings, const struct rows *rows, uint32_t n_faulty, double *out, struct arena *scratch)
{
	(void)settings;
	double *column = arena_array(scratch, double, 2 * (size_t)rows->n), *sorted = column + rows->n;
	for (uint32_t k = 0; k < rows->dims; k++) {
		for (uint32_t i = 0; i < rows->n; i++) {
			column[i] = row_at(rows, i)[k];
		}
		sorted_copy(column, rows->n, sorted);
		out[k] = mean_around_median(sorted, rows->n, n_faulty);
	}
}

static const struct param params[] = {
	AGGREGATOR_PARAMS(NULL, "predictions left out, those farthest from the median; 0: the mean"),
	PARAM_END,
};

const struct aggregator aggregator_mean_around_median = {
	.plugin = {.name = "mean-around-median",
		.summary = "the mean of the n - faulty predictions nearest the median (Xie and others 2018)",
		.params = params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = n_min,
	.aggregate_rows = aggregate_rows,
};
