/* `synod list`: what there is, from the registries and their tables alone. */
#include "command.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "engine/latency.h"
#include "lab/kpi.h"
#include "protocols/protocol.h"
#include "scenarios/scenario.h"
#include "workloads/rules.h"
#include "workloads/workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {{0}};

static const struct registry *const registries[] = {&protocol_registry, &latency_registry,
	&workload_registry, &arrival_registry, &predictor_registry, &sharding_registry, &drift_registry,
	&scorer_registry, &aggregator_registry, &attack_registry, &fault_registry};

#define REGISTRIES (sizeof(registries) / sizeof(registries[0]))

#define NAMES_MAX 256 /* that are looked through for a near one */

static const char *kind_name(const struct param *param)
{
	switch (param->kind) {
	case PARAM_INT:
		return "whole number";
	case PARAM_REAL:
		return "number";
	case PARAM_BOOL:
		return "on or off";
	case PARAM_DURATION:
		return "duration";
	case PARAM_DURATION_RANGE:
		return "[duration, duration]";
	case PARAM_DURATIONS:
		return "list of durations";
	case PARAM_RATE:
		return "rate";
	case PARAM_BYTES:
		return "bytes";
	case PARAM_BANDWIDTH:
		return "bandwidth";
	case PARAM_CHOICE:
		return param->choices;
	case PARAM_STRING:
		return "text";
	case PARAM_PATH:
	case PARAM_TABLE:
		return "file";
	case PARAM_MATRIX:
		return "name or file";
	case PARAM_NODES:
		return (param->flags & PARAM_CLIENTS) ? "list of validators, clients" : "list of validators";
	case PARAM_NAMES:
		return "list of names";
	case PARAM_GROUPS:
		return "list of lists of validators";
	case PARAM_PLUGIN:
		return param->registry->sort;
	case PARAM_PLUGINS:
		return "list";
	}
	return "";
}

/* A bound as a person would write it: durations in ms or s, the rest as they are. */
static void format_bound(const struct param *param, double value, char text[48])
{
	if (param->kind == PARAM_DURATION || param->kind == PARAM_DURATION_RANGE ||
		param->kind == PARAM_DURATIONS) {
		double size = fabs(value);
		if (size >= 1e9 || size == 0) {
			snprintf(text, 48, "%.15g s", value / 1e9);
		} else if (size >= 1e6) {
			snprintf(text, 48, "%g ms", value / 1e6);
		} else if (size >= 1e3) {
			snprintf(text, 48, "%g us", value / 1e3);
		} else {
			snprintf(text, 48, "%g ns", value);
		}
	} else {
		snprintf(text, 48, param->kind == PARAM_INT ? "%.15g" : "%g", value);
	}
}

/* The range, where there is one to tell of: that a number is not negative goes without saying. */
static void print_range(const struct param *param)
{
	bool open = (param->flags & PARAM_EXCLUDE_MIN) != 0;
	bool has_top = param->max > param->min && param->max < 9e18;
	char min[48], max[48];
	format_bound(param, param->min, min);
	format_bound(param, param->max, max);
	if (has_top) {
		printf(", %s%s to %s", open ? "above " : "", min, max);
	} else if (open) {
		printf(", above %s", min);
	} else if (param->min != 0 && param->min > -1e299) {
		printf(", at least %s", min);
	}
}

enum keys { KEYS_ALL, KEYS_COMMON, KEYS_OWN };

/* The keys that all attacks have fill the struct that all their settings begin with. */
static bool is_common(const struct param *param)
{
	return param->offset < sizeof(struct attack_common);
}

static void print_params(const struct param *params, enum keys which, const char *indent)
{
	for (; params != NULL && params->name != NULL; params++) {
		if (which != KEYS_ALL && is_common(params) != (which == KEYS_COMMON)) {
			continue;
		}
		printf("%s%-20s %s\n", indent, params->name, params->help);
		printf("%s%-20s   %s", indent, "", kind_name(params));
		print_range(params);
		if (params->unit != NULL && params->unit[0] != '\0' && params->kind != PARAM_DURATION &&
			params->kind != PARAM_DURATION_RANGE && params->kind != PARAM_DURATIONS &&
			params->kind != PARAM_BYTES) {
			printf(", %s", params->unit);
		}
		if ((params->flags & PARAM_OFF) != 0) {
			printf(", or off");
		}
		if ((params->flags & PARAM_N) != 0) {
			printf(", or n");
		}
		if ((params->flags & PARAM_UNLIMITED) != 0) {
			printf(", or unlimited");
		}
		if ((params->flags & PARAM_REQUIRED) != 0) {
			printf("; required");
		} else if (params->fallback != NULL && params->fallback[0] != '\0') {
			printf("; default %s", params->fallback);
		}
		if ((params->flags & PARAM_AUTO) != 0 && params->auto_delays[0] > 0) {
			char least[48];
			format_bound(params, (double)params->auto_min_ns[0], least);
			printf("; auto: %g delays (99.9 %%), at least %s", params->auto_delays[0], least);
			if (params->kind == PARAM_DURATION_RANGE) {
				format_bound(params, (double)params->auto_min_ns[1], least);
				printf(", to %g delays, at least %s", params->auto_delays[1], least);
			}
		}
		if (params->when != NULL) {
			printf("; only where %s", params->when);
		}
		printf("\n");
	}
}

static void print_plugin(
	const struct registry *registry, const struct plugin *plugin, enum keys which)
{
	printf("\n  %s: %s\n", plugin->name, plugin->summary);
	if (registry == &attack_registry) {
		printf("    knows and can: %s\n", ((const struct attack *)plugin)->knows);
	}
	if (plugin->when != NULL) {
		printf("    only where %s\n", plugin->when);
	}
	print_params(plugin->params, which, "    ");
}

static void print_registry(const struct registry *registry)
{
	bool attacks = registry == &attack_registry;
	printf("%s\n", registry->plural);
	if (attacks) {
		printf("\n  keys of all of them; attacks on nodes have no confidence and no ramp\n");
		print_params(registry->plugins[0]->params, KEYS_COMMON, "    ");
	}
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		print_plugin(registry, registry->plugins[i], attacks ? KEYS_OWN : KEYS_ALL);
	}
	printf("\n");
}

/* All that go by this name, with the list that each is in; whether there is one. */
static bool print_named(const char *name)
{
	bool found = false;
	for (size_t r = 0; r < REGISTRIES; r++) {
		for (size_t i = 0; registries[r]->plugins[i] != NULL; i++) {
			if (strcmp(registries[r]->plugins[i]->name, name) == 0) {
				printf("%s\n", registries[r]->plural);
				print_plugin(registries[r], registries[r]->plugins[i], KEYS_ALL);
				printf("\n");
				found = true;
			}
		}
	}
	return found;
}

static void refuse_name(const char *name, const char *const *lists, size_t n)
{
	const char *names[NAMES_MAX];
	memcpy(names, lists, n * sizeof(*names));
	for (size_t r = 0; r < REGISTRIES; r++) {
		for (size_t i = 0; registries[r]->plugins[i] != NULL && n < NAMES_MAX; i++) {
			names[n++] = registries[r]->plugins[i]->name;
		}
	}
	const char *nearest = nearest_name(name, names, n);
	complain("there is no list of '%s', and nothing of that name in one%s%s%s; there are protocols, "
			 "latencies, workloads, arrivals, predictors, shardings, drifts, scorers, aggregators, "
			 "attacks, faults, kpis and keys",
		name, nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
		nearest == NULL ? "" : "'?");
}

static void print_kpis(void)
{
	printf("kpis\n\n");
	for (size_t i = 0; i < KPI_N; i++) {
		printf("  %-24s %s%s%s%s\n", kpi_columns[i].name, kpi_columns[i].help,
			kpi_columns[i].unit[0] == '\0' ? "" : " (", kpi_columns[i].unit,
			kpi_columns[i].unit[0] == '\0' ? "" : ")");
	}
	printf("\n");
}

static void print_keys(void)
{
	printf("keys of a scenario\n\n");
	print_params(scenario_params, KEYS_ALL, "  ");
	printf("\n");
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	const char *names[REGISTRIES + 2];
	size_t n = 0;
	for (; n < REGISTRIES; n++) {
		names[n] = registries[n]->plural;
	}
	names[n++] = "kpis";
	names[n++] = "keys";
	if (n_arguments == 0) {
		for (size_t i = 0; i < REGISTRIES; i++) {
			printf("%-12s", registries[i]->plural);
			for (size_t p = 0; registries[i]->plugins[p] != NULL; p++) {
				printf("%s%s", p == 0 ? " " : ", ", registries[i]->plugins[p]->name);
			}
			printf("\n");
		}
		printf("%-12s ", "kpis");
		for (size_t i = 0; i < KPI_N; i++) {
			printf("%s%s", i == 0 ? "" : i % 5 == 0 ? ",\n             " : ", ", kpi_columns[i].name);
		}
		printf("\n\n`synod list NAME` tells all of one list, or of one thing in it; `synod list keys` the scenario's keys.\n");
		return EXIT_DONE;
	}
	for (int a = 0; a < n_arguments; a++) {
		size_t i = 0;
		while (i < n && strcmp(names[i], arguments[a]) != 0) {
			i++;
		}
		if (i == n) {
			if (print_named(arguments[a])) {
				continue;
			}
			refuse_name(arguments[a], names, n);
			return EXIT_USAGE;
		}
		if (i < REGISTRIES) {
			print_registry(registries[i]);
		} else if (i == REGISTRIES) {
			print_kpis();
		} else {
			print_keys();
		}
	}
	return EXIT_DONE;
}

const struct command command_list = {
	.name = "list",
	.summary = "lists what there is, with parameters, units and defaults",
	.usage = "[protocols | latencies | workloads | arrivals | predictors | shardings | drifts | "
			 "scorers | aggregators | attacks | faults | kpis | keys | NAME]...",
	.example = "  synod list protocols\n"
			   "  synod list keys kpis\n"
			   "  synod list equivocate\n"
			   "      one alone: whatever goes by that name\n",
	.options = options,
	.arguments_min = 0,
	.arguments_max = -1,
	.run = run,
};
