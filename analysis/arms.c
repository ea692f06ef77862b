#include "arms.h"

#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compares two rows by the factors in `bits`. */
static int compare_factors(const struct frame *frame, uint32_t bits, size_t a, size_t b)
{
	for (size_t f = 0; f < frame->n_factors; f++) {
		if ((bits >> f & 1) == 0) {
			continue;
		}
		size_t x = frame->factors[f].of_row[a], y = frame->factors[f].of_row[b];
		if (x != y) {
			return x < y ? -1 : 1;
		}
	}
	return 0;
}

struct order {
	const struct frame *frame;
	uint32_t bits;
};

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int by_factors = compare_factors(order->frame, order->bits, x, y);
	return by_factors != 0 ? by_factors : (x > y) - (x < y);
}

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* Numbers the settings of the factors in `bits` in the order of their first rows. Answers how many there are;
 * `of_row` gets each row's, `first_row` (room for all rows) the first row of each. */
static size_t number_settings(const struct frame *frame, uint32_t bits, size_t *of_row, size_t *first_row)
{
	size_t n_rows = frame->n_rows, n = 0;
	size_t *sorted = figure_take(n_rows, sizeof(*sorted));
	for (size_t row = 0; row < n_rows; row++) {
		sorted[row] = row;
	}
	qsort_r(sorted, n_rows, sizeof(*sorted), compare_rows, &(struct order){frame, bits});
	for (size_t i = 0; i < n_rows; i++) {
		if (i == 0 || compare_factors(frame, bits, sorted[i - 1], sorted[i]) != 0) {
			first_row[n++] = sorted[i];
		}
		of_row[sorted[i]] = first_row[n - 1];
	}
	qsort(first_row, n, sizeof(*first_row), compare_sizes);
	size_t *number = figure_take(n_rows, sizeof(*number));
	for (size_t i = 0; i < n; i++) {
		number[first_row[i]] = i;
	}
	for (size_t row = 0; row < n_rows; row++) {
		of_row[row] = number[of_row[row]];
	}
	free(number);
	free(sorted);
	return n;
}

static char *copy_text(const char *text)
{
	char *copy = figure_take(strlen(text) + 1, 1);
	strcpy(copy, text);
	return copy;
}

static void append_part(char *out, size_t size, const char *separator, const char *text)
{
	size_t length = strlen(out);
	snprintf(out + length, size - length, "%s%s", length > 0 ? separator : "", text);
}

/* The key's name, and those of its levels: of a zip, what stands together. */
static void name_levels(struct arms *arms, const size_t *first_row)
{
	const struct frame *frame = arms->frame;
	arms->levels = figure_take(arms->n_levels, sizeof(*arms->levels));
	for (size_t f = 0; f < frame->n_factors; f++) {
		if ((arms->key_bits >> f & 1) != 0) {
			append_part(arms->key, sizeof(arms->key), ", ", frame->factors[f].key);
		}
	}
	for (size_t level = 0; level < arms->n_levels; level++) {
		char name[1024] = "";
		for (size_t f = 0; f < frame->n_factors; f++) {
			const struct factor *factor = &frame->factors[f];
			if ((arms->key_bits >> f & 1) != 0) {
				append_part(name, sizeof(name), ", ", factor->levels[factor->of_row[first_row[level]]]);
			}
		}
		arms->levels[level] = copy_text(name);
	}
}

struct sorting {
	const struct frame *frame;
	const size_t *part, *level;
};

static int compare_cells(const void *a, const void *b, void *context)
{
	const struct sorting *sorting = context;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	if (sorting->part[x] != sorting->part[y]) {
		return sorting->part[x] < sorting->part[y] ? -1 : 1;
	}
	if (sorting->level[x] != sorting->level[y]) {
		return sorting->level[x] < sorting->level[y] ? -1 : 1;
	}
	int64_t i = sorting->frame->replication[x], k = sorting->frame->replication[y];
	return i != k ? (i < k ? -1 : 1) : (x > y) - (x < y);
}

static void find_arms(struct arms *arms, const size_t *part, const size_t *level)
{
	const struct frame *frame = arms->frame;
	size_t *sorted = figure_take(frame->n_rows, sizeof(*sorted)), n = 0;
	for (size_t row = 0; row < frame->n_rows; row++) {
		sorted[row] = row;
	}
	struct sorting sorting = {frame, part, level};
	qsort_r(sorted, frame->n_rows, sizeof(*sorted), compare_cells, &sorting);
	arms->arms = figure_take(frame->n_rows, sizeof(*arms->arms));
	for (size_t i = 0; i < frame->n_rows; i++) {
		size_t row = sorted[i];
		struct arm *last = arms->n > 0 ? &arms->arms[arms->n - 1] : NULL;
		if (last == NULL || last->part != part[row] || last->level != level[row]) {
			last = &arms->arms[arms->n++];
			*last = (struct arm){.part = part[row], .level = level[row], .first = n};
		} else if (frame->replication[row] == frame->replication[sorted[n - 1]]) {
			arms->n_twice++;
			continue;
		}
		sorted[n++] = row;
		last->n++;
	}
	arms->rows = sorted;
}

/* Compares two arms by their values in each replication. */
struct equality {
	const struct arms *arms;
	const double *values;
};

static int compare_arms(const void *a, const void *b, void *context)
{
	const struct equality *equality = context;
	const struct arms *arms = equality->arms;
	const struct arm *x = &arms->arms[*(const size_t *)a], *y = &arms->arms[*(const size_t *)b];
	if (x->n != y->n) {
		return x->n < y->n ? -1 : 1;
	}
	for (size_t i = 0; i < x->n; i++) {
		size_t p = arms->rows[x->first + i], q = arms->rows[y->first + i];
		int64_t s = arms->frame->replication[p], t = arms->frame->replication[q];
		if (s != t) {
			return s < t ? -1 : 1;
		}
		int digits = memcmp(&equality->values[p], &equality->values[q], sizeof(double));
		if (digits != 0) {
			return digits;
		}
	}
	return 0;
}

static int compare_arms_in_order(const void *a, const void *b, void *context)
{
	int order = compare_arms(a, b, context);
	return order != 0 ? order : compare_sizes(a, b);
}

static void find_same(struct arms *arms, const double *values)
{
	size_t *sorted = figure_take(arms->n, sizeof(*sorted));
	for (size_t i = 0; i < arms->n; i++) {
		sorted[i] = i;
	}
	struct equality equality = {arms, values};
	qsort_r(sorted, arms->n, sizeof(*sorted), compare_arms_in_order, &equality);
	for (size_t i = 0, first = 0; i < arms->n; i++) {
		first = i > 0 && compare_arms(&sorted[i - 1], &sorted[i], &equality) == 0 ? first : sorted[i];
		arms->arms[sorted[i]].same = first;
	}
	free(sorted);
}

void arms_init(struct arms *arms, const struct frame *frame, size_t by, const double *values)
{
	*arms = (struct arms){.frame = frame, .key_bits = UINT32_C(1) << by};
	for (size_t f = 0; f < frame->n_factors; f++) {
		if (frame->factors[by].zipped && frame->factors[f].zipped) {
			arms->key_bits |= UINT32_C(1) << f;
		}
	}
	size_t *part = figure_take(frame->n_rows, sizeof(*part));
	size_t *level = figure_take(frame->n_rows, sizeof(*level));
	size_t *first_row = figure_take(frame->n_rows, sizeof(*first_row));
	if ((arms->key_bits & (arms->key_bits - 1)) == 0) {
		/* One key: its levels, in their order. */
		const struct factor *factor = &frame->factors[by];
		arms->n_levels = factor->n_levels;
		for (size_t row = 0; row < frame->n_rows; row++) {
			level[row] = factor->of_row[row];
			first_row[level[row]] = row;
		}
	} else {
		arms->n_levels = number_settings(frame, arms->key_bits, level, first_row);
	}
	name_levels(arms, first_row);
	arms->part_row = first_row;
	arms->n_parts = number_settings(frame, ~arms->key_bits, part, arms->part_row);
	find_arms(arms, part, level);
	find_same(arms, values);
	free(part);
	free(level);
}

void arms_finish(struct arms *arms)
{
	for (size_t level = 0; level < arms->n_levels; level++) {
		free(arms->levels[level]);
	}
	free(arms->levels);
	free(arms->part_row);
	free(arms->arms);
	free(arms->rows);
	*arms = (struct arms){0};
}

size_t arms_values(const struct arms *arms, const struct arm *arm, const double *values, double *out)
{
	size_t n = 0;
	for (size_t i = 0; i < arm->n; i++) {
		double value = values[arms->rows[arm->first + i]];
		if (!isnan(value)) {
			out[n++] = value;
		}
	}
	return n;
}

const struct arm *arms_find(const struct arms *arms, size_t part, size_t level)
{
	size_t low = 0, high = arms->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct arm *arm = &arms->arms[middle];
		if (arm->part < part || (arm->part == part && arm->level < level)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	bool found = low < arms->n && arms->arms[low].part == part && arms->arms[low].level == level;
	return found ? &arms->arms[low] : NULL;
}

void arms_part_name(const struct arms *arms, size_t part, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t f = 0; f < arms->frame->n_factors; f++) {
		const struct factor *factor = &arms->frame->factors[f];
		if ((arms->key_bits >> f & 1) == 0 && factor->n_levels > 1) {
			char setting[CELL_TEXT_MAX];
			snprintf(setting, sizeof(setting), "%s = %s", factor->key,
				factor->levels[factor->of_row[arms->part_row[part]]]);
			append_part(out, size, ", ", setting);
		}
	}
}

/* Is `name` the value of one of the key's factors at this level? */
static bool has_value(const struct arms *arms, size_t level, const char *name)
{
	for (size_t i = 0; i < arms->n; i++) {
		if (arms->arms[i].level != level) {
			continue;
		}
		size_t row = arms->rows[arms->arms[i].first];
		for (size_t f = 0; f < arms->frame->n_factors; f++) {
			const struct factor *factor = &arms->frame->factors[f];
			if ((arms->key_bits >> f & 1) != 0 && strcmp(factor->levels[factor->of_row[row]], name) == 0) {
				return true;
			}
		}
		return false;
	}
	return false;
}

size_t arms_level(const struct arms *arms, const char *name)
{
	for (size_t level = 0; level < arms->n_levels; level++) {
		if (strcmp(arms->levels[level], name) == 0) {
			return level;
		}
	}
	if ((arms->key_bits & (arms->key_bits - 1)) == 0) {
		return SIZE_MAX;
	}
	size_t found = SIZE_MAX;
	for (size_t level = 0; level < arms->n_levels; level++) {
		if (has_value(arms, level, name)) {
			if (found != SIZE_MAX) {
				return SIZE_MAX;
			}
			found = level;
		}
	}
	return found;
}
