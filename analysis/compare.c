#include "comparison.h"

#include "layout.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DONE 0
#define WRONG_REQUEST 2
#define WRONG_ENVIRONMENT 3

/* All pairs of so many values are shown; beyond, a reference is to be named. */
#define LEVELS_MAX 100

static void compare_pair(struct compare *compare, const struct arm *a, const struct arm *b)
{
	const struct arms *arms = &compare->arms;
	struct comparison comparison = {.a = a, .b = b, .adjusted_p = NAN, .same = SIZE_MAX};
	size_t n = 0, i = 0, k = 0;
	while (i < a->n && k < b->n) {
		size_t x = arms->rows[a->first + i], y = arms->rows[b->first + k];
		int64_t s = compare->frame.replication[x], t = compare->frame.replication[y];
		i += s <= t;
		k += t <= s;
		if (s != t) {
			continue;
		}
		if (isnan(compare->values[x]) || isnan(compare->values[y])) {
			comparison.n_undefined++;
			continue;
		}
		compare->pairs[0][n] = compare->values[x];
		compare->pairs[1][n++] = compare->values[y];
	}
	if (n > 0) {
		comparison.paired = paired_compare(compare->pairs[0], compare->pairs[1], n);
	}
	if (compare->n_comparisons == compare->capacity) {
		compare->capacity = compare->capacity == 0 ? 64 : 2 * compare->capacity;
		struct comparison *more = figure_take(compare->capacity, sizeof(*more));
		if (compare->n_comparisons > 0) {
			memcpy(more, compare->comparisons, compare->n_comparisons * sizeof(*more));
		}
		free(compare->comparisons);
		compare->comparisons = more;
	}
	compare->comparisons[compare->n_comparisons++] = comparison;
}

/* Which two sets of values a comparison is of, in whichever order. */
struct pair_at {
	size_t low, high, place;
};

static int compare_pairs(const void *a, const void *b)
{
	const struct pair_at *x = a, *y = b;
	if (x->low != y->low) {
		return x->low < y->low ? -1 : 1;
	}
	if (x->high != y->high) {
		return x->high < y->high ? -1 : 1;
	}
	return (x->place > y->place) - (x->place < y->place);
}

/* A key that changes nothing, to the last digit, repeats every comparison at each of its values: that is one
 * finding, and one test of the family. Two arms that are equal test nothing. */
static void find_repeated(struct compare *compare)
{
	struct pair_at *pairs = figure_take(compare->n_comparisons, sizeof(*pairs));
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		size_t a = compare->comparisons[i].a->same, b = compare->comparisons[i].b->same;
		pairs[i] = (struct pair_at){a < b ? a : b, a < b ? b : a, i};
	}
	qsort(pairs, compare->n_comparisons, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		struct comparison *comparison = &compare->comparisons[pairs[i].place];
		if (comparison->paired.n == 0) {
			compare->n_undefined++; /* not equal: there is nothing of either */
			continue;
		}
		if (pairs[i].low == pairs[i].high) {
			comparison->same = pairs[i].place;
			compare->n_equal++;
		} else if (i > 0 && pairs[i - 1].low == pairs[i].low && pairs[i - 1].high == pairs[i].high) {
			const struct comparison *before = &compare->comparisons[pairs[i - 1].place];
			comparison->same = before->same != SIZE_MAX ? before->same : pairs[i - 1].place;
			compare->n_repeated++;
		}
	}
	free(pairs);
}

static void adjust(struct compare *compare)
{
	double *p = figure_take(compare->n_comparisons, sizeof(*p));
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		const struct comparison *comparison = &compare->comparisons[i];
		p[i] = comparison->same == SIZE_MAX && comparison->paired.n > 0 ? comparison->paired.signed_rank_p
																		 : NAN;
		compare->n_family += !isnan(p[i]);
	}
	holm_adjust(p, compare->n_comparisons);
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		struct comparison *comparison = &compare->comparisons[i];
		bool equal = comparison->a->same == comparison->b->same;
		comparison->adjusted_p = comparison->same == SIZE_MAX ? p[i] : equal ? 1 : p[comparison->same];
	}
	free(p);
}

static void compare_all(struct compare *compare, size_t against)
{
	const struct arms *arms = &compare->arms;
	for (size_t i = 0; i < arms->n; i++) {
		const struct arm *arm = &arms->arms[i];
		if (against == SIZE_MAX) {
			for (size_t k = i + 1; k < arms->n && arms->arms[k].part == arm->part; k++) {
				compare_pair(compare, arm, &arms->arms[k]);
			}
			continue;
		}
		const struct arm *reference = arms_find(arms, arm->part, against);
		if (reference != NULL && reference != arm) {
			compare_pair(compare, reference, arm);
		}
	}
	find_repeated(compare);
	adjust(compare);
}

static int refuse(struct results_error *error, const char *what, const char *name,
	const char *const *known, size_t n)
{
	const char *nearest = label_nearest(name, known, n);
	if (nearest != NULL) {
		snprintf(error->text, sizeof(error->text), "unknown %s `%.60s`; did you mean `%.100s`?", what,
			name, nearest);
		return WRONG_REQUEST;
	}
	char list[300] = "";
	for (size_t i = 0; i < n && strlen(list) + strlen(known[i]) + 8 < sizeof(list); i++) {
		list_append(list, sizeof(list), known[i], i, n);
	}
	snprintf(error->text, sizeof(error->text), "unknown %s `%.60s`; there %s %s", what, name,
		n == 1 ? "is" : "are", n == 0 ? "are none" : list);
	return WRONG_REQUEST;
}

/* Finds the key to compare by. */
static int choose_key(struct compare *compare, const struct compare_request *request, size_t *by,
	struct results_error *error)
{
	const struct frame *frame = &compare->frame;
	const char *keys[FACTORS_MAX];
	for (size_t f = 0; f < frame->n_factors; f++) {
		keys[f] = frame->factors[f].key;
	}
	if (frame->n_factors == 0) {
		snprintf(error->text, sizeof(error->text), "the file has no swept key: nothing to compare by");
		return WRONG_REQUEST;
	}
	const char *name = request->worst_over != NULL ? request->worst_over : request->by;
	int factor = name == NULL ? 0 : frame_factor(frame, name);
	if (factor < 0) {
		return refuse(error, "swept key", name, keys, frame->n_factors);
	}
	*by = (size_t)factor;
	return DONE;
}

/* Finds the level to compare against, or SIZE_MAX where all are compared with all. */
static int choose_level(const struct compare *compare, const struct compare_request *request,
	size_t *against, struct results_error *error)
{
	const struct arms *arms = &compare->arms;
	*against = SIZE_MAX;
	if (arms->n_levels < 2) {
		snprintf(error->text, sizeof(error->text),
			"`%.100s` has one value in these runs: nothing to compare by", arms->key);
		return WRONG_REQUEST;
	}
	if (request->worst_over != NULL) {
		return DONE;
	}
	if (request->against == NULL && arms->n_levels > LEVELS_MAX) {
		snprintf(error->text, sizeof(error->text),
			"`%.100s` has %zu values: all with all are compared up to %d; name one to compare the others with "
			"(--against VALUE), or take some of the runs (--where KEY=VALUE)",
			arms->key, arms->n_levels, LEVELS_MAX);
		return WRONG_REQUEST;
	}
	if (request->against == NULL) {
		return DONE;
	}
	*against = arms_level(arms, request->against);
	return *against != SIZE_MAX ? DONE
								: refuse(error, "value", request->against,
									  (const char *const *)arms->levels, arms->n_levels);
}

static int compare_and_print(struct compare *compare, const struct compare_request *request,
	size_t against, FILE *out)
{
	if (request->worst_over != NULL) {
		compare_print_worst(compare, out);
		return DONE;
	}
	compare_all(compare, against);
	if (request->csv) {
		compare_print_csv(compare, out);
	} else {
		compare_print_tables(compare, out);
	}
	return DONE;
}

int compare_print(const struct compare_request *request, FILE *out, struct results_error *error)
{
	struct compare compare = {.kpi = request->kpi};
	if (!frame_open(&compare.frame, request->path, request->where, request->n_where, error)) {
		return compare.frame.wrong_where ? WRONG_REQUEST : WRONG_ENVIRONMENT;
	}
	struct frame *frame = &compare.frame;
	double *scratch = figure_take(4 * frame->n_rows, sizeof(*scratch));
	double *values = scratch, *units = scratch + frame->n_rows;
	compare.pairs[0] = scratch + 2 * frame->n_rows;
	compare.pairs[1] = scratch + 3 * frame->n_rows;
	size_t by = 0, against;
	int status = choose_key(&compare, request, &by, error);
	if (status == DONE && !frame_values(frame, request->kpi, values)) {
		const char *names[256];
		size_t n = frame_kpis(frame, names, 256);
		status = refuse(error, "KPI", request->kpi, names, n);
	}
	if (status == DONE) {
		compare.values = values;
		const struct column *column = frame_column(frame, request->kpi);
		compare.share = column->sort == SORT_SHARE;
		const char *of = quantity_describe(column, 1).of;
		compare.units = compare.share && of != NULL && frame_values(frame, of, units) ? units : NULL;
		arms_init(&compare.arms, frame, by, values);
		status = choose_level(&compare, request, &against, error);
		status = status == DONE ? compare_and_print(&compare, request, against, out) : status;
		arms_finish(&compare.arms);
	}
	free(compare.comparisons);
	free(scratch);
	frame_close(frame);
	return status;
}
