/* A run's record in a journal: its head (run, number of rows and bytes of text per table), then the cells and the text
 * of each table as they are in memory, all under one XXH3 checksum in the head. */
#ifndef RESULTS_RECORD_H
#define RESULTS_RECORD_H

#include "results/results.h"

#include <sys/uio.h>

/* Where each table's cells and text lie in a record. */
struct record_layout {
	uint64_t cells[TABLES_MAX], text[TABLES_MAX]; /* offsets from the record's start */
	uint64_t bytes;                               /* of the whole record */
};

/* A record read whole, in memory that is used again for the next. */
struct record_buffer {
	unsigned char *bytes;
	size_t capacity;
	struct record_layout layout;
	uint64_t run;
};

enum read_result { READ_WHOLE, READ_SHORT, READ_FAILED };

/* All of it, or READ_SHORT where the file ends before; READ_FAILED with errno. */
enum read_result read_at(int fd, void *into, size_t bytes, uint64_t offset);
/* All of it; false with errno. `parts` is used up. */
bool write_at(int fd, struct iovec *parts, int n_parts, uint64_t offset);

/* Reads and checks the record at `offset` of a file of `file_bytes`; READ_SHORT where there is no whole one. */
enum read_result record_read(int fd, const struct table_schema schemas[TABLES_MAX], uint64_t n_runs,
	uint64_t offset, uint64_t file_bytes, struct record_buffer *buffer);
/* The rows of a table of a record that was read, borrowed: not to be finished or appended to. */
struct block record_block(
	const struct table_schema schemas[TABLES_MAX], const struct record_buffer *buffer, enum table_id table);
/* Writes one at `offset`; its bytes, or 0 with errno. */
uint64_t record_write(int fd, const struct table_schema schemas[TABLES_MAX], uint64_t run,
	const struct block *const blocks[TABLES_MAX], uint64_t offset);

#endif
