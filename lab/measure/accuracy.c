/* How right the decided values are. */
#include "measure/accuracy.h"

#include "items.h"
#include "measure/kpis.h"

bool further_than(double tolerance, double value, double from)
{
	return fabs(value - from) > tolerance * fabs(from);
}

/* The sum of what `of` gives for each item with a value, over their number. */
static double mean_of(const struct lab *lab, double (*of)(const struct lab *lab, const struct lab_item *item))
{
	double sum = 0;
	uint64_t n = 0;
	for (size_t i = 0; i < lab->items->n && !lab->app->has_clients; i++) {
		if (lab->items->all[i].decided_value) {
			sum += of(lab, &lab->items->all[i]);
			n++;
		}
	}
	return ratio(sum, (double)n);
}

static double error(const struct lab *lab, const struct lab_item *item)
{
	return fabs(item->value - item->truth);
}

static double squared(const struct lab *lab, const struct lab_item *item)
{
	return error(lab, item) * error(lab, item);
}

static double is_corrupted(const struct lab *lab, const struct lab_item *item)
{
	return further_than(lab->common->tolerance, item->value, item->truth);
}

static double mae(const struct measured *run)
{
	return mean_of(run->lab, error);
}

static double rmse(const struct measured *run)
{
	return sqrt(mean_of(run->lab, squared));
}

static double corruption_rate(const struct measured *run)
{
	return mean_of(run->lab, is_corrupted);
}

const struct kpi_table accuracy_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "mae",
			.label = "mean absolute error",
			.unit = UNIT_OF_VALUES,
			.sort = SORT_VALUE,
			.shown = {.heading = "mae", .decimals = 4},
			.value = mae,
			.help = "mean absolute error of the decided values"},
		{.name = "rmse",
			.label = "root mean square error",
			.unit = UNIT_OF_VALUES,
			.sort = SORT_VALUE,
			.value = rmse,
			.help = "root mean squared error of the decided values"},
		{.name = "corruption_rate",
			.label = "corrupted decisions",
			.sort = SORT_SHARE,
			.share_of = "decided",
			.shown = {.heading = "corrupted", .decimals = 4},
			.value = corruption_rate,
			.help = "share of decisions with abs(value - truth) > tolerance * abs(truth)"},
		{0}},
};
