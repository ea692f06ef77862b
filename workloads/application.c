/* The replicated application's state; see the header. */
#include "workloads/application.h"
#include "workloads/rules.h"

#include "sim/real.h"

#include <math.h>
#include <string.h>

/* Items lie in chunks, so that growing moves none and wastes less than one. */
#define CHUNK_ITEMS 256

/* An item that has not closed; after that, on the free list. */
struct open_item {
	struct open_item *next_free;
	uint32_t n_predictions, n_close_votes;
	uint64_t *predicted, *voted; /* bit sets by node */
	double *values, *confidence; /* quorum of them */
	uint32_t *nodes;
};

struct item_slot {
	struct item_outcome outcome;
	struct open_item *open; /* NULL before the first transaction and after the closing */
};

struct application {
	struct application_settings settings;
	struct closing_view closing; /* n is 0 and item UINT64_MAX before the first */
	/* What the view shows. */
	uint32_t *nodes;
	double *values, *confidence;
	struct closing_room room;
	const void *model; /* the scorer's */
	size_t n_state;    /* numbers that a replica keeps for it */
	double *state_before, *state_after;
};

struct application_replica {
	struct application *application;
	struct arena *arena;
	struct item_slot **chunks;
	size_t n_chunks, chunk_capacity;
	struct open_item *free;
	double *state; /* the scorer's; NULL: it keeps none */
};

struct application *application_create(
	const struct application_settings *settings, struct arena *arena)
{
	struct application *application = arena_new(arena, struct application);
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
	application->nodes = arena_array(arena, uint32_t, n);
	application->values = arena_array(arena, double, n);
	application->confidence = arena_array(arena, double, n);
	application->room = closing_room_make(n, arena);
	application->closing = (struct closing_view){
		.item = UINT64_MAX,
		.nodes = application->nodes,
		.values = application->values,
		.confidence = application->confidence,
		.scores = application->room.scores,
		.accepted = application->room.accepted,
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
	return application;
}

struct application_replica *application_replica_create(
	struct application *application, struct arena *arena)
{
	struct application_replica *replica = arena_new(arena, struct application_replica);
	replica->application = application;
	replica->arena = arena;
	if (application->n_state > 0) {
		const struct plugin_value *rule = &application->settings.scorer;
		replica->state = arena_array(arena, double, application->n_state);
		((const struct scorer *)(const void *)rule->plugin)
			->begin(rule->settings, application->settings.n_participants, replica->state);
	}
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
		memset(open->predicted, 0, n_words * sizeof(*open->predicted));
		memset(open->voted, 0, n_words * sizeof(*open->voted));
		return open;
	}
	open = arena_new(replica->arena, struct open_item);
	open->predicted = arena_array(replica->arena, uint64_t, n_words);
	open->voted = arena_array(replica->arena, uint64_t, n_words);
	open->values = arena_array(replica->arena, double, settings->quorum);
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

struct closing_room closing_room_make(uint32_t n, struct arena *arena)
{
	return (struct closing_room){
		.scores = arena_array(arena, double, n),
		.accepted = arena_array(arena, bool, n),
		.packed_values = arena_array(arena, double, n),
		.packed_scores = arena_array(arena, double, n),
		.packed_confidence = arena_array(arena, double, n),
		.scratch = arena_array(arena, double, SCORER_SCRATCH(n)),
	};
}

/* Step 3: the value of the first n packed predictions. */
static double aggregate(const struct plugin_value *rule, const struct closing_room *room, uint32_t n,
	uint32_t n_faulty)
{
	const struct aggregator *aggregator = (const void *)rule->plugin;
	const struct aggregator_common *common = rule->settings;
	const double *values = room->packed_values, *scores = room->packed_scores;
	if (aggregator->aggregate && common->before == MIXING_NONE) {
		return aggregator->aggregate(rule->settings, values, scores, n, n_faulty, room->scratch);
	}
	struct rows rows = {.n = n, .dims = 1, .values = values, .scores = scores};
	for (uint32_t i = 0; i < n; i++) {
		if (room->packed_confidence[i] > 0) {
			rows.confidence = room->packed_confidence; /* some claim one */
		}
	}
	struct arena scratch = {0};
	double value;
	aggregator_apply(rule, &rows, n_faulty, &value, &scratch);
	arena_finish(&scratch);
	return value;
}

/* What the scorer is given of the predictions in the application's own arrays. */
static struct scoring scoring_of(const struct application *application)
{
	return (struct scoring){
		.n = application->closing.n,
		.predictions = application->values,
		.nodes = application->nodes,
		.n_participants = application->settings.n_participants,
		.item = application->closing.item,
		.model = application->model,
		.state = application->n_state > 0 ? application->state_before : NULL,
	};
}

struct item_outcome closing_decide(const struct application *application,
	const struct scoring *given, const double *confidence, struct closing_room *room)
{
	const struct application_settings *settings = &application->settings;
	/* the plugins are the first members of these */
	const struct scorer *scorer = (const void *)settings->scorer.plugin;
	const struct aggregator *aggregator = (const void *)settings->aggregator.plugin;
	const struct scorer_common *scoring = settings->scorer.settings;
	const struct aggregator_common *aggregation = settings->aggregator.settings;
	const double *values = given->predictions;
	uint32_t n = given->n, n_accepted = 0;
	struct item_outcome outcome = {.closed = true, .n_predictions = n, .value = real_nan()};

	scorer->score(settings->scorer.settings, given, room->scores, room->scratch);
	for (uint32_t i = 0; i < n; i++) {
		bool trusted = scorer->accepts_all || room->scores[i] >= scoring->threshold;
		room->accepted[i] = trusted && isfinite(values[i]);
		if (room->accepted[i]) {
			room->packed_values[n_accepted] = values[i];
			room->packed_scores[n_accepted] = room->scores[i];
			room->packed_confidence[n_accepted] = confidence[i];
			n_accepted++;
		}
	}
	outcome.n_rejected = n - n_accepted;

	uint32_t n_faulty = aggregator->uses_faulty ? (uint32_t)aggregation->n_faulty : 0;
	n_faulty = n_faulty > outcome.n_rejected ? n_faulty - outcome.n_rejected : 0;
	if (n_accepted == 0 || n_accepted < aggregator_n_min(&settings->aggregator, n_faulty)) {
		return outcome;
	}
	double value = aggregate(&settings->aggregator, room, n_accepted, n_faulty);
	outcome.decided = true;
	outcome.value = value;
	for (uint32_t i = 0; i < n_accepted; i++) {
		double distance = fabs(room->packed_values[i] - value);
		outcome.n_disputed += distance > settings->tolerance * fabs(value);
	}
	return outcome;
}

/* Step 5. */
static void closing_learn(struct application *application)
{
	const struct plugin_value *rule = &application->settings.scorer;
	const struct scorer *scorer = (const void *)rule->plugin;
	const struct item_outcome *outcome = &application->closing.outcome;
	const struct scoring given = scoring_of(application);
	memcpy(application->state_after, application->state_before,
		application->n_state * sizeof(*application->state_after));
	scorer->learn(rule->settings, &given,
		&(struct scoring_outcome){
			outcome->decided, outcome->value, application->settings.tolerance},
		application->state_after, application->room.scratch);
}

static void item_close(struct application_replica *replica, struct item_slot *slot, uint64_t item)
{
	struct application *application = replica->application;
	struct closing_view *closing = &application->closing;
	struct open_item *open = slot->open;
	uint32_t n = open->n_predictions;
	/* Values are compared as bytes: zeros of different signs count as different. */
	bool same = closing->item == item && closing->n == n &&
				memcmp(application->nodes, open->nodes, n * sizeof(*open->nodes)) == 0 &&
				memcmp(application->values, open->values, n * sizeof(*open->values)) == 0 &&
				memcmp(application->confidence, open->confidence, n * sizeof(*open->confidence)) ==
					0;
	size_t state_bytes = application->n_state * sizeof(*replica->state);
	if (state_bytes > 0) {
		same = same && memcmp(application->state_before, replica->state, state_bytes) == 0;
	}
	if (!same) {
		closing->item = item;
		closing->n = n;
		memcpy(application->nodes, open->nodes, n * sizeof(*open->nodes));
		memcpy(application->values, open->values, n * sizeof(*open->values));
		memcpy(application->confidence, open->confidence, n * sizeof(*open->confidence));
		if (state_bytes > 0) {
			memcpy(application->state_before, replica->state, state_bytes);
		}
		const struct scoring given = scoring_of(application);
		closing->outcome =
			closing_decide(application, &given, application->confidence, &application->room);
		if (state_bytes > 0) {
			closing_learn(application);
		}
	}
	if (state_bytes > 0) {
		memcpy(replica->state, application->state_after, state_bytes);
	}
	slot->outcome = closing->outcome;
	slot->open = NULL;
	open->next_free = replica->free;
	replica->free = open;
}

enum application_status application_predict(struct application_replica *replica, uint64_t item,
	uint32_t node, double value, double confidence)
{
	if (node >= replica->application->settings.n_participants) {
		return APPLICATION_REFUSED;
	}
	if (!isfinite(value)) {
		return APPLICATION_NOT_FINITE;
	}
	struct item_slot *slot = slot_at(replica, item);
	if (slot->outcome.closed) {
		slot->outcome.n_late++;
		return APPLICATION_LATE;
	}
	if (!slot->open) {
		slot->open = open_item_take(replica);
	}
	struct open_item *open = slot->open;
	if (!set_add(open->predicted, node)) {
		return APPLICATION_DUPLICATE;
	}
	open->values[open->n_predictions] = value;
	bool claims = confidence > 0 && isfinite(confidence);
	open->confidence[open->n_predictions] = claims ? confidence : real_nan();
	open->nodes[open->n_predictions] = node;
	slot->outcome.n_predictions = ++open->n_predictions;
	if (open->n_predictions < replica->application->settings.quorum) {
		return APPLICATION_ACCEPTED;
	}
	item_close(replica, slot, item);
	return APPLICATION_CLOSED_NOW;
}

enum application_status application_settle(
	struct application_replica *replica, uint64_t item, uint32_t node, double value)
{
	struct application *application = replica->application;
	struct closing_view *closing = &application->closing;
	struct item_slot *slot = slot_at(replica, item);
	assert(node < application->settings.n_validators);
	if (!isfinite(value)) {
		return APPLICATION_NOT_FINITE;
	}
	if (slot->outcome.closed) {
		slot->outcome.n_late++;
		return APPLICATION_LATE;
	}
	if (slot->open) {
		slot->open->next_free = replica->free;
		replica->free = slot->open;
		slot->open = NULL;
	}
	closing->item = item;
	closing->n = 1;
	application->nodes[0] = node;
	application->values[0] = value;
	application->confidence[0] = real_nan();
	application->room.scores[0] = 1;
	application->room.accepted[0] = true;
	closing->outcome = slot->outcome = (struct item_outcome){
		.value = value, .n_predictions = 1, .closed = true, .decided = true};
	return APPLICATION_CLOSED_NOW;
}

enum application_status application_close(
	struct application_replica *replica, uint64_t item, uint32_t gateway)
{
	struct item_slot *slot = slot_at(replica, item);
	assert(gateway < replica->application->settings.n_validators);
	if (slot->outcome.closed) {
		return APPLICATION_LATE;
	}
	if (!slot->open) {
		slot->open = open_item_take(replica);
	}
	if (!set_add(slot->open->voted, gateway)) {
		return APPLICATION_DUPLICATE;
	}
	if (++slot->open->n_close_votes < replica->application->settings.close_votes) {
		return APPLICATION_ACCEPTED;
	}
	item_close(replica, slot, item);
	return APPLICATION_CLOSED_NOW;
}

struct item_outcome application_outcome(const struct application_replica *replica, uint64_t item)
{
	size_t chunk = (size_t)(item / CHUNK_ITEMS);
	if (chunk >= replica->n_chunks || !replica->chunks[chunk]) {
		return (struct item_outcome){.value = 0};
	}
	return replica->chunks[chunk][item % CHUNK_ITEMS].outcome;
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
