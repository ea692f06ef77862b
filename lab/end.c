/* When a run ends, and with which verdict but `unsafe`.
 *
 * Whatever comes first: all items that the scenario names are accepted, and every honest live validator has
 * executed the last instance (a drain, for so long as that comes on); the time is up; nothing has been
 * accepted or executed for liveness_bound although work is outstanding; events or memory are spent. A
 * scenario that names a time and no items has planned its end: that is how it completes. */
#include "clients.h"
#include "replicas.h"
#include "items.h"
#include "lab.h"
#include "members.h"
#include "watch.h"

#include "engine/fault.h"

#include <stdarg.h>
#include <string.h>

/* The bound on a drain where liveness_bound is off. */
#define DRAIN_NS (30 * SIM_SECOND)

/* Changes that recur without end are waited for so often in a row, without any progress. */
#define WAITS_MAX 100

void lab_end(struct lab *lab, const char *verdict, const char *format, ...)
{
	if (lab->world.stopped) {
		return;
	}
	lab->world.stopped = true;
	lab->ending.verdict = verdict;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(lab->ending.verdict_reason, sizeof(lab->ending.verdict_reason), format, arguments);
	va_end(arguments);
}

/* When what a rule holds is released, after its window perhaps. */
static sim_time release_of(const struct plugin_value *fault)
{
	const struct fault_rule *rule = fault->settings;
	bool holds = strcmp(fault->plugin->name, "rule") == 0 && rule->action == RULE_HOLD;
	return holds ? rule->release_ns : 0;
}

static sim_time later(sim_time a, sim_time b)
{
	return a > b ? a : b;
}

/* What has no window but a moment has a beginning or an end alone. */
static sim_time window_change(sim_time from_ns, sim_time until_ns)
{
	return until_ns == SIM_NEVER ? from_ns : later(from_ns, until_ns);
}

sim_time lab_last_change(const struct scenario *scenario)
{
	sim_time last = 0;
	for (size_t i = 0; i < scenario->faults.n; i++) {
		const struct fault_common *common = scenario->faults.values[i].settings;
		last = later(last, window_change(common->from_ns, common->until_ns));
		last = later(last, release_of(&scenario->faults.values[i]));
	}
	for (size_t i = 0; i < scenario->attacks.n; i++) {
		const struct attack_common *common = scenario->attacks.values[i].settings;
		last = later(last, window_change(common->from_ns, common->until_ns));
	}
	return last;
}

void lab_bound(struct lab *lab)
{
	const struct scenario *scenario = lab->scenario;
	bool series = scenario_records(scenario, &result_tables[TABLE_SERIES]);
	sim_time most = !series || scenario->window_ns > SIM_NEVER / SERIES_WINDOWS_MAX
		? SIM_NEVER
		: scenario->window_ns * SERIES_WINDOWS_MAX;
	lab->ending.end_ns = scenario->stop.time_ns < most ? scenario->stop.time_ns : most;
	lab->world.change_ns = lab_last_change(scenario);
	lab_progress(lab);
}

/* How long nothing may come on. A drain is bounded also where liveness is not: heartbeats go on for ever,
 * and a validator that lacks what was lost may never get it. */
static sim_time patience_ns(const struct lab *lab)
{
	sim_time bound = lab->scenario->liveness_bound_ns;
	return lab->ending.phase == PHASE_DRAINING && bound == SIM_NEVER ? DRAIN_NS : bound;
}

static void set_deadline(struct lab *lab, sim_time at)
{
	lab->world.deadline_ns = at < lab->ending.end_ns ? at : lab->ending.end_ns;
}

void lab_progress(struct lab *lab)
{
	lab->ending.last_progress = lab->world.now;
	set_deadline(lab, sim_time_add(lab->world.now, patience_ns(lab)));
}

/* From when on it counts that nothing comes on: what is scheduled to change may set it going again. */
static sim_time waits_from(const struct lab *lab)
{
	uint32_t n_waits = lab->ending.waited_from == lab->ending.last_progress ? lab->ending.n_waits : 0;
	return n_waits < WAITS_MAX ? later(lab->ending.last_progress, lab->world.change_ns) : lab->ending.last_progress;
}

static bool work_outstanding(const struct lab *lab)
{
	return lab->items->n_accepted < lab->items->n;
}

/* No item is to come, and it is not the planned end that keeps them from coming. */
static bool all_accepted(const struct lab *lab)
{
	bool last = lab->items->n >= lab->items->max ||
		(lab->items->arrivals_over && lab->scenario->stop.time_ns == SIM_NEVER);
	return last && !work_outstanding(lab);
}

/* Have all honest live validators that belong executed the same? */
static bool all_alike(const struct lab *lab)
{
	const struct replica *first = NULL;
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		if (lab_serves(lab, i) && lab_counts(&lab->world.nodes[i])) {
			first = first == NULL ? replica_of(lab, i) : first;
			if (replica_history(replica_of(lab, i)) != replica_history(first)) {
				return false;
			}
		}
	}
	return true;
}

/* Has every honest live validator that belongs executed the last instance, and, where that may be revoked, the same? */
static bool all_executed(const struct lab *lab)
{
	for (uint32_t i = 0; i < lab->world.n_validators; i++) {
		const struct node *node = &lab->world.nodes[i];
		const struct replica *replica = replica_of(lab, i);
		if (!lab_serves(lab, i) || !lab_counts(node)) {
			continue;
		}
		if (lab->protocol->ordered ? replica->applied < lab->watch->last_proposed
								   : replica->n_applied < lab->watch->n_proposed) {
			return false;
		}
	}
	return !lab->replicas->revocable || all_alike(lab);
}

static void clock_ends(struct lab *lab)
{
	lab_end(lab, "limit", "the clock ends at %.10g s: %llu items have arrived by then, %llu are accepted",
		sim_time_to_s(SIM_NEVER), (unsigned long long)lab->items->n,
		(unsigned long long)lab->items->n_accepted);
}

void lab_done(struct lab *lab)
{
	if (lab->items->n < lab->items->max) {
		clock_ends(lab);
	} else {
		lab_end(lab, "completed", "all %llu items accepted", (unsigned long long)lab->items->n);
	}
}

void lab_check_done(struct lab *lab)
{
	if (all_accepted(lab)) {
		if (lab->ending.phase != PHASE_DRAINING) {
			lab->ending.phase = PHASE_DRAINING;
			lab_progress(lab);
		}
		if (all_executed(lab)) {
			lab_done(lab);
		}
	}
}

/* A time alone is planned, a time that comes before the items is not. */
static void time_is_up(struct lab *lab)
{
	const struct stop_settings *stop = &lab->scenario->stop;
	lab->world.now = lab->ending.end_ns;
	unsigned long long n = lab->items->n, n_accepted = lab->items->n_accepted;
	if (all_accepted(lab)) {
		lab_done(lab);
	} else if (lab->ending.end_ns < stop->time_ns) {
		lab_end(lab, "limit", "%d windows of series, %g s each", SERIES_WINDOWS_MAX,
			sim_time_to_s(lab->scenario->window_ns));
	} else if (stop->items == INT64_MAX) {
		lab_end(lab, "completed", "time %g s, as planned; %llu of %llu items accepted",
			sim_time_to_s(stop->time_ns), n_accepted, n);
	} else {
		lab_end(lab, "limit", "time %g s; %llu of %lld items have arrived, %llu are accepted",
			sim_time_to_s(stop->time_ns), n, (long long)stop->items, n_accepted);
	}
}

static void nothing_left(struct lab *lab)
{
	if (!queue_is_empty(&lab->world.queue)) {
		clock_ends(lab); /* what is left is later than that */
	} else {
		lab_end(lab, "stalled", "nothing is left to happen; %llu of %llu items are not accepted",
			(unsigned long long)(lab->items->n - lab->items->n_accepted), (unsigned long long)lab->items->n);
	}
}

static void no_progress(struct lab *lab, sim_time bound)
{
	sim_time from = waits_from(lab);
	char since[64] = "";
	if (from > lab->ending.last_progress) {
		snprintf(since, sizeof(since), " since the last scheduled change, at %g s", sim_time_to_s(from));
	}
	lab->world.now = later(lab->world.now, bound);
	lab_end(lab, "stalled", "no progress for %g s%s; %llu of %llu items are not accepted",
		sim_time_to_s(lab->world.now - from), since,
		(unsigned long long)(lab->items->n - lab->items->n_accepted), (unsigned long long)lab->items->n);
}

void lab_overdue(struct world *world, sim_time next)
{
	struct lab *lab = world->host;
	const struct stop_settings *stop = &lab->scenario->stop;
	sim_time bound = sim_time_add(waits_from(lab), patience_ns(lab));
	if (lab->ending.phase == PHASE_DRAINING && (next == SIM_NEVER || next > bound)) {
		lab_done(lab); /* some validator will never come so far; its clients don't wait for it */
		return;
	}
	if (world->events >= world->settings.events_max) {
		if (world->events >= (uint64_t)stop->events) {
			lab_end(lab, "limit", "%llu events", (unsigned long long)stop->events);
		} else {
			memory_look(lab);
		}
		return;
	}
	if (next > lab->ending.end_ns && (lab->ending.end_ns <= bound || !work_outstanding(lab))) {
		time_is_up(lab);
	} else if (next == SIM_NEVER) {
		nothing_left(lab);
	} else if (next <= bound) {
		/* A change is to come, or has come not long ago. */
		lab->ending.n_waits = lab->ending.last_progress == lab->ending.waited_from ? lab->ending.n_waits + 1 : 1;
		lab->ending.waited_from = lab->ending.last_progress;
		set_deadline(lab, bound);
	} else if (work_outstanding(lab)) {
		no_progress(lab, bound);
	} else {
		/* Idle: nothing is outstanding, and the next arrival is further away than the bound. */
		lab->ending.last_progress = next;
		set_deadline(lab, sim_time_add(next, lab->scenario->liveness_bound_ns));
	}
}
