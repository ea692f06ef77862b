#include "cluster.h"

#include "settings.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct cluster_held {
	struct cluster_held *next;
	uint32_t to;
	bool ruled; /* rules have had their say */
	struct message message;
};

struct cluster_transaction {
	bool submitted;
	uint64_t replied; /* a set of nodes */
	/* Tentative replies of the latest view, from the nodes that executed it at this instance. */
	uint64_t tentative, tentative_view, tentative_instance;
	uint64_t told_instance; /* where a client was told that it is; 0: not yet */
};

static struct cluster *of(const struct node *node)
{
	return node->world->host;
}

static bool is_honest(const struct node *node)
{
	return (of(node)->liars & NODE(node->id)) == 0;
}

/* The trace. */

static void tell(const struct node *node, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(const struct node *node, const char *format, ...)
{
	struct cluster *cluster = of(node);
	if (cluster->options.quiet) {
		return;
	}
	char text[512];
	int n = snprintf(text, sizeof(text), "%12.3f ms  n%u ", (double)cluster->world.now / 1e6, node->id);
	va_list arguments;
	va_start(arguments, format);
	n += vsnprintf(text + n, sizeof(text) - (size_t)n - 2, format, arguments);
	va_end(arguments);
	if ((size_t)n > sizeof(text) - 2) {
		n = (int)sizeof(text) - 2;
	}
	text[n++] = '\n';
	if (cluster->trace_n + (size_t)n + 1 > cluster->trace_capacity) {
		cluster->trace_capacity = 2 * cluster->trace_capacity + 4096;
		cluster->trace = realloc(cluster->trace, cluster->trace_capacity);
		assert_non_null(cluster->trace);
	}
	memcpy(cluster->trace + cluster->trace_n, text, (size_t)n);
	cluster->trace_n += (size_t)n;
	cluster->trace[cluster->trace_n] = 0;
}

static const char *batch_text(const struct batch *batch, char text[128])
{
	int n = snprintf(text, 128, "[");
	for (uint32_t i = 0; i < batch->n && n < 100; i++) {
		n += snprintf(text + n, 128 - (size_t)n, i == 0 ? "%u" : " %u", batch->transactions[i]);
	}
	snprintf(text + n, 128 - (size_t)n, n >= 100 ? "..." : "]");
	return text;
}

static const char *kind_text(const struct cluster *cluster, uint8_t kind)
{
	if (kind == MESSAGE_REQUEST) {
		return "request";
	}
	const char *const *names = cluster->protocol->message_names;
	for (int i = 0; names[i] != NULL; i++) {
		if (kind == MESSAGE_PROTOCOL + i) {
			return names[i];
		}
	}
	return "message";
}

static void tell_batch(const struct node *node, const char *what, uint64_t instance, uint64_t view,
	const struct batch *batch)
{
	if (!of(node)->options.quiet) {
		char text[128];
		tell(node, "%s %llu in view %llu %s", what, (unsigned long long)instance,
			(unsigned long long)view, batch_text(batch, text));
	}
}

static void tell_message(
	const struct cluster *cluster, uint32_t to, const char *what, const struct message *message)
{
	if (!cluster->options.quiet) {
		tell(&cluster->world.nodes[to], "%s %s %llu of view %llu from n%u", what,
			kind_text(cluster, message->kind), (unsigned long long)message->instance,
			(unsigned long long)message->view, message->from);
	}
}

static void violate(const struct node *node, const char *what, uint64_t which)
{
	struct cluster *cluster = of(node);
	if (is_honest(node) && cluster->violation[0] == 0) {
		snprintf(cluster->violation, sizeof(cluster->violation), "%.6f s: n%u: %s: %llu",
			sim_time_to_s(cluster->world.now), node->id, what, (unsigned long long)which);
	}
}

/* Messages and rules. */

static void hand_over(struct cluster *cluster, uint32_t to, const struct message *message)
{
	struct node *node = &cluster->world.nodes[to];
	if (!node->alive) {
		return;
	}
	cluster->received[message->kind]++;
	if (cluster->options.receipts) {
		tell_message(cluster, to, "receives", message);
	}
	cluster->protocol->receive(node, message);
}

static bool fits(struct cluster *cluster, struct cluster_rule *rule, uint32_t to,
	const struct message *message)
{
	sim_time now = cluster->world.now;
	return (rule->max == 0 || rule->n_struck < rule->max) &&
		(rule->kind == 0 || rule->kind == message->kind) &&
		(rule->from == 0 || (rule->from & NODE(message->from)) != 0) &&
		(rule->to == 0 || (rule->to & NODE(to)) != 0) &&
		(rule->view_until == 0 ||
			(rule->view_from <= message->view && message->view < rule->view_until)) &&
		(rule->instance == 0 || rule->instance == message->instance) && rule->from_ns <= now &&
		(rule->until_ns == 0 || now < rule->until_ns) &&
		(rule->when == NULL || rule->when(cluster, to, message, rule->context));
}

static void held_arrives(struct world *world, void *context, uint64_t argument)
{
	struct cluster_held *held = context;
	hand_over(world->host, held->to, &held->message);
}

static struct cluster_held *held_make(
	struct cluster *cluster, uint32_t to, const struct message *message)
{
	struct cluster_held *held = arena_new(&cluster->world.arena, struct cluster_held);
	held->to = to;
	held->message = *message;
	return held;
}

static void apply_rule(struct cluster *cluster, struct cluster_rule *rule, uint32_t to,
	const struct message *original)
{
	rule->n_struck++;
	struct message message = *original;
	if (rule->replace != NULL) {
		rule->replace(cluster, to, &message, rule->context);
		tell_message(cluster, to, "(replaced)", &message);
	}
	if (rule->do_drop) {
		tell_message(cluster, to, "(dropped)", &message);
		return;
	}
	if (rule->do_hold) {
		tell_message(cluster, to, "(held)", &message);
		*cluster->held_end = held_make(cluster, to, &message);
		cluster->held_end = &(*cluster->held_end)->next;
		return;
	}
	if (rule->delay_ns > 0) {
		world_call_at(&cluster->world, cluster->world.now + rule->delay_ns, held_arrives,
			held_make(cluster, to, &message), 0);
		return;
	}
	uint32_t n = 1 + rule->duplicates;
	for (uint32_t i = 0; i < n; i++) {
		hand_over(cluster, to, &message);
	}
}

static void on_receive(struct node *node, const struct message *message)
{
	struct cluster *cluster = of(node);
	if (message->from != node->id) {
		for (size_t i = cluster->n_rules; i-- > 0;) {
			if (fits(cluster, &cluster->rules[i], node->id, message)) {
				apply_rule(cluster, &cluster->rules[i], node->id, message);
				return;
			}
		}
	}
	hand_over(cluster, node->id, message);
}

size_t cluster_rule(struct cluster *cluster, struct cluster_rule rule)
{
	cluster->rules = arena_grow(&cluster->world.arena, cluster->rules, sizeof(rule), cluster->n_rules,
		cluster->n_rules + 1, &cluster->rules_capacity);
	cluster->rules[cluster->n_rules] = rule;
	return cluster->n_rules++;
}

uint64_t cluster_struck(const struct cluster *cluster, size_t rule)
{
	return cluster->rules[rule].n_struck;
}

void cluster_rule_end(struct cluster *cluster, size_t rule)
{
	cluster->rules[rule].until_ns = cluster->world.now == 0 ? 1 : cluster->world.now;
}

size_t cluster_release(struct cluster *cluster)
{
	struct cluster_held *held = cluster->held;
	cluster->held = NULL;
	cluster->held_end = &cluster->held;
	size_t n = 0;
	for (; held != NULL; held = held->next, n++) {
		hand_over(cluster, held->to, &held->message);
	}
	return n;
}

static bool crosses(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	const uint64_t *nodes = context;
	return ((*nodes & NODE(to)) != 0) != ((*nodes & NODE(message->from)) != 0);
}

size_t cluster_isolate(struct cluster *cluster, uint64_t nodes, sim_time until_ns)
{
	uint64_t *set = cluster_alloc(cluster, sizeof(*set));
	*set = nodes;
	return cluster_rule(cluster,
		(struct cluster_rule){
			.when = crosses, .context = set, .until_ns = until_ns, .do_drop = true});
}

void cluster_inject(struct cluster *cluster, sim_time at_ns, uint32_t to, const struct message *message)
{
	world_call_at(
		&cluster->world, at_ns, held_arrives, held_make(cluster, to, message), 0);
}

/* Transactions. */

static struct cluster_transaction *transaction_of(struct cluster *cluster, transaction_id transaction)
{
	while (cluster->n_transactions <= transaction) {
		cluster->transactions =
			arena_grow(&cluster->world.arena, cluster->transactions, sizeof(*cluster->transactions),
				cluster->n_transactions, cluster->n_transactions + 1, &cluster->transactions_capacity);
		cluster->transactions[cluster->n_transactions++] = (struct cluster_transaction){0};
	}
	return &cluster->transactions[transaction];
}

static void read_at(struct world *world, void *context, uint64_t argument)
{
	struct cluster *cluster = world->host;
	struct message message = {.kind = MESSAGE_READ,
		.class = CLASS_CLIENT,
		.from = cluster->n,
		.size_bytes = 64,
		.instance = (transaction_id)argument};
	hand_over(cluster, (uint32_t)(argument >> 32), &message);
}

void cluster_read(struct cluster *cluster, sim_time at_ns, uint32_t to, transaction_id transaction)
{
	world_call_at(&cluster->world, at_ns, read_at, NULL, (uint64_t)to << 32 | transaction);
}

static void submit(struct world *world, void *context, uint64_t argument)
{
	struct cluster *cluster = world->host;
	uint32_t to = (uint32_t)(argument >> 32);
	transaction_id transaction = (transaction_id)argument;
	struct message message = {
		.kind = MESSAGE_REQUEST,
		.class = CLASS_CLIENT,
		.from = cluster->n,
		.size_bytes = 64 + cluster->options.transaction_bytes,
		.instance = transaction,
	};
	for (uint32_t i = 0; i < cluster->n; i++) {
		if (to == i || to == cluster->n) {
			hand_over(cluster, i, &message);
		}
	}
}

static void retry(struct world *world, void *context, uint64_t transaction)
{
	struct cluster *cluster = world->host;
	if (cluster_replies(cluster, (transaction_id)transaction) < cluster->reply_quorum &&
		transaction_of(cluster, (transaction_id)transaction)->told_instance == 0) {
		submit(world, NULL, (uint64_t)cluster->n << 32 | transaction);
		world_call_at(
			world, world->now + cluster->options.retry_ns, retry, context, transaction);
	}
}

void cluster_submit(struct cluster *cluster, sim_time at_ns, uint32_t to, transaction_id transaction)
{
	struct cluster_transaction *record = transaction_of(cluster, transaction);
	world_call_at(&cluster->world, at_ns, submit, NULL, (uint64_t)to << 32 | transaction);
	if (!record->submitted && cluster->options.retry_ns > 0) {
		sim_time from_ns = at_ns < cluster->world.now ? cluster->world.now : at_ns;
		world_call_at(
			&cluster->world, from_ns + cluster->options.retry_ns, retry, NULL, transaction);
	}
	record->submitted = true;
}

void cluster_submit_all(struct cluster *cluster, sim_time at_ns, transaction_id transaction)
{
	cluster_submit(cluster, at_ns, cluster->n, transaction);
}

/* What the nodes report. */

static void on_proposed(
	struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct cluster_node *record = &of(node)->nodes[node->id];
	tell_batch(node, "proposes", instance, view, batch);
	record->n_proposed++;
	record->max_proposed = instance > record->max_proposed ? instance : record->max_proposed;
}

static bool bit_add(struct arena *arena, uint64_t **words, size_t *n_words, uint64_t i)
{
	size_t capacity = *n_words;
	if (i / 64 >= capacity) {
		uint64_t *old = *words;
		*words = arena_grow(arena, old, sizeof(uint64_t), *n_words, i / 64 + 1, &capacity);
		memset(*words + *n_words, 0, (capacity - *n_words) * sizeof(uint64_t));
		*n_words = capacity;
	}
	uint64_t mask = UINT64_C(1) << i % 64;
	bool is_new = ((*words)[i / 64] & mask) == 0;
	(*words)[i / 64] |= mask;
	return is_new;
}

static void list_add(struct arena *arena, struct cluster_entry **list, size_t *n, size_t *capacity,
	struct cluster_entry entry)
{
	*list = arena_grow(arena, *list, sizeof(entry), *n, *n + 1, capacity);
	(*list)[(*n)++] = entry;
}

static void agree(struct node *node, uint64_t instance, const struct batch *batch)
{
	struct cluster *cluster = of(node);
	if (!cluster->protocol->ordered || !is_honest(node)) {
		return;
	}
	while (cluster->n_agreed < instance) {
		cluster->agreed = arena_grow(&cluster->world.arena, cluster->agreed, sizeof(batch),
			cluster->n_agreed, cluster->n_agreed + 1, &cluster->agreed_capacity);
		cluster->agreed[cluster->n_agreed++] = NULL;
	}
	const struct batch **agreed = &cluster->agreed[instance - 1];
	if (*agreed == NULL) {
		*agreed = batch;
	} else if ((*agreed)->digest != batch->digest) {
		violate(node, "differs from what another holds at instance", instance);
	}
}

static void on_committed(
	struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct cluster *cluster = of(node);
	struct cluster_node *record = &cluster->nodes[node->id];
	tell_batch(node, "commits", instance, view, batch);
	list_add(&cluster->world.arena, &record->committed, &record->n_committed,
		&record->committed_capacity,
		(struct cluster_entry){cluster->world.now, instance, view, batch});
	if (!bit_add(&cluster->world.arena, &record->committed_bits, &record->committed_words, instance)) {
		violate(node, "commits twice instance", instance);
	}
	agree(node, instance, batch);
}

static void on_reply(struct node *node, transaction_id transaction, uint64_t view)
{
	struct cluster *cluster = of(node);
	struct cluster_node *record = &cluster->nodes[node->id];
	record->n_replies++;
	for (size_t i = 0; record->tentative != 0 && i < record->n_undo; i++) {
		if (record->undo[i] == transaction) {
			return; /* a tentative reply once more */
		}
	}
	transaction_of(cluster, transaction)->replied |= NODE(node->id);
}

/* What a client was told by a quorum of tentative replies must come true. */
static void check_told(struct node *node, transaction_id id, uint64_t instance)
{
	uint64_t told = transaction_of(of(node), id)->told_instance;
	if (told != 0 && told != instance) {
		violate(node, "executes elsewhere than a client was told the transaction", id);
	}
}

/* The instance is executed for good. */
static void enter(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct cluster *cluster = of(node);
	struct cluster_node *record = &cluster->nodes[node->id];
	struct arena *arena = &cluster->world.arena;
	if (cluster->protocol->ordered && instance != record->n_executed + 1) {
		violate(node, "executes out of order instance", instance);
	}
	if (instance / 64 >= record->committed_words ||
		(record->committed_bits[instance / 64] >> instance % 64 & 1) == 0) {
		violate(node, "executes without having committed instance", instance);
	}
	agree(node, instance, batch);
	list_add(arena, &record->executed, &record->n_executed, &record->executed_capacity,
		(struct cluster_entry){cluster->world.now, instance, view, batch});
}

static void on_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply)
{
	struct cluster *cluster = of(node);
	struct cluster_node *record = &cluster->nodes[node->id];
	struct arena *arena = &cluster->world.arena;
	tell_batch(node, "executes", instance, view, batch);
	if (record->tentative != 0) {
		violate(node, "executes beside a tentative instance", instance);
	}
	enter(node, instance, view, batch);
	for (uint32_t i = 0; i < batch->n; i++) {
		transaction_id transaction = batch->transactions[i];
		if (bit_add(arena, &record->executed_bits, &record->executed_words, transaction)) {
			record->n_transactions++;
			check_told(node, transaction, instance);
			if (reply) {
				on_reply(node, transaction, view);
			}
		}
	}
}

static void on_apply_tentative(
	struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct cluster *cluster = of(node);
	struct cluster_node *record = &cluster->nodes[node->id];
	tell_batch(node, "executes tentatively", instance, view, batch);
	if (record->tentative != 0 || instance != record->n_executed + 1) {
		violate(node, "executes tentatively out of order instance", instance);
	}
	record->tentative = instance;
	record->tentative_entry = (struct cluster_entry){cluster->world.now, instance, view, batch};
	record->n_undo = 0;
	for (uint32_t i = 0; i < batch->n; i++) {
		transaction_id id = batch->transactions[i];
		if (!bit_add(&cluster->world.arena, &record->executed_bits, &record->executed_words, id)) {
			continue;
		}
		record->undo = arena_grow(&cluster->world.arena, record->undo, sizeof(*record->undo),
			record->n_undo, record->n_undo + 1, &record->undo_capacity);
		record->undo[record->n_undo++] = id;
		record->n_transactions++;
		struct cluster_transaction *transaction = transaction_of(cluster, id);
		if (view > transaction->tentative_view || instance != transaction->tentative_instance) {
			transaction->tentative = 0;
			transaction->tentative_view = view;
			transaction->tentative_instance = instance;
		}
		if (view == transaction->tentative_view) {
			transaction->tentative |= NODE(node->id);
		}
		uint32_t quorum = cluster->protocol->tentative_quorum(
			node->settings, cluster->n, cluster->n_faulty);
		if ((uint32_t)__builtin_popcountll(transaction->tentative) >= quorum &&
			transaction->told_instance == 0) {
			transaction->told_instance = instance;
		}
	}
}

static void on_confirm(struct node *node, uint64_t instance)
{
	struct cluster_node *record = &of(node)->nodes[node->id];
	if (record->tentative != instance) {
		violate(node, "confirms what is not tentative, instance", instance);
		return;
	}
	record->tentative = 0;
	tell(node, "confirms %llu", (unsigned long long)instance);
	enter(node, instance, record->tentative_entry.view, record->tentative_entry.batch);
	for (size_t i = 0; i < record->n_undo; i++) {
		check_told(node, record->undo[i], instance);
		transaction_of(of(node), record->undo[i])->replied |= NODE(node->id);
	}
}

static void on_rollback(struct node *node, uint64_t instance)
{
	struct cluster_node *record = &of(node)->nodes[node->id];
	if (record->tentative != instance) {
		violate(node, "undoes what is not tentative, instance", instance);
		return;
	}
	record->tentative = 0;
	record->n_undone++;
	tell(node, "undoes %llu", (unsigned long long)instance);
	for (size_t i = 0; i < record->n_undo; i++) {
		record->executed_bits[record->undo[i] / 64] &= ~(UINT64_C(1) << record->undo[i] % 64);
		record->n_transactions--;
	}
}

static void on_read(struct node *node, transaction_id transaction, uint64_t view)
{
	struct cluster_node *record = &of(node)->nodes[node->id];
	if (record->tentative != 0) {
		violate(node, "answers from a tentative state the read", transaction);
	}
	record->n_reads++;
	tell(node, "reads for %u after %zu", transaction, record->n_executed);
}

static uint64_t on_transaction_key(const struct node *node, transaction_id transaction)
{
	return of(node)->options.key == NULL ? NODE_KEY_ALL : of(node)->options.key(transaction);
}

static bool on_valid(const struct node *node, const struct batch *batch)
{
	return of(node)->options.valid == NULL || of(node)->options.valid(node->id, batch);
}

static void on_leads(struct node *node, uint64_t view, enum lead_cause cause)
{
	of(node)->nodes[node->id].n_leads++;
	tell(node, "leads %llu", (unsigned long long)view);
}

static void on_follows(struct node *node, uint64_t view, uint32_t leader)
{
	if (leader == NODE_NONE) {
		tell(node, "follows nobody in %llu", (unsigned long long)view);
	} else {
		tell(node, "follows n%u in %llu", leader, (unsigned long long)view);
	}
}

static void on_candidate(struct node *node, uint64_t term)
{
	tell(node, "campaigns for %llu", (unsigned long long)term);
}

static void on_appended(struct node *node, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *batch)
{
	struct cluster_node *record = &of(node)->nodes[node->id];
	tell_batch(node, "appends", index, term, batch);
	list_add(&of(node)->world.arena, &record->appended, &record->n_appended,
		&record->appended_capacity,
		(struct cluster_entry){of(node)->world.now, index, term, batch});
}

static bool on_executed(const struct node *node, transaction_id transaction)
{
	const struct cluster_node *record = &of(node)->nodes[node->id];
	return transaction / 64 < record->executed_words &&
		(record->executed_bits[transaction / 64] >> transaction % 64 & 1) != 0;
}

static uint32_t on_transaction_bytes(const struct node *node, transaction_id transaction)
{
	return of(node)->options.transaction_bytes;
}

static void on_log(void *context, const struct node *node, const char *phrase)
{
	tell(node, "%s", phrase);
}

static void on_timer(struct node *node, unsigned timer)
{
	of(node)->protocol->timer(node, timer);
}

static void on_restart(struct node *node)
{
	tell(node, "restarts");
	of(node)->protocol->restart(node);
}

static void on_overdue(struct world *world, sim_time next_ns)
{
	world->stopped = true;
}

static void on_changed(struct world *world, struct node *node)
{
	if (!node->alive) {
		tell(node, "crashes");
	}
}

static void on_client_message(struct node *node, const struct message *message)
{
}

static void on_client_timer(struct node *node)
{
}

static void on_fault_began(struct world *world)
{
}

static void on_fault_ended(struct world *world)
{
}

static uint32_t on_leader(struct world *world)
{
	return NODE_NONE;
}

static const struct host_ops ops = {
	.receive = on_receive,
	.timer = on_timer,
	.restart = on_restart,
	.client_receive = on_client_message,
	.client_timer = on_client_timer,
	.proposed = on_proposed,
	.committed = on_committed,
	.apply = on_apply,
	.reply = on_reply,
	.leads = on_leads,
	.follows = on_follows,
	.candidate = on_candidate,
	.appended = on_appended,
	.executed = on_executed,
	.transaction_bytes = on_transaction_bytes,
	.transaction_key = on_transaction_key,
	.valid = on_valid,
	.apply_tentative = on_apply_tentative,
	.confirm = on_confirm,
	.rollback = on_rollback,
	.read = on_read,
	.overdue = on_overdue,
	.changed = on_changed,
	.fault_began = on_fault_began,
	.fault_ended = on_fault_ended,
	.leader = on_leader,
};

static const struct tracer tracer = {.log = on_log};

/* Making and running it. */

struct cluster *cluster_create(const struct cluster_options *options)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	assert_non_null(cluster);
	cluster->options = *options;
	cluster->n = options->n;
	cluster->held_end = &cluster->held;
	assert_in_range(options->n, 1, CLUSTER_NODES_MAX - 1);

	struct plugin_value latency = settings_read(&cluster->settings, &latency_registry,
		options->latency != NULL ? options->latency : "constant value=10ms");
	const struct latency_model *model = (const struct latency_model *)latency.plugin;
	struct shape shape = {.n_validators = options->n};
	settings_finish(&latency, &shape);
	shape.delay_p999_ns = model->p999_ns(latency.settings, options->n);

	struct plugin_value protocol =
		settings_read(&cluster->settings, &protocol_registry, options->protocol);
	cluster->protocol = (const struct protocol *)protocol.plugin;
	cluster->n_faulty = options->faulty != 0 ? options->faulty
		: cluster->protocol->solo			 ? 0
											 : cluster->protocol->faulty_most(protocol.settings, options->n);
	shape.n_faulty = cluster->n_faulty;
	settings_finish(&protocol, &shape);
	cluster->reply_quorum =
		cluster->protocol->reply_quorum(protocol.settings, cluster->n_faulty);

	struct world_settings settings = {
		.seed = options->seed,
		.n_validators = options->n,
		.n_clients = 1, /* from whom transactions come; hints go to it */
		.n_faulty = cluster->n_faulty,
		.protocol_settings = protocol.settings,
		.latency = model,
		.latency_settings = latency.settings,
		.loss = options->loss,
		.costs = options->costs,
		.events_max = UINT64_MAX,
	};
	world_init(&cluster->world, &settings, &ops, cluster);
	world_listen(&cluster->world, &tracer);
	cluster->world.lossy = true;
	cluster->world.filtered = true;
	for (uint32_t i = 0; i < cluster->n; i++) {
		cluster->world.nodes[i].state =
			arena_alloc(&cluster->world.arena, cluster->protocol->state_size + 1);
	}
	for (uint32_t i = 0; i < cluster->n; i++) {
		cluster->protocol->start(&cluster->world.nodes[i]);
	}
	return cluster;
}

void cluster_destroy(struct cluster *cluster)
{
	world_finish(&cluster->world);
	arena_finish(&cluster->settings);
	free(cluster->trace);
	free(cluster);
}

void cluster_run(struct cluster *cluster, sim_time until_ns)
{
	struct world *world = &cluster->world;
	world->stopped = false;
	world->deadline_ns = until_ns;
	world_run(world);
	if (world->now < until_ns) {
		world->now = until_ns;
	}
}

static void crash(struct world *world, void *context, uint64_t node)
{
	world_crash(world, (uint32_t)node);
}

static void restart(struct world *world, void *context, uint64_t node)
{
	world_restart(world, (uint32_t)node);
}

static void loss(struct world *world, void *context, uint64_t per_billion)
{
	world->loss_validators = world->loss_all = (double)per_billion / 1e9;
}

void cluster_crash(struct cluster *cluster, sim_time at_ns, uint32_t node)
{
	world_call_at(&cluster->world, at_ns, crash, NULL, node);
}

void cluster_restart(struct cluster *cluster, sim_time at_ns, uint32_t node)
{
	world_call_at(&cluster->world, at_ns, restart, NULL, node);
}

void cluster_loss(struct cluster *cluster, sim_time at_ns, double probability)
{
	world_call_at(&cluster->world, at_ns, loss, NULL, (uint64_t)(probability * 1e9));
}

void cluster_lies(struct cluster *cluster, uint32_t node)
{
	cluster->liars |= NODE(node);
	cluster->world.nodes[node].byzantine = true;
}

void *cluster_alloc(struct cluster *cluster, size_t size)
{
	return arena_alloc(&cluster->world.arena, size);
}

const struct batch *cluster_batch(struct cluster *cluster, const transaction_id *transactions, uint32_t n)
{
	return node_batch(&cluster->world.nodes[0], transactions, n);
}

/* Looking at it. */

struct node *cluster_node(struct cluster *cluster, uint32_t node)
{
	assert_true(node < cluster->n);
	return &cluster->world.nodes[node];
}

uint64_t cluster_view(const struct cluster *cluster, uint32_t node)
{
	return cluster->protocol->view(&cluster->world.nodes[node]);
}

uint32_t cluster_leader(const struct cluster *cluster, uint32_t node)
{
	return cluster->protocol->leader(&cluster->world.nodes[node]);
}

bool cluster_executed(const struct cluster *cluster, uint32_t node, transaction_id transaction)
{
	return on_executed(&cluster->world.nodes[node], transaction);
}

const struct cluster_entry *cluster_committed(
	const struct cluster *cluster, uint32_t node, uint64_t instance)
{
	const struct cluster_node *record = &cluster->nodes[node];
	for (size_t i = 0; i < record->n_committed; i++) {
		if (record->committed[i].instance == instance) {
			return &record->committed[i];
		}
	}
	return NULL;
}

uint32_t cluster_replies(const struct cluster *cluster, transaction_id transaction)
{
	return transaction < cluster->n_transactions
		? (uint32_t)__builtin_popcountll(cluster->transactions[transaction].replied)
		: 0;
}

bool cluster_same_logs(const struct cluster *cluster, uint64_t nodes)
{
	const struct cluster_node *first = NULL;
	for (uint32_t i = 0; i < cluster->n; i++) {
		if ((nodes & NODE(i)) == 0) {
			continue;
		}
		const struct cluster_node *record = &cluster->nodes[i];
		if (first == NULL) {
			first = record;
		}
		if (record->n_executed != first->n_executed) {
			return false;
		}
		for (size_t k = 0; k < record->n_executed; k++) {
			if (record->executed[k].batch->digest != first->executed[k].batch->digest ||
				record->executed[k].instance != first->executed[k].instance) {
				return false;
			}
		}
	}
	return true;
}

/* The next line of a trace, without its time and end. */
static const char *line_after(const char *at, const char **text, size_t *n)
{
	const char *end = strchr(at, '\n');
	*text = strstr(at, " ms  ") + 5;
	*n = (size_t)(end - *text);
	return end + 1;
}

size_t cluster_told(const struct cluster *cluster, uint32_t node, const char *what)
{
	size_t n_told = 0;
	char prefix[16];
	snprintf(prefix, sizeof(prefix), "n%u ", node);
	const char *text;
	size_t n;
	for (const char *at = cluster->trace; at != NULL && *at != 0;) {
		at = line_after(at, &text, &n);
		bool here = node == NODE_NONE || strncmp(text, prefix, strlen(prefix)) == 0;
		n_told += here && memmem(text, n, what, strlen(what)) != NULL;
	}
	return n_told;
}

void cluster_print(const struct cluster *cluster)
{
	fputs(cluster->trace != NULL ? cluster->trace : "(no trace)\n", stderr); /* cmocka prints 1 KiB */
}

void cluster_assert_story_at(
	const char *file, int line, const struct cluster *cluster, const char *const *story)
{
	const char *text;
	size_t n;
	for (const char *at = cluster->trace; at != NULL && *at != 0 && *story != NULL;) {
		at = line_after(at, &text, &n);
		size_t length = strlen(*story);
		story += length <= n && memcmp(text, *story, length) == 0;
	}
	if (*story != NULL) {
		cluster_print(cluster);
		print_error("missing from the story, at its place: \"%s\"\n", *story);
		_fail(file, line);
	}
}

void cluster_assert_safe_at(const char *file, int line, const struct cluster *cluster)
{
	if (cluster->violation[0] != 0) {
		cluster_print(cluster);
		print_error("unsafe (seed %llu): %s\n", (unsigned long long)cluster->options.seed,
			cluster->violation);
		_fail(file, line);
	}
}
