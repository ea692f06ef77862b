/* Space-time figures (Lamport 1978): a lifeline a node, time to the right, an arrow a message.
 *
 * Plain types: whoever has a trace fills this in. Script and data lie beside the figure as with all others
 * (analysis/figures.h). */
#ifndef ANALYSIS_SPACE_TIME_H
#define ANALYSIS_SPACE_TIME_H

#include "analysis/figures.h"

/* Times are in seconds here; the figure picks its unit. Lifelines are numbered from the top. */
struct space_time_arrow {
	double from_s, until_s; /* sent, and handled or lost */
	size_t from, to;        /* lifelines */
	size_t phase;
	bool lost;              /* ends in a cross */
	bool lie;               /* its head is red */
};

enum space_time_mark_kind {
	SPACE_TIME_COMMIT,
	SPACE_TIME_TIMEOUT,
	SPACE_TIME_ACCEPTED,
	SPACE_TIME_CRASH,
	SPACE_TIME_RESTART,
	SPACE_TIME_MARKS,
};

struct space_time_mark {
	double at_s;
	size_t line;
	enum space_time_mark_kind kind;
};

/* A stretch of a lifeline: the node was down, or led. */
struct space_time_span {
	double from_s, until_s;
	size_t line;
};

/* What befell a node, or all (line SIZE_MAX), in the words of traces: "isolate begins". What begins is shaded
 * until it ends; crashes have marks of their own. In order of time, those from before the window as well. */
struct space_time_fault {
	double at_s;
	size_t line;
	char text[40];
};

/* A word at a lifeline. One for which there is no place near its moment without touching another is left out;
 * the caption says how many. */
struct space_time_word {
	double at_s;
	size_t line;
	char text[40];
};

#define SPACE_TIME_PHASES_MAX 64

struct space_time {
	const char *title, *caption;
	bool wide; /* 17.5 cm, else 8.5 */
	double from_s, until_s;
	size_t n_lines;
	const char *const *lines; /* names, from the top */
	size_t n_phases;
	const char *const *phases; /* names; a phase without arrows is not in the legend */
	size_t n_client_phases;    /* the first ones: drawn in grey */
	size_t n_arrows, n_marks, n_downs, n_leads, n_words, n_faults;
	const struct space_time_arrow *arrows;
	const struct space_time_mark *marks;
	const struct space_time_span *downs, *leads;
	const struct space_time_word *words;
	const struct space_time_fault *faults;
};

/* Draws NAME.svg (and .png, .pdf, as the request's formats say) into the request's directory; of the
 * request only that, gnuplot_data and the formats are read. False: error says why. */
bool space_time_draw(const struct figures_request *request, const char *name,
	const struct space_time *figure, struct results_error *error);

#endif
