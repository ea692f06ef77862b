/* PBFT's fast path: what all n vote for is committed in one round. Delays of 10 ms; every transaction
 * touches an object of its own, numbered as its last digit; those from 100 on may touch any. */
#include "results/kpi.h"
#include "zyzzyva.h"

#define PBFT "pbft batch=1 view_timeout=1s fast_path=on"

static uint64_t last_digit(transaction_id transaction)
{
	return transaction >= 100 ? NODE_KEY_ALL : transaction % 10;
}

static struct cluster *fast_cluster(uint32_t n)
{
	return cluster_create(
		&(struct cluster_options){.protocol = PBFT, .n = n, .key = last_digit});
}

static sim_time committed_at(struct cluster *cluster, uint32_t node, uint64_t instance)
{
	const struct cluster_entry *entry = cluster_committed(cluster, node, instance);
	assert_non_null(entry);
	return entry->at_ns;
}

/* Two delays instead of three, and n (n - 1) messages fewer: (n - 1) + (n - 1)^2. */
static void test_one_round(void **state)
{
	for (uint32_t n = 4; n <= 10; n += 3) {
		struct cluster *cluster = fast_cluster(n);
		for (transaction_id t = 0; t < 5; t++) {
			cluster_submit(cluster, 0, 0, t);
		}
		cluster_run(cluster, seconds(5));
		for EVERY_NODE(i, cluster) {
			for (uint64_t instance = 1; instance <= 5; instance++) {
				assert_int_equal(committed_at(cluster, i, instance), ms(20));
			}
			assert_int_equal(pbft_at(cluster, i)->n_fast, 5);
		}
		const struct measured run = {.nodes = cluster_node(cluster, 0), .n_validators = n};
		assert_string_equal(pbft_kpis[0].kpis[0].name, "fast_commits");
		assert_true(pbft_kpis[0].kpis[0].value(&run) == 5);
		assert_int_equal(cluster->received[PBFT_COMMIT], 0);
		assert_int_equal(cluster->world.messages[CLASS_AGREEMENT], 5 * (n - 1 + (n - 1) * (n - 1)));
		assert_int_equal(cluster_told(cluster, NODE_NONE, "order it"), 0);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* Two that touch the same: the first is proposed while nobody knows of the second. */
static void test_conflict_at_the_primary(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 0, 17);
	cluster_submit(cluster, ms(100), 0, 27);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n0 another known transaction touches the same -> no fast vote",
		"n0 proposes 2 in view 0 [17]");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(committed_at(cluster, i, 1), ms(20));
		assert_int_equal(committed_at(cluster, i, 2), ms(30));
		assert_int_equal(committed_at(cluster, i, 3), ms(120)); /* the others have been executed */
		assert_int_equal(pbft_at(cluster, i)->n_fast, 2);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* One backup knows of another transaction that touches the same: its ordinary vote tells all at once that
 * the instance takes the ordinary way. */
static void test_conflict_at_one_backup(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = MESSAGE_REQUEST, .do_hold = true}); /* what n2 relays */
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 2, 17);
	cluster_run(cluster, ms(100));
	cluster_assert_story(cluster, "n2 another known transaction touches the same -> no fast vote",
		"n3 a vote that is not a fast one -> order it");
	for EVERY_NODE(i, cluster) {
		assert_int_equal(committed_at(cluster, i, 1), ms(30));
		assert_int_equal(pbft_at(cluster, i)->n_fast, 0);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Within one batch, too; and what may touch anything never goes fast, nor does anything beside it. */
static void test_what_never_goes_fast(void **state)
{
	struct cluster *cluster = cluster_create(
		&(struct cluster_options){.protocol = "pbft batch=2 batch_delay=1ms fast_path=on",
			.n = 4,
			.key = last_digit});
	cluster_submit(cluster, 0, 0, 7);
	cluster_submit(cluster, 0, 0, 17);
	cluster_submit(cluster, ms(100), 0, 100);
	cluster_submit(cluster, ms(110), 0, 3);
	cluster_run(cluster, seconds(1));
	assert_int_equal(cluster->nodes[0].n_executed, 3);
	assert_int_equal(pbft_at(cluster, 0)->n_fast, 0);
	assert_int_equal(cluster_told(cluster, 0, "something known may touch anything"), 2);
	cluster_destroy(cluster);
}

/* A silent replica costs the first instance a quarter of the view timeout; then nothing is held back until
 * all have voted for one again. */
static void test_silent_replica(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_STATUS, .until_ns = ms(600), .do_drop = true});
	cluster_crash(cluster, 0, 3);
	cluster_submit(cluster, 0, 0, 1);
	cluster_submit(cluster, ms(500), 0, 2);
	cluster_restart(cluster, ms(600), 3);
	for (transaction_id t = 3; t < 7; t++) {
		cluster_submit(cluster, ms(1200) + ms(100) * (t - 3), 0, t);
	}
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n1 not all have voted in time -> order it",
		"n1 commits 1 in view 0 [1]", "n1 commits 2 in view 0 [2]",
		"n1 all n have voted for it -> committed in one round", "n1 commits 3 in view 0 [3]");
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(committed_at(cluster, i, 1), ms(20 + 250 + 10));
		assert_int_equal(committed_at(cluster, i, 2), ms(530));
		assert_int_equal(committed_at(cluster, i, 3), ms(1220));
		assert_int_equal(cluster_told(cluster, i, "not all have voted in time"), 1);
		assert_false(pbft_at(cluster, i)->fast_doubtful);
	}
	/* The first one after the silence was committed by all votes with the commits under way. */
	assert_int_equal(pbft_at(cluster, 0)->n_fast, 4);
	assert_int_equal(cluster_told(cluster, NODE_NONE, "start view change"), 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A vote is lost on its way to n2: the others have committed and help it by their commits. */
static void test_one_falls_back_alone(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PREPARE, .from = NODE(1), .to = NODE(2), .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n0 commits 1 in view 0 [7]",
		"n2 not all have voted in time -> order it",
		"n0 another has gone back to ordering -> help it by the commit", "n2 commits 1 in view 0 [7]");
	assert_int_equal(committed_at(cluster, 0, 1), ms(20));
	assert_int_equal(committed_at(cluster, 2, 1), ms(20 + 250 + 20));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Each instance has its own wait; the timer serves them all. */
static void test_each_waits_for_itself(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_crash(cluster, 0, 3);
	cluster_submit(cluster, 0, 0, 1);
	cluster_submit(cluster, ms(100), 0, 2);
	cluster_run(cluster, seconds(1));
	assert_int_equal(committed_at(cluster, 1, 1), ms(20 + 250 + 10));
	assert_int_equal(committed_at(cluster, 1, 2), ms(120 + 250 + 10));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* One that is prepared when others have already fallen back does not wait; nor does one that has seen a vote
 * for something else before it could vote itself. */
static void test_no_wait_in_vain(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_crash(cluster, 0, 3);
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE, .to = NODE(2), .delay_ns = ms(280)});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(1));
	assert_int_equal(committed_at(cluster, 2, 1), ms(300));
	cluster_destroy(cluster);

	cluster = fast_cluster(4);
	cluster_lies(cluster, 3);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PREPARE, .from = NODE(3), .to = NODE(2), .do_drop = true});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE, .to = NODE(2), .delay_ns = ms(15)});
	struct message lie = {.kind = PBFT_PREPARE,
		.from = 3,
		.flags = PBFT_FLAG_FAST,
		.instance = 1,
		.digest = 5};
	cluster_inject(cluster, ms(22), 2, &lie);
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(1));
	assert_int_equal(committed_at(cluster, 1, 1), ms(35));
	assert_int_equal(committed_at(cluster, 2, 1), ms(45));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* Votes for the null batch of an instance are not those for the null batch of the next in its slot. */
static void test_slots_are_reused(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 view_timeout=1s fast_path=on checkpoint_interval=1 watermark_window=1",
		.n = 4});
	struct node *primary = cluster_node(cluster, 0);
	struct protocol_step_argument none = {0};
	assert_true(cluster->protocol->step(primary, STEP_PROPOSE, &none));
	cluster_run(cluster, ms(100));
	cluster_rule(
		cluster, (struct cluster_rule){
					 .kind = PBFT_PREPARE, .from = NODE(1), .instance = 2, .do_drop = true});
	assert_true(cluster->protocol->step(primary, STEP_PROPOSE, &none));
	cluster_run(cluster, ms(200));
	for EVERY_NODE(i, cluster) {
		assert_int_equal(pbft_at(cluster, i)->n_fast, i == 1 ? 2 : 1); /* n1 has its own vote */
		assert_int_equal(cluster_committed(cluster, i, 2) != NULL, i == 1);
	}
	cluster_destroy(cluster);
}

/* It falls back where there is no view timeout, too, and after a crash with a commit held back. */
static void test_falls_back_without_timers(void **state)
{
	struct cluster *cluster = cluster_create(
		&(struct cluster_options){.protocol = "pbft batch=1 fast_path=on view_timeout=off",
			.n = 4,
			.key = last_digit});
	cluster_crash(cluster, 0, 3);
	cluster_submit(cluster, 0, 0, 1);
	cluster_crash(cluster, ms(100), 1);
	cluster_restart(cluster, ms(200), 1);
	cluster_run(cluster, ms(205));
	assert_int_equal(cluster_told(cluster, 1, "not all have voted in time"), 1);
	cluster_run(cluster, seconds(5));
	assert_int_equal(committed_at(cluster, 0, 1), ms(220)); /* n2 has helped n1 by its commit */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* n2 alone has seen all the votes, tells its client, and falls silent. Nobody else has a certificate, and n0
 * hides its vote: those of n1 and n3 are enough for the next view. */
static void test_survives_view_changes(void **state)
{
	for (int round = 0; round < 4; round++) {
		bool liar = round % 2 != 0;
		/* In the second half of the rounds view 1 proposes it again, and comes to nothing. */
		uint64_t last_view = round < 2 ? 1 : 3;
		struct cluster *cluster = fast_cluster(4);
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_PREPARE,
				.view_from = 1,
				.view_until = last_view == 1 ? 1 : 2,
				.do_drop = true});
		if (liar) {
			cluster_lies(cluster, 0);
			cluster_rule(cluster,
				(struct cluster_rule){
					.kind = PBFT_VIEW_CHANGE, .from = NODE(0), .replace = zyzzyva_hide});
		}
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_PREPARE,
				.to = NODE(0) | NODE(1) | NODE(3),
				.view_until = 1,
				.do_drop = true});
		cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
		cluster_submit(cluster, 0, 0, 7);
		cluster_run(cluster, ms(25));
		assert_int_equal(committed_at(cluster, 2, 1), ms(20));
		for (uint32_t i = 0; i < 4; i++) {
			assert_int_equal(pbft_slot_at(cluster, i, 1)->prepared, i == 2);
		}
		cluster_isolate(cluster, NODE(2), seconds(20));
		cluster_submit_all(cluster, ms(500), 8); /* first in the next primary's queue */
		cluster_run(cluster, seconds(40));
		cluster_assert_story(cluster, "n2 commits 1 in view 0 [7]",
			"n1 fast votes of all but f in the latest view -> propose it again",
			last_view == 1 ? "n3 executes 1 in view 1 [7]" : "n3 executes 1 in view 3 [7]",
			last_view == 1 ? "n3 executes 2 in view 1 [8]" : "n3 executes 2 in view 3 [8]");
		/* Proposed again by the new view, it takes the ordinary way. */
		assert_int_equal(pbft_slot_at(cluster, 3, 1)->fast_view, 0);
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* What V must hold for a batch to be proposed again: of n = 4, in view 5. Certificates and fast votes are
 * written view, batch; batch 0: none. */
struct plan_case {
	const char *what;
	uint64_t prepared[4][2], fast[4][2];
	transaction_id planned; /* 0: a null request; 99: nothing at all */
	uint32_t n;             /* of V */
};

static void test_plan(void **state)
{
	static const struct plan_case cases[] = {
		{"nothing", {{0}}, {{0}}, 99, 3},
		{"a certificate", {{2, 7}}, {{0}}, 7, 3},
		{"the later certificate", {{2, 7}, {3, 8}, {1, 9}}, {{0}}, 8, 3},
		{"one fast vote may be a lie", {{0}}, {{3, 8}}, 99, 3},
		{"two of three", {{0}}, {{3, 8}, {0}, {3, 8}}, 8, 3},
		{"two of four: all but f would be three", {{0}}, {{3, 8}, {3, 8}, {2, 7}, {2, 7}}, 99, 4},
		{"three of four", {{0}}, {{2, 7}, {3, 8}, {3, 8}, {3, 8}}, 8, 4},
		{"of one view", {{0}}, {{3, 8}, {2, 8}}, 99, 3},
		{"of one view, whatever the first says", {{3, 7}}, {{4, 8}, {2, 8}}, 7, 3},
		{"of one view, whatever the last says", {{3, 7}}, {{2, 8}, {4, 8}}, 7, 3},
		{"later than the certificate", {{2, 7}}, {{3, 8}, {3, 8}}, 8, 3},
		{"of the same view as the certificate", {{3, 7}}, {{3, 8}, {3, 8}}, 7, 3},
		{"earlier than the certificate", {{3, 7}}, {{2, 8}, {2, 8}}, 7, 3},
		{"not enough, and a certificate of an earlier view", {{1, 7}}, {{3, 8}}, 7, 3},
	};
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct cluster *cluster = fast_cluster(4);
		struct pbft_new_view *body =
			cluster_alloc(cluster, sizeof(*body) + 4 * sizeof(body->view_changes[0]));
		body->view = 5;
		body->n_view_changes = cases[c].n;
		for (uint32_t i = 0; i < cases[c].n; i++) {
			struct pbft_view_change *vc =
				cluster_alloc(cluster, sizeof(*vc) + sizeof(vc->prepared[0]));
			struct pbft_prepared *fast = cluster_alloc(cluster, sizeof(*fast));
			transaction_id prepared_batch = (transaction_id)cases[c].prepared[i][1];
			transaction_id fast_batch = (transaction_id)cases[c].fast[i][1];
			vc->view = 5;
			vc->from = i;
			vc->n_prepared = prepared_batch != 0;
			vc->prepared[0] = (struct pbft_prepared){
				1, cases[c].prepared[i][0], cluster_batch(cluster, &prepared_batch, 1), NULL};
			vc->n_fast = fast_batch != 0;
			vc->fast = fast;
			*fast = (struct pbft_prepared){
				1, cases[c].fast[i][0], cluster_batch(cluster, &fast_batch, 1), NULL};
			body->view_changes[i] = vc;
		}
		struct pbft_plan plan = pbft_plan_new_view(cluster_node(cluster, 2), body);
		transaction_id planned = plan.max_s == 0 ? 99
			: plan.batches[0]->n == 0			 ? 0
												 : plan.batches[0]->transactions[0];
		if (planned != cases[c].planned) {
			fail_msg("%s: %u", cases[c].what, planned);
		}
		cluster_destroy(cluster);
	}
}

/* A vote that is sent again is the vote that it was. */
static bool is_again(
	struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	return message->class == CLASS_CONTROL && (message->flags & PBFT_FLAG_FAST) != 0;
}

static void test_sent_again(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	size_t prepares =
		cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_PREPARE, .when = is_again});
	size_t pre_prepares =
		cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_PRE_PREPARE, .when = is_again});
	cluster_rule(
		cluster, (struct cluster_rule){.to = NODE(2), .until_ns = ms(100), .do_drop = true});
	cluster_submit_all(cluster, 0, 7);
	cluster_run(cluster, seconds(5));
	assert_true(cluster_struck(cluster, prepares) > 0);
	assert_true(cluster_struck(cluster, pre_prepares) > 0);
	assert_true(cluster_executed(cluster, 2, 7));
	cluster_destroy(cluster);
}

static void test_zyzzyva_schedule(void **state)
{
	struct cluster *cluster = zyzzyva(PBFT);
	cluster_assert_story(cluster, "n1 leads 1",
		"n1 all n have voted for it -> committed in one round", "n1 executes 1 in view 1 [8]",
		"n2 fast votes of all but f in the latest view -> propose it again", "n2 leads 2",
		"n3 executes 1 in view 2 [8]");
	assert_true(cluster_executed(cluster, 3, 7)); /* later */
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

struct lie {
	const struct batch *batch;
	uint32_t n_fast;
	struct pbft_prepared fast[2];
};

static void equivocate(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct lie *lie = context;
	message->body = lie->batch;
	message->digest = lie->batch->digest;
}

static void claim(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct lie *lie = context;
	const struct pbft_view_change *truth = message->body;
	struct pbft_view_change *body = cluster_alloc(cluster, sizeof(*body));
	*body = (struct pbft_view_change){
		.view = truth->view, .from = truth->from, .n_fast = lie->n_fast, .fast = lie->fast};
	pbft_vouch(cluster, body, true);
	message->body = body;
}

/* An equivocating primary gets [7] committed at n3 in the ordinary way, while n1 has voted for [8]; with its
 * own lie in the view change two of three say [8], and one shows a certificate for [7] of the same view:
 * that proves that [8] was not committed. */
static void test_certificate_wins_a_tie(void **state)
{
	struct cluster *cluster = fast_cluster(4);
	cluster_lies(cluster, 0);
	transaction_id t = 8;
	struct lie lie = {.batch = cluster_batch(cluster, &t, 1), .n_fast = 1};
	lie.fast[0] = (struct pbft_prepared){1, 0, lie.batch};
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
			.to = NODE(1),
			.view_until = 1,
			.replace = equivocate,
			.context = &lie});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_VIEW_CHANGE, .from = NODE(0), .replace = claim, .context = &lie});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_COMMIT, .to = NODE(1) | NODE(2), .view_until = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(300));
	assert_int_equal(cluster->nodes[3].executed[0].batch->transactions[0], 7);
	assert_int_equal(pbft_slot_at(cluster, 1, 1)->fast_batch->transactions[0], 8);
	cluster_isolate(cluster, NODE(3), seconds(20));
	cluster_run(cluster, seconds(10));
	assert_int_equal(cluster_view(cluster, 2), 1);
	assert_int_equal(cluster->nodes[2].executed[0].batch->transactions[0], 7);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* What one liar says of its votes is not enough; and what can't be, it can't say at all. */
static void test_liars_votes(void **state)
{
	for (int which = 0; which < 4; which++) {
		struct cluster *cluster = fast_cluster(4);
		cluster_lies(cluster, 3);
		transaction_id t = 9;
		const struct batch *batch = cluster_batch(cluster, &t, 1);
		struct lie lies[4] = {
			{.n_fast = 1, .fast = {{1, 0, batch}}},
			{.n_fast = 1, .fast = {{1, 1, batch}}},                   /* of the view that begins */
			{.n_fast = 1, .fast = {{UINT64_MAX, 0, batch}}},          /* beyond its watermark */
			{.n_fast = 2, .fast = {{2, 0, batch}, {1, 0, batch}}},    /* out of order */
		};
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_VIEW_CHANGE,
				.from = NODE(3),
				.replace = claim,
				.context = &lies[which]});
		cluster_crash(cluster, 0, 0);
		cluster_submit_all(cluster, 0, 7);
		cluster_run(cluster, seconds(3));
		bool refused =
			cluster_told(cluster, 1, "view change with certificates that can't be -> refuse") > 0;
		assert_int_equal(refused, which > 0);
		assert_int_equal(cluster->nodes[1].n_executed, which == 0); /* n1 and n2 are no quorum */
		assert_false(cluster_executed(cluster, 1, 9));
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* The table of keys against plain counting, with holes opening everywhere. */
static uint32_t counts[300];

static uint64_t awkward(transaction_id transaction)
{
	return transaction % 300 * UINT64_C(0x100000001);
}

static void test_keys(void **state)
{
	struct cluster *cluster = cluster_create(
		&(struct cluster_options){.protocol = PBFT, .n = 4, .key = awkward, .quiet = true});
	struct node *node = cluster_node(cluster, 1);
	struct random_stream stream = random_stream_make(1, RANDOM_FAULT, 0);
	memset(counts, 0, sizeof(counts));
	for (int i = 0; i < 20000; i++) {
		transaction_id t = (transaction_id)random_below(&stream, 300);
		bool grows = random_below(&stream, 10000) >= (uint64_t)(i % 10000);
		if (grows) {
			pbft_keys_add(node, t);
			counts[t]++;
		} else if (counts[t] > 0) {
			pbft_keys_remove(node, t);
			counts[t]--;
		}
		transaction_id other = (transaction_id)random_below(&stream, 300);
		assert_int_equal(pbft_is_free(node, cluster_batch(cluster, &other, 1)), counts[other] == 0);
	}
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_round),
		cmocka_unit_test(test_conflict_at_the_primary),
		cmocka_unit_test(test_conflict_at_one_backup),
		cmocka_unit_test(test_what_never_goes_fast),
		cmocka_unit_test(test_silent_replica),
		cmocka_unit_test(test_one_falls_back_alone),
		cmocka_unit_test(test_each_waits_for_itself),
		cmocka_unit_test(test_no_wait_in_vain),
		cmocka_unit_test(test_slots_are_reused),
		cmocka_unit_test(test_falls_back_without_timers),
		cmocka_unit_test(test_survives_view_changes),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_sent_again),
		cmocka_unit_test(test_zyzzyva_schedule),
		cmocka_unit_test(test_certificate_wins_a_tie),
		cmocka_unit_test(test_liars_votes),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
