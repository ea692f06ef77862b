/* FLTrust: rows weighed by how far they point the way of one that is trusted. */
#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct trust_settings {
	struct aggregator_common common;
	int64_t trusted; /* index of the trusted row */
};

static uint32_t two(const void *settings, uint32_t n_faulty)
{
	(void)settings;
	(void)n_faulty;
	return 2;
}

/* sum of c_i |t| x_i / |x_i| over the sum of c_i, c_i = max(0, cosine of x_i and t), t the trusted
 * row, which is not among the x_i: Cao, Fang, Liu, Gong: FLTrust, NDSS 2021, section IV. Where no
 * row points its way, the paper's is 0/0 and this is t. */
static void trust_aggregate(const void *settings, const struct rows *rows, uint32_t n_faulty,
	double *out, struct arena *scratch)
{
	const struct trust_settings *own = settings;
	uint32_t dims = rows->dims, trusted = 0;
	(void)n_faulty;
	while (rows->index[trusted] != own->trusted) {
		trusted++;
		assert(trusted < rows->n);
	}
	const double *origin = arena_array(scratch, double, dims);
	double *way = arena_array(scratch, double, dims);
	double *unit = arena_array(scratch, double, dims);
	double length = row_direction(origin, row_at(rows, trusted), dims, way), total = 0;
	memset(out, 0, dims * sizeof(*out));
	for (uint32_t i = 0; i < rows->n; i++) {
		double cosine = 0;
		if (i == trusted || row_direction(origin, row_at(rows, i), dims, unit) == 0) {
			continue;
		}
		for (uint32_t k = 0; k < dims; k++) {
			cosine += unit[k] * way[k];
		}
		if (cosine > 0) {
			total += cosine;
			for (uint32_t k = 0; k < dims; k++) {
				out[k] += cosine * unit[k];
			}
		}
	}
	for (uint32_t k = 0; k < dims; k++) {
		out[k] = length > 0 && total > 0 ? out[k] / total * length : row_at(rows, trusted)[k];
	}
}

static bool trust_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct trust_settings *own = settings;
	if (own->trusted >= shape->n_validators) {
		*param = "trusted";
		snprintf(error, 256, "must be one of the %u rows, got %" PRId64, shape->n_validators,
			own->trusted);
		return false;
	}
	return true;
}

static const struct param trust_params[] = {
	{.name = "trusted",
		.kind = PARAM_INT,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct trust_settings, trusted),
		.min = 0,
		.max = SIM_NODES_MAX,
		.unit = "",
		.help = "the row that is trusted, from 0; it is no part of the mean"},
	PARAM_END,
};

const struct aggregator aggregator_fltrust = {
	.plugin = {.name = "fltrust",
		.summary = "the mean of the rows that point the way of a trusted one, as long as that one",
		.params = trust_params,
		.settings_size = sizeof(struct trust_settings),
		.finish = trust_finish},
	.n_min = two,
	.aggregate_rows = trust_aggregate,
};
