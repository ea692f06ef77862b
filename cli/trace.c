/* synod trace: one run's messages, as text, as Chrome's trace events, or as a space-time figure. */
#include "command.h"
#include "trace_figure.h"

#include "lab/run.h"
#include "scenarios/scenario.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec options[] = {
	{"--set", NULL, "KEY=VALUE", "sets a key by its dotted path, before anything is checked"},
	{"--run", NULL, "N", "which run, as in the result file's table; without: 0"},
	{"--point", NULL, "P", "or which point of the sweep; without: 0"},
	{"--replication", NULL, "R", "and which replication of it; without: 0"},
	{"--from", NULL, "TIME", "nothing before this, such as '30 ms'"},
	{"--until", NULL, "TIME", "nothing from then on"},
	{"--node", "-n", "N,...", "only what happens at these: validators 3 or v3, clients c0"},
	{"--kind", "-k", "K,...", "only these messages (prepare) and events (send, reason, committed)"},
	{"--without", NULL, "K,...", "all but these messages, phases of them (heartbeat) and events"},
	{"--format", "-f", "FORMAT", "text, chrome, svg, png or pdf; without: by the file's ending, or text"},
	{"--output", "-o", "FILE", "where it goes (.txt, .json, .svg, .png, .pdf); without: standard output"},
	{"--narrow", NULL, NULL, "a figure 8.5 cm wide, one column of a paper; without: 17.5 cm"},
	{0},
};

enum {
	OPTION_SET,
	OPTION_RUN,
	OPTION_POINT,
	OPTION_REPLICATION,
	OPTION_FROM,
	OPTION_UNTIL,
	OPTION_NODE,
	OPTION_KIND,
	OPTION_WITHOUT,
	OPTION_FORMAT,
	OPTION_OUTPUT,
	OPTION_NARROW,
};

static const char *last(const struct option_values *values)
{
	return values->n == 0 ? NULL : values->values[values->n - 1];
}

/* Formats. */

enum format { FORMAT_TEXT, FORMAT_CHROME, FORMAT_SVG, FORMAT_PNG, FORMAT_PDF, FORMAT_N };

static const struct {
	const char *name, *ending;
	unsigned figure; /* of enum figure_format; 0: none */
} formats[FORMAT_N] = {
	{"text", "txt", 0},
	{"chrome", "json", 0},
	{"svg", "svg", FIGURE_SVG},
	{"png", "png", FIGURE_PNG},
	{"pdf", "pdf", FIGURE_PDF},
};

static bool choose_format(const char *name, const char *output, enum format *format)
{
	const char *dot = output == NULL ? NULL : strrchr(output, '.');
	const char *slash = output == NULL ? NULL : strrchr(output, '/');
	const char *ending = dot == NULL || (slash != NULL && dot < slash) ? NULL : dot + 1;
	for (enum format i = 0; i < FORMAT_N; i++) {
		if (name != NULL ? strcmp(name, formats[i].name) == 0
						 : ending != NULL && strcmp(ending, formats[i].ending) == 0) {
			*format = i;
			if (formats[i].figure == 0) {
				return true;
			}
			if (output == NULL) {
				complain("a figure wants a file: -o FILE.%s", formats[i].ending);
				return false;
			}
			/* Script and data stand beside it under the same name, so the ending must be the format's. */
			if (ending == NULL || strcmp(ending, formats[i].ending) != 0) {
				complain("--format %s wants a file that ends in .%s, got '%s'", formats[i].name,
					formats[i].ending, output);
				return false;
			}
			return true;
		}
	}
	if (name != NULL) {
		complain("--format takes text, chrome, svg, png or pdf, got '%s'", name);
		return false;
	}
	if (output != NULL) {
		complain("%s: the ending says no format (.txt, .json, .svg, .png, .pdf); --format would", output);
		return false;
	}
	*format = FORMAT_TEXT;
	return true;
}

/* Which run. */

static bool choose_run(const struct option_values *values, const struct scenario_file *file,
	struct run_request *request)
{
	long long n_points = (long long)scenario_n_points(file);
	long long n_replications = scenario_point(file, 0)->replications;
	long long run = 0;
	long long point = 0;
	long long replication = 0;
	bool by_run = values[OPTION_RUN].n > 0;
	if (by_run && (values[OPTION_POINT].n > 0 || values[OPTION_REPLICATION].n > 0)) {
		complain("--run names a point and a replication: give it or those, not both");
		return false;
	}
	if (by_run && !option_number("--run", last(&values[OPTION_RUN]), 0,
					  n_points * n_replications - 1, &run)) {
		return false;
	}
	if (values[OPTION_POINT].n > 0 &&
		!option_number("--point", last(&values[OPTION_POINT]), 0, n_points - 1, &point)) {
		return false;
	}
	if (values[OPTION_REPLICATION].n > 0 &&
		!option_number("--replication", last(&values[OPTION_REPLICATION]), 0, n_replications - 1,
			&replication)) {
		return false;
	}
	request->point = (uint64_t)(by_run ? run / n_replications : point);
	request->replication = (uint64_t)(by_run ? run % n_replications : replication);
	return true;
}

/* What of it. */

struct window {
	sim_time from_ns, until_ns;
};

/* Times are written as in a scenario, and read by what reads those. */
static const struct param window_params[] = {
	{.name = "from", .kind = PARAM_DURATION, .offset = offsetof(struct window, from_ns),
		.fallback = "0 s", .unit = "s", .help = "nothing before this"},
	{.name = "until", .kind = PARAM_DURATION, .flags = PARAM_OFF,
		.offset = offsetof(struct window, until_ns), .fallback = "off", .unit = "s",
		.help = "nothing from then on"},
	PARAM_END,
};

static const struct plugin window_plugin = {
	.name = "trace",
	.summary = "the window of a trace",
	.params = window_params,
	.settings_size = sizeof(struct window),
};

/* The reader of scenarios knows these for settings: said as the user wrote them. */
static void print_reasons(const struct diagnostics *diagnostics)
{
	static const char set[] = "--set ";
	char *text = NULL;
	size_t n_bytes;
	FILE *stream = open_memstream(&text, &n_bytes);
	if (stream == NULL) {
		return;
	}
	diagnostics_print(diagnostics, stream);
	fclose(stream);
	for (char *rest = text, *line = strsep(&rest, "\n"); line != NULL && *line != '\0';
		 line = strsep(&rest, "\n")) {
		bool is_set = strncmp(line, set, strlen(set)) == 0;
		fprintf(stderr, "%s%s\n", is_set ? "--" : "", line + (is_set ? strlen(set) : 0));
	}
	free(text);
}

static bool choose_window(const struct option_values *values, struct trace_filter *filter)
{
	static const struct {
		int option;
		const char *key;
	} keys[] = {{OPTION_FROM, "from"}, {OPTION_UNTIL, "until"}};
	char *sets[2];
	size_t n = 0;
	for (size_t i = 0; i < 2; i++) {
		const char *value = last(&values[keys[i].option]);
		if (value != NULL && asprintf(&sets[n], "%s=%s", keys[i].key, value) >= 0) {
			n++;
		}
	}
	struct arena arena = {0};
	struct plugin_value value;
	struct diagnostics *diagnostics = diagnostics_create();
	bool good = settings_fill(
		&window_plugin, (const char *const *)sets, n, &value, &arena, diagnostics);
	print_reasons(diagnostics);
	if (good) {
		const struct window *window = value.settings;
		filter->from_ns = window->from_ns;
		filter->until_ns = window->until_ns;
		if (window->until_ns <= window->from_ns) {
			complain("--until must be later than --from");
			good = false;
		}
	}
	diagnostics_destroy(diagnostics);
	arena_finish(&arena);
	for (size_t i = 0; i < n; i++) {
		free(sets[i]);
	}
	return good;
}

/* Calls `take` for each word between commas. */
static bool each_word(const char *list, bool (*take)(void *context, const char *word), void *context)
{
	char *copy = strdup(list);
	bool good = copy != NULL;
	char *rest = copy;
	for (char *word = strsep(&rest, ","); good && word != NULL; word = strsep(&rest, ",")) {
		good = take(context, word);
	}
	free(copy);
	return good;
}

struct chosen_nodes {
	uint32_t *nodes;
	size_t n;
	uint32_t n_validators, n_clients;
};

static bool take_node(void *context, const char *word)
{
	struct chosen_nodes *chosen = context;
	bool client = word[0] == 'c';
	const char *digits = word + (word[0] == 'c' || word[0] == 'v');
	uint32_t n = client ? chosen->n_clients : chosen->n_validators;
	char *end;
	errno = 0;
	unsigned long number = strtoul(digits, &end, 10);
	if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || errno != 0 || number >= n) {
		if (chosen->n_clients > 0) {
			complain("--node takes validators v0 to v%u and clients c0 to c%u, got '%s'",
				chosen->n_validators - 1, chosen->n_clients - 1, word);
		} else {
			complain("--node takes validators v0 to v%u (gateways sit with them), got '%s'",
				chosen->n_validators - 1, word);
		}
		return false;
	}
	uint32_t *nodes = realloc(chosen->nodes, (chosen->n + 1) * sizeof(*nodes));
	if (nodes == NULL) {
		complain("out of memory");
		return false;
	}
	chosen->nodes = nodes;
	chosen->nodes[chosen->n++] = (uint32_t)number + (client ? chosen->n_validators : 0);
	return true;
}

struct chosen_kinds {
	const struct protocol *protocol;
	const char *option;
	struct trace_kinds *kinds;
};

static bool take_kind(void *context, const char *word)
{
	const struct chosen_kinds *chosen = context;
	const char *names[TRACE_N + 256 + 64];
	size_t n = 0;
	bool found = false;
	for (unsigned what = 0; what < TRACE_N; what++) {
		if (trace_words[what] == NULL) {
			continue;
		}
		names[n++] = trace_words[what];
		if (strcmp(trace_words[what], word) == 0) {
			chosen->kinds->whats |= UINT32_C(1) << what;
			found = true;
		}
	}
	for (unsigned kind = 1; kind < 256; kind++) {
		const char *name = trace_message_name(chosen->protocol, kind);
		if (name[0] == '\0' || (kind >= MESSAGE_PROTOCOL && strcmp(name, "message") == 0)) {
			continue;
		}
		names[n++] = name;
		if (strcmp(name, word) == 0) {
			chosen->kinds->kinds[kind / 64] |= UINT64_C(1) << kind % 64;
			found = true;
		}
	}
	const struct protocol_words *words = chosen->protocol->words;
	const char *const *phases = words == NULL || words->phase == NULL ? NULL : words->phase_names;
	for (size_t phase = 0; phases != NULL && phase < 64 && phases[phase] != NULL; phase++) {
		names[n++] = phases[phase];
		if (strcmp(phases[phase], word) == 0) {
			chosen->kinds->phases |= UINT64_C(1) << phase;
			found = true;
		}
	}
	if (found) {
		return true;
	}
	const char *nearest = nearest_name(word, names, n);
	if (nearest != NULL) {
		complain("%s: %s knows no '%s'; did you mean '%s'?", chosen->option,
			chosen->protocol->plugin.name, word, nearest);
		return false;
	}
	fprintf(stderr, "synod: error: %s: %s knows no '%s'; there are", chosen->option,
		chosen->protocol->plugin.name, word);
	for (size_t i = 0; i < n; i++) {
		fprintf(stderr, "%s %s", i == 0 ? "" : ",", names[i]);
	}
	fputc('\n', stderr);
	return false;
}

/* Doing it. */

static bool run_traced(struct run_request *request, const struct trace_sink *sink)
{
	struct run_blocks blocks = {0};
	struct run_summary summary;
	char error[256] = "";
	request->trace = sink;
	bool good = run_one(request, &blocks, &summary, error);
	run_blocks_finish(&blocks);
	if (!good) {
		complain("%s", error);
	}
	return good;
}

static int write_lines(struct run_request *request, const struct trace_filter *filter, enum format format,
	const char *output)
{
	FILE *out = output == NULL ? stdout : fopen(output, "w");
	if (out == NULL) {
		complain("%s: can't be written: %s", output, strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	bool good;
	if (format == FORMAT_TEXT) {
		struct trace_text text = {.out = out, .filter = filter};
		struct trace_sink sink = trace_text_sink(&text);
		good = run_traced(request, &sink);
	} else {
		struct trace_chrome chrome = {.out = out, .filter = filter};
		struct trace_sink sink = trace_chrome_sink(&chrome);
		good = run_traced(request, &sink);
		trace_chrome_finish(&chrome);
	}
	if (!good) {
		if (output != NULL) {
			fclose(out);
			remove(output);
		}
		return EXIT_ENVIRONMENT;
	}
	bool written = !ferror(out);
	if (output != NULL) {
		written = fclose(out) == 0 && written;
		if (!written) {
			complain("%s: can't be written whole: %s", output, strerror(errno));
			return EXIT_ENVIRONMENT;
		}
	}
	return EXIT_DONE;
}

/* DIR/NAME.svg: script and data beside it. */
static int draw(struct run_request *request, const struct trace_filter *filter, enum format format,
	const char *output, bool wide)
{
	char *gnuplot_data = data_folder("gnuplot");
	if (gnuplot_data == NULL) {
		complain("the gnuplot style is not where the program expects it: install it again");
		return EXIT_ENVIRONMENT;
	}
	const char *slash = strrchr(output, '/');
	const char *file = slash == NULL ? output : slash + 1;
	char *directory = slash == NULL ? strdup(".") : strndup(output, (size_t)(slash - output + 1));
	char *name = strndup(file, strlen(file) - strlen(formats[format].ending) - 1);
	int status = EXIT_ENVIRONMENT;
	struct trace_figure *figure = trace_figure_create(filter);
	struct trace_sink sink = trace_figure_sink(figure);
	if (directory != NULL && name != NULL && run_traced(request, &sink)) {
		struct figures_request drawing = {
			.directory = directory,
			.formats = formats[format].figure,
			.gnuplot_data = gnuplot_data,
		};
		struct results_error error = {0};
		status = trace_figure_draw(figure, &drawing, name, wide, &error);
		if (status != EXIT_DONE) {
			complain("%s", error.text);
		}
	}
	trace_figure_destroy(figure);
	free(name);
	free(directory);
	free(gnuplot_data);
	return status;
}

static int trace(const struct option_values *values, const struct scenario_file *file,
	enum format format)
{
	struct run_request request = {.file = file, .memory = {memory_of_machine(), 1}};
	struct trace_filter filter = {0};
	if (!choose_run(values, file, &request) || !choose_window(values, &filter)) {
		return EXIT_USAGE;
	}
	const struct scenario *scenario = scenario_point(file, request.point);
	struct chosen_nodes chosen = {
		.n_validators = (uint32_t)scenario->n_validators,
		.n_clients = scenario->shape.n_clients,
	};
	filter.protocol = (const struct protocol *)scenario->protocol.plugin;
	struct chosen_kinds with = {filter.protocol, "--kind", &filter.with};
	struct chosen_kinds without = {filter.protocol, "--without", &filter.without};
	bool good = true;
	for (size_t i = 0; i < values[OPTION_NODE].n && good; i++) {
		good = each_word(values[OPTION_NODE].values[i], take_node, &chosen);
	}
	for (size_t i = 0; i < values[OPTION_KIND].n && good; i++) {
		good = each_word(values[OPTION_KIND].values[i], take_kind, &with);
	}
	for (size_t i = 0; i < values[OPTION_WITHOUT].n && good; i++) {
		good = each_word(values[OPTION_WITHOUT].values[i], take_kind, &without);
	}
	int status = EXIT_USAGE;
	if (good) {
		filter.nodes = chosen.nodes;
		filter.n_nodes = chosen.n;
		struct run_schemas schemas;
		run_schemas_init(&schemas, file);
		request.schemas = &schemas;
		const char *output = last(&values[OPTION_OUTPUT]);
		status = formats[format].figure != 0
			? draw(&request, &filter, format, output, values[OPTION_NARROW].n == 0)
			: write_lines(&request, &filter, format, output);
		run_schemas_finish(&schemas);
	}
	free(chosen.nodes);
	return status;
}

static int run(const struct option_values *values, const char *const *arguments, int n_arguments)
{
	enum format format;
	if (!choose_format(last(&values[OPTION_FORMAT]), last(&values[OPTION_OUTPUT]), &format)) {
		return EXIT_USAGE;
	}
	struct diagnostics *diagnostics = diagnostics_create();
	char *path = scenario_path(arguments[0]);
	struct scenario_file *file =
		scenario_read(path, values[OPTION_SET].values, values[OPTION_SET].n, diagnostics);
	diagnostics_print(diagnostics, stderr);
	int status = file == NULL ? EXIT_USAGE : trace(values, file, format);
	scenario_close(file);
	diagnostics_destroy(diagnostics);
	free(path);
	return status;
}

const struct command command_trace = {
	.name = "trace",
	.summary = "one run's messages: text, JSON for Perfetto, or a space-time figure",
	.usage = "SCENARIO [--set KEY=VALUE]... [--run N | --point P --replication R] [--from TIME]\n"
			 "           [--until TIME] [--node N,...] [--kind K,...] [--without K,...]\n"
			 "           [--format FORMAT] [-o FILE]",
	.example = "  synod trace trace-view-change.yaml\n"
			   "      every event, a line each, with the protocol's reasons\n"
			   "  synod trace trace-view-change.yaml --kind view-change,new-view,timer,reason --node v1\n"
			   "      only these, only there\n"
			   "  synod trace trace-split-vote.yaml -o split-vote.svg\n"
			   "      the space-time figure, with split-vote.gp and split-vote.dat beside it\n"
			   "  synod trace crash.yaml --run 10 --from '4.9 s' --until '5.5 s' -o crash.json\n"
			   "      for ui.perfetto.dev\n",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
