/* Aggregators: from an item's accepted predictions to one value, by name; what is common to them.
 */
#include "rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool aggregator_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct aggregator_common *common = settings;
	int64_t n = shape->n_validators;
	if (common->n_faulty == PARAM_AUTO_VALUE) {
		common->n_faulty = (n - 1) / 3;
	}
	if (common->n_faulty < 0 || 2 * common->n_faulty >= n) {
		*param = "faulty";
		snprintf(error, 256, "must be below half of the %" PRId64 " participants, got %" PRId64, n,
			common->n_faulty);
		return false;
	}
	return true;
}

bool aggregator_check(const struct plugin_value *aggregator, const struct rows *rows,
	uint32_t n_faulty, char error[256])
{
	const struct aggregator_common *common = aggregator->settings;
	const char *name = aggregator->plugin->name;
	for (uint32_t i = 0; i < rows->n; i++) {
		for (uint32_t k = 0; k < rows->dims; k++) {
			if (!isfinite(row_at(rows, i)[k])) {
				snprintf(error, 256, "row %u, column %u is not a finite number", i + 1, k + 1);
				return false;
			}
		}
	}
	if (rows->n == 0) {
		snprintf(error, 256, "%s needs at least one row", name);
		return false;
	}
	if (n_faulty >= rows->n || 2 * n_faulty >= rows->n) {
		snprintf(error, 256, "faulty must be below half of the %u rows, got %u", rows->n, n_faulty);
		return false;
	}
	uint32_t n_min = aggregator_n_min(aggregator, n_faulty);
	if (rows->n < n_min) {
		char mixing[64] = "";
		if (common->before == MIXING_BUCKETING) {
			snprintf(mixing, sizeof(mixing), " in buckets of %" PRId64, common->bucket);
		}
		snprintf(error, 256, "%s with faulty: %u%s needs at least %u rows, got %u", name, n_faulty,
			mixing, n_min, rows->n);
		return false;
	}
	return true;
}

void aggregator_apply(const struct plugin_value *aggregator, const struct rows *rows,
	uint32_t n_faulty, double *out, struct arena *scratch)
{
	const struct aggregator *rule = (const void *)aggregator->plugin;
	assert(rows->n > 0 && rows->dims > 0);
	assert(rows->n >= aggregator_n_min(aggregator, n_faulty));
	struct rows ascending = rows_ascending(rows, scratch);
	struct rows mixed = rows_mix(aggregator->settings, &ascending, n_faulty, scratch);
	rule->aggregate_rows(aggregator->settings, &mixed, n_faulty, out, scratch);
}
