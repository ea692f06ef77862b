/* Partitions: a minority commits nothing, nothing committed is lost, logs converge when it heals; and a run
 * in which no quorum will ever meet again says so at once. */
#include "study.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *protocol;
	unsigned n, n_minority; /* validators 0 .. n_minority - 1, the first leader among them */
} rows[] = {
	{"pbft", 4, 1},
	{"{kind: pbft, view_timeout: 500 ms}", 7, 2},
	{"raft", 3, 1},
	{"raft", 5, 2},
	{"{kind: raft, batch: 4}", 7, 3},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static struct outcome *run_row(size_t row, const char *stop, const char *until)
{
	char minority[40] = "";
	for (unsigned i = 0; i < rows[row].n_minority; i++) {
		size_t n = strlen(minority);
		snprintf(minority + n, sizeof(minority) - n, i == 0 ? "%u" : ", %u", i);
	}
	return run_text("seed: 11\n"
					"stop: {%s}\n"
					"validators: %u\n"
					"protocol: %s\n"
					"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
					"workload: {kind: requests, clients: 4, client_timeout: 700 ms,\n"
					"  arrivals: {kind: poisson, rate: 40 /s}}\n"
					"faults: [{kind: partition, groups: [[%s]], from: 2 s, until: %s}]\n"
					"record: [validators]\n",
		stop, rows[row].n, rows[row].protocol, minority, until);
}

static int64_t committed_most(const struct outcome *outcome, size_t first, size_t end)
{
	int64_t most = 0;
	for (size_t v = first; v < end; v++) {
		int64_t committed = int_at(outcome, TABLE_VALIDATORS, v, "committed");
		most = committed > most ? committed : most;
	}
	return most;
}

static void minority(void **state)
{
	for (size_t r = 0; r < N_ROWS; r++) {
		/* The same run, ended when the partition begins, and 6 s later. */
		struct outcome *before = run_row(r, "time: 2 s", "off");
		struct outcome *within = run_row(r, "time: 8 s", "off");
		assert_true(kpi(within, "simulated_s") >= 7.9);
		int64_t most = committed_most(before, 0, rows[r].n);
		assert_true(most > 20);
		assert_in_range(committed_most(within, 0, rows[r].n_minority), 1, most);
		assert_true(committed_most(within, rows[r].n_minority, rows[r].n) > most + 20);
		assert_true(kpi(within, "divergence") == 0 && kpi(within, "safety_violations") == 0);
		assert_true(kpi(within, "leader_changes") >= 1);
		outcome_close(before);
		outcome_close(within);
	}
}

static void healing(void **state)
{
	for (size_t r = 0; r < N_ROWS; r++) {
		/* Work goes on long enough after it for whoever was away to be told of it. */
		struct outcome *outcome = run_row(r, "items: 600", "6 s");
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 600); /* no answer was taken back */
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "divergence") == 0);
		assert_true(kpi(outcome, "recovery_s") > 0);
		int64_t most = committed_most(outcome, 0, rows[r].n);
		bool pbft = strstr(rows[r].protocol, "pbft") != NULL;
		for (size_t v = 0; v < rows[r].n; v++) {
			/* PBFT: up to the last stable checkpoint, by state transfer, and on from there. */
			int64_t committed = committed_most(outcome, v, v + 1);
			assert_in_range(committed, pbft ? most - 100 : most, most);
		}
		outcome_close(outcome);
	}
}

static struct outcome *run_links(const char *protocol, unsigned n, const char *faults)
{
	return run_text("stop: {items: 100}\n"
					"validators: %u\n"
					"protocol: %s\n"
					"workload: {kind: requests, client_timeout: 500 ms, arrivals: {kind: regular, rate: 10 /s}}\n"
					"faults: [%s]\n",
		n, protocol, faults);
}

/* Said at the moment from which on nothing can happen any more; not while something is to come. */
static void no_quorum(void **state)
{
	static const struct {
		const char *protocol, *faults, *reason; /* NULL: it completes */
		unsigned n;
		double end_s;
	} cases[] = {
		{"pbft", "{kind: partition, groups: [[0, 1], [2, 3]], from: 5 s}",
			"from 5 s on no 3 of the 4 live validators can reach each other; a quorum needs 3", 4, 5},
		{"pbft", "{kind: partition, groups: [[0, 1], [2, 3]], from: 5 s, until: 7 s}", NULL, 4, 0},
		{"raft", "{kind: partition, groups: [[0, 1], [2, 3]], from: 5 s}",
			"from 5 s on no 3 of the 4 live validators can reach each other; a quorum needs 3", 4, 5},
		{"raft", "{kind: partition, groups: [[0, 1]], from: 5 s}", NULL, 5, 0},
		{"none", "{kind: partition, groups: [[0], [1], [2], [3]], from: 5 s}", NULL, 4, 0},
		/* Nobody hears enough others; nobody is heard by enough. */
		{"raft", "{kind: cut, to_nodes: [0, 1, 2], from: 4 s}",
			"from 4 s on no 2 of the 3 live validators can reach each other; a quorum needs 2", 3, 4},
		{"pbft", "{kind: cut, from_nodes: [1, 2, 3], from: 4 s}",
			"from 4 s on no 3 of the 4 live validators can reach each other; a quorum needs 3", 4, 4},
		{"pbft", "{kind: cut, to_nodes: [1, 2, 3], from: 4 s}",
			"from 4 s on no 3 of the 4 live validators can reach each other; a quorum needs 3", 4, 4},
		/* With a crash, whichever comes last. */
		{"pbft", "{kind: crash, nodes: [3], from: 1 s}, {kind: isolate, nodes: [2], from: 2 s}",
			"from 2 s on no 3 of the 3 live validators can reach each other; a quorum needs 3", 4, 2},
		{"pbft", "{kind: crash, nodes: [3], from: 3 s}, {kind: isolate, nodes: [2], from: 2 s}",
			"from 3 s on no 3 of the 3 live validators can reach each other; a quorum needs 3", 4, 3},
		/* An end that might have healed, and did not. */
		{"raft", "{kind: crash, nodes: [1, 2], from: 2 s}, {kind: cut, from_nodes: [0], until: 4 s}",
			"from 4 s on 1 of 3 validators are live; a quorum needs 2", 3, 4},
		/* Links that come back again and again. */
		{"raft", "{kind: flap, nodes: [0, 1], down: 1 s, up: 2 s, from: 1 s}", NULL, 3, 0},
		/* Whoever leads is cut off: nobody gets anything through until it ends. */
		{"pbft", "{kind: isolate, nodes: leader, follow: on, from: 2 s, until: 8 s}", NULL, 4, 0},
		{"raft", "{kind: isolate, nodes: leader, follow: on, from: 2 s, until: 8 s}", NULL, 5, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome *outcome = run_links(cases[i].protocol, cases[i].n, cases[i].faults);
		if (cases[i].reason == NULL) {
			if (strcmp(outcome->summary.verdict, "completed") != 0) {
				fail_msg("case %zu: %s", i, outcome->summary.verdict_reason);
			}
		} else {
			assert_verdict(outcome, "stalled");
			assert_string_equal(outcome->summary.verdict_reason, cases[i].reason);
			assert_true(kpi(outcome, "simulated_s") == cases[i].end_s);
		}
		outcome_close(outcome);
	}
}

/* While the leader is cut off wherever it goes, nothing is decided: six seconds without an answer. */
static void leader_hunted(void **state)
{
	const char *const protocols[] = {"{kind: pbft, view_timeout: 300 ms}", "raft"};
	for (int p = 0; p < 2; p++) {
		struct outcome *outcome = run_links(
			protocols[p], 4, "{kind: isolate, nodes: leader, follow: on, from: 2 s, until: 8 s}");
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "latency_max_s") > 5.5);
		assert_true(kpi(outcome, "leader_changes") >= 3);
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

/* A leader that is heard and hears nothing: in plain Raft its heartbeats keep all others from standing for
 * election, and nothing is committed any more (the paper's remedy is check-quorum). PBFT's backups need
 * no vote of their primary. */
static void deaf_leader(void **state)
{
	const char *faults = "{kind: cut, to_nodes: [0], from: 2 s}";
	struct outcome *outcome = run_links("raft", 5, faults);
	assert_verdict(outcome, "stalled");
	assert_non_null(strstr(outcome->summary.verdict_reason, "no progress for 30 s"));
	assert_true(kpi(outcome, "leader_changes") == 0);
	outcome_close(outcome);
	outcome = run_links("{kind: pbft, view_timeout: 500 ms}", 4, faults);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "leader_changes") == 0);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minority),
		cmocka_unit_test(healing),
		cmocka_unit_test(no_quorum),
		cmocka_unit_test(leader_hunted),
		cmocka_unit_test(deaf_leader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
