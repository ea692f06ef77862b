/* series: windowed KPIs over time, a panel for each KPI, the mean over replications and its
 * interval. */
#include "befell.h"
#include "job.h"
#include "memory.h"
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KPIS 4
#define MAX_PANELS 4

/* One window of one run. */
struct window {
	size_t cell; /* panel * colours + colour */
	double time_s;
	int64_t replication;
	double values[MAX_KPIS];
};

struct series {
	struct layout layout;
	size_t n_kpis;
	struct quantity quantities[MAX_KPIS];
	double *sums[MAX_KPIS]; /* one a row: what must agree */
	struct window *windows;
	size_t *row_of;
	size_t n;
	size_t n_max;                         /* replications behind a point */
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
	const struct table_schema *schema, int column, int columns[MAX_KPIS])
{
	const struct column *c = &schema->columns[column];
	double largest = c->type == COLUMN_STRING ? -1 : column_largest(series, block, schema, (size_t)column);
	if (largest >= 0 && series->n_kpis < MAX_KPIS) {
		columns[series->n_kpis] = column;
		series->quantities[series->n_kpis++] = quantity_describe(c, largest);
	}
}

/* The columns that are shown: the one asked for; else the service that clients see; else the first.
 */
static size_t choose_columns(struct series *series, const struct block *block,
	const struct table_schema *schema, const char *kpi, int columns[MAX_KPIS])
{
	static const char *const service[] = {"accepted_per_s", "latency_mean_s", "outstanding"};
	for (size_t i = 0; i < (kpi != NULL ? 1 : 3); i++) {
		int column = schema_find(schema, kpi != NULL ? kpi : service[i]);
		if (column >= 0) {
			show_column(series, block, schema, column, columns);
		}
	}
	for (size_t i = 0; i < schema->n_columns && kpi == NULL && series->n_kpis == 0; i++) {
		const char *name = schema->columns[i].name;
		if (strcmp(name, "run") != 0 && strcmp(name, "time_s") != 0 && strcmp(name, "length_s") != 0) {
			show_column(series, block, schema, (int)i, columns);
		}
	}
	return series->n_kpis;
}

static bool read_windows(
	struct series *series, const struct figure_job *job, struct results_error *error)
{
	const struct table_schema *schema;
	const struct block *block = results_table(job->frame->file, TABLE_SERIES, &schema, error);
	if (block == NULL) {
		return false;
	}
	int run = schema_find(schema, "run"), time = schema_find(schema, "time_s");
	int columns[MAX_KPIS];
	read_lengths(series, job, block, schema);
	if (run < 0 || time < 0 ||
		choose_columns(series, block, schema, job->request->kpi, columns) == 0) {
		return false;
	}
	series->windows = figure_take(block->n_rows, sizeof(*series->windows));
	series->row_of = figure_take(block->n_rows, sizeof(*series->row_of));
	for (size_t k = 0; k < series->n_kpis; k++) {
		series->sums[k] = figure_take(job->frame->n_rows, sizeof(double));
	}
	for (size_t i = 0; i < block->n_rows; i++) {
		size_t row = frame_row(job->frame, block_get(block, schema, i, (size_t)run).integer);
		if (row == SIZE_MAX || series->cut_short[i]) {
			continue;
		}
		struct window *window = &series->windows[series->n];
		window->replication = job->frame->replication[row];
		window->time_s = block_get(block, schema, i, (size_t)time).real;
		for (size_t k = 0; k < series->n_kpis; k++) {
			union cell cell = block_get(block, schema, i, (size_t)columns[k]);
			window->values[k] =
				schema->columns[columns[k]].type == COLUMN_INT ? (double)cell.integer : cell.real;
			/* The place in time counts: the same values at other times are another course; none is another than 0. */
			series->sums[k][row] += (isfinite(window->values[k]) ? window->values[k] : -1) * (1 + window->time_s);
		}
		series->row_of[series->n++] = row;
	}
	return series->n > 0;
}

static int compare_windows(const void *a, const void *b)
{
	const struct window *x = a, *y = b;
	if (x->cell != y->cell) {
		return x->cell > y->cell ? 1 : -1;
	}
	if (x->time_s != y->time_s) {
		return x->time_s > y->time_s ? 1 : -1;
	}
	return (x->replication > y->replication) - (x->replication < y->replication);
}

static void sort_windows(struct series *series)
{
	const struct axis *axes = series->layout.axes;
	size_t n = 0;
	for (size_t i = 0; i < series->n; i++) {
		size_t row = series->row_of[i];
		if (series->layout.used[row]) {
			series->windows[n] = series->windows[i];
			series->windows[n++].cell =
				axes[AXIS_PANEL].of_row[row] * axes[AXIS_COLOUR].n + axes[AXIS_COLOUR].of_row[row];
		}
	}
	series->n = n;
	qsort(series->windows, n, sizeof(*series->windows), compare_windows);
}

/* The interval of one KPI over the windows [first, end) of one cell at one time: averaged within
 * each replication first. False where none has a value. */
static bool window_interval(const struct series *series, size_t first, size_t end, size_t k,
	double *scratch, struct interval *interval)
{
	size_t n = 0;
	for (size_t i = first; i < end;) {
		double sum = 0;
		size_t n_own = 0;
		int64_t replication = series->windows[i].replication;
		for (; i < end && series->windows[i].replication == replication; i++) {
			double value = series->windows[i].values[k];
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
	double *scratch = figure_take(series->n, sizeof(*scratch));
	size_t most = 0, n_written = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < series->n;) {
			size_t first = i;
			while (i < series->n && series->windows[i].cell == series->windows[first].cell &&
				   series->windows[i].time_s == series->windows[first].time_s) {
				i++;
			}
			struct interval point = {0};
			if (series->windows[first].cell != cell) {
				continue;
			}
			bool some = window_interval(series, first, i, k, scratch, &point);
			most = point.n > most ? point.n : most;
			if (pass == 0) {
				continue;
			}
			if (!some || 2 * point.n < most) {
				if (out != NULL && n_written > 0) {
					fprintf(out, "%.10g NaN NaN NaN 0\n", series->windows[first].time_s);
				}
				continue;
			}
			n_written++;
			if (out != NULL) {
				bool band = point.n > 1;
				fprintf(out, "%.10g %.10g %.10g %.10g %zu\n", series->windows[first].time_s,
					point.mean, band ? point.low : point.mean, band ? point.high : point.mean,
					point.n);
				continue;
			}
			series->high[k] = fmax(series->high[k], fmax(point.mean, point.high));
			series->low[k] = fmin(series->low[k], point.mean);
			series->end_s = fmax(series->end_s, series->windows[first].time_s);
		}
	}
	series->n_max = most > series->n_max ? most : series->n_max;
	if (out != NULL && n_written == 0) {
		fprintf(out, "0 NaN NaN NaN 0\n");
	}
	free(scratch);
	return most > 1;
}

static void draw_panel(struct plot *plot, struct series *series, size_t p, size_t k)
{
	double bottom = series->low[k] * 1.06; /* gnuplot clips a band at the sides of the page only */
	const struct axis *colours = &series->layout.axes[AXIS_COLOUR];
	size_t *blocks = figure_take(colours->n, sizeof(*blocks));
	const char *comma = "plot ";
	for (size_t c = 0; c < colours->n; c++) {
		char comment[400];
		snprintf(comment, sizeof(comment), "%s: %s %s: time, mean, low, high, replications",
			series->quantities[k].axis, series->layout.axes[AXIS_PANEL].names[p],
			colours->names[c]);
		blocks[c] = plot_block(plot, comment);
		if (curve(series, p * colours->n + c, k, plot->data)) {
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
			"\tdata index %zu every 8::%zu using 1:2 with points ls %zu dt 1",
			comma, blocks[c], plot_style(c), blocks[c], c % 8, plot_style(c));
		comma = ", \\\n\t";
	}
	fprintf(plot->script, "\n");
	free(blocks);
}

/* Draws what befell the runs of a panel; its caption, where all panels' runs met the same. */
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
		if (series->layout.used[row] && series->length_s[row] > 0) {
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

static void describe(
	const struct series *series, const struct figure_job *job, char *caption, size_t size)
{
	char count[64];
	replications_text(count, sizeof(count), series->n_max, series->n_max);
	snprintf(caption, size,
		series->n_max > 1 ? "Mean over up to %s; band: 95 %% interval (Student's t); windows that "
							"fewer than half "
							"of them reach are left out."
						  : "From %s, so without a band.",
		count);
	layout_describe(&series->layout, NULL, caption, size);
	describe_faults(&series->befell, &series->layout, caption, size);
	size_t length = strlen(caption);
	describe_windows(series, job, caption + length, size - length);
	layout_describe_runs(&series->layout, caption, size);
}

static enum figure_outcome series_draw(
	struct series *series, struct figure_job *job, struct results_error *error)
{
	const struct axis *panels = &series->layout.axes[AXIS_PANEL];
	size_t n_cells = panels->n * series->layout.axes[AXIS_COLOUR].n;
	for (size_t k = 0; k < series->n_kpis; k++) {
		for (size_t cell = 0; cell < n_cells; cell++) {
			curve(series, cell, k, NULL);
		}
	}
	if (series->end_s <= 0) {
		return job_nothing(error, "no run is longer than one window; a shorter `series.window` makes more of them");
	}
	char title[400], caption[1500], keys[200];
	layout_keys(&series->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "%s over time%s",
		series->n_kpis == 1 ? series->quantities[0].name : "service", keys);
	describe(series, job, caption, sizeof(caption));
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1,
		.columns = panels->n,
		.rows = series->n_kpis,
		.panel_pt = series->n_kpis == 1 ? 120 : 84,
		.panel_titles = panels->n > 1,
		.shared_y = true};
	legend_fill(&page, &series->layout.axes[AXIS_COLOUR], LEGEND_LINE);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	for (size_t k = 0; k < series->n_kpis; k++) {
		double low = series->low[k], high = series->high[k];
		for (size_t p = 0; p < panels->n; p++) {
			struct panel panel = {.column = p,
				.row = k,
				.title = k == 0 ? panels->names[p] : NULL,
				.x_label = "time (s)",
				.y_label = series->quantities[k].axis,
				.x_max = series->end_s * 1.02,
				.y_min = low * 1.06,
				.y_max = high > 0 ? high * 1.06 : 1,
				.y_whole = series->quantities[k].share};
			plot_panel(&plot, &panel);
			struct befell shared = befell_shared(&series->befell, &series->layout, p);
			befell_draw(&shared, plot.script, panel.x_max);
			befell_free(&shared);
			draw_panel(&plot, series, p, k);
		}
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct series series = {0};
	enum figure_outcome outcome = FIGURE_NOTHING;
	error->text[0] = '\0';
	if (read_windows(&series, job, error) && befell_read(&series.befell, job->frame, error)) {
		layout_init(&series.layout, job->frame, (const double *const *)series.sums, series.n_kpis,
			job_keep(job));
		layout_lines(&series.layout, job->by, MAX_PANELS);
		sort_windows(&series);
		outcome = job_fits(&series.layout, false, error) ? series_draw(&series, job, error) : FIGURE_NOTHING;
	} else if (error->text[0] != '\0') {
		outcome = FIGURE_FAILED;
	} else if (job->request->kpi != NULL) {
		job_nothing(error, "the file has no series with a value of this KPI");
	} else {
		job_nothing(error, "the file has no series (scenario: `record: [series]`)");
	}
	layout_free(&series.layout);
	for (size_t k = 0; k < MAX_KPIS; k++) {
		free(series.sums[k]);
	}
	free(series.windows);
	befell_free(&series.befell);
	free(series.row_of);
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
