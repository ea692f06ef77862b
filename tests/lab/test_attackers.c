/* Attackers on nodes in whole runs: what breaks and what does not, when it begins and ends, and that it is
 * the same each time. */
#include "attacked.h"

#include "scenarios/scenario.h"

#include <math.h>
#include <stdlib.h>

/* "What must break" 1 and 3: none with floor((n-1)/3) who collude, found with one more, at its first
 * instance. */
static void test_equivocation_in_pbft(void **state)
{
	(void)state;
	char text[64], attacks[200];
	for (int n = 4; n <= 10; n += 3) {
		int f = (n - 1) / 3;
		for (int more = 0; more < 2; more++) {
			snprintf(attacks, sizeof(attacks),
				"[{kind: equivocate, nodes: [0]}, {kind: collude, nodes: %s}]",
				first(f + more, text));
			struct outcome *outcome = attacked("pbft", n, UNIFORM, CLOSED, 60, attacks, "");
			if (more == 0) {
				assert_safe(outcome);
			} else {
				assert_verdict(outcome, "unsafe");
				assert_true(kpi(outcome, "divergence") > 0);
				assert_string_equal(
					string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "agreement");
				bool from_the_first = false;
				for (size_t row = 0; row < n_rows(outcome, TABLE_VIOLATIONS); row++) {
					from_the_first =
						from_the_first || int_at(outcome, TABLE_VIOLATIONS, row, "instance") == 1;
				}
				assert_true(from_the_first);
				assert_true(kpi(outcome, "first_violation_s") < .5);
			}
			outcome_close(outcome);
		}
	}
}

/* One equivocator alone: never, however the groups are cut; nor one that votes twice. */
static void test_one_equivocator_is_harmless_in_pbft(void **state)
{
	(void)state;
	static const char *const cuts[] = {"", ", groups: [[1], [2, 3]]", ", groups: [[1, 2], [3]]",
		", groups: [[1], [2], [3]]", ", groups: [[2, 3], [1]]"};
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		char attacks[200];
		snprintf(attacks, sizeof(attacks),
			"[{kind: equivocate, nodes: [0]%s}, {kind: double-vote, nodes: [0]}]", cuts[i]);
		struct outcome *outcome = pbft(4, attacks);
		assert_safe(outcome);
		outcome_close(outcome);
	}
	/* Three versions: none has a quorum. It costs the primary its view. */
	struct outcome *split = pbft(4, "[{kind: equivocate, nodes: [0], groups: [[1], [2], [3]]}]");
	assert_true(kpi(split, "leader_changes") >= 1);
	outcome_close(split);
	/* A second node that votes twice is as bad as one that colludes. */
	struct outcome *two =
		pbft(4, "[{kind: equivocate, nodes: [0]}, {kind: double-vote, nodes: [3]}]");
	assert_verdict(two, "unsafe");
	outcome_close(two);
}

/* "What must break" 5: the first proposal, to one replica alone (the pattern of ByzzFuzz). */
static void test_one_corrupted_proposal(void **state)
{
	(void)state;
	struct outcome *outcome = attacked("pbft", 4, CONSTANT, OPEN, 40,
		"[{kind: equivocate, nodes: [0], groups: [[1, 2], [3]], until: 100 ms}]", "");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") == 0);
	assert_int_equal(int_at(outcome, TABLE_VALIDATORS, 3, "committed"), 40); /* it got the true one */
	outcome_close(outcome);
}

/* "What must break" 2. */
static void test_a_lying_leader_in_raft(void **state)
{
	(void)state;
	static const char *const attacks[] = {"[{kind: lying-leader, nodes: leader}]",
		"[{kind: lying-leader, nodes: [0]}]", "[{kind: equivocate, nodes: [0]}]"};
	for (size_t i = 0; i < 3; i++) {
		struct outcome *outcome = attacked("raft", 4, UNIFORM, CLOSED, 40, attacks[i], "");
		assert_verdict(outcome, "unsafe");
		assert_true(kpi(outcome, "divergence") > 0);
		bool agreement = false, matching = false;
		for (size_t row = 0; row < n_rows(outcome, TABLE_VIOLATIONS); row++) {
			const char *invariant = string_at(outcome, TABLE_VIOLATIONS, row, "invariant");
			agreement = agreement || strcmp(invariant, "agreement") == 0;
			matching = matching || strcmp(invariant, "log-matching") == 0;
		}
		assert_true(agreement && matching);
		outcome_close(outcome);
	}
	/* A follower that would lie has nobody to lie to. */
	struct outcome *follower =
		attacked("raft", 4, UNIFORM, OPEN, 40, "[{kind: lying-leader, nodes: [3]}]", "");
	assert_safe(follower);
	outcome_close(follower);
}

/* Both candidates of one term get the third's vote. */
static void test_double_votes_in_raft(void **state)
{
	(void)state;
	static const char *const attacks[] = {"[]", "[{kind: double-vote, nodes: [2]}]"};
	for (int i = 0; i < 2; i++) {
		int n_broken = 0;
		for (int seed = 1; seed <= 10; seed++) {
			struct study *study = study_open("seed: %d\nstop: {items: 5}\nvalidators: 3\n"
				"protocol: {kind: raft, initial_leader: none, election_timeout: [150 ms, 170 ms]}\n"
				"network: {latency: " CONSTANT "}\n"
				"workload: {kind: requests}\nattacks: %s\n", seed, attacks[i]);
			struct outcome *outcome = study_run(study, 0, 0);
			n_broken += n_rows(outcome, TABLE_VIOLATIONS) > 0 &&
				strcmp(string_at(outcome, TABLE_VIOLATIONS, 0, "invariant"), "election-safety") == 0;
			outcome_destroy(outcome);
			study_close(study);
		}
		assert_true(i == 0 ? n_broken == 0 : n_broken > 0);
	}
}

/* Under none an equivocator tells some of its clients' updates to some only: measured, never unsafe. */
static void test_equivocation_under_none(void **state)
{
	(void)state;
	struct outcome *honest = attacked("none", 4, CONSTANT, OPEN, 40, "[]", "");
	assert_true(kpi(honest, "divergence") == 0);
	outcome_close(honest);
	static const char *const loads[] = {OPEN, CLOSED};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome =
			attacked("none", 4, CONSTANT, loads[i], 40, "[{kind: equivocate, nodes: [0]}]", "");
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "divergence") > 0);
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

static void test_silent_primary(void **state)
{
	(void)state;
	struct outcome *outcome = pbft(4, "[{kind: silent, nodes: leader}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") == 1);
	assert_int_equal(int_at(outcome, TABLE_VALIDATORS, 0, "messages_sent"), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, i, "byzantine"), i == 0);
	}
	outcome_close(outcome);
	/* Two primaries in a row. */
	outcome = pbft(7, "[{kind: silent, nodes: [0, 1]}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") == 2);
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 59, "view"), 2);
	outcome_close(outcome);
	outcome = attacked("raft", 4, UNIFORM, OPEN, 60, "[{kind: silent, nodes: leader}]", "");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") >= 1);
	outcome_close(outcome);
}

/* More than f are silent: nothing is accepted; when they come to, a bounded number of views later all is.
 * "What must break" 3. */
static void test_liveness_returns(void **state)
{
	(void)state;
	for (int n = 4; n <= 7; n += 3) {
		char text[64], attacks[200];
		int n_silent = (n - 1) / 3 + 1;
		snprintf(attacks, sizeof(attacks), "[{kind: silent, nodes: %s, from: 1 s, until: 10 s}]",
			first(n_silent, text));
		struct outcome *outcome = attacked("pbft", n, CONSTANT, OPEN, 60, attacks, "");
		assert_safe(outcome);
		assert_true(kpi(outcome, "leader_changes") <= n_silent + 1);
		double last_before = 0, first_after = INFINITY;
		for (size_t row = 0; row < 60; row++) {
			double at = real_at(outcome, TABLE_DECISIONS, row, "decided_s");
			/* What was under way when it began may still end. */
			assert_true(at < 1.05 || at > 10);
			last_before = at < 1.05 && at > last_before ? at : last_before;
			first_after = at > 10 && at < first_after ? at : first_after;
		}
		assert_true(last_before > .9 && first_after < 30);
		outcome_close(outcome);
	}
}

/* f are silent, and until 10 s messages are late or lost: after the global stabilisation time all is accepted,
 * within a bounded number of views: those of the f silent primaries and the one that was under way, each with
 * twice the timeout of the one before. "What must break" 3. */
static void test_liveness_after_stabilisation(void **state)
{
	(void)state;
	for (int n = 4; n <= 10; n += 3) {
		char text[64], attacks[200];
		int f = (n - 1) / 3;
		snprintf(attacks, sizeof(attacks), "[{kind: silent, nodes: %s}]", first(f, text));
		struct outcome *outcome = attacked("pbft", n, UNIFORM, OPEN, 200, attacks,
			"liveness_after: 30 s\n"
			"faults: [{kind: stabilise, at: 10 s, delay: {kind: uniform, min: 0 s, max: 4 s}, loss: 0.3}]\n");
		assert_safe(outcome);
		assert_verdict(outcome, "completed");
		/* 1, 2, 4 and 8 s: four views at most begin before 10 s */
		assert_true(kpi(outcome, "leader_changes") >= f);
		assert_true(kpi(outcome, "leader_changes") <= 4 + f + 1);
		outcome_close(outcome);
	}
}

/* A leader that attacks but tells no lies: what it answers clients, before the others know of the commitment,
 * is true, and nothing is broken. */
static void test_true_answers_of_an_attacker(void **state)
{
	(void)state;
	static const char *const attacks[] = {"slow-primary", "replay"};
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		struct outcome *outcome = run_text("seed: 1\nstop: {items: 30}\nvalidators: 3\nprotocol: raft\n"
										   "network: {latency: " CONSTANT "}\nworkload: {kind: kv}\n"
										   "attacks: [{kind: %s, nodes: [0]}]\n",
			attacks[i]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

/* Just below the timeout: the view stays, and each answer comes so much later: exactly. */
static void test_slow_primary(void **state)
{
	(void)state;
	static const struct {
		const char *protocol, *delay;
		double later_s;
	} cases[] = {
		/* 1 s less four times 10 ms */
		{"pbft", "auto", .96},
		{"{kind: pbft, view_timeout: 300 ms}", "auto", .26},
		{"{kind: pbft, view_timeout: 60 ms}", "auto", .03}, /* at least half */
		{"pbft", "120 ms", .12},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char attacks[100];
		snprintf(attacks, sizeof(attacks), "[{kind: slow-primary, nodes: leader, delay: %s}]",
			cases[i].delay);
		struct outcome *outcome =
			attacked(cases[i].protocol, 4, CONSTANT, OPEN, 40, attacks, "");
		assert_safe(outcome);
		assert_true(kpi(outcome, "leader_changes") == 0);
		assert_near(kpi(outcome, "latency_mean_s"), .05 + cases[i].later_s, 1e-9);
		outcome_close(outcome);
	}
	struct outcome *outcome =
		attacked("raft", 4, CONSTANT, OPEN, 40, "[{kind: slow-primary, nodes: leader}]", "");
	assert_safe(outcome);
	assert_true(kpi(outcome, "elections") == 0);
	/* 150 ms less four times 10 ms; more where a follower has come out of step meanwhile. */
	assert_near(kpi(outcome, "latency_p50_s"), .04 + .11, .05);
	assert_true(kpi(outcome, "latency_mean_s") >= .04 + .11);
	outcome_close(outcome);
}

static void test_withholding(void **state)
{
	(void)state;
	static const struct {
		const char *protocol;
		int n, n_faulty;
	} cases[] = {{"pbft", 4, 1}, {"pbft", 7, 2}, {"raft", 5, 2}};
	for (size_t i = 0; i < 3; i++) {
		char attacks[100];
		/* The last ones: those are backups. */
		snprintf(attacks, sizeof(attacks), "[{kind: withhold, nodes: %s}]",
			cases[i].n_faulty == 1 ? "[3]"
				: cases[i].n == 7  ? "[5, 6]"
								   : "[3, 4]");
		struct outcome *outcome =
			attacked(cases[i].protocol, cases[i].n, CONSTANT, OPEN, 40, attacks, "");
		assert_safe(outcome);
		assert_true(kpi(outcome, "leader_changes") == 0);
		assert_near(kpi(outcome, "latency_mean_s"), i < 2 ? .05 : .04, 1e-9);
		outcome_close(outcome);
	}
	struct outcome *outcome = attacked("raft", 5, CONSTANT, OPEN, 40,
		"[{kind: withhold, nodes: [2, 3, 4]}]", "");
	assert_verdict(outcome, "stalled");
	assert_true(kpi(outcome, "decided") == 0);
	outcome_close(outcome);
}

/* Refused, counted, and of no effect: the silent primary is replaced all the same. */
static void test_forged_certificates(void **state)
{
	(void)state;
	struct outcome *outcome =
		pbft(7, "[{kind: silent, nodes: [0]}, {kind: forge-certificate, nodes: [3]}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "refused") >= 6); /* its view change, at each other one */
	assert_true(kpi(outcome, "leader_changes") == 1);
	outcome_close(outcome);
	/* The forger is the next primary: its new view is refused, the one after it leads. */
	outcome = pbft(7, "[{kind: silent, nodes: [0]}, {kind: forge-certificate, nodes: [1]}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "refused") >= 12);
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 59, "view"), 2);
	outcome_close(outcome);
	/* Checkpoints: its word is one vote, outvoted; the watermarks go on (60 instances, L = 10). */
	const char *small = "{kind: pbft, checkpoint_interval: 5}";
	outcome = attacked(
		small, 4, CONSTANT, OPEN, 60, "[{kind: forge-certificate, nodes: [3]}]", "");
	assert_safe(outcome);
	assert_true(kpi(outcome, "refused") == 0);
	assert_near(kpi(outcome, "latency_mean_s"), .05, 1e-9);
	outcome_close(outcome);
	/* Two such, and no checkpoint is ever stable. */
	outcome = attacked(
		small, 4, CONSTANT, OPEN, 60, "[{kind: forge-certificate, nodes: [2, 3]}]", "");
	assert_verdict(outcome, "stalled");
	outcome_close(outcome);
	/* Stale ones are true, old and useless. */
	struct outcome *none = attacked(small, 4, CONSTANT, OPEN, 60, "[]", "");
	outcome = attacked(
		small, 4, CONSTANT, OPEN, 60, "[{kind: forge-certificate, nodes: [3], stale: on}]", "");
	assert_safe(outcome);
	assert_true(kpi(outcome, "refused") == 0);
	assert_true(kpi(outcome, "messages") == kpi(none, "messages") + 11 * 3); /* 12 checkpoints */
	assert_true(kpi(outcome, "latency_mean_s") == kpi(none, "latency_mean_s"));
	outcome_close(outcome);
	outcome_close(none);
}

static void test_selective_primary(void **state)
{
	(void)state;
	/* Two of three backups are a quorum with it; the third learns by what the others tell it. */
	struct outcome *outcome = pbft(4, "[{kind: selective, nodes: [0], to: [1, 2]}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") == 0);
	outcome_close(outcome);
	outcome = pbft(4, "[{kind: selective, nodes: [0], to: [1]}]");
	assert_safe(outcome);
	assert_true(kpi(outcome, "leader_changes") == 1);
	outcome_close(outcome);
}

static void test_replay_is_harmless(void **state)
{
	(void)state;
	static const char *const protocols[] = {"none", "raft", "pbft"};
	for (int i = 0; i < 3; i++) {
		/* Constant delays and no loss: what comes again comes too late to matter. */
		struct outcome *none = attacked(protocols[i], 4, CONSTANT, OPEN, 60, "[]", "");
		struct outcome *outcome = attacked(protocols[i], 4, CONSTANT, OPEN, 60,
			"[{kind: replay, fraction: 1, probability: 0.5}]", "");
		assert_safe(none);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "messages") > 1.3 * kpi(none, "messages"));
		assert_true(kpi(outcome, "messages") < 1.8 * kpi(none, "messages"));
		assert_near(kpi(outcome, "latency_mean_s"), kpi(none, "latency_mean_s"), 1e-9);
		outcome_close(outcome);
		outcome_close(none);
		/* One of them, seen by honest ones. */
		outcome = attacked(protocols[i], 4, UNIFORM, OPEN, 60, "[{kind: replay, nodes: [0]}]", "");
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		outcome_close(outcome);
	}
}

/* Down and up at random, and honest all the same. */
static void test_crash_prone(void **state)
{
	(void)state;
	static const char *const protocols[] = {"raft", "pbft"};
	for (int i = 0; i < 2; i++) {
		struct outcome *outcome = attacked(protocols[i], 4, UNIFORM, OPEN, 200,
			"[{kind: crash-prone, nodes: [0, 2], up: 1 s, down: 300 ms, until: 8 s}]", "");
		struct outcome *none = attacked(protocols[i], 4, UNIFORM, OPEN, 200, "[]", "");
		assert_safe(outcome);
		assert_true(kpi(outcome, "latency_max_s") > kpi(none, "latency_max_s"));
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, 2, "byzantine"), 1);
		outcome_close(outcome);
		outcome_close(none);
	}
	/* All of them, but what comes back is waited for; and all come back at the end of the window. */
	static const char *const all[] = {"up: 200 ms, down: 500 ms, until: 5 s",
		"up: 200 ms, down: 100000 s, until: 5 s"};
	for (int i = 0; i < 2; i++) {
		char attacks[100];
		snprintf(attacks, sizeof(attacks), "[{kind: crash-prone, fraction: 1, %s}]", all[i]);
		struct outcome *outcome = attacked("raft", 4, UNIFORM, OPEN, 100, attacks, "");
		assert_verdict(outcome, "completed");
		outcome_close(outcome);
	}
	/* For days, and too many: their coming back is scheduled, and waited for, until the bound on terms. */
	struct outcome *outcome = attacked("raft", 4, UNIFORM, OPEN, 200,
		"[{kind: crash-prone, nodes: [0, 1, 2], up: 500 ms, down: 100000 s, until: 1000000 s}]", "");
	assert_verdict(outcome, "limit");
	outcome_close(outcome);
}

/* Whoever leads when it begins; and the same nodes by fraction under every protocol. */
static void test_who(void **state)
{
	(void)state;
	/* The first falls silent, and the second when it leads. */
	struct outcome *outcome = attacked("pbft", 7, UNIFORM, OPEN, 200,
		"[{kind: silent, nodes: leader, from: 500 ms}, {kind: silent, nodes: leader, from: 5 s}]", "");
	assert_safe(outcome);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(int_at(outcome, TABLE_VALIDATORS, i, "byzantine"), i < 2);
	}
	assert_int_equal(int_at(outcome, TABLE_DECISIONS, 199, "view"), 2);
	outcome_close(outcome);
	/* No leader at first: the first who is elected. */
	outcome = attacked("{kind: raft, initial_leader: none}", 5, UNIFORM, OPEN, 40,
		"[{kind: lying-leader, nodes: leader}]", "");
	assert_verdict(outcome, "unsafe");
	outcome_close(outcome);

	static const char *const protocols[] = {"none", "raft", "pbft"};
	int64_t seen[3][10];
	for (int p = 0; p < 3; p++) {
		outcome = attacked(
			protocols[p], 10, UNIFORM, OPEN, 10, "[{kind: slow-primary, fraction: 0.3, delay: 1 ms}]", "");
		int64_t n = 0;
		for (size_t i = 0; i < 10; i++) {
			seen[p][i] = int_at(outcome, TABLE_VALIDATORS, i, "byzantine");
			n += seen[p][i];
			assert_int_equal(seen[p][i], seen[0][i]);
		}
		assert_int_equal(n, 3);
		outcome_close(outcome);
	}
}

/* With predictions, beside attacks on these. */
static void test_with_an_application(void **state)
{
	(void)state;
	static const char *const protocols[] = {"none", "raft", "pbft"};
	for (int p = 0; p < 3; p++) {
		struct outcome *outcome = run_text("seed: 5\n"
			"stop: {items: 30}\n"
			"validators: 4\n"
			"protocol: %s\n"
			"network: {latency: " UNIFORM "}\n"
			"workload: {kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}\n"
			"predictor: {kind: linear, train: 50}\n"
			"attacks: [{kind: inflation, nodes: [1], share: 1}, {kind: silent, nodes: [3]},\n"
			"  {kind: slow-primary, nodes: [3], delay: 1 ms}]\n"
			"record: [decisions, predictions, validators]\n", protocols[p]);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "decided") == 30);
		for (size_t row = 0; row < n_rows(outcome, TABLE_DECISIONS); row++) {
			assert_true(int_at(outcome, TABLE_DECISIONS, row, "client") != 3);
		}
		for (size_t row = 0; row < n_rows(outcome, TABLE_PREDICTIONS); row++) {
			int64_t node = int_at(outcome, TABLE_PREDICTIONS, row, "node");
			double honest = real_at(outcome, TABLE_PREDICTIONS, row, "honest");
			double sent = real_at(outcome, TABLE_PREDICTIONS, row, "sent");
			assert_true(sent == (node == 1 ? 2 : 1) * honest);
			assert_true(node != 3 || int_at(outcome, TABLE_PREDICTIONS, row, "late")); /* unheard */
		}
		outcome_close(outcome);
	}
}

/* A gateway whose validator is found to be a liar is nobody's client any more, of items that wait either. */
static void test_items_leave_a_liar(void **state)
{
	(void)state;
	struct outcome *outcome = run_text("seed: 5\n"
		"stop: {items: 40}\n"
		"validators: 4\n"
		"protocol: pbft\n"
		"network: {latency: " CONSTANT "}\n"
		"workload: {kind: dimweight, arrivals: {kind: regular, rate: 100 /s}}\n"
		"predictor: {kind: linear, train: 50}\n"
		"attacks: [{kind: silent, nodes: leader, from: 205 ms}]\n"
		"record: [decisions]\n");
	assert_verdict(outcome, "completed");
	int n_of_the_leader = 0;
	for (size_t row = 0; row < n_rows(outcome, TABLE_DECISIONS); row++) {
		bool before = real_at(outcome, TABLE_DECISIONS, row, "decided_s") < .205;
		bool leader = int_at(outcome, TABLE_DECISIONS, row, "client") == 0;
		n_of_the_leader += leader;
		assert_true(before || !leader);
	}
	assert_true(n_of_the_leader > 0);
	outcome_close(outcome);
}

/* What a protocol lacks is said where the scenario names the attack. */
static void test_what_does_not_fit(void **state)
{
	(void)state;
	static const struct {
		const char *protocol, *attack, *reason;
	} cases[] = {
		{"pbft", "lying-leader, nodes: leader", "`equivocate` is what a lying leader can do"},
		{"none", "lying-leader, nodes: [0]", "`none` has no leader"},
		{"none", "silent, nodes: leader", "`none` has no leader: name the validators"},
		{"none", "withhold, nodes: [0]", "`none` has no votes"},
		{"none", "double-vote, nodes: [0]", "no votes that could be given twice"},
		{"raft", "collude, nodes: [0]", "no votes that name what they are for"},
		{"raft", "forge-certificate, nodes: [0]", "no messages that show what others have signed"},
		{"none", "slow-primary, nodes: [0]", "give a `delay`"},
		{"{kind: pbft, view_timeout: off}", "slow-primary, nodes: [0]", "give a `delay`"},
		{"pbft", "equivocate, nodes: [0], groups: [[1], [4]]", "0 to 3"},
		{"pbft", "equivocate, nodes: [0], groups: [[0], [1]]", "names the liar itself, 0"},
		{"pbft", "collude, nodes: [0], groups: [[1, 2], [3, 2]]",
			"names 2 in two groups: a validator can be told one version only"},
		{"pbft", "selective, nodes: [0], to: []", "attacks.0.to: names nobody"},
		{"pbft", "twins, nodes: [0], groups: [[1], [2], [3]]", "two groups, one for each twin"},
		{"pbft", "inflation, nodes: [0]", "attacks.0: attack `inflation` is on predictions"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[400], *said = NULL;
		size_t n_said = 0;
		int n = snprintf(text, sizeof(text),
			"validators: 4\nprotocol: %s\nworkload: requests\nattacks: [{kind: %s}]\n",
			cases[i].protocol, cases[i].attack);
		struct diagnostics *diagnostics = diagnostics_create();
		assert_null(scenario_parse(text, (size_t)n, "test.yaml", ".", NULL, 0, diagnostics));
		FILE *out = open_memstream(&said, &n_said);
		diagnostics_print(diagnostics, out);
		fclose(out);
		if (strstr(said, cases[i].reason) == NULL) {
			fail_msg("%s under %s: no '%s' in\n%s", cases[i].attack, cases[i].protocol,
				cases[i].reason, said);
		}
		free(said);
		diagnostics_destroy(diagnostics);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equivocation_in_pbft),
		cmocka_unit_test(test_one_equivocator_is_harmless_in_pbft),
		cmocka_unit_test(test_one_corrupted_proposal),
		cmocka_unit_test(test_a_lying_leader_in_raft),
		cmocka_unit_test(test_double_votes_in_raft),
		cmocka_unit_test(test_equivocation_under_none),
		cmocka_unit_test(test_silent_primary),
		cmocka_unit_test(test_liveness_returns),
		cmocka_unit_test(test_true_answers_of_an_attacker),
		cmocka_unit_test(test_liveness_after_stabilisation),
		cmocka_unit_test(test_slow_primary),
		cmocka_unit_test(test_withholding),
		cmocka_unit_test(test_forged_certificates),
		cmocka_unit_test(test_selective_primary),
		cmocka_unit_test(test_replay_is_harmless),
		cmocka_unit_test(test_crash_prone),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_with_an_application),
		cmocka_unit_test(test_items_leave_a_liar),
		cmocka_unit_test(test_what_does_not_fit),
	};
	return cmocka_run_group_tests_name("attackers", tests, NULL, NULL);
}
