/* Clients and gateways: they submit transactions, wait for the answer and ask again.
 *
 * A gateway is a client that sits with its validator: it needs no reply, since it sees what its validator
 * executes, and it knows whom its validator takes for the leader. */
#include "clients.h"
#include "outside.h"
#include "replicas.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "leaders.h"
#include "members.h"
#include "told.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#define RING_MIN 16

/* Which answers besides firm ones the protocol gives. */
static void find_reply_sorts(struct lab *lab)
{
	const struct protocol *protocol = lab->protocol;
	const void *settings = lab->scenario->protocol.settings;
	uint32_t n = lab->world.n_validators;
	uint32_t f = (uint32_t)lab->scenario->n_faulty;
	if (protocol->tentative_quorum != NULL) {
		lab->clients->tentative_quorum = protocol->tentative_quorum(settings, n, f);
	}
	if (lab->app->read != NULL && protocol->reads != NULL) {
		lab->clients->reads = protocol->reads(settings);
	}
	if (lab->clients->reads == READS_LEADER) {
		lab->clients->read_quorum = 1;
	} else if (lab->clients->reads == READS_ALL) {
		lab->clients->read_quorum = protocol->read_quorum(settings, n, f);
	}
}

/* Are there replies of several sorts? */
static bool sorted_replies(const struct lab *lab)
{
	return lab->clients->tentative_quorum > 0 || lab->clients->read_quorum > 0;
}

void clients_start(struct lab *lab)
{
	lab->clients = arena_new(&lab->world.arena, struct clients);
	lab->clients->list = arena_array(&lab->world.arena, struct client, lab->world.n_nodes);
	lab->clients->reply_quorum =
		lab->protocol->reply_quorum(lab->scenario->protocol.settings, (uint32_t)lab->scenario->n_faulty);
	if (lab->app->has_clients && lab->common->reply_quorum != PARAM_AUTO_VALUE) {
		lab->clients->reply_quorum = (uint32_t)lab->common->reply_quorum;
	}
	lab->clients->count_free = NODE_NONE;
	lab->clients->set_free = NODE_NONE;
	find_reply_sorts(lab);
	/* A quarter of what counts as a stall is the longest wait: the run must not be called stalled only
	 * because everyone is being polite. */
	sim_time bound = lab->scenario->liveness_bound_ns;
	sim_time longest = lab->common->client_timeout_ns;
	for (lab->clients->backoff_max = 0; lab->clients->backoff_max + 1 < CLIENT_BACKOFFS; lab->clients->backoff_max++) {
		longest = sim_time_add(longest, longest);
		if (bound != SIM_NEVER && longest > bound / 4) {
			break;
		}
	}
	lab->clients->wait_max_ns = bound == SIM_NEVER ? SIM_NEVER : bound / 4;
	for (uint32_t i = 0; i < lab->world.n_nodes; i++) {
		/* All believe in node 0 at first; under `none` client i in validator i mod n. */
		if (lab->protocol->client == CLIENT_OWN_VALIDATOR) {
			uint32_t n = lab->world.n_validators;
			lab->clients->list[i].believed = i < n ? i : (i - n) % n;
		}
	}
}

void clients_free(struct lab *lab)
{
	free(lab->clients->counts);
	free(lab->clients->sets);
}

uint64_t clients_bytes(const struct lab *lab)
{
	return lab->clients->counts_capacity * sizeof(struct reply_count) +
		lab->clients->sets_capacity * sizeof(struct reply_set);
}

static bool is_gateway(const struct lab *lab, uint32_t client)
{
	return client < lab->world.n_validators;
}

static struct outstanding *head_of(struct outstanding_ring *waiting)
{
	return &waiting->ring[waiting->first & (waiting->capacity - 1)];
}

static void ring_pop(struct outstanding_ring *waiting)
{
	waiting->first = (waiting->first + 1) & (waiting->capacity - 1);
	waiting->n--;
}

static void ring_push(struct lab *lab, struct outstanding_ring *waiting, struct outstanding request)
{
	struct arena *arena = &lab->world.arena;
	if (waiting->n == waiting->capacity) {
		while (waiting->n > 0 && transaction_of(lab, head_of(waiting)->transaction)->answered) {
			ring_pop(waiting);
		}
	}
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
	struct client *client = &lab->clients->list[id];
	sim_time earliest = SIM_NEVER;
	for (int level = 0; level < CLIENT_BACKOFFS; level++) {
		struct outstanding_ring *waiting = &client->waiting[level];
		if (waiting->n > 0 && head_of(waiting)->deadline < earliest) {
			earliest = head_of(waiting)->deadline;
		}
	}
	if (client->pause_ns > 0 && client->seek_at < earliest) {
		earliest = client->seek_at;
	}
	if (client->follow_at > 0 && client->follow_at < earliest) {
		earliest = client->follow_at;
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
	if (timeout == SIM_NEVER && lab->protocol->client != CLIENT_HINTED) {
		return; /* nothing makes it ask again */
	}
	for (int i = 0; i < level; i++) {
		timeout = sim_time_add(timeout, timeout);
	}
	sim_time deadline = sim_time_add(lab->world.now, timeout);
	ring_push(lab, &lab->clients->list[id].waiting[level], (struct outstanding){transaction, deadline});
	/* Sooner than one that has backed off. */
	if (deadline < lab->world.ports[id].timer_at[NODE_TIMER_CLIENT]) {
		node_timer_set(&lab->world.nodes[id], NODE_TIMER_CLIENT, deadline);
	}
}

/* A read that need not be ordered, as far as is known yet. */
static bool is_unordered(const struct lab *lab, transaction_id transaction)
{
	return transaction_of(lab, transaction)->unordered;
}

static bool is_own(const struct transaction *transaction)
{
	return (transaction->flags & COMMAND_OWN) != 0;
}

static struct message *request_message(struct lab *lab, struct node *node, transaction_id transaction)
{
	unsigned kind = is_unordered(lab, transaction) ? MESSAGE_READ : MESSAGE_REQUEST;
	struct message *message =
		node_message(node, kind, CLASS_CLIENT, replica_transaction_bytes(node, transaction));
	message->instance = transaction;
	message->flags = lab->macs ? MESSAGE_MACS : 0;
	return message;
}

static void ask_deferred(struct world *world, void *context, uint64_t transaction)
{
	struct lab *lab = context;
	const struct transaction *deferred = transaction_of(lab, transaction);
	client_ask(lab, deferred->command.sender, (transaction_id)transaction, deferred->asked);
}

void client_ask(struct lab *lab, uint32_t id, transaction_id transaction, uint32_t to)
{
	struct node *node = &lab->world.nodes[id];
	bool own = is_own(transaction_of(lab, transaction));
	to = own ? id : to;
	transaction_of(lab, transaction)->asked = to;
	if (world_defer(&lab->world, id, ask_deferred, lab, transaction)) {
		return; /* a gateway stands still with its validator */
	}
	struct message *message = request_message(lab, node, transaction);
	message->flags |= own ? REQUEST_OWN : 0;
	node_send(node, to, message);
}

static void ask(struct lab *lab, uint32_t id, transaction_id transaction)
{
	client_ask(lab, id, transaction, lab->clients->list[id].believed);
}

transaction_id client_waits_for(const struct lab *lab, uint32_t id, int *level, uint32_t *i)
{
	for (; *level < CLIENT_BACKOFFS; ++*level, *i = 0) {
		const struct outstanding_ring *waiting = &lab->clients->list[id].waiting[*level];
		while (*i < waiting->n) {
			transaction_id transaction =
				waiting->ring[(waiting->first + (*i)++) & (waiting->capacity - 1)].transaction;
			if (!transaction_of(lab, transaction)->answered &&
				!is_own(transaction_of(lab, transaction))) {
				return transaction;
			}
		}
	}
	return TRANSACTION_NONE;
}

static void ask_all(struct lab *lab, uint32_t id, transaction_id transaction);

static void ask_all_deferred(struct world *world, void *context, uint64_t transaction)
{
	struct lab *lab = context;
	ask_all(lab, transaction_of(lab, transaction)->command.sender, (transaction_id)transaction);
}

static void ask_all(struct lab *lab, uint32_t id, transaction_id transaction)
{
	struct node *node = &lab->world.nodes[id];
	if (world_defer(&lab->world, id, ask_all_deferred, lab, transaction)) {
		return; /* a gateway stands still with its validator */
	}
	node_multicast(node, request_message(lab, node, transaction));
	if (is_gateway(lab, id)) {
		node_send(node, id, request_message(lab, node, transaction));
	}
}

transaction_id client_submit(struct lab *lab, uint32_t item, const struct command *command)
{
	uint32_t client = command->sender;
	transaction_id transaction = transaction_new(lab, item, command);
	struct transaction *submitted = transaction_of(lab, transaction);
	submitted->unordered =
		(submitted->flags & COMMAND_READS) != 0 && lab->clients->reads != READS_ORDERED;
	if (lab->transactions->noted) {
		transaction_submitted(lab, transaction);
	}
	if ((lab->protocol->client == CLIENT_BROADCAST && !is_own(submitted)) ||
		(submitted->unordered && lab->clients->reads == READS_ALL)) {
		ask_all(lab, client, transaction);
	} else {
		ask(lab, client, transaction);
	}
	wait_for(lab, client, transaction, 0);
	return transaction;
}

/* OSDI'99 4.4, read-only operations: a client that can't collect enough equal answers, since there are
 * concurrent writes, has the read ordered like any other request. */
static void order_read(struct lab *lab, uint32_t id, transaction_id transaction)
{
	transaction_of(lab, transaction)->unordered = false;
	ask(lab, id, transaction);
}

static void ask_again(struct lab *lab, uint32_t id, transaction_id transaction, uint32_t *next)
{
	if (is_own(transaction_of(lab, transaction))) {
		ask(lab, id, transaction); /* its validator may have forgotten it in a crash */
		return;
	}
	if (lab->clients->reads == READS_ALL && is_unordered(lab, transaction)) {
		order_read(lab, id, transaction);
		return;
	}
	switch (lab->protocol->client) {
	case CLIENT_OWN_VALIDATOR:
	case CLIENT_COORDINATOR:
		ask(lab, id, transaction);
		break;
	case CLIENT_TO_ALL:
	case CLIENT_BROADCAST:
		/* OSDI'99 4.1: if the client does not receive replies soon enough, it broadcasts the
		 * request to all replicas. */
		ask_all(lab, id, transaction);
		break;
	case CLIENT_HINTED:
		/* Raft 8, thesis 6.2: it tries another server; the same for all that timed out together. */
		if (*next == NODE_NONE) {
			*next = client_next(lab, id, transaction_of(lab, transaction)->asked);
		}
		client_ask(lab, id, transaction, *next);
		break;
	}
}

void client_timer(struct node *node)
{
	struct lab *lab = lab_of(node);
	struct client *client = &lab->clients->list[node->id];
	uint32_t next = NODE_NONE;
	/* From the longest waits down, so that none is looked at twice. */
	for (int level = CLIENT_BACKOFFS - 1; level >= 0; level--) {
		struct outstanding_ring *waiting = &client->waiting[level];
		while (waiting->n > 0) {
			struct outstanding head = *head_of(waiting);
			struct transaction *asked = transaction_of(lab, head.transaction);
			if (is_own(asked) && !asked->answered) {
				asked->answered = replica_executed(node, head.transaction); /* settled */
			}
			if (lab->members && !asked->answered && is_gateway(lab, node->id)) {
				/* Where its validator executes nothing more, it hears from the others. */
				uint32_t informant = members_informant(lab, node->id);
				asked->answered =
					replica_executed(&lab->world.nodes[informant], head.transaction);
			}
			bool answered = asked->answered;
			if (!answered && head.deadline > lab->world.now) {
				break;
			}
			ring_pop(waiting);
			if (!answered) {
				ask_again(lab, node->id, head.transaction, &next);
				wait_for(lab, node->id, head.transaction,
					level < lab->clients->backoff_max ? level + 1 : level);
			}
		}
	}
	client_follow_on(lab, node->id);
	client_seek_on(lab, node->id);
	set_timer(lab, node->id);
}

static void give_up_replies(struct lab *lab, struct transaction *transaction)
{
	if (transaction->replies == NODE_NONE) {
		return;
	}
	if (sorted_replies(lab)) {
		reply_set_give_back(lab, transaction->replies);
		transaction->replies = NODE_NONE;
	} else {
		struct reply_count *count = &lab->clients->counts[transaction->replies];
		count->next_free = lab->clients->count_free;
		lab->clients->count_free = transaction->replies;
		transaction->replies = NODE_NONE;
	}
}

static uint32_t take_reply_count(struct lab *lab)
{
	uint32_t index = lab->clients->count_free;
	uint32_t words = (lab->world.n_validators + 63) / 64;
	size_t capacity = lab->clients->counts_capacity;
	if (index != NODE_NONE) {
		lab->clients->count_free = lab->clients->counts[index].next_free;
		struct reply_count *count = &lab->clients->counts[index];
		memset(count->bits, 0, words * sizeof(uint64_t));
		count->n = 0;
		count->n_others = 0;
		return index;
	}
	index = lab->clients->n_counts++;
	lab->clients->counts =
		lab_grow(lab->clients->counts, sizeof(*lab->clients->counts), index + 1, &capacity);
	lab->clients->counts_capacity = (uint32_t)capacity;
	lab->clients->counts[index] =
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

/* Counts a firm reply, where all are. Is it enough? */
static bool enough_firm(struct lab *lab, struct transaction *transaction, const struct message *message)
{
	if (transaction->replies == NODE_NONE) {
		transaction->replies = take_reply_count(lab);
	}
	return count_reply(lab, &lab->clients->counts[transaction->replies], message->from,
			   message->digest) >= lab->clients->reply_quorum;
}

/* Counts a reply, where there are several sorts: enough firm ones, or firm and tentative ones together, or
 * answers to a read that was not ordered, which say nothing of what is ordered. */
static bool enough_sorted(struct lab *lab, struct node *node, struct transaction *transaction,
	const struct message *message)
{
	if (transaction->replies == NODE_NONE) {
		transaction->replies = reply_set_take(lab);
	}
	struct reply_tally tally = reply_set_add(lab, transaction->replies, message);
	if (tally.n_firm >= lab->clients->reply_quorum ||
		(lab->clients->tentative_quorum > 0 && tally.n_firm + tally.n_tentative >= lab->clients->tentative_quorum) ||
		(lab->clients->read_quorum > 0 && tally.n_read >= lab->clients->read_quorum)) {
		return true;
	}
	transaction_id id = (transaction_id)message->instance;
	if (tally.n_heard == lab->world.n_validators && is_unordered(lab, id)) {
		order_read(lab, node->id, id); /* all have spoken, and too few agree */
	}
	return false;
}

/* The client has its answer. */
static void accept_answer(struct lab *lab, struct node *node, transaction_id id, const struct message *message)
{
	struct transaction *transaction = transaction_of(lab, id);
	struct client *client = &lab->clients->list[node->id];
	transaction->answered = true;
	client->pause_ns = 0;
	if (message->extra != NODE_NONE) {
		client_learns(lab, node->id, message->view, (uint32_t)message->extra, false);
	}
	if (lab->transactions->noted) {
		transaction_answered(lab, (transaction_id)message->instance, message->from);
	}
	give_up_replies(lab, transaction);
	uint32_t index = transaction->item;
	struct lab_item *item = &lab->items->all[index];
	if ((message->flags & REPLY_READ) != 0) {
		transaction->instance = 0; /* in none */
		item->instance = item->view = UINT64_MAX;
	} else {
		told_accepted(lab, id,
			lab->app->execute == NULL ? message->digest : replicas_instance_of(lab, id, message->digest));
		const struct lab_instance *record = watch_instance(lab, transaction->instance);
		item->instance = transaction->instance;
		item->view = record->view;
		item->proposer = record->proposer;
	}
	if (lab->app->execute != NULL) {
		digest_add(&lab->world.digest, UINT64_C(0xbb) << 56 | id, message->digest);
	}
	if (lab->app->answered != NULL) {
		struct command command = transaction->command; /* another submitted may move it */
		if (!lab->app->answered(lab->outside, lab->outside->state, &command, message->digest)) {
			return; /* it goes on */
		}
	}
	items_accepted(lab, index);
}

void client_receive(struct node *node, const struct message *message)
{
	struct lab *lab = lab_of(node);
	if (message->kind == MESSAGE_HINT) {
		client_hinted(lab, node, message);
		return;
	}
	transaction_id id = (transaction_id)message->instance;
	struct transaction *transaction = transaction_of(lab, id);
	if (transaction->answered || transaction->command.sender != node->id) {
		return;
	}
	if (sorted_replies(lab) ? enough_sorted(lab, node, transaction, message)
							: enough_firm(lab, transaction, message)) {
		accept_answer(lab, node, id, message);
	}
}

void client_executed(struct lab *lab, transaction_id transaction)
{
	transaction_of(lab, transaction)->answered = true;
	if (lab->transactions->noted) {
		transaction_answered(lab, transaction, transaction_of(lab, transaction)->command.sender);
	}
}

void clients_restart(struct lab *lab, struct node *node)
{
	/* What was asked before the crash and has timed out since is asked again now. */
	set_timer(lab, node->id);
}
