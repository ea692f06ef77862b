/* A KPI: one number a run, a column of /runs. Each is one entry of a table; the laboratory, protocols and applications
 * bring tables (docs/add-a-kpi.md). An entry is the only description of its KPI: columns, `synod list`, the summary on
 * the terminal and the labels of figures are made from it. */
#ifndef RESULTS_KPI_H
#define RESULTS_KPI_H

#include "results/column.h"

struct lab;
struct node;

/* What KPIs are computed from, when a run has ended. */
struct measured {
	const struct lab *lab;    /* all of it, for the laboratory's own (lab/lab.h) */
	const struct node *nodes; /* the validators, 0 .. n_validators - 1, with their protocol's state */
	uint32_t n_validators;
	const void *application;  /* its outside state, for its own */
};

struct kpi {
	const char *name;     /* of the column: SI units, said by its end (`_s`, `_per_s`); one meaning everywhere */
	const char *label;    /* on axes, without its unit: "mean latency" */
	const char *unit;     /* NULL: what the sort says, "s" or "share", or none; UNIT_OF_VALUES: the workload's */
	enum column_sort sort; /* a count is a column of integers */
	const char *share_of; /* the column that says of how many it is a share; NULL: none does */
	bool more_is_better;
	struct {
		const char *heading; /* in the table of `synod run`; NULL: it isn't there */
		double scale;        /* what it is shown in: 1e3 for ms; 0: 1 */
		int decimals;
		bool not_zero;       /* only where some run has another value than 0 */
	} shown;
	/* Undefined is NaN; a count is always defined. */
	double (*value)(const struct measured *run);
	const char *help;     /* what it counts, exactly */
};

/* KPIs of one theme. A protocol's or an application's stand in the files of the scenarios that use it, in order of the
 * registries, behind the laboratory's; several may bring one of the same name and sort. Where a run's own
 * brings it not, a count is 0 and all else NaN. */
struct kpi_table {
	const struct kpi *kpis; /* ends with a NULL name */
	bool everywhere;        /* in every file, whether it is used or not */
	const char *after;      /* behind this column, not behind all; NULL: there */
};

#endif
