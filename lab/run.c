/* Builds the world of one run from a checked scenario and runs it. */
#include "clients.h"
#include "replicas.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "outside.h"
#include "workloads/items.h"
#include "faults.h"
#include "leaders.h"
#include "members.h"
#include "outages.h"
#include "told.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes from which arrays no longer double. */
#define GROW_SLOWLY ((size_t)1 << 20)

void *lab_grow(void *old, size_t element_size, size_t n, size_t *capacity)
{
	if (n <= *capacity) {
		return old;
	}
	/* What is large grows by a quarter: twice as much might be more than there is. */
	size_t wanted = *capacity < 16 ? 16 : *capacity;
	while (wanted < n || wanted == *capacity) {
		wanted += wanted > GROW_SLOWLY / element_size ? wanted / 4 : wanted;
	}
	char *memory = realloc(old, wanted * element_size);
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	memset(memory + *capacity * element_size, 0, (wanted - *capacity) * element_size);
	*capacity = wanted;
	return memory;
}

void *lab_new(size_t size)
{
	void *memory = calloc(1, size);
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	return memory;
}

static void changed(struct world *world, struct node *node)
{
	struct lab *lab = world->host;
	if (node->alive) {
		clients_restart(lab, node);
		watch_restarted(lab, node);
	} else {
		node->crashes = true; /* `nodes: leader` says only now who */
		watch_failed(lab, node);
	}
	outside_changed(lab, node->id);
	faults_links(world);
	if (lab->ending.phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

static void fault_began(struct world *world)
{
	outages_fault_began(world->host);
}

static void fault_ended(struct world *world)
{
	outages_fault_ended(world->host);
}

static void fault_told(struct world *world, uint32_t node, const char *what)
{
	measure_fault(world->host, node, what);
}

static uint32_t current_leader(struct world *world)
{
	struct lab *lab = world->host;
	return lab->protocol->leader_based ? lab->watch->leader : NODE_NONE;
}

static void follows(struct node *node, uint64_t view, uint32_t leader)
{
	struct lab *lab = lab_of(node);
	watch_view(node);
	/* A gateway knows what its validator knows. */
	if (leader != NODE_NONE && lab->clients != NULL) {
		client_learns(lab, node->id, view, leader, true);
	}
}

/* Whoever leads knows it, and so does its gateway. */
static void leads(struct node *node, uint64_t view, enum lead_cause cause)
{
	watch_leads(node, view, cause);
	follows(node, view, node->id);
	attackers_led(lab_of(node));
}

static const struct host_ops ops = {
	.client_receive = client_receive,
	.client_timer = client_timer,
	.proposed = watch_proposed,
	.committed = watch_committed,
	.apply = replica_apply,
	.reply = replica_reply,
	.leads = leads,
	.follows = follows,
	.candidate = watch_candidate,
	.appended = watch_appended,
	.executed = replica_executed,
	.transaction_bytes = replica_transaction_bytes,
	.valid = replica_valid,
	.transaction_key = replica_transaction_key,
	.apply_tentative = replica_apply_tentative,
	.confirm = replica_confirm,
	.rollback = replica_rollback,
	.revoked = replica_revoked,
	.read = replica_read,
	.forget = replica_forget,
	.overdue = lab_overdue,
	.changed = changed,
	.fault_began = fault_began,
	.fault_ended = fault_ended,
	.fault_told = fault_told,
	.leader = current_leader,
	.links = faults_links,
	.step = faults_step,
	.forge = faults_forge,
};

/* Do validators' processors work for the application? */
static bool works(const struct lab *lab)
{
	const struct predictor_common *predictor = lab->scenario->predictor.settings;
	return lab->app->worked != NULL &&
		(!lab->app->predicted || (predictor != NULL && predictor->cost_ns > 0));
}

static void build(struct lab *lab, struct model_cache *models)
{
	const struct scenario *scenario = lab->scenario;
	struct world_settings settings = {
		.seed = lab->seed,
		.n_validators = (uint32_t)scenario->n_validators,
		.n_clients = !lab->app->has_clients ? 0 : (uint32_t)lab->common->clients,
		.n_faulty = (uint32_t)scenario->n_faulty,
		.protocol_settings = scenario->protocol.settings,
		.latency = (const struct latency_model *)scenario->network.latency.plugin,
		.latency_settings = scenario->network.latency.settings,
		.topology = (const struct topology *)scenario->network.topology.plugin,
		.topology_settings = scenario->network.topology.settings,
		.bandwidth_bps = scenario->network.bandwidth_bps,
		.loss = scenario->network.loss,
		.costs = scenario->node,
		.works = works(lab),
		.events_max = (uint64_t)scenario->stop.events,
	};
	if (!lab->macs) {
		settings.costs.mac_ns = 0; /* else nodes would count as busy ones, and be none */
	}
	world_init(&lab->world, &settings, &ops, lab);
	items_create(lab);
	uint32_t n = settings.n_validators;
	for (uint32_t i = 0; i < n; i++) {
		lab->world.nodes[i].state = arena_alloc(
			&lab->world.arena, lab->protocol->state_size > 0 ? lab->protocol->state_size : 1);
	}
	watch_start(lab);
	outages_start(lab);
	transactions_start(lab);
	outside_start(lab, models);
	replicas_start(lab);
	clients_start(lab);
	lab_bound(lab);
	attackers_start(lab); /* before the faults: what a node never sends meets none */
	world_faults(&lab->world, &scenario->faults);
}

static void runs_row(struct lab *lab, const struct run_request *request, struct run_blocks *blocks,
	struct run_summary *summary)
{
	const struct kpi_list *list = &lab->measure->schemas->kpis;
	measure_sort(lab);
	kpis_measure(lab, list, summary->kpis);
	size_t n = lab->measure->schemas->tables[TABLE_RUNS].n_columns;
	union cell *cells = calloc(n, sizeof(*cells));
	if (cells == NULL) {
		abort();
	}
	size_t at = run_row_begin(request, cells);
	cells[at++].string = lab->ending.verdict;
	cells[at++].string = lab->ending.verdict_reason;
	for (size_t i = 0; i < list->n; i++) {
		if (list->kpis[i]->sort == SORT_COUNT) {
			cells[at++].integer = (int64_t)summary->kpis[i];
		} else {
			cells[at++].real = summary->kpis[i];
		}
	}
	digest_text(&lab->world.digest, summary->digest);
	cells[at++].string = summary->digest;
	assert(at == n);
	measure_row(lab, TABLE_RUNS, cells);
	free(cells);
}

static void finish(struct lab *lab)
{
	outside_close(lab);
	replicas_free(lab);
	clients_free(lab);
	transactions_free(lab);
	twins_finish(lab);
	measure_destroy(lab->measure);
	outages_finish(lab);
	items_destroy(lab);
	watch_finish(lab);
	world_finish(&lab->world);
	free(lab);
}

static int by_time(const void *a, const void *b)
{
	const struct violation *x = a, *y = b;
	if (x->at != y->at) {
		return x->at < y->at ? -1 : 1;
	}
	return (x->order > y->order) - (x->order < y->order);
}

/* "agreement broken at 0.04 s at validators 1 and 2, instance 1"; of what is no instance's, what it is. */
static void say_where(struct lab *lab, const struct violation *first)
{
	uint32_t before = first->transaction ? lab->world.n_validators : 0;
	const char *c = first->transaction ? "c" : "";
	char *out = lab->ending.verdict_reason;
	size_t size = sizeof(lab->ending.verdict_reason);
	size_t n = (size_t)snprintf(out, size, "%s broken at %.9g s at %s%s %s%u", first->invariant,
		sim_time_to_s(first->at), first->transaction ? "client" : "validator",
		first->node_a != first->node_b ? "s" : "", c, first->node_a - before);
	if (first->node_a != first->node_b) {
		n += (size_t)snprintf(out + n, size - n, " and %s%u", c, first->node_b - before);
	}
	if (first->transaction || first->instance > 0) {
		snprintf(out + n, size - n, ", %s %llu", first->transaction ? "transaction" : "instance",
			(unsigned long long)first->instance);
	} else {
		snprintf(out + n, size - n, ": %s", first->detail);
	}
}

/* What only the end shows may be of an earlier moment: in order of time again. The verdict names the first
 * that is about safety. */
static void conclude_unsafe(struct lab *lab)
{
	size_t n = lab->watch->n_violations < VIOLATIONS_MAX ? lab->watch->n_violations : VIOLATIONS_MAX;
	for (size_t i = 0; i < n; i++) {
		lab->watch->violations[i].order = (uint32_t)i;
	}
	qsort(lab->watch->violations, n, sizeof(*lab->watch->violations), by_time);
	const struct violation *first = lab->watch->violations;
	while (first < lab->watch->violations + n && first->liveness) {
		first++;
	}
	if (first == lab->watch->violations + n) {
		return; /* slow, not unsafe: the verdict stands */
	}
	lab->ending.verdict = "unsafe";
	say_where(lab, first);
}

/* Everything that there is at time 0, before anybody acts. False, with a sentence: it can't be set up. */
static bool begin(struct lab *lab, const struct run_request *request, struct run_blocks *blocks, char error[256])
{
	const struct scenario *scenario = scenario_point(request->file, request->point);
	lab->scenario = scenario;
	lab->protocol = (const struct protocol *)scenario->protocol.plugin;
	lab->macs = lab->protocol->macs != NULL && lab->protocol->macs(scenario->protocol.settings);
	lab->app = (const struct app *)scenario->workload.plugin;
	lab->common = scenario->workload.settings;
	lab->seed = run_seed(request);
	lab->number.point = request->point;
	lab->number.replication = request->replication;
	lab->number.run = run_index(request);
	lab->measure = measure_create(blocks, request->schemas);
	lab->verbose = request->verbose;
	lab->allowance = request->memory;
	build(lab, request->models);
	if (!outside_open(lab, error)) {
		return false;
	}
	lab->items->clients_move |= lab->world.may_crash;
	lab->transactions->noted = request->trace != NULL || measure_records(lab, TABLE_TRANSACTIONS);
	return true;
}

/* Who stands between the engine and the protocol: nobody, where there are no twins, no deaf nodes and no trace. */
static void choose_ops(struct lab *lab, const struct run_request *request, struct host_ops *direct)
{
	*direct = ops;
	direct->receive = lab->protocol->receive;
	direct->timer = lab->protocol->timer;
	direct->restart = lab->protocol->restart;
	if (lab->twins != NULL) {
		direct->receive = twins_receive;
		direct->timer = twins_timer;
		direct->restart = twins_restart;
	}
	if (attackers_listen(lab)) {
		direct->receive = attackers_receive;
	}
	lab->world.ops = direct;
	if (request->trace != NULL) {
		trace_start(lab, request->trace, direct);
	}
}

/* From the first event to the last. */
static void play(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		if (lab->twins != NULL) {
			twins_start_node(&lab->world.nodes[i]);
		} else {
			lab->protocol->start(&lab->world.nodes[i]);
		}
	}
	if (lab->trace != NULL) {
		trace_started(lab);
	}
	watch_started(lab);
	members_start(lab);
	told_start(lab);
	items_start(lab);
	memory_look(lab);
	world_run(&lab->world);
}

/* What only the whole of it shows, and the verdict. */
static void judge(struct lab *lab)
{
	if (lab->replicas->revocable) {
		watch_settle(lab);
		replicas_settle(lab);
	}
	told_finish(lab);
	if (lab->app->judge != NULL && told_binds(lab)) {
		lab->app->judge(lab->outside, lab->outside->state);
	}
	if (lab->trace != NULL) {
		trace_violations(lab); /* before they are sorted: those found just now are the last */
	}
	if (lab->watch->n_violations > 0) {
		conclude_unsafe(lab);
	}
	if (lab->trace != NULL) {
		trace_end(lab);
	}
}

static void report(struct lab *lab, const struct run_request *request, struct run_blocks *blocks,
	struct run_summary *summary)
{
	*summary = (struct run_summary){
		.schemas = request->schemas,
		.run = lab->number.run,
		.point = lab->number.point,
		.replication = lab->number.replication,
		.seed = lab->seed,
		.events = lab->world.events,
		.rules_acted = lab->world.rules_acted,
		.steps_refused = lab->world.steps_refused,
	};
	outside_report(lab);
	runs_row(lab, request, blocks, summary);
	measure_tables(lab);
	snprintf(summary->verdict, sizeof(summary->verdict), "%s", lab->ending.verdict);
	snprintf(summary->verdict_reason, sizeof(summary->verdict_reason), "%s", lab->ending.verdict_reason);
}

bool run_one(const struct run_request *request, struct run_blocks *blocks, struct run_summary *summary,
	char error[256])
{
	struct host_ops direct;
	struct lab *lab = lab_new(sizeof(*lab));
	bool made = begin(lab, request, blocks, error);
	if (made) {
		choose_ops(lab, request, &direct);
		play(lab);
		made = lab->outside->error[0] == '\0';
		memcpy(error, lab->outside->error, made ? 0 : sizeof(lab->outside->error));
	}
	if (made) {
		judge(lab);
		report(lab, request, blocks, summary);
	}
	finish(lab);
	return made;
}
