/* What a validator executes: each transaction once, in the order that the protocol gives. */
#include "lab.h"

void replicas_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	lab->replicas = arena_array(arena, struct replica, lab->world.n_validators);
	if (!lab->workload->application) {
		return;
	}
	struct application_settings settings = {
		.n_validators = lab->world.n_validators,
		.n_participants = lab->common->identities == IDENTITIES_OPEN ? lab->n_identities : 0,
		.quorum = (uint32_t)lab->common->quorum,
		.seed = lab->seed,
		.close_votes = application_close_votes(lab->world.n_validators),
		.tolerance = lab->common->tolerance,
		.scorer = lab->scenario->scorer,
		.aggregator = lab->scenario->aggregator,
	};
	lab->application = application_create(&settings, arena);
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		lab->replicas[i].application = application_replica_create(lab->application, arena);
	}
}

/* A proposal is nothing to wait for or to propose any longer once the item is closed, or its deadline has
 * passed and the gateway asks for its closing instead; another validator's never was. */
static bool is_moot(const struct lab *lab, const struct node *node, const struct transaction *proposal)
{
	const struct lab_item *item = &lab->items[proposal->item];
	return proposal->client != node->id ||
		lab->world.now >= sim_time_add(item->arrived, lab->common->deadline_ns) ||
		application_outcome(lab->replicas[node->id].application, proposal->item).closed;
}

bool replica_executed(const struct node *node, transaction_id transaction)
{
	const struct lab *lab = lab_of(node);
	const struct replica *replica = &lab->replicas[node->id];
	if (lab->common->validation != VALIDATION_OFF &&
		lab->transactions[transaction].kind == TRANSACTION_PROPOSAL &&
		is_moot(lab, node, &lab->transactions[transaction])) {
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
		struct transaction *proposal = &lab->transactions[batch->transactions[i]];
		if (proposal->kind != TRANSACTION_PROPOSAL || proposal->client == node->id) {
			continue; /* a proposer is for its own */
		}
		if (!proposal->judged) {
			proposal->judged = true;
			lab->n_proposals_judged++;
		}
		/* A liar vouches for what it says itself; one who was down has nothing to go by: NaN. */
		double own = lab->items[proposal->item].details->sent[node->id];
		if (fabs(proposal->value - own) <= lab->common->tolerance * fabs(own)) {
			continue;
		}
		valid = false;
		uint32_t quorum = lab->protocol->quorum(
			lab->scenario->protocol.settings, node->n_validators, node->n_faulty);
		/* Its proposer is for it; so many against it leave no quorum. */
		lab->n_proposals_refused += ++proposal->replies == node->n_validators - quorum + 1;
	}
	return valid;
}

/* Marks it. Returns whether it was new. */
static bool mark_executed(struct replica *replica, transaction_id transaction)
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
	const struct lab *lab = lab_of(node);
	return REQUEST_HEADER_BYTES + (lab->transactions[transaction].kind == TRANSACTION_REQUEST
										  ? (uint32_t)lab->common->size_bytes
										  : PREDICTION_BYTES);
}

/* `requests`: the decision is which request stands at a position of the log. */
static void check_position(struct lab *lab, struct node *node, struct replica *replica,
	transaction_id transaction)
{
	uint64_t position = replica->n_positions++;
	if (lab->workload->application || !lab_counts(node)) {
		return;
	}
	if (position == lab->n_positions) {
		size_t capacity = lab->positions_capacity;
		lab->positions =
			lab_grow(lab->positions, sizeof(*lab->positions), position + 1, &capacity);
		lab->position_diverged =
			lab_grow(lab->position_diverged, sizeof(bool), position + 1, &lab->positions_capacity);
		lab->positions[lab->n_positions++] = transaction;
	} else if (lab->positions[position] != transaction && !lab->position_diverged[position]) {
		lab->position_diverged[position] = true;
		lab->n_diverged++;
	}
}

/* The result of a request is its place in the replica's log. */
static void send_reply(struct lab *lab, struct node *node, transaction_id transaction, uint64_t result,
	uint64_t view)
{
	struct message *message = node_message(node, MESSAGE_REPLY, CLASS_CLIENT, REPLY_BYTES);
	message->instance = transaction;
	message->digest = result;
	message->view = view;
	message->extra = lab->protocol->leader(node);
	node_send(node, lab->transactions[transaction].client, message);
}

static void execute(struct lab *lab, struct node *node, uint64_t instance, uint64_t view,
	transaction_id id, bool reply)
{
	const struct transaction *transaction = &lab->transactions[id];
	struct replica *replica = &lab->replicas[node->id];
	check_position(lab, node, replica, id);
	if (transaction->kind == TRANSACTION_REQUEST) {
		if (reply && transaction->client != node->id) {
			send_reply(lab, node, id, instance, view);
		}
		return;
	}
	uint32_t sender = transaction->client;
	enum application_status status = APPLICATION_LATE;
	switch ((enum transaction_kind)transaction->kind) {
	case TRANSACTION_PREDICTION:
		status = application_predict(replica->application, transaction->item,
			transaction->identity, transaction->value, real_nan());
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
	if (sender == node->id) {
		client_executed(lab, id);
	}
	if (status == APPLICATION_REFUSED && !transaction->refused) {
		lab->transactions[id].refused = true;
		lab->n_identities_refused++;
	}
	if (status == APPLICATION_CLOSED_NOW) {
		driver_closed(lab, node, application_closing(lab->application), instance, view);
	}
}

void replica_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	struct lab *lab = lab_of(node);
	struct replica *replica = &lab->replicas[node->id];
	watch_applied(node, instance, batch);
	replica->applied = instance;
	if (lab->protocol->ordered && instance > lab->last_proposed) {
		lab->last_proposed = instance; /* of an earlier view: a new view proposes it again */
	}
	replica->n_applied++;
	for (uint32_t i = 0; i < batch->n; i++) {
		if (mark_executed(replica, batch->transactions[i])) {
			lab->transactions[batch->transactions[i]].instance = instance;
			execute(lab, node, instance, view, batch->transactions[i], reply);
			lab_progress(lab);
		}
	}
	if (lab->phase == PHASE_DRAINING) {
		lab_check_done(lab);
	}
}

void replica_reply(struct node *node, transaction_id transaction, uint64_t view)
{
	struct lab *lab = lab_of(node);
	const struct transaction *of = &lab->transactions[transaction];
	if (of->kind != TRANSACTION_REQUEST || of->answered) {
		return; /* a gateway sees its own validator's state */
	}
	/* The reply cache: where it was executed. Equal logs give equal places. */
	send_reply(lab, node, transaction, of->instance, view);
}
