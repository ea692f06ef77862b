/* What an adversary does: one const struct an attack, found by name in the registry.
 *
 * There are attacks on predictions and attacks on nodes.
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
 * Beside these, or alone, `alter` changes commands of any application as the attackers' gateways submit them, and
 * the clients that sit with them (client i sits with validator i mod n): a transfer, a rating, a batch of ticks.
 *
 * An attack on nodes runs the honest protocol and sits between it and the network: it is shown each copy
 * of each message that its node sends to another (`tamper`), and withholds, delays or changes it, or
 * sends more; it may listen to what comes to its node (`hear`); or it is deaf to some requests (`ignores`).
 * It never sees a protocol's inside: what can be said instead of the truth, the protocol exports, and the
 * laboratory hands on as `struct attack_hands`. Two are about the node as a whole: `pauses` (it goes down
 * and comes back), `doubles` (it runs twice). Such a node is no honest replica: the protocol owes it
 * nothing.
 *
 * Attacks compose in the order in which the scenario lists them: each takes what the one before it
 * made of the same node's value. They take the same adversaries: `fraction` and `count` take the first
 * nodes of one permutation of the validators, drawn from (seed, RANDOM_ADVERSARY), so a larger number
 * holds the smaller ones' nodes and every protocol meets the same set. */
#ifndef ATTACKS_ATTACK_H
#define ATTACKS_ATTACK_H

#include "sim/node.h"
#include "workloads/prediction.h"

struct app;
struct command; /* workloads/app.h */

/* The first member of every attack's settings. */
struct attack_common {
	/* Who attacks, said in one of three ways. */
	double fraction; /* of the validators, to the nearest number; -1: not given */
	int64_t count;   /* of them; -1: not given */
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
 * out[0..dims), and in accepted[0..n) whom it listens to; false where the rows stay undecided. Must be a
 * function of the rows alone. */
struct craft_defence {
	bool (*decide)(const void *context, const double *rows, uint32_t n, uint32_t dims, double *out,
		bool *accepted);
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
	bool *at_reach; /* whether what a search found lies at the end of where it looked; NULL: nobody asks */
	struct random_stream *stream;        /* the colluders' common one; as above with node 0 */
};

/* What an attacker knows of a training: the rows that it brings to it. */
struct poison_view {
	const struct items_app *workload;
	const void *workload_settings;
	const struct training_rows *rows; /* at least 1 */
	struct random_stream *stream;     /* (seed, RANDOM_POISON, attack, version, node) */
};

/* The version of a batch that went to whoever this copy is for. */
#define VERSION_GIVEN UINT32_MAX

struct attack_copy;

/* What the protocol lets an adversary say. Versions of a batch are numbered: 0 is the true one; k is the
 * same for all colluders and whomever it is told (attacks/versions.c). */
struct attack_hands {
	/* Makes a proposal one of that version. False: it can't be said but by saying nothing. */
	bool (*propose)(struct attack_copy *copy, uint32_t version);
	/* Makes a vote one for that version, as far as anyone has lied about the batch at all. */
	void (*vote)(struct attack_copy *copy, uint32_t version);
	/* Votes as well for another batch than this vote does; for every candidate (Raft). */
	void (*vote_twice)(struct attack_copy *copy);
	/* Makes a certificate claim what was never signed. */
	void (*claim)(struct attack_copy *copy);
	/* Bends a certificate of the node's own; others stay as they are. */
	void (*bend)(struct attack_copy *copy, enum certificate_bend how);
	/* Makes `call`, a copy of any message, the node's call for a view: `ahead` after its own, or after the view
	 * `after` where that is later. False: it can't be said. */
	bool (*campaign)(struct attack_copy *copy, struct message *call, uint64_t after, uint64_t ahead);
	/* Makes an answer to a proposal acknowledge so many entries more than the node holds. */
	void (*acknowledge)(struct attack_copy *copy, uint64_t ahead);
	/* Raises the term that a message speaks of. */
	void (*inflate)(struct attack_copy *copy, uint64_t by);
	/* Makes a reply to a client tell a result that never was: a function of the true one. */
	void (*misinform)(struct attack_copy *copy);
	/* Sends one more message with this content to a node, past all attacks. */
	void (*send)(struct attack_copy *copy, uint32_t to, const struct message *content);
};

/* One copy of a message on its way out of a node under attack. */
struct attack_copy {
	struct node *node;
	struct message *message;
	uint32_t to;
	enum message_role role;
	uint32_t group;        /* of the receiver, by the attack's groups; VERSION_GIVEN: in none */
	sim_time now;
	sim_time auto_delay_ns; /* just below what the others bear with */
	void *memory;          /* the attack's own at this node: memory_size bytes, zeroed at first */
	void *common;          /* the same of all its nodes together, who collude: common_size bytes */
	struct random_stream *stream; /* (seed, RANDOM_ATTACK, (attack << 56) + (node << 36)) */
	const struct attack_hands *hands;
	void *context;         /* the hands' */
	/* What becomes of it. */
	bool withheld;
	sim_time delay_ns;     /* added to its way */
};

/* What an attack can't do without; a protocol that has none is refused. */
enum attack_needs {
	NEEDS_PROPOSALS = 1 << 0,    /* messages that propose batches */
	NEEDS_VOTES = 1 << 1,        /* votes of any sort */
	NEEDS_BATCH_VOTES = 1 << 2,  /* votes that name the batch */
	NEEDS_SECOND_VOTES = 1 << 3, /* votes of which one can give two */
	NEEDS_CERTIFICATES = 1 << 4,
	NEEDS_TRUST = 1 << 5,        /* a leader who is taken at his word */
	NEEDS_PATIENCE = 1 << 6,     /* a timeout by which a leader is judged, where the delay is `auto` */
	NEEDS_ACKNOWLEDGEMENTS = 1 << 7, /* answers that say what their sender holds */
	NEEDS_TERMS = 1 << 8,        /* terms that are taken over from whoever names a higher one */
	NEEDS_BENDING = 1 << 9,      /* certificates of which a part can be left out */
	NEEDS_CAMPAIGNS = 1 << 10,   /* views that anyone can call for */
	NEEDS_MACS = 1 << 11,        /* messages with a MAC for each receiver */
};

/* One copy that has come to a node under attack from another, or from a client: the node is about to take it in. It
 * can be looked at and remembered, and what is sent later made by it; it is not changed. */
struct attack_heard {
	const struct node *node;
	const struct message *message;
	enum message_role role;
	sim_time now;
	void *memory, *common;        /* as in attack_copy */
	struct random_stream *stream; /* as in attack_copy */
};

/* A request that comes to a node under attack. */
struct attack_request {
	uint32_t from; /* the validator whose gateway asks; NODE_CLIENT + k: client k */
	uint64_t item;
};

/* Whom each version goes to where the scenario names no groups. */
enum attack_groups {
	GROUPS_NONE,   /* the attack has no groups */
	GROUPS_GIVEN,  /* nobody in any: as the versions were given */
	GROUPS_HALVES, /* the validators that don't attack, in order, in two halves */
	GROUPS_EACH,   /* each other validator alone */
};

/* What an attacker knows of a command that its gateway, or a client that sits with it, is about to submit. */
struct alter_view {
	const struct app *app;
	const void *app_settings;
	sim_time now;
	struct arena *arena;          /* the run's, for bodies */
	struct random_stream *stream; /* (seed, RANDOM_ATTACK, (attack << 56) + (node << 36) + command) */
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
	void (*stamp)(const void *settings, const struct items_app *workload,
		const void *workload_settings, struct random_stream *stream, struct item *item);
	/* On commands of any application: what is submitted in its stead, before it is numbered and sent; whether it is
	 * another. May go with any of the others. */
	bool (*alter)(const void *settings, const struct alter_view *view, struct command *command);
	/* That the settings fit the workload; false with the parameter at fault (NULL: the attack as such) and
	 * a sentence, as a plugin's `finish` says it. NULL: they fit any. */
	bool (*suits)(const void *settings, const struct app *app, const char **param,
		char error[256]);

	/* On nodes: exactly one of these four. */
	/* Is the node deaf to this request, from whomever it comes? */
	bool (*ignores)(const void *settings, const struct attack_request *request);
	void (*tamper)(const void *settings, struct attack_copy *copy);
	/* Beside one of these: hears what comes to the node, before the node does. What a node says to itself, and
	 * what comes to its gateway, is not shown. Costs nothing where no attack listens. */
	void (*hear)(const void *settings, struct attack_heard *heard);
	/* Mean times up and down, ns. */
	void (*pauses)(const void *settings, double *up_ns, double *down_ns);
	bool doubles;
	unsigned (*needs)(const void *settings); /* enum attack_needs; NULL: nothing */
	size_t memory_size, common_size;
	enum attack_groups groups_default;
	const struct node_groups *(*groups)(const void *settings); /* as the scenario names them */
};

extern const struct registry attack_registry;

/* Is it on predictions, and not on messages, nodes or the network? */
static inline bool attack_on_predictions(const struct attack *attack)
{
	return attack->rewrite != NULL || attack->craft != NULL || attack->identities != NULL ||
		attack->poison != NULL;
}

static inline bool attack_on_nodes(const struct attack *attack)
{
	return attack->tamper != NULL || attack->pauses != NULL || attack->doubles ||
		attack->ignores != NULL;
}

/* The versions of the batches that somebody has lied about, by instance and view: shared by all that
 * attack in a run, so that colluders say the same. */
struct versions;

/* Gives the `skip`-th transaction after `than` that `node` has not executed, or TRANSACTION_NONE. */
typedef transaction_id (*versions_another)(
	const struct node *node, transaction_id than, uint32_t skip);

struct versions *versions_create(struct arena *arena, uint32_t n_validators, versions_another another);
/* That version of a batch; notes that `to` was given it. Made once: the transactions rotated; of one
 * transaction, another one that waits, or a null batch where none does. O(1) but the first time. */
const struct batch *versions_give(struct versions *versions, struct node *node, uint64_t instance,
	uint64_t view, const struct batch *honest, uint32_t version, uint32_t to);
/* The batch that is version `version` (VERSION_GIVEN: the one that `to` was given) of what was lied about
 * at that place; NULL: nobody has. */
const struct batch *versions_find(
	const struct versions *versions, uint64_t instance, uint64_t view, uint32_t version, uint32_t to);

/* One attack on rows from anywhere (`synod eval`), by what the view says alone: out[0 .. n_faulty *
 * dims). An attack by lone attackers is applied to each coordinate of each colluder's own row.
 * Of one that multiplies identities it is what the attackers send under their own names. False, with a sentence in
 * `error`, where the attack needs what rows can't give (a trained predictor, a defence). */
bool attack_rows(
	const struct plugin_value *attack, const struct craft_view *view, double *out, char error[256]);

/* How many of n validators a fraction means: the nearest number, halves away from 0. */
uint32_t attack_count(double fraction, uint32_t n_validators);
/* How many attack at full strength, by whichever says so; `nodes: leader` is none. */
uint32_t attack_number(const struct attack_common *common, uint32_t n_validators);

/* Marks attackers[0..n_validators) of one attack under this seed, at its full strength. */
void attack_nodes(
	const struct attack_common *common, uint64_t seed, uint32_t n_validators, bool *attackers);

/* Marks those that attack at `now`: none outside the window; within a ramp the share
 * (now - from) / ramp of them, to the nearest number, the same ones first. */
void attack_nodes_at(const struct attack_common *common, uint64_t seed, uint32_t n_validators,
	sim_time now, bool *attackers);

#endif
