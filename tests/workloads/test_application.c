/* The replicated application: closings, scores, decisions, and what comes late or twice. */
#include "settings.h"

#include "calls.h"

struct fixture {
	struct arena arena;
	struct application_settings settings;
	struct application *application;
	struct application_replica *replica;
};

/* n validators with the default quorum and close votes, tolerance .1. */
static void fixture_make(struct fixture *fixture, uint32_t n, const char *scorer, double threshold,
	const char *aggregator, int64_t n_faulty)
{
	struct application_settings *settings = &fixture->settings;
	*fixture = (struct fixture){.settings = {.n_validators = n,
									.quorum = n - (n - 1) / 3,
									.close_votes = application_close_votes(n),
									.tolerance = .1}};
	settings->scorer = plugin_make(&fixture->arena, &scorer_registry, scorer);
	settings->aggregator = plugin_make(&fixture->arena, &aggregator_registry, aggregator);
	((struct scorer_common *)settings->scorer.settings)->threshold = threshold;
	((struct aggregator_common *)settings->aggregator.settings)->n_faulty = n_faulty;
	fixture->application = application_create(settings, &fixture->arena);
	fixture->replica = application_replica_create(fixture->application, &fixture->arena);
}

static void test_closes_at_the_quorum(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "median", 0); /* quorum 3 */
	assert_int_equal(application_predict(f.replica, 5, 2, 3, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_predict(f.replica, 5, 2, 99, NAN), APPLICATION_DUPLICATE);
	assert_int_equal(application_predict(f.replica, 5, 0, 1, NAN), APPLICATION_ACCEPTED);
	assert_false(application_outcome(f.replica, 5).closed);
	assert_int_equal(application_outcome(f.replica, 5).n_predictions, 2);
	assert_int_equal(application_predict(f.replica, 5, 3, 2, NAN), APPLICATION_CLOSED_NOW);
	struct item_outcome outcome = application_outcome(f.replica, 5);
	assert_true(outcome.closed && outcome.decided);
	assert_true(outcome.value == 2);
	assert_int_equal(outcome.n_predictions, 3);
	assert_int_equal(outcome.n_rejected, 0);
	assert_int_equal(outcome.n_disputed, 2); /* 1 and 3 are further than .2 from 2 */

	assert_int_equal(application_predict(f.replica, 5, 1, 50, NAN), APPLICATION_LATE);
	assert_int_equal(application_predict(f.replica, 5, 1, 50, NAN), APPLICATION_LATE);
	assert_int_equal(application_close(f.replica, 5, 1), APPLICATION_LATE);
	outcome = application_outcome(f.replica, 5);
	assert_int_equal(outcome.n_late, 2);
	assert_true(outcome.value == 2);
	assert_false(application_outcome(f.replica, 4).closed); /* nothing was heard of it */
	assert_false(application_outcome(f.replica, 100000).closed);
	arena_finish(&f.arena);
}

static void test_closes_by_votes(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 7, "none", 0, "mean", 0); /* quorum 5, close votes 3 */
	assert_int_equal(f.settings.close_votes, 3);
	assert_int_equal(application_predict(f.replica, 0, 6, 4, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_close(f.replica, 0, 1), APPLICATION_ACCEPTED);
	assert_int_equal(application_close(f.replica, 0, 1), APPLICATION_DUPLICATE);
	assert_int_equal(application_close(f.replica, 0, 6), APPLICATION_ACCEPTED);
	assert_int_equal(application_predict(f.replica, 0, 2, 6, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_close(f.replica, 0, 0), APPLICATION_CLOSED_NOW);
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(outcome.decided && outcome.value == 5);
	assert_int_equal(outcome.n_predictions, 2);
	arena_finish(&f.arena);
}

static void test_closed_without_predictions_is_undecided(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "median", 0); /* close votes 2 */
	application_close(f.replica, 0, 3);
	assert_int_equal(application_close(f.replica, 0, 0), APPLICATION_CLOSED_NOW);
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(outcome.closed && !outcome.decided && isnan(outcome.value));
	assert_int_equal(outcome.n_predictions, 0);
	assert_int_equal(application_closing(f.application)->n, 0);
	arena_finish(&f.arena);
}

/* Each rejected prediction is one liar fewer: with f = 2 and one rejected, one is cut from each
 * end. */
static void test_rejections_lower_f(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 7, "mad", .3, "trimmed-mean", 2);
	const double values[5] = {1, 2, 3, 4.5, 1000};
	for (uint32_t i = 0; i < 5; i++) {
		application_predict(f.replica, 0, i, values[i], NAN);
	}
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_int_equal(outcome.n_rejected, 1);
	assert_true(outcome.decided && outcome.value == 2.5);
	const struct closing_view *closing = application_closing(f.application);
	assert_int_equal(closing->item, 0);
	assert_int_equal(closing->n, 5);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(closing->nodes[i], i);
		assert_true(closing->values[i] == values[i]);
		assert_int_equal(closing->accepted[i], i != 4);
		assert_int_equal(closing->scores[i] >= .3, i != 4);
	}
	arena_finish(&f.arena);
}

/* More rejected than f: f is 0, and what is left is averaged. */
static void test_f_does_not_fall_below_0(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 7, "mad", .3, "trimmed-mean", 1); /* quorum 5 */
	static const double values[] = {6, 100, 6, -100, 6};
	for (uint32_t i = 0; i < 5; i++) {
		application_predict(f.replica, 0, i, values[i], NAN);
	}
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_int_equal(outcome.n_rejected, 2);
	assert_true(outcome.decided && outcome.value == 6);
	arena_finish(&f.arena);
}

/* Two honest predictions and f = 1: a trimmed mean needs three. */
static void test_too_few_for_the_aggregator_is_undecided(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "trimmed-mean", 1);
	application_predict(f.replica, 0, 0, 5, NAN);
	application_predict(f.replica, 0, 1, 6, NAN);
	application_close(f.replica, 0, 0);
	assert_int_equal(application_close(f.replica, 0, 1), APPLICATION_CLOSED_NOW);
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(outcome.closed && !outcome.decided && isnan(outcome.value));
	assert_int_equal(outcome.n_predictions, 2);
	assert_int_equal(outcome.n_disputed, 0);
	arena_finish(&f.arena);
}

/* Rules that work on rows, and mixing: the lowered f and their needs hold in the application too. */
static void test_rules_of_rows(void **state)
{
	(void)state;
	const double values[7] = {1, 1.2, .9, 1.1, .95, 50, 1.05};
	struct fixture f;
	fixture_make(&f, 10, "none", 0, "krum", 2); /* quorum 7 = 2 * 2 + 3 */
	for (uint32_t i = 0; i < 7; i++) {
		application_predict(f.replica, 0, i, values[i], NAN);
	}
	assert_true(application_outcome(f.replica, 0).decided);
	assert_true(application_outcome(f.replica, 0).value == 1);
	/* one too few for Krum */
	for (uint32_t i = 0; i < 6; i++) {
		application_predict(f.replica, 1, i, values[i], NAN);
	}
	for (uint32_t i = 0; i < 4; i++) {
		application_close(f.replica, 1, i);
	}
	assert_true(application_outcome(f.replica, 1).closed);
	assert_false(application_outcome(f.replica, 1).decided);
	arena_finish(&f.arena);

	/* .95 and 50 make a bucket of one lie, 1.05 one of its own: 1.1, 1, 25.475, 1.05 */
	fixture_make(&f, 10, "none", 0, "median", 1);
	struct aggregator_common *common = f.settings.aggregator.settings;
	common->before = MIXING_BUCKETING;
	common->bucket = 2;
	for (uint32_t i = 0; i < 7; i++) {
		application_predict(f.replica, 0, i, values[i], NAN);
	}
	assert_near(application_outcome(f.replica, 0).value, 1.075, 1e-15);
	arena_finish(&f.arena);
}

/* What is no number changes nothing: who sent it may yet say one, and an item waits for others. */
static void test_no_number_is_refused(void **state)
{
	(void)state;
	static const double values[] = {NAN, -NAN, INFINITY, -INFINITY};
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "mean", 0); /* quorum 3 */
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(application_predict(f.replica, 0, i, values[i], 1), APPLICATION_NOT_FINITE);
		assert_int_equal(application_settle(f.replica, 0, i, values[i]), APPLICATION_NOT_FINITE);
	}
	assert_string_equal(application_reject(APPLICATION_NOT_FINITE), "not-finite");
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(!outcome.closed && outcome.n_predictions == 0);
	assert_int_equal(application_predict(f.replica, 0, 2, 6, 1), APPLICATION_ACCEPTED);
	application_close(f.replica, 0, 0);
	assert_int_equal(application_close(f.replica, 0, 1), APPLICATION_CLOSED_NOW);
	assert_true(application_outcome(f.replica, 0).value == 6);
	arena_finish(&f.arena);
}

/* Nor is a claim that is none one: an infinite sd from all would leave weights of nothing. */
static void test_no_number_is_claimed(void **state)
{
	(void)state;
	static const double claims[] = {INFINITY, NAN, -INFINITY};
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "inverse-variance", 0);
	for (uint32_t i = 0; i < 3; i++) {
		application_predict(f.replica, 0, i, 5, claims[i]);
		assert_true(i < 2 || application_outcome(f.replica, 0).value == 5);
	}
	arena_finish(&f.arena);
}

/* Scores 1/(1 + (1/1.4826/2)^2) and 1/(1 + (2/1.4826/2)^2) exactly at the threshold. */
static void test_score_at_the_threshold_is_accepted(void **state)
{
	(void)state;
	const struct scorer *mad = (const void *)plugin_named(&scorer_registry, "mad");
	const double values[5] = {1, 2, 3, 4, 5};
	double scores[5], scratch[SCORER_SCRATCH(5)];
	mad->score(&(struct scorer_common){0}, &(struct scoring){.n = 5, .predictions = values}, scores,
		scratch);
	for (int above = 0; above < 2; above++) {
		struct fixture f;
		double threshold = above ? nextafter(scores[0], 1) : scores[0];
		fixture_make(&f, 7, "mad", threshold, "median", 0);
		for (uint32_t i = 0; i < 5; i++) {
			application_predict(f.replica, 0, i, values[i], NAN);
		}
		assert_int_equal(application_outcome(f.replica, 0).n_rejected, above ? 2 : 0);
		arena_finish(&f.arena);
	}
}

static void test_dispute_is_relative_to_the_decision(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 7, "none", 0, "median", 0);
	f.settings.tolerance = .25;
	f.application = application_create(&f.settings, &f.arena);
	f.replica = application_replica_create(f.application, &f.arena);
	/* 5 and 3 lie exactly a quarter of 4 away, which is still within. */
	const double values[5] = {3, 5, 4, 2.99, 5.01};
	for (uint32_t i = 0; i < 5; i++) {
		application_predict(f.replica, 0, i, -values[i], NAN);
	}
	assert_true(application_outcome(f.replica, 0).value == -4);
	assert_int_equal(application_outcome(f.replica, 0).n_disputed, 2);
	arena_finish(&f.arena);
}

/* Replicas are apart: the same items in other orders, with the shared closing between them. */
static void test_replicas_share_no_state(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "mean", 0);
	struct application_replica *other = application_replica_create(f.application, &f.arena);
	struct application_replica *same = application_replica_create(f.application, &f.arena);
	for (uint32_t node = 0; node < 3; node++) {
		application_predict(f.replica, 0, node, node + 1.0, NAN);
		application_predict(other, 0, 3 - node, node + 7.0, NAN);
		application_predict(same, 0, node, node + 1.0, NAN);
	}
	assert_true(application_outcome(f.replica, 0).value == 2);
	assert_true(application_outcome(other, 0).value == 8);
	assert_true(application_outcome(same, 0).value == 2);
	assert_int_equal(application_closing(f.application)->nodes[0], 0);
	application_predict(other, 0, 0, 1, NAN);
	assert_int_equal(application_outcome(other, 0).n_late, 1);
	assert_int_equal(application_outcome(same, 0).n_late, 0);
	/* The same predictions of the next item are another closing. */
	for (uint32_t node = 0; node < 3; node++) {
		application_predict(same, 1, node, node + 1.0, NAN);
	}
	assert_int_equal(application_closing(f.application)->item, 1);
	/* One value apart, or one node apart, is another closing too. */
	for (uint32_t node = 0; node < 3; node++) {
		application_predict(f.replica, 1, node + 1, node + 1.0, NAN);
	}
	assert_int_equal(application_closing(f.application)->nodes[0], 1);
	for (uint32_t node = 0; node < 3; node++) {
		application_predict(other, 1, node + 1, node + 4.0, NAN);
	}
	assert_true(application_outcome(other, 1).value == 5);
	arena_finish(&f.arena);
}

/* A reputation is what a replica has executed: the same predictions after another past are scored anew, and
 * one replica's past is none of another's. */
static void test_a_scorer_remembers_by_replica(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "median", 1);
	struct plugin_value scorer = plugin_make(&f.arena, &scorer_registry, "reputation");
	f.settings.scorer = scorer;
	set_real(scorer, "threshold", .3);
	set_real(scorer, "half_life", 1);
	set_real(scorer, "initial", .5);
	*(int *)setting(scorer, "evidence", PARAM_CHOICE) = 1;
	*(struct plugin_value *)setting(scorer, "of", PARAM_PLUGIN) =
		plugin_make(&f.arena, &scorer_registry, "mad");
	f.application = application_create(&f.settings, &f.arena);
	f.replica = application_replica_create(f.application, &f.arena);
	struct application_replica *other = application_replica_create(f.application, &f.arena);
	struct application_replica *same = application_replica_create(f.application, &f.arena);
	const double values[3] = {10, 10.5, 90};
	for (uint64_t item = 0; item < 2; item++) {
		for (uint32_t node = 0; node < 3; node++) {
			application_predict(f.replica, item, node, values[node], NAN);
			application_predict(same, item, node, values[node], NAN);
			if (item == 1) {
				application_predict(other, item, node, values[node], NAN);
			}
		}
	}
	/* Node 2 was wrong once before: .25. Where it was not seen to be, it counts. */
	assert_int_equal(application_outcome(f.replica, 0).n_rejected, 0);
	assert_int_equal(application_outcome(f.replica, 1).n_rejected, 1);
	assert_int_equal(application_outcome(same, 1).n_rejected, 1);
	assert_int_equal(application_outcome(other, 1).n_rejected, 0);
	assert_near(application_outcome(f.replica, 1).value, 10.25, 1e-14);
	assert_true(application_outcome(other, 1).value == 10.5);
	assert_near(application_reputation(f.replica, 2), .125, 1e-15);
	assert_near(application_reputation(same, 2), .125, 1e-15);
	assert_near(application_reputation(other, 2), .25, 1e-15);
	/* 10 lies within a tenth of 10.5 and of 10.25 */
	assert_near(application_reputation(f.replica, 0), .875, 1e-15);
	assert_true(application_reputation(f.replica, 3) == .5);
	assert_true(isnan(application_reputation(f.replica, 4)));
	arena_finish(&f.arena);
}

/* Who is no participant is not heard, and doesn't count for the quorum. */
static void test_identities(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "median", 0); /* quorum 3 */
	assert_int_equal(application_predict(f.replica, 0, 4, 7, NAN), APPLICATION_REFUSED);
	assert_int_equal(application_predict(f.replica, 0, 1, 1, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_predict(f.replica, 0, 70, 7, NAN), APPLICATION_REFUSED);
	assert_int_equal(application_outcome(f.replica, 0).n_predictions, 1);
	f.settings.n_participants = 100;
	f.application = application_create(&f.settings, &f.arena);
	f.replica = application_replica_create(f.application, &f.arena);
	assert_int_equal(application_predict(f.replica, 0, 70, 7, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_predict(f.replica, 0, 70, 7, NAN), APPLICATION_DUPLICATE);
	assert_int_equal(application_predict(f.replica, 0, 99, 7, NAN), APPLICATION_ACCEPTED);
	assert_int_equal(application_predict(f.replica, 0, 1, 1, NAN), APPLICATION_CLOSED_NOW);
	assert_true(application_outcome(f.replica, 0).value == 7);
	arena_finish(&f.arena);
}

/* The sd that each claims reaches the aggregator, of those accepted. */
/* Whoever asks what an item would come to is told what it does come to, claims of certainty included. */
static void test_closing_is_one_function(void **state)
{
	(void)state;
	struct fixture f;
	static const double values[] = {1, 1.1, .9, 1.05, 40}, claimed[] = {.1, .2, NAN, .01, .001};
	static const uint32_t nodes[] = {4, 2, 0, 1, 3};
	fixture_make(&f, 5, "mad", .3, "inverse-variance", 0);
	set_real(f.settings.aggregator, "cap", 4);
	struct closing_room room = closing_room_make(5, 1, &f.arena);
	struct scoring given = application_scoring(f.replica, 0);
	given.n = 4;
	given.predictions = values + 1;
	given.nodes = nodes + 1;
	struct item_outcome asked = closing_decide(f.application, &given, claimed + 1, &room);
	for (int i = 1; i < 5; i++) { /* quorum 4 */
		application_predict(f.replica, 0, nodes[i], values[i], claimed[i]);
	}
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(outcome.decided && outcome.n_rejected == 1);
	assert_true(asked.value == outcome.value && asked.n_rejected == 1);
	assert_true(asked.n_disputed == outcome.n_disputed && asked.decided && asked.closed);
	assert_true(room.accepted[0] && room.accepted[1] && room.accepted[2] && !room.accepted[3]);
	/* Without the claims it would be another. */
	const double none[] = {NAN, NAN, NAN, NAN};
	assert_true(closing_decide(f.application, &given, none, &room).value != outcome.value);
	arena_finish(&f.arena);
}

static void test_confidence(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "none", 0, "inverse-variance", 0);
	set_real(f.settings.aggregator, "cap", 100);
	application_predict(f.replica, 0, 3, 1, 2);
	application_predict(f.replica, 0, 1, 6, 1);
	application_close(f.replica, 0, 0);
	application_close(f.replica, 0, 1);
	/* weights 1 and 4 */
	assert_near(application_outcome(f.replica, 0).value, 5, 1e-14);
	const struct closing_view *closing = application_closing(f.application);
	assert_true(closing->confidence[0] == 2 && closing->confidence[1] == 1);
	/* none claims any: the mean; other claims are another closing */
	for (int k = 0; k < 2; k++) {
		struct application_replica *other = application_replica_create(f.application, &f.arena);
		for (uint32_t node = 0; node < 3; node++) {
			application_predict(other, 1, node, node, k == 0 || node < 2 ? NAN : .1);
		}
		assert_near(application_outcome(other, 1).value, 1, 1e-15);
		assert_true(k == 0 || application_closing(f.application)->confidence[2] == .1);
	}
	arena_finish(&f.arena);
}

/* The first value that is ordered closes the item. */
static void test_settle(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 4, "mad", .3, "trimmed-mean", 1);
	application_close(f.replica, 0, 2);
	assert_int_equal(application_settle(f.replica, 0, 3, 5.5), APPLICATION_CLOSED_NOW);
	assert_int_equal(application_settle(f.replica, 0, 1, 9), APPLICATION_LATE);
	assert_int_equal(application_close(f.replica, 0, 1), APPLICATION_LATE);
	struct item_outcome outcome = application_outcome(f.replica, 0);
	assert_true(outcome.decided && outcome.value == 5.5);
	assert_int_equal(outcome.n_predictions, 1);
	assert_int_equal(outcome.n_late, 1);
	assert_int_equal(application_closing(f.application)->nodes[0], 3);
	application_close(f.replica, 1, 0);
	application_close(f.replica, 1, 1);
	assert_int_equal(application_settle(f.replica, 1, 1, 9), APPLICATION_LATE);
	assert_false(application_outcome(f.replica, 1).decided);
	arena_finish(&f.arena);
}

/* Closed items give their buffers back: 100,000 items of 100 validators keep outcomes alone. */
static void test_memory_of_closed_items(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, 100, "none", 0, "median", 0);
	for (uint64_t item = 0; item < 100000; item++) {
		uint32_t n = f.settings.quorum;
		for (uint32_t i = 0; i < n; i++) {
			application_predict(f.replica, item, (uint32_t)((i + item) % 100), (double)(i % 7), NAN);
		}
		assert_true(application_outcome(f.replica, item).closed);
	}
	assert_true(f.arena.bytes < 8u << 20);
	arena_finish(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closes_at_the_quorum),
		cmocka_unit_test(test_closes_by_votes),
		cmocka_unit_test(test_closed_without_predictions_is_undecided),
		cmocka_unit_test(test_rejections_lower_f),
		cmocka_unit_test(test_f_does_not_fall_below_0),
		cmocka_unit_test(test_too_few_for_the_aggregator_is_undecided),
		cmocka_unit_test(test_rules_of_rows),
		cmocka_unit_test(test_no_number_is_refused),
		cmocka_unit_test(test_no_number_is_claimed),
		cmocka_unit_test(test_score_at_the_threshold_is_accepted),
		cmocka_unit_test(test_dispute_is_relative_to_the_decision),
		cmocka_unit_test(test_replicas_share_no_state),
		cmocka_unit_test(test_a_scorer_remembers_by_replica),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_closing_is_one_function),
		cmocka_unit_test(test_confidence),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_memory_of_closed_items),
	};
	return cmocka_run_group_tests_name("application", tests, NULL, NULL);
}
