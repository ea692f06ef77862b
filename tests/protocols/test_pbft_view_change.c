/* PBFT's view change and new view. OSDI'99 4.4. Delays of 10 ms and a view timeout of 1 s
 * throughout. */
#include "pbft.h"

#define PBFT "pbft batch=1 view_timeout=1s"

static void test_crashed_primary(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n0 crashes", "n1 timer expired -> change the view",
		"n1 start view change", "n1 follows nobody in 1",
		"n1 view changes from a quorum -> new view", "n1 leads 1", "n1 proposes 1 in view 1 [7]",
		"n2 new view is valid -> enter it", "n2 follows n1 in 1", "n2 executes 1 in view 1 [7]");
	for (uint32_t i = 1; i < 4; i++) {
		/* The timeout, view change, new view with pre-prepare, prepare, commit. */
		assert_int_equal(cluster->nodes[i].executed[0].at_ns, ms(1040));
		assert_int_equal(cluster_view(cluster, i), 1);
		assert_int_equal(cluster_leader(cluster, i), 1);
	}
	assert_int_equal(cluster->received[PBFT_VIEW_CHANGE], 6);
	assert_int_equal(cluster->received[PBFT_NEW_VIEW], 2);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A timer runs only while a request waits, and starts anew whenever one is executed. */
static void test_no_view_change_without_need(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	for (transaction_id t = 0; t < 300; t++) {
		cluster_submit_all(cluster, ms(10) * t, t);
	}
	cluster_crash(cluster, seconds(60), 0);
	cluster_run(cluster, seconds(120));
	assert_int_equal(cluster_told(cluster, NODE_NONE, "start view change"), 0);
	assert_int_equal(cluster->nodes[2].n_transactions, 300);
	cluster_destroy(cluster);
}

/* A primary that leaves one request out is replaced, however many others it serves meanwhile: the timer is
 * that of the oldest request. Once that is executed, it is started anew for the next. */
static void test_left_out_request(void **state)
{
	for (int found = 0; found < 2; found++) {
		struct cluster *cluster = pbft_cluster(4, PBFT);
		cluster_rule(cluster,
			(struct cluster_rule){.kind = MESSAGE_REQUEST,
				.to = NODE(0),
				.until_ns = found ? ms(800) : 0,
				.do_drop = true});
		cluster_submit(cluster, 0, 1, 7);
		cluster_submit(cluster, 0, 2, 7);
		cluster_submit(cluster, ms(800), 3, 7);
		for (transaction_id t = 100; t < 150; t++) {
			cluster_submit_all(cluster, ms(50) * (t - 99), t);
		}
		cluster_run(cluster, seconds(5));
		assert_int_equal(cluster_told(cluster, 1, "timer expired -> change the view"), !found);
		assert_int_equal(cluster_view(cluster, 1), !found);
		assert_int_equal(cluster->nodes[2].n_transactions, 51);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* f replicas that want another view are not believed; f+1 are, since one of them is honest. */
static void test_joins_at_f_plus_1(void **state)
{
	for (uint32_t n_impatient = 1; n_impatient <= 3; n_impatient++) {
		struct cluster *cluster = pbft_cluster(7, PBFT);
		cluster_crash(cluster, 0, 0);
		for (uint32_t i = 0; i < n_impatient; i++) {
			cluster_submit(cluster, 0, 4 + i, 7);
		}
		cluster_run(cluster, ms(1015));
		bool joins = n_impatient == 3;
		for (uint32_t i = 1; i < 4; i++) {
			assert_int_equal(cluster_view(cluster, i), joins);
			assert_int_equal(cluster_told(cluster, i, "view changes from f+1 replicas -> join"), joins);
		}
		cluster_destroy(cluster);
	}
}

/* It joins the smallest of the views that f+1 want. */
static void test_joins_the_smallest(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	for (uint32_t from = 2; from < 4; from++) {
		struct pbft_view_change *body = cluster_alloc(cluster, sizeof(*body));
		*body = (struct pbft_view_change){.view = from == 2 ? 9 : 5, .from = from};
		pbft_vouch(cluster, body, true);
		struct message message = {
			.kind = PBFT_VIEW_CHANGE, .from = from, .view = body->view, .body = body};
		cluster_inject(cluster, 0, 0, &message);
	}
	cluster_run(cluster, ms(5));
	assert_int_equal(cluster_view(cluster, 0), 5);
	cluster_destroy(cluster);
}

/* The new primary waits for 2f+1 view changes, its own among them; one that is lost is sent
 * again. */
static void test_new_view_at_a_quorum(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_submit_all(cluster, 0, 7);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE,
			.from = NODE(3),
			.to = NODE(1),
			.until_ns = ms(1500),
			.do_drop = true});
	cluster_run(cluster, ms(1990));
	assert_int_equal(cluster_told(cluster, 1, "new view"), 0);
	assert_int_equal(cluster_leader(cluster, 1), NODE_NONE);
	cluster_run(cluster, ms(2100));
	cluster_assert_story(cluster, "n3 no new view yet -> send the view change again",
		"n1 view changes from a quorum -> new view", "n3 executes 1 in view 1 [7]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static void test_lost_new_view_is_sent_again(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_submit_all(cluster, 0, 7);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_NEW_VIEW, .to = NODE(3), .max = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_run(cluster, ms(2500));
	cluster_assert_story(cluster, "n3 no new view yet -> send the view change again",
		"n1 view change for a view that has begun -> send the new view again",
		"n3 new view is valid -> enter it", "n3 executes 1 in view 1 [7]");
	assert_int_equal(cluster_view(cluster, 3), 1); /* before its timer, doubled, expires at 3.01 s */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A request that is prepared somewhere keeps its number in the new view, though the new primary has
 * another one to propose first. */
static void test_prepared_request_survives(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = MESSAGE_REQUEST, .do_drop = true});
	for (uint32_t i = 1; i < 4; i++) {
		cluster_submit(cluster, 0, i, 9); /* the primary never gets this one */
	}
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(5));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 2);
		assert_int_equal(cluster->nodes[i].executed[0].batch->transactions[0], 7);
		assert_int_equal(cluster->nodes[i].executed[0].view, 1);
		assert_int_equal(cluster->nodes[i].executed[1].batch->transactions[0], 9);
	}
	assert_int_equal(cluster->nodes[1].n_proposed, 1); /* [9]; [7] is in the new view */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* One replica has committed and executed, then the primary is gone: the others must decide the
 * same. */
static void test_committed_request_survives(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_COMMIT,
			.to = NODE(1) | NODE(2) | NODE(0),
			.view_until = 1,
			.do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = MESSAGE_REQUEST, .do_drop = true});
	for (uint32_t i = 1; i < 4; i++) {
		cluster_submit(cluster, 0, i, 9);
	}
	cluster_submit(cluster, 0, 0, 7);
	cluster_crash(cluster, ms(500), 0);
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster->nodes[3].executed[0].view, 0);
	assert_int_equal(cluster->nodes[1].executed[0].view, 1);
	assert_int_equal(cluster->nodes[1].executed[0].batch->transactions[0], 7);
	assert_true(cluster_same_logs(cluster, NODE(1) | NODE(2) | NODE(3)));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A request that was proposed and prepared nowhere is proposed again by the new primary, though no
 * client sends it again. */
static void test_unprepared_request_is_proposed_again(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE, .view_until = 1, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(
		cluster, "n1 leads 1", "n1 proposes 1 in view 1 [7]", "n3 executes 1 in view 1 [7]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* O: the batch prepared in the highest view, whoever says so first; a null request where none
 * was. */
static void test_highest_view_wins_and_gaps_are_null(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	const struct batch *batch[3];
	for (transaction_id t = 0; t < 3; t++) {
		batch[t] = cluster_batch(cluster, &t, 1);
	}
	/* Node 1 leads view 5. Instance 1: 0 in view 1, 1 in view 3. 2: nothing. 3: 2, twice. */
	const struct pbft_prepared low[] = {{1, 1, batch[0], NULL}, {3, 1, batch[2], NULL}};
	const struct pbft_prepared high[] = {{1, 3, batch[1], NULL}, {3, 2, batch[2], NULL}};
	vote_for_view(cluster, 2, 5, low, 2);
	vote_for_view(cluster, 3, 5, high, 2);
	cluster_run(cluster, seconds(10));
	cluster_assert_story(cluster, "n1 view changes from f+1 replicas -> join",
		"n1 view changes from a quorum -> new view",
		"n1 gap in the prepared requests -> null request", "n1 leads 5",
		"n1 executes 1 in view 5 [1]", "n1 executes 2 in view 5 []", "n1 executes 3 in view 5 [2]");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 3);
		assert_int_equal(cluster->nodes[i].executed[1].batch->n, 0);
	}
	/* Its next proposal comes after max-s. */
	cluster_submit(cluster, seconds(10), 1, 3);
	cluster_run(cluster, seconds(11));
	assert_int_equal(cluster->nodes[0].executed[3].batch->transactions[0], 3);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The same, reached by the protocol itself: instance 2 prepares, instance 1 never does. */
static void test_gap_becomes_a_null_request(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PRE_PREPARE, .instance = 1, .view_until = 1, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 0, 8);
	cluster_run(cluster, seconds(5));
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(cluster->nodes[i].executed[0].batch->n, 0);
		assert_int_equal(cluster->nodes[i].executed[1].batch->transactions[0], 8);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* n = 7: the primaries of views 0 and 1 are down. 1 s, then 2 s from the quorum of view changes
 * on. */
static void test_timeout_doubles_and_comes_down(void **state)
{
	struct cluster *cluster = pbft_cluster(7, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_crash(cluster, 0, 1);
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(9));
	cluster_assert_story(cluster, "n4 start view change", "n4 follows nobody in 1",
		"n4 timer expired -> change the view", "n4 follows nobody in 2", "n4 follows n2 in 2",
		"n4 executes 1 in view 2 [7]");
	for (uint32_t i = 2; i < 7; i++) {
		assert_int_equal(cluster->nodes[i].executed[0].at_ns, ms(1000 + 10 + 2000 + 40));
	}
	assert_int_equal(cluster_told(cluster, NODE_NONE, "start view change"), 10);
	/* It has come down: the next primary that is silent has one second. */
	mute(cluster, 2, 2);
	cluster_submit_all(cluster, seconds(10), 8);
	cluster_run(cluster, seconds(20));
	/* The silent primary is needed: it joins one delay later. */
	assert_int_equal(cluster->nodes[4].executed[1].at_ns, seconds(11) + ms(50));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A new view in which nothing is executed does not bring the timeout down. */
static void test_timeout_stays_up_without_progress(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	for (uint32_t view = 0; view < 3; view++) {
		mute(cluster, view, view);
	}
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(20));
	/* View 1 is entered at 1.02 s and left 2 s later; view 2 at 3.04 s (backups), left after 4
	 * s. The two backups of view 2 that time out are f+1, so that its primary joins. */
	assert_int_equal(cluster->nodes[0].n_executed, 1);
	assert_int_equal(cluster->nodes[0].executed[0].view, 3);
	assert_in_range(cluster->nodes[0].executed[0].at_ns, seconds(7), seconds(7.2));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crashed_primary),
		cmocka_unit_test(test_no_view_change_without_need),
		cmocka_unit_test(test_left_out_request),
		cmocka_unit_test(test_joins_at_f_plus_1),
		cmocka_unit_test(test_joins_the_smallest),
		cmocka_unit_test(test_new_view_at_a_quorum),
		cmocka_unit_test(test_lost_new_view_is_sent_again),
		cmocka_unit_test(test_prepared_request_survives),
		cmocka_unit_test(test_committed_request_survives),
		cmocka_unit_test(test_unprepared_request_is_proposed_again),
		cmocka_unit_test(test_highest_view_wins_and_gaps_are_null),
		cmocka_unit_test(test_gap_becomes_a_null_request),
		cmocka_unit_test(test_timeout_doubles_and_comes_down),
		cmocka_unit_test(test_timeout_stays_up_without_progress),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
