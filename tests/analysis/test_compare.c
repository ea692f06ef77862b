#include "sweep.h"

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
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tables, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_csv, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(test_undefined, folder_setup, folder_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
