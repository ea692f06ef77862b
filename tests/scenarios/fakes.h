/* The settings of the fake plugins, and helpers that the tests of scenarios share. */
#ifndef FAKES_H
#define FAKES_H

#include "scenarios/scenario.h"

#include "attacks/attack.h"
#include "engine/fault.h"
#include "workloads/workload.h"

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_protocol {
	int64_t batch, quorum;
	sim_time view_timeout_ns, election_timeout_ns[2];
	int initial_leader;
	bool prevote, tentative;
	struct number_list stake;
};

struct fake_dimweight {
	struct workload_common common;
	const struct csv_table *data;
	const char *note;
};

struct fake_gradient {
	struct attack_common common;
	double epsilon;
};

struct fake_partition {
	struct fault_common common;
	struct node_groups groups;
};

/* A scenario with every key, as in the documents. */
extern const char *const example;

/* Reads a text that must be right; says what is wrong with it otherwise. */
struct scenario_file *read_right(const char *text, const char *const *sets, size_t n_sets);
/* What is printed about a text that must be wrong; to be freed. */
char *read_wrong_n(const char *text, size_t n_bytes, const char *const *sets, size_t n_sets);
char *read_wrong(const char *text);
/* Compares with what is printed. */
void expect_errors(const char *text, const char *expected);
/* The first line of what is printed is this. */
void expect_error(const char *text, const char *first_line);
/* The same for `head` and then `text`, where head is a scenario that is right by itself. */
void expect_error_after(const char *head, const char *text, const char *first_line);
/* What scenario_print prints; to be freed. */
char *print_point(const struct scenario_file *file, size_t point);

#endif
