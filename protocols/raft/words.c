/* What traces call Raft's timers and messages: the words of the paper's figure 2. */
#include "raft.h"

#include <stdio.h>

static const char *const timer_names[] = {
	[RAFT_TIMER_ELECTION] = "election timeout",
	[RAFT_TIMER_HEARTBEAT] = "heartbeat due",
	[RAFT_TIMER_BATCH] = "batch delay over",
	[RAFT_TIMER_RESEND] = "look for who lags",
	NULL,
};

/* The first ones are the kinds of messages, in their order, so that a kind of its own is its phase. */
static const char *const phase_names[] = {"append", "append matched", "vote requested", "vote granted",
	"vote refused", "heartbeat", "append refused", "heartbeat answered", NULL};

enum {
	PHASE_KINDS = 4,
	PHASE_VOTE_REFUSED = PHASE_KINDS,
	PHASE_HEARTBEAT,
	PHASE_APPEND_REFUSED,
	PHASE_HEARTBEAT_ANSWER,
};

static unsigned phase(const struct message *message)
{
	bool yes = (message->flags & RAFT_FLAG_YES) != 0;
	switch (message->kind) {
	case RAFT_APPEND:
		return message->body == NULL ? PHASE_HEARTBEAT : RAFT_APPEND - MESSAGE_PROTOCOL;
	case RAFT_APPEND_ANSWER:
		return !yes ? PHASE_APPEND_REFUSED
			: message->class == CLASS_HEARTBEAT ? PHASE_HEARTBEAT_ANSWER
												: RAFT_APPEND_ANSWER - MESSAGE_PROTOCOL;
	case RAFT_VOTE_ANSWER:
		return yes ? RAFT_VOTE_ANSWER - MESSAGE_PROTOCOL : PHASE_VOTE_REFUSED;
	default:
		return message->kind - MESSAGE_PROTOCOL;
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
	case RAFT_VOTE:
		snprintf(out, size, "term %llu, lastLogIndex %llu, lastLogTerm %llu", term, index, digest);
		return true;
	case RAFT_VOTE_ANSWER:
		snprintf(out, size, "term %llu, vote %s", term, yes ? "granted" : "refused");
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
