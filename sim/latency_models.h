/* What the latency models share. */
#ifndef SIM_LATENCY_MODELS_H
#define SIM_LATENCY_MODELS_H

#include "engine/latency.h"

/* The nearest nanosecond; what is too long for the clock never arrives. */
static inline sim_time delay_of(double delay_ns)
{
	if (!(delay_ns > 0)) {
		return 0;
	}
	return delay_ns < 0x1p63 ? (sim_time)(delay_ns + 0.5) : SIM_NEVER;
}

#endif
