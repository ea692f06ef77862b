/* What becomes of predictions, for KPIs and tables. */
#ifndef LAB_SCORES_H
#define LAB_SCORES_H

#include "measure/samples.h"
#include "sim/param.h"
#include "workloads/application.h"

struct lab;
struct lab_item;

/* What became of one validator's predictions, at the items' clients' validators. */
struct validator_counts {
	uint64_t accepted, rejected;
	double score_sum;
	uint64_t n_scores;
	sim_time first_bad, first_rejected; /* SIM_NEVER */
	uint64_t n_bad_scored, n_bad_until_rejected;
};

struct scores {
	struct validator_counts *validators; /* by identity */
	uint64_t attacked_scored, attacked_accepted, honest_scored, honest_rejected;
	struct samples attacked_scores, honest_scores; /* bits of scores; where there are attacks */
	uint32_t *places;                              /* scratch, by identity */
};

void scores_start(struct lab *lab);
void scores_finish(struct lab *lab);
uint64_t scores_bytes(const struct lab *lab);
/* An item has closed at its client's validator. */
void scores_closing(struct lab *lab, const struct closing_view *closing, struct lab_item *item);
/* A prediction that is no number is rejected before anything is scored, where it is first executed. */
void scores_not_finite(struct lab *lab, uint32_t identity);
/* The run has ended: puts the scores in order. */
void scores_sort(struct lab *lab);
/* After that. */
void scores_roc(struct lab *lab);

#endif
