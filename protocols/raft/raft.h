/* Raft's state at one server, shared by the files of this folder.
 *
 * Source: Ongaro, Ousterhout: In Search of an Understandable Consensus Algorithm, USENIX ATC 2014 (its
 * figure 2 is the specification: "Raft fig. 2"), and Ongaro's thesis (Stanford 2014).
 *
 *   raft.c      the registry's struct: settings, start, dispatch, restart
 *   election.c  5.2, 5.4.1: timeouts, candidates, votes
 *   log.c       5.3, 5.4.2: proposals, AppendEntries and its answer, the commit rule
 *   forge.c     what a server that lies can say
 *
 * Indices begin at 1; an entry holds one batch. Term, vote and log are on stable storage and survive a
 * crash, and so does what the application has executed. */
#ifndef RAFT_H
#define RAFT_H

#include "../bits.h"
#include "../requests.h"
#include "protocols/protocol.h"

enum raft_kind {
	RAFT_APPEND = MESSAGE_PROTOCOL, /* view: term; instance, digest: prevLogIndex, prevLogTerm;
	                                 * extra: leaderCommit; body: struct raft_entries or NULL */
	RAFT_APPEND_ANSWER, /* view: term; instance: last index known to match, or where to go back to;
	                     * digest: the conflicting term, or 0 */
	RAFT_VOTE,          /* view: term; instance, digest: lastLogIndex, lastLogTerm */
	RAFT_VOTE_ANSWER,   /* view: term */
};

enum raft_flags {
	RAFT_FLAG_YES = 1 << 0,   /* success; vote granted */
	RAFT_FLAG_PROBE = 1 << 1, /* of an append: the leader wants an answer at once, gap or not */
};

/* Further bits of a probe's flags number it; its answer has the same. */
#define RAFT_PROBE_SHIFT 4
#define RAFT_PROBE_MASK (MESSAGE_FORGED / (1 << RAFT_PROBE_SHIFT) - 1)

enum raft_timer {
	RAFT_TIMER_ELECTION,
	RAFT_TIMER_HEARTBEAT, /* a leader that has sent nothing for so long */
	RAFT_TIMER_BATCH,
	RAFT_TIMER_RESEND,    /* a leader looks for servers that do not come on, as often as heartbeats */
};

/* Bytes on the wire: kind, term, index, term, commit, sender; an entry adds its term and length. */
#define RAFT_HEADER_BYTES 48
#define RAFT_ENTRY_BYTES 16

#define RAFT_BATCH_MAX 4096
/* One message to a server that lags: so many entries at most; so many bytes at most at first and later,
 * but one entry in any case. */
#define RAFT_RESEND_MAX 256
#define RAFT_RESEND_BYTES_MIN (1 << 16)
#define RAFT_RESEND_BYTES_MAX (1 << 20)

enum { RAFT_LEADER_0, RAFT_LEADER_NONE };

struct raft_settings {
	int64_t batch, window;
	sim_time batch_delay_ns;
	sim_time election_timeout_ns[2]; /* SIM_NEVER: off */
	sim_time heartbeat_ns;           /* SIM_NEVER: off */
	int initial_leader;
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

enum raft_role { RAFT_FOLLOWER, RAFT_CANDIDATE, RAFT_LEADER };

/* What a leader knows of another server. In step: it is sent new entries as they come. Else it is probed:
 * one append at a time, until one matches and what is left fits into one more. */
struct raft_peer {
	uint64_t next, match;
	uint64_t match_at_tick; /* when last looked at for progress */
	bool in_step;
	bool probing;           /* a probe is under way */
	bool heard;             /* it has answered a probe since last looked at */
	uint16_t probe;         /* the number of the probe under way */
	uint32_t resend_bytes;  /* in one message to it, at most */
	sim_time probed_at;
};

struct raft_held {
	struct raft_held *next;
	struct message message;
};

struct raft {
	/* On stable storage. */
	uint64_t term;
	uint32_t voted_for;
	struct raft_entry *log; /* entry i at log[i - 1] */
	size_t log_capacity;
	uint64_t last;          /* index of the last entry */

	enum raft_role role;
	uint32_t leader;
	uint64_t commit, applied;
	uint32_t majority;
	uint32_t n_votes;
	uint64_t *votes;

	/* Leader. */
	struct raft_peer *peers;
	uint32_t n_out_of_step;
	uint64_t last_at_tick;
	struct request_queue requests;
	struct growing_bits proposed;

	/* Appends that overtook those before them, by prevLogIndex ascending. */
	struct raft_held *held, *held_free;
	uint32_t n_held;
};

static inline struct raft *raft_of(const struct node *node)
{
	return node->state;
}

static inline const struct raft_settings *raft_settings_of(const struct node *node)
{
	return node->settings;
}

static inline uint64_t raft_term_at(const struct raft *raft, uint64_t index)
{
	assert(index <= raft->last);
	return index == 0 ? 0 : raft->log[index - 1].term;
}

extern const struct protocol_forgery raft_forgery; /* forge.c */

/* election.c */
void raft_reset_election_timer(struct node *node);
void raft_campaign(struct node *node);
void raft_on_vote(struct node *node, const struct message *message);
void raft_on_vote_answer(struct node *node, const struct message *message);
/* Raft fig. 2, all servers: a higher term makes a follower. */
void raft_step_down(struct node *node, uint64_t term);
/* Takes the lead of the current term. `first`: as the initial leader, without a no-op. */
void raft_lead(struct node *node, bool first);

/* log.c */
void raft_on_request(struct node *node, const struct message *message);
void raft_on_append(struct node *node, const struct message *message);
void raft_on_append_answer(struct node *node, const struct message *message);
void raft_propose(struct node *node);
void raft_propose_noop(struct node *node);
void raft_heartbeat(struct node *node);
void raft_resend(struct node *node);

#endif
