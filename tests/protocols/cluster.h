/* A small cluster for the tests of the protocols: n validators of any protocol on a real world, with
 * control over single messages, and a trace that reads as a story.
 *
 *     struct cluster *cluster = cluster_create(&(struct cluster_options){
 *         .protocol = "pbft batch=1 view_timeout=1s", .latency = "constant value=10ms", .n = 4});
 *     cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .to = NODE(2), .do_drop = true});
 *     cluster_submit(cluster, 0, 0, 7);           // at 0 ns node 0 receives transaction 7
 *     cluster_run(cluster, 100 * SIM_MS);         // all events up to and at that time
 *     assert_int_equal(cluster->nodes[1].n_executed, 1);
 *     cluster_assert_story(cluster, "n0 proposes 1 in view 0 [7]", "n1 commits 1 in view 0 [7]");
 *     cluster_assert_safe(cluster);
 *     cluster_destroy(cluster);
 *
 * There are no clients: a submitted transaction is received by a node at that instant, from node n, and
 * the answers are counted. With `retry_ns`, a transaction that has not been answered by the protocol's
 * reply quorum is submitted again to all live nodes, and again.
 *
 * The application keeps, at each node, a list of what was committed and of what was executed. It survives
 * crashes, as the laboratory's does. What was executed tentatively is in the list once it is confirmed; a
 * client that has a quorum of equal tentative replies of one view has been told, and what it was told must
 * come true. It checks while the cluster runs: an instance is committed once at
 * a node and with the same batch everywhere, executed in order without gaps, and a transaction runs
 * once. What breaks is kept in `violation`: tests of what must break can look at it. A node that lies
 * (cluster_lies) is left out. */
#ifndef TESTS_PROTOCOLS_CLUSTER_H
#define TESTS_PROTOCOLS_CLUSTER_H

#include "engine/world.h"
#include "protocols/protocol.h"

#define CLUSTER_NODES_MAX 64
#define NODE(i) (UINT64_C(1) << (i))
#define NODES_ALL UINT64_MAX

struct cluster;

struct cluster_options {
	const char *protocol;  /* "NAME key=value ..."; values as in a scenario, without spaces; of a range,
	                        * the ends with a comma: "election_timeout=150ms,300ms". The rest are the
	                        * protocol's defaults */
	const char *latency;   /* the same; default "constant value=10ms" */
	uint32_t n;
	uint32_t faulty;       /* f; 0: the most that the protocol can tolerate */
	uint64_t seed;
	double loss;           /* of any message; cluster_loss changes it */
	sim_time retry_ns;     /* 0: nobody submits again */
	bool quiet;            /* keep no trace: for many or long runs */
	bool receipts;         /* trace each message received, too */
	uint32_t transaction_bytes;
	struct node_costs costs;
	uint64_t (*key)(transaction_id transaction); /* what it touches; NULL: may be anything */
	bool (*valid)(uint32_t node, const struct batch *batch); /* by the node's own knowledge; NULL: all is */
};

/* What happens to messages between validators, decided at arrival. A rule strikes where
 * everything that it names fits; fields left 0 fit all. The last rule added that strikes decides
 * alone. */
struct cluster_rule {
	uint8_t kind;              /* the protocol's, or MESSAGE_REQUEST (as forwarded) */
	uint64_t from, to;         /* sets of nodes: NODE(1) | NODE(2) */
	uint64_t view_from, view_until; /* half-open; view_until 0: all */
	uint64_t instance;
	sim_time from_ns, until_ns; /* half-open; until_ns 0: for ever */
	uint64_t max;              /* strikes so many times, then never again; 0: always */
	/* A last word: false: the rule does not strike. */
	bool (*when)(struct cluster *cluster, uint32_t to, const struct message *message, void *context);

	/* What is done; none of these: the message passes (over earlier rules). */
	bool do_drop;
	bool do_hold;              /* until cluster_release */
	sim_time delay_ns;         /* handed over so much later (not looked at by rules again) */
	uint32_t duplicates;       /* handed over so many times more, at the same instant */
	/* Changes the message before it is handed over (kind, from, body, anything). */
	void (*replace)(struct cluster *cluster, uint32_t to, struct message *message, void *context);
	void *context;

	uint64_t n_struck;         /* so far; see cluster_struck */
};

struct cluster_entry {
	sim_time at_ns;
	uint64_t instance, view;
	const struct batch *batch;
};

struct cluster_node {
	struct cluster_entry *executed, *committed; /* in the order in which it happened */
	size_t n_executed, executed_capacity;
	size_t n_committed, committed_capacity;
	uint64_t n_transactions;    /* different ones executed */
	uint64_t n_replies;         /* answers to clients: first ones and from the reply cache */
	uint64_t n_proposed, n_leads;
	uint64_t max_proposed;      /* the highest instance it proposed */
	uint64_t *committed_bits, *executed_bits;
	size_t committed_words, executed_words;
	uint64_t tentative;         /* executed and not yet confirmed: one at most; 0: none */
	struct cluster_entry tentative_entry;
	transaction_id *undo;       /* the transactions that it executed */
	size_t n_undo, undo_capacity;
	uint64_t n_undone;          /* tentative instances rolled back */
	uint64_t n_reads;           /* answered */
	struct cluster_entry *appended; /* Raft: what node_appended told, `view` being the term */
	size_t n_appended, appended_capacity;
};

struct cluster {
	struct world world;
	const struct protocol *protocol;
	struct cluster_options options;
	uint32_t n, n_faulty, reply_quorum;
	uint64_t liars;             /* a set of nodes */
	struct cluster_node nodes[CLUSTER_NODES_MAX];
	uint64_t received[256];     /* messages handed over, by kind */
	char violation[256];        /* the first; "" where none */
	void *context;              /* the test's own */

	/* The rest is the harness's own. */
	struct arena settings;
	struct cluster_rule *rules;
	size_t n_rules, rules_capacity;
	struct cluster_held *held, **held_end;
	struct cluster_transaction *transactions;
	size_t n_transactions, transactions_capacity;
	const struct batch **agreed; /* by instance - 1: what the first to commit it committed */
	size_t n_agreed, agreed_capacity;
	char *trace;
	size_t trace_n, trace_capacity;
};

struct cluster *cluster_create(const struct cluster_options *options);
void cluster_destroy(struct cluster *cluster);

/* Runs all events up to and at a time (absolute); the world's clock then shows it. */
void cluster_run(struct cluster *cluster, sim_time until_ns);

/* At a time (absolute; the past means now). */
void cluster_submit(struct cluster *cluster, sim_time at_ns, uint32_t to, transaction_id transaction);
void cluster_submit_all(struct cluster *cluster, sim_time at_ns, transaction_id transaction);
/* A read that is not to be ordered. */
void cluster_read(struct cluster *cluster, sim_time at_ns, uint32_t to, transaction_id transaction);
void cluster_crash(struct cluster *cluster, sim_time at_ns, uint32_t node);
void cluster_restart(struct cluster *cluster, sim_time at_ns, uint32_t node);
void cluster_loss(struct cluster *cluster, sim_time at_ns, double probability);
/* Hands over a message of the test's making; `from` in it is believed. Passes no rules. The body
 * must live as long as the cluster: cluster_alloc. */
void cluster_inject(struct cluster *cluster, sim_time at_ns, uint32_t to, const struct message *message);

/* Adds a rule; returns its number, for cluster_struck and cluster_rule_end. */
size_t cluster_rule(struct cluster *cluster, struct cluster_rule rule);
uint64_t cluster_struck(const struct cluster *cluster, size_t rule);
void cluster_rule_end(struct cluster *cluster, size_t rule);
/* Hands over all that is held, in order of arrival, now. Returns how many. */
size_t cluster_release(struct cluster *cluster);
/* Cuts all messages between a set of nodes and the rest, from now to a time (0: for ever). */
size_t cluster_isolate(struct cluster *cluster, uint64_t nodes, sim_time until_ns);

/* From now on the node's doings are not checked. */
void cluster_lies(struct cluster *cluster, uint32_t node);

void *cluster_alloc(struct cluster *cluster, size_t size);
const struct batch *cluster_batch(struct cluster *cluster, const transaction_id *transactions, uint32_t n);

/* Looking at it. */
struct node *cluster_node(struct cluster *cluster, uint32_t node);
uint64_t cluster_view(const struct cluster *cluster, uint32_t node);
uint32_t cluster_leader(const struct cluster *cluster, uint32_t node);
bool cluster_executed(const struct cluster *cluster, uint32_t node, transaction_id transaction);
/* What `node` committed at an instance; NULL: nothing yet. */
const struct cluster_entry *cluster_committed(
	const struct cluster *cluster, uint32_t node, uint64_t instance);
/* Different nodes that have answered the transaction. */
uint32_t cluster_replies(const struct cluster *cluster, transaction_id transaction);
/* Nodes of the set have executed the same batches, in the same order, and as many. */
bool cluster_same_logs(const struct cluster *cluster, uint64_t nodes);

/* The trace: lines " 12.000 ms n2 what". The times of a line count that contains `what`, at
 * `node` (NODE_NONE: at any). */
size_t cluster_told(const struct cluster *cluster, uint32_t node, const char *what);
void cluster_print(const struct cluster *cluster);

/* The trace holds lines that begin (after the time) with these texts, in this order; others may lie
 * between. Fails with the trace and the text that is missing. */
#define cluster_assert_story(cluster, ...) \
	cluster_assert_story_at(__FILE__, __LINE__, cluster, (const char *const[]){__VA_ARGS__, NULL})
void cluster_assert_story_at(
	const char *file, int line, const struct cluster *cluster, const char *const *story);
#define cluster_assert_safe(cluster) cluster_assert_safe_at(__FILE__, __LINE__, cluster)
void cluster_assert_safe_at(const char *file, int line, const struct cluster *cluster);

#endif
