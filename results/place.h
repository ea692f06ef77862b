/* Places on disk: the few steps by which a file comes under its final name whole, with errors in
 * words. */
#ifndef RESULTS_PLACE_H
#define RESULTS_PLACE_H

#include "results/results.h"

/* PATH with an ending; the caller frees it. */
char *place_beside(const char *path, const char *ending);

/* Can a result be put at `path`? False, with the reason, where its folder does not exist, or there is something
 * else than a plain file that may be written: a device would be replaced by the renaming, a symbolic link as
 * well, and a file that is read-only is so because somebody wants to keep it. */
bool place_check(const char *path, struct results_error *error);

/* A file of ours beside a result, to read and write: opened where it is there, else made. Never through a
 * symbolic link, and never one that begins with other bytes than `magic`; one that is empty or ends within them
 * is ours, cut off by a kill. The descriptor, or -1. */
int place_open(const char *path, const void *magic, size_t magic_bytes, struct results_error *error);

/* The same, but empty. */
int place_create(const char *path, const void *magic, size_t magic_bytes, struct results_error *error);

/* Renames and makes the new name last through a loss of power. */
bool place_rename(const char *from, const char *to, struct results_error *error);

#endif
