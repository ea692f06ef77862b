/* Clients and gateways: they submit transactions, wait for the answer and ask again.
 *
 * A gateway is a client that sits with its validator: it needs no reply, since it sees what its validator
 * executes, and it knows whom its validator takes for the leader. */
#include "lab.h"

#include <string.h>

#define RING_MIN 16

void clients_start(struct lab *lab)
{
	lab->clients = arena_array(&lab->world.arena, struct client, lab->world.n_nodes);
	lab->reply_quorum =
		lab->protocol->reply_quorum(lab->scenario->protocol.settings, (uint32_t)lab->scenario->n_faulty);
	if (!lab->workload->application && lab->common->reply_quorum != PARAM_AUTO_VALUE) {
		lab->reply_quorum = (uint32_t)lab->common->reply_quorum;
	}
	for (uint32_t i = 0; i < lab->world.n_nodes; i++) {
		lab->clients[i].silent = NODE_NONE;
	}
	lab->reply_count_free = NODE_NONE;
	/* A quarter of what counts as a stall is the longest wait: the run must not be called stalled only
	 * because everyone is being polite. */
	sim_time bound = lab->scenario->liveness_bound_ns;
	sim_time longest = lab->common->client_timeout_ns;
	for (lab->backoff_max = 0; lab->backoff_max + 1 < CLIENT_BACKOFFS; lab->backoff_max++) {
		longest = sim_time_add(longest, longest);
		if (bound != SIM_NEVER && longest > bound / 4) {
			break;
		}
	}
	for (uint32_t i = 0; i < lab->world.n_nodes; i++) {
		/* All believe in node 0 at first; under `none` client i in validator i mod n. */
		if (lab->protocol->client == CLIENT_OWN_VALIDATOR) {
			uint32_t n = lab->world.n_validators;
			lab->clients[i].believed = i < n ? i : (i - n) % n;
		}
	}
}

static bool is_gateway(const struct lab *lab, uint32_t client)
{
	return client < lab->world.n_validators;
}

static struct outstanding *head_of(struct outstanding_ring *waiting)
{
	return &waiting->ring[waiting->first & (waiting->capacity - 1)];
}

static void ring_push(struct outstanding_ring *waiting, struct arena *arena, struct outstanding request)
{
	if (waiting->n == waiting->capacity) {
		uint32_t capacity = waiting->capacity == 0 ? RING_MIN : waiting->capacity * 2;
		struct outstanding *ring = arena_array(arena, struct outstanding, capacity);
		for (uint32_t i = 0; i < waiting->n; i++) {
			ring[i] = waiting->ring[(waiting->first + i) & (waiting->capacity - 1)];
		}
		waiting->ring = ring;
		waiting->first = 0;
		waiting->capacity = capacity;
	}
	waiting->ring[(waiting->first + waiting->n++) & (waiting->capacity - 1)] = request;
}

/* The timer stands at the earliest deadline of all. */
static void set_timer(struct lab *lab, uint32_t id)
{
	struct client *client = &lab->clients[id];
	sim_time earliest = SIM_NEVER;
	for (int level = 0; level < CLIENT_BACKOFFS; level++) {
		struct outstanding_ring *waiting = &client->waiting[level];
		if (waiting->n > 0 && head_of(waiting)->deadline < earliest) {
			earliest = head_of(waiting)->deadline;
		}
	}
	if (earliest != SIM_NEVER) {
		node_timer_set(&lab->world.nodes[id], NODE_TIMER_CLIENT, earliest);
	}
}

/* Waits twice as long each time that the request is asked again: what is slow because it has too much
 * to do is not helped by being asked more. */
static void wait_for(struct lab *lab, uint32_t id, transaction_id transaction, int level)
{
	sim_time timeout = lab->common->client_timeout_ns;
	if (timeout == SIM_NEVER) {
		return;
	}
	for (int i = 0; i < level; i++) {
		timeout = sim_time_add(timeout, timeout);
	}
	sim_time deadline = sim_time_add(lab->world.now, timeout);
	ring_push(&lab->clients[id].waiting[level], &lab->world.arena,
		(struct outstanding){transaction, deadline});
	if (!node_timer_runs(&lab->world.nodes[id], NODE_TIMER_CLIENT)) {
		node_timer_set(&lab->world.nodes[id], NODE_TIMER_CLIENT, deadline);
	}
}

static struct message *request_message(struct lab *lab, struct node *node, transaction_id transaction)
{
	struct message *message = node_message(node, MESSAGE_REQUEST, CLASS_CLIENT,
		replica_transaction_bytes(node, transaction));
	message->instance = transaction;
	return message;
}

static void ask(struct lab *lab, uint32_t id, transaction_id transaction)
{
	struct node *node = &lab->world.nodes[id];
	uint32_t to = lab->clients[id].believed;
	lab->transactions[transaction].asked = to;
	node_send(node, to, request_message(lab, node, transaction));
}

static void ask_all(struct lab *lab, uint32_t id, transaction_id transaction)
{
	struct node *node = &lab->world.nodes[id];
	node_multicast(node, request_message(lab, node, transaction));
	if (is_gateway(lab, id)) {
		node_send(node, id, request_message(lab, node, transaction));
	}
}

transaction_id client_submit(struct lab *lab, uint32_t client, enum transaction_kind kind,
	uint32_t item, double value)
{
	lab->transactions = lab_grow(lab->transactions, sizeof(*lab->transactions),
		lab->n_transactions + 1, &lab->transactions_capacity);
	assert(lab->n_transactions < TRANSACTION_NONE);
	transaction_id transaction = (transaction_id)lab->n_transactions++;
	lab->transactions[transaction] = (struct transaction){
		.value = value,
		.client = client,
		.item = item,
		.replies = NODE_NONE,
		.kind = (uint8_t)kind,
	};
	ask(lab, client, transaction);
	wait_for(lab, client, transaction, 0);
	return transaction;
}

static void ask_again(struct lab *lab, uint32_t id, transaction_id transaction, bool *moved_on)
{
	struct client *client = &lab->clients[id];
	switch (lab->protocol->client) {
	case CLIENT_OWN_VALIDATOR:
		ask(lab, id, transaction);
		break;
	case CLIENT_TO_ALL:
		/* OSDI'99 4.1: if the client does not receive replies soon enough, it broadcasts the
		 * request to all replicas. */
		ask_all(lab, id, transaction);
		break;
	case CLIENT_HINTED:
		/* Raft 8: it tries another server; once for all that timed out together. Servers that are cut
		 * off with an old leader keep naming it: each time that they do, one more is passed over. */
		if (!*moved_on && lab->transactions[transaction].asked == client->believed) {
			client->silent = client->believed;
			uint32_t skipped = lab->world.n_cuts > 0 ? client->n_sent_back : 0;
			client->believed = (client->believed + 1 + skipped) % lab->world.n_validators;
		}
		*moved_on = true;
		ask(lab, id, transaction);
		break;
	}
}

void client_timer(struct node *node)
{
	struct lab *lab = lab_of(node);
	struct client *client = &lab->clients[node->id];
	bool moved_on = false;
	/* From the longest waits down, so that none is looked at twice. */
	for (int level = CLIENT_BACKOFFS - 1; level >= 0; level--) {
		struct outstanding_ring *waiting = &client->waiting[level];
		while (waiting->n > 0) {
			struct outstanding head = *head_of(waiting);
			bool answered = lab->transactions[head.transaction].answered;
			if (!answered && head.deadline > lab->world.now) {
				break;
			}
			waiting->first = (waiting->first + 1) & (waiting->capacity - 1);
			waiting->n--;
			if (!answered) {
				ask_again(lab, node->id, head.transaction, &moved_on);
				wait_for(lab, node->id, head.transaction,
					level < lab->backoff_max ? level + 1 : level);
			}
		}
	}
	set_timer(lab, node->id);
}

static void give_up_replies(struct lab *lab, struct transaction *transaction)
{
	if (transaction->replies != NODE_NONE) {
		struct reply_count *count = &lab->reply_counts[transaction->replies];
		count->next_free = lab->reply_count_free;
		lab->reply_count_free = transaction->replies;
		transaction->replies = NODE_NONE;
	}
}

static uint32_t take_reply_count(struct lab *lab)
{
	uint32_t index = lab->reply_count_free;
	uint32_t words = (lab->world.n_validators + 63) / 64;
	size_t capacity = lab->reply_counts_capacity;
	if (index != NODE_NONE) {
		lab->reply_count_free = lab->reply_counts[index].next_free;
		struct reply_count *count = &lab->reply_counts[index];
		memset(count->bits, 0, words * sizeof(uint64_t));
		count->n = 0;
		count->n_others = 0;
		return index;
	}
	index = lab->n_reply_counts++;
	lab->reply_counts =
		lab_grow(lab->reply_counts, sizeof(*lab->reply_counts), index + 1, &capacity);
	lab->reply_counts_capacity = (uint32_t)capacity;
	lab->reply_counts[index] =
		(struct reply_count){.bits = arena_array(&lab->world.arena, uint64_t, words)};
	return index;
}

/* Counts one reply. Returns how many distinct replicas have now given this result. */
static uint32_t count_reply(struct lab *lab, struct reply_count *count, uint32_t from, uint64_t result)
{
	if (count->n == 0) {
		count->result = result;
	}
	if (count->result == result) {
		uint64_t mask = UINT64_C(1) << (from & 63);
		if ((count->bits[from >> 6] & mask) == 0) {
			count->bits[from >> 6] |= mask;
			count->n++;
		}
		return count->n;
	}
	uint32_t n = 1;
	for (uint32_t i = 0; i < count->n_others; i++) {
		if (count->others[i].from == from) {
			return 0; /* it has spoken; its first word counts */
		}
		n += count->others[i].result == result;
	}
	size_t capacity = count->others_capacity;
	count->others = arena_grow(&lab->world.arena, count->others, sizeof(*count->others),
		count->n_others, count->n_others + 1, &capacity);
	count->others_capacity = (uint32_t)capacity;
	count->others[count->n_others].from = from;
	count->others[count->n_others++].result = result;
	return n;
}

static void on_hint(struct lab *lab, struct node *node, const struct message *message)
{
	struct client *client = &lab->clients[node->id];
	struct transaction *transaction = &lab->transactions[message->instance];
	uint32_t leader = (uint32_t)message->extra;
	/* A term has one leader, so that a hint of a term no older than the last can only improve on it:
	 * requests don't run in circles between servers that know no better. */
	if (leader != NODE_NONE && message->view >= client->view) {
		client->view = message->view;
		client->believed = leader;
		if (leader == client->silent) {
			client->silent = NODE_NONE; /* once for all that are sent back together */
			client->n_sent_back++;
		}
	}
	if (client->believed != transaction->asked) {
		ask(lab, node->id, (transaction_id)message->instance);
	}
}

void client_receive(struct node *node, const struct message *message)
{
	struct lab *lab = lab_of(node);
	struct transaction *transaction = &lab->transactions[message->instance];
	if (transaction->answered || transaction->client != node->id) {
		return;
	}
	if (message->kind == MESSAGE_HINT) {
		on_hint(lab, node, message);
		return;
	}
	if (transaction->replies == NODE_NONE) {
		transaction->replies = take_reply_count(lab);
	}
	uint32_t n = count_reply(
		lab, &lab->reply_counts[transaction->replies], message->from, message->digest);
	if (n < lab->reply_quorum) {
		return;
	}
	struct client *client = &lab->clients[node->id];
	if (message->extra != NODE_NONE && message->view >= client->view) {
		client->view = message->view;
		client->believed = (uint32_t)message->extra;
	}
	transaction->answered = true;
	client->silent = NODE_NONE;
	client->n_sent_back = 0;
	give_up_replies(lab, transaction);
	struct lab_item *item = &lab->items[transaction->item];
	const struct lab_instance *record = watch_instance(lab, transaction->instance);
	item->instance = transaction->instance;
	item->view = record->view;
	item->proposer = record->proposer;
	driver_accepted(lab, transaction->item);
}

void client_executed(struct lab *lab, transaction_id transaction)
{
	lab->transactions[transaction].answered = true;
}

void clients_restart(struct lab *lab, struct node *node)
{
	/* What was asked before the crash and has timed out since is asked again now. */
	set_timer(lab, node->id);
}
