/* PBFT's new view where something goes wrong with it: false, twice, old, above the watermark, or for a replica
 * that restarts. OSDI'99 4.4. Delays of 10 ms and a view timeout of 1 s throughout. */
#include "pbft.h"

#define PBFT "pbft batch=1 view_timeout=1s"

/* Node 3 is down while the others change the view; it asks when it comes back. */
static void test_restarted_replica_learns_the_view(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 3);
	mute(cluster, 0, 0);
	cluster_submit_all(cluster, ms(1), 7);
	cluster_restart(cluster, seconds(5), 3);
	cluster_run(cluster, seconds(6));
	cluster_assert_story(cluster, "n2 executes 1 in view 1 [7]", "n3 restarts",
		"n1 asked from an earlier view -> send the new view again",
		"n3 new view is valid -> enter it", "n3 follows n1 in 1");
	cluster_destroy(cluster);
}

/* Node 3 is cut off meanwhile, and no client talks to it: it sees that others are in a later
 * view. Two of them must say so: a liar alone is not believed. */
static void test_cut_off_replica_learns_the_view(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_isolate(cluster, NODE(3), seconds(5));
	mute(cluster, 0, 0);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_STATUS, .until_ns = seconds(8.2), .do_drop = true});
	for (uint32_t i = 0; i < 3; i++) {
		cluster_submit(cluster, 0, i, 7);
	}
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster_view(cluster, 2), 1);
	for (int i = 0; i < 100; i++) {
		struct message lie = {.kind = PBFT_COMMIT, .from = 2, .view = 5, .instance = 1};
		cluster_inject(cluster, seconds(5), 3, &lie);
	}
	cluster_run(cluster, seconds(8.2));
	assert_int_equal(cluster->received[PBFT_FETCH], 0);
	cluster_submit(cluster, seconds(8.2), 1, 8);
	cluster_run(cluster, seconds(8.3));
	assert_int_equal(cluster_view(cluster, 3), 0); /* the new view may be on its way */
	cluster_run(cluster, seconds(9.2));
	cluster_assert_story(cluster, "n3 no progress -> tell the others how far it has come",
		"n3 new view is valid -> enter it", "n3 commits 2 in view 1 [8]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A replica that went down between view change and new view has lost its timers, not its view
 * change. */
static void test_restart_while_changing(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 1); /* the next primary; all others must change to view 2 */
	mute(cluster, 0, 0);
	cluster_submit_all(cluster, ms(1), 7);
	cluster_run(cluster, ms(1030));
	for EVERY_NODE(i, cluster) {
		if (i != 1) {
			assert_int_equal(cluster_view(cluster, i), 1);
			cluster_crash(cluster, ms(1040), i);
			cluster_restart(cluster, ms(1050), i);
		}
	}
	/* Nobody hears the view changes that are sent again: the timers alone must do it. */
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_VIEW_CHANGE, .view_from = 1, .view_until = 2, .do_drop = true});
	cluster_run(cluster, seconds(10));
	cluster_assert_story(cluster, "n2 restarts", "n2 leads 2", "n3 executes 1 in view 2 [7]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Node 3 alone gets a quorum of view changes for view 1 and goes on to view 2; nodes 1 and 2
 * have its view change for view 2 only. They must follow, or all wait for ever. */
static void test_view_changes_for_later_views_count(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE,
			.from = NODE(3),
			.view_from = 1,
			.view_until = 2,
			.do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(20));
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(cluster->nodes[i].n_executed, 1);
		assert_int_equal(cluster->nodes[i].executed[0].view, 2);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A new view that its primary can't have made is refused. */
static void test_false_new_views_are_refused(void **state)
{
	enum {
		TOO_FEW, DOUBLE, ANOTHER_VIEW, NOT_THE_PRIMARY, TOO_HIGH, MADE_UP, NOT_SIGNED, CHANGED, GOOD
	};
	for (int which = TOO_FEW; which <= GOOD; which++) {
		struct cluster *cluster = pbft_cluster(4, PBFT);
		struct pbft_new_view *body =
			cluster_alloc(cluster, sizeof(*body) + 4 * sizeof(body->view_changes[0]));
		uint64_t view = which == TOO_HIGH ? PBFT_VIEW_MAX + 1 : 1;
		*body = (struct pbft_new_view){.view = view, .from = 1, .size_bytes = 64};
		for (uint32_t i = 1; i < 4; i++) {
			struct pbft_view_change *vc = cluster_alloc(cluster, sizeof(*vc));
			*vc = (struct pbft_view_change){.view = view, .from = i};
			body->view_changes[body->n_view_changes++] = vc;
			if (which == ANOTHER_VIEW && i == 2) {
				vc->view = 2;
			}
			if (which == DOUBLE && i == 2) {
				vc->from = 1;
			}
			pbft_vouch(cluster, vc, true);
			if (which == MADE_UP && i == 3) { /* by its primary, in another's name */
				vc->signature = node_sign(cluster_node(cluster, 1), pbft_statement_view_change(vc));
			}
		}
		if (which == TOO_FEW) {
			body->n_view_changes--;
		}
		if (which == NOT_THE_PRIMARY) {
			body->from = 2;
		}
		pbft_sign_new_view(cluster_node(cluster, body->from), body, 0);
		if (which == NOT_SIGNED) { /* by a backup that sends it in its primary's name */
			body->signature = node_sign(cluster_node(cluster, 2), pbft_statement_new_view(body));
		} else if (which == CHANGED) {
			body->view_changes[2] = body->view_changes[1];
		}
		struct message message = {.kind = PBFT_NEW_VIEW, .from = 2, .view = view, .body = body};
		cluster_inject(cluster, 0, 3, &message);
		cluster_run(cluster, ms(500));
		assert_int_equal(cluster_view(cluster, 3), which == GOOD);
		assert_int_equal(cluster_told(cluster, 3, "-> refuse"), which != GOOD);
		cluster_destroy(cluster);
	}
}

/* One vote in another's name would make the new primary's V invalid: it is not taken. */
static void test_view_change_in_anothers_name_is_refused(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_submit_all(cluster, 0, 7);
	struct pbft_view_change *body = cluster_alloc(cluster, sizeof(*body));
	*body = (struct pbft_view_change){.view = 1, .from = 2};
	pbft_vouch(cluster, body, true);
	struct message message = {.kind = PBFT_VIEW_CHANGE, .from = 0, .view = 1, .body = body};
	cluster_inject(cluster, ms(500), 1, &message);
	cluster_run(cluster, ms(1100));
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	cluster_destroy(cluster);
}

/* The new primary has executed up to a checkpoint of which only the view changes tell it that it is
 * stable. What the new view covers comes before anything new of its own. */
static void test_new_primary_learns_the_checkpoint(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 view_timeout=1s checkpoint_interval=2 watermark_window=8");
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_CHECKPOINT, .to = NODE(1), .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_COMMIT, .instance = 3, .view_until = 1, .do_drop = true});
	for (transaction_id t = 0; t < 3; t++) {
		cluster_submit(cluster, 0, 0, t);
	}
	for (uint32_t i = 1; i < 4; i++) {
		cluster_submit(cluster, ms(200), i, 9);
	}
	cluster_crash(cluster, ms(100), 0);
	cluster_run(cluster, ms(1100));
	assert_int_equal(pbft_at(cluster, 1)->stable, 2);
	cluster_assert_story(cluster, "n1 leads 1", "n1 proposes 4 in view 1 [9]",
		"n1 executes 3 in view 1 [2]", "n1 executes 4 in view 1 [9]");
	assert_int_equal(
		cluster_told(cluster, NODE_NONE, "second pre-prepare for the same number -> refuse"), 0);
	assert_true(cluster_same_logs(cluster, NODE(1) | NODE(2) | NODE(3)));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Node 3 has missed everything and the quorum needs it: it fetches the state that the new view
 * stands on, then takes part in what the new view proposes again, above its watermark of before. */
static void test_new_view_above_the_watermark(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 view_timeout=1s checkpoint_interval=2 watermark_window=4");
	cluster_isolate(cluster, NODE(3), ms(900));
	for (uint64_t instance = 7; instance <= 8; instance++) {
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_COMMIT,
				.instance = instance,
				.view_until = 1,
				.do_drop = true});
	}
	for (transaction_id t = 0; t < 8; t++) {
		cluster_submit(cluster, ms(40) * t, 0, t);
	}
	cluster_submit(cluster, 0, 3, 7); /* so that its timer runs, too */
	cluster_crash(cluster, ms(500), 0);
	/* Meanwhile no primary can make it believe in something else at a number below. */
	transaction_id other = 99;
	const struct batch *batch = cluster_batch(cluster, &other, 1);
	struct message lie = {.kind = PBFT_PRE_PREPARE,
		.from = 1,
		.view = 1,
		.instance = 2,
		.digest = batch->digest,
		.body = batch};
	cluster_inject(cluster, ms(1280), 3, &lie);
	cluster_run(cluster, seconds(3));
	cluster_assert_story(cluster, "n3 new view is valid -> enter it",
		"n3 pre-prepare for a number that the new view covers -> refuse",
		"n3 state matches the checkpoint -> take it", "n3 commits 7 in view 1 [6]");
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(cluster->nodes[i].n_executed, 8);
		assert_int_equal(cluster_view(cluster, i), 1);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The same, but the state comes when the replica has left that view: what the view proposed is
 * of the past. */
static void test_state_while_changing(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 view_timeout=1s checkpoint_interval=2 watermark_window=4");
	cluster_isolate(cluster, NODE(3), ms(900));
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_COMMIT, .instance = 7, .view_until = 1, .do_drop = true});
	for (transaction_id t = 0; t < 8; t++) {
		cluster_submit(cluster, ms(40) * t, 0, t);
	}
	cluster_submit(cluster, 0, 3, 7);
	cluster_crash(cluster, ms(500), 0);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_STATE, .to = NODE(3), .do_hold = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_VIEW_CHANGE, .view_from = 2, .view_until = 3, .do_drop = true});
	size_t prepares = cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PREPARE, .from = NODE(3), .view_from = 2, .view_until = 3});
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster_view(cluster, 3), 2);
	assert_int_equal(cluster_leader(cluster, 3), NODE_NONE);
	assert_true(cluster_release(cluster) > 0);
	cluster_run(cluster, seconds(6));
	assert_int_equal(cluster->nodes[3].n_executed, 6);
	assert_int_equal(cluster_struck(cluster, prepares), 0);
	cluster_destroy(cluster);
}

/* Votes of an earlier view don't count in a later one, though the batch is the same. */
static void test_votes_count_in_their_view_only(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PREPARE, .view_from = 1, .view_until = 2, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(1500));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster_view(cluster, i), 1);
		assert_false(pbft_slot_at(cluster, i, 1)->prepared);
		assert_int_equal(cluster->nodes[i].n_committed, 0);
	}
	cluster_destroy(cluster);
}

/* A new view that comes twice is entered once. */
static void test_new_view_comes_twice(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_NEW_VIEW, .duplicates = 2});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster_told(cluster, 2, "follows n1 in 1"), 1);
	assert_int_equal(cluster->nodes[2].n_executed, 1);
	cluster_destroy(cluster);
}

/* The primary of view 0 leads again in view 4: what it proposed then was for then. */
static void test_primary_proposes_again_when_its_turn_comes(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE, .view_until = 4, .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(40));
	cluster_assert_story(cluster, "n0 proposes 1 in view 0 [7]", "n0 leads 4",
		"n0 proposes 1 in view 4 [7]", "n3 executes 1 in view 4 [7]");
	cluster_destroy(cluster);
}

/* The primary of view 0 alone knows of 7, and the others never see its proposal. In view 1 it
 * holds 7 still, though its number goes to 8, and proposes it when it leads again. */
static void test_request_is_kept_until_its_turn_comes(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	mute(cluster, 0, 0);
	for (uint32_t view = 1; view < 4; view++) {
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
				.instance = 2,
				.view_from = view,
				.view_until = view + 1,
				.do_drop = true});
	}
	cluster_rule(cluster, (struct cluster_rule){.kind = MESSAGE_REQUEST, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	for (uint32_t i = 1; i < 4; i++) {
		cluster_submit(cluster, 0, i, 8);
		cluster_submit(cluster, seconds(2), i, 9);
	}
	cluster_run(cluster, seconds(60));
	cluster_assert_story(cluster, "n0 executes 1 in view 1 [8]", "n0 leads 4",
		"n0 proposes 2 in view 4 [7]", "n3 executes 2 in view 4 [7]");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A primary that restarts has lost the timer of its batch, not the batch. */
static void test_primary_restarts_with_requests(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=4 batch_delay=50ms");
	cluster_submit(cluster, 0, 0, 7);
	cluster_crash(cluster, ms(10), 0);
	cluster_restart(cluster, ms(20), 0);
	cluster_run(cluster, seconds(1));
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	cluster_destroy(cluster);
}

/* All backups restart while a request waits and the primary is gone: their timers begin anew. */
static void test_restart_while_waiting(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_submit_all(cluster, 0, 7);
	for (uint32_t i = 1; i < 4; i++) {
		cluster_crash(cluster, ms(500), i);
		cluster_restart(cluster, ms(600), i);
	}
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	assert_int_equal(cluster->nodes[3].executed[0].at_ns, ms(1640));
	cluster_destroy(cluster);
}

/* A view that no run reaches is a lie, whoever says it, and there is none after the last one. */
static void test_views_without_end_are_refused(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	vote_for_view(cluster, 2, UINT64_MAX, NULL, 0);
	vote_for_view(cluster, 3, UINT64_MAX, NULL, 0);
	cluster_run(cluster, ms(100));
	assert_int_equal(cluster_view(cluster, 0), 0);
	assert_int_equal(cluster_view(cluster, 1), 0);
	cluster_destroy(cluster);
}

/* While it changes the view a replica takes no messages of the old one. */
static void test_no_old_messages_while_changing(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	size_t rule = cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(3), .do_hold = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(1500)); /* node 3 alone wants view 1 */
	assert_int_equal(cluster_view(cluster, 3), 1);
	cluster_rule_end(cluster, rule);
	assert_int_equal(cluster_release(cluster), 3);
	cluster_run(cluster, seconds(2));
	assert_int_equal(cluster->nodes[3].n_committed, 0);
	cluster_destroy(cluster);
}

/* Votes of the next view that overtake the new view are held and count when it has come. */
static void test_votes_before_the_new_view(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	cluster_crash(cluster, 0, 0);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_NEW_VIEW, .to = NODE(3), .delay_ns = ms(500)});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(10));
	/* Three are live and all are needed: its prepare at 1.52 s, and then the others' commits. */
	assert_int_equal(cluster->nodes[3].executed[0].at_ns, ms(1540));
	assert_int_equal(cluster_told(cluster, NODE_NONE, "start view change"), 3);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restarted_replica_learns_the_view),
		cmocka_unit_test(test_cut_off_replica_learns_the_view),
		cmocka_unit_test(test_restart_while_changing),
		cmocka_unit_test(test_view_changes_for_later_views_count),
		cmocka_unit_test(test_false_new_views_are_refused),
		cmocka_unit_test(test_view_change_in_anothers_name_is_refused),
		cmocka_unit_test(test_new_primary_learns_the_checkpoint),
		cmocka_unit_test(test_new_view_above_the_watermark),
		cmocka_unit_test(test_state_while_changing),
		cmocka_unit_test(test_votes_count_in_their_view_only),
		cmocka_unit_test(test_new_view_comes_twice),
		cmocka_unit_test(test_primary_proposes_again_when_its_turn_comes),
		cmocka_unit_test(test_request_is_kept_until_its_turn_comes),
		cmocka_unit_test(test_primary_restarts_with_requests),
		cmocka_unit_test(test_restart_while_waiting),
		cmocka_unit_test(test_views_without_end_are_refused),
		cmocka_unit_test(test_no_old_messages_while_changing),
		cmocka_unit_test(test_votes_before_the_new_view),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
