/* `trees`: boosted regression trees, and `forest`: a random forest, both grown by XGBoost.
 *
 * XGBoost trains on one thread, by the exact method, with a seed from the model's own stream; the
 * squared error needs + - * / only, in 32-bit floats, and so gives the same bits everywhere. Its
 * trees are then read into flat arrays of our own, and a prediction walks these: a pure function of
 * an immutable model, 20 times as fast as a call of the library for one row. What the walk gives is
 * bit for bit what XGBoost predicts: features rounded to float, thresholds compared as floats,
 * leaves added in float from the base score on, tree by tree.
 *
 * The output is a step function: no gradient. Targets are floats too: their relative error of 6e-8
 * is far below what trees can fit.
 *
 * Sources: Chen, Guestrin, XGBoost: A Scalable Tree Boosting System, KDD 2016; Breiman, Random
 * Forests, Machine Learning 45, 2001. */
#include "predictors.h"
#include "xgboost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trees_settings {
	struct predictor_common common;
	int64_t rounds, depth;
	int64_t trees; /* forest */
	double eta, lambda, subsample, colsample, child_weight;
	int method;
};

/* A split goes to `yes` where the feature is below the value; a leaf has feature LEAF. */
struct tree_node {
	uint32_t feature;
	float value;
	uint32_t yes, no; /* from the tree's first node */
};

#define LEAF UINT32_MAX

struct trees_model {
	uint32_t n_features, n_trees;
	float base;
	const struct tree_node *const *trees;
};

static double trees_output(const void *model, const double *x)
{
	const struct trees_model *trees = model;
	float features[FEATURES_MAX];
	float sum = trees->base;
	for (uint32_t j = 0; j < trees->n_features; j++) {
		features[j] = (float)x[j];
	}
	for (uint32_t i = 0; i < trees->n_trees; i++) {
		const struct tree_node *tree = trees->trees[i], *node = tree;
		while (node->feature != LEAF) {
			node = tree + (features[node->feature] < node->value ? node->yes : node->no);
		}
		sum += node->value;
	}
	return sum;
}

#ifdef HAVE_XGBOOST

/* One node a line: "0:[f2<3.5] yes=1,no=2,missing=1" or "1:leaf=-.25"; 9 digits, so that each float
 * comes back as it was. Returns NULL where the text is not of that kind. */
static const struct tree_node *tree_read(
	const char *text, uint32_t n_features, struct arena *arena)
{
	uint32_t n = 1; /* numbers may leave gaps */
	for (const char *line = text; line != NULL && *line != '\0';) {
		unsigned id;
		if (sscanf(line, " %u:", &id) == 1 && id >= n) {
			n = id + 1;
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	struct tree_node *nodes = arena_array(arena, struct tree_node, n);
	for (const char *line = text; line != NULL && *line != '\0';) {
		unsigned id, feature, yes, no;
		int at = 0;
		if (sscanf(line, " %u:[f%u<%n", &id, &feature, &at) == 2 && at > 0) {
			char *end;
			float value = strtof(line + at, &end);
			if (feature >= n_features || sscanf(end, "] yes=%u,no=%u", &yes, &no) != 2 ||
				yes >= n || no >= n || yes <= id || no <= id) {
				return NULL;
			}
			nodes[id] = (struct tree_node){feature, value, yes, no};
		} else if (sscanf(line, " %u:leaf=%n", &id, &at) == 1 && at > 0) {
			nodes[id] = (struct tree_node){.feature = LEAF, .value = strtof(line + at, NULL)};
		} else {
			return NULL;
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return nodes;
}

static bool fail(const struct xgboost *xgboost, const char *what, char error[256])
{
	snprintf(error, 256, "XGBoost can't %s: %.180s", what, xgboost->last_error());
	return false;
}

static bool set(const struct xgboost *xgboost, BoosterHandle booster, const char *name,
	const char *format, double value)
{
	char text[64];
	snprintf(text, sizeof(text), format, value);
	return xgboost->set_param(booster, name, text) == 0;
}

static bool set_all(const struct xgboost *xgboost, BoosterHandle booster,
	const struct trees_settings *own, const struct dataset *sample, double base)
{
	static const char *const methods[] = {"exact", "hist"};
	struct random_stream stream = random_stream_make(sample->seed, RANDOM_MODEL, 0);
	bool forest = own->trees > 0;
	return xgboost->set_param(booster, "booster", "gbtree") == 0 &&
		   xgboost->set_param(booster, "objective", "reg:squarederror") == 0 &&
		   xgboost->set_param(booster, "tree_method", methods[own->method]) == 0 &&
		   set(xgboost, booster, "nthread", "%.0f", 1) &&
		   set(xgboost, booster, "verbosity", "%.0f", 0) &&
		   set(xgboost, booster, "seed", "%.0f", (double)random_below(&stream, 1u << 31)) &&
		   set(xgboost, booster, "base_score", "%.9g", base) &&
		   set(xgboost, booster, "max_depth", "%.0f", (double)own->depth) &&
		   set(xgboost, booster, "eta", "%.17g", forest ? 1 : own->eta) &&
		   set(xgboost, booster, "lambda", "%.17g", own->lambda) &&
		   set(xgboost, booster, "subsample", "%.17g", own->subsample) &&
		   set(xgboost, booster, "colsample_bynode", "%.17g", own->colsample) &&
		   set(xgboost, booster, "min_child_weight", "%.17g", own->child_weight) &&
		   set(xgboost, booster, "num_parallel_tree", "%.0f",
			   forest ? (double)own->trees : 1);
}

static bool grow(const struct xgboost *xgboost, const struct trees_settings *own,
	struct trees_model *trees, BoosterHandle booster, DMatrixHandle matrix, struct arena *arena,
	char error[256])
{
	int64_t rounds = own->trees > 0 ? 1 : own->rounds;
	for (int64_t i = 0; i < rounds; i++) {
		if (xgboost->update(booster, (int)i, matrix) != 0) {
			return fail(xgboost, "grow a tree", error);
		}
	}
	bst_ulong n;
	const char **dumps;
	if (xgboost->dump(booster, "", 0, &n, &dumps) != 0) {
		return fail(xgboost, "say what it has learned", error);
	}
	const struct tree_node **own_trees = arena_array(arena, const struct tree_node *, n);
	for (bst_ulong i = 0; i < n; i++) {
		own_trees[i] = tree_read(dumps[i], trees->n_features, arena);
		if (own_trees[i] == NULL) {
			snprintf(error, 256, "XGBoost's tree %llu can't be read: another version than 1.7?",
				(unsigned long long)i);
			return false;
		}
	}
	trees->n_trees = (uint32_t)n;
	trees->trees = own_trees;
	return true;
}

/* That our walk gives what XGBoost itself predicts: checked on the training rows, once a model,
 * since the text of a dump is no promise of the library's. */
static bool agree(const struct xgboost *xgboost, const struct trees_model *trees,
	const struct dataset *sample, BoosterHandle booster, DMatrixHandle matrix, char error[256])
{
	bst_ulong n;
	const float *theirs;
	if (xgboost->predict(booster, matrix, 0, 0, 0, &n, &theirs) != 0) {
		return fail(xgboost, "predict", error);
	}
	for (size_t i = 0; i < sample->n; i++) {
		if ((float)trees_output(trees, sample->x + i * sample->n_features) != theirs[i]) {
			snprintf(error, 256,
				"XGBoost predicts %.9g for a row where its trees, as read, give %.9g: another "
				"version than 1.7?",
				(double)theirs[i], trees_output(trees, sample->x + i * sample->n_features));
			return false;
		}
	}
	return true;
}

static bool learn(const struct xgboost *xgboost, const struct trees_settings *own,
	struct trees_model *trees, const struct dataset *sample, DMatrixHandle matrix,
	struct arena *arena, char error[256])
{
	double mean = 0;
	for (size_t i = 0; i < sample->n; i++) {
		mean += sample->target[i] / (double)sample->n;
	}
	BoosterHandle booster;
	if (xgboost->booster_create(&matrix, 1, &booster) != 0) {
		return fail(xgboost, "begin", error);
	}
	trees->n_features = sample->n_features;
	trees->base = (float)mean;
	bool learned = set_all(xgboost, booster, own, sample, (double)trees->base);
	if (!learned) {
		fail(xgboost, "take a setting", error);
	}
	learned = learned && grow(xgboost, own, trees, booster, matrix, arena, error) &&
			  agree(xgboost, trees, sample, booster, matrix, error);
	xgboost->booster_free(booster);
	return learned;
}

static bool trees_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	struct xgboost xgboost;
	size_t n = sample->n * sample->n_features;
	if (!sample_check(sample, 2, "trees", error) || !xgboost_load(&xgboost, error)) {
		return false;
	}
	struct arena scratch = {0};
	float *x = arena_array(&scratch, float, n);
	float *target = arena_array(&scratch, float, sample->n);
	bool finite = true;
	for (size_t i = 0; i < n; i++) {
		x[i] = (float)sample->x[i];
		finite = finite && isfinite(x[i]);
	}
	for (size_t i = 0; i < sample->n; i++) {
		target[i] = (float)sample->target[i];
		finite = finite && isfinite(target[i]);
	}
	DMatrixHandle matrix;
	bool learned = false;
	if (!finite) {
		snprintf(error, 256, "trees: the training sample's values are too large for 32-bit floats");
	} else if (xgboost.set_global_config("{\"verbosity\": 0}") != 0 ||
			   xgboost.matrix_create(
				   x, sample->n, sample->n_features, NAN, &matrix, 1) != 0) {
		fail(&xgboost, "take the rows", error);
	} else {
		learned = xgboost.matrix_set_floats(matrix, "label", target, sample->n) == 0;
		if (!learned) {
			fail(&xgboost, "take the labels", error);
		}
		learned = learned && learn(&xgboost, settings, model, sample, matrix, arena, error);
		xgboost.matrix_free(matrix);
	}
	arena_finish(&scratch);
	return learned;
}

#else

static bool trees_train(const void *settings, void *model, const struct dataset *sample,
	struct arena *arena, char error[256])
{
	(void)settings;
	(void)model;
	(void)sample;
	(void)arena;
	return xgboost_check(error);
}

#endif

static bool member_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	(void)settings;
	(void)shape;
	(void)param;
	return xgboost_check(error);
}

static bool trees_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	return xgboost_check(error) && predictor_finish(settings, shape, param, error);
}

#define REAL_PARAM(NAME, FIELD, FLAGS, MIN, MAX, FALLBACK, HELP)                                   \
	{                                                                                              \
		.name = NAME, .kind = PARAM_REAL, .flags = FLAGS,                                          \
		.offset = offsetof(struct trees_settings, FIELD), .min = MIN, .max = MAX,                  \
		.fallback = FALLBACK, .unit = "", .help = HELP                                             \
	}

#define INT_PARAM(NAME, FIELD, MAX, FALLBACK, HELP)                                                \
	{                                                                                              \
		.name = NAME, .kind = PARAM_INT, .offset = offsetof(struct trees_settings, FIELD),         \
		.min = 1, .max = MAX, .fallback = FALLBACK, .unit = "", .help = HELP                       \
	}

#define METHOD_PARAM                                                                               \
	{                                                                                              \
		.name = "method", .kind = PARAM_CHOICE, .offset = offsetof(struct trees_settings, method), \
		.choices = "exact|hist", .fallback = "exact", .unit = "",                                  \
		.help = "XGBoost's tree_method: every threshold, or 256 bins a feature"                    \
	}

#define TREES_PARAMS                                                                               \
	INT_PARAM("rounds", rounds, 100000, "100", "trees, one after the other"),                      \
		INT_PARAM("depth", depth, 16, "4", "splits from the root to a leaf, at most"),             \
		REAL_PARAM("eta", eta, PARAM_EXCLUDE_MIN, 0, 1, "0.1", "share of each tree that counts"),  \
		REAL_PARAM("lambda", lambda, 0, 0, 1e12, "1", "penalty on the squares of leaves"),         \
		REAL_PARAM("subsample", subsample, PARAM_EXCLUDE_MIN, 0, 1, "1",                           \
			"share of the rows that each tree sees"),                                              \
		REAL_PARAM("colsample", colsample, PARAM_EXCLUDE_MIN, 0, 1, "1",                           \
			"share of the features that each split may use"),                                      \
		REAL_PARAM("child_weight", child_weight, 0, 0, 1e12, "1", "rows in a leaf, at least"),     \
		METHOD_PARAM

#define FOREST_PARAMS                                                                              \
	INT_PARAM("trees", trees, 100000, "100", "trees side by side"),                                \
		INT_PARAM("depth", depth, 16, "10", "splits from the root to a leaf, at most"),            \
		REAL_PARAM("lambda", lambda, 0, 0, 1e12, "0.00001", "penalty on the squares of leaves"),   \
		REAL_PARAM("subsample", subsample, PARAM_EXCLUDE_MIN, 0, 1, "0.632",                       \
			"share of the rows that each tree sees, drawn without replacement"),                   \
		REAL_PARAM("colsample", colsample, PARAM_EXCLUDE_MIN, 0, 1, "0.8",                         \
			"share of the features that each split may use"),                                      \
		REAL_PARAM("child_weight", child_weight, 0, 0, 1e12, "1", "rows in a leaf, at least"),     \
		METHOD_PARAM

static const struct param trees_params[] = {
	PREDICTOR_COMMON_PARAMS(struct trees_settings), TREES_PARAMS, PARAM_END};
static const struct param trees_own_params[] = {TREES_PARAMS, PARAM_END};
static const struct param forest_params[] = {
	PREDICTOR_COMMON_PARAMS(struct trees_settings), FOREST_PARAMS, PARAM_END};
static const struct param forest_own_params[] = {FOREST_PARAMS, PARAM_END};

#define TREES(NAME, SUMMARY, PARAMS, FINISH)                                                       \
	{                                                                                              \
		.plugin = {.name = NAME,                                                                   \
			.summary = SUMMARY,                                                                    \
			.params = PARAMS,                                                                      \
			.settings_size = sizeof(struct trees_settings),                                        \
			.finish = FINISH},                                                                     \
		.model_size = sizeof(struct trees_model), .train = trees_train, .output = trees_output,    \
	}

#define TREES_SUMMARY "boosted trees, by XGBoost; no gradient"
#define FOREST_SUMMARY "a random forest, by XGBoost; no gradient"

const struct predictor predictor_trees = TREES("trees", TREES_SUMMARY, trees_params, trees_finish);
const struct predictor member_trees =
	TREES("trees", TREES_SUMMARY, trees_own_params, member_finish);
const struct predictor predictor_forest =
	TREES("forest", FOREST_SUMMARY, forest_params, trees_finish);
const struct predictor member_forest =
	TREES("forest", FOREST_SUMMARY, forest_own_params, member_finish);
