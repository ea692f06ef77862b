/* line: one KPI against a swept key that is a number, a line for each arm, the mean over replications and
 * its interval. */
#include "curves.h"
#include "means.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PANELS 6

struct lines {
	double *values;
	struct quantity quantity;
	struct curves curves; /* without samples: points are of the runs */
	size_t x;        /* the factor along the axis */
	double *x_value; /* of each of its levels */
	double x_low, x_high, low, high; /* as shown */
	bool some_zero;                  /* a mean that is not above 0 */
	double least;                    /* above 0, for a logarithmic axis */
	bool log_x, log_y;
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
	*interval = mean_at(&lines->curves.layout, lines->values, &lines->quantity, place);
	return interval->n > 0;
}

static void measure(struct lines *lines)
{
	const struct axis *axes = lines->curves.layout.axes;
	lines->x_low = lines->x_high = lines->x_value[0];
	for (size_t i = 0; i < lines->curves.layout.frame->factors[lines->x].n_levels; i++) {
		lines->x_low = fmin(lines->x_low, lines->x_value[i]);
		lines->x_high = fmax(lines->x_high, lines->x_value[i]);
	}
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
					curves_count(&lines->curves, interval.n);
				}
			}
		}
	}
}

/* The x axis holds the levels that occur, in order: of the x-th, the number. */
static double x_of(const struct lines *lines, size_t x)
{
	const struct factor *factor = &lines->curves.layout.frame->factors[lines->x];
	for (size_t row = 0; row < lines->curves.layout.frame->n_rows; row++) {
		if (lines->curves.layout.used[row] && lines->curves.layout.axes[AXIS_X].of_row[row] == x) {
			return lines->x_value[factor->of_row[row]];
		}
	}
	return NAN;
}

static struct curve write_curve(void *of, size_t row, size_t p, size_t colour, FILE *out)
{
	(void)row;
	const struct lines *lines = of;
	bool band = false, any = false;
	for (size_t x = 0; x < lines->curves.layout.axes[AXIS_X].n; x++) {
		struct interval interval;
		if (!point(lines, p, colour, x, &interval)) {
			fprintf(out, "%.10g NaN NaN NaN 0\n", x_of(lines, x)); /* the line is broken */
			continue;
		}
		bool wide = interval.n > 1;
		band |= wide;
		any = true;
		fprintf(out, "%.10g %.10g %.10g %.10g %zu\n", x_of(lines, x), interval.mean,
			wide ? interval.low : interval.mean, wide ? interval.high : interval.mean, interval.n);
	}
	if (!any) {
		fprintf(out, "0 NaN NaN NaN 0\n");
	}
	return (struct curve){.band = band};
}

static void panel(void *of, size_t row, struct panel *panel)
{
	(void)row;
	const struct lines *lines = of;
	double range = lines->x_high - lines->x_low, largest = fmax(fabs(lines->x_low), fabs(lines->x_high));
	double room = (range > PLOT_ALIKE * largest ? range : largest) * .02;
	panel->x_label = lines->curves.job->frame->factors[lines->x].label;
	panel->y_label = lines->quantity.axis;
	panel->x_min = lines->log_x ? lines->x_low / 1.05 : lines->x_low - room;
	panel->x_max = lines->log_x ? lines->x_high * 1.05 : lines->x_high + room;
	panel->y_min = lines->log_y ? lines->least : lines->low * 1.06;
	panel->y_max = lines->high > 0 ? lines->high * 1.06 : 1;
	panel->log_x = lines->log_x;
	panel->log_y = lines->log_y;
	panel->y_whole = lines->quantity.share;
}

static enum figure_outcome lines_draw(struct lines *lines, struct results_error *error)
{
	if (lines->log_x && lines->x_low <= 0) {
		return job_nothing(error, "a logarithmic axis holds no 0 and nothing below: leave --log x out, or that value "
								  "(--where)");
	}
	if (lines->log_y && !isfinite(lines->least)) {
		return job_nothing(error, "no value is above 0: a logarithmic axis has nothing to show");
	}
	char many[200];
	const char *none = lines->log_y && lines->some_zero ? " What is 0 has no place on a logarithmic axis." : "";
	snprintf(many, sizeof(many), "; band: 95 %% interval (%s).%s", mean_words(lines->quantity.share), none);
	curves_caption(&lines->curves, "Mean over ", many, "From ", none);
	const struct curves_drawing drawing = {
		.title = lines->quantity.name, .style = "lines", .cut = true, .panel = panel, .write = write_curve};
	return curves_draw(&lines->curves, &drawing, lines, error);
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
	struct lines lines = {.log_x = (job->request->logarithmic & FIGURE_X) != 0,
		.log_y = (job->request->logarithmic & FIGURE_Y) != 0};
	struct layout *layout = &lines.curves.layout;
	enum figure_outcome outcome = FIGURE_NOTHING;
	curves_init(&lines.curves, job);
	error->text[0] = '\0';
	if (!choose_kpi(&lines, job)) {
		job_nothing(error, "the file has no value of the KPI");
	} else if (choose_x(&lines, job, error)) {
		const double *sets[] = {lines.values};
		layout_init(layout, job->frame, sets, 1, job_keep(job) | 1u << lines.x);
		layout_give(layout, AXIS_X, lines.x);
		layout_lines(layout, job->by, MAX_PANELS);
		if (job_fits(layout, false, error)) {
			measure(&lines);
			outcome = lines_draw(&lines, error);
		}
	}
	curves_finish(&lines.curves);
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
