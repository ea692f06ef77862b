#include "engine/fault.h"

#include "world.h"

#include <stddef.h>
#include <stdio.h>

#define WINDOW(type)                                                                                \
	{.name = "from", .kind = PARAM_DURATION, .offset = offsetof(type, common.from_ns),              \
		.fallback = "0 s", .unit = "s", .help = "when it begins"},                                  \
	{                                                                                               \
		.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,                                \
		.offset = offsetof(type, common.until_ns), .fallback = "off", .unit = "s",                  \
		.help = "when it ends (half-open); off: never"                                              \
	}

static bool window_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_common *common = settings;
	if (common->until_ns <= common->from_ns) {
		*param = "until";
		snprintf(error, 256, "must be later than `from`");
		return false;
	}
	return true;
}

static bool crash_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_crash *crash = settings;
	if (!crash->nodes.leader && crash->nodes.n == 0) {
		*param = "nodes";
		snprintf(error, 256, "names no node: give a list such as [0, 3], or leader");
		return false;
	}
	return window_finish(settings, shape, param, error);
}

static const struct param crash_params[] = {
	{.name = "nodes", .kind = PARAM_NODES, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_crash, nodes), .unit = "",
		.help = "the validators that crash, or leader: whoever it is then"},
	WINDOW(struct fault_crash),
	PARAM_END,
};

static const struct fault crash = {
	.plugin =
		{
			.name = "crash",
			.summary = "validators stop, lose what is not on stable storage, and start again at `until`",
			.params = crash_params,
			.settings_size = sizeof(struct fault_crash),
			.finish = crash_finish,
		},
	.kind = FAULT_CRASH,
};

static const struct param loss_params[] = {
	{.name = "probability", .kind = PARAM_REAL, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_loss, probability), .min = 0, .max = 1, .unit = "",
		.help = "that a copy of a message is lost, each on its own"},
	{.name = "among", .kind = PARAM_CHOICE, .offset = offsetof(struct fault_loss, among),
		.choices = "validators|all", .fallback = "validators", .unit = "",
		.help = "whose messages: the protocol's between validators, or also what passes with clients"},
	WINDOW(struct fault_loss),
	PARAM_END,
};

static const struct fault loss = {
	.plugin =
		{
			.name = "loss",
			.summary = "messages are lost, each copy independently",
			.params = loss_params,
			.settings_size = sizeof(struct fault_loss),
			.finish = window_finish,
		},
	.kind = FAULT_LOSS,
};

static const struct plugin *const faults[] = {&crash.plugin, &loss.plugin, NULL};

const struct registry fault_registry = {.sort = "fault", .plural = "faults", .plugins = faults};

/* The schedule. */

/* One crash of a run: whom it hit, where that was to be whoever led. */
struct crash_state {
	const struct fault_crash *settings;
	uint32_t leader;
};

static void crash_end(struct world *world, void *context, uint64_t argument)
{
	const struct crash_state *state = context;
	bool leads = state->settings->nodes.leader;
	uint32_t node = leads ? state->leader : (uint32_t)argument;
	world->n_changes_pending--;
	if (node == NODE_NONE) {
		return; /* there was no leader to crash */
	}
	assert(world->ports[node].n_crashes > 0);
	if (--world->ports[node].n_crashes == 0) {
		world_restart(world, node);
	}
	world->ops->fault_ended(world);
}

static void crash_node(struct world *world, uint32_t node)
{
	world->ports[node].n_crashes++;
	world_crash(world, node);
}

static void crash_begin(struct world *world, void *context, uint64_t argument)
{
	struct crash_state *state = context;
	const struct node_list *nodes = &state->settings->nodes;
	if (nodes->leader) {
		world->n_changes_pending--;
		state->leader = world->ops->leader(world);
		if (state->leader != NODE_NONE) {
			crash_node(world, state->leader);
		}
		return;
	}
	for (size_t i = 0; i < nodes->n; i++) {
		/* Whether a quorum is left is judged at the last of them. */
		world->n_changes_pending -= i + 1 == nodes->n;
		crash_node(world, nodes->nodes[i]);
	}
}

/* The ends are scheduled at the start too: an event of theirs then comes before all others of its
 * instant, so that windows are half-open, and whoever asks at the first crash knows what is to come. */
static void crash_schedule(struct world *world, const struct fault_crash *settings)
{
	struct crash_state *state = arena_new(&world->arena, struct crash_state);
	*state = (struct crash_state){settings, NODE_NONE};
	const struct node_list *nodes = &settings->nodes;
	world->n_changes_pending++;
	world_call_at(world, settings->common.from_ns, crash_begin, state, 0);
	if (settings->common.until_ns == SIM_NEVER) {
		return;
	}
	for (size_t i = 0; i < (nodes->leader ? 1 : nodes->n); i++) {
		world->n_changes_pending++;
		world_call_at(world, settings->common.until_ns, crash_end, state,
			nodes->leader ? 0 : nodes->nodes[i]);
	}
}

static void loss_change(struct world *world, void *context, uint64_t ended)
{
	/* Independent of each other: what the one leaves, the next may take. */
	double among_validators = world->settings.loss;
	double all = world->settings.loss;
	for (uint32_t i = 0; i < world->n_loss_windows; i++) {
		const struct loss_window *window = &world->loss_windows[i];
		if (window->from_ns <= world->now && world->now < window->until_ns) {
			among_validators += (1 - among_validators) * window->probability;
			all += window->all ? (1 - all) * window->probability : 0;
		}
	}
	world->loss_validators = among_validators;
	world->loss_all = all;
	if (ended) {
		world->ops->fault_ended(world);
	}
}

void world_faults(struct world *world, const struct plugin_list *list)
{
	world->loss_windows = arena_array(&world->arena, struct loss_window, list->n + 1);
	for (size_t i = 0; i < list->n; i++) {
		const struct fault *fault = (const struct fault *)list->values[i].plugin;
		void *settings = list->values[i].settings;
		const struct fault_common *common = settings;
		switch (fault->kind) {
		case FAULT_CRASH:
			crash_schedule(world, settings);
			break;
		case FAULT_LOSS:
			world->lossy = true;
			world->filtered = true;
			world->loss_windows[world->n_loss_windows++] = (struct loss_window){common->from_ns,
				common->until_ns, ((struct fault_loss *)settings)->probability,
				((struct fault_loss *)settings)->among == 1};
			world_call_at(world, common->from_ns, loss_change, NULL, 0);
			world_call_at(world, common->until_ns, loss_change, NULL, 1);
			break;
		}
	}
	loss_change(world, NULL, 0); /* a window from time 0 holds for what is sent at time 0 */
}
