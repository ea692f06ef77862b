/* The KPIs of accuracy and detection, worked out again from the tables. */
#include "study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 10
#define ITEMS 150

/* What the tables say of an item. */
struct row {
	double arrived_s, decided_s, truth, value, honest[N], sent[N];
	bool closed_with[N], accepted[N];
};

static void read_rows(const struct outcome *outcome, struct row rows[ITEMS])
{
	assert_int_equal(n_rows(outcome, TABLE_DECISIONS), ITEMS);
	for (size_t i = 0; i < ITEMS; i++) {
		rows[i] = (struct row){
			.arrived_s = real_at(outcome, TABLE_DECISIONS, i, "arrived_s"),
			.decided_s = real_at(outcome, TABLE_DECISIONS, i, "decided_s"),
			.truth = real_at(outcome, TABLE_DECISIONS, i, "truth"),
			.value = real_at(outcome, TABLE_DECISIONS, i, "value"),
		};
	}
	assert_int_equal(n_rows(outcome, TABLE_PREDICTIONS), ITEMS * N);
	for (size_t i = 0; i < ITEMS * N; i++) {
		struct row *row = &rows[int_at(outcome, TABLE_PREDICTIONS, i, "item")];
		size_t node = (size_t)int_at(outcome, TABLE_PREDICTIONS, i, "node");
		row->honest[node] = real_at(outcome, TABLE_PREDICTIONS, i, "honest");
		row->sent[node] = real_at(outcome, TABLE_PREDICTIONS, i, "sent");
		row->closed_with[node] = int_at(outcome, TABLE_PREDICTIONS, i, "late") == 0;
		row->accepted[node] = int_at(outcome, TABLE_PREDICTIONS, i, "accepted") != 0;
	}
}

static void check_accuracy(const struct outcome *outcome, const struct row rows[ITEMS])
{
	const double tolerance = .1;
	double sum = 0;
	double squares = 0;
	unsigned decided = 0;
	unsigned corrupted = 0;
	unsigned disputed = 0;
	unsigned bad = 0;
	unsigned bad_accepted = 0;
	unsigned good = 0;
	unsigned good_rejected = 0;
	double first_bad_s[N];
	double first_rejected_s[N];
	for (size_t v = 0; v < N; v++) {
		first_bad_s[v] = first_rejected_s[v] = INFINITY;
	}
	for (size_t i = 0; i < ITEMS; i++) {
		const struct row *row = &rows[i];
		bool dispute = false;
		for (size_t v = 0; v < N; v++) {
			bool is_bad = row->sent[v] != row->honest[v];
			/* the honest estimates of all ten: an attack on predictions leaves the replica honest */
			dispute |= fabs(row->honest[v] - row->value) > tolerance * fabs(row->value);
			if (is_bad) {
				first_bad_s[v] = fmin(first_bad_s[v], row->arrived_s);
			}
			if (!row->closed_with[v]) {
				continue;
			}
			if (is_bad) {
				bad++;
				bad_accepted += row->accepted[v];
				if (!row->accepted[v]) {
					first_rejected_s[v] = fmin(first_rejected_s[v], row->decided_s);
				}
			} else {
				good++;
				good_rejected += !row->accepted[v];
			}
		}
		if (isnan(row->value)) {
			continue;
		}
		decided++;
		disputed += dispute;
		double error = fabs(row->value - row->truth);
		sum += error;
		squares += error * error;
		corrupted += error > tolerance * fabs(row->truth);
	}
	assert_true(kpi(outcome, "decided") == decided);
	assert_near(kpi(outcome, "mae"), sum / decided, 1e-12);
	assert_near(kpi(outcome, "rmse"), sqrt(squares / decided), 1e-12);
	assert_true(kpi(outcome, "corruption_rate") == (double)corrupted / decided);
	assert_true(kpi(outcome, "dispute_rate") == (double)disputed / decided);
	assert_true(kpi(outcome, "false_accept_rate") == (double)bad_accepted / bad);
	assert_true(kpi(outcome, "false_reject_rate") == (double)good_rejected / good);
	double detection_s = 0;
	double longest_s = 0;
	unsigned detected = 0;
	for (size_t v = 0; v < N; v++) {
		if (isfinite(first_rejected_s[v])) {
			detection_s += first_rejected_s[v] - first_bad_s[v];
			longest_s = fmax(longest_s, first_rejected_s[v] - first_bad_s[v]);
			detected++;
		}
	}
	assert_true(detected > 0 && bad > 0 && bad_accepted > 0 && good_rejected > 0);
	assert_true(longest_s > .5); /* somebody got away with it at first */
	assert_near(kpi(outcome, "detection_s"), detection_s / detected, 1e-9);
}

static void check_validators(const struct outcome *outcome)
{
	for (size_t v = 0; v < N; v++) {
		int64_t accepted = 0;
		int64_t rejected = 0;
		double score = 0;
		for (size_t i = 0; i < ITEMS * N; i++) {
			if (int_at(outcome, TABLE_PREDICTIONS, i, "node") == (int64_t)v &&
				int_at(outcome, TABLE_PREDICTIONS, i, "late") == 0) {
				bool is_accepted = int_at(outcome, TABLE_PREDICTIONS, i, "accepted") != 0;
				accepted += is_accepted;
				rejected += !is_accepted;
				score += real_at(outcome, TABLE_PREDICTIONS, i, "score");
			}
		}
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, v, "accepted"), accepted);
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, v, "rejected"), rejected);
		assert_near(real_at(outcome, TABLE_VALIDATORS, v, "score_mean"),
			score / (double)(accepted + rejected), 1e-9);
	}
}

/* `targeted` lies about what is worth it alone: what it leaves as it was is an honest prediction. With a
 * quorum below n some predictions are late, in an order that is not that of the arrivals. */
static void accuracy(void **state)
{
	static struct row rows[ITEMS];
	struct study *study =
		study_open("seed: 17\n"
				   "stop: {items: 150}\n"
				   "validators: 10\n"
				   "protocol: raft\n"
				   "network: {latency: {kind: uniform, min: 5 ms, max: 80 ms}}\n"
				   "workload: {kind: dimweight, arrivals: {kind: poisson, rate: 20 /s}, quorum: 8,\n"
				   "  density_sd: 0.1}\n"
				   "predictor: {kind: linear, train: 200}\n"
				   "scorer: {kind: mad, threshold: 0.5}\n"
				   "attacks:\n"
				   "  - {kind: targeted, fraction: 0.3, factor: 1.05, threshold: 3, from: 2 s,\n"
				   "    until: 6 s}\n"
				   "record: [decisions, predictions, validators]\n"
				   "sweep: {protocol: [none, raft, pbft]}\n");
	for (size_t point = 0; point < study->n_points; point++) {
		struct outcome *outcome = study_run(study, point, 0);
		assert_verdict(outcome, "completed");
		read_rows(outcome, rows);
		unsigned n_bad = 0;
		for (size_t i = 0; i < ITEMS; i++) {
			for (size_t v = 0; v < N; v++) {
				bool is_bad = rows[i].sent[v] != rows[i].honest[v];
				n_bad += is_bad;
				assert_true(!is_bad || (rows[i].arrived_s >= 2 && rows[i].arrived_s < 6));
				assert_true(!is_bad || rows[i].honest[v] > 3);
			}
		}
		assert_true(n_bad > 30);
		check_accuracy(outcome, rows);
		check_validators(outcome);
		outcome_destroy(outcome);
	}
	study_close(study);
}

/* With a quorum of n every protocol's decisions rest on the same predictions, so that ordering buys no
 * accuracy; and the adversary is the same everywhere. */
static void same_everywhere(void **state)
{
	static struct row first[ITEMS];
	static struct row rows[ITEMS];
	struct study *study =
		study_open("seed: 18\n"
				   "replications: 2\n"
				   "stop: {items: 150}\n"
				   "validators: 10\n"
				   "protocol: none\n"
				   "network: {latency: {kind: exponential, mean: 20 ms}}\n"
				   "workload: {kind: dimweight, arrivals: {kind: poisson, rate: 50 /s}, quorum: n}\n"
				   "predictor: {kind: linear, train: 200}\n"
				   "aggregator: mean\n"
				   "attacks: [{kind: gradient, fraction: 0.3, epsilon: 0.2}]\n"
				   "record: [decisions, predictions, validators]\n"
				   "sweep: {protocol: [none, raft, pbft], aggregator: [mean, median]}\n");
	for (size_t replication = 0; replication < 2; replication++) {
		double mae[2] = {0};
		double corruption[2] = {0};
		int64_t attackers = 0;
		uint64_t seed = 0;
		for (size_t point = 0; point < study->n_points; point++) {
			struct outcome *outcome = study_run(study, point, replication);
			assert_verdict(outcome, "completed");
			read_rows(outcome, point == 0 ? first : rows);
			int64_t set = 0;
			for (size_t v = 0; v < N; v++) {
				set |= int_at(outcome, TABLE_VALIDATORS, v, "byzantine") << v;
			}
			if (point == 0) {
				attackers = set;
				seed = outcome->summary.seed;
				assert_int_equal(__builtin_popcountll((unsigned long long)set), 3);
			}
			assert_int_equal(set, attackers);
			assert_true(outcome->summary.seed == seed);
			if (point < 2) {
				mae[point] = kpi(outcome, "mae");
				corruption[point] = kpi(outcome, "corruption_rate");
			}
			assert_true(kpi(outcome, "mae") == mae[point % 2]);
			assert_true(kpi(outcome, "corruption_rate") == corruption[point % 2]);
			for (size_t i = 0; point > 0 && i < ITEMS; i++) {
				/* the same items, arrivals, observations and lies: common random numbers */
				assert_true(rows[i].arrived_s == first[i].arrived_s);
				assert_true(rows[i].truth == first[i].truth);
				assert_memory_equal(rows[i].honest, first[i].honest, sizeof(rows[i].honest));
				assert_memory_equal(rows[i].sent, first[i].sent, sizeof(rows[i].sent));
			}
			outcome_destroy(outcome);
		}
		assert_true(mae[0] > mae[1]); /* the mean gives way, the median holds */
	}
	study_close(study);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accuracy),
		cmocka_unit_test(same_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
