/* PBFT with up to f liars: nothing that a replica can send makes the others differ, stop for
 * good, or use memory without bound. What it can't send: another's name, another's certificate. */
#include "pbft.h"

/* An equivocating primary: the batch of `a` to some, of `b` to the others. */
struct equivocation {
	uint64_t to_b;
	const struct batch *b;
};

static void equivocate(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct equivocation *equivocation = context;
	if ((equivocation->to_b & NODE(to)) != 0) {
		message->body = equivocation->b;
		message->digest = equivocation->b->digest;
	}
}

/* All ways to split the backups of four and seven replicas between two batches. */
static void test_equivocating_primary(void **state)
{
	for (uint32_t n = 4; n <= 7; n += 3) {
		for (uint64_t to_b = 0; to_b < NODE(n); to_b += 2) {
			struct cluster *cluster =
				pbft_cluster(n, "pbft batch=1 view_timeout=1s checkpoint_interval=1");
			cluster_lies(cluster, 0);
			transaction_id t = 8;
			struct equivocation equivocation = {to_b, cluster_batch(cluster, &t, 1)};
			cluster_rule(cluster,
				(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
					.instance = 1,
					.view_until = 1,
					.replace = equivocate,
					.context = &equivocation});
			cluster_submit_all(cluster, 0, 7);
			cluster_submit_all(cluster, ms(100), 8);
			cluster_run(cluster, seconds(10));
			for (uint32_t i = 1; i < n; i++) {
				assert_true(cluster_executed(cluster, i, 7));
				assert_true(cluster_executed(cluster, i, 8));
			}
			assert_true(cluster_same_logs(cluster, NODE(n) - 2));
			cluster_assert_safe(cluster);
			cluster_destroy(cluster);
		}
	}
}

/* Two against two backups of n = 7: neither batch is prepared, and the view change cures it. */
static void test_equivocation_is_cured_by_the_view_change(void **state)
{
	struct cluster *cluster = pbft_cluster(7, "pbft batch=1 view_timeout=1s");
	cluster_lies(cluster, 0);
	transaction_id t = 8;
	struct equivocation equivocation = {
		NODE(4) | NODE(5) | NODE(6), cluster_batch(cluster, &t, 1)};
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
			.view_until = 1,
			.replace = equivocate,
			.context = &equivocation});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, ms(999));
	for (uint32_t i = 1; i < 7; i++) {
		assert_int_equal(cluster->nodes[i].n_executed, 0);
		assert_false(pbft_slot_at(cluster, i, 1)->prepared);
	}
	cluster_run(cluster, seconds(5));
	cluster_assert_story(cluster, "n1 timer expired -> change the view", "n1 leads 1",
		"n6 executes 1 in view 1 [7]");
	for (uint32_t i = 1; i < 7; i++) {
		assert_int_equal(cluster->nodes[i].executed[0].view, 1);
	}
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A corrupted proposal sent to one replica alone, in the first round (the pattern of ByzzFuzz). */
static void test_one_corrupted_proposal(void **state)
{
	for (uint32_t victim = 1; victim < 4; victim++) {
		struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
		cluster_lies(cluster, 0);
		transaction_id t = 8;
		struct equivocation equivocation = {NODE(victim), cluster_batch(cluster, &t, 1)};
		cluster_rule(cluster,
			(struct cluster_rule){.kind = PBFT_PRE_PREPARE,
				.max = 3,
				.replace = equivocate,
				.context = &equivocation});
		cluster_submit(cluster, 0, 0, 7);
		cluster_run(cluster, seconds(20));
		for (uint32_t i = 1; i < 4; i++) {
			/* The other two decide without the victim; it takes what f+1 have executed. */
			assert_int_equal(cluster->nodes[i].n_executed, 1);
			assert_int_equal(cluster->nodes[i].executed[0].batch->transactions[0], 7);
		}
		cluster_assert_safe(cluster);
		cluster_destroy(cluster);
	}
}

/* Whatever numbers a liar writes into its messages: no assertion fires, nothing diverges, and
 * the others decide everything. */
static uint64_t odd_number(struct random_stream *stream, uint64_t likely)
{
	static const uint64_t odd[] = {0, 1, 2, 5, 9, 10, 11, 15, 20, 21, 30, 40, UINT32_MAX,
		UINT64_C(1) << 32, UINT64_C(1) << 62, (UINT64_C(1) << 62) + 1, UINT64_C(5) << 60,
		UINT64_C(1) << 63, UINT64_MAX - 5, UINT64_MAX - 1, UINT64_MAX};
	uint64_t which = random_below(stream, 2 * sizeof(odd) / sizeof(odd[0]));
	return which < sizeof(odd) / sizeof(odd[0]) ? odd[which]
												: likely + random_below(stream, 13) - 1;
}

static struct message lie_make(struct cluster *cluster, struct random_stream *stream, uint32_t liar)
{
	const struct pbft *honest = pbft_at(cluster, (liar + 1) % cluster->n);
	struct message lie = {
		.kind = (uint8_t)(PBFT_PRE_PREPARE + random_below(stream, 10)),
		.from = liar,
		.view = odd_number(stream, honest->view),
		.instance = odd_number(stream, honest->executed),
		.digest = random_below(stream, 3) == 0 ? honest->stable_digest : odd_number(stream, 7),
		.extra = odd_number(stream, honest->executed),
		.flags = (uint16_t)random_below(stream, 1 << 14),
	};
	switch (lie.kind) {
	case PBFT_PRE_PREPARE: {
		transaction_id transactions[2] = {
			(transaction_id)random_below(stream, 100), (transaction_id)random_below(stream, 100)};
		lie.body = cluster_batch(cluster, transactions, (uint32_t)random_below(stream, 3));
		break;
	}
	case PBFT_VIEW_CHANGE: {
		struct pbft_view_change *body = cluster_alloc(cluster, sizeof(*body));
		body->view = lie.view;
		body->from = liar;
		body->stable = odd_number(stream, honest->stable);
		struct pbft_prepared *fast = cluster_alloc(cluster, sizeof(*fast));
		transaction_id transaction = (transaction_id)random_below(stream, 100);
		*fast = (struct pbft_prepared){odd_number(stream, honest->executed),
			odd_number(stream, honest->view), cluster_batch(cluster, &transaction, 1), NULL};
		body->n_fast = (uint32_t)random_below(stream, 2);
		body->fast = fast;
		/* Only of the last one that is stable it has a certificate. */
		body->stable_digest = honest->stable_digest;
		body->stable_proof = honest->stable_proof;
		pbft_vouch(cluster, body, false);
		lie.body = body;
		break;
	}
	case PBFT_NEW_VIEW: {
		struct pbft_new_view *body =
			cluster_alloc(cluster, sizeof(*body) + cluster->n * sizeof(body->view_changes[0]));
		body->view = lie.view;
		body->from = liar;
		body->size_bytes = 64;
		for EVERY_NODE(i, cluster) {
			if (honest->view_changes[i] != NULL) {
				body->view_changes[body->n_view_changes++] = honest->view_changes[i];
			}
		}
		pbft_sign_new_view(cluster_node(cluster, liar), body, 0);
		lie.body = body;
		break;
	}
	case PBFT_STATE: {
		struct pbft_state_transfer *body = cluster_alloc(cluster, sizeof(*body));
		body->first = 1;
		body->n = honest->executed;
		body->batches = honest->history;
		if (body->n == 0) {
			lie.kind = PBFT_COMMIT;
		}
		lie.body = body;
		break;
	}
	case PBFT_EXECUTED: {
		struct pbft_executed *body = cluster_alloc(cluster, sizeof(*body));
		uint64_t *digests = cluster_alloc(cluster, PBFT_DIGESTS * sizeof(*digests));
		for (int i = 0; i < PBFT_DIGESTS; i++) {
			digests[i] = odd_number(stream, honest->state_digest);
		}
		body->first = odd_number(stream, honest->executed);
		body->n = odd_number(stream, PBFT_DIGESTS);
		body->digests = digests;
		lie.body = body;
		break;
	}
	default:
		break;
	}
	return lie;
}

static uint64_t own_key(transaction_id transaction)
{
	return transaction;
}

static void test_any_numbers(void **state)
{
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint32_t n = seed % 2 == 0 ? 4 : 7;
		uint32_t liar = (uint32_t)(seed / 2 % n);
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = seed % 4 < 2
				? "pbft batch=2 checkpoint_interval=5 watermark_window=10 view_timeout=500ms"
				: "pbft batch=2 checkpoint_interval=5 watermark_window=10 view_timeout=500ms "
				  "fast_path=on tentative=on",
			.latency = "uniform min=1ms max=20ms",
			.n = n,
			.key = own_key,
			.seed = seed,
			.retry_ns = seconds(1),
			.quiet = true});
		cluster_lies(cluster, liar);
		struct random_stream stream = random_stream_make(seed, RANDOM_PROTOCOL, 99);
		for (transaction_id t = 0; t < 100; t++) {
			cluster_submit_all(cluster, ms(40) * t, t);
		}
		for (int step = 1; step <= 100; step++) {
			for (int i = 0; i < 30; i++) {
				struct message lie = lie_make(cluster, &stream, liar);
				uint32_t to = (uint32_t)random_below(&stream, n);
				if (to != liar) {
					cluster_inject(cluster, cluster->world.now + ms(i), to, &lie);
				}
			}
			cluster_run(cluster, ms(40) * step);
		}
		cluster_run(cluster, seconds(60));
		cluster_assert_safe(cluster);
		for EVERY_NODE(i, cluster) {
			uint64_t n_wanted = i == liar ? 0 : 100;
			assert_true(cluster->nodes[i].n_transactions + 10 >= n_wanted);
		}
		for (transaction_id t = 0; t < 100; t++) {
			assert_true(cluster_replies(cluster, t) >= cluster->reply_quorum);
		}
		cluster_destroy(cluster);
	}
}

/* Ten thousand votes, for as many digests, views and instances, leave little behind. */
static void test_memory_is_bounded(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 checkpoint_interval=5 watermark_window=10", .n = 4, .quiet = true});
	size_t before = cluster->world.arena.bytes;
	static const uint8_t kinds[] = {PBFT_PREPARE, PBFT_COMMIT, PBFT_CHECKPOINT, PBFT_FETCH};
	struct node *victim = cluster_node(cluster, 1);
	for (uint64_t i = 0; i < 100000; i++) {
		struct message lie = {.kind = kinds[i % 4],
			.from = 3,
			.view = i % 3 == 0 ? i : 0,
			.instance = i % 5 == 0 ? 5 * i : 1 + i % 10,
			.digest = i,
			.extra = i % 100};
		cluster->protocol->receive(victim, &lie);
	}
	assert_true(cluster->world.arena.bytes - before < 200000);
	/* It has crowded out nobody else. */
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(1));
	assert_int_equal(cluster->nodes[1].n_executed, 1);
	cluster_destroy(cluster);
}

/* A liar's early messages fill its own share of what is held, not the others'. */
static void test_held_messages_of_others_stay(void **state)
{
	struct cluster *cluster = pbft_cluster(
		4, "pbft batch=1 checkpoint_interval=5 watermark_window=10 view_timeout=1s");
	for (int i = 0; i < 1000; i++) {
		struct message lie = {.kind = PBFT_COMMIT, .from = 0, .view = 77, .instance = 1};
		for (uint32_t to = 1; to < 4; to++) {
			cluster_inject(cluster, ms(1), to, &lie);
		}
	}
	cluster_crash(cluster, ms(2), 0);
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_NEW_VIEW, .to = NODE(3), .delay_ns = ms(500)});
	cluster_submit_all(cluster, ms(3), 7);
	cluster_run(cluster, ms(2000));
	assert_int_equal(cluster->nodes[3].n_executed, 1);
	assert_int_equal(cluster_view(cluster, 3), 1);
	cluster_destroy(cluster);
}

/* Whatever one liar says of how far the others are, it is asked about by status messages, a few times, and
 * nothing is fetched on its word; two of them, one honest, are believed. */
static void test_one_liar_causes_no_fetch(void **state)
{
	for (uint32_t n_saying = 1; n_saying <= 2; n_saying++) {
		struct cluster *cluster = pbft_cluster(
			4, "pbft batch=1 checkpoint_interval=5 watermark_window=10 view_timeout=1s");
		uint64_t *digests = cluster_alloc(cluster, 5 * sizeof(*digests));
		struct pbft_executed *body = cluster_alloc(cluster, sizeof(*body));
		*body = (struct pbft_executed){.first = 1, .n = 5, .digests = digests};
		for (uint32_t from = 1; from <= n_saying; from++) {
			for (int i = 0; i < 20; i++) {
				struct message lies[] = {
					{.kind = PBFT_COMMIT, .view = 5, .instance = 1},
					{.kind = PBFT_COMMIT, .instance = 9, .digest = 4},
					{.kind = PBFT_CHECKPOINT, .instance = 5, .digest = 4},
					{.kind = PBFT_CHECKPOINT, .instance = 50, .digest = 4},
					{.kind = PBFT_STATUS, .instance = 50, .extra = 50, .view = 3, .flags = 7},
					{.kind = PBFT_EXECUTED, .instance = 1, .body = body},
				};
				for (size_t k = 0; k < sizeof(lies) / sizeof(lies[0]); k++) {
					lies[k].from = from;
					cluster_inject(cluster, ms(200) * i, 3, &lies[k]);
				}
			}
		}
		cluster_run(cluster, seconds(200)); /* rarer and rarer */
		size_t n_asked = cluster_told(cluster, 3, "no progress -> tell the others how far it has come");
		if (n_saying == 1) {
			assert_int_equal(cluster->received[PBFT_FETCH], 0);
			assert_int_equal(n_asked, PBFT_ASKS);
		} else {
			assert_true(cluster_told(cluster, 3, "f+1 have executed more -> fetch it") > 0);
			assert_true(cluster->received[PBFT_FETCH] > 0);
		}
		cluster_destroy(cluster);
	}
}

/* OSDI'99 4.4: what a view change shows is checked, by its receiver and by whoever is shown it in V. */
static void test_false_proofs_are_refused(void **state)
{
	enum {
		MADE_UP, OF_ANOTHER_BATCH, OF_ANOTHER_VIEW, TOO_FEW, NO_PRE_PREPARE, NONE, CHECKPOINT_MADE_UP,
		CHECKPOINT_OF_ANOTHER_STATE, CHECKPOINT_NONE, NOT_SIGNED, CHANGED, GOOD
	};
	for (int which = MADE_UP; which <= GOOD; which++) {
		struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s checkpoint_interval=2");
		struct node *liar = cluster_node(cluster, 3);
		transaction_id t = 7, other = 8;
		const struct batch *batch = cluster_batch(cluster, &t, 1);
		struct pbft_view_change *body =
			cluster_alloc(cluster, sizeof(*body) + sizeof(body->prepared[0]));
		*body = (struct pbft_view_change){
			.view = 5, .from = 3, .stable = 2, .stable_digest = 99, .n_prepared = 1};
		body->prepared[0] = (struct pbft_prepared){3, 1, batch, NULL};
		pbft_vouch(cluster, body, true);
		uint64_t all[1] = {NODES_ALL}, backups[1] = {NODE(0) | NODE(2) | NODE(3)};
		uint64_t statement = pbft_statement_prepare(1, 3, batch->digest);
		struct pbft_proof *proof = cluster_alloc(cluster, sizeof(*proof) + sizeof(uint64_t));
		*proof = (struct pbft_proof){.n = 3, .signatures = 3 * node_sign(liar, statement)};
		proof->signers[0] = NODE(1) | NODE(2) | NODE(3);
		const struct pbft_proof **shown =
			which >= CHECKPOINT_MADE_UP ? &body->stable_proof : &body->prepared[0].proof;
		switch (which) {
		case MADE_UP:
		case CHECKPOINT_MADE_UP:
			*shown = proof;
			break;
		case OF_ANOTHER_BATCH:
			*shown = pbft_prove(liar,
				pbft_statement_prepare(1, 3, cluster_batch(cluster, &other, 1)->digest), all, 1, 3);
			break;
		case OF_ANOTHER_VIEW:
			*shown = pbft_prove(liar, pbft_statement_prepare(0, 3, batch->digest), all, 1, 3);
			break;
		case TOO_FEW:
			*shown = pbft_prove(liar, statement, all, 1, 2);
			break;
		case NO_PRE_PREPARE:
			*shown = pbft_prove(liar, statement, backups, NODE_NONE, 3);
			break;
		case NONE:
			body->prepared[0].proof = NULL;
			break;
		case CHECKPOINT_OF_ANOTHER_STATE:
			*shown = pbft_prove(liar, pbft_statement_checkpoint(2, 98), all, NODE_NONE, 3);
			break;
		case CHECKPOINT_NONE:
			body->stable_proof = NULL;
			break;
		default:
			break;
		}
		body->signature = node_sign(liar, pbft_statement_view_change(body));
		if (which == NOT_SIGNED) {
			body->signature = node_sign(cluster_node(cluster, 0), pbft_statement_view_change(body));
		} else if (which == CHANGED) {
			body->prepared[0].instance = 4;
		}
		struct message message = {.kind = PBFT_VIEW_CHANGE, .from = 3, .view = 5, .body = body};
		cluster_inject(cluster, 0, 1, &message);
		cluster_run(cluster, ms(5));
		if ((pbft_at(cluster, 1)->view_changes[3] == body) != (which == GOOD) ||
			cluster->world.refused != (which != GOOD)) {
			fail_msg("case %d", which);
		}
		cluster_destroy(cluster);
	}
}

/* What the forger does to the certificates that a liar sends. */
struct forger {
	enum { CLAIM, BEND } what;
	uint64_t n;
};

static void forge(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	struct forger *forger = context;
	struct node *liar = cluster_node(cluster, message->from);
	if (cluster->protocol->forgery->role(message) != ROLE_CERTIFICATE) {
		return;
	}
	forger->n++;
	if (forger->what == CLAIM) {
		message->number += to; /* another claim to each */
		cluster->protocol->forgery->claim(liar, message);
	} else if (to % (BEND_N + 1) > 0) {
		cluster->protocol->forgery->bend(liar, message, to % (BEND_N + 1) - 1);
	}
	assert_int_equal(message->flags & MESSAGE_FORGED, 0);
}

/* f liars, the next primaries among them, show what nobody signed, or another truth to each: nothing that
 * was committed is undone, everything is decided in the first honest view, and what can't be proved is
 * refused by the replicas themselves. */
static void test_forged_and_bent_certificates(void **state)
{
	for (uint64_t seed = 1; seed <= 24; seed++) {
		uint32_t n = seed % 2 == 0 ? 4 : 7;
		uint32_t n_liars = (n - 1) / 3 - (seed % 3 == 0); /* or one fewer, and the first primary fails */
		struct forger forger = {.what = seed / 2 % 2 == 0 ? CLAIM : BEND};
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = seed % 8 < 4
				? "pbft batch=1 checkpoint_interval=2 watermark_window=8 view_timeout=300ms"
				: "pbft batch=1 checkpoint_interval=2 watermark_window=8 view_timeout=300ms "
				  "fast_path=on tentative=on",
			.latency = "uniform min=1ms max=20ms",
			.n = n,
			.key = own_key,
			.seed = seed,
			.retry_ns = seconds(1),
			.quiet = true});
		for (uint32_t liar = 1; liar <= n_liars; liar++) {
			cluster_lies(cluster, liar);
			cluster_rule(cluster,
				(struct cluster_rule){.from = NODE(liar), .replace = forge, .context = &forger});
		}
		if (n_liars < (n - 1) / 3) {
			cluster_crash(cluster, ms(200), 0);
		}
		for (transaction_id t = 0; t < 40; t++) {
			cluster_submit_all(cluster, ms(20) * t, t);
		}
		/* Views change under way: what is prepared then goes through the liars' new views. */
		struct protocol_step_argument none = {0};
		for (int i = 1; i <= 3; i++) {
			cluster_run(cluster, ms(250) * i);
			for EVERY_NODE(node, cluster) {
				if (cluster_node(cluster, node)->alive) {
					cluster->protocol->step(cluster_node(cluster, node), STEP_CAMPAIGN, &none);
				}
			}
		}
		cluster_run(cluster, seconds(60));
		cluster_assert_safe(cluster);
		for (transaction_id t = 0; t < 40; t++) {
			assert_true(cluster_replies(cluster, t) >= cluster->reply_quorum);
		}
		if (n_liars > 0) {
			assert_true(forger.n > 0);
			assert_int_equal(cluster->world.refused > 0, forger.what == CLAIM);
		}
		cluster_destroy(cluster);
	}
}

/* A liar that calls for view after view, each time later, moves nobody. */
static void test_view_after_view(void **state)
{
	struct cluster *cluster = pbft_cluster(4, "pbft batch=1 view_timeout=1s");
	cluster_lies(cluster, 3);
	for (transaction_id t = 0; t < 50; t++) {
		cluster_submit(cluster, ms(20) * t, 0, t);
		cluster_run(cluster, ms(20) * t + 1);
		struct message call = {.kind = PBFT_COMMIT};
		assert_true(cluster->protocol->forgery->campaign(cluster_node(cluster, 3), &call, t + 1));
		for (uint32_t to = 0; to < 3; to++) {
			cluster_inject(cluster, ms(20) * t + ms(1), to, &call);
		}
	}
	cluster_run(cluster, seconds(2));
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(cluster_view(cluster, i), 0);
		assert_int_equal(cluster->nodes[i].n_transactions, 50);
	}
	struct message late = {.kind = PBFT_COMMIT};
	assert_false(cluster->protocol->forgery->campaign(cluster_node(cluster, 3), &late, 0));
	assert_false(
		cluster->protocol->forgery->campaign(cluster_node(cluster, 3), &late, PBFT_VIEW_MAX + 1));
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equivocating_primary),
		cmocka_unit_test(test_equivocation_is_cured_by_the_view_change),
		cmocka_unit_test(test_one_corrupted_proposal),
		cmocka_unit_test(test_any_numbers),
		cmocka_unit_test(test_one_liar_causes_no_fetch),
		cmocka_unit_test(test_false_proofs_are_refused),
		cmocka_unit_test(test_forged_and_bent_certificates),
		cmocka_unit_test(test_view_after_view),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_held_messages_of_others_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
