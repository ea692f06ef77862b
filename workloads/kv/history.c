#include "kv/kv.h"
#include "kv/linearizable.h"

#include "results/kpi.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK 4096

bool kv_open(struct outside *outside, void *state, char error[256])
{
	struct kv_clients *clients = state;
	const struct kv_settings *settings = outside_settings(outside);
	(void)error;
	clients->known = arena_array(
		outside_arena(outside), uint32_t, kv_n_keys(settings) + (uint64_t)settings->common.clients);
	return true;
}

static struct kv_operation *operation_of(const struct kv_clients *clients, transaction_id command)
{
	return &clients->operations[command / CHUNK][command % CHUNK];
}

static struct kv_operation *operation_new(
	struct outside *outside, struct kv_clients *clients, transaction_id command)
{
	if (command / CHUNK == clients->n_chunks) {
		struct arena *arena = outside_arena(outside);
		clients->operations = arena_grow(arena, clients->operations, sizeof(*clients->operations),
			clients->n_chunks, clients->n_chunks + 1, &clients->capacity);
		clients->operations[clients->n_chunks++] = arena_array(arena, struct kv_operation, CHUNK);
	}
	return operation_of(clients, command);
}

/* Which version its client knows of a key. */
static uint32_t *known_version(
	struct outside *outside, const struct kv_clients *clients, uint32_t client, uint64_t key)
{
	const struct kv_settings *settings = outside_settings(outside);
	uint64_t n_own = (uint64_t)settings->keys;
	uint64_t number = client - outside_n_validators(outside);
	uint64_t own = key == KV_KEY_SHARED ? 0 : key - number * n_own;
	assert(own <= n_own);
	return &clients->known[number * (n_own + 1) + own];
}

static transaction_id submit(struct outside *outside, struct kv_clients *clients, uint32_t item,
	uint32_t client, struct kv_choice choice)
{
	const struct kv_settings *settings = outside_settings(outside);
	const struct command command = {
		.kind = choice.put ? KV_PUT : KV_GET,
		.sender = client,
		.identity = client,
		.bytes = choice.put ? (uint32_t)settings->common.size_bytes : 0,
		.subject = choice.key,
		.argument = {.integer = {*known_version(outside, clients, client, choice.key)}},
	};
	struct kv_operation *operation =
		operation_new(outside, clients, outside_n_commands(outside));
	*operation = (struct kv_operation){.invoked = ++clients->moment};
	return outside_submit(outside, item, &command);
}

void kv_arrives(struct outside *outside, void *state, uint32_t item)
{
	uint32_t client = outside_client(outside, item);
	struct random_stream stream = random_stream_make(outside_seed(outside), RANDOM_ITEM, item);
	struct kv_choice choice =
		kv_choose(outside_settings(outside), &stream, client - outside_n_validators(outside));
	submit(outside, state, item, client, choice);
}

void kv_executed(struct outside *outside, void *state, uint32_t node, const struct command *command,
	struct log_place place, const struct effect *effect)
{
	struct kv_clients *clients = state;
	struct kv_operation *operation = operation_of(clients, command->number);
	(void)outside, (void)node, (void)place;
	if (effect->reject == KV_ABORTED && !operation->aborted) {
		operation->aborted = true;
		clients->n_aborts++;
	}
}

bool kv_answered(struct outside *outside, void *state, const struct command *command, uint64_t result)
{
	struct kv_clients *clients = state;
	struct kv_operation *operation = operation_of(clients, command->number);
	struct kv_entry entry;
	bool aborted = kv_result(result, &entry);
	operation->answered = ++clients->moment;
	operation->answered_at = outside_now(outside);
	operation->result = result;
	*known_version(outside, clients, command->sender, command->subject) = entry.version;
	if (aborted) {
		clients->n_retries++;
		operation->retry = outside_n_commands(outside);
		submit(outside, clients, outside_item_of(outside, command->number), command->sender,
			(struct kv_choice){(uint32_t)command->subject, true});
	}
	return !aborted;
}

void kv_cells(struct outside *outside, const void *state, const struct command *command, union cell *cells)
{
	const struct kv_operation *operation = operation_of(state, command->number);
	struct kv_entry told;
	bool answered = operation->answered != 0;
	kv_result(operation->result, &told);
	(void)outside;
	cells[0].integer = (int64_t)command->subject;
	cells[1].integer = command->kind == KV_PUT ? command->argument.integer[0] : -1;
	cells[2].integer = answered ? (int64_t)told.version : -1;
	cells[3].integer = answered && told.value != TRANSACTION_NONE ? (int64_t)told.value : -1;
	cells[4].integer = operation->retry == 0 ? -1 : (int64_t)operation->retry;
}

const struct column kv_columns[] = {
	{.name = "key", .type = COLUMN_INT, .unit = "", .help = "which key"},
	{.name = "expected",
		.type = COLUMN_INT,
		.unit = "",
		.help = "a put's: the version that its client knew of; -1: a get"},
	{.name = "version",
		.type = COLUMN_INT,
		.unit = "",
		.help = "the key's version that its client was told; -1: no answer"},
	{.name = "value",
		.type = COLUMN_INT,
		.unit = "",
		.help = "the put that wrote what its client was told; -1: none had"},
	{.name = "retry", .type = COLUMN_INT, .unit = "", .help = "an aborted put's next try; -1: none"},
	{0},
};

/* Linearizability. */

struct judging {
	struct outside *outside;
	const struct kv_clients *clients;
};

static void tell(void *context, const struct linear_violation *violation)
{
	const struct judging *judging = context;
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
	outside_violated(judging->outside,
		&(struct app_violation){
			.invariant = "linearizability",
			.at_ns = operation_of(judging->clients, read->id)->answered_at,
			.first = read->id,
			.second = other->id,
			.values = {read->value - 1, other->value - 1},
			.what = arena_strdup(outside_arena(judging->outside), text),
		});
}

/* Each command that its client has an answer to, and each put without: it may have had effect. An aborted put
 * is a read of what it was told instead. */
void kv_judge(struct outside *outside, void *state)
{
	const struct kv_clients *clients = state;
	transaction_id n_commands = outside_n_commands(outside);
	struct linear_operation *history = calloc((size_t)n_commands + 1, sizeof(*history));
	if (history == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	size_t n = 0;
	for (transaction_id i = 0; i < n_commands; i++) {
		const struct kv_operation *operation = operation_of(clients, i);
		const struct command *command = outside_command(outside, i);
		struct kv_entry told;
		bool answered = operation->answered != 0, put = command->kind == KV_PUT;
		bool aborted = kv_result(operation->result, &told) && answered;
		if (!put && !answered) {
			continue;
		}
		bool write = put && !aborted;
		/* Values are numbered from 1, so that TRANSACTION_NONE, the initial one, becomes 0. */
		uint32_t value = write ? i : told.value;
		history[n++] = (struct linear_operation){
			.key = command->subject,
			.value = (uint32_t)(value + 1),
			.start = operation->invoked,
			.end = answered ? operation->answered : LINEAR_PENDING,
			.id = i,
			.write = write,
		};
	}
	linear_check(history, n, tell, &(struct judging){outside, clients});
	free(history);
}

static double aborts(const struct measured *run)
{
	return (double)((const struct kv_clients *)run->application)->n_aborts;
}

static double retries(const struct measured *run)
{
	return (double)((const struct kv_clients *)run->application)->n_retries;
}

const struct kpi_table kv_kpis[] = {{
	.everywhere = true,
	.after = "fast_commits",
	.kpis = (const struct kpi[]){
		{.name = "aborts",
			.label = "aborts",
			.sort = SORT_COUNT,
			.value = aborts,
			.help = "kv, optimistic: transactions that were executed with an old version and so had no effect"},
		{.name = "retries",
			.label = "retries",
			.sort = SORT_COUNT,
			.value = retries,
			.help = "kv, optimistic: transactions that clients submitted again after an abort"},
		{0}},
	}, {0}};
