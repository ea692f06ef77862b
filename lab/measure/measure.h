/* What is sampled while a run goes, for its KPIs, and where the rows of its tables go. */
#ifndef LAB_MEASURE_H
#define LAB_MEASURE_H

#include "lab/run.h"
#include "measure/samples.h"

struct lab;
struct lab_item;

struct measure {
	struct run_blocks *out; /* rows of the tables; the caller's of run_one */
	const struct run_schemas *schemas;
	struct samples latencies, commits, proposer_commits, elections;
	struct samples latencies_sorted; /* once the run has ended: quantiles want them so */
	int64_t n_windows_accepted; /* with an acceptance */
	int64_t window_accepted, window_accepted_before; /* the last two of them */
};

/* `out`, `schemas`: may be NULL where no row will be appended. */
struct measure *measure_create(struct run_blocks *out, const struct run_schemas *schemas);
void measure_destroy(struct measure *measure);
/* An item was accepted. */
void measure_accepted(struct lab *lab, const struct lab_item *item);
/* For the table of faults, where there is one. */
void measure_fault(struct lab *lab, uint32_t node, const char *what);
/* The run has ended: puts in order what is looked at in order. */
void measure_sort(struct lab *lab);
/* After that: what is written of each run. */
void measure_tables(struct lab *lab);
/* Bytes that it and the rows have grown to. */
uint64_t measure_bytes(const struct measure *measure);
/* The table of this name; TABLE_NONE: it is not recorded. */
enum table_id measure_table(const struct lab *lab, const char *name);
/* Is it recorded? Of TABLE_NONE: no. */
bool measure_records(const struct lab *lab, enum table_id table);
/* Appends a row to a table that is recorded. */
void measure_row(const struct lab *lab, enum table_id table, const union cell *cells);

/* What fills the tables that are written when a run has ended. */
void decisions_table(struct lab *lab);
void validators_table(struct lab *lab);
void series_table(struct lab *lab);
void violations_table(struct lab *lab);

#endif
