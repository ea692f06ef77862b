/* A row a window in time: /series. */
#include "items.h"
#include "lab.h"
#include "measure/accuracy.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "measure/windows.h"

#include <stdlib.h>

struct window {
	uint64_t arrived, accepted, corrupted, decided;
	double latency_sum, error_sum;
};

static struct window *count_windows(const struct lab *lab, size_t n)
{
	struct window *windows = calloc(n, sizeof(*windows));
	if (windows == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		windows[window_within(lab, item->arrived)].arrived++;
		if (!item->accepted) {
			continue;
		}
		struct window *window = &windows[window_within(lab, item->decided)];
		window->accepted++;
		window->latency_sum += sim_time_to_s(item->decided - item->arrived);
		if (item->decided_value && !lab->app->has_clients) {
			window->decided++;
			window->error_sum += fabs(item->value - item->truth);
			window->corrupted += further_than(lab->common->tolerance, item->value, item->truth);
		}
	}
	return windows;
}

void series_table(struct lab *lab)
{
	size_t n = (size_t)n_windows(lab);
	if (n == 0) {
		return; /* it took no time */
	}
	struct window *windows = count_windows(lab, n);
	int64_t outstanding = 0;
	for (size_t i = 0; i < n; i++) {
		const struct window *window = &windows[i];
		sim_time start = (sim_time)i * lab->scenario->window_ns;
		sim_time left = lab->world.now - start;
		double length_s =
			sim_time_to_s(left < lab->scenario->window_ns ? left : lab->scenario->window_ns);
		outstanding += (int64_t)window->arrived - (int64_t)window->accepted;
		union cell cells[] = {
			{.integer = (int64_t)lab->number.run},
			{.real = sim_time_to_s(start)},
			{.real = length_s},
			{.integer = (int64_t)window->arrived},
			{.real = (double)window->accepted / length_s},
			{.integer = outstanding},
			{.real = ratio(window->latency_sum, (double)window->accepted)},
			{.real = ratio(window->error_sum, (double)window->decided)},
			{.real = ratio((double)window->corrupted, (double)window->decided)},
		};
		measure_row(lab, TABLE_SERIES, cells);
	}
	free(windows);
}
