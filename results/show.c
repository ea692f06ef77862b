#include "results/show.h"

#include "results/where.h"

#include "memory.h"
#include "cells.h"
#include "reader.h"
#include "show_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 120
#define ROWS_SHOWN 40
#define TEXT_SHOWN 24 /* characters of a string in the table of runs */
#define TEXT_SHOWN_MAX 68 /* where it takes more to tell two apart */

/* Columns of the table of runs after the verdict, the most telling first; as many as fit are shown.
 */
static const char *const telling_columns[] = {"decided", "latency_mean_s", "messages_per_instance",
	"mae", "corruption_rate", "throughput_per_s", "latency_p99_s", "commit_mean_s", "divergence",
	"undecided", "availability", "leader_changes", "false_accept_rate", "dispute_rate",
	"recovery_s", "election_mean_s", "safety_violations", "events"};

/* --- Text in columns --- */

/* Width in characters: bytes that begin one in UTF-8. */
static size_t text_width(const char *text)
{
	size_t width = 0;
	for (; *text; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

/* Cuts a text to at most `width` characters, the last three of them dots. */
static void text_cut(char *text, size_t width)
{
	if (text_width(text) <= width) {
		return;
	}
	size_t seen = 0;
	for (char *at = text; *at; at++) {
		seen += ((unsigned char)*at & 0xc0) != 0x80;
		if (seen == width - 2) { /* the dots are shorter than what they stand for */
			strcpy(at, "...");
			return;
		}
	}
}

static char *cell_text(const struct column *column, union cell cell)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);
	if (!stream) {
		return memory_copy_text("?");
	}
	cell_print(stream, column, cell, 6);
	fclose(stream);
	for (char *at = text; *at; at++) {
		*at = *at == '\n' || *at == '\t' || *at == '\r' ? ' ' : *at;
	}
	return text;
}

/* Do two of the texts that differ look alike once they are cut? */
static bool look_alike(char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strncmp(texts[i], texts[k], TEXT_SHOWN - 3) == 0 && strcmp(texts[i], texts[k]) != 0) {
				return true;
			}
		}
	}
	return false;
}

/* Is the part, which stands between ", ", one of the text's too? */
static bool has_part(const char *text, const char *part, size_t bytes)
{
	for (const char *at = text; at != NULL;) {
		if (strncmp(at, part, bytes) == 0 && strchr(",}", at[bytes]) != NULL) {
			return true;
		}
		at = strstr(at, ", ");
		at = at == NULL ? NULL : at + 2;
	}
	return false;
}

/* A map without what all those that begin like it ("{kind: pbft") have: what differs is seen. */
static char *text_without_common(const char *text, char *const *others, size_t n)
{
	char *shortened = NULL;
	size_t bytes, head = strcspn(text, ",");
	bool left_out = false, alone = true;
	for (size_t i = 0; i < n; i++) {
		alone = alone && (strncmp(others[i], text, head) != 0 || strcmp(others[i], text) == 0);
	}
	if (alone) {
		shortened = memory_copy_text(text);
		text_cut(shortened, TEXT_SHOWN);
		return shortened;
	}
	FILE *stream = open_memstream(&shortened, &bytes);
	if (!stream) {
		return memory_copy_text("?");
	}
	for (const char *part = text; *part; part += *part == ',' ? 2 : 0) {
		size_t length = strcspn(part, ",}");
		length += part[length] == ',' && part[length + 1] != ' ';
		bool common = part != text;
		for (size_t i = 0; i < n && common; i++) {
			common = strncmp(others[i], text, head) != 0 || has_part(others[i], part, length);
		}
		if (!common || part[length] == '\0') {
			fprintf(stream, "%s%.*s", part == text ? "" : ", ", (int)length, part);
		} else if (!left_out) {
			fputs(", ...", stream);
		}
		left_out = common;
		part += length;
		if (*part == '}') {
			fputs(part, stream);
			break;
		}
	}
	fclose(stream);
	text_cut(shortened, TEXT_SHOWN_MAX);
	return shortened;
}

static void print_padded(FILE *out, const char *text, size_t width, bool to_the_right)
{
	size_t used = text_width(text);
	int padding = (int)(width > used ? width - used : 0);
	if (to_the_right) {
		fprintf(out, "%*s%s", padding, "", text);
	} else {
		fprintf(out, "%s%*s", text, padding, "");
	}
}

/* --- What the file says of itself --- */

/* The title, where the scenario's text has it on a line of its own: this library reads no YAML. */
static void print_title(FILE *out, const char *scenario)
{
	static const char key[] = "title:";
	const char *line = scenario;
	while (line && strncmp(line, key, strlen(key)) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line) {
		return;
	}
	line += strlen(key);
	line += strspn(line, " \t");
	size_t bytes = strcspn(line, "\r\n");
	while (bytes > 0 && line[bytes - 1] == ' ') {
		bytes--;
	}
	if (bytes >= 2 && (*line == '"' || *line == '\'') && line[bytes - 1] == *line) {
		line++;
		bytes -= 2;
	}
	if (bytes > 0 && !strchr("|>&*!", *line)) {
		fprintf(out, "title    %.*s\n", (int)bytes, line);
	}
}

static void print_columns(FILE *out, const struct table_schema *schema)
{
	size_t at = 0;
	for (size_t i = 0; i < schema->n_columns; i++) {
		const char *name = schema->columns[i].name;
		size_t width = text_width(name) + 1;
		if (at == 0 || at + width > WIDTH) {
			fprintf(out, "%s        ", at ? "\n" : "");
			at = 8;
		}
		fprintf(out, " %s", name);
		at += width;
	}
	fprintf(out, "\n");
}

static void print_header(struct results_file *file, FILE *out)
{
	const struct results_header *header = results_header(file);
	print_title(out, header->scenario);
	fprintf(out, "format   %s %d%s\n", RESULTS_FORMAT, results_version(file),
		results_version(file) == 1 ? " (without a digest: damage to numbers would not be seen)" : "");
	fprintf(out, "version  %s (source %s)\n", header->synod_version, header->source);
	fprintf(out, "seed     %" PRIu64 "\n", header->seed);
	fprintf(out, "tables\n");
	for (int i = 0; i < TABLES_MAX; i++) {
		const struct table_schema *schema = results_schema(file, i);
		if (schema) {
			fprintf(out, "  %s: %" PRIu64 " rows, %zu columns\n", schema_name(schema, i),
				results_n_rows(file, i), schema->n_columns);
			print_columns(out, schema);
		}
	}
}

/* --- The table of runs --- */

struct runs {
	const struct table_schema *schema;
	const struct block *block;
	size_t n_shown;
};

struct shown_column {
	size_t column, width;
	char *texts[ROWS_SHOWN];
};

static bool is_undefined(const struct runs *runs, size_t column)
{
	if (runs->schema->columns[column].type != COLUMN_REAL) {
		return false;
	}
	for (size_t row = 0; row < runs->block->n_rows; row++) {
		union cell cell = block_get(runs->block, runs->schema, row, column);
		if (cell.real == cell.real) {
			return false;
		}
	}
	return true;
}

static struct shown_column column_make(const struct runs *runs, size_t column)
{
	const struct column *it = &runs->schema->columns[column];
	struct shown_column shown = {.column = column, .width = text_width(it->name)};
	char *whole[ROWS_SHOWN];
	for (size_t row = 0; row < runs->n_shown; row++) {
		whole[row] = cell_text(it, block_get(runs->block, runs->schema, row, column));
	}
	bool alike = look_alike(whole, runs->n_shown);
	for (size_t row = 0; row < runs->n_shown; row++) {
		if (alike) {
			shown.texts[row] = text_without_common(whole[row], whole, runs->n_shown);
		} else {
			shown.texts[row] = memory_copy_text(whole[row]);
			text_cut(shown.texts[row], TEXT_SHOWN);
		}
		size_t width = text_width(shown.texts[row]);
		shown.width = width > shown.width ? width : shown.width;
	}
	for (size_t row = 0; row < runs->n_shown; row++) {
		free(whole[row]);
	}
	return shown;
}

static void column_finish(const struct runs *runs, struct shown_column *shown)
{
	for (size_t row = 0; row < runs->n_shown; row++) {
		free(shown->texts[row]);
	}
}

struct run_table {
	struct shown_column *columns;
	size_t n_columns, width;
};

/* Adds a column if it exists, says something and fits. */
static void table_add(
	struct run_table *table, const struct runs *runs, int column, size_t width_max)
{
	if (column < 0 || is_undefined(runs, (size_t)column)) {
		return;
	}
	struct shown_column shown = column_make(runs, (size_t)column);
	size_t width = shown.width + (table->n_columns ? 2 : 0);
	if (table->width + width > width_max) {
		column_finish(runs, &shown);
		return;
	}
	table->columns[table->n_columns++] = shown;
	table->width += width;
}

/* The swept keys stand between the run's seed and its verdict. */
static void choose_columns(struct run_table *table, const struct runs *runs)
{
	const struct table_schema *schema = runs->schema;
	table->columns = memory_zeroed(schema->n_columns, sizeof(*table->columns));
	table_add(table, runs, schema_find(schema, "run"), WIDTH);
	table_add(table, runs, schema_find(schema, "point"), WIDTH);
	table_add(table, runs, schema_find(schema, "replication"), WIDTH);
	int seed = schema_find(schema, "seed"), verdict = schema_find(schema, "verdict");
	if (seed >= 0) {
		for (int i = seed + 1; i < verdict; i++) {
			table_add(table, runs, i, WIDTH - TEXT_SHOWN); /* the verdict has room in any case */
		}
	}
	table_add(table, runs, verdict, WIDTH);
	for (size_t i = 0; i < sizeof(telling_columns) / sizeof(*telling_columns); i++) {
		table_add(table, runs, schema_find(schema, telling_columns[i]), WIDTH);
	}
}

static void print_runs(const struct runs *runs, FILE *out)
{
	struct run_table table = {0};
	choose_columns(&table, runs);
	fprintf(out, "\n");
	for (size_t row = 0; row <= runs->n_shown; row++) { /* row 0: the names */
		for (size_t i = 0; i < table.n_columns; i++) {
			const struct shown_column *shown = &table.columns[i];
			const struct column *column = &runs->schema->columns[shown->column];
			bool last = i + 1 == table.n_columns, text = column->type == COLUMN_STRING;
			const char *cell = row == 0 ? column->name : shown->texts[row - 1];
			print_padded(out, cell, last && text ? 0 : shown->width, !text);
			fprintf(out, "%s", last ? "\n" : "  ");
		}
	}
	if (runs->n_shown < runs->block->n_rows) {
		fprintf(out, "... and %zu more\n", runs->block->n_rows - runs->n_shown);
	}
	for (size_t i = 0; i < table.n_columns; i++) {
		column_finish(runs, &table.columns[i]);
	}
	free(table.columns);
}

/* --- How the runs ended --- */

#define ENDINGS_MAX 12

/* Runs that ended alike: with the same verdict, and for the reasons also with the same reason. */
struct ending {
	const char *verdict, *reason;
	size_t n_runs, row_first;
};

static size_t gather_endings(const struct runs *runs, int verdict, int reason,
	struct ending endings[ENDINGS_MAX], size_t *n_other)
{
	size_t n = 0;
	*n_other = 0;
	for (size_t row = 0; row < runs->block->n_rows; row++) {
		const char *ended = block_get(runs->block, runs->schema, row, (size_t)verdict).string;
		const char *why = "";
		if (reason >= 0) {
			why = block_get(runs->block, runs->schema, row, (size_t)reason).string;
			if (strcmp(ended, "completed") == 0) {
				continue; /* needs no reason */
			}
		}
		size_t i = 0;
		while (i < n &&
			   (strcmp(endings[i].verdict, ended) != 0 || strcmp(endings[i].reason, why) != 0)) {
			i++;
		}
		if (i == ENDINGS_MAX) {
			++*n_other;
			continue;
		}
		if (i == n) {
			endings[n++] = (struct ending){ended, why, 0, row};
		}
		endings[i].n_runs++;
	}
	return n;
}

static int find_string_column(const struct table_schema *schema, const char *name)
{
	int column = schema_find(schema, name);
	return column >= 0 && schema->columns[column].type == COLUMN_STRING ? column : -1;
}

static void print_verdicts(const struct runs *runs, FILE *out)
{
	int verdict = find_string_column(runs->schema, "verdict");
	int reason = find_string_column(runs->schema, "verdict_reason");
	if (verdict < 0 || runs->block->n_rows == 0) {
		return;
	}
	struct ending endings[ENDINGS_MAX];
	size_t n_other, n = gather_endings(runs, verdict, -1, endings, &n_other);
	fprintf(out, "\nOf %zu run%s:", runs->block->n_rows, runs->block->n_rows == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s %zu %s", i ? "," : "", endings[i].n_runs, endings[i].verdict);
	}
	if (n_other) {
		fprintf(out, ", %zu otherwise", n_other);
	}
	fprintf(out, ".\n");
	if (reason < 0) {
		return;
	}
	n = gather_endings(runs, verdict, reason, endings, &n_other);
	int run = schema_find(runs->schema, "run");
	for (size_t i = 0; i < n; i++) {
		const struct ending *it = &endings[i];
		int64_t number = (int64_t)it->row_first;
		if (run >= 0 && runs->schema->columns[run].type == COLUMN_INT) {
			number = block_get(runs->block, runs->schema, it->row_first, (size_t)run).integer;
		}
		fprintf(out, "Run %" PRId64, number);
		if (it->n_runs > 1) {
			fprintf(out, " and %zu more", it->n_runs - 1);
		}
		fprintf(out, ": %s%s%s.\n", it->verdict, it->reason[0] ? ": " : "", it->reason);
	}
	if (n_other) {
		fprintf(out, "%zu more runs ended for other reasons.\n", n_other);
	}
}

/* The rows of a block alone; shares its text. */
static struct block block_rows(
	const struct block *block, const struct table_schema *schema, const size_t *rows, size_t n)
{
	struct block some = *block;
	size_t n_columns = schema->n_columns;
	some.n_rows = n;
	some.cells = memory_zeroed(n * n_columns, sizeof(*some.cells));
	for (size_t i = 0; i < n; i++) {
		memcpy(some.cells + i * n_columns, block->cells + rows[i] * n_columns, n_columns * sizeof(*some.cells));
	}
	return some;
}

int results_show(struct results_file *file, const char *const *where, size_t n_where, FILE *out,
	struct results_error *error)
{
	error->text[0] = '\0';
	struct runs runs = {0};
	const struct block *all = results_table(file, TABLE_RUNS, &runs.schema, error);
	if (!all) {
		print_header(file, out);
		return error->text[0] ? -1 : 0;
	}
	size_t *rows;
	int64_t n = results_where(file, where, n_where, &rows, error);
	if (n < 0) {
		return error->other ? 1 : -1;
	}
	struct block some = block_rows(all, runs.schema, rows, (size_t)n);
	runs.block = &some;
	runs.n_shown = some.n_rows < ROWS_SHOWN ? some.n_rows : ROWS_SHOWN;
	print_header(file, out);
	print_runs(&runs, out);
	print_verdicts(&runs, out);
	free(some.cells);
	free(rows);
	/* Violations are counted over the whole file. */
	return n_where > 0 ? 0 : show_violations(file, out, error);
}

/* --- CSV --- */

/* The numbers of the runs that the conditions leave, ascending as the table has them; the caller frees. -1:
 * `error`. */
static int64_t runs_left(struct results_file *file, const char *const *where, size_t n_where, int64_t **runs,
	struct results_error *error)
{
	size_t *rows;
	*runs = NULL;
	int64_t n = results_where(file, where, n_where, &rows, error);
	if (n < 0) {
		return n;
	}
	const struct table_schema *schema;
	const struct block *block = results_table(file, TABLE_RUNS, &schema, error);
	int column = schema_find(schema, "run");
	*runs = memory_zeroed((size_t)n, sizeof(**runs));
	for (int64_t i = 0; i < n && column >= 0; i++) {
		(*runs)[i] = block_get(block, schema, rows[i], (size_t)column).integer;
	}
	free(rows);
	return n;
}

static int compare_runs(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

int results_show_csv(struct results_file *file, const char *name, const char *const *where, size_t n_where,
	FILE *out, struct results_error *error)
{
	error->text[0] = '\0';
	int64_t *runs = NULL, n_runs = 0;
	enum table_id table = results_find_table(file, name), known = table_find(name);
	const struct table_schema *schema = table < TABLES_MAX ? results_schema(file, table) : NULL;
	if (!schema) {
		snprintf(error->text, sizeof(error->text),
			"%.300s has no table %.60s: `record: [%.60s]` in the scenario would write it", results_path(file), name,
			known == TABLE_N ? name : table_word(&result_tables[known]));
		return -1;
	}
	if (n_where > 0 && (n_runs = runs_left(file, where, n_where, &runs, error)) < 0) {
		return error->other ? 1 : -1;
	}
	int run = schema_find(schema, "run");
	for (size_t i = 0; i < schema->n_columns; i++) {
		fputs(i ? "," : "", out);
		text_print_csv(out, schema->columns[i].name);
	}
	putc('\n', out);
	struct block block = {0};
	uint64_t n = results_n_rows(file, table);
	bool read = true;
	for (uint64_t first = 0; first < n && read; first += READER_ROWS) {
		size_t n_rows = n - first < READER_ROWS ? n - first : READER_ROWS;
		read = results_read(file, table, first, n_rows, &block, error);
		for (size_t row = 0; row < block.n_rows && read; row++) {
			if (runs != NULL && run >= 0 &&
				bsearch(&(int64_t){block_get(&block, schema, row, (size_t)run).integer}, runs, (size_t)n_runs,
					sizeof(*runs), compare_runs) == NULL) {
				continue;
			}
			for (size_t i = 0; i < schema->n_columns; i++) {
				fputs(i ? "," : "", out);
				cell_print_csv(out, &schema->columns[i], block_get(&block, schema, row, i));
			}
			putc('\n', out);
		}
	}
	free(runs);
	block_finish(&block);
	return read ? 0 : -1;
}
