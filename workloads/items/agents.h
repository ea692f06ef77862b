/* Items whose values validators predict: the outside half, and what is counted of it. The replicated half is
 * workloads/application.h. */
#ifndef WORKLOADS_ITEMS_AGENTS_H
#define WORKLOADS_ITEMS_AGENTS_H

#include "results/kpi.h"
#include "workloads/adversary.h"
#include "workloads/application.h"
#include "workloads/items.h"
#include "workloads/models.h"
#include "workloads/workload.h"
#include "held.h"

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
	bool decided;
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

/* predictions.c */
bool items_open(struct outside *outside, void *state, char error[256]);
void items_arrives(struct outside *outside, void *state, uint32_t item);
void items_happens(struct outside *outside, void *state, uint64_t what);
void items_worked(struct outside *outside, void *state, uint32_t node, uint64_t what);
void items_executed(struct outside *outside, void *state, uint32_t node, const struct command *command,
	struct log_place place, const struct effect *effect);
void items_changed(struct outside *outside, void *state, uint32_t node);
bool items_valid(struct outside *outside, void *state, uint32_t node, const struct command *command);
bool items_moot(struct outside *outside, void *state, uint32_t node, const struct command *command);
uint64_t items_bytes(const void *state);
void items_report(struct outside *outside, void *state);
void items_end(struct outside *outside, void *state);
/* commands.c */
void items_share(const void *settings, void *shared, const struct app_start *start);
void items_begin(void *shared, void *replica, struct arena *arena);
/* scores.c */
extern const struct kpi_table items_kpis[];
void items_counts(struct outside *outside, const void *state, uint32_t item, struct app_counts *counts);
void items_standing(struct outside *outside, const void *state, uint32_t node, struct app_standing *standing);
extern const struct table items_tables[];

/* What every such application's struct app has, besides its plugin, unit and events. */
#define ITEMS_APP                                                                                  \
	.predicted = true, .commands = items_commands, .rejects = items_rejects,                       \
	.shared_size = sizeof(struct application), .replica_size = sizeof(struct application_replica), \
	.undo_size = sizeof(struct items_undo), .start = items_share, .begin = items_begin,            \
	.execute = items_execute, .undo = items_undo, .digest = items_digest,                          \
	.outside_size = sizeof(struct items_outside), .open = items_open, .arrives = items_arrives,    \
	.happens = items_happens, .worked = items_worked, .executed = items_executed,                  \
	.changed = items_changed, .valid = items_valid, .moot = items_moot, .close = items_end,        \
	.bytes = items_bytes, .kpis = items_kpis, .tables = items_tables, .report = items_report,      \
	.item_counts = items_counts, .standing = items_standing

#endif
