/* Scores as samples: the bits of a number from 0 up are in its order. */
#ifndef LAB_SCORES_H
#define LAB_SCORES_H

#include <stdint.h>
#include <string.h>

static inline int64_t score_bits(double score)
{
	int64_t bits;
	score = score > 0 ? score : 0; /* never -0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits;
}

static inline double score_of(int64_t bits)
{
	double score;
	memcpy(&score, &bits, sizeof(score));
	return score;
}

#endif
