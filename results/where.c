#include "results/where.h"

#include "memory.h"
#include "cells.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int64_t refuse(struct results_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int64_t refuse(struct results_error *error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	error->other = true;
	return -1;
}

/* The swept keys stand between `seed` and `verdict`. */
static void list_swept(const struct table_schema *schema, char *out, size_t size)
{
	int seed = schema_find(schema, "seed"), verdict = schema_find(schema, "verdict");
	size_t length = 0;
	out[0] = '\0';
	for (int i = seed + 1; i < verdict && length < size; i++) {
		length += (size_t)snprintf(out + length, size - length, "%s%s", i > seed + 1 ? ", " : "",
			schema->columns[i].name);
	}
}

/* The column that a condition names, or -1. */
static int column_of(const struct table_schema *schema, const char *condition, struct results_error *error)
{
	size_t length = strcspn(condition, "=");
	if (condition[length] != '=' || length == 0) {
		return (int)refuse(error, "a condition is KEY=VALUE, not `%.100s`", condition);
	}
	for (size_t i = 0; i < schema->n_columns; i++) {
		if (strlen(schema->columns[i].name) == length && strncmp(schema->columns[i].name, condition, length) == 0) {
			return (int)i;
		}
	}
	char swept[300];
	list_swept(schema, swept, sizeof(swept));
	return (int)refuse(error, "the runs have no `%.*s`; swept: %s (other columns too: `synod show`)",
		(int)(length < 100 ? length : 100), condition, swept[0] != '\0' ? swept : "nothing");
}

static bool is_value(const struct column *column, union cell cell, const char *value)
{
	if (column->type == COLUMN_STRING) {
		return strcmp(cell.string, value) == 0;
	}
	if (column->type == COLUMN_REAL && cell.real != cell.real) {
		return strcmp(value, "NaN") == 0;
	}
	char *end = NULL;
	double number = strtod(value, &end);
	return value[0] != '\0' && *end == '\0' &&
		number == (column->type == COLUMN_INT ? (double)cell.integer : cell.real);
}

/* Does the row have one of the values that the conditions on `column` allow? */
static bool allowed(const struct column *column, union cell cell, const char *const *where, size_t n_where)
{
	size_t length = strlen(column->name);
	for (size_t i = 0; i < n_where; i++) {
		if (strncmp(where[i], column->name, length) == 0 && where[i][length] == '=' &&
			is_value(column, cell, where[i] + length + 1)) {
			return true;
		}
	}
	return false;
}

int64_t results_where(struct results_file *file, const char *const *where, size_t n_where, size_t **rows,
	struct results_error *error)
{
	const struct table_schema *schema;
	error->text[0] = '\0';
	*rows = NULL;
	const struct block *runs = results_table(file, TABLE_RUNS, &schema, error);
	if (runs == NULL) {
		return -1;
	}
	for (size_t k = 0; k < n_where; k++) {
		if (column_of(schema, where[k], error) < 0) {
			return -1;
		}
	}
	*rows = memory_zeroed(runs->n_rows + 1, sizeof(**rows));
	size_t n = 0;
	for (size_t row = 0; row < runs->n_rows; row++) {
		(*rows)[n++] = row;
	}
	for (size_t k = 0; k < n_where; k++) {
		size_t column = (size_t)column_of(schema, where[k], error), n_left = 0;
		for (size_t i = 0; i < n; i++) {
			if (allowed(&schema->columns[column], block_get(runs, schema, (*rows)[i], column), where, n_where)) {
				(*rows)[n_left++] = (*rows)[i];
			}
		}
		if (n > 0 && n_left == 0) {
			free(*rows);
			*rows = NULL;
			return refuse(error, "no run has %.200s%s", where[k], k > 0 ? " and what comes before it" : "");
		}
		n = n_left;
	}
	return (int64_t)n;
}
