#include "engine/latency.h"

#include "latency_draw.h"
#include "sim/real.h"

#include <stdio.h>
#include <string.h>

struct constant {
	sim_time value_ns;
};

static const struct param constant_params[] = {
	{.name = "value", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct constant, value_ns), .unit = "s",
		.help = "every message's delay"},
	PARAM_END,
};

static void constant_draw(const void *settings, struct random_key key, uint64_t number,
	uint32_t from, const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct constant *constant = settings;
	for (uint32_t i = 0; i < n; i++) {
		delays_ns[i] = constant->value_ns;
	}
}

static sim_time constant_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct constant *constant = settings;
	return constant->value_ns;
}

static const struct latency_model model_constant = {
	.plugin = {.name = "constant", .summary = "the same delay for every message",
		.params = constant_params, .settings_size = sizeof(struct constant)},
	.constant = true,
	.draw = constant_draw,
	.p999_ns = constant_p999_ns,
};

struct uniform {
	sim_time min_ns, max_ns;
};

static const struct param uniform_params[] = {
	{.name = "min", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct uniform, min_ns), .unit = "s", .help = "the shortest delay"},
	{.name = "max", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct uniform, max_ns), .unit = "s", .help = "the longest delay"},
	PARAM_END,
};

static bool uniform_finish(void *settings, const struct shape *shape, const char **param,
	char error[256])
{
	const struct uniform *uniform = settings;
	if (uniform->max_ns < uniform->min_ns) {
		*param = "max";
		snprintf(error, 256, "max must be at least min (%g ms), got %g ms",
			(double)uniform->min_ns / 1e6, (double)uniform->max_ns / 1e6);
		return false;
	}
	return true;
}

static void uniform_draw(const void *settings, struct random_key key, uint64_t number,
	uint32_t from, const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct uniform *uniform = settings;
	double min = (double)uniform->min_ns;
	double width = (double)(uniform->max_ns - uniform->min_ns);
	double units[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_units, key, number, to + i, n - i, units);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(min + units[k] * width);
		}
	}
}

static sim_time uniform_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct uniform *uniform = settings;
	return delay_of((double)uniform->min_ns + P999 * (double)(uniform->max_ns - uniform->min_ns));
}

static const struct latency_model model_uniform = {
	.plugin = {.name = "uniform", .summary = "any delay between two bounds, alike",
		.params = uniform_params, .settings_size = sizeof(struct uniform),
		.finish = uniform_finish},
	.draw = uniform_draw,
	.p999_ns = uniform_p999_ns,
};

struct normal {
	sim_time mean_ns, sd_ns;
};

static const struct param normal_params[] = {
	{.name = "mean", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct normal, mean_ns), .unit = "s",
		.help = "the mean, before clipping at 0"},
	{.name = "sd", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct normal, sd_ns), .unit = "s",
		.help = "the standard deviation, before clipping at 0"},
	PARAM_END,
};

static void normal_draw(const void *settings, struct random_key key, uint64_t number, uint32_t from,
	const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct normal *normal = settings;
	double mean = (double)normal->mean_ns, sd = (double)normal->sd_ns;
	double normals[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_normals, key, number, to + i, n - i, normals);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(mean + sd * normals[k]);
		}
	}
}

static sim_time normal_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct normal *normal = settings;
	return delay_of((double)normal->mean_ns + real_normal_quantile(P999) * (double)normal->sd_ns);
}

static const struct latency_model model_normal = {
	.plugin = {.name = "normal", .summary = "normal, clipped at 0", .params = normal_params,
		.settings_size = sizeof(struct normal)},
	.draw = normal_draw,
	.p999_ns = normal_p999_ns,
};

struct lognormal {
	sim_time median_ns;
	double sigma;
};

static const struct param lognormal_params[] = {
	{.name = "median", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct lognormal, median_ns), .unit = "s", .help = "the median delay"},
	{.name = "sigma", .kind = PARAM_REAL, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct lognormal, sigma), .min = 0, .max = 10, .unit = "",
		.help = "the standard deviation of the delay's natural logarithm"},
	PARAM_END,
};

static void lognormal_draw(const void *settings, struct random_key key, uint64_t number,
	uint32_t from, const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct lognormal *lognormal = settings;
	double median = (double)lognormal->median_ns, sigma = lognormal->sigma;
	double x[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_normals, key, number, to + i, n - i, x);
		for (uint32_t k = 0; k < n_drawn; k++) {
			x[k] *= sigma;
		}
		real_exp_all(x, n_drawn);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(median * x[k]);
		}
	}
}

static sim_time lognormal_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct lognormal *lognormal = settings;
	double z = real_normal_quantile(P999);
	return delay_of((double)lognormal->median_ns * real_exp(z * lognormal->sigma));
}

static const struct latency_model model_lognormal = {
	.plugin = {.name = "lognormal", .summary = "lognormal: a long tail of late messages",
		.params = lognormal_params, .settings_size = sizeof(struct lognormal)},
	.draw = lognormal_draw,
	.p999_ns = lognormal_p999_ns,
};

struct exponential {
	sim_time mean_ns, min_ns;
};

static const struct param exponential_params[] = {
	{.name = "mean", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct exponential, mean_ns), .unit = "s",
		.help = "the mean of the exponential part, without min"},
	{.name = "min", .kind = PARAM_DURATION, .offset = offsetof(struct exponential, min_ns),
		.fallback = "0 s", .unit = "s", .help = "added to every delay"},
	PARAM_END,
};

static void exponential_draw(const void *settings, struct random_key key, uint64_t number,
	uint32_t from, const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct exponential *exponential = settings;
	double mean = (double)exponential->mean_ns, min = (double)exponential->min_ns;
	double x[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_units, key, number, to + i, n - i, x);
		for (uint32_t k = 0; k < n_drawn; k++) {
			x[k] = 1 - x[k]; /* never 0 */
		}
		real_log_all(x, n_drawn);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(min - mean * x[k]);
		}
	}
}

static sim_time exponential_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct exponential *exponential = settings;
	double mean = (double)exponential->mean_ns, min = (double)exponential->min_ns;
	return delay_of(min - mean * real_log(1 - P999));
}

static const struct latency_model model_exponential = {
	.plugin = {.name = "exponential", .summary = "exponential, above a least delay",
		.params = exponential_params, .settings_size = sizeof(struct exponential)},
	.draw = exponential_draw,
	.p999_ns = exponential_p999_ns,
};

static void none_draw(const void *settings, struct random_key key, uint64_t number, uint32_t from,
	const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	memset(delays_ns, 0, n * sizeof(delays_ns[0]));
}

static sim_time none_p999_ns(const void *settings, uint32_t n_validators)
{
	return 0;
}

static const struct latency_model model_none = {
	.plugin = {.name = "none", .summary = "nothing is added"},
	.constant = true,
	.draw = none_draw,
	.p999_ns = none_p999_ns,
};

/* Those in files of their own. */
extern const struct latency_model latency_model_pareto, latency_model_empirical, latency_model_regions;

#define MODELS                                                                                     \
	&model_constant.plugin, &model_uniform.plugin, &model_normal.plugin, &model_lognormal.plugin,  \
		&model_exponential.plugin, &latency_model_pareto.plugin, &latency_model_empirical.plugin

static const struct plugin *const extra_plugins[] = {&model_none.plugin, MODELS, NULL};

const struct registry latency_extra_registry = {
	.sort = "delay", .plural = "delays", .plugins = extra_plugins};

static const struct plugin *const latency_plugins[] = {MODELS, &latency_model_regions.plugin, NULL};

const struct registry latency_registry = {
	.sort = "latency", .plural = "latencies", .plugins = latency_plugins};
