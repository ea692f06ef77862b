#include "curves.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

void curves_init(struct curves *curves, struct figure_job *job)
{
	*curves = (struct curves){.job = job, .n_min = SIZE_MAX};
}

void curves_finish(struct curves *curves)
{
	layout_free(&curves->layout);
	free(curves->samples);
	for (size_t i = 0; i < CURVES_VALUES; i++) {
		free(curves->sums[i]);
	}
}

enum figure_outcome curves_read(
	struct curves *curves, const struct curves_table *table, void *of, struct results_error *error)
{
	const struct frame *frame = curves->job->frame;
	const struct table_schema *schema;
	error->text[0] = '\0';
	const struct block *block = results_table(frame->file, table->id, &schema, error);
	int run = block != NULL ? schema_find(schema, "run") : -1, columns[1 + CURVES_VALUES];
	bool known = run >= 0;
	for (size_t c = 0; known && c < table->n_columns; c++) {
		columns[c] = schema_find(schema, table->columns[c]);
		known = columns[c] >= 0;
	}
	if (!known) {
		return error->text[0] != '\0' ? FIGURE_FAILED : job_nothing(error, table->absent);
	}
	curves->samples = figure_take(block->n_rows, sizeof(*curves->samples));
	for (size_t s = 0; s < CURVES_VALUES; s++) {
		curves->sums[s] = figure_take(frame->n_rows, sizeof(double));
	}
	for (size_t i = 0; i < block->n_rows; i++) {
		double cells[1 + CURVES_VALUES], adds[CURVES_VALUES] = {0};
		for (size_t c = 0; c < table->n_columns; c++) {
			union cell cell = block_get(block, schema, i, (size_t)columns[c]);
			cells[c] = schema->columns[columns[c]].type == COLUMN_INT ? (double)cell.integer : cell.real;
		}
		struct sample sample = {.row = frame_row(frame, block_get(block, schema, i, (size_t)run).integer)};
		if (sample.row == SIZE_MAX || !table->take(of, i, cells, &sample, adds)) {
			continue;
		}
		sample.replication = frame->replication[sample.row];
		for (size_t s = 0; s < CURVES_VALUES; s++) {
			curves->sums[s][sample.row] += adds[s];
		}
		curves->samples[curves->n++] = sample;
	}
	return FIGURE_DRAWN;
}

void curves_place(struct curves *curves, size_t max_panels, int (*compare)(const void *, const void *))
{
	const struct axis *axes = curves->layout.axes;
	layout_init(&curves->layout, curves->job->frame, (const double *const *)curves->sums, CURVES_VALUES,
		job_keep(curves->job));
	layout_lines(&curves->layout, curves->job->by, max_panels);
	size_t n = 0;
	for (size_t i = 0; i < curves->n; i++) {
		size_t row = curves->samples[i].row;
		if (curves->layout.used[row]) {
			curves->samples[n] = curves->samples[i];
			curves->samples[n++].cell =
				axes[AXIS_PANEL].of_row[row] * axes[AXIS_COLOUR].n + axes[AXIS_COLOUR].of_row[row];
		}
	}
	curves->n = n;
	qsort(curves->samples, n, sizeof(*curves->samples), compare);
}

size_t curves_cell(const struct curves *curves, size_t cell, size_t *first)
{
	size_t i = 0;
	while (i < curves->n && curves->samples[i].cell < cell) {
		i++;
	}
	*first = i;
	while (i < curves->n && curves->samples[i].cell == cell) {
		i++;
	}
	return i;
}

size_t curves_n_cells(const struct curves *curves)
{
	return curves->layout.axes[AXIS_PANEL].n * curves->layout.axes[AXIS_COLOUR].n;
}

void curves_count(struct curves *curves, size_t n)
{
	curves->n_min = n > 0 && n < curves->n_min ? n : curves->n_min;
	curves->n_max = n > curves->n_max ? n : curves->n_max;
}

void curves_caption(
	struct curves *curves, const char *many, const char *many_rest, const char *one, const char *one_rest)
{
	char count[64];
	bool band = curves->n_max > 1;
	replications_text(count, sizeof(count), curves->n_min, curves->n_max);
	snprintf(curves->caption, sizeof(curves->caption), "%s%s%s%s", band ? many : one, count,
		band ? "" : ", so without a band.", band ? many_rest : one_rest);
	layout_describe(&curves->layout, NULL, curves->caption, sizeof(curves->caption));
}

static void draw_panel(struct curves *curves, const struct curves_drawing *drawing, void *of, size_t row, size_t p,
	const struct panel *panel, struct plot *plot)
{
	const struct axis *axes = curves->layout.axes, *colours = &axes[AXIS_COLOUR];
	char low[64] = "3";
	if (drawing->cut) {
		double bottom = panel->log_y ? 0 : panel->y_min;
		snprintf(low, sizeof(low), "($3 < %.10g ? %.10g : $3)", bottom, bottom);
	}
	struct curve *drawn = figure_take(colours->n, sizeof(*drawn));
	size_t *blocks = figure_take(colours->n, sizeof(*blocks));
	bool begun = drawing->behind != NULL && drawing->behind(of, p, plot, panel);
	const char *comma = begun ? ", \\\n\t" : "plot ";
	for (size_t c = 0; c < colours->n; c++) {
		char comment[512];
		snprintf(comment, sizeof(comment), "%s: %s %s: %s, %s, low, high, replications", panel->y_label,
			axes[AXIS_PANEL].names[p], colours->names[c], panel->x_label, panel->y_label);
		blocks[c] = plot_block(plot, comment);
		drawn[c] = drawing->write(of, row, p, c, plot->data);
		if (drawn[c].band) {
			fprintf(plot->script,
				"%sdata index %zu using 1:%s:4 with filledcurves fc rgb colour(%zu) "
				"fs transparent solid %g noborder",
				comma, blocks[c], low, plot_style(c), PLOT_BAND);
			comma = ", \\\n\t";
		}
	}
	for (size_t c = 0; c < colours->n; c++) {
		/* Markers sit apart from one another, so that curves that coincide are both seen. */
		char every[64] = "";
		if (drawn[c].every > 0) {
			snprintf(every, sizeof(every), "every %zu::%zu ", drawn[c].every, drawn[c].first);
		}
		fprintf(plot->script,
			"%sdata index %zu using 1:2 with %s ls %zu, \\\n"
			"\tdata index %zu %susing 1:2 with points ls %zu dt 1",
			comma, blocks[c], drawing->style, plot_style(c), blocks[c], every, plot_style(c));
		comma = ", \\\n\t";
	}
	fprintf(plot->script, "\n");
	free(blocks);
	free(drawn);
}

enum figure_outcome curves_draw(
	struct curves *curves, const struct curves_drawing *drawing, void *of, struct results_error *error)
{
	const struct axis *panels = &curves->layout.axes[AXIS_PANEL];
	bool grid = drawing->n_rows == 0;
	char title[400], keys[200];
	layout_keys(&curves->layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "%s%s", drawing->title, keys);
	layout_describe_runs(&curves->layout, curves->caption, sizeof(curves->caption));
	size_t columns = grid ? grid_columns(panels->n) : panels->n;
	struct page page = {.title = title,
		.caption = curves->caption,
		.wide = panels->n > 1,
		.columns = columns,
		.rows = grid ? (panels->n + columns - 1) / columns : drawing->n_rows,
		.panel_pt = drawing->panel_pt > 0 ? drawing->panel_pt : panels->n > columns ? 100 : 130,
		.panel_titles = panels->n > 1,
		.inner_x = panels->n % columns != 0,
		.shared_y = true};
	legend_fill(&page, &curves->layout.axes[AXIS_COLOUR], LEGEND_LINE);
	struct plot plot;
	if (!plot_begin(&plot, curves->job->request, curves->job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	for (size_t row = 0; row < (grid ? 1 : drawing->n_rows); row++) {
		for (size_t p = 0; p < panels->n; p++) {
			struct panel panel = {.column = p % columns,
				.row = grid ? p / columns : row,
				.title = row == 0 ? panels->names[p] : NULL};
			drawing->panel(of, row, &panel);
			plot_panel(&plot, &panel);
			draw_panel(curves, drawing, of, row, p, &panel, &plot);
		}
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}
