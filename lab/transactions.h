/* What is submitted, by number, and the life of each where it is recorded or traced. */
#ifndef LAB_TRANSACTIONS_H
#define LAB_TRANSACTIONS_H

#include "lab.h"
#include "workloads/app.h"

/* Bytes on the wire besides the payload: client, timestamp, operation, authenticator. */
#define REQUEST_HEADER_BYTES 40
#define REPLY_BYTES 64

struct transaction {
	struct command command; /* what it asks; complete before it is sent */
	uint64_t instance;      /* that executed it */
	uint32_t item;
	uint32_t asked;    /* whom the client asked last */
	uint32_t replies;  /* index into the client's reply counts (or sets), or NODE_NONE; a COMMAND_OWN: votes against */
	uint8_t flags;     /* enum command_flags */
	bool unordered;    /* goes as a MESSAGE_READ */
	bool answered;
	bool told;    /* what it made known is in /events */
	bool judged;  /* a COMMAND_OWN that some validator has had to vote on: counted */
};

/* A transaction's life, as /transactions tells it; SIM_NEVER: never. */
struct transaction_record {
	sim_time submitted, ordered, answered;
	uint64_t instance, view;
	uint32_t answered_by; /* whose reply was the last that its client needed */
	const char *reject; /* the application's word for why it changed nothing; "": it counted */
};

struct transactions {
	struct transaction *list; /* by number */
	size_t n, capacity;
	bool noted;   /* they are recorded or traced */
	bool any_own; /* some are a COMMAND_OWN */
	uint64_t n_judged, n_refused; /* of those: voted on, and refused by so many that they can't be ordered */
	struct transaction_record *records; /* by number; NULL: not recorded */
	size_t records_capacity;
};

static inline struct transaction *transaction_of(const struct lab *lab, transaction_id transaction)
{
	return &lab->transactions->list[transaction];
}

void transactions_start(struct lab *lab);
void transactions_free(struct lab *lab);
/* Bytes that grow with the run. */
uint64_t transactions_bytes(const struct lab *lab);
/* A new one; those before it may move. */
transaction_id transaction_new(struct lab *lab, uint32_t item, const struct command *command);

/* Called where they are noted. */
void transaction_submitted(struct lab *lab, transaction_id transaction);
/* A validator has executed it. Only the first that does not attack the protocol is noted. */
void transaction_executed(struct lab *lab, const struct node *node, transaction_id transaction,
	struct log_place place, const char *reject);
/* `by`: the validator whose reply was the last that it took. */
void transaction_answered(struct lab *lab, transaction_id transaction, uint32_t by);
/* What executing it for good has made known; the first honest validator's is recorded. */
void transaction_made_known(struct lab *lab, const struct node *node, transaction_id transaction,
	struct log_place place, const struct effect *effect);
void transactions_table(struct lab *lab);

#endif
