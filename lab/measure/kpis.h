/* The laboratory's own KPIs, by theme: each file of this folder ends with its table. In the order of their columns. */
#ifndef LAB_KPIS_H
#define LAB_KPIS_H

#include "lab/kpi_list.h"
#include "lab.h"

extern const struct kpi_table service_kpis, agreement_kpis, traffic_kpis, leader_kpis, accuracy_kpis,
	divergence_kpis, finality_kpis, outage_kpis, safety_kpis, work_kpis, loss_kpis, step_kpis, attacker_kpis;

/* The KPIs of a run that has ended, in order of the list; measure_sort has been. */
void kpis_measure(const struct lab *lab, const struct kpi_list *list, double *values);

/* NaN where b is 0. */
static inline double ratio(double a, double b)
{
	return b > 0 ? a / b : real_nan();
}

#endif
