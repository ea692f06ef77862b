/* Writes one result file: made with its final sizes, then filled table by table, rows in any
 * portions.
 *
 * The number of rows and the width of every string column are known before the first row, so that
 * each table is one contiguous stretch of the file and is written as it streams by; memory is one
 * buffer of about 1 MB a table. The bytes depend on header, schemas and rows only, never on the
 * portions. */
#ifndef RESULTS_WRITER_H
#define RESULTS_WRITER_H

#include "results/results.h"

/* What must be known of a table in advance. */
struct table_extent {
	uint64_t n_rows;
	size_t *widths; /* per column; of strings the longest in bytes; ignored for numbers */
};

struct writer;

/* Creates the file at `path`; what an earlier writer left there is replaced, anything else is not. Header, schemas
 * and extents are borrowed until writer_close. NULL on error. */
struct writer *writer_create(const char *path, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], const struct table_extent extents[TABLES_MAX],
	struct results_error *error);
/* Appends the block's rows to a table. No string may be longer than the width that was announced.
 */
bool writer_append(struct writer *writer, enum table_id table, const struct block *block,
	struct results_error *error);
/* Writes out what is buffered, closes the file and syncs it to the disk; asserts that every
 * announced row has come, where `whole`. Frees the writer in any case; what was not written whole is removed. */
bool writer_close(struct writer *writer, bool whole, struct results_error *error);

#endif
