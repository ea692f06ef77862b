/* line: one KPI against a swept key that is a number, a line for each arm, the mean over replications and
 * its interval. */
#include "job.h"
#include "means.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PANELS 6

struct lines {
	double *values;
	struct quantity quantity;
	struct layout layout;
	size_t x;        /* the factor along the axis */
	double *x_value; /* of each of its levels */
	double x_low, x_high, low, high; /* as shown */
	bool some_zero;                  /* a mean that is not above 0 */
	double least;                    /* above 0, for a logarithmic axis */
	size_t n_min, n_max;             /* replications behind a point */
};

/* A factor whose levels are all numbers, or lists, which count as their lengths; or NULL. */
static double *numbers_of(const struct factor *factor)
{
	double *values = figure_take(factor->n_levels, sizeof(*values));
	for (size_t i = 0; i < factor->n_levels; i++) {
		if (!level_number(factor->levels[i], &values[i])) {
			free(values);
			return NULL;
		}
		values[i] *= factor->scale;
	}
	return values;
}

/* The key along x: the one asked for, else the number with the most levels, at least three. */
static bool choose_x(struct lines *lines, const struct figure_job *job, struct results_error *error)
{
	const struct frame *frame = job->frame;
	size_t most = 2;
	bool found = false;
	for (size_t f = 0; f < frame->n_factors; f++) {
		const struct factor *factor = &frame->factors[f];
		bool asked = job->request->x != NULL && strcmp(job->request->x, factor->key) == 0;
		if ((job->request->x != NULL && !asked) || (!asked && factor->n_levels <= most) ||
			(int)f == job->by || factor->n_levels < 2) {
			continue;
		}
		double *values = numbers_of(factor);
		if (values != NULL) {
			free(lines->x_value);
			lines->x_value = values;
			lines->x = f;
			most = factor->n_levels;
			found = true;
		}
	}
	if (!found && job->request->x != NULL) {
		snprintf(error->text, sizeof(error->text),
			"`%.100s` is no swept key with two numbers or more for values", job->request->x);
	} else if (!found) {
		job_nothing(error, "no swept key has three numbers or more for values");
	}
	return found;
}

static bool point(const struct lines *lines, size_t panel, size_t colour, size_t x,
	struct interval *interval)
{
	size_t place[AXIS_N] = {
		[AXIS_X] = x, [AXIS_COLOUR] = colour, [AXIS_TINT] = SIZE_MAX, [AXIS_PANEL] = panel};
	*interval = mean_at(&lines->layout, lines->values, &lines->quantity, place);
	return interval->n > 0;
}

static void measure(struct lines *lines)
{
	const struct axis *axes = lines->layout.axes;
	lines->x_low = lines->x_high = lines->x_value[0];
	for (size_t i = 0; i < lines->layout.frame->factors[lines->x].n_levels; i++) {
		lines->x_low = fmin(lines->x_low, lines->x_value[i]);
		lines->x_high = fmax(lines->x_high, lines->x_value[i]);
	}
	lines->n_min = SIZE_MAX;
	lines->least = INFINITY;
	for (size_t p = 0; p < axes[AXIS_PANEL].n; p++) {
		for (size_t c = 0; c < axes[AXIS_COLOUR].n; c++) {
			for (size_t x = 0; x < axes[AXIS_X].n; x++) {
				struct interval interval;
				if (point(lines, p, c, x, &interval)) {
					lines->low = fmin(lines->low, interval.mean);
					lines->some_zero |= interval.mean <= 0;
					double ends[] = {interval.mean, interval.low};
					for (int e = 0; e < 2; e++) {
						lines->least = ends[e] > 0 ? fmin(lines->least, ends[e]) : lines->least;
					}
					lines->high = fmax(lines->high, fmax(interval.mean, interval.high));
					lines->n_min = interval.n < lines->n_min ? interval.n : lines->n_min;
					lines->n_max = interval.n > lines->n_max ? interval.n : lines->n_max;
				}
			}
		}
	}
}

/* The x axis holds the levels that occur, in order: of the x-th, the number. */
static double x_of(const struct lines *lines, size_t x)
{
	const struct factor *factor = &lines->layout.frame->factors[lines->x];
	for (size_t row = 0; row < lines->layout.frame->n_rows; row++) {
		if (lines->layout.used[row] && lines->layout.axes[AXIS_X].of_row[row] == x) {
			return lines->x_value[factor->of_row[row]];
		}
	}
	return NAN;
}

static void draw_panel(struct plot *plot, const struct lines *lines, size_t p)
{
	const struct axis *axes = lines->layout.axes;
	const struct axis *colours = &axes[AXIS_COLOUR];
	double bottom = lines->low * 1.06; /* gnuplot clips a band at the sides of the page only */
	size_t *blocks = figure_take(colours->n, sizeof(*blocks));
	const char *comma = "plot ";
	for (size_t c = 0; c < colours->n; c++) {
		char comment[512];
		snprintf(comment, sizeof(comment), "%s: %s %s: %s, mean, low, high, replications",
			lines->quantity.axis, axes[AXIS_PANEL].names[p], colours->names[c],
			lines->layout.frame->factors[lines->x].key);
		blocks[c] = plot_block(plot, comment);
		bool band = false, any = false;
		for (size_t x = 0; x < axes[AXIS_X].n; x++) {
			struct interval interval;
			if (!point(lines, p, c, x, &interval)) {
				fprintf(plot->data, "%.10g NaN NaN NaN 0\n", x_of(lines, x)); /* the line is broken */
				continue;
			}
			bool wide = interval.n > 1;
			band |= wide;
			any = true;
			fprintf(plot->data, "%.10g %.10g %.10g %.10g %zu\n", x_of(lines, x), interval.mean,
				wide ? interval.low : interval.mean, wide ? interval.high : interval.mean, interval.n);
		}
		if (!any) {
			fprintf(plot->data, "0 NaN NaN NaN 0\n");
		}
		if (band) {
			fprintf(plot->script,
				"%sdata index %zu using 1:($3 < %.10g ? %.10g : $3):4 with filledcurves "
				"fc rgb colour(%zu) fs transparent solid %g noborder",
				comma, blocks[c], bottom, bottom, plot_style(c), PLOT_BAND);
			comma = ", \\\n\t";
		}
	}
	for (size_t c = 0; c < colours->n; c++) {
		fprintf(plot->script,
			"%sdata index %zu using 1:2 with lines ls %zu, \\\n"
			"\tdata index %zu using 1:2 with points ls %zu dt 1",
			comma, blocks[c], plot_style(c), blocks[c], plot_style(c));
		comma = ", \\\n\t";
	}
	fprintf(plot->script, "\n");
	free(blocks);
}

static void describe(const struct lines *lines, const struct figure_job *job, char *caption, size_t size)
{
	char count[64];
	replications_text(count, sizeof(count), lines->n_min, lines->n_max);
	snprintf(caption, size,
		lines->n_max > 1 ? "Mean over %s; band: 95 %% interval (%s)." : "From %s, so without a band.",
		count, mean_words(lines->quantity.share));
	if ((job->request->logarithmic & FIGURE_Y) != 0 && lines->some_zero) {
		snprintf(caption + strlen(caption), size - strlen(caption), " What is 0 has no place on a logarithmic axis.");
	}
	layout_describe(&lines->layout, NULL, caption, size);
	layout_describe_runs(&lines->layout, caption, size);
}

static enum figure_outcome lines_draw(
	struct lines *lines, struct figure_job *job, struct results_error *error)
{
	const struct axis *panels = &lines->layout.axes[AXIS_PANEL];
	if ((job->request->logarithmic & FIGURE_X) != 0 && lines->x_low <= 0) {
		return job_nothing(error, "a logarithmic axis holds no 0 and nothing below: leave --log x out, or that value "
								  "(--where)");
	}
	if ((job->request->logarithmic & FIGURE_Y) != 0 && !isfinite(lines->least)) {
		return job_nothing(error, "no value is above 0: a logarithmic axis has nothing to show");
	}
	char title[400], caption[1500], keys[200];
	layout_keys(&lines->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "%s%s", lines->quantity.name, keys);
	describe(lines, job, caption, sizeof(caption));
	size_t columns = grid_columns(panels->n);
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1,
		.columns = columns,
		.rows = (panels->n + columns - 1) / columns,
		.panel_pt = panels->n > columns ? 100 : 130,
		.panel_titles = panels->n > 1,
		.inner_x = panels->n % columns != 0,
		.shared_y = true};
	legend_fill(&page, &lines->layout.axes[AXIS_COLOUR], LEGEND_LINE);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	bool log_x = (job->request->logarithmic & FIGURE_X) != 0, log_y = (job->request->logarithmic & FIGURE_Y) != 0;
	double range = lines->x_high - lines->x_low, largest = fmax(fabs(lines->x_low), fabs(lines->x_high));
	double room = (range > PLOT_ALIKE * largest ? range : largest) * .02;
	for (size_t p = 0; p < panels->n; p++) {
		struct panel panel = {.column = p % columns,
			.row = p / columns,
			.title = panels->names[p],
			.x_label = job->frame->factors[lines->x].label,
			.y_label = lines->quantity.axis,
			.x_min = log_x ? lines->x_low / 1.05 : lines->x_low - room,
			.x_max = log_x ? lines->x_high * 1.05 : lines->x_high + room,
			.y_min = log_y ? lines->least : lines->low * 1.06,
			.log_x = log_x,
			.log_y = log_y,
			.y_max = lines->high > 0 ? lines->high * 1.06 : 1,
			.y_whole = lines->quantity.share};
		plot_panel(&plot, &panel);
		draw_panel(&plot, lines, p);
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

/* Without a KPI asked for: what is wrong where something is, else the latency. */
static bool choose_kpi(struct lines *lines, const struct figure_job *job)
{
	if (job->request->kpi != NULL) {
		return job_kpi(job, job->request->kpi, &lines->values, &lines->quantity);
	}
	static const char *const kpis[] = {"corruption_rate", "latency_mean_s"};
	for (size_t i = 0; i < 2; i++) {
		if (job_kpi(job, kpis[i], &lines->values, &lines->quantity)) {
			return true;
		}
	}
	return false;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct lines lines = {0};
	enum figure_outcome outcome = FIGURE_NOTHING;
	error->text[0] = '\0';
	if (!choose_kpi(&lines, job)) {
		job_nothing(error, "the file has no value of the KPI");
	} else if (choose_x(&lines, job, error)) {
		const double *sets[] = {lines.values};
		layout_init(&lines.layout, job->frame, sets, 1, job_keep(job) | 1u << lines.x);
		layout_give(&lines.layout, AXIS_X, lines.x);
		layout_lines(&lines.layout, job->by, MAX_PANELS);
		if (job_fits(&lines.layout, false, error)) {
			measure(&lines);
			outcome = lines_draw(&lines, job, error);
		}
	}
	layout_free(&lines.layout);
	free(lines.x_value);
	free(lines.values);
	return outcome;
}

const struct figure_kind figure_line = {
	.name = "line",
	.summary = "one KPI against a swept number, a line for each arm, with 95 % bands",
	.needs = "a swept key whose values are three numbers or more, or lists to be counted; two are enough where "
			 "--x names the key",
	.takes_kpi = true,
	.logarithms = FIGURE_X | FIGURE_Y,
	.draw = draw,
};
