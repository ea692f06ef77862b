/* What scorers share. */
#ifndef WORKLOADS_SCORERS_H
#define WORKLOADS_SCORERS_H

#include "workloads/rules.h"

#define THRESHOLD_PARAM(help_)                                                                     \
	{                                                                                              \
		.name = "threshold", .kind = PARAM_REAL,                                                   \
		.offset = offsetof(struct scorer_common, threshold), .min = 0, .max = 1,                   \
		.fallback = "0.3", .unit = "", .help = "least score that is accepted; " help_              \
	}

/* The median absolute deviation times this estimates a normal distribution's standard deviation. */
#define MAD_TO_SD 1.4826

/* Copies the finite predictions; returns how many. */
uint32_t finite_copy(const struct scoring *given, double *finite);

/* 1 for the finite ones, 0 for the others. */
void scores_of_finite(const struct scoring *given, double *scores);

/* Whose prediction i is. */
static inline uint32_t scoring_node(const struct scoring *given, uint32_t i)
{
	return given->nodes ? given->nodes[i] : i;
}

/* A scorer within a scorer: the plugin is the first member of a scorer. */
static inline const struct scorer *scorer_of(const struct plugin_value *value)
{
	return (const void *)value->plugin;
}

/* What the classifier falls back on. */
extern const struct scorer scorer_mad;

/* What scorers within scorers may be: those that look at the item alone, and these and reputation. */
extern const struct registry scorer_plain_registry, scorer_member_registry;

#endif
