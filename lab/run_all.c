#include "lab/crash.h"
#include "workloads/models.h"
#include "lab/run_all.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sweep {
	const struct run_all_request *request;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	uint64_t n_runs, n_replications;
	uint64_t next, n_done, n_resumed, events;
	unsigned n_working;
	uint64_t memory; /* for all together */
	struct model_cache *models;
	bool stop;
	bool failed;
	char error[512];
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next run that is not in the journal yet; n_runs when there is none. Called with the lock held. */
static uint64_t take(struct sweep *sweep)
{
	const struct journal *journal = sweep->request->journal;
	while (sweep->next < sweep->n_runs && journal != NULL && journal_holds(journal, sweep->next)) {
		sweep->next++;
	}
	return sweep->next < sweep->n_runs && !sweep->stop ? sweep->next++ : sweep->n_runs;
}

static void fail(struct sweep *sweep, const char *why)
{
	if (!sweep->failed) {
		snprintf(sweep->error, sizeof(sweep->error), "%s", why);
	}
	sweep->failed = true;
	sweep->stop = true;
}

static struct run_request request_of(const struct sweep *sweep, uint64_t run)
{
	const struct run_all_request *request = sweep->request;
	return (struct run_request){
		.file = request->file,
		.schemas = request->schemas,
		.point = run / sweep->n_replications,
		.replication = run % sweep->n_replications,
		.verbose = request->verbose,
		.memory = {sweep->memory, request->n_threads},
		.models = sweep->models,
	};
}

/* Keeps the rows of a run and tells of it. Called with the lock held. */
static void keep(struct sweep *sweep, uint64_t run, const struct run_blocks *blocks,
	const struct run_summary *summary)
{
	const struct run_all_request *request = sweep->request;
	struct results_error error = {0};
	if (request->journal != NULL && !journal_append(request->journal, run, blocks, &error)) {
		fail(sweep, error.text);
		return;
	}
	sweep->n_done++;
	sweep->events += summary->events;
	request->finished(request->context, summary);
}

static void one(struct sweep *sweep, uint64_t run)
{
	struct run_request request = request_of(sweep, run);
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char why[256];
	crash_enter(run);
	bool ran = run_one(&request, &blocks, &summary, why);
	crash_leave();
	if (!ran) {
		run_blocks_finish(&blocks);
		run_failed(&request, why, &blocks, &summary);
	}
	pthread_mutex_lock(&sweep->lock);
	if (!sweep->stop) {
		keep(sweep, run, &blocks, &summary);
	}
	pthread_mutex_unlock(&sweep->lock);
	run_blocks_finish(&blocks);
}

/* The run that an earlier process died of. */
static void bury(struct sweep *sweep)
{
	const struct run_all_dead *dead = sweep->request->dead;
	const struct journal *journal = sweep->request->journal;
	if (dead == NULL || dead->run >= sweep->n_runs ||
		(journal != NULL && journal_holds(journal, dead->run))) {
		return;
	}
	struct run_request request = request_of(sweep, dead->run);
	struct run_blocks blocks = {0};
	struct run_summary summary;
	run_failed(&request, dead->reason, &blocks, &summary);
	keep(sweep, dead->run, &blocks, &summary);
	run_blocks_finish(&blocks);
}

static void *work(void *context)
{
	struct sweep *sweep = context;
	struct crash_stack stack;
	crash_stack_init(&stack);
	for (;;) {
		pthread_mutex_lock(&sweep->lock);
		uint64_t run = take(sweep);
		if (run == sweep->n_runs) {
			sweep->n_working--;
			pthread_cond_signal(&sweep->wake);
			pthread_mutex_unlock(&sweep->lock);
			crash_stack_finish(&stack);
			return NULL;
		}
		pthread_mutex_unlock(&sweep->lock);
		one(sweep, run);
	}
}

/* Waits for the threads; tells of the progress and looks for an interruption meanwhile. The lock is held
 * at entry and exit. */
static bool watch(struct sweep *sweep, double started_s)
{
	const struct run_all_request *request = sweep->request;
	while (sweep->n_working > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 200000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&sweep->wake, &sweep->lock, &until);
		struct run_all_progress progress = {sweep->n_runs, sweep->n_done, sweep->n_resumed,
			sweep->events, now_s() - started_s};
		request->progress(request->context, &progress);
		if (request->interrupted(request->context)) {
			sweep->stop = true;
			return false;
		}
	}
	return true;
}

enum run_all_outcome run_all(const struct run_all_request *request, char error[512])
{
	/* Not on the stack: after an interruption threads may still look at it. */
	struct sweep *sweep = calloc(1, sizeof(*sweep));
	pthread_t *threads = calloc(request->n_threads, sizeof(*threads));
	if (sweep == NULL || threads == NULL) {
		free(sweep);
		free(threads);
		snprintf(error, 512, "out of memory");
		return RUN_ALL_FAILED;
	}
	sweep->request = request;
	sweep->n_replications = (uint64_t)scenario_point(request->file, 0)->replications;
	sweep->n_runs = scenario_n_points(request->file) * sweep->n_replications;
	sweep->n_resumed = request->journal == NULL ? 0 : journal_count(request->journal);
	sweep->n_done = sweep->n_resumed;
	pthread_mutex_init(&sweep->lock, NULL);
	pthread_cond_init(&sweep->wake, NULL);
	sweep->models = model_cache_create(MODEL_CACHE_BYTES);
	sweep->memory = memory_of_machine();
	double started_s = now_s();
	pthread_mutex_lock(&sweep->lock);
	bury(sweep);
	for (unsigned i = 0; i < request->n_threads; i++) {
		if (pthread_create(&threads[i], NULL, work, sweep) != 0) {
			break;
		}
		sweep->n_working++;
	}
	unsigned n_started = sweep->n_working;
	if (n_started == 0) {
		fail(sweep, "no thread could be started");
	}
	if (!watch(sweep, started_s)) {
		pthread_mutex_unlock(&sweep->lock);
		return RUN_ALL_INTERRUPTED; /* the rest of the memory goes with the program */
	}
	pthread_mutex_unlock(&sweep->lock);
	for (unsigned i = 0; i < n_started; i++) {
		pthread_join(threads[i], NULL);
	}
	struct run_all_progress progress = {
		sweep->n_runs, sweep->n_done, sweep->n_resumed, sweep->events, now_s() - started_s};
	request->progress(request->context, &progress);
	bool failed = sweep->failed;
	snprintf(error, 512, "%s", sweep->error);
	model_cache_destroy(sweep->models);
	pthread_mutex_destroy(&sweep->lock);
	pthread_cond_destroy(&sweep->wake);
	free(threads);
	free(sweep);
	return failed ? RUN_ALL_FAILED : RUN_ALL_DONE;
}
