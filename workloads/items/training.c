/* Trains what the validators predict with, and tells and records what it comes to. */
#include "agents.h"

#include <stdio.h>

static void tell(const struct outside *outside, const struct items_app *app, uint32_t node,
	const struct prediction_model *model)
{
	const struct model_error *held_out = &model->held_out;
	fprintf(stderr,
		"run %llu: validator %u: predictor %s: on held-out data mean absolute error %.4g %s, "
		"root mean squared %.4g, R2 %.5f, bias %+.3g, %.2f %% within the tolerance",
		(unsigned long long)outside_run(outside), node, outside_predictor(outside)->plugin->name, held_out->mae,
		app->app.value_unit, held_out->rmse, held_out->r2, held_out->bias,
		100 * held_out->within_tolerance);
	if (model->version > 0) {
		fprintf(stderr, "; version %u", model->version);
	}
	fprintf(stderr, "; root mean squared error with a feature shuffled");
	for (uint32_t j = 0; j < app->n_features; j++) {
		fprintf(stderr, "%s %s %+.3g", j == 0 ? ":" : ",", app->feature_names[j],
			model->importance[j]);
	}
	fprintf(stderr, "; gradient %s\n", prediction_has_gradient(model) ? "analytic" : "by differences");
}

static void record_model(struct outside *outside, const struct items_app *app, uint32_t node,
	const struct prediction_model *model, sim_time at_ns)
{
	const struct model_error *held_out = &model->held_out;
	union cell cells[] = {
	{.integer = node},
	{.integer = model->version},
		{.real = sim_time_to_s(at_ns)},
		{.string = outside_predictor(outside)->plugin->name},
		{.real = held_out->mae},
		{.real = held_out->rmse},
		{.real = held_out->r2},
		{.real = held_out->bias},
		{.real = held_out->within_tolerance},
	{.integer = model->poisoned},
		{.real = held_out->r2_learned},
	};
	outside_row(outside, ITEMS_MODELS, cells);
	for (uint32_t j = 0; j < app->n_features; j++) {
		union cell row[] = {
			{.integer = node},
		{.integer = model->version},
			{.string = app->feature_names[j]},
			{.real = model->importance[j]},
		};
		outside_row(outside, ITEMS_IMPORTANCE, row);
	}
}

/* Each row that a model learns from. */
static void record_sample(void *context, const struct training *training, const struct dataset *sample)
{
	struct outside *outside = context;
	for (size_t i = 0; i < sample->n; i++) {
		union cell cells[6 + FEATURES_MAX] = {
			{.integer = training->node},
		{.integer = training->version},
		{.integer = sample->contributor[i]},
		{.integer = sample->poisoned[i]},
			{.real = sample->truth[i]},
			{.real = sample->target[i]},
		};
		for (uint32_t j = 0; j < sample->n_features; j++) {
			cells[6 + j].real = sample->x[i * sample->n_features + j];
		}
		outside_row(outside, ITEMS_TRAINING, cells);
	}
}

static void learned(void *context, uint32_t node, const struct prediction_model *model, sim_time at_ns)
{
	struct outside *outside = context;
	const struct items_app *app = items_of(outside_app(outside));
	if (outside_verbose(outside)) {
		tell(outside, app, node, model);
	}
	if (outside_records(outside, ITEMS_MODELS)) {
		record_model(outside, app, node, model, at_ns);
	}
}

bool training_start(struct outside *outside, struct items_outside *items, char error[256])
{
	const struct models_settings settings = {
		.workload = items->app,
		.workload_settings = items->common,
		.predictor = outside_predictor(outside),
		.adversary = items->adversary,
		.cache = outside_models(outside),
		.seed = outside_seed(outside),
		.n_validators = items->n_validators,
		.importance = outside_verbose(outside) || outside_records(outside, ITEMS_MODELS),
		.learned = learned,
		.watch = outside_records(outside, ITEMS_TRAINING) ? record_sample : NULL,
		.context = outside,
		.arena = outside_arena(outside),
	};
	items->models = models_create(&settings, error);
	return items->models != NULL;
}
