/* A finished sweep within a larger one: more replications, more points, or both.
 *
 * A run depends on its settings and its replication alone, so that those of the finished result are what the larger
 * sweep would have given; only their numbers, and the columns of swept keys, are others. */
#ifndef LAB_EXTEND_H
#define LAB_EXTEND_H

#include "lab/run.h"

struct extension;

/* Does the sweep of `file` hold every run of the result at `path`? `directory`: from where relative paths in its
 * scenario are taken. NULL where it doesn't, or the result can't be read. */
struct extension *extension_open(const char *path, const char *directory, const struct scenario_file *file,
	const struct run_schemas *schemas);
void extension_close(struct extension *extension);

/* Takes over every run that the journal does not hold, but those that failed, which are run again. How many;
 * -1 with `error`. */
int64_t extension_copy(
	struct extension *extension, struct journal *journal, struct results_error *error);

#endif
