/* The columns of a result file. */
#include "lab/run.h"

#include "workloads/items.h"
#include "workloads/workload.h"

#include <stdlib.h>
#include <string.h>

static const struct column decisions[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"item", COLUMN_INT, "", "the item's number, in order of arrival"},
	{"client", COLUMN_INT, "", "its client (requests) or the validator whose gateway is its client"},
	{"instance", COLUMN_INT, "", "the instance that closed it at its client's validator; -1: none"},
	{"view", COLUMN_INT, "", "the view or term of that; -1: none"},
	{"proposer", COLUMN_INT, "", "who proposed that instance; -1: none"},
	{"arrived_s", COLUMN_REAL, "s", "when it arrived at its client"},
	{"decided_s", COLUMN_REAL, "s", "when its client accepted the answer"},
	{"truth", COLUMN_REAL, UNIT_OF_VALUES, "what no validator sees"},
	{"value", COLUMN_REAL, UNIT_OF_VALUES, "the decision; NaN: undecided"},
	{"predictions", COLUMN_INT, "", "with which it closed"},
	{"rejected", COLUMN_INT, "", "of these, by the scorer"},
	{"late", COLUMN_INT, "", "predictions ordered after its closing"},
	{"disputed", COLUMN_INT, "", "accepted predictions further than the tolerance from the decision"},
};

static const struct column predictions[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"item", COLUMN_INT, "", "the item's number"},
	{"node", COLUMN_INT, "",
		"the validator; from their number on, an identity that a Sybil made up"},
	{"honest", COLUMN_REAL, UNIT_OF_VALUES, "what it would have said; NaN: it is made up"},
	{"sent", COLUMN_REAL, UNIT_OF_VALUES, "what it said"},
	{"score", COLUMN_REAL, "", "by the replicated scorer, in [0, 1]; NaN: late"},
	{"accepted", COLUMN_INT, "", "1: the score passed the threshold"},
	{"late", COLUMN_INT, "", "1: the item closed without it"},
	{"version", COLUMN_INT, "", "of the validator's model"},
	{"confidence", COLUMN_REAL, UNIT_OF_VALUES, "the standard deviation that it claimed"},
	{"attacked", COLUMN_INT, "", "1: its validator was under an attack then, on what it says or learns from"},
};

static const struct column transactions[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"transaction", COLUMN_INT, "", "the transaction's number, in order of submission"},
	{"client", COLUMN_INT, "", "who submitted it: the client (requests) or the validator whose gateway did"},
	{"item", COLUMN_INT, "", "the item that it is about"},
	{"kind", COLUMN_STRING, "", "what it asks for, in its application's word: request, get, put, prediction, close, proposal"},
	{"submitted_s", COLUMN_REAL, "s", "when its client submitted it"},
	{"ordered_s", COLUMN_REAL, "s", "when the first honest validator executed it; NaN: none did"},
	{"answered_s", COLUMN_REAL, "s",
		"when its client accepted the answer (a gateway: saw its validator execute it); NaN: never"},
	{"instance", COLUMN_INT, "", "the instance in which that validator executed it; -1: none"},
	{"view", COLUMN_INT, "", "the view or term of that; -1: none"},
	{"reject", COLUMN_STRING, "", "the application's reason why it changed nothing; empty: it counted"},
	{"answered_by", COLUMN_INT, "", "the validator whose reply was the last that its client needed; -1: none"},
};

static const struct column validators[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator"},
	{"byzantine", COLUMN_INT, "", "1: it attacks"},
	{"committed", COLUMN_INT, "", "instances committed at it"},
	{"accepted", COLUMN_INT, "", "its predictions accepted, at the items' clients' validators"},
	{"rejected", COLUMN_INT, "", "its predictions rejected there"},
	{"score_mean", COLUMN_REAL, "", "mean score of its predictions"},
	{"reputation", COLUMN_REAL, "", "at the end, in the first live honest validator's application; NaN: no scorer keeps one"},
	{"reward", COLUMN_REAL, "", "NaN: the workload pays none"},
	{"messages_sent", COLUMN_INT, "", "messages it sent, to validators and clients"},
	{"bytes_sent", COLUMN_INT, "bytes", "bytes it sent"},
	{"busy_s", COLUMN_REAL, "s", "time its processor worked"},
};

static const struct column faults[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"time_s", COLUMN_REAL, "s", "when"},
	{"node", COLUMN_INT, "", "whom it befell; -1: no single validator"},
	{"event", COLUMN_STRING, "", "as traces have it: crash, restart, partition begins, partition ends, ..."},
};

static const struct column series[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"time_s", COLUMN_REAL, "s", "start of the window (`series.window`)"},
	{"length_s", COLUMN_REAL, "s", "its length: the run's end may cut the last one short"},
	{"arrived", COLUMN_INT, "", "items that arrived in it", .label = "items arrived", .sort = SORT_COUNT},
	{"accepted_per_s", COLUMN_REAL, "1/s", "items accepted in it / its length", .label = "accepted",
		.sort = SORT_VALUE, .more_is_better = true},
	{"outstanding", COLUMN_INT, "", "items that had arrived and were not accepted at its end",
		.label = "items outstanding", .sort = SORT_COUNT},
	{"latency_mean_s", COLUMN_REAL, "s", "mean latency of the items accepted in it", .label = "mean latency",
		.sort = SORT_TIME},
	{"mae", COLUMN_REAL, UNIT_OF_VALUES, "mean absolute error of the values decided in it",
		.label = "mean absolute error", .sort = SORT_VALUE},
	{"corruption_rate", COLUMN_REAL, "share", "share of the values decided in it beyond the tolerance",
		.label = "corrupted decisions", .sort = SORT_SHARE},
};

static const struct column roc[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"threshold", COLUMN_REAL, "", "rejected is what scores below it; infinite: all"},
	{"true_positive", COLUMN_REAL, "", "share of the attacked predictions that are rejected"},
	{"false_positive", COLUMN_REAL, "", "share of the honest predictions that are rejected"},
};

static const struct column violations[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"time_s", COLUMN_REAL, "s", "when it was found"},
	{"invariant", COLUMN_STRING, "", "which was broken"},
	{"nodes", COLUMN_STRING, "", "at which validators (linearizability: clients, c0 c2)"},
	{"instance", COLUMN_INT, "", "the instance, view or term (linearizability: the transaction that read)"},
	{"value_a", COLUMN_STRING, "", "what the first holds (digest, hexadecimal; linearizability: whose write was read, decimal)"},
	{"value_b", COLUMN_STRING, "", "what the second holds (linearizability: whose write the other saw)"},
	{"detail", COLUMN_STRING, "", "what happened, in words"},
	{"seed", COLUMN_INT, "", "the run's own seed"},
};

static const struct column models[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator"},
	{"version", COLUMN_INT, "", "0: learned before the run"},
	{"time_s", COLUMN_REAL, "s", "of what age the data is that it learned from"},
	{"predictor", COLUMN_STRING, "", "which"},
	{"mae", COLUMN_REAL, UNIT_OF_VALUES, "mean absolute error on held-out items"},
	{"rmse", COLUMN_REAL, UNIT_OF_VALUES, "root mean squared error there"},
	{"r2", COLUMN_REAL, "", "coefficient of determination there"},
	{"bias", COLUMN_REAL, UNIT_OF_VALUES, "mean of predicted minus true there"},
	{"within_tolerance", COLUMN_REAL, "", "share of these items within the tolerance"},
	{"poisoned", COLUMN_INT, "", "1: from rows that the validator itself has poisoned"},
	{"r2_learned", COLUMN_REAL, "",
		"of the predictor's output against its target alone, without what the workload computes"},
};

static const struct column importance[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator"},
	{"version", COLUMN_INT, "", "of its model"},
	{"feature", COLUMN_STRING, "", "which is shuffled among the held-out items"},
	{"rmse_rise", COLUMN_REAL, UNIT_OF_VALUES, "by how much the root mean squared error grows then"},
};

/* Then the features, by name. */
static const struct column observations[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"item", COLUMN_INT, "", "the item's number"},
	{"node", COLUMN_INT, "", "the validator that sees it"},
	{"truth", COLUMN_REAL, UNIT_OF_VALUES, "what no validator sees"},
	{"target", COLUMN_REAL, "", "what a predictor's output should be (dimweight: ln of the grams)"},
};

static const struct column training[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator that learns from it"},
	{"version", COLUMN_INT, "", "of its model"},
	{"contributor", COLUMN_INT, "", "the validator that has brought it"},
	{"poisoned", COLUMN_INT, "", "1: altered by an attack"},
	{"truth", COLUMN_REAL, UNIT_OF_VALUES, "its label in the unit of the predictions"},
	{"target", COLUMN_REAL, "", "its label as it is learned (dimweight: ln of the grams)"},
};

static const struct column runs_first[] = {
	{"run", COLUMN_INT, "", "number of the run: point * replications + replication"},
	{"point", COLUMN_INT, "", "which setting of the swept keys"},
	{"replication", COLUMN_INT, "", "which of the independent runs at that point"},
	{"seed", COLUMN_INT, "", "the run's own seed, equal for all points of a replication"},
};

static const struct column runs_verdict[] = {
	{"verdict", COLUMN_STRING, "", "completed, stalled, unsafe, limit or failed"},
	{"verdict_reason", COLUMN_STRING, "", "why, in words"},
};

static const struct column runs_last[] = {
	{"digest", COLUMN_STRING, "", "XXH3-128 over every executed event and every decision"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A table's columns with the workload's unit in place; owned by the schema. */
static struct table_schema make(const struct column *columns, size_t n, const char *value_unit)
{
	struct column *own = calloc(n, sizeof(*own));
	if (own == NULL) {
		abort();
	}
	for (size_t i = 0; i < n; i++) {
		own[i] = columns[i];
		if (strcmp(own[i].unit, UNIT_OF_VALUES) == 0) {
			own[i].unit = value_unit;
		}
	}
	return (struct table_schema){n, own};
}

static size_t n_columns(const struct column *columns)
{
	size_t n = 0;
	while (columns != NULL && columns[n].name != NULL) {
		n++;
	}
	return n;
}

static bool any_point_has(const struct scenario_file *file, const struct plugin *workload)
{
	for (size_t i = 0; file != NULL && i < scenario_n_points(file); i++) {
		if (scenario_point(file, i)->workload.plugin == workload) {
			return true;
		}
	}
	return file == NULL;
}

/* The laboratory's columns, then those of the applications that the file has. */
static struct table_schema make_transactions(const struct scenario_file *file, const char *value_unit)
{
	struct table_schema schema = make(transactions, COUNT(transactions), value_unit);
	for (size_t i = 0; workload_registry.plugins[i] != NULL; i++) {
		const struct app *app = (const struct app *)workload_registry.plugins[i];
		size_t n = any_point_has(file, &app->plugin) ? n_columns(app->command_columns) : 0;
		if (n > 0) {
			struct column *own =
				realloc((void *)(uintptr_t)schema.columns, (schema.n_columns + n) * sizeof(*own));
			if (own == NULL) {
				abort();
			}
			memcpy(own + schema.n_columns, app->command_columns, n * sizeof(*own));
			schema = (struct table_schema){schema.n_columns + n, own};
		}
	}
	return schema;
}

/* The same with a column for each feature of the workload behind. */
static struct table_schema make_with_features(const struct column *columns, size_t n,
	const struct app *workload, const char *value_unit)
{
	struct table_schema schema = make(columns, n, value_unit);
	const struct items_app *items = items_of(workload);
	size_t n_features = items == NULL ? 0 : items->n_features;
	struct column *own = realloc((void *)(uintptr_t)schema.columns, (n + n_features) * sizeof(*own));
	if (own == NULL) {
		abort();
	}
	for (size_t i = 0; i < n_features; i++) {
		own[n + i] = (struct column){
			items->feature_names[i], COLUMN_REAL, "", "the feature as it is seen, with its noise and drift"};
	}
	return (struct table_schema){n + n_features, own};
}

static struct table_schema make_runs(const struct scenario_file *file, size_t n_swept,
	const struct kpi_list *kpis, const char *value_unit)
{
	size_t n = COUNT(runs_first) + n_swept + COUNT(runs_verdict) + kpis->n + COUNT(runs_last);
	struct column *columns = calloc(n, sizeof(*columns));
	if (columns == NULL) {
		abort();
	}
	size_t at = 0;
	for (size_t i = 0; i < COUNT(runs_first); i++) {
		columns[at++] = runs_first[i];
	}
	for (size_t i = 0; i < n_swept; i++) {
		columns[at++] = (struct column){scenario_swept_key(file, i),
			scenario_swept_is_int(file, i)        ? COLUMN_INT
				: scenario_swept_is_real(file, i) ? COLUMN_REAL
												  : COLUMN_STRING,
			scenario_swept_unit(file, i), "swept"};
	}
	for (size_t i = 0; i < COUNT(runs_verdict); i++) {
		columns[at++] = runs_verdict[i];
	}
	for (size_t i = 0; i < kpis->n; i++) {
		columns[at++] = kpi_column(kpis->kpis[i], value_unit);
	}
	columns[at++] = runs_last[0];
	assert(at == n);
	return (struct table_schema){n, columns};
}

static bool any_point_has_faults(const struct scenario_file *file)
{
	for (size_t i = 0; i < scenario_n_points(file); i++) {
		if (scenario_point(file, i)->faults.n > 0) {
			return true;
		}
	}
	return false;
}

void run_schemas_init(struct run_schemas *schemas, const struct scenario_file *file)
{
	const struct scenario *scenario = scenario_point(file, 0);
	const struct app *workload = (const struct app *)scenario->workload.plugin;
	const char *unit = workload->value_unit == NULL ? "" : workload->value_unit;
	unsigned record = scenario->record;
	size_t n_swept = scenario_n_swept(file);
	*schemas = (struct run_schemas){.n_swept = n_swept};
	kpi_list_init(&schemas->kpis, file);
	schemas->tables[TABLE_RUNS] = make_runs(file, n_swept, &schemas->kpis, unit);
	schemas->tables[TABLE_VIOLATIONS] = make(violations, COUNT(violations), unit);
	if ((record & RECORD_DECISIONS) != 0) {
		schemas->tables[TABLE_DECISIONS] = make(decisions, COUNT(decisions), unit);
	}
	if ((record & RECORD_PREDICTIONS) != 0) {
		schemas->tables[TABLE_PREDICTIONS] = make(predictions, COUNT(predictions), unit);
	}
	if ((record & RECORD_TRANSACTIONS) != 0) {
		schemas->tables[TABLE_TRANSACTIONS] = make_transactions(file, unit);
	}
	if ((record & RECORD_VALIDATORS) != 0) {
		schemas->tables[TABLE_VALIDATORS] = make(validators, COUNT(validators), unit);
	}
	if ((record & RECORD_SERIES) != 0) {
		schemas->tables[TABLE_SERIES] = make(series, COUNT(series), unit);
	}
	if ((record & (RECORD_SERIES | RECORD_FAULTS)) != 0 && any_point_has_faults(file)) {
		schemas->tables[TABLE_FAULTS] = make(faults, COUNT(faults), unit);
	}
	if ((record & RECORD_ROC) != 0) {
		schemas->tables[TABLE_ROC] = make(roc, COUNT(roc), unit);
	}
	if ((record & RECORD_MODELS) != 0) {
		schemas->tables[TABLE_MODELS] = make(models, COUNT(models), unit);
		schemas->tables[TABLE_IMPORTANCE] = make(importance, COUNT(importance), unit);
	}
	if ((record & RECORD_OBSERVATIONS) != 0) {
		schemas->tables[TABLE_OBSERVATIONS] =
			make_with_features(observations, COUNT(observations), workload, unit);
	}
	if ((record & RECORD_TRAINING) != 0) {
		schemas->tables[TABLE_TRAINING] = make_with_features(training, COUNT(training), workload, unit);
	}
}

void run_schemas_describe(struct run_schemas *schemas)
{
	static const struct {
		const struct column *columns;
		size_t n;
	} all[TABLE_N] = {
		[TABLE_DECISIONS] = {decisions, COUNT(decisions)},
		[TABLE_PREDICTIONS] = {predictions, COUNT(predictions)},
		[TABLE_TRANSACTIONS] = {transactions, COUNT(transactions)},
		[TABLE_VALIDATORS] = {validators, COUNT(validators)},
		[TABLE_SERIES] = {series, COUNT(series)},
		[TABLE_VIOLATIONS] = {violations, COUNT(violations)},
		[TABLE_ROC] = {roc, COUNT(roc)},
		[TABLE_MODELS] = {models, COUNT(models)},
		[TABLE_IMPORTANCE] = {importance, COUNT(importance)},
		[TABLE_FAULTS] = {faults, COUNT(faults)},
		[TABLE_OBSERVATIONS] = {observations, COUNT(observations)},
		[TABLE_TRAINING] = {training, COUNT(training)},
	};
	static const char unit[] = "the workload's unit";
	*schemas = (struct run_schemas){.n_swept = 0};
	kpi_list_init(&schemas->kpis, NULL);
	for (int i = 0; i < TABLE_N; i++) {
		schemas->tables[i] = i == TABLE_RUNS ? make_runs(NULL, 0, &schemas->kpis, unit)
			: i == TABLE_TRANSACTIONS        ? make_transactions(NULL, unit)
											 : make(all[i].columns, all[i].n, unit);
	}
}

void run_schemas_finish(struct run_schemas *schemas)
{
	for (int i = 0; i < TABLE_N; i++) {
		free((void *)(uintptr_t)schemas->tables[i].columns);
	}
	*schemas = (struct run_schemas){0};
}
