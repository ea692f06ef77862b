/* PBFT's commit times where delays are random, lossy or those of real regions, beside numbers that came
 * from elsewhere. */
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS_MAX 8000

/* One request under independent normal delays, clipped at 0: mean time until n - f replicas, and until the
 * primary, have committed. Source: a max-plus Monte Carlo of the three phases (the primary sends no
 * prepare, quorum ceil((n+f+1)/2)), standard errors below .1 ms for N(250, 50) and .5 ms for N(1000, 300);
 * csienslab's BFT-Simulator (DSN 2022) gives the same within 1 %. Within three combined errors. */
static void normal_delays(void **state)
{
	static const struct {
		unsigned mean_ms, sd_ms, n, runs;
		double error_ms, commit_ms, primary_ms;
	} rows[] = {
		{250, 50, 4, 4000, .1, 733.52, 709.52},
		{250, 50, 16, 1500, .1, 793.80, 787.06},
		{250, 50, 31, 500, .1, 799.38, 794.59},
		{1000, 300, 4, 4000, .5, 2905.1, 2768.7},
		{1000, 300, 16, 1500, .5, 3262.4, 3221.5},
	};
	static double commits[RUNS_MAX], primaries[RUNS_MAX];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct study *study = study_open("seed: 2018\n"
										 "replications: %u\n"
										 "stop: {items: 1}\n"
										 "validators: %u\n"
										 "protocol: pbft\n"
										 "network: {latency: {kind: normal, mean: %u ms, sd: %u ms}}\n"
										 "workload: requests\n",
			rows[i].runs, rows[i].n, rows[i].mean_ms, rows[i].sd_ms);
		for (unsigned r = 0; r < rows[i].runs; r++) {
			struct outcome *outcome = study_run(study, 0, r);
			assert_verdict(outcome, "completed");
			commits[r] = 1e3 * kpi(outcome, "commit_mean_s");
			primaries[r] = 1e3 * kpi(outcome, "proposer_commit_mean_s");
			outcome_destroy(outcome);
		}
		struct estimate commit = estimate(commits, rows[i].runs);
		struct estimate primary = estimate(primaries, rows[i].runs);
		print_message("N(%u, %u), n = %u: %.2f +- %.2f / %.2f +- %.2f ms\n", rows[i].mean_ms,
			rows[i].sd_ms, rows[i].n, commit.mean, commit.error, primary.mean, primary.error);
		assert_near(commit.mean, rows[i].commit_ms, 3 * hypot(commit.error, rows[i].error_ms));
		assert_near(primary.mean, rows[i].primary_ms, 3 * hypot(primary.error, rows[i].error_ms));
		study_close(study);
	}
}

/* One request, n = 4, each message between validators lost independently, no retransmission, no timers:
 * the probability that at least f+1 replicas commit. Source: derived exactly; the idea is Nischwitz et
 * al., arXiv 2007.13460. The client's messages are not lost, so that it has its f+1 replies just where
 * f+1 replicas commit: looked at both ways. */
static void lossy(void **state)
{
	static const struct {
		double loss, probability;
	} rows[] = {{.01, .99851}, {.05, .9643}, {.1, .8686}, {.2, .5839}};
	const unsigned runs = 4000;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct study *study = study_open("seed: 7\n"
										 "replications: %u\n"
										 "stop: {items: 1}\n"
										 "validators: 4\n"
										 "protocol: {kind: pbft, view_timeout: off}\n"
										 "workload: {kind: requests, client_timeout: off}\n"
										 "faults: [{kind: loss, probability: %g, among: validators}]\n"
										 "record: [validators]\n",
			runs, rows[i].loss);
		size_t n_decided = 0;
		for (unsigned r = 0; r < runs; r++) {
			struct outcome *outcome = study_run(study, 0, r);
			unsigned n_committed = 0;
			for (size_t v = 0; v < 4; v++) {
				n_committed += int_at(outcome, TABLE_VALIDATORS, v, "committed") == 1;
			}
			bool decided = kpi(outcome, "decided") == 1;
			assert_int_equal(decided, n_committed >= 2);
			assert_verdict(outcome, decided ? "completed" : "stalled");
			/* commit times are of n - f replicas: none where fewer have committed */
			assert_int_equal(isnan(kpi(outcome, "commit_mean_s")), n_committed < 3);
			n_decided += decided;
			outcome_destroy(outcome);
		}
		assert_share(n_decided, runs, rows[i].probability);
		study_close(study);
	}
}

/* Four regions: round trips in ms between us-west-2, eu-west-1, sa-east-1 and ap-southeast-2 (data sets of
 * Delphi-BFT). BFT-SMaRt measured 237.1 ms to agree and 353.9, 415.9, 414.5, 437.6 ms at clients. */
static const double round_trips_ms[4][4] = {
	{0, 119.17, 176.39, 140.93},
	{119.17, 0, 180.725, 257.685},
	{176.39, 180.725, 0, 313.605},
	{140.93, 257.685, 313.605, 0},
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* When each replica has the third of what all send when they are ready. */
static void third_smallest(const double ready[4], double out[4])
{
	for (int r = 0; r < 4; r++) {
		double arrivals[4];
		for (int s = 0; s < 4; s++) {
			arrivals[s] = ready[s] + round_trips_ms[s][r] / 2;
		}
		qsort(arrivals, 4, sizeof(double), ascending);
		out[r] = arrivals[2];
	}
}

static void wide_area(void **state)
{
	double proposed[4];
	double prepared[4];
	double committed[4];
	for (int r = 0; r < 4; r++) {
		proposed[r] = round_trips_ms[0][r] / 2;
	}
	third_smallest(proposed, prepared);
	third_smallest(prepared, committed);
	double model_ms[5] = {committed[0]};
	for (int c = 0; c < 4; c++) {
		double replies[4];
		for (int r = 0; r < 4; r++) {
			replies[r] = round_trips_ms[c][0] / 2 + committed[r] + round_trips_ms[r][c] / 2;
		}
		qsort(replies, 4, sizeof(double), ascending);
		model_ms[1 + c] = replies[2];
	}
	static const double published_ms[] = {238.14, 357.12, 418.87, 418.87, 439.62};
	for (int i = 0; i < 5; i++) {
		assert_near(model_ms[i], published_ms[i], .005);
	}

	struct outcome *outcome = run_text("seed: 1\n"
									   "stop: {items: 60}\n"
									   "validators: 4\n"
									   "protocol: {kind: pbft, reply_quorum: 3}\n"
									   "network:\n"
									   "  latency:\n"
									   "    kind: regions\n"
									   "    matrix: aws-bftsmart\n"
									   "    place: [usw2, euw1, sae1, apse2]\n"
									   "workload: {kind: requests, clients: 4}\n"
									   "record: [decisions]\n");
	assert_verdict(outcome, "completed");
	assert_near(1e3 * kpi(outcome, "proposer_commit_mean_s"), model_ms[0], 1e-6);
	double n_of[4] = {0};
	for (size_t i = 0; i < n_rows(outcome, TABLE_DECISIONS); i++) {
		int64_t client = int_at(outcome, TABLE_DECISIONS, i, "client");
		double latency_s = real_at(outcome, TABLE_DECISIONS, i, "decided_s") -
			real_at(outcome, TABLE_DECISIONS, i, "arrived_s");
		assert_in_range(client, 0, 3);
		n_of[client]++;
		assert_near(1e3 * latency_s, model_ms[1 + client], 1e-6);
	}
	for (int c = 0; c < 4; c++) {
		assert_true(n_of[c] > 10);
	}
	/* n - f = 3 replicas: the third to commit */
	qsort(committed, 4, sizeof(double), ascending);
	assert_near(1e3 * kpi(outcome, "commit_mean_s"), committed[2], 1e-6);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_delays),
		cmocka_unit_test(lossy),
		cmocka_unit_test(wide_area),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
