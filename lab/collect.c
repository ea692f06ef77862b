/* From samples to KPIs and tables. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* Means are sums of integers divided once, so that equal samples have exactly their value as mean. */
static double mean_s(const struct samples *samples)
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

static double sd_s(const struct samples *samples)
{
	if (samples->n < 2) {
		return real_nan();
	}
	double mean = mean_s(samples);
	double sum = 0;
	for (size_t i = 0; i < samples->n; i++) {
		double d = (double)samples->values[i] / 1e9 - mean;
		sum += d * d;
	}
	return sqrt(sum / (double)(samples->n - 1));
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The quantile p of sorted samples: linear between order statistics (Hyndman, Fan 1996, type 7). */
static double quantile_s(const struct samples *samples, double p)
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

/* The one-second window in which a moment lies. */
static int64_t window_of(sim_time at)
{
	return at / SIM_SECOND;
}

void collect_accepted(struct lab *lab, struct lab_item *item)
{
	samples_add(&lab->latencies, item->decided - item->arrived);
	if (lab->n_windows_accepted == 0 || window_of(item->decided) != lab->last_window_accepted) {
		lab->n_windows_accepted++;
		lab->last_window_accepted = window_of(item->decided);
	}
	while (lab->fault_end_next < lab->fault_ends.n) {
		sim_time end = lab->fault_ends.values[lab->fault_end_next++];
		samples_add(&lab->recoveries, item->decided - end);
	}
}

void collect_fault_end(struct lab *lab)
{
	if (lab->fault_ends.n > 0 &&
		lab->fault_ends.values[lab->fault_ends.n - 1] == lab->world.now) {
		return; /* of the same fault, at another node */
	}
	samples_add(&lab->fault_ends, lab->world.now);
}

static bool further_than(double tolerance, double value, double from)
{
	return fabs(value - from) > tolerance * fabs(from);
}

static void count_dispute(struct lab *lab, struct lab_item *item, double value)
{
	/* Some honest validator's own honest estimate is further than the tolerance from the decision. */
	for (uint32_t i = 0; i < lab->world.n_validators && !item->dispute; i++) {
		double honest = item->details->honest[i];
		item->dispute = lab_counts(&lab->world.nodes[i]) && !isnan(honest) &&
			further_than(lab->common->tolerance, honest, value);
	}
}

static void record_predictions(struct lab *lab, const struct closing_view *closing,
	const struct lab_item *item)
{
	uint32_t n = lab->world.n_validators;
	for (uint32_t i = 0; i < n; i++) {
		lab->places[i] = closing->n;
	}
	for (uint32_t i = 0; i < closing->n; i++) {
		lab->places[closing->nodes[i]] = i;
	}
	for (uint32_t node = 0; node < n; node++) {
		if (isnan(item->details->sent[node])) {
			continue;
		}
		uint32_t at = lab->places[node];
		bool late = at == closing->n; /* not among those with which the item closed */
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)closing->item},
			{.integer = node},
			{.real = item->details->honest[node]},
			{.real = item->details->sent[node]},
			{.real = late ? real_nan() : closing->scores[at]},
			{.integer = !late && closing->accepted[at]},
			{.integer = late},
		};
		block_append(&lab->out->tables[TABLE_PREDICTIONS], &lab->schemas->tables[TABLE_PREDICTIONS],
			cells);
	}
}

void collect_closing(struct lab *lab, const struct closing_view *closing, struct lab_item *item)
{
	if (closing->outcome.decided) {
		count_dispute(lab, item, closing->outcome.value);
	}
	for (uint32_t i = 0; i < closing->n; i++) {
		uint32_t node = closing->nodes[i];
		bool attacked = item->details->attacked[node];
		struct validator_counts *counts = &lab->validators[node];
		counts->accepted += closing->accepted[i];
		counts->rejected += !closing->accepted[i];
		counts->score_sum += closing->scores[i];
		counts->n_scores++;
		if (attacked) {
			lab->attacked_scored++;
			lab->attacked_accepted += closing->accepted[i];
			if (!closing->accepted[i] && counts->first_rejected == SIM_NEVER) {
				counts->first_rejected = lab->world.now;
			}
		} else {
			lab->honest_scored++;
			lab->honest_rejected += !closing->accepted[i];
		}
	}
	if ((lab->scenario->record & RECORD_PREDICTIONS) != 0) {
		record_predictions(lab, closing, item);
	}
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : real_nan();
}

/* Windows of one second: in how many was work outstanding, and in how many of these was an item
 * accepted? Items lie in order of arrival, so that their windows' union is counted in one pass; each
 * window with an acceptance has had that item's work. A window that the run's end cuts off at its very
 * beginning is none. */
static double availability(const struct lab *lab)
{
	int64_t n_work = 0;
	int64_t counted = -1; /* the last window counted */
	for (size_t i = 0; i < lab->n_items; i++) {
		const struct lab_item *item = &lab->items[i];
		int64_t first = window_of(item->arrived);
		sim_time last_moment = lab->world.now > item->arrived ? lab->world.now - 1 : lab->world.now;
		int64_t last = window_of(item->accepted ? item->decided : last_moment);
		first = first > counted ? first : counted + 1;
		if (last >= first) {
			n_work += last - first + 1;
			counted = last;
		}
	}
	return ratio((double)lab->n_windows_accepted, (double)n_work);
}

static double detection_s(const struct lab *lab)
{
	double sum = 0;
	uint32_t n = 0;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct validator_counts *counts = &lab->validators[i];
		if (counts->first_bad != SIM_NEVER && counts->first_rejected != SIM_NEVER) {
			sum += sim_time_to_s(counts->first_rejected - counts->first_bad);
			n++;
		}
	}
	return ratio(sum, n);
}

static void accuracy(const struct lab *lab, union cell *kpis)
{
	double sum = 0;
	double sum_squares = 0;
	uint64_t n = 0;
	uint64_t n_corrupted = 0;
	uint64_t n_disputed = 0;
	for (size_t i = 0; i < lab->n_items; i++) {
		const struct lab_item *item = &lab->items[i];
		if (!item->decided_value || !lab->workload->application) {
			continue;
		}
		double error = fabs(item->value - item->truth);
		sum += error;
		sum_squares += error * error;
		n++;
		n_corrupted += further_than(lab->common->tolerance, item->value, item->truth);
		n_disputed += item->dispute;
	}
	kpis[KPI_MAE].real = ratio(sum, (double)n);
	kpis[KPI_RMSE].real = n == 0 ? real_nan() : sqrt(sum_squares / (double)n);
	kpis[KPI_CORRUPTION_RATE].real = ratio((double)n_corrupted, (double)n);
	kpis[KPI_DISPUTE_RATE].real = ratio((double)n_disputed, (double)n);
}

static void elections(const struct lab *lab, union cell *kpis)
{
	int64_t n_elections = 0;
	int64_t n_split = 0;
	for (uint64_t t = 0; t < lab->n_terms; t++) {
		const struct term *term = &lab->terms[t];
		n_elections += term->candidate;
		/* A term that is still open at the end has not been split. */
		n_split += term->candidate && term->leader == NODE_NONE && t < lab->term_max;
	}
	kpis[KPI_ELECTIONS].integer = n_elections;
	kpis[KPI_SPLIT_VOTES].integer = n_split;
	kpis[KPI_LEADER_CHANGES].integer = lab->n_led > 0 ? (int64_t)lab->n_led - 1 : 0;
	kpis[KPI_ELECTION_MEAN].real = mean_s(&lab->elections);
}

void collect_finish(struct lab *lab, union cell *kpis)
{
	const struct world *world = &lab->world;
	kpis[KPI_ITEMS].integer = (int64_t)lab->n_items;
	kpis[KPI_DECIDED].integer = (int64_t)lab->n_decided;
	kpis[KPI_UNDECIDED].integer = (int64_t)(lab->n_accepted - lab->n_decided);
	kpis[KPI_THROUGHPUT].real = lab->n_accepted == 0
		? real_nan()
		: ratio((double)lab->n_accepted, sim_time_to_s(lab->last_acceptance - lab->first_arrival));
	kpis[KPI_LATENCY_MEAN].real = mean_s(&lab->latencies);
	kpis[KPI_LATENCY_SD].real = sd_s(&lab->latencies);
	struct samples *sorted[] = {&lab->latencies, &lab->commits};
	for (int i = 0; i < 2; i++) {
		if (sorted[i]->n > 0) {
			qsort(sorted[i]->values, sorted[i]->n, sizeof(int64_t), compare);
		}
	}
	kpis[KPI_LATENCY_P50].real = quantile_s(&lab->latencies, .5);
	kpis[KPI_LATENCY_P95].real = quantile_s(&lab->latencies, .95);
	kpis[KPI_LATENCY_P99].real = quantile_s(&lab->latencies, .99);
	kpis[KPI_LATENCY_MAX].real = quantile_s(&lab->latencies, 1);
	kpis[KPI_COMMIT_MEAN].real = mean_s(&lab->commits);
	kpis[KPI_COMMIT_P50].real = quantile_s(&lab->commits, .5);
	kpis[KPI_COMMIT_P99].real = quantile_s(&lab->commits, .99);
	kpis[KPI_PROPOSER_COMMIT_MEAN].real = mean_s(&lab->proposer_commits);
	double n_instances = (double)lab->n_instances_committed;
	kpis[KPI_INSTANCES].integer = (int64_t)lab->n_instances_committed;
	kpis[KPI_MESSAGES_PER_INSTANCE].real =
		ratio((double)world->messages[CLASS_AGREEMENT], n_instances);
	kpis[KPI_BYTES_PER_INSTANCE].real = ratio((double)world->bytes[CLASS_AGREEMENT], n_instances);
	kpis[KPI_MESSAGES].integer = (int64_t)(world->messages[CLASS_AGREEMENT] +
		world->messages[CLASS_HEARTBEAT] + world->messages[CLASS_CONTROL]);
	kpis[KPI_BYTES].integer = (int64_t)(world->bytes[CLASS_AGREEMENT] +
		world->bytes[CLASS_HEARTBEAT] + world->bytes[CLASS_CONTROL]);
	kpis[KPI_HEARTBEATS].integer = (int64_t)world->messages[CLASS_HEARTBEAT];
	kpis[KPI_CLIENT_MESSAGES].integer = (int64_t)world->messages[CLASS_CLIENT];
	elections(lab, kpis);
	accuracy(lab, kpis);
	kpis[KPI_FALSE_ACCEPT_RATE].real =
		ratio((double)lab->attacked_accepted, (double)lab->attacked_scored);
	kpis[KPI_FALSE_REJECT_RATE].real =
		ratio((double)lab->honest_rejected, (double)lab->honest_scored);
	kpis[KPI_DETECTION].real = detection_s(lab);
	size_t n_positions = lab->workload->application ? lab->n_items : lab->n_positions;
	kpis[KPI_DIVERGENCE].real = ratio((double)lab->n_diverged, (double)n_positions);
	kpis[KPI_AVAILABILITY].real = availability(lab);
	kpis[KPI_RECOVERY].real = mean_s(&lab->recoveries);
	kpis[KPI_SAFETY_VIOLATIONS].integer = (int64_t)lab->n_violations;
	kpis[KPI_FIRST_VIOLATION].real =
		lab->n_violations == 0 ? real_nan() : sim_time_to_s(lab->violations[0].at);
	kpis[KPI_EVENTS].integer = (int64_t)world->events;
	kpis[KPI_SIMULATED].real = sim_time_to_s(world->now);
	kpis[KPI_REFUSED].integer = (int64_t)world->refused;
}

/* Tables. */

static void decisions(struct lab *lab)
{
	for (size_t i = 0; i < lab->n_items; i++) {
		const struct lab_item *item = &lab->items[i];
		int64_t late = 0;
		if (lab->workload->application && item->accepted) {
			late = application_outcome(lab->replicas[item->client].application, i).n_late;
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = (int64_t)i},
			{.integer = lab->workload->application ? item->client
												   : item->client - lab->world.n_validators},
			{.integer = item->accepted ? (int64_t)item->instance : -1},
			{.integer = item->accepted ? (int64_t)item->view : -1},
			{.integer = item->proposer == NODE_NONE ? -1 : (int64_t)item->proposer},
			{.real = sim_time_to_s(item->arrived)},
			{.real = item->accepted ? sim_time_to_s(item->decided) : real_nan()},
			{.real = item->truth},
			{.real = item->value},
			{.integer = item->n_predictions},
			{.integer = item->n_rejected},
			{.integer = late},
			{.integer = item->n_disputed},
		};
		block_append(&lab->out->tables[TABLE_DECISIONS], &lab->schemas->tables[TABLE_DECISIONS], cells);
	}
}

static void validators(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		const struct validator_counts *counts = &lab->validators[i];
		bool attacks = false;
		for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
			attacks = attacks || lab->attackers[a][i];
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = i},
			{.integer = node->byzantine || attacks},
			{.integer = (int64_t)lab->replicas[i].n_committed},
			{.integer = (int64_t)counts->accepted},
			{.integer = (int64_t)counts->rejected},
			{.real = ratio(counts->score_sum, (double)counts->n_scores)},
			{.real = real_nan()},
			{.real = real_nan()},
			{.integer = (int64_t)node->messages_sent},
			{.integer = (int64_t)node->bytes_sent},
			{.real = sim_time_to_s(node->busy_ns)},
		};
		block_append(
			&lab->out->tables[TABLE_VALIDATORS], &lab->schemas->tables[TABLE_VALIDATORS], cells);
	}
}

struct window {
	uint64_t arrived, accepted, corrupted, decided;
	double latency_sum, error_sum;
};

static void series(struct lab *lab)
{
	size_t n = (size_t)(lab->world.now / SIM_SECOND) + 1;
	struct window *windows = calloc(n, sizeof(*windows));
	if (windows == NULL) {
		abort();
	}
	for (size_t i = 0; i < lab->n_items; i++) {
		const struct lab_item *item = &lab->items[i];
		windows[item->arrived / SIM_SECOND].arrived++;
		if (!item->accepted) {
			continue;
		}
		struct window *window = &windows[item->decided / SIM_SECOND];
		window->accepted++;
		window->latency_sum += sim_time_to_s(item->decided - item->arrived);
		if (item->decided_value && lab->workload->application) {
			window->decided++;
			window->error_sum += fabs(item->value - item->truth);
			window->corrupted += further_than(lab->common->tolerance, item->value, item->truth);
		}
	}
	int64_t outstanding = 0;
	for (size_t i = 0; i < n; i++) {
		const struct window *window = &windows[i];
		outstanding += (int64_t)window->arrived - (int64_t)window->accepted;
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.real = (double)i},
			{.integer = (int64_t)window->arrived},
			{.real = (double)window->accepted},
			{.integer = outstanding},
			{.real = ratio(window->latency_sum, (double)window->accepted)},
			{.real = ratio(window->error_sum, (double)window->decided)},
			{.real = ratio((double)window->corrupted, (double)window->decided)},
		};
		block_append(&lab->out->tables[TABLE_SERIES], &lab->schemas->tables[TABLE_SERIES], cells);
	}
	free(windows);
}

static void violations(struct lab *lab)
{
	for (uint64_t i = 0; i < lab->n_violations && i < VIOLATIONS_MAX; i++) {
		const struct violation *violation = &lab->violations[i];
		char nodes[32];
		char value_a[24];
		char value_b[24];
		snprintf(nodes, sizeof(nodes), "%u %u", violation->node_a, violation->node_b);
		snprintf(value_a, sizeof(value_a), "%016llx", (unsigned long long)violation->value_a);
		snprintf(value_b, sizeof(value_b), "%016llx", (unsigned long long)violation->value_b);
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.real = sim_time_to_s(violation->at)},
			{.string = violation->invariant},
			{.string = nodes},
			{.integer = (int64_t)violation->instance},
			{.string = value_a},
			{.string = value_b},
		};
		block_append(
			&lab->out->tables[TABLE_VIOLATIONS], &lab->schemas->tables[TABLE_VIOLATIONS], cells);
	}
}

void collect_tables(struct lab *lab)
{
	unsigned record = lab->scenario->record;
	if ((record & RECORD_DECISIONS) != 0) {
		decisions(lab);
	}
	if ((record & RECORD_VALIDATORS) != 0) {
		validators(lab);
	}
	if ((record & RECORD_SERIES) != 0) {
		series(lab);
	}
	violations(lab);
}
