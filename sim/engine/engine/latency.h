/* One-way delays between parties, by model. */
#ifndef ENGINE_LATENCY_H
#define ENGINE_LATENCY_H

#include "sim/param.h"
#include "sim/random.h"

/* Where parties are: the validators and, after them, clients. */
struct latency_model {
	struct plugin plugin;
	/* The delay is the same for all messages between all parties. */
	bool constant;
	/* Fills delays_ns[0..n) for the copies of one multicast of `from` to to[0..n). The random numbers
	 * are those of (key, number) with the receiver's number as the counter's index. */
	void (*draw)(const void *settings, struct random_key key, uint64_t number, uint32_t from,
		const uint32_t *to, uint32_t n, uint32_t n_validators, sim_time *delays_ns);
	/* The delay that 99.9 % of messages on the slowest link don't exceed. */
	sim_time (*p999_ns)(const void *settings, uint32_t n_validators);
};

extern const struct registry latency_registry;

/* What may be added to a delay: `none`, the first, and all models but `regions`. */
extern const struct registry latency_extra_registry;

/* A list of places may be this long; longer worlds repeat it. */
#define LATENCY_PLACES_MAX 4096

/* The settings of `regions`, filled by its table. */
struct latency_regions {
	const struct csv_table *matrix; /* round trips, ms */
	struct name_list place;         /* a region for each validator, repeated in turn; empty: the
	                                 * matrix's own regions in turn */
	struct plugin_value jitter;     /* added; none by default */
	uint16_t rows[LATENCY_PLACES_MAX]; /* the places' rows in the matrix; `finish` makes them */
};

#endif
