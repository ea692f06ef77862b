/* Many draws of a latency model, and what is known of them. */
#ifndef TESTS_SIM_DELAYS_H
#define TESTS_SIM_DELAYS_H

#include "engine/latency.h"

#include "sim/real.h"

#include <math.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_VALIDATORS 1001
#define N_MULTICASTS 400
#define N_DRAWS (N_MULTICASTS * (N_VALIDATORS - 1))
#define SIGMAS 4.0

static sim_time drawn_ns[N_DRAWS];

/* A model with its settings, as a scenario would fill them in. */
struct setup {
	const struct latency_model *model;
	alignas(16) char settings[sizeof(struct latency_regions)];
};

static inline const struct plugin *find(const struct registry *registry, const char *name)
{
	for (size_t i = 0; registry->plugins[i]; i++) {
		if (strcmp(registry->plugins[i]->name, name) == 0) {
			return registry->plugins[i];
		}
	}
	fail_msg("no %s \"%s\"", registry->sort, name);
	return NULL;
}

static inline struct setup setup_make(const char *kind)
{
	struct setup setup = {
		.model = (const struct latency_model *)find(&latency_registry, kind)};
	assert_true(setup.model->plugin.settings_size <= sizeof(setup.settings));
	return setup;
}

static const struct param *find_param(const struct setup *setup, const char *name)
{
	const struct param *param = setup->model->plugin.params;
	while (strcmp(param->name, name) != 0) {
		param++;
		assert_non_null(param->name);
	}
	return param;
}

static inline void set_time(struct setup *setup, const char *name, sim_time value_ns)
{
	const struct param *param = find_param(setup, name);
	assert_int_equal(param->kind, PARAM_DURATION);
	memcpy(setup->settings + param->offset, &value_ns, sizeof(value_ns));
}

static inline void set_real(struct setup *setup, const char *name, double value)
{
	const struct param *param = find_param(setup, name);
	assert_int_equal(param->kind, PARAM_REAL);
	memcpy(setup->settings + param->offset, &value, sizeof(value));
}

static inline sim_time p999_ns(const struct setup *setup, uint32_t n_validators)
{
	return setup->model->p999_ns(setup->settings, n_validators);
}

static inline sim_time draw_one(const struct setup *setup, struct random_key key, uint64_t number,
	uint32_t from, uint32_t to, uint32_t n_validators)
{
	sim_time delay_ns = -1;
	setup->model->draw(setup->settings, key, number, from, &to, 1, n_validators, &delay_ns);
	return delay_ns;
}

/* All others, in ascending order, as a multicast has them. */
static inline uint32_t others(uint32_t from, uint32_t n, uint32_t *to)
{
	uint32_t n_to = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (i != from) {
			to[n_to++] = i;
		}
	}
	return n_to;
}

static inline void draw_all(const struct setup *setup)
{
	static uint32_t to[N_VALIDATORS];
	for (uint32_t i = 0; i < N_MULTICASTS; i++) {
		uint32_t from = i % N_VALIDATORS;
		struct random_key key = random_key_make(11, RANDOM_LATENCY, from);
		uint32_t n = others(from, N_VALIDATORS, to);
		setup->model->draw(setup->settings, key, i, from, to, n, N_VALIDATORS, drawn_ns + i * n);
	}
}

static inline void assert_near(double got, double expected, double tolerance)
{
	if (!(fabs(got - expected) <= tolerance)) {
		fail_msg("got %.17g, expected %.17g +- %g", got, expected, tolerance);
	}
}

/* The share of draws of at most `delay_ns`. */
static inline void assert_share(double delay_ns, double share)
{
	size_t n = 0;
	for (size_t i = 0; i < N_DRAWS; i++) {
		n += (double)drawn_ns[i] <= delay_ns;
	}
	assert_near((double)n / N_DRAWS, share, SIGMAS * sqrt(share * (1 - share) / N_DRAWS));
}

/* Mean and standard deviation, where the fourth central moment is kurtosis * sd^4. */
static inline void assert_moments(double mean_ns, double sd_ns, double kurtosis)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < N_DRAWS; i++) {
		assert_true(drawn_ns[i] >= 0);
		sum += (double)drawn_ns[i] - mean_ns;
		squares += ((double)drawn_ns[i] - mean_ns) * ((double)drawn_ns[i] - mean_ns);
	}
	assert_near(sum / N_DRAWS, 0, SIGMAS * sd_ns / sqrt(N_DRAWS));
	assert_near(squares / N_DRAWS / (sd_ns * sd_ns), 1, SIGMAS * sqrt((kurtosis - 1) / N_DRAWS));
}

static inline void assert_refused(struct setup *setup, const char *param, const char *words)
{
	struct shape shape = {.n_validators = 4, .n_faulty = 1};
	const char *got_param = NULL;
	char error[256] = "";
	assert_false(setup->model->plugin.finish(setup->settings, &shape, &got_param, error));
	assert_string_equal(got_param, param);
	if (!strstr(error, words)) {
		fail_msg("\"%s\" doesn't say \"%s\"", error, words);
	}
	assert_true(strlen(error) <= 200);
}

static inline void finish(struct setup *setup)
{
	struct shape shape = {.n_validators = 4, .n_faulty = 1};
	const char *param = NULL;
	char error[256] = "";
	if (!setup->model->plugin.finish(setup->settings, &shape, &param, error)) {
		fail_msg("%s: %s", param, error);
	}
}

static inline struct csv_table samples_make(size_t n_rows, size_t n_columns, const double *cells)
{
	static const char *const names[] = {"a", "b"};
	return (struct csv_table){
		.n_rows = n_rows, .n_columns = n_columns, .column_names = names, .cells = cells};
}

static inline void set_samples(struct setup *setup, const struct csv_table *samples)
{
	memcpy(setup->settings + find_param(setup, "file")->offset, &samples, sizeof(samples));
}

static inline struct latency_regions *regions_of(struct setup *setup)
{
	return (struct latency_regions *)(void *)setup->settings;
}

static inline struct setup regions_make(const char *builtin, size_t n_places, const char *const *places)
{
	struct setup setup = setup_make("regions");
	regions_of(&setup)->matrix = find_param(&setup, "matrix")->builtin(builtin);
	assert_non_null(regions_of(&setup)->matrix);
	regions_of(&setup)->place = (struct name_list){.n = n_places, .names = places};
	return setup;
}

/* Jitter of 0 to 4 ms on the regions. */
static inline void regions_jitter(struct setup *setup, struct setup *jitter)
{
	const struct registry *registry = find_param(setup, "jitter")->registry;
	*jitter = setup_make("uniform");
	set_time(jitter, "min", 0);
	set_time(jitter, "max", 4 * SIM_MS);
	regions_of(setup)->jitter =
		(struct plugin_value){.plugin = find(registry, "uniform"), .settings = jitter->settings};
}

#endif
