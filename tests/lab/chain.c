#include "chain.h"

#include "fakes.h"

enum { BLOCK = MESSAGE_PROTOCOL };

static const char *const message_names[] = {"block", NULL};

struct chain_block {
	const struct chain_block *parent; /* NULL: it is the first */
	uint64_t height;            /* from 1 */
	const struct batch *batch;
	uint64_t digest;            /* of this one and all before it */
};

struct chain_state {
	const struct chain_block *tip; /* NULL: none yet */
	transaction_id *own;     /* all that its clients have asked for */
	size_t n_own, capacity;
};

static uint64_t height_of(const struct chain_block *block)
{
	return block == NULL ? 0 : block->height;
}

static void execute(struct node *node, const struct chain_block *block)
{
	node_committed(node, block->height, 0, block->batch);
	node_apply(node, block->height, 0, block->batch, true);
}

/* Those above `fork`, the first of them first. */
static void execute_from(struct node *node, const struct chain_block *fork, const struct chain_block *block)
{
	if (block != fork) {
		execute_from(node, fork, block->parent);
		execute(node, block);
	}
}

static void change_over(struct node *node, const struct chain_block *tip)
{
	const struct chain *chain = node->settings;
	struct chain_state *state = node->state;
	const struct chain_block *old = state->tip, *fork = tip;
	while (old != fork) {
		if (height_of(old) > height_of(fork)) {
			old = old->parent;
		} else {
			fork = fork->parent;
		}
	}
	if (chain->stubborn && fork != state->tip) {
		return;
	}
	if (fork != state->tip) {
		node_revoked(node, height_of(fork) + 1);
	}
	state->tip = tip;
	execute_from(node, fork, tip);
}

static void extend(struct node *node, transaction_id transaction)
{
	struct chain_state *state = node->state;
	struct chain_block *block = arena_new(node_arena(node), struct chain_block);
	const struct batch *batch = node_batch(node, &transaction, 1);
	uint64_t digests[] = {state->tip == NULL ? 0 : state->tip->digest, batch->digest};
	*block = (struct chain_block){
		state->tip, height_of(state->tip) + 1, batch, node_digest(digests, sizeof(digests))};
	node_proposed(node, block->height, 0, block->batch);
	struct message *message = node_message(node, BLOCK, CLASS_AGREEMENT, 64);
	message->instance = block->height;
	message->body = block;
	node_multicast(node, message);
	change_over(node, block);
}

static bool is_better(const struct chain_block *block, const struct chain_block *tip)
{
	return height_of(block) != height_of(tip) ? height_of(block) > height_of(tip)
											  : block->digest < tip->digest;
}

static void receive(struct node *node, const struct message *message)
{
	struct chain_state *state = node->state;
	if (message->kind == MESSAGE_REQUEST) {
		transaction_id transaction = (transaction_id)message->instance;
		if (node_executed(node, transaction)) {
			node_reply(node, transaction, 0);
			return;
		}
		state->own = arena_grow(node_arena(node), state->own, sizeof(*state->own), state->n_own,
			state->n_own + 1, &state->capacity);
		state->own[state->n_own++] = transaction;
		extend(node, transaction);
	} else if (is_better(message->body, state->tip)) {
		change_over(node, message->body);
		for (size_t i = 0; i < state->n_own; i++) {
			if (!node_executed(node, state->own[i])) {
				extend(node, state->own[i]);
			}
		}
	}
}

static void start(struct node *node)
{
}

static void timer(struct node *node, unsigned which)
{
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

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return 1;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 1;
}

struct outcome *chain_run(struct chain chain, const char *text)
{
	chain.protocol = (struct protocol){
		.plugin = {.name = "chain", .summary = "for the tests"},
		.ordered = true,
		.finality = chain.certain ? FINALITY_CERTAIN : FINALITY_PROBABLE,
		.client = CLIENT_OWN_VALIDATOR,
		.state_size = sizeof(struct chain_state),
		.message_names = message_names,
		.quorum = quorum,
		.reply_quorum = reply_quorum,
		.start = start,
		.receive = receive,
		.timer = timer,
		.restart = restart,
		.view = view,
		.leader = leader,
	};
	return protocol_run(&chain.protocol, &chain, NULL, text);
}
