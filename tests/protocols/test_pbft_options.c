/* External validity, and what a scenario can make a replica do: steps. */
#include "pbft.h"

#define PBFT "pbft batch=1 view_timeout=1s"

static uint64_t doubters; /* who holds [7] to be false, and until when */
static sim_time doubt_until_ns;
static struct cluster *doubted;

static bool valid(uint32_t node, const struct batch *batch)
{
	return (doubters & NODE(node)) == 0 || doubted->world.now >= doubt_until_ns || batch->n == 0 ||
		batch->transactions[0] != 7;
}

static struct cluster *doubting_cluster(uint64_t nodes, sim_time until_ns)
{
	doubters = nodes;
	doubt_until_ns = until_ns;
	return doubted = cluster_create(
			   &(struct cluster_options){.protocol = PBFT, .n = 4, .valid = valid});
}

/* One backup of three doubts: it does not vote, not even when asked again, and goes with the quorum. */
static bool is_vote_of_3(
	struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	return message->from == 3;
}

static void test_one_doubts(void **state)
{
	struct cluster *cluster = doubting_cluster(NODE(3), SIM_NEVER);
	size_t votes = cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_PREPARE, .when = is_vote_of_3});
	size_t lost = cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE, .to = NODE(0), .until_ns = ms(200), .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(3));
	cluster_assert_story(cluster, "n3 not valid by its own knowledge -> no vote",
		"n3 commits 1 in view 0 [7]", "n0 no progress -> tell the others how far it has come",
		"n0 commits 1 in view 0 [7]");
	assert_int_equal(cluster_struck(cluster, votes), 0);
	assert_int_equal(cluster_struck(cluster, lost), 2);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Two doubt: no quorum. Their timers run as for any request, and views change until they think otherwise. */
static void test_two_doubt(void **state)
{
	struct cluster *cluster = doubting_cluster(NODE(2) | NODE(3), seconds(10));
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(8));
	cluster_assert_story(cluster, "n3 not valid by its own knowledge -> no vote",
		"n3 timer expired -> change the view", "n1 leads 1", "n3 not valid by its own knowledge");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(cluster->nodes[i].n_executed, 0);
		assert_true(cluster_view(cluster, i) > 0);
	}
	cluster_run(cluster, seconds(60));
	for EVERY_NODE(i, cluster) {
		assert_true(cluster_executed(cluster, i, 7));
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What a new view proposes again may have been committed: nobody is asked. */
static void test_new_view_is_not_asked(void **state)
{
	struct cluster *cluster = doubting_cluster(0, SIM_NEVER);
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, ms(900));
	assert_true(pbft_slot_at(cluster, 3, 1)->prepared);
	doubters = NODES_ALL;
	cluster_run(cluster, seconds(5));
	assert_int_equal(cluster_told(cluster, NODE_NONE, "not valid by its own knowledge"), 0);
	assert_int_equal(cluster->nodes[3].executed[0].view, 1);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A primary that doubts proposes the rest. */
static void test_primary_doubts(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=8 batch_delay=10ms view_timeout=1s", .n = 4, .valid = valid});
	doubted = cluster;
	doubters = NODE(0);
	doubt_until_ns = SIM_NEVER;
	cluster_submit_all(cluster, 0, 7);
	cluster_submit_all(cluster, 0, 8);
	cluster_run(cluster, ms(500));
	cluster_assert_story(cluster, "n0 not valid by its own knowledge -> not proposed",
		"n0 proposes 1 in view 0 [8]", "n3 executes 1 in view 0 [8]");
	cluster_run(cluster, seconds(3));
	cluster_assert_story(cluster, "n1 leads 1", "n1 proposes 2 in view 1 [7]");
	assert_true(cluster_executed(cluster, 0, 7));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

static bool step(struct cluster *cluster, uint32_t node, enum protocol_step step)
{
	return cluster->protocol->step(
		cluster_node(cluster, node), step, &(struct protocol_step_argument){0});
}

static void test_campaign(void **state)
{
	struct cluster *cluster = pbft_cluster(4, PBFT);
	assert_true(step(cluster, 2, STEP_CAMPAIGN));
	cluster_run(cluster, ms(50));
	assert_int_equal(cluster_view(cluster, 3), 0); /* one alone is not believed */
	assert_true(step(cluster, 3, STEP_CAMPAIGN));
	cluster_run(cluster, ms(100));
	cluster_assert_story(cluster, "n2 told to -> change the view", "n2 start view change",
		"n3 told to -> change the view", "n1 view changes from f+1 replicas -> join", "n1 leads 1");
	assert_false(step(cluster, 0, STEP_TRANSFER));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* The primary proposes what waits for a full batch, or a null batch; nobody else does, and nobody beyond the
 * window. */
static void test_propose(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=8 batch_delay=500ms window=2");
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(1));
	assert_int_equal(cluster->nodes[0].n_proposed, 0);
	assert_false(step(cluster, 1, STEP_PROPOSE));
	assert_true(step(cluster, 0, STEP_PROPOSE));
	assert_true(step(cluster, 0, STEP_PROPOSE));
	assert_false(step(cluster, 0, STEP_PROPOSE)); /* two are in flight */
	cluster_run(cluster, ms(100));
	cluster_assert_story(cluster, "n0 proposes 1 in view 0 [7]", "n0 proposes 2 in view 0 []",
		"n3 executes 1 in view 0 [7]", "n3 executes 2 in view 0 []");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_doubts),
		cmocka_unit_test(test_two_doubt),
		cmocka_unit_test(test_new_view_is_not_asked),
		cmocka_unit_test(test_primary_doubts),
		cmocka_unit_test(test_campaign),
		cmocka_unit_test(test_propose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
