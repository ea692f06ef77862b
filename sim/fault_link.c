/* What happens to copies on their way: slow links, duplicates, disorder, a network that is yet to settle.
 * All work at the sending side, as shapers, and only while their window is open. */
#include "faults.h"

enum { MARK_FROM = 1, MARK_TO = 2 };

/* One of these faults of a run. */
struct link_state {
	struct shaper shaper;
	const void *settings;
	uint8_t *marks;         /* MARK_FROM: is shaped; MARK_TO */
	bool open;
	bool clients;           /* also what passes with them, or between gateways and validators */
	struct random_key hits, sizes;
	const struct node_list *from, *to; /* NULL: everyone */
};

static void change(struct world *world, void *context, bool begins)
{
	static const struct node_list everyone = {.n = 0};
	struct link_state *state = context;
	if (begins) {
		fault_mark(world, state->from != NULL ? state->from : &everyone, state->marks, MARK_FROM);
		fault_mark(world, state->to != NULL ? state->to : &everyone, state->marks, MARK_TO);
	}
	state->open = begins;
	for (uint32_t i = 0; i < (state->clients ? world->n_nodes : world->n_validators); i++) {
		if ((state->marks[i] & MARK_FROM) != 0 && begins) {
			world_shape(world, i);
		} else if ((state->marks[i] & MARK_FROM) != 0) {
			world_unshape(world, i);
		}
	}
	fault_losses_change(world); /* those of `stabilise` */
}

static bool touches(const struct link_state *state, const struct node *from, uint32_t to,
	const struct message *copy)
{
	bool among = from->id < from->n_validators && to < from->n_validators && copy->class != CLASS_CLIENT;
	return state->open && (among || state->clients) && (state->marks[from->id] & MARK_FROM) != 0 &&
		(state->marks[to] & MARK_TO) != 0;
}

static bool hits(const struct link_state *state, const struct node *from, uint32_t to,
	const struct message *copy, double probability)
{
	return touches(state, from, to, copy) &&
		random_unit_at(state->hits, fault_counter(from, copy), to) < probability;
}

static sim_time draw_delay(const struct link_state *state, const struct plugin_value *delay,
	const struct node *from, uint32_t to, const struct message *copy)
{
	const struct latency_model *model = (const struct latency_model *)delay->plugin;
	sim_time delay_ns = 0;
	if (model != NULL) {
		model->draw(delay->settings, state->sizes, fault_counter(from, copy), from->id, &to, 1,
			from->n_validators, &delay_ns);
	}
	return delay_ns;
}

static struct link_state *link_create(struct world *world, const void *settings, uint32_t index,
	void (*shape)(void *, struct node *, uint32_t, struct message *, struct shaping *))
{
	struct link_state *state = arena_new(&world->arena, struct link_state);
	*state = (struct link_state){
		.shaper = {.shape = shape, .context = state},
		.settings = settings,
		.marks = arena_array(&world->arena, uint8_t, world->n_nodes),
		.hits = fault_key(world, index, 0),
		.sizes = fault_key(world, index, 1),
	};
	world_add_windowed_shaper(world, &state->shaper);
	return state;
}

static void link_schedule(struct world *world, const struct fault_common *common,
	struct link_state *state, const char *begins, const char *ends)
{
	bool leader = (state->from != NULL && state->from->leader) || (state->to != NULL && state->to->leader);
	fault_window_schedule(world,
		&(struct fault_window){.common = common, .begins = begins, .ends = ends, .change = change,
			.state = state, .early = !leader});
}

/* slow-link */

static const struct param slow_params[] = {
	FAULT_NODES(struct fault_slow_link, from, "from_nodes", 0,
		"whose messages are slow, or leader: whoever it is when it begins; default: everyone's"),
	FAULT_NODES(struct fault_slow_link, to, "to_nodes", 0,
		"to whom they are slow, or leader: whoever it is when it begins; default: to everyone"),
	{.name = "delay", .kind = PARAM_PLUGIN, .offset = offsetof(struct fault_slow_link, delay),
		.fallback = "none", .registry = &latency_extra_registry, .unit = "",
		.help = "added to the network's delay: a duration, or a kind of latency"},
	{.name = "factor", .kind = PARAM_REAL, .offset = offsetof(struct fault_slow_link, factor),
		.min = 0, .max = 1e9, .fallback = "1", .unit = "",
		.help = "multiplies the network's delay"},
	FAULT_WINDOW(struct fault_slow_link),
	PARAM_END,
};


static bool slow_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_slow_link *slow = settings;
	if (adds_nothing(&slow->delay) && slow->factor == 1) {
		return fault_refuse(
			"delay", param, error, "is none and factor is 1: give one of them, such as delay: 50 ms");
	}
	return fault_finish_nodes(&slow->from, "from_nodes", param, error) &&
		fault_finish_nodes(&slow->to, "to_nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

static void slow_shape(void *context, struct node *from, uint32_t to, struct message *copy,
	struct shaping *shaping)
{
	const struct link_state *state = context;
	const struct fault_slow_link *slow = state->settings;
	if (!touches(state, from, to, copy)) {
		return;
	}
	if (slow->factor != 1) {
		double way = (double)shaping->way_ns * slow->factor;
		shaping->way_ns = way < 0x1p63 ? (sim_time)(way + .5) : SIM_NEVER;
	}
	shaping->delay_ns =
		sim_time_add(shaping->delay_ns, draw_delay(state, &slow->delay, from, to, copy));
}

static void slow_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_slow_link *slow = settings;
	struct link_state *state = link_create(world, settings, index, slow_shape);
	state->from = &slow->from;
	state->to = &slow->to;
	state->clients = true; /* a gateway's messages pass its validator's links */
	link_schedule(world, &slow->common, state, "slow-link begins", "slow-link ends");
}

const struct fault fault_slow_link = {
	.plugin = {.name = "slow-link", .summary = "messages from some to others take longer",
		.params = slow_params, .settings_size = sizeof(struct fault_slow_link),
		.finish = slow_finish},
	.schedule = slow_schedule,
};

/* duplicate */

static const struct param duplicate_params[] = {
	FAULT_PROBABILITY(struct fault_duplicate, "that the network makes further copies of a message's copy"),
	{.name = "copies", .kind = PARAM_INT, .offset = offsetof(struct fault_duplicate, copies), .min = 1,
		.max = 100, .fallback = "1", .unit = "", .help = "how many further ones"},
	{.name = "delay", .kind = PARAM_DURATION, .offset = offsetof(struct fault_duplicate, delay_ns),
		.fallback = "0 s", .unit = "s", .help = "how long after the one before each of them comes"},
	FAULT_AMONG(struct fault_duplicate),
	FAULT_WINDOW(struct fault_duplicate),
	PARAM_END,
};

static void duplicate_shape(void *context, struct node *from, uint32_t to, struct message *copy,
	struct shaping *shaping)
{
	const struct link_state *state = context;
	const struct fault_duplicate *duplicate = state->settings;
	if (hits(state, from, to, copy, duplicate->probability)) {
		shaping->n_duplicates += (uint32_t)duplicate->copies;
		if (shaping->duplicate_after_ns < duplicate->delay_ns) {
			shaping->duplicate_after_ns = duplicate->delay_ns;
		}
	}
}

static void duplicate_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_duplicate *duplicate = settings;
	struct link_state *state = link_create(world, settings, index, duplicate_shape);
	state->clients = duplicate->among == 1;
	link_schedule(world, &duplicate->common, state, "duplicate begins", "duplicate ends");
}

const struct fault fault_duplicate = {
	.plugin = {.name = "duplicate", .summary = "messages arrive more than once",
		.params = duplicate_params, .settings_size = sizeof(struct fault_duplicate),
		.finish = fault_finish_window},
	.schedule = duplicate_schedule,
};

/* reorder */

static const struct param reorder_params[] = {
	FAULT_PROBABILITY(struct fault_reorder, "that a copy of a message is held up, each on its own"),
	{.name = "delay", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct fault_reorder, delay_ns), .min = 0, .max = 9e18, .unit = "s",
		.help = "by how much at most: uniform, so that others pass it"},
	FAULT_AMONG(struct fault_reorder),
	FAULT_WINDOW(struct fault_reorder),
	PARAM_END,
};

static void reorder_shape(void *context, struct node *from, uint32_t to, struct message *copy,
	struct shaping *shaping)
{
	const struct link_state *state = context;
	const struct fault_reorder *reorder = state->settings;
	if (hits(state, from, to, copy, reorder->probability)) {
		double extra = random_unit_at(state->sizes, fault_counter(from, copy), to);
		shaping->delay_ns =
			sim_time_add(shaping->delay_ns, (sim_time)(extra * (double)reorder->delay_ns));
	}
}

static void reorder_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_reorder *reorder = settings;
	struct link_state *state = link_create(world, settings, index, reorder_shape);
	state->clients = reorder->among == 1;
	link_schedule(world, &reorder->common, state, "reorder begins", "reorder ends");
}

const struct fault fault_reorder = {
	.plugin = {.name = "reorder", .summary = "messages are held up and pass each other",
		.params = reorder_params, .settings_size = sizeof(struct fault_reorder),
		.finish = fault_finish_window},
	.schedule = reorder_schedule,
};

/* stabilise: partial synchrony with a global stabilisation time that nobody knows.
 * Source: Dwork, Lynch, Stockmeyer, Consensus in the presence of partial synchrony, JACM 35(2), 1988. */

static const struct param stabilise_params[] = {
	{.name = "at", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct fault_stabilise, common.until_ns), .min = 0, .max = 9e18, .unit = "s",
		.help = "the global stabilisation time: from then on the network is the ordinary one"},
	{.name = "delay", .kind = PARAM_PLUGIN, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_stabilise, delay), .registry = &latency_extra_registry,
		.unit = "",
		.help = "added to what is sent before, a duration or a kind of latency; all of it has arrived at "
				"`at` and its ordinary delay"},
	{.name = "loss", .kind = PARAM_REAL, .offset = offsetof(struct fault_stabilise, loss), .min = 0,
		.max = 1, .fallback = "0", .unit = "", .help = "that a copy that arrives before is lost"},
	PARAM_END,
};

static void stabilise_shape(void *context, struct node *from, uint32_t to, struct message *copy,
	struct shaping *shaping)
{
	const struct link_state *state = context;
	const struct fault_stabilise *stabilise = state->settings;
	if (!state->open) {
		return;
	}
	sim_time extra = draw_delay(state, &stabilise->delay, from, to, copy);
	sim_time most = stabilise->common.until_ns - from->world->now;
	shaping->delay_ns = sim_time_add(shaping->delay_ns, extra < most ? extra : most);
}

static void stabilise_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_stabilise *stabilise = settings;
	struct link_state *state = link_create(world, settings, index, stabilise_shape);
	state->clients = true;
	if (stabilise->loss > 0) {
		fault_add_loss(
			world, &(struct loss_window){0, stabilise->common.until_ns, stabilise->loss, true, false});
	}
	link_schedule(world, &stabilise->common, state, "not stable", "stable");
}

const struct fault fault_stabilise = {
	.plugin = {.name = "stabilise",
		.summary = "partial synchrony: until a moment messages are late or lost, then never again",
		.params = stabilise_params, .settings_size = sizeof(struct fault_stabilise)},
	.schedule = stabilise_schedule,
};
