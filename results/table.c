#include "results/table.h"

#include "memory.h"
#include "results/results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "cells go to disk as they are in memory");
_Static_assert(sizeof(double) == 8, "a cell holds the bits of a double");

const char *const column_sorts[SORT_N] = {
	[SORT_NONE] = "",
	[SORT_COUNT] = "count",
	[SORT_SHARE] = "share",
	[SORT_TIME] = "time",
	[SORT_VALUE] = "value",
};

void block_finish(struct block *block)
{
	free(block->cells);
	free(block->text);
	*block = (struct block){0};
}

/* Compilers and processors make NaNs of both signs and any payload; a file has one. */
static uint64_t real_bits(double real)
{
	if (real != real) {
		return UINT64_C(0x7ff8000000000000);
	}
	uint64_t bits;
	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

/* The offset of `string` in the block's text. A string equal to the one above it (a verdict, a kind
 * of transaction) shares its text, so that such a column costs little in a table of millions of
 * rows. */
static uint64_t text_offset(struct block *block, const char *string, const uint64_t *above)
{
	if (!string) {
		string = "";
	}
	if (above && strcmp(block->text + *above, string) == 0) {
		return *above;
	}
	assert(!block->text || string < block->text || string >= block->text + block->text_bytes);
	size_t bytes = strlen(string) + 1;
	block->text = memory_grow(block->text, 1, block->text_bytes + bytes, &block->text_capacity);
	memcpy(block->text + block->text_bytes, string, bytes);
	size_t offset = block->text_bytes;
	block->text_bytes += bytes;
	return offset;
}

void block_append(struct block *block, const struct table_schema *schema, const union cell *cells)
{
	size_t n = schema->n_columns;
	assert(n > 0);
	assert(block->n_cells == block->n_rows * n);
	block->cells = memory_grow(
		block->cells, sizeof(*block->cells), block->n_cells + n, &block->cells_capacity);
	uint64_t *row = block->cells + block->n_cells;
	for (size_t i = 0; i < n; i++) {
		switch (schema->columns[i].type) {
		case COLUMN_REAL:
			row[i] = real_bits(cells[i].real);
			break;
		case COLUMN_INT:
			row[i] = (uint64_t)cells[i].integer;
			break;
		case COLUMN_STRING:
			row[i] = text_offset(block, cells[i].string, block->n_rows ? row + i - n : NULL);
			break;
		}
	}
	block->n_cells += n;
	block->n_rows++;
}

union cell block_get(
	const struct block *block, const struct table_schema *schema, size_t row, size_t column)
{
	assert(row < block->n_rows);
	assert(column < schema->n_columns);
	uint64_t bits = block->cells[row * schema->n_columns + column];
	union cell cell = {.integer = 0};
	switch (schema->columns[column].type) {
	case COLUMN_REAL:
		memcpy(&cell.real, &bits, sizeof(bits));
		break;
	case COLUMN_INT:
		cell.integer = (int64_t)bits;
		break;
	case COLUMN_STRING:
		assert(bits < block->text_bytes);
		cell.string = block->text + bits;
		break;
	}
	return cell;
}

int schema_find(const struct table_schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n_columns; i++) {
		if (strcmp(schema->columns[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

void run_blocks_finish(struct run_blocks *blocks)
{
	for (int i = 0; i < TABLES_MAX; i++) {
		block_finish(&blocks->tables[i]);
	}
}
