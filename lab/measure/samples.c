#include "measure/samples.h"

#include "lab.h"

#include <stdlib.h>
#include <string.h>

void samples_add(struct samples *samples, int64_t value)
{
	samples->values = lab_grow(
		samples->values, sizeof(*samples->values), samples->n + 1, &samples->capacity);
	samples->values[samples->n++] = value;
}

void samples_copy(struct samples *to, const struct samples *from)
{
	to->values = lab_grow(to->values, sizeof(*to->values), from->n, &to->capacity);
	to->n = from->n;
	if (to->n > 0) {
		memcpy(to->values, from->values, to->n * sizeof(*to->values));
	}
}

void samples_finish(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

void samples_sort(struct samples *samples)
{
	if (samples->n > 0) {
		qsort(samples->values, samples->n, sizeof(*samples->values), compare);
	}
}

/* Means are sums of integers divided once, so that equal samples have exactly their value as mean. */
double samples_mean_s(const struct samples *samples)
{
	__extension__ __int128 sum = 0;
	for (size_t i = 0; i < samples->n; i++) {
		sum += samples->values[i];
	}
	if (samples->n == 0) {
		return real_nan();
	}
	/* Divided as integers first: the sum may have more than a double's 53 bits. */
	__extension__ __int128 n = (__int128)samples->n;
	return ((double)(sum / n) + (double)(sum % n) / (double)n) / 1e9;
}

double samples_sd_s(const struct samples *samples)
{
	if (samples->n < 2) {
		return real_nan();
	}
	double mean = samples_mean_s(samples);
	double sum = 0;
	for (size_t i = 0; i < samples->n; i++) {
		double d = (double)samples->values[i] / 1e9 - mean;
		sum += d * d;
	}
	return sqrt(sum / (double)(samples->n - 1));
}

double samples_quantile_s(const struct samples *samples, double p)
{
	if (samples->n == 0) {
		return real_nan();
	}
	double at = p * (double)(samples->n - 1);
	size_t i = (size_t)at;
	double fraction = at - (double)i;
	double low = (double)samples->values[i];
	double high = (double)samples->values[i + 1 < samples->n ? i + 1 : i];
	return (low + fraction * (high - low)) / 1e9;
}
