/* The life of each transaction, for the table /transactions and for traces. Nothing here is called in a
 * run that has neither. */
#include "kv.h"
#include "transactions.h"

#include <stdlib.h>
#include "lab.h"
#include "measure/measure.h"

static const char *const kind_names[] = {
	[TRANSACTION_REQUEST] = "request",
	[TRANSACTION_PREDICTION] = "prediction",
	[TRANSACTION_CLOSE] = "close",
	[TRANSACTION_PROPOSAL] = "proposal",
};

static const char *kind_name(const struct lab *lab, size_t transaction)
{
	if (lab->kv != NULL) {
		return kv_operation_of(lab, (transaction_id)transaction)->put ? "put" : "get";
	}
	unsigned kind = transaction_of(lab, transaction)->kind;
	assert(kind < sizeof(kind_names) / sizeof(kind_names[0]) && kind_names[kind] != NULL);
	return kind_names[kind];
}

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

transaction_id transaction_new(struct lab *lab)
{
	struct transactions *transactions = lab->transactions;
	transactions->list = lab_grow(transactions->list, sizeof(*transactions->list),
		transactions->n + 1, &transactions->capacity);
	assert(transactions->n < TRANSACTION_NONE);
	return (transaction_id)transactions->n++;
}

static bool recorded(const struct lab *lab)
{
	return measure_records(lab, TABLE_TRANSACTIONS);
}

void transaction_submitted(struct lab *lab, transaction_id transaction)
{
	if (recorded(lab)) {
		lab->transactions->records = lab_grow(lab->transactions->records, sizeof(*lab->transactions->records), (size_t)transaction + 1,
			&lab->transactions->records_capacity);
		lab->transactions->records[transaction] = (struct transaction_record){
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
	uint64_t instance, uint64_t view, const char *reject)
{
	if (!recorded(lab) || node->byzantine || lab->transactions->records[transaction].ordered != SIM_NEVER) {
		return;
	}
	struct transaction_record *record = &lab->transactions->records[transaction];
	record->ordered = lab->world.now;
	record->instance = instance;
	record->view = view;
	record->reject = reject;
}

void transaction_answered(struct lab *lab, transaction_id transaction, uint32_t by)
{
	if (recorded(lab)) {
		lab->transactions->records[transaction].answered = lab->world.now;
		lab->transactions->records[transaction].answered_by = by;
	}
}

static double when(sim_time at)
{
	return at == SIM_NEVER ? real_nan() : sim_time_to_s(at);
}

/* What a transaction was about in the store; -1 throughout where there is none, or it is not known. */
struct store_cells {
	int64_t key, expected, version, value, retry;
};

static struct store_cells store_cells(const struct lab *lab, size_t transaction)
{
	struct store_cells cells = {-1, -1, -1, -1, -1};
	if (lab->kv == NULL) {
		return cells;
	}
	const struct kv_operation *operation = kv_operation_of(lab, (transaction_id)transaction);
	cells.key = operation->key;
	cells.expected = operation->put ? (int64_t)operation->expected : -1;
	if (operation->answered != 0) {
		struct kv_entry told = kv_told(operation);
		cells.version = told.version;
		cells.value = told.value == TRANSACTION_NONE ? -1 : (int64_t)told.value;
	}
	cells.retry = operation->retry == 0 ? -1 : (int64_t)operation->retry;
	return cells;
}

void transactions_table(struct lab *lab)
{
	for (size_t i = 0; i < lab->transactions->n; i++) {
		const struct transaction *transaction = transaction_of(lab, i);
		const struct transaction_record *record = &lab->transactions->records[i];
		bool ordered = record->ordered != SIM_NEVER;
		uint32_t client = transaction->client;
		uint32_t n = lab->world.n_validators;
		struct store_cells store = store_cells(lab, i);
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)i},
			{.integer = !lab->app->has_clients ? client : client - n},
			{.integer = transaction->item},
			{.string = kind_name(lab, i)},
			{.real = when(record->submitted)},
			{.real = when(record->ordered)},
			{.real = when(record->answered)},
			{.integer = ordered ? (int64_t)record->instance : -1},
			{.integer = ordered ? (int64_t)record->view : -1},
			{.string = record->reject},
			{.integer = record->answered_by == NODE_NONE ? -1 : (int64_t)record->answered_by},
			{.integer = store.key},
			{.integer = store.expected},
			{.integer = store.version},
			{.integer = store.value},
			{.integer = store.retry},
		};
		measure_row(lab, TABLE_TRANSACTIONS, cells);
	}
}
