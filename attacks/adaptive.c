/* `adaptive`: knows the scorer and the aggregator, and says what moves the decision farthest from the one
 * that the colluders' own rows would have led to.
 *
 * What it tries, each on the defence itself:
 *
 *  - whatever `reach`: the honest rows, their order statistics and middles, and what every attack would
 *    say that knows no more (candidates.h);
 *  - mean + s * sd of the honest rows (by coordinate; where all honest ones agree, a millionth of the mean
 *    stands for sd), for s = 0, 1/64, 1/32, ... up to `reach`, and `reach`, on either side; of numbers also the s of
 *    each honest one and of the middles between neighbours;
 *  - between neighbours of these: the last s before it changes who is accepted, or whose row is the decision
 *    if anyone's (the defence's cuts), by bisection; and around every local maximum that is
 *    half as high as the best, by golden section;
 *  - these two again with each doubling in two, four, ... `steps` parts. What is tried with more steps or a larger
 *    reach so holds what is tried with less (but for what is found next to the lesser reach).
 *
 * What is sent is the best that was tried: the displacement is attained, never extrapolated. Of equals the one
 * nearest to the honest mean, then the first, up before down: no further out than pays. Where nothing leads
 * to another decision, the colluders send their own.
 *
 * It supposes that the decision is taken on all who speak; with a quorum below n the defence may hear fewer.
 * Cost: some 250 decisions with the defaults and 3 for each honest row, and 40 to 120 more for each cut and
 * local maximum.
 *
 * Sources: the principle of an adversary that optimises against the rule it knows: Fang, Cao, Jia, Gong, Local
 * Model Poisoning Attacks to Byzantine-Robust Federated Learning, USENIX Security 2020, section 3; golden
 * section: Kiefer, Sequential Minimax Search for a Maximum, Proceedings of the AMS 4(3), 1953. */
#include "candidates.h"
#include "common.h"
#include "craft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OCTAVE_MIN (-6)
#define HALVINGS_MAX 50
#define SECTIONS_MAX 50
#define PEAK_SHARE 0.5 /* a lower one is no candidate for the highest */
#define SECTION 0.3819660112501051 /* (3 - sqrt 5) / 2 */
#define SD_SHARE 1e-6
#define AT_REACH 1e-9 /* so near below, by a share, is there but for rounding */

struct attack_adaptive {
	struct attack_common common;
	double reach;
	int64_t steps;
};

/* A shift that was tried. */
struct point {
	double shift, displacement;
	uint64_t regime; /* who was accepted, and whose prediction is the decision */
};

struct search {
	const struct craft_view *view;
	double *mean, *sd;
	double *rows;     /* n_honest honest ones, then n_faulty */
	bool *accepted;   /* of each */
	double *baseline; /* the decision without the attack */
	double *decision; /* of what was tried last */
	/* The shifts that were tried. */
	struct point *points;
	size_t n_points, points_capacity;
	struct arena *arena;
	/* The best so far. */
	double *best;
	double displacement, off2; /* the decision's; the farthest best row's from the mean, squared */
	double shift;              /* NaN: none of the shifts */
};

static bool decide(const struct search *search, double *out)
{
	const struct craft_view *view = search->view;
	return view->defence->decide(view->defence->context, search->rows,
		view->n_honest + view->n_faulty, view->dims, out, search->accepted);
}

static double *faulty_rows(const struct search *search)
{
	return search->rows + (size_t)search->view->n_honest * search->view->dims;
}

/* FNV-1a. */
static uint64_t regime_of(const struct search *search)
{
	const struct craft_view *view = search->view;
	uint64_t hash = UINT64_C(14695981039346656037);
	for (uint32_t i = 0; i < view->n_honest + view->n_faulty; i++) {
		bool taken = memcmp(search->decision, craft_row(search->rows, i, view->dims),
						 view->dims * sizeof(*search->decision)) == 0;
		hash = (hash ^ (search->accepted[i] + 2u * taken)) * UINT64_C(1099511628211);
	}
	return hash;
}

/* Tries the faulty rows as they stand; `shift` is NaN where they are none. */
static struct point attempt(struct search *search, double shift)
{
	const struct craft_view *view = search->view;
	const double *rows = faulty_rows(search);
	struct point point = {.shift = shift};
	if (!decide(search, search->decision)) {
		return point; /* no decision is no displacement */
	}
	point.displacement = sqrt(craft_distance2(search->decision, search->baseline, view->dims));
	point.regime = regime_of(search);
	if (!isfinite(point.displacement)) {
		point.displacement = 0;
	}
	if (point.displacement == 0 || point.displacement < search->displacement) {
		return point;
	}
	double off2 = 0;
	for (uint32_t i = 0; i < view->n_faulty; i++) {
		off2 = fmax(off2, craft_distance2(craft_row(rows, i, view->dims), search->mean, view->dims));
	}
	if (point.displacement > search->displacement || off2 < search->off2) {
		search->displacement = point.displacement;
		search->off2 = off2;
		search->shift = shift;
		memcpy(search->best, rows, (size_t)view->n_faulty * view->dims * sizeof(*rows));
	}
	return point;
}

static struct point attempt_shift(struct search *search, double shift)
{
	double *out = faulty_rows(search);
	for (uint32_t k = 0; k < search->view->dims; k++) {
		out[k] = search->mean[k] + shift * search->sd[k];
	}
	craft_same(search->view, out, out);
	search->points = arena_grow(search->arena, search->points, sizeof(*search->points),
		search->n_points, search->n_points + 1, &search->points_capacity);
	return search->points[search->n_points++] = attempt(search, shift);
}

static void attempt_rows(void *context)
{
	attempt(context, NAN);
}

static int by_shift(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	return (x->shift > y->shift) - (x->shift < y->shift);
}

static void attempt_both(struct search *search, double shift)
{
	attempt_shift(search, shift);
	attempt_shift(search, -shift);
}

/* Each doubling in `parts`, a power of 2, where half as many have been tried before. */
static void attempt_doublings(struct search *search, double reach, int64_t parts)
{
	for (double begin = ldexp(1, OCTAVE_MIN); begin < reach; begin *= 2) {
		for (int64_t i = parts > 1; i < parts; i += 2) {
			double shift = begin * (1 + (double)i / (double)parts);
			if (shift < reach) {
				attempt_both(search, shift);
			}
		}
	}
}

static void attempt_numbers(struct search *search, double reach)
{
	double numbers[2 * CANDIDATE_ROWS_MAX];
	uint32_t n = candidates_of_numbers(search->view, numbers);
	for (uint32_t i = 0; i < n && search->sd[0] > 0; i++) {
		double shift = (numbers[i] - search->mean[0]) / search->sd[0];
		if (fabs(shift) <= reach) {
			attempt_shift(search, shift);
		}
	}
}

/* Where the regime of `from` ends, on the way to another one. */
static void cut(struct search *search, struct point from, struct point to)
{
	for (int i = 0; i < HALVINGS_MAX; i++) {
		double middle = from.shift / 2 + to.shift / 2;
		if (middle == from.shift || middle == to.shift) {
			return;
		}
		struct point point = attempt_shift(search, middle);
		if (point.regime == from.regime) {
			from = point;
		} else {
			to = point;
		}
	}
}

/* Golden section: `best` is better than the two around it. It need not be smooth. */
static void refine(struct search *search, struct point below, struct point best, struct point above)
{
	for (int i = 0; i < SECTIONS_MAX; i++) {
		bool up = above.shift - best.shift > best.shift - below.shift;
		double end = up ? above.shift : below.shift;
		double shift = best.shift + SECTION * (end - best.shift);
		if (shift == best.shift || shift == end) {
			return;
		}
		struct point point = attempt_shift(search, shift);
		if (point.displacement > best.displacement) {
			*(up ? &below : &above) = best;
			best = point;
		} else {
			*(up ? &above : &below) = point;
		}
	}
}

/* Looks between the points that there are, which adds to them. */
static void look_between(struct search *search)
{
	size_t n = search->n_points;
	qsort(search->points, n, sizeof(*search->points), by_shift);
	for (size_t i = 0; i + 1 < n; i++) {
		if (search->points[i].regime != search->points[i + 1].regime) {
			cut(search, search->points[i], search->points[i + 1]);
		}
	}
	for (size_t i = 1; i + 1 < n; i++) {
		struct point below = search->points[i - 1], here = search->points[i];
		struct point above = search->points[i + 1];
		if (here.displacement > below.displacement && here.displacement > above.displacement &&
			here.displacement > search->displacement * PEAK_SHARE) {
			refine(search, below, here, above);
		}
	}
}

static void search_shifts(struct search *search, const struct attack_adaptive *attack)
{
	attempt_shift(search, 0);
	if (search->view->dims == 1) {
		attempt_numbers(search, attack->reach);
	}
	for (int64_t parts = 1; parts <= attack->steps; parts *= 2) {
		attempt_doublings(search, attack->reach, parts);
		if (parts == 1) {
			attempt_both(search, attack->reach);
		}
		look_between(search);
	}
}

static void adaptive_craft(const void *settings, const struct craft_view *view, double *out)
{
	const struct attack_adaptive *attack = settings;
	struct arena scratch = {0};
	uint32_t dims = view->dims, n = view->n_honest + view->n_faulty;
	struct search search = {
		.view = view,
		.mean = arena_array(&scratch, double, dims),
		.sd = arena_array(&scratch, double, dims),
		.rows = arena_array(&scratch, double, (size_t)n *dims),
		.accepted = arena_array(&scratch, bool, n),
		.baseline = arena_array(&scratch, double, dims),
		.decision = arena_array(&scratch, double, dims),
		.arena = &scratch,
		.best = out,
		.shift = NAN,
	};
	assert(view->defence != NULL);
	craft_mean(view, search.mean);
	craft_sd(view, search.mean, search.sd);
	for (uint32_t k = 0; k < dims; k++) {
		search.sd[k] = search.sd[k] > 0 ? search.sd[k] : SD_SHARE * fabs(search.mean[k]);
	}
	memcpy(search.rows, view->honest, (size_t)view->n_honest * dims * sizeof(*search.rows));
	craft_own(view, out);
	craft_own(view, faulty_rows(&search));
	if (!decide(&search, search.baseline)) {
		memcpy(search.baseline, search.mean, dims * sizeof(*search.baseline));
	}
	candidates_of_rows(view, faulty_rows(&search), attempt_rows, &search);
	candidates_of_attacks(view, faulty_rows(&search), attempt_rows, &search);
	search_shifts(&search, attack);
	if (view->at_reach != NULL) {
		*view->at_reach = fabs(search.shift) >= attack->reach * (1 - AT_REACH);
	}
	arena_finish(&scratch);
}

static const struct param params[] = {
	ATTACK_COMMON_PARAMS(struct attack_adaptive),
	{.name = "reach",
		.kind = PARAM_REAL,
		.flags = PARAM_EXCLUDE_MIN,
		.offset = offsetof(struct attack_adaptive, reach),
		.min = 0,
		.max = 1e9,
		.fallback = "10",
		.unit = "",
		.help = "the largest shift tried, in standard deviations of the honest predictions; what other "
				"attacks would say is tried whatever it is"},
	{.name = "steps",
		.kind = PARAM_INT,
		.offset = offsetof(struct attack_adaptive, steps),
		.min = 1,
		.max = 10000,
		.fallback = "8",
		.unit = "",
		.help = "parts that each doubling of the shift is tried in, from 1/64 standard deviation on, rounded "
				"down to a power of 2"},
	PARAM_END,
};

const struct attack attack_adaptive = {
	.plugin = {.name = "adaptive",
		.summary = "what moves the decision farthest, of all that was tried on the defence itself",
		.params = params,
		.settings_size = sizeof(struct attack_adaptive),
		.finish = attack_finish},
	.knows =
		"the scorer and the aggregator with their settings, and what the honest ones send, before "
		"it speaks (rushing); colluders agree. What attacks before it have made is its own "
		"prediction, from which the displacement is counted",
	.uses_defence = true,
	.craft = adaptive_craft,
};
