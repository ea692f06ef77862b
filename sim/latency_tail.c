/* Delays with tails: Pareto's law, and samples that were measured. */
#include "latency_draw.h"

#include "sim/real.h"
#include "sim/columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pareto {
	sim_time min_ns;
	double shape;
};

static const struct param pareto_params[] = {
	{.name = "min", .kind = PARAM_DURATION, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct pareto, min_ns), .unit = "s", .help = "the shortest delay"},
	{.name = "shape", .kind = PARAM_REAL, .flags = PARAM_REQUIRED | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct pareto, shape), .min = 0, .max = 1000, .unit = "",
		.help = "the tail's exponent: P(delay > x) = (min / x)^shape; the mean is finite above 1"},
	PARAM_END,
};

/* By inversion: min u^(-1/shape), u uniform in (0, 1]. */
static void pareto_draw(const void *settings, struct random_key key, uint64_t number, uint32_t from,
	const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct pareto *pareto = settings;
	double min = (double)pareto->min_ns;
	double x[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_units, key, number, to + i, n - i, x);
		for (uint32_t k = 0; k < n_drawn; k++) {
			x[k] = 1 - x[k]; /* never 0 */
		}
		real_log_all(x, n_drawn);
		for (uint32_t k = 0; k < n_drawn; k++) {
			x[k] /= -pareto->shape;
		}
		real_exp_all(x, n_drawn);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(min * x[k]);
		}
	}
}

static sim_time pareto_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct pareto *pareto = settings;
	return delay_of((double)pareto->min_ns * real_exp(-real_log(1 - P999) / pareto->shape));
}

const struct latency_model latency_model_pareto = {
	.plugin = {.name = "pareto", .summary = "Pareto's law: a heavy tail, above a least delay",
		.params = pareto_params, .settings_size = sizeof(struct pareto)},
	.draw = pareto_draw,
	.p999_ns = pareto_p999_ns,
};

struct empirical {
	const struct csv_table *samples;
	sim_time p999_ns; /* made by `finish` */
};

static const struct param empirical_params[] = {
	{.name = "file", .kind = PARAM_TABLE, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct empirical, samples), .unit = "ms",
		.help = "a CSV file with a header and one column: one-way delays in ms, each as likely as another"},
	PARAM_END,
};

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

static bool empirical_finish(void *settings, const struct shape *shape, const char **param,
	char error[256])
{
	struct empirical *empirical = settings;
	const struct csv_table *samples = empirical->samples;
	size_t n = samples->n_rows;
	*param = "file";
	if (samples->n_columns != 1 || n == 0) {
		snprintf(error, 256, "must hold a header and one column of delays in ms, got %zu columns of %zu",
			samples->n_columns, n);
		return false;
	}
	if (!column_numbers_check(samples, 0, "ms", error)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(samples->cells[i]) || samples->cells[i] < 0) {
			snprintf(error, 256, "must hold delays in ms of at least 0, got %g in row %zu",
				samples->cells[i], i + 1);
			return false;
		}
	}
	double *sorted = malloc(n * sizeof(*sorted));
	if (sorted == NULL) {
		snprintf(error, 256, "needs more memory than there is");
		return false;
	}
	memcpy(sorted, samples->cells, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	/* The least sample that 99.9 % of them don't exceed. */
	empirical->p999_ns = delay_of(sorted[(n * 999 + 999) / 1000 - 1] * 1e6);
	free(sorted);
	return true;
}

static void empirical_draw(const void *settings, struct random_key key, uint64_t number, uint32_t from,
	const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns)
{
	const struct empirical *empirical = settings;
	const double *delays_ms = empirical->samples->cells;
	double n_samples = (double)empirical->samples->n_rows;
	double units[CHUNK];
	uint32_t n_drawn;
	for (uint32_t i = 0; i < n; i += n_drawn) {
		n_drawn = draw_piece(&drawing_units, key, number, to + i, n - i, units);
		for (uint32_t k = 0; k < n_drawn; k++) {
			delays_ns[i + k] = delay_of(delays_ms[(size_t)(units[k] * n_samples)] * 1e6);
		}
	}
}

static sim_time empirical_p999_ns(const void *settings, uint32_t n_validators)
{
	const struct empirical *empirical = settings;
	return empirical->p999_ns;
}

const struct latency_model latency_model_empirical = {
	.plugin = {.name = "empirical", .summary = "delays that were measured: samples from a file",
		.params = empirical_params, .settings_size = sizeof(struct empirical),
		.finish = empirical_finish},
	.draw = empirical_draw,
	.p999_ns = empirical_p999_ns,
};
