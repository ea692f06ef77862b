/* Runs with attackers on nodes. */
#ifndef TESTS_LAB_ATTACKED_H
#define TESTS_LAB_ATTACKED_H

#include "study.h"

#include <stdio.h>
#include <string.h>

#define CONSTANT "{kind: constant, value: 10 ms}"
#define UNIFORM "{kind: uniform, min: 5 ms, max: 15 ms}"
#define OPEN "clients: 4, arrivals: {kind: regular, rate: 20 /s}"
#define CLOSED "clients: 4, outstanding: 2"

static inline struct outcome *attacked(const char *protocol, int n, const char *latency, const char *clients,
	int items, const char *attacks, const char *more)
{
	return run_text("seed: 7\n"
					"stop: {items: %d}\n"
					"validators: %d\n"
					"protocol: %s\n"
					"network: {latency: %s}\n"
					"workload: {kind: requests, %s}\n"
					"attacks: %s\n"
					"record: [decisions, validators]\n"
					"%s",
		items, n, protocol, latency, clients, attacks, more);
}

static inline struct outcome *pbft(int n, const char *attacks)
{
	return attacked("pbft", n, UNIFORM, OPEN, 60, attacks, "");
}

/* "[0, 1, ... n-1]", in a buffer of the caller's. */
static inline const char *first(int n, char text[64])
{
	size_t at = 0;
	for (int i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, 64 - at, "%s%d", i == 0 ? "[" : ", ", i);
	}
	snprintf(text + at, 64 - at, "]");
	return text;
}

static inline void assert_safe(struct outcome *outcome)
{
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	assert_true(kpi(outcome, "divergence") == 0);
	assert_int_equal(n_rows(outcome, TABLE_VIOLATIONS), 0);
}

#endif
