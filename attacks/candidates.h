/* What an adversary that searches tries besides its own shifts: what other attacks would say in its place,
 * and what honest ones say. */
#ifndef ATTACKS_CANDIDATES_H
#define ATTACKS_CANDIDATES_H

#include "attacks/attack.h"

/* Of more honest rows than this, so many evenly spread ones stand for all. */
#define CANDIDATE_ROWS_MAX 100

/* Calls `take` once for each attack on predictions that needs neither predictor nor defence, with its
 * defaults and each of its choices in turn (direction, perturbation, ...); each time with what the
 * colluders would send in rows[0 .. n_faulty * dims). Draws nothing from the view's stream. */
void candidates_of_attacks(
	const struct craft_view *view, double *rows, void (*take)(void *context), void *context);

/* The same for the honest rows, and for the order statistics of each coordinate and the middles between
 * neighbours, all colluders saying the same. */
void candidates_of_rows(
	const struct craft_view *view, double *rows, void (*take)(void *context), void *context);

/* The honest numbers (dims is 1) in ascending order and the middles between neighbours. Returns how many,
 * at most 2 * CANDIDATE_ROWS_MAX. */
uint32_t candidates_of_numbers(const struct craft_view *view, double out[2 * CANDIDATE_ROWS_MAX]);

#endif
