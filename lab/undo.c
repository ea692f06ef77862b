/* Batches that a replica executes before they are committed: PBFT's tentative execution (Castro, PhD thesis,
 * MIT 2001, 5.1.2). The executed set and the application's state change at once, what the replica has applied as
 * an instance is confirmed.
 *
 * What follows outside from a command (an item settled, an event) must never have to be taken back, and so waits
 * for the confirmation: then what was executed is undone and executed again, and all that follows from it
 * follows. An application is pure, so that this changes nothing; that each undo gives back the state of before is
 * looked at on the way. */
#include "clients.h"
#include "replicas.h"
#include "states.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

static void *undo_at(const struct lab *lab, const struct tentative_log *log, size_t i)
{
	return log->undo + i * lab->replicas->undo_stride;
}

static uint64_t state_of(const struct lab *lab, const struct replica *replica)
{
	return lab->app->digest == NULL ? 0 : lab->app->digest(replica->state);
}

/* Room for one more command. */
static void grow(const struct lab *lab, struct tentative_log *log)
{
	size_t n = log->n_commands + 1;
	log->commands = lab_grow(log->commands, sizeof(*log->commands), n, &log->commands_capacity);
	if (lab->replicas->undo_stride > 0) {
		log->undo = lab_grow(log->undo, lab->replicas->undo_stride, n, &log->undo_capacity);
	}
}

void replica_apply_tentative(struct node *node, uint64_t instance, uint64_t view,
	const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	if (replica->tentative == NULL) {
		replica->tentative = arena_new(&lab->world.arena, struct tentative_log);
	}
	struct tentative_log *log = replica->tentative;
	struct log_place place = {instance, view};
	watch_tentative(node, instance, batch);
	log->batches =
		lab_grow(log->batches, sizeof(*log->batches), log->first + log->n + 1, &log->capacity);
	log->batches[log->first + log->n++] =
		(struct tentative){instance, view, batch, log->n_commands, state_of(lab, replica)};
	for (uint32_t i = 0; i < batch->n; i++) {
		transaction_id id = batch->transactions[i];
		if (!replica_begin(lab, node, instance, id)) {
			continue;
		}
		grow(lab, log);
		log->commands[log->n_commands] = id;
		struct effect effect =
			replica_run(lab, replica, id, place, undo_at(lab, log, log->n_commands));
		log->n_commands++;
		if (lab->app->has_clients) {
			replica_send_reply(lab, node, id, effect.result, view, REPLY_TENTATIVE);
		}
		lab_progress(lab);
	}
}

/* Undoes the commands from `end` down to the batch's first. */
static void undo(struct lab *lab, struct node *node, const struct tentative *batch, size_t end)
{
	struct replica *replica = replica_of(lab, node->id);
	struct tentative_log *log = replica->tentative;
	while (lab->app->execute != NULL && end > batch->first) {
		transaction_id id = log->commands[--end];
		lab->app->undo(replica->state, &transaction_of(lab, id)->command, undo_at(lab, log, end));
	}
	uint64_t state = state_of(lab, replica);
	if (state != batch->state && lab->scenario->checkers && !node->byzantine) {
		watch_violated(lab, "state", node->id, node->id, batch->instance, batch->state, state,
			"undoing what was executed tentatively gave another state (second value) than that before it (first value)");
	}
}

static size_t end_of(const struct tentative_log *log, size_t batch)
{
	return batch + 1 < log->first + log->n ? log->batches[batch + 1].first : log->n_commands;
}

/* Takes back the state before the first of the batches, executes that one for good, and the others again. */
static void execute_for_good(struct lab *lab, struct node *node)
{
	struct replica *replica = replica_of(lab, node->id);
	struct tentative_log *log = replica->tentative;
	replica_applied(lab, node, log->batches[log->first].instance, log->batches[log->first].batch);
	for (size_t b = log->first + log->n; b-- > log->first;) {
		undo(lab, node, &log->batches[b], end_of(log, b));
	}
	for (size_t b = log->first; b < log->first + log->n; b++) {
		const struct tentative *batch = &log->batches[b];
		struct log_place place = {batch->instance, batch->view};
		size_t end = end_of(log, b);
		for (size_t i = batch->first; i < end; i++) {
			struct effect effect =
				replica_run(lab, replica, log->commands[i], place, undo_at(lab, log, i));
			if (b == log->first) {
				replica_follow(lab, node, log->commands[i], place, &effect);
			}
		}
		if (b == log->first && lab->replicas->states != NULL) {
			states_look(lab, node, batch->instance, batch->batch);
		}
	}
}

/* Never empty: what is over goes once it is the larger part. */
static void tidy(const struct lab *lab, struct tentative_log *log)
{
	if (log->n == 0) {
		log->first = 0;
		log->n_commands = 0;
	} else if (log->first > log->n) {
		size_t gone = log->batches[log->first].first, stride = lab->replicas->undo_stride;
		log->n_commands -= gone;
		memmove(log->commands, log->commands + gone, log->n_commands * sizeof(*log->commands));
		if (stride > 0) {
			memmove(log->undo, log->undo + gone * stride, log->n_commands * stride);
		}
		memmove(log->batches, log->batches + log->first, log->n * sizeof(*log->batches));
		log->first = 0;
		for (size_t i = 0; i < log->n; i++) {
			log->batches[i].first -= gone;
		}
	}
}

void replica_confirm(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct tentative_log *log = replica_of(lab, node->id)->tentative;
	assert(log != NULL && log->n > 0 && log->batches[log->first].instance == instance);
	execute_for_good(lab, node);
	log->first++;
	log->n--;
	tidy(lab, log);
	if (lab->phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

void replica_rollback(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	struct tentative_log *log = replica->tentative;
	while (log != NULL && log->n > 0 && log->batches[log->first + log->n - 1].instance >= instance) {
		const struct tentative *last = &log->batches[log->first + log->n - 1];
		undo(lab, node, last, log->n_commands);
		while (log->n_commands > last->first) {
			transaction_id id = log->commands[--log->n_commands];
			replica->executed[id >> 6] &= ~(UINT64_C(1) << (id & 63));
			if (lab->replicas->keeps_replies) {
				replica->replies[id] = (struct reply){0};
			}
		}
		log->n--;
	}
}

bool replica_is_tentative(const struct replica *replica, transaction_id transaction)
{
	const struct tentative_log *log = replica->tentative;
	for (size_t i = log == NULL || log->n == 0 ? SIZE_MAX : log->batches[log->first].first;
		 i != SIZE_MAX && i < log->n_commands; i++) {
		if (log->commands[i] == transaction) {
			return true;
		}
	}
	return false;
}

void tentative_finish(struct replica *replica)
{
	if (replica->tentative != NULL) {
		free(replica->tentative->batches);
		free(replica->tentative->commands);
		free(replica->tentative->undo);
	}
}
