#include "enough.h"

#include <string.h>

bool enough(const struct lab *lab, const struct node *node, const uint64_t *validators)
{
	const struct scenario *scenario = lab->scenario;
	if (lab->protocol->enough != NULL) {
		return lab->protocol->enough(node, validators);
	}
	uint32_t n = 0;
	for (size_t i = 0; i < enough_words(lab); i++) {
		n += (uint32_t)__builtin_popcountll(validators[i]);
	}
	return n >= lab->protocol->quorum(
					scenario->protocol.settings, lab->world.n_validators, (uint32_t)scenario->n_faulty);
}

static void add(uint64_t *set, uint32_t i)
{
	set[i >> 6] |= UINT64_C(1) << (i & 63);
}

bool enough_live(const struct lab *lab)
{
	const struct world *world = &lab->world;
	struct arena scratch = {0};
	uint64_t *live = arena_array(&scratch, uint64_t, enough_words(lab));
	for (uint32_t i = 0; i < world->n_validators; i++) {
		if (world->nodes[i].alive) {
			add(live, i);
		}
	}
	bool found = enough(lab, &world->nodes[0], live);
	arena_finish(&scratch);
	return found;
}

/* Who can tell the other something, over one link; with `back`, `to` tells `from`. */
static bool tells(const struct world *world, uint32_t from, uint32_t to, bool back)
{
	return world->nodes[to].alive && (back ? world_reaches(world, to, from) : world_reaches(world, from, to));
}

/* All that `from` can tell something (with `back`: that can tell it), itself included. O(validators), or O(links) where
 * the live ones pass things on. `queue`: scratch, by validator. */
static void find_in_touch(const struct lab *lab, uint32_t from, bool back, uint64_t *found, uint32_t *queue)
{
	const struct world *world = &lab->world;
	memset(found, 0, enough_words(lab) * sizeof(*found));
	if (!lab->protocol->relays) {
		for (uint32_t to = 0; to < world->n_validators; to++) {
			if (tells(world, from, to, back)) {
				add(found, to);
			}
		}
		return;
	}
	uint32_t n_found = 0;
	queue[n_found++] = from;
	add(found, from);
	for (uint32_t i = 0; i < n_found; i++) {
		uint32_t n_peers;
		const uint32_t *peers = node_peers(&world->nodes[queue[i]], &n_peers);
		for (uint32_t k = 0; k < n_peers; k++) {
			bool known = (found[peers[k] >> 6] >> (peers[k] & 63) & 1) != 0;
			if (!known && tells(world, queue[i], peers[k], back)) {
				add(found, peers[k]);
				queue[n_found++] = peers[k];
			}
		}
	}
}

bool enough_in_touch(const struct lab *lab)
{
	const struct world *world = &lab->world;
	struct arena scratch = {0};
	uint64_t *found = arena_array(&scratch, uint64_t, enough_words(lab));
	uint32_t *queue = arena_array(&scratch, uint32_t, world->n_validators);
	bool heard = false, hears = false;
	for (uint32_t a = 0; a < world->n_validators && !(heard && hears); a++) {
		if (world->nodes[a].alive) {
			find_in_touch(lab, a, false, found, queue);
			heard |= enough(lab, &world->nodes[a], found);
			find_in_touch(lab, a, true, found, queue);
			hears |= enough(lab, &world->nodes[a], found);
		}
	}
	arena_finish(&scratch);
	return heard && hears;
}
