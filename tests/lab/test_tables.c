/* All parameter tables there are, found from the scenario's keys: whatever is added later is tested too. */
#include "scenarios/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef void (*visitor)(const struct plugin *plugin, const struct param *param);

static void each_param(visitor visit)
{
	const struct registry *registries[REGISTRIES_MAX];
	size_t n = scenario_registries(registries, REGISTRIES_MAX);
	assert_true(n >= 10 && n < REGISTRIES_MAX);
	for (size_t r = 0; r < n; r++) {
		for (size_t i = 0; registries[r]->plugins[i]; i++) {
			const struct plugin *plugin = registries[r]->plugins[i];
			for (const struct param *param = plugin->params; param && param->name; param++) {
				visit(plugin, param);
			}
		}
	}
	for (const struct param *param = scenario_params; param->name; param++) {
		visit(NULL, param);
	}
}

static const struct param *in_table(const struct param *table, const char *name, size_t n)
{
	for (const struct param *param = table; param && param->name; param++) {
		if (strlen(param->name) == n && !strncmp(param->name, name, n)) {
			return param;
		}
	}
	return NULL;
}

/* Does some scenario have the path? */
static bool leads_somewhere(const struct param *table, const char *path)
{
	if (in_table(table, path, strlen(path))) {
		return true;
	}
	for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
		const struct param *param = in_table(table, path, (size_t)(dot - path));
		for (size_t i = 0; param && param->registry && param->registry->plugins[i]; i++) {
			if (leads_somewhere(param->registry->plugins[i]->params, dot + 1)) {
				return true;
			}
		}
	}
	return false;
}

static void check_key(const struct plugin *plugin, const struct param *param, const char *text)
{
	char key[100];
	assert_int_equal(sscanf(text, "%99s", key), 1);
	const struct param *table = plugin ? plugin->params : NULL;
	if (!in_table(table, key, strlen(key)) && !leads_somewhere(scenario_params, key)) {
		fail_msg("%s.%s: `%s` leads nowhere", plugin ? plugin->name : "", param ? param->name : "", text);
	}
}

static void check_names(const struct param *table, const char *names)
{
	for (size_t n; names && *names; names += n + (names[n] == '|')) {
		n = strcspn(names, "|");
		assert_non_null(in_table(table, names, n));
	}
}

/* Conditions name what there is, and are written as they are read. */
static void check_conditions(const struct plugin *plugin, const struct param *param)
{
	char key[100], op[3], values[100];
	if (param->when) {
		assert_int_equal(sscanf(param->when, "%99s %2s %99[^\n]", key, op, values), 3);
		assert_true(!strcmp(op, "=") || !strcmp(op, "!=") || !strcmp(op, ">"));
		check_key(plugin, param, param->when);
	}
	if (param->below) {
		assert_true(param->kind == PARAM_DURATION || param->kind == PARAM_DURATION_RANGE);
		check_key(plugin, param, param->below);
	}
	if (plugin && plugin->when) {
		check_key(NULL, NULL, plugin->when);
	}
	if (plugin) {
		check_names(plugin->params, plugin->idle);
	}
	for (size_t i = 0; param->idle && param->registry->plugins[i]; i++) {
		check_names(param->registry->plugins[i]->params, param->idle);
	}
}

static void test_conditions(void **state)
{
	each_param(check_conditions);
}

static void check_help(const struct plugin *plugin, const struct param *param)
{
	assert_non_null(param->help);
	size_t n = strlen(param->help);
	assert_true(n > 0 && param->help[n - 1] != '.');
}

static void test_help(void **state)
{
	each_param(check_help);
}

static const char *unit_of(enum param_kind kind)
{
	return kind == PARAM_DURATION    ? "s"
		   : kind == PARAM_RATE      ? "/s"
		   : kind == PARAM_BYTES     ? "B"
		   : kind == PARAM_BANDWIDTH ? "bit/s"
									 : NULL;
}

/* Is it refused, in words about this parameter? */
static bool refuses(const struct plugin *plugin, const struct param *param, const char *value)
{
	char set[200];
	snprintf(set, sizeof(set), "%s=%s", param->name, value);
	const char *const sets[] = {set};
	struct arena arena = {0};
	struct diagnostics *diagnostics = diagnostics_create();
	struct plugin_value out;
	settings_fill(plugin, sets, 1, &out, &arena, diagnostics);
	char *printed = NULL;
	size_t n = 0;
	FILE *stream = open_memstream(&printed, &n);
	diagnostics_print(diagnostics, stream);
	fclose(stream);
	char wanted[200];
	snprintf(wanted, sizeof(wanted), "%s.%s must be ", plugin->name, param->name);
	bool refused = strstr(printed, wanted) != NULL && strstr(printed, value) != NULL;
	free(printed);
	diagnostics_destroy(diagnostics);
	arena_finish(&arena);
	return refused;
}

/* Wherever a unit is read, what is below the range or more than can be counted is refused. */
static void check_quantities(const struct plugin *plugin, const struct param *param)
{
	const char *unit = unit_of(param->kind);
	if (!plugin || !unit) {
		return;
	}
	char value[64];
	snprintf(value, sizeof(value), "1e400 %s", unit);
	assert_true(refuses(plugin, param, value));
	if (param->min >= 0) {
		static const char *const numbers[] = {"-1", "-0.5", "-1e17", "-9e30"};
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			snprintf(value, sizeof(value), "%s %s", numbers[i], unit);
			if (param->kind == PARAM_BYTES && strchr(numbers[i], '.')) {
				continue;
			}
			if (!refuses(plugin, param, value)) {
				fail_msg("%s.%s takes %s", plugin->name, param->name, value);
			}
		}
	}
}

static void test_quantities(void **state)
{
	each_param(check_quantities);
}

static bool lists(const struct registry *registry, const struct plugin *plugin)
{
	size_t i = 0;
	while (registry->plugins[i] && registry->plugins[i] != plugin) {
		i++;
	}
	return registry->plugins[i];
}

/* Whatever a parameter takes is in the list of that name: two lists of one name once hid `regions`. (Scorers within
 * scorers are fewer of them.) */
static void check_listed(const struct plugin *plugin, const struct param *param)
{
	const struct registry *registries[REGISTRIES_MAX];
	size_t n = scenario_registries(registries, REGISTRIES_MAX), at = 0;
	for (size_t i = 0; param->registry && param->registry->plugins[i]; i++) {
		for (at = 0; at < n && strcmp(registries[at]->plural, param->registry->plural) != 0; at++) {
		}
		assert_true(at < n);
		assert_true(lists(registries[at], param->registry->plugins[i]));
	}
}

static void test_listed(void **state)
{
	each_param(check_listed);
}

static bool is_a_word(const char *text)
{
	bool found = false;
	for (size_t i = 0; scenario_record_word(i) != NULL; i++) {
		found = found || strcmp(scenario_record_word(i), text) == 0;
	}
	return found;
}

/* The tables of result files say what they are, and `record` takes the words that ask for them. */
static void test_tables_say_all(void **state)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	assert_true(n >= TABLE_N && n < SCENARIO_TABLES_MAX);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(tables[i]->help);
		assert_string_equal(tables[i]->columns[0].name, "run");
		assert_int_equal(tables[i]->columns[0].type, COLUMN_INT);
		for (const struct column *column = tables[i]->columns; column->name != NULL; column++) {
			assert_non_null(column->unit);
			assert_true(column->help != NULL && column->help[0] != '\0');
		}
		assert_true(is_a_word(table_word(tables[i])) != tables[i]->always);
		assert_true(tables[i]->too == NULL || is_a_word(tables[i]->too));
		assert_true(i >= TABLE_N || table_find(tables[i]->name) == i);
	}
	assert_int_equal(table_find("scenario"), TABLE_N); /* the file's text has that name */
	assert_false(is_a_word("scenario"));
	assert_false(is_a_word("importance")); /* `models` asks for it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_listed),
		cmocka_unit_test(test_tables_say_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
