/* Each predictor against what can be worked out without it. */
#include "settings.h"

#include "predictors.h"
#include "xgboost.h"

#include "sim/real.h"

#define ROWS 80

struct fixture {
	struct arena arena;
	struct dataset sample;
	double x[ROWS * 3], target[ROWS];
};

/* A curved surface with a little noise. */
static void fixture_make(struct fixture *f, size_t n, double noise)
{
	struct random_stream stream = random_stream_make(5, RANDOM_TRAINING, 0);
	f->arena = (struct arena){0};
	for (size_t i = 0; i < n; i++) {
		double *x = f->x + 3 * i;
		for (int j = 0; j < 3; j++) {
			x[j] = random_uniform(&stream, -2, 2);
		}
		f->target[i] = 3 + 2 * x[0] - x[1] * x[1] + .5 * x[0] * x[2] + noise * random_normal(&stream);
	}
	f->sample = (struct dataset){
		.n = n, .n_features = 3, .x = f->x, .target = f->target, .truth = f->target, .seed = 9};
}

static const struct predictor *method_of(struct plugin_value value)
{
	return (const void *)value.plugin;
}

static void *train(struct fixture *f, struct plugin_value value)
{
	char error[256] = "";
	const struct predictor *method = method_of(value);
	void *model = arena_alloc(&f->arena, method->model_size);
	if (!method->train(value.settings, model, &f->sample, &f->arena, error)) {
		fail_msg("%s", error);
	}
	return model;
}

static double off_on_sample(struct fixture *f, struct plugin_value value, const void *model)
{
	double sum = 0;
	for (size_t i = 0; i < f->sample.n; i++) {
		double off = method_of(value)->output(model, f->x + 3 * i) - f->target[i];
		sum += off * off;
	}
	return sqrt(sum / (double)f->sample.n);
}

static void assert_gradient(struct plugin_value value, const void *model, double tolerance)
{
	static const double points[][3] = {{.3, -.7, 1.1}, {-1.5, .2, -.4}, {0, 0, 0}};
	for (int p = 0; p < 3; p++) {
		double gradient[FEATURES_MAX] = {0};
		method_of(value)->gradient(model, points[p], gradient);
		for (int j = 0; j < 3; j++) {
			double up[3], down[3], h = 1e-5;
			memcpy(up, points[p], sizeof(up));
			memcpy(down, points[p], sizeof(down));
			up[j] += h;
			down[j] -= h;
			double slope = (method_of(value)->output(model, up) -
							   method_of(value)->output(model, down)) /
						   (2 * h);
			assert_near(gradient[j], slope, tolerance);
		}
	}
}

static struct plugin_value ridge_make(struct arena *arena, double lambda)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, "ridge");
	set_real(value, "lambda", lambda);
	return value;
}

/* The slope of sum (y - b - w.x)^2 + lambda |w|^2 vanishes at what it finds, and only there. */
static void test_ridge_solves_its_normal_equations(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, ROWS, .1);
	struct plugin_value value = ridge_make(&f.arena, 7);
	void *model = train(&f, value);
	double w[3], slope[3] = {0}, b_slope = 0;
	method_of(value)->gradient(model, f.x, w);
	for (size_t i = 0; i < ROWS; i++) {
		double off = method_of(value)->output(model, f.x + 3 * i) - f.target[i];
		b_slope += off;
		for (int j = 0; j < 3; j++) {
			slope[j] += off * f.x[3 * i + (size_t)j];
		}
	}
	assert_near(b_slope, 0, 1e-11);
	for (int j = 0; j < 3; j++) {
		assert_near(slope[j] + 7 * w[j], 0, 1e-11);
	}
	assert_gradient(value, model, 1e-8);
	arena_finish(&f.arena);
}

/* One feature by hand: x = 0, 1, 2 and y = 1, 2, 6: w = 5 / (2 + lambda) and b = 3 - w. */
static void test_ridge_by_hand(void **state)
{
	static const double x[3] = {0, 1, 2}, y[3] = {1, 2, 6};
	struct fixture f = {.sample = {.n = 3, .n_features = 1, .x = x, .target = y, .truth = y}};
	(void)state;
	struct plugin_value value = ridge_make(&f.arena, 3);
	void *model = train(&f, value);
	double w;
	method_of(value)->gradient(model, x, &w);
	assert_near(w, 1, 1e-15);
	assert_near(method_of(value)->output(model, (double[]){10}), 12, 1e-13);
	char error[256] = "";
	value = ridge_make(&f.arena, 1e-300);
	assert_false(method_of(value)->train(value.settings, model, &f.sample, &f.arena, error));
	assert_non_null(strstr(error, "too small"));
	arena_finish(&f.arena);
}

static struct plugin_value mlp_make(struct arena *arena, const char *activation, int64_t layers)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, "mlp");
	set_int(value, "hidden", 8);
	set_int(value, "layers", layers);
	set_int(value, "epochs", 300);
	set_int(value, "batch", 16);
	set_real(value, "rate", .01);
	*(int *)setting(value, "activation", PARAM_CHOICE) = strcmp(activation, "relu") == 0;
	return value;
}

static void test_mlp_learns_and_differentiates(void **state)
{
	static const char *const activations[] = {"tanh", "relu"};
	struct fixture f;
	(void)state;
	for (int a = 0; a < 2; a++) {
		for (int64_t layers = 1; layers <= 3; layers++) {
			fixture_make(&f, ROWS, 0);
			struct plugin_value value = mlp_make(&f.arena, activations[a], layers);
			void *model = train(&f, value);
			assert_true(off_on_sample(&f, value, model) < .45); /* the sample's own sd is 2.5 */
			assert_gradient(value, model, 1e-6);
			arena_finish(&f.arena);
		}
	}
}

/* A network of one linear-looking unit: on a plane it comes close to least squares. Another seed
 * begins elsewhere; the same one gives the same bits. */
static void test_mlp_is_a_function_of_its_seed(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, ROWS, .1);
	struct plugin_value value = mlp_make(&f.arena, "tanh", 2);
	void *a = train(&f, value), *again = train(&f, value);
	f.sample.seed++;
	void *other = train(&f, value);
	double at[3] = {.1, .2, .3};
	assert_true(method_of(value)->output(a, at) == method_of(value)->output(again, at));
	assert_true(method_of(value)->output(a, at) != method_of(value)->output(other, at));
	arena_finish(&f.arena);
}

static void test_mlp_that_runs_away(void **state)
{
	struct fixture f;
	char error[256] = "";
	(void)state;
	fixture_make(&f, ROWS, .1);
	struct plugin_value value = mlp_make(&f.arena, "relu", 3);
	set_real(value, "rate", 1e3);
	set_real(value, "decay", 1e3);
	void *model = arena_alloc(&f.arena, method_of(value)->model_size);
	if (!method_of(value)->train(value.settings, model, &f.sample, &f.arena, error)) {
		assert_non_null(strstr(error, "smaller"));
	}
	arena_finish(&f.arena);
}

static struct plugin_value gp_make(struct arena *arena, double length, double noise)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, "gp");
	set_int(value, "points", ROWS);
	set_real(value, "length", length);
	set_real(value, "noise", noise);
	return value;
}

/* Two points at -1 and 1 (already of mean 0 and sd 1) with labels -1 and 1, length 1, noise g: by
 * hand, R = [1 r; r 1] with r = exp(-2), alpha = (-1, 1) / (1 + g - r), s^2 = 1 / (1 + g - r). */
static void test_gp_by_hand(void **state)
{
	static const double x[2] = {-1, 1}, y[2] = {-1, 1};
	struct fixture f = {.sample = {.n = 2, .n_features = 1, .x = x, .target = y, .truth = y}};
	(void)state;
	double g = .25, r = exp(-2), alpha = 1 / (1 + g - r), variance = alpha;
	struct plugin_value value = gp_make(&f.arena, 1, g);
	void *model = train(&f, value);
	for (double at = -2; at <= 2; at += .5) {
		double k0 = exp(-(at + 1) * (at + 1) / 2), k1 = exp(-(at - 1) * (at - 1) / 2);
		double determinant = (1 + g) * (1 + g) - r * r;
		double explained = ((1 + g) * (k0 * k0 + k1 * k1) - 2 * r * k0 * k1) / determinant;
		assert_near(method_of(value)->output(model, &at), alpha * (k1 - k0), 1e-14);
		assert_near(method_of(value)->spread(model, &at),
			sqrt(variance * (1 + g - explained)), 1e-14);
	}
	arena_finish(&f.arena);
}

/* Nearly without noise it goes through its points, and knows less the further away it is; by the
 * marginal likelihood it finds noise where there is some. */
static void test_gp(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, ROWS, 0);
	struct plugin_value value = gp_make(&f.arena, 1, 1e-8);
	void *model = train(&f, value);
	assert_true(off_on_sample(&f, value, model) < 1e-4);
	assert_gradient(value, model, 1e-4);
	double far[3] = {30, 30, 30};
	assert_true(method_of(value)->spread(model, f.x) < .01);
	assert_true(method_of(value)->spread(model, far) > 1);
	arena_finish(&f.arena);
	fixture_make(&f, ROWS, .5);
	value = gp_make(&f.arena, 0, 0);
	model = train(&f, value);
	double spread = method_of(value)->spread(model, (double[]){0, 0, 0});
	assert_true(spread > .25 && spread < 1);
	assert_true(off_on_sample(&f, value, model) > .1); /* it does not chase the noise */
	assert_true(off_on_sample(&f, value, model) < .6);
	assert_gradient(value, model, 1e-6);
	arena_finish(&f.arena);
}

static void test_gp_refuses(void **state)
{
	struct fixture f;
	char error[256] = "";
	const char *param = NULL;
	const struct shape shape = {.n_validators = 4};
	(void)state;
	fixture_make(&f, ROWS, 0);
	for (int i = 0; i < ROWS; i++) {
		f.target[i] = 4;
	}
	struct plugin_value value = gp_make(&f.arena, 0, 0);
	void *model = arena_alloc(&f.arena, method_of(value)->model_size);
	assert_false(method_of(value)->train(value.settings, model, &f.sample, &f.arena, error));
	assert_non_null(strstr(error, "don't vary"));
	set_real(value, "noise", 1e-12);
	assert_false(value.plugin->finish(value.settings, &shape, &param, error));
	assert_string_equal(param, "noise");
	arena_finish(&f.arena);
}

static struct plugin_value ensemble_make(
	struct arena *arena, const struct plugin_value *members, size_t n, bool median, bool bootstrap)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, "ensemble");
	struct plugin_list *of = setting(value, "of", PARAM_PLUGINS);
	of->n = n;
	of->values = arena_array(arena, struct plugin_value, n);
	for (size_t i = 0; i < n; i++) {
		of->values[i] = members[i];
	}
	*(int *)setting(value, "combine", PARAM_CHOICE) = median;
	*(bool *)setting(value, "bootstrap", PARAM_BOOL) = bootstrap;
	return value;
}

static void test_ensemble_is_the_mean_or_median_of_its_members(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, ROWS, .1);
	struct plugin_value members[] = {ridge_make(&f.arena, 1), ridge_make(&f.arena, 50),
		ridge_make(&f.arena, 1000), gp_make(&f.arena, 1, .01)};
	void *models[4];
	for (int i = 0; i < 4; i++) {
		models[i] = train(&f, members[i]);
	}
	for (size_t n = 3; n <= 4; n++) {
		for (int median = 0; median <= 1; median++) {
			struct plugin_value value = ensemble_make(&f.arena, members, n, median, false);
			void *model = train(&f, value);
			assert_true(method_of(value)->has_gradient(model));
			assert_gradient(value, model, 1e-6);
			for (int row = 0; row < 20; row++) {
				const double *x = f.x + 3 * row;
				double outputs[4], mean = 0, square = 0;
				for (size_t i = 0; i < n; i++) {
					outputs[i] = method_of(members[i])->output(models[i], x);
					mean += outputs[i] / (double)n;
				}
				for (size_t i = 0; i < n; i++) {
					square += (outputs[i] - mean) * (outputs[i] - mean);
				}
				assert_near(method_of(value)->spread(model, x),
					sqrt(square / (double)(n - 1)), 1e-13);
				double wanted = median ? median_in_place(outputs, (uint32_t)n) : mean;
				assert_near(method_of(value)->output(model, x), wanted, 1e-13);
			}
		}
	}
	arena_finish(&f.arena);
}

/* Members of one kind differ by their rows alone. */
static void test_bootstrap(void **state)
{
	struct fixture f;
	(void)state;
	fixture_make(&f, ROWS, .1);
	struct plugin_value members[] = {ridge_make(&f.arena, 1), ridge_make(&f.arena, 1)};
	struct plugin_value plain = ensemble_make(&f.arena, members, 2, false, false);
	struct plugin_value bagged = ensemble_make(&f.arena, members, 2, false, true);
	void *model = train(&f, plain);
	assert_true(method_of(plain)->spread(model, f.x) == 0);
	model = train(&f, bagged);
	assert_true(method_of(bagged)->spread(model, f.x) > 0);
	arena_finish(&f.arena);
}

static void test_ensemble_of_nothing(void **state)
{
	struct arena arena = {0};
	char error[256] = "";
	const char *param = NULL;
	const struct shape shape = {.n_validators = 4};
	(void)state;
	struct plugin_value value = ensemble_make(&arena, NULL, 0, false, false);
	assert_false(value.plugin->finish(value.settings, &shape, &param, error));
	assert_string_equal(param, "of");
	arena_finish(&arena);
}

static struct plugin_value trees_make(struct arena *arena, const char *kind, double subsample)
{
	struct plugin_value value = plugin_make(arena, &predictor_registry, kind);
	bool forest = strcmp(kind, "forest") == 0;
	set_int(value, forest ? "trees" : "rounds", 60);
	set_int(value, "depth", 4);
	set_real(value, "lambda", forest ? 1e-5 : 1);
	set_real(value, "subsample", subsample);
	set_real(value, "colsample", 1);
	set_real(value, "child_weight", 1);
	if (!forest) {
		set_real(value, "eta", .2);
	}
	return value;
}

/* One split, by hand: labels 0 and 8 on both sides of x = .5, lambda 0, eta 1: the leaves' values
 * are the sides' means. (That our walk gives XGBoost's own predictions is checked at each training.)
 */
static void test_one_tree_by_hand(void **state)
{
	static double x[4] = {0, .25, .75, 1}, y[4] = {0, 2, 8, 10};
	struct fixture f = {.sample = {.n = 4, .n_features = 1, .x = x, .target = y, .truth = y}};
	char error[256];
	(void)state;
	if (!xgboost_check(error)) {
		skip();
	}
	struct plugin_value value = trees_make(&f.arena, "trees", 1);
	set_int(value, "rounds", 1);
	set_int(value, "depth", 1);
	set_real(value, "eta", 1);
	set_real(value, "lambda", 0);
	void *model = train(&f, value);
	assert_near(method_of(value)->output(model, (double[]){.49}), 1, 1e-6);
	assert_near(method_of(value)->output(model, (double[]){.51}), 9, 1e-6);
	assert_null(method_of(value)->gradient);
	arena_finish(&f.arena);
}

static void test_trees_and_forest(void **state)
{
	struct fixture f;
	char error[256];
	(void)state;
	if (!xgboost_check(error)) {
		skip();
	}
	for (int forest = 0; forest <= 1; forest++) {
		fixture_make(&f, ROWS, 0);
		struct plugin_value value = trees_make(&f.arena, forest ? "forest" : "trees", .632);
		void *a = train(&f, value), *again = train(&f, value);
		f.sample.seed++;
		void *other = train(&f, value);
		assert_true(off_on_sample(&f, value, a) < 1);
		bool differs = false;
		for (int row = 0; row < ROWS; row++) {
			const double *x = f.x + 3 * row;
			double output = method_of(value)->output(a, x);
			assert_true(output == method_of(value)->output(again, x));
			differs = differs || output != method_of(value)->output(other, x);
		}
		assert_true(differs); /* which rows each tree sees hangs on the seed */
		arena_finish(&f.arena);
	}
}

static void test_trees_refuse_what_floats_cannot_hold(void **state)
{
	struct fixture f;
	char error[256] = "";
	(void)state;
	if (!xgboost_check(error)) {
		skip();
	}
	fixture_make(&f, ROWS, 0);
	f.target[3] = 1e300;
	struct plugin_value value = trees_make(&f.arena, "trees", 1);
	void *model = arena_alloc(&f.arena, method_of(value)->model_size);
	assert_false(method_of(value)->train(value.settings, model, &f.sample, &f.arena, error));
	assert_non_null(strstr(error, "too large"));
	arena_finish(&f.arena);
}

static void all_refuse_what_is_not_finite(void **state)
{
	static const char *const kinds[] = {"linear", "ridge", "mlp", "gp"};
	struct fixture f;
	(void)state;
	for (int i = 0; i < 4; i++) {
		char error[256] = "";
		fixture_make(&f, ROWS, 0);
		f.x[7] = INFINITY;
		struct plugin_value value = plugin_make(&f.arena, &predictor_registry, kinds[i]);
		void *model = arena_alloc(&f.arena, method_of(value)->model_size);
		assert_false(method_of(value)->train(value.settings, model, &f.sample, &f.arena, error));
		assert_non_null(strstr(error, kinds[i]));
		assert_non_null(strstr(error, "not finite"));
		arena_finish(&f.arena);
	}
}

/* Told the truth, with errors of the mean and sd that were asked for; where it looks moves nothing. */
static void test_oracle(void **state)
{
	struct arena arena = {0};
	char error[256];
	struct prediction_model model;
	(void)state;
	struct plugin_value dimweight = dimweight_make(&arena, "model");
	struct plugin_value value = plugin_make(&arena, &predictor_registry, "oracle");
	set_int(value, "train", 20000);
	set_real(value, "sd", .05);
	set_real(value, "bias", .02);
	assert_true(prediction_model_train(&model, workload_of(dimweight), dimweight.settings, &value,
		3, 0, &arena, error));
	struct random_stream stream = random_stream_make(3, RANDOM_OBSERVATION, 0);
	double sum = 0, square_sum = 0;
	const int n = 20000;
	for (int i = 0; i < n; i++) {
		struct item item = {.features = {3, 3, 3, 1}, .truth = 10};
		double seen[FEATURES_MAX];
		prediction_see(&model, &item, 0, &stream, seen);
		seen[0] = 99;
		double error_of = prediction_value(&model, seen) / 10 - 1;
		sum += error_of;
		square_sum += error_of * error_of;
	}
	assert_near(sum / n, .02, 4 * .05 / sqrt(n));
	assert_near(sqrt(square_sum / n - sum / n * sum / n), .05, .001);
	assert_true(model.held_out.bias > 0);
	assert_near(model.held_out.within_tolerance, .943, .01); /* |.02 + .05 z| <= .1 */
	assert_false(prediction_has_gradient(&model));
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ridge_solves_its_normal_equations),
		cmocka_unit_test(test_ridge_by_hand),
		cmocka_unit_test(test_mlp_learns_and_differentiates),
		cmocka_unit_test(test_mlp_is_a_function_of_its_seed),
		cmocka_unit_test(test_mlp_that_runs_away),
		cmocka_unit_test(test_gp_by_hand),
		cmocka_unit_test(test_gp),
		cmocka_unit_test(test_gp_refuses),
		cmocka_unit_test(test_ensemble_is_the_mean_or_median_of_its_members),
		cmocka_unit_test(test_bootstrap),
		cmocka_unit_test(test_ensemble_of_nothing),
		cmocka_unit_test(test_one_tree_by_hand),
		cmocka_unit_test(test_trees_and_forest),
		cmocka_unit_test(test_trees_refuse_what_floats_cannot_hold),
		cmocka_unit_test(all_refuse_what_is_not_finite),
		cmocka_unit_test(test_oracle),
	};
	return cmocka_run_group_tests_name("predictors", tests, NULL, NULL);
}
