/* Trains what the validators predict with, and tells and records what it comes to. */
#include "training.h"
#include "lab.h"
#include "measure/measure.h"
#include "predictions.h"

#include <stdio.h>

static void tell(const struct lab *lab, uint32_t node, const struct prediction_model *model)
{
	const struct model_error *held_out = &model->held_out;
	fprintf(stderr,
		"run %llu: validator %u: predictor %s: on held-out data mean absolute error %.4g %s, "
		"root mean squared %.4g, R2 %.5f, bias %+.3g, %.2f %% within the tolerance",
		(unsigned long long)lab->run, node, lab->scenario->predictor.plugin->name, held_out->mae,
		lab->app->value_unit, held_out->rmse, held_out->r2, held_out->bias,
		100 * held_out->within_tolerance);
	if (model->version > 0) {
		fprintf(stderr, "; version %u", model->version);
	}
	fprintf(stderr, "; root mean squared error with a feature shuffled");
	for (uint32_t j = 0; j < items_of(lab->app)->n_features; j++) {
		fprintf(stderr, "%s %s %+.3g", j == 0 ? ":" : ",", items_of(lab->app)->feature_names[j],
			model->importance[j]);
	}
	fprintf(stderr, "; gradient %s\n", prediction_has_gradient(model) ? "analytic" : "by differences");
}

static void record_model(
	struct lab *lab, uint32_t node, const struct prediction_model *model, sim_time at_ns)
{
	const struct model_error *held_out = &model->held_out;
	union cell cells[] = {
		{.integer = (int64_t)lab->run},
		{.integer = node},
		{.integer = model->version},
		{.real = sim_time_to_s(at_ns)},
		{.string = lab->scenario->predictor.plugin->name},
		{.real = held_out->mae},
		{.real = held_out->rmse},
		{.real = held_out->r2},
		{.real = held_out->bias},
		{.real = held_out->within_tolerance},
		{.integer = model->poisoned},
		{.real = held_out->r2_learned},
	};
	measure_row(lab, TABLE_MODELS, cells);
	for (uint32_t j = 0; j < items_of(lab->app)->n_features; j++) {
		union cell row[] = {
			{.integer = (int64_t)lab->run},
			{.integer = node},
			{.integer = model->version},
			{.string = items_of(lab->app)->feature_names[j]},
			{.real = model->importance[j]},
		};
		measure_row(lab, TABLE_IMPORTANCE, row);
	}
}

/* Each row that a model learns from. */
static void record_sample(void *context, const struct training *training, const struct dataset *sample)
{
	const struct lab *lab = context;
	for (size_t i = 0; i < sample->n; i++) {
		union cell cells[7 + FEATURES_MAX] = {
			{.integer = (int64_t)lab->run},
			{.integer = training->node},
			{.integer = training->version},
			{.integer = sample->contributor[i]},
			{.integer = sample->poisoned[i]},
			{.real = sample->truth[i]},
			{.real = sample->target[i]},
		};
		for (uint32_t j = 0; j < sample->n_features; j++) {
			cells[7 + j].real = sample->x[i * sample->n_features + j];
		}
		measure_row(lab, TABLE_TRAINING, cells);
	}
}

static void learned(void *context, uint32_t node, const struct prediction_model *model, sim_time at_ns)
{
	struct lab *lab = context;
	if (lab->verbose) {
		tell(lab, node, model);
	}
	if (measure_records(lab, TABLE_MODELS)) {
		record_model(lab, node, model, at_ns);
	}
}

bool training_start(struct lab *lab, struct model_cache *cache, char error[256])
{
	const struct models_settings settings = {
		.workload = items_of(lab->app),
		.workload_settings = lab->scenario->workload.settings,
		.predictor = &lab->scenario->predictor,
		.adversary = lab->adversary,
		.cache = cache,
		.seed = lab->seed,
		.n_validators = lab->world.n_validators,
		.importance = lab->verbose || measure_records(lab, TABLE_MODELS),
		.learned = learned,
		.watch = measure_records(lab, TABLE_TRAINING) ? record_sample : NULL,
		.context = lab,
		.arena = &lab->world.arena,
	};
	lab->models = models_create(&settings, error);
	return lab->models != NULL;
}

sim_time training_cost_ns(const struct scenario *scenario)
{
	const struct predictor_common *common = scenario->predictor.settings;
	return common == NULL ? 0 : common->cost_ns;
}
