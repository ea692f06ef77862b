/* Log compaction and snapshots. Raft 7, figure 13; thesis 5. */
#include "raft.h"

/* Each server takes a snapshot of its own, and the log begins at the one before. */
static void compaction(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10", 3);
	for (uint32_t i = 0; i < 35; i++) {
		cluster_submit(cluster, i * 5 * MS, 0, i);
	}
	cluster_run(cluster, 1000 * MS);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster_told(cluster, i, "enough applied -> take a snapshot"), 3);
		assert_in_range(raft(cluster, i)->snapshot, 30, 33);
		assert_in_range(raft(cluster, i)->base, 20, 23);
		assert_int_equal(cluster->nodes[i].n_executed, 35);
	}
	assert_int_equal(cluster_told(cluster, NODE_NONE, "snapshot goes further"), 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A server that was away for longer than the log reaches back gets a snapshot, then appends. */
static void slow_follower(void **state)
{
	struct cluster *cluster = create(
		"raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10 snapshot_size=5000", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 1000 * MS, 2);
	for (uint32_t i = 0; i < 35; i++) {
		cluster_submit(cluster, (2 + i) * 5 * MS, 0, i);
	}
	cluster_submit(cluster, 1200 * MS, 0, 40);
	cluster_run(cluster, 990 * MS);
	uint64_t bytes = cluster->world.bytes[CLASS_CONTROL];
	cluster_run(cluster, 1500 * MS);
	cluster_assert_story(cluster, "n2 restarts", "n2 log is too short -> refuse",
		"n0 append refused -> go back", "n0 next entry is discarded -> send the snapshot",
		"n2 snapshot goes further -> install it", "n2 commits 1 in view 1 [0]",
		"n2 executes 30 in view 1 [29]", "n2 appends 31 in view 1 [30]",
		"n2 appends 35 in view 1 [34]", "n2 appends 36 in view 1 [40]",
		"n2 executes 36 in view 1 [40]");
	assert_int_equal(cluster_told(cluster, 2, "install it"), 1);
	assert_int_equal(cluster_told(cluster, 2, "appends"), 6); /* the rest came with the snapshot */
	assert_in_range(cluster->world.bytes[CLASS_CONTROL] - bytes, 5000, 5000 + 20 * 200);
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Figure 13, rules 1, 6 and 7, on a server that holds entries 1 to 12 of term 1, 4 of them committed. */
static void rules_of_figure_13(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=off", 3);
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(1), .from_ns = 100 * MS, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(2), .from_ns = 100 * MS, .do_drop = true});
	for (uint32_t i = 0; i < 4; i++) {
		cluster_submit(cluster, 0, 0, i);
	}
	for (uint32_t i = 4; i < 12; i++) {
		cluster_submit(cluster, 50 * MS, 0, i);
	}
	for (uint32_t i = 12; i < 20; i++) {
		cluster_submit(cluster, 200 * MS, 0, i);
	}
	cluster_run(cluster, 300 * MS);
	assert_int_equal(raft(cluster, 1)->last, 12);
	assert_int_equal(raft(cluster, 1)->commit, 4);
	struct raft_snapshot body = {.entries = raft(cluster, 0)->log,
		.config = raft(cluster, 0)->first_config};
	struct message message = {.kind = RAFT_SNAPSHOT, .from = 0, .digest = 1, .flags = RAFT_FLAG_DONE,
		.size_bytes = RAFT_HEADER_BYTES};
	/* 1: of an old term */
	raft_step_down(cluster_node(cluster, 1), 2);
	message.view = 1;
	message.instance = body.index = 8;
	message.body = &body;
	tell_now(cluster, 1, message);
	assert_int_equal(raft(cluster, 1)->commit, 4);
	/* what is committed already */
	message.view = 2;
	message.instance = body.index = 3;
	tell_now(cluster, 1, message);
	assert_int_equal(raft(cluster, 1)->commit, 4);
	/* 6: it holds the last entry of the snapshot: what follows it stays */
	message.instance = body.index = 8;
	tell_now(cluster, 1, message);
	assert_int_equal(raft(cluster, 1)->commit, 8);
	assert_int_equal(raft(cluster, 1)->last, 12);
	/* 2 to 4: it comes in chunks; one that has come before, or that leaves a gap, changes nothing */
	message.instance = body.index = 20;
	static const uint32_t chunks[][3] = {{0, 0, 1}, {2, 0, 1}, {1, 0, 2}, {0, 0, 2}, {3, 1, 2}, {2, 1, 3}};
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		assert_int_equal(raft(cluster, 1)->last, 12);
		message.extra = 1000 * chunks[i][0];
		message.flags = chunks[i][1] != 0 ? RAFT_FLAG_DONE : 0;
		message.size_bytes = RAFT_HEADER_BYTES + 1000;
		tell_now(cluster, 1, message);
		assert_int_equal(raft(cluster, 1)->partial_bytes, 1000 * chunks[i][2]);
	}
	/* 7: it does not hold the last entry */
	assert_int_equal(raft(cluster, 1)->commit, 20);
	assert_int_equal(raft(cluster, 1)->applied, 20);
	assert_int_equal(raft(cluster, 1)->base, 20);
	cluster_assert_story(cluster, "n1 snapshot of an old term -> refuse",
		"n1 snapshot of what is committed -> ignore", "n1 snapshot of what the log holds -> keep the log",
		"n1 executes 8 in view 1 [7]", "n1 snapshot goes further -> install it",
		"n1 executes 20 in view 1 [19]");
	/* 7: and a snapshot that ends before the log, at an entry of another term, replaces the log */
	raft(cluster, 2)->log[9].term = 9;
	assert_int_equal(raft(cluster, 2)->last, 12);
	message.instance = body.index = 10;
	message.extra = 0;
	tell_now(cluster, 2, message);
	assert_int_equal(raft(cluster, 2)->last, 10);
	assert_int_equal(raft(cluster, 2)->applied, 10);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A snapshot is lost: the probes that go on without entries find that out. */
static void snapshot_lost(void **state)
{
	struct cluster *cluster =
		create("raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 1000 * MS, 2);
	for (uint32_t i = 0; i < 35; i++) {
		cluster_submit(cluster, (2 + i) * 5 * MS, 0, i);
	}
	size_t lost = cluster_rule(
		cluster, (struct cluster_rule){.kind = RAFT_SNAPSHOT, .max = 1, .do_drop = true});
	cluster_run(cluster, 1500 * MS);
	assert_int_equal(cluster_struck(cluster, lost), 1);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Raft fig. 13: a snapshot goes chunk by chunk, each when the one before has been answered; what is lost is sent
 * again, and the rest goes on from there. Two that need one get it one after the other; one that is down
 * meanwhile does not keep the others waiting for long. Entries after the one that is sent are kept. */
static void chunks(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10 "
									 "snapshot_size=200000 snapshot_chunk=60000", 5);
	for (uint32_t i = 0; i < 200; i++) {
		cluster_submit(cluster, (10 + 10 * (sim_time)i) * MS, 0, i);
	}
	for (uint32_t i = 2; i < 5; i++) {
		cluster_crash(cluster, 1 * MS + (i == 2 ? 500 * MS : 0), i);
		cluster_restart(cluster, 1000 * MS, i);
	}
	size_t lost = cluster_rule(cluster,
		(struct cluster_rule){.kind = RAFT_SNAPSHOT, .to = NODE(3), .max = 1, .from_ns = 1050 * MS, .do_drop = true});
	cluster_crash(cluster, 1060 * MS, 2);
	cluster_run(cluster, 3000 * MS);
	assert_int_equal(cluster_struck(cluster, lost), 1);
	assert_true(cluster_same_logs(cluster, NODE(0) | NODE(1) | NODE(3) | NODE(4)));
	assert_int_equal(cluster->nodes[3].n_executed, 200);
	for (uint32_t i = 3; i < 5; i++) {
		assert_int_equal(cluster_told(cluster, i, "snapshot goes further -> install it"), 1);
		assert_in_range(cluster_told(cluster, i, "snapshot not whole yet"), 3, 4);
	}
	assert_true(cluster_told(cluster, 0, "another is being sent a snapshot -> wait") > 0);
	assert_int_equal(raft(cluster, 0)->snapshot_to, NODE_NONE);
	cluster_restart(cluster, 3000 * MS, 2);
	cluster_run(cluster, 4000 * MS);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* An append that begins before the receiver's own snapshot: what the snapshot holds is skipped. */
static void append_before_the_snapshot(void **state)
{
	struct cluster *cluster =
		create("raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10", 3);
	size_t held = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(1), .instance = 4, .do_hold = true});
	for (uint32_t i = 0; i < 35; i++) {
		cluster_submit(cluster, i * 5 * MS, 0, i);
	}
	cluster_run(cluster, 1000 * MS);
	cluster_rule_end(cluster, held);
	assert_int_equal(cluster->nodes[1].n_executed, 35); /* it was sent again */
	assert_true(raft(cluster, 1)->base > 5);
	size_t appended = cluster->nodes[1].n_appended;
	assert_true(cluster_release(cluster) > 0);
	cluster_run(cluster, 1200 * MS);
	assert_int_equal(cluster->nodes[1].n_appended, appended);
	assert_int_equal(raft(cluster, 1)->last, 35);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Entries between the follower's snapshot and the leader's, and a new leader that must pass them. */
static void leader_changes(void **state)
{
	struct cluster *cluster = create(
		"raft batch=1 election_timeout=off heartbeat=50ms snapshot_every=10 write_delay=1ms", 3);
	for (uint32_t i = 0; i < 100; i++) { /* with a pause around the election */
		cluster_submit_all(cluster, ((i + 1) * 10 + (i >= 45 ? 100 : 0)) * MS, i);
	}
	cluster_crash(cluster, 200 * MS, 2);
	cluster_run(cluster, 500 * MS);
	assert_true(step_campaign(cluster, 1));
	cluster_run(cluster, 800 * MS);
	cluster_restart(cluster, 800 * MS, 2);
	cluster_run(cluster, 3000 * MS);
	cluster_assert_story(cluster, "n1 leads 2", "n2 restarts",
		"n1 next entry is discarded -> send the snapshot", "n2 snapshot goes further -> install it");
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compaction),
		cmocka_unit_test(slow_follower),
		cmocka_unit_test(rules_of_figure_13),
		cmocka_unit_test(snapshot_lost),
		cmocka_unit_test(chunks),
		cmocka_unit_test(append_before_the_snapshot),
		cmocka_unit_test(leader_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
