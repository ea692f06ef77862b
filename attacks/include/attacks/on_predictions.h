/* The adversary on predictions: a scenario's list of attacks, applied to what validators say of items and to what their
 * models learn from (workloads/adversary.h). Attacks that are on nodes are left to whoever sees messages. */
#ifndef ATTACKS_PREDICTIONS_H
#define ATTACKS_PREDICTIONS_H

#include "workloads/adversary.h"

struct predictions_settings {
	const struct plugin_list *attacks;
	const struct items_app *workload;
	const void *workload_settings;
	uint64_t seed;
	uint32_t n_validators;
	uint32_t dims; /* numbers a prediction */
};

/* In the arena's memory; the settings' pointers must outlive it. */
struct adversary *predictions_adversary(const struct predictions_settings *settings, struct arena *arena);

#endif
