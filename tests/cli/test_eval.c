/* `synod eval`: rules on the rows of a file. */
#include "program.h"

#include <math.h>

/* Exactly this on stdout, and nothing on stderr but that a line is a header. */
static void prints(const char *command, const char *wanted)
{
	struct output output = finish(start(command));
	bool silent = output.err[0] == '\0' || strstr(output.err, "is taken for a header") != NULL;
	if (output.status != 0 || strcmp(output.out, wanted) != 0 || !silent) {
		fail_msg("`%s` gave %d and '%s', not '%s':\n%s", command, output.status, output.out, wanted,
			output.err);
	}
	output_free(&output);
}

/* One line of n numbers, each this close to what is wanted, and written so that it reads back. */
static void prints_near(const char *command, size_t n, const double *wanted, double tolerance)
{
	struct output output = finish(start(command));
	const char *at = output.out;
	assert_int_equal(output.status, 0);
	for (size_t i = 0; i < n; i++) {
		char *end;
		char again[64];
		double value = strtod(at, &end);
		snprintf(again, sizeof(again), "%.17g", value);
		if (fabs(value - wanted[i]) > tolerance || strncmp(at, again, (size_t)(end - at)) != 0 ||
			*end != (i + 1 < n ? ',' : '\n')) {
			fail_msg("`%s` gave '%s'", command, output.out);
		}
		at = end + 1;
	}
	assert_int_equal(*at, '\0');
	output_free(&output);
}

static void refuses(const char *command, const char *wanted)
{
	struct output output = finish(start(command));
	if (output.status != 2 || output.out[0] != '\0' || strstr(output.err, wanted) == NULL) {
		fail_msg("`%s` gave %d and did not say '%s':\n%s\n%s", command, output.status, wanted,
			output.out, output.err);
	}
	output_free(&output);
}

static void aggregates_numbers(void **state)
{
	prints_near("$SYNOD eval mean ten.csv --faulty 3", 1, (double[]){.6265}, 1e-15);
	prints_near("$SYNOD eval median ten.csv --faulty 3", 1, (double[]){.615}, 1e-15);
	prints_near("$SYNOD eval trimmed-mean ten.csv --faulty 3", 1, (double[]){.615}, 1e-15);
	prints("$SYNOD eval krum ten.csv --faulty 3", "0.59999999999999998\n");
	/* floor((n-1)/3) of 10 is 3 */
	prints("$SYNOD eval krum ten.csv", "0.59999999999999998\n");
	prints_near("$SYNOD eval trimmed-mean ten.csv --set faulty=0", 1, (double[]){.6265}, 1e-15);
	prints_near("$SYNOD eval trimmed-mean ten.csv --set faulty=0 -f 3", 1, (double[]){.615}, 1e-15);
}

/* A first row that can't be read is a header only where it is one of names; then it is said. */
static void tells_headers_from_numbers(void **state)
{
	(void)state;
	static const char *const none[] = {"1d3", "NA", "n/a", "5 kg", "$5", "-", "?", "1,5x", "null", "x,2nd"};
	char command[200];
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const char *rest = strchr(none[i], ',') != NULL ? "2,3" : "2";
		snprintf(command, sizeof(command), "printf '%%s\n%s\n' '%s' | $SYNOD eval mean -", rest, none[i]);
		refuses(command, "standard input: line 1: row 1, column ");
	}
	prints("printf 'weight (kg),_x1\n2,3\n' | $SYNOD eval mean - 2> said", "2,3\n");
	prints("cat said",
		"synod: note: standard input: line 1 is taken for a header: weight (kg), _x1\n");
	prints("printf '2,3\\n' | $SYNOD eval mean - 2>&1", "2,3\n");
}

/* A file without an end comes to one. */
static void ends_with_what_has_no_end(void **state)
{
	(void)state;
	refuses("$SYNOD eval mean /dev/zero", "/dev/zero: line 1: it holds NUL bytes");
	refuses("yes '' | $SYNOD eval mean -", "standard input: there are more than 4194304 lines");
	refuses("tr '\\0' '1' < /dev/zero | $SYNOD eval mean -", "line 1: it has no end within 64 MB");
}

static void aggregates_rows(void **state)
{
	prints_near("$SYNOD eval median seven.csv --faulty 2", 3, (double[]){1, -1.9, .5}, 0);
	prints_near(
		"$SYNOD eval trimmed-mean seven.csv --faulty 2", 3, (double[]){1.016667, -1.9, .5}, 5e-7);
	prints("$SYNOD eval krum seven.csv --faulty 2", "1,-2,0.5\n");
	prints_near(
		"$SYNOD eval multi-krum seven.csv --faulty 2", 3, (double[]){1.03, -2.01, .51}, 1e-15);
	prints_near("$SYNOD eval multi-krum seven.csv --faulty 2 --set m=5", 3,
		(double[]){1.03, -2.01, .51}, 1e-15);
	prints("$SYNOD eval geometric-median line.csv --faulty 0", "4,5,6\n");
	prints("$SYNOD eval geometric-median - < line.csv", "4,5,6\n");
	/* the row in the middle, as far from both, goes with the first */
	prints("$SYNOD eval mean line.csv --set before=nnm -f 1", "3.5,4.5,5.5\n");
	prints("$SYNOD eval median line.csv --set before=bucketing --set s=2", "4.75,5.75,6.75\n");
	prints("printf 'score,x\\n1,4\\n3,8\\n' | $SYNOD eval weighted-mean -", "7\n");
	prints("printf 'score,x\\n1,4\\n3,8\\n' | $SYNOD eval mean -", "6\n");
	prints("printf '3,4\n-1,0\n6,8\n' | $SYNOD eval fltrust - --set trusted=2", "6,8\n");
	/* weights 1, 4 and, of 10^8, four times the middle one's */
	prints_near(
		"printf 'x,confidence\\n1,1\\n3,0.5\\n9,0.0001\\n' | $SYNOD eval inverse-variance -", 1,
		(double[]){157. / 21}, 1e-14);
	prints("printf 'confidence,score,x\\n1,1,1\\n1,3,5\\n' | $SYNOD eval weighted-mean -", "4\n");
	prints("printf '1\\n3\\n' | $SYNOD eval inverse-variance -", "2\n");
	prints("printf -- '-0.0\\n' | $SYNOD eval mean -", "0\n");
	prints("printf '# a note\\r\\n\\r\\n \"1.5\" , 2e0\\r\\n' | $SYNOD eval mean -", "1.5,2\n");
}

static void scores(void **state)
{
	prints("printf '0\\n300\\n100\\n1e6\\n' | $SYNOD eval latency -",
		"0.98999999999999999\n0.5\n0.75\n0.050000000000000003\n");
	prints("printf 'p\\n2\\n2\\n2\\n3\\n' | $SYNOD eval mad -", "1\n1\n1\n0\n");
	prints("printf '1\\n2\\n3\\n4\\n10\\n' | $SYNOD eval iqr -", "0.80000000000000004\n1\n1\n1\n"
																 "0.10000000000000001\n");
	expect("$SYNOD eval z-score ten.csv | awk '$1 < 1/(1 + 9/4)' | wc -l", 0, "0\n");
	expect("$SYNOD eval mad ten.csv | awk '$1 < 1/(1 + 9/4)' | wc -l", 0, "3\n");
	expect("$SYNOD eval combined ten.csv --set 'of=[mad, iqr]' | awk '$1 < .3' | wc -l", 0, "3\n");
	refuses("$SYNOD eval combined ten.csv --set 'of=[]'", "combined.of must name at least one");
	refuses("$SYNOD eval combined ten.csv --set 'of=[mda]'", "did you mean `mad`?");
	refuses("$SYNOD eval mad seven.csv", "mad scores one column of numbers, and there are 3");
}

static void scores_of_the_first_item(void **state)
{
	/* nobody has a past: all are believed alike */
	prints("printf '1\\n2\\n99\\n' | $SYNOD eval reputation -", "0.5\n0.5\n0.5\n");
	prints("printf '1\\n2\\n' | $SYNOD eval reputation - --set initial=0.75", "0.75\n0.75\n");
	refuses("$SYNOD eval reputation ten.csv --set initial=0.1",
		"reputation.initial must be at least the threshold, 0.3");
	refuses("$SYNOD eval reputation ten.csv --set of=none", "reputation.of must name a scorer");
	refuses("$SYNOD eval combined ten.csv --set 'of=[{kind: reputation, of: none}]'",
		"reputation.of must name a scorer");
	expect("$SYNOD eval classifier ten.csv | awk '$1 < .3' | wc -l", 0, "3\n");
	expect("$SYNOD eval classifier ten.csv | wc -l", 0, "10\n");
	expect("$SYNOD eval combined ten.csv --set 'of=[classifier, reputation]' | wc -l", 0, "10\n");
	expect("$SYNOD eval isolation ten.csv --set method=trees | wc -l", 0, "10\n");
	refuses("$SYNOD eval isolation ten.csv --set method=forest", "isolation.method must be");
}

static void attacks(void **state)
{
	/* each of two liars under three names: the honest mean, six times; and not quite alike */
	prints("printf '1\\n3\\n' | $SYNOD eval sybil - --faulty 2 --set identities=3",
		"2\n2\n2\n2\n2\n2\n");
	expect("printf '1\\n3\\n' | $SYNOD eval sybil - --faulty 2 --set identities=3 --set jitter=0.1 "
		   "| sort -u | wc -l",
		0, "5\n");
	/* against the sign of the mean, from the honest ones alone */
	prints("printf '1\\n2\\n3\\n' | $SYNOD eval sign-flip - --faulty 1", "-2\n");
	refuses("$SYNOD eval gradient ten.csv --faulty 1", "predictor");
	refuses("printf '1e308\\n-1e308\\n1\\n' | $SYNOD eval min-max - --faulty 1",
		"attack min-max says what is no finite number: its own aim, or rows this large leave the range of numbers");
	refuses("$SYNOD eval alie ten.csv --faulty 0", "at least one liar");
	refuses("$SYNOD eval adaptive ten.csv --faulty 2", "the defence that it plays against");
	expect("$SYNOD eval adaptive ten.csv --faulty 2 --against median", 0, "\n");
	refuses("$SYNOD eval adaptive ten.csv --faulty 2 --against medean", "did you mean 'median'?");
	refuses("$SYNOD eval mean ten.csv --against median", "--against is for attacks");
}

static void refuses_wrong_input(void **state)
{
	refuses("$SYNOD eval medain ten.csv", "there is no rule 'medain'; did you mean 'median'?");
	refuses("$SYNOD eval krum", "usage: synod eval RULE FILE.csv");
	refuses("$SYNOD eval krum ten.csv --faulty x", "--faulty takes a whole number");
	refuses("$SYNOD eval krum ten.csv --faulty -1", "--faulty takes a whole number");
	refuses("$SYNOD eval krum ten.csv --faulty 5",
		"krum.faulty must be below half of the 10 participants, got 5");
	refuses("$SYNOD eval krum ten.csv --faulty 4",
		"krum with faulty: 4 needs at least 11 rows, got 10");
	refuses("$SYNOD eval bulyan seven.csv --faulty 2", "needs at least 11 rows, got 7");
	refuses("$SYNOD eval median ten.csv --set befor=nnm", "did you mean `before`?");
	refuses("$SYNOD eval median ten.csv --set before=nmn", "did you mean `nnm`?");
	refuses("$SYNOD eval median ten.csv --set before", "KEY=VALUE");
	refuses("$SYNOD eval centered-clipping ten.csv --set tau=0", "centered-clipping.tau must be");
	refuses("$SYNOD eval multi-krum ten.csv --set m=11", "at most the number of predictions, 10");
	refuses("$SYNOD eval fltrust seven.csv", "`fltrust.trusted` is missing");
	refuses("$SYNOD eval fltrust seven.csv --set trusted=7", "must be one of the 7 rows, got 7");
	refuses("$SYNOD eval weighted-mean ten.csv", "a column called `score`");
	refuses("printf 'a,b\\n1,2\\n3,x\\n' | $SYNOD eval mean -",
		"standard input: line 3: row 2, column 2 (b): 'x' is not a finite number");
	refuses("printf '1,2\\n3,nan\\n' | $SYNOD eval mean -", "line 2: row 2, column 2: 'nan'");
	refuses("printf '1,2\\n-inf,3\\n' | $SYNOD eval mean -", "line 2: row 2, column 1: '-inf'");
	refuses("printf '1,1e999\\n' | $SYNOD eval mean -", "row 1, column 2: '1e999'");
	refuses("printf '1,0x10\\n' | $SYNOD eval mean -", "row 1, column 2: '0x10'");
	refuses("printf '1,\\n' | $SYNOD eval mean -", "row 1, column 2: ''");
	refuses("printf '1,2\\n3\\n' | $SYNOD eval mean -", "row 2 has 1 column, and the first has 2");
	refuses("printf 'score,x\\n-1,2\\n' | $SYNOD eval mean -", "row 1, column 1 (score): '-1'");
	refuses("printf 'confidence,x\\n0,2\\n' | $SYNOD eval mean -",
		"row 1, column 1 (confidence): '0' is not a confidence, a standard deviation above 0");
	refuses("printf 'confidence,x,confidence\\n1,2,1\\n' | $SYNOD eval mean -",
		"two columns are called `confidence`");
	refuses("printf 'confidence,score\\n1,2\\n' | $SYNOD eval mean -",
		"no columns but `score` and `confidence`");
	refuses("printf 'score\\n1\\n' | $SYNOD eval mean -", "no columns but `score`");
	refuses("printf '' | $SYNOD eval mean -", "there are no rows");
	refuses("printf 'a\\n' | $SYNOD eval mean -", "there are no rows");
	refuses("printf '1\\0002\\n' | $SYNOD eval mean -", "NUL");
	expect("$SYNOD eval mean nothing.csv", 3, "nothing.csv: can't be read");
	expect("$SYNOD eval mean .", 3, "can't be read");
	expect("$SYNOD eval --help", 0, "example:\n  synod eval krum");
}

/* The same rules in a scenario: its keys and what they need of the quorum. */
static void scenarios_know_them(void **state)
{
	write_file("krum.yaml",
		"validators: 10\n"
		"protocol: none\n"
		"stop: {items: 5}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"workload: {kind: dimweight, quorum: n}\n"
		"predictor: linear\n"
		"aggregator: {kind: krum}\n"
		"sweep: {aggregator.kind: [mean, weighted-mean, krum, multi-krum, geometric-median, "
		"centered-clipping, majority], aggregator.before: [none, nnm]}\n");
	expect("$SYNOD run krum.yaml -q -o krum.h5 && $SYNOD show krum.h5", 0, "completed");
	expect("$SYNOD check krum.yaml", 0, "faulty: 3");
	expect("$SYNOD check krum.yaml --set validators=7 --set workload.quorum=6", 1,
		"aggregator krum with faulty: 2 needs at least 7 predictions, and workload.quorum is 6");
	expect("$SYNOD check krum.yaml --set sweep=none --set aggregator.kind=bulyan", 1,
		"needs at least 15 predictions");
	expect("$SYNOD check krum.yaml --set sweep=none --set scorer=latency", 1,
		"there is no scorer `latency`");
	expect("$SYNOD list scorers", 0, "isolation");
	expect("$SYNOD list scorers", 0, "reputation");
	expect("$SYNOD list attacks", 0, "identities: validators, the default");
	expect("$SYNOD check krum.yaml --set sweep=none --set workload.validation=tolerance", 1,
		"workload.validation: tolerance needs a protocol whose validators vote");
	expect("$SYNOD check krum.yaml --set sweep=none --set workload.validation=tolerance "
		   "--set protocol=pbft",
		1, "needs protocol.batch: 1");
	expect("$SYNOD check krum.yaml --set sweep=none --set workload.validation=tolerance "
		   "--set 'protocol={kind: pbft, batch: 1}'",
		0, "validation: tolerance");
	expect("$SYNOD run krum.yaml -q -o rep.h5 --set sweep=none --set aggregator=inverse-variance "
		   "--set 'scorer={kind: combined, of: [reputation, {kind: isolation, method: trees}]}' "
		   "--set 'record=[roc, validators]' --set 'attacks=[{kind: sign-flip, fraction: 0.2}]' && "
		   "$SYNOD show rep.h5 --table roc && $SYNOD show rep.h5 --table validators",
		0, "true_positive");
	expect("$SYNOD list aggregators", 0, "geometric-median");
}

static int prepare(void **state)
{
	int status = make_folder(state);
	write_file("ten.csv", "value\n.61\n.58\n.64\n.60\n.585\n.63\n.62\n1\n1\n0\n");
	write_file("seven.csv",
		"1,-2,.5\n1.2,-1.8,.4\n.9,-2.1,.65\n1.1,-1.9,.55\n.95,-2.25,.45\n50,50,-50\n-30,10,80\n");
	write_file("line.csv", "1,2,3\n4,5,6\n7,8,9\n");
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aggregates_numbers),
		cmocka_unit_test(tells_headers_from_numbers),
		cmocka_unit_test(ends_with_what_has_no_end),
		cmocka_unit_test(aggregates_rows),
		cmocka_unit_test(scores),
		cmocka_unit_test(scores_of_the_first_item),
		cmocka_unit_test(attacks),
		cmocka_unit_test(refuses_wrong_input),
		cmocka_unit_test(scenarios_know_them),
	};
	return cmocka_run_group_tests(tests, prepare, remove_folder);
}
