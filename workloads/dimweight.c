/* `dimweight`: parcels are measured, and what is agreed on is the weight in kg that a carrier
 * bills: the larger of the actual weight and the volumetric one, length * width * height / 5000
 * with cm.
 *
 * A validator sees natural logs of length, width, height and density factor, each with its own
 * normal error of sd `sensor_sd` (sides) or `density_sd`: multiplicative noise exp(sd * N), which
 * for the small errors of sensors is 1 + sd * N and, unlike it, can't make a side negative. The
 * features stay in logs: predictors are fitted to them, and an attack's epsilon is in them. */
#include "item_params.h"
#include "items/agents.h"
#include "workloads/items.h"
#include "parcels.h"

#include "sim/columns.h"
#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CM3_PER_KG 5000.0
#define GRAMS_PER_KG 1000.0

/* The columns of a user's own parcels. */
enum { DATA_LENGTH, DATA_WIDTH, DATA_HEIGHT, DATA_WEIGHT, DATA_COLUMNS };
static const char *const data_names[DATA_COLUMNS] = {"length", "width", "height", "weight"};
static const char *const data_units[DATA_COLUMNS] = {"cm", "cm", "cm", "kg"};

struct dimweight {
	struct workload_common common;
	double sensor_sd, density_sd;
	struct plugin_value parcels;
	const struct csv_table *data; /* NULL: `parcels` */
	size_t data_column[DATA_COLUMNS];
};

static double volumetric_kg(const double ln[PARCEL_FEATURES])
{
	return real_exp(ln[PARCEL_LENGTH] + ln[PARCEL_WIDTH] + ln[PARCEL_HEIGHT]) / CM3_PER_KG;
}

static double learned_kg(double ln_grams)
{
	return real_exp(ln_grams) / GRAMS_PER_KG;
}

static void dimweight_draw(
	const void *settings, struct random_stream *stream, uint64_t index, struct item *item)
{
	const struct dimweight *dimweight = settings;
	double *ln = item->features;
	(void)index;
	if (dimweight->data) {
		/* With replacement, so that each run has parcels of its own and never runs out. */
		const struct csv_table *data = dimweight->data;
		const double *row = data->cells + random_below(stream, data->n_rows) * data->n_columns;
		for (int i = 0; i <= DATA_HEIGHT; i++) {
			ln[i] = real_log(row[dimweight->data_column[i]]);
		}
		item->target = real_log(row[dimweight->data_column[DATA_WEIGHT]] * GRAMS_PER_KG);
		ln[PARCEL_DENSITY] = 0;
		ln[PARCEL_DENSITY] = item->target - parcel_ln_grams(ln);
	} else {
		/* plugin is the first member of its parcel_source */
		const struct parcel_source *source = (const void *)dimweight->parcels.plugin;
		source->draw(dimweight->parcels.settings, stream, ln);
		item->target = parcel_ln_grams(ln);
	}
	item->truth = fmax(learned_kg(item->target), volumetric_kg(ln));
}

static void dimweight_relabel(const void *settings, struct item *item)
{
	(void)settings;
	item->target = parcel_ln_grams(item->features);
	item->truth = fmax(learned_kg(item->target), volumetric_kg(item->features));
}

static void dimweight_observe(
	const void *settings, struct random_stream *stream, const struct item *item, double *seen)
{
	const struct dimweight *dimweight = settings;
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		double sd = i == PARCEL_DENSITY ? dimweight->density_sd : dimweight->sensor_sd;
		seen[i] = item->features[i] + sd * random_normal(stream);
	}
}

static double dimweight_value(const void *settings, const double *seen, double output)
{
	(void)settings;
	double learned = learned_kg(output), volumetric = volumetric_kg(seen);
	return learned >= volumetric ? learned : volumetric;
}

/* The larger one's: d exp(u) / dx = exp(u) du/dx, with u the learned log or the sum of the sides'
 * logs. */
static void dimweight_value_gradient(const void *settings, const double *seen, double output,
	const double *output_gradient, double *gradient)
{
	(void)settings;
	double learned = learned_kg(output), volumetric = volumetric_kg(seen);
	for (int i = 0; i < PARCEL_FEATURES; i++) {
		if (learned >= volumetric) {
			gradient[i] = learned * output_gradient[i];
		} else {
			gradient[i] = i == PARCEL_DENSITY ? 0 : volumetric;
		}
	}
}

/* Finds the columns by name and refuses what has no logarithm. */
static bool data_check(struct dimweight *dimweight, char error[256])
{
	const struct csv_table *data = dimweight->data;
	for (int i = 0; i < DATA_COLUMNS; i++) {
		if (!column_find(
				data, data_names[i], data_units[i], &dimweight->data_column[i], error)) {
			size_t n = strlen(error);
			snprintf(error + n, 256 - n,
				"; the header must name length, width, height (cm) and weight (kg)");
			return false;
		}
	}
	if (data->n_rows == 0) {
		snprintf(error, 256, "has no parcels below its header");
		return false;
	}
	for (size_t row = 0; row < data->n_rows; row++) {
		for (int i = 0; i < DATA_COLUMNS; i++) {
			double value = data->cells[row * data->n_columns + dimweight->data_column[i]];
			if (!(value > 0 && value < INFINITY)) {
				snprintf(error, 256, "%s of parcel %zu must be above 0, got %g", data_names[i],
					row + 1, value);
				return false;
			}
		}
	}
	return true;
}

static bool dimweight_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct dimweight *dimweight = settings;
	if (!item_finish(&dimweight->common, shape, param, error)) {
		return false;
	}
	if (dimweight->data && !data_check(dimweight, error)) {
		*param = "data";
		return false;
	}
	return true;
}

static const struct param params[] = {
	ITEM_PARAMS("when parcels arrive"),
	{.name = "sensor_sd",
		.kind = PARAM_REAL,
		.offset = offsetof(struct dimweight, sensor_sd),
		.min = 0,
		.max = 2,
		.fallback = "0.01",
		.unit = "",
		.help = "noise of length, width and height as seen: each times exp(sd * N(0, 1))"},
	{.name = "density_sd",
		.kind = PARAM_REAL,
		.offset = offsetof(struct dimweight, density_sd),
		.min = 0,
		.max = 2,
		.fallback = "0.05",
		.unit = "",
		.help = "noise of the density factor as seen: times exp(sd * N(0, 1))"},
	{.name = "parcels",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct dimweight, parcels),
		.registry = &parcel_registry,
		.fallback = "model",
		.unit = "",
		.when = "data = none", .help = "where parcels are drawn from, unless `data` gives them"},
	{.name = "data",
		.kind = PARAM_TABLE,
		.offset = offsetof(struct dimweight, data),
		.unit = "",
		.help = "a CSV file of parcels with columns length, width, height (cm) and weight (kg); "
				"items and "
				"training samples are drawn from its rows with replacement"},
	PARAM_END,
};

static const char *const feature_names[] = {"ln_length", "ln_width", "ln_height", "ln_density"};

const struct items_app app_dimweight = {
	.app = {
		.plugin = {.name = "dimweight",
			.summary = "billable weight of parcels: the larger of actual and volumetric weight",
			.params = params,
			.settings_size = sizeof(struct dimweight),
			.finish = dimweight_finish},
		.value_unit = "kg",
		ITEMS_APP,
	},
	.n_features = PARCEL_FEATURES,
	.feature_names = feature_names,
	.draw = dimweight_draw,
	.relabel = dimweight_relabel,
	.observe = dimweight_observe,
	.value = dimweight_value,
	.value_gradient = dimweight_value_gradient,
};
