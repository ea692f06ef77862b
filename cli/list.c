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

#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {{0}};

static const struct registry *const registries[] = {&protocol_registry, &latency_registry,
	&workload_registry, &arrival_registry, &predictor_registry, &sharding_registry, &drift_registry,
	&scorer_registry, &aggregator_registry, &attack_registry, &fault_registry};

#define REGISTRIES (sizeof(registries) / sizeof(registries[0]))

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
		return "list of validators";
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
		if (value >= 1e9) {
			snprintf(text, 48, "%g s", value / 1e9);
		} else if (value >= 1e6) {
			snprintf(text, 48, "%g ms", value / 1e6);
		} else {
			snprintf(text, 48, "%g ns", value);
		}
	} else {
		snprintf(text, 48, "%g", value);
	}
}

static void print_params(const struct param *params, const char *indent)
{
	for (; params != NULL && params->name != NULL; params++) {
		printf("%s%-20s %s\n", indent, params->name, params->help);
		printf("%s%-20s   %s", indent, "", kind_name(params));
		if (params->min != 0 || params->max != 0) {
			char min[48];
			char max[48];
			format_bound(params, params->min, min);
			format_bound(params, params->max, max);
			if (params->max >= 9e18) {
				printf(", at least %s", min);
			} else {
				printf(", %s to %s", min, max);
			}
		}
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
		} else if (params->fallback != NULL) {
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
		printf("\n");
	}
}

static void print_registry(const struct registry *registry)
{
	printf("%s\n", registry->plural);
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *plugin = registry->plugins[i];
		printf("\n  %s: %s\n", plugin->name, plugin->summary);
		if (registry == &attack_registry) {
			printf("    knows and can: %s\n", ((const struct attack *)plugin)->knows);
		}
		print_params(plugin->params, "    ");
	}
	printf("\n");
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
	print_params(scenario_params, "  ");
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
		printf("\n\n`synod list NAME` tells all of one of them; `synod list keys` the scenario's keys.\n");
		return EXIT_DONE;
	}
	for (int a = 0; a < n_arguments; a++) {
		size_t i = 0;
		while (i < n && strcmp(names[i], arguments[a]) != 0) {
			i++;
		}
		if (i == n) {
			const char *nearest = nearest_name(arguments[a], names, n);
			complain("there is no list of '%s'%s%s%s; there are protocols, latencies, workloads, "
					 "arrivals, predictors, shardings, drifts, scorers, aggregators, attacks, faults, kpis "
					 "and keys",
				arguments[a], nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
				nearest == NULL ? "" : "'?");
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
			 "scorers | aggregators | attacks | faults | kpis | keys]...",
	.example = "  synod list protocols\n"
			   "  synod list keys kpis\n",
	.options = options,
	.arguments_min = 0,
	.arguments_max = -1,
	.run = run,
};
