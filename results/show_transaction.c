/* One transaction's life, told in sentences. */
#include "results/show.h"

#include "print.h"
#include "reader.h"
#include "show_row.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Looks for the row of (run, number), where `key` is the number's column. Reads in portions. Answers whether
 * it is there; `n_of_run` becomes how many rows the run has. */
static bool find_row(struct results_file *file, enum table_id table, const char *key, int64_t run,
	int64_t number, struct block *block, struct show_row *found, uint64_t *n_of_run,
	struct results_error *error)
{
	struct show_row row = {.block = block, .schema = results_schema(file, table)};
	uint64_t n = results_n_rows(file, table);
	*n_of_run = 0;
	for (uint64_t first = 0; first < n; first += READER_ROWS) {
		size_t n_rows = n - first < READER_ROWS ? n - first : READER_ROWS;
		if (!results_read(file, table, first, n_rows, block, error)) {
			return false;
		}
		for (row.row = 0; row.row < n_rows; row.row++) {
			if (row_int(&row, "run") == run) {
				++*n_of_run;
				if (row_int(&row, key) == number) {
					*found = row;
					return true;
				}
			}
		}
	}
	return false;
}

static void print_client(FILE *out, const struct show_row *row)
{
	bool client = strcmp(row_string(row, "kind"), "request") == 0;
	fprintf(out, "%s %" PRId64, client ? "client" : "the gateway of validator", row_int(row, "client"));
}

static void print_life(struct results_file *file, const struct show_row *row, FILE *out)
{
	char submitted[SHOW_TIME];
	char ordered[SHOW_TIME];
	char answered[SHOW_TIME];
	char span[SHOW_TIME];
	double submitted_s = row_real(row, "submitted_s");
	double ordered_s = row_real(row, "ordered_s");
	double answered_s = row_real(row, "answered_s");
	show_time(submitted_s, submitted);
	show_time(ordered_s, ordered);
	show_time(answered_s, answered);
	fprintf(out, "Transaction %" PRId64 " of ", row_int(row, "transaction"));
	show_run(file, row_int(row, "run"), out);
	fprintf(out, ", a %s for item %" PRId64 ", was submitted by ", row_string(row, "kind"),
		row_int(row, "item"));
	print_client(out, row);
	fprintf(out, " at %s.\n", submitted);
	if (isnan(ordered_s)) {
		fprintf(out, "No honest validator has executed it by the run's end.\n");
	} else {
		show_time(ordered_s - submitted_s, span);
		fprintf(out, "It was ordered in instance %" PRId64, row_int(row, "instance"));
		if (row_int(row, "view") >= 0) {
			fprintf(out, " of view or term %" PRId64, row_int(row, "view"));
		}
		fprintf(out, ": the first honest validator executed it at %s, %s after its submission.\n", ordered,
			span);
		const char *reject = row_string(row, "reject");
		if (reject[0] == '\0') {
			fprintf(out, "It counted.\n");
		} else {
			fprintf(out, "It changed nothing: the application rejected it as %s.\n", reject);
		}
	}
	if (isnan(answered_s)) {
		fprintf(out, "Its client never had an answer.\n");
	} else {
		show_time(answered_s - submitted_s, span);
		fprintf(out, "Its client had its answer at %s: a latency of %s.\n", answered, span);
	}
}

/* What became of the item, where that is recorded. */
static bool print_item(struct results_file *file, int64_t run, int64_t item, FILE *out,
	struct results_error *error)
{
	if (results_schema(file, TABLE_DECISIONS) == NULL) {
		fprintf(out, "What became of item %" PRId64 " is not recorded (record: [decisions] would).\n", item);
		return true;
	}
	struct block block = {0};
	struct show_row row;
	uint64_t n_of_run;
	bool found =
		find_row(file, TABLE_DECISIONS, "item", run, item, &block, &row, &n_of_run, error);
	if (found) {
		double decided_s = row_real(&row, "decided_s");
		double value = row_real(&row, "value");
		char decided[SHOW_TIME];
		show_time(decided_s, decided);
		if (isnan(decided_s)) {
			fprintf(out, "Item %" PRId64 " was not settled by the run's end.\n", item);
		} else {
			fprintf(out, "Item %" PRId64 " was settled at %s, in instance %" PRId64, item, decided,
				row_int(&row, "instance"));
			if (row_int(&row, "predictions") > 0) {
				fprintf(out, ", with %" PRId64 " predictions", row_int(&row, "predictions"));
				if (isnan(value)) {
					fprintf(out, ": undecided");
				} else {
					fprintf(out, ": decided %.6g, the truth is %.6g", value, row_real(&row, "truth"));
				}
			}
			fprintf(out, ".\n");
		}
	}
	block_finish(&block);
	return found || error->text[0] == '\0';
}

int results_show_transaction(struct results_file *file, int64_t run, int64_t transaction, FILE *out,
	struct results_error *error)
{
	error->text[0] = '\0';
	if (results_schema(file, TABLE_TRANSACTIONS) == NULL) {
		snprintf(error->text, sizeof(error->text),
			"%.300s has no table transactions: add `record: [transactions]` to the scenario and run it "
			"again",
			results_path(file));
		return 1;
	}
	struct block block = {0};
	struct show_row row;
	uint64_t n_of_run;
	bool is_there = true;
	bool good = find_row(file, TABLE_TRANSACTIONS, "transaction", run, transaction, &block, &row,
		&n_of_run, error);
	if (good) {
		int64_t item = row_int(&row, "item");
		print_life(file, &row, out);
		good = print_item(file, run, item, out, error);
	} else if (error->text[0] == '\0' && n_of_run == 0) {
		is_there = false;
		snprintf(error->text, sizeof(error->text), "%.300s holds no transactions of a run %" PRId64,
			results_path(file), run);
	} else if (error->text[0] == '\0') {
		is_there = false;
		snprintf(error->text, sizeof(error->text),
			"run %" PRId64 " has no transaction %" PRId64 ": it has 0 to %" PRIu64, run, transaction,
			n_of_run - 1);
	}
	block_finish(&block);
	return good ? 0 : is_there ? -1 : 1;
}
