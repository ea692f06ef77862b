#include "progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_EVERY_S 5.0
#define BAR_WIDTH 30

struct progress {
	bool quiet, is_terminal, shown, said_last;
	double last_line_s;
};

struct progress *progress_create(bool quiet)
{
	struct progress *progress = calloc(1, sizeof(*progress));
	if (progress != NULL) {
		progress->quiet = quiet;
		progress->is_terminal = isatty(STDERR_FILENO) != 0;
	}
	return progress;
}

static void format_time(char text[32], double seconds)
{
	if (seconds < 60) {
		snprintf(text, 32, "%.0f s", seconds);
	} else if (seconds < 3600) {
		snprintf(text, 32, "%.0f min %02.0f s", (double)(int)(seconds / 60),
			seconds - 60 * (double)(int)(seconds / 60));
	} else {
		snprintf(text, 32, "%.1f h", seconds / 3600);
	}
}

void progress_show(struct progress *progress, const struct run_all_progress *now)
{
	if (progress == NULL || progress->quiet || now->elapsed_s < .5) {
		return;
	}
	bool is_last = now->n_done == now->n_runs;
	if (is_last && progress->said_last) {
		return;
	}
	progress->said_last = is_last;
	if (!progress->is_terminal && !is_last && now->elapsed_s - progress->last_line_s < LINE_EVERY_S) {
		return;
	}
	if (!progress->is_terminal && is_last && !progress->shown) {
		return; /* it was over before the first line */
	}
	progress->last_line_s = now->elapsed_s;
	progress->shown = true;
	uint64_t n_new = now->n_done - now->n_resumed;
	char left[32] = "?";
	if (n_new > 0) {
		format_time(left, now->elapsed_s / (double)n_new * (double)(now->n_runs - now->n_done));
	}
	double rate = (double)now->events / now->elapsed_s;
	if (!progress->is_terminal) {
		fprintf(stderr, "synod: %llu of %llu runs, %.3g M events/s, %s left\n",
			(unsigned long long)now->n_done, (unsigned long long)now->n_runs, rate / 1e6, left);
		return;
	}
	char bar[BAR_WIDTH + 1];
	size_t full = (size_t)((double)BAR_WIDTH * (double)now->n_done / (double)now->n_runs);
	memset(bar, '#', full);
	memset(bar + full, '.', BAR_WIDTH - full);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, "\r[%s] %llu/%llu runs  %.3g M events/s  %s left \033[K", bar,
		(unsigned long long)now->n_done, (unsigned long long)now->n_runs, rate / 1e6, left);
	fflush(stderr);
}

void progress_destroy(struct progress *progress)
{
	if (progress != NULL && progress->is_terminal && progress->shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	free(progress);
}
