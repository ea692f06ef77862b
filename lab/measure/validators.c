/* A row a validator: /validators. */
#include "lab.h"
#include "measure/attackers.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "members.h"
#include "replicas.h"
#include "scores.h"

/* Logs are equal; the first live honest validator speaks for all, or else the first. */
static double reputation(const struct lab *lab, uint32_t of)
{
	uint32_t at = 0;
	if (lab->app->has_clients) {
		return real_nan();
	}
	while (at < lab->world.n_validators &&
		!(lab_serves(lab, at) && lab_counts(&lab->world.nodes[at]))) {
		at++;
	}
	return application_reputation(
		replica_of(lab, at < lab->world.n_validators ? at : 0)->application, of);
}

void validators_table(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		const struct validator_counts *counts = 
			lab->scores == NULL ? &(struct validator_counts){0} : &lab->scores->validators[i];
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = i},
			{.integer = node->byzantine || is_attacker(lab, i)},
			{.integer = (int64_t)replica_of(lab, i)->n_committed},
			{.integer = (int64_t)counts->accepted},
			{.integer = (int64_t)counts->rejected},
			{.real = ratio(counts->score_sum, (double)counts->n_scores)},
			{.real = reputation(lab, i)},
			{.real = real_nan()},
			{.integer = (int64_t)node->messages_sent},
			{.integer = (int64_t)node->bytes_sent},
			{.real = sim_time_to_s(node->busy_ns)},
		};
		measure_row(lab, TABLE_VALIDATORS, cells);
	}
}
