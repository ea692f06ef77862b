/* The life of each transaction, for the table /transactions and for traces. Nothing here is called in a
 * run that has neither. */
#include "lab.h"

static const char *const kind_names[] = {
	[TRANSACTION_REQUEST] = "request",
	[TRANSACTION_PREDICTION] = "prediction",
	[TRANSACTION_CLOSE] = "close",
};

static const char *kind_name(unsigned kind)
{
	assert(kind < sizeof(kind_names) / sizeof(kind_names[0]) && kind_names[kind] != NULL);
	return kind_names[kind];
}

static bool recorded(const struct lab *lab)
{
	return (lab->scenario->record & RECORD_TRANSACTIONS) != 0;
}

void transaction_submitted(struct lab *lab, transaction_id transaction)
{
	if (recorded(lab)) {
		lab->records = lab_grow(lab->records, sizeof(*lab->records), (size_t)transaction + 1,
			&lab->records_capacity);
		lab->records[transaction] = (struct transaction_record){
			.submitted = lab->world.now,
			.ordered = SIM_NEVER,
			.answered = SIM_NEVER,
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
	if (!recorded(lab) || node->byzantine || lab->records[transaction].ordered != SIM_NEVER) {
		return;
	}
	struct transaction_record *record = &lab->records[transaction];
	record->ordered = lab->world.now;
	record->instance = instance;
	record->view = view;
	record->reject = reject;
}

void transaction_answered(struct lab *lab, transaction_id transaction)
{
	if (recorded(lab)) {
		lab->records[transaction].answered = lab->world.now;
	}
}

static double when(sim_time at)
{
	return at == SIM_NEVER ? real_nan() : sim_time_to_s(at);
}

void transactions_table(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_transactions; i++) {
		const struct transaction *transaction = &lab->transactions[i];
		const struct transaction_record *record = &lab->records[i];
		bool ordered = record->ordered != SIM_NEVER;
		uint32_t client = transaction->client;
		uint32_t n = lab->world.n_validators;
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)i},
			{.integer = lab->workload->application ? client : client - n},
			{.integer = transaction->item},
			{.string = kind_name(transaction->kind)},
			{.real = when(record->submitted)},
			{.real = when(record->ordered)},
			{.real = when(record->answered)},
			{.integer = ordered ? (int64_t)record->instance : -1},
			{.integer = ordered ? (int64_t)record->view : -1},
			{.string = record->reject},
		};
		block_append(&lab->out->tables[TABLE_TRANSACTIONS], &lab->schemas->tables[TABLE_TRANSACTIONS],
			cells);
	}
}
