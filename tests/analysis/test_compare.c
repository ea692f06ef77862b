#include "sweep_file.h"

#include "analysis/compare.h"

#include <stdlib.h>
#include <string.h>

/* What is printed for a made-up sweep; the caller frees it. */
static char *printed(const char *path, struct compare_request request, int wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct results_error error = {{0}};
	request.path = path;
	int status = compare_print(&request, out, &error);
	fclose(out);
	if (status != wanted) {
		print_error("status %d: %s\n", status, error.text);
	}
	assert_int_equal(status, wanted);
	if (status != 0) {
		free(text);
		text = strdup(error.text);
	}
	return text;
}

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL) {
		print_error("there is no `%s` in\n%s\n", part, text);
		fail();
	}
}

static void test_tables(void **state)
{
	const char *path = in_folder(state, "r.h5");
	sweep_write(path, &(struct sweep){0});
	char *text = printed(path, (struct compare_request){.kpi = "latency_mean_s", .by = "protocol"}, 0);
	has(text, "latency_mean_s (s) by protocol");
	has(text, "raft - none");
	has(text, "pbft - none");
	has(text, "pbft - raft");
	free(text);
	text = printed(path,
		(struct compare_request){.kpi = "latency_mean_s", .by = "protocol", .against = "raft"}, 0);
	has(text, "none - raft");
	has(text, "pbft - raft");
	assert_null(strstr(text, "pbft - none"));
	free(text);
}

static void test_csv(void **state)
{
	const char *path = in_folder(state, "r.h5");
	sweep_write(path, &(struct sweep){.n_replications = 5});
	char *text =
		printed(path, (struct compare_request){.kpi = "latency_mean_s", .by = "protocol", .csv = true}, 0);
	/* The first comparison is raft against none; its mean difference is that of the made-up values. */
	double difference = 0;
	for (unsigned i = 0; i < 5; i++) {
		difference += (sweep_latency_s(1, i) - sweep_latency_s(0, i)) / 5;
	}
	const char *line = strstr(text, "\"none\",\"raft\",5,");
	assert_non_null(line);
	assert_near(strtod(line + strlen("\"none\",\"raft\",5,"), NULL), difference, 1e-12);
	free(text);
}

static void test_refusals(void **state)
{
	const char *path = in_folder(state, "r.h5");
	sweep_write(path, &(struct sweep){0});
	char *text = printed(path, (struct compare_request){.kpi = "latency_mean", .by = "protocol"}, 2);
	has(text, "did you mean `latency_mean_s`");
	free(text);
	text = printed(path, (struct compare_request){.kpi = "latency_mean_s", .by = "protocl"}, 2);
	has(text, "did you mean `protocol`");
	free(text);
	text = printed(path, (struct compare_request){.kpi = "latency_mean_s", .by = "protocol", .against = "paxos"}, 2);
	has(text, "unknown value `paxos`");
	free(text);
	text = printed(in_folder(state, "none.h5"), (struct compare_request){.kpi = "mae"}, 3);
	has(text, "none.h5");
	free(text);
}

static void test_undefined(void **state)
{
	const char *path = in_folder(state, "r.h5");
	sweep_write(path, &(struct sweep){.undefined = true});
	char *text = printed(path, (struct compare_request){.kpi = "latency_mean_s", .by = "protocol"}, 0);
	has(text, "pairs undefined");
	has(text, "no replication in which latency_mean_s is defined in both.");
	assert_null(strstr(text, "equal digit by digit")); /* nothing was once taken for equal to nothing */
	free(text);
}

/* A result of two swept keys and two KPIs; a row is (a, b, replication, mae, corruption_rate). */
struct row {
	const char *a, *b;
	int64_t replication;
	double mae, corruption;
};

/* `real`: a is a number. */
static void write_keys(const char *path, const char *scenario, bool real, const struct row *rows, size_t n)
{
	const struct column columns[] = {
		{"run", COLUMN_INT, "", ""},
		{"point", COLUMN_INT, "", ""},
		{"replication", COLUMN_INT, "", ""},
		{"seed", COLUMN_INT, "", ""},
		{"a", real ? COLUMN_REAL : COLUMN_STRING, "", ""},
		{"b", COLUMN_STRING, "", ""},
		{"verdict", COLUMN_STRING, "", ""},
		{"verdict_reason", COLUMN_STRING, "", ""},
		{"decided", COLUMN_INT, "", "", "items decided", SORT_COUNT, NULL, true},
		{"mae", COLUMN_REAL, "kg", "", "mean absolute error", SORT_VALUE},
		{"corruption_rate", COLUMN_REAL, "share", "", "corrupted decisions", SORT_SHARE, "decided"},
	};
	struct table_schema schemas[TABLES_MAX] = {0};
	schemas[TABLE_RUNS] = (struct table_schema){sizeof(columns) / sizeof(*columns), columns};
	const struct results_header header = {
		.scenario = scenario, .synod_version = "0", .source = "test", .seed = 1};
	struct results_error error = {0};
	struct journal *journal = journal_open(path, &header, schemas, n, false, &error);
	assert_non_null(journal);
	for (size_t i = 0; i < n; i++) {
		struct run_blocks blocks = {0};
		union cell a = {.string = rows[i].a};
		if (real) {
			a.real = strtod(rows[i].a, NULL);
		}
		block_append(&blocks.tables[TABLE_RUNS], &schemas[TABLE_RUNS],
			(union cell[]){{.integer = (int64_t)i}, {.integer = (int64_t)i},
				{.integer = rows[i].replication}, {.integer = 1}, a,
				{.string = rows[i].b}, {.string = "completed"}, {.string = ""}, {.integer = 400},
				{.real = rows[i].mae}, {.real = rows[i].corruption}});
		assert_true(journal_append(journal, i, &blocks, &error));
		run_blocks_finish(&blocks);
	}
	assert_true(journal_complete(journal, &error));
}

static void write_rows(const char *path, const char *scenario, const struct row *rows, size_t n)
{
	write_keys(path, scenario, false, rows, n);
}

static const struct row side_by_side[] = {
	{"x", "1", 0, 5, 0}, {"x", "1", 1, 7, 0}, {"y", "1", 0, 1, 0}, {"y", "1", 1, 2, 0},
	{"y", "2", 0, 3, .1}, {"y", "2", 1, 5, .2},
};

/* a: [x, y, y], b: [1, 1, 2] side by side: three arms, of which y occurs in two. */
static void test_zip(void **state)
{
	const char *path = in_folder(state, "z.h5");
	const char *const scenarios[] = {"zip:\n  a: [x, y, y]\n  b: [1, 1, 2]\nprotocol: pbft\n",
		"zip: {\"a\": [x, y, y], b: [1, 1, 2]}\nprotocol: {zip: no}\n"};
	for (size_t i = 0; i < 2; i++) {
		write_rows(path, scenarios[i], side_by_side, 6);
		char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "b", .csv = true}, 0);
		has(text, "\"\",\"x, 1\",\"y, 1\",2,-4.5");
		has(text, "\"\",\"x, 1\",\"y, 2\",2,-2,");
		has(text, "\"\",\"y, 1\",\"y, 2\",2,2.5");
		free(text);
		/* The one value that is x's alone names its arm; y is in two. */
		text = printed(path, (struct compare_request){.kpi = "mae", .by = "a", .against = "x"}, 0);
		has(text, "y, 2 - x, 1");
		assert_null(strstr(text, "y, 2 - y, 1"));
		free(text);
		text = printed(path, (struct compare_request){.kpi = "mae", .by = "a", .against = "y"}, 2);
		has(text, "unknown value `y`");
		free(text);
		assert_int_equal(remove(path), 0);
	}
	/* As a cross product, one part has the key's one value alone. */
	write_rows(path, "sweep: {a: [x, y], b: [1, 2]}\n", side_by_side, 6);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "b", .csv = true}, 0);
	assert_null(strstr(text, "x, 1"));
	has(text, "\"a = y\",\"1\",\"2\",2,2.5");
	free(text);
}

static void test_where(void **state)
{
	const char *path = in_folder(state, "w.h5");
	write_rows(path, "", side_by_side, 6);
	struct compare_request request = {.kpi = "mae", .by = "b", .csv = true, .n_where = 1};
	request.where = (const char *const[]){"a=y"};
	char *text = printed(path, request, 0);
	has(text, "\"\",\"1\",\"2\",2,2.5");
	free(text);
	/* Of one key any, of several all; other columns serve as well. */
	request.where = (const char *const[]){"a=y", "a=x", "replication=1"};
	request.n_where = 3;
	text = printed(path, request, 0);
	has(text, "\"a = y\",\"1\",\"2\",1,3");
	free(text);
	const char *const wrong[][2] = {{"aa=y", "no `aa`"}, {"y", "KEY=VALUE"}, {"a=z", "no run has a=z"},
		{"verdct=completed", "swept: a, b"}};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		request.where = &wrong[i][0];
		request.n_where = 1;
		text = printed(path, request, 2);
		has(text, wrong[i][1]);
		free(text);
	}
}

/* Key a changes nothing: its comparisons of b are one finding, and those of its own values no test. */
static void test_family(void **state)
{
	const char *path = in_folder(state, "f.h5");
	struct row rows[2 * 3 * 6];
	size_t n = 0;
	for (int a = 0; a < 2; a++) {
		for (int b = 0; b < 3; b++) {
			for (int64_t r = 0; r < 6; r++) {
				static const char *const as[] = {"x", "y"}, *const bs[] = {"1", "2", "3"};
				rows[n++] = (struct row){as[a], bs[b], r, (double)(r * r + b * (r + 1)), 0};
			}
		}
	}
	write_rows(path, "", rows, n);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "b"}, 0);
	has(text, "for 3 comparisons");
	has(text, "3 more repeat one of these digit by digit");
	has(text, "a = y\n  the same, digit by digit, as a = x\n");
	free(text);
	/* Six pairs, all of one sign: p = 2 / 2^6; of three that Holm counts, 3 times that. */
	text = printed(path, (struct compare_request){.kpi = "mae", .by = "b", .csv = true}, 0);
	unsigned n_adjusted = 0;
	for (const char *at = text; (at = strstr(at, ",0.03125,0.09375,")) != NULL; at++) {
		n_adjusted++;
	}
	assert_int_equal(n_adjusted, 6);
	free(text);
	text = printed(path, (struct compare_request){.kpi = "mae", .by = "a"}, 0);
	has(text, "for 0 comparisons");
	has(text, "3 compare two arms that are equal digit by digit");
	free(text);
}

/* A replication counts once, however often a setting stands in the file. */
static void test_twice(void **state)
{
	const char *path = in_folder(state, "t.h5");
	const struct row rows[] = {{"x", "1", 0, 1, 0}, {"x", "1", 1, 2, 0}, {"x", "1", 0, 1, 0},
		{"x", "1", 1, 2, 0}, {"y", "1", 0, 3, 0}, {"y", "1", 1, 5, 0}};
	write_rows(path, "", rows, 6);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "a"}, 0);
	has(text, "y - x                   2");
	has(text, "2 rows were left out");
	free(text);
}

/* Settings that agree in ten digits are two all the same. */
static void test_near_levels(void **state)
{
	const char *path = in_folder(state, "n.h5");
	const struct row rows[] = {{".1", "1", 0, 1, 0}, {".100000000000001", "1", 0, 3, 0}};
	write_keys(path, "", true, rows, 2);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "a", .csv = true}, 0);
	has(text, "\"\",\"0.1\",\"0.100000000000001\",1,2,");
	free(text);
}

static void test_worst(void **state)
{
	const char *path = in_folder(state, "w.h5");
	write_rows(path, "", side_by_side, 6);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .worst_over = "a"}, 0);
	/* b = 1: x with 5 and 7, t(1 - .05 / 4; 1) = 25.4517: 6 +- 25.4517. b = 2: y alone. */
	has(text, "the worst (highest) mean over a");
	has(text, "b = 1    x          2     2           6     -19.452      31.452");
	has(text, "b = 2    y          1     2           4     -8.7062      16.706");
	free(text);
	text = printed(path, (struct compare_request){.kpi = "decided", .worst_over = "a"}, 0);
	has(text, "the worst (lowest) mean over a");
	free(text);
	/* Of 800 items none: the bound, at 1 - .05 / 2. */
	text = printed(path, (struct compare_request){.kpi = "corruption_rate", .worst_over = "a"}, 0);
	has(text, "b = 1    (any)      2     2           0           0   0.0046005");
	has(text, "(any): the mean is the same at all of them."); /* the first was once called the worst */
	free(text);
}

/* All with all up to a hundred values; with one of them, or the worst, any number. */
static void test_many_levels(void **state)
{
	const char *path = in_folder(state, "m.h5");
	enum { N = 20000 };
	struct row *rows = calloc(N, sizeof(*rows));
	char (*names)[12] = calloc(N, sizeof(*names));
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i * 7919 % N);
		rows[i] = (struct row){names[i], "1", 0, i, 0};
	}
	write_rows(path, "", rows, N);
	char *text = printed(path, (struct compare_request){.kpi = "mae", .by = "a"}, 2);
	has(text, "20000 values");
	has(text, "--against VALUE");
	free(text);
	text = printed(path, (struct compare_request){.kpi = "mae", .by = "a", .against = "7", .csv = true}, 0);
	has(text, "\"7\",\"19999\",1,");
	free(text);
	text = printed(path, (struct compare_request){.kpi = "mae", .worst_over = "a"}, 0);
	has(text, "20000");
	free(text);
	free(names);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tables, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_csv, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_zip, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_where, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_family, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_twice, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_near_levels, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_worst, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_many_levels, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_undefined, folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
