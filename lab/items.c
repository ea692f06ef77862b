/* Items in general: when they arrive and at whose client, when it is content. */
#include "items.h"
#include "lab.h"
#include "measure/measure.h"
#include "members.h"
#include "outages.h"
#include "outside.h"

#include <stdlib.h>
#include <string.h>

void items_create(struct lab *lab)
{
	lab->items = arena_new(&lab->world.arena, struct items);
}

void items_destroy(struct lab *lab)
{
	free(lab->items->all);
}

uint32_t item_new(struct lab *lab, uint32_t client)
{
	struct items *items = lab->items;
	items->all = lab_grow(items->all, sizeof(*items->all), items->n + 1, &items->capacity);
	struct lab_item *item = &items->all[items->n++];
	*item = (struct lab_item){
		.arrived = lab->world.now,
		.decided = SIM_NEVER,
		.client = client,
		.proposer = NODE_NONE,
		.truth = real_nan(),
		.value = real_nan(),
	};
	if (lab->items->n == 1) {
		lab->items->first_arrival = lab->world.now;
	}
	if (lab->items->n - lab->items->n_accepted == 1) {
		lab->items->waiting_since = lab->world.now;
		lab_progress(lab); /* the first piece of work after none: the bound starts now */
	}
	return (uint32_t)(items->n - 1);
}

uint32_t items_gateway(const struct lab *lab, uint32_t from)
{
	uint32_t n = lab->world.n_validators;
	for (uint32_t i = 0; i < n; i++) {
		const struct node *node = &lab->world.nodes[(from + i) % n];
		if (lab_serves(lab, node->id) && lab_counts(node)) {
			return node->id;
		}
	}
	for (uint32_t i = 0; i < n; i++) { /* all have crashed at some time: any that is up again */
		if (lab_serves(lab, (from + i) % n)) {
			return (from + i) % n;
		}
	}
	return from % n;
}

/* An item comes, and whoever it comes to sees to it. */
static void come(struct lab *lab, uint32_t client)
{
	uint32_t item = item_new(lab, client);
	if (lab->app->arrives != NULL) {
		lab->app->arrives(lab->outside, lab->outside->state, item);
	}
}

static uint32_t nth_client(const struct lab *lab, uint64_t item)
{
	return lab->world.n_validators + (uint32_t)(item % (uint64_t)lab->common->clients);
}

static void arrive(struct world *world, void *context, uint64_t argument);

static void schedule_arrival(struct lab *lab)
{
	const struct plugin_value *arrivals = &lab->common->arrivals;
	const struct arrival_process *process = (const struct arrival_process *)arrivals->plugin;
	sim_time at = sim_time_add(lab->world.now, process->gap(arrivals->settings, &lab->items->arrivals));
	if (at >= lab->scenario->stop.time_ns) {
		lab->items->arrivals_over = true;
		return;
	}
	world_call_at(&lab->world, at, arrive, lab, 0);
}

static void arrive(struct world *world, void *context, uint64_t argument)
{
	struct lab *lab = context;
	uint32_t index = (uint32_t)lab->items->n;
	digest_add(&world->digest, (uint64_t)world->now, UINT64_C(0xaa) << 56 | index);
	come(lab, lab->app->has_clients ? nth_client(lab, index) : items_gateway(lab, index % world->n_validators));
	if (lab->items->n >= lab->items->max) {
		lab->items->arrivals_over = true;
	} else {
		schedule_arrival(lab);
	}
}

void items_start(struct lab *lab)
{
	lab->items->max = (uint64_t)lab->scenario->stop.items;
	lab->items->arrivals = random_stream_make(lab->seed, RANDOM_ARRIVALS, 0);
	if (lab->items->max == 0) {
		lab->items->arrivals_over = true;
		lab_check_done(lab);
		return;
	}
	if (lab->common->arrivals.plugin != NULL) {
		schedule_arrival(lab);
		lab_check_done(lab); /* where the first arrival would come after the end */
		return;
	}
	for (int64_t k = 0; k < lab->common->outstanding; k++) {
		for (int64_t c = 0; c < lab->common->clients && lab->items->n < lab->items->max; c++) {
			come(lab, nth_client(lab, (uint64_t)c));
		}
	}
	lab->items->arrivals_over = lab->items->n >= lab->items->max;
}

void items_accepted(struct lab *lab, uint32_t index)
{
	struct lab_item *item = &lab->items->all[index];
	assert(!item->accepted);
	item->accepted = true;
	item->decided = lab->world.now;
	if (lab->app->has_clients) {
		item->decided_value = true;
	}
	lab->items->n_accepted++;
	lab->items->n_decided += item->decided_value;
	measure_accepted(lab, item);
	outages_accepted(lab, item);
	lab->items->last_acceptance = lab->items->waiting_since = lab->world.now;
	if (lab->trace != NULL) {
		trace_accepted(lab, index);
	}
	uint64_t bits;
	memcpy(&bits, &item->value, sizeof(bits));
	digest_add(&lab->world.digest, UINT64_C(0xdd) << 56 | index, bits);
	lab_progress(lab);
	if (lab->common->arrivals.plugin == NULL && !lab->items->arrivals_over) {
		uint32_t client = item->client;
		come(lab, client); /* which may move the items */
		lab->items->arrivals_over = lab->items->n >= lab->items->max;
	}
	lab_check_done(lab);
}

