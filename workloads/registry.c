/* What there is to agree on, what predicts it, what judges predictions and what makes one of them, each in
 * the order in which it is listed. Sources of parcels, arrivals, shardings and drifts are a file each, with
 * their registry. */
#include "scorers.h"
#include "predictors.h"

#include "workloads/items.h"
#include "workloads/workload.h"

extern const struct app app_requests, app_kv, app_ledger;
extern const struct items_app app_dimweight, app_vector;

static const struct plugin *const workloads[] = {
	&app_requests.plugin,
	&app_kv.plugin,
	&app_ledger.plugin,
	&app_dimweight.app.plugin,
	&app_vector.app.plugin,
	NULL,
};

const struct registry workload_registry = {
	.sort = "workload", .plural = "workloads", .plugins = workloads};

extern const struct predictor predictor_linear, predictor_ridge, predictor_trees, predictor_forest,
	predictor_mlp, predictor_gp, predictor_ensemble, predictor_oracle;

static const struct plugin *const predictors[] = {
	&predictor_linear.plugin,
	&predictor_ridge.plugin,
	&predictor_trees.plugin,
	&predictor_forest.plugin,
	&predictor_mlp.plugin,
	&predictor_gp.plugin,
	&predictor_ensemble.plugin,
	&predictor_oracle.plugin,
	NULL,
};

const struct registry predictor_registry = {
	.sort = "predictor", .plural = "predictors", .plugins = predictors};

/* The same as members of an ensemble. */
extern const struct predictor member_linear, member_ridge, member_trees, member_forest, member_mlp,
	member_gp;

static const struct plugin *const members[] = {
	&member_linear.plugin,
	&member_ridge.plugin,
	&member_trees.plugin,
	&member_forest.plugin,
	&member_mlp.plugin,
	&member_gp.plugin,
	NULL,
};

const struct registry predictor_member_registry = {
	.sort = "predictor of an ensemble", .plural = "members", .plugins = members};

extern const struct scorer scorer_none, scorer_mad, scorer_z, scorer_iqr, scorer_isolation,
	scorer_classifier, scorer_reputation, scorer_combined, scorer_latency;

/* Those that look at the item alone. */
#define PLAIN_SCORERS                                                                              \
	&scorer_mad.plugin, &scorer_z.plugin, &scorer_iqr.plugin, &scorer_isolation.plugin,            \
		&scorer_classifier.plugin

static const struct plugin *const scorers[] = {
	&scorer_none.plugin, PLAIN_SCORERS, &scorer_reputation.plugin, &scorer_combined.plugin, NULL};
static const struct plugin *const scorers_plain[] = {PLAIN_SCORERS, NULL};
static const struct plugin *const scorer_members[] = {PLAIN_SCORERS, &scorer_reputation.plugin, NULL};
static const struct plugin *const eval_scorers[] = {&scorer_latency.plugin, NULL};

const struct registry scorer_registry = {
	.sort = "scorer", .plural = "scorers", .plugins = scorers};
const struct registry scorer_plain_registry = {
	.sort = "scorer", .plural = "scorers", .plugins = scorers_plain};
const struct registry scorer_member_registry = {
	.sort = "scorer", .plural = "scorers", .plugins = scorer_members};
const struct registry eval_scorer_registry = {
	.sort = "scorer", .plural = "scorers", .plugins = eval_scorers};

extern const struct aggregator aggregator_mean, aggregator_median, aggregator_trimmed_mean,
	aggregator_weighted_mean, aggregator_krum, aggregator_multi_krum, aggregator_bulyan,
	aggregator_geometric_median, aggregator_centered_clipping, aggregator_majority,
	aggregator_inverse_variance, aggregator_mean_around_median, aggregator_fltrust;

static const struct plugin *const aggregators[] = {
	&aggregator_mean.plugin,
	&aggregator_median.plugin,
	&aggregator_trimmed_mean.plugin,
	&aggregator_weighted_mean.plugin,
	&aggregator_krum.plugin,
	&aggregator_multi_krum.plugin,
	&aggregator_bulyan.plugin,
	&aggregator_geometric_median.plugin,
	&aggregator_centered_clipping.plugin,
	&aggregator_majority.plugin,
	&aggregator_inverse_variance.plugin,
	&aggregator_mean_around_median.plugin,
	NULL,
};
static const struct plugin *const eval_aggregators[] = {&aggregator_fltrust.plugin, NULL};

const struct registry aggregator_registry = {
	.sort = "aggregator", .plural = "aggregators", .plugins = aggregators};
const struct registry eval_aggregator_registry = {
	.sort = "aggregator", .plural = "aggregators", .plugins = eval_aggregators};
