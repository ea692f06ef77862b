#include "show_row.h"

#include "cells.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static int find(const struct show_row *row, const char *column, enum column_type type)
{
	int at = schema_find(row->schema, column);
	return at >= 0 && row->schema->columns[at].type == type ? at : -1;
}

int64_t row_int(const struct show_row *row, const char *column)
{
	int at = find(row, column, COLUMN_INT);
	return at < 0 ? -1 : block_get(row->block, row->schema, row->row, (size_t)at).integer;
}

double row_real(const struct show_row *row, const char *column)
{
	int at = find(row, column, COLUMN_REAL);
	return at < 0 ? NAN : block_get(row->block, row->schema, row->row, (size_t)at).real;
}

const char *row_string(const struct show_row *row, const char *column)
{
	int at = find(row, column, COLUMN_STRING);
	return at < 0 ? "" : block_get(row->block, row->schema, row->row, (size_t)at).string;
}

void show_time(double seconds, char out[SHOW_TIME])
{
	snprintf(out, SHOW_TIME - 2, "%.9f", seconds);
	if (strchr(out, '.') != NULL) {
		size_t n = strlen(out);
		while (out[n - 1] == '0') {
			out[--n] = '\0';
		}
		if (out[n - 1] == '.') {
			out[n - 1] = '\0';
		}
	}
	strcat(out, " s");
}

void show_run(struct results_file *file, int64_t run, FILE *out)
{
	struct results_error ignored = {{0}};
	struct show_row row = {0};
	fprintf(out, "run %" PRId64, run);
	row.block = results_table(file, TABLE_RUNS, &row.schema, &ignored);
	if (row.block == NULL) {
		return;
	}
	for (; row.row < row.block->n_rows && row_int(&row, "run") != run; row.row++) {
	}
	if (row.row == row.block->n_rows) {
		return;
	}
	fprintf(out, " (");
	/* The swept keys stand between the run's seed and its verdict. */
	int verdict = schema_find(row.schema, "verdict");
	for (int i = schema_find(row.schema, "seed") + 1; i > 0 && i < verdict; i++) {
		const struct column *column = &row.schema->columns[i];
		fprintf(out, "%s ", column->name);
		cell_print(out, column, block_get(row.block, row.schema, row.row, (size_t)i), 6);
		fprintf(out, ", ");
	}
	fprintf(out, "seed %" PRId64 ")", row_int(&row, "seed"));
}
