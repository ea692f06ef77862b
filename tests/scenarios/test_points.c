/* What a scenario comes to: the example of the documents, defaults, and what `auto` chooses. */
#include "fakes.h"

static void test_example(void **state)
{
	struct scenario_file *file = read_right(example, NULL, 0);
	assert_int_equal(scenario_n_points(file), 9);
	assert_string_equal(scenario_text(file), example);
	const struct scenario *point = scenario_point(file, 7); /* pbft, 7 */
	assert_string_equal(point->title, "Overhead of none, Raft and PBFT");
	assert_int_equal(point->seed, 42);
	assert_int_equal(point->replications, 30);
	assert_int_equal(point->stop.items, 1000);
	assert_int_equal(point->stop.time_ns, 600 * SIM_SECOND);
	assert_int_equal(point->n_validators, 7);
	assert_int_equal(point->n_faulty, 1);
	assert_true(point->network.bandwidth_bps == 1e9);
	assert_true(point->network.loss == 0);
	assert_string_equal(point->network.latency.plugin->name, "lognormal");
	const struct workload_common *workload = point->workload.settings;
	assert_int_equal(workload->quorum, 4);
	assert_int_equal(workload->deadline_ns, 2 * SIM_SECOND);
	assert_int_equal(workload->client_timeout_ns, 2 * SIM_SECOND);
	assert_string_equal(workload->arrivals.plugin->name, "poisson");
	assert_int_equal(point->attacks.n, 1);
	const struct fake_gradient *gradient = point->attacks.values[0].settings;
	assert_true(gradient->common.fraction == 0.3);
	assert_int_equal(gradient->common.until_ns, 40 * SIM_SECOND);
	assert_int_equal(point->faults.n, 3);
	const struct fake_partition *partition = point->faults.values[0].settings;
	assert_int_equal(partition->groups.n, 2);
	assert_int_equal(partition->groups.groups[1].nodes[1], 3);
	assert_int_equal(point->record.n, 3);
	assert_true(scenario_records(point, &result_tables[TABLE_DECISIONS]));
	assert_true(scenario_records(point, &result_tables[TABLE_VALIDATORS]));
	assert_true(scenario_records(point, &result_tables[TABLE_SERIES]));
	assert_true(scenario_records(point, &result_tables[TABLE_RUNS]));
	assert_false(scenario_records(point, &result_tables[TABLE_MODELS]));
	assert_true(point->checkers);
	scenario_close(file);
}

static const struct scenario *read_point(const char *text, struct scenario_file **file)
{
	*file = read_right(text, NULL, 0);
	return scenario_point(*file, 0);
}

/* Words come in the order of tables, each once; those of applications' own behind the others. */
static void test_record(void **state)
{
	struct scenario_file *file;
	const struct scenario *point = read_point("validators: 4\nprotocol: pbft\nworkload: requests\n"
		"record: [parcels, models, decisions, parcels]\n", &file);
	assert_int_equal(point->record.n, 3);
	assert_string_equal(point->record.names[0], "decisions");
	assert_string_equal(point->record.names[1], "models");
	assert_string_equal(point->record.names[2], "parcels");
	assert_true(scenario_records(point, &result_tables[TABLE_IMPORTANCE])); /* `models` asks for it */
	assert_false(scenario_records(point, &result_tables[TABLE_FAULTS]));
	const struct table *tables[SCENARIO_TABLES_MAX];
	assert_int_equal(scenario_tables(tables, SCENARIO_TABLES_MAX), TABLE_N + 1);
	assert_true(scenario_records(point, tables[TABLE_N]));
	const struct plugin *apps[2];
	assert_int_equal(scenario_table_bringers(tables[TABLE_N], apps, 2), 1);
	assert_string_equal(apps[0]->name, "requests");
	scenario_close(file);
}

static void test_defaults(void **state)
{
	struct scenario_file *file;
	const struct scenario *point =
		read_point("validators: 10\nprotocol: pbft\nworkload: dimweight\n", &file);
	assert_string_equal(point->title, "");
	assert_int_equal(point->seed, 1);
	assert_int_equal(point->replications, 1);
	assert_int_equal(point->stop.items, 1000);
	assert_int_equal(point->stop.time_ns, 600 * SIM_SECOND);
	assert_int_equal(point->stop.events, INT64_C(10000000000));
	assert_int_equal(point->stop.views, 10000);
	assert_int_equal(point->n_faulty, 3);
	assert_true(point->network.bandwidth_bps == 0);
	assert_string_equal(point->predictor.plugin->name, "linear");
	assert_string_equal(point->scorer.plugin->name, "none");
	assert_string_equal(point->aggregator.plugin->name, "median");
	assert_int_equal(point->attacks.n, 0);
	assert_int_equal(point->record.n, 0);
	const struct workload_common *workload = point->workload.settings;
	assert_int_equal(workload->quorum, 7);
	assert_int_equal(workload->deadline_ns, workload->client_timeout_ns);
	scenario_close(file);
}

static void test_stop(void **state)
{
	struct scenario_file *file;
	const struct scenario *point =
		read_point("validators: 4\nprotocol: raft\nworkload: requests\nstop: {items: 5}\n", &file);
	assert_int_equal(point->stop.items, 5);
	assert_int_equal(point->stop.time_ns, SIM_NEVER);
	assert_null(point->predictor.plugin);
	assert_null(point->scorer.plugin);
	assert_null(point->aggregator.plugin);
	scenario_close(file);
	point =
		read_point("validators: 4\nprotocol: raft\nworkload: requests\nstop: {time: 5 s}\n", &file);
	assert_int_equal(point->stop.items, INT64_MAX);
	assert_int_equal(point->stop.time_ns, 5 * SIM_SECOND);
	scenario_close(file);
	point =
		read_point("validators: 4\nprotocol: raft\nworkload: requests\nstop: {views: 7}\n", &file);
	assert_int_equal(point->stop.items, 1000);
	assert_int_equal(point->stop.views, 7);
	scenario_close(file);
}

/* f by the protocol, and how long a run may stand still. */
static void test_auto(void **state)
{
	static const struct {
		const char *text;
		int64_t n_faulty;
		sim_time bound_ns;
	} cases[] = {
		{"validators: 7\nprotocol: none\n", 0, 30 * SIM_SECOND},
		{"validators: 7\nprotocol: raft\n", 3, 30 * SIM_SECOND},
		{"validators: 7\nprotocol: pbft\n", 2, 32 * SIM_SECOND}, /* 4 * 2^3 * 1 s */
		{"validators: 4\nprotocol: pbft\n", 1, 30 * SIM_SECOND}, /* 4 * 2^2 * 1 s is less */
		{"validators: 100\nprotocol: pbft\n", 33, 3600 * SIM_SECOND},
		{"validators: 4\nprotocol: {kind: pbft, view_timeout: off}\n", 1, 30 * SIM_SECOND},
		{"validators: 4\nprotocol: {kind: raft, election_timeout: [1 s, 5 s]}\n", 1,
			100 * SIM_SECOND},
		{"validators: 1\nprotocol: pbft\n", 0, 30 * SIM_SECOND},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		snprintf(text, sizeof(text), "%sworkload: requests\n", cases[i].text);
		struct scenario_file *file;
		const struct scenario *point = read_point(text, &file);
		assert_int_equal(point->n_faulty, cases[i].n_faulty);
		assert_int_equal(point->liveness_bound_ns, cases[i].bound_ns);
		assert_int_equal(point->shape.n_faulty, cases[i].n_faulty);
		scenario_close(file);
	}
}

/* Timeouts hang on the scenario's own network. */
static void test_timeouts(void **state)
{
	struct scenario_file *file;
	const struct scenario *point =
		read_point("validators: 4\nprotocol: raft\nworkload: requests\n"
				   "network: {latency: {kind: constant, value: 100 ms}}\n",
			&file);
	const struct fake_protocol *raft = point->protocol.settings;
	assert_int_equal(point->shape.delay_p999_ns, 100 * SIM_MS);
	assert_int_equal(raft->election_timeout_ns[0], SIM_SECOND);
	assert_int_equal(raft->election_timeout_ns[1], 2 * SIM_SECOND);
	assert_int_equal(point->shape.client_timeout_ns, 4 * SIM_SECOND);
	scenario_close(file);
	point = read_point(
		"validators: 4\nprotocol: {kind: raft, election_timeout: off, "
		"initial_leader: none, prevote: on}\nworkload: {kind: requests, client_timeout: off}\n"
		"network: {latency: regions}\n",
		&file);
	raft = point->protocol.settings;
	assert_int_equal(raft->election_timeout_ns[1], SIM_NEVER);
	assert_int_equal(raft->initial_leader, 1);
	assert_true(raft->prevote);
	assert_int_equal(point->shape.client_timeout_ns, SIM_NEVER);
	assert_int_equal(point->shape.delay_p999_ns, 40 * SIM_MS); /* half of the matrix's 80 ms */
	scenario_close(file);
}

/* And on what processors and cards take: three others, 1 ms each to send, receive and verify, 2 ms to sign; 64
 * bytes to and from each of them at 1 MB/s. A batch of 4 requests of 1000 and 64 bytes to all and in, twice; of
 * many, what 64 KiB hold. */
static void test_timeouts_know_costs(void **state)
{
	static const struct {
		const char *text;
		sim_time round_ns, bulk_ns;
	} cases[] = {
		{"", 0, 0},
		{"node: {sign: 2 ms, send: 1 ms, receive: 1 ms, verify: 1 ms}\n", 11 * SIM_MS, 0},
		{"network: {bandwidth: 8 Mbit/s}\n", 384000, 2 * 4 * (64 + 4 * 1064) * SIM_US},
		{"network: {bandwidth: 8 Mbit/s}\nprotocol: {kind: raft, batch: 4096}\n", 384000,
			2 * 4 * (64 + 65536) * SIM_US},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[400];
		snprintf(text, sizeof(text), "validators: 4\nworkload: {kind: requests, size: 1000 B}\n%s%s",
			strstr(cases[i].text, "protocol") ? "" : "protocol: {kind: raft, batch: 4}\n", cases[i].text);
		struct scenario_file *file;
		const struct scenario *point = read_point(text, &file);
		const struct fake_protocol *raft = point->protocol.settings;
		sim_time delay = point->shape.delay_p999_ns + cases[i].round_ns;
		sim_time smallest = 10 * delay + cases[i].bulk_ns, client = 40 * delay + cases[i].bulk_ns;
		sim_time largest = 20 * delay + 2 * cases[i].bulk_ns;
		smallest = smallest > 150 * SIM_MS ? smallest : 150 * SIM_MS;
		largest = largest > 300 * SIM_MS ? largest : 300 * SIM_MS;
		client = client > 2 * SIM_SECOND ? client : 2 * SIM_SECOND;
		assert_int_equal(point->shape.round_ns, cases[i].round_ns);
		assert_int_equal(point->shape.bulk_ns, cases[i].bulk_ns);
		assert_int_equal(raft->election_timeout_ns[0], smallest);
		assert_int_equal(raft->election_timeout_ns[1], largest);
		assert_int_equal(point->shape.client_timeout_ns, client);
		scenario_close(file);
	}
}

static void test_nodes(void **state)
{
	struct scenario_file *file;
	const struct scenario *point = read_point(
		"validators: 7\nprotocol: pbft\nworkload: requests\n"
		"attacks: [{kind: silent, nodes: [5, 2]}]\nfaults: [{kind: crash, nodes: leader}]\n",
		&file);
	const struct attack_common *attack = point->attacks.values[0].settings;
	assert_int_equal(attack->nodes.n, 2);
	assert_int_equal(attack->nodes.nodes[0], 2);
	assert_int_equal(attack->nodes.nodes[1], 5);
	assert_true(attack->fraction == -1);
	assert_int_equal(attack->until_ns, SIM_NEVER);
	const struct fault_crash *crash = point->faults.values[0].settings;
	assert_true(crash->nodes.leader && crash->nodes.given);
	assert_int_equal(crash->nodes.n, 0);
	scenario_close(file);
}

static void test_n(void **state)
{
	struct scenario_file *file =
		read_right("validators: 4\nprotocol: none\n"
				   "workload: {kind: dimweight, quorum: n}\nsweep: {validators: [4, 9]}\n",
			NULL, 0);
	assert_int_equal(
		((const struct workload_common *)scenario_point(file, 1)->workload.settings)->quorum, 9);
	scenario_close(file);
}

static void test_attacks_may_be_none(void **state)
{
	struct scenario_file *file;
	const struct scenario *point = read_point(
		"validators: 4\nprotocol: pbft\nworkload: dimweight\nattacks: []\nrecord: none\n", &file);
	assert_int_equal(point->attacks.n, 0);
	scenario_close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_timeouts_know_costs),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_n),
		cmocka_unit_test(test_attacks_may_be_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
