/* A run's result depends on its scenario, point and replication alone: not on when, where or beside what it
 * is run. */
#include "study.h"

#include "lab/run_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 24

static const char scenario[] =
	"seed: 77\n"
	"replications: 2\n"
	"stop: {items: 60}\n"
	"validators: 4\n"
	"protocol: none\n"
	"network: {latency: {kind: lognormal, median: 10 ms, sigma: 0.4}, loss: 0.002}\n"
	"node: {receive: 3 us, sign: 10 us}\n"
	"workload: {kind: dimweight, arrivals: {kind: poisson, rate: 40 /s}, client_timeout: 500 ms}\n"
	"predictor: {kind: linear, train: 60}\n"
	"scorer: {kind: mad, threshold: 0.3}\n"
	"attacks: [{kind: random, fraction: 0.25}]\n"
	"faults: [{kind: crash, nodes: [0], from: 500 ms, until: 1 s}]\n"
	"record: [decisions, predictions, transactions, validators, series]\n"
	"sweep: {validators: [4, 7], protocol: [none, raft, pbft], network.loss: [0, 0.02]}\n";

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_string_equal(a->summary.digest, b->summary.digest);
	assert_string_equal(a->summary.verdict, b->summary.verdict);
	assert_string_equal(a->summary.verdict_reason, b->summary.verdict_reason);
	assert_memory_equal(a->summary.kpis, b->summary.kpis, sizeof(a->summary.kpis));
	for (int t = 0; t < TABLES_MAX; t++) {
		const struct block *x = &a->blocks.tables[t];
		const struct block *y = &b->blocks.tables[t];
		assert_int_equal(x->n_rows, y->n_rows);
		assert_int_equal(x->n_cells, y->n_cells);
		assert_int_equal(x->text_bytes, y->text_bytes);
		if (x->n_cells > 0) {
			assert_memory_equal(x->cells, y->cells, x->n_cells * sizeof(*x->cells));
		}
		if (x->text_bytes > 0) {
			assert_memory_equal(x->text, y->text, x->text_bytes);
		}
	}
}

static struct outcome *run_number(const struct study *study, size_t run)
{
	return study_run(study, run / study->n_replications, run % study->n_replications);
}

/* Once in order, once in reverse, in another reading of the same text. */
static void in_any_order(void **state)
{
	struct study *study = study_open("%s", scenario);
	struct study *again = study_open("%s", scenario);
	assert_int_equal(study->n_points * study->n_replications, RUNS);
	struct outcome *forth[RUNS];
	struct outcome *back[RUNS];
	for (size_t i = 0; i < RUNS; i++) {
		forth[i] = run_number(study, i);
	}
	for (size_t i = RUNS; i-- > 0;) {
		back[i] = run_number(again, i);
	}
	for (size_t i = 0; i < RUNS; i++) {
		assert_same(forth[i], back[i]);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(forth[i]->summary.digest, forth[k]->summary.digest);
		}
	}
	for (size_t i = 0; i < RUNS; i++) {
		outcome_destroy(forth[i]);
		outcome_destroy(back[i]);
	}
	study_close(study);
	study_close(again);
}

struct worker {
	const struct study *study;
	struct outcome *outcomes[RUNS];
	bool reverse;
};

static void *work(void *context)
{
	struct worker *worker = context;
	for (size_t i = 0; i < RUNS; i++) {
		size_t run = worker->reverse ? RUNS - 1 - i : i;
		worker->outcomes[run] = run_number(worker->study, run);
	}
	return NULL;
}

static void two_threads(void **state)
{
	struct study *study = study_open("%s", scenario);
	struct worker workers[2] = {{.study = study}, {.study = study, .reverse = true}};
	pthread_t threads[2];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (size_t i = 0; i < RUNS; i++) {
		struct outcome *alone = run_number(study, i);
		for (int k = 0; k < 2; k++) {
			assert_same(workers[k].outcomes[i], alone);
			outcome_destroy(workers[k].outcomes[i]);
		}
		outcome_destroy(alone);
	}
	study_close(study);
}

/* What the sweep's callbacks see. */
struct seen {
	char digests[RUNS][33];
	unsigned times[RUNS];
	uint64_t n_done;
	bool interrupt;
};

static void finished(void *context, const struct run_summary *summary)
{
	struct seen *seen = context;
	assert_true(summary->run < RUNS);
	seen->times[summary->run]++;
	memcpy(seen->digests[summary->run], summary->digest, sizeof(summary->digest));
}

static void progress(void *context, const struct run_all_progress *at)
{
	struct seen *seen = context;
	assert_true(at->n_done >= seen->n_done && at->n_done <= at->n_runs);
	seen->n_done = at->n_done;
}

static bool interrupted(void *context)
{
	return ((struct seen *)context)->interrupt;
}

static void sweeps(void **state)
{
	struct study *study = study_open("%s", scenario);
	static struct seen seen[3];
	for (unsigned i = 0; i < 3; i++) {
		struct run_all_request request = {
			.file = study->file,
			.schemas = &study->schemas,
			.n_threads = i + 1,
			.finished = finished,
			.progress = progress,
			.interrupted = interrupted,
			.context = &seen[i],
		};
		char error[512];
		assert_int_equal(run_all(&request, error), RUN_ALL_DONE);
		assert_int_equal(seen[i].n_done, RUNS);
		for (size_t run = 0; run < RUNS; run++) {
			assert_int_equal(seen[i].times[run], 1);
			assert_string_equal(seen[i].digests[run], seen[0].digests[run]);
		}
	}
	study_close(study);
}

/* Points share their random numbers: what is drawn for a purpose does not shift when something else about
 * the scenario changes. Here only costs that come to nothing differ, and the way messages are delivered. */
static void common_random_numbers(void **state)
{
	struct study *study =
		study_open("seed: 3\n"
				   "stop: {items: 40}\n"
				   "validators: 4\n"
				   "protocol: pbft\n"
				   "network: {latency: {kind: exponential, mean: 20 ms}}\n"
				   "workload: {kind: requests, arrivals: {kind: poisson, rate: 20 /s}}\n"
				   "record: [decisions]\n"
				   "sweep: {network.bandwidth: [unlimited, 1000000 Gbit/s]}\n");
	struct outcome *plain = study_run(study, 0, 0);
	struct outcome *queued = study_run(study, 1, 0);
	for (size_t i = 0; i < 40; i++) {
		assert_true(real_at(plain, TABLE_DECISIONS, i, "arrived_s") ==
			real_at(queued, TABLE_DECISIONS, i, "arrived_s"));
		/* a message of some hundred bytes takes well under a nanosecond on such a wire */
		assert_near(real_at(plain, TABLE_DECISIONS, i, "decided_s"),
			real_at(queued, TABLE_DECISIONS, i, "decided_s"), 20e-9);
	}
	outcome_destroy(plain);
	outcome_destroy(queued);
	study_close(study);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_order),
		cmocka_unit_test(two_threads),
		cmocka_unit_test(sweeps),
		cmocka_unit_test(common_random_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
