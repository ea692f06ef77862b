#include "candidates.h"
#include "craft.h"

#include <gsl/gsl_sort.h>
#include <stdlib.h>
#include <string.h>

static int n_choices(const struct param *param)
{
	int n = 1;
	for (const char *at = param->choices; *at != '\0'; at++) {
		n += *at == '|';
	}
	return n;
}

static int choice_of(const struct param *param)
{
	size_t length = strlen(param->fallback);
	int choice = 0;
	for (const char *at = param->choices; strncmp(at, param->fallback, length) != 0 ||
		 (at[length] != '|' && at[length] != '\0');
		choice++) {
		at += strcspn(at, "|") + 1;
	}
	return choice;
}

/* Fills in the defaults of what is a number or a choice: crafted rows depend on nothing else. */
static void defaults(const struct plugin *plugin, char *settings)
{
	for (const struct param *param = plugin->params; param->name != NULL; param++) {
		void *at = settings + param->offset;
		if (param->kind == PARAM_REAL) {
			*(double *)at = strtod(param->fallback, NULL);
		} else if (param->kind == PARAM_INT) {
			*(int64_t *)at = strtoll(param->fallback, NULL, 10);
		} else if (param->kind == PARAM_CHOICE) {
			*(int *)at = choice_of(param);
		}
	}
}

/* Goes on to the next combination of choices; false after the last. */
static bool next(const struct plugin *plugin, char *settings)
{
	for (const struct param *param = plugin->params; param->name != NULL; param++) {
		if (param->kind == PARAM_CHOICE) {
			int *choice = (int *)(void *)(settings + param->offset);
			*choice = (*choice + 1) % n_choices(param);
			if (*choice != choice_of(param)) {
				return true;
			}
		}
	}
	return false;
}

void candidates_of_attacks(
	const struct craft_view *view, double *rows, void (*take)(void *context), void *context)
{
	struct arena scratch = {0};
	for (size_t i = 0; attack_registry.plugins[i] != NULL; i++) {
		/* the plugin is the first member of its attack */
		const struct attack *attack = (const void *)attack_registry.plugins[i];
		if ((attack->craft == NULL && attack->rewrite == NULL) || attack->uses_model ||
			attack->uses_defence) {
			continue;
		}
		struct plugin_value value = {
			&attack->plugin, arena_alloc(&scratch, attack->plugin.settings_size)};
		defaults(&attack->plugin, value.settings);
		do {
			struct random_stream stream = *view->stream;
			struct craft_view mine = *view;
			char error[256];
			mine.stream = &stream;
			if (attack_rows(&value, &mine, rows, error)) {
				take(context);
			}
		} while (next(&attack->plugin, value.settings));
	}
	arena_finish(&scratch);
}

/* Which of the n honest ones is the i-th of `few`. */
static uint32_t spread(uint32_t i, uint32_t few, uint32_t n)
{
	return few == n ? i : (uint32_t)((uint64_t)i * (n - 1) / (few - 1));
}

static uint32_t few_of(uint32_t n)
{
	return n < CANDIDATE_ROWS_MAX ? n : CANDIDATE_ROWS_MAX;
}

/* The order statistics by coordinate: row r has the r-th of each. */
static double *ordered(const struct craft_view *view, struct arena *scratch)
{
	size_t dims = view->dims;
	double *sorted = arena_array(scratch, double, view->n_honest * dims);
	memcpy(sorted, view->honest, view->n_honest * dims * sizeof(*sorted));
	for (size_t k = 0; k < dims; k++) {
		gsl_sort(sorted + k, dims, view->n_honest);
	}
	return sorted;
}

void candidates_of_rows(
	const struct craft_view *view, double *rows, void (*take)(void *context), void *context)
{
	struct arena scratch = {0};
	uint32_t n = view->n_honest, dims = view->dims, few = few_of(n);
	const double *sorted = ordered(view, &scratch);
	for (uint32_t i = few; i-- > 0;) { /* up before down */
		const double *rank = craft_row(sorted, spread(i, few, n), dims);
		craft_same(view, rank, rows);
		take(context);
		if (dims > 1) {
			craft_same(view, craft_row(view->honest, spread(i, few, n), dims), rows);
			take(context);
		}
		if (i + 1 < few) {
			for (uint32_t k = 0; k < dims; k++) {
				rows[k] = .5 * rank[k] + .5 * rank[dims + k];
			}
			craft_same(view, rows, rows);
			take(context);
		}
	}
	arena_finish(&scratch);
}

uint32_t candidates_of_numbers(const struct craft_view *view, double out[2 * CANDIDATE_ROWS_MAX])
{
	struct arena scratch = {0};
	uint32_t n = view->n_honest, few = few_of(n), n_out = 0;
	const double *sorted = ordered(view, &scratch);
	assert(view->dims == 1);
	for (uint32_t i = 0; i < few; i++) {
		uint32_t at = spread(i, few, n);
		out[n_out++] = sorted[at];
		if (i + 1 < few) {
			out[n_out++] = .5 * sorted[at] + .5 * sorted[at + 1];
		}
	}
	arena_finish(&scratch);
	return n_out;
}
