/* The key-value workload: what its clients ask, what they accept, and what the replicas hold; reads that are
 * not ordered, tentative execution, and optimistic concurrency. Constant delays of 10 ms, so that all is
 * exact. */
#include "fakes.h"

#include <math.h>
#include <string.h>

#define SCENARIO \
	"seed: 1\nvalidators: 4\nnetwork: {latency: {kind: constant, value: 10 ms}}\nrecord: [decisions]\n"

static struct outcome *right(struct outcome *outcome)
{
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(kpi(outcome, "divergence") == 0 || isnan(kpi(outcome, "divergence")));
	return outcome;
}

/* Ordered where the protocol has no other way: as long as `requests`. */
static void every_protocol(void **state)
{
	static const struct {
		const char *name;
		double latency;
	} protocols[] = {{"none", .02}, {"central", .02}, {"raft", .04}, {"pbft", .05}};
	for (int i = 0; i < 4; i++) {
		struct outcome *outcome = run_text(SCENARIO "stop: {items: 40}\nprotocol: %s\n"
													"workload: {kind: kv, reads: 0}\n",
			protocols[i].name);
		right(outcome);
		assert_true(kpi(outcome, "decided") == 40);
		assert_true(kpi(outcome, "instances") == 40);
		assert_true(kpi(outcome, "latency_mean_s") == protocols[i].latency);
		assert_true(kpi(outcome, "aborts") == 0);
		assert_true(kpi(outcome, "retries") == 0);
		outcome_close(outcome);
	}
}

/* One whom all believe answers reads at once: two delays, no instance, one message each way. */
static void reads_at_the_leader(void **state)
{
	struct outcome *outcome = right(run_text(SCENARIO "stop: {items: 60}\nprotocol: central\n"
													  "workload: {kind: kv, reads: 0.5, keys: 2}\n"));
	assert_true(kpi(outcome, "latency_max_s") == .02);
	double n_puts = kpi(outcome, "instances");
	assert_in_range((int)n_puts, 15, 45);
	assert_true(kpi(outcome, "messages") == 3 * n_puts);
	assert_true(kpi(outcome, "client_messages") == 120);
	int n_unordered = 0;
	for (size_t i = 0; i < 60; i++) {
		bool unordered = int_at(outcome, TABLE_DECISIONS, i, "instance") == -1;
		assert_true(unordered == (int_at(outcome, TABLE_DECISIONS, i, "proposer") == -1));
		assert_true(unordered == (int_at(outcome, TABLE_DECISIONS, i, "view") == -1));
		n_unordered += unordered;
	}
	assert_int_equal(n_unordered + (int)n_puts, 60);
	outcome_close(outcome);
}

/* OSDI'99 4.4 (read-only operations): to all, as soon as enough agree: two delays. */
static void reads_at_all(void **state)
{
	struct fake fake = fake_make(READS_ALL, 3);
	struct outcome *outcome = right(fake_run(&fake, SCENARIO "stop: {items: 60}\nprotocol: central\n"
															 "workload: {kind: kv, reads: 1}\n"));
	assert_true(kpi(outcome, "latency_mean_s") == .02);
	assert_true(kpi(outcome, "instances") == 0);
	assert_true(kpi(outcome, "client_messages") == 60 * 8);
	outcome_close(outcome);
}

/* Where too few answer, the read is ordered after a timeout; where all have answered and too few agree, at
 * once. An ordered put or get takes three delays: two at the orderer's, and one more at the others'. */
static void reads_fall_back(void **state)
{
	const char *text = SCENARIO "stop: {items: 4}\nprotocol: central\n"
								"workload: {kind: kv, reads: 1, clients: 4, client_timeout: 100 ms}\n";
	struct fake fake = fake_make(READS_ALL, 3);
	fake.reads_at = 1 | 4;
	struct outcome *outcome = right(fake_run(&fake, text));
	assert_true(kpi(outcome, "instances") == 4);
	assert_true(kpi(outcome, "latency_p50_s") == .13);
	assert_true(kpi(outcome, "latency_max_s") == .13);
	outcome_close(outcome);

	/* Two that have heard of nothing and two that have: never three of a kind, once something is written. */
	fake = fake_make(READS_ALL, 3);
	fake.deaf = 4 | 8;
	outcome = right(fake_run(&fake, SCENARIO "stop: {items: 200}\nprotocol: central\nliveness_bound: 1 s\n"
											 "workload: {kind: kv, reads: 0.5, keys: 1}\n"));
	assert_true(kpi(outcome, "latency_p50_s") == .03); /* a put */
	assert_true(kpi(outcome, "latency_max_s") == .05); /* a get, after the two delays of the vain attempt */
	outcome_close(outcome);
}

/* Castro's thesis, 5.1.2: the answer after the execution, before the commitment. The orderer's reply comes
 * after two delays, the others' after three; three equal ones are enough whatever their sort. */
static void tentative(void **state)
{
	struct fake fake = fake_make(READS_ORDERED, 3);
	fake.tentative = true;
	const char *text = SCENARIO "stop: {items: 50}\nprotocol: central\n"
								"workload: {kind: kv, reads: 0.3, clients: 3, outstanding: 2}\n";
	struct outcome *outcome = right(fake_run(&fake, text));
	assert_true(kpi(outcome, "latency_max_s") == .03);
	assert_true(kpi(outcome, "commit_mean_s") == .011);
	char digest[33];
	memcpy(digest, outcome->summary.digest, sizeof(digest));
	outcome_close(outcome);

	/* Taken back and executed again: twice the replies, and all is as it was. */
	fake.rolls_back = true;
	outcome = right(fake_run(&fake, text));
	assert_true(kpi(outcome, "latency_max_s") == .03);
	outcome_close(outcome);

	/* `requests` too. */
	outcome = right(fake_run(&fake, SCENARIO "stop: {items: 50}\nprotocol: central\nworkload: requests\n"));
	assert_true(kpi(outcome, "latency_max_s") == .03);
	assert_true(kpi(outcome, "decided") == 50);
	outcome_close(outcome);
}

/* Two clients put the same key. Both know version 0: the first commits, the second is told version 1 and
 * tries again, when the first has put again: it has its turn only when there is nothing left to do for the
 * first, whose nine items it loses to. */
static void optimistic(void **state)
{
	struct outcome *outcome = right(run_text(
		SCENARIO "stop: {items: 10}\nprotocol: central\n"
				 "workload: {kind: kv, reads: 0, conflict: 1, clients: 2, concurrency: optimistic}\n"));
	assert_true(kpi(outcome, "decided") == 10);
	assert_true(kpi(outcome, "aborts") == 9);
	assert_true(kpi(outcome, "retries") == 9);
	assert_true(kpi(outcome, "instances") == 19);
	assert_true(kpi(outcome, "latency_p50_s") == .02);
	assert_true(kpi(outcome, "latency_max_s") == .2);
	outcome_close(outcome);

	/* Nobody touches another's keys, and each waits for its answer: none is ever old. */
	outcome = right(run_text(
		SCENARIO "stop: {items: 100}\nprotocol: pbft\n"
				 "workload: {kind: kv, keys: 2, clients: 4, concurrency: optimistic}\n"));
	assert_true(kpi(outcome, "aborts") == 0);
	outcome_close(outcome);

	/* A get tells the version, too: the put after it is never old, though another has put before. */
	outcome = right(run_text(
		SCENARIO "stop: {items: 400}\nprotocol: raft\n"
				 "workload: {kind: kv, conflict: 0.5, clients: 5, concurrency: optimistic}\n"));
	assert_true(kpi(outcome, "aborts") > 10);
	assert_true(kpi(outcome, "aborts") == kpi(outcome, "retries"));
	assert_true(kpi(outcome, "decided") == 400);
	outcome_close(outcome);
}

/* Under loss and crashes the ordered protocols stay right, whatever sort of reply comes when. */
static void through_faults(void **state)
{
	struct study *study = study_open(
		"seed: 7\nreplications: 6\nstop: {items: 300}\nvalidators: 4\n"
		"network: {latency: {kind: lognormal, median: 10 ms, sigma: 0.8}, loss: 0.02}\n"
		"workload: {kind: kv, keys: 2, clients: 4, outstanding: 2, conflict: 0.5}\n"
		"faults: [{kind: crash, nodes: [0], from: 1 s, until: 2 s}]\n"
		"sweep: {protocol: [central, raft, pbft], workload.concurrency: [off, optimistic]}\n");
	for (size_t point = 0; point < study->n_points; point++) {
		for (size_t r = 0; r < study->n_replications; r++) {
			struct outcome *outcome = study_run(study, point, r);
			assert_true(kpi(outcome, "safety_violations") == 0);
			assert_verdict(outcome, "completed");
			outcome_destroy(outcome);
		}
	}
	study_close(study);
}

/* Castro's thesis, 5.1.3: reads that are not ordered are linearizable if clients wait for 2f+1 equal replies
 * to all operations. Where f+1 were enough for a put, the four that have not heard of it yet could answer a
 * read of what it has overwritten: n = 6, f = 1, and the commits reach two of them early. */
static void reads_meet_writes(void **state)
{
	struct outcome *outcome = right(run_text(
		"seed: 1\nstop: {items: 60}\nvalidators: 6\nprotocol: {kind: pbft, read_only: on}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: kv, clients: 2, conflict: 1}\n"
		"faults: [{kind: rule, message: commit, to_nodes: [2, 3, 4, 5], action: delay, delay: 200 ms}]\n"));
	assert_true(kpi(outcome, "decided") == 60);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol),
		cmocka_unit_test(reads_at_the_leader),
		cmocka_unit_test(reads_at_all),
		cmocka_unit_test(reads_fall_back),
		cmocka_unit_test(tentative),
		cmocka_unit_test(optimistic),
		cmocka_unit_test(reads_meet_writes),
		cmocka_unit_test(through_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
