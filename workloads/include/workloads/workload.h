/* What is agreed on: one const struct a workload.
 *
 * `requests` orders opaque transactions from clients of their own, `kv` has them read and write a store.
 * Every other workload is an application: items arrive, each validator predicts, its gateway submits the
 * prediction, the item closes by log position, is scored, aggregated and decided by the replicated application
 * (workloads/application.h). A workload says only what its items are and what validators see. */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include "workloads/prediction.h"

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

struct kpi_table;

struct workload {
	struct plugin plugin;
	bool application;
	bool store; /* a key-value store (workloads/kv.h) */
	const char *value_unit; /* "kg" */
	const struct kpi_table *kpis; /* of its own (results/kpi.h); NULL: none */
	uint32_t n_features;
	const char *const *feature_names;
	/* Draws item number `index` from its own stream. */
	void (*draw)(
		const void *settings, struct random_stream *stream, uint64_t index, struct item *item);
	/* The truth and the target of an item whose features somebody has changed; NULL: they can't be
	 * told from the features. */
	void (*relabel)(const void *settings, struct item *item);
	/* What one validator sees of it, with its own noise. */
	void (*observe)(
		const void *settings, struct random_stream *stream, const struct item *item, double *seen);
	/* From what is seen and the predictor's output to the prediction, and the gradient of that with
	 * respect to what is seen, the output's own gradient given. */
	double (*value)(const void *settings, const double *seen, double output);
	void (*value_gradient)(const void *settings, const double *seen, double output,
		const double *output_gradient, double *gradient);
};

/* When items arrive. */
struct arrival_process {
	struct plugin plugin;
	/* The time from one arrival to the next, ns, at least 0. */
	sim_time (*gap)(const void *settings, struct random_stream *stream);
};

extern const struct registry workload_registry;
extern const struct registry arrival_registry;

#endif
