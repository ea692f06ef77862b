#include "remarks.h"
#include "quantity.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "protocols/protocol.h"
#include "workloads/items.h"
#include "workloads/workload.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct remark {
	struct place place;
	char *path, *text;
	const char *when; /* the condition that does not hold, as the table has it; NULL: none */
	const char *fallback; /* of a key in vain; NULL: unset */
	bool is_vain, applies; /* a key in vain, and whether it is looked at somewhere after all */
	size_t point;          /* that it was found at */
};

struct remarks {
	struct remark *all;
	size_t n, capacity;
};

/* What one point is looked at with. */
struct look {
	struct remarks *remarks;
	const struct scenario *scenario;
	size_t point;
};

static void *must(void *memory)
{
	if (!memory) {
		abort();
	}
	return memory;
}

struct remarks *remarks_create(void)
{
	return must(calloc(1, sizeof(struct remarks)));
}

void remarks_destroy(struct remarks *remarks)
{
	for (size_t i = 0; i < remarks->n; i++) {
		free(remarks->all[i].path);
		free(remarks->all[i].text);
	}
	free(remarks->all);
	free(remarks);
}

/* The remark of that path and sort, made where there is none; NULL where there are too many. */
static struct remark *find(const struct look *look, const char *path, const char *when, bool is_vain,
	struct place place)
{
	struct remarks *remarks = look->remarks;
	for (size_t i = 0; i < remarks->n; i++) {
		const struct remark *remark = &remarks->all[i];
		if (remark->is_vain == is_vain && remark->when == when && !strcmp(remark->path, path)) {
			return &remarks->all[i];
		}
	}
	if (remarks->n == DIAGNOSTICS_MAX) {
		return NULL;
	}
	if (remarks->n == remarks->capacity) {
		remarks->capacity = remarks->capacity * 2 + 8;
		remarks->all = must(realloc(remarks->all, remarks->capacity * sizeof(*remarks->all)));
	}
	struct remark *remark = &remarks->all[remarks->n++];
	*remark = (struct remark){.place = place,
		.path = must(strdup(path)),
		.when = when,
		.is_vain = is_vain,
		.point = look->point};
	return remark;
}

/* Adds `PATH TEXT`, unless something is said of that path already. */
static void say(const struct look *look, const char *path, struct place place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void say(const struct look *look, const char *path, struct place place, const char *format, ...)
{
	struct remark *remark = find(look, path, NULL, false, place);
	if (!remark || remark->text) {
		return;
	}
	char text[400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	remark->text = must(strdup(text));
}

/* A parameter, where its value lies, and its path. */
struct found {
	const struct param *param; /* NULL: there is none */
	const void *at;
	char path[200];
};

/* What stands at a dotted path of a table; sections have names with a dot. */
static struct found look_up(const struct param *table, const void *settings, const char *path)
{
	for (const struct param *param = table; param && param->name; param++) {
		size_t n = strlen(param->name);
		const void *at = (const char *)settings + param->offset;
		if (strncmp(param->name, path, n) != 0 || param->kind == PARAM_NAMES) {
			continue;
		}
		if (!path[n]) {
			return (struct found){.param = param, .at = at};
		}
		const struct plugin_value *value = at;
		if (path[n] == '.' && param->kind == PARAM_PLUGIN && value->plugin && value->settings) {
			return look_up(value->plugin->params, value->settings, path + n + 1);
		}
	}
	return (struct found){.param = NULL};
}

/* By the name of a neighbour in the table, or else by a path from the top. */
static struct found look_about(const struct look *look, const struct param *table, const void *settings,
	const struct path *path, const char *name)
{
	struct found found = look_up(table, settings, name);
	if (found.param && path) {
		const struct path at = {path, name, 0};
		snprintf(found.path, sizeof(found.path), "%s", path_text(&at).text);
		return found;
	}
	found = look_up(scenario_params, look->scenario, name);
	snprintf(found.path, sizeof(found.path), "%s", name);
	return found;
}

/* A value as `when` spells it. */
static void spell(const struct found *found, struct text *out)
{
	switch (found->param->kind) {
	case PARAM_PLUGIN: {
		const struct plugin_value *value = found->at;
		text_add(out, value->plugin ? value->plugin->name : "none");
		break;
	}
	case PARAM_PLUGINS:
		text_add(out, ((const struct plugin_list *)found->at)->n ? "some" : "none");
		break;
	case PARAM_TABLE:
	case PARAM_MATRIX:
		text_add(out, *(const void *const *)found->at ? "some" : "none");
		break;
	default:
		value_print(out, found->param, NULL, found->at);
		text_add(out, out->n ? "" : "none");
		break;
	}
}

static double number_of(const struct found *found)
{
	bool real = found->param->kind == PARAM_REAL || found->param->kind == PARAM_RATE ||
				found->param->kind == PARAM_BANDWIDTH;
	return real ? *(const double *)found->at : (double)*(const int64_t *)found->at;
}

/* Is the text one of `a|b|c`? */
static bool is_one_of(const char *text, const char *words)
{
	for (size_t n; *words; words += n + (words[n] == '|')) {
		n = strcspn(words, "|");
		if (strlen(text) == n && !strncmp(text, words, n)) {
			return true;
		}
	}
	return false;
}

/* Does `KEY OP VALUES` hold? `out` says it in words, "protocol.reads is lease". */
static bool holds(const struct look *look, const struct param *table, const void *settings,
	const struct path *path, const char *when, char *out, size_t size)
{
	char key[100], op[3], values[100];
	int n = sscanf(when, "%99s %2s %99[^\n]", key, op, values);
	assert(n == 3);
	struct found found = look_about(look, table, settings, path, key);
	const char *words = !strcmp(op, "=") ? "is" : !strcmp(op, "!=") ? "is not" : "is above";
	size_t at = (size_t)snprintf(out, size, "%s %s ", found.path, words);
	for (const char *c = values; *c && at + 5 < size; c++) {
		at += (size_t)snprintf(out + at, size - at, *c == '|' ? " or " : "%c", *c);
	}
	if (!found.param) {
		return false;
	}
	if (*op == '>') {
		return number_of(&found) > strtod(values, NULL);
	}
	struct text text = {0};
	spell(&found, &text);
	bool same = is_one_of(text.bytes, values);
	text_free(&text);
	return same == !strcmp(op, "=");
}

/* Something of a key in vain: `applies` where it isn't here. */
static void say_vain(const struct look *look, const struct path *path, struct place place,
	const char *fallback, const char *when, bool applies, const char *format, ...)
	__attribute__((format(printf, 7, 8)));
static void say_vain(const struct look *look, const struct path *path, struct place place,
	const char *fallback, const char *when, bool applies, const char *format, ...)
{
	struct remark *remark = find(look, path_text(path).text, when, true, place);
	if (!remark) {
		return;
	}
	remark->applies |= applies;
	remark->fallback = fallback;
	if (!applies && !remark->text) {
		char why[400], text[700];
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(why, sizeof(why), format, arguments);
		va_end(arguments);
		snprintf(text, sizeof(text), "%s has no effect here: %s", remark->path, why);
		remark->text = must(strdup(text));
	}
}

static bool is_duration(const struct param *param)
{
	return param->kind == PARAM_DURATION || param->kind == PARAM_DURATION_RANGE;
}

static bool is_set(sim_time value)
{
	return value >= 0 && value != SIM_NEVER;
}

/* Timers that wait for less than an answer takes, or for longer than another that goes off first. */
static void look_at_timer(const struct look *look, const struct param *table, const void *settings,
	const struct param *param, const struct path *up, struct place place)
{
	const struct path path = {up, param->name, 0};
	const struct path_text name = path_text(&path);
	sim_time value = *(const sim_time *)(const void *)((const char *)settings + param->offset);
	sim_time delay = look->scenario->shape.delay_p999_ns;
	sim_time costs = look->scenario->shape.round_ns;
	sim_time round_trip = sim_time_add(sim_time_add(delay, delay), costs);
	char own[48], other[48];
	duration_print(value, own, sizeof(own));
	if (!is_set(value)) {
		return;
	}
	if (param->auto_delays[0] > 0 && value < round_trip) {
		duration_print(round_trip, other, sizeof(other));
		say(look, name.text, place,
			"%s: %s is below the network's round trip of up to %s (99.9 %%%s): it goes off while the answer "
			"is still on its way; `auto` is %g one-way delays",
			name.text, own, other, costs > 0 ? ", processors and cards included" : "",
			param->auto_delays[0]);
	}
	if (param->below) {
		struct found found = look_about(look, table, settings, up, param->below);
		sim_time limit = found.param && is_duration(found.param) ? *(const sim_time *)found.at : SIM_NEVER;
		if (is_set(limit) && value >= limit) {
			duration_print(limit, other, sizeof(other));
			say(look, name.text, place, "%s: %s is not below %s, which is %s and goes off first", name.text, own,
				found.path, other);
		}
	}
}

static void look_at(const struct look *look, const struct param *table, const void *settings,
	const struct tree *map, const struct path *path, const char *idle, const char *owner);

static void look_at_plugin(const struct look *look, const struct plugin_value *value,
	const struct tree *tree, const struct path *path, const char *idle, const char *owner)
{
	if (!value->plugin || !value->settings) {
		return;
	}
	if (value->plugin->when) {
		char words[300];
		bool applies = holds(look, NULL, NULL, NULL, value->plugin->when, words, sizeof(words));
		say_vain(look, path, tree->place, NULL, value->plugin->when, applies, "%s does something only where %s",
			value->plugin->name, words);
	}
	/* An attack may draw on what was learned from, whoever made nothing of it. */
	bool is_idle = !idle && look->scenario->attacks.n == 0;
	look_at(look, value->plugin->params, value->settings, tree, path, is_idle ? value->plugin->idle : idle,
		is_idle ? value->plugin->name : owner);
}

/* All that is written of a table. Of the parameters `idle`, "A|B", the `owner` makes nothing. */
static void look_at(const struct look *look, const struct param *table, const void *settings,
	const struct tree *map, const struct path *path, const char *idle, const char *owner)
{
	for (const struct param *param = table; param && param->name; param++) {
		const struct tree *tree = param_tree(map, param);
		const void *at = (const char *)settings + param->offset;
		const struct path below = {path, param->name, 0};
		if (!tree) {
			continue;
		}
		if (param->when) {
			char words[300];
			bool applies = holds(look, table, settings, path, param->when, words, sizeof(words));
			say_vain(look, &below, tree->place, param->fallback, param->when, applies, "it is looked at only where %s", words);
		}
		if (idle && is_one_of(param->name, idle)) {
			say_vain(look, &below, tree->place, param->fallback, idle, false, "%s makes nothing of it", owner);
		}
		if (is_duration(param)) {
			look_at_timer(look, table, settings, param, path, tree->place);
		}
		if (param->kind == PARAM_PLUGIN) {
			look_at_plugin(look, at, tree, &below, param->idle, path_text(path).text);
		}
		const struct plugin_list *list = at;
		for (size_t i = 0; param->kind == PARAM_PLUGINS && tree->kind == TREE_LIST && i < list->n; i++) {
			const struct path entry = {&below, NULL, i};
			look_at_plugin(
				look, &list->values[i], tree->values[i], &entry, param->idle, path_text(path).text);
		}
	}
}

/* The fewest validators of which one may be faulty; 0: none of a few. */
static uint32_t fewest_with_faulty(const struct protocol *protocol, const void *settings)
{
	uint32_t n = 1;
	while (n < 100 && protocol->faulty_most(settings, n) == 0) {
		n++;
	}
	return n < 100 ? n : 0;
}

/* Attackers that are nobody, and those against whom nothing is promised. */
static void look_at_attacks(const struct look *look, const struct tree *root)
{
	const struct scenario *scenario = look->scenario;
	const struct protocol *protocol = (const void *)scenario->protocol.plugin;
	const struct path up = {NULL, "attacks", 0};
	uint32_t n = (uint32_t)scenario->n_validators;
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct path path = {&up, NULL, i};
		const struct path_text name = path_text(&path);
		const struct attack *attack = (const void *)scenario->attacks.values[i].plugin;
		const struct attack_common *common = scenario->attacks.values[i].settings;
		struct place place = tree_get(root, "attacks")->values[i]->place;
		if (common->fraction > 0 && attack_count(common->fraction, n) == 0) {
			say(look, name.text, place, "%s: no validator attacks: %g of %u rounds to 0", name.text,
				common->fraction, n);
		} else if (attack_on_nodes(attack) && protocol->byzantine && scenario->n_faulty == 0 &&
				   common->fraction != 0 && common->count != 0) {
			say(look, name.text, place,
				"%s: faulty is 0, so that %s with %u validators promises nothing once one of them lies; "
				"f is 1 from validators: %u on",
				name.text, protocol->plugin.name, n, fewest_with_faulty(protocol, scenario->protocol.settings));
		}
	}
}

/* The words of `record` for tables that stay empty unless something is predicted; how many. */
static size_t words_of_predictions(const char *words[TABLE_N])
{
	size_t n = 0;
	for (const struct table *table = result_tables; table < result_tables + TABLE_N; table++) {
		if (table->predicted && table->with == NULL) {
			words[n++] = table->name;
		}
	}
	return n;
}

static bool brings(const struct app *app, const struct table *table)
{
	for (const struct table *its = app->tables; its != NULL && its->name != NULL; its++) {
		if (strcmp(its->name, table->name) == 0) {
			return true;
		}
	}
	return false;
}

/* Tables that stay empty. */
static void look_at_record(const struct look *look, const struct tree *root)
{
	const struct tree *tree = tree_get(root, "record");
	const struct app *app = (const void *)look->scenario->workload.plugin;
	const struct path path = {NULL, "record", 0};
	const struct table *tables[SCENARIO_TABLES_MAX];
	size_t n_tables = tree == NULL ? 0 : scenario_tables(tables, SCENARIO_TABLES_MAX);
	bool of_predictions = false;
	for (size_t i = 0; i < n_tables; i++) {
		bool asked = scenario_records(look->scenario, tables[i]);
		of_predictions |= asked && tables[i]->predicted;
		if (asked && i >= TABLE_N) {
			say_vain(look, &path, tree->place, NULL, tables[i]->name, brings(app, tables[i]),
				"%s stays empty with `%s`, which has no such table", tables[i]->name, app->plugin.name);
		}
	}
	if (of_predictions) {
		const char *words[TABLE_N];
		size_t n = words_of_predictions(words);
		char all[400];
		names_join(all, sizeof(all), words, n, " and ");
		say_vain(look, &path, tree->place, NULL, NULL, !app->has_clients,
			"%s stay empty with `%s`, which has no predictions", all, app->plugin.name);
	}
}

/* Faults on a leader that nobody is. */
static void look_at_faults(const struct look *look, const struct tree *root)
{
	const struct plugin_list *faults = &look->scenario->faults;
	const struct protocol *protocol = (const void *)look->scenario->protocol.plugin;
	const struct path up = {NULL, "faults", 0};
	for (size_t i = 0; i < faults->n && !protocol->leader_based; i++) {
		const struct plugin_value *fault = &faults->values[i];
		const struct path path = {&up, NULL, i};
		for (const struct param *param = fault->plugin->params; param->name; param++) {
			const struct node_list *nodes = (const void *)((const char *)fault->settings + param->offset);
			if (param->kind == PARAM_NODES && nodes->leader) {
				const struct path_text name = path_text(&path);
				say(look, name.text, tree_get(root, "faults")->values[i]->place,
					"%s (%s) is on `leader`, and `%s` has no leader", name.text, fault->plugin->name,
					protocol->plugin.name);
			}
		}
	}
}

void remarks_point(struct remarks *remarks, const struct tree *root, const struct scenario *scenario,
	size_t point)
{
	const struct look look = {remarks, scenario, point};
	look_at(&look, scenario_params, scenario, root, NULL, NULL, NULL);
	look_at_attacks(&look, root);
	look_at_record(&look, root);
	look_at_faults(&look, root);
}

void remarks_add(const struct remarks *remarks, const struct remarks_teller *teller,
	struct diagnostics *diagnostics)
{
	for (size_t i = 0; i < remarks->n; i++) {
		const struct remark *remark = &remarks->all[i];
		if (!remark->text || remark->applies ||
			(remark->is_vain && remark->fallback &&
				!teller->differs(
					teller->context, remark->point, remark->path, remark->fallback))) {
			continue;
		}
		struct text where = {0};
		if (!remark->is_vain) {
			teller->name_point(teller->context, remark->point, &where);
		}
		diagnostics_remark(
			diagnostics, remark->place, "%s%s", remark->text, where.n ? where.bytes : "");
		text_free(&where);
	}
}
