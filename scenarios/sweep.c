#include "sweep.h"
#include "quantity.h"

#include <stdlib.h>
#include <string.h>

/* These are the same at every point. */
static const char *const unswept[] = {"title", "seed", "replications", "record", "skip_unfit", "sweep", "zip"};

static const char *unswept_above(const char *path)
{
	for (size_t i = 0; i < sizeof(unswept) / sizeof(unswept[0]); i++) {
		size_t n = strlen(unswept[i]);
		if (!strncmp(path, unswept[i], n) && (!path[n] || path[n] == '.')) {
			return unswept[i];
		}
	}
	return NULL;
}

bool sweep_allows(const char *path)
{
	return !unswept_above(path);
}

static bool power_of_ten(int exponent, int64_t *out)
{
	*out = 1;
	for (; exponent > 0; exponent--) {
		if (*out > INT64_MAX / 10) {
			return false;
		}
		*out *= 10;
	}
	return true;
}

/* Brings a decimal to a smaller exponent. */
static bool rescale(struct decimal *number, int exponent)
{
	int64_t power;
	if (number->mantissa == 0) {
		number->exponent = exponent;
		return true;
	}
	if (number->exponent - exponent > 18 || !power_of_ten(number->exponent - exponent, &power) ||
		__builtin_mul_overflow(number->mantissa, power, &number->mantissa)) {
		return false;
	}
	number->exponent = exponent;
	return true;
}

struct range {
	struct decimal from, to, step;
	const char *unit;
};

static bool read_range(const struct tree *map, struct range *range, struct diagnostics *diagnostics)
{
	static const char *const names[] = {"from", "to", "step"};
	struct decimal *numbers[] = {&range->from, &range->to, &range->step};
	range->unit = "";
	for (size_t i = 0; i < map->n; i++) {
		const char *key = map->keys[i]->text;
		if (strcmp(key, "from") != 0 && strcmp(key, "to") != 0 && strcmp(key, "step") != 0) {
			diagnostics_error(diagnostics, map->keys[i]->place,
				"unknown key `%s` in a range: it is written {from: 0, to: 1, step: 0.1}",
				excerpt(key).text);
			diagnostics_note(diagnostics, "values are a list: [a, b, c]");
			return false;
		}
	}
	int exponent = 0;
	for (size_t i = 0; i < 3; i++) {
		const struct tree *value = tree_get(map, names[i]);
		struct quantity quantity;
		if (!value) {
			diagnostics_error(diagnostics, map->place,
				"a range needs `%s`: it is written {from: 0, to: 1, step: 0.1}", names[i]);
			return false;
		}
		if (value->kind != TREE_SCALAR || !quantity_split(value->text, &quantity)) {
			diagnostics_error(
				diagnostics, value->place, "`%s` of a range must be a number", names[i]);
			return false;
		}
		*numbers[i] = quantity.number;
		exponent = quantity.number.exponent < exponent ? quantity.number.exponent : exponent;
		if (*quantity.unit && *range->unit && strcmp(quantity.unit, range->unit) != 0) {
			diagnostics_error(diagnostics, value->place,
				"from, to and step of a range must have the same unit, got `%s` and `%s`",
				excerpt(range->unit).text, excerpt(quantity.unit).text);
			return false;
		}
		if (*quantity.unit) {
			range->unit = quantity.unit;
		} else if (i > 0 && *range->unit && quantity.number.mantissa != 0) {
			diagnostics_error(diagnostics, value->place, "`%s` of the range needs a unit: %s %s",
				names[i], excerpt(value->text).text, excerpt(range->unit).text);
			return false;
		}
	}
	for (size_t i = 0; i < 3; i++) {
		if (exponent < -18 || !rescale(numbers[i], exponent)) {
			diagnostics_error(diagnostics, map->place, "the range's numbers have too many digits");
			return false;
		}
	}
	return true;
}

/* A list for {from, to, step}. Steps are counted in decimal, so that 0, 0.1, 0.2, 0.3 are just
 * that. */
static struct tree *expand_range(
	struct arena *arena, const struct tree *map, struct diagnostics *diagnostics)
{
	struct range range;
	if (!read_range(map, &range, diagnostics)) {
		return NULL;
	}
	int64_t step = range.step.mantissa, span;
	if (__builtin_sub_overflow(range.to.mantissa, range.from.mantissa, &span) ||
		span == INT64_MAX || span == INT64_MIN) {
		diagnostics_error(diagnostics, map->place, "the range is too long");
		return NULL;
	}
	if (step == 0 || (span > 0 && step < 0) || (span < 0 && step > 0)) {
		diagnostics_error(diagnostics, tree_get(map, "step")->place,
			"the range never gets from `from` to `to` by this step");
		return NULL;
	}
	int64_t n = span / step + 1;
	if (n > SWEEP_POINTS_MAX) {
		diagnostics_error(diagnostics, map->place,
			"the range has %lld values; at most %d make sense", (long long)n, SWEEP_POINTS_MAX);
		return NULL;
	}
	struct tree *list = arena_new(arena, struct tree);
	list->kind = TREE_LIST;
	list->place = map->place;
	list->n = (size_t)n;
	list->values = arena_array(arena, struct tree *, n);
	for (int64_t i = 0; i < n; i++) {
		struct decimal number = {range.from.mantissa + i * step, range.from.exponent};
		char digits[64];
		decimal_print(number, digits, sizeof(digits));
		size_t size = strlen(digits) + strlen(range.unit) + 2;
		char *text = arena_alloc(arena, size);
		snprintf(text, size, "%s%s%s", digits, *range.unit ? " " : "", range.unit);
		list->values[i] = tree_scalar(arena, text, map->place);
	}
	return list;
}

static const char *flow_text(struct arena *arena, const struct tree *tree)
{
	struct text text = {0};
	tree_emit_flow(tree, &text);
	const char *copy = arena_strdup(arena, text.bytes ? text.bytes : "");
	text_free(&text);
	return copy;
}

/* The kind of a plugin, `a+b` for a list of them (`none` for an empty one); NULL for what has none.
 */
static const char *kind_label(struct arena *arena, const struct tree *tree)
{
	if (tree->kind == TREE_SCALAR) {
		return tree->text;
	}
	if (tree->kind == TREE_MAP) {
		const struct tree *kind = tree_get(tree, "kind");
		return kind && kind->kind == TREE_SCALAR ? kind->text : NULL;
	}
	if (tree->kind != TREE_LIST) {
		return NULL;
	}
	struct text text = {0};
	for (size_t i = 0; i < tree->n; i++) {
		const char *kind =
			tree->values[i]->kind == TREE_MAP ? kind_label(arena, tree->values[i]) : NULL;
		if (!kind) {
			text_free(&text);
			return NULL;
		}
		text_add(&text, i ? "+" : "");
		text_add(&text, kind);
	}
	const char *label = arena_strdup(arena, text.bytes ? text.bytes : "none");
	text_free(&text);
	return label;
}

/* Maps and lists are labelled by their kinds where these tell all the values apart. */
static void label_cells(struct arena *arena, struct sweep_key *key)
{
	bool apart = key->n <= 1000;
	for (size_t i = 0; i < key->n; i++) {
		key->cells[i].text = kind_label(arena, key->cells[i].tree);
		apart = apart && key->cells[i].text;
		for (size_t k = 0; apart && k < i; k++) {
			apart = strcmp(key->cells[i].text, key->cells[k].text) != 0;
		}
	}
	for (size_t i = 0; i < key->n; i++) {
		const struct tree *tree = key->cells[i].tree;
		if (!apart || !key->cells[i].text) {
			key->cells[i].text = tree->kind == TREE_SCALAR ? tree->text : flow_text(arena, tree);
		}
	}
}

static bool read_key(struct arena *arena, const struct tree *name, const struct tree *values,
	const char *section, struct sweep_key *key, struct diagnostics *diagnostics)
{
	const char *fixed = unswept_above(name->text);
	if (fixed) {
		bool inside = !strcmp(fixed, "zip") || !strcmp(fixed, "sweep");
		diagnostics_error(diagnostics, name->place, "`%s` can't be swept: %s", fixed,
			inside ? "it stands by itself, beside `sweep`" : "it is the same at every point");
		if (!strcmp(fixed, "seed")) {
			diagnostics_note(diagnostics, "`replications` gives independent runs");
		}
		return false;
	}
	if (values->kind == TREE_BAD) {
		return false;
	}
	struct tree *expanded = NULL;
	if (values->kind == TREE_MAP && !tree_get(values, "kind")) {
		expanded = expand_range(arena, values, diagnostics);
		if (!expanded) {
			return false;
		}
		values = expanded;
	}
	if (values->kind != TREE_LIST) {
		struct excerpt found = excerpt(values->kind == TREE_SCALAR ? values->text : "{...}");
		diagnostics_error(diagnostics, values->place, "%s.%s must be a list of values, got %s",
			section, excerpt(name->text).text, tree_is_null(values) ? "nothing" : found.text);
		diagnostics_note(diagnostics, "write [%s] or {from: 0, to: 1, step: 0.1}",
			tree_is_null(values) ? "a, b" : found.text);
		return false;
	}
	if (values->n == 0) {
		diagnostics_error(diagnostics, values->place,
			"%s.%s sweeps over nothing: its list is empty", section, excerpt(name->text).text);
		return false;
	}
	*key = (struct sweep_key){.path = name->text, .place = name->place, .n = values->n};
	key->cells = arena_array(arena, struct swept_cell, values->n);
	for (size_t i = 0; i < values->n; i++) {
		if (tree_is_null(values->values[i])) {
			diagnostics_error(diagnostics, values->values[i]->place, "%s.%s: value %zu is missing",
				section, excerpt(name->text).text, i + 1);
			return false;
		}
		/* A copy, so that this very tree is known again when its parameter is met. */
		struct tree *own = arena_new(arena, struct tree);
		*own = *values->values[i];
		key->cells[i].tree = own;
		key->cells[i].unit = "";
	}
	label_cells(arena, key);
	return true;
}

static size_t depth_of(const char *path)
{
	size_t n = 0;
	for (; *path; path++) {
		n += *path == '.';
	}
	return n;
}

/* Adds the keys of `sweep` or `zip`. */
static bool read_section(struct arena *arena, const struct tree *root, const char *section,
	struct sweep *out, struct diagnostics *diagnostics)
{
	const struct tree *map = tree_get(root, section);
	bool zip = !strcmp(section, "zip"), good = true;
	if (!map || (map->kind == TREE_SCALAR && !strcmp(map->text, "none"))) {
		return true;
	}
	if (map->kind == TREE_BAD) {
		return false;
	}
	if (map->kind != TREE_MAP || map->n == 0) {
		bool nothing = tree_is_null(map) || (map->kind == TREE_MAP && map->n == 0);
		diagnostics_error(diagnostics, map->place,
			nothing ? "`%s` sweeps over nothing" : "`%s` must be a map of dotted paths to lists",
			section);
		diagnostics_note(
			diagnostics, "write %s: {validators: [4, 7, 10]}, or leave it out", section);
		return false;
	}
	for (size_t i = 0; i < map->n && !diagnostics_full(diagnostics); i++) {
		struct sweep_key *key = &out->keys[out->n_keys];
		if (!read_key(arena, map->keys[i], map->values[i], section, key, diagnostics)) {
			good = false;
			continue;
		}
		bool again = false;
		for (size_t k = 0; k < out->n_keys; k++) {
			again |= !strcmp(out->keys[k].path, key->path);
		}
		if (again) {
			diagnostics_error(diagnostics, key->place, "`%s` is swept twice, here and in `sweep`",
				excerpt(key->path).text);
			good = false;
			continue;
		}
		if (zip && i > 0 && good && out->sizes[out->n_dimensions - 1] != key->n) {
			diagnostics_error(diagnostics, map->values[i]->place,
				"the lists of `zip` must be equally long: `%s` has %zu, `%s` has %zu",
				excerpt(out->keys[out->n_keys - 1].path).text, out->keys[out->n_keys - 1].n,
				excerpt(key->path).text, key->n);
			good = false;
			continue;
		}
		if (!zip || out->n_dimensions == 0 || i == 0 || !good) {
			out->sizes[out->n_dimensions++] = key->n;
		}
		key->dimension = out->n_dimensions - 1;
		out->n_keys++;
	}
	return good;
}

bool sweep_read(struct arena *arena, const struct tree *root, struct sweep *out,
	struct diagnostics *diagnostics)
{
	const struct tree *sections[] = {tree_get(root, "sweep"), tree_get(root, "zip")};
	size_t n = 1;
	for (size_t i = 0; i < 2; i++) {
		n += sections[i] && sections[i]->kind == TREE_MAP ? sections[i]->n : 0;
	}
	*out = (struct sweep){0};
	out->keys = arena_array(arena, struct sweep_key, n);
	out->sizes = arena_array(arena, size_t, n);
	out->by_depth = arena_array(arena, size_t, n);
	bool good = read_section(arena, root, "sweep", out, diagnostics);
	good &= read_section(arena, root, "zip", out, diagnostics);
	for (size_t i = 0; i < out->n_keys; i++) {
		size_t at = i;
		for (; at > 0 &&
			   depth_of(out->keys[out->by_depth[at - 1]].path) > depth_of(out->keys[i].path);
			 at--) {
			out->by_depth[at] = out->by_depth[at - 1];
		}
		out->by_depth[at] = i;
	}
	out->n_points = 1;
	for (size_t i = 0; good && i < out->n_dimensions; i++) {
		if (out->sizes[i] > SWEEP_POINTS_MAX / out->n_points) {
			diagnostics_error(diagnostics, out->keys[0].place, "the sweep has more than %d points",
				SWEEP_POINTS_MAX);
			return false;
		}
		out->n_points *= out->sizes[i];
	}
	return good;
}

size_t sweep_index(const struct sweep *sweep, size_t point, size_t key)
{
	assert(point < sweep->n_points && key < sweep->n_keys);
	for (size_t i = sweep->n_dimensions; i-- > sweep->keys[key].dimension + 1;) {
		point /= sweep->sizes[i];
	}
	return point % sweep->sizes[sweep->keys[key].dimension];
}

const struct tree *sweep_point(const struct sweep *sweep, struct arena *arena,
	const struct tree *root, size_t point, struct diagnostics *diagnostics)
{
	const struct tree *tree = root;
	static const char *const sections[] = {"sweep", "zip"};
	for (size_t i = 0; i < 2; i++) {
		if (tree_get(tree, sections[i])) {
			tree = tree_map_remove(arena, tree, sections[i]);
		}
	}
	for (size_t i = 0; i < sweep->n_keys; i++) {
		const struct sweep_key *key = &sweep->keys[sweep->by_depth[i]];
		const struct swept_cell *cell = &key->cells[sweep_index(sweep, point, sweep->by_depth[i])];
		struct tree *changed = tree_with(
			arena, tree, key->path, (struct tree *)(uintptr_t)cell->tree, key->place, diagnostics);
		tree = changed ? changed : tree;
	}
	return tree;
}

/* Does `path` begin with `upper`, at a dot? */
static bool lies_below(const char *path, const char *upper)
{
	size_t n = strlen(upper);
	return !strncmp(path, upper, n) && path[n] == '.';
}

/* `section` of the root with `key: value`, or without the key where the value is NULL. */
static struct tree *put_swept(struct arena *arena, const struct tree *root, const char *section,
	const char *key, struct tree *value, struct place place)
{
	const struct tree *map = tree_get(root, section);
	struct tree *changed;
	if (!value) {
		changed = tree_map_remove(arena, map, key);
		if (changed->n == 0) {
			return tree_map_remove(arena, root, section);
		}
	} else {
		struct tree *name = tree_scalar(arena, arena_strdup(arena, key), place);
		changed = map && map->kind == TREE_MAP ? tree_map_put(arena, map, name, value)
											   : tree_map_of(arena, name, value);
	}
	return tree_map_put(arena, root, tree_scalar(arena, section, place), changed);
}

static struct tree *override_values(struct arena *arena, const struct tree *values,
	const char *below, struct tree *value, struct diagnostics *diagnostics)
{
	if (values->kind != TREE_LIST) {
		return NULL;
	}
	struct tree *list = arena_new(arena, struct tree);
	*list = *values;
	list->values = arena_array(arena, struct tree *, values->n + 1);
	for (size_t i = 0; i < values->n; i++) {
		list->values[i] =
			tree_with(arena, values->values[i], below, value, value->place, diagnostics);
		if (!list->values[i]) {
			return NULL;
		}
	}
	return list;
}

/* Was it written on the command line? */
static bool is_set(const struct tree *tree)
{
	return tree->place.source && !tree->place.source->has_lines;
}

static void add_name(struct text *names, const char *key)
{
	text_add(names, names->n ? ", `" : "`");
	text_add(names, excerpt(key).text);
	text_add(names, "`");
}

/* A whole sweep in another's stead: says which keys are no longer swept, unless it is none. */
static struct tree *replace_section(struct arena *arena, const struct tree *root, const char *section,
	struct tree *value, struct diagnostics *diagnostics)
{
	const struct tree *old = tree_get(root, section);
	struct text gone = {0};
	for (size_t i = 0; old && old->kind == TREE_MAP && value->kind == TREE_MAP && i < old->n; i++) {
		if (!tree_get(value, old->keys[i]->text)) {
			add_name(&gone, old->keys[i]->text);
		}
	}
	if (gone.n) {
		diagnostics_remark(diagnostics, (struct place){value->place.source, PLACE_WHOLE, 0},
			"takes %s out of the %s", gone.bytes, section);
	}
	text_free(&gone);
	return tree_map_put(arena, root, tree_scalar(arena, section, value->place), value);
}

/* What stands at a dotted path, or NULL. */
static const struct tree *at_path(struct arena *arena, const struct tree *root, const char *path)
{
	const struct tree *tree = root;
	char *words = arena_strdup(arena, path), *rest = NULL;
	for (char *word = strtok_r(words, ".", &rest); word && tree; word = strtok_r(NULL, ".", &rest)) {
		if (tree->kind == TREE_LIST) {
			bool number = strlen(word) <= 9 && strspn(word, "0123456789") == strlen(word);
			size_t i = number ? strtoul(word, NULL, 10) : tree->n;
			tree = i < tree->n ? tree->values[i] : NULL;
		} else {
			tree = tree_get(tree, word);
		}
	}
	return tree;
}

struct tree *sweep_override(struct arena *arena, const struct tree *root, const char *path,
	struct tree *value, struct diagnostics *diagnostics)
{
	static const char *const sections[] = {"sweep", "zip"};
	struct place place = value->place;
	const struct tree *tree = root;
	struct text gone = {0};
	bool done = false;
	for (size_t s = 0; s < 2; s++) {
		if (!strcmp(path, sections[s])) {
			return replace_section(arena, root, path, value, diagnostics);
		}
		if (lies_below(path, sections[s])) {
			/* The rest is one key of the section, dots and all. */
			return put_swept(
				arena, root, sections[s], path + strlen(sections[s]) + 1, value, place);
		}
		const struct tree *map = tree_get(root, sections[s]);
		for (size_t i = 0; map && map->kind == TREE_MAP && i < map->n; i++) {
			const char *key = map->keys[i]->text;
			bool same = !strcmp(key, path);
			if (same && is_set(map->values[i])) {
				diagnostics_error(diagnostics, (struct place){place.source, PLACE_WHOLE, 0},
					"`%s` is set here and swept by %s: leave one of the two out", excerpt(path).text,
					map->values[i]->place.source->name);
				text_free(&gone);
				return NULL;
			}
			if (same || (lies_below(key, path) && !is_set(map->values[i]))) {
				tree = put_swept(arena, tree, sections[s], key, NULL, place);
				add_name(&gone, key);
			} else if (lies_below(path, key)) {
				struct tree *values = override_values(
					arena, map->values[i], path + strlen(key) + 1, value, diagnostics);
				if (!values) {
					diagnostics_error(diagnostics, place, "`%s` is below `%s`, which is swept",
						excerpt(path).text, excerpt(key).text);
					text_free(&gone);
					return NULL;
				}
				tree = put_swept(arena, tree, sections[s], key, values, map->keys[i]->place);
				/* And where the key stands besides, or what is set would be lost with a later
				 * override that sweeps over something else. */
				const struct tree *besides = at_path(arena, root, key);
				if (besides && (besides->kind == TREE_MAP || besides->kind == TREE_SCALAR)) {
					tree = tree_with(arena, tree, path, value, place, diagnostics);
					if (!tree) {
						text_free(&gone);
						return NULL;
					}
				}
				done = true;
			}
		}
	}
	if (gone.n) {
		diagnostics_remark(diagnostics, (struct place){place.source, PLACE_WHOLE, 0},
			"takes %s out of the sweep", gone.bytes);
	}
	text_free(&gone);
	if (done) {
		return (struct tree *)(uintptr_t)tree;
	}
	return tree_with(arena, tree, path, value, place, diagnostics);
}
