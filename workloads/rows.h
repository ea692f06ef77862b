/* What aggregators share: sums and medians in ascending order, distances, and the rows' own order.
 */
#ifndef WORKLOADS_ROWS_H
#define WORKLOADS_ROWS_H

#include "workloads/rules.h"

static inline const double *row_at(const struct rows *rows, uint32_t i)
{
	return rows->values + (size_t)i * rows->dims;
}

/* The mean of sorted[0..n), n > 0, added in ascending order; finite for finite values. */
double sorted_mean(const double *sorted, uint32_t n);
/* The middle one; an even n averages the two in the middle. */
double sorted_median(const double *sorted, uint32_t n);
void sorted_copy(const double *values, uint32_t n, double *sorted);

/* The rows in ascending order, by the first coordinate that differs, then by score, then by the
 * claimed sd, then by index, in the arena's memory. Without scores all are 1. */
struct rows rows_ascending(const struct rows *rows, struct arena *arena);

/* The mean of the rows that are `taken` (NULL: all), at least one, added in the order of the rows.
 */
void rows_mean(const struct rows *rows, const bool *taken, double *out);
/* The median of each coordinate. */
void rows_median(const struct rows *rows, double *out, struct arena *scratch);

/* Squared Euclidean distance; infinite where it overflows. */
double row_distance2(const double *a, const double *b, uint32_t dims);
/* Euclidean distance, and in `unit` the direction from `from` to `to` of length 1 (0 where they are
 * equal). Nothing overflows on the way; the distance itself may. */
double row_direction(const double *from, const double *to, uint32_t dims, double *unit);

/* The rule's parameters that all aggregators have; help_faulty is what `faulty` does in this one.
 */
#define AGGREGATOR_PARAMS(when_faulty, help_faulty)                                                \
	{.name = "faulty",                                                                             \
		.kind = PARAM_INT,                                                                         \
		.flags = PARAM_AUTO,                                                                       \
		.offset = offsetof(struct aggregator_common, n_faulty),                                    \
		.min = 0,                                                                                  \
		.max = SIM_NODES_MAX,                                                                      \
		.fallback = "auto",                                                                        \
		.unit = "",                                                                                \
		.when = when_faulty,                                                                       \
		.help = help_faulty "; auto: floor((n-1)/3)"},                                             \
		{.name = "before",                                                                         \
			.kind = PARAM_CHOICE,                                                                  \
			.offset = offsetof(struct aggregator_common, before),                                  \
			.fallback = "none",                                                                    \
			.choices = "none|nnm|bucketing",                                                       \
			.unit = "",                                                                            \
			.help = "mixes first: nnm, each with its n - faulty nearest; bucketing, each s in "    \
					"turn"},                                                                       \
	{                                                                                              \
		.name = "s", .kind = PARAM_INT, .offset = offsetof(struct aggregator_common, bucket),      \
		.min = 1, .max = SIM_NODES_MAX, .fallback = "2", .unit = "",                               \
		.when = "before = bucketing",                                                              \
		.help = "predictions a bucket, for bucketing"                                              \
	}

/* Settles `faulty` and refuses half of the validators or more; every aggregator's finish. */
bool aggregator_finish(
	void *settings, const struct shape *shape, const char **param, char error[256]);

/* Mixes what is in ascending order; the answer is in ascending order again. */
struct rows rows_mix(const struct aggregator_common *common, const struct rows *rows,
	uint32_t n_faulty, struct arena *scratch);

#endif
