/* The rows that validators learn from: whose they are, noise of the labels, drift, poison. */
#include "predictors.h"
#include "workloads/items.h"

#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside a validator's own rows (node + (version << 32)). */
#define ENTITY_POOL (UINT64_C(1) << 56)
#define ENTITY_HELD_OUT (UINT64_C(2) << 56)

/* `skewed`: the ranges of the target, each of as many rows as a validator learns from, so that one
 * alone can fill a sample without repeating a row. */
#define CLUSTERS 10

#define ROWS_MIN (FEATURES_MAX + 1)

static uint64_t entity_of(const struct training *training)
{
	return training->node + ((uint64_t)training->version << 32);
}

static uint64_t pool_entity(const struct training *training)
{
	return ENTITY_POOL + ((uint64_t)training->version << 32);
}

static struct training_rows rows_make(size_t n, uint32_t n_features, struct arena *arena)
{
	return (struct training_rows){
		.n = n,
		.n_features = n_features,
		.x = arena_array(arena, double, n *n_features),
		.target = arena_array(arena, double, n),
		.truth = arena_array(arena, double, n),
		.contributor = arena_array(arena, uint32_t, n),
		.poisoned = arena_array(arena, bool, n),
	};
}

/* Rows `first` to `first + n` of these. */
static struct training_rows rows_part(const struct training_rows *rows, size_t first, size_t n)
{
	assert(first + n <= rows->n);
	return (struct training_rows){n, rows->n_features, rows->x + first * rows->n_features,
		rows->target + first, rows->truth + first, rows->contributor + first,
		rows->poisoned + first};
}

static void row_copy(
	const struct training_rows *to, size_t at, const struct training_rows *from, size_t row)
{
	memcpy(to->x + at * to->n_features, from->x + row * to->n_features,
		to->n_features * sizeof(*to->x));
	to->target[at] = from->target[row];
	to->truth[at] = from->truth[row];
	to->contributor[at] = from->contributor[row];
	to->poisoned[at] = from->poisoned[row];
}

/* Items with what a validator sees of them, at the training's time. */
static void rows_draw(
	const struct training *training, struct random_stream *stream, struct training_rows *rows)
{
	const struct items_app *workload = training->workload;
	const void *settings = training->workload_settings;
	double by[FEATURES_MAX];
	bool drifts = drift_by(training->predictor->settings, workload, training->at_ns, by);
	for (size_t i = 0; i < rows->n; i++) {
		struct item item;
		double *seen = rows->x + i * rows->n_features;
		workload->draw(settings, stream, i, &item);
		workload->observe(settings, stream, &item, seen);
		rows->target[i] = item.target;
		rows->truth[i] = item.truth;
		for (uint32_t j = 0; drifts && j < rows->n_features; j++) {
			seen[j] += by[j];
		}
	}
}

static void labels_blur(
	const struct training *training, uint64_t entity, const struct training_rows *rows)
{
	const struct predictor_common *common = training->predictor->settings;
	if (common->label_noise == 0) {
		return;
	}
	double n = (double)rows->n, mean = 0, square = 0;
	for (size_t i = 0; i < rows->n; i++) {
		mean += rows->target[i] / n;
	}
	for (size_t i = 0; i < rows->n; i++) {
		square += (rows->target[i] - mean) * (rows->target[i] - mean) / n;
	}
	double sd = common->label_noise * sqrt(square);
	struct random_stream stream = random_stream_make(training->seed, RANDOM_LABELS, entity);
	for (size_t i = 0; i < rows->n; i++) {
		rows->target[i] += sd * random_normal(&stream);
	}
}

/* What one validator has brought may be poisoned. Returns whether it was, and by this validator
 * itself. */
static bool contribute(
	const struct training *training, uint32_t contributor, struct training_rows rows)
{
	for (size_t i = 0; i < rows.n; i++) {
		rows.contributor[i] = contributor;
	}
	if (training->poison == NULL || rows.n == 0) {
		return false;
	}
	struct arena scratch = {0};
	struct training_rows before = {0};
	if (training->watch != NULL) {
		before = rows_make(rows.n, rows.n_features, &scratch);
		for (size_t i = 0; i < rows.n; i++) {
			row_copy(&before, i, &rows, i);
		}
	}
	bool changed = training->poison(training->context, contributor, &rows);
	for (size_t i = 0; changed && i < before.n; i++) {
		size_t at = i * rows.n_features;
		rows.poisoned[i] = before.target[i] != rows.target[i] || before.truth[i] != rows.truth[i] ||
			memcmp(before.x + at, rows.x + at, rows.n_features * sizeof(*rows.x)) != 0;
	}
	arena_finish(&scratch);
	return changed && contributor == training->node;
}

/* A pool that all have drawn together: validator i has brought the i-th of n equal parts. */
static struct training_rows pool_draw(
	const struct training *training, size_t n, bool *poisoned, struct arena *arena)
{
	uint64_t entity = pool_entity(training);
	struct random_stream stream = random_stream_make(training->seed, RANDOM_TRAINING, entity);
	struct training_rows pool = rows_make(n, training->workload->n_features, arena);
	rows_draw(training, &stream, &pool);
	labels_blur(training, entity, &pool);
	for (uint32_t i = 0; i < training->n_validators; i++) {
		size_t first = n * i / training->n_validators;
		size_t end = n * (i + (size_t)1) / training->n_validators;
		*poisoned |= contribute(training, i, rows_part(&pool, first, end - first));
	}
	return pool;
}

/* ln of a Gamma(alpha, 1) variate: Marsaglia, Tsang, A Simple Method for Generating Gamma
 * Variables, ACM TOMS 26(3), 2000; for alpha < 1 as there, by alpha + 1 and a uniform's root. */
static double ln_gamma_draw(struct random_stream *stream, double alpha)
{
	double d = (alpha < 1 ? alpha + 1 : alpha) - 1 / 3.0;
	double c = 1 / sqrt(9 * d);
	double ln;
	for (;;) {
		double x = random_normal(stream);
		double v = 1 + c * x;
		double u = random_unit_open(stream);
		if (v <= 0) {
			continue;
		}
		v = v * v * v;
		ln = real_log(v);
		if (real_log(u) < x * x / 2 + d - d * v + d * ln) {
			break;
		}
	}
	ln += real_log(d);
	return alpha < 1 ? ln + real_log(random_unit_open(stream)) / alpha : ln;
}

struct ranked {
	double target;
	size_t row;
};

static int ranked_compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->target != y->target) {
		return x->target < y->target ? -1 : 1;
	}
	return (x->row > y->row) - (x->row < y->row);
}

/* Hsu, Qi, Brown, Measuring the Effects of Non-Identical Data Distribution for Federated Visual
 * Classification, 2019: each has proportions of its own from Dirichlet(alpha), here of ranges of
 * the target that hold equally many rows, where they have classes. */
static void skew(const struct training *training, double alpha, const struct training_rows *pool,
	struct training_rows *rows, struct arena *arena)
{
	size_t size = pool->n / CLUSTERS;
	struct ranked *ranked = arena_array(arena, struct ranked, pool->n);
	for (size_t i = 0; i < pool->n; i++) {
		ranked[i] = (struct ranked){pool->target[i], i};
	}
	qsort(ranked, pool->n, sizeof(*ranked), ranked_compare);
	struct random_stream stream =
		random_stream_make(training->seed, RANDOM_SHARDS, entity_of(training));
	double share[CLUSTERS], most = -INFINITY, sum = 0;
	size_t taken[CLUSTERS] = {0};
	for (int c = 0; c < CLUSTERS; c++) {
		share[c] = ln_gamma_draw(&stream, alpha);
		most = fmax(most, share[c]);
	}
	for (int c = 0; c < CLUSTERS; c++) {
		share[c] = real_exp(share[c] - most);
		sum += share[c];
	}
	for (size_t i = 0; i < rows->n; i++) {
		double u = random_unit(&stream) * sum;
		int c = 0;
		while (c < CLUSTERS - 1 && u >= share[c]) {
			u -= share[c++];
		}
		struct ranked *cluster = ranked + (size_t)c * size;
		size_t pick = taken[c] + random_below(&stream, size - taken[c]);
		struct ranked picked = cluster[pick];
		cluster[pick] = cluster[taken[c]];
		cluster[taken[c]++] = picked;
		row_copy(rows, i, pool, picked.row);
	}
}

/* Rows that this validator alone has drawn. */
static void own_draw(const struct training *training, struct random_stream *stream,
	struct training_rows rows, bool *poisoned)
{
	rows_draw(training, stream, &rows);
	labels_blur(training, entity_of(training), &rows);
	*poisoned |= contribute(training, training->node, rows);
}

static struct training_rows training_draw(const struct training *training, enum shards shards,
	struct random_stream *own, bool *poisoned, struct arena *arena)
{
	const struct predictor_common *common = training->predictor->settings;
	const struct shards_settings *settings = common->shards.settings;
	uint32_t n_features = training->workload->n_features;
	size_t n = (size_t)common->train;
	struct training_rows rows = {0}, pool = {0};
	switch (shards) {
	case SHARDS_OWN:
		rows = rows_make(n, n_features, arena);
		own_draw(training, own, rows, poisoned);
		break;
	case SHARDS_SHARED:
		rows = pool_draw(training, n, poisoned, arena);
		break;
	case SHARDS_DISJOINT: {
		size_t first = n * training->node / training->n_validators;
		size_t end = n * (training->node + (size_t)1) / training->n_validators;
		pool = pool_draw(training, n, poisoned, arena);
		rows = rows_part(&pool, first, end - first);
		break;
	}
	case SHARDS_OVERLAPPING: {
		size_t n_common = (size_t)(settings->overlap * (double)n + .5);
		rows = rows_make(n, n_features, arena);
		pool = pool_draw(training, n_common, poisoned, arena);
		for (size_t i = 0; i < n_common; i++) {
			row_copy(&rows, i, &pool, i);
		}
		if (n > n_common) {
			own_draw(training, own, rows_part(&rows, n_common, n - n_common), poisoned);
		}
		break;
	}
	case SHARDS_SKEWED:
		rows = rows_make(n, n_features, arena);
		pool = pool_draw(training, CLUSTERS * n, poisoned, arena);
		skew(training, settings->alpha, &pool, &rows, arena);
		break;
	}
	return rows;
}

static struct dataset dataset_of(const struct training_rows *rows, uint64_t seed)
{
	return (struct dataset){
		.n = rows->n,
		.n_features = rows->n_features,
		.x = rows->x,
		.target = rows->target,
		.truth = rows->truth,
		.contributor = rows->contributor,
		.poisoned = rows->poisoned,
		.seed = seed,
	};
}

static bool drift_check(const struct training *training, char error[256])
{
	const struct predictor_common *common = training->predictor->settings;
	const struct items_app *workload = training->workload;
	const struct drift_settings *drift = common->drift.settings;
	if (common->drift.plugin == NULL || drift->feature == NULL) {
		return true;
	}
	for (uint32_t i = 0; i < workload->n_features; i++) {
		if (strcmp(workload->feature_names[i], drift->feature) == 0) {
			return true;
		}
	}
	snprintf(error, 256, "predictor.drift.feature: %s has no feature `%.60s`; its first is `%s`",
		workload->app.plugin.name, drift->feature, workload->feature_names[0]);
	return false;
}

bool samples_draw(const struct training *training, struct dataset *sample, struct dataset *held_out,
	bool *poisoned, struct arena *arena, char error[256])
{
	const struct predictor_common *common = training->predictor->settings;
	const struct sharding *sharding = (const void *)common->shards.plugin; /* its first member */
	enum shards shards = sharding == NULL ? SHARDS_OWN : sharding->shards;
	uint64_t entity = entity_of(training);
	*poisoned = false;
	if (!drift_check(training, error)) {
		return false;
	}
	struct random_stream own = random_stream_make(training->seed, RANDOM_TRAINING, entity);
	struct random_stream seeds = random_stream_make(training->seed, RANDOM_MODEL, entity);
	struct training_rows rows = training_draw(training, shards, &own, poisoned, arena);
	struct training_rows clean =
		rows_make((size_t)common->train, training->workload->n_features, arena);
	if (shards != SHARDS_OWN) {
		own = random_stream_make(training->seed, RANDOM_TRAINING, ENTITY_HELD_OUT + entity);
	}
	rows_draw(training, &own, &clean);
	*sample = dataset_of(&rows, random_u64(&seeds));
	*held_out = dataset_of(&clean, random_u64(&seeds));
	return true;
}

bool drift_by(const struct predictor_common *common, const struct items_app *workload, sim_time at_ns,
	double *by)
{
	const struct drift *drift = (const void *)common->drift.plugin; /* its first member */
	if (drift == NULL || drift->shift == NULL) {
		return false;
	}
	const struct drift_settings *settings = common->drift.settings;
	double shift = settings->from_ns <= at_ns ? drift->shift(settings, at_ns) : 0;
	for (uint32_t i = 0; i < workload->n_features; i++) {
		bool moves = settings->feature == NULL ||
					 strcmp(settings->feature, workload->feature_names[i]) == 0;
		by[i] = moves ? shift : 0;
	}
	return shift != 0;
}

static double linear_shift(const void *settings, sim_time at_ns)
{
	const struct drift_settings *drift = settings;
	return drift->rate * ((double)(at_ns - drift->from_ns) / 1e9);
}

static double jump_shift(const void *settings, sim_time at_ns)
{
	(void)at_ns;
	return ((const struct drift_settings *)settings)->size;
}

#define DRIFT_COMMON_PARAMS                                                                        \
	{.name = "from",                                                                               \
		.kind = PARAM_DURATION,                                                                    \
		.offset = offsetof(struct drift_settings, from_ns),                                        \
		.min = 0,                                                                                  \
		.max = (double)SIM_NEVER,                                                                  \
		.fallback = "0 s",                                                                         \
		.unit = "s",                                                                               \
		.help = "when it begins"},                                                                 \
	{                                                                                              \
		.name = "feature", .kind = PARAM_STRING, .flags = PARAM_NONE,                              \
		.offset = offsetof(struct drift_settings, feature), .fallback = "none", .unit = "",        \
		.help = "which feature is seen wrong, such as ln_density; none: every one"                 \
	}

static const struct param linear_drift_params[] = {
	DRIFT_COMMON_PARAMS,
	{.name = "rate",
		.kind = PARAM_REAL,
		.offset = offsetof(struct drift_settings, rate),
		.min = -1e6,
		.max = 1e6,
		.fallback = "0.001",
		.unit = "",
		.help = "how far it moves each second, in the feature's unit (dimweight: natural logs)"},
	PARAM_END,
};

static const struct param jump_drift_params[] = {
	DRIFT_COMMON_PARAMS,
	{.name = "size",
		.kind = PARAM_REAL,
		.offset = offsetof(struct drift_settings, size),
		.min = -1e6,
		.max = 1e6,
		.fallback = "0.1",
		.unit = "",
		.help = "how far it moves at once, in the feature's unit (dimweight: natural logs)"},
	PARAM_END,
};

static const struct drift drift_none = {
	.plugin = {.name = "none",
		.summary = "features keep their meaning",
		.settings_size = sizeof(struct drift_settings)},
};

static const struct drift drift_linear = {
	.plugin = {.name = "linear",
		.summary = "what is seen of a feature moves away from it at a constant rate",
		.params = linear_drift_params,
		.settings_size = sizeof(struct drift_settings)},
	.shift = linear_shift,
};

static const struct drift drift_jump = {
	.plugin = {.name = "jump",
		.summary = "what is seen of a feature moves away from it at once",
		.params = jump_drift_params,
		.settings_size = sizeof(struct drift_settings)},
	.shift = jump_shift,
};

static const struct plugin *const drifts[] = {
	&drift_none.plugin,
	&drift_linear.plugin,
	&drift_jump.plugin,
	NULL,
};

const struct registry drift_registry = {.sort = "drift", .plural = "drifts", .plugins = drifts};

static const struct param overlapping_params[] = {
	{.name = "overlap",
		.kind = PARAM_REAL,
		.offset = offsetof(struct shards_settings, overlap),
		.min = 0,
		.max = 1,
		.fallback = "0.5",
		.unit = "",
		.help = "share of the rows that all have in common"},
	PARAM_END,
};

static const struct param skewed_params[] = {
	{.name = "alpha",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct shards_settings, alpha),
		.min = 0,
		.max = 1e6,
		.fallback = "0.5",
		.unit = "",
		.help = "concentration of the Dirichlet distribution: the smaller, the more one-sided"},
	PARAM_END,
};

#define SHARDING(NAME, SHARDS, SUMMARY, PARAMS)                                                    \
	static const struct sharding sharding_##NAME = {                                               \
		.plugin = {.name = #NAME,                                                                  \
			.summary = SUMMARY,                                                                    \
			.params = PARAMS,                                                                      \
			.settings_size = sizeof(struct shards_settings)},                                      \
		.shards = SHARDS,                                                                          \
	}

SHARDING(own, SHARDS_OWN, "each validator has drawn its own rows", NULL);
SHARDING(shared, SHARDS_SHARED, "all learn from the same rows, of which each has brought 1/n", NULL);
SHARDING(disjoint, SHARDS_DISJOINT, "one sample is cut into n parts, one a validator", NULL);
SHARDING(overlapping, SHARDS_OVERLAPPING,
	"a share of the rows is the same for all, the others its own", overlapping_params);
SHARDING(skewed, SHARDS_SKEWED,
	"each mostly has rows of some of ten ranges of the target, from one pool", skewed_params);

static const struct plugin *const shardings[] = {
	&sharding_own.plugin,
	&sharding_shared.plugin,
	&sharding_disjoint.plugin,
	&sharding_overlapping.plugin,
	&sharding_skewed.plugin,
	NULL,
};

const struct registry sharding_registry = {
	.sort = "sharding",
	.plural = "shardings",
	.plugins = shardings,
};

bool predictor_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct predictor_common *common = settings;
	const struct sharding *sharding = (const void *)common->shards.plugin;
	if (sharding != NULL && sharding->shards == SHARDS_DISJOINT &&
		common->train / shape->n_validators < ROWS_MIN) {
		*param = "train";
		snprintf(error, 256,
			"must be at least %d for `shards: disjoint` with %u validators: each learns from 1/n of "
			"the rows and needs %d",
			(int)(ROWS_MIN * shape->n_validators), (unsigned)shape->n_validators, ROWS_MIN);
		return false;
	}
	bool repeats = common->retrain_ns > 0 && common->retrain_ns < SIM_NEVER;
	if (repeats && common->retrain_at.n > 0) {
		*param = "retrain_at";
		snprintf(error, 256, "can't be given beside `retrain`: one of the two says when");
		return false;
	}
	return true;
}

bool sample_check(const struct dataset *sample, size_t n_min, const char *who, char error[256])
{
	if (sample->n < n_min) {
		snprintf(error, 256, "%s: %zu rows can't fix an intercept and %u weights", who, sample->n,
			(unsigned)sample->n_features);
		return false;
	}
	bool finite = true;
	for (size_t i = 0; i < sample->n * sample->n_features; i++) {
		finite = finite && isfinite(sample->x[i]);
	}
	for (size_t i = 0; i < sample->n; i++) {
		finite = finite && isfinite(sample->target[i]);
	}
	if (!finite) {
		snprintf(error, 256, "%s: the training sample holds values that are not finite", who);
	}
	return finite;
}

static void moments(const double *values, size_t n, size_t stride, double *mean, double *sd)
{
	double sum = 0, square_sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += values[i * stride];
	}
	*mean = sum / (double)n;
	for (size_t i = 0; i < n; i++) {
		double off = values[i * stride] - *mean;
		square_sum += off * off;
	}
	*sd = sqrt(square_sum / (double)n);
	if (!(*sd > 1e-12 * fabs(*mean)) || *sd == 0) {
		*sd = 1; /* constant, but for rounding */
	}
}

void standard_fit(struct standard *standard, const struct dataset *sample)
{
	standard->n_features = sample->n_features;
	for (uint32_t j = 0; j < sample->n_features; j++) {
		moments(sample->x + j, sample->n, sample->n_features, &standard->mean[j], &standard->sd[j]);
	}
	moments(sample->target, sample->n, 1, &standard->target_mean, &standard->target_sd);
}

void standard_apply(const struct standard *standard, const double *x, double *out)
{
	for (uint32_t j = 0; j < standard->n_features; j++) {
		out[j] = (x[j] - standard->mean[j]) / standard->sd[j];
	}
}
