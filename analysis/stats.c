#include "stats.h"

#include <assert.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

static double mean_of(const double *values, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += values[i];
	}
	return sum / (double)n;
}

double stats_sd(const double *values, size_t n)
{
	assert(n >= 2);
	double mean = mean_of(values, n), squares = 0;
	for (size_t i = 0; i < n; i++) {
		double difference = values[i] - mean;
		squares += difference * difference;
	}
	return sqrt(squares / (double)(n - 1));
}

/* Student's quantile times the mean's standard error. */
static double half_width(const double *values, size_t n, double level)
{
	double sd = stats_sd(values, n);
	double error = sqrt(sd * sd / (double)n);
	return gsl_cdf_tdist_Pinv(0.5 + level / 2, (double)(n - 1)) * error;
}

struct interval stats_t_interval_at(const double *values, size_t n, double level)
{
	assert(n >= 1);
	struct interval interval = {.n = n, .mean = mean_of(values, n), .low = NAN, .high = NAN};
	if (n >= 2) {
		double half = half_width(values, n, level);
		interval.low = interval.mean - half;
		interval.high = interval.mean + half;
	}
	return interval;
}

struct interval stats_t_interval(const double *values, size_t n)
{
	return stats_t_interval_at(values, n, 0.95);
}

struct interval stats_share_interval(const double *values, size_t n, double level, double units)
{
	struct interval interval = stats_t_interval_at(values, n, level);
	double mean = interval.mean;
	if (mean <= 0 || mean >= 1) {
		double reach = 1 - pow(1 - level, 1 / (units > 0 ? units : (double)n));
		interval.low = mean <= 0 ? 0 : 1 - reach;
		interval.high = mean <= 0 ? reach : 1;
	} else if (n >= 2) {
		double logit = log(mean / (1 - mean));
		double half = half_width(values, n, level) / (mean * (1 - mean));
		interval.low = 1 / (1 + exp(half - logit));
		interval.high = 1 / (1 + exp(-half - logit));
	}
	return interval;
}

double stats_quantile(const double *ascending, size_t n, double p)
{
	assert(n >= 1);
	assert(p >= 0 && p <= 1);
	double place = p * (double)(n - 1);
	size_t below = (size_t)floor(place);
	if (below + 1 >= n) {
		return ascending[n - 1];
	}
	return ascending[below] + (place - (double)below) * (ascending[below + 1] - ascending[below]);
}

struct box stats_box(const double *ascending, size_t n)
{
	struct box box = {
		.q1 = stats_quantile(ascending, n, 0.25),
		.median = stats_quantile(ascending, n, 0.5),
		.q3 = stats_quantile(ascending, n, 0.75),
	};
	double reach = 1.5 * (box.q3 - box.q1);
	size_t first = 0, last = n - 1;
	while (ascending[first] < box.q1 - reach) {
		first++;
	}
	while (ascending[last] > box.q3 + reach) {
		last--;
	}
	/* An interpolated quartile may lie beyond the last value in reach: a whisker never points
	 * inward. */
	box.low = fmin(ascending[first], box.q1);
	box.high = fmax(ascending[last], box.q3);
	return box;
}

double stats_ecdf(const double *ascending, size_t n, double x)
{
	assert(n >= 1);
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ascending[middle] <= x) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return (double)low / (double)n;
}

static int compare_reals(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void stats_sort(double *values, size_t n)
{
	if (n > 1) {
		qsort(values, n, sizeof(*values), compare_reals);
	}
}
