/* Runs that are traced, and what they told. */
#ifndef TESTS_LAB_TRACED_H
#define TESTS_LAB_TRACED_H

#include "study.h"

#include "lab/trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern const struct trace_filter everything;
extern const char one_request[]; /* under PBFT, with nothing amiss */
extern const char crashed[];     /* the same; its first primary is down */

/* The run's digest goes to `digest` where that is not NULL. */
void run_with(const struct study *study, const struct trace_sink *sink, size_t point, char *digest);

/* What is told of a scenario, and of a study in Chrome's events; the caller frees it. */
char *text_of(const char *scenario, const struct trace_filter *filter);
char *chrome_of(const struct study *study, const struct trace_filter *filter);

void assert_says(const char *text, const char *part);
void assert_silent(const char *text, const char *part);

#endif
