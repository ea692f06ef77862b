#include "traced.h"

#include <stdlib.h>
#include <string.h>

const struct trace_filter everything = {.until_ns = SIM_NEVER};

const char one_request[] = "title: one\nvalidators: 4\nprotocol: pbft\nstop: {items: 1}\n"
								  "network: {latency: {kind: constant, value: 10 ms}}\n"
								  "workload: requests\n";

const char crashed[] = "validators: 4\nprotocol: {kind: pbft, view_timeout: 100 ms}\nstop: {items: 1}\n"
							  "network: {latency: {kind: constant, value: 10 ms}}\n"
							  "workload: {kind: requests, client_timeout: 40 ms}\n"
							  "faults: [{kind: crash, nodes: [0], until: 190 ms}]\n";

/* The run's digest goes to `digest` where that is not NULL. */
void run_with(const struct study *study, const struct trace_sink *sink, size_t point, char *digest)
{
	struct run_request request = {
		.file = study->file,
		.schemas = &study->schemas,
		.point = point,
		.trace = sink,
	};
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char error[256] = "";
	if (!run_one(&request, &blocks, &summary, error)) {
		fail_msg("the run can't be set up: %s", error);
	}
	run_blocks_finish(&blocks);
	if (digest != NULL) {
		memcpy(digest, summary.digest, sizeof(summary.digest));
	}
}

char *text_of(const char *scenario, const struct trace_filter *filter)
{
	struct study *study = study_open("%s", scenario);
	char *text = NULL;
	size_t n;
	struct trace_text sink = {.out = open_memstream(&text, &n), .filter = filter};
	struct trace_sink hears = trace_text_sink(&sink);
	run_with(study, &hears, 0, NULL);
	fclose(sink.out);
	study_close(study);
	return text;
}

char *chrome_of(const struct study *study, const struct trace_filter *filter)
{
	char *text = NULL;
	size_t n;
	struct trace_chrome sink = {.out = open_memstream(&text, &n), .filter = filter};
	struct trace_sink hears = trace_chrome_sink(&sink);
	run_with(study, &hears, 0, NULL);
	trace_chrome_finish(&sink);
	fclose(sink.out);
	return text;
}

void assert_says(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) == NULL) {
		fail_msg("this does not say \"%s\":\n%s", part, text == NULL ? "" : text);
	}
}

void assert_silent(const char *text, const char *part)
{
	if (text == NULL || strstr(text, part) != NULL) {
		fail_msg("this says \"%s\":\n%s", part, text == NULL ? "" : text);
	}
}
