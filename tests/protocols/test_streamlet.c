/* Streamlet, by the cluster: Chan, Shi, AFT 2020. */
#include "cluster.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PROPOSAL = MESSAGE_PROTOCOL, VOTE, FETCH, BLOCK };

#define MS SIM_MS
#define EPOCH_NS (40 * MS)

static struct cluster *make(uint32_t n, const char *latency)
{
	return cluster_create(&(struct cluster_options){
		.protocol = "streamlet batch=2 delta=20ms", .latency = latency, .n = n});
}

static uint32_t leader_of(struct cluster *cluster, uint64_t epoch)
{
	return (uint32_t)(node_digest(&epoch, sizeof(epoch)) % cluster->n);
}

/* A block is n - 1 proposals and n (n - 1) votes. One alone takes two empty ones after it, in the epochs that
 * follow, and is final with their votes, two delays into the third: then nobody has anything more to do. */
static void one_block(void **state)
{
	for (uint32_t n = 4; n <= 13; n += 3) {
		struct cluster *cluster = make(n, "constant value=10ms");
		cluster_submit_all(cluster, 0, 7);
		cluster_run(cluster, 3600 * SIM_SECOND);
		assert_int_equal(cluster->received[PROPOSAL], 3 * (n - 1));
		assert_int_equal(cluster->received[VOTE], 3 * n * (n - 1));
		assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 3 * (n * n - 1));
		assert_int_equal(cluster->world.messages[CLASS_CONTROL], 0);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(cluster->nodes[i].n_executed, 2); /* and the first empty one */
			assert_int_equal(cluster_committed(cluster, i, 1)->at_ns, 3 * EPOCH_NS + 20 * MS);
			assert_int_equal(cluster_committed(cluster, i, 1)->view, 2);
			assert_int_equal(cluster_committed(cluster, i, 2)->batch->n, 0);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* While there is work a block an epoch, each final an epoch and two delays after it was proposed. What a block that
 * is not final holds is in no further one. */
static void a_block_an_epoch(void **state)
{
	struct cluster *cluster = make(4, "constant value=10ms");
	for (transaction_id t = 0; t < 20; t++) {
		cluster_submit_all(cluster, 0, t);
	}
	cluster_run(cluster, 60 * SIM_SECOND);
	for (uint64_t height = 2; height <= 10; height++) {
		const struct cluster_entry *entry = cluster_committed(cluster, 3, height);
		assert_int_equal(entry->view, height + 1);
		assert_int_equal(entry->batch->n, 2);
		assert_int_equal(entry->batch->transactions[0], 2 * (height - 1));
		assert_int_equal(entry->at_ns, (sim_time)(entry->view - 1) * EPOCH_NS + EPOCH_NS + 20 * MS);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* f of them are down, and come back: they ask for what they missed, and have it with its votes. */
static void crashed_ones_catch_up(void **state)
{
	struct cluster *cluster = make(7, "uniform min=5ms max=15ms");
	cluster_crash(cluster, 10 * MS, 2);
	cluster_crash(cluster, 10 * MS, 5);
	for (transaction_id t = 0; t < 200; t++) {
		cluster_submit_all(cluster, 20 * MS, t);
	}
	cluster_restart(cluster, 100 * SIM_SECOND, 2);
	cluster_restart(cluster, 100 * SIM_SECOND, 5);
	cluster_run(cluster, 99 * SIM_SECOND);
	assert_int_equal(cluster->nodes[0].n_transactions, 200);
	assert_int_equal(cluster->nodes[2].n_transactions, 0);
	assert_true(cluster->nodes[0].n_executed > 64); /* more than one asking brings */
	cluster_run(cluster, 200 * SIM_SECOND);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_true(cluster->received[FETCH] > 0 && cluster->received[BLOCK] > 2 * 64);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Who has missed a block's votes has them of the next leader, and votes for that one's block all the same. */
static void a_parent_that_is_missing(void **state)
{
	struct cluster *cluster = make(4, "constant value=5ms");
	uint32_t first = leader_of(cluster, 2), who = (first + 1) % 4;
	cluster_rule(cluster, (struct cluster_rule){.kind = VOTE, .view_until = 3, .to = NODE(who), .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PROPOSAL, .view_until = 3, .to = NODE(who), .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, SIM_SECOND);
	assert_int_equal(cluster->received[FETCH] >= 1, 1);
	assert_true(cluster_same_logs(cluster, NODES_ALL));
	assert_int_equal(cluster->nodes[who].n_transactions, 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A quorum is 2n/3, rounded up. */
static void two_thirds_are_needed(void **state)
{
	for (uint32_t n = 4; n <= 12; n++) {
		uint32_t quorum = (2 * n + 2) / 3;
		for (uint32_t live = quorum - 1; live <= quorum; live++) {
			struct cluster *cluster = make(n, "constant value=5ms");
			for (uint32_t i = live; i < n; i++) {
				cluster_crash(cluster, 0, i);
			}
			cluster_submit_all(cluster, MS, 7);
			cluster_run(cluster, 300 * SIM_SECOND);
			assert_int_equal(cluster->nodes[0].n_transactions, live == quorum);
			cluster_assert_safe(cluster);
			cluster_destroy(cluster);
		}
	}
}

/* Votes that nobody gave are refused, and so is a proposal by whom it is not to be made. */
struct said {
	uint64_t parent_id;
	const struct batch *batch;
	const uint64_t *signers;
	uint64_t signatures;
};

static void false_blocks(void **state)
{
	struct cluster *cluster = make(4, "constant value=5ms");
	transaction_id transaction = 9;
	const struct batch *batch = cluster_batch(cluster, &transaction, 1);
	uint64_t *signers = cluster_alloc(cluster, sizeof(*signers));
	*signers = 15;
	struct said *said = cluster_alloc(cluster, sizeof(*said));
	uint64_t content[] = {0, 2, batch->digest};
	uint64_t id = node_digest(content, sizeof(content)) | 1;
	*said = (struct said){0, batch, signers, node_sign(cluster_node(cluster, 1), id) * 4};
	struct message message = {.kind = BLOCK, .from = 1, .view = 2, .instance = 1, .digest = id, .body = said};
	cluster_inject(cluster, 41 * MS, 0, &message);
	cluster_run(cluster, 50 * MS);
	assert_int_equal(cluster->world.refused, 1);
	struct said *proposed = cluster_alloc(cluster, sizeof(*said));
	*proposed = (struct said){0, batch, NULL, 0};
	message.kind = PROPOSAL;
	message.body = proposed;
	message.from = (leader_of(cluster, 2) + 1) % 4;
	cluster_inject(cluster, 51 * MS, 0, &message);
	cluster_run(cluster, 70 * MS);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 0); /* no vote */
	message.from = leader_of(cluster, 2);
	cluster_inject(cluster, 71 * MS, 0, &message);
	cluster_run(cluster, 72 * MS);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 3);
	cluster_inject(cluster, 73 * MS, 0, &message); /* once */
	cluster_run(cluster, 74 * MS);
	assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 3);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_block),
		cmocka_unit_test(a_block_an_epoch),
		cmocka_unit_test(crashed_ones_catch_up),
		cmocka_unit_test(a_parent_that_is_missing),
		cmocka_unit_test(two_thirds_are_needed),
		cmocka_unit_test(false_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
