/* Bugs planted into PBFT: what holds without them breaks with them, and the harness sees it. Compiled with
 * -DSYNOD_PLANTED, against a library that is. */
#include "zyzzyva.h"

#include <stdio.h>

/* `body` with the bug and without it: does the harness find a violation? */
static void find(const char *bug, const char *settings, void (*story)(struct cluster *))
{
	for (int with = 0; with < 2; with++) {
		char line[256];
		snprintf(line, sizeof(line), "pbft batch=1 view_timeout=1s %s planted=%s", settings,
			with ? bug : "none");
		struct cluster *cluster = pbft_cluster(4, line);
		story(cluster);
		if (!with) {
			cluster_assert_safe(cluster);
			assert_true(cluster->nodes[1].n_executed > 0);
		} else if (cluster->violation[0] == 0) {
			cluster_print(cluster);
			fail_msg("%s: nothing was found", bug);
		}
		cluster_destroy(cluster);
	}
}

static void other_batch(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct batch *batch = context;
	message->body = batch;
	message->digest = batch->digest;
}

/* [7] to n1, [8] to n2 and n3. */
static void equivocate(struct cluster *cluster)
{
	transaction_id t = 8;
	cluster_lies(cluster, 0);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
			.to = NODE(2) | NODE(3),
			.view_until = 1,
			.replace = other_batch,
			.context = (void *)(uintptr_t)cluster_batch(cluster, &t, 1)});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(5));
}

static void test_quorum_one_less(void **state)
{
	find("quorum-one-less", "", equivocate);
}

/* n3 alone sees the commits of `instance`; the next view begins without it, and n1 has [9] to propose
 * before anything else. */
static void committed_at_one(struct cluster *cluster, uint64_t instance)
{
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_COMMIT,
			.to = NODE(0) | NODE(1) | NODE(2),
			.instance = instance,
			.view_until = 1,
			.do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 0, 8);
	cluster_run(cluster, ms(100));
	assert_non_null(cluster_committed(cluster, 3, instance));
	assert_null(cluster_committed(cluster, 1, instance));
	cluster_isolate(cluster, NODE(3), seconds(10));
	cluster_submit_all(cluster, ms(500), 9);
	cluster_run(cluster, seconds(30));
}

static void first_at_one(struct cluster *cluster)
{
	committed_at_one(cluster, 1);
}

static void test_prepared_ignored(void **state)
{
	find("prepared-ignored", "", first_at_one);
}

/* Nobody has heard of instance 1. */
static void second_without_first(struct cluster *cluster)
{
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PRE_PREPARE, .instance = 1, .view_until = 1, .do_drop = true});
	committed_at_one(cluster, 2);
}

static void test_null_skipped(void **state)
{
	find("null-skipped", "", second_without_first);
}

/* With a checkpoint after each instance, the first is stable before the second is known committed. */
static void second_at_one(struct cluster *cluster)
{
	committed_at_one(cluster, 2);
}

static void test_watermark_off(void **state)
{
	find("watermark-off", "checkpoint_interval=1 watermark_window=4", second_at_one);
}

/* Certified votes of an earlier view win over fast votes of a later one. */
static void test_certificate_first(void **state)
{
	struct cluster *cluster = zyzzyva("pbft batch=1 view_timeout=1s fast_path=on");
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
	cluster = zyzzyva("pbft batch=1 view_timeout=1s fast_path=on planted=certificate-first");
	assert_non_null(strstr(cluster->violation, "differs from what another holds at instance: 1"));
	assert_int_equal(cluster->nodes[1].executed[0].batch->transactions[0], 8);
	assert_int_equal(cluster->nodes[3].executed[0].batch->transactions[0], 7);
	cluster_destroy(cluster);
}

/* A liar's word for a checkpoint, and the state that goes with it. */
static void lying_checkpoint(struct cluster *cluster)
{
	transaction_id t = 8;
	const struct batch **batches = cluster_alloc(cluster, sizeof(*batches));
	batches[0] = cluster_batch(cluster, &t, 1);
	struct pbft_state_transfer *body = cluster_alloc(cluster, sizeof(*body));
	*body = (struct pbft_state_transfer){.first = 1, .n = 1, .batches = batches};
	cluster_lies(cluster, 3);
	cluster_rule(cluster,
		(struct cluster_rule){.to = NODE(2), .until_ns = seconds(2), .do_drop = true});
	struct message checkpoint = {
		.kind = PBFT_CHECKPOINT, .from = 3, .instance = 1, .digest = pbft_chain(0, batches[0])};
	struct message answer = {.kind = PBFT_STATE, .from = 3, .instance = 1, .body = body};
	cluster_inject(cluster, ms(100), 2, &checkpoint);
	cluster_inject(cluster, ms(700), 2, &answer);
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(5));
}

static void test_checkpoint_f(void **state)
{
	find("checkpoint-f", "checkpoint_interval=1 watermark_window=4", lying_checkpoint);
}

/* The application runs a transaction once whatever the protocol does; the log shows it twice. */
static void test_reply_cache_dropped(void **state)
{
	for (int with = 0; with < 2; with++) {
		struct cluster *cluster = pbft_cluster(4,
			with ? "pbft batch=1 planted=reply-cache-dropped" : "pbft batch=1 planted=none");
		cluster_submit(cluster, 0, 0, 7);
		cluster_submit(cluster, ms(100), 0, 7);
		cluster_run(cluster, seconds(1));
		assert_int_equal(cluster->nodes[1].n_executed, 1 + with);
		assert_int_equal(cluster->nodes[1].n_transactions, 1);
		cluster_destroy(cluster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quorum_one_less),
		cmocka_unit_test(test_prepared_ignored),
		cmocka_unit_test(test_null_skipped),
		cmocka_unit_test(test_watermark_off),
		cmocka_unit_test(test_certificate_first),
		cmocka_unit_test(test_checkpoint_f),
		cmocka_unit_test(test_reply_cache_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
