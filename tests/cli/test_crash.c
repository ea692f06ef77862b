/* A run that dies takes neither the finished ones nor the rest of the sweep with it. */
#include "program.h"

static const char small[] = "validators: 4\n"
							"stop: {items: 20}\n"
							"network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n"
							"workload: requests\n"
							"replications: 4\n"
							"sweep: {protocol: [none, raft, pbft]}\n"
							"record: [transactions]\n";

#define DEATHS "PLANT=2=assert,5=segv,7=overrun,8=error "
#ifdef __SANITIZE_ADDRESS__
#undef DEATHS
#define DEATHS "PLANT=2=assert,5=assert,7=assert,8=error "
#endif

static void the_others_go_on(void **state)
{
	expect("$SYNOD run small.yaml -q -o whole.h5 && $SYNOD show whole.h5 --csv > whole.csv", 0, NULL);
	expect(DEATHS "$PLANTED run small.yaml -q -j 1 -o a.h5", 1,
		"synod: 4 of 12 runs failed and are in no figure or mean; the first is run 2: assertion n_planted > 0 "
		"(tests/cli/planted.c:");
	expect("$SYNOD show a.h5", 0, "8 completed, 4 failed");
	expect("$SYNOD show a.h5 --csv | grep ',failed,' > failed.csv; grep -c 'run_one' failed.csv", 1, "0");
	expect("cut -d, -f1 failed.csv | tr '\\n' ' '", 0, "2 5 7 8 ");
	expect("grep '^8,' failed.csv", 0, ",failed,the data are not to be had,-1,-1,");
	/* The others are as they would have been. */
	expect("$SYNOD show a.h5 --csv | grep -v ',failed,' > others.csv; "
		   "grep -v '^[2578],' whole.csv | cmp - others.csv",
		0, NULL);
	/* On any number of threads, and gone on with, the same bytes. */
	expect(DEATHS "$PLANTED run small.yaml -q -j 2 -o b.h5; cmp a.h5 b.h5", 0, NULL);
	expect(DEATHS "$PLANTED run small.yaml -q -j 7 --force -o b.h5; cmp a.h5 b.h5", 0, NULL);
	expect(DEATHS "$PLANTED run small.yaml -q -o b.h5", 1, "nothing was left to run");
	assert_false(exists("b.h5.journal"));
	/* In a larger sweep they are tried again. */
	expect("$SYNOD run small.yaml -q -o more.h5 --set replications=5", 0, NULL);
	expect("$PLANTED run small.yaml -q -o b.h5 --set replications=5 && cmp b.h5 more.h5", 0,
		"8 of 15 runs are taken over");
}

static void without_a_result_file_as_well(void **state)
{
	expect("$SYNOD run small.yaml -q > whole.txt; " DEATHS "$PLANTED run small.yaml -q -j 2", 1,
		"run 2 failed: assertion n_planted > 0 (tests/cli/planted.c:");
	/* The means of a point without deaths are the same. */
	expect("PLANT=0=assert $PLANTED run small.yaml -q -j 2 > some.txt; grep '^raft' whole.txt | tr -s ' ' > a.txt; "
		   "grep '^raft' some.txt | tr -s ' ' | cmp - a.txt",
		0, NULL);
	expect("cat some.txt", 0, "3 completed, 1 failed");
	expect("grep -c 'note:' some.txt", 1, "0");
}

static void they_are_left_out(void **state)
{
	expect("PLANT=2=assert $PLANTED run small.yaml -q -o s.h5", 1, "1 of 12 runs failed");
	expect("$SYNOD stats s.h5 --kpi messages --by protocol", 0, "Of 12 runs 1 failed and are left out.");
	expect("$SYNOD stats s.h5 --kpi messages --by protocol --csv | grep -c -- '-1,'", 1, "0");
	expect("$SYNOD plot s.h5 --kind box --kpi decided -o f && grep -c '1 failed and are' f/box-decided.gp", 0, "1");
}

/* What is not a run's own doing is the program's end, as it was. */
static void other_ends_stay(void **state)
{
	write_file("long.yaml",
		"validators: 7\nprotocol: pbft\nstop: {time: 100000 s}\nreplications: 4\n"
		"workload: {kind: requests, arrivals: {kind: poisson, rate: 100 /s}}\n");
	pid_t pid = start("exec $SYNOD run long.yaml -q -j 1");
	usleep(200000);
	kill(pid, SIGABRT);
	struct output output = finish(pid);
	assert_int_equal(output.status, -SIGABRT);
	output_free(&output);
}

static int prepare(void **state)
{
	int status = make_folder(state);
	write_file("small.yaml", small);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_others_go_on),
		cmocka_unit_test(without_a_result_file_as_well),
		cmocka_unit_test(they_are_left_out),
		cmocka_unit_test(other_ends_stay),
	};
	return cmocka_run_group_tests(tests, prepare, remove_folder);
}
