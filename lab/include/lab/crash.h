/* What a run dies of: signals (a wild pointer, a stack that ran out, abort) and assertions.
 *
 * A crash leaves memory that can't be trusted, so nothing is repaired within the process: the handler finds out
 * which run the dying thread was in and why, and hands that to whoever watches, who replaces the whole process
 * by a fresh one (cli/restart.c). A run that does not die pays nothing. */
#ifndef LAB_CRASH_H
#define LAB_CRASH_H

#include <stdint.h>

/* From now on `died` is called, once, in the handler, when a thread dies within a run; it must do only what a
 * signal handler may, and should not return: else the program dies as it would have.
 * A sanitizer's own handlers are left in place: then only what aborts is caught. */
void crash_watch(void (*died)(uint64_t run, const char *reason));

/* A stack for handlers, so that a thread that overran its own can still tell; for the calling thread. */
struct crash_stack {
	void *memory;
};
void crash_stack_init(struct crash_stack *stack);
void crash_stack_finish(struct crash_stack *stack);

/* The calling thread is in this run, until crash_leave. */
void crash_enter(uint64_t run);
void crash_leave(void);

#endif
