/* Comparing two arms whose runs are paired: equal replications share their random numbers, so that the
 * difference of a pair is free of what they have in common. */
#ifndef ANALYSIS_PAIRED_H
#define ANALYSIS_PAIRED_H

#include "stats.h"

#include <stdbool.h>

struct paired {
	size_t n;                    /* pairs */
	struct interval difference;  /* b - a: mean with its 95 % interval by Student's t */
	double t_p;                  /* two-sided, of the paired t-test; NaN where n < 2 */
	double signed_rank_p;        /* two-sided, of Wilcoxon's signed-rank test; 1 where all are equal */
	double dz;                   /* Cohen's d_z: mean / sd of the differences; NaN where the sd is 0 */
	double rank_biserial;        /* (R+ - R-) / (R+ + R-), in [-1, 1]; NaN where all are equal */
};

/* Compares n >= 1 pairs of finite values. Differences of zero are left out of the signed ranks (Wilcoxon,
 * Individual comparisons by ranking methods, Biometrics Bulletin 1, 1945), ties have mid-ranks, and the
 * test's distribution is the exact one over all signs of the ranks that occur, for up to 200 pairs; beyond,
 * the normal approximation with the ranks' own variance. Where all differences are equal and not 0,
 * t_p is 0. Effect sizes: Cohen, Statistical power analysis, 1988, 2.3.5; Kerby, Comprehensive Psychology 3,
 * 2014. Differences of a few units in the last place of the largest value are taken for 0, and sizes that
 * differ by so little for ties. O(n^3) up to 200 pairs. */
struct paired paired_compare(const double *a, const double *b, size_t n);

/* Adjusts n p-values so that the chance of any false finding among them stays at its level, in place; NaN
 * are left out. Source: Holm, A simple sequentially rejective multiple test procedure, 1979. */
void holm_adjust(double *p, size_t n);

#endif
