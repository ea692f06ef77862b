/* What clients get: items, throughput, latency. */
#include "items.h"
#include "measure/kpis.h"
#include "measure/measure.h"

static double items(const struct measured *run)
{
	return (double)run->lab->items->n;
}

static double decided(const struct measured *run)
{
	return (double)run->lab->items->n_decided;
}

static double undecided(const struct measured *run)
{
	return (double)(run->lab->items->n_accepted - run->lab->items->n_decided);
}

static double unanswered(const struct measured *run)
{
	return (double)(run->lab->items->n - run->lab->items->n_accepted);
}

static double throughput(const struct measured *run)
{
	const struct lab *lab = run->lab;
	return lab->items->n_accepted == 0
		? real_nan()
		: ratio((double)lab->items->n_accepted, sim_time_to_s(lab->items->last_acceptance - lab->items->first_arrival));
}

static double latency_mean(const struct measured *run)
{
	return samples_mean_s(&run->lab->measure->latencies);
}

static double latency_sd(const struct measured *run)
{
	return samples_sd_s(&run->lab->measure->latencies);
}

static double latency_p50(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->latencies_sorted, .5);
}

static double latency_p95(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->latencies_sorted, .95);
}

static double latency_p99(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->latencies_sorted, .99);
}

static double latency_max(const struct measured *run)
{
	return samples_quantile_s(&run->lab->measure->latencies_sorted, 1);
}

const struct kpi_table service_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "items", .label = "items", .sort = SORT_COUNT, .value = items, .help = "items that arrived"},
		{.name = "decided",
			.label = "items decided",
			.sort = SORT_COUNT,
			.more_is_better = true,
			.shown = {.heading = "decided", .decimals = 1},
			.value = decided,
			.help = "items accepted by their client with a value"},
		{.name = "undecided",
			.label = "items undecided",
			.sort = SORT_COUNT,
			.value = undecided,
			.help = "items closed without a value"},
		{.name = "unanswered",
			.label = "unanswered",
			.sort = SORT_COUNT,
			.shown = {.heading = "unanswered", .decimals = 1, .not_zero = true},
			.value = unanswered,
			.help = "items that arrived and were not accepted by the end; they have no latency"},
		{.name = "throughput_per_s",
			.label = "throughput",
			.unit = "1/s",
			.sort = SORT_VALUE,
			.more_is_better = true,
			.shown = {.heading = "items/s", .decimals = 1},
			.value = throughput,
			.help = "accepted items / (last acceptance - first arrival)"},
		{.name = "latency_mean_s",
			.label = "mean latency",
			.sort = SORT_TIME,
			.shown = {.heading = "latency ms", .scale = 1e3, .decimals = 3},
			.value = latency_mean,
			.help = "mean time from an item's arrival at its client until the client accepts the answer"},
		{.name = "latency_sd_s",
			.label = "latency, standard deviation",
			.sort = SORT_TIME,
			.value = latency_sd,
			.help = "its standard deviation over items (n - 1)"},
		{.name = "latency_p50_s",
			.label = "median latency",
			.sort = SORT_TIME,
			.value = latency_p50,
			.help = "its median over items (quantiles interpolate linearly between order statistics)"},
		{.name = "latency_p95_s",
			.label = "latency, 95th percentile",
			.sort = SORT_TIME,
			.value = latency_p95,
			.help = "its 95 % quantile"},
		{.name = "latency_p99_s",
			.label = "latency, 99th percentile",
			.sort = SORT_TIME,
			.value = latency_p99,
			.help = "its 99 % quantile"},
		{.name = "latency_max_s",
			.label = "largest latency",
			.sort = SORT_TIME,
			.value = latency_max,
			.help = "its maximum"},
		{0}},
};
