/* `gp`: Gaussian process regression with a squared-exponential kernel, which says how sure it is.
 *
 * On features and target of mean 0 and sd 1, with R_ij = exp(-|x_i - x_j|^2 / (2 length^2)) and
 * K = s^2 (R + noise I). The mean at x is r(x)'(R + noise I)^-1 y; the variance of an observation
 * there s^2 (1 + noise - r'(R + noise I)^-1 r). Given length and noise the marginal likelihood is
 * largest at s^2 = y'(R + noise I)^-1 y / m, so a grid of the two is looked through for the largest
 * of -m/2 ln s^2 - 1/2 ln det(R + noise I).
 *
 * Cholesky decompositions are cubic in the points, so only the first `points` rows of the sample
 * are kept. By GSL with its own gslcblas, and exp and log from sim/real.h: the same bits everywhere.
 *
 * Source: Rasmussen, Williams, Gaussian Processes for Machine Learning, MIT Press 2006, Algorithm
 * 2.1 and section 5.4.1; a subset of the data: section 8.3.3. */
#include "predictors.h"

#include "sim/real.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS_MAX 2000
#define NOISE_MIN 1e-8

struct gp_settings {
	struct predictor_common common;
	int64_t points;
	double length, noise; /* 0: by marginal likelihood */
};

struct gp_model {
	struct standard standard;
	uint32_t n;
	double length, noise, variance;
	double *x;      /* standardised rows */
	double *factor; /* L of R + noise I = L L', in the lower triangle */
	double *alpha;  /* (R + noise I)^-1 y */
};

static const double lengths[] = {.5, 1, 2, 4, 8, 16};
static const double noises[] = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double distance_square(const double *a, const double *b, uint32_t n)
{
	double sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	}
	return sum;
}

/* R for a length; no noise. */
static void correlations(const struct gp_model *gp, double length, double *out)
{
	uint32_t d = gp->standard.n_features;
	for (size_t i = 0; i < gp->n; i++) {
		double *row = out + i * gp->n;
		for (size_t j = 0; j < i; j++) {
			row[j] = -distance_square(gp->x + i * d, gp->x + j * d, d) / (2 * length * length);
		}
		real_exp_all(row, i);
		row[i] = 1;
		for (size_t j = 0; j < i; j++) {
			out[j * gp->n + i] = row[j];
		}
	}
}

/* Decomposes R + noise I into `factor`, solves for alpha. Returns the log marginal likelihood but
 * for a constant, s^2 put in; -inf where rounding leaves no variance. Noise of NOISE_MIN and more
 * keeps the matrix positive definite (rounding: POINTS_MAX * 2e-16), as GSL's error handler, which
 * would end the program, demands. */
static double fit(const double *r, const double *y, uint32_t n, double noise, double *factor,
	double *alpha, double *variance)
{
	memcpy(factor, r, (size_t)n * n * sizeof(*factor));
	memcpy(alpha, y, n * sizeof(*alpha));
	for (size_t i = 0; i < n; i++) {
		factor[i * n + i] += noise;
	}
	gsl_matrix_view matrix = gsl_matrix_view_array(factor, n, n);
	gsl_vector_view solution = gsl_vector_view_array(alpha, n);
	gsl_linalg_cholesky_decomp1(&matrix.matrix);
	gsl_linalg_cholesky_svx(&matrix.matrix, &solution.vector);
	double product = 0, half_log_det = 0;
	for (size_t i = 0; i < n; i++) {
		product += y[i] * alpha[i];
		half_log_det += real_log(factor[i * n + i]);
	}
	*variance = product / n;
	if (!(*variance > 0)) {
		return -INFINITY;
	}
	return -(double)n / 2 * real_log(*variance) - half_log_det;
}

static void choose(struct gp_model *gp, const struct gp_settings *own, const double *y,
	struct arena *scratch)
{
	double *r = arena_array(scratch, double, (size_t)gp->n * gp->n);
	double best = -INFINITY;
	gp->length = own->length > 0 ? own->length : lengths[0];
	gp->noise = own->noise > 0 ? own->noise : noises[COUNT(noises) - 1];
	for (size_t i = 0; i < (own->length > 0 ? 1 : COUNT(lengths)); i++) {
		double length = own->length > 0 ? own->length : lengths[i];
		correlations(gp, length, r);
		for (size_t j = 0; j < (own->noise > 0 ? 1 : COUNT(noises)); j++) {
			double noise = own->noise > 0 ? own->noise : noises[j];
			double variance;
			double likelihood = fit(r, y, gp->n, noise, gp->factor, gp->alpha, &variance);
			if (likelihood > best) {
				best = likelihood;
				gp->length = length;
				gp->noise = noise;
			}
		}
	}
	correlations(gp, gp->length, r);
	fit(r, y, gp->n, gp->noise, gp->factor, gp->alpha, &gp->variance);
}

static bool gp_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	const struct gp_settings *own = settings;
	struct gp_model *gp = model;
	struct dataset subset = *sample;
	if (!sample_check(sample, sample->n_features + 1, "gp", error)) {
		return false;
	}
	if (subset.n > (size_t)own->points) {
		subset.n = (size_t)own->points;
	}
	standard_fit(&gp->standard, &subset);
	gp->n = (uint32_t)subset.n;
	gp->x = arena_array(arena, double, subset.n *subset.n_features);
	gp->factor = arena_array(arena, double, subset.n *subset.n);
	gp->alpha = arena_array(arena, double, subset.n);
	struct arena scratch = {0};
	double *y = arena_array(&scratch, double, subset.n);
	for (size_t i = 0; i < subset.n; i++) {
		standard_apply(&gp->standard, subset.x + i * subset.n_features,
			gp->x + i * subset.n_features);
		y[i] = (subset.target[i] - gp->standard.target_mean) / gp->standard.target_sd;
	}
	choose(gp, own, y, &scratch);
	arena_finish(&scratch);
	if (!(gp->variance > 0)) {
		snprintf(error, 256, "gp: the labels of the %zu rows that it keeps don't vary", subset.n);
		return false;
	}
	return true;
}

/* r(x): the correlation of a standardised row with each point. */
static void correlate(const struct gp_model *gp, const double *in, double *r)
{
	uint32_t d = gp->standard.n_features;
	for (size_t i = 0; i < gp->n; i++) {
		r[i] = -distance_square(in, gp->x + i * d, d) / (2 * gp->length * gp->length);
	}
	real_exp_all(r, gp->n);
}

static double gp_output(const void *model, const double *x)
{
	const struct gp_model *gp = model;
	double in[FEATURES_MAX], r[POINTS_MAX], sum = 0;
	standard_apply(&gp->standard, x, in);
	correlate(gp, in, r);
	for (size_t i = 0; i < gp->n; i++) {
		sum += r[i] * gp->alpha[i];
	}
	return gp->standard.target_mean + gp->standard.target_sd * sum;
}

static void gp_gradient(const void *model, const double *x, double *gradient)
{
	const struct gp_model *gp = model;
	uint32_t d = gp->standard.n_features;
	double in[FEATURES_MAX], r[POINTS_MAX];
	standard_apply(&gp->standard, x, in);
	correlate(gp, in, r);
	for (uint32_t j = 0; j < d; j++) {
		double sum = 0;
		for (size_t i = 0; i < gp->n; i++) {
			sum += gp->alpha[i] * r[i] * (gp->x[i * d + j] - in[j]);
		}
		gradient[j] =
			gp->standard.target_sd * sum / (gp->length * gp->length * gp->standard.sd[j]);
	}
}

static double gp_spread(const void *model, const double *x)
{
	const struct gp_model *gp = model;
	double in[FEATURES_MAX], r[POINTS_MAX], explained = 0;
	standard_apply(&gp->standard, x, in);
	correlate(gp, in, r);
	gsl_matrix_const_view factor = gsl_matrix_const_view_array(gp->factor, gp->n, gp->n);
	gsl_vector_view v = gsl_vector_view_array(r, gp->n);
	gsl_blas_dtrsv(CblasLower, CblasNoTrans, CblasNonUnit, &factor.matrix, &v.vector);
	for (size_t i = 0; i < gp->n; i++) {
		explained += r[i] * r[i];
	}
	double share = fmax(1 + gp->noise - explained, gp->noise);
	return gp->standard.target_sd * sqrt(gp->variance * share);
}

static bool noise_check(const struct gp_settings *own, const char **param, char error[256])
{
	if (own->noise > 0 && own->noise < NOISE_MIN) {
		*param = "noise";
		snprintf(error, 256, "must be at least %g, or 0 for the most likely one", NOISE_MIN);
		return false;
	}
	return true;
}

static bool member_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	(void)shape;
	return noise_check(settings, param, error);
}

static bool gp_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	return noise_check(settings, param, error) && predictor_finish(settings, shape, param, error);
}

#define OWN_PARAMS                                                                                 \
	{.name = "points",                                                                             \
		.kind = PARAM_INT,                                                                         \
		.offset = offsetof(struct gp_settings, points),                                            \
		.min = FEATURES_MAX + 1,                                                                   \
		.max = POINTS_MAX,                                                                         \
		.fallback = "100",                                                                         \
		.unit = "",                                                                                \
		.help = "rows of the sample that it keeps, the first ones; the cost grows with the cube"}, \
		{.name = "length",                                                                         \
			.kind = PARAM_REAL,                                                                    \
			.offset = offsetof(struct gp_settings, length),                                        \
			.min = 0,                                                                              \
			.max = 1e6,                                                                            \
			.fallback = "0",                                                                       \
			.unit = "",                                                                            \
			.help = "the kernel's length in sds of the features; 0: by marginal likelihood"},      \
	{                                                                                              \
		.name = "noise", .kind = PARAM_REAL, .offset = offsetof(struct gp_settings, noise),        \
		.min = 0, .max = 1e6, .fallback = "0", .unit = "",                                         \
		.help = "variance of the noise over that of the signal; 0: by marginal likelihood"         \
	}

static const struct param params[] = {
	PREDICTOR_COMMON_PARAMS(struct gp_settings),
	OWN_PARAMS,
	PARAM_END,
};
static const struct param own_params[] = {OWN_PARAMS, PARAM_END};

#define GP(PARAMS, FINISH)                                                                         \
	{                                                                                              \
		.plugin = {.name = "gp",                                                                   \
			.summary = "a Gaussian process, which knows how sure it is; analytic gradient",        \
			.params = PARAMS,                                                                      \
			.settings_size = sizeof(struct gp_settings),                                           \
			.finish = FINISH},                                                                     \
		.model_size = sizeof(struct gp_model), .train = gp_train, .output = gp_output,             \
		.gradient = gp_gradient, .spread = gp_spread,                                              \
	}

const struct predictor predictor_gp = GP(params, gp_finish);
const struct predictor member_gp = GP(own_params, member_finish);
