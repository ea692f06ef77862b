/* Each option of Raft and PBFT end to end, with clients that have requests and a store: constant delays
 * d = 10 ms, so that what papers say in delays comes out to the nanosecond.
 *
 *   Raft  reads: index      4d: to the leader, a round of heartbeats to a majority, back (thesis 6.4)
 *   Raft  reads: lease      2d (thesis 6.4.1)
 *   Raft  write_delay w     4d + w: a follower writes before it answers, the leader meanwhile (thesis 10.2.1)
 *   PBFT  read_only         2d (OSDI'99 4.4)
 *   PBFT  tentative         4d (OSDI'99 4.4)
 *   PBFT  fast_path         4d, commit 2d, (n-1) + (n-1)^2 messages (SBFT, DSN 2019) */
#include "study.h"

#include <math.h>
#include <string.h>

#define NETWORK "seed: 1\nnetwork: {latency: {kind: constant, value: 10 ms}}\n"

static struct outcome *right(struct outcome *outcome)
{
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	return outcome;
}

static void raft_reads_by_index(void **state)
{
	for (int n = 3; n <= 7; n += 2) {
		struct outcome *outcome = right(run_text(NETWORK "validators: %d\nstop: {items: 40}\n"
														 "protocol: {kind: raft, reads: index}\n"
														 "workload: {kind: kv, reads: 1}\n",
			n));
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "instances") == 0);
		/* a round for each: to all others and back */
		assert_true(kpi(outcome, "heartbeats") >= 40 * 2 * (n - 1));
		assert_true(kpi(outcome, "heartbeats") == kpi(outcome, "messages"));
		assert_true(kpi(outcome, "client_messages") == 40 * 2);
		outcome_close(outcome);
	}
	/* Reads that come together share a round, all but the first, whose round has begun. */
	struct outcome *outcome = right(run_text(NETWORK "validators: 3\nstop: {items: 5}\n"
													 "protocol: {kind: raft, reads: index}\n"
													 "workload: {kind: kv, reads: 1, outstanding: 5}\n"));
	assert_true(kpi(outcome, "latency_p50_s") == .06);
	assert_true(kpi(outcome, "latency_mean_s") == .056);
	outcome_close(outcome);
}

static void raft_reads_by_lease(void **state)
{
	struct outcome *outcome = right(run_text(NETWORK
		"validators: 3\nstop: {items: 40}\nprotocol: {kind: raft, reads: lease, check_quorum: on}\n"
		"workload: {kind: kv, reads: 1, arrivals: {kind: regular, rate: 10 /s}}\n"));
	/* No round has been through yet at 10 ms, when the first would come: it comes at 100 ms. */
	assert_true(kpi(outcome, "latency_mean_s") == .02);
	assert_true(kpi(outcome, "latency_sd_s") == 0);
	assert_true(kpi(outcome, "instances") == 0);
	outcome_close(outcome);
	/* Writes are as ever, and ordered reads. */
	for (int i = 0; i < 2; i++) {
		outcome = right(run_text(NETWORK
			"validators: 3\nstop: {items: 40}\nprotocol: {kind: raft, check_quorum: on, reads: %s}\n"
			"workload: {kind: kv, reads: %d}\n",
			i == 0 ? "lease" : "log", i));
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "instances") == 40);
		outcome_close(outcome);
	}
}

/* Thesis 6.4.1: "the lease approach assumes a bound on clock drift". The leader's clock runs slow by as
 * much as the scenario says; another has been elected when it still holds its lease, by its own clock. A
 * lease allows for the others' clocks to run faster by `clock_drift` of its own. */
static void raft_lease_under_skew(void **state)
{
	static const struct {
		double drift_ppm, clock_drift;
		const char *verdict;
	} cases[] = {
		{-1000, 0.01, "completed"},   /* as quartz goes, and the default */
		{-300000, 0.5, "completed"},  /* the others run 43 % faster: within it */
		{-300000, 0.43, "completed"}, /* just so */
		{-300000, 0, "unsafe"},
		{-300000, 0.1, "unsafe"},
		{-500000, 0.5, "unsafe"},     /* 100 % faster */
		{-500000, 1, "completed"},
		{300000, 0, "completed"},     /* a leader that runs fast gives up early */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome *outcome = run_text(
			NETWORK "validators: 3\nstop: {items: 1000}\n"
					"protocol: {kind: raft, election_timeout: [4 s, 8 s], heartbeat: 100 ms, "
					"check_quorum: on, reads: lease, clock_drift: %g}\n"
					"workload: {kind: kv, keys: 1, conflict: 1, reads: 0.97, clients: 50, "
					"client_timeout: 500 ms, arrivals: {kind: poisson, rate: 100 /s}}\n"
					"faults:\n"
					"  - {kind: skew, nodes: [0], drift: %g}\n"
					"  - {kind: isolate, nodes: [0], from: 3 s, until: 12 s}\n"
					"  - {kind: step, at: 7100 ms, node: 1, action: campaign}\n",
			cases[i].clock_drift, cases[i].drift_ppm);
		assert_verdict(outcome, cases[i].verdict);
		if (strcmp(cases[i].verdict, "unsafe") == 0) {
			assert_int_equal(
				strncmp(outcome->summary.verdict_reason, "linearizability broken", 22), 0);
		}
		assert_true(kpi(outcome, "leader_changes") >= 1);
		outcome_close(outcome);
	}
}

static void raft_write_delay(void **state)
{
	static const char *const workloads[] = {"requests", "{kind: kv, reads: 0.5}"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = right(run_text(NETWORK
			"validators: 5\nstop: {items: 40}\nprotocol: {kind: raft, write_delay: 3 ms}\nworkload: %s\n",
			workloads[i]));
		assert_true(kpi(outcome, "latency_mean_s") == .043);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "proposer_commit_mean_s") == .023);
		assert_true(kpi(outcome, "messages_per_instance") == 8);
		outcome_close(outcome);
	}
}

/* A follower that is cut off for long has the log's beginning from a snapshot, and then appends. */
static void raft_snapshots(void **state)
{
	static const char *const without = "  - {kind: rule, message: install-snapshot, action: drop}\n";
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(NETWORK
			"validators: 3\nstop: {items: 100}\nliveness_bound: 20 s\n"
			"protocol: {kind: raft, snapshot_every: 10}\nworkload: {kind: kv, reads: 0.2}\n"
			"faults:\n  - {kind: isolate, nodes: [2], from: 1 s, until: 3 s}\n%s",
			i == 0 ? "" : without);
		right(outcome);
		/* Where none comes it never executes the rest, and the drain goes on to the bound. */
		assert_true((kpi(outcome, "simulated_s") > 20) == (i == 1));
		outcome_close(outcome);
	}
}

/* A snapshot takes the leader's card for a second and more: in one piece it keeps followers from their heartbeats,
 * in chunks it does not, be there one that lags or three. */
static void raft_snapshots_on_a_thin_link(void **state)
{
	static const struct {
		const char *text;
		unsigned n_runs;
	} cases[] = {
		{"validators: 5\nprotocol: {kind: raft, snapshot_every: 5}\n"
		 "network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}, bandwidth: 10 Mbit/s}\n"
		 "faults: [{kind: crash, nodes: [4], from: 1 s, until: 6 s}]\n", 20},
		{"validators: 7\nprotocol: {kind: raft, snapshot_every: 10, snapshot_size: 2 MB}\n"
		 "network: {latency: {kind: constant, value: 10 ms}, bandwidth: 8 Mbit/s}\n"
		 "faults: [{kind: crash, nodes: [4, 5, 6], from: 1 s, until: 6 s}]\n", 5},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct study *study = study_open("seed: 1\nreplications: %u\nstop: {items: 300}\n%s"
			"workload: {kind: requests, clients: 2, arrivals: {kind: poisson, rate: 20 /s}}\n",
			cases[i].n_runs, cases[i].text);
		for (unsigned r = 0; r < cases[i].n_runs; r++) {
			struct outcome *outcome = study_run(study, 0, r);
			assert_verdict(outcome, "completed");
			assert_true(kpi(outcome, "leader_changes") <= 1);
			assert_true(kpi(outcome, "latency_mean_s") < .1);
			outcome_destroy(outcome);
		}
		study_close(study);
	}
}

static void raft_transfer(void **state)
{
	struct outcome *outcome = right(run_text(NETWORK
		"validators: 5\nstop: {items: 60}\nrecord: [decisions]\nprotocol: raft\n"
		"workload: {kind: requests, arrivals: {kind: regular, rate: 20 /s}}\n"
		"faults:\n  - {kind: step, at: 1 s, node: 0, action: transfer, to: 3}\n"));
	assert_true(kpi(outcome, "elections") == 1);
	assert_true(kpi(outcome, "split_votes") == 0);
	assert_true(kpi(outcome, "leader_changes") == 1);
	/* TimeoutNow d, a round of votes 2d: validator 3 leads from 1.03 s on. */
	assert_true(kpi(outcome, "latency_p50_s") == .04);
	/* What the old leader hears meanwhile waits there, and is asked for again after 2 s. */
	assert_true(kpi(outcome, "latency_p95_s") <= .06);
	assert_true(kpi(outcome, "latency_max_s") < 2.1);
	for (size_t row = 0; row < n_rows(outcome, TABLE_DECISIONS); row++) {
		double arrived = real_at(outcome, TABLE_DECISIONS, row, "arrived_s");
		int64_t proposer = int_at(outcome, TABLE_DECISIONS, row, "proposer");
		assert_true(arrived > .95 ? arrived < 1.05 || proposer == 3 : proposer == 0);
	}
	outcome_close(outcome);
}

/* A learner is sent all, and has no say. */
static void raft_learners(void **state)
{
	struct outcome *outcome = right(run_text(NETWORK "validators: 4\nstop: {items: 40}\n"
													 "protocol: {kind: raft, learners: [3]}\n"
													 "workload: {kind: kv, reads: 0.5}\n"));
	assert_true(kpi(outcome, "messages_per_instance") == 6);
	assert_true(kpi(outcome, "latency_mean_s") == .04);
	outcome_close(outcome);
	/* A slow learner slows nobody; a slow voter does, where the other is down. */
	for (int i = 2; i <= 3; i++) {
		outcome = right(run_text(NETWORK "validators: 4\nstop: {items: 40}\n"
										 "protocol: {kind: raft, learners: [3]}\nworkload: requests\n"
										 "faults:\n  - {kind: crash, nodes: [1]}\n"
										 "  - {kind: slow-link, to_nodes: [%d], delay: 5 ms}\n",
			i));
		assert_true(kpi(outcome, "latency_p50_s") == (i == 2 ? .045 : .04));
		outcome_close(outcome);
	}
}

/* 2f+1 tentative replies after 4d, 2f+1 answers to a read after 2d. */
static void pbft_tentative_and_read_only(void **state)
{
	for (int n = 4; n <= 7; n += 3) {
		struct outcome *outcome = right(run_text(NETWORK "validators: %d\nstop: {items: 40}\n"
														 "protocol: {kind: pbft, tentative: on}\n"
														 "workload: requests\n",
			n));
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "commit_mean_s") == .03);
		outcome_close(outcome);
		outcome = right(run_text(NETWORK "validators: %d\nstop: {items: 40}\n"
										 "protocol: {kind: pbft, read_only: on}\n"
										 "workload: {kind: kv, reads: 1}\n",
			n));
		assert_true(kpi(outcome, "latency_mean_s") == .02);
		assert_true(kpi(outcome, "instances") == 0);
		assert_true(kpi(outcome, "client_messages") == 40 * 2 * n);
		outcome_close(outcome);
		/* Both: a put in 4d, a get in 2d, where the last put has been committed by then. */
		outcome = right(run_text(NETWORK
			"validators: %d\nstop: {items: 40}\nrecord: [decisions]\n"
			"protocol: {kind: pbft, read_only: on, tentative: on}\n"
			"workload: {kind: kv, reads: 0.5, arrivals: {kind: regular, rate: 10 /s}}\n",
			n));
		for (size_t row = 0; row < n_rows(outcome, TABLE_DECISIONS); row++) {
			bool ordered = int_at(outcome, TABLE_DECISIONS, row, "instance") >= 0;
			double latency = real_at(outcome, TABLE_DECISIONS, row, "decided_s") -
				real_at(outcome, TABLE_DECISIONS, row, "arrived_s");
			assert_near(latency, ordered ? .04 : .02, 1e-12);
		}
		outcome_close(outcome);
	}
}

static struct outcome *fast(int n, double conflict, const char *faults)
{
	return right(run_text(NETWORK "validators: %d\nstop: {items: 40}\n"
								  "protocol: {kind: pbft, fast_path: on, view_timeout: 1 s}\n"
								  "workload: {kind: requests, clients: 2, conflict: %g}\n%s",
		n, conflict, faults));
}

static void pbft_fast_path(void **state)
{
	for (int n = 4; n <= 7; n += 3) {
		struct outcome *outcome = fast(n, 0, "");
		assert_true(kpi(outcome, "commit_mean_s") == .02);
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "latency_sd_s") == 0);
		assert_true(kpi(outcome, "messages_per_instance") == (n - 1) + (n - 1) * (n - 1));
		assert_true(kpi(outcome, "fast_commits") == kpi(outcome, "instances"));
		outcome_close(outcome);
		/* All touch one thing: who finds the other's request under way goes the ordinary way, 5d. In two
		 * closed loops they soon always do: only the first's first two go fast. */
		outcome = fast(n, 1, "");
		assert_true(kpi(outcome, "fast_commits") == 2);
		assert_true(kpi(outcome, "latency_mean_s") == .0495);
		assert_true(kpi(outcome, "latency_max_s") == .05);
		assert_true(kpi(outcome, "commit_p50_s") == .03);
		outcome_close(outcome);
	}
	/* One is down: the first two go back after a quarter of the view timeout, and the others don't wait. */
	struct outcome *outcome = fast(4, 0, "faults:\n  - {kind: crash, nodes: [3]}\n");
	assert_true(kpi(outcome, "latency_max_s") == .3);
	assert_true(kpi(outcome, "latency_mean_s") == .0625);
	assert_true(kpi(outcome, "fast_commits") == 0);
	assert_true(kpi(outcome, "latency_p50_s") == .05);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raft_reads_by_index),
		cmocka_unit_test(raft_reads_by_lease),
		cmocka_unit_test(raft_lease_under_skew),
		cmocka_unit_test(raft_write_delay),
		cmocka_unit_test(raft_snapshots),
		cmocka_unit_test(raft_snapshots_on_a_thin_link),
		cmocka_unit_test(raft_transfer),
		cmocka_unit_test(raft_learners),
		cmocka_unit_test(pbft_tentative_and_read_only),
		cmocka_unit_test(pbft_fast_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
