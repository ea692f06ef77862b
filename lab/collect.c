/* What items' acceptances and closings tell the samples. */
#include "lab.h"
#include "measure/accuracy.h"
#include "measure/measure.h"
#include "measure/scores.h"
#include "measure/tables.h"
#include "measure/windows.h"

void collect_accepted(struct lab *lab, struct lab_item *item)
{
	samples_add(&lab->measure->latencies, item->decided - item->arrived);
	int64_t window = window_of(lab, item->decided);
	if (lab->measure->n_windows_accepted == 0 || window != lab->measure->window_accepted) {
		lab->measure->n_windows_accepted++;
		lab->measure->window_accepted_before = lab->measure->window_accepted;
		lab->measure->window_accepted = window;
	}
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
	uint32_t n = lab->n_identities;
	for (uint32_t i = 0; i < n; i++) {
		lab->measure->places[i] = closing->n;
	}
	for (uint32_t i = 0; i < closing->n; i++) {
		lab->measure->places[closing->nodes[i]] = i;
	}
	for (uint32_t node = 0; node < n; node++) {
		double sent = item->details->sent[node];
		if (isnan(sent) && isnan(item->details->honest[node])) {
			continue; /* it was down, and has said nothing */
		}
		uint32_t at = lab->measure->places[node];
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

void collect_closing(struct lab *lab, const struct closing_view *closing, struct lab_item *item)
{
	if (closing->outcome.decided) {
		count_dispute(lab, item, closing->outcome.value);
	}
	bool validated = lab->common->validation != VALIDATION_OFF;
	/* Where values are validated nothing is scored. */
	for (uint32_t i = 0; i < closing->n && !validated; i++) {
		uint32_t node = closing->nodes[i];
		bool attacked = item->details->attacked[node];
		struct validator_counts *counts = &lab->validators[node];
		counts->accepted += closing->accepted[i];
		counts->rejected += !closing->accepted[i];
		counts->score_sum += closing->scores[i];
		counts->n_scores++;
		if (lab->scenario->attacks.n > 0) {
			samples_add(attacked ? &lab->attacked_scores : &lab->honest_scores,
				score_bits(closing->scores[i]));
		}
		if (attacked) {
			counts->n_bad_scored++;
			lab->attacked_scored++;
			lab->attacked_accepted += closing->accepted[i];
			if (!closing->accepted[i] && counts->first_rejected == SIM_NEVER) {
				counts->first_rejected = lab->world.now;
				counts->n_bad_until_rejected = counts->n_bad_scored;
			}
		} else {
			lab->honest_scored++;
			lab->honest_rejected += !closing->accepted[i];
		}
	}
	if ((lab->scenario->record & RECORD_PREDICTIONS) != 0) {
		record_predictions(lab, closing, item);
	}
}

void collect_not_finite(struct lab *lab, uint32_t identity)
{
	struct validator_counts *counts = &lab->validators[identity];
	counts->rejected++;
	counts->n_bad_scored++;
	lab->attacked_scored++;
	if (counts->first_rejected == SIM_NEVER) {
		counts->first_rejected = lab->world.now;
		counts->n_bad_until_rejected = counts->n_bad_scored;
	}
}

void collect_fault(struct lab *lab, uint32_t node, const char *what)
{
	if (measure_records(lab, TABLE_FAULTS)) {
		measure_row(lab, TABLE_FAULTS,
			(union cell[]){{.integer = (int64_t)lab->run}, {.real = sim_time_to_s(lab->world.now)},
				{.integer = node == NODE_NONE ? -1 : (int64_t)node}, {.string = what}});
	}
}

void collect_tables(struct lab *lab)
{
	unsigned record = lab->scenario->record;
	if ((record & RECORD_DECISIONS) != 0) {
		decisions_table(lab);
	}
	if ((record & RECORD_TRANSACTIONS) != 0) {
		transactions_table(lab);
	}
	if ((record & RECORD_VALIDATORS) != 0) {
		validators_table(lab);
	}
	if ((record & RECORD_SERIES) != 0) {
		series_table(lab);
	}
	violations_table(lab);
	if ((record & RECORD_ROC) != 0) {
		roc_table(lab);
	}
}
