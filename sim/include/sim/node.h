/* The node API: what protocols, workloads and attacks are written against, and all that they may use of
 * the engine. A protocol is a pure step: the engine hands it one event (a message, a timer, a request)
 * and it answers by the calls below; it never sees the queue, the network, a clock or another node.
 *
 * Messages. A message is one object, however many receivers it has: `node_message` takes one from the
 * pool, the protocol fills it in, and `node_multicast` or `node_send` gives it away. What a handler
 * receives is valid until it returns. A body hangs off it by pointer, is made once in the world's
 * arena, never changes after sending, and lives as long as the run.
 *
 * Authenticity. `from` is written by the engine: a node can't send in another's name. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim/arena.h"
#include "sim/param.h"
#include "sim/random.h"
#include "sim/types.h"

struct world;

/* Traffic classes, for the KPIs: each message counts in exactly one. */
enum message_class {
	CLASS_AGREEMENT,  /* the normal case of an instance: messages_per_instance */
	CLASS_HEARTBEAT,  /* Raft's empty appends and the answers to them */
	CLASS_CONTROL,    /* elections, view changes, checkpoints, state transfer, retransmissions */
	CLASS_CLIENT,     /* between a client or gateway and a validator, forwarding included */
	CLASS_N
};

/* Kinds below MESSAGE_PROTOCOL are the clients'; a protocol numbers its own from there (up to 255). */
enum message_kind {
	MESSAGE_NONE,
	MESSAGE_REQUEST, /* instance: transaction */
	MESSAGE_REPLY,   /* instance: transaction; digest: result; view: the replica's view or term */
	MESSAGE_HINT,    /* view; instance: transaction refused, or TRANSACTION_NONE: nobody has asked; extra:
	                  * the leader's number, or NODE_NONE */
	MESSAGE_READ,    /* instance: transaction, a read that is to be answered without being ordered */
	MESSAGE_PROTOCOL = 8,
};

#define NODE_NONE UINT32_MAX

/* What a message is to an adversary who knows the protocol. */
enum message_role {
	ROLE_OTHER,
	ROLE_PROPOSAL,    /* proposes one batch for one instance, or several: PBFT's pre-prepare, Raft's appends with
	                   * entries, an update */
	ROLE_VOTE,        /* for a batch in an instance, or (Raft) what makes an entry or a leader */
	ROLE_CERTIFICATE, /* shows what others have signed, or what was agreed on: view changes, new views,
	                   * checkpoints, snapshots */
	ROLE_HEARTBEAT,
	ROLE_CLIENT,      /* to a client, or from the node's own gateway: no protocol's */
};

/* How a certificate says less than its sender knows, all the same true to what was signed. */
enum certificate_bend {
	BEND_OMIT,  /* what its sender has prepared and voted for is left out */
	BEND_OLDER, /* an older checkpoint than the last one that it knows to be stable, with that one's proof */
	BEND_N,
};

/* What a scenario can make a node do at a moment (the fault `step`). */
enum protocol_step {
	STEP_CAMPAIGN,          /* begin an election or a view change, as if its timer had expired */
	STEP_PROPOSE,           /* propose what is waiting, full batch or not; a null batch where nothing is */
	STEP_TRANSFER,          /* a leader hands the lead to another: to whom the step says, or to whom it likes */
	STEP_RESTART,           /* crash and be up again at once: the engine's own */
	STEP_CHANGE_MEMBERSHIP, /* a leader changes the members */
	STEP_N
};

/* Flags of any message; the lower bits are its protocol's. */
enum message_flags {
	MESSAGE_MACS = 1 << 15,   /* authenticated by a MAC a receiver, not by a signature */
	MESSAGE_FORGED = 1 << 14, /* claims what its sender can't show, in a protocol that does not check that
	                           * itself: the engine refuses it */
	REQUEST_OWN = 1 << 13,    /* of a request: the validator's own proposal, that nobody else may make:
	                           * not relayed; waited for until node_executed says that it is settled */
};

/* Flags of a reply. */
enum reply_flags {
	REPLY_TENTATIVE = 1 << 0, /* executed before it was committed */
	REPLY_READ = 1 << 1,      /* to a MESSAGE_READ */
};

struct message {
	uint8_t kind;
	uint8_t class : 4;   /* enum message_class */
	uint8_t shown_shift : 4; /* message_shows */
	uint16_t flags;      /* the protocol's; enum message_flags, reply_flags */
	uint32_t from : 20;  /* written by the engine */
	uint32_t shown : 12; /* message_shows */
	uint32_t size_bytes; /* on the wire */
	uint32_t number;     /* the sender's how-many-th; written by the engine; names the random numbers */
	uint64_t view;       /* view, term */
	uint64_t instance;
	uint64_t digest;
	uint64_t extra;
	const void *body;
};

/* Of a message that shows what others have signed, a certificate or a proof: how many signatures (one where they
 * are aggregated). Whoever takes it in verifies each (node_costs.verify_ns), besides the sender's own. Kept in
 * 16 bits: exact to 4095, beyond that rounded up by less than 1 in 2048, and at most 4095 << 15. */
static inline void message_shows(struct message *message, uint64_t n_signatures)
{
	unsigned shift = 0;
	while (shift < 15 && (n_signatures + (UINT64_C(1) << shift) - 1) >> shift > 4095) {
		shift++;
	}
	uint64_t shown = (n_signatures + (UINT64_C(1) << shift) - 1) >> shift;
	message->shown = shown < 4095 ? (uint32_t)shown & 4095 : 4095;
	message->shown_shift = (uint8_t)(shift & 15);
}

static inline uint32_t message_n_signatures(const struct message *message)
{
	return (uint32_t)message->shown << message->shown_shift;
}

/* A transaction is what a client submits; the workload keeps what it says. Transactions are numbered
 * from 0 in order of submission; 32 bits, at most 2^32 - 2 a run. */
typedef uint32_t transaction_id;
#define TRANSACTION_NONE UINT32_MAX

/* What one instance orders. Immutable once made. The digest covers the transactions in order; a null
 * batch (PBFT's null request, Raft's no-op) has none and digest 0. */
struct batch {
	uint64_t digest;
	uint32_t n;
	uint32_t size_bytes; /* of the transactions */
	transaction_id transactions[];
};

#define NODE_TIMERS 8 /* a node's timers: 0 .. 6 are the protocol's, the last one its client's or gateway's */

/* What a node costs, ns; all 0 in textbook runs. One FIFO processor a node. */
struct node_costs {
	sim_time send_ns, receive_ns, sign_ns, verify_ns;
	sim_time mac_ns; /* to make or check one MAC: of a message with MESSAGE_MACS, instead of sign and verify */
};

struct node {
	struct world *world;
	uint32_t id;
	uint32_t n_validators;
	uint32_t n_faulty;  /* f, as the scenario sets it */
	bool alive;
	bool byzantine;     /* attacks the protocol: nothing is promised to it or for it */
	bool crashes;       /* is down at some time; keeps the protocol's promises all the same */
	bool shaped;        /* what it sends goes copy by copy past the world's shapers */
	bool skewed;        /* its clock may be wrong */
	uint8_t twin;       /* 1 while the second of two twins that share its identity runs; the top bit of
	                     * the number of what it sends */
	uint32_t n_multicasts;
	sim_time egress_until, ingress_until, busy_ns;
	uint64_t messages_sent, bytes_sent;
	void *state;        /* the protocol's */
	const void *settings; /* the protocol's, shared by all nodes */
	struct random_stream stream; /* (seed, RANDOM_PROTOCOL, id) */
};

/* Time, as the node's own clock shows it; the protocol's timers go by that clock too, its client's by true
 * time. A clock never shows less than 0. */
sim_time node_now(const struct node *node);

/* Memory that lives as long as the run. */
struct arena *node_arena(const struct node *node);

/* Takes a message from the pool. The caller fills in class, size, view and the rest, then sends it. */
struct message *node_message(struct node *node, unsigned kind, enum message_class class,
	uint32_t size_bytes);
/* Gives `message` to every other validator; each copy counts as one message. Where not everyone is linked to
 * everyone (network.topology): to the node's peers. */
void node_multicast(struct node *node, struct message *message);
/* Gives it to `n` nodes, no two the same and not itself, in that order; each copy counts as one message. */
void node_send_many(struct node *node, const uint32_t *to, uint32_t n, struct message *message);
/* The validators that the node is linked to, itself not among them; valid for the run. O(1), but O(n_validators)
 * for the first in a world where everyone is linked to everyone. */
const uint32_t *node_peers(const struct node *node, uint32_t *n);
/* May the node send to that one directly? A validator may not to one that is no peer, but for what clients and
 * gateways ask and are told (kinds below MESSAGE_PROTOCOL), which goes everywhere. O(log peers). */
bool node_reaches(const struct node *node, uint32_t to);
/* How many clients there are that are parties of their own: nodes n_validators, n_validators + 1, ... */
uint32_t node_n_clients(const struct node *node);
/* Gives it to one node, a validator or a client. To oneself it takes no time and counts as nothing: it
 * arrives as an event of its own at the present instant. */
void node_send(struct node *node, uint32_t to, struct message *message);

/* Hands `message` back to the node itself so much later, unless it crashes meanwhile: the end of a write to
 * stable storage, of a computation. Counts as nothing. */
void node_later(struct node *node, sim_time delay_ns, struct message *message);

/* Stable storage: a device of the node's that writes one record after another. A protocol that uses it keeps
 * two images of what must outlive a crash, the one that it works on and the one that is safe, and brings the
 * second up to date from the records that are. In a restart it takes in what the crash has left of the others,
 * and goes on from that image. */
struct disk_record {
	struct disk_record *next; /* the device's, until the record is given back */
	sim_time safe_at;
	uint32_t n_parts;         /* in the order in which they are written */
	uint32_t n_left;          /* in a restart: the first so many are there */
};

/* Does writing take time at this node, or may its disk fail at some time? Where not there is no need to write:
 * a crash leaves all. `delay`: a struct latency_model. Before the first event. */
bool node_stores(const struct node *node, const struct plugin_value *delay);
/* May its disk say too early that a record is written? */
bool node_caches(const struct node *node);
/* Writes a record, which is the device's until it is given back; hands `message` to the node when the device
 * says that it is written. Not before the last one has been. */
void node_write(struct node *node, const struct plugin_value *delay, struct disk_record *record,
	struct message *message);
/* Gives back the next record that no crash can take any more; NULL: none now. */
struct disk_record *node_settled(struct node *node);
/* In a restart: gives back the next record that was not settled before the crash; NULL: no more. */
struct disk_record *node_survivor(struct node *node);
/* The records that are not settled, the first; after a crash with what is left of them. */
const struct disk_record *node_unsettled(const struct node *node);
/* Has the last crash taken everything? */
bool node_wiped(const struct node *node);
/* The node's application forgets all that it has executed; the protocol has it execute that again. */
void node_forget(struct node *node);

/* Idleness. A run is over when nothing is left to happen, so a protocol that has nothing to do does nothing: while
 * it knows of no request that is unsettled, nobody proposes and no timer runs; where blocks are made final by those
 * after them, empty ones follow only until the last full one is final. What is proposed for that alone (an empty
 * batch) is not told by node_proposed: nobody waits for it. */

/* Timers: setting one that runs moves it. Moving it later or cancelling it costs nothing. */
void node_timer_set(struct node *node, unsigned timer, sim_time at_ns);
void node_timer_cancel(struct node *node, unsigned timer);
bool node_timer_runs(const struct node *node, unsigned timer);

/* A batch of n transactions with its digest and size, in the arena. */
const struct batch *node_batch(struct node *node, const transaction_id *transactions, uint32_t n);

/* Has the node's own application executed the transaction? */
bool node_executed(const struct node *node, transaction_id transaction);
/* The size of a transaction on the wire. */
uint32_t node_transaction_bytes(const struct node *node, transaction_id transaction);
/* Which object a transaction touches: two that touch different ones commute. NODE_KEY_ALL: may touch any. */
uint64_t node_transaction_key(const struct node *node, transaction_id transaction);
#define NODE_KEY_ALL UINT64_MAX
/* May this node, by its own knowledge of the world, vote for the batch? True unless the scenario validates
 * what is proposed. */
bool node_valid(const struct node *node, const struct batch *batch);

/* May what is sent in this run never come: is there loss, a fault or an adversary, at any time? Links between
 * nodes without faults are known to keep what they are given. */
bool node_may_miss(const struct node *node);

/* What sending and receiving costs the node itself, for those who weigh when to send.
 * node_costs_something: is anything more than the way itself: a processor's or a card's time?
 * node_costs: of its processor, as it is now.
 * node_wire_ns: how long its card takes with so many bytes; 0 where bandwidth is unlimited.
 * node_ahead_ns: until its processor and card are done with what they have in hand now; 0: both are idle. */
bool node_costs_something(const struct node *node);
struct node_costs node_costs(const struct node *node);
sim_time node_wire_ns(const struct node *node, uint64_t bytes);
sim_time node_ahead_ns(const struct node *node);

/* Why a node leads. Only a change that somebody had to bring about is a change of leaders to those who count them. */
enum lead_cause {
	LEAD_FIRST,  /* it led from the start */
	LEAD_TURN,   /* the lead goes round, and its turn has come; the one before it has done its part */
	LEAD_CHANGE, /* the one before was left, for its silence or a lie, or handed the lead over; or it is elected */
};

/* Reports to whoever watches the run (checkers and collector), and to the application.
 * node_proposed: this node has just sent its proposal of the instance.
 * node_committed: the instance is committed at this node, with this batch (committed-local in PBFT,
 *   known committed in Raft); once per instance and node, in any order.
 * node_apply: the node executes the instance, in order of instances; hands each transaction that it has
 *   not executed before to the application. `reply`: it then answers the clients that are waiting.
 * node_apply_tentative: the same before the instance is committed; replies are marked tentative. Later
 *   either node_confirm, once it is committed (no further reply), or node_rollback, which undoes this
 *   instance and all tentative ones after it, the last first.
 * node_revoked: what the node has executed for good in this instance and all after it is taken back, the last first:
 *   another history has won. What comes instead is committed and executed like any other. Only where the protocol's
 *   `finality` is probable, nothing is executed tentatively, and the instance has been executed.
 * node_read: answers a MESSAGE_READ from what the node has executed so far.
 * node_reply: answers one transaction that was executed before (the reply cache).
 * node_leads: the node has become the leader of `view` (a view or term), and why. Where views begin anew at each
 *   instance, it is one of the instance that the protocol's `height` names; so for the next two.
 * node_follows: the node has entered `view`, led by `leader` or, yet, by NODE_NONE.
 * node_candidate: the node has begun an election for `term`.
 * node_appended: a Raft log now holds (index, term, batch), after an entry of prev_term. */
void node_proposed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch);
void node_committed(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch);
void node_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch,
	bool reply);
void node_apply_tentative(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch);
void node_confirm(struct node *node, uint64_t instance);
void node_rollback(struct node *node, uint64_t instance);
void node_revoked(struct node *node, uint64_t instance);
void node_read(struct node *node, transaction_id transaction, uint64_t view);
void node_reply(struct node *node, transaction_id transaction, uint64_t view);
void node_leads(struct node *node, uint64_t view, enum lead_cause cause);
void node_follows(struct node *node, uint64_t view, uint32_t leader);
void node_candidate(struct node *node, uint64_t term);
void node_appended(struct node *node, uint64_t index, uint64_t term, uint64_t prev_term,
	const struct batch *batch);

/* What one node has signed can be shown to a third. A statement is a digest of what it says; the signature is a
 * number that the signer's key makes of it. Signatures of one statement by several nodes are kept as their sum.
 * node_digest: of plain memory without padding.
 * node_sign: the node's own.
 * node_collect: those of a set of nodes (bits by validator; O(their number)). Whoever calls it has received
 *   that statement from each of them: that is what keeps certificates from being forged. A liar may sign what
 *   it likes by node_sign, and show again what it has been shown; it does not collect what it has not received.
 * node_has_signed, node_have_signed: is it the signature of that node, are they those of all of the set?
 * node_refuse: the node refuses a message that claims what its sender can't show; counted, and logged. */
uint64_t node_digest(const void *bytes, size_t size);
uint64_t node_sign(const struct node *node, uint64_t statement);
uint64_t node_collect(const struct node *node, const uint64_t *signers, uint64_t statement);
bool node_has_signed(const struct node *node, uint32_t who, uint64_t statement, uint64_t signature);
bool node_have_signed(
	const struct node *node, const uint64_t *signers, uint64_t statement, uint64_t signatures);
void node_refuse(struct node *node, const char *phrase);

/* Why a branch was taken, for traces: one phrase, a literal. Costs one predicted branch when off. */
void node_log(const struct node *node, const char *phrase);

#endif
