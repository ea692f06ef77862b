/* Faults of nodes, links and clocks, by schedule or by rate, and what a scenario makes happen at a time.
 *
 * Settings are plain structs, filled by the faults' tables; world_faults puts all of a scenario's into the
 * schedule of a world. Windows are half-open. A list of nodes that is not given is everyone; `leader` is
 * whoever leads when the window opens (of a rule: at that moment). */
#ifndef ENGINE_FAULT_H
#define ENGINE_FAULT_H

#include "sim/node.h"

/* The first member of every fault's settings: the half-open window in which it holds. Where a fault has a
 * moment instead, it is from_ns (`step`) or until_ns (`stabilise`). */
struct fault_common {
	sim_time from_ns, until_ns;
};

/* Down (or, by `pause`, standing still) for the window; or, with every_ns, again and again within it. */
struct fault_crash {
	struct fault_common common;
	struct node_list nodes;
	sim_time every_ns; /* mean time a node is up, exponential; SIM_NEVER: it is down for the window */
	sim_time lasts_ns; /* mean time it is down, exponential */
	int64_t at_once;   /* at most so many are down together; PARAM_AUTO_VALUE: f */
};

struct fault_loss {
	struct fault_common common;
	double probability;
	int among; /* 0: validators, 1: all */
};

/* Nodes reach whom they share a group with; those in no group share one more. */
struct fault_partition {
	struct fault_common common;
	struct node_groups groups;
};

struct fault_cut {
	struct fault_common common;
	struct node_list from, to;
};

/* Down first, then up, and so on: nodes cut from all others, or a one-way cut. */
struct fault_flap {
	struct fault_common common;
	struct node_list nodes, from, to;
	sim_time down_ns, up_ns;
};

struct fault_isolate {
	struct fault_common common;
	struct node_list nodes;
	bool follow; /* goes where the leader goes */
};

struct fault_slow_node {
	struct fault_common common;
	struct node_list nodes;
	double factor;     /* of all of the node's costs */
	sim_time delay_ns; /* added to the cost of sending a copy and of receiving one */
};

struct fault_slow_disk {
	struct fault_common common;
	struct node_list nodes;
	double factor;             /* of what a write takes */
	struct plugin_value delay; /* added; a struct latency_model */
};

enum disk_unsynced { DISK_LOST, DISK_TORN };

struct fault_disk {
	struct fault_common common;
	struct node_list nodes;
	bool stall;        /* no write ends */
	sim_time cache_ns; /* it says that a write has ended so long before it has */
	int unsynced;      /* enum disk_unsynced: what a crash leaves of the first that had not */
	bool wipe;         /* a crash takes everything */
};

struct fault_slow_link {
	struct fault_common common;
	struct node_list from, to;
	double factor;             /* of the network's delay */
	struct plugin_value delay; /* added; a struct latency_model */
};

struct fault_duplicate {
	struct fault_common common;
	double probability;
	int among;
	int64_t copies;
	sim_time delay_ns;
};

struct fault_reorder {
	struct fault_common common;
	double probability;
	int among;
	sim_time delay_ns; /* extra: uniform up to it */
};

struct fault_skew {
	struct fault_common common;
	struct node_list nodes;
	sim_time offset_ns; /* the clock jumps by so much when the window opens; may be below 0 */
	double drift_ppm;   /* gains so many microseconds a second while it is open */
};

/* Until until_ns, messages take longer and may be lost. */
struct fault_stabilise {
	struct fault_common common;
	struct plugin_value delay;
	double loss;
};

enum rule_action { RULE_DROP, RULE_HOLD, RULE_DELAY, RULE_DUPLICATE, RULE_REPLACE };

struct fault_rule {
	struct fault_common common;
	struct name_list message; /* empty: all */
	struct node_list from, to;
	int64_t view, term, instance, nth; /* -1: any */
	int action;                        /* enum rule_action */
	sim_time delay_ns, release_ns;     /* release_ns PARAM_AUTO_VALUE: when the window closes */
	int64_t copies;
	uint64_t kinds[4]; /* bits by message kind: made by `finish` */
};

struct fault_step {
	struct fault_common common; /* from_ns: when */
	struct node_list node;
	int action; /* enum protocol_step */
	int64_t to; /* -1: not said */
	struct node_list members, learners;
	bool joint, force;
};

struct fault {
	struct plugin plugin;
	/* Puts one into the schedule; `index`: its place in the scenario's list. */
	void (*schedule)(struct world *world, const void *settings, uint32_t index);
};

extern const struct registry fault_registry;

#endif
