#include "rows.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Both halves first: the sum of two large values of one sign can't overflow. */
double sorted_median(const double *sorted, uint32_t n)
{
	return n % 2 == 1 ? sorted[n / 2] : 0.5 * sorted[n / 2 - 1] + 0.5 * sorted[n / 2];
}

double median_in_place(double *values, uint32_t n)
{
	assert(n > 0);
	gsl_sort(values, 1, n);
	return sorted_median(values, n);
}

double sorted_mean(const double *sorted, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		sum += sorted[i];
	}
	if (isfinite(sum)) {
		return sum / n;
	}
	/* A liar may send the largest of numbers; the mean of finite ones is finite all the same. */
	double mean = 0;
	for (uint32_t i = 0; i < n; i++) {
		mean += sorted[i] / n;
	}
	return mean;
}

void sorted_copy(const double *values, uint32_t n, double *sorted)
{
	memcpy(sorted, values, n * sizeof(*sorted));
	gsl_sort(sorted, 1, n);
}

/* A row while they are sorted. */
struct ordered_row {
	const double *values;
	double score, confidence;
	uint32_t dims, index;
};

static int compare_rows(const void *left, const void *right)
{
	const struct ordered_row *a = left, *b = right;
	for (uint32_t k = 0; k < a->dims; k++) {
		if (a->values[k] != b->values[k]) {
			return a->values[k] < b->values[k] ? -1 : 1;
		}
	}
	if (a->score != b->score) {
		return a->score < b->score ? -1 : 1;
	}
	if (a->confidence < b->confidence || a->confidence > b->confidence) {
		return a->confidence < b->confidence ? -1 : 1;
	}
	return a->index < b->index ? -1 : a->index > b->index;
}

struct rows rows_ascending(const struct rows *rows, struct arena *arena)
{
	uint32_t n = rows->n, dims = rows->dims;
	struct ordered_row *order = arena_array(arena, struct ordered_row, n);
	double *values = arena_array(arena, double, (size_t)n *dims);
	double *scores = arena_array(arena, double, n);
	double *confidence = rows->confidence ? arena_array(arena, double, n) : NULL;
	uint32_t *index = arena_array(arena, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		double claimed = rows->confidence ? rows->confidence[i] : 0;
		order[i] = (struct ordered_row){row_at(rows, i), rows->scores ? rows->scores[i] : 1,
			claimed > 0 ? claimed : 0, dims, rows->index ? rows->index[i] : i};
	}
	qsort(order, n, sizeof(*order), compare_rows);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(values + (size_t)i * dims, order[i].values, dims * sizeof(*values));
		scores[i] = order[i].score;
		index[i] = order[i].index;
		if (confidence) {
			confidence[i] = order[i].confidence > 0 ? order[i].confidence : NAN;
		}
	}
	return (struct rows){n, dims, values, scores, index, confidence};
}

void rows_mean(const struct rows *rows, const bool *taken, double *out)
{
	uint32_t n = 0;
	memset(out, 0, rows->dims * sizeof(*out));
	for (uint32_t i = 0; i < rows->n; i++) {
		if (!taken || taken[i]) {
			const double *row = row_at(rows, i);
			for (uint32_t k = 0; k < rows->dims; k++) {
				out[k] += row[k];
			}
			n++;
		}
	}
	assert(n > 0);
	for (uint32_t k = 0; k < rows->dims; k++) {
		if (isfinite(out[k])) {
			out[k] /= n;
			continue;
		}
		out[k] = 0; /* as in sorted_mean */
		for (uint32_t i = 0; i < rows->n; i++) {
			out[k] += !taken || taken[i] ? row_at(rows, i)[k] / n : 0;
		}
	}
}

void rows_median(const struct rows *rows, double *out, struct arena *scratch)
{
	double *column = arena_array(scratch, double, rows->n);
	for (uint32_t k = 0; k < rows->dims; k++) {
		for (uint32_t i = 0; i < rows->n; i++) {
			column[i] = row_at(rows, i)[k];
		}
		out[k] = median_in_place(column, rows->n);
	}
}

double row_distance2(const double *a, const double *b, uint32_t dims)
{
	double sum = 0;
	for (uint32_t k = 0; k < dims; k++) {
		double difference = a[k] - b[k];
		sum += difference * difference;
	}
	return sum;
}

double row_direction(const double *from, const double *to, uint32_t dims, double *unit)
{
	double largest = 0, sum = 0;
	/* Halves, since the difference of two numbers of different signs may overflow. */
	for (uint32_t k = 0; k < dims; k++) {
		unit[k] = to[k] / 2 - from[k] / 2;
		largest = fabs(unit[k]) > largest ? fabs(unit[k]) : largest;
	}
	if (largest == 0) {
		return 0;
	}
	for (uint32_t k = 0; k < dims; k++) {
		unit[k] /= largest;
		sum += unit[k] * unit[k];
	}
	double length = sqrt(sum);
	for (uint32_t k = 0; k < dims; k++) {
		unit[k] /= length;
	}
	return largest * length * 2;
}
