/* Loss and crashes: who, when, how often. */
#include "host.h"

#include "engine/fault.h"

static const struct fault *find(const char *name)
{
	for (size_t i = 0; fault_registry.plugins[i] != NULL; i++) {
		if (strcmp(fault_registry.plugins[i]->name, name) == 0) {
			return (const struct fault *)fault_registry.plugins[i];
		}
	}
	fail_msg("no fault \"%s\"", name);
	return NULL;
}

struct faults {
	struct plugin_value values[4];
	struct fault_loss losses[4];
	struct fault_crash crashes[4];
	size_t n;
};

static void add_loss(
	struct faults *faults, double probability, bool all, sim_time from_ns, sim_time until_ns)
{
	struct fault_loss *loss = &faults->losses[faults->n];
	*loss = (struct fault_loss){{from_ns, until_ns}, probability, all};
	faults->values[faults->n++] = (struct plugin_value){&find("loss")->plugin, loss};
}

static void add_crash(
	struct faults *faults, struct node_list nodes, sim_time from_ns, sim_time until_ns)
{
	struct fault_crash *crash = &faults->crashes[faults->n];
	*crash = (struct fault_crash){{from_ns, until_ns}, nodes};
	faults->values[faults->n++] = (struct plugin_value){&find("crash")->plugin, crash};
}

static void apply(struct host *host, struct faults *faults)
{
	struct plugin_list list = {faults->n, faults->values};
	world_faults(&host->world, &list);
}

static struct host *create(const struct host_latency *latency, double loss)
{
	struct world_settings settings = host_settings(4, latency);
	settings.n_clients = 1;
	settings.loss = loss;
	return host_create(&settings);
}

static void again(struct world *world, void *context, uint64_t left)
{
	host_send(world->host, left % 4, NODE_NONE, KIND, 10, 0);
	if (left > 0) {
		world_call_at(world, world->now + 10, again, NULL, left - 1);
	}
}

/* Each copy on its own. */
static void check_rate(const struct host_latency *latency, double loss, double expected)
{
	struct host *host = create(latency, loss);
	host->silent = true;
	world_call_at(&host->world, 0, again, NULL, 99999);
	world_run(&host->world);
	double n = 3e5;
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 300000);
	host_assert_near((double)host->world.lost / n, expected, sqrt(expected * (1 - expected) / n));
	assert_int_equal(host->world.lost + host->world.events, 400000);
	host_destroy(host);
}

static void test_rate_of_loss(void **state)
{
	struct host_latency constant = host_constant(5), equal = host_equal(5);
	check_rate(&constant, .01, .01);
	check_rate(&constant, .3, .3);
	check_rate(&equal, .3, .3);
	check_rate(&constant, 0, 0);
	check_rate(&constant, 1, 1);
}

static void test_loss_follows_the_seed(void **state)
{
	struct host *hosts[3];
	for (int i = 0; i < 3; i++) {
		struct host_latency latency = host_constant(5);
		struct world_settings settings = host_settings(4, &latency);
		settings.seed = (uint64_t)(i / 2);
		settings.loss = .5;
		hosts[i] = host_create(&settings);
		world_call_at(&hosts[i]->world, 0, again, NULL, 99);
		world_run(&hosts[i]->world);
	}
	host_assert_digests(hosts[0], hosts[1], true);
	host_assert_digests(hosts[0], hosts[2], false);
	for (int i = 0; i < 3; i++) {
		host_destroy(hosts[i]);
	}
}

/* The copies of one multicast are lost independently of each other: all three with p^3. */
static void test_copies_are_lost_independently(void **state)
{
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, .5);
	world_call_at(&host->world, 0, again, NULL, 39999);
	world_run(&host->world);
	size_t n[4] = {0};
	size_t at = 0;
	for (sim_time t = 5; t < 400005; t += 10) {
		size_t first = at;
		while (at < host->n && host->trace[at].at == t) {
			at++;
		}
		n[at - first]++;
	}
	assert_int_equal(at, host->n);
	const double expected[] = {.125, .375, .375, .125};
	for (int k = 0; k < 4; k++) {
		host_assert_near(
			(double)n[k] / 40000, expected[k], sqrt(expected[k] * (1 - expected[k]) / 40000));
	}
	host_destroy(host);
}

/* Decided at arrival: what was sent before the window and arrives in it is lost. Half-open. */
static void test_windows_of_loss_are_half_open_and_of_arrivals(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(5) : host_constant(5);
		struct host *host = create(&latency, 0);
		struct faults faults = {.n = 0};
		add_loss(&faults, 1, true, 10, 20);
		add_loss(&faults, 1, true, 30, SIM_NEVER);
		apply(host, &faults);
		for (sim_time t = 0; t < 40; t++) {
			host_send_at(host, t, 0, 1, KIND, 1, (uint64_t)t);
		}
		world_run(&host->world);
		size_t n = 0;
		for (sim_time t = 5; t < 30; t++) {
			if (t < 10 || t >= 20) {
				assert_int_equal(host->trace[n].at, t);
				assert_int_equal(host->trace[n++].instance, t - 5);
			}
		}
		assert_int_equal(host->n, n);
		assert_int_equal(host->world.lost, 25);
		assert_int_equal(host->n_fault_ends, 1);
		host_destroy(host);
	}
}

static void test_a_window_from_the_start_holds_at_once(void **state)
{
	struct host_latency latency = host_constant(0);
	struct host *host = create(&latency, 0);
	struct faults faults = {.n = 0};
	add_loss(&faults, 1, false, 0, 10);
	host_send(host, 0, NODE_NONE, KIND, 1, 0); /* before the faults are known */
	apply(host, &faults);
	host_send(host, 1, NODE_NONE, KIND, 1, 0);
	host_send_at(host, 10, 1, NODE_NONE, KIND, 1, 1);
	world_run(&host->world);
	assert_int_equal(host->world.lost, 6);
	assert_int_equal(host->n, 3);
	host_destroy(host);
}

static void send_of_class(struct world *world, void *context, uint64_t argument)
{
	const uint32_t *way = context;
	struct node *node = &world->nodes[way[0]];
	node_send(node, way[1], node_message(node, (unsigned)way[2], way[3], 10));
}

static void test_loss_among_validators_spares_clients(void **state)
{
	static uint32_t ways[][4] = {
		{0, 1, KIND, CLASS_AGREEMENT},
		{0, 1, KIND, CLASS_CONTROL},
		{0, 1, KIND, CLASS_HEARTBEAT},
		{0, 1, MESSAGE_REQUEST, CLASS_CLIENT}, /* a gateway's */
		{4, 1, MESSAGE_REQUEST, CLASS_CLIENT},
		{1, 4, MESSAGE_REPLY, CLASS_CLIENT},
	};
	for (int all = 0; all < 2; all++) {
		struct host_latency latency = host_constant(1);
		struct host *host = create(&latency, 0);
		struct faults faults = {.n = 0};
		add_loss(&faults, 1, all, 0, SIM_NEVER);
		apply(host, &faults);
		for (size_t i = 0; i < 6; i++) {
			world_call_at(&host->world, (sim_time)(10 * i), send_of_class, ways[i], 0);
		}
		world_run(&host->world);
		assert_int_equal(host->world.lost, all ? 6 : 3);
		for (size_t i = 0; i < host->n; i++) {
			assert_int_equal(host->trace[i].at, 31 + 10 * i);
		}
		host_destroy(host);
	}
}

static void in_both(struct world *world, void *context, uint64_t argument)
{
	assert_true(fabs(world->loss_validators - .775) < 1e-15);
	assert_true(fabs(world->loss_all - .55) < 1e-15);
}

/* What one loss leaves, the next may take: .1, then .5, then .5 more where both hold. */
static void test_overlapping_windows_of_loss(void **state)
{
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, .1);
	struct faults faults = {.n = 0};
	add_loss(&faults, .5, true, 300000, 900000);
	add_loss(&faults, .5, false, 600000, 1200000);
	apply(host, &faults);
	world_call_at(&host->world, 700000, in_both, NULL, 0);
	world_call_at(&host->world, 0, again, NULL, 149999); /* one each 10 ns */
	world_run(&host->world);
	const double left[] = {.9, .45, .225, .45, .9};
	size_t n[5] = {0};
	for (size_t i = 0; i < host->n; i++) {
		n[host->trace[i].at / 300000]++;
	}
	for (int k = 0; k < 5; k++) {
		host_assert_near((double)n[k] / 90000, left[k], sqrt(left[k] * (1 - left[k]) / 90000));
	}
	assert_int_equal(host->n_fault_ends, 2);
	host_destroy(host);
}

/* A fault that loses nothing leaves the network's own loss as it is, bit for bit. */
static void test_other_faults_leave_the_loss_alone(void **state)
{
	static const uint32_t node = 3;
	for (int i = 1; i < 100; i++) {
		struct host_latency latency = host_constant(5);
		struct host *host = create(&latency, i / 100.0);
		struct faults faults = {.n = 0};
		add_crash(&faults, (struct node_list){.n = 1, .nodes = &node}, 10, 20);
		apply(host, &faults);
		assert_true(host->world.loss_all == i / 100.0);
		assert_true(host->world.loss_validators == i / 100.0);
		host_destroy(host);
	}
}

struct pending {
	uint32_t node[8], pending[8];
	bool alive[8];
	sim_time at[8];
	size_t n;
};

static void note_change(struct host *host, struct node *node)
{
	struct pending *pending = host->user;
	assert_true(pending->n < 8);
	pending->node[pending->n] = node->id;
	pending->alive[pending->n] = node->alive;
	pending->at[pending->n] = host->world.now;
	pending->pending[pending->n++] = host->world.n_changes_pending;
}

static void assert_change(const struct pending *pending, size_t i, sim_time at, uint32_t node,
	bool alive, uint32_t changes)
{
	assert_true(i < pending->n);
	assert_int_equal(pending->at[i], at);
	assert_int_equal(pending->node[i], node);
	assert_int_equal(pending->alive[i], alive);
	assert_int_equal(pending->pending[i], changes);
}

static void test_crashes_by_schedule(void **state)
{
	static const uint32_t some[] = {1, 3}, one[] = {0};
	struct host_latency latency = host_constant(1);
	struct host *host = create(&latency, 0);
	struct pending pending = {.n = 0};
	host->user = &pending;
	host->on_changed = note_change;
	struct faults faults = {.n = 0};
	add_crash(&faults, (struct node_list){.n = 2, .nodes = some}, 10, 20);
	add_crash(&faults, (struct node_list){.n = 1, .nodes = one}, 30, SIM_NEVER);
	apply(host, &faults);
	assert_int_equal(host->world.n_changes_pending, 4);
	world_run(&host->world);
	assert_int_equal(pending.n, 5);
	assert_change(&pending, 0, 10, 1, false, 4); /* the fault itself is not over yet */
	assert_change(&pending, 1, 10, 3, false, 3);
	assert_change(&pending, 2, 20, 1, true, 2);
	assert_change(&pending, 3, 20, 3, true, 1);
	assert_change(&pending, 4, 30, 0, false, 0); /* for ever: nothing more is to come */
	host_assert_traced(host, {20, TRACE_RESTART, 1, 0, 0, 0}, {20, TRACE_RESTART, 3, 0, 0, 0});
	assert_int_equal(host->n_fault_ends, 2);
	assert_false(host->world.nodes[0].alive);
	host_destroy(host);
}

/* At `from` it is down already, at `until` up again, whatever was sent when. */
static void test_windows_of_crashes_are_half_open(void **state)
{
	static const uint32_t node = 1;
	for (int leader = 0; leader < 2; leader++) {
		struct host_latency latency = host_constant(15);
		struct host *host = create(&latency, 0);
		host->leader = 1;
		struct faults faults = {.n = 0};
		struct node_list nodes = {.n = !leader, .nodes = &node, .leader = leader};
		add_crash(&faults, nodes, 10, 20);
		apply(host, &faults);
		for (sim_time t = 0; t < 10; t++) {
			host_send_at(host, t, 0, 1, KIND, 1, (uint64_t)t); /* arrives from 15 to 24 */
		}
		node_timer_set(&host->world.nodes[1], 0, 9);
		node_timer_set(&host->world.nodes[1], 1, 10);
		world_run(&host->world);
		assert_int_equal(host->n, 1 + 1 + 5);
		assert_int_equal(host->trace[0].at, 9);
		assert_int_equal(host->trace[1].what, TRACE_RESTART);
		assert_int_equal(host->trace[1].at, 20);
		for (size_t i = 2; i < 7; i++) {
			assert_int_equal(host->trace[i].at, 18 + i);
		}
		host_destroy(host);
	}
}

/* Two crashes of one node: it is up again when both are over. */
static void test_overlapping_crashes(void **state)
{
	static const uint32_t node = 2;
	struct node_list nodes = {.n = 1, .nodes = &node};
	struct host_latency latency = host_constant(1);
	struct host *host = create(&latency, 0);
	struct faults faults = {.n = 0};
	add_crash(&faults, nodes, 10, 20);
	add_crash(&faults, nodes, 15, 30);
	add_crash(&faults, nodes, 40, 60);
	add_crash(&faults, nodes, 45, 50);
	apply(host, &faults);
	world_run(&host->world);
	host_assert_traced(host, {30, TRACE_RESTART, 2, 0, 0, 0}, {60, TRACE_RESTART, 2, 0, 0, 0});
	assert_int_equal(host->n_changes, 4);
	assert_int_equal(host->n_fault_beginnings, 4);
	assert_int_equal(host->n_fault_ends, 4);
	host_destroy(host);
}

static void new_leader(struct host *host, struct node *node)
{
	host->leader = 2;
}

/* Whoever leads at the beginning is who restarts at the end; without a leader nothing happens. */
static void test_crash_of_the_leader(void **state)
{
	struct node_list leader = {.leader = true};
	for (int leads = 0; leads < 2; leads++) {
		struct host_latency latency = host_constant(1);
		struct host *host = create(&latency, 0);
		host->leader = leads ? 3 : NODE_NONE;
		host->on_changed = new_leader;
		struct faults faults = {.n = 0};
		add_crash(&faults, leader, 10, 20);
		apply(host, &faults);
		assert_int_equal(host->world.n_changes_pending, 2);
		world_run(&host->world);
		assert_int_equal(host->world.n_changes_pending, 0);
		assert_int_equal(host->n_changes, leads ? 2 : 0);
		assert_int_equal(host->n_fault_beginnings, leads);
		assert_int_equal(host->n_fault_ends, leads);
		if (leads) {
			host_assert_traced(host, {20, TRACE_RESTART, 3, 0, 0, 0});
		}
		host_destroy(host);
	}
}

static void check_refused(const struct fault *fault, void *settings, const char *param)
{
	struct shape shape = {.n_validators = 4};
	const char *got = NULL;
	char error[256] = "";
	assert_false(fault->plugin.finish(settings, &shape, &got, error));
	assert_string_equal(got, param);
	assert_true(strlen(error) > 10 && strlen(error) <= 200);
}

static void test_empty_windows_and_no_nodes_are_refused(void **state)
{
	static const uint32_t node = 2;
	struct shape shape = {.n_validators = 4};
	const char *got = NULL;
	char error[256] = "";
	struct fault_loss loss = {{10, 11}, .5, 0};
	assert_true(find("loss")->plugin.finish(&loss, &shape, &got, error));
	loss.common.until_ns = 10;
	check_refused(find("loss"), &loss, "until");
	struct fault_crash crash = {{10, SIM_NEVER}, {.n = 1, .nodes = &node}};
	assert_true(find("crash")->plugin.finish(&crash, &shape, &got, error));
	crash.common.until_ns = 9;
	check_refused(find("crash"), &crash, "until");
	crash.nodes.n = 0;
	check_refused(find("crash"), &crash, "nodes");
	crash = (struct fault_crash){{0, 1}, {.leader = true}};
	assert_true(find("crash")->plugin.finish(&crash, &shape, &got, error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_of_loss),
		cmocka_unit_test(test_loss_follows_the_seed),
		cmocka_unit_test(test_copies_are_lost_independently),
		cmocka_unit_test(test_windows_of_loss_are_half_open_and_of_arrivals),
		cmocka_unit_test(test_a_window_from_the_start_holds_at_once),
		cmocka_unit_test(test_loss_among_validators_spares_clients),
		cmocka_unit_test(test_overlapping_windows_of_loss),
		cmocka_unit_test(test_other_faults_leave_the_loss_alone),
		cmocka_unit_test(test_crashes_by_schedule),
		cmocka_unit_test(test_windows_of_crashes_are_half_open),
		cmocka_unit_test(test_overlapping_crashes),
		cmocka_unit_test(test_crash_of_the_leader),
		cmocka_unit_test(test_empty_windows_and_no_nodes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
