/* Stable storage: what a write takes, what makes it longer, and what crashes leave of it. */
#include "faults.h"

struct written {
	struct disk_record record; /* the first member */
	uint64_t what;
};

static struct plugin_value delay;

static struct host *create(struct host_latency *latency, struct host_latency *disk)
{
	*latency = host_constant(5);
	*disk = host_constant(10);
	delay = (struct plugin_value){(const struct plugin *)disk->model, disk->settings};
	struct world_settings settings = host_settings(2, latency);
	settings.n_clients = 1;
	return host_create(&settings);
}

static void writes(struct world *world, void *context, uint64_t what)
{
	struct node *node = &world->nodes[1];
	struct written *written = arena_new(&world->arena, struct written);
	written->record.n_parts = 4;
	written->what = what;
	struct message *message = node_message(node, KIND, CLASS_CONTROL, 0);
	message->instance = what;
	if (node->alive) {
		node_write(node, &delay, &written->record, message);
	}
}

static void write_at(struct host *host, sim_time at, uint64_t what)
{
	world_call_at(&host->world, at, writes, NULL, what);
}

/* Node 1's writes of 10 ns at 100, 200 and 300, of which those at the times given end. */
static void ends(const char *name, const void *fault, sim_time first, sim_time second, sim_time third)
{
	struct host_latency latency, disk;
	struct host *host = create(&latency, &disk);
	if (name != NULL) {
		fault_add(host, name, fault);
	}
	for (uint64_t i = 1; i <= 3; i++) {
		write_at(host, 100 * (sim_time)i, i);
	}
	world_run(&host->world);
	host_assert_traced(host, {first, TRACE_MESSAGE, 1, 1, KIND, 1}, {second, TRACE_MESSAGE, 1, 1, KIND, 2},
		{third, TRACE_MESSAGE, 1, 1, KIND, 3});
	for (uint64_t i = 1; i <= 3; i++) {
		const struct written *written = (struct written *)node_settled(&host->world.nodes[1]);
		assert_int_equal(written->what, i);
	}
	assert_null(node_settled(&host->world.nodes[1]));
	host_destroy(host);
}

static void test_how_long(void **state)
{
	ends(NULL, NULL, 110, 210, 310);
	struct host_latency seven = host_constant(7);
	struct fault_slow_disk slow = {{150, 300}, NODES(1), 2.5, {(const struct plugin *)seven.model, seven.settings}};
	ends("slow-disk", &slow, 110, 232, 310); /* half-open: what begins at 300 is quick */
	slow.nodes = (struct node_list)NODES(0);
	ends("slow-disk", &slow, 110, 210, 310);
	struct fault_disk stall = {{205, 250}, NODES(1), .stall = true};
	ends("disk", &stall, 110, 250, 310); /* it began before */
	stall.common.from_ns = 211;
	ends("disk", &stall, 110, 210, 310); /* and had ended */
	const struct fault_crash pause = {{205, 260}, NODES(1), .every_ns = SIM_NEVER};
	ends("pause", &pause, 110, 260, 310);
}

/* A device whose times are drawn draws them by node and write: another's writes shift nothing. */
static void test_drawn(void **state)
{
	struct host_latency latency, disk;
	sim_time at[2][3];
	for (int i = 0; i < 2; i++) {
		struct host *host = create(&latency, &disk);
		disk = host_latency("uniform", "min", 10, "max", 90);
		delay = (struct plugin_value){(const struct plugin *)disk.model, disk.settings};
		assert_true(node_stores(&host->world.nodes[0], &delay));
		for (uint64_t k = 1; k <= 3; k++) {
			write_at(host, 100 * (sim_time)k, k);
			host_send_at(host, 100 * (sim_time)k, 0, i == 0 ? NODE_NONE : 2, MESSAGE_REPLY, 1, 0);
		}
		world_run(&host->world);
		size_t n = 0;
		for (size_t t = 0; t < host->n; t++) {
			if (host->trace[t].which == KIND) {
				at[i][n++] = host->trace[t].at;
			}
		}
		assert_int_equal(n, 3);
		host_destroy(host);
	}
	assert_memory_equal(at[0], at[1], sizeof(at[0]));
	assert_true(at[0][1] - at[0][0] != 100 || at[0][2] - at[0][1] != 100);
}

/* Where writing takes no time and nothing fails, none is needed. */
static void test_stores(void **state)
{
	struct host_latency latency, disk;
	struct host *host = create(&latency, &disk);
	assert_true(node_stores(&host->world.nodes[0], &delay));
	disk = host_constant(0);
	assert_false(node_stores(&host->world.nodes[0], &delay));
	const struct fault_disk fails = {{0, SIM_NEVER}, NODES(1), .cache_ns = 5};
	const struct fault_disk leader = {{50, SIM_NEVER}, LEADER, .wipe = true};
	fault_add(host, "disk", &fails);
	assert_false(node_stores(&host->world.nodes[0], &delay));
	assert_true(node_stores(&host->world.nodes[1], &delay));
	assert_true(node_caches(&host->world.nodes[1]) && !node_caches(&host->world.nodes[0]));
	host_destroy(host);
	host = create(&latency, &disk);
	disk = host_constant(0);
	fault_add(host, "disk", &leader);
	assert_true(node_stores(&host->world.nodes[0], &delay)); /* it may lead by then */
	host_destroy(host);
}

/* Writes of 10 ns that end at 110, 210 and, were it not for a crash at 305, 310. Gives of how many parts of the
 * second and third there is something, and whether all is gone. */
struct left {
	uint32_t second, third;
	bool wiped;
};

static struct left crash(struct fault_disk fault, uint64_t seed)
{
	const struct fault_crash down = {{305, 400}, NODES(1), .every_ns = SIM_NEVER};
	struct host_latency latency, disk;
	struct host *host = create(&latency, &disk);
	host_destroy(host);
	struct world_settings settings = host_settings(2, &latency);
	settings.seed = seed;
	host = host_create(&settings);
	fault.common.until_ns = SIM_NEVER;
	fault.nodes = (struct node_list)NODES(1);
	const struct fault_entry entries[] = {{"disk", &fault}, {"crash", &down}};
	faults_add(host, entries, 2);
	for (uint64_t i = 1; i <= 3; i++) {
		write_at(host, 100 * (sim_time)i, i);
	}
	world_run(&host->world);
	struct node *node = &host->world.nodes[1];
	struct left left = {.wiped = node_wiped(node)};
	for (struct disk_record *record; (record = node_survivor(node)) != NULL;) {
		uint64_t what = ((struct written *)record)->what;
		*(what == 2 ? &left.second : what == 3 ? &left.third : &(uint32_t){0}) = record->n_left;
		assert_true(what != 1 || record->n_left == 4);
	}
	host_destroy(host);
	return left;
}

static void test_what_is_left(void **state)
{
	struct left left = crash((struct fault_disk){.unsynced = DISK_LOST}, 1);
	assert_true(left.second == 4 && left.third == 0 && !left.wiped);
	left = crash((struct fault_disk){.wipe = true}, 1);
	assert_true(left.second == 4 && left.wiped);
	left = crash((struct fault_disk){.cache_ns = 95}, 1);
	assert_true(left.second == 4 && left.third == 0); /* safe at 305 */
	left = crash((struct fault_disk){.cache_ns = 96}, 1);
	assert_true(left.second == 0 && left.third == 0);
	uint32_t third[5] = {0}, second[5] = {0};
	for (uint64_t seed = 0; seed < 200; seed++) {
		left = crash((struct fault_disk){.unsynced = DISK_TORN}, seed);
		assert_true(left.second == 4 && left.third <= 4);
		third[left.third]++;
		left = crash((struct fault_disk){.unsynced = DISK_TORN, .cache_ns = 96}, seed);
		assert_true(left.third == 0); /* nothing is there after what is torn */
		second[left.second]++;
	}
	for (int i = 0; i < 5; i++) {
		assert_in_range(third[i], 15, 70);
		assert_in_range(second[i], 15, 70);
	}
}

static void test_refused(void **state)
{
	struct shape shape = {.n_validators = 4, .n_faulty = 1, .stores = true};
	struct fault_slow_disk slow = {{0, SIM_NEVER}, NODES(1), 1, {NULL, NULL}};
	fault_assert_refused("slow-disk", &slow, &shape, "delay");
	slow.factor = 2;
	fault_assert_refused("slow-disk", &slow, &shape, NULL);
	struct fault_disk fails = {{0, SIM_NEVER}, NODES(1), .stall = false};
	fault_assert_refused("disk", &fails, &shape, "nodes");
	fails.wipe = true;
	fault_assert_refused("disk", &fails, &shape, NULL);
	shape.stores = false;
	fault_assert_refused("disk", &fails, &shape, "nodes");
	fault_assert_refused("slow-disk", &slow, &shape, "nodes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_long),
		cmocka_unit_test(test_drawn),
		cmocka_unit_test(test_stores),
		cmocka_unit_test(test_what_is_left),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
