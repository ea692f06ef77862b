/* How long instances take to be committed. */
#include "measure/kpis.h"
#include "measure/measure.h"
#include "watch.h"

static double commit_mean(const struct measured *run)
{
	return samples_mean_s(&run->lab->measure->commits);
}

static double commit_p50(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->commits, .5);
}

static double commit_p99(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->commits, .99);
}

static double proposer_commit_mean(const struct measured *run)
{
	return samples_mean_s(&run->lab->measure->proposer_commits);
}

static double instances(const struct measured *run)
{
	return (double)run->lab->watch->n_committed;
}

const struct kpi_table agreement_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "commit_mean_s",
			.label = "mean time to commit",
			.sort = SORT_TIME,
			.shown = {.heading = "commit ms", .scale = 1e3, .decimals = 3},
			.value = commit_mean,
			.help = "mean time from the proposer sending its proposal until n-f validators have committed it"},
		{.name = "commit_p50_s",
			.label = "median time to commit",
			.sort = SORT_TIME,
			.value = commit_p50,
			.help = "its median over instances"},
		{.name = "commit_p99_s",
			.label = "time to commit, 99th percentile",
			.sort = SORT_TIME,
			.value = commit_p99,
			.help = "its 99 % quantile over instances"},
		{.name = "proposer_commit_mean_s",
			.label = "proposer's mean time to commit",
			.sort = SORT_TIME,
			.value = proposer_commit_mean,
			.help = "mean time from the proposer sending its proposal until it has committed it itself"},
		{.name = "instances",
			.label = "instances",
			.sort = SORT_COUNT,
			.value = instances,
			.help = "instances that some validator has committed"},
		{0}},
};
