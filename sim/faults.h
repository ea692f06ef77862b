/* What the files of the faults share: windows, whom a list means, and the table entries of all. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "engine/fault.h"
#include "engine/latency.h"
#include "world_inner.h"

#include <stddef.h>
#include <stdio.h>

#define FAULT_WINDOW(type)                                                                          \
	{.name = "from", .kind = PARAM_DURATION, .offset = offsetof(type, common.from_ns),              \
		.fallback = "0 s", .unit = "s", .help = "when it begins"},                                  \
	{                                                                                               \
		.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,                                \
		.offset = offsetof(type, common.until_ns), .fallback = "off", .unit = "s",                  \
		.help = "when it ends (half-open); off: never"                                              \
	}

#define FAULT_PROBABILITY(type, what)                                                               \
	{                                                                                               \
		.name = "probability", .kind = PARAM_REAL, .flags = PARAM_REQUIRED,                         \
		.offset = offsetof(type, probability), .min = 0, .max = 1, .unit = "", .help = what         \
	}

#define FAULT_AMONG(type)                                                                           \
	{                                                                                               \
		.name = "among", .kind = PARAM_CHOICE, .offset = offsetof(type, among),                     \
		.choices = "validators|all", .fallback = "validators", .unit = "",                          \
		.help = "whose messages: the protocol's between validators, or also what passes with clients" \
	}

#define FAULT_NODES(type, field, key, required, what)                                               \
	{                                                                                               \
		.name = key, .kind = PARAM_NODES, .flags = required, .offset = offsetof(type, field),       \
		.unit = "", .help = what                                                                    \
	}

/* No kind of latency, or `none`. */
static inline bool adds_nothing(const struct plugin_value *delay)
{
	return delay->plugin == NULL || delay->plugin == latency_extra_registry.plugins[0];
}

/* For `finish`: refuses a window that ends before it begins. */
bool fault_finish_window(
	void *settings, const struct shape *shape, const char **param, char error[256]);
/* Refuses a list that was given and is empty. */
bool fault_finish_nodes(
	const struct node_list *nodes, const char *name, const char **param, char error[256]);
/* Refuses, naming the parameter; returns false. */
bool fault_refuse(const char *name, const char **param, char error[256], const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A fault that holds from one moment to another. */
struct fault_window {
	const struct fault_common *common;
	const char *begins, *ends;     /* for the tracer */
	const struct node_list *nodes; /* of whom to tell it; NULL: of nobody alone */
	void (*change)(struct world *world, void *state, bool begins);
	void *state;
	bool links; /* it cuts, and its end may heal */
	bool early; /* from time 0 it must hold before the first event */
	bool begun;
};

/* Puts a copy of it into the schedule. Ends come before all else of their instant. */
void fault_window_schedule(struct world *world, const struct fault_window *window);

/* Sets `bit` in the marks of all whom the list means now; everyone where it is not given. */
void fault_mark(struct world *world, const struct node_list *list, uint8_t *marks, uint8_t bit);

/* The numbers that a fault draws for copies: the same whatever else happens. */
struct random_key fault_key(const struct world *world, uint32_t index, uint32_t which);

static inline uint64_t fault_counter(const struct node *from, const struct message *message)
{
	return (uint64_t)from->id << 32 | message->number;
}

/* What is lost or garbled with a probability for a while. */
void fault_add_loss(struct world *world, const struct loss_window *window);
/* One of these windows has opened or closed. */
void fault_losses_change(struct world *world);

#endif
