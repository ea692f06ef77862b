/* The few statistics that figures need, each with its definition. */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#include <stddef.h>

struct interval {
	size_t n;
	double mean;
	double low, high; /* NaN where n < 2 */
};

/* The mean of n >= 1 values with its 95 % interval by Student's t with n - 1 degrees of freedom. */
struct interval stats_t_interval(const double *values, size_t n);

/* The same at another level, in (0, 1). */
struct interval stats_t_interval_at(const double *values, size_t n, double level);

/* The mean of n >= 1 shares in [0, 1], each that of one run, with an interval that stays there: Student's t
 * over runs on the logit of the mean, its error carried over by the derivative 1 / (mean (1 - mean)).
 * Where all are 0 (all 1) the interval is one-sided, up to 1 - (1 - level)^(1/units) (down from it): exact for
 * `units` independent items of which none has it; units 0: for the n runs themselves, whatever the
 * distribution of a run's share, since a share's mean is at least the chance that it is not 0.
 * Source: Clopper, Pearson, Biometrika 26, 1934; Korn, Graubard, Survey Methodology 24, 1998, for the logit. */
struct interval stats_share_interval(const double *values, size_t n, double level, double units);

/* Standard deviation of n >= 2 values (n - 1). */
double stats_sd(const double *values, size_t n);

/* The p-quantile of n >= 1 ascending values, p in [0, 1], linear between order statistics.
 * Source: Hyndman and Fan, Sample quantiles in statistical packages, 1996, definition 7. */
double stats_quantile(const double *ascending, size_t n, double p);

struct box {
	double low, q1, median, q3, high; /* whiskers end at the last value within 1.5 IQR of the box */
};

/* Source: Tukey, Exploratory data analysis, 1977, with the quartiles of stats_quantile. */
struct box stats_box(const double *ascending, size_t n);

/* The share of n >= 1 ascending values that are at most x. O(log n). */
double stats_ecdf(const double *ascending, size_t n, double x);

/* Sorts ascending. The values must hold no NaN. */
void stats_sort(double *values, size_t n);

#endif
