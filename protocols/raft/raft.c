/* Raft in the registry: its start, its dispatch, what a scenario's steps make it do. */
#include "raft.h"

static uint32_t faulty_most(const void *settings, uint32_t n_validators)
{
	return (n_validators - 1) / 2; /* Raft 2: any majority goes on */
}

static struct protocol_patience patience(const void *settings)
{
	const struct raft_settings *raft = settings;
	return (struct protocol_patience){raft->election_timeout_ns[0], raft->election_timeout_ns[1], false};
}

static uint32_t quorum(const void *settings, uint32_t n_validators, uint32_t n_faulty)
{
	const struct node_list *members = &((const struct raft_settings *)settings)->members;
	const struct node_list *learners = &((const struct raft_settings *)settings)->learners;
	return (members->given ? (uint32_t)members->n : n_validators - (uint32_t)learners->n) / 2 + 1;
}

static uint32_t reply_quorum(const void *settings, uint32_t n_faulty)
{
	return 1; /* Raft 8: the leader answers */
}

static bool stores(const void *settings)
{
	return true;
}

static void start(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	raft->voted_for = NODE_NONE;
	raft->leader = NODE_NONE;
	raft->majority =
		node->n_validators / 2 + 1 - (PLANTED(settings, QUORUM_ONE_LESS) ? 1 : 0);
	raft->plain = !settings->members.given && settings->learners.n == 0;
	raft->first_config = raft->config = raft_first_config(node);
	raft->heard_at = -1;
	if (settings->paced) {
		pace_start(node, &raft->pace);
	}
	raft->keeps_time = settings->check_quorum || settings->pre_vote;
	raft->transfer_to = NODE_NONE;
	raft->snapshot_to = NODE_NONE;
	raft->snapshot_due = (uint64_t)settings->snapshot_every;
	raft->values = arena_array(node_arena(node), uint64_t, 2 * (size_t)node->n_validators);
	raft->sorted = raft->values + node->n_validators;
	raft->votes = arena_array(node_arena(node), uint64_t, bits_words(node->n_validators));
	raft->peers = arena_array(node_arena(node), struct raft_peer, node->n_validators);
	if (settings->initial_leader == RAFT_LEADER_NONE) {
		raft_storage_start(node);
		raft_reset_election_timer(node);
		return;
	}
	raft->term = 1;
	raft->voted_for = 0;
	raft_storage_start(node);
	if (node->id == 0) {
		raft_lead(node, true);
	} else {
		raft->leader = 0;
		raft->heard_at = 0;
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
	case RAFT_PRE_VOTE:
		raft_on_pre_vote(node, message);
		break;
	case RAFT_VOTE_ANSWER:
	case RAFT_PRE_VOTE_ANSWER:
		raft_on_vote_answer(node, message);
		break;
	case RAFT_SNAPSHOT:
		raft_on_snapshot(node, message);
		break;
	case RAFT_SNAPSHOT_ANSWER:
		raft_on_snapshot_answer(node, message);
		break;
	case RAFT_TIMEOUT_NOW:
		raft_on_timeout_now(node, message);
		break;
	case MESSAGE_READ:
		raft_on_read(node, message);
		break;
	case RAFT_CONFIRM:
		raft_on_confirm(node, message);
		break;
	case RAFT_CONFIRM_ANSWER:
		raft_on_confirm_answer(node, message);
		break;
	case RAFT_WRITE:
		raft_on_write(node);
		break;
	case RAFT_WRITTEN:
		raft_on_written(node);
		break;
	default:
		assert(!"a kind of message that Raft does not have");
	}
}

/* A leader's regular look at the others, as often as heartbeats. */
static void tick(struct node *node)
{
	struct raft *raft = raft_of(node);
	const struct raft_settings *settings = raft_settings_of(node);
	raft_resend(node);
	node_timer_set(
		node, RAFT_TIMER_RESEND, sim_time_add(node_now(node), settings->heartbeat_ns));
	if (settings->reads != RAFT_READS_LOG) {
		raft_confirm_again(node);
	}
	if (raft->attentive) {
		raft_attend(node);
	}
	/* Thesis 6.2: where followers refuse candidates for a leader's sake (pre-votes, or votes after a
	 * membership change, too), it must not stay when it reaches no quorum, or nobody leads for ever. */
	if (raft->keeps_time && raft->role == RAFT_LEADER) {
		raft_check_quorum(node);
	}
}

static void timer(struct node *node, unsigned which)
{
	struct raft *raft = raft_of(node);
	switch (which) {
	case RAFT_TIMER_ELECTION:
		if (raft->role != RAFT_LEADER) {
			raft_election_begin(node, false, false);
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
			tick(node);
		}
		break;
	case RAFT_TIMER_BATCH:
		raft_propose(node);
		break;
	case RAFT_TIMER_TRANSFER:
		raft_transfer_timeout(node);
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
	const struct raft_settings *settings = raft_settings_of(node);
	if (raft->disk != NULL) {
		raft_storage_restart(node);
	}
	if (PLANTED(settings, VOTE_FORGOTTEN)) {
		raft->voted_for = NODE_NONE;
	}
	raft->role = RAFT_FOLLOWER;
	raft->leader = NODE_NONE;
	raft->commit = raft->applied;
	raft->requests.n = 0;
	raft->reads_n = 0;
	raft->transfer_to = NODE_NONE;
	raft->held = NULL;
	raft->n_held = 0;
	raft->partial = 0;
	/* Thesis 6.4.1: it may have heard from a leader just before the crash, and has forgotten when. */
	raft->heard_at = settings->check_quorum ? node_now(node) : -1;
	raft_change_drop(node);
	raft_reset_election_timer(node);
}

static bool begin_election(struct node *node, bool force)
{
	const struct raft *raft = raft_of(node);
	if (raft->role == RAFT_LEADER || !raft_is_voter(raft->config, node->id)) {
		return false;
	}
	raft_election_begin(node, true, force);
	return true;
}

static bool propose_now(struct node *node)
{
	struct raft *raft = raft_of(node);
	if (raft->role != RAFT_LEADER || raft->transfer_to != NODE_NONE) {
		return false;
	}
	if (raft->requests.n == 0) {
		raft_propose_noop(node);
	} else {
		node_timer_cancel(node, RAFT_TIMER_BATCH);
		pace_let(&raft->pace);
		raft_propose(node);
	}
	return true;
}

static bool step(struct node *node, enum protocol_step which,
	const struct protocol_step_argument *argument)
{
	switch (which) {
	case STEP_CAMPAIGN:
		return begin_election(node, argument->force);
	case STEP_PROPOSE:
		return propose_now(node);
	case STEP_TRANSFER:
		return raft_transfer(node, argument->to);
	case STEP_CHANGE_MEMBERSHIP:
		return raft_change_members(node, argument);
	default:
		return false;
	}
}

static enum protocol_reads reads(const void *settings)
{
	return ((const struct raft_settings *)settings)->reads == RAFT_READS_LOG ? READS_ORDERED
																			 : READS_LEADER;
}

static uint64_t view(const struct node *node)
{
	return raft_of(node)->term;
}

static uint64_t stored_view(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	return raft->disk == NULL ? raft->term : raft_stored_term(node);
}

static uint32_t leader(const struct node *node)
{
	return raft_of(node)->leader;
}

static enum protocol_part part(const struct node *node, uint32_t validator)
{
	const struct raft_config *config = raft_of(node)->config;
	return raft_is_voter(config, validator)           ? PART_VOTER
		: bits_test(config->learners, validator) ? PART_LEARNER
												 : PART_NONE;
}

/* What a leader has yet to change may make a quorum of those who are left. */
static bool enough(const struct node *node, const uint64_t *validators)
{
	const struct raft *raft = raft_of(node);
	return raft_is_quorum(node, validators) || (raft->role == RAFT_LEADER && raft->change != NULL);
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
	"append-entries", "append-answer", "request-vote", "vote-answer", "install-snapshot",
	"timeout-now", "confirm", "confirm-answer", "write", "written", "pre-vote", "pre-vote-answer",
	"snapshot-answer", NULL};

const struct protocol protocol_raft = {
	.plugin =
		{
			.name = "raft",
			.summary = "Raft (Ongaro, Ousterhout, USENIX ATC 2014)",
			.params = raft_params,
			.settings_size = sizeof(struct raft_settings),
			.finish = raft_finish,
		},
	.ordered = true,
	.leader_based = true,
	.stores = stores,
	.client = CLIENT_HINTED,
	.state_size = sizeof(struct raft),
	.message_names = message_names,
	.words = &raft_words,
	.kpis = raft_kpis,
	.faulty_most = faulty_most,
	.faulty_rule = "n > 2f",
	.patience = patience,
	.quorum = quorum,
	.reply_quorum = reply_quorum,
	.start = start,
	.receive = receive,
	.timer = timer,
	.restart = restart,
	.step = step,
	.steps = 1 << STEP_CAMPAIGN | 1 << STEP_PROPOSE | 1 << STEP_TRANSFER | 1 << STEP_CHANGE_MEMBERSHIP,
	.reads = reads,
	.forgery = &raft_forgery,
	.view = view,
	.stored_view = stored_view,
	.leader = leader,
	.part = part,
	.enough = enough,
	.log_last = log_last,
	.log_at = log_at,
};
