/* `sybil`: one party speaks under many names.
 *
 * Each attacker's gateway submits `identities` predictions of an item instead of one: its own, as
 * the other attacks have left it, and that again under identities that it has made up. An
 * application that takes validators only (`identities: validators`, the default: a permissioned
 * system) refuses them, and they are counted; one that takes anyone (`identities: open`) can't tell
 * them from others, and its `quorum` of distinct participants fills with them.
 *
 * Source: Douceur, The Sybil Attack, IPTPS 2002. */
#include "common.h"

#include <math.h>

#define IDENTITIES_MAX 1000

struct attack_sybil {
	struct attack_common common;
	int64_t identities;
	double jitter;
};

static uint32_t sybil_identities(const void *settings)
{
	const struct attack_sybil *attack = settings;
	return (uint32_t)attack->identities;
}

static double sybil_echo(const void *settings, double value, struct random_stream *stream)
{
	const struct attack_sybil *attack = settings;
	return attack->jitter > 0 ? value * (1 + attack->jitter * random_normal(stream)) : value;
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_sybil),
	{.name = "identities",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_sybil, identities),
		.min = 1,
		.max = IDENTITIES_MAX,
		.fallback = "5",
		.unit = "",
		.help = "names under which each attacker speaks, its own included"},
	{.name = "jitter",
		.kind = PARAM_REAL,
		.offset = offsetof(struct attack_sybil, jitter),
		.min = 0,
		.max = 1,
		.fallback = "0",
		.unit = "",
		.help =
			"the others' values differ by this share of it (standard deviation), so as not to be "
			"alike"},
	PARAM_END,
};

const struct attack attack_sybil = {
	.plugin = {.name = "sybil",
		.summary = "each attacker speaks under many identities, where the workload takes anyone's",
		.params = params,
		.when = "workload.identities = open",
		.settings_size = sizeof(struct attack_sybil),
		.finish = attack_finish},
	.knows =
		"its own prediction; can make up identities, which an application of validators alone "
		"(identities: validators, the default) refuses. Takes what all other attacks have made",
	.identities = sybil_identities,
	.echo = sybil_echo,
};
