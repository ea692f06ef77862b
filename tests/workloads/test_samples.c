/* Who learns from which rows, with what noise, and from when on they mean something else. */
#include "settings.h"

#include "predictors.h"

struct fixture {
	struct arena arena;
	struct plugin_value dimweight, linear;
	struct training training;
};

static void fixture_make(struct fixture *f, int64_t train, const char *shards)
{
	*f = (struct fixture){0};
	f->dimweight = dimweight_make(&f->arena, "model");
	f->linear = linear_make(&f->arena, train);
	*(struct plugin_value *)setting(f->linear, "shards", PARAM_PLUGIN) =
		plugin_make(&f->arena, &sharding_registry, shards);
	f->training = (struct training){
		.workload = workload_of(f->dimweight),
		.workload_settings = f->dimweight.settings,
		.predictor = &f->linear,
		.seed = 7,
		.n_validators = 4,
	};
}

static struct plugin_value shards_of(struct fixture *f)
{
	return *(struct plugin_value *)setting(f->linear, "shards", PARAM_PLUGIN);
}

static struct dataset draw(struct fixture *f, uint32_t node, struct dataset *held_out)
{
	struct dataset sample, other;
	char error[256] = "";
	bool poisoned;
	f->training.node = node;
	if (!samples_draw(&f->training, &sample, held_out == NULL ? &other : held_out, &poisoned,
			&f->arena, error)) {
		fail_msg("%s", error);
	}
	return sample;
}

/* Of a's rows, the share that are b's too (by their labels, which never repeat). */
static double in_common(const struct dataset *a, const struct dataset *b)
{
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t j = 0; j < b->n; j++) {
			if (a->truth[i] == b->truth[j] && a->x[i * 4] == b->x[j * 4]) {
				n++;
				break;
			}
		}
	}
	return (double)n / (double)a->n;
}

static void test_rows_in_common(void **state)
{
	static const struct {
		const char *shards;
		size_t n;
		double common;
	} cases[] = {{"own", 200, 0}, {"shared", 200, 1}, {"disjoint", 50, 0}, {"overlapping", 200, .25}};
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct fixture f;
		fixture_make(&f, 200, cases[c].shards);
		if (cases[c].common == .25) {
			set_real(shards_of(&f), "overlap", .25);
		}
		struct dataset held_out, held_out_too;
		struct dataset a = draw(&f, 0, &held_out), b = draw(&f, 3, &held_out_too);
		assert_int_equal(a.n, cases[c].n);
		assert_int_equal(b.n, cases[c].n);
		assert_true(in_common(&a, &b) == cases[c].common);
		assert_int_equal(held_out.n, 200);
		assert_true(in_common(&a, &held_out) == 0);
		assert_true(in_common(&held_out, &held_out_too) == 0);
		arena_finish(&f.arena);
	}
}

/* The parts of a cut sample are that sample: those of 4 validators and that of 1. */
static void test_disjoint_parts_make_a_whole(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, 202, "disjoint");
	struct dataset parts[4];
	size_t n = 0;
	for (uint32_t i = 0; i < 4; i++) {
		parts[i] = draw(&f, i, NULL);
		n += parts[i].n;
	}
	assert_int_equal(n, 202);
	f.training.n_validators = 1;
	struct dataset whole = draw(&f, 0, NULL);
	assert_int_equal(whole.n, 202);
	for (size_t i = 0, at = 0; i < 4; at += parts[i++].n) {
		assert_memory_equal(whole.target + at, parts[i].target, parts[i].n * sizeof(double));
	}
	const char *param = NULL;
	char error[256];
	const struct shape shape = {.n_validators = 12};
	assert_false(f.linear.plugin->finish(f.linear.settings, &shape, &param, error));
	assert_string_equal(param, "train");
	arena_finish(&f.arena);
}

/* Mean share of each validator's largest of ten clusters, over 40 of them. */
static double largest_share(double alpha)
{
	struct fixture f;
	double sum = 0;
	fixture_make(&f, 100, "skewed");
	set_real(shards_of(&f), "alpha", alpha);
	f.training.n_validators = 40;
	double bounds[9];
	/* The clusters are equally large ranges of the pool's labels: of all validators' rows together
	 * nearly so. */
	double *all = arena_array(&f.arena, double, 4000);
	struct dataset samples[40];
	for (uint32_t i = 0; i < 40; i++) {
		samples[i] = draw(&f, i, NULL);
		assert_int_equal(samples[i].n, 100);
		memcpy(all + 100 * i, samples[i].target, 100 * sizeof(*all));
	}
	for (size_t i = 1; i < 4000; i++) {
		for (size_t j = i; j > 0 && all[j - 1] > all[j]; j--) {
			double kept = all[j];
			all[j] = all[j - 1];
			all[j - 1] = kept;
		}
	}
	for (int c = 0; c < 9; c++) {
		bounds[c] = all[400 * (c + 1)];
	}
	for (uint32_t i = 0; i < 40; i++) {
		int counts[10] = {0}, most = 0;
		for (int row = 0; row < 100; row++) {
			int c = 0;
			while (c < 9 && samples[i].target[row] >= bounds[c]) {
				c++;
			}
			counts[c]++;
			most = counts[c] > most ? counts[c] : most;
		}
		sum += most / 100.0 / 40;
	}
	arena_finish(&f.arena);
	return sum;
}

/* The largest of ten Dirichlet shares: .1 where alpha is large, near 1 where it is small, and at
 * alpha 1, where they are the gaps of nine uniforms, (1 + 1/2 + ... + 1/10) / 10 = .293 on average.
 * Ranges are cut by the sample here, and not by the pool, so roughly. */
static void test_skew(void **state)
{
	(void)state;
	double even = largest_share(1e5), middle = largest_share(1), one_sided = largest_share(.01);
	print_message("largest share: %.3f, %.3f, %.3f\n", even, middle, one_sided);
	assert_true(even > .12 && even < .2); /* the largest of ten multinomial counts of 100 */
	assert_true(middle > .24 && middle < .37);
	assert_true(one_sided > .6);
}

/* No row twice, though one range alone may fill a sample. */
static void test_skewed_rows_do_not_repeat(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, 100, "skewed");
	set_real(shards_of(&f), "alpha", .001);
	for (uint32_t node = 0; node < 4; node++) {
		struct dataset sample = draw(&f, node, NULL);
		for (size_t i = 0; i < 100; i++) {
			for (size_t j = 0; j < i; j++) {
				assert_true(memcmp(sample.x + 4 * i, sample.x + 4 * j, 4 * sizeof(double)) != 0);
			}
		}
	}
	arena_finish(&f.arena);
}

static double sd(const double *a, const double *b, size_t n)
{
	double sum = 0, square_sum = 0;
	for (size_t i = 0; i < n; i++) {
		double value = a[i] - (b == NULL ? 0 : b[i]);
		sum += value;
		square_sum += value * value;
	}
	return sqrt(square_sum / (double)n - sum / (double)n * (sum / (double)n));
}

static void test_label_noise(void **state)
{
	static const char *const shards[] = {"own", "shared"};
	(void)state;
	for (int s = 0; s < 2; s++) {
		struct fixture f;
		fixture_make(&f, 4000, shards[s]);
		struct dataset held_out, held_out_too;
		struct dataset clean = draw(&f, 1, &held_out);
		set_real(f.linear, "label_noise", .5);
		struct dataset noisy = draw(&f, 1, &held_out_too);
		assert_memory_equal(clean.x, noisy.x, 4000 * 4 * sizeof(double));
		assert_near(sd(noisy.target, clean.target, 4000) / sd(clean.target, NULL, 4000), .5, .02);
		assert_memory_equal(held_out.target, held_out_too.target, 4000 * sizeof(double));
		arena_finish(&f.arena);
	}
}

static void test_drift(void **state)
{
	struct fixture f;
	char error[256] = "";
	(void)state;
	fixture_make(&f, 50, "own");
	struct plugin_value linear = plugin_make(&f.arena, &drift_registry, "linear");
	struct drift_settings *drift = linear.settings;
	struct dataset held_out, held_out_later;
	struct dataset before = draw(&f, 0, &held_out);
	*(struct plugin_value *)setting(f.linear, "drift", PARAM_PLUGIN) = linear;
	*drift = (struct drift_settings){
		.feature = "ln_density", .from_ns = 10 * SIM_SECOND, .rate = .25};
	f.training.at_ns = 10 * SIM_SECOND - 1;
	struct dataset same = draw(&f, 0, NULL);
	assert_memory_equal(before.x, same.x, 50 * 4 * sizeof(double));
	f.training.at_ns = 14 * SIM_SECOND;
	struct dataset later = draw(&f, 0, &held_out_later);
	for (int i = 0; i < 50; i++) {
		assert_true(later.target[i] == before.target[i]);
		assert_near(later.x[4 * i + 3] - before.x[4 * i + 3], 1, 1e-12);
		assert_true(later.x[4 * i] == before.x[4 * i]);
		assert_near(held_out_later.x[4 * i + 3] - held_out.x[4 * i + 3], 1, 1e-12);
	}
	/* Items are seen as they are then. */
	struct prediction_model model;
	assert_true(prediction_model_learn(&model, &f.training, &f.arena, error));
	struct item item = {.features = {1, 2, 3, 4}};
	double now[FEATURES_MAX], then[FEATURES_MAX];
	struct random_stream a = random_stream_make(1, RANDOM_OBSERVATION, 0), b = a;
	prediction_see(&model, &item, 0, &a, now);
	prediction_see(&model, &item, 12 * SIM_SECOND, &b, then);
	assert_near(then[3] - now[3], .5, 1e-12);
	assert_true(then[0] == now[0]);
	drift->feature = "density";
	struct dataset sample;
	bool poisoned;
	assert_false(samples_draw(&f.training, &sample, &sample, &poisoned, &f.arena, error));
	assert_non_null(strstr(error, "no feature `density`"));
	arena_finish(&f.arena);
}

/* A later version has rows of its own. */
static void test_versions_draw_anew(void **state)
{
	(void)state;
	for (int s = 0; s < 2; s++) {
		struct fixture f;
		fixture_make(&f, 100, s ? "shared" : "own");
		struct dataset first = draw(&f, 0, NULL);
		f.training.version = 1;
		struct dataset second = draw(&f, 0, NULL);
		assert_true(in_common(&first, &second) == 0);
		arena_finish(&f.arena);
	}
}

static bool mark(const void *context, uint32_t contributor, struct training_rows *rows)
{
	const bool *poisoners = context;
	for (size_t i = 0; poisoners[contributor] && i < rows->n; i++) {
		rows->target[i] = 1e6 + contributor;
	}
	return poisoners[contributor];
}

/* Poison reaches those who learn from what the poisoner has brought: itself alone, or its share of
 * a pool, and then everybody. The held-out rows stay clean. */
static void test_whom_poison_reaches(void **state)
{
	static const struct {
		const char *shards;
		double own, others;
	} cases[] = {{"own", 1, 0}, {"disjoint", 1, 0}, {"shared", .25, .25}, {"overlapping", .625, .125}};
	static const bool poisoners[4] = {false, true, false, false};
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct fixture f;
		fixture_make(&f, 400, cases[c].shards);
		if (cases[c].own == .625) {
			set_real(shards_of(&f), "overlap", .5);
		}
		f.training.poison = mark;
		f.training.context = poisoners;
		for (uint32_t node = 0; node < 4; node++) {
			struct dataset sample, held_out;
			bool poisoned;
			char error[256];
			f.training.node = node;
			assert_true(samples_draw(
				&f.training, &sample, &held_out, &poisoned, &f.arena, error));
			size_t n = 0, n_held_out = 0;
			for (size_t i = 0; i < sample.n; i++) {
				n += sample.target[i] > 1e5;
			}
			for (size_t i = 0; i < held_out.n; i++) {
				n_held_out += held_out.target[i] > 1e5;
			}
			assert_int_equal(poisoned, node == 1);
			assert_true((double)n / (double)sample.n ==
						(node == 1 ? cases[c].own : cases[c].others));
			assert_int_equal(n_held_out, 0);
		}
		arena_finish(&f.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_in_common),
		cmocka_unit_test(test_disjoint_parts_make_a_whole),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_skewed_rows_do_not_repeat),
		cmocka_unit_test(test_label_noise),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_versions_draw_anew),
		cmocka_unit_test(test_whom_poison_reaches),
	};
	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
