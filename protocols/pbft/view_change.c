/* View change and new view. OSDI'99 4.4. */
#include "pbft.h"

sim_time pbft_timeout_ns(const struct node *node)
{
	sim_time timeout_ns = pbft_settings_of(node)->view_timeout_ns;
	/* OSDI'99 4.4 (liveness): the wait doubles with each view change that brought no progress. */
	for (unsigned i = 0; i < pbft_of(node)->n_timeouts; i++) {
		timeout_ns = sim_time_add(timeout_ns, timeout_ns);
	}
	return timeout_ns;
}

/* OSDI'99 4.4: C is 2f+1 checkpoint messages, each entry of P a pre-prepare (without its requests) and 2f
 * prepares. Saturates. */
uint32_t pbft_view_change_bytes(const struct pbft_view_change *body)
{
	uint64_t bytes = PBFT_HEADER_BYTES + 48 + (uint64_t)PBFT_HEADER_BYTES * body->n_signatures +
		(uint64_t)PBFT_FAST_BYTES * body->n_fast;
	return bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

/* The first view change is sent again after one view timeout; each without progress doubles that. */
static sim_time resend_ns(const struct node *node)
{
	return pbft_timeout_ns(node) / 2;
}

static void send_view_change(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_view_change *body = pbft->view_changes[node->id];
	struct message *message =
		node_message(node, PBFT_VIEW_CHANGE, CLASS_CONTROL, pbft_view_change_bytes(body));
	message->view = body->view;
	message->instance = body->stable;
	message->body = body;
	message_shows(message, body->n_signatures);
	pbft_post(node, NODE_NONE, message);
}

/* How many replicas want a view of first .. last. */
static uint32_t count_view_changes(struct node *node, uint64_t first, uint64_t last)
{
	struct pbft *pbft = pbft_of(node);
	uint32_t n = 0;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		const struct pbft_view_change *vc = pbft->view_changes[i];
		n += vc != NULL && first <= vc->view && vc->view <= last;
	}
	return n;
}

static void try_new_view(struct node *node);

/* OSDI'99 4.4: with 2f+1 view changes for its view a replica starts to wait for the new view.
 * Those for later views count too: their senders have gone on from this one and don't come back
 * to it, and where f are down the others would wait for each other for ever. */
static void wait_for_new_view(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->changing && !node_timer_runs(node, PBFT_TIMER_VIEW) &&
		pbft_settings_of(node)->view_timeout_ns != SIM_NEVER &&
		count_view_changes(node, pbft->view, UINT64_MAX) >= pbft->quorum) {
		node_timer_set(
			node, PBFT_TIMER_VIEW, sim_time_add(node_now(node), pbft_timeout_ns(node)));
	}
}

struct pbft_view_change *pbft_make_view_change(struct node *node, uint64_t view)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	/* OSDI'99 4.4: <VIEW-CHANGE, v+1, n, C, P, i>: P holds what prepared above the checkpoint n. */
	uint32_t n_prepared = 0, n_fast = 0;
	for (uint64_t i = 1; i <= window; i++) {
		const struct pbft_slot *slot = &pbft->slots[(pbft->stable + i) % window];
		n_prepared += slot->instance == pbft->stable + i && slot->prepared_batch != NULL;
		n_fast += slot->instance == pbft->stable + i && slot->fast_batch != NULL;
	}
	struct pbft_view_change *body = arena_alloc(
		node_arena(node), sizeof(*body) + n_prepared * sizeof(body->prepared[0]));
	body->view = view;
	body->stable = pbft->stable;
	body->stable_digest = pbft->stable_digest;
	body->stable_proof = pbft->stable_proof;
	body->from = node->id;
	for (uint64_t i = 1; i <= window; i++) {
		const struct pbft_slot *slot = &pbft->slots[(pbft->stable + i) % window];
		if (slot->instance == pbft->stable + i && slot->prepared_batch != NULL) {
			body->prepared[body->n_prepared++] = (struct pbft_prepared){slot->instance,
				slot->prepared_view, slot->prepared_batch, pbft_prove_prepared(node, slot)};
		}
	}
	/* The fast path: and F what it has voted for there, prepared or not. */
	struct pbft_prepared *fast = arena_array(node_arena(node), struct pbft_prepared, n_fast);
	body->fast = fast;
	for (uint64_t i = 1; i <= window && n_fast > 0; i++) {
		const struct pbft_slot *slot = &pbft->slots[(pbft->stable + i) % window];
		if (slot->instance == pbft->stable + i && slot->fast_batch != NULL) {
			fast[body->n_fast++] =
				(struct pbft_prepared){slot->instance, slot->fast_view, slot->fast_batch, NULL};
		}
	}
	pbft_sign_view_change(node, body);
	return body;
}

void pbft_start_view_change(struct node *node, uint64_t view)
{
	struct pbft *pbft = pbft_of(node);
	assert(view > pbft->view);
	node_log(node, "start view change");
	pbft_roll_back(node);
	pbft->view = view;
	pbft->changing = true;
	if (pbft->n_timeouts < 62) {
		pbft->n_timeouts++;
	}
	node_timer_cancel(node, PBFT_TIMER_VIEW);
	node_timer_cancel(node, PBFT_TIMER_BATCH);
	node_timer_cancel(node, PBFT_TIMER_RESEND);
	node_timer_cancel(node, PBFT_TIMER_FALL_BACK);
	node_follows(node, view, NODE_NONE);

	pbft->view_changes[node->id] = pbft_make_view_change(node, view);
	if (pbft->disk != NULL) {
		pbft_changed(node, NULL);
	}
	send_view_change(node);
	pbft_resend_checkpoint(node, NODE_NONE);
	if (pbft_settings_of(node)->view_timeout_ns != SIM_NEVER) {
		node_timer_set(
			node, PBFT_TIMER_RESEND, sim_time_add(node_now(node), resend_ns(node)));
	}
	pbft_restart_status(node);
	wait_for_new_view(node);
	try_new_view(node);
}

void pbft_resend_view_change(struct node *node)
{
	/* Departs from OSDI'99, which leaves retransmission to the channel. */
	if (pbft_of(node)->changing) {
		node_log(node, "no new view yet -> send the view change again");
		send_view_change(node);
		pbft_resend_checkpoint(node, NODE_NONE);
		node_timer_set(
			node, PBFT_TIMER_RESEND, sim_time_add(node_now(node), resend_ns(node)));
		wait_for_new_view(node); /* a restart has stopped that timer */
	}
}

bool pbft_turn_to_resend(struct node *node, uint32_t to)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->lacked_view == NULL) {
		pbft->lacked_view = arena_array(node_arena(node), uint32_t, node->n_validators);
	}
	uint32_t turn = (to + ++pbft->lacked_view[to]) % node->n_validators;
	return pbft_is_primary(node) || turn == node->id;
}

void pbft_resend_new_view(struct node *node, uint32_t to)
{
	const struct pbft_new_view *body = pbft_of(node)->new_view;
	struct message *message = node_message(node, PBFT_NEW_VIEW, CLASS_CONTROL, body->size_bytes);
	message->view = body->view;
	message->body = body;
	message_shows(message, body->n_signatures);
	pbft_post(node, to, message);
}

void pbft_accept_plan(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->changing) {
		return; /* the plan is that of a view that is being left */
	}
	while (pbft->plan.next <= pbft->plan.max_s && pbft->plan.next <= pbft_high_watermark(node)) {
		uint64_t instance = pbft->plan.next++;
		if (instance > pbft->stable) {
			pbft_accept(node, instance, pbft->plan.batches[instance - pbft->plan.min_s - 1],
				PBFT_HOW_FROM_NEW_VIEW);
		}
	}
}

/* Enters the view that `new_view` begins: the primary as its author, a backup after checking V. */
static void enter_view(
	struct node *node, const struct pbft_new_view *new_view, struct pbft_plan plan)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	bool entered_alone = pbft->view != new_view->view;
	pbft_roll_back(node);
	pbft->view = new_view->view;
	pbft->changing = false;
	pbft->new_view = new_view;
	pbft->plan = plan;
	if (pbft->disk != NULL) {
		pbft_changed(node, NULL);
	}
	pbft->n_ahead = 0;
	memset(pbft->ahead_bits, 0, bits_words(node->n_validators) * sizeof(uint64_t));
	node_timer_cancel(node, PBFT_TIMER_VIEW);
	node_timer_cancel(node, PBFT_TIMER_BATCH);
	node_timer_cancel(node, PBFT_TIMER_RESEND);
	node_timer_cancel(node, PBFT_TIMER_FALL_BACK);
	if (pbft_is_primary(node)) {
		node_leads(node, pbft->view, LEAD_CHANGE);
	}
	if (entered_alone || !pbft_is_primary(node)) {
		node_follows(node, pbft->view, pbft_primary(node, pbft->view));
	}

	/* Requests that were proposed but not executed are known: the new primary proposes them again
	 * unless the new view already does. */
	growing_bits_clear(&pbft->proposed);
	for (uint64_t i = 1; i <= window; i++) {
		const struct pbft_slot *slot = &pbft->slots[(pbft->stable + i) % window];
		if (slot->instance == pbft->stable + i && slot->batch != NULL &&
			slot->instance > pbft->executed) {
			for (uint32_t t = 0; t < slot->batch->n; t++) {
				request_queue_push(&pbft->requests, node_arena(node), slot->batch->transactions[t]);
			}
		}
	}

	/* The watermarks first, then O; only then what else was held or is to be proposed. */
	pbft_stable(node, plan.min_s, plan.min_digest, plan.min_proof, plan.min_from);
	pbft->next_instance = (plan.max_s > pbft->stable ? plan.max_s : pbft->stable) + 1;
	for (uint64_t i = 0; i < plan.max_s - plan.min_s; i++) {
		for (uint32_t t = 0; t < plan.batches[i]->n; t++) {
			growing_bits_add(
				&pbft->proposed, node_arena(node), plan.batches[i]->transactions[t]);
		}
	}

	/* Duplicates and what is proposed already leave the queue. */
	for (uint32_t n = pbft->requests.n; n > 0; n--) {
		transaction_id transaction = request_queue_pop(&pbft->requests);
		if (!node_executed(node, transaction) &&
			growing_bits_add(&pbft->proposed, node_arena(node), transaction)) {
			request_queue_push(&pbft->requests, node_arena(node), transaction);
		}
	}
	if (!pbft_is_primary(node)) {
		growing_bits_clear(&pbft->proposed);
	}
	pbft_restart_timer(node);
	pbft_advanced(node);
	pbft_execute(node);
}

static void try_new_view(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	/* OSDI'99 4.4: the primary of v+1 with 2f+1 view changes for v+1 (its own among them). */
	if (!pbft->changing || pbft_primary(node, pbft->view) != node->id ||
		count_view_changes(node, pbft->view, pbft->view) < pbft->quorum) {
		return;
	}
	node_log(node, "view changes from a quorum -> new view");
	if (pbft->disk != NULL) {
		pbft_changed(node, NULL); /* it leaves when this replica is bound by it */
	}
	struct pbft_new_view *body = arena_alloc(node_arena(node),
		sizeof(*body) + node->n_validators * sizeof(body->view_changes[0]));
	body->view = pbft->view;
	body->from = node->id;
	uint64_t bytes = PBFT_HEADER_BYTES;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		const struct pbft_view_change *vc = pbft->view_changes[i];
		if (vc != NULL && vc->view == pbft->view) {
			body->view_changes[body->n_view_changes++] = vc;
			bytes += pbft_view_change_bytes(vc);
		}
	}
	struct pbft_plan plan = pbft_plan_new_view(node, body);
	bytes += (plan.max_s - plan.min_s) * PBFT_HEADER_BYTES; /* O */
	body->size_bytes = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
	pbft_sign_new_view(node, body, plan.max_s - plan.min_s);
	struct message *message =
		node_message(node, PBFT_NEW_VIEW, CLASS_CONTROL, body->size_bytes);
	message->view = body->view;
	message->body = body;
	message_shows(message, body->n_signatures);
	pbft_post(node, NODE_NONE, message);
	enter_view(node, body, plan);
}

void pbft_on_view_change(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_view_change *body = message->body;
	const struct pbft_view_change *last = pbft->view_changes[message->from];
	const char *fault = body->from != message->from
		? "view change in another's name -> refuse"
		: pbft_view_change_fault(node, body);
	if (fault != NULL) {
		node_refuse(node, fault);
		return;
	}
	if (body->view < pbft->view || (body->view == pbft->view && !pbft->changing)) {
		/* The sender missed the new view (it was down, or the message was lost): it is told
		 * again. */
		if (!pbft->changing && pbft->new_view != NULL &&
			(pbft_is_primary(node) || body->view < pbft->view) && pbft_turn_to_resend(node, message->from)) {
			node_log(node, "view change for a view that has begun -> send the new view again");
			pbft_resend_new_view(node, message->from);
		}
		return;
	}
	if (last == NULL || last->view < body->view) {
		pbft->view_changes[message->from] = body;
	}
	/* OSDI'99 4.4 (liveness): f+1 view changes for views above its own: it joins the smallest, even
	 * if its timer has not expired. */
	uint64_t smallest = UINT64_MAX;
	uint32_t n_above = 0;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		const struct pbft_view_change *vc = pbft->view_changes[i];
		if (vc != NULL && vc->view > pbft->view) {
			n_above++;
			smallest = vc->view < smallest ? vc->view : smallest;
		}
	}
	if (n_above >= node->n_faulty + 1) {
		node_log(node, "view changes from f+1 replicas -> join");
		pbft_start_view_change(node, smallest);
		return;
	}
	wait_for_new_view(node);
	try_new_view(node);
}

void pbft_on_new_view(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_new_view *body = message->body;
	if (body->view < pbft->view || (body->view == pbft->view && !pbft->changing)) {
		return;
	}
	const char *fault = pbft_new_view_fault(node, body);
	if (fault != NULL) {
		node_refuse(node, fault);
		return;
	}
	node_log(node, "new view is valid -> enter it");
	enter_view(node, body, pbft_plan_new_view(node, body));
}
