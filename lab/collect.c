/* From samples to KPIs and tables. */
#include "kv.h"
#include "replicas.h"
#include "transactions.h"
#include "adversary.h"
#include "items.h"
#include "lab.h"
#include "measure/measure.h"
#include "scores.h"
#include "members.h"
#include "outages.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

/* The window in which a moment lies. */
static int64_t window_of(const struct lab *lab, sim_time at)
{
	return at / lab->scenario->window_ns;
}

/* How many windows a run has: the last one may be shorter, none is empty. */
static int64_t n_windows(const struct lab *lab)
{
	return window_of(lab, lab->world.now) + (lab->world.now % lab->scenario->window_ns != 0);
}

/* The same at the run's end: its last moment belongs to the last window. */
static int64_t window_within(const struct lab *lab, sim_time at)
{
	int64_t window = window_of(lab, at), n = n_windows(lab);
	return window == n && n > 0 ? n - 1 : window;
}

void collect_accepted(struct lab *lab, struct lab_item *item)
{
	samples_add(&lab->measure->latencies, item->decided - item->arrived);
	int64_t window = window_of(lab, item->decided);
	if (lab->measure->n_windows_accepted == 0 || window != lab->measure->window_accepted) {
		lab->measure->n_windows_accepted++;
		lab->measure->window_accepted_before = lab->measure->window_accepted;
		lab->measure->window_accepted = window;
	}
}

static bool further_than(double tolerance, double value, double from)
{
	return fabs(value - from) > tolerance * fabs(from);
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : real_nan();
}

/* In how many windows was work outstanding, and in how many of these was an item accepted? Items lie in
 * order of arrival, so that their windows' union is counted in one pass; each window with an acceptance has
 * had that item's work. */
static double availability(const struct lab *lab)
{
	int64_t n_work = 0, n_accepted = lab->measure->n_windows_accepted;
	int64_t counted = -1; /* the last window counted */
	sim_time end = lab->world.now;
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		int64_t first = window_within(lab, item->arrived);
		int64_t last = window_within(lab, item->accepted ? item->decided : end);
		first = first > counted ? first : counted + 1;
		if (last >= first) {
			n_work += last - first + 1;
			counted = last;
		}
	}
	/* The last acceptance may be at the very end, and another in the same window. */
	if (n_accepted > 1 && window_within(lab, lab->items->last_acceptance) == lab->measure->window_accepted_before) {
		n_accepted--;
	}
	return ratio((double)n_accepted, (double)n_work);
}

static void accuracy(const struct lab *lab, union cell *kpis)
{
	double sum = 0;
	double sum_squares = 0;
	uint64_t n = 0;
	uint64_t n_corrupted = 0;
	uint64_t n_disputed = 0;
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
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
	for (size_t t = 0; t < lab->watch->n_terms; t++) {
		const struct term *term = &lab->watch->terms[t];
		n_elections += term->candidate;
		/* A term that is still open at the end has not been split. */
		n_split += term->candidate && term->leader == NODE_NONE && t + 1 < lab->watch->n_terms;
	}
	kpis[KPI_ELECTIONS].integer = n_elections;
	kpis[KPI_SPLIT_VOTES].integer = n_split;
	kpis[KPI_LEADER_CHANGES].integer = lab->watch->n_led > 0 ? (int64_t)lab->watch->n_led - 1 : 0;
	kpis[KPI_ELECTION_MEAN].real = samples_mean_s(&lab->measure->elections);
}

/* Undefined where the protocol has no fast path to take. */
static double fast_commits(const struct lab *lab)
{
	uint64_t n_fast = 0, n_nodes = 0;
	for (uint32_t i = 0; lab->protocol->n_fast != NULL && i < lab->world.n_validators; i++) {
		if (lab_counts(&lab->world.nodes[i])) {
			n_fast += lab->protocol->n_fast(&lab->world.nodes[i]);
			n_nodes++;
		}
	}
	return ratio((double)n_fast, (double)n_nodes);
}

static int64_t changes_given_up(const struct lab *lab)
{
	uint64_t n = 0;
	for (uint32_t i = 0; lab->protocol->n_changes_given_up != NULL && i < lab->world.n_validators; i++) {
		n += lab->protocol->n_changes_given_up(&lab->world.nodes[i]);
	}
	return (int64_t)n;
}

/* Liveness is no matter of safety. */
static void safety(const struct lab *lab, union cell *kpis)
{
	uint64_t n = lab->watch->n_violations;
	kpis[KPI_FIRST_VIOLATION].real = real_nan();
	for (uint64_t i = lab->watch->n_violations < VIOLATIONS_MAX ? lab->watch->n_violations : VIOLATIONS_MAX; i > 0;
		 i--) {
		const struct violation *violation = &lab->watch->violations[i - 1];
		if (violation->liveness) {
			n--;
		} else {
			kpis[KPI_FIRST_VIOLATION].real = sim_time_to_s(violation->at);
		}
	}
	kpis[KPI_SAFETY_VIOLATIONS].integer = (int64_t)n;
}

static bool is_attacker(const struct lab *lab, uint32_t validator)
{
	bool attacks = false;
	for (size_t a = 0; a < lab->scenario->attacks.n; a++) {
		attacks = attacks || lab->attackers[a][validator];
	}
	return attacks;
}

static int64_t attackers(const struct lab *lab)
{
	int64_t n = 0;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		n += is_attacker(lab, i);
	}
	return n;
}

void collect_finish(struct lab *lab, union cell *kpis)
{
	const struct world *world = &lab->world;
	kpis[KPI_ITEMS].integer = (int64_t)lab->items->n;
	kpis[KPI_DECIDED].integer = (int64_t)lab->items->n_decided;
	kpis[KPI_UNDECIDED].integer = (int64_t)(lab->items->n_accepted - lab->items->n_decided);
	kpis[KPI_UNANSWERED].integer = (int64_t)(lab->items->n - lab->items->n_accepted);
	kpis[KPI_THROUGHPUT].real = lab->items->n_accepted == 0
		? real_nan()
		: ratio((double)lab->items->n_accepted, sim_time_to_s(lab->items->last_acceptance - lab->items->first_arrival));
	kpis[KPI_LATENCY_MEAN].real = samples_mean_s(&lab->measure->latencies);
	kpis[KPI_LATENCY_SD].real = samples_sd_s(&lab->measure->latencies);
	outages_kpis(lab, kpis);
	samples_sort(&lab->measure->latencies);
	samples_sort(&lab->measure->commits);
	kpis[KPI_LATENCY_P50].real = samples_quantile_s(&lab->measure->latencies, .5);
	kpis[KPI_LATENCY_P95].real = samples_quantile_s(&lab->measure->latencies, .95);
	kpis[KPI_LATENCY_P99].real = samples_quantile_s(&lab->measure->latencies, .99);
	kpis[KPI_LATENCY_MAX].real = samples_quantile_s(&lab->measure->latencies, 1);
	kpis[KPI_COMMIT_MEAN].real = samples_mean_s(&lab->measure->commits);
	kpis[KPI_COMMIT_P50].real = samples_quantile_s(&lab->measure->commits, .5);
	kpis[KPI_COMMIT_P99].real = samples_quantile_s(&lab->measure->commits, .99);
	kpis[KPI_PROPOSER_COMMIT_MEAN].real = samples_mean_s(&lab->measure->proposer_commits);
	double n_instances = (double)lab->watch->n_committed;
	kpis[KPI_INSTANCES].integer = (int64_t)lab->watch->n_committed;
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
	scores_kpis(lab, kpis);
	size_t n_positions = lab->workload->application ? lab->items->n : lab->watch->positions.n;
	kpis[KPI_DIVERGENCE].real = ratio((double)lab->watch->positions.n_diverged, (double)n_positions);
	kpis[KPI_AVAILABILITY].real = availability(lab);
	safety(lab, kpis);
	kpis[KPI_EVENTS].integer = (int64_t)world->events;
	kpis[KPI_SIMULATED].real = sim_time_to_s(world->now);
	kpis[KPI_FAST_COMMITS].real = fast_commits(lab);
	uint64_t n_aborts, n_retries;
	kv_counts(lab, &n_aborts, &n_retries);
	kpis[KPI_ABORTS].integer = (int64_t)n_aborts;
	kpis[KPI_RETRIES].integer = (int64_t)n_retries;
	kpis[KPI_REFUSED].integer = (int64_t)world->refused;
	kpis[KPI_MESSAGES_LOST].integer = (int64_t)world->lost;
	kpis[KPI_MESSAGES_CUT].integer = (int64_t)world->cut;
	kpis[KPI_MESSAGES_CORRUPTED].integer = (int64_t)world->corrupted;
	kpis[KPI_MESSAGES_DUPLICATED].integer = (int64_t)world->duplicated;
	kpis[KPI_STEPS_REFUSED].integer = (int64_t)world->n_steps_refused;
	kpis[KPI_MEMBERSHIP_GIVEN_UP].integer = changes_given_up(lab);
	kpis[KPI_AT_REACH].real = adversary_at_reach(lab);
	kpis[KPI_ATTACKERS].integer = attackers(lab);
}

/* Tables. */

static void decisions(struct lab *lab)
{
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		int64_t late = 0;
		if (lab->workload->application && item->accepted) {
			late = application_outcome(replica_of(lab, item->client)->application, i).n_late;
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
		measure_row(lab, TABLE_DECISIONS, cells);
	}
}

/* Logs are equal; the first live honest validator speaks for all, or else the first. */
static double reputation(const struct lab *lab, uint32_t of)
{
	uint32_t at = 0;
	if (!lab->workload->application) {
		return real_nan();
	}
	while (at < lab->world.n_validators &&
		!(lab_serves(lab, at) && lab_counts(&lab->world.nodes[at]))) {
		at++;
	}
	return application_reputation(
		replica_of(lab, at < lab->world.n_validators ? at : 0)->application, of);
}

static void validators(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		const struct validator_counts *counts =
			lab->scores == NULL ? &(struct validator_counts){0} : &lab->scores->validators[i];
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.integer = i},
			{.integer = node->byzantine || is_attacker(lab, i)},
			{.integer = (int64_t)replica_of(lab, i)->n_committed},
			{.integer = (int64_t)counts->accepted},
			{.integer = (int64_t)counts->rejected},
			{.real = ratio(counts->score_sum, (double)counts->n_scores)},
			{.real = reputation(lab, i)},
			{.real = real_nan()},
			{.integer = (int64_t)node->messages_sent},
			{.integer = (int64_t)node->bytes_sent},
			{.real = sim_time_to_s(node->busy_ns)},
		};
		measure_row(lab, TABLE_VALIDATORS, cells);
	}
}

struct window {
	uint64_t arrived, accepted, corrupted, decided;
	double latency_sum, error_sum;
};

static struct window *count_windows(const struct lab *lab, size_t n)
{
	struct window *windows = calloc(n, sizeof(*windows));
	if (windows == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	for (size_t i = 0; i < lab->items->n; i++) {
		const struct lab_item *item = &lab->items->all[i];
		windows[window_within(lab, item->arrived)].arrived++;
		if (!item->accepted) {
			continue;
		}
		struct window *window = &windows[window_within(lab, item->decided)];
		window->accepted++;
		window->latency_sum += sim_time_to_s(item->decided - item->arrived);
		if (item->decided_value && lab->workload->application) {
			window->decided++;
			window->error_sum += fabs(item->value - item->truth);
			window->corrupted += further_than(lab->common->tolerance, item->value, item->truth);
		}
	}
	return windows;
}

static void series(struct lab *lab)
{
	size_t n = (size_t)n_windows(lab);
	if (n == 0) {
		return; /* it took no time */
	}
	struct window *windows = count_windows(lab, n);
	int64_t outstanding = 0;
	for (size_t i = 0; i < n; i++) {
		const struct window *window = &windows[i];
		sim_time start = (sim_time)i * lab->scenario->window_ns;
		sim_time left = lab->world.now - start;
		double length_s =
			sim_time_to_s(left < lab->scenario->window_ns ? left : lab->scenario->window_ns);
		outstanding += (int64_t)window->arrived - (int64_t)window->accepted;
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.real = sim_time_to_s(start)},
			{.real = length_s},
			{.integer = (int64_t)window->arrived},
			{.real = (double)window->accepted / length_s},
			{.integer = outstanding},
			{.real = ratio(window->latency_sum, (double)window->accepted)},
			{.real = ratio(window->error_sum, (double)window->decided)},
			{.real = ratio((double)window->corrupted, (double)window->decided)},
		};
		measure_row(lab, TABLE_SERIES, cells);
	}
	free(windows);
}

void collect_fault(struct lab *lab, uint32_t node, const char *what)
{
	if (measure_records(lab, TABLE_FAULTS)) {
		measure_row(lab, TABLE_FAULTS,
			(union cell[]){{.integer = (int64_t)lab->run}, {.real = sim_time_to_s(lab->world.now)},
				{.integer = node == NODE_NONE ? -1 : (int64_t)node}, {.string = what}});
	}
}

/* The transaction that wrote what was read: a decimal number; of the initial value there is none. */
static void transaction_value(uint64_t value, char text[24])
{
	if (value == UINT64_MAX) { /* LINEAR_INITIAL - 1 */
		text[0] = '\0';
	} else {
		snprintf(text, 24, "%llu", (unsigned long long)value);
	}
}

static void violations(struct lab *lab)
{
	for (uint64_t i = 0; i < lab->watch->n_violations && i < VIOLATIONS_MAX; i++) {
		const struct violation *violation = &lab->watch->violations[i];
		char nodes[32];
		char value_a[24];
		char value_b[24];
		if (violation->transaction) {
			uint32_t n = lab->world.n_validators;
			snprintf(nodes, sizeof(nodes), "c%u c%u", violation->node_a - n, violation->node_b - n);
			transaction_value(violation->value_a, value_a);
			transaction_value(violation->value_b, value_b);
		} else {
			snprintf(nodes, sizeof(nodes), "%u %u", violation->node_a, violation->node_b);
			snprintf(value_a, sizeof(value_a), "%016llx", (unsigned long long)violation->value_a);
			snprintf(value_b, sizeof(value_b), "%016llx", (unsigned long long)violation->value_b);
		}
		union cell cells[] = {
			{.integer = (int64_t)lab->run},
			{.real = sim_time_to_s(violation->at)},
			{.string = violation->invariant},
			{.string = nodes},
			{.integer = (int64_t)violation->instance},
			{.string = value_a},
			{.string = value_b},
			{.string = violation->detail},
			{.integer = (int64_t)lab->seed},
		};
		measure_row(lab, TABLE_VIOLATIONS, cells);
	}
}

void collect_tables(struct lab *lab)
{
	unsigned record = lab->scenario->record;
	if ((record & RECORD_DECISIONS) != 0) {
		decisions(lab);
	}
	if ((record & RECORD_TRANSACTIONS) != 0) {
		transactions_table(lab);
	}
	if ((record & RECORD_VALIDATORS) != 0) {
		validators(lab);
	}
	if ((record & RECORD_SERIES) != 0) {
		series(lab);
	}
	violations(lab);
	if ((record & RECORD_ROC) != 0) {
		scores_roc(lab);
	}
}
