/* cost: what each arm costs, a small panel of bars for each of messages, traffic, latency and the
 * share of corrupted decisions. */
#include "bars.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PANELS 4

struct cost_panel {
	const char *kpi;
	bool accuracy; /* it shows what the costs buy, by an arrangement of its own */
	double *values;
	struct quantity quantity;
	const struct layout *layout;
	struct bars bars;
};

struct cost {
	size_t n;
	struct cost_panel panels[MAX_PANELS];
	struct layout layout, accuracy; /* of the costs proper; of the corrupted decisions */
};

static void cost_free(struct cost *cost)
{
	for (size_t i = 0; i < cost->n; i++) {
		free(cost->panels[i].values);
	}
	layout_free(&cost->layout);
	layout_free(&cost->accuracy);
}

static void cost_read(struct cost *cost, const struct figure_job *job)
{
	static const char *const kpis[] = {
		"messages_per_instance", "bytes_per_item", "latency_mean_s", "corruption_rate"};
	const char *const one[] = {job->request->kpi};
	bool chosen = job->request->kpi != NULL;
	for (size_t i = 0; i < (chosen ? 1 : MAX_PANELS); i++) {
		struct cost_panel *panel = &cost->panels[cost->n];
		panel->kpi = chosen ? one[i] : kpis[i];
		panel->accuracy = !chosen && i + 1 == MAX_PANELS;
		cost->n += job_kpi(job, panel->kpi, &panel->values, &panel->quantity);
	}
}

static void share_out(struct cost *cost, const struct figure_job *job)
{
	const double *sets[MAX_PANELS] = {0};
	size_t n_sets = 0;
	for (size_t i = 0; i < cost->n; i++) {
		cost->panels[i].layout = &cost->layout;
		if (!cost->panels[i].accuracy || cost->n == 1) {
			sets[n_sets++] = cost->panels[i].values;
		}
	}
	struct layout *layout = &cost->layout;
	layout_init(layout, job->frame, sets, n_sets, job_keep(job));
	int tint = bars_tint(layout);
	tint = tint == job->by || layout_n_free(layout) == 1 ? -1 : tint;
	if (tint >= 0) {
		layout_give(layout, AXIS_TINT, (size_t)tint);
	}
	int by = job->by >= 0 ? job->by : layout_next(layout, SIZE_MAX);
	uint32_t keep = 0;
	int x = by;
	if (by >= 0) {
		bool colour = layout_n_free(layout) > 1 && job->frame->factors[by].n_levels <= 6;
		layout_give(layout, colour ? AXIS_COLOUR : AXIS_X, (size_t)by);
		if (colour) {
			x = layout_next(layout, SIZE_MAX);
			layout_give(layout, AXIS_X, (size_t)x);
		}
		keep = (uint32_t)1 << by | (uint32_t)1 << x;
	}
	bool has_accuracy = cost->n > 0 && cost->panels[cost->n - 1].accuracy;
	if (cost->n > 1 && has_accuracy && by < 0) {
		/* One arm for the costs: a mean over all that changes the accuracy would say nothing. */
		free(cost->panels[--cost->n].values);
	} else if (cost->n > 1 && has_accuracy) {
		struct cost_panel *last = &cost->panels[cost->n - 1];
		const double *values = last->values;
		layout_init(&cost->accuracy, job->frame, &values, 1, keep);
		for (size_t f = 0; f < job->frame->n_factors; f++) {
			for (size_t a = 0; a < AXIS_N; a++) {
				const struct axis *axis = &layout->axes[a];
				if (axis->n_factors > 0 && axis->factors[0] == f && cost->accuracy.free[f]) {
					layout_give(&cost->accuracy, (enum axis_id)a, f);
				}
			}
		}
		int own = bars_tint(&cost->accuracy);
		if (own >= 0 && cost->accuracy.axes[AXIS_TINT].n_factors == 0 && tint < 0) {
			layout_give(&cost->accuracy, AXIS_TINT, (size_t)own);
		}
		layout_finish(&cost->accuracy);
		last->layout = &cost->accuracy;
	}
	layout_finish(layout);
}

/* The shown quantities that are shares have their intervals on the logit. */
static const char *cost_shares(const struct cost *cost)
{
	size_t n = 0;
	for (size_t i = 0; i < cost->n; i++) {
		n += cost->panels[i].quantity.share;
	}
	return n == 0 ? "" : n == cost->n ? " on the logit" : "; of shares on the logit";
}

static enum figure_outcome cost_draw(
	struct cost *cost, struct figure_job *job, struct results_error *error)
{
	struct layout *layout = &cost->layout;
	const struct axis *x = &layout->axes[AXIS_X];
	size_t n_min = SIZE_MAX, n_max = 0, n_bars = 0;
	for (size_t i = 0; i < cost->n; i++) {
		struct cost_panel *panel = &cost->panels[i];
		panel->bars = (struct bars){
			.layout = panel->layout, .values = panel->values, .quantity = &panel->quantity};
		bars_measure(&panel->bars);
		n_min = panel->bars.n_min < n_min ? panel->bars.n_min : n_min;
		n_max = panel->bars.n_max > n_max ? panel->bars.n_max : n_max;
		n_bars = panel->bars.n_bars > n_bars ? panel->bars.n_bars : n_bars;
	}
	char title[400] = "", caption[1500], keys[200], count[64];
	layout_keys(layout, keys, sizeof(keys));
	snprintf(
		title, sizeof(title), "%s%s", cost->n == 1 ? cost->panels[0].quantity.name : "cost", keys);
	replications_text(count, sizeof(count), n_min, n_max);
	snprintf(caption, sizeof(caption),
		n_max > 1 ? "Mean over %s; error bars: 95 %% interval (Student's t%s)."
				  : "From %s, so without intervals.",
		count, cost_shares(cost));
	bool two = cost->accuracy.frame != NULL;
	layout_describe(layout, two && cost->n > 1 ? "Costs" : NULL, caption, sizeof(caption));
	if (two) {
		cost->accuracy.aliased[0] = '\0'; /* the costs' layout has said so */
		layout_describe(&cost->accuracy, "Corrupted decisions", caption, sizeof(caption));
	}
	layout_describe_runs(layout, caption, sizeof(caption));
	bool wide = cost->n > 2 || n_bars > 10;
	struct page page = {.title = title,
		.caption = caption,
		.wide = wide,
		.columns = n_bars > 8 && cost->n > 1 ? 2 : cost->n,
		.panel_pt = 104,
		.inner_x = true,
		.tics = (const char *const *)x->names,
		.n_tics = x->n};
	page.rows = (cost->n + page.columns - 1) / page.columns;
	bars_legend(&page, two && cost->accuracy.axes[AXIS_TINT].n > 1 ? &cost->accuracy : layout);
	struct plot plot;
	if (!plot_begin(&plot, job->request, job->name, &page, error)) {
		return FIGURE_FAILED;
	}
	const char *x_label = layout_x_label(layout);
	for (size_t i = 0; i < cost->n; i++) {
		struct bars *bars = &cost->panels[i].bars;
		bars->numbers = bars_have_room(bars, plot.panel_width);
		double top = bars->largest > 0 ? bars->largest * (bars->numbers ? 1.13 : 1.06) : 1;
		struct panel panel = {.column = i % page.columns,
			.row = i / page.columns,
			.x_label = x_label,
			.y_label = cost->panels[i].quantity.axis,
			.y_min = bars->least * 1.06,
			.y_max = top,
			.y_whole = cost->panels[i].quantity.share && !bars->numbers};
		plot_panel(&plot, &panel);
		bars_draw(&plot, bars);
	}
	return plot_end(&plot, error) ? FIGURE_DRAWN : FIGURE_FAILED;
}

static enum figure_outcome draw(struct figure_job *job, struct results_error *error)
{
	struct cost cost = {0};
	cost_read(&cost, job);
	if (cost.n == 0) {
		return job_nothing(error, "no run has a value of messages, traffic or latency");
	}
	share_out(&cost, job);
	bool fits = job_fits(&cost.layout, true, error) && (!cost.accuracy.frame || job_fits(&cost.accuracy, true, error));
	enum figure_outcome outcome = fits ? cost_draw(&cost, job, error) : FIGURE_NOTHING;
	cost_free(&cost);
	return outcome;
}

const struct figure_kind figure_cost = {
	.name = "cost",
	.summary = "bars of messages, traffic, latency and corrupted decisions for each arm",
	.needs = "any of messages_per_instance, bytes, latency_mean_s, corruption_rate",
	.takes_kpi = true,
	.draw = draw,
};
