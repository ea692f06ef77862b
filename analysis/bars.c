#include "bars.h"

#include "means.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_WIDTH 0.8
#define NOTE_CHARACTER_PT 4.2 /* of a digit at 7 pt, the widest common sans font */

static bool bar_interval(
	const struct bars *bars, size_t x, size_t colour, size_t tint, struct interval *interval)
{
	size_t place[AXIS_N] = {
		[AXIS_X] = x, [AXIS_COLOUR] = colour, [AXIS_TINT] = tint, [AXIS_PANEL] = bars->panel};
	*interval = mean_at(bars->layout, bars->values, bars->quantity, place);
	return interval->n > 0;
}

/* Characters of a number as `shown` of style.gp writes it. */
static size_t number_length(double number)
{
	char text[64];
	return (size_t)snprintf(text, sizeof(text), fabs(number) >= 100 ? "%.0f" : "%.3g", number);
}

bool bars_have_room(const struct bars *bars, double panel_pt)
{
	const struct axis *axes = bars->layout->axes;
	size_t n_side_by_side = axes[AXIS_COLOUR].n * axes[AXIS_TINT].n;
	double group_pt = panel_pt / (double)axes[AXIS_X].n;
	double step_pt = n_side_by_side > 1 ? group_pt * GROUP_WIDTH / (double)n_side_by_side : group_pt;
	return (double)bars->widest * NOTE_CHARACTER_PT + 2 <= step_pt;
}

void bars_measure(struct bars *bars)
{
	const struct axis *axes = bars->layout->axes;
	bars->largest = bars->least = 0;
	bars->n_min = SIZE_MAX;
	bars->n_max = bars->n_bars = bars->widest = 0;
	for (size_t x = 0; x < axes[AXIS_X].n; x++) {
		for (size_t colour = 0; colour < axes[AXIS_COLOUR].n; colour++) {
			for (size_t tint = 0; tint < axes[AXIS_TINT].n; tint++) {
				struct interval interval;
				if (!bar_interval(bars, x, colour, tint, &interval)) {
					continue;
				}
				bars->n_bars++;
				size_t written = number_length(interval.mean);
				bars->widest = written > bars->widest ? written : bars->widest;
				bars->largest = fmax(bars->largest, fmax(interval.mean, interval.high));
				/* An interval that goes below 0 where no mean does is cut there. */
				bars->least = fmin(bars->least, interval.mean);
				bars->n_min = interval.n < bars->n_min ? interval.n : bars->n_min;
				bars->n_max = interval.n > bars->n_max ? interval.n : bars->n_max;
			}
		}
	}
}

static void write_bar(
	struct plot *plot, const struct bars *bars, size_t x, size_t colour, size_t tint, size_t *n)
{
	const struct axis *axes = bars->layout->axes;
	struct interval bar;
	if (!bar_interval(bars, x, colour, tint, &bar)) {
		return;
	}
	size_t n_within = axes[AXIS_COLOUR].n * axes[AXIS_TINT].n;
	double width = GROUP_WIDTH / (double)n_within;
	double middle =
		(double)x - GROUP_WIDTH / 2 + width * ((double)(colour * axes[AXIS_TINT].n + tint) + 0.5);
	fprintf(plot->data, "%.10g %.10g ", middle, bar.mean);
	if (bar.n > 1) {
		fprintf(plot->data, "%.10g %.10g", bar.low, bar.high);
	} else {
		fprintf(plot->data, "NaN NaN");
	}
	fprintf(plot->data, " %zu\n", bar.n);
	(*n)++;
}

/* One block and one style for each colour and tint; without colours, for each group and tint. */
void bars_draw(struct plot *plot, const struct bars *bars)
{
	const struct axis *axes = bars->layout->axes;
	bool by_x = axes[AXIS_COLOUR].n_factors == 0;
	size_t n_colours = by_x ? axes[AXIS_X].n : axes[AXIS_COLOUR].n;
	double width = GROUP_WIDTH / (double)(axes[AXIS_COLOUR].n * axes[AXIS_TINT].n);
	width *= axes[AXIS_X].n == 1 && width > 0.5 ? 0.4 : width < 0.5 ? 0.86 : 0.7;
	const char *comma = "plot ";
	for (size_t c = 0; c < n_colours; c++) {
		for (size_t tint = 0; tint < axes[AXIS_TINT].n; tint++) {
			char comment[512];
			snprintf(comment, sizeof(comment), "%s: %s %s %s: x, mean, low, high, replications",
				bars->quantity->axis, axes[AXIS_PANEL].names[bars->panel],
				by_x ? axes[AXIS_X].names[c] : axes[AXIS_COLOUR].names[c],
				axes[AXIS_TINT].names[tint]);
			size_t block = plot_block(plot, comment), n = 0;
			for (size_t x = by_x ? c : 0; x < (by_x ? c + 1 : axes[AXIS_X].n); x++) {
				write_bar(plot, bars, x, by_x ? 0 : c, tint, &n);
			}
			if (n == 0) {
				fprintf(plot->data, "0 NaN NaN NaN 0\n");
			}
			size_t style = plot_style(by_x ? layout_x_colour(bars->layout, c) : c);
			bool pale = axes[AXIS_TINT].n == 2 && tint == 0;
			/* The line at a bar's end shows a bar of height 0 too. */
			fprintf(plot->script,
				"%sdata index %zu using 1:2:(%.4g) with boxes fc rgb colour(%zu) "
				"fs transparent solid %g noborder, \\\n"
				"\t'' index %zu using ($1-%.4g):2:(%.4g):(0) with vectors nohead lw 1.6 "
				"lc rgb colour(%zu), \\\n"
				"\t'' index %zu using 1:3:(0):($4-$3) with vectors nohead ls 21",
				comma, block, width, style, pale ? PLOT_PALE : 1.0, block, width / 2, width, style,
				block);
			comma = ", \\\n\t";
			if (bars->numbers && n > 0) { /* gnuplot 5.4 dies of labels without any place */
				fprintf(plot->script,
					", \\\n\t'' index %zu using 1:(valid(4) ? $4 : $2):(shown($2)) "
					"with labels offset 0, 0.6 tc rgb grey_dark font font_note",
					block);
			}
		}
	}
	fprintf(plot->script, "\n");
}

void bars_legend(struct page *page, const struct layout *layout)
{
	legend_fill(page, &layout->axes[AXIS_COLOUR], LEGEND_BAR);
	const struct axis *tint = &layout->axes[AXIS_TINT];
	for (size_t i = 0; tint->n == 2 && i < 2; i++) {
		page->legend[page->n_legend++] =
			(struct legend_item){i == 0 ? LEGEND_PALE_GREY : LEGEND_GREY, 0, tint->names[i]};
	}
}

int bars_tint(const struct layout *layout)
{
	for (size_t f = 0; f < layout->frame->n_factors; f++) {
		const struct factor *factor = &layout->frame->factors[f];
		if (layout->free[f] && factor->n_levels == 2 &&
			(strncmp(factor->key, "attacks.", 8) == 0 || strncmp(factor->key, "faults.", 7) == 0)) {
			return (int)f;
		}
	}
	return -1;
}
