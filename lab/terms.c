#include "terms.h"

#include "lab.h"

#include <stdlib.h>
#include <string.h>

static bool is_split(const struct term *term)
{
	return term->candidate && term->leader == NODE_NONE;
}

static bool is_before(const struct term *term, uint64_t instance, uint64_t view)
{
	return term->instance < instance || (term->instance == instance && term->view < view);
}

/* The older half is counted, and makes room. */
static void fold(struct terms *terms)
{
	size_t n = terms->n / 2;
	for (size_t i = 0; i < n; i++) {
		terms->n_split += is_split(&terms->latest[i]);
	}
	terms->n -= n;
	terms->n_folded += n;
	memmove(terms->latest, terms->latest + n, terms->n * sizeof(*terms->latest));
}

struct term *terms_at(struct terms *terms, uint64_t instance, uint64_t view)
{
	size_t low = 0, high = terms->n;
	if (high > 0 && is_before(&terms->latest[high - 1], instance, view)) {
		low = high;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (is_before(&terms->latest[middle], instance, view)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low < terms->n && terms->latest[low].instance == instance && terms->latest[low].view == view) {
		return &terms->latest[low];
	}
	if (low == 0 && terms->n_folded > 0) {
		return NULL;
	}
	if (terms->n == TERMS_KEPT) {
		fold(terms);
		return terms_at(terms, instance, view);
	}
	terms->latest =
		lab_grow(terms->latest, sizeof(*terms->latest), terms->n + 1, &terms->capacity);
	struct term *at = terms->latest + low;
	memmove(at + 1, at, (terms->n - low) * sizeof(*at));
	terms->n++;
	*at = (struct term){.instance = instance, .view = view, .leader = NODE_NONE};
	return at;
}

void terms_call(struct terms *terms, struct term *term)
{
	terms->n_called += !term->called;
	term->called = true;
}

uint64_t terms_split(const struct terms *terms)
{
	uint64_t n = terms->n_split;
	for (size_t i = 0; i + 1 < terms->n; i++) {
		n += is_split(&terms->latest[i]);
	}
	return n;
}

void terms_finish(struct terms *terms)
{
	free(terms->latest);
}
