/* Every kind of fault under every protocol: each run ends with a verdict that is an answer, never by a limit
 * or by chance, and the same way twice. And what a partition must and must not do. */
#include "study.h"

#include "engine/digest.h"
#include "engine/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One of each kind; between 2 s and 6 s, healing unless said otherwise. %u: the last validator, twice at
 * most. */
static const struct {
	const char *kind, *text;
	bool stalls;      /* may end so: it never heals */
	const char *only; /* the one protocol that it is meant for */
} faults[] = {
	{"crash", "{kind: crash, nodes: leader, from: 2 s, until: 6 s}"},
	{"crash", "{kind: crash, nodes: [0, %u], every: 3 s, lasts: 1 s, until: 12 s}"},
	{"pause", "{kind: pause, nodes: leader, from: 2 s, until: 6 s}"},
	{"pause", "{kind: pause, nodes: [0, 1, %u], from: 2 s, until: 6 s}"},
	{"pause", "{kind: pause, nodes: [0, 1, %u], every: 1 s, lasts: 400 ms, until: 8 s}"},
	{"partition", "{kind: partition, groups: [[0, 1]], from: 2 s, until: 6 s}"},
	{"partition", "{kind: partition, groups: [[0, 1], [2]], from: 2 s}", true},
	{"cut", "{kind: cut, from_nodes: [0], from: 2 s, until: 6 s}"},
	{"cut", "{kind: cut, to_nodes: leader, from: 2 s, until: 6 s}"},
	{"flap", "{kind: flap, nodes: [0, %u], down: 300 ms, up: 700 ms, from: 2 s, until: 6 s}"},
	{"isolate", "{kind: isolate, nodes: leader, from: 2 s, until: 6 s}"},
	{"isolate", "{kind: isolate, nodes: leader, follow: on, from: 2 s, until: 6 s}"},
	{"slow-node", "{kind: slow-node, nodes: [0], delay: 300 us, from: 2 s, until: 6 s}"},
	{"slow-disk", "{kind: slow-disk, nodes: [0], delay: {kind: exponential, mean: 30 ms}, from: 2 s, until: 6 s}",
		false, "raft"},
	{"disk", "{kind: disk, nodes: [0, 1, %u], stall: on, from: 2 s, until: 6 s}", false, "raft"},
	{"disk", "{kind: disk, nodes: [0, %u], unsynced: torn}, "
			 "{kind: crash, nodes: [0, %u], every: 3 s, lasts: 1 s, until: 12 s}",
		false, "raft"},
	{"slow-disk", "{kind: slow-disk, nodes: [0], delay: {kind: exponential, mean: 30 ms}, from: 2 s, until: 6 s}",
		false, "pbft"},
	{"disk", "{kind: disk, nodes: [0, 1, %u], stall: on, from: 2 s, until: 6 s}", false, "pbft"},
	{"disk", "{kind: disk, nodes: [0, %u], unsynced: torn}, "
			 "{kind: crash, nodes: [0, %u], every: 3 s, lasts: 1 s, until: 12 s}",
		false, "pbft"},
	{"slow-link", "{kind: slow-link, from_nodes: [0], delay: 200 ms, from: 2 s, until: 6 s}"},
	{"skew", "{kind: skew, nodes: [0, %u], offset: 1 s, drift: 100000, from: 2 s, until: 6 s}"},
	{"skew", "{kind: skew, nodes: [0], offset: -2 s, from: 2 s, until: 6 s}"},
	{"loss", "{kind: loss, probability: 0.1, from: 2 s, until: 6 s}"},
	{"duplicate", "{kind: duplicate, probability: 0.5, copies: 3, delay: 5 ms, from: 2 s, until: 6 s}"},
	{"reorder", "{kind: reorder, probability: 0.3, delay: 300 ms, from: 2 s, until: 6 s}"},
	{"corrupt", "{kind: corrupt, probability: 0.1, among: all, from: 2 s, until: 6 s}"},
	{"stabilise", "{kind: stabilise, at: 6 s, delay: {kind: pareto, min: 100 ms, shape: 2}, loss: 0.1}"},
	{"rule", "{kind: rule, message: commit, to_nodes: [1], action: hold, from: 2 s, until: 6 s}", false, "pbft"},
	{"rule", "{kind: rule, message: append-entries, from_nodes: leader, action: drop, from: 2 s, until: 6 s}",
		false, "raft"},
	{"rule", "{kind: rule, message: request, action: delay, delay: 1 s, from: 2 s, until: 6 s}"},
	{"rule", "{kind: rule, from_nodes: [client 0], to_nodes: [0, 1], action: drop, from: 2 s, until: 6 s}"},
	{"rule", "{kind: rule, message: reply, to_nodes: [client 1], action: delay, delay: 1 s, from: 2 s, until: 6 s}"},
	{"step", "{kind: step, at: 2 s, node: leader, action: restart}"},
};

#define N_FAULTS (sizeof(faults) / sizeof(faults[0]))

static const char *const protocols[] = {"none", "pbft", "raft"};

static struct outcome *run_fault(size_t fault, unsigned protocol, unsigned n)
{
	char text[200];
	snprintf(text, sizeof(text), faults[fault].text, n - 1, n - 1);
	return run_text("seed: %zu\n"
					"stop: {items: 120}\n"
					"validators: %u\n"
					"protocol: %s\n"
					"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
					"workload: {kind: requests, clients: 4, client_timeout: 1 s,\n"
					"  arrivals: {kind: regular, rate: 15 /s}}\n"
					"faults: [%s]\n"
					"record: [validators]\n",
		fault + 1, n, protocols[protocol], text);
}

/* n = 4 twice, bit for bit; the larger ones once. */
static void every_kind(void **state)
{
	static const unsigned sizes[] = {4, 4, 7, 13, 31};
	char digest[DIGEST_TEXT];
	for (size_t f = 0; f < N_FAULTS; f++) {
		for (unsigned p = 0; p < 3; p++) {
			if (faults[f].only != NULL && strcmp(faults[f].only, protocols[p]) != 0) {
				continue;
			}
			for (size_t s = 0; s < 5; s++) {
				struct outcome *outcome = run_fault(f, p, sizes[s]);
				const char *verdict = outcome->summary.verdict;
				bool good = strcmp(verdict, "completed") == 0 ||
					(faults[f].stalls && strcmp(verdict, "stalled") == 0);
				if (!good) {
					fail_msg("%s, %s, n = %u: %s (%s)", faults[f].text, protocols[p], sizes[s], verdict,
						outcome->summary.verdict_reason);
				}
				if (p > 0) {
					assert_true(kpi(outcome, "safety_violations") == 0);
					assert_true(kpi(outcome, "divergence") == 0);
				}
				if (s == 1) {
					assert_string_equal(digest, outcome->summary.digest);
				}
				snprintf(digest, sizeof(digest), "%s", outcome->summary.digest);
				outcome_close(outcome);
			}
		}
	}
}

/* The same where validators' own gateways are the clients: what `none` has lost is never sent again, so that
 * an item may stay open, and that is said. */
static void every_kind_with_gateways(void **state)
{
	for (size_t f = 0; f < N_FAULTS; f++) {
		for (unsigned p = 0; p < 3; p++) {
			if (faults[f].only != NULL && strcmp(faults[f].only, protocols[p]) != 0) {
				continue;
			}
			if (strstr(faults[f].text, "client ") != NULL) {
				continue; /* gateways are validators */
			}
			char text[200];
			snprintf(text, sizeof(text), faults[f].text, 3, 3);
			struct outcome *outcome = run_text(
				"seed: %zu\n"
				"stop: {items: 60}\n"
				"validators: 4\n"
				"protocol: %s\n"
				"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
				"workload: {kind: dimweight, arrivals: {kind: regular, rate: 8 /s}, quorum: 3,\n"
				"  client_timeout: 500 ms}\n"
				"predictor: {kind: linear, train: 50}\n"
				"faults: [%s]\n",
				f + 1, protocols[p], text);
			const char *verdict = outcome->summary.verdict;
			bool good = strcmp(verdict, "completed") == 0 ||
				((p == 0 || faults[f].stalls) && strcmp(verdict, "stalled") == 0);
			if (!good) {
				fail_msg("%s, %s: %s (%s)", text, protocols[p], verdict, outcome->summary.verdict_reason);
			}
			assert_true(p == 0 || kpi(outcome, "divergence") == 0);
			outcome_close(outcome);
		}
	}
}

/* No kind is missing above. */
static void all_kinds(void **state)
{
	for (size_t i = 0; fault_registry.plugins[i] != NULL; i++) {
		bool found = false;
		for (size_t f = 0; f < N_FAULTS; f++) {
			found |= strcmp(faults[f].kind, fault_registry.plugins[i]->name) == 0;
		}
		if (!found) {
			fail_msg("no run with %s", fault_registry.plugins[i]->name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(every_kind_with_gateways),
		cmocka_unit_test(all_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
