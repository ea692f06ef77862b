/* Lies to clients, in view changes, of what is held and of terms, and predictions that are no numbers: in
 * whole runs, within what a protocol bears and beyond it. */
#include "study.h"

#include "sim/param.h"
#include "workloads/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct outcome *attacked(
	const char *protocol, const char *workload, const char *attacks, const char *more)
{
	return run_text("seed: 5\nvalidators: 4\nstop: {items: 100}\nprotocol: %s\n"
		"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\nworkload: %s\nattacks: %s\n"
		"record: [transactions]\n%s", protocol, workload, attacks, more);
}

#define REQUESTS "{kind: requests, clients: 4, arrivals: {kind: poisson, rate: 50 /s}}"
#define KV "{kind: kv, clients: 4, conflict: 0.5, arrivals: {kind: poisson, rate: 50 /s}}"

static void assert_safe(struct outcome *outcome)
{
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "safety_violations") == 0);
	outcome_close(outcome);
}

static void assert_broken(struct outcome *outcome, const char *invariants)
{
	assert_verdict(outcome, "unsafe");
	const char *first = string_at(outcome, TABLE_VIOLATIONS, 0, "invariant");
	if (strstr(invariants, first) == NULL) {
		fail_msg("%s broke, not %s", first, invariants);
	}
	outcome_close(outcome);
}

/* OSDI'99 4.1: f+1 equal replies, since f may lie alike. */
static void test_false_replies(void **state)
{
	(void)state;
	static const char *const workloads[] = {REQUESTS, KV};
	const char *one = "[{kind: false-reply, nodes: [3]}]", *two = "[{kind: false-reply, nodes: [2, 3]}]";
	for (size_t i = 0; i < 2; i++) {
		assert_safe(attacked("pbft", workloads[i], one, ""));
		assert_broken(attacked("{kind: pbft, reply_quorum: 1}", workloads[i], one, ""), "durability linearizability");
		assert_broken(attacked("pbft", workloads[i], two, ""), "durability linearizability");
		/* Colluders say the same: one by one, two of four would be harmless. */
		assert_broken(attacked("raft", workloads[i], "[{kind: false-reply, nodes: leader}]", ""),
			"durability linearizability");
		assert_safe(attacked("raft", workloads[i], one, "")); /* clients ask the leader alone */
		assert_broken(attacked("central", workloads[i], "[{kind: false-reply, nodes: [0]}]", ""),
			"durability linearizability");
	}
	/* Answers to reads that are not ordered, and tentative ones: of a quorum. */
	assert_safe(attacked("{kind: pbft, read_only: on, tentative: on}", KV, one, ""));
	assert_broken(attacked("{kind: raft, reads: index}", KV, "[{kind: false-reply, nodes: [0]}]", ""),
		"durability linearizability");
}

/* How many transactions of a client, by its column, were ever ordered. */
static unsigned n_ordered(const struct outcome *outcome, int64_t client)
{
	unsigned n = 0;
	for (size_t row = 0; row < n_rows(outcome, TABLE_TRANSACTIONS); row++) {
		n += int_at(outcome, TABLE_TRANSACTIONS, row, "client") == client &&
			!isnan(real_at(outcome, TABLE_TRANSACTIONS, row, "ordered_s"));
	}
	return n;
}

static void test_censors(void **state)
{
	(void)state;
	const char *of_1 = "[{kind: censor, nodes: [0], of: [client 1]}]";
	/* The client asks all, the others wait for the request in vain, and the primary loses its view. */
	struct outcome *pbft = attacked("pbft", REQUESTS, of_1, "");
	assert_verdict(pbft, "completed");
	assert_true(kpi(pbft, "leader_changes") == 1);
	outcome_close(pbft);
	/* A backup that does so is not even noticed. */
	struct outcome *backup = attacked("pbft", REQUESTS, "[{kind: censor, nodes: [3], of: [client 1]}]", "");
	assert_true(kpi(backup, "leader_changes") == 0);
	assert_safe(backup);
	/* Elsewhere nobody else can be asked. */
	static const char *const protocols[] = {"raft", "central"};
	for (size_t i = 0; i < 2; i++) {
		struct outcome *outcome = attacked(protocols[i], REQUESTS, of_1, "");
		assert_verdict(outcome, "stalled");
		assert_true(kpi(outcome, "decided") == 75);
		assert_int_equal(n_ordered(outcome, 1), 0);
		assert_int_equal(n_ordered(outcome, 2), 25);
		outcome_close(outcome);
	}
	struct outcome *item = attacked("raft", REQUESTS, "[{kind: censor, nodes: [0], item: 42}]", "");
	assert_true(kpi(item, "decided") == 99);
	outcome_close(item);
	/* A gateway's predictions: each item closes without them. */
	struct outcome *gateway = attacked("raft",
		"{kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}\npredictor: {kind: linear, train: 50}",
		"[{kind: censor, nodes: [0], of: [2]}]", "");
	assert_true(kpi(gateway, "decided") == 100);
	assert_int_equal(n_ordered(gateway, 2), 0);
	assert_true(n_ordered(gateway, 1) >= 100);
	outcome_close(gateway);
}

/* Validator 2 commits what 3 has not heard of, by the votes of 0 and 1, and is cut off then; 0, 1 and 3
 * change the view, three times, until 3 leads. Who has prepared it and hides that is 1 alone, or 0 and 1: only
 * then nobody tells. */
#define CAMPAIGN(at, node) "  - {kind: step, at: " at " ms, action: campaign, node: [" node "]}\n"
#define CAMPAIGNS(at) CAMPAIGN(at, "0") CAMPAIGN(at, "1") CAMPAIGN(at, "3")
#define CUT_OFF                                                                                                \
	"faults:\n  - {kind: isolate, nodes: [3], until: 1 s}\n  - {kind: isolate, nodes: [2], from: 1 s, until: 3 s}\n" \
	CAMPAIGNS("1100") CAMPAIGNS("1101") CAMPAIGNS("1102")

static void test_hidden_certificates(void **state)
{
	(void)state;
	assert_safe(attacked("pbft", REQUESTS, "[]", CUT_OFF));
	assert_safe(attacked("pbft", REQUESTS, "[{kind: bend-certificate, nodes: [1]}]", CUT_OFF));
	assert_safe(attacked("pbft", REQUESTS, "[{kind: bend-certificate, nodes: [0]}]", CUT_OFF));
	assert_broken(attacked("pbft", REQUESTS, "[{kind: bend-certificate, nodes: [0, 1]}]", CUT_OFF), "agreement");
}

/* The primary-to-be tells each another V, or of an older checkpoint. */
static void test_other_new_views(void **state)
{
	(void)state;
	static const char *const lies[] = {"how: older", "how: split", "how: split, groups: [[0], [2], [3]]"};
	for (size_t i = 0; i < 3; i++) {
		char attacks[120];
		snprintf(attacks, sizeof(attacks), "[{kind: bend-certificate, nodes: [1], %s}]", lies[i]);
		struct outcome *outcome = attacked("{kind: pbft, checkpoint_interval: 10}", REQUESTS, attacks,
			"faults:\n  - {kind: step, at: 1 s, action: campaign, node: [2]}\n"
			"  - {kind: step, at: 1 s, action: campaign, node: [3]}\n");
		assert_true(kpi(outcome, "leader_changes") >= 1);
		assert_safe(outcome);
	}
}

/* One that calls for view after view is not followed; f+1 are. */
static void test_campaigns(void **state)
{
	(void)state;
	struct outcome *one = attacked("pbft", REQUESTS, "[{kind: campaign, nodes: [3]}]", "");
	assert_true(kpi(one, "leader_changes") == 0);
	assert_safe(one);
	struct outcome *two = attacked("pbft", REQUESTS, "[{kind: campaign, nodes: [2, 3], ahead: 1000000}]", "");
	assert_true(kpi(two, "leader_changes") > 10);
	assert_safe(two);
}

/* A term that is a liar's: nobody leads for long while it talks, whatever the number. */
static void test_inflated_terms(void **state)
{
	(void)state;
	static const char *const by[] = {"1", "4294967295"};
	for (size_t i = 0; i < 2; i++) {
		char attacks[100];
		snprintf(attacks, sizeof(attacks), "[{kind: inflate-term, nodes: [3], by: %s, until: 2 s}]", by[i]);
		struct outcome *outcome = attacked("raft", REQUESTS, attacks, "");
		assert_true(kpi(outcome, "leader_changes") >= 1);
		assert_safe(outcome);
	}
	struct outcome *always = attacked("raft", REQUESTS, "[{kind: inflate-term, nodes: [3]}]", "");
	assert_verdict(always, "stalled");
	outcome_close(always);
}

/* What two of four acknowledge falsely is committed with the leader's copy alone, which is then lost. */
static void test_false_acknowledgements(void **state)
{
	(void)state;
	const char *lost = "faults:\n  - {kind: loss, probability: 0.3}\n"
					   "  - {kind: crash, nodes: leader, from: 1 s, until: 3 s}\n";
	unsigned n_unsafe = 0;
	for (int liars = 0; liars < 2; liars++) {
		for (unsigned seed = 1; seed <= 20; seed++) {
			struct outcome *outcome = run_text("seed: %u\nvalidators: 4\nstop: {items: 100}\nprotocol: raft\n"
				"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\nworkload: " REQUESTS "\nattacks: %s\n%s",
				seed, liars ? "[{kind: false-ack, nodes: [2, 3]}]" : "[]", lost);
			bool is_unsafe = strcmp(outcome->summary.verdict, "unsafe") == 0;
			assert_true(liars || !is_unsafe);
			n_unsafe += is_unsafe;
			outcome_close(outcome);
		}
	}
	assert_true(n_unsafe > 0);
}

/* MACs that hold for some only: who refuses a message has paid for it, and learns from the others. */
static void test_bad_macs(void **state)
{
	(void)state;
	const char *macs = "{kind: pbft, authentication: macs}";
	struct outcome *one = attacked(macs, REQUESTS, "[{kind: bad-macs, nodes: [0], to: [3]}]", "");
	assert_true(kpi(one, "refused") > 100 && kpi(one, "leader_changes") == 0);
	assert_safe(one);
	/* Without the primary's proposals two of four have no quorum; the view changes, which is signed. */
	struct outcome *two = attacked(macs, REQUESTS, "[{kind: bad-macs, nodes: [0], to: [2, 3]}]", "");
	assert_true(kpi(two, "leader_changes") == 1);
	assert_safe(two);
}

/* Under every scorer and aggregator: no decision is touched, and each such prediction is refused. */
static void no_number(const char *scorer, const char *aggregator)
{
	static const char *const values[] = {"nan", "inf", "-inf"};
	for (size_t i = 0; i < 3; i++) {
		struct study *study = study_try("seed: 5\nvalidators: 9\nstop: {items: 20}\nprotocol: raft\n"
			"workload: {kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}\n"
			"predictor: {kind: linear, train: 50}\nscorer: %s\naggregator: %s\nrecord: [transactions]\n"
			"attacks: [{kind: not-a-number, nodes: [1, 4], value: %s}]\n", scorer, aggregator, values[i]);
		if (study == NULL) {
			return; /* the rule needs more than its name */
		}
		struct outcome *outcome = study_run(study, 0, 0);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "false_accept_rate") == 0);
		if (kpi(outcome, "decided") > 0) {
			assert_true(isfinite(kpi(outcome, "mae")) && kpi(outcome, "mae") < 10);
		}
		unsigned n_refused = 0;
		for (size_t row = 0; row < n_rows(outcome, TABLE_TRANSACTIONS); row++) {
			n_refused += strcmp(string_at(outcome, TABLE_TRANSACTIONS, row, "reject"), "not-finite") == 0;
		}
		assert_int_equal(n_refused, 40);
		outcome_close(outcome);
	}
}

static void test_no_numbers(void **state)
{
	(void)state;
	for (const struct plugin *const *scorer = scorer_registry.plugins; *scorer != NULL; scorer++) {
		no_number((*scorer)->name, "mean");
	}
	for (const struct plugin *const *rule = aggregator_registry.plugins; *rule != NULL; rule++) {
		no_number("none", (*rule)->name);
	}
}

static void refused(const char *protocol, const char *workload, const char *attack, const char *reason)
{
	char text[400], *said = NULL;
	size_t n_said = 0;
	int n = snprintf(text, sizeof(text), "validators: 4\nprotocol: %s\nworkload: %s\nattacks: [{kind: %s}]\n",
		protocol, workload, attack);
	struct diagnostics *diagnostics = diagnostics_create();
	assert_null(scenario_parse(text, (size_t)n, "test.yaml", ".", NULL, 0, diagnostics));
	FILE *out = open_memstream(&said, &n_said);
	diagnostics_print(diagnostics, out);
	fclose(out);
	if (strstr(said, reason) == NULL) {
		fail_msg("%s under %s: no '%s' in\n%s", attack, protocol, reason, said);
	}
	free(said);
	diagnostics_destroy(diagnostics);
}

static void test_what_does_not_fit(void **state)
{
	(void)state;
	const char *parcels = "{kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}\n"
						  "predictor: {kind: linear, train: 50}";
	refused("pbft", parcels, "false-reply, nodes: [0]", "needs clients who are told results");
	refused("pbft", REQUESTS, "false-ack, nodes: [0]", "no answers that say what their sender holds");
	refused("pbft", REQUESTS, "inflate-term, nodes: [0]", "no terms that are taken over");
	refused("raft", REQUESTS, "bend-certificate, nodes: [0]", "no certificates of which a part could be left out");
	refused("raft", REQUESTS, "campaign, nodes: [0]", "no views that anyone could call for");
	refused("pbft", REQUESTS, "bad-macs, nodes: [0], to: [1]", "no MACs (PBFT has them with `authentication: macs`)");
	refused("pbft", REQUESTS, "censor, nodes: [0]", "attacks.0.of must be given, or else `item`");
	refused("pbft", REQUESTS, "censor, nodes: [0], of: [1]", "names validator 1, who asks for nothing here");
	refused("pbft", REQUESTS, "censor, nodes: [0], of: [client 4]", "names client 4, and the last is client 3");
	refused("pbft", parcels, "censor, nodes: [0], of: [client 0]", "here gateways are the clients");
	refused("pbft", REQUESTS, "not-a-number, nodes: [0]", "is on predictions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_false_replies),
		cmocka_unit_test(test_censors),
		cmocka_unit_test(test_hidden_certificates),
		cmocka_unit_test(test_other_new_views),
		cmocka_unit_test(test_campaigns),
		cmocka_unit_test(test_inflated_terms),
		cmocka_unit_test(test_false_acknowledgements),
		cmocka_unit_test(test_bad_macs),
		cmocka_unit_test(test_no_numbers),
		cmocka_unit_test(test_what_does_not_fit),
	};
	return cmocka_run_group_tests_name("deceits", tests, NULL, NULL);
}
