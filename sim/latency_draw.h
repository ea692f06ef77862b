/* How the latency models draw their numbers: as vectors where receivers lie close together. */
#ifndef SIM_LATENCY_DRAW_H
#define SIM_LATENCY_DRAW_H

#include "latency_models.h"

/* Receivers are served in pieces of this many, so that their numbers stay in the nearest cache. */
#define CHUNK 256

#define P999 0.999

/* One way of drawing: at one receiver's number, and at n of them in a row. */
struct drawing {
	double (*at)(struct random_key key, uint64_t counter, uint32_t index);
	void (*from)(struct random_key key, uint64_t counter, uint32_t first, double *out, uint32_t n);
};

static const struct drawing drawing_units = {random_unit_at, random_units_from};
static const struct drawing drawing_normals __attribute__((unused)) = {random_normal_at, random_normals_from};

/* Draws the numbers of as many of to[0..n) as make one piece, and returns how many. Receivers that
 * lie close together, which all but one node do in a multicast, are drawn as a vector over their
 * range: the gaps cost less than single draws would. */
static inline uint32_t draw_piece(const struct drawing *drawing, struct random_key key, uint64_t number,
	const uint32_t *to, uint32_t n, double out[CHUNK])
{
	uint32_t first = to[0];
	uint32_t n_piece = 1;
	while (n_piece < n && to[n_piece] > to[n_piece - 1] && to[n_piece] - first < CHUNK) {
		n_piece++;
	}
	uint32_t span = to[n_piece - 1] - first + 1;
	if (span > 2 * n_piece) {
		for (uint32_t i = 0; i < n_piece; i++) {
			out[i] = drawing->at(key, number, to[i]);
		}
		return n_piece;
	}
	drawing->from(key, number, first, out, span);
	for (uint32_t i = 0; i < n_piece; i++) {
		out[i] = out[to[i] - first]; /* never to the left of i */
	}
	return n_piece;
}

#endif
