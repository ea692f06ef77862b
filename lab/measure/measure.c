#include "measure/measure.h"

#include "items.h"
#include "lab.h"
#include "measure/windows.h"
#include "transactions.h"

#include <stdlib.h>

struct measure *measure_create(struct run_blocks *out, const struct run_schemas *schemas)
{
	struct measure *measure = calloc(1, sizeof(*measure));
	if (measure == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	measure->out = out;
	measure->schemas = schemas;
	return measure;
}

void measure_destroy(struct measure *measure)
{
	if (measure == NULL) {
		return;
	}
	samples_finish(&measure->latencies);
	samples_finish(&measure->latencies_sorted);
	samples_finish(&measure->commits);
	samples_finish(&measure->proposer_commits);
	samples_finish(&measure->elections);
	free(measure);
}

/* Latencies are still wanted in order of acceptance: the bits of their standard deviation depend on it. */
void measure_sort(struct lab *lab)
{
	struct measure *measure = lab->measure;
	samples_copy(&measure->latencies_sorted, &measure->latencies);
	samples_sort(&measure->latencies_sorted);
	samples_sort(&measure->commits);
}

void measure_accepted(struct lab *lab, const struct lab_item *item)
{
	struct measure *measure = lab->measure;
	samples_add(&measure->latencies, item->decided - item->arrived);
	int64_t window = window_of(lab, item->decided);
	if (measure->n_windows_accepted == 0 || window != measure->window_accepted) {
		measure->n_windows_accepted++;
		measure->window_accepted_before = measure->window_accepted;
		measure->window_accepted = window;
	}
}

void measure_fault(struct lab *lab, uint32_t node, const char *what)
{
	if (measure_records(lab, TABLE_FAULTS)) {
		measure_row(lab, TABLE_FAULTS,
			(union cell[]){{.integer = (int64_t)lab->number.run}, {.real = sim_time_to_s(lab->world.now)},
				{.integer = node == NODE_NONE ? -1 : (int64_t)node}, {.string = what}});
	}
}

/* Who fills the tables that are written when a run has ended; the others grow with the run. */
static const struct {
	enum table_id table;
	void (*fill)(struct lab *lab);
} at_the_end[] = {
	{TABLE_DECISIONS, decisions_table},
	{TABLE_TRANSACTIONS, transactions_table},
	{TABLE_VALIDATORS, validators_table},
	{TABLE_SERIES, series_table},
	{TABLE_VIOLATIONS, violations_table},
};

void measure_tables(struct lab *lab)
{
	for (size_t i = 0; i < sizeof(at_the_end) / sizeof(at_the_end[0]); i++) {
		if (measure_records(lab, at_the_end[i].table)) {
			at_the_end[i].fill(lab);
		}
	}
}

uint64_t measure_bytes(const struct measure *measure)
{
	uint64_t bytes = (measure->latencies.capacity + measure->commits.capacity +
						 measure->proposer_commits.capacity + measure->elections.capacity) *
		sizeof(int64_t);
	for (size_t i = 0; measure->out != NULL && i < TABLES_MAX; i++) {
		const struct block *block = &measure->out->tables[i];
		bytes += block->cells_capacity * sizeof(uint64_t) + block->text_capacity;
	}
	return bytes;
}

bool measure_records(const struct lab *lab, enum table_id table)
{
	const struct run_schemas *schemas = lab->measure->schemas;
	return schemas != NULL && table < TABLES_MAX && schemas->tables[table].n_columns > 0;
}

enum table_id measure_table(const struct lab *lab, const char *name)
{
	const struct run_schemas *schemas = lab->measure->schemas;
	return schemas == NULL ? TABLE_NONE : run_schemas_find(schemas, name);
}

void measure_row(const struct lab *lab, enum table_id table, const union cell *cells)
{
	const struct measure *measure = lab->measure;
	block_append(&measure->out->tables[table], &measure->schemas->tables[table], cells);
}
