/* What traces call Raft's timers and messages: the words of the paper's figure 2. */
#include "raft.h"

#include <stdio.h>

static const char *const timer_names[] = {
	[RAFT_TIMER_ELECTION] = "election timeout",
	[RAFT_TIMER_HEARTBEAT] = "heartbeat due",
	[RAFT_TIMER_BATCH] = "batch delay over",
	[RAFT_TIMER_RESEND] = "look for who lags",
	[RAFT_TIMER_TRANSFER] = "transfer takes too long",
	NULL,
};

enum {
	PHASE_APPEND,
	PHASE_APPEND_ANSWER,
	PHASE_VOTE,
	PHASE_VOTE_GRANTED,
	PHASE_VOTE_REFUSED,
	PHASE_HEARTBEAT,
	PHASE_APPEND_REFUSED,
	PHASE_HEARTBEAT_ANSWER,
	PHASE_SNAPSHOT,
	PHASE_SNAPSHOT_ANSWER,
	PHASE_TIMEOUT_NOW,
	PHASE_PRE_VOTE,
	PHASE_PRE_VOTE_GRANTED,
	PHASE_PRE_VOTE_REFUSED,
};

static const char *const phase_names[] = {
	[PHASE_APPEND] = "append",
	[PHASE_APPEND_ANSWER] = "append matched",
	[PHASE_VOTE] = "vote requested",
	[PHASE_VOTE_GRANTED] = "vote granted",
	[PHASE_VOTE_REFUSED] = "vote refused",
	[PHASE_HEARTBEAT] = "heartbeat",
	[PHASE_APPEND_REFUSED] = "append refused",
	[PHASE_HEARTBEAT_ANSWER] = "heartbeat answered",
	[PHASE_SNAPSHOT] = "snapshot",
	[PHASE_SNAPSHOT_ANSWER] = "snapshot answered",
	[PHASE_TIMEOUT_NOW] = "timeout now",
	[PHASE_PRE_VOTE] = "pre-vote requested",
	[PHASE_PRE_VOTE_GRANTED] = "pre-vote granted",
	[PHASE_PRE_VOTE_REFUSED] = "pre-vote refused",
	NULL,
};

static unsigned phase(const struct message *message)
{
	bool yes = (message->flags & RAFT_FLAG_YES) != 0;
	switch (message->kind) {
	case RAFT_APPEND:
		return message->body == NULL ? PHASE_HEARTBEAT : PHASE_APPEND;
	case RAFT_APPEND_ANSWER:
		return !yes                                   ? PHASE_APPEND_REFUSED
			: message->class == CLASS_HEARTBEAT ? PHASE_HEARTBEAT_ANSWER
												: PHASE_APPEND_ANSWER;
	case RAFT_VOTE:
		return PHASE_VOTE;
	case RAFT_VOTE_ANSWER:
		return yes ? PHASE_VOTE_GRANTED : PHASE_VOTE_REFUSED;
	case RAFT_PRE_VOTE:
		return PHASE_PRE_VOTE;
	case RAFT_PRE_VOTE_ANSWER:
		return yes ? PHASE_PRE_VOTE_GRANTED : PHASE_PRE_VOTE_REFUSED;
	case RAFT_SNAPSHOT:
		return PHASE_SNAPSHOT;
	case RAFT_SNAPSHOT_ANSWER:
		return PHASE_SNAPSHOT_ANSWER;
	case RAFT_TIMEOUT_NOW:
		return PHASE_TIMEOUT_NOW;
	case RAFT_CONFIRM:
		return PHASE_HEARTBEAT;
	default:
		return PHASE_HEARTBEAT_ANSWER; /* of a round that confirms the lead */
	}
}

static bool tell(const struct message *message, char *out, size_t size)
{
	unsigned long long term = message->view;
	unsigned long long index = message->instance;
	unsigned long long digest = message->digest;
	bool yes = (message->flags & RAFT_FLAG_YES) != 0;
	switch (message->kind) {
	case RAFT_APPEND: {
		const struct raft_entries *entries = message->body;
		int n = snprintf(out, size, "term %llu, prevLogIndex %llu, prevLogTerm %llu, leaderCommit %llu",
			term, index, digest, (unsigned long long)message->extra);
		if (entries == NULL) {
			snprintf(out + n, size - (size_t)n, ", no entries: a heartbeat");
		} else {
			snprintf(out + n, size - (size_t)n, ", %u entr%s", entries->n,
				entries->n == 1 ? "y" : "ies");
		}
		return true;
	}
	case RAFT_APPEND_ANSWER:
		if (yes) {
			snprintf(out, size, "term %llu, success, matches up to index %llu", term, index);
		} else {
			snprintf(out, size, "term %llu, no success, go back to index %llu", term, index);
		}
		return true;
	case RAFT_SNAPSHOT:
		snprintf(out, size, "term %llu, lastIncludedIndex %llu, lastIncludedTerm %llu, offset %llu%s", term, index,
			digest, (unsigned long long)message->extra,
			(message->flags & RAFT_FLAG_DONE) != 0 ? ", done" : "");
		return true;
	case RAFT_SNAPSHOT_ANSWER:
		snprintf(out, size, "term %llu, lastIncludedIndex %llu, %llu bytes so far", term, index,
			(unsigned long long)message->extra);
		return true;
	case RAFT_VOTE:
	case RAFT_PRE_VOTE:
		snprintf(out, size, "term %llu, lastLogIndex %llu, lastLogTerm %llu", term, index, digest);
		return true;
	case RAFT_VOTE_ANSWER:
		snprintf(out, size, "term %llu, vote %s", term, yes ? "granted" : "refused");
		return true;
	case RAFT_PRE_VOTE_ANSWER:
		snprintf(out, size, "term %llu, pre-vote for term %llu %s", term, index, yes ? "granted" : "refused");
		return true;
	default:
		return false;
	}
}

const struct protocol_words raft_words = {
	.view = "term",
	.instance = "index",
	.timer_names = timer_names,
	.phase_names = phase_names,
	.phase = phase,
	.tell = tell,
};
