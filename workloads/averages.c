/* Means, medians and the majority: rules that go by coordinate, or count. */
#include "rows.h"

#include <gsl/gsl_sort.h>
#include <math.h>

static uint32_t one(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 1;
}

static double mean_aggregate(const void *settings, const double *predictions, const double *scores,
	uint32_t n, uint32_t n_faulty, double *scratch)
{
	(void)settings;
	(void)scores;
	(void)n_faulty;
	assert(n > 0);
	sorted_copy(predictions, n, scratch);
	return sorted_mean(scratch, n);
}

static void mean_rows(const void *settings, const struct rows *rows, uint32_t n_faulty, double *out,
	struct arena *scratch)
{
	(void)settings;
	(void)n_faulty;
	(void)scratch;
	rows_mean(rows, NULL, out);
}

static const struct param mean_params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	PARAM_END,
};

const struct aggregator aggregator_mean = {
	.plugin = {.name = "mean",
		.summary = "the arithmetic mean; one liar can move it anywhere",
		.params = mean_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate = mean_aggregate,
	.aggregate_rows = mean_rows,
};

static void weighted_mean_rows(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	(void)settings;
	(void)n_faulty;
	(void)scratch;
	double total = 0;
	for (uint32_t i = 0; i < rows->n; i++) {
		total += rows->scores[i];
	}
	if (!(total > 0)) {
		rows_mean(rows, NULL, out);
		return;
	}
	for (uint32_t k = 0; k < rows->dims; k++) {
		out[k] = 0;
		for (uint32_t i = 0; i < rows->n; i++) {
			out[k] += row_at(rows, i)[k] * (rows->scores[i] / total);
		}
	}
}

const struct aggregator aggregator_weighted_mean = {
	.plugin = {.name = "weighted-mean",
		.summary = "the mean weighted by the scorer's scores; where these are all 0, the mean",
		.when = "scorer != none",
		.params = mean_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = weighted_mean_rows,
};

static double median_aggregate(const void *settings, const double *predictions,
	const double *scores, uint32_t n, uint32_t n_faulty, double *scratch)
{
	(void)settings;
	(void)scores;
	(void)n_faulty;
	assert(n > 0);
	sorted_copy(predictions, n, scratch);
	return sorted_median(scratch, n);
}

static void median_rows(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	(void)settings;
	(void)n_faulty;
	rows_median(rows, out, scratch);
}

const struct aggregator aggregator_median = {
	.plugin = {.name = "median",
		.summary = "the middle prediction; an even number averages the two in the middle",
		.params = mean_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate = median_aggregate,
	.aggregate_rows = median_rows,
};

static uint32_t trimmed_mean_n_min(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	return 2 * n_faulty + 1;
}

static double trimmed_mean_aggregate(const void *settings, const double *predictions,
	const double *scores, uint32_t n, uint32_t n_faulty, double *scratch)
{
	(void)scores;
	assert(n >= trimmed_mean_n_min(settings, n_faulty));
	sorted_copy(predictions, n, scratch);
	return sorted_mean(scratch + n_faulty, n - 2 * n_faulty);
}

static void trimmed_mean_rows(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	double *column = arena_array(scratch, double, rows->n);
	assert(rows->n >= trimmed_mean_n_min(settings, n_faulty));
	for (uint32_t k = 0; k < rows->dims; k++) {
		for (uint32_t i = 0; i < rows->n; i++) {
			column[i] = row_at(rows, i)[k];
		}
		gsl_sort(column, 1, rows->n);
		out[k] = sorted_mean(column + n_faulty, rows->n - 2 * n_faulty);
	}
}

static const struct param trimmed_mean_params[] = {
	AGGREGATOR_PARAMS(NULL, "predictions cut from each end; 0: the mean"),
	PARAM_END,
};

const struct aggregator aggregator_trimmed_mean = {
	.plugin = {.name = "trimmed-mean",
		.summary = "the mean without the `faulty` smallest and largest predictions",
		.params = trimmed_mean_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = trimmed_mean_n_min,
	.aggregate = trimmed_mean_aggregate,
	.aggregate_rows = trimmed_mean_rows,
};

struct majority_settings {
	struct aggregator_common common;
	double bin;
};

/* Bins are centred on the multiples of their width, so that votes for whole numbers, and what is
 * close to them, fall into one bin each. */
static void majority_rows(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	const struct majority_settings *own = settings;
	(void)n_faulty;
	uint32_t n = rows->n, dims = rows->dims, best = 0, best_count = 0;
	double *bins = arena_array(scratch, double, (size_t)n *dims);
	bool *taken = arena_array(scratch, bool, n);
	for (size_t i = 0; i < (size_t)n * dims; i++) {
		bins[i] = floor(rows->values[i] / own->bin + 0.5);
	}
	const struct rows cells = {.n = n, .dims = dims, .values = bins};
	for (uint32_t i = 0; i < n; i++) {
		uint32_t count = 0;
		for (uint32_t k = 0; k < n; k++) {
			uint32_t d = 0;
			while (d < dims && row_at(&cells, i)[d] == row_at(&cells, k)[d]) {
				d++;
			}
			count += d == dims;
		}
		if (count > best_count || (count == best_count && rows->index[i] < rows->index[best])) {
			best = i;
			best_count = count;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t d = 0;
		while (d < dims && row_at(&cells, i)[d] == row_at(&cells, best)[d]) {
			d++;
		}
		taken[i] = d == dims;
	}
	rows_mean(rows, taken, out);
}

static const struct param majority_params[] = {
	AGGREGATOR_PARAMS("before = nnm", "liars among the predictions, below half; used by nnm alone"),
	{.name = "bin",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct majority_settings, bin),
		.min = 0,
		.max = 1e300,
		.fallback = "1",
		.unit = "",
		.help = "width of a bin, in the predictions' unit; bins are centred on its multiples"},
	PARAM_END,
};

const struct aggregator aggregator_majority = {
	.plugin = {.name = "majority",
		.summary = "the mean of the fullest bin; of equal ones, of that with the first prediction",
		.params = majority_params,
		.settings_size = sizeof(struct majority_settings),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = one,
	.aggregate_rows = majority_rows,
};
