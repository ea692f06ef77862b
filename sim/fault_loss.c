/* What strikes each copy with a probability when it arrives: loss and corruption. */
#include "faults.h"

static const struct param loss_params[] = {
	FAULT_PROBABILITY(struct fault_loss, "that a copy of a message is lost, each on its own"),
	FAULT_AMONG(struct fault_loss),
	FAULT_WINDOW(struct fault_loss),
	PARAM_END,
};

static const struct param corrupt_params[] = {
	FAULT_PROBABILITY(struct fault_loss, "that a copy of a message is garbled, each on its own"),
	FAULT_AMONG(struct fault_loss),
	FAULT_WINDOW(struct fault_loss),
	PARAM_END,
};

/* Independent of each other: what the one leaves, the next may take. */
static double in_force(const struct world *world, double probability, bool corrupts, bool all)
{
	for (uint32_t i = 0; i < world->n_loss_windows; i++) {
		const struct loss_window *window = &world->loss_windows[i];
		if (window->corrupts == corrupts && (window->all || !all) &&
			window->from_ns <= world->now && world->now < window->until_ns) {
			probability += (1 - probability) * window->probability;
		}
	}
	return probability;
}

void fault_losses_change(struct world *world)
{
	world->loss_validators = in_force(world, world->settings.loss, false, false);
	world->loss_all = in_force(world, world->settings.loss, false, true);
	world->corrupt_validators = in_force(world, 0, true, false);
	world->corrupt_all = in_force(world, 0, true, true);
}

static void change(struct world *world, void *state, bool begins)
{
	fault_losses_change(world);
}

void fault_add_loss(struct world *world, const struct loss_window *window)
{
	world->loss_windows[world->n_loss_windows++] = *window;
	world->lossy |= !window->corrupts;
	world->garbled |= window->corrupts;
	fault_losses_change(world); /* a window from time 0 holds for what is sent at time 0 */
}

static void schedule(struct world *world, const struct fault_loss *settings, bool corrupts)
{
	fault_add_loss(world,
		&(struct loss_window){settings->common.from_ns, settings->common.until_ns,
			settings->probability, settings->among == 1, corrupts});
	fault_window_schedule(world,
		&(struct fault_window){.common = &settings->common,
			.begins = corrupts ? "corrupt begins" : "loss begins",
			.ends = corrupts ? "corrupt ends" : "loss ends",
			.change = change});
}

static void loss_schedule(struct world *world, const void *settings, uint32_t index)
{
	schedule(world, settings, false);
}

static void corrupt_schedule(struct world *world, const void *settings, uint32_t index)
{
	schedule(world, settings, true);
}

const struct fault fault_loss = {
	.plugin = {.name = "loss", .summary = "messages are lost, each copy independently",
		.params = loss_params, .settings_size = sizeof(struct fault_loss),
		.finish = fault_finish_window},
	.schedule = loss_schedule,
};

const struct fault fault_corrupt = {
	.plugin = {.name = "corrupt",
		.summary = "messages arrive garbled, cost their receiver what others do, and are thrown away",
		.params = corrupt_params, .settings_size = sizeof(struct fault_loss),
		.finish = fault_finish_window},
	.schedule = corrupt_schedule,
};
