/* One run under way, shared by the files of this folder.
 *
 *   run.c       builds the world of a scenario and runs it
 *   end.c       when it is over, and with which verdict
 *   items.c     items arrive, clients are content
 *   predictions.c  validators predict, gateways close
 *   scores.c    what becomes of predictions: who was listened to, and who was lied to
 *   models.c    what validators predict with: training, again and again, and the cache
 *   adversary.c what attackers make of predictions
 *   attackers.c who attacks, and what attackers on nodes do
 *   twins.c     validators that run twice
 *   clients.c   who submits transactions, waits for the answer and asks again
 *   leaders.c   how clients find the leader and follow it, where a protocol has one that they ask
 *   replies.c   the replies to a request of which there are several sorts
 *   replica.c   what a validator executes: transactions, and the application behind them
 *   kv.c        the store of `kv`, at the replicas and as its clients know it
 *   transactions.c  the life of each transaction, where it is recorded
 *   trace.c     tells a sink all that happens, where there is one
 *   watch.c     the invariants, checked from the outside at every report
 *   footprint.c  what the run has taken, and when that is too much
 *   members.c   who belongs, where validators come and go
 *   faults.c    what the engine's faults need to know of protocols: quorums, steps, lies
 *   told.c      those about what clients were told: exactly-once, durability, liveness
 *   linearizable.c  whether what clients read and wrote is linearizable
 *   outages.c   how long service stopped, and after which fault
 *   collect.c   samples to KPIs and tables
 *   measure/    what is sampled for them, and where rows go */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include "attacks/attack.h"
#include "engine/world.h"
#include "lab/run.h"
#include "lab/trace.h"
#include "measure/samples.h"
#include "sim/real.h"
#include "protocols/protocol.h"
#include "workloads/application.h"
#include "workloads/kv.h"
#include "workloads/rules.h"
#include "workloads/workload.h"

#include <math.h>
#include <stdio.h>

/* Bytes on the wire besides the payload: client, timestamp, operation, authenticator. */
#define REQUEST_HEADER_BYTES 40
#define REPLY_BYTES 64
#define PREDICTION_BYTES 24 /* item, node, value, claimed standard deviation */

enum transaction_kind {
	TRANSACTION_REQUEST,
	TRANSACTION_PREDICTION,
	TRANSACTION_CLOSE,
	TRANSACTION_PROPOSAL, /* a value that its client's validator alone may propose (validation) */
};

struct transaction {
	double value;
	double confidence; /* the standard deviation claimed for it */
	uint64_t instance; /* that executed it */
	uint32_t client; /* the node of the client or gateway */
	uint32_t item;
	uint32_t asked;  /* whom the client asked last */
	uint32_t replies; /* index into the client's reply counts (or sets), or NODE_NONE; a proposal: refusals */
	uint32_t identity; /* under which it speaks: the client, or one that a Sybil made up */
	uint8_t kind;
	bool answered;
	bool refused; /* its identity is no participant's: counted */
	bool judged;  /* a proposal that some validator has had to vote on: counted */
};

/* What one client asks of the store, by transaction. */
struct kv_operation {
	uint32_t key;
	uint32_t expected; /* optimistic: the version that its client knows */
	bool put, aborted;
	bool unordered;    /* goes as a MESSAGE_READ */
	uint64_t invoked, answered; /* moments in the order of the clients' events; 0: not yet */
	sim_time answered_at;
	uint64_t result;
	transaction_id retry; /* of an aborted one; 0: none, since the first retries none */
};

#define KV_VERSION_BITS 31

/* An entry of the store, and what an operation comes to. A version counts the puts of a key (modulo
 * 2^31); a value is the transaction that wrote it, TRANSACTION_NONE at first. */
struct kv_entry {
	uint32_t version, value;
};

/* What one replica has executed of the store, and the answers. */
struct kv_replica {
	struct kv_entry *entries; /* by key */
	struct kv_reply {
		uint64_t result;
		uint64_t instance; /* 0: not executed */
	} *replies; /* the reply cache, by transaction */
	size_t replies_capacity;
};

/* The replies of all sorts to one request; each validator's last word counts. */
struct reply_set {
	uint64_t *results; /* by validator */
	uint64_t *views;
	uint8_t *sorts;    /* enum reply_sort */
	uint32_t next_free;
};

/* A batch executed before it was committed, and how to undo it. */
struct tentative {
	uint64_t instance;
	const struct batch *batch;
	size_t first; /* of its undo records */
};

struct undo {
	transaction_id transaction;
	uint32_t key; /* of the store, and what it held */
	struct kv_entry before;
};

struct tentative_log {
	struct tentative *batches; /* from `first` on */
	size_t first, n, capacity;
	struct undo *undo;
	size_t n_undo, undo_capacity;
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
	uint32_t turn;     /* whom it asked last where nobody was known to lead, or who did gave no answer */
	sim_time pause_ns; /* between two whom it asks for a leader; 0: it seeks none */
	sim_time seek_at;  /* it asks the next one then */
	sim_time followed_at;  /* it last asked a new leader for all that it waits for */
	sim_time follow_pause_ns; /* between two of those */
	sim_time follow_at; /* it asks the leader that it has heard of meanwhile then; 0: of none */
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

struct replica {
	uint64_t *executed; /* bits by transaction */
	size_t executed_words;
	uint64_t applied;   /* the last instance executed */
	uint64_t n_applied; /* instances */
	uint64_t n_positions; /* transactions, where no order is promised */
	uint64_t n_committed;
	struct application_replica *application;
	uint64_t view;      /* the highest that it was seen in */
	uint64_t committed; /* the last instance that it said is committed */
	struct kv_replica *store;          /* NULL: no store */
	struct tentative_log *tentative;   /* NULL: nothing yet */
};

/* A transaction's life, as /transactions tells it; SIM_NEVER: never. */
struct transaction_record {
	sim_time submitted, ordered, answered;
	uint64_t instance, view;
	uint32_t answered_by; /* whose reply was the last that its client needed */
	const char *reject; /* the application's word for why it changed nothing; "": it counted */
};

enum phase { PHASE_RUNNING, PHASE_DRAINING };

struct lab {
	struct world world;
	const struct scenario *scenario;
	const struct protocol *protocol;
	bool macs; /* requests and replies carry MACs, not signatures */
	const struct workload *workload;
	const struct workload_common *common;
	uint64_t seed;
	uint64_t run, point, replication;
	struct memory_allowance allowance;
	bool verbose;

	struct transaction *transactions;
	size_t n_transactions, transactions_capacity;
	bool noted; /* transactions are recorded or traced */
	struct transaction_record *records; /* by transaction; NULL: not recorded */
	size_t records_capacity;
	struct trace *trace; /* NULL: nobody listens */
	struct client *clients; /* by node: validators' gateways, then clients */
	struct reply_count *reply_counts;
	uint32_t n_reply_counts, reply_counts_capacity, reply_count_free;
	uint32_t reply_quorum;
	enum protocol_reads reads;
	uint32_t read_quorum, tentative_quorum; /* 0: no such replies */
	struct reply_set *reply_sets; /* where there are such */
	uint32_t n_reply_sets, reply_sets_capacity, reply_set_free;
	struct kv *kv; /* kv.c; NULL: no store */
	int backoff_max; /* the last of the CLIENT_BACKOFFS that is used */
	sim_time wait_max_ns; /* no client waits for longer */

	struct lab_item *items;
	size_t n_items, items_capacity;
	uint64_t n_accepted, n_decided;
	uint64_t items_max;
	bool arrivals_over;
	sim_time waiting_since; /* the last acceptance, or the first arrival after none was outstanding */
	bool clients_move; /* validators crash or leave: closings are kept until their item is accepted */
	struct random_stream arrivals;
	sim_time first_arrival, last_acceptance;

	bool **attackers;                /* by attack, by validator */
	struct attackers *node_attacks;  /* attackers.c; NULL: none */
	struct twins *twins;             /* twins.c, by validator; NULL: none */
	bool waits_for_leader;           /* some attack is on whoever leads */
	struct application *application;
	/* NULL where nothing is predicted. */
	struct predictions *predictions; /* predictions.h */
	struct models *models;           /* models.h */
	struct adversary *adversary;     /* adversary.c */
	struct scores *scores;           /* scores.h */

	struct replica *replicas;
	struct watch *watch;     /* watch.h */
	struct outages *outages; /* outages.h */
	struct members *members; /* members.h; NULL: all belong for ever */

	enum phase phase;
	sim_time end_ns; /* when the time is up */
	sim_time last_progress;
	sim_time waited_from; /* the last_progress after which a scheduled change was waited for, */
	uint32_t n_waits;     /* and how often in a row */
	const char *verdict;
	char verdict_reason[160];

	struct measure *measure; /* measure/measure.h */
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
/* Zeroed memory, to be freed. Ends the program when there is none. */
void *lab_new(size_t size);

/* Where the run begins: when it may be over. */
void lab_bound(struct lab *lab);
/* When the last change that is known from the start has come: the end of a fault or an attack, or, of those that
 * never end, the beginning. */
sim_time lab_last_change(const struct scenario *scenario);
/* The world's deadline is over, or its events: ends the run, or moves the deadline. */
void lab_overdue(struct world *world, sim_time next_ns);
/* Ends a drain, whether or not all have executed all: what items there are are accepted. */
void lab_done(struct lab *lab);
/* Something happened that counts as progress: the liveness bound starts again. */
void lab_progress(struct lab *lab);
/* Ends the run. */
void lab_end(struct lab *lab, const char *verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends it if the work is done and every honest live validator has executed the last instance. */
void lab_check_done(struct lab *lab);

/* footprint.c */
/* Ends the run where it has taken more than it may; else says until which event nobody looks again. */
void memory_look(struct lab *lab);

/* attackers.c */
void attackers_start(struct lab *lab);
/* Is what is sent now a message that an attack has made besides those of its node's protocol? */
bool attackers_send(const struct lab *lab);
/* Somebody leads. */
void attackers_led(struct lab *lab);
/* By validator, the group of an attack that it is in, as named or by default; VERSION_GIVEN: none. */
void attackers_groups(const struct lab *lab, const struct attack *attack, const void *settings,
	uint32_t *group);

/* Is some attacker deaf to requests? Then it stands before the protocol. */
bool attackers_ignore(const struct lab *lab);
void attackers_receive(struct node *node, const struct message *message);

/* twins.c: the protocol's calls where some validators are twins. */
void twins_start(struct lab *lab);
void twins_finish(struct lab *lab);
bool twins_may_send(const struct lab *lab, const struct node *node, uint32_t to);
void twins_receive(struct node *node, const struct message *message);
void twins_timer(struct node *node, unsigned timer);
void twins_restart(struct node *node);
void twins_start_node(struct node *node);
/* A step of the scenario's, also where there are none: each twin takes it, if it can. */
bool twins_step(
	struct node *node, enum protocol_step step, const struct protocol_step_argument *argument);

/* clients.c */
void clients_start(struct lab *lab);
transaction_id client_submit(struct lab *lab, uint32_t client, enum transaction_kind kind,
	uint32_t item, double value);
void client_receive(struct node *node, const struct message *message);
void client_timer(struct node *node);
/* A gateway's validator has executed the transaction. */
void client_executed(struct lab *lab, transaction_id transaction);
void clients_restart(struct lab *lab, struct node *node);
/* Asks `to` for it. */
void client_ask(struct lab *lab, uint32_t id, transaction_id transaction, uint32_t to);
/* Of what it waits for that can be asked of anyone: the first at or after (*level, *i), which are moved past
 * it; TRANSACTION_NONE: none is left. They begin at 0. */
transaction_id client_waits_for(const struct lab *lab, uint32_t id, int *level, uint32_t *i);

/* replies.c */
enum reply_sort { REPLY_SORT_NONE, REPLY_SORT_READ, REPLY_SORT_TENTATIVE, REPLY_SORT_FIRM };

uint32_t reply_set_take(struct lab *lab);
void reply_set_give_back(struct lab *lab, uint32_t set);
struct reply_tally {
	/* Equal to the one just taken; tentative ones: the most that are of one view. */
	uint32_t n_firm, n_tentative, n_read;
	uint32_t n_heard;                     /* validators that have answered in any way */
};
/* Takes one reply into the set. O(n validators), squared where there are tentative ones. */
struct reply_tally reply_set_add(struct lab *lab, uint32_t set, const struct message *message);

/* kv.c */
/* A store that holds nothing yet. */
struct kv_replica *kv_store_create(struct lab *lab);
void kv_start(struct lab *lab);
void kv_free(struct lab *lab);
/* The operation of the transaction that is submitted next: what item `item` of `client` asks for. */
void kv_prepare(struct lab *lab, uint32_t client, uint32_t item);
/* A result that never was: what liars tell instead of the true one. */
uint64_t kv_false_result(const struct lab *lab, transaction_id transaction, uint64_t result);
/* The key's version and value that a result tells of. Returns whether it aborted. */
bool kv_result(uint64_t result, struct kv_entry *entry);
struct kv_operation *kv_operation_of(const struct lab *lab, transaction_id transaction);
/* The replica executes it: changes its store, keeps the result and gives it. */
uint64_t kv_execute(struct lab *lab, uint32_t replica, transaction_id transaction, uint64_t instance);
/* What a get comes to at the replica now. */
uint64_t kv_read(const struct lab *lab, uint32_t replica, transaction_id transaction);
struct kv_reply kv_reply_of(const struct lab *lab, uint32_t replica, transaction_id transaction);
void kv_undo(struct lab *lab, uint32_t replica, const struct undo *undo);
/* The instance in which an honest replica came to this result, or else, as a liar says, a liar; 0: none did.
 * O(n validators). */
uint64_t kv_instance_of(const struct lab *lab, transaction_id transaction, uint64_t result);
/* The client has its answer. True: it is what was asked for; false: it was aborted, and `expected` of the
 * next try is known. */
bool kv_answered(struct lab *lab, transaction_id transaction, uint64_t result);
/* What its client was told of the key. */
struct kv_entry kv_told(const struct kv_operation *operation);
void kv_prepare_again(struct lab *lab, transaction_id aborted);
void kv_check_linear(struct lab *lab);
void kv_counts(const struct lab *lab, uint64_t *n_aborts, uint64_t *n_retries);

/* replica.c */
void replicas_start(struct lab *lab);
void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply);
void replica_reply(struct node *node, transaction_id transaction, uint64_t view);
void replica_apply_tentative(struct node *node, uint64_t instance, uint64_t view,
	const struct batch *batch);
void replica_confirm(struct node *node, uint64_t instance);
void replica_rollback(struct node *node, uint64_t instance);
void replica_read(struct node *node, transaction_id transaction, uint64_t view);
/* A crash has taken what it had executed: it begins anew. */
void replica_forget(struct node *node);
uint64_t replica_transaction_key(const struct node *node, transaction_id transaction);
void replicas_free(struct lab *lab);
/* One replica that has executed nothing, zeroed before. */
void replica_init(struct lab *lab, struct replica *replica);
void replica_finish(struct replica *replica);
bool replica_executed(const struct node *node, transaction_id transaction);
uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction);
/* Are the batch's proposals within the tolerance of what the node's own validator says? */
bool replica_valid(const struct node *node, const struct batch *batch);

/* transactions.c: called where lab->noted. */
void transaction_submitted(struct lab *lab, transaction_id transaction);
/* A validator has executed it. Only the first that does not attack the protocol is noted. */
void transaction_executed(struct lab *lab, const struct node *node, transaction_id transaction,
	uint64_t instance, uint64_t view, const char *reject);
/* `by`: the validator whose reply was the last that it took. */
void transaction_answered(struct lab *lab, transaction_id transaction, uint32_t by);
void transactions_table(struct lab *lab);

/* trace.c: called where lab->trace is not NULL. */
void trace_start(struct lab *lab, const struct trace_sink *sink, struct host_ops *ops);
/* The protocol has started at every node. */
void trace_started(struct lab *lab);
void trace_submitted(struct lab *lab, transaction_id transaction);
void trace_accepted(struct lab *lab, uint32_t item);
/* Tells of what was found broken since it was last looked at: at the end of all checks. */
void trace_violations(struct lab *lab);
void trace_end(struct lab *lab);

/* collect.c */
void collect_accepted(struct lab *lab, struct lab_item *item);
/* For the table of faults, where there is one. */
void collect_fault(struct lab *lab, uint32_t node, const char *what);
void collect_finish(struct lab *lab, union cell *kpis);
void collect_tables(struct lab *lab);

#endif
