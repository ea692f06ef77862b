/* Who reaches whom: partitions, one-way cuts, flapping, isolation.
 *
 * Only validators are ever cut from each other. Clients reach everyone; a gateway sits with its validator,
 * and what it sends to another passes the same links. A cut in force is asked at every arrival, so that a
 * message in flight when its link is cut is lost; each holds a mark a node, not a matrix. */
#include "faults.h"

struct cut {
	/* Flapping: down for `down_ns` of every `period_ns` since from_ns. 0: it does not flap. */
	sim_time from_ns, down_ns, period_ns;
	enum { CUT_GROUPS, CUT_WAY, CUT_ALONE } kind;
	uint32_t n_words;
	uint64_t *groups; /* CUT_GROUPS: n_words a node, a bit a group */
	uint8_t *marks;   /* CUT_WAY: MARK_FROM, MARK_TO; CUT_ALONE: MARK_FROM */
};

enum { MARK_FROM = 1, MARK_TO = 2 };

static bool stops(const struct cut *cut, uint32_t from, uint32_t to, sim_time now_ns)
{
	if (cut->period_ns > 0 && (now_ns - cut->from_ns) % cut->period_ns >= cut->down_ns) {
		return false;
	}
	switch (cut->kind) {
	case CUT_GROUPS:
		for (uint32_t w = 0; w < cut->n_words; w++) {
			size_t n_words = cut->n_words;
			if ((cut->groups[from * n_words + w] & cut->groups[to * n_words + w]) != 0) {
				return false;
			}
		}
		return true;
	case CUT_WAY:
		return (cut->marks[from] & MARK_FROM) != 0 && (cut->marks[to] & MARK_TO) != 0;
	case CUT_ALONE:
		return ((cut->marks[from] | cut->marks[to]) & MARK_FROM) != 0;
	}
	return false;
}

bool world_reaches(const struct world *world, uint32_t from, uint32_t to)
{
	if (from >= world->n_validators || to >= world->n_validators || from == to) {
		return true;
	}
	for (uint32_t i = 0; i < world->n_cuts; i++) {
		if (stops(world->cuts[i], from, to, world->now)) {
			return false;
		}
	}
	return true;
}

static void force(struct world *world, struct cut *cut, bool begins)
{
	uint32_t i = 0;
	while (i < world->n_cuts && world->cuts[i] != cut) {
		i++;
	}
	assert(begins == (i == world->n_cuts));
	if (begins) {
		world->cuts[world->n_cuts++] = cut;
	} else {
		world->cuts[i] = world->cuts[--world->n_cuts];
	}
	net_filter(world);
}

static struct cut *cut_create(struct world *world, int kind)
{
	struct cut *cut = arena_new(&world->arena, struct cut);
	cut->kind = kind;
	cut->marks = arena_array(&world->arena, uint8_t, world->n_nodes);
	return cut;
}

/* partition */

static const struct param partition_params[] = {
	{.name = "groups", .kind = PARAM_GROUPS, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_partition, groups), .unit = "",
		.help = "who still reaches whom: validators that share a group; those in none share one more"},
	FAULT_WINDOW(struct fault_partition),
	PARAM_END,
};

static bool partition_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_partition *partition = settings;
	for (size_t g = 0; g < partition->groups.n; g++) {
		if (partition->groups.groups[g].n == 0) {
			return fault_refuse("groups", param, error,
				"group %zu is empty: leave it out, or name its validators", g);
		}
	}
	if (partition->groups.n == 0) {
		return fault_refuse("groups", param, error,
			"names no group: give those who still reach each other, such as [[0, 1], [2, 3]]");
	}
	return fault_finish_window(settings, shape, param, error);
}

static void cut_change(struct world *world, void *state, bool begins)
{
	force(world, state, begins);
}

static void partition_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_partition *partition = settings;
	struct cut *cut = cut_create(world, CUT_GROUPS);
	size_t n_groups = partition->groups.n + 1;
	size_t n_words = (n_groups + 63) / 64;
	cut->n_words = (uint32_t)n_words;
	cut->groups = arena_array(&world->arena, uint64_t, n_words * world->n_validators);
	for (size_t g = 0; g < partition->groups.n; g++) {
		const struct node_list *group = &partition->groups.groups[g];
		for (size_t i = 0; i < group->n; i++) {
			cut->groups[group->nodes[i] * n_words + g / 64] |= UINT64_C(1) << g % 64;
			cut->marks[group->nodes[i]] = 1;
		}
	}
	size_t rest = n_groups - 1;
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (cut->marks[i] == 0) {
			cut->groups[i * n_words + rest / 64] |= UINT64_C(1) << rest % 64;
		}
	}
	fault_window_schedule(world,
		&(struct fault_window){.common = &partition->common, .begins = "partition begins",
			.ends = "partition ends", .change = cut_change, .state = cut, .links = true});
}

const struct fault fault_partition = {
	.plugin = {.name = "partition",
		.summary = "validators reach only those they share a group with, both ways",
		.params = partition_params, .settings_size = sizeof(struct fault_partition),
		.finish = partition_finish},
	.schedule = partition_schedule,
};

/* cut */

static const struct param cut_params[] = {
	FAULT_NODES(struct fault_cut, from, "from_nodes", 0,
		"whose messages are lost, or leader: whoever it is when it begins; default: everyone's"),
	FAULT_NODES(struct fault_cut, to, "to_nodes", 0,
		"to whom they are lost, or leader: whoever it is when it begins; default: to everyone"),
	FAULT_WINDOW(struct fault_cut),
	PARAM_END,
};

static bool finish_way(const struct node_list *from, const struct node_list *to, const char **param,
	char error[256])
{
	return fault_finish_nodes(from, "from_nodes", param, error) &&
		fault_finish_nodes(to, "to_nodes", param, error);
}

static bool cut_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_cut *cut = settings;
	if (!cut->from.given && !cut->to.given) {
		return fault_refuse("from_nodes", param, error,
			"is not given, nor is to_nodes: say whose messages are lost, to whom, or both");
	}
	return finish_way(&cut->from, &cut->to, param, error) &&
		fault_finish_window(settings, shape, param, error);
}

struct way {
	struct cut *cut;
	const struct node_list *nodes, *from, *to;
};

static void way_change(struct world *world, void *state, bool begins)
{
	struct way *way = state;
	if (begins) {
		if (way->nodes != NULL) {
			fault_mark(world, way->nodes, way->cut->marks, MARK_FROM);
		} else {
			fault_mark(world, way->from, way->cut->marks, MARK_FROM);
			fault_mark(world, way->to, way->cut->marks, MARK_TO);
		}
	}
	force(world, way->cut, begins);
}

static struct way *way_create(struct world *world, const struct node_list *nodes,
	const struct node_list *from, const struct node_list *to)
{
	struct way *way = arena_new(&world->arena, struct way);
	*way = (struct way){cut_create(world, nodes != NULL ? CUT_ALONE : CUT_WAY), nodes, from, to};
	return way;
}

static void cut_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_cut *cut = settings;
	fault_window_schedule(world,
		&(struct fault_window){.common = &cut->common, .begins = "cut begins", .ends = "cut ends",
			.change = way_change, .state = way_create(world, NULL, &cut->from, &cut->to),
			.links = true});
}

const struct fault fault_cut = {
	.plugin = {.name = "cut", .summary = "messages one way, from some validators to others, are lost",
		.params = cut_params, .settings_size = sizeof(struct fault_cut), .finish = cut_finish},
	.schedule = cut_schedule,
};

/* flap */

static const struct param flap_params[] = {
	FAULT_NODES(struct fault_flap, nodes, "nodes", 0,
		"validators that are cut from all others, both ways, or leader: whoever it is when it begins"),
	FAULT_NODES(struct fault_flap, from, "from_nodes", 0, "or one way: whose messages are lost"),
	FAULT_NODES(struct fault_flap, to, "to_nodes", 0, "and to whom"),
	{.name = "down", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_flap, down_ns), .min = 1000, .max = 9e18, .unit = "s",
		.help = "how long the links are cut, from `from` on"},
	{.name = "up", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_flap, up_ns), .min = 1000, .max = 9e18, .unit = "s",
		.help = "how long they then work, and so on in turn"},
	FAULT_WINDOW(struct fault_flap),
	PARAM_END,
};

static bool flap_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_flap *flap = settings;
	bool way = flap->from.given || flap->to.given;
	if (flap->nodes.given == way) {
		return fault_refuse("nodes", param, error,
			way ? "is given, and so is from_nodes or to_nodes: say either who is cut from all, or which "
				  "way is cut"
				: "is not given, nor are from_nodes and to_nodes: say who is cut");
	}
	return fault_finish_nodes(&flap->nodes, "nodes", param, error) &&
		finish_way(&flap->from, &flap->to, param, error) &&
		fault_finish_window(settings, shape, param, error);
}

struct flapping {
	const struct fault_flap *settings;
	struct way *way;
};

/* Whether it is down now is reckoned at each arrival; these events only tell of it. */
static void flap_turns(struct world *world, void *context, uint64_t down)
{
	struct flapping *flapping = context;
	const struct fault_flap *settings = flapping->settings;
	sim_time next = sim_time_add(world->now, down ? settings->down_ns : settings->up_ns);
	if (next < settings->common.until_ns) {
		world_changes_at(world, next);
		world_call_at(world, next, flap_turns, flapping, !down);
	}
	if (world->now == settings->common.from_ns) {
		return; /* the window tells of itself */
	}
	fault_tell(world, NODE_NONE, down ? "flap down" : "flap up");
	if (down) {
		world->ops->fault_began(world);
	} else {
		world->ops->fault_ended(world);
	}
	if (world->ops->links != NULL) {
		world->ops->links(world);
	}
}

static void flap_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_flap *flap = settings;
	struct flapping *flapping = arena_new(&world->arena, struct flapping);
	*flapping = (struct flapping){flap,
		way_create(world, flap->nodes.given ? &flap->nodes : NULL, &flap->from, &flap->to)};
	struct cut *cut = flapping->way->cut;
	cut->from_ns = flap->common.from_ns;
	cut->down_ns = flap->down_ns;
	cut->period_ns = sim_time_add(flap->down_ns, flap->up_ns);
	fault_window_schedule(world,
		&(struct fault_window){.common = &flap->common, .begins = "flap begins", .ends = "flap ends",
			.nodes = flap->nodes.given ? &flap->nodes : NULL, .change = way_change,
			.state = flapping->way, .links = true});
	/* Without an end it heals again and again: there is always a change to come. */
	world->n_changes_pending += flap->common.until_ns == SIM_NEVER;
	world_call_at(world, flap->common.from_ns, flap_turns, flapping, 1);
}

const struct fault fault_flap = {
	.plugin = {.name = "flap", .summary = "links that are cut and work again in turn",
		.params = flap_params, .settings_size = sizeof(struct fault_flap), .finish = flap_finish},
	.schedule = flap_schedule,
};

/* isolate */

static const struct param isolate_params[] = {
	FAULT_NODES(struct fault_isolate, nodes, "nodes", PARAM_REQUIRED,
		"validators that are each cut from all others, or leader: whoever it is when it begins"),
	{.name = "follow", .kind = PARAM_BOOL, .offset = offsetof(struct fault_isolate, follow),
		.fallback = "off", .unit = "",
		.help = "with nodes: leader: whenever another leads, it is isolated instead"},
	FAULT_WINDOW(struct fault_isolate),
	PARAM_END,
};

static bool isolate_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_isolate *isolate = settings;
	if (isolate->follow && !isolate->nodes.leader) {
		return fault_refuse("follow", param, error, "goes with nodes: leader");
	}
	return fault_finish_nodes(&isolate->nodes, "nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

/* An isolation that follows the leader. */
struct isolation {
	struct isolation *next; /* of those in force */
	struct cut *cut;
	uint32_t node; /* NODE_NONE: nobody led yet */
};

void fault_follow(struct world *world)
{
	uint32_t leader = world->ops->leader(world);
	for (struct isolation *isolation = world->followers; isolation != NULL;
		isolation = isolation->next) {
		if (leader == NODE_NONE || leader == isolation->node) {
			continue;
		}
		if (isolation->node != NODE_NONE) {
			isolation->cut->marks[isolation->node] = 0;
		}
		isolation->cut->marks[leader] = MARK_FROM;
		isolation->node = leader;
		fault_tell(world, leader, "isolate follows the leader");
	}
}

static void isolate_change(struct world *world, void *state, bool begins)
{
	struct isolation *isolation = state;
	if (begins) {
		isolation->next = world->followers;
		world->followers = isolation;
		isolation->node = NODE_NONE;
		fault_follow(world);
	} else {
		struct isolation **at = &world->followers;
		while (*at != isolation) {
			at = &(*at)->next;
		}
		*at = isolation->next;
	}
	force(world, isolation->cut, begins);
}

static void isolate_schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_isolate *isolate = settings;
	struct fault_window window = {.common = &isolate->common, .begins = "isolate begins",
		.ends = "isolate ends", .nodes = &isolate->nodes, .links = true};
	if (isolate->follow) {
		struct isolation *isolation = arena_new(&world->arena, struct isolation);
		isolation->cut = cut_create(world, CUT_ALONE);
		window.change = isolate_change;
		window.state = isolation;
	} else {
		window.change = way_change;
		window.state = way_create(world, &isolate->nodes, NULL, NULL);
	}
	fault_window_schedule(world, &window);
}

const struct fault fault_isolate = {
	.plugin = {.name = "isolate", .summary = "validators are cut from all others, both ways",
		.params = isolate_params, .settings_size = sizeof(struct fault_isolate),
		.finish = isolate_finish},
	.schedule = isolate_schedule,
};
