/* None: no agreement. A validator applies what its client gives it at once and tells the others, who
 * apply it when it comes. It promises validity and integrity only; what differs between replicas is
 * measured as divergence. The baseline: what consensus costs is what it costs more than this. */
#include "protocols/protocol.h"

enum { NONE_UPDATE = MESSAGE_PROTOCOL }; /* instance: transaction; body: its batch */

#define NONE_HEADER_BYTES 32

static uint32_t faulty_most(const void *settings, uint32_t n_validators)
{
	return n_validators - 1; /* it promises nothing of them */
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return 1;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 1;
}

static void start(struct node *node)
{
}

static void receive(struct node *node, const struct message *message)
{
	transaction_id transaction = (transaction_id)message->instance;
	if (message->kind == NONE_UPDATE) {
		if (!node_executed(node, transaction)) {
			node_committed(node, transaction, 0, message->body);
			node_apply(node, transaction, 0, message->body, false);
		}
		return;
	}
	assert(message->kind == MESSAGE_REQUEST);
	if (node_executed(node, transaction)) {
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, 0);
		return;
	}
	const struct batch *batch = node_batch(node, &transaction, 1);
	node_log(node, "request -> apply and broadcast");
	struct message *update = node_message(
		node, NONE_UPDATE, CLASS_AGREEMENT, NONE_HEADER_BYTES + batch->size_bytes);
	update->instance = transaction;
	update->digest = batch->digest;
	update->body = batch;
	node_proposed(node, transaction, 0, batch);
	node_multicast(node, update);
	node_committed(node, transaction, 0, batch);
	node_apply(node, transaction, 0, batch, true);
}

static void timer(struct node *node, unsigned which)
{
	assert(!"a timer that none does not have");
}

static void restart(struct node *node)
{
}

static uint64_t view(const struct node *node)
{
	return 0;
}

static uint32_t leader(const struct node *node)
{
	return NODE_NONE;
}

static const char *const message_names[] = {"update", NULL};

/* A liar tells different validators of different transactions, or some of none. What clients send in
 * their own names it can't change. */

static enum message_role role(const struct message *message)
{
	return message->kind == NONE_UPDATE ? ROLE_PROPOSAL : ROLE_OTHER;
}

static bool forge_update(struct node *node, struct message *copy, forgery_choose choose, void *context)
{
	const struct batch *batch = choose(context, copy->instance, 0, copy->body);
	if (batch->n == 0) {
		return false; /* there is no update of nothing */
	}
	copy->instance = batch->transactions[0];
	copy->digest = batch->digest;
	copy->size_bytes = NONE_HEADER_BYTES + batch->size_bytes;
	copy->body = batch;
	return true;
}

static const struct protocol_forgery forgery = {.role = role, .propose = forge_update};

const struct protocol protocol_none = {
	.plugin =
		{
			.name = "none",
			.summary = "no agreement: apply at once, broadcast, decide from what has been heard",
		},
	.solo = true,
	.client = CLIENT_OWN_VALIDATOR,
	.message_names = message_names,
	.faulty_most = faulty_most,
	.faulty_rule = "n > f",
	.quorum = quorum,
	.reply_quorum = reply_quorum,
	.start = start,
	.receive = receive,
	.timer = timer,
	.restart = restart,
	.forgery = &forgery,
	.view = view,
	.leader = leader,
};
