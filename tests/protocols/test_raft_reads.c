/* Reads that are not ordered, as stories. Thesis 6.4. The cluster's application is a register: a read
 * returns how many transactions its server has executed. */
#include "raft.h"

struct answer {
	sim_time at_ns;
	uint32_t from;
	uint64_t executed;
};

/* The test's own host: the cluster's, and reads. */
struct readers {
	struct host_ops ops;
	struct answer answers[64]; /* by transaction - 1000 */
};

static void on_read(struct node *node, transaction_id transaction, uint64_t view)
{
	struct cluster *cluster = node->world->host;
	struct readers *readers = cluster->context;
	readers->answers[transaction - 1000] = (struct answer){
		cluster->world.now, node->id, cluster->nodes[node->id].n_transactions};
}

static struct cluster *create_read(const char *protocol, uint32_t n)
{
	struct cluster *cluster = create(protocol, n);
	struct readers *readers = cluster_alloc(cluster, sizeof(*readers));
	readers->ops = *cluster->world.ops;
	readers->ops.read = on_read;
	cluster->world.ops = &readers->ops;
	cluster->context = readers;
	for (uint32_t i = 0; i < 64; i++) {
		readers->answers[i].from = NODE_NONE;
	}
	return cluster;
}

/* At a time, `to` is asked for read `i`. */
static void ask(struct cluster *cluster, sim_time at_ns, uint32_t to, uint32_t i)
{
	struct message message = {.kind = MESSAGE_READ, .class = CLASS_CLIENT, .from = cluster->n,
		.instance = 1000 + i};
	cluster_inject(cluster, at_ns, to, &message);
}

static const struct answer *answer(struct cluster *cluster, uint32_t i)
{
	return &((struct readers *)cluster->context)->answers[i];
}

/* Thesis 6.4: the leader notes its commit index, confirms by a round of heartbeats that it leads still,
 * and answers when it has applied so much. Nothing is appended to the log. */
static void read_index(void **state)
{
	struct cluster *cluster = create_read("raft reads=index election_timeout=off", 5);
	cluster_submit(cluster, 0, 0, 1);
	ask(cluster, 100 * MS, 0, 0);
	ask(cluster, 105 * MS, 0, 1); /* the next round, which begins at 120 ms, serves both */
	ask(cluster, 115 * MS, 0, 2);
	ask(cluster, 200 * MS, 2, 3); /* a follower says who leads */
	cluster_run(cluster, 400 * MS);
	cluster_assert_story(cluster, "n0 read -> confirm the lead by heartbeats",
		"n0 read confirmed and applied -> answer", "n0 read confirmed and applied -> answer",
		"n0 read confirmed and applied -> answer", "n2 read at a follower -> answer with the leader");
	assert_int_equal(answer(cluster, 0)->at_ns, 120 * MS);
	assert_int_equal(answer(cluster, 1)->at_ns, 140 * MS);
	assert_int_equal(answer(cluster, 2)->at_ns, 140 * MS);
	assert_int_equal(answer(cluster, 0)->executed, 1);
	assert_int_equal(answer(cluster, 3)->from, NODE_NONE);
	assert_int_equal(cluster->received[RAFT_CONFIRM], 2 * 4);
	assert_int_equal(raft(cluster, 0)->last, 1);
	cluster_destroy(cluster);
}

/* A round that is lost is repeated. */
static void round_lost(void **state)
{
	struct cluster *cluster = create_read("raft reads=index election_timeout=off heartbeat=50ms", 3);
	size_t lost = cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_CONFIRM, .max = 2, .do_drop = true});
	ask(cluster, 100 * MS, 0, 0);
	cluster_run(cluster, 400 * MS);
	assert_int_equal(cluster_struck(cluster, lost), 2);
	assert_in_range(answer(cluster, 0)->at_ns, 130 * MS, 200 * MS);
	cluster_destroy(cluster);
}

/* A leader that others have left behind does not learn of a majority any more, and answers nothing: what
 * has been written elsewhere can't be missed. */
static void deposed_leader_does_not_answer(void **state)
{
	struct cluster *cluster = create_read("raft reads=index election_timeout=off heartbeat=50ms", 3);
	cluster_run(cluster, 50 * MS);
	cluster_isolate(cluster, NODE(0), 1000 * MS);
	assert_true(step_campaign(cluster, 1));
	cluster_submit(cluster, 100 * MS, 1, 7);
	ask(cluster, 500 * MS, 0, 0);
	ask(cluster, 500 * MS, 1, 1);
	cluster_run(cluster, 900 * MS);
	assert_true(cluster_executed(cluster, 1, 7));
	assert_int_equal(raft(cluster, 0)->role, RAFT_LEADER); /* as it believes */
	assert_int_equal(answer(cluster, 0)->from, NODE_NONE);
	assert_int_equal(answer(cluster, 1)->from, 1);
	assert_int_equal(answer(cluster, 1)->executed, 1);
	cluster_run(cluster, 2000 * MS);
	assert_int_equal(answer(cluster, 0)->from, NODE_NONE);
	cluster_destroy(cluster);
}

/* Thesis 6.4, 1: a new leader does not know what is committed until it has committed an entry of its own
 * term. Node 1 holds the entry that node 0 has committed, and not that it is. */
static void new_leader_waits(void **state)
{
	struct cluster *cluster = create_read("raft reads=index election_timeout=off heartbeat=50ms", 3);
	cluster_submit(cluster, 0, 0, 7);
	cluster_crash(cluster, 25 * MS, 0);
	cluster_run(cluster, 30 * MS);
	assert_true(cluster_executed(cluster, 0, 7));
	cluster_rule(cluster, (struct cluster_rule){
		.kind = RAFT_APPEND_ANSWER, .until_ns = 200 * MS, .do_drop = true});
	assert_true(step_campaign(cluster, 1));
	ask(cluster, 60 * MS, 1, 0);
	cluster_run(cluster, 199 * MS);
	assert_int_equal(raft(cluster, 1)->role, RAFT_LEADER);
	assert_int_equal(raft(cluster, 1)->round_confirmed, 1);
	assert_int_equal(answer(cluster, 0)->from, NODE_NONE);
	cluster_run(cluster, 1000 * MS);
	assert_int_equal(answer(cluster, 0)->from, 1);
	assert_int_equal(answer(cluster, 0)->executed, 1);
	cluster_destroy(cluster);
}

#define LEASE "raft reads=lease check_quorum=on election_timeout=150ms,300ms heartbeat=50ms "

/* Thesis 6.4.1: under a lease the leader answers at once. */
static void lease(void **state)
{
	struct cluster *cluster = create_read(LEASE "lease=0.9 clock_drift=0", 5);
	ask(cluster, 10 * MS, 0, 0); /* nothing is confirmed yet */
	ask(cluster, 500 * MS, 0, 1);
	cluster_run(cluster, 600 * MS);
	assert_int_equal(answer(cluster, 0)->at_ns, 30 * MS);
	assert_int_equal(answer(cluster, 1)->at_ns, 500 * MS);
	cluster_assert_story(cluster, "n0 read -> confirm the lead by heartbeats",
		"n0 read under the lease -> no heartbeats");
	/* From 600 ms on nothing is confirmed: the last that was, was sent at 550 or 600. 135 ms later the
	 * lease is over. */
	cluster_isolate(cluster, NODE(0), 0);
	ask(cluster, 680 * MS, 0, 2);
	ask(cluster, 736 * MS, 0, 3);
	cluster_run(cluster, 3000 * MS);
	assert_int_equal(answer(cluster, 2)->at_ns, 680 * MS);
	assert_int_equal(answer(cluster, 3)->from, NODE_NONE);
	cluster_destroy(cluster);
}

/* While a lease holds nobody else is elected: not even where one server has timed out. */
static void lease_keeps_the_others(void **state)
{
	for (unsigned seed = 1; seed <= 30; seed++) {
		struct cluster *cluster = create_read(LEASE, 3);
		cluster->world.nodes[1].stream = random_stream_make(seed, RANDOM_FAULT, 1);
		cluster->world.nodes[2].stream = random_stream_make(seed, RANDOM_FAULT, 2);
		cluster_run(cluster, 1000 * MS);
		cluster_isolate(cluster, NODE(0), 0);
		sim_time at_ns = 1000 * MS;
		while (raft(cluster, 1)->role != RAFT_LEADER && raft(cluster, 2)->role != RAFT_LEADER) {
			cluster_run(cluster, at_ns += 1 * MS);
		}
		ask(cluster, at_ns, 0, 0);
		cluster_run(cluster, at_ns + 500 * MS);
		assert_int_equal(answer(cluster, 0)->from, NODE_NONE);
		cluster_destroy(cluster);
	}
}

/* Thesis 6.4.1: a lease rests on clocks that run at about the same speed. How old a read can be where the
 * leader's clock runs too slowly is shown by holding its lease for longer, as such a clock would: what
 * another leader has committed meanwhile is missing in the answer. */
static void lease_beyond_the_bound(void **state)
{
	for (int slow = 0; slow < 2; slow++) {
		struct cluster *cluster =
			create_read(slow ? LEASE "lease=10 clock_drift=0" : LEASE "lease=10 clock_drift=9.1", 3);
		cluster_run(cluster, 1000 * MS);
		cluster_rule(cluster, (struct cluster_rule){.from = NODE(0), .do_drop = true});
		cluster_rule(cluster, (struct cluster_rule){.to = NODE(0), .do_drop = true});
		raft(cluster, 0)->peers[1].answered_at = 100 * SIM_SECOND; /* nor does it notice: so slow is it */
		sim_time at_ns = 1000 * MS;
		while (raft(cluster, 1)->role != RAFT_LEADER && raft(cluster, 2)->role != RAFT_LEADER) {
			cluster_run(cluster, at_ns += 1 * MS);
		}
		uint32_t leader = raft(cluster, 1)->role == RAFT_LEADER ? 1 : 2;
		cluster_submit(cluster, at_ns, leader, 7);
		cluster_run(cluster, at_ns += 100 * MS);
		assert_true(cluster_executed(cluster, leader, 7));
		ask(cluster, at_ns, 0, 0);
		cluster_run(cluster, at_ns);
		assert_int_equal(answer(cluster, 0)->from, slow ? 0 : NODE_NONE);
		assert_int_equal(answer(cluster, 0)->executed, 0); /* stale */
		cluster_destroy(cluster);
	}
}

/* Thesis 6.4.1: whoever hands over the lead gives up the lease, for TimeoutNow makes the others vote. */
static void transfer_ends_the_lease(void **state)
{
	struct cluster *cluster = create_read(LEASE, 3);
	cluster_run(cluster, 1000 * MS);
	cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_TIMEOUT_NOW, .do_hold = true});
	assert_true(step_transfer(cluster, 0, 1));
	cluster_run(cluster, 1200 * MS);
	assert_int_equal(raft(cluster, 0)->transfer_to, NODE_NONE);
	ask(cluster, 1225 * MS, 0, 0);
	cluster_run(cluster, 1400 * MS);
	assert_int_equal(answer(cluster, 0)->at_ns, 1245 * MS); /* by heartbeats again */
	cluster_destroy(cluster);
}

/* Thesis 6.4.1, and what a crash must not undo: a server that comes back does not vote as long as a lease
 * may hold that it has confirmed before. */
static void restart_keeps_the_lease(void **state)
{
	struct cluster *cluster = create_read(LEASE, 3);
	cluster_crash(cluster, 1000 * MS, 1);
	cluster_restart(cluster, 1001 * MS, 1);
	cluster_run(cluster, 1002 * MS);
	tell_now(cluster, 1, (struct message){.kind = RAFT_VOTE, .from = 2, .view = 2});
	assert_int_equal(cluster_told(cluster, 1, "leader heard of late -> ignore the candidate"), 1);
	assert_int_equal(cluster_view(cluster, 1), 1);
	cluster_destroy(cluster);
}

/* What the laboratory is told of reads. */
static void policy(void **state)
{
	struct cluster *cluster = create("raft", 3);
	assert_int_equal(cluster->protocol->reads(cluster->world.nodes[0].settings), READS_ORDERED);
	cluster_destroy(cluster);
	cluster = create("raft reads=index", 3);
	assert_int_equal(cluster->protocol->reads(cluster->world.nodes[0].settings), READS_LEADER);
	cluster_destroy(cluster);
}

/* A refusal of a heartbeat of an earlier term that the same server led confirms nothing in this one. */
static void refused_round(void **state)
{
	struct cluster *cluster = create_read("raft reads=index election_timeout=off", 3);
	for (uint32_t from = 1; from < 3; from++) {
		struct message refusal = {.kind = RAFT_CONFIRM_ANSWER, .class = CLASS_HEARTBEAT, .from = from,
			.view = 1, .instance = 7};
		cluster_inject(cluster, 50 * MS, 0, &refusal);
	}
	ask(cluster, 100 * MS, 0, 0);
	cluster_run(cluster, 200 * MS);
	assert_int_equal(answer(cluster, 0)->at_ns, 120 * MS);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_index),
		cmocka_unit_test(refused_round),
		cmocka_unit_test(round_lost),
		cmocka_unit_test(deposed_leader_does_not_answer),
		cmocka_unit_test(new_leader_waits),
		cmocka_unit_test(lease),
		cmocka_unit_test(lease_keeps_the_others),
		cmocka_unit_test(lease_beyond_the_bound),
		cmocka_unit_test(transfer_ends_the_lease),
		cmocka_unit_test(restart_keeps_the_lease),
		cmocka_unit_test(policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
