/* The rows that `synod eval` works on. */
#ifndef EVAL_FILE_H
#define EVAL_FILE_H

#include "workloads/rules.h"

/* Reads a CSV file of finite decimal numbers, a row a participant; "-" is the standard input. Blank
 * lines and lines that begin with # are passed over. A first line without a number in it is a
 * header; a column that it calls `score` goes to out->scores (NULL without one), one called
 * `confidence`, the sd that each claims, to out->confidence, the others to out->values. On failure it says
 * so on stderr, with line, row and column, and *status is the exit status. All memory is the arena's. */
bool eval_file_read(const char *path, struct rows *out, struct arena *arena, int *status);

#endif
