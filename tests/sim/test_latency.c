#include "delays.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

static void test_registry(void **state)
{
	for (size_t i = 0; latency_registry.plugins[i]; i++) {
		const struct latency_model *model =
			(const struct latency_model *)latency_registry.plugins[i];
		assert_int_equal(model->constant, strcmp(model->plugin.name, "constant") == 0);
		for (const struct param *param = model->plugin.params; param->name; param++) {
			assert_true(param->offset < model->plugin.settings_size);
			assert_non_null(param->help);
		}
	}
}

static void test_constant(void **state)
{
	struct setup setup = setup_make("constant");
	set_time(&setup, "value", 10 * SIM_MS);
	draw_all(&setup);
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_int_equal(drawn_ns[i], 10 * SIM_MS);
	}
	assert_int_equal(p999_ns(&setup, 4), 10 * SIM_MS);
}

static void test_uniform(void **state)
{
	struct setup setup = setup_make("uniform");
	set_time(&setup, "min", 30 * SIM_MS);
	set_time(&setup, "max", 40 * SIM_MS);
	finish(&setup);
	draw_all(&setup);
	assert_moments(35e6, 10e6 / sqrt(12), 1.8);
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_in_range(drawn_ns[i], 30 * SIM_MS, 40 * SIM_MS);
	}
	assert_share(31e6, 0.1);
	assert_int_equal(p999_ns(&setup, 4), 39990000);
	assert_share((double)p999_ns(&setup, 4), 0.999);

	set_time(&setup, "max", 30 * SIM_MS);
	finish(&setup);
	assert_int_equal(draw_one(&setup, random_key_make(1, RANDOM_LATENCY, 0), 0, 0, 1, 4),
		30 * SIM_MS);
	set_time(&setup, "max", 29 * SIM_MS);
	assert_refused(&setup, "max", "at least min (30 ms), got 29 ms");
}

/* A delay is the nearest whole number of ns: of 0 to 2 ns, a quarter are 0 and half are 1. */
static void test_delays_are_rounded(void **state)
{
	struct setup setup = setup_make("uniform");
	set_time(&setup, "min", 0);
	set_time(&setup, "max", 2);
	draw_all(&setup);
	assert_share(0, 0.25);
	assert_share(1, 0.75);
	assert_share(2, 1);
}

static void test_normal(void **state)
{
	struct setup setup = setup_make("normal");
	set_time(&setup, "mean", 20 * SIM_MS);
	set_time(&setup, "sd", 2 * SIM_MS);
	draw_all(&setup);
	assert_moments(20e6, 2e6, 3);
	assert_share(18e6, gsl_cdf_ugaussian_P(-1));
	assert_near((double)p999_ns(&setup, 4), 20e6 + 3.0902323061678135 * 2e6, 0.5);
	assert_share((double)p999_ns(&setup, 4), 0.999);
}

static void test_normal_is_clipped_at_0(void **state)
{
	struct setup setup = setup_make("normal");
	set_time(&setup, "mean", 5 * SIM_MS);
	set_time(&setup, "sd", 10 * SIM_MS);
	draw_all(&setup);
	double p = gsl_cdf_ugaussian_P(0.5), density = gsl_ran_ugaussian_pdf(0.5);
	double mean = 5e6 * p + 10e6 * density;
	double square = (25e12 + 100e12) * p + 50e12 * density;
	assert_moments(mean, sqrt(square - mean * mean), 4);
	assert_share(0, 1 - p);
	assert_share((double)p999_ns(&setup, 4), 0.999);
}

static void test_lognormal(void **state)
{
	struct setup setup = setup_make("lognormal");
	set_time(&setup, "median", 20 * SIM_MS);
	set_real(&setup, "sigma", 0.25);
	draw_all(&setup);
	double s = exp(0.0625);
	double kurtosis = s * s * s * s + 2 * s * s * s + 3 * s * s - 3;
	assert_moments(20e6 * sqrt(s), 20e6 * sqrt(s * (s - 1)), kurtosis);
	assert_share(20e6, 0.5);
	assert_share(20e6 * exp(0.25), gsl_cdf_ugaussian_P(1));
	assert_near((double)p999_ns(&setup, 4), 20e6 * exp(0.25 * 3.0902323061678135), 0.51);
	assert_share((double)p999_ns(&setup, 4), 0.999);
}

static void test_too_long_for_the_clock(void **state)
{
	struct setup setup = setup_make("lognormal");
	set_time(&setup, "median", INT64_C(1) << 60);
	set_real(&setup, "sigma", 10);
	draw_all(&setup);
	size_t n_never = 0;
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_true(drawn_ns[i] >= 0);
		n_never += drawn_ns[i] == SIM_NEVER;
	}
	assert_near((double)n_never / N_DRAWS, gsl_cdf_ugaussian_Q(log(8) / 10), 0.004);
	assert_int_equal(p999_ns(&setup, 4), SIM_NEVER);
}

static void test_exponential(void **state)
{
	struct setup setup = setup_make("exponential");
	set_time(&setup, "mean", 10 * SIM_MS);
	set_time(&setup, "min", 5 * SIM_MS);
	draw_all(&setup);
	assert_moments(15e6, 10e6, 9);
	assert_share(5e6 - 1, 0);
	assert_share(5e6 + 10e6 * log(2), 0.5);
	assert_near((double)p999_ns(&setup, 4), 5e6 + 10e6 * log(1000), 0.51);
	assert_share((double)p999_ns(&setup, 4), 0.999);
}

/* P(delay > x) = (min / x)^a; mean a min / (a - 1), variance a min^2 / ((a - 1)^2 (a - 2)). */
static void test_pareto(void **state)
{
	struct setup setup = setup_make("pareto");
	const double a = 10;
	set_time(&setup, "min", 20 * SIM_MS);
	set_real(&setup, "shape", a);
	draw_all(&setup);
	double kurtosis = 3 + 6 * (a * a * a + a * a - 6 * a - 2) / (a * (a - 3) * (a - 4));
	assert_moments(a * 20e6 / (a - 1), 20e6 / (a - 1) * sqrt(a / (a - 2)), kurtosis);
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_true(drawn_ns[i] >= 20 * SIM_MS);
	}
	assert_share(20e6 * pow(2, 1 / a), 0.5);
	assert_share(20e6 * pow(10, 1 / a), 0.9);
	assert_near((double)p999_ns(&setup, 4), 20e6 * pow(1000, 1 / a), 0.51);
	assert_share((double)p999_ns(&setup, 4), 0.999);
	set_real(&setup, "shape", 1e-3); /* a tail that the clock can't hold */
	assert_int_equal(p999_ns(&setup, 4), SIM_NEVER);
}

/* Each sample is as likely as another. */
static void test_empirical(void **state)
{
	struct setup setup = setup_make("empirical");
	const double cells[] = {4, 1.5, 4, 0, 20.0000004};
	struct csv_table samples = samples_make(5, 1, cells);
	set_samples(&setup, &samples);
	finish(&setup);
	draw_all(&setup);
	double mean = 29.5e6 / 5, square = (16 + 2.25 + 16 + 400) * 1e12 / 5, fourth = 0;
	for (int i = 0; i < 5; i++) {
		fourth += pow(cells[i] * 1e6 - mean, 4) / 5;
	}
	double variance = square - mean * mean;
	assert_moments(mean, sqrt(variance), fourth / variance / variance);
	assert_share(0, 0.2);
	assert_share(1499999, 0.2);
	assert_share(1500000, 0.4);
	assert_share(4e6, 0.8);
	assert_share(2e7, 1); /* to the nearest ns */
	assert_int_equal(p999_ns(&setup, 4), 20 * SIM_MS);
}

static void test_empirical_p999(void **state)
{
	static double cells[2000];
	struct setup setup = setup_make("empirical");
	for (int i = 0; i < 2000; i++) {
		cells[i] = 2000 - i;
	}
	const size_t n_rows[] = {1, 999, 1000, 1001, 2000};
	const sim_time least[] = {2000, 2000, 1999, 1999, 1998};
	for (int i = 0; i < 5; i++) {
		struct csv_table samples = samples_make(n_rows[i], 1, cells);
		set_samples(&setup, &samples);
		finish(&setup);
		assert_int_equal(p999_ns(&setup, 4), least[i] * SIM_MS);
	}
}

static void test_samples_are_checked(void **state)
{
	struct setup setup = setup_make("empirical");
	const double cells[] = {4, -1}, nan_cells[] = {1, NAN};
	struct csv_table samples = samples_make(1, 2, cells);
	set_samples(&setup, &samples);
	assert_refused(&setup, "file", "one column of delays in ms, got 2 columns of 1");
	samples = samples_make(0, 1, cells);
	assert_refused(&setup, "file", "got 1 columns of 0");
	samples = samples_make(2, 1, cells);
	assert_refused(&setup, "file", "at least 0, got -1 in row 2");
	samples = samples_make(2, 1, nan_cells);
	assert_refused(&setup, "file", "got nan in row 2");
}

/* A receiver's delay has its own name: who else receives, and in which order, changes nothing. */
static void test_a_draw_is_independent_of_other_receivers(void **state)
{
	struct setup setups[7] = {setup_make("uniform"), setup_make("normal"), setup_make("lognormal"),
		setup_make("exponential"), regions_make("aws", 0, NULL), setup_make("pareto"),
		setup_make("empirical")};
	const double cells[] = {1, 2, 3, 4, 5, 6, 7};
	struct csv_table samples = samples_make(7, 1, cells);
	set_time(&setups[5], "min", 20 * SIM_MS);
	set_real(&setups[5], "shape", 2);
	set_samples(&setups[6], &samples);
	finish(&setups[6]);
	struct setup jitter;
	set_time(&setups[0], "min", 10 * SIM_MS);
	set_time(&setups[0], "max", 20 * SIM_MS);
	set_time(&setups[1], "mean", 20 * SIM_MS);
	set_time(&setups[1], "sd", 3 * SIM_MS);
	set_time(&setups[2], "median", 20 * SIM_MS);
	set_real(&setups[2], "sigma", 0.5);
	set_time(&setups[3], "mean", 20 * SIM_MS);
	regions_jitter(&setups[4], &jitter);
	finish(&setups[4]);
	enum { N = 1300, N_KEPT = 1000 };
	struct random_key key = random_key_make(12, RANDOM_LATENCY, 3);
	struct random_stream stream = random_stream_make(12, RANDOM_FAULT, 0);
	for (int k = 0; k < 7; k++) {
		static sim_time all_ns[N], one_ns[N], some_ns[N];
		static uint32_t to[N];
		for (uint32_t i = 0; i < N; i++) {
			one_ns[i] = draw_one(&setups[k], key, 77, 3, i, N_KEPT);
		}
		uint32_t n = others(3, N_KEPT, to);
		setups[k].model->draw(setups[k].settings, key, 77, 3, to, n, N_KEPT, all_ns);
		for (uint32_t i = 0; i < n; i++) {
			assert_int_equal(all_ns[i], one_ns[to[i]]);
		}
		assert_int_not_equal(one_ns[8], one_ns[16]); /* one region, two draws */
		for (int round = 0; round < 200; round++) {
			/* Sparse or dense, some of it clients, ascending but in every fifth round. */
			uint64_t one_in = 1 + random_below(&stream, round % 2 ? 3 : 40);
			uint32_t n_some = 0;
			for (uint32_t i = 0; i < N; i++) {
				if (random_below(&stream, one_in) == 0) {
					to[n_some++] = i;
				}
			}
			for (uint32_t i = n_some; round % 5 == 0 && i > 1; i--) {
				uint64_t j = random_below(&stream, i);
				uint32_t kept = to[i - 1];
				to[i - 1] = to[j];
				to[j] = kept;
			}
			setups[k].model->draw(
				setups[k].settings, key, 77, 3, to, n_some, N_KEPT, some_ns);
			for (uint32_t i = 0; i < n_some; i++) {
				assert_int_equal(some_ns[i], one_ns[to[i]]);
			}
		}
		assert_int_not_equal(one_ns[0], draw_one(&setups[k], key, 78, 3, 0, N_KEPT));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_delays_are_rounded),
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_normal_is_clipped_at_0),
		cmocka_unit_test(test_lognormal),
		cmocka_unit_test(test_too_long_for_the_clock),
		cmocka_unit_test(test_exponential),
		cmocka_unit_test(test_pareto),
		cmocka_unit_test(test_empirical),
		cmocka_unit_test(test_empirical_p999),
		cmocka_unit_test(test_samples_are_checked),
		cmocka_unit_test(test_a_draw_is_independent_of_other_receivers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
