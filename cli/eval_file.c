#include "eval_file.h"
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS_MAX 1000000
/* What ends a file without an end: twice what so many fields and rows take, and 2 GB of numbers. */
#define LINE_BYTES_MAX (64 << 20)
#define LINES_MAX (4 * (size_t)SIM_NODES_MAX)
#define NUMBERS_MAX (1 << 28)

struct reader {
	const char *path;
	struct arena *arena;
	size_t line; /* from 1 */
	char **fields;
	size_t n_fields, fields_capacity;
	size_t n_columns;          /* of the first line that counts; 0 before it */
	size_t score_column;       /* SIZE_MAX: none */
	size_t confidence_column;
	const char **column_names; /* NULL: no header */
	double *values, *scores, *confidence;
	size_t n_values, n_rows, values_capacity, scores_capacity, confidence_capacity;
};

/* Cuts the line into fields without the blanks around them, and the quotes. */
static void cut(struct reader *reader, char *line)
{
	reader->n_fields = 0;
	for (;;) {
		char *end = line + strcspn(line, ",");
		bool more = *end == ',';
		*end = '\0';
		line += strspn(line, " \t");
		size_t n = strlen(line);
		while (n > 0 && strchr(" \t\r", line[n - 1]) != NULL) {
			n--;
		}
		if (n >= 2 && line[0] == '"' && line[n - 1] == '"') {
			line++;
			n -= 2;
		}
		line[n] = '\0';
		reader->fields = arena_grow(reader->arena, reader->fields, sizeof(*reader->fields),
			reader->n_fields, reader->n_fields + 1, &reader->fields_capacity);
		reader->fields[reader->n_fields++] = line;
		if (!more) {
			return;
		}
		line = end + 1;
	}
}

/* Is it a number, be it one that is not finite? */
static bool is_number(const char *text, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && *end == '\0' && strpbrk(text, "xXpP") == NULL;
}

/* Might it stand for a value that is missing? */
static bool is_missing(const char *text)
{
	static const char *const words[] = {
		"na", "n/a", "n.a.", "nan", "null", "nil", "none", "missing", "unknown", "inf", "infinity"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Is it a name, and not a number that is written in a way of its own (`5 kg`, `$5`, `1d3`) or is missing? The
 * first letter or digit tells; other alphabets' bytes count as letters. */
static bool is_name(const char *text)
{
	double value;
	bool foreign = false;
	const char *at = text;
	while (*at != '\0' && !isalnum((unsigned char)*at)) {
		foreign = foreign || (unsigned char)*at >= 0x80;
		at++;
	}
	return !is_number(text, &value) && !is_missing(text) &&
		(isalpha((unsigned char)*at) || (*at == '\0' && foreign));
}

static bool is_header(const struct reader *reader)
{
	for (size_t i = 0; i < reader->n_fields; i++) {
		if (!is_name(reader->fields[i])) {
			return false;
		}
	}
	return true;
}

static void tell_header(const struct reader *reader)
{
	fprintf(stderr, "synod: note: %s: line %zu is taken for a header:", reader->path, reader->line);
	for (size_t i = 0; i < reader->n_fields && i < 4; i++) {
		fprintf(stderr, "%s %.40s", i == 0 ? "" : ",", reader->fields[i]);
	}
	fprintf(stderr, "%s\n", reader->n_fields > 4 ? ", ..." : "");
}

static bool take_header(struct reader *reader)
{
	const char **names = arena_array(reader->arena, const char *, reader->n_fields);
	for (size_t i = 0; i < reader->n_fields; i++) {
		names[i] = arena_strdup(reader->arena, reader->fields[i]);
		size_t *column = strcmp(names[i], "score") == 0 ? &reader->score_column
			: strcmp(names[i], "confidence") == 0       ? &reader->confidence_column
														: NULL;
		if (column != NULL) {
			if (*column != SIZE_MAX) {
				complain("%s: line %zu: two columns are called `%s`", reader->path, reader->line,
					names[i]);
				return false;
			}
			*column = i;
		}
	}
	reader->column_names = names;
	tell_header(reader);
	return true;
}

static bool refuse_cell(const struct reader *reader, size_t column, const char *text)
{
	const char *name = reader->column_names == NULL ? NULL : reader->column_names[column];
	bool first = reader->n_rows == 0 && name == NULL;
	complain("%s: line %zu: row %zu, column %zu%s%.40s%s: '%.40s' is not a %s%s", reader->path,
		reader->line, reader->n_rows + 1, column + 1, name == NULL ? "" : " (",
		name == NULL ? "" : name, name == NULL ? "" : ")", text,
		column == reader->score_column      ? "score, a finite number from 0 up"
		: column == reader->confidence_column ? "confidence, a standard deviation above 0"
											  : "finite number",
		first ? " (a header is a row of names, of which none begins with a digit)" : "");
	return false;
}

static bool take_row(struct reader *reader)
{
	if (reader->n_fields != reader->n_columns) {
		complain("%s: line %zu: row %zu has %zu column%s, and %s has %zu", reader->path,
			reader->line, reader->n_rows + 1, reader->n_fields, reader->n_fields == 1 ? "" : "s",
			reader->column_names == NULL ? "the first" : "the header", reader->n_columns);
		return false;
	}
	if (reader->n_rows == SIM_NODES_MAX) {
		complain("%s: line %zu: there are more than %d rows", reader->path, reader->line,
			(int)SIM_NODES_MAX);
		return false;
	}
	bool scored = reader->score_column != SIZE_MAX;
	reader->values = arena_grow(reader->arena, reader->values, sizeof(*reader->values),
		reader->n_values, reader->n_values + reader->n_fields, &reader->values_capacity);
	reader->scores = arena_grow(reader->arena, reader->scores, sizeof(*reader->scores),
		reader->n_rows, reader->n_rows + 1, &reader->scores_capacity);
	reader->confidence = arena_grow(reader->arena, reader->confidence, sizeof(*reader->confidence),
		reader->n_rows, reader->n_rows + 1, &reader->confidence_capacity);
	if (reader->n_values + reader->n_fields > NUMBERS_MAX) {
		complain("%s: line %zu: there are more than %d numbers", reader->path, reader->line, NUMBERS_MAX);
		return false;
	}
	for (size_t i = 0; i < reader->n_fields; i++) {
		double value;
		if (!is_number(reader->fields[i], &value) || !isfinite(value) ||
			(i == reader->score_column && value < 0) ||
			(i == reader->confidence_column && value <= 0)) {
			return refuse_cell(reader, i, reader->fields[i]);
		}
		if (scored && i == reader->score_column) {
			reader->scores[reader->n_rows] = value;
		} else if (i == reader->confidence_column) {
			reader->confidence[reader->n_rows] = value;
		} else {
			reader->values[reader->n_values++] = value;
		}
	}
	reader->n_rows++;
	return true;
}

static bool take_line(struct reader *reader, char *line)
{
	if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#') {
		return true;
	}
	cut(reader, line);
	if (reader->n_columns > 0) {
		return take_row(reader);
	}
	reader->n_columns = reader->n_fields;
	if (reader->n_fields > FIELDS_MAX) {
		complain(
			"%s: line %zu: there are more than %d columns", reader->path, reader->line, FIELDS_MAX);
		return false;
	}
	return is_header(reader) ? take_header(reader) : take_row(reader);
}

/* Reads a line into *line, its end left out; false at the file's end, or after a complaint with *good false. A
 * file may be a device or a pipe without an end. */
static bool read_line(struct reader *reader, FILE *file, char **line, size_t *capacity, bool *good)
{
	size_t n = 0;
	int c;
	if (++reader->line > LINES_MAX) {
		complain("%s: there are more than %zu lines", reader->path, LINES_MAX);
		return *good = false;
	}
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (c == '\0' || n >= LINE_BYTES_MAX) {
			complain(c == '\0' ? "%s: line %zu: it holds NUL bytes"
							   : "%s: line %zu: it has no end within %d MB",
				reader->path, reader->line, LINE_BYTES_MAX >> 20);
			return *good = false;
		}
		if (n + 2 > *capacity) {
			*capacity = *capacity == 0 ? 4096 : 2 * *capacity;
			*line = realloc(*line, *capacity);
			if (*line == NULL) {
				abort();
			}
		}
		(*line)[n++] = (char)c;
	}
	if (c == EOF && n == 0) {
		return false;
	}
	if (*line == NULL) {
		*line = malloc(*capacity = 4096);
		if (*line == NULL) {
			abort();
		}
	}
	(*line)[n] = '\0';
	return true;
}

bool eval_file_read(const char *path, struct rows *out, struct arena *arena, int *status)
{
	bool is_input = strcmp(path, "-") == 0;
	FILE *file = is_input ? stdin : fopen(path, "rb");
	if (file == NULL) {
		complain("%s: can't be read: %s", path, strerror(errno));
		*status = EXIT_ENVIRONMENT;
		return false;
	}
	struct reader reader = {
		.path = is_input ? "standard input" : path,
		.arena = arena,
		.score_column = SIZE_MAX,
		.confidence_column = SIZE_MAX,
	};
	char *line = NULL;
	size_t capacity = 0;
	bool good = true;
	*status = EXIT_USAGE;
	errno = 0;
	while (good && read_line(&reader, file, &line, &capacity, &good)) {
		bool marked = reader.line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0; /* byte order */
		good = take_line(&reader, line + (marked ? 3 : 0));
	}
	if (good && ferror(file)) {
		complain("%s: can't be read: %s", reader.path, strerror(errno));
		*status = EXIT_ENVIRONMENT;
		good = false;
	}
	free(line);
	if (!is_input) {
		fclose(file);
	}
	bool scored = reader.score_column != SIZE_MAX;
	bool confident = reader.confidence_column != SIZE_MAX;
	size_t dims = reader.n_columns - scored - confident;
	if (good && (reader.n_rows == 0 || dims == 0)) {
		complain("%s: there are no %s", reader.path,
			reader.n_rows == 0 ? "rows of numbers"
				: confident    ? "columns but `score` and `confidence`"
							   : "columns but `score`");
		good = false;
	}
	*out = (struct rows){(uint32_t)reader.n_rows, (uint32_t)dims, reader.values,
		scored ? reader.scores : NULL, NULL, confident ? reader.confidence : NULL};
	return good;
}
