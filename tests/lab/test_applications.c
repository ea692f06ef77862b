/* Applications in general: each can take back all that it does, and what one gets wrong is found: by its own
 * invariants, or since replicas that have executed the same then hold something else. */
#include "study.h"

#include "scenarios/scenario.h"
#include "sim/random.h"
#include "workloads/items.h"
#include "workloads/workload.h"

/* A ledger of our own, that can be spoilt. */
#define app_ledger sound_ledger
#include "ledger.c"

#include <string.h>

static struct outcome *run_as(const struct app *app, const char *text)
{
	struct study *study = study_open("%s", text);
	struct scenario *scenario = (struct scenario *)(uintptr_t)scenario_point(study->file, 0);
	const struct plugin *before = scenario->workload.plugin;
	scenario->workload.plugin = &app->plugin;
	struct outcome *outcome = study_run(study, 0, 0);
	scenario->workload.plugin = before;
	return outcome;
}

#define LEDGER "validators: 4\nworkload: {kind: ledger, clients: 3, accounts: 10}\nstop: {items: 200}\n"
#define TENTATIVE "protocol: {kind: pbft, tentative: on, view_timeout: 200 ms}\n"

static void sound(void **state)
{
	(void)state;
	static const char *const protocols[] = {"protocol: pbft\n", TENTATIVE, "protocol: raft\n", "protocol: central\n"};
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		char text[400];
		snprintf(text, sizeof(text), "%s%s", LEDGER, protocols[i]);
		struct outcome *outcome = run_as(&sound_ledger, text);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

/* What is made known once, in the order of the log, adds up to what the accounts hold in the end. */
static void known(void **state)
{
	(void)state;
	struct outcome *outcome = run_as(&sound_ledger, LEDGER TENTATIVE
		"record: [events, accounts]\nfaults: [{kind: crash, nodes: [0], from: 0.3 s, until: 1 s}]\n");
	assert_verdict(outcome, "completed");
	enum table_id accounts = run_schemas_find(&outcome->study->schemas, "accounts");
	int64_t balances[10] = {0};
	for (size_t row = 0; row < n_rows(outcome, TABLE_EVENTS); row++) {
		int64_t subject = int_at(outcome, TABLE_EVENTS, row, "subject");
		int64_t to = int_at(outcome, TABLE_EVENTS, row, "value_a");
		int64_t amount = int_at(outcome, TABLE_EVENTS, row, "value_b");
		bool deposit = strcmp(string_at(outcome, TABLE_EVENTS, row, "event"), "deposited") == 0;
		balances[deposit ? subject : to] += amount;
		balances[subject] -= deposit ? 0 : amount;
		assert_true(row == 0 || int_at(outcome, TABLE_EVENTS, row, "instance") >=
			int_at(outcome, TABLE_EVENTS, row - 1, "instance"));
	}
	assert_int_equal(n_rows(outcome, accounts), 10);
	for (size_t row = 0; row < 10; row++) {
		assert_int_equal(int_at(outcome, accounts, row, "balance"), balances[row]);
	}
	outcome_close(outcome);
}

/* A transfer forgets the debit, at every replica alike. */
static void forgets_the_debit(void *replica, const struct command *command, struct log_place place,
	struct effect *effect, void *undo)
{
	struct books *books = replica;
	execute(replica, command, place, effect, undo);
	if (command->kind == TRANSFER && effect->reject == FINE) {
		add(books, &books->balances[command->subject], command->argument.integer[1]);
	}
}

static void debit(void **state)
{
	(void)state;
	struct app app = sound_ledger;
	app.execute = forgets_the_debit;
	struct outcome *outcome = run_as(&app, LEDGER "protocol: raft\n");
	assert_verdict(outcome, "unsafe");
	assert_int_equal(strncmp(outcome->summary.verdict_reason, "conservation broken at ", 23), 0);
	assert_true(kpi(outcome, "safety_violations") == 4); /* once a replica */
	assert_string_equal(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "conservation");
	outcome_close(outcome);
}

/* What was paid in stays when a deposit is undone. */
static void forgets_what_was_paid_in(void *replica, const struct command *command, const void *undo)
{
	struct books *books = replica;
	undo_one(replica, command, undo);
	if (command->kind == DEPOSIT && ((const struct undo *)undo)->counted) {
		add(books, &books->paid_in, command->argument.integer[1]);
	}
}

static void undoing(void **state)
{
	(void)state;
	struct app app = sound_ledger;
	app.undo = forgets_what_was_paid_in;
	struct outcome *outcome = run_as(&app, LEDGER TENTATIVE);
	assert_verdict(outcome, "unsafe");
	assert_int_equal(strncmp(outcome->summary.verdict_reason, "state broken at ", 16), 0);
	outcome_close(outcome);
}

/* One replica executes something else: known by its digest, which nothing else tells. */
static struct books *first_books;

static void is_not_pure(void *replica, const struct command *command, struct log_place place,
	struct effect *effect, void *undo)
{
	struct books *books = replica;
	first_books = first_books == NULL ? books : first_books;
	execute(replica, command, place, effect, undo);
	if (books == first_books && place.instance == 5) {
		add(books, &books->balances[0], 1);
		add(books, &books->paid_in, 1);
	}
}

static void purity(void **state)
{
	(void)state;
	struct app app = sound_ledger;
	app.execute = is_not_pure;
	first_books = NULL;
	struct outcome *outcome = run_as(&app, LEDGER "protocol: pbft\n");
	assert_verdict(outcome, "unsafe");
	assert_int_equal(strncmp(outcome->summary.verdict_reason, "state broken at ", 16), 0);
	assert_true(int_at(outcome, TABLE_VIOLATIONS, 0, "instance") == 5);
	outcome_close(outcome);
}

/* Any command of the application's, whatever it means. */
static struct command any_command(const struct app *app, const void *settings, struct random_stream *stream,
	transaction_id number, struct arena *arena)
{
	struct command command = {.number = number, .subject = random_below(stream, 16)};
	uint64_t n_kinds = 0;
	while (app->commands[n_kinds].name != NULL) {
		n_kinds++;
	}
	command.kind = (uint16_t)random_below(stream, n_kinds);
	command.sender = command.identity = (uint32_t)random_below(stream, 7);
	const struct items_app *items = items_of(app);
	if (items == NULL) {
		command.argument.integer[0] = (int64_t)random_below(stream, 10);
		command.argument.integer[1] = (int64_t)random_below(stream, 100);
		return command;
	}
	command.subject = random_below(stream, 2000);
	command.argument.real[0] = random_normal(stream);
	command.argument.real[1] = random_unit(stream);
	uint32_t dims = items_dims(items, settings);
	if (dims > 1) {
		double *row = arena_array(arena, double, dims);
		for (uint32_t j = 0; j < dims; j++) {
			row[j] = random_normal(stream);
		}
		command.body = row;
		command.n_body = dims;
	}
	return command;
}

#define N_COMMANDS 10000

/* 10,000 commands executed; digests noted on the way are met again as they are undone. */
static void undo_everything(const struct app *app, const struct scenario *scenario)
{
	struct arena arena = {0};
	struct random_stream stream = random_stream_make(7, RANDOM_ITEM, 0);
	void *shared = arena_alloc(&arena, app->shared_size + 1), *replica = arena_alloc(&arena, app->replica_size);
	const struct app_start start = {
		.app = app,
		.scorer = &scenario->scorer,
		.aggregator = &scenario->aggregator,
		.n_validators = 7,
		.n_clients = 1,
		.n_participants = 7,
		.seed = 1,
		.arena = &arena,
	};
	const void *settings = scenario->workload.settings;
	app->start(settings, shared, &start);
	app->begin(shared, replica, &arena);
	struct command *asked = arena_array(&arena, struct command, N_COMMANDS);
	uint64_t *digests = arena_array(&arena, uint64_t, N_COMMANDS);
	char *undo = arena_alloc(&arena, N_COMMANDS * app->undo_size);
	for (size_t i = 0; i < N_COMMANDS; i++) {
		asked[i] = any_command(app, settings, &stream, (transaction_id)i, &arena);
		struct effect effect = {0};
		digests[i] = app->digest(replica);
		app->execute(replica, &asked[i], (struct log_place){i + 1, 0}, &effect, undo + i * app->undo_size);
	}
	assert_true(app->digest(replica) != digests[0]);
	for (size_t i = N_COMMANDS; i-- > 0;) {
		app->undo(replica, &asked[i], undo + i * app->undo_size);
		assert_true(app->digest(replica) == digests[i]);
	}
	if (app->finish != NULL) {
		app->finish(replica);
	}
	arena_finish(&arena);
}

static void undone(void **state)
{
	(void)state;
	size_t n = 0;
	for (size_t i = 0; workload_registry.plugins[i] != NULL; i++) {
		const struct app *app = (const struct app *)workload_registry.plugins[i];
		if (app->execute == NULL) {
			continue; /* opaque: there is nothing to undo */
		}
		assert_true(app->undo_size > 0 && app->undo != NULL && app->digest != NULL);
		struct study *study = study_open("validators: 7\nprotocol: raft\nworkload: {kind: %s}\nstop: {items: 1}\n",
			app->plugin.name);
		undo_everything(app, scenario_point(study->file, 0));
		study_close(study);
		n++;
	}
	assert_true(n >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound),
		cmocka_unit_test(known),
		cmocka_unit_test(debit),
		cmocka_unit_test(undoing),
		cmocka_unit_test(purity),
		cmocka_unit_test(undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
