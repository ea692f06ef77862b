/* Sweeps: the points, their values and labels, and what the command line does to them. */
#include "fakes.h"

#include <stdio.h>

#define HEAD "validators: 4\nprotocol: pbft\nworkload: dimweight\n"
#define ATTACKED HEAD "attacks: [{kind: gradient, fraction: 0.1, epsilon: 0.1}]\n"

/* The texts of all points, `a,b;a,c;...`. */
static void expect_points(
	const char *text, const char *const *sets, size_t n_sets, const char *expected)
{
	struct scenario_file *file = read_right(text, sets, n_sets);
	char found[1000] = "";
	size_t n = 0;
	for (size_t i = 0; i < scenario_n_points(file); i++) {
		for (size_t k = 0; k < scenario_n_swept(file); k++) {
			n += (size_t)snprintf(found + n, sizeof(found) - n, "%s%s",
				k   ? ","
				: i ? ";"
					: "",
				scenario_swept_value(file, i, k).text);
			assert_true(n < sizeof(found));
		}
	}
	assert_string_equal(found, expected);
	scenario_close(file);
}

static void test_cross_product(void **state)
{
	expect_points(HEAD "sweep: {protocol: [none, raft], validators: [4, 7]}\n", NULL, 0,
		"none,4;none,7;raft,4;raft,7");
	struct scenario_file *file =
		read_right(HEAD "sweep: {protocol: [none, raft], validators: [4, 7]}\n", NULL, 0);
	assert_string_equal(scenario_swept_key(file, 0), "protocol");
	assert_string_equal(scenario_swept_key(file, 1), "validators");
	assert_false(scenario_swept_is_int(file, 0));
	assert_false(scenario_swept_is_real(file, 0));
	assert_true(scenario_swept_is_int(file, 1));
	assert_int_equal(scenario_swept_value(file, 1, 1).integer, 7);
	assert_int_equal(scenario_point(file, 1)->n_validators, 7);
	assert_string_equal(scenario_point(file, 1)->protocol.plugin->name, "none");
	assert_string_equal(scenario_point(file, 2)->protocol.plugin->name, "raft");
	assert_int_equal(scenario_point(file, 3)->n_faulty, 3);
	assert_int_equal(scenario_point(file, 1)->n_faulty, 0);
	scenario_close(file);
}

static void test_no_sweep_is_a_point(void **state)
{
	struct scenario_file *file = read_right(HEAD, NULL, 0);
	assert_int_equal(scenario_n_points(file), 1);
	assert_int_equal(scenario_n_swept(file), 0);
	scenario_close(file);
}

static void test_zip(void **state)
{
	expect_points(HEAD
		"zip: {validators: [4, 7], faulty: [1, 2]}\nsweep: {network.loss: [0, 0.5]}\n",
		NULL, 0, "0,4,1;0,7,2;0.5,4,1;0.5,7,2");
	expect_error_after(HEAD, "zip: {validators: [4, 7], faulty: [1]}\n",
		"t.yaml:4:35: error: the lists of `zip` must be equally long: `validators` has 2, "
		"`faulty` has 1");
}

static void test_ranges(void **state)
{
	expect_points(ATTACKED "sweep: {attacks.0.fraction: {from: 0, to: 0.5, step: 0.1}}\n", NULL, 0,
		"0;0.1;0.2;0.3;0.4;0.5");
	expect_points(HEAD "sweep: {node.send: {from: 0, to: 30 us, step: 10 us}}\n", NULL, 0,
		"0 us;10 us;20 us;30 us");
	expect_points(HEAD "sweep: {validators: {from: 10, to: 4, step: -3}}\n", NULL, 0, "10;7;4");
	expect_points(HEAD "sweep: {validators: {from: 4, to: 9, step: 3}}\n", NULL, 0, "4;7");
	struct scenario_file *file = read_right(
		ATTACKED "sweep: {attacks.0.fraction: {from: 0, to: 0.3, step: 0.1}}\n", NULL, 0);
	const struct attack_common *common = scenario_point(file, 3)->attacks.values[0].settings;
	assert_true(common->fraction == 0.3);
	assert_true(scenario_swept_value(file, 3, 0).real == 0.3);
	scenario_close(file);
	expect_error_after(HEAD, "sweep: {validators: {from: 4, to: 10, step: 0}}\n",
		"t.yaml:4:45: error: the range never gets from `from` to `to` by this step");
	expect_error_after(HEAD, "sweep: {node.send: {from: 1 us, to: 1 ms, step: 1 us}}\n",
		"t.yaml:4:37: error: from, to and step of a range must have the same unit, got `us` and "
		"`ms`");
	expect_error_after(HEAD, "sweep: {network.loss: {from: 0, to: 1, step: 1e-9}}\n",
		"t.yaml:4:23: error: the range has 1000000001 values; at most 1000000 make sense");
	expect_error_after(HEAD, "sweep: {network.loss: {from: 0, to: 1}}\n",
		"t.yaml:4:23: error: a range needs `step`: it is written {from: 0, to: 1, step: 0.1}");
}

static void test_units_are_si(void **state)
{
	struct scenario_file *file = read_right(HEAD "sweep:\n"
												 "  node.send: [10 us, 1 ms]\n"
												 "  network.bandwidth: [1 Gbit/s, 100 Mbit/s]\n"
												 "  workload.arrivals.rate: [60 /min, 5 /s]\n"
												 "  workload.client_timeout: [auto, 1 s]\n",
		NULL, 0);
	struct swept_value value = scenario_swept_value(file, 15, 0);
	assert_true(value.is_real && value.real == 1e-3);
	assert_string_equal(scenario_swept_unit(file, 0), "s");
	assert_true(scenario_swept_value(file, 15, 1).real == 1e8);
	assert_string_equal(scenario_swept_unit(file, 1), "bit/s");
	assert_true(scenario_swept_value(file, 0, 2).real == 1);
	assert_string_equal(scenario_swept_unit(file, 2), "1/s");
	assert_true(scenario_swept_is_real(file, 0));
	assert_false(scenario_swept_is_int(file, 0));
	assert_false(scenario_swept_is_real(file, 3)); /* `auto` is a word */
	assert_string_equal(scenario_swept_value(file, 0, 3).text, "auto");
	assert_string_equal(scenario_swept_value(file, 1, 3).text, "1 s");
	scenario_close(file);
}

static void test_labels(void **state)
{
	expect_points(
		HEAD "sweep: {scorer: [none, {kind: mad, threshold: 0.3}]}\n", NULL, 0, "none;mad");
	expect_points(HEAD
		"sweep: {scorer: [{kind: mad, threshold: 0.1}, {kind: mad, threshold: 0.3}]}\n",
		NULL, 0, "{kind: mad, threshold: 0.1};{kind: mad, threshold: 0.3}");
	expect_points(HEAD "sweep: {attacks: [[], [{kind: gradient, fraction: 0.3, epsilon: 0.1}]]}\n",
		NULL, 0, "none;gradient");
	expect_points("validators: 4\nprotocol: raft\nworkload: dimweight\n"
				  "sweep: {protocol.election_timeout: [[1 s, 2 s], [2 s, 3 s]]}\n",
		NULL, 0, "[1 s, 2 s];[2 s, 3 s]");
}

static void test_paths(void **state)
{
	/* What the file doesn't have yet is made, and a kind alone becomes a map. */
	expect_points(HEAD "sweep: {protocol.batch: [1, 8]}\n", NULL, 0, "1;8");
	expect_points(HEAD "sweep: {network.loss: [0, 0.1]}\n", NULL, 0, "0;0.1");
	/* The upper path is set first, whichever is written first. */
	struct scenario_file *file =
		read_right(HEAD "sweep: {protocol.batch: [1, 8], protocol: [raft, pbft]}\n", NULL, 0);
	const struct fake_protocol *settings = scenario_point(file, 3)->protocol.settings;
	assert_string_equal(scenario_point(file, 3)->protocol.plugin->name, "pbft");
	assert_int_equal(settings->batch, 8);
	assert_int_equal(
		((const struct fake_protocol *)scenario_point(file, 1)->protocol.settings)->batch, 1);
	scenario_close(file);
}

static void test_refused(void **state)
{
	expect_error_after(HEAD, "sweep: {validators: []}\n",
		"t.yaml:4:21: error: sweep.validators sweeps over nothing: its list is empty");
	expect_error_after(HEAD, "sweep:\n", "t.yaml:4:7: error: `sweep` sweeps over nothing");
	expect_error_after(HEAD, "sweep: {}\n", "t.yaml:4:8: error: `sweep` sweeps over nothing");
	expect_error_after(HEAD, "sweep: [validators]\n",
		"t.yaml:4:8: error: `sweep` must be a map of dotted paths to lists");
	expect_error_after(HEAD, "sweep: {validators: 4}\n",
		"t.yaml:4:21: error: sweep.validators must be a list of values, got 4");
	expect_error_after(HEAD, "sweep: {network.los: [0, 1]}\n",
		"t.yaml:4:9: error: unknown key `network.los`: did you mean `loss`?");
	expect_error_after(HEAD, "sweep: {atacks.0.fraction: [0, 1]}\n",
		"t.yaml:4:9: error: `atacks.0.fraction` does not exist: `atacks` is not a list");
	expect_error_after(ATTACKED, "sweep: {attacks.1.fraction: [0, 1]}\n",
		"t.yaml:5:9: error: `attacks.1.fraction` does not exist: `attacks` is a list of 1");
	expect_error_after(HEAD, "sweep: {seed: [1, 2]}\n",
		"t.yaml:4:9: error: `seed` can't be swept: it is the same at every point");
	expect_error_after(HEAD, "sweep: {zip: {validators: [4]}}\n",
		"t.yaml:4:9: error: `zip` can't be swept: it stands by itself, beside `sweep`");
	expect_error_after(HEAD, "sweep: {validators: [4]}\nzip: {validators: [7]}\n",
		"t.yaml:5:7: error: `validators` is swept twice, here and in `sweep`");
	expect_error_after(HEAD, "sweep: {a..b: [4]}\n",
		"t.yaml:4:9: error: `a..b` is not a dotted path such as protocol.batch");
	expect_error_after(HEAD,
		"sweep:\n  validators: {from: 4, to: 2003, step: 1}\n"
		"  network.loss: {from: 0, to: 0.999, step: 0.001}\n",
		"t.yaml:5:3: error: the sweep has more than 1000000 points");
}

/* An error that many points run into is said once, and points are checked to the last. */
static void test_said_once(void **state)
{
	expect_errors(HEAD "faulty: 2\nsweep: {validators: [7, 10, 4], network.loss: [0, 0.1, 0.2]}\n",
		"t.yaml:4:9: error: faulty must be at most 1 for pbft with 4 validators (n > 3f), got 2\n"
		"    4 | faulty: 2\n"
		"      |         ^\n");
}

static void test_overrides(void **state)
{
	const char *const swept = HEAD "sweep: {protocol: [none, raft], validators: [4, 7]}\n";
	/* What is set is no longer swept. */
	expect_points(swept, (const char *const[]){"protocol=pbft"}, 1, "4;7");
	expect_points(swept, (const char *const[]){"protocol=pbft", "validators=4"}, 2, "");
	expect_points(swept, (const char *const[]){"sweep=none"}, 1, "");
	expect_points(swept, (const char *const[]){"sweep.validators=[10]"}, 1, "none,10;raft,10");
	expect_points(HEAD, (const char *const[]){"sweep.workload.quorum=[3, n]"}, 1, "3;n");
	/* What is set below a swept key is set in each of its values. */
	struct scenario_file *file = read_right(
		HEAD "sweep: {protocol: [raft, pbft]}\n", (const char *const[]){"protocol.batch=8"}, 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			((const struct fake_protocol *)scenario_point(file, i)->protocol.settings)->batch, 8);
	}
	assert_string_equal(scenario_swept_value(file, 0, 0).text, "raft");
	assert_string_equal(scenario_text(file),
		"validators: 4\nprotocol:\n  kind: pbft\n  batch: 8\nworkload: dimweight\nsweep:\n  protocol:\n"
		"    - {kind: raft, batch: 8}\n    - {kind: pbft, batch: 8}\n");
	/* And the text says all of it. */
	char *text = strdup(scenario_text(file));
	struct scenario_file *again = read_right(text, NULL, 0);
	assert_string_equal(scenario_text(again), text);
	assert_int_equal(scenario_n_points(again), 2);
	scenario_close(again);
	scenario_close(file);
	free(text);
	/* It is not lost where a later override sweeps over something else. */
	file = read_right(HEAD "sweep: {protocol: [raft, pbft]}\n",
		(const char *const[]){"protocol.batch=8", "sweep={validators: [4, 7]}"}, 2);
	assert_int_equal(
		((const struct fake_protocol *)scenario_point(file, 1)->protocol.settings)->batch, 8);
	scenario_close(file);
}

static void test_equal_settings_are_held_once(void **state)
{
	struct scenario_file *file =
		read_right(ATTACKED "sweep: {network.loss: [0, 0.1], node.send: [0, 1 us]}\n", NULL, 0);
	const struct scenario *first = scenario_point(file, 0), *last = scenario_point(file, 3);
	assert_ptr_equal(first->protocol.settings, last->protocol.settings);
	assert_ptr_equal(first->workload.settings, last->workload.settings);
	assert_ptr_equal(first->attacks.values, last->attacks.values);
	scenario_close(file);
}

/* A list of numbers is one value. */
static void test_lists_of_numbers(void **state)
{
	struct scenario_file *file = read_right("validators: 4\nworkload: requests\n"
		"sweep: {protocol: [{kind: raft, stake: [2.5, 0, 1e3, .5]}, {kind: raft, stake: [4, 1]}, raft]}\n", NULL, 0);
	static const double wanted[3][4] = {{2.5, 0, 1000, .5}, {4, 1}};
	static const size_t n_wanted[3] = {4, 2, 0};
	for (size_t p = 0; p < 3; p++) {
		const struct fake_protocol *protocol = scenario_point(file, p)->protocol.settings;
		assert_int_equal(protocol->stake.n, n_wanted[p]);
		for (size_t i = 0; i < n_wanted[p]; i++) {
			assert_true(protocol->stake.numbers[i] == wanted[p][i]);
		}
	}
	scenario_close(file);
	file = read_right("validators: 4\nworkload: requests\nprotocol: raft\n"
		"sweep: {protocol.stake: [[1, 2], [1, 3]]}\n", NULL, 0);
	assert_int_equal(scenario_n_points(file), 2);
	scenario_close(file);
	expect_error("validators: 4\nworkload: requests\nprotocol: raft\n"
		"sweep: {protocol.stake: [[1, 2], [1.0, 2]]}\n",
		"t.yaml:4:34: error: protocol.stake [1.0, 2] is the same setting as protocol.stake [1, 2] (line 4, "
		"column 26)");
}

/* One setting in two spellings would be two samples of one run. */
static void test_equal_points(void **state)
{
	expect_errors(HEAD "sweep: {network.loss: [.2, 0.20, 0.1]}\n",
		"t.yaml:4:28: error: network.loss 0.20 is the same setting as network.loss .2 (line 4, column "
		"24)\n"
		"    4 | sweep: {network.loss: [.2, 0.20, 0.1]}\n"
		"      |                            ^\n"
		"note: equal points are no independent runs: `replications` gives these; leave one of the two "
		"out\n");
	/* Whatever else is swept, it is said once. */
	char *errors = read_wrong(
		HEAD "sweep: {validators: [4, 7, 10], node.send: [100 ms, 1 s, 0.1 s], protocol: [raft, pbft]}\n");
	assert_non_null(strstr(errors, "node.send 0.1 s is the same setting as node.send 100 ms"));
	assert_null(strstr(strstr(errors, "error:") + 1, "error:"));
	free(errors);
	expect_error(HEAD "zip: {validators: [4, 7, 4], network.loss: [0, 0.1, 0.0]}\n",
		"t.yaml:4:26: error: validators 4, network.loss 0.0 is the same setting as validators 4, "
		"network.loss 0 (line 4, column 20)");
	/* `auto` is the value that it stands for, a map without a choice its kind, a bare duration a constant one. */
	expect_error(HEAD "sweep: {faulty: [auto, 0, 1]}\n",
		"t.yaml:4:27: error: faulty 1 is the same setting as faulty auto (line 4, column 18)");
	expect_error(HEAD "sweep: {protocol: [raft, {kind: raft}]}\n",
		"t.yaml:4:26: error: protocol {kind: raft} is the same setting as protocol raft (line 4, column "
		"20)");
	expect_error(HEAD "sweep: {network.latency: [5 ms, {kind: constant, value: 5000 us}]}\n",
		"t.yaml:4:33: error: network.latency constant is the same setting as network.latency "
		"5 ms (line 4, column 27)");
	expect_error(HEAD "sweep: {attacks: [[], none]}\n",
		"t.yaml:4:23: error: attacks none is the same setting as attacks [] (line 4, column 19)");
}

/* What is printed about a text that is right. */
static char *remarks_of(const char *text, const char *const *sets, size_t n_sets)
{
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, strlen(text), "t.yaml", NULL, sets, n_sets, diagnostics);
	char *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);
	diagnostics_print(diagnostics, out);
	fclose(out);
	if (!file) {
		fail_msg("refused:\n%s", printed);
	}
	diagnostics_destroy(diagnostics);
	scenario_close(file);
	return printed;
}

static void expect_remarks(
	const char *text, const char *const *sets, size_t n_sets, const char *expected)
{
	char *remarks = remarks_of(text, sets, n_sets);
	assert_string_equal(remarks, expected);
	free(remarks);
}

/* Keys that are no longer swept are named, and what contradicts itself is refused. */
static void test_override_takes_out(void **state)
{
	const char *text = HEAD "sweep: {protocol: [pbft, raft], protocol.batch: [1, 2], validators: [4, 7]}\n";
	const char *const one[] = {"protocol=raft"}, *const other[] = {"sweep={validators: [5, 6]}"},
					  *const none[] = {"sweep=none"}, *const below[] = {"protocol.batch=4"},
					  *const same[] = {"sweep.protocol=[raft]"};
	expect_remarks(text, one, 1,
		"--set protocol=raft: note: takes `protocol`, `protocol.batch` out of the sweep\n");
	expect_remarks(text, other, 1,
		"--set sweep={validators: [5, 6]}: note: takes `protocol`, `protocol.batch` out of the sweep\n");
	expect_remarks(text, none, 1, "");
	expect_remarks(
		text, below, 1, "--set protocol.batch=4: note: takes `protocol.batch` out of the sweep\n");
	expect_remarks(text, same, 1, "");
}

static void test_override_contradicts(void **state)
{
	const char *text = HEAD "sweep: {protocol: [pbft, raft]}\n";
	static const char *const sets[][2] = {
		{"sweep.protocol=[raft, none]", "protocol=pbft"},
		{"protocol=pbft", "sweep.protocol=[raft, none]"},
		{"protocol=pbft", "sweep={protocol: [raft, none]}"},
		{"zip={protocol: [raft, none]}", "protocol=pbft"},
	};
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		char *errors = read_wrong_n(text, strlen(text), sets[i], 2);
		assert_non_null(strstr(errors, "--set protocol=pbft: error: `protocol` is set here and swept by --set "));
		free(errors);
	}
	/* What lies above or below what is swept goes with it, in either order. */
	const char *const above[] = {"protocol={kind: raft, prevote: on}", "sweep={protocol.batch: [1, 2]}"};
	expect_points(text, above, 2, "1;2");
	const char *const below[] = {"protocol.batch=7", "sweep={protocol: [pbft, raft]}"};
	struct scenario_file *file = read_right(text, below, 2);
	assert_int_equal(((const struct fake_protocol *)scenario_point(file, 1)->protocol.settings)->batch, 7);
	scenario_close(file);
}

/* What doesn't go together is left out where that is asked for, and only that. */
static void test_skip_unfit(void **state)
{
	const char *text =
		"validators: 4\nprotocol: pbft\nworkload: dimweight\nskip_unfit: on\n"
		"sweep: {workload.quorum: [3, 5, 9], validators: [4, 7, 10]}\n";
	expect_points(text, NULL, 0, "3,4;3,7;3,10;5,7;5,10;9,10");
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, strlen(text), "t.yaml", NULL, NULL, 0, diagnostics);
	assert_non_null(file);
	assert_int_equal(scenario_first_like(file, 4, 0), 2); /* 5,10: 3,10 */
	assert_int_equal(scenario_first_like(file, 5, 1), 5); /* 9,10: 9,4 and 9,7 were skipped */
	assert_int_equal(scenario_point(file, 3)->n_validators, 7);
	char *printed = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&printed, &n);
	diagnostics_print(diagnostics, out);
	fclose(out);
	assert_non_null(strstr(printed,
		"t.yaml:5:30: note: skipped at workload.quorum 5, validators 4: workload.quorum must be at most "
		"the number of validators, 4, got 5"));
	free(printed);
	diagnostics_destroy(diagnostics);
	scenario_close(file);
	const char *const off[] = {"skip_unfit=off"}, *const none[] = {"sweep={workload.quorum: [11, 12]}"},
					  *const wrong[] = {"sweep={network.loss: [0, 7]}"};
	free(read_wrong_n(text, strlen(text), off, 1));
	char *errors = read_wrong_n(text, strlen(text), none, 1);
	assert_non_null(strstr(errors, "error: skip_unfit leaves no point"));
	free(errors);
	errors = read_wrong_n(text, strlen(text), wrong, 1);
	assert_non_null(strstr(errors, "error: network.loss must be a probability"));
	free(errors);
}

/* Ends that no number of steps can be counted between. */
static void test_endless_ranges(void **state)
{
	expect_error(HEAD "sweep: {seed: [1]}\n",
		"t.yaml:4:9: error: `seed` can't be swept: it is the same at every point");
	expect_error(HEAD "sweep: {network.loss: {from: 0, to: 9223372036854775807, step: 1}}\n",
		"t.yaml:4:23: error: the range is too long");
	expect_error(HEAD "sweep: {network.loss: {from: 1, to: -9223372036854775807, step: -1}}\n",
		"t.yaml:4:23: error: the range is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cross_product),
		cmocka_unit_test(test_no_sweep_is_a_point),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_units_are_si),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_said_once),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_equal_settings_are_held_once),
		cmocka_unit_test(test_lists_of_numbers),
		cmocka_unit_test(test_equal_points),
		cmocka_unit_test(test_override_takes_out),
		cmocka_unit_test(test_override_contradicts),
		cmocka_unit_test(test_skip_unfit),
		cmocka_unit_test(test_endless_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
