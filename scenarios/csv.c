#include "csv.h"
#include "diagnostics.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The number of bytes as people say it. */
static const char *people_bytes(size_t bytes, char out[32])
{
	if (bytes >= 1000000) {
		snprintf(out, 32, "%zu MB", bytes / 1000000);
	} else {
		snprintf(out, 32, "%zu bytes", bytes);
	}
	return out;
}

char *file_read(const char *path, size_t bytes_max, size_t *n_bytes, char error[256])
{
	char found[32], most[32];
	struct stat status;
	FILE *file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &status) != 0) {
		snprintf(error, 256, "can't be read: %s", strerror(errno));
		if (file) {
			fclose(file);
		}
		return NULL;
	}
	if (S_ISDIR(status.st_mode)) {
		snprintf(error, 256, "can't be read: it is a folder");
		fclose(file);
		return NULL;
	}
	/* Said before a byte is read, however large the file. */
	if (S_ISREG(status.st_mode) && (uintmax_t)status.st_size > bytes_max) {
		snprintf(error, 256, "is too large: %s, and at most %s are read",
			people_bytes((size_t)status.st_size, found), people_bytes(bytes_max, most));
		fclose(file);
		return NULL;
	}
	size_t capacity = S_ISREG(status.st_mode) ? (size_t)status.st_size + 1 : 65536, n = 0;
	char *bytes = NULL;
	for (;;) {
		char *grown = realloc(bytes, capacity + 1);
		if (!grown) {
			abort();
		}
		bytes = grown;
		n += fread(bytes + n, 1, capacity - n, file);
		if (n < capacity || n > bytes_max) {
			break;
		}
		capacity *= 2;
	}
	if (ferror(file) || n > bytes_max) {
		if (n > bytes_max) {
			snprintf(
				error, 256, "is too large: at most %s are read", people_bytes(bytes_max, most));
		} else {
			snprintf(error, 256, "can't be read: %s", strerror(errno));
		}
		free(bytes);
		fclose(file);
		return NULL;
	}
	fclose(file);
	bytes[n] = '\0';
	*n_bytes = n;
	return bytes;
}

struct csv {
	char *at;    /* the next line; fields are cut out in place */
	size_t line; /* of the row read last, from 1 */
	char **fields;
	size_t n_fields, capacity;
	char *error;
	bool failed;
};

static bool fail(struct csv *csv, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct csv *csv, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = snprintf(csv->error, 256, "line %zu: ", csv->line);
	vsnprintf(csv->error + n, 256 - (size_t)n, format, arguments);
	va_end(arguments);
	csv->failed = true;
	return false;
}

static void add_field(struct csv *csv, char *field)
{
	if (csv->n_fields == csv->capacity) {
		csv->capacity = csv->capacity ? csv->capacity * 2 : 64;
		csv->fields = realloc(csv->fields, csv->capacity * sizeof(*csv->fields));
		if (!csv->fields) {
			abort();
		}
	}
	csv->fields[csv->n_fields++] = field;
}

static char *trim(char *field)
{
	field += strspn(field, " \t");
	size_t n = strlen(field);
	while (n && strchr(" \t\r", field[n - 1])) {
		field[--n] = '\0';
	}
	return field;
}

/* Takes the quotes off a field that begins at `at`; returns where the field ends. */
static char *cut_quoted(char *at)
{
	char *to = at;
	for (at++; *at; at++) {
		if (*at == '"' && at[1] == '"') {
			at++;
		} else if (*at == '"') {
			at++;
			break;
		}
		*to++ = *at;
	}
	char *end = at + strcspn(at, ",");
	*to = '\0';
	return end;
}

/* The next row's fields; false at the end or on a failure. */
static bool next_row(struct csv *csv)
{
	while (!csv->failed && *csv->at) {
		char *line = csv->at;
		size_t n = strcspn(line, "\n");
		csv->at += n + (line[n] == '\n');
		line[n] = '\0';
		csv->line++;
		if (!line[strspn(line, " \t\r")] || *line == '#') {
			continue;
		}
		csv->n_fields = 0;
		for (char *field = line;;) {
			char *start = field + strspn(field, " \t");
			char *end = *start == '"' ? cut_quoted(start) : start + strcspn(start, ",");
			bool more = *end == ',';
			*end = '\0';
			add_field(csv, trim(start));
			if (!more) {
				return true;
			}
			field = end + 1;
		}
	}
	return false;
}

/* Is it a number? strtod also takes nan, inf and hexadecimal, which no data set means. */
static bool parse_cell(const char *text, double *out)
{
	char *end = NULL;
	bool decimal = *text && strspn(text, "0123456789+-.eE") == strlen(text);
	*out = decimal ? strtod(text, &end) : 0;
	return decimal && !*end && isfinite(*out);
}

/* Cells of a matrix are all read; in other tables a column that nobody reads may hold anything. */
static bool take_cell(struct csv *csv, struct csv_table *table, const char **unreadable, size_t column,
	const char *text, double *out, struct arena *arena)
{
	char why[256];
	if (parse_cell(text, out)) {
		return true;
	}
	*out = (double)NAN;
	if (table->row_names) {
		return fail(csv, "column `%s`: `%s` is not a number",
			excerpt(table->column_names[column]).text, excerpt(text).text);
	}
	if (!unreadable[column]) {
		snprintf(why, sizeof(why), "line %zu: column `%s`: `%s` is not a number", csv->line,
			excerpt(table->column_names[column]).text, excerpt(text).text);
		unreadable[column] = arena_strdup(arena, why);
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two of one name could each be meant. */
static bool names_differ(struct csv *csv, const char *const *names, size_t n, bool matrix)
{
	struct arena scratch = {0};
	const char **sorted = arena_array(&scratch, const char *, n);
	bool differ = true;
	memcpy(sorted, names, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < n && differ; i++) {
		if (strcmp(sorted[i - 1], sorted[i]) == 0) {
			differ = fail(csv, "two %s are called `%s`: each needs a name of its own",
				matrix ? "regions" : "columns", excerpt(sorted[i]).text);
		}
	}
	arena_finish(&scratch);
	return differ;
}

static bool read_rows(struct csv *csv, struct arena *arena, struct csv_table *table, bool matrix)
{
	size_t skip = matrix;
	if (!next_row(csv)) {
		return csv->failed ? false : fail(csv, "there is no header row");
	}
	if (csv->n_fields <= skip) {
		return fail(csv, "the header row names no columns");
	}
	table->n_columns = csv->n_fields - skip;
	const char **names = arena_array(arena, const char *, table->n_columns);
	for (size_t i = 0; i < table->n_columns; i++) {
		names[i] = arena_strdup(arena, csv->fields[i + skip]);
		char *end;
		strtod(names[i], &end);
		if (!*names[i] || !*end) {
			return fail(
				csv, "`%s` names no column: the first row is the header", excerpt(names[i]).text);
		}
	}
	if (!names_differ(csv, names, table->n_columns, matrix)) {
		return false;
	}
	table->column_names = names;
	table->corner = matrix && *csv->fields[0] ? arena_strdup(arena, csv->fields[0]) : NULL;
	const char **unreadable = arena_array(arena, const char *, table->n_columns);
	table->unreadable = unreadable;
	const char **row_names = matrix ? arena_array(arena, const char *, table->n_columns) : NULL;
	table->row_names = row_names;
	double *cells = NULL;
	size_t capacity = 0;
	while (next_row(csv)) {
		if (csv->n_fields != table->n_columns + skip) {
			return fail(
				csv, "%zu fields where the header has %zu", csv->n_fields, table->n_columns + skip);
		}
		if (matrix) {
			if (table->n_rows == table->n_columns) {
				return fail(csv, "more rows than the header's %zu columns", table->n_columns);
			}
			if (strcmp(csv->fields[0], names[table->n_rows]) != 0) {
				return fail(csv, "row `%s` should be `%s`: rows come in the header's order",
					excerpt(csv->fields[0]).text, excerpt(names[table->n_rows]).text);
			}
			row_names[table->n_rows] = names[table->n_rows];
		}
		size_t n = table->n_rows * table->n_columns;
		cells = arena_grow(arena, cells, sizeof(*cells), n, n + table->n_columns, &capacity);
		for (size_t i = 0; i < table->n_columns; i++) {
			if (!take_cell(
					csv, table, unreadable, i, csv->fields[i + skip], &cells[n + i], arena)) {
				return false;
			}
		}
		table->n_rows++;
	}
	if (csv->failed) {
		return false;
	}
	if (table->n_rows == 0) {
		return fail(csv, "there are no rows under the header");
	}
	if (matrix && table->n_rows != table->n_columns) {
		return fail(
			csv, "%zu rows for %zu columns: it should be square", table->n_rows, table->n_columns);
	}
	table->cells = cells;
	return true;
}

const struct csv_table *csv_read(
	struct arena *arena, const char *path, bool matrix, char error[256])
{
	size_t n;
	char *bytes = file_read(path, CSV_BYTES_MAX, &n, error);
	if (!bytes) {
		return NULL;
	}
	struct csv csv = {.at = bytes, .error = error};
	struct csv_table *table = arena_new(arena, struct csv_table);
	bool read = false;
	if (strlen(bytes) != n) {
		snprintf(error, 256, "is not a CSV file: it holds NUL bytes");
	} else {
		if (!strncmp(bytes, "\xef\xbb\xbf", 3)) {
			csv.at += 3;
		}
		read = read_rows(&csv, arena, table, matrix);
	}
	free(csv.fields);
	free(bytes);
	return read ? table : NULL;
}

static bool names_equal(const char *const *a, const char *const *b, size_t n)
{
	if (!a || !b) {
		return a == b;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(a[i], b[i]) != 0) {
			return false;
		}
	}
	return true;
}

bool csv_equal(const struct csv_table *a, const struct csv_table *b)
{
	return a && b && a->n_rows == b->n_rows && a->n_columns == b->n_columns &&
		   names_equal(a->column_names, b->column_names, a->n_columns) &&
		   names_equal(a->row_names, b->row_names, a->n_rows) &&
		   !memcmp(a->cells, b->cells, a->n_rows * a->n_columns * sizeof(*a->cells));
}
