/* All registries that a scenario can name, found by way of the parameters that take a plugin. */
#include "scenarios/scenario.h"

#include <string.h>

static size_t find(const struct param *table, const struct registry **out, size_t n, size_t max)
{
	for (const struct param *param = table; param && param->name; param++) {
		bool known = !param->registry;
		for (size_t i = 0; i < n && !known; i++) {
			known = !strcmp(out[i]->plural, param->registry->plural);
		}
		if (known || n == max) {
			continue;
		}
		out[n++] = param->registry;
		for (size_t i = 0; param->registry->plugins[i]; i++) {
			n = find(param->registry->plugins[i]->params, out, n, max);
		}
	}
	return n;
}

size_t scenario_registries(const struct registry **out, size_t max)
{
	return find(scenario_params, out, 0, max);
}
