/* One transaction's life, told in sentences. */
#include "results/show.h"

#include "cells.h"
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

static bool is_of_store(const struct show_row *row)
{
	const char *kind = row_string(row, "kind");
	return strcmp(kind, "get") == 0 || strcmp(kind, "put") == 0;
}

static void print_client(FILE *out, const struct show_row *row)
{
	bool client = is_of_store(row) || strcmp(row_string(row, "kind"), "request") == 0;
	fprintf(out, "%s %" PRId64, client ? "client" : "the gateway of validator", row_int(row, "client"));
}

/* The kind of a protocol as the scenario's text has it, after `protocol:`; "" where it is not seen. */
static const char *protocol_in(const char *text, char kind[32])
{
	static const char *const marks[] = {"kind:", "protocol:"};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = strstr(text, marks[i]);
		if (at != NULL) {
			text = at + strlen(marks[i]);
			break;
		}
	}
	text += strspn(text, " \n\t{\"'");
	snprintf(kind, 32, "%.*s", (int)(strcspn(text, " ,}\n\t\"'") % 32), text);
	return kind;
}

/* The protocol's word for a view, as far as the file lets one know the protocol: a swept column, or the
 * scenario's text. */
static const char *view_word(struct results_file *file, int64_t run)
{
	struct results_error ignored = {{0}};
	struct show_row row = {0};
	char kind[32] = "";
	row.block = results_table(file, TABLE_RUNS, &row.schema, &ignored);
	for (; row.block != NULL && row.row < row.block->n_rows && row_int(&row, "run") != run; row.row++) {
	}
	if (row.block != NULL && row.row < row.block->n_rows) {
		const char *swept = row_string(&row, "protocol");
		swept = swept[0] != '\0' ? swept : row_string(&row, "protocol.kind");
		protocol_in(swept, kind);
	}
	const char *scenario = results_header(file)->scenario;
	const char *line = strncmp(scenario, "protocol:", 9) == 0 ? scenario : strstr(scenario, "\nprotocol:");
	if (kind[0] == '\0' && line != NULL) {
		line += line[0] == '\n';
		const char *next = line + strlen("protocol:");
		const char *end = next;
		do { /* the map may stand on indented lines below */
			end += strcspn(end, "\n");
			end += *end == '\n';
		} while (*end == ' ');
		char *own = strndup(next, (size_t)(end - next));
		if (own != NULL) {
			protocol_in(own, kind);
			free(own);
		}
	}
	return strcmp(kind, "raft") == 0 ? "term" : strcmp(kind, "pbft") == 0 ? "view" : "view or term";
}

/* What its client was told of the key, where it had an answer. */
static void print_told(const struct show_row *row, FILE *out)
{
	if (row_int(row, "version") < 0) {
		return;
	}
	fprintf(out, "Its client was told of version %" PRId64 " of key %" PRId64, row_int(row, "version"),
		row_int(row, "key"));
	int64_t value = row_int(row, "value");
	if (value < 0) {
		fprintf(out, ", which nobody had written yet.\n");
	} else if (value == row_int(row, "transaction")) {
		fprintf(out, ": its own.\n");
	} else {
		fprintf(out, ", written by transaction %" PRId64 ".\n", value);
	}
}

static void print_unordered(const struct show_row *row, FILE *out)
{
	if (!is_of_store(row) || isnan(row_real(row, "answered_s"))) {
		fprintf(out, "No honest validator has executed it by the run's end.\n");
		return;
	}
	if (strcmp(row_string(row, "kind"), "get") != 0) {
		fprintf(out, "No honest validator has executed it by the run's end, though its client had an answer.\n");
		return;
	}
	fprintf(out, "It was answered without being ordered");
	if (row_int(row, "answered_by") >= 0) {
		fprintf(out, ": the answer of validator %" PRId64 " was the last that its client needed",
			row_int(row, "answered_by"));
	}
	fprintf(out, ".\n");
}

static void print_effect(const struct show_row *row, FILE *out)
{
	const char *reject = row_string(row, "reject");
	if (strcmp(reject, "aborted") == 0) {
		fprintf(out, "It wrote nothing: it was aborted, since the version that its client knew");
		if (row_int(row, "expected") >= 0) {
			fprintf(out, ", %" PRId64 ",", row_int(row, "expected"));
		}
		fprintf(out, " was no longer the key's.");
		if (row_int(row, "retry") >= 0) {
			fprintf(out, " Its client tried again as transaction %" PRId64 ".", row_int(row, "retry"));
		}
		fputc('\n', out);
	} else if (reject[0] != '\0') {
		fprintf(out, "It changed nothing: the application rejected it as %s.\n", reject);
	} else if (!is_of_store(row)) {
		fprintf(out, "It counted.\n");
	}
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
	fprintf(out, ", a %s ", row_string(row, "kind"));
	if (is_of_store(row)) {
		fprintf(out, "of key %" PRId64 " ", row_int(row, "key"));
	}
	fprintf(out, "for item %" PRId64 ", was submitted by ", row_int(row, "item"));
	print_client(out, row);
	fprintf(out, " at %s.\n", submitted);
	if (isnan(ordered_s)) {
		print_unordered(row, out);
	} else {
		show_time(ordered_s - submitted_s, span);
		fprintf(out, "It was ordered in instance %" PRId64, row_int(row, "instance"));
		if (row_int(row, "view") >= 0) {
			fprintf(out, " of %s %" PRId64, view_word(file, row_int(row, "run")), row_int(row, "view"));
		}
		fprintf(out, ": the first honest validator executed it at %s, %s after its submission.\n", ordered,
			span);
		print_effect(row, out);
	}
	if (isnan(answered_s)) {
		fprintf(out, "Its client never had an answer.\n");
	} else {
		show_time(answered_s - submitted_s, span);
		fprintf(out, "Its client had its answer at %s: a latency of %s.\n", answered, span);
		print_told(row, out);
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
