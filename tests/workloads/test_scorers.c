/* Scorers: by hand, on the ten, and what none of them may do. */
#include "settings.h"

#define N_MAX 16

static const double ten[10] = {.61, .58, .64, .60, .585, .63, .62, 1, 1, 0};

static void score(const char *name, const double *values, uint32_t n, double *scores)
{
	struct arena arena = {0};
	bool latency = strcmp(name, "latency") == 0;
	struct plugin_value rule =
		plugin_make(&arena, latency ? &eval_scorer_registry : &scorer_registry, name);
	if (strcmp(name, "isolation") == 0) {
		set_int(rule, "neighbours", PARAM_AUTO_VALUE);
	}
	double scratch[SCORER_SCRATCH(N_MAX)];
	assert(n <= N_MAX);
	((const struct scorer *)(const void *)rule.plugin)
		->score(rule.settings, &(struct scoring){.n = n, .predictions = values}, scores, scratch);
	arena_finish(&arena);
}

/* The z behind a score. */
static double z_of(double value)
{
	return 2 * sqrt(1 / value - 1);
}

static void test_z_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* mean 3, sample sd sqrt(10/4) */
	score("z-score", (double[]){1, 2, 3, 4, 5}, 5, scores);
	assert_near(z_of(scores[0]), 2 / sqrt(2.5), 1e-14);
	assert_near(z_of(scores[1]), 1 / sqrt(2.5), 1e-14);
	assert_near(scores[2], 1, 0);
	assert_near(scores[4], scores[0], 1e-15);
	score("z-score", (double[]){.1, .1, .1}, 3, scores);
	assert_true(scores[0] == 1 && scores[1] == 1 && scores[2] == 1);
	score("z-score", (double[]){7}, 1, scores);
	assert_true(scores[0] == 1);
	/* a lie too large to square is a lie all the same: (n-1)/sqrt(n) */
	score("z-score", (double[]){1, 2, 3, 1.7e308}, 4, scores);
	assert_near(z_of(scores[3]), 1.5, 1e-9);
	assert_near(z_of(scores[0]), .5, 1e-9);
}

/* At most (n-1)/sqrt(n), which one far liar comes up to: below 3 up to n = 10, above it from 11.
 * The median absolute deviation finds it with any n. */
static void test_z_never_flags_one_of_ten_at_3(void **state)
{
	(void)state;
	double values[N_MAX], scores[N_MAX];
	for (uint32_t n = 3; n <= 12; n++) {
		for (uint32_t i = 0; i < n; i++) {
			values[i] = 1 + .01 * i;
		}
		values[n - 1] = 1e6;
		score("z-score", values, n, scores);
		assert_near(z_of(scores[n - 1]), (n - 1) / sqrt(n), 1e-6);
		assert_int_equal(z_of(scores[n - 1]) > 3, n > 10);
		score("mad", values, n, scores);
		assert_true(z_of(scores[n - 1]) > 1000);
	}
	struct random_stream stream = random_stream_make(1, RANDOM_ITEM, 0);
	for (int trial = 0; trial < 300; trial++) {
		for (int i = 0; i < 10; i++) {
			values[i] = random_normal(&stream) * (trial % 3 == 0 && i == 0 ? 1e3 : 1);
		}
		score("z-score", values, 10, scores);
		for (int i = 0; i < 10; i++) {
			assert_true(z_of(scores[i]) <= 9 / sqrt(10) + 1e-9);
		}
	}
}

static void test_iqr_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* quartiles 2 and 4 of 1 2 3 4 10: 10 is 3 ranges outside, 1 half of one */
	score("iqr", (double[]){10, 1, 2, 3, 4}, 5, scores);
	assert_near(scores[0], 1 / (1 + 9.), 1e-15);
	assert_near(scores[1], 1 / (1 + .25), 1e-15);
	assert_true(scores[2] == 1 && scores[3] == 1 && scores[4] == 1);
	/* between order statistics: quartiles 1.75 and 3.25 of 1 2 3 4 */
	score("iqr", (double[]){1, 2, 3, 4}, 4, scores);
	assert_near(scores[3], 1 / (1 + .25), 1e-15);
	score("iqr", (double[]){5, 5, 5, 5, 6}, 5, scores);
	assert_true(scores[0] == 1 && scores[4] == 0);
}

static void test_isolation_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* k = 2: 1.5, 1, 1.5 (and 1 for 2), 6.5: sorted 1 1.5 ... of 0 1 2 3 9 */
	score("isolation", (double[]){9, 0, 1, 2, 3}, 5, scores);
	/* distances: 9: (6+7)/2; 0: 1.5; 1: 1; 2: 1; 3: 1.5; the median is 1.5 */
	assert_near(scores[0], 1 / (1 + pow((6.5 / 1.5 - 1) / 2, 2)), 1e-15);
	assert_true(scores[1] == 1 && scores[2] == 1 && scores[3] == 1 && scores[4] == 1);
	score("isolation", (double[]){2, 2, 2, 2, 3}, 5, scores);
	assert_true(scores[0] == 1 && scores[4] == 0);
	score("isolation", (double[]){2}, 1, scores);
	assert_true(scores[0] == 1);
}

/* sqrt of the product of two; 0 of one is 0; one alone is that one. */
static void test_combined(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = plugin_make(&arena, &scorer_registry, "combined");
	struct plugin_list *of = setting(rule, "of", PARAM_PLUGINS);
	struct plugin_value members[2] = {
		plugin_make(&arena, &scorer_registry, "mad"), plugin_make(&arena, &scorer_registry, "iqr")};
	const struct scorer *scorer = (const void *)rule.plugin;
	const struct scoring all_ten = {.n = 10, .predictions = ten};
	double mad[10], iqr[10], scores[10], scratch[SCORER_SCRATCH(10)];
	score("mad", ten, 10, mad);
	score("iqr", ten, 10, iqr);
	*of = (struct plugin_list){2, members};
	scorer->score(rule.settings, &all_ten, scores, scratch);
	for (int i = 0; i < 10; i++) {
		assert_near(scores[i], sqrt(mad[i] * iqr[i]), 1e-15);
	}
	of->n = 1;
	scorer->score(rule.settings, &all_ten, scores, scratch);
	assert_memory_equal(scores, mad, sizeof(mad));
	of->n = 2;
	scorer->score(rule.settings,
		&(struct scoring){.n = 5, .predictions = (double[]){1, NAN, 1, 1, 2}}, scores, scratch);
	assert_true(scores[0] == 1 && scores[1] == 0 && scores[4] == 0);
	arena_finish(&arena);
}

static void test_latency(void **state)
{
	(void)state;
	double scores[5];
	score("latency", (double[]){0, 300, 100, 5700, 1e9}, 5, scores);
	const double expected[5] = {.99, .5, .75, .05, .05};
	for (int i = 0; i < 5; i++) {
		assert_near(scores[i], expected[i], 1e-15);
	}
}

static void test_who_is_found_among_ten(void **state)
{
	(void)state;
	static const char *const names[] = {"mad", "iqr", "isolation"};
	double scores[10];
	for (int k = 0; k < 3; k++) {
		score(names[k], ten, 10, scores);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(scores[i] >= .3, i < 7);
		}
	}
	score("z-score", ten, 10, scores);
	for (int i = 0; i < 10; i++) {
		assert_true(scores[i] >= .3);
	}
}

/* NaN and infinities get 0 and sway no one; scores are in [0, 1] and go with their predictions. */
static void test_all_alike(void **state)
{
	(void)state;
	static const char *const names[] = {"none", "mad", "z-score", "iqr", "isolation"};
	struct random_stream stream = random_stream_make(2, RANDOM_ITEM, 0);
	double values[9], shuffled[12], scores[9], shuffled_scores[12];
	uint32_t order[12];
	for (int trial = 0; trial < 100; trial++) {
		for (int i = 0; i < 9; i++) {
			values[i] = random_normal(&stream) * (i == 0 ? 1e307 : i == 1 ? 20 : 1);
		}
		random_permutation(&stream, order, 12);
		for (int i = 0; i < 12; i++) {
			shuffled[i] = order[i] < 9 ? values[order[i]] : order[i] == 9 ? NAN : INFINITY;
		}
		for (int k = 0; k < 5; k++) {
			score(names[k], values, 9, scores);
			score(names[k], shuffled, 12, shuffled_scores);
			for (int i = 0; i < 12; i++) {
				double wanted = order[i] < 9 ? scores[order[i]] : 0;
				assert_true(shuffled_scores[i] == wanted);
				assert_true(wanted >= 0 && wanted <= 1);
			}
			score(names[k], (double[]){NAN, INFINITY}, 2, scores);
			assert_true(scores[0] == 0 && scores[1] == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_z_by_hand),
		cmocka_unit_test(test_z_never_flags_one_of_ten_at_3),
		cmocka_unit_test(test_iqr_by_hand),
		cmocka_unit_test(test_isolation_by_hand),
		cmocka_unit_test(test_combined),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_who_is_found_among_ten),
		cmocka_unit_test(test_all_alike),
	};
	return cmocka_run_group_tests_name("scorers", tests, NULL, NULL);
}
