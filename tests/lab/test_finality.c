/* Probable finality: what was executed for good is taken back, and that is counted, not a violation; with the chain of
 * the tests, whose longest branch wins. */
#include "chain.h"

#include <string.h>

#define HEAD "validators: 4\nprotocol: central\n"
#define REQUESTS HEAD "workload: {kind: requests, clients: 4}\n"
#define ALONE HEAD "workload: {kind: requests, clients: 1}\n"
/* Node 0 hears nothing of the others for a while, nor they of it. */
#define APART "faults: [{kind: partition, groups: [[0], [1, 2, 3]], from: 0.1 s, until: 0.3 s}]\n"

/* One validator asks: no fork, and nothing is taken back. */
static void no_fork(void **state)
{
	struct outcome *outcome = chain_run((struct chain){0}, ALONE "stop: {items: 50}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "instances") == 50);
	assert_true(kpi(outcome, "reorganisations") == 0);
	assert_true(kpi(outcome, "reorganisation_depth_max") == 0);
	outcome_close(outcome);
}

/* All at once: four blocks of one height, of which three are taken back where they were made. */
static void forks(void **state)
{
	struct outcome *outcome = chain_run((struct chain){0}, REQUESTS "stop: {items: 4}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "reorganisations") >= 3);
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(kpi(outcome, "divergence") == 0);
	outcome_close(outcome);
}

/* Both sides go on; once they hear of each other again the shorter side gives its branch up, and nothing of it is
 * left in its application. */
static void partition(void **state)
{
	static const char *const workloads[] = {
		"{kind: requests, clients: 4}", "{kind: kv, clients: 4, keys: 3}"};
	for (size_t w = 0; w < 2; w++) {
		char text[400];
		snprintf(text, sizeof(text), HEAD "workload: %s\nstop: {items: 300}\n" APART, workloads[w]);
		struct outcome *outcome = chain_run((struct chain){0}, text);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "reorganisation_depth_max") > 3);
		assert_true(kpi(outcome, "divergence") == 0);
		outcome_close(outcome);
	}
}

/* Who never changes over ends with another history: that is looked at in the end. */
static void stubborn(void **state)
{
	struct outcome *outcome = chain_run((struct chain){.stubborn = true}, REQUESTS "stop: {items: 40}\n");
	assert_verdict(outcome, "unsafe");
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "agreement");
	assert_true(kpi(outcome, "reorganisations") == 0);
	assert_true(kpi(outcome, "divergence") > 0);
	outcome_close(outcome);
}

/* Where finality is promised nothing may be taken back. */
static void promised(void **state)
{
	struct outcome *outcome = chain_run((struct chain){.certain = true}, REQUESTS "stop: {items: 4}\n");
	assert_verdict(outcome, "unsafe");
	bool told = false;
	for (size_t i = 0; i < n_rows(outcome, TABLE_VIOLATIONS); i++) {
		told |= strcmp(string_at(outcome, TABLE_VIOLATIONS, i, "invariant"), "finality") == 0;
	}
	assert_true(told);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_fork),
		cmocka_unit_test(forks),
		cmocka_unit_test(partition),
		cmocka_unit_test(stubborn),
		cmocka_unit_test(promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
