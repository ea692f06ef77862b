/* `vector`: each item is a point, of which every validator sees a noisy copy, and what is agreed on is the
 * point: robust estimation of a mean under the protocol, without a model (Diakonikolas, Kane: Algorithmic
 * High-Dimensional Robust Statistics, 2023, 1.2). Its numbers are standard normal. */
#include "item_params.h"
#include "items/agents.h"

struct vector {
	struct workload_common common;
	int64_t dims;
	double noise;
};

static uint32_t dims(const void *settings)
{
	return (uint32_t)((const struct vector *)settings)->dims;
}

static double summary(const double *row, uint32_t n)
{
	double sum = 0;
	for (uint32_t j = 0; j < n; j++) {
		sum += row[j];
	}
	return sum / n;
}

static void draw(const void *settings, struct random_stream *stream, uint64_t index, struct item *item)
{
	(void)index;
	for (uint32_t j = 0; j < dims(settings); j++) {
		item->features[j] = random_normal(stream);
	}
	item->truth = summary(item->features, dims(settings));
}

static double say(const void *settings, struct random_stream *stream, uint32_t validator,
	const struct item *item, double *row)
{
	const struct vector *vector = settings;
	(void)validator;
	for (uint32_t j = 0; j < dims(settings); j++) {
		row[j] = item->features[j] + vector->noise * random_normal(stream);
	}
	return vector->noise;
}

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	return item_finish(settings, shape, param, error);
}

static const struct param params[] = {
	ITEM_PARAMS("when points arrive"),
	{.name = "dims",
		.kind = PARAM_INT,
		.offset = offsetof(struct vector, dims),
		.min = 1,
		.max = FEATURES_MAX,
		.fallback = "8",
		.unit = "",
		.help = "numbers of a point, and so of a prediction"},
	{.name = "noise",
		.kind = PARAM_REAL,
		.offset = offsetof(struct vector, noise),
		.min = 0,
		.max = 1e6,
		.fallback = "0.1",
		.unit = "",
		.help = "standard deviation of each number as a validator sees it, which it claims, too"},
	PARAM_END,
};

const struct items_app app_vector = {
	.app = {
		.plugin = {.name = "vector",
			.summary = "points of some dimensions, each seen with noise: estimates of a mean, without a model",
			.params = params,
			.settings_size = sizeof(struct vector),
			.finish = finish},
		.value_unit = "",
		ITEMS_APP,
	},
	.draw = draw,
	.say = say,
	.dims = dims,
	.summary = summary,
};
