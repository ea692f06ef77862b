/* What the tests of Raft share. */
#ifndef TESTS_PROTOCOLS_RAFT_H
#define TESTS_PROTOCOLS_RAFT_H

#include "cluster.h"

#include "raft/raft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS SIM_MS

static inline struct cluster *create(const char *protocol, uint32_t n)
{
	return cluster_create(&(struct cluster_options){
		.protocol = protocol, .latency = "constant value=10ms", .n = n, .seed = 1});
}

static inline struct raft *raft(struct cluster *cluster, uint32_t node)
{
	return raft_of(cluster_node(cluster, node));
}

/* What a scenario's step would do. */
static inline bool step(struct cluster *cluster, uint32_t node, enum protocol_step which,
	const struct protocol_step_argument *argument)
{
	return cluster->protocol->step(cluster_node(cluster, node), which, argument);
}

static inline bool step_campaign(struct cluster *cluster, uint32_t node)
{
	return step(cluster, node, STEP_CAMPAIGN, &(struct protocol_step_argument){0});
}

static inline bool step_transfer(struct cluster *cluster, uint32_t node, uint32_t to)
{
	return step(cluster, node, STEP_TRANSFER, &(struct protocol_step_argument){.to = to});
}

/* Members and learners as sets of NODE(i). */
static inline bool step_change(
	struct cluster *cluster, uint32_t node, uint64_t members, uint64_t learners, bool joint)
{
	uint32_t lists[2][64];
	uint32_t n[2] = {0, 0};
	for (uint32_t i = 0; i < cluster->n; i++) {
		if ((members & NODE(i)) != 0) {
			lists[0][n[0]++] = i;
		} else if ((learners & NODE(i)) != 0) {
			lists[1][n[1]++] = i;
		}
	}
	struct protocol_step_argument argument = {.joint = joint,
		.members = {.n = n[0], .nodes = lists[0], .given = true},
		.learners = {.n = n[1], .nodes = lists[1], .given = true}};
	return step(cluster, node, STEP_CHANGE_MEMBERSHIP, &argument);
}

/* Hands `to` a message of the test's making, now. */
static inline void tell_now(struct cluster *cluster, uint32_t to, struct message message)
{
	message.class = CLASS_CONTROL;
	cluster_inject(cluster, cluster->world.now, to, &message);
	cluster_run(cluster, cluster->world.now);
}

/* Terms of a log's entries, as text: "1 1 3". */
static inline const char *terms(struct cluster *cluster, uint32_t node, char text[64])
{
	int n = 0;
	text[0] = 0;
	for (uint64_t i = 1; i <= raft(cluster, node)->last && n < 56; i++) {
		n += snprintf(text + n, 64 - (size_t)n, i == 1 ? "%llu" : " %llu",
			(unsigned long long)raft(cluster, node)->log[i - 1].term);
	}
	return text;
}

#define assert_terms(cluster, node, wanted)                       \
	do {                                                          \
		char text_[64];                                           \
		assert_string_equal(terms(cluster, node, text_), wanted); \
	} while (0)

/* Tells `to` what a leader of a term would. */
static inline void append(struct cluster *cluster, uint32_t from, uint32_t to, uint64_t term, uint64_t prev,
	uint64_t prev_term, uint64_t commit, uint32_t n, const uint64_t entry_terms[])
{
	struct raft_entries *body = cluster_alloc(cluster, sizeof(*body) + n * sizeof(body->entries[0]));
	body->n = n;
	for (uint32_t i = 0; i < n; i++) {
		transaction_id transaction = (transaction_id)(100 * entry_terms[i] + prev + 1 + i);
		body->entries[i].term = entry_terms[i];
		body->entries[i].batch = cluster_batch(cluster, &transaction, 1);
	}
	struct message message = {
		.kind = RAFT_APPEND,
		.class = CLASS_CONTROL,
		.flags = RAFT_FLAG_PROBE,
		.from = from,
		.view = term,
		.instance = prev,
		.digest = prev_term,
		.extra = commit,
		.body = n > 0 ? body : NULL,
	};
	cluster_inject(cluster, cluster->world.now, to, &message);
	cluster_run(cluster, cluster->world.now);
}

#endif
