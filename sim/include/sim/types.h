/* The few types that everything shares: simulated time and its limits.
 *
 * Time is a signed 64-bit count of nanoseconds from the start of the run, so that sums are exact and
 * ties are ties. It lasts 292 years; every sum of a time and a span saturates at SIM_NEVER. */
#ifndef SIM_TYPES_H
#define SIM_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t sim_time;

#define SIM_NEVER INT64_MAX
#define SIM_US INT64_C(1000)
#define SIM_MS INT64_C(1000000)
#define SIM_TIMER_MIN SIM_US /* no timer that starts itself again is shorter: a run would do nothing else */
#define SIM_SECOND INT64_C(1000000000)

/* The larger bound on validators that handles, bit sets and files are made for. */
#define SIM_NODES_MAX (1u << 20)

/* a + b for times of at least 0, saturating at SIM_NEVER. */
static inline sim_time sim_time_add(sim_time a, sim_time b)
{
	assert(a >= 0 && b >= 0);
	return a > SIM_NEVER - b ? SIM_NEVER : a + b;
}

static inline double sim_time_to_s(sim_time t_ns)
{
	return (double)t_ns / 1e9;
}

#endif
