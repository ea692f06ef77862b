/* Runs a scenario's text and gives what came out: for the tests of the laboratory.
 *
 *     struct study *study = study_open("validators: 4\nprotocol: pbft\nworkload: requests\n");
 *     struct outcome *outcome = study_run(study, 0, 0);    // point, replication
 *     assert_true(kpi(outcome, "commit_mean_s") == .03);
 *     outcome_destroy(outcome);
 *     study_close(study);
 *
 * A scenario that is wrong, or a run that can't be set up, fails the test. */
#ifndef TESTS_LAB_STUDY_H
#define TESTS_LAB_STUDY_H

/* What cmocka.h wants before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lab/run.h"

struct study {
	struct scenario_file *file;
	struct run_schemas schemas;
	size_t n_points, n_replications;
};

struct outcome {
	const struct study *study;
	struct run_summary summary;
	struct run_blocks blocks;
};

/* The text is a printf format. */
struct study *study_open(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* NULL where the scenario is refused: for those that walk what may not fit together. */
struct study *study_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
void study_close(struct study *study);

struct outcome *study_run(const struct study *study, size_t point, size_t replication);
void outcome_destroy(struct outcome *outcome);

/* Opens, runs point 0, replication 0, of a text. The outcome owns the study. */
struct outcome *run_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void outcome_close(struct outcome *outcome);

/* The KPI of this name, which there is. */
double kpi(const struct outcome *outcome, const char *name);
size_t n_rows(const struct outcome *outcome, enum table_id table);
/* A cell of a row by its column's name. */
double real_at(const struct outcome *outcome, enum table_id table, size_t row, const char *column);
int64_t int_at(const struct outcome *outcome, enum table_id table, size_t row, const char *column);
const char *string_at(
	const struct outcome *outcome, enum table_id table, size_t row, const char *column);

/* Fails with the verdict's reason. */
#define assert_verdict(outcome, wanted) assert_verdict_at(__FILE__, __LINE__, outcome, wanted)
void assert_verdict_at(const char *file, int line, const struct outcome *outcome, const char *wanted);

/* Mean and standard error of samples. */
struct estimate {
	double mean, error;
};
struct estimate estimate(const double *samples, size_t n);
/* Fails where |got - wanted| > bound, saying both. */
#define assert_near(got, wanted, bound) assert_near_at(__FILE__, __LINE__, #got, got, wanted, bound)
void assert_near_at(
	const char *file, int line, const char *what, double got, double wanted, double bound);
/* A share of n runs beside a probability: within three standard errors. */
#define assert_share(n_hit, n, probability) assert_share_at(__FILE__, __LINE__, n_hit, n, probability)
void assert_share_at(const char *file, int line, size_t n_hit, size_t n, double probability);

#endif
