/* All registries that a scenario can name, found by way of the parameters that take a plugin; and all tables. */
#include "scenarios/scenario.h"

#include "workloads/app.h"
#include "workloads/workload.h"

#include <string.h>

static size_t find(const struct param *table, const struct registry **out, size_t n, size_t max)
{
	for (const struct param *param = table; param && param->name; param++) {
		bool known = !param->registry;
		for (size_t i = 0; i < n && !known; i++) {
			known = !strcmp(out[i]->plural, param->registry->plural);
		}
		if (known || n == max) {
			continue;
		}
		out[n++] = param->registry;
		for (size_t i = 0; param->registry->plugins[i]; i++) {
			n = find(param->registry->plugins[i]->params, out, n, max);
		}
	}
	return n;
}

size_t scenario_registries(const struct registry **out, size_t max)
{
	return find(scenario_params, out, 0, max);
}

static bool is_among(const char *name, const struct table *const *tables, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(tables[i]->name, name) == 0) {
			return true;
		}
	}
	return false;
}

size_t scenario_tables(const struct table **out, size_t max)
{
	size_t n = 0;
	for (; n < TABLE_N && n < max; n++) {
		out[n] = &result_tables[n];
	}
	for (size_t i = 0; workload_registry.plugins[i] != NULL; i++) {
		const struct app *app = (const struct app *)workload_registry.plugins[i];
		for (const struct table *table = app->tables; table != NULL && table->name != NULL; table++) {
			if (n < max && !is_among(table->name, out, n)) {
				out[n++] = table;
			}
		}
	}
	return n;
}

size_t scenario_table_bringers(const struct table *table, const struct plugin **out, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; workload_registry.plugins[i] != NULL && n < max; i++) {
		const struct app *app = (const struct app *)workload_registry.plugins[i];
		const struct table *own = app->tables;
		while (own != NULL && own->name != NULL && strcmp(own->name, table->name) != 0) {
			own++;
		}
		if (own != NULL && own->name != NULL) {
			out[n++] = &app->plugin;
		}
	}
	return n;
}

const char *scenario_record_word(size_t i)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	for (size_t t = 0; t < n; t++) {
		if (!tables[t]->always && tables[t]->with == NULL && i-- == 0) {
			return tables[t]->name;
		}
	}
	return NULL;
}

static bool names_it(const struct name_list *names, const char *name)
{
	bool found = false;
	for (size_t i = 0; i < names->n && name != NULL; i++) {
		found |= strcmp(names->names[i], name) == 0;
	}
	return found;
}

bool scenario_records(const struct scenario *scenario, const struct table *table)
{
	return table->always || names_it(&scenario->record, table_word(table)) || names_it(&scenario->record, table->too);
}
