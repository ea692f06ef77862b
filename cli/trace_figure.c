#include "trace_figure.h"

#include "command.h"

#include "engine/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of the clients' messages come first among the phases. */
#define CLIENT_PHASES 4

/* A message sent within the window, until the last copy of it has come or the run ends. */
struct sent {
	uint32_t number; /* ascending */
	sim_time at_ns;
};

/* A copy that is not what its sender gave away. */
struct lied {
	uint32_t number, to;
};

struct sent_list {
	struct sent *sent;
	size_t n, capacity;
};

/* What is known of a node while the trace goes by. */
struct lifeline {
	struct sent_list sent;
	struct lied *lied;
	size_t n_lied, lied_capacity;
	bool lies;
	uint64_t view;
	uint32_t leader;
	bool told, down;
	sim_time leads_ns, down_ns; /* since when; SIM_NEVER: it does not */
	size_t line;                /* in the figure; SIZE_MAX: it has none */
	sim_time expired_ns;        /* when its client's timer last expired */
	sim_time word_ns;           /* of its last word, and how much that says */
	int word_weight;
};

struct trace_figure {
	const struct trace_filter *filter;
	struct trace_filter anything; /* the same window and nodes, whatever the kind */
	struct trace_run run;
	struct lifeline *lives;
	sim_time first_ns, last_ns; /* of what is shown */
	bool any;
	size_t n_under_way, n_arrows_wanted;
	const char *phases[SPACE_TIME_PHASES_MAX];
	size_t n_phases;
	struct space_time_arrow *arrows;
	struct space_time_mark *marks;
	struct space_time_span *downs, *leads;
	struct space_time_word *words;
	struct space_time_fault *faults;
	size_t faults_capacity;
	size_t arrows_capacity, marks_capacity, downs_capacity, leads_capacity, words_capacity;
	struct space_time figure;
};

static void *grow(void *old, size_t size, size_t n, size_t *capacity)
{
	if (n <= *capacity) {
		return old;
	}
	*capacity = *capacity == 0 ? 64 : *capacity * 2;
	void *memory = realloc(old, *capacity * size);
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(EXIT_ENVIRONMENT);
	}
	return memory;
}

/* Appends a zeroed element to one of the figure's arrays and gives it. */
#define ADD(trace, array)                                                                          \
	((trace)->array = grow((trace)->array, sizeof(*(trace)->array), (trace)->figure.n_##array + 1, \
		 &(trace)->array##_capacity),                                                              \
		&(trace)->array[(trace)->figure.n_##array++])

struct trace_figure *trace_figure_create(const struct trace_filter *filter)
{
	size_t capacity = 0;
	struct trace_figure *trace = grow(NULL, sizeof(*trace), 1, &capacity);
	*trace = (struct trace_figure){.filter = filter, .anything = *filter};
	trace->anything.with = (struct trace_kinds){0};
	return trace;
}

void trace_figure_destroy(struct trace_figure *trace)
{
	uint32_t n = trace->lives == NULL ? 0 : trace->run.n_validators + trace->run.n_clients;
	for (uint32_t i = 0; i < n; i++) {
		free(trace->lives[i].sent.sent);
		free(trace->lives[i].lied);
	}
	free(trace->lives);
	free(trace->arrows);
	free(trace->marks);
	free(trace->downs);
	free(trace->leads);
	free(trace->words);
	free(trace->faults);
	free(trace);
}

static void begin(void *context, const struct trace_run *run)
{
	struct trace_figure *trace = context;
	trace->run = *run;
	uint32_t n = run->n_validators + run->n_clients;
	size_t capacity = 0;
	while (capacity < n) {
		trace->lives = grow(trace->lives, sizeof(*trace->lives), capacity + 1, &capacity);
	}
	for (uint32_t i = 0; i < n; i++) {
		trace->lives[i] = (struct lifeline){
			.leader = NODE_NONE, .leads_ns = SIM_NEVER, .down_ns = SIM_NEVER, .word_ns = -1,
			.expired_ns = -1,
			.lies = i < run->n_validators && run->nodes[i].byzantine};
	}
	for (unsigned kind = 1; kind <= CLIENT_PHASES; kind++) {
		trace->phases[trace->n_phases++] = trace_message_name(run->protocol, kind);
	}
	const struct protocol_words *words = run->protocol->words;
	const char *const *names = words != NULL && words->phase_names != NULL
		? words->phase_names
		: run->protocol->message_names;
	for (size_t i = 0; names != NULL && names[i] != NULL && trace->n_phases < SPACE_TIME_PHASES_MAX;
		 i++) {
		trace->phases[trace->n_phases++] = names[i];
	}
}

static size_t phase_of(const struct trace_figure *trace, const struct message *message)
{
	if (message->kind < MESSAGE_PROTOCOL) {
		return message->kind - 1u;
	}
	const struct protocol_words *words = trace->run.protocol->words;
	size_t phase = CLIENT_PHASES +
		(words != NULL && words->phase != NULL ? words->phase(message)
											   : message->kind - (size_t)MESSAGE_PROTOCOL);
	return phase < trace->n_phases ? phase : trace->n_phases - 1;
}

static double seconds(sim_time at_ns)
{
	return sim_time_to_s(at_ns);
}

static void shown(struct trace_figure *trace, sim_time at_ns)
{
	trace->first_ns = trace->any && trace->first_ns < at_ns ? trace->first_ns : at_ns;
	trace->last_ns = trace->any && trace->last_ns > at_ns ? trace->last_ns : at_ns;
	trace->any = true;
}

static bool has_line(const struct trace_figure *trace, uint32_t node)
{
	bool has = trace->filter->n_nodes == 0;
	for (size_t i = 0; i < trace->filter->n_nodes && !has; i++) {
		has = trace->filter->nodes[i] == node;
	}
	return has;
}

/* Messages. */

static void sent(struct trace_figure *trace, const struct trace_event *event)
{
	struct sent_list *list = &trace->lives[event->node].sent;
	list->sent = grow(list->sent, sizeof(*list->sent), list->n + 1, &list->capacity);
	list->sent[list->n++] = (struct sent){event->message->number, event->at_ns};
	if (event->peer == NODE_NONE) {
		trace->n_under_way += trace->run.n_validators - (event->node < trace->run.n_validators);
	} else {
		trace->n_under_way++;
	}
}

/* When the message that has come was sent; -1: before the window. */
static sim_time sent_at(const struct trace_figure *trace, const struct message *message)
{
	const struct sent_list *list = &trace->lives[message->from].sent;
	size_t low = 0;
	size_t high = list->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (list->sent[middle].number < message->number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < list->n && list->sent[low].number == message->number ? list->sent[low].at_ns : -1;
}

static void lies(struct trace_figure *trace, const struct trace_event *event)
{
	struct lifeline *life = &trace->lives[event->node];
	life->lies = true;
	if (event->shaping != NULL && event->shaping->unsent) {
		trace->n_under_way -= trace->n_under_way > 0;
		return;
	}
	life->lied = grow(life->lied, sizeof(*life->lied), life->n_lied + 1, &life->lied_capacity);
	life->lied[life->n_lied++] = (struct lied){event->message->number, event->peer};
}

static bool is_lie(const struct trace_figure *trace, const struct trace_event *event)
{
	const struct lifeline *life = &trace->lives[event->peer];
	bool is = false;
	for (size_t i = life->n_lied; i > 0 && !is; i--) {
		is = life->lied[i - 1].number == event->message->number && life->lied[i - 1].to == event->node;
	}
	return is;
}

static void came(struct trace_figure *trace, const struct trace_event *event)
{
	sim_time from = event->peer == event->node ? -1 : sent_at(trace, event->message);
	if (from < 0) {
		return; /* to itself, or sent by a node or at a time that was not asked for */
	}
	trace->n_under_way -= trace->n_under_way > 0;
	trace->n_arrows_wanted++;
	if (trace->figure.n_arrows == TRACE_ARROWS_MAX) {
		return;
	}
	*ADD(trace, arrows) = (struct space_time_arrow){
		.from_s = seconds(from),
		.until_s = seconds(event->at_ns),
		.from = event->peer, /* lifelines come later */
		.to = event->node,
		.phase = phase_of(trace, event->message),
		.lost = event->what == TRACE_DROP,
		.lie = is_lie(trace, event),
	};
	shown(trace, from);
	shown(trace, event->at_ns);
}

/* What befalls a node. */

static void add_mark(struct trace_figure *trace, const struct trace_event *event,
	enum space_time_mark_kind kind)
{
	*ADD(trace, marks) = (struct space_time_mark){seconds(event->at_ns), event->node, kind};
	shown(trace, event->at_ns);
}

/* A word above its lifeline; of several at one instant the weightiest. */
static void add_word(struct trace_figure *trace, const struct trace_event *event, const char *before,
	uint64_t view, int weight)
{
	struct lifeline *life = &trace->lives[event->node];
	bool again = life->word_ns == event->at_ns;
	if (again && weight < life->word_weight) {
		return;
	}
	struct space_time_word *word = NULL;
	for (size_t i = trace->figure.n_words; again && i > 0 && word == NULL; i--) {
		word = trace->words[i - 1].line == event->node ? &trace->words[i - 1] : NULL;
	}
	word = word == NULL ? ADD(trace, words) : word;
	*word = (struct space_time_word){.at_s = seconds(event->at_ns), .line = event->node};
	snprintf(word->text, sizeof(word->text), "%s%s %" PRIu64, before,
		trace_view_word(trace->run.protocol), view);
	life->word_ns = event->at_ns;
	life->word_weight = weight;
}

static sim_time within(const struct trace_figure *trace, sim_time at_ns)
{
	return at_ns < trace->filter->from_ns ? trace->filter->from_ns
		: at_ns > trace->filter->until_ns ? trace->filter->until_ns
										  : at_ns;
}

/* Ends a stretch that began at *since; what lies outside the window is cut off. */
static bool end_span(const struct trace_figure *trace, uint32_t node, sim_time *since, sim_time at_ns,
	struct space_time_span *span)
{
	sim_time from = *since;
	*since = SIM_NEVER;
	if (from == SIM_NEVER || within(trace, from) >= within(trace, at_ns)) {
		return false;
	}
	*span = (struct space_time_span){
		seconds(within(trace, from)), seconds(within(trace, at_ns)), node};
	return true;
}

static void leads_no_more(struct trace_figure *trace, uint32_t node, sim_time at_ns)
{
	struct space_time_span span;
	if (end_span(trace, node, &trace->lives[node].leads_ns, at_ns, &span)) {
		*ADD(trace, leads) = span;
	}
}

static void down_no_more(struct trace_figure *trace, uint32_t node, sim_time at_ns)
{
	struct space_time_span span;
	if (end_span(trace, node, &trace->lives[node].down_ns, at_ns, &span)) {
		*ADD(trace, downs) = span;
	}
}

static void believes(struct trace_figure *trace, const struct trace_event *event, bool in_window)
{
	struct lifeline *life = &trace->lives[event->node];
	bool leads = event->peer == event->node;
	if (leads && life->leads_ns == SIM_NEVER) {
		life->leads_ns = event->at_ns;
	} else if (!leads) {
		leads_no_more(trace, event->node, event->at_ns);
	}
	if (life->told && life->view != event->node_view && in_window) {
		add_word(trace, event, "", event->node_view, 0);
	}
	life->told = true;
	life->view = event->node_view;
	life->leader = event->peer;
}

static void fault(struct trace_figure *trace, const struct trace_event *event, bool in_window)
{
	struct lifeline *life = &trace->lives[event->node];
	if (strcmp(event->text, "crash") == 0) {
		leads_no_more(trace, event->node, event->at_ns);
		life->down_ns = event->at_ns;
		if (in_window) {
			add_mark(trace, event, SPACE_TIME_CRASH);
		}
	} else if (strcmp(event->text, "restart") == 0) {
		down_no_more(trace, event->node, event->at_ns);
		if (in_window) {
			add_mark(trace, event, SPACE_TIME_RESTART);
		}
		life->leads_ns = life->leader == event->node ? event->at_ns : SIM_NEVER;
	}
}

/* All but what has marks of its own; the lifelines are set at the end. */
static void befalls(struct trace_figure *trace, const struct trace_event *event)
{
	struct space_time_fault *fault = ADD(trace, faults);
	fault->at_s = seconds(event->at_ns);
	fault->line = event->node == NODE_NONE ? SIZE_MAX : event->node;
	snprintf(fault->text, sizeof(fault->text), "%s", event->text);
}

static void on_event(void *context, const struct trace_event *event)
{
	struct trace_figure *trace = context;
	bool in_window = trace_wanted(&trace->anything, event);
	bool at_node = event->node != NODE_NONE;
	if (at_node && event->what == TRACE_STATE) {
		believes(trace, event, in_window);
	} else if (at_node && event->what == TRACE_FAULT) {
		fault(trace, event, in_window);
	}
	if (event->what == TRACE_FAULT && strcmp(event->text, "crash") != 0 && strcmp(event->text, "restart") != 0) {
		befalls(trace, event);
	}
	if (!in_window) {
		return;
	}
	/* A client's timer that finds nothing overdue is no timeout. */
	if (event->what == TRACE_SEND && trace->lives[event->node].expired_ns == event->at_ns) {
		trace->lives[event->node].expired_ns = -1;
		add_mark(trace, event, SPACE_TIME_TIMEOUT);
	}
	switch (event->what) {
	case TRACE_SEND:
	case TRACE_RECEIVE:
	case TRACE_DROP:
		/* Which kinds are wanted is asked of messages alone. */
		if (trace_message_wanted(trace->filter, event->message)) {
			if (event->what == TRACE_SEND) {
				sent(trace, event);
			} else {
				came(trace, event);
			}
		}
		break;
	case TRACE_LIE:
		if (trace_message_wanted(trace->filter, event->message)) {
			lies(trace, event);
		}
		break;
	case TRACE_TIMER:
		if (strcmp(event->text, "client timeout") == 0) {
			trace->lives[event->node].expired_ns = event->at_ns;
		} else if (strstr(event->text, "timeout") != NULL) {
			add_mark(trace, event, SPACE_TIME_TIMEOUT);
		}
		break;
	case TRACE_COMMITTED:
		add_mark(trace, event, SPACE_TIME_COMMIT);
		break;
	case TRACE_ACCEPTED:
		add_mark(trace, event, SPACE_TIME_ACCEPTED);
		break;
	case TRACE_CANDIDATE:
		add_word(trace, event, "candidate, ", event->view, 1);
		break;
	case TRACE_LEADS:
		if (trace->lives[event->node].told) { /* who leads from the start has no need to be announced */
			add_word(trace, event, "leads ", event->view, 2);
		}
		break;
	default:
		break;
	}
}

struct trace_sink trace_figure_sink(struct trace_figure *trace)
{
	return (struct trace_sink){trace, begin, on_event};
}

/* The figure. */

static bool has_arrow(const struct trace_figure *trace, uint32_t node)
{
	bool has = false;
	for (size_t i = 0; i < trace->figure.n_arrows && !has; i++) {
		has = trace->arrows[i].from == node || trace->arrows[i].to == node;
	}
	return has;
}

/* Clients stand above validators; whom the filter leaves out has no line, and no client without an arrow that
 * was not asked for. */
static size_t set_lines(struct trace_figure *trace, char (*names)[24])
{
	uint32_t n_validators = trace->run.n_validators;
	uint32_t n = n_validators + trace->run.n_clients;
	size_t n_lines = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = i < trace->run.n_clients ? n_validators + i : i - trace->run.n_clients;
		trace->lives[node].line = SIZE_MAX;
		if (!has_line(trace, node) ||
			(node >= n_validators && trace->filter->n_nodes == 0 && !has_arrow(trace, node))) {
			continue;
		}
		trace->lives[node].line = n_lines;
		if (node < n_validators) {
			snprintf(names[n_lines], sizeof(names[0]), "validator %u%s", node,
				trace->lives[node].lies ? " (lies)" : "");
		} else if (trace->run.n_clients == 1) {
			snprintf(names[n_lines], sizeof(names[0]), "client");
		} else {
			snprintf(names[n_lines], sizeof(names[0]), "client %u", node - n_validators);
		}
		n_lines++;
	}
	struct space_time *figure = &trace->figure;
	for (size_t i = 0; i < figure->n_arrows; i++) {
		trace->arrows[i].from = trace->lives[trace->arrows[i].from].line;
		trace->arrows[i].to = trace->lives[trace->arrows[i].to].line;
	}
	size_t n_marks = 0;
	for (size_t i = 0; i < figure->n_marks; i++) {
		struct space_time_mark mark = trace->marks[i];
		mark.line = trace->lives[mark.line].line;
		if (mark.line != SIZE_MAX) {
			trace->marks[n_marks++] = mark;
		}
	}
	figure->n_marks = n_marks;
	for (size_t i = 0; i < figure->n_words; i++) {
		trace->words[i].line = trace->lives[trace->words[i].line].line;
	}
	size_t n_faults = 0;
	for (size_t i = 0; i < figure->n_faults; i++) {
		struct space_time_fault fault = trace->faults[i];
		bool everywhere = fault.line == SIZE_MAX;
		fault.line = everywhere ? SIZE_MAX : trace->lives[fault.line].line;
		if (everywhere || fault.line != SIZE_MAX) {
			trace->faults[n_faults++] = fault;
		}
	}
	figure->n_faults = n_faults;
	/* Leads and downs were gathered for all nodes. */
	struct space_time_span *spans[] = {trace->leads, trace->downs};
	size_t *n_spans[] = {&figure->n_leads, &figure->n_downs};
	for (int k = 0; k < 2; k++) {
		size_t n_kept = 0;
		for (size_t i = 0; i < *n_spans[k]; i++) {
			struct space_time_span span = spans[k][i];
			span.line = trace->lives[span.line].line;
			if (span.line != SIZE_MAX) {
				spans[k][n_kept++] = span;
			}
		}
		*n_spans[k] = n_kept;
	}
	return n_lines;
}

#define LINES_MAX 40

static bool fits(const struct trace_figure *trace, size_t n_lines, struct results_error *error)
{
	if (n_lines > LINES_MAX) {
		snprintf(error->text, sizeof(error->text),
			"%zu lifelines don't fit into a figure: choose up to %d by --node", n_lines, LINES_MAX);
		return false;
	}
	if (trace->n_arrows_wanted > TRACE_ARROWS_MAX) {
		snprintf(error->text, sizeof(error->text),
			"%zu messages don't fit into a figure (at most %d): choose by --from, --until, --node and "
			"--kind",
			trace->n_arrows_wanted, TRACE_ARROWS_MAX);
		return false;
	}
	if (!trace->any) {
		snprintf(error->text, sizeof(error->text),
			"nothing to show: no message, timeout or commit lies in what was chosen");
		return false;
	}
	return true;
}

/* A window that was asked for is kept; else what happens fills the figure, with a little room. */
static void set_window(struct trace_figure *trace)
{
	double first = seconds(trace->first_ns);
	double last = seconds(trace->last_ns);
	double room = last > first ? (last - first) * 0.02 : 1e-6;
	first = trace->filter->from_ns > 0 ? seconds(trace->filter->from_ns) : first - room;
	trace->figure.from_s = trace->first_ns == 0 || first < 0 ? -room : first;
	trace->figure.until_s =
		trace->filter->until_ns != SIM_NEVER ? seconds(trace->filter->until_ns) : last + room;
}

static void set_text(struct trace_figure *trace, char title[400], char caption[400])
{
	const struct trace_run *run = &trace->run;
	const char *text = run->scenario->title;
	bool titled = text != NULL && text[0] != '\0';
	snprintf(title, 400, "%.300s (seed %" PRIu64 ")", titled ? text : run->protocol->plugin.name,
		run->scenario->seed);
	int n = snprintf(caption, 400, "%s, %u validators", run->protocol->plugin.name, run->n_validators);
	if (run->run > 0) {
		n += snprintf(caption + n, 400 - (size_t)n, ", run %" PRIu64 " (point %" PRIu64
			", replication %" PRIu64 ")", run->run, run->point, run->replication);
	}
	n += snprintf(caption + n, 400 - (size_t)n, ". An arrow is a message, from when it was sent until it was handled.");
	if (trace_chooses_messages(trace->filter)) {
		n += snprintf(caption + n, 400 - (size_t)n, " Messages of other kinds are left out.");
	}
	if (trace->n_under_way > 0 && trace->filter->n_nodes == 0) {
		snprintf(caption + n, 400 - (size_t)n,
			" What was still under way at the end is left out (%zu).", trace->n_under_way);
	}
}

int trace_figure_draw(struct trace_figure *trace, const struct figures_request *request,
	const char *name, bool wide, struct results_error *error)
{
	uint32_t n = trace->run.n_validators + trace->run.n_clients;
	set_window(trace);
	struct space_time *figure = &trace->figure;
	for (uint32_t i = 0; i < n; i++) {
		sim_time end = (sim_time)(figure->until_s * 1e9);
		leads_no_more(trace, i, end);
		down_no_more(trace, i, end);
	}
	char(*names)[24] = calloc(n, sizeof(*names));
	const char **lines = calloc(n, sizeof(*lines));
	if (names == NULL || lines == NULL) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		free(names);
		free(lines);
		return EXIT_ENVIRONMENT;
	}
	figure->n_lines = set_lines(trace, names);
	int status = EXIT_USAGE;
	if (fits(trace, figure->n_lines, error)) {
		char title[400];
		char caption[400];
		set_text(trace, title, caption);
		for (size_t i = 0; i < figure->n_lines; i++) {
			lines[i] = names[i];
		}
		figure->title = title;
		figure->caption = caption;
		figure->wide = wide;
		figure->lines = lines;
		figure->phases = trace->phases;
		figure->n_phases = trace->n_phases;
		figure->n_client_phases = CLIENT_PHASES;
		figure->arrows = trace->arrows;
		figure->marks = trace->marks;
		figure->downs = trace->downs;
		figure->leads = trace->leads;
		figure->words = trace->words;
		figure->faults = trace->faults;
		status = space_time_draw(request, name, figure, error) ? EXIT_DONE : EXIT_ENVIRONMENT;
	}
	free(names);
	free(lines);
	return status;
}
