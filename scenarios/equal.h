/* Which points of a sweep are the same point, spelled in two ways.
 *
 * Two such points would count as independent runs and are not: replications share their seeds. What is
 * compared is what the points came to, so that 100 ms is 0.1 s, and `auto` is the value that it stands for. */
#ifndef EQUAL_H
#define EQUAL_H

#include "sweep.h"

/* Adds all that a point came to, so that equal bytes are equal settings. */
void settings_bytes(const struct scenario *point, struct text *out);

/* Adds an error for every way in which a point equals an earlier one, naming both. Expected O(points). */
void equal_points(const struct sweep *sweep, const size_t *origins, const struct scenario *points,
	size_t n_points, struct diagnostics *diagnostics);

#endif
