/* What a validator executes: each transaction once, in the order that the protocol gives. */
#include "clients.h"
#include "kv.h"
#include "replicas.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "predictions.h"
#include "scores.h"
#include "told.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

static void start_application(struct lab *lab)
{
	struct application_settings settings = {
		.n_validators = lab->world.n_validators,
		.n_participants = lab->common->identities == IDENTITIES_OPEN ? lab->predictions->n_identities : 0,
		.quorum = (uint32_t)lab->common->quorum,
		.seed = lab->seed,
		.close_votes = application_close_votes(lab->world.n_validators),
		.tolerance = lab->common->tolerance,
		.scorer = lab->scenario->scorer,
		.aggregator = lab->scenario->aggregator,
	};
	lab->application = application_create(&settings, &lab->world.arena);
}

void replica_init(struct lab *lab, struct replica *replica)
{
	if (lab->kv != NULL) {
		replica->store = kv_store_create(lab);
	}
	if (lab->application != NULL) {
		replica->application = application_replica_create(lab->application, &lab->world.arena);
	}
}

void replica_finish(struct replica *replica)
{
	free(replica->executed);
	if (replica->store != NULL) {
		free(replica->store->replies);
	}
	if (replica->tentative != NULL) {
		free(replica->tentative->batches);
		free(replica->tentative->undo);
	}
}

void replicas_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	lab->replicas = arena_new(arena, struct replicas);
	lab->replicas->list = arena_array(arena, struct replica, lab->world.n_validators);
	if (lab->app == &app_kv) {
		kv_start(lab);
	}
	if (!lab->app->has_clients) {
		start_application(lab);
	}
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		replica_init(lab, replica_of(lab, i));
	}
}

/* A proposal is nothing to wait for or to propose any longer once the item is closed, or its deadline has
 * passed and the gateway asks for its closing instead; another validator's never was. */
static bool is_moot(const struct lab *lab, const struct node *node, const struct transaction *proposal)
{
	const struct lab_item *item = &lab->items->all[proposal->item];
	return proposal->client != node->id ||
		lab->world.now >= sim_time_add(item->arrived, lab->common->deadline_ns) ||
		application_outcome(replica_of(lab, node->id)->application, proposal->item).closed;
}

bool replica_executed(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	const struct replica *replica = replica_of(lab, node->id);
	if (lab->common->validation != VALIDATION_OFF &&
		transaction_of(lab, transaction)->kind == TRANSACTION_PROPOSAL &&
		is_moot(lab, node, transaction_of(lab, transaction))) {
		return true;
	}
	return (transaction >> 6) < replica->executed_words &&
		(replica->executed[transaction >> 6] >> (transaction & 63) & 1) != 0;
}

bool replica_valid(const struct node *node, const struct batch *batch)
{
	struct lab *lab = lab_of(node);
	bool valid = true;
	for (uint32_t i = 0; i < batch->n; i++) {
		struct transaction *proposal = transaction_of(lab, batch->transactions[i]);
		if (proposal->kind != TRANSACTION_PROPOSAL || proposal->client == node->id) {
			continue; /* a proposer is for its own */
		}
		if (!proposal->judged) {
			proposal->judged = true;
			lab->predictions->n_proposals_judged++;
		}
		/* A liar vouches for what it says itself; one who was down has nothing to go by: NaN. */
		double own = lab->items->all[proposal->item].details->sent[node->id];
		if (fabs(proposal->value - own) <= lab->common->tolerance * fabs(own)) {
			continue;
		}
		valid = false;
		uint32_t quorum = lab->protocol->quorum(
			lab->scenario->protocol.settings, node->n_validators, node->n_faulty);
		/* Its proposer is for it; so many against it leave no quorum. */
		lab->predictions->n_proposals_refused += ++proposal->replies == node->n_validators - quorum + 1;
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

/* A get carries no payload; the answer does. */
static bool is_get(const struct lab *lab, transaction_id transaction)
{
	return lab->kv != NULL && !kv_operation_of(lab, transaction)->put;
}

uint32_t replica_transaction_bytes(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	if (is_get(lab, transaction)) {
		return REQUEST_HEADER_BYTES;
	}
	return REQUEST_HEADER_BYTES + (transaction_of(lab, transaction)->kind == TRANSACTION_REQUEST
										  ? (uint32_t)lab->common->size_bytes
										  : PREDICTION_BYTES);
}

/* `requests`: with probability `conflict` the object 0, else one of its own. `kv`: the key. What applications
 * do with one item may depend on what they did with another. */
uint64_t replica_transaction_key(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	if (transaction_of(lab, transaction)->kind != TRANSACTION_REQUEST) {
		return NODE_KEY_ALL;
	}
	if (lab->kv != NULL) {
		return kv_operation_of(lab, transaction)->key;
	}
	double conflict = lab->common->conflict;
	if (conflict > 0) {
		struct random_stream stream = random_stream_make(lab->seed, RANDOM_ITEM, transaction);
		if (random_unit(&stream) < conflict) {
			return 0;
		}
	}
	return 1 + (uint64_t)transaction;
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
	struct lab_instance *record = instance < lab->watch->n_instances ? &lab->watch->instances[instance]
															   : watch_instance(lab, instance);
	if (record->executed != batch) {
		check_other(lab, node, record, batch);
	}
}

/* Without an order that replicas agree on, the place is how many a replica has executed before. */
static inline void check_position(
	struct lab *lab, const struct node *node, struct replica *replica, transaction_id transaction)
{
	uint64_t position = replica->n_positions++;
	if (!lab_counts(node)) {
		return;
	}
	if (position == lab->watch->positions.n) {
		size_t capacity = lab->watch->positions.capacity;
		lab->watch->positions.transactions =
			lab_grow(lab->watch->positions.transactions, sizeof(*lab->watch->positions.transactions), position + 1, &capacity);
		lab->watch->positions.diverged =
			lab_grow(lab->watch->positions.diverged, sizeof(bool), position + 1, &lab->watch->positions.capacity);
		lab->watch->positions.transactions[lab->watch->positions.n++] = transaction;
	} else if (lab->watch->positions.transactions[position] != transaction && !lab->watch->positions.diverged[position]) {
		lab->watch->positions.diverged[position] = true;
		lab->watch->positions.n_diverged++;
	}
}

static void send_reply(struct lab *lab, struct node *node, transaction_id transaction, uint64_t result,
	uint64_t view, unsigned flags)
{
	uint32_t bytes = REPLY_BYTES + (is_get(lab, transaction) ? (uint32_t)lab->common->size_bytes : 0);
	struct message *message = node_message(node, MESSAGE_REPLY, CLASS_CLIENT, bytes);
	message->instance = transaction;
	message->digest = result;
	message->view = view;
	message->extra = lab->protocol->leader(node);
	message->flags = (uint16_t)(flags | (lab->macs ? MESSAGE_MACS : 0));
	node_send(node, transaction_of(lab, transaction)->client, message);
}

/* Gives the result: what the store says, or in `requests` the place in the replica's log. */
static uint64_t execute_request(
	struct lab *lab, const struct node *node, uint64_t instance, transaction_id id)
{
	return lab->kv == NULL ? instance : kv_execute(lab, node->id, id, instance);
}

static inline void execute(struct lab *lab, struct node *node, uint64_t instance, uint64_t view,
	transaction_id id, bool reply)
{
	const struct transaction *transaction = transaction_of(lab, id);
	struct replica *replica = replica_of(lab, node->id);
	if (transaction->kind == TRANSACTION_REQUEST) {
		if (!lab->protocol->ordered) {
			check_position(lab, node, replica, id);
		}
		uint64_t result = execute_request(lab, node, instance, id);
		if (lab->transactions->noted) {
			bool aborted = lab->kv != NULL && kv_operation_of(lab, id)->aborted;
			transaction_executed(lab, node, id, instance, view, aborted ? "aborted" : "");
		}
		if (reply && transaction->client != node->id) {
			send_reply(lab, node, id, result, view, 0);
		}
		return;
	}
	uint32_t sender = transaction->client;
	enum application_status status = APPLICATION_LATE;
	switch ((enum transaction_kind)transaction->kind) {
	case TRANSACTION_PREDICTION:
		status = application_predict(replica->application, transaction->item,
			transaction->identity, transaction->value, transaction->confidence);
		break;
	case TRANSACTION_PROPOSAL:
		status = application_settle(
			replica->application, transaction->item, sender, transaction->value);
		break;
	case TRANSACTION_CLOSE:
	case TRANSACTION_REQUEST: /* answered above */
		status = application_close(replica->application, transaction->item, sender);
		break;
	}
	if (lab->transactions->noted) {
		transaction_executed(lab, node, id, instance, view, application_reject(status));
	}
	if (sender == node->id) {
		client_executed(lab, id);
	}
	if (status == APPLICATION_REFUSED && !transaction->refused) {
		transaction_of(lab, id)->refused = true;
		lab->predictions->n_identities_refused++;
	}
	if (status == APPLICATION_NOT_FINITE && !transaction->refused) {
		transaction_of(lab, id)->refused = true;
		scores_not_finite(lab, transaction->identity);
	}
	if (status == APPLICATION_CLOSED_NOW) {
		predictions_closed(lab, node, application_closing(lab->application), instance, view);
	}
}

/* Notes that the transaction is executed in the instance; what a client has been told stays. Returns whether
 * it is new to the replica. */
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

/* The instance is executed at the replica, for good. */
static inline void applied(struct lab *lab, struct node *node, uint64_t instance, const struct batch *batch)
{
	struct replica *replica = replica_of(lab, node->id);
	watch_applied(node, instance, batch);
	if (lab->protocol->ordered && lab->app->has_clients) {
		check_instance(lab, node, instance, batch);
	}
	replica->applied = instance;
	if (lab->protocol->ordered && instance > lab->watch->last_proposed) {
		lab->watch->last_proposed = instance; /* of an earlier view: a new view proposes it again */
	}
	replica->n_applied++;
}

void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	struct lab *lab = lab_of(node);
	assert(replica_of(lab, node->id)->tentative == NULL || replica_of(lab, node->id)->tentative->n == 0);
	applied(lab, node, instance, batch);
	for (uint32_t i = 0; i < batch->n; i++) {
		if (begin(lab, node, instance, batch->transactions[i])) {
			execute(lab, node, instance, view, batch->transactions[i], reply);
			lab_progress(lab);
		}
	}
	if (lab->members && batch->n == 0) {
		predictions_reassign(lab); /* perhaps a configuration: somebody may have left */
	}
	if (lab->phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

/* Tentative execution: the executed set and the store change at once, what it has applied when the instance
 * is confirmed; an undo record for each transaction tells what was there before. */

static void push_undo(struct lab *lab, const struct replica *replica, transaction_id id)
{
	struct tentative_log *log = replica->tentative;
	log->undo = lab_grow(log->undo, sizeof(*log->undo), log->n_undo + 1, &log->undo_capacity);
	struct undo *undo = &log->undo[log->n_undo++];
	*undo = (struct undo){.transaction = id};
	if (lab->kv != NULL) {
		undo->key = kv_operation_of(lab, id)->key;
		undo->before = replica->store->entries[undo->key];
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
	watch_tentative(node, instance, batch);
	log->batches =
		lab_grow(log->batches, sizeof(*log->batches), log->first + log->n + 1, &log->capacity);
	log->batches[log->first + log->n++] = (struct tentative){instance, batch, log->n_undo};
	for (uint32_t i = 0; i < batch->n; i++) {
		transaction_id id = batch->transactions[i];
		assert(transaction_of(lab, id)->kind == TRANSACTION_REQUEST); /* scenarios/finish.c */
		if (!replica_executed(node, id)) {
			push_undo(lab, replica, id);
		}
		if (begin(lab, node, instance, id)) {
			uint64_t result = execute_request(lab, node, instance, id);
			send_reply(lab, node, id, result, view, REPLY_TENTATIVE);
			lab_progress(lab);
		}
	}
}

void replica_confirm(struct node *node, uint64_t instance)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	struct tentative_log *log = replica->tentative;
	assert(log != NULL && log->n > 0 && log->batches[log->first].instance == instance);
	struct tentative confirmed = log->batches[log->first++];
	log->n--;
	applied(lab, node, instance, confirmed.batch);
	if (log->n == 0) {
		log->first = 0;
		log->n_undo = 0;
	} else if (log->first > log->n) { /* never empty: what is over goes once it is the larger part */
		size_t gone = log->batches[log->first].first;
		log->n_undo -= gone;
		memmove(log->undo, log->undo + gone, log->n_undo * sizeof(*log->undo));
		memmove(log->batches, log->batches + log->first, log->n * sizeof(*log->batches));
		log->first = 0;
		for (size_t i = 0; i < log->n; i++) {
			log->batches[i].first -= gone;
		}
	}
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
		const struct tentative *last = &log->batches[log->first + --log->n];
		while (log->n_undo > last->first) {
			const struct undo *undo = &log->undo[--log->n_undo];
			replica->executed[undo->transaction >> 6] &=
				~(UINT64_C(1) << (undo->transaction & 63));
			if (lab->kv != NULL) {
				kv_undo(lab, node->id, undo);
			}
		}
	}
}

static bool is_tentative(const struct replica *replica, transaction_id transaction)
{
	const struct tentative_log *log = replica->tentative;
	for (size_t i = log == NULL || log->n == 0 ? SIZE_MAX : log->batches[log->first].first;
		 i != SIZE_MAX && i < log->n_undo; i++) {
		if (log->undo[i].transaction == transaction) {
			return true;
		}
	}
	return false;
}

void replica_reply(struct node *node, transaction_id transaction, uint64_t view)
{
	struct lab *lab = lab_of(node);
	const struct transaction *of = transaction_of(lab, transaction);
	if (of->kind != TRANSACTION_REQUEST || of->answered) {
		return; /* a gateway sees its own validator's state */
	}
	/* The reply cache: where it was executed. Equal logs give equal places. */
	uint64_t result =
		lab->kv == NULL ? of->instance : kv_reply_of(lab, node->id, transaction).result;
	bool tentative = is_tentative(replica_of(lab, node->id), transaction);
	send_reply(lab, node, transaction, result, view, tentative ? REPLY_TENTATIVE : 0);
}

void replica_read(struct node *node, transaction_id transaction, uint64_t view)
{
	struct lab *lab = lab_of(node);
	assert(is_get(lab, transaction));
	if (!transaction_of(lab, transaction)->answered) {
		send_reply(lab, node, transaction, kv_read(lab, node->id, transaction), view, REPLY_READ);
	}
}

void replica_forget(struct node *node)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = replica_of(lab, node->id);
	replica_finish(replica);
	*replica = (struct replica){0};
	replica_init(lab, replica);
	watch_forgot(node);
}

void replicas_free(struct lab *lab)
{
	kv_free(lab);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		replica_finish(replica_of(lab, i));
	}
}

uint64_t replicas_bytes(const struct lab *lab)
{
	/* Of what each replica keeps of transactions the size follows from their number. */
	uint64_t n = lab->world.n_validators * (uint64_t)lab->transactions->n;
	return n / 8 + (lab->kv == NULL ? 0 : n * sizeof(struct kv_reply));
}
