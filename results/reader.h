/* Reading a table in portions: for those who can't hold tens of millions of rows in memory. */
#ifndef RESULTS_READER_H
#define RESULTS_READER_H

#include "results/results.h"

/* A portion that is worth a call and still small: 2^16 rows of 14 columns are 7 MB. */
#define READER_ROWS 65536

/* Opens the file at `path` that is known to be of a format's version, and sound; in messages it has a name of
 * its own. */
struct results_file *reader_open(
	const char *path, const char *name, int version, struct results_error *error);

void reader_set_version(struct results_file *file, int version);

/* Of the format: 1, which has no digest, or 2. */
int results_version(const struct results_file *file);
const char *results_path(const struct results_file *file);
#endif
