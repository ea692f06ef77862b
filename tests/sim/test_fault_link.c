/* What happens to copies on their way, and at slow nodes. */
#include "faults.h"

#define NONE {NULL, NULL}

static struct host *create(const struct host_latency *latency, uint32_t n)
{
	struct world_settings settings = host_settings(n, latency);
	settings.n_clients = 1;
	return host_create(&settings);
}

static struct plugin_value extra(struct host_latency *latency)
{
	return (struct plugin_value){&latency->model->plugin, latency->settings};
}

/* Only what the window's senders send to its receivers while it is open; the rest is not even shaped. */
static void test_slow_link(void **state)
{
	struct host_latency add = host_constant(100);
	const struct fault_slow_link slow = {{10, 20}, NODES(0), NODES(1, 2), 3, extra(&add)};
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(5) : host_constant(5);
		struct host *host = create(&latency, 4);
		fault_add(host, "slow-link", &slow);
		for (sim_time t = 9; t <= 20; t += t == 10 ? 9 : 1) {
			host_send_at(host, t, 0, NODE_NONE, KIND, 1, (uint64_t)t); /* 9, 10, 19, 20 */
		}
		host_send_at(host, 15, 1, NODE_NONE, KIND, 1, 15);
		world_run(&host->world);
		host_assert_traced(host, {14, TRACE_MESSAGE, 1, 0, KIND, 9}, {14, TRACE_MESSAGE, 2, 0, KIND, 9},
			{14, TRACE_MESSAGE, 3, 0, KIND, 9}, {15, TRACE_MESSAGE, 3, 0, KIND, 10},
			{20, TRACE_MESSAGE, 0, 1, KIND, 15}, {20, TRACE_MESSAGE, 2, 1, KIND, 15},
			{20, TRACE_MESSAGE, 3, 1, KIND, 15}, {24, TRACE_MESSAGE, 3, 0, KIND, 19},
			{25, TRACE_MESSAGE, 1, 0, KIND, 20}, {25, TRACE_MESSAGE, 2, 0, KIND, 20},
			{25, TRACE_MESSAGE, 3, 0, KIND, 20}, {125, TRACE_MESSAGE, 1, 0, KIND, 10},
			{125, TRACE_MESSAGE, 2, 0, KIND, 10}, {134, TRACE_MESSAGE, 1, 0, KIND, 19},
			{134, TRACE_MESSAGE, 2, 0, KIND, 19});
		assert_int_equal(host->world.messages[CLASS_AGREEMENT], 15);
		assert_int_equal(host->n_fault_ends, 1);
		assert_false(host->world.nodes[0].shaped);
		host_destroy(host);
	}
}

static void look_on(
	void *context, struct node *from, uint32_t to, struct message *copy, struct shaping *shaping)
{
	uint32_t *n = context;
	++*n;
}

/* Whoever else shapes a node goes on doing so when the window is over. */
static void test_other_shapers(void **state)
{
	struct host_latency add = host_constant(100), latency = host_constant(5);
	const struct fault_slow_link slow = {{0, 10}, NODES(0), {.n = 0}, 1, extra(&add)};
	for (int late = 0; late < 2; late++) {
		struct host *host = create(&latency, 3);
		uint32_t n = 0;
		struct shaper shaper = {.shape = look_on, .context = &n};
		if (late) {
			fault_add(host, "slow-link", &slow);
		}
		world_add_shaper(&host->world, &shaper);
		host->world.nodes[0].shaped = true;
		if (!late) {
			fault_add(host, "slow-link", &slow);
		}
		host_send_at(host, 5, 0, 1, KIND, 1, 0);
		host_send_at(host, 15, 0, 1, KIND, 1, 1);
		world_run(&host->world);
		assert_int_equal(n, 2);
		host_assert_traced(host, {20, TRACE_MESSAGE, 1, 0, KIND, 1}, {110, TRACE_MESSAGE, 1, 0, KIND, 0});
		host_destroy(host);
	}
}

/* From time 0 on it holds for what is sent before the first event. */
static void test_from_the_start(void **state)
{
	struct host_latency add = host_constant(100), latency = host_constant(5);
	const struct fault_slow_link slow = {{0, SIM_NEVER}, {.n = 0}, {.n = 0}, 1, extra(&add)};
	struct host *host = create(&latency, 2);
	fault_add(host, "slow-link", &slow);
	assert_true(host->world.nodes[0].shaped && host->world.nodes[2].shaped); /* clients too */
	host_send(host, 0, 1, KIND, 1, 0);
	world_run(&host->world);
	host_assert_traced(host, {105, TRACE_MESSAGE, 1, 0, KIND, 0});
	host_destroy(host);
}

static void again(struct world *world, void *context, uint64_t left)
{
	host_send(world->host, left % 4, NODE_NONE, KIND, 10, left);
	if (left > 0) {
		world_call_at(world, world->now + 10, again, NULL, left - 1);
	}
}

/* What is added is drawn for each copy alone, and shifts no delay of the network's. */
static void test_delays_are_drawn(void **state)
{
	struct host_latency add = host_latency("exponential", "mean", 1000, "min", 0);
	struct host_latency latency = host_latency("uniform", "min", 0, "max", 1000000);
	const struct fault_slow_link slow = {{0, SIM_NEVER}, NODES(0), {.n = 0}, 1, extra(&add)};
	struct host *plain = create(&latency, 1000), *slowed = create(&latency, 1000);
	fault_add(slowed, "slow-link", &slow);
	sim_time came[1000];
	for (int i = 0; i < 2; i++) {
		struct host *host = i ? slowed : plain;
		host_send(host, 0, NODE_NONE, KIND, 1, 0);
		host_send(host, 1, NODE_NONE, KIND, 1, 1);
		world_run(&host->world);
	}
	for (size_t i = 0; i < plain->n; i++) {
		if (plain->trace[i].from == 0) {
			came[plain->trace[i].node] = plain->trace[i].at;
		}
	}
	double sum = 0;
	for (size_t i = 0; i < slowed->n; i++) {
		if (slowed->trace[i].from == 0) {
			assert_true(slowed->trace[i].at >= came[slowed->trace[i].node]);
			sum += (double)(slowed->trace[i].at - came[slowed->trace[i].node]);
		}
	}
	host_assert_near(sum / 999, 1000, 1000 / sqrt(999));
	host_destroy(plain);
	host_destroy(slowed);
}

static void test_duplicates(void **state)
{
	const struct fault_duplicate duplicate = {{10, 11}, 1, 0, 2, 7};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, 3);
	fault_add(host, "duplicate", &duplicate);
	host_send_at(host, 10, 0, NODE_NONE, KIND, 1, 1);
	host_send_at(host, 11, 0, 1, KIND, 1, 2);
	world_run(&host->world);
	host_assert_traced(host, {15, TRACE_MESSAGE, 1, 0, KIND, 1}, {15, TRACE_MESSAGE, 2, 0, KIND, 1},
		{16, TRACE_MESSAGE, 1, 0, KIND, 2}, {22, TRACE_MESSAGE, 1, 0, KIND, 1},
		{22, TRACE_MESSAGE, 2, 0, KIND, 1}, {29, TRACE_MESSAGE, 1, 0, KIND, 1},
		{29, TRACE_MESSAGE, 2, 0, KIND, 1});
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 3); /* the network's own don't count */
	host_destroy(host);
}

/* A copy and its duplicate are lost independently: with loss .5, both come in a quarter of the cases. */
static void test_duplicates_are_lost_on_their_own(void **state)
{
	const struct fault_duplicate duplicate = {{0, SIM_NEVER}, .5, 0, 1, 1};
	struct host_latency latency = host_constant(5);
	struct world_settings settings = host_settings(4, &latency);
	settings.loss = .5;
	struct host *host = host_create(&settings);
	fault_add(host, "duplicate", &duplicate);
	world_call_at(&host->world, 0, again, NULL, 9999);
	world_run(&host->world);
	static uint8_t n_came[10000][4];
	memset(n_came, 0, sizeof(n_came));
	for (size_t i = 0; i < host->n; i++) {
		n_came[host->trace[i].instance][host->trace[i].node]++;
	}
	size_t n[3] = {0};
	for (uint32_t i = 0; i < 10000; i++) {
		for (uint32_t node = 0; node < 4; node++) {
			n[n_came[i][node]] += node != i % 4;
		}
	}
	/* None: .5 * .5 + .5 * .25; both: .5 * .25. */
	const double wanted[] = {.375, .5, .125};
	for (int k = 0; k < 3; k++) {
		host_assert_near((double)n[k] / 30000, wanted[k], sqrt(wanted[k] * (1 - wanted[k]) / 30000));
	}
	host_destroy(host);
}

static void test_disorder(void **state)
{
	const struct fault_reorder reorder = {{0, SIM_NEVER}, .25, 0, 1000};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, 4);
	fault_add(host, "reorder", &reorder);
	world_call_at(&host->world, 0, again, NULL, 9999);
	world_run(&host->world);
	assert_int_equal(host->n, 30000);
	double sum = 0, n_held = 0;
	for (size_t i = 0; i < host->n; i++) {
		sim_time late = host->trace[i].at - 5 - 10 * (9999 - (sim_time)host->trace[i].instance);
		assert_in_range(late, 0, 1000);
		n_held += late > 0;
		sum += (double)late;
	}
	host_assert_near(n_held / 30000, .25, sqrt(.25 * .75 / 30000));
	host_assert_near(sum / n_held, 500, 1000 / sqrt(12 * n_held));
	host_destroy(host);
}

static void send_of_class(struct world *world, void *context, uint64_t class)
{
	struct node *node = &world->nodes[0];
	node_send(node, 1, node_message(node, KIND, (enum message_class)class, 10));
}

/* `among: validators` leaves alone what passes with clients and gateways. */
static void test_among(void **state)
{
	for (int all = 0; all < 2; all++) {
		const struct fault_duplicate duplicate = {{0, SIM_NEVER}, 1, all, 1, 0};
		const struct fault_loss corrupt = {{0, 100}, 1, all};
		struct host_latency latency = host_constant(5);
		for (int which = 0; which < 2; which++) {
			struct host *host = create(&latency, 3);
			fault_add(host, which ? "corrupt" : "duplicate",
				which ? (const void *)&corrupt : (const void *)&duplicate);
			host_send(host, 3, 0, MESSAGE_REQUEST, 1, 0);
			host_send(host, 0, 3, MESSAGE_REPLY, 1, 0);
			world_call_at(&host->world, 0, send_of_class, NULL, CLASS_CLIENT);
			world_call_at(&host->world, 0, send_of_class, NULL, CLASS_CONTROL);
			world_run(&host->world);
			assert_int_equal(host->n, which ? (all ? 0 : 3) : (all ? 8 : 5));
			host_destroy(host);
		}
	}
}

/* Garbled copies cost what others cost and go no further; decided at arrival. */
static void test_corruption(void **state)
{
	const struct fault_loss corrupt = {{10, 20}, 1, 0};
	for (int queued = 0; queued < 2; queued++) {
		struct host_latency latency = host_constant(5);
		struct world_settings settings = host_settings(3, &latency);
		settings.costs.receive_ns = queued ? 100 : 0;
		struct host *host = host_create(&settings);
		struct told told;
		told_listen(&told, host);
		fault_add(host, "corrupt", &corrupt);
		host_send_at(host, 4, 0, 1, KIND, 1, 1);
		host_send_at(host, 5, 0, NODE_NONE, KIND, 1, 2);
		host_send_at(host, 14, 0, 1, KIND, 1, 3);
		host_send_at(host, 15, 0, 1, KIND, 1, 4);
		world_run(&host->world);
		if (queued) {
			/* At 9, then busy until 109, 209, 309, 409. */
			host_assert_traced(host, {109, TRACE_MESSAGE, 1, 0, KIND, 1}, {409, TRACE_MESSAGE, 1, 0, KIND, 4});
			assert_string_equal(told.text,
				"10 -1 corrupt begins; 20 -1 corrupt ends; 110 0>2 corrupted; 209 0>1 corrupted; "
				"309 0>1 corrupted; ");
			assert_int_equal(host->world.nodes[1].busy_ns, 400);
		} else {
			host_assert_traced(host, {9, TRACE_MESSAGE, 1, 0, KIND, 1}, {20, TRACE_MESSAGE, 1, 0, KIND, 4});
			assert_string_equal(told.text,
				"10 -1 corrupt begins; 10 0>1 corrupted; 10 0>2 corrupted; 19 0>1 corrupted; "
				"20 -1 corrupt ends; ");
		}
		assert_int_equal(host->world.corrupted, 3);
		assert_int_equal(host->world.lost, 0);
		host_destroy(host);
	}
}

static void test_rate_of_corruption(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		const struct fault_loss corrupt = {{0, SIM_NEVER}, .2, 0};
		struct host_latency latency = equal ? host_equal(5) : host_constant(5);
		struct world_settings settings = host_settings(4, &latency);
		settings.loss = .5;
		struct host *host = host_create(&settings);
		fault_add(host, "corrupt", &corrupt);
		world_call_at(&host->world, 0, again, NULL, 9999);
		world_run(&host->world);
		/* Of what is not lost. */
		host_assert_near((double)host->world.lost / 30000, .5, sqrt(.25 / 30000));
		host_assert_near((double)host->world.corrupted / 30000, .1, sqrt(.1 * .9 / 30000));
		assert_int_equal(host->n + host->world.lost + host->world.corrupted, 30000);
		host_destroy(host);
	}
}

/* Dwork, Lynch, Stockmeyer 1988: what is sent before the moment has come at it and the ordinary delay;
 * what is sent after takes the ordinary one. */
static void test_stabilisation(void **state)
{
	struct host_latency add = host_constant(100), latency = host_constant(5);
	const struct fault_stabilise stabilise = {{0, 150}, extra(&add), 0};
	struct host *host = create(&latency, 2);
	fault_add(host, "stabilise", &stabilise);
	const sim_time sent[] = {0, 20, 49, 50, 51, 149, 150, 200};
	for (int i = 0; i < 8; i++) {
		host_send_at(host, sent[i], 0, 1, KIND, 1, (uint64_t)i);
	}
	host_send_at(host, 10, 2, 0, MESSAGE_REQUEST, 1, 9); /* clients' too */
	world_run(&host->world);
	host_assert_traced(host, {105, TRACE_MESSAGE, 1, 0, KIND, 0},
		{115, TRACE_MESSAGE, 0, 2, MESSAGE_REQUEST, 9}, {125, TRACE_MESSAGE, 1, 0, KIND, 1},
		{154, TRACE_MESSAGE, 1, 0, KIND, 2}, {155, TRACE_MESSAGE, 1, 0, KIND, 3},
		{155, TRACE_MESSAGE, 1, 0, KIND, 4}, {155, TRACE_MESSAGE, 1, 0, KIND, 5},
		{155, TRACE_MESSAGE, 1, 0, KIND, 6}, {205, TRACE_MESSAGE, 1, 0, KIND, 7});
	assert_int_equal(host->n_fault_ends, 1);
	host_destroy(host);
}

static void test_stabilisation_of_loss(void **state)
{
	struct host_latency add = host_constant(0), latency = host_constant(5);
	const struct fault_stabilise stabilise = {{0, 150}, extra(&add), 1};
	struct host *host = create(&latency, 2);
	fault_add(host, "stabilise", &stabilise);
	host_send_at(host, 144, 0, 1, KIND, 1, 0);
	host_send_at(host, 145, 0, 1, KIND, 1, 1);
	world_run(&host->world);
	host_assert_traced(host, {150, TRACE_MESSAGE, 1, 0, KIND, 1});
	assert_int_equal(host->world.lost, 1);
	host_destroy(host);
}

/* Factors multiply costs, delays add to each copy sent and each message taken in; both end. */
static void test_slow_nodes(void **state)
{
	struct host_latency latency = host_constant(1000);
	struct world_settings settings = host_settings(2, &latency);
	settings.costs = (struct node_costs){.send_ns = 1, .receive_ns = 2, .sign_ns = 4, .verify_ns = 8};
	const struct fault_slow_node one = {{0, 5000}, NODES(0), 10, 0},
								 other = {{3000, SIM_NEVER}, NODES(0, 1), 2, 100};
	struct host *host = host_create(&settings);
	const struct fault_entry entries[] = {{"slow-node", &one}, {"slow-node", &other}};
	faults_add(host, entries, 2);
	host_send(host, 0, 1, KIND, 1, 0);                /* 10 + 40, 1000, 10 */
	host_send_at(host, 1000, 1, 0, KIND, 1, 1);       /* 5, 1000, 100 */
	host_send_at(host, 3000, 0, 1, KIND, 1, 2);       /* 20 + 100 + 80, 1000, 20 + 100 */
	host_send_at(host, 4000, 1, 0, KIND, 1, 3);       /* 2 + 100 + 8, 1000, then 20 + 100 */
	world_run(&host->world);
	host_assert_traced(host, {1060, TRACE_MESSAGE, 1, 0, KIND, 0}, {2105, TRACE_MESSAGE, 0, 1, KIND, 1},
		{4320, TRACE_MESSAGE, 1, 0, KIND, 2}, {5230, TRACE_MESSAGE, 0, 1, KIND, 3});
	host_destroy(host);
}

/* Where nothing costs anything, delay alone makes a node slow, and only that node. */
static void test_slow_nodes_of_no_cost(void **state)
{
	struct host_latency latency = host_constant(1000);
	const struct fault_slow_node slow = {{0, SIM_NEVER}, NODES(1), 1, 50};
	struct host *host = create(&latency, 3);
	fault_add(host, "slow-node", &slow);
	host_send(host, 0, NODE_NONE, KIND, 1, 0);
	host_send(host, 2, NODE_NONE, KIND, 1, 2);
	host_send(host, 1, NODE_NONE, KIND, 1, 1);
	world_run(&host->world);
	host_assert_traced(host, {1000, TRACE_MESSAGE, 2, 0, KIND, 0}, {1000, TRACE_MESSAGE, 0, 2, KIND, 2},
		{1050, TRACE_MESSAGE, 1, 0, KIND, 0}, {1050, TRACE_MESSAGE, 0, 1, KIND, 1},
		{1100, TRACE_MESSAGE, 1, 2, KIND, 2}, {1100, TRACE_MESSAGE, 2, 1, KIND, 1});
	host_destroy(host);
}

static void test_refused(void **state)
{
	struct shape shape = {.n_validators = 4, .costs = true};
	struct fault_slow_link link = {{0, 1}, {.n = 0}, {.n = 0}, 1, NONE};
	fault_assert_refused("slow-link", &link, &shape, "delay");
	link.factor = 2;
	fault_assert_refused("slow-link", &link, &shape, NULL);
	link.to.given = true;
	fault_assert_refused("slow-link", &link, &shape, "to_nodes");
	struct fault_slow_node node = {{0, 1}, NODES(1), 1, 0};
	fault_assert_refused("slow-node", &node, &shape, "delay");
	node.factor = 2;
	fault_assert_refused("slow-node", &node, &shape, NULL);
	shape.costs = false;
	fault_assert_refused("slow-node", &node, &shape, "delay");
	node.delay_ns = 1;
	fault_assert_refused("slow-node", &node, &shape, NULL);
	struct fault_reorder reorder = {{1, 1}, .5, 0, 1};
	fault_assert_refused("reorder", &reorder, &shape, "until");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_link),
		cmocka_unit_test(test_other_shapers),
		cmocka_unit_test(test_from_the_start),
		cmocka_unit_test(test_delays_are_drawn),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_duplicates_are_lost_on_their_own),
		cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_among),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_rate_of_corruption),
		cmocka_unit_test(test_stabilisation),
		cmocka_unit_test(test_stabilisation_of_loss),
		cmocka_unit_test(test_slow_nodes),
		cmocka_unit_test(test_slow_nodes_of_no_cost),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
