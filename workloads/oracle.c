/* `oracle`: the truth with a relative error of its own for every item: what a validator would be
 * whose predictor is known to be that good, for studies in which nothing is to be learned.
 *
 * It is told the truth when it sees the item and looks at nothing else, so that its value has no
 * slope by what it sees, and attacks that move that move nothing. */
#include "predictors.h"

#include "sim/real.h"

struct oracle_settings {
	struct predictor_common common;
	double sd, bias;
};

static bool oracle_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	(void)settings;
	(void)model;
	(void)sample;
	(void)arena;
	(void)error;
	return true;
}

static double oracle_output(const void *model, const double *x)
{
	(void)model;
	(void)x;
	return real_nan(); /* prediction_value knows better */
}

static double oracle_tell(const void *settings, double truth, struct random_stream *stream)
{
	const struct oracle_settings *own = settings;
	return truth * (1 + own->bias + own->sd * random_normal(stream));
}

static const struct param params[] = {
	PREDICTOR_COMMON_PARAMS(struct oracle_settings),
	{.name = "sd",
		.kind = PARAM_REAL,
		.offset = offsetof(struct oracle_settings, sd),
		.min = 0,
		.max = 1e6,
		.fallback = "0.05",
		.unit = "",
		.help = "of its relative error"},
	{.name = "bias",
		.kind = PARAM_REAL,
		.offset = offsetof(struct oracle_settings, bias),
		.min = -1e6,
		.max = 1e6,
		.fallback = "0",
		.unit = "",
		.help = "mean of its relative error"},
	PARAM_END,
};

const struct predictor predictor_oracle = {
	.plugin = {.name = "oracle",
		.summary = "the truth with a relative error; learns nothing and has no gradient",
		.params = params,
		.idle = "shards|label_noise|drift|retrain|retrain_at",
		.settings_size = sizeof(struct oracle_settings),
		.finish = predictor_finish},
	.train = oracle_train,
	.output = oracle_output,
	.tell = oracle_tell,
};
