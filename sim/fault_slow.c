/* Slow nodes: their processor takes longer for everything. */
#include "faults.h"

static const struct param params[] = {
	FAULT_NODES(struct fault_slow_node, nodes, "nodes", PARAM_REQUIRED,
		"the validators that are slow, or leader: whoever it is when it begins"),
	{.name = "factor", .kind = PARAM_REAL, .offset = offsetof(struct fault_slow_node, factor),
		.min = 0, .max = 1e9, .fallback = "1", .unit = "",
		.help = "multiplies what sending, receiving, signing and verifying cost it (the keys of `node`)"},
	{.name = "delay", .kind = PARAM_DURATION, .offset = offsetof(struct fault_slow_node, delay_ns),
		.fallback = "0 s", .unit = "s",
		.help = "processor time added for each message it takes in and each copy it sends"},
	FAULT_WINDOW(struct fault_slow_node),
	PARAM_END,
};

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_slow_node *slow = settings;
	if (slow->delay_ns == 0 && (slow->factor == 1 || !shape->costs)) {
		return fault_refuse("delay", param, error,
			slow->factor == 1 ? "is 0 s and factor is 1: give one of them, such as delay: 1 ms"
							  : "is 0 s, and a factor of costs (`node`) that are all 0 changes nothing: "
								"give delay, such as 1 ms");
	}
	return fault_finish_nodes(&slow->nodes, "nodes", param, error) &&
		fault_finish_window(settings, shape, param, error);
}

/* One of these faults of a run; all are kept in a list. */
struct slow_node {
	struct slow_node *next;
	const struct fault_slow_node *settings;
	uint8_t *marks;
	bool open;
};

static sim_time times(sim_time cost_ns, double factor)
{
	double cost = (double)cost_ns * factor;
	return cost < 0x1p63 ? (sim_time)(cost + .5) : SIM_NEVER;
}

/* What the faults that are open now make of a node's costs: factors multiply, delays add up. */
static struct node_costs costs_of(const struct world *world, uint32_t node)
{
	double factor = 1;
	sim_time delay = 0;
	for (const struct slow_node *slow = world->slow_nodes; slow != NULL; slow = slow->next) {
		if (slow->open && slow->marks[node] != 0) {
			factor *= slow->settings->factor;
			delay = sim_time_add(delay, slow->settings->delay_ns);
		}
	}
	const struct node_costs *base = &world->settings.costs;
	return (struct node_costs){
		.send_ns = sim_time_add(times(base->send_ns, factor), delay),
		.receive_ns = sim_time_add(times(base->receive_ns, factor), delay),
		.sign_ns = times(base->sign_ns, factor),
		.verify_ns = times(base->verify_ns, factor),
		.mac_ns = times(base->mac_ns, factor),
	};
}

static void change(struct world *world, void *context, bool begins)
{
	struct slow_node *slow = context;
	if (begins) {
		fault_mark(world, &slow->settings->nodes, slow->marks, 1);
	}
	slow->open = begins;
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (slow->marks[i] != 0) {
			world->ports[i].costs = costs_of(world, i);
		}
	}
}

static void schedule(struct world *world, const void *settings, uint32_t index)
{
	struct slow_node *slow = arena_new(&world->arena, struct slow_node);
	*slow = (struct slow_node){world->slow_nodes, settings,
		arena_array(&world->arena, uint8_t, world->n_nodes), false};
	world->slow_nodes = slow;
	world->queued = true; /* from the start: there are processors to pass */
	const struct fault_slow_node *fault = settings;
	fault_window_schedule(world,
		&(struct fault_window){.common = &fault->common, .begins = "slow-node begins",
			.ends = "slow-node ends", .nodes = &fault->nodes, .change = change, .state = slow,
			.early = !fault->nodes.leader});
}

const struct fault fault_slow_node = {
	.plugin = {.name = "slow-node", .summary = "validators whose processors take longer",
		.params = params, .settings_size = sizeof(struct fault_slow_node), .finish = finish},
	.schedule = schedule,
};
