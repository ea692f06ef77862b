/* Scorers and aggregators: what the replicated application does with the predictions of an item,
 * and what `synod eval` does with the rows of a file. All are deterministic functions of what they
 * are given, the same at every replica. Aggregators work in ascending order (of numbers, or of rows
 * by their first difference), so that what they give depends on the set of predictions alone, to
 * the last bit: two replicas that heard the same predictions in different orders decide the same.
 * Only a tie between different rows goes by the order of arrival: to the row that came first. */
#ifndef WORKLOADS_RULES_H
#define WORKLOADS_RULES_H

#include "sim/arena.h"
#include "sim/param.h"

/* The first member of every scorer's settings. Accepted is what has score >= threshold. */
struct scorer_common {
	double threshold;
};

#define SCORER_SCRATCH(n) (4 * (size_t)(n))

struct scorer {
	struct plugin plugin;
	bool accepts_all; /* `none` */
	/* Fills scores[0..n), each in [0, 1]; NaN and infinities get 0, and say nothing about the
	 * others. `scratch` has room for SCORER_SCRATCH(n) doubles. */
	void (*score)(const void *settings, const double *predictions, uint32_t n, double *scores,
		double *scratch);
};

/* What is done to the rows before they are aggregated. */
enum mixing {
	MIXING_NONE,
	/* Each row becomes the mean of the n - f rows nearest to it, itself included (Euclidean; ties
	 * to the row that came first). Allouah, Farhadkhani, Guerraoui, Gupta, Pinot, Stephan: Fixing
	 * by Mixing: A Recipe for Optimal Byzantine ML under Heterogeneity, AISTATS 2023, Algorithm 2.
	 */
	MIXING_NNM,
	/* Each s rows in turn become their mean, the last of a smaller bucket. Karimireddy, He, Jaggi:
	 * Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing, ICLR 2022, Algorithm 1.
	 * Departs from the paper: no shuffle. The buckets are made in the order of arrival, since a
	 * permutation that every replica can compute is as well known to the adversary as that order.
	 */
	MIXING_BUCKETING,
};

/* The first member of every aggregator's settings. */
struct aggregator_common {
	int64_t n_faulty; /* aggregator.faulty: how many liars it assumes; default floor((n-1)/3) */
	int before;       /* enum mixing */
	int64_t bucket;   /* rows a bucket, s */
};

/* One row a participant. */
struct rows {
	uint32_t n, dims;
	const double *values;  /* row i: values[i * dims ...] */
	const double *scores;  /* how far each can be trusted; NULL: all alike */
	const uint32_t *index; /* the place of each among those given; NULL: as they stand */
	const double *confidence; /* the sd that each claims, > 0; NULL: none claims any */
};

struct aggregator {
	struct plugin plugin;
	bool uses_faulty; /* has the parameter `faulty` */
	/* The smallest n, after mixing, that it can work on with n_faulty liars among them. */
	uint32_t (*n_min)(const void *settings, uint32_t n_faulty);
	/* A number from n > 0 finite numbers, without mixing, for rules that have a fast way to it;
	 * else NULL. The same bits as aggregate_rows gives. `scratch` has room for 2n doubles. */
	double (*aggregate)(const void *settings, const double *predictions, const double *scores,
		uint32_t n, uint32_t n_faulty, double *scratch);
	/* A row from n > 0 finite rows in ascending order, mixed already, their `index` given. */
	void (*aggregate_rows)(const void *settings, const struct rows *rows, uint32_t n_faulty,
		double *out, struct arena *scratch);
};

/* The smallest n that the aggregator can work on, mixing included, n_faulty liars among them. */
static inline uint32_t aggregator_n_min(const struct plugin_value *aggregator, uint32_t n_faulty)
{
	/* the plugin is the first member of an aggregator, and these of its settings */
	const struct aggregator *rule = (const void *)aggregator->plugin;
	const struct aggregator_common *common = aggregator->settings;
	uint64_t n = rule->n_min ? rule->n_min(aggregator->settings, n_faulty) : 1;
	if (common->before == MIXING_NNM && n < 2 * (uint64_t)n_faulty + 1) {
		n = 2 * (uint64_t)n_faulty + 1;
	} else if (common->before == MIXING_BUCKETING) {
		n = (n - 1) * (uint64_t)common->bucket + 1; /* the last bucket may be of one */
	}
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

/* Can it work on these, n_faulty lies among them? False with a sentence: a value that is not
 * finite, half of the rows or more faulty, too few rows. */
bool aggregator_check(const struct plugin_value *aggregator, const struct rows *rows,
	uint32_t n_faulty, char error[256]);

/* Mixes and aggregates finite rows, at least aggregator_n_min of them, to out[0..dims). n_faulty is
 * lowered by the caller by the number of rejected ones, not below 0; the settings' own is not
 * looked at. Scratch memory is the caller's to give back. Cost by rule: O(n dims) and a sort; O(n^2
 * dims) for krum, multi-krum, bulyan (O(n^3) more), majority and nearest-neighbour mixing. */
void aggregator_apply(const struct plugin_value *aggregator, const struct rows *rows,
	uint32_t n_faulty, double *out, struct arena *scratch);

extern const struct registry scorer_registry;
extern const struct registry aggregator_registry;
/* Those that mean something on a file of rows alone: `synod eval`. */
extern const struct registry eval_scorer_registry, eval_aggregator_registry;

/* Median of values[0..n), n > 0, which it reorders; an even n averages the two in the middle. */
double median_in_place(double *values, uint32_t n);

#endif
