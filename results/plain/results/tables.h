/* The tables of a result file. Each is one entry: the words of `record`, the columns, what `synod list tables` and
 * `synod show` say are made from it. Applications bring tables of their own (app->tables, workloads/app.h), entries
 * like these. */
#ifndef RESULTS_TABLES_H
#define RESULTS_TABLES_H

#include "results/column.h"

/* The laboratory's and those of predictions, in their order in the file. Behind them come, by name, the tables that
 * applications bring. */
enum table_id {
	TABLE_RUNS,
	TABLE_DECISIONS,
	TABLE_PREDICTIONS,
	TABLE_TRANSACTIONS,
	TABLE_VALIDATORS,
	TABLE_SERIES,
	TABLE_VIOLATIONS,
	TABLE_ROC,
	TABLE_MODELS,
	TABLE_IMPORTANCE,
	TABLE_FAULTS,
	TABLE_OBSERVATIONS,
	TABLE_TRAINING,
	TABLE_EVENTS,
	TABLE_N,
	TABLES_MAX = TABLE_N + 11, /* in one file */
	TABLE_NONE = TABLES_MAX,
};

struct table {
	const char *name;
	const char *help;             /* what a row is */
	const struct column *columns; /* the first is `run`; end with a NULL name */
	const char *with;             /* the word in `record` that asks for it; NULL: its name */
	const char *too;              /* another that does; NULL: none */
	bool always;                  /* it is in every file, and no word asks for it */
	bool faults;                  /* only where some point has faults */
	bool features;                /* a column for each feature of the workload's items stands behind */
	bool predicted;               /* stays empty where nothing is predicted */
};

extern const struct table result_tables[TABLE_N];

/* The word in `record` that asks for the table. */
const char *table_word(const struct table *table);
/* Which of result_tables has this name; TABLE_N: none. */
enum table_id table_find(const char *name);

#endif
