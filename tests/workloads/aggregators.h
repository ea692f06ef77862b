/* Rules with settings that tests of all of them can use, and applied. */
#ifndef TESTS_AGGREGATORS_H
#define TESTS_AGGREGATORS_H

#include "settings.h"

#define DIMS_MAX 4
#define N_MAX 16

/* The r-th of all rules, or NULL. */
static inline const char *rule_name(size_t r)
{
	const struct plugin *rule = aggregator_registry.plugins[r];
	return rule != NULL ? rule->name : NULL;
}

struct fixture {
	struct arena arena;
};

static inline int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state == NULL;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_finish(&f->arena);
	free(f);
	return 0;
}

static inline bool has_param(const struct plugin *plugin, const char *name)
{
	for (const struct param *param = plugin->params; param->name; param++) {
		if (strcmp(param->name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* A rule with its defaults, but tau. */
static inline struct plugin_value rule_make(struct fixture *f, const char *name)
{
	struct plugin_value rule = plugin_make(&f->arena, &aggregator_registry, name);
	set_int(rule, "s", 2);
	if (has_param(rule.plugin, "m")) {
		set_int(rule, "m", PARAM_AUTO_VALUE);
	}
	if (has_param(rule.plugin, "tau")) {
		set_real(rule, "tau", 1);
		set_int(rule, "iterations", 3);
	}
	if (has_param(rule.plugin, "bin")) {
		set_real(rule, "bin", 1);
	}
	if (has_param(rule.plugin, "cap")) {
		set_real(rule, "cap", 4);
	}
	return rule;
}

static inline struct plugin_value mixed_make(struct fixture *f, const char *name, enum mixing before)
{
	struct plugin_value rule = rule_make(f, name);
	*(int *)setting(rule, "before", PARAM_CHOICE) = before;
	return rule;
}

static inline void apply(struct fixture *f, struct plugin_value rule, const double *values, uint32_t n,
	uint32_t dims, uint32_t n_faulty, double *out)
{
	char error[256] = "";
	const struct rows rows = {.n = n, .dims = dims, .values = values};
	if (!aggregator_check(&rule, &rows, n_faulty, error)) {
		fail_msg("%s: %s", rule.plugin->name, error);
	}
	aggregator_apply(&rule, &rows, n_faulty, out, &f->arena);
}

static inline double number(
	struct fixture *f, const char *name, const double *values, uint32_t n, uint32_t n_faulty)
{
	double out;
	apply(f, rule_make(f, name), values, n, 1, n_faulty, &out);
	return out;
}

static inline void expect_row(const double *row, double a, double b, double c, double tolerance)
{
	assert_near(row[0], a, tolerance);
	assert_near(row[1], b, tolerance);
	assert_near(row[2], c, tolerance);
}

static inline void fill_normal(struct random_stream *stream, double *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		values[i] = random_normal(stream);
	}
}

#endif
