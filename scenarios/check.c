/* The walk: keys, plugins, fallbacks. */
#include "check.h"
#include "quantity.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 256 /* of keys or plugins that are looked through for a near one */

struct fallback_tree {
	const struct param *param;
	struct tree *tree;
};

void checker_finish(struct checker *checker)
{
	pool_finish(&checker->pool);
	free(checker->fallbacks);
	checker->fallbacks = NULL;
}

static size_t path_add(const struct path *path, char *out, size_t size)
{
	if (!path) {
		return 0;
	}
	size_t n = path_add(path->up, out, size);
	const char *dot = n ? "." : "";
	int more = path->word ? snprintf(out + n, size - n, "%s%s", dot, path->word)
						  : snprintf(out + n, size - n, "%s%zu", dot, path->index);
	n += more > 0 ? (size_t)more : 0;
	return n < size ? n : size - 1;
}

struct path_text path_text(const struct path *path)
{
	struct path_text text = {""};
	path_add(path, text.text, sizeof(text.text));
	return text;
}

void words_add(struct words *words, const char *word)
{
	size_t n = strlen(word);
	if (words->n + n + 8 > sizeof(words->text)) {
		if (words->n < sizeof(words->text) && strcmp(words->text + words->n - 3, "...") != 0) {
			memcpy(words->text + words->n, ", ...", 6);
			words->n += 5;
		}
		return;
	}
	if (words->n) {
		memcpy(words->text + words->n, ", ", 2);
		words->n += 2;
	}
	memcpy(words->text + words->n, word, n + 1);
	words->n += n;
}

const struct param *param_find(const struct param *table, const char *name)
{
	for (const struct param *param = table; param && param->name; param++) {
		if (!strcmp(param->name, name)) {
			return param;
		}
	}
	return NULL;
}

const struct tree *param_tree(const struct tree *map, const struct param *param)
{
	const char *dot = strchr(param->name, '.');
	if (!dot) {
		return tree_get(map, param->name);
	}
	if (map && map->kind == TREE_MAP) {
		size_t n = (size_t)(dot - param->name);
		for (size_t i = 0; i < map->n; i++) {
			if (!strncmp(map->keys[i]->text, param->name, n) && !map->keys[i]->text[n]) {
				return tree_get(map->values[i], dot + 1);
			}
		}
	}
	return NULL;
}

/* The word that a name of the table adds below `section` ("" or "stop."), up to its dot; 0 where it
 * is not below it. */
static size_t word_below(const char *name, const char *section, const char **word)
{
	size_t n = strlen(section);
	if (strncmp(name, section, n) != 0) {
		return 0;
	}
	*word = name + n;
	return strcspn(name + n, ".");
}

static void refuse_key(struct checker *checker, const struct tree *key, const struct param *table,
	const char *section, const char *kind, const struct path *path)
{
	const char *names[NAMES_MAX] = {NULL};
	char copies[NAMES_MAX][40];
	size_t n = 0;
	if (kind) {
		names[n++] = "kind";
	}
	for (const struct param *param = table; param && param->name && n < NAMES_MAX; param++) {
		const char *word = NULL;
		size_t length = word_below(param->name, section, &word);
		if (length == 0 || length >= sizeof(copies[0])) {
			continue;
		}
		memcpy(copies[n], word, length);
		copies[n][length] = '\0';
		if (n == 0 || strcmp(names[n - 1], copies[n]) != 0) {
			names[n] = copies[n];
			n++;
		}
	}
	struct words known = {.n = 0};
	for (size_t i = 0; i < n; i++) {
		words_add(&known, names[i]);
	}
	const struct path at = {path, key->text, 0};
	const struct words home = words_home(key->text);
	const char *nearest = home.n ? NULL : nearest_name(key->text, names, n);
	diagnostics_error(checker->diagnostics, key->place, "unknown key `%s`%s%s%s%s%s%s",
		excerpt(path_text(&at).text).text, kind ? " for " : "", kind ? kind : "",
		home.n ? ": " : nearest ? ": did you mean `" : "", home.n ? home.text : "",
		nearest ? nearest : "", nearest ? "`?" : "");
	if (n) {
		diagnostics_note(checker->diagnostics, "known here: %s", known.text);
	}
}

/* Looks for unknown keys, in the sections of a table too. */
static bool check_keys(struct checker *checker, const struct tree *map, const struct param *table,
	const char *section, const char *kind, const struct path *path)
{
	bool good = true;
	for (size_t i = 0; i < map->n && !diagnostics_full(checker->diagnostics); i++) {
		const char *key = map->keys[i]->text;
		if (kind && !strcmp(key, "kind")) {
			continue;
		}
		bool found = false, is_section = false;
		for (const struct param *param = table; param && param->name; param++) {
			const char *word = NULL;
			size_t n = word_below(param->name, section, &word);
			if (n && strlen(key) == n && !memcmp(word, key, n)) {
				found = true;
				is_section = word[n] == '.';
			}
		}
		if (!found) {
			refuse_key(checker, map->keys[i], table, section, kind, path);
			good = false;
		} else if (is_section) {
			const struct tree *value = map->values[i];
			const struct path below = {path, key, 0};
			char inner[64];
			snprintf(inner, sizeof(inner), "%s.", key);
			if (value->kind == TREE_MAP) {
				good &= check_keys(checker, value, table, inner, NULL, &below);
			} else {
				if (value->kind != TREE_BAD) {
					diagnostics_error(checker->diagnostics, value->place,
						"%s must be a map of keys", path_text(&below).text);
				}
				good = false;
			}
		}
	}
	return good;
}

const struct tree *fallback_tree(
	struct checker *checker, const struct param *param, struct place place)
{
	if (!param->fallback) {
		return NULL;
	}
	/* Most are one word. */
	if (!strpbrk(param->fallback, "[{\"'")) {
		return tree_scalar(checker->scratch, param->fallback, place);
	}
	struct tree *tree = NULL;
	for (size_t i = 0; i < checker->n_fallbacks && !tree; i++) {
		if (checker->fallbacks[i].param == param) {
			tree = checker->fallbacks[i].tree;
		}
	}
	if (!tree) {
		struct source *source = arena_new(checker->arena, struct source);
		source->name = "default";
		source->text = param->fallback;
		source->n_bytes = strlen(param->fallback);
		struct diagnostics *own = diagnostics_create();
		tree = tree_parse(checker->arena, source, own);
		assert(tree && diagnostics_count(own) == 0); /* a table's default is right */
		diagnostics_destroy(own);
		if (checker->n_fallbacks == checker->fallbacks_capacity) {
			checker->fallbacks_capacity = checker->fallbacks_capacity * 2 + 16;
			checker->fallbacks = realloc(
				checker->fallbacks, checker->fallbacks_capacity * sizeof(*checker->fallbacks));
			if (!checker->fallbacks) {
				abort();
			}
		}
		checker->fallbacks[checker->n_fallbacks++] = (struct fallback_tree){param, tree};
	}
	/* What goes wrong in it is complained of where it takes effect. */
	struct tree *placed = arena_new(checker->scratch, struct tree);
	*placed = *tree;
	placed->place = place;
	return placed;
}

bool check_params(struct checker *checker, const struct tree *map, const struct param *table,
	const char *kind, void *settings, const struct path *path)
{
	bool good = map->kind != TREE_MAP || check_keys(checker, map, table, "", kind, path);
	for (const struct param *param = table; param && param->name; param++) {
		const struct tree *value = param_tree(map, param);
		const struct path at = {path, param->name, 0};
		if (!value && (param->flags & PARAM_REQUIRED)) {
			struct place place = map->place;
			if (!path) {
				place.line = PLACE_WHOLE;
			}
			diagnostics_error(checker->diagnostics, place, "`%s` is missing: %s",
				path_text(&at).text, param->help ? param->help : "it has no default");
			good = false;
			continue;
		}
		if (!value) {
			value = fallback_tree(checker, param, map->place);
		}
		if (value) {
			good &= check_value(checker, value, param, (char *)settings + param->offset, &at);
		}
	}
	return good;
}

/* A map that says no kind changes the default one: `arrivals: {rate: 50 /s}`, or the same made by a
 * dotted path. */
static const struct tree *with_fallback(
	struct checker *checker, const struct tree *map, const struct param *param)
{
	struct arena *arena = checker->scratch;
	const struct tree *fallback = fallback_tree(checker, param, map->place);
	struct tree *kind = tree_scalar(arena, "kind", map->place);
	struct tree *merged;
	if (fallback->kind == TREE_MAP) {
		struct tree *name = tree_scalar(arena, tree_get(fallback, "kind")->text, map->place);
		merged = tree_map_put(arena, fallback, kind, name);
	} else {
		merged = tree_map_of(arena, kind, tree_scalar(arena, fallback->text, map->place));
	}
	for (size_t i = 0; i < map->n; i++) {
		/* The scenario's own key node, so that it is known where it stands. */
		merged = tree_map_remove(arena, merged, map->keys[i]->text);
		merged = tree_map_put(arena, merged, map->keys[i], map->values[i]);
	}
	return merged;
}

/* The duration that a bare one stands for in a registry that has `constant`; NULL where it has none. */
static const struct param *constant_param(const struct registry *registry)
{
	for (size_t i = 0; registry->plugins[i]; i++) {
		const struct plugin *plugin = registry->plugins[i];
		const struct param *param = param_find(plugin->params, "value");
		if (!strcmp(plugin->name, "constant") && param && param->kind == PARAM_DURATION) {
			return param;
		}
	}
	return NULL;
}

/* A bare duration where a registry has `constant`: that, with this value. NULL where it isn't one. */
static const struct tree *as_constant(
	struct checker *checker, const struct tree *value, const struct registry *registry)
{
	int64_t duration;
	if (value->kind != TREE_SCALAR || quantity_duration(value->text, &duration) != QUANTITY_FINE ||
		!constant_param(registry)) {
		return NULL;
	}
	struct arena *arena = checker->scratch;
	struct place place = value->place;
	struct tree *map = tree_map_of(
		arena, tree_scalar(arena, "kind", place), tree_scalar(arena, "constant", place));
	return tree_map_put(
		arena, map, tree_scalar(arena, "value", place), tree_scalar(arena, value->text, place));
}

/* A number that was meant for one, and lacks its unit. True where that was said. */
static bool refuse_constant(struct checker *checker, const struct tree *value,
	const struct registry *registry, const struct path *path)
{
	struct quantity quantity;
	sim_time duration;
	const struct param *param = constant_param(registry);
	if (!param || value->kind != TREE_SCALAR || !quantity_split(value->text, &quantity)) {
		return false;
	}
	refuse_quantity(checker, value, param, path, quantity_duration(value->text, &duration));
	return true;
}

bool check_plugin(struct checker *checker, const struct tree *value, const struct param *param,
	struct plugin_value *out, const struct path *path)
{
	const struct registry *registry = param->registry;
	const struct tree *constant = as_constant(checker, value, registry);
	if (!constant && refuse_constant(checker, value, registry, path)) {
		return false;
	}
	value = constant ? constant : value;
	const char *names[NAMES_MAX];
	struct words known = {.n = 0};
	size_t n = 0;
	for (; registry->plugins[n] && n < NAMES_MAX; n++) {
		names[n] = registry->plugins[n]->name;
		words_add(&known, names[n]);
	}
	if (value->kind == TREE_MAP && !tree_get(value, "kind") && param->fallback) {
		value = with_fallback(checker, value, param);
	}
	const struct tree *kind = value->kind == TREE_MAP ? tree_get(value, "kind") : value;
	if (kind && kind->kind == TREE_BAD) {
		return false;
	}
	if (!kind || kind->kind != TREE_SCALAR || tree_is_null(kind)) {
		diagnostics_error(checker->diagnostics, kind ? kind->place : value->place,
			kind ? "%s must be a %s or {kind: ...}" : "%s needs a `kind`: which %s?",
			path_text(path).text, registry->sort);
		note_sweep(checker, value, path); /* the first note stands */
		diagnostics_note(checker->diagnostics, "%s: %s", registry->plural, known.text);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct plugin *plugin = registry->plugins[i];
		if (!strcmp(plugin->name, kind->text)) {
			out->plugin = plugin;
			/* Never empty, so that two values differ from none. */
			out->settings = arena_alloc(checker->scratch, plugin->settings_size + 1);
			if (!check_params(checker, value, plugin->params, plugin->name, out->settings, path)) {
				out->settings = NULL;
			}
			return out->settings != NULL;
		}
	}
	if (!strcmp(kind->text, "none") && value->kind == TREE_SCALAR &&
		!(param->flags & PARAM_REQUIRED)) {
		*out = (struct plugin_value){NULL, NULL};
		return true;
	}
	const char *nearest = nearest_name(kind->text, names, n);
	diagnostics_error(checker->diagnostics, kind->place, "%s: there is no %s `%s`%s%s%s",
		path_text(path).text, registry->sort, excerpt(kind->text).text,
		nearest ? ": did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
	diagnostics_note(checker->diagnostics, "%s: %s", registry->plural, known.text);
	return false;
}

static bool check_plugins(struct checker *checker, const struct tree *value,
	const struct param *param, struct plugin_list *out, const struct path *path)
{
	*out = (struct plugin_list){0};
	if (value->kind == TREE_SCALAR && !strcmp(value->text, "none")) {
		return true;
	}
	if (value->kind != TREE_LIST) {
		return refuse(checker, value, param, path);
	}
	bool good = true;
	out->n = value->n;
	out->values = arena_array(checker->scratch, struct plugin_value, value->n + 1);
	for (size_t i = 0; i < value->n; i++) {
		const struct path at = {path, NULL, i};
		struct param one = *param;
		one.flags |= PARAM_REQUIRED; /* `none` is no entry of a list */
		one.fallback = NULL;         /* that is the list's */
		good &= check_plugin(checker, value->values[i], &one, &out->values[i], &at);
	}
	return good;
}

static bool is_whole_number(enum param_kind kind)
{
	return kind == PARAM_INT || kind == PARAM_BYTES;
}

/* Notes what a swept value is as a number, the first time that it meets a parameter. */
static void note_swept(struct checker *checker, const struct tree *value, const struct param *param,
	const void *at, bool is_word)
{
	for (size_t i = 0; i < checker->n_watched; i++) {
		struct swept_cell *cell = checker->watched[i];
		if (cell->tree != value || cell->typed) {
			continue;
		}
		cell->typed = true;
		cell->unit = param->unit ? param->unit : "";
		if (is_word || value->kind != TREE_SCALAR) {
			return;
		}
		/* A bare duration where one may be drawn. */
		if (param->kind == PARAM_PLUGIN && param->unit && !strcmp(param->unit, "s") &&
			quantity_duration(value->text, &cell->integer) == QUANTITY_FINE) {
			cell->is_real = true;
			cell->real = sim_time_to_s(cell->integer);
			return;
		}
		cell->is_int = is_whole_number(param->kind);
		cell->is_real = cell->is_int || param->kind == PARAM_REAL ||
						param->kind == PARAM_DURATION || param->kind == PARAM_RATE ||
						param->kind == PARAM_BANDWIDTH;
		if (cell->is_int) {
			cell->integer = *(const int64_t *)at;
			cell->real = (double)cell->integer;
		} else if (param->kind == PARAM_DURATION) {
			cell->real = sim_time_to_s(*(const sim_time *)at);
		} else if (cell->is_real) {
			cell->real = *(const double *)at;
		}
		cell->unit = param->kind == PARAM_DURATION    ? "s"
					 : param->kind == PARAM_RATE      ? "1/s"
					 : param->kind == PARAM_BANDWIDTH ? "bit/s"
					 : param->kind == PARAM_BYTES     ? "bytes"
													  : cell->unit;
	}
}

bool check_value(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path)
{
	if (value->kind == TREE_BAD) {
		return false;
	}
	if (tree_is_null(value) && param->fallback && !*param->fallback) {
		*(const char **)at = pool_text(&checker->pool, "");
		return true;
	}
	if (tree_is_null(value)) {
		diagnostics_error(
			checker->diagnostics, value->place, "%s has no value", path_text(path).text);
		if (!(param->flags & PARAM_REQUIRED)) {
			diagnostics_note(checker->diagnostics, "leave the key out for its default%s%s",
				param->fallback ? ", " : "", param->fallback ? param->fallback : "");
		}
		return false;
	}
	bool is_word = check_word(checker, value, param, at);
	bool good = is_word;
	switch (is_word ? PARAM_PLUGINS + 1 : param->kind) {
	case PARAM_PLUGINS + 1:
		break;
	case PARAM_PLUGIN:
		good = check_plugin(checker, value, param, at, path);
		break;
	case PARAM_PLUGINS:
		good = check_plugins(checker, value, param, at, path);
		break;
	case PARAM_NODES:
	case PARAM_NAMES:
	case PARAM_GROUPS:
	case PARAM_DURATION_RANGE:
	case PARAM_DURATIONS:
	case PARAM_NUMBERS:
		good = check_list(checker, value, param, at, path);
		break;
	default:
		good = check_scalar(checker, value, param, at, path);
		break;
	}
	if (good) {
		note_swept(checker, value, param, at, is_word);
	}
	return good;
}
