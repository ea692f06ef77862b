/* Validators predict, gateways submit and close what waits too long, and are content once it is closed. */
#include "clients.h"
#include "replicas.h"
#include "transactions.h"
#include "predictions.h"
#include "items.h"
#include "lab.h"
#include "measure/measure.h"
#include "scores.h"
#include "training.h"
#include "attacks/predictions.h"
#include "workloads/adversary.h"
#include "members.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void predictions_start(struct lab *lab)
{
	lab->predictions = arena_new(&lab->world.arena, struct predictions);
	const struct predictions_settings settings = {
		.attacks = &lab->scenario->attacks,
		.workload = items_of(lab->app),
		.workload_settings = lab->scenario->workload.settings,
		.seed = lab->seed,
		.n_validators = lab->world.n_validators,
		.dims = 1,
	};
	struct arena *arena = &lab->world.arena;
	struct predictions *predictions = lab->predictions;
	lab->adversary = predictions_adversary(&settings, arena);
	predictions->n_identities = settings.n_validators + lab->adversary->n_more;
	predictions->seen = arena_array(arena, double, (size_t)settings.n_validators * FEATURES_MAX);
	predictions->alive = arena_array(arena, bool, settings.n_validators);
	predictions->room = closing_room_make(settings.n_validators, 1, arena);
	scores_start(lab);
}

void predictions_decided(struct lab *lab, const struct lab_item *item)
{
	if (item->decided_value) {
		lab->adversary->decided(lab->adversary, &item->value, 1);
	}
}

static struct item_details *take_details(struct lab *lab)
{
	struct item_details *details = lab->predictions->details_free;
	uint32_t n = lab->predictions->n_identities;
	if (details != NULL) {
		lab->predictions->details_free = details->next_free;
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

/* Has the gateway's validator executed the item's closing, or, where it does not belong, those it asks? */
static bool knows_closed(const struct lab *lab, uint32_t gateway, uint32_t item)
{
	uint32_t validator = lab->members != NULL ? members_informant(lab, gateway) : gateway;
	return application_outcome(replica_of(lab, validator)->application, item).closed;
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
	for (uint32_t item = 0; item < lab->items->n && world->nodes[node].alive; item++) {
		if (!lab->items->all[item].accepted &&
			sim_time_add(lab->items->all[item].arrived, lab->common->deadline_ns) < up &&
			!knows_closed(lab, (uint32_t)node, item)) {
			client_submit(lab, (uint32_t)node, TRANSACTION_CLOSE, item, 0);
		}
	}
}

void predictions_restarted(struct lab *lab, uint32_t node)
{
	if (!lab->app->has_clients && lab->common->deadline_ns != SIM_NEVER) {
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
	transaction_of(lab, id)->confidence = said->claimed;
	transaction_of(lab, id)->identity = said->identity;
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
	return lost ? NULL : &lab->predictions->computations[node];
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
	sim_time done = world_work(world, &world->nodes[node], training_cost_ns(lab->scenario));
	world_call_at(world, done, computed, lab, name);
}

static void say_after(struct lab *lab, const struct said *said)
{
	struct arena *arena = &lab->world.arena;
	uint32_t node = said->node;
	if (lab->predictions->computations == NULL) {
		lab->predictions->computations = arena_array(arena, struct computations, lab->world.n_validators);
	}
	struct computations *waiting = &lab->predictions->computations[node];
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
	bool costs = training_cost_ns(lab->scenario) > 0;
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
		for (; id < lab->predictions->n_identities && lab->adversary->owners[id - n] == i; id++) {
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
	for (uint32_t j = 0; j < items_of(lab->app)->n_features; j++) {
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
		double *seen = lab->predictions->seen + (size_t)i * FEATURES_MAX;
		struct random_stream noise =
			random_stream_make(lab->seed, RANDOM_OBSERVATION, ((uint64_t)i << 40) + index);
		prediction_see(&lab->models->by_validator[i], real, lab->world.now, &noise, seen);
		details->honest[i] = prediction_value(&lab->models->by_validator[i], seen);
		details->claimed[i] = prediction_spread(&lab->models->by_validator[i], seen);
		if (measure_records(lab, TABLE_OBSERVATIONS)) {
			record_seen(lab, index, i, real, seen);
		}
	}
}

/* The replicated application's decision on these predictions, were they all it heard. */
static bool decide(const void *context, uint32_t by, const uint32_t *speakers, const double *claimed,
	const double *rows, uint32_t n, double *out, bool *accepted)
{
	const struct lab *lab = context;
	struct closing_room *room = &lab->predictions->room;
	struct scoring given =
		application_scoring(replica_of(lab, by)->application, lab->predictions->speaking);
	given.n = n;
	given.predictions = rows;
	given.nodes = speakers;
	struct item_outcome outcome = closing_decide(lab->application, &given, claimed, room);
	memcpy(accepted, room->accepted, n * sizeof(*accepted));
	*out = outcome.value;
	return outcome.decided;
}

/* From what the live validators would honestly say to what is sent. */
static void speak(struct lab *lab, uint32_t index, struct item_details *details)
{
	struct predictions *predictions = lab->predictions;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		predictions->alive[i] = lab->world.nodes[i].alive;
	}
	predictions->speaking = index;
	const struct speech speech = {
		.item = index,
		.now = lab->world.now,
		.dims = 1,
		.alive = predictions->alive,
		.models = lab->models->by_validator,
		.seen = predictions->seen,
		.honest = details->honest,
		.sent = details->sent,
		.claimed = details->claimed,
		.attacked = details->attacked,
		.decide = decide,
		.context = lab,
	};
	lab->adversary->speak(lab->adversary, &speech);
}

void predictions_arrived(struct lab *lab, uint32_t index)
{
	if (!models_refresh(lab->models, lab->world.now, lab->predictions->error)) {
		lab_end(lab, "limit", "a model can't be trained");
		return;
	}
	struct lab_item *item = &lab->items->all[index];
	const void *settings = lab->scenario->workload.settings;
	struct random_stream stream = random_stream_make(lab->seed, RANDOM_ITEM, index);
	struct item real = {0};
	items_of(lab->app)->draw(settings, &stream, index, &real);
	lab->adversary->stamp(lab->adversary, lab->world.now, index, &real);
	item->truth = real.truth;
	struct item_details *details = take_details(lab);
	details->version = lab->models->version;
	item->details = details;
	observe(lab, index, &real, details);
	speak(lab, index, details);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		/* What an attacker leaves as it was (a target that is not worth it) is an honest prediction,
		 * unless its model has learned to lie. */
		details->attacked[i] = lab->world.nodes[i].alive &&
			(details->sent[i] != details->honest[i] || lab->models->by_validator[i].poisoned);
	}
	for (uint32_t i = 0; i < lab->predictions->n_identities; i++) {
		if (details->attacked[i] && lab->scores->validators[i].first_bad == SIM_NEVER) {
			lab->scores->validators[i].first_bad = lab->world.now;
		}
	}
	submit_all(lab, index, details);
	if (lab->common->deadline_ns != SIM_NEVER) {
		world_call_at(&lab->world, sim_time_add(lab->world.now, lab->common->deadline_ns), deadline,
			lab, index);
	}
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
	lab_of(node)->predictions->kept_bytes += kept_bytes(n);
}

static void forget_closings(struct lab *lab, struct lab_item *item)
{
	while (item->kept != NULL) {
		struct kept_closing *kept = item->kept;
		item->kept = kept->next;
		lab->predictions->kept_bytes -= kept_bytes(kept->closing.n);
		free(kept);
	}
}

void predictions_finish(struct lab *lab)
{
	scores_finish(lab);
	for (size_t i = 0; i < lab->items->n; i++) {
		forget_closings(lab, &lab->items->all[i]);
	}
}

/* The item's client takes what its validator's application decided. */
static void accept_closing(struct lab *lab, uint32_t index, const struct closing_view *closing,
	uint64_t instance, uint64_t view)
{
	struct lab_item *item = &lab->items->all[index];
	const struct item_outcome *outcome = &closing->outcome;
	item->instance = instance;
	item->view = view;
	item->proposer = watch_instance(lab, instance)->proposer;
	scores_closing(lab, closing, item);
	item->value = outcome->decided ? outcome->value : real_nan();
	item->decided_value = outcome->decided;
	item->n_predictions = outcome->n_predictions;
	item->n_rejected = outcome->n_rejected;
	item->n_disputed = outcome->n_disputed;
	forget_closings(lab, item);
	items_accepted(lab, index);
	if (lab->common->validation != VALIDATION_OFF) {
		return; /* slower validators have yet to judge it */
	}
	lab->items->all[index].details->next_free = lab->predictions->details_free;
	lab->predictions->details_free = lab->items->all[index].details;
	lab->items->all[index].details = NULL;
}

void predictions_closed(struct lab *lab, struct node *node, const struct closing_view *closing,
	uint64_t instance, uint64_t view)
{
	uint32_t index = (uint32_t)closing->item;
	struct lab_item *item = &lab->items->all[index];
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
	} else if (lab->items->clients_move) {
		keep_closing(item, node, closing, instance, view);
	}
}

void predictions_reassign(struct lab *lab)
{
	if (lab->app->has_clients || lab->items->n_accepted == lab->items->n) {
		return;
	}
	for (uint32_t index = 0; index < lab->items->n && !lab->world.stopped; index++) {
		struct lab_item *item = &lab->items->all[index];
		if (item->accepted) {
			continue;
		}
		/* A gateway whose validator turns out to be a liar is no honest client. */
		if (!lab_serves(lab, item->client) || lab->world.nodes[item->client].byzantine) {
			item->client = items_gateway(lab, item->client);
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
