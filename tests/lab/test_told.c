/* The invariants about what clients were told, each broken by a small protocol that is wrong in one way, or by
 * hand; and kept by the right ones. */
#include "fakes.h"

#include <stdlib.h>
#include <string.h>

#define SCENARIO \
	"seed: 9\nvalidators: 4\nnetwork: {latency: {kind: constant, value: 10 ms}}\n"

/* The first violation is this one, at the nodes, and all are of this kind. */
static void assert_unsafe(const struct outcome *outcome, const char *invariant, const char *nodes)
{
	assert_verdict(outcome, "unsafe");
	assert_non_null(strstr(outcome->summary.verdict_reason, invariant));
	assert_true(n_rows(outcome, TABLE_VIOLATIONS) > 0);
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "nodes"), nodes);
	for (size_t i = 0; i < n_rows(outcome, TABLE_VIOLATIONS); i++) {
		assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, i, "invariant"), invariant);
		assert_true(strlen(string_at(outcome, TABLE_VIOLATIONS, i, "detail")) > 20);
		assert_int_equal(
			int_at(outcome, TABLE_VIOLATIONS, i, "seed"), (int64_t)outcome->summary.seed);
	}
}

/* A client that asks again before its answer has come, of one who has forgotten that it has executed it. */
static void exactly_once(void **state)
{
	const char *text = SCENARIO "stop: {items: 3}\nprotocol: central\n"
								"workload: {kind: %s, client_timeout: 15 ms}\n";
	for (int i = 0; i < 2; i++) {
		char own[300];
		snprintf(own, sizeof(own), text, i == 0 ? "requests" : "kv, reads: 0");
		struct fake fake = fake_make(READS_ORDERED, 1);
		struct outcome *outcome = fake_run(&fake, own);
		assert_verdict(outcome, "completed");
		assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
		outcome_close(outcome);
		fake.forgets = true;
		outcome = fake_run(&fake, own);
		assert_unsafe(outcome, "exactly-once", "0 0");
		assert_true(int_at(outcome, TABLE_VIOLATIONS, 0, "instance") == 2);
		assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "value_a"), "0000000000000001");
		assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "value_b"), "0000000000000000");
		outcome_close(outcome);
	}
	char off[300];
	snprintf(off, sizeof(off), text, "requests");
	strcat(off, "checkers: off\n");
	struct fake fake = fake_make(READS_ORDERED, 1);
	fake.forgets = true;
	struct outcome *outcome = fake_run(&fake, off);
	assert_verdict(outcome, "completed");
	outcome_close(outcome);
}

/* Reads answered by one that hears of no put: what it says had been overwritten. */
static void linearizability(void **state)
{
	const char *text = SCENARIO "stop: {items: 40}\nprotocol: central\nliveness_bound: 1 s\n"
								"workload: {kind: kv, reads: 0.5, keys: 1, client_timeout: 20 s}\n";
	struct fake fake = fake_make(READS_ALL, 1);
	fake.reads_at = 8;
	struct outcome *outcome = fake_run(&fake, text);
	assert_verdict(outcome, "completed");
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
	outcome_close(outcome);
	fake.deaf = 8;
	outcome = fake_run(&fake, text);
	assert_unsafe(outcome, "linearizability", "c0 c0");
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 1); /* one a key */
	assert_non_null(strstr(string_at(outcome, TABLE_VIOLATIONS, 0, "detail"), "key 1: transaction "));
	assert_non_null(strstr(string_at(outcome, TABLE_VIOLATIONS, 0, "detail"),
		" read nothing, which had been overwritten: transaction "));
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "value_a"), ""); /* nobody wrote it */
	assert_in_range(atoi(string_at(outcome, TABLE_VIOLATIONS, 0, "value_b")), 0, 39);
	/* It is told at the time at which the client believed it, not at the run's end. */
	double at = real_at(outcome, TABLE_VIOLATIONS, 0, "time_s");
	assert_true(at > 0 && at < kpi(outcome, "simulated_s"));
	assert_true(kpi(outcome, "first_violation_s") == at);
	assert_non_null(strstr(outcome->summary.verdict_reason, "at client c0, transaction "));
	outcome_close(outcome);
}

/* The coordinator is down from 1 s to 2 s; its clients ask again at 3 s. */
static void liveness(void **state)
{
	const char *text = SCENARIO "stop: {items: 100}\nprotocol: central\nliveness_after: %s\n"
								"workload: {kind: requests, client_timeout: 2 s}\n"
								"faults: [{kind: crash, nodes: [0], from: 1 s, until: 2 s}]\n";
	struct outcome *outcome = run_text(text, "1100 ms");
	assert_verdict(outcome, "completed");
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
	outcome_close(outcome);
	outcome = run_text(text, "500 ms");
	assert_verdict(outcome, "stalled");
	assert_string_equal(outcome->summary.verdict_reason,
		"liveness broken: nothing accepted from 2 s to 2.5 s; 1 of 51 items wait");
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 1);
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "liveness");
	assert_true(real_at(outcome, TABLE_VIOLATIONS, 0, "time_s") == 2.5);
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

/* What a rule holds is held until it is released, though the rule's window has closed. */
static void liveness_of_what_is_held(void **state)
{
	struct outcome *outcome = run_text(
		SCENARIO "stop: {items: 5}\nprotocol: {kind: pbft, view_timeout: off}\nliveness_after: 1 s\n"
				 "workload: {kind: requests, client_timeout: off}\n"
				 "faults: [{kind: rule, message: pre-prepare, action: hold, until: 1 s, release: 10 s}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "latency_max_s") > 9);
	outcome_close(outcome);
}

/* Both: what the end shows of an earlier moment comes first, and the verdict is about safety. */
static void in_order_of_time(void **state)
{
	struct fake fake = fake_make(READS_ALL, 1);
	fake.reads_at = 8;
	fake.deaf = 8;
	struct outcome *outcome =
		fake_run(&fake, SCENARIO "stop: {items: 4000}\nprotocol: central\nliveness_after: 200 ms\n"
								 "workload: {kind: kv, reads: 0.5, keys: 1, client_timeout: 20 s}\n"
								 "faults: [{kind: crash, nodes: [0], from: 1 s}]\n");
	assert_verdict(outcome, "unsafe");
	assert_non_null(strstr(outcome->summary.verdict_reason, "linearizability broken"));
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 2);
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "linearizability");
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 1, "invariant"), "liveness");
	assert_true(kpi(outcome, "safety_violations") == 1);
	outcome_close(outcome);
}

/* Idle is not slow: pauses between arrivals, however long, are no wait. And the end is an end. */
static void liveness_idle(void **state)
{
	struct outcome *outcome = run_text(
		SCENARIO "stop: {items: 5}\nprotocol: raft\nliveness_after: 60 ms\n"
				 "workload: {kind: requests, arrivals: {kind: regular, rate: 2 /s}}\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
	outcome_close(outcome);
	outcome = run_text(SCENARIO "stop: {items: 5}\nprotocol: raft\nliveness_after: 30 ms\n"
								"workload: {kind: requests, arrivals: {kind: regular, rate: 2 /s}}\n");
	assert_verdict(outcome, "stalled");
	assert_true(real_at(outcome, TABLE_VIOLATIONS, 0, "time_s") == .53);
	outcome_close(outcome);
}

int main(void)
{
#define ON(stage, name) cmocka_unit_test_setup_teardown(name, stage, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_once),
		cmocka_unit_test(linearizability),
		cmocka_unit_test(liveness),
		cmocka_unit_test(liveness_of_what_is_held),
		cmocka_unit_test(in_order_of_time),
		cmocka_unit_test(liveness_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
