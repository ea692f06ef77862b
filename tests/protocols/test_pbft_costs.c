/* What PBFT's messages cost by how they are authenticated. OSDI'99 5: one signature a message, verified by
 * each receiver; or an authenticator, a MAC a receiver. Closed forms of one instance's processor time. */
#include "pbft.h"

#define SIGN 1000
#define VERIFY 100
#define MAC 7

static struct cluster *run(uint32_t n, const char *settings)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = settings,
		.n = n,
		.costs = {.sign_ns = SIGN, .verify_ns = VERIFY, .mac_ns = MAC}});
	cluster_submit(cluster, 0, 0, 7);
	cluster_run(cluster, seconds(1));
	assert_int_equal(cluster->nodes[n - 1].n_executed, 1);
	return cluster;
}

/* The primary: its pre-prepare and commit; the backups' prepares and commits. A backup: its prepare and
 * commit; the pre-prepare, the others' prepares but for the primary's, the others' commits. */
static void test_processor_time(void **state)
{
	for (uint32_t n = 4; n <= 13; n += 3) {
		struct cluster *cluster = run(n, "pbft batch=1");
		int64_t others = n - 1;
		assert_int_equal(cluster_node(cluster, 0)->busy_ns, 2 * SIGN + 2 * others * VERIFY);
		assert_int_equal(
			cluster_node(cluster, 1)->busy_ns, 2 * SIGN + (1 + (others - 1) + others) * VERIFY);
		cluster_destroy(cluster);

		cluster = run(n, "pbft batch=1 authentication=macs");
		assert_int_equal(cluster_node(cluster, 0)->busy_ns, 2 * others * MAC + 2 * others * MAC);
		assert_int_equal(
			cluster_node(cluster, 1)->busy_ns, 2 * others * MAC + (1 + (others - 1) + others) * MAC);
		cluster_destroy(cluster);
	}
}

/* 8 bytes a receiver in every copy. */
static void test_bytes(void **state)
{
	for (uint32_t n = 4; n <= 10; n += 3) {
		struct cluster *signatures = run(n, "pbft batch=1");
		struct cluster *macs = run(n, "pbft batch=1 authentication=macs");
		uint64_t messages = signatures->world.messages[CLASS_AGREEMENT];
		assert_int_equal(messages, (n - 1) + (n - 1) * (n - 1) + n * (n - 1));
		assert_int_equal(macs->world.messages[CLASS_AGREEMENT], messages);
		assert_int_equal(macs->world.bytes[CLASS_AGREEMENT],
			signatures->world.bytes[CLASS_AGREEMENT] + messages * 8 * (n - 1));
		cluster_destroy(signatures);
		cluster_destroy(macs);
	}
}

/* View changes and new views are signed all the same; what goes to one replica alone has one MAC. */
static uint64_t seen[256], with_macs[256];

static bool note(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	seen[message->kind]++;
	with_macs[message->kind] += (message->flags & MESSAGE_MACS) != 0;
	return false;
}

static void test_what_is_signed(void **state)
{
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 authentication=macs view_timeout=1s checkpoint_interval=1",
		.n = 4});
	cluster_rule(cluster, (struct cluster_rule){.when = note});
	memset(seen, 0, sizeof(seen));
	memset(with_macs, 0, sizeof(with_macs));
	cluster_crash(cluster, 0, 0);
	cluster_submit(cluster, 0, 1, 7);
	cluster_submit_all(cluster, ms(10), 7);
	cluster_restart(cluster, seconds(2), 0);
	cluster_run(cluster, seconds(5));
	static const uint8_t macs[] = {
		PBFT_PRE_PREPARE, PBFT_PREPARE, PBFT_COMMIT, PBFT_CHECKPOINT, PBFT_FETCH, PBFT_STATUS};
	for (size_t i = 0; i < sizeof(macs); i++) {
		assert_true(seen[macs[i]] > 0);
		assert_int_equal(with_macs[macs[i]], seen[macs[i]]);
	}
	assert_true(seen[PBFT_VIEW_CHANGE] > 0 && seen[PBFT_NEW_VIEW] > 0);
	assert_int_equal(with_macs[PBFT_VIEW_CHANGE] + with_macs[PBFT_NEW_VIEW], 0);
	cluster_assert_safe(cluster);
	cluster_destroy(cluster);
}

/* A certificate costs its receiver one verification for each signature in it. n = 4, the primary crashes with
 * one request prepared everywhere: each view change shows the 3 signatures of its certificate, and the new
 * view 3 view changes and the one proposal. */
static sim_time busy_before[4];

static bool note_busy(struct cluster *cluster, uint32_t to, const struct message *message, void *context)
{
	*(uint64_t *)context = message_n_signatures(message);
	return false;
}

static void test_certificates_cost_what_they_show(void **state)
{
	uint64_t n_shown[2] = {0};
	struct cluster *cluster = cluster_create(&(struct cluster_options){
		.protocol = "pbft batch=1 view_timeout=1s",
		.n = 4,
		.costs = {.verify_ns = VERIFY}});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_VIEW_CHANGE, .when = note_busy, .context = &n_shown[0]});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_NEW_VIEW, .when = note_busy, .context = &n_shown[1]});
	cluster_rule(cluster,
		(struct cluster_rule){.kind = PBFT_COMMIT, .view_until = 1, .do_drop = true});
	cluster_rule(cluster, (struct cluster_rule){.kind = PBFT_STATUS, .do_drop = true});
	cluster_submit(cluster, 0, 0, 7);
	cluster_crash(cluster, ms(100), 0);
	cluster_run(cluster, ms(900));
	for EVERY_NODE(i, cluster) {
		busy_before[i] = cluster_node(cluster, i)->busy_ns;
	}
	cluster_run(cluster, ms(1036)); /* the timers run from 10 ms on; the new view comes 20 ms after they expire */
	assert_int_equal(n_shown[0], 3);
	assert_int_equal(n_shown[1], 3 + 3 * 3 + 1);
	assert_int_equal(cluster_node(cluster, 1)->busy_ns - busy_before[1], 2 * (1 + 3) * VERIFY);
	assert_int_equal(
		cluster_node(cluster, 2)->busy_ns - busy_before[2], (2 * (1 + 3) + (1 + 13)) * VERIFY);
	cluster_destroy(cluster);
}

/* The primary keeps its proposals apart as a quorum bears; one voter that claims to bear none, or any number,
 * moves it by nothing. */
static void claim_gap(struct cluster *cluster, uint32_t to, struct message *message, void *context)
{
	message->extra = *(const uint64_t *)context;
}

static void test_one_liar_does_not_set_the_pace(void **state)
{
	static const uint64_t gaps[] = {0, UINT64_MAX, (uint64_t)SIM_NEVER, UINT64_C(1) << 63};
	sim_time done[5];
	for (size_t i = 0; i < 5; i++) {
		struct cluster *cluster = cluster_create(&(struct cluster_options){
			.protocol = "pbft", .n = 4, .quiet = true, .costs = {.sign_ns = SIM_MS, .verify_ns = SIM_MS / 2}});
		if (i > 0) {
			uint64_t *gap_ns = cluster_alloc(cluster, sizeof(*gap_ns));
			*gap_ns = gaps[i - 1];
			cluster_rule(cluster,
				(struct cluster_rule){
					.kind = PBFT_PREPARE, .from = NODE(3), .replace = claim_gap, .context = gap_ns});
		}
		for (transaction_id t = 0; t < 200; t++) {
			cluster_submit(cluster, ms(2) * t, 0, t);
		}
		cluster_run(cluster, seconds(5));
		assert_int_equal(cluster->nodes[0].n_transactions, 200);
		/* 400 ms of transactions, an instance costs 5 ms: at most every 10 ms, and not much rarer. */
		assert_in_range(cluster->nodes[0].n_executed, 25, 42);
		done[i] = cluster->nodes[0].executed[cluster->nodes[0].n_executed - 1].at_ns;
		assert_true(done[i] < ms(500) && done[i] == done[0]);
		cluster_destroy(cluster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processor_time),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_what_is_signed),
		cmocka_unit_test(test_certificates_cost_what_they_show),
		cmocka_unit_test(test_one_liar_does_not_set_the_pace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
