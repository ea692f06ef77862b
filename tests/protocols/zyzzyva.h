/* The schedule that breaks Zyzzyva's safety (Abraham, Gueta, Malkhi, Alvisi, Kotla, Martin: Revisiting Fast
 * Practical Byzantine Fault Tolerance, arXiv 1712.01367, section on Zyzzyva), on our fast path: four
 * replicas, two view changes.
 *
 * View 0, whose primary n0 lies: n3 alone comes to hold a certificate for [7] at 1 (Zyzzyva's commit
 * certificate). View 1 begins without n3's word, and n0 hides its own: n1 proposes [8] at 1, all four vote
 * for it, and n1, which alone sees all the votes, commits and executes it, then falls silent. View 2 begins
 * with the words of n0, which hides everything again, n2 (voted for [8] in view 1) and n3 (the same, and a
 * certificate for [7] of view 0). Who lets the certificate win, since it is one, undoes what n1 has told
 * its client; the votes are of the later view. */
#ifndef TESTS_PROTOCOLS_ZYZZYVA_H
#define TESTS_PROTOCOLS_ZYZZYVA_H

#include "pbft.h"

static inline void zyzzyva_hide(
	struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct pbft_view_change *truth = message->body;
	struct pbft_view_change *lie = cluster_alloc(cluster, sizeof(*lie));
	*lie = (struct pbft_view_change){.view = truth->view, .from = truth->from};
	pbft_vouch(cluster, lie, true);
	message->body = lie;
}

static inline uint64_t zyzzyva_key(transaction_id transaction)
{
	return transaction;
}

/* The caller looks at it and destroys it. */
static inline struct cluster *zyzzyva(const char *settings)
{
	struct cluster *cluster = cluster_create(
		&(struct cluster_options){.protocol = settings, .n = 4, .key = zyzzyva_key});
	cluster_lies(cluster, 0);
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_VIEW_CHANGE, .from = NODE(0), .replace = zyzzyva_hide});
	/* View 0: [7] reaches n2 and n3, and their votes n3 alone; [8], proposed as 2, nobody. */
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PRE_PREPARE, .to = NODE(1), .view_until = 1, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PRE_PREPARE, .instance = 2, .view_until = 1, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE,
			.to = NODE(0) | NODE(1) | NODE(2),
			.view_until = 1,
			.do_drop = true});
	cluster_rule(
		cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	/* View 1 begins without n3; the votes of it reach n1 alone, and no commit gets through. */
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE,
			.from = NODE(3),
			.view_until = 2,
			.do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE,
			.to = NODE(0) | NODE(2) | NODE(3),
			.view_from = 1,
			.view_until = 2,
			.do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_COMMIT, .view_from = 1, .view_until = 2, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit_all(cluster, ms(500), 8);
	cluster_run(cluster, ms(1600));
	assert_true(pbft_slot_at(cluster, 3, 1)->prepared_view == 0);
	assert_int_equal(pbft_slot_at(cluster, 3, 1)->prepared_batch->transactions[0], 7);
	assert_int_equal(pbft_at(cluster, 1)->n_fast, 1);
	assert_int_equal(cluster->nodes[1].executed[0].batch->transactions[0], 8);
	cluster_isolate(cluster, NODE(1), seconds(10));
	cluster_run(cluster, seconds(20));
	assert_int_equal(cluster_view(cluster, 2), 2);
	return cluster;
}

#endif
