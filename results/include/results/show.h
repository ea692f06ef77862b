/* Result files for people: what is in one, and its tables as CSV. */
#ifndef RESULTS_SHOW_H
#define RESULTS_SHOW_H

#include "results/results.h"

/* Prints what the file says of itself, which tables and columns it has, the runs with their most
 * telling columns (at most 120 columns wide, 40 runs), how the runs ended, and, counted, with
 * a sentence for the first of each, which invariants broke and how to see that again. With conditions
 * (results/where.h), of the runs that they leave. 0, or -1 with `error` set. */
int results_show(struct results_file *file, const char *const *where, size_t n_where, FILE *out,
	struct results_error *error);

/* Prints a table as CSV: a line of column names, then a line a row. Numbers have 17 significant
 * digits, so that they read back as the same bits; undefined is NaN; quoting as in RFC 4180, lines
 * end in a line feed. Reads in portions: memory does not grow with the table. 0, or -1 with `error`
 * set: also where the file has no such table. With conditions: the rows of the runs that they leave. */
int results_show_csv(struct results_file *file, const char *table, const char *const *where, size_t n_where,
	FILE *out, struct results_error *error);

/* Tells one transaction's life in sentences, from its submission to its answer, and what became of its item
 * where that is recorded. Else `error` is set: 1 where transactions are not recorded (it says how they would
 * be) or the run has no such one, -1 where the file can't be read. Reads in portions. */
int results_show_transaction(struct results_file *file, int64_t run, int64_t transaction, FILE *out,
	struct results_error *error);

#endif
