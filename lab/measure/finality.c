/* What was executed for good and taken back, where finality is probable: only files of such protocols have it. */
#include "measure/kpis.h"
#include "watch.h"

static double reorganisations(const struct measured *run)
{
	return (double)run->lab->watch->n_reorganisations;
}

static double reorganisation_depth_max(const struct measured *run)
{
	return (double)run->lab->watch->depth_max;
}

const struct kpi_table finality_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "reorganisations",
			.label = "reorganisations",
			.sort = SORT_COUNT,
			.shown = {.heading = "reorg", .decimals = 1, .not_zero = true},
			.value = reorganisations,
			.help = "how often a validator took back what it had executed for good"},
		{.name = "reorganisation_depth_max",
			.label = "deepest reorganisation",
			.sort = SORT_COUNT,
			.unit = "instances",
			.value = reorganisation_depth_max,
			.help = "most instances taken back at once"},
		{0}},
};
