/* Keys of what plugins are set to: see the header. */
#include "workloads/plugin_key.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static void add_bytes(XXH3_state_t *state, const void *bytes, size_t n)
{
	uint64_t length = n; /* so that no two sequences run together */
	XXH3_128bits_update(state, &length, sizeof(length));
	XXH3_128bits_update(state, bytes, n);
}

static void add_text(XXH3_state_t *state, const char *text)
{
	add_bytes(state, text == NULL ? "" : text, text == NULL ? 0 : strlen(text) + 1);
}

static void add_table(XXH3_state_t *state, const struct csv_table *table)
{
	if (table == NULL) {
		add_text(state, NULL);
		return;
	}
	for (size_t i = 0; i < table->n_columns; i++) {
		add_text(state, table->column_names == NULL ? NULL : table->column_names[i]);
	}
	add_bytes(state, table->cells, table->n_rows * table->n_columns * sizeof(*table->cells));
}

static void add_nodes(XXH3_state_t *state, const struct node_list *list)
{
	add_bytes(state, list->nodes, list->n * sizeof(*list->nodes));
}

static void add_plugin(
	XXH3_state_t *state, const struct plugin_value *value, bool (*counts)(const struct param *));

/* By what the value says, never where it lies. */
static void add_value(XXH3_state_t *state, const struct param *param, const void *at)
{
	switch (param->kind) {
	case PARAM_INT:
	case PARAM_DURATION:
	case PARAM_BYTES:
		add_bytes(state, at, sizeof(int64_t));
		break;
	case PARAM_REAL:
	case PARAM_RATE:
	case PARAM_BANDWIDTH:
		add_bytes(state, at, sizeof(double));
		break;
	case PARAM_DURATION_RANGE:
		add_bytes(state, at, 2 * sizeof(sim_time));
		break;
	case PARAM_DURATIONS: {
		const struct time_list *list = at;
		add_bytes(state, list->times, list->n * sizeof(*list->times));
		break;
	}
	case PARAM_NUMBERS: {
		const struct number_list *list = at;
		add_bytes(state, list->numbers, list->n * sizeof(*list->numbers));
		break;
	}
	case PARAM_BOOL:
		add_bytes(state, at, sizeof(bool));
		break;
	case PARAM_CHOICE:
		add_bytes(state, at, sizeof(int));
		break;
	case PARAM_STRING:
	case PARAM_PATH:
		add_text(state, *(const char *const *)at);
		break;
	case PARAM_NODES:
		add_nodes(state, at);
		break;
	case PARAM_NAMES: {
		const struct name_list *list = at;
		for (size_t i = 0; i < list->n; i++) {
			add_text(state, list->names[i]);
		}
		break;
	}
	case PARAM_GROUPS: {
		const struct node_groups *groups = at;
		for (size_t i = 0; i < groups->n; i++) {
			add_nodes(state, &groups->groups[i]);
		}
		break;
	}
	case PARAM_TABLE:
	case PARAM_MATRIX:
		add_table(state, *(const struct csv_table *const *)at);
		break;
	case PARAM_PLUGIN:
		add_plugin(state, at, NULL);
		break;
	case PARAM_PLUGINS: {
		const struct plugin_list *list = at;
		for (size_t i = 0; i < list->n; i++) {
			add_plugin(state, &list->values[i], NULL);
		}
		break;
	}
	}
}

static void add_plugin(
	XXH3_state_t *state, const struct plugin_value *value, bool (*counts)(const struct param *))
{
	add_text(state, value->plugin == NULL ? NULL : value->plugin->name);
	const struct param *param = value->plugin == NULL ? NULL : value->plugin->params;
	for (; param != NULL && param->name != NULL; param++) {
		if (counts == NULL || counts(param)) {
			add_text(state, param->name);
			add_value(state, param, (const char *)value->settings + param->offset);
		}
	}
}

void key_add(uint64_t key[2], const void *bytes, size_t n)
{
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	add_bytes(&state, key, 2 * sizeof(*key));
	add_bytes(&state, bytes, n);
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	key[0] = hash.low64;
	key[1] = hash.high64;
}

void key_add_plugin(
	uint64_t key[2], const struct plugin_value *value, bool (*counts)(const struct param *))
{
	XXH3_state_t state;
	XXH3_INITSTATE(&state);
	XXH3_128bits_reset(&state);
	add_bytes(&state, key, 2 * sizeof(*key));
	add_plugin(&state, value, counts);
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	key[0] = hash.low64;
	key[1] = hash.high64;
}
