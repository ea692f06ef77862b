/* Scorers and aggregators. */
#include "settings.h"

/* Honest .61 .58 .64 .60 .585 .63 .62, Byzantine 1, 1, 0; the values expected of the rules are the
 * closed forms for these ten. */
static const double ten[10] = {.61, .58, .64, .60, .585, .63, .62, 1, 1, 0};

static double aggregate(const char *name, const double *values, uint32_t n, uint32_t n_faulty)
{
	const struct aggregator *aggregator = (const void *)plugin_named(&aggregator_registry, name);
	struct aggregator_common settings = {.n_faulty = n_faulty};
	double scores[16], scratch[32];
	assert(n <= 16);
	for (uint32_t i = 0; i < n; i++) {
		scores[i] = 1;
	}
	return aggregator->aggregate(&settings, values, scores, n, n_faulty, scratch);
}

static void score_mad(const double *values, uint32_t n, double *scores)
{
	const struct scorer *scorer = (const void *)plugin_named(&scorer_registry, "mad");
	struct scorer_common settings = {.3};
	double scratch[SCORER_SCRATCH(16)];
	assert(n <= 16);
	scorer->score(&settings, &(struct scoring){.n = n, .predictions = values}, scores, scratch);
}

static void test_ten(void **state)
{
	(void)state;
	assert_near(aggregate("mean", ten, 10, 3), .6265, 1e-15);
	assert_near(aggregate("median", ten, 10, 3), .615, 1e-15);
	assert_near(aggregate("trimmed-mean", ten, 10, 3), .615, 1e-15);
}

static void test_trimmed_mean_of_none_faulty_is_the_mean(void **state)
{
	(void)state;
	assert_true(aggregate("trimmed-mean", ten, 10, 0) == aggregate("mean", ten, 10, 0));
	assert_true(aggregate("trimmed-mean", ten, 10, 0) != aggregate("trimmed-mean", ten, 10, 1));
}

static void test_n_min(void **state)
{
	(void)state;
	const struct aggregator *trimmed =
		(const void *)plugin_named(&aggregator_registry, "trimmed-mean");
	const struct aggregator *median = (const void *)plugin_named(&aggregator_registry, "median");
	assert_int_equal(trimmed->n_min(NULL, 0), 1);
	assert_int_equal(trimmed->n_min(NULL, 3), 7);
	assert_int_equal(median->n_min(NULL, 3), 1);
	/* 3 of 2 * 1 + 1: the one in the middle */
	assert_true(aggregate("trimmed-mean", (double[]){9, 1, 2}, 3, 1) == 2);
}

/* Whatever the f others say, however large, median and trimmed mean stay in the honest range. */
static void test_liars_cannot_leave_the_honest_range(void **state)
{
	(void)state;
	const double lies[] = {-1e300, -1, 0, .6, 1, 1e300};
	double values[10];
	memcpy(values, ten, sizeof(values));
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++) {
			for (int c = 0; c < 6; c++) {
				values[7] = lies[a];
				values[8] = lies[b];
				values[9] = lies[c];
				double median = aggregate("median", values, 10, 3);
				double trimmed = aggregate("trimmed-mean", values, 10, 3);
				assert_true(median >= .58 && median <= .64);
				assert_true(trimmed >= .58 && trimmed <= .64);
			}
		}
	}
}

/* The same bits whatever the order; the plain sum in order of arrival does differ. */
static void test_order_does_not_matter(void **state)
{
	(void)state;
	static const char *const names[] = {"mean", "median", "trimmed-mean"};
	struct random_stream stream = random_stream_make(1, RANDOM_ITEM, 0);
	double values[9], shuffled[9];
	uint32_t order[9];
	bool plain_sum_differs = false;
	for (int trial = 0; trial < 200; trial++) {
		double plain = 0, plain_shuffled = 0;
		for (int i = 0; i < 9; i++) {
			values[i] = random_normal(&stream);
			plain += values[i];
		}
		random_permutation(&stream, order, 9);
		for (int i = 0; i < 9; i++) {
			shuffled[i] = values[order[i]];
			plain_shuffled += shuffled[i];
		}
		plain_sum_differs |= plain != plain_shuffled;
		for (int k = 0; k < 3; k++) {
			assert_true(aggregate(names[k], values, 9, 2) == aggregate(names[k], shuffled, 9, 2));
		}
	}
	assert_true(plain_sum_differs);
}

static void test_huge_values_have_a_finite_mean(void **state)
{
	(void)state;
	const double huge[4] = {1.7e308, 1.7e308, 1.7e308, 1};
	assert_true(isfinite(aggregate("mean", huge, 4, 0)));
	assert_true(aggregate("median", huge, 4, 0) == 1.7e308);
}

/* Median 3, deviations 2 1 0 1 2 -> MAD 1: z = 1 / 1.4826 and 2 / 1.4826. */
static void test_mad_by_hand(void **state)
{
	(void)state;
	double scores[5];
	score_mad((double[]){1, 2, 3, 4, 5}, 5, scores);
	double far = 1 / (1 + pow(2 / 1.4826 / 2, 2)), near = 1 / (1 + pow(1 / 1.4826 / 2, 2));
	assert_near(scores[0], far, 1e-15);
	assert_near(scores[1], near, 1e-15);
	assert_near(scores[2], 1, 0);
	assert_near(scores[3], near, 1e-15);
	assert_near(scores[4], far, 1e-15);
}

/* The default threshold of .3 is a robust z of 2 sqrt(1/.3 - 1) = 3.06. */
static void test_mad_threshold(void **state)
{
	(void)state;
	double z = 2 * sqrt(1 / .3 - 1), scores[5];
	assert_near(z, 3.06, .005);
	score_mad((double[]){-1, 0, 1, -1, z * 1.4826 * .999}, 5, scores);
	assert_true(scores[4] > .3);
	score_mad((double[]){-1, 0, 1, -1, z * 1.4826 * 1.001}, 5, scores);
	assert_true(scores[4] < .3);
}

static void test_mad_finds_the_liars_among_ten(void **state)
{
	(void)state;
	double scores[10];
	score_mad(ten, 10, scores);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(scores[i] >= .3, i < 7);
	}
}

static void test_mad_of_0(void **state)
{
	(void)state;
	double scores[5];
	score_mad((double[]){2, 2, 2, 2.000001, -5}, 5, scores);
	const double expected[5] = {1, 1, 1, 0, 0};
	assert_memory_equal(scores, expected, sizeof(scores));
	score_mad((double[]){7}, 1, scores);
	assert_true(scores[0] == 1);
}

/* What is not a number gets 0 and doesn't sway the others' median. */
static void test_mad_leaves_out_nan_and_infinities(void **state)
{
	(void)state;
	double scores[8], clean[5];
	score_mad((double[]){1, 2, 3, 4, 5}, 5, clean);
	score_mad((double[]){INFINITY, 1, 2, NAN, 3, 4, 5, -INFINITY}, 8, scores);
	assert_true(scores[0] == 0 && scores[3] == 0 && scores[7] == 0);
	assert_true(scores[1] == clean[0] && scores[2] == clean[1] && scores[4] == clean[2]);
	assert_true(scores[5] == clean[3] && scores[6] == clean[4]);
	score_mad((double[]){NAN, NAN}, 2, scores);
	assert_true(scores[0] == 0 && scores[1] == 0);
}

static void test_none_scores_1(void **state)
{
	(void)state;
	const struct scorer *scorer = (const void *)plugin_named(&scorer_registry, "none");
	double scores[3], scratch[SCORER_SCRATCH(3)];
	assert_true(scorer->accepts_all);
	scorer->score(NULL, &(struct scoring){.n = 3, .predictions = (double[]){1, -1e9, NAN}}, scores,
		scratch);
	assert_true(scores[0] == 1 && scores[1] == 1 && scores[2] == 0);
}

static void test_trimmed_mean_finish(void **state)
{
	(void)state;
	const struct plugin *plugin = plugin_named(&aggregator_registry, "trimmed-mean");
	const char *param = NULL;
	char error[256];
	struct aggregator_common settings = {.n_faulty = PARAM_AUTO_VALUE};
	assert_true(plugin->finish(&settings, &(struct shape){.n_validators = 10}, &param, error));
	assert_int_equal(settings.n_faulty, 3);
	assert_true(plugin->finish(&settings, &(struct shape){.n_validators = 7}, &param, error));
	assert_false(plugin->finish(&settings, &(struct shape){.n_validators = 6}, &param, error));
	assert_string_equal(param, "faulty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten),
		cmocka_unit_test(test_trimmed_mean_of_none_faulty_is_the_mean),
		cmocka_unit_test(test_n_min),
		cmocka_unit_test(test_liars_cannot_leave_the_honest_range),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_huge_values_have_a_finite_mean),
		cmocka_unit_test(test_mad_by_hand),
		cmocka_unit_test(test_mad_threshold),
		cmocka_unit_test(test_mad_finds_the_liars_among_ten),
		cmocka_unit_test(test_mad_of_0),
		cmocka_unit_test(test_mad_leaves_out_nan_and_infinities),
		cmocka_unit_test(test_none_scores_1),
		cmocka_unit_test(test_trimmed_mean_finish),
	};
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
