/* The trace of one run: all that happens in it, event by event, handed to a sink while the run goes.
 *
 * Events come in the order in which they happen and are gone when the sink returns: a sink that wants to
 * keep one copies it. A run without a sink pays nothing for all this. Two sinks are here: text, and Chrome's
 * trace events; the program has a third, which gathers what the space-time figure shows. */
#ifndef LAB_TRACE_H
#define LAB_TRACE_H

#include "protocols/protocol.h"
#include "scenarios/scenario.h"

#include <stdio.h>

enum trace_what {
	TRACE_SEND,      /* `node` gives a message away: to `peer`, or, NODE_NONE, to all other validators */
	TRACE_RECEIVE,   /* it is handed to `node`, from `peer`: before the handler runs */
	TRACE_DROP,      /* it never comes to `node`, from `peer`; text: why */
	TRACE_TIMER,     /* a timer of `node` expires; text: its name */
	TRACE_REASON,    /* text: the protocol's reason for the branch that it takes */
	TRACE_LIE,       /* a liar's copy for `peer` is not what it gave away, comes late, isn't sent or is one more;
	                  * `lie` says what */
	TRACE_SHAPED,    /* what a rule or fault does to a copy of `node`'s for `peer`, which says what it said */
	TRACE_ATTACK,    /* text: an attack begins or ends at `node` */
	TRACE_FAULT,     /* text: what befalls `node`, or, NODE_NONE, the network */
	TRACE_SUBMITTED, /* a client submits `transaction` for `item` */
	TRACE_PROPOSED,  /* the reports of sim/node.h */
	TRACE_COMMITTED,
	TRACE_EXECUTED,
	TRACE_TENTATIVE, /* executed before it was committed */
	TRACE_ROLLBACK,
	TRACE_REVOKED,   /* executed for good, and taken back from this instance on */
	TRACE_LEADS,
	TRACE_FOLLOWS,   /* peer: whom, or NODE_NONE */
	TRACE_CANDIDATE,
	TRACE_APPENDED,
	TRACE_ACCEPTED,  /* the client of `item` takes it as settled */
	TRACE_VIOLATED,  /* text: the invariant; peer: the second validator or client */
	TRACE_HANDLED,   /* what `node` began to handle at at_ns, it has: busy_until_ns */
	TRACE_STATE,     /* the view or leader that `node` believes in is another one now: node_view, peer */
	TRACE_VERDICT,   /* the run's end; text: verdict and reason */
	TRACE_N
};

/* As `--kind` spells them; NULL: what is for sinks alone. */
extern const char *const trace_words[TRACE_N];

struct shaping;

struct trace_event {
	sim_time at_ns;
	enum trace_what what;
	uint32_t node; /* validators, then clients; NODE_NONE: nowhere in particular */
	uint32_t peer;
	const struct message *message; /* of send, receive, drop; of lie and shaped: the copy; else NULL */
	const struct message *instead; /* of lie and shaped: what was given away */
	const struct shaping *shaping; /* and what becomes of the copy */
	const char *text;
	uint64_t view, instance, digest; /* of the reports */
	const char *detail;  /* of a violation: what happened, in words; or NULL */
	sim_time broken_ns;  /* when that was; what only the run's end shows is told late */
	bool of_clients;     /* it is between clients: `instance` is a transaction */
	uint32_t n_transactions;         /* in the instance */
	transaction_id transaction;
	uint32_t item;
	uint64_t node_view;    /* the view or term that the node is in; 0 at clients */
	sim_time busy_until_ns; /* until then the node's processor sends what the handler gave it; may be past */
};

/* What run it is. */
struct lab;

struct trace_run {
	const struct scenario *scenario;
	const struct protocol *protocol;
	uint32_t n_validators, n_clients;
	const struct node *nodes; /* until the run ends */
	const struct lab *lab;    /* the same */
	uint64_t run, point, replication, seed;
};

struct trace_sink {
	void *context;
	void (*begin)(void *context, const struct trace_run *run);
	void (*event)(void *context, const struct trace_event *event);
};

/* Names of events, messages and phases: bits of enum trace_what, of kinds, and of what words->phase says. */
struct trace_kinds {
	uint32_t whats;
	uint64_t kinds[4];
	uint64_t phases;
};

/* What of a run is wanted: half-open in time; an empty list of nodes or kinds means all. */
struct trace_filter {
	sim_time from_ns, until_ns;
	const uint32_t *nodes;
	size_t n_nodes;
	struct trace_kinds with; /* none: all; a message is wanted for its kind or phase */
	struct trace_kinds without; /* never wanted */
	const struct protocol *protocol; /* for phases; may be NULL where there are none */
};

/* Is this kind of message wanted, and are there such that are not? */
bool trace_message_wanted(const struct trace_filter *filter, const struct message *message);
bool trace_chooses_messages(const struct trace_filter *filter);
/* Does the filter let it through? Names of events and of messages add up. */
bool trace_wanted(const struct trace_filter *filter, const struct trace_event *event);

/* "request", "prepare": the kind of a message under this protocol. */
const char *trace_message_name(const struct protocol *protocol, unsigned kind);
/* What became of the copy of a lie or shaped event, from after its receiver on: ", withheld: instance 1, digest
 * 48b2", ": instance 1, digest db02 instead of digest 48b2", ", delayed by 5.000000 ms: ...". */
void trace_tell_shaped(
	const struct trace_run *run, const struct trace_event *event, char *out, size_t size);
/* What a message says besides its kind, in the protocol's words where it has some. */
void trace_tell(const struct trace_run *run, const struct message *message, char *out, size_t size);
/* "v3", "c0", "-". */
#define TRACE_NODE_NAME 16
void trace_node_name(const struct trace_run *run, uint32_t node, char out[TRACE_NODE_NAME]);
/* "view", "term". */
const char *trace_view_word(const struct protocol *protocol);

/* Text, a line an event: time in ms (to the ns), node, its view or term, what happens, and what of it. The
 * lines at the top, which begin with #, say what run it is. A line goes out as its event comes: memory does
 * not grow. */
struct trace_text {
	FILE *out;
	const struct trace_filter *filter;
	struct trace_run run; /* the sink's own */
};
struct trace_sink trace_text_sink(struct trace_text *text);

/* Trace events as JSON (Google: Trace Event Format, 2016), which Perfetto and chrome://tracing open: a
 * process a node, a slice for each thing that it handles, with the protocol's reasons as its arguments;
 * arrows from a message's sending to its handling; instants for timers, commits and the like; a counter of
 * the view. What takes no time is given TRACE_SLICE_NS, and what a node handles at one instant stands side
 * by side, in order: `at_ms` in a slice's arguments then says when it was. Memory does not grow with the
 * trace. trace_chrome_finish ends the text; nothing is whole without it. */
#define TRACE_SLICE_NS 1000
struct trace_chrome {
	FILE *out;
	const struct trace_filter *filter;
	struct trace_run run; /* from here on the sink's own */
	sim_time *ends_ns;    /* of each node's last slice */
	uint64_t n_events;
	struct {
		bool open;
		uint32_t node;
		sim_time at_ns, start_ns;
		char name[64], tells[256];
		char *reasons; /* JSON strings with commas between them */
		size_t n_reasons, reasons_bytes, reasons_capacity;
	} slice;
};
struct trace_sink trace_chrome_sink(struct trace_chrome *chrome);
void trace_chrome_finish(struct trace_chrome *chrome);

#endif
