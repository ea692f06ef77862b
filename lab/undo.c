/* Batches that a replica executes before they are committed: PBFT's tentative execution (Castro, PhD thesis,
 * MIT 2001, 5.1.2). The executed set and the application's state change at once, what the replica has applied as
 * an instance is confirmed.
 *
 * What follows outside from a command (an item settled, an event) must never have to be taken back, and so waits
 * for the confirmation: then what was executed is undone and executed again, and all that follows from it
 * follows. An application is pure, so that this changes nothing; that each undo gives back the state of before is
 * looked at on the way.
 *
 * Where finality is probable what is executed for good can be undone as well, all of it: a second log, of the same
 * kind, that only revocations shorten. What has followed outside stays; it follows again when the command is
 * executed again. */
#include "clients.h"
#include "outside.h"
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
		(struct tentative){instance, view, batch, log->n_commands, state_of(lab, replica), 0};
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

void replica_remember(
	struct lab *lab, struct replica *replica, struct log_place place, const struct batch *batch)
{
	if (replica->past == NULL) {
		replica->past = arena_new(&lab->world.arena, struct tentative_log);
	}
	struct tentative_log *log = replica->past;
	log->batches = lab_grow(log->batches, sizeof(*log->batches), log->n + 1, &log->capacity);
	uint64_t before = replica_history(replica);
	uint64_t history = batch->n > 0 ? app_digest(before, batch->digest) : before;
	log->batches[log->n++] =
		(struct tentative){place.instance, place.view, batch, log->n_commands, state_of(lab, replica), history};
}

uint64_t replica_history(const struct replica *replica)
{
	const struct tentative_log *log = replica->past;
	return log == NULL || log->n == 0 ? 0 : log->batches[log->n - 1].history;
}

void *replica_remember_command(struct lab *lab, struct replica *replica, transaction_id id)
{
	struct tentative_log *log = replica->past;
	grow(lab, log);
	log->commands[log->n_commands] = id;
	return undo_at(lab, log, log->n_commands++);
}

/* Undoes the commands from `end` down to the batch's first. */
static void undo(struct lab *lab, struct node *node, const struct tentative_log *log,
	const struct tentative *batch, size_t end)
{
	struct replica *replica = replica_of(lab, node->id);
	while (lab->app->execute != NULL && end > batch->first) {
		transaction_id id = log->commands[--end];
		lab->app->undo(replica->state, &transaction_of(lab, id)->command, undo_at(lab, log, end));
	}
	uint64_t state = state_of(lab, replica);
	if (state != batch->state && lab->scenario->checkers && !node->byzantine) {
		watch_violated(lab, "state", node->id, node->id, batch->instance, batch->state, state,
			"undoing what was executed gave another state (second value) than that before it (first value)");
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
		undo(lab, node, log, &log->batches[b], end_of(log, b));
	}
	const struct tentative *first = &log->batches[log->first];
	if (lab->replicas->revocable) {
		replica_remember(lab, replica, (struct log_place){first->instance, first->view}, first->batch);
	}
	for (size_t b = log->first; b < log->first + log->n; b++) {
		const struct tentative *batch = &log->batches[b];
		struct log_place place = {batch->instance, batch->view};
		size_t end = end_of(log, b);
		for (size_t i = batch->first; i < end; i++) {
			void *room = b == log->first && lab->replicas->revocable
				? replica_remember_command(lab, replica, log->commands[i])
				: undo_at(lab, log, i);
			struct effect effect = replica_run(lab, replica, log->commands[i], place, room);
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
	if (lab->ending.phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

/* The replica has not executed the last batch. */
static void take_back(struct lab *lab, struct node *node, struct tentative_log *log)
{
	struct replica *replica = replica_of(lab, node->id);
	const struct tentative *last = &log->batches[log->first + log->n - 1];
	undo(lab, node, log, last, log->n_commands);
	while (log->n_commands > last->first) {
		transaction_id id = log->commands[--log->n_commands];
		replica->executed[id >> 6] &= ~(UINT64_C(1) << (id & 63));
		if (lab->replicas->keeps_replies) {
			replica->replies[id] = (struct reply){0};
		}
	}
	log->n--;
}

void replica_rollback(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct tentative_log *log = replica_of(lab, node->id)->tentative;
	while (log != NULL && log->n > 0 && log->batches[log->first + log->n - 1].instance >= instance) {
		take_back(lab, node, log);
	}
}

void replica_revoked(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	assert(replica->tentative == NULL || replica->tentative->n == 0);
	assert(instance > 0 && instance <= replica->applied);
	if (!watch_revoked(node, instance)) {
		return;
	}
	struct tentative_log *log = replica->past;
	while (log->n > 0 && log->batches[log->n - 1].instance >= instance) {
		take_back(lab, node, log);
		replica->n_applied--;
	}
	replica->applied = instance - 1;
	replica->history = replica_history(replica);
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

static void free_log(struct tentative_log *log)
{
	if (log != NULL) {
		free(log->batches);
		free(log->commands);
		free(log->undo);
	}
}

void tentative_finish(struct replica *replica)
{
	free_log(replica->tentative);
	free_log(replica->past);
}
