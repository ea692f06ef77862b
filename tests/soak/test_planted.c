/* Planted bugs (protocols/planted.h): each is found by the checker that it breaks; the same run without it
 * breaks nothing. Most show under random schedules of faults; those that need several rare things in a row
 * have a schedule written for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct bug {
	const char *name;
	const char *protocol;
	const char *invariants; /* the first to break is one of these, separated by spaces */
	const char *scenario;   /* a text with %s after the protocol's other keys; NULL: random schedules */
	unsigned n_schedules;   /* random: at most so many until it is found */
	bool wide;              /* random: of all that a scenario can say */
};

/* Raft 5.2, fig. 2 (votedFor persists). Validator 2 votes for 1 in term 1, restarts, and is asked by 0,
 * a candidate of the same term. */
#define VOTE_TWICE \
	"seed: 1\nvalidators: 3\nstop: {items: 10}\n" \
	"protocol: {kind: raft, initial_leader: none, election_timeout: [20 s, 40 s]%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\nworkload: requests\n" \
	"faults:\n" \
	"  - {kind: rule, message: request-vote, from_nodes: [1], to_nodes: [0], action: drop}\n" \
	"  - {kind: rule, message: request-vote, from_nodes: [0], to_nodes: [1], action: drop}\n" \
	"  - {kind: step, at: 1 s, node: 1, action: campaign}\n" \
	"  - {kind: step, at: 1005 ms, node: 0, action: campaign}\n" \
	"  - {kind: step, at: 1012 ms, node: 2, action: restart}\n"

/* Raft's figure 8, its servers S1 .. S5 being 0 .. 4. (a) 0 leads term 1; its entry at index 1 comes to 1
 * alone. (b) 0 crashes; 4 leads term 2 by the votes of 2, 3 and its own, and has another entry there. (c) 4
 * crashes; 0 leads term 3 by those of 1 and 2, and brings its entry to 2: a majority holds it. (It is so
 * large that it travels alone, and what comes after it is dropped.) (d) 0 crashes; 4, whose last entry is of
 * a later term, leads term 4 by the votes of 2 and 3. */
#define FIGURE_8 \
	"seed: 1\nvalidators: 5\nstop: {items: 1, time: 5 s}\n" \
	"protocol: {kind: raft, election_timeout: off%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\n" \
	"workload: {kind: requests, size: 1 MB, client_timeout: off}\n" \
	"faults:\n" \
	"  - {kind: rule, message: append-entries, term: 1, from_nodes: [0], to_nodes: [2, 3, 4], action: drop}\n" \
	"  - {kind: crash, nodes: [0], from: 100 ms, until: 300 ms}\n" \
	"  - {kind: step, at: 150 ms, node: 4, action: campaign}\n" \
	"  - {kind: rule, message: append-entries, term: 2, action: drop}\n" \
	"  - {kind: crash, nodes: [4], from: 200 ms, until: 600 ms}\n" \
	"  - {kind: isolate, nodes: [3], from: 200 ms, until: 600 ms}\n" \
	"  - {kind: step, at: 310 ms, node: 0, action: campaign}\n" \
	"  - {kind: step, at: 350 ms, node: 0, action: campaign}\n" \
	"  - {kind: rule, message: append-entries, term: 3, instance: 1, to_nodes: [2], action: drop, from: 385 ms}\n" \
	"  - {kind: crash, nodes: [0], from: 500 ms}\n" \
	"  - {kind: step, at: 650 ms, node: 4, action: campaign}\n" \
	"  - {kind: step, at: 700 ms, node: 4, action: campaign}\n"

/* OSDI'99 4.3: a checkpoint is stable by 2f+1 messages. Validator 2 lies of the state after the fourth
 * instance, and 3, which has missed it, hears of no other. */
#define FALSE_CHECKPOINT \
	"seed: 1\nvalidators: 4\nstop: {items: 12}\n" \
	"protocol: {kind: pbft, checkpoint_interval: 4, view_timeout: 1 s%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\n" \
	"workload: {kind: requests, arrivals: {kind: regular, rate: 5 /s}}\n" \
	"faults:\n" \
	"  - {kind: rule, message: [checkpoint, state], from_nodes: [2], to_nodes: [3], action: replace}\n" \
	"  - {kind: cut, from_nodes: [0, 1], to_nodes: [3], until: 2 s}\n"

/* Thesis 6.4.1. The clock of the leader, 0, loses 300 ms a second: more than nothing, less than the half
 * of its own by which the settings let another run faster. It is cut off; 1 leads from 12 s on. */
#define SLOW_LEADER \
	"seed: 1\nvalidators: 3\nstop: {items: 1000}\n" \
	"protocol: {kind: raft, election_timeout: [4 s, 8 s], heartbeat: 100 ms, " \
	"check_quorum: on, reads: lease, clock_drift: 0.5%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\n" \
	"workload: {kind: kv, keys: 1, conflict: 1, reads: 0.97, clients: 50, client_timeout: 500 ms, " \
	"arrivals: {kind: poisson, rate: 100 /s}}\n" \
	"faults:\n" \
	"  - {kind: skew, nodes: [0], drift: -300000}\n" \
	"  - {kind: isolate, nodes: [0], from: 3 s, until: 12 s}\n" \
	"  - {kind: step, at: 7100 ms, node: 1, action: campaign}\n"

/* Thesis 4.1. The leader, 0, is cut off and appends a configuration without 4 that nobody hears of; 1 leads,
 * and 0's entry is cut. 0 leads again, without 4 if that configuration is still in force there, and takes out
 * 3 as well: 0 and 1 are then a majority to each other, while 2, 3 and 4 are one of the five. */
#define STALE_MEMBERS \
	"seed: 1\nvalidators: 5\nstop: {items: 40}\n" \
	"protocol: {kind: raft, election_timeout: [20 s, 40 s], heartbeat: 50 ms%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\n" \
	"workload: {kind: requests, arrivals: {kind: regular, rate: 5 /s}}\n" \
	"faults:\n" \
	"  - {kind: isolate, nodes: [0], from: 1 s, until: 2 s}\n" \
	"  - {kind: step, at: 1010 ms, node: 0, action: change-membership, joint: off, members: [0, 1, 2, 3]}\n" \
	"  - {kind: step, at: 1100 ms, node: 1, action: campaign}\n" \
	"  - {kind: step, at: 2490 ms, node: 0, action: campaign}\n" \
	"  - {kind: partition, groups: [[0, 1], [2, 3, 4]], from: 2990 ms, until: 5 s}\n" \
	"  - {kind: step, at: 3 s, node: 0, action: change-membership, joint: off, members: [0, 1, 2]}\n" \
	"  - {kind: step, at: 3500 ms, node: 2, action: campaign}\n"

/* Thesis 6.4.1: a lease runs from when the round of heartbeats was sent. Answers take 440 ms to come: what
 * they confirm is nearly over by then. From 2 s on the leader, 0, is heard no more, and hears nothing of 1,
 * which leads from 2.54 s on; its own clients are answered all the same. */
#define SLOW_ANSWERS \
	"validators: 3\nstop: {items: 1000}\n" \
	"protocol: {kind: raft, election_timeout: [500 ms, 1000 ms], heartbeat: 50 ms, check_quorum: on, " \
	"reads: lease%s}\n" \
	"network: {latency: {kind: constant, value: 5 ms}}\n" \
	"workload: {kind: kv, keys: 1, conflict: 1, reads: 0.9, clients: 50, client_timeout: 200 ms, " \
	"arrivals: {kind: poisson, rate: 200 /s}}\n" \
	"faults:\n" \
	"  - {kind: rule, message: confirm-answer, to_nodes: [0], action: delay, delay: 440 ms}\n" \
	"  - {kind: cut, from_nodes: [0], from: 2 s, until: 4 s}\n" \
	"  - {kind: rule, message: [append-entries, confirm, request-vote], from_nodes: [1, 2], to_nodes: [0], " \
	"action: drop, from: 2 s, until: 4 s}\n" \
	"  - {kind: step, at: 2520 ms, node: 1, action: campaign}\n"

/* Of five, 0 leads term 1 and brings three entries to 1 alone, whose answers are long under way. 2 leads term
 * 2 by the votes of 3 and 4; its entry takes the place of 0's, not of 1's. 0 leads term 3 by theirs, and its
 * second entry comes to 2. Now 1's answers come: with them, three of five would seem to hold it. 0 and 2
 * crash, and 3, which does not, leads term 4 by the votes of 1 and 4. */
#define LATE_ANSWERS \
	"seed: 1\nvalidators: 5\nstop: {items: 3, time: 2 s}\n" \
	"protocol: {kind: raft, election_timeout: off, batch: 1%s}\n" \
	"network: {latency: {kind: constant, value: 10 ms}}\n" \
	"workload: {kind: requests, outstanding: 3, client_timeout: off}\n" \
	"faults:\n" \
	"  - {kind: rule, message: append-entries, term: 1, to_nodes: [2, 3, 4], action: drop}\n" \
	"  - {kind: rule, message: append-answer, term: 1, from_nodes: [1], action: delay, delay: 400 ms}\n" \
	"  - {kind: rule, message: [append-entries, request-vote], to_nodes: [1], action: drop, from: 90 ms, " \
	"until: 500 ms}\n" \
	"  - {kind: rule, message: hint, action: drop}\n" \
	"  - {kind: step, at: 100 ms, node: 2, action: campaign}\n" \
	"  - {kind: step, at: 200 ms, node: 0, action: campaign}\n" \
	"  - {kind: rule, message: append-entries, term: 3, to_nodes: [3, 4], action: drop}\n" \
	"  - {kind: crash, nodes: [0, 2], from: 500 ms}\n" \
	"  - {kind: step, at: 550 ms, node: 3, action: campaign}\n"

static const struct bug bugs[] = {
	{"quorum-one-less", "pbft", "agreement", NULL, 400},
	{"quorum-one-less", "raft", "election-safety agreement leader-completeness", NULL, 400},
	{"vote-forgotten", "raft", "election-safety", VOTE_TWICE, 0},
	{"old-term-counted", "raft", "leader-completeness", FIGURE_8, 0},
	{"prepared-ignored", "pbft", "agreement", NULL, 400},
	{"null-skipped", "pbft", "agreement total-order", NULL, 400},
	{"watermark-off", "pbft", "agreement total-order", NULL, 400},
	{"reply-cache-dropped", "pbft", "exactly-once", NULL, 400},
	{"reply-cache-dropped", "raft", "exactly-once", NULL, 400},
	{"quorum-one-less", "streamlet", "agreement total-order durability", NULL, 4000},
	{"lock-dropped", "raft", "leader-completeness", NULL, 400},
	{"checkpoint-f", "pbft", "agreement", FALSE_CHECKPOINT, 0},
	{"lease-skew", "raft", "linearizability", SLOW_LEADER, 0},
	{"lease-receipt", "raft", "linearizability", SLOW_ANSWERS, 0},
	{"old-answer-counted", "raft", "leader-completeness", LATE_ANSWERS, 0},
	{"joint-one-majority", "raft", "election-safety agreement leader-completeness", NULL, 4000, true},
	{"learners-counted", "raft", "agreement leader-completeness durability linearizability", NULL, 4000, true},
	{"config-kept", "raft", "leader-completeness", STALE_MEMBERS, 0},
	{"state-on-f", "pbft", "agreement", NULL, 2000, true},
};

static struct schedule_outcome run(const struct bug *bug, uint64_t seed, bool planted)
{
	char text[SCHEDULE_TEXT_MAX], extra[64];
	snprintf(extra, sizeof(extra), "%splanted: %s", bug->scenario != NULL ? ", " : "",
		planted ? bug->name : "none");
	if (bug->scenario != NULL) {
		snprintf(text, sizeof(text), bug->scenario, extra);
	} else {
		schedule_write(&(struct schedule){.protocol = bug->protocol, .seed = seed, .extra = extra,
			.wide = bug->wide}, text);
	}
	return schedule_run(text);
}

/* Is the invariant that the reason names one of those? */
static bool names(const char *invariants, const char *reason)
{
	size_t length = strcspn(reason, " ");
	for (const char *name = invariants; *name != '\0';) {
		size_t n = strcspn(name, " ");
		if (n == length && strncmp(name, reason, n) == 0) {
			return true;
		}
		name += n + (name[n] == ' ');
	}
	return false;
}

static const char *only;

static void test_each_is_found(void **state)
{
	unsigned n_missed = 0;
	for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
		const struct bug *bug = &bugs[i];
		if (only != NULL && strcmp(only, bug->name) != 0) {
			continue;
		}
		uint64_t seed = 0;
		struct schedule_outcome outcome = {0};
		do {
			outcome = run(bug, ++seed, true);
		} while (strcmp(outcome.verdict, "unsafe") != 0 && seed < bug->n_schedules);
		if (strcmp(outcome.verdict, "unsafe") != 0) {
			print_error("%s in %s: not found in %u schedules\n", bug->name, bug->protocol,
				bug->n_schedules);
			n_missed++;
		} else if (!names(bug->invariants, outcome.reason)) {
			print_error("%s in %s, schedule %u: %s\n", bug->name, bug->protocol, (unsigned)seed,
				outcome.reason);
			n_missed++;
		} else {
			print_message("%s in %s, schedule %u: %s\n", bug->name, bug->protocol, (unsigned)seed,
				outcome.reason);
			struct schedule_outcome sound = run(bug, seed, false);
			if (sound.n_violations != 0) {
				print_error("without it, too: %s\n", sound.reason);
				n_missed++;
			}
		}
	}
	assert_int_equal(n_missed, 0);
}

/* test_planted [BUG]: all of them, or one. */
int main(int argc, char **argv)
{
	only = argc > 1 ? argv[1] : NULL;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
