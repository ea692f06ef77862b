/* PBFT's checkpoints, watermarks, garbage collection and state transfer. OSDI'99 4.3. */
#include "pbft.h"

#include <stdio.h>

/* Without a stable checkpoint the primary goes up to H = h + L, and not one further. */
static void test_primary_waits_at_the_high_watermark(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 checkpoint_interval=2 watermark_window=4 view_timeout=off");
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_CHECKPOINT, .do_hold = true});
	submit_many(cluster, 0, 0, 0, 10);
	cluster_run(cluster, seconds(1));
	assert_int_equal(cluster->nodes[0].max_proposed, 4);
	assert_int_equal(cluster->nodes[2].n_executed, 4);
	cluster_assert_story(cluster, "n0 proposes 4", "n0 window full -> wait");
	/* When the checkpoint is stable it goes on by itself. */
	cluster_rule_end(cluster, 0);
	cluster_release(cluster);
	cluster_run(cluster, seconds(2));
	cluster_assert_story(cluster, "n0 window full -> wait",
		"n0 checkpoint stable -> advance the watermarks", "n0 proposes 5", "n0 proposes 10");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 10);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A backup takes nothing above H either, nor at or below h. */
static void test_backup_keeps_to_the_watermarks(void **state)
{
	static const struct {
		uint64_t instance;
		bool taken;
	} cases[] = {{0, false}, {1, true}, {4, true}, {5, false}, {6, false}, {UINT64_MAX, false}};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct cluster *cluster = pbft_cluster(
			4, "pbft batch=1 checkpoint_interval=2 watermark_window=4 view_timeout=off");
		transaction_id t = 7;
		const struct batch *batch = cluster_batch(cluster, &t, 1);
		struct message message = {.kind = PBFT_PRE_PREPARE,
			.from = 0,
			.instance = cases[k].instance,
			.digest = batch->digest,
			.body = batch};
		cluster_inject(cluster, 0, 1, &message);
		cluster_run(cluster, seconds(1));
		assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], cases[k].taken ? 3 : 0);
		cluster_destroy(cluster);
	}
}

/* K = 5: a checkpoint after instances 5, 10, 15, of n(n-1) messages each. */
static void test_every_k_instances(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1 checkpoint_interval=5");
	submit_many(cluster, 0, ms(100), 0, 17);
	cluster_run(cluster, ms(430)); /* instances 1 to 5 */
	assert_int_equal(pbft_at(cluster, 1)->executed, 5);
	assert_int_equal(pbft_at(cluster, 1)->stable, 0);
	cluster_run(cluster, ms(440));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(pbft_at(cluster, i)->stable, 5);
	}
	cluster_run(cluster, seconds(10));
	assert_int_equal(cluster->received[PBFT_CHECKPOINT], 3 * 12);
	for EVERY_NODE(i, cluster) {
		assert_int_equal(pbft_at(cluster, i)->stable, 15);
		assert_int_equal(pbft_at(cluster, i)->stable_digest, pbft_at(cluster, 0)->stable_digest);
	}
	cluster_destroy(cluster);
}

/* n = 7: five equal votes make a checkpoint stable; four don't, nor one that comes often. */
static void test_stable_at_a_quorum(void **state)
{
	struct cluster *cluster = pbft_cluster(7, "pbft batch=1 checkpoint_interval=2");
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_CHECKPOINT,
			.from = NODE(3) | NODE(4) | NODE(5) | NODE(6),
			.to = NODE(1),
			.do_hold = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_CHECKPOINT, .from = NODE(2), .to = NODE(1), .duplicates = 4});
	submit_many(cluster, 0, 0, 0, 2);
	cluster_run(cluster, seconds(1));
	assert_int_equal(pbft_at(cluster, 1)->stable, 0); /* its own, 0's, 2's */
	assert_int_equal(pbft_at(cluster, 2)->stable, 2);
	struct message vote = {.kind = PBFT_CHECKPOINT,
		.from = 3,
		.instance = 2,
		.digest = pbft_at(cluster, 2)->stable_digest};
	struct message lie = vote;
	lie.from = 5;
	lie.digest ^= 1;
	cluster_inject(cluster, ms(1100), 1, &vote);
	cluster_inject(cluster, ms(1200), 1, &lie);
	cluster_run(cluster, ms(1300));
	assert_int_equal(pbft_at(cluster, 1)->stable, 0);
	vote.from = 4;
	cluster_inject(cluster, ms(1400), 1, &vote);
	cluster_run(cluster, ms(1400));
	assert_int_equal(pbft_at(cluster, 1)->stable, 2);
	cluster_destroy(cluster);
}

/* The ring of slots is used many times over: nothing of an old instance shows in a new one. */
static void test_slots_are_reused(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 checkpoint_interval=2 watermark_window=4 view_timeout=off",
		.latency = "uniform min=1ms max=30ms",
		.n = 4});
	submit_many(cluster, 0, ms(1), 0, 300);
	cluster_run(cluster, seconds(60));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 300);
		assert_int_equal(pbft_at(cluster, i)->stable, 300);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Votes of the past do not enter the slot that has been made new. */
static void test_old_votes_do_not_enter_a_reused_slot(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 checkpoint_interval=2 watermark_window=4 view_timeout=off");
	submit_many(cluster, 0, 0, 0, 4);
	cluster_run(cluster, seconds(1));
	const struct pbft_slot *slot = pbft_slot_at(cluster, 1, 1);
	assert_int_equal(slot->instance, 1);
	/* Instance 5 has the slot of instance 1; its pre-prepare reaches node 1 alone. */
	cluster_rule(cluster, (struct cluster_rule){.to = NODE(2) | NODE(3), .do_drop = true});
	submit_many(cluster, seconds(1), 0, 4, 1);
	cluster_run(cluster, seconds(2));
	assert_int_equal(slot->instance, 5);
	assert_int_equal(slot->prepares.n, 1); /* its own */
	assert_int_equal(slot->commits.n, 0);
	assert_null(slot->prepared_batch);
	assert_null(slot->committed_batch);
	cluster_destroy(cluster);
}

/* A liar claims checkpoints that will never be: those that are must still become stable. */
static void test_false_checkpoints_crowd_nothing_out(void **state)
{
	struct cluster *cluster = pbft_cluster(4, LAGGING);
	for (uint32_t to = 0; to < 3; to++) {
		for (uint64_t i = 1; i <= 50; i++) {
			struct message lie = {.kind = PBFT_CHECKPOINT,
				.from = 3,
				.instance = i % 2 == 0 ? (UINT64_C(1) << 62) / 5 * 5 + 5 * i : 5 * i,
				.digest = i};
			cluster_inject(cluster, 0, to, &lie);
		}
	}
	for (int i = 0; i < 400; i++) {
		struct message lie = {.kind = PBFT_CHECKPOINT,
			.from = 3,
			.instance = (uint64_t)(i / 4 * 5 + 1 + i % 4), /* no multiple of K */
			.digest = 1};
		for (uint32_t to = 0; to < 3; to++) {
			for (sim_time at = ms(1); at < ms(700); at += ms(10)) {
				cluster_inject(cluster, at, to, &lie);
			}
		}
	}
	cluster_crash(cluster, 0, 3);
	submit_many(cluster, ms(1), 0, 0, 40);
	cluster_run(cluster, seconds(5));
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(pbft_at(cluster, i)->stable, 40);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A wrong digest that comes first does not keep a replica that is behind from learning the right
 * one. */
static void test_false_digest_hides_nothing(void **state)
{
	struct cluster *cluster = pbft_cluster(4, LAGGING);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(3), .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	struct message lie = {.kind = PBFT_CHECKPOINT, .from = 2, .instance = 5, .digest = 99};
	cluster_inject(cluster, 0, 3, &lie);
	submit_many(cluster, ms(1), 0, 0, 5);
	cluster_run(cluster, seconds(9));
	cluster_assert_story(cluster, "n3 behind a stable checkpoint -> fetch unless it catches up",
		"n3 state matches the checkpoint -> take it");
	assert_int_equal(pbft_at(cluster, 3)->stable, 5);
	cluster_destroy(cluster);
}

/* Above the high watermark, too, only a quorum of equal claims is believed. */
static void test_claims_need_a_quorum(void **state)
{
	static const struct {
		uint64_t digests[3];
		bool believed;
	} cases[] = {{{7, 7, 7}, true}, {{7, 7, 8}, false}, {{7, 7, 0}, false}};
	for (size_t k = 0; k < 3; k++) {
		struct cluster *cluster = pbft_cluster(4, LAGGING);
		for (uint32_t from = 0; from < 3; from++) {
			struct message claim = {.kind = PBFT_CHECKPOINT,
				.from = from,
				.instance = 35,
				.digest = cases[k].digests[from]};
			if (claim.digest != 0) {
				cluster_inject(cluster, 0, 3, &claim);
				cluster_inject(cluster, 0, 3, &claim);
			}
		}
		cluster_run(cluster, seconds(1));
		assert_int_equal(pbft_at(cluster, 3)->fetch_target, cases[k].believed ? 35 : 0);
		cluster_destroy(cluster);
	}
}

/* Votes that came when the checkpoint was still above the high watermark count when it no longer
 * is. */
static void test_early_checkpoints_count_later(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 checkpoint_interval=2 watermark_window=2 view_timeout=10s");
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_CHECKPOINT, .instance = 2, .to = NODE(3), .delay_ns = ms(200)});
	submit_many(cluster, 0, 0, 0, 4);
	cluster_run(cluster, seconds(1));
	assert_int_equal(pbft_at(cluster, 3)->stable, 4);
	assert_int_equal(cluster->received[PBFT_FETCH], 0);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_primary_waits_at_the_high_watermark),
		cmocka_unit_test(test_backup_keeps_to_the_watermarks),
		cmocka_unit_test(test_every_k_instances),
		cmocka_unit_test(test_stable_at_a_quorum),
		cmocka_unit_test(test_slots_are_reused),
		cmocka_unit_test(test_old_votes_do_not_enter_a_reused_slot),
		cmocka_unit_test(test_false_checkpoints_crowd_nothing_out),
		cmocka_unit_test(test_false_digest_hides_nothing),
		cmocka_unit_test(test_claims_need_a_quorum),
		cmocka_unit_test(test_early_checkpoints_count_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
