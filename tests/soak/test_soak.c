/* Random schedules of faults and lies: none breaks an invariant, and after healing every item is accepted.
 * As many as fit; `./dev soak` runs 10,000 a protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule.h"

#include "protocols/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define N_SCHEDULES 300

static void soak_of(const char *protocol, bool wide)
{
	char text[SCHEDULE_TEXT_MAX];
	unsigned n_failed = 0;
	for (uint64_t seed = 1; seed <= N_SCHEDULES; seed++) {
		schedule_write(&(struct schedule){.protocol = protocol, .seed = seed, .wide = wide}, text);
		struct schedule_outcome outcome = schedule_run(text);
		if (strcmp(outcome.verdict, "completed") != 0 || outcome.n_violations > 0) {
			print_error("%s, schedule %u: %s: %s\n%s\n", protocol, (unsigned)seed, outcome.verdict,
				outcome.reason, n_failed == 0 ? text : "");
			n_failed++;
		}
	}
	assert_int_equal(n_failed, 0);
}

/* Every protocol that there is. */
static void schedules(void **state)
{
	for (const struct plugin *const *plugin = protocol_registry.plugins; *plugin != NULL; plugin++) {
		soak_of((*plugin)->name, false);
		soak_of((*plugin)->name, true);
	}
}

/* More liars than can be borne, with every attack that there is: any end is right that is one. Here the program
 * once ended by an assertion, at a twin's acknowledgement that had come to the other twin. */
static void no_lie_stops_the_program(void **state)
{
	for (const struct plugin *const *plugin = protocol_registry.plugins; *plugin != NULL; plugin++) {
		char text[SCHEDULE_TEXT_MAX];
		unsigned n_unsafe = 0;
		for (uint64_t seed = 1; seed <= N_SCHEDULES; seed++) {
			schedule_write(&(struct schedule){.protocol = (*plugin)->name, .seed = seed, .wide = true, .lies = true},
				text);
			struct schedule_outcome outcome = schedule_run(text);
			assert_string_not_equal(outcome.verdict, "failed");
			n_unsafe += strcmp(outcome.verdict, "unsafe") == 0;
		}
		/* They are lies that matter, where there is anything to lie about. */
		const struct protocol *protocol = (const void *)*plugin;
		assert_true(n_unsafe > 0 || !protocol->ordered || protocol->forgery == NULL);
	}
}

/* What can't be run is said, and is no success. */
static void mistakes_are_refused(void **state)
{
	static const char *const mistakes[] = {"--protocol pbtf --runs 1", "--runs", "--runs many", "--wild 1"};
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char command[512];
		snprintf(command, sizeof(command), "'%s' %s 2>/dev/null >/dev/null", getenv("SOAK"), mistakes[i]);
		int status = system(command);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 2);
	}
}

/* A schedule that did not end: with every message multiplied, servers that named a leader who knew of none
 * sent a client round and round, ever more often. */
static void clients_ask_on_a_bounded_number_of_times(void **state)
{
	struct schedule_outcome outcome = schedule_run(
		"seed: 2515\nvalidators: 6\n"
		"protocol: {kind: raft, batch: 6, window: 28, snapshot_every: 25, write_delay: 6 ms, learners: [5]}\n"
		"network: {latency: {kind: normal, mean: 40 ms, sd: 15 ms}}\n"
		"stop: {items: 127, events: 2000000}\nliveness_bound: 3600 s\n"
		"workload: {kind: kv, clients: 4, conflict: 0.3, arrivals: {kind: poisson, rate: 3 /s}}\n"
		"faults:\n"
		"  - {kind: rule, message: all, action: duplicate, delay: 19 ms, copies: 4, from: 2751 ms, "
		"until: 13760 ms}\n"
		"  - {kind: isolate, nodes: leader, follow: on, from: 4278 ms, until: 12236 ms}\n"
		"  - {kind: rule, message: timeout-now, from_nodes: [3], nth: 4, action: duplicate, delay: 500 ms, "
		"copies: 3, from: 14177 ms, until: 15244 ms}\n"
		"  - {kind: loss, probability: 0.6, among: validators, from: 13435 ms, until: 18113 ms}\n");
	assert_string_equal(outcome.verdict, "completed");
}

/* A coordinator that answered every asking at once had no time left for anything new. */
static void those_who_lag_do_not_drown_the_coordinator(void **state)
{
	struct schedule_outcome outcome = schedule_run(
		"seed: 697\nvalidators: 28\nprotocol: central\n"
		"node: {send: 12 us, receive: 25 us, sign: 25 us, verify: 23 us}\n"
		"network: {latency: {kind: constant, value: 10 ms}}\n"
		"stop: {items: 156, events: 2000000}\nliveness_bound: 3600 s\n"
		"workload: {kind: dimweight, arrivals: {kind: poisson, rate: 20 /s}}\n"
		"predictor: {kind: linear, train: 100}\naggregator: median\n"
		"faults:\n"
		"  - {kind: crash, every: 3231 ms, lasts: 1135 ms, nodes: [12, 9, 25, 4, 7, 6], from: 1220 ms, "
		"until: 17598 ms}\n"
		"  - {kind: cut, from_nodes: [18, 11, 15, 7, 23, 9, 24, 21, 0, 8, 19, 26, 4, 12, 1, 22], "
		"to_nodes: [6, 19, 26, 23, 8, 10, 17, 21, 20, 18, 27, 14, 15, 4, 16, 2, 25, 3], from: 130 ms, "
		"until: 18999 ms}\n"
		"  - {kind: stabilise, at: 15053 ms, delay: {kind: uniform, min: 0 ms, max: 3227 ms}, loss: 0.6}\n");
	assert_string_equal(outcome.verdict, "completed");
}

/* A processor that was at a message when its validator stopped is free again when that goes on: a timer that
 * came due meanwhile was told of the past, then of a time that never comes. */
static void a_pause_ends_for_the_processor_too(void **state)
{
	struct schedule_outcome outcome = schedule_run(
		"seed: 917\nvalidators: 4\nprotocol: central\n"
		"network: {latency: {kind: uniform, min: 1 ms, max: 60 ms}}\n"
		"stop: {items: 96}\nliveness_bound: 3600 s\n"
		"workload: {kind: requests, clients: 3, arrivals: {kind: poisson, rate: 10 /s}}\n"
		"faults:\n"
		"  - {kind: pause, nodes: [0], from: 5934 ms, until: 13016 ms}\n"
		"  - {kind: slow-node, delay: 49 ms, nodes: [0], from: 3805 ms, until: 6432 ms}\n"
		"  - {kind: reorder, probability: 0.1, delay: 167 ms, from: 1442 ms, until: 1495 ms}\n");
	assert_string_equal(outcome.verdict, "completed");
}

/* A new view shows thousands of signatures. When all that had it sent it to whoever lacked it, as often as that
 * asked, verifying the copies took longer than the next view change. */
static void a_new_view_is_told_by_few(void **state)
{
	struct schedule_outcome outcome = schedule_run(
		"seed: 6651\n"
		"validators: 26\n"
		"protocol: {kind: pbft, batch: 4, checkpoint_interval: 32, read_only: on, write_delay: 6 ms}\n"
		"node: {send: 19 us, receive: 12 us, sign: 31 us, verify: 27 us}\n"
		"network: {latency: {kind: exponential, min: 1 ms, mean: 25 ms}, loss: 0.05}\n"
		"stop: {items: 154}\n"
		"liveness_bound: 3600 s\n"
		"workload: {kind: dimweight, arrivals: {kind: poisson, rate: 15 /s}, deadline: 300 ms}\n"
		"predictor: {kind: linear, train: 100}\n"
		"scorer: none\n"
		"aggregator: mean\n"
		"faults:\n"
		"  - {kind: loss, probability: 0.2, among: all, from: 8167 ms, until: 14032 ms}\n"
		"  - {kind: slow-disk, factor: 3, delay: {kind: exponential, mean: 63 ms}, nodes: [13, 2, 0, 4], from: 14356 ms, until: 16284 ms}\n"
		"  - {kind: crash, nodes: leader, from: 1548 ms, until: 15413 ms}\n"
		"  - {kind: step, at: 12416 ms, action: restart, node: [21]}\n"
		"  - {kind: disk, unsynced: torn, nodes: [9, 19, 7, 15, 16, 14, 11, 25, 23, 18, 24, 4, 6], from: 3935 ms, until: 10904 ms}\n"
		"attacks:\n"
		"  - {kind: alie, nodes: [18], from: 12597 ms, until: 12974 ms}\n"
		"  - {kind: equivocate, nodes: [2], from: 10579 ms, until: 11658 ms}\n"
		"  - {kind: slow-primary, nodes: [2], from: 13320 ms, until: 15491 ms}\n"
		"  - {kind: collude, nodes: [9], from: 1766 ms, until: 11699 ms}\n"
		"  - {kind: double-vote, nodes: [12], from: 7892 ms, until: 14889 ms}\n"
		"  - {kind: withhold, nodes: [12], from: 12802 ms, until: 13117 ms}\n"
		"  - {kind: withhold, nodes: [6], from: 11512 ms, until: 12853 ms}\n"
		"  - {kind: withhold, nodes: [6], from: 5613 ms, until: 10199 ms}\n");
	assert_string_equal(outcome.verdict, "completed");
}

/* A read waits for answers to a round of heartbeats; then its leader becomes the only voter, and nobody is left
 * to answer. */
static void reads_go_on_in_a_cluster_of_one(void **state)
{
	static const char *const reads[] = {"index", "lease, check_quorum: on"};
	for (size_t i = 0; i < 2; i++) {
		char text[SCHEDULE_TEXT_MAX];
		snprintf(text, sizeof(text),
			"validators: 3\nprotocol: {kind: raft, reads: %s}\n"
			"network: {latency: {kind: constant, value: 10 ms}}\n"
			"stop: {items: 100, time: 300 s}\n"
			"workload: {kind: kv, clients: 5, reads: 0.8, arrivals: {kind: regular, rate: 20 /s}}\n"
			"faults:\n"
			"  - {kind: rule, message: confirm-answer, action: drop, from: 900 ms}\n"
			"  - {kind: step, at: 1005 ms, node: leader, action: change-membership, members: [0]}\n",
			reads[i]);
		assert_string_equal(schedule_run(text).verdict, "completed");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules),
		cmocka_unit_test(no_lie_stops_the_program),
		cmocka_unit_test(mistakes_are_refused),
		cmocka_unit_test(clients_ask_on_a_bounded_number_of_times),
		cmocka_unit_test(those_who_lag_do_not_drown_the_coordinator),
		cmocka_unit_test(a_pause_ends_for_the_processor_too),
		cmocka_unit_test(a_new_view_is_told_by_few),
		cmocka_unit_test(reads_go_on_in_a_cluster_of_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
