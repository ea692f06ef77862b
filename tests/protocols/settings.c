#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct plugin *find(const struct registry *registry, const char *name)
{
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		if (strcmp(registry->plugins[i]->name, name) == 0) {
			return registry->plugins[i];
		}
	}
	fail_msg("no %s \"%s\"", registry->sort, name);
	return NULL;
}

static sim_time duration(const char *text, const char **end)
{
	char *unit;
	double value = strtod(text, &unit);
	unit += strspn(unit, " ");
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strncmp(unit, units[i].name, strlen(units[i].name)) == 0) {
			*end = unit + strlen(units[i].name);
			return (sim_time)(value * units[i].ns + .5);
		}
	}
	fail_msg("not a duration: \"%s\"", text);
	return 0;
}

static int choice(const struct param *param, const char *text)
{
	int which = 0;
	for (const char *at = param->choices; at != NULL; which++) {
		size_t n = strcspn(at, "|");
		if (strlen(text) == n && memcmp(at, text, n) == 0) {
			return which;
		}
		at = at[n] == '|' ? at + n + 1 : NULL;
	}
	fail_msg("%s: not one of %s: \"%s\"", param->name, param->choices, text);
	return 0;
}

/* The word that stands for a value, or 0. */
static int64_t word(const char *text)
{
	return strcmp(text, "auto") == 0 ? PARAM_AUTO_VALUE : strcmp(text, "off") == 0 ? SIM_NEVER : 0;
}

/* "0,2,5". */
static struct node_list nodes(struct arena *arena, const char *text)
{
	uint32_t *list = arena_array(arena, uint32_t, strlen(text) + 1);
	struct node_list out = {.nodes = list, .given = true};
	for (const char *at = text; *at != 0;) {
		char *end;
		list[out.n++] = (uint32_t)strtoul(at, &end, 10);
		assert_true(end != at && (*end == ',' || *end == 0));
		at = *end == ',' ? end + 1 : end;
	}
	return out;
}

static int64_t bytes(const char *text)
{
	char *unit;
	int64_t value = strtoll(text, &unit, 10);
	unit += strspn(unit, " ");
	return value * (strcmp(unit, "MiB") == 0 ? 1 << 20 : strcmp(unit, "KiB") == 0 ? 1 << 10 : 1);
}

static void store(
	struct arena *arena, const struct param *param, const char *text, char *settings)
{
	void *at = settings + param->offset;
	const char *end;
	switch (param->kind) {
	case PARAM_INT:
		*(int64_t *)at = word(text) != 0 ? word(text) : strtoll(text, NULL, 10);
		break;
	case PARAM_BYTES:
		*(int64_t *)at = bytes(text);
		break;
	case PARAM_NODES:
		*(struct node_list *)at = nodes(arena, text);
		break;
	case PARAM_REAL:
		*(double *)at = strtod(text, NULL);
		break;
	case PARAM_BOOL:
		*(bool *)at = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
		break;
	case PARAM_CHOICE:
		*(int *)at = choice(param, text);
		break;
	case PARAM_DURATION:
		*(sim_time *)at = word(text) != 0 ? word(text) : duration(text, &end);
		break;
	case PARAM_DURATION_RANGE: {
		sim_time *range = at;
		range[0] = range[1] = word(text);
		if (range[0] == 0) {
			range[0] = duration(text + strspn(text, "["), &end);
			range[1] = duration(end + strspn(end, ", "), &end);
		}
		break;
	}
	case PARAM_PLUGIN: { /* a duration: a constant delay */
		struct plugin_value *value = at;
		value->plugin = find(param->registry, "constant");
		value->settings = arena_alloc(arena, value->plugin->settings_size);
		store(arena, value->plugin->params, text, value->settings);
		break;
	}
	default:
		fail_msg("%s: settings of this kind can't be given in a line", param->name);
	}
}

struct plugin_value settings_read(
	struct arena *arena, const struct registry *registry, const char *line)
{
	char *copy = arena_strdup(arena, line);
	char *rest;
	struct plugin_value value = {.plugin = find(registry, strtok_r(copy, " ", &rest))};
	value.settings = arena_alloc(arena, value.plugin->settings_size + 1);
	const struct param *params = value.plugin->params;
	for (const struct param *param = params; param != NULL && param->name != NULL; param++) {
		if (param->fallback != NULL) {
			store(arena, param, param->fallback, value.settings);
		}
	}
	for (char *key = strtok_r(NULL, " ", &rest); key != NULL; key = strtok_r(NULL, " ", &rest)) {
		char *text = strchr(key, '=');
		assert_non_null(text);
		*text++ = 0;
		const struct param *param = params;
		while (param->name != NULL && strcmp(param->name, key) != 0) {
			param++;
		}
		if (param->name == NULL) {
			fail_msg("%s has no \"%s\"", value.plugin->name, key);
		}
		store(arena, param, text, value.settings);
	}
	return value;
}

static void finish_auto(const struct param *param, const struct shape *shape, char *settings)
{
	if (param->kind != PARAM_DURATION && param->kind != PARAM_DURATION_RANGE) {
		return;
	}
	sim_time *at = (sim_time *)(void *)(settings + param->offset);
	int n = param->kind == PARAM_DURATION ? 1 : 2;
	for (int k = 0; k < n; k++) {
		if (at[k] == PARAM_AUTO_VALUE && param->auto_delays[k] > 0) {
			sim_time least_ns = param->auto_min_ns[k];
			sim_time chosen_ns = (sim_time)(param->auto_delays[k] * (double)shape->delay_p999_ns);
			at[k] = chosen_ns > least_ns ? chosen_ns : least_ns;
		}
	}
}

void settings_finish(struct plugin_value *value, const struct shape *shape)
{
	const struct param *params = value->plugin->params;
	for (const struct param *param = params; param != NULL && param->name != NULL; param++) {
		finish_auto(param, shape, value->settings);
	}
	const char *which = "";
	char error[256] = "";
	if (value->plugin->finish != NULL &&
		!value->plugin->finish(value->settings, shape, &which, error)) {
		fail_msg("%s: %s %s", value->plugin->name, which, error);
	}
}
