/* What happens in the world outside: items arrive, validators predict, gateways close what waits too
 * long, clients are content. */
#include "lab.h"
#include "measure/measure.h"
#include "members.h"
#include "outages.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct lab_item *add_item(struct lab *lab, uint32_t client)
{
	lab->items = lab_grow(lab->items, sizeof(*lab->items), lab->n_items + 1, &lab->items_capacity);
	struct lab_item *item = &lab->items[lab->n_items++];
	*item = (struct lab_item){
		.arrived = lab->world.now,
		.decided = SIM_NEVER,
		.client = client,
		.proposer = NODE_NONE,
		.truth = real_nan(),
		.value = real_nan(),
	};
	if (lab->n_items == 1) {
		lab->first_arrival = lab->world.now;
	}
	if (lab->n_items - lab->n_accepted == 1) {
		lab->waiting_since = lab->world.now;
		lab_progress(lab); /* the first piece of work after none: the bound starts now */
	}
	return item;
}

static struct item_details *take_details(struct lab *lab)
{
	struct item_details *details = lab->details_free;
	uint32_t n = lab->n_identities;
	if (details != NULL) {
		lab->details_free = details->next_free;
	} else {
		details = arena_new(&lab->world.arena, struct item_details);
		details->honest = arena_array(&lab->world.arena, double, n);
		details->sent = arena_array(&lab->world.arena, double, n);
		details->claimed = arena_array(&lab->world.arena, double, n);
		details->attacked = arena_array(&lab->world.arena, bool, n);
	}
	for (uint32_t i = 0; i < n; i++) {
		details->honest[i] = details->sent[i] = details->claimed[i] = real_nan();
		details->attacked[i] = false;
	}
	return details;
}

/* Item i's client is the gateway of validator i mod n, or of the next live honest one that
 * belongs. */
static uint32_t live_gateway(const struct lab *lab, uint32_t from)
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

/* Has the gateway's validator executed the item's closing, or, where it does not belong, those it asks? */
static bool knows_closed(const struct lab *lab, uint32_t gateway, uint32_t item)
{
	uint32_t validator = lab->members != NULL ? members_informant(lab, gateway) : gateway;
	return application_outcome(lab->replicas[validator].application, item).closed;
}

/* The deadline: each gateway whose validator has not executed the closing asks for it. */
static void deadline(struct world *world, void *context, uint64_t item)
{
	struct lab *lab = context;
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (world->nodes[i].alive && !knows_closed(lab, i, (uint32_t)item)) {
			client_submit(lab, i, TRANSACTION_CLOSE, (uint32_t)item, 0);
		}
	}
}

/* A gateway that was down at an item's deadline makes up for it, once its validator has had the time to
 * learn what it missed: as long as a deadline, since it came up. At the deadlines that came then it was there
 * as any other, the one at that very moment included: restarts come first. */
static void late_deadlines(struct world *world, void *context, uint64_t node)
{
	struct lab *lab = context;
	sim_time up = world->now - lab->common->deadline_ns;
	for (uint32_t item = 0; item < lab->n_items && world->nodes[node].alive; item++) {
		if (!lab->items[item].accepted &&
			sim_time_add(lab->items[item].arrived, lab->common->deadline_ns) < up &&
			!knows_closed(lab, (uint32_t)node, item)) {
			client_submit(lab, (uint32_t)node, TRANSACTION_CLOSE, item, 0);
		}
	}
}

void driver_restarted(struct lab *lab, uint32_t node)
{
	if (lab->workload->application && lab->common->deadline_ns != SIM_NEVER) {
		world_call_at(&lab->world, sim_time_add(lab->world.now, lab->common->deadline_ns),
			late_deadlines, lab, node);
	}
}

/* What a validator says of an item, under its own name or one that a Sybil made up. */
struct said {
	double value, claimed;
	uint32_t item, node, identity;
	enum transaction_kind kind;
};

static void submit_said(struct lab *lab, const struct said *said)
{
	transaction_id id = client_submit(lab, said->node, said->kind, said->item, said->value);
	lab->transactions[id].confidence = said->claimed;
	lab->transactions[id].identity = said->identity;
}

/* A prediction that takes its time at its validator's processor. */
struct computation {
	struct computation *next;
	struct said said;
};

/* One after the other, and messages that wait come first. A crash takes all with it that the validator
 * had in hand. */
struct computations {
	struct computation *first, *last;
	uint32_t n_downs; /* of its node, when these came */
};

/* Who goes down loses its events: they carry the number of its crashes. */
static uint64_t computations_name(const struct lab *lab, uint32_t node)
{
	return (uint64_t)lab->world.ports[node].n_downs << 32 | node;
}

static struct computations *computations_named(struct lab *lab, uint64_t name)
{
	uint32_t node = (uint32_t)name;
	bool lost = !lab->world.nodes[node].alive || computations_name(lab, node) != name;
	return lost ? NULL : &lab->computations[node];
}

static void compute(struct world *world, void *context, uint64_t name);

static void computed(struct world *world, void *context, uint64_t name)
{
	struct lab *lab = context;
	struct computations *waiting = computations_named(lab, name);
	if (waiting == NULL || world_defer(world, (uint32_t)name, computed, lab, name)) {
		return;
	}
	const struct computation *done = waiting->first;
	submit_said(lab, &done->said);
	waiting->first = done->next;
	if (waiting->first != NULL) {
		/* As an event, after what the gateway has just given its validator. */
		world_call_at(world, world->now, compute, lab, name);
	}
}

static void compute(struct world *world, void *context, uint64_t name)
{
	struct lab *lab = context;
	uint32_t node = (uint32_t)name;
	if (computations_named(lab, name) == NULL || world_defer(world, node, compute, lab, name)) {
		return;
	}
	const struct port *port = &world->ports[node];
	if (port->in_service) {
		world_call_at(world, port->service_at, compute, lab, name);
		return;
	}
	sim_time done = world_work(world, &world->nodes[node], models_cost_ns(lab->scenario));
	world_call_at(world, done, computed, lab, name);
}

static void say_after(struct lab *lab, const struct said *said)
{
	struct arena *arena = &lab->world.arena;
	uint32_t node = said->node;
	if (lab->computations == NULL) {
		lab->computations = arena_array(arena, struct computations, lab->world.n_validators);
	}
	struct computations *waiting = &lab->computations[node];
	if (waiting->n_downs != lab->world.ports[node].n_downs) {
		*waiting = (struct computations){.n_downs = lab->world.ports[node].n_downs};
	}
	struct computation *computation = arena_new(arena, struct computation);
	computation->said = *said;
	bool idle = waiting->first == NULL;
	if (idle) {
		waiting->first = computation;
	} else {
		waiting->last->next = computation;
	}
	waiting->last = computation;
	if (idle) {
		compute(&lab->world, lab, computations_name(lab, node));
	}
}

/* Each live gateway submits what its validator says, and then what it says under other names, which takes no
 * model. Where values are validated it is its own validator's to propose, and names other than the
 * validators' are no use. */
static void submit_all(struct lab *lab, uint32_t item, const struct item_details *details)
{
	uint32_t n = lab->world.n_validators, id = n;
	bool validated = lab->common->validation != VALIDATION_OFF;
	bool costs = models_cost_ns(lab->scenario) > 0;
	for (uint32_t i = 0; i < n; i++) {
		struct said said = {
			.value = details->sent[i],
			.claimed = details->claimed[i],
			.item = item,
			.node = i,
			.identity = i,
			.kind = validated ? TRANSACTION_PROPOSAL : TRANSACTION_PREDICTION,
		};
		if (lab->world.nodes[i].alive && costs) {
			say_after(lab, &said);
		} else if (lab->world.nodes[i].alive) {
			submit_said(lab, &said);
		}
		for (; id < lab->n_identities && lab->identities[id - n].owner == i; id++) {
			if (details->attacked[id] && !validated) {
				said.identity = id;
				said.value = details->sent[id];
				submit_said(lab, &said);
			}
		}
	}
}

static void record_seen(
	struct lab *lab, uint32_t index, uint32_t node, const struct item *item, const double *seen)
{
	union cell cells[5 + FEATURES_MAX] = {
		{.integer = (int64_t)lab->run},
		{.integer = index},
		{.integer = node},
		{.real = item->truth},
		{.real = item->target},
	};
	for (uint32_t j = 0; j < lab->workload->n_features; j++) {
		cells[5 + j].real = seen[j];
	}
	measure_row(lab, TABLE_OBSERVATIONS, cells);
}

/* What each live validator sees of an item, and would say. */
static void observe(struct lab *lab, uint32_t index, const struct item *real,
	struct item_details *details)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		if (!lab->world.nodes[i].alive) {
			continue;
		}
		double *seen = adversary_seen(lab, i);
		struct random_stream noise =
			random_stream_make(lab->seed, RANDOM_OBSERVATION, ((uint64_t)i << 40) + index);
		prediction_see(&lab->models[i], real, lab->world.now, &noise, seen);
		details->honest[i] = prediction_value(&lab->models[i], seen);
		details->claimed[i] = prediction_spread(&lab->models[i], seen);
		if ((lab->scenario->record & RECORD_OBSERVATIONS) != 0) {
			record_seen(lab, index, i, real, seen);
		}
	}
}

static void predictions(struct lab *lab, uint32_t index)
{
	if (!models_refresh(lab)) {
		return;
	}
	struct lab_item *item = &lab->items[index];
	const void *settings = lab->scenario->workload.settings;
	struct random_stream stream = random_stream_make(lab->seed, RANDOM_ITEM, index);
	struct item real = {0};
	lab->workload->draw(settings, &stream, index, &real);
	adversary_stamp(lab, index, &real);
	item->truth = real.truth;
	struct item_details *details = take_details(lab);
	details->version = lab->version;
	item->details = details;
	observe(lab, index, &real, details);
	adversary_speak(lab, index, details);
	adversary_echo(lab, index, details);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		/* What an attacker leaves as it was (a target that is not worth it) is an honest prediction,
		 * unless its model has learned to lie. */
		details->attacked[i] = lab->world.nodes[i].alive &&
			(details->sent[i] != details->honest[i] || lab->models[i].poisoned);
	}
	for (uint32_t i = 0; i < lab->n_identities; i++) {
		if (details->attacked[i] && lab->validators[i].first_bad == SIM_NEVER) {
			lab->validators[i].first_bad = lab->world.now;
		}
	}
	submit_all(lab, index, details);
	if (lab->common->deadline_ns != SIM_NEVER) {
		world_call_at(&lab->world, sim_time_add(lab->world.now, lab->common->deadline_ns), deadline,
			lab, index);
	}
}

static void request(struct lab *lab, uint32_t client)
{
	uint32_t index = (uint32_t)lab->n_items;
	add_item(lab, client);
	if (lab->kv != NULL) {
		kv_prepare(lab, client, index);
	}
	client_submit(lab, client, TRANSACTION_REQUEST, index, 0);
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
	sim_time at = sim_time_add(lab->world.now, process->gap(arrivals->settings, &lab->arrivals));
	if (at >= lab->scenario->stop.time_ns) {
		lab->arrivals_over = true;
		return;
	}
	world_call_at(&lab->world, at, arrive, lab, 0);
}

static void arrive(struct world *world, void *context, uint64_t argument)
{
	struct lab *lab = context;
	uint32_t index = (uint32_t)lab->n_items;
	digest_add(&world->digest, (uint64_t)world->now, UINT64_C(0xaa) << 56 | index);
	if (lab->workload->application) {
		add_item(lab, live_gateway(lab, index % world->n_validators));
		predictions(lab, index);
	} else {
		request(lab, nth_client(lab, index));
	}
	if (lab->n_items >= lab->items_max) {
		lab->arrivals_over = true;
	} else {
		schedule_arrival(lab);
	}
}

void driver_start(struct lab *lab)
{
	lab->items_max = (uint64_t)lab->scenario->stop.items;
	lab->arrivals = random_stream_make(lab->seed, RANDOM_ARRIVALS, 0);
	if (lab->items_max == 0) {
		lab->arrivals_over = true;
		lab_check_done(lab);
		return;
	}
	if (lab->common->arrivals.plugin != NULL) {
		schedule_arrival(lab);
		lab_check_done(lab); /* where the first arrival would come after the end */
		return;
	}
	for (int64_t k = 0; k < lab->common->outstanding; k++) {
		for (int64_t c = 0; c < lab->common->clients && lab->n_items < lab->items_max; c++) {
			request(lab, nth_client(lab, (uint64_t)c));
		}
	}
	lab->arrivals_over = lab->n_items >= lab->items_max;
}

void driver_accepted(struct lab *lab, uint32_t index)
{
	struct lab_item *item = &lab->items[index];
	assert(!item->accepted);
	item->accepted = true;
	item->decided = lab->world.now;
	if (!lab->workload->application) {
		item->decided_value = true;
	}
	lab->n_accepted++;
	lab->n_decided += item->decided_value;
	collect_accepted(lab, item);
	outages_accepted(lab, item);
	lab->last_acceptance = lab->waiting_since = lab->world.now;
	if (lab->trace != NULL) {
		trace_accepted(lab, index);
	}
	adversary_decided(lab, item);
	uint64_t bits;
	memcpy(&bits, &item->value, sizeof(bits));
	digest_add(&lab->world.digest, UINT64_C(0xdd) << 56 | index, bits);
	lab_progress(lab);
	if (lab->common->arrivals.plugin == NULL && !lab->arrivals_over) {
		uint32_t client = item->client;
		request(lab, client); /* which may move the items */
		lab->arrivals_over = lab->n_items >= lab->items_max;
	}
	lab_check_done(lab);
}

static size_t kept_bytes(size_t n)
{
	return sizeof(struct kept_closing) + n * (sizeof(double) * 2 + sizeof(uint32_t) + sizeof(bool));
}

static void keep_closing(struct lab_item *item, const struct node *node,
	const struct closing_view *closing, uint64_t instance, uint64_t view)
{
	size_t n = closing->n;
	struct kept_closing *kept = malloc(kept_bytes(n));
	if (kept == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	double *values = (double *)(void *)(kept + 1);
	double *scores = values + n;
	uint32_t *nodes = (uint32_t *)(void *)(scores + n);
	bool *accepted = (bool *)(void *)(nodes + n);
	for (size_t i = 0; i < n; i++) {
		values[i] = closing->values[i];
		scores[i] = closing->scores[i];
		nodes[i] = closing->nodes[i];
		accepted[i] = closing->accepted[i];
	}
	*kept = (struct kept_closing){
		.next = item->kept,
		.instance = instance,
		.view = view,
		.closing = *closing,
		.node = node->id,
	};
	kept->closing.nodes = nodes;
	kept->closing.values = values;
	kept->closing.scores = scores;
	kept->closing.accepted = accepted;
	item->kept = kept;
	lab_of(node)->kept_bytes += kept_bytes(n);
}

static void forget_closings(struct lab *lab, struct lab_item *item)
{
	while (item->kept != NULL) {
		struct kept_closing *kept = item->kept;
		item->kept = kept->next;
		lab->kept_bytes -= kept_bytes(kept->closing.n);
		free(kept);
	}
}

void driver_finish(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_items; i++) {
		forget_closings(lab, &lab->items[i]);
	}
}

/* The item's client takes what its validator's application decided. */
static void accept_closing(struct lab *lab, uint32_t index, const struct closing_view *closing,
	uint64_t instance, uint64_t view)
{
	struct lab_item *item = &lab->items[index];
	const struct item_outcome *outcome = &closing->outcome;
	item->instance = instance;
	item->view = view;
	item->proposer = watch_instance(lab, instance)->proposer;
	collect_closing(lab, closing, item);
	item->value = outcome->decided ? outcome->value : real_nan();
	item->decided_value = outcome->decided;
	item->n_predictions = outcome->n_predictions;
	item->n_rejected = outcome->n_rejected;
	item->n_disputed = outcome->n_disputed;
	forget_closings(lab, item);
	driver_accepted(lab, index);
	if (lab->common->validation != VALIDATION_OFF) {
		return; /* slower validators have yet to judge it */
	}
	lab->items[index].details->next_free = lab->details_free;
	lab->details_free = lab->items[index].details;
	lab->items[index].details = NULL;
}

void driver_closed(struct lab *lab, struct node *node, const struct closing_view *closing,
	uint64_t instance, uint64_t view)
{
	uint32_t index = (uint32_t)closing->item;
	struct lab_item *item = &lab->items[index];
	const struct item_outcome *outcome = &closing->outcome;
	if (lab_counts(node)) {
		double value = outcome->decided ? outcome->value : real_nan();
		if (!item->closed_somewhere) {
			item->closed_somewhere = true;
			item->first_value = value;
		} else if (!item->diverged && memcmp(&item->first_value, &value, sizeof(value)) != 0) {
			item->diverged = true;
			lab->watch->positions.n_diverged++;
		}
	}
	if (item->accepted) {
		return;
	}
	if (node->id == item->client) {
		accept_closing(lab, index, closing, instance, view);
	} else if (lab->clients_move) {
		keep_closing(item, node, closing, instance, view);
	}
}

void driver_reassign(struct lab *lab)
{
	if (!lab->workload->application || lab->n_accepted == lab->n_items) {
		return;
	}
	for (uint32_t index = 0; index < lab->n_items && !lab->world.stopped; index++) {
		struct lab_item *item = &lab->items[index];
		if (item->accepted) {
			continue;
		}
		/* A gateway whose validator turns out to be a liar is no honest client. */
		if (!lab_serves(lab, item->client) || lab->world.nodes[item->client].byzantine) {
			item->client = live_gateway(lab, item->client);
		}
		const struct kept_closing *kept = item->kept;
		while (kept != NULL && kept->node != item->client) {
			kept = kept->next;
		}
		if (kept != NULL && lab_serves(lab, item->client)) {
			accept_closing(lab, index, &kept->closing, kept->instance, kept->view);
		}
	}
}
