/* Timers and calls of a world: set, moved, cancelled, and in which order they come. */
#include "host.h"

static void test_timers_are_set_moved_and_cancelled(void **state)
{
	struct host *host = host_with_delay(2, 1, 0);
	struct node *node = &host->world.nodes[1];
	assert_false(node_timer_runs(node, 0));
	node_timer_set(node, 0, 100);
	assert_true(node_timer_runs(node, 0));
	node_timer_set(node, 1, 200); /* moved earlier */
	node_timer_set(node, 1, 50);
	node_timer_set(node, 2, 30); /* later */
	node_timer_set(node, 2, 300);
	node_timer_set(node, 3, 40); /* cancelled */
	node_timer_cancel(node, 3);
	assert_false(node_timer_runs(node, 3));
	node_timer_set(node, 4, 60); /* cancelled, and set again: later, then earlier than at first */
	node_timer_cancel(node, 4);
	node_timer_set(node, 4, 90);
	node_timer_set(node, 4, 20);
	node_timer_set(node, NODE_TIMER_CLIENT, 70);
	node_timer_set(&host->world.nodes[0], 0, 100);
	node_timer_set(&host->world.nodes[0], 1, SIM_NEVER); /* off */
	assert_false(node_timer_runs(&host->world.nodes[0], 1));
	world_run(&host->world);
	host_assert_traced(host, timer_at(20, 1, 4), timer_at(50, 1, 1),
		timer_at(70, 1, NODE_TIMER_CLIENT), timer_at(100, 1, 0), timer_at(100, 0, 0),
		timer_at(300, 1, 2));
	assert_int_equal(host->world.events, 6);
	assert_false(node_timer_runs(node, 0));
	host_destroy(host);
}

static void rearm(struct host *host, struct node *node, unsigned timer)
{
	if (node_now(node) < 100) {
		node_timer_set(node, timer, node_now(node) - 5); /* what has passed is now */
		node_timer_set(node, timer, node_now(node) + 50);
		node_timer_set(node, timer, node_now(node) + 40);
	}
}

static void test_a_timer_sets_itself_again(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	host->on_timer = rearm;
	node_timer_set(&host->world.nodes[0], 0, 10);
	world_run(&host->world);
	host_assert_traced(
		host, timer_at(10, 0, 0), timer_at(50, 0, 0), timer_at(90, 0, 0), timer_at(130, 0, 0));
	host_destroy(host);
}

static void far_then_near(struct host *host, struct node *node, unsigned timer)
{
	assert_true(host->world.queue.n <= 3);
	if (node_now(node) < 100000) {
		node_timer_set(node, timer, node_now(node) + 15);
		node_timer_set(node, timer, node_now(node) + 10);
	}
}

/* The entries that moving earlier leaves behind are passed over once, and then gone. */
static void test_replaced_entries_do_not_pile_up(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	host->on_timer = far_then_near;
	node_timer_set(&host->world.nodes[0], 0, 0);
	world_run(&host->world);
	assert_int_equal(host->n, 10001);
	assert_int_equal(host->world.events, 10001);
	assert_int_equal(host->world.queue.n, 0);
	host_destroy(host);
}

static void past(struct host *host, struct node *node, unsigned timer)
{
	if (timer == 0) {
		node_timer_set(node, 1, 3);
	}
}

static void test_a_timer_in_the_past_is_due_now(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	host->on_timer = past;
	node_timer_set(&host->world.nodes[0], 0, 10);
	world_run(&host->world);
	host_assert_traced(host, timer_at(10, 0, 0), timer_at(10, 0, 1));
	host_destroy(host);
}

/* Random moves, from random instants: each timer fires exactly when it was last set to, and once.
 */
struct mover {
	struct random_stream stream;
	sim_time due[4][NODE_TIMERS];
	uint64_t n_moves, n_fired;
};

static void move(struct world *world, void *context, uint64_t argument)
{
	struct mover *mover = context;
	for (int i = 0; i < 3; i++) {
		uint32_t node = (uint32_t)random_below(&mover->stream, 4);
		unsigned timer = (unsigned)random_below(&mover->stream, NODE_TIMERS);
		if (random_below(&mover->stream, 4) == 0) {
			node_timer_cancel(&world->nodes[node], timer);
			mover->due[node][timer] = SIM_NEVER;
		} else {
			sim_time at = world->now + (sim_time)random_below(&mover->stream, 40);
			node_timer_set(&world->nodes[node], timer, at);
			mover->due[node][timer] = at;
		}
		assert_int_equal(
			node_timer_runs(&world->nodes[node], timer), mover->due[node][timer] != SIM_NEVER);
	}
	if (++mover->n_moves < 100000) {
		world_call_at(
			world, world->now + (sim_time)random_below(&mover->stream, 8), move, mover, 0);
	}
}

static void fired(struct host *host, struct node *node, unsigned timer)
{
	struct mover *mover = host->user;
	assert_int_equal(mover->due[node->id][timer], node_now(node));
	mover->due[node->id][timer] = SIM_NEVER;
	mover->n_fired++;
}

static void test_timers_fire_exactly_when_last_set_to(void **state)
{
	struct mover mover = {.stream = random_stream_make(3, RANDOM_ANALYSIS, 0)};
	memset(mover.due, 0x7f, sizeof(mover.due));
	for (int i = 0; i < 4; i++) {
		for (int t = 0; t < NODE_TIMERS; t++) {
			mover.due[i][t] = SIM_NEVER;
		}
	}
	struct host *host = host_with_delay(4, 1, 0);
	host->silent = true;
	host->on_timer = fired;
	host->user = &mover;
	world_call_at(&host->world, 0, move, &mover, 0);
	world_run(&host->world);
	for (int i = 0; i < 4; i++) {
		for (int t = 0; t < NODE_TIMERS; t++) {
			assert_int_equal(mover.due[i][t], SIM_NEVER); /* none was forgotten */
		}
	}
	assert_true(mover.n_fired > 50000);
	host_destroy(host);
}

static void test_a_timer_moved_a_million_times_is_one_entry(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	struct node *node = &host->world.nodes[0];
	for (sim_time i = 1; i <= 1000000; i++) {
		node_timer_set(node, 0, 10 * i);
		node_timer_set(node, 0, 5 * i + 5);
		if (i % 3 == 0) {
			node_timer_cancel(node, 0);
			node_timer_set(node, 0, 7 * i);
		}
	}
	assert_true(host->world.queue.n <= 2);
	node_timer_set(node, 0, SIM_SECOND);
	world_run(&host->world);
	host_assert_traced(host, timer_at(SIM_SECOND, 0, 0));
	host_destroy(host);
}

struct calls {
	uint64_t order[16];
	sim_time at[16];
	size_t n;
};

static void called(struct world *world, void *context, uint64_t argument)
{
	struct calls *calls = context;
	assert_true(calls->n < 16);
	calls->order[calls->n] = argument;
	calls->at[calls->n++] = world->now;
	if (argument == 1) {
		world_call_at(world, 5, called, calls, 5); /* has passed: now, after what waits for now */
		world_call_at(world, world->now, called, calls, 6);
	}
}

static void test_calls_come_in_order_of_time_then_of_asking(void **state)
{
	struct host *host = host_with_delay(2, 1, 0);
	struct calls calls = {.n = 0};
	world_call_at(&host->world, 20, called, &calls, 0);
	world_call_at(&host->world, 10, called, &calls, 1);
	world_call_at(&host->world, 10, called, &calls, 2);
	world_call_at(&host->world, 0, called, &calls, 3);
	world_call_at(&host->world, SIM_NEVER, called, &calls, 4);
	world_run(&host->world);
	const uint64_t order[] = {3, 1, 2, 5, 6, 0};
	const sim_time at[] = {0, 10, 10, 10, 10, 20};
	assert_int_equal(calls.n, 6);
	assert_memory_equal(calls.order, order, sizeof(order));
	assert_memory_equal(calls.at, at, sizeof(at));
	assert_int_equal(host->world.events, 6);
	assert_int_equal(host->world.queue.n, 0); /* what never comes does not wait either */
	host_destroy(host);
}

static void chain(struct world *world, void *context, uint64_t left)
{
	if (left > 0) {
		world_call_at(world, world->now + 1, chain, context, left - 1);
	}
}

static void test_the_slots_of_calls_are_used_again(void **state)
{
	struct host *host = host_with_delay(1, 1, 0);
	for (int i = 0; i < 100; i++) { /* more than the first block of slots */
		world_call_at(&host->world, 0, chain, NULL, 10000);
	}
	world_run(&host->world);
	assert_int_equal(host->world.events, 100 * 10001);
	assert_true(host->world.n_calls <= 101);
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_are_set_moved_and_cancelled),
		cmocka_unit_test(test_a_timer_sets_itself_again),
		cmocka_unit_test(test_replaced_entries_do_not_pile_up),
		cmocka_unit_test(test_a_timer_in_the_past_is_due_now),
		cmocka_unit_test(test_timers_fire_exactly_when_last_set_to),
		cmocka_unit_test(test_a_timer_moved_a_million_times_is_one_entry),
		cmocka_unit_test(test_calls_come_in_order_of_time_then_of_asking),
		cmocka_unit_test(test_the_slots_of_calls_are_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
