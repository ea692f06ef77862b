/* PBFT's tentative execution and read-only requests. OSDI'99 4.4; thesis 5.1.2, 5.1.3. Delays of 10 ms. */
#include "pbft.h"

#define PBFT "pbft batch=1 view_timeout=1s tentative=on read_only=on"

static void test_executes_when_prepared(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(1));
	cluster_assert_story(cluster, "n2 prepared, and all before it committed -> execute it tentatively",
		"n2 executes tentatively 1 in view 0 [7]", "n2 commits 1 in view 0 [7]", "n2 confirms 1");
	for EVERY_NODE(i, cluster) {
		/* After two delays instead of three; for good after three. */
		assert_int_equal(cluster->nodes[i].tentative_entry.at_ns, ms(20));
		assert_int_equal(cluster->nodes[i].executed[0].at_ns, ms(30));
		assert_int_equal(cluster->nodes[i].n_executed, 1);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What follows an instance that is not committed is not executed, prepared or not; nor is a checkpoint
 * taken of it. */
static void test_one_instance_at_a_time(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT " checkpoint_interval=1 watermark_window=4");
	size_t held = cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .instance = 1, .do_hold = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 0, 8);
	cluster_run(cluster, ms(100));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].tentative, 1);
		assert_int_equal(cluster->nodes[i].n_executed, 0);
		assert_non_null(cluster_committed(cluster, i, 2));
		assert_false(cluster_executed(cluster, i, 8));
	}
	assert_int_equal(cluster->received[PBFT_CHECKPOINT], 0);
	cluster_rule_end(cluster, held);
	cluster_release(cluster);
	cluster_run(cluster, ms(200));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 2);
		assert_int_equal(cluster->nodes[i].tentative, 0);
	}
	assert_true(cluster->received[PBFT_CHECKPOINT] > 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A request is waited for until it is committed. The view change undoes what was tentative; it was
 * prepared, so that the new view proposes it again, and it is executed again. */
static void test_view_change_undoes_it(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n2 executes tentatively 1 in view 0 [7]",
		"n2 timer expired -> change the view", "n2 executed and not committed -> undo it", "n2 undoes 1",
		"n2 follows nobody in 1", "n2 follows n1 in 1", "n2 executes tentatively 1 in view 1 [7]", "n2 commits 1 in view 1 [7]",
		"n2 confirms 1");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 1);
		assert_int_equal(cluster->nodes[i].n_transactions, 1);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Prepared, and executed, at n3 alone; the new view is made without it and orders otherwise. What was undone
 * is executed in its new place, once. */
static void other_order(struct cluster *cluster)
{
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE,
			.to = NODE(0) | NODE(1) | NODE(2),
			.view_until = 1,
			.do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE, .from = NODE(3), .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit_all(cluster, ms(500), 8);
}

static void test_other_order(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	other_order(cluster);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n3 executes tentatively 1 in view 0 [7]", "n3 undoes 1",
		"n3 executes tentatively 1 in view 1 [8]", "n3 confirms 1", "n3 confirms 2");
	assert_int_equal(cluster->nodes[3].executed[0].batch->transactions[0], 8);
	assert_int_equal(cluster->nodes[3].executed[1].batch->transactions[0], 7);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What was prepared in view 0 is not executed in view 1, which has not proposed it. */
static void test_of_this_view(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_submit(cluster, ms(1), 0, 10);
	other_order(cluster);
	cluster_rule(cluster,
		(struct cluster_rule){
			.to = NODE(3), .view_from = 1, .view_until = 2, .instance = 2, .delay_ns = ms(50)});
	cluster_run(cluster, ms(900));
	assert_true(pbft_slot_at(cluster, 3, 2)->prepared);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n3 confirms 1", "n3 executes tentatively 2 in view 1 [7]");
	assert_int_equal(cluster_told(cluster, 3, "executes tentatively 2"), 1);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The same for a replica that has missed the view change altogether, and hears of it from the new view. */
static void test_new_view_undoes_it(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	other_order(cluster);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE, .to = NODE(3), .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE, .instance = 2, .view_until = 1, .do_drop = true});
	cluster_run(cluster, ms(999));
	node_timer_cancel(cluster_node(cluster, 3), PBFT_TIMER_VIEW); /* its own timer is slow */
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster_told(cluster, 3, "start view change"), 0);
	cluster_assert_story(cluster, "n3 executes tentatively 1 in view 0 [7]",
		"n3 new view is valid -> enter it", "n3 undoes 1", "n3 confirms 1");
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A state that was fetched tells what was committed: the tentative instance goes or stays by that. */
static void test_fetched_state_decides(void **state)
{
	for (transaction_id committed = 7; committed <= 8; committed++) {
		struct cluster *cluster =
			pbft_cluster(4, "pbft batch=1 view_timeout=off tentative=on checkpoint_interval=1");
		cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .do_drop = true});
		cluster_submit(cluster, 0, 0, 7);
		cluster_run(cluster, ms(100));
		struct node *node = cluster_node(cluster, 3);
		assert_int_equal(cluster->nodes[3].tentative, 1);
		const struct batch *batch = cluster_batch(cluster, &committed, 1);
		pbft_at(cluster, 3)->asked = pbft_at(cluster, 3)->asked_from = 1;
		pbft_at(cluster, 3)->asked_digest = pbft_chain(0, batch);
		struct pbft_state_transfer body = {.first = 1, .n = 1, .batches = &batch};
		struct message message = {.kind = PBFT_STATE, .from = 1, .instance = 1, .body = &body};
		cluster->protocol->receive(node, &message);
		assert_int_equal(cluster->nodes[3].n_executed, 1);
		assert_int_equal(cluster->nodes[3].executed[0].batch->transactions[0], committed);
		assert_int_equal(cluster->nodes[3].n_undone, committed == 8);
		assert_int_equal(cluster_executed(cluster, 3, 7), committed == 7);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* A request that comes again meanwhile is answered again and not ordered again. */
static void test_reply_cache(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit_all(cluster, ms(25), 7);
	cluster_run(cluster, seconds(3));
	assert_int_equal(cluster_told(cluster, NODE_NONE, "request already executed -> resend reply"), 4);
	assert_int_equal(cluster->nodes[0].n_proposed, 1);
	assert_int_equal(cluster->nodes[0].n_transactions, 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static void test_reads(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_read(cluster, ms(5), 2, 20);
	cluster_submit(cluster, ms(100), 0, 7);
	cluster_read(cluster, ms(125), 2, 21); /* tentative since 120 ms, committed at 130 ms */
	cluster_read(cluster, ms(126), 2, 22);
	cluster_run(cluster, ms(129));
	assert_int_equal(cluster->nodes[2].n_reads, 1);
	cluster_run(cluster, ms(200));
	assert_int_equal(cluster->nodes[2].n_reads, 3);
	cluster_assert_story(cluster, "n2 read -> answer at once", "n2 reads for 20 after 0",
		"n2 executes tentatively 1 in view 0 [7]",
		"n2 read of a tentative state -> answer when that is committed", "n2 confirms 1",
		"n2 reads for 21 after 1", "n2 reads for 22 after 1");
	assert_int_equal(cluster->nodes[0].n_proposed, 1); /* none of them was ordered */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Undone, the state is older than one that others may have shown a reader by now: reads wait until what was
 * undone is executed again. */
static void test_reads_when_undone(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_read(cluster, ms(100), 2, 20);
	cluster_run(cluster, seconds(2));
	cluster_assert_story(cluster, "n2 executes tentatively 1 in view 0 [7]", "n2 undoes 1",
		"n2 confirms 1", "n2 reads for 20 after 1");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* With read_only off a read is a request like any other. */
static void test_reads_off(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1");
	const struct protocol *protocol = cluster->protocol;
	const void *settings = cluster_node(cluster, 0)->settings;
	assert_int_equal(protocol->reads(settings), READS_ORDERED);
	assert_int_equal(protocol->tentative_quorum(settings, 4, 1), 0);
	cluster_read(cluster, 0, 0, 7);
	cluster_run(cluster, ms(100));
	assert_int_equal(cluster->nodes[1].n_executed, 1);
	assert_int_equal(cluster->nodes[0].n_reads, 0);
	cluster_destroy(cluster);
}

static void test_quorums_of_clients(void **state)
{
	/* ceil((n+f+1)/2), with the most liars that n bears; the last one forced. */
	static const struct {
		uint32_t n, quorum;
		const char *protocol;
	} cases[] = {{4, 3, PBFT}, {6, 4, PBFT}, {7, 5, PBFT}, {7, 6, PBFT " quorum=6"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cluster *cluster = pbft_cluster(cases[i].n, cases[i].protocol);
		const struct protocol *protocol = cluster->protocol;
		const void *settings = cluster_node(cluster, 0)->settings;
		uint32_t f = (cases[i].n - 1) / 3;
		assert_int_equal(protocol->reads(settings), READS_ALL);
		assert_int_equal(protocol->read_quorum(settings, cases[i].n, f), cases[i].quorum);
		assert_int_equal(protocol->tentative_quorum(settings, cases[i].n, f), cases[i].quorum);
		assert_int_equal(protocol->reply_quorum(settings, f), cases[i].quorum); /* with read_only */
		cluster_destroy(cluster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executes_when_prepared),
		cmocka_unit_test(test_one_instance_at_a_time),
		cmocka_unit_test(test_view_change_undoes_it),
		cmocka_unit_test(test_other_order),
		cmocka_unit_test(test_of_this_view),
		cmocka_unit_test(test_new_view_undoes_it),
		cmocka_unit_test(test_fetched_state_decides),
		cmocka_unit_test(test_reply_cache),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_when_undone),
		cmocka_unit_test(test_reads_off),
		cmocka_unit_test(test_quorums_of_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
