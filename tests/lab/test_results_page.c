/* docs/results.md, held against the registries of tables and KPIs. */
#include "lab/kpi_list.h"
#include "lab/run.h"
#include "scenarios/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char page[100000];

static int read_page(void **state)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/docs/results.md", getenv("SOURCE"));
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
	return 0;
}

/* The line of the table of tables that begins with it, or goes on to it: "| `/models`, `/importance` | ...". */
static const char *row_of(const char *table, char row[2000])
{
	char name[100];
	snprintf(name, sizeof(name), "`/%s`", table);
	for (const char *line = page; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "\n"), n_first = n < 2 ? 0 : 2 + strcspn(line + 2, "|\n");
		snprintf(row, 2000, "%.*s", (int)(n_first < n ? n : 0), line);
		const char *found = strstr(row, name);
		if (row[0] == '|' && found != NULL && (size_t)(found - row) < n_first) {
			return row;
		}
	}
	return NULL;
}

static void tables_have_a_row_each(void **state)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	for (size_t i = 0; i < n; i++) {
		char row[2000], word[100];
		if (row_of(tables[i]->name, row) == NULL) {
			fail_msg("/%s has no row", tables[i]->name);
		}
		snprintf(word, sizeof(word), "`record: [%s]`", table_word(tables[i]));
		if (strstr(row, tables[i]->always ? "| always |" : word) == NULL) {
			fail_msg("/%s: its row does not say when it is written: %s", tables[i]->name, row);
		}
	}
}

/* `/series` is one wherever it is told of; so are `/`, `/scenario` and what stands in a path. */
static void there_are_no_other_tables(void **state)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	for (const char *at = page; (at = strstr(at, "`/")) != NULL; at++) {
		size_t n_name = strcspn(at + 2, "`");
		bool known = n_name == 0 || strncmp(at + 2, "scenario`", 9) == 0;
		for (size_t i = 0; i < n; i++) {
			known = known || (strlen(tables[i]->name) == n_name && strncmp(at + 2, tables[i]->name, n_name) == 0);
		}
		if (!known) {
			fail_msg("there is no table /%.*s", (int)n_name, at + 2);
		}
	}
}

static bool is_column(const char *name, size_t length)
{
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n = scenario_tables(tables, SCENARIO_TABLES_MAX);
	bool found = false;
	for (size_t i = 0; i < n; i++) {
		struct table_schema schema = table_describe(tables[i]);
		for (size_t c = 0; c < schema.n_columns; c++) {
			const char *column = schema.columns[c].name;
			found = found || (strlen(column) == length && strncmp(column, name, length) == 0);
		}
		free((void *)(uintptr_t)schema.columns);
	}
	return found;
}

/* Each name at which a paragraph of "What the numbers mean" begins, and each that ends in a unit. */
static void columns_are_columns(void **state)
{
	const char *from = strstr(page, "## What the numbers mean"), *until = strstr(page, "## Comparing arms");
	assert_true(from != NULL && until != NULL && from < until);
	size_t n_names = 0;
	for (const char *at = from; (at = strchr(at, '`')) != NULL && at < until; at += strcspn(at, "`") + 1) {
		bool first = strncmp(at - 2, "- ", 2) == 0;
		size_t n = strcspn(++at, "`");
		bool has_unit = n > 2 && strncmp(at + n - 2, "_s", 2) == 0;
		bool is_family = n > 0 && at[n - 1] == '*'; /* `commit_*` */
		n_names += first || has_unit;
		if ((first || has_unit) && !is_family && !is_column(at, n)) {
			fail_msg("there is no column `%.*s`", (int)n, at);
		}
	}
	assert_true(n_names > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_have_a_row_each),
		cmocka_unit_test(there_are_no_other_tables),
		cmocka_unit_test(columns_are_columns),
	};
	return cmocka_run_group_tests(tests, read_page, NULL);
}
