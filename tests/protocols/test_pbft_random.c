/* PBFT under random schedules: random delays, loss up to 10 %, crashes and restarts of up to f
 * at a time, all from a seed. Agreement holds throughout; when the faults have ended, everything
 * is decided. Each seed that ever found a bug stays in the range. */
#include "pbft.h"

#include <stdio.h>

#define N_SEEDS 300
#define N_TRANSACTIONS 60
#define FAULTS_END seconds(12)

static const char *const latencies[] = {
	"uniform min=1ms max=60ms",
	"exponential mean=15ms min=1ms",
	"constant value=5ms",
	"lognormal median=10ms sigma=1",
};

static const char *const settings[] = {
	"pbft batch=1 checkpoint_interval=4 watermark_window=8 view_timeout=400ms",
	"pbft batch=1 checkpoint_interval=3 watermark_window=3 view_timeout=300ms",
	"pbft batch=3 checkpoint_interval=10 view_timeout=400ms batch_delay=5ms window=2",
	"pbft batch=2 checkpoint_interval=1 watermark_window=7 view_timeout=600ms",
};

/* The options, each on in every other run; where all hold the same opinion of what touches what, and
 * where each has its own. */
static const char *const options[] = {
	"", " tentative=on", " fast_path=on", " tentative=on fast_path=on read_only=on authentication=macs"};

static uint64_t key_own(transaction_id transaction)
{
	return transaction;
}

static uint64_t key_few(transaction_id transaction)
{
	return transaction % 5 == 4 ? NODE_KEY_ALL : transaction % 7;
}

/* Up to f replicas, each down for a while, once or twice; some of them for ever. Returns these. */
static uint64_t schedule_crashes(struct cluster *cluster, struct random_stream *stream)
{
	uint64_t gone = 0;
	uint32_t order[CLUSTER_NODES_MAX];
	random_permutation(stream, order, cluster->n);
	uint32_t n_crashing = (uint32_t)random_below(stream, cluster->n_faulty + 1);
	for (uint32_t i = 0; i < n_crashing; i++) {
		sim_time at = ms(random_uniform(stream, 0, 5000));
		cluster_crash(cluster, at, order[i]);
		if (random_below(stream, 3) == 0) {
			gone |= NODE(order[i]);
			continue;
		}
		at += ms(random_uniform(stream, 1, 3000));
		cluster_restart(cluster, at, order[i]);
		if (random_below(stream, 2) == 0) {
			at += ms(random_uniform(stream, 1, 2000));
			cluster_crash(cluster, at, order[i]);
			cluster_restart(cluster, at + ms(random_uniform(stream, 1, 1000)), order[i]);
		}
	}
	return gone;
}

static bool all_decided(const struct cluster *cluster)
{
	for (transaction_id t = 0; t < N_TRANSACTIONS; t++) {
		if (cluster_replies(cluster, t) < cluster->reply_quorum) {
			return false;
		}
	}
	return true;
}

static void check_end(struct cluster *cluster, uint64_t gone)
{
	uint64_t stable = 0;
	for EVERY_NODE(i, cluster) {
		stable = pbft_at(cluster, i)->stable > stable ? pbft_at(cluster, i)->stable : stable;
	}
	if (!all_decided(cluster)) {
		cluster_print(cluster);
		fail_msg("seed %llu: not all is decided", (unsigned long long)cluster->options.seed);
	}
	/* All that are up have come to the last stable checkpoint, and to the same state there. That
	 * what they executed agrees was checked on the way. */
	for EVERY_NODE(i, cluster) {
		if ((gone & NODE(i)) == 0 && pbft_at(cluster, i)->stable < stable) {
			cluster_print(cluster);
			fail_msg("seed %llu: n%u is at %llu, not at the stable checkpoint %llu",
				(unsigned long long)cluster->options.seed, i,
				(unsigned long long)pbft_at(cluster, i)->stable, (unsigned long long)stable);
		}
	}
}

struct totals {
	uint64_t n_fast, n_reads, n_undone;
};

static void run_schedule(uint64_t seed, bool quiet, struct totals *totals)
{
	struct random_stream stream = random_stream_make(seed, RANDOM_FAULT, 0);
	struct random_stream option_stream = random_stream_make(seed, RANDOM_FAULT, 2);
	static const uint32_t sizes[] = {4, 4, 7, 5, 10};
	char protocol[256];
	snprintf(protocol, sizeof(protocol), "%s%s", settings[random_below(&stream, 4)],
		options[random_below(&option_stream, 4)]);
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = protocol,
		.key = random_below(&option_stream, 3) == 0 ? key_few : key_own,
		.latency = latencies[random_below(&stream, 4)],
		.n = sizes[random_below(&stream, 5)],
		.seed = seed,
		.loss = random_uniform(&stream, 0, .1),
		.retry_ns = ms(700),
		.quiet = quiet,
	});
	cluster_loss(cluster, FAULTS_END, 0);
	uint64_t gone = schedule_crashes(cluster, &stream);
	for (transaction_id t = 0; t < N_TRANSACTIONS; t++) {
		/* The last third comes when all is well again, so that a checkpoint is reached then. */
		sim_time at = t < 40 ? ms(random_uniform(&stream, 0, 10000))
							 : FAULTS_END + seconds(20) + ms(300) * (t - 40);
		uint32_t to = random_below(&stream, 2) == 0
			? cluster->n
			: (uint32_t)random_below(&stream, cluster->n);
		cluster_submit(cluster, at, to, t);
		if (strstr(protocol, "read_only=on") != NULL) {
			cluster_read(cluster, at, (uint32_t)random_below(&option_stream, cluster->n), t + 100);
		}
	}
	/* The timeout may have doubled seven times while messages were lost, and the next f
	 * primaries may be down. */
	for (sim_time after = seconds(60); after <= seconds(1000) && !all_decided(cluster); after *= 2) {
		cluster_run(cluster, FAULTS_END + after);
	}
	cluster_run(cluster, cluster->world.now + seconds(10));
	cluster_assert_safe(cluster);
	check_end(cluster, gone);
	for EVERY_NODE(i, cluster) {
		totals->n_fast += pbft_at(cluster, i)->n_fast;
		totals->n_reads += cluster->nodes[i].n_reads;
		totals->n_undone += cluster->nodes[i].n_undone;
	}
	cluster_destroy(cluster);
}

static void test_random_schedules(void **state)
{
	struct totals totals = {0};
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		run_schedule(seed, true, &totals);
	}
	/* The schedules do go the ways that the options open. */
	assert_true(totals.n_fast > 1000);
	assert_true(totals.n_reads > 1000);
	assert_true(totals.n_undone > 20);
}

/* With no loss and no crash, whatever the delays, nobody changes the view and all logs are
 * equal. */
static void test_random_delays(void **state)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct random_stream stream = random_stream_make(seed, RANDOM_FAULT, 1);
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = seed % 2 == 0 ? "pbft batch=1 checkpoint_interval=4 watermark_window=8"
									  : "pbft batch=1 checkpoint_interval=1 watermark_window=20",
			.latency = latencies[seed % 4],
			.n = seed % 3 == 0 ? 7 : 4,
			.seed = seed,
		});
		for (transaction_id t = 0; t < 50; t++) {
			cluster_submit(cluster, ms(random_uniform(&stream, 0, 500)), 0, t);
		}
		cluster_run(cluster, seconds(60));
		cluster_assert_safe(cluster);
		assert_int_equal(cluster->nodes[0].n_executed, 50);
		assert_true(cluster_same_logs(cluster, NODES_ALL));
		assert_int_equal(cluster_told(cluster, NODE_NONE, "start view change"), 0);
		assert_int_equal(cluster->received[PBFT_STATE], 0);
		cluster_destroy(cluster);
	}
}

/* With `argv[1]`, that seed alone and its trace, should it fail. */
int main(int argc, char **argv)
{
	if (argc > 1) {
		struct totals totals = {0};
		run_schedule(strtoull(argv[1], NULL, 10), false, &totals);
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_schedules),
		cmocka_unit_test(test_random_delays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
