/* Cells by their column's name, for what tells a row in a sentence: a file of another version may lack a
 * column. */
#ifndef RESULTS_SHOW_ROW_H
#define RESULTS_SHOW_ROW_H

#include "results/results.h"

struct show_row {
	const struct block *block;
	const struct table_schema *schema;
	size_t row;
};

/* -1, NaN, "" where there is no such column of that type. */
int64_t row_int(const struct show_row *row, const char *column);
double row_real(const struct show_row *row, const char *column);
const char *row_string(const struct show_row *row, const char *column);

/* "0.123456789 s": to the nanosecond, without zeros at the end. */
#define SHOW_TIME 32
void show_time(double seconds, char out[SHOW_TIME]);

/* A run's settings and seed, from the table of runs: "run 3 (protocol raft, seed 17)". */
void show_run(struct results_file *file, int64_t run, FILE *out);

/* What is broken, a sentence each, and how to see it again. Nothing where nothing is. */
int show_violations(struct results_file *file, FILE *out, struct results_error *error);

#endif
