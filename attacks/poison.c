/* `poisoning`: part of the rows that attackers bring to a training are replaced by rows made up to
 * do harm, all in one direction: availability poisoning.
 *
 * After the statistical attack StatP of Jagielski, Oprea, Biggio, Liu, Nita-Rotaru, Li,
 * Manipulating Machine Learning: Poisoning Attacks and Countermeasures for Regression Learning,
 * IEEE S&P 2018, section IV-C, which needs no more than a sample of the data: features are drawn
 * from a normal distribution fitted to it and rounded to the corners of what occurs, labels are put
 * at the boundary of what occurs. Simpler than there: features are drawn one by one (no covariance),
 * and the label's side is given by `direction` instead of asking a model which of the two harms it
 * more. Their optimisation-based attack is not here. */
#include "common.h"

#include "workloads/workload.h"

#include <math.h>

enum direction { DIRECTION_UP, DIRECTION_DOWN };

struct attack_poisoning {
	struct attack_common common;
	double share;
	int direction;
};

struct range {
	double mean, sd, min, max;
};

static struct range range_of(const double *values, size_t n, size_t stride)
{
	struct range range = {0, 0, values[0], values[0]};
	for (size_t i = 0; i < n; i++) {
		double value = values[i * stride];
		range.mean += value / (double)n;
		range.min = fmin(range.min, value);
		range.max = fmax(range.max, value);
	}
	for (size_t i = 0; i < n; i++) {
		double off = values[i * stride] - range.mean;
		range.sd += off * off / (double)n;
	}
	range.sd = sqrt(range.sd);
	return range;
}

static bool poisoning_poison(const void *settings, const struct poison_view *view)
{
	const struct attack_poisoning *attack = settings;
	const struct training_rows *rows = view->rows;
	uint32_t n_features = rows->n_features;
	struct range features[FEATURES_MAX];
	for (uint32_t j = 0; j < n_features; j++) {
		features[j] = range_of(rows->x + j, rows->n, n_features);
	}
	struct range labels = range_of(rows->target, rows->n, 1);
	bool changed = false;
	for (size_t i = 0; i < rows->n; i++) {
		if (random_unit(view->stream) >= attack->share) {
			continue;
		}
		for (uint32_t j = 0; j < n_features; j++) {
			const struct range *range = &features[j];
			double drawn = range->mean + range->sd * random_normal(view->stream);
			bool high = drawn > (range->min + range->max) / 2;
			rows->x[i * n_features + j] = high ? range->max : range->min;
		}
		rows->target[i] = attack->direction == DIRECTION_UP ? labels.max : labels.min;
		changed = true;
	}
	return changed;
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_poisoning),
	{.name = "share",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_poisoning, share),
		.min = 0,
		.max = 1,
		.fallback = "0.2",
		.unit = "",
		.help = "of the attacker's rows, each by chance"},
	{.name = "direction",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_poisoning, direction),
		.choices = "up|down",
		.fallback = "up",
		.unit = "",
		.help = "where predictions are to be drawn"},
	PARAM_END,
};

const struct attack attack_poisoning = {
	.plugin = {.name = "poisoning",
		.when = "predictor != oracle",
		.summary = "replaces rows that it brings to a training by extreme ones",
		.params = params,
		.settings_size = sizeof(struct attack_poisoning),
		.finish = attack_finish},
	.knows = "the rows that it brings itself, and by them the ranges of features and labels. It acts "
			 "where models are trained while it is on: before the run with `from: 0 s`, else at "
			 "`retrain`",
	.poison = poisoning_poison,
};
