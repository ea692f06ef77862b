/* Clocks that are wrong: what a node sees, and when its timers go. */
#include "faults.h"

static struct host *create(const struct host_latency *latency)
{
	struct world_settings settings = host_settings(2, latency);
	settings.n_clients = 1;
	return host_create(&settings);
}

struct seen {
	sim_time at, shown;
};

static struct seen seen[16];
static size_t n_seen;

static void look(struct world *world, void *context, uint64_t node)
{
	assert_true(n_seen < 16);
	seen[n_seen++] = (struct seen){world->now, node_now(&world->nodes[node])};
}

static void look_at(struct host *host, uint32_t node, const sim_time *times, size_t n)
{
	n_seen = 0;
	for (size_t i = 0; i < n; i++) {
		world_call_at(&host->world, times[i], look, NULL, node);
	}
}

/* Jumps, gains while the window is open, and keeps what it has gained. */
static void test_what_a_clock_shows(void **state)
{
	const struct fault_skew skew = {{1000, 2001}, NODES(0), 50, 100000}; /* a tenth */
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	fault_add(host, "skew", &skew);
	const sim_time times[] = {0, 999, 1000, 1009, 1010, 2000, 2001, 5000};
	const sim_time shown[] = {0, 999, 1050, 1059, 1061, 2150, 2151, 5150};
	look_at(host, 0, times, 8);
	world_run(&host->world);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(seen[i].at, times[i]);
		assert_int_equal(seen[i].shown, shown[i]);
	}
	assert_false(host->world.nodes[1].skewed);
	host_destroy(host);
}

/* A slow clock, from time 0 on, set back later; two faults add up. */
static void test_a_clock_that_loses(void **state)
{
	const struct fault_skew slow = {{0, SIM_NEVER}, NODES(0), 0, -500000},
							back = {{1000, 2000}, NODES(0), -300, 250000};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	const struct fault_entry entries[] = {{"skew", &slow}, {"skew", &back}};
	faults_add(host, entries, 2);
	const sim_time times[] = {1, 2, 999, 1000, 1004, 2000, 2002};
	const sim_time shown[] = {0, 1, 499, 200, 203, 950, 951};
	look_at(host, 0, times, 7);
	world_run(&host->world);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(seen[i].shown, shown[i]);
	}
	host_destroy(host);
}

/* Never below 0, never beyond the end of time, and never standing still for good. */
static void test_clocks_saturate(void **state)
{
	const struct fault_skew back = {{100, SIM_NEVER}, NODES(0), -500, 0},
							ahead = {{0, SIM_NEVER}, NODES(1), 10000000 * SIM_SECOND, 1000000},
							slow = {{0, SIM_NEVER}, NODES(0), 0, -900000};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency);
	const struct fault_entry entries[] = {
		{"skew", &back}, {"skew", &ahead}, {"skew", &slow}, {"skew", &slow}};
	faults_add(host, entries, 4);
	const sim_time times[] = {99, 100, 110, 1100};
	look_at(host, 0, times, 4);
	world_run(&host->world);
	const sim_time shown[] = {9, 0, 1, 100};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(seen[i].shown, shown[i]);
	}
	host->world.now = SIM_NEVER - 10;
	assert_int_equal(node_now(&host->world.nodes[1]), SIM_NEVER);
	node_timer_set(&host->world.nodes[1], 0, SIM_NEVER);
	assert_false(node_timer_runs(&host->world.nodes[1], 0));
	host_destroy(host);
}

static void set_timers(struct world *world, void *context, uint64_t node)
{
	struct node *at = &world->nodes[node];
	sim_time now = node_now(at);
	node_timer_set(at, 0, now + 100);
	node_timer_set(at, NODE_TIMER_CLIENT, world->now + 100);
}

static void look_when_it_goes(struct host *host, struct node *node, unsigned timer)
{
	assert_true(n_seen < 16);
	assert_int_equal(host->trace[n_seen].at, node_now(node)); /* the trace goes by the node's clock */
	seen[n_seen++] = (struct seen){host->world.now, node_now(node)};
}

/* A timer goes at the first moment at which the clock shows its time; a client's by true time. */
static void test_timers_go_by_the_clock(void **state)
{
	const int64_t drifts[] = {0, 1000000, 250000, -500000, -333333};
	const sim_time due[] = {100, 50, 80, 200, 150}; /* 100 / .666667, rounded up: 149.99 */
	for (int i = 0; i < 5; i++) {
		const struct fault_skew skew = {{0, SIM_NEVER}, NODES(0), 7, (double)drifts[i]};
		struct host_latency latency = host_constant(5);
		struct host *host = create(&latency);
		host->on_timer = look_when_it_goes;
		n_seen = 0;
		fault_add(host, "skew", &skew);
		set_timers(&host->world, NULL, 0);
		set_timers(&host->world, NULL, 1);
		world_run(&host->world);
		sim_time at = -1;
		for (size_t k = 0; k < host->n; k++) {
			if (host->trace[k].what == TRACE_TIMER && host->trace[k].node == 0) {
				at = seen[k].at;
				assert_in_range(seen[k].shown, 107, 108);
			} else {
				assert_int_equal(seen[k].at, 100);
			}
		}
		assert_int_equal(host->n, 4);
		assert_int_equal(at, due[i]);
		host_destroy(host);
	}
}

/* Timers that run when the clock changes keep their time by it. */
static void test_timers_move_with_the_clock(void **state)
{
	static const struct {
		sim_time from, until, offset;
		double drift;
		sim_time due;
	} rows[] = {
		{50, SIM_NEVER, 20, 0, 80},
		{50, SIM_NEVER, 70, 0, 50},      /* overdue: at once */
		{50, SIM_NEVER, -20, 0, 120},
		{50, SIM_NEVER, 0, 1000000, 75},
		{50, 60, 0, 1000000, 90},
		{50, 60, -30, -500000, 135},
		{100, SIM_NEVER, -50, 0, 150},   /* ends of windows come first */
		{101, SIM_NEVER, -50, 0, 100},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fault_skew skew = {
			{rows[i].from, rows[i].until}, NODES(0), rows[i].offset, rows[i].drift};
		struct host_latency latency = host_constant(5);
		struct host *host = create(&latency);
		host->on_timer = look_when_it_goes;
		n_seen = 0;
		fault_add(host, "skew", &skew);
		set_timers(&host->world, NULL, 0);
		world_run(&host->world);
		size_t k = host->trace[0].what == TRACE_TIMER ? 0 : 1;
		assert_int_equal(host->n, 2);
		assert_int_equal(host->trace[k].what, TRACE_TIMER);
		assert_int_equal(seen[k].at, rows[i].due);
		assert_int_equal(seen[1 - k].at, 100);
		host_destroy(host);
	}
}

static void test_refused(void **state)
{
	struct shape shape = {.n_validators = 4};
	struct fault_skew skew = {{10, 20}, NODES(1), 0, 0};
	fault_assert_refused("skew", &skew, &shape, "offset");
	skew.offset_ns = -11;
	fault_assert_refused("skew", &skew, &shape, "offset");
	skew.offset_ns = -10;
	fault_assert_refused("skew", &skew, &shape, NULL);
	skew.nodes.n = 0;
	fault_assert_refused("skew", &skew, &shape, "nodes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_clock_shows),
		cmocka_unit_test(test_a_clock_that_loses),
		cmocka_unit_test(test_clocks_saturate),
		cmocka_unit_test(test_timers_go_by_the_clock),
		cmocka_unit_test(test_timers_move_with_the_clock),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
