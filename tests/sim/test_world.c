/* Time, timers, calls, crashes, and how a world ends. */
#include "host.h"

#include <pthread.h>

static void crash_call(struct world *world, void *context, uint64_t node)
{
	world_crash(world, (uint32_t)node);
}

static void restart_call(struct world *world, void *context, uint64_t node)
{
	world_restart(world, (uint32_t)node);
}

static void test_a_crash_drops_arrivals_and_timers(void **state)
{
	struct host *host = host_with_delay(3, 10, 0);
	node_timer_set(&host->world.nodes[1], 0, 25);
	node_timer_set(&host->world.nodes[1], 1, 45);
	node_timer_set(&host->world.nodes[2], 0, 25);
	world_call_at(&host->world, 20, crash_call, NULL, 1);
	world_call_at(&host->world, 20, crash_call, NULL, 1); /* is down already */
	world_call_at(&host->world, 40, restart_call, NULL, 1);
	world_call_at(&host->world, 40, restart_call, NULL, 1);
	host_send_at(host, 9, 0, 1, KIND, 1, 9);   /* arrives before */
	host_send_at(host, 10, 0, 1, KIND, 1, 10); /* arrives with the crash */
	host_send_at(host, 15, 0, NODE_NONE, KIND, 1, 15);
	host_send_at(host, 19, 1, 1, KIND, 1, 19);
	host_send_at(host, 30, 0, 1, KIND, 1, 30); /* arrives with the restart: it is up again */
	host_send_at(host, 32, 0, 1, KIND, 1, 32); /* was sent while it was down */
	world_run(&host->world);
	host_assert_traced(host, {19, TRACE_MESSAGE, 1, 0, KIND, 9},
		{19, TRACE_MESSAGE, 1, 1, KIND, 19}, timer_at(25, 2, 0),
		{25, TRACE_MESSAGE, 2, 0, KIND, 15}, {40, TRACE_RESTART, 1, 0, 0, 0},
		{40, TRACE_MESSAGE, 1, 0, KIND, 30}, {42, TRACE_MESSAGE, 1, 0, KIND, 32});
	assert_int_equal(host->n_changes, 2);
	assert_int_equal(host->world.lost, 0); /* lost is what the network loses */
	host_destroy(host);
}

static void timer_on_restart(struct host *host, struct node *node)
{
	node_timer_set(node, 0, node_now(node) + 2);
}

static void test_a_crash_drops_messages_to_oneself(void **state)
{
	struct host *host = host_with_delay(2, 10, 0);
	host_send_at(host, 20, 1, 1, KIND, 1, 1);
	world_call_at(
		&host->world, 20, crash_call, NULL, 1); /* before the message, which waits for now */
	world_run(&host->world);
	assert_int_equal(host->n, 0);
	assert_int_equal(host->world.n_packets_used, 1);
	host_destroy(host);
}

/* An entry of a timer from before the crash may still be in the queue. */
static void test_timers_after_a_restart_are_new_ones(void **state)
{
	struct host *host = host_with_delay(1, 10, 0);
	host->on_restart = timer_on_restart;
	node_timer_set(&host->world.nodes[0], 0, 11);
	node_timer_set(&host->world.nodes[0], 1, 12);
	world_call_at(&host->world, 5, crash_call, NULL, 0);
	world_call_at(&host->world, 10, restart_call, NULL, 0);
	world_run(&host->world);
	host_assert_traced(host, {10, TRACE_RESTART, 0, 0, 0, 0}, timer_at(12, 0, 0));
	host_destroy(host);
}

static void crash_itself(struct host *host, struct node *node, const struct message *message)
{
	world_crash(&host->world, (node->id + 1) % 4);
}

/* Who goes down while a multicast is handed out does not get it. */
static void test_a_crash_within_a_multicast(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10) : host_constant(10);
		struct world_settings settings = host_settings(4, &latency);
		struct host *host = host_create(&settings);
		host->on_message = crash_itself;
		host_send(host, 0, NODE_NONE, KIND, 1, 7);
		world_run(&host->world);
		host_assert_traced(
			host, {10, TRACE_MESSAGE, 1, 0, KIND, 7}, {10, TRACE_MESSAGE, 3, 0, KIND, 7});
		host_destroy(host);
	}
}

static void nothing(struct world *world, void *context, uint64_t argument)
{
}

static void more_time(struct host *host, sim_time next_ns)
{
	if (host->n_overdue == 1) {
		assert_int_equal(next_ns, 101);
		assert_int_equal(host->world.now, 100); /* an event at the deadline is not beyond it */
		host->world.deadline_ns = 150;
	} else if (host->n_overdue == 2) {
		assert_int_equal(next_ns, SIM_NEVER); /* nothing left: something is given */
		world_call_at(&host->world, 120, nothing, NULL, 0);
	} else {
		assert_int_equal(next_ns, SIM_NEVER);
		host->world.stopped = true;
	}
}

static void test_the_host_is_asked_beyond_the_deadline(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	host->on_overdue = more_time;
	host->world.deadline_ns = 100;
	node_timer_set(&host->world.nodes[0], 0, 100);
	node_timer_set(&host->world.nodes[0], 1, 101);
	world_run(&host->world);
	host_assert_traced(host, timer_at(100, 0, 0), timer_at(101, 0, 1));
	assert_int_equal(host->n_overdue, 3);
	assert_int_equal(host->world.now, 120);
	host_destroy(host);
}

static void stop(struct host *host, struct node *node, const struct message *message)
{
	if (node->id == 2) {
		host->world.stopped = true;
	}
}

static void test_a_stopped_world_does_nothing_more(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(10) : host_constant(10);
		struct world_settings settings = host_settings(4, &latency);
		struct host *host = host_create(&settings);
		host->on_message = stop;
		host_send(host, 0, NODE_NONE, KIND, 1, 7);
		node_timer_set(&host->world.nodes[3], 0, 10);
		world_run(&host->world);
		host_assert_traced(
			host, {10, TRACE_MESSAGE, 1, 0, KIND, 7}, {10, TRACE_MESSAGE, 2, 0, KIND, 7});
		assert_int_equal(host->n_overdue, 0);
		world_run(&host->world);
		assert_int_equal(host->n, 2);
		host_destroy(host);
	}
}

static void ping_pong(struct host *host, struct node *node, const struct message *message)
{
	host_send(host, node->id, node->id == message->from ? node->id : message->from, KIND, 1, 0);
}

static void more_events(struct host *host, sim_time next_ns)
{
	assert_true(host->world.events == 1000 || host->world.events == 1500);
	assert_int_equal(next_ns, 0);
	host->world.settings.events_max = 1500;
	host->world.stopped = host->n_overdue == 2;
}

/* Without delays time stands still; the bound on events ends it all the same. */
static void test_endless_ping_pong_is_bounded_by_events(void **state)
{
	for (uint32_t to = 0; to < 2; to++) { /* with oneself, with another */
		struct host *host = host_with_delay(2, 0, 1000);
		host->silent = true;
		host->on_message = ping_pong;
		host->on_overdue = more_events;
		host_send(host, 0, to, KIND, 1, 0);
		world_run(&host->world);
		assert_int_equal(host->n_overdue, 2);
		assert_int_equal(host->world.events, 1500);
		assert_int_equal(host->world.now, 0);
		assert_true(host->world.n_packets_used <= 2);
		host_destroy(host);
	}
}

static void timer_now(struct host *host, struct node *node, unsigned timer)
{
	node_timer_set(node, timer, node_now(node));
}

static void test_a_timer_set_to_now_for_ever_is_bounded_by_events(void **state)
{
	struct host *host = host_with_delay(1, 0, 1000);
	host->silent = true;
	host->on_timer = timer_now;
	node_timer_set(&host->world.nodes[0], 0, 0);
	world_run(&host->world);
	assert_int_equal(host->n_overdue, 1);
	assert_int_equal(host->world.events, 1000);
	host_destroy(host);
}

static void test_a_world_of_one(void **state)
{
	struct host *host = host_with_delay(1, 10, 0);
	host_send(host, 0, NODE_NONE, KIND, 100, 1); /* to nobody */
	host_send(host, 0, 0, KIND, 100, 2);
	world_run(&host->world);
	host_assert_traced(host, {0, TRACE_MESSAGE, 0, 0, KIND, 2});
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 0);
	assert_int_equal(host->world.bytes[CLASS_AGREEMENT], 0);
	assert_int_equal(host->world.n_packets_used, 1); /* the first one went back to the pool */
	assert_int_equal(host->n_overdue, 1);
	assert_int_equal(host->overdue_next, SIM_NEVER);
	host_destroy(host);
}

/* What would come after the end of time never comes; nothing wraps around. */
static void end_of_time(const struct world_settings *settings)
{
	struct host *host = host_create(settings);
	host_send_at(host, SIM_NEVER - 100, 0, NODE_NONE, KIND, 1000, 1);
	host_send_at(host, SIM_NEVER - 50, 0, 1, KIND, 1000, 2);
	host_send_at(host, SIM_NEVER - 10, 1, NODE_NONE, KIND, 1000, 3);
	host_send_at(host, SIM_NEVER - 1, 0, 0, KIND, 1000, 4);
	host_send_at(host, SIM_NEVER - 1, 2, NODE_NONE, KIND, 1000, 5);
	node_timer_set(&host->world.nodes[0], 0, SIM_NEVER - 1);
	world_run(&host->world);
	assert_true(host->n >= 2); /* message 4 and the timer at least */
	for (size_t i = 0; i < host->n; i++) {
		assert_true(host->trace[i].at >= SIM_NEVER - 100 && host->trace[i].at < SIM_NEVER);
		assert_true(host->trace[i].instance != 5);
	}
	assert_int_equal(host->overdue_next, SIM_NEVER);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(host->world.nodes[i].busy_ns >= 0);
	}
	host_destroy(host);
}

static void test_near_the_end_of_time(void **state)
{
	const struct host_latency latencies[] = {
		host_constant(20), host_constant(SIM_NEVER), host_equal(20), host_equal(SIM_NEVER)};
	for (size_t i = 0; i < 4; i++) {
		struct world_settings settings = host_settings(3, &latencies[i]);
		end_of_time(&settings);
		settings.bandwidth_bps = 8e9;
		end_of_time(&settings);
		settings.bandwidth_bps = 1e-9;
		end_of_time(&settings);
		settings.bandwidth_bps = 1e-320;
		end_of_time(&settings);
		settings.bandwidth_bps = 0;
		settings.costs = (struct node_costs){SIM_NEVER / 2, SIM_NEVER - 1, 7, SIM_NEVER - 1};
		end_of_time(&settings);
		settings.costs = (struct node_costs){SIM_NEVER, SIM_NEVER, SIM_NEVER, SIM_NEVER};
		end_of_time(&settings);
	}
}

/* A busy world, all of whose parts draw, queue, lose and crash. */
static void busy_message(struct host *host, struct node *node, const struct message *message)
{
	if (message->instance > 0) {
		if (message->instance % 5 == node->id) {
			host_send(host, node->id, NODE_NONE, KIND, 500, message->instance - 1);
		}
		host_send(host, node->id, message->from, KIND + 1, 200, message->instance / 2);
		node_timer_set(
			node, 0, node_now(node) + (sim_time)random_below(&node->stream, 10 * SIM_MS));
	}
}

static void busy_timer(struct host *host, struct node *node, unsigned timer)
{
	host_send(host, node->id, (node->id + 1) % 5, KIND + 2, 300, 1);
}

static struct host *busy_world(uint64_t seed)
{
	struct host_latency latency =
		host_latency("exponential", "mean", 2 * SIM_MS, "min", SIM_MS / 10);
	struct world_settings settings = host_settings(5, &latency);
	settings.seed = seed;
	settings.loss = .05;
	settings.bandwidth_bps = 1e9;
	settings.costs = (struct node_costs){3000, 7000, 11000, 13000};
	struct host *host = host_create(&settings);
	host->on_message = busy_message;
	host->on_timer = busy_timer;
	for (uint32_t i = 0; i < 5; i++) {
		host_send(host, i, NODE_NONE, KIND, 500, 14);
	}
	world_call_at(&host->world, 20 * SIM_MS, crash_call, NULL, 2);
	world_call_at(&host->world, 30 * SIM_MS, restart_call, NULL, 2);
	world_run(&host->world);
	return host;
}

static void *busy_thread(void *seed)
{
	return busy_world(*(const uint64_t *)seed);
}

static void test_worlds_side_by_side_do_what_they_do_alone(void **state)
{
	static const uint64_t seeds[] = {1, 2, 1, 3};
	struct host *alone[4], *together[4];
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) {
		alone[i] = busy_world(seeds[i]);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, busy_thread, (void *)(uintptr_t)&seeds[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		void *result;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		together[i] = result;
		assert_true(alone[i]->n > 1000);
		host_assert_same(alone[i], together[i]);
		host_assert_digests(alone[i], together[i], true);
		assert_int_equal(alone[i]->world.lost, together[i]->world.lost);
	}
	host_assert_digests(alone[0], alone[2], true);
	host_assert_digests(alone[0], alone[1], false); /* another seed */
	for (int i = 0; i < 4; i++) {
		host_destroy(alone[i]);
		host_destroy(together[i]);
	}
}

static void test_a_zeroed_world_can_be_finished(void **state)
{
	struct world world = {0};
	world_finish(&world);
	struct host *host = host_with_delay(3, 1, 0);
	host_send(host, 0, NODE_NONE, KIND, 1, 1); /* in flight at the end */
	world_finish(&host->world);
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_crash_drops_arrivals_and_timers),
		cmocka_unit_test(test_a_crash_drops_messages_to_oneself),
		cmocka_unit_test(test_timers_after_a_restart_are_new_ones),
		cmocka_unit_test(test_a_crash_within_a_multicast),
		cmocka_unit_test(test_the_host_is_asked_beyond_the_deadline),
		cmocka_unit_test(test_a_stopped_world_does_nothing_more),
		cmocka_unit_test(test_endless_ping_pong_is_bounded_by_events),
		cmocka_unit_test(test_a_timer_set_to_now_for_ever_is_bounded_by_events),
		cmocka_unit_test(test_a_world_of_one),
		cmocka_unit_test(test_near_the_end_of_time),
		cmocka_unit_test(test_worlds_side_by_side_do_what_they_do_alone),
		cmocka_unit_test(test_a_zeroed_world_can_be_finished),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
