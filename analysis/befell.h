/* What befell the runs, from the table of faults: windows to draw behind curves over time. */
#ifndef ANALYSIS_BEFELL_H
#define ANALYSIS_BEFELL_H

#include "layout.h"

/* A window of a fault in one run, or, as befell_shared gives it, in most runs of a panel. */
struct befallen {
	char what[40];          /* "crash", "partition" */
	double from_s, until_s; /* until_s: INFINITY where it never ended; equal: a moment (a step) */
	size_t row;             /* of the frame */
};

struct befell {
	struct befallen *windows;
	size_t n;
};

/* Takes one event of row `row`: a window begins, or the latest of its kind and node ends. `nodes` has room for
 * as many as `windows` and keeps their nodes; node -1: no single one. */
void befell_take(struct befell *befell, int64_t *nodes, size_t row, double time_s, int64_t node,
	const char *event);

/* Reads the table; nothing where the file has none. False: error says why. O(rows of the table). */
bool befell_read(struct befell *befell, const struct frame *frame, struct results_error *error);
void befell_free(struct befell *befell);

/* The windows that at least half of the runs shown in panel `panel` have, at the same times, in order; the
 * caller frees. Faults that hit single runs at times of their own are not among them. */
struct befell befell_shared(const struct befell *befell, const struct layout *layout, size_t panel);

/* Writes the rectangles of the windows, behind what is drawn next. */
void befell_draw(const struct befell *shared, FILE *script, double end_s);
/* Appends " Grey: crash, 5 to 15 s." to a caption; nothing where there are none. */
void befell_describe(const struct befell *shared, char *out, size_t size);

#endif
