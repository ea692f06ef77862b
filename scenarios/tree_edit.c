/* Looking up, and making changed copies that share what didn't change. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct tree *map, const char *key)
{
	if (map && map->kind == TREE_MAP) {
		for (size_t i = 0; i < map->n; i++) {
			if (!strcmp(map->keys[i]->text, key)) {
				return i;
			}
		}
	}
	return SIZE_MAX;
}

struct tree *tree_get(const struct tree *map, const char *key)
{
	size_t i = find(map, key);
	return i == SIZE_MAX ? NULL : map->values[i];
}

struct tree *tree_key(const struct tree *map, const char *key)
{
	size_t i = find(map, key);
	return i == SIZE_MAX ? NULL : map->keys[i];
}

bool tree_is_null(const struct tree *tree)
{
	return tree->kind == TREE_SCALAR && !tree->quoted &&
		   (!*tree->text || !strcmp(tree->text, "~") || !strcmp(tree->text, "null"));
}

struct tree *tree_scalar(struct arena *arena, const char *text, struct place place)
{
	struct tree *tree = arena_new(arena, struct tree);
	tree->kind = TREE_SCALAR;
	tree->text = text;
	tree->place = place;
	return tree;
}

/* A copy with room for one more entry. */
static struct tree *copy(struct arena *arena, const struct tree *old)
{
	struct tree *tree = arena_new(arena, struct tree);
	*tree = *old;
	tree->values = arena_array(arena, struct tree *, old->n + 1);
	if (old->n) {
		memcpy(tree->values, old->values, old->n * sizeof(*old->values));
	}
	if (old->kind == TREE_MAP) {
		tree->keys = arena_array(arena, struct tree *, old->n + 1);
		if (old->n) {
			memcpy(tree->keys, old->keys, old->n * sizeof(*old->keys));
		}
	}
	return tree;
}

static struct tree *empty_map(struct arena *arena, struct place place)
{
	struct tree *tree = arena_new(arena, struct tree);
	tree->kind = TREE_MAP;
	tree->place = place;
	return tree;
}

struct tree *tree_map_of(struct arena *arena, struct tree *key, struct tree *value)
{
	return tree_map_put(arena, empty_map(arena, value->place), key, value);
}

struct tree *tree_map_put(
	struct arena *arena, const struct tree *map, struct tree *key, struct tree *value)
{
	assert(map->kind == TREE_MAP);
	struct tree *tree = copy(arena, map);
	size_t i = find(map, key->text);
	if (i == SIZE_MAX) {
		i = tree->n++;
		tree->keys[i] = key;
	}
	tree->values[i] = value;
	return tree;
}

struct tree *tree_map_remove(struct arena *arena, const struct tree *map, const char *key)
{
	struct tree *tree = copy(arena, map);
	size_t i = find(map, key);
	if (i != SIZE_MAX) {
		memmove(tree->keys + i, tree->keys + i + 1, (tree->n - i - 1) * sizeof(*tree->keys));
		memmove(tree->values + i, tree->values + i + 1, (tree->n - i - 1) * sizeof(*tree->values));
		tree->n--;
	}
	return tree;
}

/* A place for a number in a list of n, or SIZE_MAX. */
static size_t list_index(const char *word, size_t n)
{
	if (!*word || strlen(word) > 9 || strspn(word, "0123456789") != strlen(word)) {
		return SIZE_MAX;
	}
	size_t i = strtoul(word, NULL, 10);
	return i < n ? i : SIZE_MAX;
}

struct change {
	struct arena *arena;
	struct tree *value;
	struct place place;
	struct diagnostics *diagnostics;
	const char *path; /* as a whole, for messages */
};

static bool is_number(const char *word)
{
	return *word && strspn(word, "0123456789.") == strlen(word);
}

/* `old` (NULL: nothing there yet) with the change at `path`; done so far: path - change->path. */
static struct tree *with(const struct change *change, const struct tree *old, const char *path)
{
	if (!*path) {
		return change->value;
	}
	size_t n_done = (size_t)(path - change->path);
	int n_above = n_done ? (int)n_done - 1 : 0;
	const char *dot = strchr(path, '.');
	size_t n = dot ? (size_t)(dot - path) : strlen(path);
	char *word = arena_alloc(change->arena, n + 1);
	memcpy(word, path, n);
	const char *rest = dot ? dot + 1 : path + n;
	if (n == 0 || (dot && !*rest)) {
		diagnostics_error(change->diagnostics, change->place,
			"`%s` is not a dotted path such as protocol.batch", excerpt(change->path).text);
		return NULL;
	}
	if (old && old->kind == TREE_BAD) {
		struct tree *bad = arena_new(change->arena, struct tree);
		*bad = *old;
		return bad;
	}
	if (old && old->kind == TREE_LIST) {
		size_t i = list_index(word, old->n);
		if (i == SIZE_MAX) {
			diagnostics_error(change->diagnostics, change->place,
				"`%s` does not exist: `%.*s` is a list of %zu", excerpt(change->path).text, n_above,
				change->path, old->n);
			if (!*rest && list_index(word, SIZE_MAX) == old->n) {
				diagnostics_note(change->diagnostics,
					"an entry can't be added alone: give the whole list, as in --set %.*s=[...]",
					n_above, change->path);
			} else if (old->n > 1) {
				diagnostics_note(
					change->diagnostics, "its entries are numbered 0 to %zu", old->n - 1);
			}
			return NULL;
		}
		struct tree *value = with(change, old->values[i], rest);
		if (!value) {
			return NULL;
		}
		struct tree *tree = copy(change->arena, old);
		tree->values[i] = value;
		return tree;
	}
	if (is_number(word)) {
		diagnostics_error(change->diagnostics, change->place,
			"`%s` does not exist: `%.*s` is not a list", excerpt(change->path).text, n_above,
			change->path);
		return NULL;
	}
	struct tree *value = with(change, tree_get(old, word), rest);
	if (!value) {
		return NULL;
	}
	struct tree *key = tree_scalar(change->arena, word, change->place);
	if (!old || tree_is_null(old)) {
		return tree_map_of(change->arena, key, value);
	}
	if (old->kind == TREE_SCALAR) {
		struct tree *kind = arena_new(change->arena, struct tree);
		*kind = *old;
		struct tree *map =
			tree_map_of(change->arena, tree_scalar(change->arena, "kind", old->place), kind);
		return tree_map_put(change->arena, map, key, value);
	}
	return tree_map_put(change->arena, old, key, value);
}

struct tree *tree_with(struct arena *arena, const struct tree *root, const char *path,
	struct tree *value, struct place place, struct diagnostics *diagnostics)
{
	struct change change = {arena, value, place, diagnostics, path};
	if (!*path) {
		diagnostics_error(diagnostics, place, "a key is missing");
		return NULL;
	}
	return with(&change, root, path);
}
