/* What the tests of PBFT share. */
#ifndef TESTS_PROTOCOLS_PBFT_H
#define TESTS_PROTOCOLS_PBFT_H

#include "cluster.h"

#include "pbft/pbft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ms(x) ((sim_time)((x) * (double)SIM_MS + .5))
#define seconds(x) ms((x) * 1000.)

/* n replicas 10 ms apart from each other. */
static inline struct cluster *pbft_cluster(uint32_t n, const char *settings)
{
	return cluster_create(&(struct cluster_options){.protocol = settings, .n = n});
}

static inline struct pbft *pbft_at(struct cluster *cluster, uint32_t node)
{
	return pbft_of(cluster_node(cluster, node));
}

/* The slot of an instance at a node, as it is. */
static inline const struct pbft_slot *pbft_slot_at(
	struct cluster *cluster, uint32_t node, uint64_t instance)
{
	const struct pbft_settings *settings = pbft_settings_of(cluster_node(cluster, node));
	return &pbft_at(cluster, node)->slots[instance % (uint64_t)settings->watermark_window];
}

/* Makes a view change of a test's making one that its sender could send: a quorum has prepared what P says, and
 * has taken the checkpoint, and the sender has signed it. (`proved` false: only the last.) */
static inline void pbft_vouch(struct cluster *cluster, struct pbft_view_change *body, bool proved)
{
	struct node *node = cluster_node(cluster, body->from < cluster->n ? body->from : 0);
	uint64_t all[CLUSTER_NODES_MAX / 64] = {NODES_ALL};
	for (uint32_t i = 0; i < body->n_prepared && proved; i++) {
		struct pbft_prepared *entry = &body->prepared[i];
		entry->proof = pbft_prove(node,
			pbft_statement_prepare(entry->view, entry->instance, entry->batch->digest), all,
			pbft_primary(node, entry->view), pbft_of(node)->quorum);
	}
	if (body->stable > 0 && proved) {
		body->stable_proof = pbft_prove(node,
			pbft_statement_checkpoint(body->stable, body->stable_digest), all, NODE_NONE,
			pbft_of(node)->quorum);
	}
	pbft_sign_view_change(node, body);
}

#define EVERY_NODE(i, cluster) (uint32_t i = 0; i < (cluster)->n; i++)

/* The primary of a view, unheard. */
static inline size_t mute(struct cluster *cluster, uint32_t node, uint64_t view)
{
	return cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
			.from = NODE(node),
			.view_from = view,
			.view_until = view + 1,
			.do_drop = true});
}

static inline void vote_for_view(struct cluster *cluster, uint32_t from, uint64_t view,
	const struct pbft_prepared *prepared, uint32_t n)
{
	struct pbft_view_change *body =
		cluster_alloc(cluster, sizeof(*body) + n * sizeof(body->prepared[0]));
	*body = (struct pbft_view_change){.view = view, .from = from, .n_prepared = n};
	if (n > 0) {
		memcpy(body->prepared, prepared, n * sizeof(body->prepared[0]));
	}
	pbft_vouch(cluster, body, true);
	struct message message = {.kind = PBFT_VIEW_CHANGE, .from = from, .view = view, .body = body};
	for EVERY_NODE(to, cluster) {
		if (to != from) {
			cluster_inject(cluster, 0, to, &message);
		}
	}
}

/* One transaction an instance, from time `from_ns`, `step_ns` apart, to node 0. */
static inline void submit_many(struct cluster *cluster, sim_time from_ns, sim_time step_ns,
	transaction_id first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cluster_submit(cluster, from_ns + step_ns * i, 0, first + i);
	}
}

/* A window that is soon left behind. */
#define LAGGING "pbft batch=1 checkpoint_interval=5 watermark_window=10 view_timeout=10s"

#endif
