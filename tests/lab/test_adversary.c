/* Attackers in a whole run: who sees whom, what each hears of it, and that every protocol meets the
 * same lies. */
#include "study.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define N 10

/* `attacks` is a flow list; items close with everyone's prediction. */
static struct outcome *attacked(const char *protocol, const char *attacks, const char *more)
{
	return run_text("seed: 5\n"
					"stop: {items: 60}\n"
					"validators: 10\n"
					"protocol: %s\n"
					"network: {latency: {kind: lognormal, median: 20 ms, sigma: 0.25}}\n"
					"workload: {kind: dimweight, quorum: n, deadline: off,\n"
					"  arrivals: {kind: regular, rate: 20 /s}}\n"
					"predictor: {kind: linear, train: 100}\n"
					"attacks: %s\n"
					"record: [decisions, predictions, validators]\n"
					"%s",
		protocol, attacks, more);
}

/* What each validator would have said and said, by item. */
struct said {
	double honest[N], sent[N];
	int64_t byzantine[N];
};

static struct said said_of(const struct outcome *outcome, int64_t item)
{
	struct said said;
	size_t n = 0;
	for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
		if (int_at(outcome, TABLE_PREDICTIONS, row, "item") == item) {
			int64_t node = int_at(outcome, TABLE_PREDICTIONS, row, "node");
			said.honest[node] = real_at(outcome, TABLE_PREDICTIONS, row, "honest");
			said.sent[node] = real_at(outcome, TABLE_PREDICTIONS, row, "sent");
			n++;
		}
	}
	assert_int_equal(n, N);
	for (size_t node = 0; node < N; node++) {
		said.byzantine[node] = int_at(outcome, TABLE_VALIDATORS, node, "byzantine");
	}
	return said;
}

/* The colluders send .180 sd above the mean of those they don't have: 7 of 10, whoever they are. */
static void test_colluders_see_the_honest_ones(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("none", "[{kind: alie, fraction: 0.3}]", "");
	for (int64_t item = 0; item < 60; item++) {
		struct said said = said_of(outcome, item);
		double mean = 0, squares = 0;
		int n_byzantine = 0;
		for (int i = 0; i < N; i++) {
			mean += said.byzantine[i] ? 0 : said.sent[i] / 7;
			n_byzantine += said.byzantine[i] != 0;
		}
		assert_int_equal(n_byzantine, 3);
		for (int i = 0; i < N; i++) {
			squares += said.byzantine[i] ? 0 : (said.sent[i] - mean) * (said.sent[i] - mean);
		}
		for (int i = 0; i < N; i++) {
			if (said.byzantine[i]) {
				assert_near(said.sent[i], mean + .18001236979270493 * sqrt(squares / 6), 1e-12);
			} else {
				assert_true(said.sent[i] == said.honest[i]);
			}
		}
	}
	outcome_close(outcome);
}

/* In the order listed, each on what the one before made; nobody under an attack counts as honest,
 * but for one whose attack is over. */
static void test_attacks_compose(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("none",
		"[{kind: inflation, nodes: [0, 1], share: 0.5},\n"
		"  {kind: mimic, nodes: [1, 2]}, {kind: sign-flip, nodes: [2, 4], factor: 2},\n"
		"  {kind: inflation, nodes: [3], share: 1, until: 1 s}]",
		"");
	for (int64_t item = 0; item < 60; item++) {
		struct said said = said_of(outcome, item);
		bool first_second = item < 19; /* arrivals at 50 ms, 100 ms, ... */
		double copied = said.honest[first_second ? 5 : 3];
		assert_true(said.sent[0] == 1.5 * said.honest[0]);
		assert_true(said.sent[1] == copied);
		assert_true(said.sent[2] == -2 * copied);
		assert_true(said.sent[3] == (first_second ? 2 : 1) * said.honest[3]);
		assert_true(said.sent[4] == -2 * said.honest[4]);
		for (int i = 5; i < N; i++) {
			assert_true(said.sent[i] == said.honest[i]);
		}
	}
	outcome_close(outcome);
}

/* The same lies whatever the order of messages; and the same decisions under the two that agree. */
static void test_every_protocol_meets_the_same_lies(void **state)
{
	(void)state;
	static const char *const attacks[] = {"alie", "min-max", "min-sum", "mimic", "free-rider",
		"random-within", "inner-product", "adaptive", "pgd"};
	static const char *const protocols[] = {"none", "raft", "pbft"};
	for (size_t a = 0; a < sizeof(attacks) / sizeof(attacks[0]); a++) {
		char text[80];
		snprintf(text, sizeof(text), "[{kind: %s, fraction: 0.3}]", attacks[a]);
		struct outcome *outcomes[3];
		for (int p = 0; p < 3; p++) {
			outcomes[p] = attacked(
				protocols[p], text, "scorer: {kind: mad, threshold: 0.3}\naggregator: mean\n");
			assert_verdict(outcomes[p], "completed");
		}
		bool lied = false;
		for (int64_t item = 0; item < 60; item++) {
			struct said first = said_of(outcomes[0], item);
			for (int p = 1; p < 3; p++) {
				struct said other = said_of(outcomes[p], item);
				assert_memory_equal(&first, &other, sizeof(first));
			}
			lied = lied || memcmp(first.honest, first.sent, sizeof(first.honest)) != 0;
		}
		assert_true(lied);
		assert_true(kpi(outcomes[1], "mae") == kpi(outcomes[2], "mae"));
		for (int p = 0; p < 3; p++) {
			outcome_close(outcomes[p]);
		}
	}
}

/* Knowing the defence pays: no other attack of these moves the decision further. */
static void test_adaptive_hurts_most(void **state)
{
	(void)state;
	static const char *const attacks[] = {"adaptive", "alie", "min-max", "min-sum", "mimic",
		"free-rider", "random-within", "inner-product", "sign-flip", "gradient"};
	static const char *const rules[] = {"scorer: {kind: mad, threshold: 0.3}\naggregator: mean\n",
		"scorer: none\naggregator: median\n",
		"scorer: none\naggregator: {kind: trimmed-mean, faulty: 3}\n"};
	for (size_t r = 0; r < 3; r++) {
		double adaptive = 0;
		for (size_t a = 0; a < sizeof(attacks) / sizeof(attacks[0]); a++) {
			char text[80];
			snprintf(text, sizeof(text), "[{kind: %s, fraction: 0.3}]", attacks[a]);
			struct outcome *honest = attacked("raft", "[]", rules[r]);
			struct outcome *outcome = attacked("raft", text, rules[r]);
			double displacement = 0;
			for (size_t item = 0; item < 60; item++) {
				displacement += fabs(real_at(outcome, TABLE_DECISIONS, item, "value") -
									 real_at(honest, TABLE_DECISIONS, item, "value"));
			}
			adaptive = a == 0 ? displacement : adaptive;
			assert_true(displacement <= adaptive * (1 + 1e-12));
			assert_true(adaptive > 0);
			outcome_close(outcome);
			outcome_close(honest);
		}
	}
}

/* A mean gives way as far as one goes (where repeating the last decision goes no further); a median, three
 * of ten being liars, does not. Nobody searched: not known. */
static void test_the_reach_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *aggregator;
		bool any, known;
	} cases[] = {{"adaptive, reach: 1e6", "mean", true, true}, {"adaptive", "median", false, true},
		{"alie", "mean", false, false}};
	for (size_t i = 0; i < 3; i++) {
		char attacks[80], more[60];
		snprintf(attacks, sizeof(attacks), "[{kind: %s, fraction: 0.3}]", cases[i].kind);
		snprintf(more, sizeof(more), "scorer: none\naggregator: %s\n", cases[i].aggregator);
		struct outcome *outcome = attacked("raft", attacks, more);
		double share = kpi(outcome, "at_reach");
		assert_true(isnan(share) == !cases[i].known && (share > 0.5) == cases[i].any);
		assert_true(!cases[i].known || cases[i].any || share == 0);
		outcome_close(outcome);
	}
}

/* Three of ten by number are the three of ten by share; who is under two attacks counts once. */
static void test_attackers_are_counted(void **state)
{
	(void)state;
	struct outcome *share = attacked("raft", "[{kind: alie, fraction: 0.3}]", "");
	struct outcome *number = attacked("raft", "[{kind: alie, count: 3}]", "");
	struct outcome *two = attacked("raft",
		"[{kind: alie, count: 3}, {kind: sign-flip, fraction: 0.4, from: 1 s, until: 2 s}]", "");
	struct outcome *none = attacked("raft", "[{kind: alie, count: 0}]", "");
	assert_string_equal(share->summary.digest, number->summary.digest);
	assert_true(kpi(share, "attackers") == 3 && kpi(number, "attackers") == 3);
	assert_true(kpi(two, "attackers") == 4);
	assert_true(kpi(none, "attackers") == 0);
	outcome_close(share);
	outcome_close(number);
	outcome_close(two);
	outcome_close(none);
}

/* Items arrive every 50 ms; from 1 s on it takes 1 s until all five attack. */
static void test_the_attackers_number_grows(void **state)
{
	(void)state;
	struct outcome *outcome = attacked(
		"none", "[{kind: sign-flip, fraction: 0.5, from: 1 s, ramp: 1 s, until: 2.5 s}]", "");
	for (int64_t item = 0; item < 60; item++) {
		struct said said = said_of(outcome, item);
		double at = 1e-3 * 50 * (double)(item + 1);
		double share = at < 1 - 1e-9 || at >= 2.5 - 1e-9 ? 0 : fmin(at - 1, 1);
		int n = 0;
		for (int i = 0; i < N; i++) {
			n += said.sent[i] == -said.honest[i];
		}
		assert_int_equal(n, floor(5 * share + .5 + 1e-9));
	}
	outcome_close(outcome);
}

/* Who copies decisions says what has been accepted by then, and before what it would have said. */
static void test_free_riders_copy_the_latest_decision(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("raft",
		"[{kind: inflation, nodes: [4], share: 0.5},\n"
		"  {kind: free-rider, nodes: [4], copies: decision}]",
		"");
	for (size_t row = 0; row < 60; row++) {
		int64_t item = int_at(outcome, TABLE_DECISIONS, row, "item");
		double arrived = real_at(outcome, TABLE_DECISIONS, row, "arrived_s");
		struct said said = said_of(outcome, item);
		double wanted = 1.5 * said.honest[4], latest = -1;
		for (size_t other = 0; other < 60; other++) {
			double decided = real_at(outcome, TABLE_DECISIONS, other, "decided_s");
			if (decided < arrived && decided > latest) {
				latest = decided;
				wanted = real_at(outcome, TABLE_DECISIONS, other, "value");
			}
		}
		assert_true(said.sent[4] == wanted);
	}
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colluders_see_the_honest_ones),
		cmocka_unit_test(test_attacks_compose),
		cmocka_unit_test(test_every_protocol_meets_the_same_lies),
		cmocka_unit_test(test_adaptive_hurts_most),
		cmocka_unit_test(test_the_reach_is_told),
		cmocka_unit_test(test_attackers_are_counted),
		cmocka_unit_test(test_the_attackers_number_grows),
		cmocka_unit_test(test_free_riders_copy_the_latest_decision),
	};
	return cmocka_run_group_tests_name("adversary", tests, NULL, NULL);
}
