/* Validators that weigh differently: with the toy protocol, for which more than half of the weight is a quorum. */
#include "toy.h"

#define WEIGHED "validators: 4\nprotocol: central\nworkload: {kind: requests, clients: 1}\nstop: {items: 12}\n"

static struct outcome *weighed(const double weights[4], const char *faults)
{
	struct toy toy = toy_make();
	toy.weights = weights;
	char text[400];
	snprintf(text, sizeof(text), WEIGHED "faults: [%s]\n", faults);
	return toy_run(&toy, text);
}

static void expect_stalled(const double weights[4], const char *faults, const char *reason)
{
	struct outcome *outcome = weighed(weights, faults);
	assert_verdict(outcome, "stalled");
	assert_string_equal(outcome->summary.verdict_reason, reason);
	outcome_close(outcome);
}

static void expect_completed(const double weights[4], const char *faults)
{
	struct outcome *outcome = weighed(weights, faults);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

static const double one_heavy[] = {5, 1, 1, 1}, alike[] = {1, 1, 1, 1}, none_heavy[] = {2, 2, 1, 1};

/* The one with more than half goes on alone, and without it the other three don't: said at once. */
static void crashes(void **state)
{
	expect_completed(one_heavy, "{kind: crash, nodes: [1, 2, 3], from: 50 ms}");
	expect_stalled(one_heavy, "{kind: crash, nodes: [0], from: 50 ms}",
		"from 0.05 s on 3 of 4 validators are live, and these are no quorum");
	expect_stalled(alike, "{kind: crash, nodes: [2, 3], from: 50 ms}",
		"from 0.05 s on 2 of 4 validators are live, and these are no quorum");
	expect_completed(alike, "{kind: crash, nodes: [3], from: 50 ms}");
}

static void cuts(void **state)
{
	expect_completed(one_heavy, "{kind: partition, groups: [[0], [1, 2, 3]], from: 50 ms, until: 9 s}");
	expect_stalled(none_heavy, "{kind: partition, groups: [[0, 2], [1, 3]], from: 50 ms}",
		"from 0.05 s on no quorum of the 4 live validators can reach each other");
	expect_stalled(one_heavy, "{kind: cut, from_nodes: [0], from: 50 ms}, {kind: crash, nodes: [0], from: 60 ms}",
		"from 0.06 s on 3 of 4 validators are live, and these are no quorum");
}

/* An instance counts as committed once enough have committed it. Node 0 decides alone what it leads, at once, and
 * learns of the others' decisions after three delays; else all four are waited for, as f is 0. */
static void commits(void **state)
{
	struct outcome *outcome = weighed(one_heavy, "");
	assert_near(kpi(outcome, "commit_mean_s"), (0 + 3 * .03) / 4, 1e-12);
	outcome_close(outcome);
	struct toy toy = toy_make();
	outcome = toy_run(&toy, WEIGHED);
	assert_near(kpi(outcome, "commit_mean_s"), .03, 1e-12);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crashes),
		cmocka_unit_test(cuts),
		cmocka_unit_test(commits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
