/* Validators that missed the end catch up although nobody writes any more; where nothing can be missed nobody
 * says a word for it. */
#include "study.h"

#include <stdio.h>
#include <string.h>

static void all_have_all(const struct outcome *outcome)
{
	int64_t n = (int64_t)kpi(outcome, "instances");
	assert_true(n >= 30);
	for (size_t i = 0; i < n_rows(outcome, TABLE_VALIDATORS); i++) {
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, i, "committed"), n);
	}
}

static void catch_up_when_idle(void **state)
{
	static const char *const protocols[] = {"pbft", "{kind: pbft, fast_path: on, tentative: on}",
		"{kind: pbft, checkpoint_interval: 7}", "central", "raft"};
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		for (int until_s = 6; until_s <= 54; until_s *= 3) {
			/* One is cut off before the end, and another votes for the last one and hears no more. */
			struct outcome *outcome = run_text(
				"validators: 7\nprotocol: %s\nworkload: requests\nstop: {items: 30}\nrecord: [validators]\n"
				"faults:\n  - {kind: isolate, nodes: [5], from: 500 ms, until: %d s}\n%s",
				protocols[i], until_s,
				i < 3 ? "  - {kind: rule, action: drop, message: [commit], instance: 30, to_nodes: [3]}\n" : "");
			assert_verdict(outcome, "completed");
			all_have_all(outcome);
			/* Also beyond the bound of 30 s, since the cut's end is scheduled. A quarter of the time that it was
			 * away, and what asking takes. */
			assert_true(kpi(outcome, "simulated_s") > until_s);
			assert_true(kpi(outcome, "simulated_s") < 1.25 * until_s + 1);
			outcome_close(outcome);
		}
	}
}

/* Idle for 100 s and more: what is sent is the agreement's. */
static void silence_where_nothing_is_missed(void **state)
{
	static const char *const protocols[] = {"pbft", "{kind: pbft, fast_path: on}", "central"};
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		struct outcome *outcome =
			run_text("validators: 4\nprotocol: %s\nstop: {time: 600 s}\n"
					 "workload: {kind: requests, arrivals: {kind: regular, rate: 0.009 /s}}\n",
				protocols[i]);
		assert_true(kpi(outcome, "instances") == 5);
		assert_true(kpi(outcome, "messages") ==
			kpi(outcome, "instances") * kpi(outcome, "messages_per_instance"));
		outcome_close(outcome);
	}
}

/* One is down for ever: the others tell it, rarer and rarer. */
static void rarer_and_rarer(void **state)
{
	double said[2];
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome =
			run_text("validators: 4\nprotocol: pbft\nstop: {time: %d s}\n"
					 "workload: {kind: requests, arrivals: {kind: regular, rate: 0.0009 /s}}\n"
					 "faults: [{kind: crash, nodes: [3]}]\n",
				i == 0 ? 1211 : 2211);
		said[i] = kpi(outcome, "messages") - kpi(outcome, "messages_per_instance");
		outcome_close(outcome);
	}
	/* Idle for 100 s and for 1100 s. Three say it to three: every quarter of a second at first, then a quarter
	 * of the time that has passed. */
	assert_true(said[0] > 9 * 15 && said[0] < 9 * 28);
	assert_true(said[1] > said[0] && said[1] < said[0] + 9 * 12);
}

/* The state that a validator missed, 6 MB over 50 Mbit/s, does not hold up the others while it is sent. */
static void a_state_lets_others_pass(void **state)
{
	double latency[2];
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(
			"validators: 4\nprotocol: {kind: pbft, state_chunk: %s, checkpoint_interval: 50}\n"
			"network: {latency: {kind: constant, value: 10 ms}, bandwidth: 50 Mbit/s}\nstop: {items: 400}\n"
			"workload: {kind: requests, clients: 5, size: 30 KiB, arrivals: {kind: regular, rate: 30 /s}}\n"
			"record: [validators]\nfaults: [{kind: isolate, nodes: [3], from: 500 ms, until: 7 s}]\n",
			i == 0 ? "64 KiB" : "off");
		assert_verdict(outcome, "completed");
		if (i == 0) { /* whole it takes longer than the replica has patience for, again and again */
			all_have_all(outcome);
		}
		latency[i] = kpi(outcome, "latency_max_s");
		outcome_close(outcome);
	}
	assert_true(latency[0] < .12 && latency[1] > 3 * latency[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(catch_up_when_idle),
		cmocka_unit_test(silence_where_nothing_is_missed),
		cmocka_unit_test(rarer_and_rarer),
		cmocka_unit_test(a_state_lets_others_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
