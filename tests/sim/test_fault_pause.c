/* Validators that stand still: nothing runs, all is kept, and comes in order when they go on. */
#include "faults.h"

static const struct fault_crash pause_1 = {
	{100, 200}, NODES(1), .every_ns = SIM_NEVER, .lasts_ns = 1, .at_once = 1};

static struct host *create(const struct host_latency *latency, bool queued)
{
	struct world_settings settings = host_settings(2, latency);
	settings.n_clients = 1;
	settings.works = queued;
	return host_create(&settings);
}

static void later(struct world *world, void *context, uint64_t delay)
{
	struct node *node = &world->nodes[1];
	node_later(node, (sim_time)delay, node_message(node, KIND + 1, CLASS_AGREEMENT, 0));
}

/* What comes at the beginning is kept, what comes at the end comes after all that was. With a constant delay,
 * with one that is drawn, and through a processor. */
static void test_in_order(void **state)
{
	for (int way = 0; way < 4; way++) {
		struct host_latency latency = way % 2 == 0 ? host_constant(5) : host_equal(5);
		struct host *host = create(&latency, way >= 2);
		fault_add(host, "pause", &pause_1);
		host_send_at(host, 90, 0, 1, KIND, 1, 0);
		host_send_at(host, 95, 0, NODE_NONE, KIND, 1, 1);
		world_call_at(&host->world, 90, later, NULL, 35);
		host_send_at(host, 135, 0, NODE_NONE, KIND, 1, 2);
		host_send_at(host, 140, 2, 1, MESSAGE_REQUEST, 1, 9);
		host_send_at(host, 195, 0, 1, KIND, 1, 3);
		world_timer_set(&host->world, 1, 0, 120);
		world_timer_set(&host->world, 1, 1, 150);
		world_timer_set(&host->world, 1, 2, 210);
		world_timer_set(&host->world, 1, NODE_TIMER_CLIENT, 130);
		world_timer_set(&host->world, 0, 0, 160);
		world_run(&host->world);
		if (way < 2) {
			host_assert_traced(host, {95, TRACE_MESSAGE, 1, 0, KIND, 0}, {160, TRACE_TIMER, 0, 0, 0, 0},
				{200, TRACE_MESSAGE, 1, 0, KIND, 1}, {200, TRACE_TIMER, 1, 0, 0, 0},
				{200, TRACE_MESSAGE, 1, 1, KIND + 1, 0}, {200, TRACE_CLIENT_TIMER, 1, 0, NODE_TIMER_CLIENT, 0},
				{200, TRACE_MESSAGE, 1, 0, KIND, 2}, {200, TRACE_MESSAGE, 1, 2, MESSAGE_REQUEST, 9},
				{200, TRACE_TIMER, 1, 0, 1, 0}, {200, TRACE_MESSAGE, 1, 0, KIND, 3},
				{210, TRACE_TIMER, 1, 0, 2, 0});
		} else { /* timers don't wait for a processor, and messages go through it one by one */
			host_assert_traced(host, {95, TRACE_MESSAGE, 1, 0, KIND, 0}, {160, TRACE_TIMER, 0, 0, 0, 0},
				{200, TRACE_TIMER, 1, 0, 0, 0}, {200, TRACE_MESSAGE, 1, 1, KIND + 1, 0},
				{200, TRACE_CLIENT_TIMER, 1, 0, NODE_TIMER_CLIENT, 0}, {200, TRACE_TIMER, 1, 0, 1, 0},
				{200, TRACE_MESSAGE, 1, 0, KIND, 1}, {200, TRACE_MESSAGE, 1, 0, KIND, 2},
				{200, TRACE_MESSAGE, 1, 2, MESSAGE_REQUEST, 9}, {200, TRACE_MESSAGE, 1, 0, KIND, 3},
				{210, TRACE_TIMER, 1, 0, 2, 0});
		}
		assert_int_equal(host->n_fault_ends, 1);
		assert_int_equal(host->n_changes, 0); /* it has been alive all the time */
		host_destroy(host);
	}
}

static void moves_a_timer(struct host *host, struct node *node, const struct message *message)
{
	node_timer_set(node, 1, 300);
	node_timer_cancel(node, 2);
}

/* What is kept first may move or cancel timers that have fallen due since. */
static void test_a_timer_that_is_moved(void **state)
{
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, false);
	host->on_message = moves_a_timer;
	fault_add(host, "pause", &pause_1);
	host_send_at(host, 105, 0, 1, KIND, 1, 1);
	world_timer_set(&host->world, 1, 0, 107);
	world_timer_set(&host->world, 1, 1, 120);
	world_timer_set(&host->world, 1, 2, 130);
	world_run(&host->world);
	host_assert_traced(host, {200, TRACE_TIMER, 1, 0, 0, 0}, {200, TRACE_MESSAGE, 1, 0, KIND, 1},
		{300, TRACE_TIMER, 1, 0, 1, 0});
	host_destroy(host);
}

static char done[64];

static void does(struct world *world, void *context, uint64_t what)
{
	size_t n = strlen(done);
	snprintf(done + n, sizeof(done) - n, "%lld %c; ", (long long)world->now, (int)what);
}

static void asks(struct world *world, void *context, uint64_t what)
{
	if (!world_defer(world, 1, does, NULL, what)) {
		does(world, NULL, what);
	}
}

/* A crash takes with it what was kept, and ends the pause. */
static void test_a_crash(void **state)
{
	const struct fault_crash crash = {{150, 160}, NODES(1), .every_ns = SIM_NEVER};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, false);
	const struct fault_entry entries[] = {{"pause", &pause_1}, {"crash", &crash}};
	faults_add(host, entries, 2);
	struct told told;
	told_listen(&told, host);
	done[0] = '\0';
	host_send_at(host, 105, 0, 1, KIND, 1, 1);
	host_send_at(host, 165, 0, 1, KIND, 1, 2);
	world_timer_set(&host->world, 1, 0, 120);
	world_call_at(&host->world, 90, later, NULL, 35);
	world_call_at(&host->world, 130, asks, NULL, 'a');
	world_call_at(&host->world, 170, asks, NULL, 'b');
	world_run(&host->world);
	host_assert_traced(host, {160, TRACE_RESTART, 1, 0, 0, 0}, {170, TRACE_MESSAGE, 1, 0, KIND, 2});
	assert_string_equal(told.text, "100 1 pause; 150 1 crash; 150 0>1 down; 160 1 restart; ");
	assert_string_equal(done, "170 b; ");
	assert_int_equal(host->world.n_paused, 0);
	host_destroy(host);
}

/* One that is down does not stand still when it is up again. */
static void test_one_that_is_down(void **state)
{
	const struct fault_crash crash = {{50, 150}, NODES(1), .every_ns = SIM_NEVER};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, false);
	const struct fault_entry entries[] = {{"pause", &pause_1}, {"crash", &crash}};
	faults_add(host, entries, 2);
	host_send_at(host, 155, 0, 1, KIND, 1, 2);
	world_run(&host->world);
	host_assert_traced(host, {150, TRACE_RESTART, 1, 0, 0, 0}, {160, TRACE_MESSAGE, 1, 0, KIND, 2});
	host_destroy(host);
}

/* It goes on when the last of two has ended; a crash between ends the first alone. */
static void test_two(void **state)
{
	const struct fault_crash second = {{150, 300}, NODES(0, 1), .every_ns = SIM_NEVER};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, false);
	const struct fault_entry entries[] = {{"pause", &pause_1}, {"pause", &second}};
	faults_add(host, entries, 2);
	assert_int_equal(host->world.n_changes_pending, 2 + 3);
	done[0] = '\0';
	host_send_at(host, 105, 0, 1, KIND, 1, 1);
	host_send_at(host, 145, 1, 0, KIND, 1, 2); /* leaves it before it stops: a call of the host's */
	world_call_at(&host->world, 130, asks, NULL, 'a');
	world_call_at(&host->world, 140, asks, NULL, 'b');
	world_run(&host->world);
	host_assert_traced(host, {300, TRACE_MESSAGE, 0, 1, KIND, 2}, {300, TRACE_MESSAGE, 1, 0, KIND, 1});
	assert_string_equal(done, "300 a; 300 b; ");
	assert_int_equal(host->n_fault_ends, 3);
	assert_int_equal(host->world.n_changes_pending, 0);
	host_destroy(host);

	const struct fault_crash crash = {{120, 130}, NODES(1), .every_ns = SIM_NEVER};
	host = create(&latency, false);
	const struct fault_entry three[] = {{"pause", &pause_1}, {"pause", &second}, {"crash", &crash}};
	faults_add(host, three, 3);
	host_send_at(host, 245, 0, 1, KIND, 1, 1);
	world_run(&host->world);
	assert_int_equal(host->trace[host->n - 1].at, 300);
	host_destroy(host);
}

/* What its processor was at goes on when it does: 10 a message; what waits comes after. */
static void test_in_service(void **state)
{
	struct host_latency latency = host_constant(5);
	struct world_settings settings = host_settings(2, &latency);
	settings.costs.receive_ns = 10;
	struct host *host = host_create(&settings);
	fault_add(host, "pause", &pause_1);
	host_send_at(host, 90, 0, 1, KIND, 1, 1);
	host_send_at(host, 91, 0, 1, KIND, 1, 2);
	host_send_at(host, 150, 0, 1, KIND, 1, 3);
	host_send_at(host, 201, 0, 1, KIND, 1, 4);
	world_run(&host->world);
	host_assert_traced(host, {200, TRACE_MESSAGE, 1, 0, KIND, 1}, {210, TRACE_MESSAGE, 1, 0, KIND, 2},
		{220, TRACE_MESSAGE, 1, 0, KIND, 3}, {230, TRACE_MESSAGE, 1, 0, KIND, 4});
	host_destroy(host);
}

/* The card takes in all the while, 8 ns a message, and garbles what it garbles: decided when it comes. */
static void test_card_and_garbling(void **state)
{
	const struct fault_loss corrupt = {{120, 150}, 1, 1};
	for (int cards = 0; cards < 2; cards++) {
		struct host_latency latency = host_constant(5);
		struct world_settings settings = host_settings(2, &latency);
		settings.works = true;
		settings.bandwidth_bps = cards ? 1e9 : 0;
		struct host *host = host_create(&settings);
		const struct fault_entry entries[] = {{"pause", &pause_1}, {"corrupt", &corrupt}};
		faults_add(host, entries, 2);
		host_send_at(host, 100, 0, 1, KIND, cards, 1);
		host_send_at(host, 130, 0, 1, KIND, cards, 2);
		host_send_at(host, 160, 0, 1, KIND, cards, 3);
		world_run(&host->world);
		host_assert_traced(host, {200, TRACE_MESSAGE, 1, 0, KIND, 1}, {200, TRACE_MESSAGE, 1, 0, KIND, 3});
		assert_int_equal(host->world.corrupted, 1);
		host_destroy(host);
	}
}

static void looks(struct world *world, void *context, uint64_t left)
{
	uint64_t *n_paused = context;
	*n_paused += world_paused(world, 0);
	if (left > 0) {
		world_call_at(world, world->now + 10, looks, context, left - 1);
	}
}

/* By rate: a tenth of the time. */
static void test_by_rate(void **state)
{
	const struct fault_crash rate = {{0, 10000000}, NODES(0), 900, 100, 2};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, false);
	host->silent = true;
	fault_add(host, "pause", &rate);
	uint64_t n_paused = 0;
	world_call_at(&host->world, 0, looks, &n_paused, 999999);
	world_run(&host->world);
	assert_true(n_paused > 95000 && n_paused < 105000);
	assert_int_equal(host->world.n_paused, 0);
	host_destroy(host);
}

static void test_refused(void **state)
{
	const struct shape shape = {.n_validators = 4, .n_faulty = 1};
	struct fault_crash one = pause_1;
	fault_assert_refused("pause", &one, &shape, NULL);
	one.common.until_ns = SIM_NEVER;
	fault_assert_refused("pause", &one, &shape, "until");
	one.every_ns = 1000;
	fault_assert_refused("pause", &one, &shape, NULL);
	one.nodes = (struct node_list){.given = true};
	fault_assert_refused("pause", &one, &shape, "nodes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_a_timer_that_is_moved),
		cmocka_unit_test(test_a_crash),
		cmocka_unit_test(test_one_that_is_down),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_in_service),
		cmocka_unit_test(test_card_and_garbling),
		cmocka_unit_test(test_by_rate),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
