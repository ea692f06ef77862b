/* Attacks that say different things to different validators: `equivocate`, `lying-leader`, `collude`,
 * `double-vote`. */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>

struct attack_split {
	struct attack_common common;
	struct node_groups groups;
};

static const struct node_groups *split_groups(const void *settings)
{
	return &((const struct attack_split *)settings)->groups;
}

/* Each group is told a version: nobody two of them, and a lone liar none. */
static bool split_groups_finish(const struct attack_split *attack, const char **param, char error[256])
{
	const struct node_groups *groups = &attack->groups;
	const struct node_list *who = &attack->common.nodes;
	*param = "groups";
	for (size_t g = 0; g < groups->n; g++) {
		for (size_t i = 0; i < groups->groups[g].n; i++) {
			uint32_t node = groups->groups[g].nodes[i];
			if (who->n == 1 && who->nodes[0] == node) {
				snprintf(error, 256,
					"names the liar itself, %" PRIu32 ": groups are of those whom it lies to", node);
				return false;
			}
			for (size_t h = 0; h < g; h++) {
				for (size_t k = 0; k < groups->groups[h].n; k++) {
					if (groups->groups[h].nodes[k] == node) {
						snprintf(error, 256,
							"names %" PRIu32 " in two groups: a validator can be told one version only",
							node);
						return false;
					}
				}
			}
		}
	}
	return true;
}

static bool split_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_split *attack = settings;
	return attack_groups_finish(&attack->groups, param, error) &&
		   split_groups_finish(attack, param, error) &&
		   attack_nodes_finish(settings, shape, param, error);
}

/* The proposal, and the votes that go with it: a primary that says A to one and commits to B at the same
 * one gives itself away for nothing. */
static void equivocate_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role == ROLE_PROPOSAL) {
		uint32_t version = copy->group == VERSION_GIVEN ? 0 : copy->group;
		copy->withheld = !copy->hands->propose(copy, version);
	} else if (copy->role == ROLE_VOTE) {
		copy->hands->vote(copy, copy->group);
	}
}

static unsigned equivocate_needs(const void *settings)
{
	return NEEDS_PROPOSALS;
}

static unsigned lying_leader_needs(const void *settings)
{
	return NEEDS_PROPOSALS | NEEDS_TRUST;
}

#define GROUPS_PARAM(text)                                                                         \
	{.name = "groups",                                                                             \
		.kind = PARAM_GROUPS,                                                                      \
		.offset = offsetof(struct attack_split, groups),                                           \
		.unit = "",                                                                                \
		.help = text},

static const struct param equivocate_params[] = {
	ATTACK_WHO_PARAMS(struct attack_split),
	GROUPS_PARAM("whom each version of a proposal goes to, such as [[1], [2, 3]]; whoever is in no group "
				 "gets the first, which is the true one. Unset: those that don't attack, in two halves")
	PARAM_END,
};

const struct attack attack_equivocate = {
	.plugin = {.name = "equivocate",
		.summary = "proposes different batches to different groups, and votes with each for its own",
		.params = equivocate_params,
		.settings_size = sizeof(struct attack_split),
		.finish = split_finish},
	.knows = "who is who. The true batch goes to the first group; the others get its transactions rotated, or, of a "
			 "single one, another that waits, or none. It signs with its own key only",
	.tamper = equivocate_tamper,
	.needs = equivocate_needs,
	.groups_default = GROUPS_HALVES,
	.groups = split_groups,
};

static const struct param lying_leader_params[] = {
	ATTACK_WHO_PARAMS(struct attack_split),
	GROUPS_PARAM("whom each version of an entry goes to; whoever is in no group gets the true one. Unset: "
				 "each other validator its own")
	PARAM_END,
};

const struct attack attack_lying_leader = {
	.plugin = {.name = "lying-leader",
		.summary = "a leader that is taken at its word tells different followers different entries",
		.params = lying_leader_params,
		.settings_size = sizeof(struct attack_split),
		.finish = split_finish},
	.knows = "who is who. Followers have no way to find out: nothing that they tell each other names a batch. Versions "
			 "as in `equivocate`",
	.tamper = equivocate_tamper,
	.needs = lying_leader_needs,
	.groups_default = GROUPS_EACH,
	.groups = split_groups,
};

static void collude_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role == ROLE_VOTE) {
		copy->hands->vote(copy, copy->group);
	}
}

static unsigned collude_needs(const void *settings)
{
	return NEEDS_BATCH_VOTES;
}

static const struct param collude_params[] = {
	ATTACK_WHO_PARAMS(struct attack_split),
	GROUPS_PARAM("with whom it votes for which version. Unset: with each for what an equivocator gave it")
	PARAM_END,
};

const struct attack attack_collude = {
	.plugin = {.name = "collude",
		.summary = "votes, with each side of an equivocation, for that side",
		.params = collude_params,
		.settings_size = sizeof(struct attack_split),
		.finish = split_finish},
	.knows = "what every equivocator of the run has told whom. Where nobody lies it votes as it should",
	.tamper = collude_tamper,
	.needs = collude_needs,
	.groups_default = GROUPS_GIVEN,
	.groups = split_groups,
};

struct attack_double_vote {
	struct attack_common common;
};

static void double_vote_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role == ROLE_VOTE) {
		copy->hands->vote_twice(copy);
	}
}

static unsigned double_vote_needs(const void *settings)
{
	return NEEDS_SECOND_VOTES;
}

static const struct param double_vote_params[] = {
	ATTACK_WHO_PARAMS(struct attack_double_vote),
	PARAM_END,
};

const struct attack attack_double_vote = {
	.plugin = {.name = "double-vote",
		.summary = "votes twice: for another batch as well (PBFT), for every candidate (Raft)",
		.params = double_vote_params,
		.settings_size = sizeof(struct attack_double_vote),
		.finish = attack_nodes_finish},
	.knows = "its own votes; the second is for another version of the batch where an equivocator of the run has made "
			 "one, else for a batch that nobody has seen. It goes to the same validators as the first",
	.tamper = double_vote_tamper,
	.needs = double_vote_needs,
};
