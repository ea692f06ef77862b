/* Protocols that pass on what they hear, where not everyone is linked to everyone. */
#include "fakes.h"

#include "engine/topology.h"

#define TEXT                                                                                        \
	"validators: 7\nprotocol: central\nnetwork: {latency: 10 ms}\n"                                 \
	"workload: {kind: requests, clients: 1, client_timeout: 5 s}\n" \
	"liveness_bound: 20 s\nstop: {items: 20}\n"

struct ring {
	int64_t reach;
};

static struct ring ring = {1};

static struct fake flooding(void)
{
	struct fake fake = fake_make(READS_ORDERED, 1);
	fake.floods = true;
	fake.topology = (struct plugin_value){topology_registry.plugins[1], &ring};
	assert_string_equal(fake.topology.plugin->name, "ring");
	return fake;
}

/* An order goes both ways around: to two at each step. Those in between send it once more, each to two. */
static void test_a_flood(void **state)
{
	struct fake fake = flooding();
	struct outcome *outcome = fake_run(&fake, TEXT);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "messages_per_instance") == 7 * 2);
	outcome_close(outcome);
	fake.topology.plugin = NULL; /* all linked to all: each sends to all others once */
	outcome = fake_run(&fake, TEXT);
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "messages_per_instance") == 7 * 6);
	outcome_close(outcome);
}

/* A ring with one link cut is a line: there is a way. With a second one there is none any more, and that is said
 * at once. */
static void test_stalled_at_once(void **state)
{
	static const char *const faults[] = {
		"faults: [{kind: cut, from_nodes: [2], to_nodes: [3]}, {kind: cut, from_nodes: [3], to_nodes: [2]}]\n",
		"faults: [{kind: partition, groups: [[1, 2]], from: 0.1 s}]\n",
	};
	struct fake fake = flooding();
	for (int i = 0; i < 2; i++) {
		char text[1000];
		snprintf(text, sizeof(text), "%s%s", TEXT, faults[i]);
		struct outcome *outcome = fake_run(&fake, text);
		assert_verdict(outcome, i == 0 ? "completed" : "stalled");
		assert_true(i == 0 || kpi(outcome, "simulated_s") == .1);
		outcome_close(outcome);
	}
}

/* A protocol that passes nothing on needs all links. */
static void test_refused(void **state)
{
	assert_null(study_try("validators: 4\nprotocol: pbft\nworkload: requests\nnetwork: {topology: ring}\n"));
	assert_null(study_try("validators: 7\nprotocol: none\nworkload: requests\nnetwork: {topology: "
						  "{kind: random-regular, degree: 4}}\n"));
	study_close(
		study_try("validators: 4\nprotocol: pbft\nworkload: requests\nnetwork: {topology: full}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flood),
		cmocka_unit_test(test_stalled_at_once),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
