/* Tables of comparisons, for people and as CSV. */
#include "comparison.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static int level_width(const struct arms *arms)
{
	size_t width = text_length(arms->key);
	for (size_t i = 0; i < arms->n_levels; i++) {
		size_t length = text_length(arms->levels[i]);
		width = length > width ? length : width;
	}
	return (int)(width < 8 ? 8 : width < 40 ? width : 40);
}

struct interval compare_interval(
	const struct compare *compare, const struct arm *arm, double level, double *values)
{
	size_t n = arms_values(&compare->arms, arm, compare->values, values);
	if (n == 0) {
		return (struct interval){.mean = NAN, .low = NAN, .high = NAN};
	}
	double units = 0;
	for (size_t i = 0; compare->units != NULL && i < arm->n; i++) {
		size_t row = compare->arms.rows[arm->first + i];
		units += isnan(compare->values[row]) ? 0 : compare->units[row];
	}
	struct interval interval = compare->share ? stats_share_interval(values, n, level, units)
											   : stats_t_interval_at(values, n, level);
	stats_sort(values, n);
	return interval;
}

static void print_arms(const struct compare *compare, size_t part, int width, FILE *out)
{
	const struct arms *arms = &compare->arms;
	fprintf(out, "\n  %-*s %5s %11s %11s %11s %11s %11s %11s %11s\n", width, arms->key, "runs", "mean",
		"95 % from", "to", "sd", "quarter", "median", "3 quarters");
	for (size_t i = 0; i < arms->n; i++) {
		const struct arm *arm = &arms->arms[i];
		if (arm->part != part) {
			continue;
		}
		double *values = compare->pairs[0];
		struct interval interval = compare_interval(compare, arm, .95, values);
		size_t n = interval.n;
		fprintf(out, "  %-*s %5zu", width, arms->levels[arm->level], n);
		if (n > 0) {
			print_number(out, interval.mean);
			print_number(out, interval.low);
			print_number(out, interval.high);
			print_number(out, n < 2 ? NAN : stats_sd(values, n));
			print_number(out, stats_quantile(values, n, .25));
			print_number(out, stats_quantile(values, n, .5));
			print_number(out, stats_quantile(values, n, .75));
		}
		fputc('\n', out);
	}
}

static void print_comparison(
	const struct compare *compare, const struct comparison *comparison, int width, FILE *out)
{
	const struct paired *paired = &comparison->paired;
	char pair[2100];
	snprintf(pair, sizeof(pair), "%s - %s", compare->arms.levels[comparison->b->level],
		compare->arms.levels[comparison->a->level]);
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

/* An earlier part whose arms are the same digit by digit, one by one, or SIZE_MAX. O(arms). */
static size_t same_part(const struct compare *compare, size_t part)
{
	const struct arms *arms = &compare->arms;
	size_t same = SIZE_MAX;
	for (size_t i = 0; i < arms->n; i++) {
		const struct arm *arm = &arms->arms[i];
		if (arm->part != part) {
			continue;
		}
		same = same == SIZE_MAX ? arms->arms[arm->same].part : same;
		const struct arm *other = same < part ? arms_find(arms, same, arm->level) : NULL;
		if (other == NULL || other->same != arm->same) {
			return SIZE_MAX;
		}
	}
	return same;
}

/* Comparisons are in order of parts: takes those of one from *next on. */
static void print_part(const struct compare *compare, size_t part, size_t *next, FILE *out)
{
	int width = level_width(&compare->arms);
	char name[2048];
	arms_part_name(&compare->arms, part, name, sizeof(name));
	if (name[0] != '\0') {
		fprintf(out, "\n%s\n", name);
	}
	size_t same = same_part(compare, part);
	if (same != SIZE_MAX) {
		char earlier[2048];
		arms_part_name(&compare->arms, same, earlier, sizeof(earlier));
		fprintf(out, "  the same, digit by digit, as %s\n", earlier);
		for (; *next < compare->n_comparisons && compare->comparisons[*next].a->part == part; ++*next) {
		}
		return;
	}
	print_arms(compare, part, width, out);
	fprintf(out, "\n  %-*s %5s %11s %11s %11s %9s %9s %9s %7s %7s\n", 2 * width + 3, "second - first",
		"pairs", "difference", "95 % from", "to", "t-test", "ranks", "Holm", "d_z", "r");
	for (; *next < compare->n_comparisons && compare->comparisons[*next].a->part == part; ++*next) {
		print_comparison(compare, &compare->comparisons[*next], width, out);
	}
}

void compare_print_csv(const struct compare *compare, FILE *out)
{
	fputs("part,first,second,pairs,difference,low,high,t_p,signed_rank_p,holm_p,dz,rank_biserial\n", out);
	for (size_t i = 0; i < compare->n_comparisons; i++) {
		const struct comparison *comparison = &compare->comparisons[i];
		const struct paired *paired = &comparison->paired;
		char part[2048];
		arms_part_name(&compare->arms, comparison->a->part, part, sizeof(part));
		fprintf(out, "\"%s\",\"%s\",\"%s\",%zu", part, compare->arms.levels[comparison->a->level],
			compare->arms.levels[comparison->b->level], paired->n);
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
	double wanted = .05 / (double)compare->n_family;
	if (most > 0 && compare->n_family > 0 && smallest > wanted) {
		size_t needed = most;
		while (ldexp(2, -(int)needed) > wanted) {
			needed++;
		}
		fprintf(out,
			"With %zu pairs the ranks' p is at least %.4g, and Holm's %.2g: none of the %zu comparisons can come below .05.\n"
			"%zu replications could; so would fewer comparisons (--against VALUE, --where KEY=VALUE).\n",
			most, smallest, fmin(1, smallest * (double)compare->n_family), compare->n_family, needed);
	}
}

static void print_family(const struct compare *compare, FILE *out)
{
	if (compare->n_repeated > 0) {
		fprintf(out,
			"%zu more repeat%s one of these digit by digit in every replication: one finding, which Holm counts once.\n",
			compare->n_repeated, compare->n_repeated == 1 ? "s" : "");
	}
	if (compare->n_equal > 0) {
		fprintf(out, "%zu compare%s two arms that are equal digit by digit, which is no test: Holm leaves %s out.\n",
			compare->n_equal, compare->n_equal == 1 ? "s" : "", compare->n_equal == 1 ? "it" : "them");
	}
	if (compare->n_undefined > 0) {
		fprintf(out, "%zu ha%s no replication in which %s is defined in both.\n", compare->n_undefined,
			compare->n_undefined == 1 ? "s" : "ve", compare->kpi);
	}
}

void compare_print_intervals(const struct compare *compare, FILE *out)
{
	if (!compare->share) {
		fputs("Intervals: Student's t.\n", out);
		return;
	}
	fprintf(out,
		"Intervals of means of shares: Student's t over runs, on the logit; where all are 0 (or 1), one-sided to\n"
		"%s.%s\n",
		compare->units != NULL ? "1 - .05^(1/n), n being the items of all runs, as if they were independent"
							   : "1 - .05^(1/runs)",
		compare->n_comparisons > 0 ? " Of differences: Student's t." : "");
}

static void print_unanswered(const struct arms *arms, FILE *out)
{
	size_t *level = figure_take(arms->frame->n_rows, sizeof(*level));
	for (size_t row = 0; row < arms->frame->n_rows; row++) {
		level[row] = SIZE_MAX;
	}
	for (size_t i = 0; i < arms->n; i++) {
		for (size_t r = 0; r < arms->arms[i].n; r++) {
			level[arms->rows[arms->arms[i].first + r]] = arms->arms[i].level;
		}
	}
	char text[600];
	frame_unanswered(arms->frame, NULL, level, arms->levels, arms->n_levels, text, sizeof(text));
	if (text[0] != '\0') {
		fprintf(out, "%s\n", text);
	}
	free(level);
}

void compare_print_runs(const struct compare *compare, FILE *out)
{
	if (compare->arms.n_twice > 0) {
		fprintf(out, "%zu rows were left out: their settings, however spelled, have the replication already.\n",
			compare->arms.n_twice);
	}
	char verdicts[256];
	frame_verdicts(&compare->frame, NULL, verdicts, sizeof(verdicts));
	if (verdicts[0] != '\0') {
		fprintf(out, "%s\n", verdicts);
	}
	print_unanswered(&compare->arms, out);
}

void compare_print_tables(const struct compare *compare, FILE *out)
{
	const char *unit = compare->share ? "" : frame_column(&compare->frame, compare->kpi)->unit;
	fprintf(out, "%s%s%s%s by %s; pairs are equal replications, which share their random numbers\n",
		compare->kpi, unit[0] != '\0' ? " (" : "", unit, unit[0] != '\0' ? ")" : "", compare->arms.key);
	size_t next = 0;
	for (size_t part = 0; part < compare->arms.n_parts; part++) {
		print_part(compare, part, &next, out);
	}
	fputc('\n', out);
	compare_print_intervals(compare, out);
	fprintf(out,
		"t-test: paired, two-sided. ranks: Wilcoxon's signed ranks, two-sided, exact. Holm: the same, adjusted\n"
		"for %zu comparison%s. d_z: mean / sd of the differences. r: rank-biserial correlation.\n",
		compare->n_family, compare->n_family == 1 ? "" : "s");
	print_family(compare, out);
	print_reach(compare, out);
	compare_print_runs(compare, out);
}
