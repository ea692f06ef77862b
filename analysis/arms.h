/* The runs taken apart for comparisons: by the settings of all swept keys but one (parts), and by that key's
 * values in each (arms). Keys that a scenario sweeps side by side (`zip`) are one key, whose values are those
 * that stand together. A replication counts once in an arm, however many rows are equal in all keys (two
 * spellings of one setting). */
#ifndef ANALYSIS_ARMS_H
#define ANALYSIS_ARMS_H

#include "frame.h"

struct arm {
	size_t part, level;
	size_t first, n;    /* in arms.rows: in ascending order of replication */
	size_t same;        /* the first arm whose values are equal to its, digit by digit, in all replications */
};

struct arms {
	const struct frame *frame;
	char key[256];      /* "protocol", or "protocol, aggregator" where they are zipped */
	uint32_t key_bits;  /* its factors */
	size_t n_levels;
	char **levels;
	size_t n_parts;
	size_t *part_row;   /* a row of each part */
	size_t n;
	struct arm *arms;   /* by part, then by level */
	size_t *rows;
	size_t n_twice;     /* rows left out: their arm has the replication already */
};

/* By factor `by` of the frame, or its zip. `values`, one a row, decide which arms are the same. The frame
 * must outlive it. O(rows log rows * keys). */
void arms_init(struct arms *arms, const struct frame *frame, size_t by, const double *values);
void arms_finish(struct arms *arms);

/* The defined values of an arm; `out` has room for arm->n. Answers how many. */
size_t arms_values(const struct arms *arms, const struct arm *arm, const double *values, double *out);
/* The arm of a level in a part, or NULL. O(log arms). */
const struct arm *arms_find(const struct arms *arms, size_t part, size_t level);
/* "validators = 4, scorer = mad": what sets the part apart from the others; "" where there is one. */
void arms_part_name(const struct arms *arms, size_t part, char *out, size_t size);
/* The level of that name, or the one of a zip that alone has such a value; SIZE_MAX: none has, or several. */
size_t arms_level(const struct arms *arms, const char *name);

#endif
