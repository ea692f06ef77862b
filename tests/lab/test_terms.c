/* Views that begin anew at each instance, and a lead that goes round: with the toy protocol, and term by term. */
#include "toy.h"

#include "lab.h"
#include "terms.h"

#include <string.h>

#define REQUESTS "validators: 4\nprotocol: central\nworkload: {kind: requests, clients: 4}\n"

/* A leader a height, and none of them was left. */
static void rotation(void **state)
{
	struct toy toy = toy_make();
	struct outcome *outcome = toy_run(&toy, REQUESTS "stop: {items: 2000, views: 5}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "instances") == 2000);
	assert_true(kpi(outcome, "leader_changes") == 0);
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

/* Node 2 is down for 3 s: each height that it should lead costs one timeout, and a leader that takes over. */
static void timeouts(void **state)
{
	struct toy toy = toy_make();
	const char *text = REQUESTS "stop: {items: 200}\nfaults: [{kind: crash, nodes: [2], from: 0.2 s, until: 3.2 s}]\n";
	struct outcome *outcome = toy_run(&toy, text);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "leader_changes") > 3);
	assert_true(kpi(outcome, "leader_changes") < 10);
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
	/* They, and they alone, count for `stop.views`. */
	char bounded[400];
	snprintf(bounded, sizeof(bounded), "%sstop: {items: 200, views: 3}\n%s", REQUESTS,
		strstr(text, "faults"));
	outcome = toy_run(&toy, bounded);
	assert_verdict(outcome, "limit");
	assert_string_equal(outcome->summary.verdict_reason, "more than 3 views or terms");
	outcome_close(outcome);
}

/* Back to round 0 within a height: no other height has anything to do with it. */
static void goes_back(void **state)
{
	struct toy toy = toy_make();
	toy.goes_back = true;
	const char *text = "validators: 5\nprotocol: central\nworkload: {kind: requests, clients: 4}\n"
					   "stop: {items: 200}\n"
					   "faults: [{kind: crash, nodes: [2, 3], from: 0.2 s, until: 3.2 s}]\n";
	struct outcome *outcome = toy_run(&toy, text);
	assert_verdict(outcome, "unsafe");
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "view-order");
	assert_true(int_at(outcome, TABLE_VIOLATIONS, 0, "instance") == 0);
	outcome_close(outcome);
	toy.goes_back = false;
	outcome = toy_run(&toy, text);
	assert_verdict(outcome, "completed");
	outcome_close(outcome);
}

/* As the run counts what it takes. */
static void many_heights(void **state)
{
	struct toy toy = toy_make();
	struct outcome *outcome = toy_run(&toy,
		"validators: 4\nprotocol: central\nworkload: {kind: requests, clients: 4}\n"
		"stop: {items: 100000, memory: 50 MB}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "instances") == 100000);
	assert_true(kpi(outcome, "leader_changes") == 0);
	outcome_close(outcome);
}

/* In order of instances, then of views, whatever order they come in. */
static void order(void **state)
{
	struct terms terms = {0};
	uint64_t wanted[][2] = {{3, 0}, {3, 2}, {1, 7}, {2, 0}, {3, 1}, {1, 0}};
	for (size_t i = 0; i < 6; i++) {
		struct term *term = terms_at(&terms, wanted[i][0], wanted[i][1]);
		assert_int_equal(term->leader, NODE_NONE);
		term->leader = (uint32_t)i;
	}
	assert_int_equal(terms.n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(terms_at(&terms, wanted[i][0], wanted[i][1])->leader, i);
	}
	assert_int_equal(terms.n, 6);
	for (size_t i = 1; i < 6; i++) {
		const struct term *a = &terms.latest[i - 1], *b = &terms.latest[i];
		assert_true(a->instance < b->instance || (a->instance == b->instance && a->view < b->view));
	}
	terms_finish(&terms);
}

/* Old ones are counted and make room: what there is of them does not grow. */
static void old_ones(void **state)
{
	struct terms terms = {0};
	for (uint64_t i = 0; i < 10 * TERMS_KEPT; i++) {
		struct term *term = terms_at(&terms, i / 2, i % 2);
		term->candidate = true;
		if (i % 2 == 1) {
			term->leader = 0;
		}
	}
	assert_true(terms.capacity <= 2 * TERMS_KEPT);
	assert_int_equal(terms_split(&terms), 5 * TERMS_KEPT);
	assert_null(terms_at(&terms, 0, 5));
	assert_non_null(terms_at(&terms, 5 * TERMS_KEPT - 1, 1));
	terms_finish(&terms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rotation),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(goes_back),
		cmocka_unit_test(many_heights),
		cmocka_unit_test(order),
		cmocka_unit_test(old_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
