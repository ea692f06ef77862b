/* Raft on a network that loses, repeats and reorders, and under load: what is sent again, how much of it, and
 * what goes into a batch. Raft 5.3. */
#include "raft.h"

static void campaign(struct cluster *cluster, uint32_t node)
{
	raft_campaign(cluster_node(cluster, node));
}

/* Messages that come twice, and in any order. */
static void duplicated_and_reordered(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=50ms",
		.latency = "exponential mean=20ms",
		.n = 5,
		.seed = 3,
	});
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .duplicates = 2});
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND_ANSWER, .duplicates = 2});
	for (uint32_t i = 0; i < 200; i++) {
		cluster_submit(cluster, i * 3 * MS, 0, i);
	}
	cluster_run(cluster, 5000 * MS);
	assert_true(cluster_told(cluster, NODE_NONE, "append overtook another -> hold") > 50);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(cluster->nodes[i].n_executed, 200);
		assert_int_equal(cluster->nodes[i].n_transactions, 200);
		assert_int_equal(raft(cluster, i)->last, 200);
		assert_int_equal(raft(cluster, i)->n_held, 0);
	}
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Links keep no order. An append that overtakes another waits for it: nothing has to be sent again. */
static void reordered(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=off", /* nothing would be */
		.latency = "exponential mean=20ms",
		.n = 5,
		.seed = 3,
	});
	for (uint32_t i = 0; i < 200; i++) {
		cluster_submit(cluster, i * 3 * MS, 0, i);
	}
	cluster_run(cluster, 5000 * MS);
	assert_int_equal(cluster->nodes[0].n_executed, 200);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 200 * 8);
	for (uint32_t i = 1; i < 5; i++) {
		assert_true(cluster_told(cluster, i, "append overtook another -> hold") > 10);
		assert_int_equal(raft(cluster, i)->last, 200);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What is lost is sent again, and what overtook it waits meanwhile. */
static void lost_append(void **state)
{
	struct cluster *cluster = create("raft election_timeout=off heartbeat=50ms", 3);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .to = NODE(2), .max = 2,
		.from_ns = 5 * MS + 10 * MS, .do_drop = true});
	cluster_submit(cluster, 5 * MS, 0, 1);
	cluster_submit(cluster, 6 * MS, 0, 2);
	cluster_submit(cluster, 7 * MS, 0, 3);
	cluster_run(cluster, 300 * MS);
	cluster_assert_story(cluster, "n2 (dropped) append-entries 0 of view 1 from n0",
		"n2 (dropped) append-entries 1 of view 1 from n0", "n2 append overtook another -> hold",
		"n0 commits 3 in view 1 [3]", "n0 no progress since the last heartbeat -> send again",
		"n2 appends 1 in view 1 [1]", "n2 appends 2 in view 1 [2]", "n2 appends 3 in view 1 [3]");
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	cluster_destroy(cluster);
}

/* A server that was away for long comes back: one refusal, then the whole rest in messages of 256. */
static void rejoins(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 5000 * MS, 2);
	for (uint32_t i = 0; i < 1000; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 3000 * MS);
	assert_int_equal(cluster->nodes[1].n_executed, 1000);
	/* As long as it does not answer it is only asked at each beat, without entries. */
	uint64_t bytes = cluster->world.bytes[CLASS_CONTROL];
	uint64_t asked = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 4990 * MS);
	asked = cluster->world.messages[CLASS_CONTROL] - asked;
	assert_in_range(asked, 38, 41);
	assert_int_equal(cluster->world.bytes[CLASS_CONTROL] - bytes, asked * RAFT_HEADER_BYTES);
	uint64_t appends = cluster->received[RAFT_APPEND];
	cluster_run(cluster, 6000 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 1000);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	/* four messages with entries, and heartbeats to two servers for a second */
	assert_in_range(cluster->received[RAFT_APPEND] - appends, 4, 4 + 2 * 21);
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	cluster_destroy(cluster);
}

static bool many_bytes(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	uint32_t *max = context;
	*max = message->size_bytes > *max ? message->size_bytes : *max;
	return false;
}

/* What a server that lags is sent at once is bounded by bytes too: more each time, but one entry at least. */
static void resend_bytes(uint32_t transaction_bytes, uint32_t max_bytes, uint64_t max_messages)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=1 election_timeout=off heartbeat=50ms", .n = 3, .seed = 1,
		.transaction_bytes = transaction_bytes});
	uint32_t max = 0;
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND, .to = NODE(2), .when = many_bytes, .context = &max});
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 1000 * MS, 2);
	for (uint32_t i = 0; i < 400; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 990 * MS);
	uint64_t messages = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 12000 * MS);
	messages = cluster->world.messages[CLASS_CONTROL] - messages;
	assert_int_equal(cluster->nodes[2].n_executed, 400);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(max, max_bytes);
	assert_in_range(messages, 2, max_messages);
	cluster_destroy(cluster);
}

static void resend_bounded(void **state)
{
	resend_bytes(100, RAFT_HEADER_BYTES + RAFT_RESEND_MAX * (RAFT_ENTRY_BYTES + 100), 2 * 4);
	uint32_t entry_bytes = RAFT_ENTRY_BYTES + 20000;
	resend_bytes(20000,
		RAFT_HEADER_BYTES + RAFT_RESEND_BYTES_MAX / entry_bytes * entry_bytes, 2 * 15);
	resend_bytes(3000000, RAFT_HEADER_BYTES + RAFT_ENTRY_BYTES + 3000000, 2 * 401);
}

/* An answer to an earlier probe is no reason to send more: where answers take longer than the leader's
 * pause, each message is sent once all the same; but for the last, for whose answer the leader, with the
 * server in step, does not wait. */
static void late_answers(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=5ms", 3);
	cluster_crash(cluster, 1 * MS, 2);
	cluster_restart(cluster, 3000 * MS, 2);
	for (uint32_t i = 0; i < 1000; i++) {
		cluster_submit(cluster, (2 + i) * MS, 0, i);
	}
	cluster_run(cluster, 2990 * MS);
	uint64_t bytes = cluster->world.bytes[CLASS_CONTROL];
	uint64_t messages = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 6000 * MS);
	assert_int_equal(cluster->nodes[2].n_executed, 1000);
	assert_int_equal(raft(cluster, 0)->n_out_of_step, 0);
	bytes = cluster->world.bytes[CLASS_CONTROL] - bytes;
	messages = cluster->world.messages[CLASS_CONTROL] - messages;
	uint64_t entry_bytes = RAFT_ENTRY_BYTES + raft(cluster, 0)->log[0].batch->size_bytes;
	assert_in_range(bytes - messages * RAFT_HEADER_BYTES, 1000 * entry_bytes, 1256 * entry_bytes);
	cluster_destroy(cluster);
}

/* 5.3: a refusal names the conflicting term and its first index, so that a whole term is passed in one step:
 * 40 entries of the old leader's and 30 of the next cost no more refusals than there are terms. */
static void fast_backtracking(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off heartbeat=50ms", 5);
	cluster_submit(cluster, 0, 0, 0);
	cluster_run(cluster, 100 * MS);
	cluster_isolate(cluster, NODE(0) | NODE(1), 1000 * MS);
	for (uint32_t i = 1; i <= 40; i++) {
		cluster_submit(cluster, 100 * MS + i * MS, 0, i); /* reach n1 and are never committed */
	}
	cluster_run(cluster, 200 * MS);
	campaign(cluster, 2);
	for (uint32_t i = 101; i <= 130; i++) {
		cluster_submit(cluster, 200 * MS + i * MS, 2, i);
	}
	cluster_run(cluster, 600 * MS);
	assert_int_equal(raft(cluster, 2)->last, 32); /* one, a no-op and thirty */
	campaign(cluster, 3); /* which begins at its own end: index 32, of term 2; there of term 1 */
	cluster_run(cluster, 1500 * MS);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(raft(cluster, 0)->last, 33);
	assert_in_range(cluster_told(cluster, 0, "-> refuse"), 1, 2);
	assert_in_range(cluster_told(cluster, 1, "-> refuse"), 1, 2);
	assert_int_equal(cluster_told(cluster, 1, "entry conflicts -> cut the log"), 1);
	assert_false(cluster_executed(cluster, 1, 5));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A busy leader, newly elected, has its followers in step after a round trip, and its appends are those of
 * the normal case again: it doesn't stay a round trip behind for as long as requests come. */
static void in_step_under_load(void **state)
{
	struct cluster *cluster = create("raft batch=1 election_timeout=off", 5);
	cluster_run(cluster, 10 * MS);
	campaign(cluster, 3);
	for (uint32_t i = 0; i < 500; i++) {
		cluster_submit(cluster, 31 * MS + i * 2 * MS, 3, i);
	}
	cluster_run(cluster, 200 * MS);
	assert_int_equal(raft(cluster, 3)->n_out_of_step, 0);
	uint64_t control = cluster->world.messages[CLASS_CONTROL];
	cluster_run(cluster, 900 * MS);
	assert_int_equal(cluster->world.messages[CLASS_CONTROL], control);
	/* each answered within a round trip of its proposal */
	const struct cluster_node *leader = &cluster->nodes[3];
	const struct cluster_entry *last = &leader->committed[leader->n_committed - 1];
	assert_true(last->at_ns > 895 * MS);
	assert_in_range(leader->max_proposed - last->instance, 0, 11);
	cluster_destroy(cluster);
}

/* No more than `window` entries are proposed and not committed; `batch` transactions share one; with
 * `batch_delay` one that is not full waits for more. */
static void batches(void **state)
{
	struct cluster *cluster = create("raft batch=4 window=2 election_timeout=off", 3);
	for (uint32_t i = 0; i < 10; i++) {
		cluster_submit(cluster, 0, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	cluster_assert_story(cluster, "n0 proposes 1 in view 1 [0]", "n0 proposes 2 in view 1 [1]",
		"n0 window full -> wait", "n0 commits 1 in view 1 [0]",
		"n0 proposes 3 in view 1 [2 3 4 5]", "n0 proposes 4 in view 1 [6 7 8 9]");
	cluster_destroy(cluster);

	cluster = create("raft batch=4 batch_delay=5ms election_timeout=off", 3);
	for (uint32_t i = 0; i < 6; i++) {
		cluster_submit(cluster, i * MS, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	assert_int_equal(cluster->nodes[0].n_proposed, 2);
	assert_int_equal(cluster_committed(cluster, 0, 1)->at_ns, 23 * MS); /* full at 3 ms */
	assert_int_equal(cluster_committed(cluster, 0, 1)->batch->n, 4);
	assert_int_equal(cluster_committed(cluster, 0, 2)->batch->n, 2);
	cluster_destroy(cluster);
}

/* The largest batch of the largest requests still has its size in 32 bits. */
static void largest_batch(void **state)
{
	const uint32_t transaction_bytes = 1000000 + 40;
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "raft batch=4096 batch_delay=5ms election_timeout=off heartbeat=off",
		.n = 3, .seed = 1, .transaction_bytes = transaction_bytes});
	for (uint32_t i = 0; i < RAFT_BATCH_MAX; i++) {
		cluster_submit(cluster, 0, 0, i);
	}
	cluster_run(cluster, 100 * MS);
	const struct batch *batch = cluster_committed(cluster, 0, 1)->batch;
	assert_int_equal(batch->n, RAFT_BATCH_MAX);
	assert_int_equal(batch->size_bytes, (uint64_t)RAFT_BATCH_MAX * transaction_bytes);
	assert_in_range(cluster->world.bytes[CLASS_AGREEMENT], 2 * (uint64_t)batch->size_bytes,
		2 * (uint64_t)batch->size_bytes + 1000);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duplicated_and_reordered),
		cmocka_unit_test(reordered),
		cmocka_unit_test(lost_append),
		cmocka_unit_test(rejoins),
		cmocka_unit_test(resend_bounded),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(fast_backtracking),
		cmocka_unit_test(in_step_under_load),
		cmocka_unit_test(batches),
		cmocka_unit_test(largest_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
