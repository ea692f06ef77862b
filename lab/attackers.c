/* Who attacks, and what attackers on nodes do: the laboratory knows the protocol and lends them its words. */
#include "clients.h"
#include "transactions.h"
#include "items.h"
#include "lab.h"
#include "outside.h"
#include "watch.h"

/* Messages that are replies to clients, or the gateway's own, are not the protocol's. */
static enum message_role role_of(const struct lab *lab, const struct message *message)
{
	const struct protocol_forgery *forgery = lab->protocol->forgery;
	if (message->kind < MESSAGE_PROTOCOL) {
		return ROLE_CLIENT;
	}
	return forgery == NULL ? ROLE_OTHER : forgery->role(message);
}

/* One attack on nodes, and one of its nodes. */
struct attacker {
	struct random_stream stream;
	void *memory;
	sim_time up_at; /* crash-prone: it is down until then; SIM_NEVER: it is up */
	size_t a;
	uint32_t node;
};

struct node_attack {
	const struct attack *attack;
	const void *settings;
	const struct attack_common *common;
	struct attacker *attackers; /* by node */
	void *common_memory;        /* of all of them */
	uint32_t *group;            /* by node; VERSION_GIVEN: none */
};

struct attackers {
	struct lab *lab;
	struct node_attack *attacks; /* as the scenario lists them; `attack` NULL: on predictions */
	struct versions *versions;
	struct shaper shaper;
	sim_time auto_delay_ns;
	bool past; /* a message that attacks have made is not shown to them */
};

/* The hands. */

struct choice {
	const struct attack_copy *copy;
	uint32_t version;
};

static const struct batch *choose(
	void *context, uint64_t instance, uint64_t view, const struct batch *honest)
{
	const struct choice *choice = context;
	struct attackers *attackers = choice->copy->context;
	return versions_give(attackers->versions, choice->copy->node, instance, view, honest,
		choice->version, choice->copy->to);
}

static bool hands_propose(struct attack_copy *copy, uint32_t version)
{
	const struct attackers *attackers = copy->context;
	struct choice choice = {copy, version};
	return attackers->lab->protocol->forgery->propose(copy->node, copy->message, choose, &choice);
}

static void hands_vote(struct attack_copy *copy, uint32_t version)
{
	const struct attackers *attackers = copy->context;
	const struct protocol_forgery *forgery = attackers->lab->protocol->forgery;
	const struct batch *batch = versions_find(attackers->versions, copy->message->instance,
		copy->message->view, version, copy->to);
	if (forgery->vote != NULL && batch != NULL) {
		forgery->vote(copy->node, copy->message, batch);
	}
}

static void hands_send(struct attack_copy *copy, uint32_t to, const struct message *content)
{
	struct attackers *attackers = copy->context;
	struct message *message = node_message(
		copy->node, content->kind, (enum message_class)content->class, content->size_bytes);
	*message = *content;
	message->from = copy->node->id;
	attackers->past = true;
	node_send(copy->node, to, message);
	attackers->past = false;
}

bool attackers_send(const struct lab *lab)
{
	return lab->node_attacks != NULL && lab->node_attacks->past;
}

static void hands_vote_twice(struct attack_copy *copy)
{
	const struct attackers *attackers = copy->context;
	const struct protocol_forgery *forgery = attackers->lab->protocol->forgery;
	if (forgery->vote == NULL) {
		forgery->grant(copy->node, copy->message);
		return;
	}
	const struct message *vote = copy->message;
	const struct batch nobodys = {.digest = ~vote->digest};
	struct message second = *vote;
	forgery->vote(copy->node, &second, &nobodys);
	for (uint32_t version = 0; version < 2; version++) {
		const struct batch *given =
			versions_find(attackers->versions, vote->instance, vote->view, version, copy->to);
		struct message other = *vote;
		if (given != NULL) {
			forgery->vote(copy->node, &other, given);
		}
		if (other.digest != vote->digest) {
			second = other;
		}
	}
	hands_send(copy, copy->to, &second);
}

static void hands_claim(struct attack_copy *copy)
{
	const struct attackers *attackers = copy->context;
	attackers->lab->protocol->forgery->claim(copy->node, copy->message);
}

static void hands_bend(struct attack_copy *copy, enum certificate_bend how)
{
	const struct attackers *attackers = copy->context;
	attackers->lab->protocol->forgery->bend(copy->node, copy->message, how);
}

static bool hands_campaign(struct attack_copy *copy, struct message *call, uint64_t after, uint64_t ahead)
{
	const struct protocol *protocol = ((const struct attackers *)copy->context)->lab->protocol;
	uint64_t view = protocol->view(copy->node);
	return protocol->forgery->campaign(copy->node, call, (view > after ? view : after) + ahead);
}

static void hands_acknowledge(struct attack_copy *copy, uint64_t ahead)
{
	const struct attackers *attackers = copy->context;
	attackers->lab->protocol->forgery->acknowledge(copy->node, copy->message, ahead);
}

static void hands_inflate(struct attack_copy *copy, uint64_t by)
{
	const struct attackers *attackers = copy->context;
	attackers->lab->protocol->forgery->inflate(copy->node, copy->message, by);
}

static void hands_misinform(struct attack_copy *copy)
{
	const struct lab *lab = ((const struct attackers *)copy->context)->lab;
	struct message *message = copy->message;
	if (message->kind == MESSAGE_REPLY) {
		const struct command *command = &transaction_of(lab, (transaction_id)message->instance)->command;
		message->digest = lab->app->misinform == NULL
			? message->digest + 1
			: lab->app->misinform(lab->common, command, message->digest);
	}
}

static const struct attack_hands hands = {
	.propose = hands_propose,
	.vote = hands_vote,
	.vote_twice = hands_vote_twice,
	.claim = hands_claim,
	.bend = hands_bend,
	.campaign = hands_campaign,
	.acknowledge = hands_acknowledge,
	.inflate = hands_inflate,
	.misinform = hands_misinform,
	.send = hands_send,
};

static bool is_on(const struct attack_common *common, sim_time now)
{
	return now >= common->from_ns && now < common->until_ns;
}

static void shape(void *context, struct node *node, uint32_t to, struct message *message,
	struct shaping *shaping)
{
	struct attackers *attackers = context;
	struct lab *lab = attackers->lab;
	if (node->id >= lab->world.n_validators) {
		return; /* a client's, that some fault looks at: no client attacks */
	}
	if (lab->twins != NULL && !twins_may_send(lab, node, to)) {
		shaping->unsent = true;
		return;
	}
	if (attackers->past) {
		return;
	}
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct node_attack *at = &attackers->attacks[a];
		if (at->attack == NULL || at->attack->tamper == NULL || !lab->attacking.attackers[a][node->id] ||
			!is_on(at->common, lab->world.now)) {
			continue;
		}
		struct attacker *attacker = &at->attackers[node->id];
		struct attack_copy copy = {
			.node = node,
			.message = message,
			.to = to,
			.role = role_of(lab, message),
			.group = to < lab->world.n_validators ? at->group[to] : VERSION_GIVEN,
			.now = lab->world.now,
			.auto_delay_ns = attackers->auto_delay_ns,
			.memory = attacker->memory,
			.common = at->common_memory,
			.stream = &attacker->stream,
			.hands = &hands,
			.context = attackers,
		};
		at->attack->tamper(at->settings, &copy);
		shaping->delay_ns = sim_time_add(shaping->delay_ns, copy.delay_ns);
		if (copy.withheld) {
			shaping->unsent = true;
			return;
		}
	}
}

/* Requests to which an attacker is deaf. */

static bool is_ignored(const struct lab *lab, const struct node *node, transaction_id id)
{
	const struct transaction *transaction = transaction_of(lab, id);
	uint32_t n = lab->world.n_validators, from = transaction->command.sender;
	const struct attack_request request = {
		.from = from < n ? from : NODE_CLIENT + (from - n), .item = transaction->item};
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct node_attack *at = &lab->node_attacks->attacks[a];
		if (at->attack != NULL && at->attack->ignores != NULL && node->id < n &&
			lab->attacking.attackers[a][node->id] && is_on(at->common, lab->world.now) &&
			at->attack->ignores(at->settings, &request)) {
			return true;
		}
	}
	return false;
}

bool attackers_listen(const struct lab *lab)
{
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct attack *attack = (const struct attack *)lab->scenario->attacks.values[a].plugin;
		if (attack->ignores != NULL || attack->hear != NULL) {
			return true;
		}
	}
	return false;
}

/* What comes to a node is shown to those in it that listen. */
static void hear(const struct lab *lab, const struct node *node, const struct message *message)
{
	for (size_t a = 0; a < lab->scenario->attacks.n && node->id < lab->world.n_validators; a++) {
		const struct node_attack *at = &lab->node_attacks->attacks[a];
		if (at->attack == NULL || at->attack->hear == NULL || !lab->attacking.attackers[a][node->id] ||
			!is_on(at->common, lab->world.now) || message->from == node->id) {
			continue;
		}
		struct attacker *attacker = &at->attackers[node->id];
		struct attack_heard heard = {
			.node = node,
			.message = message,
			.role = role_of(lab, message),
			.now = lab->world.now,
			.memory = attacker->memory,
			.common = at->common_memory,
			.stream = &attacker->stream,
		};
		at->attack->hear(at->settings, &heard);
	}
}

void attackers_receive(struct node *node, const struct message *message)
{
	const struct lab *lab = lab_of(node);
	bool asks = message->kind == MESSAGE_REQUEST || message->kind == MESSAGE_READ;
	hear(lab, node, message);
	if (asks && is_ignored(lab, node, (transaction_id)message->instance)) {
		node_log(node, "request that it censors -> ignore");
	} else if (lab->twins != NULL) {
		twins_receive(node, message);
	} else {
		lab->protocol->receive(node, message);
	}
}

/* Groups. */

static bool misbehaves(const struct lab *lab, uint32_t node)
{
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct attack *attack = (const struct attack *)lab->scenario->attacks.values[a].plugin;
		if (attack_on_nodes(attack) && lab->attacking.attackers[a][node]) {
			return true;
		}
	}
	return false;
}

void attackers_groups(const struct lab *lab, const struct attack *attack, const void *settings,
	uint32_t *group)
{
	uint32_t n = lab->world.n_validators;
	const struct node_groups *named = attack->groups == NULL ? NULL : attack->groups(settings);
	uint32_t n_honest = 0;
	for (uint32_t i = 0; i < n; i++) {
		group[i] = VERSION_GIVEN;
		n_honest += !misbehaves(lab, i);
	}
	if (named != NULL && named->n > 0) {
		for (size_t g = named->n; g-- > 0;) { /* in several: the first */
			for (size_t k = 0; k < named->groups[g].n; k++) {
				group[named->groups[g].nodes[k]] = (uint32_t)g;
			}
		}
		return;
	}
	uint32_t at = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (attack->groups_default == GROUPS_EACH && !misbehaves(lab, i)) {
			group[i] = at++;
		} else if (attack->groups_default == GROUPS_HALVES && !misbehaves(lab, i)) {
			group[i] = at++ < (n_honest + 1) / 2 ? 0 : 1;
		}
	}
}

static void find_groups(struct lab *lab)
{
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		struct node_attack *at = &lab->node_attacks->attacks[a];
		if (at->attack != NULL) {
			attackers_groups(lab, at->attack, at->settings, at->group);
		}
	}
}

/* Crashes at random. */

static void crash_later(struct lab *lab, struct attacker *attacker);

static void comes_back(struct world *world, void *context, uint64_t argument)
{
	struct attacker *attacker = context;
	world->n_changes_pending--;
	assert(world->ports[attacker->node].n_crashes > 0);
	if (--world->ports[attacker->node].n_crashes == 0) {
		world_restart(world, attacker->node);
	}
	crash_later(world->host, attacker);
}

static sim_time exponential_ns(struct attacker *attacker, double mean_ns)
{
	double ns = mean_ns * random_exponential(&attacker->stream);
	return ns >= 9.2e18 ? SIM_NEVER : (sim_time)ns + 1;
}

static void goes_down(struct world *world, void *context, uint64_t argument)
{
	struct lab *lab = world->host;
	struct attacker *attacker = context;
	const struct node_attack *at = &lab->node_attacks->attacks[attacker->a];
	double up_ns, down_ns;
	at->attack->pauses(at->settings, &up_ns, &down_ns);
	sim_time back = sim_time_add(world->now, exponential_ns(attacker, down_ns));
	back = back < at->common->until_ns ? back : at->common->until_ns;
	/* Before it goes down: a restart is to come, so that no quorum is given up for good. */
	world->n_changes_pending += back != SIM_NEVER;
	world_changes_at(world, back);
	world_call_at(world, back, comes_back, attacker, 0);
	world->ports[attacker->node].n_crashes++;
	world_crash(world, attacker->node);
}

static void crash_later(struct lab *lab, struct attacker *attacker)
{
	const struct node_attack *at = &lab->node_attacks->attacks[attacker->a];
	double up_ns, down_ns;
	at->attack->pauses(at->settings, &up_ns, &down_ns);
	sim_time from = at->common->from_ns > lab->world.now ? at->common->from_ns : lab->world.now;
	sim_time when = sim_time_add(from, exponential_ns(attacker, up_ns));
	if (when < at->common->until_ns) {
		world_call_at(&lab->world, when, goes_down, attacker, 0);
	}
}

/* Makes a validator one of an attack's. */
static void enlist(struct lab *lab, size_t a, uint32_t i)
{
	const struct attack *attack = lab->node_attacks->attacks[a].attack;
	struct attacker *attacker = &lab->node_attacks->attacks[a].attackers[i];
	struct node *node = &lab->world.nodes[i];
	attacker->stream = random_stream_make(
		lab->seed, RANDOM_ATTACK, ((uint64_t)a << 56) + ((uint64_t)i << 36));
	attacker->memory = arena_alloc(
		&lab->world.arena, attack->memory_size > 0 ? attack->memory_size : 1);
	attacker->a = a;
	attacker->node = i;
	lab->attacking.attackers[a][i] = true;
	if (attack->pauses != NULL) {
		node->crashes = true; /* and keeps the protocol's promises */
		lab->items->clients_move = true;
		crash_later(lab, attacker);
		return;
	}
	node->byzantine = true;
	node->shaped = true;
}

/* `nodes: leader`: whoever leads when the attack begins, or the first who does afterwards. */

static void take_leader(struct lab *lab, size_t a)
{
	enlist(lab, a, lab->watch->leader);
	lab->node_attacks->attacks[a].common = lab->scenario->attacks.values[a].settings;
	find_groups(lab);
	outside_changed(lab, NODE_NONE);
}

static bool waits_for_leader(const struct lab *lab, size_t a)
{
	const struct node_attack *at = &lab->node_attacks->attacks[a];
	bool any = false;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		any = any || lab->attacking.attackers[a][i];
	}
	return at->attack != NULL && at->common->nodes.leader && !any &&
		is_on(at->common, lab->world.now);
}

void attackers_led(struct lab *lab)
{
	for (size_t a = 0; lab->attacking.waits_for_leader && a < lab->scenario->attacks.n; a++) {
		if (waits_for_leader(lab, a)) {
			take_leader(lab, a);
		}
	}
}

static void leader_begins(struct world *world, void *context, uint64_t a)
{
	struct lab *lab = world->host;
	if (lab->watch->leader != NODE_NONE && waits_for_leader(lab, a)) {
		take_leader(lab, a);
	}
}

static transaction_id another(const struct node *node, transaction_id than, uint32_t skip)
{
	const struct lab *lab = lab_of(node);
	/* Those after it, then those before, the latest first: what waits is likely among them. */
	const size_t n_looked_at = 1000;
	size_t n_after = lab->transactions->n - 1 - than;
	for (size_t k = 1; k <= n_looked_at && k < lab->transactions->n; k++) {
		size_t at = k <= n_after ? than + k : than - (k - n_after);
		if (!node_executed(node, (transaction_id)at) && skip-- == 0) {
			return (transaction_id)at;
		}
	}
	return TRANSACTION_NONE;
}

static sim_time auto_delay_ns(const struct lab *lab)
{
	sim_time patience = protocol_patience_of(lab->protocol, lab->scenario->protocol.settings).least_ns;
	if (patience == SIM_NEVER) {
		return 0; /* the scenario's check has seen to it that nobody asks */
	}
	sim_time way = lab->scenario->shape.delay_p999_ns;
	return way < patience / 8 ? patience - 4 * way : patience / 2;
}

void attackers_alter(struct lab *lab, struct command *command)
{
	uint32_t n = lab->world.n_validators, node = command->sender;
	uint32_t with = node < n ? node : (node - n) % n; /* a client's validator */
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		const struct plugin_value *value = &lab->scenario->attacks.values[a];
		const struct attack *attack = (const struct attack *)value->plugin;
		const struct attack_common *common = value->settings;
		if (attack->alter == NULL || !lab->attacking.attackers[a][with] || lab->world.now < common->from_ns ||
			lab->world.now >= common->until_ns) {
			continue;
		}
		struct random_stream stream = random_stream_make(lab->seed, RANDOM_ATTACK,
			((uint64_t)a << 56) + ((uint64_t)node << 36) + lab->transactions->n);
		const struct alter_view view = {
			.app = lab->app,
			.app_settings = lab->common,
			.now = lab->world.now,
			.arena = &lab->world.arena,
			.stream = &stream,
		};
		attack->alter(value->settings, &view, command);
	}
}

void attackers_start(struct lab *lab)
{
	const struct plugin_list *list = &lab->scenario->attacks;
	struct arena *arena = &lab->world.arena;
	uint32_t n = lab->world.n_validators;
	bool any = false;
	lab->attacking.attackers = arena_array(arena, bool *, list->n + 1);
	for (size_t a = 0; a < list->n; a++) {
		lab->attacking.attackers[a] = arena_array(arena, bool, n);
		attack_nodes(list->values[a].settings, lab->seed, n, lab->attacking.attackers[a]);
		const struct attack *attack = (const struct attack *)list->values[a].plugin;
		any = any || attack_on_nodes(attack);
		lab->attacking.alters = lab->attacking.alters || attack->alter != NULL;
	}
	if (!any) {
		return;
	}
	struct attackers *attackers = arena_new(arena, struct attackers);
	lab->node_attacks = attackers;
	attackers->lab = lab;
	attackers->attacks = arena_array(arena, struct node_attack, list->n);
	attackers->versions = versions_create(arena, n, another);
	attackers->auto_delay_ns = auto_delay_ns(lab);
	attackers->shaper = (struct shaper){.shape = shape, .context = attackers};
	world_add_shaper(&lab->world, &attackers->shaper);
	for (size_t a = 0; a < list->n; a++) {
		const struct attack *attack = (const struct attack *)list->values[a].plugin;
		if (!attack_on_nodes(attack)) {
			continue;
		}
		struct node_attack *at = &attackers->attacks[a];
		at->attack = attack;
		at->settings = at->common = list->values[a].settings;
		at->attackers = arena_array(arena, struct attacker, n);
		at->common_memory = arena_alloc(arena, attack->common_size + 1);
		at->group = arena_array(arena, uint32_t, n);
		for (uint32_t i = 0; i < n; i++) {
			if (lab->attacking.attackers[a][i]) {
				enlist(lab, a, i);
			}
		}
		if (at->common->nodes.leader) {
			lab->attacking.waits_for_leader = true;
			lab->items->clients_move = true; /* away from its gateway */
			world_call_at(&lab->world, at->common->from_ns, leader_begins, NULL, a);
		}
	}
	find_groups(lab);
	twins_start(lab);
}
