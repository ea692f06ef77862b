/* Raft's state at one server, shared by the files of this folder.
 *
 * Source: Ongaro, Ousterhout: In Search of an Understandable Consensus Algorithm, USENIX ATC 2014 (its
 * figure 2 is the specification: "Raft fig. 2"), and Ongaro's thesis (Stanford 2014).
 *
 *   raft.c       the registry's struct: start, dispatch, restart, steps
 *   settings.c   what a scenario may say of it
 *   election.c   5.2, 5.4.1: timeouts, candidates, votes; thesis 6.2, 9.6: check-quorum, pre-vote
 *   log.c        5.3, 5.4.2: the log, AppendEntries at a follower, what is committed
 *   replicate.c  5.3, 5.4.2: proposals, appends and their answers at the leader, the commit rule
 *   storage.c    stable storage that takes its time; thesis 10.2.1
 *   snapshot.c   7: log compaction, InstallSnapshot
 *   config.c     who is a member, and what a majority is then
 *   membership.c 6; thesis 4: membership changes
 *   transfer.c   thesis 3.10: leadership transfer
 *   reads.c      thesis 6.4: reads that are not ordered
 *   words.c      what traces call its timers and messages
 *   forge.c      what a server that lies can say
 *
 * Indices begin at 1; an entry holds one batch. Term, vote and log are on stable storage and survive a
 * crash, and so does what the application has executed. */
#ifndef RAFT_H
#define RAFT_H

#include "bits.h"
#include "pace.h"
#include "planted.h"
#include "requests.h"
#include "protocols/protocol.h"
#include "results/kpi.h"

enum raft_kind {
	RAFT_APPEND = MESSAGE_PROTOCOL, /* view: term; instance, digest: prevLogIndex, prevLogTerm;
	                                 * extra: leaderCommit; body: struct raft_entries or NULL */
	RAFT_APPEND_ANSWER, /* view: term; instance: last index known to match, or where to go back to;
	                     * digest: the conflicting term, or 0 */
	RAFT_VOTE,          /* view: term; instance, digest: lastLogIndex, lastLogTerm */
	RAFT_VOTE_ANSWER,   /* view: term */
	RAFT_SNAPSHOT,      /* a chunk; view: term; instance, digest: lastIncludedIndex, lastIncludedTerm;
	                     * extra: offset, in bytes; body: struct raft_snapshot, all of it in each chunk */
	RAFT_TIMEOUT_NOW,   /* view: term */
	RAFT_CONFIRM,       /* view: term; instance: the round; extra: the leader's clock */
	RAFT_CONFIRM_ANSWER, /* view: term; instance, extra: as in what it answers */
	RAFT_WRITE,         /* to oneself: begin to write what has changed */
	RAFT_WRITTEN,       /* to oneself: it is on stable storage */
	RAFT_PRE_VOTE,      /* as a vote, but only asks whether it would be granted; view: the term to come */
	RAFT_PRE_VOTE_ANSWER, /* view: term; instance: the term asked for */
	RAFT_SNAPSHOT_ANSWER, /* to a chunk that is not the last; view: term; instance: lastIncludedIndex; extra: how
	                       * many bytes it has. The last one is answered as an append is */
};

enum raft_flags {
	RAFT_FLAG_YES = 1 << 0,   /* success; vote granted */
	RAFT_FLAG_PROBE = 1 << 1, /* of an append: the leader wants an answer at once, gap or not */
	RAFT_FLAG_DONE = 1 << 2,  /* of a snapshot: the last chunk */
	RAFT_FLAG_TRANSFER = 1 << 3, /* of a vote: the leader itself wants the election */
};

/* Further bits of a probe's flags number it; its answer has the same. */
#define RAFT_PROBE_SHIFT 4
#define RAFT_PROBE_MASK (MESSAGE_FORGED / (1 << RAFT_PROBE_SHIFT) - 1)

enum raft_timer {
	RAFT_TIMER_ELECTION,
	RAFT_TIMER_HEARTBEAT, /* a leader that has sent nothing for so long */
	RAFT_TIMER_BATCH,
	RAFT_TIMER_RESEND,    /* a leader looks for servers that do not come on, as often as heartbeats */
	RAFT_TIMER_TRANSFER,  /* a leader that hands over the lead waits no longer */
};

/* Bytes on the wire: kind, term, index, term, commit, sender; an entry adds its term and length. */
#define RAFT_HEADER_BYTES 48
#define RAFT_ENTRY_BYTES 16
#define RAFT_MEMBER_BYTES 8 /* of one member in a configuration */

#define RAFT_BATCH_MAX 4096
/* One message to a server that lags: so many entries at most; so many bytes at most at first and later,
 * but one entry in any case. */
#define RAFT_RESEND_MAX 256
#define RAFT_RESEND_BYTES_MIN (1 << 16)
#define RAFT_RESEND_BYTES_MAX (1 << 20)
/* Thesis 4.2.1: rounds in which a new server may catch up. */
#define RAFT_ROUNDS 10

enum { RAFT_LEADER_0, RAFT_LEADER_NONE };

enum raft_reads { RAFT_READS_LOG, RAFT_READS_INDEX, RAFT_READS_LEASE };

#define RAFT_WINDOW 256 /* entries, where the scenario names no number */

struct raft_settings {
	PLANTED_MEMBER
	int64_t batch;
	int64_t window;                  /* as the scenario has it: PARAM_AUTO_VALUE stays */
	int64_t n_in_flight;             /* entries, at most */
	bool paced;                      /* `window: auto`, and no batch_delay */
	sim_time batch_delay_ns;
	sim_time election_timeout_ns[2]; /* SIM_NEVER: off */
	sim_time heartbeat_ns;           /* SIM_NEVER: off */
	int initial_leader;
	struct plugin_value write_delay; /* a struct latency_model */
	int64_t snapshot_every;          /* SIM_NEVER: off */
	int64_t snapshot_bytes, snapshot_chunk_bytes;
	bool pre_vote, check_quorum;
	struct node_list members, learners;
	int reads;                       /* enum raft_reads */
	double lease, clock_drift;
};

/* A configuration: who is a member. Immutable once made; it begins to hold at a server when its entry is
 * appended to the log there (Raft 6). The entry's batch orders no transactions and stands right behind
 * this struct in memory. Who holds an entry holds all before it, so that `prev` is the same everywhere. */
struct raft_config {
	const struct raft_config *prev; /* which holds where this one's entry is cut; NULL: the first */
	uint64_t index;                 /* of its entry; 0: the first */
	const uint64_t *voters, *learners;
	const uint64_t *old; /* joint consensus: the voters before, of whom a majority is needed too; or NULL */
};

struct raft_entry {
	uint64_t term;
	const struct batch *batch;
	uint32_t n_acks; /* at the leader: servers besides it that hold the entry */
};

struct raft_entries {
	uint32_t n;
	struct {
		uint64_t term;
		const struct batch *batch;
	} entries[];
};

/* The state after `index`, as the batches that made it. They are those in the sender's log, which never
 * change once they are committed. */
struct raft_snapshot {
	uint64_t index;
	const struct raft_entry *entries; /* 1 .. index */
	const struct raft_config *config;
};

enum raft_role { RAFT_FOLLOWER, RAFT_PRE_CANDIDATE, RAFT_CANDIDATE, RAFT_LEADER };

/* What a leader knows of another server. In step: it is sent new entries as they come. Else it is probed:
 * one append at a time, until one matches and what is left fits into one more. */
struct raft_peer {
	uint64_t next, match;
	uint64_t match_at_tick; /* when last looked at for progress */
	bool in_step;
	bool probing;           /* a probe is under way */
	bool heard;             /* it has answered a probe since last looked at */
	bool member;            /* it is sent entries: a voter, a learner, or about to be one */
	uint16_t probe;         /* the number of the probe under way */
	uint32_t resend_bytes;  /* in one message to it, at most */
	sim_time probed_at;
	const struct raft_snapshot *snapshot; /* that it is being sent; NULL: none */
	uint64_t offset;        /* of its next chunk */
	sim_time answered_at;   /* check-quorum: it has last answered */
	uint64_t confirmed_round;
	sim_time confirmed_at;  /* by the leader's clock: sent then, the last that it has confirmed */
};

struct raft_held {
	struct raft_held *next;
	struct message message;
};

/* What is on stable storage. */
struct raft_image {
	uint64_t term, last, base, snapshot;
	uint32_t voted_for;
	struct raft_entry *log;
	size_t log_capacity;
};

/* One write: term and vote, then the entries from .. last, one after another. */
struct raft_write {
	struct disk_record record; /* the first member */
	struct raft_write *next_free;
	uint64_t term, from, last, base, snapshot;
	uint32_t voted_for;
	struct raft_entry *entries;
	size_t capacity;
};

/* Stable storage: what has come up during a write goes into the next one together. */
struct raft_disk {
	struct raft_image said;  /* what is on it, by the device's word */
	struct raft_image *safe; /* what no crash takes: the same, unless the device may say so too early */

	/* What has changed since the last write began. */
	bool dirty;
	uint64_t dirty_from; /* entries from here on; UINT64_MAX: none */

	struct raft_write *writing; /* what is being written; NULL: nothing is */
	struct raft_write *free;
	uint64_t n_begun;

	/* Answers that wait for a write. */
	struct raft_waiting {
		struct raft_waiting *next;
		uint64_t write;
		uint32_t to;
		struct message *message;
	} *waiting, **waiting_end, *waiting_free;
};

/* A membership change that a leader has been asked for. Thesis 4.1 to 4.3. */
struct raft_change {
	bool joint;
	const uint64_t *voters, *learners;
	struct raft_round {
		uint32_t n;      /* which round the new server is in; 0: none yet */
		uint64_t end;    /* it ends when the server holds this entry */
		sim_time began;
		bool caught_up;
	} *rounds;
};

struct raft_read {
	transaction_id transaction;
	uint64_t index; /* that must have been applied */
	uint64_t round; /* that must have been confirmed */
};

struct raft {
	/* On stable storage. */
	uint64_t term;
	uint32_t voted_for;
	struct raft_entry *log; /* entry i at log[i - 1] */
	size_t log_capacity;
	uint64_t last;          /* index of the last entry */
	uint64_t base;          /* the log begins after it: what is before is discarded. (The array goes on
	                         * holding it, as what snapshots consist of.) */
	uint64_t snapshot;      /* lastIncludedIndex of the last snapshot */

	enum raft_role role;
	uint32_t leader;
	uint64_t commit, applied;
	uint64_t snapshot_due;  /* the next one is taken when so much is applied */
	sim_time heard_at;      /* from a leader; -1: never */
	bool keeps_time;        /* it matters when it heard: it refuses candidates for a leader's sake, and leads
	                         * only as long as a majority answers; both or neither (thesis 6.2) */
	uint64_t *votes;

	/* Who is a member: the latest configuration in the log, committed or not. */
	const struct raft_config *config;
	const struct raft_config *first_config;
	uint32_t majority;      /* of all validators */
	bool plain;             /* all validators are voters and have always been; nothing waits for storage */
	bool to_all;            /* all the others are sent entries */

	/* Leader. */
	struct raft_peer *peers;
	uint32_t n_out_of_step;
	uint64_t last_at_tick;
	uint64_t own_first;     /* the first entry of its term; 0: it leads from the start */
	struct pace pace;
	struct request_queue requests;
	struct growing_bits proposed;
	bool attentive;         /* a transfer or a change waits for answers */
	uint32_t transfer_to;   /* NODE_NONE: no transfer */
	bool transferred;       /* TimeoutNow has been sent in this term */
	struct raft_change *change;
	uint64_t n_changes_given_up;
	uint32_t snapshot_to;   /* to whom chunks are under way, to one at a time; NODE_NONE */
	uint64_t *values;       /* scratch, by validator */
	uint64_t *sorted;

	/* Reads that wait, in order of arrival, at a leader. */
	struct raft_read *reads;
	size_t reads_first, reads_n, reads_capacity;
	uint64_t round, round_confirmed; /* of heartbeats that confirm the lead */
	sim_time round_at;               /* the last began then */

	/* Appends that overtook those before them, by prevLogIndex ascending. */
	struct raft_held *held, *held_free;
	uint32_t n_held;

	/* A snapshot that has come in part: from the leader of which term, up to which index, bytes so far. */
	uint64_t partial_term, partial, partial_bytes;

	struct raft_disk *disk; /* NULL: writing takes no time */
};

static inline struct raft *raft_of(const struct node *node)
{
	return node->state;
}

static inline const struct raft_settings *raft_settings_of(const struct node *node)
{
	return node->settings;
}

/* Of an entry from the base on: the array holds those before it too, but for snapshots only. */
static inline uint64_t raft_term_at(const struct raft *raft, uint64_t index)
{
	assert(index <= raft->last);
	assert(index >= raft->base);
	return index == 0 ? 0 : raft->log[index - 1].term;
}

/* settings.c */
extern const struct param raft_params[];
bool raft_finish(void *settings, const struct shape *shape, const char **param, char error[256]);
/* words.c */
extern const struct protocol_words raft_words;
extern const struct kpi_table raft_kpis[];
extern const struct protocol_forgery raft_forgery; /* forge.c */

/* election.c */
void raft_reset_election_timer(struct node *node);
/* By its timer, or by a step of the scenario's. `force`: asks for no pre-votes. */
void raft_election_begin(struct node *node, bool by_step, bool force);
void raft_campaign(struct node *node);
void raft_on_vote(struct node *node, const struct message *message);
void raft_on_pre_vote(struct node *node, const struct message *message);
void raft_on_vote_answer(struct node *node, const struct message *message);
/* Its own vote is on stable storage. */
void raft_own_vote_written(struct node *node);
/* Raft fig. 2, all servers: a higher term makes a follower. */
void raft_step_down(struct node *node, uint64_t term);
/* A leader becomes a follower in its own term. */
void raft_resign(struct node *node);
/* Thesis 6.2. */
void raft_check_quorum(struct node *node);
/* Takes the lead of the current term. `first`: as the initial leader, without a no-op. */
void raft_lead(struct node *node, bool first);
/* TimeoutNow has come. */
void raft_campaign_now(struct node *node);

/* log.c */
void raft_append_to_log(struct node *node, uint64_t term, const struct batch *batch);
void raft_on_append(struct node *node, const struct message *message);
void raft_follow_anew(struct node *node, const struct message *message);
/* Follows whoever sends what only the leader of its term does. False: it is of an old term. */
static inline bool raft_follow(struct node *node, const struct message *message)
{
	const struct raft *raft = raft_of(node);
	if (message->view < raft->term) {
		return false;
	}
	if (message->view == raft->term && raft->role == RAFT_FOLLOWER &&
		raft->leader == message->from && !raft->keeps_time) {
		raft_reset_election_timer(node); /* the way of nearly all appends */
	} else {
		raft_follow_anew(node, message);
	}
	return true;
}
void raft_answer_append(struct node *node, const struct message *append, bool success, uint64_t index,
	uint64_t conflict_term);
void raft_apply_committed(struct node *node);

/* replicate.c */
/* How far apart its processor and card bear entries, as a leader or as a follower. */
sim_time raft_gap_ns(struct node *node);
void raft_on_request(struct node *node, const struct message *message);
void raft_on_append_answer(struct node *node, const struct message *message);
void raft_on_snapshot_answer(struct node *node, const struct message *message);
void raft_propose(struct node *node);
void raft_propose_noop(struct node *node);
void raft_append_and_replicate(struct node *node, const struct batch *batch);
void raft_heartbeat(struct node *node);
void raft_resend(struct node *node);
/* Those that the committed configuration leaves out are told so, and sent no more. */
void raft_say_farewell(struct node *node);
/* Where commitment is not counted entry by entry: looks how far it has come. */
void raft_advance_commit(struct node *node);
void raft_hint(struct node *node, const struct message *request);
/* `leader`: itself, or NODE_NONE. */
void raft_tell_clients(struct node *node, uint32_t leader);

/* storage.c */
void raft_storage_start(struct node *node);
/* Term or vote have changed, or entries from `from` on (UINT64_MAX: none): they are written when the device
 * is free, with all else that the handler under way changes. */
void raft_storage_changed(struct node *node, uint64_t from);
void raft_on_write(struct node *node);
void raft_on_written(struct node *node);
void raft_answer_later(struct node *node, uint32_t to, struct message *message);
/* Sends an answer once all that it rests on is on stable storage. */
static inline void raft_answer(struct node *node, uint32_t to, struct message *message)
{
	const struct raft_disk *disk = raft_of(node)->disk;
	if (disk == NULL || (!disk->dirty && disk->writing == NULL)) {
		node_send(node, to, message);
	} else {
		raft_answer_later(node, to, message);
	}
}
/* The last entry that a crash would leave as it is. */
uint64_t raft_stored(const struct raft *raft);
/* The last index and term that a candidate may claim. */
uint64_t raft_claim(const struct raft *raft, uint64_t *term);
void raft_storage_restart(struct node *node);
/* The term that a crash just now has left. */
uint64_t raft_stored_term(const struct node *node);

/* snapshot.c */
void raft_take_snapshot(struct node *node);
/* The next chunk. */
void raft_send_snapshot(struct node *node, uint32_t to, uint16_t flags);
void raft_on_snapshot(struct node *node, const struct message *message);

/* config.c */
/* The configuration that a batch is, or NULL. */
static inline const struct raft_config *raft_config_of(const struct batch *batch)
{
	return batch->n == 0 && batch->digest != 0
		? (const struct raft_config *)(const void *)batch - 1
		: NULL;
}
const struct batch *raft_config_batch(const struct raft_config *config);
const struct raft_config *raft_config_make(struct node *node, const uint64_t *voters,
	const uint64_t *old, const uint64_t *learners, uint64_t index);
const struct raft_config *raft_first_config(struct node *node);
void raft_configure(struct node *node, const struct raft_config *config);
/* The configuration that holds after entry `index`. */
const struct raft_config *raft_config_at(const struct raft *raft, uint64_t index);
bool raft_is_voter(const struct raft_config *config, uint32_t node);
/* Is the set a majority, of each set of voters where there are two? */
bool raft_is_quorum(const struct node *node, const uint64_t *set);
/* The most that a majority of the voters has reached. O(n log n). */
uint64_t raft_reached(struct node *node, const uint64_t *values);
/* Is it to be sent entries, by a leader? */
bool raft_is_member(const struct node *node, uint32_t i);
/* Who is to be sent entries has changed. */
void raft_recount_members(struct node *node);

/* membership.c */
bool raft_change_members(struct node *node, const struct protocol_step_argument *argument);
void raft_change_go_on(struct node *node);
void raft_change_drop(struct node *node);

/* transfer.c */
/* NODE_NONE: to whom it likes. */
bool raft_transfer(struct node *node, uint32_t to);
/* How long a leader bears with a server that does not answer. */
sim_time raft_patience_ns(const struct node *node);
void raft_transfer_go_on(struct node *node);
void raft_transfer_timeout(struct node *node);
void raft_on_timeout_now(struct node *node, const struct message *message);
/* What a transfer or a change waits for may have come. */
void raft_attend(struct node *node);

/* reads.c */
void raft_on_read(struct node *node, const struct message *message);
void raft_on_confirm(struct node *node, const struct message *message);
void raft_on_confirm_answer(struct node *node, const struct message *message);
void raft_serve_reads(struct node *node);
void raft_confirm_again(struct node *node);

#endif
