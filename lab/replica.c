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
		.quorum = (uint32_t)lab->common->quorum,
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

bool replica_executed(const struct node *node, transaction_id transaction)
{
	const struct replica *replica = &lab_of(node)->replicas[node->id];
	return (transaction >> 6) < replica->executed_words &&
		(replica->executed[transaction >> 6] >> (transaction & 63) & 1) != 0;
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
	enum application_status status = transaction->kind == TRANSACTION_PREDICTION
		? application_predict(replica->application, transaction->item, sender, transaction->value)
		: application_close(replica->application, transaction->item, sender);
	if (sender == node->id) {
		client_executed(lab, id);
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
			if (!node->byzantine) { /* where a liar has it is nobody's answer */
				lab->transactions[batch->transactions[i]].instance = instance;
			}
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
