/* Tidy tables in memory: the form in which rows travel from a run, through the journal, to the file.
 *
 * A table has a fixed list of typed columns. A block is some rows of one table, packed without padding:
 * doubles and int64 in little-endian 8 bytes, strings as a 32-bit offset into the block's text. Plain
 * types only: nothing here knows the engine. */
#ifndef RESULTS_TABLE_H
#define RESULTS_TABLE_H

#include "results/column.h"

#include <stddef.h>
#include <stdint.h>

/* The tables of a result file, in this order in the file. */
enum table_id {
	TABLE_RUNS,
	TABLE_DECISIONS,
	TABLE_PREDICTIONS,
	TABLE_TRANSACTIONS,
	TABLE_VALIDATORS,
	TABLE_SERIES,
	TABLE_VIOLATIONS,
	TABLE_ROC,
	TABLE_MODELS,
	TABLE_IMPORTANCE,
	TABLE_FAULTS,
	TABLE_OBSERVATIONS,
	TABLE_TRAINING,
	TABLE_N
};

extern const char *const table_names[TABLE_N]; /* "runs", "decisions", ... */

struct table_schema {
	size_t n_columns;
	const struct column *columns;
};

struct block {
	size_t n_rows;
	size_t n_cells, cells_capacity;
	uint64_t *cells; /* n_rows * n_columns: bits of a double, an int64, or an offset into text */
	size_t text_bytes, text_capacity;
	char *text;
};

/* A block is ready when zeroed; block_finish leaves a zeroed one. */
void block_finish(struct block *block);
/* Appends one row of schema->n_columns cells; strings are copied. Every NaN becomes the one NaN. */
void block_append(struct block *block, const struct table_schema *schema, const union cell *cells);
union cell block_get(const struct block *block, const struct table_schema *schema, size_t row,
	size_t column);

#endif
