/* What a read scenario file holds; all of it in its arena. */
#ifndef SCENARIO_FILE_H
#define SCENARIO_FILE_H

#include "sweep.h"

struct scenario_file {
	struct arena arena;
	struct source source;
	const char *directory; /* that relative paths start from; NULL: the working directory */
	const char *text;
	const struct tree *root; /* with the overrides laid over it */
	struct sweep sweep;
	size_t n_points;   /* of those that the sweep has, without what was skipped */
	size_t *origins;   /* which of the sweep's each of them is */
	struct scenario *points;
};

/* Lays one `dotted.path=value` over the tree; returns the old one, with an error, where it can't be.
 * `rank` orders the messages of several. */
const struct tree *scenario_override(struct arena *arena, const struct tree *root, const char *set,
	unsigned rank, struct diagnostics *diagnostics);

#endif
