#include "faults.h"

#include <stdarg.h>

extern const struct fault fault_crash, fault_pause, fault_partition, fault_cut, fault_flap,
	fault_isolate, fault_slow_node, fault_slow_disk, fault_disk, fault_slow_link, fault_skew,
	fault_loss, fault_duplicate, fault_reorder, fault_corrupt, fault_stabilise, fault_rule,
	fault_step;

static const struct plugin *const faults[] = {
	&fault_crash.plugin,
	&fault_pause.plugin,
	&fault_partition.plugin,
	&fault_cut.plugin,
	&fault_flap.plugin,
	&fault_isolate.plugin,
	&fault_slow_node.plugin,
	&fault_slow_disk.plugin,
	&fault_disk.plugin,
	&fault_slow_link.plugin,
	&fault_skew.plugin,
	&fault_loss.plugin,
	&fault_duplicate.plugin,
	&fault_reorder.plugin,
	&fault_corrupt.plugin,
	&fault_stabilise.plugin,
	&fault_rule.plugin,
	&fault_step.plugin,
	NULL,
};

const struct registry fault_registry = {.sort = "fault", .plural = "faults", .plugins = faults};

bool fault_refuse(const char *name, const char **param, char error[256], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, 256, format, arguments);
	va_end(arguments);
	*param = name;
	return false;
}

bool fault_finish_window(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_common *common = settings;
	return common->until_ns > common->from_ns ||
		fault_refuse("until", param, error, "must be later than `from`");
}

bool fault_finish_nodes(
	const struct node_list *nodes, const char *name, const char **param, char error[256])
{
	return nodes->leader || nodes->n > 0 || !nodes->given ||
		fault_refuse(name, param, error, "names no node: give a list such as [0, 3], or leader");
}

void fault_tell(struct world *world, uint32_t node, const char *what)
{
	if (world->ops->fault_told != NULL) {
		world->ops->fault_told(world, node, what);
	}
	if (world->tracer != NULL && world->tracer->fault != NULL) {
		world->tracer->fault(world->tracer->context, node, what);
	}
}

static void tell(struct world *world, const struct fault_window *window, const char *what)
{
	if (window->nodes == NULL || window->nodes->n == 0) {
		fault_tell(world, NODE_NONE, what);
		return;
	}
	for (size_t i = 0; i < window->nodes->n; i++) {
		fault_tell(world, window->nodes->nodes[i], what);
	}
}

static void changed(struct world *world, const struct fault_window *window)
{
	if (window->links && world->ops->links != NULL) {
		world->ops->links(world);
	}
}

static void window_begins(struct world *world, void *context, uint64_t argument)
{
	struct fault_window *window = context;
	if (!window->begun) {
		window->begun = true;
		window->change(world, window->state, true);
	}
	tell(world, window, window->begins);
	world->ops->fault_began(world);
	changed(world, window);
}

static void window_ends(struct world *world, void *context, uint64_t argument)
{
	struct fault_window *window = context;
	world->n_changes_pending -= window->links;
	window->change(world, window->state, false);
	tell(world, window, window->ends);
	world->ops->fault_ended(world);
	changed(world, window);
}

/* The ends are scheduled at the start too: an event of theirs then comes before all others of its
 * instant, so that windows are half-open, and whoever asks at a beginning knows what is to come. */
void fault_window_schedule(struct world *world, const struct fault_window *window)
{
	struct fault_window *copy = arena_new(&world->arena, struct fault_window);
	*copy = *window;
	if (copy->early && copy->common->from_ns == 0) {
		copy->begun = true;
		copy->change(world, copy->state, true);
	}
	world_call_at(world, copy->common->from_ns, window_begins, copy, 0);
	if (copy->common->until_ns != SIM_NEVER) {
		world->n_changes_pending += copy->links;
		world_call_at(world, copy->common->until_ns, window_ends, copy, 0);
	}
}

void fault_mark(struct world *world, const struct node_list *list, uint8_t *marks, uint8_t bit)
{
	if (list->leader) {
		uint32_t leader = world->ops->leader(world);
		if (leader != NODE_NONE) {
			marks[leader] |= bit;
		}
	} else if (!list->given) {
		for (uint32_t i = 0; i < world->n_nodes; i++) {
			marks[i] |= bit;
		}
	} else {
		for (size_t i = 0; i < list->n; i++) {
			marks[list->nodes[i]] |= bit;
		}
	}
}

struct random_key fault_key(const struct world *world, uint32_t index, uint32_t which)
{
	return random_key_make(world->settings.seed, RANDOM_FAULT, (uint64_t)index << 8 | which);
}

void world_faults(struct world *world, const struct plugin_list *list)
{
	/* `stabilise` loses too: one window a fault is enough. */
	world->loss_windows = arena_array(&world->arena, struct loss_window, list->n + 1);
	world->cuts = arena_array(&world->arena, struct cut *, list->n + 1);
	world->has_faults = list->n > 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct fault *fault = (const struct fault *)list->values[i].plugin;
		fault->schedule(world, list->values[i].settings, (uint32_t)i);
	}
	net_filter(world);
}
