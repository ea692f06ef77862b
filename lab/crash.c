#include "lab/crash.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_RUN UINT64_MAX
#define STACK_BYTES 65536

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A signal's handler is given nothing of ours: so what it needs stands here. */
static void (*watcher)(uint64_t run, const char *reason);
static volatile sig_atomic_t dying;
static _Thread_local volatile uint64_t current_run = NO_RUN;
static _Thread_local char cause[160]; /* of an assertion that failed */

static void on_crash(int number, siginfo_t *info, void *context)
{
	/* Sent by somebody else, it is about the program and no run. */
	bool own = info->si_code > 0 || info->si_pid == getpid();
	if (own && current_run != NO_RUN) {
		if (__atomic_exchange_n(&dying, 1, __ATOMIC_SEQ_CST)) {
			for (;;) {
				pause(); /* another thread has died first and ends us all */
			}
		}
		/* Plain texts need no memory of the heap, which may be spoilt. */
		if (number != SIGABRT || cause[0] == '\0') {
			snprintf(cause, sizeof(cause), "signal SIG%s", sigabbrev_np(number));
		}
		watcher(current_run, cause);
	}
	signal(number, SIG_DFL);
	raise(number); /* comes when the handler returns */
}

void crash_watch(void (*died)(uint64_t run, const char *reason))
{
	static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	watcher = died;
	struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	for (size_t i = 0; i < (SANITIZED ? 1 : sizeof(deadly) / sizeof(*deadly)); i++) {
		sigaction(deadly[i], &action, NULL);
	}
}

void crash_stack_init(struct crash_stack *stack)
{
	stack->memory = malloc(STACK_BYTES);
	if (stack->memory != NULL) {
		sigaltstack(&(stack_t){.ss_sp = stack->memory, .ss_size = STACK_BYTES}, NULL);
	}
}

void crash_stack_finish(struct crash_stack *stack)
{
	if (stack->memory != NULL) {
		sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
		free(stack->memory);
	}
}

void crash_enter(uint64_t run)
{
	cause[0] = '\0';
	current_run = run;
}

void crash_leave(void)
{
	current_run = NO_RUN;
}

/* Takes the C library's place under `assert`, to keep the text; what is printed is the same. The path is that
 * from the source tree, so that the reason does not depend on where the build is. */
void __assert_fail(const char *text, const char *file, unsigned line, const char *function)
{
	const char *within = file;
	while (strncmp(within, "../", 3) == 0) {
		within += 3;
	}
	snprintf(cause, sizeof(cause), "assertion %.90s (%s:%u)", text, within, line);
	fprintf(stderr, "synod: %s:%u: %s: Assertion `%s' failed.\n", within, line, function, text);
	abort();
}
