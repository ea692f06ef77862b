/* The parameters of the workloads whose clients are parties of their own, and what items share with them. */
#ifndef WORKLOADS_CLIENT_PARAMS_H
#define WORKLOADS_CLIENT_PARAMS_H

#include "workloads/items.h"
#include "workloads/workload.h"

/* When whoever waits for an answer asks again. */
#define CLIENT_TIMEOUT_PARAM(help_)                                                                \
	{                                                                                              \
		.name = "client_timeout", .kind = PARAM_DURATION, .flags = PARAM_AUTO | PARAM_OFF,         \
		.offset = offsetof(struct workload_common, client_timeout_ns), .min = SIM_TIMER_MIN,       \
		.max = (double)SIM_NEVER, .fallback = "auto", .auto_delays = {40},                         \
		.auto_min_ns = {2 * SIM_SECOND}, .unit = "s", .help = help_                                \
	}

/* `conflict_help` says what the shared object is. Settings begin with a struct workload_common. */
#define CLIENT_PARAMS(conflict_when, conflict_help)                                                 \
	{.name = "clients",                                                                             \
		.kind = PARAM_INT,                                                                          \
		.offset = offsetof(struct workload_common, clients),                                        \
		.min = 1,                                                                                   \
		.max = 1e5,                                                                                 \
		.fallback = "1",                                                                            \
		.unit = "",                                                                                 \
		.help = "parties that submit requests; with regions, client i sits where validator i mod "  \
				"n does"},                                                                          \
	{.name = "outstanding",                                                                         \
		.kind = PARAM_INT,                                                                          \
		.offset = offsetof(struct workload_common, outstanding),                                    \
		.min = 1,                                                                                   \
		.max = 1e6,                                                                                 \
		.fallback = "1",                                                                            \
		.unit = "",                                                                                 \
		.when = "arrivals = none",                                                                  \
		.help = "closed loop: requests that each client keeps under way"},                          \
	{.name = "size",                                                                                \
		.kind = PARAM_BYTES,                                                                        \
		.offset = offsetof(struct workload_common, size_bytes),                                     \
		.min = 0,                                                                                   \
		.max = 1e6, /* a batch of as many as the protocols allow then stays below 4 GiB */          \
		.fallback = "0 B",                                                                          \
		.unit = "bytes",                                                                            \
		.help = "payload of a request; at most 1 MB"},                                              \
	{.name = "conflict",                                                                            \
		.kind = PARAM_REAL,                                                                         \
		.offset = offsetof(struct workload_common, conflict),                                       \
		.min = 0,                                                                                   \
		.max = 1,                                                                                   \
		.fallback = "0",                                                                            \
		.unit = "",                                                                                 \
		.when = conflict_when,                                                                      \
		.help = conflict_help},                                                                     \
	{.name = "arrivals",                                                                            \
		.kind = PARAM_PLUGIN,                                                                       \
		.offset = offsetof(struct workload_common, arrivals),                                       \
		.registry = &arrival_registry,                                                              \
		.unit = "",                                                                                 \
		.help = "open loop: when requests arrive, whatever is under way; unset: closed loop"},      \
	{.name = "reply_quorum", .kind = PARAM_INT, .flags = PARAM_AUTO,                                \
		.offset = offsetof(struct workload_common, reply_quorum), .min = 1, .max = 1e6,             \
		.fallback = "auto", .unit = "validators",                                                   \
		.help = "equal replies that a client waits for; auto: what the protocol says"},             \
	CLIENT_TIMEOUT_PARAM("a client without an answer sends its request again after this long")

#endif
