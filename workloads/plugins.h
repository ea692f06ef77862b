/* The workloads, by name, for the registry; each is defined in a file of its own. */
#ifndef WORKLOADS_PLUGINS_H
#define WORKLOADS_PLUGINS_H

#include "workloads/workload.h"

extern const struct workload workload_requests;
extern const struct workload workload_dimweight;
extern const struct workload workload_kv;

#endif
