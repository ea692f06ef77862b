/* One run under way, shared by the files of this folder.
 *
 *   run.c       builds the world of a scenario and runs it
 *   end.c       when it is over, and with which verdict
 *   items.c     items arrive, clients are content
 *   outside.c   what an application's outside half may do, and what it is asked
 *   clients.c   who submits transactions, waits for the answer and asks again
 *   leaders.c   how clients find the leader and follow it, where a protocol has one that they ask
 *   replies.c   the replies to a request of which there are several sorts
 *   transactions.c  commands by number, and the life of each where it is recorded
 *   replica.c   what a validator executes: commands, and the application's state behind them
 *   undo.c      what it executes before it is committed, or may have to take back
 *   states.c    what replicas hold, compared and checked after each instance
 *   attackers.c who attacks, and what attackers on nodes do
 *   twins.c     validators that run twice
 *   watch.c     the invariants, checked from the outside at every report
 *   terms.c     the views or terms that somebody led or stood for
 *   told.c      what clients were told: exactly-once, durability, liveness
 *   members.c   who belongs, where validators come and go
 *   enough.c    whether a set of validators can go on without the others
 *   faults.c    what the engine's faults need to know of protocols: quorums, steps, lies
 *   outages.c   how long service stopped, and after which fault
 *   footprint.c what the run has taken, and when that is too much
 *   trace.c     tells a sink all that happens, where there is one
 *   measure/    KPIs and tables, by theme, and the samples behind them */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include "attacks/attack.h"
#include "engine/world.h"
#include "lab/run.h"
#include "lab/trace.h"
#include "measure/samples.h"
#include "sim/real.h"
#include "protocols/protocol.h"
#include "workloads/app.h"
#include "workloads/workload.h"

#include <math.h>
#include <stdio.h>

struct lab_item;     /* items.h */
struct transactions; /* transactions.h */
struct clients;      /* clients.h */
struct replicas;     /* replicas.h */

enum phase { PHASE_RUNNING, PHASE_DRAINING };

/* Which run of the sweep. */
struct run_number {
	uint64_t run, point, replication;
};

/* Who attacks, and how the laboratory has a part in it: attackers.c. */
struct attacking {
	bool **attackers;      /* by attack, by validator */
	bool alters;           /* some attack changes commands */
	bool waits_for_leader; /* some attack is on whoever leads */
};

/* When it is over, and how: end.c. */
struct ending {
	enum phase phase;
	sim_time end_ns; /* when the time is up */
	sim_time last_progress;
	sim_time waited_from; /* the last_progress after which a scheduled change was waited for, */
	uint32_t n_waits;     /* and how often in a row */
	const char *verdict;
	char verdict_reason[160];
};

struct lab {
	struct world world;
	const struct scenario *scenario;
	const struct protocol *protocol;
	bool macs; /* requests and replies carry MACs, not signatures */
	const struct app *app;
	const struct workload_common *common;
	uint64_t seed;
	struct run_number number;
	struct memory_allowance allowance;
	bool verbose;

	struct transactions *transactions;
	struct clients *clients;
	struct replicas *replicas;
	struct outside *outside; /* outside.h */
	struct trace *trace; /* NULL: nobody listens */
	struct items *items;     /* items.h */
	struct attacking attacking;
	struct attackers *node_attacks;  /* attackers.c; NULL: none */
	struct twins *twins;             /* twins.c, by validator; NULL: none */
	struct watch *watch;     /* watch.h */
	struct outages *outages; /* outages.h */
	bool members; /* validators come and go: members.h */

	struct ending ending;

	struct measure *measure; /* measure/measure.h */
};

static inline struct lab *lab_of(const struct node *node)
{
	return node->world->host;
}

/* Validators that crash or attack the protocol are left out of commit, divergence and dispute counts. */
static inline bool lab_counts(const struct node *node)
{
	return !node->byzantine && !node->crashes;
}

/* Memory for at least n elements; grows by doubling, new elements zeroed. Ends the program when there is
 * none. */
void *lab_grow(void *old, size_t element_size, size_t n, size_t *capacity);
/* Zeroed memory, to be freed. Ends the program when there is none. */
void *lab_new(size_t size);

/* Where the run begins: when it may be over. */
void lab_bound(struct lab *lab);
/* When the last change that is known from the start has come: the end of a fault or an attack, or, of those that
 * never end, the beginning. */
sim_time lab_last_change(const struct scenario *scenario);
/* The world's deadline is over, or its events: ends the run, or moves the deadline. */
void lab_overdue(struct world *world, sim_time next_ns);
/* Ends a drain, whether or not all have executed all: what items there are are accepted. */
void lab_done(struct lab *lab);
/* Something happened that counts as progress: the liveness bound starts again. */
void lab_progress(struct lab *lab);
/* Ends the run. */
void lab_end(struct lab *lab, const char *verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends it if the work is done and every honest live validator has executed the last instance. */
void lab_check_done(struct lab *lab);

/* footprint.c */
/* Ends the run where it has taken more than it may; else says until which event nobody looks again. */
void memory_look(struct lab *lab);

/* attackers.c */
void attackers_start(struct lab *lab);
/* What attackers make of a command that is about to be submitted; where lab->attacking.alters. */
void attackers_alter(struct lab *lab, struct command *command);
/* Is what is sent now a message that an attack has made besides those of its node's protocol? */
bool attackers_send(const struct lab *lab);
/* Somebody leads. */
void attackers_led(struct lab *lab);
/* By validator, the group of an attack that it is in, as named or by default; VERSION_GIVEN: none. */
void attackers_groups(const struct lab *lab, const struct attack *attack, const void *settings,
	uint32_t *group);

/* Is some attacker deaf to requests, or does it listen? Then it stands before the protocol. */
bool attackers_listen(const struct lab *lab);
void attackers_receive(struct node *node, const struct message *message);

/* twins.c: the protocol's calls where some validators are twins. */
void twins_start(struct lab *lab);
void twins_finish(struct lab *lab);
bool twins_may_send(const struct lab *lab, const struct node *node, uint32_t to);
void twins_receive(struct node *node, const struct message *message);
void twins_timer(struct node *node, unsigned timer);
void twins_restart(struct node *node);
void twins_start_node(struct node *node);
/* A step of the scenario's, also where there are none: each twin takes it, if it can. */
bool twins_step(
	struct node *node, enum protocol_step step, const struct protocol_step_argument *argument);

/* trace.c: called where lab->trace is not NULL. */
void trace_start(struct lab *lab, const struct trace_sink *sink, struct host_ops *ops);
/* The protocol has started at every node. */
void trace_started(struct lab *lab);
void trace_submitted(struct lab *lab, transaction_id transaction);
void trace_accepted(struct lab *lab, uint32_t item);
/* Tells of what was found broken since it was last looked at: at the end of all checks. */
void trace_violations(struct lab *lab);
void trace_end(struct lab *lab);

#endif
