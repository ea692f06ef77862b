/* How far a sweep has come, on stderr: a bar on a terminal, a line every few seconds elsewhere. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "lab/run_all.h"

struct progress;

struct progress *progress_create(bool quiet);
void progress_show(struct progress *progress, const struct run_all_progress *now);
void progress_destroy(struct progress *progress);

#endif
