/* `isolation`: how easily a prediction is set apart from the others: by its distance to the nearest
 * of them, or by how few random cuts it takes. */
#include "scorers.h"

#include "sim/random.h"
#include "sim/real.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

enum { METHOD_DISTANCE, METHOD_TREES };

struct isolation_settings {
	struct scorer_common common;
	int64_t neighbours; /* PARAM_AUTO_VALUE: half of the predictions */
	int method;
	int64_t trees, sample;
};

/* The place of the first of this value among sorted[0..n), which holds it. */
static uint32_t first_of(const double *sorted, uint32_t n, double value)
{
	uint32_t low = 0, high = n - 1;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (sorted[middle] < value) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* The mean distance of sorted[i] to its k nearest others, the nearest first. */
static double mean_distance(const double *sorted, uint32_t n, uint32_t i, uint32_t k)
{
	double mean = 0;
	uint32_t left = i, right = i + 1; /* the next ones: sorted[left - 1], sorted[right] */
	for (uint32_t taken = 0; taken < k; taken++) {
		double to_left = left > 0 ? sorted[i] - sorted[left - 1] : INFINITY;
		double to_right = right < n ? sorted[right] - sorted[i] : INFINITY;
		mean += (to_left <= to_right ? to_left : to_right) / k;
		if (to_left <= to_right && left > 0) {
			left--;
		} else {
			right++;
		}
	}
	return mean;
}

/* d is a prediction's mean distance to its k nearest others (Angiulli, Pizzuti: Fast Outlier
 * Detection in High Dimensional Spaces, PKDD 2002), r = d / median d; score 1 up to r = 1, and
 * 1/(1 + ((r-1)/2)^2) beyond. Median 0: 1 where d is 0, else 0. k liars who agree have one another
 * for neighbours: k should be at least the number of liars. */
static void distance_score(const struct isolation_settings *own, const struct scoring *given,
	double *scores, double *scratch)
{
	const double *predictions = given->predictions;
	uint32_t n = given->n, n_finite = finite_copy(given, scratch);
	double *distances = scratch + n, *sorted_distances = scratch + 2 * (size_t)n;
	if (n_finite < 2) {
		scores_of_finite(given, scores);
		return;
	}
	gsl_sort(scratch, 1, n_finite);
	int64_t k = own->neighbours == PARAM_AUTO_VALUE ? n_finite / 2 : own->neighbours;
	k = k < n_finite ? k : n_finite - 1;
	for (uint32_t i = 0; i < n_finite; i++) {
		distances[i] = mean_distance(scratch, n_finite, i, (uint32_t)k);
	}
	memcpy(sorted_distances, distances, n_finite * sizeof(*distances));
	double median = median_in_place(sorted_distances, n_finite);
	for (uint32_t i = 0; i < n; i++) {
		if (!isfinite(predictions[i])) {
			scores[i] = 0;
			continue;
		}
		/* Equal ones have equal distances. */
		double distance = distances[first_of(scratch, n_finite, predictions[i])];
		if (median > 0) {
			double excess = fmax(distance / median - 1, 0) / 2;
			scores[i] = isfinite(distance) ? 1 / (1 + excess * excess) : 0;
		} else {
			scores[i] = distance > 0 ? 0 : 1;
		}
	}
}

/* c(0 .. m) of the paper's equation 1: the mean depth of an unsuccessful search among n, 2 H(n-1) -
 * 2 (n-1)/n, with the harmonic numbers themselves instead of their logarithm. */
static void fill_mean_depths(uint32_t m, double *mean_depths)
{
	double harmonic = 0; /* H(n-1) */
	mean_depths[0] = mean_depths[1] = 0;
	for (uint32_t n = 2; n <= m; n++) {
		harmonic += 1.0 / (n - 1);
		mean_depths[n] = 2 * harmonic - 2 * (n - 1.0) / n;
	}
}

/* One tree, cut as it is walked: all predictions fall through it together. */
struct tree {
	const double *all;    /* the predictions, ascending */
	const double *sample; /* those it is grown from, ascending */
	double *depths;       /* of each of `all`, added up over the trees */
	const double *mean_depths;
	struct random_stream *stream;
	uint32_t height_max;
};

static uint32_t first_from(const double *sorted, uint32_t begin, uint32_t end, double cut)
{
	while (begin < end && sorted[begin] < cut) {
		begin++;
	}
	return begin;
}

static void grow(const struct tree *tree, uint32_t sample, uint32_t sample_end, uint32_t all,
	uint32_t all_end, uint32_t height)
{
	uint32_t n = sample_end - sample;
	double low = n ? tree->sample[sample] : 0, high = n ? tree->sample[sample_end - 1] : 0;
	if (n < 2 || height == tree->height_max || low == high) {
		for (uint32_t i = all; i < all_end; i++) {
			tree->depths[i] += height + tree->mean_depths[n];
		}
		return;
	}
	/* By shares: a range of the largest numbers may overflow. Never `low` itself: both sides of the
	 * cut hold a part of the sample. */
	double share = random_unit_open(tree->stream);
	double cut = fmin(fmax(low * (1 - share) + high * share, nextafter(low, high)), high);
	uint32_t sample_cut = first_from(tree->sample, sample, sample_end, cut);
	uint32_t all_cut = first_from(tree->all, all, all_end, cut);
	grow(tree, sample, sample_cut, all, all_cut, height + 1);
	grow(tree, sample_cut, sample_end, all_cut, all_end, height + 1);
}

/* A sample of m out of sorted[0..n), without replacement, in ascending order (Knuth, The Art of
 * Computer Programming 2, 3.4.2, algorithm S). */
static void sample_of(
	const double *sorted, uint32_t n, uint32_t m, struct random_stream *stream, double *out)
{
	uint32_t taken = 0;
	for (uint32_t i = 0; i < n && taken < m; i++) {
		if (m - taken == n - i || random_unit(stream) * (n - i) < m - taken) {
			out[taken++] = sorted[i];
		}
	}
}

/* 1 - 2^(-E(h)/c(m)): E(h) the mean depth at which cuts at random places set a prediction apart, in
 * trees grown from samples of m, c(m) what is usual. A usual one has about .5, one that stands
 * alone less. Liu, Ting, Zhou: Isolation Forest, ICDM 2008, sections 2 and 4. The cuts come from a
 * stream of the item's own, which the predictions have no part in: all replicas make the same.
 * Departs from the paper: c(m) exactly, and 1 minus its score, since ours says how far one can be
 * trusted. */
static void trees_score(const struct isolation_settings *own, const struct scoring *given,
	double *scores, double *scratch)
{
	const double *predictions = given->predictions;
	uint32_t n = given->n, n_finite = finite_copy(given, scratch);
	const uint64_t *seed = given->model;
	double *depths = scratch + n, *sample = scratch + 2 * (size_t)n;
	double *mean_depths = scratch + 3 * (size_t)n; /* of 0 .. m */
	if (n_finite < 2) {
		scores_of_finite(given, scores);
		return;
	}
	uint32_t m = own->sample < n_finite ? (uint32_t)own->sample : n_finite;
	struct random_stream stream = random_stream_make(seed ? *seed : 1, RANDOM_SCORER, given->item);
	struct tree tree = {scratch, sample, depths, mean_depths, &stream, 0};
	while (UINT64_C(1) << tree.height_max < m) {
		tree.height_max++; /* the ceiling of log2 m */
	}
	gsl_sort(scratch, 1, n_finite);
	fill_mean_depths(m, mean_depths);
	memset(depths, 0, n_finite * sizeof(*depths));
	for (int64_t k = 0; k < own->trees; k++) {
		sample_of(scratch, n_finite, m, &stream, sample);
		grow(&tree, 0, m, 0, n_finite, 0);
	}
	for (uint32_t i = 0; i < n; i++) {
		scores[i] = 0;
		if (isfinite(predictions[i])) {
			double depth = depths[first_of(scratch, n_finite, predictions[i])] / (double)own->trees;
			scores[i] = 1 - real_pow(2, -depth / mean_depths[m]);
		}
	}
}

static void isolation_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	const struct isolation_settings *own = settings;
	if (own->method == METHOD_TREES) {
		trees_score(own, given, scores, scratch);
	} else {
		distance_score(own, given, scores, scratch);
	}
}

/* The cuts hang on the run's seed. */
static const void *isolation_prepare(
	const void *settings, uint32_t n_participants, uint64_t seed, struct arena *arena)
{
	(void)settings;
	(void)n_participants;
	uint64_t *model = arena_new(arena, uint64_t);
	*model = seed;
	return model;
}

static const struct param isolation_params[] = {
	THRESHOLD_PARAM(
		"0.3 is 4.06 times the median isolation, or by trees a score of .7 in the paper"),
	{.name = "method",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct isolation_settings, method),
		.choices = "distance|trees",
		.fallback = "distance",
		.unit = "",
		.help = "distance to the nearest others, or an isolation forest"},
	{.name = "neighbours",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO,
		.offset = offsetof(struct isolation_settings, neighbours),
		.min = 1,
		.max = SIM_NODES_MAX,
		.fallback = "auto",
		.unit = "",
		.when = "method = distance",
		.help = "distance: nearest others that are looked at; auto: half of the predictions"},
	{.name = "trees",
		.kind = PARAM_INT,
		.offset = offsetof(struct isolation_settings, trees),
		.min = 1,
		.max = 100000,
		.fallback = "100",
		.unit = "",
		.when = "method = trees", .help = "trees: how many"},
	{.name = "sample",
		.kind = PARAM_INT,
		.offset = offsetof(struct isolation_settings, sample),
		.min = 2,
		.max = SIM_NODES_MAX,
		.fallback = "256",
		.unit = "",
		.when = "method = trees", .help = "trees: predictions that one is grown from, at most"},
	PARAM_END,
};

const struct scorer scorer_isolation = {
	.plugin = {.name = "isolation",
		.summary = "how far from the nearest others, or how easily cut off from them",
		.params = isolation_params,
		.settings_size = sizeof(struct isolation_settings)},
	.score = isolation_score,
	.prepare = isolation_prepare,
};
