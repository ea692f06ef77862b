/* What the validators of a run predict with: trained before it, told and recorded. */
#ifndef LAB_TRAINING_H
#define LAB_TRAINING_H

#include "scenarios/scenario.h"
#include "workloads/models.h"

struct lab;

bool training_start(struct lab *lab, struct model_cache *cache, char error[256]);
/* The processor time of one prediction; 0 where there are none. */
sim_time training_cost_ns(const struct scenario *scenario);

#endif
