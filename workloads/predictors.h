/* What predictors share: parameters, samples, scaling. */
#ifndef WORKLOADS_PREDICTORS_H
#define WORKLOADS_PREDICTORS_H

#include "workloads/prediction.h"

/* What an ensemble may be of: predictors without the common parameters, since its data is theirs. */
extern const struct registry predictor_member_registry;

/* The common entries of every predictor's table; `type` is its settings, which begin with a struct
 * predictor_common called `common`. */
#define PREDICTOR_COMMON_PARAMS(type)                                                              \
	{.name = "train",                                                                              \
		.kind = PARAM_INT,                                                                         \
		.offset = offsetof(type, common.train),                                                    \
		.min = FEATURES_MAX + 1,                                                                   \
		.max = 1e6,                                                                                \
		.fallback = "1000",                                                                        \
		.unit = "",                                                                                \
		.help = "rows that each validator learns from, with its own noise"},                       \
		{.name = "shards",                                                                         \
			.kind = PARAM_PLUGIN,                                                                  \
			.offset = offsetof(type, common.shards),                                               \
			.registry = &sharding_registry,                                                        \
			.fallback = "own",                                                                     \
			.unit = "",                                                                            \
			.help = "who learns from which rows: see `synod list shardings`"},     \
		{.name = "label_noise",                                                                    \
			.kind = PARAM_REAL,                                                                    \
			.offset = offsetof(type, common.label_noise),                                          \
			.min = 0,                                                                              \
			.max = 100,                                                                            \
			.fallback = "0",                                                                       \
			.unit = "",                                                                            \
			.help = "normal noise of the labels learned from; sd in sds of the labels"},           \
		{.name = "drift",                                                                          \
			.kind = PARAM_PLUGIN,                                                                  \
			.offset = offsetof(type, common.drift),                                                \
			.registry = &drift_registry,                                                           \
			.fallback = "none",                                                                    \
			.unit = "",                                                                            \
			.help = "how what is seen moves away from what it means: see `synod list drifts`"},         \
		{.name = "retrain",                                                                        \
			.kind = PARAM_DURATION,                                                                \
			.flags = PARAM_OFF,                                                                    \
			.offset = offsetof(type, common.retrain_ns),                                           \
			.min = SIM_MS,                                                                         \
			.fallback = "off",                                                                     \
			.unit = "s",                                                                           \
			.help = "all learn anew from new data this often; off: once, before the run"},         \
		{.name = "retrain_at",                                                                     \
			.kind = PARAM_DURATIONS,                                                               \
			.offset = offsetof(type, common.retrain_at),                                           \
			.min = 1,                                                                              \
			.unit = "s",                                                                           \
			.help = "all learn anew at these times, such as [5 s, 20 s], instead of `retrain`"},   \
	{                                                                                              \
		.name = "cost", .kind = PARAM_DURATION, .offset = offsetof(type, common.cost_ns),          \
		.min = 0, .max = (double)SIM_NEVER, .fallback = "0 s", .unit = "s",                        \
		.help = "time that one prediction takes at the validator's processor"                      \
	}

/* Every predictor's `finish`: shards that are large enough to learn from. */
bool predictor_finish(
	void *settings, const struct shape *shape, const char **param, char error[256]);

/* Draws a training's samples: `held_out` is clean. False with a sentence where the settings don't
 * fit the workload. */
bool samples_draw(const struct training *training, struct dataset *sample, struct dataset *held_out,
	bool *poisoned, struct arena *arena, char error[256]);
/* by[0..n_features) of the workload: how far drift has moved each. False where there is none. */
bool drift_by(const struct predictor_common *common, const struct items_app *workload, sim_time at_ns,
	double *by);

/* All of x and target finite, and at least n_min rows? False with a sentence that begins with
 * `who`. */
bool sample_check(
	const struct dataset *sample, size_t n_min, const char *who, char error[256]);

/* Mean 0 and sd 1, feature by feature; a constant one keeps its scale. */
struct standard {
	uint32_t n_features;
	double mean[FEATURES_MAX], sd[FEATURES_MAX];
	double target_mean, target_sd;
};
void standard_fit(struct standard *standard, const struct dataset *sample);
void standard_apply(const struct standard *standard, const double *x, double *out);

#endif
