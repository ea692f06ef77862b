/* Steps: what a scenario makes a node do at a moment. */
#include "faults.h"

static const char *const action_names[] = {
	"campaign", "propose", "transfer", "restart", "change-membership"};

static const struct param params[] = {
	{.name = "at", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_step, common.from_ns), .unit = "s", .help = "when"},
	FAULT_NODES(struct fault_step, node, "node", PARAM_REQUIRED, "who, or leader: whoever it is then"),
	{.name = "action", .kind = PARAM_CHOICE, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct fault_step, action),
		.choices = "campaign|propose|transfer|restart|change-membership", .unit = "",
		.help = "stands for election or changes the view; proposes what waits; hands the lead on; crashes "
				"and is up again at once; changes the members"},
	{.name = "to", .kind = PARAM_INT, .flags = PARAM_NONE, .offset = offsetof(struct fault_step, to),
		.fallback = "none", .unit = "",
		.help = "transfer: to whom; none: to whom the leader likes"},
	FAULT_NODES(struct fault_step, members, "members", 0, "change-membership: who votes from then on"),
	FAULT_NODES(struct fault_step, learners, "learners", 0,
		"change-membership: who follows from then on without a vote"),
	{.name = "joint", .kind = PARAM_BOOL, .offset = offsetof(struct fault_step, joint),
		.fallback = "on", .unit = "",
		.help = "change-membership: by joint consensus; off: one validator at a time"},
	{.name = "force", .kind = PARAM_BOOL, .offset = offsetof(struct fault_step, force),
		.fallback = "off", .unit = "", .help = "campaign: takes a new term at once, without a pre-vote"},
	PARAM_END,
};

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct fault_step *step = settings;
	if (!step->node.leader && step->node.n != 1) {
		return fault_refuse("node", param, error, "must be one validator's number, or leader");
	}
	if ((shape->steps >> step->action & 1) == 0) {
		char known[100] = "";
		for (size_t i = 0, n = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
			if (shape->steps >> i & 1) {
				n += (size_t)snprintf(
					known + n, sizeof(known) - n, "%s`%s`", n == 0 ? "" : ", ", action_names[i]);
			}
		}
		return fault_refuse("action", param, error,
			"`%s` is not for this protocol, which knows only %s", action_names[step->action], known);
	}
	if (step->to >= (int64_t)shape->n_validators) {
		return fault_refuse("to", param, error, "must be a validator's number, 0 to %u, got %lld",
			shape->n_validators - 1, (long long)step->to);
	}
	if (step->to != -1 && step->action != STEP_TRANSFER) {
		return fault_refuse("to", param, error, "goes with action: transfer");
	}
	if (step->force && step->action != STEP_CAMPAIGN) {
		return fault_refuse("force", param, error, "goes with action: campaign");
	}
	bool changes = step->action == STEP_CHANGE_MEMBERSHIP;
	if (changes ? step->members.n == 0 : step->members.given) {
		return fault_refuse("members", param, error,
			changes ? "must name who votes from then on, such as [0, 1, 2]"
					: "goes with action: change-membership");
	}
	if (step->learners.leader || (step->learners.given && !changes)) {
		return fault_refuse("learners", param, error,
			changes ? "must be a list of validators such as [3]" : "goes with action: change-membership");
	}
	return true;
}

static bool take(struct world *world, uint32_t whom, const struct fault_step *step)
{
	struct node *node = &world->nodes[whom];
	if (!node->alive || (world_paused(world, whom) && step->action != STEP_RESTART)) {
		return false;
	}
	if (step->action != STEP_RESTART) {
		return world->ops->step != NULL && world->ops->step(world, node, step);
	}
	world->ops->fault_began(world);
	world->n_changes_pending++; /* nothing is given up for good: it is up again at once */
	world_crash(world, whom);
	world->n_changes_pending--;
	world_restart(world, whom);
	world->ops->fault_ended(world);
	return true;
}

static void step_now(struct world *world, void *context, uint64_t index)
{
	static const char *const told[] = {"step: campaign", "step: propose", "step: transfer",
		"step: restart", "step: change-membership"};
	static const char *const refused[] = {"can't campaign now", "can't propose now",
		"can't transfer now", "can't restart now", "can't change-membership now"};
	const struct fault_step *step = context;
	uint32_t node = step->node.leader ? world->ops->leader(world) : step->node.nodes[0];
	fault_tell(world, node, told[step->action]);
	if (node != NODE_NONE && take(world, node, step)) {
		world->n_steps++;
		return;
	}
	world->n_steps_refused++;
	world->steps_refused |= index < 64 ? UINT64_C(1) << index : 0;
	fault_tell(world, node, refused[step->action]);
}

static void schedule(struct world *world, const void *settings, uint32_t index)
{
	const struct fault_step *step = settings;
	if (step->action == STEP_RESTART) {
		world->may_crash = true;
		if (step->node.n == 1) {
			world->nodes[step->node.nodes[0]].crashes = true;
		}
	}
	world_call_at(world, step->common.from_ns, step_now, (void *)(uintptr_t)settings, index);
}

const struct fault fault_step = {
	.plugin = {.name = "step", .summary = "a validator does something at a moment",
		.params = params, .settings_size = sizeof(struct fault_step), .finish = finish},
	.schedule = schedule,
};
