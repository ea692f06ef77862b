/* Validators that come and go under Raft: drains wait for members alone, a verdict asks the configuration
 * that holds, and items move away from gateways of those who have left. Constant delays of 10 ms. */
#include "study.h"

#include <math.h>
#include <string.h>

#define SCENARIO \
	"seed: 1\nvalidators: 5\nnetwork: {latency: {kind: constant, value: 10 ms}}\nrecord: [decisions]\n"
#define CHANGE(members, joint) \
	"  - {kind: step, at: 1 s, node: leader, action: change-membership, members: " members \
	", joint: " joint "}\n"
#define REQUESTS "stop: {items: 100}\nworkload: requests\n"

static const char *const ways[] = {"off", "on"};

/* The first leader leads on where nothing befalls it: a request in 40 ms, and a drain of heartbeats. */
static void completes(struct outcome *outcome, bool undisturbed)
{
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(kpi(outcome, "decided") == 100);
	if (undisturbed) {
		assert_true(kpi(outcome, "latency_mean_s") == .04);
		assert_true(kpi(outcome, "simulated_s") < 4.2);
	} else {
		assert_true(kpi(outcome, "simulated_s") < 15);
	}
	outcome_close(outcome);
}

/* Spares execute nothing: nobody waits for them. Two of the three voters are enough for a commit to count:
 * the second hears of it 50 ms after the proposal (tests/lab/test_textbook.c). */
static void spares(void **state)
{
	struct outcome *outcome =
		run_text(SCENARIO REQUESTS "protocol: {kind: raft, members: [0, 1, 2]}\n");
	assert_true(kpi(outcome, "commit_p50_s") == .05);
	assert_true(kpi(outcome, "messages_per_instance") == 4);
	completes(outcome, true);
	/* Learners' commits don't count, though they come first: at 55 ms, those of the other voters at 60 and
	 * 65, of which one is enough. */
	outcome = run_text(SCENARIO REQUESTS "protocol: {kind: raft, members: [0, 1, 2], learners: [3, 4]}\n"
										 "faults:\n"
										 "  - {kind: slow-link, from_nodes: [0], to_nodes: [1], delay: 5 ms}\n"
										 "  - {kind: slow-link, from_nodes: [0], to_nodes: [2], delay: 10 ms}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "commit_p50_s") == .06);
	outcome_close(outcome);
	/* A learner executes all. */
	outcome = run_text(SCENARIO REQUESTS "protocol: {kind: raft, members: [0], learners: [1]}\n");
	assert_true(kpi(outcome, "commit_p50_s") == 0);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "latency_mean_s") == .02);
	assert_true(kpi(outcome, "simulated_s") < 2.2);
	assert_true(kpi(outcome, "simulated_s") > 2); /* the learner is waited for */
	outcome_close(outcome);
}

static void grows(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(SCENARIO REQUESTS
			"protocol: {kind: raft, members: [0, 1, 2]}\nfaults:\n" CHANGE("[0, 1, 2, 3, 4]", "%s"),
			ways[i]);
		assert_true(kpi(outcome, "messages_per_instance") > 6);
		completes(outcome, true);
		/* Two of the first three are no more missed than any two others. */
		completes(run_text(SCENARIO REQUESTS
					  "protocol: {kind: raft, members: [0, 1, 2]}\nfaults:\n" CHANGE(
						  "[0, 1, 2, 3, 4]", "%s") "  - {kind: crash, nodes: [1, 2], from: 2 s}\n",
					  ways[i]),
			true);
		completes(run_text(SCENARIO REQUESTS
					  "protocol: {kind: raft, members: [0, 1, 2]}\nfaults:\n" CHANGE(
						  "[0, 1, 2, 3, 4]", "%s") "  - {kind: crash, nodes: [0, 1], from: 2 s}\n",
					  ways[i]),
			false);
	}
}

static void shrinks(void **state)
{
	for (int i = 0; i < 2; i++) {
		completes(run_text(SCENARIO REQUESTS "protocol: raft\nfaults:\n" CHANGE("[0, 1, 2]", "%s"),
					  ways[i]),
			true);
		/* Those who have left, and one more: two of five are live, and enough. */
		completes(run_text(SCENARIO REQUESTS "protocol: raft\nfaults:\n" CHANGE("[0, 1, 2]", "%s")
							   "  - {kind: crash, nodes: [3, 4, 2], from: 2 s}\n",
					  ways[i]),
			true);
		completes(run_text(SCENARIO REQUESTS "protocol: raft\nfaults:\n" CHANGE("[0, 1, 2]", "%s")
							   "  - {kind: isolate, nodes: [3, 4], from: 2 s}\n",
					  ways[i]),
			false);
		/* The leader goes, too; then those who have left crash. */
		completes(run_text(SCENARIO REQUESTS "protocol: raft\nfaults:\n" CHANGE("[1, 2, 3]", "%s")
							   "  - {kind: crash, nodes: [0, 4], from: 2 s}\n",
					  ways[i]),
			false);
		completes(run_text(SCENARIO REQUESTS "protocol: raft\nfaults:\n" CHANGE("[1, 2, 3]", "%s")
							   "  - {kind: crash, nodes: [0, 4, 3], from: 2 s}\n",
					  ways[i]),
			false);
	}
}

/* After a change servers refuse candidates while they hear the leader. One that is heard by one, and reaches
 * no majority, steps down all the same: another leads within some election timeouts. */
static void bridge_after_a_change(void **state)
{
	struct outcome *outcome = run_text("seed: 1\nvalidators: 6\nprotocol: raft\nstop: {items: 600}\n"
		"workload: {kind: requests, clients: 2, arrivals: {kind: regular, rate: 10 /s}}\n"
		"faults:\n"
		"  - {kind: step, at: 2 s, node: leader, action: change-membership, members: [0, 1, 2, 3, 4]}\n"
		"  - {kind: partition, groups: [[0, 1], [1, 2, 3], [4], [5]], from: 10 s}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "decided") == 600);
	assert_true(kpi(outcome, "leader_changes") == 1);
	outcome_close(outcome);
}

/* Said at once, by the configuration that holds. */
static void stalls(const char *protocol, const char *change, const char *crash)
{
	struct outcome *outcome = run_text(SCENARIO REQUESTS "protocol: %s\nfaults:\n%s"
														 "  - {kind: crash, nodes: %s, from: 2 s}\n",
		protocol, change, crash);
	assert_verdict(outcome, "stalled");
	assert_non_null(strstr(outcome->summary.verdict_reason, "from 2 s on"));
	assert_true(kpi(outcome, "simulated_s") == 2);
	outcome_close(outcome);
}

static void said_at_once(void **state)
{
	stalls("{kind: raft, members: [0, 1, 2]}", "", "[0, 1]");
	stalls("{kind: raft, members: [0, 1, 2]}", CHANGE("[0, 1, 2, 3, 4]", "off"), "[1, 2, 3]");
	stalls("raft", CHANGE("[0, 1, 2]", "off"), "[1, 2]");
	stalls("raft", CHANGE("[0, 1, 2]", "on"), "[0, 1]");
}

/* One hears all and nobody a majority; one is heard by all and hears nobody. */
static void cut_one_way(void **state)
{
	static const char *const others[] = {
		"from_nodes: [0], to_nodes: [1, 2, 3, 4]", "from_nodes: [1, 2, 3, 4], to_nodes: [0]"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(SCENARIO REQUESTS
			"protocol: {kind: raft, members: [0, 1, 2]}\nfaults:\n" CHANGE("[0, 1, 2, 3, 4]", "on")
				"  - {kind: cut, from_nodes: [1, 2, 3, 4], to_nodes: [1, 2, 3, 4], from: 2 s}\n"
				"  - {kind: cut, %s, from: 2 s}\n",
			others[i]);
		assert_verdict(outcome, "stalled");
		assert_true(kpi(outcome, "simulated_s") == 2);
		outcome_close(outcome);
	}
}

/* Four voters, two of them down: no quorum of theirs. But a leader that takes a third out of the
 * configuration may go on with two of three: until then nothing is said. */
static void a_change_to_come(void **state)
{
	completes(run_text(SCENARIO REQUESTS
				  "protocol: {kind: raft, members: [0, 1, 2, 3]}\nfaults:\n"
				  "  - {kind: crash, nodes: [2, 3], from: 2 s}\n"
				  "  - {kind: step, at: 3 s, node: leader, action: change-membership, members: [0, 1, 2], joint: off}\n"),
		false);
}

/* The fifth is about to be added when two of four crash: with it three of five are live. */
static void a_change_under_way(void **state)
{
	completes(run_text(SCENARIO REQUESTS
				  "protocol: {kind: raft, members: [0, 1, 2, 3]}\nfaults:\n"
				  "  - {kind: step, at: 2 s, node: leader, action: change-membership, "
				  "members: [0, 1, 2, 3, 4], joint: off}\n"
				  "  - {kind: crash, nodes: [2, 3], from: 2001 ms}\n"),
		false);
}

/* A validator that leaves executes nothing more: its items go to the next that belongs. Its gateway goes on
 * predicting, so that all that the quorum needs is there. */
static void gateways(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = run_text(SCENARIO
			"protocol: raft\nstop: {items: 100}\n"
			"workload: {kind: dimweight, quorum: 5, arrivals: {kind: regular, rate: 50 /s}}\n"
			"faults:\n" CHANGE("[0, 1, 2]", "%s"),
			ways[i]);
		bool moved = false;
		for (size_t row = 0; row < n_rows(outcome, TABLE_DECISIONS); row++) {
			int64_t client = int_at(outcome, TABLE_DECISIONS, row, "client");
			bool late = real_at(outcome, TABLE_DECISIONS, row, "arrived_s") > 1.2;
			assert_true(client <= 2 || !late);
			moved |= late && client != (int64_t)(row % 5);
		}
		assert_true(moved);
		/* Nobody waits for a timeout, nor does the drain. */
		assert_true(kpi(outcome, "latency_max_s") < .3);
		completes(outcome, false);
	}
	/* Item 49 is validator 4's when it comes, at 1 s; C_new holds from 1.005 s on, and its predictions come to
	 * the leader at 1.01 s, too late for 4 to execute them. */
	struct outcome *outcome = run_text(SCENARIO
		"protocol: raft\nstop: {items: 50}\n"
		"workload: {kind: dimweight, quorum: 5, arrivals: {kind: regular, rate: 50 /s}}\n"
		"faults:\n"
		"  - {kind: step, at: 985 ms, node: 0, action: change-membership, members: [0, 1, 2]}\n");
	assert_verdict(outcome, "completed");
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 49, "client"), 0);
	assert_true(kpi(outcome, "simulated_s") < 1.2);
	outcome_close(outcome);
	/* Spares: each prediction is sent to the leader, but for its own, and none a second time, though
	 * their validators never execute any: the run goes on for more than the client timeout of 2 s. */
	outcome = run_text(SCENARIO
		"protocol: {kind: raft, members: [0, 1, 2]}\nstop: {items: 100}\n"
		"workload: {kind: dimweight, quorum: 5, arrivals: {kind: regular, rate: 20 /s}}\n");
	assert_true(kpi(outcome, "latency_max_s") < .1);
	assert_true(kpi(outcome, "client_messages") == 100 * 4);
	assert_true(kpi(outcome, "simulated_s") > 5);
	assert_true(kpi(outcome, "simulated_s") < 5.5);
	completes(outcome, false);
	/* A quorum that is never there: at the deadline they ask for closings. One of the two is enough here,
	 * with a member's. */
	outcome = run_text(SCENARIO
		"protocol: {kind: raft, members: [0]}\nstop: {items: 100}\n"
		"workload: {kind: dimweight, quorum: 5, deadline: 300 ms, arrivals: {kind: regular, rate: 20 /s}}\n"
		"faults:\n  - {kind: crash, nodes: [2, 3, 4]}\n");
	assert_near(kpi(outcome, "latency_max_s"), .31, .02);
	completes(outcome, false);
}

/* What a leader begins and nobody ends: the fourth is down and never catches up; of a change one by one only
 * the first step is made before the leader falls. What whoever leads next goes on with is not given up: that
 * is C_old,new in its log, or C_new. */
static void given_up(void **state)
{
	static const struct {
		const char *faults;
		double n, n_refused;
	} cases[] = {
		{"  - {kind: crash, nodes: [3], from: 0 s}\n"
		 "  - {kind: step, at: 1 s, node: leader, action: change-membership, members: [0, 1, 2, 3]}\n",
			1, 0},
		{"  - {kind: step, at: 1 s, node: leader, action: change-membership, members: [0, 1, 2, 3]}\n"
		 "  - {kind: step, at: 1001 ms, node: leader, action: change-membership, members: [0, 1]}\n"
		 "  - {kind: step, at: 3 s, node: leader, action: change-membership, members: [0, 1, 2, 3]}\n",
			0, 2},
		{"  - {kind: step, at: 1 s, node: leader, action: change-membership, members: [0, 1, 3], joint: off}\n"
		 "  - {kind: step, at: 1055 ms, node: leader, action: restart}\n",
			1, 0},
		{"  - {kind: step, at: 1 s, node: leader, action: change-membership, members: [0, 1, 3], joint: on}\n"
		 "  - {kind: step, at: 1055 ms, node: leader, action: restart}\n",
			0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome *outcome = run_text(
			"validators: 4\nprotocol: {kind: raft, members: [0, 1, 2]}\nstop: {time: 6 s}\n"
			"network: {latency: {kind: constant, value: 10 ms}}\n"
			"workload: {kind: requests, arrivals: {kind: regular, rate: 10 /s}}\nfaults:\n%s",
			cases[i].faults);
		if (kpi(outcome, "membership_given_up") != cases[i].n ||
			kpi(outcome, "steps_refused") != cases[i].n_refused) {
			fail_msg("case %zu: %g given up, %g refused", i, kpi(outcome, "membership_given_up"),
				kpi(outcome, "steps_refused"));
		}
		outcome_close(outcome);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spares),
		cmocka_unit_test(grows),
		cmocka_unit_test(shrinks),
		cmocka_unit_test(bridge_after_a_change),
		cmocka_unit_test(said_at_once),
		cmocka_unit_test(cut_one_way),
		cmocka_unit_test(a_change_to_come),
		cmocka_unit_test(a_change_under_way),
		cmocka_unit_test(gateways),
		cmocka_unit_test(given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
