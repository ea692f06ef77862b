/* What the run took. */
#include "measure/kpis.h"

static double events(const struct measured *run)
{
	return (double)run->lab->world.events;
}

static double simulated(const struct measured *run)
{
	return sim_time_to_s(run->lab->world.now);
}

const struct kpi_table work_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "events", .label = "events", .sort = SORT_COUNT, .value = events, .help = "events executed"},
		{.name = "simulated_s",
			.label = "simulated time",
			.sort = SORT_TIME,
			.value = simulated,
			.help = "simulated time at the end"},
		{0}},
};
