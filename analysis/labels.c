#include "labels.h"

#include "memory.h"
#include "results/names.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	const char *name, *label;
};

/* Last parts of key paths; the first of the pair is matched against the path without its numbers.
 */
static const struct word key_words[] = {
	{"attacks.fraction", "attackers (share)"},
	{"attacks.count", "attackers"},
	{"attacks.nodes", "attackers"},
	{"attacks.epsilon", "attack strength"},
	{"attacks.from", "attack from"},
	{"attacks.until", "attack until"},
	{"faults.probability", "loss (share)"},
	{"network.loss", "loss (share)"},
	{"network.latency.median", "median delay"},
	{"network.latency.mean", "mean delay"},
	{"network.latency.value", "delay"},
	{"network.latency", "latency"},
	{"workload.arrivals.rate", "arrival rate"},
	{"protocol.view_timeout", "view timeout"},
	{"workload.size", "request size"},
};

/* The unit to print: dimensionless ones have none. */
static const char *shown_unit(const char *unit)
{
	return unit == NULL || strcmp(unit, "1") == 0 ? "" : unit;
}

struct unit_scale unit_scale_of(const char *unit, double largest, bool binary)
{
	struct unit_scale scale = {.scale = 1};
	snprintf(scale.unit, sizeof(scale.unit), "%.20s", unit);
	bool bits = strcmp(unit, "bit/s") == 0, bytes = strcmp(unit, "bytes") == 0 || strcmp(unit, "B") == 0;
	if (strcmp(unit, "s") == 0 && largest > 0 && largest < 1) {
		bool micro = largest < 1e-3;
		scale.scale = micro ? 1e6 : 1e3;
		strcpy(scale.unit, micro ? "µs" : "ms");
	} else if (bytes && binary && largest >= 1024) {
		bool mebi = largest >= 1048576;
		scale.scale = mebi ? 1.0 / 1048576 : 1.0 / 1024;
		strcpy(scale.unit, mebi ? "MiB" : "KiB");
	} else if ((bytes && largest >= 1e4) || (bits && largest >= 1e3)) {
		static const char *const prefixes[] = {"k", "M", "G"};
		double least = bytes ? 1e7 : 1e6; /* of the second prefix: bytes keep four digits before it */
		int step = largest >= least * 1e3 ? 2 : largest >= least ? 1 : 0;
		scale.scale = step == 2 ? 1e-9 : step == 1 ? 1e-6 : 1e-3;
		snprintf(scale.unit, sizeof(scale.unit), "%s%s", prefixes[step], bytes ? "B" : unit);
	}
	return scale;
}

void number_words(char out[LABEL_MAX], double number, const char *unit)
{
	unit = shown_unit(unit);
	struct unit_scale scale = unit_scale_of(unit, fabs(number), fmod(number, 1024) == 0);
	double shown = number * scale.scale;
	snprintf(out, LABEL_MAX, "%.6g%s%s", shown, scale.unit[0] != '\0' ? " " : "", scale.unit);
}

struct quantity quantity_describe(const struct column *column, double largest)
{
	bool labelled = column->label != NULL && column->label[0] != '\0';
	bool of = column->share_of != NULL && column->share_of[0] != '\0';
	struct quantity quantity = {
		.scale = 1, .share = column->sort == SORT_SHARE, .of = of ? column->share_of : NULL};
	text_clean(quantity.name, sizeof(quantity.name), labelled ? column->label : column->name, 40);
	const char *unit = shown_unit(column->unit);
	char *shown = quantity.unit;
	text_clean(shown, sizeof(quantity.unit), unit, 12);
	if (quantity.share) {
		quantity.scale = 100;
		strcpy(shown, "%");
	} else {
		struct unit_scale scale = unit_scale_of(shown, largest, false);
		quantity.scale = scale.scale;
		strcpy(shown, scale.unit);
	}
	/* A count says its unit in its name: "messages (messages)" helps nobody. */
	if (shown[0] != '\0' && strstr(quantity.name, shown) == NULL) {
		snprintf(quantity.axis, sizeof(quantity.axis), "%.60s (%s)", quantity.name, shown);
	} else if (shown[0] != '\0' && strlen(shown) <= 2) {
		snprintf(quantity.axis, sizeof(quantity.axis), "%.60s (%s)", quantity.name, shown);
	} else {
		snprintf(quantity.axis, sizeof(quantity.axis), "%s", quantity.name);
	}
	return quantity;
}

/* The path without its numbers: attacks.0.fraction is attacks.fraction. */
static void key_words_only(char *out, size_t size, const char *key)
{
	size_t length = 0;
	bool start = true;
	for (const char *c = key; *c != '\0' && length + 1 < size; c++) {
		if (start && *c >= '0' && *c <= '9') {
			while (c[1] >= '0' && c[1] <= '9') {
				c++;
			}
			if (c[1] == '.') {
				c++;
			} else if (c[1] == '\0' && length > 0) {
				length--;
			}
			continue;
		}
		start = *c == '.';
		out[length++] = *c;
	}
	out[length] = '\0';
}

void key_label(char out[LABEL_MAX], const char *key, const char *unit)
{
	char words[LABEL_MAX];
	key_words_only(words, sizeof(words), key);
	const char *label = NULL;
	for (size_t i = 0; i < sizeof(key_words) / sizeof(key_words[0]); i++) {
		if (strcmp(key_words[i].name, words) == 0) {
			label = key_words[i].label;
		}
	}
	char own[LABEL_MAX];
	if (label == NULL) {
		const char *last = strrchr(words, '.');
		last = last == NULL ? words : last + 1;
		if (strcmp(last, "kind") == 0 && last - 1 > words) {
			words[last - 1 - words] = '\0';
			last = strrchr(words, '.');
			last = last == NULL ? words : last + 1;
		}
		text_clean(own, sizeof(own), last, 32);
		for (char *c = own; *c != '\0'; c++) {
			*c = *c == '_' ? ' ' : *c;
		}
		label = own;
	}
	unit = shown_unit(unit);
	bool counted = strcmp(unit, "nodes") == 0; /* "validators (nodes)" helps nobody */
	if (unit[0] == '\0' || counted || strchr(label, '(') != NULL || strstr(label, unit) != NULL) {
		snprintf(out, LABEL_MAX, "%s", label);
	} else {
		char clean[24];
		text_clean(clean, sizeof(clean), unit, 12);
		snprintf(out, LABEL_MAX, "%.60s (%s)", label, clean);
	}
}

void level_label(char out[LABEL_MAX], const char *key, const char *unit, const char *level)
{
	char label[LABEL_MAX], clean[64];
	key_label(label, key, "");
	text_clean(clean, sizeof(clean), level, LEVEL_SHOWN);
	char *end = NULL;
	double number = strtod(clean, &end);
	bool numeric = clean[0] != '\0' && *end == '\0' && isfinite(number);
	char *share = strstr(label, " (share)");
	if (share != NULL) {
		*share = '\0';
	}
	if (!numeric) {
		bool absent = strcmp(clean, "none") == 0 && strcmp(label, "protocol") != 0;
		snprintf(out, LABEL_MAX, "%s%.60s", absent ? "no " : "", absent ? label : clean);
	} else if (share != NULL && number == 0) {
		snprintf(out, LABEL_MAX, "no %.60s", label);
	} else if (share != NULL) {
		snprintf(out, LABEL_MAX, "%.4g %% %.60s", number * 100, label);
	} else if (strcmp(label, "validators") == 0) {
		snprintf(out, LABEL_MAX, "%.50s %.40s", clean, label);
	} else if (shown_unit(unit)[0] != '\0') {
		char words[LABEL_MAX];
		number_words(words, number, unit);
		snprintf(out, LABEL_MAX, "%.39s %.40s", label, words);
	} else {
		snprintf(out, LABEL_MAX, "%.40s %.24s", label, clean);
	}
}

/* The next of what stands between commas at `text`, those in brackets left out; NULL at the end. */
static const char *next_part(const char *text, size_t *length)
{
	int depth = 0;
	text += strspn(text, " ,");
	for (*length = 0; text[*length] != '\0'; ++*length) {
		char c = text[*length];
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (depth < 0 || (c == ',' && depth == 0)) {
			break;
		}
	}
	return *length == 0 ? NULL : text;
}

#define KIND "{kind: "

/* What a level is a kind of: a map's kind, else the text itself. */
static const char *kind_of(const char *level, size_t *length)
{
	if (strncmp(level, KIND, strlen(KIND)) == 0) {
		return next_part(level + strlen(KIND), length);
	}
	*length = strlen(level);
	return level;
}

static bool has_part(const char *level, const char *part, size_t length)
{
	size_t n;
	const char *at = level + 1; /* behind the brace */
	while (*level == '{' && (at = next_part(at, &n)) != NULL) {
		if (n == length && strncmp(at, part, n) == 0) {
			return true;
		}
		at += n;
	}
	return false;
}

void level_words(char *out, size_t size, char *const *levels, size_t n_levels, size_t level)
{
	size_t n_kind, n, n_other;
	const char *kind = kind_of(levels[level], &n_kind);
	if (kind == levels[level] || kind == NULL) {
		snprintf(out, size, "%s", levels[level]);
		return;
	}
	snprintf(out, size, "%.*s", (int)n_kind, kind);
	for (const char *part = kind + n_kind; (part = next_part(part, &n)) != NULL; part += n) {
		bool common = true;
		for (size_t i = 0; i < n_levels; i++) {
			const char *other = kind_of(levels[i], &n_other);
			bool alike = other != NULL && n_other == n_kind && strncmp(other, kind, n_kind) == 0;
			common = common && (!alike || has_part(levels[i], part, n));
		}
		if (!common) {
			size_t length = strlen(out), n_key = strcspn(part, ":");
			n_key = n_key < n ? n_key : n;
			size_t after = n_key < n ? n_key + 1 : n;
			snprintf(out + length, size - length, ", %.*s%.*s", (int)n_key, part, (int)(n - after),
				part + after);
		}
	}
}

void level_short(char *out, size_t size, char *const *levels, size_t n_levels, size_t level,
	size_t max_characters)
{
	level_words(out, size, levels, n_levels, level);
	if (text_length(out) <= max_characters) {
		return;
	}
	char **words = figure_take(n_levels, sizeof(*words));
	for (size_t i = 0; i < n_levels; i++) {
		words[i] = figure_take(size, 1);
		level_words(words[i], size, levels, n_levels, i);
	}
	name_cut(out, size, (const char *const *)words, n_levels, level, max_characters);
	for (size_t i = 0; i < n_levels; i++) {
		free(words[i]);
	}
	free(words);
}

bool level_number(const char *level, double *number)
{
	char *end;
	if (level[0] == '[') {
		size_t n, count = 0;
		for (const char *part = level + 1; (part = next_part(part, &n)) != NULL; part += n) {
			count++;
		}
		*number = (double)count;
		return true;
	}
	*number = strtod(level, &end);
	return end != level && *end == '\0' && isfinite(*number);
}

/* Bytes of the UTF-8 character at `text`, or 0 where there is none. */
static size_t character_bytes(const unsigned char *text)
{
	size_t n = text[0] < 0x80                      ? 1
			   : text[0] >= 0xC2 && text[0] < 0xE0 ? 2
			   : text[0] >= 0xE0 && text[0] < 0xF0 ? 3
			   : text[0] >= 0xF0 && text[0] < 0xF5 ? 4
												   : 0;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xC0) != 0x80) {
			return 0;
		}
	}
	bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
	bool surrogate = text[0] == 0xED && text[1] >= 0xA0;
	bool beyond = text[0] == 0xF4 && text[1] >= 0x90;
	bool no_character = text[0] == 0xEF && text[1] == 0xBF && text[2] >= 0xBE; /* not in XML */
	return overlong || surrogate || beyond || no_character ? 0 : n;
}

void text_clean(char *out, size_t size, const char *text, size_t max_characters)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t length = 0, n_characters = 0, total = text_length(text);
	while (*in != '\0' && length + 8 < size) {
		if (total > max_characters && n_characters + 1 >= max_characters) {
			break;
		}
		size_t n = character_bytes(in);
		if (n == 0 || *in < 0x20 || *in == 0x7F || (n == 2 && in[0] == 0xC2 && in[1] < 0xA0)) {
			out[length++] = n == 1 ? ' ' : '?';
			in += n == 0 ? 1 : n;
		} else {
			memcpy(out + length, in, n);
			length += n;
			in += n;
		}
		n_characters++;
	}
	if (*in != '\0') {
		memcpy(out + length, "…", 3);
		length += 3;
	}
	out[length] = '\0';
}

size_t text_length(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++) {
		n += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return n;
}

static size_t edit_distance(const char *a, const char *b)
{
	size_t row[65], length_a = strlen(a), length_b = strlen(b);
	if (length_a > 64 || length_b > 64) {
		return SIZE_MAX;
	}
	for (size_t j = 0; j <= length_b; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= length_a; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			diagonal = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[length_b];
}

const char *label_nearest(const char *name, const char *const *known, size_t n)
{
	const char *nearest = NULL;
	size_t least = strlen(name) / 2 + 2;
	for (size_t i = 0; i < n; i++) {
		/* A part of a name is nearer than any misspelling. */
		bool part = strlen(name) >= 3 && strstr(known[i], name) != NULL;
		size_t distance = part ? 0 : edit_distance(name, known[i]);
		if (distance < least) {
			least = distance;
			nearest = known[i];
		}
	}
	return nearest;
}
