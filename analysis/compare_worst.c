/* The worst case over a key: what an adversary who may choose its value can do. */
#include "comparison.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ANY "(any)" /* the mean is the same at all values: none of them is the worst */

/* The mean of an arm, NaN where nothing is defined. */
static double mean_of(const struct compare *compare, const struct arm *arm)
{
	size_t n = arms_values(&compare->arms, arm, compare->values, compare->pairs[0]);
	return n == 0 ? NAN : stats_t_interval(compare->pairs[0], n).mean;
}

/* The mean over an arm's runs of another column; NaN where the file has none. */
static double mean_column(const struct compare *compare, const struct arm *arm, const double *column)
{
	if (column == NULL) {
		return NAN;
	}
	size_t n = arms_values(&compare->arms, arm, column, compare->pairs[1]);
	return n == 0 ? NAN : stats_t_interval(compare->pairs[1], n).mean;
}

static void print_number(FILE *out, double value)
{
	if (isnan(value)) {
		fprintf(out, " %11s", "-");
	} else {
		fprintf(out, " %11.5g", value);
	}
}

/* One line: the worst of a part's arms, its interval wide enough to hold whichever of them is worst. Whether they
 * are all alike. */
static bool print_part(const struct compare *compare, size_t part, size_t first, size_t n,
	bool low_is_worse, const double *attackers, int widths[2], FILE *out)
{
	const struct arm *worst = NULL;
	double worst_mean = NAN;
	size_t n_defined = 0, n_alike = 0;
	for (size_t i = first; i < first + n; i++) {
		const struct arm *arm = &compare->arms.arms[i];
		double mean = mean_of(compare, arm);
		n_defined += !isnan(mean);
		if (!isnan(mean) && (worst == NULL || (low_is_worse ? mean < worst_mean : mean > worst_mean))) {
			worst = arm;
			worst_mean = mean;
			n_alike = 0;
		}
		n_alike += mean == worst_mean;
	}
	char name[2048];
	arms_part_name(&compare->arms, part, name, sizeof(name));
	fprintf(out, "  %-*s", widths[0], name[0] == '\0' ? "all" : name);
	if (worst == NULL) {
		fprintf(out, "  undefined\n");
		return false;
	}
	struct interval interval =
		compare_interval(compare, worst, 1 - .05 / (double)n_defined, compare->pairs[0]);
	bool all = n_alike == n_defined && n_defined > 1;
	fprintf(out, "  %-*s %6zu", widths[1], all ? ANY : compare->arms.levels[worst->level], n_defined);
	if (attackers != NULL && all) {
		fprintf(out, " %9s", "-");
	} else if (attackers != NULL) {
		fprintf(out, " %9.4g", mean_column(compare, worst, attackers));
	}
	fprintf(out, " %5zu", interval.n);
	print_number(out, interval.mean);
	print_number(out, interval.low);
	print_number(out, interval.high);
	fputc('\n', out);
	return all;
}

static int width_of(const char *text, int width)
{
	int length = (int)text_length(text);
	return length > width ? length : width;
}

void compare_print_worst(const struct compare *compare, FILE *out)
{
	const struct arms *arms = &compare->arms;
	const struct column *column = frame_column(&compare->frame, compare->kpi);
	bool low_is_worse = column->more_is_better;
	double *attackers = figure_take(compare->frame.n_rows, sizeof(*attackers));
	bool has_attackers = frame_values(&compare->frame, "attackers", attackers);
	int widths[2] = {7, width_of("worst", 0)};
	for (size_t part = 0; part < arms->n_parts; part++) {
		char name[2048];
		arms_part_name(arms, part, name, sizeof(name));
		widths[0] = width_of(name, widths[0]);
	}
	for (size_t level = 0; level < arms->n_levels; level++) {
		widths[1] = width_of(arms->levels[level], widths[1]);
	}
	const char *unit = compare->share ? "" : column->unit;
	fprintf(out, "%s%s%s%s: the worst (%s) mean over %s\n\n  %-*s  %-*s %6s", compare->kpi,
		unit[0] != '\0' ? " (" : "", unit, unit[0] != '\0' ? ")" : "", low_is_worse ? "lowest" : "highest",
		arms->key, widths[0], "setting", widths[1], "worst", "of");
	if (has_attackers) {
		fprintf(out, " %9s", "attackers");
	}
	fprintf(out, " %5s %11s %11s %11s\n", "runs", "mean", "95 % from", "to");
	bool any = false;
	for (size_t i = 0, n; i < arms->n; i += n) {
		for (n = 1; i + n < arms->n && arms->arms[i + n].part == arms->arms[i].part; n++) {
		}
		any = print_part(compare, arms->arms[i].part, i, n, low_is_worse, has_attackers ? attackers : NULL, widths,
				  out) || any;
	}
	fputc('\n', out);
	compare_print_intervals(compare, out);
	fprintf(out,
		"Each is widened for the choice of the worst (Bonferroni, over the values that it is the worst of).\n");
	if (any) {
		fprintf(out, ANY ": the mean is the same at all of them.\n");
	}
	if (has_attackers) {
		fprintf(out, "attackers: how many there were in the worst case, whatever f the setting declares.\n");
	}
	compare_print_runs(compare, out);
	free(attackers);
}
