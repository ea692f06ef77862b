/* The attack that searches for what pays against the rule at hand. */
#include "craft.h"

/* A mean of those within `bound` of 1: undecided where all are beyond. */
static bool bounded_mean(
	const void *context, const double *values, uint32_t n, uint32_t dims, double *out, bool *accepted)
{
	double bound = *(const double *)context, sum = 0;
	uint32_t n_near = 0;
	for (uint32_t i = 0; i < n; i++) {
		accepted[i] = fabs(values[i * dims] - 1) <= bound;
		if (accepted[i]) {
			sum += values[i * dims];
			n_near++;
		}
	}
	for (uint32_t k = 0; k < dims; k++) {
		out[k] = sum / n_near;
	}
	return n_near > 0;
}

/* The best lie stands just inside the bound: found to 1e-6 of it, never outside. */
static void test_adaptive_stays_just_inside(void **state)
{
	(void)state;
	struct fixture f = {0};
	static const double honest[] = {.9, 1, 1.1, 1}; /* sd .0816 */
	struct plugin_value attack = attack_make(&f, "adaptive");
	set_real(attack, "reach", 10);
	set_int(attack, "steps", 50);
	for (double bound = .2; bound < .7; bound += .137) {
		struct craft_defence defence = {bounded_mean, &bound};
		struct craft_view view = view_make(&f, honest, 4, 2, 1);
		view.defence = &defence;
		craft(&f, attack, view);
		assert_true(fabs(f.out[0] - 1) <= bound);
		assert_near(fabs(f.out[0] - 1), bound, 1e-6);
		assert_true(f.out[0] == f.out[1]);
	}
	/* Nothing refuses it: to the end of its reach, and no further, where no other attack (sign-flip: 2 off)
	 * goes. */
	double bound = 1e9;
	bool at_reach = false;
	set_real(attack, "reach", 30);
	struct craft_defence defence = {bounded_mean, &bound};
	struct craft_view view = view_make(&f, honest, 4, 2, 1);
	view.defence = &defence;
	view.at_reach = &at_reach;
	craft(&f, attack, view);
	assert_near(fabs(f.out[0] - 1), 30 * sqrt(.02 / 3), 1e-12);
	assert_true(at_reach);
	/* Nothing it can say matters: its own. */
	bound = -1;
	const double own[] = {1.5, 1.25};
	view.own = own;
	craft(&f, attack, view);
	assert_memory_equal(f.out, own, sizeof(own));
	assert_false(at_reach);
	arena_finish(&f.arena);
}

static bool middle(
	const void *context, const double *values, uint32_t n, uint32_t dims, double *out, bool *accepted)
{
	(void)context;
	double copy[64];
	assert(dims == 1 && n <= 64);
	memset(accepted, true, n * sizeof(*accepted));
	memcpy(copy, values, n * sizeof(*copy));
	*out = median_in_place(copy, n);
	return true;
}

/* Against a median two of seven move it to the fourth from their end and no more: whoever is
 * further out than the largest honest value below them gains nothing by it. */
static void test_adaptive_goes_no_further_than_pays(void **state)
{
	(void)state;
	struct fixture f = {0};
	static const double honest[] = {1, 2, 3, 4, 5};
	struct plugin_value attack = attack_make(&f, "adaptive");
	struct craft_defence defence = {middle, NULL};
	struct craft_view view = view_make(&f, honest, 5, 2, 1);
	view.defence = &defence;
	set_real(attack, "reach", 10);
	set_int(attack, "steps", 50);
	double first = craft(&f, attack, view)[0];
	double width = .2 * sqrt(2.5);
	assert_true(first >= 4 && first <= 4 + width); /* the baseline: the median of 1 2 3 3 3 4 5 */
	assert_true(craft(&f, attack, view)[0] == first);
	arena_finish(&f.arena);
}

/* One of the aggregators, on whoever `mad` believes at z = 3.06 where the rows are numbers. */
struct rule {
	struct plugin_value aggregator;
	uint32_t n_faulty;
	bool scored;
};

static bool rule_decide(
	const void *context, const double *values, uint32_t n, uint32_t dims, double *out, bool *accepted)
{
	const struct rule *rule = context;
	static const struct scorer_common threshold = {.3};
	double scores[64], scratch[SCORER_SCRATCH(64)], packed[64 * 4];
	struct rows taken = {.dims = dims, .values = packed};
	char error[256];
	assert(n <= 64 && dims <= 4);
	for (uint32_t i = 0; i < n; i++) {
		scores[i] = 1;
	}
	if (rule->scored) {
		const struct scorer *mad = (const void *)plugin_named(&scorer_registry, "mad");
		const struct scoring given = {.n = n, .predictions = values, .n_participants = n};
		mad->score(&threshold, &given, scores, scratch);
	}
	for (uint32_t i = 0; i < n; i++) {
		accepted[i] = scores[i] >= threshold.threshold;
		if (accepted[i]) {
			memcpy(packed + taken.n++ * dims, values + i * dims, dims * sizeof(*packed));
		}
	}
	uint32_t n_rejected = n - taken.n;
	uint32_t n_faulty = rule->n_faulty > n_rejected ? rule->n_faulty - n_rejected : 0;
	struct arena scratch_arena = {0};
	bool good = taken.n > 0 && aggregator_check(&rule->aggregator, &taken, n_faulty, error);
	if (good) {
		aggregator_apply(&rule->aggregator, &taken, n_faulty, out, &scratch_arena);
	}
	arena_finish(&scratch_arena);
	return good;
}

/* How far these faulty rows move the decision from the one that the honest mean in their place leads to. */
static double displacement_of(const struct craft_view *view, const double *faulty)
{
	double values[64 * 4], baseline[4], decision[4], sum = 0;
	bool accepted[64];
	uint32_t dims = view->dims, n = view->n_honest + view->n_faulty;
	double *tail = values + view->n_honest * dims;
	memcpy(values, view->honest, view->n_honest * dims * sizeof(*values));
	for (uint32_t k = 0; k < dims; k++) {
		double mean = 0;
		for (uint32_t i = 0; i < view->n_honest; i++) {
			mean += view->honest[i * dims + k];
		}
		for (uint32_t i = 0; i < view->n_faulty; i++) {
			tail[i * dims + k] = mean / view->n_honest;
		}
	}
	if (!rule_decide(view->defence->context, values, n, dims, baseline, accepted)) {
		memcpy(baseline, tail, dims * sizeof(*baseline));
	}
	memcpy(tail, faulty, view->n_faulty * dims * sizeof(*values));
	if (!rule_decide(view->defence->context, values, n, dims, decision, accepted)) {
		return 0;
	}
	for (uint32_t k = 0; k < dims; k++) {
		sum += (decision[k] - baseline[k]) * (decision[k] - baseline[k]);
	}
	return sqrt(sum);
}

static double adaptive_displacement(
	struct fixture *f, struct craft_view view, double reach, int64_t steps)
{
	struct plugin_value attack = attack_make(f, "adaptive");
	set_real(attack, "reach", reach);
	set_int(attack, "steps", steps);
	return displacement_of(&view, craft(f, attack, view));
}

static const char *const defences[] = {
	"mean", "median", "trimmed-mean", "krum", "multi-krum", "bulyan", "geometric-median"};

#define DEFENCES (sizeof(defences) / sizeof(defences[0]))

/* The rows of trial t: numbers, or rows of three; spread out, in two heaps, whole numbers. */
static struct craft_view trial_make(
	struct fixture *f, struct random_stream *stream, int t, double *honest, struct rule *rule)
{
	uint32_t dims = t % 3 == 2 ? 3 : 1, n_honest = 7 + (uint32_t)random_below(stream, 6);
	for (uint32_t i = 0; i < n_honest * dims; i++) {
		double value = random_normal(stream);
		value += t % 4 == 1 ? (i / dims % 3 == 0) * 10. : t % 4 == 3 ? 50 : 0;
		honest[i] = t % 5 == 4 ? floor(2 * value) : value;
	}
	rule->n_faulty = 1 + (uint32_t)random_below(stream, 2);
	rule->scored = dims == 1 && t % 2 == 0;
	if (strcmp(rule->aggregator.plugin->name, "multi-krum") == 0) {
		set_int(rule->aggregator, "m", PARAM_AUTO_VALUE);
	}
	return view_make(f, honest, n_honest, rule->n_faulty, dims);
}

#define TRIALS 3
#define ROUNDING 1e-9 /* two searches come as near to a jump as numbers do, not equally near */

/* Whoever may go further does no less harm, nor whoever looks more closely. */
static void test_adaptive_gains_by_reach_and_steps(void **state)
{
	(void)state;
	static const double reaches[] = {.3, 1, 3.7, 10, 200};
	static const int64_t steps[] = {1, 3, 4, 9};
	struct random_stream stream = random_stream_make(4, RANDOM_ITEM, 0);
	for (size_t d = 0; d < DEFENCES; d++) {
		for (int t = 0; t < TRIALS; t++) {
			struct fixture f = {0};
			double honest[64 * 4], least = 0;
			struct rule rule = {
				.aggregator = plugin_make(&f.arena, &aggregator_registry, defences[d])};
			struct craft_view view = trial_make(&f, &stream, t, honest, &rule);
			struct craft_defence defence = {rule_decide, &rule};
			view.defence = &defence;
			for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
				double displacement = adaptive_displacement(&f, view, reaches[i], 4);
				assert_true(displacement >= least * (1 - ROUNDING));
				least = displacement;
			}
			least = 0;
			for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
				double displacement = adaptive_displacement(&f, view, 10, steps[i]);
				assert_true(displacement >= least * (1 - ROUNDING));
				least = displacement;
			}
			arena_finish(&f.arena);
		}
	}
}

/* 1 to 7 and two liars, against Krum, which then says 1 for any reach: 3 from the middle. With a grid that was even
 * over the reach it was 3, 2, 1 and 1 at these. */
static void test_adaptive_is_no_weaker_with_reach(void **state)
{
	(void)state;
	static const double honest[] = {1, 2, 3, 4, 5, 6, 7}, reaches[] = {5, 10, 200, 1000};
	struct fixture f = {0};
	struct rule rule = {plugin_make(&f.arena, &aggregator_registry, "krum"), 2, false};
	struct craft_defence defence = {rule_decide, &rule};
	struct craft_view view = view_make(&f, honest, 7, 2, 1);
	view.defence = &defence;
	for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
		assert_true(adaptive_displacement(&f, view, reaches[i], 8) == 3);
	}
	arena_finish(&f.arena);
}

/* Nobody who knows no more does more harm, whatever the reach. */
static void test_adaptive_does_the_most_harm(void **state)
{
	(void)state;
	static const char *const others[] = {"alie", "min-max", "min-sum", "mimic", "free-rider",
		"random-within", "inner-product", "sign-flip", "inflation", "targeted"};
	struct random_stream stream = random_stream_make(5, RANDOM_ITEM, 0);
	for (size_t d = 0; d < DEFENCES; d++) {
		for (int t = 0; t < TRIALS; t++) {
			struct fixture f = {0};
			double honest[64 * 4];
			struct rule rule = {
				.aggregator = plugin_make(&f.arena, &aggregator_registry, defences[d])};
			struct craft_view view = trial_make(&f, &stream, t, honest, &rule);
			struct craft_defence defence = {rule_decide, &rule};
			view.defence = &defence;
			double most = adaptive_displacement(&f, view, .5, 1);
			for (size_t a = 0; a < sizeof(others) / sizeof(others[0]); a++) {
				struct plugin_value attack = attack_make(&f, others[a]);
				struct random_stream own = f.stream;
				view.stream = &own; /* the colluders' at this item */
				for (const struct param *param = attack.plugin->params; param->name; param++) {
					if (param->kind == PARAM_REAL) {
						set_real(attack, param->name, strtod(param->fallback, NULL));
					}
				}
				assert_true(displacement_of(&view, craft(&f, attack, view)) <= most * (1 + ROUNDING));
			}
			arena_finish(&f.arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_adaptive_stays_just_inside),
		cmocka_unit_test(test_adaptive_goes_no_further_than_pays),
		cmocka_unit_test(test_adaptive_gains_by_reach_and_steps),
		cmocka_unit_test(test_adaptive_is_no_weaker_with_reach),
		cmocka_unit_test(test_adaptive_does_the_most_harm),
	};
	return cmocka_run_group_tests_name("craft", tests, NULL, NULL);
}
