/* A trace as Chrome's trace events: one JSON object, its events in the order in which they came. */
#include "lab/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "synod: out of memory\n");
		exit(3);
	}
	return memory;
}

/* A JSON string. */
static void print_string(FILE *out, const char *text)
{
	putc('"', out);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\') {
			putc('\\', out);
			putc(*c, out);
		} else if ((unsigned char)*c < 0x20) {
			fprintf(out, "\\u%04x", (unsigned)*c);
		} else {
			putc(*c, out);
		}
	}
	putc('"', out);
}

/* Nanoseconds as the format's microseconds, exactly. */
static void print_time(FILE *out, const char *key, sim_time ns)
{
	fprintf(out, ",\"%s\":%" PRId64 ".%03" PRId64, key, ns / 1000, ns % 1000);
}

/* Process and thread of a node; NODE_NONE: the run itself. Numbers begin at 1: 0 is the idle process. */
static uint32_t process_of(const struct trace_chrome *chrome, uint32_t node)
{
	return node == NODE_NONE ? chrome->run.n_validators + chrome->run.n_clients + 1 : node + 1;
}

/* {"ph":"X","pid":1,"tid":1 */
static void open_event(struct trace_chrome *chrome, char phase, uint32_t node)
{
	uint32_t process = process_of(chrome, node);
	fprintf(chrome->out, "%s\n{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u", chrome->n_events++ > 0 ? "," : "",
		phase, process, process);
}

static void print_name(struct trace_chrome *chrome, const char *name)
{
	fputs(",\"name\":", chrome->out);
	print_string(chrome->out, name);
}

static void name_process(struct trace_chrome *chrome, uint32_t node, const char *sort, uint32_t number)
{
	char name[40];
	if (number == NODE_NONE) {
		snprintf(name, sizeof(name), "%s", sort);
	} else {
		snprintf(name, sizeof(name), "%s %u", sort, number);
	}
	const char *const keys[] = {"process_name", "thread_name"};
	for (int i = 0; i < 2; i++) {
		open_event(chrome, 'M', node);
		print_name(chrome, keys[i]);
		fputs(",\"args\":{\"name\":", chrome->out);
		print_string(chrome->out, name);
		fputs("}}", chrome->out);
	}
	open_event(chrome, 'M', node);
	print_name(chrome, "process_sort_index");
	/* Clients on top, as in the papers' figures. */
	fprintf(chrome->out, ",\"args\":{\"sort_index\":%u}}",
		node == NODE_NONE                   ? 0
			: node < chrome->run.n_validators ? chrome->run.n_clients + 1 + node
											  : 1 + node - chrome->run.n_validators);
}

static void begin(void *context, const struct trace_run *run)
{
	struct trace_chrome *chrome = context;
	uint32_t n = run->n_validators + run->n_clients;
	chrome->run = *run;
	chrome->ends_ns = must(calloc(n, sizeof(*chrome->ends_ns)));
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"title\":", chrome->out);
	print_string(chrome->out, run->scenario->title == NULL ? "" : run->scenario->title);
	fputs(",\"protocol\":", chrome->out);
	print_string(chrome->out, run->protocol->plugin.name);
	fprintf(chrome->out,
		",\"run\":%" PRIu64 ",\"point\":%" PRIu64 ",\"replication\":%" PRIu64 ",\"seed\":\"%" PRIu64
		"\"},\n\"traceEvents\":[",
		run->run, run->point, run->replication, run->seed);
	name_process(chrome, NODE_NONE, "run", NODE_NONE);
	for (uint32_t i = 0; i < n; i++) {
		bool validator = i < run->n_validators;
		name_process(chrome, i, validator ? "validator" : "client",
			validator ? i : i - run->n_validators);
	}
}

/* Slices: what a node handles. */

static void begin_slice(struct trace_chrome *chrome, const struct trace_event *event, const char *name)
{
	sim_time end = chrome->ends_ns[event->node];
	chrome->slice.open = true;
	chrome->slice.node = event->node;
	chrome->slice.at_ns = event->at_ns;
	chrome->slice.start_ns = event->at_ns > end ? event->at_ns : end;
	chrome->slice.n_reasons = chrome->slice.reasons_bytes = 0;
	chrome->slice.tells[0] = '\0';
	snprintf(chrome->slice.name, sizeof(chrome->slice.name), "%s", name);
}

static void end_slice(struct trace_chrome *chrome, const struct trace_event *event)
{
	if (!chrome->slice.open || chrome->slice.node != event->node) {
		return;
	}
	sim_time start = chrome->slice.start_ns;
	sim_time end = start + TRACE_SLICE_NS;
	end = event->busy_until_ns > end ? event->busy_until_ns : end;
	chrome->ends_ns[event->node] = end;
	chrome->slice.open = false;
	open_event(chrome, 'X', event->node);
	print_name(chrome, chrome->slice.name);
	print_time(chrome->out, "ts", start);
	print_time(chrome->out, "dur", end - start);
	fputs(",\"args\":{", chrome->out);
	const char *comma = "";
	if (chrome->slice.tells[0] != '\0') {
		fputs("\"says\":", chrome->out);
		print_string(chrome->out, chrome->slice.tells);
		comma = ",";
	}
	if (start != chrome->slice.at_ns) {
		fprintf(chrome->out, "%s\"at_ms\":%" PRId64 ".%06" PRId64, comma, chrome->slice.at_ns / SIM_MS,
			chrome->slice.at_ns % SIM_MS);
		comma = ",";
	}
	if (chrome->slice.n_reasons > 0) {
		fprintf(chrome->out, "%s\"reasons\":[%.*s]", comma, (int)chrome->slice.reasons_bytes,
			chrome->slice.reasons);
	}
	fputs("}}", chrome->out);
}

static bool in_slice(const struct trace_chrome *chrome, const struct trace_event *event)
{
	return chrome->slice.open && chrome->slice.node == event->node;
}

static void add_reason(struct trace_chrome *chrome, const char *phrase)
{
	char *text;
	size_t n;
	FILE *stream = must(open_memstream(&text, &n));
	fputs(chrome->slice.n_reasons++ > 0 ? "," : "", stream);
	print_string(stream, phrase);
	fclose(stream);
	must(text);
	if (chrome->slice.reasons_bytes + n > chrome->slice.reasons_capacity) {
		chrome->slice.reasons_capacity = 2 * (chrome->slice.reasons_bytes + n);
		chrome->slice.reasons =
			must(realloc(chrome->slice.reasons, chrome->slice.reasons_capacity));
	}
	memcpy(chrome->slice.reasons + chrome->slice.reasons_bytes, text, n);
	chrome->slice.reasons_bytes += n;
	free(text);
}

/* Arrows. A copy of a message is named by its sender, the sender's how-many-th it is, and its receiver. */
static void print_flow(struct trace_chrome *chrome, char phase, uint32_t node,
	const struct message *message, uint32_t to)
{
	uint64_t n = (uint64_t)chrome->run.n_validators + chrome->run.n_clients;
	uint64_t id = (message->number * n + message->from) * n + to;
	open_event(chrome, phase, node);
	print_name(chrome, trace_message_name(chrome->run.protocol, message->kind));
	fprintf(chrome->out, ",\"cat\":\"message\",\"id\":\"0x%" PRIx64 "\"", id);
	/* Inside the slice, not at its very beginning: it is bound to the slice that is open at its time. */
	print_time(chrome->out, "ts", chrome->slice.start_ns + TRACE_SLICE_NS / 2);
	fputs(phase == 'f' ? ",\"bp\":\"e\"}" : "}", chrome->out);
}

static void sent(struct trace_chrome *chrome, const struct trace_event *event)
{
	for (uint32_t to = 0; to < chrome->run.n_validators && event->peer == NODE_NONE; to++) {
		if (to != event->node) {
			print_flow(chrome, 's', event->node, event->message, to);
		}
	}
	if (event->peer != NODE_NONE) {
		print_flow(chrome, 's', event->node, event->message, event->peer);
	}
}

static void print_instant(struct trace_chrome *chrome, const struct trace_event *event, const char *name)
{
	open_event(chrome, 'i', event->node);
	print_name(chrome, name);
	fprintf(chrome->out, ",\"s\":\"%c\"", event->node == NODE_NONE ? 'g' : 't');
	print_time(chrome->out, "ts", in_slice(chrome, event) ? chrome->slice.start_ns : event->at_ns);
	fputs(",\"args\":{", chrome->out);
	const char *view = trace_view_word(chrome->run.protocol);
	char peer[TRACE_NODE_NAME];
	trace_node_name(&chrome->run, event->peer, peer);
	switch (event->what) {
	case TRACE_PROPOSED:
	case TRACE_COMMITTED:
	case TRACE_EXECUTED:
	case TRACE_TENTATIVE:
	case TRACE_APPENDED:
		fprintf(chrome->out,
			"\"instance\":%" PRIu64 ",\"%s\":%" PRIu64 ",\"transactions\":%u,\"digest\":\"%016" PRIx64
			"\"",
			event->instance, view, event->view, event->n_transactions, event->digest);
		break;
	case TRACE_ROLLBACK:
		fprintf(chrome->out, "\"instance\":%" PRIu64, event->instance);
		break;
	case TRACE_VIOLATED:
		fprintf(chrome->out,
			"\"with\":\"%s\",\"instance\":%" PRIu64 ",\"values\":[\"%016" PRIx64 "\",\"%016" PRIx64 "\"]",
			peer, event->instance, event->view, event->digest);
		break;
	case TRACE_LEADS:
	case TRACE_CANDIDATE:
	case TRACE_FOLLOWS:
		fprintf(chrome->out, "\"%s\":%" PRIu64 "%s%s%s", view, event->view,
			event->peer == NODE_NONE ? "" : ",\"leader\":\"", event->peer == NODE_NONE ? "" : peer,
			event->peer == NODE_NONE ? "" : "\"");
		break;
	case TRACE_SUBMITTED:
		fprintf(chrome->out, "\"transaction\":%u,\"item\":%u", event->transaction, event->item);
		break;
	case TRACE_ACCEPTED:
		fprintf(chrome->out, "\"item\":%u", event->item);
		break;
	case TRACE_DROP: {
		char tells[256];
		trace_tell(&chrome->run, event->message, tells, sizeof(tells));
		fprintf(chrome->out, "\"from\":\"%s\",\"says\":", peer);
		print_string(chrome->out, tells);
		fputs(",\"why\":", chrome->out);
		print_string(chrome->out, event->text);
		break;
	}
	case TRACE_LIE:
	case TRACE_SHAPED: {
		char becomes[600];
		trace_tell_shaped(&chrome->run, event, becomes, sizeof(becomes));
		fprintf(chrome->out, "\"to\":\"%s\",\"what\":", peer);
		print_string(chrome->out, becomes + 2); /* what separates it from the receiver */
		break;
	}
	default:
		break;
	}
	fputs("}}", chrome->out);
}

/* A counter track: how the view or term of a node climbs. */
static void print_view(struct trace_chrome *chrome, const struct trace_event *event)
{
	const char *view = trace_view_word(chrome->run.protocol);
	open_event(chrome, 'C', event->node);
	print_name(chrome, view);
	print_time(chrome->out, "ts", event->at_ns);
	fprintf(chrome->out, ",\"args\":{\"%s\":%" PRIu64 "}}", view, event->node_view);
}

static void handle(struct trace_chrome *chrome, const struct trace_event *event)
{
	char name[120];
	switch (event->what) {
	case TRACE_RECEIVE:
		begin_slice(chrome, event, trace_message_name(chrome->run.protocol, event->message->kind));
		trace_tell(&chrome->run, event->message, chrome->slice.tells, sizeof(chrome->slice.tells));
		if (event->peer != event->node) {
			print_flow(chrome, 'f', event->node, event->message, event->node);
		}
		return;
	case TRACE_TIMER:
		begin_slice(chrome, event, event->text);
		print_instant(chrome, event, event->text);
		return;
	case TRACE_DROP:
		snprintf(name, sizeof(name), "%s dropped: %s",
			trace_message_name(chrome->run.protocol, event->message->kind), event->text);
		print_instant(chrome, event, name);
		return;
	case TRACE_LIE:
	case TRACE_SHAPED:
		snprintf(name, sizeof(name), "%s %s", trace_message_name(chrome->run.protocol, event->message->kind),
			event->what == TRACE_LIE ? "is a lie" : "is shaped");
		print_instant(chrome, event, name);
		return;
	case TRACE_ATTACK:
	case TRACE_FAULT:
	case TRACE_VERDICT:
	case TRACE_VIOLATED:
		print_instant(chrome, event, event->text);
		return;
	default:
		break;
	}
	/* What is left belongs to something that the node handles: a request from outside, its start. */
	if (!in_slice(chrome, event)) {
		begin_slice(chrome, event, trace_words[event->what]);
	}
	if (event->what == TRACE_SEND) {
		sent(chrome, event);
	} else if (event->what == TRACE_REASON) {
		add_reason(chrome, event->text);
	} else {
		print_instant(chrome, event, trace_words[event->what]);
	}
}

static void on_event(void *context, const struct trace_event *event)
{
	struct trace_chrome *chrome = context;
	if (event->what == TRACE_HANDLED) {
		end_slice(chrome, event);
	} else if (event->what == TRACE_STATE) {
		struct trace_filter filter = *chrome->filter; /* a track of its own, whatever kinds are wanted */
		filter.with = (struct trace_kinds){0};
		if (trace_wanted(&filter, event)) {
			print_view(chrome, event);
		}
	} else if (trace_wanted(chrome->filter, event)) {
		handle(chrome, event);
	}
}

struct trace_sink trace_chrome_sink(struct trace_chrome *chrome)
{
	return (struct trace_sink){chrome, begin, on_event};
}

void trace_chrome_finish(struct trace_chrome *chrome)
{
	if (chrome->ends_ns == NULL) {
		return; /* the run never began */
	}
	fputs("\n]}\n", chrome->out);
	free(chrome->ends_ns);
	free(chrome->slice.reasons);
	chrome->ends_ns = NULL;
	chrome->slice.reasons = NULL;
}
