/* `combined`: several scorers at once. */
#include "scorers.h"

#include "sim/real.h"

#include <stdio.h>

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
		.registry = &scorer_member_registry,
		.fallback = "[mad, isolation]",
		.idle = "threshold",
		.unit = "",
		.help = "the scorers: any but none and combined itself"},
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
