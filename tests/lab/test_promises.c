/* Promises to clients, step by step: what one was told, by whom and of which view, and what of it is undone,
 * confirmed or told again. Calls of the laboratory are made by hand. */
#include "fakes.h"

#include "items.h"
#include "clients.h"
#include "replicas.h"
#include "outside.h"
#include "kv/kv.h"
#include "measure/measure.h"
#include "outages.h"
#include "told.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* A stage on which the test plays the replicas and the network: two clients with two requests each. */
struct stage {
	struct study *study;
	struct lab *lab;
};

static uint32_t leader_of_all(const struct node *node)
{
	return 0;
}

static const struct host_ops silent = {.transaction_bytes = replica_transaction_bytes};
static struct protocol protocol;
static uint32_t n_tentative;

static uint32_t tentative_quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return n_tentative;
}

static int set_up_as(void **state, const char *workload)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	stage->study = study_open("validators: 4\nprotocol: central\nstop: {items: 8}\n"
							  "workload: {kind: %s, clients: 2, outstanding: 2, reply_quorum: 2}\n",
		workload);
	const struct scenario *scenario = scenario_point(stage->study->file, 0);
	protocol = *(const struct protocol *)scenario->protocol.plugin;
	protocol.leader = leader_of_all;
	protocol.reads = NULL;
	protocol.tentative_quorum = tentative_quorum;
	struct lab *lab = calloc(1, sizeof(*lab));
	stage->lab = lab;
	lab->scenario = scenario;
	lab->protocol = &protocol;
	lab->measure = measure_create(NULL, NULL);
	lab->app = (const struct app *)scenario->workload.plugin;
	lab->common = scenario->workload.settings;
	struct world_settings settings = {
		.n_validators = 4,
		.n_clients = 2,
		.latency = (const struct latency_model *)scenario->network.latency.plugin,
		.latency_settings = scenario->network.latency.settings,
		.events_max = 1000,
	};
	world_init(&lab->world, &settings, &silent, lab);
	items_create(lab);
	watch_start(lab);
	outages_start(lab);
	transactions_start(lab);
	outside_start(lab, NULL);
	replicas_start(lab);
	clients_start(lab);
	assert_true(outside_open(lab, NULL));
	items_start(lab);
	assert_int_equal(lab->transactions->n, 4);
	*state = stage;
	return 0;
}

static int requests(void **state)
{
	n_tentative = 0;
	return set_up_as(state, "requests");
}

static int requests_that_conflict(void **state)
{
	n_tentative = 0;
	return set_up_as(state, "requests, conflict: 1");
}

static int store(void **state)
{
	n_tentative = 3;
	return set_up_as(state, "kv, keys: 1, reads: 0");
}

static int store_optimistic(void **state)
{
	n_tentative = 3;
	return set_up_as(state, "kv, conflict: 1, reads: 0, concurrency: optimistic");
}

static int tear_down(void **state)
{
	struct stage *stage = *state;
	struct lab *lab = stage->lab;
	replicas_free(lab);
	outside_close(lab);
	transactions_free(lab);
	items_destroy(lab);
	clients_free(lab);
	watch_finish(lab);
	outages_finish(lab);
	measure_destroy(lab->measure);
	world_finish(&lab->world);
	free(lab);
	study_close(stage->study);
	free(stage);
	return 0;
}

static struct lab *lab_in(void **state)
{
	return ((struct stage *)*state)->lab;
}

static const struct batch *batch(struct lab *lab, transaction_id a)
{
	return node_batch(&lab->world.nodes[0], &a, 1);
}

static void commit(struct lab *lab, uint32_t node, uint64_t instance, const struct batch *of)
{
	watch_committed(&lab->world.nodes[node], instance, 0, of);
	replica_apply(&lab->world.nodes[node], instance, 0, of, false);
}

/* A reply to a transaction, as its client gets it. Returns whether it now has its answer. */
static uint64_t reply_view;

static bool reply(struct lab *lab, uint32_t from, transaction_id transaction, uint64_t result, int flags)
{
	struct message message = {.kind = MESSAGE_REPLY, .from = from, .instance = transaction,
		.view = reply_view, .digest = result, .extra = NODE_NONE, .flags = (uint16_t)flags};
	client_receive(&lab->world.nodes[lab->transactions->list[transaction].command.sender], &message);
	return lab->transactions->list[transaction].answered;
}

static void assert_violation(const struct lab *lab, uint64_t n, const char *invariant, uint64_t instance)
{
	assert_int_equal(lab->watch->n_violations, n);
	assert_string_equal(lab->watch->violations[n - 1].invariant, invariant);
	assert_int_equal(lab->watch->violations[n - 1].instance, instance);
}

static void told_and_kept(void **state)
{
	struct lab *lab = lab_in(state);
	for (uint32_t i = 0; i < 4; i++) {
		commit(lab, i, 1, batch(lab, 2));
	}
	assert_false(reply(lab, 0, 2, 1, 0));
	assert_true(reply(lab, 3, 2, 1, 0));
	told_finish(lab);
	assert_int_equal(lab->watch->n_violations, 0);
}

/* Told of one batch; then another is committed there. */
static void told_and_changed(void **state)
{
	struct lab *lab = lab_in(state);
	commit(lab, 0, 1, batch(lab, 2));
	commit(lab, 1, 1, batch(lab, 2));
	reply(lab, 0, 2, 1, 0);
	assert_true(reply(lab, 1, 2, 1, 0));
	watch_committed(&lab->world.nodes[2], 1, 0, batch(lab, 3));
	assert_violation(lab, 2, "durability", 1); /* after `agreement` */
	assert_true(lab->watch->violations[1].value_a == batch(lab, 2)->digest);
	assert_true(lab->watch->violations[1].value_b == batch(lab, 3)->digest);
}

/* Told of an instance that turns out to hold another: by replies before the commitment. */
static void told_elsewhere(void **state)
{
	struct lab *lab = lab_in(state);
	watch_instance(lab, 1);
	reply(lab, 0, 2, 1, 0);
	assert_true(reply(lab, 1, 2, 1, 0));
	commit(lab, 0, 1, batch(lab, 3));
	commit(lab, 0, 2, batch(lab, 2)); /* there it is, but that is not what the client knows */
	assert_int_equal(lab->watch->n_violations, 0);
	told_finish(lab);
	assert_violation(lab, 1, "durability", 1);
	assert_int_equal(lab->watch->violations[0].value_b, batch(lab, 3)->digest);
}

/* A validator has come as far and has not executed it. */
static void told_and_vanished(void **state)
{
	struct lab *lab = lab_in(state);
	commit(lab, 0, 1, batch(lab, 2));
	commit(lab, 1, 1, batch(lab, 2));
	reply(lab, 0, 2, 1, 0);
	assert_true(reply(lab, 1, 2, 1, 0));
	told_finish(lab);
	assert_int_equal(lab->watch->n_violations, 0); /* the others have not come so far */
	lab->replicas->list[3].applied = 1;
	told_finish(lab);
	assert_violation(lab, 1, "durability", 1);
	assert_int_equal(lab->watch->violations[0].node_a, 3);
	assert_int_equal(lab->watch->violations[0].value_a, 2);
}

static void told_what_nobody_knows(void **state)
{
	struct lab *lab = lab_in(state);
	commit(lab, 0, 1, batch(lab, 2));
	reply(lab, 0, 2, 77, 0);
	assert_true(reply(lab, 1, 2, 77, 0));
	assert_violation(lab, 1, "durability", 77);
	told_finish(lab);
	assert_int_equal(lab->watch->n_violations, 1);
}

/* Who proposes what it has executed; not: what another has proposed there before, what it has not executed
 * yet, and one that lies. */
static void proposed_again(void **state)
{
	struct lab *lab = lab_in(state);
	struct node *nodes = lab->world.nodes;
	commit(lab, 0, 1, batch(lab, 2));
	watch_proposed(&nodes[0], 1, 0, batch(lab, 2)); /* no other instance than that in which it has */
	assert_false(watch_instance(lab, 1)->proposed_again);
	watch_proposed(&nodes[1], 2, 0, batch(lab, 2)); /* which it has not executed */
	commit(lab, 1, 1, batch(lab, 2));
	commit(lab, 0, 2, batch(lab, 2));
	commit(lab, 1, 2, batch(lab, 2));
	watch_proposed(&nodes[1], 3, 0, batch(lab, 1));
	watch_proposed(&nodes[0], 3, 1, batch(lab, 2)); /* again in its place, in another view */
	commit(lab, 0, 3, batch(lab, 2));
	nodes[2].byzantine = true;
	commit(lab, 2, 1, batch(lab, 2));
	watch_proposed(&nodes[2], 4, 1, batch(lab, 2));
	commit(lab, 0, 4, batch(lab, 2));
	assert_int_equal(lab->watch->n_violations, 0);
	watch_proposed(&nodes[0], 5, 1, batch(lab, 2));
	assert_int_equal(lab->watch->n_violations, 0); /* it may come to nothing */
	commit(lab, 0, 5, batch(lab, 2));
	assert_violation(lab, 1, "exactly-once", 5);
	commit(lab, 1, 3, batch(lab, 2));
	commit(lab, 1, 4, batch(lab, 2));
	commit(lab, 1, 5, batch(lab, 2));
	assert_int_equal(lab->watch->n_violations, 1);
}

/* Replies of several sorts. Three equal ones before the commitment, or two firm ones; a mind that changes in a
 * view change; a read's answer says nothing of what is ordered. */
static void sorts_of_replies(void **state)
{
	struct lab *lab = lab_in(state);
	watch_instance(lab, 9);
	assert_false(reply(lab, 0, 0, 5, REPLY_TENTATIVE));
	assert_false(reply(lab, 0, 0, 5, REPLY_TENTATIVE));
	assert_false(reply(lab, 1, 0, 6, REPLY_TENTATIVE));
	assert_false(reply(lab, 2, 0, 5, 0));
	assert_false(reply(lab, 3, 0, 5, REPLY_READ));
	assert_true(reply(lab, 1, 0, 5, REPLY_TENTATIVE)); /* executed again, with another result */

	assert_false(reply(lab, 0, 1, 5, REPLY_TENTATIVE));
	assert_false(reply(lab, 1, 1, 5, 0));
	assert_false(reply(lab, 1, 1, 5, REPLY_TENTATIVE)); /* late: it stays firm */
	assert_true(reply(lab, 0, 1, 5, 0));

	assert_false(reply(lab, 0, 2, 5, 0));
	assert_false(reply(lab, 1, 2, 6, 0));
	assert_false(reply(lab, 2, 2, 5, REPLY_TENTATIVE));
	assert_true(reply(lab, 3, 2, 5, 0));

	/* Tentative ones of different views prove less; a firm one goes with either. */
	reply_view = 1;
	assert_false(reply(lab, 0, 3, 5, REPLY_TENTATIVE));
	reply_view = 2;
	assert_false(reply(lab, 1, 3, 5, REPLY_TENTATIVE));
	assert_false(reply(lab, 2, 3, 5, REPLY_TENTATIVE));
	reply_view = 0;
	assert_true(reply(lab, 3, 3, 5, 0));
}

static void tentative_of_one_view(void **state)
{
	struct lab *lab = lab_in(state);
	watch_instance(lab, 9);
	for (uint32_t i = 0; i < 4; i++) {
		reply_view = i / 2;
		assert_false(reply(lab, i, 0, 5, REPLY_TENTATIVE));
	}
	reply_view = 1;
	assert_true(reply(lab, 0, 0, 5, REPLY_TENTATIVE)); /* the last word counts */
	reply_view = 0;
}

static struct kv_entry entry(const struct lab *lab, uint32_t node, uint32_t key)
{
	struct effect effect = {0};
	struct kv_entry entry;
	lab->app->read(lab->replicas->list[node].state, &(struct command){.subject = key}, &effect);
	kv_result(effect.result, &entry);
	return entry;
}

static void assert_entry(const struct lab *lab, uint32_t key, uint32_t version, uint32_t value)
{
	assert_int_equal(entry(lab, 1, key).version, version);
	assert_int_equal(entry(lab, 1, key).value, value);
}

/* Executed, taken back and executed again: the store, the executed set, the reply cache and the log's
 * positions are as if nothing had been. Clients 0 and 1 put transactions 0, 2 and 1, 3 at keys 1 and 2. */
static void undone(void **state)
{
	struct lab *lab = lab_in(state);
	struct node *node = &lab->world.nodes[1];
	const struct replica *replica = &lab->replicas->list[1];
	const transaction_id both[] = {2, 1};
	commit(lab, 1, 1, batch(lab, 0));
	replica_apply_tentative(node, 2, 0, node_batch(node, both, 2));
	replica_apply_tentative(node, 3, 0, batch(lab, 3));
	assert_entry(lab, 1, 2, 2);
	assert_entry(lab, 2, 2, 3);
	assert_true(replica_executed(node, 3));
	assert_int_equal(replica_reply_of(lab, 1, 3).instance, 3);
	assert_int_equal(replica->applied, 1);

	replica_confirm(node, 2);
	assert_int_equal(replica->applied, 2);
	replica_rollback(node, 3);
	assert_entry(lab, 1, 2, 2);
	assert_entry(lab, 2, 1, 1);
	assert_false(replica_executed(node, 3));
	assert_true(replica_executed(node, 1));
	assert_int_equal(replica_reply_of(lab, 1, 3).instance, 0);

	/* Two instances, one of them with what is executed already, and all of it back. */
	const transaction_id again[] = {1, 3};
	replica_apply_tentative(node, 3, 1, node_batch(node, again, 2));
	replica_apply_tentative(node, 4, 1, batch(lab, 3));
	assert_entry(lab, 2, 2, 3);
	replica_rollback(node, 5); /* none so far */
	assert_entry(lab, 2, 2, 3);
	replica_rollback(node, 3);
	replica_rollback(node, 3);
	assert_entry(lab, 2, 1, 1);
	assert_true(replica_executed(node, 1));
	assert_false(replica_executed(node, 3));
	commit(lab, 1, 3, batch(lab, 3));
	assert_entry(lab, 2, 2, 3);
	assert_int_equal(replica->applied, 3);
	assert_int_equal(lab->watch->n_violations, 0);

	/* In order here, too. */
	replica_apply_tentative(node, 5, 1, batch(lab, 3));
	assert_violation(lab, 1, "total-order", 5);
	replica_apply_tentative(node, 5, 1, batch(lab, 3));
	assert_violation(lab, 2, "integrity", 5);
}

/* Never empty: what is confirmed makes room. */
static void pipelined(void **state)
{
	struct lab *lab = lab_in(state);
	struct node *node = &lab->world.nodes[1];
	replica_apply_tentative(node, 1, 0, batch(lab, 0));
	for (uint64_t instance = 2; instance <= 1000; instance++) {
		replica_apply_tentative(node, instance, 0, batch(lab, instance == 999 ? 2 : 0));
		replica_confirm(node, instance - 1);
	}
	assert_in_range(lab->replicas->list[1].tentative->capacity, 1, 16);
	assert_entry(lab, 1, 2, 2);
	replica_rollback(node, 999);
	assert_entry(lab, 1, 2, 2); /* 999 is confirmed: 1000 alone was taken back */
	assert_int_equal(lab->watch->n_violations, 0);
}

/* What is over makes room; what is left keeps what it needs to be undone. */
static void confirmed_in_part(void **state)
{
	struct lab *lab = lab_in(state);
	struct node *node = &lab->world.nodes[1];
	for (transaction_id i = 0; i < 3; i++) {
		replica_apply_tentative(node, i + 1, 0, batch(lab, i));
	}
	replica_confirm(node, 1);
	replica_confirm(node, 2);
	assert_entry(lab, 1, 2, 2);
	replica_rollback(node, 3);
	assert_entry(lab, 1, 1, 0);
	assert_false(replica_executed(node, 2));
	assert_true(replica_executed(node, 1));
	assert_int_equal(lab->replicas->list[1].applied, 2);
}

static void nothing(struct node *node, const struct message *message)
{
}

static void stop(struct world *world, sim_time next_ns)
{
	world->stopped = true;
}

/* The reply cache gives again what it gave: a tentative answer stays one until it is confirmed. */
static void cached_replies(void **state)
{
	struct lab *lab = lab_in(state);
	struct host_ops ops = silent;
	ops.receive = nothing;
	ops.client_receive = client_receive;
	ops.client_timer = client_timer;
	ops.overdue = stop;
	lab->world.ops = &ops;
	for (uint32_t i = 0; i < 2; i++) {
		struct node *node = &lab->world.nodes[i];
		replica_apply_tentative(node, 1, 0, batch(lab, 0));
		replica_reply(node, 0, 0);
	}
	lab->world.deadline_ns = 100 * SIM_MS;
	world_run(&lab->world);
	assert_false(lab->transactions->list[0].answered);
	assert_int_equal(lab->world.messages[CLASS_CLIENT], 4 + 4); /* the requests */
	for (uint32_t i = 0; i < 2; i++) {
		replica_confirm(&lab->world.nodes[i], 1);
		replica_reply(&lab->world.nodes[i], 0, 0);
	}
	lab->world.stopped = false;
	lab->world.deadline_ns = 200 * SIM_MS;
	world_run(&lab->world);
	assert_true(lab->transactions->list[0].answered);
}

/* The client that is told of an abort tries again with what it was told. All four put the shared key. */
static void aborted(void **state)
{
	struct lab *lab = lab_in(state);
	for (uint32_t i = 0; i < 2; i++) {
		commit(lab, i, 1, batch(lab, 0));
		commit(lab, i, 2, batch(lab, 1));
	}
	assert_int_equal(entry(lab, 0, KV_KEY_SHARED).version, 1);
	assert_int_equal(entry(lab, 0, KV_KEY_SHARED).value, 0);
	const struct kv_clients *clients = lab->outside->state;
	assert_true(clients->operations[0][1].aborted);
	uint64_t result = replica_reply_of(lab, 0, 1).result;
	assert_int_equal(result, UINT64_C(1) << 63 | UINT64_C(1) << 32); /* version 1, written by 0 */
	reply(lab, 0, 1, result, 0);
	assert_true(reply(lab, 1, 1, result, 0));
	assert_int_equal(lab->transactions->n, 5);
	assert_int_equal(lab->transactions->list[4].item, 1);
	assert_int_equal(transaction_of(lab, 4)->command.argument.integer[0], 1);
	assert_int_equal(lab->items->n_accepted, 0);
	for (uint32_t i = 0; i < 2; i++) {
		commit(lab, i, 3, batch(lab, 4));
	}
	result = replica_reply_of(lab, 0, 4).result;
	assert_int_equal(result, UINT64_C(2) << 32 | 4);
	reply(lab, 0, 4, result, 0);
	assert_true(reply(lab, 1, 4, result, 0));
	assert_int_equal(lab->items->n_accepted, 1);
	assert_true(lab->items->all[1].accepted);
	assert_int_equal(clients->n_aborts, 1);
	assert_int_equal(clients->n_retries, 1);
}

static void transaction_keys(void **state)
{
	struct lab *lab = lab_in(state);
	const struct node *node = &lab->world.nodes[0];
	assert_int_equal(replica_transaction_key(node, 0), 1);
	assert_int_equal(replica_transaction_key(node, 3), 4);
}

/* With `conflict` a share of them touches one object; the same each time. */
static void shared_keys(void **state)
{
	struct lab *lab = lab_in(state);
	const struct node *node = &lab->world.nodes[0];
	for (transaction_id i = 0; i < 4; i++) {
		assert_int_equal(replica_transaction_key(node, i), 0);
	}
}

static void store_keys(void **state)
{
	struct lab *lab = lab_in(state);
	const struct node *node = &lab->world.nodes[0];
	assert_int_equal(replica_transaction_key(node, 0), 1);
	assert_int_equal(replica_transaction_key(node, 1), 2);
}

int main(void)
{
#define ON(stage, name) cmocka_unit_test_setup_teardown(name, stage, tear_down)
	const struct CMUnitTest tests[] = {
		ON(requests, told_and_kept),
		ON(requests, told_and_changed),
		ON(requests, told_elsewhere),
		ON(requests, told_and_vanished),
		ON(requests, told_what_nobody_knows),
		ON(requests, proposed_again),
		ON(store, sorts_of_replies),
		ON(store, tentative_of_one_view),
		ON(store, undone),
		ON(store, pipelined),
		ON(store, confirmed_in_part),
		ON(store, cached_replies),
		ON(store_optimistic, aborted),
		ON(requests, transaction_keys),
		ON(requests_that_conflict, shared_keys),
		ON(store, store_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
