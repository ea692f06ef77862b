/* The same bits everywhere: the shipped scenarios have the digests that are kept in the tree, and a
 * processor without fused multiply-add gives the same bytes. */
#include "program.h"

#include <math.h>

static const char *const scenarios[] = {
	"compare-protocols", "crash", "gradient-attack", "textbook-pbft", "wan-regions",
	/* The longer ones, of which the first replication is looked at: */
	"byzantine-limit", "byzantine-limit-safety", "ensembles", "subtle-attacks"};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))
#define WHOLE 5         /* of these, with all replications */
#define REPLICATIONS 10 /* of each of the others */

static void shipped_scenarios_have_their_digests(void **state)
{
	for (size_t i = 0; i < WHOLE; i++) {
		char command[512];
		snprintf(command, sizeof(command),
			"$SYNOD run $SOURCE/scenarios/%s.yaml -q --force -o r.h5 > /dev/null && $SYNOD show r.h5 --csv > r.csv && "
			"sed 's/^\\([^,]*\\),.*,\\([^,]*\\)$/\\1,\\2/' r.csv | cmp - "
			"$SOURCE/results/reference/%s.csv",
			scenarios[i], scenarios[i]);
		expect(command, 0, NULL);
	}
}

/* Replication 0 of a point is the same run whatever the number of replications. */
static void expect_first_replications(const char *environment)
{
	for (size_t i = WHOLE; i < SCENARIOS; i++) {
		char command[512];
		snprintf(command, sizeof(command),
			"%s $SYNOD run $SOURCE/scenarios/%s.yaml -q --force --set replications=1 -o r.h5 > /dev/null && "
			"$SYNOD show r.h5 --csv | sed 's/.*,//' > r.csv && test $(wc -l < r.csv) -gt 1 && "
			"awk -F, 'NR == 1 || $1 %% %d == 0 { print $2 }' $SOURCE/results/reference/%s.csv | cmp - r.csv",
			environment, scenarios[i], REPLICATIONS, scenarios[i]);
		expect(command, 0, NULL);
	}
}

static void longer_scenarios_have_their_digests(void **state)
{
	expect_first_replications("");
}

/* What libm's exp says of some numbers, as one number. */
static void print_exp(void)
{
	uint64_t sum = 0;
	for (int i = 0; i < 100000; i++) {
		double y = exp(i * 1e-4 + 1e-7);
		uint64_t bits;
		memcpy(&bits, &y, sizeof(bits));
		sum = sum * 31 + bits;
	}
	printf("%llu\n", (unsigned long long)sum);
}

#define MASK "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-AVX2,-FMA4"

static void no_fused_multiply_add_changes_nothing(void **state)
{
	/* First that the mask works here: plain exp must change, or the test shows nothing. */
	struct output with = finish(start("$SELF --exp"));
	struct output without = finish(start(MASK " $SELF --exp"));
	bool works = strcmp(with.out, without.out) != 0;
	output_free(&with);
	output_free(&without);
	if (!works) {
		skip();
	}
	for (size_t i = 0; i < WHOLE; i++) {
		char command[512];
		snprintf(command, sizeof(command),
			"$SYNOD run $SOURCE/scenarios/%s.yaml -q --force -o a.h5 --set replications=2 && " MASK
			" $SYNOD run $SOURCE/scenarios/%s.yaml -q --force -o b.h5 --set replications=2 && cmp a.h5 b.h5",
			scenarios[i], scenarios[i]);
		expect(command, 0, NULL);
	}
	expect_first_replications(MASK);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		print_exp();
		return 0;
	}
	static char self[4096];
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) {
		return 1;
	}
	setenv("SELF", self, 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_scenarios_have_their_digests),
		cmocka_unit_test(longer_scenarios_have_their_digests),
		cmocka_unit_test(no_fused_multiply_add_changes_nothing),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
