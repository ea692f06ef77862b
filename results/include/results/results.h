/* Result files (HDF5, format 2): journal, writer, reader, difference.
 *
 * Life of a result: while runs finish, each is appended to a journal beside the final name
 * (`OUT.h5.journal`), in any order; a record that was cut off by a kill is dropped at reading. When all
 * runs are there, one pass writes `OUT.h5.partial` in order of runs, flushes, syncs and renames it, and
 * the journal goes. So a file under its final name is whole, and its bytes depend only on what was run.
 *
 * Errors of the environment come back as a sentence with the path and the cause, in `error`. */
#ifndef RESULTS_RESULTS_H
#define RESULTS_RESULTS_H

#include "results/table.h"

#include <stdbool.h>
#include <stdio.h>

#define RESULTS_FORMAT "synod-results"
#define RESULTS_FORMAT_VERSION 2 /* which is written; 1 is read as well */

struct results_error {
	char text[512];
	bool other; /* what is there belongs to another scenario or version: the user's error, not the disk's */
};

/* What the file says of itself: the attributes of `/`. */
struct results_header {
	const char *scenario;      /* the text, with every --set applied */
	const char *synod_version;
	const char *source;        /* git describe of the build */
	uint64_t seed;
};

/* The rows of one finished run; schema comes from the sweep. */
struct run_blocks {
	struct block tables[TABLES_MAX];
};

void run_blocks_finish(struct run_blocks *blocks);

/* What a sweep finds under the name that its result is to have. */
enum results_found {
	FOUND_NOTHING,        /* or what `force` may replace, or something that is no file: journal_open will tell */
	FOUND_FINISHED,       /* the whole result of this very sweep: nothing is left to run */
	FOUND_OTHER_SCENARIO, /* of this version of synod; `error` */
	FOUND_OTHER_VERSION,  /* `error` */
	FOUND_FOREIGN,        /* never a result of synod's, and never replaced; `error` */
	FOUND_UNREADABLE,     /* a damaged one; `error` */
};
enum results_found results_find(const char *path, const struct results_header *header, bool force,
	struct results_error *error);
/* Is there a journal, or what has its name, beside it? */
bool results_begun(const char *path);

/* The journal. Not thread-safe: the caller holds a lock around journal_append. */
struct journal;

/* Opens the journal beside `path` for a sweep of n_runs. `header` and the schemas go into it, so that a
 * journal of another scenario, version or schema is refused. With `resume`, an existing journal is read
 * and the runs it holds are marked in it; without, it is begun anew. What is not ours is never written over
 * or through. NULL on error. */
struct journal *journal_open(const char *path, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], uint64_t n_runs, bool resume,
	struct results_error *error);
/* One without a name and a result to come of it: it keeps the rows of /runs in memory, for a process that is
 * to take the place of this one. `fd`: the descriptor that such a process was handed, or -1. NULL on error. */
struct journal *journal_open_nameless(int fd, const struct results_header *header,
	const struct table_schema schemas[TABLES_MAX], uint64_t n_runs, struct results_error *error);
int journal_descriptor(const struct journal *journal);
/* False: the file system has no locks (some network file systems), so that nothing keeps a second synod out. */
bool journal_is_locked(const struct journal *journal);
bool journal_holds(const struct journal *journal, uint64_t run);
uint64_t journal_count(const struct journal *journal);
/* Appends one run and flushes it to the system. */
bool journal_append(struct journal *journal, uint64_t run, const struct run_blocks *blocks,
	struct results_error *error);
/* Hands out the rows of /runs (one each) of the runs that it holds, in order of runs. */
typedef void journal_visitor(void *context, const struct table_schema *schema, const struct block *row);
bool journal_visit(struct journal *journal, journal_visitor *visit, void *context,
	struct results_error *error);
/* Closes it and leaves the file for --resume. */
void journal_close(struct journal *journal);
/* Writes the result file from a journal that holds every run, renames it into place and removes the
 * journal. Closes the journal in any case; on error it stays on disk. */
bool journal_complete(struct journal *journal, struct results_error *error);

/* Reading. A file is opened whole and read table by table. */
struct results_file;

struct results_file *results_open(const char *path, struct results_error *error);
void results_close(struct results_file *file);
const struct results_header *results_header(const struct results_file *file);
/* The table, read at first use; NULL where the file has none (not an error: `error` stays empty) or it
 * can't be read (error says why). Owned by the file. */
const struct block *results_table(struct results_file *file, enum table_id table,
	const struct table_schema **schema, struct results_error *error);
/* The same in portions, for those who can't hold tens of millions of rows in memory. The table's schema, or NULL
 * where the file has no such table; owned by the file. */
const struct table_schema *results_schema(const struct results_file *file, enum table_id table);
/* Its number in this file, there or not; TABLE_NONE: there is no such table at all. */
enum table_id results_find_table(const struct results_file *file, const char *name);
uint64_t results_n_rows(const struct results_file *file, enum table_id table);

/* Replaces the block's rows by n_rows of the table's, from `first` on. */
bool results_read(struct results_file *file, enum table_id table, uint64_t first, size_t n_rows,
	struct block *block, struct results_error *error);
/* Index of a column by name, or -1. */
int schema_find(const struct table_schema *schema, const char *name);

/* Compares two files. 0: equal; 1: differ, with the first difference in words on `out` (run, item,
 * field, both values); -1: an error. Differences of `source` alone are said too. */
int results_diff(const char *path_a, const char *path_b, FILE *out, struct results_error *error);

#endif
