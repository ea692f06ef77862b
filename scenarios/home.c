/* Where a key belongs that stands in the wrong place: found by going through all tables. */
#include "check.h"

#include <string.h>

#define DEPTH_MAX 4 /* of plugins within plugins: some may hold others of their own sort */

/* What people call some keys elsewhere. */
static const char *const other_names[][2] = {
	{"n", "validators"},
	{"nodes", "validators"},
	{"f", "faulty"},
	{"runs", "replications"},
	{"repetitions", "replications"},
	{"duration", "stop.time"},
	{"delay", "network.latency"},
};

/* Adds `path (a, b)`: which plugins of a registry have the key; without the names where all have. */
static void add_registry(
	struct words *out, const struct registry *registry, const char *key, const struct path *path)
{
	struct words names = {.n = 0};
	size_t n = 0, n_with = 0;
	for (; registry->plugins[n]; n++) {
		if (param_find(registry->plugins[n]->params, key)) {
			words_add(&names, registry->plugins[n]->name);
			n_with++;
		}
	}
	if (n_with > 0) {
		char home[sizeof(names.text) + 240];
		snprintf(home, sizeof(home), n_with < n ? "%s (%s)" : "%s", path_text(path).text, names.text);
		if (!strstr(out->text, home)) {
			words_add(out, home);
		}
	}
}

static void search(struct words *out, const struct param *table, const char *key,
	const struct path *path, unsigned depth)
{
	for (const struct param *param = table; param && param->name; param++) {
		const struct path at = {path, param->name, 0};
		const char *dot = strchr(param->name, '.');
		if (!path && dot && !strcmp(dot + 1, key)) {
			char section[40];
			snprintf(section, sizeof(section), "%.*s", (int)(dot - param->name), param->name);
			words_add(out, section);
		} else if (!path && !strcmp(param->name, key)) {
			words_add(out, "the top");
		}
		if (!param->registry || depth == DEPTH_MAX) {
			continue;
		}
		add_registry(out, param->registry, key, &at);
		for (size_t i = 0; param->registry->plugins[i]; i++) {
			search(out, param->registry->plugins[i]->params, key, &at, depth + 1);
		}
	}
}

struct words words_home(const char *key)
{
	struct words found = {.n = 0}, out = {.n = 0};
	if (strlen(key) > 40) {
		return out;
	}
	const char *dot = strchr(key, '.');
	if (dot) { /* as the keys are called everywhere, but in a scenario */
		char text[160], nested[60] = "keys are nested";
		if (!strchr(dot + 1, '.')) {
			snprintf(nested, sizeof(nested), "write `%.*s: {%s: ...}`", (int)(dot - key), key, dot + 1);
		}
		snprintf(text, sizeof(text), "dotted paths are for `sweep`, `zip` and --set; here %s", nested);
		out.n = (size_t)snprintf(out.text, sizeof(out.text), "%s", text);
		return out;
	}
	search(&found, scenario_params, key, NULL, 0);
	for (size_t i = 0; i < sizeof(other_names) / sizeof(other_names[0]); i++) {
		if (!found.n && !strcmp(other_names[i][0], key)) {
			char text[80];
			snprintf(text, sizeof(text), "it is called `%s` here", other_names[i][1]);
			words_add(&out, text);
		}
	}
	if (found.n) {
		char text[sizeof(found.text) + 20];
		snprintf(text, sizeof(text), "it belongs under %s", found.text);
		out.n = (size_t)snprintf(out.text, sizeof(out.text), "%s", text);
		out.n = out.n < sizeof(out.text) ? out.n : sizeof(out.text) - 1;
	}
	return out;
}
