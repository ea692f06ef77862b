/* What a plugin's settings say, as 128 bits: two that mean the same have one key, wherever they lie. */
#ifndef WORKLOADS_PLUGIN_KEY_H
#define WORKLOADS_PLUGIN_KEY_H

#include "sim/param.h"

/* Goes on with a key (at first {0, 0}) by bytes, and by a plugin and those of its parameters that count (NULL: all
 * do). */
void key_add(uint64_t key[2], const void *bytes, size_t n);
void key_add_plugin(
	uint64_t key[2], const struct plugin_value *value, bool (*counts)(const struct param *));

#endif
