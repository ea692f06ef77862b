/* What there is to agree on, and what predicts it: a new workload or predictor is one file and one
 * line here. Arrivals, scorers and aggregators are small and have their registries in their own
 * files. */
#include "plugins.h"

#include "predictors.h"

static const struct plugin *const workloads[] = {
	&workload_requests.plugin,
	&workload_kv.plugin,
	&workload_dimweight.plugin,
	NULL,
};

const struct registry workload_registry = {
	.sort = "workload",
	.plural = "workloads",
	.plugins = workloads,
};

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
	.sort = "predictor",
	.plural = "predictors",
	.plugins = predictors,
};
