/* `ensemble`: several predictors learn from one validator's sample, and their mean or median is
 * what it says; how far they are apart says how sure it is.
 *
 * Each may have a bootstrap sample of its own: as many rows drawn with replacement (Breiman,
 * Bagging Predictors, Machine Learning 24, 1996), which makes members of one kind differ. Where all
 * members have a gradient so has the ensemble: the mean of theirs, or that of the members in the
 * middle. */
#include "predictors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS_MAX 64

enum combine { COMBINE_MEAN, COMBINE_MEDIAN };

struct ensemble_settings {
	struct predictor_common common;
	struct plugin_list of;
	int combine;
	bool bootstrap;
};

struct ensemble_model {
	uint32_t n;
	enum combine combine;
	const struct predictor *const *predictors;
	void **models;
};

static struct dataset resample(
	const struct dataset *sample, uint64_t seed, struct arena *scratch)
{
	uint32_t d = sample->n_features;
	double *x = arena_array(scratch, double, sample->n *d);
	double *target = arena_array(scratch, double, sample->n);
	double *truth = arena_array(scratch, double, sample->n);
	struct random_stream stream = random_stream_make(seed, RANDOM_MODEL, 2);
	for (size_t i = 0; i < sample->n; i++) {
		size_t row = random_below(&stream, sample->n);
		memcpy(x + i * d, sample->x + row * d, d * sizeof(*x));
		target[i] = sample->target[row];
		truth[i] = sample->truth[row];
	}
	return (struct dataset){sample->n, d, x, target, truth, seed};
}

static bool ensemble_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	const struct ensemble_settings *own = settings;
	struct ensemble_model *ensemble = model;
	size_t n = own->of.n;
	const struct predictor **predictors = arena_array(arena, const struct predictor *, n);
	ensemble->n = (uint32_t)n;
	ensemble->combine = (enum combine)own->combine;
	ensemble->predictors = predictors;
	ensemble->models = arena_array(arena, void *, n);
	for (size_t i = 0; i < n; i++) {
		const struct plugin_value *member = &own->of.values[i];
		struct random_stream stream = random_stream_make(sample->seed, RANDOM_MODEL, 16 + i);
		struct arena scratch = {0};
		struct dataset part = *sample;
		part.seed = random_u64(&stream);
		if (own->bootstrap) {
			part = resample(sample, part.seed, &scratch);
		}
		predictors[i] = (const void *)member->plugin; /* its first member */
		ensemble->models[i] = arena_alloc(arena, predictors[i]->model_size);
		bool trained =
			predictors[i]->train(member->settings, ensemble->models[i], &part, arena, error);
		arena_finish(&scratch);
		if (!trained) {
			return false;
		}
	}
	return true;
}

/* The members' outputs, and their places in ascending order. */
static void ask(const struct ensemble_model *ensemble, const double *x, double *outputs,
	uint32_t *order)
{
	for (uint32_t i = 0; i < ensemble->n; i++) {
		outputs[i] = ensemble->predictors[i]->output(ensemble->models[i], x);
		uint32_t at = i;
		while (at > 0 && outputs[order[at - 1]] > outputs[i]) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = i;
	}
}

static double ensemble_output(const void *model, const double *x)
{
	const struct ensemble_model *ensemble = model;
	double outputs[MEMBERS_MAX], sum = 0;
	uint32_t order[MEMBERS_MAX], n = ensemble->n;
	ask(ensemble, x, outputs, order);
	if (ensemble->combine == COMBINE_MEDIAN) {
		return (outputs[order[(n - 1) / 2]] + outputs[order[n / 2]]) / 2;
	}
	for (uint32_t i = 0; i < n; i++) {
		sum += outputs[i];
	}
	return sum / n;
}

static bool ensemble_has_gradient(const void *model)
{
	const struct ensemble_model *ensemble = model;
	for (uint32_t i = 0; i < ensemble->n; i++) {
		if (ensemble->predictors[i]->gradient == NULL) {
			return false;
		}
	}
	return true;
}

static void ensemble_gradient(const void *model, const double *x, double *gradient)
{
	const struct ensemble_model *ensemble = model;
	double outputs[MEMBERS_MAX], one[FEATURES_MAX] = {0}, sum[FEATURES_MAX] = {0};
	uint32_t order[MEMBERS_MAX], n = ensemble->n, first = 0, last = n - 1;
	ask(ensemble, x, outputs, order);
	if (ensemble->combine == COMBINE_MEDIAN) {
		first = (n - 1) / 2;
		last = n / 2;
	}
	for (uint32_t i = first; i <= last; i++) {
		/* Those that the members don't write stay 0: the features end before FEATURES_MAX. */
		ensemble->predictors[order[i]]->gradient(ensemble->models[order[i]], x, one);
		for (int j = 0; j < FEATURES_MAX; j++) {
			sum[j] += one[j];
		}
	}
	for (int j = 0; j < FEATURES_MAX; j++) {
		gradient[j] = sum[j] / (last - first + 1);
	}
}

static double ensemble_spread(const void *model, const double *x)
{
	const struct ensemble_model *ensemble = model;
	double outputs[MEMBERS_MAX], mean = 0, square_sum = 0;
	uint32_t order[MEMBERS_MAX], n = ensemble->n;
	ask(ensemble, x, outputs, order);
	for (uint32_t i = 0; i < n; i++) {
		mean += outputs[i] / n;
	}
	for (uint32_t i = 0; i < n; i++) {
		square_sum += (outputs[i] - mean) * (outputs[i] - mean);
	}
	return n > 1 ? sqrt(square_sum / (n - 1)) : 0;
}

static bool ensemble_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct ensemble_settings *own = settings;
	if (own->of.n == 0 || own->of.n > MEMBERS_MAX) {
		*param = "of";
		snprintf(error, 256, "must name 1 to %d predictors, such as [linear, mlp, gp]", MEMBERS_MAX);
		return false;
	}
	return predictor_finish(settings, shape, param, error);
}

static const struct param params[] = {
	PREDICTOR_COMMON_PARAMS(struct ensemble_settings),
	{.name = "of",
		.kind = PARAM_PLUGINS,
		.offset = offsetof(struct ensemble_settings, of),
		.registry = &predictor_member_registry,
		.fallback = "[linear, mlp, gp]",
		.unit = "",
		.help = "the members: any predictor but oracle and ensemble itself; a kind may come twice"},
	{.name = "combine",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct ensemble_settings, combine),
		.choices = "mean|median",
		.fallback = "mean",
		.unit = "",
		.help = "what is made of their outputs"},
	{.name = "bootstrap",
		.kind = PARAM_BOOL,
		.offset = offsetof(struct ensemble_settings, bootstrap),
		.fallback = "off",
		.unit = "",
		.help = "each learns from as many rows drawn from the sample with replacement"},
	PARAM_END,
};

const struct predictor predictor_ensemble = {
	.plugin = {.name = "ensemble",
		.summary = "the mean or median of several predictors, which knows how far they are apart",
		.params = params,
		.settings_size = sizeof(struct ensemble_settings),
		.finish = ensemble_finish},
	.model_size = sizeof(struct ensemble_model),
	.train = ensemble_train,
	.output = ensemble_output,
	.gradient = ensemble_gradient,
	.has_gradient = ensemble_has_gradient,
	.spread = ensemble_spread,
};
