/* Gathers what of a run's trace its space-time figure shows, and has it drawn. */
#ifndef CLI_TRACE_FIGURE_H
#define CLI_TRACE_FIGURE_H

#include "lab/trace.h"

#include "analysis/space_time.h"

/* More arrows than that are a grey wall: the figure is refused, with advice. */
#define TRACE_ARROWS_MAX 2000

struct trace_figure;

struct trace_figure *trace_figure_create(const struct trace_filter *filter);
void trace_figure_destroy(struct trace_figure *figure);
struct trace_sink trace_figure_sink(struct trace_figure *figure);
/* Draws what was gathered. The program's exit status; `error` is filled unless 0. */
int trace_figure_draw(struct trace_figure *figure, const struct figures_request *request,
	const char *name, bool wide, struct results_error *error);

#endif
