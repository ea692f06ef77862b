/* Attacks that listen to what comes to their nodes: a scenario's attack, with this one in its place. */
#include "attacked.h"

#include "attacks/attack.h"
#include "scenarios/scenario.h"

struct common {
	uint64_t n_heard[ROLE_CLIENT + 1][8]; /* by role and node */
	uint64_t n_seen_before_said;          /* colluders that voted for what any of them had heard proposed */
	uint64_t last_digest;                 /* proposed, as the last of them heard */
	sim_time first, last;
};

static struct common seen; /* what the last run's attackers have heard together */

static void hear(const void *settings, struct attack_heard *heard)
{
	struct common *common = heard->common;
	assert_true(heard->message->from != heard->node->id);
	common->n_heard[heard->role][heard->node->id]++;
	common->first = common->first == 0 ? heard->now : common->first;
	common->last = heard->now;
	if (heard->role == ROLE_PROPOSAL) {
		common->last_digest = heard->message->digest;
	}
	seen = *common;
}

static void tamper(const void *settings, struct attack_copy *copy)
{
	struct common *common = copy->common;
	if (copy->role == ROLE_VOTE) {
		/* The node answers what it has just been shown. */
		common->n_seen_before_said += copy->message->digest == common->last_digest;
	}
	seen = *common;
}

static const struct attack listener = {
	.plugin = {.name = "listener", .summary = "for the tests"},
	.tamper = tamper,
	.hear = hear,
	.common_size = sizeof(struct common),
};

static struct outcome *run(const char *attack)
{
	memset(&seen, 0, sizeof(seen));
	struct study *study = study_open("seed: 7\nvalidators: 7\nprotocol: {kind: pbft, batch: 1}\nstop: {items: 20}\n"
		"workload: {kind: requests, clients: 1}\nattacks: [%s]\n", attack);
	struct scenario *scenario = (struct scenario *)(uintptr_t)scenario_point(study->file, 0);
	const struct plugin *before = scenario->attacks.values[0].plugin;
	scenario->attacks.values[0].plugin = &listener.plugin;
	struct outcome *outcome = study_run(study, 0, 0);
	scenario->attacks.values[0].plugin = before;
	return outcome;
}

/* Each backup of seven hears a pre-prepare an instance, the prepares of five others (the primary sends none) and six
 * commits, and nothing of its own; the requests go to the primary. What one hears all of them know. */
static void test_what_is_heard(void **state)
{
	struct outcome *outcome = run("{kind: silent, nodes: [5, 6]}");
	assert_safe(outcome);
	for (int i = 0; i < 7; i++) {
		bool listens = i >= 5;
		assert_int_equal(seen.n_heard[ROLE_PROPOSAL][i], listens ? 20 : 0);
		assert_int_equal(seen.n_heard[ROLE_VOTE][i], listens ? 20 * (5 + 6) : 0);
		assert_int_equal(seen.n_heard[ROLE_CLIENT][i], 0);
	}
	/* Six copies of a prepare and six of a commit, at both. */
	assert_int_equal(seen.n_seen_before_said, 2 * 20 * (6 + 6));
	outcome_close(outcome);
	outcome = run("{kind: silent, nodes: [0]}");
	assert_int_equal(seen.n_heard[ROLE_CLIENT][0], 20);
	assert_int_equal(seen.n_heard[ROLE_PROPOSAL][0], 0);
	outcome_close(outcome);
}

/* Only while the attack is on. */
static void test_when(void **state)
{
	struct outcome *outcome = run("{kind: silent, nodes: [6], from: 200 ms, until: 400 ms}");
	assert_safe(outcome);
	assert_true(seen.first >= 200 * SIM_MS && seen.last < 400 * SIM_MS);
	assert_true(seen.n_heard[ROLE_PROPOSAL][6] > 0 && seen.n_heard[ROLE_PROPOSAL][6] < 20);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_heard),
		cmocka_unit_test(test_when),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
