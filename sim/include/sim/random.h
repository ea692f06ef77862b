/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as
 * easy as 1, 2, 3; SC 2011), by Random123.
 *
 * A stream is named by (seed, purpose, entity), so that no draw ever shifts another's: taking one more
 * number for a predictor's noise changes no message's delay. Two ways to draw:
 *  - from a `struct random_stream`, in sequence;
 *  - from a `struct random_key` with a counter of the caller's (a message's number and its receiver),
 *    in any order, which is what the network does.
 * Every number is made of + - * / and sqrt, tables and sim/real.h, so the bits are the same everywhere. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include "sim/types.h"

enum random_purpose {
	RANDOM_LATENCY = 1, /* entity: sending node */
	RANDOM_LOSS,        /* sending node */
	RANDOM_ARRIVALS,
	RANDOM_ITEM,        /* item */
	RANDOM_OBSERVATION, /* (node << 40) + item */
	RANDOM_TRAINING,    /* node */
	RANDOM_PROTOCOL,    /* node: election timeouts and the like */
	RANDOM_ADVERSARY,   /* which nodes attack */
	RANDOM_ATTACK,      /* what they say; (attack << 56) + (node << 36) + item */
	RANDOM_FAULT,
	RANDOM_REPLICATION, /* the runs' own seeds */
	RANDOM_ANALYSIS,    /* bootstrap and permutation */
	RANDOM_MODEL,       /* what training draws itself: first weights, rows left out; by model */
	RANDOM_LABELS,      /* noise of training labels; as RANDOM_TRAINING */
	RANDOM_SHARDS,      /* who gets which rows; as RANDOM_TRAINING */
	RANDOM_POISON,      /* (attack << 56) + (version << 32) + node, or, at items, 1 << 55 + item */
	RANDOM_DISK,        /* node: what writes take; (node + 1) << 32 + crash: what it leaves of one */
	RANDOM_TOPOLOGY,    /* who is linked to whom */
	RANDOM_SCORER = 64, /* the item; UINT64_MAX: what a classifier is trained on */
	RANDOM_PURPOSES
};

struct random_key {
	uint32_t k[2];
};

struct random_stream {
	struct random_key key;
	uint64_t counter;
	uint64_t spare[2];
	int n_spare;
};

struct random_key random_key_make(uint64_t seed, enum random_purpose purpose, uint64_t entity);
struct random_stream random_stream_make(uint64_t seed, enum random_purpose purpose, uint64_t entity);

/* The seed of replication `replication` of a scenario. */
uint64_t random_replication_seed(uint64_t scenario_seed, uint64_t replication);

/* 128 random bits for (counter, index, domain): two words of 64. Domains keep apart what else would
 * collide: 0 is the ordinary draw; rejections go on in higher ones. */
void random_block(struct random_key key, uint64_t counter, uint32_t index, uint32_t domain,
	uint64_t out[2]);

uint64_t random_u64(struct random_stream *stream);
/* Uniform in [0, 1), 53 bits. */
double random_unit(struct random_stream *stream);
/* Uniform in (0, 1), never either end. */
double random_unit_open(struct random_stream *stream);
double random_uniform(struct random_stream *stream, double min, double max);
/* Uniform in [0, n), without bias; n > 0. */
uint64_t random_below(struct random_stream *stream, uint64_t n);
/* Standard normal by the ziggurat: Marsaglia and Tsang, Journal of Statistical Software 5(8), 2000, with
 * 256 layers, 64-bit words and the layer taken from bits that the abscissa doesn't use (Doornik 2005). */
double random_normal(struct random_stream *stream);
/* Exponential with mean 1, by inversion. */
double random_exponential(struct random_stream *stream);

/* The same at a counter: the draws of (counter, index), in any order and as often as wanted. */
double random_unit_at(struct random_key key, uint64_t counter, uint32_t index);
double random_normal_at(struct random_key key, uint64_t counter, uint32_t index);

/* Fills out[0..n) with random_*_at(key, counter, 0 .. n-1). */
void random_units_at(struct random_key key, uint64_t counter, double *out, uint32_t n);
void random_normals_at(struct random_key key, uint64_t counter, double *out, uint32_t n);
/* The same from index `first` on; first + n <= 2^32. Costs half of what n single draws would. */
void random_units_from(struct random_key key, uint64_t counter, uint32_t first, double *out,
	uint32_t n);
void random_normals_from(struct random_key key, uint64_t counter, uint32_t first, double *out,
	uint32_t n);

/* Shuffles 0 .. n-1 into out (Fisher-Yates). */
void random_permutation(struct random_stream *stream, uint32_t *out, uint32_t n);

#endif
