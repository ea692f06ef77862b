/* What clients see of a change of the leader: the change, and not a timeout of their own. Constant delays of
 * 10 ms; five validators; an election takes 300 ms and two messages at most where it is not split. */
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ELECTION_S .32

static struct outcome *run(const char *protocol, const char *timeout, const char *faults)
{
	return run_text("seed: 3\nvalidators: 5\nprotocol: %s\nnetwork: {latency: {kind: constant, value: 10 ms}}\n"
					"workload: {kind: requests, clients: 3, client_timeout: %s, "
					"arrivals: {kind: regular, rate: 20 /s}}\n"
					"stop: {items: 200}\nfaults: [%s]\n",
		protocol, timeout, faults);
}

static const char *const timeouts[] = {"500 ms", "8 s", "off"};

static void is_seen_in_time(void **state)
{
	static const struct {
		const char *protocol, *faults;
		double lasts_s; /* how long nobody leads */
		double within_s;
	} cases[] = {
		{"raft", "", 0, .0400001},
		{"raft", "{kind: step, at: 2 s, node: leader, action: transfer, to: 1}", 0, .2},
		{"raft", "{kind: step, at: 2 s, node: 3, action: campaign}", 0, .2},
		{"raft", "{kind: crash, nodes: leader, from: 2 s, until: 5 s}", ELECTION_S, .3},
		{"raft", "{kind: crash, nodes: leader, from: 2 s, until: 2050 ms}", ELECTION_S, .3},
		{"raft", "{kind: step, at: 2 s, node: leader, action: restart}", ELECTION_S, .3},
		{"{kind: raft, initial_leader: none}", "", ELECTION_S, .3},
		{"raft", "{kind: step, at: 2 s, node: leader, action: change-membership, members: [1, 2, 3, 4]}",
			ELECTION_S, .3},
		{"raft", "{kind: isolate, nodes: leader, from: 2 s, until: 5 s}", ELECTION_S, .3},
		{"raft", "{kind: partition, groups: [[0, 1], [2, 3, 4]], from: 2 s, until: 5 s}", ELECTION_S, .3},
		{"{kind: raft, check_quorum: on}",
			"{kind: partition, groups: [[0, 1], [2, 3], [4]], from: 2 s, until: 5 s}", 3 + ELECTION_S, .3},
		{"raft", "{kind: crash, nodes: [1, 2, 3], from: 2 s, until: 5 s}", 3, .3},
		{"raft", "{kind: crash, nodes: [0, 1, 2], from: 2 s, until: 5 s}", 3 + ELECTION_S, .3},
		{"{kind: raft, reads: index}", "{kind: crash, nodes: leader, from: 2 s, until: 5 s}", ELECTION_S, .3},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		double latency = NAN;
		for (size_t k = 0; k < sizeof(timeouts) / sizeof(timeouts[0]); k++) {
			struct outcome *outcome = run(cases[i].protocol, timeouts[k], cases[i].faults);
			assert_verdict(outcome, "completed");
			double longest = kpi(outcome, "latency_max_s");
			if (longest > cases[i].lasts_s + cases[i].within_s) {
				print_error("%s, %s, client_timeout %s: %g s\n", cases[i].protocol, cases[i].faults,
					timeouts[k], longest);
				fail();
			}
			if (k == 2) {
				assert_true(longest == latency); /* a timeout has no part in it */
			}
			latency = longest;
			outcome_close(outcome);
		}
	}
}

/* A gateway follows with its validator. */
static void gateways_follow(void **state)
{
	struct outcome *outcome = run_text("seed: 3\nvalidators: 5\nprotocol: raft\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nstop: {items: 100}\n"
		"workload: {kind: dimweight, arrivals: {kind: regular, rate: 20 /s}, quorum: 4, client_timeout: 8 s}\n"
		"predictor: {kind: linear, train: 50}\nfaults: [{kind: crash, nodes: [0], from: 2 s, until: 3 s}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "latency_max_s") < ELECTION_S + .3);
	outcome_close(outcome);
}

/* Nobody hears that 3 leads but from the others. A client that is told that nobody leads asks all in turn, after
 * .05, .15, .35, .75, 1.55 s (and the 20 ms of the first answer): the last time, 3 has led for half a second. */
static void all_are_asked_in_turn(void **state)
{
	struct outcome *outcome = run_text("seed: 3\nvalidators: 5\n"
		"protocol: {kind: raft, initial_leader: none, election_timeout: off}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nstop: {items: 1}\n"
		"workload: {kind: requests, client_timeout: off}\nrecord: [transactions]\nfaults:\n"
		"  - {kind: step, at: 1 s, node: 3, action: campaign}\n"
		"  - {kind: rule, message: hint, from_nodes: [3], action: drop}\n");
	assert_verdict(outcome, "completed");
	assert_near(kpi(outcome, "latency_max_s"), .02 + 1.55 + .06, 1e-9);
	/* The first request, five in turn, and the one to 3; as many hints; the reply. */
	assert_true(kpi(outcome, "client_messages") == 7 + 6 + 1 + 1);
	outcome_close(outcome);
}

/* The leader is silent, and nobody tells that another leads: the next server in turn, asked after the client's
 * own timeout, does. One that names a leader which does not answer is passed over the next time. */
static void a_silent_leader_is_passed_over(void **state)
{
	struct outcome *outcome = run_text("seed: 3\nvalidators: 5\nprotocol: {kind: raft, election_timeout: off}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nstop: {items: 10}\n"
		"workload: {kind: requests, client_timeout: 500 ms}\nfaults:\n"
		"  - {kind: crash, nodes: [0], from: 85 ms}\n"
		"  - {kind: isolate, nodes: [1], from: 85 ms, until: 5 s}\n"
		"  - {kind: step, at: 100 ms, node: 3, action: campaign}\n"
		"  - {kind: rule, message: hint, from_nodes: [3], action: drop}\n");
	assert_verdict(outcome, "completed");
	assert_near(kpi(outcome, "latency_max_s"), .5 + 1 + .02 + .04, 1e-9);
	outcome_close(outcome);
}

/* Nobody leads for 50 s: so long as nothing answers, a client asks ever more rarely. */
static void asking_is_bounded(void **state)
{
	struct outcome *outcome = run_text("seed: 3\nvalidators: 5\n"
		"protocol: {kind: raft, initial_leader: none}\nliveness_bound: 1000 s\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nstop: {items: 300}\n"
		"workload: {kind: requests, client_timeout: off, outstanding: 100}\nfaults:\n"
		"  - {kind: crash, nodes: [0, 1, 2], until: 50 s}\n"
		"  - {kind: duplicate, probability: 1}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "latency_max_s") < 50.7);
	/* 300 requests and replies; 100 asked twice before and at the election; a few in turn. */
	assert_true(kpi(outcome, "client_messages") < 600 + 100 + 100 + 50);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_seen_in_time),
		cmocka_unit_test(gateways_follow),
		cmocka_unit_test(all_are_asked_in_turn),
		cmocka_unit_test(a_silent_leader_is_passed_over),
		cmocka_unit_test(asking_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
