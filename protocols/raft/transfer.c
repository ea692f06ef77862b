/* Leadership transfer. Thesis 3.10. */
#include "raft.h"

/* Thesis 3.10: a transfer that has not come to its end after about an election timeout is given up. */
sim_time raft_patience_ns(const struct node *node)
{
	const struct raft_settings *settings = raft_settings_of(node);
	sim_time timeout = settings->election_timeout_ns[0];
	return timeout != SIM_NEVER                ? timeout
		: settings->heartbeat_ns != SIM_NEVER  ? 3 * settings->heartbeat_ns
											   : SIM_SECOND;
}

/* Whom a leader that may choose hands the lead to: the voter whose log is furthest, the first of several;
 * NODE_NONE: it is the only one. */
static uint32_t best_target(const struct node *node)
{
	const struct raft *raft = raft_of(node);
	uint32_t best = NODE_NONE;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		if (i != node->id && bits_test(raft->config->voters, i) &&
			(best == NODE_NONE || raft->peers[i].match > raft->peers[best].match)) {
			best = i;
		}
	}
	return best;
}

bool raft_transfer(struct node *node, uint32_t to)
{
	struct raft *raft = raft_of(node);
	if (to == NODE_NONE && raft->role == RAFT_LEADER) {
		to = best_target(node);
	}
	if (raft->role != RAFT_LEADER || to == node->id || to >= node->n_validators ||
		!bits_test(raft->config->voters, to) || raft->transfer_to != NODE_NONE ||
		raft->change != NULL) {
		return false;
	}
	node_log(node, "leadership transfer -> take no more requests");
	raft->transfer_to = to;
	raft->attentive = true;
	node_timer_set(node, RAFT_TIMER_TRANSFER, sim_time_add(node_now(node), raft_patience_ns(node)));
	raft_transfer_go_on(node);
	return true;
}

void raft_transfer_go_on(struct node *node)
{
	struct raft *raft = raft_of(node);
	/* Thesis 3.10: the target's log is brought up to date by the ordinary appends; then it is told. */
	if (raft->peers[raft->transfer_to].match < raft->last) {
		return;
	}
	node_log(node, "target's log is up to date -> send TimeoutNow");
	raft->transferred = true;
	raft->attentive = false;
	struct message *message =
		node_message(node, RAFT_TIMEOUT_NOW, CLASS_CONTROL, RAFT_HEADER_BYTES);
	message->view = raft->term;
	node_send(node, raft->transfer_to, message);
}

void raft_transfer_timeout(struct node *node)
{
	struct raft *raft = raft_of(node);
	if (raft->role == RAFT_LEADER && raft->transfer_to != NODE_NONE) {
		node_log(node, "transfer takes too long -> lead on");
		raft->transfer_to = NODE_NONE;
		raft->attentive = raft->change != NULL;
		raft_propose(node);
	}
}

void raft_on_timeout_now(struct node *node, const struct message *message)
{
	const struct raft *raft = raft_of(node);
	if (message->view != raft->term || raft->role != RAFT_FOLLOWER ||
		!raft_is_voter(raft->config, node->id)) {
		node_log(node, "TimeoutNow of another term -> ignore");
		return;
	}
	/* Thesis 3.10: as if its election timeout had passed; and 9.6, 6.2: without asking, with a mark that
	 * lets the others vote though they hear the leader. */
	raft_campaign_now(node);
}

void raft_attend(struct node *node)
{
	const struct raft *raft = raft_of(node);
	if (raft->role == RAFT_LEADER && raft->transfer_to != NODE_NONE) {
		raft_transfer_go_on(node);
	}
	raft_change_go_on(node);
}
