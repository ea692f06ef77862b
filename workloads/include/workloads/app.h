/* What is agreed on, as one const struct an application.
 *
 * Two halves that meet only in commands. The *replicated* one is pure: the same calls in the same order give the
 * same state at every replica, and it knows of no clock, no node and no message. The *outside* one is a world of
 * parties (gateways, clients of their own, observers) that submit commands and hear what became of them; the calls
 * outside_* are all that it may do, as sim/node.h is all that a protocol may. A third part says what is measured.
 *
 * The laboratory is the third party: it numbers commands, hands them to consensus, has replicas execute and undo
 * them, keeps the reply cache, the clients' timeouts and the records, and calls the invariants. It names no
 * application.
 *
 * Memory is the run's arena's. Nothing here may be a mutable global. */
#ifndef WORKLOADS_APP_H
#define WORKLOADS_APP_H

#include "results/tables.h"
#include "sim/arena.h"
#include "sim/node.h"
#include "sim/param.h"
#include "sim/random.h"

/* What one transaction asks. The laboratory keeps it by transaction; consensus sees its number and size. */
struct command {
	transaction_id number; /* written at its submission */
	uint32_t sender;       /* the node of the client, or the validator whose gateway submits it */
	uint32_t identity;     /* under which it speaks: the sender, or one that a Sybil made up */
	uint32_t bytes;        /* on the wire, besides the request's header */
	uint64_t subject;      /* item, key, account, site, job, round */
	union {
		double real[2];
		int64_t integer[2];
	} argument;
	const void *body;      /* what does not fit (a gradient, a batch of ticks): immutable, in the run's arena */
	uint32_t n_body;       /* how many numbers, ticks, ... it holds */
	uint16_t kind;         /* index into app->commands */
};

enum command_flags {
	COMMAND_READS = 1 << 0, /* changes nothing: may be answered without being ordered, where the protocol can */
	COMMAND_OWN = 1 << 1,   /* its sender's validator alone may propose it, and the others vote for it only as
	                         * far as `valid` says */
};

struct command_kind {
	const char *name; /* "transfer": in traces and /transactions */
	unsigned flags;   /* enum command_flags */
};

/* Something that executing a command made known, for observers, traces and the table of events. */
struct app_event {
	uint16_t kind; /* index into app->events */
	uint64_t subject;
	int64_t values[2];
};

/* Where in the log a command stands. Under a protocol without an order the instance says nothing to others. */
struct log_place {
	uint64_t instance, view;
};

/* What executing one came to, at one replica. Zeroed before. */
struct effect {
	uint64_t result; /* what a reply carries: equal at equal replicas */
	const void *detail;             /* for `executed` below, until the next call (a closing) */
	const struct app_event *events; /* until the next call */
	uint32_t n_events;
	uint16_t reject; /* index into app->rejects; 0: it counted */
};

struct adversary; /* workloads/adversary.h */
struct app;
struct kpi_table;
struct model_cache;
struct outside; /* the laboratory's */

/* What was said about an item, for /decisions. */
struct app_counts {
	int64_t predictions; /* with which it closed */
	int64_t rejected;    /* of these */
	int64_t late;        /* that came after its closing */
	int64_t disputed;    /* accepted ones further than the tolerance from the decision */
};

/* How a validator stands with the application, for /validators. */
struct app_standing {
	int64_t accepted, rejected; /* of what it said */
	double score_mean, reputation, reward; /* NaN: there is no such thing */
};

/* A part of a digest: of two numbers, well mixed; sums of such parts follow a state that changes part by part. */
static inline uint64_t app_digest(uint64_t a, uint64_t b)
{
	uint64_t mixed = (a + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9) ^ b;
	mixed = (mixed ^ (mixed >> 31)) * UINT64_C(0x94d049bb133111eb);
	mixed = (mixed ^ (mixed >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	return mixed ^ (mixed >> 32);
}

/* What `start` is told. */
struct app_start {
	const struct app *app;
	const struct plugin_value *scorer, *aggregator; /* the scenario's; no plugin: none */
	uint32_t n_validators, n_clients;
	uint32_t n_participants; /* identities that may speak, the validators first */
	uint64_t seed;
	struct arena *arena;
};

/* An invariant of the application's own, looked at from the outside at each honest replica after each instance.
 * False: broken, and `what` says how, in words. */
struct app_check {
	const char *invariant; /* "conservation" */
	bool (*holds)(const void *settings, const void *replica, char what[160]);
};

#define APP_COLUMNS_MAX 16

struct app {
	struct plugin plugin; /* settings begin with a struct workload_common */
	const char *value_unit;              /* of items' values and truths; "" */
	const struct command_kind *commands; /* end with a NULL name */
	const char *const *rejects;          /* words; the first is "", for what counted; end with NULL */
	const char *const *events;           /* words; end with NULL; or NULL: it makes none known */
	/* Parties of their own submit commands and wait for equal replies of enough validators; else gateways do,
	 * who see what their validator executes. */
	bool has_clients;
	bool predicted; /* it is the first member of a struct items_app (workloads/items.h) */

	/* Replicated. Where `execute` is NULL commands are opaque: the result is the instance.
	 *
	 * start: what all replicas of a run share (settings, room to work in, results computed once): zeroed.
	 * begin: one replica that has executed nothing; also after a crash that took everything.
	 * execute: `undo` has undo_size bytes, aligned for any type, or is NULL: it will never be undone.
	 * undo: the exact inverse, of the last command executed and not yet undone. Where a protocol executes before it
	 *   commits, each command is undone and executed again as it commits: what follows from it outside follows then.
	 * read: a COMMAND_READS answered from the state as it is; NULL: all are ordered.
	 * digest: 64 bits of all that the replica holds and that later commands depend on; kept up to date as it
	 *   changes, so that asking costs nothing. NULL: there is no state.
	 * key: which object it touches: two that touch different ones commute; NULL: any. */
	size_t shared_size, replica_size, undo_size; /* undo_size 0: can't be undone */
	void (*start)(const void *settings, void *shared, const struct app_start *start);
	void (*begin)(void *shared, void *replica, struct arena *arena);
	void (*finish)(void *replica); /* what is not the arena's; NULL */
	void (*execute)(void *replica, const struct command *command, struct log_place place, struct effect *effect,
		void *undo);
	void (*undo)(void *replica, const struct command *command, const void *undo);
	void (*read)(const void *replica, const struct command *command, struct effect *effect);
	uint64_t (*digest)(const void *replica);
	uint64_t (*key)(const void *shared, const struct command *command);
	/* Of the answer, besides the reply's header; NULL: 0. */
	uint32_t (*reply_bytes)(const void *settings, const struct command *command);
	/* A result that never was: what liars tell instead of the true one, a function of it. NULL: another number. */
	uint64_t (*misinform)(const void *settings, const struct command *command, uint64_t result);

	/* Outside. The state is zeroed; `outside` is the same throughout the run. Each may be NULL.
	 *
	 * open: time 0, before the protocol starts. False, with a sentence: the run can't be set up.
	 * arrives: an item has come by the scenario's `arrivals` (or, closed loop, since an answer has), and its client
	 *   is there to do something about it: submit commands. It is numbered in order of arrival.
	 * happens: what outside_at asked for. worked: what outside_work asked for.
	 * executed: a validator has executed a command for good, with that effect; called at every replica. Never for
	 *   commands that are opaque. The command is there until another is submitted. The command
	 *   is there until another is submitted.
	 * answered: a client of its own has its answer, from enough validators. True: the item is settled; false: the
	 *   client goes on (has submitted another command).
	 * changed: that validator is up again or is down; NODE_NONE: some may have come to belong or not to.
	 * valid: may that validator, by its own knowledge of the world, vote for this COMMAND_OWN of another's?
	 * moot: is this COMMAND_OWN nothing to wait for or to propose at that validator any longer?
	 * close: the run is over; KPIs and tables have been asked for. Frees what is not the arena's. */
	size_t outside_size;
	bool (*open)(struct outside *outside, void *state, char error[256]);
	void (*arrives)(struct outside *outside, void *state, uint32_t item);
	void (*happens)(struct outside *outside, void *state, uint64_t what);
	void (*worked)(struct outside *outside, void *state, uint32_t node, uint64_t what);
	void (*executed)(struct outside *outside, void *state, uint32_t node, const struct command *command,
		struct log_place place, const struct effect *effect);
	bool (*answered)(struct outside *outside, void *state, const struct command *command, uint64_t result);
	void (*changed)(struct outside *outside, void *state, uint32_t node);
	bool (*valid)(struct outside *outside, void *state, uint32_t node, const struct command *command);
	bool (*moot)(struct outside *outside, void *state, uint32_t node, const struct command *command);
	void (*close)(struct outside *outside, void *state);

	/* Measured. */
	const struct kpi_table *kpis;    /* of its own (results/kpi.h), end with NULL kpis; NULL: none */
	/* Tables of its own; their rows come by outside_row. They end with a NULL name; NULL: none. One that is in
	 * result_tables has its columns there. */
	const struct table *tables;
	const struct app_check *checks;  /* end with a NULL name; NULL: none */
	/* Columns of its own in /transactions, behind the laboratory's, APP_COLUMNS_MAX at most, and who fills them in;
	 * the list ends with a NULL name. NULL: none. */
	const struct column *command_columns;
	void (*command_cells)(struct outside *outside, const void *state, const struct command *, union cell *cells);
	/* Zeros, and NaN for what is no count, before; NULL: they stay. */
	void (*item_counts)(
		struct outside *outside, const void *state, uint32_t item, struct app_counts *counts);
	void (*standing)(
		struct outside *outside, const void *state, uint32_t validator, struct app_standing *standing);
	/* The run has ended, and KPIs and tables are next: puts in order what is looked at in order, writes rows that
	 * only the end shows. */
	void (*report)(struct outside *outside, void *state);
	/* Bytes that grow with the run and are not the arena's. */
	uint64_t (*bytes)(const void *state);
	/* At the run's end, where invariants are checked and the protocol orders: what only its whole history shows, by
	 * outside_violated (linearizability). */
	void (*judge)(struct outside *outside, void *state);
	/* What a command asks and what a result says, for traces: "put key 3", "version 2". NULL: nothing, the number. */
	void (*tell)(const void *settings, const struct command *command, char *out, size_t size);
	void (*tell_result)(
		const void *settings, const struct command *command, uint64_t result, char *out, size_t size);
};

/* What an application's outside may do. Times are ns from the run's start. */

sim_time outside_now(const struct outside *outside);
uint64_t outside_seed(const struct outside *outside);
struct arena *outside_arena(struct outside *outside);
const struct app *outside_app(const struct outside *outside);
const void *outside_settings(const struct outside *outside);
/* What else the scenario says that applications go by. */
const struct plugin_value *outside_predictor(const struct outside *outside);
/* Who lies about what is predicted; NULL: nothing is. */
struct adversary *outside_adversary(const struct outside *outside);
/* Does the scenario name attacks? */
bool outside_attacked(const struct outside *outside);
/* Models that the runs of one program share (workloads/models.h); NULL: none are. */
struct model_cache *outside_models(const struct outside *outside);
bool outside_verbose(const struct outside *outside);          /* what is trained is told on stderr */
uint64_t outside_run(const struct outside *outside);          /* the run's number, for what is told */
/* What `start` made, and one validator's replica as it is now. */
void *outside_shared(const struct outside *outside);
const void *outside_replica(const struct outside *outside, uint32_t validator);

uint32_t outside_n_validators(const struct outside *outside);
/* outside_alive: is the validator up? outside_serves: and does it belong? outside_honest: does it keep the protocol's
 * promises, and was never down, and so counts in what is measured? */
bool outside_alive(const struct outside *outside, uint32_t validator);
bool outside_serves(const struct outside *outside, uint32_t validator);
bool outside_honest(const struct outside *outside, uint32_t validator);
/* Does it attack the protocol? */
bool outside_lies(const struct outside *outside, uint32_t validator);
/* May the validators whose gateways are items' clients go down, or come not to belong? */
bool outside_clients_move(const struct outside *outside);
/* Is the run over? */
bool outside_is_over(const struct outside *outside);
/* Ends it, as one that could not be made: `why` in words, and the sentence for the user. */
void outside_fail(struct outside *outside, const char *why, const char error[256]);
/* The gateway of that validator, or of the next live honest one that belongs. */
uint32_t outside_gateway(const struct outside *outside, uint32_t from);
/* Whose state the gateway of that validator can ask for: its own where it belongs, else the latest leader's. */
uint32_t outside_informant(const struct outside *outside, uint32_t validator);

/* Has `happens` called at that time, now at the earliest, with `what`. */
void outside_at(struct outside *outside, sim_time at_ns, uint64_t what);
/* Has the validator's processor work so long, after what it has been asked for before and after messages that
 * wait, and `worked` called when it is done. A crash takes it. */
void outside_work(struct outside *outside, uint32_t validator, sim_time cost_ns, uint64_t what);

/* An item arrives now, besides those of `arrivals`, at its client: latency counts from now. Gives its number. */
uint32_t outside_item(struct outside *outside, uint32_t client);
uint32_t outside_client(const struct outside *outside, uint32_t item);
/* The item that a command is about. */
uint32_t outside_item_of(const struct outside *outside, transaction_id command);
/* Its client is another one from now on: the old one's validator has gone. */
void outside_move(struct outside *outside, uint32_t item, uint32_t client);
/* The truth that no validator sees; else NaN, and no KPI of errors counts the item. */
void outside_truth(struct outside *outside, uint32_t item, double truth);
/* Its client is content, since what was executed at `place` says so. NaN: it is closed without a value. */
void outside_settled(struct outside *outside, uint32_t item, double value, struct log_place place);
bool outside_is_settled(const struct outside *outside, uint32_t item);
/* A honest replica has come to this value for the item; others that come to another diverge. */
void outside_came_to(struct outside *outside, uint32_t validator, uint32_t item, double value);

/* Submits the command for the item, from its `sender`; its number is filled in. */
transaction_id outside_submit(struct outside *outside, uint32_t item, const struct command *command);
/* So many are submitted: the number of the next. */
transaction_id outside_n_commands(const struct outside *outside);
/* Until the next is submitted. */
const struct command *outside_command(const struct outside *outside, transaction_id transaction);

/* A row of its own table number `table` (in order of app->tables), where it is recorded; cells behind `run`. */
bool outside_records(const struct outside *outside, unsigned table);
void outside_row(struct outside *outside, unsigned table, const union cell *cells);
/* An invariant between parties of its own is broken. */
struct app_violation {
	const char *invariant;
	sim_time at_ns;
	transaction_id first, second; /* whose clients show it */
	uint64_t values[2];           /* what each holds */
	const char *what;             /* lives as long as the run */
};

void outside_violated(struct outside *outside, const struct app_violation *violation);

#endif
