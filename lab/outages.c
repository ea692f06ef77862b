/* Service that stops and comes back: how long nothing was accepted although work was outstanding, and which
 * faults that came from.
 *
 * A wait is the time up to an acceptance from the one before, or from the first arrival after nothing was
 * outstanding. The gap of a fault is the longest wait, counted from its beginning at the earliest, up to the
 * acceptance of an item that has arrived since: what was under way may still be answered before service
 * stops. It is the fault's doing where it is longer than twice what an answer usually took: the median
 * latency of the last hundred items accepted before (where there was none yet, of the run's last hundred).
 * Costs a comparison an acceptance, and a sort of a hundred numbers a fault. */
#include "measure/measure.h"
#include "outages.h"
#include "items.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_ITEMS 100

/* What is known of one fault, or of several that began together. */
struct fault_gap {
	sim_time from, usual; /* usual: how long an answer took before; SIM_NEVER: there was none */
	sim_time longest, until; /* the longest wait so far, and when it was over; 0: none */
};

struct outages {
	struct fault_gap *faults; /* in order of their beginnings */
	size_t n, next, capacity; /* next: the first since which nothing that arrived has been accepted */
	struct samples ends, recoveries; /* times; since the last acceptance: from end_next on */
	size_t end_next;
	sim_time longest;
};

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The median of the last latencies so far; SIM_NEVER: there is none. */
static sim_time usual_latency(const struct samples *latencies)
{
	int64_t last[USUAL_ITEMS];
	size_t n = latencies->n < USUAL_ITEMS ? latencies->n : USUAL_ITEMS;
	if (n == 0) {
		return SIM_NEVER;
	}
	memcpy(last, latencies->values + latencies->n - n, n * sizeof(*last));
	qsort(last, n, sizeof(*last), compare);
	return last[n / 2];
}

void outages_start(struct lab *lab)
{
	lab->outages = lab_new(sizeof(*lab->outages));
}

void outages_fault_began(struct lab *lab)
{
	struct outages *outages = lab->outages;
	if (outages->n > 0 && outages->faults[outages->n - 1].from == lab->world.now) {
		return; /* the same fault, at another node */
	}
	outages->faults =
		lab_grow(outages->faults, sizeof(*outages->faults), outages->n + 1, &outages->capacity);
	outages->faults[outages->n++] = (struct fault_gap){
		.from = lab->world.now,
		.usual = usual_latency(&lab->measure->latencies),
	};
}

void outages_fault_ended(struct lab *lab)
{
	struct samples *ends = &lab->outages->ends;
	if (ends->n > 0 && ends->values[ends->n - 1] == lab->world.now) {
		return; /* of the same fault, at another node */
	}
	samples_add(ends, lab->world.now);
}

void outages_accepted(struct lab *lab, const struct lab_item *item)
{
	struct outages *outages = lab->outages;
	sim_time now = lab->world.now;
	sim_time wait = now - lab->items->waiting_since;
	outages->longest = wait > outages->longest ? wait : outages->longest;
	while (outages->end_next < outages->ends.n) {
		samples_add(&outages->recoveries, now - outages->ends.values[outages->end_next++]);
	}
	for (size_t i = outages->next; i < outages->n; i++) {
		struct fault_gap *gap = &outages->faults[i];
		sim_time since = lab->items->waiting_since > gap->from ? lab->items->waiting_since : gap->from;
		if (now - since > gap->longest) {
			gap->longest = now - since;
			gap->until = now;
		}
	}
	while (outages->next < outages->n && outages->faults[outages->next].from <= item->arrived) {
		outages->next++;
	}
}

double outages_recovered_s(const struct lab *lab)
{
	const struct outages *outages = lab->outages;
	struct samples recovered = {0};
	sim_time last = usual_latency(&lab->measure->latencies);
	for (size_t i = 0; i < outages->n; i++) {
		const struct fault_gap *gap = &outages->faults[i];
		sim_time usual = gap->usual == SIM_NEVER ? last : gap->usual;
		if (gap->longest > 0 && gap->longest / 2 > usual) {
			samples_add(&recovered, gap->until - gap->from);
		}
	}
	double mean = samples_mean_s(&recovered);
	free(recovered.values);
	return mean;
}

double outages_longest_s(const struct lab *lab)
{
	sim_time longest = lab->outages->longest;
	if (lab->items->n_accepted < lab->items->n && lab->world.now - lab->items->waiting_since > longest) {
		longest = lab->world.now - lab->items->waiting_since; /* and so it stayed */
	}
	return lab->items->n == 0 ? real_nan() : sim_time_to_s(longest);
}

double outages_recovery_s(const struct lab *lab)
{
	return samples_mean_s(&lab->outages->recoveries);
}

uint64_t outages_bytes(const struct outages *outages)
{
	return outages->capacity * sizeof(*outages->faults) +
		(outages->ends.capacity + outages->recoveries.capacity) * sizeof(int64_t);
}

void outages_finish(struct lab *lab)
{
	struct outages *outages = lab->outages;
	free(outages->faults);
	samples_finish(&outages->ends);
	samples_finish(&outages->recoveries);
	free(outages);
}
