/* Attacks with what was said before, or by others: `forge-certificate`, `bend-certificate`, `campaign`,
 * `replay`. */
#include "common.h"

struct attack_forge {
	struct attack_common common;
	bool stale;
};

#define CERTIFICATES_KEPT 8

struct forge_memory {
	struct message kept[CERTIFICATES_KEPT]; /* its first ones */
	uint32_t n;
	uint32_t last_number; /* + 1, of the last message kept */
};

/* An old certificate of its own goes with the new one. */
static void send_stale(struct attack_copy *copy)
{
	struct forge_memory *memory = copy->memory;
	bool is_kept = memory->last_number == copy->message->number + 1;
	uint32_t n_older = is_kept ? memory->n - 1 : memory->n;
	if (n_older > 0) {
		copy->hands->send(
			copy, copy->to, &memory->kept[random_below(copy->stream, n_older)]);
	}
	if (!is_kept && memory->n < CERTIFICATES_KEPT) {
		memory->kept[memory->n++] = *copy->message;
		memory->last_number = copy->message->number + 1;
	}
}

static void forge_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role != ROLE_CERTIFICATE) {
		return;
	}
	if (((const struct attack_forge *)settings)->stale) {
		send_stale(copy);
	} else {
		copy->hands->claim(copy);
	}
}

static unsigned forge_needs(const void *settings)
{
	return NEEDS_CERTIFICATES;
}

static const struct param forge_certificate_params[] = {
	ATTACK_WHO_PARAMS(struct attack_forge),
	{.name = "stale",
		.kind = PARAM_BOOL,
		.offset = offsetof(struct attack_forge, stale),
		.fallback = "off",
		.unit = "",
		.help = "instead, sends an old one of its own with each: true, and out of date"},
	PARAM_END,
};

const struct attack attack_forge_certificate = {
	.plugin = {.name = "forge-certificate",
		.summary = "shows what nobody signed: in view changes, new views, checkpoints, states",
		.params = forge_certificate_params,
		.settings_size = sizeof(struct attack_forge),
		.finish = attack_nodes_finish},
	.knows = "the formats. It can't sign for others: what it claims in their names is refused by whoever checks it, and "
			 "counted (`refused`); a false checkpoint of its own is one vote",
	.tamper = forge_tamper,
	.needs = forge_needs,
	.memory_size = sizeof(struct forge_memory),
};

struct attack_bend_certificate {
	struct attack_common common;
	struct node_groups groups;
	int how; /* index in the choices */
};

enum { HOW_OMIT, HOW_OLDER, HOW_SPLIT };

static void bend_tamper(const void *settings, struct attack_copy *copy)
{
	const struct attack_bend_certificate *attack = settings;
	if (copy->role != ROLE_CERTIFICATE) {
		return;
	}
	/* To the first group, and to whoever is in none, the truth; to each other one something else. */
	bool truth = copy->group == VERSION_GIVEN || copy->group == 0;
	if (attack->how == HOW_SPLIT ? !truth && copy->group % 2 == 1 : attack->how == HOW_OMIT) {
		copy->hands->bend(copy, BEND_OMIT);
	} else if (attack->how == HOW_SPLIT ? !truth : attack->how == HOW_OLDER) {
		copy->hands->bend(copy, BEND_OLDER);
	}
}

static const struct node_groups *bend_groups(const void *settings)
{
	return &((const struct attack_bend_certificate *)settings)->groups;
}

static bool bend_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_bend_certificate *attack = settings;
	return attack_groups_finish(&attack->groups, param, error) &&
		attack_nodes_finish(settings, shape, param, error);
}

static unsigned bend_needs(const void *settings)
{
	return NEEDS_BENDING;
}

static const struct param bend_params[] = {
	ATTACK_WHO_PARAMS(struct attack_bend_certificate),
	{.name = "how",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct attack_bend_certificate, how),
		.choices = "omit|older|split",
		.fallback = "omit",
		.unit = "",
		.help = "omit: what it has prepared is left out; older: an older checkpoint than the last; split: the truth "
				"to the first group, the former to the second, the latter to a third, and so on"},
	{.name = "groups",
		.kind = PARAM_GROUPS,
		.offset = offsetof(struct attack_bend_certificate, groups),
		.unit = "",
		.help = "of split: such as [[1], [2, 3]]; unset: those that don't attack, in two halves"},
	PARAM_END,
};

const struct attack attack_bend_certificate = {
	.plugin = {.name = "bend-certificate",
		.summary = "shows less than it knows in view changes and new views, or another V to each",
		.params = bend_params,
		.settings_size = sizeof(struct attack_bend_certificate),
		.finish = bend_finish},
	.knows = "what was signed, all of which is true: nobody can tell that it is not all that there is",
	.tamper = bend_tamper,
	.needs = bend_needs,
	.groups_default = GROUPS_HALVES,
	.groups = bend_groups,
};

struct attack_campaign {
	struct attack_common common;
	sim_time every_ns;
	int64_t ahead;
};

struct campaign_memory {
	sim_time next;
	uint64_t view; /* the last that it called for */
};

static void campaign_tamper(const void *settings, struct attack_copy *copy)
{
	const struct attack_campaign *attack = settings;
	struct campaign_memory *memory = copy->memory;
	if (copy->now < memory->next) {
		return;
	}
	memory->next = sim_time_add(copy->now, attack->every_ns);
	struct message call = *copy->message;
	if (!copy->hands->campaign(copy, &call, memory->view, (uint64_t)attack->ahead)) {
		return;
	}
	memory->view = call.view;
	for (uint32_t to = 0; to < copy->node->n_validators; to++) {
		if (to != copy->node->id) {
			copy->hands->send(copy, to, &call);
		}
	}
}

static unsigned campaign_needs(const void *settings)
{
	return NEEDS_CAMPAIGNS;
}

static const struct param campaign_params[] = {
	ATTACK_WHO_PARAMS(struct attack_campaign),
	{.name = "every",
		.kind = PARAM_DURATION,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct attack_campaign, every_ns),
		.min = 0,
		.max = (double)SIM_NEVER,
		.fallback = "100 ms",
		.unit = "s",
		.help = "how long it waits at least until it calls for the next view"},
	{.name = "ahead",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_campaign, ahead),
		.min = 1,
		.max = 1e15,
		.fallback = "1",
		.unit = "views",
		.help = "how far the next view is from the one before, or from the one that it is in"},
	PARAM_END,
};

const struct attack attack_campaign = {
	.plugin = {.name = "campaign",
		.summary = "calls for view after view, whoever leads, and takes part in all else",
		.params = campaign_params,
		.settings_size = sizeof(struct attack_campaign),
		.finish = attack_nodes_finish},
	.knows = "its own view. What it calls for it could call for honestly: each view change is sound",
	.tamper = campaign_tamper,
	.needs = campaign_needs,
	.memory_size = sizeof(struct campaign_memory),
};

struct attack_replay {
	struct attack_common common;
	double probability;
};

#define REPLAY_KEPT 256

struct replay_memory {
	struct {
		struct message message;
		uint32_t to;
	} kept[REPLAY_KEPT]; /* a ring */
	uint64_t n;          /* ever kept */
};

static void replay_tamper(const void *settings, struct attack_copy *copy)
{
	const struct attack_replay *attack = settings;
	struct replay_memory *memory = copy->memory;
	if (copy->to >= copy->node->n_validators) {
		return; /* clients know whom they have asked what */
	}
	if (memory->n > 0 && random_unit(copy->stream) < attack->probability) {
		uint64_t n = memory->n < REPLAY_KEPT ? memory->n : REPLAY_KEPT;
		uint64_t at = random_below(copy->stream, n);
		copy->hands->send(copy, memory->kept[at].to, &memory->kept[at].message);
	}
	uint64_t at = memory->n++ % REPLAY_KEPT;
	memory->kept[at].message = *copy->message;
	memory->kept[at].to = copy->to;
}

static const struct param replay_params[] = {
	ATTACK_WHO_PARAMS(struct attack_replay),
	{.name = "probability",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_replay, probability),
		.min = 0,
		.max = 1,
		.fallback = "0.5",
		.unit = "",
		.help = "that with a message to a validator an old one goes out again"},
	PARAM_END,
};

const struct attack attack_replay = {
	.plugin = {.name = "replay",
		.summary = "sends again what it has sent, to the same validators, at any later time",
		.params = replay_params,
		.settings_size = sizeof(struct attack_replay),
		.finish = attack_nodes_finish},
	.knows = "the last 256 copies that it has sent; what goes out again says what it said then",
	.tamper = replay_tamper,
	.memory_size = sizeof(struct replay_memory),
};
