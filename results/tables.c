/* The tables of a result file: an entry each. */
#include "results/tables.h"

#include <string.h>

/* Of `runs` these alone are the same in every file. */
static const struct column runs[] = {
	{"run", COLUMN_INT, "", "number of the run: point * replications + replication"},
	{"point", COLUMN_INT, "", "which setting of the swept keys"},
	{"replication", COLUMN_INT, "", "which of the independent runs at that point"},
	{"seed", COLUMN_INT, "", "the run's own seed, equal for all points of a replication"},
	{.name = NULL},
};

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
	{.name = NULL},
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
	{.name = NULL},
};

static const struct column transactions[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"transaction", COLUMN_INT, "", "the transaction's number, in order of submission"},
	{"client", COLUMN_INT, "", "who submitted it: the client (requests) or the validator whose gateway did"},
	{"item", COLUMN_INT, "", "the item that it is about"},
	{"kind", COLUMN_STRING, "",
		"what it asks for, in its application's word: request, get, put, prediction, close, proposal"},
	{"submitted_s", COLUMN_REAL, "s", "when its client submitted it"},
	{"ordered_s", COLUMN_REAL, "s", "when the first honest validator executed it; NaN: none did"},
	{"answered_s", COLUMN_REAL, "s",
		"when its client accepted the answer (a gateway: saw its validator execute it); NaN: never"},
	{"instance", COLUMN_INT, "", "the instance in which that validator executed it; -1: none"},
	{"view", COLUMN_INT, "", "the view or term of that; -1: none"},
	{"reject", COLUMN_STRING, "", "the application's reason why it changed nothing; empty: it counted"},
	{"answered_by", COLUMN_INT, "", "the validator whose reply was the last that its client needed; -1: none"},
	{.name = NULL},
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
	{.name = NULL},
};

static const struct column faults[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"time_s", COLUMN_REAL, "s", "when"},
	{"node", COLUMN_INT, "", "whom it befell; -1: no single validator"},
	{"event", COLUMN_STRING, "", "as traces have it: crash, restart, partition begins, partition ends, ..."},
	{.name = NULL},
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
	{.name = NULL},
};

static const struct column roc[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"threshold", COLUMN_REAL, "", "rejected is what scores below it; infinite: all"},
	{"true_positive", COLUMN_REAL, "", "share of the attacked predictions that are rejected"},
	{"false_positive", COLUMN_REAL, "", "share of the honest predictions that are rejected"},
	{.name = NULL},
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
	{.name = NULL},
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
	{.name = NULL},
};

static const struct column importance[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator"},
	{"version", COLUMN_INT, "", "of its model"},
	{"feature", COLUMN_STRING, "", "which is shuffled among the held-out items"},
	{"rmse_rise", COLUMN_REAL, UNIT_OF_VALUES, "by how much the root mean squared error grows then"},
	{.name = NULL},
};

static const struct column observations[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"item", COLUMN_INT, "", "the item's number"},
	{"node", COLUMN_INT, "", "the validator that sees it"},
	{"truth", COLUMN_REAL, UNIT_OF_VALUES, "what no validator sees"},
	{"target", COLUMN_REAL, "", "what a predictor's output should be (dimweight: ln of the grams)"},
	{.name = NULL},
};

static const struct column training[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"node", COLUMN_INT, "", "the validator that learns from it"},
	{"version", COLUMN_INT, "", "of its model"},
	{"contributor", COLUMN_INT, "", "the validator that has brought it"},
	{"poisoned", COLUMN_INT, "", "1: altered by an attack"},
	{"truth", COLUMN_REAL, UNIT_OF_VALUES, "its label in the unit of the predictions"},
	{"target", COLUMN_REAL, "", "its label as it is learned (dimweight: ln of the grams)"},
	{.name = NULL},
};

static const struct column events[] = {
	{"run", COLUMN_INT, "", "the run's number"},
	{"transaction", COLUMN_INT, "", "the transaction whose execution made it known"},
	{"index", COLUMN_INT, "", "among those of that transaction"},
	{"time_s", COLUMN_REAL, "s", "when the first honest validator had executed it for good"},
	{"instance", COLUMN_INT, "", "the instance in which that was"},
	{"event", COLUMN_STRING, "", "what, in the application's word: deposited, transferred"},
	{"subject", COLUMN_INT, "", "the account, item, job, ... that it is about"},
	{"value_a", COLUMN_INT, "", "the first number that says more"},
	{"value_b", COLUMN_INT, "", "the second"},
	{.name = NULL},
};

const struct table result_tables[TABLE_N] = {
	[TABLE_RUNS] = {"runs", "a run: where it is in the sweep, how it ended, its KPIs", runs, .always = true},
	[TABLE_DECISIONS] = {"decisions", "an item", decisions},
	[TABLE_PREDICTIONS] = {"predictions", "what one validator said of one item", predictions, .predicted = true},
	[TABLE_TRANSACTIONS] = {"transactions",
		"a transaction, from submission to answer, with the application's reason where it changed nothing",
		transactions},
	[TABLE_VALIDATORS] = {"validators", "a validator in a run", validators},
	[TABLE_SERIES] = {"series", "a window of a run in time", series},
	[TABLE_VIOLATIONS] = {"violations", "a broken invariant", violations, .always = true},
	[TABLE_ROC] = {"roc",
		"a threshold of a run's scorer: what it would have rejected of attacked and of honest predictions", roc,
		.predicted = true},
	[TABLE_MODELS] = {"models", "a version of a validator's model", models, .predicted = true},
	[TABLE_IMPORTANCE] = {"importance", "a feature of a version of a validator's model", importance,
		.with = "models", .predicted = true},
	[TABLE_FAULTS] = {"faults", "what befell whom, and when", faults, .too = "series", .faults = true},
	[TABLE_OBSERVATIONS] = {"observations",
		"what one validator saw of one item; its features stand behind, by name", observations, .features = true,
		.predicted = true},
	[TABLE_TRAINING] = {"training",
		"a row that a validator's model learned from; its features stand behind, by name", training,
		.features = true, .predicted = true},
	[TABLE_EVENTS] = {"events", "what executing a transaction made known, once, in the order of the log", events},
};

const char *table_word(const struct table *table)
{
	return table->with != NULL ? table->with : table->name;
}

enum table_id table_find(const char *name)
{
	int i = 0;
	while (i < TABLE_N && strcmp(result_tables[i].name, name) != 0) {
		i++;
	}
	return (enum table_id)i;
}
