/* What a PBFT replica that lies can say. It signs with its own key: proposals, votes, checkpoints and view
 * changes for whatever it likes, as often as it likes. What others signed it can only show: a view change whose
 * P, or a new view whose V, holds what nobody signed is refused by whoever checks it (OSDI'99 4.4: proof.c),
 * and a state that was never agreed on by its digest (4.3). No flag says here that a message is false. */
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

static void vote(struct node *node, struct message *copy, const struct batch *batch)
{
	if (role(copy) == ROLE_VOTE) {
		copy->digest = batch->digest;
	}
}

/* A proof that holds for nothing, in one of the ways in which a careless replica would take it for one: signatures
 * that nobody made, those of another statement, too few. */
static const struct pbft_proof *claim_proof(
	struct node *node, uint64_t statement, const struct pbft_view_change *honest, uint32_t which)
{
	uint32_t words = bits_words(node->n_validators);
	struct pbft_proof *proof =
		arena_alloc(node_arena(node), sizeof(*proof) + words * sizeof(proof->signers[0]));
	if (which % 3 == 1 && (honest->n_prepared > 0 || honest->stable_proof != NULL)) {
		return honest->n_prepared > 0 ? honest->prepared[0].proof : honest->stable_proof;
	}
	if (which % 3 == 2) {
		proof->n = bits_add(proof->signers, node->id);
		proof->signatures = node_sign(node, statement);
		return proof;
	}
	for (uint32_t i = 0; i < node->n_validators; i++) {
		proof->n += bits_add(proof->signers, i);
	}
	proof->signatures = node_sign(node, statement) * proof->n;
	return proof;
}

static struct pbft_view_change *copy_view_change(
	struct node *node, const struct pbft_view_change *honest, uint32_t n_more)
{
	size_t size = sizeof(*honest) + honest->n_prepared * sizeof(honest->prepared[0]);
	struct pbft_view_change *body =
		arena_alloc(node_arena(node), size + n_more * sizeof(honest->prepared[0]));
	memcpy(body, honest, size);
	return body;
}

/* A view change with one more entry in P: the null request, prepared by a quorum in the view before; or one
 * from a checkpoint that is to come. */
static const struct pbft_view_change *claim_prepared(
	struct node *node, const struct pbft_view_change *honest, uint32_t which)
{
	struct pbft_view_change *body = copy_view_change(node, honest, 1);
	if (which % 4 == 3) {
		body->stable += (uint64_t)pbft_settings_of(node)->checkpoint_interval;
		body->n_prepared = body->n_fast = 0;
		body->stable_digest = ~body->stable_digest;
		body->stable_proof = claim_proof(node,
			pbft_statement_checkpoint(body->stable, body->stable_digest), honest, which / 4);
	} else {
		uint64_t last = honest->n_prepared == 0 ? honest->stable
												: honest->prepared[honest->n_prepared - 1].instance;
		uint64_t statement = pbft_statement_prepare(honest->view - 1, last + 1, 0);
		body->prepared[body->n_prepared++] = (struct pbft_prepared){last + 1, honest->view - 1,
			node_batch(node, NULL, 0), claim_proof(node, statement, honest, which)};
	}
	pbft_sign_view_change(node, body);
	return body;
}

static struct pbft_new_view *copy_new_view(struct node *node, const struct pbft_new_view *honest)
{
	struct pbft_new_view *body = arena_alloc(
		node_arena(node), sizeof(*body) + node->n_validators * sizeof(body->view_changes[0]));
	memcpy(body, honest, sizeof(*body) + honest->n_view_changes * sizeof(body->view_changes[0]));
	return body;
}

/* A new view that shows, of each replica, a view change in which nothing had prepared. */
static const struct pbft_new_view *claim_view_changes(
	struct node *node, const struct pbft_new_view *honest)
{
	struct pbft_new_view *body = copy_new_view(node, honest);
	body->n_view_changes = node->n_validators;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		struct pbft_view_change *vc = arena_new(node_arena(node), struct pbft_view_change);
		vc->view = honest->view;
		vc->from = i;
		pbft_sign_view_change(node, vc); /* by its own key, whosever name it bears */
		body->view_changes[i] = vc;
	}
	pbft_sign_new_view(node, body, 0);
	return body;
}

/* What it has prepared and voted for, left out; an older checkpoint instead of the last. */
static const struct pbft_view_change *bend_view_change(
	struct node *node, const struct pbft_view_change *honest, enum certificate_bend bend)
{
	const struct pbft *pbft = pbft_of(node);
	struct pbft_view_change *body = copy_view_change(node, honest, 0);
	if (bend == BEND_OMIT) {
		body->n_prepared = body->n_fast = 0;
	} else {
		bool is_latest = honest->stable == pbft->stable;
		body->stable = is_latest ? pbft->older : 0;
		body->stable_digest = is_latest ? pbft->older_digest : 0;
		body->stable_proof = is_latest ? pbft->older_proof : NULL;
		uint64_t high = body->stable + (uint64_t)pbft_settings_of(node)->watermark_window;
		while (body->n_prepared > 0 && body->prepared[body->n_prepared - 1].instance > high) {
			body->n_prepared--;
		}
		while (body->n_fast > 0 && body->fast[body->n_fast - 1].instance > high) {
			body->n_fast--;
		}
	}
	pbft_sign_view_change(node, body);
	return body;
}

/* Another V: its own view change in it is another one. NULL: V is not its own. */
static const struct pbft_new_view *bend_new_view(
	struct node *node, const struct pbft_new_view *honest, enum certificate_bend bend)
{
	if (honest->from != node->id) {
		return NULL;
	}
	struct pbft_new_view *body = copy_new_view(node, honest);
	for (uint32_t i = 0; i < body->n_view_changes; i++) {
		if (body->view_changes[i]->from == node->id) {
			body->view_changes[i] = bend_view_change(node, body->view_changes[i], bend);
		}
	}
	struct pbft_plan plan = pbft_plan_new_view(node, body);
	pbft_sign_new_view(node, body, plan.max_s - plan.min_s);
	return body;
}

/* Puts another view change or new view into a copy. */
static void say_view_change(struct message *copy, const struct pbft_view_change *body)
{
	copy->body = body;
	copy->size_bytes = pbft_view_change_bytes(body);
	message_shows(copy, body->n_signatures);
}

static void say_new_view(struct message *copy, const struct pbft_new_view *body)
{
	copy->body = body;
	message_shows(copy, body->n_signatures);
}

static bool bend(struct node *node, struct message *copy, enum certificate_bend how)
{
	if (copy->kind == PBFT_VIEW_CHANGE) {
		const struct pbft_view_change *body = bend_view_change(node, copy->body, how);
		say_view_change(copy, body);
		copy->instance = body->stable;
		return true;
	}
	const struct pbft_new_view *body =
		copy->kind == PBFT_NEW_VIEW ? bend_new_view(node, copy->body, how) : NULL;
	if (body != NULL) {
		say_new_view(copy, body);
	}
	return body != NULL;
}

static bool campaign(struct node *node, struct message *copy, uint64_t view)
{
	if (view <= pbft_of(node)->view || view > PBFT_VIEW_MAX) {
		return false;
	}
	const struct pbft_view_change *body = pbft_make_view_change(node, view);
	*copy = (struct message){
		.kind = PBFT_VIEW_CHANGE,
		.class = CLASS_CONTROL,
		.from = node->id,
		.number = copy->number,
		.view = view,
		.instance = body->stable,
	};
	say_view_change(copy, body);
	return true;
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
		say_view_change(copy, claim_prepared(node, copy->body, copy->number));
		break;
	case PBFT_NEW_VIEW:
		say_new_view(copy, claim_view_changes(node, copy->body));
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

const struct protocol_forgery pbft_forgery = {
	.role = role,
	.propose = propose,
	.vote = vote,
	.claim = claim,
	.bend = bend,
	.campaign = campaign,
};
