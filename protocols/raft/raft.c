/* Raft in the registry: its settings, its start and its dispatch. */
#include "raft.h"

#include <stdio.h>

static const struct param params[] = {
	{.name = "batch", .kind = PARAM_INT, .offset = offsetof(struct raft_settings, batch), .min = 1,
		.max = RAFT_BATCH_MAX, .fallback = "64", .unit = "transactions",
		.help = "transactions in one entry, at most"},
	{.name = "window", .kind = PARAM_INT, .offset = offsetof(struct raft_settings, window), .min = 1,
		.max = 1e6, .fallback = "256", .unit = "entries",
		.help = "entries proposed and not yet committed, at most"},
	{.name = "batch_delay", .kind = PARAM_DURATION,
		.offset = offsetof(struct raft_settings, batch_delay_ns), .fallback = "0 s", .unit = "s",
		.help = "how long an entry that is not full waits for more transactions"},
	{.name = "election_timeout", .kind = PARAM_DURATION_RANGE,
		.flags = PARAM_AUTO | PARAM_OFF | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct raft_settings, election_timeout_ns), .fallback = "auto",
		.auto_delays = {10, 20}, .auto_min_ns = {150 * SIM_MS, 300 * SIM_MS}, .unit = "s",
		.help = "a server that hears nothing for a time drawn from this range becomes a candidate"},
	{.name = "heartbeat", .kind = PARAM_DURATION, .flags = PARAM_AUTO | PARAM_OFF | PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct raft_settings, heartbeat_ns), .fallback = "auto", .unit = "s",
		.help = "an idle leader's pause between appends; auto: a third of the smallest election timeout"},
	{.name = "initial_leader", .kind = PARAM_CHOICE, .choices = "0|none",
		.offset = offsetof(struct raft_settings, initial_leader), .fallback = "0", .unit = "",
		.help = "0: node 0 leads term 1 from the start; none: all begin as followers with fresh timers"},
	PARAM_END,
};

static bool finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	struct raft_settings *raft = settings;
	if (raft->heartbeat_ns == PARAM_AUTO_VALUE) {
		/* Without elections nobody waits for heartbeats, but lost appends are still sent again. */
		sim_time timeout = raft->election_timeout_ns[0];
		raft->heartbeat_ns = timeout == SIM_NEVER ? 50 * SIM_MS : timeout / 3;
		if (raft->heartbeat_ns < 1) {
			raft->heartbeat_ns = 1;
		}
	}
	if (raft->election_timeout_ns[1] < raft->election_timeout_ns[0]) {
		*param = "election_timeout";
		snprintf(error, 256, "must be [smallest, largest]");
		return false;
	}
	return true;
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	return n_validators / 2 + 1;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 1; /* Raft 8: the leader answers */
}

static void start(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	raft->voted_for = NODE_NONE;
	raft->leader = NODE_NONE;
	raft->majority = node->n_validators / 2 + 1;
	raft->votes = arena_array(node_arena(node), uint64_t, bits_words(node->n_validators));
	raft->peers = arena_array(node_arena(node), struct raft_peer, node->n_validators);
	if (settings->initial_leader == RAFT_LEADER_NONE) {
		raft_reset_election_timer(node);
		return;
	}
	raft->term = 1;
	raft->voted_for = 0;
	if (node->id == 0) {
		raft_lead(node, true);
	} else {
		raft->leader = 0;
		raft_reset_election_timer(node);
	}
}

static void receive(struct node *node, const struct message *message)
{
	switch (message->kind) {
	case RAFT_APPEND:
		raft_on_append(node, message);
		break;
	case RAFT_APPEND_ANSWER:
		raft_on_append_answer(node, message);
		break;
	case MESSAGE_REQUEST:
		raft_on_request(node, message);
		break;
	case RAFT_VOTE:
		raft_on_vote(node, message);
		break;
	case RAFT_VOTE_ANSWER:
		raft_on_vote_answer(node, message);
		break;
	default:
		assert(!"a kind of message that Raft does not have");
	}
}

static void timer(struct node *node, unsigned which)
{
	struct raft *raft = raft_of(node);
	switch (which) {
	case RAFT_TIMER_ELECTION:
		if (raft->role != RAFT_LEADER) {
			raft_campaign(node);
		}
		break;
	case RAFT_TIMER_HEARTBEAT:
		if (raft->role == RAFT_LEADER) {
			raft_heartbeat(node);
			node_timer_set(node, RAFT_TIMER_HEARTBEAT,
				sim_time_add(node_now(node), raft_settings_of(node)->heartbeat_ns));
		}
		break;
	case RAFT_TIMER_RESEND:
		if (raft->role == RAFT_LEADER) {
			raft_resend(node);
			node_timer_set(node, RAFT_TIMER_RESEND,
				sim_time_add(node_now(node), raft_settings_of(node)->heartbeat_ns));
		}
		break;
	case RAFT_TIMER_BATCH:
		raft_propose(node);
		break;
	default:
		assert(!"a timer that Raft does not have");
	}
}

/* Raft fig. 2: term, vote and log persist, and so does what the application has executed. The server
 * comes back as a follower that knows no leader. */
static void restart(struct node *node)
{
	struct raft *raft = raft_of(node);
	raft->role = RAFT_FOLLOWER;
	raft->leader = NODE_NONE;
	raft->commit = raft->applied;
	raft->requests.n = 0;
	raft->held = NULL;
	raft->n_held = 0;
	raft_reset_election_timer(node);
}

static uint64_t view(const struct node *node)
{
	return raft_of(node)->term;
}

static uint32_t leader(const struct node *node)
{
	return raft_of(node)->leader;
}

static uint64_t log_last(const struct node *node)
{
	return raft_of(node)->last;
}

static struct log_entry log_at(const struct node *node, uint64_t index)
{
	const struct raft_entry *entry = &raft_of(node)->log[index - 1];
	return (struct log_entry){entry->term, entry->batch->digest};
}

static const char *const message_names[] = {
	"append-entries", "append-answer", "request-vote", "vote-answer", NULL};

const struct protocol protocol_raft = {
	.plugin =
		{
			.name = "raft",
			.summary = "Raft (Ongaro, Ousterhout, USENIX ATC 2014)",
			.params = params,
			.settings_size = sizeof(struct raft_settings),
			.finish = finish,
		},
	.ordered = true,
	.leader_based = true,
	.client = CLIENT_HINTED,
	.state_size = sizeof(struct raft),
	.message_names = message_names,
	.quorum = quorum,
	.reply_quorum = reply_quorum,
	.start = start,
	.receive = receive,
	.timer = timer,
	.restart = restart,
	.forgery = &raft_forgery,
	.view = view,
	.leader = leader,
	.log_last = log_last,
	.log_at = log_at,
};
