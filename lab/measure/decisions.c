/* A row an item: /decisions. */
#include "items.h"
#include "lab.h"
#include "measure/measure.h"
#include "outside.h"

void decisions_table(struct lab *lab)
{
	const struct app *app = lab->app;
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		struct app_counts counts = {0};
		if (app->item_counts != NULL) {
			app->item_counts(lab->outside, lab->outside->state, (uint32_t)i, &counts);
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->number.run},
			{.integer = (int64_t)i},
			{.integer = app->has_clients ? item->client - lab->world.n_validators : item->client},
			{.integer = item->accepted ? (int64_t)item->instance : -1},
			{.integer = item->accepted ? (int64_t)item->view : -1},
			{.integer = item->proposer == NODE_NONE ? -1 : (int64_t)item->proposer},
			{.real = sim_time_to_s(item->arrived)},
			{.real = item->accepted ? sim_time_to_s(item->decided) : real_nan()},
			{.real = item->truth},
			{.real = item->value},
			{.integer = counts.predictions},
			{.integer = counts.rejected},
			{.integer = counts.late},
			{.integer = counts.disputed},
		};
		measure_row(lab, TABLE_DECISIONS, cells);
	}
}
