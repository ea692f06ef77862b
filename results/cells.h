/* Cells as text. */
#ifndef RESULTS_CELLS_H
#define RESULTS_CELLS_H

#include "results/table.h"

#include <stdio.h>

/* Prints a cell: reals with `digits` significant digits (17 read back as the same bits), an
 * undefined one as NaN, strings as they are. */
void cell_print(FILE *out, const struct column *column, union cell cell, int digits);

/* One cell of a CSV line: a string is quoted where it must be (RFC 4180). */
void cell_print_csv(FILE *out, const struct column *column, union cell cell);
void text_print_csv(FILE *out, const char *text);

#endif
