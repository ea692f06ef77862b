#include "sim/columns.h"
#include "world_inner.h"

#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* Links from a list of edges: those of u are the ends of its edges, ascending. */

struct edge {
	uint32_t u, v;
};

static struct links *links_make(struct arena *arena, uint32_t n, const struct edge *edges, size_t n_edges)
{
	struct links *links = arena_new(arena, struct links);
	links->first = arena_array(arena, uint32_t, (size_t)n + 1);
	links->peers = arena_array(arena, uint32_t, 2 * n_edges + 1);
	uint32_t *fill = arena_array(arena, uint32_t, n);
	for (size_t e = 0; e < n_edges; e++) {
		fill[edges[e].u]++;
		fill[edges[e].v]++;
	}
	for (uint32_t i = 0; i < n; i++) {
		links->first[i + 1] = links->first[i] + fill[i];
		fill[i] = links->first[i];
	}
	for (size_t e = 0; e < n_edges; e++) {
		uint32_t ends[] = {edges[e].u, edges[e].v};
		for (int k = 0; k < 2; k++) { /* into place among those that are there */
			uint32_t at = fill[ends[k]]++, peer = ends[1 - k];
			for (; at > links->first[ends[k]] && links->peers[at - 1] > peer; at--) {
				links->peers[at] = links->peers[at - 1];
			}
			links->peers[at] = peer;
		}
	}
	return links;
}

void links_distances(const struct links *links, uint32_t n, uint32_t from, uint32_t *distances)
{
	struct arena scratch = {0};
	uint32_t *queue = arena_array(&scratch, uint32_t, n);
	memset(distances, 0xff, n * sizeof(*distances));
	uint32_t n_seen = 0;
	distances[from] = 0;
	queue[n_seen++] = from;
	for (uint32_t i = 0; i < n_seen; i++) {
		uint32_t u = queue[i];
		for (uint32_t k = links->first[u]; k < links->first[u + 1]; k++) {
			uint32_t v = links->peers[k];
			if (distances[v] == UINT32_MAX) {
				distances[v] = distances[u] + 1;
				queue[n_seen++] = v;
			}
		}
	}
	arena_finish(&scratch);
}

/* Whom nobody from 0 reaches, or n. */
static uint32_t first_apart(const struct links *links, uint32_t n)
{
	struct arena scratch = {0};
	uint32_t *distances = arena_array(&scratch, uint32_t, n), i = 0;
	links_distances(links, n, 0, distances);
	while (i < n && distances[i] != UINT32_MAX) {
		i++;
	}
	arena_finish(&scratch);
	return i;
}

static const struct topology topology_full = {
	.plugin = {.name = "full", .summary = "every validator sends to every other directly"},
};

/* A ring, each linked to the next `reach` on either side. */

struct ring {
	int64_t reach;
};

static const struct param ring_params[] = {
	{.name = "reach", .kind = PARAM_INT, .offset = offsetof(struct ring, reach), .min = 1, .max = 1e6,
		.fallback = "1", .unit = "validators",
		.help = "each is linked to so many on either side, by number"},
	PARAM_END,
};

/* Circulant: i to i + 1 .. i + reach, modulo n; where both ways around meet, one edge. */
static size_t ring_edges(uint32_t n, uint32_t reach, struct edge *edges)
{
	size_t n_edges = 0;
	for (uint32_t d = 1; d <= reach && d <= n / 2; d++) {
		for (uint32_t i = 0; i < (2 * d == n ? d : n); i++) {
			edges[n_edges++] = (struct edge){i, (i + d) % n};
		}
	}
	return n_edges;
}

static struct links *ring_link(const void *settings, struct arena *arena, uint64_t seed, uint32_t n)
{
	int64_t wanted = ((const struct ring *)settings)->reach;
	uint32_t reach = wanted < n / 2 ? (uint32_t)wanted : n / 2;
	struct edge *edges = arena_array(arena, struct edge, (size_t)n * reach + 1);
	return links_make(arena, n, edges, ring_edges(n, reach, edges));
}

static const struct topology topology_ring = {
	.plugin = {.name = "ring", .summary = "a ring: each is linked to those next to it",
		.params = ring_params, .settings_size = sizeof(struct ring)},
	.link = ring_link,
};

/* Drawn from all graphs in which each has the same number of peers. */

struct random_regular {
	int64_t degree;
};

static const struct param random_regular_params[] = {
	{.name = "degree", .kind = PARAM_INT, .offset = offsetof(struct random_regular, degree), .min = 3,
		.max = 1e6, .fallback = "8", .unit = "validators", .help = "how many peers each has"},
	PARAM_END,
};

static bool random_regular_finish(
	void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct random_regular *regular = settings;
	uint32_t n = shape->n_validators;
	*param = "degree";
	if (regular->degree >= n) {
		snprintf(error, 256, "must be below the number of validators, %u, got %lld", n,
			(long long)regular->degree);
		return false;
	}
	if (regular->degree % 2 == 1 && n % 2 == 1) {
		snprintf(error, 256, "must be even where the number of validators is odd (%u), got %lld", n,
			(long long)regular->degree);
		return false;
	}
	return true;
}

/* Is v among the peers of u? Each has `degree` of them, in no order. O(degree). */
static bool has_peer(const uint32_t *peers, uint32_t degree, uint32_t u, uint32_t v)
{
	for (uint32_t k = 0; k < degree; k++) {
		if (peers[(size_t)u * degree + k] == v) {
			return true;
		}
	}
	return false;
}

static void replace_peer(uint32_t *peers, uint32_t degree, uint32_t u, uint32_t old, uint32_t new)
{
	size_t k = (size_t)u * degree;
	while (peers[k] != old) {
		k++;
	}
	peers[k] = new;
}

/* Two edges exchange their ends where no edge is double then: a Markov chain whose stationary distribution is
 * uniform on all graphs with these degrees. Source: Cooper, Dyer, Greenhill: Sampling regular graphs and a
 * peer-to-peer network, Combinatorics, Probability and Computing 16(4), 2007. How long it takes to get near it
 * is known by experience only (10 an edge, as Ray, Pinar, Seshadhri 2012 find). */
static void switch_edges(struct random_stream *stream, struct edge *edges, size_t n_edges, uint32_t *peers,
	uint32_t degree)
{
	for (size_t step = 0; step < 10 * n_edges; step++) {
		struct edge *a = &edges[random_below(stream, n_edges)], *b = &edges[random_below(stream, n_edges)];
		bool turned = random_below(stream, 2) == 1;
		uint32_t u = a->u, v = a->v, x = turned ? b->v : b->u, y = turned ? b->u : b->v;
		if (u == x || u == y || v == x || v == y || has_peer(peers, degree, u, x) ||
			has_peer(peers, degree, v, y)) {
			continue;
		}
		replace_peer(peers, degree, u, v, x);
		replace_peer(peers, degree, v, u, y);
		replace_peer(peers, degree, x, y, u);
		replace_peer(peers, degree, y, x, v);
		*a = (struct edge){u, x};
		*b = (struct edge){v, y};
	}
}

/* Goes on until it hangs together, which nearly all do from degree 3 on. */
static struct links *random_regular_link(
	const void *settings, struct arena *arena, uint64_t seed, uint32_t n)
{
	uint32_t degree = (uint32_t)((const struct random_regular *)settings)->degree;
	struct random_stream stream = random_stream_make(seed, RANDOM_TOPOLOGY, 0);
	struct edge *edges = arena_array(arena, struct edge, (size_t)n * (degree / 2 + 1) + 1);
	size_t n_edges = ring_edges(n, degree / 2, edges);
	for (uint32_t i = 0; degree % 2 == 1 && i < n / 2; i++) {
		edges[n_edges++] = (struct edge){i, i + n / 2}; /* across; n is even */
	}
	assert(n_edges == (size_t)n * degree / 2);
	uint32_t *peers = arena_array(arena, uint32_t, (size_t)n * degree), *fill = arena_array(arena, uint32_t, n);
	for (size_t e = 0; e < n_edges; e++) {
		peers[(size_t)edges[e].u * degree + fill[edges[e].u]++] = edges[e].v;
		peers[(size_t)edges[e].v * degree + fill[edges[e].v]++] = edges[e].u;
	}
	struct links *links;
	do {
		switch_edges(&stream, edges, n_edges, peers, degree);
		links = links_make(arena, n, edges, n_edges);
	} while (first_apart(links, n) < n);
	return links;
}

static const struct topology topology_random_regular = {
	.plugin = {.name = "random-regular",
		.summary = "each has so many peers, drawn anew for each run from all such graphs that hang together",
		.params = random_regular_params, .settings_size = sizeof(struct random_regular),
		.finish = random_regular_finish},
	.link = random_regular_link,
};

/* As a file says. */

struct edge_list {
	const struct csv_table *file;
};

static const struct param edge_list_params[] = {
	{.name = "file", .kind = PARAM_TABLE, .flags = PARAM_REQUIRED,
		.offset = offsetof(struct edge_list, file), .unit = "",
		.help = "a CSV file with a header and two columns: a link a row, by the validators' numbers from 0"},
	PARAM_END,
};

static int compare_edges(const void *left, const void *right)
{
	const struct edge *a = left, *b = right;
	return a->u != b->u ? (a->u < b->u ? -1 : 1) : a->v != b->v ? (a->v < b->v ? -1 : 1) : 0;
}

/* The file's edges, each once however often and whichever way around it is there. */
static struct links *edge_list_link(const void *settings, struct arena *arena, uint64_t seed, uint32_t n)
{
	const struct csv_table *file = ((const struct edge_list *)settings)->file;
	struct edge *edges = arena_array(arena, struct edge, file->n_rows + 1);
	size_t n_edges = 0;
	for (size_t i = 0; i < file->n_rows; i++) {
		uint32_t u = (uint32_t)file->cells[2 * i], v = (uint32_t)file->cells[2 * i + 1];
		edges[i] = u < v ? (struct edge){u, v} : (struct edge){v, u};
	}
	qsort(edges, file->n_rows, sizeof(*edges), compare_edges);
	for (size_t i = 0; i < file->n_rows; i++) {
		if (i == 0 || compare_edges(&edges[i - 1], &edges[i]) != 0) {
			edges[n_edges++] = edges[i];
		}
	}
	return links_make(arena, n, edges, n_edges);
}

static bool edge_list_finish(void *settings, const struct shape *shape, const char **param, char error[256])
{
	const struct csv_table *file = ((const struct edge_list *)settings)->file;
	uint32_t n = shape->n_validators;
	*param = "file";
	if (file->n_columns != 2) {
		snprintf(error, 256, "must hold a header and two columns of validators' numbers, got %zu",
			file->n_columns);
		return false;
	}
	if (!column_numbers_check(file, 0, "", error) || !column_numbers_check(file, 1, "", error)) {
		return false;
	}
	for (size_t i = 0; i < file->n_rows; i++) {
		double u = file->cells[2 * i], v = file->cells[2 * i + 1];
		for (int k = 0; k < 2; k++) {
			double end = file->cells[2 * i + (size_t)k];
			if (!(end >= 0 && end < n && floor(end) == end)) {
				snprintf(error, 256, "must hold validators' numbers, 0 to %u, got %g in row %zu", n - 1, end,
					i + 1);
				return false;
			}
		}
		if (u == v) {
			snprintf(error, 256, "links validator %g to itself in row %zu", u, i + 1);
			return false;
		}
	}
	struct arena scratch = {0};
	uint32_t apart = first_apart(edge_list_link(settings, &scratch, 0, n), n);
	arena_finish(&scratch);
	if (apart < n) {
		snprintf(error, 256, "must hang together: there is no way from validator 0 to validator %u", apart);
		return false;
	}
	return true;
}

static const struct topology topology_edges = {
	.plugin = {.name = "edges", .summary = "the links that a file lists", .params = edge_list_params,
		.settings_size = sizeof(struct edge_list), .finish = edge_list_finish},
	.link = edge_list_link,
};

static const struct plugin *const topologies[] = {&topology_full.plugin, &topology_ring.plugin,
	&topology_random_regular.plugin, &topology_edges.plugin, NULL};

const struct registry topology_registry = {
	.sort = "topology", .plural = "topologies", .plugins = topologies};

/* What a world makes of it. */

void topology_make(struct world *world)
{
	const struct world_settings *settings = &world->settings;
	if (settings->topology != NULL && settings->topology->link != NULL) {
		world->links = settings->topology->link(
			settings->topology_settings, &world->arena, settings->seed, world->n_validators);
	}
}

bool world_linked(const struct world *world, uint32_t from, uint32_t to)
{
	const struct links *links = world->links;
	if (links == NULL) {
		return true;
	}
	uint32_t low = links->first[from], high = links->first[from + 1];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (links->peers[middle] == to) {
			return true;
		}
		if (links->peers[middle] < to) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

bool node_reaches(const struct node *node, uint32_t to)
{
	uint32_t n = node->n_validators;
	return node->id >= n || to >= n || to == node->id || world_linked(node->world, node->id, to);
}

const uint32_t *node_peers(const struct node *node, uint32_t *n)
{
	struct world *world = node->world;
	const struct links *links = world->links;
	assert(node->id < world->n_validators);
	if (links != NULL) {
		*n = links->first[node->id + 1] - links->first[node->id];
		return &links->peers[links->first[node->id]];
	}
	if (world->others == NULL) {
		world->others = arena_array(&world->arena, uint32_t, 2 * (size_t)world->n_validators);
		for (uint32_t i = 0; i < 2 * world->n_validators; i++) {
			world->others[i] = i % world->n_validators;
		}
	}
	*n = world->n_validators - 1;
	return &world->others[node->id + 1];
}
