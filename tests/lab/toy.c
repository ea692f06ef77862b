#include "toy.h"

#include "fakes.h"

#include <string.h>

#define NODES_MAX 64
#define HEADER_BYTES 64
#define LOG_CHUNK 1024
#define LOG_CHUNKS 256

enum { FORWARD = MESSAGE_PROTOCOL, PROPOSE, VOTE, CHANGE, DECIDED, FETCH };

static const char *const message_names[] = {"forward", "propose", "vote", "change", "decided", "fetch", NULL};

struct toy_state {
	uint64_t height, round;
	uint64_t highest;           /* that others have been heard to be at */
	bool proposed;              /* by itself, in this round */
	const struct batch *voted;  /* in voted_round, at this height; NULL: for none yet */
	uint64_t voted_round;
	uint64_t votes, changes;    /* bits: who voted for its proposal; who has come to its round */
	const struct batch *best;   /* the latest that those have voted for */
	uint64_t best_round;
	const struct batch **log[LOG_CHUNKS]; /* by height, so many a chunk; NULL: not yet */
	transaction_id *waiting;    /* from `first` on */
	size_t first, n_waiting, waiting_capacity;
};

static const struct toy *toy_of(const struct node *node)
{
	return node->settings;
}

static uint32_t leader_of(const struct node *node, uint64_t height, uint64_t round)
{
	return (uint32_t)((height + round) % node->n_validators);
}

static bool enough(const struct node *node, const uint64_t *validators)
{
	const double *weights = toy_of(node)->weights;
	double sum = 0, all = 0;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		double weight = weights == NULL ? 1 : weights[i];
		all += weight;
		sum += (*validators >> i & 1) != 0 ? weight : 0;
	}
	return 2 * sum > all;
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return n_validators / 2 + 1;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 1;
}

static struct message *say(struct node *node, unsigned kind, const struct batch *batch)
{
	const struct toy_state *state = node->state;
	struct message *message = node_message(node, kind, CLASS_AGREEMENT, HEADER_BYTES);
	message->instance = state->height;
	message->view = state->round;
	message->body = batch;
	message->digest = batch == NULL ? 0 : batch->digest;
	return message;
}

/* The first that waits and has not been executed; TRANSACTION_NONE: none. */
static transaction_id next_waiting(struct node *node)
{
	struct toy_state *state = node->state;
	while (state->first < state->n_waiting && node_executed(node, state->waiting[state->first])) {
		state->first++;
	}
	if (state->first == state->n_waiting) {
		state->first = state->n_waiting = 0;
		return TRANSACTION_NONE;
	}
	return state->waiting[state->first];
}

static void count_votes(struct node *node);

static void propose(struct node *node)
{
	struct toy_state *state = node->state;
	transaction_id transaction = next_waiting(node);
	const struct batch *batch = state->round > 0 ? state->best : NULL;
	if (state->proposed || (batch == NULL && transaction == TRANSACTION_NONE)) {
		return;
	}
	state->proposed = true;
	batch = batch != NULL ? batch : node_batch(node, &transaction, 1);
	node_proposed(node, state->height, state->round, batch);
	node_multicast(node, say(node, PROPOSE, batch));
	state->voted = batch;
	state->voted_round = state->round;
	state->votes = UINT64_C(1) << node->id;
	count_votes(node);
}

/* No timer runs while nothing is known that waits. */
static void wait(struct node *node)
{
	const struct toy_state *state = node->state;
	if (state->voted == NULL && next_waiting(node) == TRANSACTION_NONE) {
		node_timer_cancel(node, 0);
	} else if (!node_timer_runs(node, 0)) {
		node_timer_set(node, 0, sim_time_add(node_now(node), toy_of(node)->timeout_ns));
	}
}

static void enter(struct node *node, uint64_t round)
{
	struct toy_state *state = node->state;
	uint32_t leader = leader_of(node, state->height, round);
	state->round = round;
	state->proposed = false;
	state->votes = state->changes = 0;
	state->best = NULL;
	node_timer_cancel(node, 0);
	node_follows(node, round, leader);
	if (round == 0 && leader == node->id) {
		node_leads(node, 0, state->height == 1 ? LEAD_FIRST : LEAD_TURN);
		propose(node);
	}
	wait(node);
}

static void decide(struct node *node, const struct batch *batch)
{
	struct toy_state *state = node->state;
	uint64_t height = state->height;
	const struct batch ***chunk = &state->log[height / LOG_CHUNK];
	assert(height / LOG_CHUNK < LOG_CHUNKS);
	if (*chunk == NULL) {
		*chunk = arena_array(node_arena(node), const struct batch *, LOG_CHUNK);
	}
	(*chunk)[height % LOG_CHUNK] = batch;
	node_committed(node, height, state->round, batch);
	node_apply(node, height, state->round, batch, true);
	state->height++;
	state->voted = NULL;
	enter(node, 0);
}

static void count_votes(struct node *node)
{
	struct toy_state *state = node->state;
	if (enough(node, &state->votes)) {
		node_multicast(node, say(node, DECIDED, state->voted));
		decide(node, state->voted);
	}
}

/* Somebody has come to the round that this node leads, and has voted last for `batch`, in `round`. */
static void count_change(struct node *node, uint32_t who, const struct batch *batch, uint64_t round)
{
	struct toy_state *state = node->state;
	if (batch != NULL && (state->best == NULL || round > state->best_round)) {
		state->best = batch;
		state->best_round = round;
	}
	bool before = enough(node, &state->changes);
	state->changes |= UINT64_C(1) << who;
	if (!before && enough(node, &state->changes)) {
		node_leads(node, state->round, LEAD_CHANGE);
		propose(node);
	}
}

static void change(struct node *node, uint64_t round)
{
	struct toy_state *state = node->state;
	enter(node, round);
	uint32_t leader = leader_of(node, state->height, round);
	if (leader == node->id) {
		count_change(node, node->id, state->voted, state->voted_round);
		return;
	}
	struct message *message = say(node, CHANGE, state->voted);
	message->extra = state->voted_round;
	node_send(node, leader, message);
}

static void timer(struct node *node, unsigned which)
{
	struct toy_state *state = node->state;
	if (toy_of(node)->goes_back && state->round == 1) {
		enter(node, 0);
		return;
	}
	change(node, state->round + 1);
}

static void take(struct node *node, transaction_id transaction)
{
	struct toy_state *state = node->state;
	if (node_executed(node, transaction)) {
		return;
	}
	state->waiting = arena_grow(node_arena(node), state->waiting, sizeof(*state->waiting),
		state->n_waiting, state->n_waiting + 1, &state->waiting_capacity);
	state->waiting[state->n_waiting++] = transaction;
	if (leader_of(node, state->height, 0) == node->id && state->round == 0) {
		propose(node);
	}
	wait(node);
}

/* What is of another height: who is behind asks, and is told. */
static void catch_up(struct node *node, const struct message *message)
{
	struct toy_state *state = node->state;
	if (message->instance > state->height) {
		state->highest = message->instance > state->highest ? message->instance : state->highest;
		node_send(node, message->from, say(node, FETCH, NULL));
	} else if (message->kind != DECIDED && message->kind != VOTE) {
		struct message *told = say(node, DECIDED,
			state->log[message->instance / LOG_CHUNK][message->instance % LOG_CHUNK]);
		told->instance = message->instance;
		node_send(node, message->from, told);
	}
}

static void receive(struct node *node, const struct message *message)
{
	struct toy_state *state = node->state;
	if (message->kind == MESSAGE_REQUEST && node_executed(node, (transaction_id)message->instance)) {
		node_reply(node, (transaction_id)message->instance, 0);
		return;
	}
	if (message->kind == MESSAGE_REQUEST || message->kind == FORWARD) {
		if (message->kind == MESSAGE_REQUEST) {
			struct message *forward = node_message(node, FORWARD, CLASS_CLIENT, HEADER_BYTES);
			forward->instance = message->instance;
			node_multicast(node, forward);
		}
		take(node, (transaction_id)message->instance);
		return;
	}
	if (message->instance != state->height) {
		catch_up(node, message);
		return;
	}
	switch (message->kind) {
	case PROPOSE:
		if (message->view < state->round) {
			return;
		}
		if (message->view > state->round) {
			enter(node, message->view);
		}
		state->voted = message->body;
		state->voted_round = state->round;
		node_send(node, message->from, say(node, VOTE, message->body));
		wait(node);
		break;
	case VOTE:
		if (message->view == state->round && state->proposed) {
			state->votes |= UINT64_C(1) << message->from;
			count_votes(node);
		}
		break;
	case CHANGE:
		if (message->view > state->round) {
			change(node, message->view);
		}
		if (message->view == state->round) {
			count_change(node, message->from, message->body, message->extra);
		}
		break;
	case DECIDED:
		decide(node, message->body);
		if (state->height < state->highest) {
			node_send(node, message->from, say(node, FETCH, NULL));
		}
		break;
	}
}

static void start(struct node *node)
{
	struct toy_state *state = node->state;
	assert(node->n_validators <= NODES_MAX);
	state->height = 1;
	enter(node, 0);
}

static void restart(struct node *node)
{
	wait(node);
}

static uint64_t view(const struct node *node)
{
	return ((const struct toy_state *)node->state)->round;
}

static uint64_t height(const struct node *node)
{
	return ((const struct toy_state *)node->state)->height;
}

static uint32_t leader(const struct node *node)
{
	return leader_of(node, height(node), view(node));
}

struct toy toy_make(void)
{
	return (struct toy){
		.protocol =
			{
				.plugin = {.name = "toy", .summary = "for the tests"},
				.ordered = true,
				.leader_based = true,
				.client = CLIENT_OWN_VALIDATOR,
				.state_size = sizeof(struct toy_state),
				.message_names = message_names,
				.quorum = quorum,
				.reply_quorum = reply_quorum,
				.start = start,
				.receive = receive,
				.timer = timer,
				.restart = restart,
				.view = view,
				.height = height,
				.leader = leader,
			},
		.timeout_ns = 500 * SIM_MS,
	};
}

struct outcome *toy_run(const struct toy *toy, const char *text)
{
	struct toy own = *toy;
	own.protocol.enough = own.weights == NULL ? NULL : enough;
	return protocol_run(&own.protocol, &own, NULL, text);
}
