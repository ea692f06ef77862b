/* Attacks on commands: what attackers' clients and gateways submit is another's. */
#include "study.h"

#include "attacks/attack.h"
#include "workloads/app.h"

#include <string.h>

#define SHARED_KEY 0

/* The key that all share instead of the client's own. */
static bool to_the_shared_key(const void *settings, const struct alter_view *view, struct command *command)
{
	(void)settings;
	assert_string_equal(view->app->plugin.name, "kv");
	bool other = command->subject != SHARED_KEY;
	command->subject = SHARED_KEY;
	return other;
}

static const struct attack attack_shared_key = {.plugin = {.name = "shared-key"}, .alter = to_the_shared_key};

/* Puts the attack in the place of one that a scenario has named, with that one's who and when. */
static void plant(const struct study *study, const struct attack *attack)
{
	const struct plugin_list *attacks = &scenario_point(study->file, 0)->attacks;
	assert_int_equal(attacks->n, 1);
	((struct plugin_value *)(uintptr_t)attacks->values)[0].plugin = &attack->plugin;
}

static struct study *open_kv(const char *more)
{
	return study_open("seed: 1\nvalidators: 4\nprotocol: pbft\nstop: {items: 80}\nrecord: [transactions]\n"
					  "network: {latency: {kind: constant, value: 1 ms}}\n"
					  "workload: {kind: kv, clients: 8, keys: 4, reads: 0.5}\n"
					  "attacks: [{kind: silent, nodes: [1]%s}]\n",
		more);
}

/* Those of clients 1 and 5, who sit with validator 1, go to the shared key; nobody else's do, and none before or
 * after the attack. */
static void test_clients_of_an_attacker(void **state)
{
	(void)state;
	static const char *const windows[] = {"", ", from: 1000 s"};
	for (int i = 0; i < 2; i++) {
		struct study *study = open_kv(windows[i]);
		plant(study, &attack_shared_key);
		struct outcome *outcome = study_run(study, 0, 0);
		assert_verdict(outcome, "completed");
		assert_true(kpi(outcome, "safety_violations") == 0);
		size_t n_altered = 0;
		for (size_t row = 0; row < n_rows(outcome, TABLE_TRANSACTIONS); row++) {
			bool attackers = int_at(outcome, TABLE_TRANSACTIONS, row, "client") % 4 == 1;
			bool altered = int_at(outcome, TABLE_TRANSACTIONS, row, "key") == SHARED_KEY;
			assert_true(altered == (attackers && i == 0));
			n_altered += altered;
		}
		assert_true(i == 1 || n_altered >= 10);
		outcome_destroy(outcome);
		study_close(study);
	}
}

/* Ten times what its validator has said. */
static bool tenfold(const void *settings, const struct alter_view *view, struct command *command)
{
	(void)settings, (void)view;
	if (strcmp(view->app->commands[command->kind].name, "prediction") != 0) {
		return false;
	}
	command->argument.real[0] *= 10;
	return true;
}

static const struct attack attack_tenfold = {.plugin = {.name = "tenfold"}, .alter = tenfold};

/* A gateway's prediction is a command like others: the scorer finds it as it is submitted. */
static void test_gateway_of_an_attacker(void **state)
{
	(void)state;
	struct study *study = study_open(
		"seed: 1\nvalidators: 4\nprotocol: central\nstop: {items: 20}\nrecord: [validators]\n"
		"network: {latency: {kind: constant, value: 1 ms}}\n"
		"workload: {kind: dimweight, quorum: 4}\npredictor: {kind: linear, train: 200}\nscorer: mad\n"
		"attacks: [{kind: silent, nodes: [2]}]\n");
	plant(study, &attack_tenfold);
	struct outcome *outcome = study_run(study, 0, 0);
	assert_verdict(outcome, "completed");
	assert_int_equal(int_at(outcome, TABLE_VALIDATORS, 2, "rejected"), 20);
	assert_true(int_at(outcome, TABLE_VALIDATORS, 1, "accepted") > 15);
	outcome_destroy(outcome);
	study_close(study);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_of_an_attacker),
		cmocka_unit_test(test_gateway_of_an_attacker),
	};
	return cmocka_run_group_tests_name("alter", tests, NULL, NULL);
}
