/* A tiny host for the engine's tests: it keeps a trace of what reaches nodes, hands on to the
 * test's own handlers where these are set, and stops the world when it is overdue. */
#ifndef TESTS_SIM_HOST_H
#define TESTS_SIM_HOST_H

#include "engine/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum trace_what { TRACE_MESSAGE, TRACE_CLIENT, TRACE_TIMER, TRACE_CLIENT_TIMER, TRACE_RESTART };

struct trace {
	sim_time at;
	enum trace_what what;
	uint32_t node;
	uint32_t from;     /* of a message */
	uint32_t which;    /* a message's kind, or the timer */
	uint64_t instance; /* of a message */
};

struct host {
	struct world world;
	struct host_ops ops;
	struct trace *trace;
	size_t n, capacity;
	bool silent; /* keeps no trace */

	void (*on_message)(struct host *host, struct node *node, const struct message *message);
	void (*on_timer)(struct host *host, struct node *node, unsigned timer);
	void (*on_restart)(struct host *host, struct node *node);
	void (*on_overdue)(struct host *host, sim_time next_ns); /* else the world is stopped */
	void (*on_changed)(struct host *host, struct node *node);
	uint64_t n_overdue, n_fault_beginnings, n_fault_ends, n_changes;
	sim_time overdue_next;
	uint32_t leader;
	void *user; /* the test's */
};

/* A model of delays with its settings, as a scenario would fill them in. */
struct host_latency {
	const struct latency_model *model;
	_Alignas(16) char settings[64];
};

/* NULL for names that the model does not have. */
struct host_latency host_latency(
	const char *kind, const char *name_1, sim_time value_1, const char *name_2, sim_time value_2);
struct host_latency host_constant(sim_time delay_ns);
/* Draws as any model does, but always the same. */
struct host_latency host_equal(sim_time delay_ns);

struct world_settings host_settings(uint32_t n_validators, const struct host_latency *latency);

/* events_max 0: no bound. */
struct host *host_create(const struct world_settings *settings);
/* With a constant delay and nothing else. */
struct host *host_with_delay(uint32_t n, sim_time delay_ns, uint64_t events_max);
void host_destroy(struct host *host);

/* Sends from outside a handler, now. `to` NODE_NONE: to all others. */
void host_send(struct host *host, uint32_t from, uint32_t to, unsigned kind, uint32_t size_bytes,
	uint64_t instance);
/* The same at a time to come. */
void host_send_at(struct host *host, sim_time at_ns, uint32_t from, uint32_t to, unsigned kind,
	uint32_t size_bytes, uint64_t instance);

void host_assert_trace(const struct host *host, const struct trace *expected, size_t n);
#define host_assert_traced(host, ...)                                                              \
	host_assert_trace((host), (const struct trace[]){__VA_ARGS__},                                 \
		sizeof((const struct trace[]){__VA_ARGS__}) / sizeof(struct trace))
void host_assert_same(const struct host *a, const struct host *b);
void host_assert_digests(struct host *a, struct host *b, bool equal);

/* Within 3 standard errors. */
void host_assert_near(double got, double expected, double standard_error);

static inline struct trace timer_at(sim_time at, uint32_t node, unsigned which)
{
	return (struct trace){
		at, which == NODE_TIMER_CLIENT ? TRACE_CLIENT_TIMER : TRACE_TIMER, node, 0, which, 0};
}

#define KIND MESSAGE_PROTOCOL

#endif
