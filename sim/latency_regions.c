#include "latency_models.h"
#include "regions.h"
#include "sim/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct param regions_params[] = {
	{.name = "matrix", .kind = PARAM_MATRIX, .offset = offsetof(struct latency_regions, matrix),
		.fallback = "aws", .builtin = regions_builtin, .unit = "ms",
		.help = "round trips: aws (8 regions), aws-bftsmart (4), or a CSV file in ms"},
	{.name = "place", .kind = PARAM_NAMES, .offset = offsetof(struct latency_regions, place),
		.unit = "",
		.help = "a region for each validator, repeated in turn; default: the matrix's in turn"},
	{.name = "jitter", .kind = PARAM_PLUGIN, .offset = offsetof(struct latency_regions, jitter),
		.fallback = "none", .registry = &latency_extra_registry, .unit = "",
		.help = "added to every delay"},
	PARAM_END,
};

static bool regions_matrix_check(const struct csv_table *matrix, char error[256])
{
	if (matrix->n_rows == 0 || matrix->n_rows != matrix->n_columns || !matrix->row_names) {
		snprintf(error, 256,
			"the matrix must have a row and a column for every region, got %zu rows and %zu "
			"columns",
			matrix->n_rows, matrix->n_columns);
		return false;
	}
	if (matrix->n_rows > UINT16_MAX) {
		snprintf(error, 256, "the matrix must have at most %d regions, got %zu", UINT16_MAX,
			matrix->n_rows);
		return false;
	}
	if (matrix->corner != NULL && !column_unit_check(matrix->corner, "ms", error)) {
		return false;
	}
	for (size_t i = 0; i < matrix->n_rows; i++) {
		if (strcmp(matrix->row_names[i], matrix->column_names[i]) != 0) {
			snprintf(error, 256,
				"rows and columns must name the same regions in the same order: row %zu is "
				"\"%.30s\", column %zu \"%.30s\"",
				i + 1, matrix->row_names[i], i + 1, matrix->column_names[i]);
			return false;
		}
		for (size_t j = 0; j < matrix->n_columns; j++) {
			double cell_ms = matrix->cells[i * matrix->n_columns + j];
			if (!isfinite(cell_ms) || cell_ms < 0) {
				snprintf(error, 256,
					"a round trip must be a number of ms of at least 0, got %g from \"%.30s\" "
					"to \"%.30s\"",
					cell_ms, matrix->row_names[i], matrix->column_names[j]);
				return false;
			}
		}
	}
	return true;
}

static bool regions_finish(void *settings, const struct shape *shape, const char **param,
	char error[256])
{
	struct latency_regions *regions = settings;
	const struct csv_table *matrix = regions->matrix;
	*param = "matrix";
	if (!regions_matrix_check(matrix, error)) {
		return false;
	}
	*param = "place";
	if (regions->place.n == 0) {
		size_t n = matrix->n_columns < LATENCY_PLACES_MAX ? matrix->n_columns : LATENCY_PLACES_MAX;
		regions->place = (struct name_list){.n = n, .names = matrix->column_names};
	}
	if (regions->place.n > LATENCY_PLACES_MAX) {
		snprintf(error, 256, "place must name at most %d regions (they repeat in turn), got %zu",
			LATENCY_PLACES_MAX, regions->place.n);
		return false;
	}
	for (size_t i = 0; i < regions->place.n; i++) {
		const char *name = regions->place.names[i];
		size_t row = 0;
		while (row < matrix->n_rows && strcmp(name, matrix->row_names[row]) != 0) {
			row++;
		}
		if (row == matrix->n_rows) {
			int n_written =
				snprintf(error, 256, "\"%.40s\" is no region of the matrix, which has", name);
			for (size_t k = 0; k < matrix->n_rows && n_written < 180; k++) {
				n_written += snprintf(error + n_written, 256 - (size_t)n_written, "%s %.16s",
					k == 0 ? "" : ",", matrix->row_names[k]);
			}
			return false;
		}
		regions->rows[i] = (uint16_t)row;
	}
	return true;
}

/* Client c, numbered after the validators, sits with validator c mod n. */
static inline uint32_t regions_row(const struct latency_regions *regions, uint32_t party,
	uint32_t n_validators)
{
	uint32_t validator = party < n_validators ? party : (party - n_validators) % n_validators;
	return regions->rows[validator % (uint32_t)regions->place.n];
}

static inline sim_time one_way_ns(double round_trip_ms)
{
	return delay_of(round_trip_ms * 0.5e6);
}

/* The regions draw nothing themselves: the jitter has the message's random numbers alone. */
static void regions_draw(const void *settings, struct random_key key, uint64_t number,
	uint32_t from, const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct latency_regions *regions = settings;
	const struct latency_model *jitter = (const struct latency_model *)regions->jitter.plugin;
	if (jitter) {
		jitter->draw(regions->jitter.settings, key, number, from, to, n, n_validators, delays_ns);
	} else {
		memset(delays_ns, 0, n * sizeof(delays_ns[0]));
	}
	const struct csv_table *matrix = regions->matrix;
	const double *round_trips_ms =
		matrix->cells + matrix->n_columns * regions_row(regions, from, n_validators);
	for (uint32_t i = 0; i < n; i++) {
		sim_time way_ns = one_way_ns(round_trips_ms[regions_row(regions, to[i], n_validators)]);
		delays_ns[i] = sim_time_add(delays_ns[i], way_ns);
	}
}

/* Over all pairs of two validators. Validators further down the list than it is long are where the
 * first ones are, so that a place meets itself only if some validator repeats it. */
static sim_time regions_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct latency_regions *regions = settings;
	const struct latency_model *jitter = (const struct latency_model *)regions->jitter.plugin;
	size_t n_places = regions->place.n;
	size_t n = n_places < n_validators ? n_places : n_validators;
	double worst_ms = 0;
	for (size_t i = 0; i < n; i++) {
		const double *round_trips_ms =
			regions->matrix->cells + regions->matrix->n_columns * regions->rows[i];
		for (size_t j = 0; j < n; j++) {
			bool meet = i != j || i + n_places < n_validators;
			if (meet && round_trips_ms[regions->rows[j]] > worst_ms) {
				worst_ms = round_trips_ms[regions->rows[j]];
			}
		}
	}
	sim_time jitter_ns = jitter ? jitter->p999_ns(regions->jitter.settings, n_validators) : 0;
	return sim_time_add(one_way_ns(worst_ms), jitter_ns);
}

const struct latency_model latency_model_regions = {
	.plugin = {.name = "regions", .summary = "round trips between the places of a matrix",
		.params = regions_params, .settings_size = sizeof(struct latency_regions),
		.finish = regions_finish},
	.draw = regions_draw,
	.p999_ns = regions_p999_ns,
};
