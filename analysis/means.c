#include "means.h"

#include "memory.h"

#include <stdlib.h>

/* How many items the shares at `place` are of; 0: unknown. */
static double units_at(const struct layout *layout, const char *of, const size_t place[AXIS_N])
{
	size_t n_rows = layout->frame->n_rows;
	double *units = figure_take(2 * n_rows, sizeof(*units)), sum = 0;
	if (of != NULL && frame_values(layout->frame, of, units)) {
		size_t n = layout_gather(layout, units, place, units + n_rows);
		for (size_t i = 0; i < n; i++) {
			sum += units[n_rows + i];
		}
	}
	free(units);
	return sum;
}

struct interval mean_at(const struct layout *layout, const double *values,
	const struct quantity *quantity, const size_t place[AXIS_N])
{
	double *sample = figure_take(layout->frame->n_rows, sizeof(*sample));
	size_t n = layout_gather(layout, values, place, sample);
	struct interval interval = {0};
	if (n > 0 && quantity->share) {
		interval = stats_share_interval(sample, n, .95, 0);
		if (interval.mean <= 0 || interval.mean >= 1) {
			double units = units_at(layout, quantity->of, place);
			interval = units > 0 ? stats_share_interval(sample, n, .95, units)
								 : (struct interval){n, interval.mean, interval.mean, interval.mean};
		}
	} else if (n > 0) {
		interval = stats_t_interval(sample, n);
	}
	free(sample);
	interval.mean *= quantity->scale;
	interval.low *= quantity->scale;
	interval.high *= quantity->scale;
	return interval;
}

const char *mean_words(bool share)
{
	return share ? "Student's t on the logit" : "Student's t";
}
