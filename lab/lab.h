/* One run under way, shared by the files of this folder.
 *
 *   run.c       builds the world of a scenario, runs it, ends it with a verdict
 *   driver.c    items arrive, validators predict, gateways close
 *   adversary.c what attackers make of predictions
 *   attackers.c who attacks, and what attackers on nodes do
 *   twins.c     validators that run twice
 *   clients.c   who submits transactions, waits for the answer and asks again
 *   replica.c   what a validator executes: transactions, and the application behind them
 *   watch.c     the invariants, checked from the outside at every report
 *   collect.c   samples to KPIs and tables */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include "attacks/attack.h"
#include "engine/world.h"
#include "lab/run.h"
#include "sim/real.h"
#include "protocols/protocol.h"
#include "workloads/application.h"
#include "workloads/rules.h"
#include "workloads/workload.h"

#include <math.h>
#include <stdio.h>

/* Bytes on the wire besides the payload: client, timestamp, operation, authenticator. */
#define REQUEST_HEADER_BYTES 40
#define REPLY_BYTES 64
#define PREDICTION_BYTES 24 /* item, node, value */

enum transaction_kind { TRANSACTION_REQUEST, TRANSACTION_PREDICTION, TRANSACTION_CLOSE };

struct transaction {
	double value;
	uint64_t instance; /* that executed it */
	uint32_t client; /* the node of the client or gateway */
	uint32_t item;
	uint32_t asked;  /* whom the client asked last */
	uint32_t replies; /* index into the client's reply counts, or NODE_NONE */
	uint8_t kind;
	bool answered;
};

/* The replies to one request: who gave the first answer that came, and who others. */
struct reply_count {
	uint64_t result;
	uint32_t n;
	uint32_t next_free;
	uint32_t n_others, others_capacity;
	struct {
		uint64_t result;
		uint32_t from;
	} *others;
	uint64_t *bits;
};

struct outstanding {
	transaction_id transaction;
	sim_time deadline;
};

/* Requests that wait equally long, and so by deadline. */
struct outstanding_ring {
	struct outstanding *ring;
	uint32_t first, n, capacity;
};

#define CLIENT_BACKOFFS 8 /* client_timeout, twice it, ... 128 times it, and so on */

struct client {
	uint32_t believed; /* whom it takes for the leader */
	uint64_t view;     /* of which it heard that */
	struct outstanding_ring waiting[CLIENT_BACKOFFS]; /* by how often they were asked again */
};

/* One item, from its arrival at its client. */
struct lab_item {
	sim_time arrived, decided;   /* decided: accepted by its client; SIM_NEVER until then */
	double truth;
	uint64_t instance, view;
	uint32_t client;             /* the validator (application) or client node (requests) */
	uint32_t proposer;
	double value;
	double first_value;          /* of the first honest replica that closed it */
	uint32_t n_predictions, n_rejected, n_disputed;
	bool accepted, closed_somewhere, decided_value, diverged, dispute;
	/* Application: what each validator would have said and did say; given back when it is decided. */
	struct item_details *details;
	struct kept_closing *kept; /* where clients may change validators: closings seen so far */
};

/* How one validator closed an item, in case that the item's client moves to it. */
struct kept_closing {
	struct kept_closing *next;
	uint64_t instance, view;
	struct closing_view closing; /* its arrays stand behind this struct */
	uint32_t node;
};

struct item_details {
	struct item_details *next_free;
	double *honest, *sent; /* NaN: nothing */
	bool *attacked;
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
};

struct replica {
	uint64_t *executed; /* bits by transaction */
	size_t executed_words;
	uint64_t applied;   /* the last instance executed */
	uint64_t n_applied; /* instances */
	uint64_t n_positions; /* transactions */
	uint64_t n_committed;
	struct application_replica *application;
};

/* What became of one validator's predictions, at the items' clients' validators. */
struct validator_counts {
	uint64_t accepted, rejected;
	double score_sum;
	uint64_t n_scores;
	sim_time first_bad, first_rejected; /* SIM_NEVER */
};

struct violation {
	const char *invariant;
	sim_time at;
	uint32_t node_a, node_b;
	uint64_t instance, value_a, value_b;
};

#define VIOLATIONS_MAX 1000

/* Growing arrays of plain samples, freed at the end of the run. */
struct samples {
	int64_t *values;
	size_t n, capacity;
};

enum phase { PHASE_RUNNING, PHASE_DRAINING };

struct lab {
	struct world world;
	const struct scenario *scenario;
	const struct protocol *protocol;
	const struct workload *workload;
	const struct workload_common *common;
	uint64_t seed;
	uint64_t run, point, replication;
	struct run_blocks *out; /* rows of the tables, or NULL */
	const struct run_schemas *schemas;
	bool verbose;

	struct transaction *transactions;
	size_t n_transactions, transactions_capacity;
	struct client *clients; /* by node: validators' gateways, then clients */
	struct reply_count *reply_counts;
	uint32_t n_reply_counts, reply_counts_capacity, reply_count_free;
	uint32_t reply_quorum;
	int backoff_max; /* the last of the CLIENT_BACKOFFS that is used */

	struct lab_item *items;
	size_t n_items, items_capacity;
	uint64_t n_accepted, n_decided;
	uint64_t items_max;
	bool arrivals_over;
	bool clients_move; /* validators crash: closings are kept until their item is accepted */
	struct random_stream arrivals;
	sim_time first_arrival, last_acceptance;
	struct item_details *details_free;

	struct prediction_model *models; /* one a validator */
	bool **attackers;                /* by attack, by validator */
	struct adversary *adversary;     /* adversary.c; NULL in `requests` */
	struct attackers *node_attacks;  /* attackers.c; NULL: none */
	struct twins *twins;             /* twins.c, by validator; NULL: none */
	bool waits_for_leader;           /* some attack is on whoever leads */
	struct application *application;

	struct replica *replicas;
	struct lab_instance *instances;
	size_t n_instances, instances_capacity;
	transaction_id *positions; /* requests: which transaction stands where */
	bool *position_diverged;
	size_t n_positions, positions_capacity;
	uint64_t n_diverged, n_instances_committed;
	uint64_t last_proposed;    /* the last instance that a live leader has proposed */
	uint64_t n_proposed;

	enum phase phase;
	sim_time last_progress;
	const char *verdict;
	char verdict_reason[160];

	/* Views and elections, by view or term. */
	struct term {
		uint32_t leader; /* NODE_NONE */
		bool candidate;
	} *terms;
	size_t n_terms, terms_capacity;
	uint64_t term_max;
	uint32_t leader;         /* of the latest view led */
	uint64_t leader_view;
	uint64_t n_led;
	sim_time leader_failed;  /* SIM_NEVER: it has not */

	/* Raft: what stands at (index, term), for log matching. */
	struct log_node {
		struct log_node *next;
		uint64_t term, prev_term, digest;
		uint32_t node;
	} **log_nodes;
	size_t n_log_nodes, log_nodes_capacity;

	struct violation violations[VIOLATIONS_MAX];
	uint64_t n_violations;

	struct samples latencies, commits, proposer_commits, recoveries, elections;
	struct samples fault_ends; /* times */
	uint64_t fault_end_next;
	struct validator_counts *validators;
	uint64_t attacked_scored, attacked_accepted, honest_scored, honest_rejected;
	int64_t n_windows_accepted, last_window_accepted; /* of one second, with an acceptance */
	uint32_t *places;                                 /* scratch, by validator */
};

static inline struct lab *lab_of(const struct node *node)
{
	return node->world->host;
}

/* Validators that crash or attack the protocol are left out of commit, divergence and dispute counts. */
static inline bool lab_counts(const struct node *node)
{
	return !node->byzantine && !node->crashes;
}

/* Memory for at least n elements; grows by doubling, new elements zeroed. Ends the program when there is
 * none. */
void *lab_grow(void *old, size_t element_size, size_t n, size_t *capacity);
void samples_add(struct samples *samples, int64_t value);

/* Something happened that counts as progress: the liveness bound starts again. */
void lab_progress(struct lab *lab);
/* Ends the run. */
void lab_end(struct lab *lab, const char *verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends it if the work is done and every honest live validator has executed the last instance. */
void lab_check_done(struct lab *lab);

/* driver.c */
void driver_start(struct lab *lab);
void driver_accepted(struct lab *lab, uint32_t item);
void driver_finish(struct lab *lab);
/* Validators went down: what waits at their gateways moves to the next live honest one. */
void driver_reassign(struct lab *lab);
void driver_restarted(struct lab *lab, uint32_t node);
void driver_closed(struct lab *lab, struct node *node, const struct closing_view *closing,
	uint64_t instance, uint64_t view);

/* adversary.c */
void adversary_start(struct lab *lab);
/* Where what validator `node` sees of the item under way is to be written: FEATURES_MAX. */
double *adversary_seen(struct lab *lab, uint32_t node);
/* From what the live validators would honestly say of an item to what they send. */
void adversary_speak(struct lab *lab, uint32_t item, struct item_details *details);
/* An item was accepted: who copies decisions may know its value from now on. */
void adversary_decided(struct lab *lab, const struct lab_item *item);

/* attackers.c */
void attackers_start(struct lab *lab);
/* Somebody leads. */
void attackers_led(struct lab *lab);
/* By validator, the group of an attack that it is in, as named or by default; VERSION_GIVEN: none. */
void attackers_groups(const struct lab *lab, const struct attack *attack, const void *settings,
	uint32_t *group);

/* twins.c: the protocol's calls where some validators are twins. */
void twins_start(struct lab *lab);
void twins_finish(struct lab *lab);
bool twins_may_send(const struct lab *lab, const struct node *node, uint32_t to);
void twins_receive(struct node *node, const struct message *message);
void twins_timer(struct node *node, unsigned timer);
void twins_restart(struct node *node);
void twins_start_node(struct node *node);

/* clients.c */
void clients_start(struct lab *lab);
transaction_id client_submit(struct lab *lab, uint32_t client, enum transaction_kind kind,
	uint32_t item, double value);
void client_receive(struct node *node, const struct message *message);
void client_timer(struct node *node);
/* A gateway's validator has executed the transaction. */
void client_executed(struct lab *lab, transaction_id transaction);
void clients_restart(struct lab *lab, struct node *node);

/* replica.c */
void replicas_start(struct lab *lab);
void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply);
void replica_reply(struct node *node, transaction_id transaction, uint64_t view);
bool replica_executed(const struct node *node, transaction_id transaction);
uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction);

/* watch.c */
struct lab_instance *watch_instance(struct lab *lab, uint64_t instance);
void watch_proposed(struct node *, uint64_t instance, uint64_t view, const struct batch *);
void watch_committed(struct node *, uint64_t instance, uint64_t view, const struct batch *);
void watch_applied(struct node *, uint64_t instance, const struct batch *);
void watch_leads(struct node *, uint64_t view);
void watch_candidate(struct node *, uint64_t term);
void watch_appended(struct node *, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *);
void watch_failed(struct lab *lab, struct node *node);
void watch_restarted(struct lab *lab, struct node *node);

/* collect.c */
void collect_accepted(struct lab *lab, struct lab_item *item);
void collect_closing(struct lab *lab, const struct closing_view *closing, struct lab_item *item);
void collect_fault_end(struct lab *lab);
void collect_finish(struct lab *lab, union cell *kpis);
void collect_tables(struct lab *lab);

#endif
