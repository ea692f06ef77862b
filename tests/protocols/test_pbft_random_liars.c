/* PBFT under random schedules with f liars that do whatever their keys allow: propose different batches to
 * different backups, vote for what each receiver holds, hide what they know when the view changes or claim
 * fast votes that they never gave; a fifth of all messages is lost, and views change all the time. Agreement
 * holds throughout; when the loss has ended, everything is decided. All options at random. */
#include "pbft.h"

#include <stdio.h>

#define N_SEEDS 200
#define N_TRANSACTIONS 30
#define LOSS_ENDS seconds(8)

static const char *const options[] = {
	"", " fast_path=on", " fast_path=on tentative=on", " tentative=on"};

static uint64_t own_key(transaction_id transaction)
{
	return transaction;
}

/* What was ever proposed at an instance, so that lies hit. */
struct liars {
	struct random_stream stream;
	const struct batch *proposed[64];
};

static const struct batch **proposed_at(struct liars *liars, uint64_t instance)
{
	return &liars->proposed[instance % 64];
}

static void propose(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	struct liars *liars = context;
	const struct batch **proposed = proposed_at(liars, message->instance);
	message->flags |= random_below(&liars->stream, 4) > 0 ? PBFT_FLAG_FAST : 0;
	if (*proposed != NULL && random_below(&liars->stream, 2) == 0) {
		message->body = *proposed;
	} else if (random_below(&liars->stream, 3) == 0) {
		transaction_id t = (transaction_id)random_below(&liars->stream, N_TRANSACTIONS);
		message->body = cluster_batch(cluster, &t, 1);
	}
	*proposed = message->body;
	message->digest = ((const struct batch *)message->body)->digest;
}

static void vote(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	const struct pbft_slot *slot = pbft_slot_at(cluster, to, message->instance);
	if (slot->instance == message->instance && slot->view == message->view && slot->batch != NULL) {
		message->digest = slot->batch->digest;
		message->flags |= slot->votes_fast ? PBFT_FLAG_FAST : 0;
	}
}

static void change_view(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	struct liars *liars = context;
	const struct pbft_view_change *truth = message->body;
	struct pbft_view_change *lie = cluster_alloc(
		cluster, sizeof(*lie) + truth->n_prepared * sizeof(lie->prepared[0]));
	*lie = *truth;
	lie->n_prepared = 0;
	for (uint32_t i = 0; i < truth->n_prepared; i++) {
		if (random_below(&liars->stream, 3) == 0) {
			lie->prepared[lie->n_prepared++] = truth->prepared[i];
		}
	}
	struct pbft_prepared *fast = cluster_alloc(cluster, 8 * sizeof(*fast));
	lie->fast = fast;
	lie->n_fast = 0;
	for (uint64_t i = 1; i <= 8; i++) {
		const struct batch *batch = *proposed_at(liars, truth->stable + i);
		if (batch != NULL && random_below(&liars->stream, 2) == 0) {
			uint64_t back = random_below(&liars->stream, truth->view < 3 ? truth->view : 3);
			fast[lie->n_fast++] =
				(struct pbft_prepared){truth->stable + i, truth->view - 1 - back, batch, NULL};
		}
	}
	pbft_vouch(cluster, lie, false); /* the proofs that it has are true */
	message->body = lie;
}

/* A node loses patience. */
static void campaign(struct world *world, void *context, uint64_t node)
{
	if (world->nodes[node].alive) {
		struct protocol_step_argument none = {0};
		((struct cluster *)world->host)->protocol->step(&world->nodes[node], STEP_CAMPAIGN, &none);
	}
}

static bool all_decided(const struct cluster *cluster)
{
	for (transaction_id t = 0; t < N_TRANSACTIONS; t++) {
		if (cluster_replies(cluster, t) < cluster->n - cluster->n_faulty) {
			return false;
		}
	}
	return true;
}

static void run_schedule(uint64_t seed, bool quiet, uint64_t *n_fast, uint64_t *n_views)
{
	struct liars *liars = calloc(1, sizeof(*liars));
	assert_non_null(liars);
	liars->stream = random_stream_make(seed, RANDOM_FAULT, 7);
	struct random_stream *stream = &liars->stream;
	char protocol[256];
	snprintf(protocol, sizeof(protocol),
		"pbft batch=1 view_timeout=150ms checkpoint_interval=4 watermark_window=8%s",
		options[random_below(stream, 4)]);
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = protocol,
		.latency = random_below(stream, 2) == 0 ? "uniform min=1ms max=30ms" : "constant value=5ms",
		.n = random_below(stream, 3) == 0 ? 7 : 4,
		.seed = seed,
		.loss = .2,
		.retry_ns = ms(400),
		.key = own_key,
		.quiet = quiet,
	});
	uint32_t order[CLUSTER_NODES_MAX];
	random_permutation(stream, order, cluster->n);
	uint64_t lying = 0;
	for (uint32_t i = 0; i < cluster->n_faulty; i++) {
		cluster_lies(cluster, order[i]);
		lying |= NODE(order[i]);
	}
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_PRE_PREPARE, .from = lying, .replace = propose, .context = liars});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_PREPARE, .from = lying, .replace = vote});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_COMMIT, .from = lying, .replace = vote});
	cluster_rule(cluster,
		(struct cluster_rule){
			.kind = PBFT_VIEW_CHANGE, .from = lying, .replace = change_view, .context = liars});
	cluster_loss(cluster, LOSS_ENDS, 0);
	for (transaction_id t = 0; t < N_TRANSACTIONS; t++) {
		cluster_submit_all(cluster, ms(random_uniform(stream, 0, 7000)), t);
	}
	for (int i = 0; i < 40; i++) {
		world_call_at(&cluster->world, ms(random_uniform(stream, 0, 7000)), campaign, NULL,
			random_below(stream, cluster->n));
	}
	for (sim_time after = seconds(60); after <= seconds(1000) && !all_decided(cluster); after *= 2) {
		cluster_run(cluster, LOSS_ENDS + after);
	}
	cluster_assert_safe(cluster);
	if (!all_decided(cluster)) {
		cluster_print(cluster);
		fail_msg("seed %llu: not all is decided", (unsigned long long)seed);
	}
	for EVERY_NODE(i, cluster) {
		*n_fast += (lying & NODE(i)) == 0 ? pbft_at(cluster, i)->n_fast : 0;
		*n_views += cluster_view(cluster, i);
	}
	cluster_destroy(cluster);
	free(liars);
}

static void test_random_liars(void **state)
{
	uint64_t n_fast = 0, n_views = 0;
	for (uint64_t seed = 1; seed <= N_SEEDS; seed++) {
		run_schedule(seed, true, &n_fast, &n_views);
	}
	assert_true(n_fast > 1000);
	assert_true(n_views > 10000);
}

/* With `argv[1]`, that seed alone and its trace, should it fail. */
int main(int argc, char **argv)
{
	if (argc > 1) {
		uint64_t n_fast = 0, n_views = 0;
		run_schedule(strtoull(argv[1], NULL, 10), false, &n_fast, &n_views);
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_liars),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
