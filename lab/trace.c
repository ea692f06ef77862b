/* Listens to a world, and to what its nodes report, and tells a sink. */
#include "clients.h"
#include "outside.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "watch.h"

#include <stdarg.h>
#include <string.h>

const char *const trace_words[TRACE_N] = {
	[TRACE_SEND] = "send",
	[TRACE_RECEIVE] = "receive",
	[TRACE_DROP] = "drop",
	[TRACE_TIMER] = "timer",
	[TRACE_REASON] = "reason",
	[TRACE_LIE] = "lie",
	[TRACE_SHAPED] = "shaped",
	[TRACE_ATTACK] = "attack",
	[TRACE_FAULT] = "fault",
	[TRACE_SUBMITTED] = "submitted",
	[TRACE_PROPOSED] = "proposed",
	[TRACE_COMMITTED] = "committed",
	[TRACE_EXECUTED] = "executed",
	[TRACE_TENTATIVE] = "tentative",
	[TRACE_ROLLBACK] = "rollback",
	[TRACE_REVOKED] = "revoked",
	[TRACE_LEADS] = "leads",
	[TRACE_FOLLOWS] = "follows",
	[TRACE_CANDIDATE] = "candidate",
	[TRACE_APPENDED] = "appended",
	[TRACE_ACCEPTED] = "accepted",
	[TRACE_VIOLATED] = "violated",
	[TRACE_VERDICT] = "verdict",
};

struct belief {
	uint64_t view;
	uint32_t leader;
};

struct trace {
	const struct trace_sink *sink;
	struct lab *lab;
	struct trace_run run;
	struct tracer tracer;
	struct host_ops inner;  /* who hears the reports after the sink */
	struct belief *beliefs; /* of each validator, as last told */
	bool started;           /* the protocol's states may be looked at */
	bool handling;
	uint32_t handler; /* whose turn it is */
	sim_time handler_at_ns;
	uint64_t n_violations;  /* told */
	struct told_attack {
		char begins[80], ends[80];
		uint8_t *told; /* by validator: how much: neither, that it begins, that it ends */
	} *attacks; /* by attack */
	size_t n_attacks_open; /* of which something may yet have to be told */
};

static void tell(struct trace *trace, struct trace_event event)
{
	const struct world *world = &trace->lab->world;
	if (event.node < world->n_validators) {
		event.node_view = trace->lab->protocol->view(&world->nodes[event.node]);
	}
	trace->sink->event(trace->sink->context, &event);
}

/* Has what the node believes in changed since it was last asked? Only its own handlers change it. */
static void look_at(struct trace *trace, uint32_t id, sim_time at_ns)
{
	const struct world *world = &trace->lab->world;
	if (!trace->started || id >= world->n_validators) {
		return;
	}
	struct belief *told = &trace->beliefs[id];
	const struct node *node = &world->nodes[id];
	struct belief now = {trace->lab->protocol->view(node), trace->lab->protocol->leader(node)};
	if (now.view != told->view || now.leader != told->leader) {
		*told = now;
		tell(trace, (struct trace_event){
						.at_ns = at_ns, .what = TRACE_STATE, .node = id, .peer = now.leader});
	}
}

/* The handler under way has come to its end: something else begins. */
static void handled(struct trace *trace)
{
	if (!trace->handling) {
		return;
	}
	trace->handling = false;
	look_at(trace, trace->handler, trace->handler_at_ns);
	tell(trace, (struct trace_event){
					.at_ns = trace->handler_at_ns,
					.what = TRACE_HANDLED,
					.node = trace->handler,
					.peer = NODE_NONE,
					.busy_until_ns = trace->lab->world.ports[trace->handler].depart,
				});
}

/* Attacks begin and end by the clock. Nothing is scheduled for that, so that the run is the same as without a
 * trace: it is told before what happens next, with its own time. */
static void attacks_by(struct trace *trace, sim_time now)
{
	const struct lab *lab = trace->lab;
	for (size_t a = 0; trace->started && trace->n_attacks_open > 0 && a < lab->scenario->attacks.n; a++) {
		const struct attack_common *common = lab->scenario->attacks.values[a].settings;
		struct told_attack *attack = &trace->attacks[a];
		if (common->from_ns > now || attack->told == NULL) {
			continue;
		}
		bool over = common->until_ns <= now;
		for (uint32_t i = 0; i < lab->world.n_validators; i++) {
			if (!lab->attacking.attackers[a][i] || attack->told[i] == 2 || (attack->told[i] == 1 && !over)) {
				continue;
			}
			handled(trace);
			if (attack->told[i] == 0) {
				attack->told[i] = 1;
				/* A leader's, from when it leads. */
				tell(trace, (struct trace_event){.at_ns = common->nodes.leader ? now : common->from_ns,
								.what = TRACE_ATTACK,
								.node = i,
								.peer = NODE_NONE,
								.text = attack->begins});
			}
			if (over) {
				attack->told[i] = 2;
				tell(trace, (struct trace_event){.at_ns = common->until_ns,
								.what = TRACE_ATTACK,
								.node = i,
								.peer = NODE_NONE,
								.text = attack->ends});
			}
		}
		if (over) {
			attack->told = NULL;
			trace->n_attacks_open--;
		}
	}
}

static void attacks_start(struct trace *trace)
{
	struct lab *lab = trace->lab;
	const struct plugin_list *list = &lab->scenario->attacks;
	trace->attacks = arena_array(&lab->world.arena, struct told_attack, list->n + 1);
	for (size_t a = 0; a < list->n; a++) {
		struct told_attack *attack = &trace->attacks[a];
		attack->told = arena_array(&lab->world.arena, uint8_t, lab->world.n_validators);
		snprintf(attack->begins, sizeof(attack->begins), "%.36s begins (attacks.%zu)",
			list->values[a].plugin->name, a);
		snprintf(attack->ends, sizeof(attack->ends), "%.36s ends (attacks.%zu)",
			list->values[a].plugin->name, a);
	}
	trace->n_attacks_open = list->n;
}

/* Something happens at a node, within its handler under way or as the beginning of one. */
static void happens(struct trace *trace, bool begins, struct trace_event event)
{
	event.at_ns = trace->lab->world.now;
	attacks_by(trace, event.at_ns);
	if (begins || event.node != trace->handler || event.at_ns != trace->handler_at_ns) {
		handled(trace);
	}
	trace->handling = true;
	trace->handler = event.node;
	trace->handler_at_ns = event.at_ns;
	look_at(trace, event.node, event.at_ns);
	tell(trace, event);
}

/* Something befalls a node or the network: no handler's doing. */
static void befalls(struct trace *trace, struct trace_event event)
{
	event.at_ns = trace->lab->world.now;
	attacks_by(trace, event.at_ns);
	tell(trace, event);
}

/* What the world tells. */

static void on_sent(void *context, const struct node *from, uint32_t to, const struct message *message)
{
	struct trace *trace = context;
	struct trace_event event = {
		.what = TRACE_SEND, .node = from->id, .peer = to, .message = message};
	happens(trace, false, event);
	if (attackers_send(trace->lab)) {
		event.what = TRACE_LIE;
		happens(trace, false, event);
	}
}

static void on_arrived(void *context, const struct node *to, const struct message *message)
{
	happens(context, true,
		(struct trace_event){
			.what = TRACE_RECEIVE, .node = to->id, .peer = message->from, .message = message});
}

static void on_dropped(void *context, uint32_t to, const struct message *message, const char *why)
{
	befalls(context, (struct trace_event){.what = TRACE_DROP,
						 .node = to,
						 .peer = message->from,
						 .message = message,
						 .text = why});
}

static bool differ(const struct message *a, const struct message *b)
{
	return a->kind != b->kind || a->flags != b->flags || a->view != b->view || a->instance != b->instance ||
		a->digest != b->digest || a->extra != b->extra || a->body != b->body;
}

/* What rules do to honest nodes' messages, and to liars' without changing what these say, is no lie. */
static void on_shaped(void *context, const struct node *from, uint32_t to, const struct message *message,
	const struct message *copy, const struct shaping *shaping)
{
	bool lies = differ(copy, message) || shaping->unsent || (from->byzantine && shaping->by == NULL);
	happens(context, false,
		(struct trace_event){
			.what = lies ? TRACE_LIE : TRACE_SHAPED,
			.node = from->id,
			.peer = to,
			.message = copy,
			.instead = message,
			.shaping = shaping,
		});
}

static const char *timer_name(const struct protocol *protocol, unsigned timer)
{
	if (timer == NODE_TIMER_CLIENT) {
		return "client timeout";
	}
	const char *const *names = protocol->words == NULL ? NULL : protocol->words->timer_names;
	for (unsigned i = 0; names != NULL && names[i] != NULL; i++) {
		if (i == timer) {
			return names[i];
		}
	}
	return "timer";
}

static void on_timer(void *context, const struct node *node, unsigned timer)
{
	struct trace *trace = context;
	happens(trace, true,
		(struct trace_event){.what = TRACE_TIMER,
			.node = node->id,
			.peer = NODE_NONE,
			.text = timer_name(trace->lab->protocol, timer)});
}

static void on_log(void *context, const struct node *node, const char *phrase)
{
	happens(context, false,
		(struct trace_event){
			.what = TRACE_REASON, .node = node->id, .peer = NODE_NONE, .text = phrase});
}

static void on_fault(void *context, uint32_t node, const char *what)
{
	struct trace *trace = context;
	struct trace_event event = {.what = TRACE_FAULT, .node = node, .peer = NODE_NONE, .text = what};
	if (node != NODE_NONE && trace->lab->world.nodes[node].alive) {
		happens(trace, true, event); /* it comes up, and goes on from there */
	} else {
		handled(trace);
		befalls(trace, event);
	}
}

/* What the nodes report: the sink hears it first, then whoever heard it anyway. */

static struct trace *of(const struct node *node)
{
	return lab_of(node)->trace;
}

static void check_violations(struct trace *trace)
{
	const struct lab *lab = trace->lab;
	for (; trace->n_violations < lab->watch->n_violations; trace->n_violations++) {
		if (trace->n_violations < VIOLATIONS_MAX) {
			const struct violation *violation = &lab->watch->violations[trace->n_violations];
			befalls(trace, (struct trace_event){.what = TRACE_VIOLATED,
							   .node = violation->node_a,
							   .peer = violation->node_b,
							   .text = violation->invariant,
							   .instance = violation->instance,
							   .view = violation->value_a,
							   .digest = violation->value_b,
							   .broken_ns = violation->at,
							   .detail = violation->detail,
							   .of_clients = violation->transaction});
		}
	}
}

void trace_violations(struct lab *lab)
{
	handled(lab->trace);
	check_violations(lab->trace);
}

static void report(struct node *node, enum trace_what what, uint64_t instance, uint64_t view,
	const struct batch *batch)
{
	happens(of(node), false,
		(struct trace_event){
			.what = what,
			.node = node->id,
			.peer = NODE_NONE,
			.instance = instance,
			.view = view,
			.digest = batch == NULL ? 0 : batch->digest,
			.n_transactions = batch == NULL ? 0 : batch->n,
		});
}

static void on_proposed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	report(node, TRACE_PROPOSED, instance, view, batch);
	of(node)->inner.proposed(node, instance, view, batch);
	check_violations(of(node));
}

static void on_committed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	report(node, TRACE_COMMITTED, instance, view, batch);
	of(node)->inner.committed(node, instance, view, batch);
	check_violations(of(node));
}

static void on_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	report(node, TRACE_EXECUTED, instance, view, batch);
	of(node)->inner.apply(node, instance, view, batch, reply);
	check_violations(of(node));
}

static void on_apply_tentative(struct node *node, uint64_t instance, uint64_t view,
	const struct batch *batch)
{
	report(node, TRACE_TENTATIVE, instance, view, batch);
	of(node)->inner.apply_tentative(node, instance, view, batch);
	check_violations(of(node));
}

static void on_rollback(struct node *node, uint64_t instance)
{
	report(node, TRACE_ROLLBACK, instance, 0, NULL);
	of(node)->inner.rollback(node, instance);
}

static void on_revoked(struct node *node, uint64_t instance)
{
	report(node, TRACE_REVOKED, instance, 0, NULL);
	of(node)->inner.revoked(node, instance);
	check_violations(of(node));
}

static void on_leads(struct node *node, uint64_t view, enum lead_cause cause)
{
	report(node, TRACE_LEADS, 0, view, NULL);
	of(node)->inner.leads(node, view, cause);
	check_violations(of(node));
}

static void on_follows(struct node *node, uint64_t view, uint32_t leader)
{
	happens(of(node), false,
		(struct trace_event){
			.what = TRACE_FOLLOWS, .node = node->id, .peer = leader, .view = view});
	of(node)->inner.follows(node, view, leader);
}

static void on_candidate(struct node *node, uint64_t term)
{
	report(node, TRACE_CANDIDATE, 0, term, NULL);
	of(node)->inner.candidate(node, term);
}

static void on_appended(struct node *node, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *batch)
{
	report(node, TRACE_APPENDED, index, term, batch);
	of(node)->inner.appended(node, index, term, prev_term, batch);
	check_violations(of(node));
}

void trace_submitted(struct lab *lab, transaction_id transaction)
{
	const struct transaction *it = transaction_of(lab, transaction);
	happens(lab->trace, false,
		(struct trace_event){
			.what = TRACE_SUBMITTED,
			.node = it->command.sender,
			.peer = NODE_NONE,
			.transaction = transaction,
			.item = it->item,
		});
}

void trace_accepted(struct lab *lab, uint32_t item)
{
	happens(lab->trace, false,
		(struct trace_event){
			.what = TRACE_ACCEPTED,
			.node = lab->items->all[item].client,
			.peer = NODE_NONE,
			.item = item,
		});
}

void trace_start(struct lab *lab, const struct trace_sink *sink, struct host_ops *ops)
{
	struct trace *trace = arena_new(&lab->world.arena, struct trace);
	*trace = (struct trace){
		.sink = sink,
		.lab = lab,
		.run =
			{
				.scenario = lab->scenario,
				.protocol = lab->protocol,
				.n_validators = lab->world.n_validators,
				.n_clients = lab->world.n_nodes - lab->world.n_validators,
				.nodes = lab->world.nodes,
				.lab = lab,
				.run = lab->number.run,
				.point = lab->number.point,
				.replication = lab->number.replication,
				.seed = lab->seed,
			},
		.tracer = {trace, on_sent, on_arrived, on_dropped, on_shaped, on_timer, on_log, on_fault},
		.inner = *ops,
		.beliefs = arena_array(&lab->world.arena, struct belief, lab->world.n_validators),
	};
	lab->trace = trace;
	attacks_start(trace);
	ops->proposed = on_proposed;
	ops->committed = on_committed;
	ops->apply = on_apply;
	ops->apply_tentative = ops->apply_tentative == NULL ? NULL : on_apply_tentative;
	ops->rollback = ops->rollback == NULL ? NULL : on_rollback;
	ops->revoked = on_revoked;
	ops->leads = on_leads;
	ops->follows = on_follows;
	ops->candidate = on_candidate;
	ops->appended = on_appended;
	world_listen(&lab->world, &trace->tracer);
	sink->begin(sink->context, &trace->run);
}

void trace_started(struct lab *lab)
{
	struct trace *trace = lab->trace;
	handled(trace);
	trace->started = true;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		trace->beliefs[i] = (struct belief){UINT64_MAX, NODE_NONE};
		look_at(trace, i, 0);
	}
	attacks_by(trace, 0);
}

void trace_end(struct lab *lab)
{
	char text[200];
	handled(lab->trace);
	snprintf(text, sizeof(text), "%s: %s", lab->ending.verdict, lab->ending.verdict_reason);
	befalls(lab->trace, (struct trace_event){.what = TRACE_VERDICT,
							.node = NODE_NONE,
							.peer = NODE_NONE,
							.text = text});
}

/* For sinks. */

static bool has(const struct trace_kinds *kinds, const struct protocol *protocol,
	const struct message *message)
{
	const struct protocol_words *words = protocol == NULL ? NULL : protocol->words;
	bool phased = kinds->phases != 0 && words != NULL && words->phase != NULL &&
		message->kind >= MESSAGE_PROTOCOL;
	return (kinds->kinds[message->kind / 64] >> message->kind % 64 & 1) != 0 ||
		(phased && (kinds->phases >> words->phase(message) & 1) != 0);
}

static bool any_message(const struct trace_kinds *kinds)
{
	return (kinds->kinds[0] | kinds->kinds[1] | kinds->kinds[2] | kinds->kinds[3] | kinds->phases) != 0;
}

bool trace_message_wanted(const struct trace_filter *filter, const struct message *message)
{
	return !has(&filter->without, filter->protocol, message) &&
		(!any_message(&filter->with) || has(&filter->with, filter->protocol, message));
}

bool trace_chooses_messages(const struct trace_filter *filter)
{
	return any_message(&filter->with) || any_message(&filter->without);
}

bool trace_wanted(const struct trace_filter *filter, const struct trace_event *event)
{
	if (event->at_ns < filter->from_ns || event->at_ns >= filter->until_ns) {
		return false;
	}
	bool at_node = filter->n_nodes == 0 || event->node == NODE_NONE;
	for (size_t i = 0; i < filter->n_nodes && !at_node; i++) {
		at_node = filter->nodes[i] == event->node;
	}
	const struct message *message = event->message;
	if (!at_node || (filter->without.whats >> event->what & 1) != 0 ||
		(message != NULL && has(&filter->without, filter->protocol, message))) {
		return false;
	}
	return (filter->with.whats == 0 && !any_message(&filter->with)) ||
		(filter->with.whats >> event->what & 1) != 0 ||
		(message != NULL && has(&filter->with, filter->protocol, message));
}

const char *trace_message_name(const struct protocol *protocol, unsigned kind)
{
	static const char *const clients[MESSAGE_PROTOCOL] = {"", "request", "reply", "hint", "read"};
	if (kind < MESSAGE_PROTOCOL) {
		return clients[kind] == NULL ? "" : clients[kind];
	}
	for (unsigned i = 0; protocol->message_names != NULL && protocol->message_names[i] != NULL; i++) {
		if (i == kind - MESSAGE_PROTOCOL) {
			return protocol->message_names[i];
		}
	}
	return "message";
}

const char *trace_view_word(const struct protocol *protocol)
{
	return protocol->words == NULL || protocol->words->view == NULL ? "view" : protocol->words->view;
}

void trace_node_name(const struct trace_run *run, uint32_t node, char out[TRACE_NODE_NAME])
{
	if (node == NODE_NONE) {
		snprintf(out, TRACE_NODE_NAME, "-");
	} else if (node < run->n_validators) {
		snprintf(out, TRACE_NODE_NAME, "v%u", node);
	} else {
		snprintf(out, TRACE_NODE_NAME, "c%u", node - run->n_validators);
	}
}

/* ", get key 7": what it asks for, where the application has words for it. */
static void tell_operation(const struct trace_run *run, transaction_id transaction, char out[64])
{
	const struct lab *lab = run->lab;
	if (lab != NULL && lab->app->tell != NULL && transaction < lab->transactions->n) {
		memcpy(out, ", ", 2);
		lab->app->tell(lab->common, &transaction_of(lab, transaction)->command, out + 2, 62);
	}
}

static void tell_result(
	const struct trace_run *run, transaction_id transaction, uint64_t result, char out[100])
{
	const struct lab *lab = run->lab;
	if (lab != NULL && lab->app->tell_result != NULL && transaction < lab->transactions->n) {
		lab->app->tell_result(lab->common, &transaction_of(lab, transaction)->command, result, out, 100);
	} else {
		snprintf(out, 100, "result %llu", (unsigned long long)result);
	}
}

static void tell_client_message(const struct trace_run *run, const struct message *message, char *out,
	size_t size)
{
	char leader[TRACE_NODE_NAME];
	unsigned long long transaction = message->instance;
	char operation[64] = "";
	char result[100];
	tell_operation(run, (transaction_id)message->instance, operation);
	switch (message->kind) {
	case MESSAGE_REPLY:
		tell_result(run, (transaction_id)message->instance, message->digest, result);
		snprintf(out, size, "transaction %llu%s, %s %llu, %s", transaction, operation,
			trace_view_word(run->protocol), (unsigned long long)message->view, result);
		break;
	case MESSAGE_HINT:
		trace_node_name(run, (uint32_t)message->extra, leader);
		if (message->instance == TRANSACTION_NONE) {
			snprintf(out, size, "%s %llu: %s", trace_view_word(run->protocol),
				(unsigned long long)message->view, message->extra == NODE_NONE ? "leads no more" : "leads");
		} else {
			snprintf(out, size, "transaction %llu: the leader is %s", transaction,
				message->extra == NODE_NONE ? "not known" : leader);
		}
		break;
	default:
		snprintf(out, size, "transaction %llu%s", transaction, operation);
		break;
	}
}

void trace_tell(const struct trace_run *run, const struct message *message, char *out, size_t size)
{
	const struct protocol_words *words = run->protocol->words;
	out[0] = '\0';
	if (message->kind < MESSAGE_PROTOCOL) {
		tell_client_message(run, message, out, size);
	} else if (words == NULL || words->tell == NULL || !words->tell(message, out, size)) {
		snprintf(out, size, "%s %llu, instance %llu, digest %04x", trace_view_word(run->protocol),
			(unsigned long long)message->view, (unsigned long long)message->instance,
			(unsigned)(message->digest >> 48));
	}
	size_t n = strlen(out);
	if ((message->flags & MESSAGE_FORGED) != 0 && n < size) {
		snprintf(out + n, size - n, " (forged)");
	}
}

static void tell_ms(sim_time ns, char out[40])
{
	snprintf(out, 40, "%lld.%06lld ms", (long long)(ns / SIM_MS), (long long)(ns % SIM_MS));
}

static size_t add(char *out, size_t n, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static size_t add(char *out, size_t n, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int added = n < size ? vsnprintf(out + n, size - n, format, arguments) : 0;
	va_end(arguments);
	return n + (size_t)(added > 0 ? added : 0);
}

void trace_tell_shaped(
	const struct trace_run *run, const struct trace_event *event, char *out, size_t size)
{
	static const struct shaping besides = {0};
	const struct shaping *shaping = event->shaping == NULL ? &besides : event->shaping;
	const struct message *given = event->instead == NULL ? event->message : event->instead;
	char says[256], instead[256], time[40];
	size_t n = 0;
	out[0] = '\0';
	trace_tell(run, event->message, says, sizeof(says));
	trace_tell(run, given, instead, sizeof(instead));
	if (event->shaping == NULL) {
		n = add(out, n, size, ", sent besides");
	} else if (shaping->unsent) {
		n = add(out, n, size, ", withheld");
	}
	if (!shaping->unsent && shaping->not_before_ns > event->at_ns) {
		tell_ms(shaping->not_before_ns, time);
		n = add(out, n, size, ", held until %s", time);
	}
	if (!shaping->unsent && shaping->delay_ns > 0) {
		tell_ms(shaping->delay_ns, time);
		n = add(out, n, size, ", delayed by %s", time);
	}
	if (!shaping->unsent && shaping->n_duplicates > 0) {
		n = add(out, n, size, ", duplicated, %u more", shaping->n_duplicates);
	}
	if (shaping->by != NULL) {
		n = add(out, n, size, "%s%s", n > 0 ? " " : ", ", shaping->by);
	}
	n = add(out, n, size, ": %s", says);
	if (!shaping->unsent && strcmp(says, instead) != 0) {
		/* Of what is the same up to a comma, only the rest is said again. */
		size_t same = 0;
		for (size_t i = 0; says[i] != '\0' && says[i] == instead[i]; i++) {
			same = says[i] == ' ' && i > 0 && says[i - 1] == ',' ? i + 1 : same;
		}
		add(out, n, size, " instead of %s", instead + same);
	}
}
