#include "job.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BARS_MAX 400 /* side by side; gnuplot takes minutes for thousands */

uint32_t job_keep(const struct figure_job *job)
{
	return job->by >= 0 ? (uint32_t)1 << job->by : 0;
}

enum figure_outcome job_nothing(struct results_error *error, const char *why)
{
	snprintf(error->text, sizeof(error->text), "%s", why);
	return FIGURE_NOTHING;
}

bool job_fits(const struct layout *layout, bool bars, struct results_error *error)
{
	const struct axis *axes = layout->axes;
	size_t n_colours = axes[AXIS_COLOUR].n, n = n_colours * (bars ? axes[AXIS_X].n * axes[AXIS_TINT].n : 1);
	if (n_colours <= LEGEND_MAX && (!bars || n <= BARS_MAX)) {
		return true;
	}
	snprintf(error->text, sizeof(error->text),
		"the figure would have %zu arms, and holds %d: take some of the runs (--where KEY=VALUE), or another key (--by)", n,
		n_colours > LEGEND_MAX ? LEGEND_MAX : BARS_MAX);
	return false;
}

void replications_text(char *out, size_t size, size_t least, size_t most)
{
	if (most <= 1) {
		snprintf(out, size, "one replication");
	} else if (least == most) {
		snprintf(out, size, "%zu replications", most);
	} else {
		snprintf(out, size, "%zu to %zu replications", least, most);
	}
}

bool job_kpi(
	const struct figure_job *job, const char *kpi, double **values, struct quantity *quantity)
{
	*values = figure_take(job->frame->n_rows, sizeof(**values));
	double largest = 0;
	bool some = false;
	if (frame_values(job->frame, kpi, *values)) {
		for (size_t row = 0; row < job->frame->n_rows; row++) {
			if (isfinite((*values)[row])) {
				largest = fmax(largest, fabs((*values)[row]));
				some = true;
			}
		}
	}
	if (!some) {
		free(*values);
		*values = NULL;
		return false;
	}
	*quantity = quantity_describe(frame_column(job->frame, kpi), largest);
	return true;
}

void legend_fill(struct page *page, const struct axis *axis, enum legend_kind kind)
{
	for (size_t i = 0; axis->n > 1 && i < axis->n && page->n_legend < LEGEND_MAX; i++) {
		page->legend[page->n_legend++] = (struct legend_item){kind, i, axis->names[i]};
	}
}

size_t grid_columns(size_t n_panels)
{
	return n_panels == 4 ? 2 : n_panels < 3 ? n_panels : 3;
}
