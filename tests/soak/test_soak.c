/* Random schedules of faults and lies: none breaks an invariant, and after healing every item is accepted.
 * As many as fit; `./dev soak` runs 10,000 a protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule.h"

#include <string.h>

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

static void soak(const char *protocol)
{
	soak_of(protocol, false);
	soak_of(protocol, true);
}

static void pbft(void **state)
{
	soak("pbft");
}

static void raft(void **state)
{
	soak("raft");
}

static void central(void **state)
{
	soak("central");
}

static void none(void **state)
{
	soak("none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pbft),
		cmocka_unit_test(raft),
		cmocka_unit_test(central),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
