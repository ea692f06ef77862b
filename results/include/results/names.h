/* Names cut to a width, for tables and figures. */
#ifndef RESULTS_NAMES_H
#define RESULTS_NAMES_H

#include <stddef.h>

/* Copies names[i] (UTF-8) to `out`, of `size` bytes, in at most max_characters >= 8, with an ellipsis for what
 * is left out: its end, or its middle where the first place at which it differs from the one most like it
 * would be lost with the end. So names that begin alike stay apart. O(n * length). */
void name_cut(char *out, size_t size, const char *const *names, size_t n, size_t i,
	size_t max_characters);

#endif
