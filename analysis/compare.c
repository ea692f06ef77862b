#include "analysis/compare.h"

#include "frame.h"
#include "layout.h"
#include "memory.h"
#include "paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DONE 0
#define WRONG_REQUEST 2
#define WRONG_ENVIRONMENT 3

/* One comparison: the levels a and b of the key, in one part of the runs. */
struct comparison {
	size_t part, a, b;
	size_t n_undefined; /* pairs left out: the KPI is undefined in one of the two */
	struct paired paired;
	double adjusted_p; /* of the signed-rank test */
};

struct compare {
	struct frame frame;
	const double *values;
	int by;
	size_t *part;       /* of each row: which setting of the other keys */
	size_t n_parts;
	size_t *first_row;  /* of each part */
	struct comparison *comparisons;
	size_t n_comparisons;
};

static bool same_part(const struct frame *frame, int by, size_t a, size_t b)
{
	for (size_t f = 0; f < frame->n_factors; f++) {
		if ((int)f != by && frame->factors[f].of_row[a] != frame->factors[f].of_row[b]) {
			return false;
		}
	}
	return true;
}

static void find_parts(struct compare *compare)
{
	const struct frame *frame = &compare->frame;
	compare->part = figure_take(frame->n_rows, sizeof(*compare->part));
	compare->first_row = figure_take(frame->n_rows, sizeof(*compare->first_row));
	for (size_t row = 0; row < frame->n_rows; row++) {
		size_t part = 0;
		while (part < compare->n_parts &&
			!same_part(frame, compare->by, compare->first_row[part], row)) {
			part++;
		}
		if (part == compare->n_parts) {
			compare->first_row[compare->n_parts++] = row;
		}
		compare->part[row] = part;
	}
}

/* The defined values of a level in a part. */
static size_t gather(const struct compare *compare, size_t part, size_t level, double *out)
{
	const struct factor *by = &compare->frame.factors[compare->by];
	size_t n = 0;
	for (size_t row = 0; row < compare->frame.n_rows; row++) {
		if (compare->part[row] == part && by->of_row[row] == level && !isnan(compare->values[row])) {
			out[n++] = compare->values[row];
		}
	}
	return n;
}

/* The row of a replication at a level in a part, or SIZE_MAX. */
static size_t find_row(const struct compare *compare, size_t part, size_t level, int64_t replication)
{
	const struct factor *by = &compare->frame.factors[compare->by];
	for (size_t row = 0; row < compare->frame.n_rows; row++) {
		if (compare->part[row] == part && by->of_row[row] == level &&
			compare->frame.replication[row] == replication) {
			return row;
		}
	}
	return SIZE_MAX;
}

static void compare_pair(struct compare *compare, size_t part, size_t a, size_t b)
{
	const struct factor *by = &compare->frame.factors[compare->by];
	double *values_a = figure_take(compare->frame.n_rows, sizeof(double));
	double *values_b = figure_take(compare->frame.n_rows, sizeof(double));
	struct comparison comparison = {.part = part, .a = a, .b = b, .adjusted_p = NAN};
	size_t n = 0;
	for (size_t row = 0; row < compare->frame.n_rows; row++) {
		if (compare->part[row] != part || by->of_row[row] != a) {
			continue;
		}
		size_t other = find_row(compare, part, b, compare->frame.replication[row]);
		if (other == SIZE_MAX) {
			continue;
		}
		if (isnan(compare->values[row]) || isnan(compare->values[other])) {
			comparison.n_undefined++;
			continue;
		}
		values_a[n] = compare->values[row];
		values_b[n++] = compare->values[other];
	}
	if (n > 0) {
		comparison.paired = paired_compare(values_a, values_b, n);
	}
	free(values_a);
	free(values_b);
	compare->comparisons[compare->n_comparisons++] = comparison;
}

static void compare_all(struct compare *compare, size_t against)
{
	size_t n_levels = compare->frame.factors[compare->by].n_levels;
	compare->comparisons =
		figure_take(compare->n_parts * n_levels * n_levels, sizeof(*compare->comparisons));
	for (size_t part = 0; part < compare->n_parts; part++) {
		for (size_t a = 0; a < n_levels; a++) {
			for (size_t b = a + 1; against == SIZE_MAX && b < n_levels; b++) {
				compare_pair(compare, part, a, b);
			}
			if (against != SIZE_MAX && a != against) {
				compare_pair(compare, part, against, a);
			}
		}
	}
	double *p = figure_take(compare->n_comparisons, sizeof(*p));
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		p[i] = compare->comparisons[i].paired.n > 0 ? compare->comparisons[i].paired.signed_rank_p : NAN;
	}
	holm_adjust(p, compare->n_comparisons);
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		compare->comparisons[i].adjusted_p = p[i];
	}
	free(p);
}

/* "validators 4, scorer mad": the other keys of a part; "" where there are none. */
static void part_name(const struct compare *compare, size_t part, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (size_t f = 0; f < compare->frame.n_factors; f++) {
		const struct factor *factor = &compare->frame.factors[f];
		if ((int)f == compare->by || factor->n_levels < 2) {
			continue;
		}
		const char *level = factor->levels[factor->of_row[compare->first_row[part]]];
		int added = snprintf(out + n, size - n, "%s%s = %s", n > 0 ? ", " : "", factor->key, level);
		if (added < 0 || (size_t)added >= size - n) {
			return;
		}
		n += (size_t)added;
	}
}

static void print_p(FILE *out, double p)
{
	if (isnan(p)) {
		fprintf(out, " %9s", "-");
	} else if (p < 1e-4) {
		fprintf(out, " %9s", "< 0.0001");
	} else {
		fprintf(out, " %9.4f", p);
	}
}

static void print_number(FILE *out, double value)
{
	if (isnan(value)) {
		fprintf(out, " %11s", "-");
	} else {
		fprintf(out, " %11.5g", value);
	}
}

static void print_effect(FILE *out, double value)
{
	if (isnan(value)) {
		fprintf(out, " %7s", "-");
	} else {
		fprintf(out, " %7.2f", value);
	}
}

static int level_width(const struct factor *factor)
{
	size_t width = 8;
	for (size_t i = 0; i < factor->n_levels; i++) {
		size_t length = text_length(factor->levels[i]);
		width = length > width ? length : width;
	}
	return (int)(width < 40 ? width : 40);
}

static void print_part(const struct compare *compare, size_t part, FILE *out)
{
	const struct factor *by = &compare->frame.factors[compare->by];
	int width = level_width(by);
	char name[512];
	part_name(compare, part, name, sizeof(name));
	if (name[0] != '\0') {
		fprintf(out, "\n%s\n", name);
	}
	fprintf(out, "\n  %-*s %5s %11s %11s %11s %11s %11s %11s %11s\n", width, by->key, "runs", "mean",
		"95 % from", "to", "sd", "quarter", "median", "3 quarters");
	double *values = figure_take(compare->frame.n_rows, sizeof(*values));
	for (size_t level = 0; level < by->n_levels; level++) {
		size_t n = gather(compare, part, level, values);
		fprintf(out, "  %-*s %5zu", width, by->levels[level], n);
		if (n > 0) {
			struct interval interval = stats_t_interval(values, n);
			double squares = 0;
			for (size_t i = 0; i < n; i++) {
				squares += (values[i] - interval.mean) * (values[i] - interval.mean);
			}
			stats_sort(values, n);
			print_number(out, interval.mean);
			print_number(out, interval.low);
			print_number(out, interval.high);
			print_number(out, n < 2 ? NAN : sqrt(squares / (double)(n - 1)));
			print_number(out, stats_quantile(values, n, .25));
			print_number(out, stats_quantile(values, n, .5));
			print_number(out, stats_quantile(values, n, .75));
		}
		fputc('\n', out);
	}
	free(values);
	fprintf(out, "\n  %-*s %5s %11s %11s %11s %9s %9s %9s %7s %7s\n", 2 * width + 3, "second - first",
		"pairs", "difference", "95 % from", "to", "t-test", "ranks", "Holm", "d_z", "r");
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		const struct comparison *comparison = &compare->comparisons[i];
		const struct paired *paired = &comparison->paired;
		if (comparison->part != part) {
			continue;
		}
		char pair[256];
		snprintf(pair, sizeof(pair), "%s - %s", by->levels[comparison->b], by->levels[comparison->a]);
		fprintf(out, "  %-*s %5zu", 2 * width + 3, pair, paired->n);
		if (paired->n > 0) {
			print_number(out, paired->difference.mean);
			print_number(out, paired->difference.low);
			print_number(out, paired->difference.high);
			print_p(out, paired->t_p);
			print_p(out, paired->signed_rank_p);
			print_p(out, comparison->adjusted_p);
			print_effect(out, paired->dz);
			print_effect(out, paired->rank_biserial);
		}
		if (comparison->n_undefined > 0) {
			fprintf(out, "  %zu pairs undefined", comparison->n_undefined);
		}
		fputc('\n', out);
	}
}

static void print_csv(const struct compare *compare, FILE *out)
{
	const struct factor *by = &compare->frame.factors[compare->by];
	fputs("part,first,second,pairs,difference,low,high,t_p,signed_rank_p,holm_p,dz,rank_biserial\n", out);
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		const struct comparison *comparison = &compare->comparisons[i];
		const struct paired *paired = &comparison->paired;
		char part[512];
		part_name(compare, comparison->part, part, sizeof(part));
		fprintf(out, "\"%s\",\"%s\",\"%s\",%zu", part, by->levels[comparison->a], by->levels[comparison->b],
			paired->n);
		const double numbers[] = {paired->difference.mean, paired->difference.low,
			paired->difference.high, paired->t_p, paired->signed_rank_p, comparison->adjusted_p,
			paired->dz, paired->rank_biserial};
		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
			if (paired->n == 0 || isnan(numbers[k])) {
				fputs(",NaN", out);
			} else {
				fprintf(out, ",%.17g", numbers[k]);
			}
		}
		fputc('\n', out);
	}
}

/* n pairs have 2^n choices of signs: the smallest two-sided p is 2 / 2^n. */
static void print_reach(const struct compare *compare, FILE *out)
{
	size_t most = 0;
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		size_t n = compare->comparisons[i].paired.n;
		most = n > most ? n : most;
	}
	double smallest = ldexp(2, -(int)(most < 1000 ? most : 1000));
	double wanted = .05 / (double)compare->n_comparisons;
	if (most > 0 && smallest > wanted) {
		size_t needed = most;
		while (ldexp(2, -(int)needed) > wanted) {
			needed++;
		}
		fprintf(out,
			"With %zu pairs the ranks' p is at least %.4g, and Holm's %.2g: none of the %zu comparisons can come below .05.\n"
			"%zu replications could; so would fewer comparisons (--against VALUE, or a narrower sweep).\n",
			most, smallest, fmin(1, smallest * (double)compare->n_comparisons), compare->n_comparisons, needed);
	}
}

static void print_all(const struct compare *compare, const struct compare_request *request, FILE *out)
{
	const char *unit = frame_unit(&compare->frame, request->kpi);
	fprintf(out, "%s%s%s%s by %s; pairs are equal replications, which share their random numbers\n",
		request->kpi, unit[0] != '\0' ? " (" : "", unit, unit[0] != '\0' ? ")" : "",
		compare->frame.factors[compare->by].key);
	for (size_t part = 0; part < compare->n_parts; part++) {
		print_part(compare, part, out);
	}
	fprintf(out,
		"\nIntervals: Student's t. t-test: paired, two-sided. ranks: Wilcoxon's signed ranks, two-sided,\n"
		"exact. Holm: the same, adjusted for the %zu comparisons shown. d_z: mean / sd of the differences.\n"
		"r: rank-biserial correlation.\n",
		compare->n_comparisons);
	print_reach(compare, out);
	bool *all = figure_take(compare->frame.n_rows, sizeof(*all));
	memset(all, true, compare->frame.n_rows * sizeof(*all));
	char verdicts[256];
	frame_verdicts(&compare->frame, all, verdicts, sizeof(verdicts));
	if (verdicts[0] != '\0') {
		fprintf(out, "%s\n", verdicts);
	}
	free(all);
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

/* Finds the key and the level to compare against. */
static int choose(struct compare *compare, const struct compare_request *request, size_t *against,
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
	compare->by = request->by == NULL ? 0 : frame_factor(frame, request->by);
	if (compare->by < 0) {
		return refuse(error, "swept key", request->by, keys, frame->n_factors);
	}
	const struct factor *by = &frame->factors[compare->by];
	if (by->n_levels < 2) {
		snprintf(error->text, sizeof(error->text),
			"`%.100s` has one value in this file: nothing to compare by", by->key);
		return WRONG_REQUEST;
	}
	*against = SIZE_MAX;
	if (request->against == NULL) {
		return DONE;
	}
	for (size_t level = 0; level < by->n_levels; level++) {
		if (strcmp(by->levels[level], request->against) == 0) {
			*against = level;
			return DONE;
		}
	}
	return refuse(error, "value", request->against, (const char *const *)by->levels, by->n_levels);
}

int compare_print(const struct compare_request *request, FILE *out, struct results_error *error)
{
	struct compare compare = {0};
	if (!frame_open(&compare.frame, request->path, error)) {
		return WRONG_ENVIRONMENT;
	}
	double *values = figure_take(compare.frame.n_rows, sizeof(*values));
	size_t against;
	int status = choose(&compare, request, &against, error);
	if (status == DONE && !frame_values(&compare.frame, request->kpi, values)) {
		const char *names[256];
		size_t n = frame_kpis(&compare.frame, names, 256);
		status = refuse(error, "KPI", request->kpi, names, n);
	}
	if (status == DONE) {
		compare.values = values;
		find_parts(&compare);
		compare_all(&compare, against);
		if (request->csv) {
			print_csv(&compare, out);
		} else {
			print_all(&compare, request, out);
		}
	}
	free(compare.comparisons);
	free(compare.part);
	free(compare.first_row);
	free(values);
	frame_close(&compare.frame);
	return status;
}
