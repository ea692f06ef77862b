/* The keys of a scenario, and what they must be to one another. */
#include "keys.h"
#include "quantity.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "engine/latency.h"
#include "engine/topology.h"
#include "protocols/protocol.h"
#include "workloads/rules.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <string.h>

#define AT(member) offsetof(struct scenario, member)
#define VALIDATORS_MAX 100000

const struct param scenario_params[] = {
	{.name = "title",
		.kind = PARAM_STRING,
		.offset = AT(title),
		.fallback = "",
		.help = "what the scenario is, for figures and reports"},
	{.name = "seed",
		.kind = PARAM_INT,
		.offset = AT(seed),
		.fallback = "1",
		.help = "names all random numbers, with the replication"},
	{.name = "replications",
		.kind = PARAM_INT,
		.offset = AT(replications),
		.min = 1,
		.max = 1e6,
		.fallback = "1",
		.help = "independent runs at each point"},
	{.name = "stop.items",
		.kind = PARAM_INT,
		.flags = PARAM_UNLIMITED,
		.offset = AT(stop.items),
		.min = 1,
		.max = 4e9,
		.fallback = "unlimited",
		.unit = "items",
		.help = "items that arrive; 1000 where stop names neither items nor time"},
	{.name = "stop.time",
		.kind = PARAM_DURATION,
		.flags = PARAM_OFF | PARAM_EXCLUDE_MIN,
		.offset = AT(stop.time_ns),
		.fallback = "off",
		.unit = "s",
		.help = "simulated time: alone, the run's planned end; with items, a bound; 600 s where stop "
				"names neither"},
	{.name = "stop.events",
		.kind = PARAM_INT,
		.flags = PARAM_UNLIMITED,
		.offset = AT(stop.events),
		.min = 1,
		.max = 1e18,
		.fallback = "1e10",
		.unit = "events",
		.help = "executed events, after which the verdict is `limit`"},
	{.name = "stop.views",
		.kind = PARAM_INT,
		.flags = PARAM_UNLIMITED,
		.offset = AT(stop.views),
		.min = 1,
		.max = 1e18,
		.fallback = "10000",
		.unit = "views",
		.when = "protocol != none|central",
		.help = "views or terms, after which the verdict is `limit`"},
	{.name = "stop.memory",
		.kind = PARAM_BYTES,
		.flags = PARAM_NONE | PARAM_UNLIMITED | PARAM_EXCLUDE_MIN,
		.offset = AT(stop.memory_bytes),
		.max = 9e18,
		.fallback = "none",
		.unit = "bytes",
		.help = "what a run may take, as it counts itself, after which the verdict is `limit`; none: the "
				"machine's bound alone, three quarters of what it has for all runs side by side; unlimited: "
				"not even that"},
	{.name = "validators",
		.kind = PARAM_INT,
		.flags = PARAM_REQUIRED,
		.offset = AT(n_validators),
		.min = 1,
		.max = VALIDATORS_MAX,
		.unit = "nodes",
		.help = "how many validators there are"},
	{.name = "faulty",
		.kind = PARAM_INT,
		.flags = PARAM_AUTO,
		.offset = AT(n_faulty),
		.fallback = "auto",
		.unit = "nodes",
		.help = "f, what the protocol is set to tolerate; auto: the most that it can, 0 under none and central"},
	{.name = "protocol",
		.kind = PARAM_PLUGIN,
		.flags = PARAM_REQUIRED,
		.offset = AT(protocol),
		.registry = &protocol_registry,
		.help = "how the validators agree"},
	{.name = "network.latency",
		.kind = PARAM_PLUGIN,
		.offset = AT(network.latency),
		.registry = &latency_registry,
		.fallback = "{kind: constant, value: 10 ms}",
		.help = "one-way delays"},
	{.name = "network.bandwidth",
		.kind = PARAM_BANDWIDTH,
		.flags = PARAM_UNLIMITED | PARAM_EXCLUDE_MIN,
		.offset = AT(network.bandwidth_bps),
		.fallback = "unlimited",
		.unit = "bit/s",
		.help = "of each node's network card, each way"},
	{.name = "network.topology",
		.kind = PARAM_PLUGIN,
		.offset = AT(network.topology),
		.registry = &topology_registry,
		.fallback = "full",
		.help = "which validators send to each other directly"},
	{.name = "network.loss",
		.kind = PARAM_REAL,
		.offset = AT(network.loss),
		.max = 1,
		.fallback = "0",
		.unit = "probability",
		.help = "that a message is lost"},
	{.name = "node.send",
		.kind = PARAM_DURATION,
		.offset = AT(node.send_ns),
		.fallback = "0 s",
		.unit = "s",
		.help = "processor time to send a message"},
	{.name = "node.receive",
		.kind = PARAM_DURATION,
		.offset = AT(node.receive_ns),
		.fallback = "0 s",
		.unit = "s",
		.help = "processor time to receive a message"},
	{.name = "node.sign",
		.kind = PARAM_DURATION,
		.offset = AT(node.sign_ns),
		.fallback = "0 s",
		.unit = "s",
		.help = "processor time to sign a message"},
	{.name = "node.verify",
		.kind = PARAM_DURATION,
		.offset = AT(node.verify_ns),
		.fallback = "0 s",
		.unit = "s",
		.help = "processor time to verify a signature"},
	{.name = "node.mac",
		.kind = PARAM_DURATION,
		.offset = AT(node.mac_ns),
		.fallback = "0 s",
		.unit = "s",
		.when = "protocol.authentication = macs",
		.help = "processor time to make or check a MAC, where the protocol uses them"},
	{.name = "workload",
		.kind = PARAM_PLUGIN,
		.flags = PARAM_REQUIRED,
		.offset = AT(workload),
		.registry = &workload_registry,
		.help = "what is agreed on"},
	{.name = "predictor",
		.kind = PARAM_PLUGIN,
		.offset = AT(predictor),
		.registry = &predictor_registry,
		.fallback = "linear",
		.help = "how a validator estimates an item"},
	{.name = "scorer",
		.kind = PARAM_PLUGIN,
		.offset = AT(scorer),
		.registry = &scorer_registry,
		.fallback = "none",
		.when = "workload.validation = off", .help = "how far each prediction is trusted"},
	{.name = "aggregator",
		.kind = PARAM_PLUGIN,
		.offset = AT(aggregator),
		.registry = &aggregator_registry,
		.fallback = "median",
		.when = "workload.validation = off", .help = "how accepted predictions become a decision"},
	{.name = "attacks",
		.kind = PARAM_PLUGINS,
		.offset = AT(attacks),
		.registry = &attack_registry,
		.fallback = "[]",
		.help = "what the adversary does"},
	{.name = "faults",
		.kind = PARAM_PLUGINS,
		.offset = AT(faults),
		.registry = &fault_registry,
		.fallback = "[]",
		.help = "what fails, and when"},
	{.name = "sweep",
		.kind = PARAM_NAMES,
		.help = "lists of values by dotted path; the points are their cross product"},
	{.name = "zip", .kind = PARAM_NAMES, .help = "lists by dotted path that run side by side"},
	{.name = "skip_unfit",
		.kind = PARAM_BOOL,
		.offset = AT(skip_unfit),
		.fallback = "off",
		.help = "points whose settings don't go together are left out and listed, such as an attack that one of "
				"the swept protocols has no place for; off: they are errors"},
	{.name = "record",
		.kind = PARAM_NAMES,
		.flags = PARAM_NONE,
		.offset = AT(record),
		.words = scenario_record_word,
		.fallback = "[]",
		.help = "tables to write besides runs"},
	{.name = "series.window",
		.kind = PARAM_DURATION,
		.offset = AT(window_ns),
		.min = 1000,
		.max = 9e18,
		.fallback = "1 s",
		.unit = "s",
		.help = "length of the windows in time of /series and of `availability`; at most 1000000 of them a run "
				"with record: [series]"},
	{.name = "liveness_bound",
		.kind = PARAM_DURATION,
		.flags = PARAM_AUTO | PARAM_OFF | PARAM_EXCLUDE_MIN,
		.offset = AT(liveness_bound_ns),
		.fallback = "auto",
		.unit = "s",
		.help = "how long work may be outstanding without progress, and no scheduled change to come, before "
				"a run is `stalled`"},
	{.name = "checkers",
		.kind = PARAM_BOOL,
		.offset = AT(checkers),
		.fallback = "on",
		.help = "whether invariants are checked while it runs"},
	{.name = "liveness_after",
		.kind = PARAM_DURATION,
		.flags = PARAM_OFF | PARAM_EXCLUDE_MIN,
		.offset = AT(liveness_after_ns),
		.fallback = "off",
		.unit = "s",
		.when = "checkers = on",
		.help = "once all faults and attacks have ended, work may wait so long for the next acceptance; "
				"longer breaks the invariant `liveness`"},
	PARAM_END,
};

/* The number of validators, where it is written rightly; 0 else: the table's check says what is
 * wrong. */
static uint32_t read_validators(const struct tree *root)
{
	const struct tree *value = tree_get(root, "validators");
	int64_t n = 0;
	bool good = value && value->kind == TREE_SCALAR &&
				quantity_integer(value->text, &n) == QUANTITY_FINE && n >= 1 && n <= VALIDATORS_MAX;
	return good ? (uint32_t)n : 0;
}

static void refuse_record(struct checker *checker, struct place place, const char *name,
	const char *const *words, size_t n_words)
{
	const char *nearest = nearest_name(name, words, n_words);
	diagnostics_error(checker->diagnostics, place, "record: there is no table `%s`%s%s%s", excerpt(name).text,
		nearest ? ": did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
	char all[1000];
	names_join(all, sizeof(all), words, n_words, ", ");
	diagnostics_note(checker->diagnostics, "tables: %s", all);
}

/* Brings the words into the order of tables, each once. */
static bool check_record(struct checker *checker, const struct tree *root, struct name_list *record)
{
	const struct tree *tree = tree_get(root, "record");
	const char *words[SCENARIO_TABLES_MAX], *found[SCENARIO_TABLES_MAX];
	size_t n_words = 0, n_found = 0, n_known = 0;
	while ((words[n_words] = scenario_record_word(n_words)) != NULL) {
		n_words++;
	}
	for (size_t w = 0; w < n_words; w++) {
		bool asked = false;
		for (size_t i = 0; i < record->n; i++) {
			bool same = strcmp(record->names[i], words[w]) == 0;
			n_known += same;
			asked |= same;
		}
		if (asked) {
			found[n_found++] = words[w];
		}
	}
	for (size_t i = 0; i < record->n && n_known < record->n; i++) {
		bool known = false;
		for (size_t w = 0; w < n_words; w++) {
			known |= strcmp(record->names[i], words[w]) == 0;
		}
		if (!known) {
			refuse_record(checker, tree->kind == TREE_LIST ? tree->values[i]->place : tree->place,
				record->names[i], words, n_words);
		}
	}
	bool good = n_known == record->n;
	*record = (struct name_list){n_found, pool_put(&checker->pool, found, n_found * sizeof(*found))};
	return good;
}

/* A row a window: so many that no file could hold them are a mistake. */
static bool check_series(struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	sim_time time = scenario->stop.time_ns, window = scenario->window_ns;
	if (!scenario_records(scenario, &result_tables[TABLE_SERIES]) || time == SIM_NEVER || window <= 0 ||
		time / window < SERIES_WINDOWS_MAX || (time / window == SERIES_WINDOWS_MAX && time % window == 0)) {
		return true;
	}
	const struct tree *at = tree_get(tree_get(root, "series"), "window");
	at = at ? at : tree_get(tree_get(root, "stop"), "time");
	diagnostics_error(checker->diagnostics, at ? at->place : root->place,
		"series.window must be at least %.10g s for the %.10g s of stop.time, so that /series has at most %d "
		"rows a run, got %.10g s",
		sim_time_to_s((time - 1) / SERIES_WINDOWS_MAX + 1), sim_time_to_s(time), SERIES_WINDOWS_MAX,
		sim_time_to_s(window));
	return false;
}

/* f against n, by what the protocol promises. */
static bool check_faulty(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	uint32_t n = checker->n_validators;
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	if (!n || !protocol) {
		return false;
	}
	/* Where the protocol's settings are wrong, that is told; what hangs on them is let pass. */
	bool known = scenario->protocol.settings != NULL;
	int64_t most = known ? protocol->faulty_most(scenario->protocol.settings, n) : n - 1;
	if (scenario->n_faulty == PARAM_AUTO_VALUE) {
		scenario->n_faulty = protocol->solo || !known ? 0 : most;
		return true;
	}
	if (scenario->n_faulty > most) {
		diagnostics_error(checker->diagnostics, tree_get(root, "faulty")->place,
			"faulty must be at most %lld for %s with %u validators (%s), got %lld", (long long)most,
			protocol->plugin.name, n, protocol->faulty_rule, (long long)scenario->n_faulty);
		return false;
	}
	return true;
}

/* Where no model predicts there is no predictor. */
static bool check_models(struct checker *checker, const struct tree *root, struct scenario *scenario,
	const struct items_app *items)
{
	const struct tree *key = tree_key(root, "predictor");
	if (!items || !items->say) {
		return true;
	}
	scenario->predictor = (struct plugin_value){NULL, NULL};
	if (key) {
		diagnostics_error(checker->diagnostics, key->place,
			"`predictor` is for workloads whose items models predict, and `%s` has no models",
			items->app.plugin.name);
	}
	return !key;
}

/* What only items with predictions can have is not asked of a workload without. */
static bool check_predictions(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	const struct app *workload = (const void *)scenario->workload.plugin;
	if (!workload || !workload->has_clients) {
		return !workload || check_models(checker, root, scenario, items_of(workload));
	}
	static const char *const names[] = {"predictor", "scorer", "aggregator"};
	struct plugin_value *values[] = {
		&scenario->predictor, &scenario->scorer, &scenario->aggregator};
	bool good = true;
	for (size_t i = 0; i < 3; i++) {
		if (tree_key(root, names[i])) {
			diagnostics_error(checker->diagnostics, tree_key(root, names[i])->place,
				"`%s` is for workloads with predictions, and `%s` has no predictions", names[i],
				workload->plugin.name);
			good = false;
		}
		*values[i] = (struct plugin_value){NULL, NULL};
	}
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct attack *attack = (const void *)scenario->attacks.values[i].plugin;
		if (attack && attack_on_predictions(attack)) {
			const struct path up = {NULL, "attacks", 0}, path = {&up, NULL, i};
			diagnostics_error(checker->diagnostics, tree_get(root, "attacks")->values[i]->place,
				"%s: attack `%s` is on predictions, and `%s` has no predictions",
				path_text(&path).text, attack->plugin.name,
				workload->plugin.name);
			good = false;
		}
	}
	return good;
}

/* A window ends after it begins. */
static bool check_window(struct checker *checker, const struct tree *map, const struct path *path,
	const struct param *params, sim_time from_ns, sim_time *until_ns)
{
	const struct tree *from = tree_get(map, "from"), *until = tree_get(map, "until");
	const struct param *param = param_find(params, "until");
	if (!until && param && !param->fallback) {
		*until_ns = SIM_NEVER;
	}
	if (from_ns < *until_ns || !param) {
		return true;
	}
	char first[40], last[40];
	duration_print(from_ns, first, sizeof(first));
	duration_print(*until_ns, last, sizeof(last));
	struct place place = (until ? until : from ? from : map)->place;
	if (from_ns == *until_ns) {
		diagnostics_error(checker->diagnostics, place,
			"%s: the window is empty, from %s until %s: `until` must be after `from`",
			path_text(path).text, first, last);
		return false;
	}
	diagnostics_error(checker->diagnostics, place,
		"%s: the window ends (%s) before it begins (%s): `until` must be after `from`",
		path_text(path).text, last, first);
	return false;
}

/* Who attacks is said in one of three ways. */
static bool check_attackers(struct checker *checker, const struct tree *map,
	const struct path *path, const struct param *params, struct attack_common *common)
{
	const struct tree *fraction = tree_key(map, "fraction"), *count = tree_key(map, "count");
	const struct tree *nodes = tree_key(map, "nodes");
	const struct param *param = param_find(params, "fraction");
	if (!param || !param_find(params, "nodes")) {
		return true;
	}
	bool by_fraction = fraction && common->fraction >= 0, by_count = count && common->count >= 0;
	if (by_fraction + by_count + (nodes != NULL) > 1) {
		const struct tree *second = nodes ? nodes : count;
		diagnostics_error(checker->diagnostics, second->place,
			"%s: give `fraction`, `count` or `nodes`, not two of them", path_text(path).text);
		return false;
	}
	if (!fraction && !count && !nodes && (!param->fallback || common->fraction < 0)) {
		diagnostics_error(checker->diagnostics, map->place,
			"%s: who attacks? give `fraction`, `count` or `nodes`", path_text(path).text);
		diagnostics_note(
			checker->diagnostics, "write fraction: 0.3, count: 3 or nodes: [0, 1]");
		return false;
	}
	if (nodes || by_count) {
		common->fraction = -1;
	}
	return true;
}

static bool check_attacks(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	const struct path up = {NULL, "attacks", 0};
	bool good = true;
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		struct plugin_value *attack = &scenario->attacks.values[i];
		const struct path path = {&up, NULL, i};
		const struct tree *map = tree_get(root, "attacks")->values[i];
		if (attack->settings) {
			struct attack_common *common = attack->settings;
			const struct param *params = attack->plugin->params;
			bool fine = check_attackers(checker, map, &path, params, common);
			fine &= check_window(checker, map, &path, params, common->from_ns, &common->until_ns);
			if (!fine) {
				attack->settings = NULL;
			}
			good &= fine;
		}
	}
	return good;
}

static bool check_faults(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	const struct path up = {NULL, "faults", 0};
	bool good = true;
	for (size_t i = 0; i < scenario->faults.n; i++) {
		struct plugin_value *fault = &scenario->faults.values[i];
		const struct path path = {&up, NULL, i};
		const struct tree *map = tree_get(root, "faults")->values[i];
		if (fault->settings) {
			struct fault_common *common = fault->settings;
			if (!check_window(checker, map, &path, fault->plugin->params, common->from_ns,
					&common->until_ns)) {
				fault->settings = NULL;
				good = false;
			}
		}
	}
	return good;
}

enum point_state check_point(
	struct checker *checker, const struct tree *root, struct scenario *out)
{
	struct scenario read = {0}, *scenario = &read;
	checker->n_validators = read_validators(root);
	bool good = check_params(checker, root, scenario_params, NULL, scenario, NULL);
	const struct tree *stop = tree_get(root, "stop");
	if (!tree_get(stop, "items") && !tree_get(stop, "time")) {
		scenario->stop.items = 1000;
		scenario->stop.time_ns = 600 * SIM_SECOND;
	}
	good &= check_record(checker, root, &scenario->record);
	good &= check_series(checker, root, scenario);
	bool fits = check_predictions(checker, root, scenario);
	good &= check_attacks(checker, root, scenario);
	good &= check_faults(checker, root, scenario);
	fits &= check_faulty(checker, root, scenario) && finish_point(checker, root, scenario);
	if (good && fits) {
		pool_point(&checker->pool, scenario);
		*out = *scenario;
	}
	return !good ? POINT_WRONG : fits ? POINT_GOOD : POINT_UNFIT;
}
