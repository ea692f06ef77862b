/* What holds of every attack that there is, under every protocol that has a place for it: this walks the
 * registries, and so knows of no kind by name. */
#include "study.h"

#include "attacks/attack.h"
#include "protocols/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "{kind: KIND, nodes: NODES, KEY: ...}", with whatever the kind can't do without. */
static const char *entry(
	char text[200], const struct attack *attack, const char *nodes, const char *more)
{
	size_t n = (size_t)snprintf(text, 200, "{kind: %s, nodes: %s", attack->plugin.name, nodes);
	for (const struct param *param = attack->plugin.params; param->name != NULL; param++) {
		if ((param->flags & PARAM_REQUIRED) != 0) {
			const char *value = param->kind == PARAM_NODES ? "[1, 2]"
				: param->kind == PARAM_STRING               ? "ln_density"
															: "1";
			n += (size_t)snprintf(text + n, 200 - n, ", %s: %s", param->name, value);
		} else if ((param->flags & PARAM_CLIENTS) != 0) {
			n += (size_t)snprintf(text + n, 200 - n, ", %s: [client 1]", param->name);
		}
	}
	snprintf(text + n, 200 - n, "%s}", more);
	return text;
}

/* Calls `look` on each attack and each protocol. */
static void for_each_pair(void (*look)(const struct protocol *, const struct attack *))
{
	for (const struct plugin *const *p = protocol_registry.plugins; *p != NULL; p++) {
		for (const struct plugin *const *a = attack_registry.plugins; *a != NULL; a++) {
			look((const void *)*p, (const void *)*a);
		}
	}
}

/* Clients have numbers from n on, and attack nothing: where some fault has what they send looked at, they are
 * not taken for the attackers of the same list one further on. Of clients 16 to 19 that is the next attack's
 * list, of more of them whatever stands behind. */
static unsigned n_looked_at;

static void clients_attack_nothing(const struct protocol *protocol, const struct attack *attack)
{
	static const int n_clients[] = {4, 21};
	char first[200], second[200];
	for (size_t i = 0; i < 2; i++) {
		struct outcome *outcomes[2];
		for (int shaped = 0; shaped < 2; shaped++) {
			struct study *study = study_try("validators: 16\nprotocol: %s\nstop: {items: 40, time: 20 s}\n"
				"network: {latency: {kind: uniform, min: 5 ms, max: 15 ms}}\n"
				"workload: {kind: requests, clients: %d}\nattacks:\n  - %s\n  - %s\n%s",
				protocol->plugin.name, n_clients[i], entry(first, attack, "[15]", ""),
				entry(second, attack, "[5, 6, 7, 8]", ""),
				shaped ? "faults: [{kind: reorder, probability: 0, delay: 5 ms, among: all}]\n" : "");
			if (study == NULL) {
				return; /* the protocol has no place for it */
			}
			outcomes[shaped] = study_run(study, 0, 0);
			n_looked_at++;
		}
		const struct kpi_list *kpis = &outcomes[0]->study->schemas.kpis;
		for (size_t k = 0; k < kpis->n; k++) {
			double a = outcomes[0]->summary.kpis[k], b = outcomes[1]->summary.kpis[k];
			/* One has a fault from which a long wait is counted. */
			bool differs = strcmp(kpis->kpis[k]->name, "events") == 0 ||
				strcmp(kpis->kpis[k]->name, "recovered_s") == 0;
			if (!differs && memcmp(&a, &b, sizeof(a)) != 0) {
				fail_msg("%s under %s, %d clients: %s %g, with a fault that never strikes %g",
					attack->plugin.name, protocol->plugin.name, n_clients[i], kpis->kpis[k]->name, a, b);
			}
		}
		assert_string_equal(outcomes[0]->summary.verdict, outcomes[1]->summary.verdict);
		outcome_close(outcomes[0]);
		outcome_close(outcomes[1]);
	}
}

static void test_clients_attack_nothing(void **state)
{
	(void)state;
	n_looked_at = 0;
	for_each_pair(clients_attack_nothing);
	assert_true(n_looked_at > 80);
}

/* A client further on than all arrays of validators: this one died of it. */
static void test_many_clients(void **state)
{
	(void)state;
	struct outcome *outcome = run_text("validators: 64\nprotocol: pbft\nstop: {items: 20}\n"
		"workload: {kind: requests, clients: 8}\nattacks: [{kind: replay, nodes: [56, 63, 8]}]\n"
		"faults: [{kind: duplicate, probability: 0.1, among: all}]\n");
	assert_verdict(outcome, "completed");
	assert_true(kpi(outcome, "decided") == 20);
	outcome_close(outcome);
}

/* A run of 40 items under one attack; NULL: it does not fit. */
static struct outcome *attacked(const struct protocol *protocol, const char *attacks, const char *latency,
	bool predicts, const char *more)
{
	struct study *study = study_try("seed: 7\nvalidators: 4\nprotocol: %s\nstop: {items: 40, time: 60 s}\n"
		"network: {latency: {kind: %s}}\nworkload: %s\nattacks: %s\nrecord: [decisions]\n%s",
		protocol->plugin.name, latency,
		predicts ? "{kind: dimweight, arrivals: {kind: regular, rate: 20 /s}}\n"
				   "predictor: {kind: linear, train: 50}"
				 : "{kind: requests, clients: 4, arrivals: {kind: regular, rate: 20 /s}}",
		attacks, more);
	return study == NULL ? NULL : study_run(study, 0, 0);
}

/* Outside of its window an attacker behaves: its clients see the same to the nanosecond, and mostly all events
 * are the same. (A twin's second computes, unheard.) */
static unsigned n_same;

static void behaves_outside(const struct protocol *protocol, const struct attack *attack)
{
	static const char *const latencies[] = {"constant, value: 10 ms", "uniform, min: 5 ms, max: 15 ms"};
	bool predicts = attack_on_predictions(attack);
	for (size_t i = 0; i < 2; i++) {
		char text[202], one[200];
		snprintf(text, sizeof(text), "[%s]", entry(one, attack, "[0]", ", from: 1000 s"));
		struct outcome *outcome = attacked(protocol, text, latencies[i], predicts, "");
		if (outcome == NULL) {
			return;
		}
		struct outcome *none = attacked(protocol, "[]", latencies[i], predicts, "");
		n_looked_at++;
		/* The end does not wait until the attacker, too, has heard of all; and where somebody may be lied to,
		 * servers may repeat themselves when they are idle. */
		static const char *const same[] = {"items", "decided", "latency_mean_s", "latency_sd_s", "latency_max_s",
			"throughput_per_s", "leader_changes", "safety_violations"};
		for (size_t k = 0; k < sizeof(same) / sizeof(same[0]); k++) {
			double a = kpi(outcome, same[k]), b = kpi(none, same[k]);
			if (memcmp(&a, &b, sizeof(a)) != 0) {
				fail_msg("%s under %s, %s: %s %g, without it %g", attack->plugin.name, protocol->plugin.name,
					latencies[i], same[k], a, b);
			}
		}
		n_same += strcmp(outcome->summary.digest, none->summary.digest) == 0;
		outcome_close(outcome);
		outcome_close(none);
	}
}

static void test_behaves_outside(void **state)
{
	(void)state;
	n_looked_at = n_same = 0;
	for_each_pair(behaves_outside);
	assert_true(n_looked_at > 200 && n_same > n_looked_at / 2);
}

/* And within it, it is the same each time; on a processor that has a queue, too. */
static void repeats(const struct protocol *protocol, const struct attack *attack)
{
	static const char *const more[] = {"", "node: {send: 10 us, receive: 10 us}\n"};
	for (size_t i = 0; i < 2; i++) {
		char text[202], one[200];
		snprintf(text, sizeof(text), "[%s]", entry(one, attack, "[0, 3]", ""));
		struct outcome *outcomes[2];
		for (int k = 0; k < 2; k++) {
			outcomes[k] = attacked(protocol, text, "uniform, min: 5 ms, max: 15 ms",
				attack_on_predictions(attack), more[i]);
			if (outcomes[k] == NULL) {
				return;
			}
		}
		n_looked_at++;
		assert_string_equal(outcomes[0]->summary.digest, outcomes[1]->summary.digest);
		outcome_close(outcomes[0]);
		outcome_close(outcomes[1]);
	}
}

static void test_repeats(void **state)
{
	(void)state;
	n_looked_at = 0;
	for_each_pair(repeats);
	assert_true(n_looked_at > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_attack_nothing),
		cmocka_unit_test(test_many_clients),
		cmocka_unit_test(test_behaves_outside),
		cmocka_unit_test(test_repeats),
	};
	return cmocka_run_group_tests_name("every attack", tests, NULL, NULL);
}
