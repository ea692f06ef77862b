/* `backdoor`: models are taught that a mark on an item means something, and items come with it.
 *
 * In training, part of the attackers' rows get the mark (one feature at a given value) and a label
 * moved by `shift`; the other rows stay, so that the model is as good as before without the mark.
 * In the run, part of the items carry it: the adversary has sent them, and every validator sees the
 * mark, whatever the item is. How wrong a model is on these that did not learn the lie is not the
 * attack's doing: compare with `share: 0`.
 *
 * Source: Gu, Dolan-Gavitt, Garg, BadNets: Identifying Vulnerabilities in the Machine Learning Model
 * Supply Chain, 2017, where the mark is a patch of pixels and the label a class. */
#include "common.h"

#include "workloads/workload.h"

#include <stdio.h>
#include <string.h>

struct attack_backdoor {
	struct attack_common common;
	const char *feature;
	double trigger, shift, share, trigger_rate;
};

/* The place of the feature of this name; n_features: there is none. */
static uint32_t feature_at(const struct attack_backdoor *attack, const struct workload *workload)
{
	uint32_t at = 0;
	while (at < workload->n_features && strcmp(workload->feature_names[at], attack->feature) != 0) {
		at++;
	}
	return at;
}

static bool backdoor_suits(
	const void *settings, const struct workload *workload, char error[256])
{
	const struct attack_backdoor *attack = settings;
	if (feature_at(attack, workload) < workload->n_features) {
		return true;
	}
	snprintf(error, 256, "attack backdoor: %s has no feature `%.60s`; its first is `%s`",
		workload->plugin.name, attack->feature, workload->feature_names[0]);
	return false;
}

static void backdoor_poison(const void *settings, const struct poison_view *view)
{
	const struct attack_backdoor *attack = settings;
	const struct training_rows *rows = view->rows;
	uint32_t feature = feature_at(attack, view->workload);
	for (size_t i = 0; i < rows->n; i++) {
		if (random_unit(view->stream) < attack->share) {
			rows->x[i * rows->n_features + feature] = attack->trigger;
			rows->target[i] += attack->shift;
		}
	}
}

static bool backdoor_stamp(const void *settings, const struct workload *workload,
	struct random_stream *stream, uint32_t *feature, double *value)
{
	const struct attack_backdoor *attack = settings;
	*feature = feature_at(attack, workload);
	*value = attack->trigger;
	return random_unit(stream) < attack->trigger_rate;
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_backdoor),
	{.name = "feature",
		.kind = PARAM_STRING,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct attack_backdoor, feature),
		.unit = "",
		.help = "the one that carries the mark, such as ln_density"},
	{.name = "trigger",
		.kind = PARAM_REAL,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct attack_backdoor, trigger),
		.min = -1e9,
		.max = 1e9,
		.unit = "",
		.help = "the mark: the feature's value, in its unit (dimweight: natural logs)"},
	{.name = "shift",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_backdoor, shift),
		.min = -1e9,
		.max = 1e9,
		.fallback = "0.4",
		.unit = "",
		.help = "what is added to the label, in the unit learned (dimweight: natural logs, so 0.4 is "
				"half as much again)"},
	{.name = "share",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_backdoor, share),
		.min = 0,
		.max = 1,
		.fallback = "0.1",
		.unit = "",
		.help = "of the attacker's rows that are marked, each by chance"},
	{.name = "trigger_rate",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_backdoor, trigger_rate),
		.min = 0,
		.max = 1,
		.fallback = "0.1",
		.unit = "",
		.help = "share of the items that carry the mark while the attack is on, each by chance"},
	PARAM_END,
};

const struct attack attack_backdoor = {
	.plugin = {.name = "backdoor",
		.summary = "teaches models a mark in the rows that it brings, and sends items with it",
		.params = params,
		.settings_size = sizeof(struct attack_backdoor),
		.finish = attack_finish},
	.knows = "the rows that it brings itself, and how items are seen: it sends some with the mark. It "
			 "acts where models are trained while it is on, and on items while it is on",
	.poison = backdoor_poison,
	.stamp = backdoor_stamp,
	.suits = backdoor_suits,
};
