/* The program as its users meet it: commands, options, errors, exit statuses. */
#include "program.h"

static const char small[] = "validators: 4\n"
							"protocol: pbft\n"
							"stop: {items: 20}\n"
							"network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n"
							"workload: requests\n"
							"replications: 4\n"
							"sweep: {protocol: [none, raft, pbft]}\n";

static void helps_with_an_example(void **state)
{
	const char *commands[] = {"run", "check", "list", "show", "diff", "plot", "trace"};
	for (size_t i = 0; i < 7; i++) {
		char command[64];
		char example[64];
		snprintf(command, sizeof(command), "$SYNOD %s --help", commands[i]);
		snprintf(example, sizeof(example), "example:\n  synod %s ", commands[i]);
		expect(command, 0, example);
	}
	expect("$SYNOD --help", 0, "usage: synod COMMAND");
	expect("$SYNOD", 2, "usage: synod COMMAND");
	expect("$SYNOD --version", 0, "synod ");
}

static void names_the_nearest(void **state)
{
	expect("$SYNOD rnu x", 2, "did you mean 'run'?");
	expect("$SYNOD run --rezume x", 2, "did you mean '--resume'?");
	expect("$SYNOD list protocls", 2, "did you mean 'protocols'?");
	expect("$SYNOD run", 2, "usage: synod run SCENARIO");
	expect("$SYNOD run a b", 2, "usage: synod run SCENARIO");
	expect("$SYNOD run small.yaml -j 0", 2, "-j takes a whole number from 1 to 1024, got '0'");
	expect("$SYNOD run small.yaml -j", 2, "--jobs wants a value");
	expect("$SYNOD run small.yaml --quiet=yes", 2, "--quiet takes no value");
	expect("$SYNOD run small.yaml --resume", 2, "--resume wants the result file");
	expect("$SYNOD show x.h5 --table runz", 2, "there is no table 'runz'");
	expect("$SYNOD show x.h5 --transaction 3 --where run=1", 2, "--where goes with neither --transaction (--run N)");
	expect("$SYNOD plot x.h5 --format gif", 2, "--format takes svg, png and pdf");
}

static void refuses_a_wrong_scenario(void **state)
{
	write_file("bad.yaml", "validators: 4\nfaulty: 2\nprotocol: pbtf\nworkload: requests\n");
	expect("$SYNOD run bad.yaml -o bad.h5", 2, "did you mean `pbft`?");
	assert_false(exists("bad.h5"));
	assert_false(exists("bad.h5.journal"));
	expect("$SYNOD check bad.yaml", 1, "bad.yaml:3:11: error");
	/* A network that is wrong hides nothing of what a plugin alone can check. */
	write_file("three.yaml",
		"validators: 4\nprotocl: pbft\nprotocol: raft\n"
		"network: {latency: {kind: constant, value: 20}}\n"
		"workload: {kind: dimweight, quorum: 9}\n");
	expect("$SYNOD check three.yaml 2>&1 | grep -c ' error: '", 0, "3");
	expect("$SYNOD run nothing.yaml", 2, "nothing.yaml");
	expect("$SYNOD run small.yaml --set validators=3 --set faulty=1", 2, "faulty");
	expect("$SYNOD run small.yaml --set network.los=1", 2, "did you mean `loss`?");
}

static void says_what_the_environment_lacks(void **state)
{
	expect("$SYNOD run small.yaml -q -o missing/x.h5", 3, "missing/x.h5");
	expect("$SYNOD show nothing.h5", 3, "nothing.h5");
	expect("$SYNOD diff nothing.h5 nothing.h5", 3, "nothing.h5");
	expect("$SYNOD show small.yaml", 3, "small.yaml");
	expect("$SYNOD check small.yaml > /dev/full", 3, "standard output");
}

static void checks_and_reads_its_own_words(void **state)
{
	expect("$SYNOD check small.yaml > expanded.yaml && $SYNOD check expanded.yaml -q", 0, NULL);
	expect("$SYNOD check small.yaml --set sweep=none", 0, "view_timeout: 1 s  # auto");
	expect("$SYNOD check small.yaml --set sweep=none --set protocol.fast_path=Yes "
		   "--set protocol.tentative=false --set checkers=no",
		0, "fast_path: on\n");
	expect("$SYNOD check small.yaml --set sweep=none --set protocol.fast_path=maybe", 1,
		"must be one of off, on");
	expect("$SYNOD check small.yaml --set sweep=none --set checkers=no", 0, "checkers: off\n");
	expect("$SYNOD check small.yaml --set 'faults=[{kind: loss, probability: 0.1}]' "
		   "--set 'faults.1={kind: loss, probability: 0.1}'",
		1, "give the whole list, as in --set faults=[...]");
	expect("$SYNOD check -q small.yaml bad.yaml", 1, "bad.yaml");
	expect("$SYNOD check textbook-pbft.yaml", 0, "PBFT by the textbook");
}

static void runs_alike_on_any_number_of_threads(void **state)
{
	expect("$SYNOD run small.yaml -q -j 1 -o a.h5", 0, "results: a.h5");
	expect("$SYNOD run small.yaml -q -j 2 -o b.h5", 0, NULL);
	expect("$SYNOD run small.yaml -q -j 7 -o c.h5", 0, NULL);
	expect("cmp a.h5 b.h5 && cmp a.h5 c.h5", 0, NULL);
	expect("$SYNOD diff a.h5 b.h5", 0, "");
	expect("$SYNOD run small.yaml -q -o d.h5 --set seed=2", 0, NULL);
	expect("$SYNOD diff a.h5 d.h5", 1, "scenario");
	expect("$SYNOD show a.h5", 0, "completed");
	expect("$SYNOD show a.h5 --csv", 0, "latency_mean_s");
	expect("$SYNOD show d.h5 --scenario", 0, "seed: 2");
	expect("test $($SYNOD show a.h5 --csv | wc -l) = 13", 0, NULL);
}

static void keeps_what_is_not_a_result(void **state)
{
	expect("$SYNOD run small.yaml -q -o small.yaml", 2, "is not a result file");
	expect("$SYNOD run small.yaml -q --force -o small.yaml", 2, "is not a result file");
	expect("$SYNOD check small.yaml -q", 0, NULL);
	expect("mkfifo pipe.h5 && timeout 60 $SYNOD run small.yaml -q -o pipe.h5", 3, "pipe.h5: it is a pipe");
	expect("timeout 60 $SYNOD show pipe.h5", 3, "not a plain file");
	expect("echo mine > m.h5.journal && $SYNOD run small.yaml -q --force -o m.h5", 3,
		"m.h5.journal: it is there and was not written by synod");
	expect("cat m.h5.journal; ls m.h5", 2, "mine");
	expect("ln -s mine.txt l.h5.partial && $SYNOD run small.yaml -q -o l.h5", 3, "a symbolic link");
	assert_false(exists("mine.txt"));
}

/* What was computed stays unless --force gives it up. */
static void gives_no_work_up_silently(void **state)
{
	expect("$SYNOD run small.yaml -q -o w.h5 && cp w.h5 w.copy", 0, "results: w.h5");
	expect("$SYNOD run small.yaml -q -o w.h5", 0, "nothing was left to run");
	expect("$SYNOD run small.yaml -q -o w.h5 --set seed=2", 2,
		"w.h5: it is the finished result of another scenario, or other settings of it; name another file, or "
		"replace it with --force");
	expect("cmp w.h5 w.copy", 0, NULL);
	expect("$SYNOD run small.yaml -q -o w.h5 --set seed=2 --force", 0, "results: w.h5");
	expect("$SYNOD show w.h5 --scenario", 0, "seed: 2");
	expect("$SYNOD run small.yaml -q -o w.h5 --resume --force", 2, "name one of them");
	/* A limit on files, as a full disk would, leaves what is finished. */
	expect("(ulimit -f 24; $SYNOD run small.yaml -q -o u.h5 --set 'record=[transactions, validators]')", 3,
		"(with or without --resume)");
	expect("(ulimit -f 24; $SYNOD run small.yaml -q -o u.h5 --set 'record=[transactions, validators]')", 3,
		"`ulimit -f`");
	expect("$SYNOD run small.yaml -q -o u.h5 --set seed=2", 2, "unfinished work of another scenario");
	expect("$SYNOD run small.yaml -q -o u.h5 --set 'record=[transactions, validators]'", 0, "goes on with u.h5");
	expect("$SYNOD run small.yaml -q -o v.h5 --set 'record=[transactions, validators]' && cmp u.h5 v.h5", 0, NULL);
	expect("(ulimit -n 4; $SYNOD run small.yaml -q -o n.h5)", 3, "`ulimit -n`");
}

/* A finished sweep within a larger one is not run again, and leaves no trace in the larger one's bytes. */
static void extends_a_finished_sweep(void **state)
{
	write_file("some.yaml",
		"validators: 4\nprotocol: pbft\nstop: {items: 30}\nseed: 5\n"
		"network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n"
		"workload: {kind: dimweight, arrivals: {kind: poisson, rate: 50 /s}}\n"
		"predictor: {kind: linear, train: 50}\n"
		"attacks: [{kind: random, fraction: 0.25}]\n"
		"faults: [{kind: crash, nodes: [0], from: 300 ms, until: 600 ms}]\n"
		"record: [decisions, predictions, transactions, validators, series, roc, models]\n"
		"replications: 2\n"
		"sweep: {protocol: [raft, pbft]}\n");
#define MORE                                                                                       \
	"--set replications=3 --set 'sweep={protocol: [none, pbft, raft], validators: [7, 4], "         \
	"network.latency.mean: [9 ms, 10 ms]}'"
	expect("$SYNOD run some.yaml -q -o e.h5", 0, NULL);
	expect("$SYNOD run some.yaml -q -o e.h5 --set replications=3", 0,
		"synod: extends e.h5: 4 of 6 runs are taken over from it");
	expect("$SYNOD run some.yaml -q -o f.h5 --set replications=3 && cmp e.h5 f.h5", 0, NULL);
	/* Other points, in another order, with other columns. */
	expect("$SYNOD run some.yaml -q -o e.h5 " MORE, 0, "6 of 36 runs are taken over");
	expect("$SYNOD run some.yaml -q -o g.h5 " MORE " && cmp e.h5 g.h5", 0, NULL);
	/* One that was cut off is gone on with, beside the finished one. */
	expect("(ulimit -f 300; $SYNOD run some.yaml -q -o f.h5 " MORE ")", 3, "`ulimit -f`");
	expect("$SYNOD run some.yaml -q -o f.h5 " MORE " && cmp f.h5 g.h5", 0, "synod: goes on with f.h5");
	/* What holds not all of it is another. */
	expect("$SYNOD run some.yaml -q -o e.h5", 2, "the finished result of another scenario");
	expect("$SYNOD run some.yaml -q -o e.h5 --set replications=4 --set 'sweep={protocol: [none, pbft]}'", 2,
		"another scenario");
	expect("$SYNOD run some.yaml -q -o e.h5 " MORE " --set stop.items=31", 2, "another scenario");
	expect("cmp e.h5 g.h5", 0, NULL);
}

/* Every command that reads a result refuses one in which a bit has changed, in a sentence. */
static void refuses_damage(void **state)
{
	static const char *const commands[] = {"show d.h5", "show d.h5 --csv", "show d.h5 --transaction 1",
		"diff d.h5 good.h5", "diff good.h5 d.h5", "stats d.h5 --kpi latency_mean_s", "plot d.h5 -o f",
		"run small.yaml -o d.h5"};
	expect("$SYNOD run small.yaml -q -o good.h5 --set 'record=[transactions, decisions]'", 0, NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char command[256];
		snprintf(command, sizeof(command),
			"cp good.h5 d.h5 && printf x | dd of=d.h5 bs=1 seek=%zu conv=notrunc 2> dd.txt; $SYNOD %s",
			700 + 777 * i, commands[i]);
		expect(command, 3, "cannot read d.h5: it is damaged or cut short");
	}
	expect("$SYNOD run small.yaml -q -o d.h5 --force", 0, "results: d.h5");
}

static void says_what_came_too_late(void **state)
{
	expect("$SYNOD run small.yaml -q --set 'faults=[{kind: crash, nodes: [1], from: 900 s}]'", 0,
		"faults.0 (from 900 s) never took effect");
	/* What ends the run has taken effect. */
	expect("$SYNOD run small.yaml -q --set protocol=raft --set "
		   "'faults=[{kind: crash, nodes: [1, 2], from: 100 ms}]' | grep -c 'never took effect'",
		1, "0");
}

static void says_what_does_nothing(void **state)
{
	expect("$SYNOD run small.yaml -q --set sweep=none --set validators=10 --set "
		   "'attacks=[{kind: silent, fraction: 0.04}]'",
		0, "note: attacks.0: no validator attacks: 0.04 of 10 rounds to 0\n");
	expect("$SYNOD run small.yaml -q --set 'attacks=[{kind: silent, fraction: 0.1}]'", 0,
		"0.1 of 4 rounds to 0 (point 0, protocol none)\n");
	expect("$SYNOD run small.yaml -q --set 'attacks=[{kind: silent, fraction: 0}]' | grep -c note:", 1, "0");
	expect("$SYNOD run small.yaml -q --set sweep=none --set "
		   "'faults=[{kind: rule, message: view-change, action: drop}]'",
		0, "note: faults.0 (rule) matched no message\n");
	expect("$SYNOD run small.yaml -q --set sweep=none --set "
		   "'faults=[{kind: rule, message: commit, nth: 100000, action: drop}]'",
		0, "note: faults.0 (rule) matched no message number 100000\n");
	expect("$SYNOD run small.yaml -q --set 'faults=[{kind: rule, message: commit, nth: 1, action: drop}]' "
		   "--set 'sweep={faults.0.view: [0, 7]}'",
		0, "note: faults.0 (rule) matched no message in 4 of 8 runs\n");
	expect("$SYNOD run small.yaml -q --set sweep=none --set protocol=raft --set "
		   "'faults=[{kind: step, at: 10 ms, node: [1], action: transfer, to: 2}]'",
		0, "note: faults.0 (step) was not taken: validator 1 could not transfer at 0.01 s: it was down or");
	expect("$SYNOD run small.yaml -q --set protocol=pbft --set "
		   "'sweep={faults: [[{kind: step, at: 10 ms, node: leader, action: propose}], "
		   "[{kind: step, at: 10 ms, node: [2], action: propose}]]}'",
		0, "(step) was not taken: validator 2 could not propose at 0.01 s in ");
	expect("$SYNOD run small.yaml -q --set sweep=none --set protocol=raft --set "
		   "'faults=[{kind: step, at: 10 ms, node: [0], action: transfer, to: 2}]' | grep -c note:", 1, "0");
	expect("$SYNOD run small.yaml -q --set 'faults=[{kind: isolate, nodes: leader, until: 1 s}]'", 0,
		"note: faults.0 (isolate) is on `leader`, and `none` has no leader (point 0, protocol none)\n");
	expect("$SYNOD check small.yaml --set sweep=none --set 'workload={kind: dimweight}' --set "
		   "'predictor={kind: linear, train: 100}' --set "
		   "'attacks=[{kind: label-flip, nodes: [1], from: 3 s, until: 7 s}]'",
		1, "attacks.0.from: no model is trained while this attack on trainings is on");
	expect("$SYNOD check -q small.yaml --set sweep=none --set 'workload={kind: dimweight}' --set "
		   "'predictor={kind: linear, train: 100, retrain: 4 s}' --set "
		   "'attacks=[{kind: label-flip, nodes: [1], from: 3 s, until: 4 s}]'",
		1, "would never act");
	expect("$SYNOD check -q small.yaml --set sweep=none --set 'workload={kind: dimweight}' --set "
		   "'predictor={kind: linear, train: 100, retrain: 4 s}' --set "
		   "'attacks=[{kind: label-flip, nodes: [1], from: 4 s, until: 5 s}]'",
		0, NULL);
}

/* Points on the axis were once drawn of it, as if something had been shown. */
static void draws_no_figure_of_one_window(void **state)
{
	expect("$SYNOD run small.yaml -q --set 'record=[series]' -o window.h5", 0, NULL);
	expect("$SYNOD show window.h5 --table importance", 3, "`record: [models]` in the scenario would write it");
	expect("$SYNOD plot window.h5 --kind series -o figures", 2, "no run is longer than one window; a shorter `series.window`");
	expect("$SYNOD run small.yaml -q --set 'record=[series]' --set series.window='10 ms' -o windows.h5", 0, NULL);
	expect("$SYNOD plot windows.h5 --kind series -o figures --format svg", 0, "figures/series.svg");
}

/* 60 sizes side by side: their names were once written over each other. */
static void names_along_x_do_not_overlap(void **state)
{
	expect("$SYNOD run small.yaml -q --set replications=1 --set stop.items=1 --set 'sweep={workload.size: {from: 1 B, "
		   "to: 60 B, step: 1 B}}' -o sizes.h5", 0, NULL);
	expect("$SYNOD plot sizes.h5 --kind cost -o figures --format svg", 0, "figures/cost.svg");
	expect("grep -m 1 -o \"^set xtics rotate.*\" figures/cost.gp | grep -o \"'[0-9][0-9]*' \" | wc -l", 0, "12\n");
}

/* More lines than the legend has room for were once drawn without a name; gnuplot took minutes for thousands
 * of bars. */
static void draws_no_more_than_can_be_told_apart(void **state)
{
	expect("$SYNOD run small.yaml -q --set replications=1 --set stop.items=1 --set 'record=[decisions]' --set "
		   "'sweep={workload.size: {from: 1 B, to: 450 B, step: 1 B}}' -o sizes450.h5", 0, NULL);
	expect("$SYNOD plot sizes450.h5 --kind cost -o f", 2, "would have 450 arms, and holds 400: take some of the runs");
	expect("$SYNOD plot sizes450.h5 --kind latency-cdf --by workload.size -o f", 2, "would have 450 arms, and holds 24");
	expect("$SYNOD plot sizes450.h5 --kind line --kpi bytes -o f --format svg", 0, "f/line-bytes.svg");
}

/* All latencies are 40 ms, but for the rounding of times: gnuplot can't plot with an empty range. */
static void draws_what_does_not_vary(void **state)
{
	write_file("steady.yaml", "validators: 4\nprotocol: pbft\nworkload: dimweight\nstop: {items: 10}\nreplications: 2\n"
		"sweep: {workload.tolerance: [0.1, 0.10000000000001, 0.10000000000002]}\nrecord: [decisions, series]\n"
		"series: {window: 10 ms}\n");
	expect("$SYNOD run steady.yaml -q -o steady.h5", 0, NULL);
	expect("$SYNOD plot steady.h5 -o steady --format svg", 0, "steady/latency-cdf.svg");
	expect("$SYNOD plot steady.h5 -o steady --format svg --kind line --kpi events", 0, "steady/line-events.svg");
	expect("$SYNOD plot steady.h5 -o steady --format svg --kind box --kpi commit_mean_s", 0, "steady/box-commit_mean_s.svg");
	expect("grep -c '^40 ' steady/latency-cdf.dat", 0, "2\n");
	expect("$SYNOD plot steady.h5 -o steady --format svg --kind box --kpi decided --log y", 0, "steady/box-decided.svg");
}

/* One arm is never answered, and so has no latency: gnuplot once died of a bar's number without a bar. */
static void draws_bars_of_what_some_lack(void **state)
{
	write_file("lack.yaml", "validators: 4\nprotocol: raft\nworkload: requests\nstop: {items: 3}\n"
		"sweep: {network.loss: [0, 1]}\n");
	expect("$SYNOD run lack.yaml -q -o lack.h5", 0, NULL);
	expect("$SYNOD plot lack.h5 -o lack --kind cost --format svg,png", 0, "lack/cost.svg");
	/* An answer at once and none are not the same, and both arms are drawn. */
	expect("$SYNOD run lack.yaml -q --set network.latency='0 s' --set 'record=[decisions, series]' --set series.window='10 ms' "
		   "--set 'workload={kind: requests, arrivals: {kind: regular, rate: 10 /s}}' -o lack0.h5", 0, NULL);
	expect("$SYNOD plot lack0.h5 -o lack --format svg --kind latency-cdf && grep -c '^#.*high, repl' lack/latency-cdf.dat", 0, "2\n");
	expect("$SYNOD plot lack0.h5 -o lack --format svg --kind series --kpi latency_mean_s && "
		   "grep -c '^#.*high, repl' lack/series-latency_mean_s.dat", 0, "2\n");
}

static void lists_what_there_is(void **state)
{
	expect("$SYNOD list", 0, "protocols    none, central, raft, pbft");
	expect("$SYNOD list protocols", 0, "view_timeout");
	expect("$SYNOD list keys", 0, "liveness_bound");
	expect("$SYNOD list kpis", 0, "messages_per_instance");
	expect("$SYNOD list attacks", 0, "knows and can");
	expect("$SYNOD list equivocate", 0, "attacks\n\n  equivocate: ");
	expect("$SYNOD list equivocate | grep -c 'fraction  \\|groups  '", 0, "2");
	/* a predictor, one of an ensemble and a drift */
	expect("$SYNOD list linear | grep -c '^  linear:'", 0, "3");
	expect("$SYNOD list", 0, "\nparcels      model, uniform, exponential, normal\n");
	expect("$SYNOD list parcels", 0, "  exponential: ");
	expect("$SYNOD list leese raft", 2, "nothing of that name");
	expect("$SYNOD list lease", 0, "protocols: raft\n\n  lease ");
	expect("$SYNOD list protocol.batch", 0, "protocols: pbft\n\n  batch ");
	expect("$SYNOD list predictor.train", 0, "predictors: linear, ridge, trees, forest, mlp, gp, ensemble, oracle\n\n  train ");
	expect("$SYNOD list protocol.batch | grep -c predictors", 1, "0");
	expect("$SYNOD list attacks.0.epsilon | grep -c '^  epsilon '", 0, "3\n");
	expect("$SYNOD list stop", 0, "  stop.memory ");
	expect("$SYNOD list mac", 0, "  node.mac ");
	expect("$SYNOD list raft", 0, "default 0.9; only where reads = lease\n");
	expect("$SYNOD list sybil", 0, "    only where workload.identities = open\n");
	expect("$SYNOD list tables", 0, "\npredictions: what one validator said of one item; record: [predictions]\n\n  run ");
	expect("$SYNOD list importance", 0, "; record: [models]\n\n  run ");
	expect("$SYNOD list record", 0, "list of decisions, predictions, transactions, validators, series, roc, ");
	expect("$SYNOD list latency_mean_s", 0, "table runs\n\n  latency_mean_s");
	expect("$SYNOD list 'msgs/inst'", 0, "  messages_per_instance ");
	expect("$SYNOD list arrived_s", 0, "table decisions\n\n  arrived_s ");
	expect("$SYNOD list network.loss", 0, "that a message is lost\n");
	expect("$SYNOD list latency_men_s", 2, "did you mean 'latency_mean_s'?");
	expect("$SYNOD list equivocat", 2, "did you mean 'equivocate'?");
	expect("$SYNOD list attacks | grep -c '^    fraction '", 0, "1\n");
	expect("$SYNOD list attacks | grep -c '^    epsilon '", 0, "3\n");
	expect("$SYNOD list faults", 0, "duration, -10000000 s to 10000000 s; default 0 s");
	expect("$SYNOD list crash", 0, "duration, at least 1 us, or off; default off");
	expect("$SYNOD list keys faults | grep -c 'at least 0\\|default $\\|[0-9] ns'", 1, "0");
}

/* What an interrupted run has finished is kept, and the rest ends in the same bytes. */
static void goes_on_after(int signal)
{
	write_file("long.yaml",
		"validators: 7\n"
		"protocol: pbft\n"
		"stop: {items: 300}\n"
		"network: {latency: {kind: normal, mean: 10 ms, sd: 2 ms}}\n"
		"workload: {kind: dimweight, arrivals: {kind: poisson, rate: 50 /s}}\n"
		"replications: 40\n"
		"record: [decisions]\n");
	expect("rm -f long.h5*; test -f whole.h5 || $SYNOD run long.yaml -q -o whole.h5", 0, NULL);
	pid_t pid = start("exec $SYNOD run long.yaml -q -j 2 -o long.h5");
	char path[256];
	snprintf(path, sizeof(path), "%s/long.h5.journal", folder);
	struct stat stats;
	for (int i = 0; i < 2000 && (stat(path, &stats) != 0 || stats.st_size < 100000); i++) {
		usleep(1000);
	}
	kill(pid, signal);
	struct output output = finish(pid);
	if (signal == SIGINT) {
		assert_int_equal(output.status, 130);
		assert_non_null(strstr(output.err, "runs are kept"));
	} else {
		assert_int_equal(output.status, -SIGKILL);
	}
	output_free(&output);
	assert_false(exists("long.h5"));
	assert_true(exists("long.h5.journal"));
	expect("$SYNOD run small.yaml -q -o long.h5 --resume", 2, "another scenario");
	expect("$SYNOD run small.yaml -q -o long.h5", 2, "unfinished work of another scenario");
	expect(signal == SIGINT ? "$SYNOD run long.yaml -q -j 2 -o long.h5"
							: "$SYNOD run long.yaml -q -j 2 -o long.h5 --resume",
		0, "synod: goes on with long.h5");
	assert_false(exists("long.h5.journal"));
	expect("cmp long.h5 whole.h5", 0, NULL);
	expect("$SYNOD run small.yaml -q -o long.h5 --resume", 2, "the finished result of another scenario");
	expect("$SYNOD run long.yaml -q -o long.h5 --resume", 0, "nothing was left to run");
	expect("cmp long.h5 whole.h5", 0, NULL);
	assert_false(exists("long.h5.journal"));
}

static void goes_on_after_an_interruption(void **state)
{
	goes_on_after(SIGINT);
}

static void goes_on_after_a_kill(void **state)
{
	goes_on_after(SIGKILL);
}

/* An unsafe or stalled run is a result, but not one to overlook. */
static void says_aloud_what_went_wrong(void **state)
{
	write_file("stalled.yaml",
		"validators: 3\nprotocol: raft\nstop: {items: 5}\nworkload: requests\nliveness_bound: 2 s\n"
		"network: {latency: {kind: constant, value: 10 ms}}\nreplications: 2\n"
		"faults: [{kind: crash, nodes: [0, 1], from: 0 s}]\n");
	expect("$SYNOD run stalled.yaml -q > out.txt", 0, "synod: 2 of 2 runs are stalled; the first is run 0: from 0 s on ");
	expect("cat out.txt", 0, "run 1 is stalled: ");
	expect("$SYNOD run stalled.yaml -q --strict -o s.h5", 1, "results: s.h5");
	expect("$SYNOD run stalled.yaml -q --strict -o s.h5 --resume", 1, "2 of 2 runs are stalled");
	expect("$SYNOD run small.yaml -q --strict 2>&1 > /dev/null | wc -l", 0, "0\n");
	expect("$SYNOD run small.yaml -q --strict", 0, NULL);
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
		cmocka_unit_test(helps_with_an_example),
		cmocka_unit_test(names_the_nearest),
		cmocka_unit_test(refuses_a_wrong_scenario),
		cmocka_unit_test(says_what_the_environment_lacks),
		cmocka_unit_test(checks_and_reads_its_own_words),
		cmocka_unit_test(runs_alike_on_any_number_of_threads),
		cmocka_unit_test(keeps_what_is_not_a_result),
		cmocka_unit_test(gives_no_work_up_silently),
		cmocka_unit_test(extends_a_finished_sweep),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(says_what_came_too_late),
		cmocka_unit_test(says_what_does_nothing),
		cmocka_unit_test(draws_no_figure_of_one_window),
		cmocka_unit_test(names_along_x_do_not_overlap),
		cmocka_unit_test(draws_no_more_than_can_be_told_apart),
		cmocka_unit_test(draws_what_does_not_vary),
		cmocka_unit_test(draws_bars_of_what_some_lack),
		cmocka_unit_test(lists_what_there_is),
		cmocka_unit_test(says_aloud_what_went_wrong),
		cmocka_unit_test(goes_on_after_an_interruption),
		cmocka_unit_test(goes_on_after_a_kill),
	};
	return cmocka_run_group_tests(tests, prepare, remove_folder);
}
