/* How a run ends, and that it does: every verdict with its reason. */
#include "study.h"

#include <math.h>
#include <string.h>

#define assert_reason(outcome, part)                                                      \
	do {                                                                                  \
		if (strstr((outcome)->summary.verdict_reason, part) == NULL) {                    \
			fail_msg("\"%s\" does not say \"%s\"", (outcome)->summary.verdict_reason, part); \
		}                                                                                 \
	} while (0)

static void completed(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 7}\nvalidators: 4\nprotocol: pbft\nworkload: requests\n");
	assert_verdict(outcome, "completed");
	assert_reason(outcome, "all 7 items accepted");
	assert_string_equal(string_at(outcome, TABLE_RUNS, 0, "verdict"), "completed");
	assert_true(kpi(outcome, "simulated_s") == .35);
	outcome_close(outcome);
}

/* No arrival comes before the time is over, to its end. */
static void nothing_arrives(void **state)
{
	const char *const protocols[] = {"none", "raft", "pbft"};
	for (int i = 0; i < 3; i++) {
		struct outcome *outcome = run_text("stop: {time: 1 s}\n"
										   "validators: 4\n"
										   "protocol: %s\n"
										   "workload: {kind: requests, arrivals: {kind: regular, rate: 0.1 /s}}\n",
			protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "items") == 0);
		assert_true(kpi(outcome, "simulated_s") == 1);
		assert_true(isnan(kpi(outcome, "outage_max_s")));
		assert_true(isnan(kpi(outcome, "recovered_s")));
		assert_true(isnan(kpi(outcome, "throughput_per_s")));
		assert_true(isnan(kpi(outcome, "latency_mean_s")));
		assert_true(isnan(kpi(outcome, "latency_sd_s")));
		assert_true(isnan(kpi(outcome, "latency_max_s")));
		assert_true(isnan(kpi(outcome, "commit_mean_s")));
		assert_true(isnan(kpi(outcome, "messages_per_instance")));
		assert_true(isnan(kpi(outcome, "availability")));
		assert_true(isnan(kpi(outcome, "recovery_s")));
		assert_true(isnan(kpi(outcome, "divergence")));
		assert_true(isnan(kpi(outcome, "mae")));
		outcome_close(outcome);
	}
}

/* An outage longer than the bound is no end while its own is to come. */
static void long_outages(void **state)
{
	static const struct {
		const char *protocol, *fault;
		double until_s;
	} rows[] = {
		{"raft", "{kind: crash, nodes: [1, 2, 3], from: 1 s, until: 50 s}", 50},
		{"pbft", "{kind: crash, nodes: [1, 2], from: 1 s, until: 100 s}", 100},
		{"central", "{kind: crash, nodes: [0], from: 1 s, until: 50 s}", 50},
		{"raft", "{kind: loss, probability: 1, among: all, from: 1 s, until: 50 s}", 50},
		{"pbft", "{kind: partition, groups: [[0, 1], [2, 3]], from: 1 s, until: 100 s}", 100},
		{"raft", "{kind: stabilise, at: 50 s, delay: 1 ms, loss: 1}", 50},
		{"pbft", "{kind: rule, message: prepare, action: drop, from: 1 s, until: 50 s}", 50},
		{"raft", "{kind: rule, message: request, action: hold, from: 1 s, release: 50 s}", 50},
		/* down for a minute or so, again and again without end: what recurs is scheduled as it goes */
		{"raft", "{kind: crash, nodes: [0, 1, 2, 3], at_once: 4, every: 5 s, lasts: 60 s}", 60},
		{"raft", "{kind: flap, nodes: [0, 1, 2], down: 50 s, up: 10 s, from: 1 s}", 51},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome *outcome =
			run_text("stop: {items: 600}\nliveness_bound: 10 s\nvalidators: 4\nprotocol: %s\n"
					 "workload: {kind: requests, client_timeout: 1 s}\nfaults: [%s]\n",
				rows[i].protocol, rows[i].fault);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "simulated_s") > rows[i].until_s);
		assert_true(kpi(outcome, "outage_max_s") > 40);
		outcome_close(outcome);
	}
	/* The bound counts from the last change: of attacks, too, and of steps. */
	static const char *const changes[] = {"attacks: [{kind: silent, nodes: [3], from: 20 s, until: 40 s}]",
		"faults: [{kind: loss, probability: 1, from: 1 s}, {kind: slow-node, nodes: [1], factor: 2, from: 40 s}]",
		"faults: [{kind: loss, probability: 1, from: 1 s}, {kind: step, at: 40 s, node: [1], action: campaign}]"};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct outcome *outcome = run_text("stop: {items: 60}\nliveness_bound: 10 s\nvalidators: 4\n"
										   "protocol: pbft\nnode: {send: 1 us}\nworkload: requests\n"
										   "network: {loss: %d}\n%s\n",
			i == 0, changes[i]);
		assert_verdict(outcome, "stalled");
		assert_reason(outcome, "no progress for 10 s since the last scheduled change, at 40 s");
		assert_near(kpi(outcome, "simulated_s"), 50, 1e-9);
		outcome_close(outcome);
	}
	/* What recurs without end and without any progress is not waited for without end. */
	struct outcome *outcome = run_text("stop: {items: 60, events: 100000}\nliveness_bound: 10 s\nvalidators: 4\n"
									   "protocol: pbft\nworkload: requests\n"
									   "faults: [{kind: flap, nodes: [0, 1, 2], down: 1 s, up: 20 us}]\n");
	assert_verdict(outcome, "stalled");
	assert_reason(outcome, "no progress for 10");
	assert_in_range(kpi(outcome, "simulated_s"), 1000, 1100);
	outcome_close(outcome);
}

/* One more crash than the protocol can bear: said at the moment of the crash. */
static void too_many_crashes(void **state)
{
	static const struct {
		const char *protocol, *nodes, *reason;
		unsigned n;
	} rows[] = {
		{"pbft", "1, 3", "from 2 s on 2 of 4 validators are live; a quorum needs 3", 4},
		{"pbft", "4, 5, 6", "from 2 s on 4 of 7 validators are live; a quorum needs 5", 7},
		{"raft", "0, 2, 3", "from 2 s on 2 of 5 validators are live; a quorum needs 3", 5},
		{"raft", "0, 1", "from 2 s on 2 of 4 validators are live; a quorum needs 3", 4},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome *outcome = run_text("stop: {items: 500}\n"
										   "validators: %u\n"
										   "protocol: %s\n"
										   "workload: {kind: requests}\n"
										   "faults: [{kind: crash, nodes: [%s], from: 2 s}]\n",
			rows[i].n, rows[i].protocol, rows[i].nodes);
		assert_verdict(outcome, "stalled");
		assert_string_equal(outcome->summary.verdict_reason, rows[i].reason);
		assert_true(kpi(outcome, "simulated_s") == 2);
		assert_true(kpi(outcome, "decided") > 10);
		outcome_close(outcome);
	}
}

/* Where the crashed come back, it is not over: nothing is said while a change is to come. */
static void crashed_and_back(void **state)
{
	const char *const protocols[] = {"raft", "pbft"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome =
			run_text("stop: {items: 100}\n"
					 "validators: 4\n"
					 "protocol: %s\n"
					 "workload: {kind: requests, client_timeout: 1 s}\n"
					 "faults: [{kind: crash, nodes: [1, 2, 3], from: 1 s, until: 4 s}]\n",
				protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 100);
		assert_true(kpi(outcome, "safety_violations") == 0);
		assert_true(kpi(outcome, "simulated_s") > 4);
		outcome_close(outcome);
	}
}

/* `none` goes on with whoever is left; but who asked a validator that is gone waits in vain. */
static void none_left(void **state)
{
	struct outcome *outcome = run_text("stop: {items: 100}\n"
									   "validators: 4\n"
									   "protocol: none\n"
									   "workload: {kind: requests, clients: 4, client_timeout: 1 s}\n"
									   "faults: [{kind: crash, nodes: [1], from: 100 ms}]\n");
	assert_verdict(outcome, "stalled");
	assert_reason(outcome, "no progress for 30 s; 1 of 100 items are not accepted");
	assert_true(kpi(outcome, "decided") == 99);
	outcome_close(outcome);
}

static void nothing_left(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 3}\n"
				 "validators: 4\n"
				 "protocol: {kind: pbft, view_timeout: off}\n"
				 "workload: {kind: requests, client_timeout: off}\n"
				 "faults: [{kind: loss, probability: 1, from: 60 ms}]\n");
	assert_verdict(outcome, "stalled");
	assert_reason(outcome, "nothing is left to happen; 1 of 2 items are not accepted");
	assert_true(kpi(outcome, "decided") == 1);
	/* accepted at 50 ms, asked again at once; the pre-prepare is lost at 70 ms */
	assert_true(kpi(outcome, "simulated_s") == .07);
	outcome_close(outcome);
}

static void no_progress(void **state)
{
	/* Timers go on for ever, so that only the bound ends it: at the bound, not at the next event. */
	struct outcome *outcome = run_text("stop: {items: 3}\n"
									   "liveness_bound: 7 s\n"
									   "validators: 4\n"
									   "protocol: pbft\n"
									   "workload: {kind: requests}\n"
									   "faults: [{kind: loss, probability: 1, from: 60 ms}]\n");
	assert_verdict(outcome, "stalled");
	/* the last acceptance is at 50 ms; that the loss begins is a change, too */
	assert_reason(outcome,
		"no progress for 7 s since the last scheduled change, at 0.06 s; 1 of 2 items are not accepted");
	assert_near(kpi(outcome, "simulated_s"), 7.06, 1e-9);
	outcome_close(outcome);

	/* The default: at least 30 s; 4 * 2^(f+1) * 1 s is less. */
	outcome = run_text("stop: {items: 3}\n"
					   "validators: 4\n"
					   "protocol: pbft\n"
					   "workload: {kind: requests}\n"
					   "faults: [{kind: loss, probability: 1, from: 60 ms}]\n");
	assert_verdict(outcome, "stalled");
	assert_near(kpi(outcome, "simulated_s"), 30.06, 1e-9);
	outcome_close(outcome);

	/* Without any change it is the last acceptance that counts. */
	outcome = run_text("stop: {items: 3}\nliveness_bound: 7 s\nvalidators: 4\nprotocol: pbft\n"
					   "workload: {kind: requests}\n"
					   "faults: [{kind: loss, probability: 1, from: 30 ms}]\n");
	assert_reason(outcome, "no progress for 7 s since the last scheduled change, at 0.03 s; 1 of 1 ");
	outcome_close(outcome);
	outcome = run_text("stop: {items: 3}\nliveness_bound: 7 s\nvalidators: 4\nprotocol: none\n"
					   "workload: {kind: requests, clients: 4, client_timeout: 1 s}\n"
					   "faults: [{kind: loss, probability: 1, among: all}]\n");
	assert_reason(outcome, "no progress for 7 s; 3 of 3 items are not accepted");
	assert_near(kpi(outcome, "simulated_s"), 7, 1e-9);
	outcome_close(outcome);

	/* Idle is not stalled: nothing is outstanding for far longer than the bound. */
	outcome = run_text("stop: {items: 3}\n"
					   "liveness_bound: 7 s\n"
					   "validators: 4\n"
					   "protocol: raft\n"
					   "workload: {kind: requests, arrivals: {kind: regular, rate: 0.01 /s}}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "simulated_s") > 300);
	outcome_close(outcome);
}

static void at_the_time(void **state)
{
	struct outcome *outcome =
		run_text("stop: {time: 2 s}\nvalidators: 4\nprotocol: pbft\nworkload: requests\n");
	assert_verdict(outcome, "completed");
	assert_reason(outcome, "time 2 s, as planned; 40 of 41 items accepted");
	assert_true(kpi(outcome, "simulated_s") == 2);
	assert_true(kpi(outcome, "unanswered") == 1);
	/* 50 ms each; the last answer comes at 2 s, which the bound still admits */
	assert_true(kpi(outcome, "decided") == 40);
	assert_true(kpi(outcome, "availability") == 1);
	outcome_close(outcome);

	/* at the bound, not at the last event before it */
	outcome = run_text("stop: {time: 2.025 s}\nvalidators: 4\nprotocol: pbft\nworkload: requests\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "simulated_s") == 2.025);
	outcome_close(outcome);
}

/* A time alone is a plan, whatever is under way just then: open and closed loop, with heartbeats and without,
 * where the last answers have come and where they have not, and where nothing is left to happen. */
static void planned(void **state)
{
	static const char *const workloads[] = {
		"{kind: requests, arrivals: {kind: regular, rate: 3 /s}}", /* the last is answered in time */
		"{kind: requests, arrivals: {kind: regular, rate: 99 /s}}", /* some are under way */
		"{kind: requests, clients: 2}",
		"{kind: requests, clients: 4, client_timeout: off, arrivals: {kind: regular, rate: 20 /s}}",
		"{kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}",
	};
	static const char *const protocols[] = {"none", "raft", "pbft", "central"};
	for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		for (int p = 0; p < 4; p++) {
			struct outcome *outcome = run_text("stop: {time: 3.5 s}\nvalidators: 4\nprotocol: %s\n"
											   "workload: %s\n%s\n"
											   "faults: [{kind: loss, probability: 0.1, from: 3 s}]\n",
				protocols[p], workloads[i], i == 4 ? "predictor: {kind: linear, train: 50}" : "");
			assert_verdict(outcome, "completed");
			assert_reason(outcome, "time 3.5 s, as planned");
			assert_true(kpi(outcome, "simulated_s") == 3.5);
			assert_true(kpi(outcome, "items") >= 10);
			outcome_close(outcome);
		}
	}
	/* Idle for longer than the bound, and nothing happens any more. */
	struct outcome *outcome =
		run_text("stop: {time: 100 s}\nvalidators: 4\nprotocol: none\n"
				 "workload: {kind: requests, arrivals: {kind: regular, rate: 0.02 /s}}\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "simulated_s") == 100);
	outcome_close(outcome);
	/* Stalled all the same where nothing comes on for the bound before. */
	outcome = run_text("stop: {time: 100 s}\nvalidators: 4\nprotocol: pbft\nworkload: requests\n"
					   "faults: [{kind: loss, probability: 1, from: 1 s}]\n");
	assert_verdict(outcome, "stalled");
	assert_true(kpi(outcome, "simulated_s") == 31);
	outcome_close(outcome);
}

/* Where items are named, a time that comes before them is a limit, though all that came are answered. */
static void before_the_items(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 40, time: 3.5 s}\nvalidators: 4\nprotocol: raft\n"
				 "workload: {kind: requests, arrivals: {kind: regular, rate: 10 /s}}\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "time 3.5 s; 34 of 40 items have arrived, 34 are accepted");
	assert_true(kpi(outcome, "simulated_s") == 3.5);
	outcome_close(outcome);
	outcome = run_text("stop: {items: 30, time: 3.5 s}\nvalidators: 4\nprotocol: raft\n"
					   "workload: {kind: requests, arrivals: {kind: regular, rate: 10 /s}}\n");
	assert_verdict(outcome, "completed");
	assert_reason(outcome, "all 30 items accepted");
	assert_true(kpi(outcome, "simulated_s") < 3.2);
	outcome_close(outcome);
}

/* Time lasts 292 years: what would come later never comes. */
static void clock_ends(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 100, time: off}\nvalidators: 4\nprotocol: pbft\n"
				 "workload: {kind: requests, arrivals: {kind: regular, rate: 1e-8 /s}}\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "the clock ends at 9223372037 s: 92 items have arrived by then, 92 are accepted");
	assert_true(kpi(outcome, "items") == 92);
	assert_true(kpi(outcome, "simulated_s") == 9.2e9 + .05); /* and no heartbeats up to its end */
	outcome_close(outcome);
	/* A message that would arrive then is not lost, nor is the run stalled. */
	outcome = run_text("stop: {items: 3}\nliveness_bound: off\nvalidators: 4\n"
					   "protocol: {kind: pbft, view_timeout: off}\nnetwork: {latency: 1500000000 s}\n"
					   "workload: {kind: requests, client_timeout: off}\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "the clock ends at 9223372037 s: 2 items have arrived by then, 1 are accepted");
	outcome_close(outcome);
}

static void limits(void **state)
{
	struct outcome *outcome = run_text("stop: {items: 100, events: 1000}\n"
					   "validators: 4\nprotocol: pbft\nworkload: requests\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "1000 events");
	assert_true(kpi(outcome, "events") >= 1000);
	assert_true(kpi(outcome, "events") < 1010); /* one arrival for all receivers is not cut */
	outcome_close(outcome);

	/* A row a window: idle for days, but the series is recorded. */
	outcome = run_text("stop: {items: 2}\nvalidators: 4\nprotocol: pbft\nrecord: [series]\n"
					   "series: {window: 1 ms}\n"
					   "workload: {kind: requests, arrivals: {kind: regular, rate: 1e-5 /s}}\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "1000000 windows of series, 0.001 s each");
	assert_true(kpi(outcome, "simulated_s") == 1000);
	assert_int_equal(n_rows(outcome, TABLE_SERIES), 1000000);
	outcome_close(outcome);

	/* Equal timeouts and delays: every election is split, for ever (Raft, figure 16: 150-150). */
	outcome = run_text("stop: {items: 1, views: 20}\n"
					   "validators: 3\n"
					   "protocol: {kind: raft, initial_leader: none, election_timeout: [150 ms, 150 ms]}\n"
					   "workload: requests\n");
	assert_verdict(outcome, "limit");
	assert_reason(outcome, "more than 20 views or terms");
	assert_true(kpi(outcome, "split_votes") == 20);
	assert_true(kpi(outcome, "elections") == 21);
	assert_true(isnan(kpi(outcome, "election_mean_s")));
	outcome_close(outcome);
}

/* A drain ends where a validator never gets what it has missed: PBFT's replica 3 hears no more once all is
 * accepted. Also without a bound on liveness, and although heartbeats never cease. */
static void drains(void **state)
{
	const char *const bounds[] = {"auto", "off", "5 s"};
	for (int i = 0; i < 3; i++) {
		struct outcome *outcome =
			run_text("stop: {items: 10}\n"
					 "liveness_bound: %s\n"
					 "validators: 4\n"
					 "protocol: {kind: raft, election_timeout: off}\n"
					 "workload: {kind: requests}\n"
					 "faults: [{kind: loss, probability: 1, from: 395 ms}]\n",
				bounds[i]);
		/* the answers to the tenth append come at 390 ms, the client has its answer at 400 ms; that it is
		 * committed the followers never hear */
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 10);
		assert_near(kpi(outcome, "simulated_s"), .4 + (i == 2 ? 5 : 30), .1);
		outcome_close(outcome);
	}
}

/* One that is cut off for long stands again and again: it can't take back that all is accepted. */
static void terms_of_a_straggler(void **state)
{
	struct outcome *outcome = run_text("stop: {items: 20, views: 50}\nvalidators: 4\nprotocol: raft\n"
									   "workload: requests\n"
									   "faults: [{kind: isolate, nodes: [2], from: 100 ms, until: 1 h}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "decided") == 20);
	outcome_close(outcome);
}

/* Costs of processors and cards delay everything and break nothing. */
static void costs(void **state)
{
	const char *const protocols[] = {"none", "raft", "pbft"};
	for (int i = 0; i < 3; i++) {
		struct outcome *outcome = run_text("stop: {items: 200}\n"
										   "validators: 7\n"
										   "protocol: %s\n"
										   "network:\n"
										   "  latency: {kind: lognormal, median: 5 ms, sigma: 0.3}\n"
										   "  bandwidth: 100 Mbit/s\n"
										   "node: {send: 5 us, receive: 5 us, sign: 20 us, verify: 30 us}\n"
										   "workload: {kind: requests, clients: 20, size: 1 KiB}\n"
										   "record: [validators]\n",
			protocols[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 200);
		assert_true(kpi(outcome, "safety_violations") == 0);
		double busy_s = 0;
		for (size_t v = 0; v < 7; v++) {
			busy_s += real_at(outcome, TABLE_VALIDATORS, v, "busy_s");
		}
		/* each message is signed at most once a copy, sent and received */
		double messages = kpi(outcome, "messages") + kpi(outcome, "client_messages");
		assert_true(busy_s > messages * 20e-6 && busy_s < messages * 60e-6);
		outcome_close(outcome);
	}
}

/* One that is made to restart is down for no time: that takes no quorum away, however few others are up. */
static void restart_is_no_loss(void **state)
{
	struct outcome *outcome =
		run_text("stop: {items: 60}\nvalidators: 4\nprotocol: pbft\n"
				 "network: {latency: {kind: constant, value: 10 ms}}\nworkload: requests\n"
				 "faults:\n  - {kind: crash, nodes: [3], from: 500 ms}\n"
				 "  - {kind: step, at: 1 s, node: [1], action: restart}\n");
	assert_verdict(outcome, "completed");
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completed),
		cmocka_unit_test(nothing_arrives),
		cmocka_unit_test(too_many_crashes),
		cmocka_unit_test(crashed_and_back),
		cmocka_unit_test(none_left),
		cmocka_unit_test(nothing_left),
		cmocka_unit_test(no_progress),
		cmocka_unit_test(long_outages),
		cmocka_unit_test(at_the_time),
		cmocka_unit_test(planned),
		cmocka_unit_test(before_the_items),
		cmocka_unit_test(clock_ends),
		cmocka_unit_test(limits),
		cmocka_unit_test(drains),
		cmocka_unit_test(terms_of_a_straggler),
		cmocka_unit_test(costs),
		cmocka_unit_test(restart_is_no_loss),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
