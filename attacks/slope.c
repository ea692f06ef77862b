#include "slope.h"

#include "workloads/items.h"

#include <math.h>
#include <string.h>

static void differences(
	const struct prediction_model *model, const double *x, double reach, double *slope)
{
	double moved[FEATURES_MAX];
	uint32_t n = model->workload->n_features;
	memcpy(moved, x, prediction_seen_n(model) * sizeof(*moved));
	for (uint32_t i = 0; i < n; i++) {
		moved[i] = x[i] + reach;
		double above = prediction_value(model, moved);
		moved[i] = x[i] - reach;
		double below = prediction_value(model, moved);
		moved[i] = x[i];
		slope[i] = reach > 0 ? (above - below) / (2 * reach) : 0;
	}
}

void slope_at(const struct attack_view *view, const double *x, double reach, double *slope)
{
	assert(view->model->workload->n_features <= FEATURES_MAX);
	if (prediction_has_gradient(view->model)) {
		prediction_gradient(view->model, x, slope);
	} else {
		differences(view->model, x, reach, slope);
	}
}

void slope_move(
	const double *x, const double *slope, uint32_t n, enum norm norm, double length, double *out)
{
	double square_sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		square_sum += slope[i] * slope[i];
	}
	double slope_length = sqrt(square_sum);
	for (uint32_t i = 0; i < n; i++) {
		double way = (slope[i] > 0) - (slope[i] < 0);
		if (norm == NORM_L2) {
			way = slope_length > 0 ? slope[i] / slope_length : 0;
		}
		out[i] = x[i] + length * way;
	}
}
