#include "kv/kv.h"

#include "client_params.h"

#include <stdio.h>

#define RESULT_ABORTED (UINT64_C(1) << 63)
#define VERSION_BITS 31
#define VERSION_MASK ((UINT32_C(1) << VERSION_BITS) - 1)

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

/* The store. */

struct shared {
	const struct kv_settings *settings;
	uint32_t n_keys;
};

struct store {
	const struct shared *shared;
	struct kv_entry *entries; /* by key */
	uint64_t digest;
};

struct before {
	struct kv_entry entry;
};

static void start(const void *settings, void *shared, const struct app_start *given)
{
	struct shared *own = shared;
	own->settings = settings;
	own->n_keys = kv_n_keys(settings);
	(void)given;
}

static void begin(void *shared, void *replica, struct arena *arena)
{
	struct store *store = replica;
	store->shared = shared;
	store->entries = arena_array(arena, struct kv_entry, store->shared->n_keys);
	for (uint32_t k = 0; k < store->shared->n_keys; k++) {
		store->entries[k].value = TRANSACTION_NONE;
	}
}

static uint64_t result_of(struct kv_entry entry, bool aborted)
{
	return (aborted ? RESULT_ABORTED : 0) | (uint64_t)entry.version << 32 | entry.value;
}

bool kv_result(uint64_t result, struct kv_entry *entry)
{
	*entry = (struct kv_entry){(uint32_t)(result >> 32) & VERSION_MASK, (uint32_t)result};
	return (result & RESULT_ABORTED) != 0;
}

/* The digest of the store is the sum of its entries', so that it follows each that changes. */
static void change(struct store *store, uint64_t key, struct kv_entry entry)
{
	struct kv_entry *at = &store->entries[key];
	store->digest += app_digest(key, result_of(entry, false)) - app_digest(key, result_of(*at, false));
	*at = entry;
}

static void execute(void *replica, const struct command *command, struct log_place place, struct effect *effect,
	void *undo)
{
	struct store *store = replica;
	struct kv_entry entry = store->entries[command->subject];
	bool put = command->kind == KV_PUT;
	bool aborted = put && store->shared->settings->concurrency == KV_CONCURRENCY_OPTIMISTIC &&
		entry.version != (uint64_t)command->argument.integer[0];
	(void)place;
	if (undo != NULL) {
		((struct before *)undo)->entry = entry;
	}
	if (put && !aborted) {
		entry = (struct kv_entry){(entry.version + 1) & VERSION_MASK, command->number};
		change(store, command->subject, entry);
	}
	effect->result = result_of(entry, aborted);
	effect->reject = aborted ? KV_ABORTED : KV_COUNTED;
}

static void undo_one(void *replica, const struct command *command, const void *undo)
{
	change(replica, command->subject, ((const struct before *)undo)->entry);
}

static void read(const void *replica, const struct command *command, struct effect *effect)
{
	const struct store *store = replica;
	effect->result = result_of(store->entries[command->subject], false);
}

static uint64_t digest(const void *replica)
{
	return ((const struct store *)replica)->digest;
}

static uint64_t key(const void *shared, const struct command *command)
{
	(void)shared;
	return command->subject;
}

/* A put carries the payload; a get's answer does. */
static uint32_t reply_bytes(const void *settings, const struct command *command)
{
	return command->kind == KV_GET ? (uint32_t)((const struct workload_common *)settings)->size_bytes : 0;
}

/* A version later; a read has found what it can't have written itself. */
static uint64_t misinform(const void *settings, const struct command *command, uint64_t result)
{
	struct kv_entry entry;
	bool aborted = kv_result(result, &entry);
	(void)settings;
	return result_of((struct kv_entry){(entry.version + 1) & VERSION_MASK,
						 command->kind == KV_PUT ? entry.value : command->number},
		aborted);
}

static void tell(const void *settings, const struct command *command, char *out, size_t size)
{
	(void)settings;
	snprintf(out, size, "%s key %llu", command->kind == KV_PUT ? "put" : "get",
		(unsigned long long)command->subject);
}

/* A result has three fields: a version, who wrote the value, and whether it aborted. */
static void tell_result(
	const void *settings, const struct command *command, uint64_t result, char *out, size_t size)
{
	struct kv_entry entry;
	bool aborted = kv_result(result, &entry);
	char value[40] = "none yet";
	(void)settings, (void)command;
	if (entry.value != TRANSACTION_NONE) {
		snprintf(value, sizeof(value), "%u", entry.value);
	}
	snprintf(out, size, "%sversion %u, value %s", aborted ? "aborted: " : "", entry.version, value);
}

static const struct command_kind commands[] = {
	[KV_GET] = {"get", COMMAND_READS},
	[KV_PUT] = {"put", 0},
	{NULL, 0},
};
static const char *const rejects[] = {[KV_COUNTED] = "", [KV_ABORTED] = "aborted", NULL};

const struct app app_kv = {
	.plugin = {.name = "kv",
		.summary = "a key-value store: gets and puts from clients of their own",
		.params = params,
		.settings_size = sizeof(struct kv_settings),
		.finish = finish},
	.value_unit = "",
	.commands = commands,
	.rejects = rejects,
	.has_clients = true,
	.shared_size = sizeof(struct shared),
	.replica_size = sizeof(struct store),
	.undo_size = sizeof(struct before),
	.start = start,
	.begin = begin,
	.execute = execute,
	.undo = undo_one,
	.read = read,
	.digest = digest,
	.key = key,
	.reply_bytes = reply_bytes,
	.misinform = misinform,
	.outside_size = KV_OUTSIDE_SIZE,
	.open = kv_open,
	.arrives = kv_arrives,
	.executed = kv_executed,
	.answered = kv_answered,
	.kpis = kv_kpis,
	.command_columns = kv_columns,
	.command_cells = kv_cells,
	.judge = kv_judge,
	.tell = tell,
	.tell_result = tell_result,
};
