/* What a validator executes: each transaction once, in the order that the protocol gives. */
#include "clients.h"
#include "outside.h"
#include "replicas.h"
#include "states.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "told.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

void replica_init(struct lab *lab, struct replica *replica)
{
	const struct app *app = lab->app;
	if (app->replica_size > 0) {
		replica->state = arena_alloc(&lab->world.arena, app->replica_size);
		app->begin(lab->outside->shared, replica->state, &lab->world.arena);
	}
}

void replicas_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	lab->replicas = arena_new(arena, struct replicas);
	lab->replicas->list = arena_array(arena, struct replica, lab->world.n_validators);
	lab->replicas->keeps_replies = lab->app->has_clients && lab->app->execute != NULL;
	lab->replicas->revocable = lab->protocol->finality == FINALITY_PROBABLE;
	lab->replicas->compares =
		lab->protocol->ordered && lab->app->has_clients && !lab->replicas->revocable;
	lab->replicas->undo_stride = (lab->app->undo_size + 15) / 16 * 16;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		replica_init(lab, replica_of(lab, i));
	}
	states_start(lab);
}

bool replica_executed(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	const struct replica *replica = replica_of(lab, node->id);
	if (lab->transactions->any_own && lab->app->moot != NULL) {
		const struct transaction *own = transaction_of(lab, transaction);
		if ((own->flags & COMMAND_OWN) != 0 &&
			lab->app->moot(lab->outside, lab->outside->state, node->id, &own->command)) {
			return true;
		}
	}
	return (transaction >> 6) < replica->executed_words &&
		(replica->executed[transaction >> 6] >> (transaction & 63) & 1) != 0;
}

bool replica_valid(const struct node *node, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	bool valid = true;
	for (uint32_t i = 0; i < batch->n; i++) {
		struct transaction *own = transaction_of(lab, batch->transactions[i]);
		if ((own->flags & COMMAND_OWN) == 0 || own->command.sender == node->id) {
			continue; /* a proposer is for its own */
		}
		if (!own->judged) {
			own->judged = true;
			lab->transactions->n_judged++;
		}
		if (lab->app->valid == NULL ||
			lab->app->valid(lab->outside, lab->outside->state, node->id, &own->command)) {
			continue;
		}
		valid = false;
		uint32_t quorum = lab->protocol->quorum(
			lab->scenario->protocol.settings, node->n_validators, node->n_faulty);
		/* Its proposer is for it; so many against it leave no quorum. */
		lab->transactions->n_refused += ++own->replies == node->n_validators - quorum + 1;
	}
	return valid;
}

/* Marks it. Returns whether it was new. */
static inline bool mark_executed(struct replica *replica, transaction_id transaction)
{
	size_t word = transaction >> 6;
	if (word >= replica->executed_words) {
		replica->executed =
			lab_grow(replica->executed, sizeof(uint64_t), word + 1, &replica->executed_words);
	}
	uint64_t mask = UINT64_C(1) << (transaction & 63);
	bool is_new = (replica->executed[word] & mask) == 0;
	replica->executed[word] |= mask;
	return is_new;
}

uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction)
{
	return REQUEST_HEADER_BYTES + transaction_of(lab_of(node), transaction)->command.bytes;
}

uint64_t replica_transaction_key(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	return lab->app->key == NULL ? NODE_KEY_ALL
								 : lab->app->key(lab->outside->shared, &transaction_of(lab, transaction)->command);
}

/* Where clients are parties of their own, a decision is which request stands at a place of the log: an
 * instance and a place in its batch. Another request there is another decision, and so is none, where a
 * replica holds a null batch or a shorter one. Both are looked at as they are executed for good, by honest
 * replicas. */

static void differ(struct lab *lab, struct lab_instance *record, const struct batch *batch)
{
	const struct batch *first = record->executed;
	uint32_t most = first->n > batch->n ? first->n : batch->n;
	struct divergence *divergence = record->divergence;
	if (divergence == NULL) {
		divergence = record->divergence = arena_new(&lab->world.arena, struct divergence);
		divergence->n_places = first->n;
	}
	divergence->places = arena_grow(&lab->world.arena, divergence->places, sizeof(bool),
		divergence->capacity, most, &divergence->capacity);
	for (uint32_t i = 0; i < most; i++) {
		bool same = i < first->n && i < batch->n && first->transactions[i] == batch->transactions[i];
		if (!same && !divergence->places[i]) {
			divergence->places[i] = true;
			lab->watch->positions.n_diverged++;
		}
	}
	if (most > divergence->n_places) {
		lab->watch->positions.n += most - divergence->n_places;
		divergence->n_places = most;
	}
}

/* The first batch of an instance, or one that may be another. */
static __attribute__((noinline)) void check_other(
	struct lab *lab, const struct node *node, struct lab_instance *record, const struct batch *batch)
{
	if (!lab_counts(node)) {
		return;
	}
	if (record->executed == NULL) {
		record->executed = batch;
		lab->watch->positions.n += batch->n;
	} else if (record->executed->digest != batch->digest) {
		differ(lab, record, batch);
	}
}

static inline void check_instance(
	struct lab *lab, const struct node *node, uint64_t instance, const struct batch *batch)
{
	struct lab_instance *record = watch_instance(lab, instance);
	if (record->executed != batch) {
		check_other(lab, node, record, batch);
	}
}

/* Without an order that replicas agree on, the place is how many a replica has executed before. */
static inline void check_position(
	struct lab *lab, const struct node *node, struct replica *replica, transaction_id transaction)
{
	struct positions *positions = &lab->watch->positions;
	uint64_t position = replica->n_positions++;
	if (!lab_counts(node)) {
		return;
	}
	if (position == positions->n) {
		size_t capacity = positions->capacity;
		positions->transactions =
			lab_grow(positions->transactions, sizeof(*positions->transactions), position + 1, &capacity);
		positions->diverged = lab_grow(positions->diverged, sizeof(bool), position + 1, &positions->capacity);
		positions->transactions[positions->n++] = transaction;
	} else if (positions->transactions[position] != transaction && !positions->diverged[position]) {
		positions->diverged[position] = true;
		positions->n_diverged++;
	}
}

void replica_send_reply(struct lab *lab, struct node *node, transaction_id transaction, uint64_t result,
	uint64_t view, unsigned flags)
{
	const struct command *command = &transaction_of(lab, transaction)->command;
	uint32_t bytes = REPLY_BYTES;
	if (lab->app->reply_bytes != NULL) {
		bytes += lab->app->reply_bytes(lab->common, command);
	}
	struct message *message = node_message(node, MESSAGE_REPLY, CLASS_CLIENT, bytes);
	message->instance = transaction;
	message->digest = result;
	message->view = view;
	message->extra = lab->protocol->leader(node);
	message->flags = (uint16_t)(flags | (lab->macs ? MESSAGE_MACS : 0));
	node_send(node, command->sender, message);
}

static inline struct effect run(
	struct lab *lab, struct replica *replica, transaction_id id, struct log_place place, void *undo)
{
	struct effect effect = {0};
	if (lab->app->execute == NULL) {
		effect.result = place.instance; /* the place in the replica's log */
		return effect;
	}
	lab->app->execute(replica->state, &transaction_of(lab, id)->command, place, &effect, undo);
	if (lab->replicas->keeps_replies) {
		replica->replies = lab_grow(replica->replies, sizeof(*replica->replies), (size_t)id + 1,
			&replica->replies_capacity);
		replica->replies[id] = (struct reply){effect.result, place.instance};
	}
	return effect;
}

struct effect replica_run(
	struct lab *lab, struct replica *replica, transaction_id id, struct log_place place, void *undo)
{
	return run(lab, replica, id, place, undo);
}

static inline void follow(struct lab *lab, struct node *node, transaction_id id, struct log_place place,
	const struct effect *effect)
{
	const struct app *app = lab->app;
	if (lab->transactions->noted) {
		transaction_executed(lab, node, id, place, app->rejects == NULL ? "" : app->rejects[effect->reject]);
	}
	if (effect->n_events > 0) {
		transaction_made_known(lab, node, id, place, effect);
	}
	if (!app->has_clients && transaction_of(lab, id)->command.sender == node->id) {
		client_executed(lab, id);
	}
	if (app->executed != NULL) {
		app->executed(lab->outside, lab->outside->state, node->id, &transaction_of(lab, id)->command, place,
			effect);
	}
}

void replica_follow(struct lab *lab, struct node *node, transaction_id id, struct log_place place,
	const struct effect *effect)
{
	follow(lab, node, id, place, effect);
}

static inline void execute(
	struct lab *lab, struct node *node, struct log_place place, transaction_id id, bool reply)
{
	const struct app *app = lab->app;
	struct replica *replica = replica_of(lab, node->id);
	if (app->has_clients && !lab->protocol->ordered) {
		check_position(lab, node, replica, id);
	}
	if (app->execute == NULL && app->has_clients && !lab->replicas->revocable && !lab->transactions->noted) {
		if (reply) { /* opaque, and nobody listens */
			replica_send_reply(lab, node, id, place.instance, place.view, 0);
		}
		return;
	}
	void *undo = lab->replicas->revocable ? replica_remember_command(lab, replica, id) : NULL;
	struct effect effect = run(lab, replica, id, place, undo);
	follow(lab, node, id, place, &effect);
	if (reply && app->has_clients) {
		replica_send_reply(lab, node, id, effect.result, place.view, 0);
	}
}

static inline bool begin(struct lab *lab, struct node *node, uint64_t instance, transaction_id id)
{
	if (!mark_executed(replica_of(lab, node->id), id)) {
		told_left_out(node, instance, id);
		return false;
	}
	struct transaction *transaction = transaction_of(lab, id);
	if (!transaction->answered && !node->byzantine) { /* where a liar has it is nobody's answer */
		transaction->instance = instance;
	}
	return true;
}

bool replica_begin(struct lab *lab, struct node *node, uint64_t instance, transaction_id id)
{
	return begin(lab, node, instance, id);
}

static inline void applied(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch)
{
	struct replica *replica = replica_of(lab, node->id);
	watch_applied(node, instance, batch);
	if (lab->replicas->compares) {
		check_instance(lab, node, instance, batch);
	}
	replica->applied = instance;
	if (lab->protocol->ordered && instance > lab->watch->last_proposed) {
		lab->watch->last_proposed = instance; /* of an earlier view: a new view proposes it again */
	}
	replica->n_applied++;
}

void replica_applied(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch)
{
	applied(lab, node, instance, batch);
}

void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	struct lab *lab = lab_of(node);
	assert(replica_of(lab, node->id)->tentative == NULL || replica_of(lab, node->id)->tentative->n == 0);
	applied(lab, node, instance, batch);
	struct log_place place = {instance, view};
	if (lab->replicas->revocable) {
		replica_remember(lab, replica_of(lab, node->id), place, batch);
	}
	for (uint32_t i = 0; i < batch->n; i++) {
		if (begin(lab, node, instance, batch->transactions[i])) {
			execute(lab, node, place, batch->transactions[i], reply);
			lab_progress(lab);
		}
	}
	if (lab->replicas->states != NULL) {
		states_look(lab, node, instance, batch);
	}
	if (lab->members && batch->n == 0) {
		outside_changed(lab, NODE_NONE); /* perhaps a configuration: somebody may have left */
	}
	if (lab->ending.phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

void replicas_settle(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators && lab->app->has_clients; i++) {
		const struct tentative_log *past = replica_of(lab, i)->past;
		for (size_t k = 0; past != NULL && k < past->n; k++) {
			check_instance(lab, &lab->world.nodes[i], past->batches[k].instance, past->batches[k].batch);
		}
	}
}

struct reply replica_reply_of(const struct lab *lab, uint32_t validator, transaction_id transaction)
{
	const struct replica *replica = replica_of(lab, validator);
	return transaction < replica->replies_capacity ? replica->replies[transaction] : (struct reply){0};
}

uint64_t replicas_instance_of(const struct lab *lab, transaction_id transaction, uint64_t result)
{
	uint64_t claimed = 0;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		struct reply reply = replica_reply_of(lab, i, transaction);
		if (reply.instance != 0 && reply.result == result) {
			if (!lab->world.nodes[i].byzantine) {
				return reply.instance;
			}
			claimed = claimed == 0 ? reply.instance : claimed;
		}
	}
	/* Raft's leader answers before the others know: where it is a liar, what it says of the place is taken
	 * for the time being, and looked at in the end. */
	return claimed;
}

void replica_reply(struct node *node, transaction_id transaction, uint64_t view)
{
	struct lab *lab = lab_of(node);
	const struct transaction *of = transaction_of(lab, transaction);
	if (!lab->app->has_clients || of->answered) {
		return; /* a gateway sees its own validator's state */
	}
	/* The reply cache: where it was executed. Equal logs give equal places. */
	uint64_t result = lab->replicas->keeps_replies ? replica_reply_of(lab, node->id, transaction).result
												   : of->instance;
	bool tentative = replica_is_tentative(replica_of(lab, node->id), transaction);
	replica_send_reply(lab, node, transaction, result, view, tentative ? REPLY_TENTATIVE : 0);
}

void replica_read(struct node *node, transaction_id transaction, uint64_t view)
{
	struct lab *lab = lab_of(node);
	const struct transaction *read = transaction_of(lab, transaction);
	assert((read->flags & COMMAND_READS) != 0 && lab->app->read != NULL);
	if (!read->answered) {
		struct effect effect = {0};
		lab->app->read(replica_of(lab, node->id)->state, &read->command, &effect);
		replica_send_reply(lab, node, transaction, effect.result, view, REPLY_READ);
	}
}

void replica_forget(struct node *node)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	replica_finish(lab, replica);
	*replica = (struct replica){0};
	replica_init(lab, replica);
	watch_forgot(node);
}

void replica_finish(struct lab *lab, struct replica *replica)
{
	if (lab->app->finish != NULL && replica->state != NULL) {
		lab->app->finish(replica->state);
	}
	free(replica->executed);
	free(replica->replies);
	tentative_finish(replica);
}

void replicas_free(struct lab *lab)
{
	states_free(lab);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		replica_finish(lab, replica_of(lab, i));
	}
}

uint64_t replicas_bytes(const struct lab *lab)
{
	/* Of what each replica keeps of transactions the size follows from their number. */
	uint64_t n = lab->world.n_validators * (uint64_t)lab->transactions->n;
	return n / 8 + (lab->replicas->keeps_replies ? n * sizeof(struct reply) : 0) + states_bytes(lab);
}
