/* What the validators of one run predict with. */
#ifndef LAB_PRIVATE_MODELS_H
#define LAB_PRIVATE_MODELS_H

#include "lab/models.h"
#include "scenarios/scenario.h"

struct lab;

struct models {
	struct prediction_model *by_validator;
	struct model_cache *cache;   /* NULL: none */
	uint64_t training_digest[2]; /* of all settings that every training depends on */
	uint32_t version;
	char error[256];             /* a later version can't be trained */
};

bool models_start(struct lab *lab, struct model_cache *cache, char error[256]);
/* The processor time of one prediction; 0 where there are none. */
sim_time models_cost_ns(const struct scenario *scenario);
/* Whose time has come for another version gets it, before an item is looked at. False: the run has
 * ended with a training error. */
bool models_refresh(struct lab *lab);

#endif
