/* A row an item: /decisions. */
#include "items.h"
#include "lab.h"
#include "measure/measure.h"
#include "replicas.h"

void decisions_table(struct lab *lab)
{
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		int64_t late = 0;
		if (!lab->app->has_clients && item->accepted) {
			late = application_outcome(replica_of(lab, item->client)->application, i).n_late;
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)i},
			{.integer = !lab->app->has_clients ? item->client
												   : item->client - lab->world.n_validators},
			{.integer = item->accepted ? (int64_t)item->instance : -1},
			{.integer = item->accepted ? (int64_t)item->view : -1},
			{.integer = item->proposer == NODE_NONE ? -1 : (int64_t)item->proposer},
			{.real = sim_time_to_s(item->arrived)},
			{.real = item->accepted ? sim_time_to_s(item->decided) : real_nan()},
			{.real = item->truth},
			{.real = item->value},
			{.integer = item->n_predictions},
			{.integer = item->n_rejected},
			{.integer = late},
			{.integer = item->n_disputed},
		};
		measure_row(lab, TABLE_DECISIONS, cells);
	}
}
