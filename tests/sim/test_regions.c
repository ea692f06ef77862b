/* Delays between regions: those of the built-in matrices, as measured, and those of a file. */
#include "delays.h"

static double one_way_ms(const struct setup *setup, uint32_t from, uint32_t to, uint32_t n)
{
	struct random_key key = {{1, 2}};
	return (double)draw_one(setup, key, 0, from, to, n) / 1e6;
}

static void test_regions_of_aws(void **state)
{
	struct setup setup = regions_make("aws", 0, NULL);
	finish(&setup);
	const struct csv_table *aws = regions_of(&setup)->matrix;
	assert_int_equal(aws->n_rows, 8);
	assert_int_equal(regions_of(&setup)->place.n, 8);
	assert_string_equal(aws->row_names[7], "sae1");
	for (uint32_t i = 0; i < 8; i++) {
		for (uint32_t j = 0; j < 8; j++) {
			assert_true(aws->cells[8 * i + j] == aws->cells[8 * j + i]);
			assert_true(one_way_ms(&setup, i, j, 16) == aws->cells[8 * i + j] / 2);
			assert_true(one_way_ms(&setup, i, j + 8, 16) == aws->cells[8 * i + j] / 2);
		}
		assert_true(aws->cells[9 * i] == 1);
	}
	assert_true(one_way_ms(&setup, 0, 1, 8) == 32.5);  /* use1 usw2 */
	assert_true(one_way_ms(&setup, 2, 3, 8) == 13.5);  /* euw1 euc1 */
	assert_true(one_way_ms(&setup, 4, 5, 8) == 37);    /* apne1 apse1 */
	assert_true(one_way_ms(&setup, 6, 7, 8) == 157);   /* apse2 sae1 */
	/* The longest of the links that there are. */
	assert_int_equal(p999_ns(&setup, 8), 162 * SIM_MS);
	assert_int_equal(p999_ns(&setup, 3), SIM_MS * 119 / 2);
	assert_int_equal(p999_ns(&setup, 1), 0);
	assert_null(find_param(&setup, "matrix")->builtin("moon"));
	assert_non_null(find_param(&setup, "matrix")->builtin(find_param(&setup, "matrix")->fallback));
}

/* PBFT's two rounds over these delays: each replica waits for the third of the four to be heard. */
static void test_regions_of_bftsmart(void **state)
{
	struct setup setup = regions_make("aws-bftsmart", 0, NULL);
	finish(&setup);
	double at_ms[4];
	for (uint32_t r = 0; r < 4; r++) {
		at_ms[r] = one_way_ms(&setup, 0, r, 4);
	}
	static const double round_trips_ms[4][4] = {
		{0, 119.17, 176.39, 140.93}, {0, 0, 180.725, 257.685}, {0, 0, 0, 313.605}};
	for (uint32_t a = 0; a < 4; a++) {
		assert_true(one_way_ms(&setup, a, a, 4) == 0);
		for (uint32_t b = a + 1; b < 4; b++) {
			assert_near(one_way_ms(&setup, a, b, 4), round_trips_ms[a][b] / 2, 1e-9);
			assert_near(one_way_ms(&setup, b, a, 4), round_trips_ms[a][b] / 2, 1e-9);
		}
	}
	for (int round = 0; round < 2; round++) {
		double next_ms[4];
		for (uint32_t r = 0; r < 4; r++) {
			double heard_ms[4];
			for (uint32_t s = 0; s < 4; s++) {
				double x = at_ms[s] + one_way_ms(&setup, s, r, 4);
				uint32_t k = s;
				for (; k > 0 && heard_ms[k - 1] > x; k--) {
					heard_ms[k] = heard_ms[k - 1];
				}
				heard_ms[k] = x;
			}
			next_ms[r] = heard_ms[2];
		}
		memcpy(at_ms, next_ms, sizeof(at_ms));
	}
	assert_near(at_ms[0], 238.14, 0.005);
}

static void test_regions_places(void **state)
{
	const char *const places[3] = {"euc1", "sae1", "euc1"};
	struct setup setup = regions_make("aws", 3, places);
	finish(&setup);
	assert_true(one_way_ms(&setup, 0, 1, 5) == 102.5);
	assert_true(one_way_ms(&setup, 0, 2, 5) == 0.5); /* two validators in one region */
	assert_true(one_way_ms(&setup, 3, 4, 5) == 102.5); /* the list again */
	/* Clients 0 .. 5 are numbered 5 .. 10 and sit with validators 0 .. 4, 0. */
	assert_true(one_way_ms(&setup, 5, 0, 5) == 0.5);
	assert_true(one_way_ms(&setup, 6, 0, 5) == 102.5);
	assert_true(one_way_ms(&setup, 0, 9, 5) == 102.5);
	assert_true(one_way_ms(&setup, 1, 10, 5) == 102.5);
	assert_true(one_way_ms(&setup, 10, 5, 5) == 0.5);
	assert_true(one_way_ms(&setup, 11, 0, 5) == 102.5);
	assert_int_equal(p999_ns(&setup, 5), SIM_MS * 205 / 2);

	const char *const one[1] = {"sae1"};
	setup = regions_make("aws", 1, one);
	finish(&setup);
	assert_int_equal(p999_ns(&setup, 2), SIM_MS / 2);
	assert_int_equal(p999_ns(&setup, 1), 0);

	const char *const wrong[2] = {"use1", "usw9"};
	setup = regions_make("aws", 2, wrong);
	assert_refused(&setup, "place", "\"usw9\" is no region of the matrix, which has use1, usw2,");
	static const char *many[LATENCY_PLACES_MAX + 1];
	for (int i = 0; i <= LATENCY_PLACES_MAX; i++) {
		many[i] = "use1";
	}
	setup = regions_make("aws", LATENCY_PLACES_MAX + 1, many);
	assert_refused(&setup, "place", "at most 4096");
}

static void test_regions_jitter(void **state)
{
	struct setup setup = regions_make("aws-bftsmart", 0, NULL), jitter;
	regions_jitter(&setup, &jitter);
	finish(&setup);
	struct random_key key = random_key_make(13, RANDOM_LATENCY, 0);
	double sum_ms = 0;
	enum { N = 10000 };
	for (uint64_t i = 0; i < N; i++) {
		sim_time delay_ns = draw_one(&setup, key, i, 0, 1, 4);
		assert_in_range(delay_ns, 59585000, 63585000);
		sum_ms += (double)delay_ns / 1e6;
	}
	assert_near(sum_ms / N, 61.585, SIGMAS * 4 / sqrt(12.0 * N));
	assert_int_equal(p999_ns(&setup, 4), 156802500 + 3996000);

	const struct param *param = find_param(&setup, "jitter");
	regions_of(&setup)->jitter.plugin = find(param->registry, param->fallback);
	assert_true(one_way_ms(&setup, 0, 1, 4) == 59.585);
	assert_int_equal(p999_ns(&setup, 4), 156802500);
	for (size_t i = 0; param->registry->plugins[i]; i++) {
		assert_string_not_equal(param->registry->plugins[i]->name, "regions");
	}
}

static void test_regions_of_a_file_are_checked(void **state)
{
	const char *const names[2] = {"here", "there"}, *const turned[2] = {"there", "here"};
	double cells[6] = {0, 2, 3, 0, 1, 1};
	struct csv_table matrix = {
		.n_rows = 2, .n_columns = 2, .column_names = names, .row_names = names, .cells = cells};
	struct setup setup = regions_make("aws", 0, NULL);
	regions_of(&setup)->matrix = &matrix;
	finish(&setup);
	assert_true(one_way_ms(&setup, 0, 1, 2) == 1);
	assert_true(one_way_ms(&setup, 1, 0, 2) == 1.5); /* a row is the sender's */
	matrix.row_names = turned;
	assert_refused(&setup, "matrix", "same regions in the same order");
	matrix.row_names = names;
	cells[1] = -2;
	assert_refused(&setup, "matrix", "got -2 from \"here\" to \"there\"");
	cells[1] = real_nan();
	assert_refused(&setup, "matrix", "got nan");
	matrix.n_rows = 3;
	assert_refused(&setup, "matrix", "3 rows and 2 columns");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions_of_aws),
		cmocka_unit_test(test_regions_of_bftsmart),
		cmocka_unit_test(test_regions_places),
		cmocka_unit_test(test_regions_jitter),
		cmocka_unit_test(test_regions_of_a_file_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
