/* What a PBFT replica that lies can say. It signs with its own key: proposals, votes and checkpoints for
 * whatever it likes, as often as it likes. What others signed it can only show: a view change whose P, or
 * a new view whose V, holds what nobody signed is refused by whoever checks it (OSDI'99 4.4), which here
 * is the engine. A state that was never agreed on is refused by its digest (4.3), in this folder. */
#include "pbft.h"

static enum message_role role(const struct message *message)
{
	switch (message->kind) {
	case PBFT_PRE_PREPARE:
		return ROLE_PROPOSAL;
	case PBFT_PREPARE:
	case PBFT_COMMIT:
		return ROLE_VOTE;
	case PBFT_CHECKPOINT:
	case PBFT_VIEW_CHANGE:
	case PBFT_NEW_VIEW:
	case PBFT_STATE:
	case PBFT_EXECUTED:
		return ROLE_CERTIFICATE;
	default:
		return ROLE_OTHER;
	}
}

static bool propose(struct node *node, struct message *copy, forgery_choose choose, void *context)
{
	if (copy->kind == PBFT_PRE_PREPARE) {
		const struct batch *batch = choose(context, copy->instance, copy->view, copy->body);
		copy->digest = batch->digest;
		copy->size_bytes = PBFT_HEADER_BYTES + batch->size_bytes;
		copy->body = batch;
	}
	return true;
}

static void vote(struct node *node, struct message *copy, uint64_t digest)
{
	if (role(copy) == ROLE_VOTE) {
		copy->digest = digest;
	}
}

/* A view change with one more entry in P: the null request, prepared by a quorum in the view before. */
static const struct pbft_view_change *claim_prepared(
	struct node *node, const struct pbft_view_change *honest)
{
	struct pbft_view_change *body = arena_alloc(node_arena(node),
		sizeof(*body) + (honest->n_prepared + 1) * sizeof(body->prepared[0]));
	memcpy(body, honest, sizeof(*body) + honest->n_prepared * sizeof(body->prepared[0]));
	uint64_t last =
		honest->n_prepared == 0 ? honest->stable : honest->prepared[honest->n_prepared - 1].instance;
	body->prepared[body->n_prepared++] =
		(struct pbft_prepared){last + 1, honest->view - 1, node_batch(node, NULL, 0)};
	return body;
}

/* A new view that shows, of each replica, a view change in which nothing had prepared. */
static const struct pbft_new_view *claim_view_changes(
	struct node *node, const struct pbft_new_view *honest)
{
	struct pbft_new_view *body = arena_alloc(
		node_arena(node), sizeof(*body) + node->n_validators * sizeof(body->view_changes[0]));
	body->view = honest->view;
	body->from = honest->from;
	body->size_bytes = honest->size_bytes;
	body->n_view_changes = node->n_validators;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		struct pbft_view_change *vc = arena_new(node_arena(node), struct pbft_view_change);
		vc->view = honest->view;
		vc->from = i;
		body->view_changes[i] = vc;
	}
	return body;
}

/* The digest of a state that was never agreed on: the last batch of it is the null one. */
static uint64_t claim_digest(struct node *node, uint64_t instance)
{
	const struct pbft *pbft = pbft_of(node);
	bool from_stable = pbft->stable < instance;
	uint64_t digest = from_stable ? pbft->stable_digest : 0;
	for (uint64_t i = from_stable ? pbft->stable + 1 : 1; i < instance && i <= pbft->executed; i++) {
		digest = pbft_chain(digest, pbft->history[i - 1]);
	}
	return pbft_chain(digest, node_batch(node, NULL, 0));
}

/* That state: what a checkpoint with that digest calls for. */
static const struct pbft_state_transfer *claim_state(
	struct node *node, const struct pbft_state_transfer *honest)
{
	const struct batch **batches = arena_array(node_arena(node), const struct batch *, honest->n);
	memcpy(batches, honest->batches, honest->n * sizeof(*batches));
	batches[honest->n - 1] = node_batch(node, NULL, 0);
	struct pbft_state_transfer *body = arena_new(node_arena(node), struct pbft_state_transfer);
	*body = (struct pbft_state_transfer){honest->first, honest->n, batches};
	return body;
}

/* The digests of what it has executed, the last of them that state's. */
static const struct pbft_executed *claim_executed(
	struct node *node, const struct pbft_executed *honest)
{
	uint64_t *digests = arena_array(node_arena(node), uint64_t, honest->n);
	memcpy(digests, honest->digests, honest->n * sizeof(*digests));
	digests[honest->n - 1] = claim_digest(node, honest->first + honest->n - 1);
	struct pbft_executed *body = arena_new(node_arena(node), struct pbft_executed);
	*body = (struct pbft_executed){.first = honest->first, .n = honest->n, .digests = digests};
	return body;
}

static void claim(struct node *node, struct message *copy)
{
	switch (copy->kind) {
	case PBFT_CHECKPOINT:
		/* Its own word, one vote of those that make it stable. */
		copy->digest = claim_digest(node, copy->instance);
		break;
	case PBFT_VIEW_CHANGE:
		copy->body = claim_prepared(node, copy->body);
		copy->flags |= MESSAGE_FORGED;
		break;
	case PBFT_NEW_VIEW:
		copy->body = claim_view_changes(node, copy->body);
		copy->flags |= MESSAGE_FORGED;
		break;
	case PBFT_STATE:
		copy->body = claim_state(node, copy->body);
		break;
	case PBFT_EXECUTED:
		copy->body = claim_executed(node, copy->body);
		break;
	default:
		break;
	}
}

static sim_time patience_ns(const void *settings)
{
	return ((const struct pbft_settings *)settings)->view_timeout_ns;
}

const struct protocol_forgery pbft_forgery = {
	.role = role,
	.propose = propose,
	.vote = vote,
	.claim = claim,
	.patience_ns = patience_ns,
};
