/* What a Raft server that lies can say. Raft trusts: followers take their leader's word for what stands in
 * the log, and a candidate a voter's for its vote. There are no certificates, so that nothing is refused. */
#include "raft.h"

static enum message_role role(const struct message *message)
{
	switch (message->kind) {
	case RAFT_APPEND:
		return message->body == NULL ? ROLE_HEARTBEAT : ROLE_PROPOSAL;
	case RAFT_APPEND_ANSWER: /* holds the entries: what commits them */
	case RAFT_VOTE_ANSWER:
	case RAFT_PRE_VOTE_ANSWER:
		return ROLE_VOTE;
	default:
		return ROLE_OTHER;
	}
}

static bool propose(struct node *node, struct message *copy, forgery_choose choose, void *context)
{
	if (copy->kind != RAFT_APPEND || copy->body == NULL) {
		return true;
	}
	const struct raft_entries *honest = copy->body;
	size_t bytes = sizeof(*honest) + honest->n * sizeof(honest->entries[0]);
	struct raft_entries *entries = arena_alloc(node_arena(node), bytes);
	memcpy(entries, honest, bytes);
	for (uint32_t i = 0; i < honest->n; i++) {
		const struct batch *batch = honest->entries[i].batch;
		entries->entries[i].batch =
			choose(context, copy->instance + 1 + i, honest->entries[i].term, batch);
		copy->size_bytes += entries->entries[i].batch->size_bytes - batch->size_bytes;
	}
	copy->body = entries;
	return true;
}

static bool grant(struct node *node, struct message *copy)
{
	bool answers = copy->kind == RAFT_VOTE_ANSWER || copy->kind == RAFT_PRE_VOTE_ANSWER;
	if (!answers || (copy->flags & RAFT_FLAG_YES) != 0) {
		return false;
	}
	copy->flags |= RAFT_FLAG_YES;
	return true;
}

static bool acknowledge(struct node *node, struct message *copy, uint64_t ahead)
{
	if (copy->kind != RAFT_APPEND_ANSWER) {
		return false;
	}
	copy->flags |= RAFT_FLAG_YES;
	copy->instance = raft_of(node)->last + ahead;
	copy->digest = 0;
	return true;
}

/* Raft fig. 2, all servers: whoever hears of a higher term takes it over, and a leader follows. */
static void inflate(struct node *node, struct message *copy, uint64_t by)
{
	copy->view += by;
}

const struct protocol_forgery raft_forgery = {
	.role = role,
	.propose = propose,
	.grant = grant,
	.acknowledge = acknowledge,
	.inflate = inflate,
};
