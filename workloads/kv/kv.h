/* `kv`: a key-value store that clients of their own read and write.
 *
 *   kv.c            what a scenario says, the store at the replicas, the plugin
 *   history.c       what clients ask for and are told, from which linearizability is judged
 *   linearizable.c  whether a history is linearizable
 *
 * A result is one number: whether the command was aborted, and the key's version and value after it. Clients know
 * the state by results alone. */
#ifndef WORKLOADS_KV_H
#define WORKLOADS_KV_H

#include "results/kpi.h"
#include "workloads/app.h"
#include "workloads/workload.h"

enum kv_concurrency {
	KV_CONCURRENCY_OFF,        /* a put takes effect whatever came before it */
	KV_CONCURRENCY_OPTIMISTIC, /* it carries the version that its client knows, and aborts where that is old */
};

struct kv_settings {
	struct workload_common common;
	int64_t keys; /* of each client's own */
	double reads;
	int concurrency; /* enum kv_concurrency */
};

/* Commands: the subject is the key; a put's argument.integer[0] the version that its client knows. */
enum kv_command { KV_GET, KV_PUT };
enum kv_reject { KV_COUNTED, KV_ABORTED };

/* The shared key is 0; client c's own are 1 + c * keys and the keys - 1 after it. */
#define KV_KEY_SHARED 0

struct kv_choice {
	uint32_t key;
	bool put;
};

/* How many keys there are, the shared one included. */
uint32_t kv_n_keys(const struct kv_settings *settings);

/* What client number `client` (from 0) asks for with the item of this stream. */
struct kv_choice kv_choose(
	const struct kv_settings *settings, struct random_stream *stream, uint32_t client);

/* An entry of the store, and what a command comes to. A version counts the puts of a key (modulo 2^31); a value is
 * the transaction that wrote it, TRANSACTION_NONE at first. */
struct kv_entry {
	uint32_t version, value;
};

/* The key's version and value that a result tells of. Returns whether it aborted. */
bool kv_result(uint64_t result, struct kv_entry *entry);

/* history.c: the outside half. */

/* What one client asks of the store, by command. */
struct kv_operation {
	uint64_t invoked, answered; /* moments in the order of the clients' events; 0: not yet */
	sim_time answered_at;
	uint64_t result;
	transaction_id retry; /* of an aborted one; 0: none, since the first retries none */
	bool aborted;
};

struct kv_clients {
	struct kv_operation **operations; /* by command, so many a chunk */
	size_t n_chunks, capacity;
	uint32_t *known; /* versions, by client: the shared key's, then those of its own */
	uint64_t moment; /* of the clients' last event */
	uint64_t n_aborts, n_retries;
};

#define KV_OUTSIDE_SIZE sizeof(struct kv_clients)

extern const struct kpi_table kv_kpis[];
extern const struct column kv_columns[];
bool kv_open(struct outside *outside, void *state, char error[256]);
void kv_arrives(struct outside *outside, void *state, uint32_t item);
void kv_executed(struct outside *outside, void *state, uint32_t node, const struct command *command,
	struct log_place place, const struct effect *effect);
bool kv_answered(struct outside *outside, void *state, const struct command *command, uint64_t result);
void kv_judge(struct outside *outside, void *state);
void kv_cells(struct outside *outside, const void *state, const struct command *command, union cell *cells);

#endif
