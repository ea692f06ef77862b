#include "analysis/figures.h"

#include "job.h"

#include <stdlib.h>
#include <string.h>

#define DONE 0
#define WRONG_REQUEST 2
#define WRONG_ENVIRONMENT 3

const struct figure_kind *const figure_kinds[] = {
	&figure_latency_cdf,
	&figure_box,
	&figure_line,
	&figure_series,
	&figure_cost,
	&figure_accuracy,
	&figure_roc,
	NULL,
};

unsigned figure_formats_parse(const char *text)
{
	static const char *const names[] = {"svg", "png", "pdf"};
	unsigned formats = 0;
	for (const char *word = text;; word++) {
		size_t length = strcspn(word, ",");
		unsigned format = 0;
		for (unsigned i = 0; i < 3; i++) {
			if (length == 3 && strncmp(word, names[i], 3) == 0) {
				format = 1u << i;
			}
		}
		if (format == 0) {
			return 0;
		}
		formats |= format;
		word += length;
		if (*word == '\0') {
			return formats;
		}
	}
}

/* "unknown WHAT `NAME`; did you mean `NEAREST`?", or the names there are. */
static int unknown(struct results_error *error, const char *what, const char *name,
	const char *const *known, size_t n)
{
	char clean[200], list[250] = "";
	text_clean(clean, sizeof(clean), name, 40);
	const char *nearest = label_nearest(clean, known, n);
	if (nearest != NULL) {
		snprintf(error->text, sizeof(error->text), "unknown %s `%s`; did you mean `%.100s`?", what,
			clean, nearest);
		return WRONG_REQUEST;
	}
	size_t i = 0;
	for (; i < n && strlen(list) + strlen(known[i]) + 8 < sizeof(list); i++) {
		list_append(list, sizeof(list), known[i], i, n);
	}
	bool kpis = strcmp(what, "KPI") == 0;
	snprintf(error->text, sizeof(error->text), "unknown %s `%s`; there %s %s%s%s", what, clean,
		n == 1 ? "is" : "are", list, i < n ? ", ..." : "", i < n && kpis ? " (`synod list kpis`)" : "");
	if (n == 0) {
		snprintf(
			error->text, sizeof(error->text), "unknown %s `%s`; the file has none", what, clean);
	}
	return WRONG_REQUEST;
}

static int find_kind(const char *name, const struct figure_kind **kind, struct results_error *error)
{
	const char *names[16];
	size_t n = 0;
	for (; figure_kinds[n] != NULL; n++) {
		names[n] = figure_kinds[n]->name;
		if (strcmp(names[n], name) == 0) {
			*kind = figure_kinds[n];
			return DONE;
		}
	}
	return unknown(error, "kind of figure", name, names, n);
}

/* A KPI is one of the runs table or of the series. */
static int check_kpi(struct frame *frame, const char *kpi, struct results_error *error)
{
	const char *names[256];
	size_t n = frame_kpis(frame, names, 200);
	const struct table_schema *schema;
	struct results_error ignored = {{0}};
	if (results_table(frame->file, TABLE_SERIES, &schema, &ignored) != NULL) {
		for (size_t i = 0; i < schema->n_columns && n < 256; i++) {
			const char *name = schema->columns[i].name;
			if (strcmp(name, "run") != 0 && strcmp(name, "time_s") != 0) {
				names[n++] = name;
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], kpi) == 0) {
			return DONE;
		}
	}
	return unknown(error, "KPI", kpi, names, n);
}

static int check_key(
	const struct frame *frame, const char *key, int *by, struct results_error *error)
{
	const char *names[FACTORS_MAX];
	for (size_t i = 0; i < frame->n_factors; i++) {
		names[i] = frame->factors[i].key;
	}
	*by = frame_factor(frame, key);
	if (*by < 0) {
		return unknown(error, "swept key", key, names, frame->n_factors);
	}
	if (frame->factors[*by].n_levels < 2) {
		snprintf(error->text, sizeof(error->text),
			"`%.100s` has one value in this file: nothing to "
			"compare by",
			key);
		return WRONG_REQUEST;
	}
	return DONE;
}

/* The files' name: the kind and what was chosen. */
static void name_files(struct figure_job *job)
{
	const struct figures_request *request = job->request;
	bool kpi = request->kpi != NULL && job->kind->takes_kpi;
	snprintf(job->name, sizeof(job->name), "%.40s%s%.60s%s%.60s", job->kind->name, kpi ? "-" : "",
		kpi ? request->kpi : "", request->by != NULL ? "-by-" : "",
		request->by != NULL ? request->by : "");
	for (char *c = job->name; *c != '\0'; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
					 (*c >= '0' && *c <= '9') || *c == '.' || *c == '_' || *c == '-';
		*c = plain ? *c : '_';
	}
}

static void say_drawn(const struct figure_job *job)
{
	static const char *const suffixes[] = {"svg", "png", "pdf"};
	const struct figures_request *request = job->request;
	if (request->log == NULL) {
		return;
	}
	for (unsigned i = 0; i < 3; i++) {
		if (request->formats & 1u << i) {
			fprintf(request->log, "%s/%s.%s\n", request->directory, job->name, suffixes[i]);
		}
	}
}

static int draw_kinds(const struct figures_request *request, const struct frame *frame, int by,
	const struct figure_kind *only, struct results_error *error)
{
	size_t n_drawn = 0;
	for (size_t i = 0; figure_kinds[i] != NULL; i++) {
		const struct figure_kind *kind = figure_kinds[i];
		if (only != NULL ? kind != only : request->kpi != NULL && !kind->takes_kpi) {
			continue;
		}
		struct figure_job job = {.request = request, .frame = frame, .kind = kind, .by = by};
		name_files(&job);
		enum figure_outcome outcome = kind->draw(&job, error);
		if (outcome == FIGURE_FAILED) {
			return WRONG_ENVIRONMENT;
		}
		if (outcome == FIGURE_DRAWN) {
			n_drawn++;
			say_drawn(&job);
		} else if (request->log != NULL && only == NULL) {
			fprintf(request->log, "skipped %s: %s\n", kind->name, error->text);
		}
	}
	if (n_drawn == 0) {
		struct results_error why = *error;
		snprintf(error->text, sizeof(error->text), "%.200s: nothing to show%s%.200s", request->path,
			only != NULL ? ": " : "", only != NULL ? why.text : "");
		return WRONG_REQUEST;
	}
	error->text[0] = '\0';
	return DONE;
}

unsigned figure_axes_parse(const char *text)
{
	static const struct {
		const char *text;
		unsigned axes;
	} known[] = {{"x", FIGURE_X}, {"y", FIGURE_Y}, {"x,y", FIGURE_X | FIGURE_Y}, {"y,x", FIGURE_X | FIGURE_Y},
		{"xy", FIGURE_X | FIGURE_Y}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(text, known[i].text) == 0) {
			return known[i].axes;
		}
	}
	return 0;
}

int figures_plot(const struct figures_request *request, struct results_error *error)
{
	struct figures_request full = *request;
	full.directory = full.directory == NULL ? "figures" : full.directory;
	full.formats = full.formats == 0 ? FIGURE_SVG | FIGURE_PNG : full.formats;
	const struct figure_kind *only = NULL;
	error->text[0] = '\0';
	if (full.kind != NULL && find_kind(full.kind, &only, error) != DONE) {
		return WRONG_REQUEST;
	}
	if (only != NULL && full.kpi != NULL && !only->takes_kpi) {
		snprintf(
			error->text, sizeof(error->text), "a figure of kind `%s` takes no KPI", only->name);
		return WRONG_REQUEST;
	}
	for (unsigned axis = FIGURE_X; axis <= FIGURE_Y; axis <<= 1) {
		if ((full.logarithmic & axis) != 0 && (only == NULL || (only->logarithms & axis) == 0)) {
			snprintf(error->text, sizeof(error->text), "%s%s%s: the %c axis can't be logarithmic",
				only == NULL ? "say which kind (--kind)" : "a figure of kind `", only == NULL ? "" : only->name,
				only == NULL ? "" : "`", axis == FIGURE_X ? 'x' : 'y');
			return WRONG_REQUEST;
		}
	}
	struct frame frame;
	if (!frame_open(&frame, full.path, full.where, full.n_where, error)) {
		return frame.wrong_where ? WRONG_REQUEST : WRONG_ENVIRONMENT;
	}
	int by = -1, status = DONE;
	if (full.kpi != NULL) {
		status = check_kpi(&frame, full.kpi, error);
	}
	if (status == DONE && full.by != NULL) {
		status = check_key(&frame, full.by, &by, error);
	}
	if (status == DONE) {
		status = draw_kinds(&full, &frame, by, only, error);
	}
	frame_close(&frame);
	return status;
}
