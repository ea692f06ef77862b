/* What is proved of aggregators of rows, looked for: how far attackers can move what comes out, and what no
 * order and no place in the room may change. */
#include "aggregators.h"

/* The same bits whatever the order. */
static void test_order_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(3, RANDOM_ITEM, 0);
	double values[12 * 3], shuffled[12 * 3], a[3], b[3];
	uint32_t order[12];
	for (int trial = 0; trial < 40; trial++) {
		fill_normal(&stream, values, 12 * 3);
		random_permutation(&stream, order, 12);
		for (int i = 0; i < 12; i++) {
			memcpy(shuffled + i * 3, values + order[i] * 3, 3 * sizeof(*values));
		}
		for (size_t r = 0; rule_name(r) != NULL; r++) {
			if (strcmp(rule_name(r), "majority") == 0 || strcmp(rule_name(r), "bulyan") == 0) {
				/* Full of ties, which go by order: of equal bins, and of the last rows that
				 * Bulyan chooses from, two who are each other's nearest. */
				continue;
			}
			for (enum mixing before = MIXING_NONE; before <= MIXING_NNM; before++) {
				struct plugin_value rule = mixed_make(f, rule_name(r), before);
				apply(f, rule, values, 12, 3, 2, a);
				apply(f, rule, shuffled, 12, 3, 2, b);
				assert_memory_equal(a, b, sizeof(a));
			}
		}
	}
	assert_true(number(f, "majority", (double[]){1.1, 3, .8, 1.3}, 4, 1) ==
				number(f, "majority", (double[]){1.3, .8, 1.1, 3}, 4, 1));
}

static void test_moving_all_moves_the_answer(void **state)
{
	struct fixture *f = *state;
	struct random_stream stream = random_stream_make(4, RANDOM_ITEM, 0);
	const double by[3] = {4, -16, 1024}; /* whole bins, for the majority */
	double values[12 * 3], moved[12 * 3], a[3], b[3];
	for (int trial = 0; trial < 40; trial++) {
		fill_normal(&stream, values, 12 * 3);
		for (int i = 0; i < 12 * 3; i++) {
			moved[i] = values[i] + by[i % 3];
		}
		for (size_t r = 0; rule_name(r) != NULL; r++) {
			for (enum mixing before = MIXING_NONE; before <= MIXING_BUCKETING; before++) {
				bool nearest = strcmp(rule_name(r), "bulyan") == 0 || strcmp(rule_name(r), "mean-around-median") == 0;
				if (before == MIXING_NNM && nearest) {
					continue; /* mixed rows lie on a lattice: ties again, broken by rounding */
				}
				uint32_t n_faulty = before == MIXING_BUCKETING ? 0 : 2;
				struct plugin_value rule = mixed_make(f, rule_name(r), before);
				apply(f, rule, values, 12, 3, n_faulty, a);
				apply(f, rule, moved, 12, 3, n_faulty, b);
				expect_row(b, a[0] + by[0], a[1] + by[1], a[2] + by[2], 1e-9);
			}
		}
	}
}

/* Whatever the f others say, in each coordinate: f from 0 to below half, n up to 10. */
static void test_median_and_trimmed_mean_stay_in_the_honest_range(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"median", "trimmed-mean"};
	struct random_stream stream = random_stream_make(5, RANDOM_ITEM, 0);
	static const double sizes[] = {1e-3, 1, 1e3, 1e300};
	double values[10 * 2], out[2];
	for (uint32_t n = 1; n <= 10; n++) {
		for (uint32_t liars = 0; 2 * liars < n; liars++) {
			for (int trial = 0; trial < 40; trial++) {
				fill_normal(&stream, values, 2 * n);
				for (uint32_t i = 0; i < 2 * liars; i++) {
					values[i] *= sizes[trial % 4]; /* the first are the liars */
				}
				for (int rule = 0; rule < 2; rule++) {
					apply(f, rule_make(f, names[rule]), values, n, 2, liars, out);
					for (uint32_t k = 0; k < 2; k++) {
						double low = INFINITY, high = -INFINITY;
						for (uint32_t i = liars; i < n; i++) {
							low = fmin(low, values[i * 2 + k]);
							high = fmax(high, values[i * 2 + k]);
						}
						assert_true(out[k] >= low && out[k] <= high);
					}
				}
			}
		}
	}
}

/* The bound on |F - mean of S|^2 over the variance of S, for every set S of n - f rows.
 *
 * Trimmed mean, median and geometric median: Allouah and others 2023, table 1. Theirs for Krum is
 * for n - f neighbours; for the original's n - f - 2 their argument gives 6 (n-f)/(n-2f-1): of the
 * chosen row and its neighbours at least n - 2f - 1 are in S. */
static double robustness_bound(const char *name, double n, double f)
{
	double ratio = f / (n - 2 * f);
	if (strcmp(name, "trimmed-mean") == 0) {
		return 6 * ratio * (1 + ratio);
	}
	if (strcmp(name, "krum") == 0) {
		return 6 * (n - f) / (n - 2 * f - 1);
	}
	return 4 * (1 + ratio) * (1 + ratio);
}

/* After nearest-neighbour mixing: 8 f/(n-f) (kappa + 1), the same, lemma 1; it goes to 0 with f/n. */
static double mixed_bound(const char *name, double n, double f)
{
	return 8 * f / (n - f) * (robustness_bound(name, n, f) + 1);
}

static double robustness(
	const double *values, uint32_t n, uint32_t dims, uint32_t set, const double *out)
{
	double distance2 = 0, variance = 0;
	for (uint32_t k = 0; k < dims; k++) {
		double mean = 0, n_in = 0;
		for (uint32_t i = 0; i < n; i++) {
			mean += set >> i & 1 ? values[i * dims + k] : 0;
			n_in += set >> i & 1;
		}
		mean /= n_in;
		for (uint32_t i = 0; i < n; i++) {
			double deviation = values[i * dims + k] - mean;
			variance += set >> i & 1 ? deviation * deviation / n_in : 0;
		}
		distance2 += (out[k] - mean) * (out[k] - mean);
	}
	return distance2 / variance;
}

static void test_robust_over_all_honest_subsets(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"median", "trimmed-mean", "krum", "geometric-median"};
	struct random_stream stream = random_stream_make(6, RANDOM_ITEM, 0);
	double values[10 * 2], out[2];
	double worst_mean = 0;
	for (uint32_t n = 5; n <= 10; n++) {
		for (uint32_t liars = 1; 2 * liars + 3 <= n; liars++) {
			for (int trial = 0; trial < 12; trial++) {
				fill_normal(&stream, values, 2 * n);
				for (uint32_t i = 0; i < 2 * liars; i++) {
					/* scattered, far and together, near and together */
					values[i] = trial % 3 == 0 ? values[i] * 30 : trial % 3 == 1 ? 100 : 2;
				}
				for (int rule = 0; rule < 9; rule++) {
					const char *name = rule == 4 ? "mean" : names[rule % 5 % 4];
					bool mixes = rule > 4;
					apply(f, mixed_make(f, name, mixes ? MIXING_NNM : MIXING_NONE), values, n, 2,
						liars, out);
					for (uint32_t set = 0; set < 1u << n; set++) {
						if ((uint32_t)__builtin_popcount(set) != n - liars) {
							continue;
						}
						double found = robustness(values, n, 2, set, out);
						if (rule == 4) {
							worst_mean =
								fmax(worst_mean, found / robustness_bound("median", n, liars));
						} else {
							assert_true(found <= (mixes ? mixed_bound(name, n, liars)
														: robustness_bound(name, n, liars)));
						}
					}
				}
			}
		}
	}
	/* The bounds do tell something: the mean is far beyond them. */
	assert_true(worst_mean > 10);
}

/* The least number of liars, all at one far place, that take the answer with them; the rule is told
 * n_faulty all the while. */
static uint32_t breakdown(struct fixture *f, const char *name, uint32_t n, uint32_t n_faulty)
{
	struct random_stream stream = random_stream_make(7, RANDOM_ITEM, n);
	double values[N_MAX * 2], honest[N_MAX * 2], out[2];
	fill_normal(&stream, honest, 2 * n);
	for (uint32_t liars = 0; liars <= n; liars++) {
		memcpy(values, honest, sizeof(values));
		for (uint32_t i = 0; i < 2 * liars; i++) {
			values[i] = 1e9;
		}
		apply(f, rule_make(f, name), values, n, 2, n_faulty, out);
		if (fabs(out[0]) > 1e3 || fabs(out[1]) > 1e3) {
			return liars;
		}
	}
	return n + 1;
}

static void test_breakdown(void **state)
{
	struct fixture *f = *state;
	for (uint32_t n_faulty = 0; n_faulty <= 3; n_faulty++) {
		uint32_t n = 2 * n_faulty + 3;
		assert_int_equal(breakdown(f, "mean", n, n_faulty), 1);
		assert_int_equal(breakdown(f, "weighted-mean", n, n_faulty), 1);
		assert_int_equal(breakdown(f, "inverse-variance", n, n_faulty), 1);
		assert_int_equal(breakdown(f, "median", n, n_faulty), n_faulty + 2);
		assert_int_equal(breakdown(f, "geometric-median", n, n_faulty), n_faulty + 2);
		assert_int_equal(breakdown(f, "centered-clipping", n, n_faulty), n_faulty + 2);
		assert_int_equal(breakdown(f, "trimmed-mean", n, n_faulty), n_faulty + 1);
		assert_int_equal(breakdown(f, "multi-krum", n, n_faulty), n_faulty + 1);
		/* a liar is chosen once n - f - 2 others stand beside it, or all have as many far ones */
		assert_true(breakdown(f, "krum", n, n_faulty) > n_faulty);
		assert_true(breakdown(f, "krum", n, n_faulty) <= n - n_faulty - 1);
	}
	for (uint32_t n_faulty = 0; n_faulty <= 3; n_faulty++) {
		uint32_t n = 4 * n_faulty + 3;
		assert_true(breakdown(f, "bulyan", n, n_faulty) > n_faulty);
		assert_true(breakdown(f, "bulyan", n, n_faulty) <= 2 * n_faulty + 2);
	}
}

/* The fullest bin: that of the honest ones, all in one, until the liars in theirs are as many and come
 * first. */
static void test_breakdown_of_the_majority(void **state)
{
	struct fixture *f = *state;
	for (uint32_t n = 3; n <= 10; n++) {
		for (uint32_t liars = 0; liars <= n; liars++) {
			double values[10];
			for (uint32_t i = 0; i < n; i++) {
				values[i] = i < liars ? 1e9 : 7 + .01 * i;
			}
			bool broken = number(f, "majority", values, n, (n - 1) / 3) > 1e3;
			assert_int_equal(broken, 2 * liars >= n && liars > 0);
		}
	}
}

/* FLTrust is no longer than the row that it trusts, and never against it, whatever all others say. */
static void test_fltrust_is_bounded_by_its_root(void **state)
{
	struct fixture *f = *state;
	struct plugin_value rule = plugin_make(&f->arena, &eval_aggregator_registry, "fltrust");
	struct random_stream stream = random_stream_make(9, RANDOM_ITEM, 0);
	double values[6 * 3], out[3];
	set_int(rule, "trusted", 2);
	for (int trial = 0; trial < 300; trial++) {
		double length2 = 0, out2 = 0, inner = 0;
		fill_normal(&stream, values, 6 * 3);
		for (int i = 0; i < 6 * 3; i++) {
			values[i] *= i / 3 == 2 ? 1 : trial % 2 ? 1e6 : 1e-6;
		}
		apply(f, rule, values, 6, 3, 2, out);
		for (int k = 0; k < 3; k++) {
			length2 += values[6 + k] * values[6 + k];
			out2 += out[k] * out[k];
			inner += out[k] * values[6 + k];
		}
		assert_true(out2 <= length2 * (1 + 1e-12) && inner >= -1e-12);
	}
}

/* What a liar says, be it the largest of numbers, leaves the answer finite. */
static void test_huge_values_do_not_overflow(void **state)
{
	struct fixture *f = *state;
	double values[8 * 2] = {1, 2, 1.1, 2.2, .9, 2.1, 1.2, 1.9, .8, 2, 1, 1.9};
	double out[2];
	values[12] = 1.7e308;
	values[13] = -1.7e308;
	values[14] = -1.7e308;
	values[15] = -1.7e308;
	for (size_t r = 0; rule_name(r) != NULL; r++) {
		if (strcmp(rule_name(r), "bulyan") == 0) {
			continue;
		}
		for (enum mixing before = MIXING_NONE; before <= MIXING_NNM; before++) {
			apply(f, mixed_make(f, rule_name(r), before), values, 8, 2, 2, out);
			assert_true(isfinite(out[0]) && isfinite(out[1]));
			bool robust = strcmp(rule_name(r), "mean") != 0 &&
				strcmp(rule_name(r), "weighted-mean") != 0 &&
				strcmp(rule_name(r), "inverse-variance") != 0;
			if (robust && before == MIXING_NONE) {
				assert_true(fabs(out[0] - 1) < 3 && fabs(out[1] - 2) < 3);
			}
		}
	}
}

/* Nor where the difference of two of them is beyond the largest. */
static void test_huge_differences_do_not_overflow(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"geometric-median", "centered-clipping", "krum"};
	const double values[5 * 2] = {-1.7e308, 0, -1.7e308, 1, 1.7e308, 1, -1.7e308, 2, -1.6e308, 0};
	double out[2];
	for (int i = 0; i < 3; i++) {
		apply(f, rule_make(f, names[i]), values, 5, 2, 1, out);
		assert_true(out[0] >= -1.7e308 && out[0] <= -1.6e308);
		assert_true(out[1] >= -4 && out[1] <= 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_does_not_matter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moving_all_moves_the_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_median_and_trimmed_mean_stay_in_the_honest_range, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_robust_over_all_honest_subsets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_breakdown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_breakdown_of_the_majority, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fltrust_is_bounded_by_its_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_huge_values_do_not_overflow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_huge_differences_do_not_overflow, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("aggregators, proved", tests, NULL, NULL);
}
