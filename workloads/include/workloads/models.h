/* Trained models that the runs of one program share: each is trained once for what it depends on
 * (workload, predictor, data, seed, poison) and read by every run and thread that asks for the same,
 * so that the points of a sweep train nothing again.
 *
 * Bounded: runs of a sweep come back to a model only after all replications of a point, so that
 * throwing out the oldest would keep none. What no longer fits is trained for its run alone. */
#ifndef WORKLOADS_MODELS_H
#define WORKLOADS_MODELS_H

#include "workloads/prediction.h"

struct adversary;
struct model_cache;

#define MODEL_CACHE_BYTES ((size_t)1 << 30)

/* Never NULL. It must outlive every run that was given it. */
struct model_cache *model_cache_create(size_t bytes_max);
void model_cache_destroy(struct model_cache *cache);

/* The model of this key: as it was trained before, or trained now. `training` is what the key stands
 * for; two with one key train the same bits. The model's memory is the cache's, or `arena`'s where it
 * doesn't fit or `cache` is NULL. Waits while another thread trains it. */
bool model_cache_take(struct model_cache *cache, const uint64_t key[2],
	const struct training *training, struct prediction_model *out, struct arena *arena,
	char error[256]);

/* How many it has trained, for tests and measurements. */
size_t model_cache_count(struct model_cache *cache);

/* What the validators of one run predict with. */
struct models_settings {
	const struct items_app *workload;
	const void *workload_settings;
	const struct plugin_value *predictor;
	const struct adversary *adversary; /* who poisons what they learn from; NULL: nobody */
	struct model_cache *cache;         /* NULL: none */
	uint64_t seed;
	uint32_t n_validators;
	bool importance; /* of each feature is wanted */
	/* Told of each model that is learned, and of each sample that one is about to be; NULL. */
	void (*learned)(
		void *context, uint32_t node, const struct prediction_model *model, sim_time at_ns);
	void (*watch)(void *context, const struct training *training, const struct dataset *sample);
	void *context;
	struct arena *arena; /* the run's */
};

struct models {
	struct models_settings settings;
	struct prediction_model *by_validator;
	uint32_t version;
	uint64_t training_key[2]; /* of all settings that every training depends on */
};

/* Trains the first version. NULL, with a sentence: it can't be trained. */
struct models *models_create(const struct models_settings *settings, char error[256]);
/* Whose time has come for another version gets it. False, with a sentence: it can't be trained. */
bool models_refresh(struct models *models, sim_time now, char error[256]);

#endif
