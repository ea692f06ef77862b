/* Attacks that claim more than there is: `false-ack`, `inflate-term`. For protocols that take each other's
 * numbers at face value. */
#include "common.h"

struct attack_false_ack {
	struct attack_common common;
	int64_t ahead;
};

static void false_ack_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role == ROLE_VOTE) {
		copy->hands->acknowledge(copy, (uint64_t)((const struct attack_false_ack *)settings)->ahead);
	}
}

static unsigned false_ack_needs(const void *settings)
{
	return NEEDS_ACKNOWLEDGEMENTS;
}

static const struct param false_ack_params[] = {
	ATTACK_WHO_PARAMS(struct attack_false_ack),
	{.name = "ahead",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_false_ack, ahead),
		.min = 1,
		.max = 1e15,
		.fallback = "1000",
		.unit = "entries",
		.help = "how many entries more than it holds it says that it holds"},
	PARAM_END,
};

const struct attack attack_false_ack = {
	.plugin = {.name = "false-ack",
		.summary = "acknowledges entries that it does not hold, and those that it has refused",
		.params = false_ack_params,
		.settings_size = sizeof(struct attack_false_ack),
		.finish = attack_nodes_finish},
	.knows = "its own log. A leader counts it for all that the leader's log holds, and may commit what hardly anyone "
			 "has; that breaks something when the leader is lost then",
	.tamper = false_ack_tamper,
	.needs = false_ack_needs,
};

struct attack_inflate {
	struct attack_common common;
	int64_t by;
};

static void inflate_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role != ROLE_CLIENT && copy->to < copy->node->n_validators) {
		copy->hands->inflate(copy, (uint64_t)((const struct attack_inflate *)settings)->by);
	}
}

static unsigned inflate_needs(const void *settings)
{
	return NEEDS_TERMS;
}

static const struct param inflate_params[] = {
	ATTACK_WHO_PARAMS(struct attack_inflate),
	{.name = "by",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_inflate, by),
		.min = 1,
		.max = 4294967295.0,
		.fallback = "1",
		.unit = "terms",
		.help = "by how much the term in each of its messages is higher than its own"},
	PARAM_END,
};

const struct attack attack_inflate_term = {
	.plugin = {.name = "inflate-term",
		.summary = "names a higher term than its own in all that it sends to validators",
		.params = inflate_params,
		.settings_size = sizeof(struct attack_inflate),
		.finish = attack_nodes_finish},
	.knows = "its own term. Whoever hears a higher one takes it over, and a leader gives up the lead",
	.tamper = inflate_tamper,
	.needs = inflate_needs,
};
