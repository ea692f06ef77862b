/* The replicated application: what each replica does with the predictions and close requests that
 * consensus hands it, in its own order of execution. A pure state machine: the same sequence of
 * calls gives the same outcomes at every replica, and nothing here knows of time, messages or other
 * replicas.
 *
 * An item is open from its first transaction. It closes by log position: at the quorum-th distinct
 * node's prediction, or at the close_votes-th distinct gateway's close request, whichever comes
 * first, be there predictions by then or not. At its closing, once:
 *  1. every prediction so far is scored; accepted is what has score >= threshold;
 *  2. the aggregator's `faulty` is lowered by the number rejected, not below 0;
 *  3. the accepted ones are aggregated, in their order of arrival, to the item's value. Where there
 * is none, or fewer than the aggregator's n_min for the lowered `faulty`, the item is closed but
 *     undecided: its value is NaN;
 *  4. an accepted prediction p disputes the value v where |p - v| > tolerance * |v|.
 *  5. a scorer with a memory (reputation) learns from what was scored and decided.
 * Later predictions are counted as late, and change nothing. A prediction under an identity that is no
 * participant's is refused, and so is one that is no number (NaN, an infinity): it is no part of any item, and no
 * scorer or aggregator sees it. A claimed sd that is none is as if nothing were claimed.
 *
 * Where values are validated before they are ordered, an item closes at once with the first value that
 * is ordered for it (ITEMS_PROPOSAL), and none of the above is done.
 *
 * A prediction is a number, or a row of `dims` of them (a gradient): then what is decided is a row too, its distance
 * from a prediction is the Euclidean one, and `value` is its summary, one number.
 *
 * Memory: an outcome and a pointer an item (40 bytes), and for an open one a buffer of 12 bytes a
 * prediction up to the quorum (8 more for each further number of a row) and 2 bits a validator, which goes back to the
 * replica's free list at the closing, unless that may be undone. All of it is the arena's.
 *
 * Replicas of one run share a `struct application`: its settings, room to work in, and the last
 * closing computed. A replica whose predictions are the same, in the same order, takes that one's
 * outcome instead of scoring and sorting again, provided that its scorer remembers the same; the
 * outcome, and what the scorer learns, is the same bits either way. */
#ifndef WORKLOADS_APPLICATION_H
#define WORKLOADS_APPLICATION_H

#include "workloads/app.h"
#include "workloads/rules.h"

struct application_settings {
	uint32_t n_validators;
	uint32_t n_participants; /* identities that may predict, the validators first; 0: they alone */
	uint64_t seed;           /* the run's: what a scorer draws or is trained on */
	uint32_t quorum;      /* 1 .. n_validators */
	uint32_t close_votes; /* distinct gateways that close an item: application_close_votes(n) */
	double tolerance;     /* relative */
	uint32_t dims;        /* numbers a prediction; 0: 1 */
	double (*summary)(const double *row, uint32_t dims); /* NULL: the first of them */
	struct plugin_value scorer, aggregator;
};

/* floor((n-1)/3) + 1: at least one of them is honest. */
static inline uint32_t application_close_votes(uint32_t n_validators)
{
	return (n_validators - 1) / 3 + 1;
}

/* What one replica holds of an item. */
struct item_outcome {
	double value;           /* NaN where closed but undecided; 0 until it closes */
	uint32_t n_predictions; /* so far, or at the closing; from distinct nodes */
	uint32_t n_rejected;    /* of them */
	uint32_t n_late;        /* predictions after the closing, repeated ones included */
	uint32_t n_disputed;    /* accepted predictions further than the tolerance from the value */
	bool closed, decided;
};

/* What a closing was computed from, in order of arrival: n = the outcome's n_predictions. */
struct closing_view {
	uint64_t item;
	uint32_t n, dims;
	const uint32_t *nodes;
	const double *values; /* n rows of dims */
	const double *confidence; /* NaN: it claims none */
	const double *scores;
	const bool *accepted;
	const double *decision; /* dims, where one was decided */
	struct item_outcome outcome;
};

/* What is ordered. */
enum items_command {
	ITEMS_PREDICTION, /* a number and the sd that it claims (NaN: none), or a row in the body; of its identity's */
	ITEMS_CLOSE,      /* its sender wants the item closed */
	ITEMS_PROPOSAL,   /* a value that its sender's validator alone may propose (validation) */
};

extern const struct command_kind items_commands[];
extern const char *const items_rejects[];

/* Why a command changed nothing: index into items_rejects; 0: it counted. */
enum items_reject {
	ITEMS_COUNTED,
	ITEMS_DUPLICATE,  /* this node has spoken on this open item before */
	ITEMS_LATE,       /* the item is closed */
	ITEMS_REFUSED,    /* of an identity that is no participant */
	ITEMS_NOT_FINITE, /* no number, or no row of them */
};

struct application;
struct application_replica;

/* Room to close an item of up to n predictions in. */
struct closing_room {
	double *scores; /* of the predictions; what `closing_decide` gives, as is `accepted` */
	bool *accepted;
	double *decision; /* and this, a row */
	/* The accepted ones packed for the aggregator, and its room. */
	double *packed_values, *packed_scores, *packed_confidence, *scratch;
};

struct closing_room closing_room_make(uint32_t n, uint32_t dims, struct arena *arena);

/* Steps 1 to 4 above on these predictions and the sd that each claims (NaN: none): the one way in which an item
 * is closed, whoever asks. Writes to the room alone. */
struct item_outcome closing_decide(const struct application *application,
	const struct scoring *given, const double *confidence, struct closing_room *room);

/* What a run's replicas share. The settings are copied; their plugins' must outlive it. */
void application_init(
	struct application *application, const struct application_settings *settings, struct arena *arena);
struct application *application_create(
	const struct application_settings *settings, struct arena *arena);

/* A replica that has executed nothing. */
struct application_replica *application_replica_create(
	struct application *application, struct arena *arena);

/* Executes a command at the replica. Where it closed its item, effect->detail is a struct closing_view, as
 * application_closing's. Items are numbered from 0; memory is by the largest number in units of 256. Cost O(1); at a
 * closing O(n log n) in the number of predictions. `undo`: a struct items_undo for items_undo, or NULL. */
void items_execute(void *replica, const struct command *command, struct log_place place, struct effect *effect,
	void *undo);
/* The inverse, of the last command executed and not yet undone. */
void items_undo(void *replica, const struct command *command, const void *undo);
/* Of all that the replica holds of items, open or closed, and of what its scorer remembers. O(1). */
uint64_t items_digest(const void *replica);
/* The same, made anew from all that it holds: for tests. */
uint64_t items_digest_anew(const void *replica);

struct open_item;
struct items_undo {
	struct open_item *open; /* it was closed, and is kept as it was; NULL: it stayed open, or there was none */
	double *state;          /* the scorer's of before; NULL: as it is */
	uint64_t digest, state_digest;
	uint8_t reject;
	bool opened, closed;
};

/* The replica's outcome of an item; all zero where it has heard nothing of it. */
struct item_outcome application_outcome(const struct application_replica *replica, uint64_t item);

/* What the replica's scorer holds of a participant; NaN where it keeps no reputation. */
double application_reputation(const struct application_replica *replica, uint32_t node);

/* What the scorer would be given at this replica now, without predictions. */
struct scoring application_scoring(const struct application_replica *replica, uint64_t item);

/* The row that the replica decided; NULL: none, or a single number, which is the outcome's value. */
const double *application_row(const struct application_replica *replica, uint64_t item);

/* The last closing of any of the application's replicas; valid until the next. */
const struct closing_view *application_closing(const struct application *application);

#endif
