/* What an adversary does: one const struct an attack, found by name in the registry.
 *
 * An attack on predictions changes what its nodes' gateways submit; the nodes are honest replicas
 * otherwise. It comes in one of these forms:
 *
 *   `rewrite`  each attacker on its own, knowing its own prediction and predictor only
 *   `craft`    colluders that speak last ("rushing"), having seen what the honest ones send; on
 *              rows of any number of dimensions: predictions are one, gradients many
 *   `poison`   each attacker alters the rows that it brings to a training, at whose time the attack
 *              is on: its own, or its part of what all learn from. It may also stamp items as they
 *              come (`stamp`), for every validator that sees them
 *
 * Attacks compose in the order in which the scenario lists them: each takes what the one before it
 * made of the same node's value. They take the same adversaries: `fraction` takes the first nodes
 * of one permutation of the validators, drawn from (seed, RANDOM_ADVERSARY), so a larger fraction
 * holds the smaller ones' nodes and every protocol meets the same set. */
#ifndef ATTACKS_ATTACK_H
#define ATTACKS_ATTACK_H

#include "workloads/prediction.h"

/* The first member of every attack's settings. */
struct attack_common {
	double fraction; /* of the validators, to the nearest number; -1: `nodes` says which */
	struct node_list nodes;
	sim_time from_ns, until_ns; /* half-open */
	sim_time ramp_ns; /* the attackers' number grows for so long from `from` on; 0: at once */
	double confidence; /* what each claims as its standard deviation is divided by this */
};

/* What a lone attacker knows when it speaks. */
struct attack_view {
	const struct prediction_model *model; /* its own */
	const double *seen;                   /* what it has seen of the item */
	double honest;                        /* what it would have said */
	double value;                         /* what the attacks before this one have made of it */
	struct random_stream *stream; /* (seed, RANDOM_ATTACK, (attack << 56) + (node << 36) + item) */
};

/* The defence that an adaptive adversary plays against: the decision on n rows of dims each, in
 * out[0..dims); false where the rows stay undecided. Must be a function of the rows alone. */
struct craft_defence {
	bool (*decide)(const void *context, const double *rows, uint32_t n, uint32_t dims, double *out);
	const void *context;
};

/* What colluders know when they speak. Rows are dims numbers each, one row after the other. */
struct craft_view {
	const double *honest; /* n_honest rows, in the order of the nodes: what they send */
	uint32_t n_honest;    /* at least 1 */
	uint32_t n_faulty;    /* the colluders, at least 1 */
	uint32_t n;           /* all that speak: n_honest + n_faulty, and who attacks on his own */
	uint32_t dims;        /* at least 1 */
	const double *own;    /* n_faulty rows: what each colluder would send without this attack; NULL:
						   * unknown, and the mean of the honest rows stands for it */
	const double *decision;              /* dims: the latest decision; NULL: none yet */
	const struct craft_defence *defence; /* NULL: unknown */
	struct random_stream *stream;        /* the colluders' common one; as above with node 0 */
};

/* What an attacker knows of a training: the rows that it brings to it. */
struct poison_view {
	const struct workload *workload;
	const void *workload_settings;
	const struct training_rows *rows; /* at least 1 */
	struct random_stream *stream;     /* (seed, RANDOM_POISON, attack, version, node) */
};

struct attack {
	struct plugin plugin;
	const char *knows; /* what the adversary knows and can do, for `synod list` */
	bool uses_model;   /* `rewrite` needs the view's model, seen and honest value */
	bool uses_defence; /* `craft` needs the view's defence */
	/* What it sends instead. Exactly one of rewrite, craft and poison is there for an attack on
	 * predictions. */
	double (*rewrite)(const void *settings, const struct attack_view *view);
	/* What each of the colluders sends: n_faulty rows. */
	void (*craft)(const void *settings, const struct craft_view *view, double *out);
	/* An attack that multiplies identities: how many each attacker speaks under, its own included, and
	 * what a further one sends, `value` being what its owner sends after all attacks. Then neither of
	 * the two above is there. */
	uint32_t (*identities)(const void *settings);
	double (*echo)(const void *settings, double value, struct random_stream *stream);
	/* What one attacker makes of its rows; whether it has changed any. */
	bool (*poison)(const void *settings, const struct poison_view *view);
	/* What the adversary does to an item before anybody sees it, with a stream of the item's own.
	 * NULL: nothing. */
	void (*stamp)(const void *settings, const struct workload *workload,
		const void *workload_settings, struct random_stream *stream, struct item *item);
	/* That the settings fit the workload; false with a sentence. NULL: they fit any. */
	bool (*suits)(const void *settings, const struct workload *workload, char error[256]);
};

extern const struct registry attack_registry;

/* Is it on predictions, and not on messages, nodes or the network? */
static inline bool attack_on_predictions(const struct attack *attack)
{
	return attack->rewrite != NULL || attack->craft != NULL || attack->identities != NULL ||
		attack->poison != NULL;
}

/* One attack on rows from anywhere (`synod eval`), by what the view says alone: out[0 .. n_faulty *
 * dims). An attack by lone attackers is applied to each coordinate of each colluder's own row.
 * Of one that multiplies identities it is what the attackers send under their own names. False, with a sentence in
 * `error`, where the attack needs what rows can't give (a trained predictor, a defence). */
bool attack_rows(
	const struct plugin_value *attack, const struct craft_view *view, double *out, char error[256]);

/* How many of n validators a fraction means: the nearest number, halves away from 0. */
uint32_t attack_count(double fraction, uint32_t n_validators);

/* Marks attackers[0..n_validators) of one attack under this seed, at its full strength. */
void attack_nodes(
	const struct attack_common *common, uint64_t seed, uint32_t n_validators, bool *attackers);

/* Marks those that attack at `now`: none outside the window; within a ramp the share
 * (now - from) / ramp of them, to the nearest number, the same ones first. */
void attack_nodes_at(const struct attack_common *common, uint64_t seed, uint32_t n_validators,
	sim_time now, bool *attackers);

#endif
