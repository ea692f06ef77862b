/* `kv`: a key-value store that clients of their own read and write. What the replicas do with it is in
 * lab/kv.c: here is what a scenario says, and which operation a client asks for. */
#ifndef WORKLOADS_KV_H
#define WORKLOADS_KV_H

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

extern const struct app app_kv;

#endif
