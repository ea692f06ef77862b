/* Crashes and pauses: for a window, or again and again by rate. */
#include "faults.h"

static const struct param params[] = {
	FAULT_NODES(struct fault_crash, nodes, "nodes", PARAM_REQUIRED,
		"the validators that crash, or leader: whoever it is then"),
	{.name = "every", .kind = PARAM_DURATION, .flags = PARAM_OFF,
		.offset = offsetof(struct fault_crash, every_ns), .min = SIM_TIMER_MIN, .max = 9e18, .fallback = "off",
		.unit = "s",
		.help = "by rate: the mean time that each of them is up (exponential); off: down once, for the "
				"window"},
	{.name = "lasts", .kind = PARAM_DURATION, .offset = offsetof(struct fault_crash, lasts_ns),
		.min = SIM_TIMER_MIN, .max = 9e18, .fallback = "5 s",
		.unit = "s", .when = "every != off",
		.help = "by rate: the mean time that one is down (exponential)"},
	{.name = "at_once", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct fault_crash, at_once), .min = 1, .max = 9e18,
		.fallback = "auto", .unit = "",
		.when = "every != off",
		.help = "by rate: at most so many of them are down together; auto: f, and at least 1"},
	FAULT_WINDOW(struct fault_crash),
	PARAM_END,
};

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct fault_crash *crash = settings;
	if (!crash->nodes.leader && crash->nodes.n == 0) {
		return fault_refuse(
			"nodes", param, error, "names no node: give a list such as [0, 3], or leader");
	}
	if (crash->at_once == PARAM_AUTO_VALUE) {
		crash->at_once = shape->n_faulty > 0 ? shape->n_faulty : 1;
	}
	return fault_finish_window(settings, shape, param, error);
}

static const struct param pause_params[] = {
	FAULT_NODES(struct fault_crash, nodes, "nodes", PARAM_REQUIRED,
		"the validators that stand still, or leader: whoever it is then"),
	{.name = "every", .kind = PARAM_DURATION, .flags = PARAM_OFF,
		.offset = offsetof(struct fault_crash, every_ns), .min = SIM_TIMER_MIN, .max = 9e18, .fallback = "off",
		.unit = "s",
		.help = "by rate: the mean time from one's going on to its next pause (exponential); off: it stands "
				"still for the window, which must have an end"},
	{.name = "lasts", .kind = PARAM_DURATION, .offset = offsetof(struct fault_crash, lasts_ns),
		.min = SIM_TIMER_MIN, .max = 9e18, .fallback = "200 ms", .unit = "s", .when = "every != off",
		.help = "by rate: the mean time that one stands still (exponential)"},
	{.name = "at_once", .kind = PARAM_INT, .flags = PARAM_AUTO,
		.offset = offsetof(struct fault_crash, at_once), .min = 1, .max = 9e18,
		.fallback = "auto", .unit = "",
		.when = "every != off", .help = "by rate: at most so many of them stand still together; auto: all"},
	FAULT_WINDOW(struct fault_crash),
	PARAM_END,
};

static bool pause_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct fault_crash *pause = settings;
	if (pause->at_once == PARAM_AUTO_VALUE) {
		pause->at_once = shape->n_validators;
	}
	if (pause->common.until_ns == SIM_NEVER && pause->every_ns == SIM_NEVER) {
		return fault_refuse("until", param, error,
			"is not given: who stands still goes on some time; for ever is kind: crash");
	}
	return finish(settings, shape, param, error);
}

/* What becomes of a node, and of which crashes it was. */
struct outage {
	bool pause;
	uint32_t node;    /* NODE_NONE: nobody */
	uint32_t n_downs; /* a pause: how often the node had gone down; a crash ends it */
};

static void begin(struct world *world, struct outage *outage)
{
	uint32_t node = outage->node;
	outage->n_downs = world->ports[node].n_downs;
	if (outage->pause && !world->nodes[node].alive) {
		outage->node = NODE_NONE;
		return;
	}
	world->ops->fault_began(world);
	if (outage->pause) {
		world_pause(world, node);
	} else {
		world->ports[node].n_crashes++;
		world_crash(world, node);
	}
}

static void end(struct world *world, const struct outage *outage)
{
	uint32_t node = outage->node;
	if (node == NODE_NONE) {
		return;
	}
	struct port *port = &world->ports[node];
	if (outage->pause && port->n_downs == outage->n_downs) {
		world_resume(world, node);
	} else if (!outage->pause) {
		assert(port->n_crashes > 0);
		if (--port->n_crashes == 0) {
			world_restart(world, node);
		}
	}
	world->ops->fault_ended(world);
}

/* For a window. */

/* One fault of a run, and its nodes; of the leader, one. */
struct crash_state {
	const struct fault_crash *settings;
	struct outage outages[];
};

static void crash_end(struct world *world, void *context, uint64_t i)
{
	const struct crash_state *state = context;
	world->n_changes_pending--;
	end(world, &state->outages[i]);
}

static void crash_begin(struct world *world, void *context, uint64_t argument)
{
	struct crash_state *state = context;
	const struct node_list *nodes = &state->settings->nodes;
	if (nodes->leader) {
		world->n_changes_pending--;
		state->outages[0].node = world->ops->leader(world);
		if (state->outages[0].node != NODE_NONE) { /* else there is no leader to crash */
			begin(world, &state->outages[0]);
		}
		return;
	}
	for (size_t i = 0; i < nodes->n; i++) {
		/* Whether a quorum is left is judged at the last of them. */
		world->n_changes_pending -= i + 1 == nodes->n;
		begin(world, &state->outages[i]);
	}
}

/* The ends are scheduled at the start too: an event of theirs then comes before all others of its
 * instant, so that windows are half-open, and whoever asks at the first crash knows what is to come. */
static void schedule_once(struct world *world, const struct fault_crash *settings, bool pause)
{
	const struct node_list *nodes = &settings->nodes;
	size_t n = nodes->leader ? 1 : nodes->n;
	struct crash_state *state =
		arena_alloc(&world->arena, sizeof(*state) + n * sizeof(state->outages[0]));
	state->settings = settings;
	for (size_t i = 0; i < n; i++) {
		uint32_t node = nodes->leader ? NODE_NONE : nodes->nodes[i];
		state->outages[i] = (struct outage){pause, node, 0};
		if (!pause && node != NODE_NONE) {
			world->nodes[node].crashes = true; /* known from the start */
		}
	}
	world->n_changes_pending++;
	world_call_at(world, settings->common.from_ns, crash_begin, state, 0);
	for (size_t i = 0; i < n && settings->common.until_ns != SIM_NEVER; i++) {
		world->n_changes_pending++;
		world_call_at(world, settings->common.until_ns, crash_end, state, i);
	}
}

/* By rate. */

struct crash_rate {
	const struct fault_crash *settings;
	int64_t n_down;
};

/* One that goes down and comes up: a validator, or whoever leads. */
struct crash_turn {
	struct crash_rate *rate;
	struct random_stream stream;
	uint32_t node; /* the validator; NODE_NONE: whoever leads */
	struct outage outage;
};

static sim_time draw_time(const struct world *world, struct random_stream *stream, sim_time mean_ns)
{
	double span = random_exponential(stream) * (double)mean_ns;
	return sim_time_add(world->now, span < 9e18 ? (sim_time)span + 1 : SIM_NEVER);
}

static void rate_crashes(struct world *world, void *context, uint64_t argument);

/* What would begin after the window does not. */
static void plan_crash(struct world *world, struct crash_turn *turn)
{
	const struct fault_crash *settings = turn->rate->settings;
	sim_time at = draw_time(world, &turn->stream, settings->every_ns);
	if (at < settings->common.until_ns) {
		world_call_at(world, at, rate_crashes, turn, 0);
	}
}

static void rate_repairs(struct world *world, void *context, uint64_t argument)
{
	struct crash_turn *turn = context;
	turn->rate->n_down--;
	world->n_changes_pending--;
	end(world, &turn->outage);
	plan_crash(world, turn);
}

static void rate_crashes(struct world *world, void *context, uint64_t argument)
{
	struct crash_turn *turn = context;
	const struct fault_crash *settings = turn->rate->settings;
	uint32_t node = settings->nodes.leader ? world->ops->leader(world) : turn->node;
	if (node == NODE_NONE || turn->rate->n_down >= settings->at_once || !world->nodes[node].alive ||
		world_paused(world, node)) {
		plan_crash(world, turn);
		return;
	}
	turn->outage.node = node;
	turn->rate->n_down++;
	sim_time until = settings->common.until_ns;
	sim_time at = draw_time(world, &turn->stream, settings->lasts_ns);
	at = at < until ? at : until; /* all are up again when the window closes */
	if (at != SIM_NEVER) {
		world->n_changes_pending++;
		world_changes_at(world, at);
		world_call_at(world, at, rate_repairs, turn, 0);
	}
	begin(world, &turn->outage);
}

static void rate_begins(struct world *world, void *context, uint64_t argument)
{
	plan_crash(world, context);
}

static void schedule_rate(
	struct world *world, const struct fault_crash *settings, uint32_t index, bool pause)
{
	struct crash_rate *rate = arena_new(&world->arena, struct crash_rate);
	*rate = (struct crash_rate){settings, 0};
	size_t n = settings->nodes.leader ? 1 : settings->nodes.n;
	for (size_t i = 0; i < n; i++) {
		struct crash_turn *turn = arena_new(&world->arena, struct crash_turn);
		turn->rate = rate;
		turn->outage.pause = pause;
		turn->node = settings->nodes.leader ? NODE_NONE : settings->nodes.nodes[i];
		/* Fault keys lie below 2^40. */
		turn->stream = random_stream_make(world->settings.seed, RANDOM_FAULT,
			(uint64_t)(index + 1) << 40 | (settings->nodes.leader ? SIM_NODES_MAX : turn->node));
		world_call_at(world, settings->common.from_ns, rate_begins, turn, 0);
	}
}

static void schedule_either(
	struct world *world, const struct fault_crash *settings, uint32_t index, bool pause)
{
	if (settings->every_ns == SIM_NEVER || settings->every_ns == 0) {
		schedule_once(world, settings, pause);
	} else {
		schedule_rate(world, settings, index, pause);
	}
}

static void schedule(struct world *world, const void *settings, uint32_t index)
{
	world->may_crash = true;
	schedule_either(world, settings, index, false);
}

static void pause_schedule(struct world *world, const void *settings, uint32_t index)
{
	world_may_pause(world);
	schedule_either(world, settings, index, true);
}

const struct fault fault_crash = {
	.plugin =
		{
			.name = "crash",
			.summary = "validators stop, lose what is not on stable storage, and start again at `until`",
			.params = params,
			.settings_size = sizeof(struct fault_crash),
			.finish = finish,
		},
	.schedule = schedule,
};

const struct fault fault_pause = {
	.plugin =
		{
			.name = "pause",
			.summary = "validators stand still, and then take up all that has come meanwhile",
			.params = pause_params,
			.settings_size = sizeof(struct fault_crash),
			.finish = pause_finish,
		},
	.schedule = pause_schedule,
};
