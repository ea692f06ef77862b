/* Planted bugs (protocols/planted.h): each is found by the checker that it breaks, under random schedules of
 * faults; the same schedules without it break nothing. */
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
	const char *extra;      /* keys of the protocol without which the bug does not show */
	const char *faults;
	const char *workload;   /* NULL: drawn */
	const char *invariants; /* the first to break is one of these, separated by spaces */
	unsigned n_schedules;   /* at most so many until it is found */
};

static const struct bug bugs[] = {
	{"quorum-one-less", "pbft", NULL, NULL, NULL, "agreement", 400},
	{"quorum-one-less", "raft", NULL, NULL, NULL, "election-safety agreement leader-completeness", 400},
	{"vote-forgotten", "raft", NULL, NULL, NULL, "election-safety", 400},
	{"old-term-counted", "raft", NULL, NULL, NULL, "leader-completeness", 400},
	{"prepared-ignored", "pbft", NULL, NULL, NULL, "agreement", 400},
	{"null-skipped", "pbft", NULL, NULL, NULL, "agreement total-order", 400},
	{"watermark-off", "pbft", NULL, NULL, NULL, "agreement total-order", 400},
	{"reply-cache-dropped", "pbft", NULL, NULL, NULL, "exactly-once", 400},
	{"reply-cache-dropped", "raft", NULL, NULL, NULL, "exactly-once", 400},
	{"lock-dropped", "raft", NULL, NULL, NULL, "leader-completeness", 400},
	{"checkpoint-f", "pbft", NULL, NULL, NULL, "agreement", 400},
	{"lease-skew", "raft", "reads: lease, check_quorum: on",
		"  - {kind: skew, nodes: leader, drift: -0.05, from: 0 s}\n", "kv", "linearizability", 400},
};

static struct schedule_outcome run(const struct bug *bug, uint64_t seed, bool planted)
{
	char text[SCHEDULE_TEXT_MAX], extra[256] = "";
	if (planted) {
		snprintf(extra, sizeof(extra), "planted: %s%s%s", bug->name, bug->extra != NULL ? ", " : "",
			bug->extra != NULL ? bug->extra : "");
	}
	schedule_write(&(struct schedule){.protocol = bug->protocol,
					   .seed = seed,
					   .extra = planted ? extra : bug->extra,
					   .faults = bug->faults,
					   .workload = bug->workload},
		text);
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

static void test_each_is_found(void **state)
{
	unsigned n_missed = 0;
	for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
		const struct bug *bug = &bugs[i];
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
