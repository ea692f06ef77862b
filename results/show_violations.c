/* Broken invariants, told in sentences. */
#include "show_row.h"

#include "cells.h"
#include "reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INVARIANTS_MAX 32
#define NODES_MAX 1024  /* of which it is noted that they were seen */
#define NODES_SHOWN 8

/* What the invariants promise, and what the two values are where it is broken. A name that is not here is
 * told without. */
static const struct {
	const char *invariant, *broken, *value_a, *value_b;
	bool hexadecimal; /* a digest; else a number */
	const char *part; /* not NULL: only where the file's own words hold this */
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
	{"view-order", "a view or term is older than the last", "it was in", "now in", false},
	{"commit-order", "the commit index fell", "it had committed up to", "now", false},
	{"exactly-once", "a transaction was proposed again", "executed in instance", "transaction", false},
	{"durability", "", "told was digest", "committed is", true, "another was committed there"},
	{"leader-completeness", "a leader's log lacks what was committed", "it holds digest",
		"committed was", true},
};

/* "1 3": validators; "c0 c2": clients. Answers what the next number is, and where it ends; NULL: none. */
static const char *next_node(const char *nodes, bool *client, unsigned long *number)
{
	char *end;
	nodes += strspn(nodes, " ");
	*client = *nodes == 'c';
	*number = strtoul(nodes + *client, &end, 10);
	return end == nodes + *client ? NULL : end;
}

static void print_nodes(FILE *out, const char *nodes)
{
	bool client;
	unsigned long a, b;
	const char *rest = next_node(nodes, &client, &a);
	if (rest == NULL) {
		return;
	}
	const char *who = client ? "client" : "validator", *c = client ? "c" : "";
	if (next_node(rest, &client, &b) == NULL || a == b) {
		fprintf(out, " at %s %s%lu", who, c, a);
	} else {
		fprintf(out, " at %ss %s%lu and %s%lu", who, c, a, c, b);
	}
}

/* What happened, in the file's own words where it has some, and both values. */
static void print_values(const struct show_row *row, FILE *out)
{
	const char *invariant = row_string(row, "invariant");
	const char *detail = row_string(row, "detail");
	const char *values[] = {row_string(row, "value_a"), row_string(row, "value_b")};
	if (row_string(row, "nodes")[0] == 'c' && detail[0] != '\0') {
		fprintf(out, ": %s", detail); /* it names the transactions */
		return;
	}
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strcmp(meanings[i].invariant, invariant) != 0 ||
			(meanings[i].part != NULL && strstr(detail, meanings[i].part) == NULL)) {
			continue;
		}
		const char *words[] = {meanings[i].value_a, meanings[i].value_b};
		fprintf(out, ": %s;", detail[0] != '\0' ? detail : meanings[i].broken);
		for (int k = 0; k < 2; k++) {
			fprintf(out, "%s %s ", k == 0 ? "" : ",", words[k]);
			if (meanings[i].hexadecimal) {
				fputs(values[k], out);
				if (strspn(values[k], "0") == strlen(values[k])) {
					fputs(" (the null batch, without transactions)", out);
				}
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
	print_nodes(out, row_string(row, "nodes"));
	fprintf(out, ", %s %" PRId64,
		strcmp(invariant, "election-safety") == 0       ? "term"
			: strcmp(invariant, "linearizability") == 0 ? "transaction"
														: "instance",
		row_int(row, "instance"));
	print_values(row, out);
	fprintf(out, ".\n");
}

/* All violations of one invariant. */
struct breaks {
	const char *invariant;
	size_t first; /* row */
	size_t n, n_runs;
	int64_t run; /* the last seen: rows stand in order of runs */
	bool of_clients;
	uint8_t nodes[NODES_MAX / 8];
};

static void note_nodes(struct breaks *breaks, const char *nodes)
{
	unsigned long number;
	while ((nodes = next_node(nodes, &breaks->of_clients, &number)) != NULL) {
		if (number < NODES_MAX) {
			breaks->nodes[number / 8] |= (uint8_t)(1 << number % 8);
		}
	}
}

/* Gathers them in order of their first. Those beyond INVARIANTS_MAX, which no version has, are left out. */
static size_t gather(struct show_row row, struct breaks all[INVARIANTS_MAX])
{
	size_t n = 0;
	for (row.row = 0; row.row < row.block->n_rows; row.row++) {
		const char *invariant = row_string(&row, "invariant");
		size_t i = 0;
		while (i < n && strcmp(all[i].invariant, invariant) != 0) {
			i++;
		}
		if (i == INVARIANTS_MAX) {
			continue;
		}
		if (i == n) {
			all[n++] = (struct breaks){.invariant = invariant, .first = row.row, .run = -1};
		}
		int64_t run = row_int(&row, "run");
		all[i].n++;
		all[i].n_runs += run != all[i].run;
		all[i].run = run;
		note_nodes(&all[i], row_string(&row, "nodes"));
	}
	return n;
}

static void print_count(const struct breaks *breaks, FILE *out)
{
	size_t n_nodes = 0;
	fprintf(out, "%s: %zu violation%s in %zu run%s", breaks->invariant, breaks->n,
		breaks->n == 1 ? "" : "s", breaks->n_runs, breaks->n_runs == 1 ? "" : "s");
	for (unsigned i = 0; i < NODES_MAX; i++) {
		if ((breaks->nodes[i / 8] >> i % 8 & 1) == 0) {
			continue;
		}
		if (n_nodes == 0) {
			fprintf(out, ", at %s", breaks->of_clients ? "clients" : "validators");
		}
		if (n_nodes < NODES_SHOWN) {
			fprintf(out, "%s %s%u", n_nodes == 0 ? "" : ",", breaks->of_clients ? "c" : "", i);
		}
		n_nodes++;
	}
	if (n_nodes > NODES_SHOWN) {
		fprintf(out, " and %zu more", n_nodes - NODES_SHOWN);
	}
	fprintf(out, "; the first:\n");
}

/* How to see a violation again: from a second before it, in tenths, until just after it, in milliseconds. */
static void print_again(struct results_file *file, const struct show_row *row, FILE *out)
{
	double at = row_real(row, "time_s");
	fprintf(out,
		"To see the first again:\n"
		"  synod show %s --scenario > again.yaml\n"
		"  synod trace again.yaml --run %" PRId64,
		results_path(file), row_int(row, "run"));
	if (!isnan(at)) {
		double from = floor((at - 1) * 10) / 10;
		if (from > 0) {
			fprintf(out, " --from '%.1f s'", from);
		}
		fprintf(out, " --until '%.3f s'", floor(at * 1000) / 1000 + .002);
	}
	fprintf(out,
		"\nand what broke in that run, a line each:\n"
		"  synod trace again.yaml --run %" PRId64 " --kind violated,verdict\n",
		row_int(row, "run"));
}

/* As the runs themselves counted them. */
static uint64_t counted(struct results_file *file)
{
	const struct table_schema *schema;
	struct results_error ignored = {0};
	const struct block *runs = results_table(file, TABLE_RUNS, &schema, &ignored);
	int column = runs == NULL ? -1 : schema_find(schema, "safety_violations");
	uint64_t n = 0;
	for (size_t row = 0; column >= 0 && row < runs->n_rows; row++) {
		int64_t of_run = block_get(runs, schema, row, (size_t)column).integer;
		n += of_run > 0 ? (uint64_t)of_run : 0;
	}
	return n;
}

int show_violations(struct results_file *file, FILE *out, struct results_error *error)
{
	struct show_row row = {0};
	row.block = results_table(file, TABLE_VIOLATIONS, &row.schema, error);
	if (row.block == NULL || row.block->n_rows == 0) {
		return error->text[0] != '\0' ? -1 : 0;
	}
	struct breaks all[INVARIANTS_MAX];
	size_t n = row.block->n_rows, n_invariants = gather(row, all);
	fprintf(out, "\n%zu violation%s%s\n", n, n == 1 ? "" : "s",
		n > n_invariants ? " (all: --table violations):" : ":");
	for (size_t i = 0; i < n_invariants; i++) {
		if (all[i].n > 1) {
			print_count(&all[i], out);
		}
		row.row = all[i].first;
		print_violation(file, &row, out);
	}
	row.row = 0;
	print_again(file, &row, out);
	uint64_t n_all = counted(file);
	if (n_all > n) {
		fprintf(out, "The runs counted %" PRIu64 " violations (safety_violations); of each run the first are kept.\n",
			n_all);
	}
	return 0;
}
