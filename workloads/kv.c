/* `kv`: gets and puts of the keys of a store. */
#include "workloads/kv.h"

#include "client_params.h"

#include <stdio.h>

/* Entries of all replicas' stores together: 2 GiB. */
#define ENTRIES_MAX (INT64_C(1) << 28)

uint32_t kv_n_keys(const struct kv_settings *settings)
{
	return (uint32_t)(1 + settings->common.clients * settings->keys);
}

struct kv_choice kv_choose(
	const struct kv_settings *settings, struct random_stream *stream, uint32_t client)
{
	/* All three are drawn whatever they come to: more conflicts leave the gets where they are. */
	bool get = random_unit(stream) < settings->reads;
	bool shared = random_unit(stream) < settings->common.conflict;
	uint64_t own = random_below(stream, (uint64_t)settings->keys);
	uint32_t first = (uint32_t)(1 + client * (uint64_t)settings->keys);
	return (struct kv_choice){shared ? KV_KEY_SHARED : first + (uint32_t)own, !get};
}

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct kv_settings *kv = settings;
	if (kv->common.clients * kv->keys >= ENTRIES_MAX / (int64_t)shape->n_validators) {
		*param = "keys";
		snprintf(error, 256,
			"%lld clients with %lld keys each at %u validators are more than 2^28 entries: take fewer",
			(long long)kv->common.clients, (long long)kv->keys, shape->n_validators);
		return false;
	}
	return true;
}

static const struct param params[] = {
	{.name = "keys",
		.kind = PARAM_INT,
		.offset = offsetof(struct kv_settings, keys),
		.min = 1,
		.max = 1e6,
		.fallback = "16",
		.unit = "",
		.when = "conflict != 1",
		.help = "keys that each client has for itself, beside the shared one"},
	{.name = "reads",
		.kind = PARAM_REAL,
		.offset = offsetof(struct kv_settings, reads),
		.min = 0,
		.max = 1,
		.fallback = "0.5",
		.unit = "",
		.help = "share of gets; the others are puts"},
	{.name = "concurrency",
		.kind = PARAM_CHOICE,
		.offset = offsetof(struct kv_settings, concurrency),
		.choices = "off|optimistic",
		.fallback = "off",
		.unit = "",
		.help = "optimistic: a put carries the version that its client knows, aborts where the store has "
				"another, and is submitted again"},
	CLIENT_PARAMS(NULL, "share of the operations that touch one key that all clients share; the others touch "
				  "keys that only their client uses, where its own `outstanding` puts may still meet"),
	PARAM_END,
};

const struct app app_kv = {
	.plugin = {.name = "kv",
		.summary = "a key-value store: gets and puts from clients of their own",
		.params = params,
		.settings_size = sizeof(struct kv_settings),
		.finish = finish},
	.has_clients = true,
	.value_unit = "",
};
