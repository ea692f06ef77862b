/* What a run may take: its own bound, which ends it at the same event everywhere, and the machine's, which all
 * share. */
#include "study.h"

#include "lab/footprint.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* Requests that wait for 100 s on their way: some 250 bytes each, and no answer in time. */
#define HOARDS                                                                       \
	"validators: 4\nprotocol: %s\nstop: {time: 8 s, memory: %s}\nliveness_bound: off\n" \
	"network: {latency: {kind: constant, value: 100 s}}\n"                           \
	"workload: {kind: requests, clients: 3, arrivals: {kind: regular, rate: 20000 /s}}\n"

struct ended {
	char verdict[16], reason[160], digest[33];
	double simulated_s;
};

static struct ended run_within(const char *protocol, const char *bound, struct memory_allowance memory)
{
	struct study *study = study_open(HOARDS, protocol, bound);
	struct run_request request = {.file = study->file, .schemas = &study->schemas, .memory = memory};
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char error[256];
	assert_true(run_one(&request, &blocks, &summary, error));
	struct ended ended = {.simulated_s = kpi_of(&summary, "simulated_s")};
	strcpy(ended.verdict, summary.verdict);
	strcpy(ended.reason, summary.verdict_reason);
	strcpy(ended.digest, summary.digest);
	run_blocks_finish(&blocks);
	study_close(study);
	return ended;
}

static const struct memory_allowance none = {0, 0};

/* The bound is the run's own: whatever the machine has, it ends there; and what it has done until then is
 * what it would have done. */
static void own_bound(void **state)
{
	static const char *const protocols[] = {"none", "raft", "pbft"};
	for (size_t i = 0; i < 3; i++) {
		struct ended ended = run_within(protocols[i], "8 MiB", none);
		assert_string_equal(ended.verdict, "limit");
		assert_string_equal(ended.reason, "memory 8 MiB");
		assert_true(ended.simulated_s > .1 && ended.simulated_s < 7);
		struct ended other = run_within(protocols[i], "8 MiB", (struct memory_allowance){1000000 * MIB, 3});
		assert_string_equal(other.digest, ended.digest);
		struct ended more = run_within(protocols[i], "24 MiB", none);
		assert_string_equal(more.reason, "memory 24 MiB");
		assert_true(more.simulated_s > ended.simulated_s);
	}
}

/* A run that ends within its memory is the same whatever that was. */
static void within(void **state)
{
	struct ended first = run_within("raft", "unlimited", none);
	assert_string_not_equal(first.reason, "memory 1 GiB");
	static const char *const bounds[] = {"1 GiB", "none", "64 MiB"};
	for (size_t i = 0; i < 3; i++) {
		struct ended other =
			run_within("raft", bounds[i], (struct memory_allowance){1000000 * MIB, 1 + (unsigned)i});
		assert_string_equal(other.digest, first.digest);
		assert_string_equal(other.reason, first.reason);
		assert_string_equal(other.verdict, first.verdict);
	}
}

/* What all share: who has less than an even share of it goes on, and so does whoever has more while the others
 * leave it; this program occupies more than 1 MiB and less than a million. */
static void shared(void **state)
{
	struct ended over = run_within("raft", "none", (struct memory_allowance){MIB, 1});
	assert_string_equal(over.verdict, "limit");
	assert_int_equal(strncmp(over.reason, "memory: this run has ", 21), 0);
	struct ended also = run_within("raft", "1 GiB", (struct memory_allowance){MIB, 1});
	assert_int_equal(strncmp(also.reason, "memory: this run has ", 21), 0);
	struct ended free = run_within("raft", "unlimited", (struct memory_allowance){MIB, 1});
	assert_true(strstr(free.reason, "memory") == NULL);
	struct ended alone = run_within("raft", "none", (struct memory_allowance){1000000 * MIB, 1000000});
	assert_true(strstr(alone.reason, "memory") == NULL);
}

static void machine(void **state)
{
	uint64_t bytes = memory_of_machine();
	assert_true(bytes > 64 * MIB && bytes % 3 == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_bound),
		cmocka_unit_test(within),
		cmocka_unit_test(shared),
		cmocka_unit_test(machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
