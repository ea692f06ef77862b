/* What a replica does with commands, and undoes: see workloads/application.h. */
#include "parts.h"
#include "agents.h"
#include "held.h"
#include "workloads/workload.h"

#include "sim/real.h"

#include <math.h>
#include <string.h>

const struct command_kind items_commands[] = {
	[ITEMS_PREDICTION] = {"prediction", 0},
	[ITEMS_CLOSE] = {"close", 0},
	[ITEMS_PROPOSAL] = {"proposal", COMMAND_OWN},
	{NULL, 0},
};

const char *const items_rejects[] = {
	[ITEMS_COUNTED] = "",
	[ITEMS_DUPLICATE] = "duplicate",
	[ITEMS_LATE] = "late",
	[ITEMS_REFUSED] = "refused",
	[ITEMS_NOT_FINITE] = "not-finite",
	NULL,
};

uint64_t items_state_digest(const double *state, size_t n)
{
	return n == 0 ? 0 : mix_reals(HELD_STATE, state, n);
}

static uint32_t dims_of(const struct application_replica *replica)
{
	return replica->application->settings.dims;
}

static double *list_take(double **list, size_t n, struct arena *arena)
{
	double *taken = *list;
	if (taken == NULL) {
		size_t room = sizeof(double *) > sizeof(double) ? 2 : 1;
		return arena_array(arena, double, n < room ? room : n);
	}
	memcpy(list, taken, sizeof(*list));
	return taken;
}

static void list_give_back(double **list, double *given)
{
	memcpy(given, list, sizeof(*list));
	*list = given;
}

void application_init(
	struct application *application, const struct application_settings *settings, struct arena *arena)
{
	uint32_t n = settings->quorum;
	assert(settings->n_validators > 0);
	assert(n >= 1 && n <= settings->n_validators);
	assert(settings->close_votes >= 1 && settings->close_votes <= settings->n_validators);
	assert(settings->scorer.plugin && settings->aggregator.plugin);
	application->settings = *settings;
	settings = &application->settings;
	if (settings->n_participants == 0) {
		application->settings.n_participants = settings->n_validators;
	}
	assert(settings->n_participants >= settings->n_validators);
	if (settings->dims == 0) {
		application->settings.dims = 1;
	}
	uint32_t dims = settings->dims;
	application->nodes = arena_array(arena, uint32_t, n);
	application->values = arena_array(arena, double, (size_t)n * dims);
	application->confidence = arena_array(arena, double, n);
	application->room = closing_room_make(n, dims, arena);
	application->closing = (struct closing_view){
		.item = UINT64_MAX,
		.dims = dims,
		.nodes = application->nodes,
		.values = application->values,
		.confidence = application->confidence,
		.scores = application->room.scores,
		.accepted = application->room.accepted,
		.decision = application->room.decision,
	};
	/* the plugin is the first member of a scorer */
	const struct scorer *scorer = (const void *)settings->scorer.plugin;
	if (scorer->prepare) {
		application->model = scorer->prepare(
			settings->scorer.settings, settings->n_participants, settings->seed, arena);
	}
	application->n_state = scorer_state_size(&settings->scorer, settings->n_participants);
	application->state_before = arena_array(arena, double, application->n_state);
	application->state_after = arena_array(arena, double, application->n_state);
}

struct application *application_create(
	const struct application_settings *settings, struct arena *arena)
{
	struct application *application = arena_new(arena, struct application);
	application_init(application, settings, arena);
	return application;
}

void items_share(const void *settings, void *shared, const struct app_start *start)
{
	const struct workload_common *common = settings;
	const struct items_app *app = items_of(start->app);
	const struct application_settings own = {
		.n_validators = start->n_validators,
		.n_participants = common->identities == IDENTITIES_OPEN ? start->n_participants : 0,
		.quorum = (uint32_t)common->quorum,
		.seed = start->seed,
		.close_votes = application_close_votes(start->n_validators),
		.tolerance = common->tolerance,
		.dims = items_dims(app, settings),
		.summary = app->summary,
		.scorer = *start->scorer,
		.aggregator = *start->aggregator,
	};
	application_init(shared, &own, start->arena);
}

void items_begin(void *shared, void *state, struct arena *arena)
{
	struct application *application = shared;
	struct application_replica *replica = state;
	replica->application = application;
	replica->arena = arena;
	if (application->n_state > 0) {
		const struct plugin_value *rule = &application->settings.scorer;
		replica->state = arena_array(arena, double, application->n_state);
		((const struct scorer *)(const void *)rule->plugin)
			->begin(rule->settings, application->settings.n_participants, replica->state);
		replica->digest = replica->state_digest = items_state_digest(replica->state, application->n_state);
	}
}

struct application_replica *application_replica_create(
	struct application *application, struct arena *arena)
{
	struct application_replica *replica = arena_new(arena, struct application_replica);
	items_begin(application, replica, arena);
	return replica;
}

/* Bit sets by node. Sets the bit and says whether it was clear. */
static bool set_add(uint64_t *set, uint32_t node)
{
	uint64_t bit = UINT64_C(1) << (node % 64);
	bool added = !(set[node / 64] & bit);
	set[node / 64] |= bit;
	return added;
}

static size_t set_words(uint32_t n)
{
	return ((size_t)n + 63) / 64;
}

static struct open_item *open_item_take(struct application_replica *replica)
{
	const struct application_settings *settings = &replica->application->settings;
	size_t n_words = set_words(settings->n_participants);
	struct open_item *open = replica->free;
	if (open) {
		replica->free = open->next_free;
		open->next_free = NULL;
		open->n_predictions = 0;
		open->n_close_votes = 0;
		open->digest = 0;
		memset(open->predicted, 0, n_words * sizeof(*open->predicted));
		memset(open->voted, 0, n_words * sizeof(*open->voted));
		return open;
	}
	open = arena_new(replica->arena, struct open_item);
	open->predicted = arena_array(replica->arena, uint64_t, n_words);
	open->voted = arena_array(replica->arena, uint64_t, n_words);
	open->values = arena_array(replica->arena, double, (size_t)settings->quorum * settings->dims);
	open->confidence = arena_array(replica->arena, double, settings->quorum);
	open->nodes = arena_array(replica->arena, uint32_t, settings->quorum);
	return open;
}

/* The item's slot, made where there was none. */
static struct item_slot *slot_at(struct application_replica *replica, uint64_t item)
{
	size_t chunk = (size_t)(item / CHUNK_ITEMS);
	if (chunk >= replica->n_chunks) {
		replica->chunks = arena_grow(replica->arena, replica->chunks, sizeof(*replica->chunks),
			replica->n_chunks, chunk + 1, &replica->chunk_capacity);
		while (replica->n_chunks <= chunk) {
			replica->chunks[replica->n_chunks++] = NULL;
		}
	}
	if (!replica->chunks[chunk]) {
		replica->chunks[chunk] = arena_array(replica->arena, struct item_slot, CHUNK_ITEMS);
	}
	return &replica->chunks[chunk][item % CHUNK_ITEMS];
}

/* Is the last closing computed that of these predictions, under what this replica's scorer remembers? Values are
 * compared as bytes: zeros of different signs count as different. */
static bool is_computed(const struct application_replica *replica, const struct open_item *open, uint64_t item)
{
	const struct application *application = replica->application;
	const struct closing_view *closing = &application->closing;
	size_t n = open->n_predictions;
	return closing->item == item && closing->n == n &&
		memcmp(application->nodes, open->nodes, n * sizeof(*open->nodes)) == 0 &&
		memcmp(application->values, open->values, n * closing->dims * sizeof(*open->values)) == 0 &&
		memcmp(application->confidence, open->confidence, n * sizeof(*open->confidence)) == 0 &&
		(application->n_state == 0 ||
			memcmp(application->state_before, replica->state,
				application->n_state * sizeof(*replica->state)) == 0);
}

static void compute_closing(
	const struct application_replica *replica, const struct open_item *open, uint64_t item)
{
	struct application *application = replica->application;
	struct closing_view *closing = &application->closing;
	size_t n = open->n_predictions;
	closing->item = item;
	closing->n = open->n_predictions;
	memcpy(application->nodes, open->nodes, n * sizeof(*open->nodes));
	memcpy(application->values, open->values, n * closing->dims * sizeof(*open->values));
	memcpy(application->confidence, open->confidence, n * sizeof(*open->confidence));
	if (application->n_state > 0) {
		memcpy(application->state_before, replica->state, application->n_state * sizeof(*replica->state));
	}
	const struct scoring given = closing_scoring(application);
	closing->outcome = closing_decide(application, &given, application->confidence, &application->room);
	if (application->n_state > 0) {
		closing_learn(application);
	}
}

/* The replica's scorer remembers what the closing computed has taught it. */
static void take_state(struct application_replica *replica, struct items_undo *undo)
{
	const struct application *application = replica->application;
	if (application->n_state == 0) {
		return;
	}
	if (undo != NULL) {
		undo->state = replica->state;
		undo->state_digest = replica->state_digest;
		replica->state = list_take(&replica->free_states, application->n_state, replica->arena);
	}
	memcpy(replica->state, application->state_after, application->n_state * sizeof(*replica->state));
	replica->digest += application->state_digest - replica->state_digest;
	replica->state_digest = application->state_digest;
}

/* The slot's item is closed as the application's last closing says. */
static void take_outcome(struct application_replica *replica, struct item_slot *slot, struct items_undo *undo)
{
	const struct closing_view *closing = &replica->application->closing;
	struct open_item *open = slot->open;
	slot->outcome = closing->outcome;
	slot->row = NULL;
	replica->n_closed++;
	if (open != NULL) {
		replica->digest -= open->digest;
		if (undo == NULL) {
			open->next_free = replica->free;
			replica->free = open;
		}
	}
	if (undo != NULL) {
		undo->open = open;
		undo->closed = true;
	}
	if (closing->dims > 1 && closing->outcome.decided) {
		slot->row = list_take(&replica->free_rows, closing->dims, replica->arena);
		memcpy(slot->row, closing->decision, closing->dims * sizeof(*slot->row));
	}
	replica->digest += outcome_digest(closing->item, &slot->outcome, slot->row, closing->dims);
}

static __attribute__((noinline)) void item_close(
	struct application_replica *replica, struct item_slot *slot, uint64_t item, struct items_undo *undo)
{
	if (!is_computed(replica, slot->open, item)) {
		compute_closing(replica, slot->open, item);
	}
	take_state(replica, undo);
	take_outcome(replica, slot, undo);
}

static struct open_item *open_of(
	struct application_replica *replica, struct item_slot *slot, struct items_undo *undo)
{
	if (slot->open == NULL) {
		slot->open = open_item_take(replica);
		if (undo != NULL) {
			undo->opened = true;
		}
	}
	return slot->open;
}

/* The numbers that a command says; NULL: it says none. */
static inline const double *row_of(const struct command *command, uint32_t dims)
{
	if (dims == 1) {
		return isfinite(command->argument.real[0]) ? command->argument.real : NULL;
	}
	const double *row = command->body;
	return row != NULL && command->n_body == dims && all_finite(row, dims) ? row : NULL;
}

static enum items_reject late(struct application_replica *replica, struct item_slot *slot, uint64_t item)
{
	slot->outcome.n_late++;
	replica->digest += held(HELD_LATE, item, 0);
	return ITEMS_LATE;
}

static inline enum items_reject predict(struct application_replica *replica, const struct command *command,
	struct items_undo *undo)
{
	const struct application_settings *settings = &replica->application->settings;
	uint32_t node = command->identity, dims = settings->dims;
	const double *row = row_of(command, dims);
	if (node >= settings->n_participants) {
		return ITEMS_REFUSED;
	}
	if (row == NULL) {
		return ITEMS_NOT_FINITE;
	}
	struct item_slot *slot = slot_at(replica, command->subject);
	if (slot->outcome.closed) {
		return late(replica, slot, command->subject);
	}
	struct open_item *open = open_of(replica, slot, undo);
	if (!set_add(open->predicted, node)) {
		return ITEMS_DUPLICATE;
	}
	uint32_t at = open->n_predictions++;
	double confidence = command->argument.real[1];
	if (dims == 1) {
		open->values[at] = *row;
	} else {
		memcpy(open->values + (size_t)at * dims, row, dims * sizeof(*row));
	}
	open->confidence[at] = confidence > 0 && isfinite(confidence) ? confidence : real_nan();
	open->nodes[at] = node;
	uint64_t digest = prediction_digest(command->subject, open, at, dims);
	open->digest += digest;
	replica->digest += digest;
	slot->outcome.n_predictions = open->n_predictions;
	if (open->n_predictions == settings->quorum) {
		item_close(replica, slot, command->subject, undo);
	}
	return ITEMS_COUNTED;
}

/* A value that a quorum of validators has found right: the item closes with it. */
static __attribute__((noinline)) enum items_reject settle(
	struct application_replica *replica, const struct command *command, struct items_undo *undo)
{
	struct application *application = replica->application;
	struct closing_view *closing = &application->closing;
	struct item_slot *slot = slot_at(replica, command->subject);
	const double *row = row_of(command, closing->dims);
	assert(command->sender < application->settings.n_validators);
	if (row == NULL) {
		return ITEMS_NOT_FINITE;
	}
	if (slot->outcome.closed) {
		return late(replica, slot, command->subject);
	}
	size_t bytes = closing->dims * sizeof(*row);
	closing->item = command->subject;
	closing->n = 1;
	application->nodes[0] = command->sender;
	memcpy(application->values, row, bytes);
	memcpy(application->room.decision, row, bytes);
	application->confidence[0] = real_nan();
	application->room.scores[0] = 1;
	application->room.accepted[0] = true;
	double (*summary)(const double *, uint32_t) = application->settings.summary;
	closing->outcome = (struct item_outcome){
		.value = closing->dims > 1 && summary != NULL ? summary(row, closing->dims) : row[0],
		.n_predictions = 1,
		.closed = true,
		.decided = true,
	};
	take_outcome(replica, slot, undo);
	return ITEMS_COUNTED;
}

static __attribute__((noinline)) enum items_reject vote(
	struct application_replica *replica, const struct command *command, struct items_undo *undo)
{
	const struct application_settings *settings = &replica->application->settings;
	struct item_slot *slot = slot_at(replica, command->subject);
	assert(command->sender < settings->n_validators);
	if (slot->outcome.closed) {
		return ITEMS_LATE;
	}
	struct open_item *open = open_of(replica, slot, undo);
	if (!set_add(open->voted, command->sender)) {
		return ITEMS_DUPLICATE;
	}
	uint64_t digest = held(HELD_VOTE, command->subject, command->sender);
	open->digest += digest;
	replica->digest += digest;
	if (++open->n_close_votes == settings->close_votes) {
		item_close(replica, slot, command->subject, undo);
	}
	return ITEMS_COUNTED;
}

void items_execute(void *state, const struct command *command, struct log_place place, struct effect *effect,
	void *record)
{
	struct application_replica *replica = state;
	struct items_undo *undo = record;
	const struct closing_view *closing = &replica->application->closing;
	uint32_t n_closed = replica->n_closed;
	enum items_reject reject = ITEMS_COUNTED;
	(void)place;
	if (undo != NULL) {
		*undo = (struct items_undo){.digest = replica->digest};
	}
	switch ((enum items_command)command->kind) {
	case ITEMS_PREDICTION:
		reject = predict(replica, command, undo);
		break;
	case ITEMS_CLOSE:
		reject = vote(replica, command, undo);
		break;
	case ITEMS_PROPOSAL:
		reject = settle(replica, command, undo);
		break;
	}
	if (undo != NULL) {
		undo->reject = (uint8_t)reject;
	}
	effect->reject = (uint16_t)reject;
	effect->result = reject;
	effect->detail = replica->n_closed != n_closed ? closing : NULL;
}

/* Takes the last prediction or vote away from an open item. */
static void take_back(struct item_slot *slot, const struct command *command, uint32_t dims)
{
	struct open_item *open = slot->open;
	if (command->kind == ITEMS_PREDICTION) {
		uint32_t at = open->n_predictions - 1;
		open->digest -= prediction_digest(command->subject, open, at, dims);
		open->predicted[command->identity / 64] &= ~(UINT64_C(1) << (command->identity % 64));
		open->n_predictions = at;
	} else {
		open->digest -= held(HELD_VOTE, command->subject, command->sender);
		open->voted[command->sender / 64] &= ~(UINT64_C(1) << (command->sender % 64));
		open->n_close_votes--;
	}
	slot->outcome.n_predictions = open->n_predictions;
}

void items_undo(void *state, const struct command *command, const void *record)
{
	struct application_replica *replica = state;
	const struct items_undo *undo = record;
	if (undo->reject == ITEMS_REFUSED || undo->reject == ITEMS_NOT_FINITE) {
		return;
	}
	struct item_slot *slot = slot_at(replica, command->subject);
	if (undo->closed) {
		if (slot->row != NULL) {
			list_give_back(&replica->free_rows, slot->row);
		}
		slot->open = undo->open;
		slot->outcome = (struct item_outcome){
			.n_predictions = undo->open == NULL ? 0 : undo->open->n_predictions};
		replica->n_closed--;
	}
	if (undo->state != NULL) {
		list_give_back(&replica->free_states, replica->state);
		replica->state = undo->state;
		replica->state_digest = undo->state_digest;
	}
	if (undo->reject == ITEMS_LATE && command->kind != ITEMS_CLOSE) {
		slot->outcome.n_late--;
	} else if (undo->reject == ITEMS_COUNTED && command->kind != ITEMS_PROPOSAL) {
		take_back(slot, command, dims_of(replica));
	}
	if (undo->opened) {
		slot->open->next_free = replica->free;
		replica->free = slot->open;
		slot->open = NULL;
	}
	replica->digest = undo->digest;
}

uint64_t items_digest(const void *replica)
{
	return ((const struct application_replica *)replica)->digest;
}

static uint64_t open_digest(uint64_t item, const struct open_item *open, const struct application_settings *settings)
{
	uint64_t digest = 0;
	for (uint32_t i = 0; i < open->n_predictions; i++) {
		digest += prediction_digest(item, open, i, settings->dims);
	}
	for (uint32_t i = 0; i < settings->n_validators; i++) {
		digest += (open->voted[i / 64] >> (i % 64) & 1) != 0 ? held(HELD_VOTE, item, i) : 0;
	}
	return digest;
}

uint64_t items_digest_anew(const void *state)
{
	const struct application_replica *replica = state;
	const struct application_settings *settings = &replica->application->settings;
	uint64_t digest = items_state_digest(replica->state, replica->application->n_state);
	for (size_t chunk = 0; chunk < replica->n_chunks; chunk++) {
		for (size_t i = 0; i < CHUNK_ITEMS && replica->chunks[chunk] != NULL; i++) {
			const struct item_slot *slot = &replica->chunks[chunk][i];
			uint64_t item = chunk * CHUNK_ITEMS + i;
			if (slot->outcome.closed) {
				digest += outcome_digest(item, &slot->outcome, slot->row, settings->dims);
				digest += slot->outcome.n_late * held(HELD_LATE, item, 0);
			} else if (slot->open != NULL) {
				digest += open_digest(item, slot->open, settings);
			}
		}
	}
	return digest;
}

struct item_outcome application_outcome(const struct application_replica *replica, uint64_t item)
{
	size_t chunk = (size_t)(item / CHUNK_ITEMS);
	if (chunk >= replica->n_chunks || !replica->chunks[chunk]) {
		return (struct item_outcome){.value = 0};
	}
	return replica->chunks[chunk][item % CHUNK_ITEMS].outcome;
}

const double *application_row(const struct application_replica *replica, uint64_t item)
{
	return application_outcome(replica, item).closed
		? replica->chunks[item / CHUNK_ITEMS][item % CHUNK_ITEMS].row
		: NULL;
}

double application_reputation(const struct application_replica *replica, uint32_t node)
{
	const struct application_settings *settings = &replica->application->settings;
	const struct scorer *scorer = (const void *)settings->scorer.plugin;
	if (!scorer->reputation || !replica->state || node >= settings->n_participants) {
		return real_nan();
	}
	return scorer->reputation(
		settings->scorer.settings, replica->state, settings->n_participants, node);
}

struct scoring application_scoring(const struct application_replica *replica, uint64_t item)
{
	return (struct scoring){
		.n_participants = replica->application->settings.n_participants,
		.item = item,
		.model = replica->application->model,
		.state = replica->state,
	};
}

const struct closing_view *application_closing(const struct application *application)
{
	return &application->closing;
}
