/* A fresh process in place of one that is dying: the same program with the same arguments, told by its environment
 * which run it died of, why, and under which descriptor the finished ones are kept. What the dying one has in
 * memory is not to be trusted; so nothing of it is used but what stands ready here. */
#ifndef CLI_RESTART_H
#define CLI_RESTART_H

#include <stdbool.h>
#include <stdint.h>

/* What an earlier process left. */
struct restart {
	uint64_t run;
	int descriptor; /* of the nameless journal; -1: none */
	char reason[160];
};

/* Keeps the arguments; call it first. */
void restart_keep(char **arguments);
/* Is this such a process? Asked once: children are not. */
bool restart_found(struct restart *restart);
/* From now on restart_now can do its work: `descriptor` is that of the nameless journal, or -1. */
void restart_arm(int descriptor);
/* In a signal handler: replaces the process. Returns where that can't be done. */
void restart_now(uint64_t run, const char *reason);

#endif
