/* Items, what validators see of them, and what they predict: the types that workloads, predictors
 * and the attacks on predictions share. */
#ifndef WORKLOADS_PREDICTION_H
#define WORKLOADS_PREDICTION_H

#include "sim/arena.h"
#include "sim/param.h"
#include "sim/random.h"

#define FEATURES_MAX 16

/* One thing of the real world. Features are in the units in which predictors work (dimweight:
 * natural logs), so that an attack's epsilon is in those units too. */
struct item {
	double features[FEATURES_MAX];
	double truth; /* what is to be agreed on; no validator sees it */
	double
		target; /* what a predictor learns to give (dimweight: ln of the actual weight in grams) */
};

struct items_app;

/* A training or test sample as one validator sees it: row i is x[i * n_features ...]. */
struct dataset {
	size_t n;
	uint32_t n_features;
	const double *x;
	const double *target;
	const double *truth; /* the labels, in the unit of the predictions */
	uint64_t seed; /* of what a training draws itself: streams (seed, RANDOM_MODEL, ...) */
	/* Of a training sample: which validator has brought each row, and whether poisoned. */
	const uint32_t *contributor;
	const bool *poisoned;
};

/* Rows of a training sample while they may still be altered. */
struct training_rows {
	size_t n;
	uint32_t n_features;
	double *x, *target, *truth;
	uint32_t *contributor; /* the validator that has brought each; NULL: not kept */
	bool *poisoned;        /* altered by it, where someone watches the training */
};

/* The first member of every predictor's settings: the data that it learns from, and when. All zero
 * but `train`: each validator has its own sample, clean, and learns once. */
struct predictor_common {
	int64_t train;              /* rows of the training sample, and of the held-out one */
	struct plugin_value shards; /* a struct sharding; NULL: own */
	double label_noise;         /* sd, as a share of the sd of the targets */
	struct plugin_value drift;  /* a struct drift; NULL: none */
	sim_time retrain_ns;        /* 0, SIM_NEVER: never */
	struct time_list retrain_at; /* instead: at these times */
	sim_time cost_ns;           /* of one prediction, at the validator's processor */
};

enum shards {
	SHARDS_OWN,         /* a sample of its own */
	SHARDS_SHARED,      /* one sample for all */
	SHARDS_DISJOINT,    /* one sample of `train` rows, cut into n parts */
	SHARDS_OVERLAPPING, /* a share of the rows common to all, the others its own */
	SHARDS_SKEWED,      /* by Dirichlet proportions from ranges of the target */
};

struct sharding {
	struct plugin plugin;
	enum shards shards;
};

struct shards_settings {
	double overlap; /* overlapping: share of the rows that all have */
	double alpha;   /* skewed: the Dirichlet's concentration */
};

/* How far what is seen has moved from what it means, by simulated time. */
struct drift {
	struct plugin plugin;
	double (*shift)(const void *settings, sim_time at_ns);
};

struct drift_settings {
	const char *feature; /* NULL: every one */
	sim_time from_ns;
	double rate, size; /* in the feature's unit: a second, at once */
};

struct predictor {
	struct plugin plugin;
	size_t model_size;
	/* Trains a zeroed model; memory that it keeps comes from the arena. False with a sentence where
	 * the sample can't be fitted. A model is never written again. */
	bool (*train)(const void *settings, void *model, const struct dataset *sample,
		struct arena *arena, char error[256]);
	/* The model's output for one row of features, and its gradient with respect to them. */
	double (*output)(const void *model, const double *x);
	/* NULL: there is none (steps), and who wants one takes finite differences. */
	void (*gradient)(const void *model, const double *x, double *gradient);
	/* Has this model one? NULL: where `gradient` is there. */
	bool (*has_gradient)(const void *model);
	/* The model's own doubt of its output, as a standard deviation; NULL: it has none. */
	double (*spread)(const void *model, const double *x);
	/* It knows the truth: what it says of an item stands behind the features that are seen
	 * (seen[n_features]) and is drawn with them by `tell`. */
	double (*tell)(const void *settings, double truth, struct random_stream *stream);
};

/* How well a model does on data that it has not seen, in the unit of the predictions. */
struct model_error {
	double mae, rmse, r2,
		bias; /* bias: mean of predicted minus true; r2: NaN where the truth is constant */
	double r2_learned; /* of the output against the target: of what is learned alone; NaN: nothing is */
	double within_tolerance; /* share of the rows within the workload's relative tolerance */
};

/* One validator's trained predictor with the workload's own last step (dimweight: the larger of the
 * learned and the volumetric weight). Immutable once trained: threads share it. */
struct prediction_model {
	const struct items_app *workload;
	const void *workload_settings;
	const struct predictor *predictor;
	const void *predictor_settings;
	void *model;
	double label_min, label_max; /* of the training sample */
	struct model_error held_out;
	/* By how much the held-out root mean squared error grows where one feature is shuffled; only
	 * where it was asked for. Breiman, Random Forests, Machine Learning 45 (2001), section 10. */
	double importance[FEATURES_MAX];
	uint32_t version;
	bool poisoned; /* by rows that its own validator brought */
};

/* What a training depends on. */
struct training {
	const struct items_app *workload;
	const void *workload_settings;
	const struct plugin_value *predictor;
	uint64_t seed;
	uint32_t node, n_validators;
	uint32_t version; /* 0: before the run; each draws new data */
	sim_time at_ns;   /* of what age the data is, for drift */
	bool importance;
	/* May alter the rows that one validator has brought; true where it has. NULL: nobody does. */
	bool (*poison)(const void *context, uint32_t contributor, struct training_rows *rows);
	/* Is shown what the model is about to learn from. NULL: nobody watches. */
	void (*watch)(const void *context, const struct training *training, const struct dataset *sample);
	const void *context;
};

/* Draws the validator's training sample, trains, and measures the error on a clean held-out sample
 * of the same size and age. Training rows of a validator's own come from the stream
 * (seed, RANDOM_TRAINING, node + (version << 32)), and so do, under `own`, the held-out ones after
 * them; a common pool's from a stream of its own. */
bool prediction_model_learn(struct prediction_model *out, const struct training *training,
	struct arena *arena, char error[256]);

/* The same for a validator on its own, once. */
bool prediction_model_train(struct prediction_model *out, const struct items_app *workload,
	const void *workload_settings, const struct plugin_value *predictor, uint64_t seed,
	uint32_t node, struct arena *arena, char error[256]);

/* What a validator sees of an item at a time: with drift, and with what an oracle is told. Writes
 * up to FEATURES_MAX. */
void prediction_see(const struct prediction_model *model, const struct item *item, sim_time at_ns,
	struct random_stream *stream, double *seen);

/* How many numbers `seen` holds: the features, and what a predictor that is told the truth was told. Who looks
 * at another place in the features must hand on all of them. */
uint32_t prediction_seen_n(const struct prediction_model *model);

/* The predicted value, in the workload's unit, from what a validator sees. */
double prediction_value(const struct prediction_model *model, const double *seen);
/* Has it an analytic gradient? Else prediction_gradient must not be called. */
bool prediction_has_gradient(const struct prediction_model *model);
/* Its gradient with respect to each of the n_features. */
void prediction_gradient(
	const struct prediction_model *model, const double *seen, double *gradient);

/* The standard deviation that an honest validator claims for its prediction, above 0: half the
 * distance between the values at output +- the model's own spread, and at least a tenth of the
 * held-out root mean squared error; without a spread, that error itself. */
double prediction_spread(const struct prediction_model *model, const double *seen);

extern const struct registry predictor_registry;
extern const struct registry sharding_registry;
extern const struct registry drift_registry;

#endif
