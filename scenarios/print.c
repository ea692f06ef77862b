/* Printing a point with every key, so that it reads again as the same point. */
#include "quantity.h"
#include "scenario_file.h"
#include "keys.h"

#include <string.h>

struct printer {
	struct checker checker; /* for the trees of defaults */
	struct text out;
};

static void indent(struct printer *printer, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		text_add(&printer->out, "  ");
	}
}

static void add_key(struct printer *printer, const char *name, size_t n)
{
	text_add_n(&printer->out, name, n);
	text_add(&printer->out, ":");
}

static void add_duration(struct text *out, const struct param *param, sim_time value)
{
	char text[48];
	duration_print(value, text, sizeof(text));
	bool off = value == SIM_NEVER && (param->flags & PARAM_OFF);
	bool is_auto = value == PARAM_AUTO_VALUE && (param->flags & PARAM_AUTO);
	bool none = value == -1 && (param->flags & PARAM_NONE);
	text_add(out, off ? "off" : is_auto ? "auto" : none ? "none" : text);
}

static void add_integer(struct text *out, const struct param *param, int64_t value)
{
	char text[48];
	if (param->kind == PARAM_BYTES) {
		bytes_print(value, text, sizeof(text));
	} else {
		snprintf(text, sizeof(text), "%lld", (long long)value);
	}
	bool none = value == -1 && (param->flags & PARAM_NONE);
	bool unlimited = value == INT64_MAX && (param->flags & PARAM_UNLIMITED);
	bool off = value == INT64_MAX && (param->flags & PARAM_OFF);
	bool is_auto = value == PARAM_AUTO_VALUE && (param->flags & PARAM_AUTO);
	text_add(out, none ? "none" : unlimited ? "unlimited" : off ? "off" : is_auto ? "auto" : text);
}

static void add_real(struct text *out, const struct param *param, double value)
{
	char text[48];
	if (param->kind == PARAM_BANDWIDTH) {
		bandwidth_print(value, text, sizeof(text));
	} else {
		real_print(value, text, sizeof(text));
	}
	if (param->kind == PARAM_BANDWIDTH && value == 0 && (param->flags & PARAM_UNLIMITED)) {
		text_add(out, "unlimited");
	} else if (param->kind == PARAM_REAL && value == -1 && (param->flags & PARAM_NONE)) {
		text_add(out, "none");
	} else {
		text_add(out, text);
		text_add(out, param->kind == PARAM_RATE ? " /s" : "");
	}
}

static void add_choice(struct text *out, const struct param *param, int index)
{
	const char *word = param->choices;
	for (; index > 0; index--) {
		word += strcspn(word, "|") + 1;
	}
	text_add_n(out, word, strcspn(word, "|"));
}

static void add_nodes(struct text *out, const struct node_list *nodes)
{
	if (nodes->leader) {
		text_add(out, "leader");
		return;
	}
	text_add(out, "[");
	for (size_t i = 0; i < nodes->n; i++) {
		char number[32];
		snprintf(number, sizeof(number), "%s%s%u", i ? ", " : "",
			nodes->nodes[i] < NODE_CLIENT ? "" : "client ", nodes->nodes[i] % NODE_CLIENT);
		text_add(out, number);
	}
	text_add(out, "]");
}

static void add_range(struct text *out, const struct param *param, const sim_time range[2])
{
	if (range[0] == SIM_NEVER || range[0] == PARAM_AUTO_VALUE) {
		add_duration(out, param, range[0]);
		return;
	}
	text_add(out, "[");
	add_duration(out, param, range[0]);
	text_add(out, ", ");
	add_duration(out, param, range[1]);
	text_add(out, "]");
}

/* Durations or numbers; nothing where there are none. */
static void add_list(struct text *out, const struct param *param, const void *at)
{
	const struct time_list *times = at;
	const struct number_list *numbers = at;
	bool durations = param->kind == PARAM_DURATIONS;
	size_t n = durations ? times->n : numbers->n;
	for (size_t i = 0; i < n; i++) {
		text_add(out, i ? ", " : "[");
		if (durations) {
			add_duration(out, param, times->times[i]);
		} else {
			add_real(out, param, numbers->numbers[i]);
		}
	}
	text_add(out, n > 0 ? "]" : "");
}

void value_print(
	struct text *out, const struct param *param, const struct tree *tree, const void *at)
{
	switch (param->kind) {
	case PARAM_INT:
	case PARAM_BYTES:
		add_integer(out, param, *(const int64_t *)at);
		break;
	case PARAM_REAL:
		/* -1 says that another key holds: not given, and so not printed. */
		if (*(const double *)at != -1 || !param->fallback || strcmp(param->fallback, "-1") != 0) {
			add_real(out, param, *(const double *)at);
		}
		break;
	case PARAM_RATE:
	case PARAM_BANDWIDTH:
		add_real(out, param, *(const double *)at);
		break;
	case PARAM_BOOL:
		text_add(out, *(const bool *)at ? "on" : "off");
		break;
	case PARAM_DURATION:
		add_duration(out, param, *(const sim_time *)at);
		break;
	case PARAM_DURATION_RANGE:
		add_range(out, param, at);
		break;
	case PARAM_DURATIONS:
	case PARAM_NUMBERS:
		add_list(out, param, at);
		break;
	case PARAM_CHOICE:
		add_choice(out, param, *(const int *)at);
		break;
	case PARAM_NODES:
		if (((const struct node_list *)at)->given) {
			add_nodes(out, at);
		}
		break;
	case PARAM_NAMES: {
		const struct name_list *names = at;
		text_add(out, "[");
		for (size_t i = 0; i < names->n; i++) {
			text_add(out, i ? ", " : "");
			tree_emit_scalar(names->names[i], out);
		}
		text_add(out, "]");
		break;
	}
	case PARAM_GROUPS: {
		const struct node_groups *groups = at;
		text_add(out, "[");
		for (size_t i = 0; i < groups->n; i++) {
			text_add(out, i ? ", " : "");
			add_nodes(out, &groups->groups[i]);
		}
		text_add(out, "]");
		break;
	}
	case PARAM_STRING:
		if (*(const char *const *)at) {
			tree_emit_scalar(*(const char *const *)at, out);
		} else if (param->flags & PARAM_NONE) {
			text_add(out, "none");
		}
		break;
	case PARAM_PATH:
	case PARAM_TABLE:
	case PARAM_MATRIX:
		if (tree) {
			tree_emit_flow(tree, out);
		}
		break;
	case PARAM_PLUGIN:
	case PARAM_PLUGINS:
		break;
	}
}

static void add_params(struct printer *printer, const struct tree *map, const struct param *table,
	const void *settings, unsigned depth);

/* What follows `key:` or `-` for a plugin, with the line's end. */
static void add_plugin(struct printer *printer, const struct tree *tree,
	const struct plugin_value *value, unsigned depth, bool in_list)
{
	struct text *out = &printer->out;
	text_add(out, " ");
	if (!value->plugin) {
		text_add(out, "none\n");
		return;
	}
	int64_t duration;
	if (tree && tree->kind == TREE_SCALAR && quantity_duration(tree->text, &duration) == QUANTITY_FINE) {
		char text[40];
		duration_print(duration, text, sizeof(text)); /* a constant delay, as it was given */
		text_add(out, text);
		text_add(out, "\n");
		return;
	}
	struct printer inner = *printer;
	inner.out = (struct text){0};
	add_params(&inner, tree, value->plugin->params, value->settings, depth + 1);
	printer->checker = inner.checker;
	if (inner.out.n == 0 && !in_list) {
		tree_emit_scalar(value->plugin->name, out);
		text_add(out, "\n");
		return;
	}
	if (!in_list) {
		out->bytes[--out->n] = '\0';
		text_add(out, "\n");
		indent(printer, depth + 1);
	}
	text_add(out, "kind: ");
	tree_emit_scalar(value->plugin->name, out);
	text_add(out, "\n");
	text_add(out, inner.out.bytes ? inner.out.bytes : "");
	text_free(&inner.out);
}

static void add_plugins(struct printer *printer, const struct tree *tree,
	const struct plugin_list *list, unsigned depth)
{
	text_add(&printer->out, list->n ? "\n" : " []\n");
	for (size_t i = 0; i < list->n; i++) {
		indent(printer, depth + 1);
		text_add(&printer->out, "-");
		add_plugin(printer, tree && tree->kind == TREE_LIST ? tree->values[i] : NULL,
			&list->values[i], depth + 1, true);
	}
}

static void add_param(struct printer *printer, const struct tree *map, const struct param *param,
	const void *settings, unsigned depth)
{
	struct place nowhere = {0};
	const char *dot = strchr(param->name, '.');
	const char *name = dot ? dot + 1 : param->name;
	const struct tree *tree = param_tree(map, param);
	const void *at = (const char *)settings + param->offset;
	if (!tree) {
		tree = fallback_tree(&printer->checker, param, nowhere);
	}
	if (!tree) {
		return;
	}
	struct text value = {0};
	if (param->kind == PARAM_PLUGIN || param->kind == PARAM_PLUGINS) {
		indent(printer, depth);
		add_key(printer, name, strlen(name));
		if (param->kind == PARAM_PLUGIN) {
			add_plugin(printer, tree, at, depth, false);
		} else {
			add_plugins(printer, tree, at, depth);
		}
		return;
	}
	value_print(&value, param, tree, at);
	if (value.n) {
		indent(printer, depth);
		add_key(printer, name, strlen(name));
		text_add(&printer->out, " ");
		text_add(&printer->out, value.bytes);
		bool was_auto = tree->kind == TREE_SCALAR && (param->flags & PARAM_AUTO) &&
						!strcmp(tree->text, "auto") && strcmp(value.bytes, "auto") != 0;
		text_add(&printer->out, was_auto ? "  # auto\n" : "\n");
	}
	text_free(&value);
}

static void add_params(struct printer *printer, const struct tree *map, const struct param *table,
	const void *settings, unsigned depth)
{
	for (const struct param *param = table; param && param->name; param++) {
		const char *dot = strchr(param->name, '.');
		if (dot) {
			size_t n = (size_t)(dot - param->name) + 1;
			if (param == table || strncmp(param[-1].name, param->name, n) != 0) {
				indent(printer, depth);
				add_key(printer, param->name, n - 1);
				text_add(&printer->out, "\n");
			}
		}
		add_param(printer, map, param, settings, depth + (dot != NULL));
	}
}

static void add_comment(struct text *out, const struct scenario_file *file, size_t point)
{
	const struct sweep *sweep = &file->sweep;
	if (sweep->n_keys == 0) {
		return;
	}
	char text[80];
	snprintf(text, sizeof(text), "# point %zu of %zu:", point, file->n_points);
	text_add(out, text);
	for (size_t i = 0; i < sweep->n_keys; i++) {
		text_add(out, i ? ", " : " ");
		text_add(out, excerpt(sweep->keys[i].path).text);
		text_add(out, " = ");
		text_add(out, excerpt(sweep->keys[i].cells[sweep_index(sweep, file->origins[point], i)].text).text);
	}
	text_add(out, "\n");
}

void scenario_print(const struct scenario_file *file, size_t point, FILE *out)
{
	assert(point < file->n_points);
	struct arena arena = {0};
	struct diagnostics *diagnostics = diagnostics_create();
	struct printer printer = {.checker = {.diagnostics = diagnostics,
								  .arena = &arena,
								  .scratch = &arena,
								  .pool = {.arena = &arena}}};
	const struct tree *tree =
		sweep_point(&file->sweep, &arena, file->root, file->origins[point], diagnostics);
	assert(diagnostics_count(diagnostics) == 0); /* it was read before */
	const struct scenario *scenario = &file->points[point];
	add_comment(&printer.out, file, point);
	/* The keys for predictions say nothing of a workload without, and are not printed for it. */
	static const char *const optional[] = {"predictor", "scorer", "aggregator"};
	const struct plugin_value *values[] = {
		&scenario->predictor, &scenario->scorer, &scenario->aggregator};
	struct param table[64];
	size_t n = 0;
	for (const struct param *param = scenario_params; param->name; param++) {
		bool print = true;
		for (size_t i = 0; i < 3; i++) {
			print &= strcmp(param->name, optional[i]) != 0 || values[i]->plugin;
		}
		if (print) {
			assert(n < 63);
			table[n++] = *param;
		}
	}
	table[n] = (struct param)PARAM_END;
	add_params(&printer, tree, table, scenario, 0);
	fputs(printer.out.bytes, out);
	text_free(&printer.out);
	checker_finish(&printer.checker);
	diagnostics_destroy(diagnostics);
	arena_finish(&arena);
}
