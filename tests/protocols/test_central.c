/* `central`: what the coordinator says, in its order. */
#include "cluster.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS SIM_MS

enum { UPDATE = MESSAGE_PROTOCOL, FETCH };

static struct cluster *make(uint32_t n)
{
	return cluster_create(&(struct cluster_options){
		.protocol = "central fetch_delay=50ms", .latency = "constant value=10ms", .n = n});
}

/* n - 1 messages an instance; the coordinator at once, the others a delay later. */
static void one_transaction(void **state)
{
	struct cluster *cluster = make(4);
	cluster_submit(cluster, 5 * MS, 0, 7);
	cluster_run(cluster, 100 * MS);
	cluster_assert_story(cluster, "n0 request -> apply and tell the others",
		"n0 proposes 1 in view 0 [7]", "n0 commits 1 in view 0 [7]", "n0 executes 1 in view 0 [7]",
		"n1 commits 1 in view 0 [7]");
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(cluster_committed(cluster, i, 1)->at_ns, (i == 0 ? 5 : 15) * MS);
		assert_int_equal(cluster->nodes[i].n_replies, i == 0);
	}
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 3);
	assert_int_equal(cluster->world.messages[CLASS_CONTROL], 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Asked again: executed once, answered again; whoever asks a follower is told whom to ask. */
static void once(void **state)
{
	struct cluster *cluster = make(3);
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 1 * MS, 0, 7);
	cluster_submit(cluster, 2 * MS, 2, 7);
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster->nodes[0].n_replies, 2);
	assert_int_equal(cluster->nodes[0].n_executed, 1);
	assert_int_equal(cluster->nodes[2].n_executed, 1);
	assert_int_equal(cluster_told(cluster, 2, "request at another validator -> name the coordinator"), 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* An update that overtakes another waits for it; one that is lost is asked for, after a while. */
static void gaps(void **state)
{
	struct cluster *cluster = make(3);
	cluster_rule(cluster, (struct cluster_rule){
							  .kind = UPDATE, .instance = 1, .to = NODE(1), .max = 1, .delay_ns = 20 * MS});
	cluster_rule(
		cluster, (struct cluster_rule){.kind = UPDATE, .instance = 1, .to = NODE(2), .max = 1, .do_drop = true});
	for (uint32_t i = 1; i <= 3; i++) {
		cluster_submit(cluster, i * MS, 0, i);
	}
	cluster_run(cluster, 60 * MS);
	assert_int_equal(cluster_committed(cluster, 1, 3)->at_ns, 31 * MS);
	assert_int_equal(cluster_told(cluster, 1, "an update is missing -> ask for it"), 0);
	assert_int_equal(cluster->nodes[2].n_executed, 0);
	cluster_run(cluster, 500 * MS);
	/* The second came at 12 ms, is waited for until 62 ms, and takes two delays. */
	assert_int_equal(cluster_committed(cluster, 2, 3)->at_ns, 82 * MS);
	assert_int_equal(cluster_told(cluster, 2, "an update is missing -> ask for it"), 1);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A gateway asks again for what the coordinator has executed: its validator has missed the update, the last one,
 * behind which there is no gap to see. */
static void asked_by_a_gateway(void **state)
{
	struct cluster *cluster = make(3);
	cluster_rule(cluster, (struct cluster_rule){.kind = UPDATE, .to = NODE(2), .max = 2, .do_drop = true});
	cluster_submit(cluster, 0, 0, 1);
	cluster_submit(cluster, 0, 0, 2);
	struct message again = {.kind = MESSAGE_REQUEST, .from = 2, .instance = 1};
	cluster_inject(cluster, 100 * MS, 0, &again);
	cluster_run(cluster, 400 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 2);
	assert_int_equal(cluster_committed(cluster, 2, 2)->at_ns, 180 * MS); /* 110, and 50 + 20 later */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A follower that was down learns of all that it missed, more than one asking brings. */
static void comes_back(void **state)
{
	struct cluster *cluster = make(3);
	cluster_crash(cluster, 0, 2);
	for (uint32_t i = 1; i <= 150; i++) {
		cluster_submit(cluster, i * MS, 0, i);
	}
	cluster_restart(cluster, 400 * MS, 2);
	cluster_run(cluster, 460 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 150);
	assert_int_equal(cluster_committed(cluster, 2, 64)->at_ns, 420 * MS);
	assert_int_equal(cluster_committed(cluster, 2, 150)->at_ns, 460 * MS);
	assert_int_equal(cluster->received[FETCH], 3);
	cluster_run(cluster, 2000 * MS);
	assert_int_equal(cluster->received[FETCH], 3); /* and is content */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Up again when there is nothing to learn: it asks once. */
static void nothing_missed(void **state)
{
	struct cluster *cluster = make(3);
	cluster_crash(cluster, 0, 1);
	cluster_restart(cluster, 10 * MS, 1);
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(cluster->received[FETCH], 1);
	cluster_submit(cluster, 1000 * MS, 0, 5);
	cluster_crash(cluster, 1100 * MS, 1);
	cluster_restart(cluster, 1110 * MS, 1);
	cluster_run(cluster, 3000 * MS);
	assert_int_equal(cluster->received[FETCH], 2);
	assert_int_equal(cluster->nodes[1].n_executed, 1);
	cluster_destroy(cluster);
}

/* Nobody takes over; the coordinator goes on where it was. */
static void coordinator_down(void **state)
{
	struct cluster *cluster = make(3);
	cluster_submit(cluster, 0, 0, 1);
	cluster_crash(cluster, 50 * MS, 0);
	cluster_submit_all(cluster, 100 * MS, 2);
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(cluster->nodes[1].n_executed, 1);
	cluster_restart(cluster, 1000 * MS, 0);
	cluster_submit(cluster, 1001 * MS, 0, 2);
	cluster_run(cluster, 1100 * MS);
	assert_int_equal(cluster_committed(cluster, 1, 2)->at_ns, 1011 * MS);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Only the coordinator's word counts. */
static void not_from_another(void **state)
{
	struct cluster *cluster = make(3);
	transaction_id transaction = 9;
	struct message message = {.kind = UPDATE, .from = 2, .instance = 1,
		.body = cluster_batch(cluster, &transaction, 1)};
	cluster_inject(cluster, 0, 1, &message);
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster->nodes[1].n_executed, 0);
	assert_int_equal(cluster_told(cluster, 1, "update not from the coordinator -> refuse"), 1);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_transaction),
		cmocka_unit_test(once),
		cmocka_unit_test(gaps),
		cmocka_unit_test(asked_by_a_gateway),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(nothing_missed),
		cmocka_unit_test(coordinator_down),
		cmocka_unit_test(not_from_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
