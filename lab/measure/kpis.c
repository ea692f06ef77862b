#include "measure/kpis.h"
#include "outside.h"

#include <string.h>

static const struct kpi_table *const laboratory[] = {
	&service_kpis,
	&agreement_kpis,
	&traffic_kpis,
	&leader_kpis,
	&accuracy_kpis,
	&divergence_kpis,
	&finality_kpis,
	&outage_kpis,
	&safety_kpis,
	&work_kpis,
	&loss_kpis,
	&step_kpis,
	&attacker_kpis,
	NULL,
};

#define KPI_TABLES_MAX 256 /* of protocols and applications */

int kpi_find(const struct kpi_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->kpis[i]->name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* Puts a table's KPIs at a place; those that somebody else has brought are there already. */
static void insert(struct kpi_list *list, size_t at, const struct kpi *kpis, bool ours)
{
	for (const struct kpi *kpi = kpis; kpi->name != NULL; kpi++) {
		int known = kpi_find(list, kpi->name);
		if (known >= 0) {
			assert(list->kpis[known]->sort == kpi->sort);
			continue;
		}
		assert(list->n < KPIS_MAX);
		memmove(&list->kpis[at + 1], &list->kpis[at], (list->n - at) * sizeof(list->kpis[0]));
		memmove(&list->ours[at + 1], &list->ours[at], (list->n - at) * sizeof(list->ours[0]));
		list->kpis[at] = kpi;
		list->ours[at++] = ours;
		list->n++;
	}
}

static bool uses(const struct scenario_file *file, const struct plugin *plugin)
{
	for (size_t i = 0; i < scenario_n_points(file); i++) {
		const struct scenario *point = scenario_point(file, i);
		if (point->protocol.plugin == plugin || point->workload.plugin == plugin) {
			return true;
		}
	}
	return false;
}

/* Can anything be revoked in the file's runs, or, NULL, under any protocol that there is? */
static bool revokes(const struct scenario_file *file)
{
	bool any = false;
	for (size_t i = 0; file != NULL && i < scenario_n_points(file); i++) {
		const struct protocol *protocol = (const void *)scenario_point(file, i)->protocol.plugin;
		any |= protocol->finality == FINALITY_PROBABLE;
	}
	for (size_t i = 0; file == NULL && protocol_registry.plugins[i] != NULL; i++) {
		any |= ((const struct protocol *)(const void *)protocol_registry.plugins[i])->finality == FINALITY_PROBABLE;
	}
	return any;
}

static const struct kpi_table *tables_of(const struct plugin *plugin, const struct registry *registry)
{
	return registry == &protocol_registry ? ((const struct protocol *)plugin)->kpis
										  : ((const struct app *)plugin)->kpis;
}

/* The tables of protocols, then of applications, that the file is to have. */
static size_t gather(const struct scenario_file *file, const struct kpi_table *tables[KPI_TABLES_MAX])
{
	static const struct registry *const registries[] = {&protocol_registry, &workload_registry};
	size_t n = 0;
	for (size_t r = 0; r < sizeof(registries) / sizeof(registries[0]); r++) {
		for (size_t i = 0; registries[r]->plugins[i] != NULL; i++) {
			const struct plugin *plugin = registries[r]->plugins[i];
			for (const struct kpi_table *table = tables_of(plugin, registries[r]);
				 table != NULL && table->kpis != NULL; table++) {
				if (file == NULL || table->everywhere || uses(file, plugin)) {
					assert(n < KPI_TABLES_MAX);
					tables[n++] = table;
				}
			}
		}
	}
	return n;
}

void kpi_list_init(struct kpi_list *list, const struct scenario_file *file)
{
	list->n = 0;
	for (size_t t = 0; laboratory[t] != NULL; t++) {
		if (laboratory[t] != &finality_kpis || revokes(file)) {
			insert(list, list->n, laboratory[t]->kpis, true);
		}
	}
	const struct kpi_table *tables[KPI_TABLES_MAX];
	size_t n = gather(file, tables);
	/* First those with a place of their own: whoever stands behind all shall not come between. */
	for (size_t t = 0; t < n; t++) {
		if (tables[t]->after != NULL) {
			int before = kpi_find(list, tables[t]->after);
			assert(before >= 0);
			insert(list, (size_t)before + 1, tables[t]->kpis, false);
		}
	}
	for (size_t t = 0; t < n; t++) {
		if (tables[t]->after == NULL) {
			insert(list, list->n, tables[t]->kpis, false);
		}
	}
}

struct column kpi_column(const struct kpi *kpi, const char *value_unit)
{
	const char *unit = kpi->unit != NULL ? kpi->unit
		: kpi->sort == SORT_TIME         ? "s"
		: kpi->sort == SORT_SHARE        ? "share"
										 : "";
	return (struct column){
		.name = kpi->name,
		.type = kpi->sort == SORT_COUNT ? COLUMN_INT : COLUMN_REAL,
		.unit = strcmp(unit, UNIT_OF_VALUES) == 0 ? value_unit : unit,
		.help = kpi->help,
		.label = kpi->label,
		.sort = kpi->sort,
		.share_of = kpi->share_of,
		.more_is_better = kpi->more_is_better,
	};
}

/* The entry of that name in a list of tables, and which table it is in. */
static const struct kpi *own(const struct kpi_table *tables, const char *name, const struct kpi_table **in)
{
	for (const struct kpi_table *table = tables; table != NULL && table->kpis != NULL; table++) {
		for (const struct kpi *kpi = table->kpis; kpi->name != NULL; kpi++) {
			if (strcmp(kpi->name, name) == 0) {
				*in = table;
				return kpi;
			}
		}
	}
	return NULL;
}

const char *kpi_only_with(const struct kpi_list *all, size_t i)
{
	static const struct registry *const registries[] = {&protocol_registry, &workload_registry};
	for (size_t r = 0; r < sizeof(registries) / sizeof(registries[0]) && !all->ours[i]; r++) {
		for (size_t p = 0; registries[r]->plugins[p] != NULL; p++) {
			const struct kpi_table *table, *tables = tables_of(registries[r]->plugins[p], registries[r]);
			if (own(tables, all->kpis[i]->name, &table) != NULL) {
				return table->everywhere ? NULL : registries[r]->plugins[p]->name;
			}
		}
	}
	return NULL;
}

void kpis_measure(const struct lab *lab, const struct kpi_list *list, double *values)
{
	const struct measured run = {
		.lab = lab,
		.nodes = lab->world.nodes,
		.n_validators = lab->world.n_validators,
		.application = lab->outside->state,
	};
	const struct kpi_table *in;
	for (size_t i = 0; i < list->n; i++) {
		const struct kpi *kpi = list->kpis[i];
		if (!list->ours[i]) {
			kpi = own(lab->protocol->kpis, kpi->name, &in);
			kpi = kpi == NULL ? own(lab->app->kpis, list->kpis[i]->name, &in) : kpi;
		}
		values[i] = kpi != NULL ? kpi->value(&run) : list->kpis[i]->sort == SORT_COUNT ? 0 : real_nan();
	}
}
