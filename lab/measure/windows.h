/* The windows of a run in time, `series.window` long. */
#ifndef LAB_WINDOWS_H
#define LAB_WINDOWS_H

#include "lab.h"

/* The window in which a moment lies. */
static inline int64_t window_of(const struct lab *lab, sim_time at)
{
	return at / lab->scenario->window_ns;
}

/* How many windows a run has: the last one may be shorter, none is empty. */
static inline int64_t n_windows(const struct lab *lab)
{
	return window_of(lab, lab->world.now) + (lab->world.now % lab->scenario->window_ns != 0);
}

/* The same at the run's end: its last moment belongs to the last window. */
static inline int64_t window_within(const struct lab *lab, sim_time at)
{
	int64_t window = window_of(lab, at), n = n_windows(lab);
	return window == n && n > 0 ? n - 1 : window;
}

#endif
