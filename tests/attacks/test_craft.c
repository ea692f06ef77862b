/* Attacks by colluders that have seen the honest rows: by the papers' own numbers and conditions.
 */
#include "craft.h"

static void test_sign_flip_and_inflation_on_rows(void **state)
{
	(void)state;
	struct fixture f = {0};
	const double own[] = {1, -2, .5, 4, 0, 8};
	struct plugin_value flip = attack_make(&f, "sign-flip");
	struct plugin_value inflation = attack_make(&f, "inflation");
	struct craft_view view = view_make(&f, rows, 5, 2, 3);
	view.own = own;
	set_real(flip, "factor", 4);
	craft(&f, flip, view);
	for (int i = 0; i < 6; i++) {
		assert_true(f.out[i] == -4 * own[i]);
	}
	set_real(inflation, "share", .5);
	set_real(inflation, "offset", 2);
	craft(&f, inflation, view);
	for (int i = 0; i < 6; i++) {
		assert_true(f.out[i] == 1.5 * own[i] + 2);
	}
	/* Without rows of their own the honest mean stands for them: of one row, itself. */
	craft(&f, flip, view_make(&f, rows, 1, 1, 3));
	assert_true(f.out[0] == -4 && f.out[1] == 8 && f.out[2] == -2);
	arena_finish(&f.arena);
}

static void test_inner_product(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value attack = attack_make(&f, "inner-product");
	set_real(attack, "epsilon", .5);
	craft(&f, attack, view_make(&f, rows, 5, 2, 3));
	const double mean[] = {1.03, -2.01, .51};
	for (int i = 0; i < 6; i++) {
		assert_near(f.out[i], -.5 * mean[i % 3], 1e-15);
	}
	arena_finish(&f.arena);
}

/* The shift in standard deviations for n and f, with honest rows of mean 0 and sd 1. */
static double alie_z(struct fixture *f, struct plugin_value attack, uint32_t n, uint32_t n_faulty)
{
	double honest[64];
	uint32_t n_honest = n - n_faulty;
	for (uint32_t i = 0; i < n_honest; i++) {
		honest[i] = (i < n_honest / 2 ? 1 : -1) * sqrt((n_honest - 1.0) / n_honest);
	}
	return craft(f, attack, view_make(f, honest, n_honest, n_faulty, 1))[0];
}

/* Baruch, Baruch, Goldberg 2019: z = Phi^-1((n-f-s)/(n-f)), s = floor(n/2+1) - f. */
static void test_alie_z(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value attack = attack_make(&f, "alie");
	set_real(attack, "z", -1e9);
	assert_near(alie_z(&f, attack, 50, 24), 1.4260768722728479, 1e-12);
	assert_near(alie_z(&f, attack, 12, 4), 0.3186393639643752, 1e-12);
	/* f above n/2: no supporter is needed, and half an honest one is left outside. */
	assert_near(alie_z(&f, attack, 10, 8), 0.6744897501960817, 1e-12);
	set_choice(attack, "direction", 1);
	assert_near(alie_z(&f, attack, 50, 24), -1.4260768722728479, 1e-12);
	set_real(attack, "z", 2.5);
	assert_near(alie_z(&f, attack, 50, 24), -2.5, 1e-12);
	arena_finish(&f.arena);
}

/* n = 10, f = 3: mean + .180 sd of the seven, with the sample's sd. */
static void test_alie_of_ten(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value attack = attack_make(&f, "alie");
	set_real(attack, "z", -1e9);
	double mean = 0, squares = 0;
	for (int i = 0; i < 7; i++) {
		mean += seven[i] / 7;
	}
	for (int i = 0; i < 7; i++) {
		squares += (seven[i] - mean) * (seven[i] - mean);
	}
	craft(&f, attack, view_make(&f, seven, 7, 3, 1));
	assert_near(f.out[0], mean + .18001236979270493 * sqrt(squares / 6), 1e-14);
	assert_true(f.out[0] == f.out[1] && f.out[0] == f.out[2]);
	/* One honest row has no spread. */
	assert_true(craft(&f, attack, view_make(&f, seven, 1, 1, 1))[0] == .61);
	arena_finish(&f.arena);
}

/* Both sides of the condition, for the row m (NULL: for the honest ones themselves). */
static double max_of(const double *m, const double *honest, uint32_t n, uint32_t dims)
{
	double most = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < (m ? 1 : n); j++) {
			most = fmax(most, sqrt(distance2(m ? m : honest + j * dims, honest + i * dims, dims)));
		}
	}
	return most;
}

static double sum_of(const double *m, const double *honest, uint32_t n, uint32_t dims)
{
	double most = 0;
	for (uint32_t j = 0; j < (m ? 1 : n); j++) {
		double sum = 0;
		for (uint32_t i = 0; i < n; i++) {
			sum += distance2(m ? m : honest + j * dims, honest + i * dims, dims);
		}
		most = fmax(most, sum);
	}
	return most;
}

/* Shejwalkar, Houmansadr 2021: the largest gamma, so the bound is reached; down the mean by
 * default. */
static void test_min_max_and_min_sum_reach_their_bound(void **state)
{
	(void)state;
	struct fixture f = {0};
	static const char *const names[] = {"min-max", "min-sum"};
	for (int which = 0; which < 2; which++) {
		for (int variant = 0; variant < 6; variant++) {
			struct plugin_value attack = attack_make(&f, names[which]);
			set_choice(attack, "perturbation", variant % 3);
			set_choice(attack, "direction", variant / 3);
			for (uint32_t dims = 1; dims <= 3; dims += 2) {
				const double *honest = dims == 1 ? seven : rows;
				uint32_t n = dims == 1 ? 7 : 5;
				const double *m = craft(&f, attack, view_make(&f, honest, n, 2, dims));
				double got = which == 0 ? max_of(m, honest, n, dims) : sum_of(m, honest, n, dims);
				double bound =
					which == 0 ? max_of(NULL, honest, n, dims) : sum_of(NULL, honest, n, dims);
				assert_near(got / bound, 1, 1e-12);
				assert_true(variant < 3 ? m[0] < (dims == 1 ? .6 : 1.03) : m[0] > .61);
				assert_memory_equal(m, m + dims, dims * sizeof(*m));
			}
		}
	}
	arena_finish(&f.arena);
}

/* On a line: .64 - .06 for min-max whatever the perturbation; for min-sum, as far below the mean as
 * the honest one that is farthest from it. */
static void test_min_max_on_a_line(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value min_max = attack_make(&f, "min-max");
	struct plugin_value min_sum = attack_make(&f, "min-sum");
	static const double uneven[] = {1, 2, 3, 10};
	assert_near(craft(&f, min_max, view_make(&f, seven, 7, 3, 1))[0], .58, 1e-15);
	assert_near(craft(&f, min_max, view_make(&f, uneven, 4, 1, 1))[0], 1, 1e-14);
	set_choice(min_max, "direction", 1);
	assert_near(craft(&f, min_max, view_make(&f, uneven, 4, 1, 1))[0], 10, 1e-14);
	assert_near(craft(&f, min_sum, view_make(&f, uneven, 4, 1, 1))[0], 4 - 6, 1e-14);
	/* All alike: nowhere to go. */
	static const double alike[] = {2, 2, 2};
	assert_true(craft(&f, min_max, view_make(&f, alike, 3, 1, 1))[0] == 2);
	assert_true(craft(&f, min_sum, view_make(&f, alike, 3, 1, 1))[0] == 2);
	arena_finish(&f.arena);
}

/* Along -mean / ||mean||: the shift has the mean's direction; along the sign: the same everywhere.
 */
static void test_perturbations(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value attack = attack_make(&f, "min-max");
	const double mean[] = {1.03, -2.01, .51};
	set_choice(attack, "perturbation", 1);
	const double *m = craft(&f, attack, view_make(&f, rows, 5, 1, 3));
	assert_near((m[1] - mean[1]) / (m[0] - mean[0]), mean[1] / mean[0], 1e-12);
	assert_near((m[2] - mean[2]) / (m[0] - mean[0]), mean[2] / mean[0], 1e-12);
	set_choice(attack, "perturbation", 2);
	m = craft(&f, attack, view_make(&f, rows, 5, 1, 3));
	assert_true(m[0] < mean[0]);
	assert_near(m[1] - mean[1], -(m[0] - mean[0]), 1e-12);
	assert_near(m[2] - mean[2], m[0] - mean[0], 1e-12);
	arena_finish(&f.arena);
}

static void test_copies(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value mimic = attack_make(&f, "mimic");
	struct plugin_value rider = attack_make(&f, "free-rider");
	struct craft_view view = view_make(&f, rows, 5, 2, 3);
	set_int(mimic, "row", 7); /* the third of five */
	craft(&f, mimic, view);
	assert_memory_equal(f.out, rows + 6, 3 * sizeof(*rows));
	assert_memory_equal(f.out + 3, rows + 6, 3 * sizeof(*rows));
	set_choice(mimic, "pick", 1);
	craft(&f, mimic, view); /* squares of distances: .0010 .0851 .0446 .0186 .0676 */
	assert_memory_equal(f.out, rows + 3, 3 * sizeof(*rows));

	craft(&f, rider, view);
	assert_memory_equal(f.out, rows, 6 * sizeof(*rows));
	craft(&f, rider, view_make(&f, rows, 2, 3, 1));
	assert_memory_equal(f.out, ((double[]){1, -2, 1}), 3 * sizeof(double));
	const double own[] = {1, 2, 3, 4, 5, 6}, decision[] = {7, 8, 9};
	set_choice(rider, "copies", 1);
	view.own = own;
	craft(&f, rider, view); /* nothing decided yet */
	assert_memory_equal(f.out, own, sizeof(own));
	view.decision = decision;
	craft(&f, rider, view);
	assert_memory_equal(f.out, decision, sizeof(decision));
	assert_memory_equal(f.out + 3, decision, sizeof(decision));
	arena_finish(&f.arena);
}

static void test_random_within(void **state)
{
	(void)state;
	struct fixture f = {0};
	struct plugin_value attack = attack_make(&f, "random-within");
	double sum = 0;
	for (int i = 0; i < 10000; i++) {
		craft(&f, attack, view_make(&f, seven, 7, 3, 1));
		assert_true(f.out[0] >= .58 && f.out[0] <= .64);
		assert_true(f.out[0] == f.out[1] && f.out[0] == f.out[2]);
		sum += f.out[0];
	}
	assert_near(sum / 10000, .61, 4 * .06 / sqrt(12.0 * 10000));
	arena_finish(&f.arena);
}

static void test_what_rows_cannot_give(void **state)
{
	(void)state;
	struct fixture f = {0};
	static const char *const names[] = {"random", "gradient", "pgd", "adaptive"};
	char error[256];
	for (int i = 0; i < 4; i++) {
		struct plugin_value attack = attack_make(&f, names[i]);
		struct craft_view view = view_make(&f, seven, 7, 3, 1);
		assert_false(attack_rows(&attack, &view, f.out, error));
		assert_non_null(strstr(error, names[i]));
	}
	arena_finish(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_flip_and_inflation_on_rows),
		cmocka_unit_test(test_inner_product),
		cmocka_unit_test(test_alie_z),
		cmocka_unit_test(test_alie_of_ten),
		cmocka_unit_test(test_min_max_and_min_sum_reach_their_bound),
		cmocka_unit_test(test_min_max_on_a_line),
		cmocka_unit_test(test_perturbations),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_random_within),
		cmocka_unit_test(test_what_rows_cannot_give),
	};
	return cmocka_run_group_tests_name("craft", tests, NULL, NULL);
}
