/* Growing arrays of plain samples, in ns where they are times; samples_finish frees them. */
#ifndef LAB_SAMPLES_H
#define LAB_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	int64_t *values;
	size_t n, capacity;
};

void samples_add(struct samples *samples, int64_t value);
/* `to` is zeroed. */
void samples_copy(struct samples *to, const struct samples *from);
void samples_finish(struct samples *samples);
void samples_sort(struct samples *samples);
/* In seconds, of samples in ns; NaN where there are none (the standard deviation, over n - 1: fewer than two). */
double samples_mean_s(const struct samples *samples);
double samples_sd_s(const struct samples *samples);
/* The quantile p of sorted ones: linear between order statistics (Hyndman, Fan 1996, type 7). */
double samples_quantile_s(const struct samples *samples, double p);

#endif
