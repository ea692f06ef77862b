#include "layout.h"

#include "memory.h"
#include "stats.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void list_append(char *out, size_t size, const char *word, size_t i, size_t n)
{
	size_t length = strlen(out);
	const char *before = i == 0 ? "" : i + 1 == n ? " and " : ", ";
	snprintf(out + length, size - length, "%s%s", before, word);
}

/* A key in the middle of a sentence: without the brackets of its axis label. */
static void key_prose(char out[LABEL_MAX], const struct factor *factor)
{
	snprintf(out, LABEL_MAX, "%s", factor->label);
	char *bracket = strstr(out, " (");
	if (bracket != NULL) {
		*bracket = '\0';
	}
}

/* A row with everything that tells its setting but for one factor. */
struct setting {
	uint64_t others;
	int64_t replication;
	size_t row;
};

static int compare_settings(const void *a, const void *b)
{
	const struct setting *x = a, *y = b;
	if (x->others != y->others) {
		return x->others > y->others ? 1 : -1;
	}
	if (x->replication != y->replication) {
		return x->replication > y->replication ? 1 : -1;
	}
	return (x->row > y->row) - (x->row < y->row);
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* True where runs that differ in this factor alone exist and never differ in any value. */
static bool factor_inert(
	const struct layout *layout, size_t f, const double *const *sets, size_t n_sets)
{
	const struct frame *frame = layout->frame;
	struct setting *settings = figure_take(frame->n_rows, sizeof(*settings));
	size_t n = 0, n_pairs = 0;
	for (size_t row = 0; row < frame->n_rows; row++) {
		if (!layout->used[row]) {
			continue;
		}
		uint64_t others = 0;
		for (size_t i = 0; i < frame->n_factors; i++) {
			if (i != f) {
				others = others * frame->factors[i].n_levels + frame->factors[i].of_row[row];
			}
		}
		settings[n++] = (struct setting){others, frame->replication[row], row};
	}
	qsort(settings, n, sizeof(*settings), compare_settings);
	bool inert = true;
	for (size_t i = 1; i < n && inert; i++) {
		const struct setting *a = &settings[i - 1], *b = &settings[i];
		if (a->others != b->others || a->replication != b->replication) {
			continue;
		}
		n_pairs++;
		for (size_t s = 0; s < n_sets; s++) {
			inert = inert && same(sets[s][a->row], sets[s][b->row]);
		}
	}
	free(settings);
	return inert && n_pairs > 0;
}

/* True where each level of a goes with one level of b and the other way round. */
static bool factors_aliased(const struct layout *layout, size_t a, size_t b)
{
	const struct factor *x = &layout->frame->factors[a], *y = &layout->frame->factors[b];
	if (x->n_levels != y->n_levels) {
		return false;
	}
	size_t *partner = figure_take(x->n_levels, sizeof(*partner));
	size_t *back = figure_take(x->n_levels, sizeof(*back));
	bool aliased = true;
	for (size_t row = 0; row < layout->frame->n_rows; row++) {
		size_t i = x->of_row[row], j = y->of_row[row];
		if (layout->used[row]) {
			aliased = aliased && (partner[i] == 0 || partner[i] == j + 1) &&
					  (back[j] == 0 || back[j] == i + 1);
			partner[i] = j + 1;
			back[j] = i + 1;
		}
	}
	free(partner);
	free(back);
	return aliased;
}

void layout_init(struct layout *layout, const struct frame *frame, const double *const *sets,
	size_t n_sets, uint32_t keep)
{
	*layout = (struct layout){.frame = frame};
	layout->used = figure_take(frame->n_rows, sizeof(*layout->used));
	memset(layout->used, true, frame->n_rows * sizeof(*layout->used));
	size_t inert[FACTORS_MAX], n_inert = 0;
	for (size_t f = 0; f < frame->n_factors; f++) {
		if (frame->factors[f].n_levels < 2) {
			continue;
		}
		if (!(keep >> f & 1) && factor_inert(layout, f, sets, n_sets)) {
			inert[n_inert++] = f;
			for (size_t row = 0; row < frame->n_rows; row++) {
				layout->used[row] = layout->used[row] && frame->factors[f].of_row[row] == 0;
			}
		} else {
			layout->free[f] = true;
		}
	}
	for (size_t i = 0; i < n_inert; i++) {
		char word[LABEL_MAX];
		key_prose(word, &frame->factors[inert[i]]);
		list_append(layout->inert, sizeof(layout->inert), word, i, n_inert);
	}
	for (size_t a = 0; a < frame->n_factors; a++) {
		for (size_t b = 0; b < frame->n_factors; b++) {
			if (a == b || !layout->free[a] || !layout->free[b] || (keep >> b & 1) ||
				(b < a && !(keep >> a & 1)) || !factors_aliased(layout, a, b)) {
				continue;
			}
			layout->free[b] = false;
			size_t length = strlen(layout->aliased);
			snprintf(layout->aliased + length, sizeof(layout->aliased) - length,
				"%s%s changes along with %s", length > 0 ? "; " : "", frame->factors[b].label,
				frame->factors[a].label);
		}
	}
}

void layout_give(struct layout *layout, enum axis_id axis, size_t factor)
{
	assert(layout->free[factor]);
	layout->free[factor] = false;
	struct axis *a = &layout->axes[axis];
	a->factors[a->n_factors++] = factor;
}

/* Beside "no scorer" stands "mad scorer", not "mad". */
static void name_beside_none(char level[LABEL_MAX], const struct factor *factor)
{
	bool none = false;
	for (size_t i = 0; i < factor->n_levels; i++) {
		none = none || strcmp(factor->levels[i], "none") == 0;
	}
	if (none && strcmp(factor->label, "protocol") != 0 && strstr(level, factor->label) == NULL) {
		size_t length = strlen(level);
		snprintf(level + length, LABEL_MAX - length, " %s", factor->label);
	}
}

/* With `plain`, the levels alone: a single key along the axis is named by the axis label. */
static void axis_number(struct axis *axis, const struct layout *layout, bool plain)
{
	const struct frame *frame = layout->frame;
	size_t product = 1;
	for (size_t i = 0; i < axis->n_factors; i++) {
		product *= frame->factors[axis->factors[i]].n_levels;
	}
	size_t *index =
		figure_take(product, sizeof(*index)); /* 1 + the number among those that occur */
	size_t *code = figure_take(frame->n_rows, sizeof(*code));
	for (size_t row = 0; row < frame->n_rows; row++) {
		for (size_t i = 0; i < axis->n_factors; i++) {
			const struct factor *factor = &frame->factors[axis->factors[i]];
			code[row] = code[row] * factor->n_levels + factor->of_row[row];
		}
		if (layout->used[row]) {
			index[code[row]] = 1;
		}
	}
	axis->n = 0;
	axis->names = figure_take(product, sizeof(*axis->names));
	for (size_t c = 0; c < product; c++) {
		if (index[c] == 0) {
			continue;
		}
		index[c] = ++axis->n;
		char name[4 * LABEL_MAX] = "";
		size_t rest = c, levels[FACTORS_MAX];
		for (size_t i = axis->n_factors; i-- > 0;) {
			levels[i] = rest % frame->factors[axis->factors[i]].n_levels;
			rest /= frame->factors[axis->factors[i]].n_levels;
		}
		for (size_t i = 0; i < axis->n_factors; i++) {
			const struct factor *factor = &frame->factors[axis->factors[i]];
			char level[LABEL_MAX], words[512];
			level_short(words, sizeof(words), factor->levels, factor->n_levels, levels[i], LEVEL_SHOWN);
			if (plain && factor->mixed) {
				number_words(level, strtod(words, NULL), factor->unit);
			} else if (plain && factor->scale != 1) {
				snprintf(level, sizeof(level), "%.6g", strtod(words, NULL) * factor->scale);
			} else if (plain) {
				text_clean(level, sizeof(level), words, LEVEL_SHOWN);
			} else {
				level_label(level, factor->key, factor->unit, words);
				name_beside_none(level, factor);
			}
			size_t length = strlen(name);
			snprintf(name + length, sizeof(name) - length, "%s%s", i > 0 ? ", " : "", level);
		}
		axis->names[axis->n - 1] = figure_take(strlen(name) + 1, 1);
		strcpy(axis->names[axis->n - 1], name);
	}
	axis->of_row = code;
	for (size_t row = 0; row < frame->n_rows; row++) {
		code[row] = index[code[row]] > 0 ? index[code[row]] - 1 : 0;
	}
	free(index);
}

void layout_finish(struct layout *layout)
{
	for (size_t a = 0; a < AXIS_N; a++) {
		axis_number(&layout->axes[a], layout, a == AXIS_X && layout->axes[a].n_factors == 1);
	}
}

void layout_free(struct layout *layout)
{
	for (size_t a = 0; a < AXIS_N; a++) {
		struct axis *axis = &layout->axes[a];
		for (size_t i = 0; i < axis->n; i++) {
			free(axis->names[i]);
		}
		free(axis->names);
		free(axis->of_row);
	}
	free(layout->used);
	*layout = (struct layout){0};
}

size_t layout_x_colour(const struct layout *layout, size_t i)
{
	const struct axis *x = &layout->axes[AXIS_X];
	char *end = NULL;
	strtod(x->names[i], &end);
	return x->names[i][0] != '\0' && *end == '\0' ? 0 : i;
}

const char *layout_x_label(const struct layout *layout)
{
	const struct axis *x = &layout->axes[AXIS_X];
	if (x->n_factors == 0) {
		return NULL;
	}
	const struct factor *factor = &layout->frame->factors[x->factors[0]];
	return x->n_factors == 1 && factor->mixed ? factor->bare : factor->label;
}

int layout_next(const struct layout *layout, size_t max_levels)
{
	for (size_t f = 0; f < layout->frame->n_factors; f++) {
		if (layout->free[f] && layout->frame->factors[f].n_levels <= max_levels) {
			return (int)f;
		}
	}
	return -1;
}

size_t layout_n_free(const struct layout *layout)
{
	size_t n = 0;
	for (size_t f = 0; f < layout->frame->n_factors; f++) {
		n += layout->free[f];
	}
	return n;
}

size_t layout_product(const struct layout *layout)
{
	size_t product = 1;
	for (size_t f = 0; f < layout->frame->n_factors; f++) {
		product *= layout->free[f] ? layout->frame->factors[f].n_levels : 1;
	}
	return product;
}

struct sample {
	int64_t replication;
	size_t row;
	double value;
};

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	if (x->replication != y->replication) {
		return x->replication > y->replication ? 1 : -1;
	}
	return (x->row > y->row) - (x->row < y->row);
}

size_t layout_gather(
	const struct layout *layout, const double *values, const size_t place[AXIS_N], double *out)
{
	const struct frame *frame = layout->frame;
	struct sample *samples = figure_take(frame->n_rows, sizeof(*samples));
	size_t n_samples = 0;
	for (size_t row = 0; row < frame->n_rows; row++) {
		bool here = layout->used[row] && isfinite(values[row]);
		for (size_t a = 0; a < AXIS_N && here; a++) {
			here = place[a] == SIZE_MAX || layout->axes[a].of_row[row] == place[a];
		}
		if (here) {
			samples[n_samples++] = (struct sample){frame->replication[row], row, values[row]};
		}
	}
	qsort(samples, n_samples, sizeof(*samples), compare_samples);
	size_t n = 0;
	for (size_t i = 0; i < n_samples;) {
		double sum = 0;
		size_t first = i;
		for (; i < n_samples && samples[i].replication == samples[first].replication; i++) {
			sum += samples[i].value;
		}
		out[n++] = sum / (double)(i - first);
	}
	free(samples);
	return n;
}

static void append(char *out, size_t size, const char *text)
{
	size_t length = strlen(out);
	snprintf(out + length, size - length, "%s", text);
}

static void describe(const char *subject, const char *start, const char *rest, const char *end,
	char *out, size_t size)
{
	char sentence[600];
	snprintf(sentence, sizeof(sentence), " %s%s%s%s%s.", subject == NULL ? "" : subject,
		subject == NULL ? "" : ": ", start, rest, end);
	if (subject == NULL && sentence[1] >= 'a' && sentence[1] <= 'z') {
		sentence[1] = (char)(sentence[1] - 'a' + 'A');
	}
	append(out, size, sentence);
}

void layout_describe(const struct layout *layout, const char *subject, char *out, size_t size)
{
	size_t n = layout_n_free(layout), i = 0;
	if (n > 0) {
		char averaged[256] = "", word[LABEL_MAX];
		for (size_t f = 0; f < layout->frame->n_factors; f++) {
			if (layout->free[f]) {
				key_prose(word, &layout->frame->factors[f]);
				list_append(averaged, sizeof(averaged), word, i++, n);
			}
		}
		describe(subject, "averaged over ", averaged, " within each replication", out, size);
	}
	if (layout->inert[0] != '\0') {
		describe(subject, "the same whatever the ", layout->inert, "", out, size);
	}
	if (layout->aliased[0] != '\0') {
		describe(NULL, "", layout->aliased, "", out, size);
	}
}

void layout_lines(struct layout *layout, int by, size_t max_panels)
{
	bool all = layout_product(layout) <= 6;
	int first = by >= 0 && layout->free[by] ? by : layout_next(layout, SIZE_MAX);
	if (first < 0) {
		layout_finish(layout);
		return;
	}
	layout_give(layout, AXIS_COLOUR, (size_t)first);
	size_t n_panels = 1;
	for (int next; (next = layout_next(layout, all ? SIZE_MAX : max_panels / n_panels)) >= 0;) {
		layout_give(layout, all ? AXIS_COLOUR : AXIS_PANEL, (size_t)next);
		n_panels *= all ? 1 : layout->frame->factors[next].n_levels;
	}
	layout_finish(layout);
}

void layout_keys(const struct layout *layout, char *out, size_t size)
{
	size_t n = 0, i = 0;
	for (size_t a = 0; a < AXIS_N; a++) {
		n += layout->axes[a].n_factors;
	}
	out[0] = '\0';
	if (n > 0) {
		append(out, size, " by ");
	}
	/* The order of importance, not of the axes' numbers. */
	static const enum axis_id order[] = {AXIS_PANEL, AXIS_COLOUR, AXIS_X, AXIS_TINT};
	for (size_t a = 0; a < AXIS_N; a++) {
		const struct axis *axis = &layout->axes[order[a]];
		for (size_t k = 0; k < axis->n_factors; k++) {
			char word[LABEL_MAX];
			key_prose(word, &layout->frame->factors[axis->factors[k]]);
			list_append(out, size, word, i++, n);
		}
	}
}

void layout_describe_runs(const struct layout *layout, char *out, size_t size)
{
	const struct axis *arms = &layout->axes[AXIS_COLOUR];
	if (arms->n < 2 && layout->axes[AXIS_X].n > 1) {
		arms = &layout->axes[AXIS_X];
	}
	char runs[400], unanswered[600];
	frame_verdicts(layout->frame, layout->used, runs, sizeof(runs));
	frame_unanswered(layout->frame, layout->used, arms->of_row, arms->names, arms->n, unanswered,
		sizeof(unanswered));
	size_t length = strlen(out);
	snprintf(out + length, size - length, "%s%s%s%s", runs[0] != '\0' ? " " : "", runs,
		unanswered[0] != '\0' ? " " : "", unanswered);
}
