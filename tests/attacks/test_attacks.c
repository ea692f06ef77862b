/* The attacks on predictions, and who makes them. */
#include "settings.h"

#include "attacks/attack.h"

struct fixture {
	struct arena arena;
	struct prediction_model model;
	struct random_stream stream;
};

static void fixture_make(struct fixture *f)
{
	struct plugin_value dimweight, linear;
	char error[256];
	*f = (struct fixture){.stream = random_stream_make(1, RANDOM_ATTACK, 0)};
	dimweight = dimweight_make(&f->arena, "model");
	linear = linear_make(&f->arena, 1000);
	assert_true(prediction_model_train(
		&f->model, workload_of(dimweight), dimweight.settings, &linear, 1, 0, &f->arena, error));
}

static double rewrite(
	struct plugin_value attack, struct fixture *f, const double *seen, double value)
{
	struct attack_view view = {.model = &f->model,
		.seen = seen,
		.honest = prediction_value(&f->model, seen),
		.value = value,
		.stream = &f->stream};
	return ((const struct attack *)(const void *)attack.plugin)->rewrite(attack.settings, &view);
}

/* Heavy and small: the learned branch. Large and light: the volumetric one. */
static const double heavy[4] = {3.4, 3.0, 2.3, 2};
static const double airy[4] = {4, 3.7, 3.4, -2};

static void test_random_is_uniform_over_the_labels(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "random");
	double min = f.model.label_min, max = f.model.label_max, sum = 0;
	int n = 20000;
	for (int i = 0; i < n; i++) {
		double value = rewrite(attack, &f, heavy, 1e9);
		assert_true(value >= min && value <= max);
		sum += value;
	}
	assert_near(sum / n, (min + max) / 2, 4 * (max - min) / sqrt(12.0 * n));
	arena_finish(&f.arena);
}

static void test_targeted(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "targeted");
	double honest = prediction_value(&f.model, heavy);
	set_real(attack, "factor", 1.5);
	set_real(attack, "threshold", honest - .001);
	assert_true(rewrite(attack, &f, heavy, honest) == 1.5 * honest);
	assert_true(rewrite(attack, &f, heavy, 8) == 12); /* on top of another attack */
	set_real(attack, "threshold", honest);
	assert_true(rewrite(attack, &f, heavy, honest) == honest); /* exceeds, not reaches */
	arena_finish(&f.arena);
}

/* For a linear model the output moves by epsilon * ||w||_1, here in the log of the weight. */
static void test_gradient_shift_of_the_learned_branch(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "gradient");
	double weights[FEATURES_MAX], norm = 0, honest = prediction_value(&f.model, heavy);
	f.model.predictor->gradient(f.model.model, heavy, weights);
	for (int i = 0; i < 4; i++) {
		norm += fabs(weights[i]);
	}
	for (int k = 0; k < 5; k++) {
		double epsilon = .05 * k;
		set_real(attack, "epsilon", epsilon);
		double shift = log(rewrite(attack, &f, heavy, honest) / honest);
		assert_near(shift, epsilon * norm, 1e-13);
		assert_true(rewrite(attack, &f, heavy, 77) == rewrite(attack, &f, heavy, honest));
	}
	arena_finish(&f.arena);
}

static void set_choice(struct plugin_value attack, const char *name, int choice)
{
	*(int *)setting(attack, name, PARAM_CHOICE) = choice;
}

/* By epsilon * ||w||_2 where the moves are bounded by their length. */
static void test_gradient_shift_in_l2(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "gradient");
	double weights[FEATURES_MAX], squares = 0, honest = prediction_value(&f.model, heavy);
	f.model.predictor->gradient(f.model.model, heavy, weights);
	for (int i = 0; i < 4; i++) {
		squares += weights[i] * weights[i];
	}
	set_choice(attack, "norm", 1);
	for (int k = 0; k < 5; k++) {
		set_real(attack, "epsilon", .05 * k);
		double shift = log(rewrite(attack, &f, heavy, honest) / honest);
		assert_near(shift, .05 * k * sqrt(squares), 1e-13);
	}
	arena_finish(&f.arena);
}

/* In a linear region the ball's best point is the gradient attack's, however small the steps. */
static void test_pgd_of_a_linear_model_is_gradient(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value gradient = plugin_make(&f.arena, &attack_registry, "gradient");
	struct plugin_value pgd = plugin_make(&f.arena, &attack_registry, "pgd");
	set_real(gradient, "epsilon", .1);
	set_real(pgd, "epsilon", .1);
	for (int norm = 0; norm < 2; norm++) {
		set_choice(gradient, "norm", norm);
		set_choice(pgd, "norm", norm);
		double wanted = rewrite(gradient, &f, heavy, 1);
		for (int k = 0; k < 3; k++) {
			set_int(pgd, "iterations", (int64_t[]){1, 10, 500}[k]);
			set_real(pgd, "step", (double[]){0, 0, .0007}[k]);
			assert_near(rewrite(pgd, &f, heavy, 1) / wanted, 1, 1e-13);
		}
		/* Ten steps of .004 come as far as .04, and no further. */
		set_int(pgd, "iterations", 10);
		set_real(pgd, "step", .004);
		set_real(gradient, "epsilon", .04);
		assert_near(rewrite(pgd, &f, heavy, 1) / rewrite(gradient, &f, heavy, 1), 1, 1e-13);
		set_real(gradient, "epsilon", .1);
	}
	arena_finish(&f.arena);
}

/* (x0 - 1)^2 - x3, bent in x0: a ball's best point is not where the first step leads. */
static double bent_output(const void *model, const double *x)
{
	(void)model;
	return 9 + (x[0] - 1) * (x[0] - 1) - x[3];
}

static void bent_gradient(const void *model, const double *x, double *gradient)
{
	(void)model;
	memcpy(gradient, (double[]){2 * (x[0] - 1), 0, 0, -1}, 4 * sizeof(*gradient));
}

static void test_pgd_stays_in_its_ball(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	const struct predictor bent = {.output = bent_output, .gradient = bent_gradient};
	const double seen[4] = {.95, -9, -9, 0};
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "pgd");
	f.model.predictor = &bent;
	set_real(attack, "epsilon", .3);
	set_int(attack, "iterations", 500);
	set_real(attack, "step", .02);
	double honest = prediction_value(&f.model, seen);
	/* L-infinity: x0 = .65, x3 = -.3. */
	double shift = log(rewrite(attack, &f, seen, honest) / honest);
	assert_near(shift, .35 * .35 - .05 * .05 + .3, 1e-12);
	/* L2: the best point of the circle about (.95, 0). */
	set_choice(attack, "norm", 1);
	shift = log(rewrite(attack, &f, seen, honest) / honest);
	double best = 0;
	for (int i = 0; i < 100000; i++) {
		double angle = 2 * M_PI * i / 100000, x0 = .95 + .3 * cos(angle), x3 = .3 * sin(angle);
		best = fmax(best, (x0 - 1) * (x0 - 1) - .0025 - x3);
	}
	assert_near(shift, best, 1e-8);
	arena_finish(&f.arena);
}

/* A predictor that knows no gradient is probed by differences, exact on what is linear in the logs
 * but for the exponential's own bend. */
static void test_white_box_without_a_gradient(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct predictor blind = *f.model.predictor;
	double honest = prediction_value(&f.model, heavy);
	static const char *const names[] = {"gradient", "pgd"};
	for (int i = 0; i < 2; i++) {
		struct plugin_value attack = plugin_make(&f.arena, &attack_registry, names[i]);
		set_real(attack, "epsilon", .02);
		if (i == 1) {
			set_int(attack, "iterations", 10);
		}
		double wanted = rewrite(attack, &f, heavy, honest);
		const struct predictor *seeing = f.model.predictor;
		blind.gradient = NULL;
		f.model.predictor = &blind;
		assert_near(rewrite(attack, &f, heavy, honest) / wanted, 1, 1e-12);
		f.model.predictor = seeing;
	}
	arena_finish(&f.arena);
}

static void test_sign_flip_and_inflation(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value flip = plugin_make(&f.arena, &attack_registry, "sign-flip");
	struct plugin_value inflation = plugin_make(&f.arena, &attack_registry, "inflation");
	set_real(flip, "factor", 3);
	set_real(inflation, "share", .25);
	set_real(inflation, "offset", -1);
	assert_true(rewrite(flip, &f, heavy, 8) == -24);
	assert_true(rewrite(inflation, &f, heavy, 8) == 9);
	arena_finish(&f.arena);
}

/* The part that is not learned sees the moved sides too: L W H grow by e^(3 epsilon). */
static void test_gradient_shift_of_the_volumetric_branch(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "gradient");
	double honest = prediction_value(&f.model, airy);
	set_real(attack, "epsilon", .1);
	assert_near(honest, exp(4 + 3.7 + 3.4) / 5000, 1e-10);
	assert_near(log(rewrite(attack, &f, airy, honest) / honest), .3, 1e-13);
	arena_finish(&f.arena);
}

/* A negative weight is moved down, so that the value goes up. */
static double falling_output(const void *model, const double *x)
{
	(void)model;
	return 5 - 2 * x[0] + x[3];
}

static void falling_gradient(const void *model, const double *x, double *gradient)
{
	(void)model;
	(void)x;
	memcpy(gradient, (double[]){-2, 0, 0, 1}, 4 * sizeof(*gradient));
}

static void test_gradient_goes_up_where_a_weight_is_negative(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f);
	const struct predictor falling = {.output = falling_output, .gradient = falling_gradient};
	const double seen[4] = {-4, -1, -1, 0};
	struct plugin_value attack = plugin_make(&f.arena, &attack_registry, "gradient");
	f.model.predictor = &falling;
	set_real(attack, "epsilon", .1);
	double honest = prediction_value(&f.model, seen);
	assert_near(log(rewrite(attack, &f, seen, honest) / honest), .3, 1e-13);
	arena_finish(&f.arena);
}

static void test_count(void **state)
{
	(void)state;
	assert_int_equal(attack_count(.3, 4), 1);
	assert_int_equal(attack_count(.3, 7), 2);
	assert_int_equal(attack_count(.3, 10), 3);
	assert_int_equal(attack_count(0, 10), 0);
	assert_int_equal(attack_count(1, 10), 10);
	assert_int_equal(attack_count(.5, 7), 4);
	assert_int_equal(attack_count(.25, 10), 3);
	assert_int_equal(attack_count(.145, 100), 15); /* in binary .145 * 100 is below 14.5 */
	assert_int_equal(attack_count(.144, 100), 14);
}

static uint32_t marked(double fraction, uint64_t seed, uint32_t n, bool *attackers)
{
	struct attack_common common = {.fraction = fraction};
	uint32_t count = 0;
	attack_nodes(&common, seed, n, attackers);
	for (uint32_t i = 0; i < n; i++) {
		count += attackers[i];
	}
	return count;
}

/* A larger fraction holds the smaller ones' nodes; another seed has other nodes. */
static void test_fractions_nest(void **state)
{
	(void)state;
	bool smaller[50], larger[50];
	bool seeds_differ = false;
	for (uint64_t seed = 0; seed < 20; seed++) {
		assert_int_equal(marked(0, seed, 50, smaller), 0);
		for (int k = 1; k <= 10; k++) {
			assert_int_equal(marked(.1 * k, seed, 50, larger), 5 * k);
			for (int i = 0; i < 50; i++) {
				assert_true(larger[i] || !smaller[i]);
			}
			memcpy(smaller, larger, sizeof(smaller));
		}
		marked(.3, seed, 50, smaller);
		marked(.3, seed + 1, 50, larger);
		seeds_differ |= memcmp(smaller, larger, sizeof(smaller)) != 0;
	}
	assert_true(seeds_differ);
}

/* The same ones first, a share of them that grows with time; none outside the window. */
static void test_ramp(void **state)
{
	(void)state;
	struct attack_common common = {.fraction = .4, .from_ns = 100, .until_ns = 300, .ramp_ns = 100};
	bool full[20], now[20], before[20] = {false};
	attack_nodes(&common, 7, 20, full);
	for (sim_time at = 0; at < 400; at++) {
		double share = at < 100 || at >= 300 ? 0 : at >= 200 ? 1 : (double)(at - 100) / 100;
		int n = 0;
		attack_nodes_at(&common, 7, 20, at, now);
		for (int i = 0; i < 20; i++) {
			n += now[i];
			assert_true(full[i] || !now[i]);
			assert_true(at >= 300 || now[i] || !before[i]);
		}
		memcpy(before, now, sizeof(before));
		assert_int_equal(n, floor(8 * share + .5));
	}
	static const uint32_t nodes[] = {2, 5, 9};
	common.fraction = -1;
	common.count = 5; /* of 20, a number at once or by and by; and the same ones whoever says how many */
	attack_nodes_at(&common, 7, 20, 400, now);
	for (int i = 0; i < 20; i++) {
		assert_true(!now[i] || full[i]);
	}
	assert_int_equal(attack_number(&common, 20), 5);
	common.count = -1;
	common.nodes = (struct node_list){.n = 3, .nodes = nodes, .given = true};
	attack_nodes_at(&common, 7, 20, 134, now);
	assert_true(now[2] && !now[5] && !now[9]);
	common.ramp_ns = 0;
	attack_nodes_at(&common, 7, 20, 100, now);
	assert_true(now[2] && now[5] && now[9]);
}

static void test_every_node_is_drawn_alike(void **state)
{
	(void)state;
	bool attackers[10];
	int count[10] = {0}, n = 2000;
	for (int seed = 0; seed < n; seed++) {
		marked(.3, (uint64_t)seed, 10, attackers);
		for (int i = 0; i < 10; i++) {
			count[i] += attackers[i];
		}
	}
	for (int i = 0; i < 10; i++) {
		assert_true(fabs(count[i] - .3 * n) < 4 * sqrt(.3 * .7 * n));
	}
}

static void test_nodes_by_number(void **state)
{
	(void)state;
	static const uint32_t nodes[] = {1, 3};
	struct attack_common common = {
		.fraction = -1, .count = -1, .nodes = {.n = 2, .nodes = nodes, .given = true}};
	bool attackers[4] = {true, true, true, true};
	attack_nodes(&common, 1, 4, attackers);
	assert_memory_equal(attackers, ((bool[]){false, true, false, true}), sizeof(attackers));
}

static void test_finish(void **state)
{
	(void)state;
	static const uint32_t node[] = {4};
	const struct node_list list = {.n = 1, .nodes = node, .given = true};
	const struct shape four = {.n_validators = 4}, five = {.n_validators = 5};
	const char *param = NULL;
	char error[256];
	for (const struct plugin *const *plugin = attack_registry.plugins; *plugin; plugin++) {
		struct arena arena = {0};
		struct attack_common *common = arena_alloc(&arena, (*plugin)->settings_size);
		*common = (struct attack_common){.fraction = .3, .count = -1, .until_ns = SIM_NEVER};
		assert_true((*plugin)->finish(common, &four, &param, error));
		common->fraction = 0;
		assert_true((*plugin)->finish(common, &four, &param, error));
		common->fraction = -1;
		assert_false((*plugin)->finish(common, &four, &param, error));
		assert_string_equal(param, "fraction");
		common->fraction = -.5;
		assert_false((*plugin)->finish(common, &four, &param, error));
		assert_string_equal(param, "fraction");
		common->fraction = -1;
		common->count = 5;
		assert_true((*plugin)->finish(common, &five, &param, error));
		assert_false((*plugin)->finish(common, &four, &param, error));
		assert_string_equal(param, "count");
		common->count = 0;
		assert_true((*plugin)->finish(common, &four, &param, error));
		common->nodes = list;
		assert_false((*plugin)->finish(common, &five, &param, error));
		assert_string_equal(param, "count");
		common->nodes.given = false;
		common->fraction = .3;
		assert_false((*plugin)->finish(common, &five, &param, error));
		assert_string_equal(param, "fraction");
		common->fraction = -1;
		common->count = -1;
		common->nodes = list;
		assert_true((*plugin)->finish(common, &five, &param, error));
		assert_false((*plugin)->finish(common, &four, &param, error));
		assert_string_equal(param, "nodes");
		common->fraction = .3;
		assert_false((*plugin)->finish(common, &five, &param, error));
		common->nodes.given = false;
		common->from_ns = 5;
		common->until_ns = 5;
		assert_false((*plugin)->finish(common, &five, &param, error));
		assert_string_equal(param, "until");
		const struct attack *attack = (const void *)*plugin;
		assert_non_null(attack->knows);
		/* Each is one thing. */
		assert_int_equal((attack->rewrite != NULL) + (attack->craft != NULL) +
							 (attack->identities != NULL) + (attack->poison != NULL) +
							 (attack->tamper != NULL) + (attack->pauses != NULL) + attack->doubles +
							 (attack->ignores != NULL),
			1);
		assert_true(attack_on_nodes(attack) != attack_on_predictions(attack));
		arena_finish(&arena);
	}
}

/* Its owner's value, or near it; and its own when it stands alone. */
static void test_sybil(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = plugin_make(&arena, &attack_registry, "sybil");
	const struct attack *attack = (const void *)rule.plugin;
	struct random_stream stream = random_stream_make(1, RANDOM_ATTACK, 0);
	double sum = 0, squares = 0, own[2] = {7, 9}, out[2];
	char error[256];
	int n = 20000;
	set_int(rule, "identities", 6);
	assert_int_equal(attack->identities(rule.settings), 6);
	assert_true(attack->echo(rule.settings, 12.5, &stream) == 12.5);
	set_real(rule, "jitter", .02);
	for (int i = 0; i < n; i++) {
		double off = attack->echo(rule.settings, 50, &stream) / 50 - 1;
		sum += off;
		squares += off * off;
	}
	assert_near(sum / n, 0, 4 * .02 / sqrt(n));
	assert_near(sqrt(squares / n), .02, 4 * .02 / sqrt(2. * n));
	const struct craft_view view = {
		.honest = (double[]){1, 2}, .n_honest = 2, .n_faulty = 2, .n = 4, .dims = 1, .own = own};
	assert_true(attack_rows(&rule, &view, out, error));
	assert_true(out[0] == 7 && out[1] == 9);
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_is_uniform_over_the_labels),
		cmocka_unit_test(test_targeted),
		cmocka_unit_test(test_gradient_shift_of_the_learned_branch),
		cmocka_unit_test(test_gradient_shift_of_the_volumetric_branch),
		cmocka_unit_test(test_gradient_goes_up_where_a_weight_is_negative),
		cmocka_unit_test(test_gradient_shift_in_l2),
		cmocka_unit_test(test_pgd_of_a_linear_model_is_gradient),
		cmocka_unit_test(test_pgd_stays_in_its_ball),
		cmocka_unit_test(test_white_box_without_a_gradient),
		cmocka_unit_test(test_sign_flip_and_inflation),
		cmocka_unit_test(test_ramp),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_fractions_nest),
		cmocka_unit_test(test_every_node_is_drawn_alike),
		cmocka_unit_test(test_nodes_by_number),
		cmocka_unit_test(test_finish),
		cmocka_unit_test(test_sybil),
	};
	return cmocka_run_group_tests_name("attacks", tests, NULL, NULL);
}
