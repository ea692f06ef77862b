/* What validators predict with, in whole runs: versions, drift, what it costs, what they claim, who
 * has poisoned it, and that each model is trained once. */
#include "study.h"

#include "workloads/models.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define BASE                                                                                       \
	"seed: 5\nvalidators: 4\nprotocol: none\n"                                                      \
	"network: {latency: {kind: constant, value: 10 ms}}\naggregator: mean\n"                        \
	"stop: {items: 200}\n"                                                                           \
	"workload: {kind: dimweight, quorum: n, arrivals: {kind: regular, rate: 100 /s}}\n"
#define HEAD BASE "record: [predictions, models, decisions]\n"

/* 200 items in 2 s, retrained each half second: what has arrived when decides the version. */
static void versions(void **state)
{
	(void)state;
	struct outcome *outcome = run_text(HEAD "predictor: {kind: linear, train: 100, retrain: 500 ms}\n");
	assert_int_equal(n_rows(outcome, TABLE_PREDICTIONS), 800);
	for (size_t row = 0; row < 800; row++) {
		int64_t item = int_at(outcome, TABLE_PREDICTIONS, row, "item");
		double arrived_s = real_at(outcome, TABLE_DECISIONS, (size_t)item, "arrived_s");
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, row, "version"),
			(int64_t)floor(arrived_s / .5 + 1e-9));
	}
	size_t n_models = n_rows(outcome, TABLE_MODELS);
	assert_true(n_models >= 16 && n_models % 4 == 0);
	assert_int_equal(n_rows(outcome, TABLE_IMPORTANCE), 4 * n_models);
	for (size_t row = 0; row < n_models; row++) {
		assert_int_equal(int_at(outcome, TABLE_MODELS, row, "node"), row % 4);
		assert_int_equal(int_at(outcome, TABLE_MODELS, row, "version"), row / 4);
		assert_true(real_at(outcome, TABLE_MODELS, row, "time_s") == .5 * (double)(row / 4));
		assert_true(real_at(outcome, TABLE_MODELS, row, "r2") > .95);
		for (size_t j = 0; j < 4; j++) {
			assert_true(real_at(outcome, TABLE_IMPORTANCE, 4 * row + j, "rmse_rise") > .1);
		}
	}
	assert_true(real_at(outcome, TABLE_MODELS, 0, "mae") != real_at(outcome, TABLE_MODELS, 4, "mae"));
	outcome_close(outcome);
}

#define FEATURES 4
#define UNKNOWNS (FEATURES + 1)

static const struct items_app *workload_named(const char *name)
{
	const struct plugin *const *plugin = workload_registry.plugins;
	while (strcmp((*plugin)->name, name) != 0) {
		plugin++;
	}
	return (const void *)*plugin; /* its first member */
}

static void features_at(const struct outcome *outcome, enum table_id table, size_t row, double *x)
{
	const struct items_app *workload = workload_named("dimweight");
	for (uint32_t j = 0; j < FEATURES; j++) {
		x[j] = real_at(outcome, table, row, workload->feature_names[j]);
	}
}

/* Least squares of a validator's recorded rows, by the normal equations: intercept, then weights. */
static void refit(const struct outcome *outcome, int64_t node, double fit[UNKNOWNS])
{
	double a[UNKNOWNS][UNKNOWNS + 1] = {{0}};
	for (size_t row = 0; row < n_rows(outcome, TABLE_TRAINING); row++) {
		double x[UNKNOWNS] = {1};
		if (int_at(outcome, TABLE_TRAINING, row, "node") != node) {
			continue;
		}
		features_at(outcome, TABLE_TRAINING, row, x + 1);
		for (int i = 0; i < UNKNOWNS; i++) {
			for (int k = 0; k < UNKNOWNS; k++) {
				a[i][k] += x[i] * x[k];
			}
			a[i][UNKNOWNS] += x[i] * real_at(outcome, TABLE_TRAINING, row, "target");
		}
	}
	for (int i = 0; i < UNKNOWNS; i++) { /* positive definite: no pivots */
		for (int r = 0; r < UNKNOWNS; r++) {
			double share = a[r][i] / a[i][i];
			for (int k = i; r != i && k <= UNKNOWNS; k++) {
				a[r][k] -= share * a[i][k];
			}
		}
	}
	for (int i = 0; i < UNKNOWNS; i++) {
		fit[i] = a[i][UNKNOWNS] / a[i][i];
	}
}

/* What is recorded is enough to fit each validator's predictor outside, and to predict as it does. */
static void what_was_learned_and_seen(void **state)
{
	(void)state;
	const struct items_app *workload = workload_named("dimweight");
	struct outcome *plain = run_text(HEAD "predictor: {kind: linear, train: 100}\n");
	struct outcome *outcome =
		run_text(BASE "record: [observations, training, predictions]\n"
					  "predictor: {kind: linear, train: 100}\n");
	assert_string_equal(plain->summary.digest, outcome->summary.digest);
	assert_int_equal(n_rows(outcome, TABLE_TRAINING), 400);
	assert_int_equal(n_rows(outcome, TABLE_OBSERVATIONS), 800);
	double fits[4][UNKNOWNS], honest[200][4] = {{0}};
	for (int64_t node = 0; node < 4; node++) {
		refit(outcome, node, fits[node]);
	}
	for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
		honest[int_at(outcome, TABLE_PREDICTIONS, row, "item")]
			  [int_at(outcome, TABLE_PREDICTIONS, row, "node")] =
				  real_at(outcome, TABLE_PREDICTIONS, row, "honest");
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, row, "attacked"), 0);
	}
	for (size_t row = 0; row < n_rows(outcome, TABLE_OBSERVATIONS); row++) {
		int64_t item = int_at(outcome, TABLE_OBSERVATIONS, row, "item");
		int64_t node = int_at(outcome, TABLE_OBSERVATIONS, row, "node");
		double x[FEATURES], output = fits[node][0];
		features_at(outcome, TABLE_OBSERVATIONS, row, x);
		for (int j = 0; j < FEATURES; j++) {
			output += fits[node][j + 1] * x[j];
		}
		double value = workload->value(NULL, x, output);
		assert_true(fabs(value - honest[item][node]) <= 1e-8 * value);
		assert_true(fabs(output - real_at(outcome, TABLE_OBSERVATIONS, row, "target")) < 1);
	}
	outcome_close(plain);
	outcome_close(outcome);
}

/* Who has brought what, and which of it an attack has altered; a prediction tells of an attack on it or on what its
 * validator learned from. */
static void whose_rows_are_poisoned(void **state)
{
	(void)state;
	struct outcome *outcome =
		run_text(BASE "record: [training, predictions]\n"
					  "predictor: {kind: linear, train: 100, shards: shared}\n"
					  "attacks: [{kind: poisoning, nodes: [1], share: 0.2}, {kind: alie, nodes: [2]}]\n");
	size_t n_poisoned = 0;
	for (size_t row = 0; row < n_rows(outcome, TABLE_TRAINING); row++) {
		int64_t contributor = int_at(outcome, TABLE_TRAINING, row, "contributor");
		assert_int_equal(contributor, row % 100 / 25);
		n_poisoned += int_at(outcome, TABLE_TRAINING, row, "poisoned") == 1;
		assert_true(int_at(outcome, TABLE_TRAINING, row, "poisoned") == 0 || contributor == 1);
	}
	assert_true(n_poisoned > 0 && n_poisoned < 4 * 25 && n_poisoned % 4 == 0); /* .2 of 25, to all */
	for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, row, "attacked"),
			int_at(outcome, TABLE_PREDICTIONS, row, "node") % 3 != 0);
	}
	outcome_close(outcome);
}

/* A model that learns nothing says half of the truth with what the workload computes; of what is learned it
 * explains nothing. */
static void what_is_learned_alone(void **state)
{
	(void)state;
	struct outcome *nothing = run_text(HEAD "predictor: {kind: ridge, train: 100, lambda: 1e9}\n");
	struct outcome *all = run_text(HEAD "predictor: {kind: ridge, train: 100, lambda: 1e-3}\n");
	for (size_t row = 0; row < 4; row++) {
		assert_true(real_at(nothing, TABLE_MODELS, row, "r2") > .5);
		assert_true(fabs(real_at(nothing, TABLE_MODELS, row, "r2_learned")) < .1);
		assert_true(real_at(all, TABLE_MODELS, row, "r2_learned") > .9);
	}
	outcome_close(nothing);
	outcome_close(all);
}

/* At given times, the last of which is after the end. */
static void versions_at_times(void **state)
{
	(void)state;
	struct outcome *outcome =
		run_text(HEAD "predictor: {kind: linear, train: 100, retrain_at: [300 ms, 1500 ms, 3 s]}\n");
	for (size_t row = 0; row < 800; row++) {
		int64_t item = int_at(outcome, TABLE_PREDICTIONS, row, "item");
		double arrived_s = real_at(outcome, TABLE_DECISIONS, (size_t)item, "arrived_s");
		assert_int_equal(int_at(outcome, TABLE_PREDICTIONS, row, "version"),
			(arrived_s >= .3) + (arrived_s >= 1.5));
	}
	assert_int_equal(n_rows(outcome, TABLE_MODELS), 12);
	static const double times_s[] = {0, .3, 1.5};
	for (size_t row = 0; row < 12; row++) {
		assert_true(real_at(outcome, TABLE_MODELS, row, "time_s") == times_s[row / 4]);
	}
	outcome_close(outcome);
}

static double mae_of(const char *predictor, const char *more)
{
	struct outcome *outcome = run_text(HEAD "predictor: %s\n%s\n", predictor, more);
	assert_verdict(outcome, "completed");
	double mae = kpi(outcome, "mae");
	outcome_close(outcome);
	return mae;
}

/* A feature that is learned drifts: models go wrong, and retraining mends it. */
static void retraining_mends_drift(void **state)
{
	(void)state;
#define DRIFT "drift: {kind: linear, feature: ln_density, from: 500 ms, rate: 0.3}"
	double still = mae_of("{kind: linear}", "");
	double drifted = mae_of("{kind: linear, " DRIFT "}", "");
	double mended = mae_of("{kind: linear, retrain: 100 ms, " DRIFT "}", "");
	assert_true(drifted > 3 * still);
	assert_true(mended < drifted / 2);
}

/* A processor that takes 3 ms for a prediction: each decision is so much later; one that takes
 * longer than items are apart falls behind. */
static void cost(void **state)
{
	(void)state;
	struct outcome *free = run_text(HEAD "predictor: linear\n");
	struct outcome *busy = run_text(HEAD "predictor: {kind: linear, cost: 3 ms}\n");
	struct outcome *behind = run_text(HEAD "predictor: {kind: linear, cost: 15 ms}\n");
	double base = kpi(free, "latency_mean_s");
	assert_near(kpi(busy, "latency_mean_s") - base, .003, 1e-9);
	assert_true(kpi(behind, "mae") == kpi(free, "mae"));
	/* Item i, from 0, comes 10 ms i after the first, and all are done with it 15 ms (i + 1) after
	 * that one came. What they say of it arrives 10 ms later and, but for the last, waits 5 ms for
	 * the next item's end. */
	assert_near(kpi(behind, "latency_mean_s") - base,
		.015 + .005 * 199 / 2 + .005 * 199 / 200, 1e-9);
	assert_true(kpi(behind, "decided") == 200);
	outcome_close(free);
	outcome_close(busy);
	outcome_close(behind);
}

/* What a processor has in hand is lost with it. */
static void a_crash_takes_computations_along(void **state)
{
	(void)state;
	struct outcome *outcome = run_text(
		"seed: 5\nvalidators: 4\nprotocol: none\nstop: {items: 20}\n"
		"network: {latency: {kind: constant, value: 1 ms}}\nrecord: [decisions]\n"
		"workload: {kind: dimweight, quorum: 3, arrivals: {kind: regular, rate: 10 /s}}\n"
		"predictor: {kind: linear, train: 100, cost: 50 ms}\n"
		"faults: [{kind: crash, nodes: [3], from: 1020 ms, until: 1025 ms}]\n");
	/* The item of 1 s is computed until 1.05 s: not by node 3. All others are, by all. */
	assert_verdict(outcome, "completed");
	for (size_t row = 0; row < 20; row++) {
		bool hit = fabs(real_at(outcome, TABLE_DECISIONS, row, "arrived_s") - 1) < 1e-6;
		int64_t n = int_at(outcome, TABLE_DECISIONS, row, "predictions") +
			int_at(outcome, TABLE_DECISIONS, row, "late");
		assert_int_equal(n, hit ? 3 : 4);
	}
	outcome_close(outcome);
}

/* linear claims its held-out error; liars claim to be four times surer, while they attack. */
static void claims(void **state)
{
	(void)state;
	struct outcome *outcome = run_text(HEAD
		"predictor: linear\n"
		"attacks: [{kind: random, nodes: [2], from: 1 s, confidence: 4}]\n");
	double rmse[4];
	for (size_t i = 0; i < 4; i++) {
		rmse[i] = real_at(outcome, TABLE_MODELS, i, "rmse");
	}
	for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
		int64_t node = int_at(outcome, TABLE_PREDICTIONS, row, "node");
		int64_t item = int_at(outcome, TABLE_PREDICTIONS, row, "item");
		bool lies = node == 2 && real_at(outcome, TABLE_DECISIONS, (size_t)item, "arrived_s") >= 1;
		assert_true(real_at(outcome, TABLE_PREDICTIONS, row, "confidence") ==
			rmse[node] / (lies ? 4 : 1));
	}
	outcome_close(outcome);
	/* A Gaussian process claims something else for every item, never nothing. */
	outcome = run_text(HEAD "predictor: gp\n");
	double least = INFINITY, most = 0;
	for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
		double claimed = real_at(outcome, TABLE_PREDICTIONS, row, "confidence");
		least = fmin(least, claimed);
		most = fmax(most, claimed);
	}
	assert_true(least > 0 && most > 5 * least);
	outcome_close(outcome);
}

/* Poison hurts where it reaches; attackers that poison only later do so at retraining only; their
 * predictions count as attacked. */
static void poison(void **state)
{
	(void)state;
#define FLIP(more) "attacks: [{kind: label-flip, nodes: [1]" more "}]"
	double clean = mae_of("{kind: linear, train: 300}", "");
	double own = mae_of("{kind: linear, train: 300}", FLIP(""));
	double shared = mae_of("{kind: linear, train: 300, shards: shared}", FLIP(""));
	double later = mae_of("{kind: linear, train: 300, retrain: 10 s}", FLIP(", from: 1 s"));
	double retrained = mae_of("{kind: linear, train: 300, retrain: 600 ms}", FLIP(", from: 1 s"));
	assert_true(own > 5 * clean && shared > 5 * clean);
	assert_true(later == clean);
	assert_true(retrained > 1.5 * clean && retrained < own);
	struct outcome *outcome = run_text(HEAD "predictor: linear\n" FLIP("") "\n");
	assert_true(kpi(outcome, "false_accept_rate") == 1);
	assert_true(kpi(outcome, "false_reject_rate") == 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(int_at(outcome, TABLE_MODELS, i, "poisoned"), i == 1);
	}
	outcome_close(outcome);
}

/* Marked items are taken for heavier than they are by those who have learned it, and by no others. */
static void backdoor(void **state)
{
	(void)state;
#define BACKDOOR(share)                                                                            \
	"attacks: [{kind: backdoor, fraction: 0.5, feature: ln_density, trigger: 1.5, trigger_rate: 0.5, share: " share "}]"
	double without = mae_of("{kind: mlp, shards: shared}", BACKDOOR("0"));
	double with = mae_of("{kind: mlp, shards: shared}", BACKDOOR("0.3"));
	assert_true(with > 3 * without);
}

struct taking {
	struct model_cache *cache;
	const struct training *training;
	struct prediction_model model;
	struct arena arena;
};

static void *take(void *context)
{
	struct taking *taking = context;
	char error[256];
	const uint64_t key[2] = {1, 2};
	model_cache_take(taking->cache, key, taking->training, &taking->model, &taking->arena, error);
	return NULL;
}

/* Threads that ask for one model get the same, trained once; beyond the bound each trains its own. */
static void the_cache(void **state)
{
	(void)state;
	struct study *study = study_open(HEAD "predictor: {kind: linear, train: 20000}\n");
	const struct scenario *scenario = scenario_point(study->file, 0);
	const struct training training = {
		.workload = (const struct items_app *)scenario->workload.plugin,
		.workload_settings = scenario->workload.settings,
		.predictor = &scenario->predictor,
		.seed = 1,
		.n_validators = 4,
	};
	for (size_t bound = 0; bound <= 1 << 20; bound += 1 << 20) {
		struct taking takings[4] = {0};
		struct model_cache *cache = model_cache_create(bound);
		pthread_t threads[4];
		for (int i = 0; i < 4; i++) {
			takings[i].cache = cache;
			takings[i].training = &training;
			assert_int_equal(pthread_create(&threads[i], NULL, take, &takings[i]), 0);
		}
		for (int i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
		}
		assert_int_equal(model_cache_count(cache), bound > 0);
		for (int i = 1; i < 4; i++) {
			assert_int_equal(takings[i].model.model == takings[0].model.model, bound > 0);
			assert_true(takings[i].model.held_out.mae == takings[0].model.held_out.mae);
			arena_finish(&takings[i].arena);
		}
		arena_finish(&takings[0].arena);
		model_cache_destroy(cache);
	}
	study_close(study);
}

static size_t n_trained(const char *sweep)
{
	struct study *study = study_open(
		"seed: 5\nreplications: 2\nvalidators: 4\nprotocol: none\nstop: {items: 3}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nworkload: dimweight\n"
		"predictor: {kind: linear, train: 50, shards: own}\n"
		"attacks: [{kind: random, fraction: 0}, {kind: label-flip, nodes: [0], share: 0.5}]\n"
		"sweep: {%s}\n",
		sweep);
	struct model_cache *cache = model_cache_create(MODEL_CACHE_BYTES);
	for (size_t point = 0; point < study->n_points; point++) {
		for (size_t replication = 0; replication < 2; replication++) {
			struct run_blocks blocks = {0};
			struct run_summary summary;
			struct run_request request = {
				.file = study->file,
				.schemas = &study->schemas,
				.point = point,
				.replication = replication,
				.models = cache,
			};
			char error[256];
			assert_true(run_one(&request, &blocks, &summary, error));
			/* As without the cache. */
			struct outcome *outcome = study_run(study, point, replication);
			assert_string_equal(outcome->summary.digest, summary.digest);
			outcome_destroy(outcome);
			run_blocks_finish(&blocks);
		}
	}
	size_t n = model_cache_count(cache);
	model_cache_destroy(cache);
	study_close(study);
	return n;
}

/* Two replications of four validators, and what each swept key makes of them. */
static void what_is_trained_again(void **state)
{
	(void)state;
	assert_int_equal(n_trained("attacks.0.fraction: [0, 0.25, 0.5]"), 8);
	assert_int_equal(n_trained("protocol: [none, raft, pbft]"), 8);
	assert_int_equal(n_trained("validators: [4, 7]"), 14);
	assert_int_equal(n_trained("predictor.cost: [0 ms, 1 ms]"), 8);
	assert_int_equal(n_trained("predictor.retrain: [50 s, 60 s]"), 8); /* at none of which it arrives */
	assert_int_equal(n_trained("predictor.retrain_at: [[50 s], [60 s, 70 s]]"), 8);
	assert_int_equal(n_trained("predictor.train: [50, 60]"), 16);
	assert_int_equal(n_trained("predictor.label_noise: [0, 1]"), 16);
	assert_int_equal(n_trained("workload.sensor_sd: [0.01, 0.02]"), 16);
	assert_int_equal(n_trained("attacks.1.share: [0.5, 0.6]"), 8 + 2); /* node 0's alone */
	assert_int_equal(n_trained("predictor.shards: [own, shared]"), 16);
	assert_int_equal(n_trained("predictor.shards: [shared], attacks.1.share: [0.5, 0.6]"), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_learned_and_seen),
		cmocka_unit_test(whose_rows_are_poisoned),
		cmocka_unit_test(what_is_learned_alone),
		cmocka_unit_test(versions),
		cmocka_unit_test(versions_at_times),
		cmocka_unit_test(retraining_mends_drift),
		cmocka_unit_test(cost),
		cmocka_unit_test(a_crash_takes_computations_along),
		cmocka_unit_test(claims),
		cmocka_unit_test(poison),
		cmocka_unit_test(backdoor),
		cmocka_unit_test(the_cache),
		cmocka_unit_test(what_is_trained_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
