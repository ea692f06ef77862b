/* Items whose values validators predict: the outside half, and what is counted of it. The replicated half is
 * workloads/application.h. */
#ifndef WORKLOADS_ITEMS_PRIVATE_H
#define WORKLOADS_ITEMS_PRIVATE_H

#include "workloads/adversary.h"
#include "workloads/application.h"
#include "workloads/items.h"
#include "workloads/models.h"

/* How one validator closed an item, in case that the item's client moves to it. */
struct kept_closing {
	struct kept_closing *next;
	struct log_place place;
	struct closing_view closing; /* its arrays stand behind this struct */
	uint32_t node;
};

/* What each validator would have said of an item and did say, and under which names; NaN: nothing. */
struct details {
	struct details *next_free;
	double *honest, *sent; /* rows */
	double *claimed;       /* the standard deviation that comes with what is sent */
	bool *attacked;
	uint32_t version;      /* of the models that have spoken */
};

struct item_state {
	struct details *details;   /* given back when it is decided */
	struct kept_closing *kept; /* where clients may move: closings seen so far */
	sim_time arrived;
	uint32_t n_predictions, n_rejected, n_disputed;
	bool disputed; /* by some honest validator's own estimate */
};

/* What a validator says of an item once its processor has computed it. */
struct said {
	struct command command;
	uint32_t next_free;
	uint32_t item;
};

struct scores;

/* The outside state of the application. */
struct items_outside {
	const struct items_app *app;
	const struct workload_common *common;
	struct adversary *adversary; /* NULL: none */
	struct models *models;       /* NULL: nothing is learned */
	struct item_state **chunks;
	size_t n_chunks, chunks_capacity;
	uint32_t n_items, n_settled;
	uint32_t n_validators, n_identities; /* these: the validators, then those that Sybils make up */
	uint32_t dims;
	struct details *details_free;
	struct said *said;
	size_t said_capacity;
	uint32_t n_said, said_free;
	uint64_t kept_bytes;
	uint64_t *counted; /* bits by command: refused ones that are counted */
	size_t counted_capacity;
	struct scores *scores;
	/* Room: of the item under way. */
	double *seen; /* FEATURES_MAX a validator */
	bool *alive;
	struct closing_room room;
};

static inline struct item_state *item_state(const struct items_outside *items, uint32_t item)
{
	return &items->chunks[item / 256][item % 256];
}

/* scores.c */
void scores_start(struct outside *outside, struct items_outside *items);
void scores_finish(struct items_outside *items);
uint64_t scores_bytes(const struct items_outside *items);
/* Somebody has lied about the item that arrives now. */
void scores_said(const struct outside *outside, struct items_outside *items, const struct details *details);
/* An item has closed at its client's validator. */
void scores_closing(struct outside *outside, struct items_outside *items, const struct closing_view *closing);
/* A command is rejected where it is first executed: of a stranger, or no number. */
void scores_refused(const struct outside *outside, struct items_outside *items, const struct command *command,
	enum items_reject reject);
void scores_report(struct outside *outside, struct items_outside *items);

/* training.c */
bool training_start(struct outside *outside, struct items_outside *items, char error[256]);

#endif
