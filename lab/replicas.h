/* What each validator has executed: transactions, and the application behind them. */
#ifndef LAB_REPLICAS_H
#define LAB_REPLICAS_H

#include "transactions.h"

/* A batch executed before it was committed. */
struct tentative {
	uint64_t instance, view;
	const struct batch *batch;
	size_t first;   /* of its commands in the log */
	uint64_t state; /* the application's digest before it */
	uint64_t history; /* in a replica's past: of it and all before it */
};

struct tentative_log {
	struct tentative *batches; /* from `first` on */
	size_t first, n, capacity;
	transaction_id *commands; /* executed and not committed, in that order; and how to undo each */
	unsigned char *undo;      /* undo_stride bytes each */
	size_t n_commands, commands_capacity, undo_capacity;
};

/* What executing a command came to, for whoever asks again. */
struct reply {
	uint64_t result;
	uint64_t instance; /* 0: not executed */
};

struct replica {
	uint64_t *executed; /* bits by transaction */
	size_t executed_words;
	uint64_t applied;   /* the last instance executed */
	uint64_t n_applied; /* instances */
	uint64_t n_positions; /* transactions, where no order is promised */
	uint64_t n_committed;
	uint64_t view;      /* the highest that it was seen in */
	uint64_t committed; /* the last instance that it said is committed */
	void *state;        /* the application's */
	uint64_t history;   /* of the batches that it has executed for good */
	uint32_t broken;    /* bits by the application's checks: told */
	struct reply *replies; /* by transaction; where clients are told results that are more than an instance */
	size_t replies_capacity;
	struct tentative_log *tentative; /* NULL: nothing yet */
	struct tentative_log *past;      /* executed for good, where that may be revoked; `first` is 0. NULL: nothing yet */
};

struct replicas {
	struct replica *list; /* by validator */
	bool keeps_replies;
	bool revocable;       /* finality is probable */
	bool compares;        /* which request stands at which place, as it is executed */
	size_t undo_stride;   /* the application's undo_size, so that each record is aligned for any type */
	struct states *states; /* states.h; NULL: nothing is looked at */
};

static inline struct replica *replica_of(const struct lab *lab, uint32_t validator)
{
	return &lab->replicas->list[validator];
}

void replicas_start(struct lab *lab);
void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply);
void replica_reply(struct node *node, transaction_id transaction, uint64_t view);
/* undo.c: batches executed before they are committed, confirmed, or undone. */
void replica_apply_tentative(struct node *node, uint64_t instance, uint64_t view,
	const struct batch *batch);
void replica_confirm(struct node *node, uint64_t instance);
void replica_rollback(struct node *node, uint64_t instance);
/* Executed for good and taken back all the same. */
void replica_revoked(struct node *node, uint64_t instance);
bool replica_is_tentative(const struct replica *replica, transaction_id transaction);
void tentative_finish(struct replica *replica);
void replica_read(struct node *node, transaction_id transaction, uint64_t view);
/* A crash has taken what it had executed: it begins anew. */
void replica_forget(struct node *node);
uint64_t replica_transaction_key(const struct node *node, transaction_id transaction);
void replicas_free(struct lab *lab);
/* Where finality is probable: of the batches that the replica has executed for good and not taken back. O(1). */
uint64_t replica_history(const struct replica *replica);
/* The run is over: where what was executed could be revoked, compares what was not. */
void replicas_settle(struct lab *lab);
/* Bytes that grow with the run. */
uint64_t replicas_bytes(const struct lab *lab);
/* What it has come to; zero where it has not executed it. Only where replies are kept. */
struct reply replica_reply_of(const struct lab *lab, uint32_t validator, transaction_id transaction);
/* The instance in which an honest replica came to this result, or else, as a liar says, a liar; 0: none did.
 * O(n validators). */
uint64_t replicas_instance_of(const struct lab *lab, transaction_id transaction, uint64_t result);
/* One replica that has executed nothing, zeroed before. */
void replica_init(struct lab *lab, struct replica *replica);
void replica_finish(struct lab *lab, struct replica *replica);
bool replica_executed(const struct node *node, transaction_id transaction);
uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction);
/* May the validator vote for the batch, by what its application says of each COMMAND_OWN in it? */
bool replica_valid(const struct node *node, const struct batch *batch);

/* Between replica.c and undo.c. */

/* Notes that the transaction is executed in the instance; what a client has been told stays. Returns whether it
 * is new to the replica. */
bool replica_begin(struct lab *lab, struct node *node, uint64_t instance, transaction_id id);
/* The instance is executed at the replica, for good. */
void replica_applied(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch);
/* Where finality is probable: the batch is executed for good from now on, and the command is its next; returns room
 * to say how to undo that, until the next one. */
void replica_remember(
	struct lab *lab, struct replica *replica, struct log_place place, const struct batch *batch);
void *replica_remember_command(struct lab *lab, struct replica *replica, transaction_id id);
/* What executing the command comes to, changing the replica's state; `undo`: NULL, or room for its record. */
struct effect replica_run(
	struct lab *lab, struct replica *replica, transaction_id id, struct log_place place, void *undo);
/* What follows outside from a command that is executed for good. */
void replica_follow(struct lab *lab, struct node *node, transaction_id id, struct log_place place,
	const struct effect *effect);
void replica_send_reply(struct lab *lab, struct node *node, transaction_id transaction, uint64_t result,
	uint64_t view, unsigned flags);

#endif
