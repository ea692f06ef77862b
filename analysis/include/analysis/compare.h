/* Comparisons of a KPI between the values of a swept key, in words and numbers: `synod stats`.
 *
 * The runs are taken apart by the other swept keys; within each part the values of the key are described
 * (n, mean with its 95 % interval, sd, median, quartiles) and compared pair by pair over the replications
 * that both have: mean difference with its interval, paired t-test, Wilcoxon's signed-rank test, effect
 * sizes. The p-values of all comparisons shown are adjusted together (Holm); those that repeat another one
 * digit by digit, since a key changes nothing, count once. Keys that the scenario sweeps side by side (`zip`)
 * are one key. Means of shares have their interval on the logit. O(rows log rows + comparisons). */
#ifndef ANALYSIS_COMPARE_H
#define ANALYSIS_COMPARE_H

#include "results/results.h"

#include <stdbool.h>
#include <stdio.h>

struct compare_request {
	const char *path; /* the result file */
	const char *kpi;
	const char *by;       /* the swept key; NULL: the first one */
	const char *against;  /* compare all others with this value alone; NULL: all pairs */
	const char *worst_over; /* not NULL: of each setting of the other keys the worst value of this one */
	const char *const *where; /* n_where conditions KEY=VALUE: of these runs alone (frame.h) */
	size_t n_where;
	bool csv;             /* one line a comparison, 17 significant digits */
};

/* Prints to `out`. Answers with the program's exit status: 0 done; 2 where the request does not fit the file;
 * 3 where it can't be read. `error` is filled unless 0. */
int compare_print(const struct compare_request *request, FILE *out, struct results_error *error);

#endif
