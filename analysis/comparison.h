/* What compare.c computes and compare_print.c prints. */
#ifndef ANALYSIS_COMPARISON_H
#define ANALYSIS_COMPARISON_H

#include "analysis/compare.h"

#include "arms.h"
#include "paired.h"

/* One comparison: two arms of one part. */
struct comparison {
	const struct arm *a, *b;
	size_t n_undefined; /* pairs left out: the KPI is undefined in one of the two */
	struct paired paired;
	size_t same;        /* the comparison that it repeats digit by digit; itself: of two equal arms */
	double adjusted_p;  /* of the signed-rank test */
};

struct compare {
	struct frame frame;
	struct arms arms;
	const double *values;
	const char *kpi;
	bool share;              /* the KPI is one, in [0, 1] */
	const double *units;     /* of a share: how many each run's is of; NULL: unknown */
	double *pairs[2]; /* scratch */
	struct comparison *comparisons;
	size_t n_comparisons, capacity;
	size_t n_family;              /* that Holm's adjustment is over */
	size_t n_repeated, n_equal, n_undefined; /* that it leaves out */
};

void compare_print_tables(const struct compare *compare, FILE *out);
void compare_print_csv(const struct compare *compare, FILE *out);
/* The mean of an arm with its interval, by the KPI's sort; its defined values to `values`, ascending. */
struct interval compare_interval(
	const struct compare *compare, const struct arm *arm, double level, double *values);
/* Of each part the arm whose mean is worst. */
void compare_print_worst(const struct compare *compare, FILE *out);
/* What the intervals are, in a sentence or two. */
void compare_print_intervals(const struct compare *compare, FILE *out);
/* What is to be known of the runs themselves. */
void compare_print_runs(const struct compare *compare, FILE *out);

#endif
