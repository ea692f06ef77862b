/* How an item closes: scored, aggregated, disputed, learned from. See workloads/application.h. */
#include "held.h"
#include "workloads/rules.h"

#include "sim/real.h"

#include <math.h>
#include <string.h>

struct closing_room closing_room_make(uint32_t n, uint32_t dims, struct arena *arena)
{
	return (struct closing_room){
		.scores = arena_array(arena, double, n),
		.accepted = arena_array(arena, bool, n),
		.decision = arena_array(arena, double, dims),
		.packed_values = arena_array(arena, double, (size_t)n * dims),
		.packed_scores = arena_array(arena, double, n),
		.packed_confidence = arena_array(arena, double, n),
		.scratch = arena_array(arena, double, SCORER_SCRATCH(n)),
	};
}

/* Step 3: the decision on the first n packed predictions. */
static void aggregate(const struct plugin_value *rule, const struct closing_room *room, uint32_t n,
	uint32_t dims, uint32_t n_faulty)
{
	const struct aggregator *aggregator = (const void *)rule->plugin;
	const struct aggregator_common *common = rule->settings;
	const double *values = room->packed_values, *scores = room->packed_scores;
	if (dims == 1 && aggregator->aggregate && common->before == MIXING_NONE) {
		room->decision[0] =
			aggregator->aggregate(rule->settings, values, scores, n, n_faulty, room->scratch);
		return;
	}
	struct rows rows = {.n = n, .dims = dims, .values = values, .scores = scores};
	for (uint32_t i = 0; i < n; i++) {
		if (room->packed_confidence[i] > 0) {
			rows.confidence = room->packed_confidence; /* some claim one */
		}
	}
	struct arena scratch = {0};
	aggregator_apply(rule, &rows, n_faulty, room->decision, &scratch);
	arena_finish(&scratch);
}

/* Step 4: how many of the first n packed predictions dispute the decision. */
static uint32_t count_disputes(const struct closing_room *room, uint32_t n, uint32_t dims, double tolerance)
{
	uint32_t n_disputed = 0;
	if (dims == 1) {
		double value = room->decision[0];
		for (uint32_t i = 0; i < n; i++) {
			n_disputed += fabs(room->packed_values[i] - value) > tolerance * fabs(value);
		}
		return n_disputed;
	}
	for (uint32_t i = 0; i < n; i++) {
		double distance = 0, length = 0;
		for (uint32_t j = 0; j < dims; j++) {
			double by = room->packed_values[(size_t)i * dims + j] - room->decision[j];
			distance += by * by;
			length += room->decision[j] * room->decision[j];
		}
		n_disputed += sqrt(distance) > tolerance * sqrt(length);
	}
	return n_disputed;
}

struct scoring closing_scoring(const struct application *application)
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
	uint32_t n = given->n, dims = settings->dims, n_accepted = 0;
	struct item_outcome outcome = {.closed = true, .n_predictions = n, .value = real_nan()};

	scorer->score(settings->scorer.settings, given, room->scores, room->scratch);
	for (uint32_t i = 0; i < n; i++) {
		bool trusted = scorer->accepts_all || room->scores[i] >= scoring->threshold;
		const double *row = values + (size_t)i * dims;
		room->accepted[i] = trusted && all_finite(row, dims);
		if (room->accepted[i]) {
			for (uint32_t j = 0; j < dims; j++) {
				room->packed_values[(size_t)n_accepted * dims + j] = row[j];
			}
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
	aggregate(&settings->aggregator, room, n_accepted, dims, n_faulty);
	outcome.decided = true;
	outcome.value = dims > 1 && settings->summary != NULL ? settings->summary(room->decision, dims)
														  : room->decision[0];
	outcome.n_disputed = count_disputes(room, n_accepted, dims, settings->tolerance);
	return outcome;
}

void closing_learn(struct application *application)
{
	const struct plugin_value *rule = &application->settings.scorer;
	const struct scorer *scorer = (const void *)rule->plugin;
	const struct item_outcome *outcome = &application->closing.outcome;
	const struct scoring given = closing_scoring(application);
	memcpy(application->state_after, application->state_before,
		application->n_state * sizeof(*application->state_after));
	scorer->learn(rule->settings, &given,
		&(struct scoring_outcome){
			outcome->decided, outcome->value, application->settings.tolerance},
		application->state_after, application->room.scratch);
	application->state_digest = items_state_digest(application->state_after, application->n_state);
}
