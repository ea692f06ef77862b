/* Tidy tables in memory: the form in which rows travel from a run, through the journal, to the file.
 *
 * A table has a fixed list of typed columns. A block is some rows of one table, packed without padding:
 * doubles and int64 in little-endian 8 bytes, strings as a 32-bit offset into the block's text. Plain
 * types only: nothing here knows the engine. */
#ifndef RESULTS_TABLE_H
#define RESULTS_TABLE_H

#include "results/tables.h"

#include <stddef.h>
#include <stdint.h>

/* A file's tables are numbered: those of result_tables as there, then those that an application brings. */
struct table_schema {
	size_t n_columns; /* 0: the file has no such table */
	const struct column *columns;
	const char *name; /* of one that an application brings; NULL: result_tables has it */
};

static inline const char *schema_name(const struct table_schema *schema, enum table_id table)
{
	return table < TABLE_N ? result_tables[table].name : schema->name;
}

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
