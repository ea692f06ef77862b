/* One fault in a test's world. */
#ifndef TESTS_SIM_FAULTS_H
#define TESTS_SIM_FAULTS_H

#include "host.h"

#include "engine/fault.h"

#include <stdio.h>

static inline const struct fault *fault_find(const char *name)
{
	for (size_t i = 0; fault_registry.plugins[i] != NULL; i++) {
		if (strcmp(fault_registry.plugins[i]->name, name) == 0) {
			return (const struct fault *)fault_registry.plugins[i];
		}
	}
	fail_msg("no fault \"%s\"", name);
	return NULL;
}

#define FAULTS_MAX 4

/* Adds them all, as a scenario's list; the settings must live as long as the world. */
struct fault_entry {
	const char *name;
	const void *settings;
};

static inline void faults_add(struct host *host, const struct fault_entry *entries, size_t n)
{
	struct plugin_value values[FAULTS_MAX];
	assert_true(n <= FAULTS_MAX);
	for (size_t i = 0; i < n; i++) {
		values[i] = (struct plugin_value){
			&fault_find(entries[i].name)->plugin, (void *)(uintptr_t)entries[i].settings};
	}
	struct plugin_list list = {n, values};
	world_faults(&host->world, &list);
}

static inline void fault_add(struct host *host, const char *name, const void *settings)
{
	faults_add(host, &(struct fault_entry){name, settings}, 1);
}

#define NODES(...)                                                                                 \
	{                                                                                              \
		.n = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),                           \
		.nodes = (const uint32_t[]){__VA_ARGS__}, .given = true                                    \
	}
#define LEADER                                                                                     \
	{                                                                                              \
		.leader = true, .given = true                                                              \
	}

/* Fails where `finish` takes what is wrong, or names another parameter, or can't say it in 200 bytes. */
static inline void fault_assert_refused(
	const char *name, const void *settings, const struct shape *shape, const char *param)
{
	const struct plugin *plugin = &fault_find(name)->plugin;
	char copy[512];
	assert_true(plugin->settings_size <= sizeof(copy));
	memcpy(copy, settings, plugin->settings_size);
	const char *got = NULL;
	char error[256] = "";
	bool good = plugin->finish(copy, shape, &got, error);
	if (param == NULL) {
		if (!good) {
			fail_msg("refused: %s: %s", got, error);
		}
		return;
	}
	assert_false(good);
	assert_string_equal(got, param);
	assert_true(strlen(error) > 5 && strlen(error) <= 240);
}

/* What the tracer was told, joined: faults as "at node what", drops as "at from>to why". */
struct told {
	struct tracer tracer;
	struct host *host;
	char text[4096];
};

static inline void told_fault(void *context, uint32_t node, const char *what)
{
	struct told *told = context;
	size_t n = strlen(told->text);
	snprintf(told->text + n, sizeof(told->text) - n, "%lld %d %s; ", (long long)told->host->world.now,
		(int)node, what);
}

static inline void told_drop(void *context, uint32_t to, const struct message *message, const char *why)
{
	struct told *told = context;
	size_t n = strlen(told->text);
	snprintf(told->text + n, sizeof(told->text) - n, "%lld %u>%u %s; ",
		(long long)told->host->world.now, message->from, to, why);
}

static inline void told_listen(struct told *told, struct host *host)
{
	*told = (struct told){
		.tracer = {.context = told, .fault = told_fault, .dropped = told_drop}, .host = host};
	world_listen(&host->world, &told->tracer);
}

#endif
