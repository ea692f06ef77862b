/* Crashes and loss, from the outside: who goes on, who catches up, whose clients are served. */
#include "study.h"

#include <math.h>
#include <string.h>

static int64_t committed(const struct outcome *outcome, size_t validator)
{
	return int_at(outcome, TABLE_VALIDATORS, validator, "committed");
}

/* The primary is down from 1 s on, for good, and up to f - 1 more with it: PBFT changes the view, and all
 * that are left execute the same. */
static void pbft_primary_down(void **state)
{
	static const struct {
		unsigned n;
		const char *nodes;
		uint64_t crashed;
	} rows[] = {
		{4, "0", 1 << 0},
		{7, "0", 1 << 0},
		{7, "0, 1", 1 << 0 | 1 << 1},
		{10, "0, 1, 2", 1 << 0 | 1 << 1 | 1 << 2},
		{10, "0, 4, 9", 1 << 0 | 1 << 4 | 1 << 9},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome *outcome =
			run_text("stop: {items: 400}\n"
					 "validators: %u\n"
					 "protocol: {kind: pbft, view_timeout: 500 ms}\n"
					 "network: {latency: {kind: lognormal, median: 10 ms, sigma: 0.3}}\n"
					 "workload: {kind: requests, clients: 8, client_timeout: 1 s}\n"
					 "faults: [{kind: crash, nodes: [%s], from: 1 s}]\n"
					 "record: [validators]\n",
				rows[i].n, rows[i].nodes);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 400);
		assert_true(kpi(outcome, "divergence") == 0);
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "leader_changes") == 1); /* views without a leader don't count */
		assert_true(kpi(outcome, "latency_max_s") > .5);
		for (size_t v = 0; v < rows[i].n; v++) {
			/* the drain: whoever is up has executed the last instance */
			bool down = (rows[i].crashed >> v & 1) != 0;
			assert_int_equal(committed(outcome, v) == (int64_t)kpi(outcome, "instances"), !down);
			assert_int_equal(int_at(outcome, TABLE_VALIDATORS, v, "byzantine"), 0);
		}
		outcome_close(outcome);
	}
}

/* f validators down from the start, the leader not among them: nothing happens but that they are missing. */
static void faulty_down(void **state)
{
	static const struct {
		const char *protocol, *nodes;
		unsigned n;
	} rows[] = {{"pbft", "3", 4}, {"pbft", "2, 5", 7}, {"raft", "1, 3", 5}, {"raft", "4, 5, 6", 7}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome *outcome = run_text("stop: {items: 50}\n"
										   "validators: %u\n"
										   "protocol: %s\n"
										   "workload: requests\n"
										   "faults: [{kind: crash, nodes: [%s]}]\n",
			rows[i].n, rows[i].protocol, rows[i].nodes);
		bool pbft = strcmp(rows[i].protocol, "pbft") == 0;
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "leader_changes") == 0);
		assert_true(kpi(outcome, "latency_mean_s") == (pbft ? .05 : .04));
		/* all n - f that are left commit, at the same moment */
		if (pbft) {
			assert_true(kpi(outcome, "commit_mean_s") == .03);
		}
		outcome_close(outcome);
	}
}

/* Who was away comes back and catches up: by the leader's appends, or by the next checkpoints. */
static void catch_up(void **state)
{
	static const struct {
		const char *protocol;
		int64_t behind; /* at most, at the end */
	} rows[] = {{"{kind: raft, batch: 1}", 5}, {"{kind: pbft, batch: 1, view_timeout: 500 ms}", 100}};
	for (size_t i = 0; i < 2; i++) {
		struct outcome *outcome =
			run_text("stop: {items: 1500}\n"
					 "validators: 4\n"
					 "protocol: %s\n"
					 "network: {latency: {kind: lognormal, median: 5 ms, sigma: 0.3}}\n"
					 "workload: {kind: requests, client_timeout: 1 s, clients: 3,\n"
					 "  arrivals: {kind: poisson, rate: 200 /s}}\n"
					 "faults: [{kind: crash, nodes: [2], from: 1 s, until: 4 s}]\n"
					 "record: [validators]\n",
				rows[i].protocol);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "decided") == 1500);
		int64_t last = (int64_t)kpi(outcome, "instances");
		assert_true(last >= 1500);
		assert_in_range(committed(outcome, 2), last - rows[i].behind, last);
		for (size_t v = 0; v < 4; v += v == 1 ? 2 : 1) {
			assert_int_equal(committed(outcome, v), last);
		}
		outcome_close(outcome);
	}
}

/* Loss among validators: both protocols get through by sending again, and stay of one mind. */
static void lossy(void **state)
{
	const char *const protocols[] = {"raft", "{kind: pbft, view_timeout: 300 ms}"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome =
			run_text("seed: 5\n"
					 "stop: {items: 150}\n"
					 "validators: 4\n"
					 "protocol: %s\n"
					 "workload: {kind: requests, clients: 3, client_timeout: 400 ms}\n"
					 "faults: [{kind: loss, probability: 0.02, among: all, until: 20 s}]\n",
				protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 150);
		assert_true(kpi(outcome, "divergence") == 0);
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

/* A quorum that does not make two majorities meet in an honest replica: under loss, two halves go on by
 * themselves and agreement breaks, although nobody lies. The right quorum comes through the same. */
static void planted_quorum(void **state)
{
	struct study *study = study_open("seed: 1\n"
									 "replications: 40\n"
									 "stop: {items: 60}\n"
									 "validators: 4\n"
									 "protocol: {kind: pbft, quorum: 2, view_timeout: 200 ms}\n"
									 "workload: {kind: requests, clients: 4, client_timeout: 150 ms}\n"
									 "faults: [{kind: loss, probability: 0.4, until: 5 s}]\n"
									 "sweep: {protocol.quorum: [2, 3]}\n");
	size_t n_unsafe = 0;
	for (size_t r = 0; r < study->n_replications; r++) {
		struct outcome *outcome = study_run(study, 0, r);
		if (strcmp(outcome->summary.verdict, "unsafe") == 0) {
			n_unsafe++;
			size_t n = n_rows(outcome, TABLE_VIOLATIONS);
			assert_true(n > 0 && n == kpi(outcome, "safety_violations"));
			assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "agreement");
			assert_true(real_at(outcome, TABLE_VIOLATIONS, 0, "time_s") ==
				kpi(outcome, "first_violation_s"));
			assert_string_not_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "value_a"),
				string_at(outcome, TABLE_VIOLATIONS, 0, "value_b"));
			assert_non_null(strstr(outcome->summary.verdict_reason, "agreement broken at "));
			assert_true(kpi(outcome, "divergence") > 0);
		} else {
			assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
			assert_true(kpi(outcome, "safety_violations") == 0);
		}
		outcome_destroy(outcome);
		outcome = study_run(study, 1, r);
		assert_string_not_equal(outcome->summary.verdict, "unsafe");
		assert_true(kpi(outcome, "divergence") == 0);
		outcome_destroy(outcome);
	}
	print_message("%zu of %zu runs break agreement with a quorum of 2\n", n_unsafe,
		study->n_replications);
	assert_true(n_unsafe > 0);
	study_close(study);
}

/* Items whose client's validator goes down move to the next. Whatever the moment, an item that is accepted
 * has its whole record: where it was ordered, and each of the predictions with which it closed. */
static void clients_move(void **state)
{
	struct study *study =
		study_open("seed: 4\n"
				   "stop: {items: 30}\n"
				   "validators: 4\n"
				   "protocol: {kind: pbft, view_timeout: 300 ms}\n"
				   "network: {latency: {kind: uniform, min: 5 ms, max: 60 ms}}\n"
				   "workload: {kind: dimweight, arrivals: {kind: regular, rate: 100 /s},\n"
				   "  client_timeout: 500 ms, deadline: 2 s}\n"
				   "predictor: {kind: linear, train: 50}\n"
				   "faults: [{kind: crash, nodes: leader, from: 200 ms}]\n"
				   "sweep: {faults.0.from: {from: 200 ms, to: 500 ms, step: 3 ms}}\n"
				   "record: [decisions, predictions, validators]\n");
	size_t n_moved = 0;
	for (size_t point = 0; point < study->n_points; point++) {
		struct outcome *outcome = study_run(study, point, 0);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 30);
		assert_true(kpi(outcome, "safety_violations") == 0);
		int64_t n_with[30] = {0};
		int64_t n_accepted = 0;
		for (size_t i = 0; i < n_rows(outcome, TABLE_PREDICTIONS); i++) {
			bool late = int_at(outcome, TABLE_PREDICTIONS, i, "late") != 0;
			n_with[int_at(outcome, TABLE_PREDICTIONS, i, "item")] += !late;
			n_accepted += int_at(outcome, TABLE_PREDICTIONS, i, "accepted");
		}
		for (size_t i = 0; i < 30; i++) {
			assert_int_equal(n_with[i], int_at(outcome, TABLE_DECISIONS, i, "predictions"));
			assert_true(int_at(outcome, TABLE_DECISIONS, i, "instance") > 0);
			assert_in_range(int_at(outcome, TABLE_DECISIONS, i, "proposer"), 0, 3);
			n_moved += i % 4 == 0 && int_at(outcome, TABLE_DECISIONS, i, "client") != 0;
		}
		int64_t counted = 0;
		for (size_t v = 0; v < 4; v++) {
			counted += int_at(outcome, TABLE_VALIDATORS, v, "accepted");
		}
		assert_int_equal(counted, n_accepted);
		outcome_destroy(outcome);
	}
	assert_true(n_moved > 0);
	study_close(study);
}

/* All are down together for a while; items that arrive then have no gateway. They go to one that is up
 * again, and close there. */
static void all_down(void **state)
{
	const char *const protocols[] = {"raft", "none"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome =
			run_text("stop: {items: 40}\n"
					 "validators: 4\n"
					 "protocol: %s\n"
					 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 10 /s},\n"
					 "  client_timeout: 500 ms, deadline: 4 s, quorum: 1}\n"
					 "predictor: {kind: linear, train: 50}\n"
					 "faults:\n"
					 "  - {kind: crash, nodes: [0, 1, 2], from: 1 s, until: 2 s}\n"
					 "  - {kind: crash, nodes: [3], from: 1 s, until: 2.5 s}\n",
				protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "items") == 40);
		outcome_close(outcome);
	}
}

/* A gateway whose validator was down asks again, when it is back, for what it had asked before. */
static void gateway_back(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 1}\n"
				 "validators: 4\n"
				 "protocol: raft\n"
				 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 1 /s}, quorum: n,\n"
				 "  client_timeout: 2 s, deadline: 100 s}\n"
				 "predictor: {kind: linear, train: 50}\n"
				 "faults:\n"
				 "  - {kind: loss, probability: 1, among: all, from: 950 ms, until: 1.05 s}\n"
				 "  - {kind: crash, nodes: [3], from: 1.2 s, until: 1.3 s}\n"
				 "record: [decisions]\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 0, "predictions"), 4);
	/* All ask again at 3 s, 2 s after the arrival; it asks another than before (Raft 8): a
	 * delay to the follower, one back with its hint, one to the leader, and two to commit. */
	assert_near(real_at(outcome, TABLE_DECISIONS, 0, "decided_s"), 3.05, 1e-9);
	outcome_close(outcome);
}

/* A gateway knows what its validator knows: after an election it goes to the new leader at once. */
static void gateways_follow(void **state)
{
	const char *const protocols[] = {"raft", "{kind: pbft, view_timeout: 200 ms}"};
	for (int p = 0; p < 2; p++) {
		struct outcome *outcome =
			run_text("stop: {items: 40}\n"
					 "validators: 4\n"
					 "protocol: %s\n"
					 "workload: {kind: dimweight, arrivals: {kind: regular, rate: 10 /s}, quorum: 3,\n"
					 "  client_timeout: 400 ms}\n"
					 "predictor: {kind: linear, train: 50}\n"
					 "faults: [{kind: crash, nodes: [0], from: 1 s}]\n"
					 "record: [decisions]\n",
				protocols[p]);
		assert_verdict(outcome, "completed");
		for (size_t i = 0; i < 40; i++) {
			double arrived_s = real_at(outcome, TABLE_DECISIONS, i, "arrived_s");
			double decided_s = real_at(outcome, TABLE_DECISIONS, i, "decided_s");
			assert_true(arrived_s < 2.5 || decided_s - arrived_s < .15);
		}
		outcome_close(outcome);
	}
}

/* A primary that is back before anyone has missed it has not failed: when it goes for good, the time until
 * the next one leads counts from then. */
static void back_in_time(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 100}\n"
				 "validators: 4\n"
				 "protocol: {kind: pbft, view_timeout: 2 s}\n"
				 "workload: {kind: requests, client_timeout: 1 s, arrivals: {kind: regular, rate: 5 /s}}\n"
				 "faults:\n"
				 "  - {kind: crash, nodes: [0], from: 1 s, until: 1.1 s}\n"
				 "  - {kind: crash, nodes: [0], from: 10.05 s}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "leader_changes") == 1);
	assert_in_range(1e3 * kpi(outcome, "election_mean_s"), 2000, 4000);
	outcome_close(outcome);
}

/* Raft fig. 2: a term counts when it is on stable storage. A candidate that crashes while it writes its term
 * comes back in the one before: no invariant is broken. */
static void raft_term_not_written(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 100}\nvalidators: 3\nprotocol: {kind: raft, write_delay: 50 ms}\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\n"
				 "workload: {kind: requests, arrivals: {kind: poisson, rate: 20 /s}}\n"
				 "faults:\n  - {kind: step, at: 1 s, node: [1], action: campaign}\n"
				 "  - {kind: crash, nodes: [1], from: 1020 ms, until: 1021 ms}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

/* Elections only by steps: who has heard a leader, ever, still votes when it is down. (After a membership
 * change servers ignore candidates while they hear a leader: Raft 6.) */
static void raft_elections_by_steps(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 10}\nvalidators: 3\nprotocol: {kind: raft, election_timeout: off}\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\n"
				 "workload: {kind: requests, arrivals: {kind: poisson, rate: 2 /s}}\n"
				 "faults:\n"
				 "  - {kind: step, at: 600 ms, node: leader, action: change-membership, members: [0, 1]}\n"
				 "  - {kind: step, at: 900 ms, node: leader, action: change-membership, members: [0, 1, 2]}\n"
				 "  - {kind: crash, nodes: [0], from: 2 s, until: 3 s}\n"
				 "  - {kind: step, at: 2500 ms, node: [1], action: campaign}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "leader_changes") == 1);
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

/* Who stands still takes up what has come: its estimates come late, where one that was down would have none,
 * and until it does items wait for the quorum. */
static void estimates_after_a_pause(void **state)
{
	static const char *const kinds[] = {"pause", "crash"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(
			"stop: {items: 40}\nvalidators: 4\nprotocol: pbft\n"
			"network: {latency: {kind: constant, value: 10 ms}}\n"
			"workload: {kind: dimweight, arrivals: {kind: regular, rate: 10 /s}, quorum: n, deadline: 10 s}\n"
			"predictor: {kind: linear, train: 50}\n"
			"record: [decisions]\n"
			"faults: [{kind: %s, nodes: [2], from: 1.05 s, until: 3 s}]\n",
			kinds[i]);
		assert_verdict(outcome, "completed");
		for (size_t row = 0; row < 40; row++) {
			double arrived = real_at(outcome, TABLE_DECISIONS, row, "arrived_s");
			double decided = real_at(outcome, TABLE_DECISIONS, row, "decided_s");
			bool meanwhile = arrived > 1.05 && arrived < 3;
			if (i == 0) {
				assert_int_equal(int_at(outcome, TABLE_DECISIONS, row, "predictions"), 4);
				assert_true(meanwhile ? decided > 3 && decided < 3.1 : decided < arrived + .1 || decided < 3.1);
			} else if (meanwhile) {
				assert_int_equal(int_at(outcome, TABLE_DECISIONS, row, "predictions"), 3);
			}
		}
		outcome_close(outcome);
	}
}

/* A leader that stands still is replaced, and knows better when it goes on; a pause below the election timeout
 * costs its own length. From its end to the next acceptance is recovery_s. */
static void a_leader_stands_still(void **state)
{
	struct outcome *outcome = run_text(
		"stop: {items: 100}\nvalidators: 3\nprotocol: raft\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: requests, client_timeout: 500 ms, arrivals: {kind: regular, rate: 20 /s}}\n"
		"faults:\n"
		"  - {kind: pause, nodes: leader, from: 1.01 s, until: 1.11 s}\n"
		"  - {kind: pause, nodes: leader, from: 2 s, until: 3 s}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "leader_changes") == 1);
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(kpi(outcome, "divergence") == 0);
	outcome_close(outcome);

	outcome = run_text(
		"stop: {items: 100}\nvalidators: 3\nprotocol: raft\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: requests, arrivals: {kind: regular, rate: 20 /s}}\n"
		"faults: [{kind: pause, nodes: leader, from: 1.01 s, until: 1.11 s}]\n");
	assert_true(kpi(outcome, "leader_changes") == 0);
	/* What was sent at 1 s comes to the leader as it stops: 30 ms are left when it goes on. */
	assert_near(kpi(outcome, "recovery_s"), .03, 1e-9);
	assert_near(kpi(outcome, "latency_max_s"), .14, 1e-9);
	outcome_close(outcome);
}

/* What befell is in a table, as traces call it; with the series, which draw it, or alone. */
static void what_befell(void **state)
{
	static const char *const records[] = {"series", "faults"};
	for (size_t i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(
			"stop: {time: 8 s}\nvalidators: 4\nprotocol: pbft\nworkload: requests\n"
			"faults:\n"
			"  - {kind: crash, nodes: [3], from: 1 s, until: 3 s}\n"
			"  - {kind: partition, groups: [[0, 1]], from: 2 s, until: 4 s}\n"
			"  - {kind: pause, nodes: [2], from: 5 s, until: 6 s}\n"
			"record: [%s]\n",
			records[i]);
		static const struct {
			double time_s;
			int64_t node;
			const char *event;
		} rows[] = {{1, 3, "crash"}, {2, -1, "partition begins"}, {3, 3, "restart"}, {4, -1, "partition ends"},
			{5, 2, "pause"}, {6, 2, "resume"}};
		assert_int_equal(n_rows(outcome, TABLE_FAULTS), 6);
		for (size_t row = 0; row < 6; row++) {
			assert_true(real_at(outcome, TABLE_FAULTS, row, "time_s") == rows[row].time_s);
			assert_int_equal(int_at(outcome, TABLE_FAULTS, row, "node"), rows[row].node);
			assert_string_equal(string_at(outcome, TABLE_FAULTS, row, "event"), rows[row].event);
		}
		outcome_close(outcome);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_befell),
		cmocka_unit_test(pbft_primary_down),
		cmocka_unit_test(faulty_down),
		cmocka_unit_test(catch_up),
		cmocka_unit_test(lossy),
		cmocka_unit_test(planted_quorum),
		cmocka_unit_test(clients_move),
		cmocka_unit_test(all_down),
		cmocka_unit_test(gateway_back),
		cmocka_unit_test(gateways_follow),
		cmocka_unit_test(back_in_time),
		cmocka_unit_test(raft_term_not_written),
		cmocka_unit_test(raft_elections_by_steps),
		cmocka_unit_test(estimates_after_a_pause),
		cmocka_unit_test(a_leader_stands_still),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
