#include "diagnostics.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SHOWN 120 /* characters of a source line that are printed */

struct diagnostic {
	char *source;
	unsigned rank;
	bool has_lines, is_remark;
	uint32_t line, column;
	size_t order; /* of adding */
	char *text, *note;
	char *shown;    /* the source line, or NULL */
	uint32_t caret; /* how many characters stand before the caret in `shown` */
};

struct diagnostics {
	struct diagnostic all[2 * DIAGNOSTICS_MAX];
	size_t n, n_errors;
	struct diagnostic *last;
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("synod: out of memory\n", stderr);
		abort();
	}
	return memory;
}

static char *format_text(const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	char none[1];
	int n = vsnprintf(none, sizeof(none), format, arguments);
	assert(n >= 0);
	char *text = must(malloc((size_t)n + 1));
	vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

struct diagnostics *diagnostics_create(void)
{
	return must(calloc(1, sizeof(struct diagnostics)));
}

static void free_one(struct diagnostic *d)
{
	free(d->source);
	free(d->text);
	free(d->note);
	free(d->shown);
}

void diagnostics_destroy(struct diagnostics *diagnostics)
{
	if (!diagnostics) {
		return;
	}
	for (size_t i = 0; i < diagnostics->n; i++) {
		free_one(&diagnostics->all[i]);
	}
	free(diagnostics);
}

size_t diagnostics_count(const struct diagnostics *diagnostics)
{
	return diagnostics->n_errors;
}

bool diagnostics_full(const struct diagnostics *diagnostics)
{
	return diagnostics->n_errors == DIAGNOSTICS_MAX;
}

/* The bytes of a line break at text[0..n), or 0: those that libyaml counts, so that its line
 * numbers are ours. */
static size_t break_bytes(const char *text, size_t n)
{
	if (n >= 2 && text[0] == '\r' && text[1] == '\n') {
		return 2;
	}
	if (n >= 1 && (text[0] == '\n' || text[0] == '\r')) {
		return 1;
	}
	if (n >= 2 && !memcmp(text, "\xc2\x85", 2)) {
		return 2;
	}
	if (n >= 3 && (!memcmp(text, "\xe2\x80\xa8", 3) || !memcmp(text, "\xe2\x80\xa9", 3))) {
		return 3;
	}
	return 0;
}

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Copies the part of the line around the column, with what a terminal might act on made harmless.
 */
static void copy_line(struct diagnostic *d, const struct source *source)
{
	const char *at = source->text, *end = at + source->n_bytes;
	for (uint32_t line = 0; line < d->line && at < end;) {
		size_t n = break_bytes(at, (size_t)(end - at));
		line += n > 0;
		at += n ? n : 1;
	}
	uint32_t first = d->column > LINE_SHOWN * 2 / 3 ? d->column - LINE_SHOWN / 2 : 0;
	struct {
		char bytes[LINE_SHOWN * 4 + 16];
		size_t n;
	} shown = {.n = 0};
	if (first) {
		memcpy(shown.bytes, "... ", 4);
		shown.n = 4;
	}
	d->caret = d->column - first + (first ? 4 : 0);
	uint32_t character = 0;
	while (at < end && !break_bytes(at, (size_t)(end - at)) && character < first + LINE_SHOWN) {
		size_t n = 1;
		while (n < 4 && at + n < end && continues_character(at[n])) {
			n++;
		}
		if (character >= first) {
			unsigned char c = (unsigned char)*at;
			if ((c < 0x20 && c != '\t') || c == 0x7f || (c >= 0x80 && n == 1)) {
				shown.bytes[shown.n++] = '?';
			} else {
				memcpy(shown.bytes + shown.n, at, n);
				shown.n += n;
			}
		}
		at += n;
		character++;
	}
	shown.bytes[shown.n] = '\0';
	d->shown = must(strdup(shown.bytes));
}

/* Is there room for one more? */
static bool has_room(const struct diagnostics *diagnostics, bool is_remark)
{
	return is_remark ? diagnostics->n - diagnostics->n_errors < DIAGNOSTICS_MAX
					 : !diagnostics_full(diagnostics);
}

static bool is_there(const struct diagnostics *diagnostics, const struct diagnostic *one)
{
	for (size_t i = 0; i < diagnostics->n; i++) {
		const struct diagnostic *d = &diagnostics->all[i];
		if (d->line == one->line && d->column == one->column && !strcmp(d->text, one->text) &&
			!strcmp(d->source, one->source)) {
			return true;
		}
	}
	return false;
}

/* Takes it over, or releases it. */
static void put(struct diagnostics *diagnostics, struct diagnostic *one)
{
	diagnostics->last = NULL;
	if (!has_room(diagnostics, one->is_remark) || is_there(diagnostics, one)) {
		free_one(one);
		return;
	}
	one->order = diagnostics->n;
	diagnostics->last = &diagnostics->all[diagnostics->n];
	diagnostics->all[diagnostics->n++] = *one;
	diagnostics->n_errors += !one->is_remark;
}

static void add(struct diagnostics *diagnostics, struct place place, bool is_remark, char *text)
{
	const char *source = place.source ? place.source->name : "scenario";
	struct diagnostic one = {
		.source = must(strdup(source)),
		.is_remark = is_remark,
		.rank = place.source ? place.source->rank : 0,
		.has_lines = place.source && place.source->has_lines && place.line != PLACE_WHOLE,
		.line = place.line,
		.column = place.column,
		.text = text,
	};
	put(diagnostics, &one);
	struct diagnostic *d = diagnostics->last;
	if (d && d->has_lines && place.source->text) {
		copy_line(d, place.source);
	}
}

void diagnostics_error(struct diagnostics *diagnostics, struct place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add(diagnostics, place, false, format_text(format, arguments));
	va_end(arguments);
}

void diagnostics_remark(struct diagnostics *diagnostics, struct place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add(diagnostics, place, true, format_text(format, arguments));
	va_end(arguments);
}

void diagnostics_move(struct diagnostics *from, struct diagnostics *to, const char *reason)
{
	for (size_t i = 0; i < from->n; i++) {
		struct diagnostic *one = &from->all[i];
		if (reason) {
			size_t n = strlen(reason) + strlen(one->text) + 1;
			char *text = must(malloc(n));
			snprintf(text, n, "%s%s", reason, one->text);
			free(one->text);
			one->text = text;
			one->is_remark = true;
		}
		put(to, one);
	}
	from->n = from->n_errors = 0;
	from->last = NULL;
}

void diagnostics_note(struct diagnostics *diagnostics, const char *format, ...)
{
	if (!diagnostics->last || diagnostics->last->note) {
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	diagnostics->last->note = format_text(format, arguments);
	va_end(arguments);
}

static int compare(const void *left, const void *right)
{
	const struct diagnostic *a = left, *b = right;
	if (a->rank != b->rank) {
		return a->rank < b->rank ? -1 : 1;
	}
	if (a->has_lines != b->has_lines) {
		return a->has_lines ? 1 : -1;
	}
	if (a->has_lines && a->line != b->line) {
		return a->line < b->line ? -1 : 1;
	}
	if (a->has_lines && a->column != b->column) {
		return a->column < b->column ? -1 : 1;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

static void print_one(const struct diagnostic *d, FILE *out)
{
	if (!d->has_lines) {
		fprintf(out, "%s: %s: %s\n", d->source, d->is_remark ? "note" : "error", d->text);
	} else {
		fprintf(out, "%s:%u:%u: %s: %s\n", d->source, d->line + 1, d->column + 1,
			d->is_remark ? "note" : "error", d->text);
	}
	if (d->shown) {
		fprintf(out, "%5u | %s\n      | ", d->line + 1, d->shown);
		/* Tabs stay tabs, so that the caret stands under its character. */
		const char *at = d->shown;
		for (uint32_t i = 0; i < d->caret; i++) {
			fputc(*at == '\t' ? '\t' : ' ', out);
			if (*at) {
				at++;
			}
			while (continues_character(*at)) {
				at++;
			}
		}
		fputs("^\n", out);
	}
	if (d->note) {
		fprintf(out, "note: %s\n", d->note);
	}
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *out)
{
	struct diagnostic *sorted = must(malloc(sizeof(diagnostics->all)));
	memcpy(sorted, diagnostics->all, sizeof(diagnostics->all));
	qsort(sorted, diagnostics->n, sizeof(*sorted), compare);
	for (size_t i = 0; i < diagnostics->n; i++) {
		print_one(&sorted[i], out);
	}
	if (diagnostics_full(diagnostics)) {
		fprintf(out, "there may be more errors: only the first %d are shown\n", DIAGNOSTICS_MAX);
	}
	free(sorted);
}

struct excerpt excerpt(const char *text)
{
	struct excerpt e = {""};
	size_t n = 0;
	for (const char *at = text; *at; at++) {
		if (n >= 60 && !continues_character(*at)) {
			memcpy(e.text + n, "...", 4);
			return e;
		}
		unsigned char c = (unsigned char)*at;
		e.text[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
		if (n >= sizeof(e.text) - 8) {
			break;
		}
	}
	e.text[n] = '\0';
	return e;
}
