/* The store of `kv`, at the replicas and as its clients know it. */
#ifndef LAB_KV_H
#define LAB_KV_H

#include "transactions.h"

struct undo; /* replicas.h */

/* What one client asks of the store, by transaction. */
struct kv_operation {
	uint32_t key;
	uint32_t expected; /* optimistic: the version that its client knows */
	bool put, aborted;
	bool unordered;    /* goes as a MESSAGE_READ */
	uint64_t invoked, answered; /* moments in the order of the clients' events; 0: not yet */
	sim_time answered_at;
	uint64_t result;
	transaction_id retry; /* of an aborted one; 0: none, since the first retries none */
};

#define KV_VERSION_BITS 31

/* An entry of the store, and what an operation comes to. A version counts the puts of a key (modulo
 * 2^31); a value is the transaction that wrote it, TRANSACTION_NONE at first. */
struct kv_entry {
	uint32_t version, value;
};

/* What one replica has executed of the store, and the answers. */
struct kv_replica {
	struct kv_entry *entries; /* by key */
	struct kv_reply {
		uint64_t result;
		uint64_t instance; /* 0: not executed */
	} *replies; /* the reply cache, by transaction */
	size_t replies_capacity;
};

/* A store that holds nothing yet. */
struct kv_replica *kv_store_create(struct lab *lab);
void kv_start(struct lab *lab);
void kv_free(struct lab *lab);
/* The operation of the transaction that is submitted next: what item `item` of `client` asks for. */
void kv_prepare(struct lab *lab, uint32_t client, uint32_t item);
/* A result that never was: what liars tell instead of the true one. */
uint64_t kv_false_result(const struct lab *lab, transaction_id transaction, uint64_t result);
/* The key's version and value that a result tells of. Returns whether it aborted. */
bool kv_result(uint64_t result, struct kv_entry *entry);
struct kv_operation *kv_operation_of(const struct lab *lab, transaction_id transaction);
/* The replica executes it: changes its store, keeps the result and gives it. */
uint64_t kv_execute(struct lab *lab, uint32_t replica, transaction_id transaction, uint64_t instance);
/* What a get comes to at the replica now. */
uint64_t kv_read(const struct lab *lab, uint32_t replica, transaction_id transaction);
struct kv_reply kv_reply_of(const struct lab *lab, uint32_t replica, transaction_id transaction);
void kv_undo(struct lab *lab, uint32_t replica, const struct undo *undo);
/* The instance in which an honest replica came to this result, or else, as a liar says, a liar; 0: none did.
 * O(n validators). */
uint64_t kv_instance_of(const struct lab *lab, transaction_id transaction, uint64_t result);
/* The client has its answer. True: it is what was asked for; false: it was aborted, and `expected` of the
 * next try is known. */
bool kv_answered(struct lab *lab, transaction_id transaction, uint64_t result);
/* What its client was told of the key. */
struct kv_entry kv_told(const struct kv_operation *operation);
void kv_prepare_again(struct lab *lab, transaction_id aborted);
void kv_check_linear(struct lab *lab);
void kv_counts(const struct lab *lab, uint64_t *n_aborts, uint64_t *n_retries);

#endif
