#include "equal.h"
#include "keys.h"

#include <stdlib.h>
#include <string.h>

static void add(struct text *out, const void *bytes, size_t n)
{
	text_add_n(out, bytes, n);
}

static void add_number(struct text *out, uint64_t number)
{
	add(out, &number, sizeof(number));
}

static void add_string(struct text *out, const char *string)
{
	add_number(out, string ? strlen(string) : UINT64_MAX);
	text_add(out, string ? string : "");
}

static void add_nodes(struct text *out, const struct node_list *nodes)
{
	add_number(out, (uint64_t)nodes->leader << 1 | nodes->given);
	add_number(out, nodes->n);
	add(out, nodes->nodes, nodes->n * sizeof(*nodes->nodes));
}

static void add_params(struct text *out, const struct param *table, const void *settings);

static void add_plugin(struct text *out, const struct plugin_value *value)
{
	add_string(out, value->plugin ? value->plugin->name : NULL);
	if (value->plugin) {
		add_params(out, value->plugin->params, value->settings);
	}
}

static void add_param(struct text *out, const struct param *param, const void *at)
{
	switch (param->kind) {
	case PARAM_INT:
	case PARAM_BYTES:
	case PARAM_DURATION:
	case PARAM_REAL: /* never -0 */
	case PARAM_RATE:
	case PARAM_BANDWIDTH:
		add(out, at, 8);
		break;
	case PARAM_DURATION_RANGE:
		add(out, at, 16);
		break;
	case PARAM_DURATIONS: {
		const struct time_list *list = at;
		add_number(out, list->n);
		add(out, list->times, list->n * sizeof(*list->times));
		break;
	}
	case PARAM_NUMBERS: {
		const struct number_list *list = at;
		add_number(out, list->n);
		add(out, list->numbers, list->n * sizeof(*list->numbers));
		break;
	}
	case PARAM_BOOL:
		add_number(out, *(const bool *)at);
		break;
	case PARAM_CHOICE:
		add_number(out, (uint64_t)*(const int *)at);
		break;
	case PARAM_STRING:
	case PARAM_PATH:
		add_string(out, *(const char *const *)at);
		break;
	case PARAM_NODES:
		add_nodes(out, at);
		break;
	case PARAM_NAMES: {
		const struct name_list *list = at;
		add_number(out, list->n);
		for (size_t i = 0; i < list->n; i++) {
			add_string(out, list->names[i]);
		}
		break;
	}
	case PARAM_GROUPS: {
		const struct node_groups *groups = at;
		add_number(out, groups->n);
		for (size_t i = 0; i < groups->n; i++) {
			add_nodes(out, &groups->groups[i]);
		}
		break;
	}
	case PARAM_TABLE:
	case PARAM_MATRIX: /* each content is there once (csv_file) */
		add_number(out, *(const uintptr_t *)at);
		break;
	case PARAM_PLUGIN:
		add_plugin(out, at);
		break;
	case PARAM_PLUGINS: {
		const struct plugin_list *list = at;
		add_number(out, list->n);
		for (size_t i = 0; i < list->n; i++) {
			add_plugin(out, &list->values[i]);
		}
		break;
	}
	}
}

/* A table's values one after another, so that equal bytes are equal settings. */
static void add_params(struct text *out, const struct param *table, const void *settings)
{
	for (const struct param *param = table; param && param->name; param++) {
		add_param(out, param, (const char *)settings + param->offset);
	}
}

void settings_bytes(const struct scenario *point, struct text *out)
{
	for (const struct param *param = scenario_params; param->name; param++) {
		/* Those that are lists of names are the same at every point, and not the point's. */
		if (param->kind != PARAM_NAMES) {
			add_param(out, param, (const char *)point + param->offset);
		}
	}
}

static void add_spelling(struct text *out, const struct sweep *sweep, size_t origin, const bool *differs)
{
	for (size_t k = 0, n = 0; k < sweep->n_keys; k++) {
		if (differs[k]) {
			text_add(out, n++ ? ", " : "");
			text_add(out, excerpt(sweep->keys[k].path).text);
			text_add(out, " ");
			text_add(out, excerpt(sweep->keys[k].cells[sweep_index(sweep, origin, k)].text).text);
		}
	}
}

/* Says that the point `b` of the product is its earlier point `a`: in words for the keys that differ alone,
 * so that the same is said once, however many points the other keys make of it. */
static void refuse_point(
	const struct sweep *sweep, size_t a, size_t b, struct diagnostics *diagnostics)
{
	bool *differs = calloc(sweep->n_keys, sizeof(*differs));
	if (!differs) {
		abort();
	}
	struct place first = {0}, second = {0};
	for (size_t k = sweep->n_keys; k-- > 0;) {
		const struct sweep_key *key = &sweep->keys[k];
		const struct tree *left = key->cells[sweep_index(sweep, a, k)].tree;
		const struct tree *right = key->cells[sweep_index(sweep, b, k)].tree;
		differs[k] = sweep_index(sweep, a, k) != sweep_index(sweep, b, k);
		if (differs[k]) {
			first = left->place;
			second = right->place;
		}
	}
	struct text left = {0}, right = {0};
	add_spelling(&left, sweep, a, differs);
	add_spelling(&right, sweep, b, differs);
	char where[48] = "";
	if (first.source && first.source->has_lines) {
		snprintf(where, sizeof(where), " (line %u, column %u)", first.line + 1, first.column + 1);
	}
	diagnostics_error(diagnostics, second, "%s is the same setting as %s%s", right.bytes, left.bytes, where);
	diagnostics_note(diagnostics,
		"equal points are no independent runs: `replications` gives these; leave one of the two out");
	text_free(&left);
	text_free(&right);
	free(differs);
}

/* FNV-1a, as in pool.c; decides places in the table below only. */
static uint64_t hash_of(const struct text *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < text->n; i++) {
		hash = (hash ^ (unsigned char)text->bytes[i]) * UINT64_C(0x100000001b3);
	}
	return hash ^ hash >> 32;
}

struct entry {
	uint64_t hash;
	size_t point; /* its number and 1; 0: free */
};

void equal_points(const struct sweep *sweep, const size_t *origins, const struct scenario *points,
	size_t n_points, struct diagnostics *diagnostics)
{
	size_t capacity = 16;
	while (capacity < 2 * n_points) {
		capacity *= 2;
	}
	struct entry *entries = calloc(capacity, sizeof(*entries));
	if (!entries) {
		abort();
	}
	struct text own = {0}, other = {0};
	for (size_t i = 0; n_points > 1 && i < n_points && !diagnostics_full(diagnostics); i++) {
		own.n = 0;
		settings_bytes(&points[i], &own);
		uint64_t hash = hash_of(&own);
		size_t at = hash & (capacity - 1);
		bool again = false;
		for (; entries[at].point && !again; at = (at + 1) & (capacity - 1)) {
			if (entries[at].hash != hash) {
				continue;
			}
			size_t earlier = entries[at].point - 1;
			other.n = 0;
			settings_bytes(&points[earlier], &other);
			again = own.n == other.n && !memcmp(own.bytes, other.bytes, own.n);
			if (again) {
				refuse_point(sweep, origins[earlier], origins[i], diagnostics);
			}
		}
		if (!again) {
			entries[at] = (struct entry){hash, i + 1};
		}
	}
	text_free(&own);
	text_free(&other);
	free(entries);
}
