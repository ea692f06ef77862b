/* `ridge`: least squares with a penalty on the weights; the intercept is free.
 *
 * Minimises sum (y - b - w.x)^2 + lambda |w|^2 over b and w. With features and target less their
 * means the intercept drops out, and w solves (X'X + lambda I) w = X'y, positive definite for any
 * lambda > 0: by GSL's Cholesky decomposition, in + - * / and sqrt. Features keep their units.
 * Source: Hoerl, Kennard, Ridge Regression: Biased Estimation for Nonorthogonal Problems,
 * Technometrics 12(1), 1970. */
#include "predictors.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>

struct ridge_settings {
	struct predictor_common common;
	double lambda;
};

struct ridge_model {
	uint32_t n_features;
	double intercept;
	double weights[FEATURES_MAX];
};

#define PENALTY_SHARE_MIN 1e-13

static bool ridge_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	const struct ridge_settings *own = settings;
	struct ridge_model *ridge = model;
	uint32_t p = sample->n_features;
	double n = (double)sample->n;
	double mean[FEATURES_MAX] = {0}, target_mean = 0;
	(void)arena;
	assert(p <= FEATURES_MAX);
	if (!sample_check(sample, p + 1, "ridge", error)) {
		return false;
	}
	for (size_t i = 0; i < sample->n; i++) {
		target_mean += sample->target[i] / n;
		for (uint32_t j = 0; j < p; j++) {
			mean[j] += sample->x[i * p + j] / n;
		}
	}
	double square[FEATURES_MAX * FEATURES_MAX] = {0}, right[FEATURES_MAX] = {0};
	for (size_t i = 0; i < sample->n; i++) {
		const double *x = sample->x + i * p;
		double y = sample->target[i] - target_mean;
		for (uint32_t j = 0; j < p; j++) {
			right[j] += (x[j] - mean[j]) * y;
			for (uint32_t k = 0; k <= j; k++) {
				square[j * p + k] += (x[j] - mean[j]) * (x[k] - mean[k]);
			}
		}
	}
	/* A penalty lost in rounding leaves a matrix that may not be positive definite, and GSL's error
	 * handler would end the program. */
	bool finite = true;
	for (uint32_t j = 0; j < p; j++) {
		finite = finite && own->lambda > PENALTY_SHARE_MIN * square[j * p + j];
		square[j * p + j] += own->lambda;
		for (uint32_t k = 0; k < j; k++) {
			square[k * p + j] = square[j * p + k];
		}
		finite = finite && isfinite(right[j]) && isfinite(square[j * p + j]);
	}
	if (finite) {
		gsl_matrix_view matrix = gsl_matrix_view_array(square, p, p);
		gsl_vector_view solution = gsl_vector_view_array(right, p);
		gsl_linalg_cholesky_decomp1(&matrix.matrix);
		gsl_linalg_cholesky_svx(&matrix.matrix, &solution.vector);
	}
	ridge->n_features = p;
	ridge->intercept = target_mean;
	for (uint32_t j = 0; j < p; j++) {
		ridge->weights[j] = right[j];
		ridge->intercept -= right[j] * mean[j];
	}
	if (!finite || !isfinite(ridge->intercept)) {
		snprintf(error, 256,
			"ridge: the penalty %g is too small, or the training sample's values too large, to fit",
			own->lambda);
		return false;
	}
	return true;
}

static double ridge_output(const void *model, const double *x)
{
	const struct ridge_model *ridge = model;
	double output = ridge->intercept;
	for (uint32_t i = 0; i < ridge->n_features; i++) {
		output += ridge->weights[i] * x[i];
	}
	return output;
}

static void ridge_gradient(const void *model, const double *x, double *gradient)
{
	const struct ridge_model *ridge = model;
	(void)x;
	for (uint32_t i = 0; i < ridge->n_features; i++) {
		gradient[i] = ridge->weights[i];
	}
}

#define OWN_PARAMS                                                                                 \
	{                                                                                              \
		.name = "lambda", .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,                          \
		.offset = offsetof(struct ridge_settings, lambda), .min = 0, .max = 1e12,                  \
		.fallback = "1", .unit = "",                                                               \
		.help = "penalty on the sum of the squared weights, the intercept left out"                \
	}

static const struct param params[] = {
	PREDICTOR_COMMON_PARAMS(struct ridge_settings),
	OWN_PARAMS,
	PARAM_END,
};
static const struct param own_params[] = {OWN_PARAMS, PARAM_END};

#define RIDGE(PARAMS, FINISH)                                                                      \
	{                                                                                              \
		.plugin = {.name = "ridge",                                                                \
			.summary = "least squares with a penalty on the weights",                              \
			.params = PARAMS,                                                                      \
			.settings_size = sizeof(struct ridge_settings),                                        \
			.finish = FINISH},                                                                     \
		.model_size = sizeof(struct ridge_model), .train = ridge_train, .output = ridge_output,    \
		.gradient = ridge_gradient,                                                                \
	}

const struct predictor predictor_ridge = RIDGE(params, predictor_finish);
const struct predictor member_ridge = RIDGE(own_params, NULL);
