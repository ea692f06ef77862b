#include "fixture.h"

#include "results/show.h"

#include <stdlib.h>
#include <string.h>

static struct results_file *write_and_open(void **state)
{
	const char *path = in_folder(state, "x.h5");
	must_write(path);
	struct results_error error;
	struct results_file *file = results_open(path, &error);
	assert_non_null(file);
	return file;
}

static void assert_says(const char *text, const char *part)
{
	if (!text || !strstr(text, part)) {
		fail_msg("this does not say \"%s\":\n%s", part, text ? text : "");
	}
}

static char *show(struct results_file *file)
{
	char *text;
	size_t n_bytes;
	FILE *out = open_memstream(&text, &n_bytes);
	struct results_error error;
	assert_int_equal(results_show(file, NULL, 0, out, &error), 0);
	fclose(out);
	return text;
}

static void the_file_is_described(void **state)
{
	struct results_file *file = write_and_open(state);
	char *text = show(file);
	assert_says(text, "title    Largo al factotum\n");
	assert_says(text, "format   synod-results 2\n");
	assert_says(text, "version  0.1.0 (source v0.1-3-gabcdef)\n");
	assert_says(text, "seed     18364758544493064720\n");
	assert_says(text, "runs: 12 rows, 11 columns\n");
	assert_says(text, "run item value kind\n");
	free(text);
	results_close(file);
}

static void runs_stand_in_columns(void **state)
{
	struct results_file *file = write_and_open(state);
	char *text = show(file);
	assert_says(text,
		"run  point  replication  attacks.0.fraction  protocol  verdict    latency_mean_s  mae\n"
		"  0      0            0                   0  none      completed        0.333333    0\n"
		"  1      0            1                   0  raft      completed            0.25    1\n"
		"  2      0            2                   0  pbft      completed             0.2   -0\n"
		"  3      0            3                   0  none      completed        0.166667  inf\n");
	assert_says(text,
		" 11      2            3                 0.2  pbft      completed       0.0714286   11\n");
	assert_says(text, "\nOf 12 runs: 11 completed, 1 stalled.\n"
					  "Run 5: stalled: no quorum of live validators, \"really\" \xc3\xa9.\n");
	free(text);
	results_close(file);
}

/* Many runs and long values: the table stays within 120 columns and some 40 rows. */
static void a_long_table_is_cut(void **state)
{
	static const struct column columns[] = {
		{"run", COLUMN_INT, "", ""},
		{"seed", COLUMN_INT, "", ""},
		{"attacks.0.a_very_long_path_to_a_key", COLUMN_STRING, "", ""},
		{"attacks.1.a_very_long_path_to_a_key", COLUMN_STRING, "", ""},
		{"attacks.2.a_very_long_path_to_a_key", COLUMN_STRING, "", ""},
		{"verdict", COLUMN_STRING, "", ""},
		{"mae", COLUMN_REAL, "", ""},
		{"latency_mean_s", COLUMN_REAL, "", ""},
		{"messages_per_instance", COLUMN_REAL, "", ""},
	};
	static const struct table_schema schemas[TABLES_MAX] = {[TABLE_RUNS] = {9, columns}};
	const char *path = in_folder(state, "x.h5");
	struct results_error error;
	struct journal *journal = journal_open(path, &fixture_header, schemas, 100, false, &error);
	assert_non_null(journal);
	const char *name =
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 is a name that is much too long to be shown";
	for (uint64_t run = 0; run < 100; run++) {
		struct run_blocks blocks = {0};
		block_append(&blocks.tables[TABLE_RUNS], &schemas[TABLE_RUNS],
			(union cell[]){{.integer = (int64_t)run}, {.integer = 1}, {.string = name},
				{.string = name}, {.string = name}, {.string = "completed"}, {.real = 1},
				{.real = 2}, {.real = 3}});
		assert_true(journal_append(journal, run, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
	struct results_file *file = results_open(path, &error);
	assert_non_null(file);
	char *text = show(file);
	assert_says(text, "... and 60 more\n");
	assert_says(text, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 is a name that i...  ");
	assert_says(text, "verdict");
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		size_t width = 0;
		for (size_t i = 0; i < strcspn(line, "\n"); i++) {
			width += ((unsigned char)line[i] & 0xc0) != 0x80;
		}
		assert_true(width <= 120);
	}
	free(text);
	results_close(file);
}

/* Long maps that differ in one part: that part is seen, whatever is left out. */
static void what_differs_is_seen(void **state)
{
	static const struct column columns[] = {
		{"run", COLUMN_INT, "", ""},
		{"seed", COLUMN_INT, "", ""},
		{"protocol", COLUMN_STRING, "", ""},
		{"verdict", COLUMN_STRING, "", ""},
	};
	static const struct table_schema schemas[TABLES_MAX] = {[TABLE_RUNS] = {4, columns}};
	static const char *const protocols[] = {"{kind: pbft, batch: 64, window: 10, read_only: on}",
		"{kind: pbft, batch: 64, window: 10, read_only: off}",
		"{kind: pbft, batch: 64, window: 100, read_only: off}", "{kind: raft, reads: index}", "none"};
	const char *path = in_folder(state, "x.h5");
	struct results_error error;
	struct journal *journal = journal_open(path, &fixture_header, schemas, 5, false, &error);
	assert_non_null(journal);
	for (uint64_t run = 0; run < 5; run++) {
		struct run_blocks blocks = {0};
		block_append(&blocks.tables[TABLE_RUNS], &schemas[TABLE_RUNS],
			(union cell[]){{.integer = (int64_t)run}, {.integer = 1}, {.string = protocols[run]},
				{.string = "completed"}});
		assert_true(journal_append(journal, run, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
	struct results_file *file = results_open(path, &error);
	assert_non_null(file);
	char *text = show(file);
	assert_says(text,
		"  0  {kind: pbft, ..., window: 10, read_only: on}    completed\n"
		"  1  {kind: pbft, ..., window: 10, read_only: off}   completed\n"
		"  2  {kind: pbft, ..., window: 100, read_only: off}  completed\n"
		"  3  {kind: raft, reads: i...                        completed\n"
		"  4  none                                            completed\n");
	free(text);
	results_close(file);
}

static void a_table_is_printed_as_csv(void **state)
{
	struct results_file *file = write_and_open(state);
	char *text;
	size_t n_bytes;
	FILE *out = open_memstream(&text, &n_bytes);
	struct results_error error;
	assert_int_equal(results_show_csv(file, "runs", NULL, 0, out, &error), 0);
	assert_int_equal(results_show_csv(file, "decisions", NULL, 0, out, &error), 0);
	fclose(out);
	assert_says(text,
		"run,point,replication,seed,attacks.0.fraction,protocol,verdict,verdict_reason,"
		"latency_mean_s,mae,recovery_s\n"
		"0,0,0,-9223372036854775808,0,none,completed,,0.33333333333333331,0,NaN\n");
	assert_says(text, "\n5,1,1,-9223372036854775803,0.10000000000000001,pbft,stalled,"
					  "\"no quorum of live validators, \"\"really\"\" \xc3\xa9\",0.125,5,NaN\n");
	assert_says(
		text, "\nrun,item,value,kind\n0,0,0,\"close, at last\"\n0,1,0.14285714285714285,predict\n");
	free(text);
	assert_int_equal(results_show_csv(file, "series", NULL, 0, stdout, &error), -1);
	assert_says(error.text, "has no table series");
	results_close(file);
}

/* Conditions leave runs, and of other tables the rows of those. */
static void some_runs_are_shown(void **state)
{
	struct results_file *file = write_and_open(state);
	char *text;
	size_t n_bytes;
	FILE *out = open_memstream(&text, &n_bytes);
	struct results_error error;
	const char *const where[] = {"protocol=raft", "attacks.0.fraction=0.10", "protocol=pbft"};
	assert_int_equal(results_show_csv(file, "runs", where, 3, out, &error), 0);
	assert_int_equal(results_show_csv(file, "decisions", where, 3, out, &error), 0);
	assert_int_equal(results_show(file, where, 3, out, &error), 0);
	fclose(out);
	assert_says(text, "\n5,1,1,"); /* pbft, .1 */
	assert_null(strstr(text, "\n0,0,0,")); /* none, 0: neither its run nor its decisions */
	assert_null(strstr(text, "\n6,"));     /* none, .1 */
	assert_says(text, "\n5,0,");
	assert_says(text, "  5      1            1                 0.1  pbft");
	assert_says(text, "Of 3 runs:");
	free(text);
	static const char *const wrong[][2] = {{"protocl=raft", "no `protocl`; swept: attacks.0.fraction, protocol"},
		{"protocol", "KEY=VALUE"}, {"protocol=paxos", "no run has protocol=paxos"},
		{"run=", "no run has run="}};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(results_show_csv(file, "runs", &wrong[i][0], 1, stdout, &error), 1);
		assert_says(error.text, wrong[i][1]);
		assert_int_equal(results_show(file, &wrong[i][0], 1, stdout, &error), 1);
	}
	results_close(file);
}

/* --- What broke, and one transaction's life --- */

static const struct column run_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"seed", COLUMN_INT, "", ""},
	{"protocol", COLUMN_STRING, "", "swept"},
	{"verdict", COLUMN_STRING, "", ""},
};
static const struct column violation_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"time_s", COLUMN_REAL, "s", ""},
	{"invariant", COLUMN_STRING, "", ""},
	{"nodes", COLUMN_STRING, "", ""},
	{"instance", COLUMN_INT, "", ""},
	{"value_a", COLUMN_STRING, "", ""},
	{"value_b", COLUMN_STRING, "", ""},
	{"detail", COLUMN_STRING, "", ""},
};
static const struct column transaction_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"transaction", COLUMN_INT, "", ""},
	{"client", COLUMN_INT, "", ""},
	{"item", COLUMN_INT, "", ""},
	{"kind", COLUMN_STRING, "", ""},
	{"submitted_s", COLUMN_REAL, "s", ""},
	{"ordered_s", COLUMN_REAL, "s", ""},
	{"answered_s", COLUMN_REAL, "s", ""},
	{"instance", COLUMN_INT, "", ""},
	{"view", COLUMN_INT, "", ""},
	{"reject", COLUMN_STRING, "", ""},
};
static const struct column decision_columns[] = {
	{"run", COLUMN_INT, "", ""},
	{"item", COLUMN_INT, "", ""},
	{"instance", COLUMN_INT, "", ""},
	{"decided_s", COLUMN_REAL, "s", ""},
	{"truth", COLUMN_REAL, "kg", ""},
	{"value", COLUMN_REAL, "kg", ""},
	{"predictions", COLUMN_INT, "", ""},
};

#define N_VIOLATIONS 22

/* Two runs; the second one breaks. */
static struct results_file *write_story(void **state, bool with_decisions)
{
	struct table_schema schemas[TABLES_MAX] = {
		[TABLE_RUNS] = {4, run_columns},
		[TABLE_TRANSACTIONS] = {11, transaction_columns},
		[TABLE_VIOLATIONS] = {with_decisions ? 8 : 7, violation_columns},
	};
	if (with_decisions) {
		schemas[TABLE_DECISIONS] = (struct table_schema){7, decision_columns};
	}
	const char *path = in_folder(state, "story.h5");
	struct results_error error;
	struct journal *journal = journal_open(path, &fixture_header, schemas, 2, false, &error);
	assert_non_null(journal);
	static const union cell transactions[][11] = {
		{{.integer = 0}, {.integer = 0}, {.integer = 2}, {.integer = 5}, {.string = "request"},
			{.real = .5}, {.real = .54}, {.real = .55}, {.integer = 7}, {.integer = 3}, {.string = ""}},
		{{.integer = 1}, {.integer = 0}, {.integer = 1}, {.integer = 6}, {.string = "prediction"},
			{.real = 1}, {.real = 2.5}, {.real = 2.5}, {.integer = 8}, {.integer = 0},
			{.string = "duplicate"}},
		{{.integer = 1}, {.integer = 1}, {.integer = 1}, {.integer = 6}, {.string = "close"}, {.real = 1},
			{.real = __builtin_nan("")}, {.real = __builtin_nan("")}, {.integer = -1}, {.integer = -1},
			{.string = ""}},
	};
	static const char *const broken[] = {"agreement", "integrity", "election-safety", "new-promise"};
	for (int64_t run = 0; run < 2; run++) {
		struct run_blocks blocks = {0};
		block_append(&blocks.tables[TABLE_RUNS], &schemas[TABLE_RUNS],
			(union cell[]){{.integer = run}, {.integer = 70 + run}, {.string = run ? "raft" : "pbft"},
				{.string = run ? "unsafe" : "completed"}});
		for (size_t i = run ? 1 : 0; i < (run ? 3 : 1); i++) {
			block_append(&blocks.tables[TABLE_TRANSACTIONS], &schemas[TABLE_TRANSACTIONS], transactions[i]);
		}
		for (int64_t i = 0; run && i < N_VIOLATIONS; i++) {
			bool null = with_decisions && i == 4; /* a digest of nothing */
			block_append(&blocks.tables[TABLE_VIOLATIONS], &schemas[TABLE_VIOLATIONS],
				(union cell[]){{.integer = run}, {.real = 1.25 + (double)i},
					{.string = null ? "durability" : broken[i < 4 ? i : 3]}, {.string = i == 1 ? "2 2" : "1 3"},
					{.integer = 9 + i}, {.string = "000000000000000a"},
					{.string = null ? "0000000000000000" : "000000000000000b"},
					{.string = null ? "told of one, and another was committed there" : i == 1 ? "it says so" : i == 3 ? "broken" : ""}});
		}
		if (with_decisions) {
			block_append(&blocks.tables[TABLE_DECISIONS], &schemas[TABLE_DECISIONS],
				(union cell[]){{.integer = run}, {.integer = 6 - 1 + run}, {.integer = 7}, {.real = 3},
					{.real = 20}, {.real = run ? 20.5 : __builtin_nan("")}, {.integer = 3}});
		}
		assert_true(journal_append(journal, (uint64_t)run, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
	struct results_file *file = results_open(path, &error);
	assert_non_null(file);
	return file;
}

static void what_broke_is_told_in_sentences(void **state)
{
	struct results_file *file = write_story(state, false);
	char *text = show(file);
	assert_says(text,
		"\n22 violations (all: --table violations):\n"
		"In run 1 (protocol raft, seed 71) agreement is broken at 1.25 s at validators 1 and 3, instance 9: "
		"two honest validators hold different batches in one instance; the first holds digest "
		"000000000000000a, the second 000000000000000b.\n"
		"In run 1 (protocol raft, seed 71) integrity is broken at 2.25 s at validator 2, instance 10: an "
		"instance is executed twice; already executed up to instance 10, executed now: 11.\n"
		"In run 1 (protocol raft, seed 71) election-safety is broken at 3.25 s at validators 1 and 3, term 11: "
		"a term has two leaders; the first is validator 10, the second validator 11.\n"
		"new-promise: 19 violations in 1 run, at validators 1, 3; the first:\n"
		"In run 1 (protocol raft, seed 71) new-promise is broken at 4.25 s at validators 1 and 3, instance 12: "
		"000000000000000a against 000000000000000b.\n");
	assert_says(text, "story.h5 --scenario > again.yaml\n"
					  "  synod trace again.yaml --run 1 --from '0.2 s' --until '1.252 s'\n"
					  "and what broke in that run, a line each:\n"
					  "  synod trace again.yaml --run 1 --kind violated,verdict\n");
	free(text);
	results_close(file);
	/* A file may say what happened in its own words. */
	file = write_story(state, true);
	text = show(file);
	assert_says(text, "instance 10: it says so; already executed up to instance 10, executed now: 11.\n");
	assert_says(text, "told was digest 000000000000000a, committed is 0000000000000000 (the null batch, without "
					  "transactions).\n");
	assert_says(text, "instance 12: broken; 000000000000000a against 000000000000000b.\n");
	assert_says(text, "at validators 1 and 3, instance 9: two honest validators hold");
	free(text);
	results_close(file);
}

static char *life(struct results_file *file, int64_t run, int64_t transaction, int wanted,
	struct results_error *error)
{
	char *text;
	size_t n_bytes;
	FILE *out = open_memstream(&text, &n_bytes);
	assert_int_equal(results_show_transaction(file, run, transaction, out, error), wanted);
	fclose(out);
	return text;
}

static void a_transactions_life_is_told(void **state)
{
	struct results_error error;
	struct results_file *file = write_story(state, false);
	char *text = life(file, 0, 0, 0, &error);
	assert_string_equal(text,
		"Transaction 0 of run 0 (protocol pbft, seed 70), a request for item 5, was submitted by client 2 at "
		"0.5 s.\n"
		"It was ordered in instance 7 of view 3: the first honest validator executed it at 0.54 s, "
		"0.04 s after its submission.\n"
		"It counted.\n"
		"Its client had its answer at 0.55 s: a latency of 0.05 s.\n"
		"What became of item 5 is not recorded (record: [decisions] would).\n");
	free(text);
	text = life(file, 1, 1, 0, &error);
	assert_says(text, "a close for item 6, was submitted by the gateway of validator 1 at 1 s.\n"
					  "No honest validator has executed it by the run's end.\n"
					  "Its client never had an answer.\n");
	free(text);
	text = life(file, 1, 2, 1, &error);
	assert_string_equal(error.text, "run 1 has no transaction 2: it has 0 to 1");
	free(text);
	text = life(file, 2, 0, 1, &error);
	assert_says(error.text, "story.h5 holds no transactions of a run 2");
	free(text);
	results_close(file);

	file = write_story(state, true);
	text = life(file, 1, 0, 0, &error);
	assert_says(text, "It changed nothing: the application rejected it as duplicate.\n");
	assert_says(text, "Item 6 was settled at 3 s, in instance 7, with 3 predictions: decided 20.5, the truth is "
					  "20.\n");
	free(text);
	text = life(file, 0, 0, 0, &error);
	assert_says(text, "Item 5 was settled at 3 s, in instance 7, with 3 predictions: undecided.\n");
	free(text);
	results_close(file);

	file = write_and_open(state);
	text = life(file, 0, 0, 1, &error);
	assert_says(error.text, "has no table transactions: add `record: [transactions]` to the scenario");
	free(text);
	results_close(file);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(the_file_is_described),
		IN_FOLDER(runs_stand_in_columns),
		IN_FOLDER(a_long_table_is_cut),
		IN_FOLDER(what_differs_is_seen),
		IN_FOLDER(a_table_is_printed_as_csv),
		IN_FOLDER(some_runs_are_shown),
		IN_FOLDER(what_broke_is_told_in_sentences),
		IN_FOLDER(a_transactions_life_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
