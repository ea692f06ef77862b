/* What only PBFT counts. */
#include "pbft.h"

#include "results/kpi.h"

#include <math.h>

static double fast_commits(const struct measured *run)
{
	uint64_t n_fast = 0, n_nodes = 0;
	for (uint32_t i = 0; i < run->n_validators; i++) {
		const struct node *node = &run->nodes[i];
		if (!node->byzantine && !node->crashes) {
			n_fast += pbft_of(node)->n_fast;
			n_nodes++;
		}
	}
	return n_nodes > 0 ? (double)n_fast / (double)n_nodes : (double)NAN;
}

const struct kpi_table pbft_kpis[] = {{
	.kpis = (const struct kpi[]){
		{.name = "fast_commits",
			.label = "instances committed fast",
			.sort = SORT_VALUE,
			.more_is_better = true,
			.value = fast_commits,
			.help = "instances that a validator committed by the fast path, mean over honest live validators"},
		{0}},
	.everywhere = true,
	.after = "proposals_refused",
}, {0}};
