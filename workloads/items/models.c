/* What the validators of a run predict with: trained before it, and anew at each `retrain`. */
#include "workloads/models.h"

#include "sim/node.h"
#include "workloads/adversary.h"
#include "workloads/plugin_key.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct cached_model {
	struct cached_model *next;
	uint64_t key[2];
	bool ready, failed;
	struct prediction_model model;
	struct arena arena;
	char error[256];
};

struct model_cache {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	size_t bytes, bytes_max, n;
	struct cached_model *buckets[BUCKETS]; /* looked into by key only, never gone through */
};

struct model_cache *model_cache_create(size_t bytes_max)
{
	struct model_cache *cache = calloc(1, sizeof(*cache));
	if (cache == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	cache->bytes_max = bytes_max;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->ready, NULL);
	return cache;
}

void model_cache_destroy(struct model_cache *cache)
{
	if (cache == NULL) {
		return;
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		while (cache->buckets[i] != NULL) {
			struct cached_model *model = cache->buckets[i];
			cache->buckets[i] = model->next;
			arena_finish(&model->arena);
			free(model);
		}
	}
	pthread_cond_destroy(&cache->ready);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

size_t model_cache_count(struct model_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	size_t n = cache->n;
	pthread_mutex_unlock(&cache->lock);
	return n;
}

/* The entry of a key; NULL: none yet. The lock is held. */
static struct cached_model *find(const struct model_cache *cache, const uint64_t key[2])
{
	struct cached_model *model = cache->buckets[key[0] % BUCKETS];
	while (model != NULL && (model->key[0] != key[0] || model->key[1] != key[1])) {
		model = model->next;
	}
	return model;
}

static struct cached_model *add(struct model_cache *cache, const uint64_t key[2])
{
	struct cached_model *model = calloc(1, sizeof(*model));
	if (model == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	model->key[0] = key[0];
	model->key[1] = key[1];
	model->next = cache->buckets[key[0] % BUCKETS];
	cache->buckets[key[0] % BUCKETS] = model;
	cache->n++;
	return model;
}

bool model_cache_take(struct model_cache *cache, const uint64_t key[2],
	const struct training *training, struct prediction_model *out, struct arena *arena,
	char error[256])
{
	if (cache == NULL) {
		return prediction_model_learn(out, training, arena, error);
	}
	pthread_mutex_lock(&cache->lock);
	struct cached_model *model = find(cache, key);
	bool is_new = model == NULL && cache->bytes < cache->bytes_max;
	if (is_new) {
		model = add(cache, key);
	}
	while (model != NULL && !is_new && !model->ready) {
		pthread_cond_wait(&cache->ready, &cache->lock);
	}
	pthread_mutex_unlock(&cache->lock);
	if (model == NULL) {
		return prediction_model_learn(out, training, arena, error);
	}
	if (is_new) {
		bool failed = !prediction_model_learn(&model->model, training, &model->arena, model->error);
		pthread_mutex_lock(&cache->lock);
		model->failed = failed;
		model->ready = true;
		cache->bytes += sizeof(*model) + model->arena.bytes;
		pthread_cond_broadcast(&cache->ready);
		pthread_mutex_unlock(&cache->lock);
	}
	*out = model->model;
	/* Equal in all that matters to a model; but these are this run's own. */
	out->workload_settings = training->workload_settings;
	out->predictor_settings = training->predictor->settings;
	if (model->failed) {
		memcpy(error, model->error, sizeof(model->error));
	}
	return !model->failed;
}

/* Of what workloads have in common only the tolerance says anything of models: by held-out errors. */
static bool workload_counts(const struct param *param)
{
	return param->offset >= sizeof(struct workload_common) ||
		   param->offset == offsetof(struct workload_common, tolerance);
}

/* When a model is used again and what it costs is no part of it. */
static bool predictor_counts(const struct param *param)
{
	return param->offset != offsetof(struct predictor_common, retrain_ns) &&
		   param->offset != offsetof(struct predictor_common, retrain_at) &&
		   param->offset != offsetof(struct predictor_common, cost_ns);
}

/* One training for all validators. */
struct learning {
	const struct models *models;
	const struct poisoning *poisoning; /* NULL: nobody poisons it */
};

static bool poison(const void *context, uint32_t contributor, struct training_rows *rows)
{
	const struct learning *learning = context;
	const struct adversary *adversary = learning->models->settings.adversary;
	return learning->poisoning != NULL && adversary->poison(learning->poisoning, contributor, rows);
}

static void watch(const void *context, const struct training *training, const struct dataset *sample)
{
	const struct models_settings *settings = &((const struct learning *)context)->models->settings;
	settings->watch(settings->context, training, sample);
}

/* What the model of one validator depends on: others only where they bring rows to a common pool. */
static void key_of(const struct models *models, const struct poisoning *poisoning,
	const struct training *training, uint64_t key[2])
{
	const struct predictor_common *common = training->predictor->settings;
	const struct sharding *sharding = (const void *)common->shards.plugin; /* its first member */
	bool pooled = sharding != NULL && sharding->shards != SHARDS_OWN;
	const uint64_t numbers[] = {training->seed, training->node, pooled ? training->n_validators : 0,
		training->version, (uint64_t)training->at_ns};
	memcpy(key, models->training_key, sizeof(models->training_key));
	key_add(key, numbers, sizeof(numbers));
	if (poisoning != NULL) {
		models->settings.adversary->poison_key(poisoning, pooled ? NODE_NONE : training->node, key);
	}
}

/* All validators learn version `version`, from data as it is at `at_ns`. */
static bool learn(struct models *models, uint32_t version, sim_time at_ns, char error[256])
{
	const struct models_settings *settings = &models->settings;
	const struct adversary *adversary = settings->adversary;
	struct arena scratch = {0};
	const struct poisoning *poisoning =
		adversary == NULL ? NULL : adversary->training(adversary, at_ns, version, &scratch);
	bool learned = true;
	for (uint32_t i = 0; i < settings->n_validators && learned; i++) {
		const struct learning learning = {.models = models, .poisoning = poisoning};
		const struct training training = {
			.workload = settings->workload,
			.workload_settings = settings->workload_settings,
			.predictor = settings->predictor,
			.seed = settings->seed,
			.node = i,
			.n_validators = settings->n_validators,
			.version = version,
			.at_ns = at_ns,
			.importance = settings->importance,
			.poison = poison,
			.watch = settings->watch == NULL ? NULL : watch,
			.context = &learning,
		};
		uint64_t key[2];
		key_of(models, poisoning, &training, key);
		struct prediction_model *model = &models->by_validator[i];
		learned = model_cache_take(settings->watch != NULL ? NULL : settings->cache, key, &training, model,
			settings->arena, error);
		if (learned && settings->learned != NULL) {
			settings->learned(settings->context, i, model, at_ns);
		}
	}
	arena_finish(&scratch);
	models->version = version;
	return learned;
}

struct models *models_create(const struct models_settings *settings, char error[256])
{
	struct models *models = arena_new(settings->arena, struct models);
	models->settings = *settings;
	models->by_validator = arena_array(settings->arena, struct prediction_model, settings->n_validators);
	const struct plugin_value workload = {
		&settings->workload->app.plugin, (void *)(uintptr_t)settings->workload_settings};
	key_add_plugin(models->training_key, &workload, workload_counts);
	key_add_plugin(models->training_key, settings->predictor, predictor_counts);
	return learn(models, 0, 0, error) ? models : NULL;
}

/* The version of now, and when it was made. */
static sim_time version_now(const struct predictor_common *common, sim_time now, sim_time *made_at)
{
	sim_time version = 0, every = common->retrain_ns;
	if (every > 0 && every < SIM_NEVER) {
		version = now / every;
		*made_at = version * every;
	}
	while (version < (sim_time)common->retrain_at.n && common->retrain_at.times[version] <= now) {
		*made_at = common->retrain_at.times[version++];
	}
	return version;
}

bool models_refresh(struct models *models, sim_time now, char error[256])
{
	sim_time made_at = 0;
	sim_time version = version_now(models->settings.predictor->settings, now, &made_at);
	/* Versions that nothing arrived for are never asked: nobody trains them. */
	if (version <= models->version || version > UINT16_MAX) {
		return true;
	}
	return learn(models, (uint32_t)version, made_at, error);
}
