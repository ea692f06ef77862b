/* PBFT's state at one replica, shared by the files of this folder.
 *
 * Source: Castro, Liskov: Practical Byzantine Fault Tolerance, OSDI 1999 ("OSDI'99" in the comments), and
 * Castro's thesis (MIT-LCS-TR-817, 2001). Sections are named above the branches that they rule.
 *
 *   pbft.c        the registry's struct: settings, start, dispatch, restart
 *   normal.c      4.2: request, pre-prepare, prepare, commit, execution
 *   tentative.c   4.4 (thesis 5.1.2, 5.1.3): tentative execution, read-only requests
 *   fast.c        the optimistic path: all n vote, two delays instead of three. Not in the paper
 *   checkpoint.c  4.3: checkpoints, watermarks, garbage collection; fetching a missed state
 *   view_change.c 4.4: view change and new view
 *   plan.c        4.4: what a new view proposes again
 *   proof.c       what view changes and new views show: who has signed what
 *   status.c      thesis 5.2: sending again what was lost
 *   storage.c     stable storage that takes its time
 *   says.h        what its messages say
 *   words.c       what traces call its timers and messages
 *   forge.c       what a replica that lies can say
 *
 * Where the paper says f, the code says n_faulty; where it says 2f+1, `quorum`: ceil((n+f+1)/2), which is
 * 2f+1 for n = 3f+1 and still makes any two quorums meet in an honest replica for every other n. */
#ifndef PBFT_H
#define PBFT_H

#include "bits.h"
#include "pace.h"
#include "planted.h"
#include "requests.h"
#include "says.h"
#include "protocols/protocol.h"
#include "results/kpi.h"

enum pbft_authentication { PBFT_SIGNATURES, PBFT_MACS };

struct pbft_settings {
	PLANTED_MEMBER
	int64_t batch;      /* transactions a batch, at most */
	int64_t window;      /* as the scenario has it: PARAM_AUTO_VALUE stays */
	int64_t n_in_flight; /* instances, at most */
	bool paced;          /* `window: auto`, and no batch_delay */
	sim_time batch_delay_ns;
	sim_time view_timeout_ns; /* SIM_NEVER: off */
	int64_t quorum;
	int64_t reply_quorum;
	int64_t checkpoint_interval; /* K */
	int64_t watermark_window;    /* L */
	int64_t state_chunk;         /* bytes of a state in one message, at most; SIM_NEVER: all */
	int tentative, read_only, fast_path; /* 0: off, 1: on */
	int authentication;                  /* enum pbft_authentication */
	struct plugin_value write_delay;     /* a struct latency_model */
};

/* A vote that names another digest than its set counts: seen from liars, and before the proposal. */
struct other_vote {
	struct other_vote *next;
	uint64_t digest;
	uint32_t from;
};

/* Votes for one digest, one a replica; votes for other digests wait in a list, one a replica too: an
 * honest one never votes for two. */
struct vote_set {
	uint64_t digest;
	uint32_t n;
	struct other_vote *others;
	uint64_t *bits;
};

struct pbft_slot {
	uint64_t instance;          /* 0: unused */
	uint64_t view;              /* of the votes */
	const struct batch *batch;  /* of the pre-prepare accepted in `view`; NULL: none yet */
	struct vote_set prepares, commits;
	bool prepared;              /* in `view` */
	bool from_new_view;         /* proposed again by a new view */
	bool unwritten;             /* it has changed since the last write began */
	bool withheld;              /* not valid by this replica's own knowledge: it has not voted */
	/* fast.c */
	bool votes_fast;            /* its own vote in `view` is a fast one, and so is the primary's */
	bool fast_lost;             /* somebody's vote is not */
	bool holds_commit;          /* prepared, and has not sent its commit: waits for the rest of n */
	sim_time fall_back_at;      /* until then */
	struct vote_set *fast;      /* the backups' fast votes; NULL: fast_path is off */
	/* The prepared certificate of the highest view, which survives view changes. */
	uint64_t prepared_view;
	const struct batch *prepared_batch;  /* NULL: never prepared */
	const struct pbft_proof *prepared_proof; /* NULL while `view` is that view: who prepared it is in `prepares` */
	/* Its fast vote of the highest view, which survives them, too. */
	uint64_t fast_view;
	const struct batch *fast_batch;      /* NULL: never voted so */
	const struct batch *committed_batch; /* committed-local, for ever; NULL: not yet */
};

struct pbft_checkpoint {
	uint64_t instance; /* 0: unused */
	struct vote_set votes;
};

/* A checkpoint above the high watermark, as one replica claims it. */
struct pbft_claim {
	uint64_t instance, digest; /* instance 0: unused */
};

/* Claims kept of each replica, its latest: replicas that are in step are one checkpoint apart at most. */
#define PBFT_CLAIMS 2

/* O, as everyone works it out from V: from the latest stable checkpoint in V (min-s) to the highest
 * number that any of them prepared (max-s), the batch prepared in the highest view, or a null request.
 * With the fast path, so does a batch that may have been committed by it. */
struct pbft_plan {
	uint64_t min_s, max_s;
	uint64_t min_digest;
	const struct pbft_proof *min_proof;
	uint32_t min_from;
	uint64_t next;                /* the first one not yet accepted here */
	const struct batch **batches; /* of min_s + 1 .. max_s */
};

/* The body of a state message, which answers a fetch up to message.instance: the batches of instances
 * first .. first + n - 1, as many as fit in state_chunk. */
struct pbft_state_transfer {
	uint64_t first;
	uint64_t n;
	const struct batch *const *batches; /* in the sender's history, which only ever grows */
};

/* The body of an executed message: the state's digests after instances first .. first + n - 1. */
struct pbft_executed {
	uint64_t first;
	uint64_t n;              /* 1 .. PBFT_DIGESTS */
	const uint64_t *digests; /* in the sender's own array, which only ever grows */
};

/* What one answer to a status message holds, at most. */
#define PBFT_VOTED 14   /* instances whose votes are sent again; bits of message.flags */
#define PBFT_DIGESTS 64 /* of executed instances */

/* How many transactions that are known and not executed touch a key. */
struct pbft_key {
	uint64_t key;
	uint32_t n; /* 0: unused */
};

struct pbft_keys {
	struct pbft_key *table; /* open addressing; a power of two */
	size_t capacity, n_used;
	uint32_t n_any;         /* that may touch any key */
};

/* Status messages in a row of a replica that waits for what one other alone has spoken of. */
#define PBFT_ASKS 24

/* A message that came before its view or its watermark; looked at again then. */
struct held_message {
	struct held_message *next;
	struct message message;
};

/* Stable storage: what has come up during a write goes into the next one together. */
struct pbft_stored_state {
	uint64_t view;
	bool changing;
	const struct pbft_view_change *view_change; /* its own latest */
	const struct pbft_new_view *new_view;
	struct pbft_plan plan;
	uint64_t stable, stable_digest, next_instance;
	const struct pbft_proof *stable_proof;
};

struct pbft_stored_slot {
	uint64_t instance, view, prepared_view;
	const struct batch *batch, *prepared_batch;
	const struct pbft_proof *prepared_proof;
	bool from_new_view, withheld, prepared;
};

/* The state first, then the slots, one after another. */
struct pbft_write {
	struct disk_record record; /* the first member */
	struct pbft_write *next_free;
	struct pbft_stored_state state;
	struct pbft_stored_slot *slots;
	size_t capacity;
};

struct pbft_disk {
	struct pbft_stored_state state; /* what no crash takes */
	struct pbft_stored_slot *slots; /* a ring of L */
	bool dirty;
	uint64_t *changed;              /* instances whose slots have changed since the last write began */
	size_t n_changed, changed_capacity;
	struct pbft_write *writing, *free;
	uint64_t n_begun;

	/* What waits for a write: a message to be sent, or, without one, its own vote to be counted. */
	struct pbft_waiting {
		struct pbft_waiting *next;
		uint64_t write;
		struct message *message;
		uint32_t to;         /* NODE_NONE: all */
		enum pbft_kind kind;
		uint64_t view, instance, digest;
	} *waiting, **waiting_end, *waiting_free;
};

struct pbft {
	uint64_t view;
	bool changing;           /* between the view change and the new view */
	uint64_t executed;       /* the last instance executed; instances begin at 1 */
	uint64_t stable;         /* h: the last stable checkpoint */
	uint64_t stable_digest;
	const struct pbft_proof *stable_proof; /* NULL where h is 0 */
	/* The one before: what a liar may show instead. */
	uint64_t older, older_digest;
	const struct pbft_proof *older_proof;
	uint64_t state_digest;   /* chained over the executed batches */
	uint64_t next_instance;  /* the primary's next proposal */
	uint32_t quorum;
	struct pbft_slot *slots; /* a ring of L */
	uint64_t *slot_bits;

	struct pace pace;
	struct request_queue requests;
	struct request_queue own;     /* this replica's own proposals that are not settled (REQUEST_OWN) */
	struct growing_bits waiting;  /* known and not yet executed */
	struct growing_bits proposed; /* in a proposal of this view (primary) */
	uint32_t n_waiting;
	struct request_queue waiting_order; /* the same, oldest first, and some that are executed */
	transaction_id timed;         /* the one that the view timer runs for */

	struct pbft_checkpoint *checkpoints; /* those between the watermarks: a ring of L / K */
	uint64_t n_checkpoints;
	struct pbft_claim *claims;    /* those above, PBFT_CLAIMS a replica; NULL: none came yet */
	uint64_t fetch_target;        /* the last stable checkpoint, when this replica has yet to reach it */
	uint64_t fetch_digest;
	const struct pbft_proof *fetch_proof;
	uint32_t fetch_from;
	uint64_t fetch_due;           /* to be reached until the timer expires */
	bool catching_up;             /* has fetched a state and is not yet in step: fetches without delay */
	uint64_t asked, asked_digest; /* what the last fetch wanted */
	uint32_t asked_from;          /* and of whom: only its answer counts */
	/* What has come of it so far: the batches of instances fetched_first .. + fetched_n - 1. */
	uint64_t fetched_first, fetched_n;
	const struct batch **fetched;
	size_t fetched_capacity;
	const struct pbft_proof *asked_proof;
	const struct batch **history; /* executed batches, by instance - 1 */
	uint64_t *digests;            /* the state's after each of them */
	size_t history_capacity, digests_capacity;

	/* status.c */
	uint64_t heard_of;            /* the last instance that anyone has sent anything about */
	unsigned asks_left;           /* status messages until it gives up what may be a lie */
	sim_time stirred_at;          /* the last time that it came on, or that there was something new to wait for */
	bool idle;                    /* the status timer runs to tell, not to ask */
	uint64_t *told_of;            /* the last instance that each has told to have executed; NULL: nobody more */
	uint64_t sure_of;             /* the last one that f+1 have told of */
	uint64_t told, told_digest;   /* the last state fetched on the word of f+1; told 0: none */
	uint32_t told_from;           /* whom it asked for that: only its answer counts */
	sim_time told_until;          /* a further part of that is on its way */
	const struct pbft_executed **claims_executed; /* the latest of each replica; NULL: none came yet */
	uint32_t *lacked_view;        /* by replica, how often it has shown that it lacks the new view; NULL: never */
	sim_time *answered_until;     /* until then a replica gets no further answer; NULL: none yet */

	unsigned n_timeouts;          /* consecutive view changes without progress: the timeout doubles */
	const struct pbft_view_change **view_changes; /* the latest of each replica */
	const struct pbft_new_view *new_view;         /* that began this view; NULL in view 0 */
	struct pbft_plan plan;                        /* what it proposed again */

	/* tentative.c */
	uint64_t tentative;                     /* the instance executed tentatively: executed + 1, or 0 */
	uint64_t undone;                        /* the last one undone: reads wait until it is executed again */
	const struct batch *tentative_batch;
	struct request_queue reads;             /* read-only requests that wait for its commit */

	/* fast.c */
	struct pbft_keys *keys; /* NULL: fast_path is off */
	bool fast_doubtful;     /* the last one that had to fall back did so since somebody was silent */
	uint64_t n_fast;        /* instances committed here by n fast votes */

	struct held_message *held, *held_free;
	uint32_t *n_held;        /* of each replica */
	struct pbft_disk *disk;  /* NULL: writing takes no time */
	uint64_t *ahead_bits;    /* replicas that are known to be in a later view */
	uint32_t n_ahead;
};

static inline struct pbft *pbft_of(const struct node *node)
{
	return node->state;
}

static inline const struct pbft_settings *pbft_settings_of(const struct node *node)
{
	return node->settings;
}

static inline uint32_t pbft_primary(const struct node *node, uint64_t view)
{
	return (uint32_t)(view % node->n_validators); /* OSDI'99 4: p = v mod |R| */
}

static inline bool pbft_is_primary(const struct node *node)
{
	return pbft_primary(node, pbft_of(node)->view) == node->id;
}

static inline uint64_t pbft_high_watermark(const struct node *node)
{
	return pbft_of(node)->stable + (uint64_t)pbft_settings_of(node)->watermark_window;
}

/* storage.c */
void pbft_storage_start(struct node *node);
void pbft_storage_restart(struct node *node);
/* What binds it has changed, in a slot or, with NULL, elsewhere: it is written when the device is free. */
void pbft_changed(struct node *node, struct pbft_slot *slot);
void pbft_on_write(struct node *node);
void pbft_on_written(struct node *node);
void pbft_post_later(struct node *node, uint32_t to, struct message *message);
void pbft_vote_later(struct node *node, enum pbft_kind kind, const struct pbft_slot *slot);
/* The view that a crash just now has left. */
uint64_t pbft_stored_view(const struct node *node);

/* Does something wait to be written? */
static inline bool pbft_is_writing(const struct node *node)
{
	const struct pbft_disk *disk = pbft_of(node)->disk;
	return disk != NULL && (disk->dirty || disk->writing != NULL);
}

/* Sends to one, or to all others (NODE_NONE), when all that has changed is written. */
static inline void pbft_post(struct node *node, uint32_t to, struct message *message)
{
	if (pbft_is_writing(node)) {
		pbft_post_later(node, to, message);
	} else if (to == NODE_NONE) {
		node_multicast(node, message);
	} else {
		node_send(node, to, message);
	}
}

/* OSDI'99 5: signatures only for view changes and new views; all other messages carry an authenticator, a
 * MAC a receiver, under `authentication: macs`. These two send what is not signed then. */
static inline void pbft_multicast(struct node *node, struct message *message)
{
	if (pbft_settings_of(node)->authentication == PBFT_MACS) {
		message->flags |= MESSAGE_MACS;
		message->size_bytes += PBFT_MAC_BYTES * (node->n_validators - 1);
	}
	pbft_post(node, NODE_NONE, message);
}

static inline void pbft_send(struct node *node, uint32_t to, struct message *message)
{
	if (pbft_settings_of(node)->authentication == PBFT_MACS) {
		message->flags |= MESSAGE_MACS;
		message->size_bytes += PBFT_MAC_BYTES;
	}
	pbft_post(node, to, message);
}
/* words.c */
extern const struct protocol_words pbft_words;
extern const struct kpi_table pbft_kpis[];
extern const struct protocol_forgery pbft_forgery; /* forge.c */

/* votes.c */
/* Adds a vote. Returns whether it is new and counts for the set's digest, which, until it is settled, is
 * the one with the most votes. O(1); O(n) for a vote on another digest. */
bool vote_set_add(struct vote_set *votes, struct arena *arena, uint32_t from, uint64_t digest,
	bool digest_is_settled, uint32_t n_validators);
/* Settles which digest counts; votes for it that came before are counted. */
void vote_set_settle(struct vote_set *votes, struct arena *arena, uint64_t digest,
	uint32_t n_validators);
void vote_set_clear(struct vote_set *votes, uint32_t n_validators);

/* normal.c */
void pbft_on_request(struct node *node, const struct message *message);
void pbft_on_pre_prepare(struct node *node, const struct message *message);
void pbft_on_prepare(struct node *node, const struct message *message);
void pbft_on_commit(struct node *node, const struct message *message);
/* Accepts a proposal for the current view and goes on as the role demands. */
enum pbft_how {
	PBFT_HOW_FROM_NEW_VIEW = 1, /* a new view proposes it again */
	PBFT_HOW_FAST = 2,          /* the primary's vote for it is a fast one */
	PBFT_HOW_WITHHELD = 4,      /* it is not to be voted for */
};
void pbft_accept(struct node *node, uint64_t instance, const struct batch *batch, unsigned how);
/* Proposes one batch, a null batch where nothing is waiting. Returns whether it could. */
bool pbft_propose_now(struct node *node);
/* Its own vote has been written, and counts from now on, if it still can. */
void pbft_vote_written(
	struct node *node, enum pbft_kind kind, uint64_t view, uint64_t instance, uint64_t digest);
/* Sends its commit of a prepared instance, and goes on as the commits that are there demand. */
void pbft_send_commit(struct node *node, struct pbft_slot *slot);
/* The instance is committed-local. */
void pbft_commit(struct node *node, struct pbft_slot *slot);
void pbft_propose(struct node *node);
void pbft_execute(struct node *node);
/* Executes what a state transfer brought, after its digest was checked. */
void pbft_execute_transferred(struct node *node, const struct pbft_state_transfer *state);
/* Counts a transaction as known; the request timer runs while any is not executed. */
void pbft_wait_for(struct node *node, transaction_id transaction);
void pbft_restart_timer(struct node *node);
/* The slot of an instance within the watermarks, made ready for the current view. */
struct pbft_slot *pbft_slot(struct node *node, uint64_t instance);

/* tentative.c */
/* Executes the next instance where it is prepared and all before it are committed; answers reads where
 * nothing is tentative. */
void pbft_execute_tentatively(struct node *node);
/* Executes a committed batch, or confirms it where that was done tentatively. */
void pbft_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch);
/* Undoes the tentative execution, if there is one. */
void pbft_roll_back(struct node *node);
void pbft_on_read(struct node *node, const struct message *message);

/* fast.c */
void pbft_keys_add(struct node *node, transaction_id transaction);
void pbft_keys_remove(struct node *node, transaction_id transaction);
/* Does no other transaction that is known and not executed touch what the batch touches? O(its size). */
bool pbft_is_free(const struct node *node, const struct batch *batch);
/* Its own fast vote, and with it what came before. */
void pbft_vote_fast(struct node *node, struct pbft_slot *slot);
/* A backup's vote came, a fast one or not. */
void pbft_count_fast(struct node *node, struct pbft_slot *slot, const struct message *message);
/* Commits the instance if all n have voted for it; sends the commit held back if they won't. */
void pbft_check_fast(struct node *node, struct pbft_slot *slot);
/* Prepared: holds the commit back where all n may still vote. Returns whether it does. */
bool pbft_hold_commit(struct node *node, struct pbft_slot *slot);
/* Sends the commits that were held back for long enough; all of them after a restart. */
void pbft_fall_back(struct node *node, bool all);

/* checkpoint.c */
/* After a restart: its own last checkpoint counts again. */
void pbft_recount_checkpoint(struct node *node);
void pbft_checkpoint(struct node *node);
/* Sends this replica's last checkpoint again, to one or to all others (NODE_NONE), where it is not known to
 * be stable: votes may have been lost, and without a stable checkpoint all replicas would stand at the high
 * watermark for ever. */
void pbft_resend_checkpoint(struct node *node, uint32_t to);
void pbft_on_checkpoint(struct node *node, const struct message *message);
void pbft_on_fetch(struct node *node, const struct message *message);
void pbft_on_state(struct node *node, const struct message *message);
void pbft_fetch(struct node *node);
/* How many checkpoint messages make one stable. */
uint32_t pbft_stable_quorum(const struct node *node);
/* A stable checkpoint was learnt from a quorum: takes it, and keeps the proof. Returns whether the
 * watermarks moved; the caller then goes on by pbft_advanced when its own step is complete. */
bool pbft_stable(struct node *node, uint64_t instance, uint64_t digest, const struct pbft_proof *proof,
	uint32_t from);
void pbft_advanced(struct node *node);
/* Asks one replica, or all others (NODE_NONE), for the state up to `last`; 0: what view it is and which
 * checkpoint is stable. */
void pbft_send_fetch(struct node *node, uint32_t to, uint64_t last);
/* Tells one that has been away, or has missed a new view, where the others are. */
void pbft_tell(struct node *node, uint32_t to, bool lacks_view, uint64_t stable);
/* Asks all others what view it is and which checkpoint is stable. */
void pbft_ask(struct node *node);
/* How long to wait for what may only be late: a share of the view timeout, 1 s where that is off. */
sim_time pbft_patience_ns(const struct node *node);
uint64_t pbft_chain(uint64_t state_digest, const struct batch *batch);

/* view_change.c */
void pbft_start_view_change(struct node *node, uint64_t view);
/* What this replica would say to change to `view` from the state that it is in, signed. */
struct pbft_view_change *pbft_make_view_change(struct node *node, uint64_t view);
uint32_t pbft_view_change_bytes(const struct pbft_view_change *body);
void pbft_on_view_change(struct node *node, const struct message *message);
void pbft_on_new_view(struct node *node, const struct message *message);
void pbft_resend_view_change(struct node *node);
/* Tells a replica that has missed it of the view that has begun. */
void pbft_resend_new_view(struct node *node, uint32_t to);
/* Is it this replica's turn to send the new view again to one that lacks it? It is large, and costs its receiver
 * the verification of all that it shows: the primary sends it, and one more in turn, since that may lie. */
bool pbft_turn_to_resend(struct node *node, uint32_t to);
/* plan.c */
struct pbft_plan pbft_plan_new_view(struct node *node, const struct pbft_new_view *new_view);
/* proof.c */
/* What a replica shows that holds such messages from `n` of `signers`; `first` (or NODE_NONE) is one of them,
 * the rest are the lowest. NULL where they are not so many. */
const struct pbft_proof *pbft_prove(struct node *node, uint64_t statement, const uint64_t *signers,
	uint32_t first, uint32_t n);
/* The slot's certificate of the highest view: prepared_batch is there. */
const struct pbft_proof *pbft_prove_prepared(struct node *node, const struct pbft_slot *slot);
/* What they signed: that a batch with this digest is the one of (view, instance), by pre-prepare or prepare;
 * that the state after an instance has this digest. */
uint64_t pbft_statement_prepare(uint64_t view, uint64_t instance, uint64_t digest);
uint64_t pbft_statement_checkpoint(uint64_t instance, uint64_t digest);
/* The same of what is in them, but for the signature. O(entries). */
uint64_t pbft_statement_view_change(const struct pbft_view_change *view_change);
uint64_t pbft_statement_new_view(const struct pbft_new_view *new_view);
/* Counts what it shows, and signs it. */
void pbft_sign_view_change(const struct node *node, struct pbft_view_change *view_change);
void pbft_sign_new_view(const struct node *node, struct pbft_new_view *new_view, uint64_t n_proposals);
/* OSDI'99 4.4: is it correct: what it says of P and F possible (between its watermarks, of earlier views, in
 * order), its checkpoint and each entry of P proved, the whole signed by its sender? Returns what is wrong, or
 * NULL. O(the signatures in it). */
const char *pbft_view_change_fault(const struct node *node, const struct pbft_view_change *view_change);
/* The same of a new view: made by its primary from view changes of 2f+1 that are correct, one a replica, all
 * for that view. */
const char *pbft_new_view_fault(const struct node *node, const struct pbft_new_view *new_view);

/* Accepts what the new view proposed again, as far as the high watermark. */
void pbft_accept_plan(struct node *node);
/* The present timeout: the setting, doubled for each view change without progress. */
sim_time pbft_timeout_ns(const struct node *node);

/* status.c */
/* After progress, or when there is something new to wait for: the timer starts anew or stops. */
void pbft_restart_status(struct node *node);
/* There is something to wait for: the same, unless it is being waited for. */
void pbft_stir(struct node *node);
/* Somebody has sent something about an instance that is not executed here. O(1). */
void pbft_hear_of(struct node *node, uint64_t instance);
/* Tells all others how far it has come. */
void pbft_send_status(struct node *node);
void pbft_status_timer(struct node *node);
void pbft_on_status(struct node *node, const struct message *message);
void pbft_on_executed(struct node *node, const struct message *message);

/* held.c */
void pbft_forget_held(struct node *node);
void pbft_hold(struct node *node, const struct message *message);
/* Looks at the held messages again; those that are still early stay. */
void pbft_release(struct node *node);

#endif
