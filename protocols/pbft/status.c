/* Sending again what was lost. Castro's thesis (MIT-LCS-TR-817), 5.2: a replica that waits without
 * progress multicasts a status message, and the others send it again what it lacks: their votes on the
 * next instances in this view, the new view, the checkpoints. A replica whose votes can't help it any
 * more (it has left the view alone, or the others have discarded theirs) is told by f+1 what the state
 * is after which instance, and fetches that.
 *
 * One that waits for nothing tells its state, too, since another may have missed the end and nobody writes any
 * more: unless all have voted to commit the last instance, or nothing can be missed in this run. Who
 * hears from f+1 that they have executed more asks as above. Both grow rarer and rarer: the
 * next message comes after a quarter of the view timeout, or of the time since it last came on.
 *
 * None of this runs where view_timeout is off: then nothing is ever sent again. */
#include "pbft.h"

static bool waits(const struct node *node)
{
	const struct pbft *pbft = pbft_of(node);
	/* One liar's vote can speak of an instance that will never be: that is asked for a few times
	 * only. */
	return pbft->changing || pbft->n_waiting > 0 || pbft->n_ahead > node->n_faulty ||
		pbft->sure_of > pbft->executed || (pbft->heard_of > pbft->executed && pbft->asks_left > 0);
}

/* May another have missed the last instance? */
static bool doubts(const struct node *node)
{
	const struct pbft *pbft = pbft_of(node);
	if (pbft->executed == 0 || node->n_validators == 1 || !node_may_miss(node)) {
		return false;
	}
	const struct pbft_slot *slot =
		&pbft->slots[pbft->executed % (uint64_t)pbft_settings_of(node)->watermark_window];
	return slot->instance != pbft->executed || slot->commits.n < node->n_validators;
}

static void set_status_timer(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	sim_time now = node_now(node);
	sim_time quarter = pbft_settings_of(node)->view_timeout_ns / 4;
	sim_time since = now > pbft->stirred_at ? (now - pbft->stirred_at) / 4 : 0;
	bool asks = waits(node);
	if (asks || doubts(node)) {
		pbft->idle = !asks;
		node_timer_set(
			node, PBFT_TIMER_STATUS, sim_time_add(now, since > quarter ? since : quarter));
	} else {
		node_timer_cancel(node, PBFT_TIMER_STATUS);
	}
}

void pbft_restart_status(struct node *node)
{
	if (pbft_settings_of(node)->view_timeout_ns != SIM_NEVER) {
		pbft_of(node)->stirred_at = node_now(node);
		set_status_timer(node);
	}
}

void pbft_stir(struct node *node)
{
	if (pbft_of(node)->idle || !node_timer_runs(node, PBFT_TIMER_STATUS)) {
		pbft_restart_status(node);
	}
}

void pbft_hear_of(struct node *node, uint64_t instance)
{
	struct pbft *pbft = pbft_of(node);
	if (instance <= pbft->heard_of || instance <= pbft->executed) {
		return;
	}
	pbft->heard_of = instance;
	pbft->asks_left = PBFT_ASKS;
	pbft_stir(node);
}

void pbft_send_status(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	if (pbft_settings_of(node)->view_timeout_ns == SIM_NEVER) {
		return;
	}
	struct message *message = node_message(node, PBFT_STATUS, CLASS_CONTROL, PBFT_HEADER_BYTES);
	message->view = pbft->view;
	message->instance = pbft->executed + 1;
	message->extra = pbft->stable;
	message->digest = pbft->changing;
	for (unsigned i = 0; i < PBFT_VOTED; i++) {
		uint64_t instance = pbft->executed + 1 + i;
		const struct pbft_slot *slot = &pbft->slots[instance % window];
		if (slot->instance != instance || slot->committed_batch == NULL) {
			message->flags |= (uint16_t)(1u << i);
		}
	}
	pbft_multicast(node, message);
}

void pbft_status_timer(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (waits(node)) {
		node_log(node, "no progress -> tell the others how far it has come");
		if (pbft->asks_left > 0) {
			pbft->asks_left--;
		}
		if (node_now(node) >= pbft->told_until) {
			pbft->told = 0; /* an answer that has not come so far is lost */
		}
		pbft_send_status(node);
	} else if (doubts(node)) {
		node_log(node, "idle, and another may have missed the end -> tell how far it has come");
		pbft_send_status(node);
	}
	set_status_timer(node);
}

/* The sender of a status message has executed so much. O(n), or O(n^2) where it is more than f+1 have told. */
static void note_executed(struct node *node, uint32_t from, uint64_t executed)
{
	struct pbft *pbft = pbft_of(node);
	if (executed <= pbft->executed) {
		return;
	}
	if (pbft->told_of == NULL) {
		pbft->told_of = arena_array(node_arena(node), uint64_t, node->n_validators);
	}
	pbft->told_of[from] = executed;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		uint64_t instance = pbft->told_of[i];
		uint32_t n = 0;
		for (uint32_t k = 0; k < node->n_validators && instance > pbft->sure_of; k++) {
			n += pbft->told_of[k] >= instance;
		}
		if (n > node->n_faulty) {
			pbft->sure_of = instance;
		}
	}
	if (pbft->sure_of > pbft->executed) {
		node_log(node, "f+1 have executed more -> ask what it has missed");
		pbft_stir(node);
	}
}

/* This replica's own messages about one instance, as it sent them in this view. */
static void resend_votes(struct node *node, uint32_t to, const struct pbft_slot *slot)
{
	uint32_t bytes = PBFT_HEADER_BYTES;
	bool is_primary = pbft_is_primary(node);
	enum pbft_kind kind = is_primary ? PBFT_PRE_PREPARE : PBFT_PREPARE;
	/* What a new view proposed again is in the new view itself. */
	bool is_sent = (!is_primary || !slot->from_new_view) && !slot->withheld;
	for (int i = 0; i < 2; i++) {
		if (is_sent) {
			struct message *message = node_message(node, kind, CLASS_CONTROL,
				bytes + (kind == PBFT_PRE_PREPARE ? slot->batch->size_bytes : 0));
			message->view = slot->view;
			message->instance = slot->instance;
			message->digest = slot->batch->digest;
			message->body = kind == PBFT_PRE_PREPARE ? slot->batch : NULL;
			message->flags = kind != PBFT_COMMIT && slot->votes_fast ? PBFT_FLAG_FAST : 0;
			pbft_send(node, to, message);
		}
		kind = PBFT_COMMIT;
		is_sent = slot->prepared;
	}
}

/* Tells the digests after the instances from `first` on that it has executed. */
static void tell_executed(struct node *node, uint32_t to, uint64_t first)
{
	struct pbft *pbft = pbft_of(node);
	struct pbft_executed *body = arena_new(node_arena(node), struct pbft_executed);
	uint64_t n = pbft->executed - first + 1;
	body->first = first;
	body->n = n < PBFT_DIGESTS ? n : PBFT_DIGESTS;
	body->digests = pbft->digests + (first - 1);
	struct message *message = node_message(
		node, PBFT_EXECUTED, CLASS_CONTROL, PBFT_HEADER_BYTES + 32 * (uint32_t)body->n);
	message->view = pbft->view;
	message->instance = first;
	message->body = body;
	pbft_send(node, to, message);
}

void pbft_on_status(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	sim_time timeout_ns = pbft_settings_of(node)->view_timeout_ns;
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	uint64_t first = message->instance;
	if (timeout_ns == SIM_NEVER || first == 0) {
		return;
	}
	note_executed(node, message->from, first - 1);
	/* An honest replica asks once in a quarter of the timeout; whoever asks more often gets no more
	 * for it. */
	if (pbft->answered_until == NULL) {
		pbft->answered_until = arena_array(node_arena(node), sim_time, node->n_validators);
	}
	if (node_now(node) < pbft->answered_until[message->from]) {
		return;
	}
	pbft->answered_until[message->from] = sim_time_add(node_now(node), timeout_ns / 8);

	bool is_changing = message->digest != 0;
	pbft_tell(node, message->from,
		message->view < pbft->view || (message->view == pbft->view && is_changing), message->extra);
	if (message->extra < pbft->executed) {
		pbft_resend_checkpoint(node, message->from);
	}
	if (message->view == pbft->view && !is_changing && !pbft->changing) {
		for (unsigned i = 0; i < PBFT_VOTED && first <= UINT64_MAX - PBFT_VOTED; i++) {
			const struct pbft_slot *slot = &pbft->slots[(first + i) % window];
			if ((message->flags >> i & 1) != 0 && slot->instance == first + i &&
				slot->view == pbft->view && slot->batch != NULL) {
				resend_votes(node, message->from, slot);
			}
		}
	}
	if (pbft->executed >= first) {
		tell_executed(node, message->from, first);
	}
}

/* The digest that a replica claims after an instance. Returns whether it does. */
static bool claimed(const struct pbft_executed *claim, uint64_t instance, uint64_t *digest)
{
	if (claim == NULL || instance < claim->first || instance - claim->first >= claim->n) {
		return false;
	}
	*digest = claim->digests[instance - claim->first];
	return true;
}

void pbft_on_executed(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_executed *body = message->body;
	/* A liar's numbers may be any. */
	if (body->first == 0 || body->first > pbft->executed + 1 || body->n == 0 ||
		body->n > PBFT_DIGESTS) {
		return;
	}
	if (pbft->claims_executed == NULL) {
		pbft->claims_executed =
			arena_array(node_arena(node), const struct pbft_executed *, node->n_validators);
	}
	pbft->claims_executed[message->from] = body;
	/* The last instance after which f+1 claim the same state: one of them is honest, so that a quorum
	 * has committed all up to there. Beyond the high watermark only checkpoints count. */
	uint64_t instance = body->first + body->n - 1;
	if (instance > pbft_high_watermark(node)) {
		instance = pbft_high_watermark(node);
	}
	for (; instance > pbft->executed && instance > pbft->told; instance--) {
		uint64_t digest, other;
		if (!claimed(body, instance, &digest)) {
			continue;
		}
		uint32_t n = 0, from = message->from;
		for (uint32_t i = 1; i <= node->n_validators; i++) {
			uint32_t at = (pbft->told_from + i) % node->n_validators;
			if (claimed(pbft->claims_executed[at], instance, &other) && other == digest) {
				/* Another one than the last time, should that have lied. */
				from = n == 0 ? at : from;
				n++;
			}
		}
		if (n > node->n_faulty - (PLANTED(pbft_settings_of(node), STATE_ON_F) ? 1 : 0)) {
			node_log(node, "f+1 have executed more -> fetch it");
			pbft->told = instance;
			pbft->told_digest = digest;
			pbft->told_from = from;
			pbft->told_until = 0;
			pbft_send_fetch(node, from, instance);
			return;
		}
	}
}
