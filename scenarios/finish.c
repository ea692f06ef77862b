/* Completing a point: what `auto` comes to, the plugins' own checks, and the rules that involve two
 * of them. The network comes first, since timeouts hang on it, then the workload, then the rest. */
#include "quantity.h"
#include "keys.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "engine/latency.h"
#include "engine/topology.h"
#include "protocols/protocol.h"
#include "workloads/prediction.h"
#include "workloads/rules.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <string.h>

/* For what the file doesn't say: the scenario as such. */
static struct place whole(const struct tree *root)
{
	return (struct place){root->place.source, PLACE_WHOLE, 0};
}

static sim_time times(double factor, sim_time delay_ns, sim_time min_ns)
{
	double product = factor * (double)delay_ns;
	sim_time value = product >= 9.2e18 ? SIM_NEVER : (sim_time)product;
	return value > min_ns ? value : min_ns;
}

static void resolve_auto(const struct param *param, void *settings, const struct shape *shape)
{
	bool duration = param->kind == PARAM_DURATION || param->kind == PARAM_DURATION_RANGE;
	sim_time *at = (sim_time *)(void *)((char *)settings + param->offset);
	if (!duration || !(param->flags & PARAM_AUTO) || at[0] != PARAM_AUTO_VALUE ||
		(param->auto_delays[0] == 0 && param->auto_min_ns[0] == 0)) {
		return;
	}
	for (size_t i = 0; i < (param->kind == PARAM_DURATION ? 1 : 2); i++) {
		sim_time delay_ns = sim_time_add(shape->delay_p999_ns, shape->round_ns);
		sim_time value = times(param->auto_delays[i], delay_ns, 0);
		for (size_t k = 0; k <= i; k++) {
			value = sim_time_add(value, shape->bulk_ns); /* the range stays as wide beside its beginning */
		}
		at[i] = value > param->auto_min_ns[i] ? value : param->auto_min_ns[i];
	}
}

/* Completes a plugin and those within it. `tree` is what the scenario says of it, or NULL; errors
 * are placed there, or else at `place`. */
static bool finish_plugin(struct checker *checker, const struct plugin_value *value,
	const struct tree *tree, struct place place, const struct shape *shape, const struct path *path)
{
	if (!value->plugin) {
		return true;
	}
	if (!value->settings) {
		return false;
	}
	place = tree ? tree->place : place;
	bool good = true;
	for (const struct param *param = value->plugin->params; param && param->name; param++) {
		void *at = (char *)value->settings + param->offset;
		const struct path below = {path, param->name, 0};
		const struct tree *inner = tree_get(tree, param->name);
		if (param->kind == PARAM_PLUGIN) {
			good &= finish_plugin(checker, at, inner, place, shape, &below);
		} else if (param->kind == PARAM_PLUGINS) {
			const struct plugin_list *list = at;
			for (size_t i = 0; i < list->n; i++) {
				const struct path entry = {&below, NULL, i};
				good &= finish_plugin(checker, &list->values[i], inner ? inner->values[i] : NULL,
					place, shape, &entry);
			}
		} else {
			resolve_auto(param, value->settings, shape);
		}
	}
	const char *name = NULL;
	char error[256] = "";
	if (!good || !value->plugin->finish ||
		value->plugin->finish(value->settings, shape, &name, error)) {
		return good;
	}
	const struct tree *at = name ? tree_get(tree, name) : NULL;
	const struct path below = {path, name, 0};
	diagnostics_error(checker->diagnostics, at ? at->place : place, "%s%s %s",
		path_text(name ? &below : path).text, strncmp(error, "must ", 5) ? ":" : "", error);
	return false;
}

static bool finish_key(struct checker *checker, const struct plugin_value *value,
	const struct tree *root, const char *name, const struct shape *shape)
{
	const struct path path = {NULL, name, 0};
	return finish_plugin(checker, value, tree_get(root, name), whole(root), shape, &path);
}

static bool finish_list(struct checker *checker, const struct plugin_list *list,
	const struct tree *root, const char *name, const struct shape *shape)
{
	const struct path up = {NULL, name, 0};
	bool good = true;
	for (size_t i = 0; i < list->n; i++) {
		const struct path path = {&up, NULL, i};
		good &= finish_plugin(
			checker, &list->values[i], tree_get(root, name)->values[i], whole(root), shape, &path);
	}
	return good;
}

static int64_t number(const struct plugin_value *value, const char *name, int64_t otherwise)
{
	const struct param *param = value->plugin ? param_find(value->plugin->params, name) : NULL;
	return param && value->settings && (param->kind == PARAM_INT || param->kind == PARAM_BYTES)
		? *(const int64_t *)(const void *)((const char *)value->settings + param->offset)
		: otherwise;
}

/* What a MAC takes: nothing where there are none, whatever the scenario says. */
static sim_time mac_ns(const struct scenario *scenario)
{
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const void *settings = scenario->protocol.settings;
	return protocol && settings && protocol->macs && protocol->macs(settings) ? scenario->node.mac_ns : 0;
}

/* What processors and cards add to delays, from above: timers that know nothing of it go off while all is
 * well. A round: each node sends one message to all and takes one from each. In bulk: a batch to all (as many
 * transactions as 64 KiB hold, at least one), or a chunk of a snapshot, through the sender's card and the
 * receiver's, and as much before what is waited for. */
static void finish_costs(const struct checker *checker, struct scenario *scenario)
{
	enum { HEADER_BYTES = 64, PAYLOAD_BYTES = 64, BATCH_BYTES = 1 << 16 };
	const struct node_costs *costs = &scenario->node;
	struct shape *shape = &scenario->shape;
	double others = checker->n_validators > 0 ? checker->n_validators - 1 : 0;
	double bytes_per_ns = scenario->network.bandwidth_bps / 8e9;
	double transaction = HEADER_BYTES + (double)number(&scenario->workload, "size", PAYLOAD_BYTES);
	double round_ns = (double)costs->sign_ns +
		others * (double)(costs->send_ns + costs->receive_ns + costs->verify_ns + mac_ns(scenario));
	double bulk_ns = 0;
	if (bytes_per_ns > 0) {
		double batch = transaction * (double)number(&scenario->protocol, "batch", 1);
		batch = batch < BATCH_BYTES ? batch : transaction < BATCH_BYTES ? BATCH_BYTES : transaction;
		double largest = (others + 1) * (HEADER_BYTES + batch);
		if (number(&scenario->protocol, "snapshot_every", SIM_NEVER) != SIM_NEVER) {
			double chunk = 2 * (double)number(&scenario->protocol, "snapshot_chunk", 0);
			largest = chunk > largest ? chunk : largest;
		}
		double state = 2 * (double)number(&scenario->protocol, "state_chunk", 0);
		largest = state > largest ? state : largest;
		round_ns += 2 * others * HEADER_BYTES / bytes_per_ns;
		bulk_ns = 2 * largest / bytes_per_ns;
	}
	shape->round_ns = round_ns >= 9.2e18 ? SIM_NEVER : (sim_time)round_ns;
	shape->bulk_ns = bulk_ns >= 9.2e18 ? SIM_NEVER : (sim_time)bulk_ns;
}

static bool finish_network(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	const struct plugin_value *latency = &scenario->network.latency;
	const struct path up = {NULL, "network", 0}, path = {&up, "latency", 0};
	const struct tree *tree = tree_get(tree_get(root, "network"), "latency");
	const struct path to_topology = {&up, "topology", 0};
	bool good = scenario->network.topology.plugin &&
		finish_plugin(checker, &scenario->network.topology, tree_get(tree_get(root, "network"), "topology"),
			whole(root), &scenario->shape, &to_topology);
	if (!latency->plugin ||
		!finish_plugin(checker, latency, tree, whole(root), &scenario->shape, &path)) {
		return false;
	}
	const struct latency_model *model = (const void *)latency->plugin;
	scenario->shape.delay_p999_ns = model->p999_ns(latency->settings, checker->n_validators);
	return good;
}

/* Where some are not linked, what is meant for all must be passed on. */
static bool finish_topology(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct plugin *topology = scenario->network.topology.plugin;
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	if (!topology || !((const struct topology *)(const void *)topology)->link || protocol->relays) {
		return true;
	}
	const struct tree *at = tree_get(tree_get(root, "network"), "topology");
	diagnostics_error(checker->diagnostics, at ? at->place : whole(root),
		"network.topology: %s's validators send to each other directly and pass nothing on, so that it needs "
		"`full`, and some have no link on `%s`",
		protocol->plugin.name, topology->name);
	return false;
}

static int64_t third(uint32_t n)
{
	return (n - 1) / 3;
}

static bool finish_workload(
	struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	uint32_t n = checker->n_validators;
	const struct app *workload = (const void *)scenario->workload.plugin;
	if (!workload ||
		!finish_key(checker, &scenario->workload, root, "workload", &scenario->shape)) {
		return false;
	}
	struct workload_common *common = scenario->workload.settings;
	scenario->shape.client_timeout_ns = common->client_timeout_ns;
	scenario->shape.n_clients = !workload->has_clients ? 0 : (uint32_t)common->clients;
	if (workload->has_clients) {
		return true;
	}
	if (common->deadline_ns == PARAM_AUTO_VALUE) {
		common->deadline_ns = common->client_timeout_ns;
	}
	if (common->quorum == PARAM_AUTO_VALUE) {
		common->quorum = n - third(n);
	}
	if (common->quorum > n) {
		const struct tree *at = tree_get(tree_get(root, "workload"), "quorum");
		diagnostics_error(checker->diagnostics, at ? at->place : whole(root),
			"workload.quorum must be at most the number of validators, %u, got %lld", n,
			(long long)common->quorum);
		return false;
	}
	return true;
}

static bool finish_aggregator(
	struct checker *checker, const struct tree *root, struct scenario *scenario, bool workload_good)
{
	const struct aggregator *aggregator = (const void *)scenario->aggregator.plugin;
	struct aggregator_common *common = scenario->aggregator.settings;
	if (!aggregator) {
		return true;
	}
	if (aggregator->uses_faulty && common && common->n_faulty == PARAM_AUTO_VALUE) {
		common->n_faulty = third(checker->n_validators);
	}
	if (!finish_key(checker, &scenario->aggregator, root, "aggregator", &scenario->shape)) {
		return false;
	}
	if (!aggregator->uses_faulty || !aggregator->n_min || !workload_good) {
		return true;
	}
	const struct workload_common *workload = scenario->workload.settings;
	bool huge = common->n_faulty > checker->n_validators;
	int64_t needed =
		huge ? INT64_MAX : aggregator_n_min(&scenario->aggregator, (uint32_t)common->n_faulty);
	if (workload->quorum >= needed) {
		return true;
	}
	const struct tree *tree = tree_get(root, "aggregator"), *at = tree_get(tree, "faulty");
	const struct tree *quorum = tree_get(tree_get(root, "workload"), "quorum");
	if (huge) {
		diagnostics_error(checker->diagnostics, at ? at->place : whole(root),
			"aggregator.faulty must be below the number of validators, %u, got %lld",
			checker->n_validators, (long long)common->n_faulty);
		return false;
	}
	diagnostics_error(checker->diagnostics,
		at       ? at->place
		: tree   ? tree->place
		: quorum ? quorum->place
				 : whole(root),
		"aggregator %s with faulty: %lld needs at least %lld predictions, and workload.quorum is "
		"%lld",
		aggregator->plugin.name, (long long)common->n_faulty, (long long)needed,
		(long long)workload->quorum);
	diagnostics_note(checker->diagnostics, "lower aggregator.faulty or raise workload.quorum");
	return false;
}

/* Values can be validated only where backups vote; one proposal an instance, so that a refused one takes
 * nothing else with it. */
static bool finish_validation(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct app *workload = (const void *)scenario->workload.plugin;
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const struct workload_common *common = scenario->workload.settings;
	const struct tree *at = tree_get(tree_get(root, "workload"), "validation");
	struct place place = at ? at->place : whole(root);
	if (workload->has_clients || common->validation == VALIDATION_OFF) {
		return true;
	}
	if (!protocol->validates) {
		diagnostics_error(checker->diagnostics, place,
			"workload.validation: tolerance needs a protocol whose validators vote for a proposal, such "
			"as pbft, and %s's don't",
			protocol->plugin.name);
		return false;
	}
	const struct param *batch = param_find(protocol->plugin.params, "batch");
	if (batch && *(const int64_t *)(const void *)((const char *)scenario->protocol.settings +
												  batch->offset) != 1) {
		diagnostics_error(checker->diagnostics, place,
			"workload.validation: tolerance needs protocol.batch: 1, so that a value that is refused "
			"takes no other with it");
		diagnostics_note(checker->diagnostics, "write protocol: {kind: %s, batch: 1}",
			protocol->plugin.name);
		return false;
	}
	return true;
}

/* A client can't have more replies than there are validators. */
static bool finish_replies(
	struct checker *checker, const struct tree *root, const struct scenario *scenario)
{
	const struct app *workload = (const void *)scenario->workload.plugin;
	const struct workload_common *common = scenario->workload.settings;
	const struct tree *at = tree_get(tree_get(root, "workload"), "reply_quorum");
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	if (!workload->has_clients || common->reply_quorum == PARAM_AUTO_VALUE || checker->n_validators == 0) {
		return true;
	}
	bool one = protocol->client == CLIENT_HINTED || protocol->client == CLIENT_OWN_VALIDATOR;
	if (one && common->reply_quorum > 1) {
		diagnostics_error(checker->diagnostics, at ? at->place : whole(root),
			"workload.reply_quorum must be 1 under `%s`, where one validator answers, got %lld",
			protocol->plugin.name, (long long)common->reply_quorum);
		return false;
	}
	if (common->reply_quorum <= (int64_t)checker->n_validators) {
		return true;
	}
	diagnostics_error(checker->diagnostics, at ? at->place : whole(root),
		"workload.reply_quorum must be at most the number of validators, %u, got %lld",
		checker->n_validators, (long long)common->reply_quorum);
	return false;
}

/* How long a run may go without progress, from what validators bear: where that doubles, f leaders in a row may
 * fail, and each costs twice what the one before did. */
static void finish_liveness(struct scenario *scenario)
{
	const sim_time least = 30 * SIM_SECOND, most = 3600 * SIM_SECOND;
	if (scenario->liveness_bound_ns != PARAM_AUTO_VALUE) {
		return;
	}
	struct protocol_patience patience =
		protocol_patience_of((const void *)scenario->protocol.plugin, scenario->protocol.settings);
	int64_t doublings = scenario->n_faulty + 3;
	if (patience.most_ns == SIM_NEVER) {
		scenario->liveness_bound_ns = least; /* nothing is waited for */
	} else if (!patience.doubles) {
		scenario->liveness_bound_ns = times(20, patience.most_ns, least);
	} else if (doublings > 40 || patience.most_ns > most >> doublings) {
		scenario->liveness_bound_ns = most;
	} else {
		sim_time bound = patience.most_ns << doublings;
		scenario->liveness_bound_ns = bound > least ? bound : least;
	}
}

/* What attacks and faults may need to know of the protocol. */
static void finish_shape(struct scenario *scenario)
{
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const struct node_costs *costs = &scenario->node;
	struct shape *shape = &scenario->shape;
	shape->costs = costs->send_ns > 0 || costs->receive_ns > 0 || costs->sign_ns > 0 ||
				   costs->verify_ns > 0 || mac_ns(scenario) > 0;
	shape->nearest = nearest_name;
	/* Where the protocol is wrong, that is told; what hangs on it is let pass. */
	shape->steps = (protocol ? protocol->steps : (1u << STEP_N) - 1) | 1u << STEP_RESTART;
	shape->lies = !protocol || protocol->forgery;
	shape->stores = !protocol || !scenario->protocol.settings ||
					(protocol->stores && protocol->stores(scenario->protocol.settings));
	shape->message_names = protocol ? protocol->message_names : NULL;
}

/* What is executed before it is committed may have to be undone. */
static bool finish_undoing(struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const struct app *workload = (const void *)scenario->workload.plugin;
	const struct tree *tree = tree_get(root, "protocol"), *at = tree_get(tree, "tentative");
	if (!workload || !workload->execute || workload->undo) {
		return true;
	}
	if (protocol->finality == FINALITY_PROBABLE) {
		diagnostics_error(checker->diagnostics, tree ? tree->place : whole(root),
			"protocol: %s may take back what has been executed, and %s can't undo it", protocol->plugin.name,
			workload->plugin.name);
		return false;
	}
	if (!protocol->tentative_quorum ||
		protocol->tentative_quorum(scenario->protocol.settings, checker->n_validators,
			(uint32_t)scenario->n_faulty) == 0) {
		return true;
	}
	diagnostics_error(checker->diagnostics, at ? at->place : tree ? tree->place : whole(root),
		"protocol.tentative: %s can't undo what it executes", workload->plugin.name);
	return false;
}

bool finish_point(struct checker *checker, const struct tree *root, struct scenario *scenario)
{
	scenario->shape.n_validators = checker->n_validators;
	scenario->shape.n_faulty = (uint32_t)scenario->n_faulty;
	/* Without a good network `auto` comes to its least value: nothing is run on it, and what is wrong
	 * elsewhere is told at the same time. */
	bool good = finish_network(checker, root, scenario);
	finish_costs(checker, scenario);
	bool workload = finish_workload(checker, root, scenario);
	good &= workload;
	good &= finish_aggregator(checker, root, scenario, workload);
	bool protocol = scenario->protocol.plugin &&
					finish_key(checker, &scenario->protocol, root, "protocol", &scenario->shape);
	if (protocol) {
		finish_liveness(scenario);
		protocol = finish_undoing(checker, root, scenario);
		protocol &= finish_topology(checker, root, scenario);
		good &= !workload || finish_validation(checker, root, scenario);
		good &= !workload || finish_replies(checker, root, scenario);
	}
	good &= protocol;
	finish_shape(scenario);
	good &= finish_key(checker, &scenario->predictor, root, "predictor", &scenario->shape);
	good &= finish_key(checker, &scenario->scorer, root, "scorer", &scenario->shape);
	bool attacks = finish_list(checker, &scenario->attacks, root, "attacks", &scenario->shape);
	good &= attacks;
	good &= check_fits(checker, root, scenario, protocol, attacks);
	good &= finish_list(checker, &scenario->faults, root, "faults", &scenario->shape);
	return good;
}

static void pool_plugin(struct pool *pool, struct plugin_value *value);

static void pool_list(struct pool *pool, struct plugin_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		pool_plugin(pool, &list->values[i]);
	}
	list->values = (struct plugin_value *)(uintptr_t)pool_put(
		pool, list->values, list->n * sizeof(*list->values));
}

/* From the inside out, so that what is equal is equal byte by byte. */
static void pool_plugin(struct pool *pool, struct plugin_value *value)
{
	if (!value->plugin) {
		return;
	}
	for (const struct param *param = value->plugin->params; param && param->name; param++) {
		void *at = (char *)value->settings + param->offset;
		if (param->kind == PARAM_PLUGIN) {
			pool_plugin(pool, at);
		} else if (param->kind == PARAM_PLUGINS) {
			pool_list(pool, at);
		}
	}
	value->settings =
		(void *)(uintptr_t)pool_put(pool, value->settings, value->plugin->settings_size + 1);
}

void pool_point(struct pool *pool, struct scenario *scenario)
{
	struct plugin_value *values[] = {&scenario->protocol, &scenario->network.latency,
		&scenario->network.topology, &scenario->workload, &scenario->predictor, &scenario->scorer, &scenario->aggregator};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		pool_plugin(pool, values[i]);
	}
	pool_list(pool, &scenario->attacks);
	pool_list(pool, &scenario->faults);
}
