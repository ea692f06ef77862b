#include "measure/measure.h"

#include "lab.h"

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
	samples_sort(&lab->attacked_scores);
	samples_sort(&lab->honest_scores);
}

uint64_t measure_bytes(const struct measure *measure)
{
	uint64_t bytes = (measure->latencies.capacity + measure->commits.capacity +
						 measure->proposer_commits.capacity + measure->elections.capacity) *
		sizeof(int64_t);
	for (size_t i = 0; measure->out != NULL && i < TABLE_N; i++) {
		const struct block *block = &measure->out->tables[i];
		bytes += block->cells_capacity * sizeof(uint64_t) + block->text_capacity;
	}
	return bytes;
}

bool measure_records(const struct lab *lab, enum table_id table)
{
	return lab->measure->schemas->tables[table].n_columns > 0;
}

void measure_row(const struct lab *lab, enum table_id table, const union cell *cells)
{
	const struct measure *measure = lab->measure;
	block_append(&measure->out->tables[table], &measure->schemas->tables[table], cells);
}
