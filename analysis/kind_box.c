/* box: how one KPI spreads over replications, a box for each arm. */
#include "job.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_WIDTH 0.8
#define MAX_PANELS 6

struct boxes {
	double *values;
	struct quantity quantity;
	struct layout layout;
	double least, largest; /* as shown */
	size_t n_min, n_max;
};

/* The sorted values of one box, as shown. */
static size_t box_values(
	const struct boxes *boxes, size_t panel, size_t colour, size_t x, double *out)
{
	size_t place[AXIS_N] = {
		[AXIS_X] = x, [AXIS_COLOUR] = colour, [AXIS_TINT] = SIZE_MAX, [AXIS_PANEL] = panel};
	size_t n = layout_gather(&boxes->layout, boxes->values, place, out);
	for (size_t i = 0; i < n; i++) {
		out[i] *= boxes->quantity.scale;
	}
	stats_sort(out, n);
	return n;
}

static void measure(struct boxes *boxes, double *scratch)
{
	const struct axis *axes = boxes->layout.axes;
	boxes->least = INFINITY;
	boxes->largest = -INFINITY;
	boxes->n_min = SIZE_MAX;
	boxes->n_max = 0;
	for (size_t panel = 0; panel < axes[AXIS_PANEL].n; panel++) {
		for (size_t colour = 0; colour < axes[AXIS_COLOUR].n; colour++) {
			for (size_t x = 0; x < axes[AXIS_X].n; x++) {
				size_t n = box_values(boxes, panel, colour, x, scratch);
				if (n > 0) {
					boxes->least = fmin(boxes->least, scratch[0]);
					boxes->largest = fmax(boxes->largest, scratch[n - 1]);
					boxes->n_min = n < boxes->n_min ? n : boxes->n_min;
					boxes->n_max = n > boxes->n_max ? n : boxes->n_max;
				}
			}
		}
	}
}

/* Writes the boxes of one colour and the outliers of them; answers the block of the boxes, outliers
 * are in the next. */
static size_t write_boxes(struct plot *plot, const struct boxes *boxes, size_t panel, size_t colour,
	size_t only_x, double *scratch)
{
	const struct axis *axes = boxes->layout.axes;
	double width = GROUP_WIDTH / (double)axes[AXIS_COLOUR].n;
	size_t first = 0;
	for (int outliers = 0; outliers < 2; outliers++) {
		char comment[512];
		snprintf(comment, sizeof(comment), "%s: %s %s: %s", boxes->quantity.axis,
			axes[AXIS_PANEL].names[panel],
			only_x < SIZE_MAX ? axes[AXIS_X].names[only_x] : axes[AXIS_COLOUR].names[colour],
			outliers ? "x, outlier" : "x, low, q1, median, q3, high, replications");
		size_t block = plot_block(plot, comment), n_written = 0;
		first = outliers ? first : block;
		for (size_t x = 0; x < axes[AXIS_X].n; x++) {
			size_t n = only_x == SIZE_MAX || only_x == x
						   ? box_values(boxes, panel, colour, x, scratch)
						   : 0;
			if (n == 0) {
				continue;
			}
			double middle = (double)x - GROUP_WIDTH / 2 + width * ((double)colour + 0.5);
			struct box box = stats_box(scratch, n);
			if (!outliers) {
				fprintf(plot->data, "%.10g %.10g %.10g %.10g %.10g %.10g %zu\n", middle, box.low,
					box.q1, box.median, box.q3, box.high, n);
				n_written++;
			}
			for (size_t i = 0; outliers && i < n; i++) {
				if (scratch[i] < box.low || scratch[i] > box.high) {
					fprintf(plot->data, "%.10g %.10g\n", middle, scratch[i]);
					n_written++;
				}
			}
		}
		if (n_written == 0) {
			fprintf(plot->data, outliers ? "0 NaN\n" : "0 NaN NaN NaN NaN NaN 0\n");
		}
	}
	return first;
}

static void draw_panel(struct plot *plot, const struct boxes *boxes, size_t panel, double *scratch)
{
	const struct axis *axes = boxes->layout.axes;
	bool by_x = axes[AXIS_COLOUR].n_factors == 0;
	size_t n_colours = by_x ? axes[AXIS_X].n : axes[AXIS_COLOUR].n;
	double width = (axes[AXIS_X].n == 1 ? 0.4 : 0.62) * GROUP_WIDTH / (double)axes[AXIS_COLOUR].n;
	const char *comma = "plot ";
	for (size_t c = 0; c < n_colours; c++) {
		size_t block = write_boxes(plot, boxes, panel, by_x ? 0 : c, by_x ? c : SIZE_MAX, scratch);
		size_t style = plot_style(by_x ? layout_x_colour(&boxes->layout, c) : c);
		fprintf(plot->script,
			"%sdata index %zu using 1:3:2:6:5:(%.4g) with candlesticks whiskerbars 0.5 lw 1 "
			"lc rgb colour(%zu) fs transparent solid 0.35 border rgb colour(%zu), \\\n"
			"\t'' index %zu using ($1-%.4g):4:(%.4g):(0) with vectors nohead lw 2 lc rgb "
			"colour(%zu), \\\n"
			"\t'' index %zu using 1:2 with points lc rgb colour(%zu) pt 6 ps 0.4",
			comma, block, width, style, style, block, width / 2, width, style, block + 1, style);
		comma = ", \\\n\t";
	}
	fprintf(plot->script, "\n");
}

static void share_out(struct layout *layout, const struct figure_job *job)
{
	int x = job->by >= 0 ? job->by : layout_next(layout, SIZE_MAX);
	if (x >= 0) {
		layout_give(layout, AXIS_X, (size_t)x);
	}
	int colour = layout_next(layout, 6);
	if (colour >= 0) {
		layout_give(layout, AXIS_COLOUR, (size_t)colour);
	}
	size_t n_panels = 1;
	for (int next; (next = layout_next(layout, MAX_PANELS / n_panels)) >= 0;) {
		n_panels *= job->frame->factors[next].n_levels;
		layout_give(layout, AXIS_PANEL, (size_t)next);
	}
	layout_finish(layout);
}

static enum figure_outcome boxes_draw(
	struct boxes *boxes, struct figure_job *job, double *scratch, struct results_error *error)
{
	const struct axis *axes = boxes->layout.axes, *x = &axes[AXIS_X], *panels = &axes[AXIS_PANEL];
	if ((job->request->logarithmic & FIGURE_Y) != 0 && boxes->least <= 0) {
		return job_nothing(error, "a logarithmic axis holds no 0 and nothing below, and some value is no more");
	}
	char title[400], caption[1500], keys[200], count[64];
	layout_keys(&boxes->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "%s%s", boxes->quantity.name, keys);
	replications_text(count, sizeof(count), boxes->n_min, boxes->n_max);
	snprintf(caption, sizeof(caption),
		"Over %s: box from quartile to quartile, line at the median, whiskers to the last value "
		"within 1.5 times the box, points beyond.",
		count);
	layout_describe(&boxes->layout, NULL, caption, sizeof(caption));
	layout_describe_runs(&boxes->layout, caption, sizeof(caption));
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1 || x->n * axes[AXIS_COLOUR].n > 10,
		.columns = grid_columns(panels->n),
		.panel_pt = panels->n > 3 ? 100 : 130,
		.panel_titles = panels->n > 1,
		.shared_y = true,
		.tics = (const char *const *)x->names,
		.n_tics = x->n};
	page.rows = (panels->n + page.columns - 1) / page.columns;
	page.inner_x = panels->n % page.columns != 0;
	legend_fill(&page, &axes[AXIS_COLOUR], LEGEND_BAR);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	double range = boxes->largest - boxes->least;
	range = range > PLOT_ALIKE * fabs(boxes->largest) ? range : fmax(fabs(boxes->largest), 1) * 0.1;
	bool log_y = (job->request->logarithmic & FIGURE_Y) != 0;
	double bottom = boxes->least - 0.06 * range;
	/* An axis that comes near to zero starts there. */
	bottom = boxes->least >= 0 && boxes->least < 0.3 * boxes->largest ? 0 : bottom;
	for (size_t p = 0; p < panels->n; p++) {
		struct panel panel = {.column = p % page.columns,
			.row = p / page.columns,
			.title = panels->names[p],
			.x_label = layout_x_label(&boxes->layout),
			.y_label = boxes->quantity.axis,
			.y_min = log_y ? boxes->least : bottom,
			.y_max = log_y ? boxes->largest : boxes->largest + 0.06 * range,
			.log_y = log_y,
			.y_whole = boxes->quantity.share};
		plot_panel(&plot, &panel);
		draw_panel(&plot, boxes, p, scratch);
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	const char *kpi = job->request->kpi != NULL ? job->request->kpi : "latency_mean_s";
	struct boxes boxes = {0};
	if (!job_kpi(job, kpi, &boxes.values, &boxes.quantity)) {
		snprintf(error->text, sizeof(error->text), "no run has a value of %.100s", kpi);
		return FIGURE_NOTHING;
	}
	const double *set = boxes.values;
	layout_init(&boxes.layout, job->frame, &set, 1, job_keep(job));
	share_out(&boxes.layout, job);
	double *scratch = figure_take(job->frame->n_rows, sizeof(*scratch));
	measure(&boxes, scratch);
	enum figure_outcome outcome =
		job_fits(&boxes.layout, true, error) ? boxes_draw(&boxes, job, scratch, error) : FIGURE_NOTHING;
	free(scratch);
	free(boxes.values);
	layout_free(&boxes.layout);
	return outcome;
}

const struct figure_kind figure_box = {
	.name = "box",
	.summary = "box plot of one KPI over replications, by any swept key",
	.needs = "a KPI with a value (latency_mean_s unless --kpi says another)",
	.takes_kpi = true,
	.logarithms = FIGURE_Y,
	.draw = draw,
};
