/* Checkpoints, garbage collection, and fetching a state that was missed. OSDI'99 4.3. */
#include "pbft.h"

/* The digest of the state after a batch: a chain over the digests before it, so that equal
 * digests mean equal histories. The mixing is SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA
 * 2014). */
uint64_t pbft_chain(uint64_t state_digest, const struct batch *batch)
{
	uint64_t x = state_digest * UINT64_C(0x9e3779b97f4a7c15) + batch->digest + 1;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The votes on a checkpoint between the watermarks. */
static struct pbft_checkpoint *find_checkpoint(struct node *node, uint64_t instance)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t interval = (uint64_t)pbft_settings_of(node)->checkpoint_interval;
	struct pbft_checkpoint *checkpoint =
		&pbft->checkpoints[instance / interval % pbft->n_checkpoints];
	if (checkpoint->instance != instance) {
		vote_set_clear(&checkpoint->votes, node->n_validators);
		checkpoint->instance = instance;
	}
	return checkpoint;
}

/* OSDI'99 4.3: 2f+1. */
uint32_t pbft_stable_quorum(const struct node *node)
{
	return PLANTED(pbft_settings_of(node), CHECKPOINT_F) ? node->n_faulty : pbft_of(node)->quorum;
}

static const struct pbft_proof *prove_checkpoint(
	struct node *node, uint64_t instance, uint64_t digest, const uint64_t *signers)
{
	return pbft_prove(node, pbft_statement_checkpoint(instance, digest), signers, NODE_NONE,
		pbft_stable_quorum(node));
}

/* A checkpoint above the high watermark: the others have gone on without this replica. Of each
 * replica the latest few are kept, so that no liar can crowd out what a quorum says. O(n). */
static void claim_checkpoint(struct node *node, uint64_t instance, uint64_t digest, uint32_t from)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->claims == NULL) {
		pbft->claims = arena_array(
			node_arena(node), struct pbft_claim, (size_t)PBFT_CLAIMS * node->n_validators);
	}
	struct pbft_claim *lowest = &pbft->claims[(size_t)PBFT_CLAIMS * from];
	for (int i = 0; i < PBFT_CLAIMS; i++) {
		struct pbft_claim *claim = &pbft->claims[(size_t)PBFT_CLAIMS * from + (size_t)i];
		if (claim->instance == instance) {
			return;
		}
		lowest = claim->instance < lowest->instance ? claim : lowest;
	}
	if (instance < lowest->instance) {
		return;
	}
	*lowest = (struct pbft_claim){instance, digest};
	uint32_t n = 0;
	for (size_t i = 0; i < (size_t)PBFT_CLAIMS * node->n_validators; i++) {
		n += pbft->claims[i].instance == instance && pbft->claims[i].digest == digest;
	}
	if (n < pbft_stable_quorum(node)) {
		return;
	}
	uint64_t *signers = arena_array(node_arena(node), uint64_t, bits_words(node->n_validators));
	for (size_t i = 0; i < (size_t)PBFT_CLAIMS * node->n_validators; i++) {
		if (pbft->claims[i].instance == instance && pbft->claims[i].digest == digest) {
			bits_add(signers, (uint32_t)(i / PBFT_CLAIMS));
		}
	}
	if (pbft_stable(node, instance, digest, prove_checkpoint(node, instance, digest, signers), from)) {
		pbft_advanced(node);
	}
}

static void count_checkpoint(struct node *node, uint64_t instance, uint64_t digest, uint32_t from)
{
	struct pbft *pbft = pbft_of(node);
	/* A liar's number may be any; what is not above h is known or of no use. */
	if (instance <= pbft->stable ||
		instance % (uint64_t)pbft_settings_of(node)->checkpoint_interval != 0) {
		return;
	}
	if (instance > pbft_high_watermark(node)) {
		claim_checkpoint(node, instance, digest, from);
		return;
	}
	struct pbft_checkpoint *checkpoint = find_checkpoint(node, instance);
	bool is_own = from == node->id;
	if (is_own) {
		vote_set_settle(&checkpoint->votes, node_arena(node), digest, node->n_validators);
	}
	bool counts = vote_set_add(&checkpoint->votes, node_arena(node), from, digest,
		instance <= pbft->executed, node->n_validators);
	/* OSDI'99 4.3: 2f+1 checkpoint messages with the same digest make it stable. */
	if (counts && checkpoint->votes.n >= pbft_stable_quorum(node) &&
		pbft_stable(node, instance, digest,
			prove_checkpoint(node, instance, digest, checkpoint->votes.bits), from)) {
		pbft_advanced(node);
	}
}

/* Counts those claims that have come between the watermarks. */
static void count_claims(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	size_t n = pbft->claims == NULL ? 0 : (size_t)PBFT_CLAIMS * node->n_validators;
	for (size_t i = 0; i < n; i++) {
		struct pbft_claim claim = pbft->claims[i];
		if (claim.instance > 0 && claim.instance <= pbft_high_watermark(node)) {
			pbft->claims[i].instance = 0;
			count_checkpoint(node, claim.instance, claim.digest, (uint32_t)(i / PBFT_CLAIMS));
		}
	}
}

static struct message *checkpoint_message(struct node *node, uint64_t instance, uint64_t digest)
{
	struct message *message =
		node_message(node, PBFT_CHECKPOINT, CLASS_CONTROL, PBFT_HEADER_BYTES);
	message->view = pbft_of(node)->view;
	message->instance = instance;
	message->digest = digest;
	return message;
}

void pbft_checkpoint(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	pbft_multicast(node, checkpoint_message(node, pbft->executed, pbft->state_digest));
	count_checkpoint(node, pbft->executed, pbft->state_digest, node->id);
}

void pbft_resend_checkpoint(struct node *node, uint32_t to)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t interval = (uint64_t)pbft_settings_of(node)->checkpoint_interval;
	uint64_t instance = pbft->executed / interval * interval;
	if (instance > pbft->stable && instance <= pbft_high_watermark(node)) {
		uint64_t digest = find_checkpoint(node, instance)->votes.digest; /* settled: its own */
		struct message *message = checkpoint_message(node, instance, digest);
		if (to == NODE_NONE) {
			pbft_multicast(node, message);
		} else {
			pbft_send(node, to, message);
		}
	}
}

void pbft_recount_checkpoint(struct node *node)
{
	const struct pbft *pbft = pbft_of(node);
	uint64_t interval = (uint64_t)pbft_settings_of(node)->checkpoint_interval;
	uint64_t instance = pbft->executed / interval * interval;
	if (instance > pbft->stable && instance <= pbft_high_watermark(node)) {
		count_checkpoint(node, instance, pbft->digests[instance - 1], node->id);
	}
}

void pbft_on_checkpoint(struct node *node, const struct message *message)
{
	count_checkpoint(node, message->instance, message->digest, message->from);
}

sim_time pbft_patience_ns(const struct node *node)
{
	sim_time timeout_ns = pbft_settings_of(node)->view_timeout_ns;
	return timeout_ns == SIM_NEVER ? SIM_SECOND : timeout_ns / 2;
}

static void wait_to_fetch(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	pbft->fetch_due = pbft->fetch_target;
	node_timer_set(node, PBFT_TIMER_FETCH,
		sim_time_add(node_now(node), pbft->catching_up ? 0 : pbft_patience_ns(node)));
}

bool pbft_stable(struct node *node, uint64_t instance, uint64_t digest, const struct pbft_proof *proof,
	uint32_t from)
{
	struct pbft *pbft = pbft_of(node);
	if (instance <= pbft->stable) {
		return false;
	}
	if (pbft->executed < instance) {
		/* The others have gone on without this replica. Its own messages may only be late: it
		 * asks for the state when it has still not come so far after a while. Later checkpoints
		 * move the target but not the timer, or under load it would never expire. */
		if (instance > pbft->fetch_target) {
			node_log(node, "behind a stable checkpoint -> fetch unless it catches up");
			pbft->fetch_target = instance;
			pbft->fetch_digest = digest;
			pbft->fetch_proof = proof;
			pbft->fetch_from = from;
			if (!node_timer_runs(node, PBFT_TIMER_FETCH)) {
				wait_to_fetch(node);
			}
		}
		return false;
	}
	/* OSDI'99 4.3: all before the stable checkpoint is discarded; h and H advance. The ring's slots
	 * are made new when their next instance comes. */
	node_log(node, "checkpoint stable -> advance the watermarks");
	pbft->older = pbft->stable;
	pbft->older_digest = pbft->stable_digest;
	pbft->older_proof = pbft->stable_proof;
	pbft->stable = instance;
	pbft->stable_digest = digest;
	pbft->stable_proof = proof;
	if (PLANTED(pbft_settings_of(node), WATERMARK_OFF)) {
		pbft->slots[(instance + 1) % (uint64_t)pbft_settings_of(node)->watermark_window].instance = 0;
	}
	pbft->catching_up = false;
	if (pbft->fetch_target <= instance) {
		pbft->fetch_target = 0;
		node_timer_cancel(node, PBFT_TIMER_FETCH);
	}
	if (pbft->next_instance <= instance) {
		pbft->next_instance = instance + 1;
	}
	return true;
}

void pbft_advanced(struct node *node)
{
	count_claims(node);
	pbft_accept_plan(node);
	pbft_release(node);
	pbft_propose(node);
}

/* The first instance that it has neither executed nor, of a state that is on its way, received. */
static uint64_t next_to_fetch(struct pbft *pbft)
{
	if (pbft->fetched_first + pbft->fetched_n <= pbft->executed + 1) {
		pbft->fetched_first = pbft->executed + 1; /* what has come is of no use any more */
		pbft->fetched_n = 0;
	}
	return pbft->fetched_first + pbft->fetched_n;
}

void pbft_send_fetch(struct node *node, uint32_t to, uint64_t last)
{
	struct pbft *pbft = pbft_of(node);
	struct message *message = node_message(node, PBFT_FETCH, CLASS_CONTROL, PBFT_HEADER_BYTES);
	message->view = pbft->view;
	message->instance = last == 0 ? pbft->executed + 1 : next_to_fetch(pbft);
	message->extra = last;
	if (to == NODE_NONE) {
		pbft_multicast(node, message);
	} else {
		pbft_send(node, to, message);
	}
}

void pbft_ask(struct node *node)
{
	pbft_send_fetch(node, NODE_NONE, 0);
}

static void wait_for_state(struct node *node)
{
	sim_time patience = pbft_patience_ns(node);
	node_timer_set(
		node, PBFT_TIMER_FETCH, sim_time_add(node_now(node), sim_time_add(patience, patience)));
}

void pbft_fetch(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	if (pbft->fetch_target == 0) {
		return;
	}
	if (pbft->executed >= pbft->fetch_target) {
		if (pbft_stable(node, pbft->fetch_target, pbft->fetch_digest, pbft->fetch_proof,
				pbft->fetch_from)) {
			pbft_advanced(node);
		}
		return;
	}
	if (pbft->executed >= pbft->fetch_due) {
		wait_to_fetch(node); /* it does catch up, only later than the others */
		return;
	}
	node_log(node, "still behind -> fetch the state");
	pbft->asked = pbft->fetch_target;
	pbft->asked_digest = pbft->fetch_digest;
	pbft->asked_proof = pbft->fetch_proof;
	pbft->asked_from = pbft->fetch_from;
	pbft_send_fetch(node, pbft->asked_from, pbft->asked);
	/* Should the answer not come, the next replica is asked. */
	do {
		pbft->fetch_from = (pbft->fetch_from + 1) % node->n_validators;
	} while (pbft->fetch_from == node->id);
	wait_for_state(node);
}

void pbft_tell(struct node *node, uint32_t to, bool lacks_view, uint64_t stable)
{
	struct pbft *pbft = pbft_of(node);
	if (lacks_view && !pbft->changing && pbft->new_view != NULL && pbft_turn_to_resend(node, to)) {
		node_log(node, "asked from an earlier view -> send the new view again");
		pbft_resend_new_view(node, to);
	}
	if (pbft->stable > stable) {
		pbft_send(node, to, checkpoint_message(node, pbft->stable, pbft->stable_digest));
	}
}

void pbft_on_fetch(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	if (message->extra == 0) {
		pbft_tell(node, message->from, message->view < pbft->view,
			message->instance > 0 ? message->instance - 1 : 0);
		return;
	}
	/* A liar's numbers may be any. */
	if (pbft->executed < message->extra || message->instance > message->extra ||
		message->instance == 0) {
		return;
	}
	uint64_t max = (uint64_t)pbft_settings_of(node)->state_chunk;
	struct pbft_state_transfer *state = arena_new(node_arena(node), struct pbft_state_transfer);
	state->first = message->instance;
	state->batches = pbft->history + (message->instance - 1);
	uint64_t bytes = 0, n_wanted = message->extra - message->instance + 1;
	while (state->n < n_wanted &&
		(state->n == 0 || bytes + state->batches[state->n]->size_bytes <= max)) {
		bytes += state->batches[state->n++]->size_bytes;
	}
	bytes += PBFT_HEADER_BYTES;
	struct message *answer = node_message(node, PBFT_STATE, CLASS_CONTROL,
		bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes);
	answer->view = pbft->view;
	answer->instance = message->extra;
	answer->body = state;
	pbft_send(node, message->from, answer);
}

/* Keeps what a part of a state brings. Returns whether it is the next one. */
static bool keep_fetched(struct node *node, const struct pbft_state_transfer *state, uint64_t last)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t next = next_to_fetch(pbft);
	uint64_t end = state->n > last || state->first > last ? last + 1 : state->first + state->n;
	end = end > last + 1 ? last + 1 : end;
	if (state->first == 0 || state->first > next || end <= next) {
		return false; /* another answer came first, or it is none */
	}
	uint64_t n = pbft->fetched_n + end - next;
	pbft->fetched = arena_grow(node_arena(node), pbft->fetched, sizeof(*pbft->fetched),
		pbft->fetched_n, n, &pbft->fetched_capacity);
	for (uint64_t instance = next; instance < end; instance++) {
		pbft->fetched[pbft->fetched_n++] = state->batches[instance - state->first];
	}
	return true;
}

/* A state was taken. The others have gone on meanwhile, and what they sent beyond its high watermark is lost to
 * this replica: it goes on fetching, now without delay, until it reaches a stable checkpoint by itself. */
static void fetch_on(struct node *node)
{
	struct pbft *pbft = pbft_of(node);
	pbft->catching_up = true;
	pbft_execute(node);
	if (pbft->fetch_target > pbft->executed) {
		wait_to_fetch(node);
	}
	/* What it has waited for could not be executed so far, whoever was primary: its timer starts again, or it
	 * would leave the view by itself. (Castro and Liskov's library delays a view change while it fetches.) */
	if (!pbft->changing) {
		pbft_restart_timer(node);
	}
}

void pbft_on_state(struct node *node, const struct message *message)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t last = message->instance;
	bool is_checkpoint = pbft->asked == last && pbft->asked_from == message->from;
	bool is_told = pbft->told == last && pbft->told_from == message->from;
	if ((!is_checkpoint && !is_told) || pbft->executed >= last ||
		!keep_fetched(node, message->body, last)) {
		return; /* or nobody has asked it */
	}
	if (next_to_fetch(pbft) <= last) {
		/* One part at a time, so that what others send passes between them. */
		node_log(node, "a part of the state -> ask for the next");
		pbft_send_fetch(node, message->from, last);
		if (is_checkpoint) {
			wait_for_state(node);
		} else {
			pbft->told_until =
				sim_time_add(node_now(node), pbft_settings_of(node)->view_timeout_ns);
		}
		pbft_restart_status(node);
		return;
	}
	/* The chain over what was sent must end in the digest that a quorum signed, or f+1 replicas, of
	 * which one is honest. */
	uint64_t digest = pbft->state_digest;
	for (uint64_t instance = pbft->executed + 1; instance <= last; instance++) {
		digest = pbft_chain(digest, pbft->fetched[instance - pbft->fetched_first]);
	}
	struct pbft_state_transfer state = {
		.first = pbft->fetched_first, .n = last + 1 - pbft->fetched_first, .batches = pbft->fetched};
	pbft->fetched_n = 0; /* used or thrown away: whichever part was false */
	if (digest != (is_checkpoint ? pbft->asked_digest : pbft->told_digest)) {
		node_refuse(node, "state does not match the checkpoint's digest -> refuse");
		return;
	}
	if (!is_checkpoint) {
		node_log(node, "state is what f+1 have executed -> take it");
		pbft->told = 0;
		pbft_execute_transferred(node, &state);
		fetch_on(node);
		pbft_propose(node);
		return;
	}
	node_log(node, "state matches the checkpoint -> take it");
	pbft->asked = 0;
	node_timer_cancel(node, PBFT_TIMER_FETCH);
	pbft_execute_transferred(node, &state);
	if (pbft_stable(node, last, digest, pbft->asked_proof, message->from)) {
		pbft_advanced(node);
	}
	fetch_on(node);
}
