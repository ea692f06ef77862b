/* The normal case. OSDI'99 4.2. */
#include "pbft.h"

/* Makes a slot ready for an instance, or for a new view of it. Apart, so that the usual way is short. */
static __attribute__((noinline)) void slot_renew(
	struct node *node, struct pbft_slot *slot, uint64_t instance)
{
	if (slot->instance == instance && slot->prepared) {
		slot->prepared_proof = pbft_prove_prepared(node, slot); /* its votes go, the certificate stays */
	}
	vote_set_clear(&slot->prepares, node->n_validators);
	vote_set_clear(&slot->commits, node->n_validators);
	if (slot->fast != NULL) {
		vote_set_clear(slot->fast, node->n_validators);
	}
	struct pbft_slot old = *slot;
	*slot = (struct pbft_slot){
		.instance = instance,
		.view = pbft_of(node)->view,
		.prepares.bits = old.prepares.bits,
		.commits.bits = old.commits.bits,
		.fast = old.fast,
		.unwritten = old.unwritten && old.instance == instance,
	};
	if (old.instance == instance) {
		/* A new view counts anew; what was prepared, voted for or committed stays. */
		slot->prepared_view = old.prepared_view;
		slot->prepared_batch = old.prepared_batch;
		slot->prepared_proof = old.prepared_proof;
		slot->fast_view = old.fast_view;
		slot->fast_batch = old.fast_batch;
		slot->committed_batch = old.committed_batch;
	}
}

struct pbft_slot *pbft_slot(struct node *node, uint64_t instance)
{
	struct pbft *pbft = pbft_of(node);
	assert(instance > pbft->stable && instance <= pbft_high_watermark(node));
	struct pbft_slot *slot =
		&pbft->slots[instance % (uint64_t)pbft_settings_of(node)->watermark_window];
	if (slot->instance != instance || slot->view != pbft->view) {
		slot_renew(node, slot, instance);
	}
	return slot;
}

/* Of the requests that are known and not executed. */
static transaction_id oldest_waiting(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	struct request_queue *order = &pbft->waiting_order;
	while (!growing_bits_test(&pbft->waiting, request_queue_first(order))) {
		request_queue_pop(order);
	}
	return request_queue_first(order);
}

static inline void stop_waiting(struct node *node, transaction_id transaction)
{
	struct pbft *pbft = pbft_of(node);
	if (growing_bits_remove(&pbft->waiting, transaction)) {
		pbft->n_waiting--;
		if (pbft->keys != NULL) {
			pbft_keys_remove(node, transaction);
		}
	}
}

/* Own proposals that are settled, executed or overtaken by another's, are waited for no longer. */
static void forget_settled(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	for (uint32_t n = pbft->own.n; n > 0; n--) {
		transaction_id transaction = request_queue_pop(&pbft->own);
		if (!node_executed(node, transaction)) {
			request_queue_push(&pbft->own, node_arena(node), transaction);
		} else {
			stop_waiting(node, transaction);
		}
	}
}

/* OSDI'99 4.4: the timer is stopped when the replica no longer waits for the request that it was started for,
 * and started anew if it waits for another then. It is the oldest: a primary that leaves one request out is
 * replaced, however fast it is with the others. */
static void progress(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	pbft->n_timeouts = 0; /* the timeout comes down again */
	forget_settled(node);
	if (pbft->n_waiting > 0 && node_timer_runs(node, PBFT_TIMER_VIEW) &&
		growing_bits_test(&pbft->waiting, pbft->timed)) {
		pbft_restart_status(node);
	} else {
		pbft_restart_timer(node);
	}
}

void pbft_restart_timer(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	pbft_restart_status(node);
	if (pbft->changing || pbft_settings_of(node)->view_timeout_ns == SIM_NEVER) {
		return;
	}
	/* OSDI'99 4.4: a backup's timer runs while it waits for a request to be executed. */
	if (pbft->n_waiting == 0 || pbft_is_primary(node)) {
		node_timer_cancel(node, PBFT_TIMER_VIEW);
	} else {
		pbft->timed = oldest_waiting(node);
		node_timer_set(
			node, PBFT_TIMER_VIEW, sim_time_add(node_now(node), pbft_timeout_ns(node)));
	}
}

void pbft_wait_for(struct node *node, transaction_id transaction)
{
	struct pbft *pbft = pbft_of(node);
	if (node_executed(node, transaction) ||
		!growing_bits_add(&pbft->waiting, node_arena(node), transaction)) {
		return;
	}
	pbft->n_waiting++;
	request_queue_push(&pbft->waiting_order, node_arena(node), transaction);
	if (pbft->keys != NULL) {
		pbft_keys_add(node, transaction);
	}
	if (!node_timer_runs(node, PBFT_TIMER_VIEW)) {
		pbft_restart_timer(node);
	} else {
		pbft_stir(node);
	}
}

void pbft_on_request(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	transaction_id transaction = (transaction_id)message->instance;
	if (node_executed(node, transaction) && !PLANTED(pbft_settings_of(node), REPLY_CACHE_DROPPED)) {
		/* OSDI'99 4.1: a request that was executed is answered again from the last reply. */
		node_log(node, "request already executed -> resend reply");
		node_reply(node, transaction, pbft->view);
		return;
	}
	bool known = growing_bits_test(&pbft->waiting, transaction);
	if ((message->flags & REQUEST_OWN) != 0 && !known) {
		request_queue_push(&pbft->own, node_arena(node), transaction);
	}
	pbft_wait_for(node, transaction);
	if (pbft_is_primary(node) && !pbft->changing) {
		if (!growing_bits_add(&pbft->proposed, node_arena(node), transaction) &&
			!(PLANTED(pbft_settings_of(node), REPLY_CACHE_DROPPED) && node_executed(node, transaction))) {
			node_log(node, "request already proposed -> ignore");
			return;
		}
		if (pbft->requests.n == 0 && pbft_settings_of(node)->batch_delay_ns > 0) {
			node_timer_set(node, PBFT_TIMER_BATCH,
				sim_time_add(node_now(node), pbft_settings_of(node)->batch_delay_ns));
		}
		if (pbft->pace.on) {
			pace_arrived(node, &pbft->pace, pbft->requests.n == 0);
		}
		request_queue_push(&pbft->requests, node_arena(node), transaction);
		pbft_propose(node);
		return;
	}
	if (!known) {
		request_queue_push(&pbft->requests, node_arena(node), transaction);
	}
	if ((message->flags & (PBFT_FLAG_FORWARDED | REQUEST_OWN)) == 0 && !pbft->changing) {
		/* OSDI'99 4.4: a backup relays the request to the primary and waits for its execution. */
		node_log(node, "request at a backup -> relay to the primary");
		struct message *relay =
			node_message(node, MESSAGE_REQUEST, CLASS_CLIENT, message->size_bytes);
		relay->flags = PBFT_FLAG_FORWARDED;
		relay->instance = transaction;
		pbft_send(node, pbft_primary(node, pbft->view), relay);
	}
}

/* What an instance costs a replica: a pre-prepare or prepare and a commit to all, and as much from all. */
static struct pace_cost instance_cost(const struct node *node)
{
	struct node_costs costs = node_costs(node);
	sim_time others = node->n_validators - 1;
	bool macs = pbft_settings_of(node)->authentication == PBFT_MACS;
	sim_time one = sim_time_add(costs.send_ns, costs.receive_ns);
	one = sim_time_add(one, macs ? sim_time_add(costs.mac_ns, costs.mac_ns) : costs.verify_ns);
	double work_ns = 2 * ((double)others * (double)one + (macs ? 0 : (double)costs.sign_ns));
	uint64_t header = PBFT_HEADER_BYTES + (macs ? PBFT_MAC_BYTES * (uint64_t)others : 0);
	return (struct pace_cost){.work_ns = work_ns > 1e18 ? SIM_NEVER : (sim_time)work_ns,
		.bytes = 2 * header * (uint64_t)others};
}

/* Its own gap between proposals, measured anew now and then. */
static sim_time own_gap_ns(struct node *node)
{
	struct pace_cost cost = instance_cost(node);
	return pace_gap_ns(node, &pbft_of(node)->pace, &cost, pbft_of(node)->executed);
}

/* What the primary itself holds to be false it does not propose: its pre-prepare would be a vote. Keeps the
 * rest, and puts what it left out at the end of the queue. Returns how many are left. */
static uint32_t keep_valid(struct node *node, transaction_id *transactions, uint32_t n)
{
	struct pbft *pbft = pbft_of(node);
	uint32_t n_kept = 0;
	node_log(node, "not valid by its own knowledge -> not proposed");
	for (uint32_t i = 0; i < n; i++) {
		transaction_id transaction = transactions[i];
		if (node_valid(node, node_batch(node, &transaction, 1))) {
			transactions[n_kept++] = transaction;
		} else {
			request_queue_push(&pbft->requests, node_arena(node), transaction);
		}
	}
	return n_kept;
}

/* Takes up to `batch` waiting transactions; skips what has been executed meanwhile. NULL: there is nothing
 * that it can propose. */
static const struct batch *next_batch(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	uint32_t max = (uint32_t)pbft_settings_of(node)->batch;
	transaction_id transactions[PBFT_BATCH_MAX];
	uint32_t n = 0;
	while (n < max && n < PBFT_BATCH_MAX && pbft->requests.n > 0) {
		transaction_id transaction = request_queue_pop(&pbft->requests);
		if (!node_executed(node, transaction) ||
			PLANTED(pbft_settings_of(node), REPLY_CACHE_DROPPED)) {
			transactions[n++] = transaction;
		}
	}
	const struct batch *batch = n == 0 ? NULL : node_batch(node, transactions, n);
	if (batch != NULL && !node_valid(node, batch)) {
		n = keep_valid(node, transactions, n);
		batch = n == 0 ? NULL : node_batch(node, transactions, n);
	}
	return batch;
}

/* OSDI'99 4.3: sequence numbers stay between the watermarks h and H. */
static bool window_is_full(const struct node *node)
{
	const struct pbft *pbft = pbft_of(node);
	return pbft->next_instance > pbft_high_watermark(node) ||
		pbft->next_instance > pbft->executed + (uint64_t)pbft_settings_of(node)->n_in_flight;
}

static void propose_batch(struct node *node, const struct batch *batch)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t instance = pbft->next_instance++;
	unsigned how = pbft->keys != NULL && pbft_is_free(node, batch) ? PBFT_HOW_FAST : 0;
	struct message *message = node_message(node, PBFT_PRE_PREPARE, CLASS_AGREEMENT,
		PBFT_HEADER_BYTES + batch->size_bytes);
	message->view = pbft->view;
	message->instance = instance;
	message->digest = batch->digest;
	message->body = batch;
	message->flags = how != 0 ? PBFT_FLAG_FAST : 0;
	node_proposed(node, instance, pbft->view, batch);
	pbft->pace.proposed_at = node_now(node);
	if (pbft->disk != NULL) {
		pbft_changed(node, pbft_slot(node, instance)); /* which is accepted below */
	}
	pbft_multicast(node, message);
	pbft_accept(node, instance, batch, how);
}

bool pbft_propose_now(struct node *node)
{
	if (!pbft_is_primary(node) || pbft_of(node)->changing || window_is_full(node)) {
		return false;
	}
	node_timer_cancel(node, PBFT_TIMER_BATCH);
	const struct batch *batch = next_batch(node);
	propose_batch(node, batch != NULL ? batch : node_batch(node, NULL, 0));
	return true;
}

/* Waits where another proposal so soon would keep processors busy with votes (pace.h). */
static bool is_early(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	own_gap_ns(node);
	sim_time due =
		pace_due(node, &pbft->pace, pbft->next_instance > pbft->executed + 1, pbft->quorum);
	if (due <= node_now(node)) {
		return false;
	}
	node_log(node, "the last proposal keeps processors busy -> collect");
	node_timer_set(node, PBFT_TIMER_BATCH, due);
	return true;
}

void pbft_propose(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	const struct pbft_settings *settings = pbft_settings_of(node);
	if (!pbft_is_primary(node) || pbft->changing) {
		return;
	}
	while (pbft->requests.n > 0) {
		if (window_is_full(node)) {
			node_log(node, "window full -> wait");
			return;
		}
		if (settings->batch_delay_ns > 0 && pbft->requests.n < (uint32_t)settings->batch &&
			node_timer_runs(node, PBFT_TIMER_BATCH)) {
			return;
		}
		if (pbft->pace.on && pbft->requests.n < (uint32_t)settings->batch && is_early(node)) {
			return;
		}
		const struct batch *batch = next_batch(node);
		if (batch == NULL) {
			return;
		}
		propose_batch(node, batch);
	}
}

static void send_vote(struct node *node, enum pbft_kind kind, const struct pbft_slot *slot)
{
	struct message *message = node_message(node, kind,
		slot->from_new_view ? CLASS_CONTROL : CLASS_AGREEMENT, PBFT_HEADER_BYTES);
	message->view = slot->view;
	message->instance = slot->instance;
	message->digest = slot->batch->digest;
	message->flags = kind == PBFT_PREPARE && slot->votes_fast ? PBFT_FLAG_FAST : 0;
	if (pbft_of(node)->pace.on && kind == PBFT_PREPARE) {
		message->extra = (uint64_t)own_gap_ns(node);
	}
	pbft_multicast(node, message);
}

void pbft_commit(struct node *node, struct pbft_slot *slot)
{
	slot->committed_batch = slot->batch;
	if (slot->instance > pbft_of(node)->executed) {
		node_committed(node, slot->instance, slot->view, slot->batch);
		pbft_execute(node);
	}
}

static inline __attribute__((always_inline)) void check_committed(
	struct node *node, struct pbft_slot *slot)
{
	/* OSDI'99 4.2: committed-local: prepared, and 2f+1 commits (its own among them) that match. */
	if (slot->committed_batch != NULL || !slot->prepared ||
		slot->commits.n < pbft_of(node)->quorum) {
		return;
	}
	pbft_commit(node, slot);
}

void pbft_send_commit(struct node *node, struct pbft_slot *slot)
{
	slot->holds_commit = false;
	send_vote(node, PBFT_COMMIT, slot);
	if (pbft_is_writing(node)) {
		pbft_vote_later(node, PBFT_COMMIT, slot);
	} else {
		vote_set_add(&slot->commits, node_arena(node), node->id, slot->batch->digest, true,
			node->n_validators);
	}
	check_committed(node, slot);
}

static void check_prepared(struct node *node, struct pbft_slot *slot)
{
	/* OSDI'99 4.2: prepared: the pre-prepare and 2f prepares from different backups that match
	 * it. */
	if (slot->prepared || slot->batch == NULL || slot->prepares.n + 1 < pbft_of(node)->quorum) {
		if (slot->votes_fast) {
			pbft_check_fast(node, slot);
		}
		return;
	}
	slot->prepared = true;
	slot->prepared_view = slot->view;
	slot->prepared_batch = slot->batch;
	slot->prepared_proof = NULL;
	if (pbft_of(node)->disk != NULL) {
		pbft_changed(node, slot);
	}
	bool holds = slot->votes_fast && pbft_hold_commit(node, slot);
	if (!holds) {
		pbft_send_commit(node, slot);
	}
	if (pbft_settings_of(node)->tentative) {
		pbft_execute_tentatively(node);
	}
	if (slot->votes_fast) {
		pbft_check_fast(node, slot);
	}
}

void pbft_accept(struct node *node, uint64_t instance, const struct batch *batch, unsigned how)
{
	struct pbft_slot *slot = pbft_slot(node, instance);
	slot->batch = batch;
	slot->from_new_view = (how & PBFT_HOW_FROM_NEW_VIEW) != 0;
	slot->withheld = (how & PBFT_HOW_WITHHELD) != 0;
	vote_set_settle(&slot->prepares, node_arena(node), batch->digest, node->n_validators);
	vote_set_settle(&slot->commits, node_arena(node), batch->digest, node->n_validators);
	if (pbft_of(node)->disk != NULL) {
		pbft_changed(node, slot);
	}
	for (uint32_t i = 0; i < batch->n; i++) {
		pbft_wait_for(node, batch->transactions[i]);
	}
	if ((how & PBFT_HOW_FAST) != 0) {
		pbft_vote_fast(node, slot);
	}
	if (!pbft_is_primary(node) && !slot->withheld) {
		send_vote(node, PBFT_PREPARE, slot);
		if (pbft_is_writing(node)) {
			pbft_vote_later(node, PBFT_PREPARE, slot);
		} else {
			vote_set_add(&slot->prepares, node_arena(node), node->id, batch->digest, true,
				node->n_validators);
		}
	}
	check_prepared(node, slot);
}

void pbft_vote_written(
	struct node *node, enum pbft_kind kind, uint64_t view, uint64_t instance, uint64_t digest)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->view != view || pbft->changing || instance <= pbft->stable) {
		return;
	}
	struct pbft_slot *slot = pbft_slot(node, instance);
	if (slot->batch == NULL || slot->batch->digest != digest) {
		return;
	}
	bool prepare = kind == PBFT_PREPARE;
	vote_set_add(prepare ? &slot->prepares : &slot->commits, node_arena(node), node->id, digest, true,
		node->n_validators);
	if (prepare) {
		check_prepared(node, slot);
	} else {
		check_committed(node, slot);
	}
}

/* Is the message for this view and between the watermarks? What comes early is held. */
static inline bool in_time(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	if (message->view == pbft->view && !pbft->changing && message->instance > pbft->stable &&
		message->instance <= pbft_high_watermark(node)) {
		return true;
	}
	if (message->view < pbft->view || message->instance <= pbft->stable) {
		return false; /* late */
	}
	pbft_hold(node, message);
	return false;
}

void pbft_on_pre_prepare(struct node *node, const struct message *message)
{
	if (!in_time(node, message)) {
		return;
	}
	if (message->from != pbft_primary(node, message->view)) {
		node_log(node, "pre-prepare not from the primary -> refuse");
		return;
	}
	/* OSDI'99 4.4: what the new view covers is proposed by the new view alone. */
	if (message->instance <= pbft_of(node)->plan.max_s) {
		node_log(node, "pre-prepare for a number that the new view covers -> refuse");
		return;
	}
	struct pbft_slot *slot = pbft_slot(node, message->instance);
	/* OSDI'99 4.2: it has not accepted a pre-prepare for this view and number with another
	 * digest. */
	if (slot->batch != NULL) {
		node_log(node, "second pre-prepare for the same number -> refuse");
		return;
	}
	unsigned how = 0;
	if (!node_valid(node, message->body)) {
		/* External validity: no vote for what it holds to be false. Should a quorum of the others vote for
		 * it, this replica goes with them: it is bound by what is committed. */
		node_log(node, "not valid by its own knowledge -> no vote");
		how = PBFT_HOW_WITHHELD;
	} else if (slot->fast != NULL && (message->flags & PBFT_FLAG_FAST) != 0) {
		how = PBFT_HOW_FAST;
	}
	pbft_accept(node, message->instance, message->body, how);
}

void pbft_on_prepare(struct node *node, const struct message *message)
{
	if (!in_time(node, message)) {
		return;
	}
	/* OSDI'99 4.2: prepares come from backups; the primary's pre-prepare stands for its own. */
	if (message->from == pbft_primary(node, message->view)) {
		return;
	}
	struct pbft_slot *slot = pbft_slot(node, message->instance);
	pbft_hear_of(node, message->instance);
	if (pbft_of(node)->pace.on) {
		pace_told(&pbft_of(node)->pace, message->from, message->extra);
	}
	if (slot->fast != NULL) {
		pbft_count_fast(node, slot, message);
	}
	if (vote_set_add(&slot->prepares, node_arena(node), message->from, message->digest,
			slot->batch != NULL, node->n_validators)) {
		check_prepared(node, slot);
	}
}

void pbft_on_commit(struct node *node, const struct message *message)
{
	if (!in_time(node, message)) {
		return;
	}
	struct pbft_slot *slot = pbft_slot(node, message->instance);
	pbft_hear_of(node, message->instance);
	if (vote_set_add(&slot->commits, node_arena(node), message->from, message->digest,
			slot->batch != NULL, node->n_validators)) {
		check_committed(node, slot);
	}
	if (slot->holds_commit) {
		node_log(node, "another has gone back to ordering -> help it by the commit");
		pbft_send_commit(node, slot);
	}
}

/* Executes one batch, whichever way it came. */
static void execute_batch(struct node *node, uint64_t view, const struct batch *batch)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t instance = ++pbft->executed;
	for (uint32_t i = 0; i < batch->n; i++) {
		stop_waiting(node, batch->transactions[i]);
	}
	pbft->history = arena_grow(node_arena(node), pbft->history, sizeof(*pbft->history), instance - 1,
		instance, &pbft->history_capacity);
	pbft->history[instance - 1] = batch;
	pbft->state_digest = pbft_chain(pbft->state_digest, batch);
	pbft->digests = arena_grow(node_arena(node), pbft->digests, sizeof(*pbft->digests), instance - 1,
		instance, &pbft->digests_capacity);
	pbft->digests[instance - 1] = pbft->state_digest;
	pbft_apply(node, instance, view, batch);
	/* OSDI'99 4.3: a checkpoint after every K-th instance. */
	if (instance % (uint64_t)pbft_settings_of(node)->checkpoint_interval == 0) {
		pbft_checkpoint(node);
	}
}

void pbft_execute(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t before = pbft->executed;
	/* OSDI'99 4.2: in order of sequence numbers, when all lower ones have been executed. */
	while (pbft->executed < pbft_high_watermark(node)) {
		const struct pbft_slot *slot = &pbft->slots[(pbft->executed + 1) %
			(uint64_t)pbft_settings_of(node)->watermark_window];
		if (slot->instance != pbft->executed + 1 || slot->committed_batch == NULL) {
			break;
		}
		execute_batch(node, slot->view, slot->committed_batch);
	}
	if (pbft->executed != before) {
		progress(node);
		if (pbft->tentative == 0 && pbft_settings_of(node)->tentative) {
			pbft_execute_tentatively(node);
		}
		pbft_propose(node);
	}
}

void pbft_execute_transferred(struct node *node, const struct pbft_state_transfer *state)
{
	struct pbft *pbft = pbft_of(node);
	while (pbft->executed + 1 < state->first + state->n) {
		uint64_t instance = pbft->executed + 1;
		const struct batch *batch = state->batches[instance - state->first];
		const struct pbft_slot *slot =
			&pbft->slots[instance % (uint64_t)pbft_settings_of(node)->watermark_window];
		if (slot->instance != instance || slot->committed_batch == NULL) {
			node_committed(node, instance, pbft->view, batch);
		}
		execute_batch(node, pbft->view, batch);
	}
	progress(node);
}
