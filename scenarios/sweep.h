/* A scenario's sweep: which points there are and what each sets.
 *
 * `sweep:` maps dotted paths to lists; the points are their cross product, in the order in which
 * they are written, the last varying fastest. The lists of `zip:` run side by side and together are
 * one more list, after all of `sweep:`. Where one path lies below another (protocol,
 * protocol.batch) the upper one is set first, whatever their order. */
#ifndef SWEEP_H
#define SWEEP_H

#include "check.h"

#define SWEEP_POINTS_MAX 1000000

struct sweep_key {
	const char *path;
	struct place place;
	size_t dimension;
	size_t n;
	struct swept_cell *cells;
};

struct sweep {
	size_t n_keys;
	struct sweep_key *keys; /* as written */
	size_t *by_depth;       /* in the order in which they are set */
	size_t n_dimensions;
	size_t *sizes;
	size_t n_points;
};

/* Reads `sweep` and `zip` of a scenario; without them there is one point. */
bool sweep_read(struct arena *arena, const struct tree *root, struct sweep *out,
	struct diagnostics *diagnostics);

/* May the path be swept? The title, the seed and their like are the same at every point. */
bool sweep_allows(const char *path);

/* Which of a key's values a point has. */
size_t sweep_index(const struct sweep *sweep, size_t point, size_t key);

/* The scenario at a point, without `sweep` and `zip`. A path that leads nowhere is an error and
 * changes nothing, so that the rest can be checked. */
const struct tree *sweep_point(const struct sweep *sweep, struct arena *arena,
	const struct tree *root, size_t point, struct diagnostics *diagnostics);

/* Sets a key on the command line. What is set so is no longer swept, which a remark says; what is set below a
 * swept key is set in each of its values. A sweep on the command line is given first, and what it sweeps can't
 * be set as well. NULL with an error where that is tried or the path leads nowhere. */
struct tree *sweep_override(struct arena *arena, const struct tree *root, const char *path,
	struct tree *value, struct diagnostics *diagnostics);

#endif
