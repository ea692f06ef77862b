/* A trace as text: a line an event. */
#include "lab/trace.h"

#include <inttypes.h>

static const char *instance_word(const struct trace_run *run)
{
	const struct protocol_words *words = run->protocol->words;
	return words == NULL || words->instance == NULL ? "instance" : words->instance;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void begin(void *context, const struct trace_run *run)
{
	struct trace_text *text = context;
	text->run = *run;
	if (run->scenario->title != NULL && run->scenario->title[0] != '\0') {
		fprintf(text->out, "# %s\n", run->scenario->title);
	}
	fprintf(text->out, "# %s, %u validator%s (v0 ...)", run->protocol->plugin.name, run->n_validators,
		plural(run->n_validators));
	if (run->n_clients > 0) {
		fprintf(text->out, ", %u client%s (c0 ...)", run->n_clients, plural(run->n_clients));
	}
	fprintf(text->out,
		"; run %" PRIu64 ": point %" PRIu64 ", replication %" PRIu64 ", seed %" PRIu64 "\n", run->run,
		run->point, run->replication, run->seed);
	bool any = false;
	for (uint32_t i = 0; i < run->n_validators; i++) {
		if (run->nodes != NULL && run->nodes[i].byzantine) {
			fprintf(text->out, "%s v%u", any ? "," : "# byzantine:", i);
			any = true;
		}
	}
	fputs(any ? "\n" : "", text->out);
	fprintf(text->out, "#%13s  %-5s %5s  %s\n", "time (ms)", "node", trace_view_word(run->protocol),
		"what");
}

static void print_instance(const struct trace_text *text, const struct trace_event *event)
{
	fprintf(text->out, "%s %" PRIu64 ", %s %" PRIu64, instance_word(&text->run), event->instance,
		trace_view_word(text->run.protocol), event->view);
	if (event->n_transactions == 0) {
		fprintf(text->out, ": no transactions");
	} else {
		fprintf(text->out, ": %u transaction%s, digest %04x", event->n_transactions,
			plural(event->n_transactions), (unsigned)(event->digest >> 48));
	}
}

static void print_message(const struct trace_text *text, const struct trace_event *event)
{
	char peer[TRACE_NODE_NAME];
	char tells[256];
	const struct message *message = event->message;
	trace_node_name(&text->run, event->peer, peer);
	trace_tell(&text->run, message, tells, sizeof(tells));
	const char *name = trace_message_name(text->run.protocol, message->kind);
	if (event->what == TRACE_LIE || event->what == TRACE_SHAPED) {
		char becomes[600];
		trace_tell_shaped(&text->run, event, becomes, sizeof(becomes));
		fprintf(text->out, "%s to %s%s", name, peer, becomes);
	} else if (event->what == TRACE_SEND) {
		fprintf(text->out, "%s to %s: %s", name, event->peer == NODE_NONE ? "all" : peer, tells);
	} else if (event->what == TRACE_DROP) {
		fprintf(text->out, "%s from %s, %s: %s", name, peer, event->text, tells);
	} else {
		fprintf(text->out, "%s from %s: %s", name, event->peer == event->node ? "itself" : peer, tells);
	}
}

/* What happened between clients is told in words: its values are transactions. */
static void print_violation(
	const struct trace_text *text, const struct trace_event *event, const char *peer)
{
	fprintf(text->out, "%s, with %s, at %s %" PRIu64 ": ", event->text, peer,
		event->of_clients ? "transaction" : instance_word(&text->run), event->instance);
	if (event->of_clients && event->detail != NULL) {
		fputs(event->detail, text->out);
	} else {
		fprintf(text->out, "%016" PRIx64 " against %016" PRIx64, event->view, event->digest);
	}
	if (event->broken_ns != event->at_ns) {
		fprintf(text->out, " (at %" PRId64 ".%06" PRId64 " ms; found later)", event->broken_ns / SIM_MS,
			event->broken_ns % SIM_MS);
	}
}

static void print_what(const struct trace_text *text, const struct trace_event *event)
{
	const char *view = trace_view_word(text->run.protocol);
	char peer[TRACE_NODE_NAME];
	trace_node_name(&text->run, event->peer, peer);
	switch (event->what) {
	case TRACE_SEND:
	case TRACE_RECEIVE:
	case TRACE_DROP:
	case TRACE_LIE:
	case TRACE_SHAPED:
		print_message(text, event);
		break;
	case TRACE_SUBMITTED:
		fprintf(text->out, "transaction %u for item %u", event->transaction, event->item);
		break;
	case TRACE_PROPOSED:
	case TRACE_COMMITTED:
	case TRACE_EXECUTED:
	case TRACE_TENTATIVE:
	case TRACE_APPENDED:
		print_instance(text, event);
		break;
	case TRACE_ROLLBACK:
	case TRACE_REVOKED:
		fprintf(text->out, "%s %" PRIu64, instance_word(&text->run), event->instance);
		break;
	case TRACE_LEADS:
	case TRACE_CANDIDATE:
		fprintf(text->out, "%s %" PRIu64, view, event->view);
		break;
	case TRACE_FOLLOWS:
		fprintf(text->out, "%s %" PRIu64 ", led by %s", view, event->view,
			event->peer == NODE_NONE ? "nobody yet" : peer);
		break;
	case TRACE_ACCEPTED:
		fprintf(text->out, "item %u", event->item);
		break;
	case TRACE_VIOLATED:
		print_violation(text, event, peer);
		break;
	default:
		fputs(event->text == NULL ? "" : event->text, text->out);
		break;
	}
}

static void print_event(void *context, const struct trace_event *event)
{
	const struct trace_text *text = context;
	if (trace_words[event->what] == NULL || !trace_wanted(text->filter, event)) {
		return;
	}
	char node[TRACE_NODE_NAME];
	char view[24] = "-";
	trace_node_name(&text->run, event->node, node);
	if (event->node < text->run.n_validators) {
		snprintf(view, sizeof(view), "%" PRIu64, event->node_view);
	}
	fprintf(text->out, "%7" PRId64 ".%06" PRId64 "  %-5s %5s  %-10s ", event->at_ns / SIM_MS,
		event->at_ns % SIM_MS, node, view, trace_words[event->what]);
	print_what(text, event);
	putc('\n', text->out);
}

struct trace_sink trace_text_sink(struct trace_text *text)
{
	return (struct trace_sink){text, begin, print_event};
}
