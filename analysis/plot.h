/* Writes one figure: NAME.gp, NAME.dat and style.gp, and has gnuplot draw it.
 *
 * All places are computed here, in points from the lower left corner, so that the terminals agree
 * and nothing overlaps: a title, a legend, a grid of panels, a caption. Text that comes from a file
 * passes plot_quote and nothing else: enhanced text is off, and within single quotes gnuplot
 * expands nothing. */
#ifndef ANALYSIS_PLOT_H
#define ANALYSIS_PLOT_H

#include "analysis/figures.h"

#include "labels.h"

#define PLOT_COLUMN_PT 241.0 /* 8.5 cm */
#define PLOT_PAGE_PT 496.0   /* 17.5 cm */
#define PLOT_PALE 0.35       /* opacity of bars without an attack */
#define PLOT_BAND 0.18       /* opacity of bands */
#define PLOT_ALIKE 1e-9      /* of a number: what differs by less is written alike, and is no range of an axis */
#define LEGEND_MAX 24

enum legend_kind {
	LEGEND_LINE,
	LEGEND_BAR,
	LEGEND_PALE_BAR,
	LEGEND_GREY,
	LEGEND_PALE_GREY,
	/* Of these `style` is gnuplot's line style itself. */
	LEGEND_ARROW,
	LEGEND_STROKE,
	LEGEND_POINT,
};

struct legend_item {
	enum legend_kind kind;
	size_t style; /* from 0 */
	const char *text;
};

struct page {
	const char *title;
	const char *caption;
	bool wide;            /* 17.5 cm, else 8.5 */
	size_t columns, rows; /* of panels */
	double panel_pt;      /* height of a panel */
	double left_pt;       /* room for the names along y; 0: as much as numbers need */
	bool panel_titles;
	bool inner_x;            /* every row has tics and a label along x, else the last one alone */
	bool shared_y;           /* only the first column has a label and numbers along y */
	const char *const *tics; /* names along x, or NULL where x is a number */
	size_t n_tics;
	size_t n_legend;
	struct legend_item legend[LEGEND_MAX];
};

struct panel {
	size_t column, row;
	const char *title, *x_label, *y_label;
	double x_min, x_max, y_min, y_max; /* x is ignored where the page has tics: -0.5 to n - 0.5 */
	bool log_x, log_y;                 /* logarithmic: the least of the axis is above 0 */
	bool y_whole;                      /* a share in per cent: nothing above 100 */
};

struct plot {
	const struct figures_request *request;
	const struct page *page;
	const char *name;
	FILE *script, *data;
	size_t n_blocks, n_panels;
	double width, height, panel_width, left, step, top;
	bool rotate;
	double tic_room;
	size_t tic_width; /* characters of a line */
};

/* Room to the right of the panels. */
double plot_right_pt(const struct page *page);

/* Opens the files and writes everything up to the first panel. */
bool plot_begin(struct plot *plot, const struct figures_request *request, const char *name,
	const struct page *page, struct results_error *error);
/* Begins a block of the data file, with a comment; answers its index. Rows go to plot->data. */
size_t plot_block(struct plot *plot, const char *comment);
/* Sets a panel up; a `plot` command must follow, on plot->script. */
void plot_panel(struct plot *plot, const struct panel *panel);
/* Closes the files and runs gnuplot. After plot_begin succeeded it must be called, once. */
bool plot_end(struct plot *plot, struct results_error *error);

/* Line style of gnuplot for the i-th colour. */
size_t plot_style(size_t i);

/* Writes text as a single-quoted string of gnuplot, on one line; a quote in it becomes a
 * typographic one. */
void plot_quote(FILE *out, const char *text);

#endif
