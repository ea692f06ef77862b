/* PBFT's state transfer, and what brings a replica that missed messages up to date. OSDI'99 4.3, 5.3. */
#include "pbft.h"

#include <stdio.h>


static struct cluster *lagging_cluster(uint32_t n_before, uint32_t n_after)
{
	struct cluster *cluster = pbft_cluster(4, LAGGING);
	cluster_isolate(cluster, NODE(3), seconds(1));
	submit_many(cluster, 0, 0, 0, n_before);
	submit_many(cluster, seconds(1), 0, n_before, n_after);
	return cluster;
}

/* A replica that missed 30 instances and 6 checkpoints hears of the seventh, far above its
 * watermark. */
static void test_state_transfer(void **state)
{
	struct cluster *cluster = lagging_cluster(30, 5);
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster->nodes[3].n_executed, 0); /* it may only be late: half a timeout */
	cluster_run(cluster, seconds(20));
	cluster_assert_story(cluster, "n3 behind a stable checkpoint -> fetch unless it catches up",
		"n3 still behind -> fetch the state", "n3 state matches the checkpoint -> take it",
		"n3 executes 1 in", "n3 executes 35 in", "n3 checkpoint stable -> advance the watermarks");
	assert_int_equal(pbft_at(cluster, 3)->state_digest, pbft_at(cluster, 0)->state_digest);
	assert_int_equal(pbft_at(cluster, 3)->stable, 35);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(cluster->received[PBFT_FETCH], 1);
	/* And takes part again: its votes count. */
	cluster_crash(cluster, seconds(20), 2);
	submit_many(cluster, seconds(21), 0, 35, 5);
	cluster_run(cluster, seconds(25));
	assert_int_equal(cluster->nodes[3].n_executed, 40);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static void spoil(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct pbft_state_transfer *good = message->body;
	struct pbft_state_transfer *bad = cluster_alloc(cluster, sizeof(*bad));
	const struct batch **batches = cluster_alloc(cluster, good->n * sizeof(const struct batch *));
	*bad = *good;
	for (uint64_t i = 0; i < good->n; i++) {
		batches[i] = good->batches[i];
	}
	const struct batch *first = batches[0];
	batches[0] = batches[1];
	batches[1] = first;
	bad->batches = batches;
	message->body = bad;
}

/* A liar sends the batches in another order; the next replica is asked. */
static void test_wrong_state_is_refused(void **state)
{
	struct cluster *cluster = lagging_cluster(30, 5);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_STATE, .max = 1, .replace = spoil});
	cluster_run(cluster, seconds(40));
	cluster_assert_story(cluster, "n3 still behind -> fetch the state",
		"n3 state does not match the checkpoint's digest -> refuse",
		"n3 still behind -> fetch the state", "n3 state matches the checkpoint -> take it");
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static void test_lost_state_is_asked_for_again(void **state)
{
	struct cluster *cluster = lagging_cluster(30, 5);
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATE, .max = 2, .do_drop = true});
	cluster_run(cluster, seconds(60));
	assert_int_equal(cluster->received[PBFT_FETCH], 3);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_destroy(cluster);
}

/* The largest state message, and how many there were. */
struct parts {
	uint32_t bytes_max;
	uint64_t n;
};

static bool note_part(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	struct parts *parts = context;
	parts->n++;
	parts->bytes_max = message->size_bytes > parts->bytes_max ? message->size_bytes : parts->bytes_max;
	return false;
}

/* 3000 bytes a transaction: a state of 25 and more goes in parts of three, of one batch at least, or whole. */
static void test_state_goes_in_parts(void **state)
{
	static const struct {
		const char *chunk;
		uint32_t bytes;
	} cases[] = {{"10000B", 9000}, {"1B", 3000}, {"9000B", 9000}, {"1000000B", 0}};
	for (size_t c = 0; c < 4; c++) {
		char protocol[128];
		snprintf(protocol, sizeof(protocol), LAGGING " state_chunk=%s", cases[c].chunk);
		struct parts parts = {0};
		struct cluster *cluster = cluster_create(
			&(struct cluster_options){.protocol = protocol, .n = 4, .transaction_bytes = 3000});
		cluster_rule(
			cluster, (struct cluster_rule){.kind = PBFT_STATE, .when = note_part, .context = &parts});
		cluster_isolate(cluster, NODE(3), seconds(2));
		submit_many(cluster, 0, ms(50), 0, 25);
		submit_many(cluster, seconds(3), ms(50), 25, 30);
		cluster_run(cluster, seconds(40));
		assert_true(cluster_same_logs(cluster, NODES_ALL));
		assert_int_equal(cluster->nodes[3].n_executed, 55);
		if (cases[c].bytes > 0) {
			assert_int_equal(parts.bytes_max, PBFT_HEADER_BYTES + cases[c].bytes);
			assert_true(parts.n * cases[c].bytes >= 25 * 3000);
		} else {
			assert_true(parts.bytes_max > PBFT_HEADER_BYTES + 9000 && parts.n < 10);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* A part that is lost is asked for again, of another, and not what came before it; one that is false costs what
 * has come; one that was not asked for, nothing. */
static void false_part(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct pbft_state_transfer *good = message->body;
	struct pbft_state_transfer *bad = cluster_alloc(cluster, sizeof(*bad));
	const struct batch **batches = cluster_alloc(cluster, good->n * sizeof(const struct batch *));
	for (uint64_t i = 0; i < good->n; i++) {
		batches[i] = cluster_batch(cluster, NULL, 0);
	}
	*bad = (struct pbft_state_transfer){.first = good->first, .n = good->n, .batches = batches};
	message->body = bad;
}

static void test_parts_lost_and_false(void **state)
{
	for (int what = 0; what < 3; what++) {
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = LAGGING " state_chunk=10000B", .n = 4, .transaction_bytes = 3000});
		if (what == 0) {
			cluster_rule(cluster,
				(struct cluster_rule){.kind = PBFT_STATE, .from_ns = seconds(3.3), .max = 3, .do_drop = true});
		} else if (what == 1) {
			cluster_rule(cluster,
				(struct cluster_rule){.kind = PBFT_STATE, .from = NODE(1) | NODE(2), .max = 2, .replace = false_part});
		}
		cluster_isolate(cluster, NODE(3), seconds(2));
		submit_many(cluster, 0, ms(50), 0, 25);
		submit_many(cluster, seconds(3), ms(50), 25, 30);
		if (what == 2) {
			struct pbft_state_transfer *body = cluster_alloc(cluster, sizeof(*body));
			transaction_id t = 99;
			const struct batch **batches = cluster_alloc(cluster, sizeof(const struct batch *));
			batches[0] = cluster_batch(cluster, &t, 1);
			*body = (struct pbft_state_transfer){.first = 1, .n = 1, .batches = batches};
			for (int i = 0; i < 2000; i++) {
				for (uint64_t last = 5; last <= 55; last += 5) {
					struct message lie = {.kind = PBFT_STATE, .from = 2, .instance = last, .body = body};
					cluster_inject(cluster, seconds(2) + ms(5) * i, 3, &lie);
				}
			}
			cluster_lies(cluster, 2);
		}
		cluster_run(cluster, seconds(60));
		assert_int_equal(cluster->nodes[3].n_executed, 55);
		assert_true(cluster_same_logs(cluster, NODES_ALL));
		if (what < 2) { /* the liar may be the one that is asked, too */
			assert_int_equal(cluster->world.refused > 0, what == 1);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* A state that nobody asked for changes nothing. */
static void test_state_unasked_for(void **state)
{
	struct cluster *cluster = pbft_cluster(4, LAGGING);
	transaction_id t = 7;
	const struct batch **batches = cluster_alloc(cluster, sizeof(const struct batch *));
	batches[0] = cluster_batch(cluster, &t, 1);
	struct pbft_state_transfer *body = cluster_alloc(cluster, sizeof(*body));
	for (uint64_t first = 0; first < 2; first++) {
		*body = (struct pbft_state_transfer){.first = first, .n = 1, .batches = batches};
		struct message message = {.kind = PBFT_STATE, .from = 3, .body = body};
		cluster_inject(cluster, 0, 1, &message);
		cluster_run(cluster, seconds(1));
	}
	assert_int_equal(cluster->nodes[1].n_executed, 0);
	cluster_destroy(cluster);
}

/* Late by one delay is not behind: no state is fetched, however long the load lasts. */
static void test_late_is_not_behind(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 checkpoint_interval=5 watermark_window=20 view_timeout=200ms",
		.latency = "constant value=1ms",
		.n = 4});
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(3), .delay_ns = ms(8)});
	submit_many(cluster, 0, ms(1), 0, 3000);
	cluster_run(cluster, seconds(4));
	assert_int_equal(cluster->received[PBFT_FETCH], 0);
	assert_int_equal(cluster->nodes[3].n_executed, 3000);
	assert_int_equal(cluster_view(cluster, 3), 0);
	cluster_destroy(cluster);
}

/* New checkpoints every few milliseconds must not keep a replica that is behind from fetching,
 * and it comes back in step while the load goes on. */
static void test_catches_up_under_load(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 checkpoint_interval=5 watermark_window=10 view_timeout=1s",
		.latency = "constant value=1ms",
		.n = 4});
	cluster_isolate(cluster, NODE(3), ms(200));
	submit_many(cluster, 0, ms(1), 0, 3000);
	cluster_run(cluster, seconds(2));
	assert_true(pbft_at(cluster, 0)->executed > 1900);
	assert_true(pbft_at(cluster, 3)->executed + 20 > pbft_at(cluster, 0)->executed);
	/* In step again: late is not behind any more. */
	uint64_t n_fetched = cluster->received[PBFT_FETCH];
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(3), .delay_ns = ms(3)});
	cluster_run(cluster, seconds(4));
	assert_int_equal(cluster->received[PBFT_FETCH], n_fetched);
	assert_int_equal(pbft_at(cluster, 3)->executed, 3000);
	assert_int_equal(pbft_at(cluster, 3)->state_digest, pbft_at(cluster, 0)->state_digest);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* One that was down asks at once, and needs no new traffic to catch up. */
static void test_restarted_replica_catches_up(void **state)
{
	struct cluster *cluster = pbft_cluster(4, LAGGING);
	cluster_crash(cluster, 0, 3);
	submit_many(cluster, ms(1), 0, 0, 30);
	cluster_restart(cluster, seconds(1), 3);
	cluster_run(cluster, seconds(7));
	cluster_assert_story(cluster, "n3 restarts",
		"n3 behind a stable checkpoint -> fetch unless it catches up",
		"n3 state matches the checkpoint -> take it");
	assert_int_equal(pbft_at(cluster, 3)->stable, 30);
	cluster_destroy(cluster);
}

/* One that went down while it was behind knows so, and fetches when it is up. */
static void test_restart_while_behind(void **state)
{
	struct cluster *cluster = lagging_cluster(30, 5);
	cluster_crash(cluster, seconds(2), 3);
	cluster_restart(cluster, seconds(3), 3);
	cluster_run(cluster, seconds(3.5));
	cluster_assert_story(cluster, "n3 restarts", "n3 still behind -> fetch the state",
		"n3 executes 35 in");
	cluster_destroy(cluster);
}

/* All votes on a checkpoint are lost and all replicas stand at the high watermark: the view
 * change sends them again. */
static void test_lost_checkpoints_are_sent_again(void **state)
{
	struct cluster *cluster =
		pbft_cluster(4, "pbft batch=1 checkpoint_interval=2 watermark_window=2 view_timeout=1s");
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_CHECKPOINT, .until_ns = ms(500), .do_drop = true});
	for (transaction_id t = 0; t < 4; t++) {
		cluster_submit_all(cluster, 0, t);
	}
	cluster_run(cluster, seconds(20));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_transactions, 4);
		assert_int_equal(pbft_at(cluster, i)->stable, pbft_at(cluster, i)->executed / 2 * 2);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The last instance below the next checkpoint: one that lost all votes on it gets them again. */
static void test_status_brings_the_last_instance(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_COMMIT, .to = NODE(3), .until_ns = ms(100), .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(400));
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	assert_int_equal(cluster->received[PBFT_STATUS], 3);
	cluster_run(cluster, seconds(9));
	assert_int_equal(cluster->received[PBFT_STATUS], 3);
	assert_int_equal(cluster_view(cluster, 3), 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* All copies of one kind are lost, so that nobody has executed anything to be fetched: each sends again what
 * the others lack, and the primary stays. */
static void test_status_brings_all_votes(void **state)
{
	static const uint8_t kinds[] = {PBFT_PRE_PREPARE, PBFT_PREPARE, PBFT_COMMIT};
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
		cluster_rule(cluster,
			(struct cluster_rule){.kind = kinds[i], .until_ns = ms(100), .do_drop = true});
		cluster_submit_all(cluster, 0, 7);
		cluster_run(cluster, ms(990));
		for EVERY_NODE(k, cluster) {
			assert_int_equal(cluster->nodes[k].n_executed, 1);
			assert_int_equal(cluster_view(cluster, k), 0);
		}
		assert_int_equal(cluster->received[PBFT_FETCH], 0);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* One that has left the view alone fetches what f+1 have executed. */
static void test_lone_replica_follows(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
	cluster_isolate(cluster, NODE(3), ms(1500));
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(3));
	assert_true(pbft_at(cluster, 3)->changing);
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	cluster_assert_story(cluster, "n3 f+1 have executed more -> fetch it",
		"n3 state is what f+1 have executed -> take it", "n3 executes 1 in");
	cluster_destroy(cluster);
}

/* Where nothing is lost, or nothing is to be sent again, there is no status. */
static void test_no_status_without_loss(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1");
	submit_many(cluster, 0, ms(5), 0, 250);
	cluster_run(cluster, seconds(20));
	assert_int_equal(cluster->received[PBFT_STATUS], 0);
	cluster_destroy(cluster);
	cluster = pbft_cluster(4, "pbft batch=1 view_timeout=off");
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(3), .do_drop = true});
	submit_many(cluster, 0, 0, 0, 1);
	cluster_run(cluster, seconds(60));
	assert_int_equal(cluster->received[PBFT_STATUS], 0);
	assert_int_equal(cluster->nodes[3].n_executed, 0);
	cluster_destroy(cluster);
}

/* f liars' digests, however often, are not fetched; asking often brings no more answers. */
static void test_liars_get_nothing_by_status(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
	submit_many(cluster, 0, 0, 0, 1);
	cluster_run(cluster, seconds(1));
	uint64_t *digests = cluster_alloc(cluster, sizeof(*digests));
	digests[0] = 99;
	struct pbft_executed *body = cluster_alloc(cluster, sizeof(*body));
	*body = (struct pbft_executed){.first = 2, .n = 1, .digests = digests};
	struct message lie = {.kind = PBFT_EXECUTED, .from = 3, .instance = 2, .body = body};
	struct message ask = {.kind = PBFT_STATUS, .from = 3, .instance = 1, .flags = UINT16_MAX};
	for (int i = 0; i < 100; i++) {
		cluster_inject(cluster, seconds(1), 1, &lie);
		cluster_inject(cluster, seconds(1), 1, &ask);
	}
	cluster_run(cluster, seconds(2));
	assert_int_equal(cluster->received[PBFT_FETCH], 0);
	/* One answer: prepare and commit again. */
	assert_true(cluster->world.messages[CLASS_CONTROL] <= 3);
	assert_int_equal(cluster_told(cluster, 3, "f+1 have executed more"), 0);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_transfer),
		cmocka_unit_test(test_wrong_state_is_refused),
		cmocka_unit_test(test_lost_state_is_asked_for_again),
		cmocka_unit_test(test_state_goes_in_parts),
		cmocka_unit_test(test_parts_lost_and_false),
		cmocka_unit_test(test_state_unasked_for),
		cmocka_unit_test(test_late_is_not_behind),
		cmocka_unit_test(test_catches_up_under_load),
		cmocka_unit_test(test_restarted_replica_catches_up),
		cmocka_unit_test(test_restart_while_behind),
		cmocka_unit_test(test_lost_checkpoints_are_sent_again),
		cmocka_unit_test(test_status_brings_the_last_instance),
		cmocka_unit_test(test_status_brings_all_votes),
		cmocka_unit_test(test_lone_replica_follows),
		cmocka_unit_test(test_no_status_without_loss),
		cmocka_unit_test(test_liars_get_nothing_by_status),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
