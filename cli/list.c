/* `synod list`: what there is, from the registries and their tables alone. */
#include "command.h"

#include "attacks/attack.h"
#include "lab/run.h"
#include "scenarios/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {{0}};

#define NAMES_MAX 1024 /* that are looked through for a near one */

/* The lists that are no registries. */
static const char *const others[] = {"kpis", "keys", "tables"};
enum { LIST_KPIS, LIST_KEYS, LIST_TABLES, OTHERS };

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
	case PARAM_NUMBERS:
		return "list of numbers";
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
		return param->words != NULL ? "list of" : "list of names";
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
		for (size_t i = 0; params->words != NULL && params->words(i) != NULL; i++) {
			printf("%s %s", i == 0 ? "" : ",", params->words(i));
		}
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
			printf("; and what processors and cards take");
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

static void print_column(const struct column *column)
{
	bool unit = column->unit[0] != '\0' && column->sort != SORT_SHARE; /* the help says so of a share */
	printf("  %-24s %s%s%s%s", column->name, column->help, unit ? " (" : "", unit ? column->unit : "", unit ? ")" : "");
}

static void print_kpi(const struct kpi_list *kpis, size_t i, const char *value_unit)
{
	const struct column column = kpi_column(kpis->kpis[i], value_unit);
	print_column(&column);
	const char *only = kpi_only_with(kpis, i), *heading = kpis->kpis[i]->shown.heading;
	if (only != NULL) {
		printf("; only with `%s`", only);
	}
	if (heading != NULL) {
		printf("; `%s` in the table of `synod run`", heading);
	}
	printf("\n");
}

#define THE_UNIT "the workload's unit"

static void print_kpis(void)
{
	struct kpi_list kpis;
	kpi_list_init(&kpis, NULL);
	printf("kpis\n\n");
	for (size_t i = 0; i < kpis.n; i++) {
		print_kpi(&kpis, i, THE_UNIT);
	}
	printf("\n");
}

static void print_keys(void)
{
	printf("keys of a scenario\n\n");
	print_params(scenario_params, KEYS_ALL, "  ");
	printf("\n");
}

/* In which files a table is. */
static void print_when(const struct table *table)
{
	if (table->always) {
		return;
	}
	printf("; record: [%s]", table_word(table));
	if (table->too != NULL) {
		printf(" or [%s]", table->too);
	}
	if (table_find(table->name) == TABLE_N) {
		const struct plugin *apps[REGISTRIES_MAX];
		size_t n = scenario_table_bringers(table, apps, REGISTRIES_MAX);
		for (size_t i = 0; i < n; i++) {
			printf("%s `%s`", i == 0 ? "; only with" : ",", apps[i]->name);
		}
	}
}

static void print_table(const struct table *table)
{
	struct kpi_list kpis;
	kpi_list_init(&kpis, NULL);
	bool runs = table == &result_tables[TABLE_RUNS];
	printf("%s: %s", table->name, table->help);
	print_when(table);
	printf("\n\n");
	struct table_schema schema = table_describe(table);
	for (size_t i = 0; i < schema.n_columns; i++) {
		if (!runs || kpi_find(&kpis, schema.columns[i].name) < 0) {
			print_column(&schema.columns[i]);
			printf("\n");
		}
	}
	free((void *)(uintptr_t)schema.columns);
	printf("%s\n", runs ? "  and each swept key, and the KPIs: `synod list kpis`\n" : "");
}

/* The columns of a result file's tables; the KPIs have a list of their own. */
static void print_tables(void)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	for (size_t t = 0; t < n; t++) {
		print_table(tables[t]);
	}
}

/* A key of the scenario's own, by its path or its last part, or all of a section: `stop.time`, `mac`, `stop`. */
static bool print_key_named(const char *name)
{
	size_t n = strlen(name);
	bool found = false;
	for (const struct param *param = scenario_params; param->name != NULL; param++) {
		const char *dot = strchr(param->name, '.');
		bool section = strncmp(param->name, name, n) == 0 && (param->name[n] == '\0' || param->name[n] == '.');
		if (section || (dot != NULL && strcmp(dot + 1, name) == 0)) {
			const struct param one[] = {*param, PARAM_END};
			printf("%s", found ? "" : "keys of a scenario\n\n");
			print_params(one, KEYS_ALL, "  ");
			found = true;
		}
	}
	printf("%s", found ? "\n" : "");
	return found;
}

static const struct param *param_named(const struct plugin *plugin, const char *name)
{
	const struct param *param = plugin->params;
	while (param != NULL && param->name != NULL && strcmp(param->name, name) != 0) {
		param++;
	}
	return param != NULL && param->name != NULL ? param : NULL;
}

static bool says_the_same(const struct param *a, const struct param *b)
{
	const char *x = a->fallback == NULL ? "" : a->fallback, *y = b->fallback == NULL ? "" : b->fallback;
	return strcmp(a->help, b->help) == 0 && strcmp(x, y) == 0 && a->min == b->min && a->max == b->max;
}

/* A parameter of the kinds in one list, those together that say the same of it. */
static bool print_param_of(const struct registry *registry, const char *name)
{
	bool found = false;
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct param *param = param_named(registry->plugins[i], name);
		bool told = param == NULL;
		for (size_t k = 0; k < i && !told; k++) {
			const struct param *before = param_named(registry->plugins[k], name);
			told = before != NULL && says_the_same(before, param);
		}
		if (told) {
			continue;
		}
		printf("%s: ", registry->plural);
		for (size_t k = i; registry->plugins[k] != NULL; k++) {
			const struct param *other = param_named(registry->plugins[k], name);
			if (other != NULL && says_the_same(other, param)) {
				printf("%s%s", k == i ? "" : ", ", registry->plugins[k]->name);
			}
		}
		const struct param one[] = {*param, PARAM_END};
		printf("\n\n");
		print_params(one, KEYS_ALL, "  ");
		printf("\n");
		found = true;
	}
	return found;
}

/* Its columns of this name, or, of KPIs, with this heading in the table of `synod run`. */
static bool print_columns_of(const struct table *table, const struct kpi_list *kpis, const char *name)
{
	struct table_schema schema = table_describe(table);
	bool found = false;
	for (size_t i = 0; i < schema.n_columns; i++) {
		const struct column *column = &schema.columns[i];
		int kpi = table == &result_tables[TABLE_RUNS] ? kpi_find(kpis, column->name) : -1;
		const char *heading = kpi < 0 ? NULL : kpis->kpis[kpi]->shown.heading;
		if (strcmp(column->name, name) != 0 && (heading == NULL || strcmp(heading, name) != 0)) {
			continue;
		}
		printf("table %s\n\n", table->name);
		if (kpi < 0) {
			print_column(column);
			printf("\n\n");
		} else {
			print_kpi(kpis, (size_t)kpi, column->unit);
			printf("\n");
		}
		found = true;
	}
	free((void *)(uintptr_t)schema.columns);
	return found;
}

/* A table, a KPI, or a column of a table. */
static bool print_of_tables(const char *name)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	struct kpi_list kpis;
	kpi_list_init(&kpis, NULL);
	bool found = false;
	for (size_t t = 0; t < n; t++) {
		if (strcmp(tables[t]->name, name) == 0) {
			print_table(tables[t]);
			found = true;
		}
		found = print_columns_of(tables[t], &kpis, name) || found;
	}
	return found;
}

struct lists {
	const struct registry *registries[REGISTRIES_MAX];
	size_t n;
};

/* A parameter by its name, or by the path that it has in a scenario: `batch`, `protocol.batch`, `attacks.0.epsilon`. */
static bool print_param_named(const struct lists *lists, const char *name)
{
	const char *dot = strrchr(name, '.'), *last = dot == NULL ? name : dot + 1;
	size_t n_first = strcspn(name, ".");
	const struct registry *only = NULL;
	for (const struct param *param = scenario_params; dot != NULL && param->name != NULL; param++) {
		if (strncmp(param->name, name, n_first) == 0 && param->name[n_first] == '\0') {
			only = param->registry;
		}
	}
	bool found = false;
	for (size_t r = 0; r < lists->n; r++) {
		if (dot == NULL || lists->registries[r] == only) {
			found = print_param_of(lists->registries[r], last) || found;
		}
	}
	return found;
}

/* All that go by this name, with the list that each is in; whether there is one. */
static bool print_named(const struct lists *lists, const char *name)
{
	bool found = false;
	for (size_t r = 0; r < lists->n; r++) {
		const struct registry *registry = lists->registries[r];
		for (size_t i = 0; registry->plugins[i] != NULL; i++) {
			if (strcmp(registry->plugins[i]->name, name) == 0) {
				printf("%s\n", registry->plural);
				print_plugin(registry, registry->plugins[i], KEYS_ALL);
				printf("\n");
				found = true;
			}
		}
	}
	found = print_param_named(lists, name) || found;
	found = print_key_named(name) || found;
	return print_of_tables(name) || found;
}

static void refuse_name(const struct lists *lists, const char *name)
{
	const char *names[NAMES_MAX];
	size_t n = 0;
	char known[800] = "";
	for (size_t r = 0; r < lists->n + OTHERS; r++) {
		names[n] = r < lists->n ? lists->registries[r]->plural : others[r - lists->n];
		size_t length = strlen(known);
		snprintf(known + length, sizeof(known) - length, "%s%s",
			r == 0 ? "" : r + 1 == lists->n + OTHERS ? " and " : ", ", names[n]);
		n++;
	}
	for (size_t r = 0; r < lists->n; r++) {
		for (size_t i = 0; lists->registries[r]->plugins[i] != NULL && n < NAMES_MAX; i++) {
			names[n++] = lists->registries[r]->plugins[i]->name;
		}
	}
	struct kpi_list kpis;
	kpi_list_init(&kpis, NULL);
	for (size_t i = 0; i < kpis.n && n < NAMES_MAX; i++) {
		names[n++] = kpis.kpis[i]->name;
	}
	const char *nearest = nearest_name(name, names, n);
	complain("there is no list of '%s', and nothing of that name in one%s%s%s; there are %s", name,
		nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?",
		known);
}

static void print_overview(const struct lists *lists)
{
	for (size_t i = 0; i < lists->n; i++) {
		const struct registry *registry = lists->registries[i];
		printf("%-12s", registry->plural);
		for (size_t p = 0; registry->plugins[p] != NULL; p++) {
			printf("%s%s", p == 0 ? " " : ", ", registry->plugins[p]->name);
		}
		printf("\n");
	}
	printf("%-12s ", "kpis");
	struct kpi_list kpis;
	kpi_list_init(&kpis, NULL);
	for (size_t i = 0; i < kpis.n; i++) {
		printf("%s%s", i == 0 ? "" : i % 5 == 0 ? ",\n             " : ", ", kpis.kpis[i]->name);
	}
	printf("\n%-12s ", "tables");
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	for (size_t i = 0; i < n; i++) {
		printf("%s%s", i == 0 ? "" : ", ", tables[i]->name);
	}
	printf("\n\n`synod list NAME` tells all of one list, or of one thing in it; `synod list keys` the scenario's "
		   "keys.\n");
}

static bool print_list(const struct lists *lists, const char *name)
{
	for (size_t i = 0; i < lists->n; i++) {
		if (strcmp(lists->registries[i]->plural, name) == 0) {
			print_registry(lists->registries[i]);
			return true;
		}
	}
	static void (*const print[OTHERS])(void) = {
		[LIST_KPIS] = print_kpis, [LIST_KEYS] = print_keys, [LIST_TABLES] = print_tables};
	for (size_t i = 0; i < OTHERS; i++) {
		if (strcmp(others[i], name) == 0) {
			print[i]();
			return true;
		}
	}
	return print_named(lists, name);
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	struct lists lists;
	lists.n = scenario_registries(lists.registries, REGISTRIES_MAX);
	if (n_arguments == 0) {
		print_overview(&lists);
	}
	for (int a = 0; a < n_arguments; a++) {
		if (!print_list(&lists, arguments[a])) {
			refuse_name(&lists, arguments[a]);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

const struct command command_list = {
	.name = "list",
	.summary = "lists what there is, with parameters, units and defaults",
	.usage = "[LIST | NAME]...",
	.example = "  synod list protocols\n"
			   "  synod list keys kpis\n"
			   "  synod list equivocate\n"
			   "      one alone: whatever goes by that name, a KPI, a column or a key as well\n"
			   "  synod list protocol.batch\n"
			   "      a parameter, by its name or its path in a scenario\n",
	.options = options,
	.arguments_min = 0,
	.arguments_max = -1,
	.run = run,
};
