/* One run: a checked scenario and a seed in, KPIs, a verdict and rows out. */
#ifndef LAB_RUN_H
#define LAB_RUN_H

#include "lab/kpi_list.h"
#include "lab/footprint.h"
#include "results/results.h"
#include "scenarios/scenario.h"

/* The columns of every table of a scenario's result file; runs' columns include the swept keys. */
struct run_schemas {
	struct table_schema tables[TABLES_MAX];
	size_t n_swept;
	struct kpi_list kpis; /* as their columns follow each other in /runs */
};

void run_schemas_init(struct run_schemas *schemas, const struct scenario_file *file);
void run_schemas_finish(struct run_schemas *schemas);
/* The number of the table of this name in the file; TABLE_NONE: it isn't there. */
enum table_id run_schemas_find(const struct run_schemas *schemas, const char *name);

/* A table for people, without a scenario: there are no swept keys, and the workload's unit is called that. Its columns
 * are the caller's to free. */
struct table_schema table_describe(const struct table *table);

struct run_summary {
	const struct run_schemas *schemas;
	uint64_t run, point, replication, seed;
	uint64_t events;
	uint64_t rules_acted; /* bits by place in the list of faults: which rules met a message */
	uint64_t steps_refused; /* the same: which steps could not be taken */
	double kpis[KPIS_MAX]; /* as schemas->kpis has them; of a run that failed NaN */
	char verdict[16];
	char verdict_reason[160];
	char digest[33];
};

/* The KPI of this name, which there is. */
double kpi_of(const struct run_summary *summary, const char *name);

struct trace_sink;
struct model_cache;

struct run_request {
	const struct scenario_file *file;
	const struct run_schemas *schemas;
	uint64_t point, replication;
	bool verbose; /* prints what was trained, on stderr */
	const struct trace_sink *trace; /* hears all that happens (lab/trace.h); NULL: nobody, which costs nothing */
	struct memory_allowance memory; /* zeroed: none but the scenario's own */
	struct model_cache *models; /* trained ones, shared by runs; NULL: each run trains its own */
};

/* Runs one replication of one point; fills `blocks` (zeroed before) and `summary`. Thread-safe for
 * different blocks. Returns false, with a sentence in `error`, where the run can't be set up (a predictor
 * that can't be trained on the data given); never for what happens in the run. */
bool run_one(const struct run_request *request, struct run_blocks *blocks, struct run_summary *summary,
	char error[256]);

/* Its number in the sweep, and the seed that all of it is drawn from. */
uint64_t run_index(const struct run_request *request);
uint64_t run_seed(const struct run_request *request);

/* Fills the first cells of its row in /runs, up to the swept keys; answers how many. Texts are the file's. */
size_t run_row_begin(const struct run_request *request, union cell *cells);

/* What stands in a column of integers, which has no NaN, in the row of a run that failed. */
#define RUN_FAILED_COUNT -1

/* The row and summary of a run that could not be run or died: verdict `failed`, no KPI. */
void run_failed(const struct run_request *request, const char *reason, struct run_blocks *blocks,
	struct run_summary *summary);

#endif
