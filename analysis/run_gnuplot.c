#include "run_gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_FOUND 127

/* Takes gnuplot's settings out of the environment: GNUTERM, GNUPLOT_LIB, GDFONTPATH, FIT_LOG and their like. */
static void forget_settings(void)
{
	static const char *const prefixes[] = {"GNUTERM", "GNUPLOT", "GNUHELP", "GDFONTPATH", "FIT_"};
	extern char **environ;
	char **kept = environ;
	for (char **at = environ; *at != NULL; at++) {
		bool forget = false;
		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
			forget = forget || strncmp(*at, prefixes[i], strlen(prefixes[i])) == 0;
		}
		if (!forget) {
			*kept++ = *at;
		}
	}
	*kept = NULL;
}

static void child(const char *directory, const char *script, int errors)
{
	/* Of a group of its own, to be ended with all that it starts; and never left behind. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGXFSZ, SIG_DFL);
	int none = open("/dev/null", O_RDWR);
	if (none >= 0) {
		dup2(none, 0);
		dup2(none, 1);
	}
	dup2(errors, 2);
	if (chdir(directory) != 0) {
		_exit(126);
	}
	forget_settings();
	/* -d: neither the system's settings nor the user's. */
	execlp("gnuplot", "gnuplot", "-d", script, (char *)NULL);
	_exit(errno == ENOENT ? NOT_FOUND : 126);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Gathers what it says, until it ends or the time is up: then false. */
static bool listen_to(int from, int64_t until_ms, char *said, size_t size)
{
	size_t length = 0;
	said[0] = '\0';
	for (;;) {
		struct pollfd wait = {.fd = from, .events = POLLIN};
		int64_t left_ms = until_ms - now_ms();
		int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
		if (ready == 0) {
			return false;
		}
		char bytes[512];
		ssize_t n = ready < 0 ? -1 : read(from, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return true;
		}
		for (ssize_t i = 0; i < n && length + 1 < size; i++) {
			said[length++] = bytes[i] == '\n' ? ' ' : bytes[i];
		}
		said[length] = '\0';
	}
}

/* Waits for its end; false where the time is up before. */
static bool wait_for(pid_t process, int64_t until_ms, int *status)
{
	for (long pause_ns = 100000;; pause_ns = pause_ns < 10000000 ? 2 * pause_ns : pause_ns) {
		pid_t ended = waitpid(process, status, WNOHANG);
		if (ended == process || (ended < 0 && errno != EINTR)) {
			return true;
		}
		if (now_ms() >= until_ms) {
			return false;
		}
		nanosleep(&(struct timespec){0, pause_ns}, NULL);
	}
}

bool run_gnuplot(
	const char *directory, const char *script, unsigned seconds_max, struct results_error *error)
{
	int ends[2];
	if (pipe(ends) != 0) {
		snprintf(error->text, sizeof(error->text), "gnuplot can't be started: %s", strerror(errno));
		return false;
	}
	fflush(NULL);
	pid_t process = fork();
	if (process < 0) {
		snprintf(error->text, sizeof(error->text), "gnuplot can't be started: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (process == 0) {
		close(ends[0]);
		child(directory, script, ends[1]);
	}
	close(ends[1]);
	int64_t until_ms = now_ms() + (int64_t)seconds_max * 1000;
	char said[360];
	int status = 0;
	bool ended = listen_to(ends[0], until_ms, said, sizeof(said)) && wait_for(process, until_ms, &status);
	close(ends[0]);
	if (!ended) {
		kill(-process, SIGKILL);
		kill(process, SIGKILL);
		while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
		}
		snprintf(error->text, sizeof(error->text), "gnuplot was not done with %.100s after %u s and was ended%s%s",
			script, seconds_max, said[0] ? "; it had said: " : "", said);
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return true;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND) {
		snprintf(error->text, sizeof(error->text),
			"gnuplot is missing: figures need the program `gnuplot` (Debian: gnuplot-nox)");
	} else {
		snprintf(error->text, sizeof(error->text), "gnuplot failed on %.100s: %s", script,
			WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : said);
	}
	return false;
}
