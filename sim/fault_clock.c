/* Clocks that jump and drift.
 *
 * A clock shows shown_ns + floor(e (10^12 + drift) / 10^12), e being the true time since base_ns: integers
 * only, in 128 bits. It is continuous but for the jump when a window opens; when the window closes it runs
 * right again and keeps what it has gained. */
#include "faults.h"

#define CLOCK_ONE INT64_C(1000000000000) /* parts */

__extension__ typedef __int128 wide;

static sim_time saturated(wide time)
{
	return time < 0 ? 0 : time > SIM_NEVER ? SIM_NEVER : (sim_time)time;
}

/* Faults that meet at one clock add up; it always runs forward. */
static wide rate_of(const struct clock *clock)
{
	wide rate = CLOCK_ONE + clock->drift;
	return rate < CLOCK_ONE / 10 ? CLOCK_ONE / 10 : rate;
}

static wide unbounded(const struct clock *clock, sim_time now_ns)
{
	wide elapsed = now_ns - clock->base_ns;
	return clock->shown_ns + elapsed * rate_of(clock) / CLOCK_ONE;
}

sim_time clock_shown(const struct clock *clock, sim_time now_ns)
{
	return saturated(unbounded(clock, now_ns));
}

sim_time clock_when(const struct clock *clock, sim_time shown_ns)
{
	wide ahead = (wide)shown_ns - clock->shown_ns;
	wide rate = rate_of(clock);
	if (shown_ns == SIM_NEVER) {
		return SIM_NEVER;
	}
	if (ahead <= 0) {
		return clock->base_ns;
	}
	return saturated(clock->base_ns + (ahead * CLOCK_ONE + rate - 1) / rate);
}

sim_time clock_timer(struct node *node, unsigned timer, sim_time at_ns)
{
	struct clock *clock = node->world->ports[node->id].clock;
	if (timer == NODE_TIMER_CLIENT) {
		return at_ns; /* its client's clock is right */
	}
	clock->timer_at[timer] = at_ns;
	return clock_when(clock, at_ns);
}

static const struct param params[] = {
	FAULT_NODES(struct fault_skew, nodes, "nodes", PARAM_REQUIRED,
		"whose clocks go wrong, or leader: whoever it is when it begins"),
	{.name = "offset", .kind = PARAM_DURATION, .offset = offsetof(struct fault_skew, offset_ns),
		.min = -1e16, .max = 1e16, .fallback = "0 s", .unit = "s",
		.help = "the clock jumps by so much when it begins: forward, or back where below 0"},
	{.name = "drift", .kind = PARAM_REAL, .offset = offsetof(struct fault_skew, drift_ppm),
		.min = -900000, .max = 1000000, .fallback = "0", .unit = "ppm",
		.help = "microseconds that it gains each second, or loses where below 0"},
	FAULT_WINDOW(struct fault_skew),
	PARAM_END,
};

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_skew *skew = settings;
	if (skew->offset_ns == 0 && skew->drift_ppm == 0) {
		return fault_refuse("offset", param, error, "and drift are both 0: give one of them");
	}
	if (skew->offset_ns < 0 && -skew->offset_ns > skew->common.from_ns) {
		return fault_refuse("offset", param, error,
			"sets the clock back to before 0 s: let it begin later, or set the others' forward");
	}
	return fault_finish_nodes(&skew->nodes, "nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

struct skew_state {
	const struct fault_skew *settings;
	uint8_t *marks;
};

/* Timers that run keep their time by the clock, which now comes at another true time. */
static void change_clock(struct world *world, struct node *node, int64_t drift, sim_time offset_ns)
{
	struct port *port = &world->ports[node->id];
	if (port->clock == NULL) {
		port->clock = arena_new(&world->arena, struct clock);
		*port->clock = (struct clock){.base_ns = world->now, .shown_ns = world->now};
		for (int t = 0; t < NODE_TIMERS; t++) {
			port->clock->timer_at[t] = port->timer_at[t];
		}
		node->skewed = true;
	}
	struct clock *clock = port->clock;
	clock->shown_ns = saturated(unbounded(clock, world->now) + offset_ns);
	clock->base_ns = world->now;
	clock->drift += drift;
	for (unsigned t = 0; t < NODE_TIMER_CLIENT; t++) {
		if (port->timer_at[t] != SIM_NEVER) {
			timer_set(node, t, clock_when(clock, clock->timer_at[t]));
		}
	}
}

static void change(struct world *world, void *context, bool begins)
{
	struct skew_state *state = context;
	double parts = state->settings->drift_ppm * 1e6;
	int64_t drift = (int64_t)(parts < 0 ? parts - .5 : parts + .5);
	if (begins) {
		fault_mark(world, &state->settings->nodes, state->marks, 1);
	}
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (state->marks[i] != 0) {
			change_clock(world, &world->nodes[i], begins ? drift : -drift,
				begins ? state->settings->offset_ns : 0);
		}
	}
}

static void schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_skew *skew = settings;
	struct skew_state *state = arena_new(&world->arena, struct skew_state);
	*state = (struct skew_state){skew, arena_array(&world->arena, uint8_t, world->n_nodes)};
	fault_window_schedule(world,
		&(struct fault_window){.common = &skew->common, .begins = "skew begins", .ends = "skew ends",
			.nodes = &skew->nodes, .change = change, .state = state, .early = !skew->nodes.leader});
}

const struct fault fault_skew = {
	.plugin = {.name = "skew", .summary = "clocks that are off and drift: the protocol's timers go by them",
		.params = params, .settings_size = sizeof(struct fault_skew), .finish = finish},
	.schedule = schedule,
};
