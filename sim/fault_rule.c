/* Rules: what becomes of the messages that match. With these any situation of a paper can be written down.
 * A rule looks at each copy as it is sent, in order of receivers, and counts those that match. */
#include "faults.h"

#include <string.h>

#define ANY (-1)

#define NUMBER(field, key, what)                                                                    \
	{                                                                                               \
		.name = key, .kind = PARAM_INT, .flags = PARAM_NONE,                                        \
		.offset = offsetof(struct fault_rule, field), .min = 0, .max = 9e18, .fallback = "none",    \
		.unit = "", .help = what                                                                    \
	}

static const struct param params[] = {
	{.name = "message", .kind = PARAM_NAMES, .offset = offsetof(struct fault_rule, message),
		.fallback = "all", .unit = "",
		.help = "kinds of messages: the protocol's, or request, reply, hint, read; all: any"},
	FAULT_NODES(struct fault_rule, from, "from_nodes", PARAM_CLIENTS,
		"whose: validators and `client 0`, or leader: whoever it is at that moment; default: everyone's, "
		"clients' too"),
	FAULT_NODES(struct fault_rule, to, "to_nodes", PARAM_CLIENTS,
		"to whom: validators and `client 0`, or leader: whoever it is at that moment; default: to everyone, "
		"clients too"),
	NUMBER(view, "view", "of this view; none: of any"),
	NUMBER(term, "term", "of this term, which is the same; none: of any"),
	NUMBER(instance, "instance",
		"of this instance (PBFT: sequence number; Raft: last index before what is appended); none: of any"),
	NUMBER(nth, "nth", "only the so-many-th copy that matches, from 1; none: all of them"),
	{.name = "action", .kind = PARAM_CHOICE, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_rule, action), .choices = "drop|hold|delay|duplicate|replace",
		.unit = "",
		.help = "never comes; comes when released; comes later; comes more than once; says something else "
				"(its sender is Byzantine)"},
	{.name = "delay", .kind = PARAM_DURATION, .offset = offsetof(struct fault_rule, delay_ns),
		.fallback = "0 s", .unit = "s",
		.help = "delay: by how much; duplicate: how long after the one before each copy comes"},
	{.name = "release", .kind = PARAM_DURATION, .flags = PARAM_AUTO,
		.offset = offsetof(struct fault_rule, release_ns), .fallback = "auto", .unit = "s",
		.help = "hold: until when; auto: until `until`"},
	{.name = "copies", .kind = PARAM_INT, .offset = offsetof(struct fault_rule, copies), .min = 1,
		.max = 100, .fallback = "1", .unit = "", .help = "duplicate: how many further ones"},
	FAULT_WINDOW(struct fault_rule),
	PARAM_END,
};

static void add_kind(struct fault_rule *rule, unsigned kind)
{
	rule->kinds[kind / 64] |= UINT64_C(1) << kind % 64;
}

static bool finish_messages(
	struct fault_rule *rule, const struct shape *shape, const char **param, char error[256])
{
	static const char *const client_names[] = {"request", "reply", "hint", "read"};
	static const unsigned client_kinds[] = {
		MESSAGE_REQUEST, MESSAGE_REPLY, MESSAGE_HINT, MESSAGE_READ};
	enum { N_CLIENT = sizeof(client_names) / sizeof(client_names[0]), N_MAX = 256 };
	const char *names[N_MAX];
	unsigned kinds[N_MAX];
	size_t n = 0;
	for (; shape->message_names != NULL && shape->message_names[n] != NULL; n++) {
		names[n] = shape->message_names[n];
		kinds[n] = MESSAGE_PROTOCOL + (unsigned)n;
	}
	for (size_t i = 0; i < N_CLIENT; i++, n++) {
		names[n] = client_names[i];
		kinds[n] = client_kinds[i];
	}
	names[n++] = "all";
	memset(rule->kinds, rule->message.n == 0 ? 0xff : 0, sizeof(rule->kinds));
	for (size_t m = 0; m < rule->message.n; m++) {
		const char *name = rule->message.names[m];
		size_t i = 0;
		while (i < n && strcmp(name, names[i]) != 0) {
			i++;
		}
		if (i == n) {
			const char *nearest = shape->nearest != NULL ? shape->nearest(name, names, n) : NULL;
			int at = snprintf(error, 256, "\"%.40s\" is no message of the protocol", name);
			if (nearest != NULL) {
				snprintf(error + at, 256 - (size_t)at, ": did you mean \"%s\"?", nearest);
			} else {
				at += snprintf(error + at, 256 - (size_t)at, ", which has");
				size_t k = 0;
				/* Behind all but the last there must be room for saying that there are more. */
				for (; k < n && (size_t)at + strlen(names[k]) +
							 (k + 1 < n ? sizeof(", , ...") : sizeof(", ")) <= 256; k++) {
					at += snprintf(error + at, 256 - (size_t)at, "%s %s", k == 0 ? "" : ",", names[k]);
				}
				if (k < n) {
					snprintf(error + at, 256 - (size_t)at, ", ...");
				}
			}
			*param = "message";
			return false;
		}
		if (i + 1 == n) {
			memset(rule->kinds, 0xff, sizeof(rule->kinds));
		} else {
			add_kind(rule, kinds[i]);
		}
	}
	return true;
}

/* The highest number is the last. */
static bool finish_clients(const struct node_list *nodes, const char *name, const struct shape *shape,
	const char **param, char error[256])
{
	uint32_t last = nodes->n == 0 ? 0 : nodes->nodes[nodes->n - 1];
	if (last < NODE_CLIENT || last - NODE_CLIENT < shape->n_clients) {
		return true;
	}
	return shape->n_clients == 0
		? fault_refuse(name, param, error,
			  "names client %u, and here gateways are the clients: name their validators",
			  last - NODE_CLIENT)
		: fault_refuse(name, param, error, "names client %u, and the last is client %u",
			  last - NODE_CLIENT, shape->n_clients - 1);
}

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct fault_rule *rule = settings;
	if (!finish_messages(rule, shape, param, error) ||
		!fault_finish_nodes(&rule->from, "from_nodes", param, error) ||
		!fault_finish_nodes(&rule->to, "to_nodes", param, error) ||
		!finish_clients(&rule->from, "from_nodes", shape, param, error) ||
		!finish_clients(&rule->to, "to_nodes", shape, param, error) ||
		!fault_finish_window(settings, shape, param, error)) {
		return false;
	}
	if (rule->view != ANY && rule->term != ANY) {
		return fault_refuse("term", param, error, "and view are two words for one number: give one");
	}
	if (rule->nth == 0) {
		return fault_refuse("nth", param, error, "must be a whole number of at least 1, got 0");
	}
	if (rule->release_ns != PARAM_AUTO_VALUE && rule->action != RULE_HOLD) {
		return fault_refuse("release", param, error, "goes with action: hold");
	}
	if (rule->delay_ns != 0 && rule->action != RULE_DELAY && rule->action != RULE_DUPLICATE) {
		return fault_refuse("delay", param, error, "goes with action: delay, and with duplicate");
	}
	if (rule->copies != 1 && rule->action != RULE_DUPLICATE) {
		return fault_refuse("copies", param, error, "goes with action: duplicate");
	}
	switch ((enum rule_action)rule->action) {
	case RULE_HOLD:
		if (rule->release_ns == PARAM_AUTO_VALUE) {
			rule->release_ns = rule->common.until_ns;
		}
		if (rule->release_ns == SIM_NEVER) {
			return fault_refuse(
				"release", param, error, "is not given: say when what is held comes, such as 5 s");
		}
		break;
	case RULE_DELAY:
		if (rule->delay_ns == 0) {
			return fault_refuse("delay", param, error, "is 0 s: say by how much, such as 100 ms");
		}
		break;
	case RULE_REPLACE:
		if (rule->from.n == 0) {
			return fault_refuse("from_nodes", param, error,
				"must name whose messages are replaced, such as [0]: these validators are Byzantine");
		}
		if (rule->from.nodes[rule->from.n - 1] >= NODE_CLIENT) {
			return fault_refuse("from_nodes", param, error,
				"names a client, and `replace` is for what validators say to each other");
		}
		if (!shape->lies) {
			return fault_refuse("action", param, error,
				"`replace` is not for this protocol, whose messages can't be forged");
		}
		break;
	default:
		break;
	}
	return true;
}

struct rule_state {
	struct shaper shaper;
	const struct fault_rule *settings;
	int64_t n_matches;
	uint64_t bit; /* of world->rules_acted; 0: too far down the list */
	bool open;
	char by[44], begins[36], ends[36];
};

/* Where a list is given only those clients are meant that it names. */
static bool means(const struct world *world, const struct node_list *list, uint32_t node)
{
	if (list->leader) {
		return world->ops->leader(world->nodes[0].world) == node;
	}
	if (node >= world->n_validators) {
		node = NODE_CLIENT + (node - world->n_validators);
	}
	size_t low = 0, high = list->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (list->nodes[middle] < node) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return !list->given || (low < list->n && list->nodes[low] == node);
}

static bool matches(const struct rule_state *state, const struct node *from, uint32_t to,
	const struct message *copy)
{
	const struct fault_rule *rule = state->settings;
	int64_t view = rule->view != ANY ? rule->view : rule->term;
	return state->open && (rule->kinds[copy->kind / 64] >> copy->kind % 64 & 1) != 0 &&
		(view == ANY || copy->view == (uint64_t)view) &&
		(rule->instance == ANY || copy->instance == (uint64_t)rule->instance) &&
		means(from->world, &rule->from, from->id) && means(from->world, &rule->to, to);
}

static void shape(void *context, struct node *from, uint32_t to, struct message *copy,
	struct shaping *shaping)
{
	struct rule_state *state = context;
	const struct fault_rule *rule = state->settings;
	if (!matches(state, from, to, copy) || (++state->n_matches != rule->nth && rule->nth != ANY)) {
		return;
	}
	const struct host_ops *ops = from->world->ops;
	const char *before = shaping->by;
	shaping->by = state->by;
	from->world->rules_acted |= state->bit;
	switch ((enum rule_action)rule->action) {
	case RULE_DROP:
		shaping->dropped = state->by;
		break;
	case RULE_HOLD:
		if (shaping->not_before_ns < rule->release_ns) {
			shaping->not_before_ns = rule->release_ns;
		}
		break;
	case RULE_DELAY:
		shaping->delay_ns = sim_time_add(shaping->delay_ns, rule->delay_ns);
		break;
	case RULE_DUPLICATE:
		shaping->n_duplicates += (uint32_t)rule->copies;
		if (shaping->duplicate_after_ns < rule->delay_ns) {
			shaping->duplicate_after_ns = rule->delay_ns;
		}
		break;
	case RULE_REPLACE:
		if (ops->forge == NULL || !ops->forge(from, to, copy)) {
			shaping->by = before;
		}
		break;
	}
}

static void change(struct world *world, void *context, bool begins)
{
	struct rule_state *state = context;
	state->open = begins;
	for (uint32_t i = 0; i < world->n_nodes; i++) {
		const struct node_list *from = &state->settings->from;
		/* Whoever may come to lead: any validator. */
		bool meant = from->leader ? i < world->n_validators : means(world, from, i);
		if (meant && begins) {
			world_shape(world, i);
		} else if (meant) {
			world_unshape(world, i);
		}
	}
}

static void schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_rule *rule = settings;
	struct rule_state *state = arena_new(&world->arena, struct rule_state);
	state->settings = rule;
	state->bit = index < 64 ? UINT64_C(1) << index : 0;
	state->shaper = (struct shaper){.shape = shape, .context = state};
	snprintf(state->by, sizeof(state->by), "by rule %u (faults.%u)", index, index);
	snprintf(state->begins, sizeof(state->begins), "rule %u begins", index);
	snprintf(state->ends, sizeof(state->ends), "rule %u ends", index);
	world_add_windowed_shaper(world, &state->shaper);
	for (size_t i = 0; rule->action == RULE_REPLACE && i < rule->from.n; i++) {
		world->nodes[rule->from.nodes[i]].byzantine = true;
	}
	fault_window_schedule(world,
		&(struct fault_window){.common = &rule->common, .begins = state->begins, .ends = state->ends,
			.change = change, .state = state, .early = true});
}

const struct fault fault_rule = {
	.plugin = {.name = "rule", .summary = "what becomes of the messages that match",
		.params = params, .settings_size = sizeof(struct fault_rule), .finish = finish},
	.schedule = schedule,
};
