/* Tentative execution and read-only requests. OSDI'99 4.4, thesis 5.1.2 and 5.1.3.
 *
 * A replica executes a request once it is prepared, its state reflects all before it, and these are known
 * to be committed; so that one instance at most is tentative. The client waits for 2f+1 equal tentative
 * replies, all of one view: f+1 honest replicas then hold a prepared certificate of that view, and any new
 * view proposes the request again. (Of several views they prove less: each certificate may have been
 * overtaken by a later one.) Where the view changes first, the replica undoes it: it goes back to its last
 * committed state, which is never behind the last checkpoint, to which the paper goes back.
 *
 * What is tentative is still waited for: a request leaves the view timer's count when it is committed.
 * Checkpoints, state transfer and status messages speak of committed instances alone. */
#include "pbft.h"

static void answer_reads(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	while (pbft->reads.n > 0 && pbft->executed >= pbft->undone) {
		node_read(node, request_queue_pop(&pbft->reads), pbft->view);
	}
}

void pbft_execute_tentatively(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->tentative != 0 || pbft->changing || pbft->executed >= pbft_high_watermark(node)) {
		return;
	}
	uint64_t instance = pbft->executed + 1;
	const struct pbft_slot *slot =
		&pbft->slots[instance % (uint64_t)pbft_settings_of(node)->watermark_window];
	if (slot->instance != instance || slot->view != pbft->view || !slot->prepared ||
		slot->committed_batch != NULL) {
		return;
	}
	node_log(node, "prepared, and all before it committed -> execute it tentatively");
	pbft->tentative = instance;
	pbft->tentative_batch = slot->batch;
	node_apply_tentative(node, instance, pbft->view, slot->batch);
}

void pbft_apply(struct node *node, uint64_t instance, uint64_t view, const struct batch *batch)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->tentative == instance && pbft->tentative_batch->digest == batch->digest) {
		pbft->tentative = 0;
		node_confirm(node, instance);
	} else {
		pbft_roll_back(node); /* a fetched state may tell that another batch was committed */
		node_apply(node, instance, view, batch, true);
	}
	answer_reads(node);
}

void pbft_roll_back(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->tentative != 0) {
		node_log(node, "executed and not committed -> undo it");
		uint64_t instance = pbft->tentative;
		pbft->tentative = 0;
		pbft->undone = instance > pbft->undone ? instance : pbft->undone;
		node_rollback(node, instance);
	}
}

void pbft_on_read(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	transaction_id transaction = (transaction_id)message->instance;
	if (!pbft_settings_of(node)->read_only) {
		pbft_on_request(node, message);
	} else if (pbft->tentative != 0 || pbft->executed < pbft->undone) {
		/* OSDI'99 4.4: it replies only when all that its tentative state reflects has committed. */
		node_log(node, "read of a tentative state -> answer when that is committed");
		request_queue_push(&pbft->reads, node_arena(node), transaction);
	} else {
		node_log(node, "read -> answer at once");
		node_read(node, transaction, pbft->view);
	}
}
