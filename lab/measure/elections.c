/* Who leads, and what it takes to find somebody. */
#include "measure/kpis.h"
#include "measure/measure.h"
#include "watch.h"

static double leader_changes(const struct measured *run)
{
	return (double)run->lab->watch->terms.n_changes;
}

static double elections(const struct measured *run)
{
	return (double)run->lab->watch->terms.n_elections;
}

static double split_votes(const struct measured *run)
{
	return (double)terms_split(&run->lab->watch->terms);
}

static double election_mean(const struct measured *run)
{
	return samples_mean_s(&run->lab->measure->elections);
}

const struct kpi_table leader_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "leader_changes",
			.label = "leader changes",
			.sort = SORT_COUNT,
			.shown = {.heading = "leaders+", .decimals = 1, .not_zero = true},
			.value = leader_changes,
			.help = "views or terms led because the leader before was left: no turns of a lead that goes round"},
		{.name = "elections",
			.label = "elections",
			.sort = SORT_COUNT,
			.value = elections,
			.help = "terms with at least one candidate"},
		{.name = "split_votes",
			.label = "split votes",
			.sort = SORT_COUNT,
			.value = split_votes,
			.help = "of these, those that ended without a leader"},
		{.name = "election_mean_s",
			.label = "mean time to elect",
			.sort = SORT_TIME,
			.value = election_mean,
			.help = "mean time from a leader's failure (or time 0 without an initial leader) to the next leader"},
		{0}},
};
