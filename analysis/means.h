/* The mean of a KPI at one place of a figure, with its interval, as it is shown there. */
#ifndef ANALYSIS_MEANS_H
#define ANALYSIS_MEANS_H

#include "layout.h"
#include "stats.h"

/* Of the values that layout_gather finds at `place`, times the quantity's scale; n = 0 where there are none.
 * Shares have an interval on the logit; where all are 0 (or 1) it is that of as many items as they are of
 * (stats_share_interval), or of no width where the file doesn't say how many. O(rows log rows). */
struct interval mean_at(const struct layout *layout, const double *values,
	const struct quantity *quantity, const size_t place[AXIS_N]);

/* How the interval is made, for a caption: "Student's t", "Student's t on the logit". */
const char *mean_words(bool share);

#endif
