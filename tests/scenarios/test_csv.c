#include "csv.h"
#include "sim/columns.h"
#include "fakes.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static char folder[] = "/tmp/synod-csv-XXXXXX";

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static const char *write_file(const char *name, const char *text)
{
	static char path[200];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static const struct csv_table *read_text(
	struct arena *arena, const char *text, bool matrix, char error[256])
{
	const char *path = write_file("a.csv", text);
	error[0] = '\0';
	const struct csv_table *table = csv_read(arena, path, matrix, error);
	unlink(path);
	return table;
}

static void test_table(void **state)
{
	struct arena arena = {0};
	char error[256];
	const struct csv_table *table = read_text(&arena,
		"\xef\xbb\xbflength,\"the \"\"width\"\", cm\"\r\n# a comment\r\n1, 2.5\r\n\r\n-3e2,.5\r\n",
		false, error);
	assert_string_equal(error, "");
	assert_non_null(table);
	assert_int_equal(table->n_rows, 2);
	assert_int_equal(table->n_columns, 2);
	assert_string_equal(table->column_names[0], "length");
	assert_string_equal(table->column_names[1], "the \"width\", cm");
	assert_true(table->cells[0] == 1 && table->cells[1] == 2.5);
	assert_true(table->cells[2] == -300 && table->cells[3] == 0.5);
	assert_null(table->row_names);
	arena_finish(&arena);
}

static void test_matrix(void **state)
{
	struct arena arena = {0};
	char error[256];
	const struct csv_table *table =
		read_text(&arena, "from,paris,tokyo\nparis,1,230\ntokyo,231,2", true, error);
	assert_non_null(table);
	assert_int_equal(table->n_rows, 2);
	assert_string_equal(table->row_names[1], "tokyo");
	assert_true(table->cells[1] == 230 && table->cells[2] == 231);
	arena_finish(&arena);
}

static void expect_error_in(const char *text, bool matrix, const char *expected)
{
	struct arena arena = {0};
	char error[256];
	assert_null(read_text(&arena, text, matrix, error));
	assert_string_equal(error, expected);
	arena_finish(&arena);
}

/* What is no number makes its column unreadable, which is no matter where nobody reads it. */
static void test_columns_of_text(void **state)
{
	static const char *const cells[] = {"x", "nan", "", "0x1p3"};
	for (size_t i = 0; i < 4; i++) {
		struct arena arena = {0};
		char error[256], text[100], expected[100];
		snprintf(text, sizeof(text), "a,b_ms\n1,2\n3,%s\n4,y\n", cells[i]);
		const struct csv_table *table = read_text(&arena, text, false, error);
		assert_non_null(table);
		assert_true(column_numbers_check(table, 0, "ms", error));
		assert_false(column_numbers_check(table, 1, "ms", error));
		snprintf(expected, sizeof(expected),
			"has a mistake in line 3: column `b_ms`: `%s` is not a number", cells[i]);
		assert_string_equal(error, expected);
		assert_true(isnan(table->cells[3]) && table->cells[2] == 3);
		arena_finish(&arena);
	}
}

/* A unit in a name counts; a name without one is taken at the reader's word. */
static void test_units_in_names(void **state)
{
	static const struct {
		const char *name, *unit;
		bool good;
	} names[] = {{"delay", "ms", true}, {"delay_ms", "ms", true}, {"one-way (ms)", "ms", true},
		{"ms", "ms", true}, {"s", "ms", false}, {"delay_s", "ms", false}, {"Delay [S]", "ms", false},
		{"delay_us_p50", "ms", false}, {"delay \xc2\xb5s", "ms", false}, {"samples", "ms", true},
		{"seconds", "ms", false}, {"msec", "ms", true}, {"m_delay", "ms", true}, {"a s b", "ms", false},
		{"length_mm", "cm", false}, {"g", "kg", false}, {"weight (KG)", "kg", true}};
	char error[256];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (column_unit_check(names[i].name, names[i].unit, error) != names[i].good) {
			fail_msg("%s", names[i].name);
		}
	}
	assert_false(column_unit_check("rtt_s", "ms", error));
	assert_string_equal(error, "says by its column `rtt_s` that it is in s, and ms is expected");
	struct arena arena = {0};
	const struct csv_table *table = read_text(&arena,
		"id,length_mm,width,width (cm),weight (kg),remark\nA7,1,2,3,4,fragile\n", false, error);
	size_t column;
	assert_false(column_find(table, "length", "cm", &column, error));
	assert_string_equal(error, "says by its column `length_mm` that it is in mm, and cm is expected");
	assert_false(column_find(table, "width", "cm", &column, error));
	assert_string_equal(error, "has both `width` and `width (cm)`: which is the width?");
	assert_true(column_find(table, "weight", "kg", &column, error) && column == 4);
	assert_false(column_find(table, "height", "cm", &column, error));
	assert_string_equal(error, "has no column `height` (cm)");
	arena_finish(&arena);
}

static void test_errors(void **state)
{
	expect_error_in("", false, "line 0: there is no header row");
	expect_error_in("a,b\n", false, "line 1: there are no rows under the header");
	expect_error_in("a,b\n1,2\n3\n", false, "line 3: 1 fields where the header has 2");
	expect_error_in("b,a,c,a\n1,2,3,4\n", false,
		"line 1: two columns are called `a`: each needs a name of its own");
	expect_error_in("x,a,b\na,1,nan\nb,1,2\n", true, "line 2: column `b`: `nan` is not a number");
	expect_error_in("at,paris,oslo,paris\nparis,0,1,2\noslo,1,0,2\nparis,1,2,0\n", true,
		"line 1: two regions are called `paris`: each needs a name of its own");
	expect_error_in(
		"1,2\n3,4\n", false, "line 1: `1` names no column: the first row is the header");
	expect_error_in("x,a,b\na,1,2\nc,1,2\n", true,
		"line 3: row `c` should be `b`: rows come in the header's order");
	expect_error_in("x,a,b\na,1,2\n", true, "line 2: 1 rows for 2 columns: it should be square");
}

/* Files are named relative to the scenario, and mistakes in them stand at the name. */
static void test_in_scenario(void **state)
{
	char csv[200], yaml[200], printed[1000] = "", expected[1000];
	snprintf(csv, sizeof(csv), "%s", write_file("data.csv", "length\n1\n2,3\n"));
	snprintf(yaml, sizeof(yaml), "%s",
		write_file("s.yaml", "validators: 4\nprotocol: pbft\n"
							 "workload: {kind: dimweight, data: data.csv}\n"
							 "network: {latency: {kind: regions, matrix: awss}}\n"));
	struct diagnostics *diagnostics = diagnostics_create();
	assert_null(scenario_read(yaml, NULL, 0, diagnostics));
	FILE *out = fmemopen(printed, sizeof(printed), "w");
	diagnostics_print(diagnostics, out);
	fclose(out);
	diagnostics_destroy(diagnostics);
	snprintf(expected, sizeof(expected),
		"%s:3:35: error: workload.data: `data.csv` has a mistake in line 3: 2 fields "
		"where the header has 1\n"
		"    3 | workload: {kind: dimweight, data: data.csv}\n"
		"      |                                   ^\n"
		"%s:4:44: error: network.latency.matrix: `awss` is not a built-in matrix, and as a file it "
		"can't be read: No such file or directory\n"
		"    4 | network: {latency: {kind: regions, matrix: awss}}\n"
		"      |                                            ^\n",
		yaml, yaml);
	assert_string_equal(printed, expected);

	write_file("data.csv", "length\n1\n2\n");
	write_file("s.yaml",
		"validators: 4\nprotocol: pbft\n"
		"workload: {kind: dimweight, data: data.csv}\nsweep: {validators: [4, 7]}\n");
	diagnostics = diagnostics_create();
	struct scenario_file *file = scenario_read(yaml, NULL, 0, diagnostics);
	assert_non_null(file);
	const struct fake_dimweight *settings = scenario_point(file, 1)->workload.settings;
	assert_int_equal(settings->data->n_rows, 2);
	char *text = print_point(file, 1);
	assert_non_null(
		strstr(text, "  data: data.csv\n")); /* as it was named, not where it was found */
	free(text);
	scenario_close(file);
	diagnostics_destroy(diagnostics);
	unlink(csv);
	unlink(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_columns_of_text),
		cmocka_unit_test(test_units_in_names),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_in_scenario),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
