/* What becomes of predictions: who was listened to, and who was lied to. */
#include "agents.h"

#include "results/kpi.h"
#include "sim/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What became of one identity's predictions, at the items' clients' validators. */
struct counts {
	uint64_t accepted, rejected;
	double score_sum;
	uint64_t n_scores;
	sim_time first_bad, first_rejected; /* SIM_NEVER */
	uint64_t n_bad_scored, n_bad_until_rejected;
};

struct sample {
	double *values;
	size_t n, capacity;
};

struct scores {
	struct counts *by; /* identity */
	uint64_t attacked_scored, attacked_accepted, honest_scored, honest_rejected;
	struct sample attacked, honest; /* scores; where there is an adversary */
	uint64_t n_strangers;
	uint32_t *places; /* scratch, by identity */
};

static double ratio(double a, double b)
{
	return b > 0 ? a / b : real_nan();
}

static void sample_add(struct sample *sample, double value)
{
	if (sample->n == sample->capacity) {
		sample->capacity = sample->capacity == 0 ? 16 : 2 * sample->capacity;
		sample->values = realloc(sample->values, sample->capacity * sizeof(*sample->values));
		if (sample->values == NULL) {
			fprintf(stderr, "synod: out of memory\n");
			exit(3);
		}
	}
	sample->values[sample->n++] = value > 0 ? value : 0; /* never -0 */
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void sample_sort(struct sample *sample)
{
	if (sample->n > 0) {
		qsort(sample->values, sample->n, sizeof(*sample->values), ascending);
	}
}

void scores_start(struct outside *outside, struct items_outside *items)
{
	struct arena *arena = outside_arena(outside);
	struct scores *scores = items->scores = arena_new(arena, struct scores);
	scores->by = arena_array(arena, struct counts, items->n_identities);
	scores->places = arena_array(arena, uint32_t, items->n_identities);
	for (uint32_t i = 0; i < items->n_identities; i++) {
		scores->by[i].first_bad = scores->by[i].first_rejected = SIM_NEVER;
	}
}

void scores_finish(struct items_outside *items)
{
	if (items->scores != NULL) {
		free(items->scores->attacked.values);
		free(items->scores->honest.values);
	}
}

uint64_t scores_bytes(const struct items_outside *items)
{
	return (items->scores->attacked.capacity + items->scores->honest.capacity) * sizeof(double);
}

void scores_said(const struct outside *outside, struct items_outside *items, const struct details *details)
{
	for (uint32_t i = 0; i < items->n_identities; i++) {
		if (details->attacked[i] && items->scores->by[i].first_bad == SIM_NEVER) {
			items->scores->by[i].first_bad = outside_now(outside);
		}
	}
}

/* Is some honest validator's own honest estimate further than the tolerance from the decision? */
static bool is_disputed(const struct outside *outside, const struct items_outside *items,
	const struct details *details, const double *decision)
{
	uint32_t dims = items->dims;
	bool disputed = false;
	for (uint32_t i = 0; i < items->n_validators && !disputed; i++) {
		double distance = 0, length = 0;
		for (uint32_t j = 0; j < dims; j++) {
			double by = details->honest[(size_t)i * dims + j] - decision[j];
			distance = dims == 1 ? fabs(by) : distance + by * by;
			length = dims == 1 ? fabs(decision[j]) : length + decision[j] * decision[j];
		}
		distance = dims == 1 ? distance : sqrt(distance);
		length = dims == 1 ? length : sqrt(length);
		disputed = outside_honest(outside, i) && distance > items->common->tolerance * length;
	}
	return disputed;
}

static void record_predictions(struct outside *outside, struct items_outside *items,
	const struct closing_view *closing, const struct details *details)
{
	uint32_t n = items->n_identities, *places = items->scores->places;
	for (uint32_t i = 0; i < n; i++) {
		places[i] = closing->n;
	}
	for (uint32_t i = 0; i < closing->n; i++) {
		places[closing->nodes[i]] = i;
	}
	for (uint32_t node = 0; node < n; node++) {
		double sent = details->sent[(size_t)node * items->dims];
		double honest = details->honest[(size_t)node * items->dims];
		if (isnan(sent) && isnan(honest)) {
			continue; /* it was down, and has said nothing */
		}
		uint32_t at = places[node];
		bool heard = at != closing->n;
		bool late = !heard && isfinite(sent); /* not among those with which the item closed */
		const union cell cells[] = {
			{.integer = (int64_t)closing->item},
			{.integer = node},
			{.real = honest},
			{.real = sent},
			{.real = heard ? closing->scores[at] : real_nan()},
			{.integer = heard && closing->accepted[at]},
			{.integer = late},
			{.integer = details->version},
			{.real = details->claimed[node]},
			{.integer = details->attacked[node]},
		};
		outside_row(outside, ITEMS_PREDICTIONS, cells);
	}
}

static void count_bad(struct scores *scores, uint32_t identity, bool accepted, sim_time now)
{
	struct counts *counts = &scores->by[identity];
	counts->n_bad_scored++;
	scores->attacked_scored++;
	scores->attacked_accepted += accepted;
	if (!accepted && counts->first_rejected == SIM_NEVER) {
		counts->first_rejected = now;
		counts->n_bad_until_rejected = counts->n_bad_scored;
	}
}

void scores_closing(struct outside *outside, struct items_outside *items, const struct closing_view *closing)
{
	struct item_state *item = item_state(items, (uint32_t)closing->item);
	const struct details *details = item->details;
	struct scores *scores = items->scores;
	if (closing->outcome.decided) {
		item->disputed = is_disputed(outside, items, details,
			items->dims == 1 ? &closing->outcome.value : closing->decision);
	}
	bool validated = items->common->validation != VALIDATION_OFF;
	/* Where values are validated nothing is scored. */
	for (uint32_t i = 0; i < closing->n && !validated; i++) {
		uint32_t node = closing->nodes[i];
		bool attacked = details->attacked[node];
		struct counts *counts = &scores->by[node];
		counts->accepted += closing->accepted[i];
		counts->rejected += !closing->accepted[i];
		counts->score_sum += closing->scores[i];
		counts->n_scores++;
		if (outside_attacked(outside)) {
			sample_add(attacked ? &scores->attacked : &scores->honest, closing->scores[i]);
		}
		if (attacked) {
			count_bad(scores, node, closing->accepted[i], outside_now(outside));
		} else {
			scores->honest_scored++;
			scores->honest_rejected += !closing->accepted[i];
		}
	}
	if (outside_records(outside, ITEMS_PREDICTIONS)) {
		record_predictions(outside, items, closing, details);
	}
}

void scores_refused(const struct outside *outside, struct items_outside *items, const struct command *command,
	enum items_reject reject)
{
	if (reject == ITEMS_REFUSED) {
		items->scores->n_strangers++;
		return;
	}
	/* No number is rejected before anything is scored. */
	items->scores->by[command->identity].rejected++;
	count_bad(items->scores, command->identity, false, outside_now(outside));
}

void items_standing(struct outside *outside, const void *state, uint32_t node, struct app_standing *standing)
{
	const struct items_outside *items = state;
	const struct counts *counts = &items->scores->by[node];
	/* Logs are equal; the first live honest validator speaks for all, or else the first. */
	uint32_t at = 0;
	while (at < items->n_validators && !(outside_serves(outside, at) && outside_honest(outside, at))) {
		at++;
	}
	standing->accepted = (int64_t)counts->accepted;
	standing->rejected = (int64_t)counts->rejected;
	standing->score_mean = ratio(counts->score_sum, (double)counts->n_scores);
	standing->reputation =
		application_reputation(outside_replica(outside, at < items->n_validators ? at : 0), node);
}

void items_counts(struct outside *outside, const void *state, uint32_t item, struct app_counts *counts)
{
	const struct item_state *of = item_state(state, item);
	counts->predictions = of->n_predictions;
	counts->rejected = of->n_rejected;
	counts->disputed = of->n_disputed;
	if (outside_is_settled(outside, item)) {
		counts->late =
			application_outcome(outside_replica(outside, outside_client(outside, item)), item).n_late;
	}
}

/* KPIs. */

static const struct items_outside *items_in(const struct measured *run)
{
	return run->application;
}

static double dispute_rate(const struct measured *run)
{
	const struct items_outside *items = items_in(run);
	uint64_t n = 0, n_disputed = 0;
	for (uint32_t i = 0; i < items->n_items; i++) {
		n += item_state(items, i)->decided;
		n_disputed += item_state(items, i)->disputed;
	}
	return ratio((double)n_disputed, (double)n);
}

static double false_accept_rate(const struct measured *run)
{
	const struct scores *scores = items_in(run)->scores;
	return ratio((double)scores->attacked_accepted, (double)scores->attacked_scored);
}

static double false_reject_rate(const struct measured *run)
{
	const struct scores *scores = items_in(run)->scores;
	return ratio((double)scores->honest_rejected, (double)scores->honest_scored);
}

static double detection_s(const struct measured *run)
{
	const struct items_outside *items = items_in(run);
	double sum = 0;
	uint32_t n = 0;
	for (uint32_t i = 0; i < items->n_identities; i++) {
		const struct counts *counts = &items->scores->by[i];
		if (counts->first_bad != SIM_NEVER && counts->first_rejected != SIM_NEVER) {
			sum += sim_time_to_s(counts->first_rejected - counts->first_bad);
			n++;
		}
	}
	return ratio(sum, n);
}

static double detection_items(const struct measured *run)
{
	const struct items_outside *items = items_in(run);
	uint64_t sum = 0, n = 0;
	for (uint32_t i = 0; i < items->n_identities; i++) {
		sum += items->scores->by[i].n_bad_until_rejected;
		n += items->scores->by[i].n_bad_until_rejected > 0;
	}
	return ratio((double)sum, (double)n);
}

static double identities_refused(const struct measured *run)
{
	return (double)items_in(run)->scores->n_strangers;
}

/* Of all pairs of an attacked and an honest prediction, the share in which the attacked one scores less,
 * ties counted half (the Mann-Whitney statistic): the area under the curve of /roc. Both are sorted. */
static double auc(const struct measured *run)
{
	const struct sample *attacked = &items_in(run)->scores->attacked;
	const struct sample *honest = &items_in(run)->scores->honest;
	uint64_t n_halves = 0;
	size_t below = 0, upto = 0; /* attacked ones below this honest one, and below or equal */
	for (size_t i = 0; i < honest->n; i++) {
		while (below < attacked->n && attacked->values[below] < honest->values[i]) {
			below++;
		}
		while (upto < attacked->n && attacked->values[upto] <= honest->values[i]) {
			upto++;
		}
		n_halves += below + upto;
	}
	return ratio((double)n_halves / 2, (double)attacked->n * (double)honest->n);
}

/* At most so many points of the curve, at every k-th of the scores pooled. */
#define ROC_POINTS 256

static uint64_t n_below(const struct sample *sorted, double threshold)
{
	size_t low = 0, high = sorted->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sorted->values[middle] < threshold) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void roc_row(struct outside *outside, const struct scores *scores, double threshold, uint64_t attacked,
	uint64_t honest)
{
	const union cell cells[] = {
		{.real = threshold},
		{.real = ratio((double)attacked, (double)scores->attacked.n)},
		{.real = ratio((double)honest, (double)scores->honest.n)},
	};
	outside_row(outside, ITEMS_ROC, cells);
}

/* What a threshold would have rejected, at every score there is or, where these are many, at some: each
 * point is exact. From nothing rejected to everything. */
static void roc(struct outside *outside, const struct scores *scores)
{
	const struct sample *attacked = &scores->attacked, *honest = &scores->honest;
	size_t n = attacked->n + honest->n, i = 0, k = 0;
	double last = -1;
	if (attacked->n == 0 || honest->n == 0) {
		return;
	}
	size_t step = (n + ROC_POINTS - 1) / ROC_POINTS;
	for (size_t at = 0; at < n; at++) {
		bool first = k == honest->n ||
			(i < attacked->n && attacked->values[i] <= honest->values[k]);
		double score = first ? attacked->values[i++] : honest->values[k++];
		if (score != last && at % step == 0) {
			roc_row(outside, scores, score, n_below(attacked, score), n_below(honest, score));
			last = score;
		}
	}
	roc_row(outside, scores, INFINITY, attacked->n, honest->n);
}

void scores_report(struct outside *outside, struct items_outside *items)
{
	sample_sort(&items->scores->attacked);
	sample_sort(&items->scores->honest);
	if (outside_records(outside, ITEMS_ROC)) {
		roc(outside, items->scores);
	}
}

static const struct kpi detection[] = {
	{.name = "dispute_rate",
		.label = "disputed items",
		.sort = SORT_SHARE,
		.share_of = "decided",
		.value = dispute_rate,
		.help = "share of decided items from which some honest validator's own honest estimate is further "
				"than the tolerance"},
	{.name = "false_accept_rate",
		.label = "bad predictions accepted",
		.sort = SORT_SHARE,
		.value = false_accept_rate,
		.help = "share of the attacked predictions scored that were accepted"},
	{.name = "false_reject_rate",
		.label = "good predictions rejected",
		.sort = SORT_SHARE,
		.value = false_reject_rate,
		.help = "share of the honest predictions scored that were rejected"},
	{.name = "detection_s",
		.label = "time to detection",
		.sort = SORT_TIME,
		.value = detection_s,
		.help = "mean over attackers of the time from the first bad prediction to its first rejection"},
	{0},
};

static const struct kpi scoring[] = {
	{.name = "auc",
		.label = "area under the ROC curve",
		.sort = SORT_VALUE,
		.more_is_better = true,
		.value = auc,
		.help = "area under the receiver operating characteristic: the probability that an attacked "
				"prediction scores below an honest one, ties counted half"},
	{.name = "detection_items",
		.label = "lies until the first rejection",
		.sort = SORT_VALUE,
		.value = detection_items,
		.help = "mean over attackers ever rejected of their bad predictions up to the first rejected one, "
				"itself included"},
	{.name = "identities_refused",
		.label = "predictions of strangers refused",
		.sort = SORT_COUNT,
		.value = identities_refused,
		.help = "predictions refused because their identity is no participant's"},
	{0},
};

const struct kpi_table items_kpis[] = {
	{.kpis = detection, .everywhere = true, .after = "corruption_rate"},
	{.kpis = scoring, .everywhere = true, .after = "simulated_s"},
	{.kpis = NULL},
};
