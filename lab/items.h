/* Items in general, whatever they are: lab/items.c. */
#ifndef LAB_ITEMS_H
#define LAB_ITEMS_H

#include "sim/node.h"
#include "sim/random.h"

struct lab;

/* One item, from its arrival at its client. */
struct lab_item {
	sim_time arrived, decided;   /* decided: accepted by its client; SIM_NEVER until then */
	double truth;
	uint64_t instance, view;
	uint32_t client;             /* a validator, for its gateway, or the node of a client of its own */
	uint32_t proposer;
	double value;
	double first_value;          /* of the first honest replica that closed it */
	bool accepted, closed_somewhere, decided_value, diverged;
};

struct items {
	struct lab_item *all;
	size_t n, capacity;
	uint64_t n_accepted, n_decided;
	uint64_t max;
	bool arrivals_over;
	bool clients_move; /* validators crash or leave, and with them gateways */
	sim_time waiting_since; /* the last acceptance, or the first arrival after none was outstanding */
	sim_time first_arrival, last_acceptance;
	struct random_stream arrivals;
};

/* Before anything that knows of items. */
void items_create(struct lab *lab);
void items_destroy(struct lab *lab);

/* The first arrival, or the first requests of a closed loop. */
void items_start(struct lab *lab);
/* One arrives now, at that client. Those before it may move. */
uint32_t item_new(struct lab *lab, uint32_t client);
/* The item's client is content. */
void items_accepted(struct lab *lab, uint32_t item);
/* The gateway of that validator, or of the next live honest one that belongs. */
uint32_t items_gateway(const struct lab *lab, uint32_t from);

#endif
