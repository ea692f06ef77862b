/* What the kinds of figures share: one figure being made from one frame. */
#ifndef ANALYSIS_JOB_H
#define ANALYSIS_JOB_H

#include "analysis/figures.h"

#include "frame.h"
#include "layout.h"
#include "plot.h"

struct figure_job {
	const struct figures_request *request;
	const struct frame *frame;
	const struct figure_kind *kind;
	char name[256]; /* of its files, without suffix */
	int by;         /* the factor asked for, or -1 */
};

/* The bit of the factor asked for, for layout_init. */
uint32_t job_keep(const struct figure_job *job);

/* Says that there is nothing to show, and why. */
enum figure_outcome job_nothing(struct results_error *error, const char *why);

/* Are there not more arms than a figure can tell apart, by its legend or, of `bars`, side by side? Else error says
 * how many and what to do. */
bool job_fits(const struct layout *layout, bool bars, struct results_error *error);

/* "10 replications", "8 to 10 replications", "one replication". */
void replications_text(char *out, size_t size, size_t least, size_t most);

/* Reads a KPI's values and how to show them; false where the file has no finite value of it.
 * `values` is taken from the heap. */
bool job_kpi(
	const struct figure_job *job, const char *kpi, double **values, struct quantity *quantity);

/* Fills a legend with the names of an axis that has more than one. */
void legend_fill(struct page *page, const struct axis *axis, enum legend_kind kind);

/* How panels are set in a grid: at most three side by side. */
size_t grid_columns(size_t n_panels);

#endif
