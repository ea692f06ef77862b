/* Some of a result's runs: those for which conditions KEY=VALUE hold. */
#ifndef RESULTS_WHERE_H
#define RESULTS_WHERE_H

#include "results/results.h"

/* Which rows of the table of runs the conditions leave. KEY is any of its columns, a swept key above all; VALUE
 * is spelled as `synod show --csv` spells it, or, of a number, in any way that reads as the same. Several
 * conditions on one column: any of them; on several columns: all. Returns how many rows are left, their
 * indices in `rows`, ascending, which the caller frees; -1 with `error` where a condition is wrong or no run
 * has it (error->other), or the table can't be read. */
int64_t results_where(struct results_file *file, const char *const *where, size_t n_where, size_t **rows,
	struct results_error *error);

#endif
