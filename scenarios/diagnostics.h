/* Collects a user's errors with their places and prints them in the order of the file.
 *
 * An error is said once, however many points of a sweep run into it. The line of the source is
 * copied when the error is added, so that a collection outlives what was read. */
#ifndef DIAGNOSTICS_H
#define DIAGNOSTICS_H

#include "scenarios/scenario.h"

/* At most this many errors are kept, and as many remarks; more add nothing to a reader. */
#define DIAGNOSTICS_MAX 100

/* A text that places point into. */
struct source {
	const char *name; /* what messages call it: a file's name or `--set K=V` */
	const char *text;
	size_t n_bytes;
	unsigned rank;  /* sources are printed in this order */
	bool has_lines; /* else places have no line and column (--set) */
};

struct place {
	const struct source *source; /* NULL: nowhere, for what isn't about a text */
	uint32_t line, column;       /* from 0, in characters; line UINT32_MAX: the source as a whole */
};

#define PLACE_WHOLE UINT32_MAX

/* Adds an error, unless the same text is there already for the same place. */
void diagnostics_error(struct diagnostics *diagnostics, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a note to the error added last (to none if that one was a repetition). */
void diagnostics_note(struct diagnostics *diagnostics, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Adds a remark: no error, and printed as `note`. */
void diagnostics_remark(struct diagnostics *diagnostics, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Moves all of `from` to `to`, which makes `from` empty; with `reason` as remarks, that text before each. */
void diagnostics_move(struct diagnostics *from, struct diagnostics *to, const char *reason);
/* Is there no use in looking for more? */
bool diagnostics_full(const struct diagnostics *diagnostics);

/* A user's text as it is fit for a message: one line, printable, at most about 60 characters. */
struct excerpt {
	char text[96];
};
struct excerpt excerpt(const char *text);

#endif
