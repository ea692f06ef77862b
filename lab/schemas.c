/* The columns of a result file. */
#include "lab/run.h"

#include "workloads/items.h"
#include "workloads/workload.h"

#include <stdlib.h>
#include <string.h>

static const struct column runs_verdict[] = {
	{"verdict", COLUMN_STRING, "", "completed, stalled, unsafe, limit or failed"},
	{"verdict_reason", COLUMN_STRING, "", "why, in words"},
};

static const struct column runs_last[] = {
	{"digest", COLUMN_STRING, "", "XXH3-128 over every executed event and every decision"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Columns that come together. */
struct columns {
	struct column *all;
	size_t n, capacity;
};

static void add(struct columns *columns, const struct column *column, const char *value_unit)
{
	if (columns->n == columns->capacity) {
		columns->capacity = columns->capacity == 0 ? 16 : 2 * columns->capacity;
		columns->all = realloc(columns->all, columns->capacity * sizeof(*columns->all));
		if (columns->all == NULL) {
			abort();
		}
	}
	struct column *own = &columns->all[columns->n++];
	*own = *column;
	if (strcmp(own->unit, UNIT_OF_VALUES) == 0) {
		own->unit = value_unit;
	}
}

static void add_all(struct columns *columns, const struct column *list, const char *value_unit)
{
	for (; list != NULL && list->name != NULL; list++) {
		add(columns, list, value_unit);
	}
}

static void add_features(struct columns *columns, const struct app *app)
{
	const struct items_app *items = items_of(app);
	for (size_t i = 0; items != NULL && i < items->n_features; i++) {
		const struct column feature = {
			items->feature_names[i], COLUMN_REAL, "", "the feature as it is seen, with its noise and drift"};
		add(columns, &feature, "");
	}
}

static bool any_point_has(const struct scenario_file *file, const struct plugin *workload)
{
	for (size_t i = 0; file != NULL && i < scenario_n_points(file); i++) {
		if (scenario_point(file, i)->workload.plugin == workload) {
			return true;
		}
	}
	return file == NULL;
}

/* Those of the applications that the file has, each name once. */
static void add_command_columns(struct columns *columns, const struct scenario_file *file, const char *value_unit)
{
	for (size_t i = 0; workload_registry.plugins[i] != NULL; i++) {
		const struct app *app = (const struct app *)workload_registry.plugins[i];
		const struct column *own = any_point_has(file, &app->plugin) ? app->command_columns : NULL;
		for (; own != NULL && own->name != NULL; own++) {
			const struct table_schema there = {columns->n, columns->all};
			if (schema_find(&there, own->name) < 0) {
				add(columns, own, value_unit);
			}
		}
	}
}

static const char *unit_of(const struct app *app)
{
	return app->value_unit == NULL ? "" : app->value_unit;
}

static struct columns columns_of(const struct table *table, const struct scenario_file *file, const struct app *app)
{
	struct columns columns = {0};
	add_all(&columns, table->columns, unit_of(app));
	if (table->features) {
		add_features(&columns, app);
	}
	if (table == &result_tables[TABLE_TRANSACTIONS]) {
		add_command_columns(&columns, file, unit_of(app));
	}
	return columns;
}

static void add_swept(struct columns *columns, const struct scenario_file *file)
{
	for (size_t i = 0; i < scenario_n_swept(file); i++) {
		const struct column swept = {scenario_swept_key(file, i),
			scenario_swept_is_int(file, i)        ? COLUMN_INT
				: scenario_swept_is_real(file, i) ? COLUMN_REAL
												  : COLUMN_STRING,
			scenario_swept_unit(file, i), "swept"};
		add(columns, &swept, "");
	}
}

/* The columns of /runs behind the first ones. */
static void add_runs(
	struct columns *columns, const struct scenario_file *file, const struct kpi_list *kpis, const char *value_unit)
{
	if (file != NULL) {
		add_swept(columns, file);
	}
	for (size_t i = 0; i < COUNT(runs_verdict); i++) {
		add(columns, &runs_verdict[i], "");
	}
	for (size_t i = 0; i < kpis->n; i++) {
		const struct column column = kpi_column(kpis->kpis[i], value_unit);
		add(columns, &column, value_unit);
	}
	add(columns, &runs_last[0], "");
}

static bool any_point_has_faults(const struct scenario_file *file)
{
	for (size_t i = 0; i < scenario_n_points(file); i++) {
		if (scenario_point(file, i)->faults.n > 0) {
			return true;
		}
	}
	return false;
}

/* Does some point's application bring it? */
static bool is_brought(const struct scenario_file *file, const struct table *table)
{
	const struct plugin *apps[REGISTRIES_MAX];
	size_t n = scenario_table_bringers(table, apps, REGISTRIES_MAX);
	bool found = false;
	for (size_t i = 0; i < n; i++) {
		found = found || any_point_has(file, apps[i]);
	}
	return found;
}

void run_schemas_init(struct run_schemas *schemas, const struct scenario_file *file)
{
	const struct scenario *scenario = scenario_point(file, 0);
	const struct app *app = (const struct app *)scenario->workload.plugin;
	*schemas = (struct run_schemas){.n_swept = scenario_n_swept(file)};
	kpi_list_init(&schemas->kpis, file);
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX), next = TABLE_N;
	for (size_t i = 0; i < n; i++) {
		bool ours = i < TABLE_N;
		if (!scenario_records(scenario, tables[i]) || (tables[i]->faults && !any_point_has_faults(file)) ||
			(!ours && !is_brought(file, tables[i]))) {
			continue;
		}
		struct columns columns = columns_of(tables[i], file, app);
		if (i == TABLE_RUNS) {
			add_runs(&columns, file, &schemas->kpis, unit_of(app));
		}
		assert(ours || next < TABLES_MAX);
		schemas->tables[ours ? i : next++] =
			(struct table_schema){columns.n, columns.all, ours ? NULL : tables[i]->name};
	}
}

enum table_id run_schemas_find(const struct run_schemas *schemas, const char *name)
{
	enum table_id table = 0;
	while (table < TABLES_MAX && (schemas->tables[table].n_columns == 0 ||
		strcmp(schema_name(&schemas->tables[table], table), name) != 0)) {
		table++;
	}
	return table;
}

struct table_schema table_describe(const struct table *table)
{
	static const char unit[] = "the workload's unit";
	struct columns columns = {0};
	add_all(&columns, table->columns, unit);
	if (table == &result_tables[TABLE_RUNS]) {
		struct kpi_list kpis;
		kpi_list_init(&kpis, NULL);
		add_runs(&columns, NULL, &kpis, unit);
	}
	if (table == &result_tables[TABLE_TRANSACTIONS]) {
		add_command_columns(&columns, NULL, unit);
	}
	return (struct table_schema){columns.n, columns.all};
}

void run_schemas_finish(struct run_schemas *schemas)
{
	for (int i = 0; i < TABLES_MAX; i++) {
		free((void *)(uintptr_t)schemas->tables[i].columns);
	}
	*schemas = (struct run_schemas){0};
}
