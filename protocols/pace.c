#include "pace.h"

#define PACE_INSTANCES 8 /* between two measurements */

void pace_start(struct node *node, struct pace *pace)
{
	pace->on = node_costs_something(node);
	if (pace->on) {
		pace->gaps_ns = arena_array(node_arena(node), sim_time, node->n_validators);
	}
}

/* 1024 s of one resource: what it has done beyond the instances. Of the last measurements the latest counts
 * half. */
static uint32_t share(uint32_t old, sim_time busy_ns, double instances_ns, sim_time past_ns)
{
	double other = ((double)busy_ns - instances_ns) / (double)past_ns;
	other = other < 0 ? 0 : other > 15. / 16 ? 15. / 16 : other;
	return (old + (uint32_t)(PACE_WHOLE * other)) / 2;
}

static sim_time gap(sim_time cost_ns, uint32_t share)
{
	double ns = 2. * (double)cost_ns * PACE_WHOLE / (PACE_WHOLE - share);
	return ns > 1e18 ? SIM_NEVER : (sim_time)ns;
}

sim_time pace_gap_ns(
	struct node *node, struct pace *pace, const struct pace_cost *cost, uint64_t n_executed)
{
	sim_time now = node_now(node);
	sim_time wire_ns = node_wire_ns(node, cost->bytes);
	if (n_executed >= pace->instances + PACE_INSTANCES && now > pace->measured_at) {
		double n = (double)(n_executed - pace->instances);
		sim_time past_ns = now - pace->measured_at;
		pace->work_share = share(
			pace->work_share, node->busy_ns - pace->busy_ns, n * (double)cost->work_ns, past_ns);
		pace->wire_share = share(pace->wire_share, node_wire_ns(node, node->bytes_sent - pace->bytes),
			n * (double)wire_ns, past_ns);
		pace->measured_at = now;
		pace->busy_ns = node->busy_ns;
		pace->bytes = node->bytes_sent;
		pace->instances = n_executed;
	}
	sim_time work = gap(cost->work_ns, pace->work_share);
	sim_time wire = gap(wire_ns, pace->wire_share);
	pace->gap_ns = work > wire ? work : wire;
	return pace->gap_ns;
}

/* When what is in hand is done, and the handlers of that instant have run. */
static sim_time inbox_done(const struct node *node)
{
	sim_time ahead = node_ahead_ns(node);
	return sim_time_add(node_now(node), ahead == 0 ? 0 : ahead + 1);
}

void pace_arrived(struct node *node, struct pace *pace, bool is_first)
{
	sim_time now = node_now(node);
	sim_time wait_ns = pace->gap_ns / 8;
	if (now < sim_time_add(pace->burst_at, wait_ns)) {
		pace->burst_n++;
	} else {
		uint32_t n = pace->burst_n < 1000 ? pace->burst_n : 1000;
		pace->burst = (pace->burst + PACE_WHOLE * n) / 2;
		pace->burst_n = 0;
		pace->burst_at = now;
	}
	if (is_first) {
		bool in_bursts = pace->burst >= PACE_WHOLE;
		sim_time done = inbox_done(node);
		sim_time come = in_bursts ? sim_time_add(now, wait_ns) : 0;
		pace->ready_at = done > come ? done : come;
		pace->looked = !in_bursts;
	}
}

void pace_told(struct pace *pace, uint32_t from, uint64_t gap_ns)
{
	pace->gaps_ns[from] = gap_ns > (uint64_t)SIM_NEVER ? SIM_NEVER : (sim_time)gap_ns;
}

/* The smallest gap that is enough for so many, itself among them: at least its own. O(n quorum) where a
 * quorum is slower than the node itself, else O(n). */
static sim_time enough_for(const struct node *node, const struct pace *pace, uint32_t quorum)
{
	sim_time gap_ns = pace->gap_ns;
	for (;;) {
		uint32_t n = 1;
		sim_time next = SIM_NEVER;
		for (uint32_t i = 0; i < node->n_validators; i++) {
			if (i == node->id) {
				continue;
			}
			n += pace->gaps_ns[i] <= gap_ns;
			if (pace->gaps_ns[i] > gap_ns && pace->gaps_ns[i] < next) {
				next = pace->gaps_ns[i];
			}
		}
		if (n >= quorum || next == SIM_NEVER) {
			return gap_ns;
		}
		gap_ns = next;
	}
}

sim_time pace_due(struct node *node, struct pace *pace, bool in_flight, uint32_t quorum)
{
	sim_time now = node_now(node);
	if (now < pace->proposed_at || now < pace->burst_at) {
		pace_let(pace); /* its clock was put back */
		return now;
	}
	sim_time gap_ns = enough_for(node, pace, quorum);
	sim_time due = sim_time_add(pace->proposed_at, in_flight ? gap_ns : gap_ns / 2);
	due = pace->proposed_at == 0 || due < pace->ready_at ? pace->ready_at : due;
	if (due <= now && !pace->looked) {
		pace->looked = true;
		pace->ready_at = inbox_done(node);
		due = pace->ready_at;
	}
	return due;
}
