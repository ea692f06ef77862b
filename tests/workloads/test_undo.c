/* Items can be undone: commands executed and undone give the state of before, whatever closed meanwhile. */
#include "settings.h"

#include "workloads/application.h"

#include <string.h>

#define N_COMMANDS 10000
#define WIDTH 8

struct fixture {
	struct arena arena;
	struct application *application;
	uint32_t dims;
	struct random_stream stream;
};

static void fixture_make(struct fixture *f, const char *scorer, uint32_t dims)
{
	*f = (struct fixture){.dims = dims, .stream = random_stream_make(1, RANDOM_ITEM, dims)};
	struct application_settings settings = {.n_validators = 7,
		.n_participants = 9,
		.quorum = 5,
		.close_votes = application_close_votes(7),
		.tolerance = .1,
		.dims = dims};
	settings.scorer = plugin_make(&f->arena, &scorer_registry, scorer);
	if (strcmp(scorer, "reputation") == 0) {
		set_real(settings.scorer, "half_life", 10);
		set_real(settings.scorer, "initial", .5);
		*(struct plugin_value *)setting(settings.scorer, "of", PARAM_PLUGIN) =
			plugin_make(&f->arena, &scorer_registry, "mad");
	}
	settings.aggregator = plugin_make(&f->arena, &aggregator_registry, "median");
	f->application = application_create(&settings, &f->arena);
}

/* Any of the three kinds, now and then twice, late, of nobody's or no number. */
static struct command any_command(struct fixture *f)
{
	uint64_t of = random_below(&f->stream, 100);
	struct command command = {
		.kind = of < 80 ? ITEMS_PREDICTION : of < 95 ? ITEMS_CLOSE : ITEMS_PROPOSAL,
		.subject = random_below(&f->stream, 2000),
		.sender = (uint32_t)random_below(&f->stream, 7),
		.argument = {.real = {random_normal(&f->stream), random_unit(&f->stream)}},
	};
	command.identity = (uint32_t)random_below(&f->stream, 10);
	if (random_below(&f->stream, 100) == 0) {
		command.argument.real[0] = NAN;
	}
	if (f->dims > 1) {
		double *row = arena_array(&f->arena, double, f->dims);
		for (uint32_t j = 0; j < f->dims; j++) {
			row[j] = random_normal(&f->stream);
		}
		command.body = row;
		command.n_body = random_below(&f->stream, 100) == 0 ? f->dims - 1 : f->dims;
	}
	return command;
}

static uint64_t execute(struct application_replica *replica, const struct command *command, struct items_undo *undo)
{
	struct effect effect = {.result = 0};
	items_execute(replica, command, (struct log_place){1, 0}, &effect, undo);
	assert_true(items_digest(replica) == items_digest_anew(replica));
	return items_digest(replica);
}

/* All of them, then back, one by one: each step gives the digest of before, and so does what the replica holds. A
 * second replica that executes them without being able to go back holds the same at each. */
static void executed_and_undone(const char *scorer, uint32_t dims)
{
	struct fixture f;
	fixture_make(&f, scorer, dims);
	struct application_replica *replica = application_replica_create(f.application, &f.arena);
	struct application_replica *plain = application_replica_create(f.application, &f.arena);
	struct command *commands = arena_array(&f.arena, struct command, N_COMMANDS);
	struct items_undo *undo = arena_array(&f.arena, struct items_undo, N_COMMANDS);
	uint64_t *before = arena_array(&f.arena, uint64_t, N_COMMANDS + 1);
	before[0] = items_digest(replica);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		commands[i] = any_command(&f);
		struct effect effect = {.result = 0};
		items_execute(replica, &commands[i], (struct log_place){1, 0}, &effect, &undo[i]);
		before[i + 1] = items_digest(replica);
		items_execute(plain, &commands[i], (struct log_place){1, 0}, &effect, NULL);
		assert_true(items_digest(plain) == before[i + 1]);
	}
	assert_true(items_digest_anew(replica) == before[N_COMMANDS]);
	assert_true(items_digest_anew(plain) == before[N_COMMANDS]);
	for (size_t i = N_COMMANDS; i > 0; i--) {
		items_undo(replica, &commands[i - 1], &undo[i - 1]);
		assert_true(items_digest(replica) == before[i - 1]);
		if (i % 97 == 0) {
			assert_true(items_digest_anew(replica) == before[i - 1]);
		}
	}
	assert_true(items_digest_anew(replica) == before[0]);
	/* and forward again */
	for (size_t i = 0; i < 100; i++) {
		assert_true(execute(replica, &commands[i], NULL) == before[i + 1]);
	}
	arena_finish(&f.arena);
}

static void test_numbers(void **state)
{
	(void)state;
	executed_and_undone("none", 1);
	executed_and_undone("mad", 1);
}

/* A scorer's memory comes back with the item that it has learned from. */
static void test_a_scorer_forgets_what_is_undone(void **state)
{
	(void)state;
	executed_and_undone("reputation", 1);
}

static void test_rows(void **state)
{
	(void)state;
	executed_and_undone("none", WIDTH);
}

/* A row closes as its aggregator says, coordinate by coordinate, and disputes by its distance. */
static void test_a_row_is_decided(void **state)
{
	(void)state;
	struct fixture f;
	fixture_make(&f, "none", 3);
	struct application_replica *replica = application_replica_create(f.application, &f.arena);
	static const double rows[5][3] = {{3, 0, 1}, {1, 0, 2}, {2, 0, 3}, {100, 0, 4}, {2, 0, 5}};
	struct effect effect = {.result = 0};
	for (uint32_t i = 0; i < 5; i++) {
		struct command command = {.identity = i, .body = rows[i], .n_body = 3, .kind = ITEMS_PREDICTION};
		items_execute(replica, &command, (struct log_place){1, 0}, &effect, NULL);
	}
	const struct closing_view *closing = effect.detail;
	assert_non_null(closing);
	assert_int_equal(closing->dims, 3);
	assert_memory_equal(closing->decision, ((double[]){2, 0, 3}), 3 * sizeof(double));
	assert_memory_equal(application_row(replica, 0), closing->decision, 3 * sizeof(double));
	assert_true(application_outcome(replica, 0).value == 2);
	/* within a tenth of its length, 3.6: the third alone */
	assert_int_equal(application_outcome(replica, 0).n_disputed, 4);
	arena_finish(&f.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_a_scorer_forgets_what_is_undone),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_row_is_decided),
	};
	return cmocka_run_group_tests_name("undo", tests, NULL, NULL);
}
