/* Lists: validators, groups of them, names, ranges, times, numbers. */
#include "check.h"
#include "quantity.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return a < b ? -1 : a > b;
}

static bool check_node(struct checker *checker, const struct tree *value, const struct param *param,
	uint32_t *out, const struct path *path)
{
	int64_t node = 0;
	if (value->kind == TREE_BAD) {
		return false;
	}
	bool client = value->kind == TREE_SCALAR && (param->flags & PARAM_CLIENTS) &&
				  !strncmp(value->text, "client ", 7);
	if (value->kind != TREE_SCALAR ||
		quantity_integer(value->text + (client ? 7 : 0), &node) != QUANTITY_FINE ||
		(client && (node < 0 || node >= SIM_NODES_MAX))) {
		return refuse(checker, value, param, path);
	}
	if (client) {
		*out = NODE_CLIENT + (uint32_t)node; /* how many there are, the workload says */
		return true;
	}
	uint32_t n = checker->n_validators;
	if (node < 0 || node >= (n ? n : SIM_NODES_MAX)) {
		diagnostics_error(checker->diagnostics, value->place, "%s: there is no validator %lld",
			path_text(path).text, (long long)node);
		if (n == 1) {
			diagnostics_note(checker->diagnostics, "there is one validator, 0");
		} else if (n) {
			diagnostics_note(checker->diagnostics, "%u validators are numbered 0 to %u", n, n - 1);
		}
		return false;
	}
	*out = (uint32_t)node;
	return true;
}

static bool check_nodes(struct checker *checker, const struct tree *value,
	const struct param *param, struct node_list *out, const struct path *path)
{
	*out = (struct node_list){.given = true};
	if (value->kind == TREE_SCALAR && !strcmp(value->text, "leader")) {
		out->leader = true;
		return true;
	}
	if (value->kind == TREE_MAP) {
		return refuse(checker, value, param, path);
	}
	struct tree *const one = (struct tree *)(uintptr_t)value;
	struct tree *const *values = value->kind == TREE_LIST ? value->values : &one;
	size_t n = value->kind == TREE_LIST ? value->n : 1;
	uint32_t *nodes = arena_array(checker->scratch, uint32_t, n + 1);
	bool good = true;
	for (size_t i = 0; i < n && !diagnostics_full(checker->diagnostics); i++) {
		good &= check_node(checker, values[i], param, &nodes[i], path);
	}
	if (!good) {
		return false;
	}
	qsort(nodes, n, sizeof(*nodes), compare);
	for (size_t i = 1; i < n; i++) {
		if (nodes[i] == nodes[i - 1]) {
			diagnostics_error(checker->diagnostics, value->place, "%s: %s %u is named twice",
				path_text(path).text, nodes[i] < NODE_CLIENT ? "validator" : "client",
				nodes[i] % NODE_CLIENT);
			return false;
		}
	}
	out->n = n;
	out->nodes = pool_put(&checker->pool, nodes, n * sizeof(*nodes));
	return true;
}

static bool check_names(struct checker *checker, const struct tree *value,
	const struct param *param, struct name_list *out, const struct path *path)
{
	*out = (struct name_list){0};
	if (value->kind == TREE_MAP) {
		return refuse(checker, value, param, path);
	}
	struct tree *const one = (struct tree *)(uintptr_t)value;
	struct tree *const *values = value->kind == TREE_LIST ? value->values : &one;
	size_t n = value->kind == TREE_LIST ? value->n : 1;
	const char **names = arena_array(checker->scratch, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (values[i]->kind != TREE_SCALAR) {
			return refuse(checker, value, param, path);
		}
		names[i] = pool_text(&checker->pool, values[i]->text);
	}
	out->n = n;
	out->names = pool_put(&checker->pool, names, n * sizeof(*names));
	return true;
}

static bool check_groups(struct checker *checker, const struct tree *value,
	const struct param *param, struct node_groups *out, const struct path *path)
{
	*out = (struct node_groups){0};
	if (value->kind != TREE_LIST) {
		return refuse(checker, value, param, path);
	}
	struct node_list *groups = arena_array(checker->scratch, struct node_list, value->n + 1);
	bool good = true;
	for (size_t i = 0; i < value->n && !diagnostics_full(checker->diagnostics); i++) {
		const struct path at = {path, NULL, i};
		if (value->values[i]->kind != TREE_LIST) {
			if (value->values[i]->kind != TREE_BAD) {
				refuse(checker, value->values[i], param, path);
			}
			good = false;
		} else {
			struct param nodes = *param;
			nodes.kind = PARAM_NODES;
			good &= check_nodes(checker, value->values[i], &nodes, &groups[i], &at);
		}
	}
	if (good) {
		out->n = value->n;
		out->groups = pool_put(&checker->pool, groups, value->n * sizeof(*groups));
	}
	return good;
}

static bool check_range(struct checker *checker, const struct tree *value,
	const struct param *param, sim_time *out, const struct path *path)
{
	if (value->kind != TREE_LIST || value->n != 2 || value->values[0]->kind == TREE_MAP ||
		value->values[1]->kind == TREE_MAP || value->values[0]->kind == TREE_LIST ||
		value->values[1]->kind == TREE_LIST) {
		return refuse(checker, value, param, path);
	}
	bool good = true;
	for (size_t i = 0; i < 2; i++) {
		if (value->values[i]->kind == TREE_BAD) {
			good = false;
			continue;
		}
		struct param one = *param;
		one.kind = PARAM_DURATION;
		good &= check_scalar(checker, value->values[i], &one, &out[i], path);
	}
	if (good && out[0] > out[1]) {
		diagnostics_error(checker->diagnostics, value->place, "%s: the range ends before it begins",
			path_text(path).text);
		return false;
	}
	return good;
}

static bool check_times(struct checker *checker, const struct tree *value,
	const struct param *param, struct time_list *out, const struct path *path)
{
	*out = (struct time_list){0};
	if (value->kind == TREE_MAP || (value->kind == TREE_LIST && value->n == 0)) {
		return refuse(checker, value, param, path);
	}
	struct tree *const one = (struct tree *)(uintptr_t)value;
	struct tree *const *values = value->kind == TREE_LIST ? value->values : &one;
	size_t n = value->kind == TREE_LIST ? value->n : 1;
	sim_time *times = arena_array(checker->scratch, sim_time, n);
	struct param each = *param;
	each.kind = PARAM_DURATION;
	bool good = true;
	for (size_t i = 0; i < n && !diagnostics_full(checker->diagnostics); i++) {
		good &= values[i]->kind != TREE_BAD &&
				check_scalar(checker, values[i], &each, &times[i], path);
	}
	for (size_t i = 1; i < n && good; i++) {
		if (times[i] <= times[i - 1]) {
			diagnostics_error(checker->diagnostics, values[i]->place,
				"%s: %s does not come after the time before it", path_text(path).text,
				excerpt(values[i]->text).text);
			good = false;
		}
	}
	if (good) {
		out->n = n;
		out->times = pool_put(&checker->pool, times, n * sizeof(*times));
	}
	return good;
}

static bool check_numbers(struct checker *checker, const struct tree *value,
	const struct param *param, struct number_list *out, const struct path *path)
{
	*out = (struct number_list){0};
	if (value->kind != TREE_LIST || value->n == 0) {
		return refuse(checker, value, param, path);
	}
	double *numbers = arena_array(checker->scratch, double, value->n);
	struct param each = *param;
	each.kind = PARAM_REAL;
	bool good = true;
	for (size_t i = 0; i < value->n && !diagnostics_full(checker->diagnostics); i++) {
		const struct path at = {path, NULL, i};
		const struct tree *one = value->values[i];
		if (one->kind == TREE_LIST || one->kind == TREE_MAP) {
			good = refuse(checker, one, &each, &at);
		} else {
			good &= one->kind != TREE_BAD && check_scalar(checker, one, &each, &numbers[i], &at);
		}
	}
	if (good) {
		out->n = value->n;
		out->numbers = pool_put(&checker->pool, numbers, value->n * sizeof(*numbers));
	}
	return good;
}

bool check_list(struct checker *checker, const struct tree *value, const struct param *param,
	void *at, const struct path *path)
{
	switch (param->kind) {
	case PARAM_NODES:
		return check_nodes(checker, value, param, at, path);
	case PARAM_NAMES:
		return check_names(checker, value, param, at, path);
	case PARAM_GROUPS:
		return check_groups(checker, value, param, at, path);
	case PARAM_DURATIONS:
		return check_times(checker, value, param, at, path);
	case PARAM_NUMBERS:
		return check_numbers(checker, value, param, at, path);
	default:
		return check_range(checker, value, param, at, path);
	}
}
