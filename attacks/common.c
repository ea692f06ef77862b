/* Who attacks, and when. */
#include "common.h"
#include "craft.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define FRACTION_UNSET (-1.0)
#define COUNT_UNSET (-1)

static bool refuse(const char **param, const char *name)
{
	*param = name;
	return false;
}

static bool nodes_check(
	const struct node_list *nodes, bool may_lead, const struct shape *shape, const char **param,
	char error[256])
{
	if (nodes->leader && !may_lead) {
		snprintf(
			error, 256, "must be validator numbers: who leads makes no difference to predictions");
		return refuse(param, "nodes");
	}
	for (size_t i = 0; i < nodes->n; i++) {
		if (nodes->nodes[i] >= shape->n_validators) {
			snprintf(error, 256, "names validator %" PRIu32 ", but there are only 0 to %" PRIu32,
				nodes->nodes[i], shape->n_validators - 1);
			return refuse(param, "nodes");
		}
	}
	return true;
}

static bool finish(
	void *settings, bool may_lead, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_common *common = settings;
	bool has_fraction = common->fraction != FRACTION_UNSET, has_count = common->count != COUNT_UNSET;
	const char *said = has_fraction ? "fraction" : has_count ? "count" : "nodes";
	if (has_fraction && !(common->fraction >= 0 && common->fraction <= 1)) {
		snprintf(
			error, 256, "must be a share of the validators in [0, 1], got %g", common->fraction);
		return refuse(param, "fraction");
	}
	if (has_count && (common->count < 0 || common->count > shape->n_validators)) {
		snprintf(error, 256, "must be a number of the validators, 0 to %" PRIu32 ", got %" PRId64,
			shape->n_validators, common->count);
		return refuse(param, "count");
	}
	if (has_fraction + has_count + common->nodes.given > 1) {
		snprintf(error, 256, "can't be given beside `%s`: one of `fraction`, `count` and `nodes` says who attacks",
			has_count && has_fraction ? "count" : "nodes");
		return refuse(param, said);
	}
	if (!has_fraction && !has_count && !common->nodes.given) {
		snprintf(error, 256, "must be given, or else `count` or `nodes`: one of them says who attacks");
		return refuse(param, "fraction");
	}
	if (common->nodes.given && !nodes_check(&common->nodes, may_lead, shape, param, error)) {
		return false;
	}
	if (common->until_ns <= common->from_ns) {
		snprintf(error, 256, "must be after `from`");
		return refuse(param, "until");
	}
	return true;
}

bool attack_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	return finish(settings, false, shape, param, error);
}

bool attack_nodes_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	return finish(settings, true, shape, param, error);
}

bool attack_groups_finish(const struct node_groups *groups, const char **param, char error[256])
{
	if (groups->n == 1) {
		snprintf(error, 256, "must be two groups at least, such as [[1], [2, 3]]: one for each version");
		return refuse(param, "groups");
	}
	for (size_t i = 0; i < groups->n; i++) {
		if (groups->groups[i].n == 0 || groups->groups[i].leader) {
			snprintf(error, 256, "must have a validator in each group, such as [[1], [2, 3]]");
			return refuse(param, "groups");
		}
	}
	return true;
}

/* .145 of 100 is 14.5 as written and a hair less in binary: the share forgiven. */
#define ROUNDING_SLACK 1e-9

uint32_t attack_count(double fraction, uint32_t n_validators)
{
	assert(fraction >= 0 && fraction <= 1);
	double count = floor(fraction * n_validators + 0.5 + ROUNDING_SLACK);
	return count < n_validators ? (uint32_t)count : n_validators;
}

uint32_t attack_number(const struct attack_common *common, uint32_t n_validators)
{
	if (common->nodes.given) {
		return (uint32_t)common->nodes.n;
	}
	assert(common->fraction >= 0 || (common->count >= 0 && common->count <= n_validators));
	return common->fraction >= 0 ? attack_count(common->fraction, n_validators)
								 : (uint32_t)common->count;
}

/* Marks the first of the attack's nodes: a `share` in [0, 1] of the number at full strength. */
static void mark(const struct attack_common *common, double share, uint64_t seed,
	uint32_t n_validators, bool *attackers)
{
	for (uint32_t i = 0; i < n_validators; i++) {
		attackers[i] = false;
	}
	if (common->nodes.given) {
		assert(common->nodes.n <= n_validators);
		uint32_t n = attack_count(share, (uint32_t)common->nodes.n);
		for (uint32_t i = 0; i < n; i++) {
			assert(common->nodes.nodes[i] < n_validators);
			attackers[common->nodes.nodes[i]] = true;
		}
		return;
	}
	struct arena scratch = {0};
	uint32_t *order = arena_array(&scratch, uint32_t, n_validators);
	struct random_stream stream = random_stream_make(seed, RANDOM_ADVERSARY, 0);
	random_permutation(&stream, order, n_validators);
	uint32_t n = attack_count(share, attack_number(common, n_validators));
	for (uint32_t i = 0; i < n; i++) {
		attackers[order[i]] = true;
	}
	arena_finish(&scratch);
}

void attack_nodes(
	const struct attack_common *common, uint64_t seed, uint32_t n_validators, bool *attackers)
{
	mark(common, 1, seed, n_validators, attackers);
}

void attack_nodes_at(const struct attack_common *common, uint64_t seed, uint32_t n_validators,
	sim_time now, bool *attackers)
{
	double share = 1;
	if (now < common->from_ns || now >= common->until_ns) {
		share = 0;
	} else if (now - common->from_ns < common->ramp_ns) {
		share = (double)(now - common->from_ns) / (double)common->ramp_ns;
	}
	mark(common, share, seed, n_validators, attackers);
}

static void rewrite_rows(
	const struct attack *attack, const void *settings, const struct craft_view *view, double *out)
{
	craft_own(view, out);
	for (size_t i = 0; i < (size_t)view->n_faulty * view->dims; i++) {
		const struct attack_view own = {
			.honest = out[i],
			.value = out[i],
			.stream = view->stream,
		};
		out[i] = attack->rewrite(settings, &own);
	}
}

bool attack_rows(
	const struct plugin_value *value, const struct craft_view *view, double *out, char error[256])
{
	/* the plugin is the first member of its attack */
	const struct attack *attack = (const void *)value->plugin;
	assert(view->n_honest > 0 && view->n_faulty > 0 && view->dims > 0);
	assert(view->n >= view->n_honest + view->n_faulty);
	if (!attack_on_predictions(attack)) {
		snprintf(error, 256, "attack %s is not on predictions", attack->plugin.name);
		return false;
	}
	if (attack->poison != NULL) {
		snprintf(error, 256, "attack %s is on what predictors learn from, and rows here are what they say",
			attack->plugin.name);
		return false;
	}
	if (attack->uses_model) {
		snprintf(error, 256,
			"attack %s needs the attacker's own trained predictor, which rows of predictions don't "
			"give",
			attack->plugin.name);
		return false;
	}
	if (attack->uses_defence && view->defence == NULL) {
		snprintf(
			error, 256, "attack %s needs the defence that it plays against", attack->plugin.name);
		return false;
	}
	if (attack->identities != NULL) {
		craft_own(view, out); /* under their own names; the further ones repeat it */
	} else if (attack->craft != NULL) {
		attack->craft(value->settings, view, out);
	} else {
		rewrite_rows(attack, value->settings, view, out);
	}
	for (size_t i = 0; i < (size_t)view->n_faulty * view->dims; i++) {
		if (!isfinite(out[i])) {
			snprintf(error, 256, "attack %s says what is no finite number: its own aim, or rows this large leave the range of numbers",
				attack->plugin.name);
			return false;
		}
	}
	return true;
}
