/* `min-max` and `min-sum`: as far as possible from the mean, yet no outlier among the honest rows.
 *
 * All colluders send m = mean + gamma * p, with p one of
 *
 *     std    minus the honest rows' standard deviation, by coordinate
 *     unit   minus the mean's direction: -mean / ||mean||
 *     sign   minus the sign of the mean, by coordinate
 *
 * (or plus, by `direction: up`) and the largest gamma for which
 *
 *     min-max:  max_i ||m - x_i||  <=  max_ij ||x_i - x_j||
 *     min-sum:  sum_i ||m - x_i||^2  <=  max_i sum_j ||x_i - x_j||^2.
 *
 * The paper finds gamma by asking an oracle (does it hold?) and halving its step. So is it here:
 * from a gamma that can't hold, 60 halvings, which leaves an error of 2^-60 of that. Both
 * conditions hold on an interval that begins at 0 (they bound convex functions of gamma), so what
 * is found is the largest.
 *
 * Departs from the paper's code, which begins at 50 and stops at a step of 1e-5, in the data's
 * unit: here the result scales with the data.
 *
 * Source: Shejwalkar, Houmansadr, Manipulating the Byzantine: Optimizing Model Poisoning Attacks
 * and Defenses for Federated Learning, NDSS 2021, section IV and algorithm 1. */
#include "common.h"
#include "craft.h"

#include <math.h>

#define HALVINGS 60

enum perturbation { PERTURBATION_STD, PERTURBATION_UNIT, PERTURBATION_SIGN };
enum { DIRECTION_DOWN, DIRECTION_UP };

struct attack_gamma {
	struct attack_common common;
	int perturbation, direction;
};

/* The oracle's question for one gamma. */
typedef bool holds_fn(const struct craft_view *view, const double *row, double bound);

static void perturbation_make(
	const struct attack_gamma *attack, const struct craft_view *view, const double *mean, double *p)
{
	double way = attack->direction == DIRECTION_UP ? 1 : -1;
	double length = sqrt(craft_length2(mean, view->dims));
	craft_sd(view, mean, p);
	for (uint32_t k = 0; k < view->dims; k++) {
		double sign = (mean[k] > 0) - (mean[k] < 0);
		switch (attack->perturbation) {
		case PERTURBATION_UNIT:
			p[k] = length > 0 ? mean[k] / length : 0;
			break;
		case PERTURBATION_SIGN:
			p[k] = sign;
			break;
		}
		p[k] *= way;
	}
}

/* max_i ||x_i - row|| over the honest rows. */
static double farthest(const struct craft_view *view, const double *row)
{
	double most = 0;
	for (uint32_t i = 0; i < view->n_honest; i++) {
		most = fmax(most, craft_distance2(craft_row(view->honest, i, view->dims), row, view->dims));
	}
	return sqrt(most);
}

/* max_ij ||x_i - x_j||; on a line the range. */
static double diameter(const struct craft_view *view)
{
	double most = 0;
	if (view->dims == 1) {
		double min, max;
		craft_range(view, &min, &max);
		return max - min;
	}
	for (uint32_t i = 0; i < view->n_honest; i++) {
		most = fmax(most, farthest(view, craft_row(view->honest, i, view->dims)));
	}
	return most;
}

static bool max_holds(const struct craft_view *view, const double *row, double bound)
{
	return farthest(view, row) <= bound;
}

static double distance2_sum(const struct craft_view *view, const double *row)
{
	double sum = 0;
	for (uint32_t i = 0; i < view->n_honest; i++) {
		sum += craft_distance2(craft_row(view->honest, i, view->dims), row, view->dims);
	}
	return sum;
}

static bool sum_holds(const struct craft_view *view, const double *row, double bound)
{
	return distance2_sum(view, row) <= bound;
}

/* The row that is farthest from the mean has the largest sum: sum_j ||x_i - x_j||^2 is
 * n ||x_i - mean||^2 and what is the same for all i. */
static double distance2_sum_max(const struct craft_view *view, const double *mean)
{
	uint32_t at = 0;
	double most = -1;
	for (uint32_t i = 0; i < view->n_honest; i++) {
		double distance2 =
			craft_distance2(craft_row(view->honest, i, view->dims), mean, view->dims);
		if (distance2 > most) {
			most = distance2;
			at = i;
		}
	}
	return distance2_sum(view, craft_row(view->honest, at, view->dims));
}

static void step(const double *mean, const double *p, double gamma, uint32_t dims, double *row)
{
	for (uint32_t k = 0; k < dims; k++) {
		row[k] = mean[k] + gamma * p[k];
	}
}

/* Writes mean + gamma * p for the largest gamma that holds. */
static void gamma_craft(const struct attack_gamma *attack, const struct craft_view *view,
	holds_fn *holds, const double *mean, double bound, double reach, double *out)
{
	struct arena scratch = {0};
	uint32_t dims = view->dims;
	double *p = arena_array(&scratch, double, dims), *row = arena_array(&scratch, double, dims);
	perturbation_make(attack, view, mean, p);
	double length = sqrt(craft_length2(p, dims));
	double gamma = 0;
	if (length > 0 && isfinite(reach / length)) {
		double half = reach / length;
		for (int i = 0; i < HALVINGS; i++) {
			half /= 2;
			step(mean, p, gamma + half, dims, row);
			gamma = holds(view, row, bound) ? gamma + half : gamma;
		}
	}
	step(mean, p, gamma, dims, out);
	craft_same(view, out, out);
	arena_finish(&scratch);
}

static void min_max_craft(const void *settings, const struct craft_view *view, double *out)
{
	struct arena scratch = {0};
	double *mean = arena_array(&scratch, double, view->dims);
	craft_mean(view, mean);
	double bound = diameter(view);
	/* The farthest of them is no nearer than their mean, so no row this far from that holds. */
	gamma_craft(settings, view, max_holds, mean, bound, bound, out);
	arena_finish(&scratch);
}

static void min_sum_craft(const void *settings, const struct craft_view *view, double *out)
{
	struct arena scratch = {0};
	double *mean = arena_array(&scratch, double, view->dims);
	craft_mean(view, mean);
	double bound = distance2_sum_max(view, mean);
	/* The sum is at least n times the square of the distance from the mean. */
	double reach = 2 * sqrt(bound / view->n_honest);
	gamma_craft(settings, view, sum_holds, mean, bound, reach, out);
	arena_finish(&scratch);
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_gamma),
	{.name = "perturbation",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_gamma, perturbation),
		.choices = "std|unit|sign",
		.fallback = "std",
		.unit = "",
		.help =
			"along what: the honest standard deviation, the mean's direction, or the mean's sign"},
	{.name = "direction",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_gamma, direction),
		.choices = "down|up",
		.fallback = "down",
		.unit = "",
		.help = "against it (the paper's inverse), or along it"},
	PARAM_END,
};

#define KNOWS                                                                                      \
	"what the honest ones send, before it speaks (rushing); colluders agree; not the defence. "    \
	"What attacks before it have made is replaced"

const struct attack attack_min_max = {
	.plugin = {.name = "min-max",
		.summary = "as far off the mean as the honest ones are from each other at most",
		.params = params,
		.settings_size = sizeof(struct attack_gamma),
		.finish = attack_finish},
	.knows = KNOWS,
	.craft = min_max_craft,
};

const struct attack attack_min_sum = {
	.plugin = {.name = "min-sum",
		.summary = "as far off the mean as the sum of squared distances of some honest one allows",
		.params = params,
		.settings_size = sizeof(struct attack_gamma),
		.finish = attack_finish},
	.knows = KNOWS,
	.craft = min_sum_craft,
};
