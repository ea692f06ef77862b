/* The row of a run in /runs: what is known of it before it has run, and all of it where it could not. */
#include "lab/run.h"

#include "sim/random.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double kpi_of(const struct run_summary *summary, const char *name)
{
	int at = kpi_find(&summary->schemas->kpis, name);
	assert(at >= 0);
	return summary->kpis[at];
}

uint64_t run_index(const struct run_request *request)
{
	return request->point * (uint64_t)scenario_point(request->file, request->point)->replications +
		request->replication;
}

/* 63 bits, so that it is the same number in every reader's signed column. */
uint64_t run_seed(const struct run_request *request)
{
	uint64_t seed = scenario_point(request->file, request->point)->seed;
	return random_replication_seed(seed, request->replication) >> 1;
}

size_t run_row_begin(const struct run_request *request, union cell *cells)
{
	size_t at = 0;
	cells[at++].integer = (int64_t)run_index(request);
	cells[at++].integer = (int64_t)request->point;
	cells[at++].integer = (int64_t)request->replication;
	cells[at++].integer = (int64_t)run_seed(request);
	for (size_t i = 0; i < request->schemas->n_swept; i++) {
		struct swept_value value = scenario_swept_value(request->file, request->point, i);
		switch (request->schemas->tables[TABLE_RUNS].columns[at].type) {
		case COLUMN_INT:
			cells[at++].integer = value.integer;
			break;
		case COLUMN_REAL:
			cells[at++].real = value.is_int ? (double)value.integer : value.real;
			break;
		case COLUMN_STRING:
			cells[at++].string = value.text;
			break;
		}
	}
	return at;
}

void run_failed(const struct run_request *request, const char *reason, struct run_blocks *blocks,
	struct run_summary *summary)
{
	const struct table_schema *schema = &request->schemas->tables[TABLE_RUNS];
	union cell *cells = calloc(schema->n_columns, sizeof(*cells));
	if (cells == NULL) {
		abort();
	}
	*summary = (struct run_summary){
		.schemas = request->schemas,
		.run = run_index(request),
		.point = request->point,
		.replication = request->replication,
		.seed = run_seed(request),
		.verdict = "failed",
	};
	snprintf(summary->verdict_reason, sizeof(summary->verdict_reason), "%s", reason);
	size_t at = run_row_begin(request, cells);
	cells[at++].string = summary->verdict;
	cells[at++].string = summary->verdict_reason;
	for (size_t i = 0; i < request->schemas->kpis.n; i++) {
		summary->kpis[i] = NAN;
		if (request->schemas->kpis.kpis[i]->sort == SORT_COUNT) {
			cells[at++].integer = RUN_FAILED_COUNT;
		} else {
			cells[at++].real = NAN;
		}
	}
	cells[at++].string = ""; /* nothing was done that could have a digest */
	assert(at == schema->n_columns);
	block_append(&blocks->tables[TABLE_RUNS], schema, cells);
	free(cells);
}
