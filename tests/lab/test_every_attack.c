/* What holds of every attack on nodes that there is, under every protocol that has a place for it: this walks
 * the registries, and so knows of no kind by name. */
#include "study.h"

#include "attacks/attack.h"
#include "protocols/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "{kind: KIND, nodes: NODES, KEY: ...}", with whatever the kind can't do without. */
static const char *entry(char text[200], const struct attack *attack, const char *nodes)
{
	size_t n = (size_t)snprintf(text, 200, "{kind: %s, nodes: %s", attack->plugin.name, nodes);
	for (const struct param *param = attack->plugin.params; param->name != NULL; param++) {
		if ((param->flags & PARAM_REQUIRED) != 0) {
			assert_int_equal(param->kind, PARAM_NODES);
			n += (size_t)snprintf(text + n, 200 - n, ", %s: [1, 2]", param->name);
		}
	}
	snprintf(text + n, 200 - n, "}");
	return text;
}

/* Calls `look` on each attack on nodes and each protocol. */
static void for_each_pair(void (*look)(const struct protocol *, const struct attack *))
{
	for (const struct plugin *const *p = protocol_registry.plugins; *p != NULL; p++) {
		for (const struct plugin *const *a = attack_registry.plugins; *a != NULL; a++) {
			const struct attack *attack = (const void *)*a;
			if (attack_on_nodes(attack)) {
				look((const void *)*p, attack);
			}
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
				protocol->plugin.name, n_clients[i], entry(first, attack, "[15]"),
				entry(second, attack, "[5, 6, 7, 8]"),
				shaped ? "faults: [{kind: reorder, probability: 0, delay: 5 ms, among: all}]\n" : "");
			if (study == NULL) {
				return; /* the protocol has no place for it */
			}
			outcomes[shaped] = study_run(study, 0, 0);
			n_looked_at++;
		}
		for (int k = 0; k < KPI_N; k++) {
			double a = kpi(outcomes[0], (enum kpi)k), b = kpi(outcomes[1], (enum kpi)k);
			if (k != KPI_EVENTS && memcmp(&a, &b, sizeof(a)) != 0) {
				fail_msg("%s under %s, %d clients: %s %g, with a fault that never strikes %g",
					attack->plugin.name, protocol->plugin.name, n_clients[i], kpi_columns[k].name, a, b);
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
	assert_true(kpi(outcome, KPI_DECIDED) == 20);
	outcome_close(outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_attack_nothing),
		cmocka_unit_test(test_many_clients),
	};
	return cmocka_run_group_tests_name("every attack", tests, NULL, NULL);
}
