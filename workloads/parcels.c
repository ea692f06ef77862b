/* Parcels: the fitted model and three plain distributions to set beside it. */
#include "parcels.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>

double parcel_ln_grams(const double ln[PARCEL_FEATURES])
{
	return -0.8305 + 1.0600 * ln[PARCEL_LENGTH] + 0.8204 * ln[PARCEL_WIDTH] +
		   0.6139 * ln[PARCEL_HEIGHT] + ln[PARCEL_DENSITY];
}

/* model: three correlated normals in the logs of the sides, and an independent density. */

#define MODEL_SIDES 3

static const double model_mean[MODEL_SIDES] = {3.3093, 3.0318, 2.5432};
static const double model_covariance[MODEL_SIDES][MODEL_SIDES] = {
	{.2169, .1270, .0853},
	{.1270, .2110, .1223},
	{.0853, .1223, .6176},
};
static const double model_density_sd = 0.8641;

/* The lower triangle with factor * factor' = the covariance. A dozen operations: cheaper to make
 * anew for each parcel than to keep anywhere. */
static void model_factor(double factor[MODEL_SIDES][MODEL_SIDES])
{
	for (int i = 0; i < MODEL_SIDES; i++) {
		for (int j = 0; j <= i; j++) {
			double rest = model_covariance[i][j];
			for (int k = 0; k < j; k++) {
				rest -= factor[i][k] * factor[j][k];
			}
			factor[i][j] = i == j ? sqrt(rest) : rest / factor[j][j];
		}
	}
}

static void model_draw(
	const void *settings, struct random_stream *stream, double ln[PARCEL_FEATURES])
{
	double factor[MODEL_SIDES][MODEL_SIDES], z[MODEL_SIDES];
	(void)settings;
	model_factor(factor);
	for (int i = 0; i < MODEL_SIDES; i++) {
		z[i] = random_normal(stream);
		ln[i] = model_mean[i];
		for (int j = 0; j <= i; j++) {
			ln[i] += factor[i][j] * z[j];
		}
	}
	ln[PARCEL_DENSITY] = model_density_sd * random_normal(stream);
}

static const struct parcel_source model = {
	.plugin = {.name = "model",
		.summary = "lognormal sides, correlated, and density, fitted to 32,945 real parcels"},
	.draw = model_draw,
};

/* The plain ones: independent sides in cm and density factor, each with parameters of its own.
 * Their defaults are near the fitted model's means, rounded; they are for seeing what the shape of
 * the distribution does, not for realism. */

#define SIDE_MAX 1e4    /* cm */
#define DENSITY_MAX 1e3 /* times the typical parcel's */

struct parcel_uniform {
	double min[PARCEL_FEATURES], max[PARCEL_FEATURES];
};

static void uniform_draw(
	const void *settings, struct random_stream *stream, double ln[PARCEL_FEATURES])
{
	const struct parcel_uniform *parcels = settings;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		ln[i] = real_log(random_uniform(stream, parcels->min[i], parcels->max[i]));
	}
}

static const char *const uniform_max_names[PARCEL_FEATURES] = {
	"length_max", "width_max", "height_max", "density_max"};

static bool uniform_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct parcel_uniform *parcels = settings;
	(void)shape;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		if (parcels->max[i] < parcels->min[i]) {
			*param = uniform_max_names[i];
			snprintf(error, 256, "must be at least the lower end, %g, got %g", parcels->min[i],
				parcels->max[i]);
			return false;
		}
	}
	return true;
}

#define UNIFORM_END(name_, end_, feature_, fallback_, max_, unit_, help_)                          \
	{                                                                                              \
		.name = name_, .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,                             \
		.offset = offsetof(struct parcel_uniform, end_) + feature_ * sizeof(double), .min = 0,     \
		.max = max_, .fallback = fallback_, .unit = unit_, .help = help_                           \
	}

static const struct param uniform_params[] = {
	UNIFORM_END("length_min", min, PARCEL_LENGTH, "10", SIDE_MAX, "cm", "shortest length"),
	UNIFORM_END("length_max", max, PARCEL_LENGTH, "60", SIDE_MAX, "cm", "longest length"),
	UNIFORM_END("width_min", min, PARCEL_WIDTH, "5", SIDE_MAX, "cm", "smallest width"),
	UNIFORM_END("width_max", max, PARCEL_WIDTH, "45", SIDE_MAX, "cm", "largest width"),
	UNIFORM_END("height_min", min, PARCEL_HEIGHT, "2", SIDE_MAX, "cm", "lowest height"),
	UNIFORM_END("height_max", max, PARCEL_HEIGHT, "35", SIDE_MAX, "cm", "greatest height"),
	UNIFORM_END("density_min", min, PARCEL_DENSITY, "0.2", DENSITY_MAX, "",
		"smallest density factor; 1 is the typical parcel of its size"),
	UNIFORM_END("density_max", max, PARCEL_DENSITY, "3", DENSITY_MAX, "", "largest density factor"),
	PARAM_END,
};

static const struct parcel_source uniform = {
	.plugin = {.name = "uniform",
		.summary = "independent sides and density, each uniform in a range",
		.params = uniform_params,
		.settings_size = sizeof(struct parcel_uniform),
		.finish = uniform_finish},
	.draw = uniform_draw,
};

/* exponential: a least value and an exponential on top, since a parcel without extent is none. */

struct parcel_exponential {
	double mean[PARCEL_FEATURES]; /* of the exponential part */
	double side_min, density_min;
};

static void exponential_draw(
	const void *settings, struct random_stream *stream, double ln[PARCEL_FEATURES])
{
	const struct parcel_exponential *parcels = settings;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		double least = i == PARCEL_DENSITY ? parcels->density_min : parcels->side_min;
		ln[i] = real_log(least + parcels->mean[i] * random_exponential(stream));
	}
}

#define LEAST(type_, name_, fallback_, max_, unit_, help_)                                         \
	{                                                                                              \
		.name = #name_, .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,                            \
		.offset = offsetof(type_, name_), .min = 0, .max = max_, .fallback = fallback_,            \
		.unit = unit_, .help = help_                                                               \
	}

#define EXPONENTIAL_MEAN(name_, feature_, fallback_, max_, unit_)                                  \
	{                                                                                              \
		.name = name_, .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,                             \
		.offset = offsetof(struct parcel_exponential, mean) + feature_ * sizeof(double), .min = 0, \
		.max = max_, .fallback = fallback_, .unit = unit_,                                         \
		.help = "mean of the exponential part; the minimum is added"                               \
	}

static const struct param exponential_params[] = {
	EXPONENTIAL_MEAN("length_mean", PARCEL_LENGTH, "30", SIDE_MAX, "cm"),
	EXPONENTIAL_MEAN("width_mean", PARCEL_WIDTH, "22", SIDE_MAX, "cm"),
	EXPONENTIAL_MEAN("height_mean", PARCEL_HEIGHT, "16", SIDE_MAX, "cm"),
	EXPONENTIAL_MEAN("density_mean", PARCEL_DENSITY, "1.3", DENSITY_MAX, ""),
	LEAST(struct parcel_exponential, side_min, "1", SIDE_MAX, "cm", "least length, width, height"),
	LEAST(struct parcel_exponential, density_min, "0.1", DENSITY_MAX, "", "least density factor"),
	PARAM_END,
};

static const struct parcel_source exponential = {
	.plugin = {.name = "exponential",
		.summary = "independent sides and density, each a least value plus an exponential",
		.params = exponential_params,
		.settings_size = sizeof(struct parcel_exponential)},
	.draw = exponential_draw,
};

/* normal: cut off below, by drawing again. */

struct parcel_normal {
	double mean[PARCEL_FEATURES], sd[PARCEL_FEATURES];
	double side_min, density_min;
};

/* A mean is at least the minimum, so at least every other draw is good: the bound is never met. */
#define REDRAWS_MAX 1000

static void normal_draw(
	const void *settings, struct random_stream *stream, double ln[PARCEL_FEATURES])
{
	const struct parcel_normal *parcels = settings;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		double least = i == PARCEL_DENSITY ? parcels->density_min : parcels->side_min;
		double value = parcels->mean[i] + parcels->sd[i] * random_normal(stream);
		for (int redraws = 0; value < least && redraws < REDRAWS_MAX; redraws++) {
			value = parcels->mean[i] + parcels->sd[i] * random_normal(stream);
		}
		ln[i] = real_log(value < least ? least : value);
	}
}

static const char *const normal_mean_names[PARCEL_FEATURES] = {
	"length_mean", "width_mean", "height_mean", "density_mean"};

static bool normal_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct parcel_normal *parcels = settings;
	(void)shape;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		double least = i == PARCEL_DENSITY ? parcels->density_min : parcels->side_min;
		if (parcels->mean[i] < least) {
			*param = normal_mean_names[i];
			snprintf(error, 256, "must be at least the least value, %g, got %g", least,
				parcels->mean[i]);
			return false;
		}
	}
	return true;
}

#define NORMAL_MEAN(name_, feature_, fallback_, max_, unit_)                                       \
	{                                                                                              \
		.name = name_, .kind = PARAM_REAL, .flags = PARAM_EXCLUDE_MIN,                             \
		.offset = offsetof(struct parcel_normal, mean) + feature_ * sizeof(double), .min = 0,      \
		.max = max_, .fallback = fallback_, .unit = unit_, .help = "mean before the cut"           \
	}
#define NORMAL_SD(name_, feature_, fallback_, max_, unit_)                                         \
	{                                                                                              \
		.name = name_, .kind = PARAM_REAL,                                                         \
		.offset = offsetof(struct parcel_normal, sd) + feature_ * sizeof(double), .min = 0,        \
		.max = max_, .fallback = fallback_, .unit = unit_,                                         \
		.help = "standard deviation before the cut"                                                \
	}

static const struct param normal_params[] = {
	NORMAL_MEAN("length_mean", PARCEL_LENGTH, "30", SIDE_MAX, "cm"),
	NORMAL_SD("length_sd", PARCEL_LENGTH, "15", SIDE_MAX, "cm"),
	NORMAL_MEAN("width_mean", PARCEL_WIDTH, "22", SIDE_MAX, "cm"),
	NORMAL_SD("width_sd", PARCEL_WIDTH, "11", SIDE_MAX, "cm"),
	NORMAL_MEAN("height_mean", PARCEL_HEIGHT, "16", SIDE_MAX, "cm"),
	NORMAL_SD("height_sd", PARCEL_HEIGHT, "8", SIDE_MAX, "cm"),
	NORMAL_MEAN("density_mean", PARCEL_DENSITY, "1.4", DENSITY_MAX, ""),
	NORMAL_SD("density_sd", PARCEL_DENSITY, "0.7", DENSITY_MAX, ""),
	LEAST(struct parcel_normal, side_min, "1", SIDE_MAX, "cm",
		"length, width and height below it are drawn again"),
	LEAST(struct parcel_normal, density_min, "0.1", DENSITY_MAX, "",
		"density factors below it are drawn again"),
	PARAM_END,
};

static const struct parcel_source normal = {
	.plugin = {.name = "normal",
		.summary = "independent sides and density, each normal and cut off below",
		.params = normal_params,
		.settings_size = sizeof(struct parcel_normal),
		.finish = normal_finish},
	.draw = normal_draw,
};

static const struct plugin *const sources[] = {
	&model.plugin,
	&uniform.plugin,
	&exponential.plugin,
	&normal.plugin,
	NULL,
};

const struct registry parcel_registry = {
	.sort = "source of parcels",
	.plural = "parcels",
	.plugins = sources,
};
