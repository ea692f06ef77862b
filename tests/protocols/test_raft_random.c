/* Raft under schedules at random: loss, delays that reorder, and crashes of a minority at a time, restarts
 * among them. Whatever happens, logs match and no two servers execute different entries; when it is over,
 * the cluster is live again, and every transaction has run once, everywhere. */
#include "raft.h"

#include "sim/random.h"

#define TRANSACTIONS 120

/* Every "leads T" of the trace, by term: at most one a term. Returns how many terms had a leader. */
static unsigned count_leaders(const struct cluster *cluster)
{
	static int leaders[4096];
	memset(leaders, -1, sizeof(leaders));
	unsigned n = 0;
	for (const char *at = cluster->trace; at != NULL && (at = strstr(at, " leads ")) != NULL; at++) {
		const char *line = at;
		while (line > cluster->trace && line[-1] != '\n') {
			line--;
		}
		unsigned long term = strtoul(at + 7, NULL, 10);
		int node = (int)strtoul(strstr(line, " ms  n") + 6, NULL, 10);
		assert_true(term < 4096);
		assert_true(leaders[term] == -1 || leaders[term] == node);
		n += leaders[term] == -1;
		leaders[term] = node;
	}
	return n;
}

/* Raft 5.3, log matching: entries of the same index and term are the same, and so is all before them. */
static void assert_logs_match(struct cluster *cluster)
{
	for (uint32_t a = 0; a < cluster->n; a++) {
		const struct raft *x = raft_of(cluster_node(cluster, a));
		for (uint32_t b = 0; b < a; b++) {
			const struct raft *y = raft_of(cluster_node(cluster, b));
			uint64_t last = x->last < y->last ? x->last : y->last;
			bool same = false;
			for (uint64_t i = last; i > 0; i--) {
				same = same || x->log[i - 1].term == y->log[i - 1].term;
				assert_true(!same || x->log[i - 1].term == y->log[i - 1].term);
				assert_true(!same || x->log[i - 1].batch->digest == y->log[i - 1].batch->digest);
			}
		}
	}
}

/* No transaction stands in what a server has executed twice. */
static void assert_once(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->n; i++) {
		unsigned times[TRANSACTIONS] = {0};
		const struct cluster_node *node = &cluster->nodes[i];
		for (size_t k = 0; k < node->n_executed; k++) {
			const struct batch *batch = node->executed[k].batch;
			for (uint32_t t = 0; t < batch->n; t++) {
				assert_int_equal(times[batch->transactions[t]]++, 0);
			}
		}
	}
}

static uint64_t below(struct random_stream *stream, uint64_t n)
{
	return random_below(stream, n);
}

/* At most a minority is down at any moment: each window of 400 ms crashes some, and has them up again
 * before the next. */
static void schedule(struct cluster *cluster, struct random_stream *stream, sim_time until_ns)
{
	uint32_t minority = (cluster->n - 1) / 2;
	for (sim_time from_ns = 0; from_ns < until_ns; from_ns += 400 * MS) {
		uint64_t n = below(stream, minority + 1);
		uint64_t down = 0;
		for (uint64_t i = 0; i < n; i++) {
			uint32_t node = (uint32_t)below(stream, cluster->n);
			if ((down & NODE(node)) != 0) {
				continue;
			}
			down |= NODE(node);
			sim_time at_ns = from_ns + (sim_time)below(stream, 150) * MS;
			cluster_crash(cluster, at_ns, node);
			cluster_restart(cluster, at_ns + (1 + (sim_time)below(stream, 240)) * MS, node);
		}
		if (below(stream, 3) == 0) { /* one is cut off for a while, and hears and says nothing */
			cluster_rule(cluster,
				(struct cluster_rule){
					.from = NODE(below(stream, cluster->n)),
					.from_ns = from_ns,
					.until_ns = from_ns + (1 + (sim_time)below(stream, 400)) * MS,
					.do_drop = true,
				});
		}
	}
	for (uint32_t i = 0; i < TRANSACTIONS; i++) {
		cluster_submit_all(cluster, (sim_time)below(stream, (uint64_t)(until_ns / MS)) * MS, i);
	}
}

static void schedules(void **state)
{
	unsigned n_leaders = 0;
	size_t n_cut = 0;
	size_t n_refused = 0;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct random_stream stream = random_stream_make(seed, RANDOM_FAULT, 0);
		uint32_t n = 3 + (uint32_t)below(&stream, 3);
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = "raft batch=2 election_timeout=60ms,120ms heartbeat=20ms",
			.latency = "exponential mean=4ms",
			.n = n,
			.seed = seed,
			.loss = .05 * (double)below(&stream, 5),
			.retry_ns = 300 * MS,
		});
		const sim_time quiet_ns = 6000 * MS;
		schedule(cluster, &stream, quiet_ns);
		for (sim_time at_ns = 0; at_ns < quiet_ns; at_ns += 50 * MS) {
			cluster_run(cluster, at_ns);
			assert_logs_match(cluster);
			cluster_assert_safe(cluster);
		}
		cluster_loss(cluster, quiet_ns, 0);
		cluster_run(cluster, quiet_ns + 4000 * MS);
		cluster_assert_safe(cluster);
		assert_logs_match(cluster);
		assert_once(cluster);
		for (uint32_t i = 0; i < n; i++) {
			if (cluster->nodes[i].n_transactions != TRANSACTIONS) {
				fail_msg("seed %u: n%u has executed %llu of %u transactions", seed, i,
					(unsigned long long)cluster->nodes[i].n_transactions, TRANSACTIONS);
			}
		}
		assert_true(cluster_same_logs(cluster, NODES_ALL));
		n_leaders += count_leaders(cluster);
		n_cut += cluster_told(cluster, NODE_NONE, "entry conflicts -> cut the log");
		n_refused += cluster_told(cluster, NODE_NONE, "candidate's log is older -> refuse");
		cluster_destroy(cluster);
	}
	print_message("%u leaders, %zu logs cut, %zu candidates refused\n", n_leaders, n_cut, n_refused);
	assert_true(n_leaders > 200 && n_cut > 30 && n_refused > 50); /* or nothing was tried */
}

/* The same with all that can be switched on, at random: storage that takes its time, snapshots, pre-vote,
 * check-quorum, members that change one by one or by joint consensus, transfers, and reads that are not
 * ordered. A read sees all that anyone had executed when it was asked. */

#define READS 60
#define READ_FIRST 100000

struct readers {
	struct host_ops ops;
	uint64_t executed[READS]; /* by anyone, when the read was asked */
	unsigned n_answered;
};

static void on_read(struct node *node, transaction_id transaction, uint64_t view)
{
	struct cluster *cluster = node->world->host;
	struct readers *readers = cluster->context;
	readers->n_answered++;
	uint64_t wanted = readers->executed[transaction - READ_FIRST];
	if (cluster->nodes[node->id].n_transactions < wanted) {
		cluster_print(cluster);
		fail_msg("seed %llu: n%u answers a read from %llu transactions, others had executed %llu",
			(unsigned long long)cluster->options.seed, node->id,
			(unsigned long long)cluster->nodes[node->id].n_transactions, (unsigned long long)wanted);
	}
}

static void read_event(struct world *world, void *context, uint64_t i)
{
	struct cluster *cluster = world->host;
	struct readers *readers = cluster->context;
	for (uint32_t node = 0; node < cluster->n; node++) {
		uint64_t executed = cluster->nodes[node].n_transactions;
		readers->executed[i] = executed > readers->executed[i] ? executed : readers->executed[i];
	}
	for (uint32_t node = 0; node < cluster->n; node++) {
		struct message message = {.kind = MESSAGE_READ, .class = CLASS_CLIENT, .from = cluster->n,
			.instance = READ_FIRST + i};
		cluster_inject(cluster, world->now, node, &message);
	}
}

static const char *random_options(struct random_stream *stream, char text[512])
{
	static const char *const delays[] = {"0s", "1ms", "4ms"};
	static const char *const snapshots[] = {"off", "3", "20"};
	static const char *const reads[] = {"log", "index", "lease"};
	bool check_quorum = below(stream, 2) == 0;
	snprintf(text, 512,
		"raft batch=2 election_timeout=60ms,120ms heartbeat=20ms write_delay=%s snapshot_every=%s "
		"pre_vote=%s check_quorum=%s reads=%s%s",
		delays[below(stream, 3)], snapshots[below(stream, 3)], below(stream, 2) == 0 ? "on" : "off",
		check_quorum ? "on" : "off", reads[below(stream, check_quorum ? 3 : 2)],
		below(stream, 3) == 0 ? " members=0,1,2" : "");
	return text;
}

/* A leader is told to do something: change the members, hand over the lead; another to campaign. */
static void random_step(struct cluster *cluster, struct random_stream *stream)
{
	uint32_t node = (uint32_t)below(stream, cluster->n);
	uint64_t all = (UINT64_C(1) << cluster->n) - 1;
	uint64_t members = below(stream, all) + 1;
	uint64_t learners = below(stream, all + 1);
	uint64_t what = below(stream, 8);
	bool joint = below(stream, 2) == 0;
	uint32_t to = (uint32_t)below(stream, cluster->n);
	if (!cluster_node(cluster, node)->alive) {
		return;
	}
	if (what < 4) {
		step_change(cluster, node, members, learners, joint);
	} else if (what < 6) {
		step_transfer(cluster, node, to);
	} else if (what == 6) {
		step(cluster, node, STEP_PROPOSE, NULL);
	} else if (raft_settings_of(cluster_node(cluster, node))->reads != RAFT_READS_LEASE) {
		step_campaign(cluster, node); /* against all timeouts: no lease stands that */
	}
}

static void options(void **state)
{
	size_t n_installed = 0, n_joint = 0, n_one = 0, n_lost = 0, n_cut = 0, n_told = 0, n_leased = 0;
	unsigned n_leaders = 0, n_answered = 0;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct random_stream stream = random_stream_make(seed, RANDOM_FAULT, 1);
		uint32_t n = 3 + (uint32_t)below(&stream, 4);
		char text[512];
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = random_options(&stream, text),
			.latency = "exponential mean=4ms",
			.n = n,
			.seed = seed,
			.loss = .05 * (double)below(&stream, 4),
			.retry_ns = 300 * MS,
		});
		struct readers *readers = cluster_alloc(cluster, sizeof(*readers));
		readers->ops = *cluster->world.ops;
		readers->ops.read = on_read;
		cluster->world.ops = &readers->ops;
		cluster->context = readers;
		const sim_time quiet_ns = 4000 * MS;
		schedule(cluster, &stream, quiet_ns);
		if (below(&stream, 2) == 0) {
			cluster_rule(cluster, (struct cluster_rule){
				.kind = (uint8_t)(RAFT_APPEND + below(&stream, 6)), .duplicates = 1});
		}
		for (uint64_t i = 0; i < READS; i++) {
			world_call_at(&cluster->world,
				(sim_time)below(&stream, (uint64_t)(quiet_ns / MS)) * MS, read_event, NULL, i);
		}
		for (sim_time at_ns = 0; at_ns < quiet_ns; at_ns += 20 * MS) {
			cluster_run(cluster, at_ns);
			assert_logs_match(cluster);
			cluster_assert_safe(cluster);
			if (below(&stream, 3) == 0) {
				random_step(cluster, &stream);
			}
		}
		/* All are live, nothing is lost, and all become members: then all is executed everywhere. */
		cluster_loss(cluster, quiet_ns, 0);
		for (sim_time at_ns = quiet_ns; at_ns < quiet_ns + 8000 * MS; at_ns += 100 * MS) {
			cluster_run(cluster, at_ns);
			for (uint32_t i = 0; i < n; i++) {
				step_change(cluster, i, (UINT64_C(1) << n) - 1, 0, false);
			}
		}
		cluster_assert_safe(cluster);
		assert_logs_match(cluster);
		assert_once(cluster);
		for (uint32_t i = 0; i < n; i++) {
			if (cluster->nodes[i].n_transactions != TRANSACTIONS) {
				cluster_print(cluster);
				fail_msg("seed %u (%s): n%u has executed %llu of %u transactions", seed, text, i,
					(unsigned long long)cluster->nodes[i].n_transactions, TRANSACTIONS);
			}
		}
		assert_true(cluster_same_logs(cluster, NODES_ALL));
		n_leaders += count_leaders(cluster);
		n_installed += cluster_told(cluster, NODE_NONE, "snapshot goes further -> install it");
		n_joint += cluster_told(cluster, NODE_NONE, "C_old,new committed -> append C_new");
		n_one += cluster_told(cluster, NODE_NONE, "-> append C_new");
		n_lost += cluster_told(cluster, NODE_NONE, "what was not written is lost");
		n_cut += cluster_told(cluster, NODE_NONE, "configuration cut -> back to the one before");
		n_told += cluster_told(cluster, NODE_NONE, "told to campaign now -> candidate");
		n_leased += cluster_told(cluster, NODE_NONE, "read under the lease -> no heartbeats");
		n_answered += readers->n_answered;
		cluster_destroy(cluster);
	}
	print_message("%u leaders, %zu snapshots installed, %zu changes by joint consensus and %zu of one "
				  "server, %zu cut, %zu writes lost, %zu transfers, %u reads answered, %zu by lease\n",
		n_leaders, n_installed, n_joint, n_one - n_joint, n_cut, n_lost, n_told, n_answered, n_leased);
	assert_true(n_leaders > 200 && n_installed > 50 && n_joint > 50 && n_one - n_joint > 200 &&
		n_cut > 0 && n_lost > 5 && n_told > 20 && n_answered > 500 && n_leased > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(schedules), cmocka_unit_test(options)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
