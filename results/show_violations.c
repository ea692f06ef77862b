/* Broken invariants, told in sentences. */
#include "show_row.h"

#include "print.h"
#include "reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCES_MAX 20

/* What the invariants promise, and what the two values are where it is broken. A name that is not here is
 * told without. */
static const struct {
	const char *invariant, *broken, *value_a, *value_b;
	bool hexadecimal; /* a digest; else a number */
} meanings[] = {
	{"agreement", "two honest validators hold different batches in one instance", "the first holds digest",
		"the second", true},
	{"validity", "what is committed was submitted by no client", "it holds transaction",
		"transactions submitted so far:", false},
	{"integrity", "an instance is executed twice", "already executed up to instance", "executed now:",
		false},
	{"total-order", "instances are executed out of order", "executed so far:", "executed now:", false},
	{"election-safety", "a term has two leaders", "the first is validator", "the second validator", false},
	{"log-matching", "two logs differ below an entry that they share", "the first holds digest",
		"the second", true},
	{"leader-completeness", "a leader's log lacks what was committed", "it holds digest",
		"committed was", true},
};

static void print_nodes(FILE *out, const char *invariant, const char *nodes)
{
	const char *who = strcmp(invariant, "linearizability") == 0 ? "node" : "validator";
	char *end;
	unsigned long a = strtoul(nodes, &end, 10);
	if (end == nodes) {
		return;
	}
	const char *rest = end;
	unsigned long b = strtoul(rest, &end, 10);
	if (end == rest || a == b) {
		fprintf(out, " at %s %lu", who, a);
	} else {
		fprintf(out, " at %ss %lu and %lu", who, a, b);
	}
}

/* What happened, in the file's own words where it has some, and both values. */
static void print_values(const struct show_row *row, FILE *out)
{
	const char *invariant = row_string(row, "invariant");
	const char *detail = row_string(row, "detail");
	const char *values[] = {row_string(row, "value_a"), row_string(row, "value_b")};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strcmp(meanings[i].invariant, invariant) != 0) {
			continue;
		}
		const char *words[] = {meanings[i].value_a, meanings[i].value_b};
		fprintf(out, ": %s;", detail[0] != '\0' ? detail : meanings[i].broken);
		for (int k = 0; k < 2; k++) {
			fprintf(out, "%s %s ", k == 0 ? "" : ",", words[k]);
			if (meanings[i].hexadecimal) {
				fputs(values[k], out);
			} else {
				fprintf(out, "%" PRIu64, (uint64_t)strtoull(values[k], NULL, 16));
			}
		}
		return;
	}
	fprintf(out, ": %s%s%s against %s", detail, detail[0] != '\0' ? "; " : "", values[0], values[1]);
}

static void print_violation(struct results_file *file, const struct show_row *row, FILE *out)
{
	char time[SHOW_TIME];
	show_time(row_real(row, "time_s"), time);
	fprintf(out, "In ");
	show_run(file, row_int(row, "run"), out);
	fprintf(out, " %s is broken at %s", row_string(row, "invariant"), time);
	const char *invariant = row_string(row, "invariant");
	print_nodes(out, invariant, row_string(row, "nodes"));
	fprintf(out, ", %s %" PRId64,
		strcmp(invariant, "election-safety") == 0       ? "term"
			: strcmp(invariant, "linearizability") == 0 ? "transaction"
														: "instance",
		row_int(row, "instance"));
	print_values(row, out);
	fprintf(out, ".\n");
}

int show_violations(struct results_file *file, FILE *out, struct results_error *error)
{
	struct show_row row = {0};
	row.block = results_table(file, TABLE_VIOLATIONS, &row.schema, error);
	if (row.block == NULL || row.block->n_rows == 0) {
		return error->text[0] != '\0' ? -1 : 0;
	}
	size_t n = row.block->n_rows;
	fprintf(out, "\n%zu violation%s:\n", n, n == 1 ? "" : "s");
	for (; row.row < n && row.row < SENTENCES_MAX; row.row++) {
		print_violation(file, &row, out);
	}
	if (n > SENTENCES_MAX) {
		fprintf(out, "... and %zu more: --table violations\n", n - SENTENCES_MAX);
	}
	row.row = 0;
	fprintf(out,
		"To see the first again:\n"
		"  synod show %s --scenario > again.yaml\n"
		"  synod trace again.yaml --run %" PRId64 "\n",
		results_path(file), row_int(&row, "run"));
	return 0;
}
