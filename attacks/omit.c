/* Attacks that leave out or put off: `silent`, `withhold`, `selective`, `bad-macs`, `slow-primary`. None of them
 * says anything that is not true. */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>

struct attack_plain {
	struct attack_common common;
};

static void silent_tamper(const void *settings, struct attack_copy *copy)
{
	copy->withheld = true;
}

static const struct param silent_params[] = {
	ATTACK_WHO_PARAMS(struct attack_plain),
	PARAM_END,
};

const struct attack attack_silent = {
	.plugin = {.name = "silent",
		.summary = "sends nothing to anyone, its gateway included; hears and computes everything",
		.params = silent_params,
		.settings_size = sizeof(struct attack_plain),
		.finish = attack_nodes_finish},
	.knows = "nothing but its own state; needs none of it. From outside it is a node that is down, but that it "
			 "counts as live",
	.tamper = silent_tamper,
};

static void withhold_tamper(const void *settings, struct attack_copy *copy)
{
	copy->withheld = copy->role == ROLE_VOTE;
}

static unsigned withhold_needs(const void *settings)
{
	return NEEDS_VOTES;
}

static const struct param withhold_params[] = {
	ATTACK_WHO_PARAMS(struct attack_plain),
	PARAM_END,
};

const struct attack attack_withhold = {
	.plugin = {.name = "withhold",
		.summary = "takes part in everything but never votes",
		.params = withhold_params,
		.settings_size = sizeof(struct attack_plain),
		.finish = attack_nodes_finish},
	.knows = "its own messages; proposes and forwards as it should, and so is not suspected as a leader",
	.tamper = withhold_tamper,
	.needs = withhold_needs,
};

struct attack_selective {
	struct attack_common common;
	struct node_list to;
};

static void selective_tamper(const void *settings, struct attack_copy *copy)
{
	const struct node_list *to = &((const struct attack_selective *)settings)->to;
	copy->withheld = copy->to < copy->node->n_validators;
	for (size_t i = 0; i < to->n; i++) {
		copy->withheld = copy->withheld && to->nodes[i] != copy->to;
	}
}

static bool selective_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_selective *attack = settings;
	if (attack->to.leader) {
		*param = "to";
		snprintf(error, 256, "must be validator numbers, such as [1, 2]");
		return false;
	}
	if (attack->to.given && attack->to.n == 0) {
		*param = "to";
		snprintf(error, 256,
			"names nobody: give a list such as [1, 2], or kind: silent, that sends to no one");
		return false;
	}
	return attack_nodes_finish(settings, shape, param, error);
}

static const struct param selective_params[] = {
	ATTACK_WHO_PARAMS(struct attack_selective),
	{.name = "to",
		.kind = PARAM_NODES,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct attack_selective, to),
		.unit = "",
		.help = "the validators that it does send to; clients are answered as ever"},
	PARAM_END,
};

const struct attack attack_selective = {
	.plugin = {.name = "selective",
		.summary = "sends to some validators only",
		.params = selective_params,
		.settings_size = sizeof(struct attack_selective),
		.finish = selective_finish},
	.knows = "who is who; every message that it sends is a true one",
	.tamper = selective_tamper,
};

/* A MAC is between two: that it holds for one says nothing to another, and who is refused can't prove it.
 * Castro's thesis (MIT-LCS-TR-817, 2001), 3.2.1: an authenticator can't be passed on. */
static void bad_macs_tamper(const void *settings, struct attack_copy *copy)
{
	const struct node_list *to = &((const struct attack_selective *)settings)->to;
	for (size_t i = 0; i < to->n; i++) {
		if (to->nodes[i] == copy->to && (copy->message->flags & MESSAGE_MACS) != 0) {
			copy->message->flags |= MESSAGE_FORGED;
		}
	}
}

static unsigned bad_macs_needs(const void *settings)
{
	return NEEDS_MACS;
}

static const struct param bad_macs_params[] = {
	ATTACK_WHO_PARAMS(struct attack_selective),
	{.name = "to",
		.kind = PARAM_NODES,
		.flags = PARAM_REQUIRED,
		.offset = offsetof(struct attack_selective, to),
		.unit = "",
		.help = "the validators for whom its MACs don't hold; for the others they do"},
	PARAM_END,
};

const struct attack attack_bad_macs = {
	.plugin = {.name = "bad-macs",
		.summary = "authenticators that hold for some: whoever gets a bad MAC pays for it and refuses",
		.params = bad_macs_params,
		.settings_size = sizeof(struct attack_selective),
		.finish = selective_finish},
	.knows = "who is who; every message that it sends is a true one. What is signed (view changes, new views) holds "
			 "for all",
	.tamper = bad_macs_tamper,
	.needs = bad_macs_needs,
};

struct attack_slow_primary {
	struct attack_common common;
	sim_time delay_ns; /* PARAM_AUTO_VALUE: the laboratory's word */
};

static void slow_tamper(const void *settings, struct attack_copy *copy)
{
	const struct attack_slow_primary *attack = settings;
	if (copy->role == ROLE_PROPOSAL) {
		copy->delay_ns = sim_time_add(copy->delay_ns,
			attack->delay_ns == PARAM_AUTO_VALUE ? copy->auto_delay_ns : attack->delay_ns);
	}
}

static unsigned slow_needs(const void *settings)
{
	const struct attack_slow_primary *attack = settings;
	return NEEDS_PROPOSALS | (attack->delay_ns == PARAM_AUTO_VALUE ? NEEDS_PATIENCE : 0);
}

static const struct param slow_primary_params[] = {
	ATTACK_WHO_PARAMS(struct attack_slow_primary),
	{.name = "delay",
		.kind = PARAM_DURATION,
		.flags = PARAM_AUTO,
		.offset = offsetof(struct attack_slow_primary, delay_ns),
		.min = 0,
		.max = (double)SIM_NEVER,
		.fallback = "auto",
		.unit = "s",
		.help = "how long it sits on each proposal; auto: the timeout by which it is judged, less four "
				"of the largest 99.9 % one-way delays, at least half of it"},
	PARAM_END,
};

const struct attack attack_slow_primary = {
	.plugin = {.name = "slow-primary",
		.summary = "proposes late: just not so late that it is replaced",
		.params = slow_primary_params,
		.settings_size = sizeof(struct attack_slow_primary),
		.finish = attack_nodes_finish},
	.knows = "the timeout by which the others judge a leader, and the network's delays. Whatever else it sends is in "
			 "time",
	.tamper = slow_tamper,
	.needs = slow_needs,
};
