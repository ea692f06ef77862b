/* Aggregators of rows, and mixing before them, by hand; what is proved of them is in test_aggregators_proved.c. */
#include "aggregators.h"

static const double ten[10] = {.61, .58, .64, .60, .585, .63, .62, 1, 1, 0};

static void test_ten_numbers(void **state)
{
	struct fixture *f = *state;
	assert_near(number(f, "mean", ten, 10, 3), .6265, 1e-15);
	assert_near(number(f, "median", ten, 10, 3), .615, 1e-15);
	assert_near(number(f, "trimmed-mean", ten, 10, 3), .615, 1e-15);
	assert_true(number(f, "krum", ten, 10, 3) == .60);
	assert_true(number(f, "geometric-median", ten, 10, 3) == number(f, "median", ten, 10, 3));
}

static const double seven[7 * 3] = {1, -2, .5, 1.2, -1.8, .4, .9, -2.1, .65, 1.1, -1.9, .55, .95,
	-2.25, .45, 50, 50, -50, -30, 10, 80};

static void test_seven_rows(void **state)
{
	struct fixture *f = *state;
	double out[3];
	apply(f, rule_make(f, "median"), seven, 7, 3, 2, out);
	expect_row(out, 1, -1.9, .5, 0);
	apply(f, rule_make(f, "trimmed-mean"), seven, 7, 3, 2, out);
	expect_row(out, 1.016667, -1.9, .5, 5e-7);
	apply(f, rule_make(f, "krum"), seven, 7, 3, 2, out);
	expect_row(out, 1, -2, .5, 0);
	apply(f, rule_make(f, "multi-krum"), seven, 7, 3, 2, out);
	expect_row(out, 1.03, -2.01, .51, 1e-15);
	struct plugin_value best = rule_make(f, "multi-krum");
	set_int(best, "m", 1);
	apply(f, best, seven, 7, 3, 2, out);
	expect_row(out, 1, -2, .5, 0);
}

/* Without liars the mean, wherever the literature says so. */
static void test_none_faulty_is_the_mean(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"trimmed-mean", "multi-krum", "bulyan", "mean-around-median"};
	double mean[3], out[3];
	apply(f, rule_make(f, "mean"), seven, 7, 3, 0, mean);
	for (size_t i = 0; i < 4; i++) {
		apply(f, rule_make(f, names[i]), seven, 7, 3, 0, out);
		expect_row(out, mean[0], mean[1], mean[2], 1e-13);
	}
	/* all that can't be reached by tau is clipped: with none, it is the mean too */
	struct plugin_value clipping = rule_make(f, "centered-clipping");
	set_real(clipping, "tau", 1000);
	apply(f, clipping, seven, 7, 3, 0, out);
	expect_row(out, mean[0], mean[1], mean[2], 1e-13);
	assert_true(fabs(mean[0] - 3.592857) < 1e-6);
}

static void test_ties_go_to_the_first(void **state)
{
	struct fixture *f = *state;
	/* 8 and 2 are alike, 1, 2 and 6 from their nearest three: whichever comes first. */
	assert_true(number(f, "krum", (double[]){9, 8, 10, 2, 1, 0}, 6, 1) == 8);
	assert_true(number(f, "krum", (double[]){9, 2, 10, 8, 1, 0}, 6, 1) == 2);
	struct plugin_value two = rule_make(f, "multi-krum");
	double out;
	set_int(two, "m", 1);
	apply(f, two, (double[]){9, 2, 10, 8, 1, 0}, 6, 1, 1, &out);
	assert_true(out == 2);
	apply(f, two, (double[]){9, 8, 10, 2, 1, 0}, 6, 1, 1, &out);
	assert_true(out == 8);
	/* equal bins: that of the first */
	assert_true(number(f, "majority", (double[]){7, 3, 3, 7, 5}, 5, 2) == 7);
	assert_true(number(f, "majority", (double[]){3, 7, 3, 7, 5}, 5, 2) == 3);
}

/* Of 10 11 13 16 20 25 1000 with f = 1 the neighbours are 4, 3, 2, 1, 0 of those left: chosen are
 * 13, 11, 10, 16 and 20; of these the three nearest to the median 13 are 11, 13 and 10 (16 is as
 * far, and later). */
static void test_bulyan_by_hand(void **state)
{
	struct fixture *f = *state;
	const double values[7] = {10, 11, 13, 16, 20, 25, 1000};
	assert_near(number(f, "bulyan", values, 7, 1), 34. / 3, 1e-14);
}

static void test_geometric_medians_that_are_known(void **state)
{
	struct fixture *f = *state;
	struct plugin_value rule = rule_make(f, "geometric-median");
	double out[3];
	apply(f, rule, (double[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 3, 1, out);
	expect_row(out, 4, 5, 6, 0);
	/* Fermat's point of the right triangle with legs 1: (3 - sqrt 3)/6 in both. */
	apply(f, rule, (double[]){0, 0, 1, 0, 0, 1}, 3, 2, 1, out);
	assert_near(out[0], (3 - sqrt(3)) / 6, 1e-13);
	assert_near(out[1], (3 - sqrt(3)) / 6, 1e-13);
	/* A corner of 120 degrees or more is itself the answer. */
	apply(f, rule, (double[]){-2, 1, 0, 0, 2, 1}, 3, 2, 1, out);
	assert_true(out[0] == 0 && out[1] == 0);
	/* Of a convex quadrilateral, where the diagonals cross (Fagnano). */
	apply(f, rule, (double[]){0, 0, 4, 0, 3, 3, 0, 2}, 4, 2, 1, out);
	assert_near(out[0], 4. / 3, 1e-13);
	assert_near(out[1], 4. / 3, 1e-13);
	/* On a line the middle; of an even number, halfway between the two in the middle. */
	apply(f, rule, (double[]){0, 0, 1, 1, 2, 2, 7, 7}, 4, 2, 1, out);
	assert_true(out[0] == 1.5 && out[1] == 1.5);
	apply(f, rule, (double[]){5, 5, 5, 5, 5, 5}, 3, 2, 1, out);
	assert_true(out[0] == 5 && out[1] == 5);
}

/* Is it the answer? The pull of the rows elsewhere is no stronger than the number of rows here, but for
 * `margin` (Kuhn 1973). */
static bool pulls_balance(
	const double *values, uint32_t n, uint32_t dims, const double *point, double margin)
{
	double *sum = calloc(dims, sizeof(*sum)), length2 = 0;
	uint32_t n_here = 0;
	for (uint32_t i = 0; i < n; i++) {
		const double *row = values + (size_t)i * dims;
		double distance2 = 0;
		for (uint32_t k = 0; k < dims; k++) {
			distance2 += (row[k] - point[k]) * (row[k] - point[k]);
		}
		n_here += distance2 == 0;
		for (uint32_t k = 0; k < dims && distance2 > 0; k++) {
			sum[k] += (row[k] - point[k]) / sqrt(distance2);
		}
	}
	for (uint32_t k = 0; k < dims; k++) {
		length2 += sum[k] * sum[k];
	}
	free(sum);
	return sqrt(length2) <= n_here + margin;
}

/* Rows of many columns, with and without a row for the answer and far outliers; more rows than columns; rows
 * almost on a line. With rounding for its only end the iteration takes minutes on the first of them. */
static void test_geometric_median_of_any_shape(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint32_t n, dims;
		double across; /* the rows' spread beside the first column's */
		bool far, row;
	} shapes[] = {
		{50, 4000, 1, false, false},
		{50, 4000, 1, true, false},
		{50, 4000, 1, false, true},
		{400, 5, 1, false, false},
		{150, 200, 1, true, false},
		{50, 2, 1e-6, false, false},
		{51, 60, 1e-6, false, false},
	};
	struct random_stream stream = random_stream_make(3, RANDOM_ITEM, 0);
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		uint32_t n = shapes[s].n, dims = shapes[s].dims;
		double *values = calloc((size_t)n * dims, sizeof(*values));
		double *out = calloc(dims, sizeof(*out));
		for (size_t i = 0; i < (size_t)n * dims; i++) {
			values[i] = random_normal(&stream) * (i % dims == 0 ? 1 : shapes[s].across);
		}
		for (size_t i = 0; shapes[s].far && i < (size_t)n / 5 * dims; i++) {
			values[i] = 1e12;
		}
		for (uint32_t k = 0; shapes[s].row && k < dims; k++) {
			values[k] = 0; /* the mean of the others, about */
			for (uint32_t i = 1; i < n; i++) {
				values[k] += values[(size_t)i * dims + k] / (n - 1);
			}
		}
		apply(f, rule_make(f, "geometric-median"), values, n, dims, 1, out);
		assert_true(pulls_balance(values, n, dims, out, 1e-9));
		assert_true(!shapes[s].row || memcmp(out, values, dims * sizeof(*out)) == 0);
		free(values);
		free(out);
	}
}

/* The regular simplex's, the square's (with a second and a third row at one corner) and a tilted line's. */
static void test_geometric_medians_in_closed_form(void **state)
{
	struct fixture *f = *state;
	struct plugin_value rule = rule_make(f, "geometric-median");
	double out[4];
	apply(f, rule, (double[]){1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 4, 4, 1, out);
	for (int k = 0; k < 4; k++) {
		assert_near(out[k], .25, 1e-12);
	}
	/* Two rows at (1, 1) pull with less than the other three together, three hold. On the diagonal at
	 * (t, t) the corners (1, 0) and (0, 1) pull back with 2 cos = 1: t = (1 + 1/sqrt 3)/2. */
	const double corners[] = {0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1};
	apply(f, rule, corners, 5, 2, 1, out);
	assert_near(out[0], (1 + 1 / sqrt(3)) / 2, 1e-12);
	assert_near(out[1], (1 + 1 / sqrt(3)) / 2, 1e-12);
	apply(f, rule, corners, 6, 2, 1, out);
	assert_true(out[0] == 1 && out[1] == 1);
	/* the third of five on a line, wherever it stands */
	apply(f, rule, (double[]){.7, 2.1, .1, .3, 70, 210, .2, .6, .4, 1.2}, 5, 2, 1, out);
	assert_true(out[0] == .4 && out[1] == 1.2);
	/* The triangle of sides 3, 4 and 5: total distance sqrt(25 + 12 sqrt 3). */
	const double triangle[] = {0, 0, 3, 0, 0, 4};
	apply(f, rule, triangle, 3, 2, 1, out);
	assert_true(pulls_balance(triangle, 3, 2, out, 1e-14));
	assert_near(hypot(out[0], out[1]) + hypot(out[0] - 3, out[1]) + hypot(out[0], out[1] - 4),
		sqrt(25 + 12 * sqrt(3)), 1e-13);
}

static double total_distance(const double *values, uint32_t n, uint32_t dims, const double *point)
{
	double total = 0;
	for (uint32_t i = 0; i < n; i++) {
		double sum = 0;
		for (uint32_t k = 0; k < dims; k++) {
			sum += (values[i * dims + k] - point[k]) * (values[i * dims + k] - point[k]);
		}
		total += sqrt(sum);
	}
	return total;
}

/* No point near it is better. */
static void test_geometric_median_is_the_least(void **state)
{
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(2, RANDOM_ITEM, 0);
	double values[N_MAX * 3], out[3], other[3];
	for (int trial = 0; trial < 100; trial++) {
		uint32_t n = 3 + (uint32_t)random_below(&stream, N_MAX - 3);
		for (uint32_t i = 0; i < n * 3; i++) {
			values[i] = random_normal(&stream);
		}
		apply(f, rule_make(f, "geometric-median"), values, n, 3, 1, out);
		double least = total_distance(values, n, 3, out);
		for (int i = 0; i < 60; i++) {
			for (int k = 0; k < 3; k++) {
				other[k] = out[k] + random_normal(&stream) * 1e-4;
			}
			assert_true(total_distance(values, n, 3, other) >= least - 1e-12);
		}
	}
}

static void test_centered_clipping_by_hand(void **state)
{
	struct fixture *f = *state;
	struct plugin_value rule = rule_make(f, "centered-clipping");
	double out;
	set_int(rule, "iterations", 1);
	/* from 2: -1, 0, +1 of 98 */
	apply(f, rule, (double[]){1, 2, 100}, 3, 1, 1, &out);
	assert_near(out, 2, 1e-15);
	/* from 2: -1.5, 0, +2 */
	set_real(rule, "tau", 2);
	apply(f, rule, (double[]){.5, 2, 100}, 3, 1, 1, &out);
	assert_near(out, 2 + .5 / 3, 1e-15);
	/* From .5/3 further on: -(1.5 + .5/3), -.5/3, +2. */
	set_int(rule, "iterations", 2);
	apply(f, rule, (double[]){.5, 2, 100}, 3, 1, 1, &out);
	assert_near(out, 2 + .5 / 3 + (.5 - 1. / 3) / 3, 1e-15);
}

static void test_majority_and_weights(void **state)
{
	struct fixture *f = *state;
	assert_near(number(f, "majority", (double[]){.9, 1.1, 1.2, 2, 2, 5}, 6, 2), 3.2 / 3, 1e-15);
	struct plugin_value wide = rule_make(f, "majority");
	double out;
	set_real(wide, "bin", 4);
	apply(f, wide, (double[]){1, 2.1, 3, 5, 7}, 5, 1, 1, &out);
	assert_near(out, 10.1 / 3, 1e-15);
	const struct rows rows = {3, 1, (double[]){1, 2, 6}, (double[]){1, 1, .5}, NULL, NULL};
	const struct plugin_value weighted = rule_make(f, "weighted-mean");
	aggregator_apply(&weighted, &rows, 0, &out, &f->arena);
	assert_near(out, 6 / 2.5, 1e-15);
	const struct rows unscored = {3, 1, (double[]){1, 2, 6}, (double[]){0, 0, 0}, NULL, NULL};
	aggregator_apply(&weighted, &unscored, 0, &out, &f->arena);
	assert_near(out, 3, 1e-15);
}

static void test_mixing_by_hand(void **state)
{
	struct fixture *f = *state;
	double out;
	/* 0 and 1 become .5, 10 becomes 5.5 */
	apply(f, mixed_make(f, "mean", MIXING_NNM), (double[]){0, 1, 10}, 3, 1, 1, &out);
	assert_near(out, 6.5 / 3, 1e-15);
	/* 1 is as far from 0 as from 2: with the one that came first. */
	apply(f, mixed_make(f, "mean", MIXING_NNM), (double[]){0, 1, 2}, 3, 1, 1, &out);
	assert_near(out, (.5 + .5 + 1.5) / 3, 1e-15);
	apply(f, mixed_make(f, "mean", MIXING_NNM), (double[]){2, 1, 0}, 3, 1, 1, &out);
	assert_near(out, (1.5 + 1.5 + .5) / 3, 1e-15);
	/* without liars all are the mean */
	apply(f, mixed_make(f, "krum", MIXING_NNM), (double[]){0, 1, 11}, 3, 1, 0, &out);
	assert_near(out, 4, 1e-15);
	/* 1.5, 3.5, 100: the last bucket is of one */
	apply(f, mixed_make(f, "median", MIXING_BUCKETING), (double[]){1, 2, 3, 4, 100}, 5, 1, 1, &out);
	assert_near(out, 3.5, 1e-15);
	apply(f, mixed_make(f, "median", MIXING_BUCKETING), (double[]){4, 1, 100, 2, 3}, 5, 1, 1, &out);
	assert_near(out, 3, 1e-15); /* 2.5, 51, 3 */
}

/* Weights 1/sd^2: 1, 4, and 100 cut to four times the middle one's, which is 4; who claims none is taken for
 * that middle one. */
/* Of all sets of n - f values, that with the least sum of distances from the median has the mean that is given. */
static double mean_nearest_the_median(const double *values, uint32_t n, uint32_t n_faulty, double median)
{
	double least = INFINITY, mean = NAN;
	for (uint32_t set = 0; set < 1u << n; set++) {
		double far = 0, sum = 0;
		for (uint32_t i = 0; i < n; i++) {
			far += set >> i & 1 ? fabs(values[i] - median) : 0;
			sum += set >> i & 1 ? values[i] : 0;
		}
		if ((uint32_t)__builtin_popcount(set) == n - n_faulty && far < least) {
			least = far;
			mean = sum / (n - n_faulty);
		}
	}
	return mean;
}

static void test_mean_around_median(void **state)
{
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(8, RANDOM_ITEM, 0);
	double values[9];
	for (uint32_t n = 3; n <= 9; n++) {
		for (uint32_t n_faulty = 0; 2 * n_faulty < n; n_faulty++) {
			fill_normal(&stream, values, n);
			double median = number(f, "median", values, n, n_faulty);
			assert_near(number(f, "mean-around-median", values, n, n_faulty),
				mean_nearest_the_median(values, n, n_faulty, median), 1e-12);
		}
	}
	/* Median 3; 1 and 5 are equally far from it: the lower one goes. */
	assert_true(number(f, "mean-around-median", (double[]){1, 3, 5, 4, 2}, 5, 1) == 3.5);
	/* Where the trimmed mean cuts both ends, all that lie go, and the honest stay. */
	assert_true(number(f, "mean-around-median", (double[]){900, 1, 2, 900, 3}, 5, 2) == 2);
}

static void test_inverse_variance_by_hand(void **state)
{
	struct fixture *f = *state;
	const struct plugin_value rule = rule_make(f, "inverse-variance");
	struct plugin_value open = rule_make(f, "inverse-variance");
	struct rows rows = {.n = 3, .dims = 2, .values = (double[]){1, 10, 2, 20, 6, 60}};
	double out[2];
	set_real(open, "cap", 1e300);
	aggregator_apply(&rule, &rows, 0, out, &f->arena);
	assert_near(out[0], 3, 1e-15); /* none claims any */
	rows.confidence = (double[]){1, .5, .1};
	aggregator_apply(&open, &rows, 0, out, &f->arena);
	assert_near(out[0], (1 + 8 + 600) / 105., 1e-14);
	assert_near(out[1], 10 * out[0], 1e-13);
	aggregator_apply(&rule, &rows, 0, out, &f->arena);
	assert_near(out[0], (1 + 8 + 96) / 21., 1e-14);
	rows.confidence = (double[]){1, NAN, .5};
	aggregator_apply(&open, &rows, 0, out, &f->arena);
	assert_near(out[0], (1 / 1. + 2 / .5625 + 6 * 4) / (1 + 1 / .5625 + 4), 1e-14);
	/* The claims go with their rows: a permutation changes nothing; a bucket's is that of its mean. */
	const struct rows turned = {
		.n = 3, .dims = 1, .values = (double[]){6, 1, 2}, .confidence = (double[]){.1, 1, .5}};
	aggregator_apply(&open, &turned, 0, out, &f->arena);
	assert_near(out[0], (1 + 8 + 600) / 105., 1e-14);
	const struct plugin_value buckets = mixed_make(f, "inverse-variance", MIXING_BUCKETING);
	const struct rows three = {
		.n = 3, .dims = 1, .values = (double[]){1, 3, 8}, .confidence = (double[]){3, 4, 5}};
	aggregator_apply(&buckets, &three, 0, out, &f->arena);
	assert_near(out[0], (2 / 6.25 + 8 / 25.) / (1 / 6.25 + 1 / 25.), 1e-14); /* sd 5/2 and 5 */
	/* An extreme claim leaves it finite. */
	rows.confidence = (double[]){1e-300, 1, 1e300};
	aggregator_apply(&open, &rows, 0, out, &f->arena);
	assert_true(out[0] >= 1 && out[0] <= 6);
}

/* The trusted row (3, 4) is 5 long. (6, 8) points its way, (0, 10) by .8, (-1, 0) away. */
static void test_fltrust_by_hand(void **state)
{
	struct fixture *f = *state;
	struct plugin_value rule = plugin_make(&f->arena, &eval_aggregator_registry, "fltrust");
	double out[2];
	set_int(rule, "trusted", 2);
	apply(f, rule, (double[]){6, 8, 0, 10, 3, 4, -1, 0}, 4, 2, 1, out);
	assert_near(out[0], 5 * .6 / 1.8, 1e-14);
	assert_near(out[1], 5 * (.8 + .8) / 1.8, 1e-14);
	/* the others against it, or none of a length */
	apply(f, rule, (double[]){-6, -8, 0, 0, 3, 4}, 3, 2, 1, out);
	assert_true(out[0] == 3 && out[1] == 4);
	set_int(rule, "trusted", 1);
	apply(f, rule, (double[]){-6, -8, 0, 0, 3, 4}, 3, 2, 1, out);
	assert_true(out[0] == 0 && out[1] == 0);
}

/* The fast way for numbers and the rows' way are the same bits. */
static void test_numbers_are_rows_of_one(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"mean", "median", "trimmed-mean"};
	struct random_stream stream = random_stream_make(8, RANDOM_ITEM, 0);
	double values[9], scratch[18];
	for (int trial = 0; trial < 100; trial++) {
		fill_normal(&stream, values, 9);
		for (int i = 0; i < 3; i++) {
			struct plugin_value rule = rule_make(f, names[i]);
			const struct aggregator *aggregator = (const void *)rule.plugin;
			double fast = aggregator->aggregate(rule.settings, values, NULL, 9, 2, scratch);
			assert_true(fast == number(f, names[i], values, 9, 2));
		}
	}
}

static void expect_refusal(struct plugin_value rule, const double *values, uint32_t n,
	uint32_t dims, uint32_t n_faulty, const char *wanted)
{
	char error[256] = "";
	const struct rows rows = {.n = n, .dims = dims, .values = values};
	assert_false(aggregator_check(&rule, &rows, n_faulty, error));
	assert_string_equal(error, wanted);
}

static void test_what_each_needs(void **state)
{
	struct fixture *f = *state;
	expect_refusal(
		rule_make(f, "median"), ten, 10, 1, 5, "faulty must be below half of the 10 rows, got 5");
	expect_refusal(rule_make(f, "mean"), ten, 10, 1, UINT32_MAX,
		"faulty must be below half of the 10 rows, got 4294967295");
	expect_refusal(
		rule_make(f, "krum"), ten, 8, 1, 3, "krum with faulty: 3 needs at least 9 rows, got 8");
	expect_refusal(rule_make(f, "bulyan"), ten, 10, 1, 2,
		"bulyan with faulty: 2 needs at least 11 rows, got 10");
	expect_refusal(mixed_make(f, "krum", MIXING_BUCKETING), ten, 8, 1, 1,
		"krum with faulty: 1 in buckets of 2 needs at least 9 rows, got 8");
	expect_refusal(rule_make(f, "mean"), (double[]){1, 2, 3, INFINITY}, 2, 2, 0,
		"row 2, column 2 is not a finite number");
	expect_refusal(rule_make(f, "mean"), (double[]){1, NAN}, 2, 1, 0,
		"row 2, column 1 is not a finite number");
	expect_refusal(rule_make(f, "mean"), ten, 0, 1, 0, "mean needs at least one row");
	struct plugin_value five = rule_make(f, "multi-krum");
	set_int(five, "m", 9);
	assert_int_equal(aggregator_n_min(&five, 2), 9);
	assert_int_equal(aggregator_n_min(&five, 3), 9);
	assert_int_equal(aggregator_n_min(&five, 4), 11);
	const struct plugin_value nearest = mixed_make(f, "mean", MIXING_NNM);
	assert_int_equal(aggregator_n_min(&nearest, 3), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ten_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_seven_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_none_faulty_is_the_mean, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ties_go_to_the_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bulyan_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_geometric_medians_that_are_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_geometric_medians_in_closed_form, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_geometric_median_of_any_shape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_geometric_median_is_the_least, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_centered_clipping_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_majority_and_weights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mixing_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mean_around_median, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inverse_variance_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fltrust_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_numbers_are_rows_of_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_each_needs, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("aggregators", tests, NULL, NULL);
}
