/* What a node costs: its processor, its card, and the queues before them. */
#include "host.h"

static struct host *create(
	const struct host_latency *latency, struct node_costs costs, double bandwidth_bps)
{
	struct world_settings settings = host_settings(4, latency);
	settings.n_clients = 2;
	settings.costs = costs;
	settings.bandwidth_bps = bandwidth_bps;
	return host_create(&settings);
}

/* One at a time, in order of arrival, each for receive + verify. */
static void test_the_processor_takes_one_at_a_time(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.receive_ns = 3, .verify_ns = 4}, 0);
	host_send(host, 4, 0, KIND, 1, 1);
	host_send(host, 5, 0, KIND, 1, 2);
	host_send(host, 4, 0, KIND, 1, 3);
	host_send_at(host, 5, 4, 0, KIND, 1, 4);
	host_send_at(host, 40, 5, 0, KIND, 1, 5);
	host_send_at(host, 40, 5, 1, KIND, 1, 6); /* another processor */
	world_run(&host->world);
	host_assert_traced(host, {17, TRACE_MESSAGE, 0, 4, KIND, 1}, {24, TRACE_MESSAGE, 0, 5, KIND, 2},
		{31, TRACE_MESSAGE, 0, 4, KIND, 3}, {38, TRACE_MESSAGE, 0, 4, KIND, 4},
		{57, TRACE_MESSAGE, 0, 5, KIND, 5}, {57, TRACE_MESSAGE, 1, 5, KIND, 6});
	assert_int_equal(host->world.nodes[0].busy_ns, 35);
	assert_int_equal(host->world.nodes[1].busy_ns, 7);
	host_destroy(host);
}

/* A thousand waiting: the line is as long as need be, and stays in order. */
static void test_a_long_line(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.receive_ns = 5}, 0);
	for (uint64_t i = 0; i < 3000; i++) {
		host_send_at(host, (sim_time)i * 2, 4 + (uint32_t)(i % 2), 0, KIND, 1, i);
	}
	world_run(&host->world);
	assert_int_equal(host->n, 3000);
	for (uint64_t i = 0; i < 3000; i++) {
		assert_int_equal(host->trace[i].at, 10 + 5 * (i + 1));
		assert_int_equal(host->trace[i].instance, i);
	}
	host_destroy(host);
}

static void answer(struct host *host, struct node *node, const struct message *message)
{
	if (message->instance == 1) {
		host_send(host, node->id, NODE_NONE, KIND, 1, 10);
		host_send(host, node->id, 4, MESSAGE_REPLY, 1, 11);
	}
}

/* Signed once, then sent copy by copy in order of receivers; the next message waits until all is
 * sent. */
static void test_signing_and_sending(void **state)
{
	struct host_latency latency = host_constant(1000);
	struct host *host = create(&latency,
		(struct node_costs){.send_ns = 2, .receive_ns = 30, .sign_ns = 100, .verify_ns = 5}, 0);
	host->on_message = answer;
	host_send(host, 4, 1, KIND, 1, 1);
	host_send(host, 5, 1, KIND, 1, 2);
	world_run(&host->world);
	/* In service until 1035; signed by 1135, out at 1137, 1139, 1141; the reply at 1243. The second
	 * message is taken at 1243. Others take 35 to receive. */
	host_assert_traced(host, {1035, TRACE_MESSAGE, 1, 4, KIND, 1},
		{1278, TRACE_MESSAGE, 1, 5, KIND, 2}, {2172, TRACE_MESSAGE, 0, 1, KIND, 10},
		{2174, TRACE_MESSAGE, 2, 1, KIND, 10}, {2176, TRACE_MESSAGE, 3, 1, KIND, 10},
		{2243, TRACE_CLIENT, 4, 1, MESSAGE_REPLY, 11});
	assert_int_equal(host->world.nodes[1].busy_ns, 35 + 100 + 6 + 100 + 2 + 35);
	assert_int_equal(host->world.nodes[4].busy_ns, 0);
	host_destroy(host);
}

/* A MAC a receiver to make and one to check, instead of a signature; copy by copy all the same. Saturates. */
static void test_macs(void **state)
{
	for (int shaped = 0; shaped < 2; shaped++) {
		struct host_latency latency = host_constant(1000);
		struct host *host = create(&latency, (struct node_costs){.mac_ns = 7}, 0);
		struct node *node = &host->world.nodes[1];
		node->shaped = shaped;
		for (uint32_t flags = 0; flags <= MESSAGE_MACS; flags += MESSAGE_MACS) {
			struct message *message = node_message(node, KIND, CLASS_AGREEMENT, 1);
			message->flags = (uint16_t)flags;
			node_multicast(node, message);
		}
		struct message *message = node_message(node, KIND, CLASS_AGREEMENT, 1);
		message->flags = MESSAGE_MACS;
		node_send(node, 2, message);
		world_run(&host->world);
		assert_int_equal(node->busy_ns, 3 * 7 + 7);
		assert_int_equal(host->world.nodes[0].busy_ns, 7);
		assert_int_equal(host->world.nodes[2].busy_ns, 7 + 7);
		host_destroy(host);
	}
	struct host_latency latency = host_constant(1000);
	struct host *host = create(&latency, (struct node_costs){.mac_ns = SIM_NEVER - 5}, 0);
	struct message *message = node_message(&host->world.nodes[1], KIND, CLASS_AGREEMENT, 1);
	message->flags = MESSAGE_MACS;
	node_multicast(&host->world.nodes[1], message);
	assert_true(host->world.nodes[1].busy_ns == SIM_NEVER);
	host_destroy(host);
}

static void timer_sends(struct host *host, struct node *node, unsigned timer)
{
	host_send(host, node->id, 4, MESSAGE_REPLY, 1, 20 + timer);
}

/* A timer's handler runs on time, but the processor does no two things at once: what it sends
 * leaves after the work in hand, and the work after that waits for it. */
static void test_timers_take_the_processor_like_messages(void **state)
{
	struct host_latency latency = host_constant(1000);
	struct host *host = create(&latency, (struct node_costs){.send_ns = 50, .receive_ns = 30}, 0);
	host->on_timer = timer_sends;
	host_send(host, 4, 1, KIND, 1, 1); /* in service from 1000 to 1030 */
	host_send(host, 5, 1, KIND, 1, 2); /* from 1130, when both timers have sent, to 1160 */
	node_timer_set(&host->world.nodes[1], 0, 1010);
	node_timer_set(&host->world.nodes[1], 1, 1020);
	node_timer_set(&host->world.nodes[1], 2, 5000); /* idle since long */
	world_run(&host->world);
	host_assert_traced(host, {1010, TRACE_TIMER, 1, 0, 0, 0}, {1020, TRACE_TIMER, 1, 0, 1, 0},
		{1030, TRACE_MESSAGE, 1, 4, KIND, 1}, {1160, TRACE_MESSAGE, 1, 5, KIND, 2},
		{2080, TRACE_CLIENT, 4, 1, MESSAGE_REPLY, 20},
		{2130, TRACE_CLIENT, 4, 1, MESSAGE_REPLY, 21}, {5000, TRACE_TIMER, 1, 0, 2, 0},
		{6050, TRACE_CLIENT, 4, 1, MESSAGE_REPLY, 22});
	assert_int_equal(host->world.nodes[1].busy_ns, 2 * 30 + 3 * 50);
	host_destroy(host);
}

/* A gateway's request comes from outside, at a validator that may have been idle for long: it
 * leaves now, not when the validator last was at work. */
static void test_sending_from_outside_starts_now(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.send_ns = 7, .sign_ns = 1}, 8e9);
	host_send_at(host, 5000, 0, 4, MESSAGE_REPLY, 100, 1);
	host_send_at(host, 5000, 0, 4, MESSAGE_REPLY, 100, 2);
	host_send_at(host, 9000, 0, 4, MESSAGE_REPLY, 100, 3);
	world_run(&host->world);
	host_assert_traced(host, {5118, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 1},
		{5218, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 2}, {9118, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 3});
	host_destroy(host);
}

/* 8 Gbit/s: a byte a nanosecond. Copies go out one after the other, in order of receivers. */
static void test_egress_sends_copy_after_copy(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10000) : host_constant(10000);
		struct host *host = create(&latency, (struct node_costs){0}, 8e9);
		host_send(host, 2, NODE_NONE, KIND, 100, 1);
		host_send(host, 2, 4, MESSAGE_REPLY, 50, 2); /* a client: no ingress */
		host_send_at(host, 200, 2, 4, MESSAGE_REPLY, 30, 3);
		host_send_at(host, 1000, 2, 4, MESSAGE_REPLY, 30, 4);
		world_run(&host->world);
		host_assert_traced(host, {10200, TRACE_MESSAGE, 0, 2, KIND, 1},
			{10300, TRACE_MESSAGE, 1, 2, KIND, 1}, {10350, TRACE_CLIENT, 4, 2, MESSAGE_REPLY, 2},
			{10380, TRACE_CLIENT, 4, 2, MESSAGE_REPLY, 3}, {10400, TRACE_MESSAGE, 3, 2, KIND, 1},
			{11030, TRACE_CLIENT, 4, 2, MESSAGE_REPLY, 4});
		host_destroy(host);
	}
}

/* What arrives together comes in one after the other; a message without a size overtakes nothing.
 */
static void test_ingress_is_a_queue(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){0}, 8e9);
	host_send(host, 4, 0, KIND, 100, 1);       /* arrives 10, in at 110 */
	host_send(host, 5, 0, KIND, 40, 2);        /* 150 */
	host_send_at(host, 100, 4, 0, KIND, 0, 3); /* arrives 110; 150, after the second */
	host_send_at(host, 140, 4, 0, KIND, 0, 4); /* arrives 150, before the second is in */
	host_send_at(host, 300, 4, 0, KIND, 7, 5); /* 317 */
	host_send_at(host, 400, 4, 0, KIND, 0, 6); /* 410 */
	world_run(&host->world);
	host_assert_traced(host, {110, TRACE_MESSAGE, 0, 4, KIND, 1},
		{150, TRACE_MESSAGE, 0, 5, KIND, 2}, {150, TRACE_MESSAGE, 0, 4, KIND, 3},
		{150, TRACE_MESSAGE, 0, 4, KIND, 4}, {317, TRACE_MESSAGE, 0, 4, KIND, 5},
		{410, TRACE_MESSAGE, 0, 4, KIND, 6});
	host_destroy(host);
}

/* The arrival of the second, without a size, is decided before the first is through the card. */
static void test_nothing_overtakes_at_one_instant(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){0}, 8e9);
	host_send_at(host, 10, 5, 0, KIND, 0, 2); /* arrives 20 */
	host_send(host, 4, 0, KIND, 10, 1);       /* arrives 10, in at 20 */
	world_run(&host->world);
	host_assert_traced(
		host, {20, TRACE_MESSAGE, 0, 4, KIND, 1}, {20, TRACE_MESSAGE, 0, 5, KIND, 2});
	host_destroy(host);
}

/* 3 Gbit/s: 8/3 ns a byte; each copy's time is rounded to the nearest nanosecond. */
static void test_times_on_the_wire_are_rounded(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){0}, 3e9);
	host_send(host, 0, 4, MESSAGE_REPLY, 1, 1); /* 2.67 */
	host_send(host, 0, 4, MESSAGE_REPLY, 2, 2); /* 5.33 */
	host_send(host, 0, 4, MESSAGE_REPLY, 1000000000, 3);
	world_run(&host->world);
	host_assert_traced(host, {13, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 1},
		{18, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 2},
		{18 + 2666666667, TRACE_CLIENT, 4, 0, MESSAGE_REPLY, 3});
	host_destroy(host);
}

static void crash_call(struct world *world, void *context, uint64_t node)
{
	world_crash(world, (uint32_t)node);
}

static void restart_call(struct world *world, void *context, uint64_t node)
{
	world_restart(world, (uint32_t)node);
}

/* In the card, in service, in line: all of it is gone, though the node is up again before it would
 * have been done; what comes afterwards is served. */
static void test_a_crash_drops_what_waits(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.receive_ns = 1000}, 8e9);
	host_send(host, 4, 0, KIND, 50, 1);          /* in the card until 60, in service until 1060 */
	host_send(host, 4, 0, KIND, 50, 2);          /* in line from 110 */
	host_send_at(host, 490, 4, 0, KIND, 100, 3); /* in the card from 500 to 600 */
	host_send_at(host, 500, 4, 0, KIND, 100, 4); /* in the card until 700 */
	world_call_at(&host->world, 520, crash_call, NULL, 0);
	host_send_at(host, 515, 4, 0, KIND, 100, 5); /* arrives while it is down */
	world_call_at(&host->world, 540, restart_call, NULL, 0);
	host_send_at(host, 640, 4, 0, KIND, 100, 6); /* behind what is on the wire: in at 800 */
	host_send_at(host, 650, 4, 0, KIND, 0, 7);
	world_run(&host->world);
	host_assert_traced(host, {540, TRACE_RESTART, 0, 0, 0, 0}, {1800, TRACE_MESSAGE, 0, 4, KIND, 6},
		{2800, TRACE_MESSAGE, 0, 4, KIND, 7});
	host_destroy(host);
}

/* The same with nothing after it, so that what was in service is the last that the processor knew.
 */
static void test_a_crash_drops_what_is_in_service(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.receive_ns = 1000}, 0);
	host_send(host, 4, 0, KIND, 50, 1);
	world_call_at(&host->world, 520, crash_call, NULL, 0);
	world_call_at(&host->world, 540, restart_call, NULL, 0);
	world_run(&host->world);
	host_assert_traced(host, {540, TRACE_RESTART, 0, 0, 0, 0});
	assert_int_equal(host->world.now, 1010);
	host_destroy(host);
}

/* After a restart the processor has nothing left to send. */
static void test_a_restarted_processor_is_free(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){.send_ns = 1000, .receive_ns = 5}, 0);
	host->on_message = answer;
	host_send(host, 4, 1, KIND, 50, 1); /* handled at 15; sends until 4015 */
	world_call_at(&host->world, 100, crash_call, NULL, 1);
	world_call_at(&host->world, 200, restart_call, NULL, 1);
	host_send_at(host, 300, 4, 1, KIND, 50, 2);
	host->world.deadline_ns = 1000;
	world_run(&host->world);
	host_assert_traced(host, {15, TRACE_MESSAGE, 1, 4, KIND, 1}, {200, TRACE_RESTART, 1, 0, 0, 0},
		{315, TRACE_MESSAGE, 1, 4, KIND, 2});
	host_destroy(host);
}

/* A second crash while copies from before the first are still in the card. */
static void test_two_crashes_while_the_card_is_full(void **state)
{
	struct host_latency latency = host_constant(10);
	struct host *host = create(&latency, (struct node_costs){0}, 8e9);
	for (uint64_t i = 1; i <= 4; i++) {
		host_send(host, 4, 0, KIND, 100, i); /* in at 110, 210, 310, 410 */
	}
	world_call_at(&host->world, 150, crash_call, NULL, 0);
	world_call_at(&host->world, 160, restart_call, NULL, 0);
	host_send_at(host, 170, 4, 0, KIND, 100, 5); /* would be in at 510 */
	world_call_at(&host->world, 250, crash_call, NULL, 0);
	world_call_at(&host->world, 260, restart_call, NULL, 0);
	host_send_at(host, 270, 4, 0, KIND, 100, 6); /* 610 */
	world_run(&host->world);
	host_assert_traced(host, {110, TRACE_MESSAGE, 0, 4, KIND, 1}, {160, TRACE_RESTART, 0, 0, 0, 0},
		{260, TRACE_RESTART, 0, 0, 0, 0}, {610, TRACE_MESSAGE, 0, 4, KIND, 6});
	host_destroy(host);
}

/* Queues in theory. Customers arrive in a Poisson stream at a card that takes a byte a nanosecond:
 * sizes drawn exponentially make it M/M/1; equal receiving costs at a processor make it M/D/1. */
#define N_RUNS 60
#define N_CUSTOMERS 6000
#define N_WARM 1000

struct line {
	struct random_stream stream;
	double gap_ns, service_ns;
	bool exponential;
	sim_time *arrived;
	uint64_t n_arrived, n_left;
	double sum_ns, n_longer;
};

static void customer(struct world *world, void *context, uint64_t argument)
{
	struct line *line = context;
	double size = line->exponential ? line->service_ns * random_exponential(&line->stream) : 1;
	line->arrived[line->n_arrived] = world->now;
	host_send(world->host, 4, 0, KIND, (uint32_t)(size + .5), line->n_arrived++);
	if (line->n_arrived < N_CUSTOMERS) {
		double gap = line->gap_ns * random_exponential(&line->stream);
		world_call_at(world, world->now + (sim_time)(gap + .5), customer, line, 0);
	}
}

static void leaves(struct host *host, struct node *node, const struct message *message)
{
	struct line *line = host->user;
	assert_int_equal(message->instance, line->n_left); /* first come, first served */
	if (line->n_left++ >= N_WARM) {
		double sojourn = (double)(host->world.now - line->arrived[message->instance]);
		line->sum_ns += sojourn;
		line->n_longer += sojourn > 2 * line->service_ns;
	}
}

/* Means over independent runs of the sojourn, in services, and of the share longer than two. */
static void check_line(double load, bool exponential, double expected, double expected_longer)
{
	const double service_ns = 1e6;
	double sum = 0, squares = 0, longer = 0, longer_squares = 0;
	sim_time *arrived = malloc(N_CUSTOMERS * sizeof(*arrived));
	assert_non_null(arrived);
	for (uint64_t run = 0; run < N_RUNS; run++) {
		struct host_latency latency = host_constant(0);
		struct host *host = create(&latency,
			(struct node_costs){.receive_ns = exponential ? 0 : (sim_time)service_ns},
			exponential ? 8e9 : 0);
		struct line line = {
			.stream = random_stream_make(run, RANDOM_ARRIVALS, exponential),
			.gap_ns = service_ns / load,
			.service_ns = service_ns,
			.exponential = exponential,
			.arrived = arrived,
		};
		host->silent = true;
		host->on_message = leaves;
		host->user = &line;
		world_call_at(&host->world, 0, customer, &line, 0);
		world_run(&host->world);
		assert_int_equal(line.n_left, N_CUSTOMERS);
		double mean = line.sum_ns / (N_CUSTOMERS - N_WARM) / service_ns;
		double share = line.n_longer / (N_CUSTOMERS - N_WARM);
		sum += mean;
		squares += mean * mean;
		longer += share;
		longer_squares += share * share;
		host_destroy(host);
	}
	free(arrived);
	double mean = sum / N_RUNS, share = longer / N_RUNS;
	double error = sqrt((squares / N_RUNS - mean * mean) / (N_RUNS - 1));
	assert_true(error < .02 * expected); /* sharp enough to mean something */
	host_assert_near(mean, expected, error);
	if (expected_longer > 0) {
		host_assert_near(
			share, expected_longer, sqrt((longer_squares / N_RUNS - share * share) / (N_RUNS - 1)));
	}
}

/* Sojourn 1 / (1 - load), exponentially distributed. Kleinrock: Queueing systems 1, 1975,
 * section 3.2. */
static void test_m_m_1(void **state)
{
	check_line(.5, true, 2, .36787944117144233);
	check_line(.2, true, 1.25, .2018965179946554);
}

/* Sojourn 1 + load / (2 (1 - load)): Pollaczek and Khinchine, the same book, section 5.6. */
static void test_m_d_1(void **state)
{
	check_line(.5, false, 1.5, 0);
	check_line(.7, false, 1 + .7 / .6, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_processor_takes_one_at_a_time),
		cmocka_unit_test(test_a_long_line),
		cmocka_unit_test(test_signing_and_sending),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_timers_take_the_processor_like_messages),
		cmocka_unit_test(test_sending_from_outside_starts_now),
		cmocka_unit_test(test_egress_sends_copy_after_copy),
		cmocka_unit_test(test_ingress_is_a_queue),
		cmocka_unit_test(test_nothing_overtakes_at_one_instant),
		cmocka_unit_test(test_times_on_the_wire_are_rounded),
		cmocka_unit_test(test_a_crash_drops_what_waits),
		cmocka_unit_test(test_a_crash_drops_what_is_in_service),
		cmocka_unit_test(test_a_restarted_processor_is_free),
		cmocka_unit_test(test_two_crashes_while_the_card_is_full),
		cmocka_unit_test(test_m_m_1),
		cmocka_unit_test(test_m_d_1),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
