/* Stable storage in whole runs: what slow disks cost, and what is safe when crashes take what was written. */
#include "study.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS                                                       \
	"network: {latency: {kind: constant, value: 10 ms}}\n"             \
	"workload: {kind: requests, clients: 2, client_timeout: 5 s, arrivals: {kind: regular, rate: 10 /s}}\n"

static struct outcome *run_disks(const char *protocol, const char *faults)
{
	return run_text("validators: 4\nstop: {items: 40}\n" REQUESTS "protocol: %s\nfaults: [%s]\n", protocol,
		faults);
}

/* With a request a while after the other and no window of faults, all take the same: under Raft four delays, and
 * what the followers' writes take; under PBFT five, and what is written before the pre-prepare, the prepare and
 * the commit. */
static void what_writes_cost(void **state)
{
	enum { N_RAFT = 7 };
	static const struct {
		const char *protocol, *faults;
		double extra_ms;
	} cases[] = {
		{"raft", "", 0},
		{"{kind: raft, write_delay: 3 ms}", "", 3},
		{"{kind: raft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [0, 1, 2, 3], factor: 2}", 6},
		{"{kind: raft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [1, 2, 3], factor: 2, delay: 5 ms}", 11},
		{"{kind: raft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [3], factor: 9}", 3}, /* not needed */
		{"raft", "{kind: slow-disk, nodes: [1, 2, 3], delay: 5 ms}", 5},
		{"{kind: raft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [1, 2], delay: 1 ms}, "
			"{kind: slow-disk, nodes: [1, 2, 3], factor: 3, delay: 2 ms}", 12},
		{"pbft", "", 0},
		{"{kind: pbft, write_delay: 3 ms}", "", 9},
		{"{kind: pbft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [0], delay: 5 ms}", 14}, /* the primary's */
		{"{kind: pbft, write_delay: 3 ms}", "{kind: slow-disk, nodes: [3], delay: 5 ms}", 9}, /* not needed */
		{"pbft", "{kind: slow-disk, nodes: [1, 2, 3], delay: 5 ms}", 10}, /* two of the three */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome *outcome = run_disks(cases[i].protocol, cases[i].faults);
		assert_verdict(outcome, "completed");
		assert_near(1e3 * kpi(outcome, "latency_mean_s"), (i < N_RAFT ? 40 : 50) + cases[i].extra_ms, 1e-9);
		outcome_close(outcome);
	}
}

/* A bare duration is a constant delay, and any kind of latency will do; swept durations are numbers. */
static void kinds_of_delay(void **state)
{
	struct outcome *plain = run_disks("{kind: raft, write_delay: 3 ms}", "");
	struct outcome *constant = run_disks("{kind: raft, write_delay: {kind: constant, value: 3 ms}}", "");
	assert_string_equal(plain->summary.digest, constant->summary.digest);
	struct outcome *uniform = run_disks("{kind: raft, write_delay: {kind: uniform, min: 2 ms, max: 4 ms}}", "");
	assert_in_range(1e6 * kpi(uniform, "latency_mean_s"), 42000, 44000);
	assert_true(kpi(uniform, "latency_sd_s") > 1e-4);
	outcome_close(plain);
	outcome_close(constant);
	outcome_close(uniform);
	struct study *study = study_open("validators: 4\nprotocol: raft\nworkload: requests\n"
									 "sweep: {protocol.write_delay: [0 s, 2500 us]}\n");
	assert_true(scenario_swept_is_real(study->file, 0));
	assert_string_equal(scenario_swept_unit(study->file, 0), "s");
	assert_true(scenario_swept_value(study->file, 1, 0).real == .0025);
	study_close(study);
}

/* What would end in the window ends with it: the request of 1 s waits for the followers until then. */
static void stalls(void **state)
{
	struct outcome *outcome = run_disks("{kind: raft, write_delay: 3 ms, election_timeout: off}",
		"{kind: disk, nodes: [1, 2, 3], stall: on, from: 1 s, until: 1.5 s}");
	assert_verdict(outcome, "completed");
	assert_near(1e3 * kpi(outcome, "latency_max_s"), 520, 1e-6);
	assert_near(1e3 * kpi(outcome, "recovery_s"), 20, 1e-6);
	outcome_close(outcome);
}

/* Of `n` runs in which any two of five crash now and then, how many break an invariant. */
static int n_unsafe(const char *protocol, const char *disk, int n)
{
	int unsafe = 0;
	struct study *study = study_open(
		"validators: 5\nprotocol: %s\nstop: {items: 150}\nreplications: %d\n"
		"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
		"workload: {kind: requests, client_timeout: 1 s, clients: 4, arrivals: {kind: regular, rate: 30 /s}}\n"
		"faults:\n"
		"  - {kind: crash, nodes: [0, 1, 2, 3, 4], every: 1500 ms, lasts: 300 ms, at_once: 2}\n"
		"  - {kind: disk, nodes: [0, 1, 2, 3, 4], %s}\n",
		protocol, n, disk);
	for (int r = 0; r < n; r++) {
		struct outcome *outcome = study_run(study, 0, (size_t)r);
		unsafe += kpi(outcome, "safety_violations") > 0;
		outcome_destroy(outcome);
	}
	study_close(study);
	return unsafe;
}

/* Raft fig. 2 asks for stable storage, and that alone: what was not written may be there in part. Where the
 * device says too early that it is, or loses what it had, servers forget votes and entries. */
static void raft_and_what_is_lost(void **state)
{
	static const char raft[] = "{kind: raft, write_delay: 5 ms}";
	assert_int_equal(n_unsafe(raft, "unsynced: torn", 20), 0);
	assert_true(n_unsafe(raft, "cache: 100 ms", 20) > 3);
	assert_true(n_unsafe(raft, "cache: 100 ms, unsynced: torn", 20) > 3);
	assert_true(n_unsafe(raft, "wipe: on", 20) > 10);
	assert_true(n_unsafe("raft", "wipe: on", 20) > 10); /* also where writing takes no time */
}

/* The shortest way: an entry at two of three, one of which then forgets it and elects the third. */
static void raft_amnesia(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text("validators: 3\nprotocol: raft\nstop: {items: 60}\n" REQUESTS
			"faults:\n"
			"  - {kind: isolate, nodes: [2], until: 2 s}\n"
			"  - {kind: crash, nodes: [1], from: 2 s, until: 2050 ms}\n"
			"  - {kind: isolate, nodes: [0], from: 2 s, until: 4 s}\n"
			"  - {kind: disk, nodes: [%d], wipe: on}\n", i);
		/* Where 1 forgets nothing, it leads with what it has. */
		assert_string_equal(outcome->summary.verdict, i == 1 ? "unsafe" : "completed");
		outcome_close(outcome);
	}
}

/* OSDI'99 4.4: what a replica has promised, by a prepare or a commit, it must remember; so any may crash, all at
 * once too. One that forgets everything is one of the f: that many may, in turn and again and again; were it
 * each of them at some time, replicas that had a quorum's certificate would be too few. */
static void pbft_and_what_is_lost(void **state)
{
	static const char pbft[] = "{kind: pbft, write_delay: 5 ms}";
	assert_int_equal(n_unsafe(pbft, "unsynced: torn", 20), 0);
	assert_true(n_unsafe(pbft, "wipe: on", 20) > 3);
	static const struct {
		unsigned n;
		const char *nodes, *forgetful;
	} cases[] = {{4, "[0]", "[0]"}, {4, "[0, 1, 2, 3]", "[2]"}, {7, "[0, 1, 2]", "[0, 2]"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct study *study = study_open(
			"validators: %u\nprotocol: %s\nstop: {items: 100}\nreplications: 10\n"
			"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
			"workload: {kind: requests, client_timeout: 1 s, clients: 4, arrivals: {kind: regular, rate: 30 /s}}\n"
			"faults:\n"
			"  - {kind: crash, nodes: %s, every: 800 ms, lasts: 300 ms, at_once: 3}\n"
			"  - {kind: disk, nodes: %s, wipe: on}\n",
			cases[i].n, pbft, cases[i].nodes, cases[i].forgetful);
		for (size_t r = 0; r < 10; r++) {
			struct outcome *outcome = study_run(study, 0, r);
			assert_verdict(outcome, "completed");
			assert_true(kpi(outcome, "safety_violations") == 0);
			outcome_destroy(outcome);
		}
		study_close(study);
	}
}

/* The pre-prepare of the request of 1 s is written by 1.02 s and comes at 1.03 s. Backups that crash before
 * 1.04 s have not written their prepares, nor sent any: they come back as if they had not heard of the proposal,
 * and it has to be sent again. Later they come back with it, and the prepares that are under way are enough. */
static void pbft_loses_what_it_was_writing(void **state)
{
	static const double at_ms[] = {1035, 1045};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(
			"validators: 4\nstop: {items: 40}\n" REQUESTS "protocol: {kind: pbft, write_delay: 10 ms}\n"
			"faults:\n"
			"  - {kind: crash, nodes: [1, 2, 3], from: %g ms, until: %g ms}\n",
			at_ms[i], at_ms[i] + 1);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "divergence") == 0);
		/* Up again at 1.036 s they ask by status messages, which come at 1.046 s: the pre-prepare is there
		 * at 1.056 s, and the rest takes 50 ms. Else as ever: five delays and three writes. */
		assert_near(kpi(outcome, "latency_max_s"), i == 0 ? .106 : .08, 1e-9);
		outcome_close(outcome);
	}
}

static void refused(void **state)
{
	static const char *const options[] = {"tentative: on", "fast_path: on"};
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 2; k++) {
			char text[300];
			int n = snprintf(text, sizeof(text),
				"validators: 4\nworkload: requests\nprotocol: {kind: pbft, %s%s}\nfaults: [%s]\n", options[i],
				k == 0 ? ", write_delay: 1 ms" : "", k == 0 ? "" : "{kind: disk, nodes: [1], wipe: on}");
			struct diagnostics *diagnostics = diagnostics_create();
			assert_null(scenario_parse(text, (size_t)n, "test.yaml", ".", NULL, 0, diagnostics));
			assert_int_equal(diagnostics_count(diagnostics), 1);
			diagnostics_destroy(diagnostics);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_writes_cost),
		cmocka_unit_test(kinds_of_delay),
		cmocka_unit_test(stalls),
		cmocka_unit_test(raft_and_what_is_lost),
		cmocka_unit_test(raft_amnesia),
		cmocka_unit_test(pbft_and_what_is_lost),
		cmocka_unit_test(pbft_loses_what_it_was_writing),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
