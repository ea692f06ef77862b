/* The calls that an application's outside half may make: workloads/app.h. */
#include "outside.h"
#include "clients.h"
#include "items.h"
#include "members.h"
#include "replicas.h"
#include "watch.h"

#include <string.h>

void outside_start(struct lab *lab)
{
	const struct app *app = lab->app;
	struct arena *arena = &lab->world.arena;
	lab->outside = arena_new(arena, struct outside);
	lab->outside->lab = lab;
	lab->outside->state = app->outside_size > 0 ? arena_alloc(arena, app->outside_size) : NULL;
	lab->shared = app->shared_size > 0 ? arena_alloc(arena, app->shared_size) : NULL;
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

const void *outside_settings(const struct outside *outside)
{
	return outside->lab->common;
}

void *outside_shared(const struct outside *outside)
{
	return outside->lab->shared;
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

uint32_t outside_gateway(const struct outside *outside, uint32_t from)
{
	return items_gateway(outside->lab, from);
}

uint32_t outside_informant(const struct outside *outside, uint32_t validator)
{
	const struct lab *lab = outside->lab;
	return lab->members != NULL ? members_informant(lab, validator) : validator;
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
	return outside->lab->items[item].client;
}

void outside_move(struct outside *outside, uint32_t item, uint32_t client)
{
	outside->lab->items[item].client = client;
}

void outside_truth(struct outside *outside, uint32_t item, double truth)
{
	outside->lab->items[item].truth = truth;
}

void outside_settled(struct outside *outside, uint32_t index, double value, struct log_place place)
{
	struct lab_item *item = &outside->lab->items[index];
	item->instance = place.instance;
	item->view = place.view;
	item->proposer = watch_instance(outside->lab, place.instance)->proposer;
	item->value = value;
	item->decided_value = !isnan(value);
	items_accepted(outside->lab, index);
}

bool outside_is_settled(const struct outside *outside, uint32_t item)
{
	return outside->lab->items[item].accepted;
}

void outside_came_to(struct outside *outside, uint32_t validator, uint32_t index, double value)
{
	struct lab *lab = outside->lab;
	struct lab_item *item = &lab->items[index];
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
	return client_submit(outside->lab, item, command);
}

transaction_id outside_n_commands(const struct outside *outside)
{
	return (transaction_id)outside->lab->transactions->n;
}

const struct command *outside_command(const struct outside *outside, transaction_id transaction)
{
	return &transaction_of(outside->lab, transaction)->command;
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
