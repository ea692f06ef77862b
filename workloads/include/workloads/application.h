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
 * is ordered for it (application_settle), and none of the above is done.
 *
 * Memory: an outcome and a pointer an item (40 bytes), and for an open one a buffer of 12 bytes a
 * prediction up to the quorum and 2 bits a validator, which goes back to the replica's free list at
 * the closing. All of it is the arena's.
 *
 * Replicas of one run share a `struct application`: its settings, room to work in, and the last
 * closing computed. A replica whose predictions are the same, in the same order, takes that one's
 * outcome instead of scoring and sorting again, provided that its scorer remembers the same; the
 * outcome, and what the scorer learns, is the same bits either way. */
#ifndef WORKLOADS_APPLICATION_H
#define WORKLOADS_APPLICATION_H

#include "sim/arena.h"
#include "sim/param.h"
#include "workloads/rules.h"

struct application_settings {
	uint32_t n_validators;
	uint32_t n_participants; /* identities that may predict, the validators first; 0: they alone */
	uint64_t seed;           /* the run's: what a scorer draws or is trained on */
	uint32_t quorum;      /* 1 .. n_validators */
	uint32_t close_votes; /* distinct gateways that close an item: application_close_votes(n) */
	double tolerance;     /* relative */
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
	uint32_t n;
	const uint32_t *nodes;
	const double *values;
	const double *confidence; /* NaN: it claims none */
	const double *scores;
	const bool *accepted;
	struct item_outcome outcome;
};

enum application_status {
	APPLICATION_ACCEPTED,   /* counted; the item is open */
	APPLICATION_DUPLICATE,  /* this node has spoken on this open item before: nothing changed */
	APPLICATION_LATE,       /* the item is closed */
	APPLICATION_CLOSED_NOW, /* counted, and closed the item by it */
	APPLICATION_REFUSED,    /* of an identity that is no participant: nothing changed */
	APPLICATION_NOT_FINITE, /* no number: nothing changed */
};

/* Why a transaction changed nothing: "duplicate", "late", "refused", "not-finite"; "" where it counted. */
static inline const char *application_reject(enum application_status status)
{
	switch (status) {
	case APPLICATION_DUPLICATE:
		return "duplicate";
	case APPLICATION_LATE:
		return "late";
	case APPLICATION_REFUSED:
		return "refused";
	case APPLICATION_NOT_FINITE:
		return "not-finite";
	default:
		return "";
	}
}

struct application;
struct application_replica;

/* Room to close an item of up to n predictions in. */
struct closing_room {
	double *scores; /* of the predictions; what `closing_decide` gives, as is `accepted` */
	bool *accepted;
	/* The accepted ones packed for the aggregator, and its room. */
	double *packed_values, *packed_scores, *packed_confidence, *scratch;
};

struct closing_room closing_room_make(uint32_t n, struct arena *arena);

/* Steps 1 to 4 above on these predictions and the sd that each claims (NaN: none): the one way in which an item
 * is closed, whoever asks. Writes to the room alone. */
struct item_outcome closing_decide(const struct application *application,
	const struct scoring *given, const double *confidence, struct closing_room *room);

/* What a run's replicas share. The settings are copied; their plugins' must outlive it. */
struct application *application_create(
	const struct application_settings *settings, struct arena *arena);

/* A replica that has executed nothing. */
struct application_replica *application_replica_create(
	struct application *application, struct arena *arena);

/* Executes `node`'s prediction of an item, `confidence` being the sd that it claims (NaN: none). Items
 * are numbered from 0; memory is by the largest number in units of 256. Cost O(1); at a closing
 * O(n log n) in the number of predictions. */
enum application_status application_predict(
	struct application_replica *replica, uint64_t item, uint32_t node, double value,
	double confidence);

/* Executes a value that a quorum of validators has found right: the item closes with it. `node`
 * proposed it. */
enum application_status application_settle(
	struct application_replica *replica, uint64_t item, uint32_t node, double value);

/* Executes the close request of `gateway`'s for an item. */
enum application_status application_close(
	struct application_replica *replica, uint64_t item, uint32_t gateway);

/* The replica's outcome of an item; all zero where it has heard nothing of it. */
struct item_outcome application_outcome(const struct application_replica *replica, uint64_t item);

/* What the replica's scorer holds of a participant; NaN where it keeps no reputation. */
double application_reputation(const struct application_replica *replica, uint32_t node);

/* What the scorer would be given at this replica now, without predictions. */
struct scoring application_scoring(const struct application_replica *replica, uint64_t item);

/* The closing that the last APPLICATION_CLOSED_NOW of any of the application's replicas reported;
 * valid until the next. */
const struct closing_view *application_closing(const struct application *application);

#endif
