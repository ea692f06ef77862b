/* The calls that an application's outside half may make: workloads/app.h. */
#include "outside.h"
#include "clients.h"
#include "items.h"
#include "members.h"
#include "replicas.h"
#include "watch.h"

#include "attacks/on_predictions.h"
#include "measure/measure.h"
#include "workloads/adversary.h"
#include "workloads/items.h"

#include <string.h>

/* Of a row of an application's own table. */
#define ROW_CELLS_MAX 64

static struct adversary *adversary(struct lab *lab)
{
	const struct items_app *items = items_of(lab->app);
	struct predictions_settings settings = {
		.attacks = &lab->scenario->attacks,
		.workload = items,
		.workload_settings = lab->scenario->workload.settings,
		.seed = lab->seed,
		.n_validators = lab->world.n_validators,
		.dims = items == NULL ? 0 : items_dims(items, lab->scenario->workload.settings),
	};
	return items == NULL ? NULL : predictions_adversary(&settings, &lab->world.arena);
}

void outside_start(struct lab *lab, struct model_cache *models)
{
	const struct app *app = lab->app;
	struct arena *arena = &lab->world.arena;
	struct outside *outside = lab->outside = arena_new(arena, struct outside);
	outside->lab = lab;
	outside->models = models;
	outside->adversary = adversary(lab);
	outside->state = app->outside_size > 0 ? arena_alloc(arena, app->outside_size) : NULL;
	for (size_t i = 0; app->tables != NULL && app->tables[i].name != NULL; i++) {
		assert(i < APP_TABLES_MAX);
		outside->tables[i] = measure_table(lab, app->tables[i].name);
	}
	outside->shared = app->shared_size > 0 ? arena_alloc(arena, app->shared_size) : NULL;
	if (app->start != NULL) {
		uint32_t n = lab->world.n_validators;
		const struct app_start start = {
			.app = app,
			.scorer = &lab->scenario->scorer,
			.aggregator = &lab->scenario->aggregator,
			.n_validators = n,
			.n_clients = node_n_clients(&lab->world.nodes[0]),
			.n_participants = lab->common->identities == IDENTITIES_OPEN && outside->adversary != NULL
				? n + outside->adversary->n_more
				: n,
			.seed = lab->seed,
			.arena = arena,
		};
		app->start(lab->scenario->workload.settings, outside->shared, &start);
	}
}

bool outside_open(struct lab *lab, char error[256])
{
	return lab->app->open == NULL || lab->app->open(lab->outside, lab->outside->state, error);
}

void outside_close(struct lab *lab)
{
	if (lab->app->close != NULL) {
		lab->app->close(lab->outside, lab->outside->state);
	}
}

void outside_report(struct lab *lab)
{
	if (lab->app->report != NULL) {
		lab->app->report(lab->outside, lab->outside->state);
	}
}

uint64_t outside_bytes(const struct lab *lab)
{
	return lab->app->bytes == NULL ? 0 : lab->app->bytes(lab->outside->state);
}

void outside_changed(struct lab *lab, uint32_t node)
{
	if (lab->app->changed != NULL) {
		lab->app->changed(lab->outside, lab->outside->state, node);
	}
}

sim_time outside_now(const struct outside *outside)
{
	return outside->lab->world.now;
}

uint64_t outside_seed(const struct outside *outside)
{
	return outside->lab->seed;
}

struct arena *outside_arena(struct outside *outside)
{
	return &outside->lab->world.arena;
}

const struct app *outside_app(const struct outside *outside)
{
	return outside->lab->app;
}

const void *outside_settings(const struct outside *outside)
{
	return outside->lab->scenario->workload.settings;
}

const struct plugin_value *outside_predictor(const struct outside *outside)
{
	return &outside->lab->scenario->predictor;
}

struct adversary *outside_adversary(const struct outside *outside)
{
	return outside->adversary;
}

bool outside_attacked(const struct outside *outside)
{
	return outside->lab->scenario->attacks.n > 0;
}

struct model_cache *outside_models(const struct outside *outside)
{
	return outside->models;
}

bool outside_verbose(const struct outside *outside)
{
	return outside->lab->verbose;
}

uint64_t outside_run(const struct outside *outside)
{
	return outside->lab->number.run;
}

void *outside_shared(const struct outside *outside)
{
	return outside->shared;
}

const void *outside_replica(const struct outside *outside, uint32_t validator)
{
	return replica_of(outside->lab, validator)->state;
}

uint32_t outside_n_validators(const struct outside *outside)
{
	return outside->lab->world.n_validators;
}

bool outside_alive(const struct outside *outside, uint32_t validator)
{
	return outside->lab->world.nodes[validator].alive;
}

bool outside_serves(const struct outside *outside, uint32_t validator)
{
	return lab_serves(outside->lab, validator);
}

bool outside_honest(const struct outside *outside, uint32_t validator)
{
	return lab_counts(&outside->lab->world.nodes[validator]);
}

bool outside_lies(const struct outside *outside, uint32_t validator)
{
	return outside->lab->world.nodes[validator].byzantine;
}

bool outside_clients_move(const struct outside *outside)
{
	return outside->lab->items->clients_move;
}

bool outside_is_over(const struct outside *outside)
{
	return outside->lab->world.stopped;
}

void outside_fail(struct outside *outside, const char *why, const char error[256])
{
	snprintf(outside->error, sizeof(outside->error), "%s", error);
	lab_end(outside->lab, "limit", "%s", why);
}

uint32_t outside_gateway(const struct outside *outside, uint32_t from)
{
	return items_gateway(outside->lab, from);
}

uint32_t outside_informant(const struct outside *outside, uint32_t validator)
{
	const struct lab *lab = outside->lab;
	return lab->members ? members_informant(lab, validator) : validator;
}

static void happens(struct world *world, void *context, uint64_t what)
{
	struct outside *outside = context;
	outside->lab->app->happens(outside, outside->state, what);
}

void outside_at(struct outside *outside, sim_time at_ns, uint64_t what)
{
	world_call_at(&outside->lab->world, at_ns, happens, outside, what);
}

/* Something that takes its time at a validator's processor. */
struct work {
	struct work *next;
	sim_time cost_ns;
	uint64_t what;
};

/* One after the other, and messages that wait come first. A crash takes all with it that the validator
 * had in hand. */
struct works {
	struct work *first, *last;
	uint32_t n_downs; /* of its node, when these came */
};

/* Who goes down loses its events: they carry the number of its crashes. */
static uint64_t works_name(const struct lab *lab, uint32_t node)
{
	return (uint64_t)lab->world.ports[node].n_downs << 32 | node;
}

static struct works *works_named(const struct outside *outside, uint64_t name)
{
	uint32_t node = (uint32_t)name;
	bool lost = !outside->lab->world.nodes[node].alive || works_name(outside->lab, node) != name;
	return lost ? NULL : &outside->works[node];
}

static void work(struct world *world, void *context, uint64_t name);

static void worked(struct world *world, void *context, uint64_t name)
{
	struct outside *outside = context;
	struct works *waiting = works_named(outside, name);
	if (waiting == NULL || world_defer(world, (uint32_t)name, worked, outside, name)) {
		return;
	}
	const struct work *done = waiting->first;
	outside->lab->app->worked(outside, outside->state, (uint32_t)name, done->what);
	waiting->first = done->next;
	if (waiting->first != NULL) {
		/* As an event, after what the gateway has just given its validator. */
		world_call_at(world, world->now, work, outside, name);
	}
}

static void work(struct world *world, void *context, uint64_t name)
{
	struct outside *outside = context;
	uint32_t node = (uint32_t)name;
	const struct works *waiting = works_named(outside, name);
	if (waiting == NULL || world_defer(world, node, work, outside, name)) {
		return;
	}
	const struct port *port = &world->ports[node];
	if (port->in_service) {
		world_call_at(world, port->service_at, work, outside, name);
		return;
	}
	sim_time done = world_work(world, &world->nodes[node], waiting->first->cost_ns);
	world_call_at(world, done, worked, outside, name);
}

void outside_work(struct outside *outside, uint32_t validator, sim_time cost_ns, uint64_t what)
{
	struct lab *lab = outside->lab;
	if (outside->works == NULL) {
		outside->works = arena_array(&lab->world.arena, struct works, lab->world.n_validators);
	}
	struct works *waiting = &outside->works[validator];
	if (waiting->n_downs != lab->world.ports[validator].n_downs) {
		*waiting = (struct works){.n_downs = lab->world.ports[validator].n_downs};
	}
	struct work *next = arena_new(&lab->world.arena, struct work);
	*next = (struct work){.cost_ns = cost_ns, .what = what};
	bool idle = waiting->first == NULL;
	if (idle) {
		waiting->first = next;
	} else {
		waiting->last->next = next;
	}
	waiting->last = next;
	if (idle) {
		work(&lab->world, outside, works_name(lab, validator));
	}
}

uint32_t outside_item(struct outside *outside, uint32_t client)
{
	return item_new(outside->lab, client);
}

uint32_t outside_client(const struct outside *outside, uint32_t item)
{
	return outside->lab->items->all[item].client;
}

uint32_t outside_item_of(const struct outside *outside, transaction_id command)
{
	return transaction_of(outside->lab, command)->item;
}

void outside_move(struct outside *outside, uint32_t item, uint32_t client)
{
	outside->lab->items->all[item].client = client;
}

void outside_truth(struct outside *outside, uint32_t item, double truth)
{
	outside->lab->items->all[item].truth = truth;
}

void outside_settled(struct outside *outside, uint32_t index, double value, struct log_place place)
{
	struct lab_item *item = &outside->lab->items->all[index];
	item->instance = place.instance;
	item->view = place.view;
	item->proposer = watch_instance(outside->lab, place.instance)->proposer;
	item->value = value;
	item->decided_value = !isnan(value);
	items_accepted(outside->lab, index);
}

bool outside_is_settled(const struct outside *outside, uint32_t item)
{
	return outside->lab->items->all[item].accepted;
}

void outside_came_to(struct outside *outside, uint32_t validator, uint32_t index, double value)
{
	struct lab *lab = outside->lab;
	struct lab_item *item = &lab->items->all[index];
	if (!lab_counts(&lab->world.nodes[validator])) {
		return;
	}
	if (!item->closed_somewhere) {
		item->closed_somewhere = true;
		item->first_value = value;
	} else if (!item->diverged && memcmp(&item->first_value, &value, sizeof(value)) != 0) {
		item->diverged = true;
		lab->watch->positions.n_diverged++;
	}
}

transaction_id outside_submit(struct outside *outside, uint32_t item, const struct command *command)
{
	struct lab *lab = outside->lab;
	if (lab->attacking.alters) {
		struct command altered = *command;
		attackers_alter(lab, &altered);
		return client_submit(lab, item, &altered);
	}
	return client_submit(lab, item, command);
}

transaction_id outside_n_commands(const struct outside *outside)
{
	return (transaction_id)outside->lab->transactions->n;
}

const struct command *outside_command(const struct outside *outside, transaction_id transaction)
{
	return &transaction_of(outside->lab, transaction)->command;
}

bool outside_records(const struct outside *outside, unsigned table)
{
	return measure_records(outside->lab, outside->tables[table]);
}

void outside_row(struct outside *outside, unsigned table, const union cell *cells)
{
	const struct lab *lab = outside->lab;
	union cell row[ROW_CELLS_MAX] = {{.integer = (int64_t)lab->number.run}};
	size_t n = lab->measure->schemas->tables[outside->tables[table]].n_columns;
	assert(n <= ROW_CELLS_MAX);
	memcpy(row + 1, cells, (n - 1) * sizeof(*cells));
	measure_row(lab, outside->tables[table], row);
}

void outside_violated(struct outside *outside, const struct app_violation *violation)
{
	struct lab *lab = outside->lab;
	struct watch *watch = lab->watch;
	uint64_t n = watch->n_violations;
	watch_violated(lab, violation->invariant, transaction_of(lab, violation->first)->command.sender,
		transaction_of(lab, violation->second)->command.sender, violation->first, violation->values[0],
		violation->values[1], violation->what);
	if (watch->n_violations > n && n < VIOLATIONS_MAX) {
		watch->violations[n].at = violation->at_ns;
		watch->violations[n].transaction = true;
	}
}
