/* Where each run goes in a figure: which swept key runs along the axis, which is told by colour,
 * which by panel, and what becomes of the others.
 *
 * A key is *inert* for some values where changing it alone changes none of them, to the last bit,
 * in any replication: then only its first level is kept. Two keys that change together (a zip) are
 * one *alias* of the other. A key for which there is no room is *averaged*. What was done is said
 * in words. */
#ifndef ANALYSIS_LAYOUT_H
#define ANALYSIS_LAYOUT_H

#include "frame.h"

/* One visual variable: the combinations of its factors' levels that occur, in order. */
struct axis {
	size_t n_factors;
	size_t factors[FACTORS_MAX];
	size_t n;     /* at least 1: without factors everything is at 0 */
	char **names; /* for a legend or a tic, short */
	size_t *of_row;
};

enum axis_id { AXIS_X, AXIS_COLOUR, AXIS_TINT, AXIS_PANEL, AXIS_N };

struct layout {
	const struct frame *frame;
	bool *used;             /* rows that are shown */
	bool free[FACTORS_MAX]; /* factors that do matter and have no place yet */
	struct axis axes[AXIS_N];
	char inert[256]; /* labels of keys that change nothing, "a, b and c" */
	char aliased[256];
};

/* Finds out which keys matter for the n_sets arrays of values (one a row). Keys in `keep` (a set of
 * bits, one a factor) are never taken for inert. Then factors are given to axes, and layout_finish
 * numbers the rows. O(factors * rows log rows). */
void layout_init(struct layout *layout, const struct frame *frame, const double *const *sets,
	size_t n_sets, uint32_t keep);
void layout_give(struct layout *layout, enum axis_id axis, size_t factor);
void layout_finish(struct layout *layout);
/* Frees what it holds; accepts a zeroed one. */
void layout_free(struct layout *layout);

/* The colour of the i-th group along x where no key has the colours: one each for names, and the
 * first for all numbers, whose order the axis shows. */
size_t layout_x_colour(const struct layout *layout, size_t i);

/* What stands below the names along x, or NULL where no key has that axis. */
const char *layout_x_label(const struct layout *layout);

/* The first factor without a place, with at most `max_levels` levels, or -1. */
int layout_next(const struct layout *layout, size_t max_levels);
size_t layout_n_free(const struct layout *layout);
/* Arms, as products of the levels of what has no place yet. */
size_t layout_product(const struct layout *layout);

/* The values of one cell, one a replication (averaged over what has no place), NaN left out. `out`
 * has room for n_rows. SIZE_MAX as an index means any. Answers how many. O(rows log rows). */
size_t layout_gather(
	const struct layout *layout, const double *values, const size_t place[AXIS_N], double *out);

/* Appends the sentences on inert, aliased and averaged keys; `subject` is what they are true of, or
 * NULL for the whole figure. */
void layout_describe(const struct layout *layout, const char *subject, char *out, size_t size);

/* Appends what is to be known of the runs themselves: how they ended, and what was never answered, by colour
 * or along x. */
void layout_describe_runs(const struct layout *layout, char *out, size_t size);

/* The rows are shared out for lines: every arm a colour while there are at most six, else `by` (or
 * the first key) by colour and the next keys by panel, at most `max_panels` of them. */
void layout_lines(struct layout *layout, int by, size_t max_panels);

/* "by protocol and scorer": the keys on an axis, for a title; "" where there are none. */
void layout_keys(const struct layout *layout, char *out, size_t size);

/* A list of words: "a", "a and b", "a, b and c": appends the i-th of n. */
void list_append(char *out, size_t size, const char *word, size_t i, size_t n);

#endif
