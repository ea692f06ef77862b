/* Items as their clients know them: they arrive, validators see them and say what they are, gateways submit that and
 * close what waits too long, and are content once it is closed. */
#include "agents.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ITEMS 256
#define PREDICTION_BYTES 24 /* item, node, value, claimed standard deviation */
#define NUMBER_BYTES 8

/* What an event is about: an item's deadline, or those that a validator has slept through. */
#define LATE_DEADLINES (UINT64_C(1) << 63)

static struct item_state *add_item(struct outside *outside, struct items_outside *items, uint32_t item)
{
	assert(item == items->n_items);
	if (item % CHUNK_ITEMS == 0) {
		struct arena *arena = outside_arena(outside);
		items->chunks = arena_grow(arena, items->chunks, sizeof(*items->chunks), items->n_chunks,
			items->n_chunks + 1, &items->chunks_capacity);
		items->chunks[items->n_chunks++] = arena_array(arena, struct item_state, CHUNK_ITEMS);
	}
	items->n_items++;
	struct item_state *state = item_state(items, item);
	state->arrived = outside_now(outside);
	return state;
}

static struct details *take_details(struct outside *outside, struct items_outside *items)
{
	struct details *details = items->details_free;
	size_t n = items->n_identities, n_numbers = n * items->dims;
	if (details != NULL) {
		items->details_free = details->next_free;
	} else {
		struct arena *arena = outside_arena(outside);
		details = arena_new(arena, struct details);
		details->honest = arena_array(arena, double, n_numbers);
		details->sent = arena_array(arena, double, n_numbers);
		details->claimed = arena_array(arena, double, n);
		details->attacked = arena_array(arena, bool, n);
	}
	for (size_t i = 0; i < n_numbers; i++) {
		details->honest[i] = details->sent[i] = real_nan();
	}
	for (size_t i = 0; i < n; i++) {
		details->claimed[i] = real_nan();
		details->attacked[i] = false;
	}
	return details;
}

/* Has the gateway's validator executed the item's closing, or, where it does not belong, those it asks? */
static bool knows_closed(const struct outside *outside, uint32_t gateway, uint64_t item)
{
	return application_outcome(outside_replica(outside, outside_informant(outside, gateway)), item).closed;
}

static void ask_to_close(struct outside *outside, uint32_t gateway, uint32_t item)
{
	const struct command command = {
		.sender = gateway,
		.identity = gateway,
		.bytes = PREDICTION_BYTES,
		.subject = item,
		.kind = ITEMS_CLOSE,
	};
	outside_submit(outside, item, &command);
}

/* The deadline: each gateway whose validator has not executed the closing asks for it. */
static void deadline(struct outside *outside, const struct items_outside *items, uint32_t item)
{
	for (uint32_t i = 0; i < items->n_validators; i++) {
		if (outside_alive(outside, i) && !knows_closed(outside, i, item)) {
			ask_to_close(outside, i, item);
		}
	}
}

/* A gateway that was down at an item's deadline makes up for it, once its validator has had the time to
 * learn what it missed: as long as a deadline, since it came up. At the deadlines that came then it was there
 * as any other, the one at that very moment included: restarts come first. */
static void late_deadlines(struct outside *outside, const struct items_outside *items, uint32_t node)
{
	sim_time deadline_ns = items->common->deadline_ns, up = outside_now(outside) - deadline_ns;
	for (uint32_t item = 0; item < items->n_items && outside_alive(outside, node); item++) {
		if (!outside_is_settled(outside, item) &&
			sim_time_add(item_state(items, item)->arrived, deadline_ns) < up &&
			!knows_closed(outside, node, item)) {
			ask_to_close(outside, node, item);
		}
	}
}

/* Their columns are in result_tables. */
const struct table items_tables[] = {
	[ITEMS_PREDICTIONS] = {.name = "predictions"},
	[ITEMS_OBSERVATIONS] = {.name = "observations"},
	[ITEMS_MODELS] = {.name = "models"},
	[ITEMS_IMPORTANCE] = {.name = "importance"},
	[ITEMS_TRAINING] = {.name = "training"},
	[ITEMS_ROC] = {.name = "roc"},
	{.name = NULL},
};

void items_happens(struct outside *outside, void *state, uint64_t what)
{
	if ((what & LATE_DEADLINES) != 0) {
		late_deadlines(outside, state, (uint32_t)what);
	} else {
		deadline(outside, state, (uint32_t)what);
	}
}

/* A prediction that takes its time at its validator's processor. */
static void say_after(struct outside *outside, struct items_outside *items, uint32_t item,
	const struct command *command)
{
	uint32_t at = items->said_free;
	if (at != NODE_NONE) {
		items->said_free = items->said[at].next_free;
	} else {
		at = items->n_said++;
		items->said = arena_grow(outside_arena(outside), items->said, sizeof(*items->said), at, at + 1,
			&items->said_capacity);
	}
	items->said[at] = (struct said){.command = *command, .item = item};
	const struct predictor_common *predictor = outside_predictor(outside)->settings;
	outside_work(outside, command->sender, predictor->cost_ns, at);
}

void items_worked(struct outside *outside, void *state, uint32_t node, uint64_t what)
{
	struct items_outside *items = state;
	struct said said = items->said[what];
	(void)node;
	items->said[what].next_free = items->said_free;
	items->said_free = (uint32_t)what;
	outside_submit(outside, said.item, &said.command);
}

/* What is said under an identity as a command. */
static struct command command_of(struct outside *outside, const struct items_outside *items, uint32_t item,
	uint32_t sender, uint32_t identity)
{
	const struct details *details = item_state(items, item)->details;
	const double *row = details->sent + (size_t)identity * items->dims;
	struct command command = {
		.sender = sender,
		.identity = identity,
		.bytes = PREDICTION_BYTES + (items->dims - 1) * NUMBER_BYTES,
		.subject = item,
		.argument = {.real = {row[0], details->claimed[sender]}},
		.kind = items->common->validation != VALIDATION_OFF ? ITEMS_PROPOSAL : ITEMS_PREDICTION,
	};
	if (items->dims > 1) {
		double *body = arena_array(outside_arena(outside), double, items->dims);
		memcpy(body, row, items->dims * sizeof(*row));
		command.body = body;
		command.n_body = items->dims;
	}
	return command;
}

/* Each live gateway submits what its validator says, and then what it says under other names, which takes no
 * model. Where values are validated it is its own validator's to propose, and names other than the
 * validators' are no use. */
static void submit_all(struct outside *outside, struct items_outside *items, uint32_t item)
{
	uint32_t n = items->n_validators, id = n;
	const struct predictor_common *predictor =
		items->models == NULL ? NULL : outside_predictor(outside)->settings;
	for (uint32_t i = 0; i < n; i++) {
		if (outside_alive(outside, i)) {
			const struct command command = command_of(outside, items, item, i, i);
			if (predictor != NULL && predictor->cost_ns > 0) {
				say_after(outside, items, item, &command);
			} else {
				outside_submit(outside, item, &command);
			}
		}
		for (; id < items->n_identities && items->adversary->owners[id - n] == i; id++) {
			if (item_state(items, item)->details->attacked[id] &&
				items->common->validation == VALIDATION_OFF) {
				const struct command command = command_of(outside, items, item, i, id);
				outside_submit(outside, item, &command);
			}
		}
	}
}

static void record_seen(struct outside *outside, const struct items_outside *items, uint32_t index,
	uint32_t node, const struct item *item, const double *seen)
{
	union cell cells[4 + FEATURES_MAX] = {
		{.integer = index},
		{.integer = node},
		{.real = item->truth},
		{.real = item->target},
	};
	for (uint32_t j = 0; j < items->app->n_features; j++) {
		cells[4 + j].real = seen[j];
	}
	outside_row(outside, ITEMS_OBSERVATIONS, cells);
}

/* What each live validator sees of an item, and would say. */
static void observe(struct outside *outside, struct items_outside *items, uint32_t index,
	const struct item *real, struct details *details)
{
	for (uint32_t i = 0; i < items->n_validators; i++) {
		if (!outside_alive(outside, i)) {
			continue;
		}
		double *seen = items->seen + (size_t)i * FEATURES_MAX;
		struct random_stream noise =
			random_stream_make(outside_seed(outside), RANDOM_OBSERVATION, ((uint64_t)i << 40) + index);
		if (items->app->say != NULL) {
			details->claimed[i] = items->app->say(outside_settings(outside), &noise, i, real,
				details->honest + (size_t)i * items->dims);
			continue;
		}
		const struct prediction_model *model = &items->models->by_validator[i];
		prediction_see(model, real, outside_now(outside), &noise, seen);
		details->honest[i] = prediction_value(model, seen);
		details->claimed[i] = prediction_spread(model, seen);
		if (outside_records(outside, ITEMS_OBSERVATIONS)) {
			record_seen(outside, items, index, i, real, seen);
		}
	}
}

struct deciding {
	const struct outside *outside;
	struct items_outside *items;
	uint32_t item;
};

/* The replicated application's decision on these predictions, were they all it heard. */
static bool decide(const void *context, uint32_t by, const uint32_t *speakers, const double *claimed,
	const double *rows, uint32_t n, double *out, bool *accepted)
{
	const struct deciding *deciding = context;
	struct closing_room *room = &deciding->items->room;
	struct scoring given = application_scoring(outside_replica(deciding->outside, by), deciding->item);
	given.n = n;
	given.predictions = rows;
	given.nodes = speakers;
	struct item_outcome outcome =
		closing_decide(outside_shared(deciding->outside), &given, claimed, room);
	memcpy(accepted, room->accepted, n * sizeof(*accepted));
	if (deciding->items->dims == 1) {
		*out = outcome.value;
	} else if (outcome.decided) {
		memcpy(out, room->decision, deciding->items->dims * sizeof(*out));
	}
	return outcome.decided;
}

/* From what the live validators would honestly say to what is sent. */
static void speak(struct outside *outside, struct items_outside *items, uint32_t index, struct details *details)
{
	const struct deciding deciding = {.outside = outside, .items = items, .item = index};
	size_t bytes = items->dims * sizeof(*details->sent);
	for (uint32_t i = 0; i < items->n_validators; i++) {
		items->alive[i] = outside_alive(outside, i);
	}
	if (items->adversary == NULL) {
		memcpy(details->sent, details->honest, items->n_validators * bytes);
		return;
	}
	const struct speech speech = {
		.item = index,
		.now = outside_now(outside),
		.dims = items->dims,
		.alive = items->alive,
		.models = items->models == NULL ? NULL : items->models->by_validator,
		.seen = items->seen,
		.honest = details->honest,
		.sent = details->sent,
		.claimed = details->claimed,
		.attacked = details->attacked,
		.decide = decide,
		.context = &deciding,
	};
	items->adversary->speak(items->adversary, &speech);
	for (uint32_t i = 0; i < items->n_validators; i++) {
		const double *sent = details->sent + (size_t)i * items->dims;
		const double *honest = details->honest + (size_t)i * items->dims;
		bool differs = false;
		for (uint32_t j = 0; j < items->dims; j++) {
			differs = differs || sent[j] != honest[j];
		}
		/* What an attacker leaves as it was (a target that is not worth it) is an honest prediction,
		 * unless its model has learned to lie. */
		details->attacked[i] = items->alive[i] &&
			(differs || (items->models != NULL && items->models->by_validator[i].poisoned));
	}
}

void items_arrives(struct outside *outside, void *state, uint32_t index)
{
	struct items_outside *items = state;
	char error[256];
	struct item_state *item = add_item(outside, items, index);
	if (items->models != NULL && !models_refresh(items->models, outside_now(outside), error)) {
		outside_fail(outside, "a model can't be trained", error);
		return;
	}
	struct random_stream stream = random_stream_make(outside_seed(outside), RANDOM_ITEM, index);
	struct item real = {0};
	items->app->draw(outside_settings(outside), &stream, index, &real);
	if (items->adversary != NULL) {
		items->adversary->stamp(items->adversary, outside_now(outside), index, &real);
	}
	outside_truth(outside, index, real.truth);
	item->details = take_details(outside, items);
	item->details->version = items->models == NULL ? 0 : items->models->version;
	observe(outside, items, index, &real, item->details);
	speak(outside, items, index, item->details);
	scores_said(outside, items, item->details);
	submit_all(outside, items, index);
	if (items->common->deadline_ns != SIM_NEVER) {
		outside_at(outside, sim_time_add(outside_now(outside), items->common->deadline_ns), index);
	}
}

static size_t kept_bytes(size_t n, size_t dims)
{
	return sizeof(struct kept_closing) +
		n * (sizeof(double) * (dims + 1) + sizeof(uint32_t) + sizeof(bool)) + dims * sizeof(double);
}

static void keep_closing(struct items_outside *items, uint32_t node, const struct closing_view *closing,
	struct log_place place)
{
	size_t n = closing->n, dims = closing->dims;
	struct item_state *item = item_state(items, (uint32_t)closing->item);
	struct kept_closing *kept = malloc(kept_bytes(n, dims));
	if (kept == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	double *values = (double *)(void *)(kept + 1);
	double *scores = values + n * dims;
	double *decision = scores + n;
	uint32_t *nodes = (uint32_t *)(void *)(decision + dims);
	bool *accepted = (bool *)(void *)(nodes + n);
	memcpy(values, closing->values, n * dims * sizeof(*values));
	memcpy(scores, closing->scores, n * sizeof(*scores));
	memcpy(decision, closing->decision, dims * sizeof(*decision));
	memcpy(nodes, closing->nodes, n * sizeof(*nodes));
	memcpy(accepted, closing->accepted, n * sizeof(*accepted));
	*kept = (struct kept_closing){.next = item->kept, .place = place, .closing = *closing, .node = node};
	kept->closing.nodes = nodes;
	kept->closing.values = values;
	kept->closing.scores = scores;
	kept->closing.decision = decision;
	kept->closing.accepted = accepted;
	item->kept = kept;
	items->kept_bytes += kept_bytes(n, dims);
}

static void forget_closings(struct items_outside *items, struct item_state *item)
{
	while (item->kept != NULL) {
		struct kept_closing *kept = item->kept;
		item->kept = kept->next;
		items->kept_bytes -= kept_bytes(kept->closing.n, kept->closing.dims);
		free(kept);
	}
}

/* The item's client takes what its validator's application decided. */
static void accept_closing(struct outside *outside, struct items_outside *items,
	const struct closing_view *closing, struct log_place place)
{
	uint32_t index = (uint32_t)closing->item;
	struct item_state *item = item_state(items, index);
	const struct item_outcome outcome = closing->outcome;
	scores_closing(outside, items, closing);
	item->n_predictions = outcome.n_predictions;
	item->n_rejected = outcome.n_rejected;
	item->n_disputed = outcome.n_disputed;
	item->decided = outcome.decided;
	if (items->adversary != NULL && outcome.decided) {
		items->adversary->decided(
			items->adversary, items->dims == 1 ? &outcome.value : closing->decision, items->dims);
	}
	forget_closings(items, item);
	items->n_settled++;
	outside_settled(outside, index, outcome.decided ? outcome.value : real_nan(), place);
	if (items->common->validation != VALIDATION_OFF) {
		return; /* slower validators have yet to judge it */
	}
	item->details->next_free = items->details_free;
	items->details_free = item->details;
	item->details = NULL;
}

static void closed(struct outside *outside, struct items_outside *items, uint32_t node,
	const struct closing_view *closing, struct log_place place)
{
	uint32_t index = (uint32_t)closing->item;
	outside_came_to(outside, node, index, closing->outcome.decided ? closing->outcome.value : real_nan());
	if (outside_is_settled(outside, index)) {
		return;
	}
	if (node == outside_client(outside, index)) {
		accept_closing(outside, items, closing, place);
	} else if (outside_clients_move(outside)) {
		keep_closing(items, node, closing, place);
	}
}

/* Is it the first time that a command is executed which is rejected for what it is? */
static bool is_first(struct outside *outside, struct items_outside *items, transaction_id command)
{
	size_t word = command >> 6, n = items->counted_capacity;
	if (word >= n) {
		items->counted = arena_grow(outside_arena(outside), items->counted, sizeof(*items->counted), n,
			word + 1, &items->counted_capacity);
		memset(items->counted + n, 0, (items->counted_capacity - n) * sizeof(*items->counted));
	}
	uint64_t bit = UINT64_C(1) << (command & 63);
	bool first = (items->counted[word] & bit) == 0;
	items->counted[word] |= bit;
	return first;
}

static __attribute__((noinline)) void heed(struct outside *outside, struct items_outside *items,
	uint32_t node, const struct command *command, struct log_place place, const struct effect *effect)
{
	if ((effect->reject == ITEMS_REFUSED || effect->reject == ITEMS_NOT_FINITE) &&
		is_first(outside, items, command->number)) {
		scores_refused(outside, items, command, (enum items_reject)effect->reject);
	}
	if (effect->detail != NULL) {
		closed(outside, items, node, effect->detail, place);
	}
}

void items_executed(struct outside *outside, void *state, uint32_t node, const struct command *command,
	struct log_place place, const struct effect *effect)
{
	if (effect->detail != NULL || effect->reject >= ITEMS_REFUSED) { /* rarely */
		heed(outside, state, node, command, place, effect);
	}
}

/* What waits at gateways that are gone moves to the next live honest one. */
static void reassign(struct outside *outside, struct items_outside *items)
{
	for (uint32_t index = 0;
		 items->n_settled < items->n_items && index < items->n_items && !outside_is_over(outside); index++) {
		if (outside_is_settled(outside, index)) {
			continue;
		}
		/* A gateway whose validator turns out to be a liar is no honest client. */
		uint32_t client = outside_client(outside, index);
		if (!outside_serves(outside, client) || outside_lies(outside, client)) {
			client = outside_gateway(outside, client);
			outside_move(outside, index, client);
		}
		const struct kept_closing *kept = item_state(items, index)->kept;
		while (kept != NULL && kept->node != client) {
			kept = kept->next;
		}
		if (kept != NULL && outside_serves(outside, client)) {
			accept_closing(outside, items, &kept->closing, kept->place);
		}
	}
}

void items_changed(struct outside *outside, void *state, uint32_t node)
{
	const struct items_outside *items = state;
	if (node != NODE_NONE && outside_alive(outside, node) && items->common->deadline_ns != SIM_NEVER) {
		outside_at(outside, sim_time_add(outside_now(outside), items->common->deadline_ns),
			LATE_DEADLINES | node);
	}
	reassign(outside, state);
}

/* Is the value within the tolerance of what the validator says itself? A liar vouches for what it says; one
 * who was down has nothing to go by: NaN. */
bool items_valid(struct outside *outside, void *state, uint32_t node, const struct command *command)
{
	const struct items_outside *items = state;
	const struct details *details = item_state(items, (uint32_t)command->subject)->details;
	const double *own = details->sent + (size_t)node * items->dims;
	const double *value = items->dims == 1 ? command->argument.real : command->body;
	double tolerance = items->common->tolerance, distance = 0, length = 0;
	(void)outside;
	if (items->dims == 1) {
		return fabs(value[0] - own[0]) <= tolerance * fabs(own[0]);
	}
	for (uint32_t j = 0; j < items->dims; j++) {
		distance += (value[j] - own[j]) * (value[j] - own[j]);
		length += own[j] * own[j];
	}
	return sqrt(distance) <= tolerance * sqrt(length);
}

/* A proposal is nothing to wait for or to propose any longer once the item is closed, or its deadline has
 * passed and the gateway asks for its closing instead; another validator's never was. */
bool items_moot(struct outside *outside, void *state, uint32_t node, const struct command *command)
{
	const struct items_outside *items = state;
	uint32_t item = (uint32_t)command->subject;
	return command->sender != node ||
		outside_now(outside) >=
			sim_time_add(item_state(items, item)->arrived, items->common->deadline_ns) ||
		application_outcome(outside_replica(outside, node), item).closed;
}

bool items_open(struct outside *outside, void *state, char error[256])
{
	struct items_outside *items = state;
	struct arena *arena = outside_arena(outside);
	uint32_t n = outside_n_validators(outside);
	items->app = items_of(outside_app(outside));
	items->common = outside_settings(outside);
	items->adversary = outside_adversary(outside);
	items->n_validators = n;
	items->n_identities = n + (items->adversary == NULL ? 0 : items->adversary->n_more);
	items->dims = items_dims(items->app, items->common);
	items->said_free = NODE_NONE;
	items->seen = arena_array(arena, double, (size_t)n * FEATURES_MAX);
	items->alive = arena_array(arena, bool, n);
	items->room = closing_room_make(n, items->dims, arena);
	scores_start(outside, items);
	return items->app->say != NULL || training_start(outside, items, error);
}

uint64_t items_bytes(const void *state)
{
	const struct items_outside *items = state;
	return items->kept_bytes + scores_bytes(items);
}

void items_report(struct outside *outside, void *state)
{
	scores_report(outside, state);
}

void items_end(struct outside *outside, void *state)
{
	struct items_outside *items = state;
	(void)outside;
	for (uint32_t i = 0; i < items->n_items; i++) {
		forget_closings(items, item_state(items, i));
	}
	scores_finish(items);
}
