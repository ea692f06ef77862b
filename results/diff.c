/* Says where two result files differ first: what they say of themselves, then their tables in
 * order, each by its columns and then row by row. Both are read in portions. */
#include "reader.h"

#include "cells.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

struct sides {
	struct results_file *a, *b;
	const char *path_a, *path_b;
	FILE *out;
};

static bool lesser(uint64_t a, uint64_t b)
{
	return a < b;
}

static bool diff_text(const struct sides *sides, const char *name, const char *a, const char *b)
{
	if (strcmp(a, b) == 0) {
		return false;
	}
	fprintf(
		sides->out, "%s: \"%s\" in %s, \"%s\" in %s\n", name, a, sides->path_a, b, sides->path_b);
	return true;
}

/* The first line in which two scenarios differ; without the line where one ends before it. */
static bool diff_scenario(const struct sides *sides, const char *a, const char *b)
{
	if (strcmp(a, b) == 0) {
		return false;
	}
	unsigned line = 1;
	for (;;) {
		size_t bytes_a = strcspn(a, "\n"), bytes_b = strcspn(b, "\n");
		bool same = bytes_a == bytes_b && memcmp(a, b, bytes_a) == 0 && a[bytes_a] == b[bytes_b];
		if (!same) {
			fprintf(sides->out, "scenario, line %u: \"%.*s\"%s in %s, \"%.*s\"%s in %s\n", line,
				(int)bytes_a, a, a[bytes_a] ? "" : " (its end)", sides->path_a, (int)bytes_b, b,
				b[bytes_b] ? "" : " (its end)", sides->path_b);
			return true;
		}
		a += bytes_a + 1;
		b += bytes_b + 1;
		line++;
	}
}

static bool diff_header(const struct sides *sides)
{
	const struct results_header *a = results_header(sides->a), *b = results_header(sides->b);
	bool differ = diff_text(sides, "synod_version", a->synod_version, b->synod_version);
	differ |= diff_text(sides, "source", a->source, b->source);
	if (a->seed != b->seed) {
		fprintf(sides->out, "seed: %" PRIu64 " in %s, %" PRIu64 " in %s\n", a->seed, sides->path_a,
			b->seed, sides->path_b);
		differ = true;
	}
	differ |= diff_scenario(sides, a->scenario, b->scenario);
	return differ;
}

static const char *type_name(enum column_type type)
{
	static const char *const names[] = {
		[COLUMN_REAL] = "real", [COLUMN_INT] = "integer", [COLUMN_STRING] = "string"};
	return names[type];
}

static bool diff_columns(const struct sides *sides, const char *table, const struct table_schema *a,
	const struct table_schema *b)
{
	size_t n = lesser(a->n_columns, b->n_columns) ? a->n_columns : b->n_columns;
	for (size_t i = 0; i < n; i++) {
		const struct column *ca = &a->columns[i], *cb = &b->columns[i];
		if (strcmp(ca->name, cb->name) != 0) {
			fprintf(sides->out, "%s, column %zu: %s in %s, %s in %s\n", table, i, ca->name,
				sides->path_a, cb->name, sides->path_b);
			return true;
		}
		const struct {
			const char *what, *in_a, *in_b;
		} texts[] = {
			{"type", type_name(ca->type), type_name(cb->type)},
			{"unit", ca->unit, cb->unit},
			{"help", ca->help, cb->help},
			{"label", ca->label, cb->label},
			{"sort", column_sorts[ca->sort], column_sorts[cb->sort]},
			{"share_of", ca->share_of, cb->share_of},
			{"better", ca->more_is_better ? "more" : "", cb->more_is_better ? "more" : ""},
		};
		for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
			if (strcmp(texts[k].in_a, texts[k].in_b) != 0) {
				fprintf(sides->out, "%s, column %s, its %s: \"%s\" in %s, \"%s\" in %s\n", table, ca->name,
					texts[k].what, texts[k].in_a, sides->path_a, texts[k].in_b, sides->path_b);
				return true;
			}
		}
	}
	if (a->n_columns != b->n_columns) {
		bool more_in_a = a->n_columns > b->n_columns;
		fprintf(sides->out, "%s: only %s has the column %s\n", table,
			more_in_a ? sides->path_a : sides->path_b, (more_in_a ? a : b)->columns[n].name);
		return true;
	}
	return false;
}

/* Reals by their bits: -0 is not 0, and every NaN was made the one NaN at reading. */
static bool cells_equal(enum column_type type, union cell a, union cell b)
{
	if (type == COLUMN_STRING) {
		return strcmp(a.string, b.string) == 0;
	}
	return a.integer == b.integer;
}

static void print_key(FILE *out, const struct table_schema *schema, const struct block *block,
	size_t row, const char *name)
{
	int column = schema_find(schema, name);
	if (column >= 0) {
		fprintf(out, ", %s ", name);
		cell_print(
			out, &schema->columns[column], block_get(block, schema, row, (size_t)column), 17);
	}
}

static void print_quoted(FILE *out, const struct column *column, union cell cell)
{
	const char *quote = column->type == COLUMN_STRING ? "\"" : "";
	fputs(quote, out);
	cell_print(out, column, cell, 17);
	fputs(quote, out);
}

static bool diff_blocks(const struct sides *sides, const char *table,
	const struct table_schema *schema, const struct block *a, const struct block *b, uint64_t first)
{
	for (size_t row = 0; row < a->n_rows; row++) {
		for (size_t i = 0; i < schema->n_columns; i++) {
			const struct column *column = &schema->columns[i];
			union cell in_a = block_get(a, schema, row, i), in_b = block_get(b, schema, row, i);
			if (cells_equal(column->type, in_a, in_b)) {
				continue;
			}
			fprintf(sides->out, "%s", table);
			print_key(sides->out, schema, a, row, "run");
			print_key(sides->out, schema, a, row, "item");
			fprintf(sides->out, ", row %" PRIu64 ", %s: ", first + row, column->name);
			print_quoted(sides->out, column, in_a);
			fprintf(sides->out, " in %s, ", sides->path_a);
			print_quoted(sides->out, column, in_b);
			fprintf(sides->out, " in %s\n", sides->path_b);
			return true;
		}
	}
	return false;
}

/* 0: equal; 1: differ; -1: an error. */
static int diff_rows(const struct sides *sides, enum table_id table, enum table_id in_b, struct results_error *error)
{
	const char *name = schema_name(results_schema(sides->a, table), table);
	uint64_t n_a = results_n_rows(sides->a, table), n_b = results_n_rows(sides->b, in_b);
	uint64_t n = lesser(n_a, n_b) ? n_a : n_b;
	if (n_a != n_b) {
		fprintf(sides->out, "%s: %" PRIu64 " rows in %s, %" PRIu64 " in %s\n", name, n_a,
			sides->path_a, n_b, sides->path_b);
	}
	struct block a = {0}, b = {0};
	int result = n_a != n_b;
	bool found = false;
	for (uint64_t first = 0; first < n && !found && result >= 0; first += READER_ROWS) {
		size_t n_rows = n - first < READER_ROWS ? n - first : READER_ROWS;
		if (!results_read(sides->a, table, first, n_rows, &a, error) ||
			!results_read(sides->b, in_b, first, n_rows, &b, error)) {
			result = -1;
		} else if (diff_blocks(sides, name, results_schema(sides->a, table), &a, &b, first)) {
			found = true;
			result = 1;
		}
	}
	block_finish(&a);
	block_finish(&b);
	return result;
}

/* Its number in the other file; tables that applications bring have it from what else there is. */
static enum table_id other_id(const struct results_file *other, enum table_id table, const struct table_schema *schema)
{
	return table < TABLE_N ? table : results_find_table(other, schema->name);
}

/* The schema, or NULL where there is no such table. */
static const struct table_schema *schema_at(const struct results_file *file, enum table_id table)
{
	return table < TABLES_MAX ? results_schema(file, table) : NULL;
}

static int only_one_has(const struct sides *sides, const char *name, const char *path)
{
	fprintf(sides->out, "%s: only %s has this table\n", name, path);
	return 1;
}

static int diff_tables(const struct sides *sides, struct results_error *error)
{
	for (enum table_id i = 0; i < TABLES_MAX; i++) {
		const struct table_schema *a = results_schema(sides->a, i), *b = results_schema(sides->b, i);
		if (a) {
			const char *name = schema_name(a, i);
			enum table_id in_b = other_id(sides->b, i, a);
			const struct table_schema *its = schema_at(sides->b, in_b);
			if (!its) {
				return only_one_has(sides, name, sides->path_a);
			}
			if (diff_columns(sides, name, a, its)) {
				return 1;
			}
			int result = diff_rows(sides, i, in_b, error);
			if (result != 0) {
				return result;
			}
		}
		if (b && !schema_at(sides->a, other_id(sides->a, i, b))) {
			return only_one_has(sides, schema_name(b, i), sides->path_b);
		}
	}
	return 0;
}

int results_diff(const char *path_a, const char *path_b, FILE *out, struct results_error *error)
{
	error->text[0] = '\0';
	int result = -1;
	struct sides sides = {.path_a = path_a, .path_b = path_b, .out = out};
	sides.a = results_open(path_a, error);
	if (sides.a) {
		sides.b = results_open(path_b, error);
	}
	if (sides.a && sides.b) {
		bool headers_differ = diff_header(&sides);
		result = diff_tables(&sides, error);
		if (result == 0 && headers_differ) {
			fprintf(out, "All else is equal, every table row for row.\n");
			result = 1;
		}
	}
	results_close(sides.a);
	results_close(sides.b);
	return result;
}
