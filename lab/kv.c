/* The store of the workload `kv`: what the replicas execute, what their clients know of it, and the history
 * from which linearizability is judged.
 *
 * A result is one number, which replies carry as their digest: whether the transaction was aborted, and the
 * key's version and value after it. Clients know the state by results alone. */
#include "clients.h"
#include "kv.h"
#include "replicas.h"
#include "transactions.h"
#include "lab.h"
#include "watch.h"

#include "linearizable.h"

#include <stdlib.h>

#define RESULT_ABORTED (UINT64_C(1) << 63)
#define VERSION_MASK ((UINT32_C(1) << KV_VERSION_BITS) - 1)

struct kv {
	const struct kv_settings *settings;
	struct kv_operation *operations; /* by transaction */
	size_t capacity;
	uint32_t *known; /* versions, by client: the shared key's, then those of its own */
	uint64_t moment; /* of the clients' last event */
	uint64_t n_aborts, n_retries;
};

struct kv_replica *kv_store_create(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	struct kv_replica *store = arena_new(arena, struct kv_replica);
	uint64_t n_keys = kv_n_keys(lab->kv->settings);
	store->entries = arena_array(arena, struct kv_entry, n_keys);
	for (uint64_t k = 0; k < n_keys; k++) {
		store->entries[k].value = TRANSACTION_NONE;
	}
	return store;
}

void kv_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	struct kv *kv = arena_new(arena, struct kv);
	kv->settings = lab->scenario->workload.settings;
	uint64_t n_keys = kv_n_keys(kv->settings);
	kv->known = arena_array(arena, uint32_t, n_keys + (uint64_t)kv->settings->common.clients);
	lab->kv = kv;
}

void kv_free(struct lab *lab)
{
	if (lab->kv == NULL) {
		return;
	}
	free(lab->kv->operations);
}

struct kv_operation *kv_operation_of(const struct lab *lab, transaction_id transaction)
{
	return &lab->kv->operations[transaction];
}

/* Which version its client knows of a key. */
static uint32_t *known_version(const struct lab *lab, uint32_t client, uint32_t key)
{
	const struct kv *kv = lab->kv;
	uint64_t n_own = (uint64_t)kv->settings->keys;
	uint64_t number = client - lab->world.n_validators;
	uint64_t own = key == KV_KEY_SHARED ? 0 : key - number * n_own;
	assert(own <= n_own);
	return &kv->known[number * (n_own + 1) + own];
}

static struct kv_operation *next_operation(struct lab *lab)
{
	struct kv *kv = lab->kv;
	kv->operations = lab_grow(
		kv->operations, sizeof(*kv->operations), lab->transactions->n + 1, &kv->capacity);
	return &kv->operations[lab->transactions->n];
}

void kv_prepare(struct lab *lab, uint32_t client, uint32_t item)
{
	struct random_stream stream = random_stream_make(lab->seed, RANDOM_ITEM, item);
	struct kv_choice choice =
		kv_choose(lab->kv->settings, &stream, client - lab->world.n_validators);
	*next_operation(lab) = (struct kv_operation){
		.key = choice.key,
		.put = choice.put,
		.expected = *known_version(lab, client, choice.key),
		.unordered = !choice.put && lab->clients->reads != READS_ORDERED,
		.invoked = ++lab->kv->moment,
	};
}

void kv_prepare_again(struct lab *lab, transaction_id aborted)
{
	struct kv_operation *operation = next_operation(lab); /* which may move them */
	struct kv_operation *before = kv_operation_of(lab, aborted);
	before->retry = (transaction_id)lab->transactions->n;
	*operation = (struct kv_operation){
		.key = before->key,
		.put = true,
		.expected = *known_version(lab, transaction_of(lab, aborted)->client, before->key),
		.invoked = ++lab->kv->moment,
	};
	lab->kv->n_retries++;
}

static uint64_t result_of(struct kv_entry entry, bool aborted)
{
	return (aborted ? RESULT_ABORTED : 0) | (uint64_t)entry.version << 32 | entry.value;
}

static struct kv_entry result_entry(uint64_t result)
{
	return (struct kv_entry){(uint32_t)(result >> 32) & VERSION_MASK, (uint32_t)result};
}

struct kv_entry kv_told(const struct kv_operation *operation)
{
	return result_entry(operation->result);
}

bool kv_result(uint64_t result, struct kv_entry *entry)
{
	*entry = result_entry(result);
	return (result & RESULT_ABORTED) != 0;
}

/* A version later; a read has found what it can't have written itself. */
uint64_t kv_false_result(const struct lab *lab, transaction_id transaction, uint64_t result)
{
	struct kv_entry entry = result_entry(result);
	bool put = kv_operation_of(lab, transaction)->put;
	return result_of((struct kv_entry){(entry.version + 1) & VERSION_MASK, put ? entry.value : transaction},
		(result & RESULT_ABORTED) != 0);
}

uint64_t kv_read(const struct lab *lab, uint32_t replica, transaction_id transaction)
{
	const struct kv_operation *operation = kv_operation_of(lab, transaction);
	return result_of(replica_of(lab, replica)->store->entries[operation->key], false);
}

uint64_t kv_execute(struct lab *lab, uint32_t replica, transaction_id transaction, uint64_t instance)
{
	struct kv_operation *operation = kv_operation_of(lab, transaction);
	struct kv_replica *store = replica_of(lab, replica)->store;
	struct kv_entry *entry = &store->entries[operation->key];
	bool aborted = operation->put && lab->kv->settings->concurrency == KV_CONCURRENCY_OPTIMISTIC &&
		entry->version != operation->expected;
	if (aborted && !operation->aborted) {
		operation->aborted = true;
		lab->kv->n_aborts++;
	}
	if (operation->put && !aborted) {
		*entry = (struct kv_entry){(entry->version + 1) & VERSION_MASK, transaction};
	}
	store->replies = lab_grow(
		store->replies, sizeof(*store->replies), (size_t)transaction + 1, &store->replies_capacity);
	uint64_t result = result_of(*entry, aborted);
	store->replies[transaction] = (struct kv_reply){result, instance};
	return result;
}

struct kv_reply kv_reply_of(const struct lab *lab, uint32_t replica, transaction_id transaction)
{
	const struct kv_replica *store = replica_of(lab, replica)->store;
	return transaction < store->replies_capacity ? store->replies[transaction]
												 : (struct kv_reply){0};
}

void kv_undo(struct lab *lab, uint32_t replica, const struct undo *undo)
{
	struct kv_replica *store = replica_of(lab, replica)->store;
	store->entries[undo->key] = undo->before;
	store->replies[undo->transaction] = (struct kv_reply){0};
}

uint64_t kv_instance_of(const struct lab *lab, transaction_id transaction, uint64_t result)
{
	uint64_t claimed = 0;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		struct kv_reply reply = kv_reply_of(lab, i, transaction);
		if (reply.instance != 0 && reply.result == result) {
			if (!lab->world.nodes[i].byzantine) {
				return reply.instance;
			}
			claimed = claimed == 0 ? reply.instance : claimed;
		}
	}
	/* Raft's leader answers before the others know: where it is a liar, what it says of the place is taken
	 * for the time being, and looked at in the end. */
	return claimed;
}

bool kv_answered(struct lab *lab, transaction_id transaction, uint64_t result)
{
	struct kv *kv = lab->kv;
	struct kv_operation *operation = kv_operation_of(lab, transaction);
	operation->answered = ++kv->moment;
	operation->answered_at = lab->world.now;
	operation->result = result;
	*known_version(lab, transaction_of(lab, transaction)->client, operation->key) =
		result_entry(result).version;
	digest_add(&lab->world.digest, UINT64_C(0xbb) << 56 | transaction, result);
	return (result & RESULT_ABORTED) == 0;
}

void kv_counts(const struct lab *lab, uint64_t *n_aborts, uint64_t *n_retries)
{
	*n_aborts = lab->kv == NULL ? 0 : lab->kv->n_aborts;
	*n_retries = lab->kv == NULL ? 0 : lab->kv->n_retries;
}

static void tell(void *context, const struct linear_violation *violation)
{
	struct lab *lab = context;
	const struct linear_operation *read = &violation->read, *other = &violation->other;
	char text[200];
	char value[40];
	snprintf(value, sizeof(value), read->value == LINEAR_INITIAL ? "nothing" : "the value of %llu",
		(unsigned long long)read->value - 1);
	const char *what = violation->fault == LINEAR_UNWRITTEN ? "which nothing has written"
		: violation->fault == LINEAR_EARLY                  ? "before that was asked for"
															: "which had been overwritten";
	int n = snprintf(text, sizeof(text), "key %llu: transaction %u read %s, %s",
		(unsigned long long)read->key, read->id, value, what);
	if (violation->fault == LINEAR_STALE) {
		snprintf(text + n, sizeof(text) - (size_t)n, ": transaction %u had %s %llu", other->id,
			other->write ? "written" : "read", (unsigned long long)other->value - 1);
	}
	watch_violated(lab, "linearizability", transaction_of(lab, read->id)->client,
		transaction_of(lab, other->id)->client, read->id, read->value - 1, other->value - 1,
		arena_strdup(&lab->world.arena, text));
	struct violation *told = lab->watch->n_violations <= VIOLATIONS_MAX
		? &lab->watch->violations[lab->watch->n_violations - 1]
		: NULL;
	if (told != NULL) {
		told->at = kv_operation_of(lab, read->id)->answered_at;
	}
}

/* Each transaction that its client has an answer to, and each put without: it may have had effect. An
 * aborted put is a read of what it was told instead. */
void kv_check_linear(struct lab *lab)
{
	if (lab->kv == NULL || !lab->scenario->checkers || !lab->protocol->ordered) {
		return;
	}
	struct linear_operation *history = calloc(lab->transactions->n + 1, sizeof(*history));
	if (history == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	size_t n = 0;
	for (size_t i = 0; i < lab->transactions->n; i++) {
		const struct kv_operation *operation = kv_operation_of(lab, (transaction_id)i);
		bool answered = operation->answered != 0;
		bool aborted = answered && (operation->result & RESULT_ABORTED) != 0;
		if (!operation->put && !answered) {
			continue;
		}
		bool write = operation->put && !aborted;
		/* Values are numbered from 1, so that TRANSACTION_NONE, the initial one, becomes 0. */
		uint32_t value = write ? (uint32_t)i : result_entry(operation->result).value;
		history[n++] = (struct linear_operation){
			.key = operation->key,
			.value = (uint32_t)(value + 1),
			.start = operation->invoked,
			.end = answered ? operation->answered : LINEAR_PENDING,
			.id = (uint32_t)i,
			.write = write,
		};
	}
	linear_check(history, n, tell, lab);
	free(history);
}
