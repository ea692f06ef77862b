/* Service that stops and comes back: unanswered items, the longest outage, and how long each fault took it
 * away; by hand, and worked out again from the table of decisions. */
#include "study.h"

#include <math.h>
#include <stdlib.h>

/* A request a second from 1 s on, answered after 20 ms; what is sent from 2.5 s to 4.5 s is lost, and asked
 * for again after 2 s: accepted at 1.02, 2.02, 5.02 (two), 6.02 (two). */
static void by_hand(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 6}\n"
				 "validators: 1\n"
				 "protocol: none\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\n"
				 "workload: {kind: requests, client_timeout: 2 s, arrivals: {kind: regular, rate: 1 /s}}\n"
				 "faults: [{kind: loss, probability: 1, among: all, from: 2.5 s, until: 4.5 s}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "unanswered") == 0);
	assert_near(kpi(outcome, "outage_max_s"), 2.02, 1e-12); /* from the third's arrival */
	assert_near(kpi(outcome, "recovered_s"), 2.52, 1e-12);
	assert_near(kpi(outcome, "recovery_s"), .52, 1e-12);
	outcome_close(outcome);
}

/* A request a second takes 20 ms. A gap is what takes more than twice as long, from the fault's beginning on:
 * the reply to the third is under way from 3.01 s. */
static void slower(void **state)
{
	static const struct {
		const char *fault;
		double recovered_s;
	} rows[] = {
		{"delay: 5 ms, from: 2.5 s", NAN},             /* 30 ms */
		{"delay: 15 ms, from: 2.5 s", .55},            /* 50 ms */
		{"delay: 25 ms, from: 3.01 s, until: 3.5 s", NAN}, /* 45 ms, of which 35 since */
		{"delay: 35 ms, from: 3.01 s, until: 3.5 s", .045}, /* 45 ms since */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome *outcome =
			run_text("stop: {items: 6}\nvalidators: 1\nprotocol: none\n"
					 "network: {latency: {kind: constant, value: 10 ms}}\n"
					 "workload: {kind: requests, arrivals: {kind: regular, rate: 1 /s}}\n"
					 "faults: [{kind: slow-link, %s}]\n",
				rows[i].fault);
		double recovered_s = kpi(outcome, "recovered_s");
		if (isnan(rows[i].recovered_s)) {
			assert_true(isnan(recovered_s));
		} else {
			assert_near(recovered_s, rows[i].recovered_s, 1e-9);
		}
		outcome_close(outcome);
	}
}

/* An outage that lasts to the end is one, and nothing has recovered from it. */
static void to_the_end(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 3, time: 10 s}\n"
				 "validators: 1\n"
				 "protocol: none\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\n"
				 "workload: {kind: requests, client_timeout: 2 s, arrivals: {kind: regular, rate: 1 /s}}\n"
				 "faults: [{kind: loss, probability: 1, among: all, from: 1.5 s}]\n");
	assert_verdict(outcome, "limit");
	assert_true(kpi(outcome, "unanswered") == 2);
	assert_true(kpi(outcome, "undecided") == 0);
	assert_true(kpi(outcome, "outage_max_s") == 8); /* from the second's arrival */
	assert_true(isnan(kpi(outcome, "recovered_s")));
	assert_true(isnan(kpi(outcome, "recovery_s")));
	outcome_close(outcome);
}

/* Idle is no outage. */
static void idle(void **state)
{
	struct outcome *outcome = run_text(
		"stop: {items: 3}\nvalidators: 4\nprotocol: raft\n"
		"workload: {kind: requests, arrivals: {kind: regular, rate: 0.1 /s}}\n"
		"faults: [{kind: crash, nodes: [3], from: 12 s, until: 14 s}]\n");
	assert_verdict(outcome, "completed");
	assert_near(kpi(outcome, "outage_max_s"), kpi(outcome, "latency_max_s"), 1e-12);
	assert_true(isnan(kpi(outcome, "recovered_s"))); /* a follower of four is not missed */
	outcome_close(outcome);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The first of the times between acceptances that is longer than `least_s`, in [from_s, until_s]. */
static double gap_end(const double *accepted_s, size_t n, double from_s, double until_s, double least_s)
{
	for (size_t i = 1; i < n; i++) {
		if (accepted_s[i] > from_s && accepted_s[i] < until_s && accepted_s[i] - accepted_s[i - 1] > least_s) {
			return accepted_s[i];
		}
	}
	return NAN;
}

/* The leader crashes, the network duplicates, the next leader is cut off; requests keep coming, far denser
 * than the gaps. Of the three the duplicates cause none. */
static void recomputed(void **state)
{
	const char *const protocols[] = {"raft", "pbft"};
	for (int p = 0; p < 2; p++) {
		struct outcome *outcome = run_text(
			"seed: 3\nstop: {items: 2000}\nvalidators: 5\nprotocol: %s\n"
			"network: {latency: {kind: lognormal, median: 5 ms, sigma: 0.3}}\n"
			"workload: {kind: requests, clients: 8, arrivals: {kind: poisson, rate: 100 /s}}\n"
			"record: [decisions]\n"
			"faults:\n"
			"  - {kind: crash, nodes: leader, from: 3 s, until: 7 s}\n"
			"  - {kind: duplicate, probability: 0.5, from: 8 s, until: 10 s}\n"
			"  - {kind: isolate, nodes: leader, from: 13 s, until: 17 s}\n",
			protocols[p]);
		assert_verdict(outcome, "completed");
		size_t n = n_rows(outcome, TABLE_DECISIONS);
		double *accepted_s = calloc(n, sizeof(*accepted_s));
		for (size_t i = 0; i < n; i++) {
			accepted_s[i] = real_at(outcome, TABLE_DECISIONS, i, "decided_s");
		}
		qsort(accepted_s, n, sizeof(*accepted_s), ascending);
		double longest_s = 0;
		for (size_t i = 1; i < n; i++) {
			longest_s = fmax(longest_s, accepted_s[i] - accepted_s[i - 1]);
		}
		double crash_s = gap_end(accepted_s, n, 3, 8, .15) - 3;
		double cut_s = gap_end(accepted_s, n, 13, 18, .15) - 13;
		assert_true(crash_s > .1 && cut_s > .1 && isnan(gap_end(accepted_s, n, 8, 13, .15)));
		assert_near(kpi(outcome, "recovered_s"), (crash_s + cut_s) / 2, 1e-9);
		/* from the first arrival after an acceptance on: some 10 ms later than that */
		assert_near(kpi(outcome, "outage_max_s"), longest_s, .05);
		assert_true(longest_s > .15);
		free(accepted_s);
		outcome_close(outcome);
	}
}

/* Down from the start: there was no answer before to compare with. Two validators that go down together are
 * one fault; one that goes down while nothing is answered anyway has its own beginning. */
static void from_the_start(void **state)
{
	struct outcome *outcome = run_text(
		"stop: {items: 300}\nvalidators: 5\nprotocol: pbft\nnetwork: {latency: 5 ms}\n"
		"workload: {kind: requests, clients: 3, arrivals: {kind: regular, rate: 100 /s},\n"
		"  client_timeout: 500 ms}\n"
		"record: [decisions]\n"
		"faults: [{kind: crash, nodes: [0], until: 10 s}]\n");
	assert_verdict(outcome, "completed");
	double first_s = INFINITY;
	for (size_t i = 0; i < 300; i++) {
		first_s = fmin(first_s, real_at(outcome, TABLE_DECISIONS, i, "decided_s"));
	}
	assert_true(first_s > .5);
	assert_near(kpi(outcome, "recovered_s"), first_s, 1e-9);
	assert_near(kpi(outcome, "outage_max_s"), first_s - .01, 1e-9);
	outcome_close(outcome);

	outcome = run_text(
		"stop: {items: 400}\nvalidators: 4\nprotocol: raft\nnetwork: {latency: 1 ms}\n"
		"workload: {kind: requests, arrivals: {kind: regular, rate: 100 /s}}\n"
		"faults:\n"
		"  - {kind: crash, nodes: [1, 2], from: 1 s, until: 3 s}\n"
		"  - {kind: crash, nodes: [3], from: 2 s, until: 2.5 s}\n");
	assert_verdict(outcome, "completed");
	/* the leader appends again at its next heartbeat: both end together */
	double end_s = kpi(outcome, "recovered_s") + 1.5;
	assert_true(end_s > 3 && end_s < 3.4);
	assert_near(kpi(outcome, "outage_max_s"), end_s - 1, .01);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(slower),
		cmocka_unit_test(to_the_end),
		cmocka_unit_test(idle),
		cmocka_unit_test(recomputed),
		cmocka_unit_test(from_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
