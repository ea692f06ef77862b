#include "sweep_file.h"

#include "stats.h"

#include <math.h>

static void test_t_interval(void **state)
{
	/* Mean 3, sd sqrt(2.5), t(0.975; 4) = 2.776445 from any table. */
	const double values[] = {1, 2, 3, 4, 5};
	struct interval interval = stats_t_interval(values, 5);
	double half = 2.7764451052 * sqrt(2.5 / 5);
	assert_near(interval.mean, 3, 1e-12);
	assert_near(interval.low, 3 - half, 1e-8);
	assert_near(interval.high, 3 + half, 1e-8);
	interval = stats_t_interval(values, 1);
	assert_near(interval.mean, 1, 0);
	assert_true(isnan(interval.low) && isnan(interval.high));
	const double equal[] = {7, 7};
	interval = stats_t_interval(equal, 2);
	assert_near(interval.low, 7, 0);
}

/* Shares over runs. The expected ends are 1 / (1 + exp(-+h - logit)), h = t * sd / sqrt(n) / (m (1 - m)). */
static void test_share_interval(void **state)
{
	const double shares[] = {.80, .81, .82, .83};
	struct interval interval = stats_share_interval(shares, 4, .95, 0);
	assert_near(interval.mean, .815, 1e-12);
	assert_near(interval.low, 0.7935708461, 1e-8);
	assert_near(interval.high, 0.8346680777, 1e-8);
	/* Student's t would go down to -.0071. */
	const double rare[] = {0, 0, 0, .02, 0};
	interval = stats_share_interval(rare, 5, .95, 2000);
	assert_near(interval.low, 0.000247204255, 1e-9);
	assert_near(interval.high, 0.061234359091, 1e-9);
	/* None of 2,000 items: the rule of three, 3 / n. */
	const double none[] = {0, 0, 0, 0, 0};
	interval = stats_share_interval(none, 5, .95, 2000);
	assert_near(interval.low, 0, 0);
	assert_near(interval.high, 0.0014967449, 1e-9);
	/* Of five runs, where nobody says of how many items. */
	assert_near(stats_share_interval(none, 5, .95, 0).high, 0.4507197283, 1e-9);
	const double all[] = {1, 1, 1, 1, 1};
	interval = stats_share_interval(all, 5, .95, 2000);
	assert_near(interval.low, 1 - 0.0014967449, 1e-9);
	assert_near(interval.high, 1, 0);
	interval = stats_share_interval(shares, 1, .95, 0);
	assert_true(isnan(interval.low) && isnan(interval.high));
}

static void test_quantile(void **state)
{
	/* R: quantile(c(1, 2, 4, 8), c(.25, .5, .9)) */
	const double values[] = {1, 2, 4, 8};
	assert_near(stats_quantile(values, 4, 0.25), 1.75, 1e-12);
	assert_near(stats_quantile(values, 4, 0.5), 3, 1e-12);
	assert_near(stats_quantile(values, 4, 0.9), 6.8, 1e-12);
	assert_near(stats_quantile(values, 4, 0), 1, 0);
	assert_near(stats_quantile(values, 4, 1), 8, 0);
	assert_near(stats_quantile(values, 1, 0.3), 1, 0);
}

static void test_box(void **state)
{
	/* Quartiles 3 and 7, so whiskers reach from -3 to 13: 30 is beyond. */
	const double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 30};
	struct box box = stats_box(values, 9);
	assert_near(box.q1, 3, 0);
	assert_near(box.median, 5, 0);
	assert_near(box.q3, 7, 0);
	assert_near(box.low, 1, 0);
	assert_near(box.high, 8, 0);
	/* The same the other way round, and a value just at the whisker's end, which still belongs. */
	const double below[] = {-20, 1, 2, 3, 4, 5, 6, 7, 8};
	box = stats_box(below, 9);
	assert_near(box.q1, 2, 0);
	assert_near(box.q3, 6, 0);
	assert_near(box.low, 1, 0);
	assert_near(box.high, 8, 0);
	const double ends[] = {-3, 2, 3, 4, 5, 6, 7, 8, 13};
	box = stats_box(ends, 9);
	assert_near(box.low, -3, 0);
	assert_near(box.high, 13, 0);
	const double beyond[] = {-3.1, 2, 3, 4, 5, 6, 7, 8, 13.1};
	box = stats_box(beyond, 9);
	assert_near(box.low, 2, 0);
	assert_near(box.high, 8, 0);
	/* A lone far value: the whisker stays at the box and does not point inward. */
	const double lone[] = {0, 0, 0, 100};
	box = stats_box(lone, 4);
	assert_near(box.q3, 25, 0);
	assert_near(box.high, 25, 0);
}

static void test_ecdf(void **state)
{
	const double values[] = {1, 2, 2, 3};
	assert_near(stats_ecdf(values, 4, 0.5), 0, 0);
	assert_near(stats_ecdf(values, 4, 1), 0.25, 0);
	assert_near(stats_ecdf(values, 4, 2), 0.75, 0);
	assert_near(stats_ecdf(values, 4, 9), 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_t_interval),
		cmocka_unit_test(test_share_interval),
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_box),
		cmocka_unit_test(test_ecdf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
