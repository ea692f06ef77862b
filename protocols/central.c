/* Central: one coordinator, node 0, and no agreement: what most deployments do today. It applies each
 * transaction as it comes, answers, and tells the others, who apply in its order, so that gateways see the
 * decisions at their own validators. Nobody takes over: while the coordinator is down nothing goes on, and
 * what it says is believed.
 *
 * Each transaction is an instance of its own. A validator to which an update is missing (links lose and keep
 * no order; it was down) asks for it; the coordinator keeps all on stable storage. It may have missed the last
 * one: where links may lose something, a coordinator that is idle sends that again. Both grow rarer and rarer. */
#include "protocols/protocol.h"

enum {
	CENTRAL_UPDATE = MESSAGE_PROTOCOL, /* instance; body: its batch */
	CENTRAL_FETCH, /* instance: the first that the sender lacks */
};

enum {
	CENTRAL_TIMER_FETCH,
	CENTRAL_TIMER_TELL, /* the coordinator's, while it is idle */
};

#define COORDINATOR 0
#define CENTRAL_HEADER_BYTES 32
#define CENTRAL_FETCH_MAX 64 /* updates sent at one asking */

struct central_settings {
	sim_time fetch_delay_ns;
};

struct central {
	const struct batch **log; /* by instance - 1; NULL: not here yet */
	uint64_t applied;
	uint64_t last;   /* the highest instance heard of */
	uint64_t asked;  /* the last of those that were asked for; 0: none are */
	sim_time stirred_at; /* the last time that anything came, or came to be missing */
	size_t capacity;
};

static const struct param params[] = {
	{.name = "fetch_delay", .kind = PARAM_DURATION, .flags = PARAM_AUTO, .min = SIM_TIMER_MIN,
		.offset = offsetof(struct central_settings, fetch_delay_ns), .fallback = "auto",
		.auto_delays = {4}, .auto_min_ns = {50 * SIM_MS}, .unit = "s",
		.help = "a validator that lacks an update asks for it after this long"},
	PARAM_END,
};

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

/* The coordinator's state is the only one: a read is answered from it. */
static enum protocol_reads reads(const void *settings)
{
	return READS_LEADER;
}

static void start(struct node *node)
{
	if (node->id == COORDINATOR) {
		node_leads(node, 0, LEAD_FIRST);
	}
}

static void store(struct node *node, uint64_t instance, const struct batch *batch)
{
	struct central *central = node->state;
	if (instance > central->last) {
		central->log = arena_grow(node_arena(node), central->log, sizeof(*central->log), central->last,
			instance, &central->capacity);
		for (uint64_t i = central->last; i < instance; i++) {
			central->log[i] = NULL;
		}
		central->last = instance;
	}
	central->log[instance - 1] = batch;
}

static void apply(struct node *node, bool reply)
{
	struct central *central = node->state;
	while (central->applied < central->last && central->log[central->applied] != NULL) {
		const struct batch *batch = central->log[central->applied++];
		node_committed(node, central->applied, 0, batch);
		node_apply(node, central->applied, 0, batch, reply);
	}
}

static struct message *update(struct node *node, enum message_class class, uint64_t instance)
{
	const struct central *central = node->state;
	const struct batch *batch = central->log[instance - 1];
	struct message *message =
		node_message(node, CENTRAL_UPDATE, class, CENTRAL_HEADER_BYTES + batch->size_bytes);
	message->instance = instance;
	message->digest = batch->digest;
	message->body = batch;
	return message;
}

/* The next one comes after fetch_delay, or after a quarter of the time since anything happened. */
static void set_timer(struct node *node, unsigned timer)
{
	const struct central *central = node->state;
	sim_time now = node_now(node), delay = ((const struct central_settings *)node->settings)->fetch_delay_ns;
	sim_time since = now > central->stirred_at ? (now - central->stirred_at) / 4 : 0;
	node_timer_set(node, timer, sim_time_add(now, since > delay ? since : delay));
}

static void stir(struct node *node, unsigned timer)
{
	((struct central *)node->state)->stirred_at = node_now(node);
	set_timer(node, timer);
}

static void tell(struct node *node)
{
	const struct central *central = node->state;
	if (central->last > 0 && node_may_miss(node)) {
		node_log(node, "idle, and another may have missed the last update -> send it again");
		node_multicast(node, update(node, CLASS_CONTROL, central->last));
		set_timer(node, CENTRAL_TIMER_TELL);
	}
}

static void on_request(struct node *node, const struct message *message)
{
	struct central *central = node->state;
	transaction_id transaction = (transaction_id)message->instance;
	if (node->id != COORDINATOR) {
		node_log(node, "request at another validator -> name the coordinator");
		struct message *hint = node_message(node, MESSAGE_HINT, CLASS_CLIENT, CENTRAL_HEADER_BYTES);
		hint->instance = transaction;
		hint->extra = COORDINATOR;
		node_send(node, message->from, hint);
		return;
	}
	if (node_executed(node, transaction)) {
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, 0);
		if (message->from < node->n_validators && message->from != node->id) {
			/* A gateway asks again because its validator lacks the update; from the last one it sees
			 * what else it lacks. */
			node_send(node, message->from, update(node, CLASS_CONTROL, central->last));
		}
		return;
	}
	node_log(node, "request -> apply and tell the others");
	uint64_t instance = central->last + 1;
	store(node, instance, node_batch(node, &transaction, 1));
	node_proposed(node, instance, 0, central->log[instance - 1]);
	node_multicast(node, update(node, CLASS_AGREEMENT, instance));
	apply(node, true);
	if (node_may_miss(node)) {
		stir(node, CENTRAL_TIMER_TELL);
	}
}

static void fetch(struct node *node)
{
	struct central *central = node->state;
	node_log(node, "an update is missing -> ask for it");
	struct message *message =
		node_message(node, CENTRAL_FETCH, CLASS_CONTROL, CENTRAL_HEADER_BYTES);
	message->instance = central->applied + 1;
	central->asked = central->applied + CENTRAL_FETCH_MAX;
	node_send(node, COORDINATOR, message);
	set_timer(node, CENTRAL_TIMER_FETCH);
}

static void on_update(struct node *node, const struct message *message)
{
	struct central *central = node->state;
	if (message->from != COORDINATOR) {
		node_log(node, "update not from the coordinator -> refuse");
		return;
	}
	if (message->instance <= central->applied) {
		if (central->applied == central->last) {
			node_timer_cancel(node, CENTRAL_TIMER_FETCH); /* nothing is missing */
		}
		return;
	}
	store(node, message->instance, message->body);
	apply(node, false);
	central->stirred_at = node_now(node);
	if (central->applied == central->last) {
		node_timer_cancel(node, CENTRAL_TIMER_FETCH);
		central->asked = 0;
	} else if (central->applied == central->asked && central->asked > 0) {
		fetch(node); /* all that was asked for has come: the next ones */
	} else if (central->asked > 0 || !node_timer_runs(node, CENTRAL_TIMER_FETCH)) {
		/* It may only be late; and while what was asked for is coming, nobody asks again. */
		set_timer(node, CENTRAL_TIMER_FETCH);
	}
}

static void on_fetch(struct node *node, const struct message *message)
{
	const struct central *central = node->state;
	uint64_t first = message->instance;
	if (first == 0) {
		return;
	}
	if (first > central->last) {
		/* It lacks nothing, which its own last update says; instance 0: there is none yet. */
		node_send(node, message->from,
			central->last > 0
				? update(node, CLASS_CONTROL, central->last)
				: node_message(node, CENTRAL_UPDATE, CLASS_CONTROL, CENTRAL_HEADER_BYTES));
		return;
	}
	if (node_ahead_ns(node) > ((const struct central_settings *)node->settings)->fetch_delay_ns) {
		/* Answers to all that lag would keep its processor and its card from what is new, and come so late
		 * that they are asked for again. */
		node_log(node, "more to send than fetch_delay bears -> it asks again");
		return;
	}
	uint64_t n = central->last - first + 1;
	n = n < CENTRAL_FETCH_MAX ? n : CENTRAL_FETCH_MAX;
	if (first + n <= central->last) { /* the last one first: it says that more is missing */
		node_send(node, message->from, update(node, CLASS_CONTROL, central->last));
	}
	for (uint64_t i = 0; i < n; i++) {
		node_send(node, message->from, update(node, CLASS_CONTROL, first + i));
	}
}

static void receive(struct node *node, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_REQUEST:
		on_request(node, message);
		break;
	case MESSAGE_READ:
		if (node->id == COORDINATOR) {
			node_read(node, (transaction_id)message->instance, 0);
		} else {
			on_request(node, message);
		}
		break;
	case CENTRAL_UPDATE:
		on_update(node, message);
		break;
	case CENTRAL_FETCH:
		on_fetch(node, message);
		break;
	default:
		assert(!"a kind of message that central does not have");
	}
}

static void timer(struct node *node, unsigned which)
{
	if (which == CENTRAL_TIMER_FETCH) {
		fetch(node);
	} else {
		tell(node);
	}
}

/* What was applied is on stable storage. */
static void restart(struct node *node)
{
	((struct central *)node->state)->stirred_at = node_now(node);
	if (node->id != COORDINATOR) {
		fetch(node);
	} else {
		tell(node);
	}
}

static uint64_t view(const struct node *node)
{
	return 0;
}

static uint32_t leader(const struct node *node)
{
	return COORDINATOR;
}

static const char *const message_names[] = {"update", "fetch", NULL};

const struct protocol protocol_central = {
	.plugin =
		{
			.name = "central",
			.summary = "one coordinator, no agreement: node 0 applies, answers and tells the others",
			.params = params,
			.settings_size = sizeof(struct central_settings),
		},
	.solo = true,
	.ordered = true,
	.leader_based = true,
	.client = CLIENT_COORDINATOR,
	.state_size = sizeof(struct central),
	.message_names = message_names,
	.faulty_most = faulty_most,
	.faulty_rule = "n > f",
	.quorum = quorum,
	.reply_quorum = reply_quorum,
	.reads = reads,
	.start = start,
	.receive = receive,
	.timer = timer,
	.restart = restart,
	.view = view,
	.leader = leader,
};
