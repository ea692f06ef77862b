/* What the watchers know of a run: instances, views, leaders, logs, and what was found broken. Made by watch_start, its
 * own until watch_finish. */
#ifndef LAB_WATCH_H
#define LAB_WATCH_H

#include "lab.h"
#include "terms.h"

/* Where replicas have executed different batches in one instance. */
struct divergence {
	bool *places; /* of the batch; so many are known */
	size_t capacity;
	uint32_t n_places;
};

/* One instance, as the watchers know it. */
struct lab_instance {
	const struct batch *batch; /* the first honest replica's */
	uint64_t view;
	uint64_t committed_view;   /* the view or term of the first that committed it, by then */
	sim_time proposed_at;      /* SIM_NEVER: not yet */
	uint32_t proposer;
	uint32_t n_committed;
	uint32_t first_node;
	bool committed;
	bool commit_counted;
	bool proposed_again;  /* its proposer had executed one of its transactions before */
	const struct batch *executed; /* by the first honest replica; NULL: by none */
	struct divergence *divergence; /* NULL: all hold the same */
	uint64_t told_digest; /* committed when a client was told of a transaction in it; 0: none was */
};

/* Clients of their own, no order promised: which transaction came when. */
struct positions {
	transaction_id *transactions;
	bool *diverged;
	size_t n, capacity;
	uint64_t n_diverged; /* of items, too, where those are decided */
};

struct violation {
	const char *invariant;
	sim_time at;
	uint32_t node_a, node_b;
	uint64_t instance, value_a, value_b;
	const char *detail; /* what happened, in words */
	uint32_t order;
	bool liveness;    /* not a matter of safety */
	bool transaction; /* between clients: `instance` is a transaction */
};

#define VIOLATIONS_MAX 1000

struct watch {
	struct lab_instance *instances;
	size_t n_instances, instances_capacity;
	uint64_t n_committed; /* instances */
	uint64_t last_proposed; /* the last instance that a live leader has proposed */
	uint64_t n_proposed;
	struct positions positions;

	struct seen {
		uint64_t height, view; /* the highest that it was in; 0 where views hold for all instances */
		uint64_t committed;    /* the last instance that it said is committed */
	} *seen;                   /* by validator; the world's */

	struct terms terms;
	uint32_t leader; /* of the latest view led */
	uint64_t leader_height, leader_view;
	sim_time leader_failed; /* SIM_NEVER: it has not */

	/* Raft: what stands at (index, term), for log matching. */
	struct log_node {
		struct log_node *next;
		uint64_t term, prev_term, digest;
		uint32_t node;
	} **log_nodes;
	size_t log_nodes_capacity;

	uint64_t n_reorganisations, depth_max; /* revocations at honest validators, and the most instances in one */

	uint64_t *committed_by; /* by instance: a set of validators; where they weigh differently */
	size_t committed_by_capacity;

	struct violation violations[VIOLATIONS_MAX];
	uint64_t n_violations;
};

void watch_start(struct lab *lab);
/* Once the protocol has started at every node. */
void watch_started(struct lab *lab);
/* What has grown with the run, in bytes. */
uint64_t watch_bytes(const struct lab *lab);
void watch_finish(struct lab *lab);
/* The first that is heard of an instance. */
struct lab_instance *watch_instance_new(struct lab *lab, uint64_t instance);

static inline struct lab_instance *watch_instance(struct lab *lab, uint64_t instance)
{
	struct watch *watch = lab->watch;
	return instance < watch->n_instances ? &watch->instances[instance] : watch_instance_new(lab, instance);
}

void watch_proposed(struct node *, uint64_t instance, uint64_t view, const struct batch *);
void watch_committed(struct node *, uint64_t instance, uint64_t view, const struct batch *);
void watch_applied(struct node *, uint64_t instance, const struct batch *);
void watch_tentative(struct node *, uint64_t instance, const struct batch *);
/* Before it is: from this instance on. False: that must not be, and so is not done. */
bool watch_revoked(struct node *, uint64_t instance);
/* The run is over: what could have been revoked until now is looked at. */
void watch_settle(struct lab *lab);
void watch_view(struct node *); /* its view or term may have changed */
void watch_leads(struct node *, uint64_t view, enum lead_cause cause);
void watch_candidate(struct node *, uint64_t term);
void watch_appended(struct node *, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *);
/* It has forgotten what it had executed, and will commit it again. */
void watch_forgot(struct node *);
void watch_failed(struct lab *lab, struct node *node);
void watch_restarted(struct lab *lab, struct node *node);
/* `detail`: lives as long as the run. */
void watch_violated(struct lab *lab, const char *invariant, uint32_t a, uint32_t b, uint64_t instance,
	uint64_t value_a, uint64_t value_b, const char *detail);

#endif
