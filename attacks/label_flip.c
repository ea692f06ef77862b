/* `label-flip`: part of the labels that attackers bring to a training are turned round.
 *
 * Flipping is of classes; for numbers it comes in two forms. `mirror`: y becomes 2 m - y about the
 * mean m of the attacker's own labels, so that large things are taught to be small and the mean
 * stays. `extreme`: y becomes the attacker's own largest or smallest label, whichever is further
 * away, Müller, Kao, Böttinger, Data Poisoning Attacks on Regression Learning and Corresponding
 * Defenses, PRDC 2020 (their Flip attack, with rows drawn at random instead of the worst ones). In
 * classification: Biggio, Nelson, Laskov, Support Vector Machines Under Adversarial Label Noise,
 * ACML 2011.
 *
 * Labels are in the unit in which predictors learn (dimweight: the natural log of grams). */
#include "common.h"

#include "workloads/workload.h"

#include <math.h>

enum flip { FLIP_MIRROR, FLIP_EXTREME };

struct attack_label_flip {
	struct attack_common common;
	double share;
	int how;
};

static bool label_flip_poison(const void *settings, const struct poison_view *view)
{
	const struct attack_label_flip *attack = settings;
	const struct training_rows *rows = view->rows;
	double mean = 0, min = rows->target[0], max = rows->target[0];
	for (size_t i = 0; i < rows->n; i++) {
		mean += rows->target[i] / (double)rows->n;
		min = fmin(min, rows->target[i]);
		max = fmax(max, rows->target[i]);
	}
	bool changed = false;
	for (size_t i = 0; i < rows->n; i++) {
		if (random_unit(view->stream) >= attack->share) {
			continue;
		}
		double y = rows->target[i];
		double extreme = y - min > max - y ? min : max;
		rows->target[i] = attack->how == FLIP_MIRROR ? 2 * mean - y : extreme;
		changed = true;
	}
	return changed;
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_label_flip),
	{.name = "share",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_label_flip, share),
		.min = 0,
		.max = 1,
		.fallback = "1",
		.unit = "",
		.help = "of the attacker's rows, each by chance"},
	{.name = "how",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_label_flip, how),
		.choices = "mirror|extreme",
		.fallback = "mirror",
		.unit = "",
		.help = "about the mean of its labels, or to the further of the smallest and largest"},
	PARAM_END,
};

const struct attack attack_label_flip = {
	.plugin = {.name = "label-flip",
		.when = "predictor != oracle",
		.summary = "turns labels round in the rows that it brings to a training",
		.params = params,
		.settings_size = sizeof(struct attack_label_flip),
		.finish = attack_finish},
	.knows = "the rows that it brings itself: all of its own sample, or its 1/n of a pool. It acts "
			 "where models are trained while it is on: before the run with `from: 0 s`, else at "
			 "`retrain`",
	.poison = label_flip_poison,
};
