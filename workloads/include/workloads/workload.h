/* What is agreed on, as scenarios name it: a struct app each (workloads/app.h), and what their settings share.
 *
 * `requests` orders opaque transactions from clients of their own, `kv` has them read and write a store. Of others
 * (workloads/items.h) validators predict items, whose predictions are ordered, scored and aggregated. */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include "sim/param.h"
#include "sim/random.h"

/* The first member of every workload's settings. */
struct workload_common {
	struct plugin_value arrivals; /* no plugin: closed loop (requests only) */
	sim_time client_timeout_ns;   /* retransmission; SIM_NEVER: off */
	/* requests, kv */
	int64_t clients, outstanding, size_bytes;
	double conflict;      /* share of transactions that touch what all share */
	int64_t reply_quorum; /* PARAM_AUTO_VALUE: what the protocol asks for */
	/* applications */
	double tolerance;     /* relative */
	int64_t quorum;       /* predictions that close an item; default n - floor((n-1)/3) */
	sim_time deadline_ns; /* default: the client timeout */
	int validation;       /* enum validation */
	int identities;       /* enum identities */
};

/* What is ordered: predictions that the application aggregates, or one proposer's value that the others
 * vote for only if it is within the tolerance of their own. */
enum validation { VALIDATION_OFF, VALIDATION_TOLERANCE };

/* Who may predict: the validators alone, or whoever claims to be somebody. */
enum identities { IDENTITIES_VALIDATORS, IDENTITIES_OPEN };

/* When items arrive. */
struct arrival_process {
	struct plugin plugin;
	/* The time from one arrival to the next, ns, at least 0. */
	sim_time (*gap)(const void *settings, struct random_stream *stream);
};

extern const struct registry workload_registry;
extern const struct registry arrival_registry;

#endif
