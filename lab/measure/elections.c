/* Who leads, and what it takes to find somebody. */
#include "measure/kpis.h"
#include "measure/measure.h"
#include "watch.h"

static double leader_changes(const struct measured *run)
{
	uint64_t n = run->lab->watch->n_led;
	return n > 0 ? (double)(n - 1) : 0;
}

static double elections(const struct measured *run)
{
	const struct watch *watch = run->lab->watch;
	uint64_t n = 0;
	for (size_t t = 0; t < watch->n_terms; t++) {
		n += watch->terms[t].candidate;
	}
	return (double)n;
}

/* A term that is still open at the end has not been split. */
static double split_votes(const struct measured *run)
{
	const struct watch *watch = run->lab->watch;
	uint64_t n = 0;
	for (size_t t = 0; t + 1 < watch->n_terms; t++) {
		n += watch->terms[t].candidate && watch->terms[t].leader == NODE_NONE;
	}
	return (double)n;
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
			.help = "views or terms led after the first"},
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
