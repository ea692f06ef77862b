/* Where items are predicted: who says and sees what, and what is still open. */
#ifndef LAB_PREDICTIONS_H
#define LAB_PREDICTIONS_H

#include "workloads/application.h"

struct lab;
struct lab_item;
struct node;
struct computations;

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
	double *claimed;       /* the standard deviation that comes with what is sent */
	bool *attacked;
	uint32_t version;      /* of the models that have spoken */
};

struct predictions {
	struct item_details *details_free;
	struct computations *computations; /* predictions under way, by validator; or NULL */
	uint64_t kept_bytes;               /* in closings that are kept */
	uint32_t n_identities;             /* the validators, then those that Sybils make up */
	double *seen;                      /* FEATURES_MAX a validator, of the item under way */
	bool *alive;                       /* by validator */
	struct closing_room room;          /* where the adversary asks what would be decided */
	uint64_t speaking;                 /* the item under way */
	char error[256];                   /* a model can't be trained */
	uint64_t n_identities_refused, n_proposals_judged, n_proposals_refused;
};

/* Before anything that depends on how many speak. */
void predictions_start(struct lab *lab);
void predictions_finish(struct lab *lab);
/* The item has arrived, and is predicted. */
void predictions_arrived(struct lab *lab, uint32_t item);
/* An item was accepted. */
void predictions_decided(struct lab *lab, const struct lab_item *item);
/* Validators went down: what waits at their gateways moves to the next live honest one. */
void predictions_reassign(struct lab *lab);
void predictions_restarted(struct lab *lab, uint32_t node);
void predictions_closed(struct lab *lab, struct node *node, const struct closing_view *closing,
	uint64_t instance, uint64_t view);

#endif
