#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two files of two runs each; the test changes what the second one is made of. */
static const struct column columns[] = {
	{"run", COLUMN_INT, "", "number of the run"},
	{"item", COLUMN_INT, "", "number of the item"},
	{"real", COLUMN_REAL, "s", "a real"},
	{"text", COLUMN_STRING, "", "a text"},
};
#define N_COLUMNS 4

struct content {
	struct results_header header;
	struct column columns[N_COLUMNS];
	enum table_id table;
	const char *brought; /* the table's name, where an application has brought it */
	union cell rows[2][N_COLUMNS];
	uint64_t n_runs;
};

static struct content original(void)
{
	struct content content = {
		.header = fixture_header,
		.table = TABLE_DECISIONS,
		.rows = {{{.integer = 0}, {.integer = 17}, {.real = 0.1}, {.string = "a"}},
			{{.integer = 1}, {.integer = 18}, {.real = 0}, {.string = "b"}}},
		.n_runs = 2,
	};
	memcpy(content.columns, columns, sizeof(columns));
	return content;
}

static void write_content(const char *path, const struct content *content)
{
	struct table_schema schemas[TABLES_MAX] = {0};
	schemas[content->table] = (struct table_schema){N_COLUMNS, content->columns, content->brought};
	struct results_error error;
	struct journal *journal =
		journal_open(path, &content->header, schemas, content->n_runs, false, &error);
	assert_non_null(journal);
	for (uint64_t run = 0; run < content->n_runs; run++) {
		struct run_blocks blocks = {0};
		block_append(&blocks.tables[content->table], &schemas[content->table], content->rows[run]);
		assert_true(journal_append(journal, run, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
}

/* What diff says of the original and `changed`, the paths cut out of it. */
static void assert_difference(void **state, const struct content *changed, const char *expected)
{
	const char *a = in_folder(state, "a.h5"), *b = in_folder(state, "b.h5");
	struct content content = original();
	write_content(a, &content);
	write_content(b, changed);
	char *said;
	size_t n_bytes;
	FILE *out = open_memstream(&said, &n_bytes);
	struct results_error error;
	int result = results_diff(a, b, out, &error);
	fclose(out);
	char *text = calloc(n_bytes + 1, 1), *to = text;
	for (const char *from = said; *from;) {
		if (strncmp(from, a, strlen(a)) == 0 || strncmp(from, b, strlen(b)) == 0) {
			*to++ = strncmp(from, a, strlen(a)) == 0 ? 'A' : 'B';
			from += strlen(a);
		} else {
			*to++ = *from++;
		}
	}
	assert_string_equal(text, expected);
	assert_int_equal(result, expected[0] != '\0');
	free(text);
	free(said);
}

static void equal_files_say_nothing(void **state)
{
	struct content content = original();
	assert_difference(state, &content, "");
	content.rows[1][2].real = (double)NAN;
	const char *a = in_folder(state, "nan-a.h5"), *b = in_folder(state, "nan-b.h5");
	write_content(a, &content);
	content.rows[1][2].real = -(double)NAN;
	write_content(b, &content);
	struct results_error error;
	assert_int_equal(results_diff(a, b, stdout, &error), 0);
}

static void one_bit_of_a_real_is_found(void **state)
{
	struct content content = original();
	content.rows[0][2].real = nextafter(0.1, 1);
	assert_difference(state, &content,
		"decisions, run 0, item 17, row 0, real: 0.10000000000000001 in A, 0.10000000000000002 in "
		"B\n");
}

static void the_sign_of_zero_is_found(void **state)
{
	struct content content = original();
	content.rows[1][2].real = -0.0;
	assert_difference(state, &content, "decisions, run 1, item 18, row 1, real: 0 in A, -0 in B\n");
}

static void undefined_is_not_zero(void **state)
{
	struct content content = original();
	content.rows[1][2].real = -(double)NAN;
	assert_difference(
		state, &content, "decisions, run 1, item 18, row 1, real: 0 in A, NaN in B\n");
}

static void one_bit_of_an_integer_is_found(void **state)
{
	struct content content = original();
	content.rows[1][1].integer ^= INT64_C(1) << 60;
	assert_difference(state, &content,
		"decisions, run 1, item 18, row 1, item: 18 in A, 1152921504606846994 in B\n");
}

static void one_bit_of_a_string_is_found(void **state)
{
	struct content content = original();
	content.rows[1][3].string = "c";
	assert_difference(
		state, &content, "decisions, run 1, item 18, row 1, text: \"b\" in A, \"c\" in B\n");
}

static void missing_rows_are_counted(void **state)
{
	struct content content = original();
	content.n_runs = 1;
	assert_difference(state, &content, "decisions: 2 rows in A, 1 in B\n");
}

static void headers_are_compared(void **state)
{
	struct content content = original();
	content.header.source = "v0.1-4-g000000";
	assert_difference(state, &content,
		"source: \"v0.1-3-gabcdef\" in A, \"v0.1-4-g000000\" in B\n"
		"All else is equal, every table row for row.\n");
	content = original();
	content.header.synod_version = "0.2.0";
	assert_difference(state, &content,
		"synod_version: \"0.1.0\" in A, \"0.2.0\" in B\n"
		"All else is equal, every table row for row.\n");
	content = original();
	content.header.seed = 8;
	content.rows[0][0].integer = 5;
	assert_difference(state, &content,
		"seed: 18364758544493064720 in A, 8 in B\n"
		"decisions, run 0, item 17, row 0, run: 0 in A, 5 in B\n");
	content = original();
	content.header.scenario = "# a scenario\ntitle: 'Largo'\nseed: 7\nvalidators: 4\n";
	assert_difference(state, &content,
		"scenario, line 2: \"title: 'Largo al factotum'\" in A, \"title: 'Largo'\" in B\n"
		"All else is equal, every table row for row.\n");
}

static void schemas_are_compared(void **state)
{
	struct content content = original();
	content.columns[2].unit = "ms";
	assert_difference(
		state, &content, "decisions, column real, its unit: \"s\" in A, \"ms\" in B\n");
	content = original();
	content.columns[2].help = "another";
	assert_difference(
		state, &content, "decisions, column real, its help: \"a real\" in A, \"another\" in B\n");
	content = original();
	content.columns[2].name = "other";
	assert_difference(state, &content, "decisions, column 2: real in A, other in B\n");
	content = original();
	content.columns[2].type = COLUMN_INT;
	assert_difference(
		state, &content, "decisions, column real, its type: \"real\" in A, \"integer\" in B\n");
	content = original();
	content.table = TABLE_SERIES;
	assert_difference(state, &content, "decisions: only A has this table\n");
}

/* By name: which number such a table has is each file's own. */
static void brought_tables_are_compared(void **state)
{
	const char *a = in_folder(state, "a.h5"), *b = in_folder(state, "b.h5");
	struct results_error error = {0};
	struct content content = original();
	content.table = TABLE_N;
	content.brought = "accounts";
	write_content(a, &content);
	content.table = TABLES_MAX - 1;
	write_content(b, &content);
	assert_int_equal(results_diff(a, b, stdout, &error), 0);
	struct results_file *file = results_open(b, &error);
	assert_non_null(file);
	enum table_id table = results_find_table(file, "accounts");
	assert_int_equal(table, TABLE_N);
	assert_int_equal(results_n_rows(file, table), 2);
	assert_int_equal(results_find_table(file, "bets"), TABLE_NONE);
	results_close(file);
	content.rows[1][1].integer = 3;
	write_content(b, &content);
	assert_int_equal(results_diff(a, b, stdout, &error), 1);

	struct content changed = original();
	assert_difference(state, &changed, "");
	changed.table = TABLE_N;
	changed.brought = "events";
	assert_difference(state, &changed, "decisions: only A has this table\n");
	write_content(a, &content);
	write_content(b, &changed);
	assert_int_equal(results_diff(a, b, stdout, &error), 1);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	const char *a = in_folder(state, "a.h5");
	must_write(a);
	struct results_error error;
	assert_int_equal(results_diff(a, in_folder(state, "b.h5"), stdout, &error), -1);
	assert_non_null(strstr(error.text, "b.h5: No such file"));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(equal_files_say_nothing),
		IN_FOLDER(one_bit_of_a_real_is_found),
		IN_FOLDER(the_sign_of_zero_is_found),
		IN_FOLDER(undefined_is_not_zero),
		IN_FOLDER(one_bit_of_an_integer_is_found),
		IN_FOLDER(one_bit_of_a_string_is_found),
		IN_FOLDER(missing_rows_are_counted),
		IN_FOLDER(headers_are_compared),
		IN_FOLDER(schemas_are_compared),
		IN_FOLDER(brought_tables_are_compared),
		IN_FOLDER(what_cannot_be_read_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
