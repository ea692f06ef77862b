/* What all workloads share whose items are predicted. */
#ifndef WORKLOADS_ITEM_PARAMS_H
#define WORKLOADS_ITEM_PARAMS_H

#include "client_params.h"

/* The common entries of their tables; settings begin with a struct workload_common. */
#define ITEM_PARAMS(arrivals_help)                                                                 \
	{.name = "arrivals",                                                                           \
		.kind = PARAM_PLUGIN,                                                                      \
		.offset = offsetof(struct workload_common, arrivals),                                      \
		.registry = &arrival_registry,                                                             \
		.fallback = "{kind: poisson, rate: 100 /s}",                                               \
		.unit = "",                                                                                \
		.help = arrivals_help},                                                                    \
	{.name = "tolerance",                                                                          \
		.kind = PARAM_REAL,                                                                        \
		.offset = offsetof(struct workload_common, tolerance),                                     \
		.min = 0,                                                                                  \
		.max = 1e6,                                                                                \
		.fallback = "0.1",                                                                         \
		.unit = "",                                                                                \
		.help = "relative error up to which a decision is right"},                                 \
	{.name = "quorum",                                                                             \
		.kind = PARAM_INT,                                                                         \
		.flags = PARAM_AUTO | PARAM_N,                                                             \
		.offset = offsetof(struct workload_common, quorum),                                        \
		.min = 1,                                                                                  \
		.max = SIM_NODES_MAX,                                                                      \
		.fallback = "auto",                                                                        \
		.unit = "",                                                                                \
		.when = "validation = off",                                                                \
		.help = "predictions that close an item; auto: n - floor((n-1)/3)"},                       \
	{.name = "deadline",                                                                           \
		.kind = PARAM_DURATION,                                                                    \
		.flags = PARAM_AUTO | PARAM_OFF,                                                           \
		.offset = offsetof(struct workload_common, deadline_ns),                                   \
		.min = SIM_TIMER_MIN,                                                                      \
		.max = (double)SIM_NEVER,                                                                  \
		.fallback = "auto",                                                                        \
		.unit = "s",                                                                               \
		.help = "gateways ask to close an item this long after its arrival; auto: the client "     \
				"timeout"},                                                                        \
	CLIENT_TIMEOUT_PARAM("a gateway without an answer sends its transaction again after this long"), \
	{.name = "validation",                                                                         \
		.kind = PARAM_CHOICE,                                                                      \
		.offset = offsetof(struct workload_common, validation),                                    \
		.choices = "off|tolerance",                                                                \
		.fallback = "off",                                                                         \
		.unit = "",                                                                                \
		.help = "off: all predictions are ordered, then aggregated; tolerance: a proposer's value " \
				"is ordered if enough validators find it within the tolerance of their own"},      \
	{                                                                                              \
		.name = "identities", .kind = PARAM_CHOICE,                                                \
		.offset = offsetof(struct workload_common, identities),                                    \
		.choices = "validators|open", .fallback = "validators", .unit = "",                        \
		.when = "attacks != none",                                                                 \
		.help = "who may predict: the validators alone, or also identities that someone made up"   \
	}

/* Their `finish`: `auto`, and a quorum that the validators can make. */
bool item_finish(struct workload_common *common, const struct shape *shape, const char **param,
	char error[256]);

#endif
