/* The table that `synod run` prints: a line a point, means over replications with their uncertainty. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "lab/run.h"

struct summary;

struct summary *summary_create(const struct scenario_file *file);
void summary_destroy(struct summary *summary);
/* Adds one finished run; runs may come in any order. */
void summary_add(struct summary *summary, const struct run_summary *run);
/* Takes all runs of a result file instead of those added. */
void summary_read(struct summary *summary, struct results_file *results);
void summary_print(const struct summary *summary, FILE *out);
/* Adds a remark for each swept key whose values made no difference to any run. */
void summary_remarks(const struct summary *summary, struct diagnostics *diagnostics);
/* Says how many runs are unsafe and how many stalled, with the first of each; nothing where none is. True
 * where some are. */
bool summary_alarm(const struct summary *summary, FILE *out);

#endif
