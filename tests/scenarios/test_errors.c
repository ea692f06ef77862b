/* What is said about a scenario that YAML takes and we don't. */
#include "fakes.h"

#include <stdio.h>

#define REQUESTS "validators: 4\nprotocol: pbft\nworkload: requests\n"
#define PARCELS "validators: 4\nprotocol: pbft\nworkload: dimweight\n"

static void test_three_at_once(void **state)
{
	expect_errors("title: three mistakes\n"
				  "validators: 4\n"
				  "protcol: raft\n"
				  "protocol: {kind: pbft, view_timeout: 500}\n"
				  "network:\n"
				  "  loss: 5\n"
				  "workload: requests\n",
		"t.yaml:3:1: error: unknown key `protcol`: did you mean `protocol`?\n"
		"    3 | protcol: raft\n"
		"      | ^\n"
		"note: known here: title, seed, replications, stop, validators, faulty, protocol, network, "
		"node, workload, predictor, scorer, aggregator, attacks, faults, sweep, zip, skip_unfit, record, "
		"series, liveness_bound, checkers, liveness_after\n"
		"t.yaml:4:38: error: protocol.view_timeout is a duration and needs a unit, got 500\n"
		"    4 | protocol: {kind: pbft, view_timeout: 500}\n"
		"      |                                      ^\n"
		"note: write 500 ms or 500 s\n"
		"t.yaml:6:9: error: network.loss must be a probability in [0, 1], got 5\n"
		"    6 |   loss: 5\n"
		"      |         ^\n"
		"note: 5 % is written 0.05\n");
}

static void test_missing(void **state)
{
	expect_errors("title: nothing else\n",
		"t.yaml: error: `validators` is missing: how many validators there are\n"
		"t.yaml: error: `protocol` is missing: how the validators agree\n"
		"t.yaml: error: `workload` is missing: what is agreed on\n");
	expect_error_after(REQUESTS, "network: {latency: constant}\n",
		"t.yaml:4:20: error: `network.latency.value` is missing: the delay");
	expect_error_after(REQUESTS, "seed:\n", "t.yaml:4:6: error: seed has no value");
}

static void test_numbers(void **state)
{
	expect_error("validators: 0\nprotocol: pbft\nworkload: requests\n",
		"t.yaml:1:13: error: validators must be a whole number from 1 to 100000, got 0");
	expect_error("validators: four\nprotocol: pbft\nworkload: requests\n",
		"t.yaml:1:13: error: validators must be a whole number from 1 to 100000, got four");
	expect_error("validators: [4]\nprotocol: pbft\nworkload: requests\n",
		"t.yaml:1:13: error: validators must be a whole number from 1 to 100000, got a list");
	expect_error_after(REQUESTS, "replications: 2.5\n",
		"t.yaml:4:15: error: replications must be a whole number from 1 to 1000000, got 2.5");
	expect_error_after(REQUESTS, "stop: {items: 10 items}\n",
		"t.yaml:4:15: error: stop.items must "
		"be a whole number from 1 to 4000000000 or `unlimited`, got 10 items");
	expect_error_after(REQUESTS, "stop: {time: 1 h}\nrecord: [series]\nseries: {window: 1 ms}\n",
		"t.yaml:6:18: error: series.window must be at least 0.0036 s for the 3600 s of stop.time, so that "
		"/series has at most 1000000 rows a run, got 0.001 s");
	expect_error_after(REQUESTS, "stop: {time: 1000001 s}\nrecord: [series]\n",
		"t.yaml:4:14: error: series.window must be at least 1.000001 s for the 1000001 s of stop.time, so that "
		"/series has at most 1000000 rows a run, got 1 s");
	expect_error_after(REQUESTS, "series: {window: 100}\n",
		"t.yaml:4:18: error: series.window is a duration and needs a unit, got 100");
	expect_error_after(REQUESTS, "network: {loss: 5 %}\n",
		"t.yaml:4:17: error: network.loss must be a probability in [0, 1], got 5 %");
	expect_error_after(REQUESTS, "node: {send: -1 ms}\n",
		"t.yaml:4:14: error: node.send must be a "
		"duration such as 20 ms of at least 0, got -1 ms");
	expect_error_after(REQUESTS, "checkers: maybe\n",
		"t.yaml:4:11: error: checkers must be on or off, got maybe");
}

/* A bound that the kind can't hold is not printed, and what is below or beyond a unit's range is refused. */
static void test_negative_and_huge(void **state)
{
	static const char *const texts[][2] = {
		{"workload: {kind: requests, client_timeout: -1 s}",
			"workload.client_timeout must be a duration such as 20 ms of at least 0 or `auto` or `off`, got "
			"-1 s"},
		{"workload: {kind: requests, client_timeout: -0.5 ms}", "got -0.5 ms"},
		{"workload: {kind: requests, client_timeout: 1e30 h}", "got 1e30 h"},
		{"workload: {kind: requests, size: -1 B}", "workload.size must be a size such as 64 KiB"},
		{"workload: {kind: requests, size: 1e30 GiB}", "got 1e30 GiB"},
		{"workload: {kind: requests, arrivals: {kind: poisson, rate: -5 /s}}", "got -5 /s"},
		{"workload: {kind: requests, arrivals: {kind: poisson, rate: 1e999 /s}}", "got 1e999 /s"},
		{"workload: requests\nnetwork: {bandwidth: -1 Mbit/s}", "got -1 Mbit/s"},
		{"workload: requests\nnetwork: {latency: -1 ms}", "got -1 ms"},
		{"workload: requests\nstop: {time: -1 s}", "got -1 s"},
		{"workload: requests\nliveness_bound: -1 ns", "got -1 ns"},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[200];
		snprintf(text, sizeof(text), "validators: 4\nprotocol: pbft\n%s\n", texts[i][0]);
		char *errors = read_wrong(text);
		if (!strstr(errors, texts[i][1])) {
			fail_msg("%s: %s", text, errors);
		}
		free(errors);
	}
}

static void test_units(void **state)
{
	expect_errors(REQUESTS "network: {latency: 20}\n",
		"t.yaml:4:20: error: network.latency is a duration and needs a unit, got 20\n"
		"    4 | network: {latency: 20}\n"
		"      |                    ^\n"
		"note: write 20 ms or 20 s\n");
	expect_error_after(REQUESTS, "network: {latency: 20 milis}\n",
		"t.yaml:4:20: error: network.latency is a duration, and `milis` is no unit of one");
	expect_error_after(REQUESTS, "node: {send: 20 msec}\n",
		"t.yaml:4:14: error: node.send is a "
		"duration, and `msec` is no unit of one: did you mean `ms`?");
	expect_error_after(REQUESTS, "network: {bandwidth: 1 Gbps}\n",
		"t.yaml:4:22: error: "
		"network.bandwidth is a bandwidth, and `Gbps` is no unit of one: did you mean `Gbit/s`?");
	expect_error_after(REQUESTS, "network: {bandwidth: 100}\n",
		"t.yaml:4:22: error: network.bandwidth is a bandwidth and needs a unit, got 100");
	expect_error("validators: 4\nprotocol: pbft\nworkload: {kind: requests, size: 64}\n",
		"t.yaml:3:34: error: workload.size is a size and needs a unit, got 64");
	expect_error("validators: 4\nprotocol: pbft\n"
				 "workload: {kind: requests, arrivals: {kind: poisson, rate: 100}}\n",
		"t.yaml:3:60: error: workload.arrivals.rate is a rate and needs a unit, got 100");
	expect_error(
		"validators: 4\nprotocol: {kind: raft, election_timeout: 5 s}\nworkload: requests\n",
		"t.yaml:2:42: error: protocol.election_timeout must be two durations such as [150 ms, "
		"300 ms] of at least 0 or `auto` or `off`, got 5 s");
	expect_error("validators: 4\nprotocol: {kind: raft, election_timeout: [2 s, 1 s]}\n"
				 "workload: requests\n",
		"t.yaml:2:42: error: protocol.election_timeout: the range ends before it begins");
}

static void test_plugins(void **state)
{
	expect_errors("validators: 4\nprotocol: pbtf\nworkload: requests\n",
		"t.yaml:2:11: error: protocol: there is no protocol `pbtf`: did you mean `pbft`?\n"
		"    2 | protocol: pbtf\n"
		"      |           ^\n"
		"note: protocols: none, raft, pbft\n");
	expect_error("validators: 4\nprotocol: {batch: 8}\nworkload: requests\n",
		"t.yaml:2:11: error: protocol needs a `kind`: which protocol?");
	expect_error("validators: 4\nprotocol: {kind: pbft, bach: 8}\nworkload: requests\n",
		"t.yaml:2:24: error: unknown key `protocol.bach` for pbft: did you mean `batch`?");
	expect_error("validators: 4\nprotocol: {kind: none, batch: 8}\nworkload: requests\n",
		"t.yaml:2:24: error: unknown key `protocol.batch` for none: it belongs under protocol (raft, pbft)");
	expect_error_after(REQUESTS, "view_timeout: 1 s\n",
		"t.yaml:4:1: error: unknown key `view_timeout`: it belongs under protocol (pbft)");
	expect_error_after(REQUESTS, "protocl: {epsilon: 0.1}\n",
		"t.yaml:4:1: error: unknown key `protocl`: did you mean `protocol`?");
	expect_error_after(REQUESTS, "epsilon: 0.1\n",
		"t.yaml:4:1: error: unknown key `epsilon`: it belongs under attacks (gradient)");
	expect_error_after(REQUESTS, "loss: 0.1\n",
		"t.yaml:4:1: error: unknown key `loss`: it belongs under network");
	expect_error_after(REQUESTS, "node: {seed: 1}\n",
		"t.yaml:4:8: error: unknown key `node.seed`: it belongs under the top");
	/* As every page calls them. */
	expect_error_after(REQUESTS, "stop.items: 5\n",
		"t.yaml:4:1: error: unknown key `stop.items`: dotted paths are for `sweep`, `zip` and --set; here write "
		"`stop: {items: ...}`");
	expect_error_after(REQUESTS, "attacks.0.kind: alie\n",
		"t.yaml:4:1: error: unknown key `attacks.0.kind`: dotted paths are for `sweep`, `zip` and --set; here keys are "
		"nested");
	expect_error_after(REQUESTS, "n: 4\n", "t.yaml:4:1: error: unknown key `n`: it is called `validators` here");
	expect_error_after(REQUESTS, "f: 1\n", "t.yaml:4:1: error: unknown key `f`: it is called `faulty` here");
	expect_errors("validators: 4\nprotocol: [pbft, raft]\nworkload: requests\n",
		"t.yaml:2:11: error: protocol must be a protocol or {kind: ...}\n"
		"    2 | protocol: [pbft, raft]\n"
		"      |           ^\n"
		"note: several values are swept: sweep: {protocol: [pbft, raft]}\n");
	const char *const list[] = {"network.loss=[0, 0.1]"};
	char *errors = read_wrong_n(REQUESTS, strlen(REQUESTS), list, 1);
	assert_string_equal(errors,
		"--set network.loss=[0, 0.1]: error: network.loss must be a probability in [0, 1], got a list\n"
		"note: several values are swept: --set 'sweep={network.loss: [0, 0.1]}'\n");
	free(errors);
	expect_error("validators: 4\nprotocol: {kind: pbft, quorum: 5}\nworkload: requests\n",
		"t.yaml:2:32: error: protocol.quorum must be at most 4");
	expect_error_after(
		REQUESTS, "network: 5\n", "t.yaml:4:10: error: network must be a map of keys");
	expect_error(
		"validators: 4\nprotocol: {kind: raft, initial_leader: nobody}\nworkload: requests\n",
		"t.yaml:2:40: error: protocol.initial_leader must be one of first, none, got nobody");
}

static void test_faulty(void **state)
{
	expect_error_after(REQUESTS, "faulty: 2\n",
		"t.yaml:4:9: error: faulty must be at most 1 for "
		"pbft with 4 validators (n > 3f), got 2");
	expect_error("validators: 4\nprotocol: raft\nworkload: requests\nfaulty: 2\n",
		"t.yaml:4:9: error: faulty must be at most 1 for raft with 4 validators (n > 2f), got 2");
	expect_error("validators: 4\nprotocol: none\nworkload: requests\nfaulty: 4\n",
		"t.yaml:4:9: error: faulty must be at most 3 for none with 4 validators (n > f), got 4");
	expect_error_after(REQUESTS, "faulty: -1\n",
		"t.yaml:4:9: error: faulty must be a whole number of at least 0 or `auto`, got -1");
}

static void test_attacks_and_faults(void **state)
{
	expect_errors(PARCELS "attacks:\n  - {kind: silent, nodes: [1, 7]}\n",
		"t.yaml:5:31: error: attacks.0.nodes: there is no validator 7\n"
		"    5 |   - {kind: silent, nodes: [1, 7]}\n"
		"      |                               ^\n"
		"note: 4 validators are numbered 0 to 3\n");
	expect_error_after(PARCELS, "attacks: [{kind: silent}]\n",
		"t.yaml:4:11: error: attacks.0: who attacks? give `fraction`, `count` or `nodes`");
	expect_error_after(PARCELS, "attacks: [{kind: silent, fraction: 0.5, nodes: [1]}]\n",
		"t.yaml:4:41: error: attacks.0: give `fraction`, `count` or `nodes`, not two of them");
	expect_error_after(PARCELS, "attacks: [{kind: silent, count: 1, fraction: 0.5}]\n",
		"t.yaml:4:26: error: attacks.0: give `fraction`, `count` or `nodes`, not two of them");
	expect_error_after(PARCELS, "attacks: [{kind: silent, nodes: [1], from: 5 s, until: 5 s}]\n",
		"t.yaml:4:56: error: attacks.0: the window is empty, from 5 s until 5 s: `until` must "
		"be after `from`");
	expect_error_after(PARCELS, "attacks: [{kind: gradient, nodes: [1], epsilon: 0}]\n",
		"t.yaml:4:49: error: attacks.0.epsilon must be a number in (0, 10], got 0");
	expect_error_after(PARCELS, "attacks: {kind: silent, nodes: [1]}\n",
		"t.yaml:4:10: error: attacks must be a list of {kind: ...}, got a map");
	expect_error_after(PARCELS, "faults: [{kind: crash, nodes: [0, 0]}]\n",
		"t.yaml:4:31: error: faults.0.nodes: validator 0 is named twice");
	expect_error_after(PARCELS, "faults: [{kind: crash, nodes: [0], from: 2 s, until: 1 s}]\n",
		"t.yaml:4:54: error: faults.0: the window ends (1 s) before it begins (2 s): `until` must "
		"be after `from`");
	expect_error_after(PARCELS, "faults: [{kind: partition, groups: [[0], [4]]}]\n",
		"t.yaml:4:43: error: faults.0.groups.1: there is no validator 4");
	expect_error_after(PARCELS, "faults: [{kind: partition, groups: [0, 1]}]\n",
		"t.yaml:4:37: error: faults.0.groups must be a list of lists of validators such as "
		"[[0, 1], [2, 3]], got 0");
	expect_error_after(PARCELS, "faults: [{kind: loss, probability: 1.5}]\n",
		"t.yaml:4:36: error: faults.0.probability must be a probability in [0, 1], got 1.5");
}

static void test_workloads(void **state)
{
	expect_error_after(REQUESTS, "scorer: mad\n",
		"t.yaml:4:1: error: `scorer` is for workloads "
		"with predictions, and `requests` has no predictions");
	expect_error_after(REQUESTS, "attacks: [{kind: gradient, fraction: 0.3, epsilon: 1}]\n",
		"t.yaml:4:11: error: attacks.0: attack `gradient` is on predictions, and `requests` has no "
		"predictions");
	expect_error("validators: 4\nprotocol: pbft\nworkload: {kind: dimweight, quorum: 5}\n",
		"t.yaml:3:37: error: workload.quorum must be at most the number of validators, 4, got 5");
	expect_error("validators: 4\nprotocol: {kind: raft, tentative: on}\nworkload: dimweight\n",
		"t.yaml:2:35: error: protocol.tentative: dimweight can't undo what it executes");
	expect_error_after(PARCELS, "aggregator: {kind: trimmed-mean, faulty: 2}\n",
		"t.yaml:4:42: error: aggregator trimmed-mean with faulty: 2 needs at least 5 predictions, "
		"and workload.quorum is 3");
	expect_error_after(PARCELS, "aggregator: {kind: trimmed-mean, faulty: 1e9}\n",
		"t.yaml:4:42: error: aggregator.faulty must be below the number of validators, 4, got "
		"1000000000");
	expect_error_after(PARCELS, "record: [decisions, serie]\n",
		"t.yaml:4:21: error: record: there is no table `serie`: did you mean `series`?");
}

static void test_lists_of_numbers(void **state)
{
	static const char *const cases[][2] = {
		{"[1, -2]", "t.yaml:3:35: error: protocol.stake.1 must be a number of at least 0, got -2"},
		{"[1, 2 kg]", "t.yaml:3:35: error: protocol.stake.1 must be a number of at least 0, got 2 kg"},
		{"[nan]", "t.yaml:3:32: error: protocol.stake.0 must be a number of at least 0, got nan"},
		{"[1e999]", "t.yaml:3:32: error: protocol.stake.0 must be a number of at least 0, got 1e999"},
		{"[1, [2]]", "t.yaml:3:35: error: protocol.stake.1 must be a number of at least 0, got a list"},
		{"[]", "t.yaml:3:31: error: protocol.stake must be a list of numbers such as [1, 2.5], got a list"},
		{"7", "t.yaml:3:31: error: protocol.stake must be a list of numbers such as [1, 2.5], got 7"},
		{"{a: 1}", "t.yaml:3:31: error: protocol.stake must be a list of numbers such as [1, 2.5], got a map"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		snprintf(text, sizeof(text), "validators: 2\nworkload: requests\nprotocol: {kind: raft, stake: %s}\n", cases[i][0]);
		expect_error(text, cases[i][1]);
	}
}

static void test_overrides(void **state)
{
	const char *const sets[] = {"validators=five", "protocl.batch=8", "network.loss", "node.send=[",
		"attacks.0.fraction=0.5"};
	char *errors = read_wrong_n(REQUESTS, strlen(REQUESTS), sets, 5);
	assert_string_equal(errors,
		"--set validators=five: error: validators must be a whole number from 1 to 100000, got "
		"five\n"
		"--set protocl.batch=8: error: unknown key `protocl`: did you mean `protocol`?\n"
		"note: known here: title, seed, replications, stop, validators, faulty, protocol, network, "
		"node, workload, predictor, scorer, aggregator, attacks, faults, sweep, zip, skip_unfit, record, "
		"series, liveness_bound, checkers, liveness_after\n"
		"--set network.loss: error: an override is written KEY=VALUE, such as protocol.batch=8\n"
		"--set node.send=[: error: not valid YAML: did not find expected node content\n"
		"--set attacks.0.fraction=0.5: error: `attacks.0.fraction` does not exist: `attacks` is "
		"not "
		"a list\n");
	free(errors);
}

/* The caret stands under its character: in a long line, after tabs and after letters of two bytes.
 */
static void test_carets(void **state)
{
	expect_errors("title: \xc3\xa4\xc3\xb6\nvalidators: 4\nprotocol: pbft\n"
				  "workload: {kind: \"requests\", \xc3\xa4: 1}\n",
		"t.yaml:4:30: error: unknown key `workload.\xc3\xa4` for requests\n"
		"    4 | workload: {kind: \"requests\", \xc3\xa4: 1}\n"
		"      |                              ^\n"
		"note: known here: kind, clients, size, arrivals, client_timeout\n");
	char text[600] = REQUESTS "network: {";
	memset(text + strlen(text), ' ', 300);
	strcat(text, "loss: 7}\n");
	char *errors = read_wrong(text);
	const char *line = strstr(errors, "    4 | "), *caret = strstr(errors, "      | ");
	assert_non_null(line);
	assert_non_null(caret);
	assert_int_equal(strcspn(line, "7"), strcspn(caret, "^"));
	assert_true(strcspn(line, "\n") < 140);
	free(errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_at_once),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_negative_and_huge),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_plugins),
		cmocka_unit_test(test_faulty),
		cmocka_unit_test(test_attacks_and_faults),
		cmocka_unit_test(test_workloads),
		cmocka_unit_test(test_lists_of_numbers),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_carets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
