/* Who may send to whom directly, by kind. Links go both ways. Clients are not part of it: they reach whom they
 * ask. All hang together: they are made to, or checked. */
#ifndef ENGINE_TOPOLOGY_H
#define ENGINE_TOPOLOGY_H

#include "sim/arena.h"
#include "sim/param.h"

/* Who is linked to whom: of validator i peers[first[i] .. first[i + 1]), ascending. */
struct links {
	uint32_t *first;
	uint32_t *peers;
};

struct topology {
	struct plugin plugin;
	/* Makes the links of one run, in its arena. NULL: everyone is linked to everyone. O(links). */
	struct links *(*link)(const void *settings, struct arena *arena, uint64_t seed, uint32_t n_validators);
};

extern const struct registry topology_registry; /* `full` is the first */

/* The distance in links from validator `from` to each, or UINT32_MAX: there is no way. O(links). For tests. */
void links_distances(const struct links *links, uint32_t n, uint32_t from, uint32_t *distances);

#endif
