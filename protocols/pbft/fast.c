/* The optimistic path: an instance that all n replicas have voted for is committed when the votes are in,
 * two delays after the proposal instead of three, and no commits are sent.
 *
 * It is in neither paper. The idea is that of FaB (Martin, Alvisi, DSN 2005) and Zyzzyva (Kotla and others,
 * SOSP 2007) in the form of SBFT (Golan Gueta and others, DSN 2019): all n votes make the second round
 * unnecessary, and the ordinary round is there when they don't come. The rules:
 *
 * 1. Vote. A primary whose batch touches nothing that another known, unexecuted transaction touches marks
 *    its pre-prepare; a backup that accepts a marked one and sees no conflict either marks its prepare. Such
 *    a vote is an ordinary one, and a fast one besides. A replica keeps the last fast vote of each instance
 *    above its stable checkpoint, as it keeps its prepared certificates. A new view's proposals are never
 *    voted for so.
 * 2. Commit. n equal fast votes of one view (the pre-prepare stands for the primary's) commit the batch.
 *    A replica with a prepared certificate holds its commit back until then.
 * 3. Fall back. It sends the commit, and the instance takes the ordinary way, when a vote comes that is not
 *    a fast one, when a quarter of the view timeout has passed, or when another replica has sent its commit.
 *    After a silence it holds nothing back until all n have voted for an instance again.
 * 4. Evidence. View-change messages carry the fast votes: F. A batch that all of V but f report in F with
 *    the same view u may have been committed so in u. The new view proposes it again unless V holds a
 *    prepared certificate of view u or later for that instance.
 *
 * Why that is safe, for an instance i. Committed fast in u: every honest replica voted for it in u and
 * votes for nothing else at i in u, so that no other certificate of u exists; in every V at least |V| - f
 * members report it (or have i behind their stable checkpoint, and so has the new view); no later view
 * proposes anything else, by induction, so that no later certificate names another batch. Committed by
 * 2f+1 commits in v: every V holds a certificate of v or later, and an F that wins over it needs an honest
 * member's fast vote in a view after v, at an instance that this view's plan has left free: there is none.
 * |V| - f is more than half of V, so that one batch at most qualifies. Zyzzyva's mistake (Abraham and others,
 * arXiv 1712.01367) was to let a certificate of an earlier view win over what all have voted for later: the
 * view decides here, and a certificate wins in a tie only.
 *
 * The order of instances is the primary's in any case: safety needs no keys. They decide which way an
 * instance takes, so that a study of conflicts sees what the optimistic path is worth where only updates of
 * what nobody else touches may take it. Execution stays in the order of instances: one that has fallen back
 * holds up those after it. */
#include "pbft.h"

/* The keys that known, unexecuted transactions touch: open addressing with linear probing, no tombstones. */

static size_t key_home(const struct pbft_keys *keys, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (keys->capacity - 1);
}

/* Where the key is, or would be. */
static struct pbft_key *key_find(const struct pbft_keys *keys, uint64_t key)
{
	size_t at = key_home(keys, key);
	while (keys->table[at].n > 0 && keys->table[at].key != key) {
		at = (at + 1) & (keys->capacity - 1);
	}
	return &keys->table[at];
}

static void keys_grow(struct pbft_keys *keys, struct arena *arena)
{
	struct pbft_keys old = *keys;
	keys->capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
	keys->table = arena_array(arena, struct pbft_key, keys->capacity);
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.table[i].n > 0) {
			*key_find(keys, old.table[i].key) = old.table[i];
		}
	}
}

void pbft_keys_add(struct node *node, transaction_id transaction)
{
	struct pbft_keys *keys = pbft_of(node)->keys;
	uint64_t key = node_transaction_key(node, transaction);
	if (key == NODE_KEY_ALL) {
		keys->n_any++;
		return;
	}
	if (2 * (keys->n_used + 1) > keys->capacity) {
		keys_grow(keys, node_arena(node));
	}
	struct pbft_key *found = key_find(keys, key);
	keys->n_used += found->n == 0;
	found->key = key;
	found->n++;
}

void pbft_keys_remove(struct node *node, transaction_id transaction)
{
	struct pbft_keys *keys = pbft_of(node)->keys;
	uint64_t key = node_transaction_key(node, transaction);
	if (key == NODE_KEY_ALL) {
		keys->n_any--;
		return;
	}
	struct pbft_key *found = key_find(keys, key);
	assert(found->n > 0);
	if (--found->n > 0) {
		return;
	}
	keys->n_used--;
	/* What was pushed beyond the hole moves into it (Knuth, volume 3, 6.4, algorithm R). */
	size_t mask = keys->capacity - 1;
	size_t hole = (size_t)(found - keys->table);
	for (size_t at = (hole + 1) & mask; keys->table[at].n > 0; at = (at + 1) & mask) {
		size_t home = key_home(keys, keys->table[at].key);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			keys->table[hole] = keys->table[at];
			keys->table[at].n = 0;
			hole = at;
		}
	}
}

bool pbft_is_free(const struct node *node, const struct batch *batch)
{
	const struct pbft *pbft = pbft_of(node);
	if (batch->n > 0 && pbft->keys->n_any > 0) {
		node_log(node, "something known may touch anything -> no fast vote");
		return false;
	}
	for (uint32_t i = 0; i < batch->n; i++) {
		uint64_t key = node_transaction_key(node, batch->transactions[i]);
		uint32_t own = growing_bits_test(&pbft->waiting, batch->transactions[i]);
		if (key == NODE_KEY_ALL ||
			(pbft->keys->capacity > 0 && key_find(pbft->keys, key)->n > own)) {
			node_log(node, "another known transaction touches the same -> no fast vote");
			return false;
		}
	}
	return true;
}

void pbft_vote_fast(struct node *node, struct pbft_slot *slot)
{
	if (!pbft_is_primary(node) && !pbft_is_free(node, slot->batch)) {
		return;
	}
	slot->votes_fast = true;
	slot->fast_view = slot->view;
	slot->fast_batch = slot->batch;
	vote_set_settle(slot->fast, node_arena(node), slot->batch->digest, node->n_validators);
	if (!pbft_is_primary(node)) {
		vote_set_add(slot->fast, node_arena(node), node->id, slot->batch->digest, true,
			node->n_validators);
	}
	slot->fast_lost = slot->fast_lost || slot->fast->others != NULL;
}

void pbft_count_fast(struct node *node, struct pbft_slot *slot, const struct message *message)
{
	if ((message->flags & PBFT_FLAG_FAST) == 0 ||
		(slot->batch != NULL && slot->batch->digest != message->digest)) {
		slot->fast_lost = true;
		return;
	}
	vote_set_add(slot->fast, node_arena(node), message->from, message->digest, slot->batch != NULL,
		node->n_validators);
}

void pbft_check_fast(struct node *node, struct pbft_slot *slot)
{
	struct pbft *pbft = pbft_of(node);
	if (slot->committed_batch != NULL || !slot->prepared) {
		return;
	}
	if (slot->fast->n + 1 == node->n_validators) {
		node_log(node, "all n have voted for it -> committed in one round");
		pbft->fast_doubtful = false;
		pbft->n_fast++;
		pbft_commit(node, slot);
	} else if (slot->fast_lost && slot->holds_commit) {
		node_log(node, "a vote that is not a fast one -> order it");
		pbft_send_commit(node, slot);
	}
}

bool pbft_hold_commit(struct node *node, struct pbft_slot *slot)
{
	if (slot->fast_lost || slot->commits.n > 0 || pbft_of(node)->fast_doubtful) {
		return false;
	}
	slot->holds_commit = true;
	slot->fall_back_at = sim_time_add(node_now(node), pbft_patience_ns(node) / 2);
	if (!node_timer_runs(node, PBFT_TIMER_FALL_BACK)) {
		node_timer_set(node, PBFT_TIMER_FALL_BACK, slot->fall_back_at);
	}
	return true;
}

void pbft_fall_back(struct node *node, bool all)
{
	struct pbft *pbft = pbft_of(node);
	uint64_t window = (uint64_t)pbft_settings_of(node)->watermark_window;
	uint64_t first = pbft->stable + 1;
	sim_time next = SIM_NEVER;
	for (uint64_t instance = first; instance < first + window; instance++) {
		struct pbft_slot *slot = &pbft->slots[instance % window];
		if (slot->instance != instance || instance <= pbft->stable || slot->view != pbft->view ||
			!slot->holds_commit || slot->committed_batch != NULL) {
			continue;
		}
		if (all || slot->fall_back_at <= node_now(node)) {
			node_log(node, "not all have voted in time -> order it");
			pbft->fast_doubtful = true;
			pbft_send_commit(node, slot);
		} else if (slot->fall_back_at < next) {
			next = slot->fall_back_at;
		}
	}
	if (next != SIM_NEVER) {
		node_timer_set(node, PBFT_TIMER_FALL_BACK, next);
	}
}
