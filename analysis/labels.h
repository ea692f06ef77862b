/* Words for people: what a KPI or a scenario key is called on an axis, and names made safe to
 * print. */
#ifndef ANALYSIS_LABELS_H
#define ANALYSIS_LABELS_H

#include "results/column.h"

#include <stdbool.h>
#include <stddef.h>

#define LABEL_MAX 96
#define LEVEL_SHOWN 24 /* characters of a level in a legend or at a tick */

/* What a quantity is called and how it is scaled for its axis. */
struct quantity {
	char name[LABEL_MAX]; /* "mean latency" */
	char axis[LABEL_MAX]; /* "mean latency (ms)" */
	char unit[24];        /* "ms" */
	double scale;         /* shown = stored * scale */
	bool share;           /* in [0, 1], shown in per cent */
	const char *of;       /* the KPI that counts what a share is one of, or NULL */
};

/* Describes a column by what its file says of it; `largest` (absolute, stored) picks ms, kB and the like. A file that
 * has no label for it is older than labels: its name is all that there is. */
struct quantity quantity_describe(const struct column *column, double largest);

/* The label of a scenario key: "attackers (share)" for attacks.0.fraction; otherwise the last part
 * of the path that is a word, with the unit. */
void key_label(char out[LABEL_MAX], const char *key, const char *unit);

/* A unit with the prefix that fits numbers up to `largest`: shown = number * scale. Seconds become ms or us,
 * bit/s and bytes kbit/s, MB and the like; `binary`: bytes that are whole KiB become KiB or MiB. */
struct unit_scale {
	double scale;
	char unit[24];
};
struct unit_scale unit_scale_of(const char *unit, double largest, bool binary);
/* "50 Mbit/s", "20 ms", "64 KiB", "0.3". */
void number_words(char out[LABEL_MAX], double number, const char *unit);

/* One level as a legend spells it: "pbft", "no scorer", "7 validators", "30 % attackers". */
void level_label(char out[LABEL_MAX], const char *key, const char *unit, const char *level);

/* A level that is a map, `{kind: krum, faulty: 3}`, in words: its kind, and of its other keys those that
 * tell it from other levels of that kind: "krum", "trimmed-mean, before nnm". Anything else is copied.
 * `size` bytes of out; O(n_levels * length). */
void level_words(char *out, size_t size, char *const *levels, size_t n_levels, size_t level);

/* The same in at most `max_characters`, cut where it differs from the other levels: five that begin alike don't
 * look alike. O(n_levels^2 * length) where it has to be cut. */
void level_short(char *out, size_t size, char *const *levels, size_t n_levels, size_t level,
	size_t max_characters);

/* The number that a level is: of a list, `[0, 1, 2]`, how many it names. False where it is neither. */
bool level_number(const char *level, double *number);

/* Copies text, replacing control characters and what is no UTF-8, cutting what is longer than
 * `max_characters` with an ellipsis. out has 4 * max_characters + 4 bytes, or LABEL_MAX. */
void text_clean(char *out, size_t size, const char *text, size_t max_characters);

/* The known name nearest to `name` by edit distance, or NULL where none is near. O(n * length^2).
 */
const char *label_nearest(const char *name, const char *const *known, size_t n);

/* Characters of a UTF-8 text. */
size_t text_length(const char *text);

#endif
