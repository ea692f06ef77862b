/* What a server that lies can do to Raft, which trusts: entries that nobody holds are committed, leaders are
 * deposed for nothing; but no lie stops the program, and none works without the vote that it needs. */
#include "raft.h"

/* Servers of a set acknowledge so many entries more than they hold. */
struct lie {
	uint64_t liars, ahead;
};

static void acknowledge(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct lie *lie = context;
	if ((lie->liars & NODE(message->from)) != 0) {
		assert_true(raft_forgery.acknowledge(cluster_node(cluster, message->from), message, lie->ahead));
	}
}

static bool has_entries(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	return message->body != NULL;
}

/* No entry comes to either follower, and the liar acknowledges all the same: the leader commits what nobody
 * else holds. It crashes, and the other two order something else in its place. The liar claims one entry more
 * than it holds, or more than there will ever be, which the leader takes for all that there are. */
static void false_acknowledgements(void **state)
{
	static const uint64_t ahead[] = {0, 1, 1000, UINT64_MAX / 2};
	for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		struct cluster *cluster = create("raft batch=1", 3);
		struct lie lie = {NODE(2), ahead[i]};
		cluster_lies(cluster, 2);
		cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND, .from = NODE(0), .when = has_entries,
			.until_ns = 500 * MS, .do_drop = true});
		cluster_rule(cluster, (struct cluster_rule){.kind = RAFT_APPEND_ANSWER, .from = NODE(2),
			.replace = acknowledge, .context = &lie});
		cluster_submit(cluster, 100 * MS, 0, 7);
		cluster_crash(cluster, 500 * MS, 0);
		cluster_run(cluster, 500 * MS);
		assert_int_equal(raft(cluster, 0)->commit, ahead[i] == 0 ? 0 : 1);
		assert_true(raft(cluster, 0)->peers[2].match <= raft(cluster, 0)->last);
		cluster_restart(cluster, 1500 * MS, 0);
		for (uint32_t k = 0; k < 3 * 100; k++) {
			cluster_submit(cluster, (1500 + 10 * (sim_time)k) * MS, k % 3, 20 + k / 3);
		}
		cluster_run(cluster, 10000 * MS);
		assert_true(raft(cluster, 1)->commit > 50); /* it goes on */
		assert_int_equal(cluster->violation[0] != 0, ahead[i] > 0);
		cluster_destroy(cluster);
	}
}

static void inflate(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	raft_forgery.inflate(cluster_node(cluster, message->from), message, 1);
}

/* Whoever hears of a higher term takes it over: a server that raises it in its answers deposes every leader as
 * soon as it hears from it, and nothing else goes wrong. */
static void inflated_terms(void **state)
{
	struct cluster *cluster = create("raft", 5);
	cluster_lies(cluster, 4);
	cluster_run(cluster, 2000 * MS);
	assert_int_equal(cluster_view(cluster, 0), 1);
	size_t rule = cluster_rule(cluster, (struct cluster_rule){.from = NODE(4), .replace = inflate});
	for (uint32_t i = 0; i < 40; i++) {
		cluster_submit_all(cluster, (2000 + 100 * (sim_time)i) * MS, 100 + i);
	}
	cluster_run(cluster, 6000 * MS);
	uint64_t term = cluster_view(cluster, 0);
	assert_true(term > 10);
	assert_true(cluster_told(cluster, NODE_NONE, "higher term -> follow") >= term);
	cluster_rule_end(cluster, rule);
	cluster_run(cluster, 7000 * MS);
	cluster_submit_all(cluster, 7000 * MS, 7);
	cluster_run(cluster, 8000 * MS);
	assert_true(cluster_executed(cluster, 0, 7));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(false_acknowledgements),
		cmocka_unit_test(inflated_terms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
