/* Scalars: words, numbers with units, choices, texts, files. */
#include "check.h"
#include "csv.h"
#include "quantity.h"
#include "sweep.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CHOICES_MAX 64

struct csv_file {
	struct csv_file *next;
	const char *path;
	bool matrix;
	const struct csv_table *table; /* NULL: unreadable, and why */
	const char *error;
};

static bool has_top(const struct param *param)
{
	/* A lower bound alone leaves `max` at 0. */
	return param->max > param->min && param->max < 9e18;
}

static bool any_not_negative(const struct param *param)
{
	return param->min == 0 && param->max == 0;
}

bool param_holds(const struct param *param, double value)
{
	bool open = param->flags & PARAM_EXCLUDE_MIN;
	if (open ? !(value > param->min) : !(value >= param->min)) {
		return false;
	}
	if (any_not_negative(param) || (param->max < param->min)) {
		return true;
	}
	return value <= param->max;
}

/* A bound in the unit in which the parameter is stored, as a scenario would spell it. */
static void bound_text(const struct param *param, double value, char out[48])
{
	switch (param->kind) {
	case PARAM_DURATION:
	case PARAM_DURATION_RANGE:
	case PARAM_DURATIONS:
		duration_print((sim_time)value, out, 48);
		break;
	case PARAM_BYTES:
		bytes_print((int64_t)value, out, 48);
		break;
	case PARAM_BANDWIDTH:
		bandwidth_print(value, out, 48);
		break;
	case PARAM_RATE:
		real_print(value, out, 44);
		strcat(out, " /s");
		break;
	default:
		real_print(value, out, 48);
		break;
	}
}

static const char *noun(const struct param *param)
{
	switch (param->kind) {
	case PARAM_INT:
		return "a whole number";
	case PARAM_REAL:
		return param->unit && !strcmp(param->unit, "probability") ? "a probability"
			   : param->unit && !strcmp(param->unit, "fraction")  ? "a fraction"
																  : "a number";
	case PARAM_BOOL:
		return "on or off";
	case PARAM_DURATION:
		return "a duration such as 20 ms";
	case PARAM_DURATION_RANGE:
		return "two durations such as [150 ms, 300 ms]";
	case PARAM_DURATIONS:
		return "a list of durations such as [5 s, 20 s]";
	case PARAM_NUMBERS:
		return "a list of numbers such as [1, 2.5]";
	case PARAM_RATE:
		return "a rate such as 100 /s";
	case PARAM_BYTES:
		return "a size such as 64 KiB";
	case PARAM_BANDWIDTH:
		return "a bandwidth such as 1 Gbit/s";
	case PARAM_CHOICE:
		return "one of ";
	case PARAM_STRING:
		return "a text";
	case PARAM_PATH:
	case PARAM_TABLE:
		return "a file's name";
	case PARAM_MATRIX:
		return "a built-in matrix or a CSV file's name";
	case PARAM_NODES:
		return (param->flags & PARAM_CLIENTS) ? "a list of validators and clients such as [0, client 1]"
											  : "a list of validators such as [0, 1]";
	case PARAM_NAMES:
		return "a list of names";
	case PARAM_GROUPS:
		return "a list of lists of validators such as [[0, 1], [2, 3]]";
	case PARAM_PLUGIN:
		return "a kind or {kind: ...}";
	case PARAM_PLUGINS:
		return "a list of {kind: ...}";
	}
	return "something else";
}

static bool has_range(enum param_kind kind)
{
	return kind == PARAM_INT || kind == PARAM_REAL || kind == PARAM_DURATION ||
		   kind == PARAM_DURATION_RANGE || kind == PARAM_RATE || kind == PARAM_BYTES ||
		   kind == PARAM_BANDWIDTH;
}

/* What the parameter takes, in words. */
static void describe(const struct param *param, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "%s", noun(param));
	bool open = param->flags & PARAM_EXCLUDE_MIN;
	char min[48], max[48] = "";
	bound_text(param, param->min, min);
	if (has_top(param)) { /* else it may be beyond what the kind can hold */
		bound_text(param, param->max, max);
	}
	if (param->kind == PARAM_CHOICE) {
		for (const char *at = param->choices; *at && n + 4 < size; at++) {
			n += (size_t)snprintf(
				out + n, size - n, "%.*s", *at == '|' ? 2 : 1, *at == '|' ? ", " : at);
		}
	} else if (has_range(param->kind)) {
		if (!has_top(param)) {
			n += (size_t)snprintf(out + n, size - n, "%s %s", open ? " above" : " of at least",
				any_not_negative(param) ? "0" : min);
		} else if (param->kind == PARAM_REAL) {
			n += (size_t)snprintf(out + n, size - n, " in %s%s, %s]", open ? "(" : "[", min, max);
		} else {
			n += (size_t)snprintf(
				out + n, size - n, " %s %s to %s", open ? "above" : "from", min, max);
		}
	}
	static const struct {
		unsigned flag;
		const char *word;
	} words[] = {{PARAM_AUTO, "auto"}, {PARAM_OFF, "off"}, {PARAM_N, "n"}, {PARAM_NONE, "none"},
		{PARAM_UNLIMITED, "unlimited"}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && n + 20 < size; i++) {
		if (param->flags & words[i].flag) {
			n += (size_t)snprintf(out + n, size - n, " or `%s`", words[i].word);
		}
	}
}

static void got(const struct tree *value, char *out, size_t size)
{
	if (value->kind == TREE_SCALAR) {
		snprintf(out, size, "%s", *value->text ? excerpt(value->text).text : "an empty text");
	} else {
		snprintf(out, size, value->kind == TREE_LIST ? "a list" : "a map");
	}
}

/* `5 %` and 5 for a share: says how it is written. */
static void note_percent(
	struct checker *checker, const struct tree *value, const struct param *param)
{
	struct quantity quantity;
	if (param->kind != PARAM_REAL || value->kind != TREE_SCALAR || !has_top(param) ||
		param->max > 1 || !quantity_split(value->text, &quantity) ||
		(*quantity.unit && strcmp(quantity.unit, "%") != 0) || quantity.number.mantissa < 0) {
		return;
	}
	struct decimal share = {quantity.number.mantissa, quantity.number.exponent - 2};
	char percent[64], text[64];
	decimal_print(quantity.number, percent, sizeof(percent));
	decimal_print(share, text, sizeof(text));
	double number = 0;
	if (quantity_real(text, &number) == QUANTITY_FINE && number <= 1) {
		diagnostics_note(checker->diagnostics, "%s %% is written %s", percent, text);
	}
}

bool refuse(struct checker *checker, const struct tree *value, const struct param *param,
	const struct path *path)
{
	char takes[400], found[100];
	describe(param, takes, sizeof(takes));
	got(value, found, sizeof(found));
	diagnostics_error(checker->diagnostics, value->place, "%s must be %s, got %s",
		path_text(path).text, takes, found);
	note_percent(checker, value, param);
	note_sweep(checker, value, path);
	return false;
}

void note_sweep(struct checker *checker, const struct tree *value, const struct path *path)
{
	const struct path_text name = path_text(path);
	if (value->kind != TREE_LIST || value->n == 0 || !sweep_allows(name.text)) {
		return;
	}
	struct text list = {0};
	tree_emit_flow(value, &list);
	bool in_file = value->place.source && value->place.source->has_lines;
	diagnostics_note(checker->diagnostics, "several values are swept: %s%s: %s%s",
		in_file ? "sweep: {" : "--set 'sweep={", name.text, excerpt(list.bytes).text, in_file ? "}" : "}'");
	text_free(&list);
}

static const char *const *units_of(enum param_kind kind)
{
	return kind == PARAM_RATE        ? rate_units
		   : kind == PARAM_BYTES     ? bytes_units
		   : kind == PARAM_BANDWIDTH ? bandwidth_units
									 : duration_units;
}

/* What people write for a unit elsewhere: near spellings alone would turn bits into bytes. */
static const char *usual_unit(const char *unit)
{
	static const char *const names[][2] = {{"bps", "bit/s"}, {"kbps", "kbit/s"}, {"mbps", "Mbit/s"},
		{"gbps", "Gbit/s"}, {"b/s", "bit/s"}, {"kb/s", "kbit/s"}, {"mb/s", "Mbit/s"},
		{"gb/s", "Gbit/s"}, {"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"},
		{"msec", "ms"}, {"usec", "us"}, {"nsec", "ns"}, {"m", "min"}, {"mins", "min"},
		{"minute", "min"}, {"minutes", "min"}, {"hour", "h"}, {"hours", "h"}, {"hz", "/s"},
		{"per second", "/s"}, {"bytes", "B"}, {"byte", "B"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(unit, names[i][0])) {
			return names[i][1];
		}
	}
	return NULL;
}

bool refuse_quantity(struct checker *checker, const struct tree *value,
	const struct param *param, const struct path *path, enum quantity_problem problem)
{
	struct quantity quantity = {.unit = ""};
	char number[64] = "";
	if (quantity_split(value->text, &quantity)) {
		snprintf(number, sizeof(number), "%.*s", (int)strcspn(value->text, " "), value->text);
	}
	const char *const *units = units_of(param->kind);
	size_t n = 0;
	struct words known = {.n = 0};
	for (; units[n]; n++) {
		words_add(&known, units[n]);
	}
	static const char *const kinds[] = {[PARAM_DURATION] = "a duration",
		[PARAM_DURATION_RANGE] = "a duration",
		[PARAM_RATE] = "a rate",
		[PARAM_BYTES] = "a size",
		[PARAM_BANDWIDTH] = "a bandwidth"};
	const struct path_text name = path_text(path);
	switch (problem) {
	case QUANTITY_NO_UNIT:
		diagnostics_error(checker->diagnostics, value->place, "%s is %s and needs a unit, got %s",
			name.text, kinds[param->kind], excerpt(value->text).text);
		if (*number == '-') {
			return false; /* wrong with any unit */
		}
		if (param->kind == PARAM_RATE) {
			diagnostics_note(checker->diagnostics, "write %s /s", number);
		} else if (param->kind == PARAM_BYTES) {
			diagnostics_note(checker->diagnostics, "write %s B or %s KiB", number, number);
		} else if (param->kind == PARAM_BANDWIDTH) {
			diagnostics_note(checker->diagnostics, "write %s Mbit/s or %s Gbit/s", number, number);
		} else {
			diagnostics_note(checker->diagnostics, "write %s ms or %s s", number, number);
		}
		return false;
	case QUANTITY_UNKNOWN_UNIT: {
		const char *nearest = usual_unit(quantity.unit);
		bool known_here = false;
		for (size_t i = 0; i < n; i++) {
			known_here |= nearest && !strcmp(nearest, units[i]);
		}
		nearest = known_here ? nearest : nearest_name(quantity.unit, units, n);
		diagnostics_error(checker->diagnostics, value->place,
			"%s is %s, and `%s` is no unit of one%s%s%s", name.text, kinds[param->kind],
			excerpt(quantity.unit).text, nearest ? ": did you mean `" : "", nearest ? nearest : "",
			nearest ? "`?" : "");
		diagnostics_note(checker->diagnostics, "units: %s", known.text);
		return false;
	}
	case QUANTITY_TOO_LARGE:
		refuse(checker, value, param, path);
		diagnostics_note(checker->diagnostics, "it is more than can be counted here");
		return false;
	case QUANTITY_HAS_UNIT:
		refuse(checker, value, param, path);
		diagnostics_note(checker->diagnostics, "it takes a plain number, and nothing after it");
		return false;
	default:
		return refuse(checker, value, param, path);
	}
}

static bool check_number(struct checker *checker, const struct tree *value,
	const struct param *param, void *at, const struct path *path)
{
	enum quantity_problem problem;
	int64_t integer = 0;
	double real = 0;
	bool is_real = false;
	switch (param->kind) {
	case PARAM_INT:
		problem = quantity_integer(value->text, &integer);
		break;
	case PARAM_BYTES:
		problem = quantity_bytes(value->text, &integer);
		break;
	case PARAM_DURATION:
	case PARAM_DURATION_RANGE:
		problem = quantity_duration(value->text, &integer);
		break;
	case PARAM_RATE:
		is_real = true;
		problem = quantity_rate(value->text, &real);
		break;
	case PARAM_BANDWIDTH:
		is_real = true;
		problem = quantity_bandwidth(value->text, &real);
		break;
	default:
		is_real = true;
		problem = quantity_real(value->text, &real);
		break;
	}
	if (problem) {
		return refuse_quantity(checker, value, param, path, problem);
	}
	if (!param_holds(param, is_real ? real : (double)integer)) {
		refuse(checker, value, param, path);
		if (!has_top(param) && (is_real ? real : (double)integer) > param->min) {
			diagnostics_note(checker->diagnostics, "it is more than can be counted here");
		}
		return false;
	}
	if (is_real) {
		*(double *)at = real == 0 ? 0 : real; /* never -0 */
	} else {
		*(int64_t *)at = integer;
	}
	return true;
}

/* What says off and on, in turn. */
static const char *const bool_words[] = {"off", "on", "false", "true", "no", "yes"};

static bool check_bool(struct checker *checker, const struct tree *value, const struct param *param,
	bool *at, const struct path *path)
{
	for (size_t i = 0; i < sizeof(bool_words) / sizeof(bool_words[0]); i++) {
		if (!strcasecmp(value->text, bool_words[i])) {
			*at = i % 2;
			return true;
		}
	}
	return refuse(checker, value, param, path);
}

static bool is_switch(const char *const *names, size_t n)
{
	bool off = false, on = false;
	for (size_t i = 0; i < n; i++) {
		off |= !strcmp(names[i], "off");
		on |= !strcmp(names[i], "on");
	}
	return off && on;
}

static bool check_choice(struct checker *checker, const struct tree *value,
	const struct param *param, int *at, const struct path *path)
{
	char copies[CHOICES_MAX][40];
	const char *names[CHOICES_MAX];
	size_t n = 0;
	for (const char *word = param->choices; word && n < CHOICES_MAX; n++) {
		size_t length = strcspn(word, "|");
		assert(length < sizeof(copies[0]));
		memcpy(copies[n], word, length);
		copies[n][length] = '\0';
		names[n] = copies[n];
		if (!strcmp(copies[n], value->text)) {
			*at = (int)n;
			return true;
		}
		word = word[length] ? word + length + 1 : NULL;
	}
	/* A switch is one whether or not there are other choices than on and off. */
	for (size_t i = 0; i < sizeof(bool_words) / sizeof(bool_words[0]); i++) {
		for (size_t k = 0; k < n && strcasecmp(value->text, bool_words[i]) == 0; k++) {
			if (is_switch(names, n) && strcmp(names[k], i % 2 ? "on" : "off") == 0) {
				*at = (int)k;
				return true;
			}
		}
	}
	refuse(checker, value, param, path);
	const char *nearest = nearest_name(value->text, names, n);
	if (nearest) {
		diagnostics_note(checker->diagnostics, "did you mean `%s`?", nearest);
	}
	return false;
}

const char *path_resolve(struct checker *checker, const char *path)
{
	if (*path == '/' || !checker->directory || !*checker->directory) {
		return path;
	}
	size_t n = strlen(checker->directory) + strlen(path) + 2;
	char *full = arena_alloc(checker->scratch, n);
	bool slash = checker->directory[strlen(checker->directory) - 1] == '/';
	snprintf(full, n, "%s%s%s", checker->directory, slash ? "" : "/", path);
	return full;
}

static bool check_path(
	struct checker *checker, const struct tree *value, const char **at, const struct path *path)
{
	const char *full = path_resolve(checker, value->text);
	if (!*value->text || access(full, R_OK) != 0) {
		diagnostics_error(checker->diagnostics, value->place, "%s: `%s` can't be read: %s",
			path_text(path).text, excerpt(value->text).text,
			*value->text ? strerror(errno) : "the name is empty");
		return false;
	}
	*at = pool_text(&checker->pool, full);
	return true;
}

/* Each file is read once, however many points name it. */
static const struct csv_file *csv_file(struct checker *checker, const char *path, bool matrix)
{
	for (struct csv_file *file = checker->csv_files; file; file = file->next) {
		if (file->matrix == matrix && !strcmp(file->path, path)) {
			return file;
		}
	}
	struct csv_file *file = arena_new(checker->arena, struct csv_file);
	char error[256] = "";
	file->path = arena_strdup(checker->arena, path);
	file->matrix = matrix;
	file->table = csv_read(checker->arena, path, matrix, error);
	for (struct csv_file *other = checker->csv_files; file->table && other; other = other->next) {
		if (other->matrix == matrix && csv_equal(other->table, file->table)) {
			file->table = other->table; /* so that equal settings are one pointer */
		}
	}
	file->error = arena_strdup(checker->arena, error);
	file->next = checker->csv_files;
	checker->csv_files = file;
	return file;
}

static bool check_table(struct checker *checker, const struct tree *value,
	const struct param *param, const struct csv_table **at, const struct path *path)
{
	bool matrix = param->kind == PARAM_MATRIX;
	if (matrix && param->builtin) {
		*at = param->builtin(value->text);
		if (*at) {
			return true;
		}
	}
	if (!*value->text) {
		return refuse(checker, value, param, path);
	}
	const struct csv_file *file = csv_file(checker, path_resolve(checker, value->text), matrix);
	*at = file->table;
	if (!file->table) {
		diagnostics_error(checker->diagnostics, value->place, "%s: `%s`%s %s%s",
			path_text(path).text, excerpt(value->text).text,
			matrix && param->builtin && !strchr(value->text, '.')
				? " is not a built-in matrix, and as a file it"
				: "",
			!strncmp(file->error, "line ", 5) ? "has a mistake in " : "", file->error);
		return false;
	}
	return true;
}

bool check_word(
	struct checker *checker, const struct tree *value, const struct param *param, void *at)
{
	if (value->kind != TREE_SCALAR) {
		return false;
	}
	bool range = param->kind == PARAM_DURATION_RANGE;
	int64_t *integers = at;
	if ((param->flags & PARAM_AUTO) && !strcmp(value->text, "auto")) {
		integers[0] = PARAM_AUTO_VALUE;
		if (range) {
			integers[1] = PARAM_AUTO_VALUE;
		}
		return true;
	}
	if ((param->flags & PARAM_OFF) && !strcmp(value->text, "off")) {
		integers[0] = SIM_NEVER;
		if (range) {
			integers[1] = SIM_NEVER;
		}
		return true;
	}
	if ((param->flags & PARAM_N) && !strcmp(value->text, "n")) {
		integers[0] = checker->n_validators ? checker->n_validators : 1;
		return true;
	}
	if ((param->flags & PARAM_NONE) && !strcmp(value->text, "none")) {
		if (param->kind == PARAM_INT || param->kind == PARAM_DURATION ||
			param->kind == PARAM_BYTES) {
			integers[0] = -1;
		} else if (param->kind == PARAM_REAL) {
			*(double *)at = -1;
		} else if (param->kind == PARAM_STRING || param->kind == PARAM_PATH ||
				   param->kind == PARAM_TABLE || param->kind == PARAM_MATRIX) {
			*(const void **)at = NULL;
		} else if (param->kind == PARAM_NAMES) {
			*(struct name_list *)at = (struct name_list){0};
		} else {
			return false;
		}
		return true;
	}
	if ((param->flags & PARAM_UNLIMITED) && !strcmp(value->text, "unlimited")) {
		if (param->kind == PARAM_BANDWIDTH) {
			*(double *)at = 0;
		} else {
			integers[0] = INT64_MAX;
		}
		return true;
	}
	return false;
}

bool check_scalar(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path)
{
	if (value->kind != TREE_SCALAR) {
		return refuse(checker, value, param, path);
	}
	switch (param->kind) {
	case PARAM_BOOL:
		return check_bool(checker, value, param, at, path);
	case PARAM_CHOICE:
		return check_choice(checker, value, param, at, path);
	case PARAM_STRING:
		*(const char **)at = pool_text(&checker->pool, value->text);
		return true;
	case PARAM_PATH:
		return check_path(checker, value, at, path);
	case PARAM_TABLE:
	case PARAM_MATRIX:
		return check_table(checker, value, param, at, path);
	default:
		return check_number(checker, value, param, at, path);
	}
}
