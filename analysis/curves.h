/* What the figures of curves share (line, series, roc, latency-cdf): a table's samples by arm, and a page of panels
 * with a legend, where each arm has a curve with its band and its markers. */
#ifndef ANALYSIS_CURVES_H
#define ANALYSIS_CURVES_H

#include "job.h"

#define CURVES_VALUES 4

/* One row of a table, of one run. */
struct sample {
	size_t row;  /* of the frame */
	size_t cell; /* panel * colours + colour */
	int64_t replication;
	double x, values[CURVES_VALUES];
};

struct curves {
	struct figure_job *job;
	struct layout layout;
	struct sample *samples; /* of a table; none for what is drawn from the runs alone */
	size_t n;
	double *sums[CURVES_VALUES]; /* by row of the frame: what must agree where a key changes nothing */
	size_t n_min, n_max;         /* replications behind a point */
	char caption[1500];
};

/* Where samples come from. */
struct curves_table {
	enum table_id id;
	const char *const *columns;
	size_t n_columns; /* at most 1 + CURVES_VALUES */
	const char *absent; /* what is said where there is no such table, or a column lacks */
	/* Makes a sample of row i's cells, and says what it adds to its run's sums; false: it is left out. */
	bool (*take)(void *of, size_t i, const double *cells, struct sample *sample, double adds[CURVES_VALUES]);
};

/* A curve as it was written: has it a band, and at which of its points are markers: all where every = 0, else from
 * `first` on. */
struct curve {
	bool band;
	size_t every, first;
};

struct curves_drawing {
	const char *title;  /* the keys are added */
	const char *style;  /* gnuplot's: "lines", "steps" */
	size_t n_rows;      /* all panels side by side, so often; 0: once, in a grid */
	double panel_pt;    /* 0: as a grid's are */
	bool cut;           /* bands may reach below the panel, and gnuplot clips them at the page's sides only */
	/* Labels, ranges and scales of the panels of a row. */
	void (*panel)(void *of, size_t row, struct panel *panel);
	/* Draws what lies behind the curves, or NULL; true where that has begun the `plot` command. */
	bool (*behind)(void *of, size_t p, struct plot *plot, const struct panel *panel);
	/* Writes the points of a colour in a panel: x, y, low, high, replications. */
	struct curve (*write)(void *of, size_t row, size_t p, size_t colour, FILE *out);
};

void curves_init(struct curves *curves, struct figure_job *job);
void curves_finish(struct curves *curves);

/* Reads the samples and the sums. Other than FIGURE_DRAWN: error says why not. */
enum figure_outcome curves_read(
	struct curves *curves, const struct curves_table *table, void *of, struct results_error *error);
/* Shares the rows out for lines, drops the samples that aren't shown and sorts the others by `compare`, of two
 * samples, which must look at the cell first. O(n log n). */
void curves_place(struct curves *curves, size_t max_panels, int (*compare)(const void *, const void *));
/* Where a cell's samples lie: [first, answer). */
size_t curves_cell(const struct curves *curves, size_t cell, size_t *first);
size_t curves_n_cells(const struct curves *curves);

/* A point with n replications behind it. */
void curves_count(struct curves *curves, size_t n);
/* Begins the caption: "MANY 10 replications MANY_REST", or "ONE one replication, so without a band. ONE_REST", and
 * what became of the keys. */
void curves_caption(
	struct curves *curves, const char *many, const char *many_rest, const char *one, const char *one_rest);

/* Draws the page; the caption ends with how the runs ended. */
enum figure_outcome curves_draw(
	struct curves *curves, const struct curves_drawing *drawing, void *of, struct results_error *error);

#endif
