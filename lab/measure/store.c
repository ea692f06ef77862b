/* What the store's clients meet. */
#include "kv.h"
#include "measure/kpis.h"

static double aborts(const struct measured *run)
{
	uint64_t n_aborts, n_retries;
	kv_counts(run->lab, &n_aborts, &n_retries);
	return (double)n_aborts;
}

static double retries(const struct measured *run)
{
	uint64_t n_aborts, n_retries;
	kv_counts(run->lab, &n_aborts, &n_retries);
	return (double)n_retries;
}

const struct kpi_table store_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "aborts",
			.label = "aborts",
			.sort = SORT_COUNT,
			.value = aborts,
			.help = "kv, optimistic: transactions that were executed with an old version and so had no effect"},
		{.name = "retries",
			.label = "retries",
			.sort = SORT_COUNT,
			.value = retries,
			.help = "kv, optimistic: transactions that clients submitted again after an abort"},
		{0}},
};
