/* Numbers from CSV files: commas, a header row, quotes where a name needs them. Blank lines and
 * lines that begin with # are passed over. */
#ifndef CSV_H
#define CSV_H

#include "sim/arena.h"
#include "sim/param.h"

#define CSV_BYTES_MAX (256u << 20)

/* Reads a file; a `matrix` is square, its first column holds the rows' names, and those are the
 * header's in the same order. Returns NULL with a sentence in `error` that names the line where
 * that helps. */
const struct csv_table *csv_read(
	struct arena *arena, const char *path, bool matrix, char error[256]);

/* Do both say the same, names and numbers? Either may be NULL, which equals nothing. */
bool csv_equal(const struct csv_table *a, const struct csv_table *b);

/* Reads a file of at most bytes_max bytes into malloc'ed memory that ends with NUL. NULL with the
 * cause in `error` where it can't be read or is larger. */
char *file_read(const char *path, size_t bytes_max, size_t *n_bytes, char error[256]);

#endif
