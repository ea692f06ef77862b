/* Invariants of what the application holds at a replica, after each instance that it has executed for good.
 *
 *   state  two honest replicas that have executed the same batches, one after the other, hold states of one digest.
 *          Where they have executed different ones (agreement is broken) nothing is said here
 *   and those of the application itself (struct app's `checks`), each once a replica
 *
 * Costs a record look-up an instance and what the application's checks cost; nothing where there is neither. */
#include "states.h"

#include "outside.h"
#include "replicas.h"
#include "watch.h"

#include <stdlib.h>

/* The first honest replica's. */
struct state_record {
	uint64_t history, state;
	uint32_t node;
	bool known;
};

struct states {
	struct state_record *records; /* by instance */
	size_t capacity;
	bool compares;
};

void states_start(struct lab *lab)
{
	const struct app *app = lab->app;
	bool compares = app->digest != NULL && lab->protocol->ordered;
	if (lab->scenario->checkers && (compares || app->checks != NULL)) {
		lab->replicas->states = arena_new(&lab->world.arena, struct states);
		lab->replicas->states->compares = compares;
	}
}

void states_free(struct lab *lab)
{
	if (lab->replicas->states != NULL) {
		free(lab->replicas->states->records);
	}
}

uint64_t states_bytes(const struct lab *lab)
{
	const struct states *states = lab->replicas->states;
	return states == NULL ? 0 : states->capacity * sizeof(*states->records);
}

static inline void compare(struct lab *lab, const struct node *node, uint64_t instance)
{
	struct states *states = lab->replicas->states;
	const struct replica *replica = replica_of(lab, node->id);
	uint64_t state = lab->app->digest(replica->state);
	if (instance >= states->capacity) {
		states->records =
			lab_grow(states->records, sizeof(*states->records), instance + 1, &states->capacity);
	}
	struct state_record *record = &states->records[instance];
	if (!record->known) {
		*record = (struct state_record){replica->history, state, node->id, true};
	} else if (record->history == replica->history && record->state != state) {
		watch_violated(lab, "state", record->node, node->id, instance, record->state, state,
			"hold states of different digests after the same batches");
	}
}

static void check(struct lab *lab, const struct node *node, uint64_t instance)
{
	struct replica *replica = replica_of(lab, node->id);
	const struct app_check *checks = lab->app->checks;
	for (unsigned i = 0; checks[i].invariant != NULL; i++) {
		char what[160] = "";
		if ((replica->broken >> i & 1) == 0 && !checks[i].holds(lab->common, replica->state, what)) {
			replica->broken |= UINT32_C(1) << i; /* told once: what is broken stays so */
			watch_violated(lab, checks[i].invariant, node->id, node->id, instance, 0, 0,
				arena_strdup(&lab->world.arena, what));
		}
	}
}

void states_look(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch)
{
	struct replica *replica = replica_of(lab, node->id);
	replica->history = (replica->history ^ batch->digest) * UINT64_C(0x9e3779b97f4a7c15);
	if (node->byzantine) {
		return;
	}
	if (lab->replicas->states->compares) {
		compare(lab, node, instance);
	}
	if (lab->app->checks != NULL) {
		check(lab, node, instance);
	}
}
