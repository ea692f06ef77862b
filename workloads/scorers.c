/* Scorers: how far each of an item's predictions can be trusted, by name.
 *
 * Each measures how far out a prediction lies, t, and makes 1/(1 + t^2) of it, scaled so that the
 * usual cut of each rule (3 deviations, 1.5 interquartile ranges) is t = 1.5, a score of .308: the
 * default threshold of .3 is a little more lenient than that. */
#include "scorers.h"

#include "sim/real.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void scores_of_finite(const struct scoring *given, double *scores)
{
	for (uint32_t i = 0; i < given->n; i++) {
		scores[i] = isfinite(given->predictions[i]) ? 1 : 0;
	}
}

static void none_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	(void)settings;
	(void)scratch;
	scores_of_finite(given, scores);
}

const struct scorer scorer_none = {
	.plugin = {.name = "none",
		.summary = "every prediction is taken (except NaN and infinities)",
		.settings_size = sizeof(struct scorer_common)},
	.accepts_all = true,
	.score = none_score,
};

uint32_t finite_copy(const struct scoring *given, double *finite)
{
	uint32_t n_finite = 0;
	for (uint32_t i = 0; i < given->n; i++) {
		if (isfinite(given->predictions[i])) {
			finite[n_finite++] = given->predictions[i];
		}
	}
	return n_finite;
}

static void score_0(double *scores, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		scores[i] = 0;
	}
}

/* z = |p - median| / (1.4826 MAD), score 1/(1 + (z/2)^2); MAD 0: 1 where equal, else 0.
 *
 * Median and MAD are of the finite predictions. A z-score by mean and standard deviation could
 * never exceed (n-1)/sqrt(n), which is below 3 up to n = 10; this one can. */
static void mad_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	(void)settings;
	const double *predictions = given->predictions;
	uint32_t n = given->n, n_finite = finite_copy(given, scratch);
	if (n_finite == 0) {
		score_0(scores, n);
		return;
	}
	double median = median_in_place(scratch, n_finite);
	for (uint32_t i = 0; i < n_finite; i++) {
		scratch[i] = fabs(scratch[i] - median);
	}
	double sd = MAD_TO_SD * median_in_place(scratch, n_finite);
	for (uint32_t i = 0; i < n; i++) {
		double deviation = fabs(predictions[i] - median);
		double half_z = deviation / sd / 2;
		if (!isfinite(deviation)) {
			scores[i] = 0;
		} else if (sd > 0) {
			scores[i] = 1 / (1 + half_z * half_z);
		} else {
			scores[i] = deviation > 0 ? 0 : 1;
		}
	}
}

static const struct param mad_params[] = {
	THRESHOLD_PARAM("0.3 is a robust z of 3.06"),
	PARAM_END,
};

const struct scorer scorer_mad = {
	.plugin = {.name = "mad",
		.summary = "distance from the median in units of the median absolute deviation",
		.params = mad_params,
		.settings_size = sizeof(struct scorer_common)},
	.score = mad_score,
};

/* z = |p - mean| / sd, with the sample's sd (n-1), score 1/(1 + (z/2)^2); sd 0: 1. Of the finite
 * predictions. z is at most (n-1)/sqrt(n), so that one of 10 or fewer never reaches 3. */
static void z_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	(void)settings;
	const double *predictions = given->predictions;
	uint32_t n = given->n, n_finite = finite_copy(given, scratch);
	gsl_sort(scratch, 1, n_finite);
	/* By shares of the mean, in halves and in units of the largest deviation: nothing overflows. */
	double half_mean = 0, largest = 0, sum = 0;
	for (uint32_t i = 0; i < n_finite; i++) {
		half_mean += scratch[i] / 2 / n_finite;
	}
	for (uint32_t i = 0; i < n_finite; i++) {
		largest = fmax(largest, fabs(scratch[i] / 2 - half_mean));
	}
	for (uint32_t i = 0; i < n_finite && largest > 0; i++) {
		double deviation = (scratch[i] / 2 - half_mean) / largest;
		sum += deviation * deviation;
	}
	/* Equal predictions may differ from their mean by its rounding. */
	bool all_equal = n_finite == 0 || scratch[0] == scratch[n_finite - 1];
	for (uint32_t i = 0; i < n; i++) {
		double deviation = all_equal ? 0 : (predictions[i] / 2 - half_mean) / largest;
		double z = all_equal ? 0 : fabs(deviation) / sqrt(sum / (n_finite - 1));
		scores[i] = isfinite(predictions[i]) ? 1 / (1 + z * z / 4) : 0;
	}
}

static const struct param z_params[] = {
	THRESHOLD_PARAM("0.3 is a z of 3.06, which none of 11 or fewer can reach"),
	PARAM_END,
};

const struct scorer scorer_z = {
	.plugin = {.name = "z-score",
		.summary = "distance from the mean in units of the sample's standard deviation",
		.params = z_params,
		.settings_size = sizeof(struct scorer_common)},
	.score = z_score,
};

/* The quantile of sorted[0..n), linear between the order statistics (n-1)p + 1 (type 7 of Hyndman
 * and Fan, The American Statistician 50, 1996). */
static double sorted_quantile(const double *sorted, uint32_t n, double p)
{
	double place = (n - 1) * p;
	uint32_t below = (uint32_t)place;
	double part = place - below;
	return below + 1 < n ? sorted[below] * (1 - part) + sorted[below + 1] * part : sorted[below];
}

/* t = how many interquartile ranges a prediction lies outside the box from the first quartile to
 * the third, score 1/(1 + t^2). Tukey (Exploratory Data Analysis, 1977) cuts at t = 1.5. Range 0: 1
 * inside the box, else 0. */
static void iqr_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	(void)settings;
	const double *predictions = given->predictions;
	uint32_t n = given->n, n_finite = finite_copy(given, scratch);
	if (n_finite == 0) {
		score_0(scores, n);
		return;
	}
	gsl_sort(scratch, 1, n_finite);
	double low = sorted_quantile(scratch, n_finite, .25);
	double high = sorted_quantile(scratch, n_finite, .75);
	for (uint32_t i = 0; i < n; i++) {
		double outside = fmax(fmax(low - predictions[i], predictions[i] - high), 0);
		/* Quarters, since a range of the largest numbers may overflow. */
		double t = outside > 0 ? outside / 4 / (high / 4 - low / 4) : 0;
		scores[i] = isfinite(predictions[i]) ? 1 / (1 + t * t) : 0;
	}
}

static const struct param iqr_params[] = {
	THRESHOLD_PARAM("0.3 is 1.53 interquartile ranges outside the quartiles"),
	PARAM_END,
};

const struct scorer scorer_iqr = {
	.plugin = {.name = "iqr",
		.summary = "distance outside the quartiles in units of the interquartile range",
		.params = iqr_params,
		.settings_size = sizeof(struct scorer_common)},
	.score = iqr_score,
};

#define LATENCY_HALF_MS 300.0
#define LATENCY_SCORE_MIN 0.05
#define LATENCY_SCORE_MAX 0.99

/* What the uptime workload gives a node that answers after so many ms. */
static void latency_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	(void)settings;
	(void)scratch;
	const double *latencies_ms = given->predictions;
	for (uint32_t i = 0; i < given->n; i++) {
		double score = 1 / (1 + latencies_ms[i] / LATENCY_HALF_MS);
		scores[i] = fmin(fmax(score, LATENCY_SCORE_MIN), LATENCY_SCORE_MAX);
	}
}

const struct scorer scorer_latency = {
	.plugin = {.name = "latency",
		.summary = "1/(1 + latency/300 ms), kept between .05 and .99; latencies in ms",
		.settings_size = sizeof(struct scorer_common)},
	.score = latency_score,
};
