/* What a replica holds of items, and what all of a run share. */
#ifndef WORKLOADS_ITEMS_HELD_H
#define WORKLOADS_ITEMS_HELD_H

#include "workloads/application.h"

#include <math.h>

/* Items lie in chunks, so that growing moves none and wastes less than one. */
#define CHUNK_ITEMS 256

/* An item that has not closed; after that, on the free list. */
struct open_item {
	struct open_item *next_free;
	uint32_t n_predictions, n_close_votes;
	uint64_t *predicted, *voted; /* bit sets by node */
	double *values, *confidence; /* quorum of them; of values, rows */
	uint32_t *nodes;
	uint64_t digest;
};

struct item_slot {
	struct item_outcome outcome;
	union {
		struct open_item *open; /* until the closing; NULL before the first command */
		double *row;            /* the decision, where it has more numbers than one */
	};
};

struct application {
	struct application_settings settings;
	struct closing_view closing; /* n is 0 and item UINT64_MAX before the first */
	/* What the view shows. */
	uint32_t *nodes;
	double *values, *confidence;
	struct closing_room room;
	const void *model; /* the scorer's */
	size_t n_state;    /* numbers that a replica keeps for it */
	double *state_before, *state_after;
	uint64_t state_digest; /* of state_after */
};

struct application_replica {
	struct application *application;
	struct arena *arena;
	struct item_slot **chunks;
	size_t n_chunks, chunk_capacity;
	struct open_item *free;
	double *state; /* the scorer's; NULL: it keeps none */
	double *free_states, *free_rows; /* lists, linked through their first number */
	uint64_t digest, state_digest;
	uint32_t n_closed;
};

static inline bool all_finite(const double *values, uint32_t n)
{
	bool finite = true;
	for (uint32_t i = 0; i < n; i++) {
		finite = finite && isfinite(values[i]);
	}
	return finite;
}

/* What the scorer is given of the predictions in the application's own arrays. */
struct scoring closing_scoring(const struct application *application);
/* Step 5: what the scorer learns from the last closing, to state_after. */
void closing_learn(struct application *application);
/* Of what a scorer remembers. */
uint64_t items_state_digest(const double *state, size_t n);

#endif
