/* What an adversary makes of items that are predicted, as the application knows it: who speaks under which names, what
 * is done to an item before anybody sees it, to what is said of it, and to what models learn from. attacks/ makes one
 * (attacks/on_predictions.h), the laboratory hands it on. */
#ifndef WORKLOADS_ADVERSARY_H
#define WORKLOADS_ADVERSARY_H

#include "workloads/prediction.h"

/* An item on which all live validators have made up their minds and none has spoken. Rows are of `dims` numbers, one a
 * validator or, of what is written, one an identity; NaN: it says nothing. */
struct speech {
	uint64_t item;
	sim_time now;
	uint32_t dims;
	const bool *alive;                     /* by validator */
	const struct prediction_model *models; /* by validator; NULL: there are none */
	const double *seen;                    /* FEATURES_MAX a validator */
	const double *honest;
	double *sent;
	double *claimed; /* the standard deviation that comes with it */
	bool *attacked;  /* of the identities beyond the validators, which ones speak */
	/* What the replica of validator `by` would decide on these rows of `speakers`, were they all that it heard, and
	 * whom it would listen to. False: nothing. */
	bool (*decide)(const void *context, uint32_t by, const uint32_t *speakers, const double *claimed,
		const double *rows, uint32_t n, double *out, bool *accepted);
	const void *context;
};

struct poisoning; /* the adversary's, of one training */

struct adversary {
	uint32_t n_more;        /* identities beyond the validators, numbered on from them */
	const uint32_t *owners; /* the validator behind each, ascending */
	/* Before validators see the item that arrives `now`. */
	void (*stamp)(const struct adversary *adversary, sim_time now, uint64_t index, struct item *item);
	/* From what the live validators would honestly say of it to what they, and all identities, send. */
	void (*speak)(struct adversary *adversary, const struct speech *speech);
	/* Clients know that much of the decisions on items now. */
	void (*decided)(struct adversary *adversary, const double *row, uint32_t dims);
	/* Of the lies that were looked for, the share that lies at the end of where they were; NaN: none was. */
	double (*at_reach)(const struct adversary *adversary);

	/* Who poisons a training, of data as it is at `at_ns`; NULL: nobody ever does. The memory is `arena`'s. */
	const struct poisoning *(*training)(
		const struct adversary *adversary, sim_time at_ns, uint32_t version, struct arena *arena);
	/* Goes on with the key of a model by what it does to one validator's rows, or (NODE_NONE) to all. */
	void (*poison_key)(const struct poisoning *poisoning, uint32_t node, uint64_t key[2]);
	/* Alters the rows that a validator has brought; whether it has. */
	bool (*poison)(const struct poisoning *poisoning, uint32_t contributor, struct training_rows *rows);
};

#endif
