/* What `check` and `run` say about a scenario that is right and yet not what its author meant. The tables are
 * the real ones, so that this is where their `when` and `below` are put to the test. */
#include "program.h"

#define HEAD "validators: 4\nstop: {items: 20}\n"
#define REQUESTS HEAD "workload: requests\n"
#define PARCELS HEAD "protocol: pbft\nworkload: dimweight\n"

/* The notes that `check` makes of a text, and nothing else on stderr. */
static char *notes_of(const char *text)
{
	write_file("note.yaml", text);
	struct output output = finish(start("$SYNOD check note.yaml"));
	if (output.status != 0) {
		fail_msg("refused:\n%s\n%s", text, output.err);
	}
	free(output.out);
	return output.err;
}

static void expect_note(const char *text, const char *wanted)
{
	char *notes = notes_of(text);
	if (!strstr(notes, wanted)) {
		fail_msg("of\n%s\nnot '%s' but:\n%s", text, wanted, notes);
	}
	free(notes);
}

static void expect_none(const char *text)
{
	char *notes = notes_of(text);
	if (*notes) {
		fail_msg("of\n%s\nthis:\n%s", text, notes);
	}
	free(notes);
}

static void tells_keys_in_vain(void **state)
{
	static const char *const cases[][2] = {
		{REQUESTS "protocol: {kind: raft, lease: 0.5, election_timeout: [1 s, 2 s]}\n",
			"note.yaml:4:31: note: protocol.lease has no effect here: it is looked at only where "
			"protocol.reads is lease\n"},
		{REQUESTS "protocol: {kind: raft, clock_drift: 0.5}\n", "protocol.reads is lease"},
		{REQUESTS "protocol: {kind: raft, snapshot_size: 1 KiB}\n", "protocol.snapshot_every is not off"},
		{REQUESTS "protocol: {kind: raft, batch: 1, batch_delay: 1 ms}\n", "protocol.batch is above 1"},
		{REQUESTS "protocol: {kind: raft, pre_vote: on, election_timeout: off}\n",
			"protocol.election_timeout is not off"},
		{REQUESTS "protocol: {kind: pbft, read_only: on}\n", "workload.reads is above 0"},
		{REQUESTS "protocol: raft\nnode: {mac: 1 us}\n", "protocol.authentication is macs"},
		{REQUESTS "protocol: pbft\nnode: {mac: 1 us}\n", "protocol.authentication is macs"},
		{REQUESTS "protocol: raft\ncheckers: off\nliveness_after: 5 s\n", "checkers is on"},
		{HEAD "protocol: raft\nworkload: {kind: requests, conflict: 0.5}\n", "protocol.fast_path is on"},
		{HEAD "protocol: raft\nworkload: {kind: requests, outstanding: 3, arrivals: {kind: poisson}}\n",
			"workload.arrivals is none"},
		{HEAD "protocol: raft\nworkload: {kind: kv, keys: 5, conflict: 1}\n", "workload.conflict is not 1"},
		{PARCELS "attacks: [{kind: sybil, fraction: 0.25}]\n",
			"note.yaml:5:11: note: attacks.0 has no effect here: sybil does something only where "
			"workload.identities is open\n"},
		{PARCELS "attacks: [{kind: inflation, fraction: 0.25, confidence: 5}]\n",
			"attacks.0.confidence has no effect here: it is looked at only where aggregator is "
			"inverse-variance"},
		{PARCELS "attacks: [{kind: mimic, fraction: 0.25, pick: farthest, row: 2}]\n",
			"attacks.0.pick is fixed"},
		{PARCELS "predictor: oracle\nattacks: [{kind: gradient, fraction: 0.25}]\n",
			"attacks.0 has no effect here: gradient does something only where predictor is not oracle"},
		{PARCELS "predictor: oracle\nattacks: [{kind: label-flip, fraction: 0.25}]\n",
			"predictor is not oracle"},
		{HEAD "protocol: pbft\nworkload: {kind: dimweight, identities: open}\n", "attacks is not none"},
		{"validators: 4\nworkload: requests\nprotocol: none\nstop: {items: 5, views: 7}\n", "stop.views has no effect here"},
		{REQUESTS "protocol: raft\nrecord: [predictions]\n",
			"record has no effect here: predictions, roc, models, observations and training stay empty with `requests`"},
		{PARCELS "aggregator: {kind: median, faulty: 0}\n", "aggregator.before is nnm"},
		{PARCELS "aggregator: {kind: krum, faulty: 0, s: 3}\n", "aggregator.before is bucketing"},
		{PARCELS "aggregator: weighted-mean\n", "only where scorer is not none"},
		{PARCELS "aggregator: inverse-variance\n", "only where predictor is gp or ensemble"},
		{PARCELS "scorer: {kind: isolation, trees: 7}\n", "scorer.method is trees"},
		{PARCELS "scorer: {kind: reputation, of: {kind: mad, threshold: 0.4}}\n",
			"scorer.of.threshold has no effect here: scorer makes nothing of it"},
		{PARCELS "predictor: {kind: oracle, label_noise: 1}\n",
			"predictor.label_noise has no effect here: oracle makes nothing of it"},
		{PARCELS "faults: [{kind: pause, nodes: [1], at_once: 1, until: 2 s}]\n", "faults.0.every is not off"},
		{PARCELS "faults: [{kind: crash, nodes: [1], lasts: 1 s, until: 2 s}]\n", "faults.0.every is not off"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_note(cases[i][0], cases[i][1]);
	}
}

/* Where it has an effect at some point, or says what goes without saying, there is nothing to tell. */
static void is_silent_about_the_rest(void **state)
{
	expect_none(REQUESTS "protocol: {kind: raft, lease: 0.9, reads: log}\n");
	expect_none(HEAD "workload: {kind: kv, reads: 0.5}\nprotocol: {kind: raft, check_quorum: on, lease: 0.5}\n"
					 "sweep: {protocol.reads: [index, lease]}\n");
	expect_none(REQUESTS "protocol: {kind: pbft, authentication: macs}\nnode: {mac: 1 us}\n"
						 "sweep: {protocol: [raft, {kind: pbft, authentication: macs}]}\n");
	expect_none(PARCELS "aggregator: {kind: median, faulty: auto}\n");
}

/* What is said to have no effect has none, and of what has one it isn't said. */
static void is_right(void **state)
{
	write_file("macs.yaml", REQUESTS "protocol: raft\nfaults: [{kind: crash, nodes: [0], from: 20 ms, until: 2 s}]\n"
		"sweep: {node.mac: [0 us, 20 ms]}\n");
	expect("$SYNOD run -q macs.yaml 2>&1 > /dev/null | grep note:", 0, "all of its values gave the same runs and KPIs");
	/* commit_mean_s is over n - f validators. */
	write_file("central.yaml", REQUESTS "network: {latency: {kind: normal, mean: 10 ms, sd: 3 ms}}\nprotocol: central\n");
	expect("$SYNOD run -q central.yaml --set faulty=1 > one.txt 2> notes.txt && test ! -s notes.txt && "
		   "$SYNOD run -q central.yaml --set faulty=0 > none.txt && ! cmp -s one.txt none.txt",
		0, NULL);
}

/* What `check` prints is a scenario about which there is nothing new to say. */
static void is_silent_about_its_own_words(void **state)
{
	static const char *const texts[] = {REQUESTS "protocol: raft\n", REQUESTS "protocol: pbft\n",
		REQUESTS "protocol: central\n", REQUESTS "protocol: none\n", PARCELS "scorer: isolation\n",
		PARCELS "predictor: ensemble\naggregator: {kind: multi-krum, faulty: 0}\n"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file("whole.yaml", texts[i]);
		expect("$SYNOD check whole.yaml > words.yaml && $SYNOD check -q words.yaml 2> notes.txt && "
			   "test ! -s notes.txt",
			0, NULL);
	}
}

static void tells_timers_that_are_no_use(void **state)
{
	expect_note(REQUESTS "protocol: {kind: pbft, view_timeout: 30 ms}\nnetwork: {latency: 40 ms}\n",
		"note.yaml:4:38: note: protocol.view_timeout: 30 ms is below the network's round trip of up to 80 ms");
	expect_note(REQUESTS "protocol: {kind: raft, election_timeout: [10 ms, 1 s]}\nnetwork: {latency: 40 ms}\n",
		"protocol.election_timeout: 10 ms is below");
	expect_note(HEAD "protocol: raft\nworkload: {kind: requests, client_timeout: 3 ms}\n",
		"workload.client_timeout: 3 ms is below the network's round trip of up to 20 ms");
	expect_note(REQUESTS "protocol: {kind: raft, heartbeat: 200 ms}\n",
		"protocol.heartbeat: 200 ms is not below protocol.election_timeout, which is 150 ms");
	expect_note(REQUESTS "protocol: {kind: pbft, batch_delay: 2 s}\n",
		"protocol.batch_delay: 2 s is not below protocol.view_timeout, which is 1 s");
	expect_note(REQUESTS "protocol: {kind: pbft, view_timeout: 40 s}\nliveness_bound: 20 s\n",
		"protocol.view_timeout: 40 s is not below liveness_bound, which is 20 s");
	expect_note(REQUESTS "protocol: pbft\nsweep: {protocol.view_timeout: [1 s, 15 ms]}\n",
		"note.yaml:5:38: note: protocol.view_timeout: 15 ms is below the network's round trip of up to 20 ms "
		"(99.9 %): it goes off while the answer is still on its way; `auto` is 20 one-way delays (point 1, "
		"protocol.view_timeout 15 ms)");
	/* Two delays, a signature, and one verified of each of three: 50 ms + 3 * 10 ms more. */
	expect_note(REQUESTS "protocol: {kind: pbft, view_timeout: 90 ms}\nnode: {sign: 50 ms, verify: 10 ms}\n",
		"protocol.view_timeout: 90 ms is below the network's round trip of up to 100 ms (99.9 %, processors and "
		"cards included): ");
	expect_none(REQUESTS "protocol: {kind: pbft, view_timeout: 100 ms}\nnode: {sign: 50 ms, verify: 10 ms}\n");
	expect_none(REQUESTS "protocol: {kind: pbft, view_timeout: off, batch_delay: 1 ms}\n");
	expect_none(REQUESTS "protocol: {kind: raft, heartbeat: off}\n");
	/* The longest delay there is, twice, is no time at all. */
	expect_note(REQUESTS "protocol: {kind: raft, election_timeout: [1 s, 2 s]}\nnetwork: {latency: 2562047 h}\n",
		"protocol.election_timeout: 1 s is below");
}

static void tells_attackers_against_whom_nothing_is_promised(void **state)
{
	expect_note("validators: 3\nworkload: requests\nprotocol: pbft\n"
				"attacks: [{kind: equivocate, nodes: [0]}]\n",
		"note.yaml:4:11: note: attacks.0: faulty is 0, so that pbft with 3 validators promises nothing");
	expect_note(REQUESTS "protocol: pbft\nattacks: [{kind: silent, fraction: 0.1}]\n",
		"attacks.0: no validator attacks: 0.1 of 4 rounds to 0");
	expect_note(REQUESTS "protocol: none\nfaults: [{kind: crash, nodes: leader, until: 1 s}]\n",
		"faults.0 (crash) is on `leader`, and `none` has no leader");
	expect_none(REQUESTS "protocol: pbft\nattacks: [{kind: equivocate, nodes: [0]}]\n");
}

/* What only runs can tell. */
static void tells_a_sweep_that_makes_no_difference(void **state)
{
	write_file("idle.yaml", REQUESTS
		"protocol: raft\nsweep: {stop.views: [50, 60], workload.clients: [1, 9]}\n");
	struct output output = finish(start("$SYNOD run -q idle.yaml --set replications=2"));
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.err, "idle.yaml:5:9: note: stop.views: all of its values gave the same runs and KPIs"));
	assert_null(strstr(output.err, "workload.clients: all"));
	output_free(&output);
	/* What alters KPIs alone alters no event. */
	write_file("idle.yaml", "validators: 4\nstop: {items: 20}\nprotocol: raft\nworkload: dimweight\nreplications: 2\n"
		"sweep: {workload.tolerance: [0, 1], series.window: [1 ms, 1 s], stop.views: [50, 60]}\n");
	expect("$SYNOD run -q idle.yaml 2>&1 > /dev/null | grep note:", 0, "stop.views: all of its values");
	expect("$SYNOD run -q idle.yaml 2>&1 > /dev/null | grep -c note:", 0, "1\n");
}

/* Rows are told apart, however much alike what they sweep. */
static void tells_points_apart(void **state)
{
	write_file("alike.yaml",
		"validators: 5\nprotocol: raft\nworkload: requests\nstop: {items: 3}\n"
		"sweep:\n  network.loss: [0.12345678, 0.12345679]\n  faults:\n"
		"    - [{kind: partition, groups: [[0, 1, 2], [3, 4]], from: 1 s, until: 2 s}]\n"
		"    - [{kind: partition, groups: [[0, 1, 2], [4, 3]], from: 1 s, until: 3 s}]\n"
		"    - [{kind: partition, groups: [[0, 1, 4], [2, 3]], from: 1 s, until: 2 s}]\n");
	expect("$SYNOD run -q alike.yaml 2> /dev/null | tail -n +2 | grep '^0\\.' | cut -c 1-50 | sort -u | wc -l", 0, "6\n");
}

/* Of very many points the first are shown, at once. */
static void shows_the_first_of_many(void **state)
{
	write_file("many.yaml", "validators: 1\nprotocol: none\nworkload: requests\nstop: {items: 1}\n"
							"sweep: {workload.size: {from: 1 B, to: 250 B, step: 1 B}}\n");
	struct output output = finish(start("$SYNOD run -q many.yaml"));
	assert_int_equal(output.status, 0);
	assert_non_null(strstr(output.out, "\n200 B "));
	assert_null(strstr(output.out, "\n201 B "));
	assert_non_null(strstr(output.out, "... and 50 more points: `synod show FILE.h5`"));
	output_free(&output);
}

static void skips_what_does_not_fit(void **state)
{
	write_file("unfit.yaml", REQUESTS "protocol: pbft\nattacks: [{kind: lying-leader, nodes: [0]}]\n"
									  "sweep: {protocol: [none, raft, pbft], network.loss: [0, 0.01]}\n");
	expect("$SYNOD run -q unfit.yaml", 2, "does not fit this scenario: `pbft` has no followers");
	expect("$SYNOD run -q unfit.yaml --skip-unfit -o unfit.h5", 0,
		"note: skipped at protocol pbft, network.loss 0.01: attacks.0: attack `lying-leader` does not fit");
	expect("$SYNOD run -q unfit.yaml --skip-unfit -o unfit.h5 --resume", 0, "nothing was left to run");
	expect("$SYNOD show unfit.h5 --table runs --csv | wc -l", 0, "3");
}

static void refuses_timers_that_flood(void **state)
{
	static const char *const sets[] = {"protocol.view_timeout", "workload.client_timeout"};
	write_file("timers.yaml", REQUESTS "protocol: pbft\n");
	for (size_t i = 0; i < 2; i++) {
		char command[200];
		snprintf(command, sizeof(command), "$SYNOD check -q timers.yaml --set %s='1 ns'", sets[i]);
		expect(command, 1, "of at least 1 us");
		snprintf(command, sizeof(command), "$SYNOD check -q timers.yaml --set %s='-1 s'", sets[i]);
		expect(command, 1, "of at least 1 us or `auto` or `off`, got -1 s");
	}
	expect("$SYNOD check -q timers.yaml --set 'protocol={kind: raft, heartbeat: 1 ns}'", 1, "of at least 1 us");
	expect("$SYNOD check -q timers.yaml --set 'protocol={kind: raft, election_timeout: [1 ns, 1 s]}'", 1,
		"of at least 1 us");
	expect("$SYNOD check timers.yaml --set 'protocol={kind: raft, election_timeout: [1 us, 2 us]}'", 0,
		"heartbeat: 1 us  # auto");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_keys_in_vain),
		cmocka_unit_test(is_silent_about_the_rest),
		cmocka_unit_test(is_right),
		cmocka_unit_test(is_silent_about_its_own_words),
		cmocka_unit_test(tells_timers_that_are_no_use),
		cmocka_unit_test(tells_attackers_against_whom_nothing_is_promised),
		cmocka_unit_test(tells_a_sweep_that_makes_no_difference),
		cmocka_unit_test(tells_points_apart),
		cmocka_unit_test(shows_the_first_of_many),
		cmocka_unit_test(skips_what_does_not_fit),
		cmocka_unit_test(refuses_timers_that_flood),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
