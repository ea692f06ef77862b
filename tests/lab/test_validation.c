/* Values that validators vote for only within their own tolerance. */
#include "study.h"

#include <math.h>

static struct outcome *validated(const char *workload, const char *attacks)
{
	return run_text("seed: 8\n"
					"stop: {items: 30}\n"
					"validators: 4\n"
					"protocol: {kind: pbft, batch: 1, view_timeout: 1 s}\n"
					"network: {latency: {kind: constant, value: 10 ms}}\n"
					"workload: {kind: dimweight, validation: tolerance, %s\n"
					"  arrivals: {kind: regular, rate: 10 /s}}\n"
					"predictor: {kind: linear, train: 100}\n"
					"attacks: %s\n"
					"record: [decisions, predictions]\n",
		workload, attacks);
}

/* Nobody lies and everything is tolerated: the primary's own value, three delays after it has seen
 * the item, by 2n(n-1) messages; nothing passes between gateways and other validators. */
static void test_the_primarys_value(void **state)
{
	(void)state;
	struct outcome *outcome = validated("tolerance: 1000,", "[]");
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided"), 30);
	assert_int_equal(kpi(outcome, "instances"), 30);
	assert_true(kpi(outcome, "latency_mean_s") == .03 && kpi(outcome, "latency_max_s") == .03);
	assert_true(kpi(outcome, "messages_per_instance") == 24);
	assert_int_equal(kpi(outcome, "client_messages"), 0);
	assert_int_equal(kpi(outcome, "leader_changes"), 0);
	assert_true(kpi(outcome, "proposals_refused") == 0);
	assert_true(isnan(kpi(outcome, "auc"))); /* nothing is scored */
	for (size_t row = 0; row < 30; row++) {
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, row, "predictions"), 1);
		assert_true(real_at(outcome, TABLE_DECISIONS, row, "value") ==
					real_at(outcome, TABLE_PREDICTIONS, 4 * row, "honest"));
	}
	outcome_close(outcome);
}

/* The first primary lies: its values find no quorum, the second's do. One view change, no
 * corruption, where ordering predictions and averaging them takes the lie in. */
static void test_a_lying_primary_loses_its_proposals(void **state)
{
	(void)state;
	static const char lies[] = "[{kind: inflation, nodes: [0], share: 9}]";
	struct outcome *outcome = validated("tolerance: 1, deadline: off,", lies);
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided"), 30);
	assert_true(kpi(outcome, "corruption_rate") == 0);
	assert_int_equal(kpi(outcome, "leader_changes"), 1);
	assert_true(
		kpi(outcome, "proposals_refused") > 0 && kpi(outcome, "proposals_refused") < .5);
	assert_true(kpi(outcome, "latency_max_s") > 1);    /* who came first waited for the timeout */
	assert_true(kpi(outcome, "latency_p50_s") == .03); /* the later ones did not */
	for (size_t row = 0; row < 30; row++) {
		assert_int_equal(int_at(outcome, TABLE_DECISIONS, row, "proposer"), 1);
	}
	outcome_close(outcome);
}

/* Two of four lie alike: no value has three for it, the liars' no more than the others', which lie
 * 90 % below their own. Safe, and not live: the deadline ends every item undecided, and without one
 * the run stalls. */
static void test_more_liars_than_f_take_liveness_not_safety(void **state)
{
	(void)state;
	static const char lies[] = "[{kind: inflation, nodes: [0, 1], share: 9}]";
	struct outcome *outcome = validated("tolerance: 0.8, deadline: 2 s,", lies);
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided"), 0);
	assert_int_equal(kpi(outcome, "undecided"), 30);
	assert_int_equal(kpi(outcome, "safety_violations"), 0);
	assert_true(kpi(outcome, "leader_changes") > 1);
	assert_true(kpi(outcome, "proposals_refused") == 1);
	outcome_close(outcome);
	outcome = validated("tolerance: 0.8, deadline: off,", lies);
	assert_verdict(outcome, "stalled");
	assert_int_equal(kpi(outcome, "decided"), 0);
	outcome_close(outcome);
	/* With three the lie is the truth of a quorum. */
	outcome = validated("tolerance: 0.8,", "[{kind: inflation, nodes: [0, 1, 2], share: 9}]");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "corruption_rate") == 1);
	outcome_close(outcome);
}

/* A validator that finds a value wrong casts no vote, and follows when three others find it right.
 */
static void test_an_outvoted_validator_follows(void **state)
{
	(void)state;
	struct outcome *outcome =
		validated("tolerance: 0.8,", "[{kind: inflation, nodes: [2], share: 9}]");
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided"), 30);
	assert_int_equal(kpi(outcome, "leader_changes"), 0);
	assert_true(kpi(outcome, "corruption_rate") == 0);
	assert_true(kpi(outcome, "latency_max_s") == .03); /* its own gateway's items too */
	/* one prepare of three less in every instance */
	assert_true(kpi(outcome, "messages_per_instance") == 21);
	outcome_close(outcome);
}

/* A crash: who was away has no estimate and no vote; the rest go on. */
static void test_a_crash_in_between(void **state)
{
	(void)state;
	struct outcome *outcome = validated(
		"tolerance: 1000,", "[]\nfaults: [{kind: crash, nodes: [0], from: 1 s, until: 2 s}]");
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided") + kpi(outcome, "undecided"), 30);
	assert_true(kpi(outcome, "decided") > 20);
	assert_int_equal(kpi(outcome, "safety_violations"), 0);
	outcome_close(outcome);
}

/* What is settled is waited for no longer: nothing times out in the quiet between two items. */
static void test_quiet_between_items(void **state)
{
	(void)state;
	struct outcome *outcome = run_text("seed: 8\n"
									   "stop: {items: 5}\n"
									   "validators: 4\n"
									   "protocol: {kind: pbft, batch: 1, view_timeout: 1 s}\n"
									   "network: {latency: {kind: constant, value: 10 ms}}\n"
									   "workload: {kind: dimweight, validation: tolerance,\n"
									   "  tolerance: 1000, deadline: off,\n"
									   "  arrivals: {kind: regular, rate: 0.2 /s}}\n"
									   "predictor: {kind: linear, train: 100}\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "leader_changes"), 0);
	assert_true(kpi(outcome, "latency_max_s") == .03);
	outcome_close(outcome);
}

/* A validator to which a proposal comes late still judges it by what it said then. */
static void test_slow_links(void **state)
{
	(void)state;
	struct outcome *outcome =
		run_text("seed: 8\n"
				 "stop: {items: 60}\n"
				 "validators: 7\n"
				 "protocol: {kind: pbft, batch: 1}\n"
				 "network: {latency: {kind: lognormal, median: 10 ms, sigma: 2}}\n"
				 "workload: {kind: dimweight, validation: tolerance,\n"
				 "  tolerance: 0.8, arrivals: {kind: regular, rate: 2 /s}}\n"
				 "predictor: {kind: linear, train: 100}\n"
				 "attacks: [{kind: inflation, nodes: [5, 6], share: 9}]\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(kpi(outcome, "decided"), 60);
	assert_true(kpi(outcome, "corruption_rate") == 0);
	assert_true(kpi(outcome, "proposals_refused") == 0);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_primarys_value),
		cmocka_unit_test(test_a_lying_primary_loses_its_proposals),
		cmocka_unit_test(test_more_liars_than_f_take_liveness_not_safety),
		cmocka_unit_test(test_an_outvoted_validator_follows),
		cmocka_unit_test(test_a_crash_in_between),
		cmocka_unit_test(test_quiet_between_items),
		cmocka_unit_test(test_slow_links),
	};
	return cmocka_run_group_tests_name("validation", tests, NULL, NULL);
}
