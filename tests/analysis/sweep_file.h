/* A made-up sweep of protocol x scorer x attack, with decisions and series, to draw figures of. */
#ifndef TESTS_ANALYSIS_SWEEP_FILE_H
#define TESTS_ANALYSIS_SWEEP_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/figures.h"

#include <stdbool.h>

/* cmocka compares floats; these are doubles. A NaN is near to nothing. */
#define assert_near(a, b, distance) assert_true((a) - (b) <= (distance) && (b) - (a) <= (distance))

struct sweep {
	const char *protocols[3]; /* names of the levels; NULL: none, raft, pbft */
	const char *scorer_key;   /* NULL: scorer */
	unsigned n_replications;  /* 0: 4 */
	bool no_tables;           /* runs alone: no decisions, no series */
	bool undefined;           /* every KPI is NaN */
	const char *verdict;      /* NULL: completed */
};

/* KPIs of one run. Latency depends on protocol and replication alone. */
double sweep_latency_s(unsigned protocol, unsigned replication);
double sweep_corruption(unsigned scorer, unsigned attack, unsigned replication);

/* cmocka's setup and teardown: *state is the path of a fresh folder, removed with what is in it. */
int folder_setup(void **state);
int folder_teardown(void **state);
/* FOLDER/NAME, in memory that lives until the test's end; at most 32 a test. */
const char *in_folder(void **state, const char *name);

/* Writes the sweep as a result file. */
void sweep_write(const char *path, const struct sweep *sweep);
/* Asks for figures of it, as SVG, in DIRECTORY; answers figures_plot's status. */
int sweep_plot(
	const char *path, const char *kind, const char *directory, struct results_error *error);

/* A file's text; the caller frees it. NULL where there is none. */
char *file_text(const char *directory, const char *name);

#endif
