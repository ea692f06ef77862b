#include "trace_figure.h"
struct trace_figure { int x; };
struct trace_figure *trace_figure_create(const struct trace_filter *filter) { return NULL; }
void trace_figure_destroy(struct trace_figure *figure) {}
struct trace_sink trace_figure_sink(struct trace_figure *figure) { struct trace_sink s = {0}; return s; }
int trace_figure_draw(struct trace_figure *figure, const struct figures_request *request,
	const char *name, bool wide, struct results_error *error) { return 3; }
