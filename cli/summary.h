/* The table that `synod run` prints: a line a point, means over replications with their uncertainty. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "lab/run.h"

struct summary;

/* Both outlive it. */
struct summary *summary_create(const struct scenario_file *file, const struct run_schemas *schemas);
void summary_destroy(struct summary *summary);
/* Adds one finished run; runs may come in any order. */
void summary_add(struct summary *summary, const struct run_summary *run);
/* Adds rows of /runs, of a journal or a result file. */
void summary_read(struct summary *summary, const struct table_schema *schema, const struct block *runs);
void summary_print(const struct summary *summary, FILE *out);
/* Adds a remark for each swept key whose values made no difference to any run. */
void summary_remarks(const struct summary *summary, struct diagnostics *diagnostics);
enum summary_alarm {
	SUMMARY_FINE,
	SUMMARY_BAD,    /* some are unsafe or stalled */
	SUMMARY_FAILED, /* some could not be run */
};
/* Says how many runs failed, are unsafe or stalled, with the first of each; nothing where none is. */
enum summary_alarm summary_alarm(const struct summary *summary, FILE *out);

#endif
