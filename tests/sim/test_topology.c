/* Who is linked to whom, and what is sent where not all are. */
#include "host.h"

#include "engine/topology.h"

struct number {
	int64_t value; /* `reach`, `degree` */
};

static const struct topology *find(const char *name)
{
	for (size_t i = 0; topology_registry.plugins[i] != NULL; i++) {
		if (strcmp(topology_registry.plugins[i]->name, name) == 0) {
			return (const struct topology *)(const void *)topology_registry.plugins[i];
		}
	}
	fail_msg("no %s", name);
	return NULL;
}

/* Both ways, ascending, no one to himself, all in reach; `degree` 0: any. */
static void assert_good(const struct links *links, uint32_t n, uint32_t degree)
{
	uint32_t *distances = malloc(n * sizeof(*distances));
	links_distances(links, n, 0, distances);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(distances[i] != UINT32_MAX);
		assert_true(degree == 0 || links->first[i + 1] - links->first[i] == degree);
		for (uint32_t k = links->first[i]; k < links->first[i + 1]; k++) {
			uint32_t peer = links->peers[k];
			assert_true(peer != i && peer < n && (k == links->first[i] || links->peers[k - 1] < peer));
			bool back = false;
			for (uint32_t j = links->first[peer]; j < links->first[peer + 1]; j++) {
				back |= links->peers[j] == i;
			}
			assert_true(back);
		}
	}
	free(distances);
}

static void test_rings(void **state)
{
	const struct topology *ring = find("ring");
	static const uint32_t degrees[][3] = {/* n, reach, degree */
		{7, 1, 2}, {7, 2, 4}, {7, 3, 6}, {7, 100, 6}, {8, 4, 7}, {8, 3, 6}, {4, 1, 2}, {3, 1, 2}, {2, 1, 1},
		{1, 1, 0}};
	for (size_t i = 0; i < sizeof(degrees) / sizeof(degrees[0]); i++) {
		struct arena arena = {0};
		struct number reach = {degrees[i][1]};
		assert_good(ring->link(&reach, &arena, 1, degrees[i][0]), degrees[i][0], degrees[i][2]);
		arena_finish(&arena);
	}
}

/* The right degrees; another graph for each seed; over many seeds each pair as often as another. */
static void test_random_regular(void **state)
{
	const struct topology *regular = find("random-regular");
	static const uint32_t sizes[][2] = {{4, 3}, {8, 3}, {9, 4}, {50, 5}, {1000, 8}, {9, 8}, {10, 8}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct arena arena = {0};
		struct number degree = {sizes[i][1]};
		uint32_t n = sizes[i][0];
		const struct links *one = regular->link(&degree, &arena, 1, n),
						   *again = regular->link(&degree, &arena, 1, n);
		assert_good(one, n, sizes[i][1]);
		assert_memory_equal(one->peers, again->peers, n * sizes[i][1] * sizeof(one->peers[0]));
		arena_finish(&arena);
	}
	enum { N = 8, DEGREE = 3, RUNS = 7000 };
	uint32_t counts[N * N] = {0};
	struct number degree = {DEGREE};
	for (uint64_t seed = 0; seed < RUNS; seed++) {
		struct arena arena = {0};
		const struct links *links = regular->link(&degree, &arena, seed, N);
		for (uint32_t i = 0; i < N; i++) {
			for (uint32_t k = 0; k < DEGREE; k++) {
				counts[i * N + links->peers[links->first[i] + k]]++;
			}
		}
		arena_finish(&arena);
	}
	double p = (double)DEGREE / (N - 1);
	for (uint32_t i = 0; i < N * N; i++) {
		if (i / N != i % N) { /* 4 standard errors, for 28 pairs */
			assert_true(fabs(counts[i] - RUNS * p) < 4 * sqrt(RUNS * p * (1 - p)));
		}
	}
}

static void refused(const char *name, const void *settings, uint32_t n, const char *words)
{
	char error[256] = "";
	const char *param = NULL;
	struct shape shape = {.n_validators = n};
	const struct plugin *plugin = &find(name)->plugin;
	bool good = plugin->finish((void *)(uintptr_t)settings, &shape, &param, error);
	assert_true(good == (words == NULL));
	if (words != NULL && strstr(error, words) == NULL) {
		fail_msg("got \"%s\", expected \"%s\"", error, words);
	}
}

static void test_errors(void **state)
{
	refused("random-regular", &(struct number){4}, 4, "must be below the number of validators, 4, got 4");
	refused("random-regular", &(struct number){3}, 7, "must be even where");
	refused("random-regular", &(struct number){3}, 8, NULL);
	static const struct {
		double cells[8];
		size_t n;
		const char *words;
	} files[] = {
		{{0, 1, 1, 2, 2, 3, 1, 0}, 4, NULL},
		{{0, 1, 1, 2, 2, 4}, 3, "must hold validators' numbers, 0 to 3, got 4 in row 3"},
		{{0, 1, 1.5, 2, 2, 3}, 3, "got 1.5 in row 2"},
		{{0, 1, 2, 2, 2, 3}, 3, "links validator 2 to itself in row 2"},
		{{0, 1, 2, 3}, 2, "no way from validator 0 to validator 2"},
	};
	static const char *const columns[] = {"from", "to"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct csv_table table = {
			.n_rows = files[i].n, .n_columns = 2, .column_names = columns, .cells = files[i].cells};
		const struct csv_table *file = &table;
		refused("edges", &file, 4, files[i].words);
		if (files[i].words == NULL) {
			struct arena arena = {0};
			const struct links *links = find("edges")->link(&file, &arena, 1, 4);
			assert_good(links, 4, 0);
			assert_int_equal(links->first[4], 6); /* 0-1 is there twice */
			arena_finish(&arena);
		}
	}
}

static struct host *on_a_ring(uint32_t n, struct number *reach)
{
	struct host_latency latency = host_constant(10);
	struct world_settings settings = host_settings(n, &latency);
	settings.topology = find("ring");
	settings.topology_settings = reach;
	return host_create(&settings);
}

static void floods(struct host *host, struct node *node, const struct message *message)
{
	uint64_t *seen = host->user;
	if ((*seen >> node->id & 1) == 0) {
		*seen |= UINT64_C(1) << node->id;
		struct message *further = node_message(node, KIND, CLASS_AGREEMENT, 1);
		further->instance = message->instance + 1; /* links passed so far */
		node_multicast(node, further);
	}
}

/* A flood reaches everyone after as many links as lie between. Each sends to its two peers once. */
static void test_a_flood_over_a_ring(void **state)
{
	struct number reach = {1};
	struct host *host = on_a_ring(7, &reach);
	uint64_t seen = 1;
	host->user = &seen;
	host->on_message = floods;
	host_send(host, 0, NODE_NONE, KIND, 1, 1);
	world_run(&host->world);
	assert_int_equal(seen, 127);
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 7 * 2);
	for (size_t i = 0; i < host->n; i++) {
		assert_int_equal(host->trace[i].at, 10 * (sim_time)host->trace[i].instance);
	}
	assert_int_equal(host->trace[host->n - 1].at, 40); /* 3 and 4 tell each other */
	host_destroy(host);
}

/* One message to several, in that order; in a full world, where all are peers, too. */
static void test_send_many(void **state)
{
	struct host *host = host_with_delay(5, 10, 0);
	struct node *node = &host->world.nodes[3];
	uint32_t n;
	const uint32_t *peers = node_peers(node, &n);
	assert_int_equal(n, 4);
	for (uint32_t k = 0; k < n; k++) {
		assert_int_equal(peers[k], (4 + k) % 5);
		assert_true(node_reaches(node, peers[k]));
	}
	const uint32_t to[] = {4, 0, 2};
	struct message *message = node_message(node, KIND, CLASS_AGREEMENT, 8);
	node_send_many(node, to, 3, message);
	node_send_many(node, to, 0, node_message(node, KIND, CLASS_AGREEMENT, 8));
	world_run(&host->world);
	host_assert_traced(host, {10, TRACE_MESSAGE, 4, 3, KIND, 0}, {10, TRACE_MESSAGE, 0, 3, KIND, 0},
		{10, TRACE_MESSAGE, 2, 3, KIND, 0});
	assert_int_equal(host->world.messages[CLASS_AGREEMENT], 3);
	assert_int_equal(host->world.bytes[CLASS_AGREEMENT], 24);
	assert_int_equal(host->world.n_packets_used, 1 + 1); /* both are free again */
	host_destroy(host);
}

static void test_reaches(void **state)
{
	struct number reach = {2};
	struct host *host = on_a_ring(9, &reach);
	for (uint32_t i = 0; i < 9; i++) {
		for (uint32_t k = 0; k < 9; k++) {
			uint32_t apart = (k + 9 - i) % 9;
			assert_true(node_reaches(&host->world.nodes[i], k) == (apart <= 2 || apart >= 7));
		}
	}
	host_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_random_regular),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_a_flood_over_a_ring),
		cmocka_unit_test(test_send_many),
		cmocka_unit_test(test_reaches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
