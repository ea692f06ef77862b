/* Files of format 1, and by other hands: without a digest, and with texts in HDF5's global heap.
 *
 * HDF5 1.10 crashes or hangs on some damage, or spoils its memory and crashes later. So we never look at such a
 * file: a child reads it and writes what it found anew, as a file of format 2 in a folder for temporary ones,
 * and that is what is opened. A changed number is not seen. */
#ifndef RESULTS_FORMAT_1_H
#define RESULTS_FORMAT_1_H

#include "results/results.h"

struct results_file *format_1_open(const char *path, struct results_error *error);

#endif
