/* What must fit together: attacks the protocol, the workload and the models' training, rules what is predicted. */
#include "keys.h"

#include "attacks/attack.h"
#include "protocols/protocol.h"
#include "workloads/items.h"
#include "workloads/prediction.h"
#include "workloads/rules.h"
#include "workloads/workload.h"

#include <stdio.h>
#include <string.h>

/* What the protocol lacks that an attack on nodes needs; NULL: nothing. */
static const char *lacks(const struct protocol *protocol, const void *settings, unsigned needs)
{
	const struct protocol_forgery none = {0};
	const struct protocol_forgery *forgery = protocol->forgery ? protocol->forgery : &none;
	if ((needs & NEEDS_PROPOSALS) != 0 && !forgery->propose) {
		return "no proposals that could be lied about";
	}
	if ((needs & NEEDS_VOTES) != 0 && !forgery->vote && !forgery->grant) {
		return "no votes";
	}
	if ((needs & NEEDS_BATCH_VOTES) != 0 && !forgery->vote) {
		return "no votes that name what they are for";
	}
	if ((needs & NEEDS_SECOND_VOTES) != 0 && !forgery->vote && !forgery->grant) {
		return "no votes that could be given twice";
	}
	if ((needs & NEEDS_CERTIFICATES) != 0 && !forgery->claim) {
		return "no messages that show what others have signed";
	}
	if ((needs & NEEDS_TRUST) != 0 && (!protocol->leader_based || protocol->byzantine)) {
		return protocol->byzantine ? "no followers that take a leader at its word: `equivocate` is "
									 "what a lying leader can do there"
								   : "no leader";
	}
	if ((needs & NEEDS_ACKNOWLEDGEMENTS) != 0 && !forgery->acknowledge) {
		return "no answers that say what their sender holds";
	}
	if ((needs & NEEDS_TERMS) != 0 && !forgery->inflate) {
		return "no terms that are taken over from whoever names a higher one";
	}
	if ((needs & NEEDS_BENDING) != 0 && !forgery->bend) {
		return "no certificates of which a part could be left out";
	}
	if ((needs & NEEDS_CAMPAIGNS) != 0 && !forgery->campaign) {
		return "no views that anyone could call for";
	}
	if ((needs & NEEDS_MACS) != 0 && !(protocol->macs && protocol->macs(settings))) {
		return "no MACs (PBFT has them with `authentication: macs`)";
	}
	if ((needs & NEEDS_PATIENCE) != 0 && protocol_patience_of(protocol, settings).least_ns == SIM_NEVER) {
		return "no timeout that `delay: auto` could stay below: give a `delay`";
	}
	return NULL;
}

/* An attack on nodes must have something to attack in the protocol. */
static bool check_node_attacks(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const struct path up = {NULL, "attacks", 0};
	bool good = true;
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct plugin_value *value = &scenario->attacks.values[i];
		const struct attack *attack = (const void *)value->plugin;
		if (!attack || !value->settings || !attack_on_nodes(attack)) {
			continue;
		}
		const struct attack_common *common = value->settings;
		const char *lack = attack->needs ? lacks(protocol, scenario->protocol.settings,
											   attack->needs(value->settings))
										 : NULL;
		if (!lack && common->nodes.leader && !protocol->leader_based) {
			lack = "no leader: name the validators";
		}
		if (lack) {
			const struct path path = {&up, NULL, i};
			diagnostics_error(checker->diagnostics, tree_get(root, "attacks")->values[i]->place,
				"%s: attack `%s` does not fit this scenario: `%s` has %s", path_text(&path).text,
				attack->plugin.name, protocol->plugin.name, lack);
			good = false;
		}
	}
	return good;
}

/* An attack on what models see or learn from needs models. */
static bool has_models(const struct attack *attack, const struct app *workload, char error[256])
{
	const struct items_app *items = items_of(workload);
	if (!items || !items->say || !(attack->uses_model || attack->poison)) {
		return true;
	}
	snprintf(error, 256, "attack `%s` is on trained models, and `%s` has none", attack->plugin.name,
		workload->plugin.name);
	return false;
}

/* An attack that names something of the workload must find it there. */
static bool check_suiting_attacks(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct app *workload = (const void *)scenario->workload.plugin;
	const struct path up = {NULL, "attacks", 0};
	bool good = true;
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct plugin_value *value = &scenario->attacks.values[i];
		const struct attack *attack = (const void *)value->plugin;
		const char *name = NULL;
		char error[256];
		if (!attack || !value->settings || !workload || workload->has_clients ||
			(has_models(attack, workload, error) &&
				(!attack->suits || attack->suits(value->settings, workload, &name, error)))) {
			continue;
		}
		const struct path entry = {&up, NULL, i}, path = {&entry, name, 0};
		const struct tree *map = tree_get(root, "attacks")->values[i];
		const struct tree *at = name ? tree_get(map, name) : NULL;
		diagnostics_error(checker->diagnostics, at ? at->place : map->place, "%s: %s",
			path_text(name ? &path : &entry).text, error);
		good = false;
	}
	return good;
}

/* When models are trained: at 0 s, then by one of two keys of the predictor. Is any of it in the window? */
static bool trains_within(const struct predictor_common *predictor, sim_time from, sim_time until)
{
	sim_time every = predictor->retrain_ns;
	bool within = from == 0;
	if (every > 0 && every < SIM_NEVER) {
		within |= until - from >= every || (until - 1) / every > (from - 1) / every;
	}
	for (size_t i = 0; i < predictor->retrain_at.n; i++) {
		within |= predictor->retrain_at.times[i] >= from && predictor->retrain_at.times[i] < until;
	}
	return within;
}

/* An attack on what models learn from must be on when they learn, or never acts. One that comes with items
 * of its own acts on these, and is let pass. */
static bool check_training_attacks(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct path up = {NULL, "attacks", 0};
	bool good = true;
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct plugin_value *value = &scenario->attacks.values[i];
		const struct attack *attack = (const void *)value->plugin;
		const struct attack_common *common = value->settings;
		if (!attack || !common || !attack->poison || attack->stamp || !scenario->predictor.settings ||
			trains_within(scenario->predictor.settings, common->from_ns, common->until_ns)) {
			continue;
		}
		const struct path entry = {&up, NULL, i}, path = {&entry, "from", 0};
		const struct tree *map = tree_get(root, "attacks")->values[i], *at = tree_get(map, "from");
		diagnostics_error(checker->diagnostics, at ? at->place : map->place,
			"%s: no model is trained while this attack on trainings is on: it would never act",
			path_text(&path).text);
		diagnostics_note(checker->diagnostics, "models are trained at 0 s, and again where the predictor "
			"says so: write from: 0 s, or predictor: {..., retrain: 10 s}");
		good = false;
	}
	return good;
}

/* What drifts must be a feature of the workload's. */
static bool check_drift(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct app *workload = (const void *)scenario->workload.plugin;
	const struct predictor_common *common = scenario->predictor.settings;
	const struct items_app *items = items_of(workload);
	if (!items || !common || !common->drift.plugin) {
		return true;
	}
	const char *feature = ((const struct drift_settings *)common->drift.settings)->feature;
	for (uint32_t i = 0; feature && i < items->n_features; i++) {
		if (strcmp(items->feature_names[i], feature) == 0) {
			return true;
		}
	}
	if (!feature) {
		return true;
	}
	const struct tree *drift = tree_get(tree_get(root, "predictor"), "drift");
	const struct tree *at = tree_get(drift, "feature");
	diagnostics_error(checker->diagnostics, at ? at->place : root->place,
		"predictor.drift.feature: %s has no feature `%.60s`; its first is `%s`",
		workload->plugin.name, feature, items->feature_names[0]);
	return false;
}

/* Who predicts rows is scored by a rule for rows. */
static bool check_rows(struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct items_app *items = items_of((const void *)scenario->workload.plugin);
	const struct scorer *scorer = (const void *)scenario->scorer.plugin;
	if (!items || !scorer || !scenario->workload.settings || scorer->accepts_all ||
		items_dims(items, scenario->workload.settings) == 1) {
		return true;
	}
	const struct tree *at = tree_get(root, "scorer");
	diagnostics_error(checker->diagnostics, at ? at->place : (struct place){root->place.source, PLACE_WHOLE, 0},
		"scorer: %s scores numbers, and predictions of `%s` are rows of %u: `none` takes them",
		scorer->plugin.name, items->app.plugin.name, items_dims(items, scenario->workload.settings));
	return false;
}

bool check_fits(struct checker *checker, const struct tree *root, const struct scenario *scenario,
	bool protocol, bool attacks)
{
	bool good = !attacks ||
		((!protocol || check_node_attacks(checker, root, scenario)) &&
			check_suiting_attacks(checker, root, scenario) &&
			check_training_attacks(checker, root, scenario));
	good &= check_drift(checker, root, scenario);
	good &= check_rows(checker, root, scenario);
	return good;
}
