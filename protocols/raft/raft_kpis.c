/* What only Raft counts. */
#include "raft.h"

#include "results/kpi.h"

static double membership_given_up(const struct measured *run)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < run->n_validators; i++) {
		n += raft_of(&run->nodes[i])->n_changes_given_up;
	}
	return (double)n;
}

const struct kpi_table raft_kpis[] = {{
	.kpis = (const struct kpi[]){
		{.name = "membership_given_up",
			.label = "membership changes given up",
			.sort = SORT_COUNT,
			.value = membership_given_up,
			.help = "membership changes that a leader had begun and did not carry to their end"},
		{0}},
	.everywhere = true,
	.after = "steps_refused",
}, {0}};
