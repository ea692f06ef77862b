#include "frame.h"

#include "memory.h"
#include "results/where.h"
#include "zipped.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void cell_text(char *out, size_t size, const struct frame *frame, size_t row, size_t column)
{
	union cell cell = block_get(frame->runs, frame->schema, frame->row_at[row], column);
	switch (frame->schema->columns[column].type) {
	case COLUMN_REAL:
		/* Two values are two levels, however near. */
		snprintf(out, size, "%.10g", cell.real);
		if (strtod(out, NULL) != cell.real) {
			snprintf(out, size, "%.17g", cell.real);
		}
		break;
	case COLUMN_INT:
		snprintf(out, size, "%lld", (long long)cell.integer);
		break;
	case COLUMN_STRING:
		snprintf(out, size, "%s", cell.string == NULL ? "" : cell.string);
		break;
	}
}

struct text_at {
	const char *text;
	double number;
	size_t row; /* the first that has it */
};

static int compare_texts(const void *a, const void *b)
{
	const struct text_at *x = a, *y = b;
	int order = strcmp(x->text, y->text);
	return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static int compare_first(const void *a, const void *b)
{
	const struct text_at *x = a, *y = b;
	if (x->number != y->number) {
		return x->number < y->number ? -1 : 1;
	}
	return (x->row > y->row) - (x->row < y->row);
}

/* Finds the level of each row whose text is given; takes the texts. */
static void factor_number(struct factor *factor, char **texts, size_t n_rows)
{
	struct text_at *sorted = figure_take(n_rows, sizeof(*sorted));
	for (size_t row = 0; row < n_rows; row++) {
		sorted[row] = (struct text_at){.text = texts[row], .row = row};
	}
	qsort(sorted, n_rows, sizeof(*sorted), compare_texts);
	struct text_at *firsts = figure_take(n_rows, sizeof(*firsts));
	size_t n = 0;
	bool numeric = true;
	for (size_t i = 0; i < n_rows; i++) {
		if (i == 0 || strcmp(sorted[i].text, sorted[i - 1].text) != 0) {
			char *end = NULL;
			firsts[n] = sorted[i];
			firsts[n].number = strtod(sorted[i].text, &end);
			numeric = numeric && sorted[i].text[0] != '\0' && *end == '\0';
			n++;
		}
	}
	for (size_t i = 0; i < n && !numeric; i++) {
		firsts[i].number = 0;
	}
	qsort(firsts, n, sizeof(*firsts), compare_first);
	factor->n_levels = n;
	factor->levels = figure_take(n, sizeof(*factor->levels));
	size_t *level_of = figure_take(n_rows, sizeof(*level_of)); /* by its first row */
	for (size_t level = 0; level < n; level++) {
		factor->levels[level] = figure_take(strlen(firsts[level].text) + 1, 1);
		strcpy(factor->levels[level], firsts[level].text);
		level_of[firsts[level].row] = level;
	}
	factor->of_row = figure_take(n_rows, sizeof(*factor->of_row));
	for (size_t i = 0, first = 0; i < n_rows; i++) {
		first = i == 0 || strcmp(sorted[i].text, sorted[i - 1].text) != 0 ? sorted[i].row : first;
		factor->of_row[sorted[i].row] = level_of[first];
	}
	for (size_t row = 0; row < n_rows; row++) {
		free(texts[row]);
	}
	free(texts);
	free(level_of);
	free(firsts);
	free(sorted);
}

/* Numbers with a unit are shown with the prefix that fits the largest. */
static void factor_scale(struct factor *factor)
{
	double largest = 0, number = 0;
	bool numeric = true, binary = true;
	for (size_t i = 0; i < factor->n_levels && numeric; i++) {
		char *end = NULL;
		number = strtod(factor->levels[i], &end);
		numeric = factor->levels[i][0] != '\0' && *end == '\0' && isfinite(number);
		binary = binary && fmod(number, 1024) == 0;
		largest = fmax(largest, fabs(number));
	}
	factor->scale = 1;
	key_label(factor->bare, factor->key, "");
	if (numeric && factor->unit != NULL) {
		struct unit_scale scale = unit_scale_of(factor->unit, largest, binary);
		factor->scale = scale.scale;
		key_label(factor->label, factor->key, scale.unit);
		for (size_t i = 0; i < factor->n_levels; i++) {
			number = fabs(strtod(factor->levels[i], NULL));
			factor->mixed |= number > 0 && unit_scale_of(factor->unit, number, binary).scale != scale.scale;
		}
	}
}

static void factor_read(struct frame *frame, struct factor *factor, size_t column)
{
	factor->key = frame->schema->columns[column].name;
	factor->unit = frame->schema->columns[column].unit;
	key_label(factor->label, factor->key, factor->unit);
	factor->zipped = zipped_has(results_header(frame->file)->scenario, factor->key);
	char **texts = figure_take(frame->n_rows, sizeof(*texts));
	for (size_t row = 0; row < frame->n_rows; row++) {
		char text[CELL_TEXT_MAX];
		cell_text(text, sizeof(text), frame, row, column);
		texts[row] = figure_take(strlen(text) + 1, 1);
		strcpy(texts[row], text);
	}
	factor_number(factor, texts, frame->n_rows);
	factor_scale(factor);
}

struct run_at {
	int64_t run;
	size_t row;
};

static int compare_runs(const void *a, const void *b)
{
	const struct run_at *x = a, *y = b;
	return (x->run > y->run) - (x->run < y->run);
}

static void index_runs(struct frame *frame)
{
	struct run_at *order = figure_take(frame->n_rows, sizeof(*order));
	for (size_t row = 0; row < frame->n_rows; row++) {
		order[row] = (struct run_at){frame->run[row], row};
	}
	qsort(order, frame->n_rows, sizeof(*order), compare_runs);
	frame->by_run = figure_take(frame->n_rows, sizeof(*frame->by_run));
	for (size_t i = 0; i < frame->n_rows; i++) {
		frame->by_run[i] = order[i].row;
	}
	free(order);
}

bool frame_open(struct frame *frame, const char *path, const char *const *where, size_t n_where,
	struct results_error *error)
{
	*frame = (struct frame){0};
	error->text[0] = '\0';
	frame->file = results_open(path, error);
	if (frame->file == NULL) {
		return false;
	}
	frame->runs = results_table(frame->file, TABLE_RUNS, &frame->schema, error);
	int run = -1, replication = -1, seed = -1, verdict = -1;
	if (frame->runs != NULL) {
		run = schema_find(frame->schema, "run");
		replication = schema_find(frame->schema, "replication");
		seed = schema_find(frame->schema, "seed");
		verdict = schema_find(frame->schema, "verdict");
	}
	if (run < 0 || replication < 0 || seed < 0 || verdict <= seed) {
		if (error->text[0] == '\0') {
			snprintf(error->text, sizeof(error->text),
				"%.400s: its runs table is missing or not ours", path);
		}
		frame_close(frame);
		return false;
	}
	int64_t n_rows = results_where(frame->file, where, n_where, &frame->row_at, error);
	if (n_rows < 0) {
		frame_close(frame);
		frame->wrong_where = error->other;
		return false;
	}
	frame->n_rows = (size_t)n_rows;
	frame->run = figure_take(frame->n_rows, sizeof(*frame->run));
	frame->replication = figure_take(frame->n_rows, sizeof(*frame->replication));
	for (size_t row = 0; row < frame->n_rows; row++) {
		size_t at = frame->row_at[row];
		frame->run[row] = block_get(frame->runs, frame->schema, at, (size_t)run).integer;
		frame->replication[row] =
			block_get(frame->runs, frame->schema, at, (size_t)replication).integer;
	}
	for (int column = seed + 1; column < verdict && frame->n_factors < FACTORS_MAX; column++) {
		factor_read(frame, &frame->factors[frame->n_factors++], (size_t)column);
	}
	index_runs(frame);
	return true;
}

void frame_close(struct frame *frame)
{
	for (size_t i = 0; i < frame->n_factors; i++) {
		struct factor *factor = &frame->factors[i];
		for (size_t level = 0; level < factor->n_levels; level++) {
			free(factor->levels[level]);
		}
		free(factor->levels);
		free(factor->of_row);
	}
	free(frame->run);
	free(frame->replication);
	free(frame->by_run);
	free(frame->row_at);
	if (frame->file != NULL) {
		results_close(frame->file);
	}
	*frame = (struct frame){0};
}

/* The first KPI's column: they follow verdict and its reason. */
static size_t first_kpi(const struct frame *frame)
{
	int reason = schema_find(frame->schema, "verdict_reason");
	return (size_t)(reason >= 0 ? reason : schema_find(frame->schema, "verdict")) + 1;
}

static int kpi_column(const struct frame *frame, const char *kpi)
{
	int column = schema_find(frame->schema, kpi);
	if (column < (int)first_kpi(frame) || frame->schema->columns[column].type == COLUMN_STRING) {
		return -1;
	}
	return column;
}

static double cell_number(const struct frame *frame, size_t row, size_t column)
{
	union cell cell = block_get(frame->runs, frame->schema, frame->row_at[row], column);
	return frame->schema->columns[column].type == COLUMN_INT ? (double)cell.integer : cell.real;
}

/* A run that failed has no values; in columns of integers, which know no NaN, stands -1. */
static bool is_failed(const struct frame *frame, size_t row, size_t verdict)
{
	return strcmp(block_get(frame->runs, frame->schema, frame->row_at[row], verdict).string, "failed") == 0;
}

bool frame_values(const struct frame *frame, const char *kpi, double *values)
{
	int column = kpi_column(frame, kpi);
	size_t verdict = (size_t)schema_find(frame->schema, "verdict");
	if (column >= 0) {
		for (size_t row = 0; row < frame->n_rows; row++) {
			values[row] = is_failed(frame, row, verdict) ? NAN : cell_number(frame, row, (size_t)column);
		}
		return true;
	}
	if (strcmp(kpi, "bytes_per_item") != 0) {
		return false;
	}
	int bytes = kpi_column(frame, "bytes"), items = kpi_column(frame, "items");
	if (bytes < 0 || items < 0) {
		return false;
	}
	for (size_t row = 0; row < frame->n_rows; row++) {
		double n = is_failed(frame, row, verdict) ? 0 : cell_number(frame, row, (size_t)items);
		values[row] = n > 0 ? cell_number(frame, row, (size_t)bytes) / n : NAN;
	}
	return true;
}

const struct column *frame_column(const struct frame *frame, const char *kpi)
{
	static const struct column bytes_per_item = {.name = "bytes_per_item",
		.unit = "bytes",
		.help = "bytes / items",
		.label = "traffic per item",
		.sort = SORT_VALUE};
	int column = kpi_column(frame, kpi);
	return column < 0 ? &bytes_per_item : &frame->schema->columns[column];
}

size_t frame_kpis(const struct frame *frame, const char **names, size_t max)
{
	size_t n = 0;
	for (size_t column = first_kpi(frame); column < frame->schema->n_columns && n < max; column++) {
		if (frame->schema->columns[column].type != COLUMN_STRING) {
			names[n++] = frame->schema->columns[column].name;
		}
	}
	if (n < max && kpi_column(frame, "bytes") >= 0 && kpi_column(frame, "items") >= 0) {
		names[n++] = "bytes_per_item";
	}
	return n;
}

int frame_factor(const struct frame *frame, const char *key)
{
	for (size_t i = 0; i < frame->n_factors; i++) {
		if (strcmp(frame->factors[i].key, key) == 0) {
			return (int)i;
		}
	}
	return -1;
}

size_t frame_row(const struct frame *frame, int64_t run)
{
	size_t low = 0, high = frame->n_rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (frame->run[frame->by_run[middle]] < run) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	bool found = low < frame->n_rows && frame->run[frame->by_run[low]] == run;
	return found ? frame->by_run[low] : SIZE_MAX;
}

void frame_verdicts(const struct frame *frame, const bool *used, char *out, size_t size)
{
	static const char *const verdicts[] = {"stalled", "unsafe", "limit", "failed"};
	static const char *const words[] = {"stalled", "were unsafe", "ran into a limit", "failed and are left out"};
	size_t counts[4] = {0}, n = 0, n_used = 0,
		   column = (size_t)schema_find(frame->schema, "verdict");
	for (size_t row = 0; row < frame->n_rows; row++) {
		if (used != NULL && !used[row]) {
			continue;
		}
		n_used++;
		const char *verdict =
			block_get(frame->runs, frame->schema, frame->row_at[row], column).string;
		for (size_t i = 0; verdict != NULL && i < 4; i++) {
			if (strcmp(verdict, verdicts[i]) == 0) {
				counts[i]++;
				n++;
			}
		}
	}
	out[0] = '\0';
	if (n == 0) {
		return;
	}
	int length = snprintf(out, size, "Of %zu runs", n_used);
	const char *comma = " ";
	for (size_t i = 0; i < 4; i++) {
		if (counts[i] > 0 && length >= 0 && (size_t)length < size) {
			length += snprintf(
				out + length, size - (size_t)length, "%s%zu %s", comma, counts[i], words[i]);
			comma = ", ";
		}
	}
	if (length >= 0 && (size_t)length + 1 < size) {
		strcat(out, ".");
	}
}

#define ARMS_TOLD 8

/* "none 13.7 %, raft 0.02 %", or of many the worst. */
static void tell_unanswered(const double *open, const double *items, char *const *names, size_t n,
	char *out, size_t size)
{
	size_t n_told = 0, worst = 0;
	for (size_t i = 0; i < n; i++) {
		n_told += open[i] > 0;
		worst = open[i] > 0 && (open[worst] == 0 || open[i] / items[i] > open[worst] / items[worst]) ? i : worst;
	}
	if (n_told == 0) {
		return;
	}
	if (n_told > ARMS_TOLD) {
		snprintf(out, size, "Never answered: up to %.3g %% of an arm's items (%s).",
			100 * open[worst] / items[worst], names[worst]);
		return;
	}
	snprintf(out, size, "Never answered: ");
	for (size_t i = 0, told = 0; i < n; i++) {
		if (open[i] > 0) {
			size_t length = strlen(out);
			snprintf(out + length, size - length, "%s%s%s%.3g %%", told++ > 0 ? ", " : "",
				n > 1 ? names[i] : "", n > 1 ? " " : "", 100 * open[i] / items[i]);
		}
	}
	size_t length = strlen(out);
	snprintf(out + length, size - length, " of the items.");
}

void frame_unanswered(const struct frame *frame, const bool *used, const size_t *of_row, char *const *names,
	size_t n, char *out, size_t size)
{
	double *open = figure_take(frame->n_rows + n, sizeof(*open)), *open_of = open + frame->n_rows;
	double *items = figure_take(frame->n_rows + n, sizeof(*items)), *items_of = items + frame->n_rows;
	out[0] = '\0';
	if (frame_values(frame, "unanswered", open) && frame_values(frame, "items", items)) {
		for (size_t row = 0; row < frame->n_rows; row++) {
			if ((used == NULL || used[row]) && of_row[row] < n && open[row] >= 0 && items[row] > 0) {
				open_of[of_row[row]] += open[row];
				items_of[of_row[row]] += items[row];
			}
		}
		tell_unanswered(open_of, items_of, names, n, out, size);
	}
	free(open);
	free(items);
}
