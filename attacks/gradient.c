/* `gradient`: the fast gradient sign method against the attacker's own predictor.
 *
 * Every feature that it saw is moved by epsilon along the sign of the predicted value's gradient,
 * upward, and the whole predictor sees the moved features, any part of it that is not learned
 * included. For a linear output the shift is epsilon * ||w||_1. A feature that the value doesn't
 * depend on stays. With `norm: l2` the features are moved along the gradient itself, by epsilon in
 * all: a shift of epsilon * ||w||_2.
 *
 * Source: Goodfellow, Shlens, Szegedy, Explaining and Harnessing Adversarial Examples, ICLR 2015,
 * section 4. */
#include "common.h"
#include "slope.h"

#include <string.h>

#include "workloads/items.h"

struct attack_gradient {
	struct attack_common common;
	double epsilon;
	int norm;
};

static double gradient_rewrite(const void *settings, const struct attack_view *view)
{
	const struct attack_gradient *attack = settings;
	double slope[FEATURES_MAX], moved[FEATURES_MAX];
	uint32_t n_features = view->model->workload->n_features;
	slope_at(view, view->seen, attack->epsilon, slope);
	memcpy(moved, view->seen, prediction_seen_n(view->model) * sizeof(*moved));
	slope_move(view->seen, slope, n_features, (enum norm)attack->norm, attack->epsilon, moved);
	return prediction_value(view->model, moved);
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_gradient),
	{.name = "epsilon",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_gradient, epsilon),
		.min = 0,
		.max = 10,
		.fallback = "0.1",
		.unit = "",
		.help =
			"how far each feature is moved, in its unit (dimweight: natural logs); what attacks "
			"before this one have made is replaced"},
	NORM_PARAM(struct attack_gradient),
	PARAM_END,
};

const struct attack attack_gradient = {
	.plugin = {.name = "gradient",
		.when = "predictor != oracle",
		.summary = "moves every feature it saw along its own predictor's gradient, upward",
		.params = params,
		.settings_size = sizeof(struct attack_gradient),
		.finish = attack_finish},
	.knows =
		"its own trained predictor with its gradient, and what it has seen of the item; not the "
		"others' predictions. What attacks before it have made is replaced",
	.uses_model = true,
	.rewrite = gradient_rewrite,
};
