/* The life of each transaction, for the table /transactions and for traces. Nothing here is called in a
 * run that has neither. */
#include "measure/measure.h"
#include "outside.h"
#include "transactions.h"

#include <stdlib.h>
#include <string.h>

void transactions_start(struct lab *lab)
{
	lab->transactions = arena_new(&lab->world.arena, struct transactions);
}

void transactions_free(struct lab *lab)
{
	free(lab->transactions->list);
	free(lab->transactions->records);
}

uint64_t transactions_bytes(const struct lab *lab)
{
	const struct transactions *transactions = lab->transactions;
	return transactions->capacity * sizeof(*transactions->list) +
		transactions->records_capacity * sizeof(*transactions->records);
}

transaction_id transaction_new(struct lab *lab, uint32_t item, const struct command *command)
{
	struct transactions *transactions = lab->transactions;
	transactions->list = lab_grow(transactions->list, sizeof(*transactions->list),
		transactions->n + 1, &transactions->capacity);
	assert(transactions->n < TRANSACTION_NONE);
	transaction_id id = (transaction_id)transactions->n++;
	unsigned flags = lab->app->commands[command->kind].flags;
	bool own = (flags & COMMAND_OWN) != 0;
	struct transaction *transaction = &transactions->list[id];
	*transaction = (struct transaction){
		.command = *command,
		.item = item,
		.replies = own ? 0 : NODE_NONE,
		.flags = (uint8_t)flags,
	};
	transaction->command.number = id;
	transactions->any_own |= own;
	return id;
}

static bool recorded(const struct lab *lab)
{
	return measure_records(lab, TABLE_TRANSACTIONS);
}

void transaction_submitted(struct lab *lab, transaction_id transaction)
{
	if (recorded(lab)) {
		struct transactions *all = lab->transactions;
		all->records = lab_grow(
			all->records, sizeof(*all->records), (size_t)transaction + 1, &all->records_capacity);
		all->records[transaction] = (struct transaction_record){
			.submitted = lab->world.now,
			.ordered = SIM_NEVER,
			.answered = SIM_NEVER,
			.answered_by = NODE_NONE,
			.reject = "",
		};
	}
	if (lab->trace != NULL) {
		trace_submitted(lab, transaction);
	}
}

void transaction_executed(struct lab *lab, const struct node *node, transaction_id transaction,
	struct log_place place, const char *reject)
{
	if (!recorded(lab) || node->byzantine || lab->transactions->records[transaction].ordered != SIM_NEVER) {
		return;
	}
	struct transaction_record *record = &lab->transactions->records[transaction];
	record->ordered = lab->world.now;
	record->instance = place.instance;
	record->view = place.view;
	record->reject = reject;
}

void transaction_answered(struct lab *lab, transaction_id transaction, uint32_t by)
{
	if (recorded(lab)) {
		lab->transactions->records[transaction].answered = lab->world.now;
		lab->transactions->records[transaction].answered_by = by;
	}
}

void transaction_made_known(struct lab *lab, const struct node *node, transaction_id id,
	struct log_place place, const struct effect *effect)
{
	struct transaction *transaction = transaction_of(lab, id);
	if (node->byzantine || transaction->told || !measure_records(lab, TABLE_EVENTS)) {
		return;
	}
	transaction->told = true;
	for (uint32_t i = 0; i < effect->n_events; i++) {
		const struct app_event *event = &effect->events[i];
		measure_row(lab, TABLE_EVENTS,
			(union cell[]){
				{.integer = (int64_t)lab->number.run},
				{.integer = id},
				{.integer = i},
				{.real = sim_time_to_s(lab->world.now)},
				{.integer = (int64_t)place.instance},
				{.string = lab->app->events[event->kind]},
				{.integer = (int64_t)event->subject},
				{.integer = event->values[0]},
				{.integer = event->values[1]},
			});
	}
}

static double when(sim_time at)
{
	return at == SIM_NEVER ? real_nan() : sim_time_to_s(at);
}

/* What other applications of the file have columns for. */
static union cell nothing(enum column_type type)
{
	return type == COLUMN_INT ? (union cell){.integer = -1}
		: type == COLUMN_REAL ? (union cell){.real = real_nan()}
							  : (union cell){.string = ""};
}

/* Where the columns of the run's application are; how many. */
static size_t own_columns(const struct lab *lab, const struct table_schema *schema, size_t places[APP_COLUMNS_MAX])
{
	const struct column *columns = lab->app->command_columns;
	size_t n = 0;
	for (; columns != NULL && columns[n].name != NULL; n++) {
		assert(n < APP_COLUMNS_MAX);
		places[n] = (size_t)schema_find(schema, columns[n].name);
	}
	return n;
}

void transactions_table(struct lab *lab)
{
	const struct app *app = lab->app;
	const struct table_schema *schema = &lab->measure->schemas->tables[TABLE_TRANSACTIONS];
	union cell cells[12 + 8 * APP_COLUMNS_MAX];
	assert(schema->n_columns <= sizeof(cells) / sizeof(cells[0]));
	union cell own[APP_COLUMNS_MAX];
	size_t places[APP_COLUMNS_MAX], n_own = own_columns(lab, schema, places);
	for (size_t i = 12; i < schema->n_columns; i++) {
		cells[i] = nothing(schema->columns[i].type);
	}
	for (size_t i = 0; i < lab->transactions->n; i++) {
		const struct transaction *transaction = transaction_of(lab, (transaction_id)i);
		const struct transaction_record *record = &lab->transactions->records[i];
		bool ordered = record->ordered != SIM_NEVER;
		const struct command *command = &transaction->command;
		const union cell first[12] = {
			{.integer = (int64_t)lab->number.run},
			{.integer = (int64_t)i},
			{.integer = app->has_clients ? command->sender - lab->world.n_validators : command->sender},
			{.integer = transaction->item},
			{.string = app->commands[command->kind].name},
			{.real = when(record->submitted)},
			{.real = when(record->ordered)},
			{.real = when(record->answered)},
			{.integer = ordered ? (int64_t)record->instance : -1},
			{.integer = ordered ? (int64_t)record->view : -1},
			{.string = record->reject},
			{.integer = record->answered_by == NODE_NONE ? -1 : (int64_t)record->answered_by},
		};
		memcpy(cells, first, sizeof(first));
		if (n_own > 0) {
			app->command_cells(lab->outside, lab->outside->state, command, own);
		}
		for (size_t k = 0; k < n_own; k++) {
			cells[places[k]] = own[k];
		}
		measure_row(lab, TABLE_TRANSACTIONS, cells);
	}
}
