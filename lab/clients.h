/* Who submits transactions, waits for the answer and asks again (clients.c), and the replies to a request of
 * which there are several sorts (replies.c). */
#ifndef LAB_CLIENTS_H
#define LAB_CLIENTS_H

#include "transactions.h"

/* The replies of all sorts to one request; each validator's last word counts. */
struct reply_set {
	uint64_t *results; /* by validator */
	uint64_t *views;
	uint8_t *sorts;    /* enum reply_sort */
	uint32_t next_free;
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

struct clients {
	struct client *list; /* by node: validators' gateways, then clients */
	int backoff_max;      /* the last of the CLIENT_BACKOFFS that is used */
	sim_time wait_max_ns; /* no client waits for longer */
	uint32_t reply_quorum;
	enum protocol_reads reads;
	uint32_t read_quorum, tentative_quorum; /* 0: no such replies */
	struct reply_count *counts;
	uint32_t n_counts, counts_capacity, count_free;
	struct reply_set *sets; /* where there are such replies */
	uint32_t n_sets, sets_capacity, set_free;
};

/* clients.c */
void clients_start(struct lab *lab);
void clients_free(struct lab *lab);
/* Bytes that grow with the run. */
uint64_t clients_bytes(const struct lab *lab);
transaction_id client_submit(struct lab *lab, uint32_t item, const struct command *command);
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

#endif
