/* Streamlet: Chan, Shi, "Streamlet: Textbook Streamlined Blockchains", AFT 2020. n > 3f.
 *
 * Time is cut into epochs of 2 Delta. An epoch's leader, whom everyone can work out, proposes a block
 * after the longest notarized chain that it has seen. Everyone votes, to all, for the leader's first block
 * of the epoch, if it extends one of the longest notarized chains that it has seen itself. A block with the
 * votes of 2n/3 is notarized. Of three notarized blocks in a row, of epochs in a row, the first two are
 * final, with all before them.
 *
 * Departs from the paper: nobody echoes what he hears (n^3 messages a block); who lacks a block asks for it,
 * and gets it with its votes. A vote may be given an epoch too early, or late, since clocks and delays are
 * not quite what they should be (epochs.h); never two in one epoch, nor one for an earlier epoch. Nobody
 * proposes while nothing is unsettled, and empty blocks only until the last full one is final. All but
 * timers is on stable storage. */
#include "blocks.h"
#include "epochs.h"
#include "planted.h"

#include <stdio.h>

/* Of all: view: the epoch; instance: the height; digest: the block's id. */
enum {
	STREAMLET_PROPOSAL = MESSAGE_PROTOCOL,
	STREAMLET_VOTE,
	STREAMLET_FETCH, /* blocks_fetch */
	STREAMLET_BLOCK, /* the answer: with votes */
};

#define TIMER_LEAD 0
#define BATCH_MAX 4096

struct streamlet_settings {
	PLANTED_MEMBER
	int64_t batch;
	sim_time delta_ns;
};

struct streamlet {
	struct blocks blocks;
	struct epochs epochs;
	struct request_queue waiting;
	uint64_t proposed_in, voted_in;
};

static const struct param params[] = {
	PLANTED_PARAM(struct streamlet_settings)
	{.name = "batch", .kind = PARAM_INT, .offset = offsetof(struct streamlet_settings, batch), .min = 1,
		.max = BATCH_MAX, .fallback = "64", .unit = "transactions", .help = "transactions in one block, at most"},
	{.name = "delta", .kind = PARAM_DURATION, .flags = PARAM_AUTO, .min = SIM_TIMER_MIN,
		.offset = offsetof(struct streamlet_settings, delta_ns), .fallback = "auto", .auto_delays = {2},
		.auto_min_ns = {SIM_MS}, .unit = "s", .below = "liveness_bound",
		.help = "how long a message takes, at most; an epoch, in which a proposal and its votes come, is two"},
	PARAM_END,
};

static struct streamlet *of(const struct node *node)
{
	return node->state;
}

static const struct streamlet_settings *settings_of(const struct node *node)
{
	return node->settings;
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return (2 * n_validators + 2) / 3;
}

static uint32_t faulty_most(const void *settings, uint32_t n_validators)
{
	return (n_validators - 1) / 3;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return n_faulty + 1;
}

static uint32_t quorum_of(const struct node *node)
{
	return quorum(NULL, node->n_validators, 0) - PLANTED(settings_of(node), QUORUM_ONE_LESS);
}

/* Section 2: by a public hash. */
static uint32_t leader_of(const struct node *node, uint64_t epoch)
{
	return (uint32_t)(node_digest(&epoch, sizeof(epoch)) % node->n_validators);
}

static uint64_t epoch_now(const struct node *node)
{
	return epochs_now(node, &of(node)->epochs);
}

/* Wakes at the beginning of the next epoch that it leads, if there is work. Expected O(n). */
static void wait_for_lead(struct node *node)
{
	struct streamlet *streamlet = of(node);
	if (node_timer_runs(node, TIMER_LEAD) || !blocks_have_work(node, &streamlet->blocks, &streamlet->waiting)) {
		return;
	}
	uint64_t epoch = epoch_now(node) + 1;
	while (leader_of(node, epoch) != node->id) {
		epoch++;
	}
	node_timer_set(node, TIMER_LEAD, epochs_begin_ns(&streamlet->epochs, epoch));
}

/* Section 2: votes for what extends one of the longest notarized chains, once an epoch. */
static void vote(struct node *node, struct block *block)
{
	struct streamlet *streamlet = of(node);
	const struct block *parent = block->parent;
	if (block->view <= streamlet->voted_in || block->view > epoch_now(node) + 1 || !block->proposed ||
		!parent->chained || parent->height < streamlet->blocks.tip->height) {
		return;
	}
	node_log(node, "extends a longest notarized chain -> vote");
	streamlet->voted_in = block->view;
	struct message *message = node_message(node, STREAMLET_VOTE, CLASS_AGREEMENT, BLOCK_HEADER_BYTES);
	message->view = block->view;
	message->instance = parent->height + 1;
	message->digest = block->id;
	node_multicast(node, message);
	block->n_votes += bits_add(block->votes, node->id);
}

/* Something has come to be known: votes for what waited for its parent, extends the chain, finalizes. */
static void go_on(struct node *node)
{
	struct blocks *blocks = &of(node)->blocks;
	blocks_chain(blocks, quorum_of(node));
	for (struct block *block = blocks->open; block != NULL; block = block->next_open) {
		vote(node, block);
	}
	blocks_chain(blocks, quorum_of(node)); /* its own vote may have been the last that was wanted */
	/* Section 2, finalize: three adjacent blocks of consecutive epochs. */
	struct block *last = NULL;
	for (struct block *block = blocks->open; block != NULL; block = block->next_open) {
		const struct block *second = block->parent;
		if (block->chained && second->height > blocks->final->height && second->view + 1 == block->view &&
			second->parent->view + 1 == second->view && (last == NULL || second->height > last->height)) {
			last = block->parent;
		}
	}
	if (last != NULL && blocks_finalize(node, blocks, last)) {
		node_log(node, "three of epochs in a row -> the first two are final");
	}
	wait_for_lead(node);
}

/* A proposal, or a block that it lacked. */
static void on_block(struct node *node, const struct message *message)
{
	struct blocks *blocks = &of(node)->blocks;
	bool proposed = message->kind == STREAMLET_PROPOSAL;
	if (message->view <= blocks->final->view || (proposed && message->from != leader_of(node, message->view))) {
		return; /* final, or of no chain any more; or nobody's to propose */
	}
	struct block *block = blocks_hear(node, blocks, message);
	if (block == NULL) {
		return; /* it can't be so */
	}
	block->proposed |= proposed;
	go_on(node);
	if (proposed && block->parent->chained && block->parent->height < blocks->tip->height) {
		node_log(node, "proposal after a shorter chain -> show the longest");
		node_send(node, message->from, block_message(node, STREAMLET_BLOCK, CLASS_CONTROL, blocks->tip, true));
	} else if (!block->parent->chained && block->parent->view <= block->view) {
		blocks_fetch(node, blocks, STREAMLET_FETCH, block->parent, message->from, epoch_now(node));
	}
}

static void on_vote(struct node *node, const struct message *message)
{
	struct blocks *blocks = &of(node)->blocks;
	if (message->view <= blocks->final->view) {
		return;
	}
	struct block *block = blocks_at(node, blocks, message->digest);
	block->n_votes += bits_add(block->votes, message->from);
	if (block->n_votes >= quorum_of(node) && block->batch == NULL) {
		blocks_fetch(node, blocks, STREAMLET_FETCH, block, message->from, epoch_now(node));
	} else if (block->n_votes >= quorum_of(node) && !block->chained) {
		go_on(node);
	}
}

static void receive(struct node *node, const struct message *message)
{
	if (message->kind == STREAMLET_PROPOSAL || message->kind == STREAMLET_VOTE) {
		epochs_hear(node, &of(node)->epochs, message->from, message->view);
	}
	switch (message->kind) {
	case MESSAGE_REQUEST:
		blocks_request(node, &of(node)->blocks, &of(node)->waiting, message, of(node)->epochs.now);
		wait_for_lead(node);
		break;
	case STREAMLET_VOTE:
		on_vote(node, message);
		break;
	case STREAMLET_FETCH:
		blocks_answer(node, &of(node)->blocks, STREAMLET_BLOCK, message);
		break;
	default:
		on_block(node, message);
	}
}

/* The beginning of an epoch that it leads. */
static void timer(struct node *node, unsigned which)
{
	struct streamlet *streamlet = of(node);
	struct blocks *blocks = &streamlet->blocks;
	uint64_t epoch = epoch_now(node);
	if (leader_of(node, epoch) == node->id && epoch > streamlet->proposed_in &&
		blocks_have_work(node, blocks, &streamlet->waiting)) {
		node_log(node, "its epoch -> propose after the longest notarized chain");
		streamlet->proposed_in = epoch;
		node_leads(node, epoch, LEAD_TURN);
		struct block *block =
			blocks_propose(node, blocks, &streamlet->waiting, epoch, (uint32_t)settings_of(node)->batch);
		node_multicast(node, block_message(node, STREAMLET_PROPOSAL, CLASS_AGREEMENT, block, false));
		go_on(node);
	}
	wait_for_lead(node);
}

static void start(struct node *node)
{
	blocks_start(node, &of(node)->blocks);
	epochs_start(node, &of(node)->epochs, sim_time_add(settings_of(node)->delta_ns, settings_of(node)->delta_ns));
}

static void restart(struct node *node)
{
	struct message *message = node_message(node, STREAMLET_FETCH, CLASS_CONTROL, BLOCK_HEADER_BYTES);
	message->instance = of(node)->blocks.final->height;
	node_multicast(node, message);
	wait_for_lead(node);
}

static uint64_t view(const struct node *node)
{
	return of(node)->epochs.now;
}

static uint32_t leader(const struct node *node)
{
	return leader_of(node, of(node)->epochs.now);
}

static enum message_role role(const struct message *message)
{
	static const enum message_role roles[] = {ROLE_PROPOSAL, ROLE_VOTE, ROLE_OTHER, ROLE_CERTIFICATE};
	return roles[message->kind - MESSAGE_PROTOCOL];
}

static void forge_vote(struct node *node, struct message *copy, const struct batch *batch)
{
	blocks_forge_vote(node, &of(node)->blocks, copy, batch);
}

static struct protocol_patience patience(const void *settings)
{
	sim_time epoch_ns = 2 * ((const struct streamlet_settings *)settings)->delta_ns;
	return (struct protocol_patience){epoch_ns, epoch_ns, false};
}

static const struct protocol_forgery forgery = {.role = role, .propose = blocks_forge_proposal,
	.vote = forge_vote, .claim = blocks_forge_answer};

static bool tell(const struct message *message, char *out, size_t size)
{
	snprintf(out, size, "epoch %llu, height %llu, block %04x", (unsigned long long)message->view,
		(unsigned long long)message->instance, (unsigned)(message->digest >> 48));
	return message->kind != STREAMLET_FETCH;
}

static const char *const message_names[] = {"proposal", "vote", "fetch", "block", NULL};
static const char *const timer_names[] = {"an epoch that it leads", NULL};
static const struct protocol_words words = {
	.view = "epoch", .instance = "height", .timer_names = timer_names, .tell = tell};

const struct protocol protocol_streamlet = {
	.plugin = {.name = "streamlet", .summary = "Streamlet (Chan, Shi, AFT 2020): a chain by epochs, final by three in a row",
		.params = params, .settings_size = sizeof(struct streamlet_settings)},
	.byzantine = true, .ordered = true, .leader_based = true, .client = CLIENT_BROADCAST,
	.state_size = sizeof(struct streamlet), .message_names = message_names, .words = &words,
	.quorum = quorum, .reply_quorum = reply_quorum, .patience = patience,
	.faulty_most = faulty_most, .faulty_rule = "n > 3f",
	.start = start, .receive = receive, .timer = timer, .restart = restart,
	.forgery = &forgery, .view = view, .leader = leader,
};
