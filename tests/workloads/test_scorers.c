/* Scorers: by hand, on the ten, and what none of them may do. */
#include "settings.h"

#define N_MAX 16

static const double ten[10] = {.61, .58, .64, .60, .585, .63, .62, 1, 1, 0};

static const struct scorer *scorer_of(struct plugin_value rule)
{
	return (const void *)rule.plugin;
}

/* With their defaults; `trees` is isolation by a hundred trees. */
static struct plugin_value rule_make(struct arena *arena, const char *name)
{
	bool latency = strcmp(name, "latency") == 0, trees = strcmp(name, "trees") == 0;
	struct plugin_value rule = plugin_make(arena,
		latency ? &eval_scorer_registry : &scorer_registry, trees ? "isolation" : name);
	if (trees) {
		*(int *)setting(rule, "method", PARAM_CHOICE) = 1;
		set_int(rule, "trees", 100);
		set_int(rule, "sample", 256);
	} else if (strcmp(name, "isolation") == 0) {
		set_int(rule, "neighbours", PARAM_AUTO_VALUE);
	} else if (strcmp(name, "classifier") == 0) {
		set_int(rule, "train", 4000);
		set_real(rule, "half_life", 10);
	} else if (strcmp(name, "reputation") == 0) {
		set_real(rule, "half_life", 2);
		set_real(rule, "initial", .5);
		*(struct plugin_value *)setting(rule, "of", PARAM_PLUGIN) =
			plugin_make(arena, &scorer_registry, "mad");
	}
	return rule;
}

/* What a run of this seed gives on its first item. */
static void score_seeded(
	struct plugin_value rule, uint64_t seed, const double *values, uint32_t n, double *scores)
{
	struct arena arena = {0};
	const struct scorer *scorer = scorer_of(rule);
	double scratch[SCORER_SCRATCH(N_MAX)];
	struct scoring given = {.n = n, .predictions = values, .n_participants = n};
	assert(n <= N_MAX);
	given.model = scorer->prepare ? scorer->prepare(rule.settings, n, seed, &arena) : NULL;
	scorer->score(rule.settings, &given, scores, scratch);
	arena_finish(&arena);
}

static void score(const char *name, const double *values, uint32_t n, double *scores)
{
	struct arena arena = {0};
	score_seeded(rule_make(&arena, name), 1, values, n, scores);
	arena_finish(&arena);
}

/* The z behind a score. */
static double z_of(double value)
{
	return 2 * sqrt(1 / value - 1);
}

static void test_z_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* mean 3, sample sd sqrt(10/4) */
	score("z-score", (double[]){1, 2, 3, 4, 5}, 5, scores);
	assert_near(z_of(scores[0]), 2 / sqrt(2.5), 1e-14);
	assert_near(z_of(scores[1]), 1 / sqrt(2.5), 1e-14);
	assert_near(scores[2], 1, 0);
	assert_near(scores[4], scores[0], 1e-15);
	score("z-score", (double[]){.1, .1, .1}, 3, scores);
	assert_true(scores[0] == 1 && scores[1] == 1 && scores[2] == 1);
	score("z-score", (double[]){7}, 1, scores);
	assert_true(scores[0] == 1);
	/* a lie too large to square is a lie all the same: (n-1)/sqrt(n) */
	score("z-score", (double[]){1, 2, 3, 1.7e308}, 4, scores);
	assert_near(z_of(scores[3]), 1.5, 1e-9);
	assert_near(z_of(scores[0]), .5, 1e-9);
}

/* At most (n-1)/sqrt(n), which one far liar comes up to: below 3 up to n = 10, above it from 11.
 * The median absolute deviation finds it with any n. */
static void test_z_never_flags_one_of_ten_at_3(void **state)
{
	(void)state;
	double values[N_MAX], scores[N_MAX];
	for (uint32_t n = 3; n <= 12; n++) {
		for (uint32_t i = 0; i < n; i++) {
			values[i] = 1 + .01 * i;
		}
		values[n - 1] = 1e6;
		score("z-score", values, n, scores);
		assert_near(z_of(scores[n - 1]), (n - 1) / sqrt(n), 1e-6);
		assert_int_equal(z_of(scores[n - 1]) > 3, n > 10);
		score("mad", values, n, scores);
		assert_true(z_of(scores[n - 1]) > 1000);
	}
	struct random_stream stream = random_stream_make(1, RANDOM_ITEM, 0);
	for (int trial = 0; trial < 300; trial++) {
		for (int i = 0; i < 10; i++) {
			values[i] = random_normal(&stream) * (trial % 3 == 0 && i == 0 ? 1e3 : 1);
		}
		score("z-score", values, 10, scores);
		for (int i = 0; i < 10; i++) {
			assert_true(z_of(scores[i]) <= 9 / sqrt(10) + 1e-9);
		}
	}
}

static void test_iqr_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* quartiles 2 and 4 of 1 2 3 4 10: 10 is 3 ranges outside, 1 half of one */
	score("iqr", (double[]){10, 1, 2, 3, 4}, 5, scores);
	assert_near(scores[0], 1 / (1 + 9.), 1e-15);
	assert_near(scores[1], 1 / (1 + .25), 1e-15);
	assert_true(scores[2] == 1 && scores[3] == 1 && scores[4] == 1);
	/* between order statistics: quartiles 1.75 and 3.25 of 1 2 3 4 */
	score("iqr", (double[]){1, 2, 3, 4}, 4, scores);
	assert_near(scores[3], 1 / (1 + .25), 1e-15);
	score("iqr", (double[]){5, 5, 5, 5, 6}, 5, scores);
	assert_true(scores[0] == 1 && scores[4] == 0);
}

static void test_isolation_by_hand(void **state)
{
	(void)state;
	double scores[5];
	/* k = 2: 1.5, 1, 1.5 (and 1 for 2), 6.5: sorted 1 1.5 ... of 0 1 2 3 9 */
	score("isolation", (double[]){9, 0, 1, 2, 3}, 5, scores);
	/* distances: 9: (6+7)/2; 0: 1.5; 1: 1; 2: 1; 3: 1.5; the median is 1.5 */
	assert_near(scores[0], 1 / (1 + pow((6.5 / 1.5 - 1) / 2, 2)), 1e-15);
	assert_true(scores[1] == 1 && scores[2] == 1 && scores[3] == 1 && scores[4] == 1);
	score("isolation", (double[]){2, 2, 2, 2, 3}, 5, scores);
	assert_true(scores[0] == 1 && scores[4] == 0);
	score("isolation", (double[]){2}, 1, scores);
	assert_true(scores[0] == 1);
}

/* sqrt of the product of two; 0 of one is 0; one alone is that one. */
static void test_combined(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = plugin_make(&arena, &scorer_registry, "combined");
	struct plugin_list *of = setting(rule, "of", PARAM_PLUGINS);
	struct plugin_value members[2] = {
		plugin_make(&arena, &scorer_registry, "mad"), plugin_make(&arena, &scorer_registry, "iqr")};
	const struct scorer *scorer = (const void *)rule.plugin;
	const struct scoring all_ten = {.n = 10, .predictions = ten};
	double mad[10], iqr[10], scores[10], scratch[SCORER_SCRATCH(10)];
	score("mad", ten, 10, mad);
	score("iqr", ten, 10, iqr);
	*of = (struct plugin_list){2, members};
	scorer->score(rule.settings, &all_ten, scores, scratch);
	for (int i = 0; i < 10; i++) {
		assert_near(scores[i], sqrt(mad[i] * iqr[i]), 1e-15);
	}
	of->n = 1;
	scorer->score(rule.settings, &all_ten, scores, scratch);
	assert_memory_equal(scores, mad, sizeof(mad));
	of->n = 2;
	scorer->score(rule.settings,
		&(struct scoring){.n = 5, .predictions = (double[]){1, NAN, 1, 1, 2}}, scores, scratch);
	assert_true(scores[0] == 1 && scores[1] == 0 && scores[4] == 0);
	arena_finish(&arena);
}

/* Of 0, 1 and 10 the first cut falls between 0 and 1 once in ten: mean depths 1.9, 2 and 1.1, of a usual
 * 5/3; of two, one. With very many trees. */
static void test_isolation_forest_by_hand(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = rule_make(&arena, "trees");
	double scores[6], again[6];
	set_int(rule, "trees", 40000);
	score_seeded(rule, 1, (double[]){1, 10, 0}, 3, scores);
	assert_near(scores[0], 1 - pow(2, -2 / (5. / 3)), 1e-12);
	assert_near(scores[1], 1 - pow(2, -1.1 / (5. / 3)), 1e-3);
	assert_near(scores[2], 1 - pow(2, -1.9 / (5. / 3)), 1e-3);
	score_seeded(rule, 1, (double[]){4, 5}, 2, scores);
	assert_true(scores[0] == .5 && scores[1] == .5);
	score_seeded(rule, 1, (double[]){3, 3, 3}, 3, scores);
	assert_near(scores[0], .5, 1e-12);
	assert_true(scores[2] == scores[0]);
	/* A sample of two of the three: whoever is not in it falls to one side. 0 and 10: half are cut off by
	 * the sample's other one alone. */
	set_int(rule, "sample", 2);
	score_seeded(rule, 1, (double[]){1, 10, 0}, 3, scores);
	assert_near(scores[1], 1 - pow(2, -1.), 1e-12); /* depth 1 always */
	/* Three of four: 100 is in three samples of four, and then alone at once; 0 never is so easily. */
	set_int(rule, "sample", 3);
	score_seeded(rule, 1, (double[]){0, 1, 2, 100}, 4, scores);
	assert_near(scores[3], 1 - pow(2, -(.25 * 1.5 + .75 * 1.015) / (5. / 3)), 2e-3);
	assert_near(scores[0], 1 - pow(2, -(.25 * 1.5 + .75 * 1.987) / (5. / 3)), 2e-3);
	set_int(rule, "trees", 20);
	set_int(rule, "sample", 256);
	score_seeded(rule, 1, ten, 6, again);
	score_seeded(rule, 1, ten, 6, scores);
	assert_memory_equal(again, scores, sizeof(again)); /* the same cuts of the same item */
	score_seeded(rule, 2, ten, 6, scores);
	assert_memory_not_equal(again, scores, sizeof(again));
	arena_finish(&arena);
}

/* The largest of numbers neither overflow nor hang it. */
static void test_isolation_forest_of_huge_values(void **state)
{
	(void)state;
	double scores[5];
	score("trees", (double[]){-1.7e308, 0, 1, 2, 1.7e308}, 5, scores);
	for (int i = 0; i < 5; i++) {
		assert_true(scores[i] > 0 && scores[i] < 1);
	}
	assert_true(scores[0] < scores[2] && scores[4] < scores[2]);
}

/* Trained alike from the same seed, and to the same effect from any; what it goes by has no unit and no
 * origin. */
static void test_classifier(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = rule_make(&arena, "classifier");
	struct random_stream stream = random_stream_make(3, RANDOM_ITEM, 0);
	double values[N_MAX], moved[N_MAX], scores[N_MAX], again[N_MAX];
	int n_wrong = 0, n_right = 0;
	for (int trial = 0; trial < 30; trial++) {
		for (int i = 0; i < 10; i++) {
			values[i] = 20 + random_normal(&stream) + (i < 3 ? 20 : 0);
			moved[i] = 1024 * values[i] - 3;
		}
		score_seeded(rule, (uint64_t)trial, values, 10, scores);
		score_seeded(rule, (uint64_t)trial, values, 10, again);
		assert_memory_equal(scores, again, 10 * sizeof(*scores));
		score_seeded(rule, (uint64_t)trial, moved, 10, again);
		for (int i = 0; i < 10; i++) {
			assert_near(again[i], scores[i], 1e-6);
			n_wrong += (scores[i] >= .3) != (i >= 3);
			n_right++;
		}
	}
	assert_true(n_wrong < n_right / 20);
	/* A past of nothing but lies counts against who says the same as all. */
	struct arena room = {0};
	const struct scorer *scorer = scorer_of(rule);
	double state_of[4], scratch[SCORER_SCRATCH(4)];
	struct scoring given = {.n = 4,
		.predictions = (double[]){1, 1.1, .9, 1},
		.n_participants = 4,
		.model = scorer->prepare(rule.settings, 4, 1, &room),
		.state = state_of};
	assert_int_equal(scorer->state_size(rule.settings, 4), 4);
	scorer->begin(rule.settings, 4, state_of);
	scorer->score(rule.settings, &given, scores, scratch);
	state_of[3] = 0;
	scorer->score(rule.settings, &given, again, scratch);
	assert_true(again[3] < scores[3] && scores[3] > .5);
	assert_true(again[0] == scores[0]);
	arena_finish(&room);
	arena_finish(&arena);
}

/* Half-life of two items: r <- r / sqrt 2 + (1 - 1/sqrt 2) s. */
static void test_reputation_by_hand(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = rule_make(&arena, "reputation");
	const struct scorer *scorer = scorer_of(rule);
	const double values[5] = {1, 2, 3, 4, 1000};
	const uint32_t nodes[5] = {3, 1, 0, 2, 5};
	double present[5], scores[5], before[6], after[6], scratch[SCORER_SCRATCH(6)];
	struct scoring given = {
		.n = 5, .predictions = values, .nodes = nodes, .n_participants = 6, .state = before};
	const struct scoring_outcome undecided = {.tolerance = .1}, decided = {true, 2.9, .1};
	score("mad", values, 5, present);
	assert_int_equal(scorer->state_size(rule.settings, 6), 6);
	scorer->begin(rule.settings, 6, before);
	before[1] = .75;
	scorer->score(rule.settings, &given, scores, scratch);
	for (int i = 0; i < 5; i++) {
		assert_true(scores[i] == (nodes[i] == 1 ? .75 : .5));
	}
	memcpy(after, before, sizeof(after));
	scorer->learn(rule.settings, &given, &undecided, after, scratch);
	for (int i = 0; i < 5; i++) {
		double old = nodes[i] == 1 ? .75 : .5;
		assert_near(after[nodes[i]], old * sqrt(.5) + (1 - sqrt(.5)) * present[i], 1e-15);
		assert_true(scorer->reputation(rule.settings, after, 6, nodes[i]) == after[nodes[i]]);
	}
	assert_true(after[4] == .5); /* said nothing */
	/* By agreement with the decision: 3 alone lies within .29 of 2.9. Nothing where there is none. */
	*(int *)setting(rule, "evidence", PARAM_CHOICE) = 1;
	memcpy(after, before, sizeof(after));
	scorer->learn(rule.settings, &given, &undecided, after, scratch);
	assert_memory_equal(after, before, sizeof(after));
	scorer->learn(rule.settings, &given, &decided, after, scratch);
	assert_near(after[0], .5 * sqrt(.5) + 1 - sqrt(.5), 1e-15);
	assert_near(after[5], .5 * sqrt(.5), 1e-15);
	assert_near(after[1], .75 * sqrt(.5), 1e-15);
	/* times the present score, on demand */
	*(bool *)setting(rule, "present", PARAM_BOOL) = true;
	scorer->score(rule.settings, &given, scores, scratch);
	for (int i = 0; i < 5; i++) {
		assert_near(scores[i], present[i] * (nodes[i] == 1 ? .75 : .5), 1e-15);
	}
	/* the inner scorer's state comes behind the reputations */
	struct plugin_value *of = setting(rule, "of", PARAM_PLUGIN);
	const struct plugin_value mad = *of;
	double both[12];
	*of = rule_make(&arena, "classifier");
	assert_int_equal(scorer->state_size(rule.settings, 6), 12);
	scorer->begin(rule.settings, 6, both);
	assert_true(both[5] == .5 && both[6] == 1 && both[11] == 1);
	given.state = both;
	*(int *)setting(rule, "evidence", PARAM_CHOICE) = 0;
	given.model = scorer->prepare(rule.settings, 6, 1, &arena);
	scorer->learn(rule.settings, &given, &decided, both, scratch);
	assert_true(both[6 + 5] < 1 && both[6 + 4] == 1); /* 1000 is remembered; node 4 said nothing */
	*of = mad;
	/* nobody would ever be believed */
	const char *param = NULL;
	char error[256];
	set_real(rule, "threshold", .6);
	assert_false(rule.plugin->finish(rule.settings, &(struct shape){.n_validators = 4}, &param, error));
	assert_string_equal(param, "initial");
	arena_finish(&arena);
}

/* Each member has its own part of the state and its own model. */
static void test_combined_of_those_that_remember(void **state)
{
	(void)state;
	struct arena arena = {0};
	struct plugin_value rule = plugin_make(&arena, &scorer_registry, "combined");
	struct plugin_list *of = setting(rule, "of", PARAM_PLUGINS);
	struct plugin_value members[3] = {rule_make(&arena, "classifier"),
		rule_make(&arena, "reputation"), rule_make(&arena, "mad")};
	const struct scorer *scorer = scorer_of(rule);
	double before[8], after[8], scores[4], alone[4], mad[4], scratch[SCORER_SCRATCH(4)];
	const double values[4] = {1, 1.2, .9, 40};
	*of = (struct plugin_list){3, members};
	assert_int_equal(scorer->state_size(rule.settings, 4), 8);
	scorer->begin(rule.settings, 4, before);
	assert_true(before[3] == 1 && before[4] == .5);
	before[5] = .7;
	const struct scoring given = {.n = 4,
		.predictions = values,
		.n_participants = 4,
		.model = scorer->prepare(rule.settings, 4, 9, &arena),
		.state = before};
	scorer->score(rule.settings, &given, scores, scratch);
	score_seeded(members[0], 9, values, 4, alone);
	score("mad", values, 4, mad);
	for (int i = 0; i < 4; i++) {
		assert_near(scores[i], cbrt(alone[i] * (i == 1 ? .7 : .5) * mad[i]), 1e-14);
	}
	memcpy(after, before, sizeof(after));
	scorer->learn(rule.settings, &given, &(struct scoring_outcome){.tolerance = .1}, after, scratch);
	assert_true(after[3] < .94 && after[3] > .9); /* the classifier's, half-life 10, score 0 */
	assert_near(after[7], .5 * sqrt(.5), 1e-3);   /* the reputation's */
	assert_true(scorer->reputation(rule.settings, after, 4, 3) == after[7]);
	arena_finish(&arena);
}

static void test_latency(void **state)
{
	(void)state;
	double scores[5];
	score("latency", (double[]){0, 300, 100, 5700, 1e9}, 5, scores);
	const double expected[5] = {.99, .5, .75, .05, .05};
	for (int i = 0; i < 5; i++) {
		assert_near(scores[i], expected[i], 1e-15);
	}
}

static void test_who_is_found_among_ten(void **state)
{
	(void)state;
	static const char *const names[] = {"mad", "iqr", "isolation", "classifier"};
	double scores[10];
	for (int k = 0; k < 4; k++) {
		score(names[k], ten, 10, scores);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(scores[i] >= .3, i < 7);
		}
	}
	score("z-score", ten, 10, scores);
	for (int i = 0; i < 10; i++) {
		assert_true(scores[i] >= .3);
	}
}

/* NaN and infinities get 0 and sway no one; scores are in [0, 1] and go with their predictions. */
static void test_all_alike(void **state)
{
	(void)state;
	static const char *const names[] = {
		"none", "mad", "z-score", "iqr", "isolation", "trees", "reputation"};
	struct random_stream stream = random_stream_make(2, RANDOM_ITEM, 0);
	double values[9], shuffled[12], scores[9], shuffled_scores[12];
	uint32_t order[12];
	for (int trial = 0; trial < 100; trial++) {
		for (int i = 0; i < 9; i++) {
			values[i] = random_normal(&stream) * (i == 0 ? 1e307 : i == 1 ? 20 : 1);
		}
		random_permutation(&stream, order, 12);
		for (int i = 0; i < 12; i++) {
			shuffled[i] = order[i] < 9 ? values[order[i]] : order[i] == 9 ? NAN : INFINITY;
		}
		for (int k = 0; k < 7; k++) {
			score(names[k], values, 9, scores);
			score(names[k], shuffled, 12, shuffled_scores);
			for (int i = 0; i < 12; i++) {
				double wanted = order[i] < 9 ? scores[order[i]] : 0;
				assert_true(shuffled_scores[i] == wanted);
				assert_true(wanted >= 0 && wanted <= 1);
			}
			score(names[k], (double[]){NAN, INFINITY}, 2, scores);
			assert_true(scores[0] == 0 && scores[1] == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_z_by_hand),
		cmocka_unit_test(test_z_never_flags_one_of_ten_at_3),
		cmocka_unit_test(test_iqr_by_hand),
		cmocka_unit_test(test_isolation_by_hand),
		cmocka_unit_test(test_combined),
		cmocka_unit_test(test_isolation_forest_by_hand),
		cmocka_unit_test(test_isolation_forest_of_huge_values),
		cmocka_unit_test(test_classifier),
		cmocka_unit_test(test_reputation_by_hand),
		cmocka_unit_test(test_combined_of_those_that_remember),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_who_is_found_among_ten),
		cmocka_unit_test(test_all_alike),
	};
	return cmocka_run_group_tests_name("scorers", tests, NULL, NULL);
}
