/* Applications whose items have one true value that validators predict: parcels' weights, a round's gradient. Which
 * items there are, what is seen of them and what that means is an application's own (struct items_app); that they are
 * predicted by trained models, submitted by gateways, closed, scored, aggregated and decided is the same for all. */
#ifndef WORKLOADS_ITEMS_H
#define WORKLOADS_ITEMS_H

#include "workloads/app.h"
#include "workloads/prediction.h"

struct items_app {
	struct app app;
	uint32_t n_features;
	const char *const *feature_names;
	/* Draws item number `index` from its own stream. */
	void (*draw)(
		const void *settings, struct random_stream *stream, uint64_t index, struct item *item);
	/* The truth and the target of an item whose features somebody has changed; NULL: they can't be
	 * told from the features. */
	void (*relabel)(const void *settings, struct item *item);
	/* What one validator sees of it, with its own noise. */
	void (*observe)(
		const void *settings, struct random_stream *stream, const struct item *item, double *seen);
	/* From what is seen and the predictor's output to the prediction, and the gradient of that with
	 * respect to what is seen, the output's own gradient given. */
	double (*value)(const void *settings, const double *seen, double output);
	void (*value_gradient)(const void *settings, const double *seen, double output,
		const double *output_gradient, double *gradient);

	/* Without a model (then the three above are NULL): what an honest validator says of the item, a row of `dims`
	 * numbers, and the standard deviation that it claims, or NaN. */
	double (*say)(const void *settings, struct random_stream *stream, uint32_t validator,
		const struct item *item, double *row);
	uint32_t (*dims)(const void *settings); /* NULL: 1 */
	/* The one number that stands for a decided row in KPIs and tables; NULL: its first. */
	double (*summary)(const double *row, uint32_t dims);
};

/* The application as one whose items are predicted; NULL: it is none. */
static inline const struct items_app *items_of(const struct app *app)
{
	return app != NULL && app->predicted ? (const struct items_app *)app : NULL;
}

static inline uint32_t items_dims(const struct items_app *app, const void *settings)
{
	return app->dims == NULL ? 1 : app->dims(settings);
}

/* Tables of their own, in the order of items_tables. */
enum items_table {
	ITEMS_PREDICTIONS,
	ITEMS_OBSERVATIONS,
	ITEMS_MODELS,
	ITEMS_IMPORTANCE,
	ITEMS_TRAINING,
	ITEMS_ROC,
};

#endif
