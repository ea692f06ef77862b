/* What the writer and the reader of HDF5 share: how its errors become our sentences.
 *
 * HDF5 prints a stack of thirty lines on every error. That printing is switched off, and the
 * deepest cause on the stack, which names what the system said, goes into one sentence with the
 * path. */
#ifndef RESULTS_H5_H
#define RESULTS_H5_H

#include "results/results.h"

#include <hdf5.h>

/* Sets the error's text; false, so that a caller can return it. */
bool results_fail(struct results_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The system's words for an errno, with the setting behind it where a limit of the process is the cause. */
const char *results_cause(int number);

/* The name of the dataset that holds the scenario's text, from format 2 on. */
#define SCENARIO_DATASET "scenario"

/* Switches HDF5's printing off. Every public function that reaches HDF5 calls it first. */
void h5_quiet(void);

/* "cannot ACTION PATH: CAUSE", the cause from HDF5's stack: so nothing else of HDF5 may be called
 * between what failed and this. */
bool h5_fail(struct results_error *error, const char *action, const char *path);

#endif
