/* Cuts: who reaches whom, when, and what is told of it. All delays are 5. */
#include "faults.h"

static struct host *create(const struct host_latency *latency, uint32_t n, uint32_t n_clients)
{
	struct world_settings settings = host_settings(n, latency);
	settings.n_clients = n_clients;
	return host_create(&settings);
}

/* Which of n x n sent at `at` come: a string of rows, 'x' where one does. */
static void reach(const struct host *host, sim_time at, uint32_t n, char *text)
{
	memset(text, '.', n * n);
	text[n * n] = '\0';
	for (size_t i = 0; i < host->n; i++) {
		if (host->trace[i].at == at && host->trace[i].from < n && host->trace[i].node < n) {
			text[host->trace[i].from * n + host->trace[i].node] = 'x';
		}
	}
}

static void all_send(struct host *host, uint32_t n, sim_time at)
{
	for (uint32_t i = 0; i < n; i++) {
		host_send_at(host, at, i, NODE_NONE, KIND, 1, 0);
	}
}

/* Groups may share nodes; those in no group are together. */
static void test_partition(void **state)
{
	for (int equal = 0; equal < 2; equal++) {
		struct host_latency latency = equal ? host_equal(5) : host_constant(5);
		struct host *host = create(&latency, 6, 0);
		const struct node_list groups[] = {NODES(0, 1), NODES(1, 2)};
		const struct fault_partition partition = {{10, 20}, {2, groups}};
		fault_add(host, "partition", &partition);
		assert_false(host->world.filtered); /* nothing to ask outside the window */
		assert_int_equal(host->world.n_changes_pending, 1);
		const sim_time sent[] = {4, 5, 14, 15};
		for (int i = 0; i < 4; i++) {
			all_send(host, 6, sent[i]);
		}
		world_run(&host->world);
		char text[37];
		const char *all = ".xxxxxx.xxxxxx.xxxxxx.xxxxxx.xxxxxx.";
		const char *cut = ".x....x.x....x........xx...x.x...xx.";
		for (int i = 0; i < 4; i++) {
			reach(host, sent[i] + 5, 6, text);
			assert_string_equal(text, i == 0 || i == 3 ? all : cut); /* half-open, by arrival */
		}
		assert_int_equal(host->world.cut, 2 * (30 - 10));
		assert_int_equal(host->world.n_changes_pending, 0);
		assert_int_equal(host->n_fault_ends, 1);
		assert_false(host->world.filtered);
		host_destroy(host);
	}
}

/* More groups than a word has bits. */
static void test_partition_of_many_groups(void **state)
{
	static struct node_list groups[70];
	static uint32_t nodes[70][2];
	for (uint32_t g = 0; g < 70; g++) {
		nodes[g][0] = g;
		nodes[g][1] = g + 1;
		groups[g] = (struct node_list){.n = 2, .nodes = nodes[g], .given = true};
	}
	const struct fault_partition partition = {{0, SIM_NEVER}, {70, groups}};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, 80, 0);
	fault_add(host, "partition", &partition);
	assert_int_equal(host->world.n_changes_pending, 0); /* it never heals */
	world_run(&host->world);
	for (uint32_t a = 0; a < 80; a++) {
		for (uint32_t b = 0; b < 80; b++) {
			bool chain = a <= 70 && b <= 70 && (a > b ? a - b : b - a) <= 1;
			assert_int_equal(world_reaches(&host->world, a, b), chain || (a > 70 && b > 70));
		}
	}
	host_destroy(host);
}

static void test_one_way(void **state)
{
	const struct fault_cut cuts[] = {
		{{0, SIM_NEVER}, NODES(0, 1), NODES(1, 2)},
		{{0, SIM_NEVER}, NODES(3), {.n = 0}},
	};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, 4, 1);
	fault_add(host, "cut", &cuts[0]);
	all_send(host, 4, 0);
	host_send_at(host, 0, 4, 1, MESSAGE_REQUEST, 1, 0); /* clients reach everyone */
	host_send_at(host, 0, 0, 4, MESSAGE_REPLY, 1, 0);
	world_run(&host->world);
	char text[17];
	reach(host, 5, 4, text);
	assert_string_equal(text, "...xx..xxx.xxxx.");
	assert_int_equal(host->n, 9 + 2);
	assert_int_equal(host->world.cut, 3);
	host_destroy(host);

	host = create(&latency, 4, 1);
	struct told told;
	told_listen(&told, host);
	fault_add(host, "cut", &cuts[1]);
	host_send_at(host, 7, 3, NODE_NONE, KIND, 1, 0);
	host_send_at(host, 7, 3, 4, MESSAGE_REPLY, 1, 0);
	host_send_at(host, 7, 0, 3, KIND, 1, 0);
	world_run(&host->world);
	host_assert_traced(host, {12, TRACE_CLIENT, 4, 3, MESSAGE_REPLY, 0}, {12, TRACE_MESSAGE, 3, 0, KIND, 0});
	assert_string_equal(told.text, "0 -1 cut begins; 12 3>0 cut; 12 3>1 cut; 12 3>2 cut; ");
	host_destroy(host);
}

/* Cuts overlap: a link works again when all that cut it are over. */
static void test_cuts_overlap(void **state)
{
	const struct fault_cut one = {{10, 30}, NODES(0), NODES(1)}, other = {{20, 40}, NODES(0), NODES(1)};
	struct host_latency latency = host_constant(0);
	struct host *host = create(&latency, 2, 0);
	const struct fault_entry entries[] = {{"cut", &one}, {"cut", &other}};
	faults_add(host, entries, 2);
	for (sim_time t = 5; t < 50; t += 10) {
		host_send_at(host, t, 0, 1, KIND, 1, (uint64_t)t);
	}
	world_run(&host->world);
	host_assert_traced(host, {5, TRACE_MESSAGE, 1, 0, KIND, 5}, {45, TRACE_MESSAGE, 1, 0, KIND, 45});
	assert_int_equal(host->n_fault_ends, 2);
	host_destroy(host);
}

/* Down for 10, up for 20, from 100 until 150: exact also where arrivals were queued long before. */
static void test_flapping(void **state)
{
	const struct fault_flap flap = {{100, 150}, NODES(1), {.n = 0}, {.n = 0}, 10, 20};
	struct host_latency latency = host_constant(45);
	struct host *host = create(&latency, 3, 0);
	struct told told;
	told_listen(&told, host);
	fault_add(host, "flap", &flap);
	assert_int_equal(host->world.n_changes_pending, 1);
	for (sim_time t = 95; t < 160; t++) {
		host_send_at(host, t - 45, 0, 1, KIND, 1, 1);
		host_send_at(host, t - 45, 1, 2, KIND, 1, 2);
		host_send_at(host, t - 45, 2, 0, KIND, 1, 3);
	}
	world_run(&host->world);
	size_t n = 0;
	for (sim_time t = 95; t < 160; t++) {
		bool down = (t >= 100 && t < 110) || (t >= 130 && t < 140);
		for (uint64_t k = down ? 3 : 1; k <= 3; k++) {
			assert_int_equal(host->trace[n].at, t);
			assert_int_equal(host->trace[n++].instance, k);
		}
	}
	assert_int_equal(n, host->n);
	assert_int_equal(host->n_fault_beginnings, 2); /* 100 and 130 */
	assert_int_equal(host->n_fault_ends, 3); /* 110, 140, and the end */
	assert_null(strstr(told.text, "100 -1")); /* it begins, and does not also go down */
	assert_non_null(strstr(told.text, "100 1 flap begins"));
	assert_non_null(strstr(told.text, "110 -1 flap up; "));
	assert_non_null(strstr(told.text, "130 -1 flap down; "));
	assert_int_equal(host->world.n_changes_pending, 0);
	host_destroy(host);
}

static void stop_at(struct world *world, void *context, uint64_t argument)
{
	world->stopped = true;
}

static void test_flapping_for_ever_may_always_heal(void **state)
{
	const struct fault_flap flap = {{0, SIM_NEVER}, {.n = 0}, NODES(0), NODES(1), 10, 10};
	struct host_latency latency = host_constant(1);
	struct host *host = create(&latency, 2, 0);
	fault_add(host, "flap", &flap);
	world_call_at(&host->world, 1005, stop_at, NULL, 0);
	world_run(&host->world);
	assert_int_equal(host->world.n_changes_pending, 1);
	assert_int_equal(host->n_fault_ends, 50);
	assert_false(world_reaches(&host->world, 0, 1));
	assert_true(world_reaches(&host->world, 1, 0));
	host_destroy(host);
}

/* Each is cut from all others, also from each other; only what passes between validators. */
static void test_isolation(void **state)
{
	const struct fault_isolate isolate = {{0, 10}, NODES(0, 2), false};
	struct host_latency latency = host_constant(5);
	struct host *host = create(&latency, 4, 1);
	struct told told;
	told_listen(&told, host);
	fault_add(host, "isolate", &isolate);
	all_send(host, 4, 0);
	host_send_at(host, 0, 0, 4, MESSAGE_REPLY, 1, 0);
	world_run(&host->world);
	char text[17];
	reach(host, 5, 4, text);
	assert_string_equal(text, ".......x.....x..");
	assert_int_equal(host->n, 3);
	assert_non_null(strstr(told.text, "0 0 isolate begins; 0 2 isolate begins; "));
	assert_non_null(strstr(told.text, "10 0 isolate ends; 10 2 isolate ends; "));
	host_destroy(host);
}

static void lead(struct world *world, void *context, uint64_t leader)
{
	struct host *host = world->host;
	host->leader = (uint32_t)leader;
	node_leads(&world->nodes[leader], 7, LEAD_CHANGE);
}

static void ignore_leads(struct node *node, uint64_t view, enum lead_cause cause)
{
}

/* Whoever leads when it begins; or, with `follow`, whoever leads. */
static void test_isolation_of_the_leader(void **state)
{
	for (int follow = 0; follow < 2; follow++) {
		const struct fault_isolate isolate = {{10, 40}, LEADER, follow};
		struct host_latency latency = host_constant(0);
		struct host *host = create(&latency, 3, 0);
		host->ops.leads = ignore_leads;
		host->leader = 1;
		fault_add(host, "isolate", &isolate);
		world_call_at(&host->world, 20, lead, NULL, 2);
		for (sim_time t = 5; t < 50; t += 10) {
			all_send(host, 3, t);
		}
		world_run(&host->world);
		char text[10];
		const char *all = ".xxx.xxx.", *without_1 = "..x...x..", *without_2 = ".x.x.....";
		const char *const wanted[] = {
			all, without_1, follow ? without_2 : without_1, follow ? without_2 : without_1, all};
		for (int i = 0; i < 5; i++) {
			reach(host, 5 + 10 * i, 3, text);
			assert_string_equal(text, wanted[i]);
		}
		assert_null(host->world.followers);
		host_destroy(host);
	}
}

/* Nobody leads when it begins: who follows takes the first that does, who doesn't takes nobody. */
static void test_isolation_without_a_leader(void **state)
{
	for (int follow = 0; follow < 2; follow++) {
		const struct fault_isolate isolate = {{10, 40}, LEADER, follow};
		struct host_latency latency = host_constant(0);
		struct host *host = create(&latency, 3, 0);
		host->ops.leads = ignore_leads;
		fault_add(host, "isolate", &isolate);
		world_call_at(&host->world, 20, lead, NULL, 2);
		all_send(host, 3, 15);
		all_send(host, 3, 25);
		world_run(&host->world);
		char text[10];
		reach(host, 15, 3, text);
		assert_string_equal(text, ".xxx.xxx.");
		reach(host, 25, 3, text);
		assert_string_equal(text, follow ? ".x.x....." : ".xxx.xxx.");
		host_destroy(host);
	}
}

static uint64_t n_links;

static void note_links(struct world *world)
{
	n_links = n_links * 10 + world->n_cuts * 2 + world->n_changes_pending + 1;
}

/* The host is told when the cut is in force, or is over and counted no more. */
static void test_the_host_hears_of_links(void **state)
{
	const struct fault_isolate isolate = {{10, 40}, NODES(1), false};
	struct host_latency latency = host_constant(0);
	struct host *host = create(&latency, 3, 0);
	host->ops.links = note_links;
	n_links = 0;
	fault_add(host, "isolate", &isolate);
	world_run(&host->world);
	assert_int_equal(n_links, 41);
	host_destroy(host);
}

static void test_refused(void **state)
{
	struct shape shape = {.n_validators = 4};
	const struct node_list empty[] = {NODES(0), {.given = true}};
	struct fault_partition partition = {{0, 1}, {0, NULL}};
	fault_assert_refused("partition", &partition, &shape, "groups");
	partition.groups = (struct node_groups){2, empty};
	fault_assert_refused("partition", &partition, &shape, "groups");
	partition.groups.n = 1;
	fault_assert_refused("partition", &partition, &shape, NULL);
	partition.common.until_ns = 0;
	fault_assert_refused("partition", &partition, &shape, "until");
	struct fault_cut cut = {{0, 1}, {.n = 0}, {.n = 0}};
	fault_assert_refused("cut", &cut, &shape, "from_nodes");
	cut.to.given = true;
	fault_assert_refused("cut", &cut, &shape, "to_nodes");
	cut.to.leader = true;
	fault_assert_refused("cut", &cut, &shape, NULL);
	struct fault_flap flap = {{0, 1}, {.n = 0}, {.n = 0}, {.n = 0}, 1000, 1000};
	fault_assert_refused("flap", &flap, &shape, "nodes");
	flap.nodes = flap.to = empty[0];
	fault_assert_refused("flap", &flap, &shape, "nodes");
	flap.to.given = false;
	fault_assert_refused("flap", &flap, &shape, NULL);
	struct fault_isolate isolate = {{0, 1}, NODES(1), true};
	fault_assert_refused("isolate", &isolate, &shape, "follow");
	isolate.follow = false;
	fault_assert_refused("isolate", &isolate, &shape, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partition),
		cmocka_unit_test(test_partition_of_many_groups),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_cuts_overlap),
		cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_flapping_for_ever_may_always_heal),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_isolation_of_the_leader),
		cmocka_unit_test(test_isolation_without_a_leader),
		cmocka_unit_test(test_the_host_hears_of_links),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
