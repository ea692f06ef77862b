/* Messages: who gets them, when, in what order, how they are counted, and what they leave behind.
 */
#include "host.h"

static void test_a_multicast_reaches_all_others_once(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10) : host_constant(10);
		struct world_settings settings = host_settings(4, &latency);
		settings.n_clients = 2;
		struct host *host = host_create(&settings);
		host_send(host, 2, NODE_NONE, KIND, 1, 1);
		host_send(host, 5, NODE_NONE, MESSAGE_REQUEST, 1, 2); /* a client's: to all validators */
		world_run(&host->world);
		host_assert_traced(host, {10, TRACE_MESSAGE, 0, 2, KIND, 1},
			{10, TRACE_MESSAGE, 1, 2, KIND, 1}, {10, TRACE_MESSAGE, 3, 2, KIND, 1},
			{10, TRACE_MESSAGE, 0, 5, MESSAGE_REQUEST, 2},
			{10, TRACE_MESSAGE, 1, 5, MESSAGE_REQUEST, 2},
			{10, TRACE_MESSAGE, 2, 5, MESSAGE_REQUEST, 2},
			{10, TRACE_MESSAGE, 3, 5, MESSAGE_REQUEST, 2});
		assert_int_equal(host->world.events, 7);
		host_destroy(host);
	}
}

static void cascade(struct host *host, struct node *node, const struct message *message)
{
	if (message->instance == 0) {
		return;
	}
	if (message->kind == KIND && (message->instance + node->id) % 3 == 0) {
		host_send(host, node->id, NODE_NONE, KIND, 10, message->instance - 1);
	}
	host_send(host, node->id, node->id, KIND + 1, 10, 0);
	host_send(host, node->id, message->from, KIND + 2, 10, message->instance / 2);
	node_timer_set(node, message->instance % NODE_TIMERS, node_now(node) + 10);
}

static void cascade_timer(struct host *host, struct node *node, unsigned timer)
{
	host_send(host, node->id, (node->id + timer) % 5, KIND + 3, 10, 0);
}

/* One event for all arrivals of a constant network, an event for each of another: the same run. */
static void test_equal_delays_give_the_same_run_whatever_the_model(void **state)
{
	struct host *hosts[2];
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10) : host_constant(10);
		struct world_settings settings = host_settings(5, &latency);
		settings.loss = .1;
		hosts[equal] = host_create(&settings);
		hosts[equal]->on_message = cascade;
		hosts[equal]->on_timer = cascade_timer;
		host_send(hosts[equal], 0, NODE_NONE, KIND, 1, 13);
		world_run(&hosts[equal]->world);
		assert_true(hosts[equal]->n > 1000);
	}
	host_assert_same(hosts[0], hosts[1]);
	host_assert_digests(hosts[0], hosts[1], true);
	assert_true(hosts[0]->world.lost > 50);
	assert_int_equal(hosts[0]->world.lost, hosts[1]->world.lost);
	host_destroy(hosts[0]);
	host_destroy(hosts[1]);
}

static void to_itself(struct host *host, struct node *node, const struct message *message)
{
	if (message->kind == KIND) {
		host_send(host, node->id, node->id, KIND + 1, 1000, message->instance);
	}
}

/* It takes no time, counts as nothing and is never lost; it comes after what already waits for now.
 */
static void test_a_message_to_oneself(void **state)
{
	struct host_latency latency = host_constant(10);
	struct world_settings settings = host_settings(3, &latency);
	settings.bandwidth_bps = 8e9; /* a byte a ns, which it does not pay */
	settings.costs = (struct node_costs){100, 100, 100, 100};
	settings.loss = 1;
	struct host *host = host_create(&settings);
	host->on_message = to_itself;
	host_send_at(host, 5, 0, 0, KIND, 1000, 1);
	host_send_at(host, 5, 1, 1, KIND, 1000, 2);
	host_send_at(host, 5, 0, 1, KIND, 1000, 3); /* lost */
	world_run(&host->world);
	host_assert_traced(host, {5, TRACE_MESSAGE, 0, 0, KIND, 1}, {5, TRACE_MESSAGE, 1, 1, KIND, 2},
		{5, TRACE_MESSAGE, 0, 0, KIND + 1, 1}, {5, TRACE_MESSAGE, 1, 1, KIND + 1, 2});
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 1);
	assert_int_equal(host->world.bytes[CLASS_AGREEMENT], 1000);
	assert_int_equal(host->world.nodes[1].messages_sent, 0);
	assert_int_equal(host->world.nodes[1].busy_ns, 0);
	host_destroy(host);
}

static void send_class(
	struct host *host, uint32_t from, uint32_t to, enum message_class class, uint32_t size_bytes)
{
	struct node *node = &host->world.nodes[from];
	struct message *message = node_message(node, KIND, class, size_bytes);
	if (to == NODE_NONE) {
		node_multicast(node, message);
	} else {
		node_send(node, to, message);
	}
}

static void test_messages_and_bytes_are_counted_by_class_when_sent(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10) : host_constant(10);
		struct world_settings settings = host_settings(7, &latency);
		settings.n_clients = 1;
		settings.loss = 1; /* what is lost was sent */
		struct host *host = host_create(&settings);
		send_class(host, 0, NODE_NONE, CLASS_AGREEMENT, 100);
		send_class(host, 1, 2, CLASS_AGREEMENT, 7);
		send_class(host, 1, NODE_NONE, CLASS_HEARTBEAT, 1000000000);
		send_class(host, 2, 3, CLASS_CONTROL, 50);
		send_class(host, 2, 2, CLASS_CONTROL, 50);
		send_class(host, 7, NODE_NONE, CLASS_CLIENT, 30);
		send_class(host, 3, 7, CLASS_CLIENT, 20);
		const uint64_t messages[] = {7, 6, 1, 8};
		const uint64_t bytes[] = {607, 6000000000, 50, 230};
		assert_memory_equal(host->world.messages, messages, sizeof(messages));
		assert_memory_equal(host->world.bytes, bytes, sizeof(bytes));
		assert_int_equal(host->world.nodes[0].messages_sent, 6);
		assert_int_equal(host->world.nodes[0].bytes_sent, 600);
		assert_int_equal(host->world.nodes[1].messages_sent, 7);
		assert_int_equal(host->world.nodes[1].bytes_sent, 6000000007);
		assert_int_equal(host->world.nodes[7].messages_sent, 7);
		world_run(&host->world);
		assert_int_equal(host->n, 1); /* to itself */
		assert_int_equal(host->world.lost, 22 - 1 + 1);
		host_destroy(host);
	}
}

static void test_clients_wait_as_long_as_anyone(void **state)
{
	struct host_latency latency = host_constant(10);
	struct world_settings settings = host_settings(2, &latency);
	settings.n_clients = 2;
	struct host *host = host_create(&settings);
	host_send(host, 2, 0, MESSAGE_REQUEST, 1, 1);
	host_send_at(host, 4, 0, 3, MESSAGE_REPLY, 1, 2);
	host_send_at(host, 5, 1, 2, MESSAGE_HINT, 1, 3);
	host_send_at(host, 6, 0, 1, MESSAGE_REPLY, 1, 4); /* to the gateway at a validator */
	world_run(&host->world);
	host_assert_traced(host, {10, TRACE_MESSAGE, 0, 2, MESSAGE_REQUEST, 1},
		{14, TRACE_CLIENT, 3, 0, MESSAGE_REPLY, 2}, {15, TRACE_CLIENT, 2, 1, MESSAGE_HINT, 3},
		{16, TRACE_CLIENT, 1, 0, MESSAGE_REPLY, 4});
	host_destroy(host);
}

static void bounce(struct host *host, struct node *node, const struct message *message)
{
	if (message->instance > 0) {
		uint32_t next = (node->id + 1) % 4;
		host_send(host, node->id, node->id == 3 ? NODE_NONE : next, KIND, 10,
			node->id == 3 ? 0 : message->instance - 1);
		if (node->id == 3) {
			host_send(host, 3, 0, KIND, 10, message->instance - 1);
		}
	}
}

/* Handled, lost, to the dead or dropped in a crash: every packet goes back to the pool. */
static void test_packets_are_used_again(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct host_latency latency = way == 0 ? host_constant(10) : host_equal(10);
		struct world_settings settings = host_settings(4, &latency);
		settings.n_clients = 1;
		if (way >= 2) {
			settings.costs.receive_ns = 3;
			settings.bandwidth_bps = way == 2 ? 0 : 80e9; /* a byte in .1 ns */
		}
		struct host *host = host_create(&settings);
		host->silent = true;
		host->on_message = bounce;
		host_send(host, 3, 0, KIND, 10, 300000);
		world_run(&host->world);
		assert_true(host->world.events > 300000);
		assert_true(host->world.n_packets_used <= 4);
		host->world.stopped = false;
		host->on_message = NULL;
		sim_time now = host->world.now;
		for (int round = 0; round < 100; round++) {
			/* Ten wait at a busy node when it goes down, or are in its card. */
			for (uint32_t i = 0; i < 10; i++) {
				host_send(host, 4, NODE_NONE, KIND, 20, i);
			}
			host->world.deadline_ns = now += 15;
			world_run(&host->world);
			world_crash(&host->world, 1);
			host->world.stopped = false;
			host->world.deadline_ns = now += 100;
			world_run(&host->world);
			world_restart(&host->world, 1);
			host->world.stopped = false;
		}
		assert_true(host->world.n_packets_used <= 14);
		host->world.loss_all = 1;
		host->world.lossy = true;
		host->world.filtered = true;
		for (int round = 0; round < 1000; round++) {
			host_send(host, 4, NODE_NONE, KIND, 20, 0);
			host->world.deadline_ns = now += 100;
			world_run(&host->world);
			host->world.stopped = false;
		}
		assert_int_equal(host->world.lost, 4000);
		assert_true(host->world.n_packets_used <= 14);
		host_destroy(host);
	}
}

static void test_ten_thousand_validators(void **state)
{
	const uint32_t n = 10000;
	for (int way = 0; way < 3; way++) {
		struct host_latency latency =
			way == 0 ? host_constant(10) : host_latency("uniform", "min", 1000, "max", 9000);
		struct world_settings settings = host_settings(n, &latency);
		settings.costs.receive_ns = way == 2;
		struct host *host = host_create(&settings);
		host_send(host, 0, NODE_NONE, KIND, 10, 1);
		host_send(host, n - 1, NODE_NONE, KIND, 10, 2);
		world_run(&host->world);
		assert_int_equal(host->n, 2 * (n - 1));
		unsigned char *got = calloc(n, 1);
		for (size_t i = 0; i < host->n; i++) {
			unsigned char bit = (unsigned char)(host->trace[i].instance);
			assert_int_equal(got[host->trace[i].node] & bit, 0);
			got[host->trace[i].node] |= bit;
			assert_int_equal(host->trace[i].from, bit == 1 ? 0 : n - 1);
		}
		assert_int_equal(got[0], 2);
		assert_int_equal(got[n - 1], 1);
		free(got);
		host_destroy(host);
	}
}

static void noise(struct host *host, struct node *node, const struct message *message)
{
	if (node->id != 0 && message->kind == KIND + 1 && message->instance > 0) {
		host_send(host, node->id, NODE_NONE, KIND + 1, 10, message->instance - 1);
	}
}

static struct host *draws(bool noisy, double loss, uint64_t seed)
{
	struct host_latency latency = host_latency("exponential", "mean", SIM_MS, "min", 0);
	struct world_settings settings = host_settings(5, &latency);
	settings.seed = seed;
	settings.loss = loss;
	struct host *host = host_create(&settings);
	host->on_message = noise;
	if (noisy) {
		for (uint32_t i = 1; i < 5; i++) {
			host_send(host, i, i % 4 + 1, KIND + 1, 10, 5);
		}
	}
	for (uint64_t k = 0; k < 200; k++) {
		host_send_at(host, (sim_time)k * SIM_MS / 4, 0, k % 7 == 0 ? 3 : NODE_NONE, KIND, 10, k);
	}
	world_run(&host->world);
	return host;
}

/* Keeps what node 0 sent. */
static void keep_kind(struct host *host)
{
	size_t n = 0;
	for (size_t i = 0; i < host->n; i++) {
		if (host->trace[i].which == KIND) {
			host->trace[n++] = host->trace[i];
		}
	}
	host->n = n;
}

static void test_other_messages_shift_no_draw(void **state)
{
	for (int lossy = 0; lossy < 2; lossy++) {
		struct host *quiet = draws(false, lossy ? .2 : 0, 1);
		struct host *noisy = draws(true, lossy ? .2 : 0, 1);
		assert_true(noisy->n > quiet->n + 100);
		keep_kind(noisy);
		host_assert_same(quiet, noisy);
		host_destroy(quiet);
		host_destroy(noisy);
	}
}

/* What is lost takes along no draw either: the others arrive when they would have arrived. */
static void test_loss_shifts_no_delay(void **state)
{
	struct host *whole = draws(false, 0, 1);
	struct host *lossy = draws(false, .2, 1);
	assert_true(lossy->n < whole->n);
	assert_int_equal(lossy->n + lossy->world.lost, whole->n);
	size_t at = 0;
	for (size_t i = 0; i < lossy->n; i++) {
		while (memcmp(&whole->trace[at], &lossy->trace[i], sizeof(struct trace)) != 0) {
			at++;
			assert_true(at < whole->n);
		}
	}
	struct host *other = draws(false, 0, 2);
	host_assert_digests(whole, other, false); /* the seed matters */
	host_destroy(whole);
	host_destroy(lossy);
	host_destroy(other);
}

static void fill(struct message *message, int field, uint64_t value)
{
	switch (field) {
	case 0:
		message->view = value;
		break;
	case 1:
		message->instance = value;
		break;
	case 2:
		message->digest = value;
		break;
	case 3:
		message->extra = value;
		break;
	case 4:
		message->kind = (uint8_t)(KIND + value);
		break;
	default:
		break;
	}
}

/* Lies that change no time still change the digest. */
static void test_the_digest_covers_what_messages_say(void **state)
{
	char texts[11][DIGEST_TEXT];
	for (int i = 0; i < 11; i++) {
		struct host_latency latency = host_constant(10);
		struct world_settings settings = host_settings(4, &latency);
		struct host *host = host_create(&settings);
		struct message *message = node_message(&host->world.nodes[0], KIND, CLASS_AGREEMENT, 10);
		fill(message, i / 2, 1 + (uint64_t)(i % 2));
		node_multicast(&host->world.nodes[0], message);
		world_run(&host->world);
		digest_text(&host->world.digest, texts[i]);
		for (int k = 0; k < i; k++) {
			assert_string_not_equal(texts[k], texts[i]);
		}
		host_destroy(host);
	}
}

/* Waiting for the k-th of n independent delays: uniform a + (b - a) k / (n + 1), a beta variable;
 * exponential H_n - H_(n-k), a sum of k independent ones (Renyi 1953). David, Nagaraja: Order
 * statistics, 2003, sections 2.1 and 2.5. */
#define N_ROUNDS 20000

struct rounds {
	sim_time began;
	uint32_t n_answers, n_left;
	double sums[5];
	bool gather; /* n senders and one receiver, else one sender and n receivers */
};

static void round_begin(struct host *host, struct rounds *rounds)
{
	rounds->began = host->world.now;
	rounds->n_answers = 0;
	if (!rounds->gather) {
		host_send(host, 4, NODE_NONE, KIND, 10, 0);
		return;
	}
	for (uint32_t i = 0; i < 4; i++) {
		host_send(host, i, 4, KIND, 10, 0);
	}
}

static void round_answer(struct host *host, struct node *node, const struct message *message)
{
	struct rounds *rounds = host->user;
	rounds->sums[++rounds->n_answers] += (double)(host->world.now - rounds->began);
	if (rounds->n_answers == 4 && --rounds->n_left > 0) {
		round_begin(host, rounds);
	}
}

static void check_order_statistics(const struct host_latency *latency, bool gather,
	const double means[5], const double variances[5])
{
	struct world_settings settings = host_settings(5, latency);
	struct rounds rounds = {.n_left = N_ROUNDS, .gather = gather};
	struct host *host = host_create(&settings);
	host->silent = true;
	host->on_message = round_answer;
	host->user = &rounds;
	round_begin(host, &rounds);
	world_run(&host->world);
	assert_int_equal(rounds.n_left, 0);
	for (int k = 1; k <= 4; k++) {
		host_assert_near(rounds.sums[k] / N_ROUNDS, means[k], sqrt(variances[k] / N_ROUNDS));
	}
	host_destroy(host);
}

static void test_waiting_for_the_kth_of_n_uniform_delays(void **state)
{
	const double a = 30e6, b = 40e6;
	struct host_latency latency = host_latency("uniform", "min", (sim_time)a, "max", (sim_time)b);
	double means[5], variances[5];
	for (int k = 1; k <= 4; k++) {
		means[k] = a + (b - a) * k / 5;
		variances[k] = (b - a) * (b - a) * k * (5 - k) / (25.0 * 6);
	}
	check_order_statistics(&latency, false, means, variances);
	check_order_statistics(&latency, true, means, variances);
}

static void test_waiting_for_the_kth_of_n_exponential_delays(void **state)
{
	struct host_latency latency = host_latency("exponential", "mean", SIM_SECOND, "min", 0);
	double means[5] = {0}, variances[5] = {0};
	for (int k = 1; k <= 4; k++) {
		means[k] = means[k - 1] + 1e9 / (5 - k);
		variances[k] = variances[k - 1] + 1e18 / ((5 - k) * (5 - k));
	}
	assert_true(fabs(means[3] / 1e9 - 1.0833) < 1e-4);
	check_order_statistics(&latency, false, means, variances);
	check_order_statistics(&latency, true, means, variances);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_multicast_reaches_all_others_once),
		cmocka_unit_test(test_equal_delays_give_the_same_run_whatever_the_model),
		cmocka_unit_test(test_a_message_to_oneself),
		cmocka_unit_test(test_messages_and_bytes_are_counted_by_class_when_sent),
		cmocka_unit_test(test_clients_wait_as_long_as_anyone),
		cmocka_unit_test(test_packets_are_used_again),
		cmocka_unit_test(test_ten_thousand_validators),
		cmocka_unit_test(test_other_messages_shift_no_draw),
		cmocka_unit_test(test_loss_shifts_no_delay),
		cmocka_unit_test(test_the_digest_covers_what_messages_say),
		cmocka_unit_test(test_waiting_for_the_kth_of_n_uniform_delays),
		cmocka_unit_test(test_waiting_for_the_kth_of_n_exponential_delays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
