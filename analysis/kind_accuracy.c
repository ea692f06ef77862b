/* accuracy: what each arm still gets right: grouped bars of the share of corrupted decisions, and
 * of the mean absolute error below, a panel for each protocol. Runs without an attack are pale. */
#include "bars.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KPIS 2

struct accuracy {
	size_t n;
	double *values[MAX_KPIS];
	struct quantity quantities[MAX_KPIS];
	struct layout layout;
};

/* The first key without a place whose path starts so, with at most max_levels levels, or -1. */
static int starting(const struct layout *layout, const char *start, size_t max_levels)
{
	for (size_t f = 0; f < layout->frame->n_factors; f++) {
		const struct factor *factor = &layout->frame->factors[f];
		if (layout->free[f] && factor->n_levels <= max_levels &&
			strncmp(factor->key, start, strlen(start)) == 0) {
			return (int)f;
		}
	}
	return -1;
}

static void give(struct layout *layout, enum axis_id axis, int factor)
{
	if (factor >= 0) {
		layout_give(layout, axis, (size_t)factor);
	}
}

/* Attack: tint where it has two levels, else along x. Then x: what was asked for, an aggregator, or
 * the first key; a panel for each protocol; colours; more panels. */
static void share_out(struct layout *layout, const struct figure_job *job)
{
	if (job->by >= 0) {
		give(layout, AXIS_X, job->by);
	}
	if (layout_n_free(layout) > 0 && (job->by >= 0 || layout_n_free(layout) > 1)) {
		give(layout, AXIS_TINT, bars_tint(layout));
	}
	int panel = starting(layout, "protocol", 4);
	if (panel >= 0 && (job->by >= 0 || layout_n_free(layout) > 1)) {
		give(layout, AXIS_PANEL, panel);
	}
	struct axis *x = &layout->axes[AXIS_X];
	static const char *const along[] = {"attacks.", "faults.", "aggregator", ""};
	for (size_t i = 0; i < 4 && x->n_factors == 0; i++) {
		give(layout, AXIS_X, starting(layout, along[i], SIZE_MAX));
	}
	size_t n = 1;
	for (int next; (next = layout_next(layout, 4 / n)) >= 0;) {
		n *= job->frame->factors[next].n_levels;
		give(layout, AXIS_COLOUR, next);
	}
	if (layout->axes[AXIS_PANEL].n_factors == 0) {
		give(layout, AXIS_PANEL, layout_next(layout, 4));
	}
	layout_finish(layout);
}

/* The shown quantities that are shares have their intervals on the logit. */
static const char *accuracy_shares(const struct accuracy *accuracy)
{
	size_t n = 0;
	for (size_t k = 0; k < accuracy->n; k++) {
		n += accuracy->quantities[k].share;
	}
	return n == 0 ? "" : n == accuracy->n ? " on the logit" : "; of shares on the logit";
}

static void describe(const struct accuracy *accuracy, const struct figure_job *job, size_t n_min,
	size_t n_max, char *caption, size_t size)
{
	char count[64];
	replications_text(count, sizeof(count), n_min, n_max);
	snprintf(caption, size,
		n_max > 1 ? "Mean over %s; error bars: 95 %% interval (Student's t%s)."
				  : "From %s, so without intervals.",
		count, accuracy_shares(accuracy));
	layout_describe(&accuracy->layout, NULL, caption, size);
	layout_describe_runs(&accuracy->layout, caption, size);
}

static enum figure_outcome accuracy_draw(
	struct accuracy *accuracy, struct figure_job *job, struct results_error *error)
{
	const struct layout *layout = &accuracy->layout;
	const struct axis *x = &layout->axes[AXIS_X], *panels = &layout->axes[AXIS_PANEL];
	double largest[MAX_KPIS] = {0}, least[MAX_KPIS] = {0};
	size_t n_min = SIZE_MAX, n_max = 0, n_bars = 0;
	for (size_t k = 0; k < accuracy->n; k++) {
		for (size_t p = 0; p < panels->n; p++) {
			struct bars bars = {.layout = layout,
				.values = accuracy->values[k],
				.quantity = &accuracy->quantities[k],
				.panel = p};
			bars_measure(&bars);
			largest[k] = fmax(largest[k], bars.largest);
			least[k] = fmin(least[k], bars.least);
			n_min = bars.n_min < n_min ? bars.n_min : n_min;
			n_max = bars.n_max > n_max ? bars.n_max : n_max;
			n_bars = bars.n_bars > n_bars ? bars.n_bars : n_bars;
		}
	}
	char title[400], caption[1500], keys[200];
	layout_keys(layout, keys, sizeof(keys));
	snprintf(title, sizeof(title), "%s%s",
		job->request->kpi != NULL ? accuracy->quantities[0].name : "accuracy of decisions", keys);
	describe(accuracy, job, n_min, n_max, caption, sizeof(caption));
	struct page page = {.title = title,
		.caption = caption,
		.wide = panels->n > 1 || n_bars > 12,
		.columns = panels->n,
		.rows = accuracy->n,
		.panel_pt = 100,
		.panel_titles = panels->n > 1,
		.shared_y = true,
		.tics = (const char *const *)x->names,
		.n_tics = x->n};
	bars_legend(&page, layout);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	for (size_t k = 0; k < accuracy->n; k++) {
		for (size_t p = 0; p < panels->n; p++) {
			struct bars bars = {.layout = layout,
				.values = accuracy->values[k],
				.quantity = &accuracy->quantities[k],
				.panel = p};
			struct panel panel = {.column = p,
				.row = k,
				.title = k == 0 ? panels->names[p] : NULL,
				.x_label = layout_x_label(layout),
				.y_label = accuracy->quantities[k].axis,
				.y_min = least[k] * 1.06,
				.y_max = largest[k] > 0 ? largest[k] * 1.06 : 1,
				.y_whole = accuracy->quantities[k].share};
			plot_panel(&plot, &panel);
			bars_draw(&plot, &bars);
		}
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	static const char *const kpis[MAX_KPIS] = {"corruption_rate", "mae"};
	struct accuracy accuracy = {0};
	const char *chosen = job->request->kpi;
	for (size_t k = 0; k < (chosen != NULL ? 1 : MAX_KPIS); k++) {
		accuracy.n += job_kpi(job, chosen != NULL ? chosen : kpis[k], &accuracy.values[accuracy.n],
			&accuracy.quantities[accuracy.n]);
	}
	if (accuracy.n == 0) {
		return job_nothing(error, "no run has a value of corruption_rate or mae");
	}
	/* Protocols stand side by side also where they make no difference: that is the answer. */
	uint32_t keep = job_keep(job);
	for (size_t f = 0; f < job->frame->n_factors; f++) {
		keep |= strncmp(job->frame->factors[f].key, "protocol", 8) == 0 ? (uint32_t)1 << f : 0;
	}
	layout_init(
		&accuracy.layout, job->frame, (const double *const *)accuracy.values, accuracy.n, keep);
	enum figure_outcome outcome;
	if (layout_n_free(&accuracy.layout) == 0) {
		outcome = job_nothing(error, "nothing that was swept changes the accuracy");
	} else {
		share_out(&accuracy.layout, job);
		outcome = job_fits(&accuracy.layout, true, error) ? accuracy_draw(&accuracy, job, error) : FIGURE_NOTHING;
	}
	layout_free(&accuracy.layout);
	for (size_t k = 0; k < accuracy.n; k++) {
		free(accuracy.values[k]);
	}
	return outcome;
}

const struct figure_kind figure_accuracy = {
	.name = "accuracy",
	.summary = "grouped bars of corrupted decisions and error by two to four swept keys",
	.needs = "corruption_rate or mae, and a swept key that changes it",
	.takes_kpi = true,
	.draw = draw,
};
