/* What was found broken, and how often replicas differ. */
#include "items.h"
#include "measure/kpis.h"
#include "watch.h"

static double divergence(const struct measured *run)
{
	const struct lab *lab = run->lab;
	const struct positions *positions = &lab->watch->positions;
	return ratio((double)positions->n_diverged,
		(double)(!lab->app->has_clients ? lab->items->n : positions->n));
}

static uint64_t n_kept(const struct watch *watch)
{
	return watch->n_violations < VIOLATIONS_MAX ? watch->n_violations : VIOLATIONS_MAX;
}

/* Liveness is no matter of safety. */
static double safety_violations(const struct measured *run)
{
	const struct watch *watch = run->lab->watch;
	uint64_t n = watch->n_violations;
	for (uint64_t i = 0; i < n_kept(watch); i++) {
		n -= watch->violations[i].liveness;
	}
	return (double)n;
}

static double first_violation(const struct measured *run)
{
	const struct watch *watch = run->lab->watch;
	for (uint64_t i = 0; i < n_kept(watch); i++) {
		if (!watch->violations[i].liveness) {
			return sim_time_to_s(watch->violations[i].at);
		}
	}
	return real_nan();
}

const struct kpi_table divergence_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "divergence",
			.label = "diverging items",
			.sort = SORT_SHARE,
			.share_of = "items",
			.shown = {.heading = "diverged", .decimals = 4, .not_zero = true},
			.value = divergence,
			.help = "share of items (requests: of log positions) on which two honest replicas decided "
					"differently; another request, or none, is a different decision, not to have come so far is "
					"none"},
		{0}},
};

const struct kpi_table safety_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "safety_violations",
			.label = "safety violations",
			.sort = SORT_COUNT,
			.value = safety_violations,
			.help = "invariants broken, each time"},
		{.name = "first_violation_s",
			.label = "first violation",
			.sort = SORT_TIME,
			.value = first_violation,
			.help = "time of the first of them"},
		{0}},
};
