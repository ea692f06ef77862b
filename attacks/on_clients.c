/* Attacks on clients: `false-reply`, `censor`. */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>

struct attack_false_reply {
	struct attack_common common;
};

static void false_reply_tamper(const void *settings, struct attack_copy *copy)
{
	if (copy->role == ROLE_CLIENT) {
		copy->hands->misinform(copy);
	}
}

static bool false_reply_suits(const void *settings, const struct app *app, const char **param,
	char error[256])
{
	*param = NULL;
	snprintf(error, 256,
		"needs clients who are told results, as in requests and kv: here each gateway reads its own validator's state");
	return false;
}

static const struct param false_reply_params[] = {
	ATTACK_WHO_PARAMS(struct attack_false_reply),
	PARAM_END,
};

const struct attack attack_false_reply = {
	.plugin = {.name = "false-reply",
		.summary = "answers clients with a result that never was, the same as its colluders' (requests, kv)",
		.params = false_reply_params,
		.settings_size = sizeof(struct attack_false_reply),
		.finish = attack_nodes_finish},
	.knows = "the true result, of which the false one is a function, so that all liars agree; it answers when it has "
			 "executed the request, and is an honest replica otherwise",
	.tamper = false_reply_tamper,
	.suits = false_reply_suits,
};

struct attack_censor {
	struct attack_common common;
	struct node_list of;
	int64_t item; /* -1: any */
};

static bool censor_ignores(const void *settings, const struct attack_request *request)
{
	const struct attack_censor *attack = settings;
	bool ignored = attack->item >= 0 && request->item == (uint64_t)attack->item;
	for (size_t i = 0; i < attack->of.n; i++) {
		ignored = ignored || attack->of.nodes[i] == request->from;
	}
	return ignored;
}

static bool censor_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct attack_censor *attack = settings;
	*param = "of";
	if (attack->of.leader) {
		snprintf(error, 256, "must be clients, such as [client 0], or, where gateways are the clients, validators");
		return false;
	}
	if (attack->of.n == 0 && attack->item < 0) {
		snprintf(error, 256, "must be given, or else `item`: whose transactions, or on what, are left out");
		return false;
	}
	for (size_t i = 0; i < attack->of.n; i++) {
		uint32_t node = attack->of.nodes[i];
		if (node < NODE_CLIENT && shape->n_clients > 0) {
			snprintf(error, 256, "names validator %" PRIu32 ", who asks for nothing here: name clients, such as [client 0]",
				node);
			return false;
		}
		if (node >= NODE_CLIENT && shape->n_clients == 0) {
			snprintf(error, 256, "names client %" PRIu32 ", and here gateways are the clients: name their validators",
				node - NODE_CLIENT);
			return false;
		}
		if (node >= NODE_CLIENT && node - NODE_CLIENT >= shape->n_clients) {
			snprintf(error, 256, "names client %" PRIu32 ", and the last is client %" PRIu32, node - NODE_CLIENT,
				shape->n_clients - 1);
			return false;
		}
	}
	return attack_nodes_finish(settings, shape, param, error);
}

static const struct param censor_params[] = {
	ATTACK_WHO_PARAMS(struct attack_censor),
	{.name = "of",
		.kind = PARAM_NODES,
		.flags = PARAM_CLIENTS,
		.offset = offsetof(struct attack_censor, of),
		.unit = "",
		.help = "whose transactions it leaves out: clients, such as [client 0], or, where gateways are the clients, "
				"their validators"},
	{.name = "item",
		.kind = PARAM_INT,
		.flags = PARAM_NONE,
		.offset = offsetof(struct attack_censor, item),
		.min = 0,
		.max = 1e15,
		.fallback = "none",
		.unit = "",
		.help = "and those on this item, whoever's they are; none: on none as such. One of `of` and `item` is required"},
	PARAM_END,
};

const struct attack attack_censor = {
	.plugin = {.name = "censor",
		.summary = "leaves out some clients' transactions, or those on an item: it takes none of them in",
		.params = censor_params,
		.settings_size = sizeof(struct attack_censor),
		.finish = censor_finish},
	.knows = "who asks, and on what. It neither proposes nor relays what it censors, and does not wait for it; what "
			 "others propose it votes for as it should",
	.ignores = censor_ignores,
};
