/* series: windowed KPIs over time, a panel for each KPI, the mean over replications and its
 * interval. */
#include "befell.h"
#include "curves.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KPIS CURVES_VALUES
#define MAX_PANELS 4

struct series {
	struct curves curves; /* of a sample x is the time in seconds, the values are those of the KPIs */
	size_t n_kpis;
	struct quantity quantities[MAX_KPIS];
	const char *columns[1 + MAX_KPIS];    /* of the table: time, then the KPIs */
	double low[MAX_KPIS], high[MAX_KPIS]; /* as shown */
	double end_s;
	struct befell befell;
	double *length_s; /* of a run's windows, one a row of the frame; 0: its file does not say */
	bool *cut_short;  /* by window of the table */
};

/* The longest window of each run, and which are less than half of that: a run's end may cut its last one short.
 * Most runs end with an acceptance, so that a rate over a few milliseconds says nothing. */
static void read_lengths(struct series *series, const struct figure_job *job, const struct block *block,
	const struct table_schema *schema)
{
	const struct frame *frame = job->frame;
	int run = schema_find(schema, "run"), column = schema_find(schema, "length_s");
	series->length_s = figure_take(frame->n_rows, sizeof(*series->length_s));
	series->cut_short = figure_take(block->n_rows, sizeof(*series->cut_short));
	bool known = run >= 0 && column >= 0 && schema->columns[column].type == COLUMN_REAL;
	for (int pass = 0; pass < 2 && known; pass++) {
		for (size_t i = 0; i < block->n_rows; i++) {
			size_t row = frame_row(frame, block_get(block, schema, i, (size_t)run).integer);
			double length_s = block_get(block, schema, i, (size_t)column).real;
			if (row != SIZE_MAX && pass == 0) {
				series->length_s[row] = fmax(series->length_s[row], length_s);
			} else if (row != SIZE_MAX) {
				series->cut_short[i] = length_s < series->length_s[row] / 2;
			}
		}
	}
}

/* A column's finite values: their largest size, or -1 where there is none. */
static double column_largest(const struct series *series, const struct block *block,
	const struct table_schema *schema, size_t column)
{
	double largest = -1;
	for (size_t i = 0; i < block->n_rows; i++) {
		union cell cell = block_get(block, schema, i, column);
		bool whole = schema->columns[column].type == COLUMN_INT;
		double value = whole ? (double)cell.integer : cell.real;
		largest = isfinite(value) && !series->cut_short[i] ? fmax(largest, fabs(value)) : largest;
	}
	return largest;
}

static void show_column(struct series *series, const struct block *block,
	const struct table_schema *schema, int column)
{
	const struct column *c = &schema->columns[column];
	double largest = c->type == COLUMN_STRING ? -1 : column_largest(series, block, schema, (size_t)column);
	if (largest >= 0 && series->n_kpis < MAX_KPIS) {
		series->columns[1 + series->n_kpis] = c->name;
		series->quantities[series->n_kpis++] = quantity_describe(c, largest);
	}
}

/* The columns that are shown: the one asked for; else the service that clients see; else the first.
 */
static size_t choose_columns(struct series *series, const struct block *block,
	const struct table_schema *schema, const char *kpi)
{
	static const char *const service[] = {"accepted_per_s", "latency_mean_s", "outstanding"};
	for (size_t i = 0; i < (kpi != NULL ? 1 : 3); i++) {
		int column = schema_find(schema, kpi != NULL ? kpi : service[i]);
		if (column >= 0) {
			show_column(series, block, schema, column);
		}
	}
	for (size_t i = 0; i < schema->n_columns && kpi == NULL && series->n_kpis == 0; i++) {
		const char *name = schema->columns[i].name;
		if (strcmp(name, "run") != 0 && strcmp(name, "time_s") != 0 && strcmp(name, "length_s") != 0) {
			show_column(series, block, schema, (int)i);
		}
	}
	return series->n_kpis;
}

/* Says which columns are shown, and what is left out; false: none, or no table. */
static bool choose(struct series *series, const struct figure_job *job, struct results_error *error)
{
	const struct table_schema *schema;
	const struct block *block = results_table(job->frame->file, TABLE_SERIES, &schema, error);
	if (block == NULL) {
		return false;
	}
	read_lengths(series, job, block, schema);
	series->columns[0] = "time_s";
	return choose_columns(series, block, schema, job->request->kpi) > 0;
}

static bool take(void *of, size_t i, const double *cells, struct sample *sample, double adds[CURVES_VALUES])
{
	const struct series *series = of;
	sample->x = cells[0];
	for (size_t k = 0; k < series->n_kpis; k++) {
		sample->values[k] = cells[1 + k];
		/* The place in time counts: the same values at other times are another course; none is another than 0. */
		adds[k] = (isfinite(cells[1 + k]) ? cells[1 + k] : -1) * (1 + cells[0]);
	}
	return !series->cut_short[i];
}

static int compare(const void *x, const void *y)
{
	const struct sample *a = x, *b = y;
	if (a->cell != b->cell) {
		return a->cell > b->cell ? 1 : -1;
	}
	if (a->x != b->x) {
		return a->x > b->x ? 1 : -1;
	}
	return (a->replication > b->replication) - (a->replication < b->replication);
}

/* The interval of one KPI over the samples [first, end) of one cell at one time: averaged within
 * each replication first. False where none has a value. */
static bool window_interval(const struct series *series, size_t first, size_t end, size_t k,
	double *scratch, struct interval *interval)
{
	size_t n = 0;
	for (size_t i = first; i < end;) {
		double sum = 0;
		size_t n_own = 0;
		int64_t replication = series->curves.samples[i].replication;
		for (; i < end && series->curves.samples[i].replication == replication; i++) {
			double value = series->curves.samples[i].values[k];
			if (isfinite(value)) {
				sum += value;
				n_own++;
			}
		}
		if (n_own > 0) {
			scratch[n++] = sum / (double)n_own * series->quantities[k].scale;
		}
	}
	if (n > 0) {
		*interval = stats_t_interval(scratch, n);
	}
	return n > 0;
}

/* Goes over the points of one curve. With `out`, writes them; otherwise measures. Points behind
 * which stand fewer than half of the replications are left out: they are of the slowest runs only. Where no
 * value is, the line is broken: nothing was measured there. */
static bool curve(struct series *series, size_t cell, size_t k, FILE *out)
{
	const struct sample *samples = series->curves.samples;
	size_t begin, end = curves_cell(&series->curves, cell, &begin);
	double *scratch = figure_take(end - begin, sizeof(*scratch));
	size_t most = 0, n_written = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = begin; i < end;) {
			size_t first = i;
			while (i < end && samples[i].x == samples[first].x) {
				i++;
			}
			struct interval point = {0};
			bool some = window_interval(series, first, i, k, scratch, &point);
			most = point.n > most ? point.n : most;
			if (pass == 0) {
				continue;
			}
			if (!some || 2 * point.n < most) {
				if (out != NULL && n_written > 0) {
					fprintf(out, "%.10g NaN NaN NaN 0\n", samples[first].x);
				}
				continue;
			}
			n_written++;
			if (out != NULL) {
				bool band = point.n > 1;
				fprintf(out, "%.10g %.10g %.10g %.10g %zu\n", samples[first].x, point.mean,
					band ? point.low : point.mean, band ? point.high : point.mean, point.n);
				continue;
			}
			series->high[k] = fmax(series->high[k], fmax(point.mean, point.high));
			series->low[k] = fmin(series->low[k], point.mean);
			series->end_s = fmax(series->end_s, samples[first].x);
		}
	}
	curves_count(&series->curves, most);
	if (out != NULL && n_written == 0) {
		fprintf(out, "0 NaN NaN NaN 0\n");
	}
	free(scratch);
	return most > 1;
}

static struct curve write_curve(void *of, size_t row, size_t p, size_t colour, FILE *out)
{
	struct series *series = of;
	bool band = curve(series, p * series->curves.layout.axes[AXIS_COLOUR].n + colour, row, out);
	return (struct curve){band, 8, colour % 8};
}

static void panel(void *of, size_t row, struct panel *panel)
{
	const struct series *series = of;
	double low = series->low[row], high = series->high[row];
	panel->x_label = "time (s)";
	panel->y_label = series->quantities[row].axis;
	panel->x_max = series->end_s * 1.02;
	panel->y_min = low * 1.06;
	panel->y_max = high > 0 ? high * 1.06 : 1;
	panel->y_whole = series->quantities[row].share;
}

static bool faults(void *of, size_t p, struct plot *plot, const struct panel *panel)
{
	const struct series *series = of;
	struct befell shared = befell_shared(&series->befell, &series->curves.layout, p);
	befell_draw(&shared, plot->script, panel->x_max);
	befell_free(&shared);
	return false;
}

/* What befell the runs of a panel, for the caption, where all panels' runs met the same. */
static void describe_faults(
	const struct befell *befell, const struct layout *layout, char *caption, size_t size)
{
	char first[1000] = "", words[1000];
	for (size_t p = 0; p < layout->axes[AXIS_PANEL].n; p++) {
		struct befell shared = befell_shared(befell, layout, p);
		words[0] = '\0';
		befell_describe(&shared, words, sizeof(words));
		befell_free(&shared);
		if (p == 0) {
			snprintf(first, sizeof(first), "%s", words);
		} else if (strcmp(first, words) != 0) {
			snprintf(first, sizeof(first), " Grey: faults.");
			break;
		}
	}
	size_t length = strlen(caption);
	snprintf(caption + length, size - length, "%s", first);
}

/* How long the windows are, where the file says so. */
static void describe_windows(const struct series *series, const struct figure_job *job, char *out, size_t size)
{
	double least = INFINITY, most = 0;
	for (size_t row = 0; row < job->frame->n_rows; row++) {
		if (series->curves.layout.used[row] && series->length_s[row] > 0) {
			least = fmin(least, series->length_s[row]);
			most = fmax(most, series->length_s[row]);
		}
	}
	if (most <= 0) {
		return;
	}
	struct quantity quantity = quantity_describe(&(struct column){.name = "length", .unit = "s"}, most);
	char range[32] = "";
	if (least < most) {
		snprintf(range, sizeof(range), "%.3g to ", least * quantity.scale);
	}
	snprintf(out, size, " Windows of %s%.3g %s; a run's last one is left out below half of that.", range,
		most * quantity.scale, quantity.unit);
}

static enum figure_outcome series_draw(struct series *series, struct results_error *error)
{
	struct curves *curves = &series->curves;
	for (size_t k = 0; k < series->n_kpis; k++) {
		for (size_t cell = 0; cell < curves_n_cells(curves); cell++) {
			curve(series, cell, k, NULL);
		}
	}
	if (series->end_s <= 0) {
		return job_nothing(error, "no run is longer than one window; a shorter `series.window` makes more of them");
	}
	curves->n_min = curves->n_max; /* the most is said: "up to" */
	curves_caption(curves, "Mean over up to ",
		"; band: 95 % interval (Student's t); windows that fewer than half of them reach are left out.", "From ", "");
	describe_faults(&series->befell, &curves->layout, curves->caption, sizeof(curves->caption));
	size_t length = strlen(curves->caption);
	describe_windows(series, curves->job, curves->caption + length, sizeof(curves->caption) - length);
	char title[LABEL_MAX + 16];
	snprintf(title, sizeof(title), "%s over time", series->n_kpis == 1 ? series->quantities[0].name : "service");
	const struct curves_drawing drawing = {.title = title,
		.style = "lines",
		.cut = true,
		.n_rows = series->n_kpis,
		.panel_pt = series->n_kpis == 1 ? 120 : 84,
		.panel = panel,
		.behind = faults,
		.write = write_curve};
	return curves_draw(curves, &drawing, series, error);
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct series series = {0};
	struct curves *curves = &series.curves;
	enum figure_outcome outcome = FIGURE_NOTHING;
	curves_init(curves, job);
	error->text[0] = '\0';
	bool chosen = choose(&series, job, error);
	const struct curves_table table = {TABLE_SERIES, series.columns, 1 + series.n_kpis,
		job->request->kpi != NULL ? "the file has no series with a value of this KPI"
								  : "the file has no series (scenario: `record: [series]`)",
		take};
	if (!chosen) {
		outcome = error->text[0] != '\0' ? FIGURE_FAILED : job_nothing(error, table.absent);
	} else {
		outcome = curves_read(curves, &table, &series, error);
	}
	if (outcome == FIGURE_DRAWN && curves->n == 0) {
		outcome = job_nothing(error, table.absent);
	} else if (outcome == FIGURE_DRAWN && !befell_read(&series.befell, job->frame, error)) {
		outcome = error->text[0] != '\0' ? FIGURE_FAILED : job_nothing(error, table.absent);
	} else if (outcome == FIGURE_DRAWN) {
		curves_place(curves, MAX_PANELS, compare);
		outcome = job_fits(&curves->layout, false, error) ? series_draw(&series, error) : FIGURE_NOTHING;
	}
	curves_finish(curves);
	befell_free(&series.befell);
	free(series.length_s);
	free(series.cut_short);
	return outcome;
}

const struct figure_kind figure_series = {
	.name = "series",
	.summary = "windowed KPIs over time, a curve for each arm, with 95 % bands",
	.needs = "the table of series",
	.takes_kpi = true,
	.draw = draw,
};
