/* One validator's model: training, and the way from what is seen to a prediction, whatever the
 * predictor and the workload. */
#include "predictors.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A claim is never below this share of the held-out error, nor below this much. */
#define SPREAD_SHARE_MIN 0.1
#define SPREAD_MIN 1e-9

static struct model_error error_measure(
	const struct prediction_model *model, const struct dataset *sample, size_t stride)
{
	const struct workload_common *common = model->workload_settings;
	double n = (double)sample->n;
	double truth_sum = 0, error_sum = 0, absolute_sum = 0, square_sum = 0, spread = 0;
	double target_sum = 0, target_spread = 0, output_square_sum = 0;
	bool learns = model->predictor->tell == NULL;
	size_t n_within = 0;
	for (size_t i = 0; i < sample->n; i++) {
		truth_sum += sample->truth[i];
		target_sum += sample->target[i];
	}
	for (size_t i = 0; i < sample->n; i++) {
		double truth = sample->truth[i];
		double error = prediction_value(model, sample->x + i * stride) - truth;
		double from_mean = truth - truth_sum / n;
		error_sum += error;
		absolute_sum += fabs(error);
		square_sum += error * error;
		spread += from_mean * from_mean;
		double off = sample->target[i] - target_sum / n;
		double missed = learns ? model->predictor->output(model->model, sample->x + i * stride) -
			sample->target[i] : 0;
		target_spread += off * off;
		output_square_sum += missed * missed;
		n_within += fabs(error) <= common->tolerance * fabs(truth);
	}
	return (struct model_error){
		.mae = absolute_sum / n,
		.rmse = sqrt(square_sum / n),
		.r2 = spread > 0 ? 1 - square_sum / spread : real_nan(),
		.r2_learned = learns && target_spread > 0 ? 1 - output_square_sum / target_spread : real_nan(),
		.bias = error_sum / n,
		.within_tolerance = (double)n_within / n,
	};
}

/* The held-out rows with what an oracle would be told behind each: `stride` apart. */
static struct dataset told(const struct prediction_model *model, const struct dataset *sample,
	size_t stride, struct random_stream *stream, struct arena *arena)
{
	double *x = arena_array(arena, double, sample->n *stride);
	for (size_t i = 0; i < sample->n; i++) {
		double *row = x + i * stride;
		memcpy(row, sample->x + i * sample->n_features, sample->n_features * sizeof(*row));
		if (model->predictor->tell != NULL) {
			row[sample->n_features] =
				model->predictor->tell(model->predictor_settings, sample->truth[i], stream);
		}
	}
	struct dataset with = *sample;
	with.x = x;
	return with;
}

static void importance_measure(struct prediction_model *model, const struct dataset *sample,
	size_t stride, struct arena *arena)
{
	double *x = arena_array(arena, double, sample->n *stride);
	uint32_t *order = arena_array(arena, uint32_t, sample->n);
	struct dataset shuffled = *sample;
	shuffled.x = x;
	for (uint32_t j = 0; j < sample->n_features; j++) {
		struct random_stream stream = random_stream_make(sample->seed, RANDOM_SHARDS, j);
		random_permutation(&stream, order, (uint32_t)sample->n);
		memcpy(x, sample->x, sample->n * stride * sizeof(*x));
		for (size_t i = 0; i < sample->n; i++) {
			x[i * stride + j] = sample->x[order[i] * stride + j];
		}
		model->importance[j] =
			error_measure(model, &shuffled, stride).rmse - model->held_out.rmse;
	}
}

static void labels_range(struct prediction_model *model, const struct dataset *sample)
{
	model->label_min = model->label_max = sample->truth[0];
	for (size_t i = 1; i < sample->n; i++) {
		model->label_min = fmin(model->label_min, sample->truth[i]);
		model->label_max = fmax(model->label_max, sample->truth[i]);
	}
}

bool prediction_model_learn(struct prediction_model *out, const struct training *training,
	struct arena *arena, char error[256])
{
	const struct items_app *workload = training->workload;
	const struct predictor *method = (const void *)training->predictor->plugin; /* its first member */
	assert(workload->n_features <= FEATURES_MAX);
	*out = (struct prediction_model){
		.workload = workload,
		.workload_settings = training->workload_settings,
		.predictor = method,
		.predictor_settings = training->predictor->settings,
		.model = arena_alloc(arena, method->model_size > 0 ? method->model_size : 1),
		.version = training->version,
	};
	struct arena samples = {0}; /* 100 KB a validator that the run needn't keep */
	struct dataset sample, held_out;
	bool trained = samples_draw(training, &sample, &held_out, &out->poisoned, &samples, error);
	if (trained && method->tell != NULL && workload->n_features == FEATURES_MAX) {
		snprintf(error, 256, "%s: the workload leaves no room for it", method->plugin.name);
		trained = false;
	}
	if (trained) {
		if (training->watch != NULL) {
			training->watch(training->context, training, &sample);
		}
		labels_range(out, &sample);
		trained = method->train(training->predictor->settings, out->model, &sample, arena, error);
	}
	if (trained) {
		size_t stride = workload->n_features + (method->tell != NULL);
		struct random_stream stream =
			random_stream_make(held_out.seed, RANDOM_OBSERVATION, training->node);
		held_out = told(out, &held_out, stride, &stream, &samples);
		out->held_out = error_measure(out, &held_out, stride);
		if (training->importance) {
			importance_measure(out, &held_out, stride, &samples);
		}
	}
	arena_finish(&samples);
	return trained;
}

bool prediction_model_train(struct prediction_model *out, const struct items_app *workload,
	const void *workload_settings, const struct plugin_value *predictor, uint64_t seed,
	uint32_t node, struct arena *arena, char error[256])
{
	const struct training training = {
		.workload = workload,
		.workload_settings = workload_settings,
		.predictor = predictor,
		.seed = seed,
		.node = node,
		.n_validators = node + 1,
	};
	return prediction_model_learn(out, &training, arena, error);
}

void prediction_see(const struct prediction_model *model, const struct item *item, sim_time at_ns,
	struct random_stream *stream, double *seen)
{
	const struct predictor_common *common = model->predictor_settings;
	const struct items_app *workload = model->workload;
	double by[FEATURES_MAX];
	workload->observe(model->workload_settings, stream, item, seen);
	if (common->drift.plugin != NULL && drift_by(common, workload, at_ns, by)) {
		for (uint32_t i = 0; i < workload->n_features; i++) {
			seen[i] += by[i];
		}
	}
	if (model->predictor->tell != NULL) {
		seen[workload->n_features] =
			model->predictor->tell(model->predictor_settings, item->truth, stream);
	}
}

uint32_t prediction_seen_n(const struct prediction_model *model)
{
	return model->workload->n_features + (model->predictor->tell != NULL);
}

double prediction_value(const struct prediction_model *model, const double *seen)
{
	if (model->predictor->tell != NULL) {
		return seen[model->workload->n_features];
	}
	return model->workload->value(
		model->workload_settings, seen, model->predictor->output(model->model, seen));
}

bool prediction_has_gradient(const struct prediction_model *model)
{
	const struct predictor *predictor = model->predictor;
	return predictor->gradient != NULL &&
		   (predictor->has_gradient == NULL || predictor->has_gradient(model->model));
}

void prediction_gradient(const struct prediction_model *model, const double *seen, double *gradient)
{
	double output_gradient[FEATURES_MAX];
	assert(prediction_has_gradient(model));
	model->predictor->gradient(model->model, seen, output_gradient);
	model->workload->value_gradient(model->workload_settings, seen,
		model->predictor->output(model->model, seen), output_gradient, gradient);
}

double prediction_spread(const struct prediction_model *model, const double *seen)
{
	const struct items_app *workload = model->workload;
	double rmse = fmax(model->held_out.rmse, SPREAD_MIN);
	if (model->predictor->spread == NULL) {
		return rmse;
	}
	double output = model->predictor->output(model->model, seen);
	double spread = model->predictor->spread(model->model, seen);
	double above = workload->value(model->workload_settings, seen, output + spread);
	double below = workload->value(model->workload_settings, seen, output - spread);
	return fmax(fabs(above - below) / 2, SPREAD_SHARE_MIN * rmse);
}
