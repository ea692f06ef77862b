/* The KPIs of runs so small that they can be worked out by hand. */
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One validator that answers at once; client and validator are 10 ms apart; a request a second, from 1 s
 * to 6 s; all that is sent from 2.5 s to 4.5 s is lost, and asked for again after 2 s.
 *
 *   arrived   1     2     3     4     5     6
 *   accepted  1.02  2.02  5.02  6.02  5.02  6.02      the third and fourth asked again at 5 s and 6 s */
static void by_hand(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 6}\n"
				 "validators: 1\n"
				 "protocol: none\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\n"
				 "workload: {kind: requests, client_timeout: 2 s, arrivals: {kind: regular, rate: 1 /s}}\n"
				 "faults: [{kind: loss, probability: 1, among: all, from: 2.5 s, until: 4.5 s}]\n"
				 "record: [decisions, series, validators]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "items") == 6);
	assert_near(kpi(outcome, "throughput_per_s"), 6 / 5.02, 1e-12);
	double mean = (4 * .02 + 2 * 2.02) / 6;
	assert_near(kpi(outcome, "latency_mean_s"), mean, 1e-12);
	double squares = 4 * (.02 - mean) * (.02 - mean) + 2 * (2.02 - mean) * (2.02 - mean);
	assert_near(kpi(outcome, "latency_sd_s"), sqrt(squares / 5), 1e-12);
	/* .02 .02 .02 .02 2.02 2.02: type 7 interpolates at (n - 1) p */
	assert_true(kpi(outcome, "latency_p50_s") == .02);
	assert_true(kpi(outcome, "latency_p95_s") == 2.02);
	assert_true(kpi(outcome, "latency_max_s") == 2.02);
	/* Windows with work: 1, 2, 3, 4, 5, 6; with an acceptance: 1, 2, 5, 6. */
	assert_true(kpi(outcome, "availability") == 4. / 6);
	assert_near(kpi(outcome, "recovery_s"), .52, 1e-12);
	/* six requests, two of them twice, six replies; what is lost was sent */
	assert_true(kpi(outcome, "client_messages") == 14);
	assert_true(kpi(outcome, "messages") == 0);
	assert_true(kpi(outcome, "simulated_s") == 6.02);
	assert_int_equal(int_at(outcome, TABLE_VALIDATORS, 0, "messages_sent"), 6);
	static const double accepted_s[] = {1.02, 2.02, 5.02, 6.02, 5.02, 6.02};
	for (size_t i = 0; i < 6; i++) {
		assert_true(real_at(outcome, TABLE_DECISIONS, i, "arrived_s") == (double)(i + 1));
		assert_true(real_at(outcome, TABLE_DECISIONS, i, "decided_s") == accepted_s[i]);
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "instance"), i); /* its transaction's */
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "proposer"), 0);
	}
	static const int outstanding[] = {0, 0, 0, 1, 2, 1, 0};
	static const int accepted[] = {0, 1, 1, 0, 0, 2, 2};
	assert_int_equal(n_rows(outcome, TABLE_SERIES), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_true(real_at(outcome, TABLE_SERIES, i, "time_s") == (double)i);
		assert_int_equal(int_at(outcome, TABLE_SERIES, i, "outstanding"), outstanding[i]);
		/* the run ends 20 ms into the last */
		double length_s = real_at(outcome, TABLE_SERIES, i, "length_s");
		assert_near(length_s, i == 6 ? .02 : 1, 1e-12);
		assert_near(real_at(outcome, TABLE_SERIES, i, "accepted_per_s"), accepted[i] / length_s, 1e-9);
	}
	outcome_close(outcome);
}

/* Work that is never done counts in every window up to the end of the run, and not in the one that the end
 * only touches. */
static void unavailable(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 2, time: 10 s}\n"
				 "validators: 1\n"
				 "protocol: none\n"
				 "workload: {kind: requests, client_timeout: 2 s, arrivals: {kind: regular, rate: 1 /s}}\n"
				 "faults: [{kind: loss, probability: 1, among: all, from: 1.5 s}]\n");
	assert_verdict(outcome, "limit");
	assert_true(kpi(outcome, "simulated_s") == 10);
	/* windows 1 to 9, an acceptance in 1 */
	assert_true(kpi(outcome, "availability") == 1. / 9);
	assert_true(isnan(kpi(outcome, "recovery_s")));
	assert_true(kpi(outcome, "decided") == 1);
	outcome_close(outcome);
}

/* Rates are by the length of their window: the run's end cuts the last one short, and leaves none of length 0.
 * 100 /s, answered after 4 ms, to the end of a plan. */
static void windows(void **state)
{
	static const struct {
		const char *window, *end;
		size_t n;
		double length_s, last_s, last_per_s;
	} rows[] = {
		{"1 s", "4.25 s", 5, 1, .25, 100},
		{"1 s", "3 s", 3, 1, 1, 100},
		{"400 ms", "2.5 s", 7, .4, .1, 100},
		{"50 ms", "200 ms", 4, .05, .05, 100},
		{"10 s", "2.504 s", 1, 10, 2.504, 250 / 2.504}, /* 2.5 s is answered at the very end */
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct outcome *outcome = run_text(
			"stop: {time: %s}\nvalidators: 4\nprotocol: raft\nnetwork: {latency: 1 ms}\n"
			"workload: {kind: requests, arrivals: {kind: regular, rate: 100 /s}}\n"
			"record: [series, decisions]\nseries: {window: %s}\n",
			rows[r].end, rows[r].window);
		assert_int_equal(n_rows(outcome, TABLE_SERIES), rows[r].n);
		double arrived = 0, accepted = 0;
		for (size_t i = 0; i < rows[r].n; i++) {
			double length_s = real_at(outcome, TABLE_SERIES, i, "length_s");
			assert_near(length_s, i + 1 < rows[r].n ? rows[r].length_s : rows[r].last_s, 1e-12);
			assert_near(real_at(outcome, TABLE_SERIES, i, "time_s"), (double)i * rows[r].length_s, 1e-9);
			arrived += (double)int_at(outcome, TABLE_SERIES, i, "arrived");
			accepted += real_at(outcome, TABLE_SERIES, i, "accepted_per_s") * length_s;
		}
		assert_near(real_at(outcome, TABLE_SERIES, rows[r].n - 1, "accepted_per_s"), rows[r].last_per_s, 1e-9);
		assert_near(arrived, kpi(outcome, "items"), 1e-9);
		assert_near(accepted, kpi(outcome, "decided"), 1e-9);
		assert_true(kpi(outcome, "availability") == 1);
		outcome_close(outcome);
	}
}

/* A request a second is answered after 20 ms, and for three seconds not at all: by how long the windows are,
 * other shares of them have an answer. */
static void availability(void **state)
{
	static const struct {
		const char *window;
		double availability;
	} rows[] = {
		{"1 s", 4. / 6}, /* as by hand, with work from 1 s to 6.02 s */
		{"500 ms", 4. / 9}, /* 1.0, 2.0, 3.0 to 5.0 (five), 5.5 and 6.0; accepted in 1.0, 2.0, 5.0, 6.0 */
		{"4 s", 1},
		{"10 ms", 4. / (2 * 3 + 302)}, /* 1.00 to 1.02, 2.00 to 2.02, 3.00 to 6.02, whose end is the run's */
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct outcome *outcome =
			run_text("stop: {items: 6}\nvalidators: 1\nprotocol: none\nseries: {window: %s}\n"
					 "network: {latency: {kind: constant, value: 10 ms}}\n"
					 "workload: {kind: requests, client_timeout: 2 s, arrivals: {kind: regular, rate: 1 /s}}\n"
					 "faults: [{kind: loss, probability: 1, among: all, from: 2.5 s, until: 4.5 s}]\n",
				rows[r].window);
		assert_near(kpi(outcome, "availability"), rows[r].availability, 1e-12);
		outcome_close(outcome);
	}
}

/* Quantiles between order statistics: ten latencies that are all different. */
static void quantiles(void **state)
{
	struct outcome *outcome = run_text("seed: 6\n"
									   "stop: {items: 10}\n"
									   "validators: 4\n"
									   "protocol: pbft\n"
									   "network: {latency: {kind: exponential, mean: 20 ms}}\n"
									   "workload: requests\n"
									   "record: [decisions]\n");
	assert_verdict(outcome, "completed");
	double latencies[10];
	for (size_t i = 0; i < 10; i++) {
		double latency = real_at(outcome, TABLE_DECISIONS, i, "decided_s") -
			real_at(outcome, TABLE_DECISIONS, i, "arrived_s");
		size_t at = i;
		for (; at > 0 && latencies[at - 1] > latency; at--) {
			latencies[at] = latencies[at - 1];
		}
		latencies[at] = latency;
	}
	assert_true(latencies[0] < latencies[9]);
	assert_near(kpi(outcome, "latency_p50_s"), (latencies[4] + latencies[5]) / 2, 1e-12);
	assert_near(kpi(outcome, "latency_p95_s"), .45 * latencies[8] + .55 * latencies[9], 1e-12);
	assert_near(kpi(outcome, "latency_p99_s"), .09 * latencies[8] + .91 * latencies[9], 1e-12);
	assert_near(kpi(outcome, "latency_max_s"), latencies[9], 1e-12);
	/* agreement: the same again is not there to compare with; but all instances are */
	assert_true(kpi(outcome, "instances") == 10);
	outcome_close(outcome);
}

/* Under `none` replicas meet requests in different orders; agreement is what prevents it. */
static void divergence(void **state)
{
	struct study *study =
		study_open("seed: 8\n"
				   "stop: {items: 200}\n"
				   "validators: 4\n"
				   "protocol: none\n"
				   "network: {latency: {kind: exponential, mean: 20 ms}}\n"
				   "workload: {kind: requests, clients: 6, arrivals: {kind: poisson, rate: 100 /s}}\n"
				   "sweep: {protocol: [none, raft, pbft], workload.clients: [6, 1]}\n");
	for (size_t point = 0; point < study->n_points; point++) {
		struct outcome *outcome = study_run(study, point, 0);
		assert_verdict(outcome, "completed");
		if (point == 0) {
			assert_in_range(100 * kpi(outcome, "divergence"), 50, 100);
		} else if (point > 1) {
			assert_true(kpi(outcome, "divergence") == 0);
		}
		assert_true(kpi(outcome, "safety_violations") == 0); /* `none` promises no order */
		outcome_destroy(outcome);
	}
	study_close(study);
	/* Items: each replica decides from the first three predictions that it has heard. */
	study = study_open("seed: 8\n"
					   "stop: {items: 100}\n"
					   "validators: 4\n"
					   "protocol: none\n"
					   "network: {latency: {kind: exponential, mean: 20 ms}}\n"
					   "workload: {kind: dimweight, arrivals: {kind: poisson, rate: 20 /s}, quorum: 3}\n"
					   "predictor: {kind: linear, train: 50}\n"
					   "sweep: {protocol: [none, raft, pbft], workload.quorum: [3, n]}\n");
	for (size_t point = 0; point < study->n_points; point++) {
		struct outcome *outcome = study_run(study, point, 0);
		assert_verdict(outcome, "completed");
		if (point == 0) {
			assert_in_range(100 * kpi(outcome, "divergence"), 80, 100);
		} else {
			assert_true(kpi(outcome, "divergence") == 0); /* of all four, whatever the order */
		}
		outcome_destroy(outcome);
	}
	study_close(study);
	/* one client that waits for each answer, and delays that don't reorder: nothing diverges */
	struct outcome *outcome =
		run_text("stop: {items: 50}\nvalidators: 4\nprotocol: none\nworkload: requests\n");
	assert_true(kpi(outcome, "divergence") == 0);
	outcome_close(outcome);
}

/* Who crashes is left out: validator 3 misses the predictions that are on their way to it, and closes the
 * item by the gateways' votes with its own alone. The other three have all four. */
static void divergence_of_the_crashed(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 1}\n"
				 "validators: 4\n"
				 "protocol: none\n"
				 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: 4,\n"
				 "  client_timeout: 400 ms, deadline: 500 ms}\n"
				 "predictor: {kind: linear, train: 50}\n"
				 "faults:\n"
				 "  - {kind: crash, nodes: [3], from: 1.005 s, until: 1.1 s}\n"
				 "  - {kind: loss, probability: 1, from: 1.005 s, until: 1.02 s}\n"
				 "record: [validators, decisions]\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 0, "predictions"), 1);
	assert_true(kpi(outcome, "divergence") == 1); /* each of the three has its own alone */
	outcome_close(outcome);

	outcome = run_text("stop: {items: 2}\n"
					   "validators: 4\n"
					   "protocol: none\n"
					   "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: 4,\n"
					   "  client_timeout: 400 ms, deadline: 500 ms}\n"
					   "predictor: {kind: linear, train: 50}\n"
					   "faults:\n"
					   "  - {kind: crash, nodes: [0, 1], from: 1.005 s, until: 1.1 s}\n"
					   "record: [validators]\n");
	/* 2 and 3 have heard of all four; 0 and 1 have missed what was sent to them, and close the first item
	 * by the votes of each other while the run goes on to the second */
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "divergence") == 0);
	outcome_close(outcome);
}

/* Four validators, one of them down: its prediction never comes, and each item is closed by the second
 * gateway that asks for it after the deadline. Delays of 10 ms: the leader's own request to close is
 * appended at the deadline, the second 10 ms later, and known to be committed after 20 ms more. */
static void deadline(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 8}\n"
				 "validators: 4\n"
				 "protocol: raft\n"
				 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: n,\n"
				 "  deadline: 500 ms}\n"
				 "predictor: {kind: linear, train: 50}\n"
				 "faults: [{kind: crash, nodes: [3]}]\n"
				 "record: [decisions, predictions]\n");
	assert_verdict(outcome, "completed");
	for (size_t i = 0; i < 8; i++) {
		/* item i's client: the gateway of validator i mod 4, or of the next that is up */
		int64_t client = int_at(outcome, TABLE_DECISIONS, i, "client");
		assert_int_equal(client, i % 4 == 3 ? 0 : i % 4);
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "predictions"), 3);
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "late"), 0);
		if (client == 0) {
			double arrived_s = real_at(outcome, TABLE_DECISIONS, i, "arrived_s");
			assert_near(
				real_at(outcome, TABLE_DECISIONS, i, "decided_s") - arrived_s, .53, 1e-9);
		}
	}
	assert_int_equal(n_rows(outcome, TABLE_PREDICTIONS), 24);
	outcome_close(outcome);

	/* Three of seven down: four predictions are too few for a trimmed mean that assumes two liars. */
	outcome = run_text("stop: {items: 8}\n"
					   "validators: 7\n"
					   "protocol: raft\n"
					   "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: n,\n"
					   "  deadline: 500 ms}\n"
					   "predictor: {kind: linear, train: 50}\n"
					   "aggregator: {kind: trimmed-mean, faulty: 2}\n"
					   "faults: [{kind: crash, nodes: [4, 5, 6]}]\n"
					   "record: [decisions]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "items") == 8);
	assert_true(kpi(outcome, "decided") == 0);
	assert_true(kpi(outcome, "undecided") == 8);
	assert_true(isnan(kpi(outcome, "mae")));
	assert_true(isnan(kpi(outcome, "rmse")));
	assert_true(isnan(kpi(outcome, "corruption_rate")));
	assert_true(isnan(kpi(outcome, "dispute_rate")));
	assert_true(isnan(kpi(outcome, "false_accept_rate"))); /* nobody attacks */
	assert_true(kpi(outcome, "false_reject_rate") == 0);
	assert_true(isnan(kpi(outcome, "detection_s")));
	assert_true(isnan(real_at(outcome, TABLE_DECISIONS, 0, "value")));
	outcome_close(outcome);
}

/* Who was down at an item's deadline makes up for it as long after its restart; who was up has asked in time,
 * at the moment of the restart, too, and does not ask twice. Items at 0.5, 1.0, 1.5, 2.0 s with a deadline
 * of 0.5 s; 3 is down from 0.9 s, 1 and 2 are from 1.2 s, up to 2 s; what they send about 2 s is lost. */
static void late_deadlines(void **state)
{
	struct outcome *outcome =
		run_text("stop: {time: 4 s}\n"
				 "validators: 4\n"
				 "protocol: none\n"
				 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 2 /s}, quorum: n,\n"
				 "  deadline: 500 ms}\n"
				 "predictor: {kind: linear, train: 50}\n"
				 "faults:\n"
				 "  - {kind: crash, nodes: [3], from: 0.9 s, until: 2 s}\n"
				 "  - {kind: crash, nodes: [1, 2], from: 1.2 s, until: 2 s}\n"
				 "  - {kind: loss, probability: 1, from: 1.95 s, until: 2.4 s}\n"
				 "record: [transactions]\n");
	unsigned n[4][4] = {{0}};
	for (size_t i = 0; i < n_rows(outcome, TABLE_TRANSACTIONS); i++) {
		int64_t item = int_at(outcome, TABLE_TRANSACTIONS, i, "item");
		int64_t client = int_at(outcome, TABLE_TRANSACTIONS, i, "client");
		if (strcmp(string_at(outcome, TABLE_TRANSACTIONS, i, "kind"), "close") != 0 || item > 3) {
			continue;
		}
		n[item][client]++;
		double submitted_s = real_at(outcome, TABLE_TRANSACTIONS, i, "submitted_s");
		bool makes_up = item == 1 && client > 0;
		assert_near(submitted_s, makes_up ? 2.5 : 1 + .5 * (double)item, 1e-9);
	}
	for (size_t client = 0; client < 4; client++) {
		assert_int_equal(n[0][client], 0); /* all four spoke */
		for (size_t item = 1; item < 4; item++) {
			assert_int_equal(n[item][client], 1);
		}
	}
	outcome_close(outcome);
}

/* A client waits twice as long each time that it asks again: up to 128 times its timeout, and no longer than
 * a quarter of the liveness bound. Nobody hears a request made at 0 s. */
static void longest_wait(void **state)
{
	static const struct {
		const char *bound;
		int n_asked;
	} rows[] = {
		{"off", 10},     /* at 0 1 3 7 15 31 63 127 255 383 s */
		{"32 s", 7},     /* at 0 1 3 7 15 23 31 s: a quarter is 8 s, just that */
		{"31.999 s", 10}, /* at 0 1 3 7 11 15 19 23 27 31 s */
		{"2.5 s", 3},    /* at 0 1 2 s: its timeout at least */
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct outcome *outcome =
			run_text("stop: {time: 400 s}\nliveness_bound: %s\nvalidators: 1\nprotocol: none\n"
					 "workload: {kind: requests, client_timeout: 1 s}\n"
					 "faults: [{kind: loss, probability: 1, among: all}]\n",
				rows[r].bound);
		assert_verdict(outcome, r == 0 ? "completed" : "stalled");
		assert_true(kpi(outcome, "client_messages") == rows[r].n_asked);
		outcome_close(outcome);
	}
}

/* Three predictions close an item; the fourth, of the validator farthest down the queue, is late. */
static void late(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 8}\n"
				 "validators: 4\n"
				 "protocol: {kind: raft, batch: 1}\n"
				 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: 3}\n"
				 "predictor: {kind: linear, train: 50}\n"
				 "record: [decisions, predictions]\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(n_rows(outcome, TABLE_PREDICTIONS), 32);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "predictions"), 3);
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, i, "late"), 1);
	}
	for (size_t i = 0; i < 32; i++) {
		bool is_late = int_at(outcome, TABLE_PREDICTIONS, i, "node") == 3;
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, i, "late"), is_late);
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, i, "accepted"), !is_late);
		assert_int_equal(isnan(real_at(outcome, TABLE_PREDICTIONS, i, "score")), is_late);
	}
	outcome_close(outcome);
}

/* A fault that ends at several validators ends once: 2.5 s to 3.02 s, and 4.9 s to 5.02 s. */
static void recovery_of_several(void **state)
{
	struct outcome *outcome = run_text(
		"stop: {items: 6}\nvalidators: 4\nprotocol: none\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: requests, clients: 1, arrivals: {kind: regular, rate: 1 /s}}\n"
		"faults:\n"
		"  - {kind: crash, nodes: [1, 2, 3], from: 1.5 s, until: 2.5 s}\n"
		"  - {kind: crash, nodes: [1], from: 4 s, until: 4.9 s}\n");
	assert_verdict(outcome, "completed");
	assert_near(kpi(outcome, "recovery_s"), (.52 + .12) / 2, 1e-12);
	outcome_close(outcome);
}

/* Ten requests to validator 0, which tells the two others each: what becomes of these twenty copies. */
static void lost_on_the_way(void **state)
{
	static const struct {
		const char *fault;
		double lost, cut, corrupted, duplicated;
	} cases[] = {
		{"{kind: skew, nodes: [1], offset: 1 s}", 0, 0, 0, 0},
		{"{kind: loss, probability: 1}", 20, 0, 0, 0},
		{"{kind: rule, from_nodes: [0], to_nodes: [2], action: drop}", 10, 0, 0, 0},
		{"{kind: cut, from_nodes: [0], to_nodes: [1]}", 0, 10, 0, 0},
		{"{kind: isolate, nodes: [1, 2]}", 0, 20, 0, 0},
		{"{kind: corrupt, probability: 1}", 0, 0, 20, 0},
		{"{kind: duplicate, probability: 1, copies: 3}", 0, 0, 0, 60},
		/* Each copy of a copy is cut on its own. */
		{"{kind: duplicate, probability: 1, copies: 3}, {kind: cut, to_nodes: [2]}", 0, 40, 0, 60},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome *outcome = run_text(
			"stop: {items: 10}\nvalidators: 3\nprotocol: none\n"
			"network: {latency: {kind: constant, value: 10 ms}}\n"
			"workload: {kind: requests, clients: 1, arrivals: {kind: regular, rate: 1 /s}}\n"
			"faults: [%s]\n",
			cases[i].fault);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "messages") == 20);
		assert_true(kpi(outcome, "messages_lost") == cases[i].lost);
		assert_true(kpi(outcome, "messages_cut") == cases[i].cut);
		assert_true(kpi(outcome, "messages_corrupted") == cases[i].corrupted);
		assert_true(kpi(outcome, "messages_duplicated") == cases[i].duplicated);
		outcome_close(outcome);
	}
}

/* Two clients of five requests each, in turn: what one sends or is sent is its own. */
static void rules_on_clients(void **state)
{
	static const char *const rules[] = {"from_nodes: [client 1]", "to_nodes: [client 1]",
		"message: request, from_nodes: [client 1], to_nodes: [1]",
		"message: reply, from_nodes: [1], to_nodes: [client 0, client 1]"};
	for (int i = 0; i < 4; i++) {
		struct outcome *outcome = run_text(
			"stop: {items: 10}\nvalidators: 2\nprotocol: none\n"
			"network: {latency: {kind: constant, value: 10 ms}}\n"
			"workload: {kind: requests, clients: 2, client_timeout: off, arrivals: {kind: regular, rate: 10 /s}}\n"
			"record: [decisions]\n"
			"faults: [{kind: rule, action: drop, %s}]\n",
			rules[i]);
		assert_true(kpi(outcome, "decided") == 5);
		assert_true(kpi(outcome, "messages_lost") == 5);
		for (size_t row = 0; row < 10; row++) {
			bool answered = real_at(outcome, TABLE_DECISIONS, row, "decided_s") > 0;
			assert_true(answered == (int_at(outcome, TABLE_DECISIONS, row, "client") == 0));
		}
		outcome_close(outcome);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(recovery_of_several),
		cmocka_unit_test(lost_on_the_way),
		cmocka_unit_test(unavailable),
		cmocka_unit_test(windows),
		cmocka_unit_test(availability),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(divergence),
		cmocka_unit_test(divergence_of_the_crashed),
		cmocka_unit_test(deadline),
		cmocka_unit_test(late_deadlines),
		cmocka_unit_test(longest_wait),
		cmocka_unit_test(late),
		cmocka_unit_test(rules_on_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
