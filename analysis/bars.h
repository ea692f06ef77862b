/* Bars of one quantity with error bars: groups along x, colours and two tints within a group. */
#ifndef ANALYSIS_BARS_H
#define ANALYSIS_BARS_H

#include "job.h"

struct bars {
	const struct layout *layout;
	const double *values;
	const struct quantity *quantity;
	size_t panel;
	double largest;      /* the highest end, as shown */
	double least;        /* the lowest, at most 0 */
	size_t n_min, n_max; /* replications of a bar */
	size_t n_bars;
	size_t widest; /* characters of the longest mean, as it is written at a bar */
	bool numbers;  /* each bar says its mean; there must be room above the longest */
};

/* Measures the bars of one panel. */
void bars_measure(struct bars *bars);
/* Can each bar say its mean in a panel of that width without touching the next? After bars_measure. */
bool bars_have_room(const struct bars *bars, double panel_pt);
/* Writes the data and the plot command; after plot_panel. */
void bars_draw(struct plot *plot, const struct bars *bars);

/* Fills the legend with the colours and the two tints. */
void bars_legend(struct page *page, const struct layout *layout);

/* The first attack or fault without a place that has two levels, or -1: it becomes the tint. */
int bars_tint(const struct layout *layout);

#endif
