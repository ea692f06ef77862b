/* What a protocol is to the laboratory: one const struct, found by name in the registry. */
#ifndef PROTOCOLS_PROTOCOL_H
#define PROTOCOLS_PROTOCOL_H

#include "sim/node.h"
#include "sim/param.h"

/* How clients (and gateways) find whom to ask. */
enum client_policy {
	CLIENT_OWN_VALIDATOR, /* client i believes in validator i mod n for ever */
	CLIENT_TO_ALL,        /* in the view's primary; on a timeout, asks all */
	CLIENT_HINTED,        /* in the last leader hinted; on a timeout, asks the next */
	CLIENT_BROADCAST,     /* in nobody: asks all, and on a timeout all again */
	CLIENT_COORDINATOR,   /* in node 0 for ever (`central`) */
};

/* What a checker reads of a Raft-like log. */
struct log_entry {
	uint64_t term;
	uint64_t digest;
};

/* How a protocol answers a read that need not be ordered (MESSAGE_READ). */
enum protocol_reads {
	READS_ORDERED, /* not at all: a read is a request like any other */
	READS_LEADER,  /* the client asks whom it takes for the leader; one answer is enough */
	READS_ALL,     /* it asks all and needs read_quorum equal answers, else has the read ordered */
};

/* What a validator is in a configuration. */
enum protocol_part {
	PART_NONE,    /* spare, or removed */
	PART_LEARNER, /* follows, and has no vote */
	PART_VOTER,
};

struct protocol_step_argument {
	uint32_t to;
	struct node_list members, learners;
	bool joint; /* by joint consensus, else one server at a time */
	bool force; /* campaign: without asking first whether it would be elected */
};

/* Which batch a liar proposes for an instance in a view or term, where the honest one is `honest`. */
typedef const struct batch *(*forgery_choose)(
	void *context, uint64_t instance, uint64_t view, const struct batch *honest);

/* What a node that lies can send instead of the truth. It signs with its own key, so that anything it says
 * itself can be forged; what others signed can't: the protocol's own checks refuse a copy that claims more of
 * them than there are (node_refuse), or, where the protocol has none, the copy is marked MESSAGE_FORGED, and
 * the engine refuses it in the receiver's place. The copy's body is shared with the others': a forger
 * makes a new one. Messages of other roles than a function speaks of are left alone. Each function but
 * `role` may be NULL: the protocol has nothing of that kind. */
struct protocol_forgery {
	enum message_role (*role)(const struct message *message); /* of the protocol's own kinds */
	/* Makes the copy propose what `choose` says, for each instance in it. False: what it chose can't be
	 * said in this protocol, but by saying nothing. */
	bool (*propose)(struct node *node, struct message *copy, forgery_choose choose, void *context);
	/* Makes a vote one for another batch of (message's instance, its view), or, where votes name blocks, for the block
	 * that this batch would make in the place of the one voted for. The batch may be one that nobody has proposed, of
	 * which there is a digest alone; it lives as long as the call. */
	void (*vote)(struct node *node, struct message *copy, const struct batch *batch);
	/* Makes a refusal a vote for whoever asked. False: it is no refusal. */
	bool (*grant)(struct node *node, struct message *copy);
	/* Makes an answer to a proposal acknowledge `ahead` entries more than its node holds. False: it answers
	 * none. (A leader that believes it counts the node for entries, sent or yet to come, that it lacks.) */
	bool (*acknowledge)(struct node *node, struct message *copy, uint64_t ahead);
	/* Raises the view or term that the copy speaks of by `by`, below 2^32. */
	void (*inflate)(struct node *node, struct message *copy, uint64_t by);
	/* Makes a certificate claim what was never signed: in PBFT a view change with a prepared batch or a
	 * stable checkpoint that it can't prove, in several ways, by the message's number; a new view from view
	 * changes that nobody made; its own checkpoint with another digest; a state that was never agreed on. */
	void (*claim)(struct node *node, struct message *copy);
	/* Bends a certificate: nobody can refuse what comes of it. In PBFT a view change of the node's own, or, in
	 * a new view of its own, the view change of its own in V: bent in another way, or not at all, for each
	 * receiver, it is another V to each. False: this message is no such certificate, and stays as it is. */
	bool (*bend)(struct node *node, struct message *copy, enum certificate_bend how);
	/* Makes any message the node's call for a later view: PBFT's view change for `view`, of what the node has
	 * prepared, signed, whatever view it is in itself. To be sent beside the true ones: for view after
	 * view. False: it can't be said (`view` is not later, or beyond all bounds). */
	bool (*campaign)(struct node *node, struct message *copy, uint64_t view);
};

/* How long validators bear with a leader that does nothing; SIM_NEVER: for ever. */
struct protocol_patience {
	sim_time least_ns, most_ns; /* of one leader: as it is drawn, or the same */
	bool doubles;               /* with each leader in a row that does nothing */
};

/* The protocol's words, for traces. Each may be NULL. */
struct protocol_words {
	const char *view;                /* "view", "term"; NULL: it has none */
	const char *instance;            /* "instance", "index"; NULL: "instance" */
	const char *const *timer_names;  /* of timers 0 .. ; ends with NULL */
	/* What messages are to a reader of the protocol, finer than their kinds: a vote granted or refused. A
	 * figure gives each phase a colour. NULL: the kinds are the phases. */
	const char *const *phase_names;  /* ends with NULL */
	unsigned (*phase)(const struct message *message); /* of the protocol's own kinds */
	/* What one of its own messages says, in the paper's words, without its kind; false: it has no words
	 * for this one. */
	bool (*tell)(const struct message *message, char *out, size_t size);
};

/* What has been executed for good, may it be taken back (node_revoked)? */
enum protocol_finality {
	FINALITY_CERTAIN,  /* never */
	FINALITY_PROBABLE, /* for another history, the less likely the longer ago it was; what clients were told of it is
	                    * promised to nobody, and what promises are kept the run's end shows */
};

struct kpi_table;

struct protocol {
	struct plugin plugin;
	bool byzantine;     /* tolerates liars; else crashes, or, with `solo`, promises nothing */
	/* One validator goes on alone: any (`none`) or the coordinator (`central`); f is 0 by default. */
	bool solo;
	bool ordered;       /* agrees on a log: agreement and total order are promised */
	enum protocol_finality finality;
	bool leader_based;
	bool relays;        /* passes on what is meant for all, so that not everyone need be linked to everyone */
	bool validates;     /* its backups ask node_valid before they vote for a proposal */
	enum client_policy client;
	size_t state_size;
	const char *const *message_names; /* by kind - MESSAGE_PROTOCOL; ends with NULL */
	const struct protocol_words *words; /* NULL: none but these */
	const struct kpi_table *kpis; /* of its own (results/kpi.h), end with NULL kpis; NULL: none */

	/* How many live, mutually reachable validators are needed to go on. */
	uint32_t (*quorum)(const void *settings, uint32_t n_validators, uint32_t n_faulty);
	/* How many faulty validators of so many it can be set to tolerate (f), and the rule as in papers: "n > 3f". The
	 * settings are not finished yet: `auto` is not resolved. */
	uint32_t (*faulty_most)(const void *settings, uint32_t n_validators);
	const char *faulty_rule;
	/* NULL: for ever. */
	struct protocol_patience (*patience)(const void *settings);
	/* How many equal replies a client needs. */
	uint32_t (*reply_quorum)(const void *settings, uint32_t n_faulty);

	/* Reads that are not ordered, and how many equal answers they need where all are asked. NULL: none. */
	enum protocol_reads (*reads)(const void *settings);
	uint32_t (*read_quorum)(const void *settings, uint32_t n_validators, uint32_t n_faulty);
	/* How many equal tentative replies a client needs; NULL or 0: the protocol gives none. */
	uint32_t (*tentative_quorum)(const void *settings, uint32_t n_validators, uint32_t n_faulty);
	/* Are requests and replies, too, authenticated by MACs? NULL: no. */
	bool (*macs)(const void *settings);

	/* Does it write to stable storage (node_write) what a crash must leave? NULL: no. */
	bool (*stores)(const void *settings);

	/* Called once a node, at time 0, in order of nodes; the state is zeroed. */
	void (*start)(struct node *node);
	/* Takes one message: the protocol's own kinds, and MESSAGE_REQUEST. */
	void (*receive)(struct node *node, const struct message *message);
	void (*timer)(struct node *node, unsigned timer);
	/* The node is up again after a crash: what is not on stable storage is gone. Timers are off. */
	void (*restart)(struct node *node);
	/* Does what a scenario's step says. False: it can't now (it does not lead, nothing to change), or the
	 * protocol has no such step. May be NULL. */
	bool (*step)(struct node *node, enum protocol_step step, const struct protocol_step_argument *argument);
	unsigned steps; /* bits by enum protocol_step: those that it has */
	const struct protocol_forgery *forgery; /* NULL: nothing worth lying about */

	/* Read by checkers and faults, never by other nodes. */
	uint64_t (*view)(const struct node *node);        /* the view or term it is in */
	/* Where its views (rounds) begin anew at each instance: the one that it is at. Clients then learn nothing of
	 * who leads. NULL: its views hold for all instances, and never fall. */
	uint64_t (*height)(const struct node *node);
	uint64_t (*stored_view)(const struct node *node); /* what a crash would leave of it; NULL: all */
	uint32_t (*leader)(const struct node *node);      /* whom it believes in, or NODE_NONE */
	uint64_t (*log_last)(const struct node *node);    /* Raft: last index; NULL elsewhere */
	/* Where validators come and go: what one of them is in the configuration that the node goes by now;
	 * and whether the node could go on with these alone (bits by validator; it may err on the side of
	 * yes while a change is under way). Both or neither; NULL: all are voters for ever, and `quorum` of
	 * them are enough. */
	enum protocol_part (*part)(const struct node *node, uint32_t validator);
	bool (*enough)(const struct node *node, const uint64_t *validators);
	struct log_entry (*log_at)(const struct node *node, uint64_t index);
};

static inline struct protocol_patience protocol_patience_of(const struct protocol *protocol, const void *settings)
{
	const struct protocol_patience for_ever = {SIM_NEVER, SIM_NEVER, false};
	return protocol->patience == NULL ? for_ever : protocol->patience(settings);
}

extern const struct registry protocol_registry;

#endif
