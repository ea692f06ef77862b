#include "sweep_file.h"

#include "paired.h"

#include <math.h>

/* Student's sleep data (Biometrika 6, 1908), as R's `sleep`: t.test(extra2, extra1, paired = TRUE) gives a
 * mean difference of 1.58, t = 4.0621 with 9 degrees of freedom, p = 0.002833, interval .7001 to 2.4599. */
static const double sleep_1[] = {.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2};
static const double sleep_2[] = {1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6, 3.4};

static void test_sleep(void **state)
{
	struct paired paired = paired_compare(sleep_1, sleep_2, 10);
	assert_int_equal(paired.n, 10);
	assert_near(paired.difference.mean, 1.58, 1e-12);
	assert_near(paired.difference.low, .7001142, 1e-6);
	assert_near(paired.difference.high, 2.4598858, 1e-6);
	assert_near(paired.t_p, .00283289, 1e-7);
	assert_near(paired.dz, 4.062127683 / sqrt(10), 1e-8);
	/* One zero is left out; all nine others are positive: 2 / 2^9. */
	assert_near(paired.signed_rank_p, 2. / 512, 1e-15);
	assert_near(paired.rank_biserial, 1, 0);
}

static void test_signs(void **state)
{
	/* Ranks 1 .. 5; positive are 1 and 3: the sums up to 4 are made by {}, 1, 2, 3, 4, 1+2, 1+3. */
	const double a[] = {0, 0, 0, 0, 0}, b[] = {.1, -.2, .3, -.4, -.5};
	struct paired paired = paired_compare(a, b, 5);
	assert_near(paired.signed_rank_p, 2 * 7. / 32, 1e-15);
	assert_near(paired.rank_biserial, (4. - 11) / 15, 1e-15);
	/* The other way round it is as likely, and the effects change sign. */
	struct paired turned = paired_compare(b, a, 5);
	assert_near(turned.signed_rank_p, paired.signed_rank_p, 1e-15);
	assert_near(turned.rank_biserial, -paired.rank_biserial, 1e-15);
	assert_near(turned.dz, -paired.dz, 1e-15);
	assert_near(turned.t_p, paired.t_p, 1e-15);
}

static void test_ties(void **state)
{
	/* |d| = 1, 1, 2: mid-ranks 1.5, 1.5, 3. Positive: one of the first and the third, 4.5 of 6. Sums of
	 * the eight choices: 0, 1.5, 1.5, 3, 3, 4.5, 4.5, 6; as far from 3 as 4.5: six of them. */
	const double a[] = {0, 0, 0}, b[] = {1, -1, 2};
	assert_near(paired_compare(a, b, 3).signed_rank_p, 6. / 8, 1e-15);
}

static void test_equal(void **state)
{
	const double a[] = {1, 2, 3}, b[] = {2, 3, 4};
	struct paired same = paired_compare(a, a, 3);
	assert_near(same.difference.mean, 0, 0);
	assert_near(same.t_p, 1, 0);
	assert_near(same.signed_rank_p, 1, 0);
	assert_true(isnan(same.dz) && isnan(same.rank_biserial));
	struct paired shifted = paired_compare(a, b, 3);
	assert_near(shifted.t_p, 0, 0);
	assert_near(shifted.signed_rank_p, .25, 1e-15);
	struct paired lone = paired_compare(a, b, 1);
	assert_true(isnan(lone.t_p) && isnan(lone.difference.low));
}

/* Beyond 200 pairs the normal approximation takes over without a jump. */
static void test_many(void **state)
{
	double a[201], b[201];
	for (int i = 0; i < 201; i++) {
		a[i] = 0;
		b[i] = (i % 9 < 5 ? 1 : -1) * (i == 200 ? .5 : 1 + i * .01);
	}
	double exact = paired_compare(a, b, 200).signed_rank_p;
	double approximate = paired_compare(a, b, 201).signed_rank_p;
	assert_true(exact > .05 && exact < .3);
	assert_near(exact, approximate, .01);
}

/* W+ = 11000 of 20301, as ranks 1 .. 136 but the 15th are negative: z = (849.5 - .5) / sqrt(201 * 202 * 403 / 24),
 * the half being the correction for continuity (Hollander, Wolfe, Nonparametric statistical methods, 3.1). */
static void test_continuity(void **state)
{
	double a[201], b[201];
	for (int i = 1; i <= 201; i++) {
		a[i - 1] = 0;
		b[i - 1] = i <= 136 && i != 15 ? -i : i;
	}
	assert_near(paired_compare(a, b, 201).signed_rank_p, 0.3038452085436104, 1e-12);
}

static void test_holm(void **state)
{
	/* R: p.adjust(c(.01, .04, .03, .005), "holm") = .03 .06 .06 .02 */
	double p[] = {.01, .04, NAN, .03, .005};
	holm_adjust(p, 5);
	assert_near(p[0], .03, 1e-15);
	assert_near(p[1], .06, 1e-15);
	assert_true(isnan(p[2]));
	assert_near(p[3], .06, 1e-15);
	assert_near(p[4], .02, 1e-15);
	double large[] = {.6, .7};
	holm_adjust(large, 2);
	assert_near(large[0], 1, 0);
	assert_near(large[1], 1, 0);
}

/* Shares that should be equal, or equally far apart, but for a rounding error. */
static void test_dust(void **state)
{
	const double a[] = {.1 + .2, .295, .3, .7}, b[] = {.3, .3, .295, .7};
	struct paired paired = paired_compare(a, b, 4);
	assert_near(paired.difference.mean, 0, 0);
	assert_near(paired.rank_biserial, 0, 0);
	assert_near(paired.signed_rank_p, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_dust),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_continuity),
		cmocka_unit_test(test_holm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
