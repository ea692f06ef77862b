/* Whether predictions under attack are told from honest ones. */
#include "measure/kpis.h"

static double false_accept_rate(const struct measured *run)
{
	return ratio((double)run->lab->attacked_accepted, (double)run->lab->attacked_scored);
}

static double false_reject_rate(const struct measured *run)
{
	return ratio((double)run->lab->honest_rejected, (double)run->lab->honest_scored);
}

static double detection_s(const struct measured *run)
{
	const struct lab *lab = run->lab;
	double sum = 0;
	uint32_t n = 0;
	for (uint32_t i = 0; i < lab->n_identities; i++) {
		const struct validator_counts *counts = &lab->validators[i];
		if (counts->first_bad != SIM_NEVER && counts->first_rejected != SIM_NEVER) {
			sum += sim_time_to_s(counts->first_rejected - counts->first_bad);
			n++;
		}
	}
	return ratio(sum, n);
}

static double detection_items(const struct measured *run)
{
	const struct lab *lab = run->lab;
	uint64_t sum = 0, n = 0;
	for (uint32_t i = 0; i < lab->n_identities; i++) {
		sum += lab->validators[i].n_bad_until_rejected;
		n += lab->validators[i].n_bad_until_rejected > 0;
	}
	return ratio((double)sum, (double)n);
}

/* Of all pairs of an attacked and an honest prediction, the share in which the attacked one scores less,
 * ties counted half (the Mann-Whitney statistic): the area under the curve of /roc. Both are sorted. */
static double auc(const struct measured *run)
{
	const struct samples *attacked = &run->lab->attacked_scores, *honest = &run->lab->honest_scores;
	uint64_t n_halves = 0;
	size_t below = 0, upto = 0; /* attacked ones below this honest one, and below or equal */
	for (size_t i = 0; i < honest->n; i++) {
		while (below < attacked->n && attacked->values[below] < honest->values[i]) {
			below++;
		}
		while (upto < attacked->n && attacked->values[upto] <= honest->values[i]) {
			upto++;
		}
		n_halves += below + upto;
	}
	return ratio((double)n_halves / 2, (double)attacked->n * (double)honest->n);
}

static double identities_refused(const struct measured *run)
{
	return (double)run->lab->n_identities_refused;
}

static double proposals_refused(const struct measured *run)
{
	return ratio((double)run->lab->n_proposals_refused, (double)run->lab->n_proposals_judged);
}

const struct kpi_table detection_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "false_accept_rate",
			.label = "bad predictions accepted",
			.sort = SORT_SHARE,
			.value = false_accept_rate,
			.help = "share of the attacked predictions scored that were accepted"},
		{.name = "false_reject_rate",
			.label = "good predictions rejected",
			.sort = SORT_SHARE,
			.value = false_reject_rate,
			.help = "share of the honest predictions scored that were rejected"},
		{.name = "detection_s",
			.label = "time to detection",
			.sort = SORT_TIME,
			.value = detection_s,
			.help = "mean over attackers of the time from the first bad prediction to its first rejection"},
		{0}},
};

const struct kpi_table score_kpis = {
	.kpis = (const struct kpi[]){
		{.name = "auc",
			.label = "area under the ROC curve",
			.sort = SORT_VALUE,
			.more_is_better = true,
			.value = auc,
			.help = "area under the receiver operating characteristic: the probability that an attacked "
					"prediction scores below an honest one, ties counted half"},
		{.name = "detection_items",
			.label = "lies until the first rejection",
			.sort = SORT_VALUE,
			.value = detection_items,
			.help = "mean over attackers ever rejected of their bad predictions up to the first rejected one, "
					"itself included"},
		{.name = "identities_refused",
			.label = "predictions of strangers refused",
			.sort = SORT_COUNT,
			.value = identities_refused,
			.help = "predictions refused because their identity is no participant's"},
		{.name = "proposals_refused",
			.label = "proposals refused",
			.sort = SORT_SHARE,
			.value = proposals_refused,
			.help = "under `validation`: share of the proposed values that so many validators refused that no "
					"quorum was left"},
		{0}},
};
