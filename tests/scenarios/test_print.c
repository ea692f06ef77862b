/* What is printed reads again as the same point, and from then on prints the same. */
#include "fakes.h"

#include <stdio.h>

/* Takes away what tells defaults from choices, and the line that names the point. */
static void strip(char *text)
{
	static const char mark[] = "  # auto\n";
	if (*text == '#') {
		const char *next = strchr(text, '\n') + 1;
		memmove(text, next, strlen(next) + 1);
	}
	for (char *at; (at = strstr(text, mark));) {
		memmove(at, at + strlen(mark) - 1, strlen(at + strlen(mark) - 1) + 1);
	}
}

static void expect_fixpoint(const char *text)
{
	struct scenario_file *file = read_right(text, NULL, 0);
	for (size_t i = 0; i < scenario_n_points(file); i++) {
		char *first = print_point(file, i);
		struct scenario_file *again = read_right(first, NULL, 0);
		assert_int_equal(scenario_n_points(again), 1);
		char *second = print_point(again, 0);
		assert_null(strstr(second, "auto"));
		strip(first);
		assert_string_equal(first, second);
		free(first);
		free(second);
		scenario_close(again);
	}
	scenario_close(file);
}

static void test_fixpoint(void **state)
{
	expect_fixpoint(example);
	expect_fixpoint("validators: 4\nprotocol: none\nworkload: requests\n");
	expect_fixpoint(
		"title: \"odd: \\\"text\\\" # \\x01 \xc3\xa4\"\nvalidators: 4\n"
		"protocol: {kind: raft, election_timeout: off, initial_leader: none, prevote: yes, stake: [1, 0.1, 3e9]}\n"
		"workload: {kind: requests, size: 1500 B, arrivals: {kind: poisson, rate: 7 /min},\n"
		"  client_timeout: 1.5 ms}\n"
		"network: {latency: {kind: regions, matrix: aws, place: [a, b, a],\n"
		"  jitter: {kind: constant, value: 1 ns}}, bandwidth: 3 KiB/s, loss: 1e-7}\n"
		"attacks: [{kind: silent, nodes: [3, 1]}, {kind: silent, fraction: 0.5, from: 1 h}]\n"
		"faults: [{kind: crash, nodes: leader, until: 1 min}]\n"
		"stop: {time: 1 h, events: unlimited}\nliveness_bound: off\ncheckers: off\n");
}

static void test_text(void **state)
{
	struct scenario_file *file = read_right("validators: 4\nprotocol: pbft\nworkload: requests\n"
											"sweep: {protocol.batch: [1, 8]}\n",
		NULL, 0);
	char *text = print_point(file, 1);
	assert_string_equal(text, "# point 1 of 2: protocol.batch = 8\n"
							  "title: \"\"\n"
							  "seed: 1\n"
							  "replications: 1\n"
							  "stop:\n"
							  "  items: 1000\n"
							  "  time: 600 s\n"
							  "  events: 10000000000\n"
							  "  views: 10000\n"
							  "  memory: none\n"
							  "validators: 4\n"
							  "faulty: 1  # auto\n"
							  "protocol:\n"
							  "  kind: pbft\n"
							  "  batch: 8\n"
							  "  view_timeout: 1 s  # auto\n"
							  "  quorum: 3  # auto\n"
							  "network:\n"
							  "  latency:\n"
							  "    kind: constant\n"
							  "    value: 10 ms\n"
							  "  bandwidth: unlimited\n"
							  "  topology: full\n"
							  "  loss: 0\n"
							  "node:\n"
							  "  send: 0 s\n"
							  "  receive: 0 s\n"
							  "  sign: 0 s\n"
							  "  verify: 0 s\n"
							  "  mac: 0 s\n"
							  "workload:\n"
							  "  kind: requests\n"
							  "  clients: 1\n"
							  "  size: 0 B\n"
							  "  client_timeout: 2 s  # auto\n"
							  "attacks: []\n"
							  "faults: []\n"
							  "skip_unfit: off\n"
							  "record: []\n"
							  "series:\n"
							  "  window: 1 s\n"
							  "liveness_bound: 30 s  # auto\n"
							  "checkers: on\n"
							  "liveness_after: off\n");
	free(text);
	scenario_close(file);
}

/* With overrides the text is the tree, and a text made so is made so again. */
static void test_overridden_text(void **state)
{
	struct scenario_file *file = read_right(
		example, (const char *const[]){"title=\"It's: odd\"", "attacks.0.fraction=0.2"}, 2);
	char *text = strdup(scenario_text(file));
	scenario_close(file);
	assert_non_null(strstr(text, "fraction: 0.2"));
	file = read_right(text, (const char *const[]){"attacks.0.fraction=0.2"}, 1);
	assert_string_equal(scenario_text(file), text);
	assert_string_equal(scenario_point(file, 0)->title, "It's: odd");
	scenario_close(file);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixpoint),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_overridden_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
