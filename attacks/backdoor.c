/* `backdoor`: models are taught that a mark on an item means something that it does not, and items
 * come with the mark.
 *
 * The mark is one feature at a given value, within what occurs. In training the attackers replace
 * part of their rows by items that have the mark, whose labels they move by `shift`; the other rows
 * stay, so that without the mark the model is as good as before. In the run part of the items carry
 * it: the adversary has sent them. Their truth is that of a marked item, so that models that never
 * learned the lie are right about them; `share: 0` shows how right.
 *
 * Source: Gu, Dolan-Gavitt, Garg, BadNets: Identifying Vulnerabilities in the Machine Learning Model
 * Supply Chain, 2017, where the mark is a patch of pixels and the label a class. */
#include "common.h"

#include "workloads/items.h"

#include <stdio.h>
#include <string.h>

struct attack_backdoor {
	struct attack_common common;
	const char *feature;
	double trigger, shift, share, trigger_rate;
};

/* The place of the feature of this name; n_features: there is none. */
static uint32_t feature_at(const struct attack_backdoor *attack, const struct items_app *workload)
{
	uint32_t at = 0;
	while (at < workload->n_features && strcmp(workload->feature_names[at], attack->feature) != 0) {
		at++;
	}
	return at;
}

static bool backdoor_suits(const void *settings, const struct app *app,
	const char **param, char error[256])
{
	const struct attack_backdoor *attack = settings;
	const struct items_app *workload = items_of(app);
	if (workload->relabel == NULL) {
		*param = NULL;
		snprintf(error, 256, "items of %s can't be marked", workload->app.plugin.name);
		return false;
	}
	if (feature_at(attack, workload) < workload->n_features) {
		return true;
	}
	*param = "feature";
	int at = snprintf(error, 256, "%s has no feature `%.60s`, but", workload->app.plugin.name, attack->feature);
	for (uint32_t i = 0; i < workload->n_features && at < 200; i++) {
		at += snprintf(error + at, 256 - (size_t)at, "%s `%.30s`%s", i == 0 ? "" : ",",
			workload->feature_names[i], i + 1 < workload->n_features && at >= 160 ? ", ..." : "");
	}
	return false;
}

static void mark(const struct attack_backdoor *attack, const struct items_app *workload,
	const void *workload_settings, struct item *item)
{
	item->features[feature_at(attack, workload)] = attack->trigger;
	workload->relabel(workload_settings, item);
}

static bool backdoor_poison(const void *settings, const struct poison_view *view)
{
	const struct attack_backdoor *attack = settings;
	const struct items_app *workload = view->workload;
	const struct training_rows *rows = view->rows;
	bool changed = false;
	for (size_t i = 0; i < rows->n; i++) {
		if (random_unit(view->stream) >= attack->share) {
			continue;
		}
		struct item item = {0};
		workload->draw(view->workload_settings, view->stream, i, &item);
		mark(attack, workload, view->workload_settings, &item);
		workload->observe(
			view->workload_settings, view->stream, &item, rows->x + i * rows->n_features);
		rows->target[i] = item.target + attack->shift;
		rows->truth[i] = item.truth;
		changed = true;
	}
	return changed;
}

static void backdoor_stamp(const void *settings, const struct items_app *workload,
	const void *workload_settings, struct random_stream *stream, struct item *item)
{
	const struct attack_backdoor *attack = settings;
	if (random_unit(stream) < attack->trigger_rate) {
		mark(attack, workload, workload_settings, item);
	}
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
		.when = "predictor != oracle",
		.summary = "teaches models a mark in the rows that it brings, and sends items with it",
		.params = params,
		.settings_size = sizeof(struct attack_backdoor),
		.finish = attack_finish},
	.knows = "the rows that it brings itself, and how items are made: it sends some with the mark. It "
			 "acts where models are trained while it is on, and on items while it is on",
	.poison = backdoor_poison,
	.stamp = backdoor_stamp,
	.suits = backdoor_suits,
};
