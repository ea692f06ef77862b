/* What becomes of predictions: who was listened to, and who was lied to. */
#include "scores.h"
#include "items.h"
#include "lab.h"
#include "measure/accuracy.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "predictions.h"

#include <string.h>

void scores_start(struct lab *lab)
{
	struct arena *arena = &lab->world.arena;
	uint32_t n = lab->predictions->n_identities;
	struct scores *scores = lab->scores = arena_new(arena, struct scores);
	scores->validators = arena_array(arena, struct validator_counts, n);
	scores->places = arena_array(arena, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		scores->validators[i].first_bad = scores->validators[i].first_rejected = SIM_NEVER;
	}
}

void scores_finish(struct lab *lab)
{
	if (lab->scores != NULL) {
		samples_finish(&lab->scores->attacked_scores);
		samples_finish(&lab->scores->honest_scores);
	}
}

uint64_t scores_bytes(const struct lab *lab)
{
	const struct scores *scores = lab->scores;
	return scores == NULL ? 0 :
		(scores->attacked_scores.capacity + scores->honest_scores.capacity) * sizeof(int64_t);
}

static void count_dispute(struct lab *lab, struct lab_item *item, double value)
{
	/* Some honest validator's own honest estimate is further than the tolerance from the decision. */
	for (uint32_t i = 0; i < lab->world.n_validators && !item->dispute; i++) {
		double honest = item->details->honest[i];
		item->dispute = lab_counts(&lab->world.nodes[i]) && !isnan(honest) &&
			further_than(lab->common->tolerance, honest, value);
	}
}

static void record_predictions(struct lab *lab, const struct closing_view *closing,
	const struct lab_item *item)
{
	uint32_t n = lab->predictions->n_identities;
	for (uint32_t i = 0; i < n; i++) {
		lab->scores->places[i] = closing->n;
	}
	for (uint32_t i = 0; i < closing->n; i++) {
		lab->scores->places[closing->nodes[i]] = i;
	}
	for (uint32_t node = 0; node < n; node++) {
		double sent = item->details->sent[node];
		if (isnan(sent) && isnan(item->details->honest[node])) {
			continue; /* it was down, and has said nothing */
		}
		uint32_t at = lab->scores->places[node];
		bool heard = at != closing->n;
		bool late = !heard && isfinite(sent); /* not among those with which the item closed */
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)closing->item},
			{.integer = node},
			{.real = item->details->honest[node]},
			{.real = sent},
			{.real = heard ? closing->scores[at] : real_nan()},
			{.integer = heard && closing->accepted[at]},
			{.integer = late},
			{.integer = item->details->version},
			{.real = item->details->claimed[node]},
			{.integer = item->details->attacked[node]},
		};
		measure_row(lab, TABLE_PREDICTIONS, cells);
	}
}

/* The bits of a number from 0 up are in its order. */
static int64_t score_bits(double score)
{
	int64_t bits;
	score = score > 0 ? score : 0; /* never -0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits;
}

static double score_of(int64_t bits)
{
	double score;
	memcpy(&score, &bits, sizeof(score));
	return score;
}

void scores_closing(struct lab *lab, const struct closing_view *closing, struct lab_item *item)
{
	if (closing->outcome.decided) {
		count_dispute(lab, item, closing->outcome.value);
	}
	bool validated = lab->common->validation != VALIDATION_OFF;
	/* Where values are validated nothing is scored. */
	for (uint32_t i = 0; i < closing->n && !validated; i++) {
		uint32_t node = closing->nodes[i];
		bool attacked = item->details->attacked[node];
		struct validator_counts *counts = &lab->scores->validators[node];
		counts->accepted += closing->accepted[i];
		counts->rejected += !closing->accepted[i];
		counts->score_sum += closing->scores[i];
		counts->n_scores++;
		if (lab->scenario->attacks.n > 0) {
			samples_add(attacked ? &lab->scores->attacked_scores : &lab->scores->honest_scores,
				score_bits(closing->scores[i]));
		}
		if (attacked) {
			counts->n_bad_scored++;
			lab->scores->attacked_scored++;
			lab->scores->attacked_accepted += closing->accepted[i];
			if (!closing->accepted[i] && counts->first_rejected == SIM_NEVER) {
				counts->first_rejected = lab->world.now;
				counts->n_bad_until_rejected = counts->n_bad_scored;
			}
		} else {
			lab->scores->honest_scored++;
			lab->scores->honest_rejected += !closing->accepted[i];
		}
	}
	if (measure_records(lab, TABLE_PREDICTIONS)) {
		record_predictions(lab, closing, item);
	}
}

void scores_not_finite(struct lab *lab, uint32_t identity)
{
	struct validator_counts *counts = &lab->scores->validators[identity];
	counts->rejected++;
	counts->n_bad_scored++;
	lab->scores->attacked_scored++;
	if (counts->first_rejected == SIM_NEVER) {
		counts->first_rejected = lab->world.now;
		counts->n_bad_until_rejected = counts->n_bad_scored;
	}
}

static double detection_s(const struct measured *run)
{
	const struct lab *lab = run->lab;
	double sum = 0;
	uint32_t n = 0;
	for (uint32_t i = 0; lab->scores != NULL && i < lab->predictions->n_identities; i++) {
		const struct validator_counts *counts = &lab->scores->validators[i];
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
	for (uint32_t i = 0; lab->scores != NULL && i < lab->predictions->n_identities; i++) {
		sum += lab->scores->validators[i].n_bad_until_rejected;
		n += lab->scores->validators[i].n_bad_until_rejected > 0;
	}
	return ratio((double)sum, (double)n);
}

/* Of all pairs of an attacked and an honest prediction, the share in which the attacked one scores less,
 * ties counted half (the Mann-Whitney statistic): the area under the curve of /roc. Both are sorted. */
static double auc(const struct measured *run)
{
	if (run->lab->scores == NULL) {
		return real_nan();
	}
	const struct samples *attacked = &run->lab->scores->attacked_scores;
	const struct samples *honest = &run->lab->scores->honest_scores;
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

static double false_accept_rate(const struct measured *run)
{
	const struct scores *scores = run->lab->scores;
	return scores == NULL ? real_nan() : ratio((double)scores->attacked_accepted, (double)scores->attacked_scored);
}

static double false_reject_rate(const struct measured *run)
{
	const struct scores *scores = run->lab->scores;
	return scores == NULL ? real_nan() : ratio((double)scores->honest_rejected, (double)scores->honest_scored);
}

static double identities_refused(const struct measured *run)
{
	const struct predictions *predictions = run->lab->predictions;
	return predictions == NULL ? 0 : (double)predictions->n_identities_refused;
}

static double proposals_refused(const struct measured *run)
{
	const struct predictions *predictions = run->lab->predictions;
	return predictions == NULL
		? real_nan()
		: ratio((double)predictions->n_proposals_refused, (double)predictions->n_proposals_judged);
}

void scores_sort(struct lab *lab)
{
	if (lab->scores != NULL) {
		samples_sort(&lab->scores->attacked_scores);
		samples_sort(&lab->scores->honest_scores);
	}
}

/* At most so many points of the curve, at every k-th of the scores pooled. */
#define ROC_POINTS 256

static uint64_t n_below(const struct samples *sorted, int64_t threshold)
{
	size_t low = 0, high = sorted->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sorted->values[middle] < threshold) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void roc_row(struct lab *lab, double threshold, uint64_t attacked, uint64_t honest)
{
	union cell cells[] = {
		{.integer = (int64_t)lab->run},
		{.real = threshold},
		{.real = ratio((double)attacked, (double)lab->scores->attacked_scores.n)},
		{.real = ratio((double)honest, (double)lab->scores->honest_scores.n)},
	};
	measure_row(lab, TABLE_ROC, cells);
}

/* What a threshold would have rejected, at every score there is or, where these are many, at some: each
 * point is exact. From nothing rejected to everything. */
void scores_roc(struct lab *lab)
{
	if (lab->scores == NULL) {
		return; /* nothing is scored */
	}
	const struct samples *attacked = &lab->scores->attacked_scores, *honest = &lab->scores->honest_scores;
	size_t n = attacked->n + honest->n, i = 0, k = 0;
	int64_t last = -1;
	if (attacked->n == 0 || honest->n == 0) {
		return;
	}
	size_t step = (n + ROC_POINTS - 1) / ROC_POINTS;
	for (size_t at = 0; at < n; at++) {
		bool first = k == honest->n ||
			(i < attacked->n && attacked->values[i] <= honest->values[k]);
		int64_t score = first ? attacked->values[i++] : honest->values[k++];
		if (score != last && at % step == 0) {
			roc_row(lab, score_of(score), n_below(attacked, score), n_below(honest, score));
			last = score;
		}
	}
	roc_row(lab, INFINITY, attacked->n, honest->n);
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
