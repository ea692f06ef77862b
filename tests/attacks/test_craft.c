/* Attacks by colluders that have seen the honest rows: by the papers' own numbers and conditions.
 */
#include "settings.h"

#include "attacks/attack.h"

/* The oracle's ten: seven honest. */
static const double seven[] = {.61, .58, .64, .60, .585, .63, .62};
/* Five honest rows of three. */
static const double rows[] = {
	1, -2, .5, 1.2, -1.8, .4, .9, -2.1, .65, 1.1, -1.9, .55, .95, -2.25, .45};

struct fixture {
	struct arena arena;
	struct random_stream stream;
	double out[64];
};

static struct plugin_value attack_make(struct fixture *f, const char *name)
{
	if (f->stream.counter == 0) {
		f->stream = random_stream_make(1, RANDOM_ATTACK, 0);
	}
	return plugin_make(&f->arena, &attack_registry, name);
}

static struct craft_view view_make(
	struct fixture *f, const double *honest, uint32_t n_honest, uint32_t n_faulty, uint32_t dims)
{
	assert(n_faulty * dims <= 64);
	return (struct craft_view){.honest = honest,
		.n_honest = n_honest,
		.n_faulty = n_faulty,
		.n = n_honest + n_faulty,
		.dims = dims,
		.stream = &f->stream};
}

static const double *craft(struct fixture *f, struct plugin_value attack, struct craft_view view)
{
	char error[256] = "";
	if (!attack_rows(&attack, &view, f->out, error)) {
		fail_msg("%s", error);
	}
	return f->out;
}

static void set_choice(struct plugin_value attack, const char *name, int choice)
{
	*(int *)setting(attack, name, PARAM_CHOICE) = choice;
}

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

static double distance2(const double *a, const double *b, uint32_t dims)
{
	double sum = 0;
	for (uint32_t k = 0; k < dims; k++) {
		sum += (a[k] - b[k]) * (a[k] - b[k]);
	}
	return sum;
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
		cmocka_unit_test(test_adaptive_stays_just_inside),
		cmocka_unit_test(test_adaptive_goes_no_further_than_pays),
		cmocka_unit_test(test_adaptive_gains_by_reach_and_steps),
		cmocka_unit_test(test_adaptive_is_no_weaker_with_reach),
		cmocka_unit_test(test_adaptive_does_the_most_harm),
		cmocka_unit_test(test_what_rows_cannot_give),
	};
	return cmocka_run_group_tests_name("craft", tests, NULL, NULL);
}
