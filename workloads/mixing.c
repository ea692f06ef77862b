/* Mixing before an aggregator; see enum mixing. */
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct neighbour {
	double distance2;
	uint32_t index; /* as given */
	uint32_t row;
};

static int compare_neighbours(const void *left, const void *right)
{
	const struct neighbour *a = left, *b = right;
	if (a->distance2 != b->distance2) {
		return a->distance2 < b->distance2 ? -1 : 1;
	}
	return a->index < b->index ? -1 : a->index > b->index;
}

static struct rows nearest_mixed(const struct rows *rows, uint32_t n_faulty, struct arena *scratch)
{
	uint32_t n = rows->n, dims = rows->dims;
	struct neighbour *neighbours = arena_array(scratch, struct neighbour, n);
	bool *taken = arena_array(scratch, bool, n);
	double *values = arena_array(scratch, double, (size_t)n *dims);
	assert(n_faulty < n);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < n; k++) {
			double distance2 = row_distance2(row_at(rows, i), row_at(rows, k), dims);
			neighbours[k] = (struct neighbour){distance2, rows->index[k], k};
		}
		qsort(neighbours, n, sizeof(*neighbours), compare_neighbours);
		memset(taken, 0, n * sizeof(*taken));
		for (uint32_t k = 0; k < n - n_faulty; k++) {
			taken[neighbours[k].row] = true;
		}
		rows_mean(rows, taken, values + (size_t)i * dims);
	}
	return rows_ascending(
		&(struct rows){n, dims, values, rows->scores, rows->index, rows->confidence}, scratch);
}

static struct rows bucketed(const struct rows *rows, uint32_t size, struct arena *scratch)
{
	uint32_t n_buckets = (rows->n - 1) / size + 1;
	double *values = arena_array(scratch, double, (size_t)n_buckets * rows->dims);
	double *scores = arena_array(scratch, double, n_buckets);
	double *confidence = rows->confidence ? arena_array(scratch, double, n_buckets) : NULL;
	bool *taken = arena_array(scratch, bool, rows->n);
	for (uint32_t b = 0; b < n_buckets; b++) {
		uint32_t n_taken = 0;
		double variance = 0; /* of their sum; NaN where one claims none */
		for (uint32_t i = 0; i < rows->n; i++) {
			taken[i] = rows->index[i] / size == b;
			n_taken += taken[i];
			scores[b] += taken[i] ? rows->scores[i] : 0;
			double sd = taken[i] && confidence ? rows->confidence[i] : 0;
			variance += sd * sd;
		}
		scores[b] /= n_taken;
		if (confidence) {
			confidence[b] = sqrt(variance) / n_taken;
		}
		rows_mean(rows, taken, values + (size_t)b * rows->dims);
	}
	return rows_ascending(
		&(struct rows){n_buckets, rows->dims, values, scores, NULL, confidence}, scratch);
}

struct rows rows_mix(const struct aggregator_common *common, const struct rows *rows,
	uint32_t n_faulty, struct arena *scratch)
{
	switch ((enum mixing)common->before) {
	case MIXING_NNM:
		return nearest_mixed(rows, n_faulty, scratch);
	case MIXING_BUCKETING: {
		uint32_t size = common->bucket < rows->n ? (uint32_t)common->bucket : rows->n;
		return bucketed(rows, size, scratch);
	}
	case MIXING_NONE:
		break;
	}
	return *rows;
}
