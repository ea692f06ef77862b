/* The KPIs of a result file, in the order of their columns: the laboratory's, then those of the protocols and
 * applications that its scenario uses (results/kpi.h). */
#ifndef LAB_KPI_LIST_H
#define LAB_KPI_LIST_H

#include "results/kpi.h"

#include <stddef.h>

struct scenario;
struct scenario_file;

#define KPIS_MAX 256

struct kpi_list {
	size_t n;
	const struct kpi *kpis[KPIS_MAX];
	bool ours[KPIS_MAX]; /* the laboratory's */
};

/* `file`: NULL: all there are. */
void kpi_list_init(struct kpi_list *list, const struct scenario_file *file);
/* Its place, or -1. */
int kpi_find(const struct kpi_list *list, const char *name);
/* Its column in /runs, where the workload's values have this unit. */
struct column kpi_column(const struct kpi *kpi, const char *value_unit);
/* Who alone brings it: "pbft"; NULL: every file has it. */
const char *kpi_only_with(const struct kpi_list *all, size_t i);

#endif
