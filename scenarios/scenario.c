/* Reading a scenario file: text, tree, overrides, sweep, points. */
#include "csv.h"
#include "equal.h"
#include "remarks.h"
#include "keys.h"
#include "sweep.h"
#include "scenario_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Scratch memory is given back after this many points. */
#define SCRATCH_POINTS 64

static struct place whole_place(const struct source *source)
{
	return (struct place){source, PLACE_WHOLE, 0};
}

const struct tree *scenario_override(struct arena *arena, const struct tree *root, const char *set,
	unsigned rank, struct diagnostics *diagnostics)
{
	struct source *source = arena_new(arena, struct source);
	size_t n = strlen(set) + 8;
	char *name = arena_alloc(arena, n);
	snprintf(name, n, "--set %s", excerpt(set).text);
	source->name = name;
	source->rank = rank;
	const char *equals = strchr(set, '=');
	if (!equals || equals == set || !equals[1]) {
		diagnostics_error(diagnostics, whole_place(source),
			"an override is written KEY=VALUE, such as protocol.batch=8");
		return root;
	}
	char *path = arena_strdup(arena, set);
	path[equals - set] = '\0';
	source->text = arena_strdup(arena, equals + 1);
	source->n_bytes = strlen(source->text);
	struct tree *value = tree_parse(arena, source, diagnostics);
	if (!value) {
		return root;
	}
	struct tree *changed = sweep_override(arena, root, path, value, diagnostics);
	return changed ? changed : root;
}

static bool sets_sweep(const char *set)
{
	static const char *const sections[] = {"sweep", "zip"};
	bool is = false;
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(sections[i]);
		is |= !strncmp(set, sections[i], n) && (set[n] == '=' || set[n] == '.');
	}
	return is;
}

static const struct tree *read_tree(struct scenario_file *file, const char *const *sets,
	size_t n_sets, struct diagnostics *diagnostics)
{
	const struct tree *root = tree_parse(&file->arena, &file->source, diagnostics);
	if (!root || root->kind == TREE_BAD) {
		if (diagnostics_count(diagnostics) == 0) {
			diagnostics_error(diagnostics, whole_place(&file->source), "the file is empty");
			diagnostics_note(
				diagnostics, "a scenario has at least validators, protocol and workload");
		}
		return NULL;
	}
	if (root->kind != TREE_MAP || root->n == 0) {
		bool empty = root->kind == TREE_MAP || tree_is_null(root);
		diagnostics_error(diagnostics, empty ? whole_place(&file->source) : root->place,
			empty ? "the file is empty" : "a scenario is a map of keys, such as `validators: 4`");
		diagnostics_note(diagnostics, "a scenario has at least validators, protocol and workload");
		return NULL;
	}
	/* What is swept comes first, so that the order on the command line makes no difference between a sweep
	 * and what is set beside it. */
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < n_sets; i++) {
			if (sets_sweep(sets[i]) != others) {
				root = scenario_override(&file->arena, root, sets[i], (unsigned)i + 1, diagnostics);
			}
		}
	}
	return root;
}

static void write_text(struct scenario_file *file, size_t n_sets)
{
	if (n_sets == 0) {
		file->text = file->source.text;
		return;
	}
	struct text text = {0};
	tree_emit(file->root, 0, &text);
	file->text = arena_strdup(&file->arena, text.bytes);
	text_free(&text);
}

static void watch_point(struct checker *checker, const struct sweep *sweep, size_t point)
{
	for (size_t i = 0; i < sweep->n_keys; i++) {
		checker->watched[i] = &sweep->keys[i].cells[sweep_index(sweep, point, i)];
	}
	checker->n_watched = sweep->n_keys;
}

/* Whether the scenario says so; that it says so rightly is for the table's check. */
static bool skips_unfit(const struct tree *root)
{
	const struct tree *value = tree_get(root, "skip_unfit");
	static const char *const words[] = {"on", "true", "yes"};
	bool skips = false;
	for (size_t i = 0; value && value->kind == TREE_SCALAR && i < 3; i++) {
		skips |= !strcasecmp(value->text, words[i]);
	}
	return skips;
}

/* Adds `protocol raft, validators 4`: what a point of the product sets. */
static void add_values(const struct scenario_file *file, size_t origin, struct text *out)
{
	for (size_t k = 0; k < file->sweep.n_keys; k++) {
		const struct sweep_key *key = &file->sweep.keys[k];
		text_add(out, k ? ", " : "");
		text_add(out, excerpt(key->path).text);
		text_add(out, " ");
		text_add(out, excerpt(key->cells[sweep_index(&file->sweep, origin, k)].text).text);
	}
}

/* Of a point that is not kept: its errors are errors, or the reason why it is left out. */
static void settle_skipped(const struct scenario_file *file, size_t origin, enum point_state state,
	struct diagnostics *skipped, struct diagnostics *diagnostics)
{
	struct text reason = {0};
	text_add(&reason, "skipped at ");
	add_values(file, origin, &reason);
	text_add(&reason, ": ");
	diagnostics_move(skipped, diagnostics, state == POINT_UNFIT ? reason.bytes : NULL);
	text_free(&reason);
}

struct second_look {
	const struct scenario_file *file;
	struct checker *checker;
};

/* Does a point come to something else with this at the path? */
static bool differs(void *context, size_t point, const char *path, const char *fallback)
{
	const struct second_look *look = context;
	const struct scenario_file *file = look->file;
	struct checker *checker = look->checker;
	struct diagnostics *loud = checker->diagnostics, *silent = diagnostics_create();
	checker->diagnostics = silent;
	checker->n_watched = 0;
	struct source source = {.name = "default", .text = fallback, .n_bytes = strlen(fallback)};
	struct tree *value = tree_parse(checker->scratch, &source, silent);
	const struct tree *tree =
		sweep_point(&file->sweep, checker->scratch, file->root, file->origins[point], silent);
	tree = value ? tree_with(checker->scratch, tree, path, value, value->place, silent) : NULL;
	struct scenario other = {0};
	bool same = tree && check_point(checker, tree, &other) == POINT_GOOD;
	if (same) {
		struct text a = {0}, b = {0};
		settings_bytes(&file->points[point], &a);
		settings_bytes(&other, &b);
		same = a.n == b.n && !memcmp(a.bytes, b.bytes, a.n);
		text_free(&a);
		text_free(&b);
	}
	checker->diagnostics = loud;
	diagnostics_destroy(silent);
	return !same;
}

static void name_point(void *context, size_t point, struct text *out)
{
	const struct scenario_file *file = ((struct second_look *)context)->file;
	if (file->n_points > 1) {
		char number[32];
		snprintf(number, sizeof(number), " (point %zu, ", point);
		text_add(out, number);
		add_values(file, file->origins[point], out);
		text_add(out, ")");
	}
}

static void read_points(struct scenario_file *file, struct diagnostics *diagnostics)
{
	struct arena scratch = {0};
	struct checker checker = {.diagnostics = diagnostics,
		.arena = &file->arena,
		.scratch = &scratch,
		.pool = {.arena = &file->arena},
		.directory = file->directory};
	checker.watched = arena_array(&file->arena, struct swept_cell *, file->sweep.n_keys + 1);
	file->points = arena_array(&file->arena, struct scenario, file->sweep.n_points);
	file->origins = arena_array(&file->arena, size_t, file->sweep.n_points);
	bool skip = file->sweep.n_points > 1 && skips_unfit(file->root);
	struct diagnostics *skipped = diagnostics_create();
	struct remarks *remarks = remarks_create();
	for (size_t i = 0; i < file->sweep.n_points && !diagnostics_full(diagnostics); i++) {
		const struct tree *tree = sweep_point(&file->sweep, &scratch, file->root, i, diagnostics);
		watch_point(&checker, &file->sweep, i);
		checker.diagnostics = skip ? skipped : diagnostics;
		enum point_state state = check_point(&checker, tree, &file->points[file->n_points]);
		if (state == POINT_GOOD) {
			remarks_point(remarks, tree, &file->points[file->n_points], file->n_points);
			file->origins[file->n_points++] = i;
		} else if (skip) {
			settle_skipped(file, i, state, skipped, diagnostics);
		}
		if (i % SCRATCH_POINTS == SCRATCH_POINTS - 1) {
			arena_finish(&scratch);
		}
	}
	if (file->n_points == 0 && diagnostics_count(diagnostics) == 0) {
		diagnostics_error(diagnostics, tree_key(file->root, "skip_unfit")->place,
			"skip_unfit leaves no point: all of the sweep's are unfit");
	}
	if (diagnostics_count(diagnostics) == 0) {
		struct second_look look = {file, &checker};
		const struct remarks_teller teller = {differs, name_point, &look};
		remarks_add(remarks, &teller, diagnostics);
	}
	remarks_destroy(remarks);
	diagnostics_destroy(skipped);
	checker_finish(&checker);
	arena_finish(&scratch);
}

/* A sweep that can't be read leaves the rest to be checked without it: one point, what is swept and
 * nowhere else set standing at its first value. */
static void check_without_sweep(struct scenario_file *file, struct diagnostics *diagnostics)
{
	struct sweep *sweep = &file->sweep;
	size_t *ones = arena_array(&file->arena, size_t, sweep->n_dimensions + 1);
	for (size_t i = 0; i < sweep->n_dimensions; i++) {
		ones[i] = 1;
	}
	sweep->sizes = ones;
	sweep->n_points = 1;
	read_points(file, diagnostics);
}

struct scenario_file *scenario_parse(const char *text, size_t n_bytes, const char *name,
	const char *directory, const char *const *sets, size_t n_sets, struct diagnostics *diagnostics)
{
	size_t n_errors = diagnostics_count(diagnostics);
	struct scenario_file *file = calloc(1, sizeof(*file));
	if (!file) {
		abort();
	}
	if (n_bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3; /* a byte order mark, which says nothing in UTF-8 */
		n_bytes -= 3;
	}
	size_t n_kept = n_bytes > TREE_BYTES_MAX ? 0 : n_bytes;
	char *copy = arena_alloc(&file->arena, n_kept + 1);
	memcpy(copy, text, n_kept);
	file->source = (struct source){.name = arena_strdup(&file->arena, name),
		.text = copy,
		.n_bytes = n_bytes,
		.has_lines = true};
	file->directory = directory ? arena_strdup(&file->arena, directory) : NULL;
	file->root = read_tree(file, sets, n_sets, diagnostics);
	if (file->root) {
		if (sweep_read(&file->arena, file->root, &file->sweep, diagnostics)) {
			read_points(file, diagnostics);
			if (diagnostics_count(diagnostics) == n_errors) {
				equal_points(
					&file->sweep, file->origins, file->points, file->n_points, diagnostics);
			}
		} else {
			check_without_sweep(file, diagnostics);
		}
	}
	if (diagnostics_count(diagnostics) != n_errors) {
		scenario_close(file);
		return NULL;
	}
	write_text(file, n_sets);
	return file;
}

struct scenario_file *scenario_read(
	const char *path, const char *const *sets, size_t n_sets, struct diagnostics *diagnostics)
{
	char error[256];
	size_t n;
	char *text = file_read(path, TREE_BYTES_MAX, &n, error);
	if (!text) {
		const struct source source = {.name = path};
		diagnostics_error(diagnostics, whole_place(&source), "it %s", error);
		return NULL;
	}
	const char *slash = strrchr(path, '/');
	char *directory = strdup(path);
	if (!directory) {
		abort();
	}
	directory[slash ? slash - path + 1 : 0] = '\0';
	struct scenario_file *file =
		scenario_parse(text, n, path, directory, sets, n_sets, diagnostics);
	free(directory);
	free(text);
	return file;
}

void scenario_close(struct scenario_file *file)
{
	if (file) {
		arena_finish(&file->arena);
		free(file);
	}
}

const char *scenario_text(const struct scenario_file *file)
{
	return file->text;
}

size_t scenario_n_points(const struct scenario_file *file)
{
	return file->n_points;
}

void scenario_remark(const struct scenario_file *file, size_t key, struct diagnostics *diagnostics,
	const char *text)
{
	assert(key < file->sweep.n_keys);
	const struct sweep_key *swept = &file->sweep.keys[key];
	diagnostics_remark(diagnostics, swept->place, "%s: %s", excerpt(swept->path).text, text);
}

size_t scenario_n_swept(const struct scenario_file *file)
{
	return file->sweep.n_keys;
}

const char *scenario_swept_key(const struct scenario_file *file, size_t key)
{
	assert(key < file->sweep.n_keys);
	return file->sweep.keys[key].path;
}

bool scenario_swept_is_int(const struct scenario_file *file, size_t key)
{
	assert(key < file->sweep.n_keys);
	bool all = true;
	for (size_t i = 0; i < file->sweep.keys[key].n; i++) {
		all &= file->sweep.keys[key].cells[i].is_int;
	}
	return all;
}

bool scenario_swept_is_real(const struct scenario_file *file, size_t key)
{
	assert(key < file->sweep.n_keys);
	bool all = true;
	for (size_t i = 0; i < file->sweep.keys[key].n; i++) {
		all &= file->sweep.keys[key].cells[i].is_real;
	}
	return all;
}

const char *scenario_swept_unit(const struct scenario_file *file, size_t key)
{
	assert(key < file->sweep.n_keys);
	return scenario_swept_is_real(file, key) ? file->sweep.keys[key].cells[0].unit : "";
}

struct swept_value scenario_swept_value(const struct scenario_file *file, size_t point, size_t key)
{
	assert(point < file->n_points && key < file->sweep.n_keys);
	const struct swept_cell *cell =
		&file->sweep.keys[key].cells[sweep_index(&file->sweep, file->origins[point], key)];
	return (struct swept_value){.is_int = cell->is_int,
		.is_real = cell->is_real,
		.integer = cell->integer,
		.real = cell->real,
		.text = cell->text};
}

/* The place among the kept points of one of the product's, or SIZE_MAX where it was skipped. */
static size_t find_origin(const struct scenario_file *file, size_t origin)
{
	size_t low = 0, high = file->n_points;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->origins[middle] < origin) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < file->n_points && file->origins[low] == origin ? low : SIZE_MAX;
}

size_t scenario_first_like(const struct scenario_file *file, size_t point, size_t key)
{
	assert(point < file->n_points && key < file->sweep.n_keys);
	const struct sweep *sweep = &file->sweep;
	size_t stride = 1, index = sweep_index(sweep, file->origins[point], key);
	for (size_t d = sweep->keys[key].dimension + 1; d < sweep->n_dimensions; d++) {
		stride *= sweep->sizes[d];
	}
	for (size_t i = 0; i < index; i++) {
		size_t like = find_origin(file, file->origins[point] - (index - i) * stride);
		if (like != SIZE_MAX) {
			return like;
		}
	}
	return point;
}

const struct scenario *scenario_point(const struct scenario_file *file, size_t point)
{
	assert(point < file->n_points);
	return &file->points[point];
}
