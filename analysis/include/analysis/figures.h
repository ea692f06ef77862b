/* Figures of a result file, drawn by gnuplot.
 *
 * Every number in a figure (means, intervals, quartiles, distribution functions) is computed here
 * and written to a plain data file; gnuplot only draws. Beside each figure NAME.svg lie NAME.gp,
 * NAME.dat and style.gp, so that `gnuplot NAME.gp` in that folder draws it again. The same result
 * file gives the same SVG, byte for byte.
 *
 * A kind decides by itself what to do with the swept keys. A key that changes nothing, to the last
 * bit and in every replication, is left out and said to be so in the caption (points share their
 * random numbers, so this is a finding and not a coincidence); pooling its levels would count the
 * same run twice. Keys for which a figure has no room are averaged over within each replication,
 * and the caption says that too. */
#ifndef ANALYSIS_FIGURES_H
#define ANALYSIS_FIGURES_H

#include "results/results.h"

#include <stdbool.h>
#include <stdio.h>

enum figure_format {
	FIGURE_SVG = 1 << 0,
	FIGURE_PNG = 1 << 1,
	FIGURE_PDF = 1 << 2,
};

enum figure_axis {
	FIGURE_X = 1 << 0,
	FIGURE_Y = 1 << 1,
};

struct figures_request {
	const char *path;         /* the result file */
	const char *kind;         /* NULL: every kind that fits the file */
	const char *directory;    /* where the figures go; made where it is missing. NULL: "figures" */
	unsigned formats;         /* of enum figure_format; 0: SVG and PNG */
	const char *kpi;          /* NULL: the kind's own choice */
	const char *by;           /* the swept key to compare by; NULL: the first swept key */
	const char *x;            /* the swept key along x, where a kind takes one; NULL: its choice */
	const char *const *where; /* n_where conditions KEY=VALUE: of these runs alone */
	size_t n_where;
	const char *title, *note; /* instead of the kind's own title and caption; "none": without */
	unsigned logarithmic;     /* of enum figure_axis */
	const char *gnuplot_data; /* the folder that holds style.gp */
	unsigned gnuplot_seconds_max; /* it is ended after; 0: a minute */
	FILE *log;                /* one line for each figure drawn or skipped; NULL: silent */
};

struct figure_job;

/* What became of one kind. */
enum figure_outcome {
	FIGURE_DRAWN,
	FIGURE_NOTHING, /* the file has nothing for it to show: error says why */
	FIGURE_FAILED,  /* the environment: error says what */
};

struct figure_kind {
	const char *name;    /* as spelled after --kind */
	const char *summary; /* one line */
	const char *needs;   /* what the file must hold, one line */
	bool takes_kpi;      /* --kpi chooses what it shows */
	unsigned logarithms; /* the axes, of enum figure_axis, that may be logarithmic */
	enum figure_outcome (*draw)(struct figure_job *job, struct results_error *error);
};

extern const struct figure_kind figure_latency_cdf;
extern const struct figure_kind figure_box;
extern const struct figure_kind figure_line;
extern const struct figure_kind figure_series;
extern const struct figure_kind figure_cost;
extern const struct figure_kind figure_accuracy;
extern const struct figure_kind figure_roc;

/* The registry, ended by NULL. */
extern const struct figure_kind *const figure_kinds[];

/* Draws what `request` asks for. Answers with the program's exit status: 0 done; 2 where the
 * request does not fit the file (an unknown kind, KPI or key, with the nearest known name; nothing
 * to show); 3 where the environment failed (an unreadable file, a full disk, gnuplot missing).
 * `error` is filled unless 0. Cost: reads the tables it needs whole. Starts gnuplot once a figure.
 */
int figures_plot(const struct figures_request *request, struct results_error *error);

/* Reads "svg,png,pdf" in any order into a set of enum figure_format; 0 where a word is none of
 * them. */
unsigned figure_formats_parse(const char *text);
/* Reads "x", "y" or "x,y" into a set of enum figure_axis; 0 where it is none of them. */
unsigned figure_axes_parse(const char *text);

#endif
