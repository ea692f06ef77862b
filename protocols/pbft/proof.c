/* What view changes and new views show, and how it is checked: who has signed what. OSDI'99 4.4: a replica
 * accepts a view change only if it holds a valid checkpoint certificate and valid prepared certificates, and a
 * new view only if it holds valid view changes.
 *
 * A certificate shows 2f+1 messages. Here it is the set of their senders and the sum of their signatures,
 * which nobody can work out who has not received them (sim/node.h). Under `authentication: macs` the paper
 * has another view change, in which replicas vouch for each other's claims; here it is the same one: as if
 * what goes into certificates had been signed as well. */
#include "pbft.h"

uint64_t pbft_statement_prepare(uint64_t view, uint64_t instance, uint64_t digest)
{
	uint64_t said[] = {PBFT_PREPARE, view, instance, digest};
	return node_digest(said, sizeof(said));
}

uint64_t pbft_statement_checkpoint(uint64_t instance, uint64_t digest)
{
	uint64_t said[] = {PBFT_CHECKPOINT, instance, digest};
	return node_digest(said, sizeof(said));
}

static uint64_t add_entries(uint64_t statement, const struct pbft_prepared *entries, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t said[] = {statement, entries[i].instance, entries[i].view, entries[i].batch->digest,
			entries[i].proof == NULL ? 0 : entries[i].proof->signatures};
		statement = node_digest(said, sizeof(said));
	}
	return statement;
}

uint64_t pbft_statement_view_change(const struct pbft_view_change *view_change)
{
	uint64_t said[] = {PBFT_VIEW_CHANGE, view_change->from, view_change->view, view_change->stable,
		view_change->stable_digest,
		view_change->stable_proof == NULL ? 0 : view_change->stable_proof->signatures,
		view_change->n_prepared, view_change->n_fast};
	uint64_t statement = node_digest(said, sizeof(said));
	statement = add_entries(statement, view_change->prepared, view_change->n_prepared);
	return add_entries(statement, view_change->fast, view_change->n_fast);
}

uint64_t pbft_statement_new_view(const struct pbft_new_view *new_view)
{
	uint64_t first[] = {PBFT_NEW_VIEW, new_view->from, new_view->view, new_view->n_view_changes};
	uint64_t statement = node_digest(first, sizeof(first));
	for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
		uint64_t said[] = {
			statement, new_view->view_changes[i]->from, new_view->view_changes[i]->signature};
		statement = node_digest(said, sizeof(said));
	}
	return statement;
}

const struct pbft_proof *pbft_prove(struct node *node, uint64_t statement, const uint64_t *signers,
	uint32_t first, uint32_t n)
{
	uint32_t words = bits_words(node->n_validators);
	struct pbft_proof *proof =
		arena_alloc(node_arena(node), sizeof(*proof) + words * sizeof(proof->signers[0]));
	if (first != NODE_NONE) {
		proof->n += bits_add(proof->signers, first);
	}
	for (uint32_t i = 0; i < node->n_validators && proof->n < n; i++) {
		if (bits_test(signers, i)) {
			proof->n += bits_add(proof->signers, i);
		}
	}
	assert(proof->n == n);
	proof->signatures = node_collect(node, proof->signers, statement);
	return proof;
}

const struct pbft_proof *pbft_prove_prepared(struct node *node, const struct pbft_slot *slot)
{
	if (slot->prepared_proof != NULL) {
		return slot->prepared_proof;
	}
	/* OSDI'99 4.2: the pre-prepare, which stands for the primary's vote, and 2f prepares that match it. */
	assert(slot->prepared_view == slot->view);
	return pbft_prove(node,
		pbft_statement_prepare(slot->prepared_view, slot->instance, slot->prepared_batch->digest),
		slot->prepares.bits, pbft_primary(node, slot->prepared_view), pbft_of(node)->quorum);
}

static bool is_proved(
	const struct node *node, const struct pbft_proof *proof, uint64_t statement, uint32_t n_needed)
{
	if (proof == NULL) {
		return false;
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < bits_words(node->n_validators); i++) {
		n += (uint32_t)__builtin_popcountll(proof->signers[i]);
	}
	return n >= n_needed && node_have_signed(node, proof->signers, statement, proof->signatures);
}

/* Saturates. */
static uint32_t narrow(uint64_t n_signatures)
{
	return n_signatures > UINT32_MAX ? UINT32_MAX : (uint32_t)n_signatures;
}

void pbft_sign_view_change(const struct node *node, struct pbft_view_change *view_change)
{
	uint64_t n = view_change->stable_proof == NULL ? 0 : view_change->stable_proof->n;
	for (uint32_t i = 0; i < view_change->n_prepared; i++) {
		n += view_change->prepared[i].proof->n;
	}
	view_change->n_signatures = narrow(n);
	view_change->signature = node_sign(node, pbft_statement_view_change(view_change));
}

void pbft_sign_new_view(const struct node *node, struct pbft_new_view *new_view, uint64_t n_proposals)
{
	uint64_t n = n_proposals; /* O: pre-prepares, each signed by itself */
	for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
		n += UINT64_C(1) + new_view->view_changes[i]->n_signatures;
	}
	new_view->n_signatures = narrow(n);
	new_view->signature = node_sign(node, pbft_statement_new_view(new_view));
}

static bool are_possible(const struct node *node, const struct pbft_view_change *view_change,
	const struct pbft_prepared *entries, uint32_t n)
{
	uint64_t high = view_change->stable + (uint64_t)pbft_settings_of(node)->watermark_window;
	uint64_t last = view_change->stable;
	for (uint32_t i = 0; i < n; i++) {
		if (entries[i].instance <= last || entries[i].instance > high ||
			entries[i].view >= view_change->view) {
			return false;
		}
		last = entries[i].instance;
	}
	return true;
}

/* Of an entry of P: a pre-prepare of that view's primary is among what it shows. */
static bool is_prepared(const struct node *node, const struct pbft_prepared *entry)
{
	return entry->proof != NULL &&
		bits_test(entry->proof->signers, pbft_primary(node, entry->view)) &&
		is_proved(node, entry->proof,
			pbft_statement_prepare(entry->view, entry->instance, entry->batch->digest),
			pbft_of(node)->quorum);
}

const char *pbft_view_change_fault(const struct node *node, const struct pbft_view_change *view_change)
{
	const struct pbft *pbft = pbft_of(node);
	if (view_change->view > PBFT_VIEW_MAX) {
		return "view change for a view that can't be -> refuse";
	}
	if (view_change->stable > PBFT_VIEW_MAX ||
		!are_possible(node, view_change, view_change->prepared, view_change->n_prepared) ||
		!are_possible(node, view_change, view_change->fast, view_change->n_fast)) {
		return "view change with certificates that can't be -> refuse";
	}
	if (view_change->from >= node->n_validators) {
		return "view change of nobody -> refuse";
	}
	if (pbft->view_changes[view_change->from] == view_change) {
		return NULL; /* this very one came before, and was found correct */
	}
	if (!node_has_signed(node, view_change->from, pbft_statement_view_change(view_change),
			view_change->signature)) {
		return "view change not signed by its sender -> refuse";
	}
	if (view_change->stable > 0 &&
		!is_proved(node, view_change->stable_proof,
			pbft_statement_checkpoint(view_change->stable, view_change->stable_digest),
			pbft_stable_quorum(node))) {
		return "view change from a checkpoint that no quorum has signed -> refuse";
	}
	for (uint32_t i = 0; i < view_change->n_prepared; i++) {
		if (!is_prepared(node, &view_change->prepared[i])) {
			return "view change with what no quorum has prepared -> refuse";
		}
	}
	return NULL;
}

const char *pbft_new_view_fault(const struct node *node, const struct pbft_new_view *new_view)
{
	if (new_view->view > PBFT_VIEW_MAX || new_view->from != pbft_primary(node, new_view->view)) {
		return "new view not made by its primary -> refuse";
	}
	if (!node_has_signed(
			node, new_view->from, pbft_statement_new_view(new_view), new_view->signature)) {
		return "new view not signed by its primary -> refuse";
	}
	/* OSDI'99 4.4: V must hold 2f+1 view changes for that view, one a replica, and nothing else.
	 * (O is worked out anew from V, so that a primary can't put into it what V does not bear
	 * out.) */
	bool is_valid = new_view->n_view_changes >= pbft_of(node)->quorum;
	for (uint32_t i = 0; i < new_view->n_view_changes; i++) {
		const struct pbft_view_change *vc = new_view->view_changes[i];
		is_valid = is_valid && vc->view == new_view->view &&
			(i == 0 || vc->from > new_view->view_changes[i - 1]->from) &&
			pbft_view_change_fault(node, vc) == NULL;
	}
	return is_valid ? NULL : "new view without a quorum of view changes -> refuse";
}
