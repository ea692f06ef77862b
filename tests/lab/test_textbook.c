/* Textbook runs: a constant delay d, nothing else costs anything. What comes out is exact, to the message
 * and the nanosecond.
 *
 *   PBFT  (n-1) + (n-1)^2 + n(n-1) messages, commit 3d, latency 5d: Castro, Liskov, OSDI 1999, 4.2
 *   Raft  2(n-1) messages, commit at the leader 2d, latency 4d: Ongaro, Ousterhout, USENIX ATC 2014
 *   none  n-1 messages, commit at the others d, latency 2d
 *   central  the same, in one order
 *   Streamlet  (n-1) + n(n-1) messages a block; final an epoch and 2d after it is proposed: Chan, Shi, AFT 2020 */
#include "study.h"

#include <math.h>

static const char *const scenario =
	"seed: 1\n"
	"stop: {items: 25}\n"
	"validators: %u\n"
	"protocol: %s\n"
	"network: {latency: {kind: constant, value: 10 ms}}\n"
	"workload: {kind: requests, clients: %u, outstanding: %u}\n";

static struct outcome *run(const char *protocol, unsigned n, unsigned clients, unsigned outstanding)
{
	struct outcome *outcome = run_text(scenario, n, protocol, clients, outstanding);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "items") == 25);
	assert_true(kpi(outcome, "decided") == 25);
	assert_true(kpi(outcome, "undecided") == 0);
	assert_true(kpi(outcome, "divergence") == 0);
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(isnan(kpi(outcome, "first_violation_s")));
	assert_true(kpi(outcome, "leader_changes") == 0);
	assert_true(kpi(outcome, "elections") == 0);
	assert_true(kpi(outcome, "availability") == 1);
	return outcome;
}

static void pbft(void **state)
{
	for (unsigned n = 4; n <= 13; n += 3) {
		struct outcome *outcome = run("pbft", n, 1, 1);
		double messages = (n - 1) + (n - 1) * (n - 1) + n * (n - 1);
		assert_true(messages == (n == 4 ? 24 : n == 7 ? 84 : n == 10 ? 180 : 312));
		assert_true(kpi(outcome, "instances") == 25);
		assert_true(kpi(outcome, "messages_per_instance") == messages);
		assert_true(kpi(outcome, "messages") == 25 * messages);
		assert_true(kpi(outcome, "heartbeats") == 0);
		/* the request, and a reply of each replica (those beyond the f+1-th count as well) */
		assert_true(kpi(outcome, "client_messages") == 25 * (1 + n));
		assert_true(kpi(outcome, "commit_mean_s") == .03);
		assert_true(kpi(outcome, "commit_p50_s") == .03);
		assert_true(kpi(outcome, "commit_p99_s") == .03);
		assert_true(kpi(outcome, "proposer_commit_mean_s") == .03);
		assert_true(kpi(outcome, "latency_mean_s") == .05);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "latency_p50_s") == .05);
		assert_true(kpi(outcome, "latency_p99_s") == .05);
		assert_true(kpi(outcome, "latency_max_s") == .05);
		/* a closed loop of one: 25 in 25 * 50 ms */
		assert_true(kpi(outcome, "throughput_per_s") == 20);
		assert_true(kpi(outcome, "simulated_s") == 1.25);
		outcome_close(outcome);
	}
}

static void raft(void **state)
{
	for (unsigned n = 2; n <= 13; n++) {
		struct outcome *outcome = run("raft", n, 1, 1);
		assert_true(kpi(outcome, "instances") == 25); /* the first leader writes no no-op */
		assert_true(kpi(outcome, "messages_per_instance") == 2 * (n - 1));
		assert_true(kpi(outcome, "messages") - kpi(outcome, "heartbeats") == 25 * 2 * (n - 1));
		assert_true(kpi(outcome, "proposer_commit_mean_s") == .02);
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "client_messages") == 25 * 2);
		/* A follower hears with the next append that an entry is committed: the answer travels d, the
		 * next request d, its append d, after 2d; and the last one with a heartbeat. */
		assert_true(kpi(outcome, "commit_p50_s") == .05);
		outcome_close(outcome);
	}
}

static void none(void **state)
{
	for (unsigned n = 2; n <= 13; n += 3) {
		struct outcome *outcome = run("none", n, 1, 1);
		assert_true(kpi(outcome, "instances") == 25);
		assert_true(kpi(outcome, "messages_per_instance") == n - 1);
		assert_true(kpi(outcome, "messages") == 25 * (n - 1));
		assert_true(kpi(outcome, "commit_mean_s") == .01);
		assert_true(kpi(outcome, "proposer_commit_mean_s") == 0);
		assert_true(kpi(outcome, "latency_mean_s") == .02);
		outcome_close(outcome);
	}
}

static void central(void **state)
{
	for (unsigned n = 1; n <= 13; n += 4) {
		struct outcome *outcome = run("central", n, 1, 1);
		assert_true(kpi(outcome, "instances") == 25);
		assert_true(kpi(outcome, "messages_per_instance") == n - 1);
		assert_true(kpi(outcome, "messages") == 25 * (n - 1));
		assert_true(kpi(outcome, "commit_mean_s") == (n == 1 ? 0 : .01));
		assert_true(kpi(outcome, "proposer_commit_mean_s") == 0);
		assert_true(kpi(outcome, "latency_mean_s") == .02);
		assert_true(kpi(outcome, "client_messages") == 25 * 2);
		outcome_close(outcome);
	}
}

/* Several requests under way change neither the messages of an instance nor how long it takes. */
static void pipelined(void **state)
{
	struct outcome *outcome = run("{kind: pbft, batch: 1}", 4, 3, 2);
	assert_true(kpi(outcome, "instances") == 25);
	assert_true(kpi(outcome, "messages_per_instance") == 24);
	assert_true(kpi(outcome, "commit_mean_s") == .03);
	assert_true(kpi(outcome, "latency_mean_s") == .05);
	outcome_close(outcome);

	/* A proposal leaves at once: the first of six requests that arrive together goes alone, and so do
	 * the others, since fewer than `window` are in flight. With a window of one they wait and share. */
	outcome = run("{kind: pbft, window: 1}", 4, 3, 2);
	assert_true(kpi(outcome, "instances") < 25);
	assert_true(kpi(outcome, "messages_per_instance") == 24);
	assert_true(kpi(outcome, "commit_mean_s") == .03);
	outcome_close(outcome);

	outcome = run("{kind: raft, batch: 1}", 5, 3, 2);
	assert_true(kpi(outcome, "instances") == 25);
	assert_true(kpi(outcome, "messages_per_instance") == 8);
	assert_true(kpi(outcome, "latency_mean_s") == .04);
	outcome_close(outcome);
}

/* A cluster of one: nobody to talk to but the client. */
static void alone(void **state)
{
	const char *const protocols[] = {"none", "raft", "pbft"};
	for (int i = 0; i < 3; i++) {
		struct outcome *outcome = run(protocols[i], 1, 2, 2);
		assert_true(kpi(outcome, "messages") == 0);
		assert_true(kpi(outcome, "messages_per_instance") == 0);
		assert_true(kpi(outcome, "latency_mean_s") == .02);
		assert_true(kpi(outcome, "commit_mean_s") == 0);
		assert_true(kpi(outcome, "proposer_commit_mean_s") == 0);
		outcome_close(outcome);
	}
}

/* A thousand validators, where messages grow with n alone. */
static void thousand(void **state)
{
	const char *const protocols[] = {"none", "raft"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run(protocols[i], 1000, 1, 1);
		assert_true(kpi(outcome, "messages_per_instance") == (i == 0 ? 999 : 1998));
		assert_true(kpi(outcome, "latency_mean_s") == (i == 0 ? .02 : .04));
		outcome_close(outcome);
	}
}

/* One that asks has each request in a block of its own, with two empty ones after it: n^2 - 1 messages each, of which
 * one empty one is never final. Then a long run, in which nobody is ever called a leader that has fallen. */
static void streamlet(void **state)
{
	for (unsigned n = 4; n <= 13; n += 3) {
		struct outcome *outcome = run("{kind: streamlet, delta: 20 ms}", n, 1, 1);
		assert_true(kpi(outcome, "messages_per_instance") * kpi(outcome, "instances") / (n * n - 1) ==
			kpi(outcome, "instances") + 1);
		assert_true(kpi(outcome, "latency_p50_s") >= .08 + .02 + .01);
		outcome_close(outcome);
	}
	struct outcome *outcome = run_text("validators: 4\nprotocol: streamlet\nstop: {items: 25000}\n"
		"workload: {kind: requests, clients: 10, arrivals: {kind: poisson, rate: 200 /s}}\n"
		"network: {latency: {kind: lognormal, median: 10 ms, sigma: 0.3}}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "decided") == 25000);
	assert_true(kpi(outcome, "leader_changes") == 0);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pbft),
		cmocka_unit_test(raft),
		cmocka_unit_test(none),
		cmocka_unit_test(central),
		cmocka_unit_test(streamlet),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(alone),
		cmocka_unit_test(thousand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
