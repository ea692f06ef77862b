/* How long service stopped, and after which fault. */
#ifndef LAB_OUTAGES_H
#define LAB_OUTAGES_H

#include "lab.h"

struct outages;

void outages_start(struct lab *lab);
void outages_fault_began(struct lab *lab);
void outages_fault_ended(struct lab *lab);
/* Before lab->items->waiting_since is now. */
void outages_accepted(struct lab *lab, const struct lab_item *item);
/* NaN: there is none (docs/results.md). */
double outages_longest_s(const struct lab *lab);
double outages_recovered_s(const struct lab *lab);
double outages_recovery_s(const struct lab *lab);
/* What has grown with the run, in bytes. */
uint64_t outages_bytes(const struct outages *outages);
void outages_finish(struct lab *lab);

#endif
