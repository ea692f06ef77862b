/* `reputation` and `combined`: scorers made of scorers.
 *
 * Reputation is what a participant's predictions have been worth so far, later ones more than
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

static const struct plugin *const inner[] = {
	&scorer_mad.plugin,
	&scorer_z.plugin,
	&scorer_iqr.plugin,
	&scorer_isolation.plugin,
	&scorer_classifier.plugin,
	NULL,
};

static const struct registry inner_registry = {
	.sort = "scorer",
	.plural = "scorers",
	.plugins = inner,
};

static const struct param reputation_params[] = {
	THRESHOLD_PARAM("of the sender's reputation before the item"),
	{.name = "of",
		.kind = PARAM_PLUGIN,
		.offset = offsetof(struct reputation_settings, of),
		.registry = &inner_registry,
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

static const struct plugin *const members[] = {
	&scorer_mad.plugin,
	&scorer_z.plugin,
	&scorer_iqr.plugin,
	&scorer_isolation.plugin,
	&scorer_classifier.plugin,
	&scorer_reputation.plugin,
	NULL,
};

static const struct registry member_registry = {
	.sort = "scorer",
	.plural = "scorers",
	.plugins = members,
};

struct combined_settings {
	struct scorer_common common;
	struct plugin_list of;
};

/* What member k is given: its own model, and its own part of the state. */
static struct scoring member_given(
	const struct combined_settings *own, const struct scoring *given, size_t k)
{
	struct scoring member = *given;
	const void *const *models = given->model;
	size_t offset = 0;
	for (size_t i = 0; i < k; i++) {
		offset += scorer_state_size(&own->of.values[i], given->n_participants);
	}
	member.model = models ? models[k] : NULL;
	member.state = given->state ? given->state + offset : NULL;
	return member;
}

/* A prediction that one of them gives 0 has 0; their own thresholds say nothing here. */
static void combined_score(
	const void *settings, const struct scoring *given, double *scores, double *scratch)
{
	const struct combined_settings *own = settings;
	uint32_t n = given->n;
	double *product = scratch;
	for (uint32_t i = 0; i < n; i++) {
		product[i] = 1;
	}
	for (size_t k = 0; k < own->of.n; k++) {
		const struct scoring member = member_given(own, given, k);
		scorer_of(&own->of.values[k])
			->score(own->of.values[k].settings, &member, scores, scratch + n);
		for (uint32_t i = 0; i < n; i++) {
			product[i] *= scores[i];
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		bool rooted = product[i] > 0 && product[i] < 1 && own->of.n > 1;
		scores[i] = rooted ? real_pow(product[i], 1.0 / (double)own->of.n) : product[i];
	}
}

static const void *combined_prepare(
	const void *settings, uint32_t n_participants, uint64_t seed, struct arena *arena)
{
	const struct combined_settings *own = settings;
	const void **models = arena_array(arena, const void *, own->of.n);
	for (size_t k = 0; k < own->of.n; k++) {
		const struct scorer *member = scorer_of(&own->of.values[k]);
		models[k] = member->prepare
						? member->prepare(own->of.values[k].settings, n_participants, seed, arena)
						: NULL;
	}
	return models;
}

static size_t combined_state_size(const void *settings, uint32_t n_participants)
{
	const struct combined_settings *own = settings;
	size_t size = 0;
	for (size_t k = 0; k < own->of.n; k++) {
		size += scorer_state_size(&own->of.values[k], n_participants);
	}
	return size;
}

static void combined_begin(const void *settings, uint32_t n_participants, double *state)
{
	const struct combined_settings *own = settings;
	for (size_t k = 0; k < own->of.n; k++) {
		if (scorer_of(&own->of.values[k])->begin) {
			scorer_of(&own->of.values[k])->begin(own->of.values[k].settings, n_participants, state);
		}
		state += scorer_state_size(&own->of.values[k], n_participants);
	}
}

static void combined_learn(const void *settings, const struct scoring *given,
	const struct scoring_outcome *outcome, double *state, double *scratch)
{
	const struct combined_settings *own = settings;
	for (size_t k = 0; k < own->of.n; k++) {
		const struct scoring member = member_given(own, given, k);
		if (scorer_of(&own->of.values[k])->learn) {
			scorer_of(&own->of.values[k])
				->learn(own->of.values[k].settings, &member, outcome, state, scratch);
		}
		state += scorer_state_size(&own->of.values[k], given->n_participants);
	}
}

/* The first member's that keeps one. */
static double combined_reputation(
	const void *settings, const double *state, uint32_t n_participants, uint32_t node)
{
	const struct combined_settings *own = settings;
	for (size_t k = 0; k < own->of.n; k++) {
		const struct plugin_value *member = &own->of.values[k];
		if (scorer_of(member)->reputation) {
			return scorer_of(member)->reputation(member->settings, state, n_participants, node);
		}
		state += scorer_state_size(member, n_participants);
	}
	return real_nan();
}

static bool combined_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct combined_settings *own = settings;
	(void)shape;
	if (own->of.n == 0) {
		*param = "of";
		snprintf(error, 256, "must name at least one scorer, such as [mad, iqr]");
		return false;
	}
	return true;
}

static const struct param combined_params[] = {
	THRESHOLD_PARAM("of the geometric mean"),
	{.name = "of",
		.kind = PARAM_PLUGINS,
		.offset = offsetof(struct combined_settings, of),
		.registry = &member_registry,
		.fallback = "[mad, isolation]",
		.idle = "threshold",
		.unit = "",
		.help = "the scorers: mad, z-score, iqr, isolation, classifier, reputation"},
	PARAM_END,
};

const struct scorer scorer_combined = {
	.plugin = {.name = "combined",
		.summary = "the geometric mean of several scorers' scores",
		.params = combined_params,
		.settings_size = sizeof(struct combined_settings),
		.finish = combined_finish},
	.score = combined_score,
	.prepare = combined_prepare,
	.state_size = combined_state_size,
	.begin = combined_begin,
	.learn = combined_learn,
	.reputation = combined_reputation,
};
