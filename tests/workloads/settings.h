/* Settings without a scenario: plugins by name, and their parameters written through their own
 * tables. */
#ifndef TESTS_SETTINGS_H
#define TESTS_SETTINGS_H

#include "parcels.h"
#include "workloads/rules.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Both finite and no further apart than the tolerance, itself included. */
#define assert_near(actual_, expected_, tolerance_)                                                \
	near_check((actual_), (expected_), (tolerance_), __FILE__, __LINE__)

static inline void near_check(
	double actual, double expected, double tolerance, const char *file, int line)
{
	if (!(fabs(actual - expected) <= tolerance)) {
		print_error("%.17g is not within %g of %.17g\n", actual, tolerance, expected);
		_fail(file, line);
	}
}

static inline const struct plugin *plugin_named(const struct registry *registry, const char *name)
{
	for (const struct plugin *const *plugin = registry->plugins; *plugin; plugin++) {
		if (strcmp((*plugin)->name, name) == 0) {
			return *plugin;
		}
	}
	assert(!"a plugin of this name");
	return NULL;
}

/* Zeroed settings of the plugin of this name. */
static inline struct plugin_value plugin_make(
	struct arena *arena, const struct registry *registry, const char *name)
{
	const struct plugin *plugin = plugin_named(registry, name);
	return (struct plugin_value){plugin, arena_alloc(arena, plugin->settings_size + 1)};
}

/* Where the parameter of this name lies. */
static inline void *setting(struct plugin_value value, const char *name, enum param_kind kind)
{
	for (const struct param *param = value.plugin->params; param->name; param++) {
		if (strcmp(param->name, name) == 0) {
			assert(param->kind == kind);
			return (char *)value.settings + param->offset;
		}
	}
	assert(!"a parameter of this name");
	return NULL;
}

static inline void set_real(struct plugin_value value, const char *name, double real)
{
	*(double *)setting(value, name, PARAM_REAL) = real;
}

static inline void set_int(struct plugin_value value, const char *name, int64_t integer)
{
	*(int64_t *)setting(value, name, PARAM_INT) = integer;
}

/* dimweight with the shipped noise and tolerance. */
static inline struct plugin_value dimweight_make(struct arena *arena, const char *parcels)
{
	struct plugin_value value = plugin_make(arena, &workload_registry, "dimweight");
	set_real(value, "tolerance", 0.1);
	set_real(value, "sensor_sd", 0.01);
	set_real(value, "density_sd", 0.05);
	*(struct plugin_value *)setting(value, "parcels", PARAM_PLUGIN) =
		plugin_make(arena, &parcel_registry, parcels);
	return value;
}

/* linear with as many rows to learn from. */
static inline struct plugin_value linear_make(struct arena *arena, int64_t train)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, "linear");
	set_int(value, "train", train);
	return value;
}

static inline const struct items_app *workload_of(struct plugin_value value)
{
	return (const void *)value.plugin;
}

#endif
