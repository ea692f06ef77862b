/* What the validators of a run predict with: trained before it, and anew at each `retrain`. */
#include "lab/models.h"
#include "models.h"
#include "lab.h"
#include "measure/measure.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

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

static void add_bytes(XXH3_state_t *state, const void *bytes, size_t n)
{
	uint64_t length = n; /* so that no two sequences run together */
	XXH3_128bits_update(state, &length, sizeof(length));
	XXH3_128bits_update(state, bytes, n);
}

static void add_text(XXH3_state_t *state, const char *text)
{
	add_bytes(state, text == NULL ? "" : text, text == NULL ? 0 : strlen(text) + 1);
}

static void add_table(XXH3_state_t *state, const struct csv_table *table)
{
	if (table == NULL) {
		add_text(state, NULL);
		return;
	}
	for (size_t i = 0; i < table->n_columns; i++) {
		add_text(state, table->column_names == NULL ? NULL : table->column_names[i]);
	}
	add_bytes(state, table->cells, table->n_rows * table->n_columns * sizeof(*table->cells));
}

static void add_nodes(XXH3_state_t *state, const struct node_list *list)
{
	add_bytes(state, list->nodes, list->n * sizeof(*list->nodes));
}

static void add_plugin(
	XXH3_state_t *state, const struct plugin_value *value, bool (*counts)(const struct param *));

/* By what the value says, never where it lies. */
static void add_value(XXH3_state_t *state, const struct param *param, const void *at)
{
	switch (param->kind) {
	case PARAM_INT:
	case PARAM_DURATION:
	case PARAM_BYTES:
		add_bytes(state, at, sizeof(int64_t));
		break;
	case PARAM_REAL:
	case PARAM_RATE:
	case PARAM_BANDWIDTH:
		add_bytes(state, at, sizeof(double));
		break;
	case PARAM_DURATION_RANGE:
		add_bytes(state, at, 2 * sizeof(sim_time));
		break;
	case PARAM_DURATIONS: {
		const struct time_list *list = at;
		add_bytes(state, list->times, list->n * sizeof(*list->times));
		break;
	}
	case PARAM_BOOL:
		add_bytes(state, at, sizeof(bool));
		break;
	case PARAM_CHOICE:
		add_bytes(state, at, sizeof(int));
		break;
	case PARAM_STRING:
	case PARAM_PATH:
		add_text(state, *(const char *const *)at);
		break;
	case PARAM_NODES:
		add_nodes(state, at);
		break;
	case PARAM_NAMES: {
		const struct name_list *list = at;
		for (size_t i = 0; i < list->n; i++) {
			add_text(state, list->names[i]);
		}
		break;
	}
	case PARAM_GROUPS: {
		const struct node_groups *groups = at;
		for (size_t i = 0; i < groups->n; i++) {
			add_nodes(state, &groups->groups[i]);
		}
		break;
	}
	case PARAM_TABLE:
	case PARAM_MATRIX:
		add_table(state, *(const struct csv_table *const *)at);
		break;
	case PARAM_PLUGIN:
		add_plugin(state, at, NULL);
		break;
	case PARAM_PLUGINS: {
		const struct plugin_list *list = at;
		for (size_t i = 0; i < list->n; i++) {
			add_plugin(state, &list->values[i], NULL);
		}
		break;
	}
	}
}

static void add_plugin(
	XXH3_state_t *state, const struct plugin_value *value, bool (*counts)(const struct param *))
{
	add_text(state, value->plugin == NULL ? NULL : value->plugin->name);
	const struct param *param = value->plugin == NULL ? NULL : value->plugin->params;
	for (; param != NULL && param->name != NULL; param++) {
		if (counts == NULL || counts(param)) {
			add_text(state, param->name);
			add_value(state, param, (const char *)value->settings + param->offset);
		}
	}
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

/* Who attacks, and when, is asked of the training at hand. */
static bool attack_counts(const struct param *param)
{
	return param->offset >= sizeof(struct attack_common);
}

/* One training for all validators: who poisons it. */
struct session {
	const struct lab *lab;
	sim_time at_ns;
	uint32_t version;
	bool **poisoning; /* by attack, by validator; NULL: that attack poisons nothing */
};

static const struct attack *attack_at(const struct lab *lab, size_t a)
{
	return (const struct attack *)lab->scenario->attacks.values[a].plugin;
}

static bool poison(const void *context, uint32_t contributor, struct training_rows *rows)
{
	const struct session *session = context;
	const struct lab *lab = session->lab;
	bool changed = false;
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		if (session->poisoning[a] == NULL || !session->poisoning[a][contributor]) {
			continue;
		}
		struct random_stream stream = random_stream_make(lab->seed, RANDOM_POISON,
			((uint64_t)a << 56) + ((uint64_t)session->version << 32) + contributor);
		const struct poison_view view = {
			.workload = lab->workload,
			.workload_settings = lab->scenario->workload.settings,
			.rows = rows,
			.stream = &stream,
		};
		changed |= attack_at(lab, a)->poison(lab->scenario->attacks.values[a].settings, &view);
	}
	return changed;
}

static void session_begin(struct session *session, struct arena *arena)
{
	const struct lab *lab = session->lab;
	uint32_t n = lab->world.n_validators;
	session->poisoning = arena_array(arena, bool *, lab->scenario->attacks.n + 1);
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		if (attack_at(lab, a)->poison != NULL) {
			session->poisoning[a] = arena_array(arena, bool, n);
			attack_nodes_at(lab->scenario->attacks.values[a].settings, lab->seed, n, session->at_ns,
				session->poisoning[a]);
		}
	}
}

/* What the model of one validator depends on: others only where they bring rows to a common pool. */
static void key_of(const struct session *session, uint32_t node, uint64_t key[2])
{
	const struct lab *lab = session->lab;
	const struct predictor_common *common = lab->scenario->predictor.settings;
	const struct sharding *sharding = (const void *)common->shards.plugin; /* its first member */
	bool pooled = sharding != NULL && sharding->shards != SHARDS_OWN;
	uint32_t n = lab->world.n_validators;
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	const uint64_t numbers[] = {lab->models->training_digest[0], lab->models->training_digest[1], lab->seed, node,
		pooled ? n : 0, session->version, (uint64_t)session->at_ns};
	add_bytes(&state, numbers, sizeof(numbers));
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const bool *poisoning = session->poisoning[a];
		bool any = false;
		for (uint32_t i = 0; poisoning != NULL && i < n; i++) {
			any = any || (poisoning[i] && (pooled || i == node));
		}
		if (any) {
			add_bytes(&state, &a, sizeof(a)); /* its streams are numbered by its place */
			add_plugin(&state, &lab->scenario->attacks.values[a], attack_counts);
			add_bytes(&state, pooled ? poisoning : poisoning + node, pooled ? n : 1);
		}
	}
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	key[0] = hash.low64;
	key[1] = hash.high64;
}

static void tell(const struct lab *lab, uint32_t node, const struct prediction_model *model)
{
	const struct model_error *held_out = &model->held_out;
	fprintf(stderr,
		"run %llu: validator %u: predictor %s: on held-out data mean absolute error %.4g %s, "
		"root mean squared %.4g, R2 %.5f, bias %+.3g, %.2f %% within the tolerance",
		(unsigned long long)lab->run, node, lab->scenario->predictor.plugin->name, held_out->mae,
		lab->workload->value_unit, held_out->rmse, held_out->r2, held_out->bias,
		100 * held_out->within_tolerance);
	if (model->version > 0) {
		fprintf(stderr, "; version %u", model->version);
	}
	fprintf(stderr, "; root mean squared error with a feature shuffled");
	for (uint32_t j = 0; j < lab->workload->n_features; j++) {
		fprintf(stderr, "%s %s %+.3g", j == 0 ? ":" : ",", lab->workload->feature_names[j],
			model->importance[j]);
	}
	fprintf(stderr, "; gradient %s\n", prediction_has_gradient(model) ? "analytic" : "by differences");
}

static void record(
	struct lab *lab, uint32_t node, const struct prediction_model *model, sim_time at_ns)
{
	const struct model_error *held_out = &model->held_out;
	union cell cells[] = {
		{.integer = (int64_t)lab->run},
		{.integer = node},
		{.integer = model->version},
		{.real = sim_time_to_s(at_ns)},
		{.string = lab->scenario->predictor.plugin->name},
		{.real = held_out->mae},
		{.real = held_out->rmse},
		{.real = held_out->r2},
		{.real = held_out->bias},
		{.real = held_out->within_tolerance},
		{.integer = model->poisoned},
		{.real = held_out->r2_learned},
	};
	measure_row(lab, TABLE_MODELS, cells);
	for (uint32_t j = 0; j < lab->workload->n_features; j++) {
		union cell row[] = {
			{.integer = (int64_t)lab->run},
			{.integer = node},
			{.integer = model->version},
			{.string = lab->workload->feature_names[j]},
			{.real = model->importance[j]},
		};
		measure_row(lab, TABLE_IMPORTANCE, row);
	}
}

/* Each row that a model learns from. */
static void record_sample(
	const void *context, const struct training *training, const struct dataset *sample)
{
	const struct session *session = context;
	const struct lab *lab = session->lab;
	for (size_t i = 0; i < sample->n; i++) {
		union cell cells[7 + FEATURES_MAX] = {
			{.integer = (int64_t)lab->run},
			{.integer = training->node},
			{.integer = training->version},
			{.integer = sample->contributor[i]},
			{.integer = sample->poisoned[i]},
			{.real = sample->truth[i]},
			{.real = sample->target[i]},
		};
		for (uint32_t j = 0; j < sample->n_features; j++) {
			cells[7 + j].real = sample->x[i * sample->n_features + j];
		}
		measure_row(lab, TABLE_TRAINING, cells);
	}
}

/* All validators learn version `version`, from data as it is at `at_ns`. */
static bool learn(struct lab *lab, uint32_t version, sim_time at_ns, char error[256])
{
	const struct scenario *scenario = lab->scenario;
	bool recorded = (scenario->record & RECORD_MODELS) != 0;
	bool watched = (scenario->record & RECORD_TRAINING) != 0;
	struct arena scratch = {0};
	struct session session = {.lab = lab, .at_ns = at_ns, .version = version};
	session_begin(&session, &scratch);
	bool learned = true;
	for (uint32_t i = 0; i < lab->world.n_validators && learned; i++) {
		const struct training training = {
			.workload = lab->workload,
			.workload_settings = scenario->workload.settings,
			.predictor = &scenario->predictor,
			.seed = lab->seed,
			.node = i,
			.n_validators = lab->world.n_validators,
			.version = version,
			.at_ns = at_ns,
			.importance = recorded || lab->verbose,
			.poison = poison,
			.watch = watched ? record_sample : NULL,
			.context = &session,
		};
		uint64_t key[2];
		key_of(&session, i, key);
		struct prediction_model *model = &lab->models->by_validator[i];
		learned = model_cache_take(
			watched ? NULL : lab->models->cache, key, &training, model, &lab->world.arena, error);
		if (learned && lab->verbose) {
			tell(lab, i, model);
		}
		if (learned && recorded) {
			record(lab, i, model, at_ns);
		}
	}
	arena_finish(&scratch);
	lab->models->version = version;
	return learned;
}

bool models_start(struct lab *lab, struct model_cache *cache, char error[256])
{
	const struct scenario *scenario = lab->scenario;
	uint32_t n = lab->world.n_validators;
	lab->models = arena_new(&lab->world.arena, struct models);
	lab->models->cache = cache;
	lab->models->by_validator = arena_array(&lab->world.arena, struct prediction_model, n);
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	add_plugin(&state, &scenario->workload, workload_counts);
	add_plugin(&state, &scenario->predictor, predictor_counts);
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	lab->models->training_digest[0] = hash.low64;
	lab->models->training_digest[1] = hash.high64;
	return learn(lab, 0, 0, error);
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

bool models_refresh(struct lab *lab)
{
	sim_time made_at = 0;
	sim_time version =
		version_now(lab->scenario->predictor.settings, lab->world.now, &made_at);
	/* Versions that nothing arrived for are never asked: nobody trains them. */
	if (version <= lab->models->version || version > UINT16_MAX) {
		return true;
	}
	if (!learn(lab, (uint32_t)version, made_at, lab->models->error)) {
		lab_end(lab, "limit", "a model can't be trained");
		return false;
	}
	return true;
}

sim_time models_cost_ns(const struct scenario *scenario)
{
	const struct predictor_common *common = scenario->predictor.settings;
	return common == NULL ? 0 : common->cost_ns;
}
