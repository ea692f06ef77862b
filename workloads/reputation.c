/* `reputation`: what a participant's predictions have been worth so far, later ones more than
 * earlier ones. It is replicated state: it moves at an item's closing, and so by log position
 * alone. Its score of a prediction is its sender's reputation before that item, whatever it says
 * now: a liar with a good past is believed at first, and one with a bad past is refused even when
 * right. */
#include "scorers.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EVIDENCE_SCORE, EVIDENCE_DECISION };

struct reputation_settings {
	struct scorer_common common;
	struct plugin_value of;
	int evidence;
	double half_life, initial;
	bool present;
};

/* The state: a reputation a participant, then the inner scorer's state. */
static size_t reputation_state_size(const void *settings, uint32_t n_participants)
{
	const struct reputation_settings *own = settings;
	return n_participants + scorer_state_size(&own->of, n_participants);
}

static void reputation_begin(const void *settings, uint32_t n_participants, double *state)
{
	const struct reputation_settings *own = settings;
	for (uint32_t i = 0; i < n_participants; i++) {
		state[i] = own->initial;
	}
	if (scorer_of(&own->of)->begin) {
		scorer_of(&own->of)->begin(own->of.settings, n_participants, state + n_participants);
	}
}

static const void *reputation_prepare(
	const void *settings, uint32_t n_participants, uint64_t seed, struct arena *arena)
{
	const struct reputation_settings *own = settings;
	const struct scorer *inner = scorer_of(&own->of);
	return inner->prepare ? inner->prepare(own->of.settings, n_participants, seed, arena) : NULL;
}

/* The inner scorer's scores of the predictions as they are now. */
static void score_present(const struct reputation_settings *own, const struct scoring *given,
	double *scores, double *scratch)
{
	struct scoring inner = *given;
	inner.state = given->state ? given->state + given->n_participants : NULL;
	scorer_of(&own->of)->score(own->of.settings, &inner, scores, scratch);
}

static void reputation_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	const struct reputation_settings *own = settings;
	if (own->present) {
		score_present(own, given, scores, scratch);
	} else {
		scores_of_finite(given, scores);
	}
	for (uint32_t i = 0; i < given->n; i++) {
		scores[i] *= given->state ? given->state[scoring_node(given, i)] : own->initial;
	}
}

/* r <- (1 - a) r + a s, a = 1 - 2^(-1/half_life): after half_life items of nothing but 0, half. */
static void reputation_learn(const void *settings, const struct scoring *given,
	const struct scoring_outcome *outcome, double *state, double *scratch)
{
	const struct reputation_settings *own = settings;
	const struct scorer *inner = scorer_of(&own->of);
	double rate = 1 - real_pow(2, -1 / own->half_life);
	double *evidence = scratch;
	if (own->evidence == EVIDENCE_SCORE) {
		score_present(own, given, evidence, scratch + given->n);
	}
	for (uint32_t i = 0; i < given->n; i++) {
		double *reputation = &state[scoring_node(given, i)];
		if (own->evidence == EVIDENCE_DECISION) {
			double off = fabs(given->predictions[i] - outcome->value);
			/* written so that NaN disagrees */
			evidence[i] = off <= outcome->tolerance * fabs(outcome->value) ? 1 : 0;
		}
		if (own->evidence == EVIDENCE_SCORE || outcome->decided) {
			*reputation += rate * (evidence[i] - *reputation);
		}
	}
	if (inner->learn) {
		struct scoring below = *given;
		below.state = given->state + given->n_participants;
		inner->learn(own->of.settings, &below, outcome, state + given->n_participants, scratch);
	}
}

static double reputation_reputation(
	const void *settings, const double *state, uint32_t n_participants, uint32_t node)
{
	(void)settings;
	assert(node < n_participants);
	return state[node];
}

static bool reputation_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct reputation_settings *own = settings;
	(void)shape;
	if (!own->of.plugin) {
		*param = "of";
		snprintf(error, 256, "must name a scorer, such as mad");
		return false;
	}
	if (own->initial < own->common.threshold) {
		*param = "initial";
		snprintf(error, 256,
			"must be at least the threshold, %g, or nobody is ever believed; got %g",
			own->common.threshold, own->initial);
		return false;
	}
	return true;
}

static const struct param reputation_params[] = {
	THRESHOLD_PARAM("of the sender's reputation before the item"),
	{.name = "of",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct reputation_settings, of),
		.registry = &scorer_plain_registry,
		.fallback = "mad",
		.idle = "threshold",
		.unit = "",
		.help = "the scorer that says what a prediction was worth"},
	{.name = "evidence",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct reputation_settings, evidence),
		.choices = "score|decision",
		.fallback = "score",
		.unit = "",
		.help = "what moves a reputation: the score by `of`, or agreement with the decision within "
				"the workload's tolerance (1 or 0; nothing where the item is undecided)"},
	{.name = "half_life",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct reputation_settings, half_life),
		.min = 0,
		.max = 1e9,
		.fallback = "10",
		.unit = "items",
		.help = "after so many own predictions the past counts half"},
	{.name = "initial",
		.kind = PARAM_REAL,
		.offset = offsetof(struct reputation_settings, initial),
		.min = 0,
		.max = 1,
		.fallback = "0.5",
		.unit = "",
		.help = "reputation of who has said nothing yet"},
	{.name = "present",
		.kind = PARAM_BOOL,
		.offset = offsetof(struct reputation_settings, present),
		.fallback = "off",
		.unit = "",
		.help = "on: the score is the reputation times the present score by `of`"},
	PARAM_END,
};

const struct scorer scorer_reputation = {
	.plugin = {.name = "reputation",
		.summary = "what the sender's predictions have been worth so far, exponentially weighted",
		.params = reputation_params,
		.settings_size = sizeof(struct reputation_settings),
		.finish = reputation_finish},
	.score = reputation_score,
	.prepare = reputation_prepare,
	.state_size = reputation_state_size,
	.begin = reputation_begin,
	.learn = reputation_learn,
	.reputation = reputation_reputation,
};
