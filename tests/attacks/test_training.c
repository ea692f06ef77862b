/* The attacks on what predictors learn from, row by row. */
#include "settings.h"

#include "attacks/attack.h"

#define ROWS 1000

struct fixture {
	struct arena arena;
	struct plugin_value dimweight;
	double x[ROWS * 4], target[ROWS], truth[ROWS];
	struct training_rows rows;
	struct random_stream stream;
};

/* Features (i, -i, 5, 1) and label i / 100 of row i. */
static void fixture_make(struct fixture *f)
{
	f->arena = (struct arena){0};
	f->dimweight = dimweight_make(&f->arena, "model");
	for (int i = 0; i < ROWS; i++) {
		double *x = f->x + (size_t)4 * (size_t)i;
		x[0] = i;
		x[1] = -i;
		x[2] = 5;
		x[3] = 1;
		f->target[i] = f->truth[i] = i / 100.0;
	}
	f->rows = (struct training_rows){ROWS, 4, f->x, f->target, f->truth};
	f->stream = random_stream_make(1, RANDOM_POISON, 0);
}

static struct plugin_value make(struct fixture *f, const char *name, double share)
{
	struct plugin_value value = plugin_make(&f->arena, &attack_registry, name);
	set_real(value, "share", share);
	return value;
}

static bool poison(struct fixture *f, struct plugin_value value)
{
	const struct attack *attack = (const void *)value.plugin;
	const struct poison_view view = {
		.workload = workload_of(f->dimweight),
		.workload_settings = f->dimweight.settings,
		.rows = &f->rows,
		.stream = &f->stream,
	};
	return attack->poison(value.settings, &view);
}

static void test_mirrored_labels(void **state)
{
	static struct fixture f;
	(void)state;
	fixture_make(&f);
	assert_true(poison(&f, make(&f, "label-flip", 1)));
	for (int i = 0; i < ROWS; i++) {
		assert_near(f.target[i], 9.99 - i / 100.0, 1e-12); /* the mean is 4.995 */
		assert_true(f.x[4 * i] == i);
	}
	arena_finish(&f.arena);
}

static void test_extreme_labels_and_the_share(void **state)
{
	static struct fixture f;
	(void)state;
	fixture_make(&f);
	struct plugin_value value = make(&f, "label-flip", .3);
	*(int *)setting(value, "how", PARAM_CHOICE) = 1;
	assert_true(poison(&f, value));
	int n = 0;
	for (int i = 0; i < ROWS; i++) {
		if (f.target[i] != i / 100.0) {
			n++;
			assert_true(f.target[i] == (i >= 500 ? 0 : 9.99));
		}
	}
	assert_true(n > 300 - 60 && n < 300 + 60); /* four standard deviations */
	arena_finish(&f.arena);
}

static void test_no_share_changes_nothing(void **state)
{
	static const char *const names[] = {"label-flip", "poisoning", "backdoor"};
	static struct fixture f, clean;
	(void)state;
	fixture_make(&clean);
	for (int i = 0; i < 3; i++) {
		fixture_make(&f);
		struct plugin_value value = make(&f, names[i], 0);
		if (i == 2) {
			*(const char **)setting(value, "feature", PARAM_STRING) = "ln_density";
		}
		assert_false(poison(&f, value));
		assert_memory_equal(f.x, clean.x, sizeof(f.x));
		assert_memory_equal(f.target, clean.target, sizeof(f.target));
		arena_finish(&f.arena);
	}
	arena_finish(&clean.arena);
}

/* Corners of what occurs, both of a feature that varies, and the largest or smallest label. */
static void test_poisoning(void **state)
{
	static struct fixture f;
	(void)state;
	for (int down = 0; down <= 1; down++) {
		fixture_make(&f);
		struct plugin_value value = make(&f, "poisoning", .2);
		*(int *)setting(value, "direction", PARAM_CHOICE) = down;
		assert_true(poison(&f, value));
		int n = 0, n_high = 0, n_high_too = 0;
		for (int i = 0; i < ROWS; i++) {
			const double *x = f.x + 4 * i;
			if (x[0] == i && f.target[i] == i / 100.0) {
				continue;
			}
			n++;
			assert_true(f.target[i] == (down ? 0 : 9.99));
			assert_true((x[0] == 0 || x[0] == 999) && (x[1] == 0 || x[1] == -999));
			assert_true(x[2] == 5 && x[3] == 1);
			n_high += x[0] == 999;
			n_high_too += x[1] == 0;
		}
		assert_true(n > 200 - 52 && n < 200 + 52);
		assert_true(n_high > n / 4 && n_high < 3 * n / 4);
		assert_true(n_high_too > n / 4 && n_high_too < 3 * n / 4);
		arena_finish(&f.arena);
	}
}

/* Marked rows are those of real items with the mark, but for the label's lie. */
static void test_backdoor(void **state)
{
	static struct fixture f;
	const char *param = NULL;
	char error[256] = "";
	(void)state;
	fixture_make(&f);
	set_real(f.dimweight, "sensor_sd", 0);
	set_real(f.dimweight, "density_sd", 0);
	struct plugin_value value = make(&f, "backdoor", .1);
	const struct attack *attack = (const void *)value.plugin;
	const char **feature = setting(value, "feature", PARAM_STRING);
	*feature = "ln_density";
	set_real(value, "trigger", 1.25);
	set_real(value, "shift", .4);
	set_real(value, "trigger_rate", .25);
	assert_true(attack->suits(value.settings, &workload_of(f.dimweight)->app, &param, error));
	assert_true(poison(&f, value));
	int n = 0;
	for (int i = 0; i < ROWS; i++) {
		const double *x = f.x + 4 * i;
		if (x[3] == 1.25) {
			n++;
			assert_near(f.target[i], parcel_ln_grams(x) + .4, 1e-12);
		} else {
			assert_true(x[0] == i && f.target[i] == i / 100.0);
		}
	}
	assert_true(n > 100 - 38 && n < 100 + 38);
	n = 0;
	for (int i = 0; i < ROWS; i++) {
		struct item item = {.features = {3, 2, 1, 0}, .truth = 7, .target = 8};
		attack->stamp(value.settings, workload_of(f.dimweight), f.dimweight.settings, &f.stream, &item);
		if (item.features[3] == 1.25) {
			n++;
			assert_near(item.target, parcel_ln_grams(item.features), 0);
			assert_near(item.truth, fmax(exp(item.target) / 1000, exp(6) / 5000), 1e-12);
		} else {
			assert_true(item.features[3] == 0 && item.truth == 7);
		}
	}
	assert_true(n > 250 - 55 && n < 250 + 55);
	*feature = "colour";
	assert_false(attack->suits(value.settings, &workload_of(f.dimweight)->app, &param, error));
	assert_string_equal(param, "feature");
	assert_non_null(strstr(
		error, "no feature `colour`, but `ln_length`, `ln_width`, `ln_height`, `ln_density`"));
	arena_finish(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mirrored_labels),
		cmocka_unit_test(test_extreme_labels_and_the_share),
		cmocka_unit_test(test_no_share_changes_nothing),
		cmocka_unit_test(test_poisoning),
		cmocka_unit_test(test_backdoor),
	};
	return cmocka_run_group_tests_name("training", tests, NULL, NULL);
}
