#include "restart.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE "SYNOD_DIED"

/* What a signal handler needs, which is given nothing of ours. */
static char **kept_arguments;
static char **environment;
static char told[256];
static int kept_descriptor = -1;

void restart_keep(char **arguments)
{
	kept_arguments = arguments;
}

bool restart_found(struct restart *restart)
{
	const char *text = getenv(VARIABLE);
	unsigned long long run;
	int length = 0;
	if (text == NULL || sscanf(text, "%llu %d %n", &run, &restart->descriptor, &length) != 2 || length == 0) {
		return false;
	}
	restart->run = run;
	snprintf(restart->reason, sizeof(restart->reason), "%s", text + length);
	unsetenv(VARIABLE);
	return true;
}

void restart_arm(int descriptor)
{
	extern char **environ;
	size_t n = 0;
	while (environ[n] != NULL) {
		n++;
	}
	environment = calloc(n + 2, sizeof(*environment));
	if (environment == NULL) {
		return;
	}
	memcpy(environment, environ, n * sizeof(*environment));
	environment[n] = told;
	kept_descriptor = descriptor;
}

void restart_now(uint64_t run, const char *reason)
{
	if (environment == NULL || kept_arguments == NULL) {
		return;
	}
	/* Plain numbers and texts need no memory of the heap. */
	snprintf(told, sizeof(told), VARIABLE "=%llu %d %s", (unsigned long long)run, kept_descriptor, reason);
	/* The handler's signal must not stay blocked; nothing can come of its coming again before the end. */
	sigset_t none;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", kept_arguments, environment);
}
