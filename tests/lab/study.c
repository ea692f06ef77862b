#include "study.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL where the scenario is refused and that is `tried`. */
static struct study *open_text(const char *format, va_list arguments, bool tried)
{
	char *text = NULL;
	int n_bytes = vasprintf(&text, format, arguments);
	if (n_bytes < 0) {
		abort();
	}
	struct diagnostics *diagnostics = diagnostics_create();
	struct scenario_file *file =
		scenario_parse(text, (size_t)n_bytes, "test.yaml", ".", NULL, 0, diagnostics);
	if (file == NULL && !tried) {
		diagnostics_print(diagnostics, stderr);
		fail_msg("the scenario is wrong:\n%s", text);
	}
	diagnostics_destroy(diagnostics);
	free(text);
	if (file == NULL) {
		return NULL;
	}
	struct study *study = calloc(1, sizeof(*study));
	study->file = file;
	run_schemas_init(&study->schemas, study->file);
	study->n_points = scenario_n_points(study->file);
	study->n_replications = (size_t)scenario_point(study->file, 0)->replications;
	return study;
}

struct study *study_open(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct study *study = open_text(format, arguments, false);
	va_end(arguments);
	return study;
}

struct study *study_try(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct study *study = open_text(format, arguments, true);
	va_end(arguments);
	return study;
}

void study_close(struct study *study)
{
	run_schemas_finish(&study->schemas);
	scenario_close(study->file);
	free(study);
}

struct outcome *study_run(const struct study *study, size_t point, size_t replication)
{
	struct outcome *outcome = calloc(1, sizeof(*outcome));
	outcome->study = study;
	struct run_request request = {
		.file = study->file,
		.schemas = &study->schemas,
		.point = point,
		.replication = replication,
	};
	char error[256] = "";
	if (!run_one(&request, &outcome->blocks, &outcome->summary, error)) {
		fail_msg("the run can't be set up: %s", error);
	}
	return outcome;
}

void outcome_destroy(struct outcome *outcome)
{
	run_blocks_finish(&outcome->blocks);
	free(outcome);
}

struct outcome *run_text(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct study *study = open_text(format, arguments, false);
	va_end(arguments);
	return study_run(study, 0, 0);
}

void outcome_close(struct outcome *outcome)
{
	struct study *study = (struct study *)(uintptr_t)outcome->study;
	outcome_destroy(outcome);
	study_close(study);
}

double kpi(const struct outcome *outcome, const char *name)
{
	return kpi_of(&outcome->summary, name);
}

size_t n_rows(const struct outcome *outcome, enum table_id table)
{
	return outcome->blocks.tables[table].n_rows;
}

static union cell cell_at(const struct outcome *outcome, enum table_id table, size_t row,
	const char *column, enum column_type type)
{
	const struct table_schema *schema = &outcome->study->schemas.tables[table];
	int index = schema_find(schema, column);
	if (index < 0 || schema->columns[index].type != type || row >= n_rows(outcome, table)) {
		fail_msg("no such cell: table %s, row %zu, column %s", schema_name(schema, table), row, column);
	}
	return block_get(&outcome->blocks.tables[table], schema, row, (size_t)index);
}

double real_at(const struct outcome *outcome, enum table_id table, size_t row, const char *column)
{
	return cell_at(outcome, table, row, column, COLUMN_REAL).real;
}

int64_t int_at(const struct outcome *outcome, enum table_id table, size_t row, const char *column)
{
	return cell_at(outcome, table, row, column, COLUMN_INT).integer;
}

const char *string_at(
	const struct outcome *outcome, enum table_id table, size_t row, const char *column)
{
	return cell_at(outcome, table, row, column, COLUMN_STRING).string;
}

void assert_verdict_at(const char *file, int line, const struct outcome *outcome, const char *wanted)
{
	if (strcmp(outcome->summary.verdict, wanted) != 0) {
		print_error("verdict %s (%s), not %s\n", outcome->summary.verdict,
			outcome->summary.verdict_reason, wanted);
		_fail(file, line);
	}
}

struct estimate estimate(const double *samples, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		sum += samples[i];
	}
	double mean = sum / (double)n;
	double squares = 0;
	for (size_t i = 0; i < n; i++) {
		squares += (samples[i] - mean) * (samples[i] - mean);
	}
	return (struct estimate){mean, sqrt(squares / (double)(n - 1) / (double)n)};
}

void assert_near_at(
	const char *file, int line, const char *what, double got, double wanted, double bound)
{
	if (!(fabs(got - wanted) <= bound)) {
		print_error("%s is %.9g, not %.9g +- %.3g\n", what, got, wanted, bound);
		_fail(file, line);
	}
}

void assert_share_at(const char *file, int line, size_t n_hit, size_t n, double probability)
{
	double share = (double)n_hit / (double)n;
	double error = sqrt(probability * (1 - probability) / (double)n);
	if (!(fabs(share - probability) <= 3 * error)) {
		print_error("%zu of %zu runs, %.5f, not %.5f +- 3 * %.5f\n", n_hit, n, share, probability,
			error);
		_fail(file, line);
	}
}
