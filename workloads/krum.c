/* Krum, multi-Krum and Bulyan: rows are chosen by how near they are to their nearest others. */
#include "rows.h"

#include <gsl/gsl_sort.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Another row and how far it is. */
struct other {
	double distance2;
	uint32_t row;
};

/* Each row's others, the nearest first, so that a choice can be made again and again on the rows
 * that are left. */
struct neighbourhood {
	const struct rows *rows;
	struct other *others; /* row i's: others[i * (n-1) ...] */
};

static int compare_others(const void *left, const void *right)
{
	const struct other *a = left, *b = right;
	if (a->distance2 != b->distance2) {
		return a->distance2 < b->distance2 ? -1 : 1;
	}
	return a->row < b->row ? -1 : a->row > b->row;
}

static struct neighbourhood neighbourhood_make(const struct rows *rows, struct arena *scratch)
{
	size_t n = rows->n;
	struct other *others = arena_array(scratch, struct other, n * (n - 1) + 1);
	/* The distance from a to b and from b to a are the same bits. */
	for (uint32_t i = 0; i < n; i++) {
		struct other *mine = others + i * (n - 1);
		for (uint32_t k = 0; k < n; k++) {
			if (k != i) {
				double distance2 = row_distance2(row_at(rows, i), row_at(rows, k), rows->dims);
				mine[k - (k > i)] = (struct other){distance2, k};
			}
		}
		qsort(mine, n - 1, sizeof(*mine), compare_others);
	}
	return (struct neighbourhood){rows, others};
}

/* The sum of the squared distances to the row's `n_nearest` nearest others that are left. */
static double krum_score(
	const struct neighbourhood *hood, uint32_t row, const bool *gone, uint32_t n_nearest)
{
	const struct other *others = hood->others + (size_t)row * (hood->rows->n - 1);
	double sum = 0;
	for (uint32_t i = 0, n = 0; n < n_nearest; i++) {
		assert(i < hood->rows->n - 1);
		if (!gone[others[i].row]) {
			sum += others[i].distance2;
			n++;
		}
	}
	return sum;
}

/* The row of the smallest score among those left; of equal ones that which came first. */
static uint32_t krum_choose(const struct neighbourhood *hood, const bool *gone, uint32_t n_nearest)
{
	const struct rows *rows = hood->rows;
	uint32_t best = UINT32_MAX;
	double best_score = INFINITY;
	for (uint32_t i = 0; i < rows->n; i++) {
		if (gone[i]) {
			continue;
		}
		double score = krum_score(hood, i, gone, n_nearest);
		bool better = best == UINT32_MAX || score < best_score ||
					  (score == best_score && rows->index[i] < rows->index[best]);
		if (better) {
			best = i;
			best_score = score;
		}
	}
	return best;
}

static uint32_t krum_n_min(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	return 2 * n_faulty + 3;
}

static void krum_aggregate(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	(void)settings;
	assert(rows->n >= 2 * n_faulty + 3);
	const struct neighbourhood hood = neighbourhood_make(rows, scratch);
	const bool *gone = arena_array(scratch, bool, rows->n);
	uint32_t chosen = krum_choose(&hood, gone, rows->n - n_faulty - 2);
	memcpy(out, row_at(rows, chosen), rows->dims * sizeof(*out));
}

static const struct param krum_params[] = {
	AGGREGATOR_PARAMS(NULL, "liars among n predictions, n at least 2 faulty + 3"),
	PARAM_END,
};

const struct aggregator aggregator_krum = {
	.plugin = {.name = "krum",
		.summary = "the prediction whose n - faulty - 2 nearest others are nearest (Blanchard and "
				   "others 2017)",
		.params = krum_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = krum_n_min,
	.aggregate_rows = krum_aggregate,
};

struct multi_krum_settings {
	struct aggregator_common common;
	int64_t m; /* PARAM_AUTO_VALUE: n - f */
};

static uint32_t multi_krum_n_min(const void *settings, uint32_t n_faulty)
{
	const struct multi_krum_settings *own = settings;
	int64_t least = 2 * (int64_t)n_faulty + 3;
	return (uint32_t)(own->m > least ? own->m : least);
}

static void multi_krum_aggregate(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	const struct multi_krum_settings *own = settings;
	uint32_t n = rows->n;
	uint32_t m = own->m == PARAM_AUTO_VALUE ? n - n_faulty : (uint32_t)own->m;
	assert(n >= multi_krum_n_min(settings, n_faulty));
	const struct neighbourhood hood = neighbourhood_make(rows, scratch);
	const bool *gone = arena_array(scratch, bool, n);
	bool *taken = arena_array(scratch, bool, n);
	double *scores = arena_array(scratch, double, n);
	for (uint32_t i = 0; i < n; i++) {
		scores[i] = krum_score(&hood, i, gone, n - n_faulty - 2);
	}
	/* Scores are not computed again as rows are taken: that is Bulyan's way. */
	for (uint32_t k = 0; k < m; k++) {
		uint32_t best = UINT32_MAX;
		for (uint32_t i = 0; i < n; i++) {
			bool better = best == UINT32_MAX || scores[i] < scores[best] ||
						  (scores[i] == scores[best] && rows->index[i] < rows->index[best]);
			if (!taken[i] && better) {
				best = i;
			}
		}
		taken[best] = true;
	}
	rows_mean(rows, taken, out);
}

static bool multi_krum_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct multi_krum_settings *own = settings;
	if (!aggregator_finish(settings, shape, param, error)) {
		return false;
	}
	if (own->m > shape->n_validators) {
		*param = "m";
		snprintf(error, 256, "must be at most the number of predictions, %u, got %" PRId64,
			shape->n_validators, own->m);
		return false;
	}
	return true;
}

static const struct param multi_krum_params[] = {
	AGGREGATOR_PARAMS(NULL, "liars among n predictions, n at least 2 faulty + 3; 0: the mean"),
	{.name = "m",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO,
		.offset = offsetof(struct multi_krum_settings, m),
		.min = 1,
		.max = SIM_NODES_MAX,
		.fallback = "auto",
		.unit = "",
		.help = "how many are averaged; auto: n - faulty"},
	PARAM_END,
};

const struct aggregator aggregator_multi_krum = {
	.plugin = {.name = "multi-krum",
		.summary = "the mean of the m predictions that Krum likes best",
		.params = multi_krum_params,
		.settings_size = sizeof(struct multi_krum_settings),
		.finish = multi_krum_finish},
	.uses_faulty = true,
	.n_min = multi_krum_n_min,
	.aggregate_rows = multi_krum_aggregate,
};

static uint32_t bulyan_n_min(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	return 4 * n_faulty + 3;
}

/* A chosen row's value and how far it is from the median of the chosen. */
struct candidate {
	double distance, value;
	uint32_t index;
};

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	if (a->distance != b->distance) {
		return a->distance < b->distance ? -1 : 1;
	}
	return a->index < b->index ? -1 : a->index > b->index;
}

static void bulyan_aggregate(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	(void)settings;
	uint32_t n = rows->n, theta = n - 2 * n_faulty, beta = theta - 2 * n_faulty;
	assert(n >= 4 * n_faulty + 3);
	const struct neighbourhood hood = neighbourhood_make(rows, scratch);
	bool *gone = arena_array(scratch, bool, n);
	for (uint32_t k = 0; k < theta; k++) {
		uint32_t left = n - k;
		gone[krum_choose(&hood, gone, left > n_faulty + 2 ? left - n_faulty - 2 : 0)] = true;
	}
	struct candidate *chosen = arena_array(scratch, struct candidate, theta);
	double *values = arena_array(scratch, double, theta);
	for (uint32_t d = 0; d < rows->dims; d++) {
		uint32_t c = 0;
		for (uint32_t i = 0; i < n; i++) {
			if (gone[i]) {
				double value = row_at(rows, i)[d];
				values[c] = value;
				chosen[c++] = (struct candidate){0, value, rows->index[i]};
			}
		}
		double median = median_in_place(values, theta);
		for (c = 0; c < theta; c++) {
			chosen[c].distance = fabs(chosen[c].value - median);
		}
		qsort(chosen, theta, sizeof(*chosen), compare_candidates);
		for (c = 0; c < beta; c++) {
			values[c] = chosen[c].value;
		}
		gsl_sort(values, 1, beta);
		out[d] = sorted_mean(values, beta);
	}
}

static const struct param bulyan_params[] = {
	AGGREGATOR_PARAMS(NULL, "liars among n predictions, n at least 4 faulty + 3; 0: the mean"),
	PARAM_END,
};

const struct aggregator aggregator_bulyan = {
	.plugin = {.name = "bulyan",
		.summary = "n - 2 faulty by Krum, one after another; of these the mean of the n - 4 faulty "
				   "nearest the median",
		.params = bulyan_params,
		.settings_size = sizeof(struct aggregator_common),
		.finish = aggregator_finish},
	.uses_faulty = true,
	.n_min = bulyan_n_min,
	.aggregate_rows = bulyan_aggregate,
};
