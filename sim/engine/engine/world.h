/* A world: one run's nodes, network, queue, random numbers and clock, hung off one struct, so that worlds
 * run side by side in threads. It knows no protocol: the host (the laboratory) gives it the functions
 * that take events, and hears what the nodes report.
 *
 * The way of a message. Sending makes one packet, however many receivers, and an entry in the queue for
 * each distinct arrival (one for all with a constant delay). At arrival it is decided whether the copy is
 * lost; it waits for the card and the processor where these have costs; then the handler runs. */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include "engine/digest.h"
#include "engine/latency.h"
#include "engine/queue.h"
#include "engine/topology.h"
#include "sim/node.h"

/* Timers 0 .. 6 are the protocol's; the last one belongs to the client or gateway at the node. */
#define NODE_TIMER_CLIENT (NODE_TIMERS - 1)

struct fault_step;

struct host_ops {
	void (*receive)(struct node *node, const struct message *message);
	void (*timer)(struct node *node, unsigned timer);
	void (*restart)(struct node *node);
	void (*client_receive)(struct node *node, const struct message *message); /* replies and hints */
	void (*client_timer)(struct node *node);

	/* Reports: see sim/node.h. */
	void (*proposed)(struct node *, uint64_t instance, uint64_t view, const struct batch *);
	void (*committed)(struct node *, uint64_t instance, uint64_t view, const struct batch *);
	void (*apply)(struct node *, uint64_t instance, uint64_t view, const struct batch *, bool reply);
	void (*reply)(struct node *, transaction_id, uint64_t view);
	void (*leads)(struct node *, uint64_t view, enum lead_cause cause);
	void (*follows)(struct node *, uint64_t view, uint32_t leader);
	void (*candidate)(struct node *, uint64_t term);
	void (*appended)(struct node *, uint64_t index, uint64_t term, uint64_t prev_term,
		const struct batch *);
	bool (*executed)(const struct node *, transaction_id);
	uint32_t (*transaction_bytes)(const struct node *, transaction_id);
	/* These may be NULL: NODE_KEY_ALL, true, and no such thing. */
	uint64_t (*transaction_key)(const struct node *, transaction_id);
	bool (*valid)(const struct node *, const struct batch *);
	void (*apply_tentative)(struct node *, uint64_t instance, uint64_t view, const struct batch *);
	void (*confirm)(struct node *, uint64_t instance);
	void (*rollback)(struct node *, uint64_t instance);
	void (*revoked)(struct node *, uint64_t instance);
	void (*read)(struct node *, transaction_id, uint64_t view);
	void (*forget)(struct node *);

	/* The next event lies beyond world.deadline_ns (`next_ns`: SIM_NEVER where nothing is left to
	 * happen), or settings.events_max events have been executed: a multicast that arrives at one
	 * instant is executed whole. Sets world.stopped, or moves what bounds the run: the deadline or
	 * events_max; or gives it something to do where nothing was left. */
	void (*overdue)(struct world *world, sim_time next_ns);
	/* The node went down or came up. */
	void (*changed)(struct world *world, struct node *node);
	/* Once for each node where a fault takes several down. */
	void (*fault_began)(struct world *world);
	void (*fault_ended)(struct world *world);
	/* What befalls `node` now, in the words of traces ("crash", "partition begins"); NODE_NONE: no single
	 * node. May be NULL. */
	void (*fault_told)(struct world *world, uint32_t node, const char *what);
	/* Whom `nodes: leader` means now, or NODE_NONE. */
	uint32_t (*leader)(struct world *world);
	/* These may be NULL, which is to do nothing and to say no.
	 * links: who reaches whom has changed.
	 * step: does at a live node what a scenario's step says; false: it can't now.
	 * forge: makes a copy that `node` sends say something else; false: there is nothing to lie about. */
	void (*links)(struct world *world);
	bool (*step)(struct world *world, struct node *node, const struct fault_step *step);
	bool (*forge)(struct node *node, uint32_t to, struct message *copy);
};

struct shaping;

/* Who listens to all that happens, for traces. Each may be NULL. Costs a predicted branch when nobody does. */
struct tracer {
	void *context;
	/* A message was given away: to all other validators, or, where `to` is not NODE_NONE, to one. */
	void (*sent)(void *context, const struct node *from, uint32_t to, const struct message *message);
	/* It is handed to its receiver: before the handler runs. */
	void (*arrived)(void *context, const struct node *to, const struct message *message);
	/* It never will be; why, in a word or two: "lost", "cut", "down", "refused", a rule's name. */
	void (*dropped)(void *context, uint32_t to, const struct message *message, const char *why);
	/* One copy of a message that was given away became another, or does not go or come as the others do.
	 * A copy that is dropped on top of that is told of as dropped too. */
	void (*shaped)(void *context, const struct node *from, uint32_t to, const struct message *message,
		const struct message *copy, const struct shaping *shaping);
	void (*timer)(void *context, const struct node *node, unsigned timer);
	/* The protocol's reason for the branch that it takes: a literal. */
	void (*log)(void *context, const struct node *node, const char *phrase);
	/* A node goes down or comes up ("crash", "restart"), or a fault begins or ends ("skew begins"), at
	 * a node or, with NODE_NONE, among several. */
	void (*fault)(void *context, uint32_t node, const char *what);
};

/* What becomes of one copy of a message, by rules, faults and attacks at its sender or on its way. */
struct shaping {
	bool unsent;              /* the sender does not send it: it counts as nothing */
	const char *by;           /* the rule that did something to it, for traces; NULL: none */
	const char *dropped;      /* it is sent and never comes: why; NULL: it comes */
	sim_time way_ns;          /* how long the network takes with it, as drawn; may be changed */
	sim_time delay_ns;        /* added to its way */
	sim_time not_before_ns;   /* it comes then at the earliest: held until released */
	uint32_t n_duplicates;    /* further copies that the network makes; they count as nothing */
	sim_time duplicate_after_ns; /* each comes so much after the one before */
};

/* Sees every copy that a node with `shaped` set sends to another, in order of receivers, and may change what
 * it says and what becomes of it. Several are asked in the order in which they were added, each seeing what
 * those before made of the copy; a copy that is unsent or dropped is shown to no further one. */
struct shaper {
	struct shaper *next;
	void (*shape)(void *context, struct node *from, uint32_t to, struct message *copy,
		struct shaping *shaping);
	void *context;
};

struct packet {
	struct message message;
	uint32_t remaining; /* arrivals to come */
	uint32_t next_free;
};

/* In flight, `next_free` of a packet that a shaper or a fault made for one receiver says what it is. */
#define PACKET_CORRUPT UINT32_C(0xfffffe00)    /* garbled: its receiver throws it away */
#define PACKET_DUPLICATE UINT32_C(0xffffff00)  /* the network's so-many-th copy, in the low byte */

/* A clock that is wrong: what it shows, from `base_ns` (true time) on. */
struct clock {
	sim_time base_ns, shown_ns;
	int64_t drift; /* parts in 10^12 that it gains */
	sim_time timer_at[NODE_TIMERS]; /* when timers are due, by this clock */
};

/* What the engine keeps of a node beside what the node sees. */
struct port {
	_Alignas(64) struct random_key latency; /* 256 bytes: whole cache lines, and an index is a shift */
	struct random_key loss;
	struct node_costs costs; /* the scenario's, or more where a fault makes the node slow */
	struct clock *clock;     /* NULL where it has always been right */
	uint32_t n_shapings;     /* by world_shape */
	uint32_t card_n, card_lost; /* copies in the card; the first so many of them came before a crash */
	/* The processor's queue: packets that wait while it works. Timers, messages to oneself and requests
	 * from outside don't wait: their handlers run at once, and what they send leaves when the processor
	 * is done with what it has in hand. */
	uint32_t n_downs; /* how often it has gone down: what node_later brings from before is gone */
	uint64_t *waiting; /* handles, a ring */
	uint32_t waiting_first, waiting_n, waiting_capacity;
	bool in_service : 1;
	uint32_t n_crashes : 31; /* crashes in force: up again when all have ended */
	uint64_t service_handle;
	sim_time service_at;
	sim_time depart; /* when the processor will have sent all that handlers have sent so far */
	sim_time timer_at[NODE_TIMERS];     /* SIM_NEVER: off */
	sim_time timer_queued[NODE_TIMERS]; /* the earliest entry in the queue, or SIM_NEVER */
};

typedef void (*world_call)(struct world *world, void *context, uint64_t argument);

struct call {
	world_call function;
	void *context;
	uint64_t argument;
	uint32_t next_free;
};

struct loss_window {
	sim_time from_ns, until_ns;
	double probability;
	bool all; /* else among validators only */
	bool corrupts; /* it is not lost, but garbled */
};

struct world_settings {
	uint64_t seed;
	uint32_t n_validators, n_clients, n_faulty;
	const void *protocol_settings;
	const struct latency_model *latency;
	const void *latency_settings;
	const struct topology *topology; /* NULL: full */
	const void *topology_settings;
	double bandwidth_bps; /* 0: unlimited */
	double loss;
	struct node_costs costs;
	bool works; /* world_work is called: processors queue even where messages cost them nothing */
	uint64_t events_max;
};

struct world {
	sim_time now;
	sim_time deadline_ns; /* events beyond it go through host overdue first */
	bool stopped;
	bool queued;          /* processor or ingress costs: the slow way of delivery */
	bool lossy;           /* loss may strike: now or at some time */
	bool garbled;         /* copies may be corrupted: now or at some time */
	bool has_faults;      /* the scenario names some */
	bool may_crash;       /* some fault takes validators down */
	bool filtered;        /* arrivals are looked at one by one: lossy, watched, garbled, or cut */
	uint32_t n_nodes, n_validators;
	struct node *nodes;   /* validators, then clients */
	struct port *ports;
	const struct host_ops *ops;
	void *host;
	const struct tracer *tracer; /* NULL: nobody listens; set by world_listen */
	struct shaper *shapers;
	uint32_t n_shapers, n_shapers_windowed; /* all; those that shape nodes by world_shape */
	bool watched;         /* there is a tracer, a shaper or garbling: arrivals are looked at */
	struct queue queue;
	struct digest digest;
	struct arena arena;
	struct world_settings settings;
	sim_time constant_ns; /* the delay of a constant network, else -1 */
	double ns_per_byte;

	struct packet **packet_chunks;
	uint32_t n_packet_chunks, packet_chunks_capacity, packet_free, n_packets_used;
	uint64_t waiting_bytes; /* of all processors' queues */
	struct call *calls;
	uint32_t n_calls, calls_capacity, call_free;

	/* In force now, among validators and for all messages: lost, corrupted. */
	double loss_validators, loss_all, corrupt_validators, corrupt_all;
	struct loss_window *loss_windows;
	uint32_t n_loss_windows;
	struct cut **cuts;  /* in force */
	uint32_t n_cuts;
	struct isolation *followers; /* those that go where the leader goes */
	struct slow_node *slow_nodes;
	struct disk_fault *disk_faults;
	struct disk **disks;   /* by validator, then those of second twins; NULL: nothing was written */
	sim_time change_ns; /* the latest change that is scheduled, or was: what recurs schedules it as it goes */
	struct inbox *inboxes; /* by validator, of those that stand still; NULL: none ever does */
	uint32_t n_paused;     /* that stand still now */
	uint32_t n_changes_pending; /* scheduled crashes and pauses, and scheduled ends of crashes, pauses and
	                             * cuts, to come */

	struct links *links;   /* who may send to whom; NULL: every validator to every other */
	uint32_t *others;      /* 0 .. n_validators-1, twice: node_peers of a full world; NULL: nobody has asked */
	uint32_t *ids;         /* 0 .. n_nodes-1 */
	sim_time *delays;      /* scratch for one multicast */
	struct queue_entry *entries;

	uint64_t events;
	uint64_t messages[CLASS_N], bytes[CLASS_N];
	uint64_t lost, cut, corrupted; /* copies that never came */
	uint64_t duplicated;           /* copies that the network has made */
	/* Bits by place in the list of faults, of the first 64: a rule met its message; a step could not be
	 * done. */
	uint64_t rules_acted, steps_refused;
	uint64_t n_steps, n_steps_refused; /* of a scenario: done; that could not be done then */
	uint64_t refused; /* messages that claimed what their senders could not show */
};

void world_init(struct world *world, const struct world_settings *settings, const struct host_ops *ops,
	void *host);
void world_finish(struct world *world);

/* Bytes that the world has taken: its arena, packets and queues. O(1). */
uint64_t world_memory(const struct world *world);

/* Adds the scenario's faults; before world_run. */
void world_faults(struct world *world, const struct plugin_list *faults);

/* Calls `function` at a time, as an event; at once where that has passed, not at all at SIM_NEVER. */
void world_call_at(struct world *world, sim_time at_ns, world_call function, void *context,
	uint64_t argument);

/* Gives a validator's processor work of the host's, in line behind what it has in hand. Returns when it
 * is done. Needs world_settings.works. */
sim_time world_work(struct world *world, struct node *node, sim_time cost_ns);

/* Runs events until world.stopped is set. Returns when it is, or when nothing is left to happen and the
 * host has been told so. */
void world_run(struct world *world);

/* Sets a node's timer at the world's time, whatever the node's own clock says. */
void world_timer_set(struct world *world, uint32_t node, unsigned timer, sim_time at_ns);

/* From now on the tracer hears of all that happens; it must live as long as the world. NULL: nobody. */
void world_listen(struct world *world, const struct tracer *tracer);

/* Adds a shaper after those that are there; it must live as long as the world. Who is to be shaped is set
 * at the nodes. */
void world_add_shaper(struct world *world, struct shaper *shaper);

/* The same for one that shapes nodes for a while: from world_shape on what a node sends goes past the
 * shapers, until world_unshape has been called as often. Where there are others too, that have set a node's
 * `shaped` themselves, it stays set. */
void world_add_windowed_shaper(struct world *world, struct shaper *shaper);
void world_shape(struct world *world, uint32_t node);
void world_unshape(struct world *world, uint32_t node);

/* Is there a link from one validator to another? O(log peers). */
bool world_linked(const struct world *world, uint32_t from, uint32_t to);

/* Does a message of the one that arrives now come to the other? True unless a cut stands between them; of
 * nodes that are down it says nothing. O(cuts in force). */
bool world_reaches(const struct world *world, uint32_t from, uint32_t to);

/* A node will come up, or links will heal, at a time that may lie beyond all windows. */
static inline void world_changes_at(struct world *world, sim_time at_ns)
{
	if (at_ns != SIM_NEVER && at_ns > world->change_ns) {
		world->change_ns = at_ns;
	}
}

/* Does the node stand still? It is alive all the same. */
bool world_paused(const struct world *world, uint32_t node);

/* Where the node stands still, has it do this when it goes on, unless it crashes before: true. False, and
 * nothing done, where it does not: the caller goes on at once. */
bool world_defer(struct world *world, uint32_t node, world_call function, void *context, uint64_t argument);

/* Stops a live validator, until it has been resumed as often. world_may_pause first. */
void world_may_pause(struct world *world);
void world_pause(struct world *world, uint32_t node);
void world_resume(struct world *world, uint32_t node);

void world_crash(struct world *world, uint32_t node);
void world_restart(struct world *world, uint32_t node);

#endif
