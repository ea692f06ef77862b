/* What each validator has executed: transactions, and the application behind them. */
#ifndef LAB_REPLICAS_H
#define LAB_REPLICAS_H

#include "kv.h"

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

struct replicas {
	struct replica *list; /* by validator */
};

static inline struct replica *replica_of(const struct lab *lab, uint32_t validator)
{
	return &lab->replicas->list[validator];
}

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
/* Bytes that grow with the run. */
uint64_t replicas_bytes(const struct lab *lab);
/* One replica that has executed nothing, zeroed before. */
void replica_init(struct lab *lab, struct replica *replica);
void replica_finish(struct replica *replica);
bool replica_executed(const struct node *node, transaction_id transaction);
uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction);
/* Are the batch's proposals within the tolerance of what the node's own validator says? */
bool replica_valid(const struct node *node, const struct batch *batch);

#endif
