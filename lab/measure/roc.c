/* What a threshold of the scorer would have rejected: /roc. */
#include "lab.h"
#include "measure/kpis.h"
#include "measure/measure.h"
#include "measure/scores.h"
#include "measure/tables.h"

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
		{.real = ratio((double)attacked, (double)lab->attacked_scores.n)},
		{.real = ratio((double)honest, (double)lab->honest_scores.n)},
	};
	measure_row(lab, TABLE_ROC, cells);
}

/* What a threshold would have rejected, at every score there is or, where these are many, at some: each
 * point is exact. From nothing rejected to everything. The scores are sorted. */
void roc_table(struct lab *lab)
{
	const struct samples *attacked = &lab->attacked_scores, *honest = &lab->honest_scores;
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
