/* What the run took. */
#include "measure/kpis.h"
#include "transactions.h"

static double events(const struct measured *run)
{
	return (double)run->lab->world.events;
}

static double simulated(const struct measured *run)
{
	return sim_time_to_s(run->lab->world.now);
}

static double proposals_refused(const struct measured *run)
{
	const struct transactions *transactions = run->lab->transactions;
	return ratio((double)transactions->n_refused, (double)transactions->n_judged);
}

const struct kpi_table work_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "events", .label = "events", .sort = SORT_COUNT, .value = events, .help = "events executed"},
		{.name = "simulated_s",
			.label = "simulated time",
			.sort = SORT_TIME,
			.value = simulated,
			.help = "simulated time at the end"},
		{.name = "proposals_refused",
			.label = "proposals refused",
			.sort = SORT_SHARE,
			.value = proposals_refused,
			.help = "under `validation`: share of the proposed values that so many validators refused that no "
					"quorum was left"},
		{0}},
};
