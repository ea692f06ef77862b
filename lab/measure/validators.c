/* A row a validator: /validators. */
#include "lab.h"
#include "measure/who_attacks.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "replicas.h"
#include "outside.h"

void validators_table(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		struct app_standing standing = {
			.score_mean = real_nan(), .reputation = real_nan(), .reward = real_nan()};
		if (lab->app->standing != NULL) {
			lab->app->standing(lab->outside, lab->outside->state, i, &standing);
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->number.run},
			{.integer = i},
			{.integer = node->byzantine || is_attacker(lab, i)},
			{.integer = (int64_t)replica_of(lab, i)->n_committed},
			{.integer = standing.accepted},
			{.integer = standing.rejected},
			{.real = standing.score_mean},
			{.real = standing.reputation},
			{.real = standing.reward},
			{.integer = (int64_t)node->messages_sent},
			{.integer = (int64_t)node->bytes_sent},
			{.real = sim_time_to_s(node->busy_ns)},
		};
		measure_row(lab, TABLE_VALIDATORS, cells);
	}
}
