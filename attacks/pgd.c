/* `pgd`: projected gradient descent against the attacker's own predictor; here ascent.
 *
 * What it saw is moved in steps along the predicted value's gradient, upward, as by `gradient`, and
 * after each step brought back into the ball of radius epsilon about what it saw; the largest value
 * met is sent. It starts at what was seen, without the paper's random start, so that the result is
 * a function of the item. On a value that is linear where it looks it gives what `gradient` does.
 *
 * Source: Madry, Makelov, Schmidt, Tsipras, Vladu, Towards Deep Learning Models Resistant to
 * Adversarial Attacks, ICLR 2018, section 2; from the seen point: Kurakin, Goodfellow, Bengio,
 * Adversarial Examples in the Physical World, ICLR 2017 (workshop). */
#include "common.h"
#include "slope.h"

#include "workloads/items.h"

#include <math.h>
#include <string.h>

/* With as many steps, one may reach the ball's other side and come back. */
#define STEP_SHARE 2.5

struct attack_pgd {
	struct attack_common common;
	double epsilon, step;
	int64_t iterations;
	int norm;
};

/* The nearest point of the ball, in the norm's own sense. */
static void project(const double *centre, uint32_t n, enum norm norm, double epsilon, double *point)
{
	double square_sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		double off = point[i] - centre[i];
		square_sum += off * off;
		if (norm == NORM_LINF && fabs(off) > epsilon) {
			point[i] = centre[i] + (off > 0 ? epsilon : -epsilon);
		}
	}
	double length = sqrt(square_sum);
	if (norm == NORM_L2 && length > epsilon) {
		for (uint32_t i = 0; i < n; i++) {
			point[i] = centre[i] + (point[i] - centre[i]) * (epsilon / length);
		}
	}
}

static double pgd_rewrite(const void *settings, const struct attack_view *view)
{
	const struct attack_pgd *attack = settings;
	enum norm norm = (enum norm)attack->norm;
	double slope[FEATURES_MAX], point[FEATURES_MAX];
	uint32_t n_features = view->model->workload->n_features;
	double step =
		attack->step > 0 ? attack->step : STEP_SHARE * attack->epsilon / (double)attack->iterations;
	double most = prediction_value(view->model, view->seen);
	memcpy(point, view->seen, prediction_seen_n(view->model) * sizeof(*point));
	for (int64_t i = 0; i < attack->iterations; i++) {
		slope_at(view, point, step, slope);
		slope_move(point, slope, n_features, norm, step, point);
		project(view->seen, n_features, norm, attack->epsilon, point);
		most = fmax(most, prediction_value(view->model, point));
	}
	return most;
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_pgd),
	{.name = "epsilon",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_pgd, epsilon),
		.min = 0,
		.max = 10,
		.fallback = "0.1",
		.unit = "",
		.help = "how far the features may be moved, in their unit (dimweight: natural logs)"},
	{.name = "iterations",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_pgd, iterations),
		.min = 1,
		.max = 10000,
		.fallback = "10",
		.unit = "",
		.help = "steps"},
	{.name = "step",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_pgd, step),
		.min = 0,
		.max = 10,
		.fallback = "0",
		.unit = "",
		.help = "the length of each; 0: 2.5 epsilon / iterations"},
	NORM_PARAM(struct attack_pgd),
	PARAM_END,
};

const struct attack attack_pgd = {
	.plugin = {.name = "pgd",
		.when = "predictor != oracle",
		.summary = "moves what it saw in steps along its own predictor's gradient, within a ball",
		.params = params,
		.settings_size = sizeof(struct attack_pgd),
		.finish = attack_finish},
	.knows =
		"its own trained predictor with its gradient (where it has none, by differences), and what "
		"it "
		"has seen of the item; not the others' predictions. What attacks before it have made is "
		"replaced",
	.uses_model = true,
	.rewrite = pgd_rewrite,
};
