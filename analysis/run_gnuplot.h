/* Runs gnuplot on one script. */
#ifndef ANALYSIS_RUN_GNUPLOT_H
#define ANALYSIS_RUN_GNUPLOT_H

#include "results/results.h"

/* A figure takes a tenth of a second; a gnuplot that is not done by then never will be. */
#define GNUPLOT_SECONDS_MAX 60

/* Runs `gnuplot script` in `directory` with its default settings, whatever the user's own are, in files or in
 * the environment. False, with the first lines of what it said, where it is missing, fails, or is ended after
 * `seconds_max`. */
bool run_gnuplot(
	const char *directory, const char *script, unsigned seconds_max, struct results_error *error);

#endif
