/* Configurations: who is a member, and what a majority is then. Raft 6; thesis 4. */
#include "raft.h"

const struct batch *raft_config_batch(const struct raft_config *config)
{
	return (const struct batch *)(const void *)(config + 1);
}

/* Mixes a word into a digest; SplitMix64's finaliser (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t digest, uint64_t word)
{
	uint64_t x = digest * UINT64_C(0x9e3779b97f4a7c15) + word + 1;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint32_t count(const uint64_t *set, const uint64_t *among, uint32_t n_words)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < n_words; i++) {
		n += (uint32_t)__builtin_popcountll(set[i] & among[i]);
	}
	return n;
}

static uint64_t *copy(struct node *node, const uint64_t *set)
{
	uint32_t n_words = bits_words(node->n_validators);
	uint64_t *words = arena_array(node_arena(node), uint64_t, n_words);
	memcpy(words, set, n_words * sizeof(*words));
	return words;
}

const struct raft_config *raft_config_make(struct node *node, const uint64_t *voters,
	const uint64_t *old, const uint64_t *learners, uint64_t index)
{
	uint32_t n_words = bits_words(node->n_validators);
	struct raft_config *config =
		arena_alloc(node_arena(node), sizeof(*config) + sizeof(struct batch));
	config->prev = raft_of(node)->config;
	config->index = index;
	config->voters = copy(node, voters);
	config->learners = copy(node, learners);
	config->old = old == NULL ? NULL : copy(node, old);
	struct batch *batch = (struct batch *)(void *)(config + 1);
	uint32_t n_members = count(voters, voters, n_words) + count(learners, learners, n_words) +
		(old == NULL ? 0 : count(old, old, n_words));
	batch->size_bytes = n_members * RAFT_MEMBER_BYTES;
	uint64_t digest = mix(index, old != NULL);
	for (uint32_t i = 0; i < n_words; i++) {
		digest = mix(mix(mix(digest, voters[i]), learners[i]), old == NULL ? 0 : old[i]);
	}
	batch->digest = digest | 1;
	return config;
}

const struct raft_config *raft_first_config(struct node *node)
{
	const struct raft_settings *settings = raft_settings_of(node);
	uint32_t n_words = bits_words(node->n_validators);
	uint64_t *voters = arena_array(node_arena(node), uint64_t, 2 * (size_t)n_words);
	uint64_t *learners = voters + n_words;
	for (size_t i = 0; i < settings->learners.n; i++) {
		bits_add(learners, settings->learners.nodes[i]);
	}
	for (uint32_t i = 0; i < node->n_validators && !settings->members.given; i++) {
		if (!bits_test(learners, i)) {
			bits_add(voters, i);
		}
	}
	for (size_t i = 0; i < settings->members.n; i++) {
		bits_add(voters, settings->members.nodes[i]);
	}
	return raft_config_make(node, voters, NULL, learners, 0);
}

void raft_configure(struct node *node, const struct raft_config *config)
{
	struct raft *raft = raft_of(node);
	raft->config = config;
	raft->plain = raft->plain && config->index == 0;
	if (config->index > 0 && !raft->keeps_time) {
		raft->keeps_time = true;
		for (uint32_t i = 0; i < node->n_validators; i++) {
			raft->peers[i].answered_at = node_now(node); /* not noted so far */
		}
	}
	if (raft->role == RAFT_LEADER) {
		raft_recount_members(node);
	}
}

const struct raft_config *raft_config_at(const struct raft *raft, uint64_t index)
{
	const struct raft_config *config = raft->config;
	while (config->index > index) {
		config = config->prev;
	}
	return config;
}

bool raft_is_voter(const struct raft_config *config, uint32_t node)
{
	return bits_test(config->voters, node) || (config->old != NULL && bits_test(config->old, node));
}

static uint32_t majority_of(const struct node *node, const uint64_t *voters)
{
	uint32_t n = count(voters, voters, bits_words(node->n_validators));
	return n / 2 + 1 - (PLANTED(raft_settings_of(node), QUORUM_ONE_LESS) ? 1 : 0);
}

bool raft_is_quorum(const struct node *node, const uint64_t *set)
{
	const struct raft_config *config = raft_of(node)->config;
	uint32_t n_words = bits_words(node->n_validators);
	/* Raft 6: joint consensus needs separate majorities of both. */
	return count(set, config->voters, n_words) >= majority_of(node, config->voters) &&
		(config->old == NULL || PLANTED(raft_settings_of(node), JOINT_ONE_MAJORITY) ||
			count(set, config->old, n_words) >= majority_of(node, config->old));
}

/* The k-th largest value of the voters', k being a majority. */
static uint64_t reached_by(struct node *node, const uint64_t *voters, const uint64_t *values)
{
	uint64_t *sorted = raft_of(node)->sorted;
	uint32_t n = 0;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		if (!bits_test(voters, i) && !(PLANTED(raft_settings_of(node), LEARNERS_COUNTED) &&
				bits_test(raft_of(node)->config->learners, i))) {
			continue;
		}
		uint32_t at = n++;
		while (at > 0 && sorted[at - 1] < values[i]) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = values[i];
	}
	uint32_t majority = majority_of(node, voters);
	return majority == 0 ? UINT64_MAX : sorted[majority - 1];
}

uint64_t raft_reached(struct node *node, const uint64_t *values)
{
	const struct raft_config *config = raft_of(node)->config;
	uint64_t reached = reached_by(node, config->voters, values);
	if (config->old != NULL && !PLANTED(raft_settings_of(node), JOINT_ONE_MAJORITY)) {
		uint64_t old = reached_by(node, config->old, values);
		reached = old < reached ? old : reached;
	}
	return reached;
}

/* Entries go to voters and learners, to servers that catch up before they become members, and, until the
 * configuration is committed, to those that it leaves out, so that they learn of it. */
bool raft_is_member(const struct node *node, uint32_t i)
{
	const struct raft *raft = raft_of(node);
	const struct raft_config *config = raft->config;
	if (raft_is_voter(config, i) || bits_test(config->learners, i)) {
		return true;
	}
	if (config->index > raft->commit &&
		(raft_is_voter(config->prev, i) || bits_test(config->prev->learners, i))) {
		return true;
	}
	const struct raft_change *change = raft->change;
	return change != NULL && (bits_test(change->voters, i) || bits_test(change->learners, i));
}

void raft_recount_members(struct node *node)
{
	struct raft *raft = raft_of(node);
	raft->n_out_of_step = 0;
	raft->to_all = true;
	for (uint32_t i = 0; i < node->n_validators; i++) {
		struct raft_peer *peer = &raft->peers[i];
		if (i == node->id) {
			continue;
		}
		bool member = raft_is_member(node, i);
		if (member && !peer->member) {
			/* Thesis 4.2.1: a new server begins with an empty log. */
			*peer = (struct raft_peer){.next = raft->last + 1,
				.resend_bytes = RAFT_RESEND_BYTES_MIN,
				.answered_at = node_now(node),
				.confirmed_at = -1};
		}
		peer->member = member;
		raft->to_all = raft->to_all && member;
		raft->n_out_of_step += member && !peer->in_step;
	}
}
