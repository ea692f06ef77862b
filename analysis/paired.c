#include "paired.h"

#include "memory.h"

#include <assert.h>
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#define EXACT_MAX 200

struct signed_rank {
	double size; /* |difference| */
	bool positive;
	size_t twice_rank; /* a mid-rank times two is a whole number */
};

static int compare_sizes(const void *a, const void *b)
{
	const struct signed_rank *x = a, *y = b;
	return (x->size > y->size) - (x->size < y->size);
}

/* The chance that the sum of the ranks with a random sign is as far from its mean as `twice_sum` or
 * farther. Counts the 2^n choices of signs by their sums, as shares of all. */
static double exact_p(const struct signed_rank *ranks, size_t n, size_t twice_sum)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++) {
		total += ranks[i].twice_rank;
	}
	double *share = figure_take(total + 1, sizeof(*share));
	share[0] = 1;
	size_t reach = 0;
	for (size_t i = 0; i < n; i++) {
		size_t rank = ranks[i].twice_rank;
		reach += rank;
		for (size_t sum = reach + 1; sum-- > 0;) {
			share[sum] = .5 * share[sum] + (sum >= rank ? .5 * share[sum - rank] : 0);
		}
	}
	size_t low = twice_sum < total - twice_sum ? twice_sum : total - twice_sum;
	double p = 0;
	for (size_t sum = 0; sum <= low; sum++) {
		p += share[sum];
	}
	free(share);
	return fmin(1, 2 * p);
}

static double normal_p(const struct signed_rank *ranks, size_t n, double sum)
{
	double mean = 0, variance = 0;
	for (size_t i = 0; i < n; i++) {
		double rank = (double)ranks[i].twice_rank / 2;
		mean += rank / 2;
		variance += rank * rank / 4;
	}
	double distance = fmax(0, fabs(sum - mean) - .5); /* corrected for continuity */
	return fmin(1, 2 * gsl_cdf_ugaussian_Q(distance / sqrt(variance)));
}

static void signed_ranks(struct paired *paired, const double *differences, size_t n, double dust)
{
	struct signed_rank *ranks = figure_take(n, sizeof(*ranks));
	size_t n_ranks = 0;
	for (size_t i = 0; i < n; i++) {
		if (differences[i] != 0) { /* no dust: differences_of */
			ranks[n_ranks++] =
				(struct signed_rank){.size = fabs(differences[i]), .positive = differences[i] > 0};
		}
	}
	if (n_ranks == 0) {
		paired->signed_rank_p = 1;
		paired->rank_biserial = NAN;
		free(ranks);
		return;
	}
	qsort(ranks, n_ranks, sizeof(*ranks), compare_sizes);
	for (size_t first = 0, last; first < n_ranks; first = last) {
		/* Sizes that differ by rounding alone are ties. */
		double limit = ranks[first].size + dust;
		for (last = first; last < n_ranks && ranks[last].size <= limit; last++) {
		}
		for (size_t i = first; i < last; i++) {
			ranks[i].twice_rank = first + 1 + last;
		}
	}
	size_t twice_positive = 0;
	for (size_t i = 0; i < n_ranks; i++) {
		twice_positive += ranks[i].positive ? ranks[i].twice_rank : 0;
	}
	double total = (double)n_ranks * (double)(n_ranks + 1) / 2;
	double positive = (double)twice_positive / 2;
	paired->rank_biserial = (2 * positive - total) / total;
	paired->signed_rank_p = n_ranks <= EXACT_MAX ? exact_p(ranks, n_ranks, twice_positive)
												  : normal_p(ranks, n_ranks, positive);
	free(ranks);
}

/* Values such as k/items differ by a rounding error where they should be equal: differences below a few units
 * in the last place of the largest value are none. Answers how large such dust may be. */
static double differences_of(const double *a, const double *b, size_t n, double *differences)
{
	double largest = 0;
	for (size_t i = 0; i < n; i++) {
		largest = fmax(largest, fmax(fabs(a[i]), fabs(b[i])));
	}
	double dust = 8 * DBL_EPSILON * largest;
	for (size_t i = 0; i < n; i++) {
		differences[i] = b[i] - a[i];
		if (fabs(differences[i]) <= dust) {
			differences[i] = 0;
		}
	}
	return dust;
}

struct paired paired_compare(const double *a, const double *b, size_t n)
{
	assert(n >= 1);
	double *differences = figure_take(n, sizeof(*differences));
	double dust = differences_of(a, b, n, differences);
	struct paired paired = {.n = n, .difference = stats_t_interval(differences, n), .t_p = NAN, .dz = NAN};
	double squares = 0;
	for (size_t i = 0; i < n; i++) {
		double distance = differences[i] - paired.difference.mean;
		squares += distance * distance;
	}
	double sd = n < 2 ? 0 : sqrt(squares / (double)(n - 1));
	if (fabs(paired.difference.mean) <= dust) {
		paired.difference.mean = 0;
	}
	sd = sd <= dust ? 0 : sd;
	if (n >= 2 && sd > 0) {
		paired.dz = paired.difference.mean / sd;
		double t = fabs(paired.dz) * sqrt((double)n);
		paired.t_p = 2 * gsl_cdf_tdist_Q(t, (double)(n - 1));
	} else if (n >= 2) {
		paired.t_p = paired.difference.mean == 0 ? 1 : 0;
	}
	signed_ranks(&paired, differences, n, dust);
	free(differences);
	return paired;
}

struct holm_entry {
	double p;
	size_t place;
};

static int compare_entries(const void *a, const void *b)
{
	const struct holm_entry *x = a, *y = b;
	if (x->p != y->p) {
		return x->p < y->p ? -1 : 1;
	}
	return (x->place > y->place) - (x->place < y->place);
}

void holm_adjust(double *p, size_t n)
{
	struct holm_entry *entries = figure_take(n, sizeof(*entries));
	size_t n_entries = 0;
	for (size_t i = 0; i < n; i++) {
		if (!isnan(p[i])) {
			entries[n_entries++] = (struct holm_entry){p[i], i};
		}
	}
	qsort(entries, n_entries, sizeof(*entries), compare_entries);
	double largest = 0;
	for (size_t i = 0; i < n_entries; i++) {
		largest = fmax(largest, fmin(1, (double)(n_entries - i) * entries[i].p));
		p[entries[i].place] = largest;
	}
	free(entries);
}
