#include "engine/latency.h"

#include "sim/real.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include <cmocka.h>

#define N_VALIDATORS 1001
#define N_MULTICASTS 400
#define N_DRAWS (N_MULTICASTS * (N_VALIDATORS - 1))
#define SIGMAS 4.0

static sim_time drawn_ns[N_DRAWS];

/* A model with its settings, as a scenario would fill them in. */
struct setup {
	const struct latency_model *model;
	alignas(16) char settings[sizeof(struct latency_regions)];
};

static const struct plugin *find(const struct registry *registry, const char *name)
{
	for (size_t i = 0; registry->plugins[i]; i++) {
		if (strcmp(registry->plugins[i]->name, name) == 0) {
			return registry->plugins[i];
		}
	}
	fail_msg("no %s \"%s\"", registry->sort, name);
	return NULL;
}

static struct setup setup_make(const char *kind)
{
	struct setup setup = {
		.model = (const struct latency_model *)find(&latency_registry, kind)};
	assert_true(setup.model->plugin.settings_size <= sizeof(setup.settings));
	return setup;
}

static const struct param *find_param(const struct setup *setup, const char *name)
{
	const struct param *param = setup->model->plugin.params;
	while (strcmp(param->name, name) != 0) {
		param++;
		assert_non_null(param->name);
	}
	return param;
}

static void set_time(struct setup *setup, const char *name, sim_time value_ns)
{
	const struct param *param = find_param(setup, name);
	assert_int_equal(param->kind, PARAM_DURATION);
	memcpy(setup->settings + param->offset, &value_ns, sizeof(value_ns));
}

static void set_real(struct setup *setup, const char *name, double value)
{
	const struct param *param = find_param(setup, name);
	assert_int_equal(param->kind, PARAM_REAL);
	memcpy(setup->settings + param->offset, &value, sizeof(value));
}

static sim_time p999_ns(const struct setup *setup, uint32_t n_validators)
{
	return setup->model->p999_ns(setup->settings, n_validators);
}

static sim_time draw_one(const struct setup *setup, struct random_key key, uint64_t number,
	uint32_t from, uint32_t to, uint32_t n_validators)
{
	sim_time delay_ns = -1;
	setup->model->draw(setup->settings, key, number, from, &to, 1, n_validators, &delay_ns);
	return delay_ns;
}

/* All others, in ascending order, as a multicast has them. */
static uint32_t others(uint32_t from, uint32_t n, uint32_t *to)
{
	uint32_t n_to = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (i != from) {
			to[n_to++] = i;
		}
	}
	return n_to;
}

static void draw_all(const struct setup *setup)
{
	static uint32_t to[N_VALIDATORS];
	for (uint32_t i = 0; i < N_MULTICASTS; i++) {
		uint32_t from = i % N_VALIDATORS;
		struct random_key key = random_key_make(11, RANDOM_LATENCY, from);
		uint32_t n = others(from, N_VALIDATORS, to);
		setup->model->draw(setup->settings, key, i, from, to, n, N_VALIDATORS, drawn_ns + i * n);
	}
}

static void assert_near(double got, double expected, double tolerance)
{
	if (!(fabs(got - expected) <= tolerance)) {
		fail_msg("got %.17g, expected %.17g +- %g", got, expected, tolerance);
	}
}

/* The share of draws of at most `delay_ns`. */
static void assert_share(double delay_ns, double share)
{
	size_t n = 0;
	for (size_t i = 0; i < N_DRAWS; i++) {
		n += (double)drawn_ns[i] <= delay_ns;
	}
	assert_near((double)n / N_DRAWS, share, SIGMAS * sqrt(share * (1 - share) / N_DRAWS));
}

/* Mean and standard deviation, where the fourth central moment is kurtosis * sd^4. */
static void assert_moments(double mean_ns, double sd_ns, double kurtosis)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_true(drawn_ns[i] >= 0);
		sum += (double)drawn_ns[i] - mean_ns;
		squares += ((double)drawn_ns[i] - mean_ns) * ((double)drawn_ns[i] - mean_ns);
	}
	assert_near(sum / N_DRAWS, 0, SIGMAS * sd_ns / sqrt(N_DRAWS));
	assert_near(squares / N_DRAWS / (sd_ns * sd_ns), 1, SIGMAS * sqrt((kurtosis - 1) / N_DRAWS));
}

static void assert_refused(struct setup *setup, const char *param, const char *words)
{
	struct shape shape = {.n_validators = 4, .n_faulty = 1};
	const char *got_param = NULL;
	char error[256] = "";
	assert_false(setup->model->plugin.finish(setup->settings, &shape, &got_param, error));
	assert_string_equal(got_param, param);
	if (!strstr(error, words)) {
		fail_msg("\"%s\" doesn't say \"%s\"", error, words);
	}
	assert_true(strlen(error) <= 200);
}

static void finish(struct setup *setup)
{
	struct shape shape = {.n_validators = 4, .n_faulty = 1};
	const char *param = NULL;
	char error[256] = "";
	if (!setup->model->plugin.finish(setup->settings, &shape, &param, error)) {
		fail_msg("%s: %s", param, error);
	}
}

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

static struct csv_table samples_make(size_t n_rows, size_t n_columns, const double *cells)
{
	static const char *const names[] = {"a", "b"};
	return (struct csv_table){
		.n_rows = n_rows, .n_columns = n_columns, .column_names = names, .cells = cells};
}

static void set_samples(struct setup *setup, const struct csv_table *samples)
{
	memcpy(setup->settings + find_param(setup, "file")->offset, &samples, sizeof(samples));
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

static struct latency_regions *regions_of(struct setup *setup)
{
	return (struct latency_regions *)(void *)setup->settings;
}

static struct setup regions_make(const char *builtin, size_t n_places, const char *const *places)
{
	struct setup setup = setup_make("regions");
	regions_of(&setup)->matrix = find_param(&setup, "matrix")->builtin(builtin);
	assert_non_null(regions_of(&setup)->matrix);
	regions_of(&setup)->place = (struct name_list){.n = n_places, .names = places};
	return setup;
}

/* Jitter of 0 to 4 ms on the regions. */
static void regions_jitter(struct setup *setup, struct setup *jitter)
{
	const struct registry *registry = find_param(setup, "jitter")->registry;
	*jitter = setup_make("uniform");
	set_time(jitter, "min", 0);
	set_time(jitter, "max", 4 * SIM_MS);
	regions_of(setup)->jitter =
		(struct plugin_value){.plugin = find(registry, "uniform"), .settings = jitter->settings};
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
		cmocka_unit_test(test_regions_of_aws),
		cmocka_unit_test(test_regions_of_bftsmart),
		cmocka_unit_test(test_regions_places),
		cmocka_unit_test(test_regions_jitter),
		cmocka_unit_test(test_regions_of_a_file_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
