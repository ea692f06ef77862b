/* Service that stops and comes back. */
#include "items.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "measure/windows.h"
#include "outages.h"

/* In how many windows was work outstanding, and in how many of these was an item accepted? Items lie in
 * order of arrival, so that their windows' union is counted in one pass; each window with an acceptance has
 * had that item's work. */
static double availability(const struct measured *run)
{
	const struct lab *lab = run->lab;
	const struct measure *measure = lab->measure;
	int64_t n_work = 0, n_accepted = measure->n_windows_accepted;
	int64_t counted = -1; /* the last window counted */
	sim_time end = lab->world.now;
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		int64_t first = window_within(lab, item->arrived);
		int64_t last = window_within(lab, item->accepted ? item->decided : end);
		first = first > counted ? first : counted + 1;
		if (last >= first) {
			n_work += last - first + 1;
			counted = last;
		}
	}
	/* The last acceptance may be at the very end, and another in the same window. */
	if (n_accepted > 1 && window_within(lab, lab->items->last_acceptance) == measure->window_accepted_before) {
		n_accepted--;
	}
	return ratio((double)n_accepted, (double)n_work);
}

static double outage_max(const struct measured *run)
{
	return outages_longest_s(run->lab);
}

static double recovered(const struct measured *run)
{
	return outages_recovered_s(run->lab);
}

static double recovery(const struct measured *run)
{
	return outages_recovery_s(run->lab);
}

const struct kpi_table outage_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "availability",
			.label = "availability",
			.sort = SORT_SHARE,
			.more_is_better = true,
			.value = availability,
			.help = "of the windows (`series.window`) with work outstanding, the share with an acceptance"},
		{.name = "outage_max_s",
			.label = "longest outage",
			.sort = SORT_TIME,
			.value = outage_max,
			.help = "longest time with work outstanding and no acceptance"},
		{.name = "recovered_s",
			.label = "time until service is back",
			.sort = SORT_TIME,
			.value = recovered,
			.help = "mean, over the faults that caused a gap in service, of the time from the fault's beginning "
					"to the first acceptance after the gap"},
		{.name = "recovery_s",
			.label = "time to recover",
			.sort = SORT_TIME,
			.value = recovery,
			.help = "mean time from a fault's end until the next acceptance"},
		{0}},
};
