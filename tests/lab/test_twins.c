/* Twins in whole runs: two of one name, and what becomes of the rest. */
#include "attacked.h"

/* Batches differ between the two where the window is one instance: each has its own followers' pace. */
static void test_twins(void **state)
{
	(void)state;
	static const char *const window = "{kind: pbft, window: 1}";
	int n_unsafe = 0;
	for (int twin = 0; twin < 4; twin++) {
		char attacks[80];
		snprintf(attacks, sizeof(attacks), "[{kind: twins, nodes: [%d]}]", twin);
		struct outcome *outcome = attacked(window, 4, UNIFORM, CLOSED, 200, attacks, "");
		assert_safe(outcome); /* one identity is one fault, however often it runs */
		outcome_close(outcome);
	}
	for (int other = 1; other < 4; other++) {
		char attacks[80];
		snprintf(attacks, sizeof(attacks), "[{kind: twins, nodes: [0, %d]}]", other);
		struct outcome *outcome = attacked(window, 4, UNIFORM, CLOSED, 200, attacks, "");
		n_unsafe += strcmp(outcome->summary.verdict, "unsafe") == 0;
		outcome_close(outcome);
	}
	assert_true(n_unsafe >= 2); /* two are more than f */
	/* Twins of the same side are of one mind: here they need each other for a quorum. */
	struct outcome *sides = run_text("seed: 3\nstop: {items: 200}\nvalidators: 4\n"
		"protocol: {kind: pbft, window: 1}\nnetwork: {latency: " UNIFORM "}\n"
		"workload: {kind: requests, clients: 4, outstanding: 3}\n"
		"attacks: [{kind: twins, nodes: [0, 3]}]\n");
	assert_verdict(sides, "unsafe");
	outcome_close(sides);
	/* Raft's leader with a majority on each side: n = 3. With two of four on one side it has one only. */
	struct outcome *raft = attacked(
		"{kind: raft, window: 1}", 3, UNIFORM, CLOSED, 200, "[{kind: twins, nodes: [0]}]", "");
	assert_verdict(raft, "unsafe");
	outcome_close(raft);
}

/* Clients are no validators and have no twins: a rule that looks at what they send. */
static void test_twins_and_a_rule_for_clients(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("pbft", 4, "{kind: constant, value: 10 ms}", "clients: 8", 40,
		"[{kind: twins, nodes: [3]}]", "faults: [{kind: rule, message: request, action: delay, delay: 5 ms}]\n");
	assert_safe(outcome);
	assert_true(kpi(outcome, "latency_mean_s") == .055);
	outcome_close(outcome);
}

/* Each has a device of its own: both write at once, and a crash leaves each what it had written itself. */
static void test_twins_write(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("{kind: raft, write_delay: 8 ms}", 4, UNIFORM, CLOSED, 100,
		"[{kind: twins, nodes: [0]}, {kind: twins, nodes: [2]}]",
		"faults: [{kind: crash, nodes: [2], from: 300 ms, until: 600 ms}]\n");
	assert_true(kpi(outcome, "decided") > 0);
	outcome_close(outcome);
}

/* A step is taken by both: here the second twin alone has a majority on its side to be elected by. */
static void test_twins_take_steps(void **state)
{
	(void)state;
	struct outcome *outcome = attacked(
		"{kind: raft, initial_leader: none, election_timeout: off, heartbeat: 50 ms}", 4, CONSTANT, "clients: 2",
		20, "[{kind: twins, nodes: [0], groups: [[1], [2, 3]]}]",
		"faults: [{kind: step, at: 100 ms, action: campaign, node: [0]}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "elections") == 1);
	outcome_close(outcome);
}

/* The one that is outside of its window is not heard, and disturbs nothing. */
static void test_twins_outside_the_window(void **state)
{
	(void)state;
	static const char *const protocols[] = {"none", "raft", "pbft"};
	for (int i = 0; i < 3; i++) {
		struct outcome *none = attacked(protocols[i], 4, UNIFORM, CLOSED, 60, "[]", "");
		struct outcome *outcome = attacked(protocols[i], 4, UNIFORM, CLOSED, 60,
			"[{kind: twins, nodes: [0, 3], from: 1000 s}]", "");
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "latency_mean_s") == kpi(none, "latency_mean_s"));
		assert_true(kpi(outcome, "elections") == 0);
		outcome_close(outcome);
		outcome_close(none);
	}
}

/* A follower acknowledges what its one twin holds to the other, which leads the same term and has less: no
 * lie stops the program. Twins under loss, which brings such answers about. */
static void test_twins_of_a_leader_under_loss(void **state)
{
	(void)state;
	static const unsigned seeds[] = {9, 10, 15, 33, 37};
	for (size_t i = 0; i < 5 * 10; i++) {
		struct study *study = study_open("seed: %u\nvalidators: 4\nreplications: 10\nprotocol: raft\n"
			"stop: {items: 300, time: 60 s}\n"
			"workload: {kind: requests, clients: 3, arrivals: {kind: poisson, rate: 30 /s}}\n"
			"attacks: [{kind: twins, nodes: [0], from: 1 s, until: 5 s}]\n"
			"faults: [{kind: loss, probability: 0.2}]\n", seeds[i / 10]);
		struct outcome *outcome = study_run(study, 0, i % 10);
		assert_true(outcome->summary.verdict[0] != 0);
		outcome_destroy(outcome);
		study_close(study);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_twins_and_a_rule_for_clients),
		cmocka_unit_test(test_twins_write),
		cmocka_unit_test(test_twins_take_steps),
		cmocka_unit_test(test_twins_outside_the_window),
		cmocka_unit_test(test_twins_of_a_leader_under_loss),
	};
	return cmocka_run_group_tests_name("attackers", tests, NULL, NULL);
}
