/* Attacks that are the node as a whole: `crash-prone`, `twins`. What they do is the laboratory's to do. */
#include "common.h"

#include <stdio.h>

struct attack_crash_prone {
	struct attack_common common;
	sim_time up_ns, down_ns;
};

static void crash_prone_pauses(const void *settings, double *up_ns, double *down_ns)
{
	const struct attack_crash_prone *attack = settings;
	*up_ns = (double)attack->up_ns;
	*down_ns = (double)attack->down_ns;
}

static const struct param crash_prone_params[] = {
	ATTACK_WHO_PARAMS(struct attack_crash_prone),
	{.name = "up",
		.kind = PARAM_DURATION,
		.offset = offsetof(struct attack_crash_prone, up_ns),
		.min = SIM_TIMER_MIN,
		.fallback = "10 s",
		.unit = "s",
		.help = "mean time until it crashes; exponential"},
	{.name = "down",
		.kind = PARAM_DURATION,
		.offset = offsetof(struct attack_crash_prone, down_ns),
		.min = SIM_TIMER_MIN,
		.fallback = "1 s",
		.unit = "s",
		.help = "mean time until it starts again; exponential"},
	PARAM_END,
};

const struct attack attack_crash_prone = {
	.plugin = {.name = "crash-prone",
		.summary = "crashes and starts again, at random times",
		.params = crash_prone_params,
		.settings_size = sizeof(struct attack_crash_prone),
		.finish = attack_nodes_finish},
	.knows = "nothing; it tells no lies, so that checkers go on looking at it: what is not on stable storage is lost "
			 "at each crash",
	.pauses = crash_prone_pauses,
};

struct attack_twins {
	struct attack_common common;
	struct node_groups groups;
};

static const struct node_groups *twins_groups(const void *settings)
{
	return &((const struct attack_twins *)settings)->groups;
}

static bool twins_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_twins *attack = settings;
	if (!attack_groups_finish(&attack->groups, param, error)) {
		return false;
	}
	if (attack->groups.n > 2) {
		*param = "groups";
		snprintf(error, 256, "must be two groups, one for each twin, such as [[1], [2, 3]]");
		return false;
	}
	if (attack->common.nodes.leader) {
		*param = "nodes";
		snprintf(error, 256, "must be validator numbers: twins are twins from the start of the run");
		return false;
	}
	return attack_nodes_finish(settings, shape, param, error);
}

static const struct param twins_params[] = {
	ATTACK_WHO_PARAMS(struct attack_twins),
	{.name = "groups",
		.kind = PARAM_GROUPS,
		.offset = offsetof(struct attack_twins, groups),
		.unit = "",
		.help = "whom each twin talks with, such as [[1], [2, 3]]; whoever is in neither or in both talks "
				"with both. Unset: the validators that don't attack, in two halves"},
	PARAM_END,
};

const struct attack attack_twins = {
	.plugin = {.name = "twins",
		.summary = "runs twice under one identity, each twin with its own state, timers and peers",
		.params = twins_params,
		.settings_size = sizeof(struct attack_twins),
		.finish = twins_finish},
	.knows = "nothing: both twins are honest, and neither knows of the other (Bano et al., Twins, arXiv:2004.10617, "
			 "2020). Clients reach both. Outside the window only the first is heard",
	.doubles = true,
	.groups_default = GROUPS_HALVES,
	.groups = twins_groups,
};
