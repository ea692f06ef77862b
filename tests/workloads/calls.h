/* The commands of items as calls, for the tests. */
#ifndef TESTS_WORKLOADS_CALLS_H
#define TESTS_WORKLOADS_CALLS_H

#include "workloads/application.h"

enum application_status {
	APPLICATION_ACCEPTED, /* counted; the item is open */
	APPLICATION_DUPLICATE,
	APPLICATION_LATE,
	APPLICATION_REFUSED,
	APPLICATION_NOT_FINITE,
	APPLICATION_CLOSED_NOW, /* counted, and closed the item by it */
};

static inline const char *application_reject(enum application_status status)
{
	return status == APPLICATION_CLOSED_NOW ? "" : items_rejects[status];
}

static inline enum application_status application_call(
	struct application_replica *replica, const struct command *command)
{
	struct effect effect = {.result = 0};
	items_execute(replica, command, (struct log_place){0, 0}, &effect, NULL);
	return effect.detail != NULL ? APPLICATION_CLOSED_NOW : (enum application_status)effect.reject;
}

static inline enum application_status application_predict(struct application_replica *replica, uint64_t item,
	uint32_t node, double value, double confidence)
{
	const struct command command = {.subject = item,
		.identity = node,
		.argument = {.real = {value, confidence}},
		.kind = ITEMS_PREDICTION};
	return application_call(replica, &command);
}

static inline enum application_status application_settle(
	struct application_replica *replica, uint64_t item, uint32_t node, double value)
{
	const struct command command = {
		.subject = item, .sender = node, .argument = {.real = {value, 0}}, .kind = ITEMS_PROPOSAL};
	return application_call(replica, &command);
}

static inline enum application_status application_close(
	struct application_replica *replica, uint64_t item, uint32_t gateway)
{
	const struct command command = {.subject = item, .sender = gateway, .kind = ITEMS_CLOSE};
	return application_call(replica, &command);
}

#endif
