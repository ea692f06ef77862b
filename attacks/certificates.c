/* Attacks with what was said before, or by others: `forge-certificate`, `replay`. */
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
	if (copy->word != WORD_CERTIFICATE) {
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
