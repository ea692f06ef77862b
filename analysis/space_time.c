#include "analysis/space_time.h"

#include "befell.h"
#include "job.h"
#include "memory.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_PT 40.0 /* between lifelines */
#define EDGE 0.55    /* of that, above the first and below the last */
#define HEAD_PT 5.0
#define SHORT_PT 6.0 /* what a lost message lacks to the lifeline */
#define WORD_PT 7.0
#define EM 0.57

/* Line styles of style.gp. */
enum {
	STYLE_CLIENT = 31, /* three of them */
	STYLE_LIFE = 41,
	STYLE_LEADS,
	STYLE_DOWN,
	STYLE_MARK, /* by enum space_time_mark_kind */
	STYLE_LOST = 48,
	STYLE_LIE,
	STYLE_RESTART,
};

static const char *const mark_names[SPACE_TIME_MARKS] = {
	"committed", "timeout", "accepted by its client", "crash", "restart"};

struct drawing {
	const struct space_time *figure;
	struct plot plot;
	double scale; /* seconds to the axis's unit */
	const char *unit;
	double stub_s; /* how far to the right a message goes that is lost where it is sent */
	bool arrows[SPACE_TIME_PHASES_MAX], lost, lie, marks[SPACE_TIME_MARKS];
	struct placed *places; /* of words */
	size_t n_places;
	struct befell befell; /* windows of faults, and the lifeline of each; -1: all */
	int64_t *nodes;
};

static size_t mark_style(size_t kind)
{
	return kind == SPACE_TIME_RESTART ? STYLE_RESTART : STYLE_MARK + kind;
}

static double height(const struct drawing *drawing, double line)
{
	return (double)(drawing->figure->n_lines - 1) - line;
}

static size_t arrow_style(const struct space_time *figure, size_t phase)
{
	if (phase < figure->n_client_phases) {
		return STYLE_CLIENT + phase % 3;
	}
	return plot_style(phase - figure->n_client_phases);
}

static void choose_unit(struct drawing *drawing)
{
	double range = drawing->figure->until_s - drawing->figure->from_s;
	drawing->scale = range < 2e-3 ? 1e6 : range < 10 ? 1e3 : 1;
	drawing->unit = range < 2e-3 ? "time (µs)" : range < 10 ? "time (ms)" : "time (s)";
}

static void survey(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	double sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < figure->n_arrows; i++) {
		const struct space_time_arrow *arrow = &figure->arrows[i];
		drawing->arrows[arrow->phase] = true;
		drawing->lost |= arrow->lost;
		drawing->lie |= arrow->lie && !arrow->lost;
		if (arrow->until_s > arrow->from_s) {
			sum += arrow->until_s - arrow->from_s;
			n++;
		}
	}
	for (size_t i = 0; i < figure->n_marks; i++) {
		drawing->marks[figure->marks[i].kind] = true;
	}
	drawing->stub_s = n > 0 ? sum / (double)n : (figure->until_s - figure->from_s) / 40;
}

static void add_legend(struct page *page, enum legend_kind kind, size_t style, const char *text)
{
	if (page->n_legend < LEGEND_MAX) {
		page->legend[page->n_legend++] = (struct legend_item){kind, style, text};
	}
}

static void fill_legend(struct page *page, const struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	for (size_t i = 0; i < figure->n_phases; i++) {
		if (drawing->arrows[i]) {
			add_legend(page, LEGEND_ARROW, arrow_style(figure, i), figure->phases[i]);
		}
	}
	if (drawing->lost) {
		add_legend(page, LEGEND_POINT, STYLE_LOST, "lost");
	}
	if (drawing->lie) {
		add_legend(page, LEGEND_ARROW, STYLE_LIE, "a lie");
	}
	for (size_t i = 0; i < SPACE_TIME_MARKS; i++) {
		if (drawing->marks[i]) {
			add_legend(page, LEGEND_POINT, mark_style(i), mark_names[i]);
		}
	}
	if (figure->n_leads > 0) {
		add_legend(page, LEGEND_STROKE, STYLE_LEADS, "leads");
	}
	if (figure->n_downs > 0) {
		add_legend(page, LEGEND_STROKE, STYLE_DOWN, "down");
	}
}

/* Blocks of the data file. */

static size_t write_spans(struct drawing *drawing, const char *comment,
	const struct space_time_span *spans, size_t n)
{
	size_t block = plot_block(&drawing->plot, comment);
	for (size_t i = 0; i < n; i++) {
		fprintf(drawing->plot.data, "%.10g %.10g %.10g 0\n", spans[i].from_s * drawing->scale,
			height(drawing, (double)spans[i].line), (spans[i].until_s - spans[i].from_s) * drawing->scale);
	}
	return block;
}

/* Lifelines, but where their nodes are down. */
static size_t write_lives(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	size_t block = plot_block(&drawing->plot, "lifelines: time, height, duration, 0");
	for (size_t line = 0; line < figure->n_lines; line++) {
		double from = figure->from_s;
		for (size_t i = 0; i <= figure->n_downs; i++) {
			bool last = i == figure->n_downs;
			if (!last && figure->downs[i].line != line) {
				continue;
			}
			double until = last ? figure->until_s : figure->downs[i].from_s;
			if (until > from) {
				fprintf(drawing->plot.data, "%.10g %.10g %.10g 0\n", from * drawing->scale,
					height(drawing, (double)line), (until - from) * drawing->scale);
			}
			from = last ? from : fmax(from, figure->downs[i].until_s);
		}
	}
	return block;
}

/* One message, from lifeline to lifeline; a lost one stops short of it. */
static void write_arrow(struct drawing *drawing, const struct space_time_arrow *arrow)
{
	bool at_once = arrow->lost && arrow->until_s <= arrow->from_s;
	double dx = at_once ? drawing->stub_s : arrow->until_s - arrow->from_s;
	double dy = (double)arrow->from - (double)arrow->to;
	double share = !arrow->lost ? 1 : at_once ? 0.35 : 1 - SHORT_PT / (LINE_PT * fabs(dy));
	fprintf(drawing->plot.data, "%.10g %.10g %.10g %.10g\n", arrow->from_s * drawing->scale,
		height(drawing, (double)arrow->from), dx * share * drawing->scale, dy * share);
}

enum arrow_sort { ARROW_PLAIN, ARROW_LIE, ARROW_LOST, ARROW_SORTS };

static enum arrow_sort sort_of(const struct space_time_arrow *arrow)
{
	return arrow->lost ? ARROW_LOST : arrow->lie ? ARROW_LIE : ARROW_PLAIN;
}

static void plot_arrows(struct drawing *drawing, size_t phase, enum arrow_sort sort)
{
	static const char *const sorts[ARROW_SORTS] = {"", ", a lie", ", lost"};
	const struct space_time *figure = drawing->figure;
	bool any = false;
	size_t block = 0;
	for (size_t i = 0; i < figure->n_arrows; i++) {
		const struct space_time_arrow *arrow = &figure->arrows[i];
		if (arrow->phase != phase || sort_of(arrow) != sort) {
			continue;
		}
		if (!any) {
			char comment[120];
			snprintf(comment, sizeof(comment), "%.60s%s: time, height, duration, rise",
				figure->phases[phase], sorts[sort]);
			block = plot_block(&drawing->plot, comment);
			any = true;
		}
		write_arrow(drawing, arrow);
	}
	if (!any) {
		return;
	}
	size_t style = arrow_style(figure, phase);
	FILE *out = drawing->plot.script;
	if (sort == ARROW_LOST) {
		fprintf(out, ", \\\n\tdata index %zu using 1:2:3:4 with vectors nohead ls %zu lw 1.3", block, style);
		fprintf(out, ", \\\n\tdata index %zu using ($1+$3):($2+$4) with points ls %d", block, STYLE_LOST);
	} else if (sort == ARROW_LIE) { /* its last eighth and its head are red */
		fprintf(out, ", \\\n\tdata index %zu using 1:2:3:4 with vectors nohead ls %zu lw 1.3", block, style);
		fprintf(out,
			", \\\n\tdata index %zu using ($1+.875*$3):($2+.875*$4):(.125*$3):(.125*$4) with vectors head "
			"size screen %.5f,17 fixed noborder ls %d",
			block, HEAD_PT / drawing->plot.width, STYLE_LIE);
	} else {
		fprintf(out,
			", \\\n\tdata index %zu using 1:2:3:4 with vectors head size screen %.5f,17 fixed "
			"noborder ls %zu lw 1.3",
			block, HEAD_PT / drawing->plot.width, style);
	}
}

static void plot_marks(struct drawing *drawing, enum space_time_mark_kind kind)
{
	const struct space_time *figure = drawing->figure;
	if (!drawing->marks[kind]) {
		return;
	}
	size_t block = plot_block(&drawing->plot, mark_names[kind]);
	for (size_t i = 0; i < figure->n_marks; i++) {
		if (figure->marks[i].kind == kind) {
			fprintf(drawing->plot.data, "%.10g %.10g\n", figure->marks[i].at_s * drawing->scale,
				height(drawing, (double)figure->marks[i].line));
		}
	}
	fprintf(drawing->plot.script, ", \\\n\tdata index %zu using 1:2 with points ls %zu", block,
		mark_style(kind));
}

/* Words. Each stands above or below its lifeline near its moment: where it covers the fewest arrows and no
 * other word. */

struct box {
	double x0, x1, y0, y1; /* pt, from the panel's lower left corner */
};

struct placed {
	struct box box;
	const char *text;
};

/* Does the stretch from (x, y) by (dx, dy) pass through the box? (Liang, Barsky 1984.) */
static bool crosses(const struct box *box, double x, double y, double dx, double dy)
{
	const double directions[] = {-dx, dx, -dy, dy};
	const double distances[] = {x - box->x0, box->x1 - x, y - box->y0, box->y1 - y};
	double enters = 0;
	double leaves = 1;
	for (int i = 0; i < 4; i++) {
		if (directions[i] == 0) {
			if (distances[i] < 0) {
				return false;
			}
			continue;
		}
		double at = distances[i] / directions[i];
		if (directions[i] < 0) {
			enters = fmax(enters, at);
		} else {
			leaves = fmin(leaves, at);
		}
	}
	return enters <= leaves;
}

static double height_pt(const struct drawing *drawing, size_t line)
{
	return (height(drawing, (double)line) + EDGE) * LINE_PT;
}

static double time_pt(const struct drawing *drawing, double at_s)
{
	const struct space_time *figure = drawing->figure;
	return (at_s - figure->from_s) / (figure->until_s - figure->from_s) * drawing->plot.panel_width;
}

static size_t n_covered(const struct drawing *drawing, const struct box *box)
{
	const struct space_time *figure = drawing->figure;
	size_t n = 0;
	for (size_t i = 0; i < figure->n_arrows; i++) {
		const struct space_time_arrow *arrow = &figure->arrows[i];
		double x = time_pt(drawing, arrow->from_s);
		double y = height_pt(drawing, arrow->from);
		/* The end counts twice: heads are what tells one arrow from another. */
		n += crosses(box, x, y, time_pt(drawing, arrow->until_s) - x, height_pt(drawing, arrow->to) - y);
		n += crosses(box, time_pt(drawing, arrow->until_s), height_pt(drawing, arrow->to), 0, 0);
	}
	for (size_t i = 0; i < figure->n_marks; i++) {
		n += 2 * crosses(box, time_pt(drawing, figure->marks[i].at_s),
					 height_pt(drawing, figure->marks[i].line), 0, 0);
	}
	return n;
}

static bool touches(const struct box *a, const struct box *b)
{
	return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* Finds a word its place, after `begins`, where the one before it on its lifeline begins. False: there is
 * none. */
static bool place_word(const struct drawing *drawing, const struct space_time_word *word,
	double begins, struct box *place)
{
	double wide = (double)text_length(word->text) * EM * WORD_PT;
	double x = time_pt(drawing, word->at_s);
	double y = height_pt(drawing, word->line);
	/* After its moment is better than before it, and soon after better than later: by so many arrows. Further
	 * off it would seem to belong to another moment. */
	const double offsets[] = {4, 10, -wide / 2, -4 - wide};
	static const size_t prices[] = {0, 2, 3, 3};
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < 8; i++) {
		bool above = i % 2 == 0;
		double x0 = x + offsets[i / 2];
		double y0 = above ? y + 4 : y - 4 - WORD_PT;
		struct box box = {x0, x0 + wide, y0, y0 + WORD_PT};
		bool is_free = x0 > begins && x0 >= 0 && box.x1 <= drawing->plot.panel_width;
		for (size_t k = 0; k < drawing->n_places && is_free; k++) {
			is_free = !touches(&box, &drawing->places[k].box);
		}
		size_t n = is_free ? n_covered(drawing, &box) + prices[i / 2] : SIZE_MAX;
		if (n < fewest) {
			fewest = n;
			*place = box;
		}
	}
	return fewest != SIZE_MAX;
}

static void place_words(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	double *begins = figure_take(figure->n_lines, sizeof(*begins));
	drawing->places = figure_take(figure->n_words, sizeof(*drawing->places));
	for (size_t i = 0; i < figure->n_words; i++) {
		const struct space_time_word *word = &figure->words[i];
		struct box box;
		if (place_word(drawing, word, begins[word->line], &box)) {
			begins[word->line] = box.x0;
			drawing->places[drawing->n_places++] = (struct placed){box, word->text};
		}
	}
	free(begins);
}

static void write_words(const struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	const struct plot *plot = &drawing->plot;
	double unit = (figure->until_s - figure->from_s) * drawing->scale / plot->panel_width;
	fprintf(plot->script, "set style textbox opaque noborder fillcolor rgb '#ffffff' margins 0.2, 0\n");
	for (size_t i = 0; i < drawing->n_places; i++) {
		const struct box *box = &drawing->places[i].box;
		fprintf(plot->script, "set label ");
		plot_quote(plot->script, drawing->places[i].text);
		fprintf(plot->script,
			" at first %.8g, %.8g center front boxed tc rgb grey_dark font font_note\n",
			figure->from_s * drawing->scale + (box->x0 + box->x1) / 2 * unit,
			(box->y0 + box->y1) / 2 / LINE_PT - EDGE);
	}
}

static void write_names(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	FILE *out = drawing->plot.script;
	fprintf(out, "unset grid\nset ytics (");
	for (size_t i = 0; i < figure->n_lines; i++) {
		fprintf(out, "%s", i > 0 ? ", " : "");
		plot_quote(out, figure->lines[i]);
		fprintf(out, " %.10g", height(drawing, (double)i));
	}
	fprintf(out, ")\n");
}

/* Shades what was under a fault: the whole figure, or the neighbourhood of a lifeline. */
static void shade(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	const double *edges = (const double[]){figure->from_s, figure->until_s};
	for (size_t i = 0; i < drawing->befell.n; i++) {
		const struct befallen *window = &drawing->befell.windows[i];
		double from = fmax(window->from_s, edges[0]), until = fmin(window->until_s, edges[1]);
		double middle = drawing->nodes[i] < 0 ? 0 : height(drawing, (double)drawing->nodes[i]);
		double low = drawing->nodes[i] < 0 ? -EDGE : middle - 0.3;
		double high = drawing->nodes[i] < 0 ? (double)figure->n_lines - 1 + EDGE : middle + 0.3;
		if (until > from) {
			fprintf(drawing->plot.script,
				"set object rectangle from first %.10g, first %.10g to first %.10g, first %.10g back "
				"fc rgb grey_dark fs transparent solid 0.12 noborder\n",
				from * drawing->scale, low, until * drawing->scale, high);
		}
	}
}

/* Pairs beginnings and ends; leaves what lies in the window. */
static void read_faults(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	drawing->befell.windows = figure_take(figure->n_faults, sizeof(*drawing->befell.windows));
	drawing->nodes = figure_take(figure->n_faults, sizeof(*drawing->nodes));
	for (size_t i = 0; i < figure->n_faults; i++) {
		const struct space_time_fault *fault = &figure->faults[i];
		befell_take(&drawing->befell, drawing->nodes, 0, fault->at_s,
			fault->line == SIZE_MAX ? -1 : (int64_t)fault->line, fault->text);
	}
	size_t n = 0;
	for (size_t i = 0; i < drawing->befell.n; i++) {
		struct befallen window = drawing->befell.windows[i];
		if (window.from_s < figure->until_s && window.until_s > figure->from_s) {
			drawing->nodes[n] = drawing->nodes[i];
			drawing->befell.windows[n++] = window;
		}
	}
	drawing->befell.n = n;
}

static void draw_all(struct drawing *drawing)
{
	const struct space_time *figure = drawing->figure;
	FILE *out = drawing->plot.script;
	shade(drawing);
	write_names(drawing);
	write_words(drawing);
	size_t lives = write_lives(drawing);
	fprintf(out, "plot data index %zu using 1:2:3:4 with vectors nohead ls %d", lives, STYLE_LIFE);
	if (figure->n_downs > 0) {
		size_t block = write_spans(drawing, "down", figure->downs, figure->n_downs);
		fprintf(out, ", \\\n\tdata index %zu using 1:2:3:4 with vectors nohead ls %d", block, STYLE_DOWN);
	}
	if (figure->n_leads > 0) {
		size_t block = write_spans(drawing, "leads", figure->leads, figure->n_leads);
		fprintf(out, ", \\\n\tdata index %zu using 1:2:3:4 with vectors nohead ls %d", block, STYLE_LEADS);
	}
	for (size_t phase = 0; phase < figure->n_phases; phase++) {
		for (unsigned sort = 0; sort < ARROW_SORTS; sort++) {
			plot_arrows(drawing, phase, (enum arrow_sort)sort);
		}
	}
	for (size_t kind = 0; kind < SPACE_TIME_MARKS; kind++) {
		plot_marks(drawing, (enum space_time_mark_kind)kind);
	}
	fprintf(out, "\n");
}

static void finish(struct drawing *drawing)
{
	free(drawing->places);
	free(drawing->nodes);
	befell_free(&drawing->befell);
}

bool space_time_draw(const struct figures_request *request, const char *name,
	const struct space_time *figure, struct results_error *error)
{
	struct drawing drawing = {.figure = figure};
	assert(figure->n_phases <= SPACE_TIME_PHASES_MAX);
	choose_unit(&drawing);
	survey(&drawing);
	size_t longest = 0;
	for (size_t i = 0; i < figure->n_lines; i++) {
		size_t length = text_length(figure->lines[i]);
		longest = length > longest ? length : longest;
	}
	struct page page = {
		.title = figure->title,
		.caption = figure->caption,
		.wide = figure->wide,
		.columns = 1,
		.rows = 1,
		.panel_pt = LINE_PT * ((double)figure->n_lines - 1 + 2 * EDGE),
		.left_pt = 14 + EM * 8 * (double)longest,
	};
	fill_legend(&page, &drawing);
	/* The caption says how many words found no place: they are placed before the page is measured. */
	double panel_width = (figure->wide ? PLOT_PAGE_PT : PLOT_COLUMN_PT) - page.left_pt - plot_right_pt(&page);
	drawing.plot.panel_width = panel_width;
	place_words(&drawing);
	char caption[2048];
	size_t n_left_out = figure->n_words - drawing.n_places;
	read_faults(&drawing);
	snprintf(caption, sizeof(caption), "%.1000s", figure->caption);
	befell_describe(&drawing.befell, caption, sizeof(caption));
	if (n_left_out > 0) {
		size_t length = strlen(caption);
		snprintf(caption + length, sizeof(caption) - length, " No room for %zu label%s: they are left out.",
			n_left_out, n_left_out == 1 ? "" : "s");
	}
	page.caption = caption;
	if (!plot_begin(&drawing.plot, request, name, &page, error)) {
		finish(&drawing);
		return false;
	}
	assert(fabs(drawing.plot.panel_width - panel_width) < 1e-9);
	struct panel panel = {
		.x_label = drawing.unit,
		.x_min = figure->from_s * drawing.scale,
		.x_max = figure->until_s * drawing.scale,
		.y_min = -EDGE,
		.y_max = (double)figure->n_lines - 1 + EDGE,
	};
	plot_panel(&drawing.plot, &panel);
	draw_all(&drawing);
	finish(&drawing);
	return plot_end(&drawing.plot, error);
}
