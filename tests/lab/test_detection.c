/* How well scores set attacked predictions apart, how long it takes, and many names for one party.
 */
#include "study.h"

#include <math.h>

#define N 10

static struct outcome *detected(int n_items, const char *scorer, const char *attacks)
{
	return run_text("seed: 8\n"
					"stop: {items: %d}\n"
					"validators: 10\n"
					"protocol: raft\n"
					"network: {latency: {kind: lognormal, median: 20 ms, sigma: 0.25}}\n"
					"workload: {kind: dimweight, quorum: n, tolerance: 1, deadline: off,\n"
					"  arrivals: {kind: regular, rate: 4 /s}}\n"
					"predictor: {kind: linear, train: 100}\n"
					"scorer: %s\n"
					"aggregator: median\n"
					"attacks: %s\n"
					"record: [predictions, validators, roc]\n",
		n_items, scorer, attacks);
}

/* Every pair of an attacked and an honest prediction, one by one. */
static double auc_by_pairs(const struct outcome *outcome)
{
	double won = 0, n = 0;
	for (size_t a = 0; a < n_rows(outcome, TABLE_PREDICTIONS); a++) {
		if (real_at(outcome, TABLE_PREDICTIONS, a, "honest") ==
			real_at(outcome, TABLE_PREDICTIONS, a, "sent")) {
			continue;
		}
		for (size_t h = 0; h < n_rows(outcome, TABLE_PREDICTIONS); h++) {
			if (real_at(outcome, TABLE_PREDICTIONS, h, "honest") ==
				real_at(outcome, TABLE_PREDICTIONS, h, "sent")) {
				double attacked = real_at(outcome, TABLE_PREDICTIONS, a, "score");
				double honest = real_at(outcome, TABLE_PREDICTIONS, h, "score");
				won += attacked < honest ? 1 : attacked == honest ? .5 : 0;
				n++;
			}
		}
	}
	return won / n;
}

static void test_auc_counts_pairs(void **state)
{
	(void)state;
	static const char *const scorers[] = {"{kind: mad, threshold: 0.3}", "z-score", "none",
		"{kind: reputation, of: iqr}", "{kind: isolation, method: trees, trees: 10}"};
	for (size_t s = 0; s < sizeof(scorers) / sizeof(scorers[0]); s++) {
		struct outcome *outcome =
			detected(20, scorers[s], "[{kind: inflation, fraction: 0.3, share: 0.1}]");
		double wanted = auc_by_pairs(outcome);
		assert_near(kpi(outcome, "auc"), wanted, 1e-15);
		assert_true(s == 2 ? wanted == .5 : wanted > .5 && wanted < 1);
		/* 200 scores: the table has them all, and the area under it by trapezoids is the same. */
		double area = 0, x = 0, y = 0;
		size_t n = n_rows(outcome, TABLE_ROC);
		assert_true(real_at(outcome, TABLE_ROC, 0, "true_positive") == 0);
		assert_true(real_at(outcome, TABLE_ROC, 0, "false_positive") == 0);
		for (size_t row = 0; row < n; row++) {
			double next_x = real_at(outcome, TABLE_ROC, row, "false_positive");
			double next_y = real_at(outcome, TABLE_ROC, row, "true_positive");
			assert_true(next_x >= x && next_y >= y);
			area += (next_x - x) * (next_y + y) / 2;
			x = next_x;
			y = next_y;
		}
		assert_true(x == 1 && y == 1);
		assert_true(isinf(real_at(outcome, TABLE_ROC, n - 1, "threshold")));
		assert_near(area, wanted, 1e-12);
		outcome_close(outcome);
	}
}

/* Many scores: some points of the same curve, each of them exact. */
static void test_roc_is_thinned(void **state)
{
	(void)state;
	struct outcome *outcome =
		detected(100, "{kind: mad, threshold: 0.3}", "[{kind: inflation, nodes: [2], share: 0.1}]");
	size_t n = n_rows(outcome, TABLE_ROC);
	assert_true(n > 100 && n <= 257);
	for (size_t row = 0; row < n; row += 20) {
		double threshold = real_at(outcome, TABLE_ROC, row, "threshold"), below = 0;
		for (size_t p = 0; p < n_rows(outcome, TABLE_PREDICTIONS); p++) {
			below += int_at(outcome, TABLE_PREDICTIONS, p, "node") == 2 &&
					 real_at(outcome, TABLE_PREDICTIONS, p, "score") < threshold;
		}
		assert_near(real_at(outcome, TABLE_ROC, row, "true_positive"), below / 100, 1e-15);
	}
	outcome_close(outcome);
}

static void test_nothing_to_tell_apart(void **state)
{
	(void)state;
	struct outcome *outcome = detected(20, "{kind: mad, threshold: 0.3}", "[]");
	assert_true(isnan(kpi(outcome, "auc")));
	assert_true(isnan(kpi(outcome, "detection_items")));
	assert_int_equal(n_rows(outcome, TABLE_ROC), 0);
	assert_true(isnan(real_at(outcome, TABLE_VALIDATORS, 0, "reputation")));
	outcome_close(outcome);
}

/* Lies from the start: reputation .5, .420, .354, .297: the fourth is the first below .3. At the
 * end, after 20 items of a half-life of 4, a liar has .5/32, and who has always agreed 1 - .5/32.
 */
static void test_reputation_in_a_run(void **state)
{
	(void)state;
	struct outcome *outcome = detected(20,
		"{kind: reputation, evidence: decision, half_life: 4, initial: 0.5, threshold: 0.3}",
		"[{kind: inflation, nodes: [1, 7], share: 9}]");
	assert_true(kpi(outcome, "detection_items") == 4);
	assert_near(kpi(outcome, "false_accept_rate"), 3. / 20, 1e-15);
	assert_true(kpi(outcome, "false_reject_rate") == 0);
	for (size_t node = 0; node < N; node++) {
		bool lies = node == 1 || node == 7;
		assert_near(real_at(outcome, TABLE_VALIDATORS, node, "reputation"),
			lies ? .5 / 32 : 1 - .5 / 32, 1e-12);
	}
	outcome_close(outcome);
}

/* Validator 1 lies and speaks under 8 names; with constant delays a quorum of 4 is 0, 1 and two of
 * its other names, and the median a lie. */
static struct outcome *sybil(const char *identities, const char *attacks)
{
	return run_text("seed: 8\n"
					"stop: {items: 20}\n"
					"validators: 4\n"
					"protocol: raft\n"
					"network: {latency: {kind: constant, value: 10 ms}}\n"
					"workload: {kind: dimweight, quorum: n, identities: %s,\n"
					"  arrivals: {kind: regular, rate: 4 /s}}\n"
					"predictor: {kind: linear, train: 100}\n"
					"aggregator: median\n"
					"attacks: %s\n"
					"record: [decisions, predictions, validators]\n",
		identities, attacks);
}

static void test_sybils(void **state)
{
	(void)state;
	static const char lies[] = "[{kind: inflation, nodes: [1], share: 9}]";
	static const char names[] = "[{kind: inflation, nodes: [1], share: 9},\n"
								"  {kind: sybil, nodes: [1], identities: 8, jitter: 0.01}]";
	struct outcome *alone = sybil("open", lies);
	struct outcome *refused = sybil("validators", names);
	struct outcome *open = sybil("open", names);
	/* A permissioned application counts them, and is as well off as without. */
	assert_int_equal(kpi(alone, "identities_refused"), 0);
	assert_int_equal(kpi(refused, "identities_refused"), 7 * 20);
	assert_int_equal(kpi(open, "identities_refused"), 0);
	assert_true(kpi(refused, "mae") == kpi(alone, "mae"));
	assert_true(kpi(alone, "corruption_rate") < .5);
	assert_true(kpi(open, "corruption_rate") == 1);
	size_t n_made_up = 0, n_closed_with = 0;
	double said = NAN;
	for (size_t row = 0; row < n_rows(open, TABLE_PREDICTIONS); row++) {
		int64_t node = int_at(open, TABLE_PREDICTIONS, row, "node");
		double sent = real_at(open, TABLE_PREDICTIONS, row, "sent");
		said = node == 1 ? sent : said;
		if (node >= 4) {
			assert_true(node < 4 + 7);
			assert_true(isnan(real_at(open, TABLE_PREDICTIONS, row, "honest")));
			assert_near(sent / said, 1, .06);
			assert_true(sent != said);
			n_made_up++;
			n_closed_with += int_at(open, TABLE_PREDICTIONS, row, "late") == 0;
		}
	}
	assert_int_equal(n_made_up, 7 * 20);
	assert_int_equal(n_closed_with, 2 * 20);
	assert_int_equal(n_rows(open, TABLE_VALIDATORS), 4);
	outcome_close(open);
	outcome_close(refused);
	outcome_close(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auc_counts_pairs),
		cmocka_unit_test(test_roc_is_thinned),
		cmocka_unit_test(test_nothing_to_tell_apart),
		cmocka_unit_test(test_reputation_in_a_run),
		cmocka_unit_test(test_sybils),
	};
	return cmocka_run_group_tests_name("detection", tests, NULL, NULL);
}
