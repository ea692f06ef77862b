/* What scenarios may say of faults: errors in words, and a printed scenario that reads the same again. */
#include "study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct scenario_file *parse(const char *protocol, const char *fault, char **errors)
{
	char text[600];
	int n = snprintf(text, sizeof(text),
		"validators: 4\nprotocol: %s\nworkload: {kind: requests, clients: 4}\nnetwork: {latency: 20 ms}\nfaults:\n  - %s\n",
		protocol, fault);
	assert_in_range(n, 1, sizeof(text) - 1);
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, (size_t)n, "test.yaml", ".", NULL, 0, diagnostics);
	size_t size;
	FILE *out = open_memstream(errors, &size);
	diagnostics_print(diagnostics, out);
	fclose(out);
	diagnostics_destroy(diagnostics);
	return file;
}

/* More replies than there are validators never come. */
static void replies(void **state)
{
	static const char text[] = "validators: 4\nprotocol: pbft\nnetwork: {latency: 20 ms}\n"
							   "workload: {kind: kv, reply_quorum: 5}\n";
	struct diagnostics *diagnostics = diagnostics_create();
	assert_null(scenario_parse(text, strlen(text), "test.yaml", ".", NULL, 0, diagnostics));
	char *errors;
	size_t size;
	FILE *out = open_memstream(&errors, &size);
	diagnostics_print(diagnostics, out);
	fclose(out);
	diagnostics_destroy(diagnostics);
	assert_non_null(strstr(errors, "test.yaml:4:36: error: workload.reply_quorum must be at most the number "
								   "of validators, 4, got 5"));
	free(errors);
}

static void errors(void **state)
{
	static const struct {
		const char *protocol, *fault, *words;
	} rows[] = {
		{"pbft", "{kind: rule, message: pre-prepar, action: drop}",
			"faults.0.message: \"pre-prepar\" is no message of the protocol: did you mean \"pre-prepare\"?"},
		{"raft", "{kind: rule, message: [append-entries, prepare], action: drop}",
			"\"prepare\" is no message of the protocol"},
		{"none", "{kind: rule, message: xyz, action: drop}",
			"which has update, request, reply, hint, read, all"},
		{"none", "{kind: step, at: 1 s, node: 0, action: campaign}",
			"`campaign` is not for this protocol, which knows only `restart`"},
		{"raft", "{kind: step, at: 1 s, node: 0, action: propose, force: on}",
			"faults.0.force: goes with action: campaign"},
		{"pbft", "{kind: step, at: 1 s, node: 0, action: transfer, to: 1}",
			"`transfer` is not for this protocol, which knows only `campaign`, `propose`, `restart`"},
		{"central", "{kind: rule, from_nodes: 1, action: replace}",
			"`replace` is not for this protocol, whose messages can't be forged"},
		{"raft", "{kind: slow-node, nodes: 1, factor: 2}", "a factor of costs (`node`) that are all 0"},
		{"raft", "{kind: slow-link, delay: 20}", "faults.0.delay is a duration and needs a unit, got 20"},
		{"raft", "{kind: slow-link, delay: {kind: uniform, min: 2 ms, max: 1 ms}}", "max must be at least min"},
		{"raft", "{kind: partition, groups: [[0, 4]]}", "there is no validator 4"},
		{"raft", "{kind: partition, groups: [[0]], from: 2 s, until: 1 s}", "`until` must be after `from`"},
		{"raft", "{kind: partition, groups: [[0]], from: 2 s, until: 2 s}",
			"the window is empty, from 2 s until 2 s"},
		{"raft", "{kind: rule, message: zz, action: drop}", "all\n"},
		{"raft", "{kind: partion, groups: [[0]]}", "did you mean `partition`?"},
		{"raft", "{kind: flap, nodes: 1, up: 1 s, down: 1 ns}", "down must be"},
		{"raft", "{kind: skew, nodes: 1, offset: -1 s}", "before 0 s"},
		{"raft", "{kind: rule, from_nodes: [client 4], action: drop}",
			"test.yaml:6:30: error: faults.0.from_nodes: names client 4, and the last is client 3"},
		{"raft", "{kind: rule, from_nodes: [0], to_nodes: [1, client 7], action: drop}",
			"faults.0.to_nodes: names client 7"},
		{"raft", "{kind: rule, from_nodes: [client 1, client 1], action: drop}", "client 1 is named twice"},
		{"raft", "{kind: rule, from_nodes: [client x], action: drop}",
			"must be a list of validators and clients such as [0, client 1], got client x"},
		{"raft", "{kind: rule, from_nodes: [client -1], action: drop}", "such as [0, client 1], got client -1"},
		{"raft", "{kind: rule, from_nodes: [0, client 1], action: replace}",
			"names a client, and `replace` is for what validators say"},
		{"raft", "{kind: cut, from_nodes: [client 1]}", "must be a list of validators such as [0, 1]"},
		{"raft", "{kind: pause, nodes: [1], from: 1 s}", "faults.0.until: is not given: who stands still"},
		{"raft", "{kind: stabilise, delay: 1 s}", "`faults.0.at` is missing"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = NULL;
		struct scenario_file *file = parse(rows[i].protocol, rows[i].fault, &text);
		if (file != NULL || strstr(text, rows[i].words) == NULL) {
			fail_msg("%s: got \"%s\", expected \"%s\"", rows[i].fault, text, rows[i].words);
		}
		free(text);
	}
}

/* The scenario as it is printed, without remarks. */
static char *printed(const struct scenario_file *file)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	scenario_print(file, 0, out);
	fclose(out);
	for (char *remark; (remark = strstr(text, "  # auto")) != NULL;) {
		memmove(remark, remark + 8, strlen(remark + 8) + 1);
	}
	return text;
}

/* Bare durations are constant delays; what is printed reads the same again. */
static void printing(void **state)
{
	static const char *const faults[] = {
		"{kind: slow-link, delay: 1500 us}",
		"{kind: slow-link, delay: {kind: pareto, min: 1 ms, shape: 2}, to_nodes: leader}",
		"{kind: stabilise, at: 2 s, delay: 100 ms, loss: 0.25}",
		"{kind: skew, nodes: [2], offset: -10 ms, drift: -12.5, from: 1 s}",
		"{kind: rule, message: [request, reply], view: 3, nth: 2, action: hold, release: 4 s}",
		"{kind: rule, from_nodes: [0, client 3, 1, client 1], to_nodes: [client 0], action: drop}",
		"{kind: pause, nodes: [0, 1], every: 20 s}",
		"{kind: crash, nodes: [0, 1], every: 20 s, lasts: 2 s}",
		"{kind: step, at: 3 s, node: leader, action: restart}",
		"{kind: partition, groups: [[0, 1], [1, 2]], until: 3 s}",
		"{kind: isolate, nodes: leader, follow: on}",
	};
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		char *text = NULL;
		struct scenario_file *file = parse("raft", faults[i], &text);
		if (file == NULL) {
			fail_msg("%s: %s", faults[i], text);
		}
		char *first = printed(file);
		assert_non_null(strstr(first, "latency: 20 ms\n"));
		struct diagnostics *diagnostics = diagnostics_create();
		struct scenario_file *again =
			scenario_parse(first, strlen(first), "test.yaml", ".", NULL, 0, diagnostics);
		if (again == NULL) {
			diagnostics_print(diagnostics, stderr);
			fail_msg("can't read again:\n%s", first);
		}
		diagnostics_destroy(diagnostics);
		char *second = printed(again);
		assert_non_null(strstr(first, "faults:\n"));
		assert_string_equal(strstr(first, "faults:\n"), strstr(second, "faults:\n"));
		free(text);
		free(first);
		free(second);
		scenario_close(file);
		scenario_close(again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors),
		cmocka_unit_test(replies),
		cmocka_unit_test(printing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
