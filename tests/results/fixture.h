/* A small sweep to write, and a folder of its own for every test. */
#ifndef TESTS_RESULTS_FIXTURE_H
#define TESTS_RESULTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "results/results.h"

#define FIXTURE_RUNS 12

extern const struct results_header fixture_header;
/* runs and decisions; the other tables are not recorded. */
extern const struct table_schema fixture_schemas[TABLES_MAX];

/* The rows of one run; the same for the same run. The caller finishes them. */
struct run_blocks fixture_run(uint64_t run);

/* cmocka's setup and teardown: *state is the path of a fresh folder, removed with what is in it. */
int folder_setup(void **state);
int folder_teardown(void **state);
/* FOLDER/NAME, in memory that lives until the test's end; at most 64 a test. */
const char *in_folder(void **state, const char *name);

/* Opens, appends or completes, and fails the test with the error's text. */
struct journal *must_open(const char *path, bool resume);
void must_append(struct journal *journal, uint64_t run);
void must_complete(struct journal *journal);
/* Writes a whole result, runs appended in order. */
void must_write(const char *path);

/* A file's bytes; the caller frees them. */
unsigned char *read_bytes(const char *path, size_t *n_bytes);
void write_bytes(const char *path, const void *bytes, size_t n_bytes);
void assert_same_bytes(const char *path_a, const char *path_b);
bool exists(const char *path);

#endif
