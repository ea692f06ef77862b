/* `classifier`: a logistic regression that has seen liars before.
 *
 * It is trained at the run's start on simulated rounds whose liars are known (stream RANDOM_SCORER,
 * entity UINT64_MAX, of the run's seed), and its score is the probability that a prediction is no
 * lie. What it sees of a prediction, each x as ln(1 + x) but for the last two:
 *
 *   |z| with the sample's standard deviation, and with the median absolute deviation
 *   the distance to the nearest other prediction / the median of these distances
 *   the distance of its rank from the middle one, 0 .. 1
 *   how bad its sender's predictions were so far: 1 - the mean `mad` score, exponentially weighted
 *
 * None of these changes with the unit or the origin of the predictions, so that rounds of standard
 * normal honest predictions will do. The liars of a round (1 up to floor((n-1)/3) of them) do one
 * of three things: a common shift of 2 to 100 standard deviations, numbers drawn over ten standard
 * deviations to either side, or the honest value negated. It knows these three. Liars who stay
 * within the honest spread (alie, mimic, a small shift) are unlike anything it was trained on. */
#include "scorers.h"

#include "sim/random.h"
#include "sim/real.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <string.h>

#define WEIGHTS 6 /* the features and the constant */
#define FEATURE_MAX 1e6

/* The simulated rounds. */
#define SIMULATED_MIN 4
#define SIMULATED_MAX 64
#define ITEMS 10 /* a round: enough for a past */

#define NEWTON_STEPS 30
#define RIDGE 1e-3 /* a row: what is told apart perfectly has no finite optimum */

struct classifier_settings {
	struct scorer_common common;
	int64_t train;
	double half_life;
};

struct classifier {
	double weights[WEIGHTS];
};

static double compress(double x)
{
	return real_log(1 + (x < FEATURE_MAX ? x : FEATURE_MAX)); /* the largest for NaN */
}

/* x / unit, where both may be 0. */
static double in_units(double x, double unit)
{
	return x > 0 ? (unit > 0 ? x / unit : FEATURE_MAX) : 0;
}

struct spread {
	uint32_t n;
	double half_mean, half_sd, median, sd_by_mad, nearest;
	const double *sorted; /* finite ones, ascending */
};

static double nearest_other(const double *sorted, uint32_t n, uint32_t i)
{
	double left = i > 0 ? sorted[i] - sorted[i - 1] : INFINITY;
	double right = i + 1 < n ? sorted[i + 1] - sorted[i] : INFINITY;
	return left < right ? left : right;
}

/* `scratch` has room for 2n. */
static struct spread spread_of(const struct scoring *given, double *scratch)
{
	double *sorted = scratch, *work = scratch + given->n;
	struct spread spread = {.n = finite_copy(given, sorted), .sorted = sorted};
	if (spread.n == 0) {
		return spread;
	}
	gsl_sort(sorted, 1, spread.n);
	double sum = 0;
	for (uint32_t i = 0; i < spread.n; i++) {
		spread.half_mean += sorted[i] / 2 / spread.n;
	}
	for (uint32_t i = 0; i < spread.n; i++) {
		double deviation = sorted[i] / 2 - spread.half_mean;
		sum += deviation * deviation;
	}
	spread.half_sd = spread.n > 1 ? sqrt(sum / (spread.n - 1)) : 0;
	memcpy(work, sorted, spread.n * sizeof(*work));
	spread.median = median_in_place(work, spread.n);
	for (uint32_t i = 0; i < spread.n; i++) {
		work[i] = fabs(sorted[i] - spread.median);
	}
	spread.sd_by_mad = MAD_TO_SD * median_in_place(work, spread.n);
	for (uint32_t i = 0; i < spread.n; i++) {
		work[i] = nearest_other(sorted, spread.n, i);
	}
	spread.nearest = median_in_place(work, spread.n);
	return spread;
}

/* The first and one past the last of this value. */
static void places_of(const struct spread *spread, double value, uint32_t *first, uint32_t *end)
{
	uint32_t low = 0, high = spread->n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (spread->sorted[middle] < value) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*first = *end = low;
	while (*end < spread->n && spread->sorted[*end] == value) {
		(*end)++;
	}
}

/* memory: what the state holds of the sender, the mean score of its past. */
static void features_of(const struct spread *spread, double value, double memory, double *out)
{
	uint32_t first, end;
	places_of(spread, value, &first, &end);
	double rank = (first + end - 1) / 2.0, middle = (spread->n - 1) / 2.0;
	double nearest = end - first > 1 ? 0 : nearest_other(spread->sorted, spread->n, first);
	out[0] = compress(in_units(fabs(value / 2 - spread->half_mean), spread->half_sd));
	out[1] = compress(in_units(fabs(value - spread->median), spread->sd_by_mad));
	out[2] = compress(in_units(spread->n > 1 ? nearest : 0, spread->nearest));
	out[3] = spread->n > 1 ? fabs(rank - middle) / middle : 0;
	out[4] = 1 - memory;
	out[5] = 1;
}

static double lie_probability(const double *weights, const double *features)
{
	double sum = 0;
	for (int k = 0; k < WEIGHTS; k++) {
		sum += weights[k] * features[k];
	}
	return 1 / (1 + real_exp(-fmin(fmax(sum, -700), 700)));
}

/* memory <- (1 - a) memory + a score, a = 1 - 2^(-1/half_life). */
static void remember(const struct classifier_settings *own, const struct scoring *given,
	double *memory, double *scratch)
{
	double rate = 1 - real_pow(2, -1 / own->half_life);
	double *scores = scratch;
	scorer_mad.score(NULL, given, scores, scratch + given->n);
	for (uint32_t i = 0; i < given->n; i++) {
		double *of = &memory[scoring_node(given, i)];
		*of += rate * (scores[i] - *of);
	}
}

/* One item of a simulated round: participants 0 .. n_liars-1 lie. */
static void simulate(struct random_stream *stream, uint32_t n, uint32_t n_liars, uint64_t kind,
	double shift, double origin, double *values)
{
	for (uint32_t i = 0; i < n; i++) {
		double honest = origin + random_normal(stream);
		double drawn = random_uniform(stream, -10, 10);
		values[i] = i >= n_liars ? honest
					: kind == 0  ? honest + shift
					: kind == 1  ? origin + drawn
								 : -honest;
	}
}

/* Solves a x = b, a symmetric and positive definite, by Cholesky's factors; x replaces b. */
static void solve(double a[WEIGHTS][WEIGHTS], double b[WEIGHTS])
{
	for (int i = 0; i < WEIGHTS; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];
			for (int k = 0; k < j; k++) {
				sum -= a[i][k] * a[j][k];
			}
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
	}
	for (int i = 0; i < WEIGHTS; i++) {
		for (int k = 0; k < i; k++) {
			b[i] -= a[i][k] * b[k];
		}
		b[i] /= a[i][i];
	}
	for (int i = WEIGHTS - 1; i >= 0; i--) {
		for (int k = i + 1; k < WEIGHTS; k++) {
			b[i] -= a[k][i] * b[k];
		}
		b[i] /= a[i][i];
	}
}

/* The largest likelihood less the ridge, by Newton's method. rows of WEIGHTS features. */
static void fit(const double *rows, const bool *lies, size_t n, double *weights)
{
	memset(weights, 0, WEIGHTS * sizeof(*weights));
	for (int step = 0; step < NEWTON_STEPS; step++) {
		double hessian[WEIGHTS][WEIGHTS] = {{0}}, slope[WEIGHTS], largest = 0;
		for (int k = 0; k < WEIGHTS; k++) {
			hessian[k][k] = RIDGE * (double)n;
			slope[k] = -RIDGE * (double)n * weights[k];
		}
		for (size_t i = 0; i < n; i++) {
			const double *row = rows + i * WEIGHTS;
			double p = lie_probability(weights, row), off = (lies[i] ? 1 : 0) - p;
			for (int j = 0; j < WEIGHTS; j++) {
				slope[j] += off * row[j];
				for (int k = 0; k <= j; k++) {
					hessian[j][k] += p * (1 - p) * row[j] * row[k];
				}
			}
		}
		solve(hessian, slope);
		for (int k = 0; k < WEIGHTS; k++) {
			weights[k] += slope[k];
			largest = fmax(largest, fabs(slope[k]));
		}
		if (largest < 1e-9) {
			return;
		}
	}
}

static const void *classifier_prepare(
	const void *settings, uint32_t n_participants, uint64_t seed, struct arena *arena)
{
	const struct classifier_settings *own = settings;
	uint32_t n = n_participants < SIMULATED_MIN   ? SIMULATED_MIN
				 : n_participants > SIMULATED_MAX ? SIMULATED_MAX
												  : n_participants;
	struct classifier *model = arena_new(arena, struct classifier);
	struct arena room = {0};
	size_t rows_a_round = (size_t)n * ITEMS;
	size_t n_rounds = ((size_t)own->train + rows_a_round - 1) / rows_a_round;
	double *rows = arena_array(&room, double, n_rounds *rows_a_round *WEIGHTS);
	bool *lies = arena_array(&room, bool, n_rounds *rows_a_round);
	double *values = arena_array(&room, double, n), *memory = arena_array(&room, double, n);
	double *scratch = arena_array(&room, double, SCORER_SCRATCH(n));
	struct random_stream stream = random_stream_make(seed, RANDOM_SCORER, UINT64_MAX);
	size_t at = 0;
	for (size_t round = 0; round < n_rounds; round++) {
		uint32_t n_liars = 1 + (uint32_t)random_below(&stream, (n - 1) / 3);
		uint64_t kind = random_below(&stream, 3);
		double size = real_exp(random_uniform(&stream, real_log(2), real_log(100)));
		double shift = random_below(&stream, 2) ? size : -size;
		double origin = random_uniform(&stream, 5, 50);
		for (uint32_t i = 0; i < n; i++) {
			memory[i] = 1;
		}
		for (int item = 0; item < ITEMS; item++) {
			const struct scoring given = {.n = n, .predictions = values, .n_participants = n};
			simulate(&stream, n, n_liars, kind, shift, origin, values);
			struct spread spread = spread_of(&given, scratch);
			for (uint32_t i = 0; i < n; i++, at++) {
				features_of(&spread, values[i], memory[i], rows + at * WEIGHTS);
				lies[at] = i < n_liars;
			}
			remember(own, &given, memory, scratch);
		}
	}
	fit(rows, lies, at, model->weights);
	arena_finish(&room);
	return model;
}

static size_t classifier_state_size(const void *settings, uint32_t n_participants)
{
	(void)settings;
	return n_participants;
}

static void classifier_begin(const void *settings, uint32_t n_participants, double *state)
{
	(void)settings;
	for (uint32_t i = 0; i < n_participants; i++) {
		state[i] = 1;
	}
}

static void classifier_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	const struct classifier *model = given->model;
	double features[WEIGHTS];
	(void)settings;
	assert(model != NULL);
	struct spread spread = spread_of(given, scratch);
	for (uint32_t i = 0; i < given->n; i++) {
		double memory = given->state ? given->state[scoring_node(given, i)] : 1;
		scores[i] = 0;
		if (isfinite(given->predictions[i])) {
			features_of(&spread, given->predictions[i], memory, features);
			scores[i] = 1 - lie_probability(model->weights, features);
		}
	}
}

static void classifier_learn(const void *settings, const struct scoring *given,
	const struct scoring_outcome *outcome, double *state, double *scratch)
{
	(void)outcome;
	remember(settings, given, state, scratch);
}

static const struct param params[] = {
	THRESHOLD_PARAM("0.3 is a probability of .7 that it is a lie"),
	{.name = "train",
		.kind = PARAM_INT,
		.offset = offsetof(struct classifier_settings, train),
		.min = 100,
		.max = 1e7,
		.fallback = "4000",
		.unit = "",
		.help = "simulated predictions that it is trained on"},
	{.name = "half_life",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct classifier_settings, half_life),
		.min = 0,
		.max = 1e9,
		.fallback = "10",
		.unit = "items",
		.help = "after so many own predictions a sender's past counts half"},
	PARAM_END,
};

const struct scorer scorer_classifier = {
	.plugin = {.name = "classifier",
		.summary =
			"probability of being no lie, by a logistic regression trained on simulated liars",
		.params = params,
		.settings_size = sizeof(struct classifier_settings)},
	.score = classifier_score,
	.prepare = classifier_prepare,
	.state_size = classifier_state_size,
	.begin = classifier_begin,
	.learn = classifier_learn,
};
