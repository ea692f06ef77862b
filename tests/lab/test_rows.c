/* Predictions of more numbers than one: `vector`, whose points have 8. */
#include "study.h"

#include <math.h>
#include <stdio.h>

#define SCENARIO \
	"seed: 3\nvalidators: 7\nnetwork: {latency: {kind: constant, value: 1 ms}}\nstop: {items: 400}\n" \
	"workload: {kind: vector, dims: 8, noise: 0.1, quorum: 7, arrivals: {kind: poisson, rate: 100 /s}}\n"

/* What stands for a point is the mean of its numbers: of 7 validators' means of 8 numbers it errs by a normal
 * number of sd .1 / sqrt(56), in absolute value sqrt(2 / pi) of that on average, with an sd of sqrt(1 - 2 / pi). */
static void test_the_mean_of_seven(void **state)
{
	(void)state;
	static const char *const protocols[] = {"none", "central", "raft", "pbft"};
	double sd = .1 / sqrt(56);
	for (int i = 0; i < 4; i++) {
		struct outcome *outcome = run_text(SCENARIO "protocol: %s\naggregator: mean\n", protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 400);
		assert_near(kpi(outcome, "mae"), sd * sqrt(2 / M_PI), 3 * sd * sqrt((1 - 2 / M_PI) / 400));
		outcome_close(outcome);
	}
}

/* Liars at -10 times their point: the mean goes with them, rules for rows do not. */
static void test_liars(void **state)
{
	(void)state;
	static const struct {
		const char *rule;
		double mae_min, mae_max;
	} rules[] = {{"mean", .5, 5}, {"median", 0, .05}, {"{kind: multi-krum, faulty: 2}", 0, .05},
		{"geometric-median", 0, .1}};
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct outcome *outcome = run_text(
			SCENARIO "protocol: pbft\naggregator: %s\nattacks: [{kind: sign-flip, factor: 10, count: 2}]\n",
			rules[i].rule);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "mae") >= rules[i].mae_min && kpi(outcome, "mae") <= rules[i].mae_max);
		outcome_close(outcome);
	}
}

/* Validated as rows, closed at deadlines, and moved to other gateways with them. */
static void test_ways_to_close(void **state)
{
	(void)state;
	static const char *const more[] = {
		"protocol: {kind: pbft, batch: 1}\n",
		"protocol: pbft\nfaults: [{kind: crash, nodes: [1, 2], from: 100 ms, until: 2 s}]\n",
		"protocol: raft\nattacks: [{kind: adaptive, count: 2}]\n",
	};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		struct outcome *outcome = run_text(
			"seed: 3\nvalidators: 7\nnetwork: {latency: {kind: constant, value: 1 ms}}\n"
			"stop: {items: 40}\nworkload: {kind: vector, noise: 0.001, tolerance: 0.5%s}\n%s",
			i == 0 ? ", validation: tolerance" : "", more[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "divergence") == 0);
		assert_true(kpi(outcome, "decided") >= 20);
		outcome_close(outcome);
	}
}

static void test_what_does_not_fit(void **state)
{
	(void)state;
	static const char *const unfit[] = {
		"scorer: mad", "predictor: linear", "attacks: [{kind: gradient, count: 1}]",
		"attacks: [{kind: label-flip, count: 1}]"};
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		struct study *study =
			study_try("validators: 4\nprotocol: central\nworkload: vector\n%s\n", unfit[i]);
		assert_null(study);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_mean_of_seven),
		cmocka_unit_test(test_liars),
		cmocka_unit_test(test_ways_to_close),
		cmocka_unit_test(test_what_does_not_fit),
	};
	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
