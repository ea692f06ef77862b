#include "linearizable.h"

#include <stdio.h>
#include <stdlib.h>

/* What is kept of one value's operations. */
struct cluster {
	const struct linear_operation *write; /* NULL: of the initial value */
	const struct linear_operation *first_end, *last_start;
	uint64_t end, start; /* the earliest end, the latest start */
};

struct checking {
	struct cluster *clusters; /* of one key */
	size_t n;
	bool found;
	struct linear_violation violation;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By key and value; a value's write before its reads. */
static int by_cluster(const void *a, const void *b)
{
	const struct linear_operation *x = a, *y = b;
	int order = compare(x->key, y->key);
	order = order != 0 ? order : compare(x->value, y->value);
	order = order != 0 ? order : y->write - x->write;
	order = order != 0 ? order : compare(x->start, y->start);
	return order != 0 ? order : compare(x->id, y->id);
}

/* By the earliest end: zones that are not empty forwards then stand in order. */
static int by_end(const void *a, const void *b)
{
	const struct cluster *x = a, *y = b;
	int order = compare(x->end, y->end);
	return order != 0 ? order : compare(x->start, y->start);
}

static void found(struct checking *checking, enum linear_fault fault,
	const struct linear_operation *read, const struct linear_operation *other)
{
	if (!checking->found || read->start < checking->violation.read.start) {
		checking->violation.fault = fault;
		checking->violation.read = *read;
		checking->violation.other = other != NULL ? *other : *read;
	}
	checking->found = true;
}

/* One value's operations to a cluster. (A write without an answer that nobody has seen never ends: its zone
 * conflicts with none.) */
static void add_cluster(struct checking *checking, const struct linear_operation *operations, size_t n)
{
	bool initial = operations->value == LINEAR_INITIAL;
	const struct linear_operation *write = operations->write ? operations : NULL;
	assert(!initial || write == NULL);
	assert(n < 2 || !operations[1].write); /* values are distinct */
	if (write == NULL && !initial) {
		found(checking, LINEAR_UNWRITTEN, operations, NULL);
		return;
	}
	struct cluster cluster = {write, operations, operations, operations->end, operations->start};
	if (initial) {
		cluster.end = 0; /* written before all else */
	}
	for (size_t i = 0; i < n; i++) {
		const struct linear_operation *operation = &operations[i];
		if (write != NULL && operation->end < write->start) {
			found(checking, LINEAR_EARLY, operation, write);
		}
		if (operation->end < cluster.end) {
			cluster.end = operation->end;
			cluster.first_end = operation;
		}
		if (operation->start > cluster.start) {
			cluster.start = operation->start;
			cluster.last_start = operation;
		}
	}
	checking->clusters[checking->n++] = cluster;
}

static bool written_before(const struct cluster *a, const struct cluster *b)
{
	return a->write == NULL || (b->write != NULL && a->write->end < b->write->start);
}

/* Two values each of which must come before the other: that which was written first is read when it has been
 * overwritten; where they were written side by side, that which is read last. */
static void check_pair(struct checking *checking, const struct cluster *a, const struct cluster *b)
{
	if (a->end < b->start && b->end < a->start) {
		bool a_is_stale = written_before(a, b) || (!written_before(b, a) && a->start > b->start);
		const struct cluster *stale = a_is_stale ? a : b;
		found(checking, LINEAR_STALE, stale->last_start, (a_is_stale ? b : a)->first_end);
	}
}

static void check_zones(struct checking *checking)
{
	qsort(checking->clusters, checking->n, sizeof(*checking->clusters), by_end);
	/* Where any two conflict, one conflicts with that of those before it (by earliest end) which reaches
	 * furthest: let x before y conflict, and let z, before y too, reach further than x. Either z conflicts
	 * with y, or z ends after y's latest start: then z comes after x and conflicts with it, or with what
	 * reached even further when z's turn came. */
	const struct cluster *furthest = NULL;
	for (size_t i = 0; i < checking->n; i++) {
		const struct cluster *cluster = &checking->clusters[i];
		if (furthest != NULL) {
			check_pair(checking, furthest, cluster);
		}
		if (furthest == NULL || cluster->start > furthest->start) {
			furthest = cluster;
		}
	}
}

size_t linear_check(struct linear_operation *operations, size_t n, linear_tell *tell, void *context)
{
	if (n == 0) {
		return 0;
	}
	qsort(operations, n, sizeof(*operations), by_cluster);
	struct checking checking = {.clusters = calloc(n, sizeof(struct cluster))};
	if (checking.clusters == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	size_t n_keys = 0;
	for (size_t at = 0; at < n;) {
		uint64_t key = operations[at].key;
		checking.n = 0;
		checking.found = false;
		while (at < n && operations[at].key == key) {
			size_t first = at;
			while (at < n && operations[at].key == key && operations[at].value == operations[first].value) {
				at++;
			}
			add_cluster(&checking, &operations[first], at - first);
		}
		check_zones(&checking);
		if (checking.found) {
			n_keys++;
			tell(context, &checking.violation);
		}
	}
	free(checking.clusters);
	return n_keys;
}
