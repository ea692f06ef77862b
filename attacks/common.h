/* What the attacks share: the parameters that say who attacks and when. */
#ifndef ATTACKS_COMMON_H
#define ATTACKS_COMMON_H

#include "attacks/attack.h"

/* The first entries of every attack's table; `type` is its settings, with a struct attack_common
 * called `common`. */
#define ATTACK_COMMON_PARAMS(type)                                                                 \
	ATTACK_WHO_PARAMS(type),                                                                       \
		{.name = "confidence",                                                                     \
			.kind = PARAM_REAL,                                                                    \
			.flags = PARAM_EXCLUDE_MIN,                                                            \
			.offset = offsetof(type, common.confidence),                                           \
			.min = 0,                                                                              \
			.max = 1e9,                                                                            \
			.fallback = "1",                                                                       \
			.unit = "",                                                                            \
			.when = "aggregator = inverse-variance",                                               \
			.help = "how many times surer than honest the attackers claim to be"},                 \
	{                                                                                              \
		.name = "ramp", .kind = PARAM_DURATION, .offset = offsetof(type, common.ramp_ns),          \
		.min = 0, .max = (double)SIM_NEVER, .fallback = "0 s", .unit = "s",                        \
		.help = "from `from` on the attackers' number grows to its full size for so long"          \
	}

/* The same without a ramp: attacks on nodes. */
#define ATTACK_WHO_PARAMS(type)                                                                    \
	{.name = "fraction",                                                                           \
		.kind = PARAM_REAL,                                                                        \
		.flags = PARAM_NONE,                                                                       \
		.offset = offsetof(type, common.fraction),                                                 \
		.min = 0,                                                                                  \
		.max = 1,                                                                                  \
		.fallback = "none",                                                                        \
		.unit = "",                                                                                \
		.help = "share of the validators that attack, to the nearest number; none: `count` or `nodes` says who"}, \
		{.name = "count",                                                                          \
			.kind = PARAM_INT,                                                                     \
			.flags = PARAM_NONE,                                                                   \
			.offset = offsetof(type, common.count),                                                \
			.min = 0,                                                                              \
			.max = SIM_NODES_MAX,                                                                  \
			.fallback = "none",                                                                    \
			.unit = "",                                                                            \
			.help = "how many validators attack; none: `fraction` or `nodes` says who"},           \
		{.name = "nodes",                                                                          \
			.kind = PARAM_NODES,                                                                   \
			.offset = offsetof(type, common.nodes),                                                \
			.unit = "",                                                                            \
			.help = "the validators that attack, instead of a number; attacks on nodes: also leader"}, \
		{.name = "from",                                                                           \
			.kind = PARAM_DURATION,                                                                \
			.offset = offsetof(type, common.from_ns),                                              \
			.min = 0,                                                                              \
			.max = (double)SIM_NEVER,                                                              \
			.fallback = "0 s",                                                                     \
			.unit = "s",                                                                           \
			.help = "when the attack begins"},                                                     \
	{                                                                                              \
		.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,                               \
		.offset = offsetof(type, common.until_ns), .min = 0, .max = (double)SIM_NEVER,             \
		.fallback = "off", .unit = "s",                                                            \
		.help = "when it ends, itself left out; off: with the run"                                 \
	}

/* Every attack's `finish`: exactly one of fraction, count and nodes, nodes that exist, a window with
 * time in it. */
bool attack_finish(void *settings, const struct shape *shape, const char **param, char error[256]);
/* The same of an attack on nodes, which may also be on `leader`: whoever leads when it begins. */
bool attack_nodes_finish(void *settings, const struct shape *shape, const char **param, char error[256]);
/* Groups: none, or at least two, with somebody in each. */
bool attack_groups_finish(const struct node_groups *groups, const char **param, char error[256]);

#endif
