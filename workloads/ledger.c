/* `ledger`: accounts that clients pay into and transfer between. Money is an integer, and conserved: what the accounts
 * hold together is what was paid in. The worked example of docs/add-a-workload.md. */
#include "client_params.h"

#include "results/kpi.h"
#include "results/tables.h"
#include "workloads/app.h"

#include <math.h>
#include <stdio.h>

struct ledger {
	struct workload_common common;
	int64_t accounts, amount;
	double transfers;
};

/* Commands: the subject is the account that pays, or is paid into. */
enum { DEPOSIT, TRANSFER }; /* argument: to whom (a transfer's), how much */
enum { FINE, NO_FUNDS, OVERFLOW };
enum { DEPOSITED, TRANSFERRED };

/* A result: why it was refused, and what the account holds then. */
#define REJECT_SHIFT 62

static const struct command_kind commands[] = {{"deposit", 0}, {"transfer", 0}, {NULL, 0}};
static const char *const rejects[] = {"", "no-funds", "overflow", NULL};
static const char *const events[] = {"deposited", "transferred", NULL};

/* The replicated half. */

struct shared {
	const struct ledger *settings;
	struct app_event event; /* of the command executed last */
};

struct books {
	struct shared *shared;
	int64_t *balances; /* by account */
	int64_t paid_in;
	uint64_t digest; /* the sum of all numbers' */
};

struct undo {
	bool counted;
};

static void start(const void *settings, void *shared, const struct app_start *given)
{
	(void)given;
	((struct shared *)shared)->settings = settings;
}

static void begin(void *shared, void *replica, struct arena *arena)
{
	struct books *books = replica;
	books->shared = shared;
	books->balances = arena_array(arena, int64_t, (size_t)books->shared->settings->accounts);
}

/* Every number of the state changes here, so that the digest follows. */
static void add(struct books *books, int64_t *number, int64_t amount)
{
	uint64_t name = number == &books->paid_in ? UINT64_MAX : (uint64_t)(number - books->balances);
	books->digest -= *number == 0 ? 0 : app_digest(name, (uint64_t)*number);
	*number += amount;
	books->digest += *number == 0 ? 0 : app_digest(name, (uint64_t)*number);
}

/* Moves the command's amount, forwards or (-1) back. */
static void move(struct books *books, const struct command *command, int64_t sign)
{
	int64_t amount = sign * command->argument.integer[1];
	if (command->kind == DEPOSIT) {
		add(books, &books->balances[command->subject], amount);
		add(books, &books->paid_in, amount);
	} else {
		add(books, &books->balances[command->subject], -amount);
		add(books, &books->balances[command->argument.integer[0]], amount);
	}
}

static void execute(void *replica, const struct command *command, struct log_place place, struct effect *effect,
	void *undo)
{
	struct books *books = replica;
	int64_t amount = command->argument.integer[1];
	(void)place;
	if (command->kind == DEPOSIT && books->paid_in > INT64_MAX - amount) {
		effect->reject = OVERFLOW; /* then no account can overflow either: none holds more than all together */
	} else if (command->kind == TRANSFER && books->balances[command->subject] < amount) {
		effect->reject = NO_FUNDS;
	} else {
		move(books, command, 1);
		books->shared->event = (struct app_event){
			.kind = command->kind == DEPOSIT ? DEPOSITED : TRANSFERRED,
			.subject = command->subject,
			.values = {command->argument.integer[0], amount},
		};
		effect->events = &books->shared->event;
		effect->n_events = 1;
	}
	if (undo != NULL) {
		((struct undo *)undo)->counted = effect->reject == FINE;
	}
	effect->result = (uint64_t)effect->reject << REJECT_SHIFT |
		((uint64_t)books->balances[command->subject] & ((UINT64_C(1) << REJECT_SHIFT) - 1));
}

static void undo_one(void *replica, const struct command *command, const void *undo)
{
	if (((const struct undo *)undo)->counted) {
		move(replica, command, -1);
	}
}

static uint64_t digest(const void *replica)
{
	return ((const struct books *)replica)->digest;
}

/* A transfer touches two. */
static uint64_t key(const void *shared, const struct command *command)
{
	(void)shared;
	return command->kind == DEPOSIT ? command->subject : NODE_KEY_ALL;
}

static bool conserved(const void *settings, const void *replica, char what[160])
{
	const struct books *books = replica;
	int64_t sum = 0;
	for (int64_t i = 0; i < ((const struct ledger *)settings)->accounts; i++) {
		sum += books->balances[i];
	}
	snprintf(what, 160, "the accounts hold %lld, and %lld were paid in", (long long)sum, (long long)books->paid_in);
	return sum == books->paid_in;
}

static const struct app_check checks[] = {{"conservation", conserved}, {NULL, NULL}};

/* The outside half: what clients ask for. */

struct clients {
	uint64_t n_transfers, n_refused; /* with an answer */
	double paid_in;
};

static void arrives(struct outside *outside, void *state, uint32_t item)
{
	const struct ledger *ledger = outside_settings(outside);
	struct random_stream stream = random_stream_make(outside_seed(outside), RANDOM_ITEM, item);
	uint32_t client = outside_client(outside, item);
	/* All are drawn whatever they come to: more transfers leave the accounts where they are. */
	bool transfer = random_unit(&stream) < ledger->transfers, shared = random_unit(&stream) < ledger->common.conflict;
	uint64_t from = random_below(&stream, (uint64_t)ledger->accounts);
	uint64_t to = random_below(&stream, (uint64_t)ledger->accounts);
	int64_t amount = 1 + (int64_t)random_below(&stream, (uint64_t)ledger->amount);
	const struct command command = {
		.kind = transfer ? TRANSFER : DEPOSIT,
		.sender = client,
		.identity = client,
		.bytes = 24 + (uint32_t)ledger->common.size_bytes,
		.subject = shared ? 0 : from,
		.argument = {.integer = {(int64_t)to, amount}},
	};
	(void)state;
	outside_submit(outside, item, &command);
}

static bool answered(struct outside *outside, void *state, const struct command *command, uint64_t result)
{
	struct clients *clients = state;
	bool refused = result >> REJECT_SHIFT != FINE;
	(void)outside;
	if (command->kind == TRANSFER) {
		clients->n_transfers++;
		clients->n_refused += refused;
	} else if (!refused) {
		clients->paid_in += (double)command->argument.integer[1];
	}
	return true;
}

static void tell(const void *settings, const struct command *command, char *out, size_t size)
{
	(void)settings;
	long long to = command->argument.integer[0], amount = command->argument.integer[1];
	if (command->kind == DEPOSIT) {
		snprintf(out, size, "deposit %lld to %llu", amount, (unsigned long long)command->subject);
	} else {
		snprintf(out, size, "transfer %lld from %llu to %lld", amount, (unsigned long long)command->subject, to);
	}
}

/* Measured. */

static double transfers_refused(const struct measured *run)
{
	const struct clients *clients = run->application;
	return clients->n_transfers == 0 ? (double)NAN : (double)clients->n_refused / (double)clients->n_transfers;
}

static double paid_in(const struct measured *run)
{
	return ((const struct clients *)run->application)->paid_in;
}

static const struct kpi_table kpis[] = {
	{.kpis =
			(const struct kpi[]){
				{.name = "transfers_refused",
					.label = "refused transfers",
					.sort = SORT_SHARE,
					.value = transfers_refused,
					.help = "`ledger`: share of the transfers with an answer that had no funds"},
				{.name = "paid_in",
					.label = "money paid in",
					.sort = SORT_VALUE,
					.value = paid_in,
					.help = "`ledger`: what deposits with an answer have paid into accounts, in units"},
				{0}}},
	{0},
};

/* What the accounts hold in the end, at the first live honest validator. */
static const struct column account_columns[] = {
	{.name = "run", .type = COLUMN_INT, .unit = "", .help = "the run's number"},
	{.name = "account", .type = COLUMN_INT, .unit = "", .help = "its number"},
	{.name = "balance", .type = COLUMN_INT, .unit = "", .help = "what it holds at the end"},
	{.name = NULL},
};

static const struct table tables[] = {
	{.name = "accounts", .help = "an account of the ledger, at the end", .columns = account_columns},
	{.name = NULL},
};

static void report(struct outside *outside, void *state)
{
	const struct ledger *ledger = outside_settings(outside);
	const struct books *books = outside_replica(outside, outside_gateway(outside, 0));
	(void)state;
	for (int64_t i = 0; outside_records(outside, 0) && i < ledger->accounts; i++) {
		outside_row(outside, 0, (union cell[]){{.integer = i}, {.integer = books->balances[i]}});
	}
}

static const struct param params[] = {
	{.name = "accounts",
		.kind = PARAM_INT,
		.offset = offsetof(struct ledger, accounts),
		.min = 1, .max = 1e6, .fallback = "100", .unit = "",
		.help = "accounts; any client pays into any, and from any to any"},
	{.name = "amount",
		.kind = PARAM_INT,
		.offset = offsetof(struct ledger, amount),
		.min = 1, .max = 1e12, .fallback = "100", .unit = "",
		.help = "amounts are whole numbers from 1 to this, uniform"},
	{.name = "transfers",
		.kind = PARAM_REAL,
		.offset = offsetof(struct ledger, transfers),
		.min = 0, .max = 1, .fallback = "0.5", .unit = "",
		.help = "share of transfers; the others are deposits"},
	CLIENT_PARAMS(NULL, "share of the commands that take from, or pay into, one account"),
	PARAM_END,
};

const struct app app_ledger = {
	.plugin = {.name = "ledger",
		.summary = "accounts: deposits and transfers from clients of their own, money conserved",
		.params = params,
		.settings_size = sizeof(struct ledger)},
	.value_unit = "",
	.commands = commands,
	.rejects = rejects,
	.events = events,
	.has_clients = true,
	.shared_size = sizeof(struct shared),
	.replica_size = sizeof(struct books),
	.undo_size = sizeof(struct undo),
	.start = start,
	.begin = begin,
	.execute = execute,
	.undo = undo_one,
	.digest = digest,
	.key = key,
	.outside_size = sizeof(struct clients),
	.arrives = arrives,
	.answered = answered,
	.kpis = kpis,
	.tables = tables,
	.report = report,
	.checks = checks,
	.tell = tell,
};
